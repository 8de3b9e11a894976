"""A TCP server that is called: lines come for as long as it likes."""

from __future__ import annotations

import select
import socket
import time

from luxwake.daemon.config import TcpSource
from luxwake.daemon.intake import Intake
from luxwake.daemon.sources.connection import BUFFER_BYTES, GATHER_S, LOOK_S, Connecting, Lost, connect, readable


class TcpClient(Connecting):
    """Calls a server; its bytes are put as they come.

    Each connection begins with a line end, so that the rest of a line that the one before has left is not glued to it.
    A queue that is full makes the server wait.
    """

    def __init__(self, config: TcpSource, intake: Intake) -> None:
        super().__init__(config.name, intake, config.watchdog_s)
        self._host, self._port = config.host, config.port
        self._login = config.login.encode()
        self._buffer = memoryview(bytearray(BUFFER_BYTES))

    def hear(self) -> None:
        """One connection."""
        with connect(self._host, self._port, self.stop) as sock:
            if self._login:
                send(sock, self._login + b"\r\n")
            self.note_connected(f"connected to {self._host}:{self._port}")
            poll = select.poll()
            poll.register(sock, select.POLLIN)
            self._buffer[:1] = b"\n"
            n = 1
            while not self.stop.is_set():
                self.watch()
                if not readable(poll):
                    continue
                n, ended = received(sock, self._buffer, n)
                if n and not self.intake.put(bytes(self._buffer[:n])):
                    return
                if ended:
                    raise Lost("the other side has closed the connection")
                if n < BUFFER_BYTES:
                    time.sleep(GATHER_S)
                n = 0


def received(sock: socket.socket, buffer: memoryview, n: int = 0) -> tuple[int, bool]:
    """Receive after the first `n` bytes what there is: (bytes in the buffer, whether the stream has ended)."""
    while n < len(buffer):
        try:
            got = sock.recv_into(buffer[n:])
        except BlockingIOError:
            break
        except OSError:
            if n:  # what came before is not lost; the next call meets the error again, or the end
                return n, True
            raise
        if not got:
            return n, True
        n += got
    return n, False


def send(sock: socket.socket, data: bytes) -> None:
    """Send a few bytes by a socket that does not block."""
    sock.settimeout(LOOK_S)
    sock.sendall(data)
    sock.setblocking(False)
