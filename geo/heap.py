"""How a long job asks for memory: so that what it has let go of is not in use any more."""

from __future__ import annotations

import ctypes
from contextlib import suppress

OWN_BYTES = 1 << 20
"""Arrays from here on get pages of their own, which go back when they do. glibc raises its threshold by itself, up to
32 MB, and then keeps what lies between others."""
ARENAS = 2
"""Of glibc, which else makes eight for each core, and each keeps what its threads let go of."""
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8


def give_back() -> None:
    """Have the memory of large arrays given back to the system at once; where the C library cannot, nothing is done."""
    with suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, OWN_BYTES)
        library.mallopt(_M_ARENA_MAX, ARENAS)


def trim() -> None:
    """Give back what lies free in the heap; where the C library cannot, nothing is done."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
