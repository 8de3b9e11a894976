"""`luxwake backfill`: days of the archive through the daemon's detectors again, into the same store.

Told is what begins on the days asked for and was never told: with the same thresholds nothing, with new ones what they
find. The day before runs up, so that what began then is not taken to begin at midnight, and the day after runs out.
The archive has no static reports: names, and what follows from them, are not known to a backfill.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from detectors.told import CLOSED, OPENED, RETRACTED, Changes
from geo.errors import UsageError
from luxwake.console import Console
from luxwake.daemon.archive_files import DAY_US, days
from luxwake.daemon.archive_reading import day_rows, sources_of
from luxwake.daemon.config import Config, read_config
from luxwake.daemon.core import Core
from luxwake.daemon.detection import settings_of, watch_of
from luxwake.daemon.sink import Change
from luxwake.times import parse_time


def backfill(asked: Sequence[str], console: Console, *, config: str | None, state: str | None) -> None:
    """Find again what begins on these days ("YYYY-MM-DD", UTC), and keep what the store does not have.

    Raises UsageError for a day that the archive has not, or where the daemon runs.
    """
    from luxwake.daemon.matching import Filter

    base = read_config(config) if config else Config()
    made = msgspec.structs.replace(base, state=state or base.state, archive=False)
    folder = Path(made.state) / "archive"
    chosen = _days(asked, folder)
    core = Core(made, {one.name: Filter(one) for one in made.sinks})
    try:
        if core.journal.last > max(core.checkpoints.numbers(), default=0):
            console.note("the daemon was killed: its last positions come into the archive when it is started again")
        found: dict[str, Change] = {}
        n = 0
        for first, last in _runs(chosen):
            n += _find(core, folder, first, last, found)
        new = [change for change in found.values() if not core.store.has(change.event_id)]
        core.tell(time.time_ns() // 1000, new)
    finally:
        core.close()
    counts = (f"{len(chosen):,}", f"{n:,}", f"{len(found):,}", f"{len(new):,}")
    console.table("Backfilled", ("days", "positions, with those around", "events", "new"), [counts])


def _days(asked: Sequence[str], folder: Path) -> list[int]:
    """The days asked for, as days since 1970, in order; UsageError for one that the archive has not."""
    there = days(folder)
    chosen = set()
    for text in asked:
        day, rest = divmod(parse_time(text, "DAY"), DAY_US)
        if rest:
            raise UsageError(f"DAY {text!r} is a time; give a whole day, such as 2026-11-26")
        if _name(day) not in there:
            held = f"it has {there[0]} to {there[-1]}" if there else "it is empty"
            raise UsageError(f"{folder}: no positions of {_name(day)}; {held}")
        chosen.add(day)
    return sorted(chosen)


def _name(day: int) -> str:
    return str(np.datetime64(day, "D"))


def _runs(chosen: Sequence[int]) -> list[tuple[int, int]]:
    """Days that follow each other, as first and last.

    >>> _runs([3, 4, 5, 9])
    [(3, 5), (9, 9)]
    """
    runs: list[tuple[int, int]] = []
    for day in chosen:
        if runs and day == runs[-1][1] + 1:
            runs[-1] = runs[-1][0], day
        else:
            runs.append((day, day))
    return runs


def _find(core: Core, folder: Path, first: int, last: int, found: dict[str, Change]) -> int:
    """Put the events that begin from day `first` to `last` into `found`, by id; how many positions they are from."""
    watch, names, n = watch_of(settings_of(core.config)), sources_of(folder), 0

    def take(changes: Changes) -> None:
        begun = (changes["t_start"] >= first * DAY_US) & (changes["t_start"] < (last + 1) * DAY_US)
        told = changes.take(begun)
        is_gone = told["change"] == RETRACTED
        told.columns["change"] = np.where(is_gone, RETRACTED, np.where(told["open"], OPENED, CLOSED)).astype(np.uint8)
        told.columns["revision"] = np.zeros_like(told["revision"])  # those that a daemon tells begin with 1
        for change, gone in zip(core.made_of([told]), is_gone.tolist(), strict=True):
            found.pop(change.event_id, None)
            if not gone:
                found[change.event_id] = change

    for day in range(first - 1, last + 2):
        for fixes in day_rows(folder, _name(day), names):
            n += len(fixes)
            take(watch.feed(fixes))
    take(watch.flush())
    return n
