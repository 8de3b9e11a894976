"""A range of the input as one thread reads it: the buffers of its rows and words, and what it counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ais.assembly import JOINED_WORDS
from ais.messages import SPARE_WORDS, Messages, Stations
from ais.records import MESSAGE
from ais.sentences import FEED, LINE_ROWS, LINE_WORDS, SHORTEST_SENTENCE, scan
from ais.status import REASONS
from ais.table import NAT
from ais.tags import NAME, STATIONS
from geo.kernel import records

SENTENCES, NUMBER, ROWS, WORDS, PARTS, PGHP, POLICY, T_MAX, T_LAST = (
    (FEED.names or ()).index(name)
    for name in ("sentences", "number", "rows", "words", "parts", "t_pghp", "policy", "t_max", "t_last")
)
"""Places of the fields in `Block.state`."""
_WHOLE = np.dtype(("V", MESSAGE.itemsize))
"""A record as plain bytes: numpy copies those 10 times as fast as fields."""


class Block:
    """Buffers of one range of the input, and what one thread counts."""

    def __init__(self, size: int, policy: int) -> None:
        self.feed = records(FEED, 1)
        self.state = self.feed.view(np.int64)  # the same memory: a number of a plain array is read in 30 ns, not in 700
        self.state[[PGHP, POLICY]] = NAT, policy
        self.names = records(NAME, STATIONS)
        self.types = np.zeros(64, np.int64)
        self.tally = np.zeros((REASONS, 3), np.int64)
        self.tally[:, 2] = -1
        self.dead = 0
        self.size = -1
        self.reserve(size)

    def reserve(self, size: int) -> None:
        """Room for all rows that `size` bytes can hold; memory that is not touched costs nothing."""
        if size > self.size:
            self.size = size
            n = size // SHORTEST_SENTENCE + LINE_ROWS + 1
            self.rows = records(MESSAGE, n)
            self.whole = self.rows.view(np.ndarray).view(_WHOLE)
            self.words = np.zeros(size // 8 + 3 * n + LINE_WORDS + 2 * JOINED_WORDS, np.uint64)

    def scan(self, buf: NDArray[np.uint8], begin: int, end: int, base: int, number: int = 0) -> None:
        """Read the whole lines of buf[begin:end]; `number` is that of the first row."""
        self.reserve(end - begin)
        state = self.state
        state[NUMBER], state[ROWS], state[WORDS], state[PARTS], state[T_LAST] = number, 0, 0, 0, NAT
        scan(buf, begin, end, base, self.feed, self.rows, self.words, self.names, self.types, self.tally)
        self.dead = 0

    def messages(self, stations: Stations) -> Messages:
        """The messages of this range."""
        found = self.whole[: self.n]
        if self.dead:
            found = found[self.rows["msg_type"][: self.n] != 0]
        return Messages(found.copy().view(MESSAGE), self.words[: self.state[WORDS] + SPARE_WORDS].copy(), stations)

    @property
    def n(self) -> int:
        """Rows of this range."""
        return int(self.state[ROWS])
