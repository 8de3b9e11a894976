"""Standard input, until it ends."""

from __future__ import annotations

import os
import select

from geo.errors import InputError
from luxwake.daemon.config import StdinSource
from luxwake.daemon.intake import Intake
from luxwake.daemon.source import Source
from luxwake.daemon.sources.connection import BUFFER_BYTES, readable


class StandardInput(Source):
    """Reads a file descriptor, 0 where none is given; a last line without a line end is ended.

    It begins with a line end, so that the rest of a line that a kill has left is not glued to it.
    """

    def __init__(self, config: StdinSource, intake: Intake, fd: int = 0) -> None:
        super().__init__(config.name, intake)
        self._fd = fd

    def run(self, cursor: str) -> None:
        """Read until the end."""
        buffer = memoryview(bytearray(BUFFER_BYTES))
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        self.state, self.connected, self.connections = "reads", True, 1
        joint, ended = b"\n", True
        while not self.stop.is_set():
            if not readable(poll):
                continue
            try:
                n = os.readv(self._fd, [buffer])
            except OSError as error:
                raise InputError(f"source {self.name!r}: standard input cannot be read ({error.strerror})") from None
            if not n:
                if not ended:
                    self.intake.put(b"\n")
                self.state, self.connected = "ended", False
                return
            ended = buffer[n - 1] == 10
            if not self.intake.put(joint + bytes(buffer[:n])):
                break
            joint = b""
        self.state = "stopped"
