"""The command `shipments import`: bills of lading and customs records read, counted, and written as Parquet."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from luxwake.console import Console


def add_commands(commands: Any, output_options: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add the parser of the command."""
    parts = commands.add_parser("shipments", help="bills of lading and customs records of any source").add_subparsers(
        dest="part", metavar="import", required=True
    )
    taken = parts.add_parser("import", help="read a file of shipments: what its headings mean, what could not be read")
    taken.add_argument("file", metavar="FILE", help="CSV, JSON, Excel or Parquet; text may be packed (gz, zst, zip)")
    taken.add_argument("--mapping", metavar="M.toml", help="which heading is which field (default: proposed)")
    taken.add_argument("--save-mapping", metavar="M.toml", help="write the mapping, to be edited and given back")
    taken.add_argument("--out", metavar="FILE", help="write the rows: rows.parquet, .csv, .jsonl or .arrow")
    taken.add_argument("--rates", metavar="CSV", help="your exchange rates: columns date, currency, usd")
    taken.add_argument("--strict", action="store_true", help="stop at the first doubt")
    output_options(taken)


def run_shipments(args: argparse.Namespace, console: Console) -> None:
    """The command `shipments`."""
    from luxwake.shipments_import import run_import

    run_import(args, console)


COMMANDS = {"shipments": run_shipments}
