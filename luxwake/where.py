"""Everything that is known of a position: `luxwake where`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import UsageError
from geo.sphere import NMI_M
from luxwake.console import print_json_lines
from luxwake.report.words import position

if TYPE_CHECKING:
    from geo.anchorages import Anchorages
    from geo.zones import Zones
    from luxwake.console import Console

CELL_RESOLUTION = 7
"""That of the fixes: 5 km2."""


def where(
    lat_deg: float,
    lon_deg: float,
    *,
    zones: Zones | None = None,
    anchorages: Anchorages | None = None,
    ports: int = 3,
) -> dict[str, Any]:
    """What is known of a position in degrees: cell, sea or land, shore, nearest ports, zones, anchorage.

    Distances are great circles in nautical miles, bearings degrees true from the position; `shore_nmi` is negative on
    land. `zones` and `anchorages` are None when there was nothing to look them up in, and empty when none holds it.

    Raises UsageError for a position that is not on the globe.

    >>> found = where(35.2, 129.4, ports=1)
    >>> found["at_sea"], round(found["shore_nmi"]), found["cell"], found["ports"][0]["name"]
    (True, 8, '8730ce836ffffff', 'Onsan')
    """
    if not (-90.0 <= lat_deg <= 90.0 and -180.0 <= lon_deg <= 180.0):
        limits = "a latitude is -90 to 90 degrees, a longitude -180 to 180"
        raise UsageError(f"{lat_deg:g} {lon_deg:g} is not on the globe: {limits}")
    import h3
    import numpy as np

    from geo.coast import is_sea, shore_distance_m
    from geo.ports import ports_near

    at = np.array([lat_deg]), np.array([lon_deg])
    near = ports_near(lat_deg, lon_deg, ports)
    return {
        "lat": lat_deg,
        "lon": lon_deg,
        "cell": h3.latlng_to_cell(lat_deg, lon_deg, CELL_RESOLUTION),
        "at_sea": bool(is_sea(*at)[0]),
        "shore_nmi": round(float(shore_distance_m(*at)[0]) / NMI_M, 2),
        "ports": [
            {
                "name": one.port.name,
                "code": one.port.locode,
                "country": one.port.country,
                "nmi": round(one.distance_m / NMI_M, 1),
                "bearing_deg": round(one.bearing_deg) % 360,
            }
            for one in near
        ],
        "zones": None if zones is None else _zones_at(zones, *at),
        "anchorages": None if anchorages is None else _anchorages_at(anchorages, *at),
    }


def _zones_at(zones: Zones, lat: Any, lon: Any) -> list[dict[str, Any]]:
    keys = ("name", "kind", "id", "source", "disputed")
    numbers = zones.sets[int(zones.of(lat, lon)[0])]
    return [{key: getattr(zones.zones[number], key) for key in keys} for number in numbers]


def _anchorages_at(anchorages: Anchorages, lat: Any, lon: Any) -> list[dict[str, Any]]:
    keys = ("id", "name", "kind", "ships", "periods", "median_stay_h", "port")
    row = int(anchorages.at(lat, lon)[0])
    return [{key: getattr(anchorages[row], key) for key in keys}] if row >= 0 else []


def print_where(
    lat_deg: float, lon_deg: float, zone_files: Sequence[str], anchorage_file: str | None, console: Console
) -> None:
    """Print what is known of a position."""
    zones = anchorages = None
    if zone_files:
        from luxwake.zones import open_zones

        zones = open_zones(zone_files, None, console)
    if anchorage_file is not None:
        from geo.anchorages import Anchorages

        anchorages = Anchorages.load(Path(anchorage_file))
    found = where(lat_deg, lon_deg, zones=zones, anchorages=anchorages)
    if console.json:
        print_json_lines([{"type": "position", **found}])
    elif not console.quiet:
        console.table(f"{position(lat_deg, lon_deg)}", ("", "found"), _rows(found))


def _rows(found: dict[str, Any]) -> list[tuple[str, str]]:
    """The lines of the table."""
    shore = found["shore_nmi"]
    rows = [
        ("cell", f"{found['cell']} (H3, resolution {CELL_RESOLUTION})"),
        ("sea or land", "sea" if found["at_sea"] else "land"),
        ("shore", f"{abs(shore):.1f} nmi {'away' if found['at_sea'] else 'inland'}"),
    ]
    for n, port in enumerate(found["ports"], start=1):
        words = f"{port['name']} ({port['code']}), {port['nmi']:.1f} nmi, bearing {port['bearing_deg']:03d}°"
        rows.append(("nearest port" if n == 1 else f"port {n}", words))
    for zone in found["zones"] or ():
        words = ", ".join([zone["name"], zone["kind"] or "of no kind", *["disputed"] * zone["disputed"]])
        rows.append(("zone", f"{words} ({zone['source']})"))
    for one in found["anchorages"] or ():
        rows.append(("anchorage", f"{one['name']}: {one['kind']}, {one['ships']:,} ships lay there"))
    rows += [(what[:-1], "in none of the file") for what in ("zones", "anchorages") if found[what] == []]
    return rows
