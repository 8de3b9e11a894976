"""Builds `coastline.npz`: land for maps. Run: `python -m geo.tables.build_coastline [land-10m.json]`.

Source: `land-10m.json` of the npm package world-atlas 2.0.2 (ISC): Natural Earth 1:10 million (public domain) as
TopoJSON. Without an argument the package is fetched with `npm pack`. The rings are rounded to 0.001 degrees (110 m
at most) and thinned by less than 0.002 degrees (Douglas and Peucker), which is finer than the map's own accuracy.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

PACKAGE = "world-atlas@2.0.2"
MEMBER = "land-10m.json"
UNITS_PER_DEG = 1000
TOLERANCE_DEG = 0.002
Ring = NDArray[np.float64]


def fetch() -> Any:
    """The TopoJSON from the npm package."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", PACKAGE, "--silent"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as tar:
            member = tar.extractfile(f"package/{MEMBER}")
            if member is None:
                raise SystemExit(f"{MEMBER} is not in {PACKAGE}")
            return json.load(member)


def unrolled(ring: Ring) -> Ring:
    """A ring without jumps at 180 degrees, which world-atlas stitches; one round a pole is closed along the pole."""
    ring = np.column_stack([np.unwrap(ring[:, 0], period=360.0), ring[:, 1]])
    if abs(ring[-1, 0] - ring[0, 0]) < 180.0:
        return ring
    pole = -90.0 if ring[:, 1].mean() < 0.0 else 90.0
    return np.concatenate([ring, [[ring[-1, 0], pole], [ring[0, 0], pole], ring[0]]])


def polygons(topology: Any) -> list[shapely.Polygon]:
    """Valid polygons of longitude and latitude, cut at 180 degrees."""
    scale, translate = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    arcs = [np.cumsum(np.array(arc), axis=0) * scale + translate for arc in topology["arcs"]]

    def ring(numbers: list[int]) -> Ring:
        """Arcs end to end; ~n means arc n backwards; the shared end points stand once."""
        parts = [arcs[n] if n >= 0 else arcs[~n][::-1] for n in numbers]
        return unrolled(np.concatenate([part[:-1] for part in parts] + [parts[0][:1]]))

    found = []
    for geometry in topology["objects"]["land"]["geometries"]:
        for polygon in geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]:
            shell, *holes = [ring(numbers) for numbers in polygon]
            whole = shapely.make_valid(shapely.Polygon(shell, holes).simplify(TOLERANCE_DEG))
            for shift in (-360.0, 0.0, 360.0):
                moved = shapely.transform(whole, lambda xy, by=shift: xy - (by, 0.0))
                part = shapely.intersection(moved, shapely.box(-180.0, -90.0, 180.0, 90.0))
                found += [one for one in shapely.get_parts(part) if one.geom_type == "Polygon" and not one.is_empty]
    return found


def pack(found: list[shapely.Polygon]) -> dict[str, NDArray[Any]]:
    """The arrays of the table: steps from point to point, lengths of rings, rings of polygons."""
    points, lengths, counts = [], [], []
    for thin in found:
        kept = []
        for one in (thin.exterior, *thin.interiors):
            units = np.rint(np.array(one.coords)[:, ::-1] * UNITS_PER_DEG).astype(np.int32)
            moved = np.concatenate([[True], np.any(np.diff(units, axis=0) != 0, axis=1)])
            if np.count_nonzero(moved) >= 4:
                kept.append(units[moved])
        if kept:
            points += kept
            lengths += [len(one) for one in kept]
            counts.append(len(kept))
    steps = np.diff(np.concatenate(points), axis=0, prepend=np.zeros((1, 2), np.int32)).astype(np.int32)
    return {
        "steps": np.asfortranarray(steps),
        "ring_length": np.array(lengths, np.int32),
        "rings_of_polygon": np.array(counts, np.int32),
        "units_per_deg": np.array(UNITS_PER_DEG),
    }


def main() -> None:
    """Write the table beside this script."""
    topology = json.loads(Path(sys.argv[1]).read_text("utf-8")) if len(sys.argv) > 1 else fetch()
    arrays = pack(polygons(topology))
    path = Path(__file__).parent / "coastline.npz"
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    print(
        f"{path.name}: {len(arrays['rings_of_polygon']):,} polygons, {len(arrays['steps']):,} points, "
        f"{path.stat().st_size:,} bytes"
    )


if __name__ == "__main__":
    main()
