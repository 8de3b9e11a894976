"""Which rules have to do with a code, and whether with all of it.

The codes of a rule are those of its own version; in another version they are what the n:m tables make of them. A code
that holds goods of other codes too is covered in part. Whole chapters keep their number: chapter 87 is chapter 87 in
every version.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from cargo import hs
from cargo.control_rule import Rule

_MERGED = "HS {code} of {version} holds goods of other codes than those of the rule (HS {own})"
_EIGHT = "the rule names {pattern}, a part of HS {code}"


class Cover(NamedTuple):
    """That a rule has to do with a code; `doubt` is "" when with all of it, else why only with a part."""

    rule: Rule
    doubt: str


class Covers:
    """The codes of rules, found again by code and version."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = [rule for rule in rules if rule.patterns]
        self._by_version: dict[int, dict[str, list[Cover]]] = {}
        self.of_code = lru_cache(maxsize=65_536)(self._of_code)
        """Covers of a code of 2, 4 or 6 digits that may be of any of some versions; () where none is touched."""

    def _of_code(self, code: str, versions: Sequence[int]) -> tuple[Cover, ...]:
        found: dict[int, list[Cover]] = defaultdict(list)
        for version in versions:
            for cover in self._in_version(code, version):
                found[id(cover.rule)].append(cover)
        made = []
        for covers in found.values():
            doubt = next((cover.doubt for cover in covers if cover.doubt), "")
            if len(covers) < len(versions):
                doubt = f"HS version unknown: HS {code} means other goods in some of {', '.join(map(str, versions))}"
            made.append(Cover(covers[0].rule, doubt))
        return tuple(made)

    def _in_version(self, code: str, version: int) -> list[Cover]:
        table = self._table(version)
        if len(code) == 6:
            return table.get(code, [])
        under = hs.expand(code, version)
        touched: dict[int, list[Cover]] = defaultdict(list)
        for child in under:
            for cover in table.get(child, ()):
                touched[id(cover.rule)].append(cover)
        made = []
        for covers in touched.values():
            doubt = next((cover.doubt for cover in covers if cover.doubt), "")
            if len(covers) < len(under):
                doubt = f"HS {code} has only {len(code)} digits, and the rule covers {len(covers)} of the {len(under)} "
                doubt += "subheadings under it"
            made.append(Cover(covers[0].rule, doubt))
        return made

    def _table(self, version: int) -> dict[str, list[Cover]]:
        if version not in self._by_version:
            table: dict[str, list[Cover]] = defaultdict(list)
            for rule in self.rules:
                for code, doubt in codes_of(rule, version).items():
                    table[code].append(Cover(rule, doubt))
            self._by_version[version] = dict(table)
        return self._by_version[version]


def codes_of(rule: Rule, version: int) -> dict[str, str]:
    """The six-digit codes of a version that a rule covers, each with "" for the whole or why only in part.

    >>> from cargo.control_rule import rule_of
    >>> cars = rule_of({"regime": "X", "item": "1", "target": "KP", "hs": "870322", "hs_version": "2012"})
    >>> sorted(codes_of(cars, 2017)), codes_of(cars, 2012)
    (['870322', '870340', '870360'], {'870322': ''})
    """
    if rule.hs_version is None:
        return {}
    found: dict[str, str] = {}
    own: dict[str, str] = {}
    for pattern in rule.patterns:
        if re.fullmatch(r"\d\d(-\d\d)?", pattern):
            found |= dict.fromkeys(hs.expand(pattern, version), "")
        part = any(end[6:].strip("0") for end in pattern.split("-"))
        for code in hs.expand(pattern, rule.hs_version):
            own[code] = _EIGHT.format(pattern=pattern, code=code) if part else ""
    forward, back = hs.relation(rule.hs_version, version), hs.relation(version, rule.hs_version)
    for code in own:
        for other in forward.get(code, ()):
            if other not in found:
                sources = back[other]
                doubt = next((own[source] for source in sorted(sources) if own.get(source)), "")
                if not sources <= own.keys():
                    doubt = _MERGED.format(code=other, version=version, own=rule.hs_version)
                found[other] = doubt
    return found


def versions_for(code: str, in_force: int | None) -> tuple[int, ...]:
    """The versions that a declared code may be of: the one in force if it has the code, else all that have it.

    >>> versions_for("870340", 2017), versions_for("870340", 2012), versions_for("870324", None)
    ((2017,), (2017, 2022), (2007, 2012, 2017, 2022))
    """
    known = hs.versions_of(code)
    return (in_force,) if in_force in known else known
