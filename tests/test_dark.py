"""Dark periods: the model of reception against its twin, and what it must not be fooled by."""

import functools
import math
from pathlib import Path

import h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ais.identity import identities
from ais.read import read
from detectors.counts import Counts
from detectors.coverage import CLASS_BIT
from detectors.dark import DarkParams
from detectors.detect import detect
from detectors.engine import Engine
from detectors.event import DARK, GAP, LABELS
from detectors.silence import none_heard
from detectors.silences import q_values
from detectors.stay import LAST
from geo.errors import UsageError
from geo.ports import port_by_code
from geo.steps import STEPS_PER_DEG
from tests import naive_dark
from tests.feeds import HOUR, MINUTE, T0, fixes_of

OURS = 211_000_001
FLAGSHIP = Path(__file__).parents[1] / "fixtures" / "flagship" / "track.nmea.zst"


def traffic(hours, ships=20, *, lat0=0.0, lon0=-30.0, first=211_000_100, every=10):
    """Ships that go up and down one patch of sea of 20 nmi, heard every ten minutes."""
    rng = np.random.default_rng(1)
    rows = []
    for k in range(ships):
        lat, lon = rng.uniform(-0.2, 0.2, 2)
        for m in range(0, hours * 60, every):
            back = abs((m / 60 + k) % 4 - 2) * 0.1
            rows.append((T0 + m * MINUTE + k * 1_000_000, first + k, lat0 + lat + back, lon0 + lon, 6.0))
    return rows


def ship(hours, silent=(0, 0), *, lat0=0.0, lon0=-30.0, mmsi=OURS, sog=6.0):
    """One ship among them that is not heard from `silent[0]` to `silent[1]` hours."""
    return [
        (T0 + m * MINUTE, mmsi, lat0, lon0 + abs(m / 60 % 4 - 2) * 0.1 * (sog > 0), sog)
        for m in range(0, hours * 60, 10)
        if not silent[0] <= m / 60 < silent[1]
    ]


def events_of(rows, mmsi=OURS, params=None, cog=math.nan):
    fixes = fixes_of(sorted(rows))
    fixes.columns["cog"] = np.full(len(rows), cog, np.float32)
    events = detect(fixes, ["dark"], params and {"dark": params})
    return events.take(events["mmsi"] == mmsi)


def fed(rows):
    detector = Engine(["dark"], lateness_s=0)
    detector.feed(fixes_of(sorted(rows)))
    detector.flush()
    return detector.detectors[0].arrays


def _since(last):
    return int(last["t"]) // naive_dark.BLOCK * naive_dark.BLOCK + 2 * int(last["since_us2"])


def test_the_rates_of_cells_are_those_of_the_naive_twin():
    rows = sorted(traffic(30, 12, every=7) + ship(30, (3, 8)) + traffic(20, 3, lat0=0.4, first=219_000_000, every=50))
    arrays = fed(rows)
    mine = {
        h3.int_to_str(int(row["cell"] & ~CLASS_BIT)): [int(row["messages"]), int(row["exposure_us"])]
        for row in arrays["table"]
        if row["cell"]
    }
    for last in arrays["lasts"]:
        if last["n"]:  # what a ship has not yet handed in
            lat, lon = int(last["lat"]) / STEPS_PER_DEG, int(last["lon"]) / STEPS_PER_DEG
            for resolution in range(1, 6):
                row = mine.setdefault(naive_dark.cell(lat, lon, resolution), [0, 0])
                row[0] += int(last["heard"])
                row[1] += int(last["t"]) - _since(last)
    assert mine == naive_dark.rates(rows, 6 * HOUR)
    assert len(mine) > 10 and sum(m for m, _ in mine.values()) > 5000


def test_who_was_heard_around_is_as_the_naive_twin_counts():
    rows = sorted(traffic(30, 12))
    arrays, seen, entered = fed(rows), {}, {}
    for t, mmsi, lat, lon, _ in rows:
        where = naive_dark.cell(lat, lon, 3), t // naive_dark.BLOCK
        if seen.get(mmsi) != where:
            entered[where] = entered.get(where, 0) + 1
        seen[mmsi] = where
    for (cell, block), n in entered.items():
        row = arrays["near"][arrays["near"]["cell"] == h3.str_to_int(cell)][0]
        assert arrays["blocks"][row["ring"], block % 512] == n
    assert len(entered) >= 15


def test_gaps_alone_are_those_of_the_naive_twin():
    rows = sorted(traffic(40) + ship(40, (10, 20)) + ship(40, (5, 12), mmsi=OURS + 1))
    events = detect(fixes_of(rows), ["dark"], {"dark": DarkParams(reception=False)})
    mine = list(zip(*(events[name].tolist() for name in ("mmsi", "t_start", "t_end")), strict=True))
    assert sorted(mine) == naive_dark.gaps(rows, 6 * HOUR, 3) and len(mine) == 2
    assert (events["kind"] == GAP).all() and np.isnan(events["score"]).all()


@settings(max_examples=10)
@given(expected=st.floats(0.1, 60), phi=st.floats(0.05, 1.0))
def test_no_message_has_the_probability_of_a_gamma_mixture(expected, phi):
    mine = none_heard.py_func(expected, phi, 24.0)
    assert mine == pytest.approx(naive_dark.none_heard(expected, phi, 24.0), rel=0.02, abs=1e-9)


@given(st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=20), st.integers(20, 1000))
def test_q_is_that_of_benjamini_and_hochberg(p, tests):
    mine = q_values(Counts(np.array(p), np.ones(len(p), np.int64)), tests * np.array(p))
    assert mine == pytest.approx(naive_dark.q_values(p, tests))


def test_a_silence_amid_ships_that_are_heard_is_dark_and_says_what_it_rests_on():
    event = events_of(traffic(60) + ship(60, (30, 45)))
    assert event["kind"].tolist() == [DARK] and event["score"][0] > 0.99
    assert 80 < event["expected_messages"][0] < 95 and event["p_value"][0] < 1e-9 and event["q_value"][0] < 0.01
    assert event["neighbours"][0] >= 20 and event["receiver_share"][0] > 0.95


def test_receivers_that_fail_are_told_from_a_ship_that_is_silent():
    """One region of two is not heard for 12 h; the feed itself goes on."""
    far = traffic(72, lat0=40.0, first=212_000_000)
    here = traffic(72) + ship(72)
    down = [row for row in here if not T0 + 30 * HOUR <= row[0] < T0 + 42 * HOUR]
    events = detect(fixes_of(sorted(down + far)), ["dark"])
    assert len(events) == 21 and (events["kind"] == GAP).all() and (events["receiver_share"] < 0.3).all()
    only_ours = events_of(traffic(72) + ship(72, (30, 42)) + far)
    assert only_ours["kind"].tolist() == [DARK]


def test_a_recording_that_ends_while_another_goes_on_makes_no_ship_dark():
    """Ten hours here, four hundred elsewhere, in one call: a long silence of which nothing is known says nothing."""
    elsewhere = traffic(400, 8, lat0=30.0, lon0=100.0, first=212_000_000, every=30)
    events = detect(fixes_of(sorted(traffic(10) + elsewhere)), ["dark"])
    assert len(events) == 20 and (events["kind"] == GAP).all() and not (events["score"] > 0.1).any()


def test_ships_that_go_beyond_the_rim_of_reception_are_not_dark_and_one_that_stays_within_is():
    """Nobody is heard east of 24 nmi; all go out and are silent for 12 h, ours for a day; another is silent inside."""
    rows = []
    for k in range(30):
        for m in range(0, 120 * 60, 10):
            x = 1.6 - abs((m / 60 + 0.53 * k) % 16 - 8) * 0.2
            if x < 0.4:
                rows.append((T0 + m * MINUTE + k * 1_000_000, 211_000_100 + k, 0.01 * k, -30.0 + x, 12.0))
    out = [(t, max(T0 + 62 * HOUR - t, t - T0 - 86 * HOUR) / HOUR) for t, *_ in ship(120, (62, 86))]
    ours = [(t, OURS, 0.05, -30.0 + abs(0.2 * away % 0.76 - 0.38), 12.0) for t, away in out]
    inside = [(t, OURS + 1, 0.1, lon, sog) for t, _, _, lon, sog in ship(120, (62, 86))]
    fixes = fixes_of(sorted(rows + ours + inside))
    fixes.columns["cog"] = np.full(len(fixes), 90.0, np.float32)
    events = detect(fixes, ["dark"])
    dark = events["mmsi"][events["kind"] == DARK].tolist()
    assert OURS + 1 in dark and OURS not in dark and np.count_nonzero(events["mmsi"] == OURS) == 1
    assert len(dark) <= 2 + 0.02 * len(events) and len(events) > 150


def test_a_ship_that_takes_another_mmsi_is_not_dark():
    rows = traffic(72) + [row for row in ship(72) if row[0] < T0 + 30 * HOUR]
    assert events_of(rows)["kind"].tolist() == [DARK]
    other = [(t, OURS + 1, *rest) for t, _, *rest in ship(72) if t >= T0 + 30 * HOUR]
    renamed = events_of(rows + other)
    assert renamed["kind"].tolist() == [GAP] and LABELS[renamed["label"][0]] == "mmsi_change"
    elsewhere = [(t, m, lat + 0.5, *rest) for t, m, lat, *rest in other]
    assert events_of(rows + elsewhere)["kind"].tolist() == [DARK]


def test_a_ship_that_is_silent_at_its_berth_is_labelled():
    berth = port_by_code("KRPUS")
    assert berth is not None
    at = {"lat0": berth.lat, "lon0": berth.lon}
    event = events_of(traffic(60, **at) + ship(60, (30, 45), sog=0.0, **at))
    assert event["kind"].tolist() == [GAP] and LABELS[event["label"][0]] == "moored" and event["score"][0] > 0.9
    under_way = events_of(traffic(60, **at) + ship(60, (30, 45), **at))
    assert under_way["kind"].tolist() == [DARK]


def test_a_dark_period_is_announced_while_it_lasts():
    """Ten minutes after six hours of silence, and not before."""
    rows = sorted(traffic(60) + ship(60, (30, 99)))
    told = {}
    for hours in (35.0, 36.2, 48.0):
        event = events_of([row for row in rows if row[0] < T0 + hours * HOUR])
        told[hours] = event["kind"].tolist()
        assert event["open"].tolist() == [1] * len(event)
    assert told == {35.0: [], 36.2: [DARK], 48.0: [DARK]}


def test_asking_for_the_table_twice_gives_the_same():
    """Every silence is taken out of the table of cells to be judged again, and put back."""
    fixes = fixes_of(sorted(traffic(60) + ship(60, (30, 45)) + ship(60, (10, 20), mmsi=OURS + 1)))
    engine = Engine(["dark"], lateness_s=0)
    records = engine.feed(fixes)
    table = engine.detectors[0].arrays["table"].copy()
    one, two = (engine.finish(records, identities(fixes.static)) for _ in range(2))
    assert all(one[name].tobytes() == two[name].tobytes() for name in one) and len(one) == 2
    assert table.tobytes() == engine.detectors[0].arrays["table"].tobytes()


@functools.cache
def _score(ships, hours):
    return float(events_of(traffic(72, ships) + ship(72, (30, 30 + hours)))["score"][0])


@settings(max_examples=8)
@given(ships=st.integers(4, 12), more=st.integers(1, 8), hours=st.integers(7, 12))
def test_more_traffic_heard_around_never_lowers_the_score(ships, more, hours):
    assert _score(ships + more, hours) >= _score(ships, hours) - 1e-3


@settings(max_examples=8)
@given(hours=st.integers(7, 12), more=st.integers(1, 8))
def test_a_longer_silence_never_has_a_lower_score(hours, more):
    assert _score(8, hours + more) >= _score(8, hours) - 1e-3


def test_the_flagship_is_dark_for_eighteen_days_and_hardly_any_other_ship():
    events = detect(read(FLAGSHIP), ["dark"])
    dark = events.take(events["kind"] == DARK)
    days = (dark["t_end"] - dark["t_start"]) / (24 * HOUR)
    main = (dark["mmsi"] == 671_999_101) & (days > 17)
    assert np.count_nonzero(main) == 1 and dark["score"][main][0] > 0.99
    assert len(dark) <= 3 < np.count_nonzero(events["kind"] == GAP)


def test_the_state_of_a_hull_is_small():
    assert LAST.itemsize <= 64


@pytest.mark.parametrize("wrong", [{"max_q": 1.5}, {"dark_per_day": 0.0}, {"prior_messages": -1.0}, {"min_gap_s": 0}])
def test_a_parameter_out_of_its_range_is_refused(wrong):
    with pytest.raises(UsageError, match="dark: "):
        DarkParams(**wrong)
