"""What the engine holds of each ship that it hears: bytes in all arrays that have a place for each hull."""

import numpy as np

from detectors.engine import Engine
from tests.worlds import busy_world

LIMITS = {
    "hulls": 128,
    "table of hulls": 8,
    "loitering": 56,
    "dark": 80,
    "rendezvous": 56,
    "port_call": 48,
    "false_position": 72,
}
"""Bytes for each hull, by who holds them."""
MOST = 448
"""Bytes for each hull, of all together."""


def bytes_of(detector):
    """Bytes of a detector for each hull: of its arrays that grow when there are more hulls."""
    before = {name: array.shape[0] for name, array in detector.arrays.items()}
    detector.reserve(2 * max(before.values()))
    grown = [array for name, array in detector.arrays.items() if array.shape[0] > before[name]]
    return sum(array.nbytes // array.shape[0] for array in grown)


def test_a_hull_takes_no_more_than_each_holder_says():
    engine = Engine()
    engine.feed(busy_world(2, vessels=6))
    hulls = engine._tracks.hulls
    own = {"hulls": hulls.rows.itemsize, "table of hulls": hulls.table.nbytes // hulls.rows.size}
    found = own | {detector.name: bytes_of(detector) for detector in engine.detectors}
    assert found.keys() == LIMITS.keys()
    assert {name: (size, LIMITS[name]) for name, size in found.items() if size > LIMITS[name]} == {}
    assert sum(found.values()) <= MOST


def test_more_fixes_of_the_same_ships_take_no_more_room():
    engine, fixes = Engine(), busy_world(2, vessels=6)
    half = len(fixes) // 2
    sizes = []
    for rows in (slice(0, half), slice(half, None)):
        engine.feed(fixes.take(rows))
        sizes.append([array.nbytes for array in engine._tracks.hulls])
    assert sizes[0] == sizes[1] and np.unique(fixes["mmsi"]).size <= int(engine._tracks.hulls.used[0])
