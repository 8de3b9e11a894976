"""A workbook: findings, goods, legs, events, claims, evidence. Each text is written as text, never as formula or link.

A cell whose text begins as a formula does has the number format of text too, so that editing it keeps it one.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cargo.dossier_graph import number_of, object_of, rows_of
from cargo.safe_text import guarded, safe_text
from geo.errors import UsageError

Json = Mapping[str, Any]
Row = Sequence[object]

MAX_ROWS = 1_048_575
"""Of a sheet of Excel, below its head."""
_MADE = datetime(2000, 1, 1, tzinfo=UTC)  # a workbook names a time; the same findings give the same bytes

HEADS: dict[str, tuple[str, ...]] = {
    "findings": ("finding", "rank", "title", "conclusion", "score lower", "score upper", "mean of known", "coverage",
                 "not known", "innocent explanations", "records that would decide"),
    "goods": ("finding", "description", "HS code", "quantity", "value USD", "VIN", "container"),
    "legs": ("finding", "leg", "B/L", "from", "from name", "to", "to name", "depart", "arrive", "ship", "IMO", "MMSI",
             "probability", "how found", "call heard", "why", "shipper", "consignee", "declared as", "cleared",
             "linked by", "rows"),
    "events": ("finding", "event", "kind", "relation", "leg", "MMSI", "other MMSI", "from (UTC)", "to (UTC)", "lat",
               "lon", "lat end", "lon end", "port", "score", "reception"),
    "claims": ("finding", "about", "what", "value", "source", "row"),
    "evidence": ("finding", "what", "file", "byte offset", "row", "note"),
}  # fmt: skip


def excel_bytes(findings: Sequence[Json], title: str = "Luxwake findings") -> bytes:
    """The findings as the bytes of an .xlsx; raises UsageError for more rows than a sheet takes."""
    import xlsxwriter

    made = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(made, options)
    book.set_properties({"title": safe_text(title, 200), "author": "Luxwake", "created": _MADE})
    bold, text = book.add_format({"bold": True, "bottom": 1}), book.add_format({"num_format": "@"})
    for name, head in HEADS.items():
        sheet = book.add_worksheet(name)
        sheet.freeze_panes(1, 0)
        for column, word in enumerate(head):
            sheet.write_string(0, column, word, bold)
        sheet.set_column(0, len(head) - 1, 18)
        row = 0
        for row, values in enumerate(_ROWS[name](findings), start=1):
            if row > MAX_ROWS:
                raise UsageError(f"sheet {name}: over {MAX_ROWS:,} rows; export fewer findings, or another format")
            for column, value in enumerate(values):
                _write(sheet, row, column, value, text)
        sheet.autofilter(0, 0, max(row, 1), len(head) - 1)
    book.close()
    return made.getvalue()


def _write(sheet: Any, row: int, column: int, value: object, text: Any) -> None:
    number = number_of(value)
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_string(row, column, "yes" if value else "no")
    elif number is not None and abs(number) < 1e15:
        sheet.write_number(row, column, number)
    else:
        words = safe_text(value)
        sheet.write_string(row, column, words, text if guarded(words) != words else None)


def _lines(value: object) -> str:
    return "; ".join(safe_text(one) for one in value) if isinstance(value, list | tuple) else safe_text(value)


def _findings(findings: Sequence[Json]) -> Iterator[Row]:
    for one in findings:
        score = object_of(one, "score")
        records = [f"{r.get('record')} (held by {r.get('holder')})" for r in rows_of(one, "deciding_records")]
        yield (
            *(one.get(key) for key in ("id", "rank", "title", "conclusion")),
            *(score.get(key) for key in ("lower", "upper", "known", "coverage")),
            *(_lines(one.get("unknown")), _lines(one.get("innocent")), _lines(records)),
        )


def _goods(findings: Sequence[Json]) -> Iterator[Row]:
    names = ("description", "hs_code", "quantity", "value_usd", "vin", "container")
    return ((one.get("id"), *map(lot.get, names)) for one in findings for lot in rows_of(one, "goods"))


def _legs(findings: Sequence[Json]) -> Iterator[Row]:
    for one in findings:
        for leg in rows_of(one, "chain"):
            ship, arrived = object_of(leg, "vessel"), leg.get("arrived")
            yield (
                one.get("id"),
                *map(leg.get, ("leg", "bl_number", "load_port", "load_name", "discharge_port", "discharge_name")),
                *map(leg.get, ("t_depart", "t_arrive")),
                *map(ship.get, ("name", "imo", "mmsi", "probability", "method")),
                "unknown" if arrived is None else arrived,
                *map(leg.get, ("arrived_why", "shipper", "consignee", "description")),
                leg.get("cleared") or "unknown",
                object_of(leg, "link").get("method"),
                _lines(leg.get("rows")),
            )


def _events(findings: Sequence[Json]) -> Iterator[Row]:
    names = ("id", "kind", "relation", "leg", "mmsi", "other", "t_start", "t_end", "lat", "lon", "lat_end", "lon_end")
    for one in findings:
        for event in rows_of(one, "events"):
            known = (event.get(key) if event.get(key) is not None else "unknown" for key in ("score", "coverage"))
            yield (one.get("id"), *map(event.get, names), event.get("port"), *known)


def _claims(findings: Sequence[Json]) -> Iterator[Row]:
    for one in findings:
        for claim in rows_of(one, "claims"):
            for said in rows_of(claim, "values"):
                yield (one.get("id"), claim.get("subject"), claim.get("predicate"),
                       *map(said.get, ("value", "source", "row")))  # fmt: skip


def _evidence(findings: Sequence[Json]) -> Iterator[Row]:
    from cargo.dossier_parts import file_name

    for one in findings:
        for item in rows_of(one, "evidence"):
            yield (one.get("id"), item.get("what"), file_name(item.get("file")),
                   *map(item.get, ("offset", "row", "note")))  # fmt: skip


_ROWS = {
    "findings": _findings, "goods": _goods, "legs": _legs, "events": _events, "claims": _claims, "evidence": _evidence,
}  # fmt: skip
