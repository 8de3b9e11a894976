"""What an input holds, as counts that can be added up: senders, silences, types, places, and what was not used."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.mmsi import MMSI_CLASSES, SHIP, mmsi_class
from ais.table import NAT
from luxwake.density import Density

QUIET_US = 60_000_000
"""A silence is a gap of the feed from here on: a lone class A ship at anchor sends every 3 minutes, a station that
hears several is silent for a minute only when it is off (ITU-R M.1371-5, Annex 1, table 1)."""
USUAL_FACTOR = 20
"""... and only if it is as many times longer than the usual interval, so that a sparse table is not all gaps."""
MAX_GAPS = 10


class Senders:
    """The different numbers that were heard, 4 bytes each."""

    def __init__(self) -> None:
        self._known = np.zeros(0, np.uint32)
        self._new: list[NDArray[np.uint32]] = []

    def add(self, mmsi: NDArray[np.uint32]) -> None:
        """Note numbers, in any order."""
        self._new.append(_distinct(mmsi))
        if sum(map(len, self._new)) > len(self._known) + (1 << 20):
            self.numbers()

    def numbers(self) -> NDArray[np.uint32]:
        """All of them, ascending."""
        if self._new:
            self._known, self._new = _distinct(np.concatenate([self._known, *self._new])), []
        return self._known


def _distinct(numbers: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Each number once, ascending; numpy's own way by hashing takes six times as long."""
    numbers = np.sort(numbers)
    return numbers[np.append(True, numbers[1:] != numbers[:-1])] if len(numbers) else numbers


class Heard:
    """When a feed was heard, as stretches without a silence of a minute, whatever the order of the messages.

    Examples
    --------
    >>> heard = Heard()
    >>> for minute in (0, 90, 30, 31):
    ...     heard.add(np.arange(10) * 6_000_000 + minute * 60_000_000)
    >>> [(begin // 60_000_000, end // 60_000_000) for begin, end in heard.gaps()]
    [(31, 90), (0, 30)]
    """

    def __init__(self) -> None:
        self.messages = 0
        self._begin = np.zeros(0, np.int64)
        self._end = np.zeros(0, np.int64)

    def add(self, t: NDArray[np.int64]) -> None:
        """Note times, µs since 1970 UTC."""
        if len(t):
            self.messages += len(t)
            t = np.sort(t)
            cut = np.flatnonzero(np.diff(t) > QUIET_US)
            self._join(t[np.append(0, cut + 1)], t[np.append(cut, len(t) - 1)])

    def merge(self, other: Heard) -> None:
        """Note the times of another one too."""
        self.messages += other.messages
        self._join(other._begin, other._end)

    def _join(self, begin: NDArray[np.int64], end: NDArray[np.int64]) -> None:
        begin, end = np.append(self._begin, begin), np.append(self._end, end)
        if len(begin):
            order = np.argsort(begin, kind="stable")
            begin, end = begin[order], np.maximum.accumulate(end[order])
            cut = np.flatnonzero(begin[1:] - end[:-1] > QUIET_US)
            self._begin, self._end = begin[np.append(0, cut + 1)], end[np.append(cut, len(end) - 1)]

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last time, µs since 1970 UTC; None where there is no time."""
        return (int(self._begin[0]), int(self._end[-1])) if self.messages else None

    @property
    def usual_us(self) -> float:
        """The usual interval between messages: the mean outside of silences; where most are silences, the median."""
        silences = np.sort(self._begin[1:] - self._end[:-1])
        close = self.messages - 1 - len(silences)
        if len(silences) > close:
            return float(silences[(self.messages - 1) // 2 - close])
        return float((self._end - self._begin).sum()) / max(1, close)

    def gaps(self) -> list[tuple[int, int]]:
        """Silences of the whole feed, longest first: begin and end, µs since 1970 UTC."""
        if not self.messages:
            return []
        begin, end = self._end[:-1], self._begin[1:]
        long = end - begin > max(QUIET_US, USUAL_FACTOR * self.usual_us)
        found = zip(begin[long].tolist(), end[long].tolist(), strict=True)
        return sorted(found, key=lambda gap: (gap[0] - gap[1], gap[0]))


class Rejected(NamedTuple):
    """What was not used for one reason: how often, how many bytes, and the input and the offset of the first.

    `bytes` and `offset` are None for tables: their readers count rows.
    """

    times: int
    bytes: int | None
    source: str
    offset: int | None


@dataclass(slots=True)
class Survey:
    """What one input holds, or all of them together."""

    name: str
    format: str
    bytes: int = 0
    """Of text, unpacked; of JSON and Parquet the size of the file; 0 unknown."""
    sentences: int = 0
    """Sentences seen, sound or not; of a table its rows."""
    messages: int = 0
    """Whole messages, copies included; of a table the rows that could be used."""
    without_position: int = 0
    copies: int = 0
    types: Counter[int] = field(default_factory=Counter)
    talkers: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    stations: Counter[str] = field(default_factory=Counter)
    by_class: Counter[int] = field(default_factory=Counter)
    """Messages by class of the sender (`ais.mmsi.MMSI_CLASSES`)."""
    rejected: dict[str, Rejected] = field(default_factory=dict)
    senders: Senders = field(default_factory=Senders)
    heard: Heard = field(default_factory=Heard)
    density: Density = field(default_factory=Density)

    @property
    def senders_by_class(self) -> dict[str, int]:
        """Different numbers by their class."""
        classes = np.bincount(mmsi_class(self.senders.numbers()), minlength=len(MMSI_CLASSES)).tolist()
        return {word: n for word, n in zip(MMSI_CLASSES, classes, strict=True) if n}

    @property
    def ships(self) -> int:
        """Different numbers of ships."""
        return self.senders_by_class.get(MMSI_CLASSES[SHIP], 0)

    def reject(self, reason: str, one: Rejected) -> None:
        """Count what was not used."""
        before = self.rejected.get(reason)
        if before is not None:
            n_bytes = None if before.bytes is None or one.bytes is None else before.bytes + one.bytes
            first = before if before.offset is not None else one
            one = Rejected(before.times + one.times, n_bytes, first.source, first.offset)
        self.rejected[reason] = one

    def note(self, t: NDArray[np.int64], mmsi: NDArray[np.uint32], channel: NDArray[np.uint8] | None = None) -> None:
        """Count messages or rows; `channel` is None where the input tells none."""
        self.messages += len(mmsi)
        self.heard.add(t[t != NAT])
        self.senders.add(mmsi)
        self.by_class.update(counted_codes(mmsi_class(mmsi)))
        if channel is not None:
            self.channels.update({chr(code) if code else "": n for code, n in counted_codes(channel).items()})

    def add(self, other: Survey) -> None:
        """Count all that another one has counted."""
        for name in ("bytes", "sentences", "messages", "without_position", "copies"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("types", "talkers", "channels", "stations", "by_class"):
            getattr(self, name).update(getattr(other, name))
        for reason, one in other.rejected.items():
            self.reject(reason, one)
        self.senders.add(other.senders.numbers())
        self.heard.merge(other.heard)
        self.density.merge(other.density)

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON can hold it: times in ISO 8601, null for what is not known."""
        span, silences = self.heard.span, self.heard.gaps()
        return {
            "input": self.name,
            "format": self.format,
            "bytes": self.bytes or None,
            "sentences": self.sentences,
            "messages": self.messages,
            "positions": self.density.positions,
            "without_position": self.without_position,
            "t_first": None if span is None else iso(span[0]),
            "t_last": None if span is None else iso(span[1]),
            "without_time": self.messages - self.heard.messages,
            "copies": None if span is None else self.copies,
            "ships": self.ships,
            "senders": self.senders_by_class,
            "messages_by_sender": {MMSI_CLASSES[code]: n for code, n in sorted(self.by_class.items())},
            "types": {str(code): n for code, n in sorted(self.types.items())},
            "talkers": dict(self.talkers.most_common()),
            "channels": dict(self.channels.most_common()),
            "stations": dict(self.stations.most_common()),
            "gaps": len(silences),
            "longest_gaps": [{"t_from": iso(begin), "t_to": iso(end)} for begin, end in silences[:MAX_GAPS]],
            "not_used": {reason: one._asdict() for reason, one in self.rejected.items()},
        }


def iso(t: int) -> str:
    """A time (µs since 1970 UTC) in ISO 8601, to the second.

    >>> iso(1_538_352_000_000_000)
    '2018-10-01T00:00:00Z'
    """
    return f"{np.datetime64(t // 1_000_000, 's')}Z"


def counted_codes(codes: NDArray[Any]) -> dict[int, int]:
    """How often each small number occurs."""
    numbers = np.bincount(codes)
    return {int(code): int(numbers[code]) for code in np.flatnonzero(numbers)}
