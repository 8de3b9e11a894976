"""Draught: what a ship says of its draught changes across a stay, a meeting or a silence.

The draught is typed in by hand, often late or never: Jia et al. (2015, 2019) compared it with port records and found it
too poor to tell the cargo of a single ship. So an event is never a proof of cargo work; it carries a likelihood ratio
that is bounded (60 with the defaults) whatever was typed.

The change is the value in force a day after the event, or when the ship's next one begins, less the value in force when
it began; it counts from max(0.3 m, 3 % of the ship's greatest draught) on. Of several events the latest that began
before the new value was sent is taken. With D the greatest draught that the ship said,

    p(change | cargo work) = 0.6 U        U = 2 / D: even over changes of half the draught, up or down
    p(change | none)       = 0.1 (0.9 L + 0.1 U)        L = Laplace of scale 0.2 m: fuel, ballast, trim, rounding

The shares (how often the field is touched at all, with cargo work and without) and the scale are assumptions: no
published measurement was found. Where both partners of a meeting changed, their ratios are multiplied when the signs
are opposite, and divided when they are equal. `score` is ratio / (1 + ratio): even odds before.

The mass is change x length x beam x waterplane coefficient x 1.025 t/m3, the coefficient (1 + 2 Cb) / 3 with a block
coefficient of 0.75 +- 0.10 (Schneekluth and Bertram, Ship Design for Efficiency and Economy, 1998); its error joins
that of the coefficient (8 %), of the box (5 %) and of two readings of 0.1 m.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.table import Table
from detectors.detector import DerivedDetector, Final, Known
from detectors.event import (
    DARK,
    DRAUGHT,
    EVENT,
    GAP,
    LOITERING,
    PORT_CALL,
    RENDEZVOUS,
    WAITING,
    blank,
    joined_events,
    label_code,
    with_fields,
)
from detectors.said import Said, said_of
from geo.errors import UsageError

FACTS = (
    "before_m", "after_m", "delta_m", "likelihood_ratio", "tonnes", "tonnes_error", "across", "told_after_h",
    "partner_delta_m",
)  # fmt: skip
"""`across`: the code of the kind of event; `told_after_h`: from its end to the first report of the new value."""
ACROSS = (RENDEZVOUS, PORT_CALL, DARK, GAP, LOITERING, WAITING)
KEPT = np.dtype([(name, EVENT[name]) for name in ("mmsi", "other", "kind", "t_start", "t_end")])
"""What is kept of a stay that is final."""
MOST_KEPT = 65_536
LOOK_BACK = 4
"""Events of one ship that may lie in each other: a meeting in slow hours in a silence in a wait."""
TOUCHED_CARGO, TOUCHED_NONE, OTHER_CAUSE, SCALE_M = 0.6, 0.1, 0.1, 0.2
SEA_T_M3, WATERPLANE, WATERPLANE_ERROR, BOX_ERROR, READING_M = 1.025, 2.5 / 3.0, 0.08, 0.05, 0.14


@dataclass(frozen=True, slots=True, kw_only=True)
class DraughtParams:
    """Thresholds of changes of draught."""

    min_change_m: float = 0.3
    """Three steps of the field; smaller changes are fuel and trim (Starboard's note on draught names 0.3 m)."""
    min_share: float = 0.03
    """Of the greatest draught: the same for ships of any size."""
    slack_h: float = 24.0
    """The crew sets the new value before the next watch or the next port; after a day it belongs to something else."""
    min_reports: int = 2
    """Reports of a value: one alone may be a slip, or a bit error."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not (self.min_change_m > 0.0 and 0.0 <= self.min_share < 1.0 and self.slack_h >= 0.0):
            raise UsageError(f"draught: min_change_m above 0, min_share 0 to 1, slack_h not negative, not {self}")
        if self.min_reports < 1:
            raise UsageError(f"draught: min_reports must be at least 1, not {self.min_reports}")


def likelihood_ratio(delta_m: Any, greatest_m: Any) -> Any:
    """How much more a change of draught speaks for cargo work than for none.

    >>> [round(float(likelihood_ratio(delta, 8.0)), 1) for delta in (0.2, 0.5, 1.5)]
    [0.9, 3.8, 54.6]
    """
    even = 2.0 / np.maximum(np.asarray(greatest_m, np.float64), 1.0) / 2.0
    small = np.exp(-np.abs(delta_m) / SCALE_M) / (2.0 * SCALE_M)
    return TOUCHED_CARGO * even / (TOUCHED_NONE * ((1.0 - OTHER_CAUSE) * small + OTHER_CAUSE * even))


def tonnes(delta_m: Any, length_m: Any, beam_m: Any) -> tuple[Any, Any]:
    """The mass that a change of draught takes, and its standard error; NaN where the size is not known.

    >>> [round(float(x)) for x in tonnes(0.5, 84.0, 13.0)]
    [466, 138]
    """
    mass = np.asarray(delta_m) * length_m * beam_m * WATERPLANE * SEA_T_M3
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.sqrt((READING_M / np.asarray(delta_m)) ** 2 + WATERPLANE_ERROR**2 + BOX_ERROR**2)
    return mass, np.abs(mass) * share


class _Values:
    """Draughts as values in force: one row where a ship's draught changes, noise left out."""

    def __init__(self, said: Said, identity: Table, min_reports: int) -> None:
        rows = np.flatnonzero(np.nan_to_num(identity["draught"]) > 0.0)
        value, mmsi = np.round(identity["draught"][rows].astype(np.float64), 1), said.mmsi[rows]
        for noise in (True, False):  # once values said once are gone, those around them may be one
            new = np.append(True, (mmsi[1:] != mmsi[:-1]) | (value[1:] != value[:-1]))[: rows.size]
            begin = np.flatnonzero(new)
            n = np.add.reduceat(said.n[rows], begin) if begin.size else begin
            if not noise:
                break
            kept = np.repeat(n >= min_reports, np.diff(np.append(begin, rows.size)))
            rows, value, mmsi = rows[kept], value[kept], mmsi[kept]
        ends = np.append(begin[1:], rows.size)[: begin.size] - 1
        self.mmsi, self.t_from, self.value, self.n = mmsi[begin], said.t_from[rows[begin]], value[begin], n
        self.first, self.last = rows[begin], rows[ends]
        self.key = _keys(self.mmsi, self.t_from)

    def at(self, mmsi: NDArray[np.uint32], t: NDArray[np.int64]) -> NDArray[np.int64]:
        """The row in force of each ship at a time, -1 none."""
        row = np.searchsorted(self.key, _keys(mmsi, t), side="right") - 1
        good = (row >= 0) & (self.mmsi[np.maximum(row, 0)] == mmsi) if self.key.size else row >= 0
        return np.where(good, row, -1)

    def greatest(self, mmsi: NDArray[np.uint32]) -> NDArray[np.float64]:
        """The greatest draught that each ship said."""
        begin = np.flatnonzero(np.append(True, self.mmsi[1:] != self.mmsi[:-1]))
        return np.maximum.reduceat(self.value, begin)[np.searchsorted(self.mmsi[begin], mmsi)]


def _keys(mmsi: NDArray[np.uint32], t: NDArray[np.int64]) -> NDArray[Any]:
    """Ship and time as one number to search in: exact, to the microsecond (a complex number sorts by its parts)."""
    return mmsi.astype(np.float64) + 1j * t.astype(np.float64)


def _lie_within(stays: NDArray[Any], others: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether one of the others, of the same ship, began before each stay."""
    ship, t = (np.concatenate([others[a], others[b]]) for a, b in (("mmsi", "other"), ("t_start", "t_start")))
    order = np.lexsort((t, ship))
    ships, first = np.unique(ship[order], return_index=True)
    found = np.zeros(stays.size, np.bool_)
    for who in ("mmsi", "other") if ships.size else ():
        at = np.minimum(np.searchsorted(ships, stays[who]), ships.size - 1)
        found |= (ships[at] == stays[who]) & (stays[who] > 0) & (t[order][first][at] <= stays["t_start"])
    return found


def _both_partners(events: NDArray[Any]) -> NDArray[Any]:
    """The events across which draught may change, a meeting once for each ship, by ship and start."""
    stays = events[np.isin(events["kind"], ACROSS)]
    meetings = stays[stays["kind"] == RENDEZVOUS].copy()
    for a, b in (("mmsi", "other"), ("hull", "other_hull")):
        meetings[a], meetings[b] = meetings[b].copy(), meetings[a].copy()
    stays = joined_events(stays, meetings)
    rank = np.array([ACROSS.index(kind) for kind in stays["kind"].tolist()], np.int64)
    return stays[np.lexsort((stays["other"], stays["hull"], -rank, stays["t_start"], stays["mmsi"]))]


class Draught(DerivedDetector):
    """Changes of draught across stays, meetings and silences."""

    name = "draught"
    Params = DraughtParams
    kinds = ("draught",)
    facts = FACTS
    needs = ("loitering", "dark", "rendezvous", "port_call")
    keeps = KEPT

    def keep(self, kept: NDArray[Any], final: Final) -> NDArray[Any]:
        """Stays that a new value may still belong to, and those whose value another stay around them would take over.

        No more than `MOST_KEPT`, those that ended last.
        """
        gone, left = (events[np.isin(events["kind"], ACROSS)] for events in final[:2])
        found = joined_events(*(events[events["kind"] == DRAUGHT] for events in final[:2]))
        names = _keys(found["mmsi"], found["t_start"])
        both = np.concatenate([kept, with_fields(np.zeros(gone.size, KEPT), gone)])
        changed = np.arange(both.size) < kept.size
        for who in ("mmsi", "other"):
            changed |= np.isin(_keys(both[who], both["t_start"]), names)
        recent = both["t_end"] + self._slack_us >= final.known.now
        both = both[recent | (changed & _lie_within(both, left))]
        return np.asarray(both[np.argsort(both["t_end"], kind="stable")[-MOST_KEPT:]])

    def derive_each(self, events: NDArray[Any], known: Known) -> NDArray[Any]:
        """One event for each stay, meeting or silence across which a ship's draught changed."""
        kept, identity = self.kept(known), known.identity
        stays = _both_partners(joined_events(events, with_fields(blank(kept.size, DRAUGHT), kept)))
        values = _Values(said_of(identity, known.vessels), identity, self.params.min_reports)
        stays, row = self._changed(stays, values)
        if not stays.size:
            return blank(0, DRAUGHT)
        before, after = values.at(stays["mmsi"], stays["t_start"]), row
        delta = values.value[after] - values.value[before]
        greatest = values.greatest(stays["mmsi"])
        counts = np.abs(delta) >= np.maximum(self.params.min_change_m, self.params.min_share * greatest) - 1e-9
        stays, before, after, delta, greatest = (x[counts] for x in (stays, before, after, delta, greatest))
        found = _records(stays, delta, identity, values, before, after)
        ratio, partner = likelihood_ratio(delta, greatest), _partners(stays, delta)
        rows = {name: k for k, name in enumerate(_names(stays))}
        for k in np.flatnonzero(partner == partner).tolist():
            mmsi, other, t_start = _names(stays[k : k + 1])[0]
            theirs = float(likelihood_ratio(partner[k], greatest[rows[other, mmsi, t_start]]))
            ratio[k] = ratio[k] * theirs if partner[k] * delta[k] < 0.0 else ratio[k] / max(theirs, 1.0)
        found["facts"][:, FACTS.index("likelihood_ratio")] = ratio
        found["facts"][:, FACTS.index("partner_delta_m")] = partner
        found["score"] = ratio / (1.0 + ratio)
        return found

    @property
    def _slack_us(self) -> int:
        return int(self.params.slack_h * 3.6e9)

    def _changed(self, stays: NDArray[Any], values: _Values) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Those stays that a new value belongs to, and the row of the last such value."""
        if not stays.size or not values.key.size:
            return stays[:0], np.zeros(0, np.int64)
        key = _keys(stays["mmsi"], stays["t_start"])
        last: dict[int, int] = {}
        latest = np.searchsorted(key, values.key, side="left") - 1
        new = np.append(False, values.mmsi[1:] == values.mmsi[:-1])
        for row in np.flatnonzero(new).tolist():
            for k in range(int(latest[row]), max(int(latest[row]) - LOOK_BACK, -1), -1):
                if stays["mmsi"][k] != values.mmsi[row]:
                    break
                if stays["t_end"][k] + self._slack_us >= values.t_from[row]:
                    last[k] = row
                    break
        where = np.array(sorted(last), np.int64)
        rows = np.array([last[k] for k in where.tolist()], np.int64)
        known = values.at(stays["mmsi"][where], stays["t_start"][where]) >= 0
        return stays[where[known]], rows[known]


def _names(stays: NDArray[Any]) -> list[tuple[int, int, int]]:
    names = ("mmsi", "other", "t_start")
    return list(zip(*(stays[name].tolist() for name in names), strict=True))


def _partners(stays: NDArray[Any], delta: NDArray[np.float64]) -> NDArray[np.float64]:
    """The change of the partner of each meeting, NaN where there is none."""
    own = {name: float(change) for name, change in zip(_names(stays), delta.tolist(), strict=True)}
    mates = [own.get((o, m, t), math.nan) if o else math.nan for m, o, t in _names(stays)]
    return np.array(mates, np.float64)


def _records(
    stays: NDArray[Any],
    delta: NDArray[np.float64],
    identity: Table,
    values: _Values,
    before: NDArray[np.int64],
    after: NDArray[np.int64],
) -> NDArray[Any]:
    """Events where and when the stays were, with what was said before and after."""
    found = blank(stays.size, DRAUGHT)
    for name in ("mmsi", "hull", "other", "other_hull", "t_start", "t_end", "lat", "lon", "cell", "open", "port"):
        found[name] = stays[name]
    found["label"] = np.where(delta > 0.0, label_code("loaded"), label_code("discharged"))
    old, new = values.last[before], values.first[after]
    found["n"] = np.minimum(values.n[before] + values.n[after], 2**31 - 1)
    found["first_source"], found["first_offset"] = identity["last_source"][old], identity["last_offset"][old]
    found["last_source"], found["last_offset"] = identity["source"][new], identity["first_offset"][new]
    to = {name: identity[name][new].astype(np.float64) for name in ("to_bow", "to_stern", "to_port", "to_starboard")}
    length, beam = to["to_bow"] + to["to_stern"], to["to_port"] + to["to_starboard"]
    mass, error = tonnes(delta, np.where(length > 0, length, np.nan), np.where(beam > 0, beam, np.nan))
    columns = {
        "before_m": values.value[before],
        "after_m": values.value[after],
        "delta_m": delta,
        "tonnes": mass,
        "tonnes_error": error,
        "across": stays["kind"],
        "told_after_h": (values.t_from[after] - stays["t_end"]) / 3.6e9,
    }
    for name, column in columns.items():
        found["facts"][:, FACTS.index(name)] = column
    return found
