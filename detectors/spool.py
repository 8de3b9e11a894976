"""Where a watch keeps what is large and seldom needed: in memory, or in files of a folder of its own.

A spool writes each set of arrays once, as a file of its own that is never changed. What a header names must outlive
the process: `begin` gives the files that have to be on the disk before the header is, and `saved` says that it is. A
file stays for as long as that header, or one of the two before it, names it; whatever a header does not name is removed
when it is loaded. So after a death at any instruction the last saved state is whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from detectors.snapshot import Column, State, Stored, open_state, put_state, read_state
from geo.errors import InputError, OutputError
from geo.whole_file import remove_unfinished

HOLDS = {"holds": "a part of a watch"}


class Memory:
    """Arrays in memory: what is put is what is got."""

    def put(self, arrays: Mapping[str, Column]) -> Any:
        """Keep arrays; what `get` takes."""
        return arrays

    def get(self, kept: Any) -> State:
        """The arrays."""
        found: State = kept
        return found

    def open(self, kept: Any) -> Mapping[str, NDArray[Any]]:
        """The arrays, those of a file read when they are asked for."""
        return self.get(kept)

    def drop(self, kept: Any) -> None:
        """They are needed no more."""

    def begin(self, names: Iterable[str]) -> list[Path]:
        """A header is being written that names these: what must be on the disk before it."""
        return []

    def saved(self) -> None:
        """It is on the disk."""

    def loaded(self, names: Iterable[str], before: Iterable[str] = ()) -> None:
        """A header was read that names these, and the one before it those."""


class Spool(Memory):
    """Arrays in files of a folder.

    >>> import tempfile
    >>> import numpy as np
    >>> spool = Spool(tempfile.mkdtemp())
    >>> one, two = (spool.put({"n": np.arange(n)}) for n in (1, 2))
    >>> [path.name for path in spool.begin([one])] == [one, spool.folder.name]
    True
    >>> spool.saved()
    >>> spool.drop(two)
    >>> spool.drop(one)  # but the header names it
    >>> spool.get(one)["n"].tolist(), [path.name for path in spool.folder.iterdir()] == [one]
    ([0], True)
    >>> for _ in range(2):  # the header before the last
    ...     _ = spool.begin([])
    ...     spool.saved()
    >>> list(spool.folder.iterdir())
    []
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            remove_unfinished(self.folder)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be used ({error.strerror}); choose another folder") from None
        there = self._files()
        self._numbers = itertools.count(1 + max(map(_number, there), default=0))
        self._begun, self._newest, self._before = set[str](), there, set[str]()
        """What is named by the header that is being written, and by the newest two that are on the disk."""
        self._dropped = set(there)
        self._unsynced = set[str]()

    def _files(self) -> set[str]:
        return {path.name for path in self.folder.glob("part-*") if _number(path.name) > 0}

    def put(self, arrays: Mapping[str, Column]) -> str:
        """Write arrays to a file; its name. Raises OutputError where it cannot be written."""
        name = f"part-{next(self._numbers):08d}"
        path = self.folder / name
        try:
            with path.open("wb") as stream:
                put_state(stream, arrays, HOLDS)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise OutputError(f"{path}: cannot be written ({error.strerror}); free space") from None
        self._unsynced.add(name)
        return name

    def get(self, kept: str) -> State:
        """The arrays of a file. Raises InputError where it is gone or torn."""
        return read_state(self.folder / kept, HOLDS)[0]

    def open(self, kept: str) -> Stored:
        """The arrays of a file, each read when it is asked for. Raises InputError where it is gone or torn."""
        return open_state(self.folder / kept, HOLDS)[0]

    def drop(self, kept: str) -> None:
        """A file is needed no more; it stays as long as a header names it."""
        self._dropped.add(kept)
        self._remove()

    def _remove(self) -> None:
        gone = self._dropped - self._begun - self._newest - self._before
        for name in gone:
            (self.folder / name).unlink(missing_ok=True)
        self._dropped -= gone
        self._unsynced -= gone

    def begin(self, names: Iterable[str]) -> list[Path]:
        """A header is being written that names these: what must be on the disk before it."""
        self._begun = set(names)
        new = sorted(self._begun & self._unsynced)
        return [*(self.folder / name for name in new), self.folder] if new else []

    def saved(self) -> None:
        """It is on the disk; one may have to go back to that before it."""
        self._unsynced -= self._begun
        self._newest, self._before, self._begun = self._begun, self._newest, set()
        self._remove()

    def loaded(self, names: Iterable[str], before: Iterable[str] = ()) -> None:
        """A header was read that names these, and the one before it those: all others are removed. Raises InputError
        for one of `names` that is not there."""
        self._newest, self._before, there = set(names), set(before), self._files()
        if missing := sorted(self._newest - there):
            raise InputError(f"{self.folder / missing[0]}: is missing; give the folder of the watch that was saved")
        self._dropped = there - self._newest
        self._remove()


def _number(name: str) -> int:
    digits = name.removeprefix("part-")
    return int(digits) if digits.isdigit() else 0
