"""Anchorages: where many different ships lie still, found from the traffic; and in which one a position lies.

An anchorage is a set of H3 cells (resolution 9) with a name, the number of ships that lay there, and how they lay:
its `kind` is "berth" (ships that do not swing, near the shore), "anchorage" (ships that swing), "offshore" (12 nmi and
more from the shore) or "unknown". `geo.anchoring.discover` makes them; `Anchorages.save` writes them as GeoJSON.
A place where ships wait explains slow hours and proves no innocence: goods change ships at anchor too.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.cells import cell_at, cells
from geo.errors import UsageError
from geo.kernel import inner, kernel

ANCHORAGE_RESOLUTION = 9
"""Edge of 0.2 km: finer than the swing of a ship, coarser than the noise of positions."""
KINDS = ("berth", "anchorage", "offshore", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchorage:
    """One place; times in µs since 1970 UTC, degrees WGS84, metres, hours."""

    id: str
    """16 hex digits, a hash of its cells."""
    name: str
    kind: str
    lat: float
    """Mean position of the ships, by the time that each lay there."""
    lon: float
    ships: int
    """Different MMSIs."""
    periods: int
    median_stay_h: float
    swing_m: float
    """Median over the periods of the root mean square distance of a ship from where it lay; NaN unknown."""
    first_seen: int
    last_seen: int
    shore_m: float
    """Negative on the land of the shore table, as many harbours are."""
    port: str
    """UN/LOCODE of the nearest port."""
    port_m: float
    bearing_deg: float
    """From the port to the anchorage."""
    cells: tuple[int, ...] = field(repr=False)
    """H3 cells of resolution 9, ascending."""


class AnchorageTable(NamedTuple):
    """Cells by open addressing, for kernels: `cell` (2^k,) uint64, 0 free, and the `row` (2^k,) int32 of each."""

    cell: NDArray[np.uint64]
    row: NDArray[np.int32]


@inner
def _place(table, cell):
    """Where a cell stands in the table, or the free place where it would."""
    mask = table.cell.size - 1
    at = np.int64((cell * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(36)) & mask
    while table.cell[at] != np.uint64(0) and table.cell[at] != cell:
        at = (at + 1) & mask
    return at


@kernel
def _enter(table, cells, rows):
    for n in range(cells.size):
        at = _place(table, cells[n])
        table.cell[at], table.row[at] = cells[n], rows[n]


@kernel
def _fill_rows(table, cells, out):  # `out` holds -1
    for n in range(cells.size):
        if cells[n] != np.uint64(0):
            out[n] = table.row[_place(table, cells[n])]


@kernel
def anchorage_row(table, lat_deg, lon_deg):
    """Row of the anchorage that holds a position; -1 none."""
    if table.cell.size == 1:  # no anchorages are known: nothing to look up
        return -1
    cell = cell_at(lat_deg, lon_deg, ANCHORAGE_RESOLUTION)
    return -1 if cell == np.uint64(0) else table.row[_place(table, cell)]


class Anchorages(Sequence[Anchorage]):
    """Anchorages, the one with most ships first; `params` says how they were found.

    Raises UsageError when a cell is in two of them.

    >>> place = Anchorage(
    ...     id="0" * 16, name="Busan anchorage 1", kind="anchorage", lat=35.05, lon=129.05, ships=7, periods=9,
    ...     median_stay_h=20.0, swing_m=150.0, first_seen=0, last_seen=1, shore_m=2000.0, port="KRPUS", port_m=5000.0,
    ...     bearing_deg=170.0, cells=(0x8930C1ADA2BFFFF,),
    ... )
    >>> known = Anchorages([place])
    >>> known.at([35.05, 36.0], [129.05, 129.05]).tolist()
    [-1, -1]
    >>> known[0].name, len(known)
    ('Busan anchorage 1', 1)
    """

    def __init__(self, places: Sequence[Anchorage] = (), params: Mapping[str, Any] | None = None) -> None:
        self._places = tuple(places)
        self.params = dict(params or {})
        held = np.array([cell for place in self._places for cell in place.cells], np.uint64)
        rows = np.repeat(np.arange(len(self._places), dtype=np.int32), [len(place.cells) for place in self._places])
        seen, first = np.unique(held, return_index=True)
        if seen.size < held.size:
            twice = int(np.setdiff1d(np.arange(held.size), first)[0])
            raise UsageError(
                f"cell {held[twice]:x} of {self._places[rows[twice]].name!r} is in two anchorages; a cell has one"
            )
        size = 1 << (2 * held.size).bit_length() if held.size else 1
        self.table = AnchorageTable(np.zeros(size, np.uint64), np.full(size, -1, np.int32))
        if held.size:
            _enter(self.table, held, rows)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, row: Any) -> Any:
        return self._places[row]

    def __iter__(self) -> Iterator[Anchorage]:
        return iter(self._places)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Anchorages) and self.digest == other.digest

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Anchorages: {len(self):,} places, {self.digest}>"

    def anchorage_at(self, cell: NDArray[np.uint64]) -> NDArray[np.int32]:
        """Row of the anchorage that holds each H3 cell of resolution 9; -1 where there is none, or no cell (0).

        Parameters
        ----------
        cell : (n,) uint64

        Returns
        -------
        (n,) int32
        """
        out = np.full(len(cell), -1, np.int32)
        if self._places:
            _fill_rows(self.table, np.ascontiguousarray(cell, np.uint64), out)
        return out

    def at(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> NDArray[np.int32]:
        """Row of the anchorage that holds each position; -1 where there is none, or no position (NaN)."""
        return self.anchorage_at(cells(lat_deg, lon_deg, ANCHORAGE_RESOLUTION))

    @cached_property
    def digest(self) -> str:
        """16 hex digits of all that is known of them: events that were judged by others have other ids."""
        digest = hashlib.blake2b(json.dumps(self.params, sort_keys=True).encode(), digest_size=8)
        for place in self._places:
            digest.update(repr(place).encode())
            digest.update(np.array(place.cells, "<u8").tobytes())
        return digest.hexdigest()

    def to_geojson(self) -> str:
        """The text of `save`: a FeatureCollection, one anchorage a line; the same anchorages give the same text."""
        from geo.anchorage_file import anchorages_text

        return anchorages_text(self._places, self.params)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write GeoJSON to `path`, whole or not at all; OutputError where that is not possible."""
        from geo.whole_file import write_text

        return write_text(path, [self.to_geojson()])

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Anchorages:
        """Read what `save` wrote, exactly; InputError names the file, the anchorage and what is wrong with it."""
        from geo.anchorage_file import read_anchorages

        return cls(*read_anchorages(Path(path)))
