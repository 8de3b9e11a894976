"""OFAC's alt.csv: the other names of the entries of sdn.csv, in a file of their own beside it.

Columns, without a header: number of the entry, number of the alias, type (aka, fka, nka), name, remarks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from cargo.party_names import MAX_NAME
from cargo.watchlists import Entry

Count = Callable[[int, str], None]
"""Takes the line and the reason of a row that is not taken."""


def aliases_path(path: Path) -> Path | None:
    """The file of aliases that belongs to an sdn.csv: the same name with alt for sdn; None where there is none.

    >>> aliases_path(Path("nowhere/sdn.csv")) is None
    True
    """
    name = re.sub("sdn", lambda found: "ALT" if found[0].isupper() else "alt", path.name, count=1, flags=re.IGNORECASE)
    beside = path.with_name(name)
    return beside if name != path.name and beside.is_file() else None


def with_aliases(entries: Iterable[Entry], rows: Iterable[tuple[int, list[str]]], count: Count) -> Iterator[Entry]:
    """Entries with the names of alt.csv: fka are former ones, the others stand beside; a person's in both orders.

    Rows that are no alias, and aliases of numbers that the list has not, are given to `count`.
    """
    known = {entry.uid: entry for entry in entries}
    told: dict[str, tuple[list[str], list[str]]] = {}
    for line, cells in rows:
        number, _, kind, name = [" ".join(cell.split()) for cell in (*cells, "", "", "", "")[:4]]
        kind = kind.lower()
        if kind not in ("aka", "fka", "nka") or not name or len(name) > MAX_NAME:
            count(line, "alt.csv: no alias")
        elif number not in known:
            count(line, "alt.csv: alias of a number that is not in the list")
        else:
            told.setdefault(number, ([], []))[kind == "fka"].extend(_orders(known[number], name))
    for uid, entry in known.items():
        others, former = told.get(uid, ((), ()))
        if not others and not former:
            yield entry
            continue
        yield replace(
            entry,
            others=tuple(dict.fromkeys((*entry.others, *others))),
            former=tuple(dict.fromkeys((*entry.former, *former))),
        )


def _orders(entry: Entry, name: str) -> list[str]:
    """A name, and that of a person as "LAST, First" in its usual order too."""
    if entry.kind != "person" or name.count(",") != 1:
        return [name]
    last, first = name.split(",")
    return [f"{first.strip()} {last.strip()}", name]
