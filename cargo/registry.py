"""Registers of ships as CSV: who was called what, under which flag and owner, from when to when."""

from __future__ import annotations

from pathlib import Path

from ais.imo import imo_valid
from ais.table import NAT
from cargo.doubts import RowWarning
from cargo.rowfile import read_row_file
from cargo.ships import KINDS, Ship, facts_of, gather
from geo.errors import InputError

_ALSO = {
    "imo": ("imo", "imo_number", "imo_no"),
    "name": ("name", "vessel_name", "ship_name", "shipname"),
    "flag": ("flag", "flag_state", "country"),
    "callsign": ("callsign", "call_sign"),
    "owner": ("owner", "registered_owner", "vess_owner"),
    "manager": ("manager", "ship_manager", "operator"),
    "type": ("type", "vessel_type", "ship_type"),
    "gross": ("gross", "grt", "gt", "gross_tonnage"),
    "deadweight": ("deadweight", "dwt", "dwt_tonnage"),
    "length": ("length", "length_m", "loa"),
    "from": ("from", "valid_from", "t_from", "since"),
    "to": ("to", "valid_to", "t_to", "until"),
}
"""Names of columns that mean one thing; lower case, spaces as underscores."""


def read_registry(path: str | Path) -> tuple[list[Ship], list[RowWarning]]:
    """Ships from a CSV with a column `imo` or `mmsi`, `name`, and any of flag, callsign, owner, manager, type, gross,
    deadweight, length, from, to; a row for each time in which all of it held.

    The days (`from`, `to`, as YYYY-MM-DD) are of the names, numbers, flags and owners; type and size are for good. A
    row without a number that can be used is left out, with a warning.

    Raises InputError for a file that cannot be read or has no such column.

    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "register.csv"
    >>> text = "imo,name,flag,from,to\\n9999993,LARK,Togo,2016-01-01,2017-05-31\\n9999993,TERN,,2017-06-01,\\n"
    >>> _ = place.write_text(text)
    >>> ships, warnings = read_registry(place)
    >>> [(fact.kind, fact.value) for fact in ships[0].facts], warnings
    ([('name', 'LARK'), ('name', 'TERN'), ('flag', 'TG')], [])
    """
    file = read_row_file(path)
    header = ["_".join(name.lower().split()) for name in file.header]
    columns = {
        meaning: next((i for i, name in enumerate(header) if name in _ALSO.get(meaning, (meaning,))), -1)
        for meaning in ("imo", *KINDS, "from", "to")
    }
    if columns["imo"] < 0 and columns["mmsi"] < 0:
        raise InputError(f"{path}: line 1: no column imo or mmsi; the file has {', '.join(file.header)[:300]}")
    source, ships, warnings = Path(path).name, list[Ship](), list[RowWarning]()
    for number, line, cells in zip(file.row.tolist(), file.line.tolist(), file.cells(), strict=True):
        told = {key: cells[i].strip() if i >= 0 else "" for key, i in columns.items()}

        def warn(column: str, message: str, at: tuple[int, int, str]) -> None:
            warnings.append(RowWarning(at[0], column, at[2], message, at[1]))

        digits = told["imo"].upper().removeprefix("IMO").strip()
        imo = int(digits) if digits.isascii() and digits.isdigit() and len(digits) == 7 else 0
        if told["imo"] and not imo_valid(imo):
            warn("imo", "wrong check digit or form; not used, compare the source", (number, line, told["imo"]))
            imo = 0
        days = {key: _day(told[key]) for key in ("from", "to")}
        for key, t in days.items():
            if told[key] and t == NAT:
                warn(key, "not a day as YYYY-MM-DD; taken as unknown", (number, line, told[key]))
        facts = tuple(facts_of(told, days["from"], days["to"], f"{source} line {line}"))
        if imo or any(fact.kind == "mmsi" for fact in facts):
            ships.append(Ship("", imo, facts))
        else:
            warn("imo", "no IMO number and no MMSI that can be used; row left out", (number, line, told["imo"]))
    return gather(ships), warnings


def _day(text: str) -> int:
    """µs since 1970 UTC of a day, `NAT` for what is none."""
    from datetime import UTC, datetime

    from cargo.watchlists import day_of

    found = day_of(text)
    return NAT if not found else int(datetime.fromisoformat(found).replace(tzinfo=UTC).timestamp()) * 1_000_000
