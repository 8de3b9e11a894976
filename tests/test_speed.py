"""The speed of a silent ship: laws of the distribution, and what a history says."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import UsageError
from geo.speed import CAP, QUANTILES, Speed, speed_of

HOUR = 3_600_000_000
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
knots = st.lists(st.floats(0.1, 60), min_size=6, max_size=6).map(sorted)


def history(sog_kn, step_h=0.25):
    """Fixes at even steps."""
    sog = np.asarray(sog_kn, float)
    return (np.arange(sog.size) * step_h * HOUR).astype(np.int64), sog


def sailed(kn, hours):
    return history(np.full(round(hours * 4) + 1, float(kn)))


def means_by_hand(t_us, sog_kn):
    """(mean knots, hours) of the blocks of six hours, fix by fix."""
    rows, blocks = sorted(zip(t_us, sog_kn, strict=True), key=lambda row: row[0]), {}
    for (t, sog), (after, _) in zip(rows, [*rows[1:], rows[-1]], strict=True):
        if 3.0 <= sog <= 60.0:
            hours, way = blocks.get(t // (6 * HOUR), (0.0, 0.0))
            held = min((after - t) / HOUR, 2.0)
            blocks[t // (6 * HOUR)] = hours + held, way + held * sog
    return [(way / hours, hours) for hours, way in blocks.values() if hours >= 3.0]


@given(knots, st.lists(st.floats(0, 80), min_size=2, max_size=20))
def test_the_chance_never_rises_with_the_speed_needed(values, needed):
    speed = Speed(tuple(values[:5]), values[5], "test")
    chance = speed.chance_at_least(sorted(needed))
    assert ((chance >= 0.0) & (chance <= 1.0)).all() and (np.diff(chance) <= 1e-12).all()
    assert speed.chance_at_least(speed.least_kn) == 1.0
    assert speed.chance_at_least(speed.cap_kn + 1e-9) == 0.0


@given(knots, st.floats(0, 1))
def test_chance_and_quantile_are_inverse(values, quantile):
    speed = Speed(tuple(values[:5]), values[5], "test")
    kn = speed.at(quantile)
    assert speed.least_kn <= kn <= speed.cap_kn
    assert float(speed.chance_at_least(kn)) >= 1.0 - quantile - 1e-6  # where speeds coincide the chance is the higher
    if min(np.diff(values)) > 1e-3 and values[0] > speed.least_kn + 1e-3:
        assert float(speed.chance_at_least(kn)) == pytest.approx(1.0 - quantile, abs=1e-6)


def test_the_quantiles_are_where_they_are_told():
    speed = Speed((6.0, 8.0, 9.0, 10.0, 12.0), 14.0, "test")
    assert [speed.at(q) for q in QUANTILES] == [6.0, 8.0, 9.0, 10.0, 12.0]
    assert speed.chance_at_least([6.0, 8.0, 9.0, 10.0, 12.0]) == pytest.approx(1.0 - np.array(QUANTILES))
    assert (speed.at(0.0), speed.at(1.0), speed.usual_kn, speed.fast_kn) == (4.0, 14.0, 9.0, 12.0)
    assert speed.chance_at_least([[math.nan, -1.0], [0.0, math.inf]]).tolist() == [
        [pytest.approx(math.nan, nan_ok=True), 1.0],
        [1.0, 0.0],
    ]


def test_a_given_speed_is_a_step():
    speed = Speed.given(10.0)
    assert speed.chance_at_least([0.0, 9.999, 10.0, 10.001]).tolist() == [1.0, 1.0, 1.0, 0.0]
    assert (speed.usual_kn, speed.fast_kn, speed.cap_kn, speed.source) == (10.0, 10.0, 10.0, "given")


def test_what_cannot_be_meant_is_refused():
    for kn in (0.0, -1.0, 101.0, math.nan, math.inf):
        with pytest.raises(UsageError, match="cannot be meant"):
            Speed.given(kn)
    for quantiles, cap in (((5.0, 4.0, 6.0, 7.0, 8.0), 9.0), ((5.0, 6.0, 7.0, 8.0, 9.0), 8.0), ((0.0,) * 5, 1.0)):
        with pytest.raises(UsageError, match="do not fall"):
            Speed(quantiles, cap, "test")
    with pytest.raises(UsageError, match="quantile"):
        Speed.given(5.0).at(1.5)
    with pytest.raises(UsageError, match="2 times, 1 speeds"):
        speed_of([0, 1], [5.0])


@given(st.lists(st.tuples(st.integers(0, 200), st.floats(0, 110) | st.just(math.nan)), min_size=1, max_size=60))
def test_blocks_are_those_counted_by_hand(rows):
    t, sog = np.array([row[0] for row in rows]) * (HOUR // 4), np.array([row[1] for row in rows])
    by_hand = means_by_hand(t.tolist(), sog.tolist())
    speed = speed_of(t, sog)
    assert speed.own_h == pytest.approx(sum(hours for _, hours in by_hand))
    if not by_hand:
        assert speed == speed_of([], [])


def test_own_history_stands_alone_after_ten_days_and_weighs_before():
    alone, kin = speed_of(*sailed(8.0, 240), ship_type=70, length_m=96.0), speed_of([], [], ship_type=70, length_m=96.0)
    assert alone.quantiles_kn == (8.0,) * 5 and alone.cap_kn == pytest.approx(CAP * 8.0)
    assert alone.source == "own history, 240 h under way"
    half = speed_of(*sailed(8.0, 120), ship_type=70, length_m=96.0)
    assert half.quantiles_kn == pytest.approx(0.5 * np.array(alone.quantiles_kn) + 0.5 * np.array(kin.quantiles_kn))
    assert half.source == "own history, 120 h under way (50%); type: cargo ship under 100 m (50%)"
    assert speed_of(*sailed(8.0, 2), ship_type=70, length_m=96.0) == kin


def test_a_burst_is_not_a_sustained_speed():
    burst = np.full(4 * 24 * 15, 9.0)
    burst[::12] = 16.0  # one quarter of an hour in three
    speed = speed_of(*history(burst))
    assert speed.fast_kn == pytest.approx(9.0 + 7.0 / 12.0)
    assert np.quantile(burst, 0.95) == 16.0


def test_stops_silence_and_wrong_readings_do_not_count():
    t, sog = sailed(10.0, 600)
    still = sog.copy()
    still[(np.arange(sog.size) // 48) % 2 == 1] = 0.2  # twelve hours in port, twelve under way
    assert speed_of(t, still).usual_kn == pytest.approx(10.0)
    assert speed_of(t, still).own_h == pytest.approx(300.0, abs=1.0)
    wrong = sog.copy()
    wrong[::7], wrong[1::7] = 102.2, math.nan
    assert speed_of(t, wrong).quantiles_kn == pytest.approx((10.0,) * 5)
    days = speed_of(np.arange(40) * 24 * HOUR, np.full(40, 10.0))  # one fix a day is no history of speed
    assert days.own_h == 0.0


def test_only_the_same_draught_speaks_when_there_is_enough_of_it():
    t, sog = sailed(12.0, 480)
    laden = np.arange(sog.size) < sog.size // 2
    sog[laden] = 9.0
    drawn = np.where(laden, 9.0, 5.0)
    full = speed_of(t, sog, draught_m=8.6, draughts_m=drawn)
    assert full.quantiles_kn == pytest.approx((9.0,) * 5)
    assert full.source == "own history, 240 h under way at 8.6 m draught within 15%"
    assert speed_of(t, sog, draught_m=5.2, draughts_m=drawn).usual_kn == pytest.approx(12.0)
    either = speed_of(t, sog, draught_m=7.0, draughts_m=drawn)
    assert either == speed_of(t, sog) and either.quantiles_kn[0] < 9.1 and either.fast_kn > 11.9
    assert speed_of(t, sog, draught_m=math.nan, draughts_m=drawn) == speed_of(t, sog, draught_m=0.0) == either


def test_order_repetition_and_whole_days_change_nothing():
    rng = np.random.default_rng(4)
    t, sog = history(rng.uniform(2.0, 15.0, 2000))
    speed, turn = speed_of(t, sog), rng.permutation(t.size)
    assert speed_of(t[turn], sog[turn]) == speed
    assert speed_of(np.repeat(t, 2), np.repeat(sog, 2)) == speed
    assert speed_of(t + 24 * HOUR * 19_000, sog) == speed


@pytest.mark.parametrize(
    ("code", "length_m", "words"),
    [
        (70, 96.0, "cargo ship under 100 m"),
        (79, 100.0, "cargo ship of 100 to 150 m"),
        (70, 300.0, "cargo ship of 200 m or more"),
        (70, None, "cargo ship of unknown length"),
        (80, math.nan, "tanker of unknown length"),
        (84, 120.0, "tanker of 100 to 150 m"),
        (60, 0.0, "passenger ship of unknown length"),
        (30, 40.0, "fishing vessel"),
        (52, 30.0, "tug"),
        (35, 90.0, "government vessel"),
        (40, 40.0, "high-speed craft"),
        (36, 12.0, "yacht"),
        (90, 80.0, "ship of unknown type"),
        (None, None, "ship of unknown type"),
        (255, 80.0, "ship of unknown type"),
    ],
)
def test_a_ship_without_history_is_one_of_its_type(code, length_m, words):
    speed = speed_of([], [], ship_type=code, length_m=length_m)
    assert speed.source == f"type: {words}, no own history" and speed.own_h == 0.0
    assert 3.0 < speed.quantiles_kn[0] < speed.usual_kn < speed.fast_kn < speed.cap_kn < 50.0


def test_an_unknown_length_is_wider_than_any_known():
    wide = speed_of([], [], ship_type=70)
    for length_m in (50.0, 120.0, 180.0, 300.0):
        one = speed_of([], [], ship_type=70, length_m=length_m)
        assert wide.quantiles_kn[0] <= one.quantiles_kn[0] and one.fast_kn <= wide.fast_kn


def test_it_goes_into_a_report():
    told = json.loads(json.dumps(speed_of(*sailed(8.0, 240)).to_dict()))
    assert told["quantiles_kn"] == {"5%": 8.0, "25%": 8.0, "50%": 8.0, "75%": 8.0, "95%": 8.0}
    assert (told["source"], told["own_h"], told["cap_kn"]) == ("own history, 240 h under way", 240.0, 9.6)


def test_the_figures_of_the_types_hold_for_ships_of_the_us_coast():
    path = SHARED / "ais" / "csv" / "noaa-marinecadastre-1000rows-2023.csv"
    if not path.exists():
        pytest.skip("the shared sample of NOAA is not here")
    ships: dict[Speed, list[float]] = {}
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream):
            if row["VesselType"] and row["Length"] and 3.0 <= float(row["SOG"]) <= 60.0:
                kin = speed_of([], [], ship_type=int(float(row["VesselType"])), length_m=float(row["Length"]))
                ships.setdefault(kin, []).append(float(row["SOG"]))
    checked = 0
    for kin, sog in ships.items():
        if len(sog) >= 9 and "unknown" not in kin.source and "passenger ship under" not in kin.source:
            assert abs(np.median(sog) - kin.usual_kn) <= 1.5, kin.source
            assert np.mean(np.array(sog) <= kin.cap_kn) > 0.9, kin.source
            checked += len(sog)
    assert checked > 190
