"""Sources: files, standard input and folders, as chunks of whole lines.

What a source is, is told by its content and never by its name: first the packing (plain, gzip, bzip2, zstd, zip),
then the format of the text. Offsets count bytes of the unpacked text. Memory is bounded whatever the input is: a chunk
has at most `size` + 1 MiB bytes, and a packed input is unpacked in pieces.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ais.csv_layout import csv_format, text_lines
from ais.csv_names import SIGNATURES
from ais.json_forms import JSON_FORMATS
from ais.json_text import json_format
from ais.unpack import Reader, in_archive, is_archive, members, open_bytes
from geo.errors import InputError

__all__ = ["Chunk", "Reader", "chunks", "expand", "format_of", "open_bytes", "sniff"]

CHUNK_BYTES = 4 << 20
"""Default size of a chunk: large against the cost of a call, small against memory."""
LONGEST_LINE = 1 << 20
"""A longer line (with its line end) is no AIS: a real one has under 300 bytes."""
PADDING = 256
"""Zero bytes after the text of a chunk, so that a kernel may look ahead without a check."""
FORMATS = ("nmea", *SIGNATURES, "csv", *JSON_FORMATS, "parquet")

_FOREIGN = {
    b"\xfd7zXZ": "an xz archive; unpack it first (xz -d)",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"SQLite format 3": "an SQLite database; export the positions as CSV or Parquet",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
}
_LINE_OF_NMEA = re.compile(rb"^[!$\\]", re.MULTILINE)
_NMEA = re.compile(rb"![A-Z0-9]{2}VD[MO],\d|\$PGHP,\d")


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Whole lines of a source.

    Attributes
    ----------
    data : (n + 256,) uint8; the text, then zeros
    n : number of bytes of text
    offset : position of `data[0]` in the unpacked source, bytes
    last : True for the last chunk, and only for it (it may have n = 0)
    long_lines : lines over 1 MiB that were left out between the chunk before and this one
    """

    data: NDArray[np.uint8]
    n: int
    offset: int
    last: bool
    long_lines: int = 0


def chunks(source: str | Path | Reader, size: int = CHUNK_BYTES) -> Iterator[Chunk]:
    r"""Cut a source into chunks that end at line ends (LF, CR LF or CR).

    A line longer than 1 MiB is left out whole and counted in `Chunk.long_lines`. A chunk may begin with the LF of a
    CR LF whose CR ended the chunk before: to a reader of lines that is a blank line.

    Parameters
    ----------
    source : a path, `-`, or an open Reader (which is closed at the end)
    size : bytes to read for a chunk; a chunk is up to 1 MiB larger

    Raises
    ------
    InputError
        If the source cannot be opened, or a packed stream is damaged or ends early. Chunks given out before are then
        a part only, and must not be presented as the whole.

    Examples
    --------
    >>> import io
    >>> reader = Reader("example", io.BytesIO(b"one\ntwo\nthree"))
    >>> [(bytes(chunk.data[: chunk.n]), chunk.offset, chunk.last) for chunk in chunks(reader, size=5)]
    [(b'one\n', 0, False), (b'two\n', 4, False), (b'three', 8, True)]
    """
    with source if isinstance(source, Reader) else open_bytes(source) as reader:
        rest, offset, long_lines, skipping, ended = b"", 0, 0, False, False
        while True:
            buffer = bytearray(len(rest) + size + PADDING)
            buffer[: len(rest)] = rest
            if not ended:
                got = reader.readinto(memoryview(buffer)[len(rest) : len(rest) + size])
                ended = got < size
            else:
                got = 0
            n = len(rest) + got
            if skipping:
                end = _first_line_end(buffer, n)
                skipping = end == 0 and not ended
                end = end or n
                rest, offset = bytes(memoryview(buffer)[end:n]), offset + end
                if rest or not ended:
                    continue
                n = end = 0
            else:
                end, skipping = _whole_lines(buffer, n, ended)
                rest = bytes(memoryview(buffer)[end:n])
            buffer[end:] = bytes(PADDING)
            last = ended and not rest
            if end or last:
                yield Chunk(np.frombuffer(buffer, np.uint8), end, offset, last, long_lines)
                long_lines = 0
            if last:
                return
            offset += end
            long_lines += skipping


def _first_line_end(buffer: bytearray, n: int) -> int:
    """The place after the first line end of `buffer[:n]`; 0 where there is none."""
    lf = buffer.find(b"\n", 0, n)
    cr = buffer.find(b"\r", 0, lf if lf >= 0 else n)
    return (cr if cr >= 0 else lf) + 1


def _whole_lines(buffer: bytearray, n: int, ended: bool) -> tuple[int, bool]:
    """Where the whole lines of `buffer[:n]` end, and whether the line that follows is too long.

    Looks for the last line end of the next 1 MiB and goes on from there, so that a line is measured from its own
    start, wherever the chunk was cut.
    """
    end = 0
    while end < n:
        stop = min(n, end + LONGEST_LINE)
        cut = buffer.rfind(b"\n", end, stop) + 1 or buffer.rfind(b"\r", end, stop) + 1
        if cut:
            end = cut
        elif stop - end == LONGEST_LINE:
            return end, True
        else:
            return (n if ended else end), False
    return end, False


def sniff(head: bytes, columns: Mapping[str, str] | None = None) -> str:
    """The format of a source, from its first bytes (unpacked).

    Parameters
    ----------
    head : the first 64 KiB or so
    columns : for some fields, the column that holds it; a CSV that has these is one of AIS

    Returns
    -------
    one of `FORMATS`; "csv" and "json" are those of no publisher that is known

    Raises
    ------
    InputError
        If it is none of them; the message says what was seen.

    Examples
    --------
    >>> sniff(b"# a comment\\n1550303566167726840 !AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\\n")
    'nmea'
    >>> sniff(b"MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading\\n")
    'noaa'
    """
    if head.startswith(b"PAR1"):
        return "parquet"
    if not head.strip():
        raise InputError("is empty; nothing to read" if not head else "holds only blank lines; nothing to read")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for sign, what in _FOREIGN.items():
        if start.startswith(sign):
            raise InputError(f"not AIS: this is {what}")
    if name := json_format(head, columns):
        return name
    if start.startswith((b"{", b"[")) and not _LINE_OF_NMEA.search(start):
        raise InputError(
            "not AIS: JSON without MMSI, time and position; convert it to CSV with columns t, mmsi, lat, lon"
        )
    if _NMEA.search(head):
        return "nmea"
    if b"\0" in head:
        raise InputError(f"not AIS: binary data that begin with {head[:8]!r}; formats known: {', '.join(FORMATS)}")
    if name := csv_format(head, columns):
        return name
    first = next(text_lines(head)).strip()
    shown = first if len(first) <= 60 else first[:60] + "…"
    raise InputError(
        f"not AIS: first line is {shown!r}; formats known: {', '.join(FORMATS)}; columns of other names can be given"
    )


def format_of(source: str | Path | Reader, columns: Mapping[str, str] | None = None) -> str:
    """The format of a source, as `sniff` tells it, with its name in the error.

    An open Reader keeps its place, so that standard input can be sniffed and then read.

    Raises
    ------
    InputError
        If the source cannot be opened, is empty, or is of no known format.

    Examples
    --------
    >>> format_of(__file__)
    'nmea'

    (This file shows an NMEA sentence in an example above.)
    """
    if not isinstance(source, Reader):
        with open_bytes(source) as reader:
            return format_of(reader, columns)
    head = source.head()
    try:
        return sniff(head, columns)
    except InputError as error:
        joint = " " if str(error).startswith(("is ", "holds ")) else ": "
        raise InputError(f"{source.name}{joint}{error}") from None


def expand(
    inputs: Sequence[str | Path],
    left_out: list[tuple[Path, str]] | None = None,
    columns: Mapping[str, str] | None = None,
) -> list[Path]:
    """The files meant by `inputs`: files, glob patterns, folders (with all below them), zip archives and `-`.

    Inputs keep their order; the files of a pattern or a folder are sorted by path. A file met twice is taken once.
    From a folder or an archive, hidden files and files that are no AIS data are left out. A member of an archive is
    given as `day.zip/a.csv`.

    Parameters
    ----------
    inputs : paths and patterns
    left_out : where given, gets (path, why) for each file of a folder or an archive that was left out
    columns : as for `sniff`

    Raises
    ------
    InputError
        If a path does not exist, a pattern matches nothing, a folder or an archive holds no AIS data, or an archive is
        damaged or encrypted.

    Examples
    --------
    >>> [path.name for path in expand([__file__, __file__])]
    ['sources.py']
    """
    refused: list[tuple[Path, str]] = []
    found: dict[Path, Path] = {}
    for given in inputs:
        path = Path(given)
        if str(path) == "-" or path.is_file() or path.is_fifo() or path.is_char_device() or in_archive(path):
            paths = _opened(path, refused, columns)
        elif path.is_dir():
            paths = list(_data_files(path, refused, columns))
            if not paths:
                raise InputError(f"{path}: no AIS data in this folder; formats known: {', '.join(FORMATS)}")
        elif glob.has_magic(str(given)):
            matched = [p for p in sorted(map(Path, glob.glob(str(given), recursive=True))) if p.is_file()]
            if not matched:
                raise InputError(f"{given}: no file matches this pattern; check the path")
            paths = [opened for p in matched for opened in _opened(p, refused, columns)]
        else:
            raise InputError(f"{given}: no such file or folder; check the path")
        for path in paths:
            found.setdefault(path if str(path) == "-" else path.resolve(), path)
    if left_out is not None:
        left_out.extend(refused)
    return list(found.values())


def _opened(path: Path, refused: list[tuple[Path, str]], columns: Mapping[str, str] | None) -> list[Path]:
    """A file as itself, an archive as its members that are AIS data."""
    if not is_archive(path):
        return [path]
    paths, before = [], len(refused)
    for name in members(path):
        member = path / name
        with open_bytes(member) as reader:
            reader.head()  # damage and encryption are errors, and must not look like something that is no AIS
            try:
                format_of(reader, columns)
            except InputError as error:
                refused.append((member, str(error)))
            else:
                paths.append(member)
    if not paths:
        why = f" ({refused[before][1]})" if len(refused) == before + 1 else ""
        raise InputError(f"{path}: no AIS data in this archive{why}; formats known: {', '.join(FORMATS)}")
    return paths


def _data_files(folder: Path, refused: list[tuple[Path, str]], columns: Mapping[str, str] | None) -> Iterator[Path]:
    """Files of AIS data below `folder`, sorted; the others go to `refused` with the reason."""
    paths = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths += [Path(root, name) for name in names]
    for path in sorted(paths):
        if path.name.startswith("."):
            refused.append((path, "hidden file"))
            continue
        try:
            opened = _opened(path, refused, columns)
            if opened == [path]:
                format_of(path, columns)
        except InputError as error:
            refused.append((path, str(error)))
        else:
            yield from opened
