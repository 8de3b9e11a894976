"""What the detectors find of what simulated ships did: precision, recall, time-IoU, and the causes of errors.

The seeds of the evaluation were not used while the detectors were developed. An event found is right when it is paired
one-to-one with a scripted event of the same kind and the same vessel (or pair) with a time-IoU of at least 0.5
(`benchmarks.matching`). Recall is given of all scripted events, and of those that the input can show at all
(`benchmarks.truth`). Beside the dark periods stand two rules without a model of reception: every gap over 6 h, and
every gap over 12 h.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.child import run_child
from benchmarks.matching import Span, match, time_iou
from benchmarks.tables import number, table

SEEDS = (9201, 9202, 9203)
QUICK_SEEDS = (91,)
LEAST_IOU = 0.5
OTHER_IOU = (0.3, 0.7)
GAP_6H, GAP_12H = "every gap over 6 h", "every gap over 12 h"
BERTH = "port call, its berth"
"""A port call lasts from entry to exit, the wait in the roads included; a scripted one is the time at the berth."""
LABELS = {
    "loitering": "loitering", "dark": "dark", GAP_6H: "dark", GAP_12H: "dark", "rendezvous": "rendezvous",
    "port_call": "port_call", BERTH: "port_call",
}  # fmt: skip
"""Row of the table to the kind of scripted event that it is measured against."""
LOOK_ALIKES = {"loitering": ("during a scripted rendezvous", "during a scripted drift")}
"""False events that are right by the definition: the truth calls the same slow hours by another name."""
HOUR_US = 3_600_000_000
LATE_US = 600_000_000
"""A station may hand a fix on so much later than it was sent; the last one of an MMSI then follows its change."""


class Found(NamedTuple):
    """One event of ours."""

    kind: str
    mmsi: int
    other: int
    t_start: int
    t_end: int
    score: float
    port: str
    ship: str = ""
    """What sets its ship apart where causes are counted: `class B`, `fishing`, else empty."""

    @property
    def span(self) -> Span:
        """For matching: the vessel, or the pair."""
        return Span((self.mmsi, self.other) if self.kind == "rendezvous" else self.mmsi, self.t_start, self.t_end)


def found_for(label: str, events: Sequence[Found]) -> list[Found]:
    """The events that a row of the table is about."""
    if label in (GAP_6H, GAP_12H):
        hours = 6 if label == GAP_6H else 12
        return [e for e in events if e.kind in ("dark", "gap") and e.t_end - e.t_start > hours * 3_600_000_000]
    return [e for e in events if e.kind == label]


def overlapping(span: Span, others: Iterable[Any]) -> list[Any]:
    """Those of `others` (things with a `span`) of the same vessel that share time with `span`, the longest first."""
    shared = [(min(span.end, o.span.end) - max(span.start, o.span.start), o) for o in others if o.span.who == span.who]
    return [o for hours, o in sorted(shared, key=lambda pair: -pair[0]) if hours > 0]


def why_false(event: Found, scripted: Sequence[Any], found_ids: set[int], context: Sequence[Any]) -> str:
    """What the truth says about an event that is paired with nothing."""
    ships = {event.mmsi, event.other} - {0}
    during = [
        (min(event.t_end, row.t_end) - max(event.t_start, row.t_start), row.kind)
        for row in context
        if row.mmsi in ships or (row.kind == "rendezvous" and row.other in ships)
    ]
    longest = max((pair for pair in during if pair[0] > 0), default=(0, ""))[1].replace("_", " ")
    same = overlapping(event.span, scripted)
    if same and id(same[0]) in found_ids:
        return "second piece of an event found"
    if same:
        also = longest != same[0].kind.replace("_", " ")
        return "scripted event, IoU under 0.5" + (f": it holds a longer {longest} too" if also else "")
    if event.kind in ("dark", "gap") and any(us >= -LATE_US and kind == "identity" for us, kind in during):
        return "the ship took another MMSI"
    whose = f" ({event.ship})" if event.ship and longest in ("", "hole") else ""
    return (f"during a scripted {longest}" if longest else "nothing scripted") + whose


def why_missed(row: Any, label: str, found: Sequence[Found], events: Sequence[Found]) -> str:
    """What we made of a scripted event that is paired with nothing."""
    if pieces := overlapping(row.span, found):
        return "found, IoU under 0.5" if len(pieces) == 1 else "found in pieces, each with an IoU under 0.5"
    if label == "dark":
        for event in overlapping(row.span, [e for e in events if e.kind == "gap"]):
            if time_iou(row.span, event.span) >= LEAST_IOU:
                return "called a gap: " + ("reception unknown" if event.score != event.score else "score too low")
    return "nothing found"


def measure(label: str, truth: Sequence[Any], hidden: Sequence[str], events: Sequence[Found]) -> dict[str, Any]:
    """Counts, errors and causes of one row of the table in one world; `truth` and `hidden` run in parallel."""
    kind = LABELS[label]
    rows = [(row, why) for row, why in zip(truth, hidden, strict=True) if row.kind == kind]
    spans, found = [row.span for row, _ in rows], found_for(label, events)
    result: dict[str, Any] = {"truth": len(rows), "shown": sum(not why for _, why in rows), "found": len(found)}
    for least in (*OTHER_IOU, LEAST_IOU):
        pairs = match(spans, [e.span for e in found], least)
        result[f"hits {least}"] = len(pairs)
        result[f"shown hits {least}"] = sum(not rows[i][1] for i, _ in pairs)
    hit_rows, hit_events = {i for i, _ in pairs}, {j for _, j in pairs}
    result["iou"] = [time_iou(spans[i], found[j].span) for i, j in pairs]
    result["start_min"] = [abs(found[j].t_start - spans[i].start) / 6e7 for i, j in pairs]
    result["end_min"] = [abs(found[j].t_end - spans[i].end) / 6e7 for i, j in pairs]
    result["right_port"] = sum(found[j].port == rows[i][0].note.split(" ")[0] for i, j in pairs)
    result["hidden"] = dict(Counter(why for _, why in rows if why))
    found_ids = {id(rows[i][0]) for i in hit_rows}
    scripted = [row for row, _ in rows]
    wrong = (e for j, e in enumerate(found) if j not in hit_events)
    result["false"] = dict(Counter(why_false(e, scripted, found_ids, truth) for e in wrong))
    missed = (row for i, (row, why) in enumerate(rows) if i not in hit_rows and not why)
    result["missed"] = dict(Counter(why_missed(row, label, found, events) for row in missed))
    return result


def world(seed: int, vessels: int, days: float) -> dict[str, Any]:
    """One simulated world, found and measured (runs in a process of its own)."""
    import luxwake as lw
    from benchmarks.truth import SCORED, Heard, read_truth, shore_distances, why_hidden, would_hear
    from detectors.event import KINDS

    with tempfile.TemporaryDirectory() as folder:
        written = lw.simulate("world", Path(folder), seed=seed, vessels=vessels, days=days)
        fixes = lw.read(Path(folder) / "track.nmea")
        truth = read_truth(Path(folder) / "truth.csv")
    table_ = lw.detect(fixes)
    columns = [table_[name].tolist() for name in ("kind", "mmsi", "other", "t_start", "t_end", "score", "port")]
    ships = _apart(fixes, table_)
    events = [Found._make([KINDS[k], *rest, ships.get(rest[0], "")]) for k, *rest in zip(*columns, strict=True)]
    events += _berths(events, table_["berth_from_h"].tolist(), table_["berth_h"].tolist())
    heard, would, shore = Heard(fixes), would_hear(seed, vessels, days), shore_distances(truth)
    hidden = [
        why_hidden(row, heard, float(m), would) if row.kind in SCORED else ""
        for row, m in zip(truth, shore, strict=True)
    ]
    return {
        "seed": seed,
        "fixes": written.fixes,
        "vessel_days": written.vessels * days,
        "scripted": sum(row.kind in SCORED for row in truth),
        "rows": {label: measure(label, truth, hidden, events) for label in LABELS},
    }


def _berths(events: Sequence[Found], from_h: Sequence[float], hours: Sequence[float]) -> list[Found]:
    """The time at the berth of each port call that was at one, as events of their own."""
    return [
        event._replace(kind=BERTH, t_start=start, t_end=start + round(at_berth * HOUR_US))
        for event, begin, at_berth in zip(events, from_h, hours, strict=True)
        if at_berth > 0
        for start in (event.t_start + round(begin * HOUR_US),)
    ]


def _apart(fixes: Any, events: Any) -> dict[int, str]:
    """Ships that are heard less, or move otherwise, than most: class B (type 18), fishing (ITU ship type 30)."""
    fishing = events.vessels["mmsi"][events.vessels["ship_type"] == 30].tolist()
    class_b = fixes["mmsi"][fixes["msg_type"] == 18].tolist()
    return {**dict.fromkeys(fishing, "fishing"), **dict.fromkeys(class_b, "class B")}


def added(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Results of several worlds as one: numbers added, lists joined, causes counted together."""
    total: dict[str, Any] = {}
    for name, first in results[0].items():
        values = [result[name] for result in results]
        if isinstance(first, dict):
            total[name] = dict(sum((Counter(value) for value in values), Counter()))
        else:
            total[name] = list(chain.from_iterable(values)) if isinstance(first, list) else sum(values)
    return total


def ratio(part: float, whole: float) -> float:
    """`part` of `whole`; NaN of nothing."""
    return part / whole if whole else float("nan")


def f1(precision: float, recall: float) -> float:
    """Harmonic mean of precision and recall."""
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies (nearest rank); NaN of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def summary(label: str, r: dict[str, Any], vessel_days: float) -> list[str]:
    """One row of the main table."""
    hits = r[f"hits {LEAST_IOU}"]
    alike = sum(n for cause, n in r["false"].items() if cause in LOOK_ALIKES.get(label, ()))
    precision, apart = ratio(hits, r["found"]), ratio(hits, r["found"] - alike)
    recall, shown = ratio(hits, r["truth"]), ratio(r[f"shown hits {LEAST_IOU}"], r["shown"])
    iou = ratio(sum(r["iou"]), len(r["iou"]))
    rates = [precision, apart, recall, shown, f1(precision, recall), f1(apart, shown), iou]
    errors = [quantile(r[name], share) for name in ("start_min", "end_min") for share in (0.5, 0.95)]
    false = 1000 * (r["found"] - hits) / vessel_days
    counts = [f"{r[name]:,}" for name in ("truth", "shown", "found")]
    return [label.replace("_", " "), *counts, *map(number, rates), *(number(e, 0) for e in errors), number(false, 1)]


HEADER = (
    "detector", "scripted", "identifiable", "found", "precision", "precision, look-alikes apart", "recall, all",
    "recall, identifiable", "F1, all", "F1, identifiable and apart", "mean IoU", "start error, median min", "p95",
    "end error, median min", "p95", "false per 1,000 vessel-days",
)  # fmt: skip


def causes(name: str, rows: dict[str, dict[str, Any]]) -> Iterator[list[str]]:
    """Rows (detector, cause, number) of one kind of cause, the most frequent first."""
    for label, r in rows.items():
        if name != "hidden" or label == LABELS[label]:
            for cause, n in sorted(r[name].items(), key=lambda pair: -pair[1]):
                yield [label.replace("_", " "), cause, f"{n:,}"]


def run(quick: bool) -> Iterator[str]:
    """The tables of this part, as text."""
    seeds, size = (QUICK_SEEDS, {"vessels": 120, "days": 5.0}) if quick else (SEEDS, {"vessels": 600, "days": 10.0})
    worlds = [run_child("benchmarks.quality:world", {"seed": seed, **size}) for seed in seeds]
    rows = {label: added([w["rows"][label] for w in worlds]) for label in LABELS}
    vessel_days = sum(w["vessel_days"] for w in worlds)
    yield (
        f"Simulated `world`, seeds {', '.join(map(str, seeds))}: {vessel_days:,.0f} vessel-days, "
        f"{sum(w['fixes'] for w in worlds):,} positions, {sum(w['scripted'] for w in worlds):,} scripted events, of "
        f"which {sum(rows[k]['truth'] for k in ('loitering', 'dark', 'rendezvous')):,} are no port calls. "
        f"Right: time-IoU of at least {LEAST_IOU}, one-to-one."
    )
    yield table(HEADER, (summary(label, r, vessel_days) for label, r in rows.items()))
    call = rows["port_call"]
    yield f"Port named as scripted: {call['right_port']:,} of {call[f'hits {LEAST_IOU}']:,} port calls found."
    yield "Recall at other limits of IoU (of all, of identifiable), and the spread over the worlds:"
    yield table(
        ("detector", *(f"IoU {least}" for least in (0.3, 0.5, 0.7)), "precision by seed", "recall by seed"),
        _spread(rows, worlds),
    )
    for name, title in (
        ("hidden", "Scripted events that the input cannot show, by rule"),
        ("missed", "Identifiable events that were not found, by cause"),
        ("false", "Events found that are paired with no scripted one, by what the truth says"),
    ):
        yield f"{title}:"
        yield table(("detector", "cause", "events"), causes(name, rows))


def _spread(rows: dict[str, dict[str, Any]], worlds: Sequence[dict[str, Any]]) -> Iterator[list[str]]:
    for label, r in rows.items():
        recalls = [
            f"{number(ratio(r[f'hits {least}'], r['truth']))}, {number(ratio(r[f'shown hits {least}'], r['shown']))}"
            for least in (0.3, 0.5, 0.7)
        ]
        own = [w["rows"][label] for w in worlds]
        precision = " ".join(number(ratio(o[f"hits {LEAST_IOU}"], o["found"])) for o in own)
        recall = " ".join(number(ratio(o[f"hits {LEAST_IOU}"], o["truth"])) for o in own)
        yield [label.replace("_", " "), *recalls, precision, recall]
