"""The trade world: its papers, events and truth agree with each other, and go wrong as often as they should."""

import csv

import numpy as np
import pytest

from ais.imo import imo_valid
from cargo.identifiers import container_valid
from detectors.event import DARK, PORT_CALL
from geo.errors import UsageError
from luxwake.simulate.trade import TradeParams, trade_world
from luxwake.simulate.trade_params import DAY_US

PARAMS = TradeParams(ships=400, rows=4_000, days=200, ports=40)


@pytest.fixture(scope="module")
def world():
    return trade_world(PARAMS, 7)


def calls_of(world):
    """Port calls on record, by (MMSI, port, begin) and by (MMSI, port, end)."""
    e = world.events
    of_kind = e["kind"] == PORT_CALL
    ship, port = e["mmsi"][of_kind].tolist(), e["port"][of_kind].tolist()
    return [set(zip(ship, port, e[name][of_kind].tolist(), strict=True)) for name in ("t_start", "t_end")]


def test_the_same_seed_gives_the_same_and_another_gives_another(world):
    again, other = trade_world(PARAMS, 7), trade_world(PARAMS, 8)
    assert again.rows == world.rows and again.truth.tolist() == world.truth.tolist()
    assert all(np.array_equal(again.events[name], world.events[name]) for name in world.events)
    assert other.rows != world.rows


def test_papers_written_are_the_rows(world, tmp_path):
    world.write_papers(tmp_path / "papers.csv")
    with open(tmp_path / "papers.csv", newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == world.rows


def test_the_last_goods_have_all_their_papers_and_no_more_goods_follow(world):
    last = world.truth[world.truth["consignment"] == world.truth["consignment"][-1]]
    assert PARAMS.rows <= len(world.rows) == len(world.truth) < PARAMS.rows + len(last)


def test_goods_go_on_from_where_they_were_landed_on_another_ship(world):
    legs = {}
    for row, true in zip(world.rows, world.truth, strict=True):
        legs.setdefault(int(true.consignment), {})[int(true.leg)] = row, true
    onward = [(some[k], some[k + 1]) for some in legs.values() for k in range(len(some) - 1)]
    assert len(onward) > 300
    for (row, true), (later_row, later) in onward:
        assert row["discharge_port"] == later_row["load_port"] and row["consignee"] == later_row["shipper"]
        assert 1 <= (later.t_sail - true.t_end) / 86.4e9 < 21 and (true.mmsi != later.mmsi or true.mmsi == 0)
        assert (row["container"], row["vin"]) == (later_row["container"], later_row["vin"])


def test_goods_are_carried_between_calls_on_record_but_for_those_lost(world):
    begins, ends = calls_of(world)
    heard = [(row, true) for row, true in zip(world.rows, world.truth, strict=True) if true.mmsi and not true.diverted]
    sailed = [(true.mmsi, row["load_port"], true.t_sail) in ends for row, true in heard]
    landed = [(true.mmsi, row["discharge_port"], true.t_end) in begins for row, true in heard]
    assert 0.97 < np.mean(sailed) < 0.99 and 0.97 < np.mean(landed) < 0.99
    assert all(row["load_port"] != row["discharge_port"] and true.t_sail < true.t_end for row, true in heard)


def test_a_ship_with_diverted_goods_is_silent_all_the_way_and_never_calls_where_declared(world):
    begins, _ = calls_of(world)
    e = world.events
    dark = [one for *one, kind in zip(*(e[name].tolist() for name in ("mmsi", "t_start", "t_end", "kind")), strict=True)
            if kind == DARK]  # fmt: skip
    last = {t.consignment: t.leg for t in world.truth}
    lost = [(row, true) for row, true in zip(world.rows, world.truth, strict=True) if true.diverted and true.mmsi]
    assert len(lost) > 20
    for row, true in lost:
        assert (true.mmsi, row["discharge_port"], true.t_end) not in begins
        assert true.leg == last[true.consignment]
        silent = [(t0, t1) for who, t0, t1 in dark if who == true.mmsi and t1 == true.t_end]
        assert len(silent) == 1 and true.t_sail < silent[0][0] < silent[0][1]


def test_what_is_for_a_port_that_the_ship_skips_is_diverted_and_nothing_is_loaded_there(world):
    truth, rows = world.truth, world.rows
    skipped = {(t.mmsi, t.t_end, row["discharge_port"]) for t, row in zip(truth, rows, strict=True) if t.diverted}
    for true, row in zip(truth, rows, strict=True):
        assert bool(true.diverted) == ((true.mmsi, true.t_end, row["discharge_port"]) in skipped) or not true.mmsi
        assert not any(who == true.mmsi and port == row["load_port"] and 0 <= true.t_sail - t < 3 * DAY_US
                       for who, t, port in skipped if true.mmsi)  # fmt: skip


def test_no_event_stands_twice(world):
    assert np.unique(world.events["id"]).size == len(world.events)


def test_clerks_and_typists_err_as_often_as_they_should(world):
    name = {int(m): n.decode() for m, n in zip(world.events.vessels["mmsi"], world.events.vessels["name"], strict=True)}
    told = [(row, name[int(t.mmsi)]) for row, t in zip(world.rows, world.truth, strict=True) if t.mmsi]
    named = [(row["vessel_name"], true) for row, true in told if row["vessel_name"]]
    numbers = [row["imo"] for row, _ in told if row["imo"]]
    assert 0.46 < len(named) / len(told) < 0.54 and 0.35 < len(numbers) / len(named) < 0.45
    assert 0.01 < np.mean([said != true for said, true in named]) < 0.03
    assert 0.005 < np.mean([not imo_valid(int(number)) for number in numbers]) < 0.03
    assert 0.2 < np.mean([row["arrive_date"] == "" for row, _ in told]) < 0.3
    assert all(container_valid(row["container"]) for row, _ in told if row["container"])


def test_a_world_without_a_second_port_call_of_a_cargo_ship_is_refused():
    with pytest.raises(UsageError, match="no ship carries goods"):
        trade_world(TradeParams(ships=1, rows=1, days=1, ports=4))
