"""Faults that were reproduced in other systems, one test each: ours does not have it, and the plain rules do.

The faulty side is `benchmarks.gfw_rules`, the published rules written anew; where it shows a fault, the input is one on
which the fault matters, and the test of ours could fail.
"""

import time

import numpy as np
import pytest

import luxwake as lw
from benchmarks import gfw_rules, worlds
from benchmarks.gfw_rules import Event
from detectors.engine import Engine
from detectors.event import DARK, GAP
from tests.feeds import HOUR, MINUTE, T0, fixes_of

HOUR_S = 3600.0
A, B = 211_000_001, 211_000_002
KN_DEG_H = 1.0 / 60.0


def hours(events):
    return [
        (end - start) / HOUR for start, end in zip(events["t_start"].tolist(), events["t_end"].tolist(), strict=True)
    ]


def rules(fixes):
    return gfw_rules.rows_of(fixes, fixes["mmsi"])


def meeting(start_h, length_h=2.5, every=5, lon=-30.0, sways=0.0):
    """Two ships come together at 9 kn, lie 110 m apart, and part; `sways` degrees to and fro between fixes."""
    rows = []
    for k, m in enumerate(range(-240, int(length_h * 60) + 240, every)):
        t = T0 + int(start_h * HOUR) + m * MINUTE
        away = max(0, -m, m - length_h * 60) / 60 * 0.15
        east = away if away else sways * (-1) ** k
        west = -away if away else sways * (-1) ** k
        rows.append((t, A, 0.0, (lon + east + 180) % 360 - 180, 9.0 if away else 0.3))
        rows.append((t + 20_000_000, B, 0.001, (lon + west + 180) % 360 - 180, 9.0 if away else 0.3))
    return fixes_of(rows)


def drift(start_min, length_h, keep=lambda minute: True):
    """Five hours at 12 kn, a drift at 1 kn, five hours at 12 kn; a fix every ten minutes."""
    rows = []
    for m in range(-300, int(length_h * 60) + 301, 10):
        slow = min(max(m, 0), length_h * 60)
        lat = (slow + 12.0 * (m - slow)) / 60.0 * KN_DEG_H
        if keep(m):
            rows.append((T0 + (start_min + m) * MINUTE, A, lat, -30.0, 1.0 if 0 < m <= length_h * 60 else 12.0))
    return fixes_of(rows)


def test_a_meeting_is_not_cut_at_midnight():
    at_noon, at_night = meeting(12.0), meeting(23.25)
    assert [len(gfw_rules.encounters(rules(f))) for f in (at_noon, at_night)] == [1, 0]
    found = [hours(lw.detect(f, ["rendezvous"])) for f in (at_noon, at_night)]
    assert [len(one) for one in found] == [1, 1]
    assert found[0][0] == pytest.approx(found[1][0], abs=0.1) == pytest.approx(2.5, abs=0.2)


def test_nothing_is_extrapolated_and_least_of_all_to_the_north():
    """The course is turned into radians twice: a ship that steams east at 12 kn for 55 min is put 28 km away."""
    one = rules(fixes_of([(T0, A, 0.0, -30.0, 12.0)]))._replace(cog=np.array([90.0]))
    lat, lon = gfw_rules.extrapolated(one, 0, one.t + 55 * 60)
    away_m = gfw_rules.haversine_m(lat, lon, 0.0, -30.0 + 55 / 60 * 12.0 * KN_DEG_H)
    assert away_m[0] > 25_000 and lat[0] > 0.15
    together = meeting(12.0, 6.0)
    stops = T0 + 15 * HOUR + 5 * MINUTE
    cut = together.take(together["t"] <= stops)  # both fall silent while they lie together
    assert gfw_rules.encounters(rules(cut))[0].end > stops / 1e6 + 1800
    assert lw.detect(cut, ["rendezvous"])["t_end"].tolist() <= [stops]


def test_a_way_across_the_antimeridian_does_not_lead_around_the_world():
    there, here = meeting(12.0, 4.0, 25, lon=180.0, sways=0.0005), meeting(12.0, 4.0, 25, sways=0.0005)
    assert np.abs(gfw_rules.resampled(rules(there)).lon).min() < 100.0
    assert [len(gfw_rules.encounters(rules(f))) for f in (there, here)] == [0, 1]
    events = lw.detect(there, ["rendezvous"])
    assert hours(events) == pytest.approx(hours(lw.detect(here, ["rendezvous"])))
    assert np.abs(events["lon"]).min() > 179.9


def test_no_neighbour_is_left_out_of_a_crowd():
    world, pairs = worlds.anchorage(3)
    rows = gfw_rules.rows_of(world.fixes, world.ship)
    assert pairs == 12_720 == len(gfw_rules.encounters(rows, max_neighbours=160))
    assert len(gfw_rules.encounters(rows)) < 10_500
    assert len(lw.detect(world.fixes, ["rendezvous"])) == pairs


def test_twenty_hours_of_silence_are_not_loitering():
    fixes = drift(0, 21, keep=lambda m: not 30 < m < 20.5 * 60)
    (event,) = gfw_rules.loitering(rules(fixes))
    assert event.end - event.start >= 20 * HOUR_S
    assert len(lw.detect(fixes, ["loitering"])) == 0


@pytest.mark.parametrize("minute", [0, 10, 20, 30, 40, 50])
def test_a_drift_of_four_hours_is_four_hours_long(minute):
    """Clock hours report three at five of six offsets, and whoever asks for four finds none."""
    fixes = drift(minute, 4)
    hourly = gfw_rules.buckets(rules(fixes))
    raw = [e for day in {b.day for b in hourly} for e in gfw_rules.daily_loitering(hourly, day)]
    whole = minute == 50  # the drift then begins with the last message of a clock hour
    assert [(e.end - e.start) / HOUR_S for e in raw] == [4.0 if whole else 3.0]
    assert len(gfw_rules.loitering(rules(fixes))) == whole
    assert hours(lw.detect(fixes, ["loitering"])) == [4.0]


@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/St_Johns"])
def test_the_time_zone_of_the_host_changes_nothing(zone, monkeypatch):
    fixes = drift(200, 9)
    columns = ("id", "t_start", "t_end", "lat", "lon")
    here = lw.detect(fixes, ["loitering", "dark"])
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert time.mktime(time.gmtime(0)) != 0.0  # what the windows of a peer begin with
        there = lw.detect(fixes, ["loitering", "dark"])
    finally:
        monkeypatch.undo()
        time.tzset()
    assert len(here) > 0 and all(np.array_equal(here[name], there[name]) for name in columns)


def test_a_second_ship_on_the_mmsi_does_not_hide_a_gap():
    silent = [(T0 + h * HOUR, A, 0.1 * h, -30.0, 6.0) for h in [*range(10), *range(22, 30)]]
    other = [(T0 + m * 10 * MINUTE + 7_000_000, A, 40.0, 150.0 + m * 0.01, 6.0) for m in range(180)]
    alone, both = fixes_of(silent), fixes_of(sorted(silent + other))
    assert [len(gfw_rules.gaps(rules(f))) for f in (alone, both)] == [1, 0]
    assert [hours(lw.detect(f, ["dark"])) for f in (alone, both)] == [[13.0], [13.0]]


def test_many_gaps_of_one_ship_cost_no_more_than_few():
    """To count the messages before a gap all of the ship's messages are looked at: quadratic in the gaps of a ship."""

    def silent_each_day(days):
        rows = [(T0 + (24 * d + h) * HOUR, A, 0.05 * h, -30.0, 3.0) for d in range(days) for h in range(12)]
        return fixes_of(rows)

    def looked(fixes):
        rows = rules(fixes)
        return sum(gfw_rules.messages_before(rows.t, gap)[1] for gap in gfw_rules.gaps(rows))

    assert looked(silent_each_day(80)) > 14 * looked(silent_each_day(20))
    few, many = silent_each_day(2_000), silent_each_day(16_000)
    seconds = []
    for fixes, days in ((few, 2_000), (many, 16_000), (few, 2_000), (many, 16_000)):
        begin = time.process_time()
        events = lw.detect(fixes, ["dark"], threads=1)
        seconds.append(time.process_time() - begin)
        assert len(events) == days - 1
    assert min(seconds[1], seconds[3]) < 24 * min(seconds[0], seconds[2])  # 8 times the gaps; quadratic were 64


def test_a_silence_that_begins_near_the_shore_is_no_less_dark():
    """The rule of 50 nautical miles can never flag the ship that went dark off Busan for 18 days."""
    from geo.coast import shore_distance_m
    from luxwake.cli import flagship_folder

    events = lw.detect(lw.read(sorted(flagship_folder().glob("*.nmea.zst"))), ["dark"])
    lark = events.take(events["mmsi"] == 671999101)
    longest = int(np.argmax(lark["t_end"] - lark["t_start"]))
    gap = Event(A, lark["t_start"][longest] / 1e6, lark["t_end"][longest] / 1e6)
    shore_m = float(shore_distance_m(lark["lat"][longest : longest + 1], lark["lon"][longest : longest + 1])[0])
    assert gap.end - gap.start > 18 * 24 * HOUR_S
    assert gfw_rules.is_disabling(gap, gfw_rules.DISABLING_SHORE_M + 1.0)
    assert not gfw_rules.is_disabling(gap, shore_m)
    assert lark["kind"][longest] == DARK


def test_the_place_of_a_gap_across_the_antimeridian_is_not_in_africa():
    rows = [(T0 + h * HOUR, A, 10.0, (179.5 + 0.05 * h + 180) % 360 - 180, 3.0) for h in [*range(6), *range(18, 24)]]
    event = lw.detect(fixes_of(rows), ["dark"]).take(slice(0, 1))
    ends = [(float(event[f"lat{end}"][0]), float(event[f"lon{end}"][0])) for end in ("", "_end")]
    assert event["kind"][0] in (GAP, DARK)
    assert [round(lon, 2) for _, lon in ends] == [179.75, -179.6]
    assert abs(gfw_rules.gap_position(*zip(*ends, strict=True))[1]) < 1.0


def test_a_message_that_comes_late_does_not_cut_an_event_in_two():
    """Daily pieces are chained where their ends are exactly equal; a late message moves one of them."""
    fixes = drift(14 * 60, 20)  # over midnight
    late = int(np.searchsorted(fixes["t"], T0 + 24 * HOUR)) - 1
    before, after = fixes.take(slice(0, late)), fixes.take(slice(late, None))
    whole, short = gfw_rules.buckets(rules(fixes)), gfw_rules.buckets(rules(before))
    first = whole[0].day
    days = range(first, whole[-1].day + 1)
    assert len(gfw_rules.chained([gfw_rules.daily_loitering(whole, day) for day in days])) == 1
    parts = [gfw_rules.daily_loitering(short if day == first else whole, day) for day in days]
    assert len(gfw_rules.chained(parts)) == 2
    order = np.array([1, 0, *range(2, len(after))])  # the last fix of the day comes after the first of the next one
    engine = Engine(["loitering"])
    found = np.concatenate([engine.feed(before), engine.feed(after.take(order)), engine.flush()])
    assert hours(found) == hours(lw.detect(fixes, ["loitering"])) == [20.0]
