"""What a state keeps in few bytes: positions, speeds and courses as whole numbers, offset and source in one.

A position is kept in steps of 1.2 cm (`geo.steps`). Where that is too little a fifth byte is kept apart, 256ths of a
step: 0.05 mm.
"""

from __future__ import annotations

import math

import numpy as np

from geo.kernel import inlined, inner
from geo.sphere import EARTH_RADIUS_M, cos_sin_deg, distance_m
from geo.steps import STEPS_PER_DEG, deg_of

M_PER_STEP = math.radians(EARTH_RADIUS_M) / STEPS_PER_DEG
"""Of latitude."""
TURN = 3_240_000_000
"""Steps of 360 degrees."""
NEAR_STEPS = 900_000
"""A tenth of a degree: so near the sphere is flat to a millionth."""
FINE_BITS = 8
_OFFSET = (1 << 48) - 1
NO_HUNDREDTHS = 65_535


@inlined
def fine_units(degrees):
    """A latitude or longitude as a whole number of 256ths: the last `FINE_BITS` are the fifth byte."""
    return np.int64(math.floor(degrees * (STEPS_PER_DEG * (1 << FINE_BITS)) + 0.5))


@inlined
def fine_deg(units, fine):
    """Degrees of a latitude or longitude and its fifth byte."""
    return (np.int64(units) << FINE_BITS | np.int64(fine)) / (STEPS_PER_DEG * (1 << FINE_BITS))


@inlined
def turned(dlon):
    """A difference of longitudes in steps, the short way round."""
    return dlon - TURN if dlon >= TURN // 2 else dlon + TURN if dlon < -TURN // 2 else dlon


@inner
def way_m(lat1, lon1, lat2, lon2):
    """Metres between two positions in steps, to a millionth."""
    y, x = lat2 - lat1, lon2 - lon1
    if abs(y) + abs(x) > NEAR_STEPS:
        return distance_m(deg_of(lat1), deg_of(lon1), deg_of(lat2), deg_of(lon2))
    east = x * cos_sin_deg(0.5 * deg_of(lat1 + lat2))[0]
    return M_PER_STEP * math.sqrt(y * y + east * east)


@inlined
def origin(source, offset):
    """Source and offset of a row in one number; an offset has 47 bits and a sign."""
    return np.int64(source) << 48 | np.int64(offset) & _OFFSET


@inlined
def source_of(packed):
    """The source of a row."""
    return packed >> 48 & 0xFFFF


@inlined
def offset_of(packed):
    """The offset of a row."""
    return packed << 16 >> 16


@inlined
def hundredths(value):
    """A speed in knots or a course in degrees as a whole number of hundredths; NaN is `NO_HUNDREDTHS`."""
    if math.isnan(value):
        return np.uint16(NO_HUNDREDTHS)
    return np.uint16(min(NO_HUNDREDTHS - 1.0, math.floor(100.0 * max(0.0, value) + 0.5)))


@inlined
def of_hundredths(whole):
    """The speed or course; NaN where none was known."""
    return np.float32(np.nan) if whole == NO_HUNDREDTHS else np.float32(whole / 100.0)
