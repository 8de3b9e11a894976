"""Legs of a whole file as columns: which rows are one movement, and what each movement says, a million at a time.

The rule is that of `cargo.leg`: rows with the same bill of lading, container and ports are one leg, whatever else they
say. Different VINs in one container, and different goods under one bill without container, are legs of their own. A row
without bill, container and VIN is a leg of its own. A row that names the bill only joins a leg with a container if just
one fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT
from cargo.identifiers import bl_key, plain_text, ship_key
from cargo.leg import DAY_US, Leg
from cargo.shipments import Shipments
from cargo.texts import Texts

SAME_VOYAGE_DAYS = 3
"""Rows without a bill of lading: one voyage if they leave within this many days."""
_LAST = np.iinfo(np.int64).max


class Coded(NamedTuple):
    """A column of texts as numbers: `values[codes[i]]`; 0 says nothing."""

    codes: NDArray[np.int32]
    values: list[str]


def coded(shipments: Shipments, name: str, key: Callable[[str], str] = str) -> Coded:
    """A column of a table, each text by its key; equal keys get one number."""
    held = getattr(shipments.columns, "held", {}).get(name)
    if not isinstance(held, Texts):
        texts, places = np.unique(shipments[name].astype(str), return_inverse=True)
        held = Texts(places.reshape(-1), texts.tolist())
    numbers = {"": 0}
    made = (numbers.setdefault(key(value), len(numbers)) for value in held.values)
    of_value = np.fromiter(made, np.int32, len(held.values))
    codes: NDArray[np.int32] = of_value[held.codes] if len(of_value) else np.zeros(len(held), np.int32)
    return Coded(codes, list(numbers))


class _Said(NamedTuple):
    """What decides whether a row is of the same leg as others; codes, 0 unknown."""

    row: int
    load: int
    discharge: int
    vin: int
    hs6: int
    boxed: bool
    billed: bool
    t_depart: int


class LegTable:
    """The legs of a table of shipments, in the order of their first rows.

    Attributes
    ----------
    first, rows : rows of leg i are `rows[first[i] : first[i + 1]]`, ascending (from 0)
    load, discharge : (n,) int32 codes of `ports`, 0 unknown
    bill, container, vin, hs6, hs4, shipper, consignee, ship : (n,) int32 codes, 0 unknown, of the first row that says
        it; a ship is its IMO number, else its name
    t_depart, t_arrive : (n,) int64 µs, of the first row that says it, `NAT` unknown
    depart0, depart1, arrive0, arrive1 : (n,) int64 µs, the earliest and latest claims
    quantity, unit_value_usd : (n,) float64, NaN unknown
    """

    def __init__(self, shipments: Shipments) -> None:
        self.shipments = shipments
        hs6 = coded(shipments, "hs_code", lambda code: code[:6])
        load, discharge = coded(shipments, "load_port"), coded(shipments, "discharge_port")
        self.ports = list(dict.fromkeys([*load.values, *discharge.values]))
        index = {port: k for k, port in enumerate(self.ports)}
        columns = {
            "load": load.codes,
            "discharge": np.array([index[port] for port in discharge.values], np.int32)[discharge.codes],
            "hs6": hs6.codes,
            **{name: coded(shipments, name).codes for name in ("vin", "container")},
            "bill": coded(shipments, "bl_number", bl_key).codes,
        }
        columns["load"] = np.array([index[port] for port in load.values], np.int32)[load.codes]
        self.containers = coded(shipments, "container").values
        self.first, self.rows = _grouped(columns, np.ascontiguousarray(shipments["t_depart"]))
        self._take(columns)
        self._take_more(shipments, hs6)

    def __len__(self) -> int:
        return self.first.size - 1

    def first_known(self, column: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[Any]:
        """For each leg the first value that is known, else that of its first row."""
        if not len(self):
            return column[:0]
        at = np.where(known[self.rows], np.arange(self.rows.size), _LAST)
        least = np.minimum.reduceat(at, self.first[:-1])
        return column[self.rows[np.where(least == _LAST, self.first[:-1], least)]]

    def _take(self, columns: dict[str, NDArray[np.int32]]) -> None:
        of = {name: self.first_known(column, column > 0) for name, column in columns.items()}
        self.load, self.discharge, self.hs6 = of["load"], of["discharge"], of["hs6"]
        self.vin, self.container, self.bill = of["vin"], of["container"], of["bill"]

    def _take_more(self, shipments: Shipments, hs6: Coded) -> None:
        headings: dict[str, int] = {"": 0}
        self.hs4 = np.array([headings.setdefault(code[:4], len(headings)) for code in hs6.values], np.int32)[self.hs6]
        names, imo = coded(shipments, "vessel_name", ship_key), shipments["imo"].astype(np.int32)
        imo = self.first_known(imo, imo > 0)
        named = self.first_known(names.codes, names.codes > 0)
        self.imo, self.name, self.names = imo, named, names.values
        self.ship = np.where(imo > 0, imo + len(names.values), named)
        parties = [coded(shipments, name, plain_text).codes for name in ("shipper", "consignee")]
        self.shipper, self.consignee = (self.first_known(codes, codes > 0) for codes in parties)
        departs, arrives = (np.ascontiguousarray(shipments[name]) for name in ("t_depart", "t_arrive"))
        self.t_depart, self.t_arrive = (self.first_known(t, t != NAT) for t in (departs, arrives))
        self.depart0, self.depart1 = self._span(departs)
        self.arrive0, self.arrive1 = self._span(arrives)
        quantity, value = shipments["quantity"], shipments["value_usd"]
        self.quantity = self.first_known(quantity, ~np.isnan(quantity))
        with np.errstate(invalid="ignore", divide="ignore"):
            priced = (quantity > 0.0) & (value > 0.0)
            unit = np.where(priced, value / quantity, np.nan)
        self.unit_value_usd = self.first_known(unit, priced)
        weight = shipments["gross_weight_kg"]
        self.weight_kg = self.first_known(weight, ~np.isnan(weight))
        mmsi = shipments["mmsi"].astype(np.int32)
        self.mmsi = self.first_known(mmsi, mmsi > 0)
        slips = coded(shipments, "imo_text")
        self.imo_text, self.imo_texts = self.first_known(slips.codes, slips.codes > 0), slips.values

    def ship_code(self, imo: int, name: str) -> int:
        """The code in `ship` of a ship by its IMO number, else its name; 0 for one that no leg names."""
        if imo:
            return imo + len(self.names)
        return self._code_of_name.get(ship_key(name), 0)

    @cached_property
    def _code_of_name(self) -> dict[str, int]:
        return {name: code for code, name in enumerate(self.names)}

    def _span(self, t: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The earliest and the latest known time of each leg."""
        if not len(self):
            return t[:0], t[:0]
        of = t[self.rows]
        low = np.minimum.reduceat(np.where(of == NAT, _LAST, of), self.first[:-1])
        return np.where(low == _LAST, NAT, low), np.maximum.reduceat(of, self.first[:-1])

    def row_numbers(self, leg: int) -> tuple[int, ...]:
        """1-based numbers of the rows of a leg."""
        return tuple(self.shipments["row"][self.rows[self.first[leg] : self.first[leg + 1]]].tolist())

    def legs(self, wanted: Sequence[int]) -> list[Leg]:
        """Some legs with their rows as they were read."""
        spans = [self.rows[self.first[leg] : self.first[leg + 1]] for leg in wanted]
        flat = np.concatenate([np.zeros(0, np.int64), *spans])
        rows = iter(self.shipments.rows(flat))
        return [Leg(tuple(next(rows) for _ in range(span.size))) for span in spans]


def _grouped(
    columns: dict[str, NDArray[np.int32]], t_depart: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which rows are one leg: offsets, and rows by leg."""
    n = t_depart.size
    bill, box = columns["bill"], columns["container"]
    car = np.where(box > 0, 0, columns["vin"])
    lone = (bill == 0) & (box == 0) & (car == 0)
    order = np.lexsort((np.arange(n), np.where(lone, np.arange(n) + 1, 0), car, box, bill))
    parts = [part[order] for part in (bill, box, car)]
    new = np.ones(n, np.bool_)
    if n:
        new[1:] = lone[order][1:] | np.any([part[1:] != part[:-1] for part in parts], axis=0)
    starts = np.flatnonzero(new)
    leg_of = np.empty(n, np.int64)
    leg_of[order] = np.repeat(order[starts], np.diff(np.append(starts, n)))  # a leg is known by its first row
    _part_what_differs(columns, t_depart, order, starts, leg_of)
    by_leg = np.argsort(leg_of, kind="stable")
    first = np.flatnonzero(np.diff(leg_of[by_leg], prepend=-1)) if n else np.zeros(0, np.int64)
    return np.append(first, n), by_leg


def _part_what_differs(
    columns: dict[str, NDArray[np.int32]], t_depart: NDArray[np.int64], order: NDArray[np.int64],
    starts: NDArray[np.int64], leg_of: NDArray[np.int64],
) -> None:  # fmt: skip
    """Rows of one bill, container or VIN that say different things: row by row into the first leg that they fit."""
    n = order.size
    ends = np.append(starts[1:], n)
    same = np.ones(max(0, n - 1), np.bool_)
    for name in ("load", "discharge", "vin", "hs6"):
        column = columns[name][order]
        same &= column[1:] == column[:-1]
    near = np.abs(np.diff(t_depart[order])) == 0
    same &= near | (columns["bill"][order][1:] > 0)
    differs = np.flatnonzero(~same)
    bucket = np.searchsorted(starts, differs, side="right") - 1
    mixed = np.unique(bucket[differs + 1 < ends[bucket]])
    buckets: dict[tuple[int, int, int], list[list[_Said]]] = {}
    bills = _bills_without_container(columns, order, starts)
    chosen = np.union1d(mixed, bills)
    for at in chosen.tolist():
        said = _said(columns, t_depart, order[starts[at] : ends[at]])
        key = tuple(int(columns[name][said[0].row]) for name in ("bill", "container", "vin"))
        groups: list[list[_Said]] = []
        for row in said:
            fitting = next((group for group in groups if _one_leg(group, row)), None)
            if fitting is None:
                groups.append([row])
            else:
                fitting.append(row)
        buckets[key[0], key[1], 0 if key[1] else key[2]] = groups
    _join_bills_without_container(buckets)
    for groups in buckets.values():
        for group in groups:
            leg_of[[row.row for row in group]] = min(row.row for row in group)


def _bills_without_container(
    columns: dict[str, NDArray[np.int32]], order: NDArray[np.int64], starts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The buckets of bills of lading that some rows name with a container or VIN and others without."""
    rows = order[starts]
    bill, numbered = columns["bill"][rows], (columns["container"][rows] > 0) | (columns["vin"][rows] > 0)
    both = np.intersect1d(bill[numbered & (bill > 0)], bill[~numbered & (bill > 0)])
    return np.flatnonzero(np.isin(bill, both)) if both.size else np.zeros(0, np.int64)


def _said(columns: dict[str, NDArray[np.int32]], t_depart: NDArray[np.int64], rows: NDArray[np.int64]) -> list[_Said]:
    parts = [columns[name][rows].tolist() for name in ("load", "discharge", "vin", "hs6", "container", "bill")]
    whole = zip(rows.tolist(), *parts, t_depart[rows].tolist(), strict=True)
    return [_Said(row, a, b, vin, hs6, box > 0, bill > 0, t) for row, a, b, vin, hs6, box, bill, t in whole]


def _join_bills_without_container(buckets: dict[tuple[int, int, int], list[list[_Said]]]) -> None:
    """Give rows that name only a bill of lading to the one leg of that bill which they fit, if it is one."""
    named: dict[int, list[list[_Said]]] = {}
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


def _one_leg(group: list[_Said], row: _Said, *, goods: bool = True) -> bool:
    """Whether a row can be about the same movement of the same goods as the rows of a group."""
    if not all(
        _agree([getattr(one, name) for one in group], getattr(row, name)) for name in ("load", "discharge", "vin")
    ):
        return False
    if goods and not row.boxed and not row.vin and not _agree([one.hs6 for one in group], row.hs6):
        return False
    if not row.billed and NAT not in (group[0].t_depart, row.t_depart):
        return abs(group[0].t_depart - row.t_depart) <= SAME_VOYAGE_DAYS * DAY_US
    return True


def _agree(others: list[int], mine: int) -> bool:
    """Whether a row says the same as the group, or either says nothing."""
    return not mine or all(other in (0, mine) for other in others)
