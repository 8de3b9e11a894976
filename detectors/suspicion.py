"""Cases: what a ship's reports are suspected of, for as long as it lasts.

Few ships are under suspicion at a time. So what a suspicion needs lies in records of a pool, chained to the hull that
it is about, one for each label at most; the state of every other hull stays small.
"""

from __future__ import annotations

import numpy as np

from detectors.event import FALSE_POSITION, begin_event, label_code
from geo.kernel import inlined, inner

ON_LAND, IMPOSSIBLE_SPEED, COURSE, CIRCLE, SIMULATED, BEYOND_HORIZON, SPEED_CHANGE = (
    label_code(word)
    for word in ("on_land", "impossible_speed", "course", "circle", "simulated", "beyond_horizon", "speed_change")
)
CASES_OF_HULL = 7
"""Labels for which a hull can have a case; each has one at most."""
FACTS = (
    "radius_m", "residual_m", "turns", "implied_speed_kn", "reported_speed_kn", "inland_m", "miss_kn", "jitter_m",
    "beyond_m", "ships",
)  # fmt: skip
(RADIUS, RESIDUAL, TURNS, IMPLIED, REPORTED, INLAND, MISS, JITTER, BEYOND, SHIPS) = range(10)

CASE = np.dtype(
    [
        ("t0", "i8"),  # first and last fix that speak for it
        ("t_good", "i8"),
        ("offset0", "i8"),
        ("offset_good", "i8"),
        ("lat0", "f8"),
        ("lon0", "f8"),
        ("lat", "f8"),
        ("lon", "f8"),
        ("moments", "f8", (10,)),  # of a circle, see `detectors.circle`
        ("way_m", "f8"),  # of a circle: that the reported speeds make, and the speeds and their squares
        ("speed_s", "f8"),
        ("square_s", "f8"),
        ("radius_m", "f4"),
        ("residual_m", "f4"),
        ("most", "f4"),  # the largest value of what its label measures
        ("reported", "f4"),
        ("share", "f4"),  # the score that goes with `most`
        ("n", "i4"),
        ("next", "i4"),  # of the same hull, or of the free ones; number + 1, 0 none
        ("source0", "u2"),
        ("source_good", "u2"),
        ("label", "u1"),
        ("sure", "u1"),  # 1: what was seen so far is enough for an event
    ],
    align=True,
)
"""One suspicion of one hull."""
USED, FREE, LEFT, LOST = range(4)
"""The pool's numbers: places ever used, head of the free ones (number + 1), how many are free among the used, and how
often the bound left no room for another."""


@inlined
def fix_of(offset, source):
    """The row of a fix in one number: where it stands in its source (48 bits), and which that is."""
    return offset << 16 | source


@inlined
def row_of(fix):
    """Offset and source of a fix."""
    return fix >> 16, fix & 0xFFFF


@inlined
def hull_of(s):
    """The hull that is watched."""
    return s.free_hull & 15


@inner
def room(cases, pool):
    """How many cases can still be opened."""
    return cases.size - pool[USED] + pool[LEFT]


@inner
def is_barred(pool, most):
    """Whether so many cases are open that there is no room for another; counts it."""
    if pool[USED] - pool[LEFT] < most:
        return False
    pool[LOST] += 1
    return True


@inner
def find_case(cases, head, label):
    """The number of a hull's case of this label, from the head of its chain; -1 none."""
    k = head - 1
    while k >= 0 and cases[k].label != label:
        k = cases[k].next - 1
    return k


@inner
def open_case(cases, pool, s, label, t, offset, source, lat, lon):
    """A new case of a hull (its state `s` holds the chain), which begins at this fix; its number."""
    k = pool[FREE] - 1
    if k >= 0:
        pool[FREE] = cases[k].next
        pool[LEFT] -= 1
    else:
        k = pool[USED]
        pool[USED] += 1
    case = cases[k]
    case.label, case.sure, case.n, case.next = label, 0, 1, s.case
    s.case = k + 1
    case.t0, case.offset0, case.source0, case.lat0, case.lon0 = t, offset, source, lat, lon
    case.t_good, case.offset_good, case.source_good, case.lat, case.lon = t, offset, source, lat, lon
    case.way_m, case.speed_s, case.square_s = 0.0, 0.0, 0.0
    case.radius_m, case.residual_m, case.most, case.reported, case.share = np.nan, np.nan, 0.0, np.nan, 0.0
    for m in range(case.moments.size):
        case.moments[m] = 0.0
    return k


@inner
def good_until(case, t, offset, source, lat, lon):
    """This fix speaks for the case too."""
    case.t_good, case.offset_good, case.source_good, case.lat, case.lon = t, offset, source, lat, lon


@inner
def drop_case(cases, pool, s, k):
    """Take a case out of its hull's chain and free it."""
    if s.case == k + 1:
        s.case = cases[k].next
    else:
        before = s.case - 1
        while cases[before].next != k + 1:
            before = cases[before].next - 1
        cases[before].next = cases[k].next
    cases[k].next, cases[k].label = pool[FREE], 0
    pool[FREE] = k + 1
    pool[LEFT] += 1


@inner
def write_case(case, s, still_open, event):
    """The event of a case; `share` is its score."""
    begin_event(event, FALSE_POSITION, s.mmsi, hull_of(s))
    event.label, event.open, event.n = case.label, still_open, case.n
    event.t_start, event.t_end = case.t0, case.t_good
    event.lat, event.lon, event.lat_end, event.lon_end = case.lat0, case.lon0, case.lat, case.lon
    if case.label == CIRCLE:
        event.lat, event.lon = case.lat, case.lon  # the centre
    event.score, event.coverage = case.share, 1.0  # a silence ends a case
    event.first_source, event.first_offset = case.source0, case.offset0
    event.last_source, event.last_offset = case.source_good, case.offset_good
    if case.label == ON_LAND:
        event.facts[INLAND] = case.most
    elif case.label == BEYOND_HORIZON:
        event.facts[BEYOND] = case.most
    elif case.label == COURSE:
        event.facts[MISS] = case.most
    elif case.label == SIMULATED:
        event.facts[JITTER] = case.most
    elif case.label == CIRCLE:
        event.facts[RADIUS], event.facts[RESIDUAL] = case.radius_m, case.residual_m
        event.facts[TURNS], event.facts[REPORTED] = case.most, case.reported
    else:
        event.facts[IMPLIED], event.facts[REPORTED] = case.most, case.reported


@inner
def close_case(cases, pool, s, k, still_open, p, event):
    """A case ends: 1 when it was enough and stands in `event`, else 0."""
    case = cases[k]
    lasted = case.t_good - case.t0
    enough = case.sure == 1
    if case.label == ON_LAND or case.label == BEYOND_HORIZON:
        enough = case.n >= p.min_fixes and lasted >= p.min_duration_us
    elif case.label == IMPOSSIBLE_SPEED:
        enough = case.n > p.min_steps
    elif case.label == SIMULATED:
        enough = lasted >= p.min_smooth_us
    if enough:
        write_case(case, s, still_open, event)
        if case.label == COURSE or case.label == SIMULATED or case.label == CIRCLE:  # seen in windows of this length
            half_s = 0.45 * 1e-6 * p.window_us
            event.start_error_s, event.end_error_s = half_s, half_s
    drop_case(cases, pool, s, k)
    return 1 if enough else 0


@inner
def close_all(cases, pool, s, still_open, p, out, events):
    """All cases of a hull end: the number of events in `out` then."""
    while s.case != 0:
        events += close_case(cases, pool, s, s.case - 1, still_open, p, out[events])
    return events


@inner
def note_fix(cases, pool, s, label, active, measure, share, reported, t, offset, source, lat, lon, p, event):
    """What a single fix says for or against a label: 1 when an event stands in `event`, else 0.

    What a step says (a speed) it says from the fix before on.
    """
    k = find_case(cases, s.case, label) if s.case != 0 else -1
    if not active:
        return close_case(cases, pool, s, k, 0, p, event) if k >= 0 else 0
    if k < 0:
        if is_barred(pool, p.most_cases):
            return 0
        k = open_case(cases, pool, s, label, t, offset, source, lat, lon)
        if label in (IMPOSSIBLE_SPEED, SPEED_CHANGE):
            case = cases[k]
            case.t0 = s.t
            case.offset0, case.source0 = row_of(s.fix)
            case.lat0, case.lon0, case.n, case.sure = s.lat * 1e-7, s.lon * 1e-7, 2, 1
    else:
        cases[k].n += 1
    case = cases[k]
    good_until(case, t, offset, source, lat, lon)
    if share >= case.share:
        case.most, case.share, case.reported = measure, share, reported
    return 0


@inner
def note_window(cases, pool, s, label, active, measure, share, lat0, lon0, t, offset, source, lat, lon, p, event):
    """What a window that ends at this fix says for or against a label: 1 when an event stands in `event`, else 0."""
    k = find_case(cases, s.case, label) if s.case != 0 else -1
    if not active:
        return close_case(cases, pool, s, k, 0, p, event) if k >= 0 else 0
    if k < 0:
        if is_barred(pool, p.most_cases):
            return 0
        offset0, source0 = row_of(s.first_fix)
        k = open_case(cases, pool, s, label, s.t - s.since_us, offset0, source0, lat0, lon0)
        cases[k].sure = 1
    case = cases[k]
    case.n += s.n - 1
    good_until(case, t, offset, source, lat, lon)
    if measure >= case.most:
        case.most, case.share = measure, share
    return 0
