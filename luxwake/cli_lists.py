"""The command `lists`: control lists shown, asked, compared, imported, and how far they can be said in HS codes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

from geo.errors import UsageError

if TYPE_CHECKING:
    from luxwake.console import Console


def add_commands(commands: Any, output_options: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add the parsers of this command's parts."""
    parts = commands.add_parser(
        "lists", help="control lists: show, check goods or a file, compare, import your own, coverage by HS codes"
    ).add_subparsers(dest="part", metavar="show|check|diff|import|coverage", required=True)
    show = parts.add_parser("show", help="the regimes, or the rules of one, with the basis of each")
    show.add_argument(
        "regime", nargs="?", metavar="REGIME", help="as UN, or a part of the name; default: all, in short"
    )
    check = parts.add_parser("check", help="what each rule says of goods, or of every row of a shipments file")
    _add_check(check)
    diff = parts.add_parser("diff", help="which HS codes are only in one of two regimes, or only on one of two days")
    diff.add_argument("first", metavar="A", help="a regime, or a day as 2017-06-01")
    diff.add_argument("second", metavar="B", help="another")
    diff.add_argument("--regime", action="append", metavar="R", help="between days: only this regime")
    taken = parts.add_parser("import", help="rules of your own from CSV or TOML, checked row by row")
    taken.add_argument("file", nargs="?", metavar="FILE", help="columns: regime, item, target, hs, hs_version, ...")
    taken.add_argument("--remove", action="store_true", help="take all imported lists away again")
    covered = parts.add_parser("coverage", help="how much of each list stands in HS codes, and how far they agree")
    covered.add_argument("--digits", type=int, choices=(2, 4, 6), default=6, help="digits of the codes (default: 6)")
    covered.add_argument("--related", action="store_true", help="lists about Russia and Syria too")
    covered.add_argument("--sectors", action="store_true", help="bans of whole branches of trade too (UNSCR 2397, ...)")
    covered.add_argument("--plot", metavar="FILE", help="a heat map of the agreement (SVG)")
    for part in (show, diff, covered):
        part.add_argument("--hs-version", type=int, default=2017, metavar="V", help="2007, 2012, 2017 or 2022")
    for part in (show, covered):
        part.add_argument("--date", metavar="D", help="only what is, or may be, in force on this day")
    for part in (show, check, diff, taken, covered):
        output_options(part)


def _add_check(check: argparse.ArgumentParser) -> None:
    """The options of `lists check`."""
    check.add_argument("file", nargs="?", metavar="FILE", help="shipments, as `luxwake run --shipments` takes them")
    check.add_argument("--hs", metavar="CODE", help="the code of the goods, with its zeros")
    check.add_argument("--date", metavar="D", help="the day of the shipment, as 2018-10-01")
    check.add_argument("--text", default="", metavar="TEXT", help="the description of the goods")
    check.add_argument("--value", type=float, metavar="N", help="the value of all of them")
    check.add_argument("--currency", default="", metavar="CUR", help="as USD")
    check.add_argument("--quantity", type=float, metavar="N", help="how many")
    check.add_argument("--unit", default="", metavar="U", help="of what: pcs, kg, l")
    check.add_argument("--to", default="", metavar="CC", help="the country that the goods go to, as KP")
    check.add_argument("--from", dest="origin", default="", metavar="CC", help="the country that they come from")
    check.add_argument("--via", action="append", default=[], metavar="CC", help="a country on the way")
    check.add_argument("--flag", default="", metavar="CC", help="the flag of the ship")
    check.add_argument("--direction", default="", metavar="WAY", help="export (to the country), import, or transit")
    check.add_argument("--hs-version", type=int, metavar="V", help="the version of CODE, where it is known")
    check.add_argument("--regime", action="append", metavar="R", help="only this regime; may be given again")
    check.add_argument("--declared", action="store_true", help="with FILE: from and to where its ports are")
    check.add_argument("--all", action="store_true", help="the rules that say no, too")


def day_of(text: str | None, name: str) -> date | None:
    """A day of an option; UsageError where it is none."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{name} {text[:40]!r} is not a day; write it as 2018-10-01") from None


def run_lists(args: argparse.Namespace, console: Console) -> None:
    """The command `lists`."""
    from luxwake import lists

    if args.part == "show":
        lists.show(args.regime, day_of(args.date, "--date"), args.hs_version, console)
    elif args.part == "check":
        _check(args, console)
    elif args.part == "diff":
        lists.diff(args.first, args.second, args.regime, args.hs_version, console)
    elif args.part == "coverage":
        on = day_of(args.date, "--date")
        lists.coverage(args.hs_version, args.digits, on, args.related, args.sectors, args.plot, console)
    elif args.remove == (args.file is not None):
        raise UsageError("lists import takes a FILE or --remove, one of the two")
    elif args.remove:
        lists.remove(console)
    else:
        lists.import_file(args.file, console)


def _check(args: argparse.Namespace, console: Console) -> None:
    from luxwake import lists

    if (args.file is None) == (args.hs is None):
        raise UsageError("lists check takes a FILE or --hs CODE, one of the two")
    on = day_of(args.date, "--date")
    if args.file is None:
        if args.declared:
            raise UsageError("--declared is for a FILE; say --from and --to")
        said = {"description": args.text, "value": args.value, "currency": args.currency, "quantity": args.quantity}
        said |= {"unit": args.unit, "origin": args.origin, "destination": args.to, "direction": args.direction}
        said |= {"transit": args.via, "flag": args.flag, "hs_version": args.hs_version, "regimes": args.regime}
        lists.check_one(args.hs, on, said, args.all, console)
        return
    given = {"--date": on, "--text": args.text, "--value": args.value, "--via": args.via, "--flag": args.flag}
    given |= {"--quantity": args.quantity, "--unit": args.unit, "--hs-version": args.hs_version}
    if wrong := [name for name, value in given.items() if value]:
        raise UsageError(f"{wrong[0]} does not go with a FILE, whose rows say it")
    if args.declared and (args.to or args.origin):
        raise UsageError("--declared takes the countries of the FILE; leave out --from and --to")
    lists.check_file(args.file, args.origin, args.to, args.declared, args.direction, args.regime, console)


COMMANDS = {"lists": run_lists}
