"""The 22 crafted lines, decoder by decoder: what each gave, beside what the lines say.

The lines stand in `../shared/data/ais/nasty/crafted.json`; what a decoder that tells the truth does with each is
written here, and `tests/test_crafted.py` holds ours to it. A damaged line gives nothing: no ship is made of a guess.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks.child import ROOT
from benchmarks.peers import PEERS, ask
from benchmarks.tables import table

LINES = ROOT.parent / "shared" / "data" / "ais" / "nasty" / "crafted.json"


class Said(NamedTuple):
    """What one message says, of the fields that are compared."""

    type: int
    mmsi: int
    lat: float | None = None
    lon: float | None = None
    name: str | None = None
    destination: str | None = None
    t: float | None = None
    note: str = ""
    """What the decoder says of it besides."""


FIX = Said(1, 227006760, 49.475577, 0.13138)
NORTH = Said(1, 257198000, 70.664715, 23.662507)
A = Said(5, 351759000, name="EVER DIADEM", destination="NEW YORK")
B = Said(5, 227006760, name="EVER DIADEM", destination="NEW YORK")


class Case(NamedTuple):
    """What a decoder that tells the truth makes of a case, and why it may be less than one hopes for."""

    messages: tuple[Said, ...] = ()
    why: str = ""


TRUTH = {
    "ok": Case((FIX,)),
    "bad checksum": Case(why="a byte is wrong, and nobody knows which"),
    "CR only": Case((FIX, FIX)),
    "glued": Case((FIX, FIX)),
    "garbage before": Case((FIX,)),
    "prefix time": Case((FIX._replace(t=1_577_836_800.0),)),
    "suffix ,station,epoch": Case((FIX._replace(t=1_234_567_890.0),)),
    "fill6": Case(why="six fill bits are a whole character: the sentence contradicts itself"),
    "short 96 bits": Case(why="the latitude begins at bit 89 and ends at 116"),
    "long 204 bits": Case((FIX,)),
    "tag block ms": Case((FIX,), "its tag block's checksum is wrong (16, not 4E), so its time is not believed"),
    "B2 talker": Case((NORTH,)),
    "empty channel": Case((FIX,)),
    "channel 1": Case((FIX,)),
    "channel C": Case((FIX,)),
    "no checksum": Case(why="nothing vouches for a single byte"),
    "A1 B1 B2 (A2 lost)": Case((B,)),
    "A1 B2 chimera": Case(why="the parts are of two ships (but nothing in them says so)"),
    "A2 A1": Case((A,)),
    "A1(ch A) B1(ch B) A2(ch A)": Case((A,)),
    "A1(seq1) B1(seq2) A2 B2": Case((A, B)),
    "invalid payload char": Case(why="`[` stands for no six bits"),
}

_NEAR_DEG = 5e-6
"""0.6 m of latitude: positions kept in 32 bits are 0.000004 degrees off, which is not held against their decoder."""


def said(message: Mapping[str, Any]) -> Said:
    """A decoder's message; texts without the padding that some keep, times in seconds."""
    t = message.get("t")
    if t is not None and t > 4e10:
        t /= 1000.0  # given as it stands in the tag block, in milliseconds
    texts = {key: _text(message.get(key)) for key in ("name", "destination")}
    return Said(
        message["type"],
        message["mmsi"],
        message.get("lat"),
        message.get("lon"),
        **texts,
        t=t,
        note=message.get("note", ""),
    )


def _text(value: str | None) -> str | None:
    return value.rstrip("@ ") if value is not None else None


def same(one: Said, other: Said) -> bool:
    """The same but for time and for the last digits of a position."""
    near = all(
        a is b is None or (a is not None and b is not None and abs(a - b) <= _NEAR_DEG)
        for a, b in ((one.lat, other.lat), (one.lon, other.lon))
    )
    beside = {"lat": None, "lon": None, "t": None, "note": ""}
    return near and one._replace(**beside) == other._replace(**beside)


def verdict(found: Sequence[Said], truth: Sequence[Said]) -> str:
    """In words: `right`, or what is wrong."""
    left, faults, n_right = list(found), [], 0
    for one in truth:
        match = next((k for k, other in enumerate(left) if same(other, one)), None)
        if match is None:
            continue
        n_right += 1
        other = left.pop(match)
        if other.t != one.t:
            faults.append("time lost" if other.t is None else "believes the time")
        if other.note:
            faults.append(other.note)
    if n_right < len(truth):
        faults.append("nothing" if not n_right and not left else f"{n_right} of {len(truth)}")
    faults += [f"**false {_short(one)}**" for one in left]
    return ", ".join(dict.fromkeys(faults)) or "right"


def _short(one: Said) -> str:
    """A message that should not be there."""
    return (
        f"type {one.type} of {one.mmsi}"
        + (f", lat {one.lat:.6f}" if one.lat is not None else "")
        + (f", {one.note}" if one.note else "")
    )


def run(quick: bool) -> Iterator[str]:
    """The table, as text."""
    if not LINES.is_file():
        yield f"The lines are not beside this checkout (`../{LINES.relative_to(ROOT.parent)}`); nothing was run."
        return
    lines = LINES.read_text(encoding="utf-8")
    answers = {key: ask(key, "crafted", given=lines) for key in PEERS}
    there = {key: answer for key, answer in answers.items() if "cases" in answer}
    rows = []
    for name in json.loads(lines):
        case = TRUTH[name]
        truth = f"{len(case.messages) or 'nothing'}" + (f": {case.why}" if case.why else "")
        cells = [
            verdict([said(m) for m in answer["cases"][name] if "mmsi" in m], case.messages) for answer in there.values()
        ]
        rows.append([f"`{name}`", truth, *cells])
    yield table(["case", "messages", *(f"{PEERS[key].name} {there[key]['version']}" for key in there)], rows)
    right = [f"{PEERS[key].name} {sum(row[2 + k] == 'right' for row in rows)}" for k, key in enumerate(there)]
    yield f"Right in every respect, of {len(rows)}: {', '.join(right)}."
    if missing := [f"{PEERS[key].name} ({answers[key]['not_there']})" for key in answers.keys() - there.keys()]:
        yield f"Not run: {', '.join(sorted(missing))}."
