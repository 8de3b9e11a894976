"""Which goods were on which ship when it went dark: the join, its conclusions, and its order of cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ais.read import read
from cargo.join import join
from cargo.shipments import read_shipments
from detectors.detect import detect
from detectors.event import DARK, GAP, LOITERING, PORT_CALL, RENDEZVOUS, label_code
from geo.errors import UsageError
from tests.join_case import (
    EMBASSY,
    LARK,
    NAMESAKE,
    RORO,
    event,
    limousine_rows,
    make_events,
    only,
    row_on,
    shipments_of,
    signal,
    used_car_rows,
    world,
)


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
        finding = join(events, shipments_of(tmp_path, *limousine_rows()), reach=False)[0]
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
