"""Shipments: rows of bills of lading and customs records, each kept as read beside its parsed form.

Nothing is guessed. What cannot be read (a misspelt port, a date that may be two, a number with one comma) becomes
unknown, with a warning that names file, line, value and what to do; the text as read stays in a `_text` column. A
wrong check digit marks an identifier as invalid. A row that cannot be a row at all is left out and counted.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.imo import imo_valid
from ais.table import NAT, Table
from cargo.csvrows import RawRow, read_rows
from cargo.identifiers import container_valid, hs_digits, is_missing, vin_doubt
from geo.errors import InputError

COLUMNS = (
    *("bl_number", "container", "vin", "hs_code", "description", "quantity", "value", "currency", "gross_weight_kg"),
    *(
        "shipper",
        "consignee",
        "load_port",
        "discharge_port",
        "depart_date",
        "arrive_date",
        "vessel_name",
        "imo",
        "mmsi",
    ),
    *("cleared", "source"),
)
"""Columns that mean something to us; any other is kept as text."""
REQUIRED = ("load_port", "discharge_port")

_KEPT_TEXTS = (
    *("container", "vin", "hs_code", "quantity", "value", "gross_weight_kg"),
    *("load_port", "discharge_port", "imo", "mmsi", "cleared"),
)
_PARSED = (
    *("row", "offset", "sha", "t_depart", "t_arrive", "value_usd", "container_valid", "imo_valid", "dates_reversed"),
    *(f"{name}_text" for name in _KEPT_TEXTS),
)
"""Columns of ours; a column of the file with such a name is kept as `<name>_in_file`."""

_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}")
_CLEARED = {"yes": "yes", "y": "yes", "true": "yes", "1": "yes", "no": "no", "n": "no", "false": "no", "0": "no"}
_YEARS = range(1970, 2101)


@dataclass(frozen=True, slots=True)
class RowWarning:
    """One doubt about one cell: `row` is the 1-based data row, `line` the line in the file."""

    row: int
    column: str
    value: str
    message: str
    line: int

    def __str__(self) -> str:
        return f"line {self.line}: {self.column} {self.value[:80]!r}: {self.message}"


class Row(NamedTuple):
    """One shipment row, parsed. Times in µs since 1970 UTC (`NAT`), numbers NaN, texts "" and codes 0 if unknown."""

    row: int
    offset: int
    sha: str
    bl_number: str
    container: str
    container_valid: int
    vin: str
    hs_code: str
    description: str
    quantity: float
    value_usd: float
    gross_weight_kg: float
    shipper: str
    consignee: str
    load_port: str
    discharge_port: str
    t_depart: int
    t_arrive: int
    vessel_name: str
    imo: int
    imo_text: str
    mmsi: int
    cleared: str
    source: str
    dates_reversed: int


class Shipments(Table):
    """Shipment rows in the order of the file, with `warnings`, `counts` of rows by reason, and the file's `name`.

    Columns: those of the file as text, the parsed ones beside them. A parsed column has the plain name (`load_port`
    a UN/LOCODE, `imo` a number, `hs_code` digits, `quantity`, `value`, `gross_weight_kg` float64, `cleared` "yes",
    "no" or "") and the text as read is `<name>_text`. Added: `row` (1-based), `offset` (bytes), `sha` (BLAKE2b-64 of
    the raw line), `t_depart`, `t_arrive` (int64 µs UTC; the start of the day where only a date is given),
    `value_usd` (NaN unless the currency is USD), `container_valid`, `imo_valid` (1, 0, -1 nothing given),
    `dates_reversed` (1: arrival before departure).
    """

    times: ClassVar[tuple[str, ...]] = ("t_depart", "t_arrive")
    nulls: ClassVar[Mapping[str, int]] = {"imo": 0, "mmsi": 0, "container_valid": -1, "imo_valid": -1}

    def __init__(
        self,
        columns: Mapping[str, NDArray[Any]],
        name: str = "",
        warnings: Sequence[RowWarning] = (),
        counts: Mapping[str, int] | None = None,
        sha256: str = "",
    ) -> None:
        super().__init__(columns)
        self.name = name
        self.warnings = list(warnings)
        self.counts = dict(counts or {})
        self.sha256 = sha256

    def rows(self) -> list[Row]:
        """The parsed rows as plain Python tuples, in the order of the file."""
        return [Row(*values) for values in zip(*(self[name].tolist() for name in Row._fields), strict=True)]


def read_shipments(path: str | Path, *, strict: bool = False) -> Shipments:
    """Read a table of shipments: CSV with comma, semicolon or tab, in UTF-8 with or without a byte-order mark.

    Parameters
    ----------
    path
        The file. Its header must have `load_port`, `discharge_port`, and `description` or `hs_code`; any of
        `COLUMNS` is parsed, any other column is kept as text.
    strict
        Raise on the first warning instead of collecting it.

    Returns
    -------
    Shipments
        One row per data row, in the order of the file; `warnings` and `counts` say what could not be read.

    Raises
    ------
    InputError
        The file cannot be read, is empty or not text, lacks a column, has a quote that never closes, or, with
        `strict`, has anything to warn of.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> text = "description,load_port,discharge_port,depart_date\\nused car,KRPUS,RUVVO,2018-10-01\\n"
    >>> _ = (folder / "bl.csv").write_text(text)
    >>> shipments = read_shipments(folder / "bl.csv")
    >>> shipments["discharge_port"].tolist(), shipments["offset"].tolist(), shipments.warnings
    (['RUVVO'], [49], [])
    """
    raw = read_rows(Path(path))
    _check_header(path, raw.header)
    reader = _Reader(str(path), raw.header, strict)
    for number, row in enumerate(raw.rows, start=1):
        reader.read(number, row)
    counts = {**raw.counts, "rows": len(reader.kept)} | dict(sorted(reader.counts.items()))
    return Shipments(reader.columns(), Path(path).name, reader.warnings, counts, raw.sha256)


def _check_header(path: str | Path, header: Sequence[str]) -> None:
    """Raise unless the columns that every join needs are there."""
    missing = [name for name in REQUIRED if name not in header]
    if not {"description", "hs_code"} & set(header):
        missing.append("description or hs_code")
    if missing:
        near = [
            repr(other)
            for name in missing
            for other in difflib.get_close_matches(name, [h for h in header if h not in COLUMNS], 1)
        ]
        hint = f"rename {', '.join(near)}" if near else f"add it; the file has {', '.join(header)}"
        raise InputError(f"{path}: line 1: no column {' and no column '.join(missing)}; {hint}")


class _Reader:
    """Parses raw rows into columns, remembering each distinct port, date and number."""

    def __init__(self, path: str, header: Sequence[str], strict: bool) -> None:
        self.path = path
        self.strict = strict
        self.header = list(header)
        self.extra = {name: f"{name}_in_file" if name in _PARSED else name for name in header if name not in COLUMNS}
        self.warnings: list[RowWarning] = []
        self.counts: Counter[str] = Counter()
        self.kept: list[dict[str, Any]] = []
        self._ports: dict[str, tuple[str, str]] = {}

    def warn(self, at: tuple[int, int], column: str, value: str, message: str) -> None:
        """Note a doubt; with `strict` it is an error."""
        if self.strict:
            raise InputError(f"{self.path}: line {at[1]}: {column} {value[:80]!r}: {message}")
        self.warnings.append(RowWarning(at[0], column, value, message, at[1]))
        self.counts[f"warning: {column}"] += 1

    def read(self, number: int, raw: RawRow) -> None:
        """Parse one row and keep it, or leave it out and count it."""
        at = (number, raw.line)
        n_header, cells = len(self.header), raw.cells
        if len(cells) > n_header and any(cell.strip() for cell in cells[n_header:]):
            self.warn(at, "row", "", f"{len(cells)} cells under {n_header} headings; quote the cell with a separator")
            self.counts["rejected: more cells than headings"] += 1
            return
        if len(cells) < n_header:
            self.warn(at, "row", "", f"{len(cells)} cells under {n_header} headings; the rest is taken as unknown")
        cell = dict.fromkeys(COLUMNS, "") | dict(zip(self.header, map(str.strip, cells), strict=False))
        out: dict[str, Any] = {kept: cell.get(name, "") for name, kept in self.extra.items()}
        out |= {"row": number, "offset": raw.offset, "sha": raw.sha}
        for name in ("bl_number", "vin", "description", "currency", "shipper", "consignee", "vessel_name", "source"):
            out[name] = cell[name]
        self._read_identifiers(at, cell, out)
        self._read_places_and_times(at, cell, out)
        self._read_numbers(at, cell, out)
        self.kept.append(out)

    def _read_identifiers(self, at: tuple[int, int], cell: dict[str, str], out: dict[str, Any]) -> None:
        """Container, VIN, HS code, IMO, MMSI and clearance, with their check digits."""
        container = "" if is_missing(cell["container"]) else re.sub(r"[\s./-]", "", cell["container"].upper())
        valid = container_valid(container)
        out |= {"container": container, "container_text": cell["container"]}
        out["container_valid"] = int(valid) if container else -1
        if container and not valid:
            self.warn(at, "container", cell["container"], "wrong check digit or form (ISO 6346); compare the document")
        vin = "" if is_missing(cell["vin"]) else re.sub(r"[\s-]", "", cell["vin"].upper())
        out |= {"vin": vin, "vin_text": cell["vin"]}
        if vin and (doubt := vin_doubt(vin)):
            self.warn(at, "vin", cell["vin"], f"{doubt}; kept, compare the document")
        hs_code = "" if is_missing(cell["hs_code"]) else hs_digits(cell["hs_code"])
        out |= {"hs_code": hs_code, "hs_code_text": cell["hs_code"]}
        if not hs_code and not is_missing(cell["hs_code"]):
            self.warn(at, "hs_code", cell["hs_code"], "not 2, 4, 6, 8 or 10 digits; taken as unknown")
        for column, fits, problem in (
            ("imo", imo_valid, "wrong check digit or form; not used to find the ship, compare the document"),
            ("mmsi", lambda m: 100_000_000 <= m <= 999_999_999, "not nine digits; taken as unknown"),
        ):
            text = re.sub(r"(?i)^(imo|mmsi)[\s:.]*", "", cell[column])
            number = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
            given = not is_missing(cell[column])
            good = fits(number)
            out |= {column: number if good else 0, f"{column}_text": cell[column]}
            if column == "imo":
                out["imo_valid"] = int(good) if given else -1
            if given and not good:
                self.warn(at, column, cell[column], problem)
        out |= {"cleared": _CLEARED.get(cell["cleared"].lower(), ""), "cleared_text": cell["cleared"]}
        if not out["cleared"] and not is_missing(cell["cleared"]):
            self.warn(at, "cleared", cell["cleared"], "neither yes nor no; taken as unknown")

    def _read_places_and_times(self, at: tuple[int, int], cell: dict[str, str], out: dict[str, Any]) -> None:
        """Ports as UN/LOCODE and the two dates."""
        for column in ("load_port", "discharge_port"):
            text = cell[column]
            if text not in self._ports:
                self._ports[text] = _port(text)
            out[column], problem = self._ports[text]
            out[f"{column}_text"] = text
            if problem:
                self.warn(at, column, text, problem)
        for column, name in (("depart_date", "t_depart"), ("arrive_date", "t_arrive")):
            out[column] = cell[column]
            out[name] = _time(cell[column])
            if out[name] == NAT and not is_missing(cell[column]):
                self.warn(at, column, cell[column], "not a date as YYYY-MM-DD, 1970 to 2100; taken as unknown")
        out["dates_reversed"] = int(out["t_arrive"] != NAT and out["t_arrive"] < out["t_depart"])
        if out["dates_reversed"]:
            message = f"before the departure {cell['depart_date']}; both are kept as claims, compare the document"
            self.warn(at, "arrive_date", cell["arrive_date"], message)

    def _read_numbers(self, at: tuple[int, int], cell: dict[str, str], out: dict[str, Any]) -> None:
        """Quantity, value and weight; a value is in USD only where the currency says so."""
        for column in ("quantity", "value", "gross_weight_kg"):
            out[column], out[f"{column}_text"] = _number(cell[column]), cell[column]
            if np.isnan(out[column]) and not is_missing(cell[column]):
                self.warn(at, column, cell[column], "not a number like 1234.5; taken as unknown")
        in_usd = cell["currency"].upper() in ("USD", "US$")
        out["value_usd"] = out["value"] if in_usd else np.nan

    def columns(self) -> dict[str, NDArray[Any]]:
        """The kept rows as columns."""
        order = [*_PARSED, *COLUMNS, *self.extra.values()]
        dtypes = dict.fromkeys(("row", "offset", "t_depart", "t_arrive"), "i8")
        dtypes |= dict.fromkeys(("quantity", "value", "value_usd", "gross_weight_kg"), "f8")
        dtypes |= {"imo": "u4", "mmsi": "u4", "container_valid": "i1", "imo_valid": "i1", "dates_reversed": "u1"}
        return {name: np.array([row[name] for row in self.kept], dtypes.get(name, "O")) for name in order}


def _port(text: str) -> tuple[str, str]:
    """UN/LOCODE of a port as written, and what is wrong with it: one port without doubt, else unknown."""
    from geo.ports import ports_matching

    if is_missing(text):
        return "", "no port given; taken as unknown"
    match = ports_matching(text)
    if match.port is not None and match.how != "alike":
        return match.port.locode, ""
    near = [match.port] if match.port is not None else [one.port for one in match.several]
    listed = ", ".join(f"{port.locode} ({port.name})" for port in near)
    if len(near) > 1 and match.how != "alike":
        return "", f"may be several ports; taken as unknown: {listed}; use its UN/LOCODE"
    return "", f"no such port; taken as unknown{f', did you mean {listed}?' if listed else ', use its UN/LOCODE'}"


def _time(text: str) -> int:
    """µs since 1970 UTC of an ISO 8601 date or time; `NAT` for anything else, as 01/10/2018 may be two days."""
    try:
        moment = datetime.fromisoformat(text.replace("/", "-") if re.match(r"\d{4}/", text) else text)
    except ValueError:
        return NAT
    if moment.year not in _YEARS:
        return NAT
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def _number(text: str) -> float:
    """A number that can be read in one way only, else NaN ("1,234" may be one or a thousand); never negative."""
    plain = text.replace(" ", "").replace(" ", "")
    if _THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if not re.fullmatch(r"\d{1,15}(?:\.\d*)?", plain, re.ASCII):
        return np.nan
    return float(plain)
