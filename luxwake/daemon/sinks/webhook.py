"""Changes by HTTP POST: `{"changes": [...]}`, with the numbers of the first and the last, and a key to know copies by.

A name is looked up and checked once for each connection (see `addresses`); redirects are not followed, an answer of
more than 64 kB is not read, and all of it must be over in 5 s.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from geo.errors import UsageError
from luxwake import __version__
from luxwake.daemon.config import WebhookSink
from luxwake.daemon.sink import Change, NotNow, Refused, Sink
from luxwake.daemon.sinks.addresses import Forbidden, checked_addresses, networks_of

DEADLINE_S = 5.0
MAX_ANSWER_BYTES = 65_536
LONGEST_WAIT_S = 3600.0
"""No `Retry-After` is obeyed for longer."""
_LATER = (408, 425, 429)
_FIELD_NAME = re.compile(r"[A-Za-z!#$%&'*+.^_`|~0-9-]+", re.ASCII)
_FIELD_VALUE = re.compile(r"[\x20-\x7e\t]*", re.ASCII)
_OURS = ("host", "content-length", "content-type", "transfer-encoding", "connection", "idempotency-key")


class Webhook(Sink):
    """A URL that changes are posted to."""

    def __init__(self, config: WebhookSink) -> None:
        place = f"sinks.{config.name}"
        if "@" in config.url:  # in a path it can be written %40
            said = f"put an Authorization into {place}.headers, and write an @ behind the host as %40"
            raise UsageError(f"{place}.url has a user in it; {said}")
        try:
            parts = urlsplit(config.url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise UsageError(f"{place}.url cannot be used ({error}); write https://host/path") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or not re.fullmatch(r"[!-~]+", config.url):
            raise UsageError(f"{place}.url is no URL of http or https; write https://host/path")
        for name, value in config.headers.items():
            if not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(value) or name.lower() in _OURS:
                raise UsageError(f"{place}.headers: {name!r} cannot be set, or not to this; take it out")
        self._headers = {"User-Agent": f"luxwake/{__version__}", **config.headers}
        self._allowed = networks_of(config.allow_private, f"{place}.allow_private")
        self._host, self._port = parts.hostname, port
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._tls = _tls(config.ca_file, place) if parts.scheme == "https" else None
        self._name = config.name

    def send(self, changes: Sequence[Change]) -> str:
        """Post them; what is refused together is sent one by one, for only one of them may be to blame."""
        status, after_s = self._post(changes)
        if 200 <= status < 300:
            self.done(len(changes))
            return ""
        said = f"{self._host} answered {status} {http.client.responses.get(status, '')}".strip()
        if 300 <= status < 400:
            raise NotNow(f"{said}; redirects are not followed: give the URL that it leads to", after_s)
        if not 400 <= status < 500 or status in _LATER:
            raise NotNow(said, after_s)
        if len(changes) > 1:
            self.part(len(changes))
            raise NotNow(f"{said} to {len(changes)} changes; they are sent one by one", after_s)
        self.done(1)
        raise Refused(said)

    def _post(self, changes: Sequence[Change]) -> tuple[int, float]:
        """The status of the answer, and after how many seconds to try again."""
        body = ('{"changes": [' + ",\n".join(change.body for change in changes) + "]}\n").encode()
        first, last = changes[0].seq, changes[-1].seq
        headers = {
            **self._headers,
            "Content-Type": "application/json",
            "Luxwake-First-Seq": str(first),
            "Luxwake-Last-Seq": str(last),
            "Idempotency-Key": f"luxwake-{self._name}-{first}-{last}-{changes[-1].event_id}",
        }
        deadline = time.monotonic() + DEADLINE_S
        try:
            addresses = checked_addresses(self._host, self._port, self._allowed)
            connection = _Connection(self._host, self._port, addresses, self._tls, deadline)
            with connection.cut_off():
                connection.request("POST", self._target, body, headers)
                answer = connection.getresponse()
                answer.read(MAX_ANSWER_BYTES)
                if time.monotonic() >= deadline:
                    raise TimeoutError
                return answer.status, retry_after_s(answer.headers.get("Retry-After"))
        except Forbidden as error:
            raise NotNow(str(error)) from None
        except (OSError, http.client.HTTPException, UnicodeError, ValueError) as error:
            if time.monotonic() >= deadline:
                raise NotNow(f"{self._host}: no answer within {DEADLINE_S:g} s") from None
            raise NotNow(f"{self._host}: {type(error).__name__}: {error}") from None


class _Connection(http.client.HTTPConnection):
    """A connection to addresses that were checked, under the name that they were checked for."""

    def __init__(
        self, host: str, port: int, addresses: Sequence[tuple[str, int]], tls: ssl.SSLContext | None, deadline: float
    ) -> None:
        super().__init__(host, port)
        self.default_port = http.client.HTTP_PORT if tls is None else http.client.HTTPS_PORT  # for the Host header
        self._addresses, self._tls, self._deadline = addresses, tls, deadline
        self.to_cut: socket.socket | None = None
        """The socket, which the library lets go of where the answer ends with the connection."""

    def connect(self) -> None:
        """Connect to the first address that answers."""
        for n, address in enumerate(self._addresses):
            try:
                self.sock = socket.create_connection(address, timeout=self._left())
                break
            except OSError:
                if n == len(self._addresses) - 1:
                    raise
        if self._tls is not None:
            self.sock.settimeout(self._left())
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)
        self.sock.settimeout(self._left())
        self.to_cut = self.sock

    def _left(self) -> float:
        return max(0.01, self._deadline - time.monotonic())

    def cut_off(self) -> _CutOff:
        """A block that ends by the deadline, however slowly the other side drips."""
        return _CutOff(self, self._left())


class _CutOff:
    """Shuts a connection's socket down at its deadline, and closes it at the end of the block."""

    def __init__(self, connection: _Connection, seconds: float) -> None:
        self._connection = connection
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True

    def _shut(self) -> None:
        if self._connection.to_cut is not None:
            with suppress(OSError):
                self._connection.to_cut.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *failed: object) -> None:
        self._timer.cancel()
        self._connection.close()


def retry_after_s(text: str | None) -> float:
    """Seconds of a `Retry-After`, a number or a date (RFC 9110, 10.2.3); 0.0 for none and for what is neither.

    >>> retry_after_s("120"), retry_after_s("soon"), retry_after_s("99999999")
    (120.0, 0.0, 3600.0)
    """
    if text is None:
        return 0.0
    if re.fullmatch(r"[0-9]{1,20}", text.strip(), re.ASCII):
        return min(LONGEST_WAIT_S, float(text))
    try:
        return min(LONGEST_WAIT_S, max(0.0, parsedate_to_datetime(text).timestamp() - time.time()))
    except (ValueError, OverflowError):
        return 0.0


def _tls(ca_file: str, place: str) -> ssl.SSLContext:
    """The client's side of TLS, with one's own authorities beside those of the system."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            raise UsageError(f"{place}.ca_file {ca_file}: cannot be used ({error.strerror or error})") from None
    return context
