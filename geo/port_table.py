"""The ports that Luxwake knows: UN/LOCODE, name, position, and how good the position is.

The table that is shipped is `tables/ports.csv` (see `tables/SOURCES.md`); `luxwake ports import` adds tables of the
user's own, which are merged into it here, the same way in every process. A port is one point, so a port that is spread
over a bay is known at one place only.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from geo.errors import InputError
from geo.place_words import core, words
from geo.sphere import distance_m

COLUMNS = ("locode", "name", "country", "lat", "lon", "quality", "aliases")
HAND_CHECKED = "hand-checked"
IMPORTED_FILES = ("own.csv", "world-port-index.csv")
"""In the folder `ports` of the user's data, the weightier first."""
_SAME_PLACE_M = 10_000.0
"""Two sources give one harbour at most this far apart: nine in ten of the codes that searoute and NGA share."""
_OTHER_PLACE_M = 50_000.0
"""Farther apart than this, a shared code is a mistake of one of them: 42 of 1,997."""


class Port(NamedTuple):
    """One port; degrees WGS84. A code with a 0 in it is no UN/LOCODE (those have no 0): we know none for that port."""

    locode: str
    name: str
    country: str
    """ISO 3166 alpha-2."""
    lat: float
    lon: float
    quality: str
    """"hand-checked" (at the berths of a north-east Asian port, compared with a second source), "table" (as searoute
    has it: one in ten of those that can be compared is more than 10 km off), or "imported: " and from where."""
    aliases: tuple[str, ...]
    """Other names and other codes."""


class Merged(NamedTuple):
    """Ports with those of another table among them, and what became of each row of that table."""

    ports: tuple[Port, ...]
    """Sorted by code."""
    added: list[Port]
    updated: list[tuple[Port, float]]
    """As they stand now, and how many metres they moved."""
    confirmed: list[tuple[Port, float]]
    """Hand-checked, so the position stayed; how far off the other table has it."""
    contradicted: list[tuple[Port, Port, float]]
    """Ours and theirs: one code at two places. Ours stayed."""


def data_root() -> Path:
    """The folder of what the user gave Luxwake to keep: `LUXWAKE_DATA`, else `luxwake` in the user's data folder."""
    if override := os.environ.get("LUXWAKE_DATA"):
        return Path(override)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "luxwake"


def read_table(path: Path) -> tuple[Port, ...]:
    """A table with the columns `COLUMNS`: the one that is shipped, or one that was imported.

    Raises InputError when it cannot be read.
    """
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = csv.reader(lines, strict=True)
            if tuple(next(rows, ())) != COLUMNS:
                raise ValueError("the columns are others")
            found = tuple(
                Port(code, name, country, float(lat), float(lon), quality, tuple(filter(None, aliases.split(";"))))
                for code, name, country, lat, lon, quality, aliases in rows
            )
        for port in found:
            if not (abs(port.lat) <= 90.0 and abs(port.lon) <= 180.0):
                raise ValueError(f"{port.locode} at {port.lat}, {port.lon} is not on the globe")
        return found
    except (OSError, ValueError, csv.Error) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise InputError(
            f"{path}: no table of ports ({why}); `luxwake ports import --remove`, then import again"
        ) from None


def shipped_ports() -> tuple[Port, ...]:
    """The ports of the table that is shipped, sorted by code, whatever was imported."""
    return _shipped()


@cache
def _shipped() -> tuple[Port, ...]:
    return read_table(Path(__file__).parent / "tables" / "ports.csv")


@cache
def ports() -> tuple[Port, ...]:
    """All ports, sorted by code: those shipped, and those imported before this process first asked.

    Raises InputError when an imported table is damaged.

    >>> len(ports()) > 3_900, ports()[0].locode
    (True, 'AEABU')
    """
    known = shipped_ports()
    for name in reversed(IMPORTED_FILES):
        path = data_root() / "ports" / name
        if path.is_file():
            known = merged(known, read_table(path)).ports
    return known


@cache
def ports_version() -> str:
    """Which ports these are, for the parameters of a result: a digest of all of them, and where they are from.

    >>> len(ports_version().split(":")[0])
    12
    """
    digest = hashlib.blake2b(repr(ports()).encode(), digest_size=6).hexdigest()
    imported = dict.fromkeys(port.quality for port in ports() if port.quality.startswith("imported"))
    return f"{digest}: {len(ports()):,} ports, {'; '.join(['shipped', *imported])}"


def names_of(port: Port) -> set[str]:
    """Its names as one word each, generic words aside: what two tables must share to mean one place."""
    return {"".join(core(words(name)) or words(name)) for name in (port.name, *port.aliases) if not is_code(name)}


def is_code(alias: str) -> bool:
    """Whether an alias is another code and not a name: those are not written in capitals."""
    return len(alias) == 5 and alias.isascii() and alias.isupper()


def merged(known: Iterable[Port], imported: Iterable[Port]) -> Merged:
    """Known ports with imported ones: found again by code, or by name within 10 km in the same country.

    A hand-checked port keeps its position. Any other takes the imported one, unless that is more than 50 km away
    under another name: then the code is wrong in one of the two tables, and the port stays as it was. Every port found
    again takes over names and codes that it did not have.
    """
    kept = {port.locode: port for port in known}
    by_code = {alias: port.locode for port in kept.values() for alias in port.aliases if is_code(alias)}
    by_code |= {code: code for code in kept}
    by_name: dict[tuple[str, str], list[str]] = {}
    for port in kept.values():
        for name in names_of(port):
            by_name.setdefault((port.country, name), []).append(port.locode)
    found = Merged((), [], [], [], [])
    met: set[str] = set()
    for new in sorted(imported, key=lambda port: port.locode not in by_code):  # codes say more than names
        code = by_code.get(new.locode)
        if code is None or _elsewhere(kept[code], new):
            code = _named_alike(new, by_name, kept) or code
        if code is None:
            kept[new.locode] = new
            by_code[new.locode] = new.locode
            met.add(new.locode)
            found.added.append(new)
        else:
            kept[code] = _with(kept[code], new, code in met, found, by_code)
            met.add(code)
    return found._replace(ports=tuple(kept[code] for code in sorted(kept)))


def _named_alike(new: Port, by_name: dict[tuple[str, str], list[str]], kept: dict[str, Port]) -> str | None:
    """The code of the nearest port of that country within 10 km that shares a name."""
    near = [
        (metres, code)
        for code in {code for name in names_of(new) for code in by_name.get((new.country, name), ())}
        if (metres := distance_m(kept[code].lat, kept[code].lon, new.lat, new.lon)) <= _SAME_PLACE_M
    ]
    return min(near)[1] if near else None


def _elsewhere(old: Port, new: Port) -> bool:
    """Whether two ports of one code are so far apart, under other names, that one of the codes is wrong."""
    far = distance_m(old.lat, old.lon, new.lat, new.lon) > _OTHER_PLACE_M
    return far and not names_of(old) & names_of(new)


def _with(old: Port, new: Port, met: bool, found: Merged, known: dict[str, str]) -> Port:
    """A port with what another table says of it; `met` when an earlier row of that table has moved it already."""
    metres = float(distance_m(old.lat, old.lon, new.lat, new.lon))
    if _elsewhere(old, new) or (met and metres > _OTHER_PLACE_M):
        found.contradicted.append((old, new, metres))
        return old
    aliases = {*old.aliases, *new.aliases, new.name} - {old.name}
    if new.locode not in known and len(new.locode) == 5:  # longer is the number in an index
        aliases.add(new.locode)
    changed = old._replace(aliases=tuple(sorted(aliases)))
    if old.quality == HAND_CHECKED:
        found.confirmed.append((changed, metres))
    elif not met:
        changed = changed._replace(lat=new.lat, lon=new.lon, quality=new.quality)
        found.updated.append((changed, metres))
    return changed


@cache
def _by_code(imported: bool) -> dict[str, Port]:
    """Codes, and aliases that are codes, in capitals; an alias never hides a port's own code."""
    known = ports() if imported else shipped_ports()
    aliases = {alias: port for port in known for alias in port.aliases if is_code(alias)}
    return aliases | {port.locode: port for port in known}


def port_by_code(code: str, imported: bool = True) -> Port | None:
    """The port with a UN/LOCODE, written with or without a space, in any case; other codes in use resolve too.

    Without `imported` only the shipped table is looked at.

    >>> port_by_code("cn dal").name, port_by_code("CNDLC").name, port_by_code("XXXXX")
    ('Dalian', 'Dalian', None)
    """
    return _by_code(imported).get("".join(code.split()).upper())
