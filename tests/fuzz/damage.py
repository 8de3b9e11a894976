"""Damage of the kinds that real feeds show, done to a feed: what the fuzzer tries besides random bytes.

Every kind takes lines and gives lines. Afterwards checksums are computed anew half of the time, since otherwise nearly
everything would end at the first check.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce
from operator import xor
from random import Random

ARMOUR = b"0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw"
SENTENCE = re.compile(rb"([!$])([^*!\r\n]*)\*([0-9A-Fa-f]{2})")
TAG = re.compile(rb"\\([^*\\\r\n]*)\*([0-9A-Fa-f]{2})\\")
MMSI = 671_999_000
"""Of no ship: the numbers that everything made here carries."""
LENGTHS = {
    1: 168, 2: 168, 3: 168, 4: 168, 5: 424, 6: 136, 7: 72, 8: 120, 9: 168, 10: 72, 11: 168, 12: 120, 13: 72, 14: 88,
    15: 88, 16: 96, 17: 160, 18: 168, 19: 312, 20: 72, 21: 272, 22: 168, 23: 160, 24: 168, 25: 88, 26: 104, 27: 96,
}  # fmt: skip
"""Bits of a sound message of each type."""
NOISE = (
    b"\xff\xfejunk",
    b"\0\0\0",
    b"$GPGGA,120000,,,,,0*5B",
    b'{"class":"AIS"}',
    b"# comment",
    b"\xac\x00\x01",
    b"\x1b[0m",
)
STAMPS = (b"1538352000", b"1538352000123", b"1538352000123456", b"1538352000.25", b"0", b"9" * 19, b"-5", b"")
PREFIXES = (
    b"2020-01-01 00:00:00 ", b"2023-09-02T12:41:35.168370+00:00\t", b"1538352000123456789 ", b"10/07/19 17:36:42:075 ",
)  # fmt: skip
PGHP = b"$PGHP,1,2013,11,12,12,0,0,11,219,,2190067,1,62*26"
ENDS = (b"\n", b"\r\n", b"\r", b"\n\r", b"\n\n", b"")


def hex_sum(body: bytes) -> bytes:
    """The checksum of what stands between `!` and `*`."""
    return b"%02X" % reduce(xor, body, 0)


def armoured(bits: str) -> tuple[bytes, int]:
    """Bits as payload characters, and the number of fill bits."""
    fill = -len(bits) % 6
    bits += "0" * fill
    return bytes(ARMOUR[int(bits[k : k + 6], 2)] for k in range(0, len(bits), 6)), fill


def payload(random: Random, kind: int | None = None, n_bits: int | None = None) -> tuple[bytes, int]:
    """A message of random content: (characters, fill bits)."""
    kind = random.choice(list(LENGTHS)) if kind is None else kind
    n = LENGTHS.get(kind, 168) if n_bits is None else n_bits
    head = f"{kind & 63:06b}00{MMSI + random.randrange(1000):030b}"
    rest = max(0, n - len(head))
    return armoured((head + (f"{random.getrandbits(rest):0{rest}b}" if rest else ""))[:n])


def sentence(
    body: bytes, fill: int = 0, *, talker: bytes = b"!AIVDM", total: int = 1, part: int = 1, sequence: bytes = b"",
    channel: bytes = b"A",
) -> bytes:  # fmt: skip
    """One sound sentence."""
    text = b"%s,%d,%d,%s,%s,%s,%d" % (talker, total, part, sequence, channel, body, fill)
    return text + b"*" + hex_sum(text[1:])


def tag_block(fields: bytes) -> bytes:
    """One sound tag block."""
    return b"\\%s*%s\\" % (fields, hex_sum(fields))


def message(random: Random, kind: int | None = None) -> list[bytes]:
    """A message as one sentence or more."""
    body, fill = payload(random, kind)
    talker = random.choice((b"!AIVDM", b"!AIVDM", b"!BSVDM", b"!B2VDM", b"!AIVDO", b"$AIVDM", b"!--VDM"))
    channel = random.choice((b"A", b"B", b"1", b"2", b"C", b""))
    n = 1 if len(body) < 60 and random.random() < 0.8 else random.choice((2, 2, 2, 3, 5, 9))
    if n == 1:
        return [sentence(body, fill, talker=talker, channel=channel)]
    step = -(-len(body) // n)
    sequence = b"%d" % random.randrange(10)
    parts = [body[k * step : (k + 1) * step] for k in range(n)]
    return [
        sentence(part, fill * (k == n - 1), talker=talker, total=n, part=k + 1, sequence=sequence, channel=channel)
        for k, part in enumerate(parts)
    ]


def tagged(random: Random, lines: list[bytes]) -> list[bytes]:
    """The lines with tag blocks: time, station and group, on the first or on all."""
    group = random.choice((b"", b"9999", b"73"))
    made = []
    for k, line in enumerate(lines):
        fields = [b"s:" + random.choice((b"r003669930", b"BUSAN", b"x" * 40))]
        if k == 0 or random.random() < 0.5:
            fields.append(b"c:" + random.choice(STAMPS))
        if group:
            fields.append(b"g:%d-%d-%s" % (k + 1, len(lines), group))
        random.shuffle(fields)
        made.append(tag_block(b",".join(fields)) + line)
    return made


def insert_message(random: Random, lines: list[bytes]) -> None:
    """One more message, its parts together or spread."""
    new = message(random)
    if random.random() < 0.4:
        new = tagged(random, new)
    if random.random() < 0.3:
        random.shuffle(new)
    at = random.randrange(len(lines) + 1)
    for line in new:
        lines.insert(at, line)
        at = random.randrange(at, len(lines)) + 1 if random.random() < 0.3 else at + 1


def insert_noise(random: Random, lines: list[bytes]) -> None:
    """A line of something else, or the same glued to a line."""
    lines.insert(random.randrange(len(lines) + 1), random.choice((*NOISE, PGHP, PGHP, b"")))


def stamp(random: Random, lines: list[bytes]) -> None:
    """Something in front of a line or behind it."""
    k = random.randrange(len(lines))
    lines[k] = random.choice(
        (
            random.choice(PREFIXES) + lines[k],
            lines[k] + b",rFOO," + random.choice(STAMPS),
            tag_block(b"c:" + random.choice(STAMPS)) + lines[k],
            random.choice(NOISE) + lines[k],
            lines[k] + random.choice(NOISE),
        )
    )


def shuffle_lines(random: Random, lines: list[bytes]) -> None:
    """Two lines change places, one is doubled, one is lost, or two are glued."""
    a, b = random.randrange(len(lines)), random.randrange(len(lines))
    act = random.randrange(4)
    if act == 0:
        lines[a], lines[b] = lines[b], lines[a]
    elif act == 1:
        lines.insert(b, lines[a])
    elif act == 2 and len(lines) > 1:
        del lines[a]
    else:
        lines[a] += lines[b]


def change_field(random: Random, lines: list[bytes]) -> None:
    """A field of a sentence becomes another."""
    k = random.randrange(len(lines))
    fields = lines[k].split(b",")
    at = random.randrange(len(fields))
    fields[at] = random.choice((b"", b"0", b"1", b"2", b"9", b"10", b"A", b"-1", b"9" * 20, b"\xff", fields[at] * 2))
    lines[k] = b",".join(fields)


def change_byte(random: Random, lines: list[bytes]) -> None:
    """A byte becomes another, is lost, or is doubled."""
    k = random.randrange(len(lines))
    line = lines[k]
    if line:
        at = random.randrange(len(line))
        new = bytes([random.choice((*b"!$\\*,0~`[X\0\r\n", random.randrange(256)))])
        lines[k] = line[:at] + random.choice((new, b"", line[at : at + 1] * 2)) + line[at + 1 :]


def cut_line(random: Random, lines: list[bytes]) -> None:
    """A line is cut short, at its front or at its end."""
    k = random.randrange(len(lines))
    at = random.randrange(len(lines[k]) + 1)
    lines[k] = lines[k][:at] if random.random() < 0.6 else lines[k][at:]


def stretch(random: Random, lines: list[bytes]) -> None:
    """A payload that is too long, a line without end, or many parts."""
    k = random.randrange(len(lines))
    times = random.choice((2, 3, 20))
    lines[k] = random.choice((lines[k] * times, sentence(payload(random)[0] * times), b"!" * 40 * times))


KINDS: tuple[Callable[[Random, list[bytes]], None], ...] = (
    insert_message, insert_message, insert_noise, stamp, shuffle_lines, change_field, change_byte, change_byte,
    cut_line, stretch,
)  # fmt: skip


def summed(data: bytes) -> bytes:
    """All checksums computed anew."""
    data = TAG.sub(lambda m: tag_block(m[1]), data)
    return SENTENCE.sub(lambda m: m[1] + m[2] + b"*" + hex_sum(m[2]), data)


def damaged(data: bytes, seed: int, max_size: int = 4096) -> bytes:
    """The feed with one to four kinds of damage; the same for the same seed."""
    random = Random(seed)
    lines = re.split(rb"[\r\n]+", data.rstrip(b"\r\n"))
    for _ in range(random.choice((1, 1, 2, 4))):
        random.choice(KINDS)(random, lines)
        lines = lines or [b""]
    end = random.choice(ENDS[:2])
    text = b"".join(line + (end if random.random() < 0.9 else random.choice(ENDS)) for line in lines)
    if random.random() < 0.5:
        text = summed(text)
    return text[:max_size]


def feed(seed: int, n: int = 4) -> bytes:
    """A small feed of made-up messages."""
    random = Random(seed)
    lines: list[bytes] = []
    for _ in range(n):
        insert_message(random, lines)
    return b"\n".join(lines) + b"\n"


def with_our_mmsi(data: bytes) -> bytes:
    """A real feed with the MMSI of every first part replaced by one of no ship, checksums computed anew."""

    def changed(match: re.Match[bytes]) -> bytes:
        fields = match[2].split(b",")
        if len(fields) < 7 or fields[2] != b"1" or len(fields[5]) < 7 or any(c not in ARMOUR for c in fields[5]):
            return match[0]
        bits = "".join(f"{ARMOUR.index(c):06b}" for c in fields[5][:7])
        ours = f"{MMSI + int(bits[8:38], 2) % 1000:030b}"
        fields[5] = armoured(bits[:8] + ours + bits[38:])[0] + fields[5][7:]
        text = b",".join(fields)
        return match[1] + text + b"*" + hex_sum(text)

    return SENTENCE.sub(changed, data)
