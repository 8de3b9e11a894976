"""Polygons of an ESRI shapefile, with their attributes: `.shp`, `.dbf`, `.prj` and `.cpg`, loose or in a `.zip`.

After the ESRI Shapefile Technical Description (July 1998) and the dBASE III layout. Heights and measures are left out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

MAGIC = b"\x00\x00\x27\x0a"
_POLYGONS = frozenset({5, 15, 25})
"""Polygon, and the same with heights or measures."""
_NULL = 0
_MAX_TABLE_BYTES = 1 << 31


def read_shapes(data: bytes, name: str) -> Iterator[BaseGeometry | None]:
    """The shapes of a `.shp` file in order: polygons, None for an empty one, a point at the first place for others.

    Raises InputError where the file ends early or a record makes no sense.
    """
    import shapely

    if len(data) < 100 or data[:4] != MAGIC:
        raise InputError(f"{name}: not a shapefile; give the .shp, its folder or a .zip of them")
    whole = 2 * struct.unpack(">i", data[24:28])[0]
    if whole > len(data):
        raise InputError(f"{name}: cut off at {len(data):,} bytes of {whole:,}; export the file again")
    at = 100
    while at + 12 <= whole:
        size = 2 * struct.unpack(">i", data[at + 4 : at + 8])[0]
        body = data[at + 8 : at + 8 + size]
        kind = struct.unpack("<i", body[:4])[0] if len(body) >= 4 else -1
        if len(body) < size or kind < 0:
            raise InputError(f"{name}: the record at byte {at:,} makes no sense; export the file again")
        if kind == _NULL:
            yield None
        elif kind in _POLYGONS:
            try:
                yield _polygon(body)
            except (ValueError, struct.error, shapely.errors.ShapelyError) as error:
                reason = str(error).splitlines()[0]
                raise InputError(f"{name}: the polygon at byte {at:,} makes no sense ({reason})") from None
        else:
            yield shapely.Point(0.0, 0.0)
        at += 8 + size


def _polygon(body: bytes) -> BaseGeometry:
    """One record: rings that run clockwise are outsides, the others holes in the outside that holds them."""
    import shapely

    n_rings, n_points = struct.unpack("<ii", body[36:44])
    starts = np.frombuffer(body, "<i4", n_rings, 44)
    points = np.frombuffer(body, "<f8", 2 * n_points, 44 + 4 * n_rings).reshape(-1, 2).astype(np.float64)
    if n_rings < 1 or starts[0] != 0 or (np.diff(starts) < 0).any() or starts[-1] > n_points:
        raise ValueError("rings out of order")
    rings = [_closed(ring) for ring in np.split(points, starts[1:]) if len(ring) >= 3]
    shells = [shapely.Polygon(ring) for ring in rings if _turns_right(ring)]
    holes: list[list[NDArray[np.float64]]] = [[] for _ in shells]
    for ring in rings:
        if not _turns_right(ring):
            around = [n for n, shell in enumerate(shells) if shapely.intersects_xy(shell, *ring[0])]
            if around:
                holes[min(around, key=lambda n: shells[n].area)].append(ring)
            else:  # a file whose rings all run the wrong way: as GDAL, an outside of its own
                shells.append(shapely.Polygon(ring))
                holes.append([])
    parts = [shapely.Polygon(shell.exterior, inner) for shell, inner in zip(shells, holes, strict=True)]
    return shapely.MultiPolygon(parts)


def _closed(ring: NDArray[np.float64]) -> NDArray[np.float64]:
    return ring if (ring[0] == ring[-1]).all() else np.concatenate([ring, ring[:1]])


def _turns_right(ring: NDArray[np.float64]) -> bool:
    x, y = (ring - ring[0]).T
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum()) <= 0.0


def read_attributes(data: bytes, name: str, encoding: str) -> list[dict[str, Any]]:
    """The rows of a `.dbf` table: texts stripped, numbers as text, deleted rows in their place.

    >>> read_attributes(b"no", "a.dbf", "utf-8")
    Traceback (most recent call last):
    geo.errors.InputError: a.dbf: not a dBASE table; export the file again
    """
    if len(data) < 33:
        raise InputError(f"{name}: not a dBASE table; export the file again")
    rows, head, size = struct.unpack("<IHH", data[4:12])
    fields: list[tuple[str, int]] = []
    for at in range(32, min(head, len(data)) - 31, 32):
        if data[at] == 0x0D:
            break
        fields.append((data[at : at + 11].split(b"\0")[0].decode("latin-1"), data[at + 16]))
    if 1 + sum(width for _, width in fields) != size or len(data) < head + rows * size:
        raise InputError(f"{name}: not a dBASE table, or cut off; export the file again")
    made: list[dict[str, Any]] = []
    for row in range(rows):
        at = head + row * size + 1
        values: dict[str, Any] = {}
        for field, width in fields:
            values[field] = _text(data[at : at + width], encoding)
            at += width
        made.append(values)
    return made


def _text(raw: bytes, encoding: str) -> str:
    try:
        text = raw.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        text = raw.decode("latin-1")
    return text.strip(" \0")


def shapefiles(path: Path) -> list[tuple[str, dict[str, bytes]]]:
    """The shapefiles of a `.shp`, a folder or a `.zip`: a name, and the bytes of its files by suffix.

    Raises InputError where there is none.
    """
    import zipfile
    import zlib

    found: dict[str, dict[str, bytes]] = {}
    if path.is_file() and path.suffix.lower() != ".shp":
        try:
            with zipfile.ZipFile(path) as archive:
                if sum(member.file_size for member in archive.infolist()) > _MAX_TABLE_BYTES:
                    raise InputError(f"{path}: unpacks to over 2 GB; unpack it and give the .shp")
                names = [name for name in archive.namelist() if not name.endswith("/")]
                for name in names:
                    member = Path(name)
                    if member.suffix.lower() in _SUFFIXES:
                        found.setdefault(str(member.with_suffix("")), {})[member.suffix.lower()] = archive.read(name)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise InputError(f"{path}: cannot be unpacked ({error})") from None
    else:
        for file in files_of(path):
            found.setdefault(file.stem, {})[file.suffix.lower()] = file.read_bytes()
    whole = [(f"{Path(stem).name}.shp", files) for stem, files in sorted(found.items()) if ".shp" in files]
    if not whole:
        raise InputError(f"{path}: no .shp in it; give GeoJSON, GeoPackage, or a shapefile as .shp, folder or .zip")
    return whole


_SUFFIXES = (".shp", ".dbf", ".prj", ".cpg")


def files_of(path: Path) -> list[Path]:
    """The files that a path of a user stands for: those beside a `.shp`, those in a folder, or itself."""
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES)
    if path.suffix.lower() == ".shp":
        return [path, *sorted(f for f in path.parent.glob(f"{path.stem}.*") if f.suffix.lower() in _SUFFIXES[1:])]
    return [path]
