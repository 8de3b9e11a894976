"""The store in PostgreSQL, for teams: the same tables in a schema `luxwake`, with points where PostGIS is.

One session holds an advisory lock, so that two daemons cannot write to one database. A connection that broke is made
anew by the next call; until it stands each call raises OutputError, upon which the core and the sinks try again.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from geo.errors import InputError, LuxwakeError, OutputError, UsageError
from luxwake.daemon.event_store import SCHEMA, Answer, EventStore

if TYPE_CHECKING:
    import psycopg

LOCK = int.from_bytes(b"luxwake", "big")
"""Key of the advisory lock; `pg_locks` shows its halves as classid 7107960 and objid 2002873189."""
LOCK_WAIT_S = 3.0
"""A start waits so long for the lock: the server needs a moment to see that a killed daemon has gone."""
AGAIN_S = 1.0
"""After a connection has failed the next one is tried no sooner: the callers of all threads are answered at once."""
_SESSION = {
    "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 15_000, "application_name": "luxwake",
}  # fmt: skip
"""What the URL may say otherwise: a server that does not answer any more is known to be gone after about 25 s."""
_TABLES = b"""
create schema if not exists luxwake;
create table luxwake.meta (name text primary key, value text not null);
create table luxwake.changes (
    seq bigint primary key, event_id text not null, revision integer not null, change text not null,
    kind text not null, mmsi bigint not null, other bigint not null, lat double precision, lon double precision,
    score double precision, t_told bigint not null, body json not null, unique (event_id, revision)
);
create index changes_of_ship on luxwake.changes (mmsi);
create table luxwake.newest (event_id text primary key, seq bigint not null);
create view luxwake.events as select changes.* from luxwake.newest join luxwake.changes using (seq);
create table luxwake.outbox (
    sink text not null, seq bigint not null, attempts integer not null default 0, primary key (sink, seq)
);
create index outbox_of_change on luxwake.outbox (seq);
create table luxwake.dead_letters (
    sink text not null, seq bigint not null, t bigint not null, reason text not null, primary key (sink, seq)
);
create table luxwake.sinks (name text primary key, mark text not null, sent bigint not null);
create table luxwake.alerted (sink text not null, event_id text not null, primary key (sink, event_id));
"""
_SETTINGS = b"""
select set_config('search_path', 'luxwake, ' || current_setting('search_path'), false),
    set_config('lock_timeout', '10s', false),
    set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),
    set_config('tcp_keepalives_count', '3', false),
    set_config('synchronous_commit', case current_setting('synchronous_commit') when 'off' then 'on'
        else current_setting('synchronous_commit') end, false)
"""


def library() -> Any:
    """The module psycopg; UsageError where it is not installed."""
    try:
        import psycopg
    except ImportError:
        raise UsageError("store: PostgreSQL needs psycopg, which is not installed; pip install 'luxwake[pg]'") from None
    return psycopg


def place_of(url: str) -> str:
    """Where a store is, without what is secret; UsageError for what is no URL of a database.

    >>> place_of("postgresql://me:secret@db.example.org/ships?sslmode=require")
    'postgresql://db.example.org/ships'
    """
    wrong = (
        "store: not the URL of a database; write postgresql://user:${PASSWORD}@host:5432/database, and the signs "
        "@ : / ? # of a user or a password as %40 %3A %2F %3F %23"
    )
    try:
        parts = library().conninfo.conninfo_to_dict(url)
    except library().Error:
        raise UsageError(wrong) from None
    host, port, name = (str(parts.get(key, "")) for key in ("host", "port", "dbname"))
    if "@" in host + name or not re.fullmatch(r"[0-9,]*", port):  # a part of a password
        raise UsageError(wrong)
    return "postgresql://" + host + (f":{port}" if port else "") + (f"/{name}" if name else "")


def connected(url: str, *, read_only: bool = False) -> psycopg.Connection[Any]:
    """A session; OutputError with the server's words where it cannot be had."""
    pg, place = library(), place_of(url)
    told = pg.conninfo.conninfo_to_dict(url)
    try:
        options = {**_SESSION, **told, "client_encoding": "utf-8"}
        db: psycopg.Connection[Any] = pg.connect(**options, autocommit=True)
        db.execute(_SETTINGS)
    except pg.Error as error:
        raise OutputError(
            f"{place}: cannot be connected to ({words(error)}); see that it runs and lets you in"
        ) from None
    db.adapters.register_loader("json", pg.types.string.TextLoader)  # the text as it was written
    db.read_only = read_only
    return db


def words(error: Exception) -> str:
    """What the server or the library said, on one line."""
    return re.sub(r"\s+", " ", str(error)).strip().rstrip(".") or type(error).__name__


class _Session:
    """A connection that takes `?` for values, as SQLite does."""

    def __init__(self, db: psycopg.Connection[Any]) -> None:
        self._db = db

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Answer:
        return self._db.execute(sql.replace("?", "%s").encode(), values)

    def executemany(self, sql: str, values: Iterable[Sequence[Any]], /) -> Answer:
        cursor = self._db.cursor()
        cursor.executemany(sql.replace("?", "%s").encode(), values)
        return cursor


class PostgresStore(EventStore):
    """The store of a daemon in a database; any thread may use it.

    Raises UsageError where another daemon uses it, where it cannot hold every text, or where `is_daemon` is false and
    there is none in it; OutputError where the server is not there, or does not take what is written.
    """

    def __init__(self, url: str, *, is_daemon: bool = True) -> None:
        self.place = place_of(url)
        self._url, self._is_daemon = url, is_daemon
        self._lock = threading.Lock()
        self._t_failed, self._failure = -math.inf, ""
        self._db: psycopg.Connection[Any] | None = None
        self._error = library().Error
        try:
            self._db = self._begun(LOCK_WAIT_S)
            self._prepare(self._db)
        except self._error as error:
            self.close()
            raise OutputError(f"{self.place}: cannot hold a store ({words(error)}); see docs/daemon-store.md") from None
        except LuxwakeError:
            self.close()
            raise
        version = self.meta("schema")
        if version != str(SCHEMA):
            self.close()
            raise InputError(f"{self.place}: a store of version {version}, not {SCHEMA}; use the version that wrote it")

    def _begun(self, wait_s: float = 0.0) -> psycopg.Connection[Any]:
        """A session, with the lock where it is a daemon's."""
        db = connected(self._url)
        until = time.monotonic() + wait_s
        while self._is_daemon and not _one(db, "select pg_try_advisory_lock(%s)", LOCK):
            if time.monotonic() >= until:
                db.close()
                raise UsageError(f"{self.place}: another daemon uses this database; stop it, or set another `store`")
            time.sleep(0.1)
        return db

    def _prepare(self, db: psycopg.Connection[Any]) -> None:
        """Make the tables where they are not, and the points where PostGIS is."""
        encoding = _one(db, "show server_encoding")
        if encoding != "UTF8":
            raise UsageError(
                f"{self.place}: the database holds {encoding}; make one with `createdb -E UTF8 -T template0`"
            )
        with db.transaction():
            if _one(db, "select to_regclass('luxwake.meta') is null"):
                if not self._is_daemon:
                    raise InputError(f"{self.place}: no store in it; the daemon makes it when it first starts")
                db.execute(_TABLES)
                db.execute("insert into meta values ('schema', %s)", (str(SCHEMA),))
            if self._is_daemon:
                _add_points(db)

    def _session(self) -> psycopg.Connection[Any]:
        """The session, made anew where it broke."""
        if self._db is not None and not self._db.closed:
            return self._db
        if time.monotonic() - self._t_failed < AGAIN_S:
            raise OutputError(self._failure)
        try:
            self._db = self._begun()
        except (LuxwakeError, self._error) as error:  # the lock, too: the server may not know yet that we had gone
            self._t_failed, self._failure = time.monotonic(), str(error)
            raise OutputError(self._failure) from None
        return self._db

    @contextmanager
    def _transaction(self) -> Iterator[_Session]:
        with self._lock, self._told(), (db := self._session()).transaction():
            yield _Session(db)

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock, self._told():
            return self._session().execute(sql.replace("?", "%s").encode(), values).fetchall()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the library as ours."""
        try:
            yield
        except self._error as error:
            raise OutputError(f"{self.place}: does not take it ({words(error)}); it is tried again") from None

    def _damage(self) -> list[str]:
        return []

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            if self._db is not None:
                with suppress(self._error):
                    self._db.close()


def _one(db: psycopg.Connection[Any], sql: str, *values: Any) -> Any:
    """The one value that a question gives."""
    row = db.execute(sql.encode(), values).fetchone()
    return row[0] if row else None


def _add_points(db: psycopg.Connection[Any]) -> None:
    """A column `place` of points, made of lat and lon, where the database has PostGIS and the table none."""
    schema = _one(
        db, "select quote_ident(nspname) from pg_extension join pg_namespace n on n.oid = extnamespace "
        "where extname = 'postgis'"
    )  # fmt: skip
    has = "select count(*) from pg_attribute where attrelid = 'luxwake.changes'::regclass and attname = 'place'"
    if schema is None or _one(db, has):
        return
    point = f"{schema}.st_setsrid({schema}.st_makepoint(lon, lat), 4326)::{schema}.geography"
    column = f"place {schema}.geography(point, 4326) generated always as ({point}) stored"
    db.execute(f"alter table luxwake.changes add column {column}".encode())
    db.execute(b"create index changes_by_place on luxwake.changes using gist (place)")
    db.execute(b"create or replace view luxwake.events as select changes.* from luxwake.newest "
               b"join luxwake.changes using (seq)")  # fmt: skip


@contextmanager
def asked(url: str, sql: str, takes: str) -> Iterator[tuple[list[str], Iterator[Sequence[Any]]]]:
    """Names and rows of one SELECT, as the database was at one instant; UsageError for what is none."""
    psycopg = library()
    with connected(url, read_only=True) as db:
        try:
            with db.transaction(), db.cursor("luxwake") as cursor:
                cursor.execute(sql.rstrip().rstrip(";").encode())
                yield [column.name for column in cursor.description or ()], iter(cursor)
        except psycopg.Error as error:
            raise UsageError(f"{words(error)}; {takes}") from None
