"""Two ships side by side at sea."""

from __future__ import annotations

from numpy.random import Generator

from geo.sphere import NMI_M, destination, distances_m
from luxwake.simulate.lanes import route_through
from luxwake.simulate.voyage import HOUR_S, Voyage


def meet(a: Voyage, b: Voyage, hours: float, rng: Generator) -> None:
    """Two ships that are near each other lie side by side, 20 to 80 m apart, for some hours; the first waits."""
    first, second = (a, b) if a.t <= b.t else (b, a)
    gap_m = float(distances_m(first.lat, first.lon, second.lat, second.lon))
    manoeuvre_h = max(0.3, gap_m / NMI_M / 4.0)  # the last stretch at 4 kn or less
    drift_kn = float(rng.uniform(0.3, 1.1))
    first.wander((second.t - first.t) / HOUR_S + manoeuvre_h, 0.5, rng)
    bearing, range_m = float(rng.uniform(0.0, 360.0)), float(rng.uniform(20.0, 80.0))
    spot = destination(first.lat, first.lon, bearing, range_m)
    leg = route_through([(second.lat, second.lon), (float(spot[0]), float(spot[1]))])
    second.sail(leg, max(0.05, leg.length_m / NMI_M / ((first.t - second.t) / HOUR_S)))
    start, lat, lon = first.t, first.lat, first.lon
    first.wander(hours, drift_kn, rng)
    second.beside(first, start, bearing, range_m)
    low, high = sorted((first, second), key=lambda ship: ship.identity.mmsi)
    low.note("rendezvous", start, first.t, lat, lon, f"{range_m:.0f} m apart", high.identity.mmsi)
    if rng.random() < 0.4 and first.identity.draught_m == first.identity.draught_m:
        for ship, sign in ((first, -1.0), (second, 1.0)):
            changed = ship.identity.draught_m * (1.0 + sign * float(rng.uniform(0.06, 0.15)))
            ship.declare("goods handed over at sea", draught_m=round(changed, 1))
