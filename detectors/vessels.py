"""What is known of each hull at the end: when it was heard, how fast it goes, and what it said of itself."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ais.hulls import believed_fixes, speed_quantile_kn
from ais.identity import Identities
from ais.table import Table
from geo.steps import STEPS_PER_DEG


class Vessels(Table):
    """One row per hull: first and last position, `sog_p95` in knots, lengths and draughts in metres, texts as last
    sent."""

    times: ClassVar[tuple[str, ...]] = ("t_first", "t_last")
    nulls = {"imo": 0, "ship_type": 0}  # noqa: RUF012 - as declared on Table


def vessels(hulls: NDArray[Any], identity: Identities) -> Vessels:
    """The table of the hulls that are believed (records of `ais.hulls.HULL`), ordered by MMSI and hull."""
    fixes = believed_fixes(hulls)
    rows = np.flatnonzero(fixes)
    rows = rows[np.lexsort((hulls["hull"][rows], hulls["mmsi"][rows]))]
    n = rows.size
    columns: dict[str, NDArray[Any]] = {name: hulls[name][rows] for name in ("mmsi", "hull")}
    columns["n"] = fixes[rows]
    for name in ("lat", "lon"):
        columns[f"{name}_first"] = hulls[f"{name}_first"][rows]
        columns[f"{name}_last"] = (hulls[name][rows] / STEPS_PER_DEG).astype(np.float32)
    columns["t_first"], columns["t_last"] = hulls["t_first"][rows], hulls["t"][rows]
    columns["sog_p95"] = speed_quantile_kn(hulls["speeds"][rows], 0.95)
    last = np.full(n, -1)
    draught_min, draught_max = np.full(n, np.nan, np.float32), np.full(n, np.nan, np.float32)
    if len(identity) and n:
        known = identity["mmsi"]
        end = np.searchsorted(known, columns["mmsi"], side="right")
        last = np.where(end > np.searchsorted(known, columns["mmsi"]), end - 1, -1)
        own = np.flatnonzero(np.append(True, known[1:] != known[:-1]))
        ship = np.searchsorted(own, last[last >= 0], side="right") - 1
        draught_min[last >= 0] = np.fmin.reduceat(identity["draught"], own)[ship]
        draught_max[last >= 0] = np.fmax.reduceat(identity["draught"], own)[ship]
    for name in ("name", "imo", "callsign", "ship_type"):
        source = identity[name]
        columns[name] = (
            np.where(last >= 0, source[last], np.zeros((), source.dtype)) if source.size else np.zeros(n, source.dtype)
        )
    for name, parts in (("length_m", ("to_bow", "to_stern")), ("beam_m", ("to_port", "to_starboard"))):
        total = sum(identity[part].astype(np.float32) for part in parts)
        metres = np.where(last >= 0, np.asarray(total)[last], 0.0) if len(identity) else np.zeros(n)
        columns[name] = np.where(metres > 0, metres, np.nan).astype(np.float32)
    columns["draught_min"], columns["draught_max"] = draught_min, draught_max
    return Vessels(columns)
