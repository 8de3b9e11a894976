"""The status server: `/`, `/healthz`, `/readyz`, `/metrics` and `/status`, and nothing else.

It answers GET and HEAD, one request a connection, and reads no more than a header. uvicorn has no limit of time for
one: a client that sends a line of header a second kept its connection for as long as it was tried (0.54, 40 s); here
the whole header, and the handshake of TLS before it, must be there within 10 s. When there are too many connections
the oldest is closed for the newest, so that clients that hang do not keep others out.

`/healthz` and `/readyz` are for probes, and say yes or no to anyone who reaches the port; all else wants the token
where there is one. Nothing in a request names a file.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

import msgspec

from geo.errors import UsageError
from luxwake.daemon.access import Access
from luxwake.daemon.config import HttpConfig
from luxwake.daemon.metrics import CONTENT_TYPE, metrics_text
from luxwake.daemon.status import Status, why_not_ready
from luxwake.daemon.status_page import POLICY, page

HEADER_S = ANSWER_S = 10.0
HEADER_BYTES = 16_384
MAX_FIELDS = 100
MAX_CONNECTIONS = 64
LINGER_S, LINGER_BYTES = 1.0, 65_536
"""What a client still sends after it was refused is thrown away for so long, so that it sees the answer."""

_PLAIN = "text/plain; charset=utf-8"
_REQUEST = re.compile(rb"([A-Za-z!#$%&'*+.^_`|~0-9-]{1,32}) ([!-~]+) HTTP/1\.[01]")
_FIELD = re.compile(rb"([A-Za-z!#$%&'*+.^_`|~0-9-]+):[ \t]*([ -~\t\x80-\xff]*)")
_LOG = logging.getLogger(__name__)


class Answer(NamedTuple):
    """What is sent back."""

    status: int
    body: str = ""
    content_type: str = _PLAIN
    more: tuple[str, ...] = ()

    def encoded(self, with_body: bool = True) -> bytes:
        """The bytes of it; only their number is said of a body that is not sent."""
        body = (self.body or f"{HTTPStatus(self.status).phrase}\n").encode()
        head = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(body)}",
            "Connection: close",
            "Cache-Control: no-store",
            f"Content-Security-Policy: {POLICY}",
            "X-Content-Type-Options: nosniff",
            "Referrer-Policy: no-referrer",
            "Cross-Origin-Resource-Policy: same-origin",
            *self.more,
        ]
        return "\r\n".join([*head, "", ""]).encode("latin-1") + (body if with_body else b"")


class Request(NamedTuple):
    """What was asked."""

    method: str
    path: str
    host: str
    authorization: str | None


class _Refuse(Exception):
    """A request that is answered with this status."""

    def __init__(self, status: int, *more: str) -> None:
        super().__init__(status)
        self.answer = Answer(status, more=more)


def request_of(head: bytes) -> Request:
    """The request in a header, which ends with an empty line; raises `_Refuse` for what is none."""
    first, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    asked = _REQUEST.fullmatch(first)
    if asked is None or len(lines) > MAX_FIELDS:
        raise _Refuse(400 if asked is None else 431)
    fields: dict[str, list[str]] = {}
    for line in lines:
        found = _FIELD.fullmatch(line)
        if found is None:
            raise _Refuse(400)
        fields.setdefault(found[1].decode("ascii").lower(), []).append(found[2].decode("latin-1").strip())
    hosts, keys = fields.get("host", []), fields.get("authorization", [])
    if len(hosts) != 1 or len(keys) > 1:
        raise _Refuse(400)
    if "transfer-encoding" in fields or fields.get("content-length", ["0"]) != ["0"]:
        raise _Refuse(413)
    path = asked[2].decode("ascii").partition("?")[0]
    return Request(asked[1].decode("ascii"), path, hosts[0], keys[0] if keys else None)


class StatusServer:
    """Serves the status of a daemon from a thread of its own.

    Parameters
    ----------
    config : where, and for whom
    status : the newest status; it is called in the server's thread, and must not wait for the core

    Raises UsageError for what `Access` refuses, and `start` for an address that cannot be listened on.
    """

    def __init__(self, config: HttpConfig, status: Callable[[], Status]) -> None:
        self._config, self._status = config, status
        self._access = Access(config)
        self._serving: asyncio.Task[None] | None = None
        self._open: dict[asyncio.Task[None], socket.socket] = {}
        self._thread = threading.Thread(target=self._run, name="status", daemon=True)

    def start(self) -> int:
        """Listen; the port, which is chosen by the system for `port = 0`."""
        host, port = self._config.host, self._config.port
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            self._socket = socket.create_server((host, port), family=family, backlog=256)
        except (OSError, UnicodeError) as error:
            # of a system's error its own words: `create_server` adds the address to them
            number = getattr(error, "errno", None) or 0
            why = os.strerror(number) if number > 0 else error
            raise UsageError(f"http: cannot listen on {host}:{port} ({why}); choose another http.port") from None
        self._socket.setblocking(False)
        self._loop = asyncio.new_event_loop()
        self._thread.start()
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Stop listening, and end all connections."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(lambda: self._serving and self._serving.cancel())
            self._thread.join(5.0)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner, self._socket:
            try:
                runner.run(self._accept())
            except asyncio.CancelledError:
                return

    async def _accept(self) -> None:
        """Take connections for ever; the oldest is closed where there are too many."""
        self._serving = asyncio.current_task()
        while True:
            try:
                connection, _ = await self._loop.sock_accept(self._socket)
            except OSError as error:  # it has gone already, or there are no file descriptors left
                _LOG.warning("status server: %s", error)
                await self._close_oldest(0)
                await asyncio.sleep(0.05)
                continue
            await self._close_oldest(MAX_CONNECTIONS - 1)
            task = self._loop.create_task(self._serve(connection))
            self._open[task] = connection
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._open.pop(task).close()  # here, for a task that is cancelled before it begins runs nothing
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("status server: %r", error, exc_info=error)

    async def _close_oldest(self, kept: int) -> None:
        """Close connections, oldest first, until at most so many are open."""
        for task in list(self._open)[: max(0, len(self._open) - kept)]:
            task.cancel()
            await asyncio.wait([task])

    async def _serve(self, connection: socket.socket) -> None:
        """One connection: one request, one answer."""
        reader = asyncio.StreamReader(limit=HEADER_BYTES)
        protocol = asyncio.StreamReaderProtocol(reader)
        transport: asyncio.Transport | None = None
        try:
            async with asyncio.timeout(HEADER_S):
                transport, _ = await self._loop.connect_accepted_socket(
                    lambda: protocol, connection, ssl=self._access.tls
                )
                answer, with_body, has_read_all = await self._asked(reader)
            async with asyncio.timeout(ANSWER_S):
                writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
                writer.write(answer.encoded(with_body))
                await writer.drain()
                if not has_read_all:
                    await _linger(reader, writer)
                writer.close()
                await writer.wait_closed()
        except (OSError, TimeoutError, EOFError):  # it has gone, is too slow, or speaks no TLS
            return
        finally:
            if transport is not None:
                transport.abort()

    async def _asked(self, reader: asyncio.StreamReader) -> tuple[Answer, bool, bool]:
        """The answer to what comes, whether with its body, and whether all has been read that was sent."""
        try:
            request = request_of(await reader.readuntil(b"\r\n\r\n"))
        except asyncio.LimitOverrunError:
            return Answer(431), True, False
        except _Refuse as refused:
            return refused.answer, True, False
        return self.answer(request), request.method != "HEAD", True

    def answer(self, request: Request) -> Answer:
        """What is answered to a request."""
        if not self._access.knows_host(request.host):
            return Answer(421, "unknown Host; name it in http.allowed_hosts\n")
        if request.path not in ("/", "/healthz", "/readyz", "/metrics", "/status"):
            return Answer(404)
        if request.method not in ("GET", "HEAD"):
            return Answer(405, more=("Allow: GET, HEAD",))
        if request.path == "/healthz":
            return Answer(200, "ok\n")
        status, limit_s = self._status(), self._config.max_lag_s
        not_ready = why_not_ready(status, limit_s)
        may_read = self._access.admits(request.authorization)
        if request.path == "/readyz":
            reasons = not_ready if may_read else ["not ready"]
            more = ": catching up with the journal" if status.phase == "catching up" and may_read else ""
            return Answer(503, "\n".join(reasons) + "\n") if not_ready else Answer(200, f"ready{more}\n")
        if not may_read:
            return Answer(401, more=('WWW-Authenticate: Bearer, Basic realm="luxwake", charset="UTF-8"',))
        if request.path == "/metrics":
            return Answer(200, metrics_text(status, limit_s), CONTENT_TYPE)
        if request.path == "/status":
            told = {"ready": not not_ready, "not_ready": not_ready, "uptime_s": status.uptime_s}
            body = msgspec.json.encode({**told, **msgspec.to_builtins(status)}).decode()
            return Answer(200, body + "\n", "application/json")
        return Answer(200, page(status, not_ready), "text/html; charset=utf-8")


async def _linger(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Throw away what is still being sent, for a while."""
    if writer.can_write_eof():
        writer.write_eof()
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_S):
            while left > 0 and (data := await reader.read(left)):
                left -= len(data)
    except TimeoutError:
        return
