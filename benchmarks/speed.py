"""Positions a second, stage by stage: CPU and wall time, ns per row, peak memory; and the first call apart.

Every figure is made in a process of its own, on a simulated world, after the kernels were compiled: the median of three
runs on the smaller world, one run on the larger. "MB before" is the peak memory once imports, kernels and the stage's
input are there; "peak MB" is after the runs. Compile times are measured on an input of a few rows, first with an empty
cache folder, then with the one that the first run filled.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.child import run_child, timed
from benchmarks.tables import number, table

SIZES = {1_000_000: 3, 10_000_000: 1}
QUICK_SIZES = {50_000: 3}
"""Positions of a world, and how often each stage is run on it."""
DETECTORS = ("loitering", "dark", "rendezvous", "port_call")
COLUMNS = ("t", "mmsi", "lat", "lon", "sog", "cog", "heading", "nav_status", "msg_type", "source", "offset")
"""Columns of a fix that anything after the decoder looks at."""


def simulate_world(out: str, seed: int = 1, **size: Any) -> dict[str, Any]:
    """Write a world; its numbers (runs in a process of its own)."""
    from luxwake.simulate import simulate
    from luxwake.warmup import warm_simulator

    warm_simulator()
    written = simulate("world", Path(out), seed=seed, **size)
    return {"fixes": written.fixes, "vessels": written.vessels, "simulate_s": written.seconds}


def warm_all() -> dict[str, Any]:
    """Fill the cache of kernels, so that no figure holds a compilation (runs in a process of its own)."""
    from luxwake.warmup import STEPS

    return {"steps": {name: step() for name, step in STEPS.items()}}


def warm() -> None:
    """Load what is measured from the cache of kernels."""
    from luxwake.warmup import warm_detectors, warm_reader

    warm_reader()
    warm_detectors()


def keep_columns(folder: str) -> dict[str, Any]:
    """Read the world once and keep its columns in order for the stages after it (runs in a process of its own)."""
    import numpy as np

    import luxwake as lw

    fixes = lw.read(Path(folder) / "track.nmea")
    for name in COLUMNS:
        np.save(Path(folder) / f"{name}.npy", fixes[name])
    return {"rows": len(fixes), "vessels": int(np.unique(fixes["mmsi"]).size)}


def _columns(folder: str) -> dict[str, Any]:
    import numpy as np

    return {name: np.load(Path(folder) / f"{name}.npy") for name in COLUMNS}


def decode(folder: str, repeats: int) -> dict[str, Any]:
    """Bytes of a file to columns (runs in a process of its own, as all stages)."""
    from ais.decode import Decoder
    from ais.sources import chunks

    warm()
    path = Path(folder) / "track.nmea"
    seen = [0]

    def work() -> None:
        decoder = Decoder()
        for chunk in chunks(path):
            decoder.decode(chunk.data, chunk.n, chunk.offset)
        seen[0] = decoder.sentences

    return {**timed(work, repeats), "rows": seen[0], "megabytes": path.stat().st_size / 1e6}


def index(folder: str, repeats: int) -> dict[str, Any]:
    """Positions to H3 cells."""
    from geo.cells import cells

    warm()
    columns = _columns(folder)
    return {**timed(lambda: cells(columns["lat"], columns["lon"]), repeats), "rows": columns["t"].size}


def tracks(folder: str, repeats: int) -> dict[str, Any]:
    """Rows in time order to hulls, copies and jumps."""
    from ais.tracks import Tracks

    warm()
    columns = _columns(folder)
    return {**timed(lambda: Tracks().follow(columns), repeats), "rows": columns["t"].size}


class _Tap:
    """Stands where a detector would, and keeps what the engine hands to it."""

    name = "tap"

    def __init__(self) -> None:
        self.ships: Any = None
        self.chunks: list[Any] = []
        self.end: tuple[Any, ...] = ()

    def reserve(self, ships: Any) -> None:
        self.ships = ships

    def feed(self, columns: Any) -> Any:
        self.chunks.append(columns)
        return _no_events()

    def finish(self, *end: Any) -> Any:
        self.end = end
        return _no_events()


def _no_events() -> Any:
    import numpy as np

    from detectors.event import EVENT

    return np.zeros(0, EVENT)


def detector(folder: str, repeats: int, name: str) -> dict[str, Any]:
    """One detector alone, on rows that the engine has prepared."""
    from detectors.detector import DerivedDetector
    from detectors.engine import Engine
    from detectors.registry import detector_class

    warm()
    tap, engine = _Tap(), Engine([], lateness_s=0)
    engine.detectors.append(tap)  # type: ignore[arg-type]
    engine.feed(_columns(folder))
    engine.flush()
    events = [0]

    def work() -> None:
        one = detector_class(name)()
        assert not isinstance(one, DerivedDetector)
        one.reserve(tap.ships)
        found = sum(one.feed(chunk).size for chunk in tap.chunks)
        events[0] = found + one.finish(*tap.end).size

    return {**timed(work, repeats), "rows": sum(chunk.t.size for chunk in tap.chunks), "events": events[0]}


def detect(folder: str, repeats: int) -> dict[str, Any]:
    """Tracks, index, all detectors, and the table of events, on one thread."""
    import luxwake as lw

    warm()
    fixes = lw.Fixes(_columns(folder))
    events = [0]

    def work() -> None:
        events[0] = len(lw.detect(fixes, threads=1))

    return {**timed(work, repeats), "rows": len(fixes), "events": events[0]}


def together(folder: str, repeats: int, threads: int) -> dict[str, Any]:
    """`lw.read` and `lw.detect`, from the file to the events."""
    import luxwake as lw

    warm()
    rows = [0]

    def work() -> None:
        fixes = lw.read(Path(folder) / "track.nmea")
        lw.detect(fixes, threads=threads)
        rows[0] = len(fixes)

    return {**timed(work, repeats), "rows": rows[0]}


def _first_calls() -> Iterator[tuple[str, Callable[[], object]]]:
    """What is compiled, in the order in which a run needs it."""
    import numpy as np

    from ais.table import Fixes
    from luxwake.warmup import warm_csv, warm_join, warm_reader, warm_simulator

    hours = np.arange(3)
    fixes = Fixes(
        {"t": hours * 36_000_000_000, "mmsi": np.full(3, 671999101), "lat": np.full(3, 35.0), "lon": 129.0 + hours}
    )

    def follow() -> object:
        from ais.tracks import tracks

        return tracks(fixes)

    def find(name: str) -> Callable[[], object]:
        def work() -> object:
            from detectors.detect import detect

            return detect(fixes, [name], threads=1)

        return work

    yield "decode", warm_reader
    yield "tracks and index", follow
    for name in DETECTORS:
        yield name.replace("_", " ") + (", with the engine" if name == DETECTORS[0] else ""), find(name)
    yield "CSV", warm_csv
    yield "reach", warm_join
    yield "simulator", warm_simulator


def first_calls() -> dict[str, Any]:
    """CPU and wall seconds of the first call of each step, in one process (a process of its own)."""
    seconds: dict[str, tuple[float, float]] = {}
    cpu, wall = time.process_time(), time.perf_counter()
    import luxwake  # noqa: F401 - the import is what is measured

    seconds["import luxwake"] = time.process_time() - cpu, time.perf_counter() - wall
    cpu, wall = time.process_time(), time.perf_counter()
    import numba  # noqa: F401

    seconds["import numpy and numba"] = time.process_time() - cpu, time.perf_counter() - wall
    for name, work in _first_calls():
        cpu, wall = time.process_time(), time.perf_counter()
        work()
        seconds[name] = time.process_time() - cpu, time.perf_counter() - wall
    return {"seconds": seconds}


def compile_table() -> str:
    """First calls with an empty cache and with a full one."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"LUXWAKE_CACHE": folder}
        cold, cached = (run_child("benchmarks.speed:first_calls", {}, environment)["seconds"] for _ in range(2))
        stored = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()) / 1e6
    rows = [[name, *(number(s) for s in (*cold[name], *cached[name]))] for name in cold]
    totals = [sum(part[name][k] for name in part) for part in (cold, cached) for k in (0, 1)]
    rows.append(["all", *map(number, totals)])
    header = ("first call of", "cold, CPU s", "cold, wall s", "cached, CPU s", "cached, wall s")
    return f"{table(header, rows)}\n\nThe cache then holds {stored:.1f} MB."


HEADER = ("stage", "rows", "CPU s", "wall s", "rows/CPU s", "ns/row (CPU)", "MB before", "peak MB", "")


def stage_row(name: str, r: dict[str, Any], note: str = "") -> list[str]:
    """One row of a table of stages."""
    speed = number(r["rows"] / r["cpu_s"], 0)
    per_row = number(r["cpu_s"] / r["rows"] * 1e9, 0)
    memory = [number(r["before_mb"], 0), number(r["peak_mb"], 0)]
    return [name, f"{r['rows']:,}", number(r["cpu_s"], 3), number(r["wall_s"], 3), speed, per_row, *memory, note]


def stages(folder: str, repeats: int) -> Iterator[list[str]]:
    """All rows of the table for one world."""
    here: dict[str, object] = {"folder": folder, "repeats": repeats}
    r = run_child("benchmarks.speed:decode", here)
    yield stage_row("decode (rows: sentences, with tag blocks)", r, f"{r['megabytes'] / r['cpu_s']:.0f} MB/CPU s")
    for name in ("index", "tracks"):
        yield stage_row(name, run_child(f"benchmarks.speed:{name}", here))
    for name in DETECTORS:
        r = run_child("benchmarks.speed:detector", {"name": name, **here})
        yield stage_row(name.replace("_", " "), r, f"{r['events']:,} events")
    r = run_child("benchmarks.speed:detect", here)
    yield stage_row("tracks, index, all detectors, table of events", r, f"{r['events']:,} events")
    for threads in (1, 2):
        yield stage_row(
            f"all together, file to events, {threads} thread{'s'[: threads - 1]}",
            run_child("benchmarks.speed:together", {"threads": threads, **here}),
        )


def run(quick: bool) -> Iterator[str]:
    """The tables of this part, as text."""
    for fixes, repeats in (QUICK_SIZES if quick else SIZES).items():
        with tempfile.TemporaryDirectory() as folder:
            made = run_child("benchmarks.speed:simulate_world", {"out": folder, "fixes": fixes})
            kept = run_child("benchmarks.speed:keep_columns", {"folder": folder})
            yield (
                f"Simulated `world`, seed 1: {made['fixes']:,} positions of {made['vessels']:,} ships, "
                f"{kept['rows']:,} decoded; made in {made['simulate_s']:.1f} s, {made['peak_mb']:,.0f} MB at most. "
                f"Median of {repeats}:"
            )
            yield table(HEADER, stages(folder, repeats))
    if not quick:
        yield "First calls, in one process, in this order (what two steps share is compiled with the first):"
        yield compile_table()
