"""The grammar of the message tables: a text table in, fields with their place and meaning out.

A layout begins with a line at the margin, and has one indented line per field:

    name | types | bits | condition | title
      start width kind name scale unit null range  # note

start     first bit; negative: counted from the end of the message, for what follows a field of open width
width     bits; `*`: all that is left
kind      u  unsigned number             i  two's complement number     b  flag
          e  code, never changed         t  six-bit text                +  the text field of this name goes on
          x  bits as bytes               a  areas (`AREAS`)             r  rate of turn        -  spare
scale     `d`, `d+b` or `d-b`: value = (raw + b) / d;  `xm`: value = raw * m
null      the raw number that means "not available"
range     lowest and highest raw number with a meaning; outside of it there is no value
condition `first:width=low..high` for a number in the message, `bits=low..high` for its length: all must hold
`.`       stands for nothing; `---` says that a message may end here

A row whose start is not the end of the row before is an error, so a table cannot slip by a bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

OPEN = 0
"""Width of a field that takes all the bits that are left."""

TURN_SCALE = 4.733
"""ITU-R M.1371-5, table 48: the number sent is 4.733 times the square root of the turn in degrees per minute."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message: where it stands and what its number means.

    `value = (raw + base) / divisor`, in `unit`, if `low <= raw <= high` and `raw != null`, else None. `start` is
    negative where it counts from the end of the message; `width` is `OPEN` for all bits that are left.
    """

    name: str
    start: int
    width: int
    kind: str
    divisor: float = 1.0
    base: int = 0
    unit: str = ""
    null: int | None = None
    low: int | None = None
    high: int | None = None
    note: str = ""

    @property
    def is_signed(self) -> bool:
        """Whether the raw number is a two's complement."""
        return self.kind in "ir"

    @property
    def is_real(self) -> bool:
        """Whether the value is a float."""
        return self.kind == "r" or self.divisor > 1.0

    @property
    def end(self) -> int:
        """The bit after the last; from the end of the message where `start` is."""
        return self.start + self.width

    @property
    def lowest(self) -> int:
        """The lowest raw number with a meaning."""
        return self.low if self.low is not None else -(1 << self.width - 1) if self.is_signed else 0

    @property
    def highest(self) -> int:
        """The highest raw number with a meaning."""
        return self.high if self.high is not None else (1 << self.width - self.is_signed) - 1


@dataclass(frozen=True, slots=True)
class Condition:
    """The number at a place of the message (or the number of its bits: `width` 0) lies between two numbers."""

    start: int
    width: int
    low: int
    high: int


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """All fields of one kind of message, in the order of their bits.

    `size` is the number of bits with a fixed place; `tail` how many of them are counted from the end; `ends` the
    places before `size` at which such a message may end; `shortest` and `longest` the bits that are accepted.
    """

    name: str
    types: tuple[int, ...]
    title: str
    fields: tuple[Field, ...]
    conditions: tuple[Condition, ...]
    shortest: int
    longest: int
    size: int
    tail: int
    is_open: bool
    ends: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the fields that are handed out."""
        return tuple(field.name for field in self.fields if field.kind not in "-+")

    def field(self, name: str) -> Field:
        """The field of this name (KeyError if there is none)."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


def _range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("..")
    return int(low), int(high or low)


def _scale(text: str) -> tuple[float, int]:
    """Divisor and base of a scale."""
    if text.startswith("x"):
        return 1.0 / int(text[1:]), 0
    for sign in "+-":
        divisor, found, base = text.partition(sign)
        if found:
            return float(divisor), int(sign + base)
    return float(text), 0


def _field(line: str, table: str) -> Field:
    """The field of one line; `name` and all that follows may be missing."""
    row, _, note = line.partition("#")
    cells = row.split()
    if not 3 <= len(cells) <= 8 or cells[2] not in "uibet+xar-":
        raise ValueError(f"table of {table}: cannot read {line.strip()!r}")
    start, width, kind, name, scale, unit, null, limits = cells + ["."] * (8 - len(cells))
    divisor, base = _scale(scale) if scale != "." else (1.0, 0)
    low, high = _range(limits) if limits != "." else (None, None)
    return Field(
        name if kind != "-" else "",
        int(start),
        OPEN if width == "*" else int(width),
        kind,
        divisor,
        base,
        unit.replace("_", " ") if unit != "." else "",
        int(null) if null != "." else None,
        low,
        high,
        note.strip(),
    )


def _check(table: str, fields: list[Field]) -> None:
    """No gap, no overlap, and no second field of a name."""
    at, opened = 0, False
    for field in fields:
        if field.start != at and not (opened and field.start < 0 and at == 0):
            raise ValueError(f"table of {table}: {field.name or 'spare'} begins at {field.start}, not at {at}")
        at = 0 if field.width == OPEN else field.end
        opened = opened or field.width == OPEN
    names = [field.name for field in fields if field.kind not in "-+"]
    if len(set(names)) < len(names):
        raise ValueError(f"table of {table}: a name stands twice in {names}")


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """The head line of each table with its rows."""
    head, rows = "", list[str]()
    for line in text.splitlines():
        if line[:1].strip():
            if head:
                yield head, rows
            head, rows = line, []
        elif line.strip():
            rows.append(line)
    if head:
        yield head, rows


def parse_tables(text: str, head: str) -> tuple[Layout, ...]:
    """Layouts of a text in the grammar of this module.

    Parameters
    ----------
    text : the tables.
    head : rows with which every table begins.

    Raises
    ------
    ValueError
        If a row cannot be read, leaves a gap, overlaps, or repeats a name.

    Examples
    --------
    >>> layout, = parse_tables("sample | 60 | 8..16 | . | A sample\\n 6 5 u sog 10 kn 31 0..30", " 0 6 e msg_type")
    >>> layout.names, layout.field("sog").divisor, layout.size
    (('msg_type', 'sog'), 10.0, 11)
    """
    first = [_field(line, "the head") for line in head.splitlines() if line.strip()]
    layouts = []
    for line, rows in _blocks(text):
        name, types, bits, condition, title = (cell.strip() for cell in line.split("|"))
        fields, ends = list(first), []
        for row in rows:
            if row.strip() == "---":
                ends.append(fields[-1].end)
            else:
                fields.append(_field(row, name))
        _check(name, fields)
        shortest, longest = _range(bits)
        tail = sum(field.width for field in fields if field.start < 0)
        layouts.append(
            Layout(
                name,
                tuple(int(cell) for cell in types.split()) if types != "." else (),
                title,
                tuple(fields),
                tuple(_condition(cell) for cell in condition.split()) if condition != "." else (),
                shortest,
                longest,
                sum(field.width for field in fields),
                tail,
                any(field.width == OPEN for field in fields),
                tuple(ends),
            )
        )
    return tuple(layouts)


def _condition(text: str) -> Condition:
    place, _, limits = text.partition("=")
    start, _, width = ("0", "", "0") if place == "bits" else place.partition(":")
    return Condition(int(start), int(width), *_range(limits))
