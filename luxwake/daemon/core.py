"""The core of the daemon: what has come in goes into the journal, through parsers and detectors, and into the store.

It runs in one thread, and is a function of the journal: the same records give the same changes, so that after a kill at
any instant it goes on from the last checkpoint as if nothing had happened.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from detectors.past import Room
from detectors.snapshot import parts_of, read_state
from detectors.told import Changes
from detectors.watch import Watch
from geo.errors import InputError, OutputError, UsageError
from luxwake.daemon.archive import Archive
from luxwake.daemon.checkpoint import Checkpoints
from luxwake.daemon.config import Config
from luxwake.daemon.detection import apart, folder_name, settings_of, watch_of
from luxwake.daemon.intake import Chunk
from luxwake.daemon.journal import Journal, Record
from luxwake.daemon.made import Made
from luxwake.daemon.parsing import Parser, make_parser, numbered, together
from luxwake.daemon.saving import HOLDS, Saving
from luxwake.daemon.sink import Change
from luxwake.daemon.store_open import open_store

COMMIT_S = 1.0
"""Without changes the number of the record is committed this often."""
SETTINGS = 0xFFFF
"""In the place of a source's number: the chunk holds settings, which hold from its record on."""


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
    changes: Made


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
        with ExitStack() as opened:  # an error leaves nothing open, so that it can be tried again
            opened.callback(self._lock.release)
            self.store = open_store(config)
            opened.callback(self.store.close)
            self.checkpoints = Checkpoints(self.folder / "checkpoints")
            opened.callback(self.checkpoints.close)
            self.kept = max([self.store.record, *self.checkpoints.numbers()])
            """A record up to which the journal was on the disk for good when this process began."""
            self.journal = Journal(self.folder / "journal", self.kept)
            opened.callback(self.journal.close)
            self._begin(config)
            opened.pop_all()

    def _begin(self, config: Config) -> None:
        """All that is there before `recover`."""
        self.names = self._numbers_of_sources()
        self.parsers: dict[int, Parser] = {self.names.index(one.name): make_parser(one) for one in config.sources}
        self.formats = {str(self.names.index(one.name)): one.format for one in config.sources}
        self.archive = Archive(self.folder / "archive", config.archive_rows, self.names) if config.archive else None
        self.cursors: dict[str, str] = {}
        """The newest cursor of each source that has one."""
        self.settings = settings_of(config)
        """What the watch was made with."""
        self.watch = self._watch_of(self.settings)
        self.rows = 0
        self.told: Counter[tuple[str, str]] = Counter()
        """Changes since the start, by kind of event and change."""
        self._seq = self.store.seq
        self.committed = self.store.record
        self.is_behind = False
        """Is a record followed in part, or has something followed that the store has not got yet? Meanwhile no other
        record may be followed, and no checkpoint be written."""
        self._t_committed = time.monotonic()
        self.followed = 0
        """The last record of the journal that was followed."""
        self.saving = Saving(self)
        self._once = [one.name for one in config.sinks if one.once]

    def _numbers_of_sources(self) -> list[str]:
        """Names of all sources that this state has ever had: the journal has their places in this list."""
        names: list[str] = msgspec.json.decode(self.store.meta("sources", "[]"))
        more = [one.name for one in self.config.sources if one.name not in names]
        if more:
            self.store.set_meta("sources", msgspec.json.encode(names + more).decode())
        return names + more

    def _watch_of(self, settings: dict[str, Any]) -> Watch:
        """A watch with these settings, whose rows and states that late rows need lie in files of their own."""
        return watch_of(settings, self.spool_of(settings), self.folder / "anchorages")

    def spool_of(self, settings: dict[str, Any]) -> Path:
        """Where a watch with these settings has its files."""
        return self.folder / "spool" / folder_name(settings)

    def files_of(self, settings: dict[str, Any]) -> set[Path]:
        """What lies beside the checkpoints of a watch with these settings."""
        return {self.spool_of(settings), self.folder / "anchorages" / settings["anchorages"]}

    def recover(self) -> int:
        """Take up where the last process ended; how many records of the journal were gone through again."""
        return sum(1 for _ in self.recovering()) - 1

    def recovering(self, until_written: Callable[[Callable[[], Any]], Any] = lambda write: write()) -> Iterator[None]:
        """As `recover`, by steps: after the first it is known where sources go on (`cursors`), after each of the others
        one more record of the journal has been gone through again, and a checkpoint may be written. It must come to its
        end before `take`. What writes is called by `until_written`, which may try again."""
        begin, files = next(self.checkpoints.whole(), (0, dict[str, Path]()))
        self.followed = self.saving.record = begin
        if files:
            self._resume(files["parsers"])
        else:
            self.checkpoints.refuse_if_damaged()
        if self.kept > self.journal.last:
            raise InputError(
                f"{self.journal.folder}: the journal ends with record {self.journal.last}, but the store has all up to "
                f"{self.kept}, or a checkpoint; put the missing segments back, or begin anew with an empty folder"
            )
        for again in self.journal.after(begin):
            self._note_cursors(again)
        yield
        if files:
            self.watch.load(files["watch"], self.checkpoints.older(begin, "watch"))
            self.checkpoints.forget_after(begin)
        if self.archive is not None:
            self.archive.recover(begin, self.journal.last, files.get("archive"))
        for again in self.journal.after(begin):
            until_written(partial(self.commit, self.follow(again)))
            yield
        chunks = self.settings_record(settings_of(self.config))
        if chunks:
            until_written(partial(self.commit, self.follow(until_written(partial(self.write, chunks)))))

    def _resume(self, path: Path) -> None:
        """Take parsers and cursors of a checkpoint, and its settings, which may be others than the present ones."""
        state, header = read_state(path, HOLDS)
        if header["settings"] != self.settings:
            self.settings = header["settings"]
            self.watch = self._watch_of(self.settings)
        parts = parts_of(state)
        for number, parser in self.parsers.items():  # one whose source has another format begins anew
            if header["formats"].get(str(number)) == self.formats[str(number)]:
                parser.resume(parts[str(number)])
        self.cursors = dict(header["cursors"])

    def _note_cursors(self, record: Record) -> None:
        for chunk in record.chunks:
            if chunk.cursor:
                self.cursors[self.names[chunk.source]] = chunk.cursor

    def settings_record(self, settings: dict[str, Any]) -> list[Chunk]:
        """What is to be written and followed to go on with these settings; empty where they are the present ones.

        Where only more or less is to be kept nothing that was told changes. Else events that go on are taken back, and
        those of the new settings told: theirs have other ids. They begin with the rows that are kept for late ones. The
        journal has the settings from here on. UsageError or InputError for what they may not say: that must not get
        into the journal.
        """
        if settings == self.settings and self.journal.last:
            return []
        watch_of(settings, kept=self.folder / "anchorages")
        return [Chunk(SETTINGS, time.time_ns() // 1000, msgspec.json.encode(settings), "", 0)]

    def _with_settings(self, settings: dict[str, Any]) -> list[Changes]:
        """The watch for other settings in the place of the present one, where they change what is told; what this
        changes."""
        (before, _), (after, room), self.settings = apart(self.settings), apart(settings), settings
        if before == after:
            self.watch.hold(Room(**room))
            return []
        old, self.watch = self.watch, self._watch_of(settings)
        return [old.withdraw(self.watch), *map(self.watch.feed, old.kept())]

    def write(self, chunks: Sequence[Chunk]) -> Record:
        """Write down what has come. OutputError where the disk does not take it: try again with the same chunks."""
        try:
            return Record(self.journal.append(chunks), list(chunks))
        except OSError as error:
            raise OutputError(
                f"{self.journal.folder}: cannot be written ({error.strerror}); free space or choose another `state`"
            ) from None

    def follow(self, record: Record) -> Followed:
        """What follows from a record; to be called once for each, in their order. Where it ends in an error, the next
        process must do it again."""
        begun, self.followed, self.is_behind = time.thread_time(), record.number, True
        self._note_cursors(record)
        tables = []
        told: list[Changes] = []
        for chunk in record.chunks:
            if chunk.source == SETTINGS:
                told += self._with_settings(msgspec.json.decode(chunk.data))
                continue
            parser = self.parsers.get(chunk.source)
            if parser is not None:  # a source that the configuration has no more
                tables.append(numbered(parser.feed(chunk.data, chunk.t), chunk.source))
        t = record.chunks[-1].t if record.chunks else 0
        if tables:
            fixes = together(tables, tuple(self.names))
            self.rows += len(fixes)
            if self.archive is not None:
                self.archive.add(fixes)
            told.append(self.watch.feed(fixes))
        self.saving.work_s += time.thread_time() - begun
        was_told = record.number <= self.committed  # before the last end of the process
        return Followed(record.number, t, self.made_of([] if was_told else told))

    def commit(self, followed: Followed) -> None:
        """Keep what follows from a record. OutputError where the disk does not take it: try again with the same."""
        self._commit_changes(followed)
        if self.archive is not None and self.archive.is_full:
            self.sync()
            self.archive.write(followed.record)

    def _commit_changes(self, followed: Followed) -> None:
        """Commit changes; a record from which none follows is noted once a second at most.

        The journal has the record for good before: a store that is ahead of it after a loss of power would have told
        what nobody can go through again.
        """
        record, t, made = followed
        if record <= self.committed or (not made and time.monotonic() - self._t_committed < COMMIT_S):
            return
        self.sync()
        self._keep(record, t, made)
        self.committed, self._t_committed = record, time.monotonic()
        self.is_behind = False
        self.told.update(made.by_kind())

    def _keep(self, record: int | None, t: int, made: Iterable[Change]) -> None:
        self.store.commit(record, t, made, {name: one.wants for name, one in self.filters.items()}, self._once)

    def tell(self, t: int, changes: Sequence[Change]) -> None:
        """Keep changes that follow from no record, numbered anew. OutputError where the disk does not take them."""
        made = [one._replace(seq=self._seq + k + 1) for k, one in enumerate(changes)]
        self._keep(None, t, made)
        self._seq += len(made)

    def sync(self) -> None:
        """What was written down survives the loss of power from here on. OutputError where the disk does not do it."""
        try:
            self.journal.sync()
        except OSError as error:
            raise OutputError(f"{self.journal.folder}: cannot be written ({error.strerror}); mend the disk") from None

    def take(self, chunks: Sequence[Chunk]) -> Made:
        """Write down, follow, commit: the changes that follow."""
        followed = self.follow(self.write(chunks))
        self.commit(followed)
        return followed.changes

    def made_of(self, told: Sequence[Changes]) -> Made:
        """Tables of changes as the store takes them; they are to be committed next."""
        made = Made(told, self._seq)
        self._seq += len(made)
        self.is_behind = len(made) > 0
        return made

    def conclude(self, record: Record) -> Followed:
        """The input has ended for good with this record, as that of a replay has: what the rows that waited change, and
        what stays open. Nothing can follow it."""
        self.is_behind = True
        return Followed(record.number, time.time_ns() // 1000, self.made_of([self.watch.flush()]))

    def finish(self) -> Made:
        """The input has ended for good: the changes that follow, committed."""
        followed = self.conclude(self.write([]))
        self.commit(followed)
        return followed.changes

    def checkpoint(self, *, archive: bool = True) -> None:
        """Write all that is known, and wait until it is on the disk; as `Saving.begin` and `Saving.end`."""
        self.saving.begin(archive=archive)
        self.saving.end()

    def close(self) -> None:
        """Write a checkpoint, but none of what the store has not got yet, and let go of the state folder."""
        if self.archive is not None:
            self.sync()
            self.archive.drain(self.journal.last)
        with suppress(OutputError):  # another one takes its place
            self.saving.end()
        if self.followed != self.saving.record and not self.is_behind:
            self.checkpoint()
        self.checkpoints.close()
        if self.archive is not None:
            self.archive.close()
        self.journal.close()
        self.store.close()
        self._lock.release()
