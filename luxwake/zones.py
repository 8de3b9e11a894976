"""What is in a file of zones, and in which of them a position or an event lies: `luxwake zones`, `run --zones`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import UsageError
from luxwake.console import print_json_lines

if TYPE_CHECKING:
    from detectors.event import Events
    from geo.zones import Zones
    from luxwake.console import Console

MAX_MENDED = 20
"""Mended zones that are told one by one; all are counted, and all are in the JSON."""


def print_zones(zones: Zones, console: Console) -> None:
    """Print what the zones are."""
    note_zones(zones, console)
    if console.json:
        print_json_lines({"type": "zone", **asdict(zone)} for zone in zones.zones)
        return
    head = ("zone", "kind", "area nmi²", "parts", "south", "north", "west", "east", "source")
    rows = [
        (
            zone.name,
            zone.kind or "unknown",
            f"{zone.area_nmi2:,.{0 if zone.area_nmi2 >= 100.0 else 2}f}",
            f"{zone.parts:,}",
            *(f"{value:.3f}" for value in (zone.south, zone.north, zone.west, zone.east)),
            zone.source,
        )
        for zone in zones.zones
    ]
    if not console.quiet:
        console.table(f"Zones: {len(rows):,}", head, rows)


def note_zones(zones: Zones, console: Console) -> None:
    """Say what was left out of the files, taken on trust or mended."""
    for note in zones.notes:
        console.note(note)
    mended = [f"{zone.source}: {zone.name}: {words}" for zone in zones.zones for words in zone.mended]
    for words in mended[:MAX_MENDED]:
        console.note(words)
    if len(mended) > MAX_MENDED:
        console.note(f"{len(mended) - MAX_MENDED:,} more zones mended; `luxwake zones --json` names them")


def print_zones_at(zones: Zones, positions: Sequence[tuple[float, float]], console: Console) -> None:
    """Print in which zones each position lies."""
    note_zones(zones, console)
    numbers = zones.of([lat for lat, _ in positions], [lon for _, lon in positions]).tolist()
    found = [[zones.zones[zone] for zone in zones.sets[number]] for number in numbers]
    if console.json:
        keys = ("name", "kind", "id", "source", "disputed")
        print_json_lines(
            {"type": "position", "lat": lat, "lon": lon, "zones": [{k: getattr(z, k) for k in keys} for z in one]}
            for (lat, lon), one in zip(positions, found, strict=True)
        )
        return
    rows: list[Sequence[object]] = []
    for (lat, lon), one in zip(positions, found, strict=True):
        where = f"{lat:g},{lon:g}"
        rows += [(where, z.name, z.kind or "unknown", "disputed" if z.disputed else "", z.source) for z in one]
        rows += [] if one else [(where, "in none of these zones", "", "", "")]
    if not console.quiet:
        console.table("", ("position", "zone", "kind", "claim", "source"), rows)


def parse_position(text: str, option: str) -> tuple[float, float]:
    """Latitude and longitude in degrees of a text `LAT,LON`; UsageError names the option and the limit.

    >>> parse_position("35.1,-129.04", "--at")
    (35.1, -129.04)
    >>> parse_position("35.1,181", "--at")
    Traceback (most recent call last):
    geo.errors.UsageError: --at 35.1,181: longitude 181 is not within -180 to 180; write LAT,LON in degrees
    """
    try:
        lat, lon = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"{option} {text}: no position; write LAT,LON in degrees, like 35.1,129.04") from None
    for name, value, limit in (("latitude", lat, 90.0), ("longitude", lon, 180.0)):
        if not abs(value) <= limit:
            limits = f"-{limit:g} to {limit:g}"
            raise UsageError(f"{option} {text}: {name} {value:g} is not within {limits}; write LAT,LON in degrees")
    return lat, lon


def label_events(events: Events, zones: Zones, files: Sequence[dict[str, Any]]) -> None:
    """Give events a column `zones`: the names of the zones at their position or their end, empty where in none.

    `files` says which files the zones are from; it goes to the parameters of the events.
    """
    at_start = zones.of(events["lat"], events["lon"])
    at_end = zones.of(events["lat_end"], events["lon_end"])
    events.columns["zones"] = zones.names(at_start, at_end)
    events.params["zones"] = {str(one["file"]): one["sha256"] for one in files}


def add_zones(findings: dict[str, Any], events: Events) -> None:
    """Give the events within findings their zones too."""
    zones = dict(zip(events["id"].tolist(), events["zones"].tolist(), strict=True))
    for finding in findings["findings"]:
        for event in finding.get("events", ()):
            event["zones"] = zones.get(event["id"]) or None


def open_zones(files: Sequence[str | Path], crs: str | None, console: Console) -> Zones:
    """Read the files of `run --zones`, and say what was left out or mended."""
    from geo.zones import read_zones

    zones = read_zones(files, crs=crs)
    note_zones(zones, console)
    return zones
