"""The obvious twin of legs and chains: row by row, leg by leg, over Python objects."""

from __future__ import annotations

import re
from bisect import bisect_left

from ais.table import NAT
from cargo.chain import Chain, Strand
from cargo.identifiers import bl_key, plain_text, ship_key
from cargo.leg import DAY_US, Leg, handed_over, known
from cargo.linking import Link

CONTAINER_DAYS = 90
HANDOVER_DAYS = 60
_OPEN_ENDS = 10
_DATE_SLACK_DAYS = 3
_SAME_VOYAGE_DAYS = 3


def group_legs(rows):
    """Rows to legs: the same bill of lading, container and ports are one leg, whatever else they say.

    Different VINs in one container, and different goods under one bill of lading without container, are legs of
    their own. A row without bill of lading, container and VIN is a leg of its own. A row that names the bill of
    lading only joins a leg with a container if just one fits. Order: the first row of each leg.
    """
    buckets = {}
    lone = []
    for row in rows:
        bill = bl_key(row.bl_number)
        if not (bill or row.container or row.vin):
            lone.append([row])
            continue
        groups = buckets.setdefault((bill, row.container, "" if row.container else row.vin), [])
        fitting = next((group for group in groups if _one_leg(group, row)), None)
        if fitting is None:
            groups.append([row])
        else:
            fitting.append(row)
    _join_bills_without_container(buckets)
    found = [group for groups in buckets.values() for group in groups] + lone
    legs = [Leg(tuple(sorted(group, key=lambda row: row.row))) for group in found]
    return sorted(legs, key=lambda leg: leg.rows[0].row)


def _join_bills_without_container(buckets):
    """Give rows that name only a bill of lading to the one leg of that bill which they fit, if it is one."""
    named = {}
    for (bill, container, vin), groups in buckets.items():
        if bill and (container or vin):
            named.setdefault(bill, []).extend(groups)
    for (bill, container, vin), groups in buckets.items():
        if container or vin or bill not in named:
            continue
        for group in list(groups):
            fitting = [other for other in named[bill] if _one_leg(other, group[0], goods=False)]
            if len(fitting) == 1:
                fitting[0].extend(group)
                groups.remove(group)


def _one_leg(group, row, *, goods=True):
    """Whether a row can be about the same movement of the same goods as the rows of a group."""
    first = group[0]
    if not (_agree(group, row, lambda r: r.load_port) and _agree(group, row, lambda r: r.discharge_port)):
        return False
    if not _agree(group, row, lambda r: r.vin):
        return False
    if goods and not row.container and not row.vin and not _agree(group, row, lambda r: r.hs_code[:6]):
        return False
    if not row.bl_number and NAT not in (first.t_depart, row.t_depart):
        return abs(first.t_depart - row.t_depart) <= _SAME_VOYAGE_DAYS * DAY_US
    return True


def _agree(group, row, of):
    """Whether a row says the same as the group, or either says nothing."""
    mine = of(row)
    return not mine or all(of(other) in ("", mine) for other in group)


def build_chains(shipments):
    """All chains of a table of shipments; a leg without any link is a chain of one.

    Goods that go the same way all along (same ports, days, ships, parties and HS heading on every leg) are one chain
    of several strands. Order: the first row of each chain.
    """
    legs = group_legs(shipments.rows())
    together = {}
    for strand in _strands(legs):
        together.setdefault(tuple(_way(leg) for leg in strand.legs), []).append(strand)
    chains = [Chain(tuple(strands)) for strands in together.values()]
    return sorted(chains, key=lambda chain: chain.row_numbers)


def _way(leg):
    """What two legs must share to be one joint leg; a leg that shares nothing known stays alone."""
    ship = leg.first("imo") or ship_key(leg.first("vessel_name"))
    day = leg.t_depart // DAY_US if leg.t_depart != NAT else None
    parties = (plain_text(leg.first("shipper")), plain_text(leg.first("consignee")))
    known_way = leg.load_port and leg.discharge_port and day is not None and (ship or any(parties))
    alone = None if known_way else leg.rows[0].row
    return (leg.load_port, leg.discharge_port, day, ship, *parties, leg.hs6[:4], alone)


class _Linker:
    """Ties legs to their successors; a leg has at most one before and one after it."""

    def __init__(self, legs):
        self.legs = legs
        self.after = {}
        self.before = {}
        self.open_ends = {}

    def tie(self, a, b, link):
        """Make leg b the one after leg a."""
        self.after[a], self.before[b] = (b, link), a

    def head(self, a):
        """First leg of the strand that holds leg a."""
        while a in self.before:
            a = self.before[a]
        return a

    def link_by_number(self, method, key_of, fits):
        """Tie legs that share a number, each to the earliest that fits, first of all one that starts where it ended."""
        for bucket in _buckets(self.legs, key_of):
            loading = {}
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

    def _fitting(self, a, others, fits):
        """Of the legs that have none before them, those that fit after leg a without closing a circle."""
        head = self.head(a)
        free = [b for b in others if b not in self.before and b not in (a, head)]
        return [b for b in free if fits(self.legs[a], self.legs[b])]

    def link_by_goods(self):
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
        chosen = []
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

    def strands(self):
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


def _strands(legs):
    linker = _Linker(legs)
    linker.link_by_number("container", _linkable_container, _container_fits)
    linker.link_by_number("VIN", lambda leg: str(leg.first("vin")), _in_order)
    linker.link_by_number("bill of lading", lambda leg: bl_key(str(leg.first("bl_number"))), _bill_fits)
    linker.link_by_goods()
    return linker.strands()


def _buckets(legs, key_of):
    """Indices of the legs that share a key, each bucket in order of time; legs without a key are left out."""
    found = {}
    for i, leg in enumerate(legs):
        if key := key_of(leg):
            found.setdefault(key, []).append(i)
    return [sorted(bucket, key=lambda i: (legs[i].t_sort, i)) for bucket in found.values() if len(bucket) > 1]


def _linkable_container(leg):
    """A container number of the right form; a wrong check digit may be the same slip twice, so it links as well."""
    number = str(leg.first("container"))
    return number if re.fullmatch(r"[A-Z]{4}\d{7}", number) else ""


def _gap_days(a, b):
    """Days from the arrival of a (its departure, if no more is known) to the departure of b; None unknown."""
    ended = _ended(a)
    return None if NAT in (ended, b.t_sort) else (b.t_sort - ended) / DAY_US


def _in_order(a, b):
    """Whether b can come after a: not before it, and without dates only where it starts at a's end."""
    if NAT in (a.t_sort, b.t_sort):
        return handed_over(a, b)
    ended = a.times("t_arrive")[0]  # the earliest claim: a conflict on the arrival must not break the chain
    late_enough = ended == NAT or b.t_sort >= ended - _DATE_SLACK_DAYS * DAY_US
    return late_enough and b.t_sort >= a.t_sort and (b.t_sort > a.t_sort or handed_over(a, b))


def _container_fits(a, b):
    """Same box, same goods: in order, within 90 days, and neither VIN nor (without a hand-over) heading differs."""
    gap = _gap_days(a, b)
    vins = {vin for leg in (a, b) if (vin := leg.first("vin"))}
    headings = {leg.hs6[:4] for leg in (a, b)}
    same_goods = handed_over(a, b) or (len(headings) == 1 and headings != {""})
    return _in_order(a, b) and (gap is None or gap <= CONTAINER_DAYS) and len(vins) < 2 and same_goods


def _bill_fits(a, b):
    """One through bill of lading over two legs: handed over in order, with no other container or VIN named."""
    same_box = all(len({v for leg in (a, b) if (v := leg.first(column))}) < 2 for column in ("container", "vin"))
    return handed_over(a, b) and _in_order(a, b) and same_box


def _ended(leg):
    """When a leg ended as far as known: its arrival, else its departure."""
    return leg.t_arrive if leg.t_arrive != NAT else leg.t_depart


class _ByGoods:
    """Legs by HS6, quantity and port, in order of a time, so that those in a span are found without a search.

    A leg that names a VIN or container fits one that names the same or none; a leg that names none fits any.
    """

    def __init__(self):
        self._lists = {}
        self._sorted = False

    def add(self, leg, port, t, index):
        """Note a leg under its own number and under any; one without port or time is left out."""
        if port and t != NAT:
            for number in (_number(leg), None):
                key = (leg.hs6, float(leg.first("quantity")), port, number)
                self._lists.setdefault(key, []).append((t, index))

    def members(self):
        """All legs noted, in order."""
        return sorted(i for key, found in self._lists.items() if key[3] is None for _, i in found)

    def between(self, leg, port, t_from, t_to):
        """Other legs of the same goods at a port whose time is from `t_from` to `t_to`, earliest first."""
        if not self._sorted:
            for found in self._lists.values():
                found.sort()
            self._sorted = True
        number, goods = _number(leg), (leg.hs6, float(leg.first("quantity")), port)
        numbers = (number, "") if number else (None,)
        found = []
        for name in numbers:
            times = self._lists.get((*goods, name), [])
            found += times[bisect_left(times, (t_from, -1)) : bisect_left(times, (t_to + 1, -1))][: _OPEN_ENDS + 2]
        return [i for _, i in sorted(found)]


def _number(leg):
    """The VIN of a leg, else its container, else ""."""
    return str(leg.first("vin") or leg.first("container"))


def _rival(chosen, other):
    """Whether a leg from the same port leaves before the chosen one has arrived: only one of the two can be true."""
    unknown = NAT in (chosen.t_arrive, other.t_sort)
    return chosen.load_port == other.load_port and (unknown or other.t_sort < chosen.t_arrive)
