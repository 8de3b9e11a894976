"""H3 cells in kernels: latitude and longitude to a cell, its neighbours, its parent.

Equal to the C library, bit for bit, at every position that AIS can send. It differs only on exact ties: points on
the border of two cells, where both answers are right (up to half of the exact cell corners; 0.1 to 0.5 % of points
placed within 1e-3 degrees of an icosahedron edge), and at resolutions 11 and finer within 1e-7 degrees of a face
centre, where the C library itself loses digits.

How: a point goes to the nearest of the 20 faces of the icosahedron, is projected onto that face (gnomonic), rounded
to the nearest hexagon, and its digits are read off by going up parent by parent; a table made by
`geo.tables.build_cells` gives base cell and rotation. A cell is a uint64; 0 means "no cell" (H3_NULL).
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import UsageError
from geo.kernel import inner, kernel

INDEX_RESOLUTION = 7
"""Resolution of `Fixes.cell`: an edge of 1.4 km on average, never under 1.0 km; a cell and its six neighbours hold
every point within 500 m (checked over 60,000 random pairs and in tests)."""

_TABLE = np.load(Path(__file__).parent / "tables" / "h3_faces.npz")
_CENTRE_X, _CENTRE_Y, _CENTRE_Z = (np.ascontiguousarray(_TABLE["centres"][:, k]) for k in range(3))
_AXES = np.ascontiguousarray(_TABLE["axes"])
_BASE = np.ascontiguousarray(_TABLE["base"])
_TURN = np.ascontiguousarray(_TABLE["turn"])

_SIN60 = math.sqrt(3.0) / 2.0
_UNIT0 = 2.0 / (3.0 - math.sqrt(5.0))  # 1 / (length of a resolution 0 unit in the gnomonic plane)
_SCALE = np.array([_UNIT0 * math.sqrt(7.0) ** r for r in range(16)])
_HEAD = np.array([(1 << 59) | (r << 52) | ((1 << (45 - 3 * r)) - 1) for r in range(16)])
_LOW_BITS = 0o111111111111111  # the low bit of each of the 15 digits
_POSITIVE = 7 << 27  # a multiple of 7 that makes the argument of % 7 positive

DIGIT_OFFSETS = ((0, 0), (-1, -1), (0, 1), (-1, 0), (1, 0), (0, -1), (1, 1))
"""H3 digits as offsets (di, dj) on axes 120 degrees apart."""


def _residues(a: int, b: int) -> NDArray[np.int64]:
    """Rows (digit, di, dj) by (a di + b dj) mod 7: which child of its parent a cell is."""
    table = np.zeros((7, 3), np.int64)
    for digit, (di, dj) in enumerate(DIGIT_OFFSETS):
        table[(a * di + b * dj) % 7] = (digit, di, dj)
    return table


_CHILD_III = _residues(3, -1)  # odd resolutions
_CHILD_II = _residues(2, 1)  # even resolutions
_NEIGHBOURS = np.array(DIGIT_OFFSETS)


@inner
def rotate60(digits):
    """All 15 three-bit digits turned by 60 degrees counter-clockwise at once: 1 > 5 > 4 > 6 > 2 > 3 > 1."""
    k = digits & _LOW_BITS
    j = (digits >> 1) & _LOW_BITS
    i = (digits >> 2) & _LOW_BITS
    return (((i | k) & ~j) << 2) | (((i | j) & ~k) << 1) | ((j | k) & ~i)


@inner
def leading_digit(digits):
    """The first digit that is not 0, or 0."""
    for shift in range(42, -1, -3):
        digit = (digits >> shift) & 7
        if digit != 0:
            return digit
    return 0


@kernel
def apply_turn(digits, code):
    """Digits as their base cell counts them; `code` as made by `geo.tables.build_cells`."""
    turns = code & 7
    if code & 16 == 0:
        for _ in range(turns):
            digits = rotate60(digits)
        return digits
    if leading_digit(digits) == 1:  # a pentagon has no k axis
        for _ in range(5 if code & 8 else 1):
            digits = rotate60(digits)
    for _ in range(turns):
        digits = rotate60(digits)
        if leading_digit(digits) == 1:
            digits = rotate60(digits)
    return digits


@inner
def closest_face(x, y, z):
    """The face whose centre is nearest to a unit vector."""
    best, face = -2.0, 0
    for n in range(20):
        dot = x * _CENTRE_X[n] + y * _CENTRE_Y[n] + z * _CENTRE_Z[n]
        if dot > best:
            best, face = dot, n
    return face


@kernel
def to_plane(x, y, z, face, resolution):
    """Gnomonic projection of a unit vector on a face, in units of the grid of a resolution."""
    odd = resolution & 1
    scale = _SCALE[resolution] / (x * _CENTRE_X[face] + y * _CENTRE_Y[face] + z * _CENTRE_Z[face])
    return (
        scale * (x * _AXES[odd, face, 0, 0] + y * _AXES[odd, face, 0, 1] + z * _AXES[odd, face, 0, 2]),
        scale * (x * _AXES[odd, face, 1, 0] + y * _AXES[odd, face, 1, 1] + z * _AXES[odd, face, 1, 2]),
    )


@kernel
def round_hex(px, py):
    """The nearest hexagon centre, as (i, j) on axes 120 degrees apart."""
    fj = py / _SIN60
    fi = px + 0.5 * fj
    fc = fj - fi
    a, b, c = math.floor(fi + 0.5), math.floor(0.5 - fj), math.floor(fc + 0.5)
    da, db, dc = abs(a - fi), abs(b + fj), abs(c - fc)
    if da > db and da > dc:
        a = -b - c
    elif db > dc:
        b = -a - c
    return int(a), -int(b)


@kernel
def path_digits(i, j, resolution):
    """Digits of the way up from a hexagon to its base cell, packed as in an index, and the base cell's (i, j)."""
    digits = 0
    shift = 45 - 3 * resolution
    for r in range(resolution, 0, -1):
        if r & 1:
            child = (3 * i - j + _POSITIVE) % 7
            digit = _CHILD_III[child, 0]
            i -= _CHILD_III[child, 1]
            j -= _CHILD_III[child, 2]
            i, j = (3 * i - j) // 7, (i + 2 * j) // 7
        else:
            child = (2 * i + j + _POSITIVE) % 7
            digit = _CHILD_II[child, 0]
            i -= _CHILD_II[child, 1]
            j -= _CHILD_II[child, 2]
            i, j = (2 * i + j) // 7, (3 * j - i) // 7
        digits |= digit << shift
        shift += 3
    return digits, i, j


@inner
def to_vector(lat_deg, lon_deg):
    """The unit vector (x, y, z) of a position."""
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    cos_lat = math.cos(lat)
    return cos_lat * math.cos(lon), cos_lat * math.sin(lon), math.sin(lat)


@inner
def vector_to_cell(x, y, z, resolution):
    """The cell that holds a unit vector."""
    face = closest_face(x, y, z)
    px, py = to_plane(x, y, z, face, resolution)
    i, j = round_hex(px, py)
    digits, base_i, base_j = path_digits(i, j, resolution)
    code = _TURN[face, base_i + 3, base_j + 3]
    if code != 0:
        digits = apply_turn(digits, code)
    return np.uint64(_HEAD[resolution] | (_BASE[face, base_i + 3, base_j + 3] << 45) | digits)


@kernel
def cell_at(lat_deg, lon_deg, resolution):
    """The cell that holds a position; 0 where the position is not finite."""
    if not (math.isfinite(lat_deg) and math.isfinite(lon_deg)):
        return np.uint64(0)
    x, y, z = to_vector(lat_deg, lon_deg)
    return vector_to_cell(x, y, z, resolution)


@kernel
def disk_at(lat_deg, lon_deg, resolution, out):
    """The cell of a position and its six neighbours into `out` (uint64, 7 places); beside a pentagon one repeats.

    The neighbours are the cells at the centres of the six hexagons around, taken on the plane of the face. Beyond
    the edge of a face that plane is off by far less than half a cell, so the right cell is met all the same.
    """
    x, y, z = to_vector(lat_deg, lon_deg)
    face = closest_face(x, y, z)
    odd = resolution & 1
    px, py = to_plane(x, y, z, face, resolution)
    i, j = round_hex(px, py)
    for n in range(7):
        ni, nj = i + _NEIGHBOURS[n, 0], j + _NEIGHBOURS[n, 1]
        u = (ni - 0.5 * nj) / _SCALE[resolution]
        v = nj * _SIN60 / _SCALE[resolution]
        cx = _CENTRE_X[face] + u * _AXES[odd, face, 0, 0] + v * _AXES[odd, face, 1, 0]
        cy = _CENTRE_Y[face] + u * _AXES[odd, face, 0, 1] + v * _AXES[odd, face, 1, 1]
        cz = _CENTRE_Z[face] + u * _AXES[odd, face, 0, 2] + v * _AXES[odd, face, 1, 2]
        length = math.sqrt(cx * cx + cy * cy + cz * cz)
        out[n] = vector_to_cell(cx / length, cy / length, cz / length, resolution)


@kernel
def parent_of(cell, resolution):
    """The cell of a coarser resolution that holds a cell by H3's own hierarchy; 0 stays 0."""
    if cell == np.uint64(0):
        return np.uint64(0)
    unused = np.uint64((1 << (45 - 3 * resolution)) - 1)
    kept = cell & ~(np.uint64(0xF) << np.uint64(52))
    return np.uint64((kept & ~unused) | unused | (np.uint64(resolution) << np.uint64(52)))


@kernel
def _fill_cells(lat_deg, lon_deg, resolution, out):
    for n in range(out.size):
        out[n] = cell_at(lat_deg[n], lon_deg[n], resolution)


def check_resolution(resolution: int) -> int:
    """The resolution itself when it is one of H3's 16, else a UsageError."""
    if not 0 <= resolution <= 15:
        raise UsageError(f"H3 resolution must be 0 to 15, not {resolution}")
    return resolution


def cells(lat_deg: ArrayLike, lon_deg: ArrayLike, resolution: int = INDEX_RESOLUTION) -> NDArray[np.uint64]:
    """H3 cells of positions in degrees, as uint64; 0 where a position is not finite.

    >>> [f"{cell:x}" for cell in cells([35.10, float("nan")], [129.04, 0.0], 7)]
    ['8730c1688ffffff', '0']
    """
    lat = np.ascontiguousarray(lat_deg, np.float64)
    lon = np.ascontiguousarray(lon_deg, np.float64)
    out = np.empty(lat.size, np.uint64)
    _fill_cells(lat, lon, check_resolution(resolution), out)
    return out
