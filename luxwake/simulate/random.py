"""Random numbers in kernels: a counter-based stream that no library version can change.

The stream is splitmix64 (Steele, Lea, Flood 2014), 2^64 states; each vessel and network has its own start, so that a
vessel sends the same messages whatever other vessels there are.
"""

from __future__ import annotations

import math

import numpy as np

from geo.kernel import kernel

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


@kernel
def mix(z):
    """The splitmix64 finaliser: 64 bits to 64 bits, one to one."""
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    return z ^ (z >> _S31)


@kernel
def uniform(state):
    """The next number of a stream, 0 <= x < 1; `state.rng` (uint64) moves on."""
    state.rng += _GAMMA
    return np.float64(mix(state.rng) >> _S11) * 1.1102230246251565e-16


@kernel
def normal(state):
    """A number of the standard normal distribution (Box and Muller)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - uniform(state)))
    return radius * math.cos(2.0 * math.pi * uniform(state))


@kernel
def hashed_uniform(a, b):
    """A number 0 <= x < 1 that depends on two unsigned integers only."""
    return np.float64(mix(mix(np.uint64(a) + _GAMMA) ^ np.uint64(b)) >> _S11) * 1.1102230246251565e-16
