"""Legs: one movement of the same goods between two ports, with every source row that speaks of it.

Rows with the same bill of lading, container and ports are one leg. Where they differ, each version stays as a claim
with its source and row; the first row of the file only names the leg, it is not thereby right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ais.table import NAT
from cargo.identifiers import plain_text, ship_key
from cargo.shipments import Row

DAY_US = 86_400_000_000

CLAIMED = (
    *("description", "hs_code", "quantity", "value_usd", "gross_weight_kg", "shipper", "consignee"),
    *("load_port", "discharge_port", "t_depart", "t_arrive", "vessel_name", "imo", "cleared"),
)
"""What two rows of one leg may say differently."""
PARTY_AND_GOODS_CLAIMS = frozenset(CLAIMED) - {"t_depart", "t_arrive", "cleared"}
"""Claims whose conflict is more than a delay: parties, goods, places, ship."""


@dataclass(frozen=True, slots=True)
class ClaimValue:
    """One version of a fact: the value as text, the source and the shipment row that say so."""

    value: str
    source: str
    row: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A fact on which the rows of a leg differ: every version with its source and row."""

    subject: str
    predicate: str
    values: tuple[ClaimValue, ...]


def iso_time(t_us: int) -> str | None:
    """A time in µs since 1970 UTC as ISO 8601 to the second, None for `NAT`.

    >>> iso_time(1538352000000000), iso_time(NAT)
    ('2018-10-01T00:00:00Z', None)
    """
    return None if t_us == NAT else f"{np.datetime64(t_us, 'us').astype('datetime64[s]')}Z"


def known(value: Any) -> bool:
    """Whether a parsed cell says anything (not "", 0, NaN or `NAT`)."""
    return bool(value) and value == value and value != NAT


@dataclass(frozen=True)
class Leg:
    """One movement. `rows` in the order of the file; `parts` holds the legs that travel together in this one."""

    rows: tuple[Row, ...]
    parts: tuple[Leg, ...] = ()

    def first(self, column: str) -> Any:
        """The first known value of a column, else what means unknown there."""
        for row in self.rows:
            if known(value := getattr(row, column)):
                return value
        return getattr(self.rows[0], column)

    def texts(self, column: str) -> list[str]:
        """The distinct known texts of a column, in the order of the file."""
        return list(dict.fromkeys(value for row in self.rows if known(value := getattr(row, column))))

    def times(self, column: str) -> tuple[int, int]:
        """Earliest and latest claim of a time column, (`NAT`, `NAT`) if none."""
        values = [value for row in self.rows if (value := getattr(row, column)) != NAT]
        return (min(values), max(values)) if values else (NAT, NAT)

    @cached_property
    def load_port(self) -> str:
        """UN/LOCODE, "" unknown."""
        return str(self.first("load_port"))

    @cached_property
    def discharge_port(self) -> str:
        """UN/LOCODE, "" unknown."""
        return str(self.first("discharge_port"))

    @cached_property
    def t_depart(self) -> int:
        """Departure as the first row gives it, µs, `NAT` unknown."""
        return int(self.first("t_depart"))

    @cached_property
    def t_arrive(self) -> int:
        """Arrival as the first row gives it, µs, `NAT` unknown."""
        return int(self.first("t_arrive"))

    @property
    def t_sort(self) -> int:
        """Time by which legs are put in order: departure, else arrival, else `NAT`."""
        return self.t_depart if self.t_depart != NAT else self.t_arrive

    @cached_property
    def hs6(self) -> str:
        """The internationally agreed part of the HS code, "" unknown."""
        return str(self.first("hs_code"))[:6]

    @cached_property
    def row_numbers(self) -> tuple[int, ...]:
        """1-based numbers of the rows."""
        return tuple(row.row for row in self.rows)

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """What the rows say differently, part by part: two containers of one leg do not contradict each other."""
        if self.parts:
            return tuple(dict.fromkeys(claim for part in self.parts for claim in part.claims))
        if len(self.rows) == 1:
            return ()
        return tuple(claim for column in CLAIMED if (claim := self._claim(column)) is not None)

    def _claim(self, column: str) -> Claim | None:
        spoken = [(row, value) for row in self.rows if known(value := getattr(row, column))]
        if len({value for _, value in spoken}) < 2:
            return None
        if column == "hs_code":  # 8703 and 8703 24 agree as far as both go
            digits = min((len(value) for _, value in spoken), default=0)
            differ = len({value[:digits] for _, value in spoken}) > 1
        else:
            differ = len({_comparable(column, value) for _, value in spoken}) > 1
        if not differ:
            return None
        values = tuple(ClaimValue(_shown(column, value), row.source, row.row) for row, value in spoken)
        return Claim(self.subject, column, values)

    @property
    def subject(self) -> str:
        """What a claim is about, in words: bill of lading, container and ports."""
        names = (f"B/L {self.first('bl_number')}", f"container {self.first('container')}", f"VIN {self.first('vin')}")
        named = [name for name in names if name.split(" ", 1)[1]]
        ports = f"{self.load_port or 'port unknown'} to {self.discharge_port or 'port unknown'}"
        return ", ".join([*named[:2], ports])


def _comparable(column: str, value: Any) -> Any:
    """A value such that spelling alone makes no conflict."""
    if column == "vessel_name":
        return ship_key(value)
    return plain_text(value) if isinstance(value, str) else value


def _shown(column: str, value: Any) -> str:
    if column in ("t_depart", "t_arrive"):
        return str(iso_time(value))
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def join_legs(parts: Sequence[Leg]) -> Leg:
    """Legs of goods that travel together as one leg; their rows in the order of the file."""
    if len(parts) == 1:
        return parts[0]
    rows = sorted((row for part in parts for row in part.rows), key=lambda row: row.row)
    return Leg(tuple(rows), tuple(parts))


def handed_over(a: Leg, b: Leg) -> bool:
    """Whether leg b loads where leg a was discharged, both known."""
    return bool(a.discharge_port) and a.discharge_port == b.load_port


def rows_of(legs: Sequence[Leg]) -> tuple[str, ...]:
    """The shipment rows of some legs, as evidence."""
    return tuple(f"row {number}" for leg in legs for number in leg.row_numbers)
