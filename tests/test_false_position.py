"""False positions: each attack put into honest tracks, what is honest left alone, and the naive twin."""

import numpy as np
import pytest

from ais.table import Fixes
from benchmarks.deception import (
    ATTACKS,
    HOUR_US,
    fixes_of_tracks,
    honest,
    hulls_of,
    in_circles,
    labels_found,
    moved_away,
    put_inland,
    recall,
    rounded,
    vessel_days,
)
from detectors.detect import detect
from detectors.engine import Engine
from detectors.event import LABELS
from detectors.false_position import FalsePositionParams
from detectors.inland import on_waterway, waterways
from detectors.scrutiny import WATCH
from geo.errors import InputError, UsageError
from tests import naive_false_position as naive
from tests.feeds import HOUR, MINUTE, SECOND, T0
from tests.test_laws import world
from tests.worlds import busy_world

SHIP = 671_000_001


def found(fixes, params=None):
    """Events as dictionaries, each with the word of its label."""
    events = detect(fixes, ["false_position"], params and {"false_position": params})
    return [{**{key: events[key][k] for key in events}, "word": LABELS[events["label"][k]]} for k in range(len(events))]


def one_ship(seed=1, hours=24, every_s=120, lat=20.0, lon=-150.0, kn=12.0):
    return honest(np.random.default_rng(seed), T0, hours, every_s, lat, lon, kn)


@pytest.mark.parametrize("every_s", [12, 70, 150, 270])
def test_honest_ships_are_called_nothing(every_s):
    rng = np.random.default_rng(every_s)
    ships = {
        SHIP + k: honest(
            rng, T0, 8 if every_s < 60 else 48, every_s, rng.uniform(-35, 10), -125 + k, rng.uniform(0, 22)
        )
        for k in range(12)
    }
    assert found(fixes_of_tracks(ships)) == []


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("every_s", [70, 240])
def test_each_attack_is_found_and_called_by_its_name(attack, every_s):
    label, deceive = ATTACKS[attack]
    tracks = {SHIP + k: one_ship(k, every_s=every_s, lat=10.0 * k - 20) for k in range(4)}
    ships = {mmsi: deceive(track, np.random.default_rng(mmsi)) for mmsi, track in tracks.items()}
    alone = FalsePositionParams(mass_ships=5)  # as if each were the only one
    events = [event for event in found(fixes_of_tracks(ships), alone) if event["word"] == label]
    assert {event["mmsi"] for event in events} == set(ships)
    for event in events:
        track, before = ships[event["mmsi"]], tracks[event["mmsi"]]
        changed = np.flatnonzero(np.any([a != b for a, b in zip(track[1:], before[1:], strict=True)], axis=0))
        first, last = (int(v) for v in track.t[changed[[0, -1]]])
        assert first - HOUR <= event["t_start"] and event["t_end"] <= last + HOUR
        assert 0.0 < event["score"] <= 1.0 and event["n"] >= 2 and event["coverage"] > 0.8


def test_a_circle_gives_its_radius_turns_and_speed():
    circled = in_circles(one_ship(), np.random.default_rng(2), radius_m=600.0, kn=15.0)
    (event,) = [e for e in found(fixes_of_tracks({SHIP: circled})) if e["word"] == "circle"]
    assert abs(event["radius_m"] - 600) < 5 and event["residual_m"] < 10 and abs(event["reported_speed_kn"] - 15) < 0.1
    hours = (event["t_end"] - event["t_start"]) / HOUR
    assert abs(event["turns"] - hours * 15 * 1852 / (2 * np.pi * 600)) < 0.5
    middle = circled.lat[np.flatnonzero(circled.sog == 15.0)].mean()
    assert abs(event["lat"] - middle) * 111_195 < 100 and event["score"] > 0.98


def loop(rows_per_lap, shape, laps, kn, radius_m):
    """A closed way gone round at an even speed: positions at every 30 s."""
    way = np.linspace(0, laps, rows_per_lap * laps, endpoint=False) % 1
    rng = np.random.default_rng(3)
    if shape == "racetrack":  # two straights of six radii
        length = 12 + 2 * np.pi
        s = way * length
        x = np.where(s < 6, s, np.where(s < 6 + np.pi, 6 + np.sin(s - 6), np.where(s < 12 + np.pi, 12 + np.pi - s, 0)))
        x = np.where(s >= 12 + np.pi, -np.sin(s - 12 - np.pi), x)
        y = np.where(s < 6, 0, np.where(s < 6 + np.pi, 1 - np.cos(s - 6), np.where(s < 12 + np.pi, 2, 0)))
        y = np.where(s >= 12 + np.pi, 1 + np.cos(s - 12 - np.pi), y)
    else:  # a square of four radii
        side = way * 4 % 1 * 4
        x = np.choose((way * 4).astype(int), [side, 4 + 0 * side, 4 - side, 0 * side])
        y = np.choose((way * 4).astype(int), [0 * side, side, 4 + 0 * side, 4 - side])
        length = 16
    t = T0 + np.round(np.arange(way.size) * (length * radius_m / rows_per_lap / (kn * 1852 / 3600)) * 1e6).astype(int)
    lat = 20 + (radius_m * y + rng.normal(0, 4, way.size)) / 111_195
    lon = -150 + (radius_m * x + rng.normal(0, 4, way.size)) / 111_195 / np.cos(np.radians(lat))
    cog = np.degrees(np.arctan2(np.gradient(lon) * np.cos(np.radians(lat)), np.gradient(lat))) % 360
    return Fixes(
        {"t": t, "mmsi": np.full(t.size, SHIP), "lat": rounded(lat), "lon": rounded(lon), "sog": np.full(t.size, kn),
         "cog": cog, "offset": np.arange(t.size)}
    )  # fmt: skip


@pytest.mark.parametrize("shape", ["racetrack", "square"])
@pytest.mark.parametrize("radius_m", [300.0, 900.0])
def test_holding_patterns_trawls_and_surveys_are_no_circles(shape, radius_m):
    assert "circle" not in {e["word"] for e in found(loop(60, shape, 12, 6.0, radius_m))}


def test_a_ship_that_swings_at_anchor_goes_round_but_not_at_speed():
    t = T0 + np.arange(0, 72 * 3600, 180) * SECOND
    angle, rng = 2 * np.pi * (t - T0) / (12.42 * HOUR), np.random.default_rng(4)
    lat = 20 + (250 * np.cos(angle) + rng.normal(0, 4, t.size)) / 111_195
    lon = -150 + (250 * np.sin(angle) + rng.normal(0, 4, t.size)) / 104_000
    sog, cog = rng.uniform(0, 0.4, t.size), rng.uniform(0, 360, t.size)
    columns = {"t": t, "mmsi": np.full(t.size, SHIP), "lat": lat, "lon": lon, "sog": sog, "cog": cog}
    assert found(Fixes({**columns, "offset": np.arange(t.size)})) == []


WATERS = {
    "Rhine": (50.4, 7.6), "Danube": (47.9, 17.8), "Mississippi": (33.4, -91.1), "Lake Superior": (47.7, -87.0),
    "Caspian Sea": (40.0, 51.0), "Volga": (50.2, 45.8), "Yangtze": (30.0, 115.4), "Suez Canal": (30.6, 32.3),
    "harbour": (51.9, 4.3),
}  # fmt: skip


@pytest.mark.parametrize("water", WATERS)
def test_ships_on_inland_waters_are_not_on_land(water):
    lat, lon = WATERS[water]
    assert "on_land" not in {
        e["word"] for e in found(fixes_of_tracks({SHIP: one_ship(hours=4, lat=lat, lon=lon, kn=2)}))
    }


def test_a_ship_inland_says_how_deep_and_for_how_long():
    (event,) = found(fixes_of_tracks({SHIP: one_ship(hours=5, lat=48.0, lon=68.0, kn=0.3)}))  # Kazakhstan
    assert event["word"] == "on_land" and event["inland_m"] == 500_000.0 and event["open"] == 1
    assert event["score"] == pytest.approx(1 - 2200 / 500_000) and event["t_start"] - T0 < MINUTE
    short = fixes_of_tracks({SHIP: one_ship(hours=0.4, lat=48.0, lon=68.0, kn=0.3)})
    assert found(short) == []


def test_a_fast_ferry_is_possible():
    assert found(fixes_of_tracks({SHIP: one_ship(hours=8, kn=45.0)})) == []


def test_a_ship_heard_elsewhere_and_back_has_one_event_with_both_places():
    track = one_ship(hours=24, every_s=180)
    moved = moved_away(track, np.random.default_rng(1))
    (event,) = found(fixes_of_tracks({SHIP: moved}))
    gone = np.flatnonzero(moved.lat != track.lat)
    assert event["word"] == "impossible_speed" and event["implied_speed_kn"] > 1000 and event["score"] > 0.99
    assert event["t_start"] == track.t[gone[0] - 1] and event["t_end"] == track.t[gone[-1] + 1]
    assert abs(event["lat"] - event["lat_end"] - 3.0) < 0.05 and 450_000 < event["distance_m"] < 550_000


def test_a_ship_that_does_not_come_back_is_elsewhere_when_the_input_ends():
    (event,) = found(fixes_of_tracks({SHIP: moved_away(one_ship(), np.random.default_rng(1), 0.5, 1.0)}))
    assert event["word"] == "impossible_speed" and event["open"] == 1 and event["score"] > 0.9


def test_two_ships_behind_one_mmsi_are_not_one_that_jumps():
    here, there = one_ship(1), one_ship(2, lat=-30.0, lon=60.0)
    both = fixes_of_tracks({SHIP: here, SHIP + 1: there})
    both.columns["mmsi"][:] = SHIP
    assert found(both) == []
    late = there.t > np.median(there.t)  # and no more when one of them was seen beside the other before it fell silent
    pause = (here.t > T0 + 14 * HOUR) & (here.t < T0 + 20 * HOUR)
    beside = (there.t < T0 + 6 * HOUR) | ((there.t > T0 + 14.2 * HOUR) & (there.t < T0 + 19.8 * HOUR))
    assert late.any()
    tracks = {SHIP: type(here)(*(c[~pause] for c in here)), SHIP + 1: type(there)(*(c[beside] for c in there))}
    both = fixes_of_tracks(tracks)
    both.columns["mmsi"][:] = SHIP
    assert found(both) == []


def fleet(n, deceive, spread_min=5):
    """Ships in one sea that suffer the same within some minutes."""
    ships = {}
    for k in range(n):
        track = one_ship(k, lat=20 + 0.2 * k, lon=-150 + 0.3 * k)
        ships[SHIP + k] = deceive(track._replace(t=track.t + k * spread_min * MINUTE), np.random.default_rng(k))
    return fixes_of_tracks(ships)


@pytest.mark.parametrize(("deceive", "spread_min"), [(put_inland, 5), (moved_away, 5)])
def test_ships_put_in_one_place_or_moved_by_one_vector_are_displaced_together(deceive, spread_min):
    alone = found(fleet(2, deceive, spread_min))
    assert alone and "mass_displacement" not in {e["word"] for e in alone}
    events = found(fleet(4, deceive, spread_min))
    assert {e["mmsi"] for e in events if e["word"] == "mass_displacement"} == {SHIP + k for k in range(4)}
    assert {e["ships"] for e in events if e["word"] == "mass_displacement"} == {4.0}
    assert "impossible_speed" not in {e["word"] for e in events}


def test_what_ships_suffer_on_other_days_or_elsewhere_is_not_suffered_together():
    events = found(fleet(4, put_inland, spread_min=90))
    assert events and {e["word"] for e in events} == {"on_land", "impossible_speed"}
    tracks = {
        SHIP + k: moved_away(one_ship(k), np.random.default_rng(k), north=1.0 + k, east=2.0 * k) for k in range(4)
    }
    assert {e["word"] for e in found(fixes_of_tracks(tracks))} == {"impossible_speed"}


def test_without_stations_no_horizon_is_known_and_with_them_it_is(tmp_path):
    fixes = fixes_of_tracks({SHIP: one_ship(lat=20.0, lon=-150.0)})
    assert found(fixes) == []
    path = tmp_path / "stations.csv"
    path.write_text("source,lat,lon,range_nmi\n0,21.3,-157.9,\n0,50.0,-150.0,60\n")
    (event,) = found(fixes, params=FalsePositionParams(stations=str(path)))
    assert event["word"] == "beyond_horizon" and 0 < event["score"] < 1
    assert 350_000 < event["beyond_m"] < 1_100_000
    path.write_text("source,lat,lon,range_nmi\n1,21.3,-157.9,\n")  # of the other source nothing is known
    assert found(fixes, params=FalsePositionParams(stations=str(path))) == []
    path.write_text("source,lat,lon,range_nmi\n0,21.3,-157.9,600\n")
    assert found(fixes, params=FalsePositionParams(stations=str(path))) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("station,lat\n1,2\n", "need a header source,lat,lon,range_nmi"),
        ("source,lat,lon,range_nmi\n0,x,1,\n", ":2: not a station"),
        ("source,lat,lon,range_nmi\n0,91,1,\n", ":2: a source from 0, a position"),
    ],
)
def test_stations_that_cannot_be_used_are_refused_by_their_line(tmp_path, text, words):
    path = tmp_path / "stations.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        Engine(["false_position"], {"false_position": FalsePositionParams(stations=str(path))})
    with pytest.raises(InputError, match="cannot be read"):
        Engine(["false_position"], {"false_position": FalsePositionParams(stations=str(tmp_path / "none.csv"))})


def test_parameters_out_of_range_are_refused():
    with pytest.raises(UsageError, match="min_chi2 must be positive"):
        FalsePositionParams(min_chi2=0.0)
    with pytest.raises(UsageError, match="step_s < window_s"):
        FalsePositionParams(window_s=30)
    with pytest.raises(UsageError, match="min_radius_m < max_radius_m"):
        FalsePositionParams(min_radius_m=6000.0)
    with pytest.raises(UsageError, match="mass_ships >= 2"):
        FalsePositionParams(mass_ships=1)


def test_a_hull_takes_72_bytes():
    assert WATCH.itemsize == 72


def test_the_world_of_the_laws_holds_every_label():
    words = [event["word"] for event in found(world())]
    assert len(words) > 400
    assert {"circle", "course", "impossible_speed", "mass_displacement", "on_land", "simulated", "speed_change"} == {
        *words
    }


def mixed_world(seed):
    """Honest ships, each attack that leaves a ship one hull, ships inland, and a world whose courses are random."""
    rng = np.random.default_rng(seed)
    tracks = {}
    for k, (label, deceive) in enumerate([*ATTACKS.values()] * 2):
        if deceive not in (put_inland, moved_away):
            every_s = (65, 130, 250)[k % 3]
            made = deceive(honest(rng, T0, 20, every_s, 10 + k, -150, rng.uniform(9, 14)), rng)
            if label in ("simulated", "circle"):  # the way back would be a jump
                made = type(made)(*(c[: int(0.77 * c.size)] for c in made))
            tracks[SHIP + k] = made
    for k in range(6):
        tracks[SHIP + 50 + k] = honest(
            rng, T0, 8, 100, (48.0, 0.5, 35.0)[k % 3], (68.0, -80.5, 127.0)[k % 3], 1 + 2 * k
        )
    one, other = fixes_of_tracks(tracks), busy_world(seed, vessels=6)
    return Fixes({name: np.concatenate([one[name], other[name]]) for name in one}).sort()


@pytest.mark.parametrize("seed", range(2))
def test_false_positions_are_those_of_the_naive_twin(seed):
    fixes = mixed_world(seed)
    mine = sorted((int(e["mmsi"]), e["word"], int(e["t_start"]), int(e["t_end"])) for e in found(fixes))
    rows = list(zip(*(fixes[name].tolist() for name in ("t", "mmsi", "lat", "lon", "sog", "cog")), strict=True))
    ways = waterways()
    twin = naive.false_positions(rows, FalsePositionParams(), lambda lat, lon: on_waterway.py_func(ways, lat, lon))
    assert mine == twin
    assert len(mine) > 60
    assert {label for _, label, *_ in mine} == {
        "on_land", "impossible_speed", "course", "circle", "simulated", "speed_change"
    }  # fmt: skip


@pytest.fixture(scope="module")
def real_tracks(shared_data):
    return [shared_data / "tracks" / name for name in ("noaa_marinecadastre_one_track_2023-02.csv",
                                                       "gfw_segment_half_2021-01.parquet")]  # fmt: skip


def test_a_hundred_days_of_difficult_real_ships_give_no_false_alarm(real_tracks):
    import luxwake as lw

    fixes = [lw.read(path) for path in real_tracks]
    assert sum(vessel_days(part) for part in fixes) > 95
    assert [labels_found(part) for part in fixes] == [[], []]


def test_each_attack_is_found_in_real_tracks_heard_every_five_minutes(real_tracks):
    for path in real_tracks:
        for _, attack, _, often, _ in recall(str(path)):
            hits, ships = often.split(" of ")
            assert hits == ships != "0", attack


def test_hulls_for_the_attacks_are_stretches_heard_every_half_hour(real_tracks):
    import luxwake as lw

    for track in hulls_of(lw.read(real_tracks[0])).values():
        assert (np.diff(track.t) <= HOUR_US // 2).all() and track.t[-1] - track.t[0] >= 12 * HOUR_US
