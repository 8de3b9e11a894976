"""The tables of all messages as a page to read: `python -m ais.handbook > docs/messages.md`."""

from __future__ import annotations

import sys

from ais.bitfield import OPEN, Condition, Field, Layout
from ais.layouts import AREA_SHAPES, LAYOUTS, STATES

_INTRODUCTION = """# Messages

All fields of all messages, as decoded, encoded and written to tables. This page is made from the tables of
`ais/layouts.py`, `ais/network_layouts.py` and `ais/binary_layouts.py`: `python -m ais.handbook > docs/messages.md`.

- A value is the raw number as scaled here, in the unit given. It is null where the raw number is the one for "not
  available", lies outside of the range, or is not wholly covered by the bits that came; the raw number stays readable
  (`message.raw("heading")`).
- Codes are handed out as sent. Texts end at their first `@`, without trailing spaces; an empty text is null. Of a text
  that is cut off the whole characters are kept.
- `bits` are the first and the last, counted from 0; `n` is the number of bits of the message. Spare bits are not
  handed out.
- A message may be longer than its table (base stations pad), and end early where the table says so.
- `radio` is the communication state; `message.radio_state()` takes it apart (see the end of this page).
"""

_KINDS = {
    "u": "number", "i": "signed", "b": "flag", "e": "code", "t": "text", "x": "bytes", "a": "areas", "r": "turn",
    "-": "spare", "+": "text, goes on",
}  # fmt: skip


def handbook() -> str:
    """The page as Markdown.

    >>> handbook().splitlines()[0]
    '# Messages'
    """
    parts = [_INTRODUCTION]
    parts += [_section(layout) for layout in LAYOUTS.values()]
    parts.append("# Communication states\n")
    parts += [_section(layout) for layout in STATES.values()]
    parts.append("# Parts of an area notice\n\nRecords of 87 bits, one after the other.\n")
    parts += [_section(layout) for layout in AREA_SHAPES]
    return "\n".join(parts)


def _section(layout: Layout) -> str:
    """One layout: heading, conditions and the table of its fields."""
    types = ", ".join(str(number) for number in layout.types)
    heading = f"## {'Type ' if layout.types else ''}{types}{': ' if types else ''}{layout.title}\n"
    facts = [f"`{layout.name}`"]
    if layout.types:
        facts.append(f"{layout.shortest} to {layout.longest} bits")
    if layout.ends:
        facts.append("may end after " + ", ".join(str(end) for end in layout.ends) + " bits")
    if layout.conditions:
        facts.append("where " + " and ".join(_condition(one, layout) for one in layout.conditions))
    rows = ["| bits | field | kind | value | unit | not available | range | |", "|---|---|---|---|---|---|---|---|"]
    rows += [_row(field, layout) for field in layout.fields]
    return heading + "\n" + "; ".join(facts) + ".\n\n" + "\n".join(rows) + "\n"


def _condition(one: Condition, layout: Layout) -> str:
    limits = f"{one.low}" if one.low == one.high else f"{one.low} to {one.high}"
    if one.width == 0:
        return f"it has {limits} bits"
    for field in layout.fields:
        if (field.start, field.width) == (one.start, one.width):
            return f"`{field.name}` is {limits}"
    return f"bits {one.start} to {one.start + one.width - 1} are {limits}"


def _row(field: Field, layout: Layout) -> str:
    end = -1 if field.start < 0 else 0  # counted from the end of the message
    first = f"n - {-field.start}" if end else str(field.start)
    if field.width == OPEN:
        last = f"n - {layout.tail + 1}"
    else:
        last = f"n - {1 - field.end}" if end else str(field.end - 1)
    bits = first if field.width == 1 else f"{first} to {last}" if " " in first + last else f"{first}-{last}"
    value = "(raw / 4.733)²" if field.kind == "r" else _value(field)
    limits = f"{field.low} to {field.high}" if field.low is not None else ""
    null = "" if field.null is None else str(field.null)
    name = f"`{field.name}`" if field.name else ""
    return f"| {bits} | {name} | {_KINDS[field.kind]} | {value} | {field.unit} | {null} | {limits} | {field.note} |"


def _value(field: Field) -> str:
    """How the value comes from the raw number; nothing where it is the raw number."""
    if field.divisor < 1.0:
        return f"raw × {round(1 / field.divisor)}"
    raw = f"raw {'+' if field.base > 0 else '-'} {abs(field.base)}" if field.base else "raw"
    if field.divisor == 1.0:
        return raw if field.base else ""
    return f"({raw}) / {field.divisor:.0f}" if field.base else f"raw / {field.divisor:.0f}"


if __name__ == "__main__":
    sys.stdout.write(handbook())
