"""Messages by WebSocket, as aisstream.io sends them."""

from __future__ import annotations

from typing import Any

from luxwake.daemon.config import WebSocketSource
from luxwake.daemon.intake import Intake
from luxwake.daemon.sources.connection import CONNECT_S, LOOK_S, Connecting, Lost, connect
from luxwake.daemon.sources.messages import GATHERED_BYTES, as_lines, url_of

LARGEST_MESSAGE = 1 << 20


class WebSocketMessages(Connecting):
    """Connects, subscribes, and puts messages as lines. A queue that is full makes the server wait."""

    def __init__(self, config: WebSocketSource, intake: Intake) -> None:
        super().__init__(config.name, intake, config.watchdog_s)
        url = url_of(config.url, config.name, ("ws", "wss"))
        self._url, self._host = url.geturl(), url.hostname or ""
        self._port = url.port or (443 if url.scheme == "wss" else 80)
        self._subscribe = config.subscribe
        self._is_json = config.format == "json"

    def hear(self) -> None:
        """One connection."""
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect as connect_websocket

        sock = connect(self._host, self._port, self.stop)
        sock.settimeout(CONNECT_S)
        with sock, self.guarded(sock):
            try:
                with connect_websocket(
                    self._url, sock=sock, proxy=None, close_timeout=LOOK_S, max_size=LARGEST_MESSAGE,
                    ping_timeout=None,  # while the queue is full no answer is read; the watchdog sees to it
                ) as connection:  # fmt: skip
                    if self._subscribe:
                        connection.send(self._subscribe)
                    self.note_connected(f"connected to {self._host}:{self._port}")
                    self._receive(connection.recv)
            except WebSocketException as error:
                raise Lost(str(error)) from None

    def _receive(self, receive: Any) -> None:
        from websockets.exceptions import ConnectionClosed

        while not self.stop.is_set():
            lines: list[bytes] = []
            size = 0
            try:
                while size < GATHERED_BYTES:
                    message = receive(timeout=0 if lines else LOOK_S)
                    message = message.encode() if isinstance(message, str) else message
                    lines.append(as_lines(message, self._is_json))
                    size += len(lines[-1])
            except TimeoutError:
                pass
            except ConnectionClosed:
                if not lines:  # what came before is not lost; the next call meets the end again
                    raise
            if lines and not self.intake.put(b"".join(lines), units=len(lines)):
                return
