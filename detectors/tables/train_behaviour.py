"""Trains `behaviour.csv` on slow ships that are made up, and prints how good it is on ships that it did not see.

Run: `python -m detectors.tables.train_behaviour`.

The ships are those of `slow_ships`; they go through the same loop as any feed, and an event is labelled by what its
ship did for most of it. The split is by ship: all events of one are in the same of five folds, and every figure is of
the fold that was left out. The table is of all.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.behaviour import BEHAVIOURS, LEAST_FIXES, SAID, TABLE, described
from detectors.detector import Columns
from detectors.event import EVENT
from detectors.loitering import Loitering
from detectors.tables.slow_ships import Ship, ship
from geo.kernel import for_kernels

SHIPS, FOLDS = 3000, 5
STRENGTH = 1.0
"""Inverse of the regularisation."""
_EPOCH_US = 1_600_000_000_000_000


def columns_of(one: Ship, mmsi: int) -> Columns:
    """The rows of a ship as a detector takes them."""
    c, n = one.columns, one.columns["t"].size
    none = np.zeros(n, np.int64)
    return Columns(
        slot=np.zeros(n, np.int32), t=_EPOCH_US + np.round(c["t"] * 1e6).astype(np.int64),
        mmsi=np.full(n, mmsi, np.uint32), hull=np.zeros(n, np.uint8), lat=c["lat"], lon=c["lon"],
        sog=c["sog"].astype(np.float32), cog=c["cog"].astype(np.float32), heading=c["heading"].astype(np.float32),
        nav_status=c["nav_status"].astype(np.uint8), msg_type=np.ones(n, np.uint8),
        source=np.zeros(n, np.uint16), offset=np.arange(n), alive=none, class_b=c["class_b"].astype(np.uint8),
    )  # fmt: skip


def labelled(ships: int, first: int = 0) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """Events of so many ships from a first one on: records, what each did (index in `BEHAVIOURS`), whose they are."""
    events, did, whose = [np.zeros(0, EVENT)], [], []
    for seed in range(first, first + ships):
        one = ship(seed)
        if one.columns["t"].size == 0:
            continue
        detector = Loitering()
        rows = columns_of(one, 1 + seed)
        found = np.concatenate([detector.feed(rows), detector.finish(int(rows.t[-1]), 0)]).view(np.ndarray)
        for event in found:
            begin, end = ((int(event[name]) - _EPOCH_US) / 1e6 for name in ("t_start", "t_end"))
            shared = [min(end, last) - max(begin, first) for _, first, last, _ in one.did]
            most = int(np.argmax(shared))
            if event["n"] >= LEAST_FIXES and shared[most] > 0.5 * (end - begin):
                name, _, _, shore_km = one.did[most]
                event["shore_m"] = 1000.0 * shore_km
                events.append(event[None])
                did.append(BEHAVIOURS.index(name))
                whose.append(seed)
    return np.concatenate(events), np.array(did), np.array(whose)


def fitted(given: NDArray[np.float64], did: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
    """Mean and scale of each feature, weights (features, 5) and intercepts (5,); each behaviour weighs the same."""
    from sklearn.linear_model import LogisticRegression

    mean, scale = given.mean(axis=0), np.maximum(given.std(axis=0), 1e-3)
    model = LogisticRegression(C=STRENGTH, solver="newton-cholesky", class_weight="balanced")
    model.fit((given - mean) / scale, did)
    return mean, scale, model.coef_.T, model.intercept_


def predicted(given: NDArray[np.float64], parts: tuple[NDArray[np.float64], ...]) -> NDArray[np.float64]:
    """Probabilities (n, 5)."""
    mean, scale, weights, intercepts = parts
    scores = (given - mean) / scale @ weights + intercepts
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def left_out(given: NDArray[np.float64], did: NDArray[np.int64], whose: NDArray[np.int64]) -> NDArray[np.float64]:
    """Probabilities of each event by the model that did not see its ship."""
    from sklearn.model_selection import GroupKFold

    out = np.empty((did.size, len(BEHAVIOURS)))
    for seen, unseen in GroupKFold(FOLDS).split(given, did, whose):
        out[unseen] = predicted(given[unseen], fitted(given[seen], did[seen]))
    return out


def told(p: NDArray[np.float64], did: NDArray[np.int64]) -> Iterator[str]:
    """How good probabilities are: accuracy, Brier score, calibration error, confusion, reliability."""
    best, surest = p.argmax(axis=1), p.max(axis=1)
    right = best == did
    brier = float(((p - np.eye(p.shape[1])[did]) ** 2).sum(axis=1).mean())
    bins = np.minimum((surest * 10).astype(np.int64), 9)
    kept = [k for k in range(10) if (bins == k).any()]
    error = sum(abs(right[bins == k].mean() - surest[bins == k].mean()) * (bins == k).mean() for k in kept)
    yield f"{did.size:,} events; right {right.mean():.3f}; Brier {brier:.3f}; calibration error (ECE) {error:.3f}"
    yield f"| did \\ called | {' | '.join(BEHAVIOURS)} | recall |"
    yield "|---" * (len(BEHAVIOURS) + 2) + "|"
    for k, name in enumerate(BEHAVIOURS):
        row = np.bincount(best[did == k], minlength=len(BEHAVIOURS))
        yield f"| {name} | {' | '.join(f'{n:,}' for n in row)} | {row[k] / max(1, row.sum()):.2f} |"
    precision = [right[best == k].mean() if (best == k).any() else np.nan for k in range(len(BEHAVIOURS))]
    yield f"| precision | {' | '.join(f'{x:.2f}' for x in precision)} | |"
    yield ""
    yield "| said to be sure by | events | mean | right |"
    yield "|---|---|---|---|"
    for k in kept:
        here = bins == k
        means = f"{surest[here].mean():.3f} | {right[here].mean():.3f}"
        yield f"| {k / 10:.1f} to {k / 10 + 0.1:.1f} | {here.sum():,} | {means} |"
    ordered = np.sort(p, axis=1)
    lead = ordered[:, -1] - ordered[:, -2]
    for least in (0.1, 0.2, 0.3, 0.5):
        called = lead >= least
        yield f"lead of {least}: {called.mean():.3f} are called, of these {right[called].mean():.3f} right"


def main() -> None:
    """Make the ships, measure, write the table."""
    events, did, whose = labelled(SHIPS)
    columns = described(for_kernels(events))
    rows = []
    for model in ("said", "unsaid"):
        names = [name for name in columns if model == "said" or name not in SAID]
        given = np.stack([columns[name] for name in names], axis=1)
        print(f"\n### {model}\n", *told(left_out(given, did, whose), did), sep="\n")
        mean, scale, weights, intercepts = fitted(given, did)
        rows.append([model, "constant", 0.0, 1.0, *intercepts])
        rows += [[model, name, *numbers] for name, *numbers in zip(names, mean, scale, *weights.T, strict=True)]
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["model", "feature", "mean", "scale", *BEHAVIOURS])
        writer.writerows([row[0], row[1], *(f"{number:.6g}" for number in row[2:])] for row in rows)


if __name__ == "__main__":
    main()
