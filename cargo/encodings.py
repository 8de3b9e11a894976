"""Which encoding a text file is in, told by its bytes.

UTF-8 proves itself: text in another encoding hardly ever keeps its rules. The others are told apart by how their
bytes come: Russian words are runs of letters of which ten make up two thirds, accents of western Europe stand alone
between ASCII letters, Korean and Chinese characters are pairs of bytes, of which the first keeps to other ranges. Where
that does not suffice, nothing is guessed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ais.unpack import file_of, open_bytes
from geo.errors import InputError

NAMES = ("utf-8", "utf-16-le", "utf-16-be", "cp1251", "koi8_r", "cp866", "cp949", "gb18030", "cp1252", "latin-1")
"""Encodings that are read."""

_BLOCK = 1 << 20
_SAMPLE_LINES = 2_000
_HIGH = re.compile(rb"[\x80-\xff]+")
_PAIRS = re.compile(rb"[\x81-\xfe][\x41-\xfe]")
_COMMON_RUSSIAN = frozenset("оеаинтсрвл")
_LETTERS_ENOUGH = 6
"""Bytes beyond ASCII below which nothing is told from them."""


class Encoding(NamedTuple):
    """`name` for Python, the `evidence` in words, lines that are in none or another encoding, SHA-256 of the file."""

    name: str
    evidence: str
    bad_lines: int
    sha256: str


class _Seen:
    """What the lines of a file are, as far as read."""

    def __init__(self) -> None:
        self.lines = self.utf8 = self.other = 0
        self.first_other = (0, b"")
        self.sample: list[bytes] = []
        self._rest = b""

    def add(self, block: bytes) -> None:
        """Look at the next bytes."""
        if not self._rest and block.isascii():
            self.lines += block.count(b"\n")
            return
        *lines, self._rest = (self._rest + block).split(b"\n")
        if len(self._rest) > _BLOCK:
            self._rest = self._rest[-16:]
        for line in lines:
            self._line(line)
        if self._rest.isascii():
            self._rest = b""

    def end(self) -> None:
        """Look at the last line."""
        self._line(self._rest)
        self._rest = b""

    def _line(self, line: bytes) -> None:
        self.lines += 1
        if line.isascii():
            return
        try:
            line.decode("utf-8")
            self.utf8 += 1
        except UnicodeDecodeError:
            if not self.other:
                self.first_other = (self.lines, line)
            self.other += 1
            if len(self.sample) < _SAMPLE_LINES:
                self.sample.append(line)


def encoding_of(path: str | Path, told: str = "") -> Encoding:
    """The encoding of a text file, packed or not; `told` is taken as given.

    Raises
    ------
    InputError
        The file cannot be opened, or its encoding cannot be told.
    """
    seen, sha = _Seen(), hashlib.sha256()
    with open_bytes(path) as reader:
        plain = reader.packing == "plain"
        head = reader.head()
        for block in _blocks(reader):
            if plain:
                sha.update(block)
            if not told:
                seen.add(block)
    digest = sha.hexdigest() if plain else _digest(file_of(path))
    if told:
        return Encoding(told, "as the mapping says", 0, digest)
    if wide := _utf16(head):
        return Encoding(*wide, 0, digest)
    if b"\0" in head[:4096]:
        raise InputError(f"{path}: line 1: not text (NUL bytes in it); save the table as CSV in UTF-8")
    seen.end()
    return Encoding(*_decide(path, seen), digest)


def _blocks(reader: object) -> Iterator[bytes]:
    buffer = bytearray(_BLOCK)
    while n := reader.readinto(memoryview(buffer)):  # type: ignore[attr-defined]
        yield bytes(buffer[:n])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _utf16(head: bytes) -> tuple[str, str] | None:
    """UTF-16 and how it is known, or None."""
    for mark, name in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if head.startswith(mark):
            return name, "byte-order mark"
    half = max(len(head) // 2, 1)
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        zero, others = head[first::2].count(0), head[1 - first :: 2].count(0)
        if zero > 0.4 * half and not others:
            return name, "every second byte is zero"
    return None


def _decide(path: str | Path, seen: _Seen) -> tuple[str, str, int]:
    """Name, evidence and number of lines in another encoding."""
    if not seen.other:
        return "utf-8", f"{seen.utf8:,} lines with multi-byte characters" if seen.utf8 else "ASCII only", 0
    if seen.utf8 > seen.other:
        return "utf-8", f"{seen.utf8:,} lines with multi-byte characters, {seen.other:,} lines are not", seen.other
    if found := legacy_encoding(b"\n".join(seen.sample)):
        return found[0], found[1], 0
    line, data = seen.first_other
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        at, byte = error.start, data[error.start]
    raise InputError(
        f"{path}: line {line}: byte {at + 1}: not UTF-8 (0x{byte:02x}), and no other encoding can be told from it; "
        'save as UTF-8, or give a mapping with encoding = "cp1252" (or another)'
    )


def legacy_encoding(sample: bytes) -> tuple[str, str] | None:
    """The encoding of text that is not UTF-8, and how it is known; None where that cannot be told.

    >>> legacy_encoding("Легковой автомобиль, седан".encode("cp1251"))[0]
    'cp1251'
    >>> legacy_encoding("승용자동차 벤츠 배기량".encode("cp949"))[0], legacy_encoding(b"caf\\xe9")
    ('cp949', None)
    """
    runs = _HIGH.findall(sample)
    n = sum(map(len, runs))
    if n < _LETTERS_ENOUGH:
        return None
    alone = sum(len(run) == 1 for run in runs) / len(runs)
    if alone > 0.8:
        return _western(sample)
    return _russian(sample, n) or _pairs(sample, runs)


def _western(sample: bytes) -> tuple[str, str] | None:
    """Windows or ISO western: single bytes beyond ASCII, letters before or after."""
    high = len(_HIGH.findall(sample))
    beside = len(re.findall(rb"(?:(?<=[A-Za-z])[\xc0-\xff]|[\xc0-\xff](?=[A-Za-z]))", sample))
    icelandic = len(re.findall(rb"[\xd0\xdd\xde\xf0\xfd\xfe]", sample))  # in Turkish encodings other letters
    if beside < 0.9 * high or icelandic > 0.05 * high:
        return None
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1", "accented letters stand alone between ASCII letters"
    return "cp1252", "accented letters stand alone between ASCII letters"


def _russian(sample: bytes, n: int) -> tuple[str, str] | None:
    """The Cyrillic encoding in which the letters are as frequent as in Russian."""
    best, share = "", 0.0
    for name in ("cp1251", "koi8_r", "cp866"):
        letters = [c for c in sample.decode(name, "replace").lower() if ord(c) > 127]
        common = sum(c in _COMMON_RUSSIAN for c in letters) / max(len(letters), 1)
        if common > share:
            best, share = name, common
    if share < 0.5 or n < _LETTERS_ENOUGH:
        return None
    return best, f"{share:.0%} of the letters beyond ASCII are the ten most frequent of Russian"


def _pairs(sample: bytes, runs: list[bytes]) -> tuple[str, str] | None:
    """Korean or Chinese: pairs of bytes whose first ones keep to the Hangul of KS X 1001, or to GB 2312."""
    if sum(len(run) % 2 == 0 for run in runs) < 0.9 * len(runs):
        return None
    leads = [pair[0] for pair in _PAIRS.findall(sample) if pair[0] >= 0xB0]
    if len(leads) < _LETTERS_ENOUGH // 2:
        return None
    hangul = sum(0xB0 <= lead <= 0xC8 for lead in leads) / len(leads)
    if hangul > 0.93 and _decodes(sample, "cp949"):
        return "cp949", f"{hangul:.0%} of the pairs of bytes are in the range of Hangul"
    if hangul < 0.8 and _decodes(sample, "gb18030"):
        return "gb18030", f"pairs of bytes over all of GB 2312 ({hangul:.0%} in the range of Hangul)"
    return None


def _decodes(sample: bytes, name: str) -> bool:
    """Whether nearly every line decodes."""
    lines = sample.split(b"\n")
    return sum("\ufffd" not in line.decode(name, "replace") for line in lines) >= 0.95 * len(lines)
