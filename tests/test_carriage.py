"""Which ship carried a leg: the obvious twin, slips, vetoes, and any number of threads."""

import csv
import string

import numpy as np
import pytest

from ais.imo import imo_valid
from cargo.carriage import Carriers, imo_slips
from cargo.chain import build_chains
from cargo.fleet import Fleet
from cargo.shipments import read_shipments
from cargo.voyage import match_ship
from luxwake.simulate.trade import TradeParams, trade_world
from tests import naive_carriage
from tests.naive_names import edits, one_slip_apart


def joined(folder, params, seed):
    world = trade_world(params, seed)
    names = list(dict.fromkeys(name for row in world.rows for name in row))
    with open(folder / "papers.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(world.rows)
    table = build_chains(read_shipments(folder / "papers.csv")).table
    return world, table, Fleet(world.events)


@pytest.mark.parametrize("seed", [1, 2])
def test_probabilities_equal_the_obvious_twin(tmp_path, seed):
    params = TradeParams(ships=120, rows=150, days=150, ports=12, name_typos=0.2, imo_typos=0.3, no_arrival_date=0.3)
    _, table, fleet = joined(tmp_path, params, seed)
    numbers = np.arange(len(table))
    carriages = Carriers(fleet).of(table, numbers)
    for k, leg in enumerate(table.legs(numbers.tolist())):
        expected, none = naive_carriage.carriage(fleet, leg)
        found = {c.mmsi: c.probability for c in carriages[k].candidates if not c.vetoed}
        kept = dict(sorted(expected.items(), key=lambda item: -item[1])[: len(found)])
        assert carriages[k].n == len(expected), leg
        assert carriages[k].none == pytest.approx(none, rel=1e-5)
        assert sorted(found.values()) == pytest.approx(sorted(kept.values()), rel=1e-4)


def test_any_number_of_threads_gives_the_same(tmp_path):
    _, table, fleet = joined(tmp_path, TradeParams(ships=200, rows=600, days=90, ports=20), 3)
    numbers = np.arange(len(table))
    one, four = (Carriers(fleet).of(table, numbers, threads).out for threads in (1, 4))
    assert all(np.array_equal(a, b) for a, b in zip(one, four, strict=True))


def test_a_named_ship_is_found_and_never_another(tmp_path):
    world, table, fleet = joined(tmp_path, TradeParams(ships=600, rows=3000, days=200, ports=60), 4)
    right = wrong = named = 0
    carriages = Carriers(fleet).of(table, np.arange(len(table)))
    for k, leg in enumerate(table.legs(range(len(table)))):
        true = world.truth[leg.rows[0].row - 1].mmsi
        found = match_ship(fleet, leg, carriages[k])
        if leg.first("vessel_name"):
            named += true > 0
            right += true in found.mmsis
            wrong += bool(found.mmsis) and true not in found.mmsis
        elif found.mmsis:
            assert found.method.startswith("candidate, not fact") and found.probability >= 0.8
    assert wrong <= 0.02 * right and right >= 0.9 * named


@pytest.mark.parametrize("digits", ["947115", "9417151", "94171155", "9417116", "9417115", "12", ""])
def test_slips_of_an_imo_number_are_all_and_only_valid_neighbours(digits):
    near = {int(one) for one in edits(digits, string.digits) if len(one) == 7}
    assert imo_slips(digits) == sorted(n for n in near if imo_valid(n) and one_slip_apart(digits, str(n)))
