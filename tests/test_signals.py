"""The signals of the factors: each speaks of its matter, moves with its source alone, and is unknown without it."""

from datetime import date

import pytest

from cargo.control import ControlLists
from cargo.join import join
from cargo.ships import Fact, Ship
from cargo.watchlists import Entry, Kept, Watchlist
from detectors.event import DARK, GAP, RENDEZVOUS
from tests.join_case import (
    EMBASSY,
    LARK,
    LARK_IMO,
    NAMESAKE,
    event,
    limousine_rows,
    only,
    shipments_of,
    signal,
    us,
    used_car_rows,
    world,
)

NONE = Kept(())
SISTER_IMO = 9999981


def lists_of(*entries, on="2019-01-01"):
    return Kept((Watchlist("Test list", on, "x", "x", "x", "0f", entries, {}),))


def joined(tmp_path, rows, *, more=(), **options):
    return join(world(more=more), shipments_of(tmp_path, *rows), reach=False, **{"watchlists": NONE, **options})


def values(finding):
    return {s.name: s.value for factor in finding.score.factors for s in factor.signals}


def changed(one, other):
    before, after = values(one), values(other)
    return {name for name in before if before[name] != after[name]}


@pytest.fixture(scope="module")
def flagship(tmp_path_factory):
    return only(joined(tmp_path_factory.mktemp("flag"), limousine_rows()), "SEA LARK 5")


def test_the_known_case_shows_what_is_known_of_it(flagship):
    told = values(flagship)
    yes = ("controlled goods", "luxury item", "long stay ashore", "cargo flip", "cargo misdeclared", "consignee")
    assert {name: told[name] for name in yes} == dict.fromkeys(yes, 1.0)
    assert "26 days at Dalian" in signal(flagship, "long stay ashore").why
    assert "anthracite" in signal(flagship, "cargo flip").why
    assert "basis: stored" in signal(flagship, "controlled goods").why
    assert "UNVERIFIED" in signal(flagship, "cargo flip").why
    assert told["units unaccounted for"] == 0.0
    assert told["near a listed party"] is None and "no watch-list" in signal(flagship, "near a listed party").why
    rows = {f"row {i}" for i in range(1, 15)}
    events = {f"event {e['id']}" for e in flagship.events}
    for factor in flagship.score.factors:
        for one in factor.signals:
            assert set(one.evidence) <= rows | events and (one.evidence or one.value in (None, 0.0)), one.name


def test_a_rule_that_is_not_in_force_yet_does_not_control_and_no_rule_is_unknown(tmp_path, flagship):
    early = [row.replace("2018-", "2017-") for row in used_car_rows(1)]
    car = joined(tmp_path, [row.replace("yes", "") for row in early])
    assert len(car) == 0
    shipped = ControlLists.shipped()
    verdicts = shipped.of(["UN"]).check(hs_code="870323", date=date(2017, 10, 2), destination="KP")
    assert "controlled" not in {v.status for v in verdicts}
    elsewhere = only(joined(tmp_path, limousine_rows(), risk_countries=("BR",)), "SEA LARK 5")
    assert signal(elsewhere, "controlled goods").value is None
    assert "no rule about BR" in signal(elsewhere, "controlled goods").why
    knowledge = ControlLists([rule for rule in shipped.rules if not rule.verified])
    doubted = signal(only(joined(tmp_path, limousine_rows(), lists=knowledge), "SEA LARK 5"), "controlled goods")
    assert doubted.value is None and "UNVERIFIED" in doubted.why


def test_the_value_that_falls_the_code_that_changes_and_the_toy_are_misdeclared(tmp_path):
    head = "F{},LXWU0000044,,{},{},1,{},USD,1200,A,B,{},{},{},{},{},,,x"
    first = head.format(1, "870323", "used passenger car", 40000, "JPOSA", "KRPUS", "2018-09-20", "2018-09-24", "")
    for code, text, value, name, told in (
        ("870323", "used passenger car", 10000, "value falling on the way", 1.0),
        ("870323", "used passenger car", 39000, "value falling on the way", 0.0),
        ("870323", "used passenger car", 10000, "cargo misdeclared", 1.0),
        ("870323", "used passenger car", 39000, "cargo misdeclared", 0.0),
        ("870899", "used passenger car", 39000, "cargo misdeclared", 1.0),
        ("870323", "toy cars 1:18", 39000, "cargo misdeclared", 1.0),
    ):
        ports = ("KRPUS", "RUVVO", "2018-10-02", "2018-10-04", "AMUR CARRIER")
        rows = [first, head.format(2, code, text, value, *ports)]
        met = event(RENDEZVOUS, 273999001, "2018-10-03", "2018-10-03T06:00", other=NAMESAKE)
        finding = only(joined(tmp_path, rows, more=[met]), "AMUR CARRIER")
        assert len(finding.chain) == 2 and values(finding)[name] == told, (code, text, value, name)
        stay = signal(finding, "long stay ashore")
        assert stay.value == pytest.approx(1 / 14) and "8 days" in stay.why


def test_a_return_shipment_and_a_placeholder_speak_and_silence_of_papers_is_unknown(tmp_path):
    met = event(RENDEZVOUS, 273999001, "2018-10-03", "2018-10-03T06:00", other=NAMESAKE)

    def told(row):
        return values(only(joined(tmp_path, [row], more=[met]), "AMUR CARRIER"))

    row = "X1,,,870323,used car,1,4000,USD,1200,{},{},KRPUS,RUVVO,2018-10-02,2018-10-04,AMUR CARRIER,,,{}"
    assert told(row.format("A", "B", "return shipment"))["not cleared by customs"] == 1.0
    assert told(row.format("A", "B", "x"))["not cleared by customs"] is None
    assert told(row.format("Alfa", "SAME AS CONSIGNEE", "x"))["party not named"] == 1.0
    assert told(row.format("Alfa", "", "x"))["party not named"] is None
    assert told(row.format("Alfa", "Beta", "x"))["party not named"] == 0.0


def test_a_list_that_names_the_ship_moves_only_what_it_should(tmp_path):
    ship = Entry(uid="v1", kind="vessel", name="SEA LARK 5", imo=(str(LARK_IMO),), listed_on="2018-03-30")
    listed = joined(tmp_path, [*limousine_rows(), *used_car_rows(), EMBASSY], watchlists=lists_of(ship))
    finding = only(listed, "SEA LARK 5")
    plain = joined(tmp_path, [*limousine_rows(), *used_car_rows(), EMBASSY])
    assert changed(only(plain, "SEA LARK 5"), finding) == {"near a listed party"}
    assert signal(finding, "near a listed party").value == 1.0
    assert "listed then: yes" in signal(finding, "near a listed party").why
    other = {a.id: a.lower for a in plain.assessed}
    moved = [a for a in listed.assessed if a.lower != other[a.id]]
    assert moved[0].id == finding.id and len(moved) == 3  # the coal of that ship, and the car of the same forwarder
    assert "anthracite" in moved[1].title and "armoured" in moved[2].title and moved[2].rank > moved[1].rank
    later = lists_of(Entry(uid="v1", kind="vessel", name="SEA LARK 5", imo=(str(LARK_IMO),), listed_on="2018-12-01"))
    then = signal(only(joined(tmp_path, limousine_rows(), watchlists=later), "SEA LARK 5"), "near a listed party")
    assert then.value == 0.0 and "at other times only" in then.why
    assert finding.parameters["watch_lists"] == [{"list": "Test list", "date": "2019-01-01", "sha256": "0f"}]
    assert finding.parameters["control_lists"] == ControlLists.shipped().version


def test_the_owner_s_other_ship_counts_by_the_register_and_what_its_sister_did(tmp_path):
    def ship(imo, name, mmsi):
        facts = [("name", name), ("mmsi", mmsi), ("owner", "Nimbus Shipping")]
        return Ship(
            f"imo-{imo}",
            imo,
            tuple(Fact(kind, value, us("2016-01-01"), us("2020-01-01"), "register") for kind, value in facts),
        )

    sister = event(DARK, NAMESAKE, "2018-10-10", "2018-10-14", score=0.9)
    fleet = [ship(LARK_IMO, "SEA LARK 5", str(LARK)), ship(9999890, "SEA LARK 5", str(NAMESAKE))]
    rows = [row for row in limousine_rows() if "anthracite" not in row]
    without = only(joined(tmp_path, rows, more=[sister]), "SEA LARK 5")
    assert values(without)["other prohibited trade of the ship or its owner"] is None
    assert values(without)["other prohibited trade nearby"] == 0.0
    known = only(joined(tmp_path, rows, more=[sister], registry=fleet), "SEA LARK 5")
    assert values(known)["other prohibited trade of the ship or its owner"] == 0.0
    near = signal(known, "other prohibited trade nearby")
    assert 0.0 < near.value < 1.0 and len(near.evidence) == 1 and near.evidence[0].startswith("event ")
    entry = Entry(uid="v9", kind="vessel", name="SEA LARK 5", imo=("9999890",), listed_on="2018-01-01")
    listed = only(joined(tmp_path, rows, registry=fleet, watchlists=lists_of(entry)), "SEA LARK 5")
    assert values(listed)["near a listed party"] == 0.5  # row, ship, owner, sister: 2.5 hops


def test_settled_chains_stand_behind_the_others_and_value_alone_alarms_nobody(tmp_path):
    plain = "P{},,,940360,wooden furniture,90,9000,USD,900,A{},B{},KRPUS,RUVVO,2018-10-02,2018-10-04,AMUR CARRIER,,,x"
    rows = [*limousine_rows(), *used_car_rows(3), EMBASSY, *(plain.format(i, i, i) for i in range(12))]
    found = joined(tmp_path, rows)
    embassy = next(a for a in found.assessed if "Busan" in a.title and "armoured" in a.title)
    assert found.assessed[0].is_finding and embassy.rank > len(found.assessed) * 2 / 3
    assert [a.rank for a in found.assessed] == list(range(1, len(found.assessed) + 1))


def test_a_gap_of_18_days_in_a_hole_of_reception_is_never_called_dark(tmp_path):
    gap = event(GAP, LARK, "2018-10-01T12:00", "2018-10-19T12:00", score=0.1, coverage=0.0)
    events = world(more=[gap])
    events = events.take(events["kind"] != DARK)
    found = join(events, shipments_of(tmp_path, *limousine_rows()), reach=False, watchlists=NONE)
    text = found.to_json()
    finding = only(found, "SEA LARK 5")  # it did not call where it was declared to
    assert values(finding)["AIS off"] != 1.0 and "carried during" not in {e["relation"] for e in finding.events}
    assert "AIS silent" not in finding.title and '"kind": "dark"' not in text
