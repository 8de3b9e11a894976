"""MEOS (the library of MobilityDB) as a second opinion on motion in continuous time.

MEOS moves points of the plane straight between instants, as the pieces of two ships do on their common plane; so
distances, nearest approach and the moments of coming close and parting must be the same to its microsecond.
"""

import datetime
import math

import numpy as np
import pytest
from pymeos import TGeomPointSeq, pymeos_finalize, pymeos_initialize

from detectors.engine import detect
from detectors.motion import close_between
from detectors.rendezvous import RendezvousParams
from geo.kernel import kernel
from tests.feeds import T0, fixes_of

START = datetime.datetime(2018, 10, 1, tzinfo=datetime.UTC)
M_PER_DEG = math.radians(6_371_008.8)


@pytest.fixture(scope="module", autouse=True)
def meos():
    pymeos_initialize()
    yield
    pymeos_finalize()


@kernel
def _close(north_m, east_m, north_m_s, east_m_s, seconds, limit_m):
    return close_between(north_m, east_m, north_m_s, east_m_s, seconds, limit_m)


def sequence(seconds, places):
    """A MEOS point that goes straight from place to place (metres), at seconds after `START`."""
    times = [START + datetime.timedelta(seconds=s) for s in seconds]
    at = [f"Point({x!r} {y!r})@{time}" for time, (x, y) in zip(times, places, strict=True)]
    return TGeomPointSeq("[" + ", ".join(at) + "]")


def spans(within):
    """Where a temporal truth value holds, in seconds after `START`."""
    held = within.when_true() if within is not None else None
    spans = [] if held is None else [held] if not hasattr(held, "spans") else held.spans()
    return [((s.lower() - START).total_seconds(), (s.upper() - START).total_seconds()) for s in spans]


@pytest.mark.parametrize("seed", range(40))
def test_close_moments_and_nearest_approach_of_straight_motions(seed):
    rng = np.random.default_rng(seed)
    seconds = float(rng.integers(60, 1200))
    a, b = rng.uniform(-900, 900, (2, 2, 2)).round(3).tolist()
    one, other = sequence((0.0, seconds), a), sequence((0.0, seconds), b)
    apart = np.subtract(b, a)
    limit_m = round(float(rng.uniform(100, 600)), 1)
    begin_s, end_s, nearest_s = _close(*apart[0], *(apart[1] - apart[0]) / seconds, seconds, limit_m)
    expected = spans(one.within_distance(other, limit_m))
    assert len(expected) == (end_s > begin_s)
    if expected:
        assert (begin_s, end_s) == pytest.approx(expected[0], abs=2e-6)
    nearest = apart[0] + (apart[1] - apart[0]) * nearest_s / seconds
    assert math.hypot(*nearest) == pytest.approx(one.nearest_approach_distance(other), abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_meetings_of_wandering_ships_have_the_times_and_least_distance_of_meos(seed):
    """Two drifting ships, each with fixes of its own: the union of all stretches, and the nearest of all."""
    rng = np.random.default_rng(100 + seed)
    tracks = []
    for _ in range(2):
        seconds = np.cumsum(rng.integers(301, 900, 60)).tolist()
        tracks.append((seconds, np.cumsum(rng.normal(0.0, 110.0, (60, 2)), axis=0).round(3).tolist()))
    rows = [
        (T0 + s * 1_000_000, 211_000_001 + k, y / M_PER_DEG, -30.0 + x / M_PER_DEG, math.nan)
        for k, (seconds, places) in enumerate(tracks)
        for s, (x, y) in zip(seconds, places, strict=True)
    ]
    params = RendezvousParams(min_duration_s=1, max_speed_kn=20.0, max_break_s=300, min_shore_m=0.0)
    events = detect(fixes_of(sorted(rows)), ["rendezvous"], {"rendezvous": params})
    one, other = (sequence(*track) for track in tracks)
    expected = []
    for begin, end in spans(one.within_distance(other, params.max_distance_m)):
        if expected and begin - expected[-1][1] <= params.max_break_s:
            expected[-1][1] = end
        else:
            expected.append([begin, end])
    mine = (np.stack([events["t_start"], events["t_end"]], axis=-1) - T0) / 1e6
    assert len(expected) > 0
    assert mine == pytest.approx(np.array(expected), abs=0.01)
    assert events["distance_m"].min() == pytest.approx(one.nearest_approach_distance(other), abs=0.01)
