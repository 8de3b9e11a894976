"""Voyages: from the end of one port call of a ship to the beginning of its next, and whether it went where it said.

A voyage after the last call goes on (`open`) unless that call does; before the first call of a ship no voyage is known.
`port` is where it ended, `from_port` where it began. `distance_m` is the great circle between the two berths and
`speed_kn` what it asks for at least (ways over water cost 40 ms each: `luxwake.sea_way`). `score` is the product of the
scores of the two calls: an inferred call makes doubtful voyages. `coverage` is the share of the time without a gap.

What the ship declared is what its static reports said, read by `geo.ports.ports_matching`: the first destination that
was in force when it sailed, or set on the way, and is not the port that it came from (`detectors.voyage_declared`).

* `as_declared`: it means the port called at, or one within `same_place_m`, or may mean it;
* `elsewhere`: it means another port, or one of several, without doubt, whatever was declared later;
* `undeclared`: no place was declared (the reports of class B have no destination), or only the port that it came from;
* no label: the voyage goes on, no report was heard, the text cannot be read, or several ships sent under this MMSI at
  once, so that nobody knows whose report it was.

`elsewhere` is no offence: orders change, and ships bunker on the way. `last_declared_port` and `destination_changes`
tell whether the ship said so, `declared_after_h` when it called at the declared port later, `declared_m` how far from
it the port was. A declaration is never taken for an arrival.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT
from detectors.detector import DerivedDetector, Final, Known
from detectors.event import DARK, EVENT, GAP, LET_GO, PORT_CALL, VOYAGE, blank, joined_events, with_fields
from detectors.voyage_declared import AS_DECLARED, ELSEWHERE, declarations, judged, reports_of, rows_until, shared_mmsi
from detectors.voyage_eta import eta_span, hours_after
from geo.errors import UsageError
from geo.ports import port_index, ports
from geo.sphere import KN_M_S, distances_m


@dataclass(frozen=True, slots=True, kw_only=True)
class VoyageParams:
    """Thresholds of voyages."""

    same_place_m: float = 30_000.0
    """Ports this near are parts of one place (Busan and its New Port, Nakhodka and Vostochny): as in `geo.ports`."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        if not self.same_place_m >= 0.0:
            raise UsageError(f"voyage: same_place_m must be 0 or more metres, not {self.same_place_m}")


FACTS = (
    "from_port", "declared_port", "last_declared_port", "declared_m", "declared_after_h", "destination_changes",
    "eta_error_h", "eta_slip_h", "silent_h", "dark_h", "draught_change_m",
)  # fmt: skip
"""Ports as rows of `geo.ports`; metres from the declared port to the berth called at; hours from the end until the ship
called at the declared port after all; how often the destination changed, the leaving of the old one apart; hours from
the last ETA for the declared port to the arrival there, or to now of a voyage that goes on; by how many hours that ETA
was moved; hours in gaps and dark periods, and in dark periods; how much deeper the ship lay at the end by its word."""


KEPT = np.dtype(
    [
        *((name, EVENT[name]) for name in (
            "mmsi", "hull", "open", "t_start", "t_end", "end_error_s", "lat", "lon", "cell", "n", "port", "score",
            "last_source", "last_offset",
        )),
        ("silent_us", "i8"),
        ("dark_us", "i8"),
    ]
)  # fmt: skip
"""What is remembered of a call that was let go of, and of the silences since."""
MOST_KEPT = 262_144
"""Hulls of which that is remembered, 91 bytes each; beyond, those that called last."""
SILENT = (("silent", (GAP, DARK)), ("dark", (DARK,)))


def _is_followed(voyages: NDArray[Any], vessels: Any) -> NDArray[np.bool_]:
    """Whether the engine still follows the hull of each voyage, or remembers it."""
    hulls = vessels["mmsi"].astype(np.int64) << 8 | vessels["hull"]
    return np.isin(voyages["mmsi"].astype(np.int64) << 8 | voyages["hull"], hulls)


def _pairs(calls: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of the calls before and after each voyage, -1 after one that goes on; `calls` are sorted by their start."""
    order = np.lexsort((calls["hull"], calls["mmsi"]))  # stable
    ship = calls[["mmsi", "hull"]][order]
    goes_on = np.append(ship[1:] == ship[:-1], False)[: order.size]
    after = np.where(goes_on, np.roll(order, -1), -1)
    sails = goes_on | (calls["open"][order] == 0)
    return order[sails], after[sails]


def _sailed(calls: NDArray[Any], before: NDArray[np.int64], after: NDArray[np.int64], now: int) -> NDArray[Any]:
    """The voyages between these calls: who, when and where."""
    found, left = blank(before.size, VOYAGE), calls[before]
    ended = after >= 0
    came = calls[after[ended]]
    found["open"] = ~ended
    for name in ("mmsi", "hull", "lat", "lon", "cell", "n", "score"):
        found[name] = left[name]
    found["t_start"], found["start_error_s"] = left["t_end"], left["end_error_s"]
    found["first_source"], found["first_offset"] = left["last_source"], left["last_offset"]
    found["last_source"], found["last_offset"] = left["last_source"], left["last_offset"]
    found["t_end"] = now
    for name, of in (
        ("t_end", "t_start"), ("end_error_s", "start_error_s"), ("lat_end", "lat"), ("lon_end", "lon"),
        ("port", "port"), ("last_source", "first_source"), ("last_offset", "first_offset"),
    ):  # fmt: skip
        found[name][ended] = came[of]
    found["n"][ended] += came["n"]
    found["score"][ended] *= came["score"]
    found["distance_m"] = distances_m(found["lat"], found["lon"], found["lat_end"], found["lon_end"])
    seconds = np.maximum(1, found["t_end"] - found["t_start"]) * 1e-6
    found["speed_kn"] = found["distance_m"] / seconds / KN_M_S
    found["facts"][:, FACTS.index("from_port")] = left["port"]
    return found


def _silent_us(
    ships: NDArray[Any], begin: NDArray[np.int64], end: NDArray[np.int64], gaps: NDArray[Any]
) -> NDArray[np.int64]:
    """How much of the time between two times lies in silences of each hull, which do not overlap."""
    silent = gaps[np.lexsort((gaps["t_start"], gaps["hull"], gaps["mmsi"]))]
    return _silent_until(silent, ships, end) - _silent_until(silent, ships, begin)


def _silent_until(silent: NDArray[Any], ships: NDArray[Any], t: NDArray[np.int64]) -> NDArray[np.int64]:
    """How much of the silences, in order, lies before a time, in µs: of each hull and those before it."""
    if silent.size == 0:
        return np.zeros(t.size, np.int64)
    whole = np.concatenate([[0], np.cumsum(silent["t_end"] - silent["t_start"])])
    names = ("mmsi", "hull")
    k = rows_until([silent[name] for name in names], silent["t_start"], [ships[name] for name in names], t)
    own = (k > 0) & (silent["mmsi"][k - 1] == ships["mmsi"]) & (silent["hull"][k - 1] == ships["hull"])
    return np.asarray(whole[k] - np.where(own, np.maximum(0, silent["t_end"][k - 1] - t), 0))


class Voyages(DerivedDetector):
    """Voyages between the port calls of each hull, and what it declared."""

    name = "voyage"
    Params = VoyageParams
    kinds = ("voyage",)
    facts = FACTS
    needs = ("port_call", "dark")
    keeps = KEPT

    def keep(self, kept: NDArray[Any], final: Final) -> NDArray[Any]:
        """The last call of each hull, from which a voyage goes on, and how long the hull was silent since."""
        calls = final.gone[final.gone["kind"] == PORT_CALL]
        both = np.concatenate([kept, with_fields(np.zeros(calls.size, KEPT), calls)])
        order = np.lexsort((both["t_start"], both["hull"], both["mmsi"]))
        ship = both[["mmsi", "hull"]][order]
        last = both[order[np.append(ship[1:] != ship[:-1], True)[: order.size]]]
        for name, kinds in SILENT:
            gaps = final.gone[np.isin(final.gone["kind"], kinds)]
            last[f"{name}_us"] += _silent_us(last, last["t_end"], np.full(last.size, final.known.now), gaps)
        return np.asarray(last[np.argsort(last["t_end"], kind="stable")[-MOST_KEPT:]])

    def derive_each(self, events: NDArray[Any], known: Known) -> NDArray[Any]:
        """The voyages between the port calls among `events`."""
        kept = self.kept(known)
        calls = joined_events(with_fields(blank(kept.size, PORT_CALL), kept), events[events["kind"] == PORT_CALL])
        order = np.argsort(calls["t_start"], kind="stable")
        calls = calls[order]
        before, after = _pairs(calls)
        found = _sailed(calls, before, after, known.now)
        found["open"][(found["open"] == 1) & ~_is_followed(found, known.vessels)] = LET_GO
        fact, first = _facts(found), order[before]
        for name, kinds in SILENT:
            gaps = events[np.isin(events["kind"], kinds)]
            silent_us = _silent_us(found, found["t_start"], found["t_end"], gaps)
            silent_us[first < kept.size] += kept[f"{name}_us"][first[first < kept.size]]
            fact[f"{name}_h"][:] = silent_us / 3.6e9
        hours = np.maximum(1, found["t_end"] - found["t_start"]) / 3.6e9
        found["coverage"] = np.clip(1.0 - fact["silent_h"] / hours, 0.0, 1.0)
        self._compare(found, calls["t_start"][before], known)
        self._seek(found, calls)
        return found

    def _compare(self, found: NDArray[Any], since: NDArray[np.int64], known: Known) -> None:
        """Write what was declared on each voyage beside what happened."""
        reports = reports_of(known.identity, found, since)
        reports.last[shared_mmsi(found, known.vessels)] = -1
        said, fact, index = declarations(known.identity, reports), _facts(found), port_index()
        if said.voyage.size == 0:
            return
        near_left = said.near(found["lat"], found["lon"], self.params.same_place_m)
        near_came = said.near(found["lat_end"], found["lon_end"], self.params.same_place_m)
        found["label"], of = judged(said, near_left, near_came, found["open"] == 0)
        voyage, first, count = np.unique(said.voyage, return_index=True, return_counts=True)
        fact["destination_changes"][voyage] = count - 1 - ((count > 1) & near_left[first])
        draught, last = known.identity["draught"], first + count - 1
        fact["draught_change_m"][voyage] = draught[said.last[last]] - draught[said.first[first]]
        port, tells = said.each("row"), of[voyage] >= 0
        fact["last_declared_port"][voyage[tells]] = port[last[tells]]
        voyage = voyage[tells]
        fact["declared_port"][voyage] = port[of[voyage]]
        sure = voyage[port[of[voyage]] >= 0]
        at = port[of[sure]]
        fact["declared_m"][sure] = distances_m(
            index.lat[at], index.lon[at], found["lat_end"][sure], found["lon_end"][sure]
        )
        voyage = voyage[(found["label"][voyage] == AS_DECLARED) | (found["open"][voyage] > 0)]
        if voyage.size:
            rows = {meant.rows: k for k, meant in enumerate(said.meanings)}
            alike = np.array([rows[meant.rows] for meant in said.meanings])[said.of]
            again = np.flatnonzero(alike == alike[of[said.voyage]])
            latest = np.zeros(found.size, np.int64)
            latest[said.voyage[again]] = again  # the last of each voyage is written last
            _compare_eta(found, known.identity, voyage, said.first[of[voyage]], said.last[latest[voyage]])

    def _seek(self, found: NDArray[Any], calls: NDArray[Any]) -> None:
        """Write when a ship that went elsewhere called at the declared port after all."""
        fact = _facts(found)
        missed = np.flatnonzero((found["label"] == ELSEWHERE) & (fact["declared_port"] >= 0))
        for k in missed.tolist():
            port = ports()[int(fact["declared_port"][k])]
            later = calls[(calls["mmsi"] == found["mmsi"][k]) & (calls["hull"] == found["hull"][k])]
            later = later[later["t_start"] >= found["t_end"][k]]
            away = distances_m(np.full(later.size, port.lat), np.full(later.size, port.lon), later["lat"], later["lon"])
            for t in later["t_start"][away <= self.params.same_place_m][:1].tolist():
                fact["declared_after_h"][k] = (t - found["t_end"][k]) / 3.6e9


def _facts(found: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Each fact of the events by its name, to be written to."""
    return {name: found["facts"][:, k] for k, name in enumerate(FACTS)}


def _compare_eta(
    found: NDArray[Any], identity: Any, rows: NDArray[np.int64], first: NDArray[np.int64], last: NDArray[np.int64]
) -> None:
    """Write by how much voyages missed the ETA said last, and how far that was moved since the first."""
    fact = _facts(found)
    begun, end = (eta_span(identity["eta"][k], identity["t_from"][k]) for k in (first, last))
    fact["eta_error_h"][rows] = hours_after(found["t_end"][rows], *end)
    fact["eta_slip_h"][rows] = np.where((begun[0] != NAT) & (end[0] != NAT), (end[0] - begun[0]) / 3.6e9, np.nan)
