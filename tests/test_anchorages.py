"""Anchorages: stationary periods, discovery, the file, the lookup, and waiting told from loitering."""

import contextlib
import functools
import itertools
import json
import math
import textwrap

import h3.api.basic_int as h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luxwake as lw
from ais.hulls import HULL
from ais.table import Fixes
from ais.tracks import tracks
from detectors.detector import Columns
from detectors.engine import Engine, detect
from detectors.event import LOITERING, PORT_CALL, WAITING
from detectors.stationary import PERIOD, Stationary, StationaryParams, stationary_periods
from geo.anchorages import ANCHORAGE_RESOLUTION, Anchorages, anchorage_row
from geo.anchoring import PERIOD_COLUMNS, AnchorageParams, discover
from geo.cells import cells
from geo.errors import InputError, LuxwakeError, OutputError, UsageError
from geo.sphere import destination, distance_m
from luxwake.cli import main
from tests import naive
from tests.feeds import HOUR, MINUTE, T0, fixes_of
from tests.test_join import LARK, LARK_IMO, event, limousine_rows, make_events, shipments_of

DAY = 24 * HOUR
SHORT = StationaryParams(min_stay_s=3600, max_gap_s=3600, max_silence_s=4 * 3600)


def _rows(fixes):
    return list(zip(*(fixes[name].tolist() for name in ("t", "mmsi", "lat", "lon", "sog")), strict=True))


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


def _lie(start_h, hours, *, mmsi=211_000_001, lat=34.0, lon=-30.0, swing_m=0.0, every=10, sog=0.1):
    rows = []
    for m in range(int(start_h * 60), int((start_h + hours) * 60) + 1, every):
        y, x = destination(lat, lon, 360.0 * m / 745.0, swing_m)
        rows.append((T0 + m * MINUTE, mmsi, float(y), float(x), sog))
    return rows


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


def _table(rows):
    """Columns of stationary periods from (mmsi, lat, lon, start in days, hours, swing in m)."""
    mmsi, lat, lon, start, hours, swing = (np.array(column) for column in zip(*rows, strict=True))
    t_start = (T0 + start * DAY).astype(np.int64)
    stay = (hours * HOUR).astype(np.int64)
    made = {"mmsi": mmsi, "t_start": t_start, "t_end": t_start + stay, "stay_us": stay, "lat": lat, "lon": lon}
    return {**made, "swing_m": swing}


def _scripted(seed, places=12, lon_shift=0.0, most=40):
    """Anchorages of 600 to 6,000 m at sea, far apart; lone stops between them; ships that lie for a year.

    (columns, [(lat, lon, radius in m, ships)]): of each place as many ships as 3 to `most`.
    """
    rng = np.random.default_rng(seed)
    rows, script, mmsi = [], [], 210_000_000
    for k in range(places):
        lat, lon = -50.0 + 100.0 * rng.random(), (-178.0 + 356.0 * k / places + lon_shift + 180.0) % 360.0 - 180.0
        radius, ships = float(rng.choice([600.0, 1500.0, 3000.0])), int(rng.integers(3, most))
        script.append((lat, lon, radius, ships))
        for _ in range(ships):
            mmsi += 1
            for _ in range(int(rng.integers(1, 4))):
                y, x = destination(lat, lon, rng.uniform(0, 360), radius * math.sqrt(rng.random()))
                rows.append((mmsi, y, x, rng.uniform(0, 300), rng.uniform(12, 90), rng.uniform(100, 300)))
    for _ in range(150):
        mmsi += 1
        lat, lon, *_ = script[rng.integers(places)]
        y, x = destination(lat, lon, rng.uniform(0, 360), rng.uniform(20e3, 300e3))
        rows.append((mmsi, y, x, rng.uniform(0, 300), rng.uniform(12, 90), 100.0))
    for _ in range(8):
        mmsi += 1
        lat, lon, *_ = script[rng.integers(places)]
        y0, x0 = destination(lat, lon, rng.uniform(0, 360), rng.uniform(400e3, 500e3))
        for n in range(60):
            y, x = destination(y0, x0, rng.uniform(0, 360), rng.uniform(0, 500))
            rows.append((mmsi, y, x, n * 6.0, 140.0, 200.0))
    return _table(rows), script


@functools.cache
def _known() -> Anchorages:
    """A few anchorages, the most crowded one across 180 degrees."""
    _, script = _scripted(5, places=6)
    crowded = max(script, key=lambda place: place[3])
    return discover(_scripted(5, places=6, lon_shift=180.0 - crowded[1])[0], made_with={"min_stay_s": 43_200})


@settings(max_examples=8)
@given(seed=st.integers(0, 10_000))
def test_places_of_many_ships_are_found_and_lone_stops_and_years_at_anchor_are_not(seed):
    periods, script = _scripted(seed)
    found = discover(periods)
    crowded = [place for place in script if place[3] >= 15]
    for lat, lon, radius, _ in crowded:
        assert any(distance_m(lat, lon, one.lat, one.lon) < radius for one in found)
    for one in found:
        lat, lon, radius, ships = min(script, key=lambda place: distance_m(place[0], place[1], one.lat, one.lon))
        assert distance_m(lat, lon, one.lat, one.lon) < radius + 1000.0
        assert 10 <= one.ships <= ships + 1  # a lone stop may lie by


@pytest.mark.parametrize("seed", range(3))
def test_anchorages_are_those_of_the_naive_twin(seed):
    periods, _ = _scripted(seed, places=8)
    params = AnchorageParams(min_ships=5)
    centres = [h3.cell_to_latlng(c) for c in cells(periods["lat"], periods["lon"], ANCHORAGE_RESOLUTION).tolist()]
    stays = [(int(m), *centre) for m, centre in zip(periods["mmsi"], centres, strict=True)]
    twin = naive.anchorages(stays, params.link_m, params.near_ships, params.min_ships)
    found = discover(periods, params)
    assert sorted(one.ships for one in found) == sorted(map(len, twin))
    row = found.at(periods["lat"], periods["lon"])
    lay = {k: set(periods["mmsi"][row == k].tolist()) for k in range(len(found))}
    for ships in twin:
        assert any(set(ships) <= own for own in lay.values())


@settings(max_examples=6)
@given(seed=st.integers(0, 10_000))
def test_order_repetition_and_the_names_of_ships_do_not_matter(seed):
    periods, _ = _scripted(3, places=6)
    rng = np.random.default_rng(seed)
    order = np.concatenate([rng.permutation(len(periods["lat"])), rng.integers(0, len(periods["lat"]), 50)])
    ships, which = np.unique(periods["mmsi"], return_inverse=True)
    renamed = {**periods, "mmsi": rng.choice(800_000_000, ships.size, replace=False)[which]}
    text = discover(periods).to_geojson()
    assert discover({name: column[order] for name, column in renamed.items()}).to_geojson() == text


def test_the_antimeridian_is_no_border():
    one, other = discover(_scripted(5, places=6)[0]), _known()
    assert sorted((a.ships, a.periods) for a in one) == sorted((a.ships, a.periods) for a in other)
    assert min(180.0 - abs(a.lon) for a in other) < 0.02 < min(180.0 - abs(a.lon) for a in one)


def test_one_ship_or_two_that_lie_for_a_year_make_no_anchorage():
    rng = np.random.default_rng(2)
    rows = [
        (210_000_001 + n % 2, *destination(30.0, 150.0, rng.uniform(0, 360), 300.0), n, 20.0, 90.0) for n in range(360)
    ]
    assert len(discover(_table(rows), AnchorageParams(min_ships=3))) == 0
    rows.append((210_000_009, 30.0, 150.0, 5.0, 20.0, 90.0))
    assert [one.ships for one in discover(_table(rows), AnchorageParams(min_ships=3))] == [3]


def test_one_ship_that_lies_everywhere_between_does_not_join_two_anchorages():
    rows = [(211_000_000 + n, 30.0 + 0.12 * (n % 2), 150.0, n, 20.0, 150.0) for n in range(24)]
    rows += [
        (211_000_100, 30.0 + 0.01 * step, 150.0, 10 * step + n, 20.0, 90.0) for step in range(13) for n in range(6)
    ]
    assert [one.ships for one in discover(_table(rows))] == [13, 13]
    rows += [(211_000_200 + ship, 30.0 + 0.01 * step, 150.0, step, 20.0, 90.0) for step in range(13) for ship in (1, 2)]
    assert [one.ships for one in discover(_table(rows))] == [27]


def test_the_kind_is_said_only_where_shore_or_swing_tell_it():
    def kind(lat, lon, swing_m):
        rows = [(211_000_000 + n, lat + n * 1e-4, lon, n, 20.0 + n, swing_m) for n in range(12)]
        (found,) = discover(_table(rows))
        return found.kind, found.name, found.median_stay_h

    assert kind(35.10, 129.04, 8.0) == ("berth", "Busan berth 1", 25.5)
    assert kind(35.02, 129.06, 180.0)[:2] == ("anchorage", "Busan anchorage 1")
    assert kind(35.02, 129.06, 60.0)[:2] == ("unknown", "Busan place 1")
    assert kind(35.02, 129.06, math.nan)[:2] == ("unknown", "Busan place 1")
    assert kind(31.9, 132.2, 180.0)[:2] == ("offshore", "open sea off Hosojima 1")


def test_names_of_one_port_are_numbered_by_ships():
    rows = []
    for place, ships in enumerate((12, 30)):
        rows += [(211_000_000 + 100 * place + n, 35.00, 129.02 + 0.08 * place, n, 20.0, 150.0) for n in range(ships)]
    found = discover(_table(rows))
    assert [(one.name, one.ships) for one in found] == [("Busan anchorage 1", 30), ("Busan anchorage 2", 12)]


def test_what_is_saved_is_read_back_exactly(tmp_path):
    path = _known().save(tmp_path / "known.geojson")
    again = Anchorages.load(path)
    assert [*again] == [*_known()] and again == _known() and again.digest == _known().digest
    assert again.params == _known().params
    assert again.save(tmp_path / "again.geojson").read_bytes() == path.read_bytes()
    rows = [(211_000_000 + n, 35.0, 129.0, n, 20.0, math.nan) for n in range(12)]
    unknown = discover(_table(rows))
    assert math.isnan(Anchorages.load(unknown.save(tmp_path / "nan.geojson"))[0].swing_m)
    with pytest.raises(OutputError, match="cannot be written"):
        unknown.save(tmp_path / "no" / "folder.geojson")


def test_the_file_is_geojson_whose_polygons_hold_the_cells(tmp_path):
    geopandas = pytest.importorskip("geopandas")
    frame = geopandas.read_file(_known().save(tmp_path / "known.geojson"))
    assert frame.geometry.is_valid.all() and frame["ships"].tolist() == [one.ships for one in _known()]
    west, south, east, north = frame.total_bounds
    assert west >= -180.0 and east <= 180.0 and south > -90.0 and north < 90.0
    for shape, one in zip(frame.geometry, _known(), strict=True):
        lat, lon = np.array([h3.cell_to_latlng(cell) for cell in one.cells]).T
        assert geopandas.points_from_xy(lon, lat).within(shape).all()
    across = frame.geometry.bounds["maxx"] - frame.geometry.bounds["minx"] > 300.0
    assert across.any() and (frame.geometry[across].geom_type == "MultiPolygon").all()  # cut at 180 degrees


@pytest.mark.parametrize(
    "change, word",
    [
        (lambda made: "no json", "not JSON"),
        (lambda made: [], "not the anchorages of Luxwake"),
        (lambda made: {**made, "luxwake_anchorages": 2}, "not the anchorages of Luxwake"),
        (lambda made: {"type": "FeatureCollection", "features": []}, "not the anchorages of Luxwake"),
        (lambda made: made["features"][1].pop("id"), "anchorage 2 has no 'id'"),
        (lambda made: made["features"][0]["properties"].pop("ships"), "anchorage 1 has no 'ships'"),
        (lambda made: made["features"][0]["properties"].update(ships=-1), "ships is -1"),
        (lambda made: made["features"][0]["properties"].update(lat="x"), "lat is 'x'"),
        (lambda made: made["features"][0]["properties"].update(lat=91.0), "no position"),
        (lambda made: made["features"][0]["properties"].update(kind="bay"), "kind is 'bay'"),
        (lambda made: made["features"][0]["properties"].update(first_seen="soon"), "soon"),
        (lambda made: made["features"][0]["properties"].update(cells="8928308280fffff 12"), "'12' is no H3 cell"),
        (lambda made: made["features"][0]["properties"].update(cells=""), "ascending order"),
        (lambda made: made["features"].append(made["features"][0]), "is in another one too"),
        (lambda made: made["features"].append(7), "anchorage"),
    ],
)
def test_a_file_that_is_none_of_ours_is_refused_in_one_line(tmp_path, change, word):
    made = json.loads(_known().to_geojson())
    answer = change(made)
    path = tmp_path / "wrong.geojson"
    path.write_text(
        answer
        if answer == "no json"
        else json.dumps(answer if answer in ([],) or (isinstance(answer, dict) and "features" in answer) else made)
    )
    with pytest.raises(InputError) as caught:
        Anchorages.load(path)
    assert word in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)


@settings(max_examples=60)
@given(data=st.data())
def test_damage_of_a_file_raises_nothing_of_a_stranger(tmp_path_factory, data):
    text = _known().to_geojson().encode()[:20_000]
    at = data.draw(st.integers(0, len(text) - 1))
    cut = data.draw(st.integers(0, 30))
    path = tmp_path_factory.mktemp("damage") / "known.geojson"
    path.write_bytes(text[:at] + data.draw(st.binary(max_size=8)) + text[at + cut :])
    with contextlib.suppress(LuxwakeError):
        Anchorages.load(path)


def test_periods_that_are_nowhere_or_were_not_heard_put_no_place_elsewhere():
    n = 12
    columns = {name: np.zeros(n, dtype) for name, dtype in PERIOD_COLUMNS.items()}
    columns["mmsi"] += np.arange(n, dtype=np.uint32) + 671_999_101
    columns["lat"] += 35.02
    columns["lon"] += 129.06
    (place,) = discover(columns)  # no period has time in which its ship was heard
    assert (place.lat, place.lon, place.ships) == (35.02, 129.06, 12)
    columns["lat"][3:5] = 95.0, math.inf
    assert [one.ships for one in discover(columns)] == [10]


def test_a_position_is_looked_up_by_its_cell():
    known = _known()
    of = {cell: row for row, one in enumerate(known) for cell in one.cells}
    rng = np.random.default_rng(1)
    place = [known[k] for k in rng.integers(0, len(known), 3000)]
    lat = np.array([one.lat for one in place]) + rng.normal(0, 0.03, 3000)
    lon = (np.array([one.lon for one in place]) + rng.normal(0, 0.03, 3000) + 180.0) % 360.0 - 180.0
    expected = [of.get(cell, -1) for cell in cells(lat, lon, ANCHORAGE_RESOLUTION).tolist()]
    assert known.at(lat, lon).tolist() == expected
    assert 300 < np.count_nonzero(np.array(expected) >= 0) < 2900
    assert [anchorage_row(known.table, y, x) for y, x in zip(lat[:50], lon[:50], strict=True)] == expected[:50]
    assert known.at([math.nan], [0.0]).tolist() == [-1] and known.anchorage_at(np.zeros(2, np.uint64)).tolist() == [
        -1,
        -1,
    ]
    assert Anchorages().at(lat, lon).max() == -1
    with pytest.raises(UsageError, match="in two anchorages"):
        Anchorages([*known, known[0]])


OFF_HOSOJIMA = (31.9, 132.2)


def _roads(lat=OFF_HOSOJIMA[0], lon=OFF_HOSOJIMA[1]) -> Anchorages:
    """One anchorage of 30 ships in the open sea."""
    rng = np.random.default_rng(1)
    rows = []
    for n in range(30):
        y, x = destination(lat, lon, rng.uniform(0, 360), 1500.0 * math.sqrt(rng.random()))
        rows.append((211_000_000 + n, y, x, n, 20.0, 150.0))
    return discover(_table(rows))


def _slow(hours_inside, hours_outside, silent=()):
    """A ship that lies in the anchorage and then 30 km away, with a fast hour between; heard every ten minutes."""
    lat, lon = OFF_HOSOJIMA
    rows = _lie(0, hours_inside, lat=lat, lon=lon, swing_m=200.0)
    rows += [r for r in _lie(hours_inside + 0.3, hours_outside, lat=lat + 0.05, lon=lon, swing_m=200.0)]
    return fixes_of([r for r in rows if not any(a <= (r[0] - T0) / HOUR < b for a, b in silent)])


def test_slow_hours_in_a_known_anchorage_are_waiting_and_say_where():
    known = _roads()
    (event_,) = _as_dicts(detect(_slow(20, 0), ["loitering"], anchorages=known))
    assert event_["kind"] == WAITING and event_["anchorage"] == known[0].id
    assert event_["anchorage_name"] == "open sea off Hosojima 1" and event_["anchorage_share"] == 1.0
    (event_,) = _as_dicts(detect(_slow(0, 20), ["loitering"], anchorages=known))
    assert event_["kind"] == LOITERING and event_["anchorage"] == "" and event_["anchorage_share"] == 0.0


def _as_dicts(events):
    return [{name: events[name][row] for name in events} for row in range(len(events))]


@pytest.mark.parametrize("inside, outside, kind", [(12, 8, WAITING), (8, 12, LOITERING)])
def test_most_of_the_slow_time_decides_and_the_share_is_told(inside, outside, kind):
    (event_,) = _as_dicts(detect(_slow(inside, outside), ["loitering"], anchorages=_roads()))
    assert event_["kind"] == kind and abs(event_["anchorage_share"] - inside / (inside + outside)) < 0.02
    assert event_["anchorage_name"] == "open sea off Hosojima 1"


def test_waiting_in_several_anchorages_names_one_only_where_it_spent_half_of_the_time():
    lat, lon = OFF_HOSOJIMA
    known = Anchorages([_roads(lat + n * 0.12)[0] for n in range(3)])

    def waits(*hours):
        rows, start = [], 0.0
        for n, spent in enumerate(hours):
            rows += _lie(start, spent, lat=lat + n * 0.12, lon=lon, swing_m=200.0)
            start += spent + 0.5
        (event_,) = _as_dicts(detect(fixes_of(rows), ["loitering"], anchorages=known))
        assert event_["kind"] == WAITING
        return event_["anchorage"]

    assert waits(4, 3.5, 2.5) == ""
    assert waits(1, 0.5, 8) == known[2].id
    assert waits(8, 3.5, 2.5) == known[0].id


def test_silence_at_anchor_is_not_counted_as_waiting():
    """12 h inside of which 9 h are silent in stretches of 3 h: heard for 4.5 h there, and for 8 h outside."""
    silent = [(0.1, 3.1), (3.6, 6.6), (7.1, 10.1)]
    (event_,) = _as_dicts(detect(_slow(12, 8, silent), ["loitering"], anchorages=_roads()))
    assert event_["kind"] == LOITERING and 0.3 < event_["anchorage_share"] < 0.45


def test_without_known_anchorages_the_share_is_unknown_and_not_zero():
    events = detect(_slow(20, 0), ["loitering"])
    assert events["kind"].tolist() == [LOITERING] and np.isnan(events["anchorage_share"]).all()
    assert events.to_arrow()["anchorage_share"].to_pylist() == events.to_arrow()["anchorage"].to_pylist() == [None]
    assert events.params["loitering"]["anchorages"] is None


def test_the_anchorages_are_among_the_parameters_that_make_the_id(tmp_path):
    known, other = _roads(), _roads(lat=10.0)
    fixes = _slow(20, 0)
    ids = [detect(fixes, ["loitering"], anchorages=one)["id"][0] for one in (None, known, other)]
    assert len(set(ids)) == 3
    assert detect(fixes, ["loitering"], anchorages=_roads())["id"][0] == ids[1]
    Engine(["loitering"], anchorages=known).save(tmp_path / "state.npz")
    with pytest.raises(UsageError, match="saved with other detectors or parameters"):
        Engine(["loitering"], anchorages=other).load(tmp_path / "state.npz")


def test_a_meeting_at_anchor_names_the_anchorage_and_stays_a_rendezvous():
    lat, lon = OFF_HOSOJIMA
    rows = _lie(0, 6, lat=lat, lon=lon) + _lie(0, 6, mmsi=211_000_002, lat=lat + 0.001, lon=lon)
    events = detect(fixes_of(sorted(rows)), ["rendezvous"], anchorages=_roads())
    assert events["anchorage_name"].tolist() == ["open sea off Hosojima 1"] and np.isnan(events["anchorage_share"][0])


@settings(max_examples=8)
@given(cuts=st.lists(st.integers(0, 1000), max_size=8), share=st.floats(0, 1))
def test_cut_and_resumed_at_any_row_waiting_is_the_same(tmp_path_factory, cuts, share):
    known = _roads()
    rows = [r for k in range(6) for r in _rows(_slow(4 + k, 14 - 2 * k))]
    ships = [211_000_001 + n // (len(rows) // 6) for n in range(len(rows))]
    fixes = fixes_of(
        sorted((t + 1_000_000 * ship % 7, ship, *rest) for (t, _, *rest), ship in zip(rows, ships, strict=True))
    )

    def run(bounds, resumed):
        engine = Engine(["loitering"], anchorages=known)
        found, edges = [], [0, *sorted(bounds), len(fixes)]
        for n, (a, b) in enumerate(itertools.pairwise(edges)):
            if resumed and n:
                path = tmp_path_factory.mktemp("state") / "engine.npz"
                engine.save(path)
                engine = Engine(["loitering"], anchorages=known)
                engine.load(path)
            found.append(engine.feed(fixes.take(slice(a, b))))
        found = np.concatenate([*found, engine.flush()])
        found = found[np.lexsort((found["mmsi"], found["t_start"]))]
        return b"".join(found[name].tobytes() for name in found.dtype.names), np.bincount(found["kind"], minlength=6)

    whole, kinds = run([], False)
    assert kinds[WAITING] > 0 and kinds[LOITERING] > 0
    assert run([c * len(fixes) // 1000 for c in cuts], False)[0] == whole
    assert run([round(share * len(fixes))], True)[0] == whole


def test_waiting_alone_accuses_nobody_and_is_said(tmp_path):
    """A car from Busan to Nakhodka on a ship that calls at both, and lies still for a day between."""

    def outcome(kind):
        made = make_events(
            [
                event(PORT_CALL, LARK, "2018-09-30", "2018-10-01", port="KRPUS"),
                event(kind, LARK, "2018-10-02", "2018-10-03", score=1.0),
                event(PORT_CALL, LARK, "2018-10-04", "2018-10-06", port="RUNJK"),
            ],
            [(LARK, "SEA LARK 5", LARK_IMO, 12.0, "2018-09-01", "2018-12-01")],
        )
        made.columns["anchorage_name"] = np.where(made["kind"] == kind, "Busan anchorage 2", "")
        found = lw.join(made, shipments_of(tmp_path, limousine_rows()[5]))
        return [one.status for one in found.assessed], len(found)

    assert outcome(LOITERING) == (["loitered"], 1)
    assert outcome(WAITING) == (["all declared ports confirmed by calls; waited at Busan anchorage 2"], 0)


def test_a_finding_that_has_waiting_in_it_shows_where_and_calls_it_innocent(tmp_path):
    """The same ship waits, and loiters before that: the loitering makes the finding."""
    made = make_events(
        [
            event(PORT_CALL, LARK, "2018-09-30", "2018-10-01", port="KRPUS"),
            event(LOITERING, LARK, "2018-10-01T12:00", "2018-10-02", score=1.0),
            event(WAITING, LARK, "2018-10-02", "2018-10-03", score=1.0),
            event(PORT_CALL, LARK, "2018-10-04", "2018-10-06", port="RUNJK"),
        ],
        [(LARK, "SEA LARK 5", LARK_IMO, 12.0, "2018-09-01", "2018-12-01")],
    )
    made.columns["anchorage_name"] = np.where(made["kind"] == WAITING, "Busan anchorage 2", "")
    (finding,) = lw.join(made, shipments_of(tmp_path, limousine_rows()[5]))
    assert any("waited at Busan anchorage 2" in words for words in finding.innocent)
    (waited,) = [one for one in finding.events if one["kind"] == "waiting"]
    assert (waited["anchorage"], waited["relation"]) == ("Busan anchorage 2", "waited at a known anchorage")


WORLD = """
name = "anchorages"
seed = 5
start = 2024-03-01T00:00:00Z
days = 7
compress = false
[reception]
station_at_each_port = true
thin_s = 600
satellite_thin_s = 1200
satellites = 8
satellite_best = 0.30
[[traffic]]
ships = 110
ports = ["KRPUS", "JPABU", "KRKPO", "JPSMN"]
kinds = { general = 0.6, tanker = 0.4 }
roles = { waiting = 0.6, trader = 0.2, loiterer = 0.2 }
anchorages = [
    { name = "A", lat = 35.02, lon = 129.06, radius_m = 2000 },
    { name = "C", lat = 36.4, lon = 130.4, radius_m = 2500 },
    { name = "D", lat = 31.9, lon = 132.2, radius_m = 2500 },
]
"""


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A simulated world with three anchorages, two of them offshore."""
    folder = tmp_path_factory.mktemp("anchorages")
    (folder / "scene.toml").write_text(textwrap.dedent(WORLD))
    lw.simulate(folder / "scene.toml", folder)
    return folder


def test_scripted_anchorages_are_found_and_waiting_there_is_told_from_loitering(simulated):
    fixes = lw.read(simulated / "track.nmea")
    known = lw.find_anchorages(fixes, lw.AnchorageParams(min_ships=5))
    scripted = [(35.02, 129.06, "anchorage"), (36.4, 130.4, "offshore"), (31.9, 132.2, "offshore")]
    roads = [one for one in known if one.kind != "berth"]
    assert len(roads) == 3 and len(known) - len(roads) == 4
    for lat, lon, kind in scripted:
        (one,) = [one for one in roads if distance_m(lat, lon, one.lat, one.lon) < 1500.0]
        assert one.kind == kind and one.ships >= 5
    rows = (simulated / "truth.csv").read_text().splitlines()[1:]
    ships = {
        kind: {int(row.split(",")[1]) for row in rows if row.startswith(f"{kind},")} for kind in ("anchor", "loitering")
    }
    before, after = lw.detect(fixes, ["loitering"]), lw.detect(fixes, ["loitering"], anchorages=known)
    assert before["t_start"].tolist() == after["t_start"].tolist()  # labelled, not left out
    waiting = set(after["mmsi"][after["kind"] == WAITING].tolist())
    loitering = set(after["mmsi"][after["kind"] == LOITERING].tolist())
    assert len(waiting) > 15 and waiting <= ships["anchor"]
    assert len(ships["loitering"]) > 10 and len(loitering - ships["loitering"]) <= 2
    assert ships["loitering"] & waiting == set()


def test_the_command_writes_what_the_run_reads(simulated, tmp_path, capsys):
    track, out = str(simulated / "track.nmea"), tmp_path / "known.geojson"
    assert main(["anchorages", track, "-o", str(out), "--min-ships", "5", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    shown = [line for line in lines if line["type"] == "anchorage"]
    known = Anchorages.load(out)
    assert [line["name"] for line in shown] == [one.name for one in known] and len(known) == 7
    assert known.params["anchorages"]["min_ships"] == 5 and known.params["periods"]["min_stay_s"] == 12 * 3600
    assert main(["anchorages", track, "-o", str(out), "--min-ships", "5"]) == 0
    assert "open sea off Pohang 1" in capsys.readouterr().out
    assert main(["run", track, "--anchorages", str(out), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    sql = "select count(*) n from events where kind = 'waiting' and anchorage is not null and anchorage_share >= 0.5"
    assert lw.query(tmp_path / "out", sql)["n"].to_pylist()[0] > 15
    made = json.loads((tmp_path / "out" / "findings.json").read_text())
    assert made["parameters"]["loitering"]["anchorages"] == known.digest
    assert [one["file"] for one in made["inputs"]] == ["track.nmea", "known.geojson"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Waiting at a known anchorage" in page and "open sea off Pohang 1" in page
    geojson = json.loads((tmp_path / "out" / "events.geojson").read_text())
    waits = [one for one in geojson["features"] if one["properties"]["kind"] == "waiting"]
    assert waits and all(one["geometry"]["type"] == "Point" for one in waits)


@pytest.mark.parametrize(
    "options, status, word",
    [
        (["anchorages", "TRACK", "--min-ships", "0"], 2, "near_ships <= min_ships"),
        (["anchorages", "TRACK", "--min-stay-h", "-1"], 2, "--min-stay-h must be"),
        (["anchorages", "TRACK", "--min-stay-h", "nan"], 2, "--min-stay-h must be"),
        (["anchorages", "TRACK", "--min-stay-h", "inf"], 2, "--min-stay-h must be"),
        (["anchorages", "TRACK", "--min-stay-h", "1e10"], 2, "--min-stay-h must be"),
        (["anchorages", "TRACK", "--from", "2024-03-05", "--to", "2024-03-01"], 2, "swap them"),
        (["anchorages", "nowhere.nmea"], 1, "nowhere.nmea"),
        (["anchorages", "nowhere.nmea", "-o", "nosuch/known.geojson"], 1, "no such folder"),
        (["run", "TRACK", "--anchorages", "TRACK", "--out", "x"], 1, "not JSON"),
    ],
)
def test_wrong_use_is_said_in_one_line(simulated, tmp_path, monkeypatch, capsys, options, status, word):
    monkeypatch.chdir(tmp_path)
    assert main([str(simulated / "track.nmea") if one == "TRACK" else one for one in options]) == status
    said = capsys.readouterr().err.splitlines()[-1]
    assert word in said
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_is_found_the_command_says_what_would_help(simulated, tmp_path, capsys):
    out = tmp_path / "none.geojson"
    assert main(["anchorages", str(simulated / "track.nmea"), "-o", str(out), "--min-ships", "500"]) == 0
    assert "a lower --min-ships" in capsys.readouterr().err
    assert len(Anchorages.load(out)) == 0


def test_real_ships_lie_still_where_their_fixes_say_so(shared_data):
    """Every period of real feeds, from its own fixes: they lie in a square of 1 km, and those heard fast are few."""
    paths = [
        shared_data / "tracks" / "gfw_segment_half_2021-01.parquet",
        shared_data / "ais" / "labelled" / "AisAbnormal_538004030_drift_1.ais",
    ]
    total = 0
    for path in paths:
        fixes = tracks(lw.read(path))
        found = stationary_periods(fixes, StationaryParams(min_stay_s=6 * 3600))
        total += len(found)
        for row in range(len(found)):
            own = (fixes["mmsi"] == found["mmsi"][row]) & (fixes["hull"] == found["hull"][row]) & (fixes["status"] == 0)
            own &= (fixes["t"] >= found["t_start"][row]) & (fixes["t"] <= found["t_end"][row])
            near = np.abs(fixes["lat"][own] - found["lat"][row]) * 111_195.0 <= 1000.0
            assert found["n"][row] <= np.count_nonzero(near) and np.count_nonzero(near) > 0.9 * np.count_nonzero(own)
            assert found["stay_us"][row] <= found["t_end"][row] - found["t_start"][row]
        assert isinstance(discover(found.columns, AnchorageParams(min_ships=1, near_ships=1)), Anchorages)
    assert total > 0


def test_no_fixes_no_anchorages():
    assert len(lw.find_anchorages(Fixes({}))) == 0
