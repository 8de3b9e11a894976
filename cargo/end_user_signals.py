"""Signals of the factor "end user": who receives the goods, and whether anybody can be asked what became of them."""

from __future__ import annotations

from cargo.chain import Chain
from cargo.leg import rows_of
from cargo.lexicon import CONCEALING_ROLES, END_USER_ROLES, armour_word, is_vague, party_role, returned_word
from cargo.readings import Papers
from cargo.score import Signal


def end_user_signals(chain: Chain, papers: Papers) -> list[Signal]:
    """The signals of this factor."""
    return [_consignee(chain), _unnamed(chain, papers), _cleared(chain), _state_use(chain)]


def _consignee(chain: Chain) -> Signal:
    """1 if any consignee receives for somebody else, 0 if the last one can be asked; a company's name tells nothing."""
    name = "consignee"
    hiding = [
        (text, role)
        for leg in chain.legs
        for text in leg.texts("consignee")
        if (role := party_role(text)) in CONCEALING_ROLES
    ]
    if hiding:
        text, role = hiding[-1]
        return Signal(
            name, 1.0, f"consignee is {role if role == 'to order' else 'a ' + role}: {text}", rows_of(chain.legs)
        )
    last = [text for text in chain.legs[-1].texts("consignee") if party_role(text) != "missing"]
    roles = {party_role(text) for text in last}
    if last and roles <= END_USER_ROLES:
        return Signal(name, 0.0, f"the last consignee can be asked: {last[0]}", rows_of(chain.legs[-1:]))
    return Signal(name, None, "the last consignee's name states no role" if last else "no last consignee is stated")


def _unnamed(chain: Chain, papers: Papers) -> Signal:
    """1 where a paper has a placeholder for a party ("same as consignee"); an order is the consignee's signal."""
    name = "party not named"
    roles = ("shipper", "consignee")
    hidden = [
        (row, role)
        for leg in chain.legs
        for role in roles
        for row in leg.row_numbers
        if row in papers.placeholders(role)
    ]
    silent = [f"{role} of leg {i}" for i, leg in enumerate(chain.legs, 1) for role in roles if not any(leg.texts(role))]
    if hidden:
        row, role = hidden[0]
        return Signal(
            name, 1.0, f"row {row} has a placeholder for the {role}", tuple(f"row {row}" for row, _ in hidden)
        )
    if silent:
        return Signal(name, None, f"not stated: {', '.join(silent)}")
    return Signal(name, 0.0, "every leg names its shipper and its consignee", rows_of(chain.legs))


def _cleared(chain: Chain) -> Signal:
    """1 where customs' papers say so, or speak of a return shipment, a re-export or goods in transit."""
    name, last = "not cleared by customs", chain.legs[-1]
    said = last.texts("cleared")
    if said == ["yes"]:
        return Signal(name, 0.0, "cleared at the last port", rows_of([last]))
    refused = [leg for leg in chain.legs if "no" in leg.texts("cleared")]
    if refused and "yes" not in said:
        ports = ", ".join(leg.discharge_port or "port unknown" for leg in refused)
        return Signal(name, 1.0, f"not cleared for import at {ports}", rows_of(refused))
    for leg in chain.legs if "yes" not in said else ():
        words = [word for row in leg.rows if (word := returned_word(f"{row.source} ; {row.description}"))]
        if words:
            why = f"the papers to {leg.discharge_port or 'a port unknown'} say {words[0].lower()!r}"
            return Signal(name, 1.0, why, rows_of([leg]))
    return Signal(name, None, "sources differ on clearance" if "yes" in said else "clearance is not stated")


def _state_use(chain: Chain) -> Signal:
    name = "item for state use"
    texts = list(dict.fromkeys(text for leg in chain.legs for text in leg.texts("description")))
    found = sorted({word for text in texts if (word := armour_word(text))})
    if found:
        return Signal(name, 1.0, f"described with {', '.join(found)}", rows_of(chain.legs))
    if all(is_vague(text) for text in texts):
        return Signal(name, None, "the descriptions name no kind of goods")
    return Signal(name, 0.0, "no description speaks of an armoured vehicle", rows_of(chain.legs))
