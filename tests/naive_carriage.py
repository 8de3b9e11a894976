"""The obvious twin of `cargo.carriage`: every ship, every call, one after the other, as the docstrings say."""

import math

from ais.table import NAT
from cargo.carriage_columns import Weights
from cargo.carriage_kernel import (
    AFTER_DAYS,
    BEFORE_DAYS,
    DAY_US,
    EARLY_DAYS,
    FASTEST_KN,
    LATE_DAYS,
    LEAST,
    PORT_EXTENT_NMI,
    SEARCH_DAYS,
    SURE,
    VOYAGE_DAYS,
)
from cargo.fleet import called_at
from cargo.identifiers import ship_key
from geo.ports import port_by_code
from geo.sphere import NMI_M, distance_m
from tests.naive_names import one_letter_apart, one_slip_apart

W = Weights()


def fit(t, t0, t1):
    if t0 == NAT:
        return 0.5
    if t < t0:
        return max(W.stray, math.exp((t - t0) / DAY_US / W.early_days))
    late = t - t1 - DAY_US
    return max(W.stray, math.exp(-late / DAY_US / W.late_days)) if late > 0 else 1.0


def odds_of(fleet, mmsi, leg):
    """What the row says of its ship: (logarithm of odds, whether the ship answers), or None for a veto."""
    imo, number, key = int(leg.first("imo")), int(leg.first("mmsi")), ship_key(leg.first("vessel_name"))
    said = fleet.said(mmsi)
    imos = fleet.imos(mmsi)
    names = {ship_key(one.name) for one in said} - {""}
    odds, answers = 0.0, False
    if imo:
        if imo in imos:
            odds, answers = odds + W.imo, True
        elif imos:
            return None
    elif any(one_slip_apart(str(leg.first("imo_text")), str(one)) for one in imos):
        odds, answers = odds + W.imo_slip, True
    if number:
        odds += W.mmsi if number == mmsi else W.other_mmsi
        answers = answers or number == mmsi
    if key:
        t0 = leg.times("t_depart")[0] if leg.times("t_depart")[0] != NAT else leg.times("t_arrive")[0]
        t1 = leg.times("t_arrive")[1] if leg.times("t_arrive")[1] != NAT else leg.times("t_depart")[1]
        slack = W.name_days * DAY_US
        if key in names:
            in_time = t0 == NAT or any(
                ship_key(one.name) == key and one.t_from <= t1 + slack and one.t_to >= t0 - slack for one in said
            )
            odds, answers = odds + (W.name if in_time else 0.5 * W.name), True
        elif any(one_letter_apart(key, name) for name in names):
            odds, answers = odds + W.name_slip, True
        elif names and not (imo in imos and imo) and number != mmsi:
            odds += W.other_name
    return odds, answers


def able(fleet, mmsi, weight_kg):
    ship = fleet.heard(mmsi)[-1]
    if ship.length_m > 0 and weight_kg > 10.0 * ship.length_m**3:
        return 0.0
    kind = ship.ship_type // 10
    return 1.0 if kind in (7, 0, 9) else 0.1 if kind in (8, 6) else 0.02


def elsewhere(calls, leg):
    place, (t0, t1) = port_by_code(leg.load_port) if leg.load_port else None, leg.times("t_depart")
    if place is None or t0 == NAT:
        return False
    t_from, t_to = t0 - 2 * DAY_US, t1 + 2 * DAY_US
    for call in calls:
        hours = max(call.t_start - t_from, t_to - call.t_end, 0) / 3.6e9
        if distance_m(call.lat, call.lon, place.lat, place.lon) / NMI_M > FASTEST_KN * hours + PORT_EXTENT_NMI:
            return True
    return False


def arrival(fleet, mmsi, calls, leg, t_sail):
    """How well the best call at the discharge port after the sailing fits."""
    if not leg.discharge_port:
        return 0.5
    t0, t1 = leg.times("t_arrive")
    t_from = t_sail if t0 == NAT else max(t_sail, t0 - EARLY_DAYS * DAY_US)
    t_to = t_sail + VOYAGE_DAYS * DAY_US if t0 == NAT else t1 + LATE_DAYS * DAY_US
    there = [c for c in calls if t_from <= c.t_end and c.t_start <= t_to and called_at(c, leg.discharge_port)]
    if not there:
        return W.not_heard if fleet.last_heard([mmsi]) < t_to else W.not_arrived
    return W.undated if t0 == NAT else max(fit(c.t_start, t0, t1) for c in there)


def loads(calls, leg, before, after, least):
    """Calls at the load port about the departure, and how well each fits; None stands for none."""
    t0, t1 = leg.times("t_depart")
    near = [
        c
        for c in calls
        if leg.load_port
        and t0 != NAT
        and t0 - before * DAY_US <= c.t_end <= t1 + (after + 1) * DAY_US
        and called_at(c, leg.load_port)
    ]
    return [(c, fit(c.t_end, t0, t1)) for c in near if fit(c.t_end, t0, t1) >= least]


def weight_of(fleet, mmsi, calls, leg, odds, load, loaded):
    t_depart, t_arrive = leg.times("t_depart")[0], leg.times("t_arrive")[0]
    t_sail = load.t_end if load else t_depart if t_depart != NAT else t_arrive - VOYAGE_DAYS * DAY_US
    later = [c for c in calls if (c.t_start > load.t_start if load else c.t_end >= t_sail)]
    fits = arrival(fleet, mmsi, later, leg, t_sail)
    return loaded * fits * able(fleet, mmsi, leg.first("gross_weight_kg")) * math.exp(odds)


def carriage(fleet, leg):
    """The probability of each ship that is not vetoed and has 0.002 or more, and of none."""
    said = {v.mmsi: odds_of(fleet, v.mmsi, leg) for v in fleet.vessels}
    calls = {mmsi: [fleet.event(row) for row in fleet.calls_of([mmsi]).row] for mmsi in said}
    weights = {}
    for mmsi, told in said.items():
        if told is None or not told[1]:
            continue
        best = max(loads(calls[mmsi], leg, BEFORE_DAYS, AFTER_DAYS, W.not_loaded), key=lambda x: x[1], default=None)
        if best is None and elsewhere(calls[mmsi], leg):
            continue
        weights[mmsi] = weight_of(fleet, mmsi, calls[mmsi], leg, told[0], *(best or (None, W.not_loaded)))
    if max(weights.values(), default=0.0) < SURE:
        for mmsi, told in said.items():
            if told is None:
                continue
            near = loads(calls[mmsi], leg, BEFORE_DAYS, SEARCH_DAYS, W.stray * 1.000001)
            more = [weight_of(fleet, mmsi, calls[mmsi], leg, told[0], *one) for one in near]
            more += arrived_only(fleet, mmsi, calls[mmsi], leg, told, bool(near))
            if more:
                weights[mmsi] = max(*more, weights.get(mmsi, 0.0))
    total = sum(weights.values()) + W.none
    return {m: w / total for m, w in weights.items() if w / total >= LEAST}, W.none / total


def arrived_only(fleet, mmsi, calls, leg, told, loaded):
    """Weights of calls at the discharge port of a ship that is not on record at the load port."""
    t0, t1 = leg.times("t_arrive")
    asked = bool(leg.load_port) and leg.times("t_depart")[0] != NAT
    wide = told[1] and loads(calls, leg, BEFORE_DAYS, AFTER_DAYS, W.not_loaded)
    if not leg.discharge_port or t0 == NAT or loaded or wide or (asked and elsewhere(calls, leg)):
        return []
    could = able(fleet, mmsi, leg.first("gross_weight_kg")) * math.exp(told[0])
    return [
        (W.not_loaded if asked else 0.5) * fit(c.t_start, t0, t1) * could
        for c in calls
        if t0 - EARLY_DAYS * DAY_US <= c.t_end <= t1 + (SEARCH_DAYS + AFTER_DAYS) * DAY_US
        and c.t_start <= t1 + (SEARCH_DAYS + 1) * DAY_US
        and called_at(c, leg.discharge_port)
    ]
