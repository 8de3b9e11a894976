"""Ports from a file of the user's: NGA's World Port Index, or a plain CSV.

The World Port Index is the CSV that NGA publishes as UpdatedPub150.csv (US public domain; positions to one minute of
arc, 1.9 km). A plain CSV has the columns locode, name, lat and lon, and may have country and aliases (with semicolons
between). Either may be packed with gzip. What is read is kept in the user's data folder, one table of each kind, and
merged into the shipped table by `geo.port_table`; a process that has already asked for ports goes on with those.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from geo.errors import InputError, OutputError
from geo.place_words import countries_of, words
from geo.port_table import COLUMNS, IMPORTED_FILES, Merged, Port, data_root, merged, read_table, shipped_ports
from geo.whole_file import read_table_text, remove_files, write_text

_WPI = ("Main Port Name", "Alternate Port Name", "UN/LOCODE", "Country Code", "Latitude", "Longitude")
_PLAIN = ("locode", "name", "lat", "lon")
_CODE = re.compile(r"[A-Z]{2}[A-Z0-9]{3}")

Row = Mapping[str, str]


class Imported(NamedTuple):
    """What a file held and what became of it."""

    source: str
    """As the quality of its ports says: "imported: World Port Index"."""
    rows: int
    rejected: Counter[str]
    """Rows that were not taken, by reason."""
    merged: Merged
    path: Path
    """Where the table is kept."""


class _Rejected(Exception):
    """A row that cannot be taken; the reason."""


def import_ports(path: str | Path) -> Imported:
    """Read ports from a file and keep them in the user's data folder, in place of those imported before of its kind.

    Raises InputError for a file that cannot be read or has no column or row that is needed, OutputError when the
    folder cannot be written.
    """
    rows = list(_rows(Path(path)))
    index = all(name in rows[0] for name in _WPI) if rows else False
    if rows and not index and (missing := [name for name in _PLAIN if name not in _lowered(rows[0])]):
        raise InputError(
            f"{path}: no column {', '.join(missing)}; a table of ports has {', '.join(_PLAIN)} (and country, aliases), "
            "or is NGA's World Port Index as CSV"
        )
    source = "World Port Index" if index else " ".join(Path(path).name.replace(";", " ").split())[:60]
    found: dict[str, Port] = {}
    rejected: Counter[str] = Counter()
    for row in rows:
        try:
            port = _index_port(row, found) if index else _plain_port(_lowered(row), source, found)
            found[port.locode] = port
        except _Rejected as reason:
            rejected[str(reason)] += 1
    if not found:
        why = ", ".join(f"{reason}: {n}" for reason, n in rejected.most_common(3)) or "no rows"
        raise InputError(f"{path}: no port in it ({why}); nothing was imported")
    target = data_root() / "ports" / IMPORTED_FILES[1 if index else 0]
    known = shipped_ports()
    below = target.with_name(IMPORTED_FILES[1])
    if not index and below.is_file():
        known = merged(known, read_table(below)).ports
    table = tuple(found[code] for code in sorted(found))
    _write(target, table)
    return Imported(f"imported: {source}", len(rows), rejected, merged(known, table), target)


def remove_imported() -> list[Path]:
    """Remove every imported table; the files that there were. Raises OutputError when one cannot be removed."""
    return remove_files(imported_tables())


def imported_tables() -> list[Path]:
    """The tables that `ports()` merges into the shipped one, the weightier first."""
    return [path for name in IMPORTED_FILES if (path := data_root() / "ports" / name).is_file()]


def _rows(path: Path) -> Iterator[Row]:
    """The rows of a CSV file, packed or not, by their headings."""
    text = read_table_text(path, "a CSV file of ports, plain or .gz", "table of ports")
    reader = csv.DictReader(io.StringIO(text), restval="", restkey="")
    try:
        for row in reader:
            yield {name.strip(): value.strip() for name, value in row.items() if name and isinstance(value, str)}
    except csv.Error as error:
        raise InputError(f"{path}: line {reader.line_num}: {error}; give a CSV file of ports") from None


def _lowered(row: Row) -> dict[str, str]:
    return {name.lower(): value for name, value in row.items()}


def _index_port(row: Row, found: Mapping[str, Port]) -> Port:
    """A row of the World Port Index.

    A row without a code, or with one that an earlier row has, gets country, 0 and its number in the index: longer than
    a UN/LOCODE, and with a digit that those do not have.
    """
    name = _name(row["Main Port Name"])
    lat, lon = _position(row["Latitude"], row["Longitude"])
    code = row["UN/LOCODE"].replace(" ", "").upper()
    if not (_CODE.fullmatch(code) and code[:2] in countries_of((code[:2].lower(),))):
        code = ""
    country = code[:2] or next(iter(countries_of(words(row["Country Code"]))), "")
    number = row.get("World Port Index Number", "").split(".")[0]
    if not country:
        raise _Rejected("country not known")
    if not code or code in found:
        if not re.fullmatch("[0-9]{1,9}", number):
            raise _Rejected("neither a code of its own nor a number")
        code = f"{country}0{int(number):05d}"
    others = (*re.split("[;,]", row["Alternate Port Name"]), *re.findall(r"\(([^)]{4,})\)", name))
    aliases = {" ".join(other.split()) for other in others} - {"", name}
    return Port(code, name, country, lat, lon, "imported: World Port Index", tuple(sorted(aliases)))


def _plain_port(row: Row, source: str, found: Mapping[str, Port]) -> Port:
    """A row of a plain CSV."""
    code = row["locode"].replace(" ", "").upper()
    if not _CODE.fullmatch(code):
        raise _Rejected("no code of two letters and three letters or digits")
    if code in found:
        raise _Rejected("code that an earlier row has")
    name = _name(row["name"])
    lat, lon = _position(row["lat"], row["lon"])
    country = row.get("country", "").upper() or code[:2]
    if not re.fullmatch("[A-Z]{2}", country):
        raise _Rejected("country is not a code of two letters")
    aliases = {" ".join(other.split()) for other in row.get("aliases", "").split(";")} - {"", name}
    return Port(code, name, country, lat, lon, f"imported: {source}", tuple(sorted(aliases)))


def _name(text: str) -> str:
    name = " ".join(text.replace(";", " ").split())
    if not words(name):
        raise _Rejected("no name")
    return name


def _position(lat_text: str, lon_text: str) -> tuple[float, float]:
    try:
        lat, lon = float(lat_text), float(lon_text)
    except ValueError:
        raise _Rejected("position missing or not a number") from None
    if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0):
        raise _Rejected("position not on the globe")
    if lat == lon == 0.0:
        raise _Rejected("position 0, 0")
    return lat, lon


def _write(path: Path, table: tuple[Port, ...]) -> None:
    """All of the table or nothing."""
    advice = "set LUXWAKE_DATA to a folder that can be"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); {advice}") from None
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((*port[:6], ";".join(port.aliases)) for port in table)
    write_text(path, [text.getvalue()], advice)
