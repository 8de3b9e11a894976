"""Text in JSON: its objects one after the other, whether one to a line or in arrays of any depth.

An object is taken from the text at the place where it begins, so a whole file in one array needs no more memory than
JSON lines do: 1 MiB of text and its largest object, of at most 16 MiB. Text that is no object is given out as it is, up
to the end of its line.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping

from ais.json_forms import Object, form_of
from ais.unpack import Reader

BLOCK_BYTES = 1 << 20
LONGEST_OBJECT = 16 << 20
"""Characters of an object; a longer one is left out."""

_BETWEEN = re.compile(r"[\s,\[\]\x00]*")
_AFTER_VALUE = re.compile(r"[ \t\r]*[,\]\n]")
_NEXT_OBJECT = re.compile(r"\n|\}\s*,\s*(?=\{)")
# Numbers stay the text that they are: no digit is lost, and no number is too long.
_SCAN = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str, strict=False).scan_once  # type: ignore[attr-defined]


def objects(reader: Reader) -> Iterator[tuple[int, Object | str]]:
    """(byte offset, object) of each object of a text; text that is none comes as it is."""
    decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode
    text, base, ended = "", 3 * reader.head(3).startswith(b"\xef\xbb\xbf"), False
    block = memoryview(bytearray(BLOCK_BYTES))
    while not ended:
        got = reader.readinto(block)
        ended = got < BLOCK_BYTES
        text += decode(bytes(block[:got]), ended)
        done, base_now = 0, base
        ascii_text = text.isascii()
        place = _BETWEEN.match(text).end()  # type: ignore[union-attr]
        while place < len(text):
            stop, made = _object_at(text, place)
            if stop < 0:
                if not ended and len(text) - place < LONGEST_OBJECT and _may_go_on(text, place):
                    break
                found = _NEXT_OBJECT.search(text, place)
                stop = found.end() if found else len(text)
                made = text[place:stop]
            base_now += place - done if ascii_text else _size(text[done:place])
            done = place
            yield base_now, made
            place = _BETWEEN.match(text, stop).end()  # type: ignore[union-attr]
        base = base_now + (place - done if ascii_text else _size(text[done:place]))
        text = text[place:]


def objects_of(text: str) -> Iterator[tuple[int, Object | str]]:
    """(place, object) of each object of a text that is there whole; text that is none comes as it is.

    >>> list(objects_of('{"a":1} [{"b":2}] x'))
    [(0, {'a': '1'}), (9, {'b': '2'}), (18, 'x')]
    """
    place = _BETWEEN.match(text).end()  # type: ignore[union-attr]
    while place < len(text):
        stop, made = _object_at(text, place)
        if stop < 0:
            found = _NEXT_OBJECT.search(text, place)
            stop = found.end() if found else len(text)
            made = text[place:stop]
        yield place, made
        place = _BETWEEN.match(text, stop).end()  # type: ignore[union-attr]


def _object_at(text: str, place: int) -> tuple[int, Object | str]:
    """(its end, the object) at a place of a text; -1 where there is none, or not the whole of it.

    A number or a text that stands alone between objects comes as the text that it is.
    """
    try:
        made, stop = _SCAN(text, place)
    except (StopIteration, ValueError, RecursionError):
        return -1, ""
    if text[place] == "{":
        return stop, made
    return (stop, text[place:stop]) if _AFTER_VALUE.match(text, stop) else (-1, "")


def _may_go_on(text: str, place: int) -> bool:
    """Whether what begins here may be an object, or a line, whose end has not been read yet."""
    end = text.find("\n", place)
    return end < 0 or (text[place] == "{" and len(text) - place < BLOCK_BYTES)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))


def json_format(head: bytes, columns: Mapping[str, str] | None = None) -> str:
    """The form of a text in JSON, from its first bytes; empty where it is none that is known.

    Objects that have all keys that `columns` names are rows.

    >>> json_format(b'{"mmsi":671999101,"timestamp":"2024-01-01T00:00:00Z","lat":1.5,"lon":2.5}')
    'json'
    >>> json_format(b'{"name":"x"}')
    ''
    """
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start.startswith((b"{", b"[")):
        return ""
    text = start.decode("utf-8", "replace")
    place = _BETWEEN.match(text).end()  # type: ignore[union-attr]
    for _ in range(20):
        stop, made = _object_at(text, place) if place < len(text) else (-1, "")
        if stop < 0:
            break
        if isinstance(made, dict) and (form := form_of(made)):
            return form
        if isinstance(made, dict) and columns and set(columns.values()) <= made.keys():
            return "json"
        place = _BETWEEN.match(text, stop).end()  # type: ignore[union-attr]
    return "ais-catcher" if '"jsonaiscatcher"' in text[:1000] else ""
