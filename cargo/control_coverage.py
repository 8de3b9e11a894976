"""How much of each list can be said in HS codes, and how far the lists agree.

The first finding of "Lux & Loaded" (C4ADS, 2019) was that most published lists carry no standard codes and that no two
are alike. Agreement is the Jaccard index: codes in both over codes in either. Codes of which a rule covers only a part
(`ex`) can be counted or left out; the truth lies between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from cargo import hs
from cargo.control import ControlLists
from cargo.control_cover import codes_of
from cargo.control_rule import Rule


@dataclass(frozen=True, slots=True)
class RegimeCoverage:
    """One regime: how many of its items have codes, from where, and how many codes those are."""

    regime: str
    items: int
    in_law: int
    """Items whose codes the instrument itself has."""
    mapped: int
    """Items whose words we mapped to codes."""
    without: int
    """Items, or whole lists, without a code in the data."""
    unverified: int
    """Items whose basis is knowledge."""
    whole_codes: int
    """Codes that the regime covers without a condition in words."""
    part_codes: int
    """Codes of which it covers a part."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """All regimes, and the agreement of those that have codes."""

    regimes: list[RegimeCoverage]
    names: list[str]
    """Of the rows and columns of both tables."""
    agreement: list[list[float]]
    """Jaccard index with the codes that are covered in part."""
    agreement_without_ex: list[list[float | None]]
    """Without them; None where one of the two has no code that it covers whole: then nothing can be compared."""
    hs_version: int
    digits: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Codes of two sets."""

    only_first: list[str]
    only_second: list[str]
    both: list[str]


def codes_in(
    rules: Sequence[Rule], hs_version: int, on: date | None = None, with_ex: bool = True, digits: int = 6
) -> frozenset[str]:
    """The codes that any of some rules covers, of those that are, or may be, in force on a day.

    >>> rules = ControlLists.shipped().of(["UN"]).rules
    >>> "870324" in codes_in(rules, 2017, date(2017, 6, 1)), "870324" in codes_in(rules, 2017, date(2017, 6, 1), False)
    (True, False)
    """
    found: set[str] = set()
    for rule in rules:
        if on is None or rule.in_force(on) is not False:
            for code, doubt in codes_of(rule, hs_version).items():
                if with_ex or not (doubt or rule.is_ex):
                    found.add(code[:digits])
    return frozenset(found)


def coverage(lists: ControlLists, hs_version: int = 2017, digits: int = 6, on: date | None = None) -> Coverage:
    """How much of each regime stands in codes of a version, and how far the regimes agree.

    >>> made = coverage(ControlLists.shipped().of(["UN", "Republic of Korea"]))
    >>> [(row.regime, row.items, row.in_law, row.mapped) for row in made.regimes]
    [('UN', 23, 4, 19), ('Republic of Korea', 13, 0, 13)]
    """
    rows, sets, sure = [], {}, {}
    for regime in lists.regimes():
        rules = [rule for rule in lists.rules if rule.regime == regime]
        if on is not None:
            rules = [rule for rule in rules if rule.in_force(on) is not False]
        if not rules:
            continue
        every, whole = codes_in(rules, hs_version, on, True, digits), codes_in(rules, hs_version, on, False, digits)
        rows.append(_row(regime, rules, len(whole), len(every - whole)))
        if every:
            sets[regime], sure[regime] = every, whole
    names = list(sets)
    return Coverage(
        rows,
        names,
        [[jaccard(sets[a], sets[b]) or 0.0 for b in names] for a in names],
        [[jaccard(sure[a], sure[b]) for b in names] for a in names],
        hs_version,
        digits,
    )


def _row(regime: str, rules: Sequence[Rule], whole: int, part: int) -> RegimeCoverage:
    items: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        items.setdefault((rule.item, rule.text), []).append(rule)
    kinds = ["law" if any(r.codes_from == "law" for r in of) else of[0].codes_from for of in items.values()]
    unverified = sum(not all(rule.verified for rule in of) for of in items.values())
    return RegimeCoverage(
        regime, len(items), kinds.count("law"), kinds.count("ours"), kinds.count(""), unverified, whole, part
    )


def jaccard(a: frozenset[str], b: frozenset[str]) -> float | None:
    """Codes in both over codes in either, None where one of them has none.

    >>> jaccard(frozenset("ab"), frozenset("bc")), jaccard(frozenset("ab"), frozenset())
    (0.3333333333333333, None)
    """
    return len(a & b) / len(a | b) if a and b else None


def difference(a: frozenset[str], b: frozenset[str]) -> Difference:
    """Which codes are only in one of two sets.

    >>> difference(frozenset({"870324", "870310"}), frozenset({"870324"})).only_first
    ['870310']
    """
    return Difference(sorted(a - b), sorted(b - a), sorted(a & b))


def by_heading(codes: Sequence[str], hs_version: int) -> list[tuple[str, int, str]]:
    """Codes counted by heading: the heading, how many of its subheadings, and what it says.

    >>> by_heading(["870310", "870324"], 2017)[0][:2]
    ('8703', 2)
    """
    counts: dict[str, int] = {}
    for code in codes:
        counts[code[:4]] = counts.get(code[:4], 0) + 1
    return [(heading, n, hs.description(heading, hs_version)) for heading, n in sorted(counts.items())]
