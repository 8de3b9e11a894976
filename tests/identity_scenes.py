"""Ships that report what they are, where they sail, and what is found of their identity."""

from collections import Counter

import numpy as np

from ais.table import STATIC_DTYPES, Fixes, Static, columns_of
from detectors.detect import detect
from detectors.event import IDENTITY, LABELS
from detectors.identity import IdentityParams
from tests.feeds import MINUTE, T0

SHIP, OTHER = 671_999_101, 671_999_102
LARK = {"name": b"GREY LARK", "callsign": b"5VAB2", "imo": 9_999_993, "ship_type": 70,
        "to_bow": 60, "to_stern": 24, "to_port": 6, "to_starboard": 7}  # fmt: skip


def static_of(rows) -> Static:
    """Static reports from dicts."""
    columns = columns_of(STATIC_DTYPES, len(rows))
    columns["msg_type"][:], columns["offset"] = 5, np.arange(len(rows)) * 100
    for k, row in enumerate(rows):
        for name, value in row.items():
            columns[name][k] = value
    return Static(columns)


def says(hours, mmsi=SHIP, every_min=30, **fields):
    """Reports of a ship over (from, to) hours."""
    begin, end = (round(h * 60) for h in hours)
    return [{**LARK, "t": T0 + m * MINUTE, "mmsi": mmsi, **fields} for m in range(begin, end, every_min)]


def sails(hours, mmsi=SHIP, lat=35.0, lon=130.0, lat_step=0.0, every_min=30):
    """Fixes (t, mmsi, lat, lon, sog) of a ship over (from, to) hours, `lat_step` degrees an hour northward."""
    begin, end = (round(h * 60) for h in hours)
    steps = range(begin, end, every_min)
    return [(T0 + m * MINUTE + mmsi % 7, mmsi, lat + lat_step * (m - begin) / 60, lon, 6.0) for m in steps]


def look(told=(), heard=(), **params):
    """Events of identity, as (label, mmsi, other, row) with the row as a dict."""
    rows = sorted(heard)
    columns = {name: np.array([r[k] for r in rows]) for k, name in enumerate(("t", "mmsi", "lat", "lon", "sog"))}
    fixes = Fixes(columns | {"offset": np.arange(len(rows)) * 50}, static=static_of(list(told)))
    events = detect(fixes, ["identity"], {"identity": IdentityParams(**params)})
    found = []
    for k in range(len(events)):
        row = {name: events[name][k].item() for name in events}
        assert row["kind"] == IDENTITY and 0.0 < row["score"] <= 1.0
        found.append((LABELS[row["label"]], row["mmsi"], row["other"], row))
    assert len({row["id"] for *_, row in found}) == len(found)
    return found


def labels(found):
    return Counter(label for label, *_ in found)
