"""Who may ask the status server: loopback by default; elsewhere a token or a certificate, else it does not start."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import os
import re
import ssl
import stat
from pathlib import Path

from geo.errors import UsageError
from luxwake.daemon.config import HttpConfig

TOKEN_BYTES = 32
_MAKE_TOKEN = "make one with `(umask 077; openssl rand -hex 32 > FILE)`"
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?", re.ASCII)


class Access:
    """What a configuration allows.

    Raises
    ------
    UsageError
        For an address that others can reach without a token or client certificates, a token that is short or that
        others can read, or certificates that cannot be used.

    >>> access = Access(HttpConfig())
    >>> access.knows_host("localhost:8787"), access.knows_host("rebound.example"), access.admits(None)
    (True, False, True)
    >>> Access(HttpConfig(host="0.0.0.0"))
    Traceback (most recent call last):
    geo.errors.UsageError: http.host is '0.0.0.0', which others can reach: set http.token_file, or http.tls_client_ca
    """

    def __init__(self, config: HttpConfig) -> None:
        self.tls = _tls_of(config)
        self._token = _token_of(config.token_file) if config.token_file else None
        if not (is_loopback(config.host) or self._token or config.tls_client_ca):
            raise UsageError(
                f"http.host is {config.host!r}, which others can reach: set http.token_file, or http.tls_client_ca"
            )
        own = f"[{config.host}]" if ":" in config.host else config.host
        self._hosts = {name.lower() for name in (*config.allowed_hosts, own)}

    def knows_host(self, header: str) -> bool:
        """Whether a `Host` header names this server, with any port."""
        found = _HOST.fullmatch(header)
        return found is not None and found[1].lower() in self._hosts

    def admits(self, authorization: str | None) -> bool:
        """Whether an `Authorization` header has the token, as Bearer or as the password of Basic (for browsers)."""
        if self._token is None:
            return True
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode("latin-1").partition(":")[2]
            except (binascii.Error, ValueError):
                return False
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.strip().encode("latin-1", "replace"), self._token)


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only; a name other than localhost is taken as not."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _token_of(path: str) -> bytes:
    """The token in a file that only its owner, we or root, can read."""
    try:
        with open(path, "rb") as file:
            told = os.fstat(file.fileno())
            text = file.read(4096).strip()
    except OSError as error:
        raise UsageError(f"http.token_file {path}: cannot be read ({error.strerror}); {_MAKE_TOKEN}") from None
    is_credential = str(Path(path).parent) == os.environ.get("CREDENTIALS_DIRECTORY")  # systemd's, which sees to it
    if not is_credential and (stat.S_IMODE(told.st_mode) & 0o077 or told.st_uid not in (0, os.geteuid())):
        mode = f"{stat.S_IMODE(told.st_mode):04o} of user {told.st_uid}"
        raise UsageError(f"http.token_file {path}: its mode is {mode}; chmod 0600, and let it belong to this user")
    if re.fullmatch(rb"[0-9A-Fa-f]+", text):
        size = len(text) // 2
    elif re.fullmatch(rb"[A-Za-z0-9+/_-]+={0,2}", text):
        size = len(text.rstrip(b"=")) * 3 // 4
    else:
        raise UsageError(f"http.token_file {path}: neither hexadecimal nor base64; {_MAKE_TOKEN}")
    if size < TOKEN_BYTES:
        raise UsageError(f"http.token_file {path}: a token of {size} bytes, under {TOKEN_BYTES}; {_MAKE_TOKEN}")
    return text


def _tls_of(config: HttpConfig) -> ssl.SSLContext | None:
    """The server's side of TLS; None without a certificate."""
    paths = {name: str(getattr(config, name)) for name in ("tls_certificate", "tls_key", "tls_client_ca")}
    if not any(paths.values()):
        return None
    for name in ("tls_certificate", "tls_key"):
        if not paths[name]:
            raise UsageError(f"http.{name} is missing; TLS needs a certificate and its key")
    for name, path in paths.items():
        if path and not os.access(path, os.R_OK):
            raise UsageError(f"http.{name} {path}: cannot be read; check the path and whose it is")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(Path(paths["tls_certificate"]), Path(paths["tls_key"]))
        if paths["tls_client_ca"]:
            context.load_verify_locations(Path(paths["tls_client_ca"]))
            context.verify_mode = ssl.CERT_REQUIRED
    except (ssl.SSLError, OSError) as error:
        raise UsageError(f"http.tls_certificate {paths['tls_certificate']}: cannot be used ({error})") from None
    return context
