"""A small map of where positions are: characters for a terminal, or a PNG picture.

Land is Natural Earth's (`geo.coastline`), filled by the even-odd rule. On a terminal each character holds 2 x 4
braille dots, so that tracks and fairways are seen at 80 columns; where nothing was heard, land is shaded.
"""

from __future__ import annotations

import math
import struct
import zlib
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo.coastline import coastline
from geo.errors import OutputError
from luxwake.density import Box, Density, box_of, counted, outside

PNG_ROWS, PNG_COLUMNS = 800, 1200
_WIDEST = 3.0
"""A map is at most so many times as wide as high: a lone track along a parallel is to have a coast beside it."""
_DOTS = np.array([[1, 8], [2, 16], [4, 32], [64, 128]])
"""Bits of the dots of a braille character (Unicode 2800 .. 28FF), as they stand in it."""
_LAND, _SEA = "░", " "
_COLOURS = {_LAND: "2;32", "low": "36", "middle": "33", "high": "1;91"}  # of ECMA-48
_SEA_RGB, _LAND_RGB = (16, 26, 44), (62, 70, 78)
_RAMP_RGB = np.array([(46, 110, 158), (64, 196, 180), (250, 222, 92), (255, 255, 255)], np.float64)


def land(box: Box, rows: int, columns: int) -> NDArray[np.bool_]:
    """Whether the middle of each pixel of a map is on land; the north is in row 0.

    Examples
    --------
    >>> land(Box(50.0, 52.0, 10.0, 14.0), 2, 4).all(), land(Box(40.0, 41.0, -30.0, -29.0), 2, 2).any()
    (np.True_, np.False_)
    """
    rings = coastline(box.lat_min, box.lat_max, box.lon_min, box.lon_max)
    if not rings:
        return np.zeros((rows, columns), bool)
    lat, lon = np.concatenate(rings).T
    begin = np.ones(len(lat), bool)  # of an edge, as every point is but the last one of its ring
    begin[np.cumsum([len(ring) for ring in rings]) - 1] = False
    y = (box.lat_max - lat) / (box.lat_max - box.lat_min) * rows - 0.5
    x = (lon - box.lon_min) / (box.lon_max - box.lon_min) * columns - 0.5
    edges = np.flatnonzero(begin)
    y1, y2 = y[edges], y[edges + 1]
    first = np.clip(np.ceil(np.minimum(y1, y2)), 0, rows).astype(np.int64)
    crossed = np.clip(np.ceil(np.maximum(y1, y2)), 0, rows).astype(np.int64) - first  # rows from `first` on
    edge = np.repeat(np.arange(len(edges)), crossed)
    row = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(crossed) - crossed, crossed)
    at = edges[edge]
    crossing = x[at] + (row - y[at]) * (x[at + 1] - x[at]) / (y[at + 1] - y[at])
    column = np.clip(np.ceil(crossing), 0, columns).astype(np.int64)
    turns = np.bincount(row * (columns + 1) + column, minlength=rows * (columns + 1)).reshape(rows, columns + 1)
    inside: NDArray[np.bool_] = np.cumsum(turns, axis=1)[:, :columns] % 2 == 1
    return inside


def terminal_map(density: Density, width: int = 80, height: int = 24, colour: bool = False) -> list[str]:
    """Lines of a map; none where there is no position.

    Parameters
    ----------
    density : the positions
    width, height : columns and lines that it may take, at least 40 and 8
    colour : mark density by colour (codes of ECMA-48)

    Examples
    --------
    >>> density = Density()
    >>> density.add([57.7], [10.6])
    >>> lines = terminal_map(density)
    >>> len(lines), max(map(len, lines)) <= 80, any("░" in line for line in lines)
    (24, True, True)
    """
    if not density.positions:
        return []
    columns, rows = max(width, 40) - 9, max(height, 8) - 2
    box = box_of(density, columns / (2 * rows), _WIDEST)
    rows = min(rows, max(4, round(columns / (2 * box.ratio))))
    dots = counted(density, box, rows * 4, columns * 2).reshape(rows, 4, columns, 2)
    codes = ((dots > 0) * _DOTS[None, :, None, :]).sum(axis=(1, 3))
    heard = dots.sum(axis=(1, 3))
    on_land = land(box, rows * 4, columns * 2).reshape(rows, 4, columns, 2).mean(axis=(1, 3)) >= 0.5
    lines = []
    for row in range(rows):
        text = [
            chr(0x2800 + code) if code else _LAND if ashore else _SEA
            for code, ashore in zip(codes[row].tolist(), on_land[row].tolist(), strict=True)
        ]
        line = _coloured(text, heard[row], int(heard.max())) if colour else "".join(text)
        label = _degrees(box.lat_max, "NS") if row == 0 else _degrees(box.lat_min, "NS") if row == rows - 1 else ""
        lines.append(f"{line} {label}".rstrip())
    west, east = _degrees(box.lon_min, "EW"), _degrees(box.lon_max, "EW")
    lines.append(west + east.rjust(columns - len(west)))
    lines.append(_legend(density, box, rows * 4))
    return lines


def _coloured(text: list[str], heard: NDArray[np.int64], most: int) -> str:
    """The characters of a line with codes of colour: land, and three steps of density on a scale of logarithms."""
    steps = np.log1p(heard) / math.log1p(most) * 2.999
    kinds = [
        "" if one == _SEA else _COLOURS[_LAND if one == _LAND else ("low", "middle", "high")[int(step)]]
        for one, step in zip(text, steps.tolist(), strict=True)
    ]
    runs = groupby(zip(kinds, text, strict=True), key=lambda pair: pair[0])
    parts = [(kind, "".join(one for _, one in run)) for kind, run in runs]
    return "".join(f"\x1b[{kind}m{run}\x1b[0m" if kind else run for kind, run in parts)


def _legend(density: Density, box: Box, rows: int) -> str:
    dot_m = (box.lat_max - box.lat_min) * 111_195.0 / rows
    size = f"{dot_m:,.0f} m" if dot_m < 1_000.0 else f"{dot_m / 1_000.0:,.0f} km"
    missing = outside(density, box)
    text = f"{density.positions:,} position{'s' * (density.positions != 1)}; a dot is {size}; {_LAND} land"
    return f"{text}; {missing:,} lie outside" if missing else text


def _degrees(value: float, halves: str) -> str:
    value = (value + 180.0) % 360.0 - 180.0 if abs(value) > 180.0 else value
    return f"{abs(value):.2f}°{halves[value < 0.0]}"


def extent(density: Density, box: Box) -> str:
    """What a map shows, in words."""
    missing = outside(density, box)
    words = (
        f"{_degrees(box.lat_min, 'NS')} to {_degrees(box.lat_max, 'NS')}, "
        f"{_degrees(box.lon_min, 'EW')} to {_degrees(box.lon_max, 'EW')}"
    )
    return f"{words}; {missing:,} of {density.positions:,} positions lie outside" if missing else words


def write_map(density: Density, path: str | Path) -> Box:
    """Write a map as PNG, 1200 pixels wide and at most 800 high: land grey, sea dark, positions the lighter the more.

    Returns
    -------
    What it shows.

    Raises
    ------
    OutputError
        If there is no position, or the file cannot be written.
    """
    if not density.positions:
        raise OutputError(f"{path}: no map was written: no position was found")
    box = box_of(density, PNG_COLUMNS / PNG_ROWS, _WIDEST)
    rows = min(PNG_ROWS, 2 * round(PNG_COLUMNS / box.ratio / 2))
    heard = counted(density, box, rows // 2, PNG_COLUMNS // 2).repeat(2, axis=0).repeat(2, axis=1)  # dots that are seen
    picture = np.empty((rows, PNG_COLUMNS, 3), np.uint8)
    picture[:] = _SEA_RGB
    picture[land(box, rows, PNG_COLUMNS)] = _LAND_RGB
    step = np.log1p(heard[heard > 0]) / math.log1p(max(int(heard.max()), 2)) * (len(_RAMP_RGB) - 1)
    for colour in range(3):
        picture[heard > 0, colour] = np.interp(step, np.arange(len(_RAMP_RGB)), _RAMP_RGB[:, colour])
    try:
        Path(path).write_bytes(png(picture))
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error}); give another place") from None
    return box


def png(picture: NDArray[np.uint8]) -> bytes:
    """A picture (rows, columns, 3) of red, green and blue as PNG (RFC 2083): three blocks, no filters.

    >>> png(np.zeros((1, 2, 3), np.uint8))[:16].hex()
    '89504e470d0a1a0a0000000d49484452'
    """
    rows, columns, _ = picture.shape
    lines = np.zeros((rows, 1 + 3 * columns), np.uint8)  # each line begins with its filter: 0, none
    lines[:, 1:] = picture.reshape(rows, 3 * columns)
    head = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    blocks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b""))
    whole = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in blocks
    )
    return b"\x89PNG\r\n\x1a\n" + whole
