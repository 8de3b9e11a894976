"""Rows as `luxwake decode` writes them: sentinels as null, codes as words, a packed time as its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from ais.status import STATUS
from ais.table import FIX_DTYPES, NAV_STATUS_UNKNOWN, STATIC_DTYPES, Table, columns_of

Columns = dict[str, NDArray[Any]]
AnyRows = TypeVar("AnyRows", bound=Table)

CHANNELS = tuple(chr(code) if 32 < code < 127 else "" for code in range(128))
"""The text of each channel code; a sentence without a channel has code 0."""


_LOW = np.uint32(0xFFFF)


class StationNames:
    """Names of stations by hash, for columns of them.

    A table by the lower 16 bits of the hash has all stations but those whose place is taken: 2 ns a row, where
    `np.unique` of every piece took 53.

    >>> names = StationNames({0x20001: "one"})
    >>> [names.of(np.array([0x20001, 0, 0x30001], np.uint32)).tolist() for _ in range(2)]
    [[b'one', b'', b'00030001'], [b'one', b'', b'00030001']]
    """

    def __init__(self, names: Mapping[int, str]) -> None:
        self._names = names
        self._places = np.zeros(1 << 16, np.uint16)
        self._hashes = np.zeros(1, np.uint32)  # the first stands for no station
        self._texts = np.zeros(1, "S1")

    def of(self, hashes: NDArray[np.uint32]) -> NDArray[np.bytes_]:
        """The name of each; empty for 0, and a hash without a name in hexadecimal."""
        places = self._places[hashes & _LOW]
        texts: NDArray[np.bytes_] = self._texts[places]
        rest = np.flatnonzero(self._hashes[places] != hashes)
        if rest.size:
            found, numbers = np.unique(hashes[rest], return_inverse=True)
            named = np.array([(self._names.get(one) or f"{one:08x}").encode() for one in found.tolist()], "S")
            texts = texts.astype(np.result_type(texts, named))
            texts[rest] = named[numbers]
            self._keep(found, named)
        return texts

    def _keep(self, hashes: NDArray[np.uint32], texts: NDArray[np.bytes_]) -> None:
        """Put names into the table where their place is free."""
        _, firsts = np.unique(hashes & _LOW, return_index=True)
        kept = firsts[self._places[hashes[firsts] & _LOW] == 0]
        self._places[hashes[kept] & _LOW] = np.arange(self._hashes.size, self._hashes.size + kept.size)
        self._hashes = np.concatenate([self._hashes, hashes[kept]])
        self._texts = np.concatenate([self._texts, texts[kept]])


class FixRows(Table):
    """Fixes as they are written: times, sentinels as null, and words for the codes of channel, source and status."""

    order: ClassVar[tuple[str, ...]] = (
        "t", "mmsi", "lat", "lon", "sog", "cog", "heading", "nav_status", "msg_type", "channel", "station", "source",
        "offset", "status", "copies", "stations",
    )  # fmt: skip
    nulls: ClassVar[Mapping[str, int]] = {"nav_status": NAV_STATUS_UNKNOWN}
    words: ClassVar[Mapping[str, tuple[str, ...]]] = {"channel": CHANNELS, "status": STATUS}

    @classmethod
    def of(cls, columns: Columns, names: tuple[str, ...] = (), source: int = 0) -> FixRows:
        """Rows of one source from the columns of a decoder or a reader; `names` are those of all sources.

        What the columns lack is not available, and each fix was heard once.
        """
        n = len(columns["t"])
        heard = {"copies": np.ones(n, np.uint16), "station": np.zeros(n, "S1"), "stations": np.zeros(n, np.uint16)}
        given = columns_of(FIX_DTYPES, n) | heard | columns
        given["source"] = np.full(n, source, np.uint16)
        return _naming_sources(cls({name: given[name] for name in cls.order}), names)


class StaticRows(Table):
    """Static reports as they are written: the packed ETA as its four parts, which a ship sends without a year."""

    nulls: ClassVar[Mapping[str, int]] = {
        "imo": 0, "ship_type": 0, "to_bow": 0, "to_stern": 0,
        "eta_month": 0, "eta_day": 0, "eta_hour": 24, "eta_minute": 60,
    }  # fmt: skip

    @classmethod
    def of(cls, columns: Columns, names: tuple[str, ...] = (), source: int = 0) -> StaticRows:
        """Rows of one source from the columns of a decoder or a reader; `names` are those of all sources.

        >>> rows = StaticRows.of(columns_of(STATIC_DTYPES, 1) | {"eta": np.array([10 << 16 | 5 << 11 | 12 << 6 | 60])})
        >>> [int(rows[f"eta_{part}"][0]) for part in ("month", "day", "hour", "minute")]
        [10, 5, 12, 60]
        """
        eta = columns["eta"].astype(np.int64)
        parts = {"month": eta >> 16, "day": eta >> 11 & 31, "hour": eta >> 6 & 31, "minute": eta & 63}
        unknown = {
            "month": parts["month"] > 12,
            "hour": (parts["hour"] > 23) | (eta == 0),
            "minute": parts["minute"] > 59,
        }
        unknown["minute"] |= eta == 0
        for part, absent in (("month", 0), ("hour", 24), ("minute", 60)):
            parts[part] = np.where(unknown[part], absent, parts[part])
        made: Columns = {}
        for name in STATIC_DTYPES:
            if name == "eta":
                made |= {f"eta_{part}": values.astype(np.uint8) for part, values in parts.items()}
            else:
                made[name] = columns[name]
        made["source"] = np.full(len(eta), source, np.uint16)
        return _naming_sources(cls(made), names)


def _naming_sources(rows: AnyRows, names: tuple[str, ...]) -> AnyRows:
    """Let the codes of `source` be written as the names that the user gave; they differ from run to run."""
    vars(rows)["words"] = {**rows.words, "source": names}
    return rows
