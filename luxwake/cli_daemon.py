"""The commands of the daemon; their options, and what they call."""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from luxwake.console import Console


def add_commands(commands: Any, output_options: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add the parsers of these commands."""
    serve = commands.add_parser("serve", help="the daemon: live feeds in, events out as they happen")
    serve.add_argument("--config", metavar="FILE", help="see `luxwake config example`")
    serve.add_argument("--demo", action="store_true", help="a simulated world in place of the sources")
    serve.add_argument(
        "--speed", type=float, default=60.0, metavar="X", help="of the demo: 60 (default), a minute a second"
    )
    output_options(serve)
    replay = commands.add_parser("replay", help="recorded feeds through the daemon, at any speed")
    replay.add_argument("inputs", nargs="+", metavar="FILE", help="NMEA with times, packed or not, in their order")
    replay.add_argument("--config", metavar="FILE", help="its sinks, detectors and limits; not its sources")
    replay.add_argument("--state", metavar="DIR", help="folder of the store (default: as configured)")
    replay.add_argument(
        "--speed", type=float, metavar="X", help="100: a hundred times as fast as it was; default: as can be"
    )
    output_options(replay)
    backfill = commands.add_parser("backfill", help="days of the archive through the detectors again, into the store")
    backfill.add_argument("days", nargs="+", metavar="DAY", help="such as 2026-11-26 (UTC)")
    backfill.add_argument("--config", metavar="FILE", help="its state, detectors, thresholds and sinks")
    backfill.add_argument("--state", metavar="DIR", help="folder of the store (default: as configured)")
    output_options(backfill)
    status = commands.add_parser("status", help="what a daemon is doing, from its status server")
    status.add_argument("--url", metavar="URL", default="http://127.0.0.1:8787", help="default: http://127.0.0.1:8787")
    status.add_argument("--token-file", metavar="FILE", help="the token, where the server asks for one")
    output_options(status)
    _add_store(commands, output_options)
    _add_config(commands, output_options)


def _add_store(commands: Any, output_options: Callable[[argparse.ArgumentParser], None]) -> None:
    parts = commands.add_parser("store", help="what a daemon has found: query it, take it out, prune and check it")
    parts = parts.add_subparsers(dest="part", metavar="query|export|prune|verify", required=True)
    query = parts.add_parser("query", help="ask with SQL: tables events, changes, outbox, dead_letters")
    query.add_argument("sql", metavar="SQL", help="a SELECT")
    export = parts.add_parser("export", help="the newest form of every event as JSON lines")
    export.add_argument("-o", "--out", metavar="FILE", default="-", help="default: standard output")
    export.add_argument(
        "--fixes", action="store_true", help="the archive's positions instead; -o says by its suffix as what"
    )
    prune = parts.add_parser("prune", help="remove events that ended long ago, and old days of the archive")
    prune.add_argument("--before", metavar="T", help="events that were last told before (ISO 8601, UTC)")
    prune.add_argument("--positions-before", metavar="T", help="days of the archive that had ended by then")
    verify = parts.add_parser("verify", help="are store and archive whole, and does the journal fit to them")
    for part in (query, export, prune, verify):
        part.add_argument("--config", metavar="FILE", help="the daemon's configuration, which names its store")
        part.add_argument("--state", metavar="DIR", help="or the daemon's folder (default: state)")
        output_options(part)


def _add_config(commands: Any, output_options: Callable[[argparse.ArgumentParser], None]) -> None:
    parts = commands.add_parser("config", help="the daemon's configuration: check a file, show it, an example")
    parts = parts.add_subparsers(dest="part", metavar="check|show|example", required=True)
    check = parts.add_parser("check", help="every error of a file, with its place, its value and what is allowed")
    show = parts.add_parser("show", help="what holds: the file, the environment and the defaults; no secrets")
    for part in (check, show):
        part.add_argument("file", metavar="FILE", help="a configuration in TOML")
    example = parts.add_parser("example", help="print a file to begin with, with all keys explained")
    for part in (check, show, example):
        output_options(part)


def run_config(args: argparse.Namespace, console: Console) -> None:
    """The command `config`."""
    from luxwake.daemon.config_command import check, example, show

    if args.part == "check":
        check(args.file, console)
    elif args.part == "show":
        show(args.file, console)
    else:
        example(console)


def run_serve(args: argparse.Namespace, console: Console) -> None:
    """The command `serve`."""
    gc.disable()  # a fifth of what the imports take
    from luxwake.daemon.serve_command import demo, serve

    gc.enable()
    if args.demo:
        demo(args.config, args.speed, console)
    else:
        serve(args.config, console)


def run_replay(args: argparse.Namespace, console: Console) -> None:
    """The command `replay`."""
    from luxwake.daemon.replay import replay

    replay(args.inputs, console, config=args.config, state=args.state, speed=args.speed)


def run_backfill(args: argparse.Namespace, console: Console) -> None:
    """The command `backfill`."""
    from luxwake.daemon.backfill import backfill

    backfill(args.days, console, config=args.config, state=args.state)


def run_status(args: argparse.Namespace, console: Console) -> None:
    """The command `status`."""
    from luxwake.daemon.serve_command import print_status

    print_status(args.url, args.token_file, console)


def run_store(args: argparse.Namespace, console: Console) -> None:
    """The command `store`."""
    from luxwake.daemon import store_command

    place = store_command.place(args.config, args.state)
    if args.part == "query":
        store_command.query(place, args.sql, console)
    elif args.part == "export":
        export = store_command.export_fixes if args.fixes else store_command.export
        export(place, args.out, console)
    elif args.part == "prune":
        store_command.prune(place, args.before, args.positions_before, console)
    else:
        store_command.verify(place, console)


COMMANDS = {
    "serve": run_serve,
    "replay": run_replay,
    "backfill": run_backfill,
    "status": run_status,
    "store": run_store,
    "config": run_config,
}
