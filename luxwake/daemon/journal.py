"""The journal: what came in, written down before anything is made of it, so that a kill at any instant loses nothing.

A record is what the core takes up at once: chunks of one or several sources. It stands in a segment file as

    crc32 u32 | length u32 | number u64 | chunks: source u16, t i64, units u32, cursor u16 + bytes, data u32 + bytes

(little endian; the checksum is of all that follows it). A record that is torn, at the end of the last segment, was
never taken up: it is cut off. A damaged one elsewhere is an error that says where.
"""

from __future__ import annotations

import errno
import itertools
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from geo.errors import InputError
from geo.whole_file import remove_unfinished, rewrite, sync
from luxwake.daemon.intake import Chunk

SEGMENT_BYTES = 64 << 20
"""A segment is closed when it is so long."""
MAX_RECORD_BYTES = 1 << 30
_HEAD, _CHUNK, _DATA = struct.Struct("<IIQ"), struct.Struct("<HqIH"), struct.Struct("<I")
_CRC = struct.Struct("<I")
_SUFFIX = ".journal"


class Record(NamedTuple):
    """What the core took up at once."""

    number: int
    chunks: list[Chunk]


class Journal:
    """An append-only log in segments.

    Parameters
    ----------
    folder : where the segments are; made if it is not there
    kept : number of a record that is on the disk for good: where it cannot be read, the journal is damaged, not torn

    Raises InputError for a damaged segment, which is left as it is.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> journal = Journal(folder)
    >>> journal.append([Chunk(0, 1, b"abc", "", 0)]), journal.append([Chunk(0, 2, b"def", "7", 0)])
    (1, 2)
    >>> journal.close()
    >>> [record.chunks[0].data for record in Journal(folder).after(1)]
    [b'def']
    """

    def __init__(self, folder: str | Path, kept: int = 0) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        remove_unfinished(self.folder)
        self.last = 0
        """Number of the last record."""
        self.first = 1
        """Number of the first that is kept."""
        self.n_appended = 0
        """Bytes that were appended since it was opened."""
        self.torn_bytes = 0
        """Cut off at the end when it was opened."""
        self._file = -1
        self._size = 0
        self._is_full = False
        self._is_doubtful = False
        """A sync has failed: the system may have let go of what it could not write, and says so once."""
        self._is_unlisted = False
        """A segment may not be in the folder for good yet."""
        self._open_last(kept)

    @property
    def n_bytes(self) -> int:
        """Of all segments that are kept."""
        return sum(path.stat().st_size for path in self._segments())

    def _segments(self) -> list[Path]:
        return sorted(self.folder.glob("*" + _SUFFIX))

    def _open_last(self, kept: int) -> None:
        """Find the last whole record, and cut off what is torn behind it: after a loss of power all that was not synced
        may be, in any part."""
        segments = self._segments()
        if not segments:
            return
        self.first = _first_of(segments[0])
        path = segments[-1]
        self.last, good = _first_of(path) - 1, 0
        for record, end in _records(path, is_last=True):
            self.last, good = record.number, end
        self.torn_bytes = path.stat().st_size - good
        if self.torn_bytes and self.last < kept:
            raise _damaged(path, good)
        self._file, self._is_unlisted = os.open(path, os.O_WRONLY), True
        os.ftruncate(self._file, good)
        os.lseek(self._file, good, os.SEEK_SET)
        self._size = good

    @staticmethod
    def last_of(folder: str | Path) -> int:
        """Number of the last whole record of a folder, which may be in use; nothing is changed."""
        last = 0
        for path in sorted(Path(folder).glob("*" + _SUFFIX))[-1:]:
            last = _first_of(path) - 1
            for record, _ in _records(path, is_last=True):
                last = record.number
        return last

    def append(self, chunks: Sequence[Chunk]) -> int:
        """Write a record; its number. An OSError (no space) leaves the journal as it was."""
        number = self.last + 1
        parts: list[bytes] = []
        for chunk in chunks:
            cursor = chunk.cursor.encode()
            parts += [_CHUNK.pack(chunk.source, chunk.t, chunk.units, len(cursor)), cursor]
            parts += [_DATA.pack(len(chunk.data)), chunk.data]
        length = sum(map(len, parts))
        head = _HEAD.pack(0, length, number)[_CRC.size :]
        crc = zlib.crc32(head)
        for part in parts:
            crc = zlib.crc32(part, crc)
        if self._file < 0 or self._is_full or self._size >= SEGMENT_BYTES:
            self._next_segment(number)
        data = b"".join([_CRC.pack(crc), head, *parts])
        try:
            written = 0
            while written < len(data):
                written += os.write(self._file, data[written:] if written else data)
        except OSError:
            os.ftruncate(self._file, self._size)
            os.lseek(self._file, self._size, os.SEEK_SET)
            raise
        self._size += len(data)
        self.n_appended += len(data)
        self.last = number
        return number

    def _next_segment(self, number: int) -> None:
        self.sync()
        file = os.open(self.folder / f"{number:020d}{_SUFFIX}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        if self._file >= 0:
            os.close(self._file)
        self._file, self._size, self._is_full, self._is_unlisted = file, 0, False, True
        self._list()

    def _list(self) -> None:
        """A segment that was begun is found after a loss of power."""
        if self._is_unlisted:
            sync(self.folder)
            self._is_unlisted = False

    def rotate(self) -> None:
        """Begin a new segment with the next record, so that this one can be let go of."""
        self._is_full = self._size > 0

    def sync(self) -> None:
        """What was appended survives the loss of power from here on.

        After an error of the disk the segment is written anew, from what the system still has of it: a second sync of
        the same file would succeed whatever became of it (Rebello et al., USENIX ATC 2020).
        """
        if self._file < 0:
            return
        self._list()
        try:
            if self._is_doubtful:
                self._write_anew()
            os.fdatasync(self._file)
        except OSError:
            self._is_doubtful = True
            raise
        self._is_doubtful = False

    def _write_anew(self) -> None:
        path = self._segments()[-1]
        if max((end for _, end in _records(path, is_last=True)), default=0) != self._size:
            raise OSError(errno.EIO, "records that were written have been lost by the disk")
        rewrite(path, self._size)
        os.close(self._file)
        self._file = os.open(path, os.O_WRONLY)
        os.lseek(self._file, self._size, os.SEEK_SET)
        sync(self.folder)

    def after(self, number: int) -> Iterator[Record]:
        """The records after this one, in their order.

        Raises InputError where one of them is missing or damaged.
        """
        segments = self._segments()
        expected = number + 1
        if segments and _first_of(segments[0]) > expected:
            raise InputError(f"{self.folder}: record {expected} of the journal is missing; start with an empty folder")
        for k, path in enumerate(segments):
            if k + 1 < len(segments) and _first_of(segments[k + 1]) <= expected:
                continue
            for record, _ in _records(path, is_last=k + 1 == len(segments)):
                if record.number < expected:
                    continue
                if record.number != expected:
                    raise InputError(f"{path}: record {expected} is missing; start with an empty folder")
                yield record
                expected += 1

    def forget(self, number: int) -> None:
        """Remove the segments that hold nothing after this record."""
        segments = self._segments()
        for path, following in itertools.pairwise(segments):
            if _first_of(following) <= number + 1:
                path.unlink()
                self.first = _first_of(following)

    def close(self) -> None:
        """Write all to the disk and close."""
        if self._file >= 0:
            self.sync()
            os.close(self._file)
            self._file = -1


def _first_of(path: Path) -> int:
    try:
        return int(path.stem)
    except ValueError:
        raise InputError(f"{path}: is no segment of a journal; move it elsewhere") from None


def _damaged(path: Path, begin: int) -> InputError:
    return InputError(f"{path}: damaged at byte {begin:,}; what follows it cannot be used")


def _records(path: Path, is_last: bool) -> Iterator[tuple[Record, int]]:
    """The records of a segment, each with the place behind it; the last segment may end with a torn one."""
    size = path.stat().st_size
    with path.open("rb") as file:
        while True:
            begin = file.tell()
            head = file.read(_HEAD.size)
            if not head:
                return
            whole = len(head) == _HEAD.size
            crc, length, number = _HEAD.unpack(head) if whole else (0, 0, 0)
            body = file.read(length) if whole and length <= min(size - begin, MAX_RECORD_BYTES) else b""
            if not whole or len(body) != length or zlib.crc32(body, zlib.crc32(head[_CRC.size :])) != crc:
                if is_last:
                    return
                raise _damaged(path, begin)
            yield Record(number, _chunks(body)), file.tell()


def _chunks(body: bytes) -> list[Chunk]:
    chunks, at = [], 0
    while at < len(body):
        source, t, units, n = _CHUNK.unpack_from(body, at)
        at += _CHUNK.size
        cursor = body[at : at + n].decode()
        (size,) = _DATA.unpack_from(body, at + n)
        at += n + _DATA.size
        chunks.append(Chunk(source, t, body[at : at + size], cursor, units))
        at += size
    return chunks
