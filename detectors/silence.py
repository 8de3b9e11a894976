"""How likely a silence is while the ship sends: messages expected on its way, their dispersion, and the score.

What was expected is the rate of each cell on the way times the hours there, less what the receivers around were silent
themselves (`detectors.neighbours`). Reception is over-dispersed: weather, a full slot map, stations that fail, rates
that are borrowed from a parent cell. How much is measured on the traffic: for every six hours of a ship the
count is set against what the table had promised just before, and the excess of the squared error over a Poisson law
gives the dispersion phi of a negative binomial (method of moments: sum((n - m)^2 - m) / sum(m^2)), for each class, each
band of rates and each resolution that the rates came from. No message at all then has the probability
(1 + phi m)^(-1 / phi). Passes of satellites are more even than chance: phi is below 0 there, and the law a binomial.

Between its two fixes a ship need not have gone straight. Where it had time left and was under way, half of the weight
goes to ways that lead on by its last course and 40 degrees to each side of it, to whatever place there explains the
silence best, and back: whoever was last heard at the rim of reception, outward bound, may have been beyond it.
"""

from __future__ import annotations

import math

import numpy as np

from detectors.coverage import BANDS, DEAD_S, HOUR_US, MAX_PATH_POINTS, PATH_STEP_M, rate_at
from detectors.event import DARK, GAP
from detectors.neighbours import BLOCK_US, BLOCKS, share_heard
from geo.cells import INDEX_RESOLUTION, cell_at
from geo.kernel import inner
from geo.sphere import KN_M_S, destination, distance_m, interpolate

WINDOW_US = 6 * HOUR_US
"""Time of a ship over which its messages are counted against what was promised."""
UNIT = 1024.0
"""Sums of squares are kept as integers of this fraction of one."""
EXCESS, SQUARES, HEARD, PROMISED = range(4)
"""Columns of `sums`, by class, band of rates and finest known resolution."""
EXPOSURE_MS = 0
"""The one column of `totals`, by class: vessel time."""
FACT_NAMES = (
    "expected_messages", "p_value", "q_value", "dispersion", "neighbours", "receiver_share", "last_speed_kn",
    "last_course_deg", "class_b", "feed_share", "in_reception",
)  # fmt: skip
EXPECTED, P, Q, PHI, AROUND, SHARE, SOG, COG, CLASS_B, FEED, LAID = range(len(FACT_NAMES))
"""Places in the facts of an event: messages expected and none heard, its probability, the share of false discoveries,
dispersion, other ships heard around in two hours, share of the time in which the receivers worked, speed and course at
the last fix, 1 for class B, share of the time in which the feed was heard, 1 where the silence itself counts in what is
known of the reception."""
LONGEST_H = 24.0
"""Between two messages of a ship that sends; where it is longer, reception is no measure of intent."""
LEAST_P = 1e-30
"""Smaller probabilities are given as this."""
PRIOR_PHI = np.array([1.0, 1.0, 0.5, 0.25, 0.15, 0.1])
"""Dispersion by finest known resolution (0 none) before anything is known of it: stated, not measured; 1 is a rate
that may as well be nothing."""
PRIOR_SQUARES = 200.0
"""Weight of that: ten windows of 4.5 expected messages."""
PRIOR_KEPT = np.array([0.0, 0.25, 0.35, 0.5, 0.7, 1.0])
"""Share of what was promised that came, by finest known resolution, before anything is known of it: 0.7 for each step
to a coarser cell, whose rate is that of places where ships are heard."""
PRIOR_PROMISED = 50.0
"""Weight of that, in messages."""
MOST_EVEN = 0.99
"""A trial every `DEAD_S`, less a little that keeps the logarithm finite."""
AWAY_KN = 12.0
"""Speed of the ways out: a merchant ship's; the last speed where that is higher."""
AWAY_M = np.array([0.0, 16e3, 32e3, 48e3, 64e3, 96e3, 128e3, 192e3, 256e3, 384e3])
"""Where such a way may end: in steps of a cell at first, up to the edge of the coarsest cells."""
BEARINGS, SPREAD_DEG = 3, 40.0
"""Ways out and the angle between them: onward, and to either bow."""
LEAST_SOG_KN = 2.0
"""A slower ship lies or drifts: its course means nothing."""
LEAST_SLACK_H = 2.0
"""Time left that makes a way out worth thinking of."""


@inner
def band_of(rate):
    """Which of the bands of rates."""
    return min(BANDS - 1, np.int64(rate))


@inner
def tell(r, class_b, resolution, hours, heard, expected, weight):
    """Set what a ship was heard with in a window against what was expected."""
    sums = r.sums[np.int64(class_b), band_of(expected / hours), resolution]
    sums[EXCESS] += np.int64(math.floor(weight * UNIT * ((heard - expected) ** 2 - expected) + 0.5))
    sums[SQUARES] += np.int64(math.floor(weight * UNIT * expected**2 + 0.5))
    sums[HEARD] += np.int64(math.floor(weight * UNIT * heard + 0.5))
    sums[PROMISED] += np.int64(math.floor(weight * UNIT * expected + 0.5))


@inner
def dispersion(r, class_b, resolution, rate):
    """Excess of the variance over a Poisson law, relative to the square of the mean."""
    sums = r.sums[np.int64(class_b), band_of(rate), resolution]
    excess = sums[EXCESS] / UNIT + PRIOR_PHI[resolution] * PRIOR_SQUARES
    return excess / (sums[SQUARES] / UNIT + PRIOR_SQUARES)


@inner
def kept(r, class_b, resolution, rate):
    """Share of the promised messages that came, where the rate was that of cells of this resolution."""
    sums = r.sums[np.int64(class_b), band_of(rate), resolution]
    return (sums[HEARD] / UNIT + PRIOR_KEPT[resolution] * PRIOR_PROMISED) / (sums[PROMISED] / UNIT + PRIOR_PROMISED)


@inner
def none_heard(expected, phi, hours):
    """Probability of no message where so many are expected: a negative binomial, or a binomial for phi below 0.

    Every `DEAD_S` a message may count or not, so that no reception is more even than the binomial of so many trials.
    """
    if expected <= 0.0:
        return 1.0
    phi = max(phi, -MOST_EVEN * DEAD_S / 3600.0 / hours)
    if abs(phi) * expected < 1e-6:
        return math.exp(-expected)
    return math.exp(-math.log(max(1.0 - MOST_EVEN, 1.0 + phi * expected)) / phi)


@inner
def on_the_way(r, class_b, trust, lat0, lon0, t0, lat1, lon1, t1, feed_share):
    """A silence on the great circle at constant speed.

    Gives messages expected, dispersion, share of the time in known cells, share of it in which the receivers worked,
    and the mean number of other ships heard around. Of more than 43 days the last 43 count.
    """
    first, last = t0 // BLOCK_US, (t1 - 1) // BLOCK_US
    hours_of_all, distance = (t1 - t0) / 3.6e9, distance_m(lat0, lon0, lat1, lon1)
    expected, spread, known_hours, heard_hours, around_sum = 0.0, 0.0, 0.0, 0.0, 0
    for block in range(max(first, last - BLOCKS + 1), last + 1):
        begin, end = max(t0, block * BLOCK_US), min(t1, (block + 1) * BLOCK_US)
        steps = max(1, min(MAX_PATH_POINTS, math.ceil(distance * (end - begin) / (t1 - t0) / PATH_STEP_M)))
        hours = (end - begin) / 3.6e9 / steps
        cell = np.uint64(0)
        for k in range(steps):
            done = (begin - t0 + (end - begin) * (k + 0.5) / steps) / (t1 - t0)
            lat, lon = interpolate(lat0, lon0, lat1, lon1, done)
            cell = cell_at(lat, lon, INDEX_RESOLUTION)
            share, around = share_heard(r, cell, block, first, last, feed_share)
            rate, resolution = rate_at(r, cell, class_b, trust)
            phi = dispersion(r, class_b, resolution, rate)
            rate *= kept(r, class_b, resolution, rate)
            expected += rate * hours * share
            spread += phi * rate * hours * share
            heard_hours += share * hours
            known_hours += hours * (resolution > 0)
        around_sum += around
    phi = spread / expected if expected > 0.0 else 1.0
    blocks = last - max(first, last - BLOCKS + 1) + 1
    return expected, phi, known_hours / hours_of_all, heard_hours / hours_of_all, around_sum / max(1, blocks - 2)


@inner
def beyond(r, class_b, trust, lat, lon, course, hours, ways, speed_kn, share):
    """Probability of no message on ways that lead out on all bearings; `ways` is 2 where the ship came back."""
    total, speed_m_h = 0.0, speed_kn * KN_M_S * 3600.0
    for k in range(BEARINGS):
        bearing = course + SPREAD_DEG * (k - BEARINGS // 2)
        best, out, spread, before_rate, before_m = 0.0, 0.0, 0.0, 0.0, 0.0
        for away_m in AWAY_M:
            travel_h = ways * away_m / speed_m_h
            if travel_h > hours:
                break
            there = destination(lat, lon, bearing, away_m)
            rate, resolution = rate_at(r, cell_at(there[0], there[1], INDEX_RESOLUTION), class_b, trust)
            phi = dispersion(r, class_b, resolution, rate)
            rate *= kept(r, class_b, resolution, rate)
            spread += ways * (away_m - before_m) / speed_m_h * 0.5 * rate * phi * share
            out += ways * (away_m - before_m) / speed_m_h * 0.5 * (rate + before_rate) * share
            stay = rate * (hours - travel_h) * share
            best = max(best, none_heard(out + stay, (spread + phi * stay) / max(1e-9, out + stay), hours))
            before_rate, before_m = rate, away_m
        total += best
    return total / BEARINGS


@inner
def chance(r, class_b, trust, lat0, lon0, t0, sog, cog, lat1, lon1, t1, still_open, feed_share):
    """Probability that all messages of a silence are lost by chance, and what it rests on.

    Gives (probability, messages expected, dispersion, share of time in known cells, share in which receivers worked,
    other ships around).
    """
    expected, phi, known, share, around = on_the_way(r, class_b, trust, lat0, lon0, t0, lat1, lon1, t1, feed_share)
    p = none_heard(expected, phi, (t1 - t0) / 3.6e9)
    speed_kn = max(AWAY_KN, sog) if sog == sog else AWAY_KN
    hours = (t1 - t0) / 3.6e9
    slack_h = hours - distance_m(lat0, lon0, lat1, lon1) / (speed_kn * KN_M_S * 3600.0)
    if slack_h > LEAST_SLACK_H and known > 0.0 and sog >= LEAST_SOG_KN and cog == cog:
        ways = 1.0 if still_open else 2.0
        away = beyond(r, class_b, trust, lat0, lon0, cog, slack_h, ways, speed_kn, share)
        p = 0.5 * p + 0.5 * none_heard(expected * (1.0 - slack_h / hours), phi, hours - slack_h) * away
    return p, expected, phi, known, share, around


@inner
def dark_score(p, expected, hours, dark_per_day):
    """Probability that the ship did not send, by Bayes' rule.

    Before, a ship falls silent on purpose `dark_per_day` times a day. One honest silence follows each message, so that
    there are `expected / hours` an hour of them (one a day at least), and `p` of these last as long as this one. Where
    no message is expected, the silence says nothing, however long it is.
    """
    between_h = min(LONGEST_H, hours / max(1.0, expected))
    odds = dark_per_day / 24.0 * between_h / p
    return odds / (1.0 + odds)


@inner
def judge(r, event, limits):
    """Write into the event of a silence what reception says of it; the probability that the ship sent."""
    facts, end = event.facts, event.open == 0
    p, expected, phi, known, share, around = chance(
        r,
        np.uint8(facts[CLASS_B]),
        limits.trust,
        event.lat,
        event.lon,
        event.t_start,
        np.float64(facts[SOG]),
        np.float64(facts[COG]),
        event.lat_end if end else event.lat,
        event.lon_end if end else event.lon,
        event.t_end,
        not end,
        np.float64(facts[FEED]),
    )
    facts[SHARE], event.coverage = share, known * share
    event.kind, event.score = GAP, np.nan
    facts[EXPECTED], facts[P], facts[PHI], facts[AROUND] = np.nan, np.nan, np.nan, np.nan
    if known == 0.0:
        return 0.0
    p = max(p, LEAST_P)
    score = dark_score(p, expected, (event.t_end - event.t_start) / 3.6e9, limits.dark_per_day)
    event.kind, event.score = DARK if score >= limits.min_score else GAP, score
    facts[EXPECTED], facts[P], facts[PHI], facts[AROUND] = expected, p, phi, around
    return 1.0 - score
