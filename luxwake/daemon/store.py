"""The store: every change of an event, the newest form of each, and what is still to be sent, in one SQLite file.

What follows from a record of the journal is one transaction, with the number of the record: after a kill the store
says up to which record all has been done. Readers are never in the way of the writer (WAL); a transaction is on the
disk when it is committed (synchronous=FULL).
"""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from geo.errors import InputError, OutputError
from luxwake.daemon.sink import Change

SCHEMA = 1
_TABLES = """
create table if not exists meta (name text primary key, value text not null) without rowid;
create table if not exists changes (
    seq integer primary key, event_id text not null, revision integer not null, change text not null,
    kind text not null, mmsi integer not null, other integer not null, lat real, lon real, score real,
    t_told integer not null, body text not null, unique (event_id, revision)
);
create index if not exists changes_of_ship on changes (mmsi);
create table if not exists newest (event_id text primary key, seq integer not null) without rowid;
create view if not exists events as select changes.* from newest join changes using (seq);
create table if not exists outbox (
    sink text not null, seq integer not null, attempts integer not null default 0, primary key (sink, seq)
) without rowid;
create table if not exists dead_letters (
    sink text not null, seq integer not null, t integer not null, reason text not null, primary key (sink, seq)
) without rowid;
create table if not exists sinks (name text primary key, mark text not null, sent integer not null) without rowid;
create table if not exists alerted (
    sink text not null, event_id text not null, primary key (sink, event_id)
) without rowid;
"""
_COLUMNS = "seq, event_id, revision, change, kind, mmsi, other, lat, lon, score, body"


class Store:
    """The store of a daemon; any thread may use it.

    Raises InputError for a file that is no store of this version, OutputError where it cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(self.path, timeout=30.0, isolation_level=None, check_same_thread=False)
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            self._db.execute("pragma temp_store = memory")
            self._db.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            raise InputError(f"{path}: cannot be opened as a store ({error}); move it away to begin anew") from None
        version = int(self.meta("schema", str(SCHEMA)))
        if version != SCHEMA:
            raise InputError(f"{path}: a store of version {version}, not {SCHEMA}; use the version that wrote it")
        self.set_meta("schema", str(SCHEMA))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing of what is done in the block; OutputError where the disk does not take it."""
        with self._lock:
            try:
                self._db.execute("begin immediate")
                yield self._db
                self._db.execute("commit")
            except sqlite3.DatabaseError as error:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise OutputError(f"{self.path}: cannot be written ({error}); free space, or mend the disk") from None
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def meta(self, name: str, default: str = "") -> str:
        """A value of the store's own."""
        found = self._rows("select value from meta where name = ?", (name,))
        return str(found[0][0]) if found else default

    def set_meta(self, name: str, value: str) -> None:
        """Keep a value."""
        with self._transaction() as db:
            db.execute("insert or replace into meta values (?, ?)", (name, value))

    @property
    def record(self) -> int:
        """Number of the last record of the journal whose changes are all here."""
        return int(self.meta("record", "0"))

    @property
    def seq(self) -> int:
        """Number of the last change, which is never used again."""
        return int(self.meta("seq", "0"))

    def commit(
        self,
        record: int,
        t: int,
        changes: Sequence[Change],
        wanted: Mapping[str, Sequence[Change]],
        once: Sequence[str],
    ) -> None:
        """Keep what follows from a record of the journal, at once or not at all.

        Parameters
        ----------
        record : number of the record
        t : when it came, µs
        changes : what follows from it, in order
        wanted : for each sink the changes that it is to be sent
        once : sinks that are sent one change of each event
        """
        with self._transaction() as db:
            db.executemany(
                "insert into changes values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(*change[:10], t, change.body) for change in changes],
            )
            db.executemany(
                "insert or replace into newest values (?, ?)", [(change.event_id, change.seq) for change in changes]
            )
            for sink, chosen in wanted.items():
                for change in chosen:
                    if sink in once:
                        key = (sink, change.event_id)
                        if db.execute("insert or ignore into alerted values (?, ?)", key).rowcount == 0:
                            continue
                    db.execute("insert into outbox (sink, seq) values (?, ?)", (sink, change.seq))
            db.execute("insert or replace into meta values ('record', ?)", (str(record),))
            if changes:
                db.execute("insert or replace into meta values ('seq', ?)", (str(changes[-1].seq),))

    def changes(self, after: int = 0, limit: int = 1000) -> list[Change]:
        """Changes with higher numbers than `after`, in their order."""
        rows = self._rows(f"select {_COLUMNS} from changes where seq > ? order by seq limit ?", (after, limit))
        return [_change(row) for row in rows]

    def has(self, event_id: str) -> bool:
        """Was this event ever told?"""
        return bool(self._rows("select 1 from newest where event_id = ?", (event_id,)))

    def due(self, sink: str, limit: int) -> list[Change]:
        """What a sink is still to be sent, in order."""
        rows = self._rows(
            f"select {_COLUMNS} from changes where seq in (select seq from outbox where sink = ? order by seq limit ?) "
            "order by seq",
            (sink, limit),
        )
        return [_change(row) for row in rows]

    def mark(self, sink: str) -> str:
        """What the sink returned when it was last sent something."""
        found = self._rows("select mark from sinks where name = ?", (sink,))
        return str(found[0][0]) if found else ""

    def sent(self, sink: str, changes: Sequence[Change], mark: str) -> None:
        """The sink has these for good."""
        with self._transaction() as db:
            db.executemany("delete from outbox where sink = ? and seq = ?", [(sink, c.seq) for c in changes])
            db.execute(
                "insert into sinks values (?, ?, ?) on conflict (name) do update set mark = excluded.mark, "
                "sent = sent + excluded.sent",
                (sink, mark, len(changes)),
            )

    def refused(self, sink: str, change: Change, reason: str) -> None:
        """The sink will never take this one: it is kept apart."""
        with self._transaction() as db:
            db.execute("delete from outbox where sink = ? and seq = ?", (sink, change.seq))
            t = time.time_ns() // 1000
            db.execute("insert or replace into dead_letters values (?, ?, ?, ?)", (sink, change.seq, t, reason))

    def tried(self, sink: str, change: Change) -> int:
        """One more attempt to send this change has failed; how many by now."""
        with self._transaction() as db:
            key = (sink, change.seq)
            db.execute("update outbox set attempts = attempts + 1 where sink = ? and seq = ?", key)
            found = db.execute("select attempts from outbox where sink = ? and seq = ?", key).fetchone()
            return int(found[0]) if found else 0

    def waiting(self, sink: str) -> int:
        """How many changes wait for a sink."""
        return int(self._rows("select count(*) from outbox where sink = ?", (sink,))[0][0])

    def dead_letters(self, sink: str) -> int:
        """How many changes a sink has refused."""
        return int(self._rows("select count(*) from dead_letters where sink = ?", (sink,))[0][0])

    def sent_by(self, sink: str) -> int:
        """How many changes a sink has been sent."""
        found = self._rows("select sent from sinks where name = ?", (sink,))
        return int(found[0][0]) if found else 0

    def check(self) -> list[str]:
        """What is wrong with the file; empty when nothing is."""
        found = [str(row[0]) for row in self._rows("pragma integrity_check")]
        wrong = [] if found == ["ok"] else found
        lost = self._rows("select count(*) from outbox where seq not in (select seq from changes)")[0][0]
        wrong += [f"{lost} changes to be sent are missing"] if lost else []
        last = "select event_id, max(seq) from changes group by event_id"
        other = self._rows(f"select count(*) from (select event_id, seq from newest except {last})")[0][0]
        return wrong + ([f"{other} events are not shown in their newest form"] if other else [])

    def prune(self, before: int) -> int:
        """Remove the events that were last told before this time (µs) and wait for no sink; how many."""
        with self._transaction() as db:
            db.execute("create temp table old (event_id text primary key)")
            db.execute(
                "insert into old select event_id from events where t_told < ? and event_id not in "
                "(select event_id from changes where seq in (select seq from outbox))",
                (before,),
            )
            for table in ("changes", "newest", "alerted"):
                db.execute(f"delete from {table} where event_id in (select event_id from old)")
            db.execute("delete from dead_letters where seq not in (select seq from changes)")
            n = int(db.execute("select count(*) from old").fetchone()[0])
            db.execute("drop table old")
            return n

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()


def _change(row: Sequence[Any]) -> Change:
    """A row of the table of changes; SQLite keeps no NaN."""
    change = Change(*row)
    return change._replace(score=math.nan) if change.score is None else change
