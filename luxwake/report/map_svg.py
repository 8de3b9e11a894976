"""One map as inline SVG: sea, coast, graticule, tracks, dark intervals, reach, ports, events, labels, scale bar.

Layers are drawn in the order in which the methods are called. Colours are classes of the style sheet, so the map
follows light and dark.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geo.sphere import NMI_M, interpolate
from luxwake.report.labels import Labels
from luxwake.report.markup import Markup, element, join
from luxwake.report.projection import Box, Mercator, path_of
from luxwake.report.words import HOUR_US

HEARD_GAP_US = 6 * HOUR_US
"""A track is drawn solid only where the ship was heard at least this often; longer holes are dotted."""
_ARROW_EVERY_PX = 110.0
_LEAST_RING_PX = 2.0
_BEYOND_PX = 400.0
"""Outlines of areas are drawn so far beyond the sheet: farther than any edge that enters it is long."""
_ROUND_STEPS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 45.0)
_SCALE_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)

SYMBOLS = {
    "loitering": "M0-5A5 5 0 1 0 .01-5Z",
    "dark": "M-4-4H4V4H-4Z",
    "rendezvous": "M0-6L6 0L0 6L-6 0Z",
    "port_call": "M0-5L5 4H-5Z",
    "gap": "M-2.5-2.5H2.5V2.5H-2.5Z",
    "waiting": "M0-3A3 3 0 1 0 .01-3Z",
}
"""Shapes around (0, 0), so that kinds differ without colour: circle, square, diamond, triangle, small square and
small circle."""
_OTHER = SYMBOLS["gap"]


class MapDrawing:
    """A map of a box; `name` makes the ids inside the page unique."""

    def __init__(self, name: str, box: Box, *, width: float = 960.0, height: tuple[float, float] = (380, 640)) -> None:
        self.name = name
        self.asked = box, width, height
        self.sheet = Mercator(box, width, height)
        self.labels = Labels(self.sheet.width, self.sheet.height)
        self.labels.taken.append((0.0, self.sheet.height - 44.0, 150.0, self.sheet.height))  # the scale bar's corner
        self.legend: dict[str, Markup] = {}
        self.parts: list[Markup] = []

    def land(self) -> None:
        """The land, from the shipped coastline."""
        self.parts.append(element("path", d=_land_path(*self.asked), class_="land", fill_rule="evenodd"))

    def graticule(self) -> None:
        """Meridians and parallels at round degrees, labelled along the lower and the right edge."""
        sheet, box = self.sheet, self.sheet.box
        step = next((s for s in _ROUND_STEPS if box.span / s <= 8.0), 60.0)
        lines, words = [], []
        for n in range(math.ceil(box.west / step), math.floor((box.west + box.span) / step) + 1):
            x = float(sheet.xy(0.0, n * step)[0])
            if 0.0 < x < sheet.width:
                lines.append(f"M{x:.1f} 0V{sheet.height:.0f}")
                if 155.0 < x < sheet.width - 60.0:
                    words.append(self._edge_word(x, sheet.height - 5.0, _degrees(n * step, "EW"), "middle"))
        for n in range(math.ceil(box.south / step), math.floor(box.north / step) + 1):
            y = float(sheet.xy(n * step, sheet.centre_lon)[1])
            lines.append(f"M0 {y:.1f}H{sheet.width:.0f}")
            if 16.0 < y < sheet.height - 24.0:
                words.append(self._edge_word(sheet.width - 5.0, y - 3.0, _degrees(n * step, "NS"), "end"))
        self.parts.append(join([element("path", d="".join(lines), class_="graticule"), *words]))

    def _edge_word(self, x: float, y: float, word: str, anchor: str) -> Markup:
        half = 4.0 * len(word)
        centre = x - half if anchor == "end" else x
        self.labels.taken.append((centre - half, y - 11.0, centre + half, y + 3.0))
        return element("text", word, x=x, y=y, class_="edge", text_anchor=anchor)

    def traffic(self, lat_deg: ArrayLike, lon_deg: ArrayLike, budget: int, words: str) -> int:
        """Where ships were heard, as faint dots on a pixel grid that coarsens until the budget holds; points drawn."""
        x, y = self.sheet.xy(lat_deg, lon_deg)
        shown = self.sheet.shows(x, y)
        x, y = x[shown], y[shown]
        step, dots = 2.0, np.empty((0, 2), np.int64)
        while x.size:
            cells = np.rint(y / step).astype(np.int64) * 65536 + np.rint(x / step).astype(np.int64)
            once = np.unique(cells)
            if once.size <= budget:
                dots = np.stack([once % 65536, once // 65536], axis=1)
                break
            step *= 1.25
        if len(dots):
            data = "".join(f"M{a * step:.0f} {b * step:.0f}h0" for a, b in dots.tolist())
            self.parts.append(element("path", d=data, class_="traffic"))
            self._legend(words, element("path", class_="traffic", d="M5 8h0M11 5h0M16 9h0M22 6h0"))
        return len(dots)

    def track(self, t_us: NDArray[np.int64], lat_deg: ArrayLike, lon_deg: ArrayLike, style: str, budget: int) -> int:
        """One ship's way: solid where it was heard, dotted across holes, with arrows; returns the points drawn."""
        x, y = self.sheet.xy(lat_deg, lon_deg)
        known = np.isfinite(x) & np.isfinite(y)
        t_us, x, y = t_us[known], x[known], y[known]
        if x.size < 2:
            return 0
        cut = (np.diff(t_us) > HEARD_GAP_US) | (np.abs(np.diff(x)) > 0.5 * self.sheet.turn)
        shown = self.sheet.shows(x, y, margin=30.0)
        cut |= ~(shown[1:] & shown[:-1])
        runs = np.split(np.arange(x.size), np.flatnonzero(cut) + 1)
        step, data, drawn = 0.8, "", 0
        while True:
            pieces = [path_of(x[run], y[run], step_px=step) for run in runs if run.size > 1 and shown[run].any()]
            data = "".join(pieces)
            drawn = sum(piece.count("L") + 1 for piece in pieces)
            if drawn <= budget or step > 64.0:
                break
            step *= 1.5
        self._holes(x, y, np.flatnonzero((np.diff(t_us) > HEARD_GAP_US) & shown[1:] & shown[:-1]), style)
        self.parts.append(element("path", d=data, class_=f"track {style}"))
        for run in runs:
            self._keep_labels_off(x[run], y[run])
            self._arrows(x[run], y[run], style)
        return drawn

    def _holes(self, x: NDArray[np.float64], y: NDArray[np.float64], at: NDArray[np.intp], style: str) -> None:
        data = "".join(
            f"M{x[n]:.1f} {y[n]:.1f}L{x[n + 1]:.1f} {y[n + 1]:.1f}"
            for n in at.tolist()
            if abs(x[n + 1] - x[n]) + abs(y[n + 1] - y[n]) > 2.0 and abs(x[n + 1] - x[n]) < 0.5 * self.sheet.turn
        )
        if data:
            self.parts.append(element("path", d=data, class_=f"hole {style}"))

    def _keep_labels_off(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        """Tell the labels where a line runs: its points, 6 px apart."""
        way = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
        at = np.arange(0.0, min(float(way[-1]), 6000.0) + 1.0, 6.0)
        for a, b in zip(np.interp(at, way, x).tolist(), np.interp(at, way, y).tolist(), strict=True):
            if 0.0 <= a <= self.sheet.width and 0.0 <= b <= self.sheet.height:
                self.labels.keep_off(a, b)

    def _arrows(self, x: NDArray[np.float64], y: NDArray[np.float64], style: str) -> None:
        """Arrow heads along a run; the direction is taken over 8 px, so that jitter does not turn them."""
        way = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
        heads = []
        for at in np.arange(0.5 * _ARROW_EVERY_PX, way[-1], _ARROW_EVERY_PX):
            n = int(np.searchsorted(way, at))
            m = int(np.searchsorted(way, at - 8.0, side="right")) - 1
            if not (0 <= m < n < x.size) or not bool(self.sheet.shows(x[n : n + 1], y[n : n + 1])[0]):
                continue
            turn = math.degrees(math.atan2(y[n] - y[m], x[n] - x[m]))
            heads.append(
                element(
                    "path",
                    d="M4 0L-4-3.6L-2 0L-4 3.6Z",
                    transform=f"translate({x[n]:.1f} {y[n]:.1f})rotate({turn:.0f})",
                )
            )
        if heads:
            self.parts.append(element("g", *heads, class_=f"arrow {style}"))

    def dark(self, lat: float, lon: float, lat_end: float, lon_end: float) -> None:
        """A dark interval: dashed from where the ship was last heard to where it was heard again."""
        if not (math.isfinite(lat_end) and math.isfinite(lon_end)):
            return
        points = [interpolate(lat, lon, lat_end, lon_end, f) for f in np.linspace(0.0, 1.0, 33).tolist()]
        x, y = self.sheet.xy([p[0] for p in points], [p[1] for p in points])
        jumps = np.flatnonzero(np.abs(np.diff(x)) > 0.5 * self.sheet.turn) + 1
        runs = np.split(np.arange(x.size), jumps)
        data = "".join(path_of(x[run], y[run]) for run in runs)
        for run in runs:
            self._keep_labels_off(x[run], y[run])
        self.parts.append(element("path", d=data, class_="dark-line"))
        self._legend("dark: last heard to heard again, way unknown", element("path", class_="dark-line", d="M1 7H27"))

    def reach(self, geometry: Mapping[str, Any], words: str, band: int) -> None:
        """What could have been reached: a GeoJSON MultiPolygon, shaded; a band of longer stays over those before it."""
        data = []
        for ring in (ring for polygon in geometry.get("coordinates") or () for ring in polygon):
            points = np.asarray(ring, np.float64)
            if points.ndim == 2 and len(points) >= 4:
                x, y = self.sheet.ring_xy(points[:, 1], points[:, 0])
                x = np.clip(x, -_BEYOND_PX, self.sheet.width + _BEYOND_PX)
                y = np.clip(y, -_BEYOND_PX, self.sheet.height + _BEYOND_PX)
                if min(np.ptp(x), np.ptp(y)) >= _LEAST_RING_PX:
                    data.append(path_of(x, y, closed=True, step_px=1.5))
        if data:
            self.parts.append(element("path", d="".join(data), class_="reach", fill_rule="evenodd"))
            swatch = [element("rect", class_="reach", x=1, y=1, width=26, height=12) for _ in range(band + 1)]
            self._legend(words, join(swatch))

    def arc(self, start: tuple[float, float], end: tuple[float, float], number: str, words: str) -> None:
        """A leg of the chain: a thin bow between two ports, bent to the left of its direction; not a route."""
        x, y = self.sheet.xy([start[0], end[0]], [start[1], end[1]])
        dx, dy = float(x[1] - x[0]), float(y[1] - y[0])
        if abs(dx) > 0.5 * self.sheet.turn:
            dx -= math.copysign(self.sheet.turn, dx)
        length = math.hypot(dx, dy)
        if length < 1.0:
            return
        bend = 0.16
        mx, my = float(x[0]) + 0.5 * dx + bend * dy, float(y[0]) + 0.5 * dy - bend * dx
        data = f"M{x[0]:.1f} {y[0]:.1f}Q{mx:.1f} {my:.1f} {x[0] + dx:.1f} {y[0] + dy:.1f}"
        top_x, top_y = float(x[0]) + 0.5 * dx + 0.5 * bend * dy, float(y[0]) + 0.5 * dy - 0.5 * bend * dx
        head = element(
            "path",
            d="M4 0L-4-3.6L-2 0L-4 3.6Z",
            transform=f"translate({top_x:.1f} {top_y:.1f})rotate({math.degrees(math.atan2(dy, dx)):.0f})",
            class_="arc-head",
        )
        self.parts.append(join([element("path", element("title", words), d=data, class_="arc"), head]))
        f = np.linspace(0.0, 1.0, 17)
        along_x = (1 - f) ** 2 * x[0] + 2 * f * (1 - f) * mx + f * f * (x[0] + dx)
        along_y = (1 - f) ** 2 * y[0] + 2 * f * (1 - f) * my + f * f * (y[0] + dy)
        self._keep_labels_off(along_x, along_y)
        self.labels.keep_clear(top_x, top_y, 4.0)
        self.labels.add(top_x, top_y, number, rank=40, style="leg-number")
        self._legend("leg of the chain, by number (not a route)", element("path", class_="arc", d="M1 11Q14 0 27 11"))

    def port(self, lat: float, lon: float, words: Sequence[str], *, rank: int | None, style: str = "port") -> None:
        """A port: a dot, its name, and under it what the map has to say about it; without a rank the dot alone."""
        x, y = (float(v) for v in self.sheet.xy(lat, lon))
        if bool(self.sheet.shows(np.array([x]), np.array([y]))[0]):
            radius = 1.8 if rank is None else 3.2
            self.parts.append(element("circle", element("title", ", ".join(words)), cx=x, cy=y, r=radius, class_=style))
            if rank is None:
                self.labels.keep_off(x, y)
            else:
                self.labels.keep_clear(x, y, 4.0)
                self.labels.add(x, y, *words, rank=rank, style=style)

    def symbol(
        self,
        kind: str,
        lat: float,
        lon: float,
        words: str,
        *,
        label: Sequence[str] = (),
        rank: int = 50,
        end: bool = False,
    ) -> None:
        """An event, drawn with its kind's shape (`end` draws it open); `words` is its tooltip."""
        x, y = (float(v) for v in self.sheet.xy(lat, lon))
        if not bool(self.sheet.shows(np.array([x]), np.array([y]))[0]):
            return
        shape = SYMBOLS.get(kind, _OTHER)
        style = f"event {kind} end" if end else f"event {kind}"
        self.parts.append(
            element("path", element("title", words), d=shape, transform=f"translate({x:.1f} {y:.1f})", class_=style)
        )
        self.labels.keep_clear(x, y, 5.0)
        if label:
            self.labels.add(x, y, *label, rank=rank, style=f"of-{kind}")

    def legend_event(self, kind: str, words: str) -> None:
        """The legend's entry of a kind of event."""
        self._legend(
            words, element("path", class_=f"event {kind}", transform="translate(14 7)", d=SYMBOLS.get(kind, _OTHER))
        )

    def legend_port(self, style: str, words: str) -> None:
        """The legend's entry of a kind of port."""
        self._legend(words, element("circle", class_=style, cx=14, cy=7, r=3.2))

    def legend_line(self, style: str, words: str) -> None:
        """The legend's entry of a track."""
        self._legend(words, element("path", class_=f"track {style}", d="M1 7H27"))

    def _legend(self, words: str, swatch: Markup) -> None:
        self.legend.setdefault(words, element("svg", swatch, width=28, height=14, aria_hidden="true"))

    def scale_bar(self) -> None:
        """A bar of a round number of nautical miles, true in the middle of the map."""
        nmi_px = NMI_M / self.sheet.m_per_px()
        miles = max((s for s in _SCALE_STEPS if s * nmi_px <= 120.0), default=1)
        y, end = self.sheet.height - 16.0, 14.0 + miles * nmi_px
        bar = element("path", d=f"M14 {y - 4:.1f}V{y:.1f}H{end:.1f}V{y - 4:.1f}", class_="scale")
        self.parts.append(join([bar, element("text", f"{miles} nmi", x=14.0, y=y - 8.0, class_="edge")]))

    def svg(self, title: str) -> Markup:
        """The map, with its labels on top; `title` is read out by screen readers."""
        width, height = self.sheet.width, self.sheet.height
        sea = element("rect", width=width, height=height, class_="sea")
        frame = element("rect", x=0.5, y=0.5, width=width - 1.0, height=height - 1.0, class_="frame")
        return element(
            "svg",
            element("title", title, id=f"{self.name}-title"),
            sea,
            *self.parts,
            self.labels.place(),
            frame,
            viewBox=f"0 0 {width:.0f} {height:.0f}",
            role="img",
            aria_labelledby=f"{self.name}-title",
            class_="map",
        )

    def legend_list(self) -> Markup:
        """What the signs on this map mean, in the order in which they were drawn."""
        entries = [element("li", swatch, element("span", words)) for words, swatch in self.legend.items()]
        return element("ul", *entries, class_="legend")


@lru_cache(maxsize=32)
def _land_path(box: Box, width: float, height: tuple[float, float]) -> str:
    """Path data of the land on a sheet; kept, because findings about one ship share their map."""
    from geo.coastline import coastline

    sheet = Mercator(box, width, height)
    shown, data = sheet.box, []
    for ring in coastline(shown.south, shown.north, shown.west, shown.west + shown.span):
        x, y = sheet.ring_xy(ring[:, 0], ring[:, 1])
        if np.ptp(x) >= _LEAST_RING_PX or np.ptp(y) >= _LEAST_RING_PX:
            data.append(path_of(x, y, closed=True, step_px=0.8))
    return "".join(data)


def _degrees(value: float, signs: str) -> str:
    value = (value + 180.0) % 360.0 - 180.0 if signs == "EW" else value
    written = f"{abs(value):g}°"
    return written if value == 0.0 or (signs == "EW" and value == -180.0) else written + signs[value < 0]
