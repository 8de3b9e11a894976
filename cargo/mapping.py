"""Mappings: which heading of a file is which field. Proposed from the headings, kept as TOML, read back."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from cargo.fields import FIELDS
from cargo.headings import Meaning, direction_of, heading_words, is_sea_file, meaning_of
from cargo.identifiers import container_valid, is_missing
from cargo.layouts import layout_of
from cargo.rowfile import How
from cargo.serial_dates import are_serials
from geo.errors import InputError, UsageError

DATE_ORDERS = ("", "dmy", "mdy", "ymd")
_UNITS = {"kg", "g", "t", "lb", ""}
_SHAPES = {
    "hs": re.compile(r"[\d.\s\-]{2,20}[A-Z]?"),
    "container": re.compile(r"[A-Z]{3,4}[\s.\-/]?\d.*"),
    "number": re.compile(r"[^\d]{0,6}\d.*", re.DOTALL),
    "money": re.compile(r"[^\d]{0,6}\d.*", re.DOTALL),
    "weight": re.compile(r"[^\d]{0,6}\d.*", re.DOTALL),
    "date": re.compile(r".*\d.*", re.DOTALL),
    "imo": re.compile(r"(?:IMO[\s:.]*)?\d+", re.IGNORECASE),
    "mmsi": re.compile(r"(?:MMSI[\s:.]*)?\d+", re.IGNORECASE),
}
"""What a value of a kind looks like at the least; values that do not are a reason not to trust a heading."""


class Proposal(NamedTuple):
    """What is proposed for one heading: `field` "" leaves it as text; `why` says why, in words."""

    heading: str
    samples: tuple[str, ...]
    field: str
    why: str


@dataclass(slots=True)
class ShipmentMapping:
    """Which headings are which field.

    `fields` gives for a field the headings, of which the first that says anything in a row is taken; `units` the unit
    of a weight, or the currency of the value ("*": that of the currency column); `constants` a text for all rows;
    `date_order` the order of dates such as 01/10/2018 where it is known; `how` how the file is read.
    """

    format: str = "headings"
    fields: dict[str, list[str]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    date_order: str = ""
    how: How = field(default_factory=How)
    proposals: list[Proposal] = field(default_factory=list)
    told: bool = False

    def to_toml(self) -> str:
        """The mapping as TOML, with a comment for each heading that is mapped to nothing."""
        lines = [
            "# Which heading is which field. Edit, and give it back with --mapping.",
            f"format = {_quoted(self.format)}",
        ]
        lines.append(f"date_order = {_quoted(self.date_order)}  # dmy, mdy or ymd; empty: the dates themselves decide")
        told = {name: getattr(self.how, name) for name in How.__slots__ if getattr(self.how, name)}
        lines += ["", "[file]", *(f"{name} = {json.dumps(value)}" for name, value in told.items())]
        lines += ["", "[fields]"]
        why = {heading: proposal.why for proposal in self.proposals for heading in [proposal.heading]}
        for name, headings in self.fields.items():
            said = why.get(headings[0], "")
            comment = f"  # {_comment(said)}" if said else ""
            lines.append(f"{name} = [{', '.join(map(_quoted, headings))}]{comment}")
        for title, table in (("units", self.units), ("constants", self.constants)):
            lines += ["", f"[{title}]", *(f"{name} = {_quoted(value)}" for name, value in table.items())]
        unmapped = [proposal for proposal in self.proposals if not proposal.field]
        lines += ["", "# Kept as text:"] if unmapped else []
        lines += [f"#   {_comment(one.heading)}: {_comment(one.why)}" for one in unmapped]
        return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False).replace("\x7f", "\\u007f")


def _comment(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", " ", text)[:200]


def known_headings(cells: Sequence[str]) -> int:
    """How many of some texts are headings that mean something: by this a header is told from a row."""
    return sum(1 for cell in cells if cell and len(cell) < 100 and meaning_of(cell).field)


def propose(header: Sequence[str], samples: Mapping[str, Sequence[str]]) -> ShipmentMapping:
    """A mapping proposed from headings and some values of each.

    Of several headings for one field the plainest is taken; those that only repeat it (RAW_, _EN, STD_) stand in where
    it is empty. The others, and those that may mean two things, stay text; their `why` says so.
    """
    layout = layout_of(header)
    direction = layout.direction or direction_of(header)
    sea = is_sea_file(header)
    meanings: dict[str, Meaning] = {}
    for heading in header:
        words = heading_words(heading)
        if layout.name == "luxwake" and heading.lower() in FIELDS:
            unit = "*" if heading.lower() == "value" else ""
            meanings[heading] = Meaning(heading.lower(), unit, -1, words, (), "is its name here")
            continue
        meaning = meaning_of(heading, direction, sea)
        if words in layout.meanings:
            name, unit = layout.meanings[words]
            meaning = Meaning(name, unit, 0, words, (), f"is that in the format {layout.name}")
        meanings[heading] = _checked(meaning, samples.get(heading, ()))
    made = ShipmentMapping(layout.name)
    taken: dict[str, Meaning] = {}
    order = {heading: i for i, heading in enumerate(header)}
    for heading in sorted(header, key=lambda one: (meanings[one].rank, order[one])):
        meaning = meanings[heading]
        if not meaning.field:
            continue
        first = taken.setdefault(meaning.field, meaning)
        if first is meaning:
            made.fields[meaning.field] = [heading]
            _take_unit(made, meaning)
        elif first.base == meaning.base and first.unit == meaning.unit:
            made.fields[meaning.field].append(heading)
    made.fields = {name: made.fields[name] for name in FIELDS if name in made.fields}
    made.proposals = [_proposal(made, one, meanings[one], samples.get(one, ())) for one in header]
    return made


def _take_unit(made: ShipmentMapping, meaning: Meaning) -> None:
    if FIELDS[meaning.field].kind == "weight":
        made.units[meaning.field] = meaning.unit or "kg"
    elif meaning.field == "value":
        made.units["value"] = meaning.unit if meaning.unit != "home" else ""


def _checked(meaning: Meaning, samples: Sequence[str]) -> Meaning:
    """The meaning, unless the values speak against it; an ambiguous container is decided by its values."""
    said = [text for text in samples if not is_missing(text)]
    if meaning.base == "CONTAINER" and said and all(container_valid(re.sub(r"[\s.-]", "", t.upper())) for t in said):
        return meaning._replace(field="container", rank=20, why="its values are container numbers")
    shape = _SHAPES.get(FIELDS[meaning.field].kind) if meaning.field else None
    if shape is None or not said:
        return meaning
    fitting = sum(shape.fullmatch(text.strip()) is not None for text in said)
    if fitting * 2 < len(said):
        return meaning._replace(field="", why=f"{meaning.why}, but its values are none: {said[0][:30]!r}")
    return meaning


def _proposal(made: ShipmentMapping, heading: str, meaning: Meaning, samples: Sequence[str]) -> Proposal:
    """The line of the table for one heading."""
    shown = tuple(samples[:3])
    headings = made.fields.get(meaning.field, [])
    if not meaning.field:
        return Proposal(heading, shown, "", meaning.why)
    if heading not in headings:
        return Proposal(heading, shown, "", f"{meaning.field} is taken from {headings[0]!r}")
    why = meaning.why if heading == headings[0] else f"{meaning.why}; where {headings[0]!r} is empty"
    if FIELDS[meaning.field].kind == "weight" and not meaning.unit:
        why += "; no unit in the heading, taken as kg as customs declarations have it"
    if FIELDS[meaning.field].kind == "date" and are_serials(samples):
        why += "; serial numbers of a spreadsheet, read as days if every cell of the column is one"
    if meaning.field == "value" and meaning.unit in ("", "home"):
        why += "; its currency is not known"
    return Proposal(heading, shown, meaning.field, why)


def read_mapping(path: str | Path) -> ShipmentMapping:
    """Read a mapping from TOML.

    Raises UsageError for a file that cannot be read, is no TOML, or names a field, format or unit that there is not.
    """
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}; check the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: no TOML: {error}; `--save-mapping` writes one to begin with") from None
    _only(path, "", table, ("format", "date_order", "file", "fields", "units", "constants"))
    tables = {name: table.get(name, {}) for name in ("file", "fields", "units", "constants")}
    for name, part in tables.items():
        if not isinstance(part, dict):
            raise UsageError(f"{path}: [{name}] must be a table")
    _only(path, "file", tables["file"], How.__slots__)
    for name in ("fields", "units", "constants"):
        _only(path, name, tables[name], FIELDS)
    fields = {name: [value] if isinstance(value, str) else value for name, value in tables["fields"].items()}
    for name, headings in fields.items():
        if not (isinstance(headings, list) and headings and all(isinstance(one, str) for one in headings)):
            raise UsageError(f"{path}: fields.{name} must be a heading or a list of headings, not {headings!r}")
    order = str(table.get("date_order", ""))
    if order not in DATE_ORDERS:
        raise UsageError(f"{path}: date_order {order!r} is none of dmy, mdy, ymd")
    texts = {name: {key: str(value) for key, value in tables[name].items()} for name in ("units", "constants")}
    for name, unit in texts["units"].items():
        if FIELDS[name].kind == "weight" and unit not in _UNITS:
            raise UsageError(f"{path}: units.{name} {unit!r} is none of kg, g, t, lb")
    how = _how(path, tables["file"])
    return ShipmentMapping(
        str(table.get("format", "headings")), fields, texts["units"], texts["constants"], order, how, told=True
    )


def _how(path: str | Path, table: Mapping[str, Any]) -> How:
    """How to read the file, as a mapping tells it."""
    from cargo.encodings import NAMES

    how = How(**{name: value for name, value in table.items()})
    if how.encoding and how.encoding not in NAMES:
        raise UsageError(f"{path}: file.encoding {how.encoding!r} is none of {', '.join(NAMES)}")
    if not isinstance(how.header_row, int) or how.header_row < 0:
        raise UsageError(f"{path}: file.header_row must be a number from 1 on, not {how.header_row!r}")
    if how.separator not in ("", ",", ";", "\t", "|"):
        raise UsageError(f"{path}: file.separator {how.separator!r} is none of , ; \\t |")
    return how


def _only(path: str | Path, where: str, table: Mapping[str, Any], known: Iterable[str]) -> None:
    """UsageError for a name that there is not."""
    names = list(known)
    for name in table:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            raise UsageError(f"{path}: no {where or 'entry'} {name!r}; {hint}")


def check_mapping(path: str | Path, mapping: ShipmentMapping, header: Sequence[str]) -> None:
    """InputError for a heading that the file has not; headings may differ in case and separators."""
    plain = {heading_words(heading): heading for heading in reversed(header)}
    for name, headings in mapping.fields.items():
        for i, heading in enumerate(headings):
            if heading not in header:
                if heading_words(heading) not in plain:
                    near = difflib.get_close_matches(heading, header, 1)
                    hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(header)[:200]}"
                    raise InputError(f"{path}: no heading {heading!r} for {name} as the mapping says; {hint}")
                headings[i] = plain[heading_words(heading)]
