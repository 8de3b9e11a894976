"""Senders that call us: many connections, each with its own lines."""

from __future__ import annotations

import selectors
import socket
import time
from typing import NamedTuple

from luxwake.daemon.config import TcpServerSource
from luxwake.daemon.intake import Intake
from luxwake.daemon.sources.connection import BUFFER_BYTES, GATHER_S, LOOK_S, Connecting, keep_alive
from luxwake.daemon.sources.lines import LINE_TOO_LONG, Lines
from luxwake.daemon.sources.tcp import received

MOST_LINES_BYTES = 1 << 20
"""How much of all connections is put as one chunk."""

CALLERS_A_ROUND = 256
"""A flood of calls does not keep those from being heard who have called."""


class _Caller:
    """One connection."""

    def __init__(self) -> None:
        self.lines = Lines()
        self.heard_at = time.monotonic()


class Connections(NamedTuple):
    """How many there were."""

    open: int
    accepted: int
    refused: int
    idle: int
    """Closed as nothing came from them."""


class TcpServer(Connecting):
    """Listens; only whole lines are put, so that the lines of two senders are never mixed.

    A line over 4 KiB is cut there, and what is cut off is counted as dropped. What a connection leaves without a line
    end is put as a line.
    """

    def __init__(self, config: TcpServerSource, intake: Intake) -> None:
        super().__init__(config.name, intake, config.watchdog_s)
        self._config = config
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        self._callers: dict[socket.socket, _Caller] = {}
        self._refused = self._idle = 0
        self.port = config.port
        """Where it listens: the port that the system chose, where the configuration says 0."""

    @property
    def callers(self) -> Connections:
        """Connections so far."""
        return Connections(len(self._callers), self.connections, self._refused, self._idle)

    def hear(self) -> None:
        """Listen until `stop`."""
        family = socket.AF_INET6 if ":" in self._config.host else socket.AF_INET
        with (
            socket.create_server((self._config.host, self._config.port), family=family, backlog=1024) as listener,
            selectors.DefaultSelector() as selector,
        ):
            listener.setblocking(False)
            selector.register(listener, selectors.EVENT_READ)
            self.port = listener.getsockname()[1]
            self.connected = True
            try:
                while not self.stop.is_set():
                    self._round(listener, selector)
            finally:
                self._put([self._closed(sock, selector) for sock in list(self._callers)])

    def _round(self, listener: socket.socket, selector: selectors.BaseSelector) -> None:
        """Take what has come from all."""
        parts: list[bytes] = []
        size = 0
        ready = selector.select(LOOK_S)
        now = time.monotonic()
        for key, _ in ready:
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            if sock is listener:
                self._accept(listener, selector)
                continue
            self._callers[sock].heard_at = now  # even where its turn has not come, as after a full queue
            if size < MOST_LINES_BYTES:
                parts.append(self._heard(sock, selector))
                size += len(parts[-1])
        idle_before = now - self._config.idle_s
        for sock in [sock for sock, caller in self._callers.items() if caller.heard_at < idle_before]:
            self._idle += 1
            parts.append(self._closed(sock, selector))
        self._put(parts)
        self.state = f"listens on {self._config.host}:{self.port}, {len(self._callers)} connections" + (
            f", {self._refused} refused over max_connections" if self._refused else ""
        )
        if size < MOST_LINES_BYTES:
            time.sleep(GATHER_S)

    def _accept(self, listener: socket.socket, selector: selectors.BaseSelector) -> None:
        """Take those who call, and hang up on those who are too many."""
        for _ in range(CALLERS_A_ROUND):
            try:
                sock, _ = listener.accept()
            except OSError:  # nobody else, or one who has gone again
                return
            if len(self._callers) >= self._config.max_connections:
                self._refused += 1
                sock.close()
                continue
            sock.setblocking(False)
            keep_alive(sock)
            self._callers[sock] = _Caller()
            selector.register(sock, selectors.EVENT_READ)
            self.connections += 1

    def _heard(self, sock: socket.socket, selector: selectors.BaseSelector) -> bytes:
        """The whole lines that a connection has brought."""
        caller = self._callers[sock]
        try:
            n, ended = received(sock, self._buffer)
        except OSError:
            n, ended = 0, True
        lines = caller.lines.feed(bytes(self._buffer[:n])) if n else b""
        return lines + self._closed(sock, selector) if ended else lines

    def _closed(self, sock: socket.socket, selector: selectors.BaseSelector) -> bytes:
        """Close a connection; the line that it has left."""
        caller = self._callers.pop(sock)
        selector.unregister(sock)
        sock.close()
        rest = caller.lines.end()
        self._count_cut(caller)
        return rest

    def _count_cut(self, caller: _Caller) -> None:
        if caller.lines.cut_bytes:
            self.intake.count_lost(0, caller.lines.cut_bytes, LINE_TOO_LONG)
            caller.lines.cut_bytes = 0

    def _put(self, parts: list[bytes]) -> None:
        """Put the lines of all, and count what was cut off."""
        for caller in self._callers.values():
            self._count_cut(caller)
        if lines := b"".join(parts):
            self.intake.put(lines)
