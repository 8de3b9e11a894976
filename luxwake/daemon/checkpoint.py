"""Checkpoints: what the core knows, in files that are whole or not there at all; the newest two are kept.

A checkpoint after record 7 of the journal is `7.watch` (the state of the detectors), `7.parsers` (that of the parsers)
and, written last, `7.json`, which names them with their lengths and digests. One that is torn or damaged is not used,
and the one before it is taken instead: the journal is kept as far back.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from geo.errors import InputError
from geo.whole_file import replacing
from luxwake.daemon.journal import sync_folder

KEPT = 2
Files = dict[str, Callable[[Path], None]]


class Checkpoints:
    """The checkpoints of a folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.t_written = 0.0
        """When the last was written, s since 1970; 0 for none."""

    def numbers(self) -> list[int]:
        """Records of the journal after which there is one, the newest first."""
        return sorted((int(path.stem) for path in self.folder.glob("*.json") if path.stem.isdigit()), reverse=True)

    def write(self, record: int, files: Files) -> int:
        """Write a checkpoint after this record; the record up to which the journal is needed no more.

        `files` gives for each suffix what writes the file.
        """
        made: dict[str, Any] = {}
        for suffix, write in files.items():
            path = self.folder / f"{record}.{suffix}"
            write(path)
            made[suffix] = [path.stat().st_size, _digest(path)]
        sync_folder(self.folder)
        with replacing(self.folder / f"{record}.json") as stream:
            stream.write(json.dumps({"record": record, "files": made}).encode())
        sync_folder(self.folder)
        self.t_written = time.time()
        numbers = self.numbers()
        for path in self.folder.iterdir():
            if not path.stem.isdigit() or int(path.stem) not in numbers[:KEPT]:
                path.unlink(missing_ok=True)
        return numbers[KEPT - 1] if len(numbers) >= KEPT else 0

    def whole(self) -> Iterator[tuple[int, dict[str, Path]]]:
        """The checkpoints that can be used, the newest first: the record, and the files by suffix."""
        for number in self.numbers():
            files = self._files(number)
            if files is not None:
                yield number, files

    def _files(self, number: int) -> dict[str, Path] | None:
        """The files of a checkpoint; None where one is not as it was written."""
        place = self.folder / f"{number}.json"
        try:
            said = json.loads(place.read_text(encoding="utf-8"))["files"]
            files = {suffix: self.folder / f"{number}.{suffix}" for suffix in said}
            whole = all([path.stat().st_size, _digest(path)] == said[suffix] for suffix, path in files.items())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return files if whole else None

    def refuse_if_damaged(self) -> None:
        """Raise InputError where there are checkpoints, and none can be used."""
        if self.numbers():
            raise InputError(f"{self.folder}: no checkpoint is whole; move the folder away to begin anew")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]
