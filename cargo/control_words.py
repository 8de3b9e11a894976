"""What the text of a shipment says of a qualifier of a list ("precious metal", "> 29 inch"): yes, no, or nothing.

Each qualifier has words that affirm it and words that deny it. A text with neither says nothing, which is never a no;
a text with both says nothing either. Toys and parts affirm nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from cargo.identifiers import plain_text
from cargo.lexicon import luxurious_word

_INCHES = re.compile(r"(?<![\d.])(\d{2,3}(?:[.,]\d)?) ?(?:\"|”|″|''|INCH(?:ES)?\b|IN\b|-INCH)", re.IGNORECASE)
_SCREEN_INCHES = 29.0
_MOST_READ = 4_000
"""Characters of a description that are looked at; real ones are shorter, and a longer one may be meant to stall us."""


class Said(NamedTuple):
    """What a text says: `holds` True, False or None for nothing, and the word that does."""

    holds: bool | None
    word: str


NOTHING = Said(None, "")

PREDICATES: Mapping[str, tuple[str, str]] = {
    "luxury": ("", ""),
    "precious metal": (
        r"GOLD|SILVER|PLATINUM|PRECIOUS METALS?|STERLING|18 ?K|14 ?K|925",
        r"STAINLESS(?: STEEL)?|PLASTIC|ALUMINI?UM|BASE METAL",
    ),
    "pearl": (r"PEARLS?|珍珠|진주|真珠|ЖЕМЧУГ\w*", r"WITHOUT PEARLS?|IMITATION PEARLS?"),
    "lead crystal": (r"LEAD CRYSTAL|CRYSTAL GLASS|CRISTAL", r"LEAD FREE|SODA LIME|ACRYLIC|PLASTIC"),
    "hand-made": (r"HAND ?(?:KNOTTED|WOVEN|MADE|TUFTED)", r"MACHINE ?(?:MADE|WOVEN)|TUFTED|POWER LOOM"),
    "silk": (r"SILK", r"COTTON|POLYESTER|NYLON|ARTIFICIAL SILK"),
    "leather": (r"LEATHER", r"PU LEATHER|ARTIFICIAL LEATHER|PLASTIC|NYLON|CANVAS"),
    "yacht": (r"YACHTS?|MOTOR ?YACHTS?|SAILBOATS?|游艇|요트|ЯХТ\w*", r"ROWING BOATS?|CANOES?|KAYAKS?|INFLATABLE"),
    "personal watercraft": (r"JET ?SKIS?|PERSONAL WATERCRAFT|WATER SCOOTERS?", r"YACHTS?|CANOES?|ROWING BOATS?"),
    "racing car": (r"RACING CARS?|RACE CARS?|FORMULA (?:1|ONE)|RALLY CARS?", r""),
    "snowmobile": (r"SNOWMOBILES?|SNOW ?SCOOTERS?|SKI ?DOO", r"GOLF (?:CARS?|CARTS?)"),
    "truffle": (r"TRUFFLES?|TARTUF\w*|TRUFFE\w*", r""),
    "laptop": (r"LAPTOPS?|NOTEBOOKS?(?: PCS?| COMPUTERS?)?|MACBOOKS?", r"TABLETS?|PDAS?"),
    "personal digital assistant": (r"PDAS?|PERSONAL DIGITAL ASSISTANTS?|PALM ?TOPS?", r"LAPTOPS?|NOTEBOOKS?"),
    "music player": (r"MP ?3 PLAYERS?|IPODS?|MUSIC PLAYERS?", r"TURNTABLES?|RECORD PLAYERS?"),
    "DVD player": (r"DVD(?: PLAYERS?)?|BLU ?RAY(?: PLAYERS?)?", r""),
    "new": (r"(?:BRAND )?NEW", r"USED|SECOND ?HAND|PRE ?OWNED"),
    "used": (r"USED|SECOND ?HAND|PRE ?OWNED", r"(?:BRAND )?NEW"),
    "> 29 inch": ("", ""),
    "flat screen, or > 29 inch": (r"LCD|PLASMA|FLAT ?SCREEN|FLAT ?PANEL|O?LED(?: TVS?)?|HDTV|UHD|4 ?K", r""),
}
"""Name of the qualifier to the words that affirm and the words that deny it, as they stand in `plain_text`."""


_NOT_THE_THING = "TOYS?|DIE ?CAST|SCALE MODELS?|POSTERS?|SPARE PARTS?|PARTS? (?:FOR|OF)|ACCESSORIES"


def _compiled(words: str) -> re.Pattern[str] | None:
    """As `plain_text` writes them: Korean syllables and Cyrillic letters taken apart."""
    return re.compile(rf"(?<!\w)(?:{unicodedata.normalize('NFKD', words)})(?!\w)") if words else None


_PATTERNS = {name: (_compiled(yes), _compiled(no)) for name, (yes, no) in PREDICATES.items()}
_ANY_WORD = _compiled("|".join(words for pair in PREDICATES.values() for words in pair if words))
_BY_SIZE = frozenset({"> 29 inch", "flat screen, or > 29 inch"})
_NOT_IT = _compiled(_NOT_THE_THING)
Span = tuple[int, int, str]


@lru_cache(maxsize=65_536)
def said(qualifier: str, description: str) -> Said:
    """What a description says of a qualifier, one of `PREDICATES`.

    >>> said("precious metal", "wrist watch, 18K gold case"), said("precious metal", "wrist watch")
    (Said(holds=True, word='18K'), Said(holds=None, word=''))
    >>> said("> 29 inch", 'LED TV 24"'), said("snowmobile", "golf cars")
    (Said(holds=False, word='24 inch'), Said(holds=False, word='GOLF CARS'))
    """
    text = description[:_MOST_READ]
    if qualifier == "luxury":
        word = luxurious_word(text)
        return Said(True, word) if word else NOTHING
    by_size = said_of_size(text) if qualifier in _BY_SIZE else NOTHING
    plain = plain_text(text)
    affirmed, denied = (_spans(pattern, plain) for pattern in _PATTERNS[qualifier])
    yes, no = _outside(affirmed, denied), _outside(denied, affirmed)
    if by_size.holds or (by_size.holds is False and not yes):
        return by_size
    if yes and not no:
        return NOTHING if _spans(_NOT_IT, plain) else Said(True, yes[0][2])
    return Said(False, no[0][2]) if no and not yes else NOTHING


def _spans(pattern: re.Pattern[str] | None, text: str) -> list[Span]:
    return [(*found.span(), found.group(0)) for found in pattern.finditer(text)] if pattern else []


def _outside(spans: list[Span], others: list[Span]) -> list[Span]:
    """Those that are not a part of a longer word of the other kind, as PEARLS is of IMITATION PEARLS."""
    return [
        span
        for span in spans
        if not any(a <= span[0] and span[1] <= b and b - a > span[1] - span[0] for a, b, _ in others)
    ]


def sayings(qualifiers: Iterable[str], description: str) -> tuple[tuple[str, Said], ...]:
    """What a description says of each of some qualifiers of which it says anything; most descriptions say nothing.

    >>> sayings(PREDICATES, "wrist watch, 18K gold case"), sayings(PREDICATES, "hot rolled steel")
    ((('precious metal', Said(holds=True, word='18K')),), ())
    """
    text = description[:_MOST_READ]
    speak = {"luxury"}.union(*(_of_word(word) for _, _, word in _spans(_ANY_WORD, plain_text(text))))
    if _INCHES.search(text):
        speak |= _BY_SIZE
    return tuple((n, told) for n in qualifiers if n in speak and (told := said(n, text)).holds is not None)


@lru_cache(maxsize=4096)
def _of_word(word: str) -> frozenset[str]:
    """The qualifiers of which a word says anything."""
    return frozenset(n for n, pair in _PATTERNS.items() if any(words and words.fullmatch(word) for words in pair))


def said_of_size(text: str) -> Said:
    """What a description says of a screen of more than 29 inches; several sizes on both sides say nothing."""
    sizes = {float(size.replace(",", ".")) for size in _INCHES.findall(text)}
    over = {size > _SCREEN_INCHES for size in sizes}
    return Said(over.pop(), f"{min(sizes):g} inch") if len(over) == 1 else NOTHING
