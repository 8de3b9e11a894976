"""What a state keeps in few bytes: positions, speeds and courses as whole numbers, offset and source in one.

A position is a whole number of 1/6,000,000 degrees, 1.9 cm at most, in four bytes: what AIS sends (1/600,000 degrees)
and what has six decimals comes back bit for bit, all else to 1 cm. Where that is too little a fifth byte is kept apart,
256ths of that unit: 0.07 mm.
"""

from __future__ import annotations

import math

import numpy as np

from geo.kernel import inlined

UNITS_PER_DEG = 6_000_000.0
FINE_BITS = 8
SOURCE_BITS = 16
NO_HUNDREDTHS = 65_535


@inlined
def place_units(degrees):
    """A latitude or longitude (-180 to 180) as a whole number."""
    return np.int32(math.floor(degrees * UNITS_PER_DEG + 0.5))


@inlined
def place_deg(units):
    """Degrees of a latitude or longitude."""
    return units / UNITS_PER_DEG


@inlined
def fine_units(degrees):
    """A latitude or longitude as a whole number of 256ths: the last `FINE_BITS` are the fifth byte."""
    return np.int64(math.floor(degrees * (UNITS_PER_DEG * (1 << FINE_BITS)) + 0.5))


@inlined
def fine_deg(units, fine):
    """Degrees of a latitude or longitude and its fifth byte."""
    return (np.int64(units) << FINE_BITS | np.int64(fine)) / (UNITS_PER_DEG * (1 << FINE_BITS))


@inlined
def evidence(offset, source):
    """Offset of a row (under 2 ** 47) and its input in one number."""
    return np.int64(offset) << SOURCE_BITS | np.int64(source)


@inlined
def offset_of(packed):
    """The offset in `evidence`."""
    return packed >> SOURCE_BITS


@inlined
def source_of(packed):
    """The input in `evidence`."""
    return packed & ((1 << SOURCE_BITS) - 1)


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
