"""The job of `luxwake shipments import`: the mapping shown, the rows written, a table of what was read."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ais.table import NAT
from geo.errors import OutputError

if TYPE_CHECKING:
    from ais.table import Table
    from cargo.shipments import Shipments
    from luxwake.console import Console

PIECE_ROWS = 16_384
"""Rows that are written at a time: some 100 MB."""
MAX_TOLD = 20
"""Rejected rows and warnings that are printed one by one; all are counted."""


def run_import(args: argparse.Namespace, console: Console) -> None:
    """Read the file, show and save what was asked for."""
    from cargo.shipments import read_shipments

    begin = time.perf_counter()
    shipments = read_shipments(args.file, args.mapping, args.strict, args.rates)
    console.stage("read", time.perf_counter() - begin, f"{len(shipments):,} rows")
    if args.save_mapping:
        _write_text(Path(args.save_mapping), shipments.mapping.to_toml())
        console.stage("mapping", 0.0, args.save_mapping)
    if args.out:
        begin = time.perf_counter()
        write_rows(shipments, Path(args.out))
        console.stage("write", time.perf_counter() - begin, args.out)
    if not console.quiet:
        show_mapping(shipments, console)
        _show_doubts(args.file, shipments, console)
    show_counts(shipments, console)


def write_rows(shipments: Shipments, path: Path) -> None:
    """Write the rows in pieces, in the format that the suffix stands for; memory grows by one piece.

    Raises OutputError for a place that cannot be written; what was there before then stays.
    """
    from luxwake.sink import format_for

    kind, part = format_for(path), path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as stream:
            _write_pieces(stream, shipments.pieces(PIECE_ROWS), kind)
        os.replace(part, path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}; check the folder") from None
    finally:
        part.unlink(missing_ok=True)


def _write_pieces(stream: BinaryIO, pieces: Iterator[Table], kind: str) -> None:
    """Each piece a row group of Parquet: a hundred columns of texts are too many for the groups of `Sink`."""
    from luxwake.cells import cells_of
    from luxwake.parquet_file import ParquetFile
    from luxwake.sink import Sink

    if kind == "parquet":
        file = ParquetFile(stream)
        for piece in pieces:
            file.write([cells_of(piece, name) for name in piece])
        file.close()
        return
    if kind == "csv":
        pieces = map(_guarded_names, pieces)
    first = next(pieces)
    sink = Sink(stream, first, kind, guard=True)
    sink.write(first)
    for piece in pieces:
        sink.write(piece)
    sink.end()
    sink.close()


def _guarded_names(piece: Table) -> Table:
    """Rows under headings that no spreadsheet takes for formulas: a column of the file keeps its name."""
    from cargo.safe_text import guarded

    made = piece.take(slice(None))
    made.columns = {guarded(name): column for name, column in piece.columns.items()}
    return made


def _write_text(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}; check the folder") from None


def show_mapping(shipments: Shipments, console: Console) -> None:
    """How the file was read, and each heading with some of its values, its field and why."""
    if console.json:
        from luxwake.console import print_json_lines

        print_json_lines([{"type": "file", **shipments.facts}])
    else:
        console.table("The file", ("", "is"), shipments.facts.items())
    proposals = shipments.mapping.proposals
    if console.json:
        rows: list[tuple[object, ...]] = [(one.heading, one.samples, one.field or None, one.why) for one in proposals]
    else:  # --json and --save-mapping have all of it
        rows = [
            (_short(one.heading, 28), _short(" | ".join(one.samples), 26), one.field or "-", _short(one.why, 40))
            for one in proposals
        ]
    if rows:
        console.table("What its headings mean", ("heading", "values", "field", "why"), rows)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _show_doubts(name: str, shipments: Shipments, console: Console) -> None:
    told = [str(one) for one in shipments.warnings[:MAX_TOLD]]
    for text in told:
        console.note(f"{name}: {text}")
    more = sum(n for reason, n in shipments.counts.items() if reason.startswith(("warning", "rejected"))) - len(told)
    if more > 0:
        console.note(f"{name}: {more:,} more doubts")


def show_counts(shipments: Shipments, console: Console) -> None:
    """Rows, rejected rows by reason, warnings by column, and the share of rows that can be joined by what."""
    if console.json:
        from luxwake.console import print_json_lines

        known = {name: round(share, 6) for name, share in shares(shipments).items()}
        print_json_lines([{"type": "summary", "counts": shipments.counts, "share_of_rows_with": known}])
        return
    order = {"rows": 0, "rejected": 1, "warning": 2}
    named = sorted(shipments.counts.items(), key=lambda item: (order.get(item[0].split(":")[0], 3), -item[1]))
    console.table("Rows", ("", "number"), [(reason, f"{number:,}") for reason, number in named])
    console.table("Rows that say", ("", "share"), [(name, f"{part:.1%}") for name, part in shares(shipments).items()])


def shares(shipments: Shipments) -> dict[str, float]:
    """The share of rows with a port, a date, a ship, a container and an HS code that can be used."""
    n = max(len(shipments), 1)
    said = {name: shipments[name] != "" for name in ("load_port", "discharge_port", "vessel_name", "hs_code")}
    dated = np.logical_or.reduce([shipments[name] != NAT for name in ("t_depart", "t_arrive", "t_record")])
    ship = said["vessel_name"] | (shipments["imo"] > 0) | (shipments["mmsi"] > 0)
    found = {
        "both ports": said["load_port"] & said["discharge_port"],
        "one port or both": said["load_port"] | said["discharge_port"],
        "a date": dated,
        "a ship": ship,
        "a valid container": shipments["container_valid"] == 1,
        "an HS code": said["hs_code"],
        "a consignee by name": shipments["consignee_known"] == 1,
        "a value in US$": np.isfinite(shipments["value_usd"]),
    }
    return {name: float(np.count_nonzero(mask)) / n for name, mask in found.items()}
