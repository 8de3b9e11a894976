"""What an honest reading of a signal is, and which record would tell: for every signal that speaks against a case."""

from __future__ import annotations

from collections.abc import Sequence

from cargo.case import Case
from cargo.narrative import DecidingRecord
from cargo.regions import port_name
from cargo.score import Signal

_SPEAKS = 0.5
"""A signal speaks from this value on."""
_INNOCENT = {
    "controlled goods": "such goods may lawfully go to most countries: the list is on trade with the risk country only",
    "value falling on the way": "values differ by terms of delivery, by age and wear, or by a discount between firms",
    "party not named": "a placeholder is a habit of forwarders, and bills of lading are made out to order to be sold",
    "long stay ashore": "boxes wait for weeks for a ship or papers, or because a port is crowded or struck by a storm",
    "units unaccounted for": "the rest went on by papers that are not in this file, or was sold at the port",
    "cargo flip": "a tramp takes what cargo there is, and such goods are an ordinary export of that port",
    "near a listed party": "a party of that name or tie may trade lawfully, and a listing may have been made later",
    "other prohibited trade nearby": "firms and ships that meet in papers need not know of each other's trade",
    "signs of a shell": "most ships are owned by a firm of one ship, and agents give one address for many firms",
    "cargo misdeclared": "clerks shorten descriptions, and codes differ between countries",
}


def innocent_readings(signals: Sequence[Signal]) -> list[str]:
    """The honest reading of each signal that speaks against the case, in the order of the factors."""
    speaking = dict.fromkeys(s.name for s in signals if s.value is not None and s.value >= _SPEAKS)
    return [_INNOCENT[name] for name in speaking if name in _INNOCENT]


def deciding_records(case: Case, signals: Sequence[Signal]) -> list[DecidingRecord]:
    """The records that would settle what lists, owners and papers leave open."""
    told = {signal.name: signal.value for signal in signals}
    first, found = case.chain.legs[0], []
    if told.get("controlled goods") == 1.0:
        country = port_name(first.load_port)
        licence = "export licence and end-user statement"
        found.append(DecidingRecord(licence, f"the export authority of {country}", "for whom the goods were let go"))
    if told.get("signs of a shell", 0.0) is None or told.get("near a listed party", 0.0) != 0.0:
        ship = case.last.ship.name or str(case.last.leg.first("vessel_name"))
        named = f" of {ship}" if ship else ""
        record = f"continuous synopsis record and register of owners{named}"
        found.append(DecidingRecord(record, "the flag state; the registers of companies", "who owns and manages it"))
    if told.get("long stay ashore", 0.0) is None or (told.get("long stay ashore") or 0.0) >= _SPEAKS:
        stays = [leg.discharge_port for leg in case.chain.legs[:-1] if leg.discharge_port]
        where = ", ".join(port_name(port) for port in dict.fromkeys(stays))
        record = f"gate and storage records of the terminals of {where}" if where else "gate and storage records"
        found.append(DecidingRecord(record, "the terminals", "when the goods came and went, and who fetched them"))
    return found
