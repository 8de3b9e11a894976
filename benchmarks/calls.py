"""Port calls with the transponder off: what is inferred when scripted calls are cut out of a simulated feed.

Of two in five scripted calls of 6 h and more, the ship is made silent from where it is a random 3 to 28 km from its
berth on the way in to where it is another such distance away on the way out. An inferred call is right when it shares
time with a scripted call of that ship and names its port. The worlds hold scripted silences of other causes too, so
that what is inferred for those counts as false. The same table without cuts tells how far each score can be trusted
(`detectors.port_call.SCORES`).
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.child import run_child
from benchmarks.matching import time_iou
from benchmarks.quality import QUICK_SEEDS, SEEDS, added
from benchmarks.tables import number, table
from benchmarks.truth import Scripted, read_truth

if TYPE_CHECKING:
    from ais.table import Fixes

CUT_SHARE, LEAST_H, NEAR_M = 0.4, 6.0, (3_000.0, 28_000.0)
REACH_M = 8_000.0


def cut_out(fixes: Fixes, calls: Sequence[Scripted], seed: int) -> tuple[Fixes, list[tuple[Scripted, str]]]:
    """The fixes without those about some calls, and these calls with where the silence begins and ends."""
    from geo.sphere import distances_m

    rng, order = np.random.default_rng(seed), np.lexsort((fixes["t"], fixes["mmsi"]))
    mmsi, kept, cut = fixes["mmsi"][order], np.ones(len(fixes), np.bool_), []
    for call in calls:
        own = order[np.searchsorted(mmsi, call.mmsi) : np.searchsorted(mmsi, call.mmsi, "right")]
        if call.hours < LEAST_H or rng.random() > CUT_SHARE or own.size == 0:
            continue
        near = rng.uniform(*NEAR_M, 2)
        lat, lon = np.full(own.size, call.lat), np.full(own.size, call.lon)
        away = distances_m(fixes["lat"][own], fixes["lon"][own], lat, lon)
        first, last = np.searchsorted(fixes["t"][own], (call.t_start, call.t_end))
        before, after = np.flatnonzero(away[:first] >= near[0]), np.flatnonzero(away[last:] >= near[1])
        kept[own[before[-1] + 1 if before.size else 0 : last + (after[0] if after.size else own.size)]] = False
        cut.append((call, " to ".join("within" if m < REACH_M else "outside" for m in near)))
    return fixes.take(np.flatnonzero(kept)), cut


def judged(events: Any, calls: Sequence[Scripted]) -> Counter[str]:
    """How many events of each sort are right, name another port, or are false: counts by "what, confidence|verdict"."""
    from detectors.event import LABELS

    by_ship: dict[int, list[Scripted]] = {}
    for call in calls:
        by_ship.setdefault(call.mmsi, []).append(call)
    counts: Counter[str] = Counter()
    columns = (events[name].tolist() for name in ("mmsi", "t_start", "t_end", "port", "label", "confidence", "berth_h"))
    for mmsi, start, end, port, label, confidence, berth_h in zip(*columns, strict=True):
        what = "silence" if LABELS[label] == "inferred" else "berth" if berth_h > 0 else "wait at anchor alone"
        meets = [call for call in by_ship.get(mmsi, []) if call.t_start < end and call.t_end > start]
        named = any(call.note.split(" ")[0] == port for call in meets)
        counts[f"{what}, {confidence:.0f}|{'right' if named else 'other port' if meets else 'false'}"] += 1
    return counts


def world(seed: int, vessels: int, days: float) -> dict[str, Any]:
    """One simulated world, whole and with calls cut out (runs in a process of its own)."""
    import luxwake as lw
    from detectors.event import LABELS

    with tempfile.TemporaryDirectory() as folder:
        lw.simulate("world", Path(folder), seed=seed, vessels=vessels, days=days)
        fixes = lw.read(Path(folder) / "track.nmea")
        calls = [row for row in read_truth(Path(folder) / "truth.csv") if row.kind == "port_call"]
    silent, cut = cut_out(fixes, calls, seed)
    events = lw.detect(silent, ["port_call"])
    inferred = np.flatnonzero(np.array([LABELS[label] == "inferred" for label in events["label"].tolist()], np.bool_))
    spans = [(events["mmsi"][k], events["t_start"][k], events["t_end"][k]) for k in inferred.tolist()]
    tried: Counter[str] = Counter()
    found: Counter[str] = Counter()
    overlap = []
    for call, where in cut:
        iou = [
            time_iou(call.span, call.span._replace(start=float(start), end=float(end)))
            for mmsi, start, end in spans
            if mmsi == call.mmsi and start < call.t_end and end > call.t_start
        ]
        tried[where] += 1
        found[where] += bool(iou)
        overlap += iou
    whole = judged(lw.detect(fixes, ["port_call"]), calls)
    return {
        "calls": len(calls), "whole": dict(whole), "cut": dict(judged(events, calls)), "tried": dict(tried),
        "found": dict(found), "iou": overlap,
    }  # fmt: skip


def _verdicts(counts: dict[str, int]) -> Iterator[list[str]]:
    for what in sorted({key.split("|")[0] for key in counts}):
        row = [counts.get(f"{what}|{verdict}", 0) for verdict in ("right", "other port", "false")]
        yield [what, *(f"{n:,}" for n in row), number(row[0] / max(1, sum(row)))]


def run(quick: bool) -> Iterator[str]:
    """The tables of this part, as text."""
    seeds, size = (QUICK_SEEDS, {"vessels": 120, "days": 5.0}) if quick else (SEEDS, {"vessels": 300, "days": 10.0})
    r = added([run_child("benchmarks.calls:world", {"seed": seed, **size}) for seed in seeds])
    header = ("what stands for the stop, confidence", "right", "other port", "false", "share right")
    yield f"Simulated `world`, seeds {', '.join(map(str, seeds))}, {r['calls']:,} scripted port calls. All heard:"
    yield table(header, _verdicts(r["whole"]))
    yield f"The same with {sum(r['tried'].values()):,} of the calls cut out of the feed:"
    yield table(header, _verdicts(r["cut"]))
    yield "Calls cut out that were inferred, by where the silence began and ended (within 8 km of the berth or not):"
    rows = [[where, f"{n:,}", f"{r['found'].get(where, 0):,}"] for where, n in sorted(r["tried"].items())]
    yield table(("silence", "calls", "inferred"), rows)
    yield f"Mean time-IoU of those inferred: {number(sum(r['iou']) / max(1, len(r['iou'])))}."
