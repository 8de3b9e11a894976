"""Events of identity as records: what they have in common, and values that a ship said for some time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.table import Table
from detectors.event import IDENTITY, blank, label_code
from detectors.said import Said

FACTS = (
    "reports_before", "reports_after", "returns", "value_before", "value_after", "beam_before_m", "beam_after_m",
    "likelihood_ratio", "chance", "imo", "fields_compared", "fields_differ",
)  # fmt: skip
"""Reports of the old and the new value (of both ships of a pair); how often values came and went; the values where they
are numbers (length in m, ship type, IMO number, first three digits of an MMSI); see `detectors.identity`."""
HALF_SURE = 3.0
"""Reports at which a value counts half: one more than noise makes."""


def told(n: Any) -> Any:
    """How well a value is attested by so many reports, 0 to 1: n / (n + 3).

    >>> told(3), round(told(60), 2)
    (0.5, 0.95)
    """
    return n / (n + HALF_SURE)


def put(event: Any, **facts: float) -> None:
    """Write facts by their names."""
    for name, value in facts.items():
        event["facts"][FACTS.index(name)] = value


def unique_events(events: NDArray[Any]) -> NDArray[Any]:
    """Of events that would have one id, the one with the greatest score."""
    names = ("kind", "label", "mmsi", "hull", "other", "other_hull", "t_start")
    order = np.lexsort((-events["score"], *(events[name] for name in names)))
    events = events[order]
    same = np.ones(max(events.size - 1, 0), np.bool_)
    for name in names:
        same &= events[name][1:] == events[name][:-1]
    return events[np.append(True, ~same)] if events.size else events


class Spans(NamedTuple):
    """Values that ships said for some time, one row for each ship and value: reports, first and last time, and the rows
    of the intervals at both ends."""

    mmsi: NDArray[np.uint32]
    value: NDArray[np.int64]
    n: NDArray[np.int64]
    t_first: NDArray[np.int64]
    t_last: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    def take(self, rows: NDArray[Any] | slice) -> Spans:
        """Some of the rows."""
        columns: list[Any] = [column[rows] for column in self]
        return Spans(*columns)


def spans(said: Said, value: NDArray[np.int64], rows: NDArray[np.int64], least: tuple[int, int]) -> Spans:
    """The values of some intervals by ship, less those said in fewer reports, or for less time in µs, than `least`."""
    rows = rows[np.lexsort((said.t_from[rows], value[rows], said.mmsi[rows]))]
    mmsi, value = said.mmsi[rows], value[rows]
    new = np.append(True, (mmsi[1:] != mmsi[:-1]) | (value[1:] != value[:-1])) if rows.size else np.zeros(0, np.bool_)
    begin = np.flatnonzero(new)
    if not begin.size:
        nothing = np.zeros(0, np.int64)
        return Spans(np.zeros(0, np.uint32), nothing, nothing, nothing, nothing, nothing, nothing)
    n, until = np.add.reduceat(said.n[rows], begin), np.maximum.reduceat(said.until[rows], begin)
    ends = np.append(begin[1:], rows.size) - 1
    start = said.t_from[rows[begin]]
    long = (n >= least[0]) & (until - start >= least[1])
    found = Spans(mmsi[begin], value[begin], n, start, until, rows[begin], rows[ends])
    return found.take(long)


def of_spans(label: str, found: Spans, identity: Table) -> NDArray[Any]:
    """Events for values that a ship said, from the first report to the last."""
    events = blank(found.mmsi.size, IDENTITY)
    events["label"], events["mmsi"] = label_code(label), found.mmsi
    events["t_start"], events["t_end"], events["n"] = found.t_first, found.t_last, np.minimum(found.n, 2**31 - 1)
    events["score"] = told(found.n)
    events["first_source"], events["first_offset"] = _at(identity, found.first, "source", "first_offset")
    events["last_source"], events["last_offset"] = _at(identity, found.last, "last_source", "last_offset")
    events["facts"][:, FACTS.index("reports_after")] = found.n
    return events


def _at(identity: Table, rows: NDArray[np.int64], *names: str) -> tuple[NDArray[Any], ...]:
    return tuple(identity[name][rows] for name in names)
