"""H3 cells in kernels: latitude and longitude to a cell, a cell to its centre, its neighbours, its parent, its number.

Equal to the C library, bit for bit, at every position that AIS can send. It differs only on exact ties: points on
the border of two cells, where both answers are right (up to half of the exact cell corners; 0.1 to 0.5 % of points
placed within 1e-3 degrees of an icosahedron edge), and at resolutions 11 and finer within 1e-4 degrees of a face
centre, where the C library itself loses digits (at resolution 15 for 47 of 150,000 points placed there).

How: a point goes to the nearest of the 20 faces of the icosahedron, is projected onto that face (gnomonic), rounded
to the nearest hexagon, and its digits are read off by going up parent by parent, two at a time: two parents up, the
grid is the same grid seven times as wide, so a table of 49 remainders gives both digits. A table made by
`geo.tables.build_cells` gives base cell and rotation. A cell is a uint64; 0 means "no cell" (H3_NULL).
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geo.kernel import inlined, inner, kernel
from geo.sphere import EARTH_RADIUS_M

_TABLE = np.load(Path(__file__).parent / "tables" / "h3_faces.npz")
_CENTRES = np.ascontiguousarray(_TABLE["centres"])  # face n + 10 is opposite to face n
_AXES = np.ascontiguousarray(_TABLE["axes"])  # class II or III, face, x or y axis of its plane
_BASE = np.ascontiguousarray(_TABLE["base"])
_TURN = np.ascontiguousarray(_TABLE["turn"])
_PLACES = np.ascontiguousarray(((_BASE & 127) << 45 | _TURN).ravel())

_SIN60 = math.sqrt(3.0) / 2.0
_UNIT0 = 2.0 / (3.0 - math.sqrt(5.0))  # 1 / (length of a resolution 0 unit in the gnomonic plane)
_SCALE = np.array([_UNIT0 * math.sqrt(7.0) ** r for r in range(16)])
_HEAD = np.array([(1 << 59) | (r << 52) | ((1 << (45 - 3 * r)) - 1) for r in range(16)])
_LOW_BITS = 0o111111111111111  # the low bit of each of the 15 digits
_INNER_RAD = math.radians(1.0)
_INNER_COS = math.cos(math.radians(20.905) - _INNER_RAD)  # the nearest point of a face's edge is 20.905 degrees away
_SEVENTHS = 1 << 27  # more than any |i| or |j|: 7 of it make an argument of // 7 positive

DIGIT_OFFSETS = ((0, 0), (-1, -1), (0, 1), (-1, 0), (1, 0), (0, -1), (1, 1))
"""H3 digits as offsets (di, dj) on axes 120 degrees apart."""
_NEIGHBOURS = np.array(DIGIT_OFFSETS)


def _up(i: int, j: int, odd: bool) -> tuple[int, int, int]:
    """The digit of a hexagon within its parent, and the parent's (i, j); `odd` says the finer resolution's class."""
    for digit, (di, dj) in enumerate(DIGIT_OFFSETS):
        a, b = i - di, j - dj
        over = (3 * a - b, a + 2 * b) if odd else (2 * a + b, 3 * b - a)
        if over[0] % 7 == over[1] % 7 == 0:
            return digit, over[0] // 7, over[1] // 7
    raise AssertionError("seven children tile a parent")


def _remainders(steps: tuple[bool, ...]) -> NDArray[np.int64]:
    """By 7 (i mod 7) + (j mod 7): the digits of the way up by `steps`, and the (i, j) that it ends in."""
    table = np.zeros((49, 3), np.int64)
    for place in range(49):
        digits, i, j = 0, place // 7, place % 7
        for n, odd in enumerate(steps):
            digit, i, j = _up(i, j, odd)
            digits |= digit << 3 * n
        table[place] = digits, i, j
    return table


_UP_ONE = _remainders((True,))  # from an odd resolution
_UP_TWO = _remainders((False, True))  # from an even one, two levels


def _homes() -> NDArray[np.int64]:
    """Per base cell the places (face * 64 + (i + 3) * 8 + j + 3) where it stands, at most five; -1 after the last."""
    homes = np.full((122, 5), -1, np.int64)
    for cell in range(122):
        places = np.flatnonzero(_BASE.ravel() == cell)
        homes[cell, : places.size] = places
    return homes


_HOMES = _homes()


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


@inner
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


@inlined
def closest_face(x, y, z):
    """The face whose centre is nearest to a unit vector; one product decides for a face and its opposite."""
    best, face = 0.0, np.uint64(0)
    for n in range(10):
        dot = x * _CENTRES[n, 0] + y * _CENTRES[n, 1] + z * _CENTRES[n, 2]
        nearer = abs(dot) > abs(best)
        best = dot if nearer else best
        face = np.uint64(n) if nearer else face
    return face if best > 0.0 else face + np.uint64(10)


@inlined
def to_plane(x, y, z, face, resolution):
    """Gnomonic projection of a unit vector on a face, in units of the grid of a resolution."""
    odd = np.uint64(resolution & 1)
    centre, axes = _CENTRES[face], _AXES[odd, face]
    scale = _SCALE[np.uint64(resolution)] / (x * centre[0] + y * centre[1] + z * centre[2])
    px = scale * (x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2])
    py = scale * (x * axes[1, 0] + y * axes[1, 1] + z * axes[1, 2])
    return px, py


@inlined
def from_plane(i, j, face, resolution):
    """The centre of a hexagon of a face's grid as a vector, not of unit length."""
    odd = np.uint64(resolution & 1)
    centre, axes = _CENTRES[face], _AXES[odd, face]
    u = (i - 0.5 * j) / _SCALE[np.uint64(resolution)]
    v = j * _SIN60 / _SCALE[np.uint64(resolution)]
    return (
        centre[0] + u * axes[0, 0] + v * axes[1, 0],
        centre[1] + u * axes[0, 1] + v * axes[1, 1],
        centre[2] + u * axes[0, 2] + v * axes[1, 2],
    )


@inlined
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
    return np.int64(a), -np.int64(b)


@inlined
def path_digits(i, j, resolution):
    """Digits of the way up from a hexagon to its base cell, packed as in an index, and the base cell's (i, j)."""
    digits = np.int64(0)
    shift = 45 - 3 * resolution
    if resolution & 1:
        a, b = np.uint64(i + 7 * _SEVENTHS), np.uint64(j + 7 * _SEVENTHS)
        row = _UP_ONE[a % np.uint64(7) * np.uint64(7) + b % np.uint64(7)]
        digits = row[0] << shift
        a, b = np.int64(a // np.uint64(7)) - _SEVENTHS, np.int64(b // np.uint64(7)) - _SEVENTHS
        i, j = 3 * a - b + row[1], a + 2 * b + row[2]
        shift += 3
    for _ in range(resolution >> 1):
        a, b = np.uint64(i + 7 * _SEVENTHS), np.uint64(j + 7 * _SEVENTHS)
        row = _UP_TWO[a % np.uint64(7) * np.uint64(7) + b % np.uint64(7)]
        digits |= row[0] << shift
        i, j = np.int64(a // np.uint64(7)) - _SEVENTHS + row[1], np.int64(b // np.uint64(7)) - _SEVENTHS + row[2]
        shift += 6
    return digits, i, j


@inlined
def to_vector(lat_deg, lon_deg):
    """The unit vector (x, y, z) of a position."""
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    cos_lat = math.cos(lat)
    return cos_lat * math.cos(lon), cos_lat * math.sin(lon), math.sin(lat)


@inner
def hexagon_cell(i, j, face, resolution):
    """The cell of a hexagon of a face's grid."""
    digits, base_i, base_j = path_digits(i, j, resolution)
    place = _PLACES[face * np.uint64(64) + np.uint64(base_i * 8 + base_j + 27)]
    code = place & 31
    if code != 0:
        digits = apply_turn(digits, code)
    return np.uint64(_HEAD[np.uint64(resolution)] | (place - code) | digits)


@inner
def vector_to_cell(x, y, z, resolution):
    """The cell that holds a unit vector."""
    face = closest_face(x, y, z)
    px, py = to_plane(x, y, z, face, resolution)
    i, j = round_hex(px, py)
    return hexagon_cell(i, j, face, resolution)


@kernel
def cell_at(lat_deg, lon_deg, resolution):
    """The cell that holds a position; 0 where there is none: not finite, or a latitude beyond 90."""
    if not (abs(lat_deg) <= 90.0 and math.isfinite(lon_deg)):
        return np.uint64(0)
    x, y, z = to_vector(lat_deg, lon_deg)
    return vector_to_cell(x, y, z, resolution)


@inner
def to_other_face(x, y, z, face):
    """Radians, or less, that a unit vector may turn and stay on its face."""
    centre = _CENTRES[face]
    best = x * centre[0] + y * centre[1] + z * centre[2]
    if best > _INNER_COS:
        return _INNER_RAD
    second = 0.0
    for n in range(10):
        if np.uint64(n) != face and np.uint64(n + 10) != face:
            second = max(second, abs(x * _CENTRES[n, 0] + y * _CENTRES[n, 1] + z * _CENTRES[n, 2]))
    return 0.5 * (best - second)  # its sine is their difference over the length of a chord, which is under 2


@inner
def cell_and_room(lat_deg, lon_deg, resolution):
    """The cell of a position, and how many metres from it surely all lie in that cell.

    To the nearest side of its hexagon on the plane, which lies off the sphere by at most the square of the secant;
    a hundredth is left for that of the way itself and for sums in single precision.
    """
    x, y, z = to_vector(lat_deg, lon_deg)
    face = closest_face(x, y, z)
    px, py = to_plane(x, y, z, face, resolution)
    i, j = round_hex(px, py)
    dx, dy = px - (i - 0.5 * j), py - j * _SIN60
    aside = max(abs(dx), abs(0.5 * dx + _SIN60 * dy), abs(0.5 * dx - _SIN60 * dy))
    centre = _CENTRES[face]
    cosine = x * centre[0] + y * centre[1] + z * centre[2]
    room = (0.5 - aside) / _SCALE[np.uint64(resolution)] * cosine * cosine
    room = min(room, to_other_face(x, y, z, face))
    return hexagon_cell(i, j, face, resolution), 0.99 * EARTH_RADIUS_M * max(0.0, room)


@kernel
def disk_at(lat_deg, lon_deg, resolution, out):
    """The cell of a position and its six neighbours into `out` (uint64, 7 places); beside a pentagon one repeats.

    The neighbours are the cells at the centres of the six hexagons around, taken on the plane of the face. Beyond
    the edge of a face that plane is off by far less than half a cell, so the right cell is met all the same.
    """
    x, y, z = to_vector(lat_deg, lon_deg)
    face = closest_face(x, y, z)
    px, py = to_plane(x, y, z, face, resolution)
    i, j = round_hex(px, py)
    for n in range(7):
        cx, cy, cz = from_plane(i + _NEIGHBOURS[n, 0], j + _NEIGHBOURS[n, 1], face, resolution)
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


@inlined
def fine_index(cell, coarse, fine):
    """Which of the 7 ** (fine - coarse) places within its parent of resolution `coarse` a cell's digits name."""
    bits, number = np.int64(cell), np.int64(0)
    for r in range(coarse + 1, fine + 1):
        number = number * 7 + ((bits >> (45 - 3 * r)) & 7)
    return number


@inlined
def coarse_index(cell, resolution):
    """Number of the parent of a cell at a resolution, 0 to 122 * 7 ** resolution - 1: for tables, one row a cell.

    Beneath a pentagon some numbers name no cell. `cell` must be a cell of this resolution or a finer one.
    """
    base = (np.int64(cell) >> 45) & 127
    return base * 7**resolution + fine_index(cell, 0, resolution)


@inner
def is_cell(cell):
    """Is this the index of a cell: mode, base cell, and every digit as H3 writes them?"""
    bits = np.int64(cell)
    resolution = (bits >> 52) & 15
    base, digits = (bits >> 45) & 127, bits & ((1 << 45) - 1)
    unused = (1 << (45 - 3 * resolution)) - 1
    if bits >> 56 != 8 or base > 121 or digits & unused != unused:
        return False
    sevens = digits & (digits >> 1) & (digits >> 2) & _LOW_BITS & ~unused
    pentagon = _PLACES[np.uint64(_HOMES[base, 0])] & 16 != 0
    return sevens == 0 and not (pentagon and leading_digit(digits & ~unused) == 1)


@inner
def path_hexagon(digits, i, j, resolution):
    """The way back of `path_digits`: the (i, j) that digits lead to from a base cell's."""
    for r in range(1, resolution + 1):
        digit = np.uint64((digits >> (45 - 3 * r)) & 7)
        i, j = (2 * i + j, 3 * j - i) if r & 1 else (3 * i - j, i + 2 * j)
        i, j = i + _NEIGHBOURS[digit, 0], j + _NEIGHBOURS[digit, 1]
    return i, j


@kernel
def centre_of(cell):
    """Latitude and longitude of a cell's centre in degrees; NaN for what is no cell.

    The base cell stands on up to five faces; the right one is that on which the centre comes out nearest to the
    middle of the face: on another one, the grid goes on flat where the globe turns away.
    """
    if not is_cell(cell):
        return math.nan, math.nan
    bits = np.int64(cell)
    resolution = (bits >> 52) & 15
    digits = bits & ((1 << 45) - (1 << (45 - 3 * resolution)))
    best, x, y, z = -1.0, 0.0, 0.0, 0.0
    for n in range(5):
        place = _HOMES[(bits >> 45) & 127, n]
        if place < 0:
            break
        face, code, turned = np.uint64(place >> 6), _PLACES[np.uint64(place)] & 31, digits
        for _ in range(6):
            turned = rotate60(turned)
            if apply_turn(turned, code) == digits:
                i, j = path_hexagon(turned, ((place >> 3) & 7) - 3, (place & 7) - 3, resolution)
                cx, cy, cz = from_plane(i, j, face, resolution)
                length = math.sqrt(cx * cx + cy * cy + cz * cz)
                if 1.0 / length > best:  # the centre of a face is a unit vector: 1 / length is the cosine
                    best, x, y, z = 1.0 / length, cx / length, cy / length, cz / length
    return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))
