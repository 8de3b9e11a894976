"""The command `luxwake`. It ends with 0, 1 (the job failed) or 2 (wrong use); bad input never shows a traceback."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from geo.errors import LuxwakeError
from luxwake import __version__

if TYPE_CHECKING:
    from luxwake.console import Console


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

    run = commands.add_parser("run", help="positions (and shipments) to events, findings and a report")
    run.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="NMEA, NOAA, DMA or other CSV, Parquet; packed or not; -"
    )
    run.add_argument("--shipments", metavar="FILE", help="bills of lading or customs records as CSV")
    run.add_argument("--out", metavar="DIR", default="out", help="folder for the results (default: out)")
    run.add_argument("--from", dest="t_from", metavar="T", help="only positions from this time on (ISO 8601, UTC)")
    run.add_argument("--to", dest="t_to", metavar="T", help="only positions before this time")
    run.add_argument(
        "--area", metavar="FILE", help="only events in these GeoJSON polygons; tracks are not cut at their edge"
    )
    run.add_argument("--fixes", action="store_true", help="write the positions as fixes.parquet too")
    run.add_argument("--title", default="Luxwake report", help="heading of report.html")
    _output_options(run)

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

    query = commands.add_parser("query", help="ask the results with SQL: luxwake query out 'select * from events'")
    query.add_argument("folder", metavar="DIR", help="folder that `luxwake run` wrote")
    query.add_argument("sql", metavar="SQL", help="a SELECT; each Parquet file is a table")
    _output_options(query)

    warmup = commands.add_parser("warmup", help="compile all kernels now")
    _output_options(warmup)
    doctor = commands.add_parser(
        "doctor", help="versions, threads, caches, tables, extras: what is there, what is missing"
    )
    _output_options(doctor)
    return parser


def _output_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object per line on standard output")
    parser.add_argument("--quiet", action="store_true", help="no progress, no tables")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    args = _parser().parse_args(argv)
    from luxwake.console import Console

    console = Console(json=args.json, quiet=args.quiet)
    try:
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
    from luxwake.run import Job, run_job
    from luxwake.times import parse_time

    t_from = parse_time(args.t_from, "--from") if args.t_from is not None else None
    t_to = parse_time(args.t_to, "--to") if args.t_to is not None else None
    job = Job(args.inputs, args.shipments, args.out, t_from, t_to, args.area, args.fixes, args.title)
    run_job(job, console)


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
    "demo": _demo,
    "simulate": _simulate,
    "query": _query,
    "warmup": _warmup,
    "doctor": _doctor,
}

if __name__ == "__main__":
    sys.exit(main())
