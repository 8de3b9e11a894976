"""A register of ships from a CSV file: what an IMO number ought to look like, and which ships are no more.

Column names are taken as they come (`COLUMNS`); only the IMO number is needed. A row says that a ship is gone by a date
in `gone`, or by a word like "scrapped" or "total loss" in `status`. Numbers with a wrong check digit, and rows that say
a second thing of a number, are counted and not used. No register comes with Luxwake.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path

from ais.flags import flag_code
from ais.imo import imo_valid
from ais.table import NAT
from geo.errors import InputError
from geo.place_words import countries_of, words

COLUMNS: Mapping[str, str] = {
    "imo": "imo imono imonumber lrimo lrimono lrno lrimoshipno",
    "name": "name shipname vesselname vessel ship",
    "former": "akafka formernames formername exnames exname previousname previousnames aliases",
    "flag": "flag flagname flagcode flagstate vesselflag country registry",
    "callsign": "callsign radiocallsign",
    "mmsi": "mmsi mmsinumber maritimemobileserviceidentity",
    "type": "type vesseltype shiptype vesstype",
    "built": "built yearbuilt builtyear yearofbuild builddate dateofbuild",
    "status": "status shipstatus vesselstatus state",
    "gone": "scrapped scrappeddate dateofscrapping lost lostdate dateoflost gone demolished brokenup statusdate",
    "length": "length lengthm loa loam lengthoverall lengthoverallm",
    "beam": "beam beamm breadth breadthm width breadthextreme",
}
"""Headers by column: letters and digits in lower case."""
GONE = re.compile(r"SCRAP|BROKEN|DEMOL|DISMANTL|TOTAL LOSS|\bLOST\b|SUNK|WRECK|DEAD|RECYCL|\bCTL\b")
TYPES = {"TANKER": 80, "CARGO": 70, "BULK": 70, "CONTAINER": 70, "RO-RO": 70, "TUG": 52, "FISH": 30, "TRAWL": 30,
         "PASSENGER": 60, "FERRY": 60, "YACHT": 37}  # fmt: skip
"""Words of registers to ship types (ITU-R M.1371): the first word that occurs."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a register says of one ship; "" and 0 not said, `t_gone` in µs since 1970 UTC (`NAT`: not gone)."""

    imo: int
    names: tuple[str, ...] = ()
    flags: frozenset[int] = frozenset()
    """Codes of `ais.flags`."""
    callsign: str = ""
    mmsi: int = 0
    ship_type: int = 0
    length_m: float = 0.0
    beam_m: float = 0.0
    gone: bool = False
    t_gone: int = NAT


@dataclass(frozen=True)
class Registry:
    """Entries by IMO number, a digest of the file, and what was not used, by reason."""

    entries: Mapping[int, Entry] = field(default_factory=dict)
    digest: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _number(text: str) -> float:
    found = re.search(r"\d+(?:\.\d+)?", text.replace(",", "."))
    return float(found.group()) if found else 0.0


def _when(text: str) -> int:
    """A date or a year as µs since 1970 UTC, `NAT` for anything else; a year is its last day."""
    text = text.strip()
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        year = re.fullmatch(r"(?:19|20)\d\d", text)
        if year is None:
            return NAT
        day = date(int(text), 12, 31)
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


def _entry(row: Mapping[str, str], imo: int) -> Entry:
    names = [name.strip() for name in (row["name"], *re.split(r"[;|]", row["former"])) if name.strip()]
    kind = next((code for word, code in TYPES.items() if word in row["type"].upper()), 0)
    ends = _when(row["gone"])
    return Entry(
        imo,
        tuple(names),
        frozenset(code for country in countries_of(words(row["flag"])) if (code := flag_code(country)) >= 0),
        re.sub(r"[^A-Z0-9]", "", row["callsign"].upper()),
        int(_number(row["mmsi"])),
        kind,
        _number(row["length"]),
        _number(row["beam"]),
        GONE.search(row["status"].upper()) is not None or (not row["status"].strip() and ends != NAT),
        ends,
    )


@lru_cache(maxsize=4)
def _parsed(data: bytes, path: str) -> Registry:
    digest = hashlib.blake2b(data, digest_size=8).hexdigest()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8; save the register as UTF-8") from None
    reader = csv.reader(text.splitlines())
    header = next(reader, [])
    places = {
        column: next((k for k, name in enumerate(header) if _plain(name) in names.split()), -1)
        for column, names in COLUMNS.items()
    }
    if places["imo"] < 0:
        raise InputError(f"{path}: no column of IMO numbers among {', '.join(header[:8]) or 'none'}; name one 'imo'")
    entries: dict[int, Entry] = {}
    counts = {"no IMO number": 0, "IMO number with a wrong check digit": 0, "a second row of the same number": 0}
    for cells in reader:
        row = {column: cells[k] if 0 <= k < len(cells) else "" for column, k in places.items()}
        imo = int(_number(row["imo"]))
        if not imo_valid(imo):
            counts["no IMO number" if imo == 0 else "IMO number with a wrong check digit"] += 1
        elif imo in entries:
            counts["a second row of the same number"] += 1
        else:
            entries[imo] = _entry(row, imo)
    if not entries:
        raise InputError(f"{path}: no row with a valid IMO number; check the column {header[places['imo']]!r}")
    return Registry(entries, digest, {reason: n for reason, n in counts.items() if n})


def read_registry(path: str | Path) -> Registry:
    """A register of ships from a CSV file (UTF-8, comma).

    Raises
    ------
    InputError
        When the file cannot be read, has no column of IMO numbers, or no valid one in it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "ships.csv")
    ...     _ = path.write_text("IMO No,Ship name,Status,LOA\\n9999993,GREY LARK,Broken up,84\\n1,X,,\\n")
    ...     register = read_registry(path)
    >>> register.entries[9999993].gone, register.entries[9999993].length_m, dict(register.counts)
    (True, 84.0, {'IMO number with a wrong check digit': 1})
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: register cannot be read ({error.strerror}); give the path of a CSV file") from None
    return _parsed(data, str(path))
