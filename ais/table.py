"""Columns of one length that every Arrow reader opens: the shape in which Luxwake hands out data.

Inside the house a table is a set of numpy arrays, NaN for "not available". At the edge it is an Arrow stream
(`__arrow_c_stream__`) in which NaN and the sentinels of integer columns are null, times are UTC timestamps and codes
are words; pandas, polars, DuckDB and GeoPandas read that without a copy of ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from geo.errors import UsageError

NAT = np.iinfo(np.int64).min
"""A time (int64 µs) that is not known."""


class Table:
    """Named numpy columns of one length.

    `times` names int64 columns in µs since 1970 UTC (`NAT` is null); `nulls` gives the value of an integer column
    that means "not available"; `words` gives the text of each code of an integer column.
    """

    times: ClassVar[tuple[str, ...]] = ("t",)
    nulls: ClassVar[Mapping[str, int]] = {}
    words: ClassVar[Mapping[str, Sequence[str]]] = {}

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self.columns = {name: np.asarray(column) for name, column in columns.items()}
        lengths = {column.shape[0] for column in self.columns.values()}
        if len(lengths) > 1:
            raise UsageError(f"columns of a table must have one length, not {sorted(lengths)}")
        self._length = lengths.pop() if lengths else 0

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, name: str) -> NDArray[Any]:
        try:
            return self.columns[name]
        except KeyError:
            raise UsageError(f"no column {name!r}; there are {', '.join(self.columns)}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self):,} rows; {', '.join(self.columns)}>"

    def _like(self, columns: Mapping[str, NDArray[Any]]) -> Self:
        """The same kind of table with other rows; what hangs on the table besides its rows stays on it."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        Table.__init__(other, columns)
        return other

    def take(self, rows: NDArray[Any] | slice) -> Self:
        """The given rows (indices, mask or slice) as a table of the same kind."""
        return self._like({name: column[rows] for name, column in self.columns.items()})

    def to_arrow(self) -> Any:
        """This table as an `arro3.core.Table`, with nulls, UTC timestamps and words for codes."""
        import duckdb
        from arro3.core import Table as ArrowTable

        rows, select = self.arrow_columns()
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            connection.register("rows", rows)
            return ArrowTable.from_arrow(connection.sql(f"select {select} from rows"))

    def arrow_columns(self) -> tuple[Any, str]:
        """The bare columns as an `arro3.core.Table`, and the SELECT list that gives them nulls, times and words.

        For who has a DuckDB connection already: opening one takes as long as many rows.
        """
        from arro3.core import Array, DataType
        from arro3.core import Table as ArrowTable

        source, select = {}, []
        for name, column in self.columns.items():
            quoted = '"' + name.replace('"', '""') + '"'
            if column.dtype.kind in "SUO":
                source[name] = Array([_text(value) for value in column.tolist()], DataType.string())
            elif name in self.times:
                source[name] = Array.from_numpy(np.ascontiguousarray(column, np.int64))
            else:
                source[name] = Array.from_numpy(np.ascontiguousarray(column))
            select.append(f"{self._value_in_sql(name, column.dtype, quoted)} as {quoted}")
        return ArrowTable.from_pydict(source), ", ".join(select)

    def _value_in_sql(self, name: str, dtype: np.dtype[Any], quoted: str) -> str:
        """What a column means, in SQL."""
        if dtype.kind in "SUO":
            return quoted
        if name in self.times:
            return f"make_timestamptz(nullif({quoted}, {NAT}))"
        if name in self.words:
            return self._words_in_sql(name, quoted)
        if dtype.kind == "f":
            return f"nullif({quoted}, 'nan'::{'float' if dtype.itemsize == 4 else 'double'})"
        return f"nullif({quoted}, {self.nulls[name]})" if name in self.nulls else quoted

    def _words_in_sql(self, name: str, quoted: str) -> str:
        """The words of the codes that occur; a list of all words would be copied for every row."""
        words = self.words[name]
        known = [code for code in np.unique(self.columns[name]).tolist() if 0 <= code < len(words) and words[code]]
        cases = " ".join(f"when {code} then '" + words[code].replace("'", "''") + "'" for code in known)
        return f"case {quoted} {cases} end" if known else "null::varchar"

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def to_pandas(self) -> Any:
        """This table as a pandas DataFrame (`pip install 'luxwake[frames]'`)."""
        import pandas

        return pandas.DataFrame.from_arrow(self)

    def to_geopandas(self) -> Any:
        """This table as a GeoDataFrame of its points, WGS84 (`pip install 'luxwake[geo]'`); needs `lat` and `lon`."""
        import geopandas

        points = geopandas.points_from_xy(self["lon"], self["lat"], crs="EPSG:4326")
        return geopandas.GeoDataFrame(self.to_pandas(), geometry=points)

    def to_polars(self) -> Any:
        """This table as a polars DataFrame (`pip install 'luxwake[frames]'`)."""
        import polars

        return polars.DataFrame(self)


def _text(value: Any) -> str | None:
    """A cell of a text column; empty is null."""
    if value is None:
        return None
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text or None


FIX_DTYPES: dict[str, str] = {
    "t": "i8",
    "mmsi": "u4",
    "lat": "f8",
    "lon": "f8",
    "sog": "f4",
    "cog": "f4",
    "heading": "f4",
    "nav_status": "u1",
    "msg_type": "u1",
    "channel": "u1",
    "source": "u2",
    "cell": "u8",
    "hull": "u1",
    "offset": "i8",
    "status": "u1",
}
"""Columns of a fix: t in µs since 1970 UTC; degrees WGS84; sog in knots; cog and heading in degrees true; channel as
the ASCII code, 0 unknown; source is an index into `Fixes.sources`; cell an H3 index, 0 none; offset in bytes."""

NAV_STATUS_UNKNOWN = 15
"""ITU-R M.1371: 15 is "undefined (default)"."""

NOT_AVAILABLE: dict[str, float | int] = {
    "t": NAT,
    "sog": np.nan,
    "cog": np.nan,
    "heading": np.nan,
    "nav_status": NAV_STATUS_UNKNOWN,
    "draught": np.nan,
}
"""What a column holds where the input has none; 0 for the others."""

STATIC_DTYPES: dict[str, str] = {
    "t": "i8",
    "mmsi": "u4",
    "imo": "u4",
    "callsign": "S7",
    "name": "S20",
    "ship_type": "u1",
    "to_bow": "u2",
    "to_stern": "u2",
    "to_port": "u1",
    "to_starboard": "u1",
    "draught": "f4",
    "destination": "S20",
    "eta": "u4",
    "msg_type": "u1",
    "source": "u2",
    "offset": "i8",
}
"""Columns of a static report: imo, ship_type, dimensions and eta 0 and texts empty where not available; to_bow .. in
metres; draught in metres, NaN; eta as month << 16 | day << 11 | hour << 6 | minute, as sent."""


def columns_of(dtypes: Mapping[str, str], n: int) -> dict[str, NDArray[Any]]:
    """Empty columns of `n` rows, filled with what means "not available"."""
    columns = {name: np.zeros(n, dtype) for name, dtype in dtypes.items()}
    for name in columns.keys() & NOT_AVAILABLE.keys():
        columns[name][:] = NOT_AVAILABLE[name]
    return columns


class Static(Table):
    """Static and voyage reports (types 5, 19 and 24, and such columns of a CSV), in the order of arrival."""

    nulls: ClassVar[Mapping[str, int]] = {"imo": 0, "ship_type": 0, "to_bow": 0, "to_stern": 0, "eta": 0}


class Fixes(Table):
    """Positions, sorted by `t`, then `mmsi`, then arrival, with all that was not used counted.

    `static` holds the static reports, `sources` the names of the inputs in the order of `source`, `counts` the
    number of rejected lines and rows by reason, `inputs` what each input held (`ais.read.Input`).
    """

    nulls: ClassVar[Mapping[str, int]] = {"cell": 0, "nav_status": NAV_STATUS_UNKNOWN}

    def __init__(
        self,
        columns: Mapping[str, NDArray[Any]],
        static: Static | None = None,
        sources: tuple[str, ...] = (),
        counts: Mapping[str, int] | None = None,
    ) -> None:
        n = len(next(iter(columns.values()))) if columns else 0
        given = {name: np.ascontiguousarray(column, FIX_DTYPES.get(name)) for name, column in columns.items()}
        missing = columns_of({name: dtype for name, dtype in FIX_DTYPES.items() if name not in given}, n)
        both = {**given, **missing}
        super().__init__(
            {name: both[name] for name in (*FIX_DTYPES, *(name for name in given if name not in FIX_DTYPES))}
        )
        self.static = static if static is not None else Static(columns_of(STATIC_DTYPES, 0))
        self.sources = tuple(sources)
        self.counts = dict(counts or {})
        self.inputs: list[Any] = []
        self.station_names: Mapping[int, str] = {}

    def sort(self) -> Self:
        """Rows ordered by time, then MMSI, then arrival (a stable sort)."""
        t, mmsi = self["t"], self["mmsi"]
        if len(self) < 2 or bool(np.all((t[1:] > t[:-1]) | ((t[1:] == t[:-1]) & (mmsi[1:] >= mmsi[:-1])))):
            return self
        return self.take(np.lexsort((mmsi, t)))
