"""HTML that cannot be injected into: text from inputs is escaped unless it was made here.

`element` builds all markup of the report. A child or an attribute that is not `Markup` goes through `text`, so a
forgotten escape shows as visible angle brackets and never as an element.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

_VOID = frozenset({"meta", "br", "hr", "input", "col"})
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Markup(str):
    """A piece of HTML that is safe to put into the page as it is."""

    __slots__ = ()


def text(value: object) -> Markup:
    """A value as HTML text: escaped, with control and direction-changing characters made visible.

    Direction overrides (U+202E and its kin) are replaced because they let a name read as another one.

    >>> text('<img src=x onerror="a()">')
    '&lt;img src=x onerror=&quot;a()&quot;&gt;'
    """
    if isinstance(value, Markup):
        return value
    return Markup(html.escape(_UNSEEN.sub("\N{REPLACEMENT CHARACTER}", str(value)), quote=True))


def join(parts: Iterable[object], separator: object = "") -> Markup:
    """Parts one after the other, each escaped unless it is markup already.

    >>> join(["a < b", element("br")], " ")
    'a &lt; b <br>'
    """
    return Markup(str(text(separator)).join(text(part) for part in parts))


def element(name: str, /, *children: object, **attributes: object) -> Markup:
    """One element; `class_` means class, `stroke_width` means stroke-width, None leaves an attribute out.

    Floats are written with one decimal, which is a tenth of a pixel in the drawings.

    >>> element("p", "2 < 3", class_="note", title=None)
    '<p class="note">2 &lt; 3</p>'
    >>> element("circle", cx=1.25, r=3.0)
    '<circle cx="1.2" r="3"></circle>'
    """
    written = []
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        key = key.rstrip("_").replace("_", "-")
        if value is True:
            written.append(f" {key}")
        else:
            written.append(f' {key}="{text(tenth(value) if isinstance(value, float) else value)}"')
    opening = f"<{name}{''.join(written)}>"
    return Markup(opening if name in _VOID else f"{opening}{join(children)}</{name}>")


def tenth(value: float) -> str:
    """A number with at most one decimal and no trailing zero.

    >>> tenth(3.0), tenth(-0.04), tenth(12.34)
    ('3', '0', '12.3')
    """
    written = f"{value:.1f}"
    written = written[:-2] if written.endswith(".0") else written
    return "0" if written == "-0" else written
