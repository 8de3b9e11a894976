"""The reliability plot of the score of dark periods."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.chart import GRID, PAPER, Chart, Colour
from benchmarks.pictures import PICTURES
from luxwake.density import Box

COLOURS: dict[str, Colour] = {"world": (24, 48, 150), "few": (40, 140, 90), "shore": (208, 88, 44)}
UNIT_BOX = Box(0.0, 1.0, 0.0, 1.0)
"""The unit square in place of latitude and longitude: score to the right, share upwards."""


def draw_calibration(bins: Mapping[str, Sequence[tuple[int, float, float]]], path: Path | None = None) -> Path:
    """For each kind of world the share that is dark in truth over the score; the area of a dot by its silences."""
    chart = Chart(UNIT_BOX, "Of silences with this score, how many were dark?", 700)
    chart.paint(np.ones(chart.lat.shape, np.bool_), PAPER)
    for k in range(1, 10):
        chart.line((k / 10, 0.0), (k / 10, 1.0), (222, 222, 214))
        chart.line((0.0, k / 10), (1.0, k / 10), (222, 222, 214))
    for shift in (-0.002, 0.0, 0.002):
        chart.line((0.0, max(0.0, shift)), (1.0, 1.0 + min(0.0, shift)), (150, 150, 146))
    for kind, rows in bins.items():
        known = [(true, said, n) for n, said, true in rows if n]
        for (true, said, _), (true2, said2, _) in itertools.pairwise(known):
            for shift in (0.0, 0.0015):
                chart.line((true + shift, said), (true2 + shift, said2), COLOURS[kind])
        for true, said, n in known:
            _dot(chart, true, said, 4.0 + 2.2 * np.log10(n), COLOURS[kind])
    chart.legend([COLOURS[kind] for kind in bins], list(bins))
    chart.note("Right: the score. Upwards: the share dark in truth. On the grey line the probability is true.")
    path = path if path is not None else PICTURES / "dark-calibration.png"
    chart.save(path)
    return path


def _dot(chart: Chart, true: float, said: float, radius_px: float, colour: Colour) -> None:
    y, x = chart.at((true, said))
    rows, columns = np.ogrid[: chart.lat.shape[0], : chart.lat.shape[1]]
    disc = (rows - y) ** 2 + (columns - x) ** 2
    chart.paint(disc <= (radius_px + 1.5) ** 2, GRID)
    chart.paint(disc <= radius_px**2, colour)
