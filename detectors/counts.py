"""So many of each number: what is kept of the silences that a watch has let go of.

What all silences together tell (`detectors.silences`) rests on two numbers of each. They are counted by the first 16
bits of an f4, which is by 0.4 % at most beside the number itself: 65,536 counts of 11 bytes at most for each of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

COUNTED = np.dtype([("of", "u1"), ("code", "u2"), ("n", "i8")])
"""`n` numbers with the same first 16 bits; `of` tells what they are numbers of."""


class Counts(NamedTuple):
    """Numbers (n,), and how many there are of each (n,)."""

    value: NDArray[np.float64]
    n: NDArray[np.int64]


def counted(kept: NDArray[Any], of: int, values: NDArray[Any]) -> NDArray[Any]:
    """Records of `COUNTED`, with these numbers counted among them; NaN is not.

    >>> kept = counted(np.zeros(0, COUNTED), 7, np.array([0.5, 0.5, np.nan, 1e-9]))
    >>> both = with_counted(kept, 7, np.array([3.0]))
    >>> both.value.round(2).tolist(), both.n.tolist()
    ([0.0, 0.5, 3.0], [1, 2, 1])
    """
    known = np.asarray(values, np.float32)[~np.isnan(values)]
    others, own = kept[kept["of"] != of], kept[kept["of"] == of]
    code = np.concatenate([own["code"], (known.view(np.uint32) >> 16).astype(np.uint16)])
    n = np.concatenate([own["n"], np.ones(known.size, np.int64)])
    codes, row = np.unique(code, return_inverse=True)
    found = np.zeros(codes.size, COUNTED)
    found["of"], found["code"] = of, codes
    np.add.at(found["n"], row, n)
    return np.concatenate([others, found])


def with_counted(kept: NDArray[Any], of: int, values: NDArray[Any]) -> Counts:
    """The numbers that were counted, each at the middle of its code, and behind them others, one of each."""
    own = kept[kept["of"] == of]
    middle = (own["code"].astype(np.uint32) << 16 | 0x8000).view(np.float32)
    value = np.concatenate([middle.astype(np.float64), values])
    return Counts(value, np.concatenate([own["n"], np.ones(len(values), np.int64)]))
