"""Straits and canals by name: the lines that ships cross in a strait, and ways that the mask of the sea does not show.

A passage is a `strait` (a line from shore to shore; every way across it passes), a `gate` (a strait too narrow for the
mask: a way through it, from open water to open water) or a `canal` (a gate that men dug). All are open unless closed by
name; Adam's Bridge, which is under 4 m deep, is best closed for a ship. Positions are those of capes and locks, set by
hand and compared with the mask.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.errors import UsageError
from geo.kernel import inner, kernel
from geo.sphere import unit_vectors


class Passage(NamedTuple):
    """A strait, gate or canal."""

    name: str
    kind: str
    """strait, gate or canal."""
    points: tuple[tuple[float, float], ...]
    """(latitude, longitude): a line across a strait, or the way through a gate or canal."""


def _parsed(text: str) -> tuple[Passage, ...]:
    """Lines of `kind | name | lat lon, lat lon, ...`."""
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        kind, name, points = (part.strip() for part in line.split("|"))
        pairs = tuple(tuple(map(float, point.split())) for point in points.split(","))
        found.append(Passage(name, kind, tuple((lat, lon) for lat, lon in pairs)))
    return tuple(found)


PASSAGES = _parsed("""
    strait | Korea            | 35.20 129.00, 34.68 129.44, 34.10 129.20, 33.80 129.72, 33.45 129.95
    strait | Tsugaru          | 41.20 140.38, 41.47 140.17
    strait | La Perouse       | 45.45 141.93, 45.97 142.08
    strait | Tatar            | 51.47 140.60, 51.47 142.30
    strait | Bungo            | 33.37 132.08, 33.25 131.82
    strait | Kii              | 33.84 134.68, 33.88 135.20
    gate   | Kanmon           | 34.01 130.82, 33.925 130.905, 33.962 130.962, 33.93 131.10
    strait | Kurushima        | 34.05 132.95, 34.17 133.07
    strait | Bisan Seto       | 34.50 133.82, 34.28 133.86
    strait | Akashi           | 34.71 135.04, 34.55 135.00
    strait | Bohai            | 38.82 121.22, 37.72 120.75
    strait | Taiwan           | 25.70 119.45, 24.90 121.20
    strait | Luzon            | 22.20 120.75, 18.30 121.60
    strait | Hainan           | 20.45 110.20, 19.90 110.20
    strait | Malacca          | 2.55 101.98, 2.10 101.70, 1.50 101.30
    strait | Singapore        | 1.36 103.85, 1.05 104.00
    strait | Sunda            | -5.78 105.68, -6.02 106.08
    strait | Lombok           | -8.40 115.55, -8.40 116.20
    strait | Makassar         | 1.00 118.70, 0.70 120.15
    strait | Torres           | -11.00 142.45, -8.90 142.45
    strait | Bass             | -38.60 146.00, -41.10 146.00
    strait | Cook             | -41.22 174.15, -41.27 174.85
    strait | Adam's Bridge    | 9.35 79.15, 9.03 79.80
    strait | Hormuz           | 26.25 56.33, 27.25 56.50
    strait | Bab el Mandeb    | 12.43 43.15, 12.80 43.60
    canal  | Suez             | 31.40 32.42, 31.26 32.31, 30.57 32.3, 30.40 32.36, 30.22 32.56, 29.92 32.56, 29.80 32.52
    strait | Bosporus         | 41.10 28.90, 41.10 29.25
    strait | Dardanelles      | 40.18 26.28, 40.11 26.55
    strait | Messina          | 38.20 15.45, 38.20 15.75
    strait | Bonifacio        | 41.45 9.22, 41.20 9.22
    canal  | Corinth          | 37.96 22.92, 37.93 22.99, 37.91 23.02, 37.87 23.08
    strait | Gibraltar        | 36.12 -5.60, 35.75 -5.60
    strait | Dover            | 51.22 1.22, 50.82 1.70
    strait | Oresund          | 56.03 12.50, 56.06 12.80
    strait | Great Belt       | 55.33 10.70, 55.36 11.25
    canal  | Kiel             | 53.95 8.70, 53.88 9.05, 53.90 9.14, 54.10 9.35, 54.31 9.68, 54.37 10.14, 54.45 10.22
    canal  | Panama           | 9.42 -79.93, 9.33 -79.92, 9.20 -79.90, 9.12 -79.75, 8.99 -79.59, 8.88 -79.52
    strait | Windward         | 20.25 -74.30, 19.70 -73.20
    strait | Yucatan          | 21.40 -87.20, 21.95 -84.50
    strait | Florida          | 25.30 -80.55, 22.90 -80.60
    strait | Magellan         | -52.38 -69.72, -52.65 -69.52
    strait | Bering           | 66.15 -170.00, 65.55 -167.80
""")

UNNAMED = len(PASSAGES)
"""In place of the number of a passage: a leg that has bends and no name."""
INLET = UNNAMED + 1
"""The same for a way out of a water that is closed on the mask, through its narrowest land."""


def plain_name(name: str) -> str:
    """A name without accents, case and signs.

    >>> plain_name("La P\u00e9rouse") == plain_name("la-perouse")
    True
    """
    letters = unicodedata.normalize("NFKD", name.casefold().replace("\u00f8", "o"))
    return "".join(letter for letter in letters if letter.isalnum())


def numbers_of(names: Iterable[str]) -> tuple[int, ...]:
    """The places in `PASSAGES` of passages given by name, in any case and with or without accents, each once.

    Raises UsageError for a name that is none of them.

    >>> [PASSAGES[number].name for number in numbers_of(["suez", "La P\u00e9rouse", "Suez"])]
    ['La Perouse', 'Suez']
    """
    known = {plain_name(passage.name): number for number, passage in enumerate(PASSAGES)}
    found = set()
    for name in [names] if isinstance(names, str) else names:
        if plain_name(name) not in known:
            raise UsageError(f"no strait or canal is called {name!r}; known: {', '.join(p.name for p in PASSAGES)}")
        found.add(known[plain_name(name)])
    return tuple(sorted(found))


@inner
def side(lines, k, a, b, x, y, z):
    """On which side of a great circle a vector lies; the circle runs through two points of row `k`, at `a` and `b`."""
    return (
        (lines[k, a + 1] * lines[k, b + 2] - lines[k, a + 2] * lines[k, b + 1]) * x
        + (lines[k, a + 2] * lines[k, b] - lines[k, a] * lines[k, b + 2]) * y
        + (lines[k, a] * lines[k, b + 1] - lines[k, a + 1] * lines[k, b]) * z
    )


@inner
def crosses(lines, ax, ay, az, bx, by, bz):
    """Whether the arc between unit vectors `a` and `b` crosses one of `lines` (k, 6), arcs; all under half a turn."""
    nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    for k in range(lines.shape[0]):
        if side(lines, k, 0, 3, ax, ay, az) * side(lines, k, 0, 3, bx, by, bz) > 0.0:
            continue
        one = nx * lines[k, 0] + ny * lines[k, 1] + nz * lines[k, 2]
        other = nx * lines[k, 3] + ny * lines[k, 4] + nz * lines[k, 5]
        # the circles meet at two opposite points: both arcs must hold the same one
        same = (ax + bx) * (lines[k, 0] + lines[k, 3]) + (ay + by) * (lines[k, 1] + lines[k, 4])
        if one * other <= 0.0 and same + (az + bz) * (lines[k, 2] + lines[k, 5]) > 0.0:
            return True
    return False


@kernel
def mark_crossing(start, end, lines, out):
    """Mark in `out` (bool) which arcs from `start` to `end`, (n, 3) unit vectors, cross one of the lines."""
    for k in range(out.size):
        out[k] = crosses(lines, start[k, 0], start[k, 1], start[k, 2], end[k, 0], end[k, 1], end[k, 2])


def lines_of(numbers: Sequence[int]) -> NDArray[np.float64]:
    """The lines of those passages that are straits, as arcs (k, 6) of unit vectors."""
    lines = [unit_vectors(*np.transpose(PASSAGES[n].points)) for n in numbers if PASSAGES[n].kind == "strait"]
    arcs = [np.concatenate([a, b]) for line in lines for a, b in pairwise(line)]
    return np.array(arcs, np.float64).reshape(-1, 6)
