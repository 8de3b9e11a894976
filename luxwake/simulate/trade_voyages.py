"""Ports and ships of a trade world and where they call: liners round their loops, tramps from port to port."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from geo.ports import Port, ports
from geo.sphere import NMI_M, distances_m
from luxwake.simulate.fleet import KINDS, invent
from luxwake.simulate.trade_params import DAY_US, TradeParams
from luxwake.simulate.voyage import Identity

START_US = 1_609_459_200_000_000
"""2021-01-01."""
_MIX = (("container", 0.35), ("general", 0.35), ("bulk", 0.15), ("roro", 0.05), ("tanker", 0.10))
_LINERS = ("container", "roro")
_LOOP = (4, 8)
"""Ports of a liner's loop, from and to."""


class Voyages(NamedTuple):
    """All calls of all ships, by ship and time."""

    ship: NDArray[np.int64]
    port: NDArray[np.int64]
    t_in: NDArray[np.int64]
    t_out: NDArray[np.int64]


class Frame(NamedTuple):
    """The frame of the world: its ports, ships and voyages."""

    places: list[Port]
    ships: list[Identity]
    kind: NDArray[np.str_]
    liner: NDArray[np.bool_]
    voyages: Voyages

    @property
    def cargo(self) -> NDArray[np.bool_]:
        """Whether a call is that of a ship that carries goods with papers of their own."""
        carries: NDArray[np.bool_] = (self.kind != "tanker")[self.voyages.ship]
        return carries


class _Sea:
    """How far ports are apart, and where a ship goes next: to large ports rather, and to near ones."""

    def __init__(self, places: list[Port]) -> None:
        lat, lon = (np.array([getattr(port, name) for port in places]) for name in ("lat", "lon"))
        self.nmi = np.array([distances_m(lat, lon, a, o) for a, o in zip(lat, lon, strict=True)]) / NMI_M * 1.2
        size = np.arange(1, len(places) + 1) ** -0.6
        near = size * np.exp(-self.nmi / 3000.0) * (self.nmi > 20.0)
        near /= near.sum(axis=1, keepdims=True)
        self.busy = near.sum(axis=0) / near.sum()
        shares = np.cumsum(near, axis=1)
        self._steps = (shares / shares[:, -1:] + np.arange(len(places))[:, None]).ravel()

    def onward(self, at: NDArray[np.int64], rng: Generator) -> NDArray[np.int64]:
        """The next port of ships at these ports."""
        n = self.busy.size
        found: NDArray[np.int64] = np.searchsorted(self._steps, at + rng.random(at.size), side="right") - at * n
        found[found == n] = n - 1  # a sum that was rounded up
        return found


def frame(p: TradeParams, rng: Generator) -> Frame:
    """Ports, ships, and where each ship goes."""
    table = [port for port in ports() if port.quality == "table" and "0" not in port.locode]
    places = [table[k] for k in rng.choice(len(table), p.ports, replace=False).tolist()]
    kind = rng.choice([name for name, _ in _MIX], p.ships, p=[share for _, share in _MIX])
    liner = np.isin(kind, _LINERS)
    ships = [invent(KINDS[name], k, rng) for k, name in enumerate(kind.tolist())]
    slowest, fastest = np.array([KINDS[name].speed_kn for name in kind.tolist()]).T
    legs = list(_sailing(_Sea(places), liner, rng.uniform(slowest, fastest), p.days, rng))
    ship, port, t_in, t_out = (np.concatenate(part) for part in zip(*legs, strict=True))
    order = np.lexsort((t_in, ship))
    return Frame(places, ships, kind, liner, Voyages(ship[order], port[order], t_in[order], t_out[order]))


def skipped_calls(made: Frame, p: TradeParams, rng: Generator) -> NDArray[np.bool_]:
    """Which calls are never made: the ship was at another port before, half a day away or more, and was there."""
    v, skipped = made.voyages, np.zeros(made.voyages.ship.size, np.bool_)
    on_its_way = (v.ship[1:] == v.ship[:-1]) & (v.port[1:] != v.port[:-1]) & (v.t_in[1:] - v.t_out[:-1] > DAY_US // 2)
    skipped[1:] = on_its_way & made.cargo[1:] & (rng.random(on_its_way.size) < p.diverted)
    skipped[1:] &= ~skipped[:-1]
    return skipped


def _loops(sea: _Sea, at: NDArray[np.int64], rng: Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The loop of each ship and its number of ports; the last is not the first again."""
    ports_of = [at]
    while len(ports_of) < _LOOP[1]:
        ports_of.append(sea.onward(ports_of[-1], rng))
    loop, length = np.stack(ports_of, axis=1), rng.integers(_LOOP[0], _LOOP[1] + 1, at.size)
    return loop, length - (loop[np.arange(at.size), length - 1] == at)


def _sailing(
    sea: _Sea, liner: NDArray[np.bool_], knots: NDArray[np.float64], days: int, rng: Generator
) -> Iterator[tuple[NDArray[np.int64], ...]]:
    """One call of every ship after the other: ships, ports, begins and ends, until the last day is over."""
    at = rng.choice(sea.busy.size, liner.size, p=sea.busy)
    loop, length = _loops(sea, at, rng)
    t = START_US - rng.integers(0, 20 * DAY_US, liner.size)
    s, k = np.arange(liner.size), 0
    while s.size:
        k += 1
        there = np.where(liner[s], loop[s, k % length[s]], sea.onward(at[s], rng))
        median_h = np.where(liner[s], math.log(20.0), math.log(48.0))
        t_out = t[s] + (rng.lognormal(median_h, 0.5) * 3.6e9).astype(np.int64)
        begun = t[s] > START_US
        yield s[begun], at[s][begun], t[s][begun], t_out[begun]
        hours = sea.nmi[at[s], there] / knots[s] * rng.uniform(1.0, 1.15, s.size)
        t[s], at[s] = t_out + (hours * 3.6e9).astype(np.int64), there
        s = s[t[s] < START_US + days * DAY_US]
