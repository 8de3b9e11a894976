"""Dark rendezvous: a meeting that could have taken place while one ship, or both, kept silent.

*One silent*: a ship drifts at a place that a silent ship could have reached and left again within its silence, with at
least `min_together_h` there while the other drifted. *Both silent*: two silences in which both ships could have been at
one place at one time for as long; a *paired silence* when the two begin and end within `paired_s` of each other, which
analysts hold for one of the strongest signs. After the possible rendezvous regions of Sharma et al. (2021) and
Skylight's dark rendezvous, whose makers name many false positives.

That they could is necessary and never proof: the longer a silence, the more ships lie within its reach. So each
candidate is ranked by a misfit in hours (of one silent: the detour over the straight way; of two: the differences of
begin and end, and the time that lies between the places), and the same search is made with the other ships' times
shifted around the time of the input in `controls` equal steps. `chance_rate` is how many partners at least as fitting
the silent ship has in a control, on average (and one more in all controls together, so that it is never none);
`score` = 1 / (1 + chance_rate), the share that a true partner would have among the true and the accidental ones;
`q_value` the share of accidental ones among all candidates with so low a rate (Benjamini and Hochberg 1995). Distances
are great circles first, which are never too long; what is reported holds over water too (`geo.sea_way`). `t_start` to
`t_end` is when they could have been together, `lat`, `lon` where: by the drifting ship, or of two silent ones on the
way between the places where they were last heard.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detectors.detector import DerivedDetector, Known
from detectors.event import DARK, DARK_RENDEZVOUS, EVENT, FACTS, LOITERING, WAITING, joined_events, label_code
from detectors.silent_pairs import HOUR_US, Pairs, Stays, candidates, chance_rates, with_silent
from geo.cells import INDEX_RESOLUTION, cells
from geo.errors import UsageError
from geo.sphere import KN_M_S, NMI_M, distances_m, interpolate

if TYPE_CHECKING:
    from geo.sea_way import Way

MAX_SPEED_KN = 60.0
"""Faster is a wrong reading (`geo.speed`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DarkRendezvousParams:
    """Thresholds of dark rendezvous."""

    min_together_h: float = 1.0
    """Skylight asks for 15 minutes of a ship alone; an hour is the least in which cargo changes ships."""
    paired_s: int = 24 * 3600
    """Analysts' rule of paired silence: both dark within the same 24 h."""
    max_apart_nmi: float = 1_000.0
    """Two ships last heard farther apart than this, three days at 14 kn, are no pair; it bounds the search."""
    default_speed_kn: float = 17.0
    """The 95 % speed of a ship of unknown kind (`geo.speed`), where its own is not known."""
    controls: int = 40
    """Steps of the shift; the least chance rate that they can tell is one in forty."""
    min_score: float = 0.95
    """At most one accidental partner for twenty silent ships: the usual level of 5 %."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not (self.min_together_h > 0 and self.max_apart_nmi > 0 and self.default_speed_kn > 0):
            raise UsageError(f"dark rendezvous: times, distances and speeds must be positive, not {self}")
        if self.controls < 1 or self.paired_s < 0 or not 0.0 <= self.min_score <= 1.0:
            raise UsageError(f"dark rendezvous: controls >= 1, paired_s >= 0 and 0 <= min_score <= 1, not {self}")


class DarkRendezvous(DerivedDetector):
    """Meetings that silence may hide, ranked against what chance would give."""

    name = "dark_rendezvous"
    Params = DarkRendezvousParams
    kinds = ("dark_rendezvous",)
    facts = ("together_h", "misfit_h", "chance_rate", "q_value", "partners")
    label_in_id = True
    needs = ("dark", "loitering")

    def derive(self, events: NDArray[Any], known: Known) -> NDArray[Any]:
        """Dark rendezvous from dark periods, and from ships that loiter or wait."""
        silent = events[events["kind"] == DARK]
        drifting = events[np.isin(events["kind"], (LOITERING, WAITING))]
        if silent.size == 0:
            return np.zeros(0, EVENT)
        both = joined_events(silent, drifting)
        begin, length = int(both["t_start"].min()), max(1, int(both["t_end"].max() - both["t_start"].min()))
        a = self._stays(silent, known)
        made: list[NDArray[Any]] = []
        for other, both_silent in ((drifting, False), (silent, True)):
            b = a if both_silent else self._stays(other, known)
            found = self._candidates(a, b, both_silent)
            controls = self._candidates(a, b.moved(begin, length, self.params.controls), both_silent)
            rates = chance_rates(found, controls, self.params.controls)
            made += self._events(found, rates, (silent, other), a, b if both_silent else None)
        return joined_events(*made)

    def _stays(self, events: NDArray[Any], known: Known) -> Stays:
        """Events with the speed of each ship: its own 95 %, where its moving reports tell it."""
        ships = _ship(known.vessels["mmsi"], known.vessels["hull"])
        order = np.argsort(ships)
        ship = _ship(events["mmsi"], events["hull"])
        at = np.minimum(np.searchsorted(ships, ship, sorter=order), max(0, ships.size - 1))
        own = np.full(ship.size, np.nan)
        if ships.size:
            own = np.where(ships[order[at]] == ship, known.vessels["sog_p95"][order[at]], np.nan)
        speed_kn = np.minimum(np.where(np.isfinite(own), own, self.params.default_speed_kn), MAX_SPEED_KN)
        lat1, lon1 = (np.where(events["open"] > 0, np.nan, events[name]) for name in ("lat_end", "lon_end"))
        m_us = np.asarray(speed_kn * KN_M_S * 1e-6, np.float64)
        lat0, lon0, t0, t1 = (np.ascontiguousarray(events[name]) for name in ("lat", "lon", "t_start", "t_end"))
        return Stays(lat0, lon0, lat1, lon1, t0, t1, m_us, ship)

    def _candidates(self, a: Stays, b: Stays, both_silent: bool) -> Pairs:
        return candidates(a, b, both_silent, self._least_us, self.params.max_apart_nmi * NMI_M)

    @property
    def _least_us(self) -> int:
        return int(self.params.min_together_h * HOUR_US)

    def _events(
        self,
        found: Pairs,
        rates: NDArray[np.float64],
        rows: tuple[NDArray[Any], NDArray[Any]],
        a: Stays,
        b: Stays | None,
    ) -> list[NDArray[Any]]:
        """Candidates that chance explains too rarely, and that hold over water, as events."""
        silent, other = rows
        partners = np.bincount(found.silent, minlength=silent.size)
        keep = 1.0 / (1.0 + rates) >= self.params.min_score
        if b is not None:  # a pair of silences is found from both sides
            keep &= _is_first(silent, found.silent, found.partner)
        q_values, made = _q_values(rates, silent.size), []
        for k in np.flatnonzero(keep).tolist():
            row, partner = int(found.silent[k]), int(found.partner[k])
            window = int(found.t_from[k]), int(found.t_to[k])
            place = self._met_silent(a, row, partner) if b is not None else self._met(a, row, other[partner], window)
            if place is None:
                continue
            event = np.zeros(1, EVENT)
            _write(event[0], silent[row], other[partner], place)
            words = "one_silent" if b is None else self._pairing(silent[row], other[partner])
            event["label"], event["score"] = label_code(words), 1.0 / (1.0 + rates[k])
            facts = ((place[1] - place[0]) / HOUR_US, found.misfit_h[k], rates[k], q_values[k], partners[row])
            event["facts"][0, : len(facts)] = facts
            made.append(event)
        return made

    def _met(self, a: Stays, row: int, other: Any, window: tuple[int, int]) -> tuple[int, int, float, float] | None:
        """When and where a silent ship could have been with a drifting one, over water; None where it could not."""
        place = float(other["lat"]), float(other["lon"])
        m_us, most_us = float(a.m_us[row]), int(a.t1[row] - a.t0[row])
        there, _ = _sea_us((a.lat0[row], a.lon0[row]), place, m_us, most_us)
        back = 0.0 if np.isnan(a.lat1[row]) else _sea_us(place, (a.lat1[row], a.lon1[row]), m_us, most_us)[0]
        if not np.isfinite(there + back):
            return None
        t_from = max(window[0], int(a.t0[row]) + round(there))
        t_to = min(window[1], int(a.t1[row]) - round(back))
        return (t_from, t_to, *place) if t_to - t_from >= self._least_us else None

    def _met_silent(self, a: Stays, row: int, partner: int) -> tuple[int, int, float, float] | None:
        """The same for two silent ships: from when on, and until when, their ways over water are long enough."""
        one, two = a.rows(slice(row, row + 1)), a.rows(slice(partner, partner + 1))
        t_from, t_to, _ = with_silent(a, row, a, partner)
        fast, most_us = float(one.m_us[0] + two.m_us[0]), int(max(one.t1[0] - one.t0[0], two.t1[0] - two.t0[0]))
        begin, way = _sea_us((one.lat0[0], one.lon0[0]), (two.lat0[0], two.lon0[0]), fast, most_us)
        first = max(int(one.t0[0]), int(two.t0[0]))
        grown = ((first - int(one.t0[0])) * float(one.m_us[0]) + (first - int(two.t0[0])) * float(two.m_us[0])) / fast
        if not np.isfinite(begin):
            return None
        start = max(int(t_from), first + round(max(0.0, begin - grown)))
        place = _along(way, float(one.m_us[0]) / fast, (float(one.lat0[0]), float(one.lon0[0])))
        return (start, int(t_to), *place) if int(t_to) - start >= self._least_us else None

    def _pairing(self, one: Any, two: Any) -> str:
        apart = max(abs(int(one["t_start"]) - int(two["t_start"])), abs(int(one["t_end"]) - int(two["t_end"])))
        return "paired_silence" if apart <= self.params.paired_s * 1_000_000 else "both_silent"


def _sea_us(start: tuple[Any, Any], end: tuple[Any, Any], m_us: float, most_us: int) -> tuple[float, Way]:
    """The least time over water between two places, infinite when it is out of reach in `most_us`, and the way."""
    from geo.reach_cells import SHORTENED

    hundreds_nmi = math.ceil(most_us * m_us / NMI_M / SHORTENED / 100.0)
    way = _way(float(start[0]), float(start[1]), float(end[0]), float(end[1]), hundreds_nmi)
    return way.length_nmi * SHORTENED * NMI_M / m_us, way


@lru_cache(maxsize=4096)
def _way(lat0: float, lon0: float, lat1: float, lon1: float, hundreds_nmi: int) -> Way:
    """The way over water, when it is not much longer than that; kept, for a stream asks for it at every step."""
    from geo.sea_way import DM_PER_NMI, SNAP_M, closure, field_from, way_between

    shut = closure(())
    limit_dm = (100.0 * hundreds_nmi + 2.0 * SNAP_M / NMI_M) * DM_PER_NMI
    return way_between(field_from(lat0, lon0, shut, limit_dm, (lat1, lon1)), field_from(lat1, lon1, shut, 0.0), shut)


def _along(way: Way, share: float, start: tuple[float, float]) -> tuple[float, float]:
    """The place at this share of a way's length."""
    if way.lat.size < 2:
        return start
    legs = distances_m(way.lat[:-1], way.lon[:-1], way.lat[1:], way.lon[1:])
    gone = np.concatenate([[0.0], np.cumsum(legs)])
    leg = int(min(np.searchsorted(gone, share * gone[-1], side="right") - 1, legs.size - 1))
    part = (share * gone[-1] - gone[leg]) / legs[leg] if legs[leg] > 0 else 0.0
    lat, lon = interpolate(way.lat[leg], way.lon[leg], way.lat[leg + 1], way.lon[leg + 1], part)
    return float(lat), float(lon)


def _q_values(rates: NDArray[np.float64], silences: int) -> NDArray[np.float64]:
    """The share of accidental ones among all candidates with at most this chance rate, the lowest that holds."""
    order = np.argsort(rates, kind="stable")
    q = np.minimum(1.0, silences * rates[order] / np.arange(1, rates.size + 1))
    made = np.empty(rates.size)
    made[order] = np.minimum.accumulate(q[::-1])[::-1]
    return made


def _ship(mmsi: NDArray[Any], hull: NDArray[Any]) -> NDArray[np.int64]:
    """One number for each ship."""
    return np.asarray(mmsi.astype(np.int64) << 8 | hull.astype(np.int64), np.int64)


def _is_first(silent: NDArray[Any], row: NDArray[np.int64], partner: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether a silence is the earlier of the two, the smaller number where both begin at once."""
    keys = [silent[name].astype(np.int64) for name in ("t_start", "mmsi", "hull", "t_end")]
    first, equal = np.zeros(row.size, np.bool_), np.ones(row.size, np.bool_)
    for key in keys:
        first |= equal & (key[row] < key[partner])
        equal &= key[row] == key[partner]
    return first


def _write(event: Any, silent: Any, other: Any, place: tuple[int, int, float, float]) -> None:
    """What all dark rendezvous have in common: who, when, where, and the evidence."""
    event["kind"], event["open"] = DARK_RENDEZVOUS, max(silent["open"], other["open"])
    for name in ("mmsi", "hull", "first_source", "first_offset", "last_source", "last_offset"):
        event[name] = silent[name]
    event["other"], event["other_hull"] = other["mmsi"], other["hull"]
    for name in ("first_source", "first_offset", "last_source", "last_offset"):
        event[f"other_{name}"] = other[name]
    event["t_start"], event["t_end"], event["lat"], event["lon"] = place
    event["lat_end"], event["lon_end"] = place[2:]
    event["cell"] = cells(np.array([place[2]]), np.array([place[3]]), INDEX_RESOLUTION)[0]
    event["n"], event["port"], event["anchorage"] = 4, -1, -1
    event["distance_m"] = distances_m(silent["lat"], silent["lon"], other["lat"], other["lon"])
    for name in ("coverage", "speed_kn", "anchorage_share", "shore_m", "start_error_s", "end_error_s"):
        event[name] = np.nan
    event["facts"] = np.full(FACTS, np.nan)
