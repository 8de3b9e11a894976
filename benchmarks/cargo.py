"""Goods on ships, in a world whose truth is known: links, candidates, chains, findings, and how fast."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks import cargo_findings
from benchmarks.cargo_fit import fit_table
from benchmarks.cargo_scale import scale_table
from benchmarks.cargo_worlds import SEEDS, Joined, joined, true_ships
from benchmarks.tables import table
from cargo.carriage_kernel import VETOES
from cargo.voyage import match_ship
from luxwake.simulate.trade import TradeParams

SET_SHARE = 0.96
"""A candidate set is the likeliest ships up to this share of the probability that any ship heard is the one."""


def run(quick: bool, *, fit: bool = False, million: bool = False) -> Iterator[str]:
    """The tables of docs/evaluation-cargo.md; with `fit` only the weights of carriage, fitted anew."""
    if fit:
        yield from fit_table(quick)
        return
    params = TradeParams(ships=1_000, rows=5_000) if quick else TradeParams()
    worlds = [joined(params, seed) for seed in (SEEDS[:1] if quick else SEEDS)]
    yield links(worlds)
    yield calibration(worlds)
    yield chain_table(worlds)
    judged = [cargo_findings.judged(one) for one in worlds]
    yield cargo_findings.found(judged)
    yield cargo_findings.causes(judged)
    yield cargo_findings.missed(judged)
    del worlds, judged
    yield typos(quick)
    yield scale_table(quick, million)


def links(worlds: Sequence[Joined]) -> str:
    """Named ships: precision and recall; unnamed ones: candidate sets."""
    rows = [_links(one) for one in worlds]
    head = (
        "legs with a named ship",
        "precision",
        "recall",
        "legs without",
        "sets that hold it",
        "median",
        "90 %",
        "Brier",
    )
    return table(head, rows)


def _links(one: Joined) -> tuple[Any, ...]:
    right = wrong = named = held = unnamed = 0
    sizes, squares = [], []
    for k, leg in enumerate(one.chains.table.legs(one.legs.tolist())):
        true, carriage = one.world.truth[leg.rows[0].row - 1].mmsi, one.carriages[k]
        squares += [(c.probability - (c.mmsi == true)) ** 2 for c in carriage.candidates if not c.vetoed]
        if leg.first("vessel_name") or leg.first("imo") or leg.first("imo_text"):
            found = match_ship(one.fleet, leg, carriage).mmsis
            named += true > 0
            right += true in found
            wrong += bool(found) and true not in found
        elif true:
            unnamed += 1
            likely = [c for c in carriage.candidates if not c.vetoed]
            taken = np.cumsum([c.probability for c in likely])
            size = min(len(likely), int(np.count_nonzero(taken < SET_SHARE * (1.0 - carriage.none))) + 1)
            sizes.append(size)
            held += any(c.mmsi == true for c in likely[:size])
    return (
        f"{named:,}", f"{right / (right + wrong):.4f}", f"{right / named:.3f}", f"{unnamed:,}", f"{held / unnamed:.3f}",
        f"{np.median(sizes):.0f}", f"{np.percentile(sizes, 90):.0f}", f"{np.mean(squares):.4f}",
    )  # fmt: skip


def calibration(worlds: Sequence[Joined]) -> str:
    """How often the ship is the true one, by the probability said."""
    said: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for one in worlds:
        out, true = one.carriages.out, true_ships(one)
        mmsi = np.where(out.ship >= 0, one.carriages.mmsi[out.ship], 0)
        wanted = (out.ship >= 0) & (out.bits & VETOES == 0)
        hit = mmsi == true[:, None]
        for p, is_true in zip(out.probability[wanted].tolist(), hit[wanted].tolist(), strict=True):
            said[min(9, int(10 * p))].append((p, is_true))
    rows = []
    for band in sorted(said):
        told, was = np.mean([p for p, _ in said[band]]), np.mean([t for _, t in said[band]])
        rows.append((f"{band / 10:.1f} to {band / 10 + 0.1:.1f}", f"{len(said[band]):,}", f"{told:.3f}", f"{was:.3f}"))
    return table(("probability said", "candidates", "mean", "true"), rows)


def chain_table(worlds: Sequence[Joined]) -> str:
    """Chains that hold all rows of their goods and no others, by the number of legs."""
    right: Counter[int] = Counter()
    every: Counter[int] = Counter()
    for one in worlds:
        rows, legs = defaultdict(set), Counter[int]()
        for number, true in enumerate(one.world.truth, start=1):
            rows[true.consignment].add(number)
            legs[true.consignment] = max(legs[true.consignment], true.leg + 1)
        of_row = {number: chain.row_numbers for chain in one.chains for number in chain.row_numbers}
        for goods, numbers in rows.items():
            every[legs[goods]] += 1
            right[legs[goods]] += set(of_row[min(numbers)]) == numbers
    whole = (f"{sum(every.values()):,}", f"{sum(right.values()) / sum(every.values()):.3f}")
    rows_out = [(str(n), f"{every[n]:,}", f"{right[n] / every[n]:.3f}") for n in sorted(every)]
    return table(("legs", "goods", "exact"), [*rows_out, ("all", *whole)])


def typos(quick: bool) -> str:
    """Named ships when clerks err more."""
    rows = []
    for share in (0.0, 0.01, 0.05, 0.2):
        size = {"ships": 1_000, "rows": 3_000} if quick else {"ships": 5_000, "rows": 20_000}
        one = joined(TradeParams(**size, name_typos=share, imo_typos=share, with_imo=0.4), SEEDS[0] + 100)
        rows.append((f"{share:.0%}", *_links(one)[:3]))
    return table(("wrong names and numbers", "legs with a named ship", "precision", "recall"), rows)
