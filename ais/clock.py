"""A clock for feeds without times: a start that the user gives, or the reports of base stations.

Position reports carry the second of UTC. From a known time on, the clock follows it: of the seconds of the last five
messages the one nearest to all others counts, so that a set with a wrong clock moves nothing; time goes back by up to
15 s without effect, and otherwise forward. A silence of the whole feed of more than 45 s is lost in this way, and only
a base station's report (types 4 and 11: date and time) sets the clock right again.
"""

from __future__ import annotations

import numpy as np

from ais.civil import civil_us
from ais.records import places, unsigned
from ais.table import NAT
from geo.kernel import inner, kernel

CLOCK = np.dtype(
    [
        ("t", "i8"),  # µs since 1970 UTC, NAT unknown
        ("stated", "i8"),  # by the base station that was heard last
        ("stated_by", "i8"),  # its MMSI
        ("by_base", "i8"),  # 1: base stations set it
        ("t_min", "i8"),
        ("t_max", "i8"),
        ("next", "i8"),
        ("seconds", "i8", (5,)),  # of the last messages, -1 none
    ],
    align=True,
)

BASE, CLASS_A, CLASS_B, AIRCRAFT = (places(name) for name in ("base_station", "position_a", "position_b", "aircraft"))
MINUTE_US = 60_000_000
BACK_S = 15
AGREE_US = 5 * MINUTE_US
"""A base station that is further off is believed when another one agrees with it."""


@inner
def read(words, row, at):
    """An unsigned field, -1 where the bits do not cover it."""
    return unsigned(words, row.words, at[0], at[1]) if row.n_bits >= at[0] + at[1] else -1


@inner
def second_of(row, words):
    """UTC second of a position; below 0 or above 59 for none."""
    kind = row.msg_type
    if kind <= 3:
        return read(words, row, CLASS_A.second)
    if kind == 4 or kind == 11:
        return read(words, row, BASE.second)
    if kind == 9:
        return read(words, row, AIRCRAFT.second)
    return read(words, row, CLASS_B.second) if kind == 18 or kind == 19 else -1


@inner
def base_time(row, words):
    """Date and time of a base station's report: µs or NAT."""
    year, second = read(words, row, BASE.year), read(words, row, BASE.second)
    if not 0 <= second < 60 or year == 0:
        return NAT
    month, day = read(words, row, BASE.month), read(words, row, BASE.day)
    return civil_us(year, month, day, read(words, row, BASE.hour), read(words, row, BASE.minute), second)


@inner
def usual_second(seconds):
    """The second that is nearest to all others on the dial."""
    best, best_sum = seconds[0], 1 << 30
    for k in range(5):
        total = 0
        for other in range(5):
            apart = abs(seconds[k] - seconds[other])
            total += min(apart, 60 - apart)
        if seconds[k] >= 0 and total < best_sum:
            best, best_sum = seconds[k], total
    return best


@inner
def set_by_base(clock, t, mmsi):
    """A base station states a time: believed if it agrees, or if another one before it said the same."""
    if t == NAT or not clock.t_min <= t < clock.t_max:
        return
    agreed = clock.stated_by != mmsi and clock.stated != NAT and abs(t - clock.stated) <= AGREE_US
    near = clock.t != NAT and abs(t - clock.t) <= AGREE_US
    if clock.t == NAT or (near and t > clock.t) or (agreed and not near):
        clock.t = t
        for k in range(5):
            clock.seconds[k] = -1
    clock.stated, clock.stated_by = t, mmsi


@kernel
def keep_time(clocks, rows, n, words):
    """Give the clock's time to each message that has none."""
    clock = clocks[0]
    for i in range(n):
        row = rows[i]
        if row.msg_type == 0:
            continue
        if clock.by_base and (row.msg_type == 4 or row.msg_type == 11):
            set_by_base(clock, base_time(row, words), np.int64(row.mmsi))
        second = second_of(row, words)
        if 0 <= second < 60 and clock.t != NAT:
            for k in range(5):
                if clock.seconds[k] < 0:
                    clock.seconds[k] = clock.t // 1_000_000 % 60
            clock.seconds[clock.next] = second
            clock.next = (clock.next + 1) % 5
            ahead = (usual_second(clock.seconds) - clock.t // 1_000_000 % 60 + BACK_S) % 60 - BACK_S
            if ahead > 0:
                clock.t += ahead * 1_000_000
        if row.t == NAT:
            row.t = clock.t
