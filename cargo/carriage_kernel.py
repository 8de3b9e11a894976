"""The loop behind `cargo.carriage`: for each leg the ships that may have carried it, with the weight of each.

A candidate is a ship with the call at which it loaded and the call at which it discharged, each where one is on record.
Its weight is a product: how well the sailing fits the declared departure, the call the declared arrival, the ship the
cargo, and what the row says of the ship; against it stands the weight of *none of the ships heard*.
"""

from __future__ import annotations

import math

import numpy as np

from ais.table import NAT
from geo.kernel import inlined, kernel
from geo.sphere import EARTH_RADIUS_M, NMI_M

DAY_US = 86_400_000_000
IMO, IMO_SLIP, MMSI, NAME, NAME_SLIP, LOADED, DISCHARGED, OTHER_NAME, OTHER_MMSI = (1 << k for k in range(9))
"""What speaks for a candidate, or against it."""
VETO_IMO, VETO_ELSEWHERE, VETO_SIZE = 1 << 9, 1 << 10, 1 << 11
VETOES = VETO_IMO | VETO_ELSEWHERE | VETO_SIZE
KEPT = 8
"""Candidates that are kept of a leg, the likeliest; the others are counted."""
BEFORE_DAYS, AFTER_DAYS = 3, 10
"""A ship sails this long before or after the declared departure (the date of a bill of lading)."""
EARLY_DAYS, LATE_DAYS = 3, 14
"""A ship calls this long before or after the declared arrival."""
SEARCH_DAYS = 4
"""Ships that the row does not name are looked for this near to the declared days: those farther off are unlikely."""
VOYAGE_DAYS = 60
"""Where no arrival is declared: the longest voyage."""
FASTEST_KN, PORT_EXTENT_NMI = 30.0, 50.0
"""No cargo ship goes faster; a wide port, its roads and a coarse position together."""
_ANYWHERE_DAYS = 16
"""In so long the fastest ship comes from anywhere (10,800 nmi)."""
SURE = 1.0
"""From this weight of a named ship on no other is looked for: they would weigh a hundredth, by a name not their own."""
LEAST = 0.002
"""A candidate with less probability is neither kept nor counted."""


@inlined
def is_at(at, call, port):
    """Is a call at a port?"""
    for k in range(at.near_first[call], at.near_first[call + 1]):  # noqa: SIM110 - kernels have no generators
        if at.near[k] == port:
            return True
    return False


@inlined
def first_call(calls, s, t):
    """The first call of a ship that ends at this time or later; one ship's calls follow each other."""
    lo, hi = calls.ship_first[s], calls.ship_first[s + 1]
    while lo < hi:
        middle = (lo + hi) // 2
        if calls.t_end[middle] < t:
            lo = middle + 1
        else:
            hi = middle
    return lo


@inlined
def fit(t, t0, t1, w):
    """How well a time fits a span of declared days: 1 within, less before and after; 0.5 where none is declared."""
    if t0 == NAT:
        return 0.5
    if t < t0:
        return max(w.stray, math.exp((t - t0) / DAY_US / w.early_days))
    late = t - t1 - DAY_US
    return max(w.stray, math.exp(-late / DAY_US / w.late_days)) if late > 0 else 1.0


@inlined
def find_discharge(legs, i, s, after, t_sail, calls, at, ships, w):
    """The call of ship `s` behind call `after` that fits the declared arrival best: (call or -1, factor)."""
    port, t0, t1 = legs.discharge[i], legs.arrive0[i], legs.arrive1[i]
    if port < 0:
        return np.int64(-1), 0.5
    t_from = t_sail if t0 == NAT else max(t_sail, t0 - EARLY_DAYS * DAY_US)
    t_to = (t_sail if t0 == NAT else t1) + (VOYAGE_DAYS if t0 == NAT else LATE_DAYS) * DAY_US
    best, found = 0.0, np.int64(-1)
    for c in range(after + 1, calls.ship_first[s + 1]):
        if calls.t_start[c] > t_to:
            break
        if calls.t_end[c] >= t_from and is_at(at, c, port):
            factor = w.undated if t0 == NAT else fit(calls.t_start[c], t0, t1, w)
            if factor > best:
                best, found = factor, np.int64(c)
            if t0 == NAT:
                break
    if found < 0:
        return found, w.not_heard if ships.t_last[s] < t_to else w.not_arrived
    return found, best


@inlined
def find_load(legs, i, s, calls, at, w):
    """The call of ship `s` at the load port that fits the declared departure best: (call or -1, factor)."""
    port, t0, t1 = legs.load[i], legs.depart0[i], legs.depart1[i]
    best, found = w.not_loaded, np.int64(-1)
    if port < 0 or t0 == NAT:
        return found, best
    for c in range(first_call(calls, s, t0 - BEFORE_DAYS * DAY_US), calls.ship_first[s + 1]):
        if calls.t_start[c] > t1 + (AFTER_DAYS + 1) * DAY_US or calls.t_end[c] > t1 + (AFTER_DAYS + 1) * DAY_US:
            break
        factor = fit(calls.t_end[c], t0, t1, w)
        if factor >= best and is_at(at, c, port):
            best, found = factor, np.int64(c)
    return found, best


@inlined
def able(ships, s, weight_kg):
    """Can the ship carry it: by its AIS type (ITU-R M.1371-5 table 53), and 0 where it is too small.

    A general cargo ship of length L carries less than L^3 / 100 tonnes (84 m: 5,900 t; 300 m: 270,000 t).
    """
    length = ships.length_m[s]
    if length > 0.0 and weight_kg > 10.0 * length * length * length:
        return 0.0
    kind = ships.ship_type[s] // 10
    if kind == 7 or kind == 0 or kind == 9:
        return 1.0
    return 0.1 if kind == 8 or kind == 6 else 0.02


@inlined
def named_in_time(ships, s, name, t0, t1, w):
    """Did the ship use a name about this time?"""
    slack = np.int64(w.name_days * DAY_US)
    for k in range(ships.said_first[s], ships.said_first[s + 1]):
        if ships.said_name[k] == name and (
            t0 == NAT or (ships.said_from[k] <= t1 + slack and ships.said_to[k] >= t0 - slack)
        ):
            return True
    return False


@inlined
def who(legs, i, s, said, ships, w):
    """What the row says of its ship, for or against this one: (logarithm of odds, bits)."""
    k = legs.named[i]
    odds, bits = 0.0, 0
    if said.imo[k] == 0 and said.mmsi[k] == 0 and said.name[k] == -1 and said.first[k] == said.first[k + 1]:
        return odds, np.int64(bits)
    lo, hi = said.first[k], said.first[k + 1]
    while lo < hi:
        middle = (lo + hi) // 2
        if said.ship[middle] < s:
            lo = middle + 1
        else:
            hi = middle
    if lo < said.first[k + 1] and said.ship[lo] == s:
        bits = np.int64(said.bits[lo])
    has_imo, has_name, same_name = False, False, False
    for j in range(ships.said_first[s], ships.said_first[s + 1]):
        has_imo = has_imo or ships.said_imo[j] != 0
        has_name = has_name or ships.said_name[j] >= 0
    if said.imo[k] != 0:
        if bits & IMO:
            odds += w.imo
        elif has_imo:
            return 0.0, bits | VETO_IMO
    elif bits & IMO_SLIP:
        odds += w.imo_slip
    if said.mmsi[k] != 0:
        if bits & MMSI:
            odds += w.mmsi
        else:
            odds, bits = odds + w.other_mmsi, bits | OTHER_MMSI
    if said.name[k] != -1:
        if bits & NAME:
            t0 = legs.depart0[i] if legs.depart0[i] != NAT else legs.arrive0[i]
            t1 = legs.arrive1[i] if legs.arrive1[i] != NAT else legs.depart1[i]
            same_name = named_in_time(ships, s, said.name[k], t0, t1, w)
            odds += w.name if same_name else 0.5 * w.name
        elif bits & NAME_SLIP:
            odds += w.name_slip
        elif has_name and not bits & (IMO | MMSI):
            odds, bits = odds + w.other_name, bits | OTHER_NAME
    return odds, bits


@inlined
def too_far(calls, c, unit, port, t_from, t_to):
    """Is a call too far from a port for the ship to have been there between two times?

    Chords are compared, 2 sin(arc / 2): one sine a call, where an arc takes six.
    """
    hours = max(calls.t_start[c] - t_from, t_to - calls.t_end[c], 0) / 3.6e9
    most = (FASTEST_KN * hours + PORT_EXTENT_NMI) * NMI_M / EARTH_RADIUS_M
    if most >= math.pi:
        return False
    x, y, z = calls.unit[c, 0] - unit[port, 0], calls.unit[c, 1] - unit[port, 1], calls.unit[c, 2] - unit[port, 2]
    chord = 2.0 * math.sin(0.5 * most)
    return x * x + y * y + z * z > chord * chord


@inlined
def elsewhere(legs, i, s, near, calls, unit):
    """Does a port call show that the ship cannot have been at the load port within two days of the departure?

    The calls about the departure are looked for from call `near` of the ship on, back and forth.
    """
    port = legs.load[i]
    if port < 0 or legs.depart0[i] == NAT or math.isnan(unit[port, 0]):
        return False
    t_from, t_to = legs.depart0[i] - 2 * DAY_US, legs.depart1[i] + 2 * DAY_US
    c = near - 1
    while c >= calls.ship_first[s] and calls.t_end[c] >= t_from - _ANYWHERE_DAYS * DAY_US:
        if too_far(calls, c, unit, port, t_from, t_to):
            return True
        c -= 1
    c = near
    while c < calls.ship_first[s + 1] and calls.t_start[c] <= t_to + _ANYWHERE_DAYS * DAY_US:
        if too_far(calls, c, unit, port, t_from, t_to):
            return True
        c += 1
    return False


@inlined
def note(x, used, leg, s, load_call, discharge_call, weight, bits):
    """Take a candidate, or better the one of the same ship; the number of candidates so far."""
    if x.stamp[s] == leg:
        at = x.place[s]
        if weight <= x.weight[at]:
            return used
    else:
        if used == x.ship.size:
            return used
        at = used
        used += 1
        x.stamp[s], x.place[s], x.ship[at] = leg, at, s
    x.load_call[at], x.discharge_call[at], x.weight[at], x.bits[at] = load_call, discharge_call, weight, bits
    return used


@inlined
def consider(legs, i, s, load_call, loaded, x, used, said, ships, calls, at, w):
    """Weigh a ship that called at the load port, or none (`load_call` -1) where it was named."""
    odds, bits = who(legs, i, s, said, ships, w)
    could = able(ships, s, legs.weight_kg[i])
    if load_call >= 0:
        after, t_sail = load_call, calls.t_end[load_call]
    else:
        t_sail = legs.depart0[i] if legs.depart0[i] != NAT else legs.arrive0[i] - VOYAGE_DAYS * DAY_US
        after = first_call(calls, s, t_sail) - 1
    discharge_call, arrived = find_discharge(legs, i, s, after, t_sail, calls, at, ships, w)
    if could == 0.0:
        bits |= VETO_SIZE
    weight = 0.0 if bits & VETOES else loaded * arrived * could * math.exp(odds)
    bits |= (LOADED if load_call >= 0 else 0) | (DISCHARGED if discharge_call >= 0 else 0)
    return note(x, used, i, s, load_call, discharge_call, weight, bits)


@inlined
def by_load(legs, i, x, used, said, ships, calls, at, w):
    """All ships that sailed from the load port about the declared departure."""
    port, t0, t1 = legs.load[i], legs.depart0[i], legs.depart1[i]
    first, last = at.first[port], at.first[port + 1]
    k = first + np.searchsorted(at.t_end[first:last], t0 - BEFORE_DAYS * DAY_US)
    while k < last and at.t_end[k] <= t1 + (SEARCH_DAYS + 1) * DAY_US:
        c = at.call[k]
        loaded = fit(at.t_end[k], t0, t1, w)
        if loaded > w.stray:
            used = consider(legs, i, calls.ship[c], c, loaded, x, used, said, ships, calls, at, w)
        k += 1
    return used


@inlined
def by_discharge(legs, i, x, used, said, ships, calls, at, unit, w):
    """All ships that came to the discharge port about the declared arrival, and are no candidates yet."""
    port, t0, t1 = legs.discharge[i], legs.arrive0[i], legs.arrive1[i]
    asked = legs.load[i] >= 0 and legs.depart0[i] != NAT
    first, last = at.first[port], at.first[port + 1]
    k = first + np.searchsorted(at.t_end[first:last], t0 - EARLY_DAYS * DAY_US)
    while k < last and at.t_end[k] <= t1 + (SEARCH_DAYS + AFTER_DAYS) * DAY_US:
        c, s = at.call[k], calls.ship[at.call[k]]
        if calls.t_start[c] <= t1 + (SEARCH_DAYS + 1) * DAY_US and not (
            x.stamp[s] == i and x.load_call[x.place[s]] >= 0
        ):
            odds, bits = who(legs, i, s, said, ships, w)
            could = able(ships, s, legs.weight_kg[i])
            if could == 0.0:
                bits |= VETO_SIZE
            if asked and elsewhere(legs, i, s, c, calls, unit):
                bits |= VETO_ELSEWHERE
            weight = (w.not_loaded if asked else 0.5) * fit(calls.t_start[c], t0, t1, w) * could * math.exp(odds)
            weight = 0.0 if bits & VETOES else weight
            used = note(x, used, i, s, np.int64(-1), c, weight, bits | DISCHARGED)
        k += 1
    return used


@inlined
def by_name(legs, i, x, said, ships, calls, at, unit, w):
    """All ships that answer to what the row says: their number, and the greatest weight."""
    k = legs.named[i]
    used, best = 0, 0.0
    for j in range(said.first[k], said.first[k + 1]):
        s = said.ship[j]
        load_call, loaded = find_load(legs, i, s, calls, at, w)
        used = consider(legs, i, s, load_call, loaded, x, used, said, ships, calls, at, w)
        if x.stamp[s] != i:
            continue
        if load_call < 0 and elsewhere(legs, i, s, first_call(calls, s, legs.depart0[i]), calls, unit):
            x.weight[x.place[s]] = 0.0
            x.bits[x.place[s]] |= VETO_ELSEWHERE
        best = max(best, x.weight[x.place[s]])
    return used, best


@inlined
def keep(i, x, used, none, out):
    """The likeliest candidates, and those named whom a veto excludes, behind them."""
    total = none
    for k in range(used):
        total += x.weight[k]
    out.none[i] = none / total
    n = 0
    for k in range(used):
        probability = x.weight[k] / total
        named = x.bits[k] & (IMO | IMO_SLIP | MMSI | NAME)
        if probability < LEAST and not (named and x.bits[k] & VETOES):
            continue
        n += probability >= LEAST
        at = KEPT - 1
        if out.ship[i, at] >= 0 and out.probability[i, at] >= probability:
            continue
        while at > 0 and (out.ship[i, at - 1] < 0 or out.probability[i, at - 1] < probability):
            out.ship[i, at], out.probability[i, at] = out.ship[i, at - 1], out.probability[i, at - 1]
            out.load_call[i, at], out.discharge_call[i, at] = out.load_call[i, at - 1], out.discharge_call[i, at - 1]
            out.bits[i, at] = out.bits[i, at - 1]
            at -= 1
        out.ship[i, at], out.probability[i, at], out.bits[i, at] = x.ship[k], probability, x.bits[k]
        out.load_call[i, at], out.discharge_call[i, at] = x.load_call[k], x.discharge_call[k]
    out.n[i] = n


@kernel
def weigh(legs, order, said, ships, calls, at, unit, w, x, out):
    """Weigh the candidates of some legs, in an order in which one leg's ships are mostly those of the leg before."""
    for n in range(order.size):
        i = order[n]
        used, best = by_name(legs, i, x, said, ships, calls, at, unit, w)
        if best < SURE:
            if legs.load[i] >= 0 and legs.depart0[i] != NAT:
                used = by_load(legs, i, x, used, said, ships, calls, at, w)
            if legs.discharge[i] >= 0 and legs.arrive0[i] != NAT:
                used = by_discharge(legs, i, x, used, said, ships, calls, at, unit, w)
        keep(i, x, used, w.none, out)
