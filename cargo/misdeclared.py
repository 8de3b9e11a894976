"""Goods that are declared as something else: by the code against the text, by what changes between the legs."""

from __future__ import annotations

from itertools import pairwise

from cargo.chain import Chain
from cargo.leg import rows_of
from cargo.lexicon import is_vague
from cargo.readings import Readings
from cargo.score import Signal
from cargo.value_signals import GREAT_FALL, fall_of

_NAME = "cargo misdeclared"


def misdeclared(chain: Chain, readings: Readings) -> Signal:
    """One of the families of techniques: true, false or unknown."""
    return _changed(chain) or _contradicted(chain, readings) or _nothing_against(chain, readings)


def _changed(chain: Chain) -> Signal | None:
    """A description that becomes vague, another code, or half of the value lost on the way."""
    first, last = chain.legs[0], chain.legs[-1]
    codes = [leg.hs6 for leg in chain.legs if leg.hs6]
    texts = [leg.texts("description") for leg in chain.legs]
    if len(chain.legs) > 1 and _was_clear(chain) and texts[-1] and all(is_vague(text) for text in texts[-1]):
        why = f"described as {texts[0][0]!r} at first, as {texts[-1][0]!r} at last"
        return Signal(_NAME, 1.0, why, rows_of([first, last]))
    if len({code[: min(map(len, codes))] for code in codes}) > 1:
        return Signal(_NAME, 1.0, f"HS code changes on the way: {', '.join(dict.fromkeys(codes))}", rows_of(chain.legs))
    falls = [fall for strand in chain.strands if (fall := fall_of(strand)) is not None]
    if falls and max(falls) >= GREAT_FALL:
        return Signal(_NAME, 1.0, f"a later leg states {max(falls):.0%} less a unit", rows_of(chain.legs))
    return None


def _was_clear(chain: Chain) -> bool:
    return any(not is_vague(text) for text in chain.legs[0].texts("description"))


def _contradicted(chain: Chain, readings: Readings) -> Signal | None:
    """A declared code that the text contradicts, or two legs whose texts are of different goods."""
    for leg in chain.legs:
        for goods in readings.of_leg(leg):
            if goods.plausibility == "contradicted":
                why = f"{goods.text!r} is declared as HS {goods.hs_code}: {goods.why}"
                return Signal(_NAME, 1.0, why, rows_of([leg]))
    told = [(leg, {goods.heading for goods in readings.of_leg(leg)} - {""}) for leg in chain.legs]
    told = [(leg, headings) for leg, headings in told if headings]
    for (a, before), (b, after) in pairwise(told):
        if {heading[:2] for heading in before}.isdisjoint(heading[:2] for heading in after):
            why = f"described as goods of heading {min(before)}, then of heading {min(after)}"
            return Signal(_NAME, 1.0, why, rows_of([a, b]))
    return None


def _nothing_against(chain: Chain, readings: Readings) -> Signal:
    last = chain.legs[-1]
    if last.texts("cleared") == ["yes"]:
        return Signal(_NAME, 0.0, "customs cleared the goods as declared", rows_of([last]))
    if len(chain.legs) > 1 and any(leg.hs6 for leg in chain.legs) and _was_clear(chain):
        return Signal(_NAME, 0.0, "code and description stay the same, and fit each other", rows_of(chain.legs))
    reasons = [goods.why for goods in readings.of(chain) if goods.plausibility == "cannot tell"]
    told = f"; code and text: {reasons[0]}" if reasons else ""
    return Signal(_NAME, None, f"one leg only, and no clearance to compare it with{told}")
