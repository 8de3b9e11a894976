"""The slow, obvious twin of `ais.tracks`: per MMSI a list of hulls, each with all the fixes that it took.

A row is (t in µs, mmsi, lat, lon, sog, cog, msg_type), in time order; NaN is "not available". No ring, no hash table,
no early way out: only the rules. What is not a ship's, or has no position, does not belong in it.
"""

import math
from itertools import pairwise

from ais import tracks as rules
from ais.hulls import CONFIRMED, RECENT
from ais.status import CLOCK_OFF, DUPLICATE, JUMP, OK
from tests.naive import EARTH_RADIUS_M, KN_M_S, distance_m


class Hull:
    def __init__(self, number):
        self.number = number
        self.fixes = []

    @property
    def last(self):
        return self.fixes[-1]

    @property
    def sure(self):
        return self.number == 0 or len(self.fixes) >= CONFIRMED

    @property
    def sog(self):
        said = [row[4] for row in self.fixes if row[4] == 0 or speed(row[4]) > 0]
        return said[-1] if said else 0.0

    @property
    def classes(self):
        return {letter(row[6]) for row in self.fixes} - {None}

    @property
    def recent(self):
        """The last fixes, back to the last silence of more than an hour."""
        begin = 0
        for k, (a, b) in enumerate(pairwise(self.fixes)):
            if b[0] - a[0] > rules.RECENT_US:
                begin = k + 1
        return self.fixes[begin:][-RECENT:]


def speed(sog):
    low, high = rules.NOISE_SOG_KN
    return sog if 0 <= sog < rules.NO_SOG_KN and not low < sog < high else 0.0


def letter(msg_type):
    return {1: "A", 2: "A", 3: "A", 18: "B", 19: "B"}.get(msg_type)


def step(degrees):
    return math.floor(degrees * rules.FIELD_STEPS_PER_DEG + 0.5)


def repeats(hull, row):
    t, _, lat, lon, sog, _, msg_type = row
    if t == hull.last[0] and distance_m(*hull.last[2:4], lat, lon) <= rules.TOLERANCE_M:
        return True
    under_way = speed(sog) >= rules.UNDER_WAY_KN and msg_type != rules.COARSE
    window = rules.CLOCK_US if under_way else rules.COPY_WINDOW_US
    return t - hull.last[0] < window and any(
        (t // rules.TICK_US - other[0] // rules.TICK_US) * rules.TICK_US < window
        and (step(other[2]), step(other[3])) == (step(lat), step(lon))
        for other in hull.recent
    )


def metres(a, b, lat0):
    """East and north from a to b, flat around a latitude."""
    east = (b[1] - a[1] + 180) % 360 - 180
    per_deg = math.radians(1) * EARTH_RADIUS_M
    return east * math.cos(math.radians(lat0)) * per_deg, (b[0] - a[0]) * per_deg


def ahead_and_aside(hull, row):
    last = hull.last[2:4]
    begin = [step(degrees) / rules.FIELD_STEPS_PER_DEG for degrees in hull.recent[0][2:4]]
    x, y = metres(begin, last, last[0])
    if len(hull.recent) < 2 or math.hypot(x, y) < rules.COURSE_M:
        return None
    x, y = x / math.hypot(x, y), y / math.hypot(x, y)
    if math.sin(math.radians(row[5])) * x + math.cos(math.radians(row[5])) * y < 0.5:
        return None
    dx, dy = metres(last, row[2:4], last[0])
    return dx * x + dy * y, abs(dx * y - dy * x)


def verdict(hull, row):
    """Cost in metres, and "is the clock off"; None where the hull cannot take the fix."""
    t, _, lat, lon, sog, cog, msg_type = row
    silence = t - hull.last[0]
    seconds = silence * 1e-6
    other = letter(msg_type) is not None and bool(hull.classes) and letter(msg_type) not in hull.classes
    distance = distance_m(*hull.last[2:4], lat, lon)
    coarse = rules.COARSE in (msg_type, hull.last[6])
    beyond = distance - rules.TOLERANCE_M - (rules.COARSE_M if coarse else 0)
    said = rules.SOG_FACTOR * max(hull.sog, speed(sog)) * KN_M_S
    unsaid = silence <= rules.NEAR_US and beyond > said * seconds
    way = max(rules.MAX_SPEED_KN * KN_M_S, said) * seconds
    cost = distance + rules.SILENCE_M_S * seconds + rules.DOUBT_M * sum([other, unsaid, not hull.sure])
    if other and silence > rules.NEAR_US:
        return None
    if not hull.sure and silence > rules.FORGOTTEN_US:
        return None
    place = ahead_and_aside(hull, row)
    if beyond <= way:
        if other and unsaid:
            return None
        back = place is not None and place[0] < -rules.BEHIND_M and distance > rules.BEHIND_M
        soon = silence <= rules.BEHIND_US and (not math.isnan(cog) or distance - rules.BEHIND_M > way)
        return cost, back and soon and not coarse
    if not hull.sure or place is None or beyond > said * (seconds + rules.CLOCK_US * 1e-6):
        return None
    return (cost + rules.DOUBT_M, True) if place[1] <= max(rules.TOLERANCE_M, 0.25 * abs(place[0])) else None


def take(hulls, row):
    """Hull and status of a fix; it is put where it belongs."""
    for hull in hulls:
        if repeats(hull, row):
            return hull.number, DUPLICATE
    verdicts = [(*v, hull) for hull in hulls if (v := verdict(hull, row))]
    if verdicts:
        _, off, hull = min(verdicts, key=lambda v: v[0])
        if off:
            return hull.number, CLOCK_OFF
        fine = hull.last[6] != rules.COARSE
        if row[6] == rules.COARSE and fine and row[0] - hull.last[0] < rules.COARSE_US:
            return hull.number, DUPLICATE
    elif len(hulls) < rules.MAX_HULLS:
        hull = Hull(len(hulls))
        hulls.append(hull)
    else:
        doubtful = [hull for hull in hulls if not hull.sure]
        if not doubtful:
            return 0, JUMP
        hull = min(doubtful, key=lambda hull: hull.last[0])
        hull.fixes = []
    hull.fixes.append(row)
    return hull.number, OK if hull.sure else JUMP


def tracks(rows):
    """Hull and status of each row."""
    ships = {}
    return [take(ships.setdefault(row[1], []), row) for row in rows]
