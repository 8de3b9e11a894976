"""Events against a truth: one-to-one, by vessel and time.

Every event found is paired with at most one scripted one and the other way round, so that ten pieces of one event
count as one hit and nine false ones. Among all such pairings the one with the most pairs is taken, and of these the one
with the greatest sum of IoU (Hungarian method).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """Who, and from when to when (any unit)."""

    who: Hashable
    start: float
    end: float


def time_iou(a: Span, b: Span) -> float:
    """Time in both over time in either, 0 to 1; two instants at the same moment have 1.

    >>> time_iou(Span("ship", 0, 10), Span("ship", 5, 15))
    0.3333333333333333
    """
    either = max(a.end, b.end) - min(a.start, b.start)
    if either <= 0:
        return 1.0
    return max(0.0, min(a.end, b.end) - max(a.start, b.start)) / either


def match(truth: Sequence[Span], found: Sequence[Span], least_iou: float) -> list[tuple[int, int]]:
    """Pairs (index in `truth`, index in `found`) of the same `who` with a time-IoU of at least `least_iou`.

    >>> match([Span("a", 0, 10)], [Span("a", 0, 4), Span("a", 1, 10), Span("b", 0, 10)], 0.5)
    [(0, 1)]
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    rows, columns = defaultdict(list), defaultdict(list)
    for i, span in enumerate(truth):
        rows[span.who].append(i)
    for j, span in enumerate(found):
        columns[span.who].append(j)
    pairs = []
    for who, own in rows.items():
        theirs = columns.get(who, [])
        if not theirs:
            continue
        overlap = np.array([[time_iou(truth[i], found[j]) for j in theirs] for i in own])
        allowed = (overlap >= least_iou) & (overlap > 0.0)
        one_pair = len(own) + len(theirs) + 1.0  # worth more than all overlaps together: most pairs first
        for i, j in zip(*linear_sum_assignment(np.where(allowed, one_pair + overlap, 0.0), maximize=True), strict=True):
            if allowed[i, j]:
                pairs.append((own[i], theirs[j]))
    return sorted(pairs)
