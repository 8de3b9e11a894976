"""The command `trade`: what countries reported, as UN Comtrade has it."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from geo.errors import UsageError

if TYPE_CHECKING:
    from luxwake.console import Console

_MOST_YEARS = 60
"""Comtrade begins in 1962."""


def add_commands(commands: Any, output_options: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add the parsers of this command's parts."""
    parts = commands.add_parser("trade", help="trade statistics: who reported exports of listed goods").add_subparsers(
        dest="part", metavar="mirror", required=True
    )
    mirror = parts.add_parser("mirror", help="who reported exports of luxuries to a country, as a band after checks")
    mirror.add_argument(
        "files", nargs="+", metavar="FILE", help="exports of UN Comtrade: old CSV, or CSV or JSON of v1"
    )
    mirror.add_argument("--partner", default="PRK", metavar="ISO3", help="the country that they went to (default: PRK)")
    mirror.add_argument("--years", default="2015-2017", metavar="Y-Y", help="default: 2015-2017")
    mirror.add_argument("--regime", action="append", metavar="R", help="only this list; may be given again")
    mirror.add_argument("--reporters", action="store_true", help="every reporter and year, with what the checks say")
    mirror.add_argument("--plot", metavar="FILE", help="a chart (SVG): the band by list and year")
    output_options(mirror)


def years_of(text: str) -> range:
    """The years of an option, "2015-2017" or "2016"; UsageError for anything else."""
    found = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", text, re.ASCII)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (0, -1)
    if not first <= last < first + _MOST_YEARS:
        raise UsageError(f"--years {text[:40]!r} is not a year or a span of years; write --years 2015-2017")
    return range(first, last + 1)


def run_trade(args: argparse.Namespace, console: Console) -> None:
    """The command `trade`."""
    from luxwake.trade import run_mirror

    run_mirror(args.files, args.partner.upper(), years_of(args.years), args.regime, args.reporters, args.plot, console)


COMMANDS = {"trade": run_trade}
