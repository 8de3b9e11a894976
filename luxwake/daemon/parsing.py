"""Bytes of a source to fixes: one parser a source, whose state is kept in the checkpoint."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ais.decode import Decoder
from ais.reports import FixColumns
from ais.status import REJECTED, STATUS
from ais.table import NAT, Fixes, Static
from luxwake.daemon.config import SourceConfig

State = dict[str, NDArray[Any]]
_REJECTED = {STATUS[code] for code in REJECTED}

AHEAD_US = 60_000_000
"""A time that is a minute ahead of its arrival is not believed, and the arrival stands in its place. Clocks set by GNSS
or NTP are right to a second; one that carries the feed ahead makes late rows of what all other sources say."""


class Parser(Protocol):
    """Bytes in pieces of any size to fixes. What a source says depends on its bytes and on when they came alone."""

    @property
    def heard(self) -> int:
        """Sentences or objects so far, sound or not."""

    @property
    def decoded(self) -> int:
        """Whole messages that came of them: what a watchdog goes by."""

    @property
    def joined(self) -> int:
        """Sentences behind the first of a message: all lines are `decoded`, `joined`, `rejected` or wait for others."""

    @property
    def rejected(self) -> dict[str, int]:
        """Lines, sentences and objects of which no message came, by reason."""

    @property
    def unused(self) -> dict[str, int]:
        """What of messages was not used or not believed, by reason."""

    def feed(self, data: bytes, t: int) -> Fixes:
        """What these bytes say, which follow the ones before and came at `t`, in µs."""

    def state(self) -> State:
        """All that it knows, as a copy."""

    def resume(self, state: State) -> None:
        """Go on from a state."""


class NmeaParser:
    """NMEA sentences; a message without a time that is believed has that of its arrival.

    >>> parser = NmeaParser()
    >>> fixes = parser.feed(b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\\n", 1_700_000_000_000_000)
    >>> fixes["mmsi"].tolist(), fixes["t"].tolist(), parser.decoded
    ([227006760], [1700000000000000], 1)
    """

    def __init__(self) -> None:
        self._decoder = Decoder()

    @property
    def heard(self) -> int:
        """Sentences so far, sound or not."""
        return self._decoder.sentences

    @property
    def decoded(self) -> int:
        """Whole messages so far."""
        return sum(self._decoder.types.values())

    @property
    def joined(self) -> int:
        """Sentences behind the first of a message."""
        return self._decoder.joined

    @property
    def rejected(self) -> dict[str, int]:
        """Lines and sentences of which no message came, by reason."""
        return {why: n for why, n in self._decoder.counts.items() if why in _REJECTED}

    @property
    def unused(self) -> dict[str, int]:
        """What of messages was not used or not believed, by reason."""
        return {why: n for why, n in self._decoder.counts.items() if why not in _REJECTED}

    def feed(self, data: bytes, t: int) -> Fixes:
        """What these bytes say, which follow the ones before and came at `t`, in µs."""
        self._decoder.believe_until(t + AHEAD_US)
        found = FixColumns()
        static = self._decoder.feed_reports(data, found)
        columns = found.columns()
        for times in (columns["t"], static["t"]):
            times[times == NAT] = t
        return Fixes(columns, Static(static))

    def state(self) -> State:
        """All that it knows, as a copy."""
        return self._decoder.state()

    def resume(self, state: State) -> None:
        """Go on from a state."""
        self._decoder.resume(state)


def make_parser(config: SourceConfig) -> Parser:
    """The parser for the format of a source."""
    if config.format == "json":
        from luxwake.daemon.parsing_json import JsonParser

        return JsonParser()
    return NmeaParser()


def numbered(fixes: Fixes, source: int) -> Fixes:
    """The same fixes, said to be of this source."""
    fixes["source"][:] = source
    fixes.static["source"][:] = source
    return fixes


def together(tables: list[Fixes], sources: tuple[str, ...]) -> Fixes:
    """Fixes and static reports of several tables, one after the other."""
    columns = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    static = {name: np.concatenate([table.static[name] for table in tables]) for name in tables[0].static}
    return Fixes(columns, Static(static), sources)
