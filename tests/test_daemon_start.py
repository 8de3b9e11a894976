"""How a daemon starts: what is known first, what is gone through again, and what it says while it is not ready."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from luxwake.daemon.core import Core
from luxwake.daemon.intake import Chunk
from tests.daemon_case import config, feed, in_child, pieces, serve, stored

ROOT = Path(__file__).resolve().parents[1]
DEADLINE_S = 240.0


@pytest.fixture(scope="module")
def chunks():
    return pieces(feed(), n=24)


def taken(core, chunks):
    for data, end in chunks:
        core.take([Chunk(0, 2_000_000_000_000_000 + end, data, str(end), 0)])


def test_a_start_knows_first_where_its_sources_go_on_and_may_write_checkpoints_on_its_way(tmp_path, chunks):
    whole = serve(tmp_path / "whole", chunks)
    state = tmp_path / "state"

    def killed():
        core = Core(config(state))
        core.recover()
        taken(core, chunks[:5])
        core.checkpoint()
        taken(core, chunks[5:20])
        os.kill(os.getpid(), signal.SIGKILL)

    def killed_again():
        core = Core(config(state))
        again = core.recovering()
        next(again)
        assert core.cursors == {"feed": str(chunks[19][1])} and core.rows == 0
        for _ in range(6):
            next(again)
        core.checkpoint()
        next(again)
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(killed) == in_child(killed_again) == -signal.SIGKILL
    core = Core(config(state))
    assert core.recover() == 15 - 6
    taken(core, chunks[20:])
    core.close()
    assert stored(state) == whole


def test_a_checkpoint_is_due_when_much_would_have_to_be_done_again(tmp_path, chunks):
    core = Core(config(tmp_path / "state", checkpoint={"every_s": 1e6, "journal_mib": 1000.0}))
    core.recover()
    assert not core.saving.is_due
    due = []
    for chunk in chunks * 10:
        taken(core, [chunk])
        due.append(core.saving.is_due)
        if due[-1]:
            core.checkpoint()
            assert not core.saving.is_due
    assert any(due) and not all(due)
    core.close()


def test_positions_wait_in_checkpoints_until_files_are_due(tmp_path, chunks):
    state = tmp_path / "state"
    core = Core(config(state, archive=True))
    core.recover()
    taken(core, chunks[:6])
    core.checkpoint(archive=False)
    assert not list(state.glob("archive/*/*/*.parquet")) and not core.saving.is_archive_due
    core.checkpoint()
    core.archive.flush(core.journal.last)
    assert list(state.glob("archive/*/*/*.parquet"))
    core.close()


@pytest.fixture
def started(tmp_path):
    """A daemon as a process, and what its status server answers to a path; it is ended when the test is."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    made = []

    def start(more="", **environment):
        path = tmp_path / "luxwake.toml"
        path.write_text(
            f'state = "{tmp_path}/state"\n{more}\n[http]\nport = {port}\n'
            '[[sources]]\nname = "feed"\ntype = "tcp-server"\nport = 0\n'
        )
        command = [sys.executable, "-m", "luxwake.cli", "serve", "--config", str(path)]
        with (tmp_path / "log").open("w") as log:
            made.append(subprocess.Popen(command, stderr=log, cwd=ROOT, env={**os.environ, **environment}))
        return made[0]

    def ask(path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    yield start, ask
    for process in made:
        process.kill()
        process.wait()


def until(ask, path, wanted, process):
    deadline = time.monotonic() + DEADLINE_S
    while (found := ask(path)) != wanted:
        assert process.poll() is None and time.monotonic() < deadline, found
        time.sleep(0.05)


def children(pid):
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_it_answers_while_another_process_compiles_its_kernels_and_stops_when_it_is_told(tmp_path, started):
    start, ask = started
    process = start(LUXWAKE_CACHE=str(tmp_path / "cache"))
    until(ask, "/readyz", (503, "compiling kernels\n"), process)
    assert ask("/healthz") == (200, "ok\n")
    assert json.loads(ask("/status")[1])["phase"] == "compiling kernels"
    (compiler,) = children(process.pid)
    process.send_signal(signal.SIGHUP)  # is not taken yet
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert not Path(f"/proc/{compiler}").exists()


def test_it_waits_for_a_database_that_is_away(tmp_path, started):
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'luxwake[pg]'")
    start, ask = started
    process = start('store = "postgresql://me@127.0.0.1:1/ships"')
    until(ask, "/readyz", (503, "waiting for the store\n"), process)
    assert ask("/healthz") == (200, "ok\n")
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    log = (tmp_path / "log").read_text()
    assert "postgresql://127.0.0.1:1/ships: cannot be connected to" in log and "again in" in log
