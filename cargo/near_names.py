"""Names that are nearly the same as a given one, out of very many: pairs of letters tell which are worth comparing.

An edit changes at most two pairs of neighbouring letters, an exchange of two neighbours three, so names that are alike
share many pairs (Ukkonen, 1992). What is left out that way cannot be alike: the answer is that of comparing with all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_FEW = 64
"""Of so few names all are compared: that costs less than counting pairs."""


class NearNames:
    """Names in Latin capitals and digits without spaces, to be asked which are near to another.

    >>> NearNames(["BELVEDERON", "NIMBUS", "BELVEDARON"], 0.8).near("BELVEDERONE", 20)
    ['BELVEDERON', 'BELVEDARON']
    """

    def __init__(self, names: Sequence[str], cutoff: float) -> None:
        self._names, self._cutoff = list(names), cutoff
        self._lengths = np.array([len(name) for name in names], np.int64)
        self._ids: NDArray[np.int32] | None = None
        self._starts = np.zeros(1, np.int64)
        self._needed: dict[int, NDArray[np.int64]] = {}

    def near(self, name: str, limit: int) -> list[str]:
        """The names of at least the cutoff in normalised similarity (optimal string alignment), the likest first."""
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        names = self._names if len(self._names) <= _FEW else [self._names[i] for i in self._worth(name).tolist()]
        found = process.extract(name, names, scorer=OSA.normalized_similarity, score_cutoff=self._cutoff, limit=limit)
        return [near for near, _, _ in found]

    def _worth(self, name: str) -> NDArray[np.intp]:
        """Indices of the names that share as many pairs of letters with a name as those that are near to it must."""
        if self._ids is None:
            self._ids, self._starts = _pairs_of(self._names)
        pairs = _codes(name.encode("ascii", "replace"))
        parts = [self._ids[self._starts[code] : self._starts[code + 1]] for code in pairs.tolist()]
        shared = np.bincount(np.concatenate([*parts, self._ids[:0]]), minlength=len(self._names))
        n = len(name)
        if n not in self._needed:
            longer = np.maximum(self._lengths, n)
            self._needed[n] = longer - 1 - 3 * np.floor((1.0 - self._cutoff) * longer + 1e-9).astype(np.int64)
        return np.flatnonzero(shared >= self._needed[n])


def _codes(text: bytes) -> NDArray[np.int64]:
    """The pairs of neighbouring letters of a text, each as one number."""
    letters = np.frombuffer(text, np.uint8).astype(np.int64)
    return letters[:-1] << 7 | letters[1:]


def _pairs_of(names: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """For each pair of letters the indices of the names that have it, and where in them each pair begins."""
    texts = [name.encode("ascii", "replace") for name in names]
    ends = np.cumsum([len(text) for text in texts])
    codes = _codes(b"".join(texts))
    ids = np.repeat(np.arange(len(names), dtype=np.int32), [len(text) for text in texts])[: len(codes)]
    inside = np.ones(len(codes), bool)
    inside[ends[(ends > 0) & (ends <= len(codes))] - 1] = False
    codes, ids = codes[inside], ids[inside]
    order = np.argsort(codes, kind="stable")
    return ids[order], np.searchsorted(codes[order], np.arange((1 << 14) + 1))
