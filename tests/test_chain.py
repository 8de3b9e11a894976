"""Rows to legs, legs to chains: what is linked, by what, and what is left open."""

from __future__ import annotations

import random
from pathlib import Path

import naive_chains
import pytest

from cargo.chain import build_chains
from cargo.legtable import LegTable
from cargo.shipments import read_shipments
from luxwake.simulate.trade import TradeParams, trade_world

HEADER = (
    "bl_number,container,vin,hs_code,description,quantity,shipper,consignee,load_port,discharge_port,depart_date,"
    "arrive_date,vessel_name,source"
)
BOX, OTHER_BOX = "LXWU0000012", "LXWU0000028"


def row(bl="", box="", vin="", hs="870324", q=1, a="KRPUS", b="RUVVO", out="2018-10-01", to="2018-10-04", **more):
    """One line of a shipments file."""
    text = more.get("text", "car")
    tail = f"{out},{to},{more.get('ship', '')},{more.get('source', 's')}"
    return f"{bl},{box},{vin},{hs},{text},{q},{more.get('by', 'A')},{more.get('cons', 'B')},{a},{b},{tail}"


def shipments_of(folder: Path, *lines: str):
    path = folder / "bl.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return read_shipments(path)


def legs_of(shipments):
    table = LegTable(shipments)
    return table.legs(range(len(table)))


def ways(chains):
    """Ports of each chain, with the method of each link."""
    return [
        ([leg.load_port for leg in chain.legs] + [chain.legs[-1].discharge_port], [link.method for link in chain.links])
        for chain in chains
    ]


def test_rows_of_one_bill_container_and_ports_are_one_leg_with_every_version_kept(tmp_path):
    lines = [
        row("B1", BOX, cons="Alpha Co", source="manifest"),
        row("b-1", BOX, cons="Master of X", to="2018-10-09", source="press"),
        row("B1", BOX, cons="ALPHA  CO.", source="customs"),
    ]
    (leg,) = legs_of(shipments_of(tmp_path, *lines))
    assert leg.row_numbers == (1, 2, 3) and leg.first("consignee") == "Alpha Co"
    said = {c.predicate: [(v.value, v.source, v.row) for v in c.values] for c in leg.claims}
    assert set(said) == {"consignee", "t_arrive"}
    assert ("Master of X", "press", 2) in said["consignee"] and len(said["consignee"]) == 3


def test_spelling_length_of_code_and_ships_prefix_make_no_conflict(tmp_path):
    lines = [row("B1", BOX, hs="8703", ship="M/V Sea Lark 5"), row("B1", BOX, hs="870324", ship="SEALARK 5")]
    (leg,) = legs_of(shipments_of(tmp_path, *lines))
    assert leg.claims == ()


def test_two_cars_in_one_box_and_two_goods_on_one_bill_are_legs_of_their_own(tmp_path):
    two_cars = [row("B1", BOX, vin="ZZX00000000000001"), row("B1", BOX, vin="ZZX00000000000002")]
    two_goods = [row("B2", hs="870323"), row("B2", hs="270111")]
    assert len(legs_of(shipments_of(tmp_path, *two_cars, *two_goods))) == 4


def test_bill_without_container_joins_the_one_leg_that_fits(tmp_path):
    lines = [row("B1", BOX), row("B1", cons="C", source="press"), row("B2", BOX), row("B2", OTHER_BOX), row("B2")]
    legs = legs_of(shipments_of(tmp_path, *lines))
    assert [leg.row_numbers for leg in legs] == [(1, 2), (3,), (4,), (5,)]


def test_container_links_within_90_days_only(tmp_path):
    first = row("B1", BOX, a="NLRTM", b="CNDLC", out="2018-06-20", to="2018-07-31")
    near = row("B2", BOX, a="CNDLC", b="JPOSA", out="2018-08-26", to="2018-09-18")
    far = row("B3", BOX, a="CNDLC", b="JPOSA", out="2018-11-26", to="2018-11-29")
    assert ways(build_chains(shipments_of(tmp_path, near, first))) == [(["NLRTM", "CNDLC", "JPOSA"], ["container"])]
    assert len(build_chains(shipments_of(tmp_path, first, far.replace(",870324,car,1,", ",870324,car,2,")))) == 2


def test_a_cell_of_several_containers_links_with_each_of_them(tmp_path):
    both, third = f'"{BOX}, {OTHER_BOX}"', "LXWU0000033"
    onward = row("B2", OTHER_BOX, q=2, a="RUVVO", b="CNDLC", out="2018-10-20", to="2018-10-25")
    chains = build_chains(shipments_of(tmp_path, row("B1", both), onward))
    assert ways(chains) == [(["KRPUS", "RUVVO", "CNDLC"], ["container"])]
    chains = build_chains(shipments_of(tmp_path, row("B1", both), onward.replace(OTHER_BOX, third)))
    assert len(chains) == 2


def test_a_used_again_box_with_other_goods_elsewhere_or_another_vin_is_not_linked(tmp_path):
    first = row("B1", BOX, vin="ZZX00000000000001", a="NLRTM", b="CNDLC", out="2018-06-20", to="2018-07-31")
    toys = row("B2", BOX, hs="950300", a="CNSHA", b="USLAX", out="2018-08-10", to="2018-08-25")
    other_car = row("B3", BOX, vin="ZZX00000000000002", a="CNDLC", b="JPOSA", out="2018-08-10", to="2018-08-12")
    assert len(build_chains(shipments_of(tmp_path, first, toys))) == 2
    assert len(build_chains(shipments_of(tmp_path, first, other_car))) == 2


def test_a_conflict_on_the_arrival_does_not_break_the_chain(tmp_path):
    """By one source the box arrived after it had left again."""
    lines = [
        row("B1", BOX, a="CNDLC", b="JPOSA", out="2018-08-26", to="2018-10-20", source="press"),
        row("B1", BOX, a="CNDLC", b="JPOSA", out="2018-08-26", to="2018-09-18", source="port"),
        row("B2", BOX, a="JPOSA", b="KRPUS", out="2018-09-27", to="2018-09-30"),
    ]
    assert ways(build_chains(shipments_of(tmp_path, *lines)))[0][1] == ["container"]


def test_vin_links_without_a_box_and_says_that_a_leg_is_missing(tmp_path):
    vin = "ZZX00000000000001"
    lines = [
        row("B1", vin=vin, a="NLRTM", b="CNDLC", out="2018-06-20", to="2018-07-31"),
        row("B2", vin=vin, a="JPOSA", b="KRPUS", out="2018-09-27", to="2018-09-30"),
    ]
    (chain,) = build_chains(shipments_of(tmp_path, *lines))
    assert chain.links[0].method == "VIN" and "missing" in chain.links[0].note


def test_goods_link_by_hand_over_when_just_one_leg_fits(tmp_path):
    first = row("B1", hs="270111", q=2588, a="RUNJK", b="KRKPO", out="2018-10-20", to="2018-11-01")
    on = row("B2", hs="270111", q=2588, a="KRKPO", b="KRPUS", out="2018-11-10", to="2018-11-11")
    assert ways(build_chains(shipments_of(tmp_path, first, on)))[0][1] == ["goods and hand-over"]
    for wrong in (
        on.replace("270111", "270112"),
        on.replace("2588", "2599"),
        on.replace("2018-11-1", "2019-03-1"),
        on.replace("KRKPO", "KRUSN"),
        on.replace("2018-11-10", "2018-11-01"),
    ):
        assert len(build_chains(shipments_of(tmp_path, first, wrong))) == 2, wrong


def test_goods_that_two_legs_could_follow_are_linked_to_neither_and_both_are_named(tmp_path):
    first = row("B1", hs="270111", q=50, a="RUNJK", b="KRKPO", out="2018-10-20", to="2018-11-01")
    on = [row(f"B{n}", hs="270111", q=50, a="KRKPO", b="KRPUS", out=f"2018-11-1{n}", to="2018-11-20") for n in (2, 3)]
    chains = build_chains(shipments_of(tmp_path, first, *on))
    assert len(chains) == 3 and chains[0].strands[0].open_ends == (2, 3)


def test_goods_that_go_together_are_one_chain_of_strands_and_the_units_balance(tmp_path):
    lines = []
    for box in (BOX, OTHER_BOX):
        lines.append(row("B1", box, a="NLRTM", b="CNDLC", out="2018-06-20", to="2018-07-31", q=2))
        lines.append(row("B2", box, a="CNDLC", b="JPOSA", out="2018-08-26", to="2018-09-18", q=2))
    (chain,) = build_chains(shipments_of(tmp_path, *lines))
    assert len(chain.strands) == 2 and chain.row_numbers == (1, 2, 3, 4)
    assert chain.balances() == [("CNDLC", 4.0, 4.0, 0.0)]
    short = lines[3].replace("car,2,", "car,1,")
    (chain,) = build_chains(shipments_of(tmp_path, *lines[:3], short))
    assert chain.balances()[0].remainder == 1.0
    (chain,) = build_chains(shipments_of(tmp_path, *lines[:3], short.replace("car,1,", "car,,")))
    assert chain.balances()[0].remainder is None


def test_a_box_that_left_twice_at_once_names_the_rival(tmp_path):
    lines = [
        row("B1", BOX, a="NLRTM", b="CNDLC", out="2018-06-20", to="2018-07-31"),
        row("B2", BOX, a="CNDLC", b="JPOSA", out="2018-08-10", to="2018-08-20"),
        row("B3", BOX, a="CNDLC", b="KRPUS", out="2018-08-12", to="2018-08-15"),
    ]
    chain = build_chains(shipments_of(tmp_path, *lines))[0]
    assert chain.links[0].alternatives == (3,)


def test_legs_without_dates_never_close_a_circle(tmp_path):
    there = row("B1", BOX, a="KRPUS", b="RUVVO", out="", to="")
    back = row("B2", BOX, a="RUVVO", b="KRPUS", out="", to="")
    assert len(build_chains(shipments_of(tmp_path, there, back))[0].legs) == 2


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_rows_changes_no_chain(tmp_path, seed):
    """The rows of a file may come in any order: the same rows are linked."""
    ports = ["NLRTM", "CNDLC", "JPOSA", "KRPUS", "RUNJK"]
    lines = []
    for n in range(6):
        box = (BOX, OTHER_BOX, "")[n % 3]
        for i in range(4):
            out, to = f"2018-0{i + 4}-{n + 10}", f"2018-0{i + 4}-{n + 20}"
            vin = f"ZZX000000000000{n:02d}"
            lines.append(row(f"B{n}{i}", box if n < 3 else "", vin, a=ports[i], b=ports[i + 1], out=out, to=to))
    expected = _by_bill(build_chains(shipments_of(tmp_path, *lines)))
    random.Random(seed).shuffle(lines)
    assert _by_bill(build_chains(shipments_of(tmp_path, *lines))) == expected
    assert all(len(bills) == 4 for bills in expected)


def _by_bill(chains):
    return sorted([leg.first("bl_number") for leg in strand.legs] for chain in chains for strand in chain.strands)


@pytest.mark.parametrize("seed", [5, 6])
def test_legs_and_chains_equal_the_obvious_twins(tmp_path, seed):
    rng = random.Random(seed)
    world = trade_world(TradeParams(ships=60, rows=400, days=120, ports=10), seed)
    rows = [dict(one) for one in world.rows]
    for one in rows:  # numbers that repeat, rows that say little, goods that are alike
        one["quantity"] = rng.choice(["1", "2", one["quantity"], ""])
        for name in ("bl_number", "container", "vin", "vessel_name", "depart_date", "load_port", "hs_code"):
            if rng.random() < 0.15:
                one[name] = ""
        if rng.random() < 0.3:
            one["bl_number"], one["container"] = f"LXB{rng.randrange(40)}", rng.choice(["", BOX, OTHER_BOX])
    names = list(dict.fromkeys(name for one in rows for name in one))
    lines = [",".join(one.get(name, "") for name in names) for one in rows]
    path = tmp_path / "rows.csv"
    path.write_text(",".join(names) + "\n" + "\n".join(lines) + "\n", encoding="utf-8")
    shipments = read_shipments(path)
    slow, fast = naive_chains.group_legs(shipments.rows()), legs_of(shipments)
    assert [leg.row_numbers for leg in fast] == [leg.row_numbers for leg in slow]
    assert [_told(chain) for chain in build_chains(shipments)] == [
        _told(chain) for chain in naive_chains.build_chains(shipments)
    ]


def _told(chain):
    """All of a chain but the rows themselves, in which NaN differs from itself."""
    return [([leg.row_numbers for leg in strand.legs], strand.links, strand.open_ends) for strand in chain.strands]
