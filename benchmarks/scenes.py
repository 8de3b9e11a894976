"""Scenes at sea: how the ships of one injected event, or of one look-alike, move.

A scene is drawn in metres and seconds around its own place and time: straight legs between knots and, on top, a slow
turn on a circle (a ship that swings at anchor, a hull that lies beside another). Nothing here knows a detector.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from numpy.random import Generator

KN_M_S = 1852.0 / 3600.0
HOUR_S = 3600.0
TIDE_S = 44_714.0
"""The principal lunar tide: 12 h 25 min."""
CARGO, TANKER, FISHING, PILOT, TUG, TOWING, FERRY = 70, 80, 30, 50, 52, 31, 60
"""Ship types of ITU-R M.1371."""
UNDER_WAY, AT_ANCHOR, AT_FISHING = 0, 1, 7
"""Navigational status of ITU-R M.1371."""
LEAD_H = 9.0
"""Every ship is under way for so long before and after what it does: an event never begins with the input."""
SLOW_M, SLOW_KN = 2_000.0, 5.0
"""A ship comes to a stop, and gathers way, over the last 2 km."""

Knot = tuple[float, float, float]
"""Seconds, metres to the east, metres to the north."""


class Circle(NamedTuple):
    """A turn to and fro around the course: where the hull is on it at a time."""

    radius_m: float = 0.0
    angle: float = 0.0
    swing: float = 0.0
    """Radians to either side."""
    period_s: float = TIDE_S
    phase: float = 0.0


class Ship(NamedTuple):
    """One ship of a scene."""

    ship_type: int
    length_m: int
    knots: Sequence[Knot]
    circle: Circle = Circle()
    nav_status: int = UNDER_WAY


class Act(NamedTuple):
    """What is to be found in a scene: a kind, the ships by number, and from when to when (s)."""

    kind: str
    ships: tuple[int, ...]
    start: float
    end: float


class Scene(NamedTuple):
    """Ships that belong together; `role` names the event, or what it only looks like."""

    role: str
    ships: Sequence[Ship]
    acts: Sequence[Act] = ()


def moved(start: Knot, speed_kn: float, course: float, hours: float) -> Knot:
    """Where a ship is after so many hours (negative: was before), course in radians from north."""
    t, x, y = start
    way_m = speed_kn * KN_M_S * hours * HOUR_S
    return t + hours * HOUR_S, x + way_m * math.sin(course), y + way_m * math.cos(course)


def come_and_go(rng: Generator, middle: Sequence[Knot], speed_kn: float = 0.0, hours: float = LEAD_H) -> list[Knot]:
    """The legs of a ship that comes from afar to the first knot, and goes away from the last one."""
    speed_kn = speed_kn or rng.uniform(9.0, 14.0)
    slow_h = SLOW_M / (SLOW_KN * KN_M_S) / HOUR_S
    course_in, course_out = rng.uniform(0.0, 2.0 * math.pi, 2)
    near, clear = moved(middle[0], SLOW_KN, course_in, -slow_h), moved(middle[-1], SLOW_KN, course_out, slow_h)
    return [moved(near, speed_kn, course_in, -hours), near, *middle, clear, moved(clear, speed_kn, course_out, hours)]


def beside(rng: Generator, distance_m: float) -> Circle:
    """A hull that lies so far from another one; both yaw by some degrees within an hour."""
    return Circle(
        distance_m, rng.uniform(0, 2 * math.pi), rng.uniform(0.05, 0.3), rng.uniform(1800, 7200), rng.uniform()
    )


def _drift(rng: Generator, low: float = 0.1, high: float = 0.8) -> tuple[float, float]:
    return rng.uniform(low, high), rng.uniform(0.0, 2.0 * math.pi)


def meeting(rng: Generator, hours: float, distance_m: float) -> Scene:
    """Two ships come together, hold together while they drift, and part; half of them wait for the other one first."""
    drift = _drift(rng)
    wait, linger = (rng.uniform(0.0, 1.0) * (rng.uniform() < 0.5) for _ in range(2))
    first = moved((0.0, 0.0, 0.0), *drift, -wait)
    end = moved((0.0, 0.0, 0.0), *drift, hours)
    ships = [
        Ship(int(rng.choice((CARGO, TANKER, FISHING))), 120, come_and_go(rng, [first, moved(end, *drift, linger)])),
        Ship(TANKER, 90, come_and_go(rng, [(0.0, 0.0, 0.0), end]), beside(rng, distance_m)),
    ]
    return Scene("meeting", ships, [Act("rendezvous", (0, 1), 0.0, end[0])])


def loitering(rng: Generator) -> Scene:
    """A ship drifts for 5 to 24 h at 0.3 to 1.5 kn, and the wind shifts."""
    hours, (speed, course) = rng.uniform(5.0, 24.0), _drift(rng, 0.3, 1.5)
    middle = [(0.0, 0.0, 0.0)]
    while middle[-1][0] < hours * HOUR_S - 1.0:
        left_h = hours - middle[-1][0] / HOUR_S
        middle.append(moved(middle[-1], speed, course, min(left_h, rng.uniform(1.0, 4.0))))
        course += rng.normal(0.0, 0.3)
    ship = Ship(int(rng.choice((CARGO, TANKER))), 140, come_and_go(rng, middle))
    return Scene("loitering", [ship], [Act("loitering", (0,), 0.0, hours * HOUR_S)])


def _swing(rng: Generator, radius_m: float, angle: float | None = None, phase: float | None = None) -> Circle:
    """The circle of a ship at anchor: it follows the tide."""
    return Circle(
        radius_m,
        rng.uniform(0, 2 * math.pi) if angle is None else angle,
        rng.uniform(0.8, 1.6),
        TIDE_S,
        rng.uniform() if phase is None else phase,
    )


def anchored(rng: Generator) -> Scene:
    """A ship swings at anchor for 8 to 48 h, 60 to 250 m from its anchor."""
    end = rng.uniform(8.0, 48.0) * HOUR_S
    ship = Ship(
        CARGO, 180, come_and_go(rng, [(0.0, 0.0, 0.0), (end, 0.0, 0.0)]), _swing(rng, rng.uniform(60, 250)), AT_ANCHOR
    )
    return Scene("anchored", [ship], [Act("anchored", (0,), 0.0, end)])


def cruise(rng: Generator, hours: float, speed_kn: float, spread_m: float, ship_type: int = CARGO) -> Scene:
    """A ship that goes from place to place within a square of this half side, for exactly so long."""
    knots = [(0.0, *rng.uniform(-spread_m, spread_m, 2))]
    while knots[-1][0] < hours * HOUR_S:
        t, x, y = knots[-1]
        x2, y2 = rng.uniform(-spread_m, spread_m, 2)
        knots.append((t + math.hypot(x2 - x, y2 - y) / (speed_kn * KN_M_S), x2, y2))
    (t, x, y), (t2, x2, y2) = knots[-2:]
    share = (hours * HOUR_S - t) / (t2 - t)
    knots[-1] = (hours * HOUR_S, x + share * (x2 - x), y + share * (y2 - y))
    return Scene("background", [Ship(ship_type, 180, knots)])


def tug_and_tow(rng: Generator) -> Scene:
    """A tug with a tow on a line of 100 to 450 m, 1.2 to 8 kn, 8 to 20 h."""
    speed, course, line = rng.uniform(1.2, 8.0), rng.uniform(0, 2 * math.pi), rng.uniform(100, 450)
    hours = rng.uniform(8.0, 20.0)
    middle = [moved((0.0, 0.0, 0.0), speed, course, h) for h in (0.0, hours / 2, hours)]
    tug = come_and_go(rng, middle)
    back = -line * math.sin(course), -line * math.cos(course)
    tow = [(t, x + back[0], y + back[1]) for t, x, y in middle]
    return Scene("tug", [Ship(TOWING, 32, tug), Ship(CARGO, 110, come_and_go(rng, tow, 6.0))])


def pilot_boat(rng: Generator) -> Scene:
    """A ship slows to 4 to 8 kn, a pilot boat is alongside for 10 to 30 min and goes back to its station."""
    speed, course = rng.uniform(4.0, 8.0), rng.uniform(0, 2 * math.pi)
    aside = rng.uniform(10.0, 30.0) / 60.0
    middle = [moved((0.0, 0.0, 0.0), speed, course, h) for h in (-1.0, 0.0, aside, 1.0)]
    ship = Ship(CARGO, 200, come_and_go(rng, middle))
    out = moved(middle[1], 18.0, course + rng.uniform(1.0, 5.0), -0.4)
    waits = (out[0] - LEAD_H * HOUR_S, out[1], out[2])
    home = (middle[2][0] + 1800.0, out[1], out[2])
    boat = [waits, out, middle[1], middle[2], home, (home[0] + LEAD_H * HOUR_S, out[1], out[2])]
    return Scene("pilot", [ship, Ship(PILOT, 18, boat, beside(rng, 25.0))])


def ferries(rng: Generator) -> Scene:
    """Two ferries between the same two places; they lie side by side at each end for a quarter of an hour or so."""
    way_m, turn = rng.uniform(10_000, 25_000), rng.uniform(0, 2 * math.pi)
    sail_s, rest_s = way_m / (16.0 * KN_M_S), rng.uniform(1500.0, 2700.0)
    ships = []
    for k in range(2):
        t, knots, at = -k * (sail_s + rest_s * 0.5), [], k
        while t < 20.0 * HOUR_S:
            x, y = at * way_m * math.sin(turn), at * way_m * math.cos(turn)
            knots += [(t, x, y), (t + rest_s, x, y)]
            t, at = t + rest_s + sail_s, 1 - at
        ships.append(Ship(FERRY, 110, knots, Circle(60.0 + 200.0 * k)))
    return Scene("ferry", ships)


def convoy(rng: Generator) -> Scene:
    """Two ships on one course at 10 kn, 400 m apart, 8 to 16 h."""
    speed, course, hours = rng.normal(10.0, 0.5), rng.uniform(0, 2 * math.pi), rng.uniform(8.0, 16.0)
    middle = [moved((0.0, 0.0, 0.0), speed, course, h) for h in (0.0, hours)]
    ships = [Ship(CARGO, 150, come_and_go(rng, middle)), Ship(CARGO, 150, come_and_go(rng, middle), beside(rng, 400.0))]
    return Scene("convoy", ships)


def fishing_pair(rng: Generator) -> Scene:
    """Two trawlers pull one net at 2 to 3.5 kn, 250 to 350 m apart, to and fro for 10 to 20 h."""
    speed, course, hours = rng.uniform(2.0, 3.5), rng.uniform(0, 2 * math.pi), rng.uniform(8.0, 18.0)
    middle = [(0.0, 0.0, 0.0)]
    while middle[-1][0] < hours * HOUR_S:
        middle.append(moved(middle[-1], speed, course, rng.uniform(1.5, 4.0)))
        course += math.pi + rng.normal(0.0, 0.3)
    ships = [
        Ship(FISHING, 30, come_and_go(rng, middle, 9.0), nav_status=AT_FISHING),
        Ship(FISHING, 30, come_and_go(rng, middle, 9.0), beside(rng, rng.uniform(250, 350)), AT_FISHING),
    ]
    return Scene("fishing", ships)


def anchorage_neighbours(rng: Generator) -> Scene:
    """Two ships at anchor, 350 to 700 m apart, that swing with the same tide for 12 to 40 h."""
    apart, turn, phase = rng.uniform(350.0, 700.0), rng.uniform(0, 2 * math.pi), rng.uniform()
    angle = rng.uniform(0, 2 * math.pi)
    ships = []
    for k in range(2):
        x, y = k * apart * math.sin(turn), k * apart * math.cos(turn)
        begin, end = rng.uniform(-6, 0) * HOUR_S, rng.uniform(12.0, 40.0) * HOUR_S
        circle = _swing(rng, rng.uniform(80, 220), angle + rng.normal(0, 0.1), phase)
        ships.append(Ship(CARGO, 180, come_and_go(rng, [(begin, x, y), (end, x, y)]), circle, AT_ANCHOR))
    return Scene("anchorage", ships)


def passing(rng: Generator) -> Scene:
    """One ship overtakes another by 0.5 to 3 kn at 50 to 400 m: within 500 m for up to an hour."""
    speed, course, faster = rng.uniform(6, 13), rng.uniform(0, 2 * math.pi), rng.uniform(0.5, 3.0)
    legs = [[moved((0.0, 0.0, 0.0), v, course, h) for h in (-8.0, 8.0)] for v in (speed, speed + faster)]
    return Scene(
        "passing", [Ship(CARGO, 150, legs[0]), Ship(TANKER, 150, legs[1], Circle(rng.uniform(50, 400), course + 1.6))]
    )


def slow_steaming(rng: Generator) -> Scene:
    """One ship at 2.3 to 4 kn for a day: slow, and neither loitering nor alone in being so."""
    speed, course = rng.uniform(2.3, 4.0), rng.uniform(0, 2 * math.pi)
    middle = [moved((0.0, 0.0, 0.0), speed, course + rng.normal(0, 0.1), h) for h in (0.0, 24.0)]
    return Scene("slow steaming", [Ship(CARGO, 150, come_and_go(rng, middle))])


def crowd(rng: Generator, neighbours: int) -> Scene:
    """A meeting of 4 h at 100 m amid so many ships at anchor, 800 to 1,000 m from each other."""
    side, phase, angle = math.ceil(math.sqrt(neighbours + 1)), rng.uniform(), rng.uniform(0, 2 * math.pi)
    begin, end = -10.0 * HOUR_S, 14.0 * HOUR_S
    ships = []
    for k in sorted(range(side * side), key=lambda k: abs(k % side - side // 2) + abs(k // side - side // 2)):
        x, y = (900.0 * (a - side // 2) + rng.uniform(-50, 50) for a in (k % side, k // side))
        ships.append(Ship(CARGO, 180, [(begin, x, y), (end, x, y)], Circle(90.0, angle, 1.0, TIDE_S, phase), AT_ANCHOR))
    host = ships[0]
    _, x, y = host.knots[0]
    slow_s = SLOW_M / (SLOW_KN * KN_M_S)
    away = (
        [(begin, x + 90_000, y), (-slow_s, x + SLOW_M, y)],
        [(4 * HOUR_S + slow_s, x, y + SLOW_M), (end, x, y + 90_000)],
    )
    visitor = Ship(
        TANKER, 90, [*away[0], (0.0, x + 100, y), (4 * HOUR_S, x + 100, y), *away[1]], host.circle, UNDER_WAY
    )
    return Scene("crowd", [host, visitor, *ships[1 : neighbours + 1]], [Act("rendezvous", (0, 1), 0.0, 4 * HOUR_S)])


LOOK_ALIKES: dict[str, Callable[[Generator], Scene]] = {
    "tug": tug_and_tow,
    "pilot": pilot_boat,
    "ferry": ferries,
    "convoy": convoy,
    "fishing": fishing_pair,
    "anchorage": anchorage_neighbours,
    "passing": passing,
    "slow steaming": slow_steaming,
}
"""What may be taken for a meeting, or for loitering, and is none."""
