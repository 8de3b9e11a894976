"""What stands beside the core: systemd is told, and SIGHUP reads the configuration again; over a real daemon."""

import contextlib
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from luxwake.daemon.attendant import Attendant, needs_a_start
from luxwake.daemon.config import Config, config_of, read_config
from luxwake.daemon.matching import Filter
from luxwake.daemon.serve import Daemon
from luxwake.daemon.sinks import make_sink
from luxwake.daemon.sources import make_source

ROOT = Path(__file__).resolve().parents[1]
FILE = """
state = "{folder}/state"
[[sources]]
name = "feed"
type = "tcp-server"
port = 0
[[sinks]]
name = "log"
type = "jsonl"
path = "{folder}/told.jsonl"
vessels = "{folder}/ships.txt"
[http]
enabled = false
"""


@pytest.fixture
def path(tmp_path):
    (tmp_path / "ships.txt").write_text("671999101\n")
    made = tmp_path / "luxwake.toml"
    made.write_text(FILE.replace("{folder}", str(tmp_path)))
    return made


def test_filters_are_read_again_and_a_bad_file_changes_nothing(path, tmp_path, caplog):
    config = read_config(path, {})
    daemon = Daemon(config, make_source, make_sink, {one.name: Filter(one) for one in config.sinks})
    attendant = Attendant(daemon, config, str(path), {})
    try:
        watched = daemon.core.filters["log"].vessels
        assert watched == {671999101}
        (tmp_path / "ships.txt").write_text("671999101\nSEA LARK\n")
        assert not attendant.read_again() and daemon.core.filters["log"].vessels == watched
        assert "not taken, what held before holds" in caplog.text and "ships.txt:2" in caplog.text
        (tmp_path / "ships.txt").write_text("671999101\n671999102\n")
        text = path.read_text()
        path.write_text(text + "[wach]\nstep_s = 5\n")
        assert not attendant.read_again() and daemon.core.filters["log"].vessels == watched
        text = text.replace("[http]", "once = true\n[http]")
        path.write_text(text + '[log]\nformat = "json"\n[watch]\nstep_s = 60\n')
        assert attendant.read_again() and daemon.core.filters["log"].vessels == {671999101, 671999102}
        assert not daemon.core.filters["log"].once  # as the core has it until the next start
    finally:
        daemon.core.close()


def test_what_only_a_start_takes():
    sink = {"type": "jsonl", "name": "a", "path": "x"}
    old = config_of({"sinks": [sink]})
    assert needs_a_start(old, config_of({"sinks": [{**sink, "kinds": ["dark"], "min_score": 0.5}]})) == []
    assert needs_a_start(old, config_of({"sinks": [sink], "log": {"level": "debug"}})) == []
    assert needs_a_start(old, config_of({"sinks": [{**sink, "path": "y"}]})) == ["sinks"]
    assert needs_a_start(old, config_of({"sinks": [{**sink, "once": True}]})) == ["sinks"]
    assert needs_a_start(Config(), config_of({"http": {"port": 1}, "watch": {"step_s": 1}})) == ["http"]


def test_systemd_sees_it_come_and_go(path, tmp_path, monkeypatch):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        monkeypatch.setenv("WATCHDOG_USEC", "2000000")
        told = []

        def wait_for(pattern, seconds=240.0):
            deadline = time.monotonic() + seconds
            while not any(re.match(pattern, one) for one in told):
                assert time.monotonic() < deadline, told
                systemd.settimeout(max(0.1, deadline - time.monotonic()))
                with contextlib.suppress(TimeoutError):
                    told.append(systemd.recv(4096).decode())
            seen = [*told]
            told.clear()
            return seen

        log = tmp_path / "log"
        with log.open("w") as errors:
            command = [sys.executable, "-m", "luxwake.cli", "serve", "--config", str(path)]
            process = subprocess.Popen(command, stderr=errors, cwd=ROOT)
        try:
            before = wait_for("READY=1")
            assert any(one.startswith("STATUS=") for one in before)
            wait_for("WATCHDOG=1")
            text = path.read_text()
            path.write_text(text + "[wach]\n")
            process.send_signal(signal.SIGHUP)
            wait_for("RELOADING=1")
            wait_for("READY=1")
            path.write_text(text + '[log]\nformat = "json"\n[checkpoint]\nevery_s = 5\n')
            process.send_signal(signal.SIGHUP)
            wait_for("RELOADING=1")
            wait_for("READY=1")
            wait_for("STATUS=running: 0 messages/s, 0 vessels")
            process.send_signal(signal.SIGTERM)
            wait_for("STOPPING=1", 20.0)
            assert process.wait(20) == 0
        finally:
            process.kill()
            process.wait()
    lines = log.read_text().splitlines()
    assert any(
        "error luxwake.serve: not taken" in line and "wach: no such key; did you mean watch?" in line for line in lines
    )
    assert any(line.startswith("{") and "at the next start: checkpoint" in line for line in lines)
