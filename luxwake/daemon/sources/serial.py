"""A serial device or a named pipe."""

from __future__ import annotations

import contextlib
import os
import select
import stat
import termios
import time
from collections.abc import Iterator

from geo.errors import UsageError
from luxwake.daemon.config import SerialSource
from luxwake.daemon.intake import Intake
from luxwake.daemon.sources.connection import GATHER_S, Connecting, Lost, readable
from luxwake.daemon.sources.lines import LINE_TOO_LONG, Lines

BUFFER_BYTES = 64 << 10


class SerialLine(Connecting):
    """Reads a device at a speed, without parity, one stop bit; of a pipe, one writer after the other.

    A device cannot be made to wait, so its oldest lines are dropped while the queue is full; a pipe's writers wait.
    """

    def __init__(self, config: SerialSource, intake: Intake) -> None:
        super().__init__(config.name, intake, config.watchdog_s)
        self._path, self._baud = config.path, config.baud
        if not hasattr(termios, f"B{config.baud}"):
            speeds = sorted(int(name[1:]) for name in dir(termios) if name[0] == "B" and name[1:].isdecimal())
            raise UsageError(
                f"source {config.name!r}: baud is {config.baud}; a device knows {', '.join(map(str, speeds[1:]))}"
            )
        self._buffer = memoryview(bytearray(BUFFER_BYTES))

    def hear(self) -> None:
        """Read from one opening to the next."""
        lines = Lines()
        try:
            with self._opened() as fd:
                if os.isatty(fd):
                    set_raw(fd, self._baud)
                    self.note_connected(f"connected to {self._path}, {self._baud} baud")
                    self._read_device(fd, lines)
                elif is_pipe(fd):
                    self.note_connected(f"connected to {self._path}")
                    self._read_pipe(fd, lines)
                else:
                    raise Lost(f'{self._path} is no device and no pipe; for a file take type = "tail"')
        finally:
            self._put(lines.end(), lines, wait=False)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[int]:
        fd = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            yield fd
        finally:
            os.close(fd)

    def _read_device(self, fd: int, lines: Lines) -> None:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        while not self.stop.is_set():
            self.watch()
            if not readable(poll):
                continue
            n = os.readv(fd, [self._buffer])
            if not n:
                raise Lost("the device is gone")
            self._put(lines.feed(bytes(self._buffer[:n])), lines, wait=False)
            time.sleep(GATHER_S)

    def _read_pipe(self, fd: int, lines: Lines) -> None:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        while not self.stop.is_set():
            if not readable(poll):
                continue
            try:
                n = os.readv(fd, [self._buffer])
            except BlockingIOError:
                continue
            if n:
                self._put(lines.feed(bytes(self._buffer[:n])), lines, wait=True)
                continue
            self._put(lines.end(), lines, wait=True)
            # All writers have gone. Only a descriptor that is opened now waits for the next; what it brings is kept
            # by the pipe, as one of the two is open at any time.
            with self._opened() as following:
                if not is_pipe(following):
                    raise Lost(f"another file stands at {self._path}")
                os.dup2(following, fd, inheritable=False)

    def _put(self, whole: bytes, lines: Lines, wait: bool) -> None:
        """Put whole lines, and count what was cut off long ones."""
        if whole and wait:
            self.intake.put(whole)
        elif whole:
            self.intake.offer(whole)
        if lines.cut_bytes:
            self.intake.count_lost(0, lines.cut_bytes, LINE_TOO_LONG)
            lines.cut_bytes = 0


def is_pipe(fd: int) -> bool:
    """Whether this is a pipe."""
    return stat.S_ISFIFO(os.fstat(fd).st_mode)


def set_raw(fd: int, baud: int) -> None:
    """Eight bits, no parity, no flow control, no translation."""
    speed = getattr(termios, f"B{baud}")
    control = termios.CS8 | termios.CREAD | termios.CLOCAL
    characters = termios.tcgetattr(fd)[6]
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    termios.tcsetattr(fd, termios.TCSANOW, [0, 0, control, 0, speed, speed, characters])
