"""AIS in JSON: objects one to a line, or in arrays of any depth, read one after the other.

An object becomes a row of values, and the rows are read as those of a CSV (`csv_rows`); the sentences of AIS-catcher
go through the NMEA decoder with the time that their object gives. `offset` is the byte at which the object begins.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.csv_layout import Layout, divisors_of
from ais.csv_names import FIELDS, check_columns
from ais.csv_rows import CsvReader
from ais.csv_static import changes_of
from ais.decode import Decoder
from ais.json_forms import COLUMNS, JSON_FORMATS, FlatRows, Object, aisstream_row, catcher_row, catcher_time, units_of
from ais.json_text import json_format, objects
from ais.reports import FixColumns
from ais.sources import PADDING, Chunk
from ais.status import OTHER_TYPE, STATUS
from ais.table import FIX_DTYPES, STATIC_DTYPES, Fixes, Static, columns_of
from ais.unpack import Reader
from geo.errors import InputError

BATCH_ROWS = 8192
UNREADABLE = "text that is no JSON object"
OTHER_FORM = "JSON object of another form"

_REASONS = (UNREADABLE, OTHER_FORM, STATUS[OTHER_TYPE])
_UNITS = ("", *sorted({name for form in JSON_FORMATS if (name := units_of(form, {"FORMAT": "AIS"}))}))

_SEPARATOR = "\x1f"  # "unit separator" of ASCII, in no text
_SENTENCE = re.compile(r"![A-Z0-9]{2}VD[MO],[^\s\"\\]*")
Columns = dict[str, NDArray[Any]]


class JsonReader:
    """Reads the objects of one source, all of one form, into fixes and static rows."""

    def __init__(self, form: str, columns: Mapping[str, str] | None = None, decoder: Decoder | None = None) -> None:
        check_columns(columns)
        self.form = form
        self.objects = 0
        self.arrival = ""
        """The time of rows that have none, as text; "" where these are to be counted and left out."""
        self._counts: Counter[str] = Counter()
        self._flat = FlatRows(columns)
        self._tables: dict[str, CsvReader] = {}
        self._units: str | None = None
        self._rows: list[str] = []
        self._row_offsets: list[int] = []
        self._sentences: list[bytes] = []
        self._sentence_offsets: list[int] = []
        self._places: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self._decoder = decoder
        self._decoded = 0

    @property
    def counts(self) -> dict[str, int]:
        """Objects, sentences and values that were not used, by reason."""
        counts = Counter(self._counts)
        for table in self._tables.values():
            counts += Counter(table.counts)
        if self._decoder is not None:
            counts += Counter(self._decoder.counts)
        return dict(+counts)

    def blocks(self, reader: Reader) -> Iterator[tuple[Columns, Columns]]:
        """Columns of fixes and of static rows, block by block."""
        yield from self.read(objects(reader), ended=True)

    def read(self, made: Iterable[tuple[int, Object | str]], ended: bool = False) -> Iterator[tuple[Columns, Columns]]:
        """The same of some objects with the byte offset of each, which follow those before."""
        for offset, one in made:
            self._take(offset, one)
            if len(self._rows) >= BATCH_ROWS or len(self._sentences) >= BATCH_ROWS:
                yield from self._drain()
        yield from self._drain(ended)

    def state(self) -> Columns:
        """What it knows between two calls of `read`, as a copy: arrays by name."""
        counts = [self._counts[reason] for reason in _REASONS]
        units = -1 if self._units is None else _UNITS.index(self._units)
        numbers = np.array([self.objects, self._decoded, units, self._decoder is not None, *counts], np.int64)
        starts, offsets = self._places[-1] if self._places else (np.empty(0, np.int64), np.empty(0, np.int64))
        state: Columns = {"numbers": numbers, "starts": starts, "offsets": offsets}
        state |= {f"rows.{name}": table.state() for name, table in self._tables.items()}
        if self._decoder is not None:
            state |= {f"sentences.{key}": array for key, array in self._decoder.state().items()}
        return state

    def resume(self, state: Columns) -> None:
        """Go on from a state of a reader of the same form."""
        self.objects, self._decoded, units, decodes, *counts = state["numbers"].tolist()
        self._counts = Counter(dict(zip(_REASONS, counts, strict=True)))
        self._units = None if units < 0 else _UNITS[units]
        self._places = [(state["starts"], state["offsets"])] if len(state["starts"]) else []
        self._tables.clear()
        for name, counted in _below(state, "rows.").items():
            self._table(name).resume(counted)
        self._decoder = Decoder() if decodes else None
        if self._decoder is not None:
            self._decoder.resume(_below(state, "sentences."))

    def _take(self, offset: int, made: Object | str) -> None:
        """Put one object into the rows or the sentences of this batch, or count why not."""
        if isinstance(made, str):
            self._take_text(offset, made)
        elif self.form == "ais-catcher":
            messages = made.get("msgs")
            for one in messages if isinstance(messages, list) else [made]:
                self._take_catcher(offset, one if isinstance(one, dict) else {})
        elif self.form == "aisstream":
            self.objects += 1
            if "MessageType" not in made or "Message" not in made:
                self._counts[OTHER_FORM] += 1
            elif (row := aisstream_row(made)) is None:
                self._counts[STATUS[OTHER_TYPE]] += 1
            else:
                self._add(offset, row)
        elif "FORMAT" in made and "MMSI" not in made:  # AISHub's first object: whose data these are, and the units
            self._units = units_of(self.form, made)
        else:
            self.objects += 1
            row = self._flat(made)
            if row is None:
                self._counts[OTHER_FORM] += 1
            else:
                self._units = units_of(self.form, made) if self._units is None else self._units
                self._add(offset, row)

    def _take_text(self, offset: int, text: str) -> None:
        """Text between objects: sentences of a mixed feed are decoded, all else is counted."""
        self.objects += 1
        if self.form == "ais-catcher" and _SENTENCE.search(text):
            self._sentences.append(text.strip("\r\n").replace("\n", " ").encode("utf-8", "surrogateescape"))
            self._sentence_offsets.append(offset)
        elif text.strip():
            self._counts[UNREADABLE] += 1

    def _take_catcher(self, offset: int, made: Object) -> None:
        """A message of AIS-catcher: its sentences, or where it has none the fields that it was decoded to."""
        self.objects += 1
        sentences = made.get("nmea")
        if isinstance(sentences, str):
            sentences = [sentences]
        if isinstance(sentences, list) and sentences:
            t = catcher_time(made)
            stamp = "" if t is None else f"c:{t}"
            check = 0
            for byte in stamp.encode():
                check ^= byte
            block = f"\\{stamp}*{check:02X}\\" if stamp else ""
            for sentence in sentences:
                line = f"{block}{sentence}".replace("\n", " ").replace("\r", " ")
                self._sentences.append(line.encode("utf-8", "surrogateescape"))
                self._sentence_offsets.append(offset)
        elif "mmsi" in made:
            self._add(offset, catcher_row(made))
        else:
            self._counts[OTHER_FORM] += 1

    def _add(self, offset: int, row: list[Any]) -> None:
        """Add a row as text."""
        row[0] = row[0] or self.arrival
        try:
            line = _SEPARATOR.join(row)
        except TypeError:  # null, true, a list
            line = _SEPARATOR.join([value if type(value) is str else _text(value) for value in row])
        if '"' in line or "\n" in line or "\r" in line or line.count(_SEPARATOR) != len(row) - 1:
            line = _SEPARATOR.join([_quoted(_text(value)) for value in row])
        self._rows.append(line)
        self._row_offsets.append(offset)

    def _drain(self, ended: bool = False) -> Iterator[tuple[Columns, Columns]]:
        """Read what the batch holds."""
        if self._rows:
            table = self._table(self._units or "")
            data, starts = _lines([row.encode("utf-8", "surrogateescape") for row in self._rows])
            offsets = np.array(self._row_offsets, np.int64)
            for columns, static in table.blocks(Chunk(data, len(data) - PADDING, 0, ended)):
                for block in (columns, static):
                    block["offset"] = offsets[np.searchsorted(starts, block["offset"])]
                yield columns, static
            self._rows, self._row_offsets = [], []
        if self._sentences or (ended and self._decoder is not None):
            yield self._decode(ended)

    def _table(self, units: str) -> CsvReader:
        """The reader of rows in these units."""
        if units not in self._tables:
            fields = np.array([FIELDS.index(field) for field in COLUMNS], np.int64)
            divisors = divisors_of(units, "0") if units else np.empty(0)
            self._tables[units] = CsvReader(Layout(self.form, ord(_SEPARATOR), fields, 0, False, divisors))
        return self._tables[units]

    def _decode(self, ended: bool) -> tuple[Columns, Columns]:
        """Decode the sentences of the batch; their offsets become those of their objects.

        The first part of a message may have come with the batch before, so the places of two are kept.
        """
        self._decoder = self._decoder or Decoder()
        data, starts = _lines(self._sentences)
        size = len(data) - PADDING
        self._places = [*self._places[-1:], (starts + self._decoded, np.array(self._sentence_offsets, np.int64))]
        fixes, static = decoded(self._decoder, data, size, self._decoded, ended)
        self._decoded += size
        self._sentences, self._sentence_offsets = [], []
        starts, offsets = (np.concatenate(both) for both in zip(*self._places, strict=True))
        for block in (fixes, static):
            if len(block["offset"]):
                place = np.searchsorted(starts, block["offset"], side="right") - 1
                block["offset"] = offsets[np.maximum(place, 0)]
        return fixes, static


def decoded(decoder: Decoder, data: NDArray[np.uint8], n: int, offset: int, ended: bool) -> tuple[Columns, Columns]:
    """Fixes and static rows of whole lines: the one place where the NMEA decoder is called from here."""
    fixes = FixColumns()
    statics = [decoder.reports(data, n, offset, fixes)]
    if ended:
        statics.append(decoder.flush_reports(fixes))
    return fixes.columns(), {name: np.concatenate([one[name] for one in statics]) for name in statics[0]}


def _below(state: Columns, prefix: str) -> Columns:
    """The arrays whose names begin so, without that."""
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}


def _text(value: Any) -> str:
    """A value of JSON as the text of a field; lists and objects are none."""
    return value if isinstance(value, str) else "1" if value is True else "0" if value is False else ""


def _quoted(text: str) -> str:
    """A text as a field of a row: in quotes, without line ends and separators."""
    cleaned = re.sub(r"[\n\r\x1f]", " ", text)
    return '"' + cleaned.replace('"', '""') + '"' if '"' in cleaned else cleaned


def _lines(lines: list[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Lines as one text followed by zeros, and the place where each begins."""
    text = bytearray(b"\n".join(lines)) + b"\n" + bytes(PADDING)
    sizes = np.fromiter(map(len, lines), np.int64, len(lines)) + 1
    return np.frombuffer(text, np.uint8), np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)


def read_json(
    reader: Reader, source: int = 0, form: str | None = None, columns: Mapping[str, str] | None = None
) -> tuple[Fixes, dict[str, int], int]:
    """Positions and static reports of a text in JSON, in the order of the text.

    Parameters
    ----------
    reader : an open source
    source : the code of the column `source`
    form : one of `JSON_FORMATS`; told by the first object where it is not given
    columns : for some fields, the key that holds it

    Returns
    -------
    fixes : with `offset` in bytes of the unpacked text, and the static reports in `fixes.static`
    counts : what was not used, by reason
    objects : number of messages, used or not

    Raises
    ------
    InputError
        If the text is in no form that is known, or the source is damaged.

    Examples
    --------
    >>> import io
    >>> text = b'[{"AIS":{"MMSI":671999101,"TIMESTAMP":"2024-01-01 00:00:00 UTC","LATITUDE":1.5,"LONGITUDE":2.5}}]'
    >>> fixes, counts, n = read_json(Reader("a.json", io.BytesIO(text)))
    >>> fixes["mmsi"].tolist(), fixes["lat"].tolist(), fixes["offset"].tolist(), counts, n
    ([671999101], [1.5], [1], {}, 1)
    """
    form = form or json_format(reader.head(), columns)
    if form not in JSON_FORMATS:
        raise InputError(f"{reader.name}: no AIS in JSON; known are {', '.join(JSON_FORMATS)}")
    made = JsonReader(form, columns)
    blocks = list(made.blocks(reader))
    fixes, static = columns_of(FIX_DTYPES, 0), columns_of(STATIC_DTYPES, 0)
    if blocks:
        shared = set.intersection(*(set(block) for block, _ in blocks))
        fixes = {name: np.concatenate([block[name] for block, _ in blocks]) for name in shared}
        static = {name: np.concatenate([block[name] for _, block in blocks]) for name in STATIC_DTYPES}
    fixes["source"] = np.full(len(fixes["t"]), source, FIX_DTYPES["source"])
    static["source"][:] = source
    counts = made.counts
    reports = Static(static) if form == "ais-catcher" else changes_of(Static(static))
    return Fixes(fixes, reports, counts=counts), counts, made.objects
