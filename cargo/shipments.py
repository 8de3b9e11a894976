"""Shipments: rows of bills of lading and customs records, each kept as read beside its parsed form.

Nothing is guessed. What cannot be read (a misspelt port, a date that may be two, a number with one comma) becomes
unknown, with a warning that names file, line, value and what to do; the text as read stays in a `_text` column. A
wrong check digit marks an identifier as invalid. A row that cannot be a row at all is left out and counted.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT, Table
from cargo.doubts import RowWarning, Warnings
from cargo.fieldcolumns import FieldReader, first_said
from cargo.fields import FIELDS
from cargo.identifiers import is_missing
from cargo.mapping import ShipmentMapping, check_mapping, known_headings, propose, read_mapping
from cargo.rowfile import RawRows, Reject, RowFile, hex_digests, read_row_file
from cargo.texts import Texts, constant, seen_text
from geo.errors import InputError

if TYPE_CHECKING:
    from cargo.rates import Rates

__all__ = ["COLUMNS", "REQUIRED", "Row", "RowWarning", "Shipments", "read_shipments"]

COLUMNS = tuple(FIELDS)
"""Columns that mean something to us; any other is kept as text."""
REQUIRED = ("load_port", "discharge_port")
"""What a file with our own headings must have, beside `description` or `hs_code`."""
_EXCHANGED = ("t_record", "t_depart", "t_arrive", "value", "value_usd")
_SAMPLE_ROWS = 2_000
_SAMPLES = 20


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


class _Lazy(Mapping[str, NDArray[Any]]):
    """Columns that are made when they are asked for: a million texts are kept as the few thousand that differ."""

    def __init__(self, held: Mapping[str, Texts | NDArray[Any]]) -> None:
        self.held = dict(held)

    def __getitem__(self, name: str) -> NDArray[Any]:
        column = self.held[name]
        if isinstance(column, Texts):
            return column.array()
        is_number = name == "sha" and column.dtype.kind == "u"  # as it is held; a table of some rows has the text
        return hex_digests(column) if is_number else column

    def __iter__(self) -> Iterator[str]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)

    def __contains__(self, name: object) -> bool:
        return name in self.held

    def rows(self, rows: slice | NDArray[np.int64], names: Iterable[str] | None = None) -> dict[str, NDArray[Any]]:
        """Some of the rows, of all columns or some."""
        held = {name: self.held[name] for name in names or self.held}
        return dict(_Lazy({name: c.take(rows) if isinstance(c, Texts) else c[rows] for name, c in held.items()}))


class Shipments(Table):
    """Shipment rows in the order of the file.

    Columns: one for each of `COLUMNS`, parsed, with the text as read in `<name>_text` where the two may differ; then
    those of the file that mean nothing to us, as text. A port is a UN/LOCODE, `imo` and `mmsi` numbers, `hs_code`
    digits, weights in kg, `cleared` "yes", "no" or "". Added: `row` (1-based), `offset` (bytes, -1 where the format has
    none), `sha` (BLAKE2b-64 of the row as it stands in the file), `t_depart`, `t_arrive`, `t_record` (int64 µs UTC; the
    start of the day where only a date is given), `value_usd` (NaN unless the currency is USD, or a rate was given),
    `container_valid`, `imo_valid` (1, 0, -1 nothing given), `shipper_known` and the like (1 a name, 0 a placeholder or
    an order, -1 nothing), `dates_reversed` (1: arrival before departure).

    Attributes
    ----------
    name : of the file
    warnings : doubts by row (the first 100,000; `counts` counts all)
    rejects : rows that were left out, each with its number, line and reason
    counts : rows, rejected rows by reason, warnings by column
    mapping : which heading is which field, and why
    facts : how the file was read: format, encoding and its evidence, header, order of dates
    raw : the rows as they stand in the file, as bytes
    """

    times: ClassVar[tuple[str, ...]] = ("t_depart", "t_arrive", "t_record")
    nulls: ClassVar[Mapping[str, int]] = {
        **{"imo": 0, "mmsi": 0, "container_valid": -1, "imo_valid": -1, "offset": -1},
        **{f"{name}_known": -1 for name, field in FIELDS.items() if field.kind == "party"},
    }
    mapping: ShipmentMapping
    facts: Mapping[str, str]
    rejects: Sequence[Reject]
    raw: RawRows

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
        self.mapping, self.facts, self.rejects, self.raw = ShipmentMapping(), {}, [], RawRows()

    def take(self, rows: NDArray[Any] | slice) -> Self:
        """The given rows (indices, mask or slice) as a table of the same kind."""
        lazy = self.columns if isinstance(self.columns, _Lazy) else _Lazy(self.columns)
        return self._like(lazy.rows(rows))

    def rows(self, wanted: NDArray[np.int64] | None = None) -> list[Row]:
        """The parsed rows as plain Python tuples, in the order of the file; or some of them, by place from 0."""
        lazy = self.columns if isinstance(self.columns, _Lazy) else _Lazy(self.columns)
        columns = lazy.rows(slice(None) if wanted is None else wanted, Row._fields)
        return [Row(*values) for values in zip(*(columns[name].tolist() for name in Row._fields), strict=True)]

    def pieces(self, size: int = 65_536) -> Iterator[Table]:
        """The rows in pieces, each with the column `raw`: the row as it stands in the file, as text."""
        lazy = self.columns if isinstance(self.columns, _Lazy) else _Lazy(self.columns)
        encoding = self.facts.get("encoding", "utf-8")
        for start in range(0, max(len(self), 1), size):
            piece = self._like(lazy.rows(slice(start, start + size)))
            texts = np.empty(len(piece), object)
            texts[:] = [one.decode(encoding, "replace") for one in self.raw[start : start + size]]
            piece.columns["raw"] = texts
            yield piece


def read_shipments(
    path: str | Path,
    mapping: str | Path | ShipmentMapping | None = None,
    strict: bool = False,
    rates: str | Path | None = None,
) -> Shipments:
    """Read bills of lading or customs records: CSV, JSON, Excel or Parquet, of any source.

    Parameters
    ----------
    path
        The file; text may be packed (gzip, zstd, zip) and in any encoding that can be told.
    mapping
        Which heading is which field, as TOML; without it one is proposed from the headings (`Shipments.mapping`).
    strict
        Raise on the first warning instead of collecting it.
    rates
        A CSV of exchange rates (date, currency, usd); without it only values in US$ have a `value_usd`.

    Returns
    -------
    Shipments
        One row per data row, in the order of the file; `warnings`, `rejects` and `counts` say what could not be read.

    Raises
    ------
    InputError
        The file cannot be read, its encoding cannot be told, too few headings are known, or, with `strict`, there is
        anything to warn of.
    UsageError
        The mapping or the rates cannot be meant.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> text = "description,load_port,discharge_port,depart_date\\nused car,KRPUS,RUVVO,2018-10-01\\n"
    >>> _ = (folder / "bl.csv").write_text(text)
    >>> shipments = read_shipments(folder / "bl.csv")
    >>> shipments["discharge_port"].tolist(), shipments["offset"].tolist(), shipments.warnings
    (['RUVVO'], [49], [])
    """
    from cargo.rates import read_rates

    told = read_mapping(mapping) if isinstance(mapping, str | Path) else mapping
    table = read_rates(rates) if rates is not None else None
    file = read_row_file(path, told.how if told else None, known_headings)
    made = _mapping_of(path, file, told)
    sources = {
        name: first_said([file.columns[file.header.index(heading)] for heading in headings])
        for name, headings in made.fields.items()
    }
    sources |= {name: constant(text, len(file)) for name, text in made.constants.items()}
    reader = FieldReader(len(file), sources, made.units, made.date_order)
    reader.read()
    warnings = Warnings(str(path), file)
    for doubt in reader.doubts:
        warnings.add(doubt)
    columns = _columns(file, made, reader, warnings)
    if table is not None:
        _exchange(columns, table)
    if strict:
        warnings.raise_first()
    return _finished(path, file, made, reader, columns, warnings)


def _mapping_of(path: str | Path, file: RowFile, told: ShipmentMapping | None) -> ShipmentMapping:
    """The mapping given, or the one proposed; InputError where it gives too little to join by."""
    if told is not None:
        check_mapping(path, told, file.header)
        return told
    samples = {name: _samples(texts) for name, texts in zip(file.header, file.columns, strict=True)}
    made = propose(file.header, samples)
    own = {name for name in REQUIRED if any(heading.lower() == name for heading in file.header)}
    if own:
        _check_own(path, made, file.header)
    elif {"cmdCode", "Commodity Code"} & set(file.header) and {"reporterCode", "Reporter Code"} & set(file.header):
        raise InputError(f"{path}: a table of UN Comtrade, which holds sums and no shipments; use read_comtrade")
    elif len(made.fields) < 2:
        shown = ", ".join(file.header)[:200]
        raise InputError(f"{path}: no headings of shipments are known among {shown}; give a mapping (--mapping)")
    return made


def _samples(texts: Texts) -> list[str]:
    """A few different values of a column from its first rows."""
    first = dict.fromkeys(texts.values[code].strip() for code in texts.codes[:_SAMPLE_ROWS].tolist())
    return [text for text in first if not is_missing(text)][:_SAMPLES]


def _check_own(path: str | Path, made: ShipmentMapping, header: Sequence[str]) -> None:
    """Raise unless a file with our own headings has those that every join needs."""
    twice = next((h for h in header if h.endswith(" (2)") and h.removesuffix(" (2)").lower() in FIELDS), None)
    if twice is not None:
        raise InputError(f"{path}: line 1: column {twice.removesuffix(' (2)')!r} stands twice; rename one")
    missing = [name for name in REQUIRED if name not in made.fields]
    if not {"description", "hs_code"} & set(made.fields):
        missing.append("description or hs_code")
    if missing:
        unused = [heading for heading in header if heading not in {h for hs in made.fields.values() for h in hs}]
        near = [repr(other) for name in missing for other in difflib.get_close_matches(name, unused, 1)]
        hint = f"rename {', '.join(near)}" if near else f"add it; the file has {', '.join(header)}"
        raise InputError(f"{path}: line 1: no column {' and no column '.join(missing)}; {hint}")


def _columns(
    file: RowFile, made: ShipmentMapping, reader: FieldReader, warnings: Warnings
) -> dict[str, Texts | NDArray[Any]]:
    """All columns: ours, then those of the file that mean nothing to us."""
    parsed = reader.columns
    depart, arrive = parsed["t_depart"], parsed["t_arrive"]
    assert isinstance(depart, np.ndarray) and isinstance(arrive, np.ndarray)
    reverse = (arrive != NAT) & (arrive < depart)
    warnings.add_reversed(reverse, reader.given("arrive_date"), reader.given("depart_date"))
    ours: dict[str, Texts | NDArray[Any]] = {"row": file.row, "offset": file.offset, "sha": file.digest}
    ours |= {name: parsed[name] for name in parsed if name not in FIELDS and not name.endswith("_text")}
    ours["dates_reversed"] = reverse.astype("u1")
    ours |= {name: parsed[name] for name in parsed if name.endswith("_text")}
    ours |= {name: parsed[name] for name in FIELDS}
    used = {heading for headings in made.fields.values() for heading in headings[:1]}
    for heading, texts in zip(file.header, file.columns, strict=True):
        if heading not in used:
            ours[_free(_plain(heading), ours)] = texts.map(seen_text)
    return ours


def _plain(heading: str) -> str:
    """A heading as the name of a column: small letters, underscores."""
    return "_".join(seen_text(heading).lower().split()) or "column"


def _free(name: str, taken: Mapping[str, object]) -> str:
    """The name, or one like it that no column has yet."""
    if name not in taken and name != "raw":
        return name
    tries = (f"{name}_in_file", *(f"{name}_in_file_{n}" for n in range(2, 10_000)))
    return next(one for one in tries if one not in taken)


def _exchange(columns: dict[str, Texts | NDArray[Any]], table: Rates) -> None:
    """Values in US$ by a table of rates, at the day of the record, else of departure, else of arrival."""
    t, depart, arrive, value, in_usd = (np.asarray(columns[name]) for name in _EXCHANGED)
    t = np.where(t == NAT, np.where(depart == NAT, arrive, depart), t)
    currency = columns["currency"]
    assert isinstance(currency, Texts)
    columns["value_usd"] = np.where(np.isnan(in_usd), table.in_usd(value, currency, t), in_usd)


def _finished(
    path: str | Path,
    file: RowFile,
    made: ShipmentMapping,
    reader: FieldReader,
    columns: Mapping[str, Texts | NDArray[Any]],
    warnings: Warnings,
) -> Shipments:
    shipments = Shipments({}, Path(path).name, warnings.first(), None, file.sha256)
    shipments.columns = _Lazy(columns)  # type: ignore[assignment]  # made when asked for
    shipments._length = len(file)
    rejected = Counter(f"rejected: {one.reason.split(' (')[0]}" for one in file.rejects)
    counts = {**file.counts, "rows": len(file)} | dict(sorted((rejected + warnings.counts).items()))
    shipments.counts, shipments.mapping, shipments.rejects, shipments.raw = counts, made, file.rejects, file.raw
    shipments.facts = {**file.facts, "layout": made.format, **{f"{n}": why for n, why in reader.facts.items()}}
    return shipments
