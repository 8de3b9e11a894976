"""Ships behind one MMSI: agreement with gpsdio-segment, positions a second, bytes of a hull.

The agreement is defined in `benchmarks.segments`. Speed is measured on a simulated world (ordinary traffic: one ship
to an MMSI), on the troublesome set (repeated, each time nine days later), and on numbers that sixteen ships share,
the most that are told apart.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import Any

from benchmarks import speed
from benchmarks.child import run_child, timed
from benchmarks.segments import TRACKS
from benchmarks.tables import number, table

FIXES, QUICK_FIXES = 1_000_000, 50_000
REPEATS = 3
HEADER = ("input", "rows", "MMSIs", "hulls", "M rows/CPU s", "ns/row (CPU)", "bytes of a record", "bytes held per hull")


def agreement() -> dict[str, Any]:
    """Agreement on all kept positions, without the lone ones, and where ships overlap; and the differences."""
    import numpy as np

    from benchmarks.segments import agrees, alone, crowded, differences, hulls, load

    columns = load()
    kept = columns["segment"] >= 0
    longer = kept & ~alone(columns)
    choices = {
        "all that it keeps": kept,
        "without its segments of one position": longer,
        "of these, on MMSIs where it sees two ships at once": longer & crowded(columns),
    }
    hull, _ = hulls(columns)
    shares = {}
    for name, rows in choices.items():
        mmsi, t, segment = (columns[column][rows] for column in ("mmsi", "t", "segment"))
        one = np.zeros(t.size, np.int64)
        shares[name] = [t.size, agrees(mmsi, t, segment, hull[rows]).mean(), agrees(mmsi, t, segment, one).mean()]
    return {"shares": shares, "differences": differences(columns)[1]}


def ordinary(folder: str) -> dict[str, Any]:
    """The simulated world, kept in a folder (runs in a process of its own, as all that follow)."""
    return _follow(speed._columns(folder))


def troublesome(rows: int) -> dict[str, Any]:
    """The troublesome set, as often as it takes."""
    import numpy as np

    from benchmarks.segments import COLUMNS, load

    once = load()
    times = -(-rows // once["t"].size)
    nine_days = 9 * 86_400_000_000
    later = np.repeat(np.arange(times), once["t"].size) * nine_days
    columns = {name: np.tile(once[name], times) for name in COLUMNS}
    return _follow({**columns, "t": columns["t"] + later})


def shared(rows: int) -> dict[str, Any]:
    """A hundred MMSIs of sixteen ships each, 2 degrees apart, a report of each every 10 s."""
    import numpy as np

    from ais.tracks import MAX_HULLS

    k = np.arange(rows)
    ship, turn = k % (100 * MAX_HULLS), k // (100 * MAX_HULLS)
    columns = {
        "t": turn * 10_000_000 + ship,
        "mmsi": (211_000_000 + ship % 100).astype(np.uint32),
        "lat": ship // 100 * 2.0 + turn * 0.0005,
        "lon": (ship % 100).astype(float),
        "sog": np.full(rows, 10.8, np.float32),
        "cog": np.zeros(rows, np.float32),
    }
    return _follow(columns)


def _follow(columns: dict[str, Any]) -> dict[str, Any]:
    import numpy as np

    from ais.tracks import Tracks

    speed.warm()
    rows = columns["t"].size
    Tracks().follow({name: column[:1] for name, column in columns.items()})
    figures = timed(lambda: Tracks().follow(columns), REPEATS)
    after = Tracks()
    after.follow(columns)
    hulls = after.hulls
    n = int(hulls.used[0])
    held = (hulls.rows.nbytes + hulls.table.nbytes) / n
    return {
        **figures,
        "rows": rows,
        "mmsis": int(np.unique(columns["mmsi"]).size),
        "hulls": n,
        "record": hulls.rows.itemsize,
        "held": held,
    }


def _speed_row(name: str, r: dict[str, Any]) -> list[str]:
    figures = (r["rows"] / r["cpu_s"] / 1e6, r["cpu_s"] / r["rows"] * 1e9)
    whole = [f"{r[column]:,}" for column in ("rows", "mmsis", "hulls", "record")]
    return [name, *whole[:3], number(figures[0], 1), number(figures[1], 0), whole[3], number(r["held"], 0)]


def run(quick: bool) -> Iterator[str]:
    """The tables of this part, as text."""
    here = TRACKS.is_file()
    if here:
        found = run_child("benchmarks.hulls:agreement")
        rows = [
            [name, f"{n:,}", number(100 * ours, 2), number(100 * one, 2)]
            for name, (n, ours, one) in found["shares"].items()
        ]
        yield "Agreement with gpsdio-segment on `gfw_segment_half_2021-01.parquet`:"
        yield table(("positions of the reference", "n", "ours, %", "one hull to an MMSI, %"), rows)
        yield "What does not agree, of all that it keeps:"
        yield table(("class", "positions"), [[name, f"{n:,}"] for name, n in found["differences"].items()])
    else:
        yield "The troublesome set is not beside this checkout (`../shared/data/tracks`)."
    size = QUICK_FIXES if quick else FIXES
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        run_child("benchmarks.speed:simulate_world", {"out": folder, "fixes": size})
        run_child("benchmarks.speed:keep_columns", {"folder": folder})
        rows.append(_speed_row("simulated world", run_child("benchmarks.hulls:ordinary", {"folder": folder})))
    if here:
        rows.append(_speed_row("troublesome set", run_child("benchmarks.hulls:troublesome", {"rows": size})))
    rows.append(_speed_row("sixteen ships to an MMSI", run_child("benchmarks.hulls:shared", {"rows": size})))
    yield f"Positions a second, median of {REPEATS}; bytes of the record of a hull, and of all that is held for each:"
    yield table(HEADER, rows)
