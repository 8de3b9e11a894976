"""Papers of a trade world: what clerks and typists make of goods and ships."""

from __future__ import annotations

import string
from collections.abc import Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from luxwake.simulate.shipments import container_number, vehicle_number
from luxwake.simulate.trade_goods import Legs
from luxwake.simulate.trade_params import DAY_US, TradeParams
from luxwake.simulate.trade_voyages import Frame

Texts = NDArray[np.object_]
_GOODS = (
    ("870323", "used passenger car 1.8 l petrol", 5_500.0, 1_300.0, 1, 6),
    ("870899", "parts of motor vehicles", 18.0, 3.0, 400, 9000),
    ("847130", "portable computers", 520.0, 2.5, 100, 3000),
    ("940360", "wooden furniture", 130.0, 35.0, 50, 900),
    ("610910", "cotton t-shirts", 3.2, 0.2, 5000, 80_000),
    ("390120", "polyethylene granules", 1250.0, 1000.0, 20, 400),
    ("220830", "whisky in bottles", 9.0, 1.3, 500, 9000),
    ("401110", "car tyres", 42.0, 9.0, 300, 5000),
)
"""HS code, description, USD and kg a unit, units from and to."""
_BOX_KG, _HOLD_KG = 26_000, 400_000
_SERIALS = 1_000_000


def papers(made: Frame, legs: Legs, p: TradeParams, rng: Generator) -> dict[str, Texts]:
    """The papers of all legs as columns of text, by goods, leg and copy."""
    goods, units = _goods(made, legs, rng)
    of_leg = _legs(made, legs, p, rng)
    leg = np.repeat(np.arange(legs.goods.size), legs.papers)
    is_copy = np.append(False, leg[1:] == leg[:-1])[: leg.size]
    told = {name: column[legs.goods[leg]] for name, column in goods.items()}
    other = is_copy & (rng.random(leg.size) < p.conflicts)
    told["quantity"][other] = _numbers(units[legs.goods[leg[other]]] + 1)
    told |= {name: column[leg] for name, column in of_leg.items()}
    told["source"] = _texts("bill of lading", "customs declaration")[is_copy.astype(np.int64)]
    return told | _ship_said(made, made.voyages.ship[legs.sail[leg]], p, rng)


def _texts(*texts: str) -> Texts:
    return np.array(texts, np.object_)


def _numbers(values: NDArray[np.int64]) -> Texts:
    return np.array(list(map(str, values.tolist())), np.object_)


def _goods(made: Frame, legs: Legs, rng: Generator) -> tuple[dict[str, Texts], NDArray[np.int64]]:
    """What each goods are, and their units."""
    first = np.flatnonzero(legs.leg == 0)
    n = first.size
    hs, text, usd, kg, low, high = (np.array(column) for column in zip(*_GOODS, strict=True))
    kind = rng.integers(len(_GOODS), size=n)
    units = rng.integers(low[kind], high[kind] + 1)
    boxed = made.kind[made.voyages.ship[legs.sail[first]]] == "container"
    weight = np.minimum(np.round(units * kg[kind]), np.where(boxed, _BOX_KG, _HOLD_KG))
    car = (hs[kind] == "870323") & (units == 1)
    container, vin = np.full(n, "", np.object_), np.full(n, "", np.object_)
    container[boxed] = [container_number("LXWU", k % _SERIALS) for k in np.flatnonzero(boxed).tolist()]
    vin[car] = [vehicle_number("0LX", k % _SERIALS) for k in np.flatnonzero(car).tolist()]
    value = np.round(units * usd[kind] * rng.lognormal(0.0, 0.2, n)).astype(np.int64)
    return {
        "hs_code": hs.astype(np.object_)[kind], "description": text.astype(np.object_)[kind],
        "quantity": _numbers(units), "currency": np.full(n, "USD", np.object_), "value": _numbers(value),
        "gross_weight_kg": _numbers(np.maximum(weight, 1).astype(np.int64)), "container": container, "vin": vin,
    }, units  # fmt: skip


def _legs(made: Frame, legs: Legs, p: TradeParams, rng: Generator) -> dict[str, Texts]:
    """Bills, firms, ports and dates of each leg; who received the goods sends them on."""
    v, n = made.voyages, legs.goods.size
    firms = _texts(*(f"Firm {k} Trading Co" for k in range(p.firms)))
    to = rng.integers(p.firms, size=n)
    by = np.where(legs.leg == 0, rng.integers(p.firms, size=n), np.roll(to, 1))
    codes = _texts(*(port.locode for port in made.places))
    late = rng.choice((0.0, -2.0, 2.0, 7.0), n, p=(0.7, 0.1, 0.15, 0.05)) * rng.random(n)
    off = np.where(rng.random(n) < 0.6, 0.0, rng.normal(1.0, 1.5, n))
    arrive = _days(v.t_in[legs.land] + (off * DAY_US).astype(np.int64))
    arrive[rng.random(n) < p.no_arrival_date] = ""
    bills = [f"LX{goods:07d}{leg}" for goods, leg in zip(legs.goods.tolist(), legs.leg.tolist(), strict=True)]
    return {
        "bl_number": np.array(bills, np.object_), "shipper": firms[by], "consignee": firms[to],
        "load_port": codes[v.port[legs.sail]], "discharge_port": codes[v.port[legs.land]],
        "depart_date": _days(v.t_out[legs.sail] + (late * DAY_US).astype(np.int64)), "arrive_date": arrive,
    }  # fmt: skip


def _days(t_us: NDArray[np.int64]) -> Texts:
    """The days of times, as 2021-01-31."""
    days, index = np.unique(t_us // DAY_US, return_inverse=True)
    return days.astype("datetime64[D]").astype(str).astype(np.object_)[index]


def _ship_said(made: Frame, ship: NDArray[np.int64], p: TradeParams, rng: Generator) -> dict[str, Texts]:
    """Names and numbers of ships, as typed, on the papers that name theirs."""
    named = rng.random(ship.size) < p.named
    numbered = named & (rng.random(ship.size) < p.with_imo)
    names = _texts(*(one.name for one in made.ships))[ship]
    numbers = _numbers(np.array([one.imo for one in made.ships]))[ship]
    names[~named], numbers[~numbered] = "", ""
    _mistype(names, named & (rng.random(ship.size) < p.name_typos), string.ascii_uppercase, rng)
    _mistype(numbers, numbered & (rng.random(ship.size) < p.imo_typos), string.digits, rng)
    return {"vessel_name": names, "imo": numbers}


def _mistype(texts: Texts, wrong: NDArray[np.bool_], alphabet: str, rng: Generator) -> None:
    for k in np.flatnonzero(wrong).tolist():
        texts[k] = _typo(rng, texts[k], alphabet)


def _typo(rng: Generator, text: str, alphabet: Sequence[str]) -> str:
    """One character replaced, lost, or swapped with the next."""
    spots = [k for k, c in enumerate(text) if c in alphabet]
    if not spots:
        return text
    k, how = spots[int(rng.integers(len(spots)))], int(rng.integers(3))
    if how == 0:
        return text[:k] + alphabet[int(rng.integers(len(alphabet)))] + text[k + 1 :]
    return text[:k] + text[k + 1 :] if how == 1 else text[:k] + text[k + 1 : k + 2] + text[k] + text[k + 2 :]
