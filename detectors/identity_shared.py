"""Two ships with one identity: one IMO number from two MMSIs at once, and two hulls behind one MMSI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.table import Table
from detectors.event import DARK, GAP, IDENTITY, PORT_CALL, blank, joined_events, label_code
from detectors.identity_claims import one_number_two_ships
from detectors.identity_events import put, told
from detectors.said import Said
from geo.sphere import KN_M_S, distance_m

SHARED = label_code("shared_identity")
APART_M = 10_000.0
"""Farther than the two ends of any harbour: one ship is not in both places."""
FASTEST_KN = 30.0
"""As `ais.tracks`: merchant ships stay below 25 kn."""
EDGE_US = 600_000_000

Places = list[tuple[int, float, float]]
"""When a ship was surely where: time in µs, latitude, longitude, by time."""


def places_of(mmsi: int, vessels: Table, events: NDArray[Any]) -> Places:
    """Where the first hull of an MMSI was seen: at its ends, at both ends of its silences, and in its port calls."""
    found: Places = []
    for k in np.flatnonzero((vessels["mmsi"] == mmsi) & (vessels["hull"] == 0)).tolist():
        for end in ("first", "last"):
            lat, lon = float(vessels[f"lat_{end}"][k]), float(vessels[f"lon_{end}"][k])
            found.append((int(vessels[f"t_{end}"][k]), lat, lon))
    own = events[(events["mmsi"] == mmsi) & (events["hull"] == 0) & np.isin(events["kind"], (GAP, DARK, PORT_CALL))]
    for event in own:
        after = "" if event["kind"] == PORT_CALL else "_end"
        found.append((int(event["t_start"]), float(event["lat"]), float(event["lon"])))
        found.append((int(event["t_end"]), float(event[f"lat{after}"]), float(event[f"lon{after}"])))
    return sorted(place for place in found if place[1] == place[1])


def least_distance_m(a: Places, b: Places) -> float:
    """The greatest distance that two ships surely had at one time, 0 where they may have been one.

    Between two places a ship can have been anywhere that it reaches at 30 kn.

    >>> hour = 3_600_000_000
    >>> round(least_distance_m([(0, 0.0, 0.0), (9 * hour, 0.0, 0.0)], [(hour, 10.0, 0.0)]) / 1852)
    570
    """
    return max(_from(a, b), _from(b, a), 0.0)


def _from(a: Places, b: Places) -> float:
    best = 0.0
    times = [t for t, _, _ in b]
    for t, lat, lon in a:
        k = int(np.searchsorted(times, t))
        around = b[max(k - 1, 0) : k + 1]
        if not times or not (times[0] <= t <= times[-1]):
            continue
        reach = [float(distance_m(lat, lon, y, x)) - FASTEST_KN * KN_M_S * abs(t - s) * 1e-6 for s, y, x in around]
        best = max(best, *reach)
    return best


def far_apart(events: NDArray[Any]) -> NDArray[Any]:
    """Of `shared_numbers` those whose ships were surely apart, each pair where it was farthest."""
    shared = (events["label"] == SHARED) & (events["other"] != events["mmsi"]) & (events["distance_m"] > APART_M)
    found = events[(events["kind"] == IDENTITY) & shared]
    found = found[np.argsort(-found["distance_m"], kind="stable")]
    return np.asarray(found[np.unique(found[["mmsi", "other"]], return_index=True)[1]])


def shared_numbers(
    said: Said, identity: Table, vessels: Table, events: NDArray[Any], least: tuple[int, int]
) -> NDArray[Any]:
    """One IMO number from two MMSIs at once; half the score where the two may have been in one place.

    Those of before, among the events, say how far apart two ships are known to have been.
    """
    pairs = one_number_two_ships(said, least)
    before = far_apart(events)
    known = dict(zip(before[["mmsi", "other"]].tolist(), before["distance_m"].tolist(), strict=True))
    found = blank(len(pairs), IDENTITY)
    for event, (spans, a, b) in zip(found, pairs, strict=True):
        event["label"], event["mmsi"], event["other"] = SHARED, spans.mmsi[a], spans.mmsi[b]
        event["t_start"], event["t_end"] = (
            max(spans.t_first[a], spans.t_first[b]),
            min(spans.t_last[a], spans.t_last[b]),
        )
        here, there = (places_of(int(spans.mmsi[k]), vessels, events) for k in (a, b))
        apart = max(least_distance_m(here, there), known.get((int(spans.mmsi[a]), int(spans.mmsi[b])), 0.0))
        event["distance_m"], event["n"] = apart, min(int(spans.n[a] + spans.n[b]), 2**31 - 1)
        event["score"] = told(min(spans.n[a], spans.n[b])) * (1.0 if apart > APART_M else 0.5)
        put(event, imo=spans.value[a], reports_before=spans.n[a], reports_after=spans.n[b])
        for row, way in ((spans.first[a], "first"), (spans.last[a], "last")):
            _evidence(event, identity, int(row), way, "")
        for row, way in ((spans.first[b], "first"), (spans.last[b], "last")):
            _evidence(event, identity, int(row), way, "other_")
        if here:
            event["lat"], event["lon"] = here[-1][1:]
        if there:
            event["lat_end"], event["lon_end"] = there[-1][1:]
    return found


def _evidence(event: Any, identity: Table, row: int, way: str, whose: str) -> None:
    event[f"{whose}{way}_offset"] = identity[f"{way}_offset"][row]
    event[f"{whose}{way}_source"] = identity["source" if way == "first" else "last_source"][row]


def shared_mmsis(vessels: Table, events: NDArray[Any], min_fixes: int, least_us: int) -> NDArray[Any]:
    """Further hulls behind an MMSI that were heard while its first one was.

    A hull heard only while the first one is silent may be the same ship with falsified positions: not counted here.
    """
    silences = _silences(events)
    pieces = []
    for first, k, begin, end in _with_others(vessels, vessels["mmsi"]):
        if end - begin < least_us or min(vessels["n"][k], vessels["n"][first]) < min_fixes:
            continue
        if _last(silences[silences["mmsi"] == vessels["mmsi"][k]], begin, end).any():
            continue
        event = blank(1, IDENTITY)
        event["label"], event["mmsi"], event["other"] = SHARED, *[vessels["mmsi"][k]] * 2
        event["other_hull"], event["t_start"], event["t_end"] = vessels["hull"][k], begin, end
        event["lat"], event["lon"] = vessels["lat_last"][first], vessels["lon_last"][first]
        event["lat_end"], event["lon_end"] = vessels["lat_last"][k], vessels["lon_last"][k]
        event["n"], event["score"] = vessels["n"][k], told(min(vessels["n"][k], vessels["n"][first]))
        put(event[0], reports_before=vessels["n"][first], reports_after=vessels["n"][k])
        pieces.append(event)
    return joined_events(*pieces)


def lasting(events: NDArray[Any], vessels: Table) -> NDArray[Any]:
    """The silences among events in which another hull was heard under the MMSI, and only in them."""
    silences = _silences(events)
    silences = silences[np.isin(silences["mmsi"], vessels["mmsi"][vessels["hull"] > 0])]
    kept = np.zeros(silences.size, np.bool_)
    for _, k, begin, end in _with_others(vessels, silences["mmsi"]):
        kept |= (silences["mmsi"] == vessels["mmsi"][k]) & _last(silences, begin, end)
    return silences[kept]


def _silences(events: NDArray[Any]) -> NDArray[Any]:
    """The silences of first hulls."""
    return np.asarray(events[np.isin(events["kind"], (GAP, DARK)) & (events["hull"] == 0)])


def _last(silences: NDArray[Any], begin: int, end: int) -> NDArray[np.bool_]:
    """Which silences last from a time to another."""
    return np.asarray((silences["t_start"] <= begin + EDGE_US) & (silences["t_end"] >= end - EDGE_US))


def _with_others(vessels: Table, ships: NDArray[np.uint32]) -> Iterator[tuple[int, int, int, int]]:
    """Rows of the first and of each further hull of these MMSIs, and when both were heard, in µs."""
    names = vessels["mmsi"].astype(np.int64) << 8 | vessels["hull"]  # in their order
    for k in np.flatnonzero((vessels["hull"] > 0) & np.isin(vessels["mmsi"], ships)).tolist():
        first = int(np.searchsorted(names, int(vessels["mmsi"][k]) << 8))
        if names[first] == int(vessels["mmsi"][k]) << 8:
            begin, end = (
                of(int(vessels[name][k]), int(vessels[name][first])) for of, name in ((max, "t_first"), (min, "t_last"))
            )
            yield first, k, begin, end
