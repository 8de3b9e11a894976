"""Signals of the factor "value": what the goods are worth, and whether lists say that they may not be sold.

The value of the goods alone alarms nobody: an embassy's armoured car is dear, listed, and lawful.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cargo.chain import Chain, Chains, Strand
from cargo.control_judge import CANNOT_TELL, CONTROLLED, NOT_CONTROLLED
from cargo.leg import Leg, rows_of
from cargo.legtable import coded
from cargo.lexicon import is_vague
from cargo.readings import Controls, Readings
from cargo.score import Signal

VALUE_BANDS = ((3.0, 0.0), (10.0, 1.0 / 3.0), (50.0, 2.0 / 3.0))
"""Unit value over the median of its peers: below the first number the second one; 50 times and more is 1."""
LEAST_PEERS = 5
"""A median of fewer other goods says nothing."""
SOME_FALL, GREAT_FALL = 0.1, 0.5
"""Share of the unit value that is lost on the way: up to the first is freight and rates, from the second on it is 1."""


@dataclass(frozen=True)
class Peers:
    """Median unit value in USD of the goods in the file, by HS6 and by HS4, with how many goods stand behind it."""

    medians: dict[str, tuple[float, int]]

    @classmethod
    def of(cls, chains: Chains) -> Peers:
        """From all goods of all chains, each counted once: by the first leg that states a value, or a code."""
        table, codes = chains.table, coded(chains.table.shipments, "hs_code")
        long = np.array([len(code) >= 6 for code in codes.values])[codes.codes]
        code_of = table.first_known(codes.codes, long | (codes.codes > 0))
        code_of = np.where(table.first_known(long, long), table.first_known(codes.codes, long), code_of)
        units, numbers = table.unit_value_usd.tolist(), code_of.tolist()
        values: dict[str, list[float]] = {}
        for head in chains.all_heads():
            way = chains.way(head)
            unit = next((units[leg] for leg in way if units[leg] == units[leg]), None)
            if unit is None:
                continue
            texts = [codes.values[numbers[leg]] for leg in way]
            code = next((text[:6] for text in texts if len(text) >= 6), max(texts, key=len))
            for level in {code[:4], code}:
                values.setdefault(level, []).append(unit)
        return cls({code: (statistics.median(units), len(units)) for code, units in values.items() if code})


def unit_value_usd(legs: Sequence[Leg]) -> float | None:
    """The first value per unit in USD that any leg states; None if none does."""
    for leg in legs:
        for row in leg.rows:
            if row.quantity > 0.0 and row.value_usd > 0.0:
                return float(row.value_usd / row.quantity)
    return None


def hs6_of(legs: Sequence[Leg]) -> str:
    """The first HS code with six digits or more, as HS6; else the longest stated."""
    codes = [code for leg in legs for code in leg.texts("hs_code")]
    return next((code[:6] for code in codes if len(code) >= 6), max(codes, key=len, default=""))


def value_signals(chain: Chain, peers: Peers, controls: Controls, readings: Readings) -> list[Signal]:
    """The signals of this factor."""
    return [
        _unit_value(chain, peers),
        _luxury(chain, readings),
        _controlled(chain, controls),
        _over_threshold(chain, controls),
        _falling(chain),
    ]


def _unit_value(chain: Chain, peers: Peers) -> Signal:
    name, strand = "unit value", chain.strands[0]
    unit = unit_value_usd(strand.legs)
    if unit is None:
        return Signal(name, None, "no value in USD with a quantity is stated")
    code, own = hs6_of(strand.legs), len(chain.strands)
    for level in dict.fromkeys((code, code[:4])):
        median, n = peers.medians.get(level, (0.0, 0))
        if median > 0.0 and n - own >= LEAST_PEERS:
            ratio = unit / median
            value = next((v for edge, v in VALUE_BANDS if ratio < edge), 1.0)
            why = f"USD {unit:,.0f} a unit, {ratio:.3g} times the median of {n} goods of HS {level} in this file"
            return Signal(name, value, why, rows_of(strand.legs[:1]))
    return Signal(name, None, f"fewer than {LEAST_PEERS} other goods of HS {code[:4] or 'code unknown'} in this file")


def _luxury(chain: Chain, readings: Readings) -> Signal:
    """By the lexicon: words that themselves speak of a luxury item, with the categories of the lists that they name."""
    name, read = "luxury item", readings.of(chain)
    words = sorted({word for goods in read for word in goods.luxury})
    kinds = sorted({kind for goods in read for kind in goods.categories})
    if words:
        of = f", of the category {', '.join(kinds)}" if kinds else ""
        return Signal(name, 1.0, f"described with {', '.join(words)}{of}", rows_of(chain.legs))
    if any(goods.headings and not is_vague(goods.text) for goods in read):
        return Signal(name, 0.0, "no description speaks of a luxury item", rows_of(chain.legs))
    return Signal(name, None, "the descriptions name no kind of goods")


def _controlled(chain: Chain, controls: Controls) -> Signal:
    """1 controlled, 0 not controlled; what no list can tell, and what no rule that is known has to do with, unknown."""
    name, answer = "controlled goods", controls.of(chain)
    if not answer.verdicts:
        return Signal(name, None, f"no rule about {', '.join(controls.countries)} is in the data")
    verdict = answer.verdicts[0]
    value = {CONTROLLED: 1.0, NOT_CONTROLLED: 0.0}.get(answer.status)
    label = f"{verdict.rule.label}: " if verdict.rule else ""
    basis = f"; basis: {verdict.basis}" if verdict.rule else ""
    why = f"{answer.status}, {answer.way}: {label}{verdict.reason}{basis}"
    return Signal(name, value, why, rows_of(chain.legs) if value is not None else ())


def _over_threshold(chain: Chain, controls: Controls) -> Signal:
    """Only rules with a limit of value; one that is by knowledge alone cannot tell."""
    name, verdicts = "above a control list's threshold", controls.of(chain).verdicts
    limited = [verdict for verdict in verdicts if verdict.rule and verdict.rule.limit is not None]
    for status, value in ((CONTROLLED, 1.0), (CANNOT_TELL, None)):
        if one := next((verdict for verdict in limited if verdict.status == status), None):
            assert one.rule is not None
            evidence = rows_of(chain.legs) if value is not None else ()
            return Signal(name, value, f"{one.rule.label}: {one.reason}; basis: {one.basis}", evidence)
    if under := next((verdict for verdict in limited if "is not above" in verdict.reason), None):
        return Signal(name, 0.0, under.reason, rows_of(chain.legs))
    missing = {v.regime for v in verdicts if v.rule and not v.rule.patterns and v.status == CANNOT_TELL}
    if missing or not verdicts:
        of = f"; not in the data: the items of {', '.join(sorted(missing))}" if missing else ""
        return Signal(name, None, f"no rule in the data that has to do with the goods has a limit of value{of}")
    return Signal(name, 0.0, "no rule that has to do with the goods has a limit of value")


def fall_of(strand: Strand) -> float | None:
    """The greatest share of the unit value that is lost between two legs that state one; None where fewer than two do.

    Each leg counts by its highest statement, so that two records of one leg are no fall.
    """
    stated = []
    for leg in strand.legs:
        units = [row.value_usd / row.quantity for row in leg.rows if row.quantity > 0.0 and row.value_usd > 0.0]
        stated += [max(units)] if units else []
    if len(stated) < 2:
        return None
    return max(max(1.0 - later / earlier, 0.0) for i, earlier in enumerate(stated) for later in stated[i + 1 :])


def _falling(chain: Chain) -> Signal:
    name = "value falling on the way"
    falls = [fall for strand in chain.strands if (fall := fall_of(strand)) is not None]
    if falls and max(falls) > SOME_FALL:
        fall = max(falls)
        value = min((fall - SOME_FALL) / (GREAT_FALL - SOME_FALL), 1.0)
        return Signal(name, value, f"a later leg states {fall:.0%} less a unit", rows_of(chain.legs))
    if chain.legs[-1].texts("cleared") == ["yes"]:
        return Signal(name, 0.0, "customs cleared the goods at the value declared", rows_of(chain.legs[-1:]))
    if len(falls) == len(chain.strands) and all(leg.first("value_usd") > 0.0 for leg in chain.legs):
        return Signal(name, 0.0, "the legs state the same value a unit, or more", rows_of(chain.legs))
    n = sum(bool(leg.first("value_usd") > 0.0) for leg in chain.legs)
    return Signal(name, None, f"{n} of {len(chain.legs)} legs state a value")
