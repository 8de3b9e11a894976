"""Mercator maps of any box on the globe, also across 180 degrees.

A map is centred on a longitude and every longitude is taken relative to that centre, so nothing special happens at
180 degrees. Mercator because a ship's course is a straight line on it and mariners know it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from luxwake.report.markup import tenth

MAX_LAT_DEG = 82.0
"""Mercator stretches without end towards the poles; what lies beyond is drawn on the edge."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Box:
    """A part of the globe: latitudes from south to north, longitudes eastward from `west` over `span` degrees."""

    south: float
    north: float
    west: float
    span: float


def box_around(lat_deg: ArrayLike, lon_deg: ArrayLike, pad: float = 0.12, least_deg: float = 1.0) -> Box:
    """The smallest box that holds all finite positions, padded by a share of its size; the world if there are none.

    The longitudes leave out the widest empty arc, so points on both sides of 180 degrees stay together.

    >>> box = box_around([10.0, 12.0], [179.0, -179.0], pad=0.0)
    >>> box.west, box.span
    (179.0, 2.0)
    """
    lat, lon = np.asarray(lat_deg, np.float64).ravel(), np.asarray(lon_deg, np.float64).ravel()
    known = np.isfinite(lat) & np.isfinite(lon)
    if not known.any():
        return Box(-60.0, 75.0, -180.0, 360.0)
    lat = np.clip(lat[known], -MAX_LAT_DEG, MAX_LAT_DEG)
    around = np.unique(lon[known] % 360.0)
    empty = np.diff(np.append(around, around[0] + 360.0))
    widest = int(np.argmax(empty))
    west, span = float(around[(widest + 1) % around.size]), 360.0 - float(empty[widest])
    south, north = float(lat.min()), float(lat.max())
    stretch = math.cos(math.radians(0.5 * (south + north)))
    margin = max(pad * max(span * stretch, north - south), 0.5 * (least_deg - (north - south)), 0.0)
    span = min(360.0, span + 2.0 * margin / stretch)
    west = (west - margin / stretch + 180.0) % 360.0 - 180.0
    return Box(max(-MAX_LAT_DEG, south - margin), min(MAX_LAT_DEG, north + margin), west, span)


def _stretched(lat_deg: ArrayLike) -> Floats:
    """The Mercator ordinate of latitudes, in radians."""
    lat = np.radians(np.clip(np.asarray(lat_deg, np.float64), -MAX_LAT_DEG, MAX_LAT_DEG))
    return np.asarray(np.arcsinh(np.tan(lat)), np.float64)


class Mercator:
    """A box laid on a sheet of a given width in pixels; the sheet's height follows, between two limits.

    `box` is what the sheet shows in the end: where the height limits bind, more of the globe than was asked for.

    >>> sheet = Mercator(box_around([34.0, 44.0], [124.0, 137.0]), 960, (380, 640))
    >>> x, y = sheet.xy([34.0, 44.0], [124.0, 137.0])
    >>> bool((x > 0).all() and (x < 960).all() and (y > 0).all() and (y < sheet.height).all())
    True
    """

    def __init__(self, box: Box, width: float, height_limits: tuple[float, float]) -> None:
        low, high = (float(v) for v in _stretched([box.south, box.north]))
        across = math.radians(box.span)
        scale = max(min(width / across, height_limits[1] / (high - low)), width / (2.0 * math.pi))
        height = min(max(scale * (high - low), height_limits[0]), height_limits[1])
        middle, reach = 0.5 * (low + high), 0.5 * height / scale
        self.width, self.height, self.scale = float(width), float(round(height)), scale
        self.centre_lon = (box.west + 0.5 * box.span + 180.0) % 360.0 - 180.0
        self.top = middle + reach
        span = min(360.0, math.degrees(width / scale))
        self.box = Box(
            max(-MAX_LAT_DEG, math.degrees(math.atan(math.sinh(middle - reach)))),
            min(MAX_LAT_DEG, math.degrees(math.atan(math.sinh(middle + reach)))),
            (self.centre_lon - 0.5 * span + 180.0) % 360.0 - 180.0,
            span,
        )

    @property
    def turn(self) -> float:
        """Pixels in 360 degrees of longitude."""
        return 2.0 * math.pi * self.scale

    def xy(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[Floats, Floats]:
        """Positions in pixels from the upper left corner; each longitude goes to the side nearer to the centre."""
        relative = (np.asarray(lon_deg, np.float64) - self.centre_lon + 180.0) % 360.0 - 180.0
        x = 0.5 * self.width + np.radians(relative) * self.scale
        return np.asarray(x, np.float64), np.asarray((self.top - _stretched(lat_deg)) * self.scale, np.float64)

    def ring_xy(self, lat_deg: ArrayLike, lon_deg: ArrayLike) -> tuple[Floats, Floats]:
        """A closed ring in pixels, in one piece: its longitudes must run without a jump, as those of `coastline` do.

        Nothing is unwrapped here: an edge along a box may rightly span more than 180 degrees.
        """
        lon = np.asarray(lon_deg, np.float64)
        lon = lon - 360.0 * round((0.5 * float(lon.min() + lon.max()) - self.centre_lon) / 360.0)
        x = 0.5 * self.width + np.radians(lon - self.centre_lon) * self.scale
        return np.asarray(x, np.float64), np.asarray((self.top - _stretched(lat_deg)) * self.scale, np.float64)

    def shows(self, x: Floats, y: Floats, margin: float = 0.0) -> NDArray[np.bool_]:
        """Which points lie on the sheet, or within `margin` pixels of it."""
        inside = (x >= -margin) & (x <= self.width + margin) & (y >= -margin) & (y <= self.height + margin)
        return np.asarray(inside, np.bool_)

    def m_per_px(self) -> float:
        """Metres that one pixel spans in the middle of the sheet."""
        middle = math.atan(math.sinh(self.top - 0.5 * self.height / self.scale))
        return 6_371_008.8 * math.cos(middle) / self.scale


def path_of(x: Floats, y: Floats, *, closed: bool = False, step_px: float = 0.5) -> str:
    """Path data of a line: points closer than a grid of `step_px` fold into one.

    >>> import numpy as np
    >>> path_of(np.array([0.0, 0.1, 10.0]), np.array([5.0, 5.0, 5.0]))
    'M0 5L10 5'
    """
    grid_x, grid_y = np.rint(x / step_px), np.rint(y / step_px)
    moved = np.ones(x.size, np.bool_)
    moved[1:] = (np.diff(grid_x) != 0) | (np.diff(grid_y) != 0)
    if closed and moved.sum() < 3:
        return ""
    points = [f"{tenth(a)} {tenth(b)}" for a, b in zip(grid_x[moved] * step_px, grid_y[moved] * step_px, strict=True)]
    return "M" + "L".join(points) + ("Z" if closed else "")
