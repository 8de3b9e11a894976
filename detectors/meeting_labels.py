"""What a meeting probably is, told by who meets, how fast, how long and where; and the gap between the hulls.

The first rule that fits gives the label; a rule that needs a ship type says nothing of a ship that sent none.

* `tug`: one of the two is a tug or towing (ITU-R M.1371 ship types 31, 32, 52), and they go at most 15 kn (RTEC:
  tugging is 1.2 to 15 kn): a tow, an escort, help at a buoy;
* `pilot`: one is a pilot vessel (50), for at most an hour (boarding takes 10 to 40 min);
* `tender`: one is a port tender (53);
* `fishing`: both fish (30) at 1 kn or more over ground: a pair that pulls one net at 2.5 to 5 kn, or a fleet at work.
  Two fishing vessels that lie still are not called so: goods and catch change ships that way;
* `convoy`: both at 5 kn or more on the mean, at most 2 kn to each other;
* `ferry`: 5 kn or more with a passenger ship (40 to 49, 60 to 69) that crosses the other's way; or two passenger ships,
  who lie side by side at the ends of their line;
* at rest, in a known anchorage, or both saying that they are at anchor or moored for most of the time, or within 25 km
  of a port and within 700 m of one place all the time: `bunkering` when one is a tanker (80 to 89) and the two lie
  alongside; `other_meeting` when they lie alongside and neither is (stores, crew, cargo by lighter); `anchorage` when
  they do not lie alongside: neighbours on their swing circles;
* no label: none of these. What is left when the everyday forms are taken away, not an accusation.

Alongside: hulls at most 50 m apart where dimensions and headings are known, else antennas within 150 m. The hull gap is
that of two rectangles (`to_bow`, `to_stern`, `to_port`, `to_starboard` about the antenna, turned to the heading) where
the ships are nearest; 0 when they touch or overlap, which errors of position (10 m each) easily do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.table import Table
from detectors.detector import Known
from detectors.event import label_code
from detectors.pair import FACTS
from geo.anchorages import Anchorages
from geo.ports import nearest_port

SIDES = ("to_bow", "to_stern", "to_port", "to_starboard")
ROADS_M = 25_000.0
"""Roads lie within this of their port; our choice, as wide as the roads of a large port."""
ALONGSIDE_GAP_M = 50.0
ALONGSIDE_M = 150.0
"""Between antennas, where dimensions are not known: beams of 32 m and antennas at different ends of 200 m."""
SWING_M = 700.0
"""Two swing circles of 350 m: a ship of 200 m on six shackles of chain."""
PILOT_S = 3600.0
TOW_KN = 15.0
WORK_KN = 1.0
CRUISE_KN = 5.0
TOGETHER_KN = 2.0

Numbers = NDArray[np.float64]


def static_rows(identity: Table, mmsi: NDArray[np.uint32], t: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row of the identity in force at a time: the last that had begun, else the ship's first; -1 for none.

    `mmsi` and `t` (µs) are (n,), the rows of `identity` sorted by MMSI and time as `ais.identity` makes them.
    """
    if len(identity) == 0:
        return np.full(mmsi.size, -1)
    known = identity["mmsi"].astype(np.int64) << 33 | identity["t_from"] // 1_000_000
    asked = mmsi.astype(np.int64) << 33 | t // 1_000_000
    row = np.searchsorted(known, asked, side="right") - 1
    first = np.minimum(np.searchsorted(identity["mmsi"], mmsi), len(identity) - 1)
    row = np.maximum(row, first)
    return np.where(identity["mmsi"][row] == mmsi, row, -1)


def hull_gap_m(sides: Numbers, heading_deg: Numbers, north_m: Numbers, east_m: Numbers) -> Numbers:
    """Metres between the hulls of pairs, 0 where they touch; NaN where a side or heading is not known.

    `sides` (n, 2, 4) are bow, stern, port and starboard of both from their antennas in metres, `heading_deg` (n, 2),
    and (`north_m`, `east_m`) (n,) the antenna of the second from that of the first.

    >>> sides = np.array([[[100, 50, 10, 20], [80, 20, 15, 15]]], float)
    >>> hull_gap_m(sides, np.array([[0.0, 0.0]]), np.array([0.0]), np.array([85.0])).round(6)
    array([50.])
    """
    corners = [_corners(sides[:, k], heading_deg[:, k]) for k in (0, 1)]
    corners[1] = corners[1] + np.stack([north_m, east_m], axis=-1)[:, None, :]
    apart = np.full(len(sides), np.inf)
    inside = np.zeros(len(sides), np.bool_)
    for one, other in ((0, 1), (1, 0)):
        for k in range(4):
            a, b = corners[one][:, k], corners[one][:, (k + 1) % 4]
            apart = np.minimum(apart, _to_side_m(corners[other], a, b).min(axis=1))
        inside |= _holds(corners[one], corners[other][:, 0])
    inside |= _crossed(corners[0], corners[1])
    gap = np.where(inside, 0.0, apart)
    known = np.isfinite(heading_deg).all(axis=1) & (sides[:, :, :2].sum(axis=2) > 0).all(axis=1)
    return np.where(known & (sides[:, :, 2:].sum(axis=2) > 0).all(axis=1), gap, np.nan)


def _corners(sides: Numbers, heading_deg: Numbers) -> Numbers:
    """(n, 4, 2) metres north and east of the four corners of hulls, clockwise from the port bow."""
    bow, stern, port, starboard = sides.T
    ahead = np.stack([bow, bow, -stern, -stern], axis=-1)
    right = np.stack([-port, starboard, starboard, -port], axis=-1)
    sine, cosine = np.sin(np.radians(heading_deg))[:, None], np.cos(np.radians(heading_deg))[:, None]
    return np.stack([ahead * cosine - right * sine, ahead * sine + right * cosine], axis=-1)


def _to_side_m(points: Numbers, a: Numbers, b: Numbers) -> Numbers:
    """(n, 4) metres from points (n, 4, 2) to the sides from `a` to `b` (n, 2)."""
    side = (b - a)[:, None, :]
    length2 = np.maximum((side**2).sum(axis=2), 1e-9)
    share = np.clip(((points - a[:, None, :]) * side).sum(axis=2) / length2, 0.0, 1.0)
    return np.asarray(np.hypot(*np.moveaxis(points - a[:, None, :] - share[:, :, None] * side, 2, 0)))


def _cross(a: Numbers, b: Numbers, point: Numbers) -> Numbers:
    """Positive where a point lies to the right of the way from `a` to `b` (north, east)."""
    return np.asarray(
        (b[..., 0] - a[..., 0]) * (point[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (point[..., 0] - a[..., 0])
    )


def _holds(corners: Numbers, point: Numbers) -> NDArray[np.bool_]:
    """Whether a point (n, 2) lies within hulls."""
    right = np.stack([_cross(corners[:, k], corners[:, (k + 1) % 4], point) for k in range(4)])
    return np.asarray((right >= 0).all(axis=0))


def _crossed(one: Numbers, other: Numbers) -> NDArray[np.bool_]:
    """Whether any side of a hull crosses one of the other."""
    crossed = np.zeros(len(one), np.bool_)
    for i in range(4):
        a, b = one[:, i], one[:, (i + 1) % 4]
        for j in range(4):
            c, d = other[:, j], other[:, (j + 1) % 4]
            crossed |= (_cross(a, b, c) * _cross(a, b, d) < 0) & (_cross(c, d, a) * _cross(c, d, b) < 0)
    return crossed


def _static(records: NDArray[Any], identity: Table) -> tuple[Numbers, NDArray[np.int64]]:
    """Sides (n, 2, 4) and ship types (n, 2) of both ships of each meeting, 0 not known."""
    sides, types = np.zeros((records.size, 2, 4)), np.zeros((records.size, 2), np.int64)
    for k, who in enumerate(("mmsi", "other")):
        row = static_rows(identity, records[who], records["t_start"])
        has = row >= 0
        types[has, k] = identity["ship_type"][row[has]]
        for side, name in enumerate(SIDES):
            sides[has, k, side] = identity[name][row[has]]
    return sides, types


def label_meetings(records: NDArray[Any], known: Known, anchorages: Anchorages) -> NDArray[Any]:
    """Records of rendezvous with their hull gap, their distance to a port and their label."""
    if records.size == 0:
        return records
    records = records.copy()
    sides, types = _static(records, known.identity)
    facts = {name: records["facts"][:, k].astype(np.float64) for k, name in enumerate(FACTS)}
    bearing = np.radians(facts["bearing_deg"])
    heading = np.stack([facts["heading_deg"], facts["other_heading_deg"]], axis=-1)
    north, east = records["distance_m"] * np.cos(bearing), records["distance_m"] * np.sin(bearing)
    facts["hull_gap_m"] = hull_gap_m(sides, heading, north, east)
    port, metres = nearest_port(records["lat"], records["lon"], ROADS_M)
    facts["port_m"] = np.where(port >= 0, metres, np.nan)
    in_place = anchorages.at(records["lat"], records["lon"]) >= 0
    for k, name in enumerate(FACTS):
        records["facts"][:, k] = facts[name]
    records["label"] = _labels(types, facts, records["speed_kn"], in_place)
    return records


def _labels(
    types: NDArray[np.int64], facts: dict[str, Numbers], speed_kn: NDArray[np.float32], in_place: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """The label of each meeting: that of the first rule that fits."""

    def any_of(*wanted: int) -> NDArray[np.bool_]:
        return np.asarray(np.isin(types, wanted).any(axis=1))

    passenger = np.isin(types, [*range(40, 50), *range(60, 70)])
    sog_kn = np.fmax(facts["sog_kn"], speed_kn)
    at_rest = in_place | (facts["at_anchor_share"] >= 0.5)
    at_rest |= (facts["port_m"] <= ROADS_M) & (facts["drift_m"] <= SWING_M)
    gap, apart = facts["hull_gap_m"], facts["mean_distance_m"]
    alongside = np.where(np.isfinite(gap), gap <= ALONGSIDE_GAP_M, apart <= ALONGSIDE_M)
    fast, relative = speed_kn >= CRUISE_KN, facts["relative_speed_kn"]
    rules = {
        "tug": any_of(31, 32, 52) & (speed_kn <= TOW_KN),
        "pilot": any_of(50) & (facts["together_s"] <= PILOT_S),
        "tender": any_of(53),
        "fishing": (types == 30).all(axis=1) & (sog_kn >= WORK_KN),
        "convoy": fast & (relative <= TOGETHER_KN),
        "ferry": (passenger.any(axis=1) & fast) | passenger.all(axis=1),
        "bunkering": at_rest & alongside & any_of(*range(80, 90)),
        "anchorage": at_rest & ~alongside,
        "other_meeting": at_rest,
    }
    codes = [label_code(word) for word in rules]
    return np.select(list(rules.values()), codes, 0).astype(np.uint8)
