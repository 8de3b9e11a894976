"""The command `luxwake`. It ends with 0, 1 (the job failed) or 2 (wrong use); bad input never shows a traceback."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from geo.errors import LuxwakeError
from luxwake import (
    __version__,
    cli_case,
    cli_daemon,
    cli_detect,
    cli_geo,
    cli_goods,
    cli_lists,
    cli_shipments,
    cli_trade,
    cli_who,
)

if TYPE_CHECKING:
    from luxwake.console import Console

_MORE = (cli_shipments, cli_goods, cli_lists, cli_who, cli_case, cli_trade, cli_daemon)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as all our errors do."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"luxwake: {message}; see `{self.prog} --help`\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="luxwake",
        description="Follows luxury goods through ships that do not want to be followed: "
        "which goods were on which ship when it went dark, and what would prove or clear it.",
        epilog="Exit status: 0 done, 1 the job failed, 2 wrong use.",
    )
    parser.add_argument("--version", action="version", version=f"luxwake {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    _add_run(commands)
    cli_detect.add_commands(commands, _output_options, _columns_option)
    _add_decode(commands)
    demo = commands.add_parser("demo", help="the flagship case, from raw NMEA and shipments to findings")
    demo.add_argument("--out", metavar="DIR", default="out/demo", help="folder for the results (default: out/demo)")
    _output_options(demo)

    simulate = commands.add_parser("simulate", help="make a labelled world of ships: NMEA, shipments and the truth")
    simulate.add_argument("scenario", metavar="SCENARIO", help="a TOML file, or: flagship, world")
    simulate.add_argument("--out", metavar="DIR", required=True, help="folder for the world")
    simulate.add_argument("--seed", type=int, help="another world of the same kind")
    simulate.add_argument("--vessels", type=int, help="number of vessels (world)")
    simulate.add_argument("--days", type=float, help="length in days (world)")
    simulate.add_argument("--fixes", type=int, help="about how many positions (world)")
    _output_options(simulate)

    _add_inspect(commands)
    cli_geo.add_commands(commands, _output_options)
    for cli in _MORE:
        cli.add_commands(commands, _output_options)
    _add_anchorages(commands)
    _add_ports(commands)
    query = commands.add_parser("query", help="ask the results with SQL: luxwake query out 'select * from events'")
    query.add_argument("folder", metavar="DIR", help="folder that `luxwake run` wrote")
    query.add_argument("sql", metavar="SQL", help="a SELECT; each Parquet file is a table")
    _output_options(query)

    warmup = commands.add_parser("warmup", help="compile all kernels now")
    _output_options(warmup)
    doctor = commands.add_parser("doctor", help="versions, threads, caches, tables, extras: what is there or missing")
    _output_options(doctor)
    return parser


def _add_run(commands: argparse._SubParsersAction[_Parser]) -> None:
    """The command `run` and its options."""
    run = commands.add_parser("run", help="positions (and shipments) to events, findings and a report")
    run.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="NMEA, NOAA, DMA or other CSV, JSON, Parquet; packed or not; -"
    )
    run.add_argument("--shipments", metavar="FILE", help="bills of lading or customs records (see `shipments import`)")
    run.add_argument("--out", metavar="DIR", default="out", help="folder for the results (default: out)")
    run.add_argument("--from", dest="t_from", metavar="T", help="only positions from this time on (ISO 8601, UTC)")
    run.add_argument("--to", dest="t_to", metavar="T", help="only positions before this time")
    run.add_argument("--area", metavar="FILE", help="only events in these polygons; tracks are not cut at their edge")
    run.add_argument(
        "--anchorages", metavar="FILE", help="what `luxwake anchorages` wrote: loitering there is told apart as waiting"
    )
    run.add_argument(
        "--zones", metavar="FILE", nargs="+", action="extend", default=[],
        help="name the zones of each event: EEZs, territorial seas, any GeoJSON, GeoPackage or shapefile",
    )  # fmt: skip
    run.add_argument("--crs", metavar="C", help="EPSG:4326: files of zones that do not say so are in WGS84")
    run.add_argument(
        "--previous", metavar="FILE",
        help="findings.json of an earlier run: what was opened, revised or retracted (default: that in --out)",
    )  # fmt: skip
    run.add_argument("--registry", metavar="FILE", help="CSV of ships with owners and days (see docs/cargo-who.md)")
    run.add_argument("--fixes", action="store_true", help="write the positions as fixes.parquet too")
    run.add_argument("--title", default="Luxwake report", help="heading of report.html")
    _columns_option(run)
    _output_options(run)


def _add_decode(commands: argparse._SubParsersAction[_Parser]) -> None:
    """The command `decode` and its options."""
    decode = commands.add_parser(
        "decode", help="messages to files of fixes and static reports: Parquet, CSV, JSON, Arrow"
    )
    decode.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="files, folders, patterns or -; any format, packed or not"
    )
    decode.add_argument(
        "-o", "--out", metavar="FILE", required=True,
        help="day.parquet, .csv, .jsonl or .arrow; static reports go to day.static.parquet beside it; - is a pipe",
    )  # fmt: skip
    decode.add_argument(
        "--format", metavar="F", help="parquet, csv, jsonl or arrow; default: by the suffix of FILE, jsonl for -"
    )
    decode.add_argument("--messages", action="store_true", help="every message with all its fields, and no reports")
    decode.add_argument(
        "--policy", default="strict", metavar="P", help="doubtful lines: strict drops, flag marks, keep takes them"
    )
    decode.add_argument(
        "--start", metavar="T", help="time of the first message of a feed without times (ISO 8601, UTC)"
    )
    decode.add_argument("--clock", metavar="C", help="base: base stations tell the time of messages without one")
    decode.add_argument("--raw", action="store_true", help="CSV: no apostrophe before what a spreadsheet would compute")
    decode.add_argument("--no-fold", action="store_true", help="keep copies that several stations heard as rows")
    decode.add_argument("--threads", type=int, default=1, metavar="N", help="how many read side by side (default: 1)")
    _columns_option(decode)
    _output_options(decode)


def _columns_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--columns",
        metavar="F=NAME,...",
        help="which column is which field where names do not tell: lat=Y,lon=X,t=When",
    )


def _columns(args: argparse.Namespace) -> dict[str, str] | None:
    """What `--columns` says."""
    from ais.csv_names import parse_columns

    return None if args.columns is None else parse_columns(args.columns)


def _output_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object per line on standard output")
    parser.add_argument("--quiet", action="store_true", help="no progress, no tables")


def _add_inspect(commands: argparse._SubParsersAction[_Parser]) -> None:
    """The command `inspect` and its options."""
    inspect = commands.add_parser(
        "inspect", help="what is in a file: times, messages, ships, silences, what is broken, a map of where"
    )
    inspect.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="files, folders, patterns or -; any format, packed or not"
    )
    inspect.add_argument("--columns", metavar="C", help="columns of a table: lat=Y,lon=X,t=when; others by their names")
    inspect.add_argument("--map", metavar="FILE", help="draw the map as a PNG file, and not on the terminal")
    _output_options(inspect)


def _add_anchorages(commands: argparse._SubParsersAction[_Parser]) -> None:
    """The command `anchorages` and its options."""
    found = commands.add_parser("anchorages", help="where many different ships lie still: anchorages as GeoJSON")
    found.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="files, folders, patterns or -; any format, packed or not"
    )
    found.add_argument(
        "-o", "--out", metavar="FILE", default="anchorages.geojson", help="file (default: anchorages.geojson)"
    )
    found.add_argument("--min-ships", type=int, metavar="N", help="different ships of an anchorage (default: 10)")
    found.add_argument("--min-stay-h", type=float, metavar="H", help="hours that count as lying still (default: 12)")
    found.add_argument("--from", dest="t_from", metavar="T", help="only positions from this time on (ISO 8601, UTC)")
    found.add_argument("--to", dest="t_to", metavar="T", help="only positions before this time")
    _columns_option(found)
    _output_options(found)


def _add_ports(commands: argparse._SubParsersAction[_Parser]) -> None:
    """The command `ports` and its three parts."""
    parts = commands.add_parser("ports", help="ports by name or place; import the World Port Index").add_subparsers(
        dest="part", metavar="find|near|import", required=True
    )
    find = parts.add_parser("find", help="which port a text means: one, several, or none")
    find.add_argument("texts", nargs="+", metavar="TEXT", help="a name, a UN/LOCODE, or a destination as ships send it")
    near = parts.add_parser("near", help="the nearest ports of a position, with distance and bearing")
    near.add_argument("lat", type=float, metavar="LAT", help="degrees, south is negative")
    near.add_argument("lon", type=float, metavar="LON", help="degrees, west is negative")
    near.add_argument("--within", type=float, metavar="NMI", help="at most so many nautical miles away")
    near.add_argument("--limit", type=int, default=5, metavar="N", help="at most so many ports (default: 5)")
    taken = parts.add_parser("import", help="ports from the World Port Index (CSV of NGA) or a CSV of your own")
    taken.add_argument("file", nargs="?", metavar="FILE", help="columns: locode, name, lat, lon (country, aliases)")
    taken.add_argument("--remove", action="store_true", help="take all imported ports away again")
    for part in (find, near, taken):
        _output_options(part)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    args = _parser().parse_args(argv)
    from luxwake.console import Console

    console = Console(json=args.json, quiet=args.quiet)
    try:
        with console.grids():
            _COMMANDS[args.command](args, console)
    except LuxwakeError as error:
        console.error(str(error))
        return error.exit_code
    except BrokenPipeError:  # the reader of our output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # the file system failed under a job that had begun well
        console.error(f"{error.filename or 'a file'}: {error.strerror or error}; check the disk and try again")
        return 1
    except MemoryError:
        console.error("out of memory: give fewer files, or a shorter time with --from and --to")
        return 1
    except KeyboardInterrupt:
        console.error("interrupted; nothing was written")
        return 130
    return 0


def _run(args: argparse.Namespace, console: Console) -> None:
    from geo.heap import give_back
    from luxwake.run import Job, run_job
    from luxwake.times import parse_time

    t_from = parse_time(args.t_from, "--from") if args.t_from is not None else None
    t_to = parse_time(args.t_to, "--to") if args.t_to is not None else None
    columns = _columns(args)
    where = {"area": args.area, "anchorages": args.anchorages, "zones": args.zones, "crs": args.crs}
    told = {"keep_fixes": args.fixes, "title": args.title, "columns": columns}
    told |= {"previous": args.previous, "registry": args.registry}
    if args.shipments is not None:  # a million rows leave much behind
        give_back()
    job = Job(args.inputs, args.shipments, args.out, t_from, t_to, **told, **where)
    run_job(job, console)


def _anchorages(args: argparse.Namespace, console: Console) -> None:
    from luxwake.anchorages import Search, run_anchorages
    from luxwake.times import parse_time

    t_from = parse_time(args.t_from, "--from") if args.t_from is not None else None
    t_to = parse_time(args.t_to, "--to") if args.t_to is not None else None
    run_anchorages(
        Search(args.inputs, args.out, args.min_ships, args.min_stay_h, t_from, t_to, _columns(args)), console
    )


def _inspect(args: argparse.Namespace, console: Console) -> None:
    from ais.csv_names import parse_columns
    from luxwake.inspect_page import run_inspect

    columns = parse_columns(args.columns) if args.columns is not None else None
    run_inspect(args.inputs, args.map, console, columns)


def _decode(args: argparse.Namespace, console: Console) -> None:
    from luxwake.decode import Job, run_decode
    from luxwake.times import parse_time

    start = parse_time(args.start, "--start") if args.start is not None else None
    options = {"policy": args.policy, "start": start, "clock": args.clock, "fold": not args.no_fold, "raw": args.raw}
    columns = _columns(args)
    job = Job(args.inputs, args.out, args.format, args.messages, threads=args.threads, columns=columns, **options)
    run_decode(job, console)


def _ports(args: argparse.Namespace, console: Console) -> None:
    from geo.errors import UsageError
    from luxwake import ports

    if args.part == "find":
        ports.find(args.texts, console)
    elif args.part == "near":
        ports.near(args.lat, args.lon, args.within, args.limit, console)
    elif args.remove == (args.file is not None):
        raise UsageError("ports import takes a FILE or --remove, one of the two")
    elif args.remove:
        ports.remove(console)
    else:
        ports.import_file(args.file, console)


def flagship_folder() -> Path:
    """Where the flagship's input lies: in the installed package, or in the checkout."""
    from geo.errors import InputError

    package = Path(__file__).parent
    for folder in (package / "flagship", package.parent / "fixtures" / "flagship"):
        if (folder / "shipments.csv").is_file():
            return folder
    raise InputError(f"{package}: the flagship's input is not installed; reinstall luxwake, or run it from a checkout")


def _demo(args: argparse.Namespace, console: Console) -> None:
    from luxwake.run import Job, run_job

    folder = flagship_folder()
    inputs = sorted(folder.glob("*.nmea.zst"))
    job = Job(inputs, folder / "shipments.csv", args.out, title="Two armoured cars and a silent ship")
    run_job(job, console)


def _simulate(args: argparse.Namespace, console: Console) -> None:
    from luxwake.simulate import simulate

    written = simulate(
        args.scenario, Path(args.out), seed=args.seed, vessels=args.vessels, days=args.days, fixes=args.fixes
    )
    names = ", ".join(str(path) for path in written.paths)
    console.stage("simulate", written.seconds, f"{written.fixes:,} positions: {names}")


def _query(args: argparse.Namespace, console: Console) -> None:
    from luxwake.store import query

    table = query(args.folder, args.sql)
    columns = [column.to_pylist() for column in table.columns]
    console.table("", table.column_names, zip(*columns, strict=True))


def _warmup(args: argparse.Namespace, console: Console) -> None:
    import time

    from luxwake.warmup import STEPS

    for name, step in STEPS.items():
        begin = time.perf_counter()
        words = step()
        console.stage(name, time.perf_counter() - begin, words)


def _doctor(args: argparse.Namespace, console: Console) -> None:
    from luxwake.console import print_json_lines
    from luxwake.doctor import checkup

    report = checkup()
    if args.json:
        print_json_lines([report])
        return
    for part, values in report.items():
        console.table(part, ("", "found"), values.items())


_COMMANDS = {
    "run": _run,
    "inspect": _inspect,
    "anchorages": _anchorages,
    "decode": _decode,
    "demo": _demo,
    "simulate": _simulate,
    "ports": _ports,
    **cli_geo.COMMANDS,
    **cli_detect.COMMANDS,
    **{name: run for cli in _MORE for name, run in cli.COMMANDS.items()},
    "query": _query,
    "warmup": _warmup,
    "doctor": _doctor,
}

if __name__ == "__main__":
    sys.exit(main())
