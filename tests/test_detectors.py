"""The detectors against their naive twins, and the faults that other systems are known for."""

import numpy as np
import pytest

from detectors.dark import DarkParams
from detectors.detect import detect
from detectors.engine import Engine
from detectors.event import DARK, GAP, LOITERING, PORT_CALL, RENDEZVOUS
from detectors.loitering import LoiteringParams
from detectors.port_call import PortCallParams
from detectors.rendezvous import RendezvousParams
from geo.errors import UsageError
from tests import naive
from tests.feeds import HOUR, MINUTE, T0, fixes_of
from tests.worlds import busy_world

SEEDS = range(3)


def _rows(fixes):
    return list(zip(*(fixes[name].tolist() for name in ("t", "mmsi", "lat", "lon", "sog")), strict=True))


def _raw(fixes, name, params=None):
    engine = Engine([name], params and {name: params}, lateness_s=0)
    return np.concatenate([engine.feed(fixes), engine.flush()])


@pytest.mark.parametrize("seed", SEEDS)
def test_gaps_are_those_of_the_naive_twin(seed):
    fixes = busy_world(seed)
    found = _raw(fixes, "dark")
    closed = found[found["open"] == 0]
    mine = sorted(zip(*(closed[name].tolist() for name in ("mmsi", "t_start", "t_end")), strict=True))
    assert mine == naive.gaps(_rows(fixes), 6 * HOUR, 3)
    assert len(mine) > 150


def _meeting(start_hour, hours=2.5, every=5, a=211000001, b=211000002, lon=-30.0):
    rows = []
    for m in range(-240, int(hours * 60) + 240, every):
        t = T0 + int(start_hour * HOUR) + m * MINUTE
        away = max(0, -m, m - hours * 60) / 60 * 0.15
        rows.append((t, a, 0.0, (lon + away + 180) % 360 - 180, 9.0 if away else 0.3))
        rows.append((t + 20_000_000, b, 0.001, (lon - away + 180) % 360 - 180, 9.0 if away else 0.3))
    return rows


def test_evidence_of_a_meeting_names_the_file_of_each_fix():
    fixes = fixes_of(_meeting(3))
    fixes.columns["source"] = (fixes["t"] > T0 + 4 * HOUR).astype(np.uint16)
    event = _raw(fixes, "rendezvous")[0]
    assert [event[k] for k in ("first_source", "last_source", "other_first_source", "other_last_source")] == [
        0,
        1,
        0,
        1,
    ]
    whole = fixes_of(_meeting(3))
    whole.columns["source"] = (whole["t"] > T0 + 6 * HOUR).astype(np.uint16)
    event = _raw(whole, "rendezvous")[0]
    assert [event[k] for k in ("first_source", "last_source", "other_first_source", "other_last_source")] == [
        0,
        0,
        0,
        0,
    ]


@pytest.mark.parametrize("hour", range(24))
def test_a_meeting_is_found_at_every_hour_of_the_day(hour):
    """A system that cuts at midnight finds four of ten that begin at 22 h."""
    events = detect(fixes_of(_meeting(hour)), ["rendezvous"])
    assert len(events) == 1
    assert abs(events["t_end"][0] - events["t_start"][0] - 2.5 * HOUR) < 12 * MINUTE


def test_a_meeting_across_the_antimeridian_is_one_meeting_there():
    events = detect(fixes_of(_meeting(3, lon=180.0)), ["rendezvous"])
    assert len(events) == 1
    assert abs(abs(events["lon"][0]) - 180) < 0.01
    assert events["distance_m"][0] < 300


def test_all_pairs_of_a_crowded_anchorage_are_found_when_asked_for():
    """160 ships within 400 m of each other: 12,720 pairs; a cap of 100 neighbours finds 8,875."""
    rng = np.random.default_rng(3)
    place = rng.uniform(-0.0012, 0.0012, (160, 2))
    rows = [
        (T0 + m * MINUTE + k * 100_000, 211000000 + k, place[k, 0], -30 + place[k, 1], 0.1)
        for m in range(0, 180, 10)
        for k in range(160)
    ]
    found = _raw(fixes_of(rows), "rendezvous")
    assert found.size == 160 * 159 // 2


def test_a_second_ship_on_the_same_mmsi_does_not_hide_a_silence():
    """Grouping by MMSI alone finds no gap at all here."""
    silent = [(T0 + h * HOUR, 211000001, 0.1 * h, -30.0, 6.0) for h in [*range(10), *range(22, 30)]]
    other = [(T0 + m * 10 * MINUTE + 7_000_000, 211000001, 40.0, 150.0 + m * 0.01, 6.0) for m in range(180)]
    events = detect(fixes_of(sorted(silent + other)), ["dark"])
    assert [
        (int(h), int(e - s)) for h, s, e in zip(events["hull"], events["t_start"], events["t_end"], strict=True)
    ] == [(0, 13 * HOUR)]


def _traffic(hours, silent=None, seed=1):
    """Twenty ships that cross one patch of sea all the time, heard every five minutes; and one that may fall silent."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(20):
        lat, lon = rng.uniform(-0.2, 0.2, 2)
        for m in range(0, hours * 60, 5):
            back = abs((m / 60 + k) % 4 - 2) * 0.1
            rows.append((T0 + m * MINUTE + k * 1_000_000, 211000100 + k, lat + back, -30 + lon, 6.0))
    for m in range(0, hours * 60, 5):
        if silent is None or not silent[0] <= m / 60 < silent[1]:
            rows.append((T0 + m * MINUTE, 211000001, 0.0, -30.0 + abs(m / 60 % 4 - 2) * 0.1, 6.0))
    return sorted(rows)


def test_silence_amid_ships_that_are_heard_is_dark_and_silence_where_nothing_is_known_is_a_gap():
    events = detect(fixes_of(_traffic(60, silent=(30, 45))), ["dark"])
    assert events["kind"].tolist() == [DARK] and events["score"][0] > 0.95
    alone = [(T0 + h * HOUR, 211000001, 0.1 * h, -30.0, 6.0) for h in [*range(10), *range(22, 30)]]
    events = detect(fixes_of(alone), ["dark"])
    assert events["kind"].tolist() == [GAP]


def test_a_hole_in_reception_that_all_ships_share_is_a_gap_and_unknown_is_null():
    """Ships that cross an unheard strip are heard on both sides: time without messages is laid on it."""
    rows = []
    for k in range(30):
        for m in range(0, 72 * 60, 5):
            lat = abs((m / 60 * 0.2 + k * 0.32) % 9.6 - 4.8)
            if not 1.6 < lat < 2.6:
                rows.append((T0 + m * MINUTE + k * 1_000_000, 211000100 + k, lat, -30.0, 12.0))
    slow = [(T0 + 30 * HOUR + m * MINUTE, 211000001, 1.0 + m * 0.0014, -30.0, 5.0) for m in range(0, 24 * 60, 5)]
    rows += [r for r in slow if not 1.6 < r[2] < 2.6]
    events = detect(fixes_of(sorted(rows)), ["dark"])
    mine = events.take((events["mmsi"] == 211000001) & (events["open"] == 0))
    assert mine["kind"].tolist() == [GAP] and mine["score"][0] < 0.9 and mine["coverage"][0] > 0.9
    far = [(T0 + h * HOUR, 211000001, 0.1 * h, -30.0, 6.0) for h in [0, 8, 16, 24, 40]]
    unknown = detect(fixes_of(far), ["dark"])
    assert np.isnan(unknown["score"]).all() and (unknown["kind"] == GAP).all()
    assert unknown.to_arrow()["score"].to_pylist() == [None] * len(unknown)


def test_the_silence_of_the_feed_is_nobodys():
    """Two recordings months apart: nobody was dark in between, whatever the traffic."""
    first = _traffic(30)
    second = [(t + 2000 * HOUR, *rest) for t, *rest in first]
    events = detect(fixes_of(first + second), ["dark"])
    assert len(events) == 21 and (events["kind"] == GAP).all() and (events["coverage"] < 0.01).all()


def test_what_one_moored_ship_was_heard_with_says_nothing_of_its_own_silence():
    """A ship alone in a bay that sends by day only, while others sail far away: unknown, not dark."""
    far = [(t, m, lat + 20.0, lon, s) for t, m, lat, lon, s in _traffic(96) if m != 211000001]
    alone = [(T0 + m * MINUTE, 211000001, 0.0, -30.0, 0.0) for m in range(0, 96 * 60, 5) if m // 60 % 24 < 12]
    events = detect(fixes_of(sorted(far + alone)), ["dark"])
    mine = events.take(events["mmsi"] == 211000001)
    assert len(mine) >= 3 and (mine["kind"] == GAP).all()


def test_a_class_b_ship_is_not_dark_where_only_class_a_is_heard():
    """The same silence amid the same traffic: dark for a class A ship, unknown for a class B one among class A
    ships."""
    fixes = fixes_of(_traffic(60, silent=(30, 45)))
    ours = fixes["mmsi"] == 211000001
    kinds = {}
    for own, others in ((1, 1), (18, 1), (18, 18)):
        fixes.columns["msg_type"] = np.where(ours, own, others).astype(np.uint8)
        kinds[own, others] = detect(fixes, ["dark"])["kind"].tolist()
    assert kinds == {(1, 1): [DARK], (18, 1): [GAP], (18, 18): [DARK]}


def test_open_events_are_told_at_the_end():
    events = detect(fixes_of([r for r in _traffic(60) if r[1] != 211000001 or r[0] < T0 + 30 * HOUR]), ["dark"])
    mine = events.take(events["mmsi"] == 211000001)
    assert mine["open"].tolist() == [1] and np.isnan(mine["lat_end"]).all()


def test_a_meeting_in_a_harbour_is_no_rendezvous_unless_asked_for():
    rows = [(t, m, lat + 35.07, (lon + 30) + 129.05, s) for t, m, lat, lon, s in _meeting(3)]
    assert len(detect(fixes_of(rows), ["rendezvous"])) == 0
    assert len(detect(fixes_of(rows), ["rendezvous"], {"rendezvous": RendezvousParams(min_shore_m=0)})) == 1


@pytest.mark.parametrize(
    "make, word",
    [
        (lambda: RendezvousParams(max_distance_m=5000), "1,000 m"),
        (lambda: DarkParams(min_score=2), "from 0 to 1, not 2"),
        (lambda: LoiteringParams(step_s=0), "positive"),
        (lambda: PortCallParams(enter_m=9000, exit_m=8000), "at most exit_m"),
        (lambda: detect(fixes_of([]), ["drifting"]), "no detector 'drifting'"),
        (lambda: Engine(threads=0), "at least 1"),
    ],
)
def test_a_parameter_that_cannot_be_meant_stops_before_the_run(make, word):
    with pytest.raises(UsageError, match=word):
        make()


def test_ids_depend_on_parameters_and_on_nothing_else():
    fixes = fixes_of(_traffic(60, silent=(30, 45)))
    one, two = detect(fixes, ["dark"]), detect(fixes)
    assert one["id"][0] in two["id"]
    assert one["id"][0] not in detect(fixes, ["dark"], {"dark": DarkParams(min_gap_s=5 * 3600)})["id"]


def test_kinds_are_all_met_in_the_busy_world():
    fixes = busy_world(1)
    events = detect(fixes)
    kinds = np.bincount(events["kind"], minlength=5)
    assert (
        kinds[LOITERING] > 150 and kinds[DARK] + kinds[GAP] > 150 and kinds[RENDEZVOUS] > 30 and kinds[PORT_CALL] == 0
    )
