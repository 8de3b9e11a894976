"""False positions: each attack put into tracks, and how often honest tracks are called false.

    python -m benchmarks.deception FILE... [--inject] [--speed]

prints events per 1,000 vessel-days of each label for every input as it is (a vessel-day is a day of a hull heard every
half hour); with `--inject` which share of its hulls is found out when each attack is put into their tracks, those apart
that are heard every five minutes (median); with `--speed` how fast.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import table

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
DENSE_US = 300_000_000
AIS_DEG = 600_000.0
"""Positions are multiples of 1/600000 degree (ITU-R M.1371)."""
DEG_M = 111_195.0
INLAND = 55.59, 37.27
"""Vnukovo, where ships' positions were seen while GNSS was false (C4ADS 2019)."""
LABELS = "on_land", "impossible_speed", "course", "circle", "simulated", "beyond_horizon", "speed_change"


class Track(NamedTuple):
    """One ship: time in µs, degrees, knots, degrees; arrays of one length."""

    t: NDArray[np.int64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    sog: NDArray[np.float64]
    cog: NDArray[np.float64]


def rounded(deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees as AIS sends them."""
    return np.round(deg * AIS_DEG) / AIS_DEG


def honest(rng: np.random.Generator, t0: int, hours: float, every_s: float, lat: float, lon: float, kn: float) -> Track:
    """A ship under way: a helm that wanders by a degree or two, a receiver that errs by some metres, rounded fields."""
    n = int(hours * 3600 / every_s)
    t = t0 + np.round((np.arange(n) * every_s + rng.uniform(0, 0.2 * every_s, n)) * 1e6).astype(np.int64)
    dt = np.diff(t, prepend=t[0]) * 1e-6
    course = rng.uniform(0, 360) + 40 * np.sin(np.cumsum(dt) / 20_000 + rng.uniform(0, 6)) + rng.normal(0, 1.0, n)
    speed = kn + 0.3 * np.sin(np.cumsum(dt) / 3000) + rng.normal(0, 0.1, n)
    step = speed * 1852 / 3600 * dt
    north = np.cumsum(step * np.cos(np.radians(course))) + rng.normal(0, 4, n)
    east = np.cumsum(step * np.sin(np.radians(course))) + rng.normal(0, 4, n)
    lats = lat + north / DEG_M
    lons = lon + east / DEG_M / np.cos(np.radians(lats))
    sog, cog = np.round(speed + rng.normal(0, 0.1, n), 1), np.round((course + rng.normal(0, 1, n)) % 360, 1) % 360
    return Track(t, rounded(lats), rounded(lons), sog, cog)


def _during(track: Track, begin: float, end: float) -> NDArray[np.bool_]:
    """The rows between two parts (0 to 1) of a track's time."""
    part = (track.t - track.t[0]) / max(1, track.t[-1] - track.t[0])
    return np.asarray((part >= begin) & (part <= end))


def put_inland(track: Track, rng: np.random.Generator, begin: float = 0.4, end: float = 0.7) -> Track:
    """The positions lie around an airport, at rest there."""
    at = _during(track, begin, end)
    lat = np.where(at, INLAND[0] + rng.normal(0, 30 / DEG_M, at.size), track.lat)
    lon = np.where(at, INLAND[1] + rng.normal(0, 30 / DEG_M, at.size), track.lon)
    return track._replace(lat=rounded(lat), lon=rounded(lon), sog=np.where(at, 0.0, track.sog))


def moved_away(
    track: Track, rng: np.random.Generator, begin: float = 0.4, end: float = 0.7, north: float = 3.0, east: float = 4.0
) -> Track:
    """The positions are displaced by some degrees, and then are right again."""
    at = _during(track, begin, end)
    lat = np.where(at, track.lat + np.where(track.lat > 0, -north, north), track.lat)
    return track._replace(lat=rounded(lat), lon=rounded((np.where(at, track.lon + east, track.lon) + 180) % 360 - 180))


def wrong_course(track: Track, rng: np.random.Generator, begin: float = 0.4, end: float = 0.7) -> Track:
    """The way goes on elsewhere than speed and course say."""
    at = _during(track, begin, end)
    rest = at & ~(track.sog >= 3)  # a ship at rest has a course of its own every time
    cog = np.where(at, np.where(rest, 40.0, (track.cog + 120) % 360), track.cog)
    return track._replace(cog=cog, sog=np.where(rest, 8.0, track.sog))


def in_circles(
    track: Track,
    rng: np.random.Generator,
    begin: float = 0.4,
    end: float = 0.8,
    radius_m: float = 400.0,
    kn: float = 12,
) -> Track:
    """The positions run round a circle at the speed of a ship under way."""
    at = np.flatnonzero(_during(track, begin, end))
    angle = kn * 1852 / 3600 / radius_m * (track.t[at] - track.t[at[0]]) * 1e-6
    lat, lon, sog, cog = (column.copy() for column in track[1:])
    middle = lat[at[0]], lon[at[0]]
    lat[at] = middle[0] + (radius_m * np.cos(angle) + rng.normal(0, 4, at.size)) / DEG_M
    lon[at] = middle[1] + (radius_m * np.sin(angle) + rng.normal(0, 4, at.size)) / DEG_M / np.cos(np.radians(middle[0]))
    sog[at], cog[at] = kn, np.round(np.degrees(angle) + 90, 1) % 360
    return Track(track.t, rounded(lat), rounded(lon), sog, cog)


def made_up(track: Track, rng: np.random.Generator, begin: float = 0.3, end: float = 0.9) -> Track:
    """The positions run along a straight line on the chart at one speed, as a script makes them."""
    at = np.flatnonzero(_during(track, begin, end))
    lat, lon, sog, cog = (column.copy() for column in track[1:])
    course = np.radians(rng.uniform(0, 360))
    way = 11.0 * 1852 / 3600 * (track.t[at] - track.t[at[0]]) * 1e-6
    lat[at] = lat[at[0]] + way * np.cos(course) / DEG_M
    mean = np.radians(0.5 * (lat[at] + lat[at[0]]))
    lon[at] = (lon[at[0]] + way * np.sin(course) / DEG_M / np.cos(mean) + 180) % 360 - 180
    sog[at], cog[at] = 11.0, np.round(np.degrees(course), 1)
    return Track(track.t, rounded(lat), rounded(lon), sog, cog)


def leaping_speed(track: Track, rng: np.random.Generator) -> Track:
    """Two reports in the middle claim the largest speed that AIS can say."""
    sog = track.sog.copy()
    sog[track.t.size // 2 :][:2] = 102.2
    return track._replace(sog=sog)


def far_too_fast(track: Track, rng: np.random.Generator, begin: float = 0.5, end: float = 0.6) -> Track:
    """The ship goes north at 75 kn for a while, and says 60."""
    at = np.flatnonzero(_during(track, begin, end))
    lat, sog = track.lat.copy(), track.sog.copy()
    dt = np.diff(track.t[at], prepend=track.t[at[0]]) * 1e-6
    away = np.cumsum(75 * 1852 / 3600 * dt) / DEG_M * (-1 if lat[at[0]] > 0 else 1)
    lat[at[-1] + 1 :] += lat[at[0]] + away[-1] - lat[at[-1]]
    lat[at], sog[at] = lat[at[0]] + away, 60.0
    return track._replace(lat=rounded(lat), sog=sog)


ATTACKS: dict[str, tuple[str, Callable[..., Track]]] = {
    "put at an airport inland": ("on_land", put_inland),
    "displaced by 3 degrees and back": ("impossible_speed", moved_away),
    "75 kn": ("impossible_speed", far_too_fast),
    "course 120 degrees off": ("course", wrong_course),
    "circle of 400 m at 12 kn": ("circle", in_circles),
    "straight line at one speed": ("simulated", made_up),
    "two reports of 102.2 kn": ("speed_change", leaping_speed),
}
"""What is done to a track, and the label that should find it."""


def fixes_of_tracks(tracks: dict[int, Track]) -> Any:
    """Fixes of ships by MMSI, in time order; offsets are row numbers."""
    from ais.table import Fixes

    mmsi = np.concatenate([np.full(track.t.size, ship, np.uint32) for ship, track in tracks.items()])
    t, lat, lon, sog, cog = (np.concatenate(columns) for columns in zip(*tracks.values(), strict=True))
    order = np.argsort(t, kind="stable")
    columns = {"t": t, "mmsi": mmsi, "lat": lat, "lon": lon, "sog": sog.astype("f4"), "cog": cog.astype("f4")}
    return Fixes({**{name: c[order] for name, c in columns.items()}, "offset": np.arange(t.size) * 48})


def hulls_of(fixes: Any, hours: float = 12.0) -> dict[tuple[int, int], Track]:
    """Tracks of hulls, each cut to its longest stretch heard every half hour, that last so many hours or more."""
    from ais.tracks import tracks

    fixes = tracks(fixes)
    fixes = fixes.take(fixes["status"] == 0)
    found = {}
    hull = fixes["mmsi"].astype(np.int64) * 256 + fixes["hull"]
    for key in np.unique(hull):
        rows = np.flatnonzero(hull == key)
        t = fixes["t"][rows]
        stretches = np.split(rows, np.flatnonzero(np.diff(t) > HOUR_US // 2) + 1)
        longest = max(stretches, key=lambda part: fixes["t"][part[-1]] - fixes["t"][part[0]])
        if fixes["t"][longest[-1]] - fixes["t"][longest[0]] >= hours * HOUR_US:
            columns = (fixes[name][longest] for name in ("t", "lat", "lon", "sog", "cog"))
            found[int(key) // 256, int(key) % 256] = Track(*(c.astype("f8") if c.dtype == "f4" else c for c in columns))
    return found


def vessel_days(fixes: Any) -> float:
    """Days of hulls heard at least every half hour."""
    from ais.tracks import tracks

    fixes = tracks(fixes)
    fixes = fixes.take(fixes["status"] == 0)
    order = np.lexsort((fixes["t"], fixes["hull"], fixes["mmsi"]))
    t, mmsi, hull = (fixes[name][order] for name in ("t", "mmsi", "hull"))
    same = (np.diff(mmsi.astype(np.int64)) == 0) & (np.diff(hull.astype(np.int64)) == 0)
    dt = np.diff(t)
    return float(dt[same & (dt <= HOUR_US // 2)].sum() / DAY_US)


def labels_found(fixes: Any, params: Any = None) -> list[tuple[int, str]]:
    """(MMSI, label) of each false position."""
    from detectors.detect import detect
    from detectors.event import LABELS as WORDS

    events = detect(fixes, ["false_position"], params and {"false_position": params})
    return [(int(m), WORDS[k]) for m, k in zip(events["mmsi"], events["label"], strict=True)]


def false_alarms(path: str) -> tuple[str, ...]:
    """A row of the table: events of each label per 1,000 vessel-days of an input as it is."""
    import luxwake as lw

    fixes = lw.read(path)
    days, found = vessel_days(fixes), [label for _, label in labels_found(fixes)]
    rates = (f"{found.count(label)} ({1000 * found.count(label) / days:.1f})" if days else "-" for label in LABELS)
    return path.rsplit("/", 1)[-1], f"{days:.2f}", *rates


def recall(path: str, seed: int = 1) -> list[tuple[str, ...]]:
    """Rows of the table: of the hulls of an input, how many are found out by the attack's label."""
    import luxwake as lw

    hulls = list(hulls_of(lw.read(path)).values())
    often = {671_000_000 + k for k, track in enumerate(hulls) if np.median(np.diff(track.t)) <= DENSE_US}
    rows: list[tuple[str, ...]] = []
    for name, (label, attack) in ATTACKS.items():
        rng = np.random.default_rng(seed)
        ships = {671_000_000 + k: attack(track, rng) for k, track in enumerate(hulls)}
        found = {mmsi for mmsi, word in labels_found(fixes_of_tracks(ships)) if word == label} if ships else set()
        dense, sparse = found & often, found - often
        counts = f"{len(dense)} of {len(often)}", f"{len(sparse)} of {len(ships) - len(often)}"
        rows.append((path.rsplit("/", 1)[-1], name, label, *counts))
    return rows


def speed(path: str, runs: int = 5) -> tuple[str, ...]:
    """A row of the table: fixes a CPU second of the detector alone, from columns in order; the best of some runs."""
    import luxwake as lw
    from detectors.detector import Columns
    from detectors.engine import Engine
    from detectors.event import EVENT
    from detectors.false_position import FalsePosition

    kept: list[Columns] = []
    engine = Engine(["false_position"], lateness_s=0)

    def keep(columns: Columns) -> NDArray[Any]:
        kept.append(columns)
        return np.zeros(0, EVENT)

    engine.detectors[0].feed = keep  # type: ignore[method-assign]
    engine.feed(lw.read(path))
    engine.flush()
    spent = []
    for _ in range(runs + 1):  # the first compiles
        detector = FalsePosition()
        detector.reserve(engine.hulls)
        begin = time.process_time()
        for columns in kept:
            detector.feed(columns)
        spent.append(time.process_time() - begin)
    n = sum(columns.t.size for columns in kept)
    return path.rsplit("/", 1)[-1], f"{n:,}", f"{n / min(spent[1:]) / 1e6:.1f} M"


def main() -> None:
    """Print the tables for the inputs named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--inject", action="store_true", help="put each attack into the tracks of the inputs")
    parser.add_argument("--speed", action="store_true", help="fixes a CPU second of the detector alone")
    args = parser.parse_args()
    if args.speed:
        print(table(("input", "fixes", "fixes a CPU second"), [speed(path) for path in args.files]))
    elif args.inject:
        rows = [row for path in args.files for row in recall(path)]
        print(table(("input", "attack", "label", "heard every 5 min", "less often"), rows))
    else:
        print(table(("input", "vessel-days", *LABELS), [false_alarms(path) for path in args.files]))


if __name__ == "__main__":
    main()
