"""Trade worlds whose papers are read and joined as far as their carrying ships, and what is true of their legs.

Every figure is of seeds on which nothing was developed or fitted (`FITTED` are those of the weights of carriage).
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cargo.carriage import Carriages, Carriers
from cargo.chain import Chains, build_chains
from cargo.fleet import Fleet
from cargo.shipments import Shipments, read_shipments
from luxwake.simulate.trade import TradeParams, TradeWorld, trade_world

FITTED = (101, 102)
SEEDS = (31, 32, 33)


class Joined(NamedTuple):
    """A world, its papers as read, their chains, and who may have carried each leg."""

    world: TradeWorld
    shipments: Shipments
    chains: Chains
    fleet: Fleet
    legs: NDArray[np.int64]
    carriages: Carriages


def joined(params: TradeParams, seed: int) -> Joined:
    """Make a world and join it as far as its carrying ships."""
    world = trade_world(params, seed)
    with tempfile.TemporaryDirectory() as folder:
        world.write_papers(Path(folder) / "papers.csv")
        shipments = read_shipments(Path(folder) / "papers.csv")
    chains = build_chains(shipments)
    fleet = Fleet(world.events)
    legs = np.arange(len(chains.table))
    return Joined(world, shipments, chains, fleet, legs, Carriers(fleet).of(chains.table, legs))


def true_ships(one: Joined) -> NDArray[np.int64]:
    """The ship of each leg, 0 one that was not heard."""
    rows = one.chains.table.rows[one.chains.table.first[:-1]]
    ships: NDArray[np.int64] = one.world.truth["mmsi"][one.shipments["row"][rows] - 1]
    return ships


def is_named(one: Joined) -> NDArray[np.bool_]:
    """Whether a leg says anything of its ship."""
    table = one.chains.table
    said: NDArray[np.bool_] = (table.name > 0) | (table.imo > 0) | (table.imo_text > 0)
    return said
