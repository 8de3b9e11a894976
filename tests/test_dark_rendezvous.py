"""Meetings that silence may hide: found where they fit, not found where anybody would fit, and never called certain."""

import numpy as np
import pytest

import luxwake as lw
from detectors.dark_rendezvous import DarkRendezvousParams
from detectors.event import KINDS, LABELS
from geo.errors import UsageError
from tests import naive_dark_rendezvous as naive
from tests.feeds import HOUR, MINUTE, SECOND, T0, fixes_of
from tests.naive import KN_M_S

SILENT, SECOND_SILENT, DRIFTER = 211000001, 211000002, 211000003
HOURS = 96
LOOSE = {"dark_rendezvous": {"min_score": 0.6}}
"""In four days a drift of nine hours meets a silence of sixteen by chance in one shift of four."""


def traffic():
    """Twenty ships that cross the same sea all the time, heard every five minutes."""
    rng = np.random.default_rng(1)
    rows = []
    for k in range(20):
        lat, lon = rng.uniform(-0.4, 0.4, 2)
        for m in range(0, HOURS * 60, 5):
            back = abs((m / 60 + k) % 8 - 4) * 0.1
            rows.append((T0 + m * MINUTE + k * SECOND, 211000100 + k, lat + back, -30 + lon, 6.0))
    return rows


def sailing(mmsi, lat, lon, course, silent=(0, 0), begin=0, end=HOURS):
    """A ship at 6 kn that turns every eight hours, and is not heard from `silent[0]` to `silent[1]` hours."""
    rows = []
    for m in range(begin * 60, end * 60, 5):
        along = abs((m / 60) % 16 - 8) * 0.1
        if not silent[0] <= m / 60 < silent[1]:
            rows.append((T0 + m * MINUTE, mmsi, lat + along * np.cos(course), lon + along * np.sin(course), 6.0))
    return rows


def drifting(mmsi, lat, lon, hours, far=2.0):
    """A ship that comes from afar, drifts for some hours, and leaves again."""
    rows = []
    for m in range(0, HOURS * 60, 5):
        away = max(hours[0] - m / 60, m / 60 - hours[1], 0.0) * 0.15
        rows.append((T0 + m * MINUTE, mmsi, lat + min(away, far), lon, 9.0 if 0 < away < far else 0.2))
    return rows


def found(rows, params=LOOSE):
    events = lw.detect(fixes_of(sorted(rows)), ["dark_rendezvous"], params)
    return [
        (LABELS[label], {int(one), int(two)}, round((start - T0) / HOUR, 1), round((end - T0) / HOUR, 1), float(score))
        for label, one, two, start, end, score in zip(
            *(events[name] for name in ("label", "mmsi", "other", "t_start", "t_end", "score")), strict=True
        )
    ]


def test_a_ship_that_drifted_in_the_reach_of_a_silent_one_is_told_with_its_chance_rate():
    rows = traffic() + sailing(SILENT, 0.0, -30.0, 0.3, silent=(40, 56)) + drifting(DRIFTER, 0.5, -29.8, (43, 52))
    events = found(rows)
    assert len(events) == 1
    label, ships, start, end, score = events[0]
    assert label == "one_silent" and ships == {SILENT, DRIFTER}
    assert 42.5 <= start < end <= 52.5 and end - start > 4.0  # only while the other drifted
    assert 0.7 < score < 0.95
    assert found(rows, {}) == []  # too little to report by itself


def test_across_the_antimeridian_it_is_the_same():
    rows = traffic() + sailing(SILENT, 0.0, -30.0, 0.3, silent=(40, 56)) + drifting(DRIFTER, 0.5, -29.8, (43, 52))
    there = [(t, mmsi, lat, (lon + 209.9 + 180.0) % 360.0 - 180.0, sog) for t, mmsi, lat, lon, sog in rows]
    assert [event[:2] for event in found(there)] == [("one_silent", {SILENT, DRIFTER})]


def test_a_drifter_out_of_reach_or_at_another_time_is_none():
    silent = traffic() + sailing(SILENT, 0.0, -30.0, 0.3, silent=(40, 56))
    assert found(silent + drifting(DRIFTER, 6.0, -29.8, (43, 52))) == []
    assert found(silent + drifting(DRIFTER, 0.5, -29.8, (70, 80))) == []


def test_where_ships_drift_all_the_time_a_fit_says_nothing():
    rows = traffic() + sailing(SILENT, 0.0, -30.0, 0.3, silent=(40, 56))
    for k in range(30):
        rows += drifting(DRIFTER + k, 0.3 + 0.01 * k, -29.9, (2 + 2.8 * k, 9 + 2.8 * k))
    assert found(rows) == []
    every = lw.detect(fixes_of(sorted(rows)), ["dark_rendezvous"], {"dark_rendezvous": {"min_score": 0.0}})
    assert len(every) >= 2 and (every["chance_rate"] > 1.0).all() and (every["partners"] >= 2).all()


def test_two_ships_silent_over_the_same_hours_at_one_place_are_a_paired_silence():
    rows = (
        traffic()
        + sailing(SILENT, 0.0, -30.0, 0.3, silent=(40, 58))
        + sailing(SECOND_SILENT, 0.1, -29.9, 0.2, (41, 57))
    )
    events = found(rows)
    assert [event[:2] for event in events] == [("paired_silence", {SILENT, SECOND_SILENT})]
    assert 40.0 <= events[0][2] < events[0][3] <= 58.0
    apart = rows[: -len(sailing(SECOND_SILENT, 0.1, -29.9, 0.2, (41, 57)))]
    assert found(apart + sailing(SECOND_SILENT, 0.1, -29.9, 0.2, (70, 84))) == []


def test_it_tells_both_ships_evidence_and_the_same_story_for_any_order_of_rows():
    rows = traffic() + sailing(SILENT, 0.0, -30.0, 0.3, silent=(40, 56)) + drifting(DRIFTER, 0.5, -29.8, (43, 52))
    fixes = fixes_of(sorted(rows))
    lw.check_laws(fixes, ["dark_rendezvous"], LOOSE, seed=3)
    event = lw.detect(fixes, ["dark_rendezvous"], LOOSE)
    at = {int(offset): row for row, offset in enumerate(fixes["offset"])}
    for name, ship in (("first_offset", SILENT), ("last_offset", SILENT), ("other_first_offset", DRIFTER)):
        assert fixes["mmsi"][at[int(event[name][0])]] == ship
    assert event.params["dark_rendezvous"]["controls"] == 40


def test_windows_and_chance_rates_are_those_of_the_naive_twin():
    """In open water, where the ways over water are great circles."""
    rows = traffic() + sailing(SILENT, 0.0, -30.0, 0.3, silent=(40, 56))
    for k in range(6):
        rows += drifting(DRIFTER + k, 0.3 + 0.03 * k, -29.9 + 0.02 * k, (20 + 7 * k, 28 + 6 * k))
    params = {"dark_rendezvous": {"min_score": 0.0, "controls": 8}}
    every = lw.detect(fixes_of(sorted(rows)), ["dark", "loitering", "dark_rendezvous"], params)
    vessels = {int(m): float(v) for m, v in zip(every.vessels["mmsi"], every.vessels["sog_p95"], strict=True)}

    def stays(kind):
        mine = every.take(every["kind"] == KINDS.index(kind))
        names = ("mmsi", "lat", "lon", "lat_end", "lon_end", "t_start", "t_end")
        return [
            {"ship": m, "lat": a, "lon": b, "lat_end": c, "lon_end": d, "t0": s, "t1": e, "speed": vessels[m] * KN_M_S}
            for m, a, b, c, d, s, e in zip(*(mine[name].tolist() for name in names), strict=True)
        ]

    silences, drifters = stays("dark"), stays("loitering")
    pairs = naive.together(silences, drifters, naive.HOUR_US)
    begin = min(stay["t0"] for stay in silences + drifters)
    length = max(stay["t1"] for stay in silences + drifters) - begin
    rates = naive.chance_rates(pairs, silences, drifters, begin, length, 8, naive.HOUR_US)
    twin = sorted((silences[i]["ship"], drifters[j]["ship"], *rest) for i, j, *rest in pairs)
    found = every.take(every["kind"] == KINDS.index("dark_rendezvous"))
    names = ("mmsi", "other", "t_start", "t_end", "misfit_h", "chance_rate")
    mine = sorted(zip(*(found[name].tolist() for name in names), strict=True))
    assert len(twin) == len(mine) >= 2
    rate_of = {(silences[i]["ship"], drifters[j]["ship"], round(rest[0])): rate
               for (i, j, *rest), rate in zip(pairs, rates, strict=True)}  # fmt: skip
    for (one, two, start, end, misfit, rate), (a, b, t_from, t_to, detour) in zip(mine, twin, strict=True):
        assert (one, two) == (a, b) and abs(start - t_from) <= SECOND and abs(end - t_to) <= SECOND
        assert misfit == pytest.approx(detour, abs=1e-4)
        assert rate == pytest.approx(rate_of[a, b, round(t_from)], abs=1e-6)


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(UsageError, match="must be positive"):
        DarkRendezvousParams(min_together_h=0)
    with pytest.raises(UsageError, match="controls >= 1"):
        DarkRendezvousParams(controls=0)
