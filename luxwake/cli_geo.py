"""The commands that ask where: `where`, `reach`, `meet` and `zones`; their options, and what they call."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from geo.errors import UsageError

if TYPE_CHECKING:
    from luxwake.console import Console

_HEARD = "LAT,LON@TIME"


def add_commands(commands: Any, output_options: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add the parsers of these commands."""
    where = commands.add_parser("where", help="all that is known of a position: sea or land, shore, ports, zones")
    where.add_argument("lat", type=float, metavar="LAT", help="degrees, south is negative")
    where.add_argument("lon", type=float, metavar="LON", help="degrees, west is negative")
    where.add_argument(
        "--zones", metavar="FILE", nargs="+", action="extend", default=[], help="GeoJSON, GeoPackage or shapefiles"
    )
    where.add_argument("--anchorages", metavar="FILE", help="a file that `luxwake anchorages` wrote")

    reach = commands.add_parser("reach", help="where a silent ship could have been: ports, times, a map")
    reach.add_argument("--from", dest="start", required=True, metavar=_HEARD, help="where and when it was last heard")
    reach.add_argument("--to", dest="end", metavar=_HEARD, help="where and when it was heard again")
    reach.add_argument("--ports", metavar="C,...", help="only ports of these countries or codes: KP,RUVVO")

    meet = commands.add_parser("meet", help="where and when two silent ships could have met")
    meet.add_argument(
        "--ship", action="append", nargs="+", required=True, metavar=_HEARD,
        help="where a ship was last heard, and where again; give --ship twice",
    )  # fmt: skip
    for parser, more in ((reach, {}), (meet, {"action": "append"})):
        twice = " (once for both ships, or twice in their order)" if more else ""
        parser.add_argument("--until", metavar="TIME", help="a ship that was not heard again is silent up to then")
        parser.add_argument("--speed", type=float, metavar="KN", help=f"a speed that is known, in knots{twice}", **more)
        parser.add_argument("--type", metavar="TYPE", help=f"else: cargo, tanker, fishing, ...{twice}", **more)
        parser.add_argument("--length", type=float, metavar="M", help=f"and its length in metres{twice}", **more)
        parser.add_argument("--closed", metavar="NAME,...", default="", help="straits and canals: suez,panama,kanmon")
        parser.add_argument("-o", "--out", metavar="FILE", help="a map as GeoJSON")
    for parser in (where, reach, meet):
        # a southern latitude is no option: argparse takes -35.1,18.4@2018-10-01 for one unless this pattern fits
        parser._negative_number_matcher = re.compile(r"^-[\d.]")
        output_options(parser)
    _add_zones(commands, output_options)


def _add_zones(commands: Any, output_options: Callable[[argparse.ArgumentParser], None]) -> None:
    """The command `zones` and its options."""
    zones = commands.add_parser("zones", help="what is in a file of zones: names, areas, what was mended; who is where")
    zones.add_argument(
        "inputs", nargs="+", metavar="FILE", help="GeoJSON, GeoPackage, or shapefile (.shp, folder, .zip)"
    )
    zones.add_argument(
        "--at", metavar="LAT,LON", action="append", default=[], help="which zones hold this position (--at=-10,5)"
    )
    zones.add_argument("--layer", metavar="NAME", help="only this layer of a GeoPackage or folder")
    zones.add_argument("--crs", metavar="C", help="EPSG:4326: the file does not say so, but is in WGS84")
    zones.add_argument("--name-field", metavar="F", help="the attribute that holds the names of the zones")
    output_options(zones)


def run_where(args: argparse.Namespace, console: Console) -> None:
    """The command `where`."""
    from luxwake.where import print_where

    print_where(args.lat, args.lon, args.zones, args.anchorages, console)


def run_reach(args: argparse.Namespace, console: Console) -> None:
    """The command `reach`."""
    from geo.reach import reach
    from luxwake.reach import ends_of, ports_asked, print_reach, speed_from

    ends = ends_of(args.start, args.end, args.until)
    speed, asked = speed_from(args.speed, args.type, args.length), ports_asked(args.ports)
    print_reach(reach(*ends[0], *ends[1], speed, closed=_names(args.closed)), asked, args.out, console)


def run_meet(args: argparse.Namespace, console: Console) -> None:
    """The command `meet`."""
    from geo.meet import meet
    from geo.reach import reach
    from luxwake.meet import print_meeting
    from luxwake.reach import ends_of, speed_from

    if len(args.ship) != 2 or any(len(ends) > 2 for ends in args.ship):
        raise UsageError(f"luxwake meet takes --ship twice, each with {_HEARD} of one end of its silence or of both")
    if args.until is not None and all(len(ends) == 2 for ends in args.ship):
        raise UsageError(f"--until {args.until}: both ships were heard again; leave it out, or leave out where")
    ships = []
    for n, (start, *end) in enumerate(args.ship):
        ends = ends_of(start, end[0] if end else None, None if end else args.until, "--ship")
        speed = speed_from(*(_of_ship(getattr(args, name), n, name) for name in ("speed", "type", "length")))
        ships.append(reach(*ends[0], *ends[1], speed, closed=_names(args.closed)))
    print_meeting(meet(*ships), ships, args.out, console)


def run_zones(args: argparse.Namespace, console: Console) -> None:
    """The command `zones`."""
    from geo.zones import read_zones
    from luxwake.zones import parse_position, print_zones, print_zones_at

    positions = [parse_position(text, "--at") for text in args.at]
    zones = read_zones(args.inputs, args.layer, args.crs, args.name_field)
    if positions:
        print_zones_at(zones, positions, console)
    else:
        print_zones(zones, console)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _of_ship(given: list[Any] | None, n: int, name: str) -> Any:
    """What an option that may be given once or twice says of ship `n`."""
    if given is not None and len(given) > 2:
        raise UsageError(f"--{name} is given {len(given)} times for two ships; give it once or twice")
    return None if given is None else given[min(n, len(given) - 1)]


COMMANDS = {"where": run_where, "reach": run_reach, "meet": run_meet, "zones": run_zones}
