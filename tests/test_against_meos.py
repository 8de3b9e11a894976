"""MEOS (the library of MobilityDB) as a second opinion on motion in continuous time.

MEOS moves points of the plane straight between instants, as the pieces of two ships do on their common plane; so
distances, nearest approach and the moments of coming close and parting must be the same to its microsecond.

Stops are defined otherwise. A stop of MEOS is a run of fixes whose smallest rotated rectangle has a diagonal of at most
`max_distance`, and a run too short for one is tried again from its second fix. A stationary period is a run in a square
of 2 x `radius_m`, north up, and after a run too short comes one from the fix that did not fit; speeds, silences and
short excursions count too, which none of these tracks has. What fits in a diagonal of 2 radii fits in the square, and
what fits in the square has sides, whichever way they are turned, of at most its diagonal, and so a diagonal of at most
4 radii: all tests follow from this.
"""

import datetime
import math

import numpy as np
import pytest
from pymeos import TGeomPointSeq, pymeos_finalize, pymeos_initialize

from detectors.detect import detect
from detectors.motion import close_between
from detectors.rendezvous import RendezvousParams
from detectors.stationary import StationaryParams, stationary_periods
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


RADIUS_M, STAY_S, STEP_S = 500.0, 12 * 3600, 600
SAIL_M_S = 5.0
STILL = StationaryParams(radius_m=RADIUS_M, min_stay_s=STAY_S, max_excursion_s=0)


def stops(seconds, places, max_distance_m):
    """Stops of MEOS of `STAY_S` and more, (begin, end) in seconds after `START`."""
    found = sequence(seconds, places).stops(max_distance_m, datetime.timedelta(seconds=STAY_S))
    parts = [] if found is None else found.sequences()
    return [((s.start_timestamp() - START).total_seconds(), (s.end_timestamp() - START).total_seconds()) for s in parts]


def periods(seconds, places):
    """Stationary periods of the same track, without speeds."""
    rows = [
        (T0 + int(s) * 1_000_000, 211_000_001, y / M_PER_DEG, -30.0 + x / M_PER_DEG, math.nan)
        for s, (x, y) in zip(seconds, places, strict=True)
    ]
    found = stationary_periods(fixes_of(rows), STILL)
    return [((a - T0) / 1e6, (b - T0) / 1e6) for a, b in zip(found["t_start"], found["t_end"], strict=True)]


def covered_s(span, others):
    """How much of a span of time lies in others that do not overlap each other."""
    return sum(max(0.0, min(span[1], end) - max(span[0], begin)) for begin, end in others)


@pytest.mark.parametrize("seed", range(12))
def test_clear_stops_and_clear_moves_are_those_of_meos(seed):
    """Begin and end differ by no more than the way through 4 radii and a fix; ways of 4 h and waits of 6 are none."""
    rng = np.random.default_rng(200 + seed)
    places, stays, at, last = [], [], np.zeros(2), 0
    for hours in (0, *rng.permutation([14, 30, 6, 20]).tolist()):
        course = rng.uniform(0.0, 2.0 * math.pi)
        ahead = SAIL_M_S * STEP_S * np.array([math.cos(course), math.sin(course)])
        swings = rng.uniform(-60.0, 60.0, (hours * 3600 // STEP_S, 2))
        if hours * 3600 >= STAY_S:
            stays.append((last * STEP_S, (last + len(swings) - 1) * STEP_S))
        way = at + np.arange(1, 25)[:, None] * ahead
        places += [*(at + swings), *way]
        at, last = way[-1], len(places)
    seconds, places = (np.arange(len(places)) * STEP_S).tolist(), np.array(places).round(3).tolist()
    most_s = 4.0 * RADIUS_M / SAIL_M_S + STEP_S
    for found in (periods(seconds, places), *(stops(seconds, places, k * RADIUS_M) for k in (2.0, 4.0))):
        assert len(found) == len(stays) == 3
        assert np.abs(np.subtract(found, stays)).max() <= most_s


@pytest.mark.parametrize("seed", range(12))
def test_stops_of_drifting_ships_differ_by_less_than_the_shortest_stay(seed):
    """A run of twice the shortest stay, by either definition, is by the wider one a stop but for less than one stay."""
    rng = np.random.default_rng(300 + seed)
    places = np.cumsum(rng.normal(0.0, rng.uniform(15.0, 60.0), (2500, 2)), axis=0).round(3).tolist()
    seconds = (np.arange(2500) * STEP_S).tolist()
    mine = periods(seconds, places)
    inner, outer = (stops(seconds, places, k * RADIUS_M) for k in (2.0, 4.0))
    for spans_in, spans_out in ((inner, mine), (mine, outer)):
        for span in spans_in:
            if span[1] - span[0] >= 2 * STAY_S:
                assert span[1] - span[0] - covered_s(span, spans_out) < STAY_S + STEP_S
    assert len(mine) + len(inner) > 0
