"""Events found against the truth of an injected world: rates, errors, and how sure they are.

An event found is right when it is paired one-to-one with an injected one of the same vessel (or pair) with a time-IoU
of at least 0.5. Intervals are the middle 95 % of a thousand bootstrap samples of scenes: ships of a scene go together,
and every ship that only passes is one of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.matching import Span, match, time_iou
from benchmarks.tables import number

LEAST_IOU = 0.5
SAMPLES = 1_000
COUNTS = ("truth", "hits", "found", "touched", "pieces", "iou", "days")


class Found(NamedTuple):
    """One event that somebody found; times in s."""

    who: Hashable
    start: float
    end: float
    label: str = ""
    """What the detector itself says that the event may be instead; empty: nothing."""

    @property
    def span(self) -> Span:
        return Span(self.who, self.start, self.end)


class Score:
    """What one finder made of one world."""

    def __init__(
        self,
        truth: Sequence[Span],
        found: Sequence[Found],
        scene: Mapping[int, int],
        vessel_days: Mapping[int, float],
        least_iou: float = LEAST_IOU,
    ) -> None:
        spans = [event.span for event in found]
        self.pairs = match(truth, spans, least_iou)
        self.wrong = [found[j] for j in sorted({*range(len(found))} - {j for _, j in self.pairs})]
        self.start_min = [abs(spans[j].start - truth[i].start) / 60.0 for i, j in self.pairs]
        self.end_min = [abs(spans[j].end - truth[i].end) / 60.0 for i, j in self.pairs]
        units = {unit: k for k, unit in enumerate(vessel_days)}
        of = {name: k for k, name in enumerate(COUNTS)}
        self.counts = np.zeros((len(units), len(COUNTS)))
        self.counts[:, of["days"]] = list(vessel_days.values())
        by_who: dict[Hashable, list[Span]] = {}
        for span in spans:
            by_who.setdefault(span.who, []).append(span)
            self.counts[units[unit_of(span.who, scene)], of["found"]] += 1
        for span in truth:
            row = self.counts[units[unit_of(span.who, scene)]]
            touching = sum(time_iou(span, other) > 0 for other in by_who.get(span.who, ()))
            row[of["truth"]] += 1
            row[of["touched"]] += touching > 0
            row[of["pieces"]] += touching
        for i, j in self.pairs:
            row = self.counts[units[unit_of(truth[i].who, scene)]]
            row[of["hits"]] += 1
            row[of["iou"]] += time_iou(truth[i], spans[j])

    def total(self, name: str) -> float:
        """A count over all scenes."""
        return float(self.counts[:, COUNTS.index(name)].sum())

    def rate(self, name: str) -> tuple[float, float, float]:
        """A rate and its 95 % interval: recall, precision, f1, iou, fragments, or false per 1,000 vessel-days."""
        rng = np.random.default_rng(1)
        n = len(self.counts)
        weights = rng.multinomial(n, np.full(n, 1.0 / n), SAMPLES) if n else np.zeros((0, 0))
        with np.errstate(invalid="ignore", divide="ignore"):
            all_of_it = float(rates(self.counts.sum(axis=0))[name])
            drawn = np.asarray(rates((weights @ self.counts).T)[name])
        drawn = drawn[np.isfinite(drawn)]
        low, high = np.quantile(drawn, (0.025, 0.975)) if drawn.size else (np.nan, np.nan)
        return all_of_it, float(low), float(high)


def rates(counts: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Rates of counts in the order of `COUNTS`."""
    c = dict(zip(COUNTS, counts, strict=True))
    false = c["found"] - c["hits"]
    return {
        "recall": c["hits"] / c["truth"],
        "precision": c["hits"] / c["found"],
        "f1": 2.0 * c["hits"] / (c["truth"] + c["found"]),
        "iou": c["iou"] / c["hits"],
        "fragments": c["pieces"] / c["touched"],
        "false": 1_000.0 * false / c["days"],
    }


def unit_of(who: Hashable, scene: Mapping[int, int]) -> int:
    """The scene of a vessel, of the first one of a pair."""
    return scene[who[0] if isinstance(who, tuple) else who]  # type: ignore[index]


def cell(rate: tuple[float, float, float], digits: int = 2) -> str:
    """A rate for a table, with its interval.

    >>> cell((0.912, 0.8, 1.0))
    '0.91 (0.80-1.00)'
    """
    value, low, high = rate
    return number(value, digits) if low != low else f"{number(value, digits)} ({low:,.{digits}f}-{high:,.{digits}f})"


def poisson_interval(n: int, exposure: float) -> tuple[float, float, float]:
    """Events per exposure, and the exact 95 % interval of a Poisson rate.

    >>> [round(v, 2) for v in poisson_interval(0, 1.0)]
    [0.0, 0.0, 3.69]
    """
    from scipy.stats import chi2

    low = 0.0 if n == 0 else float(chi2.ppf(0.025, 2 * n)) / 2
    return n / exposure, low / exposure, float(chi2.ppf(0.975, 2 * n + 2)) / 2 / exposure


def quantile(values: Iterable[float], share: float) -> float:
    """The value below which this share lies; NaN of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def by_role(events: Sequence[Found], role: Mapping[int, str]) -> Counter[str]:
    """How many of the events are of ships of each role."""
    return Counter(role[e.who[0] if isinstance(e.who, tuple) else e.who] for e in events)  # type: ignore[index]
