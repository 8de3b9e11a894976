"""What slow ships did, as the detector calls it: on ships it was not trained on, of three kinds.

* Made-up ships of `detectors.tables.slow_ships`, beyond those of the training: the same making, other ships.
* Simulated worlds: another making altogether (`luxwake.simulate`), never used for training, and the navigational
  status, always honest there, set aside. What a ship did is what the truth says of most of the event: a port call is
  moored, a scripted loitering, drift or meeting drifts, a fishing ship under neither fishes.
* Real positions of 28 difficult MMSIs (`../shared/data/tracks`, where it is there): the status that a ship sent for
  nine tenths of an event as a weak label, the model without status as what is measured.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.child import run_child
from benchmarks.decode import ROOT
from benchmarks.matching import match
from benchmarks.tables import number, table

SEEDS, QUICK_SEEDS = (9201, 9202, 9203), (91,)
UNSEEN, QUICK_UNSEEN = 1000, 100
TRACKS = ROOT.parent / "shared" / "data" / "tracks" / "gfw_segment_half_2021-01.parquet"
DOES = {"port_call": "moored", "anchor": "anchored", "loitering": "drifting", "drift": "drifting",
        "rendezvous": "drifting"}  # fmt: skip
LEAST_SAID = 0.9


def _called(events: Any, model: str) -> list[list[float]]:
    from detectors.behaviour import probabilities

    return [[float(x) for x in row] for row in probabilities(events, model)]


def made_up(ships: int) -> dict[str, Any]:
    """Ships beyond those of the training (a process of its own, as all parts)."""
    from detectors.behaviour import BEHAVIOURS
    from detectors.tables.train_behaviour import SHIPS, labelled

    events, did, _ = labelled(ships, first=SHIPS)
    return {"did": [BEHAVIOURS[k] for k in did], "said": _called(events, "said"), "unsaid": _called(events, "unsaid")}


def _raw(fixes: Any) -> Any:
    """Records of slow episodes with their distance to shore, their facts still features."""
    import numpy as np

    from detectors.engine import Engine
    from detectors.finish import well_placed

    engine = Engine(["loitering"], lateness_s=0)
    return well_placed(np.concatenate([engine.feed(fixes), engine.flush()]), engine.detectors)[0]


def world(seed: int, vessels: int, days: float) -> dict[str, Any]:
    """One simulated world."""
    import luxwake as lw
    from benchmarks.truth import read_truth
    from detectors.behaviour import LEAST_FIXES
    from detectors.event import KINDS, LABELS

    with tempfile.TemporaryDirectory() as folder:
        lw.simulate("world", Path(folder), seed=seed, vessels=vessels, days=days)
        fixes = lw.read(Path(folder) / "track.nmea")
        truth = read_truth(Path(folder) / "truth.csv")
    static = fixes.static
    fishing = set(static["mmsi"][static["ship_type"] == 30].tolist())
    by_ship: dict[int, list[Any]] = {}
    for row in truth:
        for mmsi in (row.mmsi, row.other):
            by_ship.setdefault(mmsi, []).append(row)
    records = _raw(fixes)
    known, did = [], []
    for k, event in enumerate(records):
        mmsi, begin, end = (int(event[name]) for name in ("mmsi", "t_start", "t_end"))
        rows = [(min(end, r.t_end) - max(begin, r.t_start), r.kind) for r in by_ship.get(mmsi, []) if r.kind in DOES]
        most, kind = max(rows, default=(0, ""))
        what = DOES[kind] if 2 * most > end - begin else "fishing" if most <= 0 and mmsi in fishing else ""
        if what and event["n"] >= LEAST_FIXES:
            known.append(k)
            did.append(what)
    settled = lw.detect(fixes, ["loitering"])
    loitering = settled.take(settled["kind"] == KINDS.index("loitering"))
    spans = [row.span for row in truth if row.kind == "loitering"]
    names = ("mmsi", "t_start", "t_end")
    found = [(m, a, b) for m, a, b in zip(*(loitering[name].tolist() for name in names), strict=True)]
    return {
        "did": did,
        "said": _called(records[known], "said"),
        "unsaid": _called(records[known], "unsaid"),
        "loitering": _loitering([LABELS[k] for k in loitering["label"]], found, spans, by_ship, fishing),
    }


def _loitering(labels: list[str], found: Any, spans: Any, by_ship: Any, fishing: set[int]) -> dict[str, int]:
    """How many events of kind loitering, by label and by what the truth says of them."""
    from benchmarks.matching import Span

    hits = {j for _, j in match(spans, [Span(*event) for event in found], 0.5)}
    counted: Counter[str] = Counter()
    for j, (label, (mmsi, begin, end)) in enumerate(zip(labels, found, strict=True)):
        during = {r.kind for r in by_ship.get(mmsi, []) if min(end, r.t_end) > max(begin, r.t_start)}
        if j in hits:
            what = "scripted loitering"
        elif during & {"rendezvous", "drift", "loitering"}:
            what = "look-alike: meeting or drift"
        else:
            what = "trawler at work" if mmsi in fishing else "another"
        counted[f"{what}|{label}"] += 1
    return dict(counted)


def weak(path: str) -> dict[str, Any]:
    """Real ships, by the status that they sent."""
    import duckdb
    import numpy as np

    from ais.table import Fixes
    from detectors.behaviour import LEAST_FIXES, SAID
    from detectors.episode_sums import FEATURES

    sql = "select epoch_us(timestamp) t, mmsi, lat, lon, sog, cog, heading, nav_status, msg_type from read_parquet(?)"
    rows = duckdb.sql(f"{sql} where lat is not null", params=[path]).fetchnumpy()
    columns = {name: np.ma.filled(rows[name].astype(float), np.nan) for name in rows}
    for name, dtype, otherwise in (("t", "i8", 0), ("mmsi", "u4", 0), ("nav_status", "u1", 15), ("msg_type", "u1", 0)):
        columns[name] = np.nan_to_num(columns[name], nan=otherwise).astype(dtype)
    records = _raw(Fixes({**columns, "offset": np.arange(columns["t"].size)}))
    said = np.stack([records["facts"][:, FEATURES.index(name)] for name in SAID], axis=1)
    known = (said.max(axis=1) >= LEAST_SAID) & (records["n"] >= LEAST_FIXES)
    did = [SAID[k].removeprefix("said_") for k in said[known].argmax(axis=1)]
    ships = int(np.unique(records["mmsi"][known]).size)
    unsaid = _called(records[known], "unsaid")
    return {"did": did, "unsaid": unsaid, "events": int(records.size), "ships": ships}


def told(did: list[str], p: list[list[float]]) -> Iterator[str]:
    """Accuracy, Brier score and calibration error, confusion, and reliability."""
    from detectors.behaviour import BEHAVIOURS

    best = [max(range(len(row)), key=row.__getitem__) for row in p]
    right = [BEHAVIOURS[k] == name for k, name in zip(best, did, strict=True)]
    surest = [max(row) for row in p]
    brier = sum(
        (x - (other == name)) ** 2
        for row, name in zip(p, did, strict=True)
        for other, x in zip(BEHAVIOURS, row, strict=True)
    )
    bins = [[n for n, x in enumerate(surest) if low <= x < high] for low, high in BINS]
    error = sum(abs(sum(right[n] - surest[n] for n in own)) for own in bins) / len(did)
    yield (
        f"{len(did):,} events, {sum(right) / len(did):.3f} called right by the likeliest; Brier score "
        f"{brier / len(did):.3f}, calibration error (ECE) {error:.3f}."
    )
    rows, means = [], (surest, right)
    for name in BEHAVIOURS:
        own = Counter(k for k, other in zip(best, did, strict=True) if other == name)
        recall = own[BEHAVIOURS.index(name)] / sum(own.values()) if own else float("nan")
        rows.append([name, *(own[k] for k in range(len(BEHAVIOURS))), number(recall)])
    yield table(("did, called", *BEHAVIOURS, "recall"), rows)
    yield table(
        ("sure by", "events", "mean", "right"),
        (
            [
                f"{low:.1f} to {min(high, 1.0):.1f}",
                len(own),
                *(number(sum(x[n] for n in own) / len(own)) for x in means),
            ]
            for (low, high), own in zip(BINS, bins, strict=True)
            if own
        ),
    )


BINS = ((0.2, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01))


def run(quick: bool) -> Iterator[str]:
    """The tables of this part, as text."""
    one = run_child("benchmarks.behaviour:made_up", {"ships": QUICK_UNSEEN if quick else UNSEEN})
    for model, words in (("said", "With the navigational status"), ("unsaid", "Without it")):
        yield f"{words}, made-up ships:"
        yield from told(one["did"], one[model])
    size: dict[str, Any] = {"vessels": 120, "days": 5.0} if quick else {"vessels": 600, "days": 10.0}
    seeds = QUICK_SEEDS if quick else SEEDS
    worlds = [run_child("benchmarks.behaviour:world", {"seed": seed, **size}) for seed in seeds]
    yield f"Without the status, simulated worlds, seeds {', '.join(map(str, seeds))}:"
    yield from told([x for w in worlds for x in w["did"]], [x for w in worlds for x in w["unsaid"]])
    counted = sum((Counter(w["loitering"]) for w in worlds), Counter())
    labels = sorted({key.split("|")[1] for key in counted})
    yield "Events of kind loitering there, by what the truth says and by label:"
    whats = sorted({key.split("|")[0] for key in counted})
    rows = ([what, *(counted[f"{what}|{label}"] for label in labels)] for what in whats)
    yield table(("truth, label", *labels), rows)
    if TRACKS.is_file():
        real = run_child("benchmarks.behaviour:weak", {"path": str(TRACKS)})
        yield (
            f"Without the status, real ships: of {real['events']:,} events {len(real['did']):,}, of {real['ships']} "
            f"ships, have four fixes and a status for {LEAST_SAID:.0%} of their time."
        )
        yield from told(real["did"], real["unsaid"])
    else:
        yield "Real tracks are not beside this checkout (`../shared/data/tracks`); nothing was run on them."
