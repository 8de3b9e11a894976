"""What the checks of identity and draught find in simulated worlds, and how often they err.

    python -m benchmarks.identity [ships in each world]        docs/evaluation-identity.md

In an ordinary world one group of ships in fifty takes another identity in port; every other event of identity is a
false alarm. The same world is looked at again with one static report in a hundred damaged: a letter of the name or the
call sign, the IMO number, or a dimension is another one. Speeds are of one core, in CPU seconds, the best of three.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.tables import number, table
from benchmarks.truth import HOUR_US, Scripted, read_truth

if TYPE_CHECKING:
    from ais.table import Static
    from detectors.event import Events

SEEDS = (9301, 9302)
SLACK_US = 25 * HOUR_US
DAMAGED = 0.01


def damaged(static: Static, seed: int) -> Static:
    """The reports, one in a hundred with a wrong letter, number or dimension."""
    from ais.table import Static

    rng = np.random.default_rng(seed)
    columns = {name: column.copy() for name, column in static.columns.items()}
    for row in np.flatnonzero(rng.random(len(static)) < DAMAGED):
        field = ("name", "callsign", "imo", "to_bow")[int(rng.integers(4))]
        if columns[field].dtype.kind == "S":
            text = bytearray(columns[field][row])
            if text:
                text[int(rng.integers(len(text)))] = int(rng.integers(65, 91))
            columns[field][row] = bytes(text)
        else:
            columns[field][row] = int(columns[field][row]) ^ 1 << int(rng.integers(0, 8))
    return Static(columns)


def changed_hulls(truth: list[Scripted], events: Events) -> tuple[int, int, int]:
    """Scripted changes of MMSI that were found, all of them, and events that no script wrote."""
    from detectors.event import LABELS

    scripted = {(row.mmsi, row.other) for row in truth if row.kind == "identity" and row.mmsi != row.other}
    own = events["label"] == LABELS.index("mmsi_change")
    found = set(zip(events["mmsi"][own].tolist(), events["other"][own].tolist(), strict=True))
    return len(found & scripted), len(scripted), len(found - scripted)


def draughts(truth: list[Scripted], events: Events) -> tuple[int, int, int, int]:
    """Scripted changes of draught of 0.3 m and more that were found, all of them, right events, and all events."""
    from detectors.event import DRAUGHT

    scripted = []
    for row in truth:
        if row.kind == "draught":
            old, new = row.note.split(" m")[0].split(" -> ")
            scripted.append((row.mmsi, row.t_start, float(new) - float(old)))
    scripted = [one for one in scripted if abs(one[2]) >= 0.3]
    own = np.flatnonzero(events["kind"] == DRAUGHT).tolist()
    hits, right = set(), 0
    for k in own:
        begin, end = int(events["t_start"][k]) - HOUR_US, int(events["t_end"][k]) + SLACK_US
        mine = [n for n, (mmsi, t, delta) in enumerate(scripted)
                if mmsi == events["mmsi"][k] and begin <= t <= end and delta * events["delta_m"][k] > 0]  # fmt: skip
        hits.update(mine)
        right += bool(mine)
    return len(hits), len(scripted), right, len(own)


def reports_of(ships: int, n: int) -> Static:
    """Reports of many ships in turn, by time; two in a thousand tell of another draught."""
    from ais.table import STATIC_DTYPES, Static, columns_of

    rng = np.random.default_rng(1)
    columns, ship = columns_of(STATIC_DTYPES, n), rng.integers(0, ships, n)
    columns["t"][:], columns["msg_type"][:] = np.sort(rng.integers(0, 240 * HOUR_US, n)), 5
    columns["mmsi"], columns["imo"] = (205_000_000 + 7_919 * ship).astype("u4"), (3_000_000 + ship).astype("u4")
    columns["name"] = np.char.add("SHIP ", ship.astype(str)).astype("S20")
    columns["callsign"] = np.char.add("ON", ship.astype(str)).astype("S7")
    for name in ("to_bow", "to_stern", "to_port", "to_starboard"):
        columns[name][:] = 6 + ship % 50
    columns["ship_type"][:], columns["destination"][:], columns["offset"] = 70, b"KRPUS", np.arange(n) * 90
    columns["draught"][:] = np.where(rng.random(n) < 0.002, 5.5, 6.5)
    return Static(columns)


def speeds() -> list[list[str]]:
    """Reports a CPU second: into intervals, and through the checks of the intervals."""
    from ais.hulls import HULL
    from ais.identity import identities
    from ais.table import NAT
    from detectors.detector import Known
    from detectors.event import EVENT
    from detectors.identity import Identity
    from detectors.vessels import vessels
    from geo.steps import STEPS_PER_DEG

    ships, n = 20_000, 2_000_000
    static = reports_of(ships, n)
    told = identities(static)
    rng, hulls = np.random.default_rng(3), np.zeros(ships, HULL)
    hulls["mmsi"], hulls["n"] = 205_000_000 + 7_919 * np.arange(ships), n // ships
    hulls["t_first"], hulls["t"] = static["t"].min(), static["t"].max()
    for name in ("lat_first", "lon_first"):
        hulls[name] = rng.uniform(-60, 60, ships)
    for name in ("lat", "lon"):
        hulls[name] = rng.uniform(-60, 60, ships) * STEPS_PER_DEG
    known, none = Known(told, vessels(hulls, told), NAT), np.zeros(0, EVENT)
    works = {
        "static reports to intervals": lambda: identities(static),
        "intervals through all checks": lambda: (Identity().derive_each(none, known), Identity().derive(none, known)),
    }
    for work in works.values():
        work()
    best = {what: min(_seconds(work) for _ in range(3)) for what, work in works.items()}
    both = best["static reports to intervals"] + best["intervals through all checks"]
    best = {**best, "static reports to events of identity": both}
    return [[what, f"{n / 1e6:.0f} M", f"{n / 1e6 / seconds:.1f} M"] for what, seconds in best.items()]


def _seconds(work: Any) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main(ships: int) -> None:
    """Print the tables."""
    import luxwake as lw
    from ais.table import Fixes
    from detectors.event import IDENTITY, LABELS

    labels: dict[str, Counter[str]] = {"ordinary": Counter(), "damaged": Counter()}
    changes, loads = np.zeros(3, int), np.zeros(4, int)
    vessel_days, events = 0.0, None
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            lw.simulate("world", Path(folder), seed=seed, vessels=ships)
            truth = read_truth(Path(folder, "truth.csv"))
            fixes = lw.read(Path(folder, "track.nmea"))
        for world in ("damaged", "ordinary"):
            static = damaged(fixes.static, seed) if world == "damaged" else fixes.static
            events = lw.detect(Fixes(fixes.columns, static=static, sources=fixes.sources), ["identity", "draught"])
            own = events["kind"] == IDENTITY
            labels[world].update(LABELS[code] for code in events["label"][own].tolist())
        lives = events.vessels["t_last"] - events.vessels["t_first"]
        vessel_days += float(lives[events.vessels["hull"] == 0].sum()) / 24 / HOUR_US
        changes += changed_hulls(truth, events)
        loads += draughts(truth, events)
    false = {world: count | Counter() for world, count in labels.items()}
    false["ordinary"]["mmsi_change"] = int(changes[2])
    words = sorted({*labels["ordinary"], *labels["damaged"], *("name", "callsign", "dimensions", "mmsi_change")})
    print(f"{len(SEEDS)} worlds, {vessel_days:,.0f} vessel-days\n")
    header = ["label", "events", "false", "false a 1,000 vessel-days", "events with 1 % of reports damaged"]
    rows = [
        [word, labels["ordinary"][word], false["ordinary"][word], number(1000 * false["ordinary"][word] / vessel_days),
         labels["damaged"][word]]
        for word in words
    ]  # fmt: skip
    print(table(header, rows))
    print(f"\nchanges of MMSI found: {changes[0]} of {changes[1]}; false {changes[2]}")
    print(f"changes of draught found: {loads[0]} of {loads[1]}; right {loads[2]} of {loads[3]} events\n")
    print(table(["path", "rows", "rows a CPU second"], speeds()))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 600)
