"""What a slow ship does: drifting, anchored, moored, fishing or slow steaming, with probabilities.

A multinomial logistic regression over what `detectors.episode` sums up of an event: how large and how round the circle
is in which the ship moved, how far it got on balance, how it lay to its course, how its heading and speed changed, how
long it lasted and how far off the shore. The weights are a plain table, `tables/behaviour.csv`, made by
`python -m detectors.tables.train_behaviour`; `docs/evaluation-behaviour.md` says how good they are. The probabilities
are those where each of the five is equally likely beforehand.

A ship under sanctions may lie in its navigational status, and honest ones forget it: of ships in port Harati-Mokhtari
et al. (2007) found it wrong for 30 %. So there are two models: one that hears the status, trained with a third of them
wrong, which gives the probabilities; and one that does not. What the second holds for unlikely (under 0.2) is not made
the label by the status: that is then "unclear".
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.episode_sums import FEATURES
from detectors.event import label_code

BEHAVIOURS = ("drifting", "anchored", "moored", "fishing", "slow_steaming")
FACTS = (
    *(f"p_{name}" for name in BEHAVIOURS), "observed_h", "net_drift_kn", "swing_m", "heading_against_course_deg",
    "heading_spread_deg", "speed_spread_kn", "said_otherwise",
)  # fmt: skip
"""Columns of an event: the probabilities; hours observed; speed from the first to the last position; root of the mean
square distance from the mean position; mean angle between heading and course; circular standard deviation of the
heading; standard deviation of the speed; share of the observed time in which the navigational status said anchored,
moored or fishing while the label says another."""
LEAST_UNSAID = 0.2
"""As likely as one of five at random: what is less likely without the status is not believed for the status alone."""
LEAST_FIXES = 4
"""From fewer nothing is said of the behaviour: three positions of a satellite lie on a line more often than not."""
STILL_M = 3.0
"""A ship that moved less than the noise of its position went on no course."""
SAID = ("said_anchored", "said_moored", "said_fishing")
TABLE = Path(__file__).with_name("tables") / "behaviour.csv"


def described(events: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """What the models look at, from records whose `facts` are still `FEATURES`: a column (n,) for each name.

    Logarithms of what spans decades, each with a floor below which it is noise; 0 for what is not available, with a
    column that says so.
    """
    raw = {name: events["facts"][:, k].astype(np.float64) for k, name in enumerate(FEATURES)}
    swing = np.log10(raw["swing_m"] + 3.0)
    net = np.log10(raw["net_drift_kn"] + 0.01)
    speed = np.log10(events["speed_kn"].astype(np.float64) + 0.03)
    hours = np.log10(raw["observed_h"] + 0.1)
    moved = raw["swing_m"] >= STILL_M
    against = np.where(moved, raw["heading_against_course_deg"] / 90.0, np.nan)
    spread = raw["heading_spread_deg"] / 90.0
    columns = {
        "log_swing": swing,
        "log_swing_squared": swing * swing,
        "log_net": net,
        "log_net_squared": net * net,
        "log_speed": speed,
        "log_speed_squared": speed * speed,
        "net_share": raw["net_share"],
        "aspect": raw["aspect"],
        "log_hours": hours,
        "speed_spread": np.log10(raw["speed_spread_kn"] + 0.03),
        "against": np.nan_to_num(against),
        "against_squared": np.nan_to_num(against * against),
        "against_unknown": np.isnan(against).astype(np.float64),
        "spread": np.nan_to_num(np.minimum(spread, 2.0)),
        "spread_squared": np.nan_to_num(np.minimum(spread, 2.0) ** 2),
        "spread_unknown": np.isnan(spread).astype(np.float64),
        "class_b": raw["class_b"],
        "against_share": np.nan_to_num(against * raw["net_share"]),  # a drift that goes one way, and one that does not
        "against_speed": np.nan_to_num(against * speed),
        "spread_hours": np.nan_to_num(np.minimum(spread, 2.0) * hours),  # within an hour few turn but who fish
        "log_shore_km": np.log10(np.clip(np.nan_to_num(events["shore_m"], nan=20_000.0) / 1000.0, 0.05, 50.0)),
    }
    return {name: column.astype(np.float64) for name, column in columns.items()} | {name: raw[name] for name in SAID}


@cache
def _weights() -> dict[str, tuple[list[str], NDArray[np.float64]]]:
    """The names of the features and the table (features, mean scale and five weights) of each model."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    models = {}
    for model in ("said", "unsaid"):
        own = [row for row in rows if row["model"] == model]
        numbers = [[float(row[name]) for name in ("mean", "scale", *BEHAVIOURS)] for row in own]
        models[model] = [row["feature"] for row in own], np.array(numbers)
    return models


def probabilities(events: NDArray[Any], model: str = "said") -> NDArray[np.float64]:
    """Probabilities (n, 5) of `BEHAVIOURS`, from records whose `facts` are still `FEATURES`; NaN from too few fixes.

    `model` is "said" or "unsaid": with or without the navigational status.
    """
    names, table = _weights()[model]
    columns = described(events)
    ones = np.ones(len(events))
    scores = np.zeros((len(events), len(BEHAVIOURS)))
    for name, (mean, scale, *weights) in zip(names, table.tolist(), strict=True):  # one order for any number of rows
        scores += (columns.get(name, ones) - mean)[:, None] / scale * np.array(weights)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    odds[events["n"] < LEAST_FIXES] = np.nan
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def behaviour(events: NDArray[Any], min_lead: float) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Labels (n,) and facts (n, 12) of records whose `facts` are still `FEATURES`.

    The label is the likeliest behaviour; "unclear" where it leads by less than `min_lead`, or only by the status, or
    where too few fixes say anything.
    """
    said, unsaid = (probabilities(events, model) for model in ("said", "unsaid"))
    row, best = np.arange(len(events)), said.argmax(axis=1)
    lead = said[row, best] - np.partition(said, -2, axis=1)[:, -2]
    clear = (lead >= min_lead) & (unsaid[row, best] >= LEAST_UNSAID)
    codes = np.array([label_code(name) for name in BEHAVIOURS], np.uint8)
    labels = np.where(clear, codes[best], np.uint8(label_code("unclear")))
    raw = {name: events["facts"][:, k] for k, name in enumerate(FEATURES)}
    told = np.stack([raw[name] for name in SAID], axis=1)
    same = BEHAVIOURS.index("anchored") + np.arange(len(SAID)) == best[:, None]
    otherwise = np.where(clear, np.where(same, 0.0, told).sum(axis=1), np.nan)
    others = [raw[name] for name in FACTS[len(BEHAVIOURS) : -1]]
    return labels, np.stack([*said.T, *others, otherwise], axis=1).astype(np.float32)
