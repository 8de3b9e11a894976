"""Stationary periods: equal to their slow twin, whatever the cut, and none where a ship was not heard."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luxwake as lw
from ais.hulls import HULL
from ais.tracks import tracks
from detectors.detector import Columns
from detectors.stationary import PERIOD, Stationary, StationaryParams, stationary_periods
from geo.anchoring import PERIOD_COLUMNS, AnchorageParams, discover
from geo.errors import UsageError
from geo.sphere import distance_m
from tests import naive
from tests.anchorages_case import _lie, _rows
from tests.feeds import HOUR, MINUTE, T0, fixes_of

SHORT = StationaryParams(min_stay_s=3600, max_gap_s=3600, max_silence_s=4 * 3600)


def _wanderers(seed, ships=12, lon0=10.0):
    """Ships that lie, swing, creep away, sail off, fall silent, and whose positions now and then are wrong."""
    rng = np.random.default_rng(seed)
    rows = []
    for ship in range(ships):
        lat, lon, t = rng.uniform(-60.0, 60.0), lon0 + rng.uniform(-2.0, 2.0), T0 + ship * 1_000_000
        for _ in range(14):
            act, hours = rng.choice(["lie", "swing", "creep", "sail", "silence", "glitch"]), rng.uniform(0.5, 7.0)
            if act == "silence":
                t += int(hours * HOUR)
                continue
            for _ in range(int(hours * 6)):
                t += 10 * MINUTE
                sog = {"sail": 9.0, "creep": 0.4}.get(act, 0.1)
                lat += {"sail": 0.01, "creep": 0.0007}.get(act, 0.0)
                east, north = rng.normal(0.0, {"swing": 0.0025, "glitch": 0.001}.get(act, 0.0001), 2)
                if act == "glitch" and rng.random() < 0.2:
                    sog, north = rng.choice([0.2, 4.0]), 0.02
                sog = np.nan if rng.random() < 0.1 else sog
                rows.append((t, 211_000_000 + ship, lat + north, (lon + east + 180) % 360 - 180, sog))
    return fixes_of(sorted(rows, key=lambda row: row[0]))


def _followed(fixes):
    """The rows that a detector would see."""
    known = tracks(fixes)
    return known.take(known["status"] == 0)


def _periods(found):
    names = ("mmsi", "t_start", "t_end", "stay_us")
    return sorted(zip(*(found[name].tolist() for name in names), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_stationary_periods_are_those_of_the_naive_twin(seed):
    fixes = _wanderers(seed)
    found = stationary_periods(fixes, SHORT)
    seen = _followed(fixes)
    hulls = sorted(set(zip(seen["mmsi"].tolist(), seen["hull"].tolist(), strict=True)))
    twin = []
    for mmsi, hull in hulls:
        twin += naive.stationary(_rows(seen.take((seen["mmsi"] == mmsi) & (seen["hull"] == hull))), SHORT)
    assert _periods(found) == sorted(twin)
    assert len(found) > 30


def _columns(fixes):
    """All rows of a world of one hull an MMSI as a detector takes them."""
    _, slot = np.unique(fixes["mmsi"], return_inverse=True)
    none = np.zeros(len(fixes), np.int64)
    own = {name: np.ascontiguousarray(fixes[name]) for name in Columns._fields if name in fixes.columns}
    return Columns(slot=slot.astype(np.int32), **own, alive=none, class_b=none.astype(np.uint8))


@settings(max_examples=10)
@given(cuts=st.lists(st.integers(0, 1000), max_size=9))
def test_any_cut_of_the_input_gives_the_same_periods(cuts):
    columns = _columns(_followed(_wanderers(1)))

    def run(bounds):
        detector = Stationary(SHORT)
        detector.reserve(np.zeros(64, HULL).view(np.recarray))
        edges = [0, *sorted(b * columns.t.size // 1000 for b in bounds), columns.t.size]
        parts = [Columns(*(c[a:b] for c in columns)) for a, b in itertools.pairwise(edges)]
        found = np.concatenate([*(detector.feed(part) for part in parts), detector.finish(int(columns.t[-1]), 0)])
        found = found[np.lexsort((found["mmsi"], found["t_start"]))]
        return b"".join(found[name].tobytes() for name in PERIOD.names)

    assert run(cuts) == run([])


def test_silence_is_not_stillness_and_does_not_end_a_stay_at_the_same_place():
    rows = [*_lie(0, 1), *_lie(20, 1)]
    assert len(stationary_periods(fixes_of(rows))) == 0
    found = stationary_periods(fixes_of(rows), StationaryParams(min_stay_s=2 * 3600))
    assert _periods(found) == [(211_000_001, T0, T0 + 21 * HOUR, 2 * HOUR)]
    found = stationary_periods(fixes_of([*_lie(0, 1), *_lie(30, 1)]), StationaryParams(min_stay_s=3600))
    assert len(found) == 2


def test_a_swing_of_450_m_is_one_stay_though_the_far_side_is_900_m_from_the_first_fix():
    found = stationary_periods(fixes_of(_lie(0, 30, swing_m=450.0)))
    assert _periods(found) == [(211_000_001, T0, T0 + 30 * HOUR, 30 * HOUR)]
    assert abs(found["swing_m"][0] - 450.0) < 10.0
    assert distance_m(found["lat"][0], found["lon"][0], 34.0, -30.0) < 60.0


def test_half_an_hour_elsewhere_does_not_end_a_stay_and_more_does():
    def stays(minutes):
        rows = [r for r in _lie(0, 30) if not 0 <= r[0] - T0 - 15 * HOUR < minutes * MINUTE]
        away = [(T0 + 15 * HOUR + m * MINUTE, 211_000_001, 34.02, -30.0, 4.0) for m in range(0, minutes, 10)]
        return len(stationary_periods(fixes_of(sorted(rows + away))))

    assert (stays(20), stays(60)) == (1, 2)


def test_a_ship_that_sails_or_drifts_has_no_stationary_period():
    drift = [(T0 + m * MINUTE, 211_000_001, 34.0 + m * 1e-4, -30.0, 0.4) for m in range(0, 40 * 60, 10)]
    sail = [(T0 + m * MINUTE, 211_000_002, 10.0 + m * 0.002, -30.0, 8.0) for m in range(0, 40 * 60, 10)]
    assert len(stationary_periods(fixes_of(sorted(drift + sail)))) == 0


@pytest.mark.parametrize(
    "make, word",
    [
        (lambda: StationaryParams(radius_m=0), "must be positive"),
        (lambda: StationaryParams(max_sog_kn=math.nan), "must be positive"),
        (lambda: lw.LoiteringParams(max_speed_kn=math.nan), "must be positive"),
        (lambda: lw.LoiteringParams(min_shore_m=math.nan), "not be negative"),
        (lambda: StationaryParams(max_gap_s=100), "max_excursion_s <= max_gap_s"),
        (lambda: AnchorageParams(min_ships=2), "near_ships <= min_ships"),
        (lambda: AnchorageParams(link_m=math.nan), "link_m must be"),
        (lambda: discover({"mmsi": np.zeros(1)}), "no column 't_start'"),
        (lambda: discover({name: np.zeros(1 + (name == "lat")) for name in PERIOD_COLUMNS}), "one length"),
        (lambda: lw.LoiteringParams(min_waiting_share=0), "min_waiting_share"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_refused(make, word):
    with pytest.raises(UsageError, match=word):
        make()
