"""Goods on ships, in a world whose truth is known: links, candidates, chains, findings, and how fast.

Every figure is of seeds on which nothing was developed or fitted (`FITTED` are those of `cargo.carriage_kernel`).
"""

from __future__ import annotations

import csv
import resource
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.tables import table
from cargo.carriage import Carriages, Carriers
from cargo.carriage_kernel import VETOES
from cargo.chain import Chains, build_chains
from cargo.fleet import Fleet
from cargo.join import join
from cargo.shipments import Shipments, read_shipments
from cargo.voyage import match_ship
from luxwake.simulate.trade import TradeParams, TradeWorld, trade_world

FITTED = (101, 102)
SEEDS = (31, 32, 33)
SET_SHARE = 0.96
"""A candidate set is the likeliest ships up to this share of the probability that any ship heard is the one."""


class Joined(NamedTuple):
    """A world, its papers as read, their chains, and who may have carried each leg."""

    world: TradeWorld
    shipments: Shipments
    chains: Chains
    fleet: Fleet
    legs: np.ndarray
    carriages: Carriages


def write_papers(world: TradeWorld, path: Path) -> None:
    """The papers of a world as CSV."""
    names = list(dict.fromkeys(name for row in world.rows for name in row))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(world.rows)


def joined(params: TradeParams, seed: int) -> Joined:
    """Make a world and join it as far as its carrying ships."""
    world = trade_world(params, seed)
    with tempfile.TemporaryDirectory() as folder:
        write_papers(world, Path(folder) / "papers.csv")
        shipments = read_shipments(Path(folder) / "papers.csv")
    chains = build_chains(shipments)
    fleet = Fleet(world.events)
    legs = np.arange(len(chains.table))
    return Joined(world, shipments, chains, fleet, legs, Carriers(fleet).of(chains.table, legs))


def run(quick: bool) -> Iterator[str]:
    """The tables of docs/evaluation-cargo.md."""
    params = TradeParams(ships=1_000, rows=5_000) if quick else TradeParams()
    worlds = [joined(params, seed) for seed in (SEEDS[:1] if quick else SEEDS)]
    yield links(worlds)
    yield calibration(worlds)
    yield chain_table(worlds)
    yield found(worlds)
    yield typos(quick)
    yield speed(worlds[0])


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
        out, true = one.carriages.out, _true_of(one)
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


def _true_of(one: Joined) -> np.ndarray:
    """The ship of each leg, 0 one that was not heard."""
    rows = one.chains.table.rows[one.chains.table.first[:-1]]
    truth = np.array([row.mmsi for row in one.world.truth])
    return truth[one.shipments["row"][rows] - 1]


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


def found(worlds: Sequence[Joined]) -> str:
    """Findings against the truth: goods that were diverted, and those that were not."""
    rows = []
    for one in worlds:
        findings = join(one.world.events, one.shipments, reach=False)
        diverted = {t.consignment for t in one.world.truth if t.diverted and t.mmsi}
        said: dict[bool, set[int]] = {True: set(), False: set()}
        for finding in findings:
            numbers = [number for leg in finding.chain for number in leg["rows"]]
            dark = "AIS silent" in finding.title
            said[dark] |= {one.world.truth[number - 1].consignment for number in numbers}
        months = len(one.fleet.vessels) * 365.0 / 30.4 / 1000.0
        dark, other = said[True], said[False] - said[True]
        rows.append((
            f"{len(diverted):,}", f"{len(diverted & (dark | other)) / len(diverted):.3f}", f"{len(dark):,}",
            f"{len(dark & diverted) / max(1, len(dark)):.3f}", f"{len(dark - diverted) / months:.2f}",
            f"{len(other - diverted) / months:.2f}",
        ))  # fmt: skip
    head = ("diverted goods", "found", "goods with a silence", "of them diverted",
            "false with a silence per 1,000 vessel-months", "false: only no call on record")  # fmt: skip
    return table(head, rows)


def typos(quick: bool) -> str:
    """Named ships when clerks err more."""
    rows = []
    for share in (0.0, 0.01, 0.05, 0.2):
        size = {"ships": 1_000, "rows": 3_000} if quick else {"ships": 5_000, "rows": 20_000}
        one = joined(TradeParams(**size, name_typos=share, imo_typos=share, with_imo=0.4), SEEDS[0] + 100)
        rows.append((f"{share:.0%}", *_links(one)[:3]))
    return table(("wrong names and numbers", "legs with a named ship", "precision", "recall"), rows)


def speed(one: Joined) -> str:
    """The whole join of one world, without reach."""
    begin, wall = time.process_time(), time.perf_counter()
    findings = join(one.world.events, one.shipments, reach=False)
    cpu, wall = time.process_time() - begin, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row = (f"{len(one.shipments):,}", f"{len(one.world.events):,}", f"{len(findings):,}", f"{cpu:.1f}", f"{wall:.1f}",
           f"{peak:,.0f}")  # fmt: skip
    return table(("rows", "events", "findings", "CPU s", "wall s", "peak of the process, MB"), [row])
