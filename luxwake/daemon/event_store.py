"""What every store does, in SQL that SQLite and PostgreSQL both understand.

What follows from a record of the journal is one transaction, with the number of the record: after a kill, or after a
connection broke in the middle, the store says up to which record all has been done. Each change of the store may be
asked for again when it is not known whether it was made.
"""

from __future__ import annotations

import itertools
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec

from luxwake.daemon.sink import Change

SCHEMA = 1
_COLUMNS = "seq, event_id, revision, change, kind, mmsi, other, lat, lon, score, body"


class Answer(Protocol):
    """What a statement gives."""

    @property
    def rowcount(self) -> int: ...  # noqa: D102

    def fetchone(self) -> Any: ...  # noqa: D102

    def fetchall(self) -> list[Any]: ...  # noqa: D102


class Session(Protocol):
    """Where statements are asked, `?` standing for values."""

    def execute(self, sql: str, values: Sequence[Any] = ..., /) -> Answer: ...  # noqa: D102

    def executemany(self, sql: str, values: Iterable[Sequence[Any]], /) -> Answer: ...  # noqa: D102


ASKED_AT_ONCE = 500
"""Values in a statement; SQLite takes 999 in its older versions."""
MOST_ROWS = (1 << 63) - 1
"""No bound: as many as a database can number."""


class EventStore(ABC):
    """Every change of an event, the newest form of each, and what is still to be sent; any thread may use it."""

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[Session]:
        """All or nothing of what is done in the block; OutputError where the store does not take it."""

    @abstractmethod
    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """What a question gives."""

    @abstractmethod
    def _damage(self) -> list[str]:
        """What is wrong below the tables."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it."""

    def meta(self, name: str, default: str = "") -> str:
        """A value of the store's own."""
        found = self._rows("select value from meta where name = ?", (name,))
        return str(found[0][0]) if found else default

    def set_meta(self, name: str, value: str) -> None:
        """Keep a value."""
        with self._transaction() as db:
            _put_meta(db, name, value)

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
        record: int | None,
        t: int,
        changes: Iterable[Change],
        wanted: Mapping[str, Callable[[Change], bool]],
        once: Sequence[str],
    ) -> None:
        """Keep what follows from a record of the journal, at once or not at all; nothing is done for one that is here.

        Parameters
        ----------
        record : number of the record; None for what follows from none
        t : when it came, µs
        changes : what follows from it, in order; gone through once
        wanted : for each sink whether it is to be sent a change
        once : sinks that are sent one change of each event
        """
        with self._transaction() as db:
            db.execute("insert into meta values ('record', '0') on conflict do nothing")
            number = "update meta set value = ? where name = 'record' and cast(value as bigint) < ?"
            if record is not None and db.execute(number, (str(record), record)).rowcount == 0:
                return
            left = iter(changes)
            while part := list(itertools.islice(left, ASKED_AT_ONCE)):
                _add(db, _in_order(db, part), t)
                for sink, wants in wanted.items():
                    chosen = [one for one in part if wants(one)]
                    if chosen and sink in once:
                        _want_once(db, sink, chosen)
                    elif chosen:
                        sent = [(sink, one.seq) for one in chosen]
                        db.executemany("insert into outbox (sink, seq) values (?, ?)", sent)

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
        """The sink has these for good; those that were told to be sent before are not counted again."""
        with self._transaction() as db:
            keys = [(sink, change.seq) for change in changes]
            n = db.executemany("delete from outbox where sink = ? and seq = ?", keys).rowcount if keys else 0
            db.execute(
                "insert into sinks values (?, ?, ?) on conflict (name) do update set mark = excluded.mark, "
                "sent = sinks.sent + excluded.sent",
                (sink, mark, n),
            )

    def refused(self, sink: str, change: Change, reason: str) -> None:
        """The sink will never take this one: it is kept apart."""
        with self._transaction() as db:
            db.execute("delete from outbox where sink = ? and seq = ?", (sink, change.seq))
            db.execute(
                "insert into dead_letters values (?, ?, ?, ?) on conflict (sink, seq) do update set t = excluded.t, "
                "reason = excluded.reason",
                (sink, change.seq, time.time_ns() // 1000, _sound(reason)),
            )

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
        """What is wrong with the store; empty when nothing is."""
        wrong = self._damage()
        missing = "select count(*) from outbox where not exists (select 1 from changes where changes.seq = outbox.seq)"
        lost = self._rows(missing)[0][0]
        wrong += [f"{lost} changes to be sent are missing"] if lost else []
        last = "select event_id, max(seq) from changes group by event_id"
        other = self._rows(f"select count(*) from (select event_id, seq from newest except {last}) as other")[0][0]
        return wrong + ([f"{other} events are not shown in their newest form"] if other else [])

    def prune(self, before: int, most: int = MOST_ROWS) -> int:
        """Remove the events that were last told before this time (µs) and wait for no sink, so many at most; how many.

        Changes stand in the order in which they were told, so that those of later times are not looked at.
        """
        with self._transaction() as db:
            db.execute("update meta set value = value where name = 'record'")  # no commit meanwhile
            db.execute("create temp table old (event_id text primary key)")
            db.execute(
                "insert into old select event_id from changes as last where t_told < ? "
                "and seq < (select coalesce(min(seq), ?) from changes where t_told >= ?) "
                "and seq = (select seq from newest where newest.event_id = last.event_id) "
                "and not exists (select 1 from changes join outbox on outbox.seq = changes.seq "
                "where changes.event_id = last.event_id) order by seq limit ?",
                (before, MOST_ROWS, before, most),
            )
            for table in ("changes", "newest", "alerted"):
                db.execute(f"delete from {table} where event_id in (select event_id from old)")
            gone = "not exists (select 1 from changes where changes.seq = dead_letters.seq)"
            db.execute(f"delete from dead_letters where {gone}")
            n = int(db.execute("select count(*) from old").fetchone()[0])
            db.execute("drop table old")
            return n


def _add(db: Session, changes: Sequence[Change], t: int) -> None:
    """Changes that were told at a time."""
    _put_meta(db, "seq", str(changes[-1].seq))
    db.executemany(
        f"insert into changes ({_COLUMNS}, t_told) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(*change[:7], *map(_number, change[7:10]), change.body, t) for change in changes],
    )
    db.executemany(
        "insert into newest values (?, ?) on conflict (event_id) do update set seq = excluded.seq",
        [(change.event_id, change.seq) for change in changes],
    )


def _in_order(db: Session, changes: Sequence[Change]) -> list[Change]:
    """Changes whose revisions follow those that the store has, for the watch may have let go of an event long ago."""
    names = sorted({change.event_id for change in changes})
    known = "select newest.event_id, revision from newest join changes using (seq) where newest.event_id in "
    last: dict[str, int] = dict(db.execute(f"{known} ({', '.join('?' * len(names))})", names).fetchall())
    made = []
    for change in changes:
        before = last.get(change.event_id, -1)
        if change.revision <= before:
            body = msgspec.json.decode(change.body) | {"revision": before + 1}
            change = change._replace(revision=before + 1, body=msgspec.json.encode(body).decode())
        last[change.event_id] = change.revision
        made.append(change)
    return made


def _put_meta(db: Session, name: str, value: str) -> None:
    db.execute("insert into meta values (?, ?) on conflict (name) do update set value = excluded.value", (name, value))


def _want_once(db: Session, sink: str, chosen: Sequence[Change]) -> None:
    """Of each event that the sink was never to be sent the first change."""
    firsts: dict[str, Change] = {}
    for change in chosen:
        firsts.setdefault(change.event_id, change)
    db.executemany(
        "insert into outbox (sink, seq) select ?, ? where not exists "
        "(select 1 from alerted where sink = ? and event_id = ?)",
        [(sink, change.seq, sink, event_id) for event_id, change in firsts.items()],
    )
    db.executemany(
        "insert into alerted values (?, ?) on conflict do nothing", [(sink, event_id) for event_id in firsts]
    )


def _number(value: float) -> float | None:
    """SQLite keeps no NaN, and PostgreSQL is given none."""
    return None if math.isnan(value) else value


def _sound(text: str) -> str:
    """A text that every database takes."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def _change(row: Sequence[Any]) -> Change:
    """A row of the table of changes."""
    change = Change(*row)
    lat, lon, score = (math.nan if value is None else value for value in change[7:10])
    return change._replace(lat=lat, lon=lon, score=score)
