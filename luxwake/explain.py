"""Why an event is one: definition, thresholds, positions, a plot, and what would have changed the verdict."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import InputError, UsageError
from luxwake.console import Console, print_json_lines

if TYPE_CHECKING:
    from ais.table import Fixes
    from detectors.event import Events
    from geo.anchorages import Anchorages
    from luxwake.detect import Job

SHOWN_FIXES = 6
"""Positions shown from the beginning and from the end of an event."""
MARGIN = 0.25
"""Share of an event's length that is looked at before and after it."""
_LEVELS = " ▁▂▃▄▅▆▇█"
_PLOT_COLUMNS = 72
_FIX_COLUMNS = ("t", "mmsi", "lat", "lon", "sog", "cog", "heading", "nav_status", "source", "offset")


@dataclass(slots=True)
class Explanation:
    """All that is known of one event, as plain data.

    `event` has its columns as JSON holds them, `definition` the text of its detector, `thresholds` rows of (name,
    value, default, unit and source), `fixes` the positions of its ships from a little before to a little after, `flips`
    what would have changed the verdict (`detectors.verdict.Flip`).
    """

    event: dict[str, Any]
    detector: str
    verdict: str
    definition: str
    thresholds: list[tuple[str, Any, Any, str]]
    fixes: Fixes
    span: tuple[int, int]
    flips: list[Any] = field(default_factory=list)


def explain(
    event_id: str,
    fixes: Fixes,
    events: Events | None = None,
    *,
    params: Mapping[str, Any] | None = None,
    anchorages: Anchorages | None = None,
    what_if: bool = True,
    progress: Any = None,
) -> Explanation:
    """Explain one event by the positions in which it was found.

    Parameters
    ----------
    event_id : str
        The id of the event, or its first digits if no other begins so.
    fixes : Fixes
        The positions that were given to `detect`.
    events : Events
        What was found; found again where it is not given.
    params, anchorages
        As they were given to `detect`.
    what_if : bool
        Whether to run the detector again with other thresholds, for what would have changed the verdict.

    Raises
    ------
    UsageError
        When there is no event of that id, or several.

    >>> import luxwake as lw
    >>> fixes = lw.read("fixtures/flagship/track.nmea.zst")
    >>> events = lw.detect(fixes, ["dark"])
    >>> mine = events.take(events["mmsi"] == 671999101)
    >>> explain(str(mine["id"][0]), fixes, events, what_if=False).verdict
    'dark'
    """
    from detectors.detect import detect
    from detectors.verdict import detector_of, flips, verdict_of
    from luxwake.geojson import event_properties

    if events is None:
        events = detect(fixes, params=params, anchorages=anchorages)
    row = row_of(events["id"].tolist(), event_id)
    name = detector_of(events, row)
    start, end = int(events["t_start"][row]), int(events["t_end"][row])
    margin = max(round(MARGIN * (end - start)), 3_600_000_000)
    ships = [int(events["mmsi"][row]), *([int(events["other"][row])] if events["other"][row] else [])]
    seen = [ship in ships for ship in fixes["mmsi"].tolist()] if len(fixes) < 1000 else _among(fixes, ships)
    near = fixes.take((fixes["t"] >= start - margin) & (fixes["t"] <= end + margin) & seen)
    return Explanation(
        event=next(event_properties(events.take(slice(row, row + 1)))),
        detector=name,
        verdict=verdict_of(events, row),
        definition=definition_of(name),
        thresholds=threshold_rows(name, params),
        fixes=near,
        span=(start, end),
        flips=flips(fixes, events, row, params, anchorages=anchorages, progress=progress or (lambda: None))
        if what_if
        else [],
    )


def _among(fixes: Fixes, ships: Sequence[int]) -> Any:
    import numpy as np

    return np.isin(fixes["mmsi"], ships)


def row_of(ids: Sequence[str], wanted: str) -> int:
    """The row of the one id that is, or begins with, these digits.

    >>> row_of(["00ff", "01ff"], "01")
    1
    """
    rows = [row for row, name in enumerate(ids) if wanted and name.startswith(wanted.lower())]
    if len(rows) != 1:
        what = f"{len(rows)} events begin with" if rows else "no event has the id"
        raise UsageError(f"{what} {wanted!r}; the ids stand in the column id of events.parquet")
    return rows[0]


def definition_of(detector: str) -> str:
    """The definition of what a detector finds, as its module states it."""
    from detectors.registry import detector_class

    module = inspect.getmodule(detector_class(detector))
    return inspect.cleandoc((module.__doc__ if module is not None else None) or detector_class(detector).__doc__ or "")


def threshold_rows(detector: str, params: Mapping[str, Any] | None) -> list[tuple[str, Any, Any, str]]:
    """(name, value, default, unit and source) of each parameter of a detector."""
    from detectors.registry import detector_class
    from detectors.settings import params_of, thresholds

    own = params_of(params).get(detector) or detector_class(detector).Params()
    return [(one.name, getattr(own, one.name), one.default, one.source) for one in thresholds(detector)]


def speed_line(t: Sequence[int], sog_kn: Sequence[float], span: tuple[int, int]) -> list[str]:
    """The speed over time as two lines of text: a bar for each part of the time, and below it where the event lies.

    A dot stands where nothing was heard.

    >>> speed_line([0, 50, 100], [0.0, 5.0, 10.0], (40, 100))[1].count("=")
    43
    """
    first, last = min(*t, span[0]), max(*t, span[1])
    width = max(1, last - first)
    sums: list[list[float]] = [[] for _ in range(_PLOT_COLUMNS)]
    for when, speed in zip(t, sog_kn, strict=True):
        if speed == speed:
            sums[min(_PLOT_COLUMNS - 1, (when - first) * _PLOT_COLUMNS // width)].append(speed)
    means = [sum(part) / len(part) if part else None for part in sums]
    most = max((mean for mean in means if mean is not None), default=0.0) or 1.0
    bars = "".join("·" if mean is None else _LEVELS[max(1, round(8 * mean / most))] for mean in means)
    edges = [first + width * (k + 0.5) / _PLOT_COLUMNS for k in range(_PLOT_COLUMNS)]
    below = "".join("=" if span[0] <= edge <= span[1] else "-" for edge in edges)
    return [f"{bars}  0 to {most:.1f} kn", below]


def run_explain(event_id: str, folder: str | Path, job: Job, plot: str | Path | None, console: Console) -> None:
    """The command `luxwake explain`: from the folder of a run, and its positions and files as `job` names them."""
    from luxwake.detect import found_with, read_positions
    from luxwake.run import Stages

    params = found_with(folder, job.files)
    kept = Path(folder) / "fixes.parquet"
    if not job.inputs and not kept.is_file():
        raise UsageError(
            f"give the inputs after {folder}: it has no fixes.parquet (`luxwake detect --fixes` keeps one)"
        )
    wanted = _full_id(folder, event_id)
    fixes, _, anchorages = read_positions(replace(job, inputs=job.inputs or [kept]), Stages(console), console)
    from detectors.detect import detect
    from detectors.registry import registered

    with console.progress("moving thresholds", None) as progress:
        events = detect(fixes, [name for name in registered() if name in params] or None, params, anchorages=anchorages)
        if wanted not in events["id"]:
            raise UsageError(
                f"event {wanted} is not found in these positions; give the run's inputs, and --anchorages, --columns, "
                "--from and --to if it had"
            )
        told = explain(wanted, fixes, events, params=params, anchorages=anchorages, progress=progress.advance)
    if plot is not None:
        from luxwake.explain_plot import write_plot

        write_plot(told, plot)
    _print(told, console)


def _full_id(folder: str | Path, event_id: str) -> str:
    """The id in the events of a folder that begins with these digits."""
    from luxwake.store import query

    if not (Path(folder) / "events.parquet").is_file():
        raise InputError(f"{folder}: no events.parquet; give a folder that `luxwake detect` or `luxwake run` wrote")
    try:
        ids = query(folder, "select id from events order by id")["id"].to_pylist()
    except UsageError:
        raise InputError(f"{folder}/events.parquet: no column id; give a folder that `luxwake detect` wrote") from None
    return str(ids[row_of(ids, event_id)])


def _print(told: Explanation, console: Console) -> None:
    from luxwake.geojson import iso_utc

    flips = [{"threshold": f.threshold, "value": f.value, "at": f.at, "verdict": f.verdict} for f in told.flips]
    fixes = [dict(zip(_FIX_COLUMNS, row, strict=True)) for row in _fix_rows(told)]
    if console.json:
        names = ("name", "value", "default", "source")
        made = {
            "type": "explanation", "event": told.event, "detector": told.detector, "verdict": told.verdict,
            "definition": told.definition, "flips": flips, "fixes": fixes,
            "thresholds": [dict(zip(names, row, strict=True)) for row in told.thresholds],
        }  # fmt: skip
        print_json_lines([made])
        return
    print(f"{told.verdict.replace('_', ' ')}: {told.event['id']}\n\n{told.definition}\n")
    for name, value, default, source in told.thresholds:
        changed = "" if value == default else f" (default: {default})"
        print(textwrap.fill(f"{name} = {value}{changed}: {source}", 110, subsequent_indent="    "))
    print()
    known = [(name, value) for name, value in told.event.items() if value is not None]
    console.table("What is known of it", ("", "value"), [(name, str(value)) for name, value in known])
    inside = [one for one in fixes if told.span[0] <= one["t"] <= told.span[1]]
    shown = inside if len(inside) <= 2 * SHOWN_FIXES else inside[:SHOWN_FIXES] + inside[-SHOWN_FIXES:]
    inputs = ", ".join(sorted({str(one["source"]) for one in inside}))
    columns = [name for name in _FIX_COLUMNS if name != "source"]
    rows = [[iso_utc(one[name]) if name == "t" else one[name] for name in columns] for one in shown]
    console.table(f"Positions: {len(shown)} of {len(inside):,} in it, of {inputs}", columns, rows)
    for ship in sorted({one["mmsi"] for one in fixes}):
        own = [one for one in fixes if one["mmsi"] == ship]
        print(f"speed of {ship} over time, and the event")
        print("\n".join(speed_line([one["t"] for one in own], [_number(one["sog"]) for one in own], told.span)) + "\n")
    moved = [(f.threshold, f.value, "never" if f.at is None else f"{f.at:.4g}", f.verdict) for f in told.flips]
    console.table("What would have changed the verdict", ("threshold", "value", "changes at", "to"), moved)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _fix_rows(told: Explanation) -> list[tuple[Any, ...]]:
    """The positions as plain values: an input by its name, null for what is not available."""
    columns = []
    for name in _FIX_COLUMNS:
        column = told.fixes[name].tolist()
        if name == "source" and told.fixes.sources:
            column = [told.fixes.sources[code] for code in column]
        digits = 7 if name in ("lat", "lon") else 1
        columns.append([round(v, digits) if isinstance(v, float) and v == v else None if v != v else v for v in column])
    return list(zip(*columns, strict=True))
