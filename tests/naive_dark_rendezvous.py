"""The slow, obvious twin of dark rendezvous: every silence against every other ship, one pair and one shift at a time.

A stay is a dictionary: ship, lat, lon, lat_end, lon_end (None while open), t0 and t1 in µs, speed in m/s.
"""

from tests.naive import distance_m

HOUR_US = 3_600_000_000


def way_us(a, b, speed):
    return distance_m(*a, *b) / speed * 1e6


def with_drifter(one, other):
    """(from, to, misfit in hours) of a silent ship beside a drifting one."""
    start, end = (one["lat"], one["lon"]), (one["lat_end"], one["lon_end"])
    place = (other["lat"], other["lon"])
    there = way_us(start, place, one["speed"])
    if end[0] is None:
        return max(other["t0"], one["t0"] + there), min(other["t1"], one["t1"]), 0.0
    back, straight = way_us(place, end, one["speed"]), way_us(start, end, one["speed"])
    detour = max(0.0, there + back - straight) / HOUR_US
    return max(other["t0"], one["t0"] + there), min(other["t1"], one["t1"] - back), detour


def together(silences, others, least_us, pair=with_drifter):
    """All pairs of different ships that could have been together for long enough: (row, row, from, to, misfit)."""
    found = []
    for i, one in enumerate(silences):
        for j, other in enumerate(others):
            if one["ship"] == other["ship"]:
                continue
            t_from, t_to, misfit = pair(one, other)
            if t_to - t_from >= least_us:
                found.append((i, j, t_from, t_to, misfit))
    return found


def chance_rates(found, silences, others, begin, length, steps, least_us):
    """How many partners as fitting, or more, each silence has when the others' times are shifted, on average."""
    worse = dict.fromkeys(range(len(found)), 0)
    for step in range(1, steps + 1):
        moved = []
        for other in others:
            t0 = begin + (other["t0"] - begin + length * step // (steps + 1)) % length
            moved.append({**other, "t0": t0, "t1": t0 + other["t1"] - other["t0"]})
        for i, _, _, _, misfit in together(silences, moved, least_us):
            for k, pair in enumerate(found):
                worse[k] += pair[0] == i and misfit <= pair[4]
    return [(worse[k] + 1) / (steps + 1) for k in range(len(found))]
