"""Dark periods in simulated worlds: our score beside fixed rules, and whether the probabilities are true.

Three kinds of world, each with the same ships and silences: `world` (eight satellites), `few` (two satellites that hear
little) and `shore` (coast stations alone: a ship at sea is not heard). An event found is right when it is paired
one-to-one with a scripted dark period of the same ship with a time-IoU of at least 0.5. *Identifiable* are those for
which the ship would have been heard at least 9 times had it kept on sending (`benchmarks.truth`).
"""

from __future__ import annotations

import math
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

from benchmarks.child import run_child
from benchmarks.matching import match
from benchmarks.quality import LEAST_IOU, Found, f1, ratio, why_false
from benchmarks.tables import number, table

SEEDS, QUICK_SEEDS = (9301, 9302, 9303), (91,)
CHANGES: dict[str, dict[str, str]] = {
    "world": {},
    "few": {"satellites = 8": "satellites = 2", "satellite_best = 0.30": "satellite_best = 0.08"},
    "shore": {"satellites = 8": "satellites = 0"},
}
"""Lines of the built-in scenario `world` that each kind of world has otherwise."""
OURS = "luxwake"
RULES = (OURS, "every gap over 6 h", "every gap over 12 h", "12 h, 50 nmi, reception (Welch 2022)")
CUTS_D = (3.0, 5.0, 7.0)
"""Days at which the feed is asked what is dark just then."""
EDGES = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
"""Bins of the score."""
RESAMPLES = 1000
HOUR_US = 3_600_000_000
NMI_M = 1852.0
APART = ("the ship took another MMSI", "scripted event, IoU under 0.5")
"""Silences of which the truth does not say whether they are dark or honest: left out of the calibration."""


def scenario(kind: str, folder: Path) -> Path:
    """The file of a kind of world."""
    from luxwake.simulate.scenario import find

    text = find("world").read_text(encoding="utf-8")
    for line, other in CHANGES[kind].items():
        assert text.count(line) == 1, line
        text = text.replace(line, other)
    path = folder / f"{kind}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def welch(fixes: Any, events: Any) -> list[bool]:
    """The rule of Welch et al. 2022, on the receivers that there are: which gaps it calls disabling.

    At least 12 h; begun more than 50 nmi from shore, in a cell of one degree with more than 10 positions per vessel and
    day, after at least 14 positions in the 12 h before.
    """
    import numpy as np

    order = np.lexsort((fixes["t"], fixes["mmsi"]))
    t, mmsi, lat, lon = (fixes[name][order] for name in ("t", "mmsi", "lat", "lon"))
    step = np.diff(t, append=t[-1])
    step[(np.diff(mmsi, append=0) != 0) | (step > 12 * HOUR_US)] = 0
    where = (np.floor(lat) + 90).astype(np.int64) * 360 + (np.floor(lon) + 180).astype(np.int64) % 360
    usable = np.isfinite(lat)
    heard = np.bincount(where[usable], minlength=64_800)
    days = np.bincount(where[usable], step[usable] / (24 * HOUR_US), minlength=64_800)
    found = []
    for k in range(len(events)):
        begin, ship = int(events["t_start"][k]), np.uint32(events["mmsi"][k])
        first, last = np.searchsorted(mmsi, ship, "left"), np.searchsorted(mmsi, ship, "right")
        own = t[first:last]
        before = np.searchsorted(own, begin, "right") - np.searchsorted(own, begin - 12 * HOUR_US)
        cell = int(math.floor(events["lat"][k]) + 90) * 360 + int(math.floor(events["lon"][k]) + 180) % 360
        found.append(
            bool(
                events["t_end"][k] - begin >= 12 * HOUR_US
                and events["shore_m"][k] > 50 * NMI_M
                and heard[cell] > 10 * days[cell]
                and before >= 14
            )
        )
    return found


def by_ship(truth: Sequence[Any], found: Sequence[Found]) -> dict[str, list[int]]:
    """Right, found and scripted of each ship."""
    counts: dict[str, list[int]] = {}
    for n, rows in ((1, found), (2, truth)):
        for row in rows:
            counts.setdefault(str(row.mmsi), [0, 0, 0])[n] += 1
    for i, _ in match([row.span for row in truth], [e.span for e in found], LEAST_IOU):
        counts[str(truth[i].mmsi)][0] += 1
    return counts


def open_ones(fixes: Any, truth: Sequence[Any], day: float) -> list[int]:
    """What the feed says when it is cut: scripted and dark for over 6 h, of these announced; announced, of these right.

    Right is an open event called dark that begins with a scripted silence still going on.
    """
    import luxwake as lw
    from detectors.event import DARK

    cut = int(fixes["t"].min() + day * 24 * HOUR_US)
    events = lw.detect(fixes.take(fixes["t"] < cut), ["dark"])
    going = {r.mmsi: r for r in truth if r.kind == "dark" and r.t_start < cut - 6 * HOUR_US and r.t_end > cut}
    said = [int(m) for m, k, o in zip(events["mmsi"], events["kind"], events["open"], strict=True) if k == DARK and o]
    right = sum(ship in going for ship in said)
    return [len(going), right, len(said)]


def world(kind: str, seed: int, vessels: int, days: float) -> dict[str, Any]:
    """One world, found and measured (runs in a process of its own)."""
    import luxwake as lw
    from benchmarks.truth import Heard, read_truth, why_hidden, would_hear
    from detectors.event import KINDS

    with tempfile.TemporaryDirectory() as folder:
        path = scenario(kind, Path(folder))
        lw.simulate(path, Path(folder), seed=seed, vessels=vessels, days=days)
        fixes, truth = lw.read(Path(folder) / "track.nmea"), read_truth(Path(folder) / "truth.csv")
        would = would_hear(seed, vessels, days, path)
    events = lw.detect(fixes, ["dark"])
    columns = [events[name].tolist() for name in ("kind", "mmsi", "t_start", "t_end", "score")]
    all_ = [Found(KINDS[k], m, 0, a, b, s, "") for k, m, a, b, s in zip(*columns, strict=True)]
    rows = [row for row in truth if row.kind == "dark"]
    hours = [(e.t_end - e.t_start) / HOUR_US for e in all_]
    chosen = (
        [e.kind == "dark" for e in all_], [True] * len(all_), [h > 12 for h in hours], welch(fixes, events),
    )  # fmt: skip
    pairs = match([row.span for row in rows], [e.span for e in all_], LEAST_IOU)
    hit, ids = {j for _, j in pairs}, {id(rows[i]) for i, _ in pairs}
    why = ["dark" if j in hit else why_false(e, rows, ids, truth) for j, e in enumerate(all_)]
    heard = Heard(fixes)
    shown = [not why_hidden(row, heard, 0.0, would) for row in rows]
    dark = {j for j, e in enumerate(all_) if e.kind == "dark"}
    return {
        "silences": len(all_),
        "unknown": sum(e.score != e.score for e in all_),
        "shown": sum(shown),
        "shown_hits": sum(shown[i] for i, j in pairs if j in dark),
        "ships": [by_ship(rows, [e for e, yes in zip(all_, some, strict=True) if yes]) for some in chosen],
        "scores": [
            (e.score, w == "dark") for e, w in zip(all_, why, strict=True) if e.score == e.score and w not in APART
        ],
        "false": [w for j, w in enumerate(why) if j in dark and w != "dark"],
        "missed": [missed_by(all_[j].score) for _, j in pairs if j not in dark],
        "open": [open_ones(fixes, truth, day) for day in CUTS_D if day < days],
    }


def missed_by(score: float) -> str:
    """In words, how far a scripted silence was from being called dark."""
    if score != score:
        return "reception unknown"
    return "score under 0.05" if score < 0.05 else "score 0.05 to 0.5" if score < 0.5 else "q over 0.1"


def counted(words: Iterable[str]) -> str:
    """How often each word occurs, the most frequent first."""
    return "; ".join(f"{word} {n:,}" for word, n in Counter(words).most_common()) or "none"


def speed(seed: int, vessels: int, days: float) -> dict[str, Any]:
    """Fixes a CPU second of the detector alone, on rows that the engine has prepared; best of five, each way."""
    import time

    import luxwake as lw
    from benchmarks.speed import _Tap
    from detectors.dark import Dark, DarkParams
    from detectors.engine import Engine

    with tempfile.TemporaryDirectory() as folder:
        lw.simulate("world", Path(folder), seed=seed, vessels=vessels, days=days)
        fixes = lw.read(Path(folder) / "track.nmea")
    tap, engine = _Tap(), Engine([], lateness_s=0)
    engine.detectors.append(tap)  # type: ignore[arg-type]
    engine.feed(fixes)
    engine.flush()
    rows = sum(chunk.t.size for chunk in tap.chunks)
    per_second = {}
    for name, reception in (("gaps and reception", True), ("gaps alone", False)):
        best = math.inf
        for _ in range(6):  # the first compiles, or reads the cache
            detector = Dark(DarkParams(reception=reception))
            detector.reserve(tap.ships)
            begin = time.process_time()
            for chunk in tap.chunks:
                detector.feed(chunk)
            detector.finish(*tap.end)
            best = min(best, time.process_time() - begin)
        per_second[name] = rows / best
    return {"rows": rows, "per_second": per_second}


def rates(counts: dict[str, list[int]]) -> tuple[float, float, float]:
    """Precision, recall and F1 of all ships together."""
    right, found, scripted = (sum(c[k] for c in counts.values()) for k in range(3))
    precision, recall = ratio(right, found), ratio(right, scripted)
    return precision, recall, f1(precision, recall) if found else 0.0


def interval(counts: dict[str, list[int]]) -> tuple[float, float]:
    """95 % interval of F1: ships drawn again with replacement, a thousand times from one seed."""
    import numpy as np

    table_ = np.array(sorted(counts.values()), np.int64).reshape(-1, 3)
    drawn = np.random.default_rng(1).integers(0, len(table_), (RESAMPLES, len(table_)))
    right, found, scripted = table_[drawn].sum(axis=1).T
    return tuple(np.quantile(2 * right / np.maximum(1, found + scripted), (0.025, 0.975)).tolist())


def bins(scores: Sequence[tuple[float, bool]]) -> list[tuple[int, float, float]]:
    """Of each bin of `EDGES`: silences, mean score, share that is dark in truth."""
    found = []
    for low, high in pairwise(EDGES):
        own = [(s, y) for s, y in scores if low <= s < high or (s == high == 1.0)]
        found.append((len(own), ratio(sum(s for s, _ in own), len(own)), ratio(sum(y for _, y in own), len(own))))
    return found


def calibration_error(scores: Sequence[tuple[float, bool]]) -> float:
    """Expected calibration error: mean distance of score and truth over the bins, by their silences."""
    return sum(n * abs(said - true) for n, said, true in bins(scores) if n) / max(1, len(scores))


def _rule_rows(kind: str, seeds: Sequence[int], worlds: Sequence[dict[str, Any]]) -> Iterator[list[str]]:
    for k, rule in enumerate(RULES):
        together: dict[str, list[int]] = {
            f"{s} {m}": c for s, w in zip(seeds, worlds, strict=True) for m, c in w["ships"][k].items()
        }
        shown = number(ratio(sum(w["shown_hits"] for w in worlds), sum(w["shown"] for w in worlds)))
        per_seed = []
        for w in worlds:
            low, high = interval(w["ships"][k])
            per_seed.append(f"{rates(w['ships'][k])[2]:.2f} ({low:.2f} to {high:.2f})")
        right, found, scripted = (sum(c[n] for c in together.values()) for n in range(3))
        yield [
            kind, rule, f"{scripted:,}", f"{found:,}", f"{right:,}", *map(number, rates(together)),
            shown if rule == OURS else "", ", ".join(per_seed),
        ]  # fmt: skip


def run(quick: bool) -> Iterator[str]:
    """The tables of this part, as text; draws the picture of the calibration."""
    from benchmarks.dark_picture import draw_calibration

    seeds, size = (QUICK_SEEDS, {"vessels": 120, "days": 5.0}) if quick else (SEEDS, {"vessels": 600, "days": 10.0})
    worlds = {
        kind: [run_child("benchmarks.dark:world", {"kind": kind, "seed": s, **size}) for s in seeds] for kind in CHANGES
    }
    yield f"Seeds {', '.join(map(str, seeds))}; {size['vessels']} ships, {size['days']:.0f} days each."
    header = ("world", "rule", "scripted", "found", "right", "precision", "recall", "F1", "recall, identifiable")
    yield table(
        (*header, "F1 by seed (95 % interval)"), [r for kind in worlds for r in _rule_rows(kind, seeds, worlds[kind])]
    )
    scores = {kind: [tuple(pair) for w in worlds[kind] for pair in w["scores"]] for kind in worlds}
    yield "Score against truth (silences, mean score, share dark):"
    yield table(
        ("world", *(f"{a:g} to {b:g}" for a, b in pairwise(EDGES)), "ECE", "unknown"),
        [
            [
                kind,
                *(f"{n:,}: {number(said)}, {number(true)}" for n, said, true in bins(scores[kind])),
                number(calibration_error(scores[kind]), 3),
                f"{sum(w['unknown'] for w in worlds[kind]):,}",
            ]
            for kind in worlds
        ],
    )
    yield f"Asked while the feed runs, after {', '.join(f'{d:g}' for d in CUTS_D if d < size['days'])} days:"
    yield table(
        ("world", "scripted, silent for over 6 h", "of these announced", "announced", "precision", "recall"),
        [
            [kind, f"{going:,}", f"{right:,}", f"{said:,}", number(ratio(right, said)), number(ratio(right, going))]
            for kind in worlds
            for going, right, said in [[sum(c[k] for w in worlds[kind] for c in w["open"]) for k in range(3)]]
        ],
    )
    yield "Called dark and not scripted, by what the truth says; scripted silences called a gap, by their score:"
    yield table(
        ("world", "false", "missed"),
        [
            [kind, *(counted(chain.from_iterable(w[name] for w in worlds[kind])) for name in ("false", "missed"))]
            for kind in worlds
        ],
    )
    measured = run_child("benchmarks.dark:speed", {"seed": 1, **size})
    yield f"Speed of the detector alone, {measured['rows']:,} rows (`DarkParams(reception=False)`: gaps alone):"
    yield table(
        ("way", "fixes/CPU s, best of 5"), [[way, number(value, 0)] for way, value in measured["per_second"].items()]
    )
    path = draw_calibration({kind: bins(scores[kind]) for kind in worlds})
    yield f"{path.relative_to(path.parents[2])}: {path.stat().st_size:,} bytes"
