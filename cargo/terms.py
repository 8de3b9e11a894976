"""The lexicon's table, and where its terms stand in a description.

The table is `tables/lexicon.csv`: term, language, category, headings (the likeliest first), kind, rule, note. It is
written by hand and meant to be read. A `*` at the end of a word stands for any ending; English terms match plurals too.
Kinds: `make`, `model`, `armour` and `item` speak of goods; `context` only keeps another term company; `negative` says
that the goods are not what a term beside it names. Rules of goods: `luxury` (the term itself speaks of a luxury item)
and `company` (an everyday word, which counts only beside another term of its category). Rules of negatives stand in
`cargo.negation`. A category that is empty is that of ordinary goods, which no list of luxury goods names.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from cargo.wording import Token, fold, is_cjk, script_language, tokens
from geo.errors import UsageError

LANGUAGES = {"en": ("en",), "zh": ("zh", "zh-Hant"), "ko": ("ko",), "ja": ("ja",), "ru": ("ru",)}
"""Languages of texts, and the languages of terms read in each besides English names and `mul`, makers' own names."""


class Term(NamedTuple):
    """A row of the lexicon."""

    term: str
    language: str
    category: str
    headings: tuple[str, ...]
    kind: str
    rules: frozenset[str]
    note: str


class Place(NamedTuple):
    """A term in a text: tokens `first` to `last`, the latter not included."""

    term: Term
    first: int
    last: int
    plural: bool


class _Pattern(NamedTuple):
    words: tuple[str, ...]
    term: Term
    plural: bool
    open: bool
    """Whether a word of it stands for any ending."""


@cache
def lexicon() -> tuple[Term, ...]:
    """All terms, in the order of the table.

    >>> {term.kind for term in lexicon()} == {"make", "model", "armour", "item", "context", "negative"}
    True
    """
    path = Path(__file__).parent / "tables" / "lexicon.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        return tuple(
            Term(
                row["term"],
                row["language"],
                row["category"],
                tuple(filter(None, row["headings"].split(";"))),
                row["kind"],
                frozenset(row["rule"].split()),
                row["note"],
            )
            for row in csv.DictReader(lines)
        )


def categories() -> frozenset[str]:
    """The categories of goods on the lists that the lexicon knows.

    >>> sorted(categories())[:4]
    ['aircraft', 'art', 'camera', 'carpet']
    """
    return frozenset(term.category for term in lexicon() if term.kind != "negative") - {""}


@cache
def category_headings(category: str) -> Mapping[str, float]:
    """The headings of the goods of a category, each with the part of the category's terms that name it.

    >>> sorted(category_headings("watch"))
    ['9101', '9102', '9103', '9104', '9105']
    """
    named = [term for term in lexicon() if category and term.category == category and term.kind != "negative"]
    counts = Counter(heading for term in named for heading in term.headings)
    return {heading: count / len(named) for heading, count in counts.items()}


def _words(term: str) -> tuple[str, ...]:
    """A term's tokens, the star kept on the word that has it."""
    words: list[str] = []
    for part in term.split():
        made = [token.text for token in tokens(fold(part))]
        words += [*made[:-1], made[-1] + "*"] if part.endswith("*") else made
    return tuple(words)


def _plural(word: str) -> str:
    if word.endswith(("S", "X", "CH", "SH")):
        return word + "ES"
    return word[:-1] + "IES" if word.endswith("Y") and word[-2:-1] not in "AEIOU" else word + "S"


@cache
def _patterns() -> Mapping[str, tuple[_Pattern, ...]]:
    """The patterns that begin with a word (or with `ПРЕФИКС*`), the longest first."""
    found: dict[str, list[_Pattern]] = {}
    for term in lexicon():
        words = _words(term.term)
        forms = [_Pattern(words, term, False, "*" in term.term)]
        if term.language == "en" and words[-1].isalpha() and len(words[-1]) > 2:
            forms.append(_Pattern((*words[:-1], _plural(words[-1])), term, True, False))
        for form in forms:
            found.setdefault(form.words[0], []).append(form)
    return {first: tuple(sorted(forms, key=lambda form: -len(form.words))) for first, forms in found.items()}


@cache
def _prefix_lengths() -> tuple[int, ...]:
    return tuple(sorted({len(first) - 1 for first in _patterns() if first.endswith("*")}))


@lru_cache(maxsize=65_536)
def _starting_with(word: str) -> tuple[_Pattern, ...]:
    """All patterns whose first word a token fits, the longest first."""
    found = list(_patterns().get(word, ()))
    for length in _prefix_lengths():
        if len(word) >= length:
            found += _patterns().get(word[:length] + "*", ())
    return tuple(sorted(found, key=lambda form: -len(form.words)))


def _fits(pattern: str, word: str) -> bool:
    return word == pattern or (pattern.endswith("*") and word.startswith(pattern[:-1]))


def places(folded: str, found: list[Token], lang: str | None = None) -> list[Place]:
    """The terms of a text from left to right, the longest where several begin, none over another.

    `lang` leaves out terms of other languages; without it the script tells between terms that two languages share.

    >>> text = fold("Maybach S600 Guard, 防弹轿车")
    >>> [place.term.term for place in places(text, tokens(text))]
    ['MAYBACH S600', '防弹轿车']
    """
    read = _languages(lang)
    likely = LANGUAGES.get(lang or script_language(folded), ())
    words = tuple(token.text for token in found)
    joined = _joined(found)
    placed, at = [], 0
    while at < len(found):
        best = None if joined[at] else _longest(words, joined, at, read, likely)
        if best is None:
            at += 1
        else:
            placed.append(Place(best.term, at, at + len(best.words), best.plural))
            at += len(best.words)
    return placed


def _languages(lang: str | None) -> frozenset[str]:
    if lang is None:
        return frozenset({"mul", *(language for group in LANGUAGES.values() for language in group)})
    if lang not in LANGUAGES:
        raise UsageError(f"lang {lang!r} is not known; take one of {', '.join(LANGUAGES)}, or leave it out")
    return frozenset({"mul", "en", *LANGUAGES[lang]})


def _joined(found: list[Token]) -> list[bool]:
    """For each token, and the end, whether it is one word with the token before it: `LX570D` is no LX570."""
    made = [False]
    for before, token in pairwise(found):
        touch = before.end == token.start
        made.append(touch and not is_cjk(before.text) and not is_cjk(token.text))
    return [*made, False]


def _longest(
    words: tuple[str, ...], joined: list[bool], at: int, read: frozenset[str], likely: tuple[str, ...]
) -> _Pattern | None:
    """The longest pattern at a token; of equally long ones that of a likely language."""
    best: _Pattern | None = None
    for form in _starting_with(words[at]):
        if best is not None and (len(form.words) < len(best.words) or best.term.language in likely):
            break
        end = at + len(form.words)
        if end > len(words) or joined[end] or form.term.language not in read:
            continue
        here = words[at:end]
        fits = here == form.words or (form.open and all(map(_fits, form.words, here)))
        if fits and (best is None or form.term.language in likely):
            best = form
    return best
