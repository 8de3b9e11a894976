"""What the facts of a voyage weigh (`cargo.carriage_columns.Weights`), fitted anew beside what is shipped.

The probabilities of the candidates of legs that name no ship are made as likely as can be on worlds of the seeds
`FITTED`, by Nelder and Mead's simplex over the logarithms of the weights, from the nearest power of ten of a guess
(`START`). `stray`, and the odds of names and numbers, are set by hand and stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.cargo_worlds import FITTED, SEEDS, Joined, is_named, joined, true_ships
from benchmarks.tables import table
from cargo.carriage import Carriers
from cargo.carriage_columns import Weights
from cargo.carriage_kernel import LEAST, VETOES
from luxwake.simulate.trade import TradeParams

START = {"none": 0.01, "early_days": 1.0, "late_days": 1.0, "not_loaded": 0.01, "not_arrived": 0.01, "not_heard": 0.01,
         "undated": 1.0}  # fmt: skip
"""The weights that are fitted, and where the search begins."""
PARAMS = TradeParams(rows=20_000)
_BOUNDS = {name: (0.1, 10.0) if name.endswith("days") else (1e-6, 1.0) for name in START}
"""A factor is at most 1: `undated`, of which the legs tell little, would run away."""
_STEP = 0.5
"""First step of each logarithm."""


class Asked(NamedTuple):
    """The legs of a world that name no ship, and the ship that carried each (0: one not heard)."""

    world: Joined
    legs: NDArray[np.int64]
    true: NDArray[np.int64]


def asked(seed: int, params: TradeParams) -> Asked:
    """The legs of a world that name no ship."""
    world = joined(params, seed)
    unnamed = np.flatnonzero(~is_named(world))
    return Asked(world, world.legs[unnamed], true_ships(world)[unnamed])


def surprise(worlds: Sequence[Asked], weights: Weights) -> float:
    """The mean of -ln P(what is true) over the legs: the ship that carried it, or that none of those heard did."""
    total = 0.0
    for one in worlds:
        carriages = Carriers(one.world.fleet, weights).of(one.world.chains.table, one.legs)
        out = carriages.out
        mmsi = np.where((out.ship >= 0) & (out.bits & VETOES == 0), carriages.mmsi[out.ship], 0)
        of_ship = np.where(mmsi == one.true[:, None], out.probability, 0.0).sum(axis=1)
        total -= float(np.log(np.maximum(np.where(one.true > 0, of_ship, out.none), LEAST)).sum())
    return total / sum(one.legs.size for one in worlds)


def fitted(worlds: Sequence[Asked]) -> tuple[Weights, int]:
    """The weights of least surprise, and how many were tried."""
    from scipy.optimize import minimize

    def of(logarithms: NDArray[np.float64]) -> Weights:
        return Weights()._replace(**dict(zip(START, np.exp(logarithms).tolist(), strict=True)))

    begin, bounds = np.log(list(START.values())), np.log([_BOUNDS[name] for name in START])
    simplex = np.vstack([begin, begin - _STEP * np.eye(begin.size)])
    found = minimize(
        lambda x: surprise(worlds, of(x)), begin, method="Nelder-Mead", bounds=bounds,
        options={"initial_simplex": simplex, "xatol": 0.05, "fatol": 1e-4, "maxfev": 1_000},
    )  # fmt: skip
    return of(found.x), int(found.nfev)


def fit_table(quick: bool) -> str:
    """The fitted and the shipped weights, and how surprised each is by worlds fitted on and others."""
    params = TradeParams(ships=1_000, rows=3_000) if quick else PARAMS
    worlds = [asked(seed, params) for seed in FITTED]
    found, tried = fitted(worlds)
    shipped = Weights()
    rows: list[tuple[object, ...]] = [
        (name, f"{getattr(found, name):.2g}", f"{getattr(shipped, name):g}") for name in START
    ]
    for seeds, some in ((FITTED, worlds), (SEEDS, [asked(seed, params) for seed in SEEDS])):
        said = (f"{surprise(some, weights):.4f}" for weights in (found, shipped))
        rows.append((f"surprise a leg, seeds {', '.join(map(str, seeds))}", *said))
    legs = sum(one.legs.size for one in worlds)
    return table((f"{tried} weights tried on {legs:,} legs", "fitted", "shipped"), rows)
