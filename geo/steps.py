"""Positions as whole numbers: steps of 1/9,000,000 degree, 1.2 cm, in four bytes.

Positions of AIS (1/10000 minute, 15 steps) and all of six decimals come out as they went in.
"""

from __future__ import annotations

import math

import numpy as np

from geo.kernel import inlined

STEPS_PER_DEG = 9_000_000.0


@inlined
def steps_of(deg):
    """Degrees in whole steps."""
    return np.int64(math.floor(deg * STEPS_PER_DEG + 0.5))


@inlined
def deg_of(steps):
    """Steps in degrees."""
    return steps / STEPS_PER_DEG
