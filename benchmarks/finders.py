"""Who finds events in an injected world: our detectors, the rules of `gfw_rules`, and peers in their own environments.

All that is known here of a detector is its name, the kinds of event that it gives, and the columns `label` and
`behaviour`, which are used where they exist. Whatever changes inside a detector changes nothing here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import luxwake as lw
from benchmarks import gfw_rules
from benchmarks.injection import World
from benchmarks.peers import ask
from benchmarks.scoring import Found
from detectors.event import KINDS

OURS, BASELINE = "Luxwake", "GFW rules"
KINDS_OF = {
    "rendezvous": ("rendezvous",),
    "loitering": ("loitering", "waiting"),
    "dark": ("dark",),
    "silence": ("dark", "gap"),
    "port_call": ("port_call",),
}
"""What is asked for, to the kinds of event that answer it."""
DETECTOR_OF = {"silence": "dark"}
LABEL_COLUMNS = ("label", "behaviour")
"""Columns in which a detector says what its event may be instead."""
NO_LABEL = ("", "none", "unknown", "drifting", "unclear", "observed", "inferred")
"""Words that do not say that the event is something else: a drift is loitering, an observed call is a call."""


def ours(world: World, what: str) -> list[Found]:
    """Events of `lw.detect` with default parameters."""
    return found_in(lw.detect(world.fixes, [DETECTOR_OF.get(what, what)]), what)


def found_in(events: Any, what: str) -> list[Found]:
    """The events of a table that answer what is asked for."""
    kinds = [KINDS.index(kind) for kind in KINDS_OF[what] if kind in KINDS]
    part = events.take(np.isin(events["kind"], kinds))
    columns = [part[name].tolist() for name in ("mmsi", "other", "t_start", "t_end")]
    return [
        Found((min(a, b), max(a, b)) if what == "rendezvous" else a, start / 1e6, end / 1e6, label)
        for a, b, start, end, label in zip(*columns, labels(part), strict=True)
    ]


def labels(events: Any) -> list[str]:
    """The word in the first of the label columns that there is; empty where it says nothing."""
    for name in LABEL_COLUMNS:
        if name in list(events):
            column, words = events[name].tolist(), events.words.get(name, ())
            texts = [str(words[value]) if isinstance(value, int) and words else _text(value) for value in column]
            return ["" if text in NO_LABEL else text for text in texts]
    return [""] * len(events)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def stationary(world: World, hours: float = 4.0) -> list[Found]:
    """Our stationary periods of so many hours."""
    from detectors.stationary import StationaryParams

    stays = lw.stationary_periods(world.fixes, StationaryParams(min_stay_s=round(hours * 3600)))
    columns = (stays[name].tolist() for name in ("mmsi", "t_start", "t_end"))
    return [Found(who, start / 1e6, end / 1e6) for who, start, end in zip(*columns, strict=True)]


def baseline(world: World, what: str, ports: Sequence[tuple[float, float]] = ()) -> list[Found]:
    """Events by the rules of `gfw_rules`: of true ships, except silences, which are those of an MMSI."""
    mmsi = world.fixes["mmsi"]
    if what in ("silence", "dark"):
        hours = 6.0 if what == "silence" else 12.0
        return [Found(*gap) for gap in gfw_rules.gaps(gfw_rules.rows_of(world.fixes, mmsi), hours * 3600.0)]
    rows = gfw_rules.rows_of(world.fixes, world.ship)
    name = dict(zip(world.ship.tolist(), mmsi.tolist(), strict=True))
    if what == "rendezvous":
        pairs = gfw_rules.encounters(rows)
        return [Found(tuple(sorted((name[e.who[0]], name[e.who[1]]))), e.start, e.end) for e in pairs]
    found = gfw_rules.loitering(rows) if what == "loitering" else gfw_rules.port_visits(rows, *zip(*ports, strict=True))
    return [Found(name[e.who], e.start, e.end) for e in found]


def peer(world: World, key: str, way: str) -> tuple[list[Found], dict[str, Any]]:
    """Events of a peer that is given MMSI, time and position, and what else it said (`version`, `not_there`)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fixes.npy"
        np.save(path, _points(world))
        answer = ask(key, way, str(path))
    return [Found(int(who), start, end) for who, start, end in answer.pop("events", [])], answer


def _points(world: World) -> NDArray[np.float64]:
    f = world.fixes
    rows = np.stack([f["mmsi"].astype(float), f["t"] / 1e6, f["lat"], f["lon"]])
    return rows[:, np.lexsort((rows[1], rows[0]))]
