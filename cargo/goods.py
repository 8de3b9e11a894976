"""What a description says the goods are: terms of the lexicon, headings it resembles, and whether the code fits.

The declared code comes first: the text only supports it, contradicts it, or cannot tell. Without a code the text may
give a heading, but only where it speaks clearly; else the answer is a ranked list for a person, and the reason why no
heading was given. Codes of more than four digits are compared by their heading: texts seldom tell subheadings apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from numbers import Integral
from typing import Any, Literal, NamedTuple, overload

from cargo.hs import VERSIONS, codes
from cargo.identifiers import hs_digits, is_missing
from cargo.lexicon import ALONE, Hit, find_terms, is_vague
from cargo.retrieval import Likeness, likeness, pair_scores, spoken_words
from cargo.terms import category_headings
from cargo.wording import FOLDED, MAX_CHARACTERS
from geo.errors import UsageError

Verdict = Literal["supported", "contradicted", "cannot tell"]

TOP = 10
"""Headings that are listed."""
MIN_SCORE = 0.45
"""Score under which the nomenclature alone gives no heading; see docs/cargo-goods.md for what it was set on."""
MIN_MARGIN = 0.10
"""How far, with that, the best heading must be above the best one of another chapter."""
SUPPORT_SCORE = 0.18
"""Score from which the nomenclature's words support a declared heading, if it is also among the likeliest."""
SUPPORT_SHARE = 0.5
"""Part of the best score that a declared heading must have to be among the likeliest."""
AGAINST_SHARE = 0.35
"""Part of the best score under which a clear heading of another chapter contradicts the declared one."""

_NEIGHBOUR = 0.1
"""What the chapter of a heading that the lexicon names adds to the score of its others."""
_KIN = 0.5
"""What a heading gains by being one of a category that the text names ("electronic items"), the more the more of the
category's terms name it; tried from 0.1 to 1 on lists other than the EU's."""
_PART_OF = {
    "vehicle": "8708",
    "motorcycle": "8714",
    "aircraft": "8807",
    "watch": "9114",
    "instrument": "9209",
    "electronics": "8529",
    "camera": "9006",
    "sport": "9506",
    "game": "9504",
    "pen": "9608",
}
"""The heading of parts of goods of a category, where the nomenclature has one."""
_UNNAMED = 1.999
"""What a heading that no term names scores at most."""
_ORDER_STEP, _CHOICE_STEP, _AGAIN = 0.05, 0.03, 0.1
"""Marks that a later term, a less likely heading of a term, and a second term of the same goods change."""


class Ranked(NamedTuple):
    """A heading that the text may mean. From 2 up terms of the lexicon name it; else it is scored by its n-grams, its
    chapter and the categories that such terms name."""

    heading: str
    score: float
    terms: tuple[str, ...]
    """Terms of the lexicon that name it, as they stand in the text; empty where only the nomenclature's words do."""


_FEW = 6
"""Words that a reason names."""
_NONE = Ranked("", 0.0, ())


@dataclass(frozen=True, slots=True)
class Goods:
    """What a description says; what it does not say is not denied: luxury goods may be named by none of its words."""

    text: str
    """The description as it was given."""
    hs_code: str
    """The declared code as digits, "" where none is given or it cannot be one."""
    plausibility: Verdict
    """Whether the text supports the declared code, contradicts it, or cannot tell."""
    why: str
    """The reason of `plausibility`, with the words that spoke where the lexicon did."""
    hits: tuple[Hit, ...]
    """Terms of the lexicon, with what negates each."""
    headings: tuple[Ranked, ...]
    """Likeliest headings, best first."""
    heading: str
    """The heading that the text gives by itself, "" where it gives none."""
    abstained: str
    """Why it gives none, "" where it gives one."""

    @property
    def categories(self) -> tuple[str, ...]:
        """Categories of the luxury lists that the text names, in its order."""
        return tuple(dict.fromkeys(hit.term.category for hit in self.hits if hit.speaks and hit.term.category))

    @property
    def luxury(self) -> tuple[str, ...]:
        """The words that themselves speak of a luxury item."""
        return tuple(dict.fromkeys(hit.text for hit in self.hits if hit.speaks and "luxury" in hit.term.rules))

    @property
    def words(self) -> tuple[str, ...]:
        """The words that speak for the declared code where they support it, else for the likeliest heading."""
        about = self.hs_code[:4] if self.plausibility == "supported" else next(iter(self.headings), _NONE).heading
        return self.spoken(about)

    def spoken(self, heading: str) -> tuple[str, ...]:
        """The words that speak for a heading: terms of the lexicon, else words of the nomenclature."""
        terms = (term for each in self.headings if heading and each.heading.startswith(heading) for term in each.terms)
        return tuple(dict.fromkeys(terms)) or spoken_words(self.text, heading)


class _Reading(NamedTuple):
    """What a text says by itself."""

    hits: tuple[Hit, ...]
    named: tuple[tuple[Hit, tuple[str, ...]], ...]
    """Terms that say what the goods are, with the headings they name."""
    headings: tuple[Ranked, ...]
    alike: float
    """The best score by the nomenclature of a heading that no term names."""
    heading: str
    abstained: str


@overload
def classify(text: str, hs_code: str | None = None, lang: str | None = None) -> Goods: ...
@overload
def classify(text: Iterable[Any], hs_code: Iterable[Any] | None = None, lang: str | None = None) -> list[Goods]: ...
def classify(text: Any, hs_code: Any = None, lang: str | None = None) -> Goods | list[Goods]:
    """What a description, or each of a column, says the goods are.

    Parameters
    ----------
    text
        A description, or a column of them. None and NaN are missing descriptions.
    hs_code
        The declared code, or a column of them; dots and spaces are taken out. Whole numbers are read as their digits.
    lang
        Read only terms of this language (`en`, `zh`, `ko`, `ja`, `ru`) besides makers' names and English.

    Returns
    -------
    Goods or list of Goods
        One for a text, a list for a column; equal rows share one object.

    Raises
    ------
    UsageError
        `lang` is not known, or the columns differ in length.

    >>> goods = classify("Used Lexus LX-570, chassis no. as per list", "8703.24")
    >>> goods.plausibility, goods.why
    ('supported', 'LEXUS, LX-570 (heading 8703)')
    >>> goods = classify("Toy cars 1:18", "8703")
    >>> goods.plausibility, goods.categories, goods.headings[0].heading
    ('contradicted', (), '9503')
    >>> [goods.abstained for goods in classify(["general cargo", "armoured limousine"])]
    ['the text names no kind of goods', '']
    """
    if isinstance(text, str):
        return _classify([text], [hs_code], lang)[0]
    if isinstance(text, bytes) or not isinstance(text, Iterable):
        raise UsageError(f"text must be a description or a column of them, not {type(text).__name__}")
    texts = list(text)
    given = [None] * len(texts) if hs_code is None else list(hs_code)
    if isinstance(hs_code, str) or len(given) != len(texts):
        raise UsageError(f"hs_code must be a column as long as text ({len(texts):,} rows); give one code for each row")
    return _classify(texts, given, lang)


def _classify(texts: Sequence[Any], given: Sequence[Any], lang: str | None) -> list[Goods]:
    clean = [text if isinstance(text, str) else "" for text in texts]
    declared = [_code_text(code) for code in given]
    rows = list(zip(clean, declared, strict=True))
    pairs = list(dict.fromkeys(rows))
    readings: dict[str, _Reading] = {}
    made: dict[tuple[str, str], Goods] = {}
    for start in range(0, len(pairs), FOLDED):  # no more at a time than `fold` remembers
        _classify_pairs(pairs[start : start + FOLDED], lang, readings, made)
    return [made[row] for row in rows]


def _classify_pairs(
    pairs: Sequence[tuple[str, str]],
    lang: str | None,
    readings: dict[str, _Reading],
    made: dict[tuple[str, str], Goods],
) -> None:
    """Classify different pairs of text and code into `made`, reading each text once."""
    new = [text for text in dict.fromkeys(text for text, _ in pairs) if text not in readings]
    for text, alike in zip(new, likeness([text[:MAX_CHARACTERS] for text in new], 2 * TOP), strict=True):
        readings[text] = _read(text, alike, lang)
    digits = {code: "" if is_missing(code) else hs_digits(code) for _, code in pairs}
    asked = [(text, code) for text, code in pairs if digits[code] and not _fits(readings[text], digits[code][:4])]
    found = pair_scores([text[:MAX_CHARACTERS] for text, _ in asked], [digits[code][:4] for _, code in asked])
    scores = dict(zip(asked, found, strict=True))
    for text, code in pairs:
        reading = readings[text]
        verdict, why = _plausibility(text, code, digits[code], reading, scores.get((text, code), 0.0))
        made[text, code] = Goods(
            text, digits[code], verdict, why, reading.hits, reading.headings, reading.heading, reading.abstained
        )


def _code_text(code: Any) -> str:
    """A code as text; a number as its digits, whose lost zero is not guessed; None, NaN and others as none."""
    whole = isinstance(code, Integral) and not isinstance(code, bool)
    return str(code) if isinstance(code, str) or whole else ""


def _read(text: str, alike: tuple[Likeness, ...], lang: str | None) -> _Reading:
    hits = find_terms(text, lang)
    bound = _bound(hits)
    named = tuple((hit, names) for hit in hits if (names := _names(hit, bound)))
    ranked = _rank(named, alike)
    abstained = _abstain(text, named, alike) or _undecided(ranked)
    said = {heading for _, names in named for heading in names}
    best = max((each.score for each in alike if each.heading not in said), default=0.0)
    return _Reading(hits, named, ranked, best, "" if abstained else ranked[0].heading, abstained)


def _bound(hits: Sequence[Hit]) -> dict[str, dict[str, None]]:
    """By the words that negate, with and without a "for", the categories of what they negate."""
    bound: dict[str, dict[str, None]] = {}
    for hit in hits:
        for words in {hit.negated_by, hit.negated_by.rpartition(" ")[0]} - {""}:
            bound.setdefault(words, {})[hit.term.category] = None
    return bound


def _names(hit: Hit, bound: Mapping[str, Mapping[str, None]]) -> tuple[str, ...]:
    """The headings by which a term says what the goods are; none for a term that is negated."""
    term = hit.term
    if term.kind != "negative":
        return term.headings if hit.speaks else ()
    if term.headings:
        return term.headings if hit.text in bound or term.rules & {"both", "part", "self"} else ()
    if term.category != "part" or "part" not in term.rules:
        return ()
    return tuple(dict.fromkeys(_PART_OF[name] for name in bound.get(hit.text, {}) if name in _PART_OF))


def _rank(named: Sequence[tuple[Hit, tuple[str, ...]]], alike: Sequence[Likeness]) -> tuple[Ranked, ...]:
    """Headings that terms name, the earlier term first, before those of their categories and those that are alike."""
    marks: dict[str, float] = {}
    terms: dict[str, dict[str, None]] = {}
    for order, (hit, names) in enumerate(named):
        for choice, heading in enumerate(names):
            mark = 3.0 - min(0.8, _ORDER_STEP * order) - min(0.15, _CHOICE_STEP * choice)
            again = _AGAIN if heading in marks and choice == 0 else 0.0
            marks[heading] = max(mark, marks.get(heading, 0.0)) + again
            terms.setdefault(heading, {})[hit.text] = None
    chapters = {heading[:2] for heading in marks}
    resembles = {each.heading: each.score for each in alike}
    kin = _kin(named)
    scores = {
        h: min(_UNNAMED, resembles.get(h, 0.0) + _NEIGHBOUR * (h[:2] in chapters) + kin.get(h, 0.0))
        for h in {**resembles, **kin}
    }
    scores |= marks
    best = sorted(scores, key=lambda heading: (-scores[heading], -resembles.get(heading, 0.0), heading))[:TOP]
    return tuple(Ranked(heading, round(scores[heading], 4), tuple(terms.get(heading, ()))) for heading in best)


def _kin(named: Sequence[tuple[Hit, tuple[str, ...]]]) -> dict[str, float]:
    """The headings of the categories that kinds of goods name, with what each gains; a maker says what he makes."""
    gains: dict[str, float] = {}
    for category in {hit.term.category for hit, _ in named if hit.term.kind == "item"}:
        for heading, share in category_headings(category).items():
            gains[heading] = max(_KIN * (1.0 + share), gains.get(heading, 0.0))
    return gains


def _abstain(text: str, named: Sequence[tuple[Hit, tuple[str, ...]]], alike: Sequence[Likeness]) -> str:
    """Why a text gives no heading, "" where it gives one."""
    if is_missing(text):
        return "no description"
    listed = {heading for hit, names in named if hit.term.category for heading in names}
    others = {names[0] for hit, names in named if not hit.term.category} - listed
    kinds = others | {hit.term.category for hit, _ in named if hit.term.category}
    if len(kinds) > 1:
        return f"the text names several kinds of goods: {_few((hit.text for hit, _ in named), ', ')}"
    if named:
        return ""
    if is_vague(text):
        return "the text names no kind of goods"
    if not alike:
        return "no word is in the lexicon or the nomenclature"
    best = alike[0]
    if best.score < MIN_SCORE:
        return f"the likeliest heading {best.heading} scores {best.score:.2f}, under {MIN_SCORE}"
    rival = next((each for each in alike if each.heading[:2] != best.heading[:2]), None)
    if rival is not None and best.score - rival.score < MIN_MARGIN:
        return f"headings {best.heading} and {rival.heading} are as likely: {best.score:.2f} and {rival.score:.2f}"
    return ""


def _few(texts: Iterable[str], between: str) -> str:
    """Different texts as one, but for those beyond `_FEW`, which are counted."""
    distinct = list(dict.fromkeys(texts))
    more = [f"{len(distinct) - _FEW} more"] if len(distinct) > _FEW else []
    return between.join([*distinct[:_FEW], *more])


def _undecided(ranked: Sequence[Ranked]) -> str:
    """Why no heading is given where one term of the lexicon names several, and nothing tells between them."""
    same = [each.heading for each in ranked if each.terms and each.terms == ranked[0].terms]
    return f"{ranked[0].terms[0]} may be heading {' or '.join(same)}" if len(same) > 1 else ""


def _plausibility(text: str, given: str, code: str, reading: _Reading, score: float) -> tuple[Verdict, str]:
    if not code:
        return "cannot tell", "no code is declared" if is_missing(given) else f"{given[:20]!r} is no HS code"
    heading = code[:4]
    if heading not in known_headings():
        return "cannot tell", f"no version of the nomenclature has {heading}"
    if fits := _fits(reading, heading):
        return "supported", f"{_few(fits, ', ')} (heading {heading})"
    best = next(iter(reading.headings), None)
    denied = any(hit.term.headings[:1] == (heading,) for hit in reading.hits if hit.negated_by not in ("", ALONE))
    by_words = len(heading) == 4 and not denied and score >= max(SUPPORT_SCORE, SUPPORT_SHARE * reading.alike)
    if reading.named:
        against = _few((f"{hit.text} is heading {names[0]}" for hit, names in reading.named), "; ")
        if by_words and all(names[0][:2] != heading[:2] for _, names in reading.named):
            return "supported", f"words of heading {heading}; but {against}"
        general = all(len(names) > 1 for _, names in reading.named if names[0][:2] == heading[:2])
        near = any(names[0][:2] == heading[:2] for _, names in reading.named)
        return ("cannot tell" if near and general else "contradicted"), against
    if best is None or is_vague(text):
        return "cannot tell", reading.abstained
    if len(heading) == 2:
        fits_chapter = not reading.abstained and best.heading.startswith(heading)
        return ("supported" if fits_chapter else "cannot tell"), f"likeliest heading {best.heading}"
    if by_words:
        return "supported", f"words of heading {heading}"
    if not reading.abstained and best.heading[:2] != heading[:2] and score < AGAINST_SHARE * best.score:
        return "contradicted", f"words of heading {best.heading}"
    return "cannot tell", reading.abstained or f"words of heading {best.heading}, not clearly another's"


def _fits(reading: _Reading, heading: str) -> list[str]:
    """The terms that name a declared heading, or one of a declared chapter."""
    return [hit.text for hit, names in reading.named if any(name.startswith(heading) for name in names)]


@cache
def known_headings() -> frozenset[str]:
    """Chapters and headings of any version of the nomenclature.

    >>> "8703" in known_headings(), "8799" in known_headings()
    (True, False)
    """
    return frozenset(code for version in VERSIONS for digits in (2, 4) for code in codes(version, digits))
