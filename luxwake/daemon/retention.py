"""How long a daemon keeps what is on the disk: a thread removes what is older, once an hour."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ais.table import NAT
from geo.errors import OutputError
from luxwake.daemon.archive_reading import prune_days
from luxwake.daemon.config import KeepConfig

if TYPE_CHECKING:
    from luxwake.daemon.core import Core

EVERY_S = 3600.0
AT_ONCE, PAUSE_S = 2000, 0.2
"""So many events are removed in one transaction, some ten ms, and then new ones may be committed again."""
DAY_US = 86_400_000_000
_log = logging.getLogger("luxwake.serve")


def remove_old(core: Core, keep: KeepConfig, goes_on: Callable[[], bool] = lambda: True) -> tuple[int, int]:
    """Remove events and days of positions that are older than they are kept; how many of each.

    Events by the clock, for it is known when each was told; positions by the time of the feed, which a replay has of
    its own. `goes_on` is asked before each part of the work. OutputError where the disk, or the database, does not do
    it.
    """
    events = days = 0
    if keep.events_days:
        before = time.time_ns() // 1000 - round(keep.events_days * DAY_US)
        while goes_on() and (n := core.store.prune(before, AT_ONCE)):
            events += n
            time.sleep(PAUSE_S)
    newest = core.watch.engine.newest
    if goes_on() and keep.positions_days and core.archive is not None and newest != NAT:
        try:
            days = prune_days(core.archive.folder, newest - round(keep.positions_days * DAY_US))
        except OSError as error:
            raise OutputError(f"{core.archive.folder}: cannot be pruned ({error.strerror}); mend the disk") from None
    return events, days


class Retention(threading.Thread):
    """A thread beside the core, that removes what is old until the `with` block ends."""

    def __init__(self, core: Core, keep: KeepConfig) -> None:
        super().__init__(name="retention", daemon=True)
        self._core, self._keep, self._ending = core, keep, threading.Event()

    def __enter__(self) -> Retention:
        """Begin, where anything is to be removed ever."""
        if self._keep.events_days or self._keep.positions_days:
            self.start()
        return self

    def __exit__(self, *failure: object) -> None:
        """End."""
        self._ending.set()
        if self.is_alive():
            self.join(5.0)

    def run(self) -> None:
        """Look once an hour."""
        while not self._ending.wait(EVERY_S):
            try:
                events, days = remove_old(self._core, self._keep, lambda: not self._ending.is_set())
            except OutputError as error:
                _log.error("%s", error)
                continue
            if events or days:
                _log.info("removed what is older than it is kept: %d events, %d days of positions", events, days)
