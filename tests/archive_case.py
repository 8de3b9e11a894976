"""A core with an archive, and the rows that it must hold."""

import os
from pathlib import Path

import duckdb
import numpy as np
import pytest

from ais.table import Fixes
from luxwake.daemon import archive as module
from luxwake.daemon.core import Core
from luxwake.daemon.intake import Chunk
from luxwake.daemon.parsing import NmeaParser
from tests.daemon_case import config, feed, pieces

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where nothing waits for a disk."""
KILLS = int(os.environ.get("LUXWAKE_KILLS", "25"))
CALLS = ("fsync", "replace", "unlink", "open", "mkdir")
VALUES = ("t", "mmsi", "lat", "lon", "sog", "cog", "heading", "nav_status", "msg_type", "channel")
DAY = 86_400_000_000
DAYS = (19_675, 19_676, 19_677)


def rows_in(files):
    """All rows of files, in one order, as text: NaN and null are one then."""
    if not files:
        return []
    listed = [str(path) for path in files]
    rows = duckdb.read_parquet(listed, hive_partitioning=False).select(
        'epoch_us(t) as t, mmsi, lat, lon, sog, cog, heading, nav_status, msg_type, channel, source, "offset"'
    )
    return sorted(map(repr, rows.fetchall()))


def as_rows(fixes, name="feed"):
    """The same of a table."""
    columns = [fixes[one].tolist() for one in VALUES]
    made = []
    for row in zip(*columns, fixes["offset"].tolist(), strict=True):
        values = [None if value != value else value for value in row]
        values[7] = None if values[7] == 15 else values[7]
        values[9] = chr(values[9]) if values[9] else None
        made.append(repr((*values[:10], name, values[10])))
    return sorted(made)


def serve(state, chunks, checkpoint_every=7, **more):
    """Recover, then take up all chunks behind the cursor."""
    core = Core(config(state, detect={"detectors": ["loitering"]}, **{"archive_rows": 250, **more}))
    core.recover()
    done = int(core.cursors.get("feed", "0"))
    for data, end in chunks:
        if end > done:
            core.take([Chunk(0, 2_000_000_000_000_000 + end, data, str(end), 0)])
            if core.journal.last % checkpoint_every == 0:
                core.checkpoint()
    core.close()


def rows(seed, n, days=DAYS):
    """Random positions in a few cells; each has an offset of its own."""
    rng = np.random.default_rng(seed)
    return Fixes(
        {
            "t": rng.choice(days, n) * DAY + rng.integers(0, DAY, n),
            "mmsi": rng.integers(671999101, 671999110, n),
            "lat": rng.choice([-30.0, 0.0, 55.5], n),
            "lon": rng.choice([-179.9, 12.5], n),
            "sog": np.where(rng.random(n) < 0.2, np.nan, 12.25).astype("f4"),
            "channel": rng.choice([0, 65, 66], n),
            "offset": np.arange(n) + seed * 1_000_000,
        },
        sources=("feed",),
    )


@pytest.fixture(autouse=True, scope="module")
def patient():
    """An end waits until all is written, so that all is to be seen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CLOSE_S", 300.0)
        yield


@pytest.fixture(scope="module")
def chunks():
    return pieces(feed())


@pytest.fixture(scope="module")
def decoded(chunks):
    """All rows of the feed."""
    parser = NmeaParser()
    return sorted(row for data, end in chunks for row in as_rows(parser.feed(data, 2_000_000_000_000_000 + end)))


@pytest.fixture(scope="module")
def whole(chunks, tmp_path_factory):
    """The state of a core that nothing happened to."""
    state = tmp_path_factory.mktemp("whole") / "state"
    serve(state, chunks)
    return state
