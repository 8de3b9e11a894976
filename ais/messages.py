"""Messages of a feed as one value: records and bits, from which columns, tables and single messages are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ais.message import Message
from ais.records import MESSAGE
from ais.status import REASONS
from ais.table import NAT
from geo.kernel import for_kernels, records

if TYPE_CHECKING:
    from ais.table import Table

SPARE_WORDS = 8
"""Words that must follow those of the last message: kernels read first and look at `n_bits` then."""
_NAMES = MESSAGE.names or ()
_T, _OFFSET, _STATION, _N_BITS, _WORDS, _TALKER, _CHANNEL, _STATUS = (
    _NAMES.index(name) for name in ("t", "offset", "station", "n_bits", "words", "talker", "channel", "status")
)


def message_at(record: tuple[Any, ...], words: NDArray[np.uint64], stations: Mapping[int, str]) -> Message:
    """One message from its record and the words of all."""
    first, n_bits = record[_WORDS], record[_N_BITS]
    payload = 0
    for word in words[first : first + (n_bits + 47) // 48].tolist():
        payload = payload << 48 | word
    t, channel, station, talker = record[_T], record[_CHANNEL], record[_STATION], record[_TALKER]
    return Message(
        payload >> -n_bits % 48,
        n_bits,
        t=None if t == NAT else t,
        offset=record[_OFFSET],
        channel=chr(channel) if channel else "",
        station=stations.get(station, f"{station:08x}") if station else "",
        talker=chr(talker >> 8) + chr(talker & 255),
        status=record[_STATUS],
    )


class Stations(Mapping[int, str]):
    """Names of stations by the hash of the name."""

    def __init__(self, tables: list[NDArray[Any]]) -> None:
        self._tables = tables

    def __getitem__(self, key: int) -> str:
        for table in self._tables:
            for probe in range(8):
                name = table[(key + probe) % len(table)]
                if name["hash"] == key and key:
                    return bytes(name["text"][: name["length"]]).decode("latin-1")
        raise KeyError(key)

    def __iter__(self) -> Iterator[int]:
        found = {int(key): None for table in self._tables for key in table["hash"][table["hash"] != 0]}
        return iter(found)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def heard(self) -> dict[str, int]:
        """Tag blocks and suffixes by the name of the station."""
        total: dict[str, int] = {}
        for key in self:
            total[self[key]] = sum(int(table["count"][table["hash"] == key].sum()) for table in self._tables)
        return total


class Messages:
    """Whole messages in the order in which they became whole.

    Attributes
    ----------
    records : (n,) of `ais.records.MESSAGE`
    words : uint64, the bits of all messages, 48 in each
    stations : names of the stations by the hash that stands in the column `station`

    Examples
    --------
    >>> from ais.decode import Decoder
    >>> messages = Decoder().feed(b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\\n")
    >>> len(messages), messages[0].mmsi, round(messages[0].lat, 6), messages[0].heading
    (1, 227006760, 49.475577, None)
    """

    __slots__ = ("records", "stations", "words")

    def __init__(self, messages: NDArray[Any], words: NDArray[np.uint64], stations: Mapping[int, str]) -> None:
        self.records = messages
        self.words = words
        self.stations = stations

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> Message:
        return message_at(self.records[index].item(), self.words, self.stations)

    def __iter__(self) -> Iterator[Message]:
        return (self[index] for index in range(len(self)))

    def __repr__(self) -> str:
        return f"<Messages: {len(self):,}>"

    def fixes(self) -> dict[str, NDArray[Any]]:
        """The positions among the messages as columns (see `ais.table.FIX_DTYPES`)."""
        from ais.reports import FixColumns

        found = FixColumns(len(self))
        found.append(for_kernels(self.records), len(self), self.words, np.zeros((REASONS, 3), np.int64))
        return found.columns()

    def static(self) -> dict[str, NDArray[Any]]:
        """The static reports among the messages as columns (see `ais.table.STATIC_DTYPES`).

        Each part of type 24 stands for itself: the part that completes it may be in another piece of the feed.
        `decode` merges them.
        """
        from ais.statics import HALF, STATIC_ROW, static_columns, write_statics

        rows, halves = records(STATIC_ROW, len(self) + 1), records(HALF, 0)
        tally = np.zeros((REASONS, 3), np.int64)
        _, n = write_statics(for_kernels(self.records), 0, len(self), self.words, halves, rows, 0, tally)
        return static_columns([rows[:n]])

    def tables(self) -> dict[str, Table]:
        """Every message with all its fields: a table for each layout that occurs."""
        from ais.columns import tables

        return tables(self.records, self.words)

    def take(self, rows: NDArray[Any] | slice) -> Messages:
        """The given messages (indices, mask or slice)."""
        return Messages(self.records[rows], self.words, self.stations)


def joined(pieces: list[Messages]) -> Messages:
    """Pieces of one feed as one."""
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return Messages(np.zeros(0, MESSAGE), np.zeros(SPARE_WORDS, np.uint64), {})
    found = np.concatenate([piece.records for piece in pieces])
    begin = row = 0
    for piece in pieces:
        found["words"][row : row + len(piece)] += np.uint32(begin)
        row, begin = row + len(piece), begin + piece.words.size
    return Messages(found, np.concatenate([piece.words for piece in pieces]), pieces[-1].stations)
