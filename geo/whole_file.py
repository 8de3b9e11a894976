"""Small files read whole, and files that are the old one or the new one at any time, never half of either."""

from __future__ import annotations

import gzip
import os
import secrets
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from geo.errors import InputError, OutputError

COPY_BYTES = 1 << 20


@contextmanager
def replacing(path: str | os.PathLike[str], advice: str = "free space or choose another place") -> Iterator[BinaryIO]:
    """A stream to a file that takes the place of `path` when the block ends well, and vanishes when it fails.

    A device or a pipe stays what it is and is written as it comes. Raises OutputError, with `advice`.
    """
    path = Path(path)
    target = path.resolve()
    in_place = target.exists() and not target.is_file() and not target.is_dir()
    partial = target if in_place else target.parent / f".{target.name}.partial-{secrets.token_hex(4)}"
    try:
        if target.is_dir():
            raise OutputError(f"{path}: is a folder; give the name of a file")
        with partial.open("wb") as stream:
            yield stream
            if not in_place:
                stream.flush()
                os.fsync(stream.fileno())
        if not in_place:
            os.replace(partial, target)
    except BrokenPipeError:  # the reader of our output has gone; nothing is wrong with the place
        raise
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); {advice}") from None
    finally:
        if not in_place:
            partial.unlink(missing_ok=True)


def sync(*paths: str | os.PathLike[str]) -> None:
    """What was written to files, or made or renamed in folders, survives the loss of power from here on."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


_ANEW = ".anew"


def rewrite(path: Path, size: int) -> None:
    """Have a file of so many bytes written anew, to other places of the disk. Raises OSError."""
    partial = path.with_name(f".{path.name}{_ANEW}")
    try:
        with path.open("rb") as old, partial.open("wb") as stream:
            while (left := size - stream.tell()) > 0 and (data := old.read(min(left, COPY_BYTES))):
                stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what `rewrite` left in a folder when its process was killed. Raises OSError."""
    for path in folder.glob(f".*{_ANEW}"):
        path.unlink(missing_ok=True)


def write_text(
    path: str | os.PathLike[str], parts: Iterable[str], advice: str = "free space or choose another place"
) -> Path:
    """Write parts of a text, as UTF-8, to a file that is whole at any time; OutputError where that is not possible.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(Path(folder) / "a.txt", ["one\\n", "two\\n"]).read_text(encoding="utf-8").split()
    ['one', 'two']
    """
    with replacing(path, advice) as stream:
        for part in parts:
            stream.write(part.encode())
    return Path(path)


MAX_TABLE_BYTES = 64 << 20
"""A table that a user imports has a few megabytes; more than this is none."""


def read_table_text(path: Path, give: str, what: str) -> str:
    """The text of a file in UTF-8, packed with gzip or not.

    Raises InputError for one that cannot be read (`give` says what to give, "a CSV file of ports"), that has more than
    `MAX_TABLE_BYTES` (and so is no `what`, "table of ports"), or that is not UTF-8.
    """
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as stream:
            data = stream.read(MAX_TABLE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise InputError(f"{path}: cannot be read ({why}); give {give}") from None
    if len(data) > MAX_TABLE_BYTES:
        raise InputError(f"{path}: more than {MAX_TABLE_BYTES >> 20} MB; that is no {what}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}: line {line} is not UTF-8; convert it: iconv -f WINDOWS-1252 -t UTF-8 FILE") from None


def remove_files(paths: Iterable[Path]) -> list[Path]:
    """Remove files; those that there were. Raises OutputError where one cannot be removed."""
    gone = []
    for path in paths:
        try:
            path.unlink()
        except OSError as error:
            raise OutputError(f"{path}: cannot be removed ({error.strerror}); remove it by hand") from None
        gone.append(path)
    return gone
