"""Random messages of every layout, and messages as the decoder stores them, for several tests."""

import random

import numpy as np

from ais.bitfield import Field, Layout
from ais.layouts import AREA_SHAPES, LAYOUTS
from ais.sixbit import ALPHABET

RECORD = np.dtype(
    [("t", "i8"), ("offset", "i8"), ("words", "i8"), ("copy_of", "i8"), ("mmsi", "u4"), ("station", "u4"),
     ("n_bits", "i4"), ("talker", "u2"), ("channel", "u1"), ("msg_type", "u1"), ("n_parts", "u1"), ("status", "u1")],
    align=True,
)  # fmt: skip
LETTERS = ALPHABET[1:]


def stored(messages: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Records and words of messages given as (payload, number of bits)."""
    records, words = np.zeros(len(messages), RECORD), []
    for record, (payload, n_bits) in zip(records, messages, strict=True):
        n_words = -(-n_bits // 48)
        padded = payload << 48 * n_words - n_bits
        record["words"], record["n_bits"], record["copy_of"] = len(words), n_bits, -1
        record["msg_type"] = payload >> n_bits - 6 if n_bits >= 6 else 0
        record["mmsi"] = payload >> n_bits - 38 & (1 << 30) - 1 if n_bits >= 38 else 0
        words += [padded >> 48 * (n_words - 1 - k) & (1 << 48) - 1 for k in range(n_words)] + [0]
    return records, np.array(words, np.uint64)


def random_text(rng: random.Random, n: int) -> str | None:
    """A text that comes back: no space at its end."""
    return "".join(rng.choices(LETTERS, k=rng.randint(0, n))).rstrip() or None


def random_value(rng: random.Random, field: Field, layout: Layout):
    """A value that the field can send, or None where there is something that means None."""
    if field.kind == "t":
        n = field.width // 6 or 30
        rest = [one for one in layout.fields if one.kind == "+" and one.name == field.name]
        return random_text(rng, n + 14 if rest else n)
    if field.kind == "x":
        return rng.randbytes(field.width // 8 if field.width else rng.randint(1, 8))
    if field.kind == "a":
        return [random_area(rng) for _ in range(rng.randint(1, 4))]
    if field.kind == "b":
        return rng.random() < 0.5
    raw = rng.randint(field.lowest, field.highest)
    if raw == field.null or (field.null is not None and rng.random() < 0.2):
        return None
    if field.kind == "r":
        return (raw / 4.733) ** 2 * (1 if raw >= 0 else -1)
    value = (raw + field.base) / field.divisor
    return value if field.is_real else round(value)


def random_area(rng: random.Random) -> dict:
    shape = rng.choice([one for one in AREA_SHAPES if one.name != "reserved"])
    values = {one.name: random_value(rng, one, shape) for one in shape.fields if one.kind != "-"}
    return {"area": shape.name, **values, "shape": rng.randint(shape.conditions[0].low, shape.conditions[0].high)}


def random_message(rng: random.Random, layout: Layout) -> dict:
    """Values for every field of a layout, its conditions fulfilled."""
    values = {one.name: random_value(rng, one, layout) for one in layout.fields if one.kind not in "-+"}
    values["msg_type"] = rng.choice(layout.types)
    values["mmsi"] = rng.randint(200_000_000, 799_999_999)
    for condition in layout.conditions:
        value = rng.randint(condition.low, condition.high)
        for field in layout.fields:
            if field.width and condition.start <= field.start and field.end <= condition.start + condition.width:
                number = value >> condition.start + condition.width - field.end & (1 << field.width) - 1
                values[field.name] = bool(number) if field.kind == "b" else number
    if layout.types in {(6,), (8,)} and not layout.conditions:
        values["dac"], values["fid"] = 999, rng.randint(0, 63)  # an application that has no table
    return values


SENT = [layout for layout in LAYOUTS.values() if layout.types]
"""Every layout that a message can have."""
