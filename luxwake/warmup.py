"""Compiles the kernels before they are needed, on inputs of a few rows."""

from __future__ import annotations

import time

_SENTENCE = b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\n"


def warm_reader() -> str:
    """Compile what reads NMEA, fed as files are; what was done, in words."""
    import io

    begin = time.perf_counter()
    from ais.decode import Decoder
    from ais.sources import chunks
    from ais.unpack import Reader

    decoder = Decoder()
    for chunk in chunks(Reader("warm-up", io.BytesIO(_SENTENCE)), size=len(_SENTENCE)):
        decoder.decode(chunk.data, chunk.n, chunk.offset)
    decoder.flush()
    return _words(time.perf_counter() - begin)


def warm_detectors() -> str:
    """Compile tracks, index and all detectors."""
    begin = time.perf_counter()
    import numpy as np

    from ais.table import Fixes
    from ais.tracks import tracks
    from detectors.coverage import CELL, rebuild_cells
    from detectors.engine import detect

    hours = np.arange(3)
    columns = {
        "t": hours * 36_000_000_000,
        "mmsi": np.full(3, 671999101),
        "lat": np.full(3, 35.0),
        "lon": 129.0 + hours,
    }
    detect(tracks(Fixes(columns)), threads=1)
    tables = [np.zeros(size, CELL).view(np.recarray) for size in (2, 4)]
    rebuild_cells(*tables)  # a table grows only when ships have been in many cells
    return _words(time.perf_counter() - begin)


def warm_join() -> str:
    """Compile what finds the reach of a silent ship."""
    begin = time.perf_counter()
    from geo.reach import reach

    reach(35.0, 129.5, 0, 35.1, 129.6, 36_000_000_000, 10.0)
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


def _words(seconds: float) -> str:
    return "kernels compiled" if seconds > 2.0 else "kernels ready"


STEPS = {
    "NMEA reader": warm_reader,
    "CSV reader": warm_csv,
    "tracks and detectors": warm_detectors,
    "reach": warm_join,
    "simulator": warm_simulator,
}
"""Everything that is compiled, in the order in which it is."""
