"""Static reports to identities: what a ship said of itself, as intervals.

A row of the result holds from `t_from` to `t_to`: the first and the last report with these values. Reports come in
parts (type 24 A has the name, B the call sign and dimensions); a part that says nothing of a field leaves it as it
was.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ais.table import Static, Table

FIELDS = (
    "imo", "callsign", "name", "ship_type", "to_bow", "to_stern", "to_port", "to_starboard", "draught", "destination",
    "eta",
)  # fmt: skip


class Identities(Table):
    """Static reports as intervals, by MMSI and time."""

    times: ClassVar[tuple[str, ...]] = ("t_from", "t_to")
    nulls = Static.nulls


def _same(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray((a == b) | ((a != a) & (b != b)), np.bool_)


def _runs(static: Static) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last row of each run of equal reports of one ship and one message type (24 A and B apart)."""
    part = static["msg_type"].astype(np.int64) * 2 + (static["name"] != b"")
    order = np.lexsort((static["t"], part, static["mmsi"]))
    if order.size == 0:
        return order, order
    same = (np.diff(static["mmsi"][order].astype(np.int64)) == 0) & (np.diff(part[order]) == 0)
    for name in FIELDS:
        column = static[name][order]
        same &= _same(column[1:], column[:-1])
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    ends = np.concatenate([starts[1:], [order.size]]) - 1
    return order[starts], order[ends]


def _says(value: Any) -> bool:
    return bool(value == value and value)


def identities(static: Static) -> Identities:
    """Intervals of unchanged identity from static reports in any order."""
    first, last = _runs(static)
    order = np.lexsort((static["t"][first], static["mmsi"][first])) if first.size else first
    rows: list[dict[str, Any]] = []
    for start, end in zip(first[order], last[order], strict=True):
        said = {name: static[name][start] for name in FIELDS if _says(static[name][start])}
        mmsi, t_from, t_to = int(static["mmsi"][start]), int(static["t"][start]), int(static["t"][end])
        before = rows[-1] if rows and rows[-1]["mmsi"] == mmsi else None
        if before is not None and all(name in before and before[name] == value for name, value in said.items()):
            if t_to > before["t_to"]:
                before |= {
                    "t_to": t_to,
                    "last_offset": int(static["offset"][end]),
                    "last_source": int(static["source"][end]),
                }
            continue
        kept = {name: before[name] for name in FIELDS if name in before} if before is not None else {}
        evidence = {
            "source": int(static["source"][start]),
            "first_offset": int(static["offset"][start]),
            "last_source": int(static["source"][end]),
            "last_offset": int(static["offset"][end]),
        }
        rows.append({**kept, **said, **evidence, "mmsi": mmsi, "t_from": t_from, "t_to": t_to})
    columns: dict[str, NDArray[Any]] = {
        "t_from": np.array([row["t_from"] for row in rows], np.int64),
        "t_to": np.array([row["t_to"] for row in rows], np.int64),
        "mmsi": np.array([row["mmsi"] for row in rows], np.uint32),
    }
    for name in FIELDS:
        missing: Any = np.nan if name == "draught" else b"" if static[name].dtype.kind == "S" else 0
        columns[name] = np.array([row.get(name, missing) for row in rows], static[name].dtype)
    for name, dtype in (("source", "u2"), ("first_offset", "i8"), ("last_source", "u2"), ("last_offset", "i8")):
        columns[name] = np.array([row[name] for row in rows], dtype)
    return Identities(columns)
