"""One message to NMEA sentences: every type and variant of the tables of `ais.layouts`.

Payload armour, fill bits, checksum and the 82 characters of a sentence after IEC 61162-1; tag block
`\\s:STATION,c:TIME*hh\\` after NMEA 0183 4.10, on every sentence of a message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce
from operator import xor
from typing import Any

from ais.fields import encode_fields
from ais.message import Message
from geo.errors import UsageError

PAYLOAD_CHARS = 60
"""What 82 characters of a sentence leave to the payload, with the sequence id of a message in parts."""

_ARMOUR = bytes(n + 48 if n < 40 else n + 56 for n in range(64)).decode()
_TALKER = re.compile(r"[A-Z][A-Z0-9]")
_CHANNEL = re.compile(r"[A-Z0-9]?")
_STATION = re.compile(r"[\w.-]{1,24}", re.ASCII)


def encode(
    message: Mapping[str, Any] | Message | None = None,
    /,
    *,
    channel: str = "A",
    talker: str = "AI",
    sequence: int = 0,
    t: int | None = None,
    station: str | None = None,
    **fields: Any,
) -> list[str]:
    """The sentences of a message, without line ends.

    Parameters
    ----------
    message : its fields, or a `Message`, whose bits are sent as they are if no other field is given
    channel : `A`, `B`, a digit, or empty
    talker : two characters, `AI` a mobile station
    sequence : id of a message in parts, 0 to 9
    t : time of reception in µs since 1970 UTC, for a tag block
    station : receiving station, for a tag block
    **fields : fields by name, in place of those of `message`; `msg_type` says which message it is. Units as in the
        table of the message; None, or a field that is not given, is sent as "not available".

    Raises
    ------
    UsageError
        For a field that the message does not have, a value out of its range, and a wrong channel, talker, sequence,
        time or station.

    Examples
    --------
    >>> encode(msg_type=1, mmsi=671999101, lat=35.2, lon=129.4, sog=9.0, cog=41.0, heading=40)
    ['!AIVDM,1,1,,A,1:0oTO@P1J9@F:0D9401VQAp0000,0*49']
    """
    if isinstance(message, Message) and not fields:
        payload, n_bits = message.payload, message.n_bits
    else:
        given = message.asdict() if isinstance(message, Message) else message or {}
        payload, n_bits = encode_fields({**given, **fields})
    _check(channel, talker, sequence)
    fill = -n_bits % 6
    number = payload << fill
    symbols = "".join(_ARMOUR[number >> shift & 63] for shift in range(n_bits + fill - 6, -1, -6))
    parts = [symbols[at : at + PAYLOAD_CHARS] for at in range(0, len(symbols), PAYLOAD_CHARS)]
    tag = _tag_block(t, station)
    sentences = []
    for k, part in enumerate(parts, 1):
        last_fill = fill if k == len(parts) else 0
        name = sequence if len(parts) > 1 else ""
        body = f"{talker}VDM,{len(parts)},{k},{name},{channel},{part},{last_fill}"
        sentences.append(f"{tag}!{body}*{checksum(body)}")
    return sentences


def checksum(text: str) -> str:
    """XOR of all characters as two hexadecimal digits.

    >>> checksum("AIVDM,1,1,,A,1:0oTO@P1J9@F:0D9401VQ@00000,0")
    '08'
    """
    return f"{reduce(xor, text.encode(), 0):02X}"


def _check(channel: str, talker: str, sequence: int) -> None:
    if not _CHANNEL.fullmatch(channel):
        raise UsageError(f"channel {channel!r} cannot stand in a sentence: one capital letter or digit, or empty")
    if not _TALKER.fullmatch(talker):
        raise UsageError(f"talker {talker!r} cannot stand in a sentence: a capital letter, and one or a digit")
    if not 0 <= sequence <= 9:
        raise UsageError(f"sequence {sequence} is not an id of a message in parts: 0 to 9")


def _tag_block(t: int | None, station: str | None) -> str:
    """A tag block, or nothing; the time in seconds, or in ms or µs where it has such digits."""
    codes = []
    if station is not None:
        if not _STATION.fullmatch(station):
            raise UsageError(f"station {station!r} cannot stand in a tag block: 1 to 24 letters, digits, - . _")
        codes.append(f"s:{station}")
    if t is not None:
        if t < 0:
            raise UsageError(f"time {t} lies before 1970; a tag block counts from there")
        unit = 1_000_000 if t % 1_000_000 == 0 else 1_000 if t % 1_000 == 0 else 1
        codes.append(f"c:{t // unit}")
    body = ",".join(codes)
    return f"\\{body}*{checksum(body)}\\" if body else ""
