"""The store in PostgreSQL: its server goes away and comes back, and nothing is lost, repeated or given away."""

import contextlib
import json
import socket
import threading
import time

import pytest
from postgres_run import PASSWORD, Postgres

from geo.errors import LuxwakeError, OutputError, UsageError
from luxwake.cli import main
from luxwake.daemon.core import Core
from luxwake.daemon.intake import Chunk
from luxwake.daemon.serve import Daemon
from luxwake.daemon.sink import Change
from luxwake.daemon.sinks import make_sink
from luxwake.daemon.source import Source
from luxwake.daemon.store_postgres import PostgresStore, place_of
from tests.daemon_case import config, feed, pieces, serve, stored

DEADLINE_S = 120.0


@pytest.fixture(scope="module")
def server():
    made = Postgres()
    try:
        yield made.start()
    finally:
        made.remove()


@pytest.fixture(scope="module")
def chunks():
    return pieces(feed(), n=30)


@pytest.fixture(scope="module")
def whole(chunks, tmp_path_factory):
    """What a core with SQLite tells that nothing happens to."""
    return serve(tmp_path_factory.mktemp("whole") / "state", chunks)


def name_of(url):
    return url.rpartition("/")[2]


def change(seq, event_id="a", revision=1):
    return Change(seq, event_id, revision, "opened", "dark", 671999101, 0, 1.5, 103.8, 0.5, '{"id":"a"}')


def until(work):
    """Try again as the daemon does."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            return work()
        except OutputError:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_the_changes_are_those_of_sqlite_however_often_the_server_goes(server, tmp_path, chunks, whole):
    url, state = server.database(), tmp_path / "state"
    core = Core(config(state, store=url))
    core.recover()
    failed = 0
    for k, (data, end) in enumerate(chunks):
        followed = core.follow(core.write([Chunk(0, 2_000_000_000_000_000 + end, data, str(end), 0)]))
        if k % 10 == 5 or (followed.changes and failed < 6):
            server.stop("immediate" if k % 2 else "fast")
            for _ in range(2 if followed.changes else 0):
                with pytest.raises(OutputError, match=r"^postgresql://127\.0\.0\.1:\d+/ships\d+: ") as told:
                    core.commit(followed)
                assert "\n" not in str(told.value) and PASSWORD not in str(told.value)
                failed += 1
            server.start()
        until(lambda followed=followed: core.commit(followed))
    core.close()
    assert failed and stored(state, url) == whole
    server.asked("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'luxwake'")


def test_a_daemon_that_ends_while_the_server_is_away_loses_nothing(server, tmp_path, chunks, whole):
    url, state = server.database(), tmp_path / "state"
    core = Core(config(state, store=url))
    core.recover()
    for data, end in chunks:
        followed = core.follow(core.write([Chunk(0, 2_000_000_000_000_000 + end, data, str(end), 0)]))
        if followed.changes and core.store.seq > 20:
            break
        core.commit(followed)
    server.stop()
    with pytest.raises(OutputError):
        core.commit(followed)
    core.close()
    server.start()
    assert serve(state, chunks, store=url) == whole


class Proxy:
    """Between the store and its server: it cuts the connection at a COMMIT, before the server has it or after."""

    def __init__(self, port):
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cut = ""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                threading.Thread(target=self._pass_back, args=(server, client), daemon=True).start()
                threading.Thread(target=self._pass, args=(client, server), daemon=True).start()

    def _pass(self, client, server):
        with contextlib.suppress(OSError), client, server:
            while data := client.recv(1 << 16):
                if b"COMMIT" in data and self.cut:
                    if self.cut == "after":
                        self.cut = "silent"
                        server.sendall(data)
                        time.sleep(0.5)
                    self.cut = ""
                    client.shutdown(socket.SHUT_RDWR)
                    server.shutdown(socket.SHUT_RDWR)
                    return
                server.sendall(data)

    def _pass_back(self, server, client):
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 16):
                if self.cut != "silent":
                    client.sendall(data)

    def close(self):
        self._listener.close()


def committed(server, url):
    """What the database has for good."""
    tables = ("meta", "changes", "outbox", "sinks", "dead_letters")
    return [server.asked(f"select * from luxwake.{table} order by 1", name_of(url)) for table in tables]


@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_commit_that_nobody_answered_is_made_once(server, cut):
    url = server.database()
    proxy = Proxy(server.port)
    store = PostgresStore(server.url(name_of(url), proxy.port))
    store.commit(1, 0, [change(1)], {"x": [change(1)].__contains__}, ["x"])
    made = [change(2, "b"), change(3, "c")]
    for work in (
        lambda: store.commit(2, 0, made, {"x": made.__contains__, "y": made.__contains__}, ["x"]),
        lambda: store.sent("y", made, "mark"),
        lambda: store.refused("x", change(1), "no"),
    ):
        before = committed(server, url)
        proxy.cut = cut
        with pytest.raises(OutputError, match="does not take it") as told:
            work()
        assert PASSWORD not in str(told.value)
        assert (committed(server, url) == before) == (cut == "before")
        until(work)
    assert [one.seq for one in store.changes()] == [1, 2, 3] and store.record == 2
    assert [one.seq for one in store.due("x", 9)] == [2, 3] and store.waiting("y") == 0
    assert (store.sent_by("y"), store.mark("y"), store.dead_letters("x"), store.check()) == (2, "mark", 1, [])
    store.close()
    proxy.close()


class Pieces(Source):
    """A source that puts pieces one by one."""

    def __init__(self, name, intake, parts):
        super().__init__(name, intake)
        self._parts, self.hold = parts, threading.Event()

    def run(self, cursor):
        for k, (data, end) in enumerate(self._parts):
            if k == len(self._parts) // 2:
                self.hold.wait(DEADLINE_S)
            self.intake.put(data, str(end))
            time.sleep(0.05)


def test_the_daemon_waits_for_its_server_says_so_and_sends_each_change_once(server, tmp_path, chunks):
    url, state = server.database(), tmp_path / "state"
    told_path = tmp_path / "told.jsonl"
    values = config(
        state, store=url, sinks=[{"type": "jsonl", "name": "log", "path": str(told_path)}], http={"enabled": False}
    )
    daemon = Daemon(
        values, lambda one, intake: Pieces(one.name, intake, chunks), make_sink, {"log": Everything()}, has_end=True
    )
    thread = threading.Thread(target=daemon.run)
    thread.start()
    server.stop()
    daemon.sources[0].hold.set()
    wait(lambda: daemon.trouble)
    assert daemon.trouble.startswith(place_of(url)) and PASSWORD not in daemon.trouble
    wait(lambda: not daemon.reporter.latest.store_writable)
    assert thread.is_alive() and PASSWORD not in str(daemon.reporter.latest)
    server.start()
    thread.join(DEADLINE_S)
    assert not thread.is_alive() and not daemon.trouble
    again = Daemon(values, lambda one, intake: Pieces(one.name, intake, []), make_sink, {"log": Everything()})
    again.core.recover()
    for dispatcher in again.dispatchers:
        dispatcher.start()
    wait(lambda: again.core.store.waiting("log") == 0)
    again.dispatchers[0].end()
    again.dispatchers[0].join()
    again.core.close()
    changes = stored(state, url)
    assert told_path.read_text().splitlines() == [one.body for one in changes] and len(changes) > 50


class Everything:
    def wants(self, one):
        return True


def wait(is_so):
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_one_daemon_to_a_database_and_one_state_to_a_store(server, tmp_path, chunks):
    url = server.database()
    core = Core(config(tmp_path / "a", store=url))
    with pytest.raises(UsageError, match="another daemon uses this database"):
        Core(config(tmp_path / "b", store=url))
    PostgresStore(url, is_daemon=False).close()  # `luxwake store` looks at it all the same
    core.close()
    serve(tmp_path / "a", chunks[:5], store=url)
    with pytest.raises(UsageError, match="is the store of another state folder"):
        Core(config(tmp_path / "c", store=url))
    with pytest.raises(UsageError, match="its store is a database"):
        Core(config(tmp_path / "a"))
    serve(tmp_path / "d", chunks[:5])
    with pytest.raises(UsageError, match="its store is not postgresql"):
        Core(config(tmp_path / "d", store=server.database()))


def test_the_lock_is_taken_again_with_the_connection(server):
    url = server.database()
    store = PostgresStore(url)
    cut = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'luxwake' and datname = '{}'"
    server.asked(cut.format(name_of(url)))
    with pytest.raises(OutputError):
        store.set_meta("a", "b")
    until(lambda: store.set_meta("a", "b"))
    with pytest.raises(UsageError, match="another daemon"):
        PostgresStore(url)
    server.asked(cut.format(name_of(url)))
    other = PostgresStore(url)
    with pytest.raises(OutputError):
        store.meta("a")
    time.sleep(1.1)
    with pytest.raises(OutputError, match="another daemon uses this database"):
        store.set_meta("a", "c")
    assert other.meta("a") == "b"
    other.close()
    until(lambda: store.set_meta("a", "c"))
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cr3t@x@127.0.0.1/ships",
        "postgresql://me:s3cr3t/x@127.0.0.1/ships",
        "postgresql://me:12/s3cr3t@127.0.0.1:5432/ships",
        "postgresql://me:s3cr3t x@127.0.0.1/ships",
        "postgresql://me:s3cr3t?x@127.0.0.1/ships",
        "postgresql://me:s3cr3t%zz@127.0.0.1/ships",
        "postgresql://me@127.0.0.1:1/ships?password=s3cr3t",
        "postgresql://me:s3cr3t@127.0.0.1:1/ships",
        "postgresql://me:s3cr3t@127.0.0.1:{port}/ships",
    ],
)
def test_no_error_and_no_command_shows_a_password(server, tmp_path, capsys, url):
    url = url.format(port=server.port)
    with pytest.raises(LuxwakeError) as told:
        PostgresStore(url)
    assert "s3cr3t" not in str(told.value) and "\n" not in str(told.value)
    path = tmp_path / "luxwake.toml"
    path.write_text(f"store = {json.dumps(url)}\nstate = '{tmp_path}/state'\n")
    for words in (("config", "show"), ("config", "show", "--json"), ("config", "check"), ("serve", "--config")):
        main([*words[:2], str(path), *words[2:]])
    main(["store", "verify", "--config", str(path)])
    out, err = capsys.readouterr()
    assert "s3cr3t" not in out + err and "postgresql://" in out and "Traceback" not in err


def test_a_database_that_cannot_hold_every_text_is_refused(server):
    server.asked("create database latin encoding 'LATIN1' template template0")
    with pytest.raises(UsageError, match="the database holds LATIN1"):
        PostgresStore(server.url("latin"))


def test_a_role_that_may_make_nothing_is_told_so(server):
    url = server.database()
    server.asked(f"create role reader login password '{PASSWORD}'")
    with pytest.raises(OutputError, match="permission denied") as told:
        PostgresStore(url.replace("me:", "reader:"))
    assert "\n" not in str(told.value)


@pytest.fixture(params=["sqlite", "postgresql"])
def options(request, tmp_path, chunks):
    """Options of `luxwake store` that name a store with the world in it, one of both kinds."""
    url = request.getfixturevalue("server").database() if request.param == "postgresql" else ""
    serve(tmp_path / "state", chunks, store=url)
    if not url:
        return ["--state", str(tmp_path / "state")]
    path = tmp_path / "luxwake.toml"
    path.write_text(f'state = "{tmp_path}/state"\nstore = "{url}"\n')
    return ["--config", str(path)]


def test_the_commands_are_the_same_for_both(options, whole, tmp_path, capsys):
    def luxwake(*words):
        code = main(["store", *words, *options])
        return code, *capsys.readouterr()

    code, out, _ = luxwake("query", "select kind, count(*) as n from events group by kind order by kind;", "--json")
    newest = {one.event_id: one for one in whole}
    kinds = sorted(one.kind for one in newest.values())
    expected = [{"kind": kind, "n": kinds.count(kind)} for kind in sorted(set(kinds))]
    assert code == 0 and [json.loads(line) for line in out.splitlines()] == expected
    assert luxwake("export", "-o", str(tmp_path / "out.jsonl"), "--quiet")[0] == 0
    told = sorted((one for one in newest.values() if one.change != "retracted"), key=lambda one: one.seq)
    assert (tmp_path / "out.jsonl").read_text().splitlines() == [one.body for one in told]
    assert luxwake("verify")[0] == 0
    for sql in (
        "delete from changes",
        "select 1; delete from changes",
        "with gone as (delete from changes returning 1) select * from gone",
        "commit",
        "insert into meta values ('a', 'b')",
        "selec",
        "",
    ):
        code, _, err = luxwake("query", sql)
        assert code == 2 and "one SELECT" in err and err.count("\n") == 1, sql
    assert json.loads(luxwake("query", "select count(*) as n from changes", "--json")[1]) == {"n": len(whole)}
    assert luxwake("prune", "--before", "2100-01-01T00:00:00Z")[0] == 0
    assert json.loads(luxwake("query", "select count(*) as n from changes", "--json")[1]) == {"n": 0}


def test_the_options_that_name_a_store(server, tmp_path, chunks, capsys):
    url = server.database()
    path = tmp_path / "luxwake.toml"
    path.write_text(f'state = "{tmp_path}/state"\nstore = "{url}"\n')
    assert main(["store", "verify", "--config", str(path)]) == 1
    assert "no store in it; the daemon makes it" in capsys.readouterr().err
    serve(tmp_path / "state", chunks[:3], store=url)
    assert main(["store", "verify", "--state", str(tmp_path / "state")]) == 2
    assert "its store is a database; give --config FILE" in capsys.readouterr().err
    assert main(["store", "verify", "--state", str(tmp_path / "state"), "--config", str(path)]) == 2
    assert "both given" in capsys.readouterr().err


def test_points_where_postgis_is_and_also_when_it_comes_later(server, tmp_path, capsys):
    url = server.database()
    path = tmp_path / "luxwake.toml"
    path.write_text(f'state = "{tmp_path}/state"\nstore = "{url}"\n')
    store = PostgresStore(url)
    store.commit(1, 0, [change(1)], {}, [])
    store.close()
    if not server.asked("select 1 from pg_available_extensions where name = 'postgis'"):
        pytest.skip("PostGIS is not installed (apt-get install postgresql-15-postgis-3)")
    server.asked("create schema gis; create extension postgis schema gis", name_of(url))
    store = PostgresStore(url)
    far = change(2, "b")._replace(lat=float("nan"), lon=float("nan"))
    store.commit(2, 0, [far, change(3, "c")._replace(lon=104.8)], {}, [])
    store.close()
    near = "select event_id from events where gis.st_dwithin(place, gis.st_makepoint(103.8, 1.5)::gis.geography, 50000)"
    assert main(["store", "query", near, "--config", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"event_id": "a"}
    assert main(["store", "query", "select count(place) as n from events", "--config", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"n": 2}


def test_doctor_names_the_server_and_the_library(server, capsys):
    assert main(["doctor", "--json"]) == 0
    said = capsys.readouterr().out
    assert '"pg"' in said and "ready" in said and '"postgresql"' in said
