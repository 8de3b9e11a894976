"""Who was heard around, and when: ships per H3 cell and two hours.

A ship that is silent while all others around are silent too tells of the receivers and not of itself. For each cell of
the resolutions 3 (edge 60 km) up to 1 a ring holds how many hulls were heard in each of the last 512 blocks of two
hours (43 days). From it follows the share of a block in which reception worked: what was heard there against what is
usual while anything is heard there at all, and, where that is too little to tell, the share of the next coarser cell;
at the top the time in which the feed itself was heard. Half of the usual ships are as good as all of them: ships come
and go. Both classes count, for a receiver that hears either works.

Memory: 512 bytes a cell, and 40 for each row of its table, at most half in use: 592 bytes for each cell with traffic
and for each of its parents, rounded up to a power of two: at most 30 MB (47,886 cells of the resolutions 1 to 3).
"""

from __future__ import annotations

import numpy as np

from detectors.coverage import cell_place
from geo.cells import parent_of
from geo.kernel import inner, kernel

NEAR_FINEST, NEAR_COARSEST = 3, 1
NEAR_CELLS = 842 + 5_882 + 41_162
"""On Earth."""
NEAR_ROOM = NEAR_FINEST - NEAR_COARSEST + 1
"""Rows that one fix can add."""
AROUND = 2
"""Resolution of the cell whose ships are told as neighbours: edge 160 km."""
BLOCK_US = 7_200_000_000
BLOCKS = 512
MOST = 255
"""More hulls in a block than this count as so many."""
DOWN = 0.02
"""Share of blocks in which the receivers of a place are thought to be down while those farther off work."""

NEAR = np.dtype(
    [
        ("cell", "u8"),
        ("newest", "i8"),  # block that was written last; the 511 before it stand in the ring too
        ("hulls", "i8"),  # sum over all blocks
        ("heard_blocks", "i8"),  # blocks in which anything was heard
        ("ring", "i4"),  # row of `blocks`
    ],
    align=True,
)


@kernel
def rebuild_near(old, new):
    """Enter all cells of one table into an empty, larger one."""
    for at in range(old.size):
        if old[at].cell != np.uint64(0):
            row = new[cell_place(new, old[at].cell)]
            row.cell, row.newest, row.hulls = old[at].cell, old[at].newest, old[at].hulls
            row.heard_blocks, row.ring = old[at].heard_blocks, old[at].ring


@inner
def add_hull(r, cell, block, cell0, block0):
    """A hull is heard in a cell in this block; it was heard in `cell0` in `block0` before (0 never)."""
    for resolution in range(NEAR_COARSEST, NEAR_FINEST + 1):
        key = parent_of(cell, resolution)
        if block == block0 and key == parent_of(cell0, resolution):
            continue
        row = r.near[cell_place(r.near, key)]
        if row.cell == np.uint64(0):
            row.cell, row.newest, row.ring = key, block - 1, r.used[1]
            r.used[1] += 1
        ring = r.blocks[row.ring]
        for skipped in range(max(row.newest + 1, block - BLOCKS + 1), block + 1):
            ring[skipped % BLOCKS] = 0
        row.newest = max(row.newest, block)
        if ring[block % BLOCKS] < MOST:
            row.heard_blocks += ring[block % BLOCKS] == 0
            row.hulls += 1
            ring[block % BLOCKS] += 1


@inner
def hulls_in(row, blocks, block):
    """Hulls heard in a block; -1 where that is longer ago than the ring remembers."""
    if block > row.newest:
        return 0
    return -1 if block <= row.newest - BLOCKS else np.int64(blocks[row.ring, block % BLOCKS])


@inner
def share_heard(r, cell, block, first, last, feed_share):
    """What of a block was heard in a cell, and other ships around.

    The silence begins in the block `first` and ends in the block `last`: what was heard in these may have been heard
    before or after it, so that they are judged by the blocks between; each of these with the one before and after.
    """
    share, around = feed_share, 0
    for resolution in range(NEAR_COARSEST, NEAR_FINEST + 1):
        row = r.near[cell_place(r.near, parent_of(cell, resolution))]
        if row.cell == np.uint64(0):
            break
        here = hulls_in(row, r.blocks, block)
        if here < 0:
            return 0.0, around
        if resolution == AROUND and first < block < last:
            around = here
        heard, n = 0, 0
        for b in range(max(first + 1, block - 1), min(last - 1, block + 1) + 1):
            heard += max(0, hulls_in(row, r.blocks, b))
            n += 1
        if n == 0:
            continue  # a silence shorter than a block
        usual = row.hulls / row.heard_blocks
        usual -= 1.0 / usual  # blocks without any ship are not in the mean: of a Poisson law that is left (within 6 %)
        missing = n * usual - 2.0 * heard
        if missing <= 0.0:
            share = 1.0
        else:
            by_chance = share / (1.0 + 0.5 * missing) ** 2
            share = max(by_chance / (by_chance + DOWN + 1.0 - share), 2.0 * heard / (n * usual))
    return share, around
