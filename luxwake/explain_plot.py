"""A picture of one event: the way of its ships on a map, and their speed over time, as one SVG file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geo.coastline import coastline
from geo.whole_file import write_text
from luxwake.report.markup import Markup, element, join
from luxwake.report.projection import Box, Mercator, box_around, path_of
from luxwake.report.words import day_time

if TYPE_CHECKING:
    from luxwake.explain import Explanation

_WIDTH, _MAP_HEIGHT, _SPEED_HEIGHT, _PAD = 960.0, (320.0, 560.0), 160.0, 44.0
_SHIP_COLOURS = ("#1769aa", "#b4540a")
_SOLID_US = 3_600_000_000
"""Longer than an hour between two positions, and the way between them is not known: the line is dashed."""
_STYLE = """
svg{background:#fff;font:13px system-ui,sans-serif;fill:#1b2430}
.sea{fill:#eaf1f6}.land{fill:#d9d4c5;stroke:#8d8674;stroke-width:.6}
.way{fill:none;stroke-width:1.4;opacity:.65}.inside{fill:none;stroke-width:3}
.silent{fill:none;stroke-width:1.4;stroke-dasharray:5 5}
.span{fill:#f6d9a8;opacity:.6}.axis{stroke:#8894a0;stroke-width:1}
"""


def write_plot(told: Explanation, path: str | Path) -> Path:
    """Write the picture of an explained event; OutputError where the file cannot be written."""
    sheet = Mercator(_box(told), _WIDTH, _MAP_HEIGHT)
    height = sheet.height + _SPEED_HEIGHT + 2.0 * _PAD
    parts = [
        element("style", Markup(_STYLE)),
        element("rect", class_="sea", x=0.0, y=_PAD, width=_WIDTH, height=sheet.height),
        element("text", _title(told), x=12.0, y=28.0, font_size="16", font_weight="bold"),
        element("svg", *_land(sheet), *_ways(told, sheet), y=_PAD, width=_WIDTH, height=sheet.height),
        _speeds(told, _PAD + sheet.height + 16.0),
    ]
    svg = element(
        "svg", *parts, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {_WIDTH:.0f} {height:.0f}",
        width=_WIDTH, height=height,
    )  # fmt: skip
    return write_text(path, str(svg))


def _box(told: Explanation) -> Box:
    ends = [told.event[name] for name in ("lat", "lat_end", "lon", "lon_end")]
    known = [np.nan if value is None else value for value in ends]
    return box_around([*told.fixes["lat"], *known[:2]], [*told.fixes["lon"], *known[2:]], least_deg=0.02)


def _title(told: Explanation) -> str:
    ships = [str(told.event["mmsi"]), *([str(told.event["other"])] if told.event.get("other") else [])]
    return (
        f"{told.verdict.replace('_', ' ')}: {' and '.join(ships)}, {day_time(told.span[0])} to {day_time(told.span[1])}"
    )


def _land(sheet: Mercator) -> list[Markup]:
    box, parts = sheet.box, []
    for turn in (-360.0, 0.0, 360.0):
        west, east = max(-180.0, box.west + turn), min(180.0, box.west + box.span + turn)
        if west < east:
            for ring in coastline(box.south, box.north, west, east):
                data = path_of(*sheet.ring_xy(*np.asarray(ring).T), closed=True)
                if data:
                    parts.append(element("path", d=data, class_="land"))
    return parts


def _ships(told: Explanation) -> list[tuple[str, NDArray[np.bool_]]]:
    fixes = told.fixes
    ships = [told.event["mmsi"], *([told.event["other"]] if told.event.get("other") else [])]
    return [(colour, fixes["mmsi"] == ship) for colour, ship in zip(_SHIP_COLOURS, ships, strict=False)]


def _ways(told: Explanation, sheet: Mercator) -> list[Markup]:
    """The way of each ship, bold during the event, dashed over hours without a position."""
    parts = []
    for colour, own in _ships(told):
        t, lat, lon = (told.fixes[name][own] for name in ("t", "lat", "lon"))
        x, y = sheet.xy(lat, lon)
        for k in range(t.size - 1):
            within = told.span[0] <= t[k] and t[k + 1] <= told.span[1]
            style = "silent" if t[k + 1] - t[k] > _SOLID_US else "inside" if within else "way"
            data = path_of(x[k : k + 2], y[k : k + 2], step_px=0.1)
            parts.append(element("path", d=data, class_=style, stroke=colour))
        parts += [element("circle", cx=a, cy=b, r=1.6, fill=colour) for a, b in zip(x, y, strict=True)]
    return parts


def _speeds(told: Explanation, top: float) -> Markup:
    """Speed over time, with the time of the event shaded."""
    t, sog = told.fixes["t"], told.fixes["sog"]
    first = min([*t[:1].tolist(), told.span[0]])
    last = max([*t[-1:].tolist(), told.span[1]])
    known = sog[np.isfinite(sog)]
    most = max(1.0, float(known.max()) if known.size else 1.0)

    def across(when: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(_PAD + (when - first) / max(1, last - first) * (_WIDTH - 2 * _PAD), np.float64)

    begin, end = across(np.array(told.span))
    floor = top + _SPEED_HEIGHT
    parts = [
        element("rect", class_="span", x=begin, y=top, width=max(1.0, end - begin), height=_SPEED_HEIGHT),
        element("line", class_="axis", x1=_PAD, y1=floor, x2=_WIDTH - _PAD, y2=floor),
        element("text", f"{most:.1f} kn", x=_PAD, y=top + 12.0),
        element("text", day_time(first), x=_PAD, y=floor + 18.0),
        element("text", day_time(last), x=_WIDTH - _PAD, y=floor + 18.0, text_anchor="end"),
    ]
    for colour, own in _ships(told):
        x, y = across(t[own]), floor - np.nan_to_num(sog[own]) / most * (_SPEED_HEIGHT - 16.0)
        parts += [element("circle", cx=a, cy=b, r=1.8, fill=colour) for a, b in zip(x, y, strict=True)]
    return join(parts)
