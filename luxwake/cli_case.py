"""The commands `case build`, `case show` and `case export`: a dossier with exhibits, its table, exports."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from luxwake.console import Console

FORMATS = ("ftm", "neo4j", "gexf", "geojson", "gpkg", "i2", "excel")


def add_commands(commands: Any, output_options: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add the parsers of these commands."""
    parts = commands.add_parser("case", help="a dossier with numbered exhibits, and exports to other tools")
    parts = parts.add_subparsers(dest="part", metavar="build|show|export", required=True)
    build = parts.add_parser("build", help="one HTML dossier: every statement with its exhibits; offline, prints on A4")
    show = parts.add_parser("show", help="the findings, or one with its exhibits, in the terminal")
    export = parts.add_parser("export", help="for OpenAleph, Neo4j, Gephi, QGIS, i2 Analyst's Notebook, Excel")
    for parser in (build, show, export):
        parser.add_argument("folder", metavar="DIR", help="folder that `luxwake run` wrote")
        parser.add_argument(
            "findings", nargs="*", metavar="FINDING", help="id, its first digits, or rank (default: all)"
        )
    build.add_argument("--out", metavar="CASE", help="the dossier (default: DIR/case.html)")
    build.add_argument("--title", default="", help="its heading (default: that of the finding)")
    build.add_argument(
        "--source", action="append", default=[], metavar="FILE",
        help="an input of the run, to quote its lines as they stand; may be given several times",
    )  # fmt: skip
    export.add_argument("--to", required=True, choices=FORMATS, metavar="F", help="|".join(FORMATS))
    export.add_argument("--out", metavar="FILE", help="file, or folder for neo4j and i2 (default: DIR/case.SUFFIX)")
    for parser in (build, show, export):
        output_options(parser)


def run_case(args: argparse.Namespace, console: Console) -> None:
    """The command `case`."""
    from luxwake.case import command

    {"build": command.build, "show": command.show, "export": command.export}[args.part](args, console)


COMMANDS = {"case": run_case}
