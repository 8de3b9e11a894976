"""The store in one SQLite file.

Readers are never in the way of the writer (WAL); a transaction is on the disk when it is committed (synchronous=FULL).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from geo.errors import InputError, OutputError
from luxwake.daemon.event_store import SCHEMA, EventStore

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
create index if not exists outbox_of_change on outbox (seq);
create table if not exists dead_letters (
    sink text not null, seq integer not null, t integer not null, reason text not null, primary key (sink, seq)
) without rowid;
create table if not exists sinks (name text primary key, mark text not null, sent integer not null) without rowid;
create table if not exists alerted (
    sink text not null, event_id text not null, primary key (sink, event_id)
) without rowid;
"""


class Store(EventStore):
    """The store of a daemon in a file; any thread may use it.

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
            try:
                return self._db.execute(sql, values).fetchall()
            except sqlite3.DatabaseError as error:
                raise OutputError(f"{self.path}: cannot be read ({error}); mend the disk, or move it away") from None

    def _damage(self) -> list[str]:
        found = [str(row[0]) for row in self._rows("pragma integrity_check")]
        return [] if found == ["ok"] else found

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
