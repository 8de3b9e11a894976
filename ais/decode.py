"""The decoder: bytes in any pieces to columns of fixes and static reports.

Everything that was not used is counted under a reason. Parts of a message are joined when sequence id, channel, talker
and number of parts agree (and the tag block's group, where both carry one); without a group they must come in order.
A part waits for at most 1,000 sentences and, where times are known, 10 seconds: sequence ids are used again soon, and
two half-lost messages joined together are a ship that does not exist.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.messages import FIX_ROW, STATIC_ROW, check_message, write_fix, write_static
from ais.sentences import (
    MAX_PARTS,
    MAX_PAYLOAD,
    READING,
    check_sum,
    in_range,
    is_digit,
    is_line_end,
    is_sentence,
    read_fields,
    read_pghp,
    read_prefix,
    read_suffix,
    read_tag_block,
    unarmour,
)
from ais.status import (
    EMPTY_PAYLOAD,
    INCOMPLETE_MESSAGE,
    LINE_TOO_LONG,
    NOT_AIS,
    OK,
    ORPHAN_FRAGMENT,
    REASONS,
    count_words,
)
from ais.table import FIX_DTYPES, NAT, STATIC_DTYPES
from geo.kernel import kernel

SLOTS = 256
"""Messages that can wait for their parts at once; more than any feed has open, and a bound on memory."""
_PROBES = 8
MAX_WAIT_SENTENCES = 1_000
MAX_WAIT_US = 10_000_000
MAX_LINE_BYTES = 1 << 16
"""A line that is longer is no NMEA: an endless one must not fill the memory."""
_LINE_MESSAGES = MAX_LINE_BYTES // 20
"""Messages that one line can hold at most: the shortest sentence with a payload has more than 20 characters."""
_PAD = 64

WAITING = np.dtype(
    [
        ("key", "i8"),  # 0: free
        ("group", "i8"),
        ("t", "i8"),
        ("offset", "i8"),
        ("sentence", "i8"),  # number of the sentence that opened it
        ("held", "i8"),  # bit mask of the parts that are here
        ("fill", "i8"),
        ("channel", "i8"),
    ],
    align=True,
)


class Assembly(NamedTuple):
    """Messages that wait for parts."""

    slots: NDArray[Any]
    lengths: NDArray[np.int64]
    payloads: NDArray[np.uint8]


@kernel
def count_parts(mask):
    """How many parts a waiting message holds."""
    n = 0
    while mask:
        n += mask & 1
        mask >>= 1
    return n


@kernel
def find_slot(r, slots, counts):
    """The slot of a part's message: its own, a free one, or the oldest of its neighbourhood (its parts are counted)."""
    key = (r.sequence + 1) & 0xFF | r.channel << 8 | r.talker << 16 | r.total << 32
    home = (key * 0x9E3779B1 >> 7) & (SLOTS - 1)
    best, best_age = home, -1
    for k in range(_PROBES):
        at = (home + k) & (SLOTS - 1)
        slot = slots[at]
        if slot.key != 0:
            late = r.t != NAT and slot.t != NAT and abs(r.t - slot.t) > MAX_WAIT_US
            if late or r.sentences - slot.sentence > MAX_WAIT_SENTENCES:
                counts[INCOMPLETE_MESSAGE] += count_parts(slot.held)
                slot.key = 0
        if slot.key == key and (slot.group == r.group or slot.group < 0 or r.group < 0):
            return at
        age = MAX_WAIT_SENTENCES + 1 if slot.key == 0 else r.sentences - slot.sentence
        if age > best_age:
            best, best_age = at, age
    slot = slots[best]
    if slot.key != 0:
        counts[INCOMPLETE_MESSAGE] += count_parts(slot.held)
    slot.key, slot.group, slot.t, slot.offset = key, r.group, r.t, -1
    slot.sentence, slot.held, slot.fill, slot.channel = r.sentences, 0, 0, r.channel
    return best


@kernel
def add_part(buf, r, assembly, counts):
    """Put a part in its place; the slot when its message is whole, else -1."""
    at = find_slot(r, assembly.slots, counts)
    slot = assembly.slots[at]
    bit = 1 << (r.part - 1)
    if slot.held & bit:  # the same part again: what was waiting is of an older message
        counts[INCOMPLETE_MESSAGE] += count_parts(slot.held)
        slot.group, slot.t, slot.sentence, slot.held = r.group, r.t, r.sentences, 0
    in_order = slot.held == bit - 1
    if not in_order and (r.group < 0 or slot.group < 0):
        counts[ORPHAN_FRAGMENT] += 1 + count_parts(slot.held)
        slot.key = 0
        return -1
    if slot.held == 0 or r.part == 1:
        slot.offset, slot.channel = r.start, r.channel
    if slot.t == NAT:
        slot.t = r.t
    slot.held |= bit
    if r.part == r.total:
        slot.fill = r.fill
    assembly.lengths[at, r.part - 1] = r.length
    for k in range(r.length):
        assembly.payloads[at, r.part - 1, k] = buf[r.payload + k]
    return at if slot.held == (1 << r.total) - 1 else -1


@kernel
def take_payload(buf, r, assembly, words, counts):
    """The payload of a whole message into `words`: (bits, or -1 while parts are missing; OK or a reason)."""
    if r.total == 1:
        n_held, reason = unarmour(buf, r.payload, r.length, words, 0)
        return 6 * n_held - r.fill, reason
    at = add_part(buf, r, assembly, counts)
    if at < 0:
        return -1, OK
    slot = assembly.slots[at]
    n_held, reason = 0, OK
    for part in range(r.total):
        if reason == OK:
            n_held, reason = unarmour(assembly.payloads[at, part], 0, assembly.lengths[at, part], words, n_held)
    r.t, r.start, r.channel = slot.t, slot.offset, slot.channel
    slot.key = 0
    if n_held == 0 and reason == OK:
        reason = EMPTY_PAYLOAD
    return max(0, 6 * n_held - slot.fill), reason


@kernel
def write_message(n_bits, r, words, types, fixes, statics):
    """A whole message into the rows: OK or a reason."""
    message_type, reason = check_message(words, n_bits)
    types[message_type] += 1
    if reason != OK:
        return reason
    if message_type == 5 or message_type == 19 or message_type == 24:
        static = statics[r.statics]
        reason = write_static(words, n_bits, message_type, r, static)
        if reason == OK:
            static.offset = r.start
            r.statics += 1
    if message_type != 5 and message_type != 24:
        fix = fixes[r.fixes]
        reason = write_fix(words, message_type, r, fix)
        if reason == OK:
            fix.offset = r.start
            r.fixes += 1
    return reason


@kernel
def read_sentence(buf, i, end, base, r, assembly, words, counts, types, fixes, statics):
    """The sentence at `i` into the rows; the index after it."""
    r.sentences += 1
    star, reason = check_sum(buf, i, end)
    if reason == OK:
        reason = read_fields(buf, i, star, r)
    after = star
    if reason == OK:
        t_suffix, after = read_suffix(buf, star + 3, end)
        r.start = base + (r.begin if r.begin >= 0 else i)
        r.group = r.group_tag
        r.t = r.t_tag
        if r.t == NAT:
            r.t = in_range(t_suffix, counts)
        if r.t == NAT:
            r.t = r.t_prefix
        if r.t == NAT:
            r.t = r.t_pghp
        n_bits, reason = take_payload(buf, r, assembly, words, counts)
        if reason == OK and n_bits >= 0:
            reason = write_message(n_bits, r, words, types, fixes, statics)
    counts[reason] += 1
    r.t_tag, r.group_tag, r.t_pghp, r.begin = NAT, -1, NAT, -1
    return after if after > i else i + 1


@kernel
def is_pghp(buf, i, end):
    """Does `$PGHP,` stand at `i`?"""
    return (
        i + 5 < end
        and buf[i] == 36
        and buf[i + 1] == 80
        and buf[i + 2] == 71
        and buf[i + 3] == 72
        and buf[i + 4] == 80
        and buf[i + 5] == 44
    )


@kernel
def decode_lines(buf, begin, end, base, reading, assembly, words, counts, types, fixes, statics):
    """Decode whole lines from `begin` until `end`, or until the rows are full; the index where it stopped."""
    r = reading[0]
    i = begin
    while i < end:
        if is_line_end(buf[i]):
            i += 1
            continue
        stop, limit = i, min(end, i + MAX_LINE_BYTES)
        while stop < limit and not is_line_end(buf[stop]):
            stop += 1
        if r.fixes + _LINE_MESSAGES > fixes.size or r.statics + _LINE_MESSAGES > statics.size:
            return i
        r.t_tag, r.t_prefix, r.group_tag, r.begin = NAT, NAT, -1, -1
        used = False
        if is_digit(buf[i]):
            r.t_prefix = in_range(read_prefix(buf, i, stop), counts)
            r.begin = i if r.t_prefix != NAT else -1
        while i < stop:
            if buf[i] == 92:
                i = read_tag_block(buf, i, stop, r, counts)
                used = True
            elif is_sentence(buf, i, stop):
                i = read_sentence(buf, i, stop, base, r, assembly, words, counts, types, fixes, statics)
                used = True
            elif is_pghp(buf, i, stop):
                r.t_pghp = in_range(read_pghp(buf, i, stop), counts)
                used = True
                i += 6
            else:
                i += 1
        if not used:
            counts[NOT_AIS] += 1
        if i == stop and stop < end and not is_line_end(buf[i]):
            counts[LINE_TOO_LONG] += 1
            while i < end and not is_line_end(buf[i]):
                i += 1
    return i


class Decoder:
    """Decodes a feed of NMEA, in pieces of any size.

    >>> decoder = Decoder()
    >>> fixes, static = decoder.feed(b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\\n")
    >>> fixes["mmsi"].tolist(), fixes["lat"].round(6).tolist(), fixes["lon"].round(6).tolist()
    ([227006760], [49.475577], [0.13138])
    >>> decoder.feed(b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*24\\n")[0]["mmsi"].size, decoder.counts
    (0, {'checksum differs': 1})
    """

    def __init__(self) -> None:
        self._reading = np.zeros(1, READING).view(np.recarray)
        for name in ("t_tag", "t_prefix", "t_pghp"):
            self._reading[name] = NAT
        self._assembly = Assembly(
            np.zeros(SLOTS, WAITING).view(np.recarray),
            np.zeros((SLOTS, MAX_PARTS), np.int64),
            np.zeros((SLOTS, MAX_PARTS, MAX_PAYLOAD), np.uint8),
        )
        self._words = np.zeros(MAX_PARTS * MAX_PAYLOAD // 10 + 2, np.int64)
        self._counts = np.zeros(REASONS, np.int64)
        self._types = np.zeros(64, np.int64)
        self._rest = b""
        self._offset = 0
        self._skipping = False

    @property
    def sentences(self) -> int:
        """Sentences seen so far, sound or not."""
        return int(self._reading["sentences"][0])

    @property
    def counts(self) -> dict[str, int]:
        """What was not used so far, by reason."""
        return count_words(self._counts)

    @property
    def types(self) -> dict[int, int]:
        """Whole messages seen so far, by message type."""
        return {k: int(n) for k, n in enumerate(self._types) if n}

    def feed(self, data: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """Decode bytes that follow the ones before; an unfinished line waits. Columns of fixes and of static rows."""
        data = self._rest + data
        if self._skipping:
            data = self._skip(data)
        cut = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if len(data) - cut > MAX_LINE_BYTES:  # the head of an endless line is read, the rest of it is not
            self._skipping = True
            head, self._rest = data[: cut + MAX_LINE_BYTES] + b"x\n", b""
            result = self._decode_bytes(head)
            self._offset += len(data) - len(head)
            return result
        self._rest = data[cut:]
        return self._decode_bytes(data[:cut])

    def _skip(self, data: bytes) -> bytes:
        """Drop what belongs to a line that is too long."""
        ends = [place for place in (data.find(b"\n"), data.find(b"\r")) if place >= 0]
        end = min(ends) if ends else len(data)
        self._skipping = not ends
        self._offset += end
        return data[end:]

    def _decode_bytes(self, data: bytes) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        buf = np.frombuffer(bytearray(data) + bytes(_PAD), np.uint8)  # writable, as those of `chunks` are
        result = self.decode(buf, len(data), self._offset)
        self._offset += len(data)
        return result

    def flush(self) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """Decode the unfinished line, and count the messages whose parts never came."""
        result = self.feed(b"\n") if self._rest or self._skipping else self.feed(b"")
        slots = self._assembly.slots
        waiting = slots["held"][slots["key"] != 0]
        self._counts[INCOMPLETE_MESSAGE] += sum(int(mask).bit_count() for mask in waiting)
        slots["key"] = 0
        return result

    def decode(
        self, buf: NDArray[np.uint8], n: int, offset: int
    ) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """Decode `n` bytes of whole lines; `buf` must be at least 64 bytes longer; `offset` is that of its first."""
        fixes: list[NDArray[Any]] = []
        statics: list[NDArray[Any]] = []
        reading, i = self._reading, 0
        while True:
            fix = np.empty((n - i) // 44 + _LINE_MESSAGES, FIX_ROW).view(np.recarray)
            static = np.zeros((n - i) // 400 + 2 * _LINE_MESSAGES, STATIC_ROW).view(np.recarray)
            reading["fixes"] = reading["statics"] = 0
            i = decode_lines(
                buf, i, n, offset, reading, self._assembly, self._words, self._counts, self._types, fix, static
            )
            fixes.append(fix[: reading["fixes"][0]])
            statics.append(static[: reading["statics"][0]])
            if i >= n:
                break
        return _columns(fixes, FIX_DTYPES), _columns(statics, STATIC_DTYPES)


def _columns(pieces: list[NDArray[Any]], dtypes: dict[str, str]) -> dict[str, NDArray[Any]]:
    """Rows of records as one array per field, texts as S20 and S7."""
    rows = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
    columns = {}
    for name in rows.dtype.names or ():
        column = np.ascontiguousarray(rows[name])
        columns[name] = column.view(dtypes[name]).ravel() if column.ndim == 2 else column
    return columns
