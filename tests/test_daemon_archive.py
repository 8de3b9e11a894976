"""The position archive: every row that was decoded, once, whatever happens to the process, the disk and the files."""

import contextlib
import errno
import os
import random
import shutil
import signal
import tempfile
import time
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luxwake as lw
from ais.table import Fixes
from geo.cells import cells
from geo.errors import InputError, OutputError
from luxwake.cli import main
from luxwake.daemon import archive as module
from luxwake.daemon.archive import Archive
from luxwake.daemon.archive_files import NO_DAY, partitions, parts_of
from luxwake.daemon.archive_reading import day_rows, files_of, sources_of
from luxwake.daemon.core import Core
from luxwake.daemon.intake import Chunk
from luxwake.daemon.parsing import NmeaParser
from tests.daemon_case import config, feed, in_child, pieces

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where nothing waits for a disk."""
KILLS = int(os.environ.get("LUXWAKE_KILLS", "25"))
CALLS = ("fsync", "replace", "unlink", "open", "mkdir")
VALUES = ("t", "mmsi", "lat", "lon", "sog", "cog", "heading", "nav_status", "msg_type", "channel")
DAY = 86_400_000_000
DAYS = (19_675, 19_676, 19_677)


@pytest.fixture(autouse=True, scope="module")
def patient():
    """An end waits until all is written, so that all is to be seen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CLOSE_S", 300.0)
        yield


def rows_in(files):
    """All rows of files, in one order, as text: NaN and null are one then."""
    if not files:
        return []
    listed = [str(path) for path in files]
    rows = duckdb.read_parquet(listed, hive_partitioning=False).select(
        'epoch_us(t) as t, mmsi, lat, lon, sog, cog, heading, nav_status, msg_type, channel, source, "offset"'
    )
    return sorted(map(repr, rows.fetchall()))


def as_rows(fixes, name="feed"):
    """The same of a table."""
    columns = [fixes[one].tolist() for one in VALUES]
    made = []
    for row in zip(*columns, fixes["offset"].tolist(), strict=True):
        values = [None if value != value else value for value in row]
        values[7] = None if values[7] == 15 else values[7]
        values[9] = chr(values[9]) if values[9] else None
        made.append(repr((*values[:10], name, values[10])))
    return sorted(made)


def serve(state, chunks, checkpoint_every=7, **more):
    """Recover, then take up all chunks behind the cursor."""
    core = Core(config(state, detect={"detectors": ["loitering"]}, **{"archive_rows": 250, **more}))
    core.recover()
    done = int(core.cursors.get("feed", "0"))
    for data, end in chunks:
        if end > done:
            core.take([Chunk(0, 2_000_000_000_000_000 + end, data, str(end), 0)])
            if core.journal.last % checkpoint_every == 0:
                core.checkpoint()
    core.close()


@pytest.fixture(scope="module")
def chunks():
    return pieces(feed())


@pytest.fixture(scope="module")
def decoded(chunks):
    """All rows of the feed."""
    parser = NmeaParser()
    return sorted(row for data, end in chunks for row in as_rows(parser.feed(data, 2_000_000_000_000_000 + end)))


@pytest.fixture(scope="module")
def whole(chunks, tmp_path_factory):
    """The state of a core that nothing happened to."""
    state = tmp_path_factory.mktemp("whole") / "state"
    serve(state, chunks)
    return state


def test_every_row_is_there_once_in_its_partition(whole, decoded):
    folder = whole / "archive"
    assert len(decoded) > 3000 and rows_in(files_of(folder)) == decoded
    assert not [path for path in folder.rglob("*.partial")]
    for place in partitions(folder):
        date, cell = place.parent.name.removeprefix("date="), place.name.removeprefix("cell=")
        for part in parts_of(place)[0]:
            found = duckdb.read_parquet(str(part.path), hive_partitioning=False).fetchnumpy()
            assert set(found["t"].astype("M8[D]").astype(str)) == {date}
            assert {f"{one:x}" for one in cells(found["lat"], found["lon"], 1)} == {cell}
            keys = list(zip(found["mmsi"].tolist(), found["t"].tolist(), strict=True))
            assert keys == sorted(keys)
    packing = duckdb.sql(f"select distinct compression from parquet_metadata('{folder}/*/*/*.parquet')").fetchall()
    assert packing == [("ZSTD",)]


def test_read_back_it_is_the_feed(whole, tmp_path):
    path = tmp_path / "feed.nmea"
    path.write_bytes(feed())
    mine, theirs = lw.read(whole / "archive"), lw.read(path)
    for name in (
        "t",
        "mmsi",
        "lat",
        "lon",
        "sog",
        "cog",
        "heading",
        "nav_status",
        "msg_type",
        "cell",
        "hull",
        "status",
    ):
        np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)
    assert (
        lw.detect(mine, ["dark", "loitering"])["id"].tolist() == lw.detect(theirs, ["dark", "loitering"])["id"].tolist()
    )


def test_kills_at_random_instants_lose_and_double_no_row(tmp_path, chunks, decoded, whole):
    rng = random.Random(11)
    state, kills = tmp_path / "state", 0
    while kills < KILLS:
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                serve(state, chunks)
            os._exit(0)
        time.sleep(rng.uniform(0.05, 1.5))
        os.kill(pid, signal.SIGKILL)
        killed = os.WIFSIGNALED(os.waitpid(pid, 0)[1])
        kills += killed
        if not killed:
            assert rows_in(files_of(state / "archive")) == decoded
            shutil.rmtree(state)
    serve(state, chunks)
    assert rows_in(files_of(state / "archive")) == decoded


@pytest.mark.parametrize("call", CALLS)
def test_a_death_at_a_call_of_the_system_loses_and_doubles_no_row(tmp_path, chunks, whole, call):
    """Before the n-th call for something in the archive."""
    real, some = getattr(os, call), chunks[:25]
    codes = []
    parser = NmeaParser()
    expected = sorted(r for data, end in some for r in as_rows(parser.feed(data, 2_000_000_000_000_000 + end)))
    for n in (1, 2, 9, 30):
        state = tmp_path / f"{call}{n}"

        def work(state=state, n=n):
            calls = 0

            def deadly(*values, **more):
                nonlocal calls
                is_ours = call == "fsync" or "archive" in str(values[0])
                calls += is_ours
                if is_ours and calls == n:
                    os._exit(9)
                return real(*values, **more)

            setattr(os, call, deadly)
            serve(state, some)

        codes.append(in_child(work))
        serve(state, some)
        assert len(expected) > 500 and rows_in(files_of(state / "archive")) == expected
        shutil.rmtree(state)
    assert codes[0] == 9 and set(codes) <= {0, 9}


def test_what_a_process_left_torn_is_made_again(tmp_path, chunks, decoded):
    state = tmp_path / "state"
    core = Core(config(state, detect={"detectors": ["loitering"]}, archive_rows=300))
    core.recover()
    for data, end in chunks[:30]:
        core.take([Chunk(0, 2_000_000_000_000_000 + end, data, str(end), 0)])
        if core.journal.last == 10:
            core.checkpoint()
    core.archive.close()
    newest = max(files_of(state / "archive"), key=lambda path: int(path.stem))
    assert int(newest.stem) > 10
    newest.write_bytes(newest.read_bytes()[:50])
    (newest.parent / ".29.parquet.partial").write_bytes(b"PAR1")
    core._lock.release()
    serve(state, chunks)
    assert rows_in(files_of(state / "archive")) == decoded
    assert not list((state / "archive").rglob("*.partial"))


def test_a_full_disk_stops_nothing_for_good(tmp_path, chunks, decoded, monkeypatch):
    state, real, fail = tmp_path / "state", os.replace, False
    monkeypatch.setattr(module, "RETRY_S", 0.0)

    def full(source, target, **more):
        if fail and str(target).endswith(".parquet"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(source, target, **more)

    monkeypatch.setattr(os, "replace", full)
    core = Core(config(state, detect={"detectors": ["loitering"]}, archive_rows=300))
    core.recover()
    parser, refused, followed, told = NmeaParser(), 0, 0, False
    most = max(len(parser.feed(data, 0)) for data, _ in chunks)
    for k, (data, end) in enumerate(chunks):
        fail = k % 20 >= 2
        record = core.follow(core.write([Chunk(0, 2_000_000_000_000_000 + end, data, str(end), 0)]))
        followed += 1
        try:
            core.commit(record)
        except OutputError as error:
            assert "No space left on device" in str(error)
            refused += 1
            fail = False
            core.commit(record)
        if k % 20 == 19:
            fail = True
            core.checkpoint()
            while not (told := "No space left on device" in core.archive.trouble()):
                time.sleep(0.01)
        assert core.archive.rows < 300 + most
    fail = False
    core.close()
    assert refused and told and not core.archive.trouble() and followed == len(chunks)
    assert rows_in(files_of(state / "archive")) == decoded


def rows(seed, n, days=DAYS):
    """Random positions in a few cells; each has an offset of its own."""
    rng = np.random.default_rng(seed)
    return Fixes(
        {
            "t": rng.choice(days, n) * DAY + rng.integers(0, DAY, n),
            "mmsi": rng.integers(671999101, 671999110, n),
            "lat": rng.choice([-30.0, 0.0, 55.5], n),
            "lon": rng.choice([-179.9, 12.5], n),
            "sog": np.where(rng.random(n) < 0.2, np.nan, 12.25).astype("f4"),
            "channel": rng.choice([0, 65, 66], n),
            "offset": np.arange(n) + seed * 1_000_000,
        },
        sources=("feed",),
    )


def test_an_error_at_any_step_of_writing_leaves_nothing_double_and_nothing_that_a_start_overlooks(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    real = {call: getattr(os, call) for call in ("replace", "fsync", "mkdir")}
    at, fatal = 0, -1

    def failing(call):
        def one(*values, **more):
            nonlocal at
            at += 1
            if at == fatal:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real[call](*values, **more)

        return one

    table, failed = rows(1, 60, days=DAYS[:1]), 0
    for call in real:
        monkeypatch.setattr(os, call, failing(call))
    for n in range(1, 60):
        folder = tmp_path / str(n)
        at, fatal = -1000, -1
        archive = Archive(folder, 10**6, ("feed",))
        archive.add(table)
        at, fatal = 0, n
        with contextlib.suppress(OutputError):
            archive.flush(1)
        failed += at >= n
        archive.flush(1)
        archive.close()
        fatal = -1
        assert rows_in(files_of(folder)) == as_rows(table)
        again = Archive(folder, 10, ("feed",))
        again.recover(0, 1)
        assert not [path for path in folder.rglob("*") if path.is_file() and path.name != ".unsettled"]
    assert 25 < failed < 59


def test_an_end_does_not_wait_for_a_slow_disk_and_loses_nothing(tmp_path, chunks, decoded, monkeypatch):
    monkeypatch.setattr(module, "CLOSE_S", 0.0)
    state = tmp_path / "state"
    for k in range(0, len(chunks), 15):
        serve(state, chunks[: k + 15])
    monkeypatch.setattr(module, "CLOSE_S", 300.0)
    serve(state, chunks)
    core = Core(config(state, detect={"detectors": ["loitering"]}))
    core.recover()
    core.archive.flush(core.journal.last)
    core.close()
    assert rows_in(sorted((state / "archive").rglob("*.parquet"))) == decoded


STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "add", "add", "checkpoint", "checkpoint", "kill", "wait"]), st.integers(0, 1000)),
    max_size=20,
)


@settings(max_examples=30, deadline=None)
@given(STEPS)
def test_law_the_archive_is_what_the_journal_says(steps):
    """Random rows, checkpoints, merges and kills against a list; after a kill the records since are given again."""
    monkey = pytest.MonkeyPatch()
    monkey.setattr(module, "TIER", 3)
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        folder, journal, kept = Path(place, "archive"), [], [(0, None)]
        archive = Archive(folder, 40, ("feed",))
        archive.recover(0, 0)
        for k, (step, x) in enumerate(steps):
            if step == "add":
                journal.append(rows(len(journal) + 1, x % 50))
                archive.add(journal[-1])
                if archive.is_full:
                    archive.write(len(journal))
            elif step == "checkpoint":
                archive.write(len(journal), wait=bool(x % 2))
                saved = Path(place, f"{k}.archive")
                archive.save(saved)
                kept = [kept[-1], (len(journal), saved)]
                archive.compact((DAYS[x % 3] + 2) * DAY)
            elif step == "wait":
                archive.settled()
            else:
                archive.close()
                archive = Archive(folder, 40, ("feed",))
                begin, saved = kept[-1 - x % len(kept)]  # the newer checkpoint may be torn
                kept = [(begin, saved)]
                archive.recover(begin, len(journal), saved)
                for number, again in enumerate(journal[begin:], begin + 1):
                    archive.add(again)
                    if archive.is_full:
                        archive.write(number)
        archive.flush(len(journal))
        archive.close()
        assert rows_in(sorted(folder.rglob("*.parquet"))) == sorted(row for one in journal for row in as_rows(one))
    monkey.undo()


def test_files_of_a_day_that_is_over_become_one(tmp_path):
    archive = Archive(tmp_path, 10**6, ("feed",))
    for number in range(1, 9):
        archive.add(rows(number, 40))
        archive.flush(number)
        if number in (6, 8):
            archive.compact(DAYS[0] * DAY if number == 6 else (DAYS[1] + 2) * DAY)
            archive.settled()
            before = rows_in(files_of(tmp_path))
    for place in partitions(tmp_path):
        names = [part.path.name for part in parts_of(place)[0]]
        small = [name for name in names if "-" not in name]
        if place.parent.name == "date=2023-11-16":  # not over yet
            assert small == names and len(names) > 5
        else:
            assert len(names) - len(small) == 1 and set(small) <= {"7.parquet", "8.parquet"}
    assert rows_in(files_of(tmp_path)) == before
    archive.close()


def test_many_small_files_are_merged_while_their_day_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TIER", 4)
    archive = Archive(tmp_path, 10**6, ("feed",))
    for number in range(1, 11):
        archive.add(rows(number, 60, days=DAYS[:1]))
        archive.flush(number)
        archive.compact(DAYS[0] * DAY)
        archive.settled()
    for place in partitions(tmp_path):
        assert [part.path.name for part in parts_of(place)[0]] == [
            "1-4.parquet",
            "5-8.parquet",
            "9.parquet",
            "10.parquet",
        ]
    archive.close()


def test_a_merge_that_was_killed_before_the_old_files_were_gone(tmp_path):
    archive = Archive(tmp_path, 10**6, ("feed",))
    for number in (1, 2, 3):
        archive.add(rows(number, 40))
        archive.flush(number)
    shutil.copytree(tmp_path, tmp_path.parent / "old")
    before = rows_in(files_of(tmp_path))
    for _ in range(2):
        archive.compact((DAYS[2] + 2) * DAY)
        archive.settled()
    archive.close()
    for path in files_of(tmp_path.parent / "old"):
        shutil.copy(path, tmp_path / path.relative_to(tmp_path.parent / "old"))
    (tmp_path / ".unsettled").unlink()
    assert rows_in(files_of(tmp_path)) == before
    again = Archive(tmp_path, 10, ("feed",))
    again.recover(3, 3)
    assert rows_in(sorted(tmp_path.rglob("*.parquet"))) == before


def test_an_archive_of_another_journal_is_left_alone(tmp_path):
    archive = Archive(tmp_path, 10, ("feed",))
    archive.add(rows(1, 40))
    archive.flush(7)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="belongs to another journal"):
        Archive(tmp_path, 10, ("feed",)).recover(0, 6)
    assert sorted(tmp_path.rglob("*")) == before


def test_times_that_a_feed_makes_up_do_not_become_a_folder_each(tmp_path):
    archive = Archive(tmp_path, 10, ("feed",))
    archive.add(rows(1, 5000, days=np.arange(10_000, 12_000)))
    archive.add(rows(2, 500))
    archive.flush(1)
    folders = [path.name for path in tmp_path.glob("date=*")]
    assert len(folders) == 65 and NO_DAY in folders and "date=2023-11-15" in folders
    assert len(rows_in(files_of(tmp_path))) == 5500
    archive.close()


def test_a_day_is_given_in_the_order_of_time(tmp_path):
    archive, table = Archive(tmp_path, 10**6, ("other", "feed")), rows(3, 400)
    table["source"][:] = 1
    archive.add(table)
    archive.flush(1)
    archive.close()
    assert sources_of(tmp_path) == ("feed",)
    got = [piece for day in ("2023-11-14", "2023-11-15", "2023-11-16") for piece in day_rows(tmp_path, day, ("feed",))]
    assert as_rows(table) == sorted(row for piece in got for row in as_rows(piece))
    t = np.concatenate([piece["t"] for piece in got])
    assert (np.diff(t) >= 0).all() and not any(piece["source"].any() for piece in got)


@pytest.fixture
def state(whole, tmp_path):
    """A copy of the state, with a configuration beside it."""
    shutil.copytree(whole, tmp_path / "state")
    return tmp_path / "state"


def luxwake(capsys, *arguments):
    code = main([*map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_verify_reads_every_file_and_names_what_is_wrong(state, capsys, decoded):
    code, out, _ = luxwake(capsys, "store", "verify", "--state", state, "--json")
    assert code == 0 and str(len(decoded)) in out.replace(",", "")
    path = files_of(state / "archive")[3]
    sound = path.read_bytes()
    path.write_bytes(sound[:-200])
    code, _, err = luxwake(capsys, "store", "verify", "--state", state)
    assert code == 1 and str(path) in err and "cannot be read" in err
    path.write_bytes(sound)
    number = int(path.stem)
    others = [path.with_name(f"{number + first}-{number + last}.parquet") for first, last in ((0, 3), (2, 9))]
    for other in others:
        shutil.copy(path, other)
    code, _, err = luxwake(capsys, "store", "verify", "--state", state)
    assert code == 1 and f"{others[1]}: holds records that {others[0].name} has too" in err
    for other in others:
        other.unlink()
    (day, *_), cell = [place.name for place in sorted((state / "archive").glob("date=*"))], path.parent.name
    wrong = state / "archive" / "date=2001-01-01" / cell
    wrong.mkdir(parents=True)
    shutil.copy(path, wrong / path.name)
    code, _, err = luxwake(capsys, "store", "verify", "--state", state)
    assert code == 1 and "rows of another day" in err and day


def test_positions_are_exported_and_pruned(state, capsys, decoded, tmp_path):
    out = tmp_path / "all.parquet"
    assert luxwake(capsys, "store", "export", "--fixes", "--state", state, "-o", out)[0] == 0
    assert rows_in([out]) == decoded
    t = duckdb.sql(f"select epoch_us(t) from '{out}'").fetchnumpy()["epoch_us(t)"]
    assert (np.diff(t) >= 0).all()
    there = sorted(path.name.removeprefix("date=") for path in (state / "archive").glob("date=*"))
    code, *_ = luxwake(capsys, "store", "prune", "--state", state, "--positions-before", f"{there[1]}T12:00:00Z")
    assert code == 0
    assert sorted(path.name for path in (state / "archive").iterdir() if path.name[0] != ".") == [
        f"date={day}" for day in there[1:]
    ]
    left = [row for row in decoded if int(row[1:].split(",")[0]) >= int(t.min()) // DAY * DAY + DAY]
    assert rows_in(files_of(state / "archive")) == left
    assert luxwake(capsys, "store", "prune", "--state", state)[0] == 2
    shutil.rmtree(state / "archive")
    code, _, err = luxwake(capsys, "store", "export", "--fixes", "--state", state)
    assert code == 1 and "no archive" in err


def stored(state):
    from luxwake.daemon.store import Store

    store = Store(state / "events.sqlite")
    assert store.check() == []
    changes = store.changes(limit=1_000_000)
    store.close()
    return changes


def test_backfill_tells_what_was_never_told_and_nothing_twice(state, capsys, tmp_path):
    before = stored(state)
    there = sorted(path.name.removeprefix("date=") for path in (state / "archive").glob("date=*"))
    written = tmp_path / "luxwake.toml"
    written.write_text(f'state = "{state}"\n[detect]\ndetectors = ["loitering", "dark"]\n', encoding="utf-8")
    batch = lw.detect(lw.read(state / "archive"), ["loitering", "dark"])
    assert luxwake(capsys, "backfill", *there, "--config", written, "--quiet")[0] == 0
    after = stored(state)
    assert after[: len(before)] == before and len(after) > len(before)
    new = after[len(before) :]
    assert {change.kind for change in new} == {"dark", "gap"} and {change.revision for change in new} == {0}
    assert len({change.event_id for change in new}) == len(new)
    old = {change.event_id for change in before if change.change != "retracted"}
    assert old | {change.event_id for change in new} >= set(batch["id"].tolist())
    assert luxwake(capsys, "backfill", *reversed(there), "--config", written, "--quiet")[0] == 0
    assert stored(state) == after


def test_backfill_of_one_day_does_not_cut_at_midnight(state, capsys, tmp_path):
    before = stored(state)
    there = sorted(path.name.removeprefix("date=") for path in (state / "archive").glob("date=*"))
    written = tmp_path / "luxwake.toml"
    written.write_text(f'state = "{state}"\n[detect]\ndetectors = ["loitering"]\n', encoding="utf-8")
    assert luxwake(capsys, "backfill", there[1], "--config", written, "--quiet")[0] == 0
    assert stored(state) == before
    code, _, err = luxwake(capsys, "backfill", "2001-01-01", "--config", written)
    assert code == 2 and "no positions of 2001-01-01; it has" in err
    assert luxwake(capsys, "backfill", "2001-01-01T10:00", "--config", written)[0] == 2
    core = Core(config(state))
    code, _, err = luxwake(capsys, "backfill", there[0], "--config", written)
    core.close()
    assert code == 2 and "another daemon uses this state" in err
