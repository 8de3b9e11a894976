"""IMO ship numbers: seven digits, the last of which checks the others (IMO Resolution A.1117(30)).

In the 30 bits of a message only 1,000,000 to 9,999,999 are IMO numbers. 1 to 999,999 are not used, and from 10,000,000
on the field holds a number of the flag state's own register (ITU-R M.1371-5, table 52), which has no check digit.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

FIRST, LAST = 1_000_000, 9_999_999
"""The least and the greatest IMO number."""


@lru_cache(maxsize=1 << 16)
def imo_valid(imo: int) -> bool:
    """Whether a ship number has seven digits and the right last one: the sum of d1 x 7 .. d6 x 2, modulo 10.

    >>> imo_valid(9999993), imo_valid(9999994), imo_valid(0)
    (True, False, False)
    """
    if not FIRST <= imo <= LAST:
        return False
    first_six, last = divmod(imo, 10)
    return bool(sum(first_six // 10**k % 10 * (k + 2) for k in range(6)) % 10 == last)


def imos_valid(imo: ArrayLike) -> NDArray[np.bool_]:
    """The same of many numbers.

    Parameters
    ----------
    imo : (n,) integers, 0 for none

    Returns
    -------
    (n,) bool

    >>> imos_valid([9999993, 9999994, 9074729, 0, 12345678]).tolist()
    [True, False, True, False, False]
    """
    numbers = np.asarray(imo, np.int64)
    total = np.zeros(numbers.shape, np.int64)
    for place in range(1, 7):  # the digit before the last counts twice, the first seven times
        total += numbers // 10**place % 10 * (place + 1)
    return np.asarray((numbers >= FIRST) & (numbers <= LAST) & (total % 10 == numbers % 10), np.bool_)


def imos_wrong(imo: ArrayLike) -> NDArray[np.bool_]:
    """Whether a number is in the range of IMO numbers and its check digit is wrong: 0 and other registers' are not.

    >>> imos_wrong([9999993, 9999994, 0, 5, 12345678]).tolist()
    [False, True, False, False, False]
    """
    numbers = np.asarray(imo, np.int64)
    return np.asarray((numbers >= FIRST) & (numbers <= LAST) & ~imos_valid(numbers), np.bool_)
