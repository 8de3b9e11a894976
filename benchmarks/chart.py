"""A chart as a picture: coloured pixels of a box, with coast, places and words. What `benchmarks.pictures` draws with.

No library of pictures is needed: `luxwake.world_map.png` writes it, and the letters are those of a character display.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.cells import cells as cells_at
from geo.cells import parents, resolutions
from geo.coastline import coastline
from luxwake.density import Box
from luxwake.world_map import land, png

Colour = tuple[int, int, int]
Pixels = NDArray[np.bool_] | tuple[NDArray[np.int64], NDArray[np.int64]]
WHITE, INK, PAPER = (255, 255, 255), (22, 28, 38), (246, 246, 242)
LAND, COAST, GRID = (196, 192, 180), (92, 86, 74), (255, 255, 255)
TOP_PX, LINE_PX = 46, 26
_SCALE = 2
"""Pixels of one dot of a letter."""
_GLYPHS = np.frombuffer(
    bytes.fromhex(
        "000000000000005f00000007000700147f147f14242a7f2a12231308646236495620500008070300001c2241000041221c00"
        "2a1c7f1c2a08083e080800807030000808080808000060600020100804023e5149453e00427f400072494949462141494d33"
        "1814127f1027454545393c4a49493141211109073649494936464949291e0000140000004034000000081422411414141414"
        "004122140802015909063e415d594e7c1211127c7f494949363e414141227f4141413e7f494949417f090909013e41415173"
        "7f0808087f00417f41002040413f017f081422417f404040407f021c027f7f0408107f3e4141413e7f090909063e4151215e"
        "7f09192946264949493203017f01033f4040403f1f2040201f3f4038403f631408146303047804036159494d43007f414141"
        "0204081020004141417f04020102044040404040000307080020545478407f284444383844444428384444287f3854545418"
        "00087e090218a4a49c787f0804047800447d40002040403d007f1028440000417f40007c047804787c080404783844444438"
        "fc1824241818242418fc7c08040408485454542404043f44243c4040207c1c2040201c3c4030403c44281028444c9090907c"
        "4464544c44"
    ),
    np.uint8,
).reshape(-1, 5)
"""Letters 32 to 122 of ASCII, five columns each; bit 0 is the top dot, bit 7 the tail of a g."""


def width_px(text: str) -> int:
    """Width of a line of text.

    >>> width_px("Rajin")
    58
    """
    return max(0, 6 * len(text) - 1) * _SCALE


def write_text(picture: NDArray[np.uint8], y: int, x: int, text: str, colour: Colour) -> None:
    """Letters on a picture, their top left at row `y` and column `x`; what falls off the picture is left out."""
    codes = np.array([ord(one) - 32 if " " <= one <= "z" else ord("?") - 32 for one in text], np.int64)
    dots = np.zeros((len(text), 6, 8), np.bool_)
    dots[:, :5] = np.unpackbits(_GLYPHS[codes], axis=1, bitorder="little").reshape(-1, 5, 8)
    row, column = np.nonzero(dots.reshape(-1, 8).T.repeat(_SCALE, axis=0).repeat(_SCALE, axis=1))
    row, column = row + y, column + x
    shown = (row >= 0) & (row < picture.shape[0]) & (column >= 0) & (column < picture.shape[1])
    picture[row[shown], column[shown]] = colour


class Chart:
    """A map of a box with a title above and a legend below.

    `lat`, `lon` (rows, columns) are the middles of the pixels of the map, for whoever has a value for each.
    """

    def __init__(self, box: Box, title: str, columns: int = 1200) -> None:
        self.box = box
        rows = round(columns / box.ratio)
        y, x = (np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns
        self.lat, self.lon = np.meshgrid(
            box.lat_max - y * (box.lat_max - box.lat_min), box.lon_min + x * (box.lon_max - box.lon_min), indexing="ij"
        )
        self.map = np.full((rows, columns, 3), LAND, np.uint8)
        self.taken = np.zeros((rows, columns), np.bool_)  # by words: what comes later stays clear of them
        self._head = np.full((TOP_PX, columns, 3), PAPER, np.uint8)
        write_text(self._head, 14, 14, title, INK)
        self._below: list[NDArray[np.uint8]] = []

    def paint(self, where: Pixels, colour: Colour, share: float = 1.0) -> None:
        """Colour the pixels `where` (a mask, or rows and columns); under a share of 1 what is there shines through."""
        self.map[where] = np.round(self.map[where] * (1.0 - share) + np.array(colour) * share).astype(np.uint8)

    def paint_bands(self, value: NDArray[np.float64], edges: Sequence[float], colours: Sequence[Colour]) -> None:
        """Colour pixels by which of the bands between edges their value lies in; NaN is left as it is.

        There is one colour more than edges; a darker line runs along each edge.
        """
        known = ~np.isnan(value)
        band = np.where(known, np.searchsorted(np.asarray(edges), value, side="right"), -1)
        for k, colour in enumerate(colours):
            self.paint(band == k, colour)
        line = np.zeros(band.shape, np.bool_)
        line[:-1] |= band[:-1] != band[1:]
        line[:, :-1] |= band[:, :-1] != band[:, 1:]
        near_unknown = ~known
        near_unknown[:-1] |= ~known[1:]
        near_unknown[:, :-1] |= ~known[:, 1:]
        self.paint(line & ~near_unknown, INK, 0.35)

    def of_cells(self, cells: NDArray[np.uint64], values: ArrayLike) -> NDArray[np.float64]:
        """The value of the H3 cell that each pixel lies in, cells of any resolutions that do not overlap; else NaN.

        A pixel is in a cell when its finest cell is, by H3's hierarchy: cells of several sizes leave slivers else.
        """
        wanted = np.asarray(values, np.float64)
        found = np.full(self.lat.shape, np.nan)
        resolution = resolutions(cells)
        finest = cells_at(self.lat.ravel(), self.lon.ravel(), int(resolution.max()))
        for one in np.unique(resolution).tolist():
            chosen = np.flatnonzero(resolution == one)
            chosen = chosen[np.argsort(cells[chosen])]
            pixel = parents(finest, one).reshape(self.lat.shape)
            at = np.minimum(np.searchsorted(cells[chosen], pixel), chosen.size - 1)
            hit = cells[chosen][at] == pixel
            found[hit] = wanted[chosen[at[hit]]]
        return found

    def paint_land(self) -> None:
        """Land of Natural Earth, over whatever is there."""
        self.paint(land(self.box, *self.lat.shape), LAND)

    def draw_coast(self) -> None:
        """The coastline of Natural Earth."""
        for ring in coastline(*self.box):
            inside = self._inner_edges(ring)
            for (a, b), shown in zip(pairwise(ring), inside, strict=True):
                if shown:
                    self.line(a, b, COAST)

    def _inner_edges(self, ring: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which edges of a ring are coast, and not where the box cut it."""
        box = self.box
        cut = np.zeros(len(ring) - 1, np.bool_)
        for axis, limits in ((0, (box.lat_min, box.lat_max)), (1, (box.lon_min, box.lon_max))):
            for limit in limits:
                on = np.abs(ring[:, axis] - limit) < 1e-9
                cut |= on[:-1] & on[1:]
        return ~cut

    def line(self, begin: ArrayLike, end: ArrayLike, colour: Colour, share: float = 1.0) -> None:
        """A straight line on the chart between two places (latitude, longitude)."""
        (y1, x1), (y2, x2) = self.at(begin), self.at(end)
        n = int(max(abs(y2 - y1), abs(x2 - x1))) + 1
        y = np.round(np.linspace(y1, y2, n + 1)).astype(np.int64)
        x = np.round(np.linspace(x1, x2, n + 1)).astype(np.int64)
        shown = (y >= 0) & (y < self.lat.shape[0]) & (x >= 0) & (x < self.lat.shape[1])
        self.paint((y[shown], x[shown]), colour, share)

    def draw_degrees(self, every_deg: int) -> None:
        """Parallels and meridians, named at the west and the south side."""
        box, rows = self.box, self.lat.shape[0]
        for lat in range(math.ceil(box.lat_min / every_deg) * every_deg, math.ceil(box.lat_max), every_deg):
            self.line((lat, box.lon_min), (lat, box.lon_max), GRID, 0.3)
            y = round(self.at((lat, box.lon_min))[0])
            if 20 < y < rows - 40:
                self._label(y - 18, 6, f"{abs(lat)} {'N' if lat >= 0 else 'S'}", INK)
        for lon in range(math.ceil(box.lon_min / every_deg) * every_deg, math.ceil(box.lon_max), every_deg):
            self.line((box.lat_min, lon), (box.lat_max, lon), GRID, 0.3)
            turned = (lon + 180) % 360 - 180
            text, x = f"{abs(turned)} {'E' if turned >= 0 else 'W'}", round(self.at((box.lat_min, lon))[1])
            if x > 40 and x + width_px(text) + 6 < self.lat.shape[1]:
                self._label(rows - 20, x + 5, text, INK)

    def at(self, place: ArrayLike) -> tuple[float, float]:
        """Row and column of a place (latitude, longitude) on the map, with fractions."""
        lat, lon = np.asarray(place, np.float64)
        rows, columns = self.lat.shape
        y = (self.box.lat_max - lat) / (self.box.lat_max - self.box.lat_min) * rows - 0.5
        east = (lon - self.box.lon_min) % 360.0 if lon < self.box.lon_min else lon - self.box.lon_min
        return float(y), float(east / (self.box.lon_max - self.box.lon_min) * columns - 0.5)

    def place(self, name: str, lat: float, lon: float, colour: Colour = INK) -> None:
        """A dot with its name on the side where there is room."""
        (y, x), wide = map(round, self.at((lat, lon))), width_px(name)
        rows, columns = np.ogrid[: self.lat.shape[0], : self.lat.shape[1]]
        disc = (rows - y) ** 2 + (columns - x) ** 2
        self.paint(disc <= 25, WHITE)
        self.paint(disc <= 12, colour)
        self.taken |= disc <= 25
        sides = ((-8, 10), (-8, -wide - 10), (-26, -wide // 2), (10, -wide // 2), (-24, 8), (8, 8))
        for down, right in sides:
            if self._free(y + down, x + right, wide):
                self._label(y + down, x + right, name, colour)
                return

    def scale(self, nmi: int, lat: float, lon: float) -> None:
        """A bar of so many nautical miles, from a place to the east."""
        y, x = self.at((lat, lon))
        end = self.at((lat, lon + nmi / 60.0 / math.cos(math.radians(lat))))[1]
        where = np.zeros(self.lat.shape, np.bool_)
        where[round(y) : round(y) + 4, round(x) : round(end)] = True
        where[round(y) - 5 : round(y) + 4, [round(x), round(x) + 1, round(end) - 1, round(end)]] = True
        self.paint(where, INK)
        text = f"{nmi} nautical miles"
        self._label(round(y) - 24, round((x + end) / 2) - width_px(text) // 2, text, INK)

    def legend(self, colours: Sequence[Colour], words: Sequence[str]) -> None:
        """A line below the map: a field of each colour, and what it stands for."""
        line = np.full((LINE_PX + 6, self.lat.shape[1], 3), PAPER, np.uint8)
        x = 14
        for colour, text in zip(colours, words, strict=True):
            line[8:26, x : x + 30] = INK
            line[9:25, x + 1 : x + 29] = colour
            write_text(line, 10, x + 38, text, INK)
            x += 38 + width_px(text) + 26
        self._below.append(line)

    def note(self, text: str) -> None:
        """Text below the map, on as many lines as it needs."""
        for words in textwrap.wrap(text, (self.lat.shape[1] - 28) // (6 * _SCALE)):
            line = np.full((LINE_PX, self.lat.shape[1], 3), PAPER, np.uint8)
            write_text(line, 6, 14, words, INK)
            self._below.append(line)

    def save(self, path: Path) -> None:
        """Write the picture as PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        foot = np.full((8, self.lat.shape[1], 3), PAPER, np.uint8)
        path.write_bytes(png(np.concatenate([self._head, self.map, *self._below, foot])))

    def _free(self, y: int, x: int, wide: int) -> bool:
        rows, columns = self.taken.shape
        if y < 2 or x < 2 or y + 18 > rows or x + wide + 2 > columns:
            return False
        return not self.taken[y - 2 : y + 18, x - 2 : x + wide + 2].any()

    def _label(self, y: int, x: int, text: str, colour: Colour) -> None:
        """Words on the map, with a light rim."""
        for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, 1), (-1, 1), (1, -1)):
            write_text(self.map, y + dy, x + dx, text, WHITE)
        write_text(self.map, y, x, text, colour)
        self.taken[max(y - 2, 0) : y + 18, max(x - 2, 0) : x + width_px(text) + 2] = True
