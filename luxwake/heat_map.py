"""The agreement of control lists as a picture: one square for each pair, darker the more codes they share (SVG)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geo.whole_file import write_text
from luxwake.report.markup import Markup, element

if TYPE_CHECKING:
    from cargo.control_coverage import Coverage

_CELL, _LEFT, _TOP, _GAP = 44.0, 210.0, 190.0, 70.0
_PALE, _DARK = (240, 244, 248), (11, 68, 120)
_STYLE = (
    "svg{background:#fff;font:12px system-ui,sans-serif;fill:#1b2430}.t{font-size:15px;font-weight:600}.n{fill:#666}"
)


def write_heat_map(made: Coverage, path: str | Path) -> Path:
    """Write both tables beside each other: with codes in part, and without; OutputError where it cannot be written."""
    n = len(made.names)
    width, height = 2 * (_LEFT + n * _CELL) + 2 * _GAP, _TOP + n * _CELL + 40.0
    what = f"HS {made.hs_version}, {made.digits} digits"
    title = f"How far control lists agree: codes in both over codes in either, %, {what}"
    parts = [
        element("style", Markup(_STYLE)),
        element("text", title, x=16.0, y=26.0, class_="t"),
        *_grid("codes covered in part counted", made.names, made.agreement, 0.0),
        *_grid("only codes covered whole", made.names, made.agreement_without_ex, _LEFT + n * _CELL + _GAP),
        element("text", "-: one of the two has no such code. Rows by knowledge are counted, and UNVERIFIED.", x=16.0,
                y=height - 12.0, class_="n"),
    ]  # fmt: skip
    svg = element(
        "svg", *parts, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width:.0f} {height:.0f}", width=width,
        height=height,
    )  # fmt: skip
    return write_text(path, str(svg))


def _grid(
    title: str, names: list[str], table: list[list[float]] | list[list[float | None]], left: float
) -> list[Markup]:
    parts = [element("text", title, x=left + _LEFT, y=52.0, font_weight="bold")]
    for row, name in enumerate(names):
        y = _TOP + row * _CELL
        parts.append(element("text", name, x=left + _LEFT - 8.0, y=y + 27.0, text_anchor="end"))
        x = left + _LEFT + row * _CELL + 26.0
        parts.append(element("text", name, x=x, y=_TOP - 8.0, transform=f"rotate(-60 {x:.0f} {_TOP - 8.0:.0f})"))
        for column, value in enumerate(table[row]):
            parts += _cell(left + _LEFT + column * _CELL, y, value)
    return parts


def _cell(x: float, y: float, value: float | None) -> list[Markup]:
    share = value or 0.0
    mixed = (round(pale + (dark - pale) * share) for pale, dark in zip(_PALE, _DARK, strict=True))
    colour = "#fff" if value is None else f"rgb({','.join(map(str, mixed))})"
    ink = "#fff" if share > 0.55 else "#1b2430"
    text = "-" if value is None else f"{100 * value:.0f}"
    return [
        element("rect", x=x, y=y, width=_CELL - 2.0, height=_CELL - 2.0, fill=colour),
        element("text", text, x=x + _CELL / 2 - 1.0, y=y + 27.0, text_anchor="middle", fill=ink),
    ]
