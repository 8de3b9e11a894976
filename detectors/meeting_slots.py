"""Meetings when hulls are let go: what goes on with these is told, and all that remains is known by other slots."""

from __future__ import annotations

from detectors.detector import OUT_ROOM
from detectors.meeting import LIVE, TAKEN
from detectors.pair import close_pair
from geo.kernel import kernel


@kernel
def part_pairs(pairs, used, place, now, begin, limits, out):
    """End the meetings of hulls that go: (row where it stopped or -1, events written).

    `place` is the new slot of each (-1: it goes). Those that stay get their new keys; `detectors.meeting.rebuild_pairs`
    must follow.
    """
    events = 0
    for k in range(begin, used[TAKEN]):
        if events + OUT_ROOM > out.size:
            return k, events
        p = pairs[k]
        if p.n == 0:
            continue
        a, b = place[(p.key - 1) >> 32], place[(p.key - 1) & 0xFFFFFFFF]
        if a < 0 or b < 0:
            events += close_pair(p, now, limits, out[events])
            used[LIVE] -= 1
        else:
            p.key = (a << 32 | b) + 1
    return -1, events


@kernel
def keep_pieces(bins, pieces, place):
    """Take the pieces of hulls that go out of all bins; `detectors.meeting.rebuild_pieces` must follow."""
    for ring in range(bins.size):
        n = 0
        for k in range(bins[ring].n):
            slot = place[pieces[ring, k].slot]
            if slot >= 0:
                pieces[ring, n] = pieces[ring, k]
                pieces[ring, n].slot = slot
                n += 1
        bins[ring].n = n
