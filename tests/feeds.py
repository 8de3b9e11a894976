"""Inputs that several tests use: real feeds, and small worlds made of plain numbers."""

import gzip
from pathlib import Path

import numpy as np

from ais.decode import Decoder
from ais.messages import joined
from ais.table import Fixes

HOUR = 3_600_000_000
MINUTE = 60_000_000
SECOND = 1_000_000
T0 = 1_538_352_000_000_000  # 2018-10-01


def real_feeds(shared: Path) -> list[Path]:
    """Every NMEA file of the shared data."""
    folders = [shared / "ais" / name for name in ("nmea", "nasty", "labelled")]
    paths = [path for folder in folders for path in sorted(folder.iterdir())]
    return [path for path in paths if "LICENSE" not in path.name and path.suffix != ".json"]


def read_bytes(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def decode_all(data: bytes, **options):
    """Fixes, static rows and the decoder, of a whole feed."""
    decoder = Decoder(**options)
    messages = joined([decoder.feed(data), decoder.flush()])
    return messages.fixes(), messages.static(), decoder


def fixes_of(rows) -> Fixes:
    """Fixes from rows (t, mmsi, lat, lon, sog); the offset is the number of the row."""
    t, mmsi, lat, lon, sog = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    columns = {
        "t": np.array(t, np.int64),
        "mmsi": np.array(mmsi, np.uint32),
        "lat": np.array(lat, float),
        "lon": np.array(lon, float),
        "sog": np.array(sog, np.float32),
        "offset": np.arange(len(rows)) * 50,
    }
    return Fixes(columns)
