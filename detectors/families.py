"""Families of techniques by which the way of goods is hidden, and which events speak of which.

The eight of "Lux & Loaded" (C4ADS, 2019), as the reference of the project makes them computable; three of them (false
documents, misdeclared goods, chains of consignees) show in papers alone and have no event. A family is counted once
however many events speak of it. A change of draught is evidence of cargo work and not a technique; ports, waiting and
gaps that reception explains belong to no family.
"""

from __future__ import annotations

from ais.flags import flag_of_mmsi
from detectors.event import DARK, DARK_RENDEZVOUS, FALSE_POSITION, IDENTITY, LABELS, RENDEZVOUS

AIS_OFF, FALSE_POSITIONS, IDENTITY_CHANGED, FLAG_CHANGED, SHIP_TO_SHIP = (
    "AIS off", "positions falsified", "identity changed", "flag changed", "ship-to-ship transfer",
)  # fmt: skip
FAMILIES = (
    AIS_OFF, FALSE_POSITIONS, IDENTITY_CHANGED, FLAG_CHANGED, "documents in conflict", "cargo misdeclared",
    "chain of consignees", SHIP_TO_SHIP,
)  # fmt: skip
"""All eight, in the order of the report."""

KIND_FAMILIES = {
    DARK: AIS_OFF,
    FALSE_POSITION: FALSE_POSITIONS,
    RENDEZVOUS: SHIP_TO_SHIP,
    DARK_RENDEZVOUS: SHIP_TO_SHIP,
    IDENTITY: IDENTITY_CHANGED,
}
LABEL_FAMILIES = {
    (IDENTITY, "flag"): FLAG_CHANGED,
    (IDENTITY, "imo_check_digit"): "",  # one ship in fifty slips: 22 of 1,077 numbers in three minutes of a world feed
    (FALSE_POSITION, "mass_displacement"): "",  # many ships at once: somebody else jams the receivers
}
"""Labels that belong elsewhere than their kind."""
INNOCENT_MEETINGS = ("tug", "pilot", "tender", "fishing", "convoy", "ferry", "anchorage")
"""Labels of meetings in which no goods change ship."""


def family_of(kind: int, label: int, mmsi: int = 0, other: int = 0) -> str:
    """The family that an event speaks of, "" for none; a new MMSI of another country is a new flag.

    >>> from detectors.event import PORT_CALL, label_code
    >>> family_of(IDENTITY, label_code("zombie_imo")), family_of(IDENTITY, label_code("flag")), family_of(PORT_CALL, 0)
    ('identity changed', 'flag changed', '')
    >>> [family_of(IDENTITY, label_code("mmsi_change"), 671999101, new) for new in (671999102, 538999101)]
    ['identity changed', 'flag changed']
    """
    word = LABELS[label]
    if kind == RENDEZVOUS and word in INNOCENT_MEETINGS:
        return ""
    if kind == IDENTITY and word == "mmsi_change":
        old, new = flag_of_mmsi([mmsi, other]).tolist()
        return FLAG_CHANGED if old != new else IDENTITY_CHANGED
    return LABEL_FAMILIES.get((kind, word), KIND_FAMILIES.get(kind, ""))
