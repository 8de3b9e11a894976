"""Names of firms and people, so that two ways of writing one name are one: script, legal form, spacing, word order.

Letters of other scripts become Latin ones by the table of anyascii (Han as Mandarin, so a Japanese name in Han compares
with itself and not with how it is read). Legal forms and the words of trades are a table of ours,
`tables/party_words.csv`. A name that is only alike is a candidate, whatever this module says of it.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

MAX_NAME = 300
"""Characters; the longest names of the watch-lists have about 250. A longer cell is no name."""

_LONG = 5
"""Words of the table that are so long are known with a letter wrong too, where they do not begin the name."""
_ROMAN = re.compile(r"X{0,2}(?:IX|IV|V?I{1,3}|V)|X{1,2}")
_ROMAN_VALUE = {"I": 1, "V": 5, "X": 10}
_SILENT = str.maketrans("", "", "'`\"’‘ʼʹʺ´")
_BETWEEN_LETTERS = re.compile(r"(?<=\b[A-Z])[. ]+(?=[A-Z]\b)")
_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"YOUNG|YUNG", "YONG"),
        (r"YEO", "YO"),
        (r"EO", "O"),
        (r"EU", "U"),
        (r"OU|OO", "U"),
        (r"PH", "F"),
        (r"CK|Q|C(?![HIEY])", "K"),
        (r"KH", "H"),
        (r"TS|CZ", "C"),
        (r"W", "V"),
        (r"IY|IJ|YI|EE|EY|EI", "I"),
        (r"Y", "I"),
        (r"X", "KS"),
        (r"(.)\1+", r"\1"),
    )
)
"""Ways in which one sound is written: romanisations of Korean and Cyrillic, and English habits."""
_REORDERED = 0.97
"""How alike two names are that have the same words in another order."""
_SOUNDS_ALIKE = 0.95
"""How alike two names are that only sound the same."""


class PartyName(NamedTuple):
    """A name for comparison; `core` are the words that tell it apart, all in capitals of ASCII."""

    core: tuple[str, ...]
    trade: tuple[str, ...]
    """What it says of its trade, in the words of the table, sorted: TRADING, SHIPPING."""
    numerals: tuple[str, ...]
    form: str
    """Its legal form as a class: LTD, CORP, JSC, GMBH, BV, SRL, PARTNERS, PERSON, FREEZONE; "" not said."""

    @property
    def joined(self) -> str:
        """The core without spaces."""
        return "".join(self.core)

    @property
    def generic(self) -> bool:
        """Whether it says nothing but a trade, as "General Trading Co": many firms are called so."""
        return not self.trade and set(self.core) <= _trade_words()

    @property
    def key(self) -> str:
        """Equal for two ways of writing one name."""
        return " ".join(("".join(self.core), *self.trade, *self.numerals))


@cache
def _table() -> tuple[dict[str, str], dict[str, str], tuple[tuple[re.Pattern[str], str], ...]]:
    """Legal forms and trade words by Latin word; and patterns for those that are more than one word or not Latin."""
    forms: dict[str, str] = {}
    words: dict[str, str] = {}
    found: list[tuple[str, str]] = []
    text = (Path(__file__).parent / "tables" / "party_words.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        kind, word, meaning = row["kind"], row["word"], row["meaning"]
        if word.isascii() and " " not in word and "(" not in word:
            (forms if kind == "form" else words)[word] = meaning
        else:
            found.append((word, f" ={meaning} " if kind == "form" else f" {meaning} "))
    found.sort(key=lambda pair: (-len(pair[0]), pair[0]))
    return forms, words, tuple((_pattern(word), made) for word, made in found)


def _pattern(word: str) -> re.Pattern[str]:
    """Whole words where the script has spaces between them; else anywhere."""
    spaced = word.isascii() or re.match("[А-ЯЁ]", word) is not None
    return re.compile(rf"(?<!\w){re.escape(word)}(?!\w)" if spaced and "(" not in word else re.escape(word))


def clean_text(text: str) -> str:
    """A text of a stranger on one line: no control or direction-changing characters, no halves of surrogates.

    >>> clean_text("ALFA\\u202e\\x00 \\ud800TRADING\\n CO")
    'ALFA TRADING CO'
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = (" " if sign in "\n\r\t\v\f" else sign for sign in text if sign.isprintable() or sign.isspace())
    return " ".join("".join(kept).split())


@lru_cache(maxsize=1 << 17)
def latin(text: str) -> str:
    """A text in capitals of ASCII.

    >>> latin("ООО «Ромашка»"), latin("도영"), latin("大连")
    ('OOO <<ROMASHKA>>', 'DOYEONG', 'DALIAN')
    """
    if text.isascii():
        return text.upper()
    from anyascii import anyascii

    made: str = anyascii(unicodedata.normalize("NFKC", text))
    return made.translate(_SILENT).upper()


@lru_cache(maxsize=1 << 17)
def party_name(text: str) -> PartyName:
    """A name taken apart.

    >>> party_name("Do-Young Shipping Co., Ltd.")
    PartyName(core=('DO', 'YOUNG'), trade=('SHIPPING',), numerals=(), form='LTD')
    >>> party_name("大连华信贸易有限公司").key == party_name("Dalian Huaxin Trading Co Ltd").key
    True
    >>> party_name("ООО «Альфа-2»").numerals, party_name("Alfa II LLC").numerals
    (('2',), ('2',))
    """
    forms, trades, patterns = _table()
    text = clean_text(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.upper()
    if not text.isascii():
        for pattern, made in patterns:
            text = pattern.sub(made, text)
        text = latin(text)
    if re.search(r"\b[A-Z][. ]+[A-Z]\b", text):
        text = _BETWEEN_LETTERS.sub("", text)
    if " " in text:
        for pattern, made in _ascii_patterns():
            text = pattern.sub(made, text)
    words = re.findall(r"=?[A-Z]+|[0-9]+", text.replace("&", " ").translate(_SILENT))
    return _sorted_out(words, forms, trades)


@cache
def _trade_words() -> frozenset[str]:
    return frozenset(word for meaning in _table()[1].values() for word in meaning.split())


@cache
def _ascii_patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((pattern, made) for pattern, made in _table()[2] if pattern.pattern.isascii())


def _sorted_out(words: list[str], forms: dict[str, str], trades: dict[str, str]) -> PartyName:
    """Words by what they say; a name that is all form and trade keeps those as its core."""
    core: list[str] = []
    trade: list[str] = []
    numerals: list[str] = []
    form = ""
    for i, word in enumerate(words):
        following = words[i + 1] if i + 1 < len(words) else ""
        if word[0] == "=":
            form = form or word[1:]
        elif word.isdigit():
            numerals.append(word.lstrip("0") or "0")
        elif word == "NO" and following.isdigit():
            continue
        elif i > 0 and word in forms:
            form = _stronger(form, forms[word])
        elif i == 0 and word in forms and len(words) > 1 and word in _LEADING_FORMS:
            form = forms[word]
        elif word in trades:
            trade += [trades[word]] if trades[word] else []
        elif core and (near := _misspelt(word)):
            form = _stronger(form, forms[near]) if near in forms else form
            trade += [trades[near]] if trades.get(near) else []
        elif core and _ROMAN.fullmatch(word):
            numerals.append(str(_roman(word)))
        else:
            core.append(word)
    if not core:
        core, trade = trade or [word.lstrip("=") for word in words if not word.isdigit()], []
    return PartyName(tuple(core), tuple(sorted(set(trade))), tuple(numerals), form)


@lru_cache(maxsize=1 << 16)
def _misspelt(word: str) -> str:
    """The form or trade word of five letters or more that a word may be with one letter wrong (two of eight or more);
    "" if there is none."""
    if len(word) < _LONG - 1:
        return ""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    found = process.extractOne(word, _long_words(), scorer=OSA.distance, score_cutoff=1 + (len(word) > 7))
    return found[0] if found else ""


@cache
def _long_words() -> tuple[str, ...]:
    forms, words, _ = _table()
    return tuple(sorted(word for word in (*forms, *words) if len(word) >= _LONG))


_LEADING_FORMS = frozenset(("OOO", "OAO", "ZAO", "PAO", "AO", "TOO", "IP", "JSC", "PJSC", "LLC", "UAB", "SIA", "PT"))
"""Forms that stand before the name."""


def _stronger(known: str, found: str) -> str:
    """Of `Co` and what follows, the latter: a Co Corp is a Corp, a JSC Company a JSC."""
    return found if known in ("", "LTD") or found == "GMBH" else known


def _roman(word: str) -> int:
    values = [_ROMAN_VALUE[sign] for sign in word]
    pairs = zip(values, [*values[1:], 0], strict=True)
    return sum(-value if value < following else value for value, following in pairs)


def sounds(text: str) -> str:
    """Capitals folded to how they sound, roughly; for comparing, never for deciding.

    >>> sounds("DOYEONG") == sounds("DOYONG"), sounds("ALPHA") == sounds("ALFA")
    (True, True)
    """
    for pattern, sound in _SOUNDS:
        text = pattern.sub(sound, text)
    return text


def likeness(a: PartyName, b: PartyName) -> float:
    """How alike two names are, 0 to 1; 0 where numerals or trades differ.

    1 is the same name but for script, spacing and legal form, 0.97 the same words in another order. Else 1 less the
    edits (letters added, left out, changed or swapped) over the length of the longer core.

    >>> likeness(party_name("ALFA 1 TRADING"), party_name("ALFA 2 TRADING"))
    0.0
    >>> round(likeness(party_name("Do Young Shipping"), party_name("도영해운")), 2)
    0.95
    """
    from rapidfuzz.distance import OSA

    if a.numerals != b.numerals or a.trade != b.trade:
        return 0.0
    one, two = a.joined, b.joined
    if one == two:
        return 1.0
    if sorted(a.core) == sorted(b.core):
        return _REORDERED
    best = OSA.normalized_similarity(one, two)
    if len(a.core) > 1 or len(b.core) > 1:
        turned = OSA.normalized_similarity("".join(sorted(a.core)), "".join(sorted(b.core)))
        best = max(best, min(turned, _REORDERED))
    if best < 0.5:
        return float(best)
    return float(max(best, min(OSA.normalized_similarity(sounds(one), sounds(two)), _SOUNDS_ALIKE)))
