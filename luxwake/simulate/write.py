"""The files of a simulated world: NMEA sentences in order of reception, truth, shipments, the scenario."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.transmit import MESSAGE, encode
from geo.errors import OutputError
from luxwake.simulate.damage import DAMAGE_KINDS, damage
from luxwake.simulate.voyage import Truth

TRUTH_COLUMNS = ("kind", "mmsi", "other", "t_start", "t_end", "lat", "lon", "note")
SHIPMENT_COLUMNS = (
    "bl_number", "container", "vin", "hs_code", "description", "quantity", "value", "currency", "gross_weight_kg",
    "shipper", "consignee", "load_port", "discharge_port", "depart_date", "arrive_date", "vessel_name", "imo",
    "cleared", "source",
)  # fmt: skip
_BLOCK = 131_072
_ZSTD_LEVEL = 19


def iso(t: float) -> str:
    """A time (s since 1970 UTC) as ISO 8601 with Z, to the second.

    >>> iso(1538352000.0)
    '2018-10-01T00:00:00Z'
    """
    return f"{np.datetime64(int(t), 's')}Z"


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """A name to write to that takes the place of `path` only when all went well."""
    part = path.with_name(path.name + ".part")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); choose another folder") from error
    finally:
        part.unlink(missing_ok=True)


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A CSV file with a header, `\\n` line ends."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    with replaced(path) as part:
        part.write_text(text.getvalue(), encoding="utf-8")


def write_truth(path: Path, truth: Sequence[Truth]) -> None:
    """Truth, ordered by start, kind and ship."""
    ordered = sorted(truth, key=lambda r: (r.t_start, r.kind, r.mmsi, r.t_end))
    rows = (
        (r.kind, r.mmsi, r.other or "", iso(r.t_start), iso(r.t_end), f"{r.lat:.5f}", f"{r.lon:.5f}", r.note)
        for r in ordered
    )
    write_rows(path, TRUTH_COLUMNS, rows)


def write_shipments(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Shipment rows; what a row does not say stays empty."""
    write_rows(path, SHIPMENT_COLUMNS, ([row.get(name, "") for name in SHIPMENT_COLUMNS] for row in rows))


def _in_order(chunks: Sequence[NDArray[np.void]]) -> Iterator[NDArray[np.void]]:
    """All messages by time of reception in blocks; equal times in order of the ships."""
    epochs = np.concatenate([chunk["epoch"] for chunk in chunks]) if chunks else np.zeros(0, np.int64)
    order = np.argsort(epochs, kind="stable")
    del epochs
    ends = np.cumsum([len(chunk) for chunk in chunks])
    for first in range(0, len(order), _BLOCK):
        rows = order[first : first + _BLOCK]
        block = np.zeros(len(rows), MESSAGE)
        of_chunk = np.searchsorted(ends, rows, "right")
        for k in np.unique(of_chunk):
            mine = of_chunk == k
            block[mine] = chunks[k][rows[mine] - (ends[k] - len(chunks[k]))]
        yield block


def write_nmea(
    path: Path, chunks: Sequence[NDArray[np.void]], reports: NDArray[np.void], stations: Sequence[str], *,
    bad_lines: float, seed: int, compress: bool,
) -> tuple[int, dict[str, int]]:  # fmt: skip
    """Write all messages, and count the whole sentences that carry a position and the damaged lines."""
    fixes, number = 0, 0
    counts = np.zeros(len(DAMAGE_KINDS), np.int64)
    with replaced(path) as part, _sink(part, compress) as write:
        for block in _in_order(chunks):
            encoded = encode(block, reports, stations, first_sequence=number)
            damaged = damage(encoded.data, encoded.starts, share=bad_lines, seed=seed, first=number)
            write(damaged.data)
            counts += damaged.counts
            fixes += int(np.count_nonzero(damaged.whole & (block["msg_type"] != 5) & (block["msg_type"] != 24)))
            number += len(block)
    return fixes, dict(zip(DAMAGE_KINDS, counts.tolist(), strict=True))


@contextmanager
def _sink(path: Path, compress: bool) -> Iterator[Callable[[NDArray[np.uint8]], object]]:
    """Where bytes go: a file, or one zstd frame in a file."""
    with path.open("wb") as file:
        if not compress:
            yield lambda data: file.write(data.data)
            return
        import zstandard

        with zstandard.ZstdCompressor(level=_ZSTD_LEVEL).stream_writer(file) as frame:
            yield lambda data: frame.write(data.data)
