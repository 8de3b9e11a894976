"""Loitering, waiting and stops: against the naive twin, by the clock, and near the shore."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luxwake as lw
from ais.table import Fixes
from detectors.detect import detect
from detectors.engine import Engine
from detectors.episode import STEP
from detectors.episode_sums import EPISODE
from detectors.event import LOITERING, STOP
from detectors.loitering import LoiteringParams
from geo.errors import UsageError
from geo.sphere import destination, distance_m
from tests import naive_loitering
from tests.feeds import HOUR, MINUTE, SECOND, T0, fixes_of
from tests.worlds import busy_world

NAMES = ("t", "mmsi", "lat", "lon", "sog", "cog", "heading")


def raw(fixes, params=None):
    engine = Engine(["loitering"], params and {"loitering": params}, lateness_s=0)
    return np.concatenate([engine.feed(fixes), engine.flush()])


def rows_of(fixes):
    columns = [[None if value != value else value for value in fixes[name].tolist()] for name in NAMES]
    return list(zip(*columns, strict=True))


def told(found, params):
    """As the twin tells them: those that last, whatever was adrift for less."""
    rows = zip(*(found[name].tolist() for name in ("mmsi", "t_start", "t_end", "kind")), strict=True)
    return sorted((m, a, b, kind == LOITERING) for m, a, b, kind in rows if b - a >= params.min_stop_s * 1_000_000)


@pytest.mark.parametrize("seed", range(3))
def test_slow_episodes_are_those_of_the_naive_twin(seed):
    fixes = busy_world(seed)
    mine = told(raw(fixes), LoiteringParams())
    assert mine == naive_loitering.loitering(rows_of(fixes), LoiteringParams())
    assert sum(row[3] for row in mine) > 150


def wanderer(seed):
    """A ship whose reports have any interval, that changes its pace at random, and leaves out what it likes.

    Positions have six decimals, as in feeds: the detector keeps those as they are, and others to a centimetre.
    """
    rng = np.random.default_rng(seed)
    rows, t, lat, lon, knots, course = [], T0, 10.0, 179.9, 0.0, 0.0
    for _ in range(600):
        if rng.random() < 0.08:
            knots, course = float(rng.choice([0.0, 0.5, 1.5, 1.9, 2.1, 2.6, 4.0, 9.0])), rng.uniform(0.0, 360.0)
        dt = int(rng.choice([10, 50, 170, 600, 900, 6000, 18_000], p=[0.2, 0.2, 0.2, 0.2, 0.15, 0.04, 0.01]))
        t += dt * SECOND
        lat, lon = destination(lat, lon, course, knots * 1852.0 / 3600.0 * dt + rng.uniform(0.0, 12.0))
        says = [np.nan if rng.random() < share else value for share, value in ((0.2, knots), (0.1, course))]
        rows.append((t, lat, lon, *says, (course + float(rng.choice([0.0, 10.0, 90.0]))) % 360.0))
    t, lat, lon, sog, cog, heading = (np.array(column) for column in zip(*rows, strict=True))
    columns = {"t": t, "mmsi": np.full(t.size, 211_000_001), "lat": lat.round(6), "lon": lon.round(6)}
    return Fixes({**columns, "sog": sog, "cog": cog, "heading": heading, "offset": np.arange(t.size) * 50})


@settings(max_examples=25)
@given(seed=st.integers(0, 100_000), step_s=st.sampled_from([120, 600, 1500]), excursion_s=st.sampled_from([0, 1800]))
def test_any_ship_is_judged_as_by_the_naive_twin(seed, step_s, excursion_s):
    fixes = wanderer(seed)
    params = LoiteringParams(step_s=step_s, max_excursion_s=excursion_s, min_stop_s=600, min_duration_s=3600)
    assert told(raw(fixes, params), params) == naive_loitering.loitering(rows_of(fixes), params)


def drift(hours, *, start_s=0, every_s=600, knots=1.0, lat=0.0, lon=-30.0, along=0.0, says=True):
    """Steaming at 12 kn, then an exact drift, then steaming."""
    rows, begin, end = [], start_s, start_s + round(hours * 3600)
    for s in range(-18_000, end + 18_000, every_s):
        slow = min(max(s - begin, 0), end - begin)
        m = (slow * knots + (s - begin - slow) * 12.0) * 1852.0 / 3600.0
        y, x = destination(lat, lon, along, m)
        sog = (knots if begin <= s <= end else 12.0) if says else np.nan
        rows.append((T0 + s * SECOND, 211_000_001, float(y), float(x), sog))
    return fixes_of(rows)


def hours_of(events):
    return ((events["t_end"] - events["t_start"]) / HOUR).tolist()


@settings(max_examples=20)
@given(minute=st.integers(0, 24 * 60), every_s=st.sampled_from([10, 30, 60]), says=st.booleans())
def test_a_drift_of_four_hours_is_four_hours_long_wherever_it_begins(minute, every_s, says):
    """Clock-hour buckets (pipe-loitering) report an hour less at five of six offsets."""
    fixes = drift(4, start_s=60 * minute, every_s=every_s if says else 60, says=says)
    events = detect(fixes, ["loitering"])
    assert events["kind"].tolist() == [LOITERING] and hours_of(events) == [4.0]
    assert events["t_start"].tolist() == [T0 + minute * MINUTE]
    assert abs(events["net_drift_kn"][0] - 1.0) < 0.01 and abs(events["observed_h"][0] - 4.0) < 1e-3


@pytest.mark.parametrize("every_s", [90, 300, 420, 1200])
@pytest.mark.parametrize("start_s", [0, 77, 1000, 2222])
def test_between_sparse_fixes_an_event_is_as_long_as_its_fixes_can_say(start_s, every_s):
    events = detect(drift(6, start_s=start_s, every_s=every_s), ["loitering"])
    assert events["kind"].tolist() == [LOITERING]
    first, last = (int(events[name][0]) for name in ("t_start", "t_end"))
    assert abs(first - T0 - start_s * SECOND) <= every_s * SECOND
    assert abs(last - T0 - (start_s + 6 * 3600) * SECOND) <= every_s * SECOND


def test_all_fixes_are_counted_and_the_first_and_last_are_named():
    events = detect(drift(5, every_s=60), ["loitering"])
    assert events["n"].tolist() == [301]
    first, last = events["first_offset"][0], events["last_offset"][0]
    assert (last - first) // 50 + 1 == 301


def test_silence_is_not_loitering():
    """Half an hour slow, 20 h silent, half an hour slow: one event of 20.5 h in a system that bridges 24 h."""
    fixes = drift(21)
    since = fixes["t"] - T0
    rows = fixes.take((since <= 30 * MINUTE) | (since >= 20 * HOUR + 30 * MINUTE))
    assert len(detect(rows, ["loitering"])) == 0


def test_what_was_not_heard_is_reported_as_not_observed():
    """Slow for 9 h, silent for three of them, which do not end the event: half an hour of these is observed."""
    fixes = drift(9)
    since = fixes["t"] - T0
    events = detect(fixes.take((since <= 3 * HOUR) | (since >= 6 * HOUR)), ["loitering"])
    assert hours_of(events) == [9.0]
    assert events["observed_h"].tolist() == [6.5] and abs(events["coverage"][0] - 6.5 / 9) < 1e-6


@pytest.mark.parametrize("along", [0.0, 90.0, 250.0])
@pytest.mark.parametrize(("lat", "lon"), [(0.0, 179.99), (0.0, -179.99), (-50.0, 180.0), (80.0, 3.0), (83.0, 179.9)])
def test_a_drift_is_the_same_across_the_antimeridian_and_near_the_pole(lat, lon, along):
    anywhere = {"loitering": LoiteringParams(min_shore_m=0)}
    there = detect(drift(6, lat=lat, lon=lon, along=along), ["loitering"], anywhere)
    here = detect(drift(6, along=along), ["loitering"])
    assert there["kind"].tolist() == here["kind"].tolist() == [LOITERING]
    for name in ("t_start", "t_end", "n", "label"):
        assert there[name].tolist() == here[name].tolist()
    for name in ("distance_m", "speed_kn", "net_drift_kn", "swing_m"):
        np.testing.assert_allclose(there[name], here[name], rtol=0.01)
    middle = destination(lat, lon, along, 3 * 1852.0)
    assert distance_m(there["lat"][0], there["lon"][0], *middle) < 100.0
    end = destination(lat, lon, along, 6 * 1852.0)
    assert distance_m(there["lat_end"][0], there["lon_end"][0], *end) < 1.0


def test_near_the_shore_slow_hours_are_a_stop_and_say_what_the_ship_did():
    fixes = drift(5, lat=35.0, lon=129.3)
    events = detect(fixes, ["loitering"])
    assert events["kind"].tolist() == [STOP] and events["shore_m"][0] < 20 * 1852.0
    everywhere = detect(fixes, ["loitering"], {"loitering": LoiteringParams(min_shore_m=0)})
    assert everywhere["kind"].tolist() == [LOITERING]


def test_an_hour_in_the_open_sea_is_a_stop_and_less_is_nothing():
    assert detect(drift(1.5, every_s=60), ["loitering"])["kind"].tolist() == [STOP]
    assert len(detect(drift(0.8, every_s=60), ["loitering"])) == 0


def adrift(minutes, off_deg, knots=3.0):
    """Steaming, then adrift above the speed of loitering, the heading off the course, then steaming."""
    fixes = drift(minutes / 60, every_s=30, knots=knots)
    fixes.columns["cog"] = np.zeros(len(fixes), np.float32)
    away = (fixes["t"] >= T0) & (fixes["t"] <= T0 + minutes * MINUTE)
    fixes.columns["heading"] = np.where(away, off_deg, 3.0).astype(np.float32)
    return fixes


def test_a_ship_is_adrift_from_ten_minutes_on_while_its_course_is_off_its_heading():
    events = detect(adrift(25, 100.0), ["loitering"])
    assert events["kind"].tolist() == [STOP] and abs(hours_of(events)[0] - 25 / 60) < 1 / 60
    assert abs(events["heading_against_course_deg"][0] - 100.0) < 1.0
    assert [len(detect(adrift(25, off), ["loitering"])) for off in (40.0, -40.0, -100.0)] == [0, 0, 1]
    assert len(detect(adrift(8, 100.0), ["loitering"])) == 0
    assert len(detect(adrift(25, 100.0, knots=6.0), ["loitering"])) == 0


def lie(rows, hours, lat, lon, every_s=120):
    """Lie still from the last row on."""
    begin = rows[-1][0] if rows else T0
    since = range(every_s, round(hours * 3600), every_s)
    return rows + [(begin + s * SECOND, 211_000_001, lat, lon, 0.0) for s in since]


def sail(rows, lat, lon, knots=5.5, every_s=60):
    """Sail there from the last row."""
    t, _, lat0, lon0, _ = rows[-1]
    n = round(distance_m(lat0, lon0, lat, lon) / (knots * 1852.0 / 3600.0) / every_s)
    way = [((n - k) / n * lat0 + k / n * lat, (n - k) / n * lon0 + k / n * lon) for k in range(1, n + 1)]
    return rows + [(t + k * every_s * SECOND, 211_000_001, *way[k - 1], knots) for k in range(1, n + 1)]


def test_the_anchorage_and_the_berth_after_it_are_two_stops_and_a_wrong_position_ends_none():
    rows = lie(sail(lie([], 6, 34.90, 129.10), 34.97, 129.10), 5, 34.97, 129.10)  # 4.2 nmi at 5.5 kn: 46 min
    events = detect(fixes_of(rows), ["loitering"])
    np.testing.assert_allclose(hours_of(events), [6.0, 5.0], atol=0.1)
    assert distance_m(events["lat_end"][0], events["lon_end"][0], events["lat"][1], events["lon"][1]) > 3000.0
    rows = lie([], 6, 34.90, 129.10)
    wrong = [(t, m, lat + 0.01 * (80 <= k < 88), lon, 0.0) for k, (t, m, lat, lon, _) in enumerate(rows)]
    assert len(detect(fixes_of(wrong), ["loitering"])) == 1


def test_the_preset_of_global_fishing_watch():
    params = lw.LoiteringParams.preset("gfw")
    assert (params.min_duration_s, params.max_speed_kn, params.min_shore_m) == (3600, 2.0, 37_040.0)
    assert detect(drift(1.5, every_s=60), ["loitering"], {"loitering": params})["kind"].tolist() == [LOITERING]
    with pytest.raises(UsageError, match="no preset 'gwf'; there is gfw"):
        LoiteringParams.preset("gwf")


@pytest.mark.parametrize(
    "wrong",
    [
        {"step_s": 0},
        {"min_stop_s": 0},
        {"min_stop_s": 20_000},
        {"min_lead": 1.5},
        {"min_drift_s": -1},
        {"step_s": 4000},
    ],
)
def test_a_parameter_that_cannot_be_meant_is_refused(wrong):
    with pytest.raises(UsageError, match=r"positive|at most|from 0 to 1"):
        LoiteringParams(**wrong)


def test_the_record_of_a_ship_is_small():
    assert STEP.itemsize <= 48 and EPISODE.itemsize <= 144
