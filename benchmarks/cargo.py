"""Goods on ships, in a world whose truth is known: links, candidates, chains, findings, and how fast."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.cargo_findings import Held, Judged, causes, found, held, missed, signs
from benchmarks.cargo_fit import fit_table
from benchmarks.cargo_scale import scale_table
from benchmarks.cargo_worlds import SEEDS, Joined, joined, true_ships
from benchmarks.child import run_child
from benchmarks.tables import table
from cargo.carriage_kernel import VETOES
from cargo.voyage import match_ship
from luxwake.simulate.trade import TradeParams

SET_SHARE = 0.96
"""A candidate set is the likeliest ships up to this share of the probability that any ship heard is the one."""


def run(quick: bool, *, fit: bool = False, million: bool = False) -> Iterator[str]:
    """The tables of docs/evaluation-cargo.md; with `fit` only the weights of carriage, fitted anew."""
    if fit:
        yield fit_table(quick)
        return
    seeds = SEEDS[:1] if quick else SEEDS
    with ThreadPoolExecutor(len(seeds)) as pool:  # a world is a process of its own
        worlds = list(pool.map(lambda seed: run_child("benchmarks.cargo:world", {"seed": seed, "quick": quick}), seeds))
    yield table(LINKS, [world["links"] for world in worlds])
    yield calibration(worlds)
    yield chain_table(worlds)
    held = [Held([Judged(*one) for one in world["held"][0]], *world["held"][1:]) for world in worlds]
    yield found(held)
    yield signs(held)
    yield causes(held)
    yield missed(held)
    yield typos(quick)
    yield scale_table(quick, million)


def world(seed: int, quick: bool) -> dict[str, Any]:
    """All that the tables need of one world (run in a process of its own)."""
    one = joined(TradeParams(ships=1_000, rows=5_000) if quick else TradeParams(), seed)
    return {"links": _links(one), "said": _said(one), "chains": _chains(one), "held": held(one)}


LINKS = (
    "legs with a named ship",
    "precision",
    "recall",
    "legs without",
    "sets that hold it",
    "median",
    "90 %",
    "Brier",
)
"""Named ships: precision and recall; unnamed ones: candidate sets."""


def _links(one: Joined) -> tuple[str, ...]:
    right = wrong = named = inside = unnamed = 0
    sizes, squares = [], []
    for k, leg in enumerate(one.chains.table.legs(one.legs.tolist())):
        true, carriage = one.world.truth[leg.rows[0].row - 1].mmsi, one.carriages[k]
        squares += [(c.probability - (c.mmsi == true)) ** 2 for c in carriage.candidates if not c.vetoed]
        if leg.first("vessel_name") or leg.first("imo") or leg.first("imo_text"):
            found_ships = match_ship(one.fleet, leg, carriage).mmsis
            named += bool(true > 0)
            right += true in found_ships
            wrong += bool(found_ships) and true not in found_ships
        elif true:
            unnamed += 1
            likely = [c for c in carriage.candidates if not c.vetoed]
            taken = np.cumsum([c.probability for c in likely])
            size = min(len(likely), int(np.count_nonzero(taken < SET_SHARE * (1.0 - carriage.none))) + 1)
            sizes.append(size)
            inside += any(c.mmsi == true for c in likely[:size])
    return (
        f"{named:,}", f"{right / (right + wrong):.4f}", f"{right / named:.3f}", f"{unnamed:,}",
        f"{inside / unnamed:.3f}", f"{np.median(sizes):.0f}", f"{np.percentile(sizes, 90):.0f}",
        f"{np.mean(squares):.4f}",
    )  # fmt: skip


def _said(one: Joined) -> list[list[float]]:
    """Candidates by the probability said, in tenths: how many, the sum of what was said, how many are true."""
    out = one.carriages.out
    wanted = (out.ship >= 0) & (out.bits & VETOES == 0)
    mmsi = np.where(wanted, one.carriages.mmsi[out.ship], 0)
    said, is_true = out.probability[wanted], (mmsi == true_ships(one)[:, None])[wanted]
    band = np.minimum(9, (10 * said).astype(np.int64))
    return [np.bincount(band, weights, 10).tolist() for weights in (np.ones(said.size), said, is_true)]


def calibration(worlds: Sequence[Mapping[str, Any]]) -> str:
    """How often the ship is the true one, by the probability said."""
    n, said, true = np.sum([world["said"] for world in worlds], axis=0)
    rows = [
        (f"{k / 10:.1f} to {k / 10 + 0.1:.1f}", f"{n[k]:,.0f}", f"{said[k] / n[k]:.3f}", f"{true[k] / n[k]:.3f}")
        for k in np.flatnonzero(n).tolist()
    ]
    return table(("probability said", "candidates", "mean", "true"), rows)


def _chains(one: Joined) -> dict[int, tuple[int, int]]:
    """Goods by the number of their legs: how many, and how many have a chain of all their rows and no others."""
    rows, legs = defaultdict(set), Counter[int]()
    truth = one.world.truth
    for number, goods, leg in zip(range(1, truth.size + 1), truth["consignment"].tolist(), truth["leg"].tolist(),
                                  strict=True):  # fmt: skip
        rows[goods].add(number)
        legs[goods] = max(legs[goods], leg + 1)
    of_row = {number: chain.row_numbers for chain in one.chains for number in chain.row_numbers}
    every, right = Counter[int](), Counter[int]()
    for goods, numbers in rows.items():
        every[legs[goods]] += 1
        right[legs[goods]] += set(of_row[min(numbers)]) == numbers
    return {n: (every[n], right[n]) for n in sorted(every)}


def chain_table(worlds: Sequence[Mapping[str, Any]]) -> str:
    """Chains that hold all rows of their goods and no others, by the number of legs."""
    of: dict[str, list[int]] = {}
    for world in worlds:
        for n, (every, right) in world["chains"].items():
            for name in (str(n), "all"):
                so_far = of.setdefault(name, [0, 0])
                so_far[0], so_far[1] = so_far[0] + every, so_far[1] + right
    rows = [(name, f"{of[name][0]:,}", f"{of[name][1] / of[name][0]:.3f}") for name in sorted(of)]
    return table(("legs", "goods", "exact"), rows)


def typos(quick: bool) -> str:
    """Named ships when clerks err more."""
    rows = []
    for share in (0.0, 0.01, 0.05, 0.2):
        size = {"ships": 1_000, "rows": 3_000} if quick else {"ships": 5_000, "rows": 20_000}
        one = joined(TradeParams(**size, name_typos=share, imo_typos=share, with_imo=0.4), SEEDS[0] + 100)
        rows.append((f"{share:.0%}", *_links(one)[:3]))
    return table(("wrong names and numbers", "legs with a named ship", "precision", "recall"), rows)
