"""Which goods were on which ship when it went dark: the join, its conclusions, and its order of cases."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from ais.read import read
from ais.table import Table
from cargo.join import join
from cargo.shipments import read_shipments
from detectors.engine import detect
from detectors.event import DARK, EVENT, GAP, KINDS, LOITERING, PORT_CALL, RENDEZVOUS, Events, event_id, label_code
from geo.errors import UsageError
from geo.ports import port_by_code

HEADER = (
    "bl_number,container,vin,hs_code,description,quantity,value,currency,gross_weight_kg,shipper,consignee,"
    "load_port,discharge_port,depart_date,arrive_date,vessel_name,imo,cleared,source"
)
LARK, LARK_IMO, RORO, LINER, NAMESAKE = 671999101, 9999993, 273999001, 477999001, 563999001
CAR = "870324,armoured limousine 6.0 l V12 class VR9,1,520000,USD,5100"


def us(day: str) -> int:
    """µs of an ISO time in UTC."""
    return round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000


def event(kind, mmsi, start, end, *, port="", other=0, score=np.nan, coverage=1.0, at=None, at_end=None, is_open=0):
    """One event as a dictionary; a port call lies at its port."""
    place = port_by_code(port) if port else None
    lat, lon = at or ((place.lat, place.lon) if place else (35.0, 131.0))
    lat_end, lon_end = at_end or (lat, lon)
    row = dict.fromkeys([name for name in EVENT.names if name != "facts"], 0)
    row |= {"kind": kind, "mmsi": mmsi, "other": other, "t_start": us(start), "t_end": us(end), "open": is_open}
    row |= {"lat": lat, "lon": lon, "lat_end": lat_end, "lon_end": lon_end, "score": score, "coverage": coverage}
    row |= {"port": port, "first_offset": 100, "last_offset": 200, "distance_m": 0.0}
    return row


def make_events(rows, vessels, identity=()):
    """Events; a vessel is (mmsi, name, imo, sog_p95, first, last), an identity (mmsi, name, imo, draught, from, to)."""
    rows = sorted(rows, key=lambda row: row["t_start"])
    columns = {
        "id": np.array(
            [event_id(KINDS[r["kind"]], r["mmsi"], 0, r["other"], 0, r["t_start"], "t") for r in rows], "U16"
        )
    }
    for name in rows[0] if rows else ():
        dtype = "U5" if name == "port" else EVENT[name]
        columns[name] = np.array([row[name] for row in rows], dtype)
    heard = Table(
        {
            "mmsi": np.array([v[0] for v in vessels], "u4"),
            "hull": np.zeros(len(vessels), "u1"),
            "n": np.full(len(vessels), 100, "u4"),
            "t_first": np.array([us(v[4]) for v in vessels], "i8"),
            "t_last": np.array([us(v[5]) for v in vessels], "i8"),
            "sog_p95": np.array([v[3] for v in vessels], "f4"),
            "name": np.array([v[1].encode() for v in vessels], "S20"),
            "imo": np.array([v[2] for v in vessels], "u4"),
        }
    )
    said = Table(
        {
            "t_from": np.array([us(s[4]) for s in identity], "i8"),
            "t_to": np.array([us(s[5]) for s in identity], "i8"),
            "mmsi": np.array([s[0] for s in identity], "u4"),
            "imo": np.array([s[2] for s in identity], "u4"),
            "name": np.array([s[1].encode() for s in identity], "S20"),
            "draught": np.array([s[3] for s in identity], "f4"),
            "source": np.zeros(len(identity), "u2"),
            "first_offset": np.full(len(identity), 7, "i8"),
            "last_offset": np.full(len(identity), 8, "i8"),
        }
    )
    return Events(columns, vessels=heard, identity=said, sources=("day.nmea",))


def shipments_of(folder: Path, *lines: str):
    """Shipments read from a file with these rows."""
    path = folder / "bl.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return read_shipments(path)


def limousine_rows() -> list[str]:
    """Two armoured limousines from Rotterdam to the declared Nakhodka, with conflicts, and the coal that comes back."""
    rows = []
    for box, vin in (("LXWU0000012", "ZZX00000000000001"), ("LXWU0000028", "ZZX00000000000002")):
        head = f"{box},{vin},{CAR}"
        rows += [
            f"LXB1,{head},Alfa Spedizioni,Zuiho Co Ltd,NLRTM,CNDLC,2018-06-20,2018-07-31,,,,manifest",
            f"LXB2,{head},Zuiho Co Ltd,Minato Logistics,CNDLC,JPOSA,2018-08-26,2018-09-18,,,no,port",
            f"LXB2,{head},Zuiho Co Ltd,Minato Logistics,CNDLC,JPOSA,2018-08-26,2018-08-31,,,no,report",
            f"LXB3,{head},Minato Logistics,Hanbada Logistics,JPOSA,KRPUS,2018-09-27,2018-09-30,,,,manifest",
            f"LXB3,{head},Minato Logistics,Master of SEA LARK 5,JPOSA,KRPUS,2018-09-27,2018-09-30,,,,report",
            f"LXB4,{box},{vin},870324,vehicles,1,,,5100,Hanbada Logistics,Norda Shipping,KRPUS,RUNJK,2018-10-01,"
            f"2018-10-05,SEA LARK 5,{LARK_IMO},,port",
        ]
    coal = (
        "LXB9,,,270111,anthracite in bulk,{},,,,Norda Shipping,Dongyang Fuel,RUNJK,KRKPO,,2018-11-01,SEA LARK 5,{},,{}"
    )
    return [*rows, coal.format(2588, LARK_IMO, "port"), coal.format(2599, LARK_IMO, "press")]


def used_car_rows(n: int = 12) -> list[str]:
    """Used cars from Busan to Vladivostok, each its own buyer, cleared."""
    price = [3000 + 500 * i for i in range(n)]
    return [
        f"UC{i:03d},,ZZU000000000{i:05d},870323,used passenger car petrol 1.6 l,1,{price[i]},USD,1200,Example Motors,"
        f"Primorye Auto {i},KRPUS,RUVVO,2018-10-02,2018-10-04,AMUR CARRIER,,yes,customs"
        for i in range(n)
    ]


EMBASSY = (
    "EM1,LXWU0000033,ZZE00000000000009,870324,armoured limousine class VR9,1,480000,USD,4900,Alfa Spedizioni,"
    "Embassy of Examplia,NLRTM,KRPUS,2018-08-20,2018-09-25,BLUE HARBOUR,,yes,customs"
)


def world(*, more=(), identity=()):
    """Events of the ships of these rows: the general cargo ship silent for 18 days, the others as they should be."""
    rows = [
        event(PORT_CALL, LARK, "2018-09-16", "2018-10-01T06:00", port="KRPUS"),
        event(DARK, LARK, "2018-10-01T12:00", "2018-10-19T12:00", score=0.97, at=(35.2, 129.4), at_end=(35.5, 129.9)),
        event(PORT_CALL, LARK, "2018-11-01T02:00", "2018-11-03", port="KRKPO"),
        event(PORT_CALL, RORO, "2018-10-01T10:00", "2018-10-02T08:00", port="KRPUS"),
        event(PORT_CALL, RORO, "2018-10-04T01:00", "2018-10-05", port="RUVVO"),
        event(PORT_CALL, RORO, "2018-10-12", "2018-10-13", port="RUNJK"),
        event(PORT_CALL, LINER, "2018-08-19", "2018-08-20T12:00", port="NLRTM"),
        event(PORT_CALL, LINER, "2018-09-25T03:00", "2018-09-26", port="KRPUS"),
        *more,
    ]
    span = ("2018-08-15", "2018-11-05")
    vessels = [
        (LARK, "SEA LARK 5", LARK_IMO, 10.0, *span),
        (RORO, "AMUR CARRIER", 0, 14.0, *span),
        (LINER, "BLUE HARBOUR", 0, 18.0, *span),
        (NAMESAKE, "SEA LARK 5", 9999890, 12.0, *span),
    ]
    told = [
        (LARK, "SEA LARK 5", LARK_IMO, 3.1, "2018-09-16", "2018-10-01T11:00"),
        (LARK, "SEA LARK 5", LARK_IMO, 4.6, "2018-10-19T12:30", "2018-11-03"),
        (RORO, "AMUR CARRIER", 0, 5.0, *span),
        (LINER, "BLUE HARBOUR", 0, 12.0, *span),
        (NAMESAKE, "SEA LARK 5", 9999890, 6.0, *span),
        *identity,
    ]
    return make_events(rows, vessels, told)


def only(findings, ship):
    """The one finding about a ship."""
    found = [f for f in findings if f.chain[-1]["vessel"]["name"] == ship]
    assert len(found) == 1
    return found[0]


def signal(finding, name):
    """A signal of a finding by its name."""
    return next(s for factor in finding.score.factors for s in factor.signals if s.name == name)


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """The whole small world joined once, with reach."""
    folder = tmp_path_factory.mktemp("case")
    return join(world(), shipments_of(folder, *limousine_rows(), *used_car_rows(), EMBASSY))


def test_limousines_are_the_first_finding_and_their_conclusion_is_cautious(case):
    first = case[0]
    assert first.rank == 1 and len(case) == 1
    assert first.conclusion == "consistent with delivery in the Russian Far East or the DPRK; not proven"
    assert [leg["discharge_port"] for leg in first.chain] == ["CNDLC", "JPOSA", "KRPUS", "RUNJK"]
    assert [leg["link"]["method"] for leg in first.chain[1:]] == ["container"] * 3
    assert sorted(g["container"] for g in first.goods) == ["LXWU0000012", "LXWU0000028"]
    assert {e["relation"] for e in first.events} == {"loaded at", "carried during", "next call"}
    assert [r["description"] for r in first.return_cargo] == ["anthracite in bulk"]
    assert signal(first, "last declared port without record").value == 1.0
    assert {p["locode"] for p in first.reach["ports"] if p["risk"]} >= {"KPCHO", "KPNJN", "KPWON"}


def test_embassy_car_and_used_cars_are_assessed_and_rank_far_below(case):
    limousines, *others = case.assessed
    assert limousines.is_finding and limousines.lower > 0.5
    embassy = next(a for a in others if "armoured" in a.title)
    cars = [a for a in others if "used passenger" in a.title]
    assert len(cars) == 12 and not any(a.is_finding for a in others)
    assert embassy.upper < limousines.lower
    assert max(a.upper for a in cars) < limousines.lower
    assert case.cleared == {"all declared ports confirmed by calls": len(others)}


def test_conflicting_sources_stay_two_claims_with_rows(case):
    claims = {(c["predicate"], tuple((v["value"], v["row"]) for v in c["values"])) for c in case[0].claims}
    assert ("t_arrive", (("2018-09-18T00:00:00Z", 2), ("2018-08-31T00:00:00Z", 3))) in claims
    assert ("consignee", (("Hanbada Logistics", 4), ("Master of SEA LARK 5", 5))) in claims
    assert any(predicate == "quantity" and {v for v, _ in values} == {"2588", "2599"} for predicate, values in claims)


def test_no_reading_is_proven_and_reach_alone_raises_no_lower_bound(case):
    text = case.to_json()
    assert "proves" not in text and "smuggler" not in text.lower()
    by_id = {h.id: h for h in case[0].hypotheses}
    assert set(by_id) == {"H1", "H2", "H3", "H4"}
    assert by_id["H2"].lower == 0.0 and by_id["H2"].upper == 1.0
    assert by_id["H1"].speaks_against and by_id["H4"].upper < 0.5
    assert len(case[0].deciding_records) >= 4 and case[0].innocent and case[0].unknown


def test_evidence_names_the_bytes_of_the_input(case, tmp_path):
    shipments = shipments_of(tmp_path, *limousine_rows())
    lines = (tmp_path / "bl.csv").read_bytes()
    rows = [e for e in case[0].evidence if e["what"] == "shipment row"]
    assert [e["row"] for e in rows] == list(range(1, 13))
    for e in rows:
        assert lines[e["offset"] :].startswith(b"LXB")
        assert shipments["sha"][e["row"] - 1] in e["note"]
    assert {e["note"] for e in case[0].evidence if e["what"] == "static report"} == {
        "draught 3.1 m before the silence",
        "draught 4.6 m after the silence",
    }


def test_json_is_the_same_twice_and_holds_no_nan(tmp_path):
    rows = [*limousine_rows(), EMBASSY]
    texts = [join(world(), shipments_of(tmp_path, *rows), reach=False).to_json() for _ in range(2)]
    assert texts[0] == texts[1]
    finding = json.loads(texts[0])["findings"][0]
    keys = "id rank title conclusion score goods chain events claims evidence unknown innocent deciding_records "
    assert set((keys + "hypotheses reach return_cargo parameters").split()) <= set(finding)
    assert finding["reach"] is None
    risk = [s for f in finding["score"]["factors"] for s in f["signals"] if s["name"].startswith("port of a risk")]
    assert risk[0]["value"] is None and "not asked for" in risk[0]["why"]


def test_dark_ship_with_used_cars_only_has_wide_bounds_and_ranks_below(tmp_path):
    cars = [row.replace("AMUR CARRIER,,yes", "GREY SWALLOW,,") for row in used_car_rows()]
    swallow = 671999202
    more = [
        event(PORT_CALL, swallow, "2018-10-01", "2018-10-02T08:00", port="KRPUS"),
        event(DARK, swallow, "2018-10-02T14:00", "2018-10-09", score=0.95, at=(36.0, 130.5), at_end=(36.2, 130.6)),
    ]
    events = world(more=more, identity=[(swallow, "GREY SWALLOW", 0, 4.0, "2018-09-20", "2018-10-15")])
    findings = join(events, shipments_of(tmp_path, *limousine_rows(), *cars), reach=False)
    assert findings[0].chain[-1]["vessel"]["name"] == "SEA LARK 5"
    dark_cars = [f for f in findings if f.chain[-1]["vessel"]["name"] == "GREY SWALLOW"]
    assert len(dark_cars) == 12
    for finding in dark_cars:
        assert finding.score.lower < 0.5 * findings[0].score.lower
        assert finding.score.upper - finding.score.lower > findings[0].score.upper - findings[0].score.lower


def test_a_call_that_is_inferred_from_silence_is_no_record_that_the_goods_arrived(tmp_path):
    """The declared port is Nakhodka: a call that was heard there clears it, one that nobody heard does not."""
    values = {}
    for word in ("observed", "inferred"):
        call = event(PORT_CALL, LARK, "2018-10-03", "2018-10-05", port="RUNJK")
        events = world(more=[{**call, "label": label_code(word)}])
        finding = only(join(events, shipments_of(tmp_path, *limousine_rows()), reach=False), "SEA LARK 5")
        values[word] = signal(finding, "last declared port without record").value
    assert values == {"observed": 0.0, "inferred": 1.0}


def test_two_ships_of_a_chain_silent_at_once_could_have_met_and_did_not_therefore(tmp_path):
    """The ship that brought the cars to Busan falls silent before it is there, while the next one is silent too."""
    rows = [
        row.replace("KRPUS,2018-09-27,2018-09-30,", "KRPUS,2018-09-27,2018-09-30,AMUR CARRIER")
        for row in limousine_rows()
    ]
    dark = event(DARK, RORO, "2018-09-29T12:00", "2018-10-03T12:00", score=0.9, at=(34.9, 130.2), at_end=(35.4, 130.4))
    finding = join(world(more=[dark]), shipments_of(tmp_path, *rows))[0]
    (met,) = finding.reach["meetings"]
    assert met["mmsi"] == RORO and 24.0 < met["together_h"] <= 48.0
    assert "2018-10-01T12:00:00" <= met["t_from"] < met["t_to"] <= "2018-10-03T12:00:00Z"
    assert any(f"whether the ship met MMSI {RORO}" in words for words in finding.unknown)
    at_sea = next(h for h in finding.hypotheses if h.id == "H3")
    assert at_sea.lower == 0.0 and not any("together" in words for words in at_sea.speaks_for)


def test_gap_that_reception_may_explain_is_no_finding(tmp_path):
    gap = event(GAP, RORO, "2018-10-02T12:00", "2018-10-03T20:00", score=0.4)
    findings = join(world(more=[gap]), shipments_of(tmp_path, *used_car_rows(2)))
    assert len(findings) == 0
    assert {a.status for a in findings.assessed} == {"all declared ports confirmed by calls"}


@pytest.mark.parametrize(("kind", "relation"), [(RENDEZVOUS, "transferred to"), (LOITERING, "loitered")])
def test_meeting_or_loitering_on_board_is_a_finding_and_before_loading_is_none(tmp_path, kind, relation):
    aboard = event(kind, RORO, "2018-10-03", "2018-10-03T06:00", other=NAMESAKE if kind == RENDEZVOUS else 0)
    before = event(kind, RORO, "2018-09-20", "2018-09-20T06:00", other=NAMESAKE if kind == RENDEZVOUS else 0)
    shipments = shipments_of(tmp_path, *used_car_rows(1))
    finding = only(join(world(more=[aboard, before]), shipments, reach=False), "AMUR CARRIER")
    assert [e["t_start"] for e in finding.events if e["relation"] == relation] == ["2018-10-03T00:00:00Z"]
    assert "as declared" in finding.conclusion
    assert len(join(world(more=[before]), shipments, reach=False)) == 0


def test_the_partner_of_a_rendezvous_sees_it_too(tmp_path):
    met = event(RENDEZVOUS, NAMESAKE - 400_000_000, "2018-10-03", "2018-10-03T06:00", other=RORO)
    finding = only(join(world(more=[met]), shipments_of(tmp_path, *used_car_rows(1)), reach=False), "AMUR CARRIER")
    assert signal(finding, "ship-to-ship transfer").value == 1.0


def test_port_without_reception_is_unknown_not_missed(tmp_path):
    """Nobody's call at the declared port was received: that this ship's is not on record says nothing."""
    row = "W1,,,870323,used car,1,4000,USD,1200,A,B,KRPUS,RUZAR,2018-10-02,2018-10-04,AMUR CARRIER,,,x"
    findings = join(world(), shipments_of(tmp_path, row))
    assert len(findings) == 0
    assert findings.assessed[0].status == "nothing on record against it, arrival not confirmed"


def row_on(ship: str, imo: str = "", load="KRPUS", discharge="RUVVO") -> str:
    """A shipment row that names a ship, or none."""
    return f"X1,,,870323,used car,1,4000,USD,1200,A,B,{load},{discharge},2018-10-02,2018-10-04,{ship},{imo},,x"


def vessel_of(tmp_path, row, events=None):
    """How the ship of one row was found."""
    events = events or world(more=[event(RENDEZVOUS, m, "2018-10-03", "2018-10-04") for m in (LARK, RORO, NAMESAKE)])
    findings = join(events, shipments_of(tmp_path, row), reach=False)
    return findings[0].chain[0]["vessel"] if len(findings) else None


def test_imo_finds_the_ship_and_vetoes_its_namesake(tmp_path):
    assert vessel_of(tmp_path, row_on("SEA LARK 5", str(LARK_IMO)))["mmsi"] == LARK
    assert vessel_of(tmp_path, row_on("SEA LARK 5", "9999890"))["mmsi"] == NAMESAKE
    findings = join(world(), shipments_of(tmp_path, row_on("SEA LARK 5", "9999761")), reach=False)
    assert findings.assessed[0].status == "no ship identified"


def test_namesakes_are_told_apart_by_port_calls_and_numerals_must_match(tmp_path):
    found = vessel_of(tmp_path, row_on("M/V SEALARK 5"))
    assert (found["mmsi"], found["method"]) == (LARK, "name and port call")
    assert vessel_of(tmp_path, row_on("SEA LARK 6")) is None


def test_a_ship_that_could_not_have_come_in_time_is_vetoed(tmp_path):
    far = event(PORT_CALL, RORO, "2018-10-01", "2018-10-03", port="NLRTM")
    rows = [far, event(RENDEZVOUS, RORO, "2018-10-03", "2018-10-04")]
    events = make_events(rows, [(RORO, "AMUR CARRIER", 0, 14.0, "2018-09-01", "2018-11-01")])
    findings = join(events, shipments_of(tmp_path, row_on("AMUR CARRIER")), reach=False)
    assert len(findings) == 0 and findings.assessed[0].status == "no ship identified"


def test_row_without_ship_gets_candidates_never_a_fact(tmp_path):
    only_one = vessel_of(tmp_path, row_on(""))
    assert (only_one["mmsi"], only_one["method"].split(":")[0]) == (RORO, "candidate, not fact")
    twin = 273999002
    more = [
        event(PORT_CALL, twin, "2018-10-01", "2018-10-02", port="KRPUS"),
        event(PORT_CALL, twin, "2018-10-04", "2018-10-05", port="RUVVO"),
    ]
    findings = join(world(more=more), shipments_of(tmp_path, row_on("")), reach=False)
    assert len(findings) == 0 and findings.assessed[0].status == "no ship identified"
    wrong_order = row_on("", load="RUVVO", discharge="KRPUS")
    assert join(world(), shipments_of(tmp_path, wrong_order)).assessed[0].status == "no ship identified"


def test_nothing_in_gives_nothing_out(tmp_path):
    none = make_events([], [])
    findings = join(none, shipments_of(tmp_path))
    assert len(findings) == 0 and findings.counts["chains"] == 0 and json.loads(findings.to_json())["findings"] == []
    assert len(join(none, shipments_of(tmp_path, *limousine_rows()))) == 0


def test_untrusted_text_stays_data(tmp_path):
    row = row_on("AMUR CARRIER").replace("used car", '"<script>alert(1)</script>,=HYPERLINK(1)"')
    met = event(RENDEZVOUS, RORO, "2018-10-03", "2018-10-04")
    findings = join(world(more=[met]), shipments_of(tmp_path, row), reach=False)
    assert findings[0].goods[0]["description"] == "<script>alert(1)</script>,=HYPERLINK(1)"


@pytest.mark.parametrize(
    "wrong",
    [
        {"risk_countries": "KP"},
        {"risk_countries": ("PRK",)},
        {"min_dark_score": 1.5},
        {"min_dark_score": float("nan")},
        {"reach_limit": -1},
        {"weights": {"valeu": 1.0}},
        {"weights": dict.fromkeys(("value", "route"), 0.0)},
        {"weights": {"value": -1.0}},
    ],
)
def test_parameters_that_cannot_be_meant_are_refused_in_one_line(tmp_path, wrong):
    with pytest.raises(UsageError) as caught:
        join(make_events([], []), shipments_of(tmp_path), **wrong)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_flagship_fixture_ranks_first_and_the_innocent_far_below():
    """The whole way on the shipped fixture, from sentences to findings."""
    folder = Path(__file__).parents[1] / "fixtures" / "flagship"
    if not (folder / "track.nmea.zst").exists():
        pytest.skip("fixtures/flagship has no track")
    events = detect(read([folder / "track.nmea.zst"]))
    findings = join(events, read_shipments(folder / "shipments.csv"))
    assert "limousine" in findings[0].title and "SEA LARK 5" in findings[0].title
    assert findings[0].conclusion == "consistent with delivery in the Russian Far East or the DPRK; not proven"
    embassy = next(a for a in findings.assessed if "armoured" in a.title and not a.is_finding)
    cars = [a for a in findings.assessed if "used" in a.title]
    assert embassy.upper < findings[0].score.lower and cars
    assert all(a.lower < 0.5 * findings[0].score.lower for a in cars)
    namesake = [
        a for a in findings.assessed if "SEA LARK 5" in a.title and ("Manila" in a.title or "Singapore" in a.title)
    ]
    assert namesake and min(a.rank for a in [embassy, *cars, *namesake]) > len(findings.assessed) / 3
