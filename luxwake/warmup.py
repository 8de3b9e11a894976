"""Compiles the kernels before they are needed, on inputs of a few rows."""

from __future__ import annotations

import math
import os
import time


def _sentences() -> bytes:
    """A feed in which there is some of everything: parts, in order and not, a copy, a base station, a tag block."""
    from ais.encode import encode

    t = 1_700_000_000_000_000
    position = encode(msg_type=1, mmsi=671999101, lat=35.0, lon=129.0, sog=1.0, t=t, station="warm")
    static = encode(msg_type=5, mmsi=671999101, name="WARM UP")
    name, base = encode(msg_type=24, mmsi=671999102, part=0), encode(msg_type=4, mmsi=6719991)
    lines = [*position, *position, *static, *name, *base, *reversed(encode(msg_type=5, mmsi=671999103, sequence=1))]
    return "".join(f"{line}\n" for line in lines).encode()


def warm_reader() -> str:
    """Compile what reads NMEA."""
    begin = time.perf_counter()
    import numpy as np

    from ais.decoded import decode
    from ais.sentences import cut_after_sentence

    text = _sentences()
    decode(text, start=0)
    cut_after_sentence(np.frombuffer(bytearray(text), np.uint8), 0, 0)
    return _words(time.perf_counter() - begin)


def warm_messages() -> str:
    """Compile what makes tables of messages."""
    begin = time.perf_counter()
    from ais.decoded import decode
    from luxwake.messages_file import layouts

    decode(_sentences(), messages=True).tables()
    layouts()  # fields of every kind, whatever the feed holds
    return _words(time.perf_counter() - begin)


def warm_parquet() -> str:
    """Compile what writes Parquet."""
    import io

    begin = time.perf_counter()
    from ais.decoded import decode
    from luxwake.decoded_rows import FixRows, StaticRows
    from luxwake.sink import Sink

    fixes = decode(_sentences())
    for rows in (FixRows.of(fixes.columns), StaticRows.of(fixes.static.columns)):
        sink = Sink(io.BytesIO(), rows, "parquet")
        sink.write(rows)
        sink.end()
    return _words(time.perf_counter() - begin)


def warm_detectors() -> str:
    """Compile tracks, index and all detectors."""
    begin = time.perf_counter()
    import numpy as np

    from ais.identity import identities
    from ais.table import STATIC_DTYPES, Fixes, Static, columns_of
    from ais.tracks import tracks
    from detectors.coverage import CELL, rebuild_cells
    from detectors.detect import detect
    from detectors.identity_claims import same_group, same_name
    from detectors.neighbours import NEAR, rebuild_near
    from detectors.silent_pairs import Stays, candidates
    from detectors.stationary import stationary_periods
    from detectors.watch import Watch

    many = columns_of(STATIC_DTYPES, 3000)  # more ships than the first table of identities holds
    many["mmsi"][:] = 201_000_000 + np.arange(3000)
    identities(Static(many))
    same_name(np.zeros((2, 20), np.uint8), 0, 1)
    same_group(70, 80)
    hours = np.arange(3)
    columns = {
        "t": hours * 36_000_000_000,
        "mmsi": np.full(3, 671999101),
        "lat": np.full(3, 35.0),
        "lon": 129.0 + hours,
    }
    detect(tracks(Fixes(columns)), threads=1)
    _let_go()
    watch = Watch(["loitering"], lateness_s=0)
    three = Fixes({name: np.repeat(column, 3) for name, column in columns.items()})
    three["mmsi"][:] += np.tile(hours, 3).astype(np.uint32)  # a clock that only one ship knows is not believed
    watch.feed(Fixes(three.columns, Static(many)))
    stationary_periods(Fixes(columns))
    zero, number = np.zeros(1), np.zeros(1, np.int64)
    one = Stays(zero, zero, zero, zero, number, number + 1, zero + 1.0, number)
    for both_silent in (False, True):
        candidates(one, one, both_silent, 1, 1.0)
    for dtype, rebuild in ((CELL, rebuild_cells), (NEAR, rebuild_near)):
        tables = [np.zeros(size, dtype).view(np.recarray) for size in (2, 4)]
        rebuild(*tables)  # a table grows only when ships have been in many cells
    return _words(time.perf_counter() - begin)


def _let_go() -> None:
    """Compile what lets go of ships where an engine is full: sixteen heard once, and one that wants a place."""
    import numpy as np

    from ais.table import Fixes
    from detectors.engine import Engine

    engine, ship = Engine(max_vessels=16, lateness_s=0), np.arange(19)
    t = np.where(ship < 16, 0, 7_200_000_000 + 20_000_000 * ship)
    engine.feed(Fixes({"t": t, "mmsi": 201_000_000 + np.minimum(ship, 16), "lat": 1.0 * ship, "lon": 0.0 * ship}))
    engine.flush()


def _walk() -> None:
    """Walk over a network of a row, a party and a ship."""
    import networkx

    from ais.table import NAT
    from cargo.network import Edge
    from cargo.network_walk import Walks

    graph = networkx.MultiGraph()
    for node, kind in (("row 1", "row"), ("party 1", "party"), ("party 2", "party")):
        graph.add_node(node, kind=kind)
    for one, other in (("row 1", "party 1"), ("party 1", "party 2")):
        edge = Edge(one, other, "shipper", NAT, NAT, "", "")
        graph.add_edge(one, other, edge=edge, weight=1.0)
    walks = Walks(graph, (set(), set()))
    walks.within(["row 1"], 2.0)
    walks.traders_near(["row 1"], 2.0)


def warm_join() -> str:
    """Compile what finds carrying ships, the reach of a silent one, ways to ports, and where two could have met."""
    import tempfile
    from pathlib import Path

    begin = time.perf_counter()
    from cargo.join import join
    from cargo.shipments import read_shipments
    from luxwake.simulate.trade import TradeParams, trade_world

    world = trade_world(TradeParams(ships=8, rows=1, days=60, ports=4))
    with tempfile.TemporaryDirectory() as folder:
        paper = Path(folder) / "rows.csv"
        paper.write_text(",".join(world.rows[0]) + "\n" + ",".join(world.rows[0].values()) + "\n", encoding="utf-8")
        join(world.events, read_shipments(paper), reach=False)
    _walk()
    from geo.meet import meet
    from geo.reach import reach
    from geo.reach_map import bands_of, ways_to

    silent = reach(35.0, 129.5, 0, 35.1, 129.6, 36_000_000_000, 10.0)
    other = reach(35.4, 129.9, 0, math.nan, math.nan, 36_000_000_000, 12.0)
    meet(silent, other)
    ways_to(silent, [(35.08, 129.06), (34.7, 129.9), (33.2, 131.8)])
    bands_of(silent)
    return _words(time.perf_counter() - begin)


def warm_zones() -> str:
    """Compile what grids zones and looks them up."""
    begin = time.perf_counter()
    from geo.zones import Zones

    square = {"type": "Polygon", "coordinates": [[[0.0, 0.0], [0.01, 0.0], [0.01, 0.01], [0.0, 0.0]]]}
    Zones.from_geojson(square).of([0.005], [0.005])
    return _words(time.perf_counter() - begin)


def warm_ports() -> str:
    """Compile what finds ports by name and by place."""
    begin = time.perf_counter()
    from geo.ports import ports_matching, ports_near

    ports_matching("Vladivostock")
    ports_near(35.0, 129.5)
    return _words(time.perf_counter() - begin)


def warm_simulator() -> str:
    """Compile the simulator and the encoder."""
    import tempfile
    from pathlib import Path

    begin = time.perf_counter()
    from luxwake.simulate import simulate

    with tempfile.TemporaryDirectory() as folder:
        simulate("world", Path(folder), seed=1, vessels=12, days=1.0)
    return _words(time.perf_counter() - begin)


def warm_csv() -> str:
    """Compile what reads CSV."""
    import io

    begin = time.perf_counter()
    from ais.csv_rows import read_csv
    from ais.unpack import Reader

    text = b"MMSI,BaseDateTime,LAT,LON,SOG\n671999101,2023-01-11T00:00:00,43.1,-70.7,1.0\n"
    read_csv(Reader("warm-up", io.BytesIO(text)))
    return _words(time.perf_counter() - begin)


def warm_daemon() -> str:
    """Note that the kernels of the daemon are there, which are those of the reader and the detectors."""
    from luxwake.daemon.kernels import note_compiled

    note_compiled()
    return "kernels ready"


def warm_python() -> str:
    """Compile the modules themselves, where an installer left that out: else each start compiles a thousand anew."""
    import importlib
    import py_compile
    import sys

    for name in ("luxwake.daemon.serve_command", "luxwake.daemon.attendant", "luxwake.daemon.http"):
        importlib.import_module(name)
    n = 0
    for module in list(sys.modules.values()):
        spec = getattr(module, "__spec__", None)
        if spec is None or not spec.has_location or not spec.cached or os.path.exists(spec.cached):
            continue
        try:
            py_compile.compile(spec.origin, spec.cached, doraise=True)
        except (OSError, py_compile.PyCompileError):
            return "modules are compiled at each start, for their folders cannot be written"
        n += 1
    return f"{n:,} modules compiled" if n else "modules ready"


def _words(seconds: float) -> str:
    return "kernels compiled" if seconds > 2.0 else "kernels ready"


STEPS = {
    "NMEA reader": warm_reader,
    "CSV reader": warm_csv,
    "tables of messages": warm_messages,
    "Parquet writer": warm_parquet,
    "tracks and detectors": warm_detectors,
    "ports": warm_ports,
    "reach": warm_join,
    "zones": warm_zones,
    "simulator": warm_simulator,
    "daemon": warm_daemon,
    "Python": warm_python,
}
"""Everything that is compiled, in the order in which it is."""
