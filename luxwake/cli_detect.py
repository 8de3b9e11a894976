"""The commands about events: `detect`, `explain` and `tune`; their options, and what they call."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from geo.errors import UsageError

if TYPE_CHECKING:
    from luxwake.console import Console
    from luxwake.detect import Job


def add_commands(
    commands: Any,
    output_options: Callable[[argparse.ArgumentParser], None],
    columns_option: Callable[[argparse.ArgumentParser], None],
) -> None:
    """Add the parsers of these commands."""
    detect = commands.add_parser("detect", help="positions to events, with the detectors and thresholds of your choice")
    detect.add_argument("--out", metavar="DIR", default="out", help="folder for the results (default: out)")
    detect.add_argument("--detectors", metavar="NAME,...", help="only these, as dark,rendezvous (default: all)")
    detect.add_argument("--fixes", action="store_true", help="write the positions as fixes.parquet too, for `explain`")
    detect.add_argument("--threads", type=int, default=2, metavar="N", help="detectors side by side (default: 2)")
    detect.add_argument("--list", action="store_true", help="print all detectors and thresholds as TOML, and no more")
    tune = commands.add_parser("tune", help="how the number of events moves with a threshold")
    tune.add_argument("threshold", metavar="DETECTOR.PARAMETER", help="as dark.min_gap_s")
    tune.add_argument("--values", metavar="V,...", help="the values to try (default: a quarter to four times it)")
    for parser, nargs in ((detect, "*"), (tune, "+")):
        parser.add_argument("inputs", nargs=nargs, metavar="INPUT", help="positions in any format, packed or not; -")
        parser.add_argument("--params", metavar="FILE", help="thresholds in TOML; --list prints one to begin with")
        parser.add_argument(
            "--set", action="append", default=[], metavar="D.P=V", help="one threshold: dark.min_gap_s=43200"
        )
    explain = commands.add_parser(
        "explain", help="why an event is one: definition, thresholds, positions, a plot, what would have changed it"
    )
    explain.add_argument("event", metavar="EVENT", help="its id, or the first digits")
    explain.add_argument("folder", metavar="DIR", help="folder that `luxwake detect` or `luxwake run` wrote")
    explain.add_argument("inputs", nargs="*", metavar="INPUT", help="the positions (default: DIR/fixes.parquet)")
    explain.add_argument("--plot", metavar="FILE", help="a picture (SVG): the way, and the speed over time")
    for parser in (detect, tune, explain):
        parser.add_argument("--anchorages", metavar="FILE", help="what `luxwake anchorages` wrote")
        parser.add_argument("--registry", metavar="FILE", help="register of ships (CSV): zombie and cloned IMO numbers")
        parser.add_argument(
            "--stations", metavar="FILE", help="where receivers stand (CSV): positions out of their reach"
        )
        parser.add_argument("--from", dest="t_from", metavar="T", help="only positions from this time on (ISO 8601)")
        parser.add_argument("--to", dest="t_to", metavar="T", help="only positions before this time")
        columns_option(parser)
        output_options(parser)


def _job(args: argparse.Namespace) -> Job:
    """What all three commands are told of positions and of the files beside them."""
    from ais.csv_names import parse_columns
    from luxwake.detect import Job
    from luxwake.times import parse_time

    return Job(
        args.inputs,
        anchorages=args.anchorages,
        files={name: path for name in ("registry", "stations") if (path := getattr(args, name)) is not None},
        t_from=parse_time(args.t_from, "--from") if args.t_from is not None else None,
        t_to=parse_time(args.t_to, "--to") if args.t_to is not None else None,
        columns=parse_columns(args.columns) if args.columns is not None else None,
    )


def run_detect(args: argparse.Namespace, console: Console) -> None:
    """The command `detect`."""
    from luxwake.detect import print_detectors, settings
    from luxwake.detect import run_detect as detect

    if args.list:
        print_detectors(console)
        return
    if not args.inputs:
        raise UsageError("detect needs an INPUT, or --list; see `luxwake detect --help`")
    job = _job(args)
    job.out, job.keep_fixes, job.threads = args.out, args.fixes, args.threads
    if args.detectors is not None:
        job.detectors = [name.strip() for name in args.detectors.split(",")]
    job.params = settings(args.params, args.set, files=job.files, detectors=job.detectors)
    detect(job, console)


def run_tune(args: argparse.Namespace, console: Console) -> None:
    """The command `tune`."""
    from luxwake.detect import run_tune as tune
    from luxwake.detect import settings

    try:
        values = [float(value) for value in args.values.split(",")] if args.values is not None else None
    except ValueError:
        raise UsageError(f"--values {args.values!r} are no numbers; write --values 3600,7200") from None
    job = _job(args)
    job.detectors = [args.threshold.partition(".")[0]]
    job.params = settings(args.params, args.set, files=job.files, detectors=job.detectors)
    tune(job, args.threshold, values, console)


def run_explain(args: argparse.Namespace, console: Console) -> None:
    """The command `explain`."""
    from luxwake.explain import run_explain as explain

    explain(args.event, args.folder, _job(args), args.plot, console)


COMMANDS = {"detect": run_detect, "tune": run_tune, "explain": run_explain}
