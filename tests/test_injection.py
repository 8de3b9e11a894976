"""The injection benchmark: its worlds are what they say, its scores can fail, its pictures hold their lines."""

import math
import struct
from typing import ClassVar

import numpy as np
import pytest

import luxwake as lw
from benchmarks import curves, detection, gfw_rules, injection, scenes, sweeps, worlds
from benchmarks.curves import Line, Panel
from benchmarks.finders import NO_LABEL, baseline, found_in, labels, ours
from benchmarks.injection import Hearing, Sea, on_globe
from benchmarks.matching import Span
from benchmarks.scenes import HOUR_S
from benchmarks.scoring import Found, Score, cell, poisson_interval
from detectors.event import Events
from geo.coast import shore_distance_m
from geo.sphere import distance_m


def pair_distance_m(scene, t):
    places = [on_globe(80.0, 165.0, *injection.at(ship, t)) for ship in scene.ships[:2]]
    return np.array([distance_m(*a, *b) for a, b in zip(zip(*places[0]), zip(*places[1]), strict=True)])  # noqa: B905


@pytest.mark.parametrize("seed", range(5))
def test_ships_of_a_meeting_are_together_while_the_truth_says_so_and_far_apart_before(seed):
    scene = scenes.meeting(np.random.default_rng(seed), 4.0, 200.0)
    (act,) = scene.acts
    inside = pair_distance_m(scene, np.linspace(act.start, act.end, 50))
    assert act.end - act.start == 4 * HOUR_S
    assert inside.min() > 190 and inside.max() < 210
    assert pair_distance_m(scene, np.array([act.start - 3600.0, act.end + 5400.0])).min() > 500


@pytest.mark.parametrize("role", scenes.LOOK_ALIKES)
def test_look_alikes_are_no_meetings_in_the_truth(role):
    scene = scenes.LOOK_ALIKES[role](np.random.default_rng(3))
    assert scene.acts == () and scene.role == role
    assert all(np.all(np.diff([t for t, _, _ in ship.knots]) > 0) for ship in scene.ships)
    if role == "convoy":
        assert pair_distance_m(scene, np.linspace(0, 8 * HOUR_S, 20)) == pytest.approx(400, rel=0.01)


def test_all_places_are_open_sea():
    world = worlds.everything(1, worlds.SELDOM_HEARD, worlds.QUICK)
    assert shore_distance_m(world.fixes["lat"], world.fixes["lon"]).min() > 37_040
    assert len({world.place[mmsi] for mmsi in world.place}) == 5
    across = [m for m, place in world.place.items() if place == "antimeridian"]
    lon = world.fixes["lon"][np.isin(world.fixes["mmsi"], across)]
    assert (lon > 179).any() and (lon < -179).any()


def test_a_seed_gives_the_same_world_and_hearing_is_as_asked():
    def world(**hearing):
        return sweeps.meetings(5, 6, Hearing(**hearing), alike=1)

    first, again = world(interval_s=600.0), world(interval_s=600.0)
    assert all(np.array_equal(first.fixes[n], again.fixes[n], equal_nan=True) for n in first.fixes)
    days = sum(first.vessel_days.values())
    assert len(first.fixes) == pytest.approx(days * 144, rel=0.05)
    assert len(world(interval_s=600.0, dropped=0.75).fixes) == pytest.approx(days * 36, rel=0.1)
    assert len(world(interval_s=600.0, copies=0.5).fixes) == pytest.approx(days * 216, rel=0.05)
    assert first.fixes.static["ship_type"].size == len(first.role)


def test_a_shared_mmsi_is_two_ships_and_a_silence_is_only_its_own():
    sea = Sea(2, days=3.0)
    first = sea.lay(scenes.cruise(sea.rng, 72.0, 10.0, 50_000.0), float(injection.T0_S), 30.0, -45.0)
    sea.share(first)
    hidden = worlds.Silences(1)
    begin = injection.T0_S + 30 * HOUR_S
    hidden.spans[first] = begin, begin + 10 * HOUR_S
    world = sea.world(Hearing(300.0), hidden)
    assert np.unique(world.fixes["mmsi"]).tolist() == [first] and np.unique(world.ship).tolist() == [0, 1]
    assert gfw_rules.gaps(gfw_rules.rows_of(world.fixes, world.fixes["mmsi"])) == []
    (gap,) = gfw_rules.gaps(gfw_rules.rows_of(world.fixes, world.ship))
    assert gap.who == 0 and gap.start <= begin and gap.end >= begin + 10 * HOUR_S


def test_scores_count_pieces_and_false_events_by_scene():
    truth = [Span((1, 2), 0.0, 100.0), Span((3, 4), 0.0, 100.0)]
    found = [Found((1, 2), 0.0, 70.0), Found((1, 2), 80.0, 100.0), Found((5, 6), 0.0, 50.0, "tug")]
    score = Score(truth, found, {1: 0, 2: 0, 3: 1, 4: 1, 5: 2, 6: 2}, {0: 1.0, 1: 1.0, 2: 2.0})
    values = {name: score.rate(name)[0] for name in ("recall", "precision", "f1", "iou", "fragments", "false")}
    assert values == pytest.approx(
        {"recall": 0.5, "precision": 1 / 3, "f1": 0.4, "iou": 0.7, "fragments": 2.0, "false": 500.0}
    )
    assert [e.who for e in score.wrong] == [(1, 2), (5, 6)] and score.end_min == [0.5]
    value, low, high = score.rate("recall")
    assert low < value < high


def test_the_interval_of_a_rate_holds_it_as_often_as_it_says():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(30):
        hit = rng.uniform(size=80) < 0.7
        truth = [Span(k, 0.0, 1.0) for k in range(80)]
        found = [Found(k, 0.0, 1.0) for k in np.flatnonzero(hit).tolist()]
        _, low, high = Score(truth, found, {k: k for k in range(80)}, dict.fromkeys(range(80), 1.0)).rate("recall")
        held += low <= 0.7 <= high
    assert held >= 25  # 28 or 29 of 30 are meant
    assert poisson_interval(0, 3.0)[2] == pytest.approx(3.689 / 3, rel=1e-3)
    assert cell((math.nan,) * 3) == "n/a"


def test_labels_are_read_in_whatever_form_they_come():
    class Labelled(Events):
        words: ClassVar = {**Events.words, "label": ("none", "tug", "pilot")}

    columns = {name: np.zeros(2, dtype) for name, dtype in (("kind", "u1"), ("mmsi", "u4"), ("other", "u4"))}
    columns |= {"t_start": np.zeros(2, "i8"), "t_end": np.ones(2, "i8")}
    assert labels(Events(columns)) == ["", ""]
    assert labels(Labelled({**columns, "label": np.array([0, 1], "u1")})) == ["", "tug"]
    assert labels(Events({**columns, "label": np.array(["none", "ferry"])})) == ["", "ferry"]
    assert "none" in NO_LABEL
    columns["kind"][:] = 2
    columns["mmsi"], columns["other"] = np.array([9, 8]), np.array([7, 9])
    assert [e.who for e in found_in(Labelled({**columns, "label": np.array([0, 2], "u1")}), "rendezvous")] == [
        (7, 9),
        (8, 9),
    ]


def test_the_benchmark_tells_a_good_detector_from_one_that_finds_nothing():
    world = sweeps.meetings(7, 12, Hearing(300.0), alike=1)
    point = sweeps.point("5 min", world)
    assert point.scores["Luxwake"].rate("recall")[0] > 0.9 and point.scores["Luxwake"].rate("iou")[0] > 0.9
    assert point.scores["GFW rules"].rate("recall")[0] > 0.9
    assert Score(world.truth["rendezvous"], [], world.scene, world.vessel_days).rate("recall")[0] == 0.0
    rows = detection.sweep_table([point]).splitlines()
    assert len(rows) == 3 and rows[2].startswith("| 5 min | ")


def test_silences_stops_and_ports_are_found_by_ours_and_by_the_rules():
    silent = worlds.silences(8, worlds.QUICK)
    for find in (ours, baseline):
        recall = Score(silent.truth["dark"], find(silent, "silence"), silent.scene, silent.vessel_days).rate("recall")
        assert recall[0] == 1.0 if find is ours else recall[0] <= 0.8  # the fifth that shares its MMSI is hidden
    stops = worlds.stops(8, worlds.QUICK)
    for kind in ("anchored", "loitering"):
        assert (
            Score(stops.truth[kind], ours(stops, "loitering"), stops.scene, stops.vessel_days).rate("recall")[0] > 0.7
        )
    calls, places = worlds.ports(8, worlds.QUICK)
    found = baseline(calls, "port_call", places)
    assert len(places) == 6
    assert Score(calls.truth["port_call"], found, calls.scene, calls.vessel_days).rate("recall")[0] > 0.8


def test_days_of_the_rules_are_those_of_the_calendar():
    t = np.arange(0.0, 86_400.0 * 2, 1_000.0)
    still = gfw_rules.Rows(np.ones(t.size, int), t, 0 * t, 0 * t, 0 * t, 0 * t)
    grid = gfw_rules.resampled(still)
    assert np.array_equal(grid.t, np.arange(0.0, 86_400.0 * 2, 600.0))
    hours = gfw_rules.buckets(still)
    assert len(hours) == 48 and [b.day for b in hours] == [0] * 24 + [1] * 24 and all(b.slow for b in hours)


def test_a_port_visit_needs_a_stop_between_three_and_four_kilometres():
    lat = np.array([0.1, 0.05, 0.02, 0.0, 0.0, 0.02, 0.032, 0.05])
    t = np.arange(lat.size) * 600.0
    one = np.ones(lat.size)
    stops = np.where(lat == 0.0, 0.0, 8.0)
    rows = gfw_rules.Rows(one.astype(int), t, lat, 0 * one, stops, one)
    assert gfw_rules.port_visits(rows, [0.0], [0.0]) == [gfw_rules.Event(1, 1200.0, 3600.0)]
    assert gfw_rules.port_visits(rows._replace(sog=8.0 * one), [0.0], [0.0]) == []


def test_curves_stand_where_their_values_are(tmp_path):
    lines = [Line("up", (200, 0, 0), [0.0, 1.0, math.nan]), Line("flat", (0, 0, 200), [0.5] * 3, [0.4] * 3, [0.6] * 3)]
    panel = Panel("title", "below", ("a", "b", "c"), lines, aims=(0.9, math.nan, math.nan))
    path = curves.draw(tmp_path / "deep" / "curve.png", "two lines", [panel, panel], "a note " * 30)
    data = path.read_bytes()
    columns, rows = struct.unpack(">II", data[16:24])
    assert columns == 2 * curves.WIDE and rows > curves.HIGH + 44 and (rows - curves.HIGH - 44) % 26 == 0
    assert curves.draw(tmp_path / "again.png", "two lines", [panel, panel], "a note " * 30).read_bytes() == data
    picture = np.full((curves.HIGH, curves.WIDE, 3), 255, np.uint8)
    curves.stroke(picture, (50.0, 10.0), (50.0, 100.0), 3.0, (200, 0, 0))
    assert picture[50, 50].tolist() == [200, 0, 0] and picture[54, 50].tolist() == [255, 255, 255]
    assert curves.scale_top([0.0]) == 1.0 and curves.scale_top([7.0]) == 8.0


def test_events_of_a_table_keep_their_kind():
    world, pairs = worlds.anchorage(1, ships=12)
    events = lw.detect(world.fixes, ["rendezvous"])
    assert len(found_in(events, "rendezvous")) == pairs == 66
    assert found_in(events, "loitering") == []
