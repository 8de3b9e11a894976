"""Control lists of the user's own: a CSV or TOML file, checked row by row and kept in the user's data folder.

A CSV has the columns of `control_rule.COLUMNS`, of which regime, item and target are needed; a TOML file has the same
as `[[rule]]` tables. `verified_by` and `verified_on` are kept as they stand: who compared the row with the law, and
when. An imported regime takes the place of the shipped one of its name.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cargo.control_rule import COLUMNS, REQUIRED, Rule, rule_of
from geo.errors import InputError, OutputError
from geo.port_table import data_root
from geo.whole_file import read_table_text, remove_files, write_text

_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ADVICE = "set LUXWAKE_DATA to a folder that can be"


class Rejected(NamedTuple):
    """A row that was not taken."""

    row: int
    """1-based, the header not counted."""
    line: int
    """In the file, where the file has one row a line."""
    reason: str


class Imported(NamedTuple):
    """What a file held and what became of it."""

    rows: int
    rules: list[Rule]
    rejected: list[Rejected]
    path: Path
    """Where the rules are kept."""

    @property
    def reasons(self) -> Counter[str]:
        """How many rows were not taken, by reason."""
        return Counter(one.reason for one in self.rejected)


def import_lists(path: str | Path) -> Imported:
    """Read rules from a file and keep them in the user's data folder, in place of those from a file of the same name.

    Raises InputError for a file that cannot be read or has no rule that can be taken (nothing is kept then),
    OutputError when the folder cannot be written.
    """
    path = Path(path)
    rows = list(_toml_rows(path) if path.suffix.lower() == ".toml" else _csv_rows(path))
    rules, rejected, seen = [], [], set()
    for number, (line, row) in enumerate(rows, start=1):
        try:
            rule = rule_of({name: _UNSEEN.sub("", value) for name, value in row.items()})
        except ValueError as error:
            rejected.append(Rejected(number, line, str(error)))
            continue
        if rule in seen:
            rejected.append(Rejected(number, line, "the same rule as an earlier row"))
            continue
        seen.add(rule)
        rules.append(rule)
    if not rules:
        why = "; ".join(f"row {one.row}: {one.reason}" for one in rejected[:3]) or "no rows"
        raise InputError(f"{path}: no rule in it ({why}); nothing was imported")
    target = data_root() / "lists" / f"{re.sub(r'[^a-z0-9]+', '-', path.name.lower()).strip('-')[:60] or 'own'}.csv"
    _write(target, rules)
    return Imported(len(rows), rules, rejected, target)


def imported_tables() -> list[Path]:
    """The tables that were imported, by name."""
    return sorted((data_root() / "lists").glob("*.csv"))


def remove_imported() -> list[Path]:
    """Remove every imported table; the files that there were. Raises OutputError when one cannot be removed."""
    return remove_files(imported_tables())


def _read(path: Path) -> str:
    return read_table_text(path, "a CSV or TOML file of rules", "control list")


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    text = _read(path)
    reader = csv.DictReader(io.StringIO(text), restval="", restkey="", strict=True)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        if missing := [name for name in REQUIRED if name not in names]:
            raise InputError(f"{path}: line 1: no column {', '.join(missing)}; a list has {', '.join(COLUMNS)}")
        for row in reader:
            cells = {name.strip().lower(): value for name, value in row.items() if name and isinstance(value, str)}
            yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: {error}; give a CSV file of rules") from None


def _toml_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        made = tomllib.loads(_read(path))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path}: is not TOML ({str(error)[:100]}); write each rule as a [[rule]] table") from None
    rules = made.get("rule")
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise InputError(f"{path}: no [[rule]] table in it; write each rule as one, with {', '.join(REQUIRED)}")
    for rule in rules:
        yield 0, {str(name).lower(): _cell(value) for name, value in rule.items()}


def _cell(value: object) -> str:
    """A value of TOML as a CSV would have it: a list with semicolons, true as 1."""
    if isinstance(value, list):
        return ";".join(_cell(part) for part in value)
    return str(int(value)) if isinstance(value, bool) else str(value)


def cells_of(rule: Rule) -> dict[str, str]:
    """A rule as the cells of a table, from which `rule_of` makes it again."""
    cells = {name: getattr(rule, name) for name in COLUMNS if hasattr(rule, name)}
    much, what = rule.per
    per = {} if rule.limit is None else {"threshold_amount": f"{rule.limit:f}".rstrip("0").rstrip(".")}
    if rule.limit is not None:
        per |= {"threshold_currency": rule.currency, "threshold_per": what if much == 1.0 else f"{much:g} {what}"}
    return cells | {
        "direction": ";".join(rule.directions),
        "hs_version": str(rule.hs_version or ""),
        "hs": ";".join(rule.patterns),
        "is_ex": str(int(rule.is_ex)),
        "qualifier": ";".join(rule.qualifiers),
        "jurisdiction": ";".join(rule.tests),
        "territory": ";".join(rule.territory),
        **per,
    }


def _write(path: Path, rules: list[Rule]) -> None:
    """All of the rules or nothing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); {_ADVICE}") from None
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(cells_of(rule) for rule in rules)
    write_text(path, [text.getvalue()], _ADVICE)
