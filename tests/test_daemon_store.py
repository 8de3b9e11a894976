"""The store, in SQLite and in PostgreSQL: the same battery for both, against a plain twin and under deaths."""

import collections
import contextlib
import os
import random
import signal
import sqlite3
import sys
import threading
import time

import msgspec
import pytest
from postgres_run import Postgres

from geo.errors import OutputError
from luxwake.daemon.sink import Change
from luxwake.daemon.store import Store
from luxwake.daemon.store_postgres import PostgresStore
from tests.daemon_case import in_child

KILLS = int(os.environ.get("LUXWAKE_KILLS", "12"))
CHANGES = ("opened", "updated", "closed", "retracted")


@pytest.fixture(scope="module")
def server():
    made = Postgres()
    try:
        yield made.start()
    finally:
        made.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def reopen(request, tmp_path):
    """Opens the same store again and again; each that a test opens is closed at its end."""
    opened = []
    url = request.getfixturevalue("server").database() if request.param == "postgresql" else ""

    def one(is_daemon=True):
        opened.append(PostgresStore(url, is_daemon=is_daemon) if url else Store(tmp_path / "events.sqlite"))
        return opened[-1]

    one.is_file = not url
    yield one
    for store in opened:
        with contextlib.suppress(OutputError, sqlite3.Error):
            store.close()


def change(seq, event_id, revision, what="updated", score=0.5):
    body = msgspec.json.encode({"id": event_id, "revision": revision, "name": "\0 Ñandú 李 \\u0000"}).decode()
    return Change(seq, event_id, revision, what, "dark", 671999101, 0, -89.5, 179.9, score, body)


class Twin:
    """The store in plain lists and dicts."""

    def __init__(self):
        self.told, self.outbox, self.alerted, self.dead = [], collections.defaultdict(dict), set(), set()
        self.sent = collections.Counter()
        self.t = {}

    def commit(self, t, made, wanted, once):
        self.told += made
        self.t |= {one.event_id: t for one in made}
        for sink, chosen in wanted.items():
            for one in chosen:
                if sink in once:
                    if (sink, one.event_id) in self.alerted:
                        continue
                    self.alerted.add((sink, one.event_id))
                self.outbox[sink][one.seq] = 0

    def due(self, sink, limit):
        first = sorted(self.outbox[sink])[:limit]
        return [one for one in self.told if one.seq in first]

    def prune(self, before):
        waits = {one.event_id for one in self.told if any(one.seq in box for box in self.outbox.values())}
        old = {event_id for event_id, t in self.t.items() if t < before} - waits
        self.told = [one for one in self.told if one.event_id not in old]
        self.t = {event_id: t for event_id, t in self.t.items() if event_id not in old}
        self.alerted = {key for key in self.alerted if key[1] not in old}
        kept = {one.seq for one in self.told}
        self.dead = {key for key in self.dead if key[1] in kept}
        return len(old)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_work_is_that_of_the_twin(reopen, seed):
    rng, twin, store = random.Random(seed), Twin(), reopen()
    revisions = collections.Counter()
    seq = record = 0
    sinks = ("all", "once", "none")
    for step in range(150):
        record += rng.randrange(1, 3)
        made = []
        for _ in range(rng.choice((0, 1, 2, 5))):
            seq += 1
            event_id = f"e{rng.randrange(25)}"
            revisions[event_id] += 1
            made.append(change(seq, event_id, revisions[event_id], rng.choice(CHANGES), rng.random()))
        wanted = {"all": made, "once": [one for one in made if rng.random() < 0.7], "none": []}
        store.commit(record, step, made, {sink: one.__contains__ for sink, one in wanted.items()}, ["once"])
        twin.commit(step, made, wanted, ["once"])
        sink = rng.choice(sinks)
        due = store.due(sink, rng.randrange(1, 6))
        assert due == twin.due(sink, len(due) or 1)
        work = rng.choice(("sent", "sent", "refused", "tried", "prune", "reopen"))
        if work == "sent" and due:
            chosen = due if rng.random() < 0.7 else due[::2]
            for _ in range(rng.randrange(1, 3)):  # it may be told twice
                store.sent(sink, chosen, f"mark {step}")
            assert store.mark(sink) == f"mark {step}"
            twin.sent[sink] += len(chosen)
            for one in chosen:
                del twin.outbox[sink][one.seq]
        elif work == "refused" and due:
            store.refused(sink, due[0], "no \0 \ud800")
            del twin.outbox[sink][due[0].seq]
            twin.dead.add((sink, due[0].seq))
        elif work == "tried" and due:
            twin.outbox[sink][due[0].seq] += 1
            assert store.tried(sink, due[0]) == twin.outbox[sink][due[0].seq]
        elif work == "prune":
            assert store.prune(step - 20) == twin.prune(step - 20)
        elif work == "reopen":
            store.close()
            store = reopen()
        assert (store.record, store.seq) == (record, seq)
    assert store.changes(limit=10_000) == twin.told
    for sink in sinks:
        assert store.waiting(sink) == len(twin.outbox[sink])
        assert store.sent_by(sink) == twin.sent[sink]
        assert store.dead_letters(sink) == sum(one == sink for one, _ in twin.dead)
    assert store.check() == [] and twin.dead and twin.sent["all"] and len(twin.told) < seq


def test_what_was_written_is_what_is_read(reopen):
    store = reopen()
    made = [change(1, "a", 1), change(2, "b", 1, score=float("nan"))]
    made[1] = made[1]._replace(lat=float("nan"), lon=float("nan"), mmsi=2**31 + 5)
    store.commit(1, 2_000_000_000_000_000, made, {}, [])
    assert [[repr(value) for value in one] for one in store.changes()] == [[repr(v) for v in one] for one in made]
    assert store.changes(after=1, limit=1)[0].seq == 2 and store.changes(after=2) == []


def test_a_record_that_is_here_is_not_taken_again(reopen):
    store = reopen()
    for _ in range(3):
        store.commit(5, 0, [change(1, "a", 1)], {"x": [change(1, "a", 1)].__contains__}, [])
    assert (store.record, store.seq, store.waiting("x"), len(store.changes())) == (5, 1, 1, 1)
    store.commit(6, 0, [], {}, [])
    assert (store.record, store.seq) == (6, 1)


def test_revisions_go_on_where_the_watch_had_let_go_of_an_event(reopen):
    """It tells such an event as new: with revisions that the store has, and in one commit with others of it."""
    store, many = reopen(), [change(k + 10, f"{k}", 1) for k in range(1200)]
    store.commit(1, 5, [change(1, "a", 1), change(2, "a", 2), *many], {}, [])
    store.commit(
        2,
        6,
        [change(2000, "a", 1, "closed"), change(2001, "b", 1), change(2002, "a", 2), many[7]._replace(seq=2003)],
        {},
        [],
    )
    found = {one.seq: one for one in store.changes(after=1999)}
    assert [(one.event_id, one.revision) for one in found.values()] == [("a", 3), ("b", 1), ("a", 4), ("7", 2)]
    assert [msgspec.json.decode(one.body)["revision"] for one in found.values()] == [3, 1, 4, 2]
    assert msgspec.json.decode(found[2000].body) == msgspec.json.decode(change(0, "a", 3).body)
    assert store.check() == []


def test_of_one_commit_the_first_change_of_an_event_is_sent_once(reopen):
    store = reopen()
    made = [change(1, "a", 1), change(2, "a", 2), change(3, "b", 1)]
    store.commit(1, 0, made, {"x": made[1:].__contains__, "y": made.__contains__}, ["x"])
    more = [change(4, "a", 3), change(5, "c", 1)]
    store.commit(2, 0, more, {"x": more.__contains__, "y": [].__contains__}, ["x"])
    assert [one.seq for one in store.due("x", 9)] == [2, 3, 5] and [one.seq for one in store.due("y", 9)] == [1, 2, 3]


def test_a_commit_that_fails_leaves_nothing(reopen):
    store = reopen()
    store.commit(1, 0, [change(1, "a", 1)], {}, [])
    made = [change(2, "b", 1), change(1, "c", 1)]  # a number that is there
    with pytest.raises(OutputError, match=r"cannot be written|does not take it") as told:
        store.commit(2, 0, made, {"x": made.__contains__}, ["x"])
    assert "\n" not in str(told.value)
    assert (store.record, store.seq, store.waiting("x"), len(store.changes())) == (1, 1, 0, 1)
    store.commit(2, 0, made[:1], {"x": made[:1].__contains__}, ["x"])
    assert store.waiting("x") == 1 and store.check() == []


def test_what_is_committed_while_old_events_are_removed_stays(reopen):
    store, other = reopen(), None
    store.commit(1, 0, [change(1, "e0", 1)], {}, [])
    other = reopen(is_daemon=False)
    done = threading.Event()

    def prune():
        while not done.is_set():
            other.prune(2**60)

    thread = threading.Thread(target=prune)
    thread.start()
    try:
        for n in range(1, 60):
            store.commit(2 * n, 0, [change(2 * n, f"e{n}", 1)], {}, [])
            wanted = [change(2 * n + 1, f"e{n}", 2)]
            store.commit(2 * n + 1, 0, wanted, {"x": wanted.__contains__}, [])
    finally:
        done.set()
        thread.join()
    assert [one.seq for one in store.due("x", 1000)] == list(range(3, 120, 2)) and store.check() == []


def test_check_finds_what_is_wrong(reopen, tmp_path, request):
    store = reopen()
    made = [change(1, "a", 1), change(2, "b", 1)]
    store.commit(1, 0, made, {"x": made.__contains__}, [])
    assert store.check() == []
    wrong = "delete from changes where seq = 1"
    if reopen.is_file:
        with sqlite3.connect(tmp_path / "events.sqlite") as db:
            db.execute(wrong)
    else:
        request.getfixturevalue("server").asked(
            wrong.replace("changes", "luxwake.changes"), store.place.rpartition("/")[2]
        )
    assert store.check() == ["1 changes to be sent are missing", "1 events are not shown in their newest form"]


def test_to_remove_old_events_costs_no_look_at_all_that_waits_for_each_of_them(tmp_path):
    """A sink is away: 20,000 changes of old events wait for it. Counted in steps of the database."""
    with contextlib.closing(Store(tmp_path / "events.sqlite")) as store:
        made = [change(seq, f"{seq:016x}", 1) for seq in range(1, 22_001)]
        store.commit(1, 0, made, {"away": lambda one: one.seq <= 20_000}, [])
        steps = 0

        def step():
            nonlocal steps
            steps += 1

        store._db.set_progress_handler(step, 1000)
        assert store.prune(1 << 60, 3000) == 2000
        assert steps < 3000  # of a thousand; 400 million pairs


def test_a_store_that_cannot_be_read_says_so_in_a_line(tmp_path):
    with contextlib.closing(Store(tmp_path / "events.sqlite")) as store:
        store.commit(1, 0, [change(1, "a", 1)], {}, [])
        store._db.execute("pragma wal_checkpoint(truncate)")
        store._db.execute("drop table sinks")
        with pytest.raises(OutputError, match=r"events\.sqlite: cannot be read \(no such table"):
            store.sent_by("log")


def commits(first):
    """Records without end: two changes each, both for a sink and one for a sink that gets each event once."""
    for record in range(first, 1_000_000):
        made = [change(2 * record - 1, f"e{record % 7}", record), change(2 * record, f"f{record}", 1)]
        yield record, 0, made, {"x": made.__contains__, "y": made[:1].__contains__}, ["y"]


def is_whole(store):
    """All of the records up to the store's, and nothing of another."""
    record = store.record
    seqs = list(range(1, 2 * record + 1))
    assert store.seq == len(seqs) and [one.seq for one in store.changes(limit=1_000_000)] == seqs
    assert [one.seq for one in store.due("x", 1_000_000)] == seqs
    assert store.waiting("y") == min(record, 7) and store.check() == []
    return record


def dying_before(n):
    """The drivers of both databases, made to end the process before their n-th statement."""
    left = n

    def deadly(real):
        def one(*values, **more):
            nonlocal left
            left -= 1
            if left == 0:
                os._exit(9)
            return real(*values, **more)

        return one

    class Deadly(sqlite3.Connection):
        execute = deadly(sqlite3.Connection.execute)
        executemany = deadly(sqlite3.Connection.executemany)

    real = sqlite3.connect
    sqlite3.connect = lambda *values, **more: real(*values, factory=Deadly, **more)
    if (psycopg := sys.modules.get("psycopg")) is not None:
        for name in ("execute", "executemany"):
            setattr(psycopg.Cursor, name, deadly(getattr(psycopg.Cursor, name)))


def test_a_death_before_any_statement_leaves_all_of_a_record_or_nothing(reopen):
    store = reopen()
    for values in commits(1):
        store.commit(*values)
        if values[0] == 3:
            break
    store.close()
    died = n = 0
    while n == died:  # until it comes to the end
        n += 1

        def work(n=n):
            again = reopen()
            begin = again.record + 1
            again.close()
            dying_before(n)
            again = reopen()
            again.commit(*next(commits(begin)))

        died += in_child(work) == 9
        store = reopen()
        is_whole(store)
        store.close()
    assert died > 8 and is_whole(reopen()) == 4


def test_kills_at_random_instants_leave_whole_records(reopen):
    rng, before = random.Random(3), 0
    for _ in range(KILLS):
        pid = os.fork()
        if pid == 0:
            try:
                store = reopen()
                for values in commits(store.record + 1):
                    store.commit(*values)
            finally:
                os._exit(1)
        time.sleep(rng.uniform(0.05, 0.3))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        store = reopen()
        assert is_whole(store) >= before
        before = store.record
        store.close()
    assert before > 0
