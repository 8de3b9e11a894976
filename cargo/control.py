"""Control lists: whether goods may be traded with a country on a day, under each rule that has to do with their code.

A verdict is *controlled*, *not controlled*, or *cannot tell* with the reason: a price or unit is missing, the rule
covers a part of the code and the text does not say which, the row rests on knowledge only, the list's items are not in
the data. Where no rule in force has to do with a code there is one more verdict, *no rule known*, which is not "not
controlled": several lists are not in the data, and some are not exhaustive. What was not said of a shipment and had to
be taken for granted stands in `assumes`.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from ais.table import NAT
from cargo import hs
from cargo.control_cover import Cover, Covers, versions_for
from cargo.control_facts import Facts
from cargo.control_judge import CANNOT_TELL, CONTROLLED, NO_RULE, NOT_CONTROLLED, judge
from cargo.control_rule import Rule, rule_of
from geo.errors import InputError, UsageError

STATUSES = (CONTROLLED, CANNOT_TELL, NO_RULE, NOT_CONTROLLED)
"""Every status of a verdict, the gravest first."""
_SHIPPED = Path(__file__).parent / "tables" / "regimes.csv"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of goods; `rule` is None where there is none to name."""

    status: str
    reason: str
    rule: Rule | None = None
    assumes: tuple[str, ...] = ()
    """What was not said and is taken for granted, as "the goods go to KP"."""

    @property
    def regime(self) -> str:
        """Whose rule it is, "" without one."""
        return self.rule.regime if self.rule else ""

    @property
    def instrument(self) -> str:
        """Where the rule stands, "" without one."""
        return self.rule.item if self.rule else ""

    @property
    def basis(self) -> str:
        """What the row rests on, with the mark UNVERIFIED where nobody has compared it with the law."""
        return self.rule.basis_words if self.rule else ""

    def as_row(self) -> dict[str, Any]:
        """The verdict with its rule, as JSON can hold it."""
        row: dict[str, Any] = {"status": self.status, "reason": self.reason, "assumes": list(self.assumes)}
        if self.rule:
            row |= {"regime": self.regime, "item": self.rule.item, "text": self.rule.text, "target": self.rule.target}
            row |= {"hs": ";".join(self.rule.patterns), "valid_from": self.rule.valid_from}
            row |= {"basis": self.basis, "verified": self.rule.verified, "source": self.rule.source}
        return row


class ControlLists:
    """Rules of control lists, and the questions that can be asked of them.

    Examples
    --------
    >>> from datetime import date
    >>> lists = ControlLists.shipped()
    >>> car = lists.check(hs_code="870324", date=date(2018, 10, 1), destination="KP", regimes=["UN"])
    >>> car[0].status, car[0].instrument, car[0].reason
    ('controlled', 'UNSCR 2397 (2017) OP7', 'HS 870324 is under 86;87;88;89')
    >>> [v.status for v in lists.check(hs_code="870324", date=date(2017, 6, 1), destination="KP", regimes=["UN"])]
    ['cannot tell', 'cannot tell', 'not controlled']
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self.covers = Covers(self.rules)
        self.pointers = tuple(rule for rule in self.rules if not rule.patterns)
        """Rules that stand for a list whose items are not in the data."""
        self._regimes = tuple(dict.fromkeys(rule.regime for rule in self.rules))
        self._parts: dict[tuple[tuple[str, ...], str | None], ControlLists] = {}
        self._pointed: dict[tuple[Any, ...], list[Verdict]] = {}

    @classmethod
    def shipped(cls) -> ControlLists:
        """The lists of `tables/regimes.csv`, whatever was imported."""
        return _shipped()

    @classmethod
    def known(cls) -> ControlLists:
        """The shipped lists, with those that `luxwake lists import` added; an imported regime takes the place of the
        shipped one of its name. Raises InputError when an imported table is damaged."""
        from cargo.control_import import imported_tables

        own = [rule for path in imported_tables() for rule in read_rules(path)]
        taken = {rule.regime for rule in own}
        return cls([rule for rule in cls.shipped().rules if rule.regime not in taken] + own) if own else cls.shipped()

    @property
    def version(self) -> str:
        """Which rules these are, for the parameters of a finding: a digest of all of them, and how many.

        >>> ControlLists.shipped().version.split(": ")[1]
        '160 rules of 22 regimes'
        """
        digest = hashlib.blake2b(repr(self.rules).encode("utf-8", "replace"), digest_size=6).hexdigest()
        n = len(self._regimes)
        return f"{digest}: {len(self.rules)} rules of {n} regime{'s' * (n != 1)}"

    def regimes(self) -> tuple[str, ...]:
        """The regimes, in the order of the table."""
        return self._regimes

    def with_unverified(self) -> tuple[str, ...]:
        """The regimes of which a rule with codes rests on knowledge only: what is made of them must say so."""
        return tuple(dict.fromkeys(rule.regime for rule in self.rules if rule.patterns and not rule.verified))

    def of(self, regimes: Sequence[str] | None = None, target: str | None = None) -> ControlLists:
        """Only these regimes, and only the rules about one country; UsageError for a regime that is not there."""
        names = tuple(regime_named(self._regimes, name) for name in regimes) if regimes else self._regimes
        if (names, target) not in self._parts:
            kept = [rule for rule in self.rules if rule.regime in names and target in (None, rule.target)]
            self._parts[names, target] = self if len(kept) == len(self.rules) else ControlLists(kept)
        return self._parts[names, target]

    def check(
        self,
        *,
        hs_code: str = "",
        date: Date | None = None,
        description: str = "",
        value: float | None = None,
        currency: str = "",
        quantity: float | None = None,
        unit: str = "",
        origin: str = "",
        destination: str = "",
        direction: str = "",
        transit: Sequence[str] = (),
        flag: str = "",
        persons: Sequence[str] = (),
        hs_version: int | None = None,
        regimes: Sequence[str] | None = None,
    ) -> list[Verdict]:
        """What every rule that has to do with a code says of one shipment, the gravest verdict first.

        Parameters
        ----------
        hs_code
            Digits, with their leading zeros; "" unknown.
        date
            The day of the shipment, which decides what is in force and which version of the nomenclature is meant.
        description
            The text of the document; it decides what a code leaves open.
        value, currency, quantity, unit
            Of the whole line: 60,000 USD for 2 units.
        origin, destination, transit, flag, persons
            Countries (ISO 3166 alpha-2): from where, to where, through which, the ship's flag, of those who took part.
        direction
            "export" (to the country of the rule), "import" (from it) or "transit"; "" for any.
        hs_version
            The version of `hs_code`, where it is known.
        regimes
            Only these.

        Raises
        ------
        UsageError
            A parameter that cannot be meant: a code that is no code, a country of three letters.
        """
        facts = Facts.of(
            description, value, currency, quantity, unit, origin, destination, direction, transit, flag, persons
        )
        lists = self.of(regimes)
        if hs_version is not None:
            hs.codes(hs_version)  # raises for a version that is not known
        date = date.date() if isinstance(date, datetime) else date
        digits = hs.code_of(hs_code) if hs_code else ""
        return lists.judge_code(digits, hs_version, date, facts)

    def _of_pointers(self, on: Date | None, facts: Facts) -> list[Verdict]:
        """The verdicts of the lists that are not in the data: the same whatever the goods are."""
        key = (on, facts.way)
        if key not in self._pointed:
            self._pointed[key] = [_verdict(Cover(rule, ""), "", on, facts) for rule in self.pointers]
        return self._pointed[key]

    def judge_code(self, code: str, hs_version: int | None, on: Date | None, facts: Facts) -> list[Verdict]:
        """`check`, when what was said of the goods has been looked at already."""
        if not code or code.startswith("99"):
            why = "no HS code is given" if not code else f"HS {code} says that the goods were not classified"
            return [Verdict(CANNOT_TELL, f"{why}; find the code by the text first")]
        version = hs_version or (hs.version_in_force(on) if on else None)
        versions = versions_for(code, version)
        if not versions:
            return [Verdict(CANNOT_TELL, f"no version of the nomenclature that is known has HS {code}")]
        covers = self.covers.of_code(code, versions)
        verdicts = [_verdict(cover, code, on, facts) for cover in covers]
        verdicts += self._of_pointers(on, facts)
        if all(cover.rule.in_force(on) is False for cover in covers):
            names = f"{len(self.regimes())} regimes" if len(self.regimes()) > 1 else "".join(self.regimes())
            then = " and is in force on that day" if on else ""
            verdicts.append(Verdict(NO_RULE, f"no rule of {names} in the data has to do with HS {code}{then}"))
        return sorted(verdicts, key=_gravity)


def _verdict(cover: Cover, code: str, on: Date | None, facts: Facts) -> Verdict:
    status, reason, assumes = judge(cover, code, on, facts)
    return Verdict(status, reason, cover.rule, assumes)


def _gravity(verdict: Verdict) -> tuple[int, bool, bool, int]:
    """The gravest status first, then rules before whole lists, verified before unverified, fewer doubts before more."""
    rule = verdict.rule
    pointer, unverified = (not rule.patterns, not rule.verified) if rule else (False, False)
    return STATUSES.index(verdict.status), pointer, unverified, verdict.reason.count("; ")


def overall(verdicts: Sequence[Verdict]) -> str:
    """One status for all verdicts on one shipment: what can be said without hiding what is not known.

    "not controlled" only when a rule in force says so, none is in doubt, and no list is missing from the data.
    """
    statuses = {v.status for v in verdicts}
    if CONTROLLED in statuses:
        return CONTROLLED
    if any(v.status == CANNOT_TELL and not (v.rule and not v.rule.patterns) for v in verdicts):
        return CANNOT_TELL
    return next((status for status in (NO_RULE, CANNOT_TELL, NOT_CONTROLLED) if status in statuses), NO_RULE)


def banned_from(country: str, hs_code: str, date: Date | None, lists: ControlLists | None = None) -> list[Verdict]:
    """The verdicts of the rules that ban the import of goods from a country; [] where none has to do with the code.

    By the shipped lists where no others are given.

    >>> from datetime import date
    >>> [(v.status, v.rule.text) for v in banned_from("KP", "270111", date(2018, 11, 1))]
    [('cannot tell', 'Coal (from DPRK)')]
    """
    if not hs_code:
        return []
    found = (
        (lists or ControlLists.shipped())
        .of(target=country)
        .check(hs_code=hs_code, date=date, origin=country, direction="import")
    )
    return [v for v in found if v.status in (CONTROLLED, CANNOT_TELL) and v.rule and v.rule.patterns]


def ban_of(country: str, hs_code: str, t_us: int, lists: ControlLists | None = None) -> str:
    """The gravest of `banned_from` in words, with its mark; "" where there is none. Time in µs since 1970, or `NAT`.

    >>> ban_of("KP", "270111", 1_541_030_400_000_000)
    'UN, UNSCR 2371 (2017) OP8; basis: knowledge-high; heading mapped by us, UNVERIFIED'
    """
    day = None if t_us == NAT else Date(1970, 1, 1) + timedelta(microseconds=t_us)
    found = banned_from(country, hs_code, day, lists)
    return f"{found[0].rule.label}; basis: {found[0].basis}" if found and found[0].rule else ""


def regime_named(known: Sequence[str], name: str) -> str:
    """The regime that a name means, in any case, when only one can be meant ("rok" no, "korea" yes).

    >>> regime_named(("UN", "Republic of Korea"), "korea")
    'Republic of Korea'
    """
    folded = name.casefold()
    exact = [regime for regime in known if regime.casefold() == folded]
    alike = exact or [regime for regime in known if folded and folded in regime.casefold()]
    if len(alike) != 1:
        why = f"may be {', '.join(alike)}" if alike else f"is not one of {', '.join(known)}"
        raise UsageError(f"regime {name[:40]!r} {why}")
    return alike[0]


def read_rules(path: Path) -> list[Rule]:
    """The rules of a table with the columns of `control_rule.COLUMNS`, as it is shipped or was imported."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows: list[Mapping[str, str]] = list(csv.DictReader(lines, strict=True))
        return [rule_of(row) for row in rows]
    except (OSError, ValueError, csv.Error) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise InputError(f"{path}: no table of rules ({why}); `luxwake lists import --remove`, import again") from None


@cache
def _shipped() -> ControlLists:
    return ControlLists(read_rules(_SHIPPED))
