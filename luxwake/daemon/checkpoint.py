"""Checkpoints: what the core knows, in files that are whole or not there at all; the newest two are kept.

A checkpoint after record 7 of the journal is `7.watch` (the state of the detectors), `7.parsers` (that of the parsers)
and, written last, `7.json`, which names them with their lengths and checksums. One that is torn or damaged is not used,
and the one before it is taken instead: the journal is kept as far back.

The core writes what it knows to the files, which is no more than a copy; a thread brings them to the disk and names
them, while the core goes on. The files of a checkpoint that is kept no more are written over by the next, and are made
as long as that will need before it begins: pages that the system has in memory take a tenth of the time of new ones.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from detectors.snapshot import is_whole, seal_of
from geo.errors import InputError
from geo.whole_file import replacing, rewrite, sync

KEPT = 2
SPARE = "spare-"
"""Begins the name of a file that belongs to no checkpoint yet."""
STEP_BYTES = 1 << 20
Files = dict[str, Callable[[BinaryIO], Iterable[Path]]]
"""What writes each file, by its suffix, as `detectors.snapshot.put_state` does; it gives what must be on the disk with
it."""


class Checkpoints:
    """The checkpoints of a folder."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.t_written = self._newest_s()
        """When the last was written, s since 1970; 0 for none."""
        self._thread = ThreadPoolExecutor(1, "checkpoint")
        self._doubtful = set[Path]()
        """Files beside a checkpoint that a disk may not have (`luxwake.daemon.journal.Journal.sync`)."""

    def numbers(self) -> list[int]:
        """Records of the journal after which there is one, the newest first."""
        return sorted((int(path.stem) for path in self.folder.glob("*.json") if path.stem.isdigit()), reverse=True)

    def _newest_s(self) -> float:
        with suppress(OSError):
            return max((path.stat().st_mtime for path in self.folder.glob("*.json")), default=0.0)
        return 0.0

    def prepare(self, suffix: str, size: int) -> Future[None]:
        """Have the thread make room for a file of so many bytes, so that `begin` is done sooner."""
        return self._thread.submit(self._prepare, self._spare(suffix), size)

    @staticmethod
    def _prepare(path: Path, size: int) -> None:
        try:
            with path.open("ab") as stream:
                while stream.tell() < size:
                    stream.write(bytes(STEP_BYTES))
        except OSError:  # `begin` will say it
            path.unlink(missing_ok=True)

    def begin(self, record: int, files: Files) -> Future[int]:
        """Write the files of a checkpoint after this record, and have a thread bring them to the disk; the record up to
        which the journal is needed no more, when that has been done.

        None other may be begun before. Raises OSError or OutputError, and so does what is returned: then there is none.
        """
        beside: list[Path] = []
        try:
            for suffix, write in files.items():
                beside += _written_over(self._spare(suffix), write)
        except BaseException:
            _remove(map(self._spare, files))
            raise
        return self._thread.submit(self._finish, record, [*files], beside)

    def _spare(self, suffix: str) -> Path:
        return self.folder / f"{SPARE}{suffix}"

    def _finish(self, record: int, suffixes: Sequence[str], beside: Iterable[Path]) -> int:
        named = self.folder / f"{record}.json"
        mine = [self._spare(suffix) for suffix in suffixes]
        beside = [*beside]
        try:
            for path in self._doubtful.intersection(beside):
                _write_anew(path)
            sync(*beside, *mine)
            self._doubtful.clear()
            said = {suffix: seal_of(path) for suffix, path in zip(suffixes, mine, strict=True)}
            mine += [named, *(self.folder / f"{record}.{suffix}" for suffix in suffixes)]
            for suffix in suffixes:
                os.replace(self._spare(suffix), self.folder / f"{record}.{suffix}")
            sync(self.folder)
            with replacing(named) as stream:
                stream.write(json.dumps({"record": record, "files": said}).encode())
            sync(self.folder)
        except BaseException:
            self._doubtful |= {path for path in beside if path.is_file()}
            _remove(mine)
            raise
        self.t_written = time.time()
        numbers = self.numbers()
        with suppress(OSError):  # the next one tries again
            self._prune(numbers[:KEPT])
        return numbers[KEPT - 1] if len(numbers) >= KEPT else 0

    def _prune(self, kept: Sequence[int]) -> None:
        """Let go of the checkpoints after other records than these, and of what else lies there."""
        names = {path.name for path in self.folder.iterdir() if not path.name.startswith(SPARE)}
        old = [path for path in map(Path, names) if path.stem not in map(str, kept)]
        for path in sorted(old, key=lambda path: path.suffix != ".json"):  # before what it names is changed
            if path.stem.isdigit() and path.suffix != ".json":
                os.replace(self.folder / path, self._spare(path.suffix[1:]))
            else:
                (self.folder / path).unlink(missing_ok=True)

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
            whole = all(seal_of(path) == said[suffix] and is_whole(path) for suffix, path in files.items())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return files if whole else None

    def older(self, number: int, suffix: str) -> Path | None:
        """A file of the checkpoint before this one, whole or not; None where there is none."""
        return next((self.folder / f"{one}.{suffix}" for one in self.numbers() if one < number), None)

    def forget_after(self, number: int) -> None:
        """Let go of those after others than this record, which are not whole, or they would count as kept."""
        with suppress(OSError):  # the next checkpoint does it
            self._prune([one for one in self.numbers() if one <= number])

    def refuse_if_damaged(self) -> None:
        """Raise InputError where there are checkpoints, and none can be used."""
        if self.numbers():
            raise InputError(f"{self.folder}: no checkpoint is whole; move the folder away to begin anew")

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()


def _written_over(path: Path, write: Callable[[BinaryIO], Iterable[Path]]) -> Iterable[Path]:
    """Write a file, in the place of what it held; what `write` gives."""
    with path.open("r+b" if path.exists() else "wb") as stream:
        given = write(stream)
        stream.truncate()
    return given


def _write_anew(path: Path) -> None:
    if not is_whole(path):
        raise OSError(errno.EIO, "a part of the state has been lost by the disk")
    rewrite(path, path.stat().st_size)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
