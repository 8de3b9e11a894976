"""`luxwake trade mirror`: who reported exports of luxuries, as a band, with what speaks against each reporter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cargo.comtrade import read_comtrade
from cargo.control import ControlLists
from cargo.control_rule import UNVERIFIED
from cargo.mirror import PARTNERS, UNION, Mirror, Tally, mirror
from luxwake.console import print_json_lines

if TYPE_CHECKING:
    from luxwake.console import Console

_MARKS = {True: "speaks against", False: "nothing against", None: "unknown"}


def run_mirror(
    paths: Sequence[str],
    partner: str,
    years: range,
    regimes: Sequence[str] | None,
    reporters: bool,
    plot: str | None,
    console: Console,
) -> None:
    """Print the band, by list and year, with and without codes in part, and what was not summed."""
    tables = [read_comtrade(path) for path in paths]
    lists = ControlLists.known().of(regimes)
    made = mirror(tables, partner, years, lists)
    left_out = Counter(made.dropped)
    for table in tables:
        for one in table.rejects:
            left_out[f"row that cannot be read: {one.reason}"] += 1
    unverified = lists.of(target=PARTNERS[partner][1]).with_unverified()
    if plot is not None:
        from luxwake.mirror_chart import write_mirror_chart

        write_mirror_chart(made, plot)
    if console.json:
        _print_json(made, left_out, unverified)
        return
    _print_tables(made, unverified, console)
    if reporters:
        names = ("reporter", "year", "US$, whole codes", "US$, with ex", *_check_names(made))
        console.table("Reporters, any of the lists", names, [_cells(row) for row in _reporters(made)])
    console.counts("Rows left out, so that nothing is summed twice", left_out)
    console.note(f"lists {made.lists_version}; a check that speaks against is consistent with an error, and no proof")


def _print_tables(made: Mirror, unverified: Sequence[str], console: Console) -> None:
    span = f"{made.years[0]}-{made.years[-1]}" if len(made.years) > 1 else str(made.years[0])
    all_years = made.tally()
    band = f"{all_years.passed} to {all_years.as_reported}"
    title = f"Reporters of listed luxuries to {made.partner}, {span}: {band}"
    rows = [
        (
            str(tally.year or span), tally.as_reported, tally.not_contradicted, tally.passed,
            round(tally.value_usd), round(tally.value_not_contradicted_usd),
        )
        for tally in made.tallies
        if tally.regime == UNION and tally.with_ex
    ]  # fmt: skip
    names = ("year", "as reported", "not contradicted", "passed all checks", "US$ reported", "US$ not contradicted")
    console.table(title, names, rows)
    checked = Counter(
        (check.name, check.speaks_against) for key, of in made.checks.items() for check in of if key[1] in made.years
    )
    table = [(name, *(checked[name, answer] for answer in (True, False, None))) for name in _check_names(made)]
    console.table("Checks, by reporter and year", ("check", *_MARKS.values()), table)
    whole = {(t.regime, t.year): t for t in made.tallies if not t.with_ex}
    rows_by_list = [
        (*_list_row(tally, whole[tally.regime, 0]), _mark(tally.regime, unverified))
        for tally in made.tallies
        if tally.with_ex and not tally.year
    ]
    heads = ("list", "reporters", "left", "US$", "whole codes: reporters", "left", "US$ ", "rows by knowledge")
    console.table(f"Sensitivity to the list and to codes in part (ex), {span}", heads, rows_by_list)
    console.note("left: not contradicted by any check")


def _check_names(made: Mirror) -> list[str]:
    return list(dict.fromkeys(check.name for of in made.checks.values() for check in of))


def _mark(regime: str, unverified: Sequence[str]) -> str:
    return UNVERIFIED if regime in unverified or (regime == UNION and unverified) else "none"


def _list_row(tally: Tally, whole: Tally) -> tuple[Any, ...]:
    first = (tally.regime, tally.as_reported, tally.not_contradicted, round(tally.value_usd))
    return (*first, whole.as_reported, whole.not_contradicted, round(whole.value_usd))


def _reporters(made: Mirror) -> list[dict[str, Any]]:
    """Every reporter and year under any of the lists, the largest value first."""
    order = sorted(made.values[UNION].items(), key=lambda item: (-item[1][1], item[0]))
    return [
        {
            "reporter_code": key[0],
            "reporter": made.reporters[key[0]],
            "year": key[1],
            "value_whole_usd": whole,
            "value_usd": every,
            "checks": {
                check.name: {"answer": _MARKS[check.speaks_against], "why": check.why} for check in made.checks[key]
            },
        }
        for key, (whole, every) in order
    ]


def _cells(row: dict[str, Any]) -> tuple[Any, ...]:
    money = (round(row["value_whole_usd"]), round(row["value_usd"]))
    return (row["reporter"], str(row["year"]), *money, *(said["answer"] for said in row["checks"].values()))


def _print_json(made: Mirror, left_out: Counter[str], unverified: Sequence[str]) -> None:
    print_json_lines(
        {"type": "tally", **{name: getattr(tally, name) for name in Tally.__dataclass_fields__}}
        for tally in made.tallies
    )
    print_json_lines({"type": "reporter", **row} for row in _reporters(made))
    said: dict[str, Any] = {"partner": made.partner, "years": list(made.years), "lists": made.lists_version}
    said |= {"left_out": dict(left_out), "regimes_with_unverified_rows": list(unverified)}
    print_json_lines([{"type": "summary", **said}])
