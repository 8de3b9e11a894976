"""Grids: built once, by one process, from what they say, and never wrong after a death or a change of a source."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from geo.grid import open_grid, watched

BUILDER = """
import os, sys, time
from pathlib import Path
import numpy as np
from geo.grid import open_grid

def build(tell):
    with open(sys.argv[1], "a") as log:
        log.write("built\\n")
    time.sleep(float(sys.argv[2]))
    return {"numbers": np.arange(1000)}

print(int(open_grid("shared", [b"one source"], build)["numbers"].sum()))
"""


_HOMES = ("LUXWAKE_CACHE", "XDG_CACHE_HOME")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LUXWAKE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def counting(calls: list[int], value: int = 7):
    def build(tell):
        calls.append(1)
        tell(0.5)
        return {"values": np.full(3, value), "names": np.array([1.5])}

    return build


def test_a_grid_is_built_once_and_then_mapped():
    calls: list[int] = []
    for _ in range(3):
        grid = open_grid("g", [b"source"], counting(calls))
        assert grid["values"].tolist() == [7, 7, 7]
        assert type(grid["values"]) is np.ndarray
        with pytest.raises(ValueError, match="read-only"):
            grid["values"][0] = 1
    assert calls == [1]


def test_another_source_makes_another_grid(tmp_path):
    source = tmp_path / "zones.json"
    calls: list[int] = []
    for text in ("one", "two", "one"):
        source.write_text(text)
        open_grid("g", [source, b"builder"], counting(calls))
    assert len(calls) == 2


def test_sources_do_not_run_into_one_another():
    calls: list[int] = []
    open_grid("g", [b"ab", b"c"], counting(calls))
    open_grid("g", [b"a", b"bc"], counting(calls))
    assert len(calls) == 2


def test_the_oldest_grids_of_a_name_are_removed(own_cache):
    for n in range(10):
        open_grid("g", [bytes([n])], counting([]))
        open_grid("other", [b"kept"], counting([]))
    assert len(list((own_cache / "grids").glob("g-*"))) == 8
    assert len(list((own_cache / "grids").glob("other-*"))) == 1


def test_processes_that_want_a_grid_at_once_build_it_once(tmp_path):
    log = tmp_path / "log"
    command = [sys.executable, "-c", BUILDER, str(log), "1.0"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ) for _ in range(3)]
    assert [process.communicate(timeout=120)[0] for process in running] == [b"499500\n"] * 3
    assert log.read_text() == "built\n"


def test_a_builder_that_is_killed_leaves_no_grid(tmp_path, own_cache):
    log = tmp_path / "log"
    command = [sys.executable, "-c", BUILDER, str(log)]
    slow = subprocess.Popen([*command, "600"], env=os.environ)
    until = time.monotonic() + 100
    while not log.exists() and time.monotonic() < until:
        time.sleep(0.05)
    slow.send_signal(signal.SIGKILL)
    slow.wait()
    assert not list((own_cache / "grids").glob("shared-*"))
    assert subprocess.check_output([*command, "0"], env=os.environ) == b"499500\n"
    assert log.read_text() == "built\n" * 2


def test_a_builder_that_fails_leaves_nothing_behind(own_cache):
    def build(tell):
        raise ValueError("no polygon")

    with pytest.raises(ValueError, match="no polygon"):
        open_grid("g", [b""], build)
    assert [path.name for path in (own_cache / "grids").iterdir()] == ["g.lock"]


def test_without_a_cache_a_grid_is_built_in_memory(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("LUXWAKE_CACHE", str(blocked))
    grid = open_grid("g", [b"source"], counting([]))
    assert grid["values"].tolist() == [7, 7, 7]
    assert not grid["values"].flags.writeable


@pytest.mark.parametrize("kept", [0, 40, 130])
def test_a_grid_of_which_a_file_is_cut_off_is_built_anew(own_cache, kept):
    calls: list[int] = []
    for _ in range(2):
        open_grid("g", [b"source"], counting(calls))
    (path,) = (own_cache / "grids").glob("g-*/values.npy")
    path.write_bytes(path.read_bytes()[:kept])
    for _ in range(2):
        assert open_grid("g", [b"source"], counting(calls))["values"].tolist() == [7, 7, 7]
    assert len(calls) == 2


def test_what_a_killed_builder_left_is_cleared(own_cache):
    open_grid("g", [b"source"], counting([]))
    (folder,) = (own_cache / "grids").glob("g-*")
    folder.rename(folder.with_name(f".{folder.name}-left"))
    open_grid("g", [b"source"], counting([]))
    assert {path.name for path in (own_cache / "grids").iterdir()} == {folder.name, "g.lock"}


@pytest.mark.parametrize("fault", ["lock", "room", "home"])
def test_a_grid_that_cannot_be_kept_is_built_in_memory(own_cache, fault):
    """A lock of another user, a full disk (here a limit of the size of a file), no home folder at all."""
    code = (
        "import resource, signal, sys; from pathlib import Path; import numpy as np; from geo.grid import open_grid\n"
    )
    if fault == "room":
        code += "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))\n"
    if fault == "lock":
        (own_cache / "grids" / "g.lock").mkdir(parents=True)
    environ = {name: value for name, value in os.environ.items() if fault != "home" or name not in _HOMES}
    if fault == "home":
        code += "def none(): raise RuntimeError('no home')\nPath.home = none\n"
    code += "print(int(open_grid('g', [b'source'], lambda tell: {'n': np.arange(1000)})['n'].sum()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environ | {"LUXWAKE_NUMBA_CACHE": "0"},
        check=False,
    )
    assert (done.stdout, done.stderr) == ("499500\n", "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes where it may not")
def test_a_grid_in_a_cache_that_cannot_be_written_is_used(own_cache):
    calls: list[int] = []
    open_grid("g", [b"source"], counting(calls))
    grids = own_cache / "grids"
    grids.chmod(0o500)
    try:
        open_grid("g", [b"source"], counting(calls))
    finally:
        grids.chmod(0o700)
    assert calls == [1]


def test_a_watcher_hears_how_far_a_builder_is():
    heard: list[tuple[str, float]] = []
    with watched(lambda name, part: heard.append((name, part))):
        open_grid("g", [b"source"], counting([]))
        open_grid("g", [b"source"], counting([]))
    assert heard == [("g", 0.0), ("g", 0.5), ("g", 1.0)]
