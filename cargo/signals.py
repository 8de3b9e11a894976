"""The signals of the five factors, computed from a case: each 0 to 1, or unknown with the reason.

Definitions after "Lux & Loaded" (C4ADS, 2019) as made computable in the reference of the project. What the data at
hand cannot say is unknown, never 0. Signals that need what Luxwake does not yet read (control lists, ownership,
watch-lists) stand as unknown, so that the bounds are honest about them.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cargo.case import SLACK_H, Case, suspicious_dark
from cargo.chain import Chain, Chains
from cargo.control import ban_of
from cargo.fleet import Fleet
from cargo.leg import Leg
from cargo.legtable import coded
from cargo.lexicon import (
    CONCEALING_ROLES,
    END_USER_ROLES,
    armour_word,
    is_vague,
    luxury_word,
    party_role,
)
from cargo.score import Signal
from cargo.techniques import handed_at_sea, no_event, rows_of, techniques
from detectors.event import DARK, GAP, RENDEZVOUS
from geo.sphere import distance_m

VALUE_BANDS = ((3.0, 0.0), (10.0, 1.0 / 3.0), (50.0, 2.0 / 3.0))
"""Unit value over the median of its peers: below the first number the second one; 50 times and more is 1."""
LEAST_PEERS = 5
"""A median of fewer other goods says nothing."""


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


def signals_of(
    fleet: Fleet, case: Case, peers: Peers, risk_countries: Sequence[str], min_score: float
) -> dict[str, list[Signal]]:
    """All signals of a case, by factor."""
    return {
        "value": [_unit_value(case.chain, peers), _luxury(case.chain), _over_threshold()],
        "end_user": [_consignee(case.chain), _cleared(case.chain), _state_use(case.chain)],
        "route": [
            _transhipments(case.chain),
            _detour(case.chain),
            _last_port(case),
            _risk_port(case, risk_countries, min_score),
            handed_at_sea(case),
        ],
        "parties": [_return_cargo(case), _other_events(fleet, case, min_score), _listed()],
        "obfuscation": techniques(fleet, case, min_score),
    }


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


def _descriptions(chain: Chain) -> list[str]:
    return list(dict.fromkeys(text for leg in chain.legs for text in leg.texts("description")))


def _worded(name: str, chain: Chain, found: list[str], what: str) -> Signal:
    if found:
        return Signal(name, 1.0, f"described with {', '.join(sorted(set(found)))}", rows_of(chain.legs))
    if all(is_vague(text) for text in _descriptions(chain)):
        return Signal(name, None, "the descriptions name no kind of goods")
    return Signal(name, 0.0, f"no description speaks of {what}", rows_of(chain.legs))


def _luxury(chain: Chain) -> Signal:
    found = [word for text in _descriptions(chain) if (word := luxury_word(text))]
    return _worded("luxury item", chain, found, "a luxury item")


def _state_use(chain: Chain) -> Signal:
    found = [word for text in _descriptions(chain) if (word := armour_word(text))]
    return _worded("item for state use", chain, found, "an armoured vehicle")


def _over_threshold() -> Signal:
    return Signal("above a control list's threshold", None, "no control list was given")


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


def _cleared(chain: Chain) -> Signal:
    name, last = "not cleared by customs", chain.legs[-1]
    said = last.texts("cleared")
    if said == ["yes"]:
        return Signal(name, 0.0, "cleared at the last port", rows_of([last]))
    refused = [leg for leg in chain.legs if "no" in leg.texts("cleared")]
    if refused and "yes" not in said:
        ports = ", ".join(leg.discharge_port or "port unknown" for leg in refused)
        return Signal(name, 1.0, f"not cleared for import at {ports}", rows_of(refused))
    return Signal(name, None, "sources differ on clearance" if "yes" in said else "clearance is not stated")


def _transhipments(chain: Chain) -> Signal:
    n = len(chain.legs) - 1
    why = f"{n} change{'s' * (n != 1)} of ship on record"
    return Signal("transhipments", min(n / 3.0, 1.0), why, rows_of(chain.legs) if n else ())


def _detour(chain: Chain) -> Signal:
    """Great-circle length of the legs over that from the first to the last port: 1 is 0, twice and more is 1."""
    from geo.ports import port_by_code

    name = "detour"
    codes = [code for leg in chain.legs for code in (leg.load_port, leg.discharge_port)]
    places = [port_by_code(code) if code else None for code in codes]
    if any(place is None for place in places):
        return Signal(name, None, "a port of the chain is not known")
    known = [place for place in places if place is not None]
    lengths = [float(distance_m(a.lat, a.lon, b.lat, b.lon)) for a, b in itertools.pairwise(known)]
    direct = float(distance_m(known[0].lat, known[0].lon, known[-1].lat, known[-1].lon))
    if direct < 1.0:
        return Signal(name, None, "the chain ends where it began")
    ratio = sum(lengths) / direct
    why = f"{ratio:.2f} times the great circle from {codes[0]} to {codes[-1]}"
    return Signal(name, min(max(ratio - 1.0, 0.0), 1.0), why, rows_of(chain.legs) if ratio > 1.0 else ())


def _last_port(case: Case) -> Signal:
    value = None if case.last.arrived is None else float(not case.last.arrived)
    calls = [f"event {case.last.discharge_call.id}"] if case.last.discharge_call else []
    return Signal("last declared port without record", value, case.last.why, tuple([*rows_of([case.last.leg]), *calls]))


def _risk_port(case: Case, risk_countries: Sequence[str], min_score: float) -> Signal:
    name = "port of a risk country within reach"
    dark = [event for event in case.events(DARK) if suspicious_dark(event, min_score)]
    if not dark and case.events(GAP):
        return Signal(name, None, "the reach of gaps that reception may explain is not computed")
    if not dark:
        return no_event(name, case, "no silence with the goods on board that reception does not explain")
    if case.reached is None:
        return Signal(name, None, case.reach_note or "the reach of the silence was not computed")
    ports = case.reached.in_countries(risk_countries)
    evidence = (f"event {case.reached.event.id}",)
    if not ports:
        return Signal(name, 0.0, f"none of {', '.join(risk_countries)} with a stay of {SLACK_H:.0f} h", evidence)
    names = ", ".join(port.name for port in ports)
    return Signal(name, 1.0, f"{names}: necessary for a call there, not evidence of one", evidence)


def _return_cargo(case: Case) -> Signal:
    name = "other prohibited trade of the ship"
    for leg in case.returns:
        if ban := ban_of("KP", leg.hs6, leg.first("t_depart")):
            why = (
                f"the same ship then carried {leg.first('description') or leg.hs6} out of {leg.load_port} as declared; "
                f"the export of such goods by the DPRK is banned ({ban}), their origin here is not known"
            )
            return Signal(name, 1.0, why, rows_of([leg]))
    return Signal(name, None, "no such cargo in this file, and no ownership or trade record beyond it")


def _other_events(fleet: Fleet, case: Case, min_score: float) -> Signal:
    name = "other silences and meetings of the ship"
    ships = case.last.ship.mmsis
    if not ships:
        return Signal(name, None, case.last.why)
    aboard = {related.event.id for related in case.related}
    others = [
        event
        for event in fleet.events_of(ships, (DARK, RENDEZVOUS))
        if event.id not in aboard and (event.kind == RENDEZVOUS or suspicious_dark(event, min_score))
    ]
    ids = tuple(f"event {event.id}" for event in others[:5])
    return Signal(name, min(len(others) / 2.0, 1.0), f"{len(others)} in this input, without these goods", ids)


def _listed() -> Signal:
    return Signal("near a listed party", None, "no watch-list was given")
