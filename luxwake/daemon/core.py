"""The core of the daemon: what has come in goes into the journal, through parsers and detectors, and into the store.

It runs in one thread, and is a function of the journal: the same records give the same changes, so that after a kill at
any instant it goes on from the last checkpoint as if nothing had happened.
"""

from __future__ import annotations

import fcntl
import math
import os
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from detectors.settings import params_of
from detectors.snapshot import parts_of, read_state, write_state
from detectors.watch import Changes, Watch
from geo.errors import InputError, OutputError, UsageError
from luxwake.daemon.archive import Archive
from luxwake.daemon.checkpoint import Checkpoints, Files
from luxwake.daemon.config import Config
from luxwake.daemon.intake import Chunk
from luxwake.daemon.journal import Journal, Record
from luxwake.daemon.parsing import Parser, make_parser, numbered, together
from luxwake.daemon.sink import Change
from luxwake.daemon.store import Store
from luxwake.geojson import event_properties

COMMIT_S = 1.0
"""Without changes the number of the record is committed this often."""
_HOLDS = {"holds": "the parsers of a daemon"}


class Lock:
    """One daemon for a state folder; UsageError where another one has it."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise UsageError(f"{folder}: another daemon uses this state; stop it, or set another `state`") from None

    def release(self) -> None:
        """Another one may have it."""
        os.close(self._file)


class Followed(NamedTuple):
    """What follows from a record of the journal."""

    record: int
    t: int
    """When the record came, µs."""
    changes: list[Change]


class Core:
    """Parsers, detectors, journal, checkpoints and store of one state folder.

    `recover` must be called before `take`.
    """

    def __init__(self, config: Config, filters: Mapping[str, Any] | None = None) -> None:
        self.folder = Path(config.state)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot be made ({error.strerror}); set another `state`") from None
        self._lock = Lock(self.folder)
        self.config = config
        self.filters = dict(filters or {})
        """For each sink, what says with `wants` which changes it gets."""
        self.store = Store(self.folder / "events.sqlite")
        self.journal = Journal(self.folder / "journal")
        self.checkpoints = Checkpoints(self.folder / "checkpoints")
        self.names = self._numbers_of_sources()
        self.parsers: dict[int, Parser] = {self.names.index(one.name): make_parser(one) for one in config.sources}
        self.archive = Archive(self.folder / "archive", config.archive_rows, self.names) if config.archive else None
        self.cursors: dict[str, str] = {}
        """The newest cursor of each source that has one."""
        self.watch = self.new_watch()
        self.rows = 0
        self.told: Counter[tuple[str, str]] = Counter()
        """Changes since the start, by kind of event and change."""
        self._seq = self.store.seq
        self.committed = self.store.record
        self._t_committed = time.monotonic()
        self._t_checkpoint, self._at_checkpoint = time.monotonic(), self.journal.last
        self._once = [one.name for one in config.sinks if one.once]

    def _numbers_of_sources(self) -> list[str]:
        """Names of all sources that this state has ever had: the journal has their places in this list."""
        names: list[str] = msgspec.json.decode(self.store.meta("sources", "[]"))
        more = [one.name for one in self.config.sources if one.name not in names]
        if more:
            self.store.set_meta("sources", msgspec.json.encode(names + more).decode())
        return names + more

    def new_watch(self) -> Watch:
        """Detectors as configured, that have heard nothing yet."""
        from geo.anchorages import Anchorages

        detect, watch = self.config.detect, self.config.watch
        return Watch(
            detect.detectors,
            params_of(detect.params),
            anchorages=Anchorages.load(detect.anchorages) if detect.anchorages else None,
            lateness_s=watch.lateness_s,
            step_s=watch.step_s,
            history_s=watch.history_s,
            max_rows=watch.max_rows,
            forget_s=watch.forget_s,
        )

    def recover(self) -> int:
        """Take up where the last process ended; how many records of the journal were gone through again."""
        begin, positions = 0, None
        for record, files in self.checkpoints.whole():
            self.watch.load(files["watch"])
            self._resume_parsers(files["parsers"])
            begin, positions = record, files.get("archive")
            break
        else:
            self.checkpoints.refuse_if_damaged()
        if self.store.record > self.journal.last:
            raise InputError(
                f"{self.journal.folder}: the journal ends with record {self.journal.last}, but the store has all up to "
                f"{self.store.record}; put the missing segments back, or begin anew with an empty folder"
            )
        if self.archive is not None:
            self.archive.recover(begin, self.journal.last, positions)
        n = 0
        for again in self.journal.after(begin):
            self.commit(self.follow(again))
            n += 1
        return n

    def _resume_parsers(self, path: Path) -> None:
        state, header = read_state(path, _HOLDS)
        parts = parts_of(state)
        for number, parser in self.parsers.items():
            if str(number) in parts:
                parser.resume(parts[str(number)])
        self.cursors = dict(header["cursors"])

    def write(self, chunks: Sequence[Chunk]) -> Record:
        """Write down what has come. OutputError where the disk does not take it: try again with the same chunks."""
        try:
            return Record(self.journal.append(chunks), list(chunks))
        except OSError as error:
            raise OutputError(
                f"{self.journal.folder}: cannot be written ({error.strerror}); free space or choose another `state`"
            ) from None

    def follow(self, record: Record) -> Followed:
        """What follows from a record; to be called once for each, in their order."""
        tables = []
        for chunk in record.chunks:
            if chunk.cursor:
                self.cursors[self.names[chunk.source]] = chunk.cursor
            parser = self.parsers.get(chunk.source)
            if parser is not None:  # a source that the configuration has no more
                tables.append(numbered(parser.feed(chunk.data, chunk.t), chunk.source))
        t = record.chunks[-1].t if record.chunks else 0
        if not tables:
            return Followed(record.number, t, [])
        fixes = together(tables, tuple(self.names))
        self.rows += len(fixes)
        if self.archive is not None:
            self.archive.add(fixes)
        changes = self.watch.feed(fixes)
        if record.number <= self.committed:  # it was told before the last end of the process
            return Followed(record.number, t, [])
        made = self.changes_of(changes)
        self._seq += len(made)
        return Followed(record.number, t, made)

    def commit(self, followed: Followed) -> None:
        """Keep what follows from a record. OutputError where the disk does not take it: try again with the same."""
        self._commit_changes(followed)
        if self.archive is not None and self.archive.is_full:
            self.sync()
            self.archive.write(followed.record)

    def _commit_changes(self, followed: Followed) -> None:
        """Commit changes; a record from which none follows is noted once a second at most."""
        record, t, made = followed
        if record <= self.committed or (not made and time.monotonic() - self._t_committed < COMMIT_S):
            return
        if made:
            try:
                self.journal.sync()
            except OSError as error:
                raise OutputError(
                    f"{self.journal.folder}: cannot be written ({error.strerror}); mend the disk"
                ) from None
        self._keep(record, t, made)
        self.committed, self._t_committed = record, time.monotonic()
        self.told.update((one.kind, one.change) for one in made)

    def _keep(self, record: int, t: int, made: list[Change]) -> None:
        wanted = {name: [one for one in made if wants.wants(one)] for name, wants in self.filters.items()}
        self.store.commit(record, t, made, wanted, self._once)

    def tell(self, t: int, changes: Sequence[Change]) -> None:
        """Keep changes that follow from no record, numbered anew. OutputError where the disk does not take them."""
        made = [one._replace(seq=self._seq + k + 1) for k, one in enumerate(changes)]
        self._keep(self.store.record, t, made)
        self._seq += len(made)

    def sync(self) -> None:
        """What was written down survives the loss of power from here on. OutputError where the disk does not do it."""
        try:
            self.journal.sync()
        except OSError as error:
            raise OutputError(f"{self.journal.folder}: cannot be written ({error.strerror}); mend the disk") from None

    def take(self, chunks: Sequence[Chunk]) -> list[Change]:
        """Write down, follow, commit: the changes that follow."""
        followed = self.follow(self.write(chunks))
        self.commit(followed)
        return followed.changes

    def changes_of(self, changes: Changes) -> list[Change]:
        """A table of changes as the store takes them."""
        made = []
        for k, event in enumerate(event_properties(changes)):
            score = event.get("score")
            made.append(
                Change(
                    self._seq + k + 1,
                    event["id"],
                    event["revision"],
                    event["change"],
                    event["kind"],
                    event["mmsi"],
                    event.get("other") or 0,
                    float(changes["lat"][k]),
                    float(changes["lon"][k]),
                    math.nan if score is None else score,
                    msgspec.json.encode(event).decode(),
                )
            )
        return made

    def conclude(self, record: Record) -> Followed:
        """The input has ended for good with this record, as that of a replay has: what the rows that waited change, and
        what stays open. Nothing can follow it."""
        made = self.changes_of(self.watch.flush())
        self._seq += len(made)
        return Followed(record.number, time.time_ns() // 1000, made)

    def finish(self) -> list[Change]:
        """The input has ended for good: the changes that follow, committed."""
        followed = self.conclude(self.write([]))
        self.commit(followed)
        return followed.changes

    @property
    def is_checkpoint_due(self) -> bool:
        """Is it time for a checkpoint?"""
        limits = self.config.checkpoint
        if self.journal.last == self._at_checkpoint:
            return False
        is_long_ago = time.monotonic() - self._t_checkpoint >= limits.every_s
        return is_long_ago or self.journal.n_bytes >= limits.journal_mib * (1 << 20)

    def checkpoint(self) -> None:
        """Write all that is known; the journal before the checkpoint that is older is let go of."""
        record = self.journal.last
        state = {f"{n}.{name}": array for n, one in self.parsers.items() for name, array in one.state().items()}
        header = {**_HOLDS, "cursors": self.cursors}
        try:
            self.journal.sync()
            self._write_checkpoint(record, header, state)
        except OSError as error:
            raise OutputError(
                f"{self.folder}: cannot be written ({error.strerror}); free space or choose another `state`"
            ) from None
        self._t_checkpoint, self._at_checkpoint = time.monotonic(), record

    def _write_checkpoint(self, record: int, header: dict[str, Any], state: dict[str, Any]) -> None:
        files: Files = {"watch": self.watch.save, "parsers": lambda path: write_state(path, state, header)}
        if self.archive is not None:
            with suppress(OutputError):  # its rows are in the checkpoint
                self.archive.write(record, wait=False)
            files["archive"] = self.archive.save
        needed = self.checkpoints.write(record, files)
        self.journal.forget(needed)
        self.journal.rotate()
        if self.archive is not None:
            self.archive.compact(self.watch.engine.newest)

    def close(self) -> None:
        """Write a checkpoint, and let go of the state folder."""
        if self.archive is not None:
            self.sync()
            self.archive.drain(self.journal.last)
        if self.journal.last != self._at_checkpoint:
            self.checkpoint()
        if self.archive is not None:
            self.archive.close()
        self.journal.close()
        self.store.close()
        self._lock.release()
