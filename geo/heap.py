"""How a long job asks for memory: so that what it has let go of is not in use any more."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OWN_BYTES = 1 << 20
"""Arrays from here on get pages of their own, which go back when they do. glibc raises its threshold by itself, up to
32 MB, and then keeps what lies between others."""
SPARING_BYTES = 1 << 16
"""As much in work that is seldom done (`sparing`): to ask the system for pages costs it 0.1 ms a megabyte."""
ARENAS = 2
"""Of glibc, which else makes eight for each core, and each keeps what its threads let go of."""
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_MADV_DONTNEED = 4


_gives_back = threading.Event()


def give_back() -> None:
    """Have the memory of large arrays given back to the system at once; where the C library cannot, nothing is done."""
    with suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_THRESHOLD, OWN_BYTES)
        library.mallopt(_M_ARENA_MAX, ARENAS)
        _gives_back.set()


@contextmanager
def sparing() -> Iterator[None]:
    """Meanwhile the memory of smaller arrays is given back at once, too, in a process that asked for `give_back`.

    A look at all ships makes some hundred arrays that are gone when it is over. In the heap they would leave their
    places free between what was made meanwhile and stays.
    """
    if not _gives_back.is_set():
        yield
        return
    library = ctypes.CDLL(None)
    library.mallopt(_M_MMAP_THRESHOLD, SPARING_BYTES)
    try:
        yield
    finally:
        library.mallopt(_M_MMAP_THRESHOLD, OWN_BYTES)


def trim() -> None:
    """Give back what lies free in the heap; where the C library cannot, nothing is done."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def set_aside(library: str) -> int:
    """Have a library leave memory until it is used again; how many bytes of it were mapped.

    The compiler of kernels is 50 MB that nothing needs once they are loaded. What nobody has written to is read from
    the file again; all other parts of the library stay. Nothing is done where the system does not tell.
    """
    n = 0
    with suppress(AttributeError, OSError, ValueError):
        advise = ctypes.CDLL(None).madvise
        for mapping, own_kb in _mappings():
            span, rights, *_ = mapping.split()
            if library in mapping and "w" not in rights and own_kb == 0:
                begin, end = (int(place, 16) for place in span.split("-"))
                advise(ctypes.c_void_p(begin), ctypes.c_size_t(end - begin), _MADV_DONTNEED)
                n += end - begin
    return n


def _mappings() -> Iterator[tuple[str, int]]:
    """What is mapped, as the system says it, and how much of each is not as its file has it any more, in kB."""
    mapping, own_kb = "", 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name, *values = line.split()
        if name in ("Anonymous:", "Swap:"):
            own_kb += int(values[0])
        elif name == "VmFlags:":
            yield mapping, own_kb
        elif not name.endswith(":"):
            mapping, own_kb = line, 0
