"""A file that grows, through rotation and truncation, and from where it was left."""

from __future__ import annotations

import logging
import os
import re
import time
import zlib
from pathlib import Path
from typing import NamedTuple

from luxwake.daemon.config import TailSource
from luxwake.daemon.intake import Intake
from luxwake.daemon.source import Pauses, Source

_log = logging.getLogger(__name__)

READ_BYTES = 1 << 16
"""What is read at once is taken up at once, and gone through again at once after a kill."""
LOOKS = 3
"""Times that a file is looked for before it is taken as gone."""
CHECKED_BYTES = 64
"""So many bytes before the place where a file was left tell whether it is still the same file."""


class Place(NamedTuple):
    """Where a file was left.

    >>> str(Place.of("17:4096:0badcafe")), Place.of("nonsense")
    ('17:4096:0badcafe', None)
    """

    inode: int
    offset: int
    check: int
    """CRC-32 of up to `CHECKED_BYTES` bytes before it."""

    def __str__(self) -> str:
        return f"{self.inode}:{self.offset}:{self.check:08x}"

    @classmethod
    def of(cls, cursor: str) -> Place | None:
        """The place that a cursor says; None for one that is none."""
        found = re.fullmatch(r"(\d{1,20}):(\d{1,19}):([0-9a-f]{8})", cursor)
        return cls(int(found[1]), int(found[2]), int(found[3], 16)) if found else None


class FileTail(Source):
    """Reads a file and waits for more.

    Where another file stands at the path, the old one is read to its end, then those that were rotated away in
    between, then the new one. Where the file was cut and its beginning was copied (logrotate's `copytruncate`), the
    rest is read from the copy. A file is known by its inode and the bytes before the place, since inodes are used
    again. Files that were packed in the meantime are not looked for.
    """

    can_resume = True

    def __init__(self, config: TailSource, intake: Intake) -> None:
        super().__init__(config.name, intake)
        self._config = config
        self._path = Path(config.path)
        self._buffer = memoryview(bytearray(READ_BYTES))
        self._fd = -1
        self._is_live = False
        self._offset = 0
        self._before = b""
        self._joint = b""
        self._done: set[int] = set()
        self._cursor = ""

    def run(self, cursor: str) -> None:
        """Read until `stop`."""
        self._cursor = cursor
        pauses = Pauses()
        while not self.stop.is_set():
            before = self._cursor
            try:
                self._follow()
            except OSError as error:  # of a disk or a network's file system
                if self._cursor != before:
                    pauses.reset()
                wait_s = pauses.next_s()
                self.state = f"waits {wait_s:.1f} s: {self._path}: {error.strerror}"
                _log.warning("%s: %s: %s", self.name, self._path, error.strerror, extra={"source": self.name})
                self.stop.wait(wait_s)
            finally:
                if self._fd >= 0:
                    os.close(self._fd)
                    self._fd = -1
                self.connected = False
        self.state = "stopped"

    def _follow(self) -> None:
        """Read from the cursor on."""
        if (place := Place.of(self._cursor)) is None or not self._resume(place):
            if self._cursor:
                _log.warning("%s: the file that was read is gone", self.name, extra={"source": self.name})
                self._join()
            self._begin(from_end=not self._cursor and self._config.start == "end")
        while not self.stop.is_set() and self._fd >= 0:
            if not self._read() and not self._go_on():
                self.stop.wait(self._config.poll_s)

    def _resume(self, place: Place) -> bool:
        """Open the file in which `place` is; False where there is none any more.

        A file that is renamed between a look at its path and one at the rotated ones is in neither: they are looked at
        again.
        """
        return any(self._resume_at_once(place) for _ in range(LOOKS))

    def _resume_at_once(self, place: Place) -> bool:
        files = [self._path, *rotated(self._path)]
        found = [path for path in files if _holds(path, place, same_inode=True)]
        found += [path for path in files[1:] if _holds(path, place, same_inode=False)]
        return bool(found) and self._open(found[0], place.offset)

    def _begin(self, from_end: bool) -> None:
        """Open the file at the path as soon as there is one; an empty chunk keeps the place where it was begun."""
        while not self.stop.is_set() and not self._open(self._path, -1 if from_end else 0):
            from_end = False  # of a file that comes later all is new
            self.stop.wait(self._config.poll_s)
        if self._fd >= 0:
            self._put(b"")

    def _place(self) -> Place:
        return Place(os.fstat(self._fd).st_ino, self._offset, zlib.crc32(self._before))

    def _open(self, path: Path, offset: int) -> bool:
        """Read on in this file; -1 is its end. False where it cannot be opened."""
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        except OSError as error:
            self.state = f"waits for {path}: {error.strerror}"
            return False
        if self._fd >= 0:
            os.close(self._fd)
        self._fd, self._is_live = fd, path == self._path
        self._offset = os.fstat(fd).st_size if offset < 0 else offset
        self._before = _before(fd, self._offset)
        self.connected = True
        self.connections += 1
        self.state = f"reads {path}"
        _log.info("%s: %s from byte %d", self.name, self.state, self._offset, extra={"source": self.name})
        return True

    def _read(self) -> bool:
        """Put the next bytes of the file; False at its end."""
        n = os.preadv(self._fd, [self._buffer], self._offset)
        if not n or not self._same():
            return False
        data = bytes(self._buffer[:n])
        self._offset += n
        self._before = (self._before + data)[-CHECKED_BYTES:]
        joint, self._joint = self._joint, b""
        self._put(joint + data)
        return True

    def _put(self, data: bytes) -> None:
        """Put what was read up to this place."""
        cursor = str(self._place())
        if self.intake.put(data, cursor):
            self._cursor = cursor
        else:  # it takes nothing any more
            self.stop.set()

    def _same(self) -> bool:
        """Whether the bytes before the place are still those that were read."""
        return _before(self._fd, self._offset) == self._before

    def _go_on(self) -> bool:
        """At the end of a file: go on to the next, where this one is finished. False where it is to be waited for."""
        if self._is_live and not self._same():
            return self._truncated()
        if not self._is_live and self._later():
            return self._next()
        try:
            now = os.stat(self._path)
        except OSError:
            return False
        here = os.fstat(self._fd)
        if now.st_ino == here.st_ino and now.st_dev == here.st_dev:
            return False
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < self._config.linger_s and not self.stop.is_set():
            if self._read():  # a writer that has not been told yet
                quiet_since = time.monotonic()
            self.stop.wait(min(self._config.poll_s, self._config.linger_s / 4))
        return self._next() if not self.stop.is_set() else True

    def _truncated(self) -> bool:
        """The file has been cut: finish its copy, where there is one, then begin it anew."""
        left = self._place()
        copies = [path for path in rotated(self._path) if _holds(path, left, same_inode=False)]
        if copies and self._open(copies[-1], self._offset):
            return True
        self._join()
        self._offset, self._before = 0, b""
        self.state = f"reads {self._path}, which was truncated"
        _log.info("%s: %s", self.name, self.state, extra={"source": self.name})
        return True

    def _later(self) -> list[Path]:
        """The files that were rotated away after this one, the oldest first."""
        here = os.fstat(self._fd)
        files = [(path, seen) for path in rotated(self._path) if (seen := _stat(path)) is not None]
        self._done = (self._done & {seen.st_ino for _, seen in files}) | {here.st_ino}
        return [path for path, seen in files if seen.st_mtime_ns >= here.st_mtime_ns and seen.st_ino not in self._done]

    def _next(self) -> bool:
        """Go on to the file that follows this one."""
        if any(self._open(path, 0) for path in [*self._later(), self._path]):
            self._join()
            return True
        return False

    def _join(self) -> None:
        """The last line of a file is not glued to the first of the next."""
        self._joint = b"\n"


def rotated(path: Path) -> list[Path]:
    """The files beside this one whose names say that they were rotated away from it, the oldest first.

    That is `a.log.1`, `a.log.2026-11-27`, `a.log-20261127`, `a-20261127.log`, `a.log.old` and the like.
    """
    name, stem, suffix = (re.escape(part) for part in (path.name, path.stem, path.suffix))
    number = r"[._-]\d[\dTZ:._-]*"
    pattern = re.compile(rf"{name}({number}|\.old|\.bak|~)|{stem}{number}{suffix}")
    found = []
    try:
        names = os.listdir(path.parent)
    except OSError:
        return []
    for other in names:
        if other != path.name and pattern.fullmatch(other) and (seen := _stat(path.parent / other)) is not None:
            numbers = re.findall(r"\d+", other)
            found.append((seen.st_mtime_ns, -int(numbers[-1]) if numbers else 0, other))
    return [path.parent / other for _, _, other in sorted(found)]


def _stat(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _before(fd: int, offset: int) -> bytes:
    """The bytes before a place of a file, as many as are checked."""
    start = max(0, offset - CHECKED_BYTES)
    return os.pread(fd, offset - start, start)


def _holds(path: Path, place: Place, same_inode: bool) -> bool:
    """Whether a file is the one in which `place` is."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        seen = os.fstat(fd)
        if seen.st_size < place.offset or (seen.st_ino != place.inode if same_inode else not place.offset):
            return False
        return zlib.crc32(_before(fd, place.offset)) == place.check
    finally:
        os.close(fd)
