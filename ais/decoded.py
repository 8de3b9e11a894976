"""`decode` and `decode_one`: sentences in any form to columns, to messages, or to one message."""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from ais.decode import Decoder
from ais.messages import Messages, joined
from ais.reports import FixColumns
from ais.sources import CHUNK_BYTES, chunks
from ais.status import LINE_TOO_LONG, STATUS
from ais.table import Fixes, Static
from ais.unpack import Reader
from geo.errors import InputError, UsageError

if TYPE_CHECKING:
    from ais.message import Message

Source = bytes | bytearray | memoryview | str | Path | Iterable[bytes | str]
Piece = tuple[NDArray[np.uint8], int, int, int]
"""Buffer, bytes of text in it, offset of its first in the source, lines that were too long and left out before it."""


@overload
def decode(
    source: Source,
    *,
    messages: Literal[False] = ...,
    policy: str = ...,
    fold: bool = ...,
    start: datetime | int | None = ...,
    clock: str | None = ...,
    threads: int = ...,
) -> Fixes: ...
@overload
def decode(
    source: Source,
    *,
    messages: Literal[True],
    policy: str = ...,
    fold: bool = ...,
    start: datetime | int | None = ...,
    clock: str | None = ...,
    threads: int = ...,
) -> Messages: ...
def decode(
    source: Source,
    *,
    messages: bool = False,
    policy: str = "strict",
    fold: bool = True,
    start: datetime | int | None = None,
    clock: str | None = None,
    threads: int = 1,
) -> Fixes | Messages:
    """Decode NMEA 0183 with AIS sentences.

    Parameters
    ----------
    source : bytes, a path (packed or not), or sentences or pieces of bytes one after the other
    messages : give every message of every type, and not positions and static reports
    policy : "strict" drops doubtful lines (checksum, alphabet, fill bits, length), "flag" marks them in `status`,
        "keep" takes them for sound; they are counted under each
    fold : make one row of copies heard within 10 s of each other: `t` is when it was heard first, `copies` how often
    start : time of the first message of a feed without times; int µs since 1970 UTC
    clock : "base": base stations set the time of messages that have none
    threads : how many read side by side; the result does not depend on it

    Returns
    -------
    Fixes
        In the order of the source, with `static` reports and `counts` of what was not used. More columns are `station`
        (uint32, a key of `station_names`; 0 unknown), and with `fold` `copies` (uint16: how often it was heard) and
        `stations` (uint16: by how many). With `messages`, `ais.messages.Messages`.

    Raises
    ------
    InputError
        For a file that cannot be read.
    UsageError
        For a policy, a clock or a number of threads that does not exist.

    Examples
    --------
    >>> fixes = decode(b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\\n")
    >>> fixes["mmsi"].tolist(), fixes["lat"].round(6).tolist(), fixes.counts
    ([227006760], [49.475577], {})
    """
    decoder = Decoder(policy, fold=fold, start=_microseconds(start), clock=clock, threads=threads)
    pieces = pieces_of(source, CHUNK_BYTES if threads == 1 else AHEAD_BYTES)
    return decode_messages(decoder, pieces) if messages else decode_reports(decoder, pieces, _expected_fixes(source))


def decode_one(*sentences: bytes | str, policy: str = "strict") -> Message:
    """The one message that a sentence, or the parts of a message, hold.

    Raises
    ------
    InputError
        If they hold none, or more than one; it says why.

    Examples
    --------
    >>> message = decode_one("!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23")
    >>> message.mmsi, message.sog, message.heading, message.asdict()["nav_status"]
    (227006760, 0.0, None, 0)
    """
    if len(sentences) == 1:
        data = _as_bytes(sentences[0]) + b"\n"
        usual = _usual(policy)
        message = usual.one(data)
        if message is not None:
            return message
        n, why = usual.why_none(data)
    else:
        data = b"\n".join(map(_as_bytes, sentences)) + b"\n"
        decoder = Decoder(policy)
        found = joined([decoder.feed(data), decoder.flush()])
        if len(found) == 1:
            return found[0]
        why, n = ", ".join(decoder.counts), len(found)
    shown = data[:90].decode("latin-1").strip()
    if n > 1:
        raise InputError(f"{shown!r}: holds {n} messages; use decode() for more than one")
    raise InputError(
        f"{shown!r}: no message ({why or 'nothing in it'}); policy='flag' shows what can be read of a doubtful one"
    )


AHEAD_BYTES = 16 << 20
"""What is read at once for several threads, which run ahead in it but not beyond."""
LINES_OF_ONE = 500
"""After so many sentences `decode_one` takes a new decoder, whose table of stations is empty again."""
_LOCAL = threading.local()


def _usual(policy: str) -> Decoder:
    """A decoder that this thread uses again and again: a new one takes ten times as long as one sentence."""
    decoders: dict[str, Decoder] | None = getattr(_LOCAL, "decoders", None)
    if decoders is None:
        decoders = _LOCAL.decoders = {}
        _LOCAL.left = LINES_OF_ONE
    decoder = decoders.get(policy)
    _LOCAL.left -= 1
    if decoder is None or _LOCAL.left < 0:
        _LOCAL.left = LINES_OF_ONE
        decoder = decoders[policy] = Decoder(policy)
    return decoder


def _as_bytes(text: bytes | str) -> bytes:
    return text.encode("latin-1", "replace") if isinstance(text, str) else bytes(text)


def _microseconds(start: datetime | int | None) -> int | None:
    """A start as µs since 1970 UTC; a datetime without a zone is UTC."""
    if start is None or isinstance(start, int | np.integer):
        return None if start is None else int(start)
    if not isinstance(start, datetime):
        raise UsageError(f"start must be a datetime, or int µs since 1970 UTC, not {type(start).__name__}")
    aware = start if start.tzinfo else start.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _expected_fixes(source: Any) -> int:
    """Room for the fixes of a source: a sentence has about 50 bytes; what is not used costs no memory."""
    if isinstance(source, bytes | bytearray | memoryview):
        return len(source) // 44
    path = Path(source) if isinstance(source, str | Path) else None
    return path.stat().st_size // 44 if path is not None and path.is_file() else 0


def pieces_of(source: Any, size: int = CHUNK_BYTES) -> Iterator[Piece]:
    """Whole lines of a source in buffers of `size` bytes."""
    if isinstance(source, str | Path | Reader):
        for chunk in chunks(source, size):
            yield chunk.data, chunk.n, chunk.offset, chunk.long_lines
        return
    pieces: Any = [source] if isinstance(source, bytes | bytearray | memoryview) else source
    for chunk in chunks(Reader("pieces", io.BufferedReader(_Pieces(iter(pieces)), 1 << 16)), size):
        yield chunk.data, chunk.n, chunk.offset, chunk.long_lines


class _Pieces(io.RawIOBase):
    """Pieces of a text as a file; a text (str) without a line end is a line."""

    def __init__(self, pieces: Iterator[bytes | str]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            line_end = b"\n" if isinstance(piece, str) and not piece.endswith("\n") else b""
            self._rest = memoryview(_as_bytes(piece) + line_end)
        n = min(len(buffer), len(self._rest))
        buffer[:n] = self._rest[:n]
        self._rest = self._rest[n:]
        return n


def decode_reports(decoder: Decoder, pieces: Iterable[Piece], room: int = 0) -> Fixes:
    """Positions and static reports of a feed, in its order."""
    found = FixColumns(room)
    statics: list[dict[str, NDArray[Any]]] = []
    long_lines = 0
    for buf, n, offset, left_out in pieces:
        statics.append(decoder.reports(buf, n, offset, found))
        long_lines += left_out
    statics.append(decoder.flush_reports(found))
    columns = found.columns()
    columns["station"] = found.stations
    if decoder.folds:
        columns["copies"], columns["t"] = decoder.copies.of(found.numbers, columns["t"])
        columns["stations"] = decoder.copies.stations(found.numbers, found.stations)
    counts = Counter(decoder.counts)
    counts[STATUS[LINE_TOO_LONG]] += long_lines
    static = {name: np.concatenate([piece[name] for piece in statics]) for name in statics[0]}
    fixes = Fixes(columns, Static(static), counts=+counts)
    fixes.station_names = decoder.stations
    return fixes


def decode_messages(decoder: Decoder, pieces: Iterable[Piece]) -> Messages:
    """Messages of a feed, in its order."""
    found = [decoder.decode(buf, n, offset) for buf, n, offset, _ in pieces]
    found.append(decoder.flush())
    return joined(found)
