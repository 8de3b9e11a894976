"""`luxwake config check|show|example`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec

from geo.errors import UsageError
from luxwake.console import plain, print_json_lines

if TYPE_CHECKING:
    from luxwake.console import Console


def check(path: str, console: Console) -> None:
    """Print everything that is wrong with a file; raises UsageError where something is."""
    from luxwake.daemon.config import told
    from luxwake.daemon.config_checks import checks

    found = told(path)
    problems = found.problems or tuple(checks(found.config(path)))
    if console.json:
        for one in problems:
            value = None if one.value is msgspec.UNSET else plain(one.shown)
            print_json_lines([{"type": "problem", "path": one.path, "value": value, "said": one.said}])
        print_json_lines([{"type": "summary", "file": path, "problems": len(problems)}])
    else:
        for one in problems[:-1]:
            console.error(f"{path}: {one}")
    if problems:
        raise UsageError(f"{path}: {problems[-1]}")
    if not (console.json or console.quiet):
        print(f"{path}: nothing is wrong")


def show(path: str, console: Console) -> None:
    """Print what holds, without secrets; raises UsageError where the file is wrong."""
    from luxwake.daemon.config import told
    from luxwake.daemon.config_text import shown, shown_text

    found = told(path)
    config = found.config(path)
    if console.json:
        print_json_lines([shown(config, found)])
    else:
        sys.stdout.write(shown_text(config, found))


def example(console: Console) -> None:
    """Print a file to begin with."""
    from luxwake.daemon.config_text import example_text

    if console.json:
        print_json_lines([{"type": "example", "text": example_text()}])
    else:
        sys.stdout.write(example_text())
