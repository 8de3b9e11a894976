"""A daemon in this process: what its core does between the sources and the status."""

import contextlib
import errno
import gzip
import os
import threading
import time

import pytest

from geo.errors import InputError
from luxwake.cli import main
from luxwake.daemon.checkpoint import Checkpoints
from luxwake.daemon.intake import Chunk, Intake
from luxwake.daemon.replay import Recording
from luxwake.daemon.serve import Daemon
from luxwake.daemon.sinks import make_sink
from luxwake.daemon.source import Source
from luxwake.daemon.sources import make_source
from tests.daemon_case import config, feed

DEADLINE_S = 120.0


@contextlib.contextmanager
def running(values, make=make_source):
    """A daemon in a thread, and a way to wait for something."""
    daemon = Daemon(values, make, make_sink, {})
    thread = threading.Thread(target=daemon.run)
    thread.start()

    def wait(is_so):
        deadline = time.monotonic() + DEADLINE_S
        while not is_so():
            assert thread.is_alive() and time.monotonic() < deadline
            time.sleep(0.01)

    try:
        yield daemon, wait
    finally:
        daemon.stop()
        thread.join(DEADLINE_S)


def test_the_place_where_a_quiet_file_was_begun_is_kept(tmp_path):
    """A file of which nothing has come since: a start after a stop goes on from there."""
    path = tmp_path / "feed.nmea"
    path.write_bytes(feed()[:20_000])
    source = {"type": "tail", "name": "feed", "path": str(path), "start": "end"}
    values = config(tmp_path / "state", sources=[source])
    with running(values) as (daemon, wait):
        wait(lambda: daemon.core.cursors.get("feed"))
        assert daemon.intakes[0].lag_s == 0.0 and daemon.core.rows == 0
    with path.open("ab") as file:
        file.write(feed()[20_000:40_000])
    with running(values) as (daemon, wait):
        wait(lambda: daemon.core.rows > 10)


class Steady(Source):
    """Sends a line each few milliseconds."""

    def run(self, cursor):
        while not self.stop.wait(0.005):
            self.intake.put(b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\n")


def test_checkpoints_that_fail_are_told_until_one_is_written_though_the_journal_goes_on(tmp_path, monkeypatch):
    values = config(tmp_path / "state", checkpoint={"every_s": 0.1})
    begin, is_full = Checkpoints.begin, True

    def full(self, record, files):
        if is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return begin(self, record, files)

    monkeypatch.setattr(Checkpoints, "begin", full)
    with running(values, lambda one, intake: Steady(one.name, intake)) as (daemon, wait):
        wait(lambda: daemon.trouble)
        before = daemon.core.followed
        wait(lambda: daemon.core.followed > before + 20 and not daemon.reporter.latest.store_writable)
        assert "No space left" in daemon.trouble
        is_full = False
        wait(lambda: not daemon.trouble)
    again = Daemon(values, lambda one, intake: Steady(one.name, intake), make_sink, {})
    assert abs(again.core.checkpoints.t_written - time.time()) < DEADLINE_S
    again.core.close()


def test_the_lag_is_that_of_the_source_that_waited_longest_and_of_the_last_minute(tmp_path, monkeypatch):
    values = config(tmp_path / "state", sources=[{"type": "stdin", "name": name} for name in ("quick", "slow")])
    daemon = Daemon(values, make_source, make_sink, {})
    daemon.core.recover()
    now = time.time_ns() // 1000
    daemon._take([Chunk(0, now, b"", "", 0), Chunk(1, now - 30_000_000, b"", "", 0)])
    assert 30.0 <= daemon.lag_p99_s < 30.0 + DEADLINE_S
    begun = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: begun + 3600.0)
    assert daemon.lag_p99_s == 0.0
    daemon.core.close()


def recorded(path, cursor="", speed=None):
    """What a recording puts from a cursor on: the chunks."""
    intake = Intake(0, 1 << 30)
    Recording("replay", intake, [path], speed).run(cursor)
    return intake.take(1 << 30)


@pytest.mark.parametrize("speed", [None, 1e9])
def test_a_recording_goes_on_behind_what_was_taken(tmp_path, speed):
    path = tmp_path / "feed.nmea"
    path.write_bytes(feed())
    chunks = recorded(path, speed=speed)
    assert b"".join(chunk.data for chunk in chunks) == feed()
    for cursor in (1, 100, *(int(chunk.cursor) for chunk in chunks[:: max(1, len(chunks) // 5)]), len(feed()) - 1):
        again = recorded(path, str(cursor), speed)
        assert b"".join(chunk.data for chunk in again) == feed()[cursor:]
        assert not again or int(again[-1].cursor) == len(feed())


def test_a_damaged_recording_does_not_pass_for_a_whole_one(tmp_path, capsys):
    path = tmp_path / "feed.nmea.gz"
    path.write_bytes(gzip.compress(feed())[:-4000])
    assert main(["replay", str(path), "--state", str(tmp_path / "state"), "--quiet"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert any(str(path) in line for line in said) and "Traceback" not in "".join(said)
    path.write_bytes(gzip.compress(feed()))
    assert main(["replay", str(path), "--state", str(tmp_path / "state"), "--quiet"]) == 0
    with pytest.raises(InputError):
        Recording("r", Intake(0, 1 << 30), [tmp_path / "none.nmea"], None).run("")
