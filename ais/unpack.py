"""Opening a source: plain, gzip, bzip2, zstd or in a zip archive, told by its first bytes and never by its name.

A zip archive is a folder: its members are sources of their own, and `day.zip/north/a.csv` is one. Where there is only
one, the archive's own path stands for it.

A packed stream is unpacked in pieces, so memory is bounded whatever it unpacks to. Several streams one after the
other are one source. A stream that is damaged or ends early is an error: a part must not pass for the whole.
"""

from __future__ import annotations

import bz2
import io
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from geo.errors import InputError

HEAD_BYTES = 64 << 10
"""How much of a source is looked at to tell its format."""

_BLOCK = 256 << 10
# zstandard has no limit for the output of one call, and 4 bytes of a stream may stand for 128 KiB (RFC 8878,
# 3.1.1.2.3), so 4 KiB at a time bound the memory to 128 MiB.
_ZSTD_BLOCK = 4 << 10

_PACKINGS = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd"}
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18", re.DOTALL)  # a zstd stream may begin with such a frame
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # the second is that of an empty archive
_UNPACK = {"gzip": "gzip -dc", "bzip2": "bzip2 -dc", "zstd": "zstd -dc", "zip": "unzip -p"}
_DAMAGE = ("zlib", "zipfile", "zstd", "zstandard", "zstandard.backend_c", "_lzma")


class Reader:
    """The unpacked bytes of one source, read once from front to end.

    `name` is the source as the user wrote it; `packing` is "plain", "gzip", "bzip2", "zstd", or "zip" for a member of
    an archive that is not packed once more.
    """

    def __init__(self, name: str, raw: IO[bytes], close: bool = True, archived: bool = False) -> None:
        self.name = name
        self._raw = raw
        self._close = close
        self._ahead = memoryview(b"")  # unpacked, not yet taken
        self._unpacked_bytes = 0
        magic = _read_fully(raw, 4)
        self.packing = next((packing for sign, packing in _PACKINGS.items() if magic.startswith(sign)), "plain")
        if self.packing == "plain" and _SKIPPABLE.match(magic):
            self.packing = "zstd"
        if magic in _ZIP:
            where = "inside a zip archive" if archived else "from a pipe"
            raise InputError(f"{name}: a zip archive cannot be read {where}; save or unpack it first")
        unpack = {"gzip": _gzip, "bzip2": _bzip2, "zstd": _zstd, "plain": _plain}[self.packing]
        self._is_plain = self.packing == "plain" and isinstance(raw, io.FileIO | io.BufferedReader)
        if self._is_plain:
            self._ahead, magic = memoryview(magic), b""
        self._blocks = unpack(magic, raw)
        if archived and self.packing == "plain":
            self.packing = "zip"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file (standard input stays open)."""
        if self._close:
            self._raw.close()

    def head(self, size: int = HEAD_BYTES) -> bytes:
        """The next `size` bytes, or all that there are, without taking them.

        A damaged stream shows here what stands before the damage; `readinto` raises when it comes there.
        """
        text = bytes(self._ahead)
        try:
            while len(text) < size and (block := self._next_block()):
                text += block
        except InputError as error:
            if not text:
                raise
            self._blocks = _failing(error)
        self._ahead = memoryview(text)
        return text[:size]

    def readinto(self, view: memoryview) -> int:
        """Fill `view` as far as the source reaches; less than its length only at the end.

        Raises
        ------
        InputError
            If a packed stream is damaged or ends early.
        """
        n = 0
        while n < len(view):
            if not self._ahead and self._is_plain:
                got = self._read_plain(view[n:])
                if not got:
                    break
                n += got
                continue
            block = self._ahead or memoryview(self._next_block())
            if not block:
                break
            part = block[: len(view) - n]
            view[n : n + len(part)] = part
            self._ahead = block[len(part) :]
            n += len(part)
        return n

    def _read_plain(self, view: memoryview) -> int:
        """Bytes straight from the file, 0 at its end: no block in between (5 instead of 27 ns a sentence of NMEA)."""
        try:
            got: int = self._raw.readinto(view) or 0  # type: ignore[attr-defined]
        except OSError as error:
            raise InputError(f"{self.name}: cannot be read ({error.strerror or error}); try again") from None
        self._unpacked_bytes += got
        return got

    def _next_block(self) -> bytes:
        """The next unpacked bytes, empty at the end."""
        try:
            block = next(self._blocks, b"")
            self._unpacked_bytes += len(block)
            return block
        except InputError:
            raise
        except EOFError:
            state = "ends early"
        except OSError as error:
            if self.packing == "plain":
                raise InputError(f"{self.name}: cannot be read ({error.strerror or error}); try again") from None
            state = "is damaged"  # bz2 says so by OSError
        except Exception as error:  # zlib.error and zstandard.ZstdError share no other base
            if type(error).__module__ not in _DAMAGE:
                raise
            state = "is damaged"
        raise InputError(
            f"{self.name}: {self.packing} stream {state} after {self._unpacked_bytes:,} bytes of text; "
            f"download it again, or save what is there with `{_UNPACK[self.packing]}` and read that"
        )


def _failing(error: InputError) -> Iterator[bytes]:
    """An iterator that raises what was found while looking ahead."""
    raise error
    yield b""  # makes this a generator


def _read_fully(raw: IO[bytes], size: int) -> bytes:
    """`size` bytes, or all up to the end: a pipe may hand out less than asked for."""
    data = raw.read(size)
    while len(data) < size and (more := raw.read(size - len(data))):
        data += more
    return data


def _plain(packed: bytes, raw: IO[bytes]) -> Iterator[bytes]:
    if packed:
        yield packed
    while block := raw.read(_BLOCK):
        yield block


def _gzip(packed: bytes, raw: IO[bytes]) -> Iterator[bytes]:
    while packed := packed or raw.read(_BLOCK):
        frame = zlib.decompressobj(wbits=31)
        while not frame.eof:
            text = frame.decompress(packed, _BLOCK)
            packed = frame.unconsumed_tail
            if text:
                yield text
            elif not frame.eof and not packed and not (packed := raw.read(_BLOCK)):
                raise EOFError
        packed = frame.unused_data.lstrip(b"\0")  # tapes and some servers pad a stream with zeros


def _bzip2(packed: bytes, raw: IO[bytes]) -> Iterator[bytes]:
    while packed := packed or raw.read(_BLOCK):
        frame = bz2.BZ2Decompressor()
        while not frame.eof:
            if frame.needs_input and not packed and not (packed := raw.read(_BLOCK)):
                raise EOFError
            text = frame.decompress(packed, _BLOCK)
            packed = b""
            if text:
                yield text
        packed = frame.unused_data


def _zstd(packed: bytes, raw: IO[bytes]) -> Iterator[bytes]:
    import zstandard

    while packed := packed or raw.read(_ZSTD_BLOCK):
        frame = zstandard.ZstdDecompressor().decompressobj()
        while not frame.eof:
            if not packed and not (packed := raw.read(_ZSTD_BLOCK)):
                raise EOFError
            text = frame.decompress(packed)
            packed = b""
            if text:
                yield text
        packed = frame.unused_data


def open_bytes(path: str | Path) -> Reader:
    """Open a source for reading, unpacked; `-` is standard input.

    Parameters
    ----------
    path : a file, packed or not, or a member of a zip archive (`day.zip/a.csv`). Several packed streams one after the
        other are read as one.

    Raises
    ------
    InputError
        If the file does not exist or cannot be opened, is an archive of several files, or is encrypted.

    Examples
    --------
    >>> with open_bytes(__file__) as reader:
    ...     reader.packing, reader.head(10)[3:]
    ('plain', b'Opening')
    """
    name = str(path)
    if name == "-":
        return Reader("standard input", sys.stdin.buffer, close=False)
    if inside := in_archive(path):
        return _open_member(*inside)
    try:
        raw = open(path, "rb", buffering=0)  # noqa: SIM115 (the Reader closes it)
        try:
            if is_archive(path):
                raw.close()
                return _open_member(Path(path), "")
            return Reader(name, raw)
        except OSError:
            raw.close()
            raise
    except FileNotFoundError:
        raise InputError(f"{name}: no such file; check the path") from None
    except IsADirectoryError:
        raise InputError(f"{name}: is a folder; expand() gives its files") from None
    except OSError as error:
        raise InputError(f"{name}: cannot be opened ({error.strerror or error}); check its permissions") from None


def is_archive(path: str | Path) -> bool:
    """Whether a file is a zip archive, by its first bytes."""
    if not Path(path).is_file():  # a pipe must not lose what is read here
        return False
    try:
        with open(path, "rb", buffering=0) as raw:
            return raw.read(4) in _ZIP
    except OSError:
        return False


def in_archive(path: str | Path) -> tuple[Path, str] | None:
    """(archive, member) for a path such as `day.zip/north/a.csv`, None for one that leads into no archive.

    >>> in_archive("no/such/file.csv")
    """
    given = Path(path)
    for parent in given.parents:
        if parent.is_dir():
            return None
        if parent.is_file():
            return (parent, given.relative_to(parent).as_posix()) if is_archive(parent) else None
    return None


def file_of(path: str | Path) -> Path:
    """The file on disk that holds a source: for a member of an archive the archive.

    >>> str(file_of("day.csv"))
    'day.csv'
    """
    inside = in_archive(path)
    return inside[0] if inside else Path(path)


def members(path: str | Path) -> list[str]:
    """Names of the files in a zip archive, sorted; without folders, hidden files and what macOS adds.

    Raises
    ------
    InputError
        If the archive is damaged.
    """
    with _archive(Path(path)) as archive:
        names = {info.filename for info in archive.infolist() if not info.is_dir()}
    kept = (name for name in names if not any(part.startswith((".", "__MACOSX")) for part in name.split("/")))
    return sorted(name for name in kept if not name.startswith("/") and "\\" not in name)


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError, ValueError, struct.error):
        raise InputError(f"{path}: zip archive is damaged or ends early; download or unpack it again") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be opened ({error.strerror or error}); check its permissions") from None


def _open_member(path: Path, member: str) -> Reader:
    """A member of a zip archive; "" is the only one that there is."""
    names = [member] if member else members(path)
    if len(names) != 1:
        held = f"holds {len(names):,} files; give one, for example {path}/{names[0]}" if names else "holds no files"
        raise InputError(f"{path}: zip archive {held}")
    name = f"{path}/{names[0]}"
    with _archive(path) as archive:
        try:
            info = archive.getinfo(names[0])
            if info.flag_bits & 1:
                raise InputError(f"{name}: is encrypted; unpack it with its password first (7z x)")
            return Reader(name, archive.open(info), archived=True)
        except KeyError:
            raise InputError(f"{name}: no such file in this archive; check the path") from None
        except NotImplementedError as error:
            raise InputError(f"{name}: cannot be unpacked here ({error}); unpack it first (7z x)") from None
        except (zipfile.BadZipFile, EOFError, zlib.error, struct.error):
            raise InputError(f"{name}: zip archive is damaged; download it again") from None
