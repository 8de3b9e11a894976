"""What the engine holds of each ship that it hears: bytes in all arrays that have a place for each hull."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import luxwake as lw
from ais.hulls import HULL
from detectors.engine import Engine
from detectors.event import KINDS
from detectors.pool import FREE, USED, PooledDetector
from tests.worlds import busy_world

ROOT = Path(__file__).parents[1]
LIMITS = {
    "hulls": 120,
    "table of hulls": 8,
    "loitering": 48,
    "dark": 64,
    "rendezvous": 40,
    "port_call": 40,
    "false_position": 72,
}
"""Bytes for each hull, by who holds them."""
MOST_WITH_POOLS = 512
"""Bytes for a mean hull, with what detectors hold only of those with which something goes on."""
LOOKS = 24
"""At the pools, while a world goes by."""


def bytes_of(detector):
    """Bytes of a detector for each hull: of its arrays that grow when there are more hulls."""
    before = {name: array.shape[0] for name, array in detector.arrays.items()}
    detector.reserve(np.zeros(2 * max(before.values()), HULL).view(np.recarray))
    grown = [array for name, array in detector.arrays.items() if array.shape[0] > before[name]]
    return sum(array.nbytes // array.shape[0] for array in grown)


def bytes_by_holder(engine):
    hulls = engine._tracks.hulls
    own = {"hulls": hulls.rows.itemsize, "table of hulls": hulls.table.nbytes // hulls.rows.size}
    return own | {detector.name: bytes_of(detector) for detector in engine.detectors}


def bytes_in_use(detector):
    """Bytes of the records of its pool that are not free."""
    if not isinstance(detector, PooledDetector):
        return 0
    parts, pool = detector.arrays["parts"], detector.arrays["pool"]
    n, free = int(pool[USED]), int(pool[FREE])
    while free:
        n, free = n - 1, int(parts["n"][free - 1])
    return n * parts.itemsize


def assert_same(one, other):
    """What lies between the fields of records does not count."""
    for name in one.dtype.names or [...]:
        np.testing.assert_array_equal(one[name], other[name])


def ordinary_world(folder):
    """Ships of all kinds that sail between ports, heard from the shore and by satellites."""
    lw.simulate("world", folder, seed=9201, vessels=60, days=3.0)
    return lw.read(folder / "track.nmea")


def test_a_hull_takes_no_more_than_each_holder_says():
    engine = Engine()
    engine.feed(busy_world(2, vessels=6))
    found = bytes_by_holder(engine)
    assert found.keys() == LIMITS.keys()
    assert {name: (size, LIMITS[name]) for name, size in found.items() if size > LIMITS[name]} == {}


@pytest.mark.parametrize("world", [lambda folder: busy_world(1), ordinary_world], ids=["busy", "ordinary"])
def test_a_mean_hull_takes_512_bytes_at_most_with_what_goes_on_with_it(world, tmp_path):
    engine, fixes, pooled = Engine(), world(tmp_path), []
    for k in range(LOOKS):
        engine.feed(fixes.take(slice(k * len(fixes) // LOOKS, (k + 1) * len(fixes) // LOOKS)))
        pooled.append(sum(bytes_in_use(detector) for detector in engine.detectors) / engine.hulls.size)
    assert max(pooled) > 40.0
    assert sum(bytes_by_holder(engine).values()) + np.mean(pooled) <= MOST_WITH_POOLS


def test_more_fixes_of_the_same_ships_take_no_more_room():
    engine, fixes = Engine(), busy_world(2, vessels=6)
    half = len(fixes) // 2
    sizes = []
    for rows in (slice(0, half), slice(half, None)):
        engine.feed(fixes.take(rows))
        sizes.append([array.nbytes for array in engine._tracks.hulls])
    assert sizes[0] == sizes[1] and np.unique(fixes["mmsi"]).size <= int(engine._tracks.hulls.used[0])


@pytest.mark.parametrize("at_once", [1, 7, 1 << 15])
def test_what_goes_on_is_told_on_copies_of_some_hulls_at_a_time(at_once, monkeypatch, tmp_path):
    engine, twin, fixes, kinds = Engine(), Engine(), ordinary_world(tmp_path), set()
    monkeypatch.setattr("detectors.detector.HULLS_AT_ONCE", at_once)
    for begin in range(0, len(fixes), len(fixes) // 6):
        engine.feed(fixes.take(slice(begin, begin + len(fixes) // 6)))
        before = engine.state()
        twin.resume(before)
        expected = np.concatenate([one.finish(engine.released, twin._alive) for one in twin.detectors])
        standing = engine.standing()
        assert_same(standing, expected)
        for name, array in engine.state().items():
            assert_same(array, before[name])
        kinds |= set(standing["kind"].tolist())
    assert {KINDS[kind] for kind in kinds} >= {"stop", "port_call", "gap"}


def test_the_compiler_leaves_memory_and_comes_back():
    """In a process of its own: other tests compile meanwhile."""
    script = """
import numba
from geo.heap import set_aside

def resident_kb():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS"))

assert numba.njit(lambda x: x + 1)(1) == 2
before = resident_kb()
assert set_aside("no such library") == 0
mapped = set_aside("libllvmlite")
assert mapped > 50_000_000 and before - resident_kb() > 10_000, (mapped, before, resident_kb())
lines = [line.split() for line in open("/proc/self/smaps")]
left = [int(lines[k + 4][1]) for k, line in enumerate(lines) if line[-1].endswith("libllvmlite.so")]
assert lines[4][0] == "Rss:" and left.count(0) >= 3, left
assert numba.njit(lambda x: x * 2)(3) == 6
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


def test_what_a_look_lets_go_of_leaves_memory_though_something_stays_between():
    script = """
import numpy as np
from contextlib import nullcontext
from geo.heap import give_back, sparing

def resident_kb():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS"))

kept = []
def left_kb(way):
    before = resident_kb()
    with way:
        gone = []
        for k in range(400):
            gone.append(np.ones(16_000))
            kept.append(np.ones(100))
        del gone
    return resident_kb() - before

give_back()
assert left_kb(sparing()) < 5_000
assert left_kb(nullcontext()) > 30_000
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)
