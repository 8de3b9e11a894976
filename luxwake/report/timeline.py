"""The timeline of a finding: one row per leg and per thing that the ship did, all over the same months.

The dark interval is hatched in its own row and shades the rows above and below it, so that one sees what lay in it.
Claims that differ about a date stand as two marks joined by a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from luxwake.report.focus import dark_event
from luxwake.report.markup import Markup, element, join
from luxwake.report.words import DAY_US, claim_word, day, day_span, kind_word, length_of_time, time_us

Json = Mapping[str, Any]

_WIDTH, _GUTTER, _ROW, _TOP = 960.0, 240.0, 26.0, 30.0
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST_BAR_PX = 3.0
_CUT = 36


@dataclass(frozen=True)
class Mark:
    """A span or a moment in a row: `style` is how it is drawn; `end` None is a moment."""

    start: int
    end: int | None
    style: str
    words: str


@dataclass
class Row:
    """One row of the timeline: a name in the gutter, marks, and a remark at the right of the last mark."""

    name: str
    marks: list[Mark] = field(default_factory=list)
    remark: str = ""


def timeline(finding: Json, name: str) -> Markup:
    """The timeline as an SVG, or nothing when no time of the finding is known."""
    rows = [*_leg_rows(finding), *_event_rows(finding), *_claim_rows(finding), *_return_rows(finding)]
    rows = [row for row in rows if row.marks]
    times = [t for row in rows for mark in row.marks for t in (mark.start, mark.end) if t is not None]
    if not times:
        return Markup("")
    scale = _Scale(min(times), max(times))
    height = _TOP + _ROW * len(rows) + 8.0
    dark = dark_event(finding)
    parts = [_hatch(name), _months(scale, height), _shade(scale, dark, height)]
    for n, row in enumerate(rows):
        parts.append(_row(scale, row, _TOP + n * _ROW, name))
    svg = element(
        "svg",
        element("title", "Timeline of the finding", id=f"{name}-title"),
        *parts,
        viewBox=f"0 0 {_WIDTH:.0f} {height:.0f}",
        role="img",
        aria_labelledby=f"{name}-title",
        class_="timeline",
    )
    sheet = element("div", svg, class_="scroll", tabindex="0", role="group", aria_label="Timeline")
    caption = (
        "Solid: what papers declare; thin: ashore between legs. Hatched: not heard. Two open marks: sources differ."
    )
    return element("figure", sheet, element("figcaption", caption))


class _Scale:
    """Times to pixels, with some air on both sides and room for the last remark."""

    def __init__(self, start: int, end: int) -> None:
        air = max((end - start) // 40, DAY_US)
        self.start, self.end = start - air, end + air

    def x(self, t: int) -> float:
        return _GUTTER + (t - self.start) / (self.end - self.start) * (_WIDTH - _GUTTER - 8.0)


def _leg_rows(finding: Json) -> list[Row]:
    rows: list[Row] = []
    landed: int | None = None
    for leg in finding.get("chain", ()):
        ports = [str(leg.get(f"{end}_name") or leg.get(f"{end}_port") or "unknown") for end in ("load", "discharge")]
        row = Row(f"{leg.get('leg', len(rows) + 1)}  {ports[0]} → {ports[1]}")
        start, end = time_us(leg.get("t_depart")), time_us(leg.get("t_arrive"))
        row.remark = day_span(start, end)
        if start is not None and end is not None:
            row.marks.append(Mark(min(start, end), max(start, end), "leg", f"Leg, {row.remark}"))
        elif start is not None or end is not None:
            row.marks.append(Mark(start if start is not None else end or 0, None, "leg", f"Leg, {row.remark}"))
        if start is not None and landed is not None and start > landed:
            where = f"Between legs, {length_of_time(start - landed)} at {ports[0]}"
            row.marks.insert(0, Mark(landed, start, "wait", where))
        landed = end
        rows.append(row)
    return rows


def _event_rows(finding: Json) -> list[Row]:
    """One row per kind of event, in the order of the first of its kind; dark first."""
    rows: dict[str, Row] = {}
    events = sorted(finding.get("events", ()), key=lambda e: (e.get("kind") != "dark", time_us(e.get("t_start")) or 0))
    for event in events:
        start, end = time_us(event.get("t_start")), time_us(event.get("t_end"))
        if start is None:
            continue
        kind = str(event.get("kind"))
        row = rows.setdefault(kind, Row("AIS silent" if kind == "dark" else kind_word(kind)))
        port = f" at {event['port']}" if event.get("port") else ""
        row.marks.append(Mark(start, end, f"of-{kind}", f"{kind_word(kind)}{port}, {day_span(start, end)}"))
        if len(row.marks) == 1 and end is not None:
            row.remark = f"{day_span(start, end)}, {length_of_time(end - start)}"
        else:
            row.remark = f"{len(row.marks)} times"
    return list(rows.values())


def _claim_rows(finding: Json) -> list[Row]:
    """Claims about a date on which sources differ; other claims stand in the table of claims."""
    rows = []
    for claim in finding.get("claims", ()):
        values = [(time_us(value.get("value")), value) for value in claim.get("values", ())]
        times = [(t, value) for t, value in values if t is not None]
        if len({t for t, _ in times}) < 2:
            continue
        about = str(claim.get("predicate", "claim"))
        words = f"{claim_word(about)}: sources differ"
        row = Row(words, remark=" or ".join(dict.fromkeys(day(t) for t, _ in times)))
        first, last = min(t for t, _ in times), max(t for t, _ in times)
        row.marks.append(Mark(first, last, "between", f"{claim.get('subject', '')}: {row.remark}"))
        row.marks += [Mark(t, None, "claim", f"{day(t)}, says {value.get('source')}") for t, value in times]
        rows.append(row)
    return rows


def _return_rows(finding: Json) -> list[Row]:
    rows = []
    for cargo in finding.get("return_cargo", ()):
        start, end = time_us(cargo.get("t_depart")), time_us(cargo.get("t_arrive"))
        at = end if end is not None else start
        if at is None:
            continue
        row = Row(f"Return: {cargo.get('description') or cargo.get('hs_code') or 'cargo'}", remark=day(at))
        row.marks.append(Mark(at, None, "return", f"Return cargo landed, {day(at)}"))
        rows.append(row)
    return rows


def _hatch(name: str) -> Markup:
    line = element("path", d="M-1 1L1 -1M0 6L6 0M5 7L7 5", class_="hatch-line")
    ground = element("rect", width=6.0, height=6.0, class_="hatch-ground")
    pattern = element("pattern", ground, line, id=f"{name}-hatch", width=6, height=6, patternUnits="userSpaceOnUse")
    return element("defs", pattern)


def _months(scale: _Scale, height: float) -> Markup:
    """A line at the first of each month, or of each n-th month when they are many."""
    first = _EPOCH + timedelta(microseconds=scale.start)
    months = max(1, (scale.end - scale.start) // (30 * DAY_US))
    step = next(s for s in (1, 2, 3, 6, 12, 24, 60, 120, 1200) if months / s <= 12 or s == 1200)
    drawn, index, named = [], first.year * 12 + first.month, False
    while True:
        year, month = divmod(index, 12)
        if year > 9998:
            break
        t = (datetime(year, month + 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
        if t > scale.end:
            break
        if index % step == 0:
            x = scale.x(t)
            word = _MONTHS[month] if named and month else f"{_MONTHS[month]} {year}"
            named = True
            drawn.append(element("path", d=f"M{x:.1f} 18V{height - 4:.1f}", class_="month"))
            drawn.append(element("text", word, x=x + 3.0, y=14.0, class_="edge"))
        index += 1
    return join(drawn)


def _shade(scale: _Scale, dark: Json | None, height: float) -> Markup:
    start, end = (time_us(dark.get(key)) if dark else None for key in ("t_start", "t_end"))
    if start is None or end is None:
        return Markup("")
    x = scale.x(start)
    width = max(scale.x(end) - x, _LEAST_BAR_PX)
    return element("rect", x=x, y=18.0, width=width, height=height - 22.0, class_="dark-shade")


def _row(scale: _Scale, row: Row, y: float, name: str) -> Markup:
    middle = y + 0.5 * _ROW
    title = row.name if len(row.name) <= _CUT else row.name[: _CUT - 1] + "…"
    parts = [
        element("path", d=f"M0 {y:.1f}H{_WIDTH:.0f}", class_="rule"),
        element("text", title, element("title", row.name), x=0.0, y=middle + 4.0, class_="row-name"),
    ]
    parts += [_mark(scale, mark, middle, name) for mark in row.marks]
    right = max(scale.x(mark.start if mark.end is None else mark.end) for mark in row.marks)
    left = min(scale.x(mark.start) for mark in row.marks if mark.style != "wait")
    if right + 7.0 * len(row.remark) + 12.0 < _WIDTH:
        parts.append(element("text", row.remark, x=right + 9.0, y=middle + 4.0, class_="remark"))
    else:
        parts.append(element("text", row.remark, x=left - 9.0, y=middle + 4.0, class_="remark", text_anchor="end"))
    return join(parts)


def _mark(scale: _Scale, mark: Mark, middle: float, name: str) -> Markup:
    x, title = scale.x(mark.start), element("title", mark.words)
    if mark.style == "between":
        return element(
            "path", title, d=f"M{x:.1f} {middle:.1f}H{scale.x(mark.end or mark.start):.1f}", class_="between"
        )
    if mark.style == "wait":  # from the bar of the leg before, one row up, to the start of this leg
        data = f"M{x:.1f} {middle - _ROW + 6.0:.1f}V{middle:.1f}H{scale.x(mark.end or mark.start):.1f}"
        return element("path", title, d=data, class_="wait")
    if mark.end is None:
        if mark.style == "claim":
            return element("circle", title, cx=x, cy=middle, r=4.0, class_="claim")
        return element("path", title, d=f"M{x:.1f} {middle - 6:.1f}l5 6l-5 6l-5 -6Z", class_=mark.style)
    width = max(scale.x(mark.end) - x, _LEAST_BAR_PX)
    fill = f"url(#{name}-hatch)" if mark.style == "of-dark" else None
    return element("rect", title, x=x, y=middle - 6.0, width=width, height=12.0, class_=f"bar {mark.style}", fill=fill)
