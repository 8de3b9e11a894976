"""Shipments of a scenario: those that it spells out, and ordinary ones on the voyages that its ships made.

`[[shipment]]` rows stand in the file as they are. `[[used_cars]]` puts cars on the voyages of a named ship between
two ports, one row a car. `[ordinary_shipments]` puts goods on voyages of random ships, one in six without the ship.
Names of firms are made up from two lists; container and car numbers have fictitious prefixes and valid check digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator, default_rng

from geo.errors import UsageError
from luxwake.simulate.scenario import Scenario
from luxwake.simulate.voyage import Call, Identity
from luxwake.simulate.write import iso

Voyages = Sequence[tuple[Identity, Sequence[Call]]]

_FIRM = ("Amberline", "Blue Harbour", "Cedar Gate", "Dongseo", "East Meadow", "Hanbit", "Kita", "Lantern", "Meadowlark",
         "Minato", "Northquay", "Oakfield", "Pinewood", "Quayside", "Sunhill", "Tidewater", "Umi", "Vostok Line",
         "Willowmere", "Zelen")  # fmt: skip
_TRADE = (
    "Trading Co",
    "Logistics KK",
    "Shipping LLC",
    "Import Export Ltd",
    "Industries",
    "Foods Ltd",
    "Chemicals",
    "Auto",
)


class _Good(NamedTuple):
    """An ordinary good: HS code, description, USD and kg a unit, and units a row from and to."""

    hs_code: str
    description: str
    usd: float
    kg: float
    units: tuple[int, int]


# HS 2017 subheadings; prices of the order of world trade unit values.
_GOODS = (
    _Good("720839", "hot rolled steel coils", 600.0, 1000.0, (200, 3000)),
    _Good("390120", "polyethylene granules", 1250.0, 1000.0, (20, 400)),
    _Good("440710", "sawn pine timber", 240.0, 600.0, (100, 2500)),
    _Good("030363", "frozen cod", 3.1, 1.0, (20_000, 200_000)),
    _Good("851762", "network switches", 310.0, 4.0, (50, 800)),
    _Good("847130", "portable computers", 520.0, 2.5, (100, 3000)),
    _Good("401110", "car tyres", 42.0, 9.0, (300, 5000)),
    _Good("252329", "portland cement in bags", 72.0, 1000.0, (100, 4000)),
    _Good("940360", "wooden furniture", 130.0, 35.0, (50, 900)),
    _Good("610910", "cotton t-shirts", 3.2, 0.2, (5_000, 80_000)),
    _Good("270112", "bituminous coal", 95.0, 1000.0, (1500, 9000)),
    _Good("310210", "urea in bulk", 260.0, 1000.0, (500, 5000)),
    _Good("870899", "parts of motor vehicles", 18.0, 3.0, (400, 9000)),
    _Good("842951", "wheel loaders", 68_000.0, 15_000.0, (1, 8)),
)
_CARS = ("used passenger car 1.5 l petrol", "used passenger car 1.8 l petrol", "used hatchback 1.5 l petrol",
         "used estate car 2.0 l petrol")  # fmt: skip
_CAR_HS = "870323"  # spark ignition, over 1,500 and up to 3,000 cm3
_PER_CAR_USD, _PER_CAR_KG = (3_000.0, 9_000.0), (1_050, 1_500)


def container_number(prefix: str, serial: int) -> str:
    """An ISO 6346 container number: four letters, six digits and the check digit.

    >>> container_number("CSQU", 305438)
    'CSQU3054383'
    """
    text = f"{prefix}{serial:06d}"
    letters = [v for v in range(10, 39) if v % 11]  # A = 10, B = 12, ... without multiples of 11
    values = [int(c) if c.isdigit() else letters[ord(c) - 65] for c in text]
    return f"{text}{sum(v << i for i, v in enumerate(values)) % 11 % 10}"


def vehicle_number(maker: str, serial: int) -> str:
    """A 17-character vehicle number (ISO 3779) of a fictitious maker, with the check character of 49 CFR 565.

    >>> vehicle_number("0LX", 4711)
    '0LXZZZ0A6JB004711'
    """
    text = f"{maker}ZZZ0A0JB{serial:06d}"
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    letters = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9],
                       strict=True))  # fmt: skip
    rest = sum(w * (int(c) if c.isdigit() else letters[c]) for w, c in zip(weights, text, strict=True)) % 11
    return f"{text[:8]}{'X' if rest == 10 else rest}{text[9:]}"


def shipment_rows(scenario: Scenario, voyages: Voyages) -> list[Mapping[str, object]]:
    """All rows of shipments.csv: the spelt-out ones, then cars, then ordinary goods, each by date of departure."""
    rows: list[Mapping[str, object]] = list(scenario.table.get("shipment", ()))
    cars: list[Mapping[str, object]] = []
    for k, order in enumerate(scenario.table.get("used_cars", ())):
        cars += _used_cars(order, voyages, default_rng([scenario.seed, 2, k]), 1000 * (k + 1))
    ordinary = _ordinary(scenario.table.get("ordinary_shipments", {}), voyages, default_rng([scenario.seed, 3]))
    rows += sorted(cars, key=lambda row: str(row["depart_date"]))
    return rows + sorted(ordinary, key=lambda row: (str(row["depart_date"]), str(row["bl_number"])))


def _passages(calls: Sequence[Call]) -> list[tuple[Call, Call]]:
    """Pairs of calls at different ports, one after the other."""
    return [(a, b) for a, b in pairwise(calls) if a.code != b.code]


def _on_board(who: Identity, a: Call, b: Call) -> dict[str, object]:
    """Ports and dates of a passage."""
    return {
        "load_port": a.code, "discharge_port": b.code, "depart_date": iso(a.t_depart)[:10],
        "arrive_date": iso(b.t_arrive)[:10], "vessel_name": who.name, "imo": who.imo or "",
    }  # fmt: skip


def _used_cars(order: Mapping[str, Any], voyages: Voyages, rng: Generator, serial: int) -> list[Mapping[str, object]]:
    """Cars on all passages of one ship between two ports, cleared on arrival."""
    rows: list[Mapping[str, object]] = []
    for who, calls in voyages:
        if who.name != order["ship"] or who.imo != order["imo"]:
            continue
        for a, b in _passages(calls):
            if (a.code, b.code) != (order["load_port"], order["discharge_port"]):
                continue
            bill = f"LXCR{serial:05d}"
            for _ in range(int(order["cars"])):
                serial += 1
                value = round(float(rng.uniform(*_PER_CAR_USD)), -1)
                rows.append(_on_board(who, a, b) | {
                    "bl_number": bill, "vin": vehicle_number("0LX", serial), "hs_code": _CAR_HS,
                    "description": str(rng.choice(_CARS)), "quantity": 1, "value": f"{value:.0f}", "currency": "USD",
                    "gross_weight_kg": int(rng.integers(*_PER_CAR_KG)), "shipper": order["shipper"],
                    "consignee": order["consignee"], "cleared": "yes", "source": "export declaration",
                })  # fmt: skip
    if not rows:
        raise UsageError(
            f"used_cars: {order['ship']} never goes from {order['load_port']} to {order['discharge_port']}"
        )
    return rows


def _ordinary(order: Mapping[str, Any], voyages: Voyages, rng: Generator) -> list[Mapping[str, object]]:
    """Goods on voyages of merchant ships that do not change their name, between calls that were heard."""
    cargo = [
        (who, a, b)
        for who, calls in voyages
        if 70 <= who.ship_type <= 79 and who.imo
        for a, b in _passages(calls)
        if a.t_depart < b.t_arrive and not (a.unheard or b.unheard)
    ]
    rows: list[Mapping[str, object]] = []
    chosen = rng.permutation(len(cargo))[: int(order.get("rows", 0))]
    for serial, k in enumerate(chosen.tolist(), start=1):
        who, a, b = cargo[k]
        good = _GOODS[int(rng.integers(len(_GOODS)))]
        units = int(rng.integers(*good.units))
        price = good.usd * float(rng.lognormal(0.0, 0.2))
        row = _on_board(who, a, b) | {
            "bl_number": f"LXBL{serial:05d}", "hs_code": good.hs_code, "description": good.description,
            "quantity": units, "value": f"{units * price:.0f}", "currency": "USD",
            "gross_weight_kg": round(units * good.kg), "shipper": _firm(rng), "consignee": _firm(rng),
            "cleared": "yes" if rng.random() < 0.8 else "", "source": "import manifest",
        }  # fmt: skip
        if who.ship_type == 71:
            row["container"] = container_number("LXWU", 200_000 + serial)
        if rng.random() < 1.0 / 6.0:
            row |= {"vessel_name": "", "imo": "", "source": "customs declaration"}
        rows.append(row)
    return rows


def _firm(rng: Generator) -> str:
    """The name of a firm that is not one."""
    return f"{rng.choice(np.array(_FIRM))} {rng.choice(np.array(_TRADE))}"
