"""What a negative term says of the terms beside it: "toy car" and "parts for limousine" are neither car nor limousine.

A negative binds within its phrase only. Punctuation ends a phrase, and so do words such as "with" and "and" and a
number of pieces: "limousine with spare parts" and "limousine, 2 sets spare parts" are still limousines. The rules:

`both`    what stands directly before it or after it (toy, miniature)
`before`  what stands before it: the last noun of a compound says what the goods are (watch strap)
`after`   what stands after it (imitation, plastic)
`part`    as `both`; parts of a car are named before or after it (bumper, spare parts)
`strict`  only a kind of goods directly beside it, and only at the end of its phrase ("model" is a word of makers too)
`shade`   a gem, drink, fur or crystal directly before it or after it (colour)
`self`    nothing: the term takes a word out of its usual sense (pearl white)

Any negative also binds what stands after a following "for" or "of" ("parts of a piano", "poster of Ferrari cars"), and
ordinary goods or another word what stands after a following "for" ("paint for yachts").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from cargo.terms import Place, Term
from cargo.wording import Token, is_cjk

_BREAKING = (
    "WITH W AND PLUS INCLUDING INCLUDES INCLUDED INCL INC IN ON BY ALSO С СО И В НА ВКЛЮЧАЯ ПЛЮС "
    "带 帶 附 含 及 和 与 與 连 連 및 와 과 포 と 付"
)
_BREAK_WORDS = frozenset(_BREAKING.split())
"""Words that end a phrase. Chinese, Japanese and Korean ones by their first character."""
_FOR_WORDS = frozenset({"FOR", "OF", "FIT", "FITS", "SUIT", "SUITABLE", "ДЛЯ", "К"})
_HEADS_FOR = frozenset({"FOR", "ДЛЯ"})
_FOR_AFTER = frozenset("用용")
_SAYING_NOTHING = "ARTICLE ARTICLES ITEM ITEMS EQUIPMENT GOODS APPARATUS PRODUCTS UNIT UNITS PCS SET SETS"
_ANY_GOODS = frozenset(_SAYING_NOTHING.split())
"""Words that say nothing of what the goods are: "equipment for skiing" is for skiing, and ski goods."""
_BREAK_MARKS = re.compile(r"[,;:()\[\]{}/|+&\n、。《》「」*•]|\s[-–—]|[-–—]\s|\.(?!\d)")
_STRONG_MARKS = re.compile(r"[;\n()\[\]|+。]|\.(?!\d)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_SHADED = frozenset({"gem", "jewellery", "drink", "fur", "crystal", "silk", "horse"})
_MATERIALS = frozenset({"gem", "silk", "fur", "crystal", "porcelain"})
"""Categories whose terms say of other goods what they are made of: "diamond watch"."""
_VEHICLES = frozenset({"vehicle", "motorcycle"})
_FREE_TOKENS, _FREE_CJK = 1, 2
"""Words, or characters of Chinese, Japanese and Korean, that may stand between a negative and what it binds."""


def negated(folded: str, found: Sequence[Token], placed: Sequence[Place]) -> list[str]:
    """For each place the text of what negates it, "" where nothing does.

    >>> from cargo.terms import places
    >>> from cargo.wording import tokens
    >>> for text in ("TOY CAR", "LIMOUSINE WITH SPARE PARTS", "PARTS FOR LIMOUSINE"):
    ...     found = tokens(text)
    ...     print(negated(text, found, places(text, found)))
    ['', 'TOY']
    ['', '']
    ['', 'PARTS FOR']
    """
    phrase = _Phrases(folded, found)
    by = [""] * len(placed)
    for n, place in enumerate(placed):
        rules = place.term.rules
        if place.term.kind == "negative":
            if rules & {"both", "before", "part", "strict", "shade"}:
                _bind(phrase, placed, by, n, -1)
            if rules & {"both", "after", "part", "strict", "shade"}:
                _bind(phrase, placed, by, n, +1)
    for n, (place, following) in enumerate(pairwise(placed)):
        if not by[n] and _is_head(place, following) and not phrase.between(place.last, following.first):
            by[n] = phrase.text(following)
    _bind_for(phrase, placed, by)
    return by


class _Phrases:
    """The tokens of a text with what stands between them."""

    def __init__(self, folded: str, found: Sequence[Token]) -> None:
        self.folded, self.found = folded, found

    def text(self, place: Place) -> str:
        return self.folded[self.found[place.first].start : self.found[place.last - 1].end]

    def gap(self, at: int) -> str:
        """The marks between a token and the one before it."""
        return self.folded[self.found[at - 1].end : self.found[at].start] if 0 < at < len(self.found) else "\n"

    def between(self, first: int, last: int) -> bool:
        """Whether a phrase ends between two terms, the one ending before token `first`, the other at `last`."""
        if any(_BREAK_MARKS.search(self.gap(at)) for at in range(first, last + 1)):
            return True
        words = [self.found[at].text for at in range(first, last)]
        return any(word in _BREAK_WORDS or word in _FOR_WORDS or _counts(word) for word in words)

    def free(self, first: int, last: int) -> bool:
        """Whether so few words stand between that the terms belong together."""
        words = [self.found[at].text for at in range(first, last)]
        return len(words) <= (_FREE_CJK if words and all(map(is_cjk, words)) else _FREE_TOKENS)

    def ends(self, at: int) -> bool:
        """Whether a phrase ends before a token."""
        return at >= len(self.found) or bool(_BREAK_MARKS.search(self.gap(at))) or self.found[at].text in _BREAK_WORDS


def _counts(word: str) -> bool:
    return word.isdigit() and not _YEAR.fullmatch(word)


def _is_head(place: Place, following: Place) -> bool:
    """Whether the second of two neighbours says what the goods are, and the first only whose or for what.

    In Russian the first word is the head. A plural does not stand before its head: "watches jewellery" is a list. Goods
    of the same heading are the same goods twice: "lead crystal glassware".
    """
    one, other = place.term, following.term
    if one.kind not in ("make", "model", "item") or other.kind != "item" or "ru" in (one.language, other.language):
        return False
    if one.category == other.category or not one.category or set(one.headings) & set(other.headings):
        return False
    names_material = one.category in _MATERIALS
    return not place.plural and (not other.category or one.kind in ("make", "model") or names_material)


def _bound(negative: Term, term: Term, near: bool) -> bool:
    """Whether a negative can bind a term at all."""
    if term.kind in ("negative", "context"):
        return False
    if "shade" in negative.rules:
        return near and term.category in _SHADED
    if "strict" in negative.rules:
        return near and term.kind == "item"
    if negative.category == "vehicle":
        return term.category in _VEHICLES or (not term.category and term.headings[0].startswith("87"))
    return negative.category != "watch" or term.category == "watch"


def _bind(phrase: _Phrases, placed: Sequence[Place], by: list[str], n: int, step: int) -> None:
    """Let a negative bind its neighbours on one side, and theirs in turn while they follow directly."""
    place, edge, m = placed[n], placed[n], n + step
    if "strict" in place.term.rules and step < 0 and not _closes(phrase, place):
        return
    while 0 <= m < len(placed):
        other = placed[m]
        first, last = (other.last, edge.first) if step < 0 else (edge.last, other.first)
        if phrase.between(first, last) and not (step < 0 and edge is place and _in_brackets(phrase, place)):
            return
        if not phrase.free(first, last) or (edge is not place and last - first > 1):
            return
        if not _bound(place.term, other.term, first == last):
            if other.term.kind != "context":
                return
        elif not by[m]:
            by[m] = phrase.text(place)
        edge, m = other, m + step


def _closes(phrase: _Phrases, place: Place) -> bool:
    return phrase.ends(place.last) and ":" not in phrase.gap(place.last)


def _in_brackets(phrase: _Phrases, place: Place) -> bool:
    """Whether a negative that binds both ways stands in brackets of its own: "limousine (toy)"."""
    after = phrase.folded[phrase.found[place.last - 1].end :].lstrip()[:1]
    return "both" in place.term.rules and phrase.gap(place.first).strip() in ("(", "[") and after in (")", "]")


def _bind_for(phrase: _Phrases, placed: Sequence[Place], by: list[str]) -> None:
    """Bind what stands after "for": all terms up to the end of the phrase, or of a list of the same category."""
    for n, place in enumerate(placed):
        if by[n] or place.term.kind in ("negative", "context"):
            continue
        if (
            place.last < len(phrase.found)
            and phrase.found[place.last].text in _FOR_AFTER
            and not phrase.gap(place.last)
        ):
            by[n] = phrase.found[place.last].text
            continue
        at = place.first - 1
        while at > 0 and phrase.found[at].text in {"A", "AN", "THE", "NEW", "USED", "MY", "YOUR", *_FOR_WORDS}:
            if phrase.found[at].text in _FOR_WORDS and not any(
                _BREAK_MARKS.search(phrase.gap(k)) for k in (at, at + 1)
            ):
                by[n] = _head_of_for(phrase, placed, by, at)
                break
            at -= 1
        if not by[n]:
            by[n] = _carried(phrase, placed, by, n)


def _head_of_for(phrase: _Phrases, placed: Sequence[Place], by: Sequence[str], at: int) -> str:
    """The word that goods for something are, with its "for"; "" where these are luxury goods themselves or none."""
    word = phrase.found[at].text
    before = next((m for m, place in enumerate(placed) if place.last == at), None)
    if before is None:
        head = phrase.found[at - 1].text
        says_nothing = head.isdigit() or head in _BREAK_WORDS or head in _ANY_GOODS or len(head) < 2
        return "" if says_nothing or word not in _HEADS_FOR else f"{head} {word}"
    place = placed[before]
    if place.term.kind == "negative" and not place.term.rules & {"self"}:
        return f"{phrase.text(place)} {word}"
    if place.term.kind == "negative" or place.term.kind == "context":
        return ""
    return by[before] or ("" if place.term.category or word not in _HEADS_FOR else f"{phrase.text(place)} {word}")


def _carried(phrase: _Phrases, placed: Sequence[Place], by: Sequence[str], n: int) -> str:
    """What a "for" before the previous term says of this one: "parts for Mercedes, BMW and Lexus"."""
    if n == 0 or not by[n - 1].split()[-1:] or by[n - 1].split()[-1] not in _FOR_WORDS:
        return ""
    before, place = placed[n - 1], placed[n]
    words = [phrase.found[at].text for at in range(before.last, place.first)]
    marks = [phrase.gap(at) for at in range(before.last, place.first + 1)]
    joined = set(words) <= {"AND", "OR", "И", "ИЛИ"} or (len(words) <= 1 and not any(map(str.isdigit, words)))
    same = before.term.category == place.term.category
    return by[n - 1] if joined and same and not any(_STRONG_MARKS.search(mark) for mark in marks) else ""
