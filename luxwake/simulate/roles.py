"""Random traffic: ordinary ships, ships that do what the detectors look for, and ships that only look like it.

Every ship trades between the ports of its block. A role adds one thing to that: `loiterer` (5 to 30 h under 2 kn, 30
nmi or more from shore), `dark_near` and `dark_far` (silent for 7 to 60 h, from 8 to 25 nmi after departure or at sea),
`rendezvous` (two ships side by side for 2.5 to 8 h), `drifter` (an engine stop near the coast), `renamed` (a new
identity in port). The innocent look-alikes: `anchored` (neighbours in the roads), `waiting` (at anchor with many others
in one of the anchorages of the block), `escort` (two ships in company under way), `ferry` (two ships that cross again
and again), `fishing` (a pair of trawlers), `trader` (nothing).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.random import default_rng

from geo.sphere import NMI_M, destination, distance_m, distances_m
from luxwake.simulate.fleet import KINDS
from luxwake.simulate.lanes import route_through
from luxwake.simulate.meeting import meet
from luxwake.simulate.motion import FISHING
from luxwake.simulate.traffic import HARBOUR_KN, HARBOUR_M, Yard, pick
from luxwake.simulate.voyage import HOUR_S, Voyage

Group = list[Voyage]
_OPEN_SEA_M = 34.0 * NMI_M  # loitering is defined from 20 nmi, and a wandering ship goes 10 nmi and a little more
_MEETING_SHORE_M = 15_000.0  # meetings are defined from 10 km


def groups(yard: Yard) -> Iterator[Group]:
    """Ships in groups that belong together, up to the block's number; a group does not depend on later ones."""
    made, k = 0, 0
    while made < yard.traffic.ships:
        yard.rng = default_rng([yard.seed, yard.index, k])
        role = pick(yard.traffic.roles, (k * 0.6180339887498949) % 1.0)  # golden section: shares hold for any number
        if made + _CREW.get(role, 1) > yard.traffic.ships:
            role = "trader"
        group = _ROLES[role](yard)
        made, k = made + len(group), k + 1
        yard.index += len(group)
        yield group


def _trader(yard: Yard) -> Group:
    """Nothing but trade; begins in port or under way."""
    start, until = yard.span()
    kind, who = yard.identity()
    port = yard.port()
    if yard.rng.random() < 0.5:
        ship = yard.begin(kind, who, port, start)
        ship.moor(port, start + float(yard.rng.uniform(2.0, 30.0)) * HOUR_S, 90.0, "open at start")
        yard.trade(ship, kind, port, until)
        return [ship]
    target, speed = yard.next_port(port, small=kind.class_b), float(yard.rng.uniform(*kind.speed_kn))
    length = yard.lanes.route(port, target).length_m
    along = max(HARBOUR_M + 200.0, float(yard.rng.uniform(0.1, 0.8)) * length)
    ship, behind = yard.approach(kind, who, port, target, along, start, speed, start)
    yard.sail(ship, port, target, speed, from_m=behind)
    yard.call(ship, target)
    yard.trade(ship, kind, target, until)
    return [ship]


def _with_stop(
    yard: Yard,
    shore_m: float,
    act: Callable[[Voyage, str, str, float, float], None],
    low: float = 0.15,
    high: float = 0.8,
) -> Group:
    """A ship that does something at one place of its route, at any hour of its time here."""
    start, until = yard.span()
    kind, who = yard.identity(kind=yard.seagoing())
    for _ in range(20):
        a = yard.port()
        b = yard.next_port(a)
        along = yard.spot(a, b, shore_m, low, high)
        if along is not None:
            break
    else:
        return _trader(yard)
    speed = float(yard.rng.uniform(*kind.speed_kn))
    at = start + float(yard.rng.uniform(0.08, 0.6)) * (until - start)
    ship, behind = yard.approach(kind, who, a, b, along, at, speed, start)
    yard.sail(ship, a, b, speed, along, lambda: act(ship, a, b, along, speed), behind)
    yard.call(ship, b)
    yard.trade(ship, kind, b, until)
    return [ship]


def _loiterer(yard: Yard) -> Group:
    def act(ship: Voyage, a: str, b: str, along: float, speed: float) -> None:
        hours = float(yard.rng.uniform(5.0, 30.0))
        ship.wander(hours, float(yard.rng.uniform(0.4, 1.6)), yard.rng, kind="loitering", note=f"{a} to {b}")

    return _with_stop(yard, _OPEN_SEA_M, act)


def _go_dark(yard: Yard, ship: Voyage, a: str, b: str, along: float, speed: float, note: str) -> None:
    """Silent from here; what is left of the hours when the voyage would be nearly over is spent drifting, unheard."""
    hours = float(yard.rng.uniform(7.0, 60.0))
    route = yard.lanes.route(a, b)
    ahead_h = (route.length_m - along) / (speed * NMI_M)
    if hours < 0.7 * ahead_h:
        ship.dark(ship.t, ship.t + hours * HOUR_S, f"{note}; sails on", (ship.lat, ship.lon))
        return
    ship.switch_off()
    ship.wander(hours, float(yard.rng.uniform(0.5, 1.5)), yard.rng)
    ship.switch_on(f"{note}; waits")


def _dark_far(yard: Yard) -> Group:
    def act(ship: Voyage, a: str, b: str, along: float, speed: float) -> None:
        _go_dark(yard, ship, a, b, along, speed, "at sea")

    return _with_stop(yard, _OPEN_SEA_M, act, 0.1, 0.6)


def _dark_near(yard: Yard) -> Group:
    start, until = yard.span()
    kind, who = yard.identity(kind=yard.seagoing())
    a = yard.port()
    b = yard.next_port(a)
    speed = float(yard.rng.uniform(*kind.speed_kn))
    along = min(float(yard.rng.uniform(8.0, 25.0)) * NMI_M, 0.4 * yard.lanes.route(a, b).length_m)
    at = start + float(yard.rng.uniform(0.08, 0.6)) * (until - start)
    ship, behind = yard.approach(kind, who, a, b, along, at, speed, start)
    yard.sail(ship, a, b, speed, along, lambda: _go_dark(yard, ship, a, b, along, speed, "near shore"), behind)
    yard.call(ship, b)
    yard.trade(ship, kind, b, until)
    return [ship]


def _rendezvous(yard: Yard) -> Group:
    """Two ships on one lane in opposite directions meet at a place far from shore."""
    start, until = yard.span()
    for _ in range(20):
        a = yard.port()
        b = yard.next_port(a)
        along = yard.spot(a, b, _MEETING_SHORE_M, 0.2, 0.8)
        if along is not None:
            break
    else:
        return _trader(yard)
    at = start + float(yard.rng.uniform(0.1, 0.65)) * (until - start)
    length = yard.lanes.route(a, b).length_m
    pair, kinds, plans = [], [], []
    for offset, (origin, end, behind) in enumerate(((a, b, along), (b, a, length - along))):
        kind, who = yard.identity(offset, yard.seagoing())
        speed = float(yard.rng.uniform(*kind.speed_kn))
        ship, from_m = yard.approach(kind, who, origin, end, behind, at + 900.0 * offset, speed, start)
        route = yard.lanes.route(origin, end)
        if from_m is None:
            ship.sail(route_through([(ship.lat, ship.lon), route.at(HARBOUR_M)]), HARBOUR_KN)
        ship.sail(route.part(from_m if from_m is not None else HARBOUR_M, behind), speed)
        ship.declare(destination=end)
        pair.append(ship)
        kinds.append(kind)
        plans.append((origin, end, behind, speed))
    meet(pair[0], pair[1], float(yard.rng.uniform(2.5, 8.0)), yard.rng)
    for ship, kind, (origin, end, behind, speed) in zip(pair, kinds, plans, strict=True):
        route = yard.lanes.route(origin, end)
        onward = min(route.length_m - HARBOUR_M, behind + 9_000.0)
        ship.sail(route_through([(ship.lat, ship.lon), route.at(onward)]), 8.0)
        yard.sail(ship, origin, end, speed, from_m=onward)
        yard.call(ship, end)
        yard.trade(ship, kind, end, until)
    return pair


def _drifter(yard: Yard) -> Group:
    def act(ship: Voyage, a: str, b: str, along: float, speed: float) -> None:
        ship.wander(
            float(yard.rng.uniform(3.0, 10.0)),
            float(yard.rng.uniform(0.5, 1.5)),
            yard.rng,
            kind="drift",
            note="engine stopped",
        )

    return _with_stop(yard, 8_000.0, act, 0.05, 0.95)


def _renamed(yard: Yard) -> Group:
    """A ship that takes another identity while it lies in port."""
    start, until = yard.span()
    kind, who = yard.identity(kind=yard.seagoing())
    _, other = yard.identity(50_000, kind)
    port = yard.port()
    ship = yard.begin(kind, who, port, start)
    ship.moor(port, start + float(yard.rng.uniform(4.0, 30.0)) * HOUR_S, 90.0, "open at start")
    target = yard.next_port(port)
    yard.sail(ship, port, target, float(yard.rng.uniform(*kind.speed_kn)))
    yard.call(ship, target)
    imo = other.imo if yard.rng.random() < 0.5 else who.imo
    ship.declare(mmsi=other.mmsi, name=other.name, callsign=other.callsign, imo=imo)
    yard.trade(ship, kind, target, until)
    return [ship]


def _anchored(yard: Yard) -> Group:
    """Three ships wait at anchor in the roads of one port, a few hundred metres apart."""
    start, until = yard.span()
    a = yard.port()
    b = yard.next_port(a)
    route = yard.lanes.route(a, b)
    roads = max(HARBOUR_M + 1_000.0, route.length_m - float(yard.rng.uniform(3.0, 5.0)) * NMI_M)
    at = start + float(yard.rng.uniform(0.1, 0.5)) * (until - start)
    group = []
    for offset in range(3):
        kind, who = yard.identity(offset, yard.seagoing())
        speed = float(yard.rng.uniform(*kind.speed_kn))
        ship, behind = yard.approach(kind, who, a, b, roads, at + offset * 2.0 * HOUR_S, speed, start)

        def wait(ship: Voyage = ship, offset: int = offset) -> None:
            lat, lon = destination(ship.lat, ship.lon, 120.0 * offset, 450.0)
            ship.sail(route_through([(ship.lat, ship.lon), (float(lat), float(lon))]), 3.0)
            ship.anchor(float(yard.rng.uniform(12.0, 48.0)), yard.rng, f"roads of {b}")

        yard.sail(ship, a, b, speed, roads, wait, behind)
        yard.call(ship, b)
        yard.trade(ship, kind, b, until)
        group.append(ship)
    return group


def _waiting(yard: Yard) -> Group:
    """A ship that waits at an anchorage on its way to the port nearest to it."""
    if not yard.traffic.anchorages:
        return _trader(yard)
    start, until = yard.span()
    kind, who = yard.identity(kind=yard.seagoing())
    roads = yard.traffic.anchorages[int(yard.rng.integers(len(yard.traffic.anchorages)))]
    berths = [yard.lanes.berth(code) for code in yard.traffic.ports]
    b = berths[int(np.argmin([distance_m(roads.lat, roads.lon, berth.lat, berth.lon) for berth in berths]))].code
    a = yard.next_port(b)
    route = yard.lanes.route(a, b)
    along_m = np.arange(0.0, max(1.0, route.length_m - HARBOUR_M), 0.5 * NMI_M)
    lat, lon = np.array([route.at(float(metres)) for metres in along_m]).T
    along = max(HARBOUR_M + 1_000.0, float(along_m[np.argmin(distances_m(roads.lat, roads.lon, lat, lon))]))
    speed = float(yard.rng.uniform(*kind.speed_kn))
    at = start + float(yard.rng.uniform(0.1, 0.6)) * (until - start)
    ship, behind = yard.approach(kind, who, a, b, along, at, speed, start)

    def wait() -> None:
        bearing, share = float(yard.rng.uniform(0.0, 360.0)), float(yard.rng.uniform(0.0, 1.0))
        lat, lon = destination(roads.lat, roads.lon, bearing, roads.radius_m * share**0.5)
        ship.sail(route_through([(ship.lat, ship.lon), (float(lat), float(lon))]), 8.0)
        ship.anchor(float(yard.rng.uniform(14.0, 60.0)), yard.rng, f"anchorage {roads.name}")

    yard.sail(ship, a, b, speed, along, wait, behind)
    yard.call(ship, b)
    yard.trade(ship, kind, b, until)
    return [ship]


def _escort(yard: Yard) -> Group:
    """A ship and a tug in company, 250 to 450 m apart, under way and in port."""
    lead = _trader(yard)[0]
    _, who = yard.identity(1, KINDS["tug"])
    nodes = lead.nodes()
    tug = Voyage(who, float(nodes["t"][0]), float(nodes["lat"][0]), float(nodes["lon"][0]))
    tug.thin_factor = yard.traffic.thin_factor
    tug.beside(lead, tug.t, float(yard.rng.uniform(0.0, 360.0)), float(yard.rng.uniform(250.0, 450.0)))
    tug.truth = [row._replace(mmsi=who.mmsi) for row in lead.truth if row.kind in ("port_call", "anchor")]
    return [lead, tug]


def _ferry(yard: Yard) -> Group:
    """Two ferries between the same two ports, in opposite directions."""
    start, until = yard.span()
    a = yard.port()
    b = yard.next_port(a, small=True)
    group = []
    for offset, (here, there) in enumerate(((a, b), (b, a))):
        kind, who = yard.identity(offset, KINDS["ferry"])
        ship = yard.begin(kind, who, here, start)
        speed = float(yard.rng.uniform(*kind.speed_kn))
        yard.call(ship, here, (1.5, 3.0))
        while ship.t < until:
            yard.sail(ship, here, there, speed)
            yard.call(ship, there, (1.5, 3.0))
            here, there = there, here
        group.append(ship)
    return group


def _fishing(yard: Yard) -> Group:
    """Two trawlers that pull one net, 300 m apart at 2.5 to 4 kn, and go home."""
    start, until = yard.span()
    a = yard.port()
    b = yard.next_port(a)
    along = yard.spot(a, b, _MEETING_SHORE_M, 0.05, 0.5)
    kind, who = yard.identity(0, KINDS["fishing"])
    ship = yard.begin(kind, who, a, start)
    yard.call(ship, a, (3.0, 12.0))
    route = yard.lanes.route(a, b)
    out = route.part(0.0, min(along if along is not None else 0.4 * route.length_m, 120.0 * NMI_M))
    while ship.t < until:
        ship.sail(route_through([(ship.lat, ship.lon), out.at(HARBOUR_M)]), HARBOUR_KN)
        ship.sail(out.part(HARBOUR_M, out.length_m), 9.0)
        ship.wander(float(yard.rng.uniform(10.0, 40.0)), float(yard.rng.uniform(2.9, 4.0)), yard.rng, mode=FISHING)
        back = out.reversed()
        ship.sail(route_through([(ship.lat, ship.lon), back.at(HARBOUR_M)]), 9.0)
        ship.sail(back.part(HARBOUR_M, back.length_m - 500.0), 9.0)
        yard.call(ship, a, (6.0, 30.0))
    _, mate_who = yard.identity(1, KINDS["fishing"])
    nodes = ship.nodes()
    mate = Voyage(mate_who, float(nodes["t"][0]), float(nodes["lat"][0]), float(nodes["lon"][0]))
    mate.thin_factor = yard.traffic.thin_factor
    mate.beside(ship, mate.t, float(yard.rng.uniform(0.0, 360.0)), 300.0)
    mate.truth = [row._replace(mmsi=mate_who.mmsi) for row in ship.truth if row.kind == "port_call"]
    return [ship, mate]


_ROLES: dict[str, Callable[[Yard], Group]] = {
    "trader": _trader, "loiterer": _loiterer, "dark_near": _dark_near, "dark_far": _dark_far,
    "rendezvous": _rendezvous, "drifter": _drifter, "renamed": _renamed, "anchored": _anchored,
    "waiting": _waiting, "escort": _escort, "ferry": _ferry, "fishing": _fishing,
}  # fmt: skip
_CREW = {"rendezvous": 2, "anchored": 3, "escort": 2, "ferry": 2, "fishing": 2}
"""Ships of a group where it is more than one."""
ROLES = tuple(_ROLES)
