"""Lines of JSON to fixes: the messages of aisstream.io, and the other forms that `lw.read` knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.csv_fields import NOT_AVAILABLE
from ais.json_forms import JSON_FORMATS, Object, form_of
from ais.json_rows import OTHER_FORM, UNREADABLE, JsonReader
from ais.json_text import objects_of
from ais.status import LINE_TOO_LONG, STATUS, TIME_OUT_OF_RANGE
from ais.table import NAT, STATIC_DTYPES, Fixes, Static
from ais.tags import T_MIN_US
from luxwake.daemon.parsing import AHEAD_US

LONGEST_LINE = 64 << 10
"""Bytes; a message of aisstream.io has under 2,000."""
KEPT_REPORTS = 1 << 17
"""Static reports that are kept to tell a change: a day of the whole world has some 100,000 vessels."""
SPREAD = 2_654_435_761  # 2**32 over the golden ratio (Knuth)
_NOT_SAID = ("t", "offset", "source")
_REASONS = (STATUS[LINE_TOO_LONG], UNREADABLE, OTHER_FORM, STATUS[TIME_OUT_OF_RANGE])
Columns = dict[str, NDArray[Any]]


def _is_of_a_message(why: str) -> bool:
    return why.endswith(NOT_AVAILABLE) or why == STATUS[TIME_OUT_OF_RANGE]


class JsonParser:
    """JSON, an object or an array of objects a line; the first object that is of a known form tells which.

    A row without a time has that of its arrival, and so has one whose time is before 2000 or `AHEAD_US` after it: these
    are counted. Static reports are given where a vessel's values change.

    >>> parser = JsonParser()
    >>> row = b'{"MMSI":671999101,"TIMESTAMP":"2024-01-01 00:00:00 UTC","LATITUDE":1.5,"LONGITUDE":2.5}'
    >>> t = 1_704_067_201_000_000
    >>> len(parser.feed(row, t)), parser.feed(b"\\n{}\\n", t)["lat"].tolist(), parser.heard, parser.rejected
    (0, [1.5], 2, {'JSON object of another form': 1})
    """

    def __init__(self) -> None:
        self._reader: JsonReader | None = None
        self._counts: Counter[str] = Counter()
        self._before = 0
        self._rest = b""
        self._skipping = False
        self._offset = 0
        self._kept = np.zeros(KEPT_REPORTS, np.int64)

    @property
    def heard(self) -> int:
        """Objects and other texts so far, sound or not."""
        return self._before + (self._reader.objects if self._reader is not None else 0)

    @property
    def decoded(self) -> int:
        """Of these what was of use."""
        return max(0, self.heard - sum(self.rejected.values()))

    @property
    def joined(self) -> int:
        """No message is in several objects."""
        return 0

    @property
    def rejected(self) -> dict[str, int]:
        """Objects and lines that were not used so far, by reason."""
        return {why: n for why, n in self._tally().items() if not _is_of_a_message(why)}

    @property
    def unused(self) -> dict[str, int]:
        """What of the others was not used or not believed, by reason."""
        return {why: n for why, n in self._tally().items() if _is_of_a_message(why)}

    def _tally(self) -> Counter[str]:
        return +(self._counts + Counter(self._reader.counts if self._reader is not None else {}))

    def feed(self, data: bytes, t: int) -> Fixes:
        """What these bytes say, which follow the ones before and came at `t`, in µs."""
        made = list(self._objects(data))
        if self._reader is None:
            made = self._from_the_first_known(made)
        if self._reader is None:
            return Fixes({})
        self._reader.arrival = str(t)
        fixes = _joined(list(self._reader.read(made)))
        fixes.static = self._changes(fixes.static)
        return self._believed(fixes, t)

    def _objects(self, data: bytes) -> Iterator[tuple[int, Object | str]]:
        """(byte offset, object) of those in the lines that end here; a line that is too long is counted."""
        start = 0
        if self._skipping:
            start = data.find(b"\n") + 1
            self._offset += start or len(data)
            if not start:
                return
            self._skipping = False
        *lines, rest = (self._rest + data[start:]).split(b"\n")
        self._rest = b""
        for line in lines:
            if len(line) > LONGEST_LINE:
                self._counts[_REASONS[0]] += 1
            elif not line.isspace():
                text = line.decode("utf-8", "surrogateescape")
                for place, made in objects_of(text):
                    before = place if line.isascii() else len(text[:place].encode("utf-8", "surrogateescape"))
                    yield self._offset + before, made
            self._offset += len(line) + 1
        if len(rest) > LONGEST_LINE:
            self._counts[_REASONS[0]] += 1
            self._offset += len(rest)
            self._skipping, rest = True, b""
        self._rest = rest

    def _from_the_first_known(self, made: list[tuple[int, Object | str]]) -> list[tuple[int, Object | str]]:
        """Those from the first object of a known form on; the others are counted."""
        for k, (_, one) in enumerate(made):
            if isinstance(one, dict) and (form := form_of(one)):
                self._reader = JsonReader(form)
                return made[k:]
            self._before += 1
            self._counts[OTHER_FORM if isinstance(one, dict) else UNREADABLE] += 1
        return []

    def _believed(self, fixes: Fixes, t: int) -> Fixes:
        """The same, with the time of arrival where there is none that can be believed."""
        for times in (fixes["t"], fixes.static["t"]):
            wrong = (times < T_MIN_US) | (times >= t + AHEAD_US)
            self._counts[_REASONS[3]] += int(np.count_nonzero(wrong & (times != NAT)))
            times[wrong] = t
        return fixes

    def _changes(self, static: Static) -> Static:
        """The static reports that say something else than the one before of the same vessel."""
        said = np.rec.fromarrays([static[name] for name in STATIC_DTYPES if name not in _NOT_SAID])
        changed = np.zeros(len(static), bool)
        for k, mmsi in enumerate(static["mmsi"].tolist()):
            slot = mmsi * SPREAD % (1 << 32) * KEPT_REPORTS >> 32
            value = int.from_bytes(blake2b(said[k].tobytes(), digest_size=8).digest(), "little", signed=True)
            changed[k] = self._kept[slot] != value
            self._kept[slot] = value
        return static if changed.all() else static.take(changed)

    def state(self) -> Columns:
        """All that it knows, as a copy."""
        form = -1 if self._reader is None else JSON_FORMATS.index(self._reader.form)
        counts = [self._counts[reason] for reason in _REASONS]
        state: Columns = {
            "numbers": np.array([form, self._before, self._skipping, self._offset, *counts], np.int64),
            "rest": np.frombuffer(self._rest, np.uint8).copy(),
            "kept": np.stack([places := np.flatnonzero(self._kept), self._kept[places]]),
        }
        if self._reader is not None:
            state |= {f"reader.{name}": array for name, array in self._reader.state().items()}
        return state

    def resume(self, state: Columns) -> None:
        """Go on from a state."""
        form, self._before, self._skipping, self._offset, *counts = state["numbers"].tolist()
        self._skipping, self._rest = bool(self._skipping), state["rest"].tobytes()
        self._counts = Counter(dict(zip(_REASONS, counts, strict=True)))
        self._kept[:] = 0
        self._kept[state["kept"][0]] = state["kept"][1]
        self._reader = None
        if form >= 0:
            self._reader = JsonReader(JSON_FORMATS[form])
            prefix = "reader."
            self._reader.resume(
                {name.removeprefix(prefix): at for name, at in state.items() if name.startswith(prefix)}
            )


def _joined(blocks: list[tuple[Columns, Columns]]) -> Fixes:
    """Blocks of fixes and of static rows as one, in the order of the lines, however they came in blocks."""
    tables = [Fixes(fixes, Static(static)) for fixes, static in blocks]
    if len(tables) == 1:
        return tables[0]
    if not tables:
        return Fixes({})
    columns = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    static = {name: np.concatenate([table.static[name] for table in tables]) for name in tables[0].static}
    fixes, reports = Fixes(columns), Static(static)
    fixes = fixes.take(np.argsort(fixes["offset"], kind="stable"))
    fixes.static = reports.take(np.argsort(reports["offset"], kind="stable"))
    return fixes
