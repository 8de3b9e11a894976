"""Positions to events and nothing else: `luxwake detect`; and how many there would be: `luxwake tune`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import InputError, UsageError
from luxwake.console import Console, print_json_lines

if TYPE_CHECKING:
    from ais.table import Fixes
    from detectors.event import Events
    from geo.anchorages import Anchorages

RECORD = "detect.json"
"""The file beside the events that says with what they were found."""
STEPS = (0.25, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 4.0)
"""What `tune` multiplies a threshold by where no values are given."""
_BAR = 40
FILES = {"registry": "identity", "stations": "false_position"}
"""Parameters that are paths, and whose they are; a record has the digest of the file instead."""


@dataclass(slots=True)
class Job:
    """What `luxwake detect` and `luxwake tune` were asked for."""

    inputs: Sequence[str | Path]
    out: str | Path = "out"
    detectors: Sequence[str] | None = None
    params: Mapping[str, Any] | None = None
    anchorages: str | Path | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    """Those of `FILES` that were given, by name of the parameter."""
    t_from: int | None = None
    t_to: int | None = None
    columns: Mapping[str, str] | None = None
    keep_fixes: bool = False
    threads: int = 2


def settings(
    file: str | Path | None,
    words: Sequence[str],
    *,
    files: Mapping[str, str] | None = None,
    detectors: Sequence[str] | None = None,
) -> dict[str, Any]:
    """The parameters that a command was given: those of a TOML file, and single ones as ``dark.min_gap_s=43200``.

    A preset among the single ones takes the place of the file's values; what is named beside it changes it, before or
    after. `files` are those of `FILES`, by name.

    Raises
    ------
    UsageError
        For what `params_of` refuses, and a single one of a detector that `detectors` do not run.
    """
    from dataclasses import asdict

    from detectors.registry import detector_class
    from detectors.settings import params_of, parse_setting, read_params

    given = {name: asdict(params) for name, params in (read_params(file) if file is not None else {}).items()}
    singles = [*map(parse_setting, words), *((FILES[name], name, path) for name, path in (files or {}).items())]
    run = _run_with(detectors)
    for detector, name, value in sorted(singles, key=lambda setting: setting[1] != "preset"):
        if detector_class(detector).name not in run:
            raise UsageError(
                f"{detector}.{name} is set, but only {', '.join(run)} run; leave it out, or choose {detector} too"
            )
        own = given.setdefault(detector, {})
        if name == "preset":
            own.clear()
        own[name] = value
    return params_of(given)


def _run_with(detectors: Sequence[str] | None) -> list[str]:
    """The detectors that run where these are chosen: they, and those that they need."""
    from detectors.registry import registered, with_needs

    return with_needs(list(registered() if detectors is None else detectors))


def _note_unused(job: Job, console: Console) -> None:
    """Say which parameters have no part in a job: a file may have those of all detectors."""
    from detectors.registry import detector_class

    run = _run_with(job.detectors)
    for name, own in (job.params or {}).items():
        if name not in run and own != detector_class(name).Params():
            console.note(f"parameters of {name} are not used: only {', '.join(run)} run")


def run_detect(job: Job, console: Console) -> dict[str, Any]:
    """Find events, write them into `job.out`, print tables; the summary that `--json` prints last."""
    from luxwake.geojson import write_events_geojson
    from luxwake.run import Stages, digest
    from luxwake.store import staged, write_parquet

    stages = Stages(console)
    _note_unused(job, console)
    with staged(job.out) as stage:
        fixes, paths, anchorages = read_positions(job, stages, console)
        with stages("detect") as detail:
            events = _detect(job, fixes, anchorages)
            detail.append(f"{len(events):,} events of {len(events.vessels) if events.vessels else 0:,} vessels")
        write_parquet(events, stage / "events.parquet")
        if events.identity is not None:
            write_parquet(events.identity, stage / "identity.parquet")
        write_events_geojson(events, stage / "events.geojson")
        record = {"parameters": events.params, "inputs": [digest(path) for path in paths], "not_used": events.counts}
        text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        (stage / RECORD).write_text(text + "\n", encoding="utf-8")
        if job.keep_fixes:
            write_parquet(fixes, stage / "fixes.parquet")
        names = sorted(path.name for path in stage.iterdir())
    files = [str(Path(job.out) / name) for name in names]
    summary = {"events": len(events), "no_event": events.counts, "files": files}
    if not (console.json or console.quiet):
        console.counts("Not used of the input", fixes.counts)
        console.counts("Rows and events left out by the detectors", events.counts)
    if not console.quiet:
        console.events(events)
    if console.json:
        print_json_lines([{"type": "summary", **summary}])
    else:
        console.note("written: " + ", ".join(files))
    return summary


def read_positions(job: Job, stages: Any, console: Console) -> tuple[Fixes, list[Path], Anchorages | None]:
    """The positions of a job in their time, the paths of its inputs, and its anchorages."""
    from ais.sources import expand
    from geo.anchorages import Anchorages
    from luxwake.run import Job as RunJob
    from luxwake.run import read_inputs

    if job.t_from is not None and job.t_to is not None and job.t_from >= job.t_to:
        raise UsageError("--from is not before --to; swap them")
    paths = expand(list(job.inputs), columns=job.columns)
    anchorages = Anchorages.load(job.anchorages) if job.anchorages is not None else None
    asked = RunJob(job.inputs, t_from=job.t_from, t_to=job.t_to, columns=job.columns)
    return read_inputs(asked, paths, stages, console), paths, anchorages


def _detect(job: Job, fixes: Fixes, anchorages: Anchorages | None) -> Events:
    from detectors.detect import detect

    return detect(fixes, job.detectors, job.params, anchorages=anchorages, threads=job.threads)


def print_detectors(console: Console) -> None:
    """Every detector with its parameters, each with unit and source: a TOML file to begin with."""
    from detectors.registry import registered
    from detectors.settings import params_text, thresholds

    if console.json:
        print_json_lines(
            {"detector": name, "kinds": list(detector.kinds), "facts": list(detector.facts), "parameters": {
                one.name: {"default": one.default, "source": one.source} for one in thresholds(name)
            }}
            for name, detector in registered().items()
        )  # fmt: skip
    else:
        print(params_text(), end="")


def run_tune(job: Job, place: str, values: Sequence[float] | None, console: Console) -> None:
    """How the number of events moves with one threshold, the others as given."""
    from detectors.registry import detector_class
    from detectors.settings import params_of, thresholds
    from luxwake.run import Stages

    detector, dot, name = place.partition(".")
    kind = detector_class(detector)
    known = [one.name for one in thresholds(detector)]
    if not dot or name not in known:
        raise UsageError(f"{place!r} is no threshold; {detector} has {', '.join(known)}; write {detector}.{known[0]}")
    own = params_of(job.params).get(detector) or kind.Params()
    now = getattr(own, name)
    if isinstance(now, bool) or not isinstance(now, int | float):
        raise UsageError(f"{place} = {now!r} is no number; it cannot be moved")
    job = replace(job, detectors=[detector])
    _note_unused(job, console)
    wanted = sorted({type(now)(value) for value in _finite(place, values) or [now * step for step in STEPS]})
    tried = _in_range(detector, own, name, wanted, console)
    fixes, _, anchorages = read_positions(job, Stages(console), console)
    rows = list(_tuned(job, fixes, anchorages, (detector, name), tried, console))
    most = max((row[1] for row in rows), default=0)
    names = (name, "events", *kind.kinds, "ships", "hours", "")
    shown = [
        (*row, ("#" * round(_BAR * row[1] / most) if most else "") + (" <- now" if row[0] == now else ""))
        for row in rows
    ]
    console.table(f"{detector}: events by {name}", names, shown)


def _finite(place: str, values: Sequence[float] | None) -> Sequence[float]:
    """The values to try; UsageError where one cannot be a threshold."""
    from detectors.settings import MOST

    for value in values or ():
        if not -MOST <= value <= MOST:
            raise UsageError(f"--values {value:g}: {place} is no number from -1e9 to 1e9 then; give one")
    return values or ()


def _in_range(detector: str, own: Any, name: str, values: Sequence[float], console: Console) -> list[Any]:
    """The parameters with each value of a threshold; values out of range are noted, UsageError where all are."""
    from detectors.settings import params_of

    tried, left_out = [], []
    for value in values:
        try:
            tried.append(params_of({detector: replace(own, **{name: value})})[detector])
        except UsageError as error:
            left_out.append(f"{name} = {value:g}: {error}")
    if not tried:
        raise UsageError(f"no value of --values can be {detector}.{name}; {left_out[0]}")
    for text in left_out:
        console.note(f"left out {text}")
    return tried


def _tuned(
    job: Job, fixes: Fixes, anchorages: Anchorages | None, threshold: tuple[str, str], tried: Sequence[Any],
    console: Console,
) -> Iterator[tuple[Any, ...]]:  # fmt: skip
    """(value, events, of each kind, ships, hours) for each value of a threshold."""
    import numpy as np

    from detectors.registry import detector_class, kind_code

    detector, name = threshold
    with console.progress("detecting", len(tried)) as progress:
        for own in tried:
            progress.advance()
            events = _detect(replace(job, params={**(job.params or {}), detector: own}), fixes, anchorages)
            kinds = [
                int(np.count_nonzero(events["kind"] == kind_code(kind))) for kind in detector_class(detector).kinds
            ]
            hours = float((events["t_end"] - events["t_start"]).sum()) / 3.6e9
            yield getattr(own, name), len(events), *kinds, len(set(events["mmsi"].tolist())), round(hours, 1)


def found_with(folder: str | Path, files: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The parameters with which the events of a folder were found, by detector; `files` as in `Job`.

    Raises
    ------
    InputError
        When neither `luxwake detect` nor `luxwake run` has written into the folder.
    UsageError
        When a file of the run is not given, is another, or is given where the run had none.
    """
    from detectors.settings import params_of

    for name in (RECORD, "findings.json"):
        path = Path(folder) / name
        if path.is_file():
            try:
                said = json.loads(path.read_text(encoding="utf-8"))["parameters"]
                given = {detector: dict(own) for detector, own in said.items() if detector in _names()}
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                raise InputError(f"{path}: holds no parameters; run `luxwake detect` again") from None
            try:
                found = params_of({detector: _of_this_version(detector, own) for detector, own in given.items()})
            except UsageError as error:
                raise InputError(f"{path}: {error}; run `luxwake detect` again") from None
            return _with_files(found, files or {})
    raise InputError(f"{folder}: no {RECORD} and no findings.json; give a folder that `luxwake detect` or `run` wrote")


def _with_files(params: dict[str, Any], files: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of a record with the paths of its files, once they are seen to be the same, for the digests."""
    from detectors.registry import detector_class

    made = dict(params)
    for name, detector in FILES.items():
        digest = getattr(params.get(detector), name, None)
        if bool(digest) != (name in files):
            what = (
                f"the run had a file of {name}; give it as" if digest else f"the run had no file of {name}; leave out"
            )
            raise UsageError(f"{what} --{name} {files.get(name, 'FILE')}")
        if digest:
            made[detector] = replace(params[detector], **{name: files[name]})
            if detector_class(detector)(made[detector]).params_dict()[name] != digest:
                raise UsageError(
                    f"--{name} {files[name]} is not the file of the run, whose digest is {digest}; give that"
                )
    return made


def _names() -> Iterable[str]:
    from detectors.registry import registered

    return registered()


def _of_this_version(detector: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """The thresholds of a detector as a run recorded them; UsageError where one of this version is missing."""
    from detectors.settings import thresholds

    for one in thresholds(detector):
        if one.name not in said:
            raise UsageError(f"{detector}: {one.name} is missing, as in a record of another version")
    return {one.name: said[one.name] for one in thresholds(detector)}
