"""Meetings of four hours put into open sea: how many are found, and how well their ends are placed.

Each pair comes straight from two directions at 8 to 14 kn, slows down over the last mile, drifts side by side (20 to
200 m apart, 0 to 1.2 kn, the course turning by 30 degrees an hour), and parts. Each ship is heard at random
(exponential intervals, the two independent), with 10 m of noise (95 %), SOG to 0.1 kn, and a COG that is the course
over ground with the noise that GPS gives a slow ship. Right is a rendezvous of the pair with a time-IoU of at least
0.5.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import number, table

MINUTES = (1, 5, 10, 20, 30, 45, 60, 90)
HOURS = 4.0
N = 400
SEED = 9701
"""Not used while the detector was developed (seeds 1 and 7 were)."""
T0 = 1_538_352_000  # 2018-10-01, s
_M_PER_DEG = 111_195.08
_KN = 1852.0 / 3600.0


def _way(rng: np.random.Generator, hours: float, shared: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres (north, east) of a ship every 10 s: to, in and from a meeting; `shared` is the drift of both."""
    cruise, bearing, away = rng.uniform(8.0, 14.0) * _KN, rng.uniform(0.0, 2 * np.pi, 2), 8 * 360
    approach_m, speed = [0.0], []
    for _ in range(away):
        speed.append(min(cruise, max(0.7, approach_m[-1] / 600.0)))  # the last mile takes about ten minutes
        approach_m.append(approach_m[-1] + 10.0 * speed[-1])
    metres = np.array(approach_m[1:])[:, None]
    before = metres[::-1] * [np.cos(bearing[0]), np.sin(bearing[0])]
    after = metres * [np.cos(bearing[1]), np.sin(bearing[1])]
    return np.concatenate([before + shared[0], shared, shared[-1] + after])


def pair_rows(
    rng: np.random.Generator, mean_min: float, hours: float = HOURS, start_h: float | None = None
) -> tuple[list[dict[str, Any]], float, float]:
    """Rows of two ships (metres about their meeting, times in s), and when they are within 500 m, under 3 kn."""
    n, away = round(hours * 360), 8 * 360
    course = rng.uniform(0.0, 2 * np.pi) + np.cumsum(rng.normal(0.0, np.radians(30.0) / np.sqrt(360.0), n))
    drift = rng.uniform(0.0, 1.2) * _KN * 10.0
    shared = np.cumsum(drift * np.stack([np.cos(course), np.sin(course)], axis=-1), axis=0)
    begin = T0 + 86_400 + 3600.0 * (rng.uniform(0.0, 24.0) if start_h is None else start_h)
    rows, ways = [], []
    side = rng.uniform(0.0, 2 * np.pi)
    for k in (0, 1):
        way = _way(rng, hours, shared) + k * rng.uniform(20.0, 200.0) * np.array([np.cos(side), np.sin(side)])
        ways.append(way)
        m = way.shape[0]
        heard = np.cumsum(rng.exponential(mean_min * 60.0, int(m * 10 / (mean_min * 60.0) * 2 + 20)))
        at = np.unique((heard[heard < (m - 2) * 10.0] / 10.0).astype(int))
        velocity = (way[at + 1] - way[at]) / 10.0 + rng.normal(0.0, 0.05, (at.size, 2))
        place = way[at] + rng.normal(0.0, 5.0, (at.size, 2))
        sog = np.round(np.hypot(velocity[:, 0], velocity[:, 1]) / _KN, 1)
        cog = np.round(np.degrees(np.arctan2(velocity[:, 1], velocity[:, 0])) % 360.0, 1) % 360.0
        rows.append({"t": begin + (at - away) * 10.0, "place": place, "sog": sog, "cog": cog})
    slow = [np.hypot(*np.diff(way, axis=0, append=way[-1:]).T) <= 30.0 * _KN for way in ways]
    close = np.flatnonzero((np.hypot(*(ways[0] - ways[1]).T) <= 500.0) & slow[0] & slow[1])
    return rows, begin + (close[0] - away) * 10.0, begin + (close[-1] - away) * 10.0


def meetings(seed: int, mean_min: float, n: int = N, **how: Any) -> tuple[Any, list[tuple[int, int, int, int]]]:
    """Fixes of `n` meetings, each in a sea of its own, and the truth (mmsi, other, start, end in µs)."""
    from ais.table import Fixes

    rng = np.random.default_rng(seed)
    parts: dict[str, list[Any]] = {name: [] for name in ("t", "mmsi", "lat", "lon", "sog", "cog")}
    truth = []
    for k in range(n):
        lat0, lon0 = -34.0 + k % 20, -28.0 + k // 20 % 20  # the South Atlantic
        ships, begin, end = pair_rows(rng, mean_min, **how)
        for j, ship in enumerate(ships):
            lat = lat0 + ship["place"][:, 0] / _M_PER_DEG
            parts["t"].append((ship["t"] * 1e6).astype(np.int64))
            parts["mmsi"].append(np.full(lat.size, 211_000_000 + 2 * k + j, np.uint32))
            parts["lat"].append(lat)
            parts["lon"].append(lon0 + ship["place"][:, 1] / _M_PER_DEG / np.cos(np.radians(lat0)))
            parts["sog"].append(ship["sog"].astype(np.float32))
            parts["cog"].append(ship["cog"].astype(np.float32))
        truth.append((211_000_000 + 2 * k, 211_000_001 + 2 * k, int(begin * 1e6), int(end * 1e6)))
    columns = {name: np.concatenate(values) for name, values in parts.items()}
    columns["offset"] = np.arange(columns["t"].size) * 50
    return Fixes(columns).sort(), truth


def found(fixes: Any, truth: list[tuple[int, int, int, int]], params: Any = None) -> dict[str, Any]:
    """Time-IoU of each meeting (0: not found), errors of start and end, and pairs that never met."""
    import luxwake as lw

    events = lw.detect(fixes, ["rendezvous"], params and {"rendezvous": params})
    names = ("mmsi", "other", "t_start", "t_end", "start_error_s", "end_error_s", "score")
    by_pair: dict[tuple[int, int], list[tuple[Any, ...]]] = {}
    for one, other, *rest in zip(*(events[name].tolist() for name in names), strict=True):
        by_pair.setdefault((one, other), []).append(tuple(rest))
    iou, errors = [], []
    for one, other, begin, end in truth:
        best = 0.0
        for t_start, t_end, start_error, end_error, _ in by_pair.get((one, other), []):
            share = max(0, min(end, t_end) - max(begin, t_start)) / (max(end, t_end) - min(begin, t_start))
            if share > best:
                best = share
                kept = [(abs(t_start - begin) / 1e6, start_error), (abs(t_end - end) / 1e6, end_error)]
        iou.append(best)
        errors += kept if best > 0.0 else []
    real = {row[:2] for row in truth}
    return {"iou": np.array(iou), "errors": np.array(errors), "false": sum(pair not in real for pair in by_pair)}


def row(label: str, result: dict[str, Any]) -> list[str]:
    """One row of a table."""
    iou, errors = result["iou"], result["errors"]
    hit, stated = iou >= 0.5, np.isfinite(errors[:, 1])
    inside = errors[stated, 0] <= errors[stated, 1]
    return [
        label,
        number(float((iou > 0).mean())),
        number(float(hit.mean())),
        number(float(iou[hit].mean())),
        number(float(np.median(errors[:, 0]) / 60.0), 1),
        number(float(np.quantile(errors[:, 0], 0.9) / 60.0), 1),
        number(float(stated.mean())),
        number(float(inside.mean())),
        str(result["false"]),
    ]


def traffic(vessels: int, hours: int, every_s: int, slow: float, seed: int = 3) -> dict[str, NDArray[Any]]:
    """Columns of ships all over the South Atlantic, heard every so often; a share of them drifts at 0.3 to 1.2 kn."""
    rng = np.random.default_rng(seed)
    knots = np.where(rng.random(vessels) < slow, rng.uniform(0.3, 1.2, vessels), rng.uniform(8.0, 15.0, vessels))
    course, lat0, lon0 = (
        rng.uniform(0, 2 * np.pi, vessels),
        rng.uniform(-34, -14, vessels),
        rng.uniform(-28, -8, vessels),
    )
    t = (np.arange(0, hours * 3600, every_s)[:, None] + rng.uniform(0, every_s, vessels)).ravel()
    ship = np.tile(np.arange(vessels), t.size // vessels)
    order = np.argsort(t, kind="stable")
    t, ship = t[order], ship[order]
    way_deg = knots[ship] * _KN * t / _M_PER_DEG
    return {
        "t": ((T0 + t) * 1e6).astype(np.int64),
        "mmsi": (211_000_000 + ship).astype(np.uint32),
        "lat": lat0[ship] + way_deg * np.cos(course[ship]),
        "lon": lon0[ship] + way_deg * np.sin(course[ship]) / np.cos(np.radians(lat0[ship])),
        "sog": knots[ship].astype(np.float32),
        "cog": (np.degrees(course[ship]) % 360.0).astype(np.float32),
        "offset": np.arange(t.size) * 50,
    }


def speed(words: str, columns: dict[str, NDArray[Any]]) -> list[str]:
    """One row of the table of speed: the detector alone on rows in order, the median of three runs after the first."""
    from ais.table import Fixes
    from benchmarks.speed import _Tap
    from detectors.engine import Engine
    from detectors.rendezvous import Rendezvous

    tap, engine = _Tap(), Engine([], lateness_s=0)
    engine.detectors.append(tap)  # type: ignore[arg-type]
    engine.feed(Fixes(columns))
    engine.flush()
    rows, seconds = sum(chunk.t.size for chunk in tap.chunks), []
    for _ in range(4):
        one = Rendezvous()
        one.reserve(tap.ships)
        begin = time.process_time()
        events = sum(one.feed(chunk).size for chunk in tap.chunks) + one.finish(*tap.end).size
        seconds.append(time.process_time() - begin)
    state = sum(array.nbytes for array in one.arrays.values()) / tap.ships.size
    cpu_s = float(np.median(seconds[1:]))
    return [
        words,
        f"{rows:,}",
        number(rows / cpu_s / 1e6),
        number(1e9 * cpu_s / rows, 0),
        f"{events:,}",
        number(state, 0),
    ]


HEADER = (
    "mean interval", "found", "found, IoU 0.5", "mean IoU", "error of start and end, median min", "p90",
    "error stated", "truth within the stated error", "false pairs",
)  # fmt: skip


def run(quick: bool) -> Iterator[str]:
    """The tables of this part, as text."""
    n = 50 if quick else N
    yield f"{n} meetings of {HOURS:.0f} h at any hour of the day, seed {SEED}:"
    yield table(HEADER, (row(f"{m} min", found(*meetings(SEED, m, n))) for m in (MINUTES[1::3] if quick else MINUTES)))
    hours = [found(*meetings(SEED + h, 20, n // 10, start_h=h + 0.5))["iou"] for h in range(24)]
    worst = min(float((iou >= 0.5).mean()) for iou in hours)
    yield f"At 20 min, {n // 10} meetings for each hour of the day in which they begin: {number(worst)} in the worst."
    vessels = 500 if quick else 20_000
    yield f"{vessels:,} ships in 20 by 20 degrees:"
    seas = (("every 10 min, a tenth adrift", 30, 600, 0.1), ("every min, a tenth adrift", 3, 60, 0.1),
            ("every 10 min, half adrift", 30, 600, 0.5))  # fmt: skip
    header = ("heard", "rows", "M rows/CPU s", "ns/row", "events", "bytes of state per ship")
    yield table(header, (speed(words, traffic(vessels, *how)) for words, *how in seas))


if __name__ == "__main__":
    print(*run(False), sep="\n\n")
