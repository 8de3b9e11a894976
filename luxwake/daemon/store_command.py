"""`luxwake store`: what a daemon has found, while it runs or afterwards."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from ais.table import FIX_DTYPES, columns_of
from geo.errors import InputError, UsageError
from geo.whole_file import write_text
from luxwake.console import Console, print_json_lines
from luxwake.daemon.archive_files import ArchiveRows, days
from luxwake.daemon.journal import Journal
from luxwake.daemon.store import Store
from luxwake.sink import open_sink
from luxwake.times import parse_time

_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_MOST_STEPS = 2_000_000_000


def _place(state: str | Path) -> Path:
    path = Path(state) / "events.sqlite"
    if not path.is_file():
        raise InputError(f"{state}: no store in it; give the folder that is `state` in the daemon's configuration")
    return path


def query(state: str | Path, sql: str, console: Console) -> None:
    """Ask the store with one SELECT; nothing can be written by it."""
    path = _place(state)
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        db.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY)
        try:
            found = db.execute(sql)
            names = [column[0] for column in found.description or ()]
            rows = found.fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise UsageError(
                f"{error}; `store query` takes one SELECT over events, changes, outbox, dead_letters"
            ) from None
    if console.json:
        print_json_lines(dict(zip(names, row, strict=True)) for row in rows)
    else:
        console.table(f"{len(rows):,} rows", names, rows)


def export(state: str | Path, out: str, console: Console) -> None:
    """The newest form of every event that was not retracted, one JSON object a line."""
    path = _place(state)
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
        rows = db.execute("select body from events where change != 'retracted' order by seq")
        lines = (body + "\n" for (body,) in rows)
        if out == "-":
            sys.stdout.writelines(lines)
        else:
            write_text(out, lines)
            console.note(f"written: {out}")


def export_fixes(state: str | Path, out: str, console: Console) -> None:
    """All positions of the archive in one file, day by day in the order of time."""
    from luxwake.daemon.archive_reading import day_rows, sources_of

    folder = _archive(state)
    names = sources_of(folder)
    with open_sink(out, ArchiveRows.of(columns_of(FIX_DTYPES, 0), names)) as sink:
        for day in days(folder):
            for fixes in day_rows(folder, day, names):
                sink.write(ArchiveRows.of(fixes.columns, names))
    console.note(f"{sink.rows:,} positions of {len(days(folder)):,} days: {out}")


def _archive(state: str | Path) -> Path:
    folder = Path(state) / "archive"
    if not folder.is_dir():
        raise InputError(f"{state}: no archive in it; give the folder that is `state` in the daemon's configuration")
    return folder


def prune(state: str | Path, before: str | None, positions_before: str | None, console: Console) -> None:
    """Remove the events that were last told before a time, and the days of the archive that had ended by a time."""
    from luxwake.daemon.archive_reading import prune_days

    if before is None and positions_before is None:
        raise UsageError("prune needs --before T (events), --positions-before T (days of the archive), or both")
    t = None if before is None else parse_time(before, "--before")
    t_positions = None if positions_before is None else parse_time(positions_before, "--positions-before")
    rows = []
    if t is not None:
        store = Store(_place(state))
        rows.append(("events", store.prune(t), before))
        store.close()
    if t_positions is not None:
        rows.append(("days of positions", prune_days(_archive(state), t_positions), positions_before))
    console.table("Pruned", ("what", "removed", "before"), rows)


def verify(state: str | Path, console: Console) -> None:
    """Whether the store and the archive are whole and the journal fits to them; InputError where not."""
    from luxwake.daemon.archive_reading import faults

    store = Store(_place(state))
    wrong = store.check()
    record = store.record
    store.close()
    journal = Path(state) / "journal"
    last = 0
    if journal.is_dir():
        last = Journal.last_of(journal)
    if last < record:
        wrong.append(f"the journal ends with record {last}, the store has all up to {record}")
    files, positions, faulty = faults(Path(state) / "archive")
    wrong += faulty
    if wrong:
        raise InputError(f"{state}: {'; '.join(wrong)}; put a copy back, or begin anew with an empty folder")
    names = ("record", "journal ends with", "files of positions", "positions", "found wrong")
    console.table("Store", names, [(record, last, files, positions, "nothing")])
