"""Zones: territorial seas, exclusive economic zones, sanctioned waters, areas drawn by a user; in which of them is it?

A file is read and gridded once (see `geo.zone_cells`), and kept under a digest of its bytes. A position may lie in
several zones, for claims overlap: the answer is a set, and its border belongs to a zone. What a line on a map is worth
in law is for others to say; where a file marks a claim as disputed, so do we.

Luxwake ships no boundaries. The usual source is Marine Regions (marineregions.org: EEZ v12, territorial seas and
contiguous zones v4, CC BY 4.0), whose boundaries are no statement about any claim either. Its polygons end at the
coast as it is drawn there: a ship in a harbour may lie in none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo import shapefile, sphere, zone_cells, zone_files, zone_grid, zone_shapes
from geo.cells import cells as cells_of
from geo.errors import InputError, UsageError
from geo.grid import Tell, open_grid
from geo.zone_files import ZoneFile

_BUILDERS = (shapefile, sphere, zone_cells, zone_files, zone_grid, zone_shapes)


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone of a file.

    Attributes
    ----------
    name : as in the file; `zone 3` where it has none
    kind : `EEZ`, `territorial sea`, `overlapping claim`, or the file's own word; empty where it says nothing
    id : its number in the file's register, such as MRGID; empty where there is none
    source : name of the file
    disputed : whether the file calls it an overlapping or disputed claim
    area_nmi2 : see `geo.zone_shapes.area_nmi2`
    south, north, west, east : bounds in degrees; west is greater than east across 180
    parts : number of polygons
    mended : what was wrong with it, and was mended
    """

    name: str
    kind: str
    id: str
    source: str
    disputed: bool
    area_nmi2: float
    south: float
    north: float
    west: float
    east: float
    parts: int
    mended: tuple[str, ...]


class Zones:
    """Zones to be asked; made by `read_zones` or `Zones.from_geojson`. May be shared by threads.

    Attributes
    ----------
    zones : what they are, in the order of the files
    sets : the sets of zones that occur, as tuples of places in `zones`; number 0 is the empty set
    notes : what was left out or taken on trust when they were read, one line each
    sources : the files that were read

    >>> square = {"type": "Polygon", "coordinates": [[[128, 34], [130, 34], [130, 36], [128, 36], [128, 34]]]}
    >>> named = {"type": "Feature", "properties": {"name": "Strait"}, "geometry": square}
    >>> zones = Zones.from_geojson(named)
    >>> zones.names_of([35.1, 36.0, 35.1], [129.0, 129.0, 131.0]).tolist()
    ['Strait', 'Strait', '']
    >>> zones.sets, zones.of([35.1, float("nan")], [129.0, 129.0]).tolist()
    ([(), (0,)], [1, 0])
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], sources: Sequence[Path] = ()) -> None:
        about = json.loads(arrays["about"].tobytes())
        self.zones = tuple(Zone(**{**zone, "mended": tuple(zone["mended"])}) for zone in about["zones"])
        self.notes: tuple[str, ...] = tuple(about["notes"])
        self.sources = tuple(sources)
        for array in arrays.values():
            array.setflags(write=False)
        self._grid = zone_cells.ZoneGrid(**{name: arrays[name] for name in zone_cells.ZoneGrid._fields})
        bounds, zone = arrays["set_start"].tolist(), arrays["set_zone"].tolist()
        self._sets = zone_grid.ZoneSets([tuple(zone[a:b]) for a, b in pairwise(bounds)])
        self._growing = Lock()

    @classmethod
    def from_geojson(cls, geojson: Mapping[str, Any], name: str = "GeoJSON") -> Zones:
        """The zones of a GeoJSON object; InputError as `read_zones`."""
        return cls(_build([zone_files.geojson_zones(geojson, name)], None, lambda part: None))

    @property
    def sets(self) -> list[tuple[int, ...]]:
        """The sets of zones by number."""
        return self._sets.sets

    def __len__(self) -> int:
        return len(self.zones)

    def of(self, lat_deg: ArrayLike, lon_deg: ArrayLike, cells: NDArray[np.uint64] | None = None) -> NDArray[np.int32]:
        """The number of the set of zones of each position; 0 (no zone) where it is not available.

        Parameters
        ----------
        lat_deg, lon_deg : (n,) degrees WGS84
        cells : (n,) uint64, the H3 cells of the positions at resolution 7 (`Fixes.cell`), where they are at hand

        Returns
        -------
        (n,) int32, places in `sets`

        The answer is that of GEOS (`shapely.intersects_xy`) for every position, but that -180 and 180 are one.
        """
        lat, lon = (np.ascontiguousarray(values, np.float64) for values in (lat_deg, lon_deg))
        if lat.shape != lon.shape or (cells is not None and cells.shape != lat.shape):
            raise UsageError(f"latitudes, longitudes and cells must have one shape, not {lat.shape} and {lon.shape}")
        flat, flat_lon = lat.reshape(-1), lon.reshape(-1)
        found = cells_of(flat, flat_lon, zone_cells.RESOLUTION) if cells is None else cells.reshape(-1)
        out = np.empty(flat.size, np.int32)
        found = np.ascontiguousarray(found, np.uint64)
        zone_cells.find_sets(self._grid, flat, flat_lon, found, np.zeros(0, np.uint8), out)
        for row in np.flatnonzero(out < 0).tolist():
            out[row] = self._crowded(~int(out[row]), float(flat[row]), float(flat_lon[row]))
        return out.reshape(lat.shape)

    def _crowded(self, edge_cell: int, lat: float, lon: float) -> int:
        """The set of a position near the sides of more zones than are tabled."""
        grid = self._grid
        slots = grid.slot_zone[grid.slot_start[edge_cell] : grid.slot_start[edge_cell + 1]]
        inside = np.zeros(len(slots), np.uint8)
        zone_cells.slots_at(grid, edge_cell, lat, lon, inside)
        with self._growing:
            return self._sets.number((*self.sets[grid.base[edge_cell]], *slots[inside > 0].tolist()))

    def contains(
        self,
        zone: int | str,
        lat_deg: ArrayLike,
        lon_deg: ArrayLike,
        cells: NDArray[np.uint64] | None = None,
    ) -> NDArray[np.bool_]:
        """Whether positions lie in a zone, given by its place or name; of zones of one name in any of them.

        Raises UsageError for a zone that is not there.
        """
        wanted = {zone} if isinstance(zone, int) else {n for n, one in enumerate(self.zones) if one.name == zone}
        if not wanted or not all(0 <= n < len(self.zones) for n in wanted):
            raise UsageError(f"no zone {zone!r}; there are {len(self.zones)}: {self._some_names()}")
        numbers = self.of(lat_deg, lon_deg, cells)
        return np.array([not wanted.isdisjoint(one) for one in self.sets])[numbers]

    def _some_names(self) -> str:
        names = list(dict.fromkeys(zone.name for zone in self.zones))
        return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")

    def names_of(
        self, lat_deg: ArrayLike, lon_deg: ArrayLike, cells: NDArray[np.uint64] | None = None
    ) -> NDArray[np.object_]:
        """The names of the zones of each position, sorted and joined by `; `; empty where there is none."""
        return self.names(self.of(lat_deg, lon_deg, cells))

    def names(self, *numbers: NDArray[np.int32]) -> NDArray[np.object_]:
        """The names of the zones in sets of zones, given by number, or of several such sets taken together."""
        rows, which = np.unique(np.stack(numbers, axis=-1).reshape(-1, len(numbers)), axis=0, return_inverse=True)
        texts = np.empty(len(rows), object)
        for n, row in enumerate(rows.tolist()):
            texts[n] = "; ".join(sorted({self.zones[zone].name for number in row for zone in self.sets[number]}))
        named: NDArray[np.object_] = texts[which.reshape(numbers[0].shape)]
        return named


def read_zones(
    paths: str | Path | Sequence[str | Path],
    layer: str | None = None,
    crs: str | None = None,
    name_field: str | None = None,
) -> Zones:
    """Read zones from GeoJSON, GeoPackage or shapefiles; several files make one set of zones.

    The grid is kept in the user's cache: a second call costs a digest of the files.

    Parameters
    ----------
    paths : files; a shapefile as its `.shp`, its folder, or a `.zip`
    layer : of a GeoPackage or of a folder of shapefiles, only this layer
    crs : `EPSG:4326` where a file does not say that it is in WGS84, and is
    name_field : the attribute that holds the names; default: name, GEONAME, TERRITORY1, title, label

    Raises
    ------
    UsageError
        For a layer or a name field that is not there, or another CRS.
    InputError
        For a file that cannot be read, is in another CRS or says none, holds no polygon, or one that cannot be meant.
    """
    chosen = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    if not chosen:
        raise UsageError("no file of zones; give GeoJSON, GeoPackage or a shapefile")

    def build(tell: Tell) -> dict[str, NDArray[Any]]:
        return _build([zone_files.read_zone_file(path, layer, crs) for path in chosen], name_field, tell)

    files = [file for path in chosen for file in _files_of(path)]
    asked = json.dumps([[str(path) for path in chosen], layer, crs, name_field]).encode()
    code = [Path(str(module.__file__)) for module in _BUILDERS]
    return Zones(open_grid("zones", [*files, asked, *code, Path(__file__)], build), files)


def _files_of(path: Path) -> list[Path]:
    try:
        files = shapefile.files_of(path)
        for file in files:
            file.open("rb").close()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    return files


def _build(files: Sequence[ZoneFile], name_field: str | None, tell: Tell) -> dict[str, NDArray[Any]]:
    """The grid of the zones of some files, with what they are as JSON in `about`."""
    zones: list[Zone] = []
    rings: list[NDArray[np.float64]] = []
    zone_of_ring: list[int] = []
    notes: list[str] = []
    for file in files:
        _check_features(file, name_field)
        notes += file.notes
        notes += [f"{file.name}: {n:,} left out: {what}" for what, n in sorted(file.left_out.items())]
        for number, feature in enumerate(file.features):
            zone, made = _zone_of(file, feature, number, name_field)
            rings += made
            zone_of_ring += [len(zones)] * len(made)
            zones.append(zone)
    tell(0.1)
    about = json.dumps({"zones": [asdict(zone) for zone in zones], "notes": notes}).encode()
    grid = zone_grid.build_zone_grid(rings, zone_of_ring, lambda part: tell(0.1 + 0.9 * part))
    return {**grid, "about": np.frombuffer(about, np.uint8)}


def _check_features(file: ZoneFile, name_field: str | None) -> None:
    if not file.features:
        found = ", ".join(f"{n:,} {what}" for what, n in sorted(file.left_out.items()))
        raise InputError(f"{file.name}: no Polygon or MultiPolygon in it{f' ({found})' if found else ''}; no zone")
    if name_field is not None and not any(name_field.lower() in one.attributes for one in file.features):
        fields = ", ".join(sorted({name for one in file.features for name in one.attributes})[:12])
        raise UsageError(f"--name-field {name_field}: not in {file.name}; it has {fields or 'no attributes'}")


def _zone_of(
    file: ZoneFile, feature: zone_files.Feature, number: int, name_field: str | None
) -> tuple[Zone, list[NDArray[np.float64]]]:
    """A zone and its rings, latitude before longitude."""
    import shapely

    name = zone_files.name_of(feature, number, name_field)
    try:
        shape, mended = zone_shapes.on_chart(feature.shape)
    except InputError as error:
        raise InputError(f"{file.name}: {name}: {error}") from None
    south, north, west, east = zone_shapes.bounds_of(shape)
    kind = zone_files.kind_of(feature)
    zone = Zone(
        name=name,
        kind=kind,
        id=zone_files.id_of(feature),
        source=Path(file.name).name,
        disputed="overlapping claim" in kind or "disputed" in kind,
        area_nmi2=zone_shapes.area_nmi2(shape),
        south=south,
        north=north,
        west=west,
        east=east,
        parts=len(shape.geoms),
        mended=tuple(mended),
    )
    rings = [ring for part in shape.geoms for ring in (part.exterior, *part.interiors)]
    return zone, [shapely.get_coordinates(ring)[:, ::-1] for ring in rings]
