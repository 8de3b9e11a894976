"""Chains: the legs of the same goods in the order of time, with how each link is known and what else it could be.

`cargo.linking` says which leg follows which. Goods that go the same way all along (same ports, days, ships, parties and
HS heading on every leg) are one chain of several strands.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT
from cargo.leg import DAY_US, Leg, join_legs
from cargo.legtable import LegTable
from cargo.linking import Link, Linker
from cargo.shipments import Shipments

_AT_ONCE = 4_096
"""Chains whose rows are read at once: a million read together would be as large as all that is made of them."""


class Balance(NamedTuple):
    """Units into and out of a port where the goods change ship; `remainder` is None where it is not known."""

    port: str
    units_in: float | None
    units_out: float | None
    remainder: float | None


@dataclass(frozen=True)
class Strand:
    """The legs of one container, car or lot; `links[i]` ties leg i + 1 to leg i."""

    legs: tuple[Leg, ...]
    links: tuple[Link, ...] = ()
    open_ends: tuple[int, ...] = ()
    """First rows of legs that could follow the last one, where several fit and none is chosen."""


@dataclass(frozen=True)
class Chain:
    """Strands that travel together all the way, as joint legs."""

    strands: tuple[Strand, ...]
    legs: tuple[Leg, ...] = field(init=False)

    def __post_init__(self) -> None:
        joint = tuple(join_legs([strand.legs[i] for strand in self.strands]) for i in range(len(self.strands[0].legs)))
        object.__setattr__(self, "legs", joint)

    @property
    def links(self) -> tuple[Link, ...]:
        """Links between the legs, as the first strand has them."""
        return self.strands[0].links

    @cached_property
    def row_numbers(self) -> tuple[int, ...]:
        """1-based numbers of all rows, ascending."""
        return tuple(sorted(number for leg in self.legs for number in leg.row_numbers))

    def balances(self) -> list[Balance]:
        """Mass balance at each port between two legs, over all strands."""
        found = []
        for i in range(len(self.legs) - 1):
            units_in = _sum_known([strand.legs[i].first("quantity") for strand in self.strands])
            units_out = _sum_known([strand.legs[i + 1].first("quantity") for strand in self.strands])
            both = units_in is not None and units_out is not None
            remainder = units_in - units_out if both and units_in is not None and units_out is not None else None
            found.append(Balance(self.legs[i].discharge_port, units_in, units_out, remainder))
        return found


def _sum_known(values: Sequence[float]) -> float | None:
    return None if any(math.isnan(value) for value in values) else math.fsum(values)


class Chains(Sequence[Chain]):
    """All chains of a table of shipments, in the order of their first rows; each is written out when asked for.

    `table` holds the legs as columns, `strand_of(k)` the legs of the first strand of chain k, by number.
    """

    def __init__(self, shipments: Shipments) -> None:
        self.table = LegTable(shipments)
        self._linker = Linker(self.table)
        self._linker.link()
        starts, in_one = self._starts()
        self._first = np.append(np.flatnonzero(np.diff(in_one, prepend=-1)), starts.size)
        self._starts_by_chain = starts
        least = starts.copy()  # legs are numbered by their first rows
        for k in np.flatnonzero(np.isin(starts, np.fromiter(self._linker.after, np.int64, len(self._linker.after)))):
            least[k] = min(self.way(int(starts[k])))
        by_chain = np.minimum.reduceat(least, self._first[:-1]) if starts.size else least
        self._order = np.argsort(by_chain, kind="stable")

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, k: int) -> Chain:  # type: ignore[override]
        return next(self.take([k]))

    def all_heads(self) -> list[int]:
        """The first leg of every strand."""
        return list(self._starts_by_chain.tolist())

    def heads(self, k: int) -> list[int]:
        """The first leg of each strand of chain k."""
        at = int(self._order[k])
        return list(self._starts_by_chain[self._first[at] : self._first[at + 1]].tolist())

    def way(self, head: int) -> list[int]:
        """The legs of the strand that begins with leg `head`."""
        legs = [head]
        while legs[-1] in self._linker.after:
            legs.append(self._linker.after[legs[-1]][0])
        return legs

    def lead_legs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The legs of the first strand of every chain; those of chain k are `legs[first[k] : first[k + 1]]`."""
        after = np.full(len(self.table), -1, np.int64)
        after[np.fromiter(self._linker.after, np.int64)] = [leg for leg, _ in self._linker.after.values()]
        chain, leg = np.arange(len(self)), self._starts_by_chain[self._first[:-1]][self._order]
        steps = []
        while leg.size:
            steps.append((chain, leg))
            follows = after[leg] >= 0
            chain, leg = chain[follows], after[leg][follows]
        chains = np.concatenate([np.zeros(0, np.int64), *(one for one, _ in steps)])
        legs = np.concatenate([np.zeros(0, np.int64), *(one for _, one in steps)])
        return legs[np.argsort(chains, kind="stable")], np.append(0, np.cumsum(np.bincount(chains)))

    def take(self, wanted: Sequence[int]) -> Iterator[Chain]:
        """Some chains, written out."""
        for begin in range(0, len(wanted), _AT_ONCE):
            ways = [[self.way(head) for head in self.heads(k)] for k in wanted[begin : begin + _AT_ONCE]]
            legs = iter(self.table.legs([leg for strands in ways for way in strands for leg in way]))
            for strands in ways:
                yield Chain(tuple(self._strand(way, [next(legs) for _ in way]) for way in strands))

    def _strand(self, way: Sequence[int], legs: Sequence[Leg]) -> Strand:
        links = tuple(self._linker.after[leg][1] for leg in way[:-1])
        return Strand(tuple(legs), links, self._linker.open_ends.get(way[-1], ()))

    def _starts(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The first legs of all strands, those that go the same way together, and a number for each way."""
        table = self.table
        free = np.ones(len(table), np.bool_)
        free[list(self._linker.before)] = False
        starts = np.flatnonzero(free)
        day = np.where(table.t_depart != NAT, table.t_depart // DAY_US, NAT)
        told = (table.load > 0) & (table.discharge > 0) & (day != NAT)
        told &= (table.ship > 0) | (table.shipper > 0) | (table.consignee > 0)
        alone = np.where(told, -1, np.arange(len(table)))  # a leg that shares nothing known stays alone
        parts = (table.load, table.discharge, day, table.ship, table.shipper, table.consignee, table.hs4, alone)
        way = _numbered(np.stack(parts, axis=1)) if len(table) else np.zeros(0, np.int64)
        long = np.isin(starts, np.fromiter(self._linker.after, np.int64, len(self._linker.after)))
        ways: dict[tuple[int, ...], int] = {}
        number = way[starts] if starts.size else starts
        for k in np.flatnonzero(long).tolist():
            key = tuple(int(way[leg]) for leg in self.way(int(starts[k])))
            number[k] = len(table) + ways.setdefault(key, len(ways))
        order = np.argsort(number, kind="stable")
        return starts[order], number[order]


def _numbered(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """A number for each row, the same for equal rows."""
    order = np.lexsort(rows.T)
    new = np.ones(rows.shape[0], np.bool_)
    new[1:] = np.any(rows[order[1:]] != rows[order[:-1]], axis=1)
    numbers = np.empty(rows.shape[0], np.int64)
    numbers[order] = np.cumsum(new) - 1
    return numbers


def build_chains(shipments: Shipments) -> Chains:
    """All chains of a table of shipments; a leg without any link is a chain of one."""
    return Chains(shipments)
