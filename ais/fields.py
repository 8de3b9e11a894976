"""Messages as bits to named values and back, by the tables of `ais.layouts`.

A payload is a Python int of `n_bits` bits, the first bit of the message the highest. For each layout a function is
written from its table and compiled at first use: a type 1 takes less than 2 µs.

A field that the received bits do not wholly cover is None, as is a number that means "not available" or lies outside
of the meaningful range; of a text the characters that came whole are kept. `raw_field` gives the number as sent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ais import sixbit
from ais.binary_layouts import AREA_BITS
from ais.bitfield import OPEN, TURN_SCALE, Field, Layout
from ais.layouts import AREA_SHAPES, OF_TYPE, OTHER, STATES
from geo.errors import UsageError

Decoder = Callable[[int, int], dict[str, Any]]


def holds(layout: Layout, payload: int, n_bits: int) -> bool:
    """Whether the conditions of a layout hold for a message."""
    for one in layout.conditions:
        shift = n_bits - one.start - one.width
        if shift < 0:
            return False
        value = payload >> shift & (1 << one.width) - 1 if one.width else n_bits
        if not one.low <= value <= one.high:
            return False
    return True


def layout_of(payload: int, n_bits: int) -> Layout:
    """The layout of a message: the first of its type whose conditions hold, else `other`."""
    if n_bits < 38:
        return OTHER
    of_type = OF_TYPE.get(payload >> n_bits - 6, ())
    for layout in of_type:
        if not layout.conditions or holds(layout, payload, n_bits):
            return layout
    return OTHER


def decode_fields(payload: int, n_bits: int) -> dict[str, Any]:
    """All fields of a message.

    Parameters
    ----------
    payload : the bits of the message as a number, the first bit the highest
    n_bits : how many there are

    Returns
    -------
    dict
        Value by name, in the order of the bits: int, float, bool, str, bytes, a list of dicts (the parts of an area
        notice), or None. Units stand in the table of the layout.

    Examples
    --------
    >>> fields = decode_fields(int("1" * 6 + "0" * 100, 2), 106)
    >>> list(fields)
    ['msg_type', 'repeat', 'mmsi', 'data']
    """
    return decoder_of(layout_of(payload, n_bits))(payload, n_bits)


def turn(raw: int) -> float:
    """Rate of turn in degrees per minute, positive to starboard."""
    return math.copysign((raw / TURN_SCALE) ** 2, raw)


def areas(number: int, n_bits: int) -> list[dict[str, Any]]:
    """The parts of an area notice; what is left at the end and fills no part is padding."""
    parts = []
    for left in range(n_bits - AREA_BITS, -1, -AREA_BITS):
        part = number >> left & (1 << AREA_BITS) - 1
        shape = next(one for one in AREA_SHAPES if holds(one, part, AREA_BITS))
        parts.append({"area": shape.name, **decoder_of(shape)(part, AREA_BITS)})
    return parts


def bits_as_bytes(number: int, n_bits: int) -> bytes:
    """Bits as bytes from the first bit on, the last byte filled with zeros."""
    n_bytes = (n_bits + 7) // 8
    return (number << 8 * n_bytes - n_bits).to_bytes(n_bytes)


def _expression(field: Field, layout: Layout) -> str:
    """Python for the value of a field: `p` holds the bits that stand at a fixed place, and `n` in an open layout."""
    if field.width == OPEN:
        # what follows the open field is counted from the end of the message
        left = f"n - {field.start + layout.tail}"
        mask = f"p >> {layout.tail} & (1 << {left}) - 1"
        if field.kind == "t":
            return f"text(({mask}) >> ({left}) % 6, ({left}) // 6)"
        return f"{'areas' if field.kind == 'a' else 'raw'}({mask}, {left})"
    if field.start < 0:
        shift = str(-field.end)
    elif layout.is_open:
        shift = f"n - {field.end}"
    else:
        shift = str(layout.size - field.end)
    value = f"p >> {shift} & {(1 << field.width) - 1}"
    if field.kind == "t":
        return _joined(field, value, layout)
    if field.kind == "x":
        return f"raw({value}, {field.width})"
    if field.kind == "b":
        return f"({value}) == 1"
    if field.is_signed:
        sign = 1 << field.width - 1
        value = f"({value} ^ {sign}) - {sign}"
    return _scaled(field, value)


def _scaled(field: Field, value: str) -> str:
    """Python for a value from the Python of its raw number."""
    bounds = field.low is not None or field.high is not None
    if field.kind == "r":
        scaled = "turn(v)"
    else:
        scaled = f"(v + {field.base})" if field.base else "v"
        scaled += f" / {field.divisor}" if field.divisor > 1 else f" * {round(1 / field.divisor)}"
        scaled = scaled.removesuffix(" * 1")
    if bounds:
        return f"({scaled} if {field.lowest} <= (v := {value}) <= {field.highest} else None)"
    if field.null is not None:
        return f"({scaled} if (v := {value}) != {field.null} else None)"
    return value if scaled == "v" else scaled.replace("v", f"({value})", 1)


def _joined(field: Field, value: str, layout: Layout) -> str:
    """Python for a text of fixed width, joined with the field that continues it."""
    for rest in layout.fields:
        if rest.kind == "+" and rest.name == field.name:
            left = f"n - {rest.start}"
            more = f"characters((p & (1 << {left}) - 1) >> ({left}) % 6, ({left}) // 6)"
            return f"cut(characters({value}, {field.width // 6}) + {more})"
    return f"text({value}, {field.width // 6})"


@cache
def decoder_of(layout: Layout) -> Decoder:
    """The function that decodes messages of a layout."""
    pairs = [f"{one.name!r}: {_expression(one, layout)}" for one in layout.fields if one.kind not in "-+"]
    source = f"def decode(p, n):\n    return {{{', '.join(pairs)}}}"
    names: dict[str, Any] = {
        "text": sixbit.text,
        "characters": sixbit.all_characters,
        "cut": sixbit.cut,
        "raw": bits_as_bytes,
        "areas": areas,
        "turn": turn,
    }
    exec(source, names)  # the text comes from our own tables only
    whole: Decoder = names["decode"]
    size, is_open = layout.size, layout.is_open

    def decode(payload: int, n_bits: int) -> dict[str, Any]:
        if n_bits < size:
            return _covered(layout, whole(payload << size - n_bits, size), payload, n_bits)
        return whole(payload if is_open else payload >> n_bits - size, n_bits)

    return decode


def _covered(layout: Layout, values: dict[str, Any], payload: int, n_bits: int) -> dict[str, Any]:
    """The values of a message that ends early: nothing of a field that is not there in full."""
    fixed = n_bits - layout.tail
    for field in layout.fields:
        if field.kind in "-+":
            continue
        if field.kind == "t" and field.start < fixed and field.width != OPEN:
            n = min(field.width, fixed - field.start) // 6
            values[field.name] = sixbit.text(payload >> n_bits - field.start - 6 * n & (1 << 6 * n) - 1, n)
        elif field.start < 0 or field.end > fixed or field.width == OPEN:
            values[field.name] = None
    return values


def raw_field(layout: Layout, name: str, payload: int, n_bits: int) -> int | str | bytes | None:
    """A field as sent: the number before scaling and null, or the whole text with what follows its first `@`.

    None if the bits do not cover it.
    """
    field = layout.field(name)
    last = n_bits - layout.tail if field.width == OPEN else field.end if field.start >= 0 else n_bits + field.end
    start = field.start if field.start >= 0 else n_bits + field.start
    there = n_bits - layout.tail if field.start >= 0 else n_bits if n_bits >= layout.size else 0
    if last > there or start > last:
        return None
    number = payload >> n_bits - last & (1 << last - start) - 1
    if field.kind == "t":
        rest = [one for one in layout.fields if one.kind == "+" and one.name == name and n_bits > one.start]
        more = [sixbit.all_characters(number >> (last - start) % 6, (last - start) // 6)]
        for one in rest:
            n = (n_bits - one.start) // 6
            more.append(sixbit.all_characters(payload >> n_bits - one.start - 6 * n & (1 << 6 * n) - 1, n))
        return "".join(more)
    if field.kind in "xa":
        return bits_as_bytes(number, last - start)
    return number - (1 << field.width) if field.is_signed and number >> field.width - 1 else number


def radio_state(msg_type: int, fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the communication state of a message says, None for a message that has none.

    Types 1, 2, 4 and 11 send a SOTDMA state and type 3 an ITDMA state; others say which by `radio_kind`.

    >>> radio_state(1, {"radio": 0b00_011_00000001100100})
    {'state': 'sotdma', 'sync': 0, 'slot_timeout': 3, 'sub_message': 100}
    """
    radio = fields.get("radio")
    if radio is None:
        return None
    state = STATES["itdma" if fields.get("radio_kind", msg_type == 3) else "sotdma"]
    return {"state": state.name, **decoder_of(state)(radio, state.size)}


def encode_fields(values: Mapping[str, Any]) -> tuple[int, int]:
    """The bits of a message from its fields: the inverse of `decode_fields`.

    Parameters
    ----------
    values : value by name; `msg_type` is needed, what is missing or None is sent as "not available" (or 0)

    Returns
    -------
    (payload, n_bits)
        Optional fields at the end that are all missing are left away; the message is filled up to a whole byte.

    Raises
    ------
    UsageError
        For an unknown type or field, and a value out of its range.

    Examples
    --------
    >>> payload, n_bits = encode_fields({"msg_type": 10, "mmsi": 671999101, "dest_mmsi": 671999102})
    >>> decode_fields(payload, n_bits)["dest_mmsi"], n_bits
    (671999102, 72)
    """
    layout = _layout_for(values)
    pieces: list[tuple[int, int]] = []
    at = 0
    for field in layout.fields:
        if at in layout.ends and _nothing_after(layout, at, values):
            break
        number, width = _piece(layout, field, values)
        pieces.append((number, width))
        at += width
    payload, n_bits = 0, 0
    for number, width in pieces:
        payload, n_bits = payload << width | number, n_bits + width
    fill = -n_bits % 8 if not layout.tail else 0
    payload, n_bits = payload << fill, n_bits + fill
    if n_bits > layout.longest:
        raise UsageError(f"message of type {layout.types[0]} would have {n_bits} bits; {layout.longest} is the most")
    return payload, n_bits


def _layout_for(values: Mapping[str, Any]) -> Layout:
    """The first layout of the type that knows all given fields and whose conditions agree with them."""
    if values.get("msg_type") not in OF_TYPE:
        raise UsageError(f"msg_type {values.get('msg_type')!r} cannot be sent; there are 1 to 27")
    layouts = OF_TYPE[values["msg_type"]]
    given = {name for name, value in values.items() if value is not None}
    for layout in layouts:
        if given <= set(layout.names) and _agrees(layout, values):
            return layout
    known = sorted({name for layout in layouts for name in layout.names})
    strange = sorted(given - set(known))
    if strange:
        raise UsageError(f"type {values['msg_type']} has no field {strange[0]!r}; there are {', '.join(known)}")
    raise UsageError(f"no message of type {values['msg_type']} has all of {', '.join(sorted(given))}")


def _constants(layout: Layout) -> dict[str, tuple[int, int]]:
    """Lowest and highest number of each field that a condition names; a condition may span two fields."""
    found = {}
    for one in layout.conditions:
        for field in layout.fields:
            if field.width and one.start <= field.start and field.end <= one.start + one.width:
                shift, mask = one.start + one.width - field.end, (1 << field.width) - 1
                found[field.name] = (one.low >> shift & mask, one.high >> shift & mask)
    return found


def _agrees(layout: Layout, values: Mapping[str, Any]) -> bool:
    """Whether the given values, where a condition names them, fulfil it; one that is missing is taken from it."""
    for name, (low, high) in _constants(layout).items():
        value = values.get(name)
        if (value is None and low != high) or (value is not None and not low <= value <= high):
            return False
    return True


def _nothing_after(layout: Layout, at: int, values: Mapping[str, Any]) -> bool:
    return all(values.get(field.name) is None for field in layout.fields if field.start >= at and field.kind != "-")


def _piece(layout: Layout, field: Field, values: Mapping[str, Any]) -> tuple[int, int]:
    """The number to send for a field, and its bits."""
    value = values.get(field.name)
    if field.kind == "-":
        return 0, field.width
    if field.kind in "t+":
        return _text_piece(layout, field, value or "")
    if field.kind in "xa":
        number, width = _open_piece(field, value)
        if field.width != OPEN and width and not 0 <= width - field.width < 8:
            raise UsageError(f"{field.name}: {width} bits given; the field has {field.width}")
        return (number, width) if field.width == OPEN else (number >> max(0, width - field.width), field.width)
    if value is None:
        low, high = _constants(layout).get(field.name, (0, 1))
        null = field.null if field.null is not None else low if low == high else 0
        return null & (1 << field.width) - 1, field.width
    return raw_of(field, value) & (1 << field.width) - 1, field.width


def raw_of(field: Field, value: float) -> int:
    """The raw number of a value: the nearest there is.

    Raises
    ------
    UsageError
        If the value is not a number, or out of the field's range.
    """
    try:
        if field.kind == "r":
            raw = round(math.copysign(TURN_SCALE * math.sqrt(abs(value)), value))
        else:
            raw = math.floor(value * field.divisor + 0.5) - field.base
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{field.name} {value!r} is not a number; None is not available") from None
    if not field.lowest <= raw <= field.highest:
        low, high = (_value(field, raw) for raw in (field.lowest, field.highest))
        unit = f" {field.unit}" if field.unit else ""
        raise UsageError(f"{field.name} {value!r} is out of range: {low:g} to {high:g}{unit}; None is not available")
    return raw


def _value(field: Field, raw: int) -> float:
    return turn(raw) if field.kind == "r" else (raw + field.base) / field.divisor


def _text_piece(layout: Layout, field: Field, value: str) -> tuple[int, int]:
    """A text, or what of it stands in the field that continues another."""
    if not isinstance(value, str):
        raise UsageError(f"{field.name} {value!r} is not a text")
    first = layout.field(field.name)
    if field.kind == "+":
        value = value[first.width // 6 :]
    elif any(one.kind == "+" and one.name == field.name for one in layout.fields):
        value = value[: field.width // 6]
    n = len(value) if field.width == OPEN else field.width // 6
    return (sixbit.number(field.name, value, n), 6 * n) if n else (0, 0)


def _open_piece(field: Field, value: Any) -> tuple[int, int]:
    """Bytes, or the parts of an area notice."""
    if not value:
        return 0, 0
    if field.kind == "x":
        if not isinstance(value, bytes):
            raise UsageError(f"{field.name} {value!r} is not bytes")
        return int.from_bytes(value), 8 * len(value)
    number = 0
    for part in value:
        shape = next((one for one in AREA_SHAPES if _agrees(one, part) and set(part) <= {"area", *one.names}), None)
        if shape is None or part.get("shape") is None:
            raise UsageError(f"{part!r} is not a part of an area notice; its shape is a code from 0 to 7")
        for field in shape.fields:
            piece, width = _piece(shape, field, part)
            number = number << width | piece
    return number, AREA_BITS * len(value)
