"""The decoder: bytes in any pieces to messages, positions and static reports.

    bytes -> scan (lines to rows) -> join (parts to messages) -> clock, copies -> messages, or columns of reports

Everything that was not used is counted under a reason, with its bytes and the first place. What is doubtful (checksum,
alphabet, fill bits, length, parts that do not fit) is dropped under the policy `strict`, handed out with its `status`
under `flag`, and handed out like any other under `keep`; it is counted under all three, and no policy gives a field
that the received bits do not cover.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.assembly import JOINING, SLOTS, WAITING, give_up_all, join, take_due
from ais.block import NUMBER, PARTS, PGHP, ROWS, SENTENCES, T_LAST, T_MAX, Block
from ais.clock import CLOCK, keep_time
from ais.copies import Copies, find_copies, new_heard
from ais.message import Message
from ais.messages import SPARE_WORDS, Messages, Stations, joined, message_at
from ais.records import MESSAGE
from ais.reports import FixColumns
from ais.sentences import MAX_LINE_BYTES, cut_after_sentence
from ais.statics import HALF, HALVES, STATIC_ROW, static_columns, write_statics
from ais.status import INCOMPLETE_MESSAGE, LINE_TOO_LONG, OK, ORPHAN_FRAGMENT, STATUS, count_words
from ais.table import NAT
from ais.tags import T_MIN_US
from geo.errors import UsageError
from geo.kernel import records

POLICIES = ("strict", "flag", "keep")
CLOCKS = (None, "base")
AHEAD_US = 3_600_000_000
"""A time more than an hour ahead of this machine's clock is not believed."""
PAD = 64
"""Bytes that must follow the text in a buffer: the kernels look ahead without a check."""
_ZEROS = bytes(PAD)
RANGE_BYTES = 1 << 19
"""What is read at once: its rows and words (1 MB) stay in the cache of a core, and calls cost little."""
SHARED_RANGE_BYTES = 1 << 18
"""The same for threads: what one has scanned another reads."""
_NEVER = np.iinfo(np.int64).max
_ADD, _ROW, _DEAD, _DUE, _T_BEFORE = range(len(JOINING.names or ()))
Columns = dict[str, NDArray[Any]]


class Decoder:
    """Decodes a feed of NMEA, in pieces of any size.

    Parameters
    ----------
    policy : "strict", "flag" or "keep": what becomes of doubtful lines
    fold : mark copies of messages heard within 10 s before (`copy_of`, status "duplicate")
    start : time of the first message of a feed without times, µs since 1970 UTC; the seconds in the messages advance it
    clock : "base": base stations (types 4 and 11) set the time of messages that have none
    now : later times than an hour after it are not believed, µs since 1970 UTC; this machine's clock if None
    threads : how many read a chunk side by side; the result does not depend on it

    Raises
    ------
    UsageError
        For a policy, a clock or a number of threads that does not exist.

    Examples
    --------
    >>> decoder = Decoder()
    >>> messages = decoder.feed(b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\\n")
    >>> [(m.mmsi, round(m.lat, 6), round(m.lon, 6)) for m in messages]
    [(227006760, 49.475577, 0.13138)]
    >>> len(decoder.feed(b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*24\\n")), decoder.counts
    (0, {'checksum differs': 1})
    """

    def __init__(
        self,
        policy: str = "strict",
        *,
        fold: bool = False,
        start: int | None = None,
        clock: str | None = None,
        now: int | None = None,
        threads: int = 1,
    ) -> None:
        if start is not None and (not isinstance(start, int | np.integer) or not 0 <= start < 1 << 62):
            raise UsageError(f"start {start!r} is no time in µs since 1970 UTC; decode() takes a datetime")
        if not isinstance(threads, int):
            raise UsageError(f"threads must be a whole number, not {threads!r}")
        if policy not in POLICIES:
            raise UsageError(f"policy {policy!r} does not exist; give one of {', '.join(POLICIES)}")
        if clock not in CLOCKS:
            raise UsageError(f"clock {clock!r} does not exist; give 'base', or leave it out")
        if not 1 <= threads <= 64:
            raise UsageError(f"{threads} threads are out of the range 1 to 64")
        self._until = None if now is None else now + AHEAD_US
        self._blocks = [Block(0, POLICIES.index(policy)) for _ in range(1 if threads == 1 else threads + 1)]
        self._range = RANGE_BYTES if threads == 1 else SHARED_RANGE_BYTES
        self._stations = Stations([block.names for block in self._blocks])
        self._pghp = NAT
        self._number = 0
        self._pool = ThreadPoolExecutor(threads - 1) if threads > 1 else None
        self._joining = records(JOINING, 1)
        self._joining_state = self._joining.view(np.int64)
        self._joining_state[_T_BEFORE] = NAT
        self._spare = records(MESSAGE, 1)
        self._slots = records(WAITING, SLOTS)
        self._halves = records(HALF, HALVES)
        self._heard = new_heard() if fold else None
        self._clock = None
        if start is not None or clock is not None:
            self._clock = records(CLOCK, 1)
            self._clock["t"] = NAT if start is None else start
            self._clock["stated"], self._clock["by_base"] = NAT, clock == "base"
            self._clock["t_min"], self._clock["seconds"] = T_MIN_US, -1
        self.copies = Copies()
        self._bytes = bytearray()
        self._room(1 << 12)
        self._rest = b""
        self._offset = 0
        self._skipping = False

    @property
    def folds(self) -> bool:
        """Are copies marked?"""
        return self._heard is not None

    @property
    def sentences(self) -> int:
        """Sentences seen so far, sound or not."""
        return sum(int(block.state[SENTENCES]) for block in self._blocks)

    @property
    def tally(self) -> NDArray[np.int64]:
        """What was not used, or not believed, so far: (reasons, 3) of count, bytes and first offset (-1 unknown)."""
        tallies = np.array([block.tally for block in self._blocks])
        total: NDArray[np.int64] = tallies.sum(0)
        first = np.where(tallies[:, :, 2] < 0, _NEVER, tallies[:, :, 2]).min(0)
        total[:, 2] = np.where(first == _NEVER, -1, first)
        return total

    @property
    def counts(self) -> dict[str, int]:
        """What was not used so far, by reason."""
        return count_words(self.tally[:, 0])

    @property
    def joined(self) -> int:
        """Sentences so far that stand in a message, sound or not, behind its first one."""
        return int(self.tally[OK, 0])

    @property
    def types(self) -> dict[int, int]:
        """Whole messages so far, by message type."""
        total = np.sum([block.types for block in self._blocks], 0)
        return {k: int(n) for k, n in enumerate(total) if n}

    @property
    def stations(self) -> Stations:
        """Names of the stations so far by their hash."""
        return self._stations

    def feed(self, data: bytes) -> Messages:
        """Decode bytes that follow the ones before; an unfinished line waits."""
        return self._messages(*self._taken(data if isinstance(data, bytes) else bytes(data)))

    def feed_reports(self, data: bytes, fixes: FixColumns) -> Columns:
        """Like `feed`, to columns: positions appended to `fixes`, the columns of static reports."""
        return self.reports(*self._taken(data), fixes)

    def believe_until(self, t: int) -> None:
        """From now on times from `t` on, in µs since 1970 UTC, are not believed."""
        self._until = t

    def _memory(self) -> dict[str, Any]:
        """All arrays in which something waits or is counted, by name."""
        block = self._blocks[0]
        arrays = {"joining": self._joining, "slots": self._slots, "halves": self._halves, "feed": block.feed}
        arrays |= {"names": block.names, "types": block.types, "tally": block.tally}
        return arrays | {name: at for name, at in (("heard", self._heard), ("clock", self._clock)) if at is not None}

    def state(self) -> Columns:
        """All that it knows between two pieces of a feed, as a copy; a decoder with the same parameters can `resume`.

        For one thread.
        """
        numbers = np.array([self._offset, self._skipping, self._pghp, self._number], np.int64)
        kept = {name: array.view(np.ndarray).copy() for name, array in self._memory().items()}
        return {**kept, "rest": np.frombuffer(self._rest, np.uint8).copy(), "numbers": numbers}

    def resume(self, state: Columns) -> None:
        """Go on from a state."""
        for name, array in self._memory().items():
            array.view(np.ndarray)[...] = state[name].view(array.dtype)
        self._offset, self._skipping, self._pghp, self._number = state["numbers"].tolist()
        self._skipping, self._rest = bool(self._skipping), state["rest"].tobytes()

    def one(self, line: bytes) -> Message | None:
        """The message of one line, without the detour over arrays of messages; None unless it holds just one, whole."""
        n = len(line)
        if n > MAX_LINE_BYTES or self._rest or self._skipping or self._clock is not None or self.folds:
            return None
        self._room(n + PAD)
        self._bytes[: n + PAD] = line + _ZEROS
        self._look_at_the_clock()
        block = self._blocks[0]
        block.state[PGHP] = NAT
        block.scan(self._line, 0, n, 0)
        if block.state[ROWS] != 1 or block.state[PARTS]:
            return None
        return message_at(block.rows[0].item(), block.words, self._stations)

    def why_none(self, line: bytes) -> tuple[int, str]:
        """Why `one` gave nothing for a line: how many messages it holds, and what is wrong, in words.

        What was counted before is forgotten.
        """
        block = self._blocks[0]
        block.tally[:, 0] = 0
        self.one(line)
        reasons = [STATUS[code] for code in np.flatnonzero(block.tally[:, 0])]
        if block.state[PARTS] and block.n:
            reasons.append(STATUS[INCOMPLETE_MESSAGE if block.rows["part"][0] == 1 else ORPHAN_FRAGMENT])
        return 0 if block.state[PARTS] else block.n, ", ".join(reasons)

    def _look_at_the_clock(self) -> None:
        """Times are believed up to an hour from now, and a feed may go on for a year."""
        t_max = time.time_ns() // 1000 + AHEAD_US if self._until is None else self._until
        for block in self._blocks:
            block.state[T_MAX] = t_max
        if self._clock is not None:
            self._clock["t_max"] = t_max

    def _room(self, size: int) -> None:
        """A buffer for lines that are fed, as bytes and as an array of the same memory."""
        if size > len(self._bytes):
            self._bytes = bytearray(2 * size)
            self._line = np.frombuffer(self._bytes, np.uint8)

    def flush(self) -> Messages:
        """Decode the unfinished line, and count the messages whose parts never came."""
        found = [self.feed(b"\n") if self._rest or self._skipping else self.feed(b"")]
        found += [block.messages(self._stations) for block in self._late()]
        return joined([one for one in found if len(one)] or found[:1])

    def flush_reports(self, fixes: FixColumns) -> Columns:
        """The same as columns, for a feed that was read with `reports`."""
        statics: list[NDArray[Any]] = []
        for block in self._late():
            fixes.append(block.rows, block.n, block.words, block.tally)
            statics += self._statics(block)
        return static_columns(statics)

    def _late(self) -> Iterator[Block]:
        """Messages that are whole but not in order, at the end of a feed; all others that wait are counted."""
        block = self._blocks[0]
        while self._joining_state[_DUE]:
            block.reserve(RANGE_BYTES)
            block.state[NUMBER] = self._number
            take_due(self._joining, block.feed, block.rows, block.words, self._slots, block.types, block.tally)
            block.dead = 0
            self._number += block.n
            self._mark(block)
            yield block
        give_up_all(self._joining, self._slots, block.tally)

    def decode(self, buf: NDArray[np.uint8], n: int, offset: int) -> Messages:
        """Decode `n` bytes of whole lines; `buf` must be at least 64 bytes longer; `offset` is that of its first."""
        return self._messages(buf, n, offset)

    def reports(self, buf: NDArray[np.uint8], n: int, offset: int, fixes: FixColumns) -> Columns:
        """The same, positions appended to `fixes`, without a detour over messages; columns of static reports.

        Copies give no row; what is to be known of them is kept in `copies`, which a stream must empty now and then.
        """
        statics: list[NDArray[Any]] = []
        for block in self._read(buf, n, offset):
            fixes.append(block.rows, block.n, block.words, block.tally)
            statics += self._statics(block)
            if self._heard is not None:
                self.copies.note(block.rows[: block.n])
        return static_columns(statics)

    def _taken(self, data: bytes) -> tuple[NDArray[np.uint8], int, int]:
        """The whole lines of what waited and of `data` in a buffer; the rest waits."""
        if self._rest or self._skipping:
            data = self._rest + data
            if self._skipping:
                data = self._skip(data)
        cut = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        offset, text = self._offset, data[:cut]
        self._rest = data[cut:]
        self._offset += cut
        if len(self._rest) > MAX_LINE_BYTES:  # the head of an endless line is read, the rest of it is not
            self._skipping = True
            text, self._offset = data[: cut + MAX_LINE_BYTES] + b"x\n", offset + len(data)
            self._rest = b""
            self._blocks[0].tally[LINE_TOO_LONG, 1] += len(data) - (cut + MAX_LINE_BYTES) - 1
        n = len(text)
        self._room(n + PAD)
        self._bytes[: n + PAD] = text + _ZEROS
        return self._line, n, offset

    def _skip(self, data: bytes) -> bytes:
        """Drop what belongs to a line that is too long."""
        ends = [place for place in (data.find(b"\n"), data.find(b"\r")) if place >= 0]
        end = min(ends) if ends else len(data)
        self._skipping = not ends
        self._offset += end
        self._blocks[0].tally[LINE_TOO_LONG, 1] += end
        return data[end:]

    def _read(self, buf: NDArray[np.uint8], n: int, base: int) -> Iterator[Block]:
        """Read the text range by range; each block is the caller's until the next is asked for.

        With threads the ranges that follow are scanned while the caller works on this one.
        """
        self._look_at_the_clock()
        waiting: deque[tuple[Block, Future[None] | None]] = deque()
        begin = k = 0
        while begin < n:
            end = n if n - begin <= self._range else cut_after_sentence(buf, begin + self._range, n)
            block = self._blocks[k % len(self._blocks)]
            block.state[PGHP] = self._pghp if begin == 0 else NAT  # no time waits behind a cut
            if self._pool is None:
                block.scan(buf, begin, end, base, self._number)
                waiting.append((block, None))
            else:
                waiting.append((block, self._pool.submit(block.scan, buf, begin, end, base)))
            begin, k = end, k + 1
            if len(waiting) == len(self._blocks):
                yield self._finished(*waiting.popleft())
        while waiting:
            yield self._finished(*waiting.popleft())

    def _finished(self, block: Block, scanned: Future[None] | None) -> Block:
        """A block when it has been scanned, its parts joined, its times given and its copies marked."""
        if scanned is not None:
            scanned.result()
        self._pghp = int(block.state[PGHP])
        self._finish(block)
        return block

    def _finish(self, block: Block) -> None:
        """Rows numbered, parts joined, times given, copies marked."""
        add = self._number - int(block.state[NUMBER])
        self._number += block.n
        if add or block.state[PARTS]:
            self._joining_state[:_DUE] = add, 0, 0
            while True:
                join(
                    self._joining,
                    block.feed,
                    block.rows,
                    block.words,
                    self._slots,
                    self._spare,
                    block.types,
                    block.tally,
                )
                if self._joining_state[_ROW] == block.n:
                    break
                block.words = np.concatenate([block.words, np.zeros(block.words.size, np.uint64)])
            block.dead = int(self._joining_state[_DEAD])
        if block.state[T_LAST] != NAT:
            self._joining_state[_T_BEFORE] = block.state[T_LAST]
        self._mark(block)

    def _mark(self, block: Block) -> None:
        """Times given, copies marked."""
        if self._clock is not None:
            keep_time(self._clock, block.rows, block.n, block.words)
        if self._heard is not None:
            find_copies(block.rows, block.n, block.words, self._heard, block.tally)

    def _messages(self, buf: NDArray[np.uint8], n: int, offset: int) -> Messages:
        found = [block.messages(self._stations) for block in self._read(buf, n, offset)]
        return (
            joined(found) if found else Messages(np.zeros(0, MESSAGE), np.zeros(SPARE_WORDS, np.uint64), self._stations)
        )

    def _statics(self, block: Block) -> Iterator[NDArray[Any]]:
        """Static reports of a block, as records."""
        i = 0
        while i < block.n:
            room = records(STATIC_ROW, max(64, (block.n - i) // 8))
            i, k = write_statics(block.rows, i, block.n, block.words, self._halves, room, 0, block.tally)
            yield room[:k]
