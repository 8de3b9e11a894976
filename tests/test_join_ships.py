"""Which ship a row names: IMO, namesakes, vetoes, candidates."""

from __future__ import annotations

from cargo.join import join
from detectors.event import PORT_CALL, RENDEZVOUS
from tests.join_case import LARK, LARK_IMO, NAMESAKE, RORO, event, make_events, row_on, shipments_of, world


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
