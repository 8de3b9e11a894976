"""A score with its bounds: what is certain, what only unknowns could add, and what each part rests on.

Three states of a signal are told apart by a word, a sign and a colour: a number, "no", and "unknown".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from luxwake.report.markup import Markup, element, join
from luxwake.report.words import score

Json = Mapping[str, Any]

_WIDTH, _HEIGHT = 240.0, 14.0


def _share(value: object, otherwise: float) -> float:
    known = isinstance(value, (int, float)) and math.isfinite(value)
    return min(1.0, max(0.0, float(value))) if known else otherwise  # type: ignore[arg-type]  # known says number


def score_bar(part: Json, name: str) -> Markup:
    """A bar from 0 to 1: solid up to the lower bound, hatched up to the upper one, a tick at the mean of what is known.

    A part without bounds is hatched from end to end: nothing about it is known.
    """
    lower, upper = _share(part.get("lower"), 0.0), _share(part.get("upper"), 1.0)
    width = _WIDTH - 2.0
    pieces = [
        element("rect", x=0.5, y=2.5, width=width + 1.0, height=9.0, class_="bar-ground"),
        element("rect", x=1.0, y=3.0, width=lower * width, height=8.0, class_="bar-sure"),
    ]
    if upper > lower:
        hatch = element("path", d="M-1 1L1 -1M0 4L4 0M3 5L5 3", class_="bar-hatch")
        pieces.append(
            element("defs", element("pattern", hatch, id=name, width=4, height=4, patternUnits="userSpaceOnUse"))
        )
        pieces.append(
            element(
                "rect", x=1.0 + lower * width, y=3.0, width=(upper - lower) * width, height=8.0, fill=f"url(#{name})"
            )
        )
    if isinstance(part.get("known"), (int, float)):
        x = 1.0 + _share(part["known"], 0.0) * width
        pieces.append(element("path", d=f"M{x:.1f} 0V14", class_="bar-known"))
    return element(
        "svg",
        element("title", bounds_words(part)),
        *pieces,
        viewBox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}",
        role="img",
        class_="score-bar",
    )


def bounds_words(part: Json) -> str:
    """The bounds as a reader says them.

    >>> bounds_words({"lower": 0.74, "upper": 0.88}), bounds_words({"lower": 0.0, "upper": 1.0, "coverage": 0.0})
    ('0.74 to 0.88', 'unknown')
    """
    if part.get("lower") is None or part.get("upper") is None or part.get("coverage") == 0:
        return "unknown"
    lower, upper = score(part["lower"]), score(part["upper"])
    return lower if lower == upper else f"{lower} to {upper}"


def scorecard(finding: Json, name: str) -> Markup:
    """The total and its factors, each with bounds, coverage, and the signals that it is the mean of."""
    total: Json = finding.get("score") or {}
    rows = [_factor_row({"name": "Total", **total}, f"{name}-total", "total")]
    for n, factor in enumerate(total.get("factors", ())):
        rows.append(_factor_row(factor, f"{name}-{n}", "factor"))
        rows.append(element("tr", element("td", _signals(factor), colspan=5), class_="signals"))
    head = [element("th", word, scope="col") for word in ("Factor", "Bounds", "0 to 1", "Mean of known", "Known")]
    body = [element("thead", element("tr", *head)), element("tbody", *rows)]
    note = (
        "Solid: what the evidence supports if every unknown is innocent. Hatched: what the unknowns could add. "
        "Findings are ranked by the lower bound."
    )
    table = element("table", *body, class_="scorecard")
    return join([element("div", table, class_="scroll"), element("p", note, class_="note")])


def _factor_row(part: Json, name: str, style: str) -> Markup:
    coverage = part.get("coverage")
    share = f"{_share(coverage, 0.0):.0%}" if isinstance(coverage, (int, float)) else "unknown"
    cells = [
        element("th", str(part.get("name", "")).replace("_", " ").capitalize(), scope="row"),
        element("td", bounds_words(part), class_="number"),
        element("td", score_bar(part, name)),
        element("td", score(part.get("known")), class_="number"),
        element("td", share, class_="number"),
    ]
    return element("tr", *cells, class_=style)


def _signals(factor: Json) -> Markup:
    items = []
    for signal in factor.get("signals", ()):
        style, sign = _state(signal.get("value"))
        name = str(signal.get("name", "")).replace("_", " ")
        why = element("span", signal["why"], class_="why") if signal.get("why") else ""
        said = element("span", name, ". " if why else "", why)
        items.append(element("li", element("span", sign, class_=f"state {style}"), said))
    return element("ul", *items) if items else element("p", "No signal of this factor was computed.", class_="note")


def _state(value: object) -> tuple[str, str]:
    """The style and the word of a signal: `unknown` for null, `no` for 0, else its number."""
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return "unknown", "unknown"
    if value <= 0.0:
        return "no", "no"
    return "yes", "yes" if value >= 1.0 else score(value)
