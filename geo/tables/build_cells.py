"""Builds `h3_faces.npz`: what `geo.cell_index` needs to know of H3's icosahedron.

Run: `python -m geo.tables.build_cells`.

Nothing is copied from the H3 sources. The faces are rebuilt from the 12 pentagons; the base cell of each place on a
face, and the rotation of its digits, are learned by asking the `h3` library at about 14,000 points.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

import h3.api.basic_int as h3
import numpy as np
from numpy.typing import NDArray

AP7_ROTATION = math.atan2(math.sqrt(3.0), 5.0)
"""Angle between a Class II and a Class III grid, 19.1 degrees."""
JITTER = np.array([0.0137, 0.0291, 0.0173])
"""Keeps the sample points off the lines of symmetry, where two answers are right."""
STEPS = 36
RESOLUTION = 3
Points = NDArray[np.float64]


def unit_vector(lat_deg: float, lon_deg: float) -> Points:
    """The point of the unit sphere at a latitude and longitude."""
    lat, lon = math.radians(lat_deg), math.radians(lon_deg)
    return np.array([math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)])


def build_faces() -> tuple[Points, Points, Points]:
    """Centres (20, 3), plane axes (class II or III, face, x or y, 3) and corners (20, 3, 3) of the faces.

    Ten faces of one half of the globe, then those opposite to them, in the same order.
    """
    vertices = np.array([unit_vector(*h3.cell_to_latlng(cell)) for cell in h3.get_pentagons(0)])
    adjacent = vertices @ vertices.T > 0.4  # cos(63.4 deg) = 0.447
    np.fill_diagonal(adjacent, False)
    centres, axes, corners = [], [], []
    for a in range(12):
        for b in range(a + 1, 12):
            for c in range(b + 1, 12):
                if adjacent[a, b] and adjacent[b, c] and adjacent[a, c]:
                    centre = vertices[a] + vertices[b] + vertices[c]
                    centre /= np.linalg.norm(centre)
                    x = vertices[a] - (vertices[a] @ centre) * centre  # the i axis points to one corner
                    x /= np.linalg.norm(x)
                    centres.append(centre)
                    corners.append((vertices[a], vertices[b], vertices[c]))
                    axes.append((x, np.cross(centre, x)))
    north = [n for n in range(20) if centres[n][2] > 0]
    order = north + [int(np.argmin(np.array(centres) @ centres[n])) for n in north]
    class_ii = np.array(axes)[order]
    cos, sin = math.cos(AP7_ROTATION), math.sin(AP7_ROTATION)
    x, y = class_ii[:, 0], class_ii[:, 1]
    class_iii = np.stack([cos * x + sin * y, cos * y - sin * x], axis=1)
    return np.array(centres)[order], np.stack([class_ii, class_iii]), np.array(corners)[order]


def face_points(corners: Points) -> Points:
    """Unit vectors on a barycentric grid over one face, just inside its edges."""
    weights = [(p, q, STEPS - p - q) for p in range(STEPS + 1) for q in range(STEPS + 1 - p)]
    points = (np.array(weights, float) + JITTER) @ corners
    return np.asarray(points / np.linalg.norm(points, axis=1)[:, None])


def learn_base_cells(corners: Points) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Base cell and turn code for each (face, i + 3, j + 3); -1 where no point of the face falls.

    The turn code is the number of 60 degree turns, + 8 where a pentagon's first turn goes clockwise, + 16 for a
    pentagon.
    """
    from geo.cell_index import apply_turn, path_digits, round_hex, to_plane

    base = np.full((20, 8, 8), -1, np.int64)
    turn = np.zeros((20, 8, 8), np.int64)
    pentagons = {h3.get_base_cell_number(cell) for cell in h3.get_pentagons(0)}
    digit_mask = ((1 << 3 * RESOLUTION) - 1) << (45 - 3 * RESOLUTION)
    for face in range(20):
        seen: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        for x, y, z in face_points(corners[face]):
            i, j = round_hex(*to_plane(x, y, z, face, RESOLUTION))
            digits, base_i, base_j = (int(number) for number in path_digits(i, j, RESOLUTION))
            truth = h3.latlng_to_cell(math.degrees(math.asin(z)), math.degrees(math.atan2(y, x)), RESOLUTION)
            seen.setdefault((base_i, base_j), []).append((truth >> 45 & 127, digits, truth & digit_mask))
        for (base_i, base_j), rows in seen.items():
            (cell,) = {row[0] for row in rows}
            codes = [turns + 8 * clockwise + 16 * (cell in pentagons) for clockwise in (0, 1) for turns in range(6)]
            fitting = [
                code
                for code in codes
                if all(apply_turn(digits, code) & digit_mask == truth for _, digits, truth in rows)
            ]
            base[face, base_i + 3, base_j + 3] = cell
            turn[face, base_i + 3, base_j + 3] = fitting[0]
    return base, turn


def main() -> None:
    """Write the table beside this script, in two steps: the faces, then what is learned with their help."""
    os.environ["NUMBA_DISABLE_JIT"] = "1"  # kernels as plain functions: inlined ones have no other call from Python
    path = Path(__file__).parent / "h3_faces.npz"
    centres, axes, corners = build_faces()
    unknown = np.full((20, 8, 8), -1, np.int64)
    np.savez_compressed(path, centres=centres, axes=axes, base=unknown, turn=unknown)
    base, turn = learn_base_cells(corners)
    np.savez_compressed(path, centres=centres, axes=axes, base=base, turn=turn)
    print(f"{path.name}: {path.stat().st_size:,} bytes, {np.count_nonzero(base >= 0)} places on 20 faces")


if __name__ == "__main__":
    main()
