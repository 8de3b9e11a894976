"""The archive: every position that was heard, in Parquet by day and coarse cell, each row exactly once.

Rows are held up to a bound (`archive_held`), and become a batch of files under the number of the record that they came
with. A checkpoint has the rows that are not on the disk yet, and the number of the last batch: a start after a kill
removes the files of later ones, and the journal's records make them again. Files of a day that is over are merged; none
is that a checkpoint could still ask to be removed.

A thread beside the core writes, another one merges.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ais.table import NAT, Fixes
from detectors.snapshot import Column, put_state, read_state
from detectors.snapshot import parts_of as state_parts
from geo.errors import InputError, OutputError
from geo.whole_file import sync, write_text
from luxwake.daemon.archive_files import (
    DAY_US,
    ArchiveRows,
    Part,
    chosen_days,
    day_end,
    is_hidden,
    merge,
    partitioned,
    partitions,
    parts_of,
    write_files,
)
from luxwake.daemon.archive_held import Held
from luxwake.daemon.archive_sorting import Sorting

RETRY_S = 0.9
"""After an error the disk is not asked again for so long."""
CLOSE_S = 1.0
"""An end waits so long for a batch; one that is not done by then is in the checkpoint."""
TIER = 64
"""So many small files of a partition are merged while its day goes on."""
MANY = 16
"""Files of a day that is over, at most."""
_HOLDS = {"holds": "positions of a daemon"}
_log = logging.getLogger("luxwake.archive")


class Archive:
    """Keeps positions; used by the thread of the core.

    Parameters
    ----------
    folder : where the partitions are
    max_rows : rows held before they are written; twice as many while a batch is on its way
    names : of the sources, by their numbers
    """

    def __init__(self, folder: str | Path, max_rows: int, names: Sequence[str]) -> None:
        self.folder = Path(folder)
        self._max_rows, self._names = max_rows, names
        self._held = Held(self.folder)
        """Rows that belong to no batch yet."""
        self._batch: tuple[int, Held] | None = None
        self.last = 0
        """Number of the newest batch."""
        self._at_checkpoints = [0, 0]
        """The same when each of the two checkpoints was written that are kept, the older first."""
        self._written: Future[None] | None = None
        self._failed, self._t_failed = "", 0.0
        self._writer = ThreadPoolExecutor(1, "archive")
        self._merger = ThreadPoolExecutor(1, "archive merge")
        self._merged: Future[None] | None = None
        self._merging: Sorting | None = None
        self._lock = threading.Lock()
        self._unsettled: set[str] = set()
        """Partitions that may have files to remove or to merge; also in the file `.unsettled`."""
        self._writing: set[str] = set()
        self._stop = threading.Event()

    @property
    def _list(self) -> Path:
        return self.folder / ".unsettled"

    def put(self, stream: BinaryIO) -> Iterable[Path]:
        """Write what is not on the disk yet to a file of the checkpoint."""
        number, batch = self._batch or (0, None)
        state: dict[str, Column] = {}
        for name, rows in (("batch", batch), ("held", self._held)):
            if rows is not None and rows.rows:
                state |= {f"{name}.{key}": rows.column(key) for key in ArchiveRows.order}
        put_state(stream, state, {**_HOLDS, "last": self.last, "batch": number})
        return ()

    def _load(self, path: Path) -> None:
        state, header = read_state(path, _HOLDS)
        groups = state_parts(state)
        self.last = header["last"]
        if "held" in groups:
            self._held.add(groups["held"])
        if header["batch"]:
            self._batch = (header["batch"], Held(self.folder))
            self._batch[1].add(groups["batch"])
            self._batch[1].seal()

    def recover(self, record: int, last: int, saved: Path | None = None) -> None:
        """Go on from a checkpoint: remove what was written after it, and what a killed process left unfinished.

        Raises InputError where the archive belongs to another journal.

        Parameters
        ----------
        record : of the checkpoint; 0 for none
        last : the last record of the journal
        saved : what `put` wrote for the checkpoint; None where all rows before it were on the disk
        """
        self.last = record
        if saved is not None:
            self._load(saved)
        self._at_checkpoints = [0, self.last]
        self._clean(self.last, last)

    def _clean(self, record: int, last: int) -> None:
        if not self.folder.is_dir():
            return
        try:
            names = self._list.read_text(encoding="utf-8").split()
        except OSError:
            names = [str(place.relative_to(self.folder)) for place in partitions(self.folder)]
        found = {name: parts_of(self.folder / name) for name in names}
        newest = max((part.last for parts, _ in found.values() for part in parts), default=0)
        if newest > last:
            raise InputError(
                f"{self.folder}: has positions of record {newest}, and the journal ends with {last}; "
                "it belongs to another journal: move it away"
            )
        for name, (parts, replaced) in found.items():
            place = self.folder / name
            gone = [*replaced, *(part for part in parts if part.first > record)]
            if split := [part for part in parts if part.first <= record < part.last]:
                raise InputError(f"{split[0].path}: holds rows of before and after record {record}; move it away")
            for path in [part.path for part in gone] + [path for path in _files(place) if is_hidden(path)]:
                path.unlink(missing_ok=True)
        for path in self.folder.glob(f".{self._list.name}.partial-*"):
            path.unlink(missing_ok=True)
        self._unsettled = set(names)

    def add(self, fixes: Fixes) -> None:
        """Hold rows."""
        if len(fixes):
            self._held.add({name: fixes[name] for name in ArchiveRows.order})

    @property
    def rows(self) -> int:
        """Rows that are held and belong to no batch yet."""
        return self._held.rows

    @property
    def is_full(self) -> bool:
        """Are so many rows held that they must be written?"""
        return self.rows >= self._max_rows

    @property
    def is_idle(self) -> bool:
        """Is no batch on its way, or does the disk not take it?"""
        with suppress(OutputError):
            return self._is_settled(wait=False)
        return True

    def trouble(self) -> str:
        """Why positions are not on the disk, in words; "" where all is well. A batch that failed is begun again."""
        with suppress(OutputError):
            self._is_settled(wait=False)
        return self._failed

    def write(self, record: int, *, wait: bool = True) -> None:
        """Hand what is held, up to this record, to the thread that writes it.

        Waits for the batch before, or else leaves it at that where it is not done. OutputError where the disk did not
        take that one: try again with any later record.
        """
        if self._is_settled(wait) and self.rows:
            self._held.seal()
            self._batch, self.last = (record, self._held), record
            self._held = Held(self.folder)
            self._begin(again=False)

    def flush(self, record: int) -> None:
        """All rows up to this record are on the disk from here on. OutputError where that cannot be: try again."""
        self.write(record)
        self._is_settled(wait=True)

    def drain(self, record: int) -> None:
        """Hand what is held, up to this record, to the thread, unless the batch before takes too long."""
        with suppress(OutputError):
            if not self._is_settled(wait=False) and self._written is not None:
                wait([self._written], CLOSE_S)
            self.write(record, wait=False)

    def _begin(self, *, again: bool) -> None:
        assert self._batch is not None
        self._written = self._writer.submit(self._write, *self._batch, again)

    def _is_settled(self, wait: bool) -> bool:
        """Is the batch on the disk? One that failed, or is of a checkpoint, is begun again."""
        if self._batch is None:
            return True
        if self._written is None:
            if self._failed and time.monotonic() - self._t_failed < RETRY_S:
                raise OutputError(self._failed)
            self._begin(again=True)
        assert self._written is not None
        if not wait and not self._written.done():
            return False
        try:
            self._written.result()
        except (OSError, OutputError) as error:
            why = getattr(error, "strerror", None) or error
            if not self._failed:
                _log.error("%s: cannot be written (%s)", self.folder, why)
            self._failed, self._t_failed = f"{self.folder}: cannot be written ({why}); free space", time.monotonic()
            self._written = None
            raise OutputError(self._failed) from None
        self._batch[1].close()
        self._batch = self._written = None
        self._failed = ""
        return True

    def _write(self, record: int, held: Held, again: bool) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        days = chosen_days(held.column("t").array())
        for columns in held.parts():
            if columns["t"].size:
                rows = ArchiveRows.of(columns, self._names)
                self._write_part(record, *partitioned(rows, columns["cell"], days), again)
        with self._lock:
            self._writing = set()

    def _write_part(self, record: int, rows: ArchiveRows, parts: list[tuple[str, slice]], again: bool) -> None:
        if again:  # what was written the first time may be merged by now
            parts = [part for part in parts if not is_merged(self.folder / part[0], record)]
        names = {name for name, _ in parts}
        with self._lock:
            self._writing = self._writing | names
            if not names <= self._unsettled:
                self._save(self._unsettled | names)
            self._unsettled |= names
        write_files(self.folder, record, rows, parts, self._stop.is_set)

    def _save(self, names: set[str]) -> None:
        write_text(self._list, (name + "\n" for name in sorted(names)))
        sync(self.folder)

    def compact(self, t: int, last: int | None = None) -> None:
        """A checkpoint has been written: have the files merged that belong together, unless that is being done.

        `t` is how far the time of the feed has come, µs; NAT before the first row. `last` was the newest batch when the
        checkpoint was begun; None: the newest of all.
        """
        self._at_checkpoints = [self._at_checkpoints[1], self.last if last is None else last]
        record = self._at_checkpoints[0]
        if t != NAT and record and (self._merged is None or self._merged.done()):
            self._merged = self._merger.submit(self._compact, record, t)

    def settled(self) -> None:
        """Wait until what is being merged is."""
        if self._merged is not None:
            self._merged.result()

    def _compact(self, record: int, t: int) -> None:
        with self._lock:
            names = sorted(self._unsettled)
        if any(due(self.folder / name, record, t) for name in names):
            with Sorting(self.folder) as self._merging:
                for name in names:
                    self._merge(name, record, t, self._merging)
        try:
            with self._lock:
                others = set(names) - self._writing
                done = {name for name in others if is_settled(self.folder / name, record, t)}
                self._unsettled -= done
                if done:
                    self._save(self._unsettled)
        except (OSError, OutputError) as error:
            _log.warning("%s: %s", self._list, error)

    def _merge(self, name: str, record: int, t: int, sorting: Sorting) -> None:
        """Merge the files of a partition that are to be merged."""
        try:
            while not self._stop.is_set() and (chosen := due(self.folder / name, record, t)):
                merge(chosen, sorting)
        except OSError as error:  # all rows are there; the next checkpoint tries again
            if not self._stop.is_set():
                _log.warning("%s: not merged (%s)", self.folder / name, error)

    def close(self) -> None:
        """End the threads; a merge, or a batch that takes too long, is broken off and begun anew another time."""
        if self._written is not None:
            wait([self._written], CLOSE_S)
        self._stop.set()
        if self._merging is not None:
            self._merging.stop()
        self._merger.shutdown()
        self._writer.shutdown()
        self._held.close()
        if self._batch is not None:
            self._batch[1].close()


def _files(place: Path) -> list[Path]:
    return list(place.iterdir()) if place.is_dir() else []


def is_merged(partition: Path, number: int) -> bool:
    """Are the rows with this number in a merged file?"""
    return any(part.is_merged and part.first <= number <= part.last for part in parts_of(partition)[0])


def _is_over(partition: Path, t: int) -> bool:
    """Did its day end a day ago?"""
    end = day_end(partition)
    return end is None or end + DAY_US <= t


def due(partition: Path, record: int, t: int) -> list[Part]:
    """The files of a partition that are to be merged now, by the time of the feed; none after `record`.

    A large file is not written again for few late rows: those wait until they are an eighth of it, or `MANY`.
    """
    parts = [part for part in parts_of(partition)[0] if part.last <= record]
    if _is_over(partition, t) and len(parts) > 1:
        sizes = [part.path.stat().st_size for part in parts]
        if len(parts) >= MANY or sum(sizes) - max(sizes) >= max(sizes) / 8:
            return parts
    single = [part for part in parts if not part.is_merged]
    return single[:TIER] if len(single) >= TIER else []


def is_settled(partition: Path, record: int, t: int) -> bool:
    """Is there nothing to merge, and nothing that a start could have to remove?"""
    parts, replaced = parts_of(partition)
    over = _is_over(partition, t) and not replaced and all(part.last <= record for part in parts)
    return over and not due(partition, record, t)
