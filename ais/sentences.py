r"""Bytes to rows: lines, tag blocks, sentences and their payloads, one line after the other.

    \g:1-2-73,s:r003669930,c:1538352000*hh\!AIVDM,2,1,3,B,<payload>,0*hh,r003669930,1538352000
     tag block                              talker | | | |           | checksum  suffix of the USCG
                                          parts, part | channel      fill bits
                                                      sequence id

A sentence becomes a row of `MESSAGE` and its payload becomes words of 48 bits, eight characters each. Nothing that
stands between sentences can stop the reader: it looks for the next `!`, `$` or `\`.
"""

from __future__ import annotations

import numpy as np

from ais.payload import FULL, byte_of, check_sum, sum_verdict, unarmour
from ais.records import count_message, doubtful, reject, verdict
from ais.stamps import BACKSLASH, BANG, COMMA, is_digit, is_line_end, read_number, read_pghp, read_prefix
from ais.status import (
    BAD_CHARACTER,
    CHECKSUM_MISSING,
    EMPTY_PAYLOAD,
    FILL_BITS,
    LINE_TOO_LONG,
    MALFORMED,
    NOT_AIS,
    OK,
    TIME_OUT_OF_RANGE,
)
from ais.table import NAT
from ais.tags import in_range, read_suffix, read_tag_block
from geo.instructions import load64
from geo.kernel import inlined, inner, kernel

MAX_PARTS = 9
"""A sentence counts its parts with one digit; ITU-R M.1371 itself stops at 5 slots."""
MAX_PAYLOAD = 176
"""Characters of one sentence: what holds the longest message, 1,008 bits, and more than NMEA's line of 82 allows."""
PART_WORDS = MAX_PAYLOAD // 8 + 1
MAX_LINE_BYTES = 1 << 16
"""A line that is longer is no NMEA: an endless one must not fill the memory."""
SHORTEST_SENTENCE = 15
"""Bytes of `!AIVDM,2,1,,,,0`, a part without a payload and without a checksum."""
LINE_ROWS = MAX_LINE_BYTES // SHORTEST_SENTENCE + 1
"""Sentences that one line can hold at most."""
LINE_WORDS = MAX_LINE_BYTES // 8 + 3 * LINE_ROWS
FEED = np.dtype(
    [
        # of the line: what stands in front of a sentence and belongs to the next one
        ("t_tag", "i8"),  # µs since 1970 UTC, NAT unknown: from a tag block
        ("t_prefix", "i8"),  # from what stands in front of the sentence
        ("t_pghp", "i8"),  # from a $PGHP line; it is for the next sentence of the feed
        ("begin", "i8"),  # index where the tag block or prefix began, -1 none
        ("group", "i8"),  # id of the tag block's group, -1 none
        ("station", "i8"),  # hash of the station's name, 0 none
        ("bad_time", "i8"),  # 1: the line states a time that cannot be
        ("used", "i8"),  # 1: a sentence or a time stood in the line
        ("stop", "i8"),  # index of its end, -1 not looked for
        # of the feed
        ("base", "i8"),  # offset of the buffer in the source
        ("t_max", "i8"),  # later times are not believed
        ("policy", "i8"),
        ("sentences", "i8"),  # so far
        ("t_last", "i8"),  # the last time of the block that is known
        ("number", "i8"),  # of the first row of the block
        ("rows", "i8"),  # of the block
        ("words", "i8"),
        ("parts", "i8"),  # rows of the block that are a part of a message
    ],
    align=True,
)
"""What the reader of lines knows: one record, which numba passes as one pointer."""

_DOLLAR, _DASH = 36, 45
# `!xxVDM,` and `!xxVDO,`: the two letters differ in bit 1.
_VDM_MASK, _VDM = np.uint64(0x00FFFDFFFF000000), np.uint64(int.from_bytes(b"\0\0\0VDM,\0", "little"))
# `1,1,,A,` for any channel: by far the most sentences begin so.
_SINGLE_MASK, _SINGLE = np.uint64(0x00FF00FFFFFFFFFF), np.uint64(int.from_bytes(b"1,1,,\0,\0", "little"))


@inlined
def is_talker(byte):
    """A capital, a digit, or the dash that some base stations put in place of their talker."""
    return 65 <= byte <= 90 or 48 <= byte <= 57 or byte == _DASH


@inlined
def is_sentence(buf, i):
    """Does `!xxVDM,` or `!xxVDO,` (or the same after `$`) stand at `i`?"""
    word = load64(buf, i)
    first = byte_of(word, 0)
    return (
        word & _VDM_MASK == _VDM
        and first in (BANG, _DOLLAR)
        and is_talker(byte_of(word, 1))
        and is_talker(byte_of(word, 2))
    )


@inner
def is_pghp(buf, i):
    """Does `$PGHP,` stand at `i`?"""
    return (
        buf[i] == _DOLLAR
        and buf[i + 1] == 80
        and buf[i + 2] == 71
        and buf[i + 3] == 72
        and buf[i + 4] == 80
        and buf[i + 5] == COMMA
    )


@inlined
def read_fields(buf, i, star, row):
    """Split the sentence between `i` and its `*` into `row`: (index of the payload, its length, fill bits, reason)."""
    head, end = load64(buf, i), load64(buf, star - 2)
    row.talker = byte_of(head, 1) << 8 | byte_of(head, 2)
    head = load64(buf, i + 7)
    row.n_parts, row.part, row.sequence = 1, 1, 255
    row.channel = byte_of(head, 5)
    p = i + 14
    if head & _SINGLE_MASK != _SINGLE or byte_of(head, 5) == COMMA:
        p = read_numbers(buf, i, star, row)
    length, fill = star - 2 - p, byte_of(end, 1) - 48
    if p < 0 or length < 0 or length > MAX_PAYLOAD or byte_of(end, 0) != COMMA or not 0 <= fill <= 9:
        return p, 0, 0, MALFORMED
    if length == 0 and row.n_parts == 1:
        return p, 0, 0, EMPTY_PAYLOAD
    return p, length, fill, OK


@inner
def read_numbers(buf, i, star, row):
    """Number of parts, part, sequence id and channel of any sentence into `row`: index of its payload, -1 malformed."""
    row.n_parts, row.part = buf[i + 7] - 48, buf[i + 9] - 48
    if buf[i + 8] != COMMA or buf[i + 10] != COMMA or not 1 <= row.part <= row.n_parts <= MAX_PARTS:
        return -1
    value, p = read_number(buf, i + 11, star)
    row.sequence = min(value, 254) if p > i + 11 and value >= 0 else 255
    if p >= star or buf[p] != COMMA:
        return -1
    p += 1
    row.channel = 0
    if buf[p] != COMMA:
        row.channel = buf[p]
        p += 1
    return p + 1 if p < star and buf[p] == COMMA else -1


@inlined
def write_row(buf, i, star, t_suffix, f, row, words):
    """The checked sentence at `i` into `row` and `words`: OK, a doubt, or a reason why it is nothing."""
    p, length, fill, reason = read_fields(buf, i, star, row)
    if reason != OK:
        return reason
    sound = unarmour(buf, p, length, words, f.words)
    if sound < length:
        reason = BAD_CHARACTER
        length, fill = sound, 0
        words[f.words + sound // 8] &= ~(FULL >> np.uint64(16 + 6 * (sound % 8)))
        words[f.words + sound // 8 + 1] = 0
    elif fill > 5:
        reason, fill = FILL_BITS, 0
    row.n_bits = max(0, 6 * length - fill)
    row.words, row.copy_of = f.words, -1
    row.t = f.t_tag
    if row.t == NAT:
        row.t = t_suffix
    if row.t == NAT:
        row.t = f.t_prefix
    if row.t == NAT:
        row.t = f.t_pghp
    row.station = f.station
    row.group = f.group
    return reason


@inlined
def read_sentence(buf, i, stop, base, f, rows, words, names, types, tally):
    """The sentence at `i` as the next row; returns the index after it."""
    f.sentences += 1
    f.used = 1
    star, xor = check_sum(buf, i + 1, stop)
    begin = f.begin if f.begin >= 0 else i
    tail = load64(buf, star)
    reason = doubt = sum_verdict(tail, star, xor, stop)
    after = star if doubt == CHECKSUM_MISSING else star + 3
    if doubt == OK or f.policy > 0:
        t_suffix = NAT
        if byte_of(tail, 3) == COMMA and after == star + 3 and after < stop:
            t_suffix, after = read_suffix(buf, after, stop, f, names, tally)
        row = rows[f.rows]
        reason = write_row(buf, i, star, t_suffix, f, row, words)
        if doubtful(reason) and doubt == OK:
            doubt = reason
        if reason == OK or doubtful(reason):
            reason = verdict(row, words) if row.n_parts == 1 else OK
            if doubtful(reason) and doubt == OK:
                doubt = reason
        if reason == OK or doubtful(reason):
            reason = doubt
            row.offset, row.n_bytes = base + begin, after - begin
            row.status = TIME_OUT_OF_RANGE if f.bad_time else OK
            if doubt != OK and f.policy == 1:
                row.status = doubt
            # A part with a wrong character is never used: what follows it in the message has lost its place.
            if doubt == OK or (f.policy > 0 and (row.n_parts == 1 or doubt != BAD_CHARACTER)):
                f.words += (row.n_bits + 47) // 48 + 1
                row.number = f.number + f.rows
                if row.t != NAT:
                    f.t_last = row.t
                f.rows += 1
                if row.n_parts == 1:
                    count_message(row, types)
                else:
                    f.parts += 1
    if reason != OK:
        reject(tally, reason, base + begin, after - begin)
    f.t_pghp = NAT
    return max(after, i + 1)


@inner
def line_end(buf, i, limit):
    """Where the line that goes on at `i` ends, at most at `limit`."""
    while i < limit and not is_line_end(buf[i]):
        i += 1
    return i


@inner
def next_sentence(buf, begin, at, stop, f, names, tally):
    """Read what stands from `at` on in the line that began at `begin`: where its next sentence is, or its end."""
    if f.stop < 0:
        f.stop = line_end(buf, at, stop)
    stop = f.stop
    if at == begin and is_digit(buf[at]):
        f.t_prefix = in_range(read_prefix(buf, at, stop), at, f, tally)
        f.begin = at if f.t_prefix != NAT else -1
    while at < stop:
        if buf[at] == BACKSLASH:
            return at
        if is_sentence(buf, at) and at + 7 <= stop:
            return at
        if is_pghp(buf, at) and at + 6 <= stop:
            t = read_pghp(buf, at, stop)
            f.used = 1 if t != NAT else f.used
            f.t_pghp = in_range(t, at, f, tally)
            at += 6
        else:
            at += 1
    return stop


@kernel
def scan(buf, begin, end, base, feed, rows, words, names, types, tally):
    """Whole lines from `begin` until `end`, or until the rows or words are full; the index where it stopped."""
    f = feed[0]
    f.base = base
    i = begin
    last_row, last_word = rows.size - LINE_ROWS, words.size - LINE_WORDS
    while i < end and f.rows <= last_row and f.words <= last_word:
        f.t_tag, f.t_prefix, f.group, f.begin, f.station, f.bad_time = NAT, NAT, -1, -1, 0, 0
        f.used, f.stop = 0, -1
        at, stop = i, min(end, i + MAX_LINE_BYTES)
        while at < stop and not is_line_end(buf[at]):
            if is_sentence(buf, at) and at + 7 <= stop:
                at = read_sentence(buf, at, stop, base, f, rows, words, names, types, tally)
                if not is_line_end(buf[at]):  # another one may be glued to it, to which nothing of this one belongs
                    f.t_tag, f.group, f.begin, f.station, f.bad_time = NAT, -1, -1, 0, 0
            elif buf[at] == BACKSLASH:
                at = read_tag_block(buf, at, stop, f, names, tally)
            else:
                at = next_sentence(buf, i, at, stop, f, names, tally)
        if at == stop and at < end and not is_line_end(buf[at]):
            at = line_end(buf, at, end)
            reject(tally, LINE_TOO_LONG, base + i, at - i)
        elif not f.used and at > i:
            reject(tally, NOT_AIS, base + i, at - i)
        i = at + 1
    return min(i, end)


@kernel
def cut_after_sentence(buf, i, end):
    """Where the text can be cut behind `i` so that nothing before the cut matters after it: behind a line that begins
    with a sentence (so that no `$PGHP` waits), or at the end."""
    while i < end:
        while i < end and not is_line_end(buf[i]):
            i += 1
        while i < end and is_line_end(buf[i]):
            i += 1
        begin, at = i, i
        while at < end and buf[at] == BACKSLASH:
            at += 1
            while at < end and buf[at] != BACKSLASH and not is_line_end(buf[at]):
                at += 1
            at += buf[at] == BACKSLASH
        good = is_sentence(buf, at)
        while at < end and not is_line_end(buf[at]):
            good = good and (buf[at] != _DOLLAR or at == i)
            at += 1
        i = at
        if good and at - begin < MAX_LINE_BYTES:
            return min(at + 1, end)
    return end
