"""The geography beside its peers: the same points, one run, every way in a process of its own.

Half of the points are ships, a hundred fixes each, half single places all over the globe. The runs alternate, so that
a busy machine slows all alike; CPU time is user and system of all threads, without start-up, imports, compiling and the
building of grids, which stand in a column of their own.
"""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.child import run_child
from benchmarks.peers import GEO_PEERS, ask
from benchmarks.tables import number, table


class Way(NamedTuple):
    """One row of a table."""

    peer: str
    way: str
    words: str


QUESTIONS: dict[str, tuple[Way, ...]] = {
    "Cell of resolution 7": (
        Way("geo", "cells_7", "`cells`"),
        Way("geo", "cells_7_two_threads", "`cells`, two threads"),
        Way("h3", "cells_7", "Python loop, integers"),
        Way("h3", "text_7", "Python loop, texts"),
        Way("h3ronpy", "cells_7", "`coordinates_to_cells`"),
    ),
    "Cell of resolution 9": (
        Way("geo", "cells_9", "`cells`"),
        Way("h3", "cells_9", "Python loop, integers"),
        Way("h3ronpy", "cells_9", "`coordinates_to_cells`"),
    ),
    "A cell and its six neighbours": (
        Way("geo", "disks", "`disks(cells, 1)`"),
        Way("h3", "disks", "Python loop, `grid_disk`"),
    ),
    "Is it sea": (
        Way("geo", "sea", "`is_sea`"),
        Way("global_land_mask", "sea", "`is_ocean`"),
        Way("roaring_landmask", "sea", "`contains_many`"),
    ),
    "Distance to shore": (Way("geo", "shore", "`shore_distance_m`"),),
    "In which of 300 zones": (
        Way("geo", "zones", "`Zones.of`"),
        Way("shapely", "tree", "`STRtree.query`"),
        Way("shapely", "contains", "boxes, then `contains_xy`"),
        Way("geopandas", "join", "`sjoin`"),
    ),
    "Nearest port": (
        Way("geo", "ports", "`nearest_port`"),
        Way("sklearn", "nearest", "`BallTree`, haversine"),
    ),
    "What was reachable": (
        Way("geo", "reach_hour", "gap of an hour"),
        Way("geo", "reach_18_days", "gap of 18 days"),
        Way("geo", "reach_60_days", "gap of 60 days"),
        Way("geo", "reach_many", "many gaps, an hour to 60 days"),
    ),
}
MANY = "reach_many"
COUNTS = {"points": 1_000_000, "gap_count": 1_000}
HEADER = (
    "who", "way", "n", "CPU s", "wall s", "CPU each", "times ours", "start-up, CPU s", "peak MB", "answer",
)  # fmt: skip


def run_ways(ways: tuple[Way, ...], runs: int, folder: Path) -> dict[Way, list[dict[str, Any]]]:
    """Every way `runs` times, in turns."""
    answers: dict[Way, list[dict[str, Any]]] = {way: [] for way in ways}
    for _ in range(runs):
        for way, done in answers.items():
            if not (done and "not_there" in done[-1]):
                done.append(ask(way.peer, way.way, str(folder / "points.npy"), str(folder / "warm.npy")))
    return answers


def summary(answers: dict[Way, list[dict[str, Any]]], sizes: dict[str, Any]) -> list[dict[str, Any]]:
    """Medians of each way, with its cost for each point or gap."""
    made = []
    for way, done in answers.items():
        line: dict[str, Any] = {"who": GEO_PEERS[way.peer].name, "way": way.words}
        if "not_there" in done[-1]:
            made.append({**line, "not_there": done[-1]["not_there"]})
            continue
        line |= {name: median(one[name] for one in done) for name in ("cpu_s", "wall_s", "ready_s", "peak_mb")}
        n = sizes["gaps"] if way.way == MANY else 1 if way.way.startswith("reach") else sizes["points"]
        line |= {"n": n, "each_s": line["cpu_s"] / n, "version": done[-1]["version"]}
        line |= {"answer": done[-1]["messages"], "first_ready_s": done[0]["ready_s"]}
        made.append({**line, "runs_cpu_s": [one["cpu_s"] for one in done]})
    return made


def rows(lines: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Rows of the table of one question."""
    ours = next((line["each_s"] for line in lines if "each_s" in line and line["who"] == "Luxwake"), math.nan)
    if all(line["who"] == "Luxwake" for line in lines):
        ours = math.nan
    for line in lines:
        if "not_there" not in line:
            yield [
                f"{line['who']} {line['version']}",
                line["way"],
                f"{line['n']:,}",
                number(line["cpu_s"], 3),
                number(line["wall_s"], 3),
                f"{line['each_s'] * 1e3:,.1f} ms" if line["each_s"] >= 1e-4 else f"{line['each_s'] * 1e9:,.0f} ns",
                number(line["each_s"] / ours),
                number(line["ready_s"]),
                number(line["peak_mb"], 0),
                f"{line['answer']:,}",
            ]


def notes(lines: list[dict[str, Any]]) -> Iterator[str]:
    """What the table does not show: grids that were built, ways that are not there."""
    for line in lines:
        if line.get("first_ready_s", 0.0) > 2.0 * line.get("ready_s", 0.0) + 1.0:
            yield f"The first start of {line['who']}, {line['way']}, took {line['first_ready_s']:.1f} s of CPU time."
    if missing := [line for line in lines if "not_there" in line]:
        yield "Not measured: " + "; ".join(f"{m['who']}, {m['way']}: {m['not_there']}" for m in missing) + "."


def run(quick: bool, json_file: Path | None = None, runs: int = 0) -> Iterator[str]:
    """The tables of this part, as text; all figures also go to `json_file`."""
    runs = runs or (1 if quick else 3)
    kept: dict[str, Any] = {"began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "runs": runs}
    with tempfile.TemporaryDirectory() as made:
        counts = {"points": 100_000, "gap_count": 10} if quick else COUNTS
        sizes = run_child("benchmarks.geo_input:make", {"folder": made, **counts})
        yield f"{sizes['points']:,} points, {sizes['gaps']:,} gaps; median of {runs}."
        for question, ways in QUESTIONS.items():
            lines = summary(run_ways(ways, runs, Path(made)), sizes)
            kept[question] = lines
            yield f"### {question}"
            if found := list(rows(lines)):
                yield table(HEADER, found)
            yield from notes(lines)
    if json_file:
        json_file.write_text(json.dumps(kept, indent=1) + "\n")
