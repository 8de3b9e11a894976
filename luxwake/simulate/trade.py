"""A trade world with truth: thousands of ships, their port calls and silences, and the papers of what they carried.

Positions are left out, so that a year of 5,000 ships is made in seconds: the events are those that detectors would
find, lost calls and unheard ships included. Liners go round their loops, tramps from port to port. Goods travel in one
to three legs; papers are dated by their clerks, spelt by their typists, and half of them do not name the ship. A few
goods are diverted: their ship falls silent and never calls where it was declared to.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from ais.table import Table
from detectors.event import DARK, EVENT, PORT_CALL, Events, event_id
from geo.ports import Port, ports
from geo.sphere import NMI_M, distances_m
from luxwake.simulate.fleet import KINDS, Kind, invent
from luxwake.simulate.shipments import container_number, vehicle_number
from luxwake.simulate.voyage import Identity

DAY_US = 86_400_000_000
_MIX = (("container", 0.35), ("general", 0.35), ("bulk", 0.15), ("roro", 0.05), ("tanker", 0.10))
_LINERS = ("container", "roro")
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
_LETTERS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))


@dataclass(frozen=True, kw_only=True)
class TradeParams:
    """Shares of what goes wrong; the defaults are guesses of what papers and reception are like."""

    ships: int = 5_000
    rows: int = 200_000
    days: int = 365
    ports: int = 400
    """Some 55,000 merchant ships share 4,000 ports; the busiest has one call in thirty."""
    unheard_ships: float = 0.03
    lost_calls: float = 0.02
    """Port calls that are not on record: the detector's recall is 0.99 for entries and 0.98 for exits."""
    named: float = 0.5
    """Of the rows that name their ship, `with_imo` give its number."""
    with_imo: float = 0.4
    name_typos: float = 0.02
    imo_typos: float = 0.02
    old_names: float = 0.02
    no_arrival_date: float = 0.25
    two_records: float = 0.2
    conflicts: float = 0.1
    """Of the legs with two records, those whose second says otherwise."""
    diverted: float = 0.02
    innocent_silences: float = 0.01
    """Of the passages of all ships."""


class TrueRow(NamedTuple):
    """What stands behind a row: its goods, the leg, the ship that carried it (0: one not heard), and the two calls."""

    consignment: int
    leg: int
    mmsi: int
    t_sail: int
    t_end: int
    diverted: int


class TradeWorld(NamedTuple):
    """The events, the papers as rows of text, and the truth of each row."""

    events: Events
    rows: list[dict[str, str]]
    truth: list[TrueRow]


class _Voyages(NamedTuple):
    """All calls of all ships, by ship and time."""

    ship: NDArray[np.int64]
    port: NDArray[np.int64]
    t_in: NDArray[np.int64]
    t_out: NDArray[np.int64]
    first: NDArray[np.int64]


class _Made(NamedTuple):
    """The frame of the world: its ports, ships and voyages."""

    places: list[Port]
    ships: list[Identity]
    kinds: list[Kind]
    voyages: _Voyages


def trade_world(params: TradeParams | None = None, seed: int = 1) -> TradeWorld:
    """Make a world; the same arguments give the same.

    >>> world = trade_world(TradeParams(ships=50, rows=100, days=90, ports=12), seed=3)
    >>> len(world.rows) == len(world.truth) >= 100, world.events["kind"].size > 100
    (True, True)
    """
    p = params or TradeParams()
    made = _frame(p, seed)
    rng = default_rng([seed, 2])
    heard = rng.random(len(made.ships)) >= p.unheard_ships
    recorded = (rng.random(made.voyages.ship.size) >= p.lost_calls) & heard[made.voyages.ship]
    rows: list[dict[str, str]] = []
    truth: list[TrueRow] = []
    silences: list[tuple[int, int, int, float]] = []  # call from which a ship was silent, from, to, score
    dropped: set[int] = set()
    for number, (legs, diverted) in enumerate(_consignments(made, p, default_rng([seed, 3]))):
        if diverted:
            call = legs[-1][0]
            dropped.add(legs[-1][1])
            silences.append((call, int(made.voyages.t_out[call]) + DAY_US // 4, int(made.voyages.t_in[call + 1]), 0.97))
        _papers(made, p, number, legs, diverted, heard, default_rng([seed, 4, number]), rows, truth)
        if len(rows) >= p.rows:
            break
    recorded[sorted(dropped)] = False
    events = _events(made, recorded, heard, silences + _innocent(made, p, heard, default_rng([seed, 5])), p, seed)
    return TradeWorld(events, rows, truth)


def _frame(p: TradeParams, seed: int) -> _Made:
    """Ports, ships, and where each ship goes."""
    rng = default_rng([seed, 1])
    table = [port for port in ports() if port.quality == "table" and "0" not in port.locode]
    chosen = rng.choice(len(table), p.ports, replace=False)
    places = [table[k] for k in chosen.tolist()]
    lat, lon = (np.array([getattr(port, name) for port in places]) for name in ("lat", "lon"))
    nmi = np.array([distances_m(lat, lon, a, o) for a, o in zip(lat, lon, strict=True)]) / NMI_M * 1.2
    size = np.arange(1, p.ports + 1) ** -0.6
    near = size * np.exp(-nmi / 3000.0) * (nmi > 20.0)
    near /= near.sum(axis=1, keepdims=True)
    names = rng.choice([name for name, _ in _MIX], p.ships, p=[share for _, share in _MIX])
    kinds = [KINDS[name] for name in names.tolist()]
    ships = [invent(kind, k, rng) for k, kind in enumerate(kinds)]
    found = [_calls(rng, kind, near, nmi, p) for kind in kinds]
    ship = np.repeat(np.arange(p.ships), [len(calls) for calls in found])
    flat = np.array([call for calls in found for call in calls], np.int64).reshape(-1, 3)
    first = np.searchsorted(ship, np.arange(p.ships + 1))
    return _Made(places, ships, kinds, _Voyages(ship, flat[:, 0], flat[:, 1], flat[:, 2], first))


def _calls(rng: Generator, kind: Kind, near: NDArray[Any], nmi: NDArray[Any], p: TradeParams) -> list[Any]:
    """The calls of one ship: port, begin, end."""
    start = int(np.datetime64("2021-01-01", "us").astype(np.int64))
    end = start + p.days * DAY_US
    at = int(rng.choice(near.shape[0], p=near.sum(axis=0) / near.sum()))
    loop: list[int] = []
    if kind.name in _LINERS:
        loop = [at]
        while len(loop) < int(rng.integers(4, 9)):
            loop.append(int(rng.choice(near.shape[0], p=near[loop[-1]])))
    knots = float(rng.uniform(*kind.speed_kn))
    t, calls, k = start - int(rng.integers(0, 20 * DAY_US)), [], 0
    while t < end:
        k += 1
        there = loop[k % len(loop)] if loop else int(rng.choice(near.shape[0], p=near[at]))
        if there == at:
            continue
        stay = float(rng.lognormal(math.log(20.0 if loop else 48.0), 0.5)) * 3.6e9
        if t > start:
            calls.append((at, t, t + int(stay)))
        hours = nmi[at, there] / knots * float(rng.uniform(1.0, 1.15))
        t, at = t + int(stay) + int(hours * 3.6e9), there
    return calls


def _consignments(made: _Made, p: TradeParams, rng: Generator) -> Iterator[tuple[list[tuple[int, int]], bool]]:
    """Goods without end: their legs, each from a call to a later one of a ship, and whether they are diverted."""
    v = made.voyages
    cargo = np.array([kind.name != "tanker" for kind in made.kinds])
    starts = np.flatnonzero(cargo[v.ship])
    by_port = np.lexsort((v.t_in, v.port))
    port_first = np.searchsorted(v.port[by_port], np.arange(len(made.places) + 1))
    while True:
        call = int(starts[rng.integers(starts.size)])
        legs: list[tuple[int, int]] = []
        for _ in range(int(rng.choice((1, 2, 3), p=(0.75, 0.2, 0.05)))):
            last = v.first[v.ship[call] + 1] - 1
            ahead = 1 + int(rng.integers(0, 4)) if made.kinds[v.ship[call]].name in _LINERS else 1
            to = call + ahead
            if to > last or v.port[to] == v.port[call]:
                break
            legs.append((call, to))
            here = by_port[port_first[v.port[to]] : port_first[v.port[to] + 1]]
            later = here[(v.t_out[here] > v.t_in[to] + DAY_US) & (v.t_out[here] < v.t_in[to] + 21 * DAY_US)]
            later = later[cargo[v.ship[later]] & (v.ship[later] != v.ship[to])]
            if not later.size:
                break
            call = int(later[rng.integers(later.size)])
        if legs:
            yield legs, bool(rng.random() < p.diverted) and legs[-1][1] == legs[-1][0] + 1


def _typo(rng: Generator, text: str, alphabet: Sequence[str] | NDArray[Any]) -> str:
    """One character replaced, lost, or swapped with the next."""
    spots = [k for k, c in enumerate(text) if c in set(alphabet)]
    if not spots:
        return text
    k, how = int(rng.choice(spots)), int(rng.integers(3))
    if how == 0:
        return text[:k] + str(rng.choice(alphabet)) + text[k + 1 :]
    return text[:k] + text[k + 1 :] if how == 1 else text[:k] + text[k + 1 : k + 2] + text[k] + text[k + 2 :]


def _day(t_us: float) -> str:
    return str(np.datetime64(int(t_us), "us").astype("datetime64[D]"))


def _papers(
    made: _Made, p: TradeParams, number: int, legs: Sequence[tuple[int, int]], diverted: bool, heard: NDArray[np.bool_],
    rng: Generator, rows: list[dict[str, str]], truth: list[TrueRow],
) -> None:  # fmt: skip
    """The rows of one consignment, and what is true of each."""
    v = made.voyages
    hs, text, usd, kg, low, high = _GOODS[int(rng.integers(len(_GOODS)))]
    units = int(rng.integers(low, high + 1))
    boxed = made.kinds[v.ship[legs[0][0]]].name == "container"
    goods = {
        "hs_code": hs, "description": text, "quantity": str(units), "currency": "USD",
        "value": f"{units * usd * float(rng.lognormal(0.0, 0.2)):.0f}",
        "gross_weight_kg": str(max(1, min(round(units * kg), 26_000 if boxed else 400_000))),
        "container": container_number("LXWU", number % 400_000) if boxed else "",
        "vin": vehicle_number("0LX", number % 1_000_000) if hs == "870323" and units == 1 else "",
    }  # fmt: skip
    firms = [f"Firm {int(rng.integers(4000))} Trading Co" for _ in range(len(legs) + 1)]
    for k, (a, b) in enumerate(legs):
        ship = made.ships[v.ship[a]]
        lost = diverted and k == len(legs) - 1
        arrive = v.t_in[b] + (0.0 if rng.random() < 0.6 else float(rng.normal(1.0, 1.5))) * DAY_US
        late = float(rng.choice((0.0, -2.0, 2.0, 7.0), p=(0.7, 0.1, 0.15, 0.05)))
        row = goods | {
            "bl_number": f"LX{number:07d}{k}", "shipper": firms[k], "consignee": firms[k + 1],
            "load_port": made.places[v.port[a]].locode, "discharge_port": made.places[v.port[b]].locode,
            "depart_date": _day(v.t_out[a] + late * float(rng.random()) * DAY_US),
            "arrive_date": "" if rng.random() < p.no_arrival_date else _day(arrive), "source": "bill of lading",
            "vessel_name": "", "imo": "",
        }  # fmt: skip
        for copy in range(1 + int(rng.random() < p.two_records)):
            paper = dict(row) | ({"source": "customs declaration"} if copy else {})
            if rng.random() < p.named:
                name = ship.name
                paper["vessel_name"] = _typo(rng, name, _LETTERS) if rng.random() < p.name_typos else name
                if rng.random() < p.with_imo:
                    imo = str(ship.imo)
                    paper["imo"] = _typo(rng, imo, list("0123456789")) if rng.random() < p.imo_typos else imo
            if copy and rng.random() < p.conflicts:
                paper["quantity"] = str(units + 1)
            rows.append(paper)
            mmsi = ship.mmsi if heard[v.ship[a]] else 0
            truth.append(TrueRow(number, k, mmsi, int(v.t_out[a]), int(v.t_in[b]), int(lost)))


def _innocent(
    made: _Made, p: TradeParams, heard: NDArray[np.bool_], rng: Generator
) -> list[tuple[int, int, int, float]]:
    """Silences that mean nothing, most of which reception explains."""
    v = made.voyages
    whole = np.flatnonzero(heard[v.ship[:-1]] & (v.ship[:-1] == v.ship[1:]))
    chosen = whole[rng.random(whole.size) < p.innocent_silences]
    return [
        (int(c), int(v.t_out[c]) + DAY_US // 8, int(v.t_in[c + 1]) - DAY_US // 8, float(rng.beta(1.0, 4.0)))
        for c in chosen
        if v.t_in[c + 1] - v.t_out[c] > DAY_US
    ]


def _events(
    made: _Made, recorded: NDArray[np.bool_], heard: NDArray[np.bool_], silences: Sequence[tuple[int, int, int, float]],
    p: TradeParams, seed: int,
) -> Events:  # fmt: skip
    """Port calls and silences as the detectors would tell of them, with the ships heard."""
    v = made.voyages
    calls = np.flatnonzero(recorded)
    silent = [one for one in silences if heard[v.ship[one[0]]]]
    n = calls.size + len(silent)
    row = np.concatenate([calls, np.array([one[0] for one in silent], np.int64)])
    lat, lon = (np.array([getattr(port, name) for port in made.places]) for name in ("lat", "lon"))
    mmsi = np.array([ship.mmsi for ship in made.ships], np.uint32)
    columns: dict[str, NDArray[Any]] = {name: np.zeros(n, EVENT[name]) for name in EVENT.names or () if name != "facts"}
    columns["kind"] = np.where(np.arange(n) < calls.size, PORT_CALL, DARK).astype(np.uint8)
    columns["mmsi"] = mmsi[v.ship[row]]
    columns["t_start"] = np.concatenate([v.t_in[calls], np.array([one[1] for one in silent], np.int64)])
    columns["t_end"] = np.concatenate([v.t_out[calls], np.array([one[2] for one in silent], np.int64)])
    columns["score"] = np.concatenate([np.full(calls.size, 0.95), [one[3] for one in silent]]).astype(np.float32)
    columns["coverage"] = np.ones(n, np.float32)
    columns["lat"], columns["lon"] = lat[v.port[row]], lon[v.port[row]]
    columns["lat_end"], columns["lon_end"] = columns["lat"].copy(), columns["lon"].copy()
    codes = np.array([port.locode for port in made.places], "U5")
    columns["port"] = np.where(columns["kind"] == PORT_CALL, codes[v.port[row]], "")
    order = np.lexsort((columns["mmsi"], columns["kind"], columns["t_start"]))
    columns = {name: column[order] for name, column in columns.items()}
    words = {PORT_CALL: "port_call", DARK: "gap"}
    keys = zip(columns["kind"].tolist(), columns["mmsi"].tolist(), columns["t_start"].tolist(), strict=True)
    columns["id"] = np.array([event_id(words[kind], who, 0, 0, 0, t, f"trade {seed}") for kind, who, t in keys], "U16")
    heard_ships = [ship for ship, is_heard in zip(made.ships, heard.tolist(), strict=True) if is_heard]
    start = int(np.datetime64("2021-01-01", "us").astype(np.int64))
    return Events(
        columns, _vessels(heard_ships, start, p.days), _identities(heard_ships, start, p.days),
        params={"port_calls": {}, "dark": {}},
    )  # fmt: skip


def _vessels(ships: Sequence[Identity], start: int, days: int) -> Table:
    """The ships heard, each all the time."""
    n = len(ships)
    return Table({
        "mmsi": np.array([ship.mmsi for ship in ships], np.uint32), "hull": np.zeros(n, np.uint8),
        "n": np.full(n, 1000, np.uint32), "t_first": np.full(n, start), "t_last": np.full(n, start + days * DAY_US),
        "sog_p95": np.full(n, 14.0, np.float32), "name": np.array([ship.name.encode() for ship in ships], "S20"),
        "imo": np.array([ship.imo for ship in ships], np.uint32),
        "ship_type": np.array([ship.ship_type for ship in ships], np.uint8),
        "length_m": np.array([ship.length_m for ship in ships], np.float32),
    })  # fmt: skip


def _identities(ships: Sequence[Identity], start: int, days: int) -> Table:
    """What the ships say of themselves."""
    n = len(ships)
    return Table({
        "t_from": np.full(n, start), "t_to": np.full(n, start + days * DAY_US),
        "mmsi": np.array([ship.mmsi for ship in ships], np.uint32),
        "imo": np.array([ship.imo for ship in ships], np.uint32),
        "name": np.array([ship.name.encode() for ship in ships], "S20"),
        "draught": np.array([ship.draught_m for ship in ships], np.float32), "source": np.zeros(n, np.uint16),
        "first_offset": np.full(n, -1), "last_offset": np.full(n, -1),
    })  # fmt: skip
