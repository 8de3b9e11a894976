"""Builds `shore.npz`: distance to shore on a grid of 0.05 degrees, and the mask's bits along the shore.

Run: `python -m geo.tables.build_shore`.

Source: the mask of the package global-land-mask 1.0.0 (MIT), made from NOAA's GLOBE elevations: 43,200 x 21,600 cells
of 30 arc-seconds, sea or land. Lakes, the Caspian Sea and rivers are land in it. The shore is the set of middles of all
edges between a sea cell and a land cell (their spacing of 0.9 km bounds the error of the shore itself to half of it).

Each grid point keeps the shore point nearest to it; what is known is handed from neighbour to neighbour, north and
south, east and west, until nothing gets nearer (a vector distance transform after Danielsson 1980, with distances
on the sphere). Run as a script it ends with a comparison with exact nearest neighbours (scikit-learn's BallTree)
at random positions.
"""

from __future__ import annotations

import importlib.util
import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from geo.coast import SATURATION_M, is_sea, shore_distance_m
from geo.kernel import inner, kernel
from geo.shore_grid import CELLS_PER_DEG, COLUMNS, LEVELS_M, ROWS
from geo.sphere import EARTH_RADIUS_M

FINE_ROWS, FINE_COLUMNS = 21_600, 43_200
FINE = FINE_ROWS // ROWS
"""Mask cells along one side of a grid cell: 6."""
BAND = 100 * FINE
"""Mask rows read at a time: 26 MB."""
Vector = NDArray[np.float64]


def open_mask() -> IO[bytes]:
    """The mask as a stream of bytes from north-west to south-east, 1 sea, 0 land (unpacked it has 933 MB)."""
    spec = importlib.util.find_spec("global_land_mask")
    if spec is None or spec.origin is None:
        raise SystemExit("global-land-mask is not installed: pip install global-land-mask==1.0.0")
    archive = zipfile.ZipFile(Path(spec.origin).parent / "globe_combined_mask_compressed.npz")
    stream = archive.open("mask.npy")
    np.lib.format.read_magic(stream)
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if shape != (FINE_ROWS, FINE_COLUMNS) or fortran or dtype != np.bool_:
        raise SystemExit(f"the mask has an unknown layout: {shape} {dtype}, expected {(FINE_ROWS, FINE_COLUMNS)} bool")
    return stream


def read_shore() -> tuple[Vector, Vector, NDArray[np.bool_]]:
    """Latitudes and longitudes of the shore points, and for each grid point (from the south) whether it is at sea."""
    stream = open_mask()
    lat_parts: list[NDArray[np.floating]] = []
    lon_parts: list[NDArray[np.floating]] = []
    sea = np.empty((ROWS, COLUMNS), np.bool_)
    above = np.empty((0, FINE_COLUMNS), np.bool_)
    step = 180.0 / FINE_ROWS
    for top in range(0, FINE_ROWS, BAND):
        band = np.frombuffer(stream.read(BAND * FINE_COLUMNS), np.bool_).reshape(BAND, FINE_COLUMNS)
        row, column = np.nonzero(band != np.roll(band, -1, axis=1))  # edges on the east side of a cell
        lat_parts.append(90.0 - (top + row + 0.5) * step)
        lon_parts.append(-180.0 + (column + 1.0) * step)
        joined = np.concatenate([above, band])
        row, column = np.nonzero(joined[1:] != joined[:-1])  # edges between a row and the next
        lat_parts.append(90.0 - (top - above.shape[0] + row + 1.0) * step)
        lon_parts.append(-180.0 + (column + 0.5) * step)
        above = band[-1:].copy()
        half = FINE // 2  # a grid point is the corner of four mask cells: sea when two of them are
        corners = np.stack([band[half + dr :: FINE, half + dc :: FINE] for dr in (-1, 0) for dc in (-1, 0)])
        first = ROWS - (top + BAND) // FINE
        sea[first : first + BAND // FINE] = (np.count_nonzero(corners, axis=0) >= 2)[::-1]
    return np.concatenate(lat_parts), np.concatenate(lon_parts), sea


def unit_vectors(lat_deg: Vector, lon_deg: Vector) -> Vector:
    """Unit vectors (n, 3)."""
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


@inner
def offer(nearest, square, grid_row, grid_column, point, points, row_sin, row_cos, column_sin, column_cos, limit):
    """Let a grid point take a shore point when that is nearer than the one it has; 1 when it did."""
    if point < 0:
        return 0
    dx = row_cos[grid_row] * column_cos[grid_column] - points[point, 0]
    dy = row_cos[grid_row] * column_sin[grid_column] - points[point, 1]
    dz = row_sin[grid_row] - points[point, 2]
    chord = dx * dx + dy * dy + dz * dz
    if chord < square[grid_row, grid_column] and chord < limit:
        square[grid_row, grid_column] = chord
        nearest[grid_row, grid_column] = point
        return 1
    return 0


@kernel
def seed(nearest, square, home, points, row_sin, row_cos, column_sin, column_cos, limit):
    """Offer every shore point to the grid cell it lies in and the eight around."""
    rows, columns = nearest.shape
    for point in range(home.shape[0]):
        for dr in range(-1, 2):
            r = home[point, 0] + dr
            if 0 <= r < rows:
                for dc in range(-1, 2):
                    c = (home[point, 1] + dc) % columns
                    offer(nearest, square, r, c, point, points, row_sin, row_cos, column_sin, column_cos, limit)


@kernel
def sweep(nearest, square, northward, points, row_sin, row_cos, column_sin, column_cos, limit):
    """One pass over all rows; each row hears from the row before and then from both sides. Returns the changes."""
    rows, columns = nearest.shape
    changes = 0
    for step in range(rows):
        r = step if northward else rows - 1 - step
        before = r - 1 if northward else r + 1
        for c in range(columns):
            if 0 <= before < rows:
                for dc in range(-1, 2):
                    point = nearest[before, (c + dc) % columns]
                    changes += offer(
                        nearest, square, r, c, point, points, row_sin, row_cos, column_sin, column_cos, limit
                    )
        for k in range(2 * columns):  # twice round, for the seam at 180 degrees
            for side in (-1, 1):
                c = (k if side < 0 else -k) % columns
                point = nearest[r, (c + side) % columns]
                changes += offer(nearest, square, r, c, point, points, row_sin, row_cos, column_sin, column_cos, limit)
    return changes


def distance_grid(lat_deg: Vector, lon_deg: Vector) -> Vector:
    """Distance in metres from each grid point to the nearest shore point; infinite beyond the saturation."""
    points = unit_vectors(lat_deg, lon_deg)
    home_row = np.clip(((lat_deg + 90.0) * CELLS_PER_DEG).astype(np.int32), 0, ROWS - 1)
    home_column = ((lon_deg + 180.0) * CELLS_PER_DEG).astype(np.int32) % COLUMNS
    row_lat = np.radians((np.arange(ROWS) + 0.5) / CELLS_PER_DEG - 90.0)
    column_lon = np.radians((np.arange(COLUMNS) + 0.5) / CELLS_PER_DEG - 180.0)
    axes = (np.sin(row_lat), np.cos(row_lat), np.sin(column_lon), np.cos(column_lon))
    limit = (2.0 * math.sin(1.02 * SATURATION_M / EARTH_RADIUS_M / 2.0)) ** 2
    nearest = np.full((ROWS, COLUMNS), -1, np.int32)
    square = np.full((ROWS, COLUMNS), np.inf)
    seed(nearest, square, np.stack([home_row, home_column], axis=1), points, *axes, limit)
    for turn in range(12):
        changes = sweep(nearest, square, turn % 2 == 0, points, *axes, limit)
        print(f"sweep {turn + 1}: {changes:,} grid points came nearer")
        if changes == 0:
            break
    return np.asarray(2.0 * EARTH_RADIUS_M * np.arcsin(np.sqrt(square / 4.0).clip(max=1.0)))


def cells_along(lat_deg: Vector, lon_deg: Vector) -> NDArray[np.int64]:
    """Numbers, row by row from the north, of the grid cells on both sides of all edges that the shore points are on."""
    y, x = (90.0 - lat_deg) * (FINE_ROWS / 180.0), (lon_deg + 180.0) * (FINE_ROWS / 180.0)
    across = np.abs(x - np.round(x)) < 0.25  # on the east side of a mask cell; else on its south side
    rows = np.where(across, np.floor(y), np.round(y)).astype(np.int64)
    columns = np.where(across, np.round(x), np.floor(x)).astype(np.int64)
    before = (rows - ~across) // FINE * COLUMNS + (columns - across) % FINE_COLUMNS // FINE
    after = rows // FINE * COLUMNS + columns % FINE_COLUMNS // FINE
    return np.unique(np.concatenate([before, after]))


def mask_bits(cell: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The 36 mask cells of each grid cell, from the north-west, as the low bits of five octets."""
    out = np.empty((cell.size, 5), np.uint8)
    stream = open_mask()
    for top in range(0, FINE_ROWS, BAND):
        band = np.frombuffer(stream.read(BAND * FINE_COLUMNS), np.bool_).reshape(-1, FINE, COLUMNS, FINE)
        low, high = np.searchsorted(cell, [top // FINE * COLUMNS, (top + BAND) // FINE * COLUMNS])
        row, column = cell[low:high] // COLUMNS - top // FINE, cell[low:high] % COLUMNS
        out[low:high] = np.packbits(band[row, :, column].reshape(-1, FINE * FINE), axis=1, bitorder="little")
    return out


def mask_at(lat_deg: Vector, lon_deg: Vector) -> NDArray[np.bool_]:
    """Whether the mask's own cell under each position is sea, read as a stream."""
    row = np.clip(((90.0 - lat_deg) / 180.0 * FINE_ROWS).astype(int), 0, FINE_ROWS - 1)
    column = ((lon_deg + 180.0) / 360.0 * FINE_COLUMNS).astype(int) % FINE_COLUMNS
    out = np.empty(lat_deg.size, np.bool_)
    stream = open_mask()
    for top in range(0, FINE_ROWS, BAND):
        band = np.frombuffer(stream.read(BAND * FINE_COLUMNS), np.bool_).reshape(BAND, FINE_COLUMNS)
        here = (row >= top) & (row < top + BAND)
        out[here] = band[row[here] - top, column[here]]
    return out


def check(lat_deg: Vector, lon_deg: Vector, n: int = 100_000) -> None:
    """Print how the finished table differs from the mask itself at random positions on the sphere."""
    from sklearn.neighbors import BallTree

    rng = np.random.default_rng(7)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)
    tree = BallTree(np.radians(np.stack([lat_deg, lon_deg], axis=1)), metric="haversine")
    exact = tree.query(np.radians(np.stack([lat, lon], axis=1)))[0][:, 0] * EARTH_RADIUS_M
    exact = np.where(mask_at(lat, lon), exact, -exact)
    error = np.abs(shore_distance_m(lat, lon) - exact)
    for low, high in ((0.0, 5e3), (5e3, 15e3), (15e3, 50e3), (50e3, SATURATION_M)):
        part = (np.abs(exact) >= low) & (np.abs(exact) < high)
        middle, most, worst = np.percentile(error[part], [50, 95, 100])
        print(
            f"{low / 1000:.0f} to {high / 1000:.0f} km from shore, {part.sum():,} points: error in m "
            f"median {middle:.0f}, 95 % {most:.0f}, largest {worst:.0f}"
        )
    differs = np.count_nonzero(is_sea(lat, lon) != (exact >= 0))
    print(f"sea or land other than in the mask: {differs} of {n:,} positions")


def main() -> None:
    """Write the table beside this script."""
    lat, lon, sea = read_shore()
    cell = cells_along(lat, lon)
    octets = mask_bits(cell)
    print(f"{cell.size:,} cells along {lat.size:,} shore points, {sea.mean():.1%} of the grid points at sea")
    distance = distance_grid(lat, lon)
    level = np.searchsorted((LEVELS_M[1:] + LEVELS_M[:-1]) / 2.0, distance).astype(np.int16)
    code = np.where(sea, 128 + level, 127 - level).astype(np.uint8)
    path = Path(__file__).parent / "shore.npz"
    # differences from west to east pack a quarter smaller, and uint8 wraps round unharmed
    eastward = np.diff(code[::-1], axis=1, prepend=np.uint8(0))
    step = np.diff(cell, prepend=0).astype(np.int32)
    np.savez_compressed(path, eastward=eastward, cell_step=step, octets=octets)
    print(f"{path.name}: {path.stat().st_size:,} bytes")
    check(lat, lon)


if __name__ == "__main__":
    main()
