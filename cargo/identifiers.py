"""Numbers and names on shipping papers: check digits, placeholders, and ship names that may be compared.

A check digit tells a typing error from a number that may exist; it never shows that the number was issued.
Sources: IMO Resolution A.1117(30) (ship numbers), ISO 6346 (containers), ISO 3779 with 49 CFR 565 (VIN).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_LETTERS_6346 = {chr(65 + i): value for i, value in enumerate(v for v in range(10, 39) if v % 11)}
_VALUES_6346 = np.full(256, -1, np.int64)
for _sign, _value in [*_LETTERS_6346.items(), *((str(digit), digit) for digit in range(10))]:
    _VALUES_6346[ord(_sign)] = _value
_VIN_VALUES = {
    **{str(d): d for d in range(10)},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMN", range(1, 6), strict=True)),
    "P": 7,
    "R": 9,
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_CHECKED_REGIONS = "12345L"  # the check digit is mandatory in North America and China only
_HS_LENGTHS = (2, 4, 6, 8, 9, 10, 11, 12)
"""Chapter, heading, subheading, and what states make of it: 8 (EU), 9 (Japan), 10 (US), 11 (Germany), 12 (Türkiye)."""

_MISSING = re.compile(
    r"[-.?]*|N ?/?\.? ?A\.?|NONE|NULL|NIL|UNKNOWN|TB[ACD]|TO BE ADVISED|NOT (?:AVAILABLE|APPLICABLE)|REDACTED|"
    r"NOT (?:DECLARED|SPECIFIED|PROVIDED|STATED)|WITHHELD|CONFIDENTIAL|"
    r"(?:SAME AS|AS PER|SEE) (?:THE )?(?:ABOVE )?(?:CONSIGNEE|SHIPPER|NOTIFY(?: PARTY)?)|SAME AS ABOVE"
)
_TO_ORDER = re.compile(r"(?:UN)?TO (?:THE )?ORDER\b.*|ORDER(?: OF\b.*)?|A LA ORDEN\b.*|À ORDEM\b.*|凭指示.*|지시식.*")
_SHIP_PREFIX = re.compile(r"^\s*(?:M\s?[./]?\s?[VTS]|F\s?[./]\s?V|S\s?[./]\s?S)\.?\s+(?=\S)")
_ROMAN = re.compile(r"(?=.)X{0,2}(?:IX|IV|V?I{0,3})")


def container_valid(number: str) -> bool:
    """Whether a container number has the form of ISO 6346 (four letters, seven digits) and the right last digit.

    >>> container_valid("LXWU0000012"), container_valid("LXWU0000011"), container_valid("LOOSE")
    (True, False, False)
    """
    if not re.fullmatch(r"[A-Z]{4}[0-9]{7}", number):
        return False
    total = sum((_LETTERS_6346.get(c) or int(c)) << i for i, c in enumerate(number[:10]))
    return total % 11 % 10 == int(number[10])


def containers_valid(numbers: Sequence[str]) -> NDArray[np.bool_]:
    """`container_valid` of each of many numbers, (n,) bool.

    >>> containers_valid(["LXWU0000012", "LXWU0000011", "LOOSE"]).tolist()
    [True, False, False]
    """
    valid = np.zeros(len(numbers), bool)
    fitting = [i for i, number in enumerate(numbers) if len(number) == 11 and number.isascii()]
    signs = np.frombuffer("".join([numbers[i] for i in fitting]).encode(), np.uint8).reshape(-1, 11)
    values = _VALUES_6346[signs]
    formed = (values[:, :4] >= 10).all(axis=1) & ((values[:, 4:] >= 0) & (values[:, 4:] < 10)).all(axis=1)
    right = values[:, :10] @ (1 << np.arange(10)) % 11 % 10 == values[:, 10]
    valid[fitting] = formed & right
    return valid


def containers_of(text: str) -> tuple[str, str]:
    """The containers of a cell with several, sorted and with spaces between, and what is wrong, "" where each is right.

    Commas, semicolons, slashes, bars, spaces or line breaks may keep them apart; a number may be "LXWU 000001-2".

    >>> containers_of("LXWU0000012; LXWU 000002-8"), containers_of("LXWU0000012/LXWU0000011")
    (('LXWU0000012 LXWU0000028', ''), ('', 'the check digit of LXWU0000011 is wrong'))
    >>> containers_of("LXWU0000012, part of a load")
    ('', 'there is other text beside the numbers')
    """
    plain = text.upper()
    found = re.findall(r"(?<![A-Z0-9])([A-Z]{4})[\s./-]?(\d{6})[\s./-]?(\d)(?![A-Z0-9])", plain)
    numbers = list(dict.fromkeys("".join(parts) for parts in found))
    if len(re.sub(r"[^A-Z0-9]", "", plain)) != 11 * len(found):
        return "", "there is other text beside the numbers"
    if wrong := [number for number in numbers if not container_valid(number)]:
        return "", f"the check digit of {wrong[0]} is wrong"
    return " ".join(sorted(numbers)), ""


def vin_doubt(vin: str) -> str:
    """Why a vehicle identification number is doubtful, or "" where nothing speaks against it.

    Only form and, where the maker's region prescribes it, the check digit (position 9, modulo 11, X for 10) are
    looked at: many European numbers carry none.

    >>> vin_doubt("1M8GDM9AXKP042788"), vin_doubt("1M8GDM9A1KP042788"), vin_doubt("ZZX00000000000001")
    ('', 'check digit 1 should be X', '')
    """
    if not re.fullmatch(r"[A-HJ-NPR-Z0-9]{17}", vin):
        return "not 17 letters and digits without I, O and Q"
    if vin[0] not in _VIN_CHECKED_REGIONS:
        return ""
    rest = sum(_VIN_VALUES[c] * w for c, w in zip(vin, _VIN_WEIGHTS, strict=True)) % 11
    expected = "X" if rest == 10 else str(rest)
    return "" if vin[8] == expected else f"check digit {vin[8]} should be {expected}"


def hs_digits(text: str) -> str:
    """An HS code as its digits, "" unless there are 2, 4, 6 or 8 to 12 (a lost leading zero is not guessed).

    >>> hs_digits("8703.24"), hs_digits("8703 24 119"), hs_digits("70324"), hs_digits("car")
    ('870324', '870324119', '', '')
    """
    digits = re.sub(r"[\s.\-]", "", text)
    return digits if digits.isascii() and digits.isdigit() and len(digits) in _HS_LENGTHS else ""


def lost_zeros(codes: Iterable[str]) -> frozenset[int]:
    """Lengths (9, 11) whose codes in a column may have lost their first zero: those with longer ones beside them.

    A code of chapters 01 to 09 with ten digits that went through a spreadsheet has nine, as national codes have.

    >>> sorted(lost_zeros(["870324119", "8703241190"])), sorted(lost_zeros(["870324119", "870323"]))
    ([9], [])
    """
    lengths = {len(code) for code in codes}
    return frozenset(n for n in (9, 11) if n in lengths and n + 1 in lengths)


def is_missing(text: str) -> bool:
    """Whether a cell only says that there is nothing to say.

    `TO ORDER` is not in the list: that a party is hidden behind an order bill is itself something to know.

    >>> is_missing(" n/a "), is_missing("Same as consignee"), is_missing("TO ORDER"), is_missing("DASH")
    (True, True, False, False)
    """
    if len(text) > 100 or text[-1:].isdigit():  # no word of these ends so
        return False
    return _MISSING.fullmatch(" ".join(text.upper().split())) is not None


def is_to_order(text: str) -> bool:
    """Whether a consignee is only an order: the bill goes to whom the shipper, a bank or its holder names.

    >>> is_to_order("TO ORDER"), is_to_order("To the order of Example Bank"), is_to_order("Order Logistics Ltd")
    (True, True, False)
    """
    return _TO_ORDER.fullmatch(" ".join(text[:200].upper().split())) is not None


def bl_key(number: str) -> str:
    """A bill-of-lading number for comparison: capitals and digits only, the letter O as zero.

    >>> bl_key("lxbl-00 1O") == bl_key("LXBL0010")
    True
    """
    return "" if is_missing(number) else re.sub(r"[^A-Z0-9]", "", number.upper()).replace("O", "0")


@lru_cache(maxsize=65_536)
def plain_text(text: str) -> str:
    """A text for comparison: capitals without accents, punctuation as single spaces.

    >>> plain_text("  Société  Navale, S.A. ")
    'SOCIETE NAVALE S A'
    """
    folded = unicodedata.normalize("NFKD", text)
    letters = "".join(c for c in folded if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", letters.upper()))


@lru_cache(maxsize=65_536)
def ship_key(name: str) -> str:
    """A ship's name for exact comparison: capitals without spaces, M/V and accents, numerals kept apart.

    Numerals must match exactly: of the pairs of different listed ships that are one edit apart, nine in ten differ
    only in a numeral. A name is never compared by likeness.

    >>> ship_key("M/V Chon Ma San 1") == ship_key("CHONMASAN 1"), ship_key("CHON MA SAN 2")
    (True, 'CHONMASAN|2')
    >>> ship_key("OCEAN II"), ship_key("Ocean 2"), ship_key("BILLIONS No. 18")
    ('OCEAN|II', 'OCEAN|2', 'BILLIONS|18')
    """
    folded = unicodedata.normalize("NFKD", name.replace("@", " "))
    letters = "".join(c for c in folded if not unicodedata.combining(c)).upper()
    words = re.findall(r"[^\W\d_]+|\d+", _SHIP_PREFIX.sub("", letters))
    parts: list[str] = []
    for i, word in enumerate(words):
        following = words[i + 1] if i + 1 < len(words) else ""
        if word == "NO" and following.isdigit():
            continue
        numeral = word.isdigit() or (i > 0 and not following and _ROMAN.fullmatch(word) is not None)
        glued = bool(parts) and not numeral and not parts[-1].isdigit()
        if glued:
            parts[-1] += word
        else:
            parts.append(word)
    return "|".join(parts)
