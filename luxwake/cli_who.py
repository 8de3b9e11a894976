"""The commands that ask who: `watchlists` and `who`; their options, and what they call."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from luxwake.console import Console


def add_commands(commands: Any, output_options: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add the parsers of these commands."""
    parts = commands.add_parser(
        "watchlists", help="lists of sanctioned ships, firms and people: import, show, ask"
    ).add_subparsers(dest="part", metavar="import|list|check|remove", required=True)
    taken = parts.add_parser("import", help="OFAC sdn.csv, UN 1718 sheet, OpenSanctions, FollowTheMoney, or any CSV")
    taken.add_argument("file", metavar="FILE", help="a file as it is published, unpacked")
    taken.add_argument("--name", required=True, metavar="N", help="what the list is called: 'OFAC SDN'")
    taken.add_argument("--date", required=True, metavar="D", help="the day of which the list is: 2023-11-17")
    taken.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="F=COLUMN,...",
        help="any CSV: name=Ship,imo=IMO No,listed_on=Date",
    )
    taken.add_argument("--licence", default="", metavar="TEXT", help="what the licence of the file says")
    kept = parts.add_parser("list", help="the lists that are kept, with date, licence and file")
    asked = parts.add_parser("check", help="whether a ship, firm or person is on a list, then and now")
    asked.add_argument("texts", nargs="+", metavar="NAME|IMO|MMSI", help="a name, an IMO number or an MMSI")
    asked.add_argument("--date", default="", metavar="D", help="was it listed on this day?")
    gone = parts.add_parser("remove", help="take a list away")
    gone.add_argument("--name", required=True, metavar="N", help="the list")
    gone.add_argument("--date", metavar="D", help="only the list of this day")

    who = commands.add_parser("who", help="what is known of a ship, firm or person: names by time, rows, lists, ties")
    who.add_argument("text", metavar="NAME|IMO|MMSI", help="a name, an IMO number or an MMSI")
    who.add_argument("--shipments", metavar="FILE", help="bills of lading or customs records")
    who.add_argument("--run", metavar="DIR", help="folder that `luxwake run` wrote")
    who.add_argument("--registry", metavar="FILE", help="a CSV of ships: imo, name, flag, owner, from, to")
    who.add_argument("--date", default="", metavar="D", help="was it listed on this day?")
    who.add_argument("--hops", type=float, default=3.0, metavar="N", help="ties to listed parties up to so many hops")
    for parser in (taken, kept, asked, gone, who):
        output_options(parser)


def run_watchlists(args: argparse.Namespace, console: Console) -> None:
    """The command `watchlists`."""
    from luxwake import watchlists

    if args.part == "import":
        watchlists.import_file(args.file, args.name, args.date, args.map, args.licence, console)
    elif args.part == "list":
        watchlists.show_lists(console)
    elif args.part == "check":
        watchlists.check(args.texts, args.date, console)
    else:
        watchlists.remove(args.name, args.date, console)


def run_who(args: argparse.Namespace, console: Console) -> None:
    """The command `who`."""
    from luxwake.who import Asked, print_who

    print_who(Asked(args.text, args.shipments, args.run, args.registry, args.date, args.hops), console)


COMMANDS = {"watchlists": run_watchlists, "who": run_who}
