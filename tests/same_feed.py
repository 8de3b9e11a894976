"""What must hold for every feed, however damaged: no exception, and the same messages however its bytes are cut.

The fuzzer, the kept corpus and hypothesis all ask this. Reads past the end show in three ways: `NUMBA_BOUNDSCHECK=1`
for arrays, a page without permission right behind the buffer for loads that go by address, and padding that holds what
would come next.
"""

from __future__ import annotations

import ctypes
import inspect
import mmap
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from random import Random
from typing import Any
from zlib import crc32

import numpy as np

from ais.decode import Decoder

PAD = 64
"""Bytes behind the data that `Decoder.decode` asks for."""
_BITS_PER_WORD = 48


def options() -> list[dict[str, Any]]:
    """The ways to make a decoder that are checked: each policy, with copies folded or not, as far as there are any."""
    known = inspect.signature(Decoder).parameters
    policies = [{"policy": name} for name in ("strict", "flag", "keep")] if "policy" in known else [{}]
    folds = [{"fold": fold} for fold in (False, True)] if "fold" in known else [{}]
    return [{**policy, **fold} for policy in policies for fold in folds]


def columns_of(made: Any) -> Iterator[tuple[str, bytes]]:
    """Every column of one result as bytes, with its name."""
    if not isinstance(made, tuple):
        yield from _messages(made)
        made = (made.fixes(), made.static())
    for kind, table in zip(("fixes", "static"), made, strict=True):
        yield from ((f"{kind}.{name}", np.ascontiguousarray(column).tobytes()) for name, column in table.items())


def _messages(made: Any) -> Iterator[tuple[str, bytes]]:
    """Columns of the messages themselves; their bits in place of where these lie."""
    for name in made.records.dtype.names:
        if name != "words":
            yield name, np.ascontiguousarray(made.records[name]).tobytes()
    spans = zip(made.records["words"].tolist(), made.records["n_bits"].tolist(), strict=True)
    yield "bits", b"".join(made.words[at : at - (-n // _BITS_PER_WORD)].tobytes() for at, n in spans)


def outcome(pieces: Iterator[Any], decoder: Decoder) -> dict[str, object]:
    """All that a decoder gives and counts; each piece is let go before the next, as a stream's would be."""
    columns: dict[str, bytes] = {}
    for made in pieces:
        for name, data in columns_of(made):
            columns[name] = columns.get(name, b"") + data
    return {**columns, "sentences": decoder.sentences, "counts": decoder.counts, "types": decoder.types}


def fed(data: bytes, cuts: Sequence[int] = (), **option: Any) -> dict[str, object]:
    """What `feed` gives for the bytes cut at `cuts`, and `flush` after them."""
    decoder = Decoder(**option)
    pieces = (decoder.feed(data[a:b]) for a, b in pairwise([0, *cuts, len(data)]))
    return outcome(chain(pieces, (last() for last in (decoder.flush,))), decoder)


class Guarded:
    """Memory behind whose end nothing may be read: the next page has no permission."""

    def __init__(self, size: int) -> None:
        self._size = -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        self._map = mmap.mmap(-1, self._size + mmap.PAGESIZE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._map)) + self._size
        if ctypes.CDLL(None, use_errno=True).mprotect(ctypes.c_void_p(address), mmap.PAGESIZE, 0):
            raise OSError(ctypes.get_errno(), "mprotect")

    def decoded(self, data: bytes, padding: bytes, **option: Any) -> dict[str, object]:
        """What `decode` gives for a last chunk that ends, with its padding, where the memory ends."""
        n = len(data)
        buf = np.frombuffer(self._map, np.uint8, n + PAD, self._size - n - PAD)
        buf[:n] = np.frombuffer(data, np.uint8)
        buf[n:] = np.frombuffer(padding, np.uint8)
        decoder = Decoder(**option)
        return outcome((step() for step in (lambda: decoder.decode(buf, n, 0), decoder.flush)), decoder)


def random_cuts(data: bytes) -> list[int]:
    """Cuts that depend on the bytes alone, so that what was found is found again."""
    random = Random(data)
    return sorted(random.randrange(len(data) + 1) for _ in range(random.choice((1, 2, 5, 20))))


def check(data: bytes, guarded: Guarded, *, every_byte: bool, **option: Any) -> dict[str, object]:
    """Raise where a law is broken; else what the feed gives."""
    whole = fed(data, **option)
    expect_same("cut at random", data, whole, fed(data, random_cuts(data), **option))
    if every_byte:
        expect_same("byte by byte", data, whole, fed(data, range(1, len(data)), **option))
    expect_same("in one chunk", data, whole, guarded.decoded(data, bytes(PAD), **option))
    cut = crc32(data) % (len(data) + 1)  # what would have come next stands in the padding, and must not be read
    head, after = data[:cut], data[cut : cut + PAD].ljust(PAD, b"\\")
    expect_same("padded", head, fed(head, **option), guarded.decoded(head, after, **option))
    expect_all_counted(whole)
    return whole


def expect_same(how: str, data: bytes, one: dict[str, object], other: dict[str, object]) -> None:
    """Both must be equal, column by column."""
    differ = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    assert not differ, f"{how}: {differ} of {data[:200]!r}: {[(one.get(n), other.get(n)) for n in differ][:3]}"


def expect_all_counted(whole: dict[str, object]) -> None:
    """No sentence is lost in silence: it is part of a whole message, or something is counted."""
    counts: Any = whole["counts"]
    types: Any = whole["types"]
    messages, sentences = sum(types.values()), whole["sentences"]
    parts = np.frombuffer(whole["n_parts"], np.uint8).sum() if isinstance(whole.get("n_parts"), bytes) else 9 * messages
    assert all(n > 0 for n in counts.values()), counts
    assert isinstance(sentences, int) and messages <= sentences <= parts + 9 * sum(counts.values()), (whole, counts)
