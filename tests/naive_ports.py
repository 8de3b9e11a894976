"""The slow, obvious twins of port calls and voyages: plain Python over lists, one ship at a time.

A row is (t in µs, mmsi, lat, lon, sog, cog, nav_status), in time order.
"""

import calendar
import datetime
import math
from itertools import pairwise

from tests.naive import KN_M_S, by_ship, distance_m

FEED_SILENCE_US = 1_800_000_000


def port_calls(rows, ports, p):
    """Calls of each ship at ports (lat, lon): (mmsi, port, t_start, t_end, confidence, berth or None, waiting)."""
    times = [row[0] for row in rows]
    alive = dict(zip(times, _heard(times), strict=True))
    found = []
    for mmsi, track in by_ship(rows).items():
        call = None
        for before, row in pairwise([None, *track, None]):
            both = before is not None and row is not None
            dt = row[0] - before[0] if both else 0
            silent = both and min(dt, alive[row[0]] - alive[before[0]]) >= p.port_gap_s * 1_000_000
            had = call is not None
            if had and (row is None or distance_m(*ports[call["port"]], row[2], row[3]) > p.exit_m):
                found += _ended(call, before, row, dt, silent, ports, p)
                call = None
            if row is None:
                break
            nearest = min(range(len(ports)), key=lambda k: distance_m(*ports[k], row[2], row[3]))
            if call is None and distance_m(*ports[nearest], row[2], row[3]) <= p.enter_m:
                call = _begun(nearest, before, row, dt, silent and not had, ports, p)
            elif call is None and silent and not had:
                found += _between(mmsi, before, row, ports, p)
            if call is not None:
                _grow(call, before, row, silent and had, ports, p)
    return sorted(found, key=lambda call: call[:4])


def _heard(times):
    """For each time how long the feed was heard until then."""
    total, result = 0, []
    for before, t in pairwise([times[0], *times]):
        total += t - before if t - before <= FEED_SILENCE_US else 0
        result.append(total)
    return result


def _begun(port, before, row, dt, silent, ports, p):
    entered = before is not None and dt < p.port_gap_s * 1_000_000
    call = {
        "port": port,
        "fixes": [],
        "places": [],
        "entered": entered,
        "silences": 0,
        "gone": 0,
        "early": 0,
        "still": 0,
    }
    if silent:
        come, gone = _unseen(before, row, ports[port], p)
        if gone - come >= p.port_gap_s * 1_000_000 and _goes(row, ports[port]) <= 0:
            call |= {"gone": 1, "early": row[0] - come}
    return call


def _grow(call, before, row, silent, ports, p):
    """One more fix: a place is [port, fixes at rest, moves, seconds at anchor by status less moored]."""
    fixes, places = call["fixes"], call["places"]
    lying = bool(fixes) and call["lying"]
    if fixes:
        dt = row[0] - before[0]
        if dt >= p.port_gap_s * 1_000_000:
            call["silences"] += silent
            if silent and not places:
                call["port"] = _nearest_within(before, ports, p, call["port"])
        elif lying and row[4] < p.stop_end_kn:
            call["still"] += dt
            places[-1][3] += {1: dt, 5: -dt}.get(row[6], 0) / 1e6
    call["lying"] = row[4] < p.stop_end_kn if lying else row[4] <= p.stop_begin_kn
    fixes.append(row)
    if not call["lying"]:
        return
    metres = distance_m(*places[-1][4], row[2], row[3]) if places else math.inf
    if metres > p.place_m:
        call["port"] = _nearest_within(row, ports, p, call["port"])
        places.append([call["port"], [], 0, 0.0, row[2:4]])
    elif metres > 150.0:
        places[-1][2] += 1
        places[-1][4] = row[2:4]
    places[-1][1].append(row)


def _nearest_within(row, ports, p, otherwise):
    nearest = min(range(len(ports)), key=lambda k: distance_m(*ports[k], row[2], row[3]))
    return nearest if distance_m(*ports[nearest], row[2], row[3]) <= p.enter_m else otherwise


def _ended(call, before, row, dt, silent, ports, p):
    """The call, if it was one."""
    fixes, places = call["fixes"], call["places"]
    stop = call["still"] >= p.min_stop_s * 1_000_000
    left, t_end, gone = row is not None and dt < p.port_gap_s * 1_000_000, before[0], call["gone"]
    if silent and not stop and not call["silences"] and not gone:
        if not places:
            call["port"] = _nearest_within(before, ports, p, call["port"])
        come, back = _unseen(before, row, ports[call["port"]], p)
        if back - come >= p.port_gap_s * 1_000_000 and _goes(before, ports[call["port"]]) >= 0:
            gone, t_end = 1, back
    if not (stop or call["silences"] or gone):
        return []
    t0 = fixes[0][0]
    lasted = [(fix[-1][0] - t0) // 10**6 - (fix[0][0] - t0) // 10**6 for _, fix, *_ in places]
    anchored = [
        (moves >= 3 and moves * 4 * 3600 >= s) or 2 * said > s
        for (_, _, moves, said, _), s in zip(places, lasted, strict=True)
    ]
    main = max(range(len(places)), key=lambda k: (not anchored[k], lasted[k], -k), default=None)
    port = call["port"] if main is None else places[main][0]
    if not stop and gone and not call["silences"]:
        confidence = 1
    else:
        confidence = 2 + call["entered"] + left
    waited = sum(s for s, at_anchor in zip(lasted, anchored, strict=True) if at_anchor)
    berth = None if main is None or anchored[main] else lasted[main]
    t_start = fixes[0][0] - (0 if stop else call["early"])
    return [(fixes[0][1], port, t_start, before[0] if stop else t_end, confidence, berth, waited)]


def _between(mmsi, before, row, ports, p):
    """A call in a silence with both ends outside."""
    for end in (before, row):
        port = min(ports, key=lambda place: distance_m(*place, end[2], end[3]))
        near = all(distance_m(*port, fix[2], fix[3]) <= p.near_m for fix in (before, row))
        least = math.cos(math.radians(p.near_course_deg))
        if near and _goes(before, port) >= least and _goes(row, port) <= -least:
            come, gone = _unseen(before, row, port, p)
            if gone - come >= p.port_gap_s * 1_000_000:
                return [(mmsi, ports.index(port), come, gone, 1, 0, 0)]
    return []


def _unseen(before, row, port, p):
    """When it can have come and left at the speed it was heard with."""
    us_per_m = 1e6 / (max([p.passage_kn, *(v for v in (before[4], row[4]) if v == v)]) * KN_M_S)
    come = before[0] + int(distance_m(*port, before[2], before[3]) * us_per_m)
    return come, row[0] - int(distance_m(*port, row[2], row[3]) * us_per_m)


def _goes(row, port):
    """The part of the course that leads to a port: 1 to -1, 0 for a ship that lies still."""
    if row[4] < 1.0:
        return 0.0
    a, b, d = math.radians(row[2]), math.radians(port[0]), math.radians(port[1] - row[3])
    bearing = math.atan2(math.sin(d) * math.cos(b), math.cos(a) * math.sin(b) - math.sin(a) * math.cos(b) * math.cos(d))
    return math.cos(math.radians(row[5]) - bearing)


def voyages(calls, now):
    """From the end of a call to the beginning of the next: (mmsi, hull, t_start, t_end, from, to); to None: goes on.

    A call is (mmsi, hull, t_start, t_end, port, open).
    """
    found = []
    for ship in sorted({call[:2] for call in calls}):
        own = sorted(call[2:] for call in calls if call[:2] == ship)
        found += [(*ship, a[1], b[0], a[2], b[2]) for a, b in pairwise(own)]
        found += [(*ship, own[-1][1], now, own[-1][2], None)] * (not own[-1][3])
    return sorted(found)


def judged(meant, left, came, within_m):
    """The label of a voyage between two places (the second None while it goes on), and which declaration it rests on.

    Each of `meant` is (places that it may mean, whether nothing else can be meant, whether it names no place).
    """
    unread, back = False, False
    for k, (places, sure, nothing) in enumerate(meant):
        from_here = any(distance_m(*place, *left) <= within_m for place in places)
        to_there = came is not None and any(distance_m(*place, *came) <= within_m for place in places)
        back = back or to_there
        if nothing or from_here:
            continue
        if to_there:
            return "as_declared", k
        if places:
            return ("elsewhere" if sure and came is not None else ""), k
        unread = True
    return ("as_declared" if back else "" if unread else "undeclared"), None


def silent_h(start, end, silences):
    """Hours of the silences (start, end) between two times."""
    return sum(max(0, min(end, b) - max(start, a)) for a, b in silences) / 3.6e9


def eta(month, day, hour, minute, said_us):
    """The moment of an ETA nearest to when it was said, by trying every year; None when there is none."""
    said = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=said_us)
    tries = []
    for year in range(said.year - 1, said.year + 2):
        if 1 <= month <= 12 and 1 <= day <= calendar.monthrange(year, month)[1]:
            tries.append(datetime.datetime(year, month, day, hour, minute, tzinfo=datetime.UTC))
    best = min(tries, key=lambda t: abs(t - said), default=None)
    return best if best is not None and abs(best - said) < datetime.timedelta(days=184) else None
