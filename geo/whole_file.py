"""Files that are the old one or the new one at any time, and never half of either."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from geo.errors import OutputError


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
