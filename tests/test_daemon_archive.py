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
from geo.cells import cells
from geo.errors import OutputError
from luxwake.daemon import archive as module
from luxwake.daemon.archive import Archive
from luxwake.daemon.archive_files import partitions, parts_of
from luxwake.daemon.archive_reading import files_of
from luxwake.daemon.core import Core
from luxwake.daemon.intake import Chunk
from luxwake.daemon.parsing import NmeaParser
from tests import archive_case
from tests.archive_case import CALLS, DAY, DAYS, KILLS, MEMORY, as_rows, rows, rows_in, serve
from tests.daemon_case import config, feed, in_child

patient, chunks = archive_case.patient, archive_case.chunks
decoded, whole = archive_case.decoded, archive_case.whole


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
                with saved.open("wb") as stream:
                    archive.put(stream)
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
