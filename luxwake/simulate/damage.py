"""What goes wrong between a receiver and a file: bit errors, cut lines, foreign sentences, lost second halves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.kernel import inner, kernel
from luxwake.simulate.random import hashed_uniform

DAMAGE_KINDS = ("bit error", "cut line", "foreign sentence", "orphan fragment")
_WHOLE, _BIT_ERROR, _CUT, _FOREIGN, _ORPHAN = -1, 0, 1, 2, 3
_SHARES = (0.4, 0.6, 0.9)  # of bit errors, and with cut lines, and with foreign sentences; the rest are orphans
_FOREIGN_LINES = np.frombuffer(b"$GPZDA,120000.00,01,10,2018,00,00*64\r\n", np.uint8)
_BANG, _NEWLINE = 33, 10


class Damaged(NamedTuple):
    """Sentences after the damage."""

    data: NDArray[np.uint8]
    counts: NDArray[np.int64]
    """Lines of each of `DAMAGE_KINDS`."""
    whole: NDArray[np.bool_]
    """Which messages came through unharmed."""


@inner
def _fate(seed, number, share, two_sentences):
    """What happens to one message."""
    if hashed_uniform(seed, number) >= share:
        return _WHOLE
    u = hashed_uniform(seed + 1, number)
    if two_sentences and u < 0.5:
        return _ORPHAN
    if u < _SHARES[0]:
        return _BIT_ERROR
    if u < _SHARES[1]:
        return _CUT
    return _FOREIGN


@kernel
def _damage_rows(data, starts, seed, first_number, share, out, counts, whole):
    """Copy all messages to `out`, a few of them damaged; returns the bytes written."""
    at = 0
    for i in range(starts.size - 1):
        begin, end = starts[i], starts[i + 1]
        first_end, bang = begin, begin
        while data[first_end] != _NEWLINE:
            if data[first_end] == _BANG:
                bang = first_end
            first_end += 1
        first_end += 1
        fate = _fate(seed, first_number + i, share, first_end < end)
        whole[i] = fate in (_WHOLE, _FOREIGN)
        if fate == _ORPHAN:
            end = first_end
        elif fate == _CUT:
            end = bang + 8 + np.int64(hashed_uniform(seed + 2, first_number + i) * (first_end - bang - 12))
        for k in range(begin, end):
            out[at + k - begin] = data[k]
        if fate == _BIT_ERROR:  # a payload character turns into its neighbour: the checksum no longer agrees
            out[at + bang - begin + 16 + np.int64(hashed_uniform(seed + 2, first_number + i) * 8.0)] ^= 1
        at += end - begin
        if fate == _CUT:
            out[at] = _NEWLINE
            at += 1
        elif fate == _FOREIGN:
            for k in range(_FOREIGN_LINES.size):
                out[at + k] = _FOREIGN_LINES[k]
            at += _FOREIGN_LINES.size
        if fate != _WHOLE:
            counts[fate] += 1
    return at


def damage(data: NDArray[np.uint8], starts: NDArray[np.int64], *, share: float, seed: int, first: int) -> Damaged:
    """Damage a share of the messages.

    A message that is hit loses its text (bit error, cut line), its second sentence (orphan fragment), or is followed
    by a sentence that is not AIS. Which ones are hit depends on `seed` and the number of the message in the file only.

    Parameters
    ----------
    data, starts
        As `ais.transmit.encode` returns them.
    share
        Probability that a message is hit, 0 to 1.
    seed, first
        Stream of chance, and the number of the first message.

    >>> text = np.frombuffer(b"!AIVDM,1,1,,A,1:0caOP01JaeQi0DpGD0>Ah00000,0*46\\r\\n", np.uint8)
    >>> bytes(damage(text, np.array([0, len(text)]), share=0.0, seed=1, first=0).data) == bytes(text)
    True
    """
    n = len(starts) - 1
    out = np.empty(len(data) + n * _FOREIGN_LINES.size, np.uint8)
    counts, whole = np.zeros(len(DAMAGE_KINDS), np.int64), np.ones(n, np.bool_)
    size = _damage_rows(data, starts, seed, first, share, out, counts, whole)
    return Damaged(out[:size], counts, whole)
