"""Chains: the legs of the same goods in the order of time, with how each link is known and what else it could be.

Links, strongest first: the container (within 90 days), the VIN, the bill of lading, then the goods themselves (HS6,
quantity, and a hand-over: discharged where the next leg loads, within 60 days). A link by goods is made only where
just one leg fits both ways; otherwise the fitting legs are listed and none is chosen.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ais.table import NAT
from cargo.identifiers import bl_key, plain_text, ship_key
from cargo.leg import DAY_US, Leg, group_legs, join_legs, known
from cargo.shipments import Shipments

CONTAINER_DAYS = 90
"""A container number links legs within this time: boxes are leased and used again."""
HANDOVER_DAYS = 60
"""Longest time between discharge and the next loading for a link by goods."""
_OPEN_ENDS = 10  # legs that are named where several fit
_DATE_SLACK_DAYS = 3  # dates on papers are days, and often of the document rather than of the ship


@dataclass(frozen=True, slots=True)
class Link:
    """How a leg is tied to the one before: method, days between, and the first rows of the legs that fit as well."""

    method: str
    gap_days: float | None
    alternatives: tuple[int, ...] = ()
    note: str = ""


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

    @property
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


def build_chains(shipments: Shipments) -> list[Chain]:
    """All chains of a table of shipments; a leg without any link is a chain of one.

    Goods that go the same way all along (same ports, days, ships, parties and HS heading on every leg) are one chain
    of several strands. Order: the first row of each chain.
    """
    legs = group_legs(shipments.rows())
    together: dict[tuple[object, ...], list[Strand]] = {}
    for strand in _strands(legs):
        together.setdefault(tuple(_way(leg) for leg in strand.legs), []).append(strand)
    chains = [Chain(tuple(strands)) for strands in together.values()]
    return sorted(chains, key=lambda chain: chain.row_numbers)


def _way(leg: Leg) -> tuple[object, ...]:
    """What two legs must share to be one joint leg; a leg that shares nothing known stays alone."""
    ship = leg.first("imo") or ship_key(leg.first("vessel_name"))
    day = leg.t_depart // DAY_US if leg.t_depart != NAT else None
    parties = (plain_text(leg.first("shipper")), plain_text(leg.first("consignee")))
    known_way = leg.load_port and leg.discharge_port and day is not None and (ship or any(parties))
    alone = None if known_way else leg.rows[0].row
    return (leg.load_port, leg.discharge_port, day, ship, *parties, leg.hs6[:4], alone)


class _Linker:
    """Ties legs to their successors; a leg has at most one before and one after it."""

    def __init__(self, legs: Sequence[Leg]) -> None:
        self.legs = legs
        self.after: dict[int, tuple[int, Link]] = {}
        self.before: dict[int, int] = {}
        self.open_ends: dict[int, tuple[int, ...]] = {}

    def tie(self, a: int, b: int, link: Link) -> None:
        """Make leg b the one after leg a."""
        self.after[a], self.before[b] = (b, link), a

    def head(self, a: int) -> int:
        """First leg of the strand that holds leg a."""
        while a in self.before:
            a = self.before[a]
        return a

    def link_by_number(self, method: str, key_of: Callable[[Leg], str], fits: Callable[[Leg, Leg], bool]) -> None:
        """Tie legs that share a number, each to the earliest that fits, first of all one that starts where it ended."""
        for bucket in _buckets(self.legs, key_of):
            loading: dict[str, list[int]] = {}
            for b in bucket:
                loading.setdefault(self.legs[b].load_port, []).append(b)
            for a in bucket:
                if a in self.after:
                    continue
                handed = self._fitting(a, loading.get(self.legs[a].discharge_port or "?", []), fits)
                fitting = handed or (self._fitting(a, bucket, fits) if fits is not _bill_fits else [])
                if not fitting:
                    continue
                b, *others = fitting
                rivals = [o for o in others if _rival(self.legs[b], self.legs[o])]
                note = "" if handed else "not loaded where it was discharged: a leg between is missing"
                alternatives = tuple(self.legs[o].rows[0].row for o in rivals)
                self.tie(a, b, Link(method, _gap_days(self.legs[a], self.legs[b]), alternatives, note))

    def _fitting(self, a: int, others: Sequence[int], fits: Callable[[Leg, Leg], bool]) -> list[int]:
        """Of the legs that have none before them, those that fit after leg a without closing a circle."""
        head = self.head(a)
        free = [b for b in others if b not in self.before and b not in (a, head)]
        return [b for b in free if fits(self.legs[a], self.legs[b])]

    def link_by_goods(self) -> None:
        """Tie what no number ties: equal HS6 and quantity handed over in time, where just one leg fits both ways."""
        starts, ends = _ByGoods(), _ByGoods()
        for i, leg in enumerate(self.legs):
            if not (leg.hs6 and known(leg.first("quantity"))):
                continue
            if i not in self.before:
                starts.add(leg, leg.load_port, leg.t_sort, i)
            if i not in self.after:
                ends.add(leg, leg.discharge_port, _ended(leg), i)
        window = HANDOVER_DAYS * DAY_US
        chosen: list[tuple[int, int]] = []
        for a in ends.members():
            ended = _ended(self.legs[a])
            fitting = starts.between(self.legs[a], self.legs[a].discharge_port, ended + 1, ended + window)
            if len(fitting) == 1:
                began = self.legs[fitting[0]].t_sort
                rivals = ends.between(self.legs[fitting[0]], self.legs[a].discharge_port, began - window, began - 1)
                if len(rivals) == 1:
                    chosen.append((a, fitting[0]))
                    continue
            if fitting:
                self.open_ends[a] = tuple(self.legs[b].rows[0].row for b in fitting[:_OPEN_ENDS])
        for a, b in chosen:
            if b != self.head(a):
                self.tie(a, b, Link("goods and hand-over", _gap_days(self.legs[a], self.legs[b])))

    def strands(self) -> list[Strand]:
        """The legs tied together, each strand in order."""
        found = []
        for start in range(len(self.legs)):
            if start in self.before:
                continue
            way, links, at = [self.legs[start]], [], start
            while at in self.after:
                at, link = self.after[at]
                way.append(self.legs[at])
                links.append(link)
            found.append(Strand(tuple(way), tuple(links), self.open_ends.get(at, ())))
        return found


def _strands(legs: Sequence[Leg]) -> list[Strand]:
    linker = _Linker(legs)
    linker.link_by_number("container", _linkable_container, _container_fits)
    linker.link_by_number("VIN", lambda leg: str(leg.first("vin")), _in_order)
    linker.link_by_number("bill of lading", lambda leg: bl_key(str(leg.first("bl_number"))), _bill_fits)
    linker.link_by_goods()
    return linker.strands()


def _buckets(legs: Sequence[Leg], key_of: Callable[[Leg], str]) -> list[list[int]]:
    """Indices of the legs that share a key, each bucket in order of time; legs without a key are left out."""
    found: dict[str, list[int]] = {}
    for i, leg in enumerate(legs):
        if key := key_of(leg):
            found.setdefault(key, []).append(i)
    return [sorted(bucket, key=lambda i: (legs[i].t_sort, i)) for bucket in found.values() if len(bucket) > 1]


def _linkable_container(leg: Leg) -> str:
    """A container number of the right form; a wrong check digit may be the same slip twice, so it links as well."""
    number = str(leg.first("container"))
    return number if re.fullmatch(r"[A-Z]{4}\d{7}", number) else ""


def handed_over(a: Leg, b: Leg) -> bool:
    """Whether leg b loads where leg a was discharged, both known."""
    return bool(a.discharge_port) and a.discharge_port == b.load_port


def _gap_days(a: Leg, b: Leg) -> float | None:
    """Days from the arrival of a (its departure, if no more is known) to the departure of b; None unknown."""
    ended = _ended(a)
    return None if NAT in (ended, b.t_sort) else (b.t_sort - ended) / DAY_US


def _in_order(a: Leg, b: Leg) -> bool:
    """Whether b can come after a: not before it, and without dates only where it starts at a's end."""
    if NAT in (a.t_sort, b.t_sort):
        return handed_over(a, b)
    ended = a.times("t_arrive")[0]  # the earliest claim: a conflict on the arrival must not break the chain
    late_enough = ended == NAT or b.t_sort >= ended - _DATE_SLACK_DAYS * DAY_US
    return late_enough and b.t_sort >= a.t_sort and (b.t_sort > a.t_sort or handed_over(a, b))


def _container_fits(a: Leg, b: Leg) -> bool:
    """Same box, same goods: in order, within 90 days, and neither VIN nor (without a hand-over) heading differs."""
    gap = _gap_days(a, b)
    vins = {vin for leg in (a, b) if (vin := leg.first("vin"))}
    headings = {leg.hs6[:4] for leg in (a, b)}
    same_goods = handed_over(a, b) or (len(headings) == 1 and headings != {""})
    return _in_order(a, b) and (gap is None or gap <= CONTAINER_DAYS) and len(vins) < 2 and same_goods


def _bill_fits(a: Leg, b: Leg) -> bool:
    """One through bill of lading over two legs: handed over in order, with no other container or VIN named."""
    same_box = all(len({v for leg in (a, b) if (v := leg.first(column))}) < 2 for column in ("container", "vin"))
    return handed_over(a, b) and _in_order(a, b) and same_box


def _ended(leg: Leg) -> int:
    """When a leg ended as far as known: its arrival, else its departure."""
    return leg.t_arrive if leg.t_arrive != NAT else leg.t_depart


class _ByGoods:
    """Legs by HS6, quantity and port, in order of a time, so that those in a span are found without a search.

    A leg that names a VIN or container fits one that names the same or none; a leg that names none fits any.
    """

    def __init__(self) -> None:
        self._lists: dict[tuple[str, float, str, str | None], list[tuple[int, int]]] = {}
        self._sorted = False

    def add(self, leg: Leg, port: str, t: int, index: int) -> None:
        """Note a leg under its own number and under any; one without port or time is left out."""
        if port and t != NAT:
            for number in (_number(leg), None):
                key = (leg.hs6, float(leg.first("quantity")), port, number)
                self._lists.setdefault(key, []).append((t, index))

    def members(self) -> list[int]:
        """All legs noted, in order."""
        return sorted(i for key, found in self._lists.items() if key[3] is None for _, i in found)

    def between(self, leg: Leg, port: str, t_from: int, t_to: int) -> list[int]:
        """Other legs of the same goods at a port whose time is from `t_from` to `t_to`, earliest first."""
        if not self._sorted:
            for found in self._lists.values():
                found.sort()
            self._sorted = True
        number, goods = _number(leg), (leg.hs6, float(leg.first("quantity")), port)
        numbers: tuple[str | None, ...] = (number, "") if number else (None,)
        found = []
        for name in numbers:
            times = self._lists.get((*goods, name), [])
            found += times[bisect_left(times, (t_from, -1)) : bisect_left(times, (t_to + 1, -1))][: _OPEN_ENDS + 2]
        return [i for _, i in sorted(found)]


def _number(leg: Leg) -> str:
    """The VIN of a leg, else its container, else ""."""
    return str(leg.first("vin") or leg.first("container"))


def _rival(chosen: Leg, other: Leg) -> bool:
    """Whether a leg from the same port leaves before the chosen one has arrived: only one of the two can be true."""
    unknown = NAT in (chosen.t_arrive, other.t_sort)
    return chosen.load_port == other.load_port and (unknown or other.t_sort < chosen.t_arrive)
