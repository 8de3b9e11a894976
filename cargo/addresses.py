"""Postal addresses, compared by their numbers and words; one without a number is a place, and confirms nothing."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from cargo.identifiers import is_missing
from cargo.party_names import clean_text, latin

MAX_ADDRESS = 500
"""Characters; what is longer is no address."""
_WORD_ALIKE = 0.8
"""Two words are one with one letter in five wrong."""
_LETTERS_ALIKE = 0.8
"""Two addresses are one where so much of the shorter one's letters is found in the other."""

_SIGNS = tuple(
    (re.compile(pattern), word)
    for pattern, word in (
        ("(?:股份)?[号號]", " "),
        ("[省市區区県道]", " "),
        ("[路]", " ROAD "),
        ("[街]", " STREET "),
        ("[楼樓階]", " FLOOR "),
        ("[室]", " ROOM "),
        (r"(?<=[가-힣])(?:특별시|광역시|시|구|동)(?=[\s,\d]|$)", " "),
        (r"(?<=[가-힣])(?:로|길)(?=[\s,\d]|$)", " ROAD "),
        (r"번지|번길|호(?=[\s,]|$)", " "),
        (r"층", " FLOOR "),
        (r"\b[Уу][Лл](?:ица)?\b\.?", " STREET "),
        (r"\b[Дд](?:ом)?\b\.", " "),
        (r"\b[Гг]\.", " "),
    )
)
_WORDS = {
    **dict.fromkeys(("ST", "STR", "STRASSE", "ULITSA", "UL", "JIE", "DAE"), "STREET"),
    **dict.fromkeys(("RD", "LU", "RO", "GIL"), "ROAD"),
    **dict.fromkeys(("AVE", "AV", "AVENIDA", "PROSPEKT", "PR"), "AVENUE"),
    **dict.fromkeys(("F", "FL", "FLR", "FLOORS"), "FLOOR"),
    **dict.fromkeys(("RM", "OFFICE", "SUITE", "STE", "UNIT", "FLAT"), "ROOM"),
    **dict.fromkeys(("BLDG", "BLD", "BUILDING", "TOWER", "PLAZA", "CENTRE", "CENTER"), "BUILDING"),
    **dict.fromkeys(("NO", "NR", "HAO", "SHI", "SI", "QU", "GU", "DONG", "SHENG", "DISTRICT", "DIST", "CITY"), ""),
    **dict.fromkeys(("PROVINCE", "THE", "OF", "AND", "P", "O"), ""),
}
_GENERIC = frozenset(("STREET", "ROAD", "AVENUE", "FLOOR", "ROOM", "BUILDING"))
_CHINA = (("china",), ("prchina",), ("prc",))
"""Written on papers for the People's Republic alone."""


class Address(NamedTuple):
    """Words sorted, numbers sorted."""

    words: tuple[str, ...]
    numbers: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Whether it says more than a town: two words and a number."""
        return bool(self.numbers) and len(self.words) > 1

    @property
    def key(self) -> str:
        """Equal for two ways of writing one address; "" where it is not exact."""
        return " ".join((*self.words, *self.numbers)) if self.exact else ""


@lru_cache(maxsize=1 << 16)
def address(text: str) -> Address:
    """An address taken apart; empty for a placeholder and for a text that is too long to be one.

    >>> address("Rm. 1201, No.26 Renmin Rd, Zhongshan Dist., Dalian")
    Address(words=('DALIAN', 'RENMIN', 'ROAD', 'ROOM', 'ZHONGSHAN'), numbers=('1201', '26'))
    >>> address("大连市中山区人民路26号").key
    'DALIAN RENMIN ROAD ZHONGSHAN 26'
    """
    if len(text) > MAX_ADDRESS or is_missing(text):
        return Address((), ())
    text = clean_text(text)
    if not text.isascii():
        for pattern, word in _SIGNS:
            text = pattern.sub(word, text)
    found = re.findall(r"[A-Z]+|[0-9]+", re.sub(r"(?<=\d)(?:ST|ND|RD|TH)\b", "", latin(text)))
    words = {_WORDS.get(word, word) for word in found if not word.isdigit()} - {""}
    numbers = {word.lstrip("0") or "0" for word in found if word.isdigit()}
    return Address(tuple(sorted(words)), tuple(sorted(numbers)))


def address_alike(a: Address, b: Address) -> bool:
    """Whether two texts give one address: the numbers of one are all among the other's, and the words are alike.

    >>> rooms = address("Room 5, 26 Renmin Road, Dalian"), address("Room 6, 26 Renmin Road, Dalian")
    >>> address_alike(*rooms), address_alike(address("26 Renmin Rd Dalian"), rooms[0])
    (False, True)
    """
    if not (a.exact and b.exact):
        return False
    few, many = sorted((set(a.numbers), set(b.numbers)), key=len)
    if not few <= many:
        return False
    if a.words == b.words:
        return True
    return _words_alike(set(a.words) - _GENERIC, set(b.words) - _GENERIC)


def country_code(name: tuple[str, ...]) -> str:
    """The state that words name (`geo.place_words.words`), as ISO 3166 alpha-2; "" where it may be two."""
    from geo.place_words import countries_of

    if name in _CHINA:
        return "CN"
    found = countries_of(name)
    return found[0] if len(found) == 1 or (found and len(name) == 1 and len(name[0]) == 2) else ""


def _words_alike(one: set[str], two: set[str]) -> bool:
    """Whether most letters of the shorter address stand in words that the other has, a letter wrong or not."""
    from rapidfuzz.distance import OSA

    few, many = sorted((one, two), key=lambda words: (len("".join(words)), sorted(words)))
    found = sum(
        len(word)
        for word in few
        if word in many or any(OSA.normalized_similarity(word, other) >= _WORD_ALIKE for other in many)
    )
    return found > 0 and found >= _LETTERS_ALIKE * len("".join(few))


def addresses_apart(a: Address, b: Address) -> bool:
    """Whether two exact addresses share no word that tells anything: they are not even in one town.

    >>> addresses_apart(address("26 Renmin Road, Dalian"), address("5 Quay Road, Dalian"))
    False
    """
    return a.exact and b.exact and not (set(a.words) & set(b.words)) - _GENERIC


def country_of_address(text: str) -> str:
    """The country with which an address ends, as ISO 3166 alpha-2; "" where it names none.

    >>> country_of_address("26 Renmin Road, Dalian, P.R. China"), country_of_address("26 Renmin Road")
    ('CN', '')
    """
    from geo.place_words import words

    if len(text) > MAX_ADDRESS:
        return ""
    last = words(text)[-5:]
    for n in range(len(last), 0, -1):
        if len("".join(last[-n:])) > 2 and (code := country_code(last[-n:])):
            return code
    return ""
