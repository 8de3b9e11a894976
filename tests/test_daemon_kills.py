"""Kills at random instants, core and archive together: nothing is lost, told twice or changed.

`LUXWAKE_KILLS=1000` makes the few kills a thousand (`make kills`).
"""

import functools
import os
import random
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest

from luxwake.simulate import simulate
from tests.daemon_case import WATCH, archived, pieces, serve, stored

KILLS = int(os.environ.get("LUXWAKE_KILLS", "25"))
SETTINGS = {"archive": True, "watch": {**WATCH, "step_s": 3600, "history_s": 14_400}}
PIECES = 24


@functools.cache
def feed() -> bytes:
    """Half a day of a few ships: a process of it is done soon, so that kills come at all of its instants."""
    with tempfile.TemporaryDirectory() as folder:
        simulate("world", Path(folder), vessels=8, days=0.6, seed=5)
        return (Path(folder) / "track.nmea").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What is told and kept when nothing happens, and how long that takes, s."""
    state = tmp_path_factory.mktemp("whole") / "state"
    chunks = pieces(feed(), n=PIECES)
    serve(state, chunks, checkpoint_every=3, **SETTINGS)
    shutil.rmtree(state)
    begun = time.monotonic()
    told = serve(state, chunks, checkpoint_every=3, **SETTINGS)
    return chunks, told, archived(state), time.monotonic() - begun


def test_kills_at_random_instants_change_nothing(tmp_path, whole):
    chunks, told, rows, seconds = whole
    rng = random.Random(KILLS)
    state, kills, ends = tmp_path / "state", 0, 0
    while kills < KILLS or not ends:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                serve(state, chunks, checkpoint_every=3, **SETTINGS)
                code = 0
            finally:
                os._exit(code)
        begun, due = time.monotonic(), rng.uniform(0.0, 1.1 * seconds)
        ended = 0, 0
        while not ended[0] and time.monotonic() - begun < due:
            time.sleep(0.002)
            ended = os.waitpid(pid, os.WNOHANG)
        if not ended[0]:
            os.kill(pid, signal.SIGKILL)
            ended = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(ended[1])
        if code == -signal.SIGKILL:
            kills, seconds = kills + 1, 1.02 * seconds  # a machine that becomes slow lets none come to the end
            continue
        assert code == 0
        seconds = 0.7 * seconds + 0.3 * (time.monotonic() - begun)  # as long as one takes now
        ends += 1
        assert stored(state) == told
        assert archived(state) == rows
        shutil.rmtree(state)
        print(f"{kills} kills, {ends} processes that came to the end")
    assert serve(state, chunks, checkpoint_every=3, **SETTINGS) == told
    assert archived(state) == rows
