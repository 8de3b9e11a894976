"""Polygons as people draw them, brought onto the chart of -180 to 180 degrees; what was mended is said.

Sides are straight on the chart of longitude and latitude (RFC 7946, 3.1.1), as they are for GEOS and most programs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError
from geo.sphere import EARTH_RADIUS_M, NMI_M

if TYPE_CHECKING:
    from shapely import MultiPolygon, Polygon
    from shapely.geometry.base import BaseGeometry

MAX_MENDED_PART = 0.01
"""A polygon that crosses itself is mended where its area stays the same but for this part; else nobody can say what
was meant, and it is refused."""
_SHORT_WAY = "sides longer than 180 degrees taken the short way, across 180"


def on_chart(shape: BaseGeometry) -> tuple[MultiPolygon, list[str]]:
    """A valid MultiPolygon within -180 to 180 degrees, and what was mended.

    A ring that runs past 180, or jumps from one side of 180 to the other, is cut there; one that runs around a pole is
    closed over the nearer one; a ring that crosses itself is mended while that changes less than 1 % of the area;
    parts that overlap become one; heights and measures are left out.

    Raises InputError for a polygon that is not finite, leaves the globe or crosses itself for good.

    >>> import shapely
    >>> across = shapely.Polygon([(179, 0), (-179, 0), (-179, 1), (179, 1)])
    >>> shape, mended = on_chart(across)
    >>> shape.bounds, len(shape.geoms), mended
    ((-180.0, 0.0, 180.0, 1.0), 2, ['sides longer than 180 degrees taken the short way, across 180'])
    """
    import shapely

    mended: dict[str, None] = {}
    parts: list[Polygon] = []
    for polygon in shapely.get_parts(shapely.force_2d(shape)):
        if not polygon.is_empty:
            _check_range(polygon)
            parts += _cut(_mended(_unwrapped(polygon, mended), mended), mended)
    if not parts:
        raise InputError("no area in it")
    whole = shapely.MultiPolygon(parts)
    if not whole.is_valid:
        before, whole = whole.area, shapely.MultiPolygon(shapely.get_parts(shapely.unary_union(parts)).tolist())
        if whole.area < before * (1.0 - 1e-9):
            mended[f"parts that overlap made one ({_percent(1.0 - whole.area / before)} of their area is shared)"] = (
                None
            )
    return whole, list(mended)


def area_nmi2(shape: BaseGeometry) -> float:
    """Area in square nautical miles on the sphere of the mean radius, the sides straight on the chart.

    Exact for such sides: under each lies the integral of the sine of a latitude that runs linearly. The ellipsoid
    differs by up to 0.5 %.

    >>> import shapely
    >>> round(area_nmi2(shapely.box(-180, -90, 180, 90)))
    148711416
    """
    import shapely

    total = 0.0
    for polygon in shapely.get_parts(shape):
        areas = [_ring_area(shapely.get_coordinates(ring)) for ring in (polygon.exterior, *polygon.interiors)]
        total += areas[0] - sum(areas[1:])
    return total * (EARTH_RADIUS_M / NMI_M) ** 2


def _ring_area(ring: NDArray[np.float64]) -> float:
    lon, lat = np.radians(ring).T
    middle, half = 0.5 * (lat[1:] + lat[:-1]), 0.5 * np.diff(lat)
    return abs(float((np.diff(lon) * np.sin(middle) * np.sinc(half / np.pi)).sum()))


def bounds_of(shape: BaseGeometry) -> tuple[float, float, float, float]:
    """South, north, west, east in degrees; west is greater than east where 180 degrees lie between.

    >>> import shapely
    >>> bounds_of(shapely.MultiPolygon([shapely.box(170, 0, 180, 1), shapely.box(-180, 0, -175, 1)]))
    (0.0, 1.0, 170.0, -175.0)
    """
    import shapely

    west, south, east, north = shape.bounds
    if west == -180.0 and east == 180.0:
        boxes = shapely.bounds(shapely.get_parts(shape))
        order = np.argsort(boxes[:, 0])
        reached = np.maximum.accumulate(boxes[order, 2])
        gaps = boxes[order[1:], 0] - reached[:-1]
        if len(gaps) and gaps.max() > 0.0:
            widest = int(gaps.argmax())
            west, east = float(boxes[order[widest + 1], 0]), float(reached[widest])
    return south, north, west, east


def _check_range(polygon: Polygon) -> None:
    import shapely

    lon, lat = shapely.get_coordinates(polygon).T
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        raise InputError("a coordinate is not a finite number")
    if (worst := float(lat[np.abs(lat).argmax()])) and abs(worst) > 90.0:
        raise InputError(f"latitude {worst:g} is over 90; longitude first, then latitude, in degrees")
    if (worst := float(lon[np.abs(lon).argmax()])) and abs(worst) > 360.0:
        raise InputError(f"longitude {worst:g} is over 360; give degrees of WGS84")


def _unwrapped(polygon: Polygon, mended: dict[str, None]) -> Polygon:
    """The polygon with rings that run on over 180 degrees without a jump, its holes beside its outside.

    Where only the polygon as drawn is simple, that is what was meant, long as its sides are.
    """
    import shapely

    said: dict[str, None] = {}
    shell, *holes = [_run_on(shapely.get_coordinates(ring), said) for ring in (polygon.exterior, *polygon.interiors)]
    if not said:
        return polygon
    if np.ptp(shell[:, 0]) > 360.0 + 1e-9 and np.abs(shell[:, 1]).max() < 90.0:
        raise InputError("a polygon runs more than once around the globe; cut it into parts")
    moved = []
    for ring in holes:
        turned = (ring, np.add(ring, (360.0, 0.0)), np.add(ring, (-360.0, 0.0)))
        moved.append(next((one for one in turned if _holds(shell, one)), ring))
    made = shapely.Polygon(shell, moved)
    if polygon.is_valid and not made.is_valid:
        mended["sides longer than 180 degrees kept as drawn"] = None
        return polygon
    mended.update(said)
    return made


def _holds(shell: NDArray[np.float64], ring: NDArray[np.float64]) -> bool:
    return bool(shell[:, 0].min() <= ring[:, 0].min() and ring[:, 0].max() <= shell[:, 0].max())


def _run_on(ring: NDArray[np.float64], mended: dict[str, None]) -> NDArray[np.float64]:
    """A ring whose sides all go the short way around, closed over a pole where it runs around one.

    A side from exactly -180 to 180 stays as drawn where the ring is then simple: a belt around the globe, or one cut
    off at a parallel. Along a pole every way is the same.
    """
    import shapely

    step = np.diff(ring[:, 0])
    on_pole = (np.abs(ring[1:, 1]) == 90.0) & (ring[1:, 1] == ring[:-1, 1])
    jumps = (np.abs(step) > 180.0) & ~on_pole
    if not jumps.any() or ((np.abs(step[jumps]) == 360.0).all() and shapely.Polygon(ring).is_valid):
        return ring
    mended[_SHORT_WAY] = None
    turns = np.where(jumps, -360.0 * np.sign(step), 0.0)
    if turns.sum() == 0.0:
        return np.stack([ring[:, 0] + np.append(0.0, np.cumsum(turns)), ring[:, 1]], axis=1)
    if abs(turns.sum()) > 360.0:
        raise InputError("a polygon runs more than once around a pole; cut it into parts")
    pole = math.copysign(90.0, float(ring[:, 1].mean()))
    mended[f"a ring around the {'north' if pole > 0.0 else 'south'} pole closed over it"] = None
    first = int((ring[:-1, 1] * pole).argmax())  # from the point next to the pole no way to it crosses the ring
    ring, turns = np.roll(ring[:-1], -first, axis=0), np.roll(turns, -first)
    lon = np.append(ring[:, 0], ring[0, 0]) + np.append(0.0, np.cumsum(turns))
    lat = np.append(ring[:, 1], ring[0, 1])
    return np.stack([np.append(lon, [lon[-1], lon[0], lon[0]]), np.append(lat, [pole, pole, lat[0]])], axis=1)


def _mended(polygon: Polygon, mended: dict[str, None]) -> BaseGeometry:
    """A polygon that does not cross itself."""
    import shapely

    if polygon.is_valid:
        return polygon
    why = shapely.is_valid_reason(polygon)
    drawn = abs(polygon.area)
    made = shapely.make_valid(polygon, method="structure", keep_collapsed=False)
    area = made.area
    if not area > 0.0:
        raise InputError(f"a polygon has no area: {why}")
    change = abs(area - drawn) / area
    if change > MAX_MENDED_PART:
        raise InputError(
            f"a polygon is not simple: {why}; draw it without crossing sides (mending it would change "
            f"{_percent(change)} of its area)"
        )
    mended[f"a ring that crosses itself mended ({why}; {_percent(change)} of the area changed)"] = None
    return made


def _cut(shape: BaseGeometry, mended: dict[str, None]) -> list[Polygon]:
    """The polygons of a shape within -180 to 180."""
    import shapely

    west, _, east, _ = shape.bounds
    pieces = [shape]
    if west < -180.0 or east > 180.0:
        if _SHORT_WAY not in mended:
            mended["cut at 180 degrees, which it runs past"] = None
        pieces = []
        for turn in 360.0 * np.arange(math.floor((west + 180.0) / 360.0), math.ceil((east - 180.0) / 360.0) + 1):
            piece = shapely.intersection(shape, shapely.box(turn - 180.0, -90.0, turn + 180.0, 90.0))
            pieces.append(shapely.transform(piece, lambda points, turn=turn: points - (turn, 0.0)))
    parts = [part for piece in pieces for part in shapely.get_parts(piece)]
    return [part for part in parts if part.geom_type == "Polygon" and part.area > 0.0]


def _percent(part: float) -> str:
    return f"{100.0 * part:.0f} %" if part >= 0.1 else f"{100.0 * part:.2g} %"
