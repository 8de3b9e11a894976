"""Ports: UN/LOCODE, name, position, and which one is nearest.

The table is `tables/ports.csv` (see `tables/SOURCES.md`). A position's `quality` is "hand-checked" (at the berths of
a north-east Asian port, compared with a second source) or "table" (as searoute has it: one in ten of those that can be
compared is more than 10 km off). A port is one point, so a port that is spread over a bay is known at one place only.
"""

from __future__ import annotations

import csv
import difflib
import math
import unicodedata
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import UsageError
from geo.kernel import kernel
from geo.sphere import EARTH_RADIUS_M, distance_m

_LAT_CELLS, _LON_CELLS = 180, 360  # one-degree cells, at most 23 ports in one; 260 kB of starts
_FUZZY_CUTOFF = 0.75  # difflib ratio; "Vladivostock" .96, "Nachodka" .88; but also Nanjing for "Najin" .83


class Port(NamedTuple):
    """One port; degrees WGS84. A code with a 0 in it is no UN/LOCODE (those have no 0): we know none for that port."""

    locode: str
    name: str
    country: str
    """ISO 3166 alpha-2."""
    lat: float
    lon: float
    quality: str
    """"hand-checked" or "table"."""
    aliases: tuple[str, ...]
    """Other names and other codes."""


class PortIndex(NamedTuple):
    """The ports as arrays for kernels, sorted into one-degree cells.

    `start` (64,801) int32 gives for each cell (row * 360 + column from 90 S, 180 W) where its ports begin in `row`,
    the indices into `ports()`; `x`, `y`, `z` are unit vectors in that same order, `lat` and `lon` in that of `ports()`.
    """

    start: NDArray[np.int32]
    row: NDArray[np.int32]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    z: NDArray[np.float64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]


@kernel
def nearest_port_at(index, lat_deg, lon_deg, within_m):
    """The nearest port of a `PortIndex` within `within_m`: (index into `ports()`, metres), else (-1, NaN).

    Ports at the very same distance: the first of the table. A position that is not finite has none.
    """
    if not (math.isfinite(lat_deg) and math.isfinite(lon_deg) and within_m >= 0.0):
        return -1, math.nan
    arc = min(within_m / EARTH_RADIUS_M, math.pi)
    reach_deg = math.degrees(arc) + 1e-9  # rounding must not lose a port on the rim
    south = max(0, int(math.floor(lat_deg - reach_deg)) + 90)
    north = min(_LAT_CELLS - 1, int(math.floor(lat_deg + reach_deg)) + 90)
    lat = math.radians(lat_deg)
    sin_lon = math.sin(arc) / math.cos(lat)
    west, columns = 0, _LON_CELLS
    if arc < 1.5 and abs(lat_deg) + reach_deg < 90.0 and sin_lon < 1.0:  # else the circle holds a pole
        span = math.degrees(math.asin(sin_lon)) + 1e-9
        west = int(math.floor(lon_deg - span)) + 180
        columns = min(_LON_CELLS, int(math.floor(lon_deg + span)) + 180 - west + 1)
    best = -1
    chord = 2.0 * math.sin(0.5 * arc)
    least = chord * chord * (1.0 + 1e-9) + 1e-18
    x = y = z = 2.0  # the vector of the position is only made when a cell has ports
    for cell_row in range(south, north + 1):
        for step in range(columns):
            cell = cell_row * _LON_CELLS + (west + step) % _LON_CELLS
            for k in range(index.start[cell], index.start[cell + 1]):
                if x == 2.0:
                    x = math.cos(lat) * math.cos(math.radians(lon_deg))
                    y = math.cos(lat) * math.sin(math.radians(lon_deg))
                    z = math.sin(lat)
                dx, dy, dz = index.x[k] - x, index.y[k] - y, index.z[k] - z
                square = dx * dx + dy * dy + dz * dz
                if square < least or (square == least and index.row[k] < best):
                    least = square
                    best = index.row[k]
    if best < 0:
        return -1, math.nan
    metres = distance_m(lat_deg, lon_deg, index.lat[best], index.lon[best])
    if metres > within_m:
        return -1, math.nan
    return best, metres


@kernel
def _fill_nearest(index, lat_deg, lon_deg, within_m, out_row, out_m):
    for i in range(lat_deg.size):
        out_row[i], out_m[i] = nearest_port_at(index, lat_deg[i], lon_deg[i], within_m)


@cache
def ports() -> tuple[Port, ...]:
    """All ports, sorted by code.

    >>> len(ports()) > 3_900, ports()[0].locode
    (True, 'AEABU')
    """
    with (Path(__file__).parent / "tables" / "ports.csv").open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        return tuple(
            Port(code, name, country, float(lat), float(lon), quality, tuple(filter(None, aliases.split(";"))))
            for code, name, country, lat, lon, quality, aliases in rows
        )


@cache
def port_index() -> PortIndex:
    """The index of `ports()` for `nearest_port_at`.

    >>> row, metres = nearest_port_at(port_index(), 42.80, 132.90, 5_000.0)
    >>> ports()[row].locode
    'RUNJK'
    """
    lat = np.array([port.lat for port in ports()])
    lon = np.array([port.lon for port in ports()])
    cell_row = np.minimum(np.floor(lat).astype(int) + 90, _LAT_CELLS - 1)
    cell = cell_row * _LON_CELLS + (np.floor(lon).astype(int) + 180) % _LON_CELLS
    row = np.argsort(cell, kind="stable")
    start = np.searchsorted(cell[row], np.arange(_LAT_CELLS * _LON_CELLS + 1))
    phi, lam = np.radians(lat[row]), np.radians(lon[row])
    return PortIndex(
        start.astype(np.int32),
        row.astype(np.int32),
        np.cos(phi) * np.cos(lam),
        np.cos(phi) * np.sin(lam),
        np.sin(phi),
        lat,
        lon,
    )


def _plain(text: str) -> str:
    """A name without accents, case, spaces and signs: "Pos'yet" and "POSYET" are one name, "Saint" is "St"."""
    decomposed = unicodedata.normalize("NFKD", text).casefold().replace("'", "").removeprefix("port of ")
    words = "".join(sign if sign.isalnum() else " " for sign in decomposed if not unicodedata.combining(sign)).split()
    return "".join("st" if word in ("saint", "sankt") else word for word in words)


@cache
def _by_code() -> dict[str, Port]:
    """Codes, and aliases that are codes, in capitals; an alias never hides a port's own code."""
    aliases = {
        alias: port for port in ports() for alias in port.aliases if len(alias) == 5 and alias.startswith(port.country)
    }
    return aliases | {port.locode: port for port in ports()}


@cache
def _by_name() -> dict[str, tuple[Port, ...]]:
    """Plain names and aliases; several ports may share one."""
    found: dict[str, list[Port]] = {}
    for port in ports():
        for name in dict.fromkeys(_plain(name) for name in (port.name, *port.aliases)):
            found.setdefault(name, []).append(port)
    return {name: tuple(places) for name, places in found.items()}


def port_by_code(code: str) -> Port | None:
    """The port with a UN/LOCODE, written with or without a space, in any case; other codes in use resolve too.

    >>> port_by_code("cn dal").name, port_by_code("CNDLC").name, port_by_code("XXXXX")
    ('Dalian', 'Dalian', None)
    """
    return _by_code().get("".join(code.split()).upper())


def find_port(text: str, limit: int = 5) -> list[Port]:
    """Ports that a text may mean, the likeliest first; several rather than a guess, none when nothing is near.

    A code, or a name or alias written alike (case, accents, spaces and signs aside), is taken as it stands: then only
    the ports that bear it are returned. Failing that, the part before a comma or bracket ("Nakhodka (declared)"), and
    then names that are alike (difflib ratio of 0.75 and more).

    Raises UsageError for a limit under 1.

    >>> [port.locode for port in find_port("Vladivostock")][:1]
    ['RUVVO']
    >>> [port.locode for port in find_port("Newcastle")]
    ['AUNTL', 'CANCT']
    """
    if limit < 1:
        raise UsageError(f"limit must be 1 or more, not {limit}")
    named = port_by_code(text)
    if named is not None:
        return [named]
    for part in (text, text.split(",", maxsplit=1)[0].split("(", maxsplit=1)[0]):
        if (plain := _plain(part)) in _by_name():
            return list(_by_name()[plain][:limit])
    alike = difflib.get_close_matches(
        _plain(text.split(",", maxsplit=1)[0].split("(", maxsplit=1)[0]), _by_name(), limit, _FUZZY_CUTOFF
    )
    found = dict.fromkeys(port for name in alike for port in _by_name()[name])
    return list(found)[:limit]


def nearest_port(
    lat_deg: ArrayLike, lon_deg: ArrayLike, within_m: float
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The nearest port of each position: its index in `ports()` and the distance in metres, -1 and NaN where none is.

    `lat_deg` and `lon_deg` have one shape; great-circle distance, so over land too. Raises UsageError for a radius
    that is negative or not a number.

    >>> row, metres = nearest_port([35.08, 0.0], [129.06, -30.0], 20_000.0)
    >>> ports()[row[0]].name, int(row[1]), round(float(metres[0]), -2)
    ('Busan', -1, 2700.0)
    """
    if not within_m >= 0.0:
        raise UsageError(f"within_m must be 0 or more metres, not {within_m}")
    lat, lon = np.asarray(lat_deg, np.float64), np.asarray(lon_deg, np.float64)
    if lat.shape != lon.shape:
        raise UsageError(f"latitudes and longitudes must have one shape, not {lat.shape} and {lon.shape}")
    row, metres = np.empty(lat.size, np.int32), np.empty(lat.size, np.float32)
    flat = np.ascontiguousarray(lat.ravel()), np.ascontiguousarray(lon.ravel())
    _fill_nearest(port_index(), *flat, float(within_m), row, metres)
    return row.reshape(lat.shape), metres.reshape(lat.shape)
