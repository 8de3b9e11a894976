"""The join at growing sizes: shipments and events are stored, and a process of its own reads and joins them."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from ais.table import Table
from benchmarks.child import peak_mb, run_child
from benchmarks.tables import number, table
from cargo.join import join
from cargo.shipments import read_shipments
from detectors.event import Events
from geo.heap import give_back
from luxwake.simulate.trade import TradeParams, trade_world

SIZES = (50_000, 200_000)
MILLION = 1_000_000
WARM = 5_000
"""Rows of the join before them, with findings, that compiles what is compiled."""
SEED = 34
CALLS_PER_SHIP = 32
"""Of a year, on record."""
SHIPS_PER_PORT = 13.75
"""Some 55,000 merchant ships share 4,000 ports."""
_PARTS = ("events", "vessels", "identity")


def store(folder: str, rows: int, crowded: bool = False) -> dict[str, Any]:
    """Make a world of so many papers and as many port calls, and store it (run in a process of its own).

    Ports and firms grow with it as in the world; in a crowded one they are those of 5,000 ships.
    """
    ships, begin = rows // CALLS_PER_SHIP, time.process_time()
    grown = {} if crowded else {"ports": max(20, round(ships / SHIPS_PER_PORT)), "firms": max(100, rows // 50)}
    world = trade_world(TradeParams(ships=ships, rows=rows, **grown), SEED)
    cpu = time.process_time() - begin
    world.write_papers(f"{folder}/papers.csv")
    for name, part in zip(_PARTS, (world.events, world.events.vessels, world.events.identity), strict=True):
        assert part is not None
        np.savez(f"{folder}/{name}.npz", **{column: part[column] for column in part})
    return {"cpu_s": cpu, "params": world.events.params}


def stored_events(folder: str) -> Events:
    """The events that `store` wrote."""
    columns, vessels, identity = (dict(np.load(f"{folder}/{name}.npz")) for name in _PARTS)
    return Events(columns, Table(vessels), Table(identity), params={"port_calls": {}, "dark": {}})


def read_and_join(folder: str) -> dict[str, Any]:
    """Read what is stored, and join it, without reach (run in a process of its own), as `luxwake run` does."""
    give_back()
    wall, cpu = time.perf_counter(), time.process_time()
    events, shipments = stored_events(folder), read_shipments(f"{folder}/papers.csv")
    told: dict[str, Any] = {"rows": len(shipments), "events": len(events), "read_mb": peak_mb()}
    told |= {"read_s": time.perf_counter() - wall, "read_cpu_s": time.process_time() - cpu}
    wall, cpu = time.perf_counter(), time.process_time()
    findings = join(events, shipments, reach=False)
    told |= {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
    return told | {"findings": len(findings)}


def scale_table(quick: bool, million: bool) -> str:
    """The table of sizes."""
    sizes = (5_000,) if quick else (*SIZES, MILLION) if million else SIZES
    rows = [_measured(size) for size in (WARM, *sizes)][1:]
    return table(_HEAD, [*rows, *([_measured(MILLION, crowded=True)] if million and not quick else [])])


_HEAD = ("rows", "events", "findings", "made, CPU s", "papers, MB", "read, s", "read, CPU s", "peak MB after reading",
         "join, s", "join, CPU s", "rows/s", "peak MB")  # fmt: skip


def _measured(size: int, crowded: bool = False) -> tuple[str, ...]:
    """One row: a world of this size made in one process, read and joined in another."""
    with tempfile.TemporaryDirectory() as folder:
        made = run_child("benchmarks.cargo_scale:store", {"folder": folder, "rows": size, "crowded": crowded})
        got = run_child("benchmarks.cargo_scale:read_and_join", {"folder": folder})
        papers_mb = (Path(folder) / "papers.csv").stat().st_size / 1e6
    name = f"{got['rows']:,}{', crowded' * crowded}"
    return (
        name, f"{got['events']:,}", f"{got['findings']:,}", number(made["cpu_s"], 1),
        number(papers_mb, 0), number(got["read_s"], 1), number(got["read_cpu_s"], 1), number(got["read_mb"], 0),
        number(got["wall_s"], 1), number(got["cpu_s"], 1), number(got["rows"] / got["wall_s"], 0),
        number(got["peak_mb"], 0),
    )  # fmt: skip
