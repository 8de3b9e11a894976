"""When the core writes a checkpoint, and what it does when one is on the disk."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from detectors.snapshot import put_state
from detectors.spool import Memory
from geo.errors import OutputError
from luxwake.daemon.checkpoint import Files

if TYPE_CHECKING:
    from luxwake.daemon.core import Core

AGAIN_S, COSTS = 0.3, 25.0
"""A start has so much to do again at most, in seconds of work, or so many times what a checkpoint costs: 4 % of the
time goes into checkpoints of a large state, and less into those of a small one."""
MANY_ROWS = 1 << 18
"""So many rows of the archive, 13.6 MB, are not copied but written."""
ARCHIVE_S = 20.0
"""A checkpoint waits so long for the archive."""
RETRY_S = 1.0
"""After an error the disk is not asked again for so long."""
UNUSED_S = 86_400.0
"""A copy of a file of anchorages is kept for so long at least."""
HOLDS = {"holds": "the parsers of a daemon"}


class _Begun(NamedTuple):
    """A checkpoint that is on its way to the disk."""

    record: int
    t: float
    work_s: float
    appended: int
    shelf: Memory
    beside: set[Path]
    batch: int | None
    """Newest batch of the archive; None where it was not handed its rows."""
    needed: Future[int]


class Saving:
    """The checkpoints of a core: `begin` copies what it knows, `end` follows when the copy is on the disk."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.record = 0
        """Of the journal, after which the newest checkpoint is."""
        self.work_s = 0.0
        """Of following what came since, CPU."""
        self._cost_s, self._appended = 0.0, 0
        self._t_begun = self._t_archived = time.monotonic()
        self._t_failed = 0.0
        self._room: Future[None] | None = None
        self._t_room, self._with_archive, self._is_handed = 0.0, False, False
        self._begun: _Begun | None = None
        self._beside: list[set[Path]] = []
        """What lies beside the two last checkpoints that this process wrote (`Core.files_of`)."""

    @property
    def is_due(self) -> bool:
        """Is it time for a checkpoint?"""
        core, limits, now = self._core, self._core.config.checkpoint, time.monotonic()
        if self._begun is not None or core.followed == self.record or now - self._t_failed < RETRY_S:
            return False
        is_much = self.work_s >= max(AGAIN_S, COSTS * self._cost_s)
        is_long_ago = now - self._t_begun >= limits.every_s
        return is_much or is_long_ago or core.journal.n_appended - self._appended >= limits.journal_mib * (1 << 20)

    @property
    def is_archive_due(self) -> bool:
        """Is it time for files of the archive? Until then its rows are in the checkpoints, unless they are many."""
        archive = self._core.archive
        is_long_ago = time.monotonic() - self._t_archived >= self._core.config.checkpoint.every_s
        return archive is not None and (is_long_ago or archive.rows >= MANY_ROWS)

    def go_on(self) -> bool:
        """Go on as far as that needs no wait: make room when a checkpoint is due, begin it, end it. Is one on the disk
        now? OutputError as `begin` and `end`."""
        if self._begun is not None:
            if not self._begun.needed.done():
                return False
            self.end()
            return True
        if self._room is None and self.is_due:
            self._make_room()
        elif self._room is not None and self._room.done() and self._has_archived():
            self.begin(archive=self._with_archive)
        return False

    def _make_room(self) -> None:
        core, self._t_room = self._core, time.monotonic()
        self._with_archive, self._is_handed = self.is_archive_due, False
        largest = sum(column.nbytes for column in core.watch.engine.columns().values())
        self._room = core.checkpoints.prepare("watch", largest)

    def _has_archived(self) -> bool:
        """Has the archive written what it held, so that it need not be copied, or does that take too long?"""
        archive = self._core.archive
        if archive is None or not self._with_archive or time.monotonic() - self._t_room >= ARCHIVE_S:
            return True
        if archive.is_idle and not self._is_handed:
            self._is_handed = True
            self._hand_over()
            return False
        return archive.is_idle

    def _hand_over(self) -> None:
        core = self._core
        if core.archive is not None:
            with suppress(OutputError):  # its rows are in the checkpoint
                core.sync()  # or, after a loss of power, the archive would have what the journal has not
                core.archive.write(core.followed, wait=False)

    def begin(self, *, archive: bool) -> None:
        """Write down all that is known; a thread brings it to the disk, and `end` follows.

        Nothing is done where the newest checkpoint is after the same record: to write over it would leave none for an
        instant. OutputError where it cannot be written. `archive`: the rows of the archive are handed to it, and not
        only kept with the rest.
        """
        with suppress(OutputError):  # this one takes its place
            self.end()
        core, t = self._core, time.monotonic()
        if core.followed == self.record:
            return
        if self._room is not None:
            self._room.result()
            self._room = None
        elif archive:
            self._hand_over()
        try:
            core.sync()
            needed = core.checkpoints.begin(core.followed, self._files())
        except (OSError, OutputError) as error:
            raise self._failed(error) from None
        core.journal.rotate()
        beside = core.files_of(core.settings)
        batch = core.archive.last if core.archive is not None and archive else None
        self._begun = _Begun(
            core.followed, t, self.work_s, core.journal.n_appended, core.watch.shelf, beside, batch, needed
        )

    def _files(self) -> Files:
        """What writes each file of a checkpoint."""
        core = self._core
        state = {f"{n}.{name}": array for n, one in core.parsers.items() for name, array in one.state().items()}
        header = {**HOLDS, "cursors": core.cursors, "settings": core.settings, "formats": core.formats}

        def parsers(stream: BinaryIO) -> Iterable[Path]:
            put_state(stream, state, header)
            return ()

        files: Files = {"watch": core.watch.put, "parsers": parsers}
        if core.archive is not None:
            files["archive"] = core.archive.put
        return files

    def _failed(self, error: OSError | OutputError) -> OutputError:
        self._t_failed = time.monotonic()
        if isinstance(error, OutputError):
            return error
        why = error.strerror or error
        return OutputError(f"{self._core.folder}: cannot be written ({why}); free space or choose another `state`")

    def end(self) -> None:
        """Wait for what was begun, and let go of what is needed no more: of the journal before the older of the two
        checkpoints that are kept, for one. OutputError where it did not get to the disk: another one is due then."""
        begun, self._begun = self._begun, None
        if begun is None:
            return
        core = self._core
        try:
            needed = begun.needed.result()
        except (OSError, OutputError) as error:
            raise self._failed(error) from None
        begun.shelf.saved()
        self.record, self._t_begun = begun.record, begun.t
        self._appended = begun.appended
        self.work_s, self._cost_s = self.work_s - begun.work_s, time.monotonic() - begun.t
        self._beside = [*self._beside[-1:], begun.beside]
        if len(self._beside) > 1:  # that of settings of which no checkpoint is any more
            used = set.union(*self._beside, core.files_of(core.settings))
            for folder in set((core.folder / "spool").iterdir()) - used:
                shutil.rmtree(folder, ignore_errors=True)
            for copy in set((core.folder / "anchorages").glob("*")) - used:
                if time.time() - copy.stat().st_mtime > UNUSED_S:  # the journal may have such settings between the two
                    copy.unlink(missing_ok=True)
        core.journal.forget(needed)
        if core.archive is not None and begun.batch is not None:
            core.archive.compact(core.watch.engine.newest, begun.batch)
            self._t_archived = time.monotonic()
