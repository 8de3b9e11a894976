"""Rows of JSON: one object a line, or an array of objects, alone or as the value of a name such as `data`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ais.unpack import open_bytes
from cargo.delimited import LONGEST_LINE, _lines, _Long, _mark, _skip
from cargo.encodings import encoding_of
from cargo.rowfile import Gatherer, How, RowFile
from geo.errors import InputError

_MOST_BYTES = 1 << 30
_SPACE = re.compile(r"[\s,]*")
_ARRAY_AHEAD = re.compile(
    r'\ufeff?\s*(?:\{(?:\s*"(?:[^"\\]|\\.)*"\s*:\s*(?:"(?:[^"\\]|\\.)*"|[^"\[\]{}]*?)\s*,)*?\s*"[^"\\]*"\s*:\s*)?\[\s*(?=\{|\])'
)
"""What may stand before the first object of an array: nothing, or an object whose other values are plain."""


class _Twice(ValueError):
    """An object that has a name twice."""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Twice
    return made


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs)


def flat(value: dict[str, Any], before: str = "") -> dict[str, str]:
    """An object as names and texts: inner objects by names with a dot, lists as JSON, null as "".

    >>> flat({"a": 1, "b": {"c": 2.50, "d": None}, "e": [1], "f": True})
    {'a': '1', 'b.c': '2.5', 'b.d': '', 'e': '[1]', 'f': 'true'}
    """
    out: dict[str, str] = {}
    for name, inner in value.items():
        if isinstance(inner, dict):
            out |= flat(inner, f"{before}{name}.")
        else:
            out[f"{before}{name}"] = plain_text_of(inner)
    return out


def plain_text_of(value: Any) -> str:
    """A value of JSON, a sheet or Parquet as text: whole numbers without ".0", times as ISO 8601, nothing as "".

    >>> plain_text_of(12.0), plain_text_of(None), plain_text_of([1, "a"])
    ('12', '', '[1,"a"]')
    """
    if isinstance(value, str):
        return value
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, int):
        return str(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).removesuffix("T00:00:00")
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    return str(value)


def read_json_rows(path: str | Path, how: How) -> RowFile:
    """Read all objects of a file of JSON; each is a row, each name of the first or a later object a column.

    Raises InputError for a file that cannot be read or holds no object; what is no object is left out and counted.
    """
    encoding, evidence, _, sha256 = encoding_of(path, how.encoding)
    with open_bytes(path) as reader:
        head = reader.head().decode(encoding, "replace")
    gatherer = Gatherer(path)
    array = _ARRAY_AHEAD.match(head)
    found = _objects_of_array(path, encoding, array.end()) if array else _objects_of_lines(path, encoding)
    for row, line, offset, raw, value in found:
        if isinstance(value, str):
            gatherer.reject(row, line, value)
            continue
        gatherer.add_named(row, line, offset, raw, value)
    facts = {"format": "JSON array" if array else "JSON lines", "encoding": encoding, "evidence": evidence}
    made = gatherer.finish(facts, sha256)
    if not len(made):
        why = f": {made.rejects[0].reason}" if made.rejects else ""
        raise InputError(f"{path}: line 1: no row of JSON{why}; give one object a line, or an array of objects")
    return made


Found = tuple[int, int, int, bytes, dict[str, str] | str]
"""Row, line, offset, bytes, and the cells or why there are none."""


def _value(text: str, at: int = 0) -> tuple[dict[str, str] | str, int]:
    """The object that begins at a place, or why there is none; where it ends (-1: not known)."""
    try:
        value, end = _DECODER.raw_decode(text, at)
        return (flat(value), end) if isinstance(value, dict) else ("no object of JSON", end)
    except _Twice:
        return "a name stands twice in the object", -1
    except RecursionError:
        return "nested too deep", -1
    except ValueError:
        return "broken JSON", -1


def _objects_of_lines(path: str | Path, encoding: str) -> Iterator[Found]:
    offset = mark = _mark(path, encoding)
    row = 0
    for number, line in enumerate(_skip(_lines(path, encoding), mark), start=1):
        start = offset
        if type(line) is _Long:
            row, offset = row + 1, offset + line.size
            yield row, number, start, b"", f"a line of over {LONGEST_LINE:,} bytes"
            continue
        offset += len(line)
        raw = line.rstrip(b"\r\n") if encoding[:6] != "utf-16" else line
        if not line.strip(b" \t\r\n\0"):
            continue
        row += 1
        try:
            text = line.decode(encoding).strip()
        except UnicodeDecodeError as error:
            yield row, number, start, raw, f"not {encoding.upper()} (0x{line[error.start]:02x})"
            continue
        value, end = _value(text)
        if isinstance(value, dict) and text[end:].strip(" ,"):
            value = "more than one object on the line"
        yield row, number, start, raw, value


def _objects_of_array(path: str | Path, encoding: str, at: int) -> Iterator[Found]:
    """The objects of an array; after a broken one the next line that begins with an object is tried."""
    with open_bytes(path) as reader:
        data = bytearray(_MOST_BYTES + 1 if reader.packing != "plain" else 0)
        n = reader.readinto(memoryview(data)) if data else 0
    raw = bytes(memoryview(data)[:n]) if data else Path(path).read_bytes()
    if len(raw) > _MOST_BYTES:
        raise InputError(f"{path}: an array of over {_MOST_BYTES >> 20:,} MiB; write one object a line (JSON lines)")
    text = raw.decode(encoding, "replace")
    place, offset, line, row = 0, 0, 1, 0
    while at < len(text):
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        if text[at : at + 1] in ("]", ""):
            return
        offset += len(text[place:at].encode(encoding, "replace"))
        line += text.count("\n", place, at)
        place, row = at, row + 1
        value, end = _value(text, at)
        if end < 0:
            following = re.compile(r"\n\s*\{").search(text, at + 1)
            end = following.start() if following else len(text)
        if isinstance(value, dict) and "\ufffd" in text[at:end]:
            value = f"not {encoding.upper()}"
        yield row, line, offset, text[at:end].encode(encoding, "replace"), value
        at = end
