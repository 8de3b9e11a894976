"""Distance, bearing and motion on the sphere.

The sphere has the mean Earth radius of IUGG (6,371,008.8 m); against the WGS84 ellipsoid a distance is wrong by at
most 0.56 %. Latitude before longitude, degrees in, metres and degrees out. NaN in, NaN out. All functions take
scalars inside kernels; the names ending in `s` take arrays.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.kernel import kernel

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius (2a + b) / 3 of WGS84, IUGG."""
NMI_M = 1852.0
"""International nautical mile in metres."""
KN_M_S = NMI_M / 3600.0
"""One knot in metres a second."""


@kernel
def wrap_deg(lon_deg):
    """Longitude, or a difference of longitudes, brought into -180 <= x < 180."""
    if -180.0 <= lon_deg < 180.0:
        return lon_deg
    return (lon_deg + 180.0) % 360.0 - 180.0


@kernel
def distance_m(lat1_deg, lon1_deg, lat2_deg, lon2_deg):
    """Great-circle distance in metres (haversine: exact for short distances, where the cosine form loses digits)."""
    sin_lat = math.sin(math.radians(lat2_deg - lat1_deg) * 0.5)
    sin_lon = math.sin(math.radians(lon2_deg - lon1_deg) * 0.5)
    h = sin_lat * sin_lat + math.cos(math.radians(lat1_deg)) * math.cos(math.radians(lat2_deg)) * sin_lon * sin_lon
    if h > 1.0:  # rounding at the antipode; a NaN passes through unharmed
        h = 1.0
    return 2.0 * EARTH_RADIUS_M * math.asin(math.sqrt(h))


@kernel
def bearing_deg(lat1_deg, lon1_deg, lat2_deg, lon2_deg):
    """Initial bearing of the great circle from point 1 to point 2, degrees true, 0 <= x < 360."""
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
    sin_lat = math.sin(lat) * math.cos(arc) + math.cos(lat) * math.sin(arc) * math.cos(course)
    sin_lat = min(1.0, max(-1.0, sin_lat))
    y = math.sin(course) * math.sin(arc) * math.cos(lat)
    x = math.cos(arc) - math.sin(lat) * sin_lat
    return math.degrees(math.asin(sin_lat)), wrap_deg(lon_deg + math.degrees(math.atan2(y, x)))


@kernel
def interpolate(lat1_deg, lon1_deg, lat2_deg, lon2_deg, fraction):
    """Point at `fraction` (0 to 1) of the great circle from point 1 to point 2: (lat, lon) in degrees.

    By weighted unit vectors, so it is right at the poles and across 180 degrees. Antipodal points have no single
    great circle between them: the first point is returned.
    """
    arc = distance_m(lat1_deg, lon1_deg, lat2_deg, lon2_deg) / EARTH_RADIUS_M
    sin_arc = math.sin(arc)
    if sin_arc < 1e-12:
        return lat1_deg, lon1_deg
    a, b = math.sin((1.0 - fraction) * arc) / sin_arc, math.sin(fraction * arc) / sin_arc
    lat1, lon1, lat2, lon2 = (
        math.radians(lat1_deg),
        math.radians(lon1_deg),
        math.radians(lat2_deg),
        math.radians(lon2_deg),
    )
    x = a * math.cos(lat1) * math.cos(lon1) + b * math.cos(lat2) * math.cos(lon2)
    y = a * math.cos(lat1) * math.sin(lon1) + b * math.cos(lat2) * math.sin(lon2)
    z = a * math.sin(lat1) + b * math.sin(lat2)
    return math.degrees(math.atan2(z, math.sqrt(x * x + y * y))), math.degrees(math.atan2(y, x))


@kernel
def _fill_distances(lat1_deg, lon1_deg, lat2_deg, lon2_deg, out_m):
    for i in range(out_m.size):
        out_m[i] = distance_m(lat1_deg[i], lon1_deg[i], lat2_deg[i], lon2_deg[i])


def distances_m(
    lat1_deg: ArrayLike, lon1_deg: ArrayLike, lat2_deg: ArrayLike, lon2_deg: ArrayLike
) -> NDArray[np.float64]:
    """Great-circle distances in metres between points given as arrays (broadcast against each other).

    >>> distances_m(35.10, 129.04, [42.80, 43.10], [132.87, 131.90]).round(-3).tolist()
    [918000.0, 923000.0]
    """
    columns = np.broadcast_arrays(lat1_deg, lon1_deg, lat2_deg, lon2_deg)
    flat = [np.ascontiguousarray(c, np.float64).ravel() for c in columns]
    out = np.empty(flat[0].size)
    _fill_distances(*flat, out)
    return out.reshape(columns[0].shape)
