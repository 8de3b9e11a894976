"""Circles: an algebraic fit by running moments.

Positions of ships under GNSS interference were seen to run round circles of some hundred metres at the speed of a ship
under way, far from where the ship was (Bergman 2019 and 2020, on ships off Shanghai and Point Reyes). What tells such a
circle from a ship that turns: the radius stays within a few percent for several turns, at a speed that does not change.
A ship at anchor swings slowly; a survey, a trawl, a pilot boat or a holding pattern leaves no circle.

The fit is Kåsa's (1976): the centre and radius that make the sum of (x² + y² - 2ax - 2by - c)² least follow from nine
sums, whatever the number of positions, and so does the least itself. Positions may be as sparse as they are.
"""

from __future__ import annotations

import math

import numpy as np

from geo.kernel import inner
from geo.sphere import EARTH_RADIUS_M, KN_M_S, wrap_deg

N, X, Y, XX, XY, YY, XZ, YZ, ZZ, TOLD = range(10)
"""Places in `moments`; z is x² + y², and TOLD counts the positions with a speed."""
NO_CIRCLE, ARC, ROUND = range(3)
"""What the positions are so far: no circle, perhaps a part of one, a circle gone round often enough."""


@inner
def add_to_circle(case, dt_s, sog_m_s, lat, lon):
    """One more position of a ship that may be going round; metres from where the case began."""
    y = math.radians(lat - case.lat0) * EARTH_RADIUS_M
    x = math.radians(wrap_deg(lon - case.lon0)) * EARTH_RADIUS_M * math.cos(math.radians(case.lat0))
    z = x * x + y * y
    m = case.moments
    m[N] += 1.0
    m[X] += x
    m[Y] += y
    m[XX] += x * x
    m[XY] += x * y
    m[YY] += y * y
    m[XZ] += x * z
    m[YZ] += y * z
    m[ZZ] += z * z
    if sog_m_s == sog_m_s:
        case.way_m += sog_m_s * dt_s
        case.speed_s += sog_m_s
        case.square_s += sog_m_s * sog_m_s
        m[TOLD] += 1.0


@inner
def fit_circle(m):
    """Centre (y, x), radius and root mean square distance from the circle, metres; NaN where there is no fit."""
    n = m[N]
    xm, ym, zm = m[X] / n, m[Y] / n, (m[XX] + m[YY]) / n
    xx, yy, xy = m[XX] / n - xm * xm, m[YY] / n - ym * ym, m[XY] / n - xm * ym
    xz, yz, zz = m[XZ] / n - xm * zm, m[YZ] / n - ym * zm, m[ZZ] / n - zm * zm
    det = xx * yy - xy * xy
    if not det > 1e-9 * (xx + yy) * (xx + yy):  # on a line, or at a point
        return np.nan, np.nan, np.nan, np.nan
    a, b = 0.5 * (xz * yy - yz * xy) / det, 0.5 * (yz * xx - xz * xy) / det
    radius = math.sqrt(max(0.0, a * a + b * b + zm - 2.0 * (a * xm + b * ym)))
    rest = max(0.0, zz - 2.0 * (a * xz + b * yz))
    return b, a, radius, math.sqrt(rest) / (2.0 * radius)


@inner
def judge_circle(case, p):
    """Look at the positions of a case so far: NO_CIRCLE, ARC, or ROUND with centre, radius and turns noted in it."""
    n = case.moments[N]
    if n < p.min_fixes:
        return ARC
    north, east, radius, residual = fit_circle(case.moments)
    mean = case.speed_s / case.moments[TOLD]
    spread = math.sqrt(max(0.0, case.square_s / case.moments[TOLD] - mean * mean))
    fits = p.min_radius_m <= radius <= p.max_radius_m
    fits = fits and residual <= max(p.max_residual_m, p.max_residual * radius)
    if not (fits and mean >= p.min_circle_m_s and spread <= p.max_spread * mean):
        return NO_CIRCLE
    turns = case.way_m / (2.0 * math.pi * radius)
    if turns < p.min_turns:
        return ARC
    case.radius_m, case.residual_m, case.most, case.reported = radius, residual, turns, mean / KN_M_S
    case.share, case.sure, case.n = 1.0 - residual / radius, 1, int(n)
    case.lat = case.lat0 + math.degrees(north / EARTH_RADIUS_M)
    case.lon = wrap_deg(case.lon0 + math.degrees(east / (EARTH_RADIUS_M * math.cos(math.radians(case.lat0)))))
    return ROUND
