"""`luxwake serve` as a process: what it tells, how it stops, and that kills change nothing."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import msgspec
import numpy as np
import pytest

from ais.transmit import MESSAGE, REPORT, encode
from luxwake.daemon.sink import Change
from tests.daemon_case import feed, pieces, serve, stored

DEADLINE_S = 240.0
"""A machine with much else to do starts slowly."""
KILLS = int(os.environ.get("LUXWAKE_KILLS", "4"))


class Served:
    """A daemon in a process of its own."""

    def __init__(self, folder, source, more=""):
        self.folder, self.port = folder, free_port()
        self.path = folder / "luxwake.toml"
        self.path.write_text(
            f"""
            state = "{folder}/state"
            [[sources]]
            name = "feed"
            {source}
            [[sinks]]
            name = "log"
            type = "jsonl"
            path = "{folder}/told.jsonl"
            [watch]
            history_s = 10800
            max_vessels = 4096
            [checkpoint]
            every_s = 1
            [http]
            port = {self.port}
            {more}
            """
        )
        self.process = None

    def start(self):
        command = [sys.executable, "-m", "luxwake.cli", "serve", "--config", str(self.path)]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        return self

    def status(self):
        """What it says of itself; None while it does not answer."""
        url = f"http://127.0.0.1:{self.port}/status"
        with contextlib.suppress(OSError, ValueError), urllib.request.urlopen(url, timeout=5) as answer:
            return json.loads(answer.read())
        return None

    def wait_until(self, is_so):
        """Wait until the status is so, and give it."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.process.stderr.read()
            status = self.status()
            if status is not None and status["phase"] == "running" and is_so(status):
                return status
            time.sleep(0.05)
        raise AssertionError(f"not so within {DEADLINE_S} s: {self.status()}")

    def wait_for_bytes(self, n):
        """Wait until so many bytes of the source have been taken up."""
        return self.wait_until(
            lambda s: s["sources"][0]["received_bytes"] >= n and not s["sources"][0]["waiting_bytes"]
        )

    def stop(self):
        """SIGTERM; how long it took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0, self.process.stderr.read()
        self.process.stderr.close()
        return time.monotonic() - begun

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def told(self):
        """The changes that the sink has."""
        lines = (self.folder / "told.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def served(tmp_path):
    made = []

    def one(source, more=""):
        made.append(Served(tmp_path, source, more))
        return made[-1]

    yield one
    for daemon in made:
        if daemon.process is not None and daemon.process.poll() is None:
            daemon.kill()


UNTOLD = ("revision", "n", "score", "expected_messages", "p_value", "q_value", "likelihood_ratio", "partner_delta_m")


def events(changes):
    """The newest form of each event: whole where it has ended, that it is there where it goes on.

    How many rows it has and what its score rests on is left out: of an event that has ended, a count that changes is
    not told, nor is a score that changes by less than 0.05.
    """
    last = {change.event_id: msgspec.json.decode(change.body) for change in changes}
    told = {key: one for key, one in last.items() if one.pop("change") != "retracted"}
    for one in told.values():
        for name in UNTOLD:
            one.pop(name, None)
    return {key: None if one["open"] else one for key, one in told.items()}


def test_a_growing_file_is_followed_and_kills_change_nothing(tmp_path, served):
    data = feed()
    whole = events(serve(tmp_path / "whole", [(data, len(data))]))
    path = tmp_path / "feed.nmea"
    path.write_bytes(b"")
    daemon = served(f'type = "tail"\npath = "{path}"\npoll_s = 0.02')
    rng = random.Random(11)
    daemon.start()
    with path.open("ab", buffering=0) as file:
        parts = pieces(data, seed=3, n=KILLS + 1)
        for k, (part, _) in enumerate(parts):
            file.write(part)
            if k < len(parts) - 1:
                time.sleep(rng.uniform(0.0, 3.0))
                daemon.kill()
                daemon.start()
    done = None
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline and done != whole:
        assert daemon.process.poll() is None, daemon.process.stderr.read()
        time.sleep(0.3)
        with contextlib.suppress(Exception):
            done = events(stored_now(tmp_path / "state"))
    assert done == whole
    assert daemon.stop() < 10.0
    changes = stored(tmp_path / "state")
    assert events(changes) == whole
    assert daemon.told() == [json.loads(change.body) for change in changes], "each change once, in order"


def stored_now(state) -> list[Change]:
    """The changes of a store that is in use."""
    import sqlite3

    with contextlib.closing(sqlite3.connect(f"file:{state}/events.sqlite?mode=ro", uri=True)) as db:
        rows = db.execute("select event_id, body from changes order by seq").fetchall()
    return [Change(0, key, 0, "", "", 0, 0, 0.0, 0.0, 0.0, body) for key, body in rows]


def test_every_datagram_is_counted(served):
    """sent = decoded + rejected + dropped, whatever is sent."""
    port = free_port()
    daemon = served(f'type = "udp"\nport = {port}').start()
    daemon.wait_until(lambda status: True)
    sound = [line + b"\n" for line in feed().split(b"\n")[:500] if b"AIVDM,1,1" in line and b",0*" in line]
    rng = random.Random(2)
    bad = [bytes(rng.choices(range(128, 256), k=60)) for _ in range(50)]
    wrong = [line.replace(b",0*", b",1*") for line in sound[:30]]
    static = np.zeros(1, REPORT)
    static["name"], static["ship_type"] = "SYNTHETIC", 70
    ship = np.zeros(1, MESSAGE)
    ship["msg_type"], ship["mmsi"], ship["channel"], ship["station"], ship["epoch"] = 5, 671999101, ord("A"), -1, 1.7e9
    parts = encode(ship, static).data.tobytes().splitlines(keepends=True)
    sent = sound + bad + wrong
    rng.shuffle(sent)
    sent += parts
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        for datagram in sent:
            one.sendto(datagram, ("127.0.0.1", port))
    status = daemon.wait_until(
        lambda s: s["sources"][0]["received_units"] >= len(sent) and not s["sources"][0]["waiting_bytes"]
    )
    source = daemon.wait_until(lambda s: s["sources"][0]["decoded"] > len(sound))["sources"][0]
    assert source["received_units"] == len(sent) and not source["dropped_units"], status
    assert (source["heard"], source["decoded"]) == (len(sound) + len(wrong) + 2, len(sound) + 1)
    assert source["decoded"] + source["joined"] + sum(source["rejected"].values()) == len(sent)
    assert daemon.stop() < 10.0


def test_it_stops_at_once_under_load_and_loses_nothing(tmp_path, served):
    """SIGTERM while more comes than can be taken up: what the file holds is all there after the next start."""
    data = feed()
    whole = events(serve(tmp_path / "whole", [(data, len(data))]))
    path = tmp_path / "feed.nmea"
    path.write_bytes(data)
    daemon = served(f'type = "tail"\npath = "{path}"').start()
    daemon.wait_until(lambda status: True)
    assert daemon.stop() < 10.0
    daemon.start()
    daemon.wait_until(lambda s: not s["sources"][0]["waiting_bytes"] and s["sources"][0]["state"].startswith("reads"))
    deadline = time.monotonic() + DEADLINE_S
    while events(stored_now(tmp_path / "state")) != whole and time.monotonic() < deadline:
        time.sleep(0.3)
    assert daemon.stop() < 10.0
    assert events(stored(tmp_path / "state")) == whole


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no [[sources]]"),
        ("state = 7\n", "state is 7"),
        ('[[sources]]\ntype = "tcp"\nname = "a"\nhost = "h"\nport = 99999\n', "port"),
        ('[[sources]]\ntype = "carrier-pigeon"\nname = "a"\n', "carrier-pigeon"),
        ("[watch]\nlateness = 3\n", "lateness"),
        ("x = ", "not TOML"),
    ],
)
def test_a_bad_configuration_is_one_line(tmp_path, text, words):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "luxwake.cli", "serve", "--config", str(path)],
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert done.returncode in (1, 2)
    assert len(done.stderr.splitlines()) == 1 and words in done.stderr, done.stderr
