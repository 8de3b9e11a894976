"""Parts to messages, and the guards against ships that do not exist.

Parts are joined when talker, channel, sequence id and number of parts agree, and the tag block's station and group
where both carry one. A part waits for at most 1,000 sentences and, where times are known, 10 seconds: sequence ids are
used again soon, and two half-lost messages joined together are a ship that does not exist (each of four decoders that
were given the lines A1, B2 made one up). Parts out of order are joined only within 4 sentences of each other, and not
before 4 more have passed (whatever the group says: one gateway gives 9999 to all): of B2, A1, A2 with B1 lost, A1
belongs to A2. And a joined type 5 is doubted where the padding of its last text changes between `@` and other
characters just where the parts meet: each ship pads its texts in one way (13 of 3,830 real messages are doubted).
"""

from __future__ import annotations

import numpy as np

from ais.records import REASON_COUNT, count_message, doubtful, reject, unsigned, verdict
from ais.sentences import MAX_PARTS, PART_WORDS
from ais.status import DUPLICATE, EMPTY_PAYLOAD, IMPLAUSIBLE, INCOMPLETE_MESSAGE, OK, ORPHAN_FRAGMENT
from ais.table import NAT
from geo.kernel import inner, kernel

SLOTS = 256
"""Messages that can wait for their parts at once; more than any feed has open, and a bound on memory."""
MAX_WAIT_SENTENCES = 1_000
MAX_WAIT_US = 10_000_000
MAX_REORDER_SENTENCES = 4
_PROBES = 16
JOINED_WORDS = MAX_PARTS * PART_WORDS + 2
"""Words that one joined message can need."""

WAITING = np.dtype(
    [
        ("key", "i8"),  # 0: free
        ("t", "i8"),
        ("offset", "i8"),
        ("number", "i8"),  # of the sentence that opened it
        ("early", "i8"),  # number of the first sentence that came before an earlier part, -1 none
        ("due", "i8"),  # number of the sentence at which it is whole without all parts in order, -1 none
        ("in_order", "i4"),  # bit mask of the parts before which all others had come
        ("bytes", "i8"),
        ("held", "i4"),  # bit mask of the parts that are here
        ("group", "i4"),
        ("station", "u4"),
        ("n_bytes", "u4"),
        ("done", "u1"),  # 1: the message was handed out, its parts are kept to know their copies
        ("status", "u1", (MAX_PARTS,)),
        ("n_bits", "i4", (MAX_PARTS,)),
        ("words", "u8", (MAX_PARTS, PART_WORDS)),
    ],
    align=True,
)
"""A message that waits for parts."""

JOINING = np.dtype([("number", "i8"), ("row", "i8"), ("dead", "i8"), ("due", "i8"), ("t", "i8")], align=True)
"""What to add to the numbers of the rows; the next row to look at, the rows that are no message, the slots that are
whole but wait, and the last time that was known."""

_LOW_48 = np.uint64((1 << 48) - 1)


@inner
def count_parts(mask):
    """How many parts a waiting message holds."""
    n = 0
    while mask:
        n += mask & 1
        mask >>= 1
    return n


@inner
def give_up(slot, joining, tally):
    """Count the parts of a message that will not be whole, and free its slot."""
    if slot.key != 0 and slot.done == 0:
        reason = INCOMPLETE_MESSAGE if slot.held & 1 else ORPHAN_FRAGMENT
        for _ in range(count_parts(slot.held)):
            reject(tally, reason, slot.offset, slot.bytes)
            slot.bytes = 0
        if slot.due >= 0:
            joining[0].due -= 1
    slot.key = 0


@kernel
def give_up_all(joining, slots, tally):
    """The same for all that wait, in the order of their slots."""
    for k in range(slots.size):
        give_up(slots[k], joining, tally)


@inner
def open_slot(slot, row, key, number):
    """Begin a message with this part."""
    slot.key, slot.t, slot.number, slot.early, slot.due = key, NAT, number, -1, -1
    slot.offset, slot.n_bytes, slot.bytes = row.offset, row.n_bytes, 0
    slot.held, slot.in_order, slot.group, slot.station = 0, 0, row.group, row.station
    slot.done = 0


@inner
def find_slot(row, number, t, joining, slots, tally):
    """The slot of a part's message: its own, a free one, or the oldest of its neighbourhood (its parts are counted)."""
    key = np.int64(row.sequence) | np.int64(row.channel) << 8 | np.int64(row.talker) << 16 | np.int64(row.n_parts) << 32
    home = (key ^ key >> 17 ^ key >> 29) * 0x9E3779B1 >> 11
    best, best_age = home & (SLOTS - 1), -1
    for probe in range(_PROBES):
        at = (home + probe) & (SLOTS - 1)
        slot = slots[at]
        age = number - slot.number
        if slot.key != 0:
            late = t != NAT and slot.t != NAT and abs(t - slot.t) > MAX_WAIT_US
            if late or age > MAX_WAIT_SENTENCES:
                give_up(slot, joining, tally)
        same_group = slot.group == row.group or slot.group < 0 or row.group < 0
        same_station = slot.station == row.station or slot.station == 0 or row.station == 0
        if slot.key == key and same_group and same_station:
            return at
        if slot.key == 0 or slot.done:
            age += 2 * MAX_WAIT_SENTENCES if slot.key == 0 else MAX_WAIT_SENTENCES
        if age > best_age:
            best, best_age = at, age
    give_up(slots[best], joining, tally)
    open_slot(slots[best], row, key, number)
    return best


@inner
def is_same_part(slot, part, row, words):
    """Does the slot hold this very part?"""
    same = slot.held >> part & 1 and slot.n_bits[part] == row.n_bits
    for k in range((row.n_bits + 47) // 48):
        same = same and slot.words[part, k] == words[row.words + k]
    return same


@inner
def add_part(row, number, words, joining, slots, tally):
    """Put a part in its place; the slot when its message is whole, else -1."""
    t = row.t if row.t != NAT else joining[0].t  # later parts often carry no time
    at = find_slot(row, number, t, joining, slots, tally)
    slot = slots[at]
    key, part = slot.key, np.int64(row.part) - 1
    bit, all_parts = 1 << part, (1 << np.int64(row.n_parts)) - 1
    if is_same_part(slot, part, row, words) and not (slot.done and part == 0):
        reject(tally, DUPLICATE, row.offset, row.n_bytes)
        return -1
    replaced = slot.held & bit and not slot.in_order & bit and slot.in_order == bit - 1
    if slot.done or (slot.held & bit and not replaced):  # what was waiting is of an older message
        give_up(slot, joining, tally)
        open_slot(slot, row, key, number)
    elif slot.early >= 0 and (replaced or number - slot.early > MAX_REORDER_SENTENCES):
        drop_early(slot, joining, tally)
    if slot.in_order == bit - 1:
        slot.in_order |= bit
    elif slot.early < 0:
        slot.early = number
    keep_part(slot, part, t, row, words)
    if slot.held != all_parts:
        return -1
    if slot.in_order == all_parts:
        return at
    if slot.due < 0:
        slot.due = number + MAX_REORDER_SENTENCES
        joining[0].due += 1
    return -1


@inner
def drop_early(slot, joining, tally):
    """The parts that came before an earlier one were of another message."""
    for _ in range(count_parts(slot.held & ~slot.in_order)):
        reject(tally, ORPHAN_FRAGMENT, slot.offset, 0)
    slot.held, slot.early = slot.in_order, -1
    if slot.due >= 0:
        slot.due = -1
        joining[0].due -= 1


@inner
def keep_part(slot, part, t, row, words):
    """Copy a part, and what its sentence says of the whole; the first part knows best."""
    if part == 0:
        slot.offset, slot.n_bytes = row.offset, row.n_bytes
    if slot.t == NAT or part == 0:
        slot.t = t
    if slot.group < 0 or part == 0:
        slot.group = row.group
    if slot.station == 0 or part == 0:
        slot.station = row.station
    slot.bytes += row.n_bytes
    slot.held |= 1 << part
    slot.n_bits[part], slot.status[part] = row.n_bits, row.status
    for k in range((row.n_bits + 47) // 48):
        slot.words[part, k] = words[row.words + k]


@inner
def next_due(joining, slots, number):
    """The slot whose message is whole, though not in order, and has waited longest until `number`; -1 none."""
    best = -1
    if joining[0].due > 0:
        for at in range(slots.size):
            slot = slots[at]
            is_due = slot.key != 0 and slot.done == 0 and 0 <= slot.due <= number
            if is_due and (best < 0 or slot.due < slots[best].due):
                best = at
    return best


@inner
def join_words(slot, n_parts, words, first):
    """The characters of all parts one after the other as words from `first` on: bits, characters of part one."""
    n, seam, fill = 0, 0, 0
    words[first] = 0
    for part in range(n_parts):
        size = (slot.n_bits[part] + 5) // 6  # whole characters: the fill bits are of the last one
        fill = 6 * size - slot.n_bits[part]
        place, shift = first + n // 8, np.uint64(6 * (n % 8))
        for k in range((size + 7) // 8):
            word = slot.words[part, k]
            words[place + k] |= word >> shift
            words[place + k + 1] = word << (np.uint64(48) - shift) & _LOW_48
        n += size
        if part == 0:
            seam = size
    return max(0, 6 * n - fill), seam


@inner
def seam_fits(words, first, seam):
    """Is the last text of a type 5 (20 characters from bit 302) padded alike on both sides of the seam?

    Not alike: `@` before it and other characters after it, or a space before it and nothing but `@` from there on.
    """
    crossing = (6 * seam - 302) // 6  # the last character that the first part reaches into
    if crossing < 1 or crossing > 18:
        return True
    only_at = True
    for k in range(crossing + 1, 20):
        only_at = only_at and unsigned(words, first, 302 + 6 * k, 6) == 0
    before = unsigned(words, first, 302 + 6 * (crossing - 1), 6)
    if before == 0:
        return only_at
    return not (only_at and unsigned(words, first, 302 + 6 * crossing, 6) == 32)


@inner
def take_message(slot, row, feed, words, types, tally):
    """The whole message of a slot into `row`; is it handed out?"""
    f = feed[0]
    n_parts = slot.key >> 32
    row.part, row.talker = n_parts, slot.key >> 16 & 0xFFFF
    row.channel, row.sequence = slot.key >> 8 & 0xFF, slot.key & 0xFF
    row.words, row.n_parts = f.words, n_parts
    row.n_bits, seam = join_words(slot, n_parts, words, f.words)
    row.t, row.offset, row.n_bytes = slot.t, slot.offset, slot.n_bytes
    row.station, row.group = slot.station, slot.group
    tally[OK, REASON_COUNT] += n_parts - 1
    reason = verdict(row, words) if row.n_bits > 0 else EMPTY_PAYLOAD
    if reason == OK and row.msg_type == 5 and not seam_fits(words, row.words, seam):
        reason = IMPLAUSIBLE
    row.status = OK
    for part in range(n_parts):
        if slot.status[part] != OK and not doubtful(row.status):  # a doubt says more than a time that is not believed
            row.status = slot.status[part]
    if reason != OK:
        reject(tally, reason, slot.offset, slot.bytes)
        if f.policy == 0 or not doubtful(reason):
            return False
        if f.policy == 1 and not doubtful(row.status):
            row.status = reason
    f.words += (row.n_bits + 47) // 48 + 1
    count_message(row, types)
    return True


@kernel
def join(joining, feed, rows, words, slots, spare, types, tally):
    """Join the parts among the rows: a message stands in the row of a part, mostly its last one; the rows of the others
    have the type 0. Stops early, at the row `joining.row`, where `words` is full."""
    j = joining[0]
    n = feed[0].rows
    while j.row < n and feed[0].words + 2 * JOINED_WORDS <= words.size:
        row = rows[j.row]
        row.number += j.number
        j.row += 1
        if row.t != NAT:
            j.t = row.t
        if row.n_parts > 1:
            due = next_due(joining, slots, row.number)
            part = row
            if due >= 0:  # a message that waited takes this row; what the part completes waits for the next one
                spare[0] = row
                part = spare[0]
                if not take_slot(slots[due], row, joining, feed, words, types, tally):
                    due = -1
            at = add_part(part, part.number, words, joining, slots, tally)
            if at >= 0 and due >= 0:
                slots[at].due = part.number
                j.due += 1
            elif due < 0 and (at < 0 or not take_slot(slots[at], row, joining, feed, words, types, tally)):
                row.msg_type = 0
                j.dead += 1


@inner
def take_slot(slot, row, joining, feed, words, types, tally):
    """The message of a slot into `row`; is it handed out?"""
    if slot.due >= 0:
        joining[0].due -= 1
        slot.due = -1
    slot.done = 1
    return take_message(slot, row, feed, words, types, tally)


@kernel
def take_due(joining, feed, rows, words, slots, types, tally):
    """At the end of a feed: the messages that are whole, though not in order."""
    f = feed[0]
    f.rows = f.words = 0
    while f.rows < rows.size and f.words + JOINED_WORDS <= words.size:
        at = next_due(joining, slots, 1 << 62)
        if at < 0:
            break
        row = rows[f.rows]
        row.number, row.copy_of = f.number + f.rows, -1
        f.rows += take_slot(slots[at], row, joining, feed, words, types, tally)
