"""Voyages: from call to call, and what was declared beside what happened."""

import datetime
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ais.identity import identities
from ais.table import NAT, STATIC_DTYPES, Fixes, Static
from detectors.detector import Known
from detectors.engine import Engine
from detectors.event import DARK, EVENT, GAP, LABELS, PORT_CALL
from detectors.finish import sorted_events
from detectors.registry import detector_class
from detectors.vessels import Vessels
from detectors.voyage_declared import meaning
from detectors.voyage_eta import eta_span, hours_after
from geo.ports import port_by_code, ports
from geo.sphere import distance_m, interpolate
from tests import naive_ports
from tests.feeds import HOUR, MINUTE, T0, fixes_of

SHIP = 211_000_001
ROW = {port.locode: row for row, port in enumerate(ports())}


def call(code, start_h, end_h, *, mmsi=SHIP, hull=0, still_open=0, score=0.9):
    """A port call as the detector writes it; times in hours from T0."""
    event = np.zeros(1, EVENT)
    port = port_by_code(code)
    event["kind"], event["mmsi"], event["hull"], event["open"], event["score"] = (
        PORT_CALL,
        mmsi,
        hull,
        still_open,
        score,
    )
    event["t_start"], event["t_end"] = T0 + round(start_h * HOUR), T0 + round(end_h * HOUR)
    event["lat"], event["lon"], event["port"] = port.lat, port.lon, ROW[code]
    return event


def silence(start_h, end_h, *, kind=GAP, mmsi=SHIP, hull=0):
    event = np.zeros(1, EVENT)
    event["kind"], event["mmsi"], event["hull"] = kind, mmsi, hull
    event["t_start"], event["t_end"] = T0 + round(start_h * HOUR), T0 + round(end_h * HOUR)
    return event


def packed(month, day, hour=24, minute=60):
    return month << 16 | day << 11 | hour << 6 | minute


def said(*reports, mmsi=SHIP):
    """Static reports (hours from T0, destination, packed ETA, draught) as intervals."""
    columns = {name: np.zeros(len(reports), dtype) for name, dtype in STATIC_DTYPES.items()}
    columns["draught"][:] = np.nan
    for k, (hours, text, *rest) in enumerate(reports):
        columns["t"][k], columns["mmsi"][k], columns["msg_type"][k] = T0 + round(hours * HOUR), mmsi, 5
        columns["destination"][k] = text.encode()
        columns["eta"][k] = rest[0] if rest else 0
        columns["draught"][k] = rest[1] if len(rest) > 1 else np.nan
    return identities(Static(columns))


def vessels_of(*hulls):
    """Hulls (mmsi, hull, first heard, last heard in hours)."""
    mmsi, hull, first, last = zip(*hulls, strict=True)
    return Vessels(
        {
            "mmsi": np.array(mmsi, np.uint32),
            "hull": np.array(hull, np.uint8),
            "t_first": T0 + np.array(first, np.int64) * HOUR,
            "t_last": T0 + np.array(last, np.int64) * HOUR,
        }
    )


def voyages(events, identity=None, *, now_h=1000, hulls=((SHIP, 0, 0, 1000),)):
    """The voyages that follow, as dicts with the facts by name."""
    detector = detector_class("voyage")()
    known = Known(identity if identity is not None else said(), vessels_of(*hulls), T0 + now_h * HOUR)
    found = detector.derive_each(sorted_events(np.concatenate(events)), known)
    result = []
    for one in found:
        row = {name: one[name].item() for name in EVENT.names if name != "facts"}
        row |= {name: float(one["facts"][k]) for k, name in enumerate(detector.facts)}
        result.append(row | {"label": LABELS[row["label"]]})
    return sorted(result, key=lambda row: (row["mmsi"], row["hull"], row["t_start"]))


def one_voyage(identity, to="CNDLC", **options):
    found = voyages([call("KRPUS", 0, 10), call(to, 60, 80)], identity, **options)
    assert [row["open"] for row in found] == [0, 1]
    return found[0]


def test_a_voyage_runs_from_the_end_of_a_call_to_the_beginning_of_the_next():
    found = voyages([call("KRPUS", 0, 10), call("CNDLC", 60, 80, score=0.5), call("JPUKB", 300, 320, still_open=1)])
    hours = [((row["t_start"] - T0) / HOUR, (row["t_end"] - T0) / HOUR, row["open"]) for row in found]
    assert hours == [(10, 60, 0), (80, 300, 0)]
    assert [row["from_port"] for row in found] == [ROW["KRPUS"], ROW["CNDLC"]]
    assert [row["port"] for row in found] == [ROW["CNDLC"], ROW["JPUKB"]]
    a, b = port_by_code("KRPUS"), port_by_code("CNDLC")
    assert found[0]["distance_m"] == pytest.approx(distance_m(a.lat, a.lon, b.lat, b.lon))
    assert found[0]["speed_kn"] == pytest.approx(found[0]["distance_m"] / 1852 / 50, rel=1e-5)
    assert found[0]["score"] == pytest.approx(0.45)


def test_a_ship_that_sailed_and_called_nowhere_is_still_on_its_voyage():
    [row] = voyages([call("KRPUS", 0, 10), silence(20, 500, kind=DARK)], said((12, "NAKHODKA")), now_h=500)
    assert row["open"] == 1 and row["t_end"] == T0 + 500 * HOUR and row["port"] == -1 and np.isnan(row["lat_end"])
    assert row["declared_port"] == ROW["RUNJK"] and row["label"] == "", "whether it goes there nobody knows yet"
    assert (row["silent_h"], row["dark_h"]) == (480.0, 480.0) and row["coverage"] == pytest.approx(10 / 490)


def test_after_a_call_that_goes_on_there_is_no_voyage_and_before_the_first_none_is_known():
    assert voyages([call("KRPUS", 5, 10, still_open=1)]) == []
    assert voyages([silence(0, 10)]) == []


@pytest.mark.parametrize(
    ("text", "label", "declared"),
    [
        ("CNDLC", "as_declared", "CNDLC"),
        ("KRPUS>CNDLC", "as_declared", "CNDLC"),
        ("DALIAN ANCH", "as_declared", "CNDLC"),
        ("KRPUS>JPUKB", "elsewhere", "JPUKB"),
        ("NAKHODKA", "elsewhere", "RUNJK"),
        ("НАХОДКА", "elsewhere", "RUNJK"),
        ("NEWCASTLE", "elsewhere", None),
        ("BUSAN/OPL", "undeclared", None),
        ("FOR ORDERS", "undeclared", None),
        ("", "undeclared", None),
        ("XQZ 77!#", "", None),
    ],
)
def test_the_destination_declared_is_compared_with_the_port_called_at(text, label, declared):
    row = one_voyage(said((20, text)))
    assert row["label"] == label
    assert locode(row["declared_port"]) == declared


def test_a_part_of_the_declared_place_is_the_declared_place():
    row = voyages([call("JPUKB", 0, 10), call("KRBNP", 60, 80)], said((20, "BUSAN")))[0]
    assert row["label"] == "as_declared" and 10_000 < row["declared_m"] < 30_000


def locode(fact):
    return ports()[int(fact)].locode if fact >= 0 else None


def test_the_port_declared_at_sailing_counts_whatever_is_declared_at_the_arrival():
    """Nakhodka is set at the berth, then nothing is heard for 18 days, then the ship is bound for Pohang, deeper."""
    events = [call("KRPUS", 0, 10), silence(12, 445, kind=DARK), call("KRKPO", 740, 800)]
    row, *_ = voyages(events, said((2, "BUSAN", 0, 3.4), (9, "NAKHODKA", 0, 3.4), (446, "POHANG", 0, 5.8)))
    assert (row["label"], locode(row["declared_port"]), locode(row["last_declared_port"])) == (
        "elsewhere", "RUNJK", "KRKPO",
    )  # fmt: skip
    assert row["destination_changes"] == 1.0 and row["draught_change_m"] == pytest.approx(2.4)
    assert row["declared_m"] > 500_000 and row["silent_h"] == 433.0


def test_what_was_said_in_the_port_that_it_left_is_in_force_and_what_was_said_before_is_not():
    assert one_voyage(said((5, "CNDLC")))["label"] == "as_declared"
    assert one_voyage(said((5, "JPUKB"), (6, "CNDLC")))["destination_changes"] == 0.0
    assert one_voyage(said((-5, "CNDLC")))["label"] == ""
    assert one_voyage(said((-5, "CNDLC"), (2, "CNDLC")))["label"] == "as_declared"


def test_a_ship_that_comes_back_as_it_said():
    row = voyages([call("KRPUS", 0, 10), call("KRPUS", 60, 80)], said((12, "BUSAN")))[0]
    assert row["label"] == "as_declared"


def test_reports_of_other_times_and_no_reports_say_nothing():
    assert one_voyage(said((70, "CNDLC")))["label"] == ""
    assert one_voyage(said())["label"] == ""
    assert one_voyage(said((20, "CNDLC"), mmsi=SHIP + 1))["label"] == ""


def test_how_often_the_destination_changed_on_the_way():
    texts = [(5, "KRPUS"), (11, "KRPUS"), (13, "JPUKB"), (20, "JPUKB"), (25, "KRINC"), (26, "CNDLC"), (50, "CNDLC")]
    row = one_voyage(said(*texts))
    assert (row["label"], row["destination_changes"]) == ("elsewhere", 2.0), "leaving the old one set is no change"
    assert (locode(row["declared_port"]), locode(row["last_declared_port"])) == ("JPUKB", "CNDLC")


def test_the_declared_port_may_be_called_at_later_or_never():
    events = [call("KRPUS", 0, 10), call("JPUKB", 60, 80), call("CNDLC", 180, 190), call("KRINC", 300, 310)]
    there, *_ = voyages(events, said((20, "DALIAN")))
    never, *_ = voyages(events, said((20, "NAKHODKA")))
    assert (there["label"], there["declared_after_h"]) == ("elsewhere", 120.0)
    assert never["label"] == "elsewhere" and np.isnan(never["declared_after_h"])


def test_two_hulls_of_one_mmsi_have_voyages_of_their_own_and_no_word_for_either():
    events = [call("KRPUS", 0, 10), call("NLRTM", 5, 20, hull=1), call("CNDLC", 60, 80), call("GBFXT", 50, 55, hull=1)]
    hulls = ((SHIP, 0, 0, 100), (SHIP, 1, 0, 100))
    found = voyages(events, said((30, "CNDLC")), hulls=hulls)
    assert [(row["hull"], int(row["port"])) for row in found if not row["open"]] == [
        (0, ROW["CNDLC"]),
        (1, ROW["GBFXT"]),
    ]
    assert {row["label"] for row in found} == {""}
    before = voyages(events, said((30, "CNDLC")), hulls=((SHIP, 0, 0, 100), (SHIP, 1, 200, 300)))
    assert before[0]["label"] == "as_declared"


def _packed_at(t_us):
    moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=t_us)
    return packed(moment.month, moment.day, moment.hour, moment.minute)


def test_the_arrival_is_measured_against_the_eta_said_last():
    reports = [(12, "CNDLC", _packed_at(T0 + 40 * HOUR)), (30, "CNDLC", _packed_at(T0 + 57 * HOUR))]
    row = one_voyage(said(*reports))
    assert (row["eta_error_h"], row["eta_slip_h"]) == (3.0, 17.0)
    assert np.isnan(one_voyage(said((12, "CNDLC", 0)))["eta_error_h"])
    assert np.isnan(one_voyage(said((12, "JPUKB", _packed_at(T0 + 40 * HOUR))))["eta_error_h"]), "an ETA of elsewhere"


def test_an_open_voyage_tells_how_long_its_eta_is_past():
    [row] = voyages([call("KRPUS", 0, 10)], said((12, "NAKHODKA", _packed_at(T0 + 50 * HOUR))), now_h=450)
    assert row["eta_error_h"] == 400.0


def us(text):
    return int(np.datetime64(text, "us").astype(np.int64))


@pytest.mark.parametrize(
    ("said_at", "eta", "meant"),
    [
        ("2023-12-30T12:00", (1, 2, 6, 30), ("2024-01-02T06:30", "2024-01-02T06:30")),
        ("2024-01-02T00:00", (12, 30, 18, 0), ("2023-12-30T18:00", "2023-12-30T18:00")),
        ("2024-02-20T00:00", (2, 29, 5, 0), ("2024-02-29T05:00", "2024-02-29T05:00")),
        ("2023-02-20T00:00", (2, 29, 5, 0), None),
        ("2023-02-20T00:00", (2, 21, 24, 60), ("2023-02-21T00:00", "2023-02-21T23:59:59.999999")),
        ("2023-02-20T00:00", (2, 21, 7, 60), ("2023-02-21T07:00", "2023-02-21T07:00")),
        ("2023-02-20T00:00", (0, 21, 7, 0), None),
        ("2023-02-20T00:00", (2, 0, 7, 0), None),
        ("2023-02-20T00:00", (13, 5, 7, 0), None),
        ("2023-04-20T00:00", (4, 31, 7, 0), None),
    ],
)
def test_an_eta_has_the_year_nearest_to_when_it_was_said(said_at, eta, meant):
    first, last = eta_span([packed(*eta)], [us(said_at)])
    assert (int(first[0]), int(last[0])) == (tuple(map(us, meant)) if meant else (NAT, NAT))


@given(
    month=st.integers(0, 15), day=st.integers(0, 31), hour=st.integers(0, 23), minute=st.integers(0, 59),
    said_us=st.integers(us("1999-01-01"), us("2040-01-01")),
)  # fmt: skip
def test_etas_are_those_of_the_naive_twin(month, day, hour, minute, said_us):
    twin = naive_ports.eta(month, day, hour, minute, said_us)
    first, last = eta_span([packed(month, day, hour, minute)], [said_us])
    assert first[0] == last[0] == (NAT if twin is None else us(twin.replace(tzinfo=None).isoformat()))


def test_an_arrival_on_the_day_of_an_eta_without_hour_is_on_time():
    first, last = eta_span([packed(10, 3)] * 3, [T0] * 3)
    assert hours_after(T0 + np.array([30, 60, 75]) * HOUR, first, last).round(3).tolist() == [-18.0, 0.0, 3.0]


@pytest.mark.parametrize("text", ["KRPUS>CNDLC", "DALIAN", "CN DLC", "DALIAN CHINA"])
def test_ways_to_write_one_destination(text):
    assert [ports()[row].locode for row in meaning(text.encode()).rows] == ["CNDLC"]


def test_voyages_are_those_of_the_naive_twin():
    rng = np.random.default_rng(3)
    codes, events, silences = [port.locode for port in ports()[::40]], [], {}
    for k in range(30):
        t, mmsi, hull = 0.0, SHIP + k // 2, k % 2
        for n in range(rng.integers(1, 9)):
            start, end = t + rng.integers(5, 90), t + rng.integers(100, 200)
            last = n == 7
            events.append(call(str(rng.choice(codes)), start, end, mmsi=mmsi, hull=hull, still_open=int(last)))
            t = float(end)
        begin = 0.0
        for _ in range(6):
            begin += rng.integers(20, 200)
            silences.setdefault((mmsi, hull), []).append((T0 + round(begin * HOUR), T0 + round((begin + 15) * HOUR)))
            events.append(silence(begin, begin + 15, mmsi=mmsi, hull=hull))
            begin += 15
    hulls = [(SHIP + k // 2, k % 2, 0, 2000) for k in range(30)]
    found = voyages(events, now_h=2000, hulls=hulls)
    every = np.concatenate(events)
    calls = [
        tuple(one[name].item() for name in ("mmsi", "hull", "t_start", "t_end", "port", "open"))
        for one in every[every["kind"] == PORT_CALL]
    ]
    twin = naive_ports.voyages(calls, T0 + 2000 * HOUR)
    mine = [
        (row["mmsi"], row["hull"], row["t_start"], row["t_end"], int(row["from_port"]), row["port"]) for row in found
    ]
    assert sorted(mine) == sorted((*row[:5], -1 if row[5] is None else row[5]) for row in twin)
    for row in found:
        own = silences[row["mmsi"], row["hull"]]
        assert row["silent_h"] == pytest.approx(naive_ports.silent_h(row["t_start"], row["t_end"], own), abs=1e-4)
    assert len(found) > 80


TEXTS = (
    "BUSAN", "PUSAN ANCH", "DALIAN", "CNDLC", "NAKHODKA", "NEWCASTLE", "VICTORIA", "FOR ORDERS", "", "XQZ 77", "KOBE",
    "ULSAN",
)  # fmt: skip


@settings(max_examples=40)
@given(
    texts=st.lists(st.sampled_from(TEXTS), min_size=1, max_size=6),
    to=st.sampled_from(["CNDLC", "KRPUS", "RUNJK", "AUNTL", None]),
)
def test_labels_are_those_of_the_naive_twin(texts, to):
    identity = said(*((11 + 5 * k, text) for k, text in enumerate(texts)))
    row = voyages([call("KRPUS", 0, 10), *([call(to, 60, 80)] if to else [])], identity, now_h=100)[0]
    read = [meaning(text.encode()) for text, _ in groupby(texts)]
    meant = [([(ports()[k].lat, ports()[k].lon) for k in one.rows], one.sure, one.nothing) for one in read]
    left, came = ((port.lat, port.lon) if port else None for port in (port_by_code("KRPUS"), port_by_code(to or "")))
    label, of = naive_ports.judged(meant, left, came, 30_000.0)
    declared = np.nan if of is None else read[of].row
    assert row["label"] == label and row["declared_port"] == pytest.approx(declared, nan_ok=True)


PACIFIC = [
    ("NZAKL", "WSAPW", "APIA", "AUCKLAND"),
    ("FJSUV", "USHNL", "HONOLULU", "SUVA"),
    ("WSAPW", "FJSUV", "SUVA", "APIA"),
    ("USHNL", "NZAKL", "NZ AKL", "HONOLULU"),
]
"""From, to, how the destination is written, and the destination that is still set from before."""


@pytest.mark.parametrize(("left", "came", "text", "old"), PACIFIC)
def test_a_voyage_across_180_degrees(left, came, text, old):
    """From fixes to the table: places, the way between, the declared port, its ETA, and that it is no way round."""
    a, b = port_by_code(left), port_by_code(came)
    assert abs(a.lon - b.lon) > 180.0
    metres = distance_m(a.lat, a.lon, b.lat, b.lon)
    hours = metres / 1852 / 14
    rows, ends = [], (20.0, 20.0 + hours)
    for m in range(0, round((hours + 40) * 60), 10):
        share = min(1.0, max(0.0, (m / 60 - ends[0]) / hours))
        knots = 14.0 if 0.0 < share < 1.0 else 0.0
        rows.append((T0 + m * MINUTE, SHIP, *interpolate(a.lat, a.lon, b.lat, b.lon, share), knots))
    engine = Engine(["voyage"], lateness_s=0)
    records = np.concatenate([engine.feed(fixes_of(rows)), engine.flush()])
    eta = _packed_at(T0 + round(ends[1]) * HOUR)
    events = engine.finish(records, said((1, old), (19, text, eta), (30, text, eta)))
    [row] = [{name: events[name][k] for name in events} for k in range(len(events)) if events["port"][k] == came]
    assert (row["from_port"], row["port"], row["declared_port"]) == (left, came, came)
    assert (LABELS[row["label"]], row["destination_changes"], row["declared_m"] < 30_000.0) == (
        "as_declared",
        0.0,
        True,
    )
    assert row["distance_m"] == pytest.approx(distance_m(row["lat"], row["lon"], row["lat_end"], row["lon_end"]))
    assert row["distance_m"] == pytest.approx(metres, rel=0.02) and abs(row["eta_error_h"]) < 2.0
    assert -180.0 <= row["lon"] < 180.0 and row["lon"] * row["lon_end"] < 0.0
    assert row["speed_kn"] == pytest.approx(14.0, rel=0.05) and row["silent_h"] == 0.0


@pytest.mark.parametrize(("left", "came", "text", "old"), PACIFIC)
def test_a_ship_that_went_elsewhere_across_180_degrees(left, came, text, old):
    """It declared the port on the other side, called at Pago Pago, and came there later."""
    events = [call(left, 0, 10), call("ASPPG", 200, 220), call(came, 300, 310)]
    row = voyages(events, said((2, old), (12, text, _packed_at(T0 + 290 * HOUR))))[0]
    a, b = port_by_code("ASPPG"), port_by_code(came)
    assert row["label"] == "elsewhere" and locode(row["declared_port"]) == came and row["declared_after_h"] == 100.0
    assert row["declared_m"] == pytest.approx(distance_m(a.lat, a.lon, b.lat, b.lon), rel=1e-6)


def test_the_table_of_events_names_the_ports_of_a_voyage():
    rows = []
    legs = [("ZADUR", 0, 20), ("ZACPT", 120, 140)]
    for code, begin, end in legs:
        port = port_by_code(code)
        rows += [(T0 + m * MINUTE, SHIP, port.lat, port.lon, 0.0) for m in range(begin * 60, end * 60, 10)]
    a, b = (port_by_code(code) for code, *_ in legs)
    for m in range(20 * 60, 120 * 60, 10):
        share = (m / 60 - 20) / 100
        rows.append((T0 + m * MINUTE, SHIP, a.lat + share * (b.lat - a.lat), a.lon + share * (b.lon - a.lon), 9.0))
    engine = Engine(["voyage"], lateness_s=0)
    fixes = Fixes(fixes_of(sorted(rows)).columns)
    records = np.concatenate([engine.feed(fixes), engine.flush()])
    events = engine.finish(records, said((30, "CAPE TOWN"), (60, "CAPE TOWN")))
    assert len(events) == 1
    row = {name: events[name][0] for name in ("from_port", "port", "declared_port", "label", "destination_changes")}
    assert (row["from_port"], row["port"], row["declared_port"]) == ("ZADUR", "ZACPT", "ZACPT")
    assert LABELS[row["label"]] == "as_declared" and row["destination_changes"] == 0.0
