"""Meetings under ever harder conditions: what each sweep of the injection benchmark varies, and what comes of it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from benchmarks import scenes
from benchmarks.finders import BASELINE, OURS, baseline, ours
from benchmarks.injection import OPEN_SEA, PLACES, Hearing, Place, Sea, World
from benchmarks.scoring import Found, Score
from benchmarks.worlds import Size as OtherSize
from benchmarks.worlds import silences

PAIRS_ALIKE = tuple(role for role in scenes.LOOK_ALIKES if role != "slow steaming")
MINUTE_S = 60.0
SAMPLING_S = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 2700.0, 3600.0, 5400.0, 7200.0)
DROPPED = (0.0, 0.5, 0.75, 0.85, 0.9, 0.95)
NOISE_M = (0.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
SHARES = (0.0, 0.05, 0.1, 0.2, 0.5)
HOURS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0, 12.0)
DISTANCES_M = (20.0, 50.0, 100.0, 200.0, 300.0, 400.0, 500.0)
NEIGHBOURS = (1, 10, 50, 100, 200, 500)
DENSE, SPARSE = Hearing(300.0), Hearing(1800.0)


class Point(NamedTuple):
    """What each finder made of the world at one point of a sweep."""

    words: str
    scores: dict[str, Score]
    wrong: dict[str, list[Found]]
    role: dict[int, str]
    scenes: Counter[str]
    """How many scenes of each role there were."""


def meetings(
    seed: int,
    number: int,
    hearing: Hearing,
    *,
    hours: float = 4.0,
    distance_m: tuple[float, float] = (20.0, 300.0),
    alike: int = 0,
    passing: int = 0,
    shared: float = 0.0,
    start_h: float | None = None,
    place: Place = OPEN_SEA,
) -> World:
    """So many meetings, scenes of each look-alike and passing ships; a share of the meetings with a shared MMSI."""
    sea = Sea(seed, place, room=number + alike * len(PAIRS_ALIKE) + 1)
    met = []
    for k in range(number):
        start_s = None if start_h is None else 86_400.0 + 3600.0 * (start_h + k / number)
        met.append(sea.add(scenes.meeting(sea.rng, hours, sea.rng.uniform(*distance_m)), start_s))
    for role in PAIRS_ALIKE:
        for _ in range(alike):
            sea.add(scenes.LOOK_ALIKES[role](sea.rng))
    sea.fill(passing)
    for first in met[: round(shared * number)]:
        sea.share(first)
    return sea.world(hearing)


def crowds(seed: int, number: int, neighbours: int) -> World:
    """So many crowds at anchor, each with a meeting in its middle."""
    sea = Sea(seed, room=number * 2)
    for _ in range(number):
        sea.add(scenes.crowd(sea.rng, neighbours))
    return sea.world(Hearing(600.0))


def point(words: str, world: World, what: str = "rendezvous") -> Point:
    """Look for meetings, or for silences, with our detector and by the rules of the baseline."""
    found = {OURS: ours(world, what), BASELINE: baseline(world, what)}
    truth = world.truth.get("dark" if what == "silence" else what, [])
    scores = {who: Score(truth, events, world.scene, world.vessel_days) for who, events in found.items()}
    number = Counter({world.scene[mmsi]: role for mmsi, role in world.role.items()}.values())
    print(f"{words}: {len(world.fixes):,} fixes", file=sys.stderr)
    return Point(words, scores, {who: score.wrong for who, score in scores.items()}, world.role, number)


def interval_words(seconds: float) -> str:
    """A mean interval in words.

    >>> interval_words(30.0), interval_words(5400.0)
    ('30 s', '90 min')
    """
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min"


class Size(NamedTuple):
    """How much of everything: meetings, scenes of each look-alike, passing ships, crowds."""

    meetings: int = 200
    alike: int = 8
    passing: int = 60
    crowds: int = 8
    per_hour: int = 40


QUICK = Size(meetings=10, alike=1, passing=6, crowds=1, per_hour=4)
FULL = Size()


def worlds(name: str, seed: int, size: Size, beside: OtherSize) -> Iterator[tuple[str, Callable[[], World]]]:
    """The points of a sweep, in words, and how to make the world of each; the same scenes at each where they can be."""
    n, some = size.meetings, {"alike": size.alike, "passing": size.passing}
    if name == "sampling":
        for s in SAMPLING_S:
            few = min(n, 60) if s <= 60 else n
            yield interval_words(s), lambda s=s, few=few: meetings(seed, few, Hearing(s), **some)
    elif name == "dropped":
        for share in DROPPED:
            hearing = Hearing(120.0, regular=True, dropped=share)
            yield f"{share:.0%}", lambda h=hearing: meetings(seed, n, h, **some)
    elif name == "noise":
        for noise in NOISE_M:
            yield f"{noise:.0f} m", lambda v=noise: meetings(seed, n, Hearing(300.0, noise_m=v), **some)
    elif name == "copies":
        for share in SHARES:
            yield f"{share:.0%}", lambda v=share: meetings(seed, n, DENSE._replace(copies=v), **some)
    elif name == "shared":
        for share in SHARES:
            yield f"{share:.0%}", lambda v=share: meetings(seed, n, DENSE, shared=v, **some)
    elif name == "hidden":
        for share in SHARES:
            yield f"{share:.0%}", lambda v=share: silences(seed, beside, v)
    elif name == "start hour":
        for hour in range(24):
            yield str(hour), lambda h=hour: meetings(seed + h, size.per_hour, DENSE, hours=2.5, start_h=float(h))
    elif name == "duration":
        for hours in HOURS:
            yield f"{hours:g} h", lambda v=hours: meetings(seed, n, DENSE, hours=v)
    elif name == "distance":
        for m in DISTANCES_M:
            yield f"{m:.0f} m", lambda v=m: meetings(seed, n, DENSE, distance_m=(v, v))
    elif name == "place":
        for place in PLACES:
            yield place.name, lambda p=place: meetings(seed, min(n, 60), DENSE, place=p)
    else:
        for k in NEIGHBOURS:
            yield f"{k}", lambda v=k: crowds(seed, size.crowds, v)


def sweep(name: str, seed: int, size: Size, beside: OtherSize) -> list[Point]:
    """Every point of a sweep."""
    what = "silence" if name == "hidden" else "rendezvous"
    return [point(words, make(), what) for words, make in worlds(name, seed, size, beside)]
