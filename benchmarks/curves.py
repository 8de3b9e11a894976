"""Curves as a picture: panels side by side, each with lines over the same points, and bands for their intervals.

As `benchmarks.chart`, without a library of pictures; lines are smooth because each pixel takes the share of it that the
line covers.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.chart import INK, PAPER, WHITE, Colour, width_px, write_text
from luxwake.world_map import png

COLOURS: tuple[Colour, ...] = ((24, 78, 160), (206, 92, 26), (110, 110, 116), (34, 132, 96))
LEFT, RIGHT, TOP, BOTTOM = 84, 26, 88, 78
WIDE, HIGH = 760, 420
RULE: Colour = (222, 222, 216)


class Line(NamedTuple):
    """One line of a panel: a value for each point, with the ends of its interval; NaN leaves a hole."""

    words: str
    colour: Colour
    values: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


class Panel(NamedTuple):
    """Points from left to right, evenly spaced, and a scale that begins at 0."""

    title: str
    below: str
    points: Sequence[str]
    lines: Sequence[Line]
    top: float = 1.0
    digits: int = 1
    aims: Sequence[float] = ()
    """A target at each point, drawn as a short bar; NaN for none."""


def scale_top(values: Sequence[float]) -> float:
    """The least of 1, 2, 4 and 8 times a power of ten that no value is above: quarters of it are round.

    >>> scale_top([0.3, 31.0]), scale_top([])
    (40.0, 1.0)
    """
    most = max((v for v in values if v == v), default=0.0)
    steps = (m * 10.0**e for e in range(-2, 6) for m in (1, 2, 4, 8))
    return next((step for step in steps if step >= most), most) if most > 0 else 1.0


def draw(path: Path, title: str, panels: Sequence[Panel], note: str = "") -> Path:
    """Write the picture of these panels side by side."""
    words = textwrap.wrap(note, (WIDE * len(panels) - 28) // 12) if note else []
    picture = np.full((HIGH + 44 + 26 * len(words), WIDE * len(panels), 3), PAPER, np.uint8)
    write_text(picture, 14, 14, title, INK)
    for k, panel in enumerate(panels):
        _draw_panel(picture[36 : 36 + HIGH, k * WIDE : (k + 1) * WIDE], panel)
    for k, text in enumerate(words):
        write_text(picture, HIGH + 40 + 26 * k, 14, text, INK)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(picture))
    return path


def _draw_panel(picture: NDArray[np.uint8], panel: Panel) -> None:
    bottom, right = HIGH - BOTTOM, WIDE - RIGHT
    picture[TOP : bottom + 1, LEFT : right + 1] = WHITE
    for k in range(5):
        y = round(bottom - (bottom - TOP) * k / 4)
        picture[y, LEFT : right + 1] = RULE
        text = f"{panel.top * k / 4:,.{panel.digits}f}"
        write_text(picture, y - 7, LEFT - 10 - width_px(text), text, INK)
    n = len(panel.points)
    x = [LEFT + 18 + (right - LEFT - 36) * k / max(n - 1, 1) for k in range(n)]
    free = 0.0
    for at, text in zip(x, panel.points, strict=True):
        picture[bottom : bottom + 6, round(at)] = INK
        begin = at - width_px(text) / 2
        if begin >= free:
            write_text(picture, bottom + 12, round(begin), text, INK)
            free = at + width_px(text) / 2 + 6
    picture[bottom, LEFT : right + 1] = picture[TOP : bottom + 1, LEFT] = INK
    write_text(picture, bottom + 40, (LEFT + right - width_px(panel.below)) // 2, panel.below, INK)
    write_text(picture, 12, LEFT, panel.title, INK)
    _draw_lines(picture, panel, x, bottom)


def _draw_lines(picture: NDArray[np.uint8], panel: Panel, x: Sequence[float], bottom: int) -> None:
    def height(value: float) -> float:
        return bottom - (bottom - TOP) * min(value, panel.top) / panel.top

    for at, aim in zip(x, panel.aims, strict=False):
        if aim == aim:
            stroke(picture, (height(aim), at - 11), (height(aim), at + 11), 2.0, INK, 0.85)
    for line in panel.lines:
        if line.low:
            band(picture, x, [height(v) for v in line.low], [height(v) for v in line.high], line.colour)
    words_x = LEFT
    for number, line in enumerate(panel.lines):
        wide = 2.4 if number else 5.4  # the first one stays in sight where another lies upon it
        y = [height(v) for v in line.values]
        for k in range(len(x) - 1):
            if y[k] == y[k] and y[k + 1] == y[k + 1]:
                stroke(picture, (y[k], x[k]), (y[k + 1], x[k + 1]), wide, line.colour)
        for at, value in zip(x, y, strict=True):
            if value == value:
                stroke(picture, (value, at), (value, at), wide + 4.0, line.colour)
        stroke(picture, (TOP - 24, words_x + 3), (TOP - 24, words_x + 25), wide, line.colour)
        write_text(picture, TOP - 32, words_x + 34, line.words, INK)
        words_x += 34 + width_px(line.words) + 24
    if panel.aims:
        stroke(picture, (TOP - 24, words_x), (TOP - 24, words_x + 20), 2.0, INK, 0.85)
        write_text(picture, TOP - 32, words_x + 30, "target", INK)


def stroke(
    picture: NDArray[np.uint8],
    begin: tuple[float, float],
    end: tuple[float, float],
    width: float,
    colour: Colour,
    share: float = 1.0,
) -> None:
    """A straight line with round ends between two places (row, column)."""
    (y1, x1), (y2, x2) = begin, end
    top, left = max(int(min(y1, y2) - width - 1), 0), max(int(min(x1, x2) - width - 1), 0)
    rows, columns = np.ogrid[top : int(max(y1, y2) + width + 2), left : int(max(x1, x2) + width + 2)]
    rows, columns = rows[rows[:, 0] < picture.shape[0]], columns[:, columns[0] < picture.shape[1]]
    length = (y2 - y1) ** 2 + (x2 - x1) ** 2
    along = np.clip(((rows - y1) * (y2 - y1) + (columns - x1) * (x2 - x1)) / length, 0, 1) if length else 0.0
    away = np.hypot(rows - y1 - along * (y2 - y1), columns - x1 - along * (x2 - x1))
    cover = (np.clip(width / 2 + 0.5 - away, 0.0, 1.0) * share)[..., None]
    part = picture[top : top + away.shape[0], left : left + away.shape[1]]
    part[:] = np.round(part * (1.0 - cover) + np.array(colour) * cover)


def band(
    picture: NDArray[np.uint8], x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: Colour
) -> None:
    """The area between two lines, through which what is there shines."""
    columns = np.arange(round(x[0]), round(x[-1]) + 1)
    below, above = np.interp(columns, x, low), np.interp(columns, x, high)
    rows = np.arange(picture.shape[0])[:, None]
    cover = np.clip(below - rows + 0.5, 0, 1) * np.clip(rows - above + 0.5, 0, 1) * 0.16
    part = picture[:, columns[0] : columns[-1] + 1]
    part[:] = np.round(part * (1.0 - cover[..., None]) + np.array(colour) * cover[..., None])
