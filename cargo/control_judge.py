"""One rule on one shipment: controlled, not controlled, or why it cannot be told."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from cargo.control_cover import Cover
from cargo.control_facts import Facts
from cargo.control_rule import UNVERIFIED, Rule

CONTROLLED = "controlled"
NOT_CONTROLLED = "not controlled"
CANNOT_TELL = "cannot tell"
NO_RULE = "no rule known"

EU = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
"""Since 1 July 2013, without the United Kingdom."""
_WORDS_SHOWN = 100
"""Characters of an item that a reason repeats."""
_BREXIT = date(2021, 1, 1)
"""The law of the Union held in the United Kingdom until the end of 2020."""
_CROATIA = date(2013, 7, 1)
_BULGARIA_ROMANIA = date(2007, 1, 1)

Answer = tuple[str, str, tuple[str, ...]]
"""Status, reason, and what was assumed."""


class _Not(Exception):
    """The rule does not hold; why, and whether it is the row's own words that say so."""

    def __init__(self, reason: str, by_the_row: bool = True) -> None:
        super().__init__(reason)
        self.reason, self.by_the_row = reason, by_the_row


def judge(cover: Cover, code: str, on: date | None, facts: Facts) -> Answer:
    """What a rule that has to do with a code says of a shipment."""
    rule = cover.rule
    doubts: list[str] = []
    assumes: list[str] = []
    notes = [f"HS {code} is under {';'.join(rule.patterns)}"] if rule.patterns else []
    try:
        _dates(rule, on, doubts)
        _sides(rule, facts, assumes)
        _jurisdiction(rule, facts, on, doubts, assumes)
        if not rule.patterns:
            doubts.append("the list's items are not in the data")
        elif cover.doubt:
            doubts.append(cover.doubt)
        _words(rule, facts, doubts, notes)
        _limit(rule, facts, doubts, notes)
    except _Not as no:
        if no.by_the_row and not rule.verified:
            return CANNOT_TELL, f"{no.reason} by a row that nobody has verified", tuple(assumes)
        return NOT_CONTROLLED, no.reason, tuple(assumes)
    if not rule.verified:
        doubts.append(f"the row rests on knowledge only ({UNVERIFIED})")
    if doubts:
        return CANNOT_TELL, "; ".join(doubts), tuple(assumes)
    return CONTROLLED, "; ".join(notes), tuple(assumes)


def _dates(rule: Rule, on: date | None, doubts: list[str]) -> None:
    in_force = rule.in_force(on)
    if in_force is False:
        # a day outside the rule's time makes the rule silent, and that much a date in an unverified row may say
        began = not rule.valid_from or str(on) >= rule.valid_from
        raise _Not(f"no longer in force: ended {rule.valid_to}" if began else f"in force from {rule.valid_from}", False)
    if on is None:
        doubts.append("the date is missing")
    elif in_force is None:
        span = f"{rule.valid_from or '?'} to {rule.valid_to or 'now'}"
        doubts.append(f"whether the rule was in force on that day is not known ({span})")


def _sides(rule: Rule, facts: Facts, assumes: list[str]) -> None:
    """Whether the goods go the way that the rule is about."""
    wanted = [d for d in rule.directions if not facts.direction or d == facts.direction]
    if facts.direction == "transit" and not wanted:
        wanted = [d for d in rule.directions if d == "export"]  # what may not be sent there may not be sent on either
    if not wanted:
        raise _Not(f"the rule is on {' and '.join(rule.directions)}, not on {facts.direction}", False)
    sides = {"import": (facts.origin, "come from"), "export": (facts.destination, "go to")}
    open_sides = []
    for way in wanted:
        where, verb = sides["import" if way == "import" else "export"]
        if where == rule.target:
            return
        if not where:
            open_sides.append(f"the goods {verb} {rule.target}")
    if not open_sides:
        where, verb = sides["import" if wanted == ["import"] else "export"]
        raise _Not(f"the goods {verb} {where}, and the rule is on {rule.target}", False)
    assumes.append(" or ".join(open_sides))


@lru_cache(maxsize=4096)
def countries_of(territory: tuple[str, ...], on: date | None) -> frozenset[str]:
    """The countries of a territory on a day."""
    found: set[str] = set()
    for name in territory:
        if name != "EU":
            found.add(name)
            continue
        day = on or date.max
        found |= EU | ({"GB"} if day < _BREXIT else set())
        found -= {"HR"} if day < _CROATIA else set()
        found -= {"BG", "RO"} if day < _BULGARIA_ROMANIA else set()
    return frozenset(found)


def _jurisdiction(rule: Rule, facts: Facts, on: date | None, doubts: list[str], assumes: list[str]) -> None:
    """Whether the regime has a say: by any one of its tests; unknown ones leave it open."""
    if "any" in rule.tests:
        return
    trader = facts.destination if rule.target == facts.origin else facts.origin
    trader = "" if trader == rule.target else trader
    said = {
        "exporter": (trader,) if trader else (),
        "transit": facts.transit,
        "flag": (facts.flag,) if facts.flag else (),
        "person": facts.persons,
        "item": (),
    }
    given = [country for test in rule.tests for country in said[test]]
    unknown = [test for test in rule.tests if not said[test]]
    if not countries_of(rule.territory, on).isdisjoint(given):
        return
    names = "/".join(rule.territory)
    if not given:
        assumes.append(f"{names} has jurisdiction")
    elif unknown:
        doubts.append(f"{', '.join(dict.fromkeys(given))} is not {names}, and {', '.join(unknown)} is not known")
    else:
        raise _Not(f"no jurisdiction of {names} by {', '.join(rule.tests)}", False)


def _words(rule: Rule, facts: Facts, doubts: list[str], notes: list[str]) -> None:
    """Which part of the code is meant, where it is only a part."""
    if not rule.is_ex:
        return
    if not rule.qualifiers and rule.patterns:
        words = rule.text if len(rule.text) <= _WORDS_SHOWN else f"{rule.text[:_WORDS_SHOWN]}..."
        doubts.append(f"the item covers only a part of the code: {words}")
    for qualifier in rule.qualifiers:
        holds, word = facts.says(qualifier)
        if holds is False:
            raise _Not(f"the text says {word!r}, and the item is on {qualifier}")
        if holds is None:
            doubts.append(f"the item covers only a part of the code, and the text does not say whether {qualifier}")
        else:
            notes.append(f"the text says {word!r}: consistent with {qualifier}")


def _limit(rule: Rule, facts: Facts, doubts: list[str], notes: list[str]) -> None:
    """Whether the value is above the limit of the rule, if it has one."""
    if rule.limit is None:
        return
    much, what = rule.per
    above = f"{rule.currency} {rule.limit:,.0f} per {f'{much:g} ' if much != 1.0 else ''}{what}"
    if facts.value is None:
        doubts.append(f"the price is missing, and the limit is {above}")
        return
    if facts.currency != rule.currency:
        doubts.append(f"the value is in {facts.currency or 'an unknown currency'}, and the limit is {above}")
        return
    if what == "item" and facts.value <= rule.limit * much:
        raise _Not(f"{facts.currency} {facts.value:,.0f} for all is not above {above}")
    amount = facts.amount(what)
    if amount is None:
        doubts.append(f"the quantity in {what} is missing, and the limit is {above}")
        return
    each = facts.value / amount * much
    if each <= rule.limit:
        raise _Not(f"{facts.currency} {each:,.2f} is not above {above}")
    notes.append(f"{facts.currency} {each:,.2f} is above {above}")
