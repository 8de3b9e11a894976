"""The benchmark of the join: what it stores, what it counts, and what it fits."""

from collections import Counter

import numpy as np
import pytest

from benchmarks import cargo_findings as findings
from benchmarks.cargo_fit import Asked, surprise
from benchmarks.cargo_scale import store, stored_events
from benchmarks.cargo_worlds import is_named, joined, true_ships
from cargo.carriage_columns import Weights
from luxwake.simulate.trade import TradeParams


@pytest.fixture(scope="module")
def world():
    return joined(TradeParams(ships=300, rows=1_500, days=120, ports=30, diverted=0.1), 9)


@pytest.fixture(scope="module")
def held(world):
    return findings.held(world)


def test_stored_events_are_read_as_they_were(tmp_path):
    store(str(tmp_path), 700)
    one, again = stored_events(str(tmp_path)), stored_events(str(tmp_path))
    assert len(one) > 500 and len(one.vessels) == len(one.identity) > 15
    assert all(np.array_equal(one[name], again[name]) for name in one) and one["mmsi"].dtype == np.uint32


def test_diverted_goods_are_found_or_missed_and_a_named_ship_is_not_missed(held):
    assert sum(held.diverted.values()) > 30 and all(
        held.missed.get(words, 0) <= n for words, n in held.diverted.items()
    )
    right = "a ship named: the right ship"
    assert held.missed.get(right, 0) <= 0.1 * held.diverted[right]


def test_every_finding_has_a_cause_and_few_have_none_of_those_named(held):
    causes = Counter(one.cause for one in held.findings)
    assert causes[findings.DIVERTED] > 10 and causes[findings.BESIDE] > 3 and causes[findings.LOST] > 3
    assert causes[findings.OTHER] <= 0.1 * causes.total()
    assert all("declared port not visited" in one.kind for one in held.findings if one.cause == findings.DATED)
    assert [one.share for one in held.findings] == sorted(one.share for one in held.findings)


def test_wrong_weights_surprise_more_than_those_shipped(world):
    unnamed = np.flatnonzero(~is_named(world))
    asked = [Asked(world, unnamed, true_ships(world)[unnamed])]
    shipped = surprise(asked, Weights())
    for wrong in ({"none": 1.0}, {"not_arrived": 0.5}, {"late_days": 0.01, "early_days": 0.01}):
        assert surprise(asked, Weights()._replace(**wrong)) > shipped + 0.02, wrong
