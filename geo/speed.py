"""The speed of a silent ship: not a number but a distribution, with where it is from.

What a ship can have reached in a silence of T hours depends on its AVERAGE speed over those hours, not on the fastest
moment of its past. So its own history is read as sustained speed: the mean speed under way in each block of six hours
of UTC. Six hours is the window over which the Third IMO GHG Study (2014, annex 1) finds the speed of a voyage steady
(standard deviation under 2 kn); shorter blocks keep currents, bursts and bad readings, longer ones mix voyages.

The history of a ship that is laden says little of it in ballast: when the draught is known, speeds at a draught within
15 % are used, if there are enough. A ship with little history, or none, is taken as one of its type and length, by
figures that are wide on purpose; ten days of steaming replace them (`speed_of` states the rule).

Over a silence much longer than six hours an average varies less than a block does, so the chances of high speeds are
then upper bounds: a place that was in reach is not missed. Speeds are over ground: currents are in them. A history
tells what a ship did, not the most that its engine can: the last 5 % of chance reach to 1.2 times the fast speed (in
2012 ships sailed at 0.75 of their design speed on average, the same study).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.errors import UsageError

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""The quantiles that a distribution is told by."""
UNDER_WAY_KN = 3.0
"""Slower is port, anchor or drift (Third IMO GHG Study 2014, annex 1: port phase below 3 kn)."""
IMPOSSIBLE_KN = 60.0
"""Faster is a wrong reading: the fastest ferries make about 50 kn; AIS ends at 102.2."""
BLOCK_H = 6.0
"""Time over which speed is averaged."""
LEAST_OF_BLOCK_H = 3.0
"""A block counts when this much of it was heard under way."""
MOST_HELD_H = 2.0
"""A fix speaks for the time to the next one, but for no more than this: silence is not behaviour."""
FULL_HISTORY_H = 240.0
"""With this much time under way (ten days, 40 blocks) a ship's own history stands alone."""
SAME_DRAUGHT = 0.15
"""Draughts that differ by no more than this part are the same state of loading."""
LEAST_AT_DRAUGHT_H = 48.0
"""Time under way at the same draught below which all draughts are used."""
CAP = 1.2
"""The speed that is not exceeded, against the fast speed."""
FASTEST_KN = 100.0
"""Above this a given speed is refused."""

_US_PER_H = 3.6e9
_TYPES: dict[str, tuple[tuple[float, tuple[float, float, float, float, float]], ...]] = {
    "fishing vessel": ((math.inf, (4.0, 5.5, 7.5, 9.0, 11.0)),),
    "tug": ((math.inf, (4.0, 5.0, 6.5, 8.0, 10.5)),),
    "yacht": ((math.inf, (4.5, 6.5, 8.5, 11.0, 16.0)),),
    "high-speed craft": ((math.inf, (8.0, 15.0, 22.0, 30.0, 38.0)),),
    "government vessel": ((math.inf, (5.0, 8.0, 11.0, 15.0, 25.0)),),
    "passenger ship": ((100.0, (6.0, 9.0, 13.0, 20.0, 30.0)), (math.inf, (8.0, 12.5, 15.0, 18.0, 21.5))),
    "cargo ship": (
        (100.0, (5.5, 7.5, 9.0, 10.5, 12.5)),
        (150.0, (7.0, 9.5, 11.0, 12.5, 15.0)),
        (200.0, (7.5, 10.0, 11.5, 13.0, 16.0)),
        (math.inf, (8.5, 10.5, 12.5, 15.0, 18.5)),
    ),
    "tanker": (
        (100.0, (5.5, 7.5, 9.0, 10.5, 12.5)),
        (150.0, (6.5, 9.0, 10.5, 12.0, 14.0)),
        (math.inf, (7.5, 10.0, 12.0, 13.0, 15.5)),
    ),
    "ship": ((math.inf, (4.5, 8.0, 10.5, 12.5, 17.0)),),
}
"""Type -> (length below which, in metres; sustained speeds in knots at 5, 25, 50, 75 and 95 %).

Round figures. The middle lies near the average speeds at sea of 2012 in the Third IMO GHG Study (2014, table 14), its
size bins joined by the length of such ships (an AIS type tells cargo ship, not bulk or container); it is no copy of
that table, and gives way to a ship's own history. The 95 % is the design speed or the faster of the joined classes. Of
203 tugs, tankers, cargo and large passenger ships under way in 1,000 rows of the US coast on 2023-01-11 (NOAA) the
medians are within 1.5 kn of these; the small passenger ships there are fast ferries (22 kn).
"""
_OF_CODE = {30: "fishing vessel", 31: "tug", 32: "tug", 36: "yacht", 37: "yacht", 52: "tug"} | dict.fromkeys(
    (35, 50, 51, 55), "government vessel"
)
_OF_TENS = {4: "high-speed craft", 6: "passenger ship", 7: "cargo ship", 8: "tanker"}


@dataclass(frozen=True, slots=True)
class Speed:
    """A distribution of the sustained speed of one ship; immutable.

    >>> speed = speed_of([], [], ship_type=70, length_m=96.0)
    >>> speed.source, speed.usual_kn, speed.fast_kn, speed.cap_kn
    ('type: cargo ship under 100 m, no own history', 9.0, 12.5, 15.0)
    >>> speed.chance_at_least([8.0, 12.5, 14.0, 15.1]).round(3).tolist()
    [0.667, 0.05, 0.02, 0.0]
    """

    quantiles_kn: tuple[float, float, float, float, float]
    """Knots at 5, 25, 50, 75 and 95 %."""
    cap_kn: float
    """The speed that the ship does not exceed."""
    source: str
    """Where the figures are from, in words for a report."""
    own_h: float = 0.0
    """Hours of own history under way behind them."""

    def __post_init__(self) -> None:
        knots = (*self.quantiles_kn, self.cap_kn)
        rising = all(a <= b for a, b in itertools.pairwise(knots))
        if len(self.quantiles_kn) != len(QUANTILES) or not (rising and knots[0] > 0.0 and knots[-1] < math.inf):
            raise UsageError(f"speeds {knots} kn; give five quantiles and a cap above 0 that do not fall")

    @classmethod
    def given(cls, kn: float) -> Speed:
        """One speed that is taken as known: the ship reaches what it needs that speed for, and nothing beyond.

        >>> Speed.given(10.0).chance_at_least([9.9, 10.0, 10.1]).tolist()
        [1.0, 1.0, 0.0]
        """
        if not 0.0 < kn <= FASTEST_KN:
            raise UsageError(f"a speed of {kn:g} kn cannot be meant; give one above 0 and at most {FASTEST_KN:g}")
        return cls((kn, kn, kn, kn, kn), kn, "given")

    @property
    def usual_kn(self) -> float:
        """The median."""
        return self.quantiles_kn[2]

    @property
    def fast_kn(self) -> float:
        """The speed that is exceeded with a chance of 5 %."""
        return self.quantiles_kn[4]

    @property
    def least_kn(self) -> float:
        """Where the lower tail ends: as far below the 5 % as the 25 % is above it, or 0."""
        return max(0.0, 2.0 * self.quantiles_kn[0] - self.quantiles_kn[1])

    def at(self, quantile: float) -> float:
        """Knots at a quantile (0 to 1): linear between the five, and in the tails to `least_kn` and `cap_kn`.

        >>> Speed.given(10.0).at(0.3)
        10.0
        """
        if not 0.0 <= quantile <= 1.0:
            raise UsageError(f"quantile {quantile:g}; give one from 0 to 1")
        return float(np.interp(quantile, (0.0, *QUANTILES, 1.0), (self.least_kn, *self.quantiles_kn, self.cap_kn)))

    def chance_at_least(self, kn: ArrayLike) -> NDArray[np.float64]:
        """Chance (0 to 1) that the ship sustained at least `kn` knots, of any shape: the inverse of `at`.

        It never rises with `kn`, is 1 up to `least_kn` and 0 above `cap_kn`. NaN stays NaN.
        """
        knots = [self.least_kn, *self.quantiles_kn, self.cap_kn]
        for i in range(1, len(knots)):  # equal speeds a hair apart: at the speed itself the chance is the higher
            knots[i] = max(knots[i], math.nextafter(knots[i - 1], math.inf))
        chance = np.interp(np.asarray(kn, np.float64), knots, (1.0, *(1.0 - q for q in QUANTILES), 0.0))
        return np.asarray(chance, np.float64)

    def to_dict(self) -> dict[str, Any]:
        """Everything that makes it, as JSON takes it: for parameters and evidence."""
        quantiles = {f"{q:.0%}": round(kn, 2) for q, kn in zip(QUANTILES, self.quantiles_kn, strict=True)}
        return {
            "source": self.source,
            "own_h": round(self.own_h, 1),
            "quantiles_kn": quantiles,
            "cap_kn": round(self.cap_kn, 2),
        }


def speed_of(
    t_us: ArrayLike,
    sog_kn: ArrayLike,
    *,
    ship_type: int | None = None,
    length_m: float | None = None,
    draught_m: float | None = None,
    draughts_m: ArrayLike | None = None,
) -> Speed:
    """The sustained speed of a ship from its own fixes, as far as they go, and from its type and length for the rest.

    `t_us` (n,) int64 µs UTC in any order, `sog_kn` (n,) knots with NaN for not available, of one ship; empty for none.
    `ship_type`: AIS code 0 to 99; `length_m`: metres; None, NaN or 0 when unknown. `draught_m`: at the silence, and
    `draughts_m` (n,) at each fix, NaN unknown: then only fixes at a similar draught are used, if they hold 48 hours.

    Own history weighs in proportion to its hours under way, up to all at 240: quantiles and cap are w * own
    + (1 - w) * type with w = min(1, hours / 240). The cap is 1.2 times the fast speed, or the fastest block if higher.

    >>> hours = np.arange(0, 600)
    >>> speed = speed_of(hours * 3_600_000_000, 9.0 + (hours // 6) % 3, ship_type=70, length_m=96.0)
    >>> speed.source, speed.usual_kn
    ('own history, 599 h under way', 10.0)
    """
    t = np.array(t_us, np.int64).ravel()
    sog = np.array(sog_kn, np.float64).ravel()
    drawn = np.full(t.size, np.nan) if draughts_m is None else np.array(draughts_m, np.float64).ravel()
    if not t.size == sog.size == drawn.size:
        raise UsageError(f"{t.size} times, {sog.size} speeds and {drawn.size} draughts; give one of each for each fix")
    order = np.argsort(t, kind="stable")
    t, sog, drawn = t[order], sog[order], drawn[order]
    held_h = np.minimum(np.diff(t, append=t[-1:]) / _US_PER_H, MOST_HELD_H)
    held_h[~((sog >= UNDER_WAY_KN) & (sog <= IMPOSSIBLE_KN))] = 0.0
    means, hours = _blocks(t, sog, held_h)
    words = ""
    if _known(draught_m):
        similar = np.abs(drawn - draught_m) <= SAME_DRAUGHT * draught_m
        at_draught = _blocks(t, sog, np.where(similar, held_h, 0.0))
        if at_draught[1].sum() >= LEAST_AT_DRAUGHT_H:
            (means, hours), words = at_draught, f" at {draught_m:.1f} m draught within {SAME_DRAUGHT:.0%}"
    return _blend(means, hours, words, ship_type, length_m)


def _known(value: float | None) -> TypeGuard[float]:
    """Whether a size was told: AIS says 0 for not available, tables NaN."""
    return value is not None and 0.0 < value < math.inf


def _blocks(
    t_us: NDArray[np.int64], sog_kn: NDArray[np.float64], held_h: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean speed and hours under way of each six hours that hold enough of them."""
    _, block = np.unique(t_us // round(BLOCK_H * _US_PER_H), return_inverse=True)
    hours = np.bincount(block, held_h).astype(np.float64)
    sailed = np.bincount(block, np.where(held_h > 0.0, held_h * sog_kn, 0.0))
    enough = hours >= LEAST_OF_BLOCK_H
    return sailed[enough] / hours[enough], hours[enough]


def _blend(
    means_kn: NDArray[np.float64], hours: NDArray[np.float64], words: str, ship_type: int | None, length_m: float | None
) -> Speed:
    """Own blocks and the figures of the type, by the hours of the blocks."""
    kind, of_type = _of_type(ship_type, length_m)
    if not means_kn.size:
        return Speed(of_type, CAP * of_type[4], f"type: {kind}, no own history")
    order = np.argsort(means_kn, kind="stable")
    rank = (np.cumsum(hours[order]) - 0.5 * hours[order]) / hours.sum()
    own = np.interp(QUANTILES, rank, means_kn[order])
    total_h = float(hours.sum())
    weight = min(1.0, total_h / FULL_HISTORY_H)
    quantiles = weight * own + (1.0 - weight) * np.array(of_type)
    cap = weight * max(CAP * own[4], means_kn.max()) + (1.0 - weight) * CAP * of_type[4]
    source = f"own history, {total_h:.0f} h under way{words}"
    if weight < 1.0:
        source = f"{source} ({weight:.0%}); type: {kind} ({1.0 - weight:.0%})"
    a, b, c, d, e = quantiles.tolist()
    return Speed((a, b, c, d, e), max(float(cap), e), source, total_h)


def _of_type(ship_type: int | None, length_m: float | None) -> tuple[str, tuple[float, float, float, float, float]]:
    """Words and quantiles of a type of ship; of an unknown length the widest of all its lengths."""
    code = ship_type or 0
    name = _OF_CODE.get(code) or _OF_TENS.get(code // 10, "ship")
    rows = _TYPES[name]
    words = "ship of unknown type" if name == "ship" else name
    if len(rows) == 1:
        return words, rows[0][1]
    if not _known(length_m):
        lowest, highest = rows[0][1], rows[-1][1]
        return f"{words} of unknown length", (*lowest[:2], 0.5 * (lowest[2] + highest[2]), *highest[3:])
    i = next(i for i, (below, _) in enumerate(rows) if length_m < below)
    limits = f"under {rows[0][0]:g} m" if i == 0 else f"of {rows[i - 1][0]:g} m or more"
    if 0 < i < len(rows) - 1:
        limits = f"of {rows[i - 1][0]:g} to {rows[i][0]:g} m"
    return f"{words} {limits}", rows[i][1]
