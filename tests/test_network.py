"""The network: ways from goods to listed parties with the evidence of each step, and its signals."""

import json

import numpy as np
import pytest

from ais.identity import Identities
from ais.table import NAT, Table
from cargo.listed import Listed
from cargo.mentions import mentions_of
from cargo.network import Network
from cargo.network_signals import listed_paths, near_listed, other_prohibited, prohibited_of, shell_signs
from cargo.parties import MASS_ADDRESS, Mention, resolve_parties
from cargo.shipments import read_shipments
from cargo.ships import Fact, Ship
from cargo.watchlists import Entry, Kept, Watchlist
from luxwake.cli import main
from luxwake.store import write_parquet

HEAD = (
    "bl_number,vin,hs_code,description,shipper,shipper_country,consignee,consignee_country,"
    "load_port,discharge_port,depart_date,arrive_date,vessel_name,imo\n"
)
CAR = (
    "B1,ZZX00000000000001,870324,used car,Belvederon Trading,PA,Romashka LLC,RU,KRPUS,RUVVO,2018-10-01,2018-10-05,{}\n"
)
COAL = "B2,,270111,coal,Quite Other,RU,Some Body,KR,RUNJK,KRKPO,2018-10-20,2018-11-01,{}\n"
OCT_2018 = 1_538_400_000_000_000


def rows_of(tmp_path, *lines):
    place = tmp_path / "bl.csv"
    place.write_text(HEAD + "".join(lines), encoding="utf-8")
    return read_shipments(place)


def lists(*entries, on="2019-01-01"):
    return Listed(Kept((Watchlist("Test list", on, "x", "x", "x", "x", tuple(entries), {}),)))


def network(shipments, listed=None, ships=(), **more):
    made = Network(listed=listed, **more)
    made.add_rows(shipments.rows(), resolve_parties(mentions_of(shipments)))
    made.add_ships(ships)
    made.add_carriers(shipments.rows())
    return made


def ship(imo, name, owner="", t_from=NAT, t_to=NAT):
    facts = [Fact("name", name, NAT, NAT, "register")]
    facts += [Fact("owner", owner, t_from, t_to, "register line 2")] if owner else []
    return Ship(f"imo-{imo}", imo, tuple(facts))


VESSEL = Entry(uid="v1", kind="vessel", name="SEA TERN", imo=("9999981",), listed_on="2018-03-30")
FIRM = Entry(uid="c1", kind="organization", name="Belvederon Trading", countries=("PA",), listed_on="2018-03-30")


def test_a_listed_party_of_the_row_is_one_hop_away_with_the_evidence_of_each_step(tmp_path):
    made = network(rows_of(tmp_path, CAR.format("SEA LARK,9999993")), lists(FIRM))
    goods = "VIN ZZX00000000000001"
    (way,) = made.paths_to_listed(goods, at=OCT_2018)
    assert way.hops == 1.0 and way.sure
    assert [(edge.kind, edge.source) for edge in way.edges] == [
        ("described in", "shipments"), ("shipper", "shipments"), ("on the list as", "Test list"),
    ]  # fmt: skip
    assert way.edges[0].one == goods and way.edges[-1].how == "the same name and the same country"
    assert made.paths_to_listed(goods, max_hops=0.5) == ()
    assert made.paths_to_listed("never heard of") == ()


def test_a_sister_ship_that_is_listed_is_found_through_the_owner_of_that_time(tmp_path):
    shipments = rows_of(tmp_path, CAR.format("SEA LARK,9999993"))
    until_2017 = 1_500_000_000_000_000
    for t_to, ways in ((NAT, 1), (until_2017, 0)):
        ships = [
            ship(9999993, "SEA LARK", "Nimbus Shipping", t_to=t_to),
            ship(9999981, "SEA TERN", "NIMBUS SHPG CO LTD"),
        ]
        made = network(shipments, lists(VESSEL), ships)
        found = made.paths_to_listed("shipments row 1", at=OCT_2018)
        assert len(found) == ways
    made = network(shipments, lists(VESSEL), ships)
    (way,) = made.paths_to_listed("shipments row 1")
    assert (way.hops, [edge.kind for edge in way.edges]) == (2.5, ["carried by", "owner", "owner", "on the list as"])


def test_a_name_alone_makes_no_way_and_the_signal_is_unknown_and_not_no(tmp_path):
    shipments = rows_of(tmp_path, CAR.format("SEA LARK,9999993").replace(",PA,", ",,"))
    nameless = Entry(uid="c1", kind="organization", name="Belvederon Trading")
    made = network(shipments, lists(nameless))
    assert made.paths_to_listed("shipments row 1") == ()
    signal = near_listed(made, ["shipments row 1"], OCT_2018)
    assert signal.value is None and "by name alone" in signal.why
    (way,) = network(shipments, lists(nameless), candidates=True).paths_to_listed("shipments row 1")
    assert not way.sure


def test_the_signal_knows_then_from_now_and_says_which_lists_were_asked(tmp_path):
    shipments = rows_of(tmp_path, CAR.format("SEA LARK,9999993"))
    row = ["shipments row 1"]
    assert near_listed(network(shipments), row).value is None
    signal = near_listed(network(shipments, lists(FIRM)), row, OCT_2018)
    assert signal.value == 1.0 and "listed then: yes" in signal.why and signal.evidence
    assert near_listed(network(shipments, lists(FIRM)), row, OCT_2018 - 10**15).value == 0.0  # before it was listed
    clear = near_listed(network(shipments, lists(VESSEL)), row, OCT_2018)
    assert clear.value == 0.0 and "Test list of 2019-01-01" in clear.why
    broken = lists(VESSEL)
    broken.unreadable = (("other.jsonl", "is damaged"),)
    assert near_listed(network(shipments, broken), row, OCT_2018).value is None


def test_other_prohibited_trade_of_the_same_owner_is_counted(tmp_path):
    shipments = rows_of(tmp_path, CAR.format("SEA LARK,9999993"), COAL.format("SEA TERN,9999981"))
    ships = [ship(9999993, "SEA LARK", "Nimbus Shipping"), ship(9999981, "SEA TERN", "Nimbus Shipping")]
    made = network(shipments, None, ships)
    others = prohibited_of(made, shipments.rows(), own=[1])
    (told,) = others["imo-9999981"]
    assert told.startswith("row 2 (UN, UNSCR 2371")
    signal = other_prohibited(made, ["shipments row 1"], others)
    assert signal.value == pytest.approx(1 / 5)  # two parties, the ship, its owner, and the sister that carried coal
    assert signal.evidence == (told,)
    wide = other_prohibited(made, ["imo-9999993"], others)
    assert wide.value is not None and wide.value > 0.0 and told in wide.evidence
    assert other_prohibited(made, ["imo-9999993"], others, looked_for=False).value is None


def test_an_address_of_very_many_ties_nobody():
    place = "12 Harbour Road, Testville"
    words = [a + b for a in ("Kar", "Dol", "Sir", "Tun") for b in ("amel", "men", "occo", "dra")]
    for n, tied in ((2, True), (MASS_ADDRESS, False)):
        mentions = [Mention(i, "shipper", f"{word} Trading", place, "PA") for i, word in enumerate(words[:n])]
        made = Network()
        parties = resolve_parties(mentions)
        made.add_rows([], parties)
        assert len(parties.parties) == n
        assert bool(made.neighbours(parties.parties[0].id)) is tied


def test_a_carrier_of_very_many_rows_ties_nobody_but_is_found_itself(tmp_path):
    head = "description,load_port,discharge_port,shipper,carrier\n"
    lines = [f"car,KRPUS,RUVVO,Firm{n:03d}ab Trading,Nimbus Lines\n" for n in range(210)]
    (tmp_path / "bl.csv").write_text(head + "".join(lines), encoding="utf-8")
    shipments = read_shipments(tmp_path / "bl.csv")
    made = network(shipments)
    row = "shipments row 1"
    parties = resolve_parties(mentions_of(shipments))
    assert made.neighbours(row) == sorted({parties.of[1, "shipper"].id, parties.of[1, "carrier"].id})
    assert len(made.neighbours(parties.of[1, "carrier"].id)) == 210


def test_signs_of_a_shell_are_unknown_where_nothing_is_known(tmp_path):
    shipments = rows_of(tmp_path, CAR.format("SEA LARK,9999993"))
    row = ["shipments row 1"]
    assert [signal.value for signal in shell_signs(network(shipments), row, OCT_2018)] == [None, None, None]
    fleet = [ship(9_000_000 + n, f"SHIP {n}", f"Owner {n}") for n in range(120)]
    alone = network(shipments, None, [ship(9999993, "SEA LARK", "Nimbus Shipping"), *fleet])
    assert shell_signs(alone, row, OCT_2018)[0].value == 1.0
    two = [ship(9999993, "SEA LARK", "Nimbus Shipping"), ship(9999981, "TERN", "Nimbus Shipping")]
    assert shell_signs(network(shipments, None, two), row, OCT_2018)[0].value == 0.0
    young = Entry(uid="c1", kind="organization", name="Belvederon Trading", countries=("PA",), founded_on="2018-05-01")
    assert shell_signs(network(shipments, lists(young)), row, OCT_2018)[1].value == 1.0


def test_shortest_ways_are_those_of_a_plain_search(tmp_path):
    """A slow twin: breadth first over half hops."""
    shipments = rows_of(tmp_path, CAR.format("SEA LARK,9999993"), COAL.format("SEA TERN,9999981"))
    ships = [ship(9999993, "SEA LARK", "Nimbus Shipping"), ship(9999981, "SEA TERN", "Nimbus Shipping")]
    made = network(shipments, lists(VESSEL, FIRM), ships)
    for start in list(made.graph.nodes):
        far = {start: 0.0}
        for _ in range(len(made.graph)):
            for one, other, data in made.graph.edges(data=True):
                for a, b in ((one, other), (other, one)):
                    if a in far:
                        far[b] = min(far.get(b, 99.0), far[a] + data["weight"])
        ways = {way.edges[-1].other: way.hops for way in made.paths_to_listed(start, max_hops=9.0)}
        expected = {n: d for n, d in far.items() if n.startswith("Test list: ") and n != start}
        assert ways == expected


def test_a_ship_that_a_paper_names_is_known_by_its_number(tmp_path):
    made = network(rows_of(tmp_path, CAR.format("SEA TERN,9999981")), lists(VESSEL))
    (path,) = listed_paths(made, ["shipments row 1"], OCT_2018)
    assert path.hops == 0.5 and path.hit.then.answer == "yes"


def test_who_reads_the_identities_that_a_run_kept(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LUXWAKE_DATA", str(tmp_path / "data"))
    told = {
        "t_from": np.array([OCT_2018, OCT_2018 + 10**13]), "t_to": np.array([OCT_2018 + 10**12, OCT_2018 + 2 * 10**13]),
        "mmsi": np.array([671999101, 671999101], np.uint32), "imo": np.array([9999993, 9999993], np.uint32),
        "name": np.array([b"LARK", b"TERN"]), "callsign": np.array([b"", b"5VAA1"]),
    }  # fmt: skip
    write_parquet(Identities(told), tmp_path / "identity.parquet")
    assert main(["who", "671999101", "--run", str(tmp_path), "--json"]) == 0
    ship_told = json.loads(capsys.readouterr().out.splitlines()[0])
    names = [(f["value"], f["from"]) for f in ship_told["facts"] if f["kind"] == "name"]
    assert names == [("LARK", "2018-10-01"), ("TERN", "2019-01-25")]
    assert ("flag", "TG") in {(f["kind"], f["value"]) for f in ship_told["facts"]}


def test_who_finds_a_listed_ship_that_this_one_met(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LUXWAKE_DATA", str(tmp_path / "data"))
    told = {
        "t_from": np.array([OCT_2018] * 2), "t_to": np.array([OCT_2018 + 10**12] * 2),
        "mmsi": np.array([671999101, 671999102], np.uint32), "imo": np.array([9999993, 9999981], np.uint32),
        "name": np.array([b"LARK", b"TERN"]), "callsign": np.array([b"", b""]),
    }  # fmt: skip
    write_parquet(Identities(told), tmp_path / "identity.parquet")
    met = {
        "id": np.array(["e1"]), "kind": np.array(["rendezvous"]), "mmsi": np.array([671999101]),
        "other": np.array([671999102]), "t_start": np.array([OCT_2018]), "t_end": np.array([OCT_2018 + 10**10]),
    }  # fmt: skip

    class Met(Table):
        times = ("t_start", "t_end")

    write_parquet(Met(met), tmp_path / "events.parquet")
    (tmp_path / "l.csv").write_text("imo,name\n9999981,TERN\n")
    taken = ["--name", "Test list", "--date", "2019-01-01", "--map", "imo=imo,name=name"]
    assert main(["watchlists", "import", str(tmp_path / "l.csv"), *taken, "--quiet"]) == 0
    capsys.readouterr()
    assert main(["who", "LARK", "--run", str(tmp_path), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["kind"], one["events"], one["first"]) for one in lines if one["type"] == "events"] == [
        ("rendezvous", 1, "2018-10-01")
    ]
    (way,) = (one for one in lines if one["type"] == "path")
    assert [step["step"] for step in way["steps"]] == ["met", "on the list as"]
    assert way["steps"][0]["source"] == "event e1" and way["entry"]["name"] == "TERN"


def test_who_shows_identities_rows_lists_and_ways(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LUXWAKE_DATA", str(tmp_path / "data"))
    rows_of(tmp_path, CAR.format("SEA TERN,9999981"), COAL.format("SEA TERN,9999981"))
    (tmp_path / "reg.csv").write_text(
        "imo,name,owner,from,to\n9999981,OLD TERN,Nimbus Shipping,2015-01-01,2017-01-01\n"
    )
    (tmp_path / "l.csv").write_text("imo,name,day\n9999981,SEA TERN,2018-10-03\n")
    taken = ["--name", "Test list", "--date", "2019-01-01", "--map", "imo=imo,name=name,listed_on=day"]
    assert main(["watchlists", "import", str(tmp_path / "l.csv"), *taken, "--quiet"]) == 0
    capsys.readouterr()
    where = ["--shipments", str(tmp_path / "bl.csv"), "--registry", str(tmp_path / "reg.csv"), "--date", "2018-10-01"]
    assert main(["who", "9999981", *where, "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kinds = [one["type"] for one in told]
    assert kinds == ["ship", "row", "row", "check", "path"]
    facts = {(f["kind"], f["value"], f["from"], f["to"]) for f in told[0]["facts"]}
    assert ("name", "OLD TERN", "2015-01-01", "2017-01-01") in facts
    assert told[3]["hits"][0]["then"]["answer"] == "no" and told[3]["hits"][0]["now"]["answer"] == "yes"
    assert main(["who", "Belvederon Trading Co", *where]) == 0
    out = capsys.readouterr().out
    assert "used car" in out and "SEA TERN" in out
    assert main(["who", "nobody at all", *where]) == 0
    assert "not in the shipments" in capsys.readouterr().err
    assert main(["who", "x", "--hops", "9"]) == 2
    assert main(["who", "x", "--run", str(tmp_path)]) == 1
