"""Where a watch keeps what is large and seldom needed: in memory, or in files of a folder of its own.

A spool writes each set of arrays once, as a file of its own that is never changed. What `save` names in its header must
outlive the process: a file that the last header names is removed only after the next one was written, and whatever a
header does not name is removed when it is loaded. So after a death at any instruction the last saved state is whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from detectors.snapshot import Column, State, read_state, write_state
from geo.errors import InputError, OutputError

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

    def drop(self, kept: Any) -> None:
        """They are needed no more."""

    def saved(self, names: Iterable[str]) -> None:
        """A header was written that names these."""


class Spool(Memory):
    """Arrays in files of a folder.

    >>> import tempfile
    >>> import numpy as np
    >>> spool = Spool(tempfile.mkdtemp())
    >>> one, two = (spool.put({"n": np.arange(n)}) for n in (1, 2))
    >>> spool.saved([one])
    >>> spool.drop(one)  # but the header names it
    >>> spool.get(one)["n"].tolist(), sorted(path.name for path in spool.folder.iterdir()) == [one]
    ([0], True)
    >>> spool.saved([])  # the header before named it
    >>> spool.saved([])
    >>> list(spool.folder.iterdir())
    []
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for path in self.folder.glob(".part-*.partial-*"):  # of a process that was killed while it wrote
                path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be used ({error.strerror}); choose another folder") from None
        self._numbers = itertools.count(1 + max((_number(path) for path in self._files()), default=0))
        self._named: set[str] = {path.name for path in self._files()}
        self._newest: set[str] = set()

    def _files(self) -> list[Path]:
        return [path for path in self.folder.glob("part-*.npz") if _number(path) > 0]

    def put(self, arrays: Mapping[str, Column]) -> str:
        """Write arrays to a file; its name. Raises OutputError where it cannot be written."""
        name = f"part-{next(self._numbers):08d}.npz"
        write_state(self.folder / name, arrays, HOLDS)
        return name

    def get(self, kept: str) -> State:
        """The arrays of a file. Raises InputError where it is gone or torn."""
        return read_state(self.folder / kept, HOLDS)[0]

    def drop(self, kept: str) -> None:
        """A file is needed no more; it stays as long as the last header names it."""
        if kept not in self._named:
            (self.folder / kept).unlink(missing_ok=True)

    def saved(self, names: Iterable[str]) -> None:
        """A header was written, or read, that names these: all others are removed, but for those of the header before,
        to which one may have to go back.

        Raises InputError for one that is not there.
        """
        newest = set(names)
        self._named, self._newest = newest | self._newest, newest
        there = {path.name for path in self._files()}
        if missing := sorted(newest - there):
            raise InputError(f"{self.folder / missing[0]}: is missing; give the folder of the watch that was saved")
        for name in there - self._named:
            (self.folder / name).unlink(missing_ok=True)


def _number(path: Path) -> int:
    digits = path.stem.removeprefix("part-")
    return int(digits) if digits.isdigit() else 0
