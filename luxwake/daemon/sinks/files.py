"""Changes to files that grow: JSON lines, and CSV that a spreadsheet may open."""

from __future__ import annotations

import csv
import errno
import fcntl
import io
import json
import os
import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from cargo.safe_text import guarded, safe_text
from geo.errors import OutputError
from luxwake.daemon.sink import Change, NotNow, Sink

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)
"""What file systems say that have none."""
_MARK = re.compile(r"([0-9]{1,20}) ([0-9]{1,20})", re.ASCII)


class _GrowingFile(Sink):
    """Each change exactly once: the mark is the size of the file and its number in the file system (inode).

    A file is marked before anything is written to it. One of another number than the mark's was put there after the
    mark, by hand or by a rotation of which SIGHUP has not told yet: of that only a line that is not whole is cut.
    """

    max_batch = 1000

    def __init__(self, path: str) -> None:
        self.path = path
        self._file = -1

    def start(self, mark: str) -> str:
        """Open the file, and cut off what came after the mark."""
        try:
            self._open()
            told = os.fstat(self._file)
            found = _MARK.fullmatch(mark)
            if found and int(found[2]) == told.st_ino:
                size = min(int(found[1]), told.st_size)
            else:
                size = self._whole_lines(told.st_size)
            if size < told.st_size:
                os.ftruncate(self._file, size)
                os.fsync(self._file)
            return f"{size} {told.st_ino}"
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written ({error.strerror}); see to the folder") from None

    def _open(self) -> None:
        self.close()
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:  # another one would cut off what it has not written itself
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                self.close()
                raise BlockingIOError(errno.EAGAIN, "another sink or process writes to it") from None
        folder = os.open(os.path.dirname(self.path) or ".", os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _whole_lines(self, size: int) -> int:
        """Size up to the last newline."""
        end = size
        while end > 0:
            begin = max(0, end - 65_536)
            newline = os.pread(self._file, end - begin, begin).rfind(b"\n")
            if newline >= 0:
                return begin + newline + 1
            end = begin
        return 0

    def reopen(self, mark: str) -> str:
        """Write to a new file of the same name from now on; where none was put there, to the same."""
        self.close()
        return self.start(mark)

    def send(self, changes: Sequence[Change]) -> str:
        """Write them all, to the disk; where that fails none is there."""
        try:
            if self._file < 0:
                self._open()
            size = os.fstat(self._file).st_size
            data = (self._begin() if size == 0 else b"") + self._encoded(changes)
            try:
                written = 0
                while written < len(data):
                    written += os.write(self._file, memoryview(data)[written:])
                os.fsync(self._file)
            except OSError:
                os.ftruncate(self._file, size)
                raise
            told = os.fstat(self._file)
        except OSError as error:
            raise NotNow(f"{self.path}: {error.strerror}") from None
        return f"{told.st_size} {told.st_ino}"

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _begin(self) -> bytes:
        """What a new file begins with."""
        return b""

    @abstractmethod
    def _encoded(self, changes: Sequence[Change]) -> bytes:
        """The lines of these changes."""


class JsonLines(_GrowingFile):
    """A line of JSON for each change: its `body`."""

    def _encoded(self, changes: Sequence[Change]) -> bytes:
        return "".join(change.body + "\n" for change in changes).encode()


COLUMNS = (
    "seq", "event_id", "revision", "change", "kind", "label", "mmsi", "other", "name", "other_name", "t_start", "t_end",
    "lat", "lon", "score",
)  # fmt: skip
"""Columns of the CSV file: the fields of `Change`, and what the body says of the others; empty where it is unknown."""


class Csv(_GrowingFile):
    """A row for each change; texts are guarded, so that a spreadsheet takes none of them for a formula."""

    def _begin(self) -> bytes:
        return (",".join(COLUMNS) + "\r\n").encode()

    def _encoded(self, changes: Sequence[Change]) -> bytes:
        out = io.StringIO()
        rows = csv.writer(out)
        for change in changes:
            said = json.loads(change.body)
            rows.writerow([_cell(_value(change, said, name)) for name in COLUMNS])
        return out.getvalue().encode("utf-8", "replace")


def _value(change: Change, said: Any, name: str) -> Any:
    if name == "other":
        return change.other or None
    if name in Change._fields:
        return getattr(change, name)
    return said.get(name) if isinstance(said, dict) else None


def _cell(value: Any) -> str:
    """A cell: numbers as they are, texts guarded, nothing for what is not known."""
    if value is None or value != value:
        return ""
    return str(value) if isinstance(value, int | float) else guarded(safe_text(value))
