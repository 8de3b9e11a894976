"""The band of `luxwake trade mirror` as a picture: reporters by year, and by list (SVG)."""

from __future__ import annotations

from pathlib import Path

from cargo.mirror import UNION, Mirror, Tally
from geo.whole_file import write_text
from luxwake.report.markup import Markup, element

_WIDTH, _LEFT, _RIGHT, _ROW, _TOP = 960.0, 250.0, 90.0, 34.0, 96.0
_STYLE = (
    "svg{background:#fff;font:13px system-ui,sans-serif;fill:#1b2430}.t{font-size:16px;font-weight:600}.n{fill:#666}"
)
_COLOURS = {"as reported": "#c9d6e2", "not contradicted": "#6f9fc8", "passed all checks": "#0b4478"}
_WHOLE = "#b4540a"


def write_mirror_chart(made: Mirror, path: str | Path) -> Path:
    """Write the picture; OutputError where the file cannot be written."""
    span = f"{made.years[0]}-{made.years[-1]}"
    rows: list[tuple[str, Tally, Tally]] = [
        (str(year or span), made.tally(UNION, year), made.tally(UNION, year, False)) for year in (*made.years, 0)
    ]
    rows += [(name, made.tally(name), made.tally(name, 0, False)) for name in made.values if name != UNION]
    most = max(1, *(tally.as_reported for _, tally, _ in rows))
    parts: list[Markup] = [
        element("style", Markup(_STYLE)),
        element(
            "text", f"Countries that reported exports of listed luxuries to {made.partner}", x=16.0, y=26.0, class_="t"
        ),
        *_legend(),
    ]
    for n, (name, every, whole) in enumerate(rows):
        parts += _bars(name, every, whole, _TOP + (n + (n > len(made.years))) * _ROW, most)
    height = _TOP + (len(rows) + 2) * _ROW
    note = (
        f"Any of the lists by year, then each list over {span}. Lists hold UNVERIFIED rows; lists {made.lists_version}"
    )
    parts.append(element("text", note, x=16.0, y=height - 14.0, class_="n"))
    svg = element(
        "svg", *parts, xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {_WIDTH:.0f} {height:.0f}", width=_WIDTH,
        height=height,
    )  # fmt: skip
    return write_text(path, str(svg))


def _legend() -> list[Markup]:
    parts = []
    entries = [*_COLOURS.items(), ("as reported, whole codes only", _WHOLE)]
    for n, (word, colour) in enumerate(entries):
        x = 16.0 + 200.0 * n
        parts.append(element("rect", x=x, y=44.0, width=14.0, height=14.0, fill=colour))
        parts.append(element("text", word, x=x + 20.0, y=56.0))
    return parts


def _bars(name: str, every: Tally, whole: Tally, y: float, most: int) -> list[Markup]:
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    numbers = (every.as_reported, every.not_contradicted, every.passed)
    parts = [element("text", name, x=_LEFT - 10.0, y=y + 17.0, text_anchor="end")]
    for number, colour in zip(numbers, _COLOURS.values(), strict=True):
        parts.append(element("rect", x=_LEFT, y=y, width=number * scale, height=_ROW - 12.0, fill=colour))
    mark = _LEFT + whole.as_reported * scale
    parts.append(element("rect", x=mark - 1.5, y=y - 3.0, width=3.0, height=_ROW - 6.0, fill=_WHOLE))
    said = f"{every.passed} to {every.as_reported}"
    parts.append(element("text", said, x=_LEFT + every.as_reported * scale + 8.0, y=y + 17.0))
    return parts
