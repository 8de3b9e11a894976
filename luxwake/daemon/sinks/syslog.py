"""Changes to syslog (RFC 5424): by a local socket, UDP (RFC 5426) or TCP with octet counting (RFC 6587)."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit

from geo.errors import UsageError
from luxwake.daemon.config import SyslogSink
from luxwake.daemon.sink import Change, NotNow, Refused, Sink

FACILITY = 3
"""Of system daemons."""
_SEVERITY = {"opened": 5, "superseded": 5, "retracted": 5}
"""Notice; other changes are informational."""
_TIMEOUT_S = 5.0
_MAX_DATAGRAM = 65_000


class Syslog(Sink):
    """A syslog daemon.

    UDP and local datagrams have no acknowledgement: what is handed to the kernel counts as sent.
    """

    def __init__(self, config: SyslogSink) -> None:
        self._where = _where(config)
        self._host = re.sub(r"[^!-~]", "", socket.gethostname())[:255] or "-"
        self._socket: socket.socket | None = None

    def send(self, changes: Sequence[Change]) -> str:
        """Write a message for each."""
        messages = [message_of(change, self._host) for change in changes]
        try:
            if self._socket is None:
                self._socket = self._connected()
            if self._socket.type == socket.SOCK_STREAM:
                self._look_whether_closed(self._socket)
                self._socket.sendall(b"".join(b"%d %s" % (len(message), message) for message in messages))
                return ""
            for taken, message in enumerate(messages):
                if len(message) > _MAX_DATAGRAM:
                    raise Refused(f"{len(message):,} bytes are too many for a datagram; use tcp://", taken=taken)
                self._socket.send(message)
        except OSError as error:  # of UDP it may be the answer to what was sent before
            self.close()
            raise NotNow(f"syslog: {error.strerror or error}") from None
        return ""

    def _connected(self) -> socket.socket:
        kind, host, port = self._where
        if kind == "tcp":
            return socket.create_connection((host, port), timeout=_TIMEOUT_S)
        if kind == "unix":
            made, address = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), host
            made.settimeout(_TIMEOUT_S)
            made.connect(address)
            return made
        family, _, _, _, found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        made = socket.socket(family, socket.SOCK_DGRAM)
        made.settimeout(_TIMEOUT_S)
        made.connect(found)
        return made

    def _look_whether_closed(self, connection: socket.socket) -> None:
        """Raise OSError where the other side has closed: the first write after that would be lost without a word."""
        connection.setblocking(False)
        with suppress(BlockingIOError):
            if connection.recv(4096) == b"":
                raise ConnectionResetError("the other side has closed the connection")
        connection.settimeout(_TIMEOUT_S)

    def close(self) -> None:
        """Let go of the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def message_of(change: Change, host: str, now: datetime | None = None) -> bytes:
    r"""One message; its text is the body in ASCII, with all else escaped as JSON does.

    >>> change = Change(7, "46d8d52ad6ba20ab", 1, "opened", "dark", 671999101, 0, 35.0, 129.0, 0.9, '"\x85"')
    >>> message_of(change, "ship", datetime(2026, 1, 2, tzinfo=UTC)).split(b" ", 5)[-1]
    b'dark.opened - "\\u0085"'
    """
    level = FACILITY * 8 + _SEVERITY.get(change.change, 6)
    time = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    word = re.sub(r"[^!-~]", "", f"{change.kind}.{change.change}")[:32]
    text = json.dumps(json.loads(change.body))
    return f"<{level}>1 {time} {host} luxwake {os.getpid()} {word} - {text}".encode("ascii")


def _where(config: SyslogSink) -> tuple[str, str, int]:
    """Kind of transport, host or path, port."""
    if config.address.startswith("/"):
        return "unix", config.address, 0
    scheme, host, port, path = "", "", None, ""
    with suppress(ValueError):
        parts = urlsplit(config.address)
        scheme, host, port, path = parts.scheme, parts.hostname or "", parts.port, parts.path
    if scheme not in ("udp", "tcp") or not host or path.strip("/"):
        raise UsageError(
            f"sinks.{config.name}.address is {config.address!r}: write /dev/log, udp://host:514 or tcp://host:601"
        )
    return scheme, host, port or (514 if scheme == "udp" else 601)
