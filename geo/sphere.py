"""Distance, bearing and motion on the sphere.

The sphere has the mean Earth radius of IUGG (6,371,008.8 m). Against the WGS84 ellipsoid its distances are at most
0.562 % too long (north-south at the equator) and at most 0.447 % too short (at the poles); of a million random pairs
half are within 0.12 % and 95 % within 0.37 %. Its bearings are within 0.2 degrees up to 10,000 km and 2 degrees up to
19,000 km. `geo.ellipsoid` has the exact ones, at ten times the cost.

Latitude before longitude, degrees in, metres and degrees out; longitudes come out in -180 <= x < 180. NaN in, NaN out.
All functions take scalars, inside kernels too; the names ending in `s` take arrays and broadcast them. At a pole a
bearing or course is counted from the meridian of the longitude given, as if the point lay a hair before the pole.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import UsageError
from geo.kernel import inner, kernel

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius (2a + b) / 3 of WGS84, IUGG."""
NMI_M = 1852.0
"""International nautical mile in metres."""
KN_M_S = NMI_M / 3600.0
"""One knot in metres a second."""

_NO_DIRECTION = 1e-12
"""Sine of an arc (6 µm) below which two points are taken as the same, or as antipodes: no direction between them."""


@kernel
def wrap_deg(lon_deg):
    """Longitude, or a difference of longitudes, brought into -180 <= x < 180."""
    if -180.0 <= lon_deg < 180.0:
        return lon_deg
    lon_deg = (lon_deg + 180.0) % 360.0 - 180.0
    return -180.0 if lon_deg == 180.0 else lon_deg  # a hair west of -180 the remainder is rounded to a whole turn


_COS_DEG, _SIN_DEG = np.cos(np.radians(np.arange(360.0))), np.sin(np.radians(np.arange(360.0)))


@inner
def cos_sin_deg(deg):
    """Cosine and sine of an angle in degrees, to 4e-15, from those of the next whole degree: a fraction of the time."""
    whole = math.floor(deg + 0.5)
    k, x = np.int64(whole) % 360, math.radians(deg - whole)
    cos = 1.0 - x * x * (0.5 - x * x / 24.0)
    sin = x * (1.0 - x * x * (1.0 / 6.0 - x * x / 120.0))
    return _COS_DEG[k] * cos - _SIN_DEG[k] * sin, _SIN_DEG[k] * cos + _COS_DEG[k] * sin


@kernel
def distance_m(lat1_deg, lon1_deg, lat2_deg, lon2_deg):
    """Great-circle distance in metres (haversine: exact for short distances, where the cosine form loses digits)."""
    sin_lat = math.sin(math.radians(lat2_deg - lat1_deg) * 0.5)
    sin_lon = math.sin(math.radians(lon2_deg - lon1_deg) * 0.5)
    h = sin_lat * sin_lat + math.cos(math.radians(lat1_deg)) * math.cos(math.radians(lat2_deg)) * sin_lon * sin_lon
    if h > 0.99:  # near the antipode the arcsine loses digits (0.1 m): the way that is left to it does not
        sin_lat = math.sin(math.radians(lat2_deg + lat1_deg) * 0.5)
        cos_lon = math.cos(math.radians(lon2_deg - lon1_deg) * 0.5)
        h = sin_lat * sin_lat + math.cos(math.radians(lat1_deg)) * math.cos(math.radians(lat2_deg)) * cos_lon * cos_lon
        return EARTH_RADIUS_M * (math.pi - 2.0 * math.asin(math.sqrt(h)))
    return 2.0 * EARTH_RADIUS_M * math.asin(math.sqrt(h))


@kernel
def bearing_deg(lat1_deg, lon1_deg, lat2_deg, lon2_deg):
    """Initial bearing of the great circle from point 1 to point 2, degrees true, 0 <= x < 360; 0 for the same point."""
    lat1, lat2 = math.radians(lat1_deg), math.radians(lat2_deg)
    dlon = math.radians(lon2_deg - lon1_deg)
    y = math.sin(dlon) * math.cos(lat2)
    x = math.cos(lat1) * math.sin(lat2) - math.sin(lat1) * math.cos(lat2) * math.cos(dlon)
    degrees = math.degrees(math.atan2(y, x)) % 360.0
    return 0.0 if degrees == 360.0 else degrees


@kernel
def destination(lat_deg, lon_deg, course_deg, range_m):
    """Where a great circle leads: (lat, lon) in degrees after `range_m` metres on an initial course."""
    lat, course, arc = math.radians(lat_deg), math.radians(course_deg), range_m / EARTH_RADIUS_M
    y = math.sin(course) * math.sin(arc)
    x = math.cos(lat) * math.cos(arc) - math.sin(lat) * math.sin(arc) * math.cos(course)
    z = math.sin(lat) * math.cos(arc) + math.cos(lat) * math.sin(arc) * math.cos(course)
    # the arctangent keeps its digits at the poles, where the arcsine of z loses them (0.1 m)
    return math.degrees(math.atan2(z, math.sqrt(x * x + y * y))), wrap_deg(lon_deg + math.degrees(math.atan2(y, x)))


@kernel
def interpolate(lat1_deg, lon1_deg, lat2_deg, lon2_deg, fraction):
    """Point at `fraction` (0 to 1) of the great circle from point 1 to point 2: (lat, lon) in degrees.

    By weighted unit vectors, so it is right at the poles and across 180 degrees. Antipodal points have no single
    great circle between them: the first point is returned.
    """
    arc = distance_m(lat1_deg, lon1_deg, lat2_deg, lon2_deg) / EARTH_RADIUS_M
    sin_arc = math.sin(arc)
    if sin_arc < _NO_DIRECTION:
        return lat1_deg, lon1_deg
    a, b = math.sin((1.0 - fraction) * arc) / sin_arc, math.sin(fraction * arc) / sin_arc
    x1, y1, z1 = unit_vector(lat1_deg, lon1_deg)
    x2, y2, z2 = unit_vector(lat2_deg, lon2_deg)
    return _degrees(a * x1 + b * x2, a * y1 + b * y2, a * z1 + b * z2)


@inner
def unit_vector(lat_deg, lon_deg):
    """Unit vector (x, y, z) of a position."""
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    return math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)


def unit_vectors(lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.float64]:
    """(n, 3) unit vectors of positions in degrees.

    >>> unit_vectors([0.0, 90.0], [0.0, 0.0]).round(9).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    phi, lam = np.radians(np.atleast_1d(lat_deg)), np.radians(np.atleast_1d(lon_deg))
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=1)


@inner
def _degrees(x, y, z):
    """Position (lat, lon) in degrees of a vector of any length."""
    lon_deg = math.degrees(math.atan2(y, x))
    return math.degrees(math.atan2(z, math.sqrt(x * x + y * y))), -180.0 if lon_deg == 180.0 else lon_deg


@inner
def _seen_from(lat1_deg, lon1_deg, lat2_deg, lon2_deg):
    """Unit vector of point 2 in the frame of point 1: (east, north, up); without loss of digits when they are near."""
    lat1, lat2, dlon = math.radians(lat1_deg), math.radians(lat2_deg), math.radians(lon2_deg - lon1_deg)
    sin_half = math.sin(0.5 * dlon)
    bulge = 2.0 * math.cos(lat2) * sin_half * sin_half
    north = math.sin(math.radians(lat2_deg - lat1_deg)) + math.sin(lat1) * bulge
    up = math.cos(math.radians(lat2_deg - lat1_deg)) - math.cos(lat1) * bulge
    return math.cos(lat2) * math.sin(dlon), north, up


@inner
def _along_and_across(lat_deg, lon_deg, lat1_deg, lon1_deg, lat2_deg, lon2_deg):
    """(along, across, length) in radians of arc: a point against the great circle from point 1 to point 2."""
    east, north, up = _seen_from(lat1_deg, lon1_deg, lat2_deg, lon2_deg)
    sine = math.sqrt(east * east + north * north)
    if sine < _NO_DIRECTION:
        return math.nan, math.nan, math.atan2(sine, up)
    ahead_east, ahead_north, length = east / sine, north / sine, math.atan2(sine, up)
    east, north, up = _seen_from(lat1_deg, lon1_deg, lat_deg, lon_deg)
    ahead, right = east * ahead_east + north * ahead_north, east * ahead_north - north * ahead_east
    return math.atan2(ahead, up), math.atan2(right, math.sqrt(ahead * ahead + up * up)), length


@kernel
def cross_track_m(lat_deg, lon_deg, lat1_deg, lon1_deg, lat2_deg, lon2_deg):
    """Metres of a point off the great circle from point 1 to point 2, positive to its right (starboard).

    NaN when the two points are the same or antipodes: there is no single great circle through them.
    """
    return EARTH_RADIUS_M * _along_and_across(lat_deg, lon_deg, lat1_deg, lon1_deg, lat2_deg, lon2_deg)[1]


@kernel
def along_track_m(lat_deg, lon_deg, lat1_deg, lon1_deg, lat2_deg, lon2_deg):
    """Metres from point 1 to the foot of a point on the great circle to point 2, negative behind; NaN as above."""
    return EARTH_RADIUS_M * _along_and_across(lat_deg, lon_deg, lat1_deg, lon1_deg, lat2_deg, lon2_deg)[0]


@inner
def _to_leg_m(along, across, length, to_1_m, to_2_m):
    """Metres to a leg of which the point lies `along` and `across`, and its ends `to_1_m` and `to_2_m` away."""
    if 0.0 <= along <= length:
        return EARTH_RADIUS_M * abs(across)
    if math.isnan(along) and not length < 1.0:
        return math.nan
    return min(to_1_m, to_2_m)


@kernel
def segment_distance_m(lat_deg, lon_deg, lat1_deg, lon1_deg, lat2_deg, lon2_deg):
    """Metres from a point to the nearest point of the great-circle leg from point 1 to point 2, its ends included.

    A leg without length is a point; a leg to the antipode is none, and gives NaN.
    """
    along, across, length = _along_and_across(lat_deg, lon_deg, lat1_deg, lon1_deg, lat2_deg, lon2_deg)
    to_1_m = distance_m(lat_deg, lon_deg, lat1_deg, lon1_deg)
    return _to_leg_m(along, across, length, to_1_m, distance_m(lat_deg, lon_deg, lat2_deg, lon2_deg))


@kernel
def mean_position(t_us, lat_deg, lon_deg):
    """Time-weighted mean position (lat, lon) in degrees of fixes given as arrays in order of time (int64 µs).

    The direction of the time integral of the unit vector, by the trapezoid rule: each fix weighs half the time to the
    fix before it and half the time to the one after; so a silence counts as time on the straight way across it. Fixes
    without a position are left out. Fixes of one instant weigh the same. NaN without any fix, and where the vectors
    cancel (a mean within 1e-9 of the centre of the Earth points nowhere).
    """
    x = y = z = plain_x = plain_y = plain_z = held = 0.0
    n = 0
    before = (0.0, 0.0, 0.0)
    t_before = np.int64(0)
    for i in range(t_us.size):
        at = unit_vector(lat_deg[i], lon_deg[i])
        if math.isnan(at[0] + at[2]):
            continue
        if n > 0:
            half = 0.5 * (t_us[i] - t_before)
            x, y, z = x + half * (before[0] + at[0]), y + half * (before[1] + at[1]), z + half * (before[2] + at[2])
            held += 2.0 * half
        plain_x, plain_y, plain_z = plain_x + at[0], plain_y + at[1], plain_z + at[2]
        n += 1
        before, t_before = at, t_us[i]
    if held == 0.0:
        x, y, z, held = plain_x, plain_y, plain_z, float(n)
    if not x * x + y * y + z * z > 1e-18 * held * held:
        return math.nan, math.nan
    return _degrees(x, y, z)


@kernel
def _fill_distances(columns, out):
    for i in range(out.size):
        out[i] = distance_m(columns[0, i], columns[1, i], columns[2, i], columns[3, i])


@kernel
def _fill_bearings(columns, out):
    for i in range(out.size):
        out[i] = bearing_deg(columns[0, i], columns[1, i], columns[2, i], columns[3, i])


@kernel
def _fill_destinations(columns, out):
    for i in range(out.shape[1]):
        out[0, i], out[1, i] = destination(columns[0, i], columns[1, i], columns[2, i], columns[3, i])


@kernel
def _fill_interpolations(columns, out):
    for i in range(out.shape[1]):
        out[0, i], out[1, i] = interpolate(columns[0, i], columns[1, i], columns[2, i], columns[3, i], columns[4, i])


@kernel
def _fill_tracks(c, out):
    for i in range(out.shape[1]):
        along, across, length = _along_and_across(c[0, i], c[1, i], c[2, i], c[3, i], c[4, i], c[5, i])
        to_1_m, to_2_m = distance_m(c[0, i], c[1, i], c[2, i], c[3, i]), distance_m(c[0, i], c[1, i], c[4, i], c[5, i])
        out[0, i], out[1, i] = EARTH_RADIUS_M * along, EARTH_RADIUS_M * across
        out[2, i] = _to_leg_m(along, across, length, to_1_m, to_2_m)


@kernel
def _fill_means(t_us, lat_deg, lon_deg, starts, out):
    for i in range(starts.size):
        first, after = starts[i], starts[i + 1] if i + 1 < starts.size else t_us.size
        out[0, i], out[1, i] = mean_position(t_us[first:after], lat_deg[first:after], lon_deg[first:after])


def broadcast(*values: ArrayLike) -> tuple[NDArray[np.float64], tuple[int, ...]]:
    """Values as rows of one float64 array for a kernel, and the shape that they broadcast to.

    >>> broadcast([1, 2], 0.5)
    (array([[1. , 2. ],
           [0.5, 0.5]]), (2,))
    """
    shape = np.broadcast_shapes(*(np.shape(value) for value in values))
    columns = np.empty((len(values), *shape))
    for row, value in enumerate(values):
        columns[row] = value
    return columns.reshape(len(values), -1), shape


def distances_m(
    lat1_deg: ArrayLike, lon1_deg: ArrayLike, lat2_deg: ArrayLike, lon2_deg: ArrayLike
) -> NDArray[np.float64]:
    """Great-circle distances in metres between points given as arrays (broadcast against each other).

    >>> distances_m(35.10, 129.04, [42.80, 43.10], [132.87, 131.90]).round(-3).tolist()
    [918000.0, 923000.0]
    """
    columns, shape = broadcast(lat1_deg, lon1_deg, lat2_deg, lon2_deg)
    out = np.empty(columns.shape[1])
    _fill_distances(columns, out)
    return out.reshape(shape)


def bearings_deg(
    lat1_deg: ArrayLike, lon1_deg: ArrayLike, lat2_deg: ArrayLike, lon2_deg: ArrayLike
) -> NDArray[np.float64]:
    """Initial bearings in degrees true from points 1 to points 2 (see `bearing_deg`).

    >>> bearings_deg(35.10, 129.04, [42.80, 43.10], [132.87, 131.90]).round(1).tolist()
    [20.0, 14.6]
    """
    columns, shape = broadcast(lat1_deg, lon1_deg, lat2_deg, lon2_deg)
    out = np.empty(columns.shape[1])
    _fill_bearings(columns, out)
    return out.reshape(shape)


def destinations(
    lat_deg: ArrayLike, lon_deg: ArrayLike, course_deg: ArrayLike, range_m: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitudes and longitudes in degrees after `range_m` metres on initial courses (see `destination`).

    >>> lat, lon = destinations(0.0, 179.5, [0.0, 90.0], 60 * NMI_M)
    >>> lat.round(3).tolist(), lon.round(3).tolist()
    ([0.999, 0.0], [179.5, -179.501])
    """
    columns, shape = broadcast(lat_deg, lon_deg, course_deg, range_m)
    out = np.empty((2, columns.shape[1]))
    _fill_destinations(columns, out)
    return out[0].reshape(shape), out[1].reshape(shape)


def interpolations(
    lat1_deg: ArrayLike, lon1_deg: ArrayLike, lat2_deg: ArrayLike, lon2_deg: ArrayLike, fraction: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitudes and longitudes at fractions (0 to 1) of great circles from points 1 to points 2 (see `interpolate`).

    >>> lat, lon = interpolations(60.0, 170.0, 60.0, -170.0, [0.0, 0.5, 1.0])
    >>> lat.round(3).tolist(), lon.round(3).tolist()
    ([60.0, 60.378, 60.0], [170.0, -180.0, -170.0])
    """
    columns, shape = broadcast(lat1_deg, lon1_deg, lat2_deg, lon2_deg, fraction)
    out = np.empty((2, columns.shape[1]))
    _fill_interpolations(columns, out)
    return out[0].reshape(shape), out[1].reshape(shape)


def tracks_m(
    lat_deg: ArrayLike,
    lon_deg: ArrayLike,
    lat1_deg: ArrayLike,
    lon1_deg: ArrayLike,
    lat2_deg: ArrayLike,
    lon2_deg: ArrayLike,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Along-track, cross-track and leg distances in metres of points against legs from points 1 to points 2.

    The arrays of `along_track_m` (negative behind point 1), `cross_track_m` (positive to the right of the course) and
    `segment_distance_m` (to the nearest point of the leg, its ends included).

    >>> along, across, to_leg = tracks_m([1.0, 1.0], [5.0, 12.0], 0.0, 0.0, 0.0, 10.0)
    >>> (across / NMI_M).round(1).tolist(), (to_leg / NMI_M).round(1).tolist()
    ([-60.0, -60.0], [60.0, 134.2])
    """
    columns, shape = broadcast(lat_deg, lon_deg, lat1_deg, lon1_deg, lat2_deg, lon2_deg)
    out = np.empty((3, columns.shape[1]))
    _fill_tracks(columns, out)
    return out[0].reshape(shape), out[1].reshape(shape), out[2].reshape(shape)


def mean_positions(
    t_us: ArrayLike, lat_deg: ArrayLike, lon_deg: ArrayLike, starts: ArrayLike = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Time-weighted mean latitudes and longitudes of groups of fixes (see `mean_position`).

    `t_us`, `lat_deg`, `lon_deg`: (n,), each group in order of time; `starts`: the first row of each group, rising (as
    for `np.add.reduceat`). A group ends where the next one starts.

    >>> lat, lon = mean_positions([0, 60, 120, 0, 60], [0.0, 1.0, 0.0, 5.0, 5.0], 3 * [180.0] + [10.0, 20.0], [0, 3])
    >>> lat.round(2).tolist(), lon.round(2).tolist()
    ([0.5, 5.02], [-180.0, 15.0])
    """
    t = np.array(t_us, np.int64).ravel()
    lat, lon = np.array(lat_deg, np.float64).ravel(), np.array(lon_deg, np.float64).ravel()
    first = np.array(starts, np.int64).ravel()
    if not t.size == lat.size == lon.size:
        raise UsageError(
            f"{t.size} times, {lat.size} latitudes and {lon.size} longitudes; give one of each for each fix"
        )
    if first.size and not (first[0] >= 0 and first[-1] <= t.size and (np.diff(first) >= 0).all()):
        raise UsageError(f"starts of groups must rise from 0 to at most {t.size}, the number of fixes")
    out = np.empty((2, first.size))
    _fill_means(t, lat, lon, first, out)
    return out[0], out[1]
