"""The command `luxwake anchorages`: positions to the places where many different ships lie still."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import OutputError, UsageError
from luxwake.console import Console, print_json_lines
from luxwake.run import Job, Stages, read_inputs

if TYPE_CHECKING:
    from ais.table import Fixes
    from detectors.stationary import StationaryParams
    from geo.anchorages import Anchorage, Anchorages
    from geo.anchoring import AnchorageParams

MAX_ROWS = 40
"""Anchorages printed one by one; all are written."""
MOST_HOURS = 87_600
"""Ten years."""
HEAD = ("name", "kind", "ships", "periods", "median stay h", "lat", "lon", "from port km", "bearing")
_POINTS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


@dataclass(slots=True)
class Search:
    """What `luxwake anchorages` was asked for."""

    inputs: Sequence[str | Path]
    out: str | Path = "anchorages.geojson"
    min_ships: int | None = None
    min_stay_h: float | None = None
    t_from: int | None = None
    t_to: int | None = None
    columns: dict[str, str] | None = None


def find_anchorages(
    fixes: Fixes, params: AnchorageParams | None = None, stationary: StationaryParams | None = None
) -> Anchorages:
    """Anchorages from fixes of any order: stationary periods, and where many different ships have them.

    >>> from ais.table import Fixes
    >>> len(find_anchorages(Fixes({})))
    0
    """
    from detectors.stationary import stationary_periods
    from geo.anchoring import discover

    periods = stationary_periods(fixes, stationary)
    return discover(periods.columns, params, made_with=periods.params)


def run_anchorages(search: Search, console: Console) -> None:
    """Read, find, write and print."""
    from ais.sources import expand
    from detectors.stationary import StationaryParams, stationary_periods
    from geo.anchoring import AnchorageParams, discover

    params, stay = AnchorageParams(), StationaryParams()
    if search.min_ships is not None:
        params = replace(params, min_ships=search.min_ships, near_ships=min(params.near_ships, search.min_ships))
    if search.min_stay_h is not None:
        if not 0.001 <= search.min_stay_h <= MOST_HOURS:
            raise UsageError(f"--min-stay-h must be 0.001 to {MOST_HOURS:,} hours, not {search.min_stay_h:g}")
        stay = replace(stay, min_stay_s=round(search.min_stay_h * 3600))
    if search.t_from is not None and search.t_to is not None and search.t_from >= search.t_to:
        raise UsageError("--from is not before --to; swap them")
    if not Path(search.out).absolute().parent.is_dir():
        raise OutputError(f"{search.out}: there is no such folder to write in; make it or choose another")
    stages = Stages(console)
    paths = expand(list(search.inputs), columns=search.columns)
    job = Job(search.inputs, t_from=search.t_from, t_to=search.t_to, columns=search.columns)
    fixes = read_inputs(job, paths, stages, console)
    with stages("stationary") as detail:
        periods = stationary_periods(fixes, stay)
        ships = len(set(periods["mmsi"].tolist()))
        detail.append(f"{len(periods):,} periods of {stay.min_stay_s / 3600:g} h and more, {ships:,} ships")
    with stages("anchorages") as detail:
        found = discover(periods.columns, params, made_with=periods.params)
        detail.append(f"{len(found):,} places of {params.min_ships:,} ships and more")
    found.save(search.out)
    _show(found, console)
    if not found:
        most = discover(periods.columns, replace(params, min_ships=params.near_ships))
        largest = most[0].ships if most else 0
        console.note(
            f"the most different ships that lay still near each other: {largest or f'under {params.near_ships}'}; "
            "give more days, or a lower --min-ships or --min-stay-h"
        )
    console.note(f"written: {search.out}; give it to `luxwake run --anchorages`")


def _show(found: Anchorages, console: Console) -> None:
    """The table, or one JSON object an anchorage."""
    if console.json:
        print_json_lines({"type": "anchorage", **plain} for plain in map(_plain, found))
        print_json_lines([{"type": "summary", "anchorages": len(found), "digest": found.digest, **found.params}])
    elif not console.quiet:
        shown = found[:MAX_ROWS]
        title = "Anchorages" if len(shown) == len(found) else f"The {len(shown)} of {len(found):,} with most ships"
        console.table(title, HEAD, _rows(shown))


def _rows(places: Sequence[Anchorage]) -> Iterator[tuple[object, ...]]:
    for one in places:
        stay, point = round(one.median_stay_h, 1), _POINTS[round(one.bearing_deg / 45.0) % 8]
        where = round(one.lat, 3), round(one.lon, 3), round(one.port_m / 1000.0, 1)
        yield one.name, one.kind, one.ships, one.periods, stay, *where, point


def _plain(place: Anchorage) -> dict[str, Any]:
    """An anchorage as JSON can hold it, without its cells, which stand in the file."""
    from luxwake.console import plain
    from luxwake.geojson import iso_utc

    made = {one.name: plain(getattr(place, one.name)) for one in fields(place) if one.name != "cells"}
    return {**made, "first_seen": iso_utc(place.first_seen), "last_seen": iso_utc(place.last_seen)}
