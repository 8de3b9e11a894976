"""Sizes of a trade world, and shares of what goes wrong in it."""

from __future__ import annotations

from dataclasses import dataclass

DAY_US = 86_400_000_000


@dataclass(frozen=True, kw_only=True)
class TradeParams:
    """Shares of what goes wrong; the defaults are guesses of what papers and reception are like."""

    ships: int = 5_000
    rows: int = 200_000
    days: int = 365
    ports: int = 400
    """Some 55,000 merchant ships share 4,000 ports; the busiest has one call in thirty."""
    firms: int = 4_000
    """That send and receive: one for fifty papers."""
    unheard_ships: float = 0.03
    lost_calls: float = 0.02
    """Port calls that are not on record: the detector's recall is 0.99 for entries and 0.98 for exits."""
    named: float = 0.5
    """Of the rows that name their ship, `with_imo` give its number."""
    with_imo: float = 0.4
    name_typos: float = 0.02
    imo_typos: float = 0.02
    no_arrival_date: float = 0.25
    two_records: float = 0.2
    conflicts: float = 0.1
    """Of the legs with two records, those whose second says otherwise."""
    diverted: float = 0.02
    """Of the calls of cargo ships, those that are declared and never made; all goods for them are diverted."""
    innocent_silences: float = 0.01
    """Of the passages of all ships."""
