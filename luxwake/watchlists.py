"""`luxwake watchlists`: lists from files, which are kept, and whether somebody is on them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from geo.errors import UsageError
from luxwake.console import print_json_lines, printable

if TYPE_CHECKING:
    from cargo.listed import Check, Hit
    from luxwake.console import Console

_NO_LIST = "no watch-list is kept; `luxwake watchlists import FILE --name N --date D` takes one"


def import_file(path: str, name: str, on: str, mapped: Iterable[str], licence: str, console: Console) -> None:
    """Take a list from a file, and print what is in it and what was left out."""
    from cargo.watchlists import import_watchlist, watchlists_folder

    made = import_watchlist(path, name, on, mapping=_mapping(mapped), licence=licence)
    kinds: dict[str, int] = {}
    for entry in made.entries:
        kinds[entry.kind] = kinds.get(entry.kind, 0) + 1
    told = {
        "type": "import", "list": made.name, "date": made.date, "file": made.source, "form": made.form,
        "licence": made.licence, "sha256": made.sha256, "entries": len(made.entries), "kinds": kinds,
        "listed": sum(entry.listed for entry in made.entries), "rejected": dict(made.rejected),
        "rejected_rows": [{"line": line, "why": why} for line, why in made.rejected_rows],
    }  # fmt: skip
    if console.json:
        print_json_lines([told])
        return
    counts = {f"entries: {kind}": n for kind, n in kinds.items()}
    counts["with a day of listing"] = sum(bool(entry.listed_on) for entry in made.entries)
    console.counts(f"{made} ({made.form})", counts)
    console.counts("Not taken, or taken with a doubt", made.rejected)
    console.note(f"licence: {made.licence}")
    console.note(f"kept in {watchlists_folder()}; `luxwake watchlists remove --name '{made.name}'` takes it away")


def _mapping(mapped: Iterable[str]) -> dict[str, str] | None:
    pairs = [part for text in mapped for part in text.split(",") if part.strip()]
    for pair in pairs:
        if "=" not in pair:
            raise UsageError(f"--map {pair[:60]!r}: write FIELD=COLUMN, as name=Ship,imo=IMO No")
    return {field.strip(): column.strip() for field, _, column in (pair.partition("=") for pair in pairs)} or None


def show_lists(console: Console) -> None:
    """Print the lists that are kept."""
    from cargo.watchlists import read_watchlists

    kept = read_watchlists()
    rows = [(one.name, one.date, len(one.entries), one.form, one.licence, one.source) for one in kept.lists]
    if rows or console.json:
        console.table("Watch-lists", ("list", "date", "entries", "form", "licence", "file"), rows)
    else:
        console.note(_NO_LIST)
    for file, why in kept.unreadable:
        console.note(f"{file}: {why}")


def remove(name: str, on: str | None, console: Console) -> None:
    """Take a list away."""
    from cargo.watchlists import remove_watchlist

    gone = remove_watchlist(name, on)
    if console.json:
        print_json_lines([{"type": "removed", "files": [path.name for path in gone]}])
    else:
        console.note(f"removed {', '.join(path.name for path in gone)}" if gone else f"no list {name!r} is kept")


def check(texts: Iterable[str], on: str, console: Console) -> None:
    """Print whether each text is on the lists, then and now."""
    from cargo.listed import Listed
    from cargo.watchlists import read_watchlists

    on = day_asked(on)
    listed = Listed(read_watchlists())
    for text in texts:
        print_check(listed.check(text, on), console)


def day_asked(text: str) -> str:
    """A day as the user gives it; UsageError for any other text."""
    from cargo.watchlists import day_of

    if text and (len(text) != 10 or day_of(text) != text):
        raise UsageError(f"--date {text[:40]!r} is no day; write it like 2018-10-01")
    return text


def print_check(found: Check, console: Console) -> None:
    """Print a check: the hits with then and now, and which lists were asked."""
    if console.json:
        print_json_lines([{"type": "check", **check_json(found)}])
        return
    on = f" on {found.on}" if found.on else ""
    many = len(found.hits) + found.more
    rows = [(h.list, h.entry.name, h.how, _certainty(h), h.then.answer, h.now.answer) for h in found.hits]
    names = ("list", "entry", "found by", "sure", f"listed{on or ' then'}", "listed now")
    console.table(f"{found.subject}: {many or 'no'} {'entry' if many == 1 else 'entries'} of the lists", names, rows)
    for hit in found.hits:
        print(printable(f"{hit.entry.name}: {_why(hit, found.on)}"))
    for note in found.notes:
        console.note(note)
    if found.more:
        console.note(f"{found.more:,} more candidates are not shown")
    asked = "; ".join(f"{name} of {date} ({n:,})" for name, date, n in found.asked)
    console.note(f"asked: {asked}" if asked else _NO_LIST)
    for file, why in found.unreadable:
        console.note(f"could not be read: {file} {why}")


def _certainty(hit: Hit) -> str:
    candidate = hit.sure in ("name", "name alike", "number alone")
    return f"candidate: {hit.sure}" if candidate else hit.sure


def _why(hit: Hit, on: str) -> str:
    then, now = f"on {on} {hit.then.answer}, {hit.then.why}", f"now {hit.now.answer}, {hit.now.why}"
    told = [f"{hit.list} line {hit.entry.row}", *([then] if on else []), now]
    told += [f"against: {hit.against}"] if hit.against else []
    told += [f"program {', '.join(hit.entry.program)}"] if hit.entry.program else []
    return "; ".join(told)


def check_json(found: Check) -> dict[str, Any]:
    """A check as plain data."""
    from cargo.listings import hit_json

    return {
        "subject": found.subject,
        "date": found.on or None,
        "asked": [{"list": name, "date": date, "entries": n} for name, date, n in found.asked],
        "unreadable": [{"file": file, "why": why} for file, why in found.unreadable],
        "hits": [hit_json(hit) for hit in found.hits],
        "more": found.more,
        "notes": list(found.notes),
    }
