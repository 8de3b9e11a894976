"""Scripted ships: the actions of `[[vessel]]` tables, one after the other.

{ moor = "2018-10-01T08:00:00Z", port = "KRPUS" }     lie at the berth until a time (or hours = 20)
{ sail = "RUNJK", knots = 9.0 }                        to a port, along its route; arrive = a time sets the speed
{ go = [35.2, 129.4], knots = 9.0 }                    straight to a place; via = [[lat, lon], ...] on the way
{ wait = "2018-10-19T00:00:00Z", as = "anchor" }       until a time (or hours), at anchor or adrift
{ loiter = 20.0, knots = 1.0 }                         hours of slow wandering: a row of truth
{ off = true, note = "..." } ... { on = true }         the transponder
{ set = { draught_m = 6.2, destination = "NAKHODKA" }, eta = "2018-10-05T00:00:00Z" }
{ meet = "NAME", hours = 4.0 }                         side by side with a ship scripted before this one
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from numpy.random import default_rng

from geo.errors import UsageError
from geo.sphere import NMI_M, distances_m
from luxwake.simulate.lanes import Lanes, Route, route_through
from luxwake.simulate.meeting import meet
from luxwake.simulate.voyage import HOUR_S, Identity, Voyage, eta_code, heading_ashore

_IDENTITY = ("mmsi", "imo", "name", "callsign", "ship_type", "length_m", "beam_m", "draught_m", "destination")


def seconds(value: object, what: str) -> float:
    """A TOML date-time or ISO text as s since 1970; UTC where it names no zone."""
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        raise UsageError(f"{what}: {value!r} is not a time; write 2018-10-01T00:00:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()


class Script:
    """Plays the actions of scripted ships."""

    def __init__(self, lanes: Lanes, seed: int) -> None:
        self.lanes, self.seed = lanes, seed
        self.ships: dict[str, Voyage] = {}

    def play(self, table: Mapping[str, Any]) -> Voyage:
        """The life of one `[[vessel]]`."""
        name = str(table.get("name", table.get("mmsi", "?")))
        try:
            who = Identity(**{key: table[key] for key in _IDENTITY if key in table})
            berth = self.lanes.berth(str(table["at"]))
            begin = seconds(table["begin"], f"vessel {name}: begin")
        except (KeyError, TypeError) as error:
            raise UsageError(f"vessel {name}: {error} is missing; needed are mmsi, at (a port) and begin") from None
        self.rng = default_rng([self.seed, who.mmsi])
        ship = Voyage(who, begin, berth.lat, berth.lon, class_b=bool(table.get("class_b", False)))
        ship.long_range = bool(table.get("long_range", True))
        ship.thin_factor = float(table.get("thin_factor", 1.0))
        self.port = berth.code
        for action in table.get("do", ()):
            self._act(ship, action)
        self.ships[name] = ship
        return ship

    def _act(self, ship: Voyage, action: Mapping[str, Any]) -> None:
        """One action."""
        verbs = [verb for verb in _VERBS if verb in action]
        if len(verbs) != 1:
            known = ", ".join(_VERBS)
            raise UsageError(f"vessel {ship.identity.name}: {dict(action)} is not one action; known are {known}")
        _VERBS[verbs[0]](self, ship, action)

    def _until(self, ship: Voyage, action: Mapping[str, Any], verb: str) -> float:
        """When a stay ends: by `hours`, or by the time that the verb gives."""
        if "hours" in action:
            return ship.t + float(action["hours"]) * HOUR_S
        end = seconds(action[verb], f"vessel {ship.identity.name}: {verb}")
        if end < ship.t:
            late = (ship.t - end) / HOUR_S
            raise UsageError(f"vessel {ship.identity.name}: {verb} until {action[verb]} is {late:.1f} h too early")
        return end

    def _moor(self, ship: Voyage, action: Mapping[str, Any]) -> None:
        port = str(action.get("port", self.port))
        berth = self.lanes.berth(port)
        ship.moor(port, self._until(ship, action, "moor"), heading_ashore(berth), str(action.get("note", "")))

    def _speed(self, ship: Voyage, action: Mapping[str, Any], route: Route) -> float:
        """Knots given, or those that arrive in time."""
        if "arrive" not in action:
            return float(action.get("knots", 10.0))
        hours = (seconds(action["arrive"], f"vessel {ship.identity.name}: arrive") - ship.t) / HOUR_S
        if hours <= 0.0:
            raise UsageError(f"vessel {ship.identity.name}: cannot arrive at {action['arrive']}, {-hours:.1f} h ago")
        return route.length_m / NMI_M / hours

    def _sail(self, ship: Voyage, action: Mapping[str, Any]) -> None:
        target = self.lanes.berth(str(action["sail"]))
        here = self.lanes.berth(self.port)
        if float(distances_m(ship.lat, ship.lon, here.lat, here.lon)) < 1_000.0:
            route = self.lanes.route(self.port, target.code)
            route = route_through(
                [(ship.lat, ship.lon), *zip(route.lat[1:].tolist(), route.lon[1:].tolist(), strict=True)]
            )
        else:
            route = self.lanes.route_between([(ship.lat, ship.lon)], [(target.lat, target.lon), *target.approach])
        ship.sail(route, self._speed(ship, action, route))
        self.port = target.code

    def _go(self, ship: Voyage, action: Mapping[str, Any]) -> None:
        points = [(float(lat), float(lon)) for lat, lon in [*action.get("via", ()), action["go"]]]
        route = route_through([(ship.lat, ship.lon), *points])
        ship.sail(route, self._speed(ship, action, route))

    def _wait(self, ship: Voyage, action: Mapping[str, Any]) -> None:
        hours = (self._until(ship, action, "wait") - ship.t) / HOUR_S
        if action.get("as", "anchor") == "anchor":
            ship.anchor(hours, self.rng, str(action.get("note", "")))
        else:
            knots = float(action.get("knots", 0.5))
            ship.wander(hours, knots, self.rng, kind=str(action.get("kind", "")), note=str(action.get("note", "")))

    def _loiter(self, ship: Voyage, action: Mapping[str, Any]) -> None:
        knots, note = float(action.get("knots", 1.0)), str(action.get("note", ""))
        ship.wander(float(action["loiter"]), knots, self.rng, kind="loitering", note=note)

    def _off(self, ship: Voyage, action: Mapping[str, Any]) -> None:
        ship.switch_off()

    def _on(self, ship: Voyage, action: Mapping[str, Any]) -> None:
        ship.switch_on(str(action.get("note", "")))

    def _set(self, ship: Voyage, action: Mapping[str, Any]) -> None:
        changes = dict(action["set"])
        wrong = set(changes) - set(_IDENTITY)
        if wrong:
            raise UsageError(f"vessel {ship.identity.name}: set knows {', '.join(_IDENTITY)}, not {sorted(wrong)}")
        if "eta" in action:
            changes["eta"] = eta_code(seconds(action["eta"], f"vessel {ship.identity.name}: eta"))
        ship.declare(str(action.get("note", "")), **changes)

    def _meet(self, ship: Voyage, action: Mapping[str, Any]) -> None:
        other = self.ships.get(str(action["meet"]))
        if other is None:
            raise UsageError(f"vessel {ship.identity.name}: no ship {action['meet']!r} scripted before it to meet")
        apart_nmi = float(distances_m(ship.lat, ship.lon, other.lat, other.lon)) / NMI_M
        if apart_nmi > 20.0:
            raise UsageError(
                f"vessel {ship.identity.name}: {action['meet']} is {apart_nmi:.0f} nmi away, too far to meet"
            )
        meet(other, ship, float(action.get("hours", 4.0)), self.rng)
        for later in action.get("other_do", ()):
            self._act(other, later)


_VERBS = {
    "moor": Script._moor, "sail": Script._sail, "go": Script._go, "wait": Script._wait, "loiter": Script._loiter,
    "off": Script._off, "on": Script._on, "set": Script._set, "meet": Script._meet,
}  # fmt: skip
