"""Rows a CPU second through `lw.Watch`, by the size of the pieces in which they come, and what one look costs.

    python -m benchmarks.watch [VESSELS [HOURS]]

Made ships shuttle between a port and the sea: they sail, lie in port, drift, fall silent. For some hours each is heard
every half hour, so that there are events to remember; then every 10 s, which is 250,000 rows a second at fifty times
real time with 50,000 vessels. A look is taken every ten minutes of the feed's time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import numpy as np

from ais.table import STATIC_DTYPES, Fixes, Static, columns_of
from detectors.watch import Watch
from geo.ports import port_index

BEGIN_US, HOUR_US = 1_709_164_800_000_000, 3_600_000_000
COUNTRIES = np.array([211, 219, 235, 257, 311, 338, 351, 412, 431, 440, 477, 538, 563, 636])
OUT, AT_SEA, BACK, IN_PORT = range(4)
SILENT_SHARE = 0.3


class Ships:
    """Ships between a port and a place one to three degrees off, with a plan each: hours and what they do then."""

    def __init__(self, n: int, hours: float, seed: int = 1) -> None:
        self.rng = rng = np.random.default_rng(seed)
        legs = 4 * (int(hours / 18) + 3)
        self.mmsi = (COUNTRIES[np.arange(n) % COUNTRIES.size] * 1_000_000 + np.arange(n)).astype(np.uint32)
        index = port_index()
        port = rng.integers(0, index.lat.size, n)
        self.lat, self.lon = index.lat[port], index.lon[port]
        bearing, away = rng.uniform(0, 2 * np.pi, n), rng.uniform(1.0, 3.0, n)
        self.north, self.east = away * np.cos(bearing), away * np.sin(bearing)
        self.does = np.tile([OUT, AT_SEA, BACK, IN_PORT], (n, legs // 4))
        takes = np.choose(self.does, [rng.uniform(low, high, (n, legs)) for low, high in HOURS])
        self.silent = (self.does == AT_SEA) & (rng.random((n, legs)) < SILENT_SHARE)
        takes = np.where(self.silent, takes + 7.0, takes)
        self.begin = np.cumsum(takes, axis=1) - takes - rng.uniform(0, 30, (n, 1))
        self.takes, self.offset = takes, 0

    def heard(self, begin_h: float, end_h: float, every_s: float) -> Fixes:
        """Rows in the order of time, and a static report from each ship that is due: one in six minutes."""
        n = self.mmsi.size
        ship = np.repeat(np.arange(n), max(1, round((end_h - begin_h) * 3600 / every_s)))
        hour = np.sort(self.rng.uniform(begin_h, end_h, ship.size))
        self.rng.shuffle(ship)
        leg = self._leg(ship, hour)
        share = np.clip((hour - self.begin[ship, leg]) / self.takes[ship, leg], 0.0, 1.0)
        does = self.does[ship, leg]
        off = np.choose(does, [share, np.ones(ship.size), 1.0 - share, np.zeros(ship.size)])
        noise = self.rng.normal(0.0, 1e-5, (2, ship.size))
        knots = 60.0 * np.hypot(self.north, self.east)[ship] / self.takes[ship, leg]
        self.offset += 50 * ship.size
        columns = {
            "t": (BEGIN_US + hour * HOUR_US).astype(np.int64),
            "mmsi": self.mmsi[ship],
            "lat": np.clip(self.lat[ship] + self.north[ship] * off + noise[0], -85.0, 85.0),
            "lon": (self.lon[ship] + self.east[ship] * off + noise[1] + 180.0) % 360.0 - 180.0,
            "sog": np.where((does == OUT) | (does == BACK), knots, 0.2).astype(np.float32),
            "msg_type": np.ones(ship.size, np.uint8),
            "offset": self.offset + 50 * np.arange(ship.size),
        }
        heard = Fixes(columns, self._static(begin_h, end_h))
        return heard.take(~self.silent[ship, leg])

    def _leg(self, ship: np.ndarray, hour: np.ndarray) -> np.ndarray:
        """The leg of its plan on which each ship is."""
        leg = np.zeros(ship.size, np.int64)
        for k in range(1, self.begin.shape[1]):
            leg += self.begin[ship, k] <= hour
        return leg

    def _static(self, begin_h: float, end_h: float) -> Static:
        n = self.mmsi.size
        ship = np.flatnonzero(self.rng.random(n) < (end_h - begin_h) * 10.0)
        hour = np.sort(self.rng.uniform(begin_h, end_h, ship.size))
        leg, static = self._leg(ship, hour), columns_of(STATIC_DTYPES, ship.size)
        static["t"][:], static["mmsi"][:], static["msg_type"][:] = BEGIN_US + hour * HOUR_US, self.mmsi[ship], 5
        static["name"][:] = np.char.add("SHIP ", ship.astype("U8")).astype(static["name"].dtype)
        static["to_bow"][:], static["to_stern"][:], static["ship_type"][:] = 100 + ship % 80, 20, 70
        static["to_port"][:], static["to_starboard"][:], static["draught"][:] = 8, 8, 6 + (leg // 4 + ship) % 3
        static["destination"][:] = np.array([b"BUSAN", b"SHANGHAI", b"ROTTERDAM", b"FOR ORDERS"])[(leg // 2 + ship) % 4]
        static["offset"][:] = self.offset + np.arange(ship.size)
        return Static(static)


HOURS = ((5.0, 14.0), (0.5, 9.0), (5.0, 14.0), (4.0, 20.0))
"""Least and most hours of each thing that ships do."""


def pieces(fixes: Fixes, size: int) -> Iterator[Fixes]:
    """Rows in pieces of a size, static reports with the first."""
    for k in range(0, len(fixes), size):
        part = fixes.take(slice(k, k + size))
        part.static = fixes.static if k == 0 else fixes.static.take(slice(0, 0))
        yield part


def main(vessels: int = 50_000, hours: float = 12.0) -> None:
    """Print the table."""
    print(f"{vessels:,} vessels, {hours:g} h heard every half hour, then 11 minutes every 10 s")
    for size in (100_000, 10_000, 1_000):
        ships = Ships(vessels, hours + 1)
        watch = Watch(max_rows=2_000_000)
        for hour in np.arange(0.0, hours, 1.0):
            watch.feed(ships.heard(hour, hour + 1.0, 1800.0))
        cpu, rows, look = 0.0, 0, 0.0
        for minute in range(11):
            fixes = ships.heard(hours + minute / 60, hours + (minute + 1) / 60, 10.0)
            rows += len(fixes)
            for part in pieces(fixes, size):
                begin = time.process_time()
                told = watch.feed(part)
                spent = time.process_time() - begin
                cpu += spent
                look = max(look, spent if len(told) else 0.0)
        events = len(watch.events())
        print(f"{size:>8,} rows a piece: {rows / cpu:>10,.0f} rows/s, look {look:.2f} s of CPU, {events:,} events")


if __name__ == "__main__":
    main(*(type_(word) for type_, word in zip((int, float), sys.argv[1:], strict=False)))
