"""The pictures of the documentation, drawn anew: what `docs/pictures` holds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.chart import Chart
from geo.coast import is_sea, shore_distance_m
from geo.ports import port_by_code
from luxwake.density import Box

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
NMI_M = 1852.0
PORTS = (
    *("KRPUS", "KRINC", "KPNAM", "KPCHO", "KPRJN", "RUVVO", "RUNJK", "CNDLC", "CNTAO", "CNSHA"),
    *("JPTYO", "JPOSA", "JPKIJ", "JPHKD", "JPNGS", "JPSDJ", "JPOTR"),
)


def run(quick: bool) -> Iterator[str]:
    """Draw each picture; the same bytes each time."""
    for draw in (draw_shore,):
        path = draw()
        yield f"{path.relative_to(PICTURES.parents[1])}: {path.stat().st_size:,} bytes"


def draw_ports(chart: Chart, codes: tuple[str, ...]) -> None:
    """Those ports that the table has, with their names."""
    for code in codes:
        port = port_by_code(code)
        if port is not None:
            chart.place(port.name, port.lat, port.lon)


def draw_shore() -> Path:
    """How far it is to the shore around Korea and Japan."""
    chart = Chart(Box(30.0, 46.5, 119.5, 148.0), "How far is it to the shore? The seas around Korea and Japan")
    sea = is_sea(chart.lat, chart.lon)
    nmi = np.where(sea, shore_distance_m(chart.lat, chart.lon) / NMI_M, np.nan)
    edges = (12, 24, 50, 100, 200)
    colours = ((236, 246, 238), (196, 228, 226), (146, 200, 216), (98, 162, 200), (58, 118, 172), (28, 72, 126))
    chart.paint_bands(nmi, edges, colours)
    chart.draw_coast()
    chart.draw_degrees(5)
    draw_ports(chart, PORTS)
    chart.scale(200, 31.2, 141.6)
    words = [f"under {edges[0]} nmi", *(f"{a}-{b}" for a, b in pairwise(edges)), "over 200 nmi"]
    chart.legend(colours, words)
    chart.note(
        "Looked up for each pixel. Sea and land: GLOBE, 30 arc-seconds; thin line: Natural Earth. "
        "Measured from the shore, not from the baselines of territorial seas."
    )
    path = PICTURES / "shore.png"
    chart.save(path)
    return path
