"""Five factors with bounds: what is known, what it could be if the unknown were all no, or all yes.

After the five contextual factors of "Lux & Loaded" (C4ADS, 2019): value, end user, route, parties, obfuscation. A
factor is the mean of its signals, each 0 to 1 or unknown. The lower bound takes every unknown as 0, the upper as 1;
findings are ranked by the lower bound, so that a case about which little is known cannot outrank one that is
documented. Nothing is learned: the weights are a table (`weights.toml`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from geo.errors import InputError, UsageError

FACTORS = ("value", "end_user", "route", "parties", "obfuscation")


@dataclass(frozen=True, slots=True)
class Signal:
    """One sub-signal: 0 to 1, None unknown; why, in words; and the rows and events that it rests on."""

    name: str
    value: float | None
    why: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor: its signals, and their mean with bounds. `known` is None where no signal is known."""

    name: str
    signals: tuple[Signal, ...]
    lower: float
    upper: float
    known: float | None
    coverage: float


@dataclass(frozen=True, slots=True)
class Score:
    """The weighted mean of the factors: bounds, mean of what is known (None: nothing), share of signals known."""

    factors: tuple[Factor, ...]
    lower: float
    upper: float
    known: float | None
    coverage: float

    def bounds(self) -> Score:
        """The same numbers without the signals, by which cases are put in order: a hundredth of the memory."""
        return replace(self, factors=tuple(replace(factor, signals=()) for factor in self.factors))


def factor(name: str, signals: Sequence[Signal]) -> Factor:
    """The mean of the known signals with bounds and coverage.

    >>> f = factor("route", [Signal("a", 1.0, ""), Signal("b", None, ""), Signal("c", 0.0, ""), Signal("d", 1.0, "")])
    >>> f.lower, f.upper, round(f.known, 3), f.coverage
    (0.5, 0.75, 0.667, 0.75)
    """
    values = [signal.value for signal in signals if signal.value is not None]
    n, unknown, total = len(signals), len(signals) - len(values), sum(values)
    if not n:
        return Factor(name, (), 0.0, 1.0, None, 0.0)
    mean = total / len(values) if values else None
    return Factor(name, tuple(signals), total / n, (total + unknown) / n, mean, len(values) / n)


def score(signals: Mapping[str, Sequence[Signal]], weights: Mapping[str, float] | None = None) -> Score:
    """The total over all five factors; a factor without a known signal counts for the bounds alone.

    Raises UsageError for weights that are not numbers of 0 or more, name another factor, or are all 0.

    >>> total = score({"value": [Signal("unit value", 1.0, "")]})
    >>> total.lower, total.upper, total.known
    (0.2, 1.0, 1.0)
    """
    weighed = check_weights(weights or dict.fromkeys(FACTORS, 1.0))
    factors = tuple(factor(name, signals.get(name, ())) for name in FACTORS)
    whole = sum(weighed.values())
    told = [f for f in factors if f.known is not None and weighed[f.name] > 0]
    share = sum(weighed[f.name] for f in told)
    return Score(
        factors,
        sum(weighed[f.name] * f.lower for f in factors) / whole,
        sum(weighed[f.name] * f.upper for f in factors) / whole,
        sum(weighed[f.name] * (f.known or 0.0) for f in told) / share if told else None,
        sum(weighed[f.name] * f.coverage for f in factors) / whole,
    )


def check_weights(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights of all five factors, 0 for those not named; UsageError for any that cannot be meant."""
    strange = sorted(set(weights) - set(FACTORS))
    if strange:
        raise UsageError(f"no factor {strange[0]!r} to weigh; there are {', '.join(FACTORS)}")
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0.0 <= weight < float("inf"):
            raise UsageError(f"weight of {name} must be a number of 0 or more, not {weight!r}")
    if not any(weights.values()):
        raise UsageError("weights must not all be 0; give at least one factor a weight")
    return {name: float(weights.get(name, 0.0)) for name in FACTORS}


def read_weights(path: str | Path | None = None) -> dict[str, float]:
    """Weights from a TOML file with a table `[factors]`; without a path the ones that come with Luxwake.

    Raises InputError for a file that cannot be read, UsageError for weights that cannot be meant.

    >>> read_weights()["route"]
    1.0
    """
    try:
        text = (
            resources.files("cargo").joinpath("weights.toml").read_text("utf-8")
            if path is None
            else Path(path).read_text("utf-8")
        )
        table = tomllib.loads(text).get("factors")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path}: cannot be read as TOML: {error}; see cargo/weights.toml for the form") from None
    if not isinstance(table, dict):
        raise InputError(f"{path}: no table [factors]; see cargo/weights.toml for the form")
    return check_weights(table)


def sensitivity(
    scores: Mapping[str, Score], weights: Mapping[str, float], change: float = 0.5
) -> list[dict[str, object]]:
    """Which case leads, and how many change place, when each weight in turn is made smaller and larger by `change`.

    `scores` maps a case's id to its score. Rows in the order of the factors: factor, weight, first, moved.

    >>> sensitivity({"a": score({"value": [Signal("x", 1.0, "")]}), "b": score({})}, read_weights())[0]
    {'factor': 'value', 'weight': 0.5, 'first': 'a', 'moved': 0}
    """

    def order(weighed: Mapping[str, float]) -> list[str]:
        lower = {
            name: sum(weighed[f.name] * f.lower for f in total.factors) / sum(weighed.values())
            for name, total in scores.items()
        }
        return sorted(lower, key=lambda name: (-round(lower[name], 12), name))

    base = check_weights(weights)
    before = order(base)
    rows: list[dict[str, object]] = []
    for name in FACTORS:
        for by in (1.0 - change, 1.0 + change):
            changed = base | {name: base[name] * by}
            after = order(changed) if any(changed.values()) else before
            moved = sum(a != b for a, b in zip(before, after, strict=True))
            rows.append({"factor": name, "weight": changed[name], "first": after[0] if after else "", "moved": moved})
    return rows
