"""Every real file beside the checkout (`../shared/data/ais`), each in a process of its own, and all in one call."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.child import ROOT, run_child
from benchmarks.tables import number, table

DATA = ROOT.parent / "shared" / "data" / "ais"


def files() -> dict[str, Any]:
    """The files of AIS data, and those left out with the reason (runs in a process of its own)."""
    from ais.sources import expand

    left_out: list[tuple[Path, str]] = []
    found = expand([DATA], left_out)
    return {"files": [str(path) for path in found], "left_out": [(str(path), why) for path, why in left_out]}


def read_and_detect(paths: list[str]) -> dict[str, Any]:
    """Read and detect in one call each; an input that is refused gives its error (runs in a process of its own)."""
    import numpy as np

    import luxwake as lw
    from ais.status import OK
    from detectors.event import KINDS
    from luxwake.warmup import warm_csv, warm_detectors, warm_reader

    for warm in (warm_reader, warm_csv, warm_detectors):  # compiled before the clock starts
        warm()
    cpu, wall = time.process_time(), time.perf_counter()
    try:
        fixes = lw.read(paths)
        events = lw.detect(fixes)
    except lw.LuxwakeError as error:
        return {"error": str(error).replace(str(DATA.parents[2]), "..")}
    seconds = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    kinds = {KINDS[kind]: int(n) for kind, n in zip(*np.unique(events["kind"], return_counts=True), strict=True)}
    return {
        **seconds,
        "format": ", ".join(sorted({one.format for one in fixes.inputs})),
        "messages": sum(one.messages for one in fixes.inputs),
        "fixes": len(fixes),
        "vessels": int(np.unique(fixes["mmsi"][fixes["status"] == OK]).size),
        "rejects": fixes.counts,
        "unused": events.counts,
        "events": kinds,
    }


def most(counts: Mapping[str, int], n: int = 3) -> str:
    """The `n` greatest counts in words, and how many reasons more there are."""
    ordered = sorted(counts.items(), key=lambda pair: -pair[1])
    words = [f"{reason} {count:,}" for reason, count in ordered[:n]]
    rest = sum(count for _, count in ordered[n:])
    return ", ".join([*words, *([f"others {rest:,}"] if rest else [])]) or "none"


def row(name: str, r: Mapping[str, Any]) -> list[str]:
    """One row of the table."""
    if "error" in r:
        return [name, "refused", "0", "0", "0", r["error"], "", "", "n/a", "n/a", number(r["peak_mb"], 0)]
    return [
        name,
        r["format"],
        *(f"{r[key]:,}" for key in ("messages", "fixes", "vessels")),
        most(r["rejects"]),
        most(r["unused"]),
        most(r["events"], 5),
        number(r["cpu_s"]),
        number(r["wall_s"]),
        number(r["peak_mb"], 0),
    ]


HEADER = (
    "file", "format", "messages", "fixes", "vessels", "not used in reading (top 3)", "not used in detecting (top 3)",
    "events", "CPU s", "wall s", "peak MB",
)  # fmt: skip


def run(quick: bool) -> Iterator[str]:
    """The tables of this part, as text."""
    if not DATA.is_dir():
        yield "Real data are not beside this checkout (`../shared/data/ais`); nothing was run."
        return
    found = run_child("benchmarks.real:files")
    paths = found["files"]
    each = paths[:3] if quick else paths
    jobs = {_short(path): [path] for path in each} | {f"all {len(paths)} files in one call": paths}
    results = {name: run_child("benchmarks.real:read_and_detect", {"paths": job}) for name, job in jobs.items()}
    yield table(HEADER, (row(name, r) for name, r in results.items()))
    yield "Left out, as no AIS data:"
    left_out = ([_short(path), why.rsplit(f"{Path(path).name}: ", 1)[-1]] for path, why in found["left_out"])
    yield table(("file", "why"), left_out)


def _short(path: str) -> str:
    return Path(path).relative_to(DATA).as_posix()
