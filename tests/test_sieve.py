"""The sieve lets nothing through: of very many chains the same are findings as where each is opened."""

from collections import Counter

import pytest

from cargo.join import join
from cargo.shipments import read_shipments
from luxwake.simulate.trade import TradeParams, trade_world

SHORT = "; waited at"


@pytest.mark.parametrize("seed", [5, 6])
def test_findings_and_statuses_are_those_of_chains_opened_one_by_one(tmp_path, seed):
    world = trade_world(TradeParams(ships=400, rows=6_000, name_typos=0.05, imo_typos=0.05), seed)
    world.write_papers(tmp_path / "papers.csv")
    shipments = read_shipments(tmp_path / "papers.csv")
    every = join(world.events, shipments, reach=False)
    sieved = join(world.events, shipments, reach=False, assess_limit=0)
    told = {one.id: (one.status, one.rows) for one in every.assessed if one.is_finding}
    assert len(told) > 50 and {one.id: (one.status, one.rows) for one in sieved.assessed} == told
    statuses = Counter(one.status.partition(SHORT)[0] for one in every.assessed if not one.is_finding)
    assert sieved.cleared == statuses
