"""The main job: inputs to events, shipments to findings, and the files that show them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import UsageError
from luxwake.console import Console, print_json_lines

if TYPE_CHECKING:
    from ais.table import Fixes
    from cargo.shipments import Shipments
    from cargo.ships import Ship
    from detectors.event import Events
    from geo.anchorages import Anchorages
    from geo.zones import Zones

MAX_WARNINGS = 20
"""Doubts about shipments that are printed one by one; all are counted."""


@dataclass(slots=True)
class Job:
    """What `luxwake run` was asked for."""

    inputs: Sequence[str | Path]
    shipments: str | Path | None = None
    out: str | Path = "out"
    t_from: int | None = None
    t_to: int | None = None
    area: str | Path | None = None
    zones: Sequence[str | Path] = ()
    crs: str | None = None
    keep_fixes: bool = False
    title: str = "Luxwake report"
    columns: Mapping[str, str] | None = None
    anchorages: str | Path | None = None
    previous: str | Path | None = None
    registry: str | Path | None = None


@dataclass(slots=True)
class Stages:
    """The time of each stage, printed as it ends."""

    console: Console
    seconds: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def __call__(self, name: str) -> Iterator[list[str]]:
        """Time a stage; what is appended to the list is printed beside the seconds."""
        begin, detail = time.perf_counter(), list[str]()
        yield detail
        self.seconds.append((name, time.perf_counter() - begin))
        self.console.stage(name, self.seconds[-1][1], " ".join(detail))


def run_job(job: Job, console: Console) -> dict[str, Any]:
    """Do the job, write its files into `job.out`, print tables; the summary that `--json` prints last."""
    if job.t_from is not None and job.t_to is not None and job.t_from >= job.t_to:
        raise UsageError("--from is not before --to; swap them")
    from ais.sources import expand
    from geo.anchorages import Anchorages
    from luxwake.earlier import compare_with_earlier
    from luxwake.store import staged
    from luxwake.zones import label_events, open_zones

    stages = Stages(console)
    paths = expand(list(job.inputs), columns=job.columns)
    area = open_zones([job.area], job.crs, console) if job.area is not None else None
    anchorages = Anchorages.load(job.anchorages) if job.anchorages is not None else None
    zones = open_zones(job.zones, job.crs, console) if job.zones else None
    if job.previous is not None:
        from cargo.revision import read_findings

        read_findings(job.previous)  # a wrong file must not cost an hour of positions
    with staged(job.out) as stage:
        shipments = _read_shipments(job, stages, console)
        registry = _read_registry(job, console)
        fixes = read_inputs(job, paths, stages, console)
        events = _detect(fixes, area, anchorages, stages)
        if zones is not None:
            label_events(events, zones, [digest(path) for path in zones.sources])
        findings = _join(job, fixes, events, shipments, registry, zones, stages)
        if shipments is not None:
            findings = compare_with_earlier(job.previous, job.out, findings, shipments, events, console)
        with stages("write") as detail:
            names = _write(job, stage, fixes, events, findings)
            detail.append(", ".join(names))
    files = [str(Path(job.out) / name) for name in names]
    _note_older(job, console)
    summary = _summary(fixes, events, findings, files, stages)
    _show(console, fixes, events, findings, summary)
    return summary


def _note_older(job: Job, console: Console) -> None:
    """Say that positions of another run lie beside the new results: a query that joined the two would be wrong."""
    older = Path(job.out) / "fixes.parquet"
    if not job.keep_fixes and older.exists():
        console.note(f"{older} is of an earlier run; remove it, or run with --fixes")


def _read_shipments(job: Job, stages: Stages, console: Console) -> Shipments | None:
    """The shipments, first of all: they are quick to read, and a wrong file must not cost an hour of positions."""
    if job.shipments is None:
        return None
    with stages("shipments") as detail:
        from cargo.shipments import read_shipments

        shipments = read_shipments(job.shipments)
        detail.append(f"{len(shipments):,} rows, {len(shipments.warnings):,} warnings")
    for warning in shipments.warnings[:MAX_WARNINGS]:
        console.note(f"{job.shipments}: {warning}")
    if len(shipments.warnings) > MAX_WARNINGS:
        console.note(f"{job.shipments}: {len(shipments.warnings) - MAX_WARNINGS:,} more warnings")
    return shipments


def _read_registry(job: Job, console: Console) -> list[Ship]:
    """The ships of the register that was given, with its doubts; none where there is none."""
    if job.registry is None:
        return []
    from cargo.registry import read_registry

    ships, warnings = read_registry(job.registry)
    for warning in warnings[:MAX_WARNINGS]:
        console.note(f"{job.registry}: {warning}")
    if len(warnings) > MAX_WARNINGS:
        console.note(f"{job.registry}: {len(warnings) - MAX_WARNINGS:,} more warnings")
    return ships


def read_inputs(job: Job, paths: list[Path], stages: Stages, console: Console) -> Fixes:
    """The positions of a job, with a bar while they are read."""
    with stages("compile") as detail:
        from luxwake.warmup import warm_reader

        detail.append(warm_reader())
    from ais.read import read
    from ais.unpack import file_of

    total = sum(path.stat().st_size for path in {file_of(path) for path in paths if str(path) != "-"})
    with stages("read") as detail, console.progress("reading", total) as progress:
        fixes = read(
            paths,
            t_from=job.t_from,
            t_to=job.t_to,
            progress=lambda _path, n: progress.advance(n),
            columns=job.columns,
        )
        detail.append(f"{sum(one.messages for one in fixes.inputs):,} messages, {len(fixes):,} fixes")
    return fixes


def _detect(fixes: Fixes, area: Zones | None, anchorages: Anchorages | None, stages: Stages) -> Events:
    import numpy as np

    with stages("detect") as detail:
        from detectors.detect import detect

        events = detect(fixes, anchorages=anchorages)
        if area is not None:
            inside = (area.of(events["lat"], events["lon"]) > 0) | (area.of(events["lat_end"], events["lon_end"]) > 0)
            events.counts["event outside the chosen area"] = int(np.count_nonzero(~inside))
            events = events.take(inside)
        detail.append(f"{len(events):,} events of {len(events.vessels) if events.vessels else 0:,} vessels")
    return events


def digest(path: Path, what: str = "") -> dict[str, Any]:
    """What an input was: its name, SHA-256 and size, null for a pipe; and what it was for, where that is told."""
    told = {"what": what} if what else {}
    if str(path) == "-" or not path.is_file():
        return {"file": path.name, "sha256": None, "bytes": None, **told}
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"file": path.name, "sha256": digest, "bytes": path.stat().st_size, **told}


def _join(
    job: Job,
    fixes: Fixes,
    events: Events,
    shipments: Shipments | None,
    registry: Sequence[Ship],
    zones: Zones | None,
    stages: Stages,
) -> dict[str, Any]:
    """The findings as plain data, with the inputs that they rest on."""
    from ais.unpack import file_of
    from luxwake.zones import add_zones

    found: dict[str, Any] = {"findings": []}
    paths = [(file, "positions") for file in dict.fromkeys(map(file_of, events.sources))]  # an archive once
    if job.shipments is not None and shipments is not None:
        with stages("join") as detail:
            from cargo.control import ControlLists
            from cargo.join import join

            found = json.loads(
                join(events, shipments, fixes=fixes, lists=ControlLists.known(), registry=registry).to_json()
            )
            detail.append(f"{len(found['findings']):,} findings")
        paths.append((Path(job.shipments), "shipments"))
        if job.registry is not None:
            paths.append((Path(job.registry), "register"))
    if job.anchorages is not None:
        paths.append((Path(job.anchorages), "anchorages"))
    if zones is not None:
        add_zones(found, events)
        paths += [(path, "zones") for path in zones.sources]
    found["inputs"] = [digest(path, what) for path, what in paths]
    found["parameters"] = {**events.params, **found.get("parameters", {})}
    return found


def _write(job: Job, stage: Path, fixes: Fixes, events: Events, findings: dict[str, Any]) -> list[str]:
    from luxwake.geojson import write_events_geojson
    from luxwake.report import render
    from luxwake.store import write_parquet

    write_parquet(events, stage / "events.parquet")
    if events.identity is not None:
        write_parquet(events.identity, stage / "identity.parquet")
    write_events_geojson(events, stage / "events.geojson")
    text = json.dumps(findings, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (stage / "findings.json").write_text(text + "\n", encoding="utf-8")
    (stage / "report.html").write_text(render(findings, events, fixes, title=job.title), encoding="utf-8")
    if job.keep_fixes:
        write_parquet(fixes, stage / "fixes.parquet")
    return sorted(path.name for path in stage.iterdir())


def _summary(
    fixes: Fixes, events: Events, findings: dict[str, Any], files: list[str], stages: Stages
) -> dict[str, Any]:
    import numpy as np

    from detectors.event import KINDS

    kinds = np.bincount(events["kind"], minlength=len(KINDS))
    return {
        "messages": sum(one.messages for one in fixes.inputs),
        "fixes": len(fixes),
        "vessels": len(events.vessels) if events.vessels is not None else 0,
        "events": {kind: int(n) for kind, n in zip(KINDS, kinds, strict=True) if n},
        "findings": len(findings["findings"]),
        "not_used": fixes.counts,
        "no_event": events.counts,
        "files": files,
        "seconds": {name: round(seconds, 3) for name, seconds in stages.seconds},
    }


def _show(console: Console, fixes: Fixes, events: Events, findings: dict[str, Any], summary: dict[str, Any]) -> None:
    if console.json:
        print_json_lines({"type": "input", **_input_row(one)} for one in fixes.inputs)
    elif not console.quiet:
        console.counts("Not used of the input", fixes.counts)
        console.counts("Rows and events left out by the detectors", events.counts)
    if not console.quiet:
        console.events(events)
        if findings["findings"]:
            console.findings(findings)
    if console.json:
        print_json_lines([{"type": "summary", **summary}])
    else:
        console.note("written: " + ", ".join(summary["files"]))


def _input_row(one: Any) -> dict[str, Any]:
    return {
        "name": one.name,
        "format": one.format,
        "messages": one.messages,
        "fixes": one.fixes,
        "static": one.static,
        "types": {str(kind): n for kind, n in one.types.items()},
        "not_used": one.counts,
    }
