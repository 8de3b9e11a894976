"""The seeded injection benchmark: what the detectors find of injected events, under which conditions, beside others.

`benchmarks.scenes` draws events and look-alikes, `injection` hears them, `scoring` pairs what is found with what was
injected. Beside our detectors stand the published rules of Global Fishing Watch, written anew (`gfw_rules`), and
MovingPandas and scikit-mobility where they have the detector. The seed was not used while detectors were developed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks import sweeps, worlds
from benchmarks.detection_pictures import pictures
from benchmarks.finders import BASELINE, OURS, baseline, ours, peer, stationary
from benchmarks.injection import World
from benchmarks.peers import EVENT_PEERS
from benchmarks.scoring import Found, Score, by_role, cell, poisson_interval, quantile
from benchmarks.sweeps import Point
from benchmarks.tables import number, table

SEED = 9500
SLOW_IN_TRUTH = ("meeting", "anchored", "anchorage", "pilot", "crowd")
"""Roles in which a ship does lie or drift for hours: loitering found there is right by the definition."""
AIMS = {"1 min": 1.0, "5 min": 1.0, "10 min": 1.0, "20 min": 1.0, "30 min": 0.9, "60 min": 0.7}
"""Recall of 4-hour meetings that is asked for at a mean interval."""
REFERENCE = {"5 min": "1.00", "10 min": "1.00", "20 min": "0.75", "30 min": "0.33", "45 min": "0.10", "60 min": "0.00"}
"""What GFW's own code found of 60 such meetings."""
TITLES = {
    "sampling": "Mean interval between fixes (4-hour meetings)",
    "start hour": "Hour of the day at which a meeting of 2.5 h begins",
    "duration": "Duration of the meeting",
    "distance": "Distance between the two",
    "place": "Where on Earth",
    "neighbours": "Ships at anchor around the meeting",
    "dropped": "Share of the messages that is lost (one every 2 min was sent)",
    "noise": "Noise of positions (standard deviation of each coordinate)",
    "copies": "Share of messages that come twice, half of them under another clock",
    "hidden": "Share of silent ships whose MMSI another ship uses too: silences",
    "shared": "Share of meetings in which another ship uses the MMSI of one of the two",
}
HEADER = (
    "event", "who", "injected", "found", "precision", "precision, look-alikes apart",
    "right ones with a label", "recall", "F1", "time-IoU",
    "pieces per event", "start error, median min", "p95", "end error, median min", "p95", "false per 1,000 vessel-days",
)  # fmt: skip


def row(what: str, who: str, truth: Sequence[Any], found: Sequence[Found], world: World) -> list[str]:
    """One row of a table of all figures."""
    score = Score(truth, found, world.scene, world.vessel_days)
    wrong = [e for e in score.wrong if not e.label]
    alike = sum(by_role(wrong, world.role)[role] for role in SLOW_IN_TRUTH) if what == "loitering" else 0
    left = score.total("hits") + len(wrong) - alike
    errors = [quantile(v, share) for v in (score.start_min, score.end_min) for share in (0.5, 0.95)]
    return [
        what.replace("_", " "),
        who,
        f"{len(truth):,}",
        f"{len(found):,}",
        cell(score.rate("precision")),
        number(score.total("hits") / left if left else float("nan")),
        f"{sum(found[j].label != '' for _, j in score.pairs)}",
        *(cell(score.rate(name)) for name in ("recall", "f1", "iou", "fragments")),
        *(number(e, 0) for e in errors),
        cell(score.rate("false"), 1),
    ]


def everything(size: worlds.Size) -> Iterator[str]:
    """All kinds in one world at five places, well heard and seldom heard; look-alikes by kind."""
    for title, interval in (("10 s to 20 min", worlds.WELL_HEARD), ("20 min to 2 h", worlds.SELDOM_HEARD)):
        world = worlds.everything(SEED, interval, size)
        days = sum(world.vessel_days.values())
        yield f"Mean interval {title}: {len(world.fixes):,} fixes, {days:,.0f} vessel-days."
        found = {
            (what, who): find(world, what)
            for what in ("rendezvous", "loitering")
            for who, find in ((OURS, ours), (BASELINE, baseline))
        }
        yield table(HEADER, (row(what, who, world.truth[what], f, world) for (what, who), f in found.items()))
        yield "Events that are none of the injected ones, by what the ships did (of these without a label):"
        yield table(("what the ships did", "scenes", *(f"{what}, {who}" for what, who in found)), _alike(world, found))


def _alike(world: World, found: Mapping[tuple[str, str], Sequence[Found]]) -> Iterator[list[str]]:
    roles = {scene: world.role[mmsi] for mmsi, scene in world.scene.items()}
    wrong = {
        key: Score(world.truth[key[0]], events, world.scene, world.vessel_days).wrong for key, events in found.items()
    }
    for role in sorted(set(roles.values())):
        cells = []
        for events in wrong.values():
            own = [e for e in events if by_role([e], world.role)[role]]
            bare = sum(not e.label for e in own)
            cells.append(f"{len(own)}" + (f" ({bare})" if bare < len(own) else ""))
        yield [role, f"{sum(r == role for r in roles.values())}", *cells]


def sweep_table(points: Sequence[Point]) -> str:
    """Recall, overlap and false pairs at each point of a sweep."""
    header = ("at", *(f"{what}, {who}" for what in ("recall", "time-IoU") for who in (OURS, BASELINE)))
    false = points[0].scenes["tug"] > 0
    rows = []
    for point in points:
        cells = [cell(point.scores[who].rate(what)) for what in ("recall", "iou") for who in (OURS, BASELINE)]
        wrong = [f"{len(point.wrong[who])}" for who in (OURS, BASELINE)] if false else []
        bare = [f"{sum(not e.label for e in point.wrong[OURS])}"] if false else []
        rows.append([point.words, *cells, *bare, *wrong])
    extra = (f"false without a label, {OURS}", f"false, {OURS}", f"false, {BASELINE}") if false else ()
    return table((*header, *extra), rows)


def targets(done: Mapping[str, Sequence[Point]], size: worlds.Size) -> Iterator[list[str]]:
    """What is asked for, and what was measured."""
    for point in done["sampling"]:
        if point.words in REFERENCE:
            aim = f">= {AIMS[point.words]:.1f}" if point.words in AIMS else "-"
            mine, theirs = (cell(point.scores[who].rate("recall")) for who in (OURS, BASELINE))
            yield [f"recall of 4-hour meetings, mean interval {point.words}", aim, mine, theirs, REFERENCE[point.words]]
    hours = done["start hour"]
    low = [min(p.scores[who].rate("recall")[0] for p in hours) for who in (OURS, BASELINE)]
    yield ["recall in the worst of 24 start hours, 2.5 h", "as in the best", *map(number, low), "0.40"]
    dense = next(p for p in done["sampling"] if p.words == "5 min")
    iou = [cell(dense.scores[who].rate("iou")) for who in (OURS, BASELINE)]
    yield ["time-IoU, mean interval 5 min", ">= 0.9", *iou, "0.93"]
    plain = worlds.ordinary(SEED + 40, size)
    exposure = sum(plain.vessel_days.values()) / 10_000
    false = [poisson_interval(len(find(plain, "rendezvous")), exposure) for find in (ours, baseline)]
    words = f"false pairs per 10,000 vessel-days of ordinary traffic ({exposure * 10_000:,.0f} vessel-days)"
    yield [words, "<= 1", *map(cell, false), "-"]
    world, pairs = worlds.anchorage(SEED + 50)
    counts = [f"{len(find(world, 'rendezvous')):,}" for find in (ours, baseline)]
    yield ["pairs of 160 ships in one anchorage", f"{pairs:,}", *counts, "8,875"]


def silence_table(size: worlds.Size) -> Iterator[str]:
    """Silences: what was switched off, and what reception alone leaves."""
    world = worlds.silences(SEED + 10, size)
    splits, answer = peer(world, "movingpandas", "gaps")
    found = {
        f"{OURS}: dark": ours(world, "dark"),
        f"{OURS}: dark or gap": ours(world, "silence"),
        f"{BASELINE}: over 6 h": baseline(world, "silence"),
        f"{BASELINE}: over 12 h": baseline(world, "dark"),
    }
    if "version" in answer:
        found[f"MovingPandas {answer['version']}: gap of 6 h"] = splits
    yield f"{len(world.fixes):,} fixes, {sum(world.vessel_days.values()):,.0f} vessel-days."
    yield table(HEADER, (row("silence", who, world.truth["dark"], events, world) for who, events in found.items()))
    wrong = {
        who: by_role(Score(world.truth["dark"], events, world.scene, world.vessel_days).wrong, world.role)
        for who, events in found.items()
    }
    roles = sorted({role for counts in wrong.values() for role in counts})
    yield "Others than those injected, by ship:"
    yield table(("who", *roles), ([who, *(f"{counts[role]}" for role in roles)] for who, counts in wrong.items()))
    if "not_there" in answer:
        yield f"Not measured: MovingPandas: {answer['not_there']}."


def stop_table(size: worlds.Size) -> Iterator[str]:
    """Stops and slow hours: ships at anchor, adrift, slow, silent under way."""
    world = worlds.stops(SEED + 20, size)
    found = {
        f"{OURS}: loitering": ours(world, "loitering"),
        f"{OURS}: stationary periods of 4 h": stationary(world),
        f"{BASELINE}: loitering": baseline(world, "loitering"),
    }
    ways = {
        ("movingpandas", "stops_1km"): "stops of 4 h within 1 km",
        ("movingpandas", "stops_5km"): "stops of 4 h within 5 km",
        ("skmob", "stays_500m"): "stays of 4 h within 0.5 km",
        ("skmob", "stays_2500m"): "stays of 4 h within 2.5 km",
    }
    missing = []
    for (key, way), words in ways.items():
        events, answer = peer(world, key, way)
        if "not_there" in answer:
            missing.append(f"{EVENT_PEERS[key].name}, {words}: {answer['not_there']}")
        else:
            found[f"{EVENT_PEERS[key].name} {answer['version']}: {words}"] = events
    both = [*world.truth["anchored"], *world.truth["loitering"]]
    rows = []
    for who, events in found.items():
        parts = [Score(world.truth[k], events, world.scene, world.vessel_days) for k in ("anchored", "loitering")]
        score = Score(both, events, world.scene, world.vessel_days)
        wrong = by_role(score.wrong, world.role)
        rows.append(
            [who, *(cell(s.rate(name)) for s in parts for name in ("recall", "iou"))]
            + [cell(score.rate("precision")), cell(score.rate("fragments"))]
            + [f"{wrong[role]}" for role in ("silent under way", "slow steaming")]
        )
    yield f"{len(world.fixes):,} fixes; {size.stops} ships of each kind."
    header = ("who", "anchored: recall", "time-IoU", "adrift: recall", "time-IoU", "precision", "pieces per event")
    yield table((*header, "silences called a stop", "slow ships called one"), rows)
    if missing:
        yield "Not measured: " + "; ".join(missing) + "."


def port_table(size: worlds.Size) -> Iterator[str]:
    """Port calls beside passers and waits in the roads."""
    world, places = worlds.ports(SEED + 30, size)
    found = {OURS: ours(world, "port_call"), BASELINE: baseline(world, "port_call", places)}
    yield f"{len(places)} ports, {len(world.fixes):,} fixes."
    yield table(HEADER, (row("port_call", w, world.truth["port_call"], e, world) for w, e in found.items()))
    yield "Others than those injected, by what the ship did:"
    roles = sorted({*world.role.values()} - {"port call"})
    wrong = {
        who: by_role(Score(world.truth["port_call"], e, world.scene, world.vessel_days).wrong, world.role)
        for who, e in found.items()
    }
    yield table(
        ("who", "calls, again", *roles), ([w, c["port call"], *(c[r] for r in roles)] for w, c in wrong.items())
    )


def run(quick: bool) -> Iterator[str]:
    """The tables of this part, as text; the pictures are written too, unless it is only a quick look."""
    sizes = (sweeps.QUICK, worlds.QUICK) if quick else (sweeps.FULL, worlds.FULL)
    done = {name: sweeps.sweep(name, SEED + 100, *sizes) for name in TITLES}
    yield "### Targets"
    yield table(("what", "target", OURS, f"{BASELINE}, here", "GFW's code, reference"), targets(done, sizes[1]))
    yield "### All kinds together"
    yield from everything(sizes[1])
    for title, blocks in (
        ("Silences", silence_table(sizes[1])),
        ("Stops", stop_table(sizes[1])),
        ("Port calls", port_table(sizes[1])),
    ):
        yield f"### {title}"
        yield from blocks
    for name, title in TITLES.items():
        yield f"### {title}"
        yield sweep_table(done[name])
    if not quick:
        for path in pictures(done, AIMS):
            yield f"{path}"
