"""The signals of the five factors, computed from a case: each 0 to 1, or unknown with the reason.

Definitions after "Lux & Loaded" (C4ADS, 2019) as made computable in the reference of the project. What the data at
hand cannot say is unknown, never 0. Signals that need what Luxwake does not yet read (control lists, ownership,
watch-lists) stand as unknown, so that the bounds are honest about them.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ais.table import NAT
from cargo.case import SLACK_H, Case, suspicious_dark
from cargo.chain import Chain, handed_over
from cargo.fleet import Fleet, near_in_time
from cargo.identifiers import imo_valid, plain_text, ship_key
from cargo.leg import PARTY_AND_GOODS_CLAIMS, Leg
from cargo.lexicon import (
    CONCEALING_ROLES,
    END_USER_ROLES,
    armour_word,
    banned_export,
    is_vague,
    luxury_word,
    party_role,
)
from cargo.score import Signal
from detectors.event import DARK, GAP, RENDEZVOUS
from geo.sphere import distance_m

VALUE_BANDS = ((3.0, 0.0), (10.0, 1.0 / 3.0), (50.0, 2.0 / 3.0))
"""Unit value over the median of its peers: below the first number the second one; 50 times and more is 1."""
LEAST_PEERS = 5
"""A median of fewer other goods says nothing."""
IDENTITY_DAYS = 60
"""Names and numbers of a ship are compared within this time around the voyage."""


@dataclass(frozen=True)
class Peers:
    """Median unit value in USD of the goods in the file, by HS6 and by HS4, with how many goods stand behind it."""

    medians: dict[str, tuple[float, int]]

    @classmethod
    def of(cls, chains: Sequence[Chain]) -> Peers:
        """From all goods of all chains, each counted once."""
        values: dict[str, list[float]] = {}
        for chain in chains:
            for strand in chain.strands:
                unit = unit_value_usd(strand.legs)
                code = hs6_of(strand.legs)
                if unit is not None:
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


def _rows(legs: Sequence[Leg]) -> tuple[str, ...]:
    return tuple(f"row {number}" for leg in legs for number in leg.row_numbers)


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
            _handed_at_sea(case),
        ],
        "parties": [_return_cargo(case), _other_events(fleet, case, min_score), _listed()],
        "obfuscation": _techniques(fleet, case, min_score),
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
            return Signal(name, value, why, _rows(strand.legs[:1]))
    return Signal(name, None, f"fewer than {LEAST_PEERS} other goods of HS {code[:4] or 'code unknown'} in this file")


def _descriptions(chain: Chain) -> list[str]:
    return list(dict.fromkeys(text for leg in chain.legs for text in leg.texts("description")))


def _worded(name: str, chain: Chain, found: list[str], what: str) -> Signal:
    if found:
        return Signal(name, 1.0, f"described with {', '.join(sorted(set(found)))}", _rows(chain.legs))
    if all(is_vague(text) for text in _descriptions(chain)):
        return Signal(name, None, "the descriptions name no kind of goods")
    return Signal(name, 0.0, f"no description speaks of {what}", _rows(chain.legs))


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
            name, 1.0, f"consignee is {role if role == 'to order' else 'a ' + role}: {text}", _rows(chain.legs)
        )
    last = [text for text in chain.legs[-1].texts("consignee") if party_role(text) != "missing"]
    roles = {party_role(text) for text in last}
    if last and roles <= END_USER_ROLES:
        return Signal(name, 0.0, f"the last consignee can be asked: {last[0]}", _rows(chain.legs[-1:]))
    return Signal(name, None, "the last consignee's name states no role" if last else "no last consignee is stated")


def _cleared(chain: Chain) -> Signal:
    name, last = "not cleared by customs", chain.legs[-1]
    said = last.texts("cleared")
    if said == ["yes"]:
        return Signal(name, 0.0, "cleared at the last port", _rows([last]))
    refused = [leg for leg in chain.legs if "no" in leg.texts("cleared")]
    if refused and "yes" not in said:
        ports = ", ".join(leg.discharge_port or "port unknown" for leg in refused)
        return Signal(name, 1.0, f"not cleared for import at {ports}", _rows(refused))
    return Signal(name, None, "sources differ on clearance" if "yes" in said else "clearance is not stated")


def _transhipments(chain: Chain) -> Signal:
    n = len(chain.legs) - 1
    why = f"{n} change{'s' * (n != 1)} of ship on record"
    return Signal("transhipments", min(n / 3.0, 1.0), why, _rows(chain.legs) if n else ())


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
    return Signal(name, min(max(ratio - 1.0, 0.0), 1.0), why, _rows(chain.legs) if ratio > 1.0 else ())


def _last_port(case: Case) -> Signal:
    value = None if case.last.arrived is None else float(not case.last.arrived)
    calls = [f"event {case.last.discharge_call.id}"] if case.last.discharge_call else []
    return Signal("last declared port without record", value, case.last.why, tuple([*_rows([case.last.leg]), *calls]))


def _risk_port(case: Case, risk_countries: Sequence[str], min_score: float) -> Signal:
    name = "port of a risk country within reach"
    dark = [event for event in case.events(DARK) if suspicious_dark(event, min_score)]
    if not dark and case.events(GAP):
        return Signal(name, None, "the reach of gaps that reception may explain is not computed")
    if not dark:
        return _no_event(name, case, "no silence with the goods on board that reception does not explain")
    if case.reached is None:
        return Signal(name, None, case.reach_note or "the reach of the silence was not computed")
    ports = case.reached.in_countries(risk_countries)
    evidence = (f"event {case.reached.event.id}",)
    if not ports:
        return Signal(name, 0.0, f"none of {', '.join(risk_countries)} with a stay of {SLACK_H:.0f} h", evidence)
    names = ", ".join(port.name for port in ports)
    return Signal(name, 1.0, f"{names}: necessary for a call there, not evidence of one", evidence)


def _no_event(name: str, case: Case, why: str) -> Signal:
    """0 where the ship of every leg is known, else unknown."""
    lost = [voyage for voyage in case.voyages if voyage.t_end == NAT]
    if lost:
        return Signal(name, None, f"{len(lost)} of {len(case.voyages)} legs: {lost[-1].why}")
    return Signal(name, 0.0, why)


def _handed_at_sea(case: Case) -> Signal:
    name, met = "handed over at sea", case.events(RENDEZVOUS)
    if met:
        ids = tuple(f"event {event.id}" for event in met)
        return Signal(name, 1.0, f"{len(met)} rendezvous with the goods on board", ids)
    if case.silences():
        return Signal(name, None, "a meeting during the silence would not have been seen")
    return _no_event(name, case, "no rendezvous with the goods on board")


def _return_cargo(case: Case) -> Signal:
    name = "other prohibited trade of the ship"
    for leg in case.returns:
        if goods := banned_export(leg.hs6):
            why = (
                f"the same ship then carried {goods} out of {leg.load_port} as declared; the export of {goods} by the "
                "DPRK is banned (UNSCR 2371), its origin here is not known"
            )
            return Signal(name, 1.0, why, _rows([leg]))
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


def _techniques(fleet: Fleet, case: Case, min_score: float) -> list[Signal]:
    """The eight families of techniques, each true, false or unknown."""
    return [
        _ais_off(case, min_score),
        Signal("positions falsified", None, "not looked for: no detector of jumps and spoofing yet"),
        _identity_change(fleet, case),
        _flag_hop(fleet, case),
        _documents(case.chain),
        _misdeclared(case.chain),
        _consignee_chain(case.chain),
        _ship_to_ship(case),
    ]


def _ais_off(case: Case, min_score: float) -> Signal:
    name, silences = "AIS off", case.silences()
    sure = [event for event in silences if event.kind == DARK and event.score >= min_score]
    unclear = [event for event in silences if math.isnan(event.score) or event.score >= min_score]
    ids = tuple(f"event {event.id}" for event in sure or unclear)
    if sure:
        days = max(event.t_end - event.t_start for event in sure) / 8.64e10
        return Signal(name, 1.0, f"silent for {days:.1f} days where reception does not explain it", ids)
    if unclear:
        return Signal(name, None, "not heard for a time, and what reception explains of it is not sure", ids)
    return _no_event(name, case, "reception may explain each gap" if silences else "no silence with the goods on board")


def _identity_change(fleet: Fleet, case: Case) -> Signal:
    name, told = "identity changed", False
    for voyage in case.voyages:
        for mmsi in voyage.ship.mmsis:
            said = [s for s in fleet.said(mmsi) if near_in_time(s, voyage.t_sail, voyage.t_end, IDENTITY_DAYS)]
            names = {ship_key(s.name) for s in said} - {""}
            numbers = {s.imo for s in said if imo_valid(s.imo)}
            told = told or bool(names or numbers)
            if len(names) > 1 or len(numbers) > 1:
                shown = ", ".join(sorted({s.name for s in said if s.name} | {str(n) for n in numbers}))
                return Signal(name, 1.0, f"MMSI {mmsi} broadcast {shown}", _rows([voyage.leg]))
    if not told:
        return Signal(name, None, "no ship of the chain told its name or number on AIS")
    return _no_event(name, case, "each ship kept its name and number")


def _flag_hop(fleet: Fleet, case: Case) -> Signal:
    """The first three digits of an MMSI are the flag's; one hull, by IMO number, under two flags."""
    name, told = "flag changed", False
    for voyage in case.voyages:
        for imo in {n for mmsi in voyage.ship.mmsis for n in fleet.imos(mmsi)}:
            told = True
            said = [s for s in fleet.by_imo(imo) if near_in_time(s, voyage.t_sail, voyage.t_end, IDENTITY_DAYS)]
            flags = {s.mmsi // 1_000_000 for s in said}
            if len(flags) > 1:
                return Signal(name, 1.0, f"IMO {imo} under MMSI {', '.join(sorted({str(s.mmsi) for s in said}))}")
    if not told:
        return Signal(name, None, "no IMO number was heard")
    return _no_event(name, case, "each IMO number stayed under one flag")


def _documents(chain: Chain) -> Signal:
    name = "documents in conflict"
    claims = [c for leg in chain.legs for c in leg.claims if c.predicate in PARTY_AND_GOODS_CLAIMS]
    reversed_rows = [f"row {row.row}" for leg in chain.legs for row in leg.rows if row.dates_reversed]
    if claims:
        what = ", ".join(dict.fromkeys(claim.predicate for claim in claims))
        rows = tuple(dict.fromkeys(f"row {value.row}" for claim in claims for value in claim.values))
        return Signal(name, 1.0, f"sources differ on {what}", rows)
    if reversed_rows:
        return Signal(name, 1.0, "an arrival is dated before the departure", tuple(reversed_rows))
    if all(len(leg.texts("source")) > 1 for leg in chain.legs):
        return Signal(name, 0.0, "every leg has two sources that agree on goods, parties and ports", _rows(chain.legs))
    if chain.legs[-1].texts("cleared") == ["yes"]:
        return Signal(name, 0.0, "customs cleared the goods on these papers", _rows(chain.legs[-1:]))
    return Signal(name, None, "a leg has one source only")


def _misdeclared(chain: Chain) -> Signal:
    name, first, last = "cargo misdeclared", chain.legs[0], chain.legs[-1]
    codes = [leg.hs6 for leg in chain.legs if leg.hs6]
    texts = [leg.texts("description") for leg in chain.legs]
    was_clear = any(not is_vague(text) for text in texts[0])
    if len(chain.legs) > 1 and was_clear and texts[-1] and all(is_vague(text) for text in texts[-1]):
        why = f"described as {texts[0][0]!r} at first, as {texts[-1][0]!r} at last"
        return Signal(name, 1.0, why, _rows([first, last]))
    if len({code[: min(map(len, codes))] for code in codes}) > 1:
        return Signal(name, 1.0, f"HS code changes on the way: {', '.join(dict.fromkeys(codes))}", _rows(chain.legs))
    if last.texts("cleared") == ["yes"]:
        return Signal(name, 0.0, "customs cleared the goods as declared", _rows([last]))
    if len(chain.legs) > 1 and codes and was_clear:
        return Signal(name, 0.0, "code and description stay the same", _rows(chain.legs))
    return Signal(name, None, "one leg only, and no clearance to compare it with")


def _consignee_chain(chain: Chain) -> Signal:
    """The consignee of a leg ships it on: the goods pass through hands that are not their user's."""
    name = "chain of consignees"
    for a, b in itertools.pairwise(chain.legs):
        passed = {plain_text(t) for t in a.texts("consignee")} & {plain_text(t) for t in b.texts("shipper")}
        if passed and handed_over(a, b):
            return Signal(name, 1.0, f"the consignee at {a.discharge_port} ships the goods on", _rows([a, b]))
    consignees = [set(map(plain_text, leg.texts("consignee"))) for leg in chain.legs]
    if not all(consignees):
        return Signal(name, None, "the consignee of a leg is not stated")
    if len(set.union(*consignees)) > 2:
        return Signal(name, 1.0, f"{len(set.union(*consignees))} consignees on one way", _rows(chain.legs))
    return Signal(name, 0.0, "no consignee ships the goods on", _rows(chain.legs))


def _ship_to_ship(case: Case) -> Signal:
    handed = _handed_at_sea(case)
    return Signal("ship-to-ship transfer", handed.value, handed.why, handed.evidence)
