"""What would have changed the verdict: for each threshold the nearest value at which an event is no longer what it is.

Nothing is derived by a formula of its own: the detector itself is run again with one threshold moved, first in steps
away from its value, then by halving the step in which the verdict changes. So the answer holds for every detector,
those of other packages too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.table import Fixes
from detectors.detect import detect
from detectors.event import KINDS, LABELS, Events
from detectors.registry import detector_class, registered
from detectors.settings import params_of, thresholds
from geo.anchorages import Anchorages
from geo.errors import UsageError

UP, DOWN = (1.05, 1.25, 1.6, 2.5, 5.0, 20.0), (0.95, 0.8, 0.6, 0.4, 0.2, 0.0)
"""Factors by which a threshold is moved; beyond a twentieth or twenty times of it the definition is another one."""
HALVINGS = 7
NEAR_DEG, NEAR_US = 2.0, 10 * 86_400_000_000
"""Rows so near to an event are enough for most verdicts; where they are not, all rows are taken."""


class Flip(NamedTuple):
    """A threshold, its value, and the nearest value found at which the verdict is another one.

    `at` is None where no value from 0 to twenty times changes it.
    """

    threshold: str
    value: float
    at: float | None
    verdict: str


def detector_of(events: Events, row: int) -> str:
    """The name of the detector that found an event."""
    kind = KINDS[int(events["kind"][row])]
    return next(name for name, detector in registered().items() if kind in detector.kinds)


def verdict_of(events: Events, row: int) -> str:
    """What an event is called: its kind, and its label where it has one."""
    label = LABELS[int(events["label"][row])]
    return KINDS[int(events["kind"][row])] + (f" ({label})" if label else "")


def flips(
    fixes: Fixes,
    events: Events,
    row: int,
    params: Mapping[str, Any] | None = None,
    *,
    anchorages: Anchorages | None = None,
    progress: Callable[[], None] = lambda: None,
) -> list[Flip]:
    """What would have changed the verdict on one event of `events`, by threshold, the nearest first.

    `params` are those with which it was found. `progress` is called once for each threshold.

    Raises
    ------
    UsageError
        When the event is not found in these fixes with these parameters.

    >>> t = np.arange(40) * 900_000_000
    >>> fixes = Fixes({"t": t, "mmsi": np.full(40, 671999101), "lat": 1e-5 * np.arange(40), "lon": np.full(40, -30.0)})
    >>> found = detect(fixes, ["loitering"])
    >>> flip = {flip.threshold: flip for flip in flips(fixes, found, 0)}["min_duration_s"]
    >>> flip.verdict, 34_500 < flip.at < 35_500
    ('stop (anchored)', True)
    """
    name = detector_of(events, row)
    given = params_of(params)
    own = given.get(name) or detector_class(name).Params()

    def run(rows: Fixes, changed: Any) -> str:
        found = detect(rows, [name], {**given, name: changed}, anchorages=anchorages, threads=1)
        return _match(events, row, found)

    rows = _near(fixes, events, row)
    now = run(rows, own)
    if now != verdict_of(events, row):
        rows, now = fixes, run(fixes, own)
    if now != verdict_of(events, row):
        raise UsageError(
            f"event {events['id'][row]} is not found in these positions with these parameters; give the same"
        )
    found = []
    for threshold in thresholds(name):
        value = getattr(own, threshold.name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            nearest = [
                _nearest(lambda changed: run(rows, changed), own, threshold.name, factors, now)
                for factors in (UP, DOWN)
            ]
            found += [Flip(threshold.name, value, *one) for one in nearest if one is not None] or [
                Flip(threshold.name, value, None, now)
            ]
        progress()
    return sorted(found, key=_distance)


def _distance(flip: Flip) -> float:
    """How far a threshold must move, as a ratio; those that change nothing stand last."""
    if flip.at is None:
        return np.inf
    return abs(np.log(flip.at / flip.value)) if flip.at > 0 and flip.value > 0 else 10.0


def _nearest(
    run: Callable[[Any], str], own: Any, name: str, factors: tuple[float, ...], now: str
) -> tuple[float, str] | None:
    """The value nearest to that of a threshold, in one direction, with another verdict: (value, verdict)."""
    value = getattr(own, name)
    same: float = value
    other, verdict = same, now
    for factor in factors:
        other, verdict = value * factor, _word(run, own, name, value * factor)
        if verdict != now:
            break
        same = other
    if verdict == now:
        return None
    for _ in range(HALVINGS):
        middle = 0.5 * (same + other)
        word = _word(run, own, name, middle)
        if word == now:
            same = middle
        else:
            other, verdict = middle, word
    if verdict == OUTSIDE:  # nothing changes up to the edge of the range
        return None
    return float(getattr(_with(own, name, other), name)), verdict


OUTSIDE = ""
"""What stands for a verdict where a threshold is out of its range."""


def _word(run: Callable[[Any], str], own: Any, name: str, value: float) -> str:
    try:
        return run(_with(own, name, value))
    except UsageError:
        return OUTSIDE


def _with(own: Any, name: str, value: float) -> Any:
    from dataclasses import replace

    return replace(own, **{name: type(getattr(own, name))(value)})


def _match(events: Events, row: int, found: Events) -> str:
    """What the event is called among those found: the same ships, and most of its time; else that there is none."""
    same = np.ones(len(found), np.bool_)
    for name in ("mmsi", "hull", "other", "other_hull"):
        same &= found[name] == events[name][row]
    start, end = int(events["t_start"][row]), int(events["t_end"][row])
    common = np.minimum(found["t_end"], end) - np.maximum(found["t_start"], start)
    either = np.maximum(found["t_end"], end) - np.minimum(found["t_start"], start)
    same &= 2 * common >= either
    rows = np.flatnonzero(same)
    return verdict_of(found, int(rows[np.argmax(common[rows])])) if rows.size else "no event"


def _near(fixes: Fixes, events: Events, row: int) -> Fixes:
    """The rows near to an event in place and time, and all rows of its ships about that time."""
    start, end = int(events["t_start"][row]), int(events["t_end"][row])
    when = (fixes["t"] >= start - NEAR_US) & (fixes["t"] <= end + NEAR_US)
    near: NDArray[np.bool_] = np.isin(fixes["mmsi"], (events["mmsi"][row], events["other"][row]))
    for lat, lon in (("lat", "lon"), ("lat_end", "lon_end")):
        dlat, dlon = fixes["lat"] - events[lat][row], (fixes["lon"] - events[lon][row] + 180.0) % 360.0 - 180.0
        near |= (np.abs(dlat) <= NEAR_DEG) & (np.abs(dlon) <= NEAR_DEG)
    return fixes.take(when & near)
