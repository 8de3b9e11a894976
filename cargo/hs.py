"""The Harmonized System of 2007 to 2022: codes, texts, and which codes of one version are which of another.

Chapters have two digits, headings four, subheadings six; a code is text and keeps its leading zero. Longer national
codes are cut to the six digits that all countries share. Correlations are n:m, after the tables of the United Nations
Statistics Division (`tables/SOURCES.md`): a subheading that was split goes to several, and several that were merged go
to one. Across more than one step they are composed, which can only name too many codes, never too few.
"""

from __future__ import annotations

import csv
import gzip
import itertools
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from cargo.identifiers import hs_digits
from geo.errors import UsageError

VERSIONS = (2007, 2012, 2017, 2022)
"""The versions that the tables know; each came into force on 1 January of its year."""
_NEXT = date(2028, 1, 1)
"""When the version after the last of them comes into force (recommendation of the World Customs Organization)."""
_TABLES = Path(__file__).parent / "tables"

Relation = Mapping[str, frozenset[str]]


class Correlation(NamedTuple):
    """What a code of one version is in another."""

    codes: tuple[str, ...]
    """Sorted, with as many digits as were asked for. Empty where the tables name none (291636 of 2007)."""
    is_split: bool
    """The goods of the code went to more than one: a row with the old code may be any of them."""
    is_merged: bool
    """One of `codes` holds goods of other codes too: only a part of it is meant."""


def version_in_force(on: date) -> int | None:
    """The version that the convention has in force on a day; None where it is none of `VERSIONS`.

    A country may go over later: a declared code that the version does not have may be of the one before.

    >>> version_in_force(date(2018, 10, 1)), version_in_force(date(2006, 1, 1))
    (2017, None)
    """
    if on >= _NEXT:
        return None
    return next((version for version in reversed(VERSIONS) if on.year >= version), None)


def code_of(text: str) -> str:
    """A code as 2, 4 or 6 digits; longer ones are cut to six.

    Raises UsageError for anything else. A zero that a spreadsheet took away is not guessed.

    >>> code_of("8703.24.10"), code_of("0101")
    ('870324', '0101')
    """
    digits = hs_digits(text) if isinstance(text, str) else ""
    if not digits:
        raise UsageError(
            f"HS code {str(text)[:40]!r} is not 2, 4, 6 or 8 to 12 digits; write it as text with its zeros"
        )
    return digits[:6]


def description(code: str, version: int = VERSIONS[-1]) -> str:
    """What the nomenclature says of a code, "" when the version has no such code.

    >>> description("8710", 2017)[:41]
    'Tanks and other armoured fighting vehicle'
    >>> description("870340", 2012)
    ''
    """
    return _texts(_known(version)).get(code_of(code), "")


def codes(version: int = VERSIONS[-1], digits: int = 6) -> tuple[str, ...]:
    """All codes of a version with 2, 4 or 6 digits, sorted. 99 (not classified) is among them.

    >>> len(codes(2017)), codes(2017, 2)[:2]
    (5388, ('01', '02'))
    """
    if digits not in (2, 4, 6):
        raise UsageError(f"digits must be 2, 4 or 6, not {digits!r}")
    return _codes(_known(version), digits)


def expand(pattern: str, version: int = VERSIONS[-1]) -> tuple[str, ...]:
    """The six-digit codes of a version under a code ("8703") or a range of codes, both ends included ("6101-6117").

    >>> expand("8710", 2017), len(expand("72-83", 2017))
    (('871000',), 563)
    """
    first, _, last = (part.strip() for part in pattern.partition("-"))
    low, high = code_of(first), code_of(last or first)
    if len(low) != len(high) or low > high:
        raise UsageError(f"range {pattern!r} must go up and have as many digits at both ends, as 6101-6117")
    every = codes(version)
    return every[bisect_left(every, low) : bisect_right(every, high.ljust(6, "9"))]


def correlate(code: str, from_version: int, to_version: int) -> Correlation:
    """What a code of one version is in another, either way in time.

    Chapters and headings are correlated by the subheadings under them.

    >>> correlate("870322", 2012, 2017)
    Correlation(codes=('870322', '870340', '870360'), is_split=True, is_merged=True)
    >>> correlate("871000", 2012, 2017)
    Correlation(codes=('871000',), is_split=False, is_merged=False)

    Raises UsageError for a code that the first version does not have.
    """
    asked = code_of(code)
    if not description(asked, from_version):
        raise UsageError(f"HS code {asked} is not in HS {from_version}; {_where(asked)}")
    forward = relation(_known(from_version), _known(to_version), len(asked))
    back = relation(to_version, from_version, len(asked))
    found = forward.get(asked, frozenset())
    return Correlation(tuple(sorted(found)), len(found) > 1, any(len(back[other]) > 1 for other in found))


def versions_of(code: str) -> tuple[int, ...]:
    """The versions that have a code.

    >>> versions_of("870340"), versions_of("870324"), versions_of("999901")
    ((2017, 2022), (2007, 2012, 2017, 2022), ())
    """
    return _versions_of(code_of(code))


@lru_cache(maxsize=16_384)
def _versions_of(code: str) -> tuple[int, ...]:
    return tuple(version for version in VERSIONS if code in _texts(version))


def _where(code: str) -> str:
    known = versions_of(code)
    return f"it is in HS {', '.join(map(str, known))}" if known else "no version that is known has it"


def _known(version: int) -> int:
    if version not in VERSIONS:
        raise UsageError(f"HS version {version!r} is not known; take one of {', '.join(map(str, VERSIONS))}")
    return version


def _rows(name: str) -> Iterator[list[str]]:
    with gzip.open(_TABLES / name, "rt", encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        next(rows)
        yield from rows


@cache
def _all_texts() -> Mapping[int, Mapping[str, str]]:
    found: dict[int, dict[str, str]] = {version: {} for version in VERSIONS}
    for code, versions, text in _rows("hs_texts.csv.gz"):
        for n in versions:
            found[VERSIONS[int(n)]][code] = text
    return found


def _texts(version: int) -> Mapping[str, str]:
    return _all_texts()[version]


@cache
def _codes(version: int, digits: int) -> tuple[str, ...]:
    return tuple(sorted(code for code in _texts(version) if len(code) == digits))


@cache
def _steps() -> Mapping[int, frozenset[tuple[str, str]]]:
    """For each version but the first: all pairs (its code, code of the version before)."""
    changed: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for version, code, before in _rows("hs_steps.csv.gz"):
        changed[int(version)].add((code, before))
    for earlier, later in itertools.pairwise(VERSIONS):
        told = {code for pair in changed[later] for code in pair}
        same = set(_codes(earlier, 6)) & set(_codes(later, 6)) - told
        changed[later] |= {(code, code) for code in same}
    return {version: frozenset(pairs) for version, pairs in changed.items()}


@cache
def relation(start: int, end: int, digits: int = 6) -> Relation:
    """All codes of one version, with so many digits, to those that they are in another.

    >>> sorted(relation(2017, 2012)["870340"])
    ['870321', '870322', '870323', '870324', '870390']
    """
    found: dict[str, set[str]] = {code: {code} for code in _codes(start, 6)}
    years = [version for version in VERSIONS if min(start, end) < version <= max(start, end)]
    for year in years if start < end else reversed(years):
        onward: dict[str, set[str]] = defaultdict(set)
        for after, before in _steps()[year]:
            near, far = (before, after) if start < end else (after, before)
            onward[near].add(far)
        found = {code: {far for near in nears for far in onward.get(near, ())} for code, nears in found.items()}
    cut: dict[str, set[str]] = defaultdict(set)
    for code, others in found.items():
        cut[code[:digits]] |= {other[:digits] for other in others}
    return {code: frozenset(others) for code, others in cut.items()}
