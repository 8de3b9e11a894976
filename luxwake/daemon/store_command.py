"""`luxwake store`: what a daemon has found, while it runs or afterwards, in SQLite or in PostgreSQL."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

from ais.table import FIX_DTYPES, columns_of
from geo.errors import InputError, UsageError
from geo.whole_file import write_text
from luxwake.console import Console, plain, print_json_lines
from luxwake.daemon.archive_files import ArchiveRows, days
from luxwake.daemon.config import Config, read_config
from luxwake.daemon.event_store import EventStore
from luxwake.daemon.journal import Journal
from luxwake.daemon.store import Store
from luxwake.daemon.store_open import FILE, has_database
from luxwake.sink import open_sink
from luxwake.times import parse_time

_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_TAKES = "`store query` takes one SELECT over events, changes, outbox, dead_letters"
_Asked = tuple[list[str], Iterator[Sequence[Any]]]
"""Names of columns, and the rows."""


def place(config: str | None, state: str | None) -> Config:
    """Where the store is that the options name: `--config FILE`, or the folder `--state` (default: state).

    Raises UsageError for both, and for a folder whose store is a database.
    """
    if config is not None:
        if state is not None:
            raise UsageError(
                "--config and --state are both given; the configuration names the folder, give one of them"
            )
        return read_config(config)
    found = Config(state="state" if state is None else state)
    if has_database(Path(found.state)):
        raise UsageError(f"{found.state}: its store is a database; give --config FILE, which names it")
    return found


def _file(config: Config) -> Path:
    path = Path(config.state) / FILE
    if not path.is_file():
        raise InputError(
            f"{config.state}: no store in it; give the folder that is `state` in the daemon's configuration"
        )
    return path


def _store(config: Config) -> EventStore:
    """The store, which a daemon may be using."""
    if not config.store:
        return Store(_file(config))
    from luxwake.daemon.store_postgres import PostgresStore

    return PostgresStore(config.store, is_daemon=False)


def _asked(config: Config, sql: str) -> AbstractContextManager[_Asked]:
    """What the store answers, from one instant; UsageError for anything but one SELECT."""
    if not config.store:
        return _asked_of_file(_file(config), sql)
    from luxwake.daemon.store_postgres import asked

    return asked(config.store, sql, _TAKES)


@contextmanager
def _asked_of_file(path: Path, sql: str) -> Iterator[_Asked]:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        db.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY)
        try:
            found = db.execute(sql)
            if found.description is None:
                raise sqlite3.ProgrammingError("nothing is asked")
            yield [column[0] for column in found.description], found
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise UsageError(f"{error}; {_TAKES}") from None


def query(config: Config, sql: str, console: Console) -> None:
    """Ask the store with one SELECT; nothing can be written by it."""
    with _asked(config, sql) as (names, found):
        rows = list(found)
    if console.json:
        print_json_lines(dict(zip(names, map(plain, row), strict=True)) for row in rows)
    else:
        console.table(f"{len(rows):,} rows", names, rows)


def export(config: Config, out: str, console: Console) -> None:
    """The newest form of every event that was not retracted, one JSON object a line."""
    with _asked(config, "select body from events where change != 'retracted' order by seq") as (_, rows):
        lines = (body + "\n" for (body,) in rows)
        if out == "-":
            sys.stdout.writelines(lines)
        else:
            write_text(out, lines)
            console.note(f"written: {out}")


def export_fixes(config: Config, out: str, console: Console) -> None:
    """All positions of the archive in one file, day by day in the order of time."""
    from luxwake.daemon.archive_reading import day_rows, sources_of

    folder = _archive(config)
    names = sources_of(folder)
    with open_sink(out, ArchiveRows.of(columns_of(FIX_DTYPES, 0), names)) as sink:
        for day in days(folder):
            for fixes in day_rows(folder, day, names):
                sink.write(ArchiveRows.of(fixes.columns, names))
    console.note(f"{sink.rows:,} positions of {len(days(folder)):,} days: {out}")


def _archive(config: Config) -> Path:
    folder = Path(config.state) / "archive"
    if not folder.is_dir():
        raise InputError(f"{config.state}: no archive in it; give the folder that is `state` in the configuration")
    return folder


def prune(config: Config, before: str | None, positions_before: str | None, console: Console) -> None:
    """Remove the events that were last told before a time, and the days of the archive that had ended by a time."""
    from luxwake.daemon.archive_reading import prune_days

    if before is None and positions_before is None:
        raise UsageError("prune needs --before T (events), --positions-before T (days of the archive), or both")
    t = None if before is None else parse_time(before, "--before")
    t_positions = None if positions_before is None else parse_time(positions_before, "--positions-before")
    rows = []
    if t is not None:
        with closing(_store(config)) as store:
            rows.append(("events", store.prune(t), before))
    if t_positions is not None:
        rows.append(("days of positions", prune_days(_archive(config), t_positions), positions_before))
    console.table("Pruned", ("what", "removed", "before"), rows)


def verify(config: Config, console: Console) -> None:
    """Whether the store and the archive are whole and the journal fits to them; InputError where not."""
    from luxwake.daemon.archive_reading import faults

    with closing(_store(config)) as store:
        wrong, record = store.check(), store.record
    journal = Path(config.state) / "journal"
    last = Journal.last_of(journal) if journal.is_dir() else 0
    if last < record:
        wrong.append(f"the journal ends with record {last}, the store has all up to {record}")
    files, positions, faulty = faults(Path(config.state) / "archive")
    wrong += faulty
    if wrong:
        raise InputError(f"{config.state}: {'; '.join(wrong)}; put a copy back, or begin anew with an empty folder")
    names = ("record", "journal ends with", "files of positions", "positions", "found wrong")
    console.table("Store", names, [(record, last, files, positions, "nothing")])
