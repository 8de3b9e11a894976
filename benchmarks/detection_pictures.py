"""Robustness curves of the injection benchmark as pictures: recall at the left, false pairs at the right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.curves import COLOURS, Line, Panel, draw, scale_top
from benchmarks.finders import BASELINE, OURS
from benchmarks.pictures import PICTURES
from benchmarks.scoring import Found
from benchmarks.sweeps import Point

SEEDED = "Seeded injection, 95 % bootstrap intervals."
NOTE = (
    f"{SEEDED} False pairs come from look-alikes: tugs with tows, pilot boats, ferries, convoys, pairs of trawlers, "
    "neighbours at anchor, overtaking."
)
WHO = {OURS: COLOURS[0], BASELINE: COLOURS[1]}


def pictures(done: Mapping[str, Sequence[Point]], aims: Mapping[str, float]) -> Iterator[str]:
    """Draw each picture; its path within the project."""
    for name, below, title in (
        ("sampling", "mean interval between fixes", "Meetings of 4 hours and how often ships are heard"),
        ("dropped", "share of messages lost, of one every 2 min", "Meetings of 4 hours and lost messages"),
        ("noise", "noise of positions", "Meetings of 4 hours and noise of positions"),
    ):
        points = done[name]
        wanted = [aims.get(p.words, float("nan")) for p in points] if name == "sampling" else ()
        yield _save(f"detect_{name}.png", title, [recall(points, below, wanted), false_pairs(points, below)], NOTE)
    hours = done["start hour"]
    panel = recall(hours, "hour (UTC) at which the meeting begins")
    overlap = _panel(hours, "hour (UTC) at which the meeting begins", "iou", "time-IoU of those found")
    yield _save("detect_hours.png", "Meetings of 2.5 hours around the clock", [panel, overlap], SEEDED)
    both = [
        recall(done["copies"], "share of messages that come twice")._replace(title="recall of meetings"),
        recall(done["hidden"], "share of ships whose MMSI another ship uses too")._replace(title="recall of silences"),
    ]
    yield _save("detect_identity.png", "Duplicates, and MMSIs that two ships use", both, SEEDED)


def recall(points: Sequence[Point], below: str, aims: Sequence[float] = ()) -> Panel:
    """The share of injected meetings that is found."""
    return _panel(points, below, "recall", "recall")._replace(aims=aims)


def false_pairs(points: Sequence[Point], below: str) -> Panel:
    """Pairs found that were not injected, of a hundred look-alike scenes; those without a label apart."""
    scenes = [sum(n for role, n in p.scenes.items() if role not in ("meeting", "background")) for p in points]

    def per_hundred(events: Sequence[Sequence[Found]]) -> list[float]:
        return [100.0 * len(e) / n for e, n in zip(events, scenes, strict=True)]

    lines = [Line(who, colour, per_hundred([p.wrong[who] for p in points])) for who, colour in WHO.items()]
    bare = [[e for e in p.wrong[OURS] if not e.label] for p in points]
    if any(len(b) < len(p.wrong[OURS]) for b, p in zip(bare, points, strict=True)):
        lines.append(Line("no label", COLOURS[3], per_hundred(bare)))
    top = scale_top([v for line in lines for v in line.values])
    return Panel("false pairs per 100 look-alike scenes", below, _words(points), lines, top, 0 if top % 4 == 0 else 1)


def _panel(points: Sequence[Point], below: str, what: str, title: str) -> Panel:
    lines = []
    for who, colour in WHO.items():
        rates = [p.scores[who].rate(what) for p in points]
        low, high = ([r[k] if r[k] == r[k] else 0.0 for r in rates] for k in (1, 2))
        whole = all(r[0] == r[0] for r in rates)
        lines.append(Line(who, colour, [r[0] for r in rates], low if whole else (), high if whole else ()))
    return Panel(title, below, _words(points), lines, 1.0, 2)


def _words(points: Sequence[Point]) -> list[str]:
    return [p.words.replace(" min", "m").replace(" s", "s") for p in points]


def _save(name: str, title: str, panels: Sequence[Panel], note: str) -> str:
    path: Path = draw(PICTURES / name, title, panels, note)
    return f"{path.relative_to(PICTURES.parents[1])}: {path.stat().st_size:,} bytes"
