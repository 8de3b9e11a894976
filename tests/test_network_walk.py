"""Walks over random networks are those of networkx, way by way."""

import naive_network
import numpy as np
import pytest

from ais.table import NAT
from cargo.listed import Listed
from cargo.network import MANY_ROWS, Edge, Network
from cargo.parties import MASS_ADDRESS
from cargo.watchlists import Entry, Kept, Watchlist

LISTED = ("Belvederon", "Quarzite", "Nimbus")
FAR = 9_000_000_000_000_000


def random_network(seed):
    """Rows, parties, ships and addresses tied at random; some parties have very many rows, one address very many."""
    rng = np.random.default_rng(seed)
    entries = tuple(Entry(uid=f"e{k}", kind="organization", name=f"{name} Trading") for k, name in enumerate(LISTED))
    made = Network(listed=Listed(Kept((Watchlist("Test list", "2019-01-01", "", "", "", "", entries, {}),))))
    hits = [made.listed.check(f"{name} Trading").hits[0] for name in LISTED]
    parties = [f"party {k}" for k in range(30)]
    for row in range(260):
        name = f"shipments row {row}"
        made.add(Edge(f"goods {row // 3}", name, "described in", NAT, NAT, "s", ""), 0.5, ("goods", "row"))
        for role in ("shipper", "consignee", "carrier"):
            party = parties[0] if role == "carrier" and row < MANY_ROWS + 5 else parties[int(rng.integers(30))]
            made.add(Edge(name, party, role, row, row + 9, "s", ""), 0.5, ("row", "party"))
        ship = f"ship {int(rng.integers(25))}"
        made.add(Edge(name, ship, "carried by", row, row, "s", ""), 0.5, ("row", "ship"))
    for k in range(MASS_ADDRESS + 30):
        party = f"firm {k}"
        made.add(Edge(party, "address 1", "gives the address", NAT, NAT, "s", ""), 0.5, ("party", "address"))
        days = np.sort(rng.integers(0, 99, 2)).tolist() if rng.random() < 0.7 else (NAT, NAT)
        made.add(Edge(f"ship {k % 25}", party, "owner", *days, "r", ""), 1.0, ("ship", "party"))
    for k, node in enumerate(("ship 3", "firm 7", "party 5")):
        made._add_entry(node, node.split()[0], hits[k], "on the list as", 0.0)
    return made


@pytest.mark.parametrize("seed", range(3))
def test_walks_are_those_of_networkx(seed):
    made = random_network(seed)
    rng = np.random.default_rng([seed, 1])
    crowded, busy = naive_network.hubs(made.graph)
    assert crowded and busy
    nodes = sorted(made.graph)
    for start in [*busy, "ship 3", *rng.choice([node for node in nodes if node not in crowded], 40).tolist()]:
        hops = float(rng.choice([0.0, 0.5, 1.0, 2.5, 3.0]))
        assert made.neighbours(start, hops) == naive_network.neighbours(made, start, hops)
        for at in (NAT, 50, FAR):
            ways = made.paths_to_listed(start, max_hops=hops, at=at)
            expected = naive_network.ways_to_listed(made, start, hops, at)
            assert [(way.hops, naive_network.nodes_of(way)) for way in ways] == expected
    for hops in (0.5, 1.5, 2.5):
        for some in (["party 5", "address 1"], ["party 0"], ["ship 3", "never heard of"], []):
            assert made.around(some, hops) == naive_network.around(made, some, hops)


def test_rows_of_one_consignment_see_what_each_sees():
    made = random_network(9)
    for k in range(0, 258, 6):
        rows = [f"shipments row {k + i}" for i in range(3)]
        hops = (0.0, 0.5, 1.0, 2.0, 2.5, 3.0)[k // 6 % 6]
        alone = {node for row in rows for node in naive_network.neighbours(made, row, hops)}
        near = made.near(rows, hops)
        assert set(made.among(near, made.marked(made.graph))) == alone and near.size == len(alone)
        assert made.among(near, made.marked(["ship 1", "goods 0", "nobody"])) == sorted(alone & {"ship 1"})
