"""`luxwake lists`: what control lists say, of goods or of a file, and how far they agree."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from cargo import hs
from cargo.control import STATUSES, ControlLists, Verdict, overall
from cargo.control_judge import NO_RULE, NOT_CONTROLLED
from geo.errors import UsageError
from luxwake.console import print_json_lines, printable

if TYPE_CHECKING:
    from cargo.control_rule import Rule
    from luxwake.console import Console

_MOST_ROWS = 20
_MOST_HEADINGS = 25
_WIDTH = 112
_TEXT_SHOWN = 70


def _known_version(version: int) -> int:
    if version not in hs.VERSIONS:
        raise UsageError(f"--hs-version {version} is not one of {', '.join(map(str, hs.VERSIONS))}")
    return version


def show(regime: str | None, on: date | None, hs_version: int, console: Console) -> None:
    """Print the regimes, or the rules of one."""
    lists = ControlLists.known()
    if regime is None:
        _show_regimes(lists, on, _known_version(hs_version), console)
        return
    rules = [rule for rule in lists.of([regime]).rules if on is None or rule.in_force(on) is not False]
    rows = [_rule_row(rule, on) for rule in rules]
    if console.json:
        print_json_lines({"type": "rule", **row} for row in rows)
        return
    when = f" on {on}" if on else ""
    print(f"{rules[0].regime if rules else regime}: {len(rules)} rules{when}\n")
    for row in rows:
        limit = f", above {row['limit']}" if row["limit"] else ""
        only = f", only: {row['qualifier'] or 'a part of the codes'}" if row["is_ex"] and row["hs"] else ""
        _print_block(row["item"], row["text"], f"HS {row['hs_version']}: {row['hs'] or 'not in the data'}{only}{limit}")
        ending = f" to {row['valid_to']}" if row["valid_to"] else ""
        doubt = " (may not be in force on that day)" if row["in_force"] == "unknown" else ""
        way = f"{'; '.join(row['direction'])} {row['target']}"
        _print_block("", f"{way}, from {row['valid_from'] or 'unknown'}{ending}{doubt}; basis: {row['basis']}")


def _rule_row(rule: Rule, on: date | None) -> dict[str, Any]:
    much, what = rule.per
    limit = (
        "" if rule.limit is None else f"{rule.currency} {rule.limit:g} per {f'{much:g} ' if much != 1 else ''}{what}"
    )
    in_force = None if on is None else {True: "yes", None: "unknown", False: "no"}[rule.in_force(on)]
    return {
        **{name: getattr(rule, name) for name in ("regime", "item", "text", "target", "subject", "valid_from")},
        **{name: getattr(rule, name) for name in ("valid_to", "hs_version", "codes_from", "is_ex", "source")},
        **{"direction": list(rule.directions), "hs": ";".join(rule.patterns), "limit": limit, "in_force": in_force},
        **{"qualifier": " and ".join(rule.qualifiers), "basis": rule.basis_words, "verified": rule.verified},
    }


def _show_regimes(lists: ControlLists, on: date | None, hs_version: int, console: Console) -> None:
    from cargo.control_coverage import coverage

    names = (
        "regime",
        "about",
        "items",
        "codes in law",
        "mapped by us",
        "no codes",
        "unverified",
        "HS6 whole",
        "in part",
    )
    targets = {rule.regime: rule.target for rule in lists.rules}
    rows = [
        (r.regime, targets[r.regime], r.items, r.in_law, r.mapped, r.without, r.unverified, r.whole_codes, r.part_codes)
        for r in coverage(lists, hs_version, 6, on).regimes
    ]
    console.table(f"Control lists ({lists.version})", names, rows)
    console.note("unverified: the basis is knowledge, and nobody has compared the rows with the law (UNVERIFIED)")


def _print_block(head: str, *lines: str) -> None:
    if head:
        print(printable(head))
    for line in lines:
        print(
            textwrap.fill(
                printable(line), _WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
            )
        )


def check_one(code: str, on: date | None, said: Mapping[str, Any], show_all: bool, console: Console) -> None:
    """Print what each rule says of one shipment."""
    lists = ControlLists.known()
    verdicts = lists.check(hs_code=code, date=on, **said)
    status = overall(verdicts)
    if console.json:
        print_json_lines({"type": "verdict", **verdict.as_row()} for verdict in verdicts)
        print_json_lines([{"type": "overall", "status": status, "lists": lists.version, "hs_code": code}])
        return
    digits = hs.code_of(code)
    version = said["hs_version"] or (hs.version_in_force(on) if on else None) or hs.VERSIONS[-1]
    words = hs.description(digits, version)
    print(f"HS {digits}{f': {words}' if words else ''}\n{status}\n")
    whole_lists = [v for v in verdicts if v.rule and not v.rule.patterns and v.status != NOT_CONTROLLED]
    shown = [v for v in verdicts if v not in whole_lists and (show_all or v.status != NOT_CONTROLLED)]
    for verdict in shown:
        _print_verdict(verdict)
    if whole_lists:
        marked = (f"{v.regime} ({v.basis})" for v in whole_lists)
        _print_block("cannot tell, because the list's items are not in the data:", ", ".join(marked))
    if hidden := len(verdicts) - len(shown) - len(whole_lists):
        console.note(f"{hidden} rules say no (not in force, another country, ...); --all shows them")


def _print_verdict(verdict: Verdict) -> None:
    rule = f"{verdict.rule.label}" if verdict.rule else ""
    lines = [verdict.reason]
    if verdict.rule:
        lines = [f'"{verdict.rule.text}"', f"because {verdict.reason}", f"basis: {verdict.basis}"]
    if verdict.assumes:
        lines.append(f"if {' and '.join(verdict.assumes)}")
    _print_block(f"{verdict.status:<15} {rule}", *lines)


def check_file(
    path: str,
    origin: str,
    destination: str,
    declared: bool,
    direction: str,
    regimes: Sequence[str] | None,
    console: Console,
) -> None:
    """Print what the lists say of each row of a shipments file."""
    from ais.table import NAT
    from cargo.control_facts import Facts
    from cargo.control_screen import screen
    from cargo.shipments import read_shipments

    Facts.of(origin=origin, destination=destination, direction=direction)  # what cannot be meant is said at once
    lists = ControlLists.known().of(regimes)
    rows = read_shipments(path)
    ends = [[str(port)[:2] for port in rows[name].tolist()] for name in ("load_port", "discharge_port")]
    t = np.where(rows["t_depart"] != NAT, rows["t_depart"], rows["t_arrive"])
    unit = rows["quantity_unit"] if "quantity_unit" in rows.columns else None
    said = {name: rows[name] for name in ("description", "value", "currency", "quantity") if name in rows.columns}
    start, end = ends if declared else (origin, destination)
    screened = screen(lists, rows["hs_code"], t, unit=unit, origin=start, destination=end, direction=direction, **said)
    if console.json:
        made = [[v.as_row() for v in of if v.status != NOT_CONTROLLED] for of in screened.cases]
        for row, case, status in zip(rows["row"].tolist(), screened.case, screened.status, strict=True):
            words = {"type": "row", "row": row, "status": STATUSES[status], "verdicts": made[case]}
            print_json_lines([words])
        print_json_lines([{"type": "summary", "lists": lists.version, "counts": screened.counts()}])
        return
    counts = {f"{status}": number for status, number in screened.counts().items() if number}
    console.counts("Rows by what the lists say", counts)
    texts = rows["description"].tolist()
    order = [row for row in np.argsort(screened.status, kind="stable").tolist() if screened.status[row] < 2]
    for row in order[:_MOST_ROWS]:
        verdict = screened.of_row(row)[0]
        label = f"{verdict.rule.label}: " if verdict.rule else ""
        basis = f" ({verdict.basis})" if verdict.rule else ""
        assumed = f", if {' and '.join(verdict.assumes)}" if verdict.assumes else ""
        head = f"row {rows['row'][row]}  HS {rows['hs_code'][row] or 'unknown'}  {texts[row][:_TEXT_SHOWN]}"
        _print_block(head, f"{verdict.status}: {label}{verdict.reason}{assumed}{basis}")
    if len(order) > _MOST_ROWS:
        console.note(f"{len(order) - _MOST_ROWS:,} more rows with --json")
    console.note(f"{rows.name}: {len(rows):,} rows, lists {lists.version}")


def diff(first: str, second: str, regimes: Sequence[str] | None, hs_version: int, console: Console) -> None:
    """Print which codes are only in one of two regimes, or only on one of two days."""
    from cargo.control_coverage import by_heading, codes_in, difference

    lists, version = ControlLists.known(), _known_version(hs_version)
    days = [_day(text) for text in (first, second)]
    if (days[0] is None) != (days[1] is None):
        raise UsageError(f"{first} and {second}: compare two regimes or two days, not one with the other")
    if days[0] is not None:
        lists = lists.of(regimes)
        found = difference(*(codes_in(lists.rules, version, day) for day in days))
    elif regimes:
        raise UsageError("--regime is for two days; the regimes to compare are A and B")
    else:
        found = difference(*(codes_in(lists.of([name]).rules, version) for name in (first, second)))
        lists = lists.of([first, second])
    doubtful = lists.with_unverified()
    if console.json:
        halves = {"only_first": found.only_first, "only_second": found.only_second, "both": found.both}
        halves["regimes_with_unverified_rows"] = list(doubtful)
        print_json_lines([{"type": "difference", "first": first, "second": second, "hs_version": version, **halves}])
        return
    print(f"HS {version}, codes covered whole or in part: {len(found.both):,} in both")
    print(f"UNVERIFIED rows, which rest on knowledge only, are among the rules of: {', '.join(doubtful) or 'none'}\n")
    for name, codes in ((first, found.only_first), (second, found.only_second)):
        rows = [(heading, n, text[:_TEXT_SHOWN]) for heading, n, text in by_heading(codes, version)]
        console.table(f"Only in {name}: {len(codes):,} codes", ("heading", "codes", "goods"), rows[:_MOST_HEADINGS])
        if len(rows) > _MOST_HEADINGS:
            console.note(f"{len(rows) - _MOST_HEADINGS} more headings with --json")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def import_file(path: str, console: Console) -> None:
    """Take rules from a file, and print what became of its rows."""
    from cargo.control_import import import_lists

    done = import_lists(path)
    regimes = dict.fromkeys(rule.regime for rule in done.rules)
    if console.json:
        rejected = [one._asdict() for one in done.rejected]
        counted = {"rows": done.rows, "rules": len(done.rules), "regimes": list(regimes), "rejected": rejected}
        print_json_lines([{"type": "import", "file": str(done.path), **counted}])
        return
    signed = sum(bool(rule.verified_by) for rule in done.rules)
    console.counts(path, {"rows read": done.rows, "rules taken": len(done.rules), "of them signed": signed})
    if done.rejected:
        rows = [(one.row, one.line or None, one.reason) for one in done.rejected[:_MOST_ROWS]]
        console.table(f"Rows left out: {len(done.rejected):,}", ("row", "line", "reason"), rows)
    console.note(f"regimes: {', '.join(regimes)}; kept in {done.path}; `luxwake lists import --remove` takes it away")


def remove(console: Console) -> None:
    """Take imported lists away."""
    from cargo.control_import import remove_imported

    gone = [str(path) for path in remove_imported()]
    if console.json:
        print_json_lines([{"type": "removed", "files": gone}])
    else:
        console.note(f"removed {', '.join(gone)}" if gone else "nothing was imported")


def coverage(
    hs_version: int, digits: int, on: date | None, related: bool, sectors: bool, plot: str | None, console: Console
) -> None:
    """Print how much of each regime stands in codes, how far regimes agree, and what `ex` codes do to that."""
    from cargo.control_coverage import coverage as covered

    lists = ControlLists.known() if related else ControlLists.known().of(target="KP")
    if not sectors:
        lists = ControlLists(rule for rule in lists.rules if rule.subject == "luxury")
    made = covered(lists, _known_version(hs_version), digits, on)
    if plot is not None:
        from luxwake.heat_map import write_heat_map

        write_heat_map(made, plot)
    if console.json:
        rows = [{name: getattr(row, name) for name in row.__dataclass_fields__} for row in made.regimes]
        print_json_lines({"type": "coverage", "hs_version": hs_version, "digits": digits, **row} for row in rows)
        tables = {"with_ex": made.agreement, "without_ex": made.agreement_without_ex}
        print_json_lines([{"type": "agreement", "regimes": made.names, "lists": lists.version, **tables}])
        return
    names = ("regime", "items", "in law", "mapped by us", "no codes", "unverified", f"HS{digits} whole", "in part")
    shown = ("regime", "items", "in_law", "mapped", "without", "unverified", "whole_codes", "part_codes")
    cells = [tuple(getattr(row, name) for name in shown) for row in made.regimes]
    console.table(f"How much of each list stands in codes of HS {hs_version}", names, cells)
    _agreement(f"Agreement (Jaccard, %), HS{digits}, codes in part counted", made.names, made.agreement, console)
    _agreement("The same without codes in part", made.names, made.agreement_without_ex, console)
    console.note(f"lists {lists.version}; - is unknown: one of the two has no such code; {NO_RULE!r} is not 'no'")


def _agreement(title: str, names: Sequence[str], table: Sequence[Sequence[float | None]], console: Console) -> None:
    heads = ("", "", *(str(n) for n in range(1, len(names) + 1)))
    rows = [
        (str(n), name, *("-" if value is None else f"{100 * value:.0f}" for value in table[n - 1]))
        for n, name in enumerate(names, start=1)
    ]
    console.table(title, heads, rows)
