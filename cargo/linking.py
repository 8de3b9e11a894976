"""Which leg follows which: legs of the same goods tied into strands, over the columns of a `LegTable`.

Links, strongest first: the container (within 90 days), the VIN, the bill of lading, then the goods themselves (HS6,
quantity, and a hand-over: discharged where the next leg loads, within 60 days). A link by goods is made only where
just one leg fits both ways; otherwise the fitting legs are listed and none is chosen.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT
from cargo.leg import DAY_US
from cargo.legtable import LegTable

CONTAINER_DAYS = 90
"""A container number links legs within this time: boxes are leased and used again."""
HANDOVER_DAYS = 60
"""Longest time between discharge and the next loading for a link by goods."""
OPEN_ENDS = 10
"""Legs that are named where several fit."""
_BOX, _BOX_CELL = re.compile(r"[A-Z]{4}\d{7}"), re.compile(r"[A-Z]{4}\d{7}(?: [A-Z]{4}\d{7})*")
_DATE_SLACK_DAYS = 3  # dates on papers are days, and often of the document rather than of the ship
_MISSING_LEG = "not loaded where it was discharged: a leg between is missing"


@dataclass(frozen=True, slots=True)
class Link:
    """How a leg is tied to the one before: method, days between, and the first rows of the legs that fit as well."""

    method: str
    gap_days: float | None
    alternatives: tuple[int, ...] = ()
    note: str = ""


class Linker:
    """Ties legs to their successors; a leg has at most one before and one after it.

    `after[a]` is the leg that follows leg a and how it is known, `open_ends[a]` the first rows of those that could.
    """

    def __init__(self, table: LegTable) -> None:
        self.after: dict[int, tuple[int, Link]] = {}
        self.before: dict[int, int] = {}
        self.open_ends: dict[int, tuple[int, ...]] = {}
        self._table = table
        self._t_sort = _quick(np.where(table.t_depart != NAT, table.t_depart, table.t_arrive))
        self._ended = _quick(np.where(table.t_arrive != NAT, table.t_arrive, table.t_depart))
        self._t_arrive, self._arrive0 = _quick(table.t_arrive), _quick(table.arrive0)
        self._load, self._discharge = _quick(table.load), _quick(table.discharge)
        self._vin, self._container, self._hs4 = _quick(table.vin), _quick(table.container), _quick(table.hs4)

    def link(self) -> None:
        """Make all links."""
        table = self._table
        legs = np.arange(len(table))
        self._by_number("container", *_boxes(table), self._container_fits)
        self._by_number("VIN", legs, table.vin, self._in_order)
        self._by_number("bill of lading", legs, table.bill, self._bill_fits)
        self._by_goods()

    def _row(self, leg: int) -> int:
        """The number of the first row of a leg."""
        return int(self._table.shipments["row"][self._table.rows[self._table.first[leg]]])

    def _rows(self, legs: Sequence[int]) -> tuple[int, ...]:
        return tuple(self._row(leg) for leg in legs)

    def _tie(self, a: int, b: int, method: str, alternatives: Sequence[int] = (), note: str = "") -> None:
        """Make leg b the one after leg a."""
        link = Link(method, self._gap_days(a, b), self._rows(alternatives), note)
        self.after[a], self.before[b] = (b, link), a

    def _head(self, a: int) -> int:
        """First leg of the strand that holds leg a."""
        while a in self.before:
            a = self.before[a]
        return a

    def _by_number(
        self, method: str, legs: NDArray[np.int64], numbers: NDArray[np.int32], fits: Callable[[int, int], bool]
    ) -> None:
        """Tie legs that share a number, each to the earliest that fits, first of all one that starts where it ended."""
        for bucket in _buckets(legs, numbers, self._t_sort):
            loading: dict[int, list[int]] = {}
            for b in bucket:
                loading.setdefault(self._load[b], []).append(b)
            for a in bucket:
                if a in self.after:
                    continue
                at = loading.get(self._discharge[a], []) if self._discharge[a] else []
                handed = self._fitting(a, at, fits)
                fitting = handed or (self._fitting(a, bucket, fits) if method != "bill of lading" else [])
                if fitting:
                    b, *others = fitting
                    rivals = [o for o in others if self._rival(b, o)]
                    self._tie(a, b, method, rivals, "" if handed else _MISSING_LEG)

    def _fitting(self, a: int, others: Sequence[int], fits: Callable[[int, int], bool]) -> list[int]:
        """Of the legs that have none before them, those that fit after leg a without closing a circle."""
        head = self._head(a)
        return [b for b in others if b not in self.before and b not in (a, head) and fits(a, b)]

    def _handed_over(self, a: int, b: int) -> bool:
        """Whether leg b loads where leg a was discharged, both known."""
        return self._discharge[a] != 0 and self._discharge[a] == self._load[b]

    def _gap_days(self, a: int, b: int) -> float | None:
        """Days from the arrival of a (its departure, if no more is known) to the departure of b; None unknown."""
        return None if NAT in (self._ended[a], self._t_sort[b]) else (self._t_sort[b] - self._ended[a]) / DAY_US

    def _in_order(self, a: int, b: int) -> bool:
        """Whether b can come after a: not before it, and without dates only where it starts at a's end."""
        begun, other = self._t_sort[a], self._t_sort[b]
        if NAT in (begun, other):
            return self._handed_over(a, b)
        ended = self._arrive0[a]  # the earliest claim: a conflict on the arrival must not break the chain
        late_enough = ended == NAT or other >= ended - _DATE_SLACK_DAYS * DAY_US
        return late_enough and other >= begun and (other > begun or self._handed_over(a, b))

    def _container_fits(self, a: int, b: int) -> bool:
        """Same box, same goods: in order, within 90 days, and neither VIN nor (without a hand-over) heading differs."""
        gap = self._gap_days(a, b)
        same_goods = self._handed_over(a, b) or (self._hs4[a] == self._hs4[b] != 0)
        in_time = gap is None or gap <= CONTAINER_DAYS
        return same_goods and in_time and _one_at_most(self._vin[a], self._vin[b]) and self._in_order(a, b)

    def _bill_fits(self, a: int, b: int) -> bool:
        """One through bill of lading over two legs: handed over in order, with no other container or VIN named."""
        same = all(_one_at_most(numbers[a], numbers[b]) for numbers in (self._container, self._vin))
        return same and self._handed_over(a, b) and self._in_order(a, b)

    def _rival(self, chosen: int, other: int) -> bool:
        """Whether a leg from the same port leaves before the chosen one has arrived: only one of the two is true."""
        arrived, leaves = self._t_arrive[chosen], self._t_sort[other]
        return self._load[chosen] == self._load[other] and (NAT in (arrived, leaves) or leaves < arrived)

    def _by_goods(self) -> None:
        """Tie what no number ties: equal HS6 and quantity handed over in time, where just one leg fits both ways."""
        table = self._table
        told = (table.hs6 > 0) & ~np.isnan(table.quantity)
        begun = told & (table.load > 0) & (np.asarray(self._t_sort) != NAT)
        ended = told & (table.discharge > 0) & (np.asarray(self._ended) != NAT)
        begun[list(self.before)] = False
        ended[list(self.after)] = False
        goods = _pairs(table.hs6, np.unique(table.quantity, return_inverse=True)[1])
        loaded, landed = (goods * len(table.ports) + port for port in (table.load, table.discharge))
        begun &= np.isin(loaded, landed[ended])
        ended &= np.isin(landed, loaded[begun])
        starts = _ByGoods(table, goods, table.load, self._t_sort, begun)
        ends = _ByGoods(table, goods, table.discharge, self._ended, ended)
        window, chosen = HANDOVER_DAYS * DAY_US, []
        for a in np.flatnonzero(ended).tolist():
            done = self._ended[a]
            fitting = starts.between(a, self._discharge[a], done + 1, done + window)
            if len(fitting) == 1:
                began = self._t_sort[fitting[0]]
                if len(ends.between(fitting[0], self._discharge[a], began - window, began - 1)) == 1:
                    chosen.append((a, fitting[0]))
                    continue
            if fitting:
                self.open_ends[a] = self._rows(fitting[:OPEN_ENDS])
        for a, b in chosen:
            if b != self._head(a):
                self._tie(a, b, "goods and hand-over")


def _quick(column: NDArray[Any]) -> memoryview[int]:
    """A column whose values are read one by one: a view gives plain integers, and no list of them is made."""
    return np.ascontiguousarray(column).data


def _pairs(one: NDArray[np.int32], other: NDArray[np.intp]) -> NDArray[np.int64]:
    """A number for each pair of codes, the same for equal pairs."""
    numbers: NDArray[np.int64] = np.unique(
        one.astype(np.int64) * (int(other.max(initial=0)) + 1) + other, return_inverse=True
    )[1]
    return numbers.reshape(-1)


def _one_at_most(a: int, b: int) -> bool:
    """Whether two numbers do not contradict each other; 0 says nothing."""
    return a == b or a == 0 or b == 0


def _boxes(table: LegTable) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The legs that name containers, and a number for each; a leg of several containers stands there with each."""
    names: dict[str, int] = {}
    boxes = [_BOX.findall(one) if _BOX_CELL.fullmatch(one) else [] for one in table.containers]
    numbers = np.array([names.setdefault(box, len(names) + 1) for some in boxes for box in some], np.int32)
    counts = np.array([len(some) for some in boxes], np.int64)
    begin, many = (np.cumsum(counts) - counts)[table.container], counts[table.container]
    legs = np.repeat(np.arange(len(table)), many)
    place = np.arange(legs.size) - np.repeat(np.cumsum(many) - many, many)
    return legs, numbers[begin[legs] + place]


def _buckets(legs: NDArray[np.int64], numbers: NDArray[np.int32], t_sort: memoryview[int]) -> list[list[int]]:
    """The legs that share a number, each bucket in order of time, the buckets by their first legs."""
    legs, numbers = legs[numbers > 0], numbers[numbers > 0]
    by_number = np.lexsort((legs, np.asarray(t_sort)[legs], numbers))
    order = legs[by_number]
    starts = np.flatnonzero(np.diff(numbers[by_number], prepend=-1))
    spans = np.append(starts, order.size)
    several = np.flatnonzero(np.diff(spans) > 1)
    found = [order[spans[k] : spans[k + 1]].tolist() for k in several.tolist()]
    return sorted(found, key=min)


class _ByGoods:
    """Legs by HS6, quantity and port, in order of a time, so that those in a span are found without a search.

    A leg that names a VIN or container fits one that names the same or none; a leg that names none fits any.
    """

    def __init__(
        self, table: LegTable, goods: NDArray[np.int64], port: NDArray[np.int64], times: memoryview[int],
        wanted: NDArray[np.bool_],
    ) -> None:  # fmt: skip
        self._number = _quick(np.where(table.vin > 0, -table.vin, table.container))
        self._goods = _quick(goods)
        self._lists: dict[tuple[int, int, int | None], list[tuple[int, int]]] = {}
        for leg in np.flatnonzero(wanted).tolist():
            for number in (self._number[leg], None):
                key = (self._goods[leg], int(port[leg]), number)
                self._lists.setdefault(key, []).append((times[leg], leg))
        for found in self._lists.values():
            found.sort()

    def between(self, leg: int, port: int, t_from: int, t_to: int) -> list[int]:
        """Other legs of the same goods at a port whose time is from `t_from` to `t_to`, earliest first."""
        number, goods = self._number[leg], (self._goods[leg], port)
        numbers: tuple[int | None, ...] = (number, 0) if number else (None,)
        found = []
        for name in numbers:
            times = self._lists.get((*goods, name), [])
            found += times[bisect_left(times, (t_from, -1)) : bisect_left(times, (t_to + 1, -1))][: OPEN_ENDS + 2]
        return [i for _, i in sorted(found)]
