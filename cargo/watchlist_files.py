"""The forms in which watch-lists come, each read into entries; a row that cannot be one is left out and counted."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cargo.identifiers import is_missing
from cargo.ofac_aliases import aliases_path, with_aliases
from cargo.party_names import MAX_NAME, clean_text
from cargo.watchlists import KINDS, Entry, Watchlist, day_of, need_entries
from geo.errors import InputError, UsageError

_MOST_TOLD = 100
_MAX_TEXT = 4000
"""Characters of a remark or an address that are kept."""
_NON_COMMERCIAL = "CC BY-NC 4.0 (OpenSanctions): for non-commercial use, or by a licence of theirs"
LICENCES = {
    "OFAC sdn.csv": "US public domain",
    "OFAC vessels": "US public domain",
    "UN 1718 vessels": "United Nations; terms of use on un.org",
    "OpenSanctions maritime": _NON_COMMERCIAL,
    "OpenSanctions targets": _NON_COMMERCIAL,
    "FollowTheMoney": "licence not stated in the file; OpenSanctions' exports are CC BY-NC 4.0",
    "mapped CSV": "licence not stated",
}
MAPPED = (
    *("uid", "kind", "name", "others", "former", "imo", "mmsi", "callsign", "flag", "past_flags", "type", "gross"),
    *("deadweight", "owner", "linked", "countries", "addresses", "program", "listed_on", "delisted_on", "url"),
    "remarks",
)
"""Fields to which a column of any CSV can be mapped; several values in one cell stand apart by semicolons."""

Row = Mapping[str, str]


class Rejects:
    """Rows that were not taken: how many by reason, and the first hundred with their line."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.rows: list[tuple[int, str]] = []

    def add(self, row: int, reason: str) -> None:
        """Count one."""
        self.counts[reason] += 1
        if len(self.rows) < _MOST_TOLD:
            self.rows.append((row, reason))


def read_watchlist(path: Path, name: str, on: str, mapping: Mapping[str, str] | None, licence: str) -> Watchlist:
    """A list from a file of any form that is known."""
    digest = _digest(path)
    with path.open("rb") as stream:
        head = stream.read(1 << 16)
    if head[:2] in (b"\x1f\x8b", b"PK", b"\xff\xfe", b"\xfe\xff"):
        raise InputError(f"{path}: packed or UTF-16; unpack it, and save it as CSV or JSON lines in UTF-8")
    if not head.strip():
        raise InputError(f"{path}: the file is empty; give a watch-list")
    rejects = Rejects()
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if first.startswith(b"{") and mapping is None:
        from cargo.watchlist_ftm import read_ftm

        form, found = "FollowTheMoney", list(read_ftm(_lines(path, rejects), rejects))
    else:
        form, found = _read_csv(path, mapping, rejects)
    why = ", ".join(f"{reason}: {n}" for reason, n in rejects.counts.most_common(3))
    entries = need_entries(path, found, why)
    source = clean_text(path.name)[:200]
    if form == "OFAC sdn.csv" and (beside := aliases_path(path)) is not None:
        entries = tuple(with_aliases(entries, _rows(beside, rejects), rejects.add))
        digest = hashlib.sha256(f"{digest}{_digest(beside)}".encode()).hexdigest()
        source = f"{source} and {clean_text(beside.name)[:200]}"
    return Watchlist(
        name, on, source, form, licence or LICENCES[form], digest, entries, dict(rejects.counts), tuple(rejects.rows)
    )


def _digest(path: Path) -> str:
    """SHA-256 of a file; InputError where it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and its rights") from None


def _lines(path: Path, rejects: Rejects) -> Iterator[str]:
    """Lines of text; one that is not UTF-8 is read as Windows-1252, and counted."""
    with path.open("rb") as stream:
        for n, line in enumerate(stream, start=1):
            if n == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            try:
                yield line.decode("utf-8").replace("\0", "")
            except UnicodeDecodeError:
                rejects.counts["line that is not UTF-8, read as Windows-1252"] += 1
                yield line.decode("cp1252", "replace").replace("\0", "")


def _rows(path: Path, rejects: Rejects) -> Iterator[tuple[int, list[str]]]:
    """Cells of a CSV with the line on which each row ends; a cell without end is counted and left."""
    lines = _lines(path, rejects)
    with path.open("rb") as stream:
        head = stream.readline(1 << 16).decode("utf-8", "replace")
    reader = csv.reader(lines, delimiter=max(",;\t", key=head.count))
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            rejects.add(reader.line_num, str(error))
            continue
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells


def _read_csv(path: Path, mapping: Mapping[str, str] | None, rejects: Rejects) -> tuple[str, list[Entry]]:
    rows = _rows(path, rejects)
    line, first = next(rows, (0, []))
    if mapping is None and len(first) in (11, 12) and first[0].strip().isdigit():
        found = (_sdn(line, cells) for line, cells in _chained((line, first), rows))
        return "OFAC sdn.csv", [entry for entry in found if _taken(entry, rejects)]
    header = [" ".join(cell.strip().lower().replace("_", " ").split()) for cell in first]
    form, make = _form(path, header, mapping)
    found_entries = []
    for line, cells in rows:
        row = dict.fromkeys(header, "") | {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
        entry = make(line, row)
        if _taken(entry, rejects):
            found_entries.append(entry)
    return form, found_entries


def _chained(first: tuple[int, list[str]], rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    yield first
    yield from rows


def _taken(entry: Entry, rejects: Rejects) -> bool:
    """Whether an entry has a name or a number; a name that is too long to be one is a reject."""
    if any(len(name) > MAX_NAME for name in entry.names):
        rejects.add(entry.row, f"name of more than {MAX_NAME} characters")
    elif not (entry.name or entry.imo or entry.mmsi):
        rejects.add(entry.row, "neither name nor number")
    else:
        return True
    return False


def _form(path: Path, header: list[str], mapping: Mapping[str, str] | None) -> tuple[str, Callable[[int, Row], Entry]]:
    """Which form a header is of, and what makes its rows entries."""
    names = set(header)
    if mapping is not None:
        return "mapped CSV", _mapped(path, header, mapping)
    if {"ent num", "name", "program"} <= names:
        return "OFAC vessels", _ofac_vessel
    if {"caption", "type", "imo"} <= names:
        return "OpenSanctions maritime", _maritime
    if {"id", "schema", "name", "aliases"} <= names:
        return "OpenSanctions targets", _target
    if {"vessel name", "imo number"} <= names:
        return "UN 1718 vessels", _un_1718
    shown = ", ".join(name[:30] for name in header[:12])
    raise InputError(
        f"{path}: line 1: a form that is not known (columns {shown}); say which column is which: --map name={header[0]}"
    )


def texts(cell: str, separator: str = ";") -> tuple[str, ...]:
    """The values of a cell, cleaned, each once."""
    parts = (clean_text(part[:_MAX_TEXT]) for part in cell.split(separator))
    return tuple(dict.fromkeys(part for part in parts if not is_missing(part)))


def one(cell: str) -> str:
    """A cell as one cleaned text, "" for a placeholder."""
    text = clean_text(cell[:_MAX_TEXT])
    return "" if is_missing(text) or text == "-0-" else text


def imos(cell: str) -> tuple[str, ...]:
    """The numbers of seven digits in a cell, right or wrong."""
    return tuple(dict.fromkeys(re.findall(r"(?<!\d)\d{7}(?!\d)", cell[:_MAX_TEXT])))


def mmsis(cell: str) -> tuple[str, ...]:
    """The numbers of nine digits in a cell."""
    return tuple(dict.fromkeys(re.findall(r"(?<!\d)\d{9}(?!\d)", cell[:_MAX_TEXT])))


_SDN_KINDS = {"vessel": "vessel", "individual": "person", "aircraft": "other"}


def _sdn(line: int, cells: list[str]) -> Entry:
    """A row of sdn.csv: twelve cells, what is not told as -0-, numbers and other names in the remarks."""
    cells = [*cells, *[""] * 12][:12]
    told = [one(cell) for cell in cells]
    number, name, kind, program, _, callsign, ship_type, tons, gross, flag, owner, remarks = told
    kind = _SDN_KINDS.get(kind.lower(), "organization")
    also = tuple(re.findall(r"(?:a|n)\.k\.a\. '([^']{1,200})'", remarks))
    if kind == "person" and name.count(",") == 1:
        also = (" ".join(reversed([part.strip() for part in name.split(",")])), *also)
    return Entry(
        uid=number,
        kind=kind,
        name=name if len(cells[1]) <= MAX_NAME else cells[1],
        others=also,
        former=tuple(re.findall(r"f\.k\.a\. '([^']{1,200})'", remarks)),
        imo=tuple(re.findall(r"IMO (\d{7})(?!\d)", remarks)),
        mmsi=tuple(re.findall(r"MMSI (\d{9})(?!\d)", remarks)),
        callsign=callsign,
        flag=flag,
        past_flags=tuple(re.findall(r"Former Vessel Flag ([^;.]{1,60})", remarks)),
        type=ship_type,
        gross=gross.replace(",", ""),
        deadweight=tons.replace(",", ""),
        owner=owner,
        linked=tuple(found.strip() for found in re.findall(r"Linked To: ([^;]{1,200}?)(?:\.?$|;)", remarks)),
        identifiers=tuple(
            [("tax", found) for found in re.findall(r"Tax ID No\. ([\w.-]{4,40}\w)", remarks)]
            + [("registration", found) for found in re.findall(r"Registration Number ([\w.-]{4,40}\w)", remarks)]
            + [("email", found) for found in re.findall(r"Email Address ([^\s;]{3,80}@[^\s;]{1,80}\w)", remarks)]
        ),
        program=_programs(program),
        remarks=remarks,
        row=line,
    )


def _programs(text: str) -> tuple[str, ...]:
    """OFAC writes several as "SDGT] [IFSR"."""
    return tuple(part for part in re.split(r"\]\s*\[|;", text.strip("[] ")) if part.strip())


def _ofac_vessel(line: int, row: Row) -> Entry:
    """A row of a table of OFAC's vessels, its remarks already taken apart."""
    return Entry(
        uid=one(row["ent num"]),
        kind="vessel",
        name=row["name"] if len(row["name"]) > MAX_NAME else one(row["name"]),
        others=texts(row.get("aka fka", "")),
        imo=imos(row.get("imo", "")),
        mmsi=mmsis(row.get("mmsi", "")),
        callsign=one(row.get("call sign", "")),
        flag=one(row.get("flag", "")),
        past_flags=texts(row.get("former flags", "")),
        type=one(row.get("vessel type", "")),
        gross=one(row.get("grt", "")),
        deadweight=one(row.get("dwt tonnage", "")),
        owner=one(row.get("owner", "")),
        linked=texts(row.get("linked to", "")),
        program=_programs(row["program"]),
        row=line,
    )


_PARTS = re.compile(r"(?:^|\s)\d[:.] ")
"""The UN sheet numbers several values of one cell: "1: PANAMA 2: TOGO"."""


def _un_1718(line: int, row: Row) -> Entry:
    """A row of the UN's 1718 Designated Vessels List as a sheet; the measures are columns with a mark in them."""
    names = [one(part) for part in _PARTS.split(row["vessel name"])]
    found = [name for name in names if name] or [""]
    if len(row["vessel name"]) > _MAX_TEXT:
        found = [row["vessel name"]]
    measures = [
        name for name, cell in row.items() if name.startswith(("paragraph", "economic")) and not is_missing(cell)
    ]
    owner = one(row.get("designated as economic resources of", "") or row.get("designated owner", ""))
    flags = [one(part) for part in _PARTS.split(row.get("flag", "")) if one(part)]
    day = row.get("date of designation", "") or row.get("designation date", "")
    return Entry(
        uid=next(iter(imos(row["imo number"])), ""),
        kind="vessel",
        name=found[0],
        others=tuple(found[1:]),
        imo=imos(row["imo number"]),
        mmsi=mmsis(row.get("mmsi", "")),
        callsign=one(row.get("call sign", "")),
        flag=flags[0] if flags else "",
        past_flags=tuple(flags[1:]),
        type=one(row.get("type", "")),
        owner=owner,
        program=tuple(clean_text(name)[:200] for name in measures),
        listed_on=day_of(day),
        remarks=one(row.get("other information", "")) + ("" if day_of(day) or not one(day) else f" designated: {day}"),
        row=line,
    )


def _maritime(line: int, row: Row) -> Entry:
    """A row of OpenSanctions maritime.csv."""
    risk = texts(row.get("risk", ""))
    return Entry(
        uid=one(row.get("id", "")),
        kind="vessel" if row["type"].upper() == "VESSEL" else "organization",
        name=row["caption"] if len(row["caption"]) > MAX_NAME else one(row["caption"]),
        others=texts(row.get("aliases", "")),
        imo=imos(row["imo"]),
        mmsi=mmsis(row.get("mmsi", "")),
        flag=one(row.get("flag", "")),
        countries=texts(row.get("countries", "")),
        program=(*risk, *texts(row.get("datasets", ""))),
        listed=any("sanction" in word for word in risk),
        url=one(row.get("url", "")),
        row=line,
    )


def kind_of(schema: str) -> str:
    """Kind of an entry by its FollowTheMoney schema."""
    if schema in ("Organization", "Company", "LegalEntity", "PublicBody", "Asset"):
        return "organization"
    return {"Vessel": "vessel", "Person": "person"}.get(schema, "other")


def _target(line: int, row: Row) -> Entry:
    """A row of OpenSanctions targets.simple.csv; its first day is when OpenSanctions saw it, not when it was listed."""
    programs = texts(row.get("program ids", "")) + texts(row.get("sanctions", ""))
    return Entry(
        uid=one(row["id"]),
        kind=kind_of(row["schema"]),
        name=row["name"] if len(row["name"]) > MAX_NAME else one(row["name"]),
        others=texts(row["aliases"]),
        imo=imos(row.get("identifiers", "")) if row["schema"] == "Vessel" else (),
        mmsi=mmsis(row.get("identifiers", "")) if row["schema"] == "Vessel" else (),
        flag=one(row.get("countries", "").split(";")[0]) if row["schema"] == "Vessel" else "",
        countries=texts(row.get("countries", "").upper()),
        addresses=texts(row.get("addresses", "")),
        identifiers=tuple(
            [("other", text) for text in texts(row.get("identifiers", ""))]
            + [("email", text) for text in texts(row.get("emails", ""))]
            + [("phone", text) for text in texts(row.get("phones", ""))]
        ),
        program=programs,
        listed=bool(programs),
        seen_from=day_of(row.get("first seen", "")),
        row=line,
    )


def _mapped(path: Path, header: list[str], mapping: Mapping[str, str]) -> Callable[[int, Row], Entry]:
    """What makes rows entries by a mapping from field to column."""
    columns: dict[str, str] = {}
    for field, column in mapping.items():
        plain = " ".join(column.strip().lower().replace("_", " ").split())
        if field not in MAPPED:
            raise UsageError(f"--map {field[:40]}: no such field; the fields are {', '.join(MAPPED)}")
        if plain not in header:
            raise InputError(f"{path}: line 1: no column {column[:60]!r}; the file has {', '.join(header)[:300]}")
        columns[field] = plain
    if not {"name", "imo", "mmsi"} & set(columns):
        raise UsageError("--map needs a column for name, imo or mmsi")
    many = {"others": texts, "former": texts, "imo": imos, "mmsi": mmsis, "past_flags": texts, "linked": texts}
    many |= {"countries": texts, "addresses": texts, "program": texts}

    def make(line: int, row: Row) -> Entry:
        told: dict[str, Any] = {}
        for field, column in columns.items():
            cell = row.get(column, "")
            if field in many:
                told[field] = many[field](cell)
            elif field in ("listed_on", "delisted_on"):
                told[field] = day_of(cell)
            else:
                told[field] = cell if field == "name" and len(cell) > MAX_NAME else one(cell)
        kind = str(told.pop("kind", "")).lower()
        ship = "vessel" if columns.keys() & {"imo", "mmsi"} else "organization"
        return Entry(**{"uid": "", "name": "", **told}, kind=kind if kind in KINDS else ship, row=line)

    return make
