"""Findings against the truth of a trade world: what a false one is made of and where it stands, and what is missed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.cargo_worlds import Joined, is_named, true_ships
from benchmarks.tables import table
from cargo.finding import Finding, Findings
from cargo.join import join
from cargo.voyage import match_ship
from detectors.event import DARK, PORT_CALL
from luxwake.simulate.trade_events import DIVERTED_SCORE
from luxwake.simulate.trade_params import DAY_US

DARK_SCORE = 0.5
"""From this score on `join` takes a silence as dark."""
DIVERTED = "diverted"
BESIDE = "the ship was silent on the way to a port that it skipped, and landed them later"
INNOCENT = "the ship fell silent and went where it should"
LOST = "the call was made and is not on record"
MISTAKEN = "another ship was taken for it"
UNHEARD = "its ship was never heard"
DATED = "the papers date the departure behind the arrival"
OTHER = "other"


class Judged(NamedTuple):
    """A finding: what carries it, what stands behind it, its lower bound, and its rank over the number of findings."""

    kind: str
    cause: str
    lower: float
    share: float


class Held(NamedTuple):
    """The findings of a world held against its truth; diverted goods, and those missed, by what became of their leg."""

    findings: list[Judged]
    vessel_months: float
    missed: dict[str, int]
    diverted: dict[str, int]


def held(one: Joined) -> Held:
    """Join a world, without reach, and hold its findings against the truth."""
    findings = join(one.world.events, one.shipments, reach=False)
    return Held(list(_judge(one, findings)), len(one.fleet.vessels) * 365.0 / 30.4, *_missed(one, findings))


class _Truth:
    """What ships did, by MMSI: silences (from, to, score), and calls on record."""

    def __init__(self, one: Joined) -> None:
        events = one.world.events
        self.silences: dict[int, list[tuple[int, int, float]]] = defaultdict(list)
        dark = (events["kind"] == DARK) & (events["score"] >= DARK_SCORE)
        told = (events[name][dark].tolist() for name in ("mmsi", "t_start", "t_end", "score"))
        for who, t_start, t_end, score in zip(*told, strict=True):
            self.silences[who].append((t_start, t_end, score))
        calls = events["kind"] == PORT_CALL
        self.calls = set(zip(events["mmsi"][calls].tolist(), events["t_start"][calls].tolist(), strict=True))


def _judge(one: Joined, findings: Findings) -> Iterator[Judged]:
    truth, told = one.world.truth, _Truth(one)
    status = {row.id: row.status for row in findings.assessed}
    for finding in findings:
        rows = [number - 1 for leg in finding.chain for number in leg["rows"]]
        cause = DIVERTED if truth["diverted"][rows].any() else _cause(one, told, finding)
        yield Judged(status[finding.id], cause, finding.score.lower, finding.rank / len(findings))


def _cause(one: Joined, told: _Truth, finding: Finding) -> str:
    """What stands behind a finding about goods that were not diverted."""
    causes = set()
    for leg in finding.chain:
        true, taken = one.world.truth[leg["rows"][0] - 1], leg["vessel"]["mmsi"]
        if taken is None:
            continue
        if taken != true.mmsi:
            causes.add(MISTAKEN if true.mmsi else UNHEARD)
            continue
        begin, end = true.t_sail - DAY_US, true.t_end
        silences = [score for t0, t1, score in told.silences[int(true.mmsi)] if t0 <= end and t1 >= begin]
        if silences:
            causes.add(BESIDE if max(silences) >= np.float32(DIVERTED_SCORE) else INNOCENT)
        elif (true.mmsi, true.t_end) not in told.calls:
            causes.add(LOST)
        elif leg["arrived"] is False and np.datetime64(leg["t_depart"][:10], "us").astype(np.int64) > true.t_end:
            causes.add(DATED)
    return next((cause for cause in (MISTAKEN, UNHEARD, BESIDE, INNOCENT, LOST, DATED) if cause in causes), OTHER)


def _missed(one: Joined, findings: Findings) -> tuple[Counter[str], Counter[str]]:
    """Diverted goods of ships heard that no finding is about, and all of them, by what the join made of their leg."""
    truth, chains = one.world.truth, one.chains
    said = {int(truth["consignment"][n - 1]) for finding in findings for leg in finding.chain for n in leg["rows"]}
    true, named = true_ships(one), is_named(one)
    first = chains.table.rows[chains.table.first[:-1]]
    of_leg = truth[one.shipments["row"][first] - 1]
    legs = np.flatnonzero((of_leg["diverted"] > 0) & (true > 0))
    missed, every = Counter[str](), Counter[str]()
    for k, leg in zip(legs.tolist(), chains.table.legs(legs.tolist()), strict=True):
        found = match_ship(one.fleet, leg, one.carriages[k]).mmsis
        taken = "the right ship" if true[k] in found else "another ship" if found else "no ship likely enough"
        words = f"{'a ship named' if named[k] else 'no ship named'}: {taken}"
        every[words] += 1
        missed[words] += int(of_leg["consignment"][k]) not in said
    return missed, every


def found(worlds: Sequence[Held]) -> str:
    """Diverted goods that a finding is about, and false findings by the month of a ship."""
    rows = []
    for world in worlds:
        months = world.vessel_months / 1000.0
        false = [one for one in world.findings if one.cause != DIVERTED]
        dark = [one for one in false if "carried during" in one.kind]
        goods = sum(world.diverted.values())
        rows.append((
            f"{goods:,}", f"{1.0 - sum(world.missed.values()) / goods:.3f}", f"{len(world.findings):,}",
            f"{1.0 - len(false) / len(world.findings):.3f}", f"{len(dark) / months:.1f}",
            f"{(len(false) - len(dark)) / months:.1f}",
        ))  # fmt: skip
    head = ("diverted legs", "found", "findings", "about diverted goods",
            "false, with a silence, per 1,000 vessel-months", "false, only no call on record")  # fmt: skip
    return table(head, rows)


def causes(worlds: Sequence[Held]) -> str:
    """Findings by what carries them and what stands behind them, and where they stand."""
    months = sum(world.vessel_months for world in worlds) / 1000.0
    of: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for world in worlds:
        for one in world.findings:
            of[one.kind, one.cause].append(one)
    rows = []
    for (kind, cause), some in sorted(of.items(), key=lambda item: (item[0][1] != DIVERTED, -len(item[1]))):
        lower = [one.lower for one in some]
        rows.append((
            kind, cause, f"{len(some):,}", f"{len(some) / months:.1f}", f"{np.median(lower):.2f}", f"{max(lower):.2f}",
            f"{sum(one.share <= 1 / 3 for one in some):,}", f"{sum(one > 0.5 for one in lower):,}",
        ))  # fmt: skip
    head = ("carried by", "behind it", "findings", "per 1,000 vessel-months", "lower bound, median", "greatest",
            "in the upper third", "above 0.5")  # fmt: skip
    return table(head, rows)


def signs(worlds: Sequence[Held]) -> str:
    """Findings by what carries them, and how many of each are about diverted goods."""
    of: dict[str, list[bool]] = defaultdict(list)
    for world in worlds:
        for one in world.findings:
            of[one.kind].append(one.cause == DIVERTED)
    rows = [(kind, f"{len(some):,}", f"{np.mean(some):.3f}") for kind, some in of.items()]
    return table(("carried by", "findings", "about diverted goods"), sorted(rows, key=lambda row: -float(row[2])))


def missed(worlds: Sequence[Held]) -> str:
    """Diverted goods by what the papers say of their ship and what the join made of it."""
    lost, every = Counter[str](), Counter[str]()
    for world in worlds:
        lost.update(world.missed)
        every.update(world.diverted)
    rows = [
        (words, f"{n:,}", f"{n - lost[words]:,}", f"{1.0 - lost[words] / n:.3f}") for words, n in every.most_common()
    ]
    return table(("papers of the diverted leg", "legs", "found", "share"), rows)
