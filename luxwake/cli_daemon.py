"""The commands of the daemon; their options, and what they call."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from luxwake.console import Console


def add_commands(commands: Any, output_options: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add the parsers of these commands."""
    _add_config(commands, output_options)


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


COMMANDS = {"config": run_config}
