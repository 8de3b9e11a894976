"""Every field of every message against pyais, bit by bit: on all real feeds, and on random messages both ways.

A field of pyais is compared with ours that stands at the same bits. Each difference has a name, and who is right:

| difference | pyais | ours | right |
|---|---|---|---|
| not available | the number that says so (heading 511, latitude 91) | None | ours |
| no meaning | numbers out of the field's range (course 400, second 61) | None, `raw` has the number | ours |
| beyond the received bits | a number from the bits that are there, as if zeros followed | None | ours |
| replaced code | a code without a name becomes another (ship type 57 -> 56, EPFD 10 -> 0) | as sent | ours |
| text after @ | kept | cut, as M.1371 says | ours |
| spaces in front | stripped | kept, as sent | ours |
| empty text | '' | None, which is "not available" | ours |
| name in two fields | `name` and `name_ext` of type 21 | joined | ours |
| minutes for degrees | minutes in types 17, 22 and 23; in 17 west and south are lost too | degrees, signed | ours |
| payload of type 17 | one block of bytes | its header as fields | both |
| radio state of type 26 | read at the end of the longest message, data runs into it | the last 20 bits | ours |
| no application id | type 26, addressed without application, has one | none | ours |
| spare after the destination | data of types 25 and 26 begins 2 bits early | as in M.1371-5 | ours |
| spare bits | handed out as `reserved` | not handed out, or fields of M.1371-5 | both |
| radio with its selector | 20 bits in one | the selector is a field | both |
| zone of type 22 | the number sent | width in nautical miles, one more | ours |
| water temperature of 1/21 | two's complement | -10 °C at 0, as in Circ. 289 | ours |
| payload without a table | 1/17 to 1/28, 200/23 to 200/40, 367/33 as fields | bytes | pyais has more |
| payload only ours | 1/0, 1/30 and 1/40 in type 6, 200/21, 200/55 as bytes | fields | ours |
| payload of another length | read as the application says, whatever its length | bytes | ours |
| persons on board | a list of targets in 1/16 of type 8 | the number, as in Circ. 236 | ours |
"""

from __future__ import annotations

import random
from collections import Counter
from enum import Enum
from functools import cache
from typing import Any

import attr
import pyais
import pytest
from pyais.stream import IterMessages

from ais.bitfield import OPEN, Field, Layout
from ais.encode import encode
from ais.fields import bits_as_bytes
from ais.message import Message
from tests.feeds import read_bytes, real_feeds
from tests.messages import SENT, random_message
from tests.test_against_pyais import _their_lines

NOT_SPLIT = {
    ("reserved_1", "position_b"), ("reserved_2", "position_b"), ("reserved_1", "extended_b"),
    ("reserved_2", "extended_b"), ("reserved_1", "aircraft"), ("empty_1", "channels_addressed"),
    ("empty_2", "channels_addressed"),
}  # fmt: skip
GENERIC = {"addressed_binary", "broadcast_binary"}


def bits_of(sentences: list[str]) -> tuple[int, int]:
    """Payload and bits of the sentences of one message."""
    payload, n_bits = 0, 0
    for sentence in sentences:
        symbols, fill = sentence.split(",")[5], int(sentence.split(",")[6][0])
        for symbol in symbols:
            code = ord(symbol) - 48
            payload, n_bits = payload << 6 | (code - 8 if code > 40 else code), n_bits + 6
        payload, n_bits = payload >> fill, n_bits - fill
    return payload, n_bits


@cache
def their_fields(kind: type) -> list[tuple[str, int, int]]:
    """Name, first bit and width of the fields of a kind of pyais message, spares left out."""
    found, at = [], 0
    for one in attr.fields(kind):
        if not one.metadata.get("is_spare"):
            found.append((one.name, at, one.metadata["width"]))
        at += one.metadata["width"]
    return found


@cache
def our_field(layout: Layout, start: int, width: int) -> Field | None:
    for field in layout.fields:
        if field.start == start and field.kind not in "-+" and field.width in (width, OPEN):
            return field
    return None


def number_of(message: Message, start: int, width: int) -> int:
    """Bits of a message, as if zeros followed."""
    shift = message.n_bits - start - width
    return (message.payload >> shift if shift >= 0 else message.payload << -shift) & (1 << width) - 1


def compare(message: Message, theirs: Any) -> Counter[str]:
    """Differences by name; an AssertionError for one that has none."""
    found: Counter[str] = Counter()
    layout = message.layout.name
    kind = type(theirs).__name__
    if "Dac" in kind and layout in GENERIC:
        tables = {one.name for one in SENT}
        application = f"{message.dac}/{message.fid}"
        known = application in {one.title.split(" ")[0] for one in SENT if one.types == message.layout.types}
        assert tables
        return Counter(["payload of another length" if known else "payload without a table"])
    if kind == "MessageType8Dac1Fid16":
        return Counter(["persons on board"])
    if kind.endswith("Default") and layout not in GENERIC:
        start = 88 if message.msg_type == 6 else 56
        assert theirs.data == bits_as_bytes(number_of(message, start, message.n_bits - start), message.n_bits - start)
        return Counter(["payload only ours"])
    for name, start, width in their_fields(type(theirs)):
        reason = difference(message, name, start, width, getattr(theirs, name))
        assert reason is not None, (layout, name, getattr(theirs, name), message)
        found[reason] += 1
    return found


def difference(message: Message, name: str, start: int, width: int, theirs: Any) -> str | None:
    """The name of a difference, `same`, or None for one without a name."""
    layout = message.layout.name
    if (name, layout) in NOT_SPLIT:
        return "spare bits"
    if message.msg_type == 26 and name in ("data", "radio", "app_id"):
        return type_26(message, name, theirs)
    if message.msg_type == 25 and "addressed" in layout and name in ("data", "app_id"):
        return "spare after the destination" if message.n_bits > 72 else "same"
    if name == "app_id":
        return "same" if theirs == message.dac << 6 | message.fid else None
    if name == "radio" and width == 20:
        ours = None if message.radio is None else message.radio_kind << 19 | message.radio
        return "radio with its selector" if theirs == ours else "beyond the received bits" if ours is None else None
    if layout == "dgnss" and name in ("lon", "lat", "data"):
        return type_17(message, name, theirs)
    if layout == "aid" and name in ("name", "name_ext"):
        return aid_name(message, theirs)
    field = our_field(message.layout, start, width)
    assert field is not None, (layout, name, start, width)
    if field.width != OPEN and field.end > message.n_bits:
        covered = field.kind == "t" and (message[field.name] or "") in (theirs or "")
        return "beyond the received bits" if covered or message[field.name] is None else None
    return one_value(message, field, name, theirs)


def one_value(message: Message, field: Field, name: str, theirs: Any) -> str | None:
    value, raw = message[field.name], message.raw(field.name)
    if field.kind == "t":
        return text(value, theirs)
    if field.kind in "xa":
        raw = bits_as_bytes(number_of(message, field.start, message.n_bits - field.start), message.n_bits - field.start)
        return "same" if (theirs or b"") == raw else None
    assert isinstance(raw, int)
    if field.kind in "be":
        assert int(value) == raw
        if int(theirs) != raw:
            return "replaced code" if isinstance(theirs, Enum) else None
        return "same"
    return number(field, value, raw, theirs)


def number(field: Field, value: Any, raw: int, theirs: Any) -> str | None:
    """Our number against theirs, which pyais rounds to six decimals, a rate of turn to whole degrees."""
    if field.name == "zone":
        return "zone of type 22" if value == theirs + 1 else None
    if value is None:
        reason = "not available" if raw == field.null else "no meaning"
        assert raw == field.null or not field.lowest <= raw <= field.highest
    else:
        reason = "same"
        assert field.lowest <= raw <= field.highest
    if field.kind == "r":
        as_sent = value if value is not None else raw
        return reason if abs(abs(as_sent) - abs(float(theirs))) <= 0.5 else None
    as_sent = (raw + field.base) / field.divisor
    if abs(as_sent - float(theirs)) <= 6e-7:
        return reason
    if field.name in ("ne_lon", "ne_lat", "sw_lon", "sw_lat") and theirs == raw / 10:
        return "minutes for degrees"
    if field.name == "water_temp" and field.base == -100 and theirs is not None:
        return "water temperature of 1/21"
    return None


def text(value: str | None, theirs: str) -> str | None:
    if value is None and not theirs:
        return "empty text"
    if value == theirs:
        return "same"
    if (value or "").strip() == theirs:
        return "spaces in front"
    return "text after @" if (value or "").strip() == theirs.partition("@")[0].strip() else None


def aid_name(message: Message, theirs: str | None) -> str | None:
    raw = message.raw("name")
    assert isinstance(raw, str) and message.name == (raw.partition("@")[0].rstrip() or None)
    if (theirs or "").strip("@ ") in raw:
        return "name in two fields"
    return "beyond the received bits" if (message.n_bits - 272) % 6 and (theirs or "")[:-1].strip("@ ") in raw else None


def type_17(message: Message, name: str, theirs: Any) -> str | None:
    if name == "data":
        sent = bits_as_bytes(number_of(message, 80, message.n_bits - 80), message.n_bits - 80)
        return "payload of type 17" if (theirs or b"") == sent else None
    raw = message.raw(name)
    assert isinstance(raw, int)
    width = message.layout.field(name).width
    assert message[name] is None or message[name] == raw / 600
    return "minutes for degrees" if abs(theirs - (raw & (1 << width) - 1) / 10) < 1e-6 else None


def type_26(message: Message, name: str, theirs: Any) -> str | None:
    if name == "app_id":
        addressed = "addressed" in message.layout.name
        if message.layout.name == "slots_addressed":
            return "no application id"
        return (
            "spare after the destination" if addressed else "same" if theirs == message.dac << 6 | message.fid else None
        )
    last = message.payload & (1 << 20) - 1
    assert message.radio_kind << 19 | message.radio == last
    return "radio state of type 26"


KNOWN = {line.split("|")[1].strip() for line in (__doc__ or "").splitlines() if line.startswith("| ")} | {"same"}


IN_REAL_FEEDS = {
    "not available": 95_403,
    "no meaning": 9_003,
    "spare bits": 4_321,
    "radio with its selector": 2_063,
    "beyond the received bits": 1_814,
    "name in two fields": 985,
    "empty text": 893,
    "minutes for degrees": 788,
    "payload of type 17": 336,
    "replaced code": 67,
    "payload only ours": 66,
    "spaces in front": 59,
    "text after @": 52,
    "zone of type 22": 23,
    "payload of another length": 22,
}
"""How many fields (of payloads: messages) differ in 121,000 real messages."""


def test_every_field_of_every_message_of_every_real_feed(shared_data):
    found: Counter[str] = Counter()
    types: Counter[int] = Counter()
    for path in real_feeds(shared_data):
        for sentence in IterMessages(_their_lines(read_bytes(path))):
            if not sentence.is_valid or not sentence.payload:
                continue
            message = Message(sentence.bv._value, len(sentence.bv))
            if message.layout.name == "other":
                continue
            found += compare(message, sentence.decode())
            types[message.msg_type] += 1
    assert set(types) == {*range(1, 28)} - {13, 25, 26}
    assert found.pop("same") > 1_780_000
    assert found == IN_REAL_FEEDS


@pytest.mark.parametrize("layout", SENT, ids=lambda one: one.name)
def test_what_we_encode_pyais_decodes(layout):
    rng = random.Random(layout.name)
    found: Counter[str] = Counter()
    for _ in range(60):
        values = random_message(rng, layout)
        sentences = encode(values)
        message = Message(*bits_of(sentences))
        assert message.layout is layout
        found += compare(message, pyais.decode(*sentences))
    assert set(found) <= KNOWN


@pytest.mark.parametrize("layout", SENT, ids=lambda one: one.name)
def test_what_pyais_encodes_we_decode(layout):
    rng = random.Random(layout.name)
    found: Counter[str] = Counter()
    for _ in range(60):
        theirs = pyais.decode(*encode(random_message(rng, layout)))
        sentences = pyais.encode_msg(theirs)
        again = pyais.decode(*sentences)
        found += compare(Message(*bits_of(sentences)), again)
    assert set(found) <= KNOWN
