"""Watch-lists: lists of sanctioned and other noted ships, firms and people, each kept with its name and its date.

A list is a statement of one day. Luxwake ships none and fetches none: the user imports files, of as many dates as
there are, into the folder `watchlists` of the user's data. Every entry keeps where it stood, and what the list gives
of dates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import InputError, OutputError, UsageError
from geo.port_table import data_root
from geo.whole_file import remove_files, write_text

if TYPE_CHECKING:
    from cargo.ships import Ship

KINDS = ("vessel", "organization", "person", "other")
_FORM = 1
"""Version of the files that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One ship, firm or person of a list, as the list has it. Texts "" and tuples empty where it says nothing.

    Dates are ISO 8601 days. `listed` is false for what a file tells beside the listed ones, such as their owners.
    `seen_from` is the day from which a collector of lists had seen the entry: it was listed on that day or before.
    """

    uid: str
    kind: str
    name: str
    others: tuple[str, ...] = ()
    former: tuple[str, ...] = ()
    imo: tuple[str, ...] = ()
    mmsi: tuple[str, ...] = ()
    callsign: str = ""
    flag: str = ""
    past_flags: tuple[str, ...] = ()
    type: str = ""
    gross: str = ""
    deadweight: str = ""
    owner: str = ""
    linked: tuple[str, ...] = ()
    """Names of others with which the list ties this one, each as "role: name" or the name alone."""
    countries: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()
    program: tuple[str, ...] = ()
    listed: bool = True
    listed_on: str = ""
    delisted_on: str = ""
    seen_from: str = ""
    founded_on: str = ""
    url: str = ""
    remarks: str = ""
    row: int = 0
    """1-based line of the file on which it stands."""

    @property
    def names(self) -> tuple[str, ...]:
        """All its names, each once, the foremost first."""
        return tuple(dict.fromkeys((self.name, *self.others, *self.former)))


@dataclass(frozen=True, slots=True)
class Watchlist:
    """A list of one day: its entries, where it came from, under what licence, and what of the file was not taken."""

    name: str
    date: str
    source: str
    form: str
    licence: str
    sha256: str
    entries: tuple[Entry, ...]
    rejected: Mapping[str, int]
    rejected_rows: tuple[tuple[int, str], ...] = ()
    """The first hundred lines that were not taken, with the reason."""

    def __str__(self) -> str:
        return f"{self.name} of {self.date}"


@dataclass(frozen=True, slots=True)
class Kept:
    """The lists that are kept, by name and date, and the files that could not be read, with the reason."""

    lists: tuple[Watchlist, ...]
    unreadable: tuple[tuple[str, str], ...] = ()


def watchlists_folder() -> Path:
    """Where imported lists are kept."""
    return data_root() / "watchlists"


def import_watchlist(
    path: str | Path, name: str, on: str, *, mapping: Mapping[str, str] | None = None, licence: str = ""
) -> Watchlist:
    """Read a list from a file and keep it, in place of one of the same name and date.

    Parameters
    ----------
    path
        OFAC's sdn.csv (with its alt.csv, where that lies beside it) or a table of its vessels, the UN 1718 vessels
        sheet, OpenSanctions maritime.csv or targets.simple.csv, FollowTheMoney JSON lines; or any CSV with `mapping`.
    name
        What the list is called; lists of one name and different dates are one list over time.
    on
        The day of which the list is, as YYYY-MM-DD.
    mapping
        Column by field of `Entry`: {"name": "Ship", "imo": "IMO No"}.
    licence
        What the licence of the file says; by default what is known of its form.

    Raises InputError for a file that cannot be read or has no entry, UsageError for a date or a name that cannot be
    meant.
    """
    from cargo.watchlist_files import read_watchlist

    _check(name, on)
    made = read_watchlist(Path(path), name.strip(), on, mapping, licence)
    target = watchlists_folder() / f"{_slug(made.name)}@{made.date}.jsonl"
    _refuse_other(target, made.name)
    head = _plain(replace(made, entries=())) | {"luxwake_watchlist": _FORM}
    lines = (json.dumps(one, ensure_ascii=False, sort_keys=True) + "\n" for one in (head, *map(_plain, made.entries)))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{target.parent}: cannot be written ({error.strerror}); set LUXWAKE_DATA to a folder that can be"
        ) from None
    write_text(target, lines, "set LUXWAKE_DATA to a folder that can be")
    return made


def read_watchlists() -> Kept:
    """All lists that are kept; one that cannot be read is named and never left out in silence."""
    lists, unreadable = [], []
    folder = watchlists_folder()
    for path in sorted(folder.glob("*.jsonl")) if folder.is_dir() else []:
        try:
            lists.append(_read(path))
        except (OSError, ValueError, KeyError, TypeError) as error:
            why = (error.strerror if isinstance(error, OSError) else None) or "is damaged; import the list again"
            unreadable.append((path.name, why))
    return Kept(tuple(sorted(lists, key=lambda one: (one.name, one.date))), tuple(unreadable))


def remove_watchlist(name: str, on: str | None = None) -> list[Path]:
    """Take a list away, of one date or of all; the files that there were."""
    wanted = f"{_slug(name)}@{on or '*'}.jsonl"
    return remove_files(sorted(watchlists_folder().glob(wanted)))


def ship_of(entry: Entry, source: str) -> Ship:
    """A vessel of a list as a `cargo.ships.Ship`; its facts are told by the list, for no time that is known."""
    from ais.imo import imo_valid
    from ais.table import NAT
    from cargo.ships import Fact, Ship, facts_of

    told = {kind: getattr(entry, kind) for kind in ("callsign", "flag", "type", "gross", "deadweight", "owner")}
    facts = list(facts_of(told, NAT, NAT, source))
    facts += [Fact("name", name, NAT, NAT, source) for name in (entry.name, *entry.others) if name]
    facts += [Fact("name", name, NAT, NAT, f"{source}, former name") for name in entry.former if name]
    facts += [fact for mmsi in entry.mmsi for fact in facts_of({"mmsi": mmsi}, NAT, NAT, source)]
    facts += [
        fact for flag in entry.past_flags for fact in facts_of({"flag": flag}, NAT, NAT, f"{source}, former flag")
    ]
    numbers = [int(text) for text in entry.imo if text.isascii() and text.isdigit() and len(text) == 7]
    imo = next((number for number in numbers if imo_valid(number)), 0)
    return Ship(entry.uid, imo, tuple(facts))


def _check(name: str, on: str) -> None:
    if not _slug(name):
        raise UsageError(f"watch-list name {name[:40]!r} has no letter or digit; give one such as 'OFAC SDN'")
    try:
        if date.fromisoformat(on).isoformat() != on:
            raise ValueError
    except ValueError:
        raise UsageError(f"watch-list date {on[:40]!r} is no day; write it like 2023-11-17") from None


def _slug(name: str) -> str:
    """A name for a file."""
    from cargo.party_names import latin

    return re.sub(r"[^a-z0-9]+", "-", latin(name[:200]).lower())[:60].strip("-")


def _refuse_other(target: Path, name: str) -> None:
    """UsageError where another list, of a name that makes the same file, would be written over."""
    if target.is_file():
        try:
            other = _read(target).name
        except (OSError, ValueError, KeyError, TypeError):
            return  # damaged: the new one takes its place
        if other != name:
            raise UsageError(f"the list {other!r} is kept as {target.name} already; give {name[:60]!r} another name")


def _plain(value: Entry | Watchlist) -> dict[str, Any]:
    """A record as JSON has it, without what says nothing; `dataclasses.asdict` would copy every text of a million."""
    return {key: part for key in value.__slots__ if (part := getattr(value, key)) not in ("", (), 0)}


def _read(path: Path) -> Watchlist:
    with path.open(encoding="utf-8") as stream:
        head = json.loads(next(stream, ""))
        if head.pop("luxwake_watchlist") != _FORM:
            raise ValueError(path)
        entries = tuple(_entry(json.loads(line)) for line in stream)
    rows = tuple((int(row), str(why)) for row, why in head.pop("rejected_rows", ()))
    texts = {field.name: str(head.get(field.name, "")) for field in fields(Watchlist)[:6]}
    return Watchlist(**texts, entries=entries, rejected=head.get("rejected", {}), rejected_rows=rows)


_TUPLES = frozenset(
    ("others", "former", "imo", "mmsi", "past_flags", "linked", "countries", "addresses", "program"),
)


def _entry(told: dict[str, Any]) -> Entry:
    made: dict[str, Any] = {key: tuple(value) if key in _TUPLES else value for key, value in told.items()}
    made["identifiers"] = tuple((kind, value) for kind, value in told.get("identifiers", ()))
    made["listed"] = told.get("listed", False)  # what says nothing is not written, and false says nothing
    return Entry(**{"uid": "", "name": "", **made})


def day_of(text: str) -> str:
    """A day as ISO 8601, "" for what may be two days or none.

    >>> day_of("2018-10-01T00:00:00"), day_of("4 Jun. 2020"), day_of("June 4, 2020"), day_of("04/06/2020")
    ('2018-10-01', '2020-06-04', '2020-06-04', '')
    """
    text = text.strip()[:40]
    if found := re.match(r"(\d{4})-(\d{2})-(\d{2})(?!\d)", text):
        year, month, day = map(int, found.groups())
    elif found := re.fullmatch(r"(\d{1,2})[ -]([A-Za-z]{3,9})\.?,?[ -](\d{4})", text):
        day, month, year = int(found[1]), _month(found[2]), int(found[3])
    elif found := re.fullmatch(r"([A-Za-z]{3,9})\.? (\d{1,2}),? (\d{4})", text):
        day, month, year = int(found[2]), _month(found[1]), int(found[3])
    else:
        return ""
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""


def _month(word: str) -> int:
    months = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
    return months.index(word[:3].lower()) + 1 if word[:3].lower() in months else 0


def need_entries(path: Path, entries: Iterable[Entry], why: str) -> tuple[Entry, ...]:
    """The entries of a file; InputError where there are none."""
    found = tuple(entries)
    if not found:
        raise InputError(f"{path}: no entry in it ({why or 'no rows'}); nothing was imported")
    return found
