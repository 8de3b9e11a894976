"""A small world as a feed, and a core that is fed with it: whole, or in processes that die on the way."""

import functools
import itertools
import os
import random
import tempfile
from pathlib import Path

from luxwake.daemon.config import config_of
from luxwake.daemon.core import Core
from luxwake.daemon.intake import Chunk
from luxwake.daemon.store_open import open_store
from luxwake.simulate import simulate

WATCH = {"lateness_s": 600, "step_s": 1800, "history_s": 10_800, "max_vessels": 4096}
"""Looks and states of the engine as seldom, and tables as small, as the feed allows: most of the time goes there."""


@functools.cache
def feed() -> bytes:
    """Sentences of a small world, in the order in which they were received."""
    with tempfile.TemporaryDirectory() as folder:
        simulate("world", Path(folder), vessels=16, days=1.5, seed=5)
        return (Path(folder) / "track.nmea").read_bytes()


def config(state, **more):
    """A daemon with one source, whose chunks the test gives itself."""
    values = {
        "state": str(state),
        "sources": [{"type": "tail", "name": "feed", "path": "feed.nmea"}],
        "watch": WATCH,
        **more,
    }
    return config_of(values)


def pieces(data: bytes, seed: int = 1, n: int = 60):
    """The feed in chunks of random sizes, with the place behind each as cursor."""
    rng = random.Random(seed)
    cuts = sorted({0, len(data), *(rng.randrange(len(data)) for _ in range(n - 1))})
    return [(data[begin:end], end) for begin, end in itertools.pairwise(cuts)]


def serve(state, chunks, *, checkpoint_every: int = 7, to_the_end: bool = False, **more) -> list:
    """Recover, then take up all chunks behind the cursor; every change that the store then has."""
    core = Core(config(state, **more))
    core.recover()
    done = int(core.cursors.get("feed", "0"))
    for data, end in chunks:
        if end <= done:
            continue
        core.take([Chunk(0, 2_000_000_000_000_000 + end, data, str(end), 0)])
        if core.journal.last % checkpoint_every == 0:
            core.checkpoint()
    if to_the_end:
        core.finish()
    core.close()
    return stored(state, more.get("store", ""))


def stored(state, store: str = "") -> list:
    """Every change that the store of a state folder has, checked."""
    opened = open_store(config(state, store=store))
    assert opened.check() == []
    changes = opened.changes(limit=1_000_000)
    opened.close()
    return [change._replace(score=repr(change.score)) for change in changes]


def archived(state) -> list:
    """The rows of the archive, each with its source and offset."""
    import duckdb

    with duckdb.connect() as db:
        found = db.execute(
            'select mmsi, epoch_us(t), source, "offset", lat, lon '
            f"from read_parquet('{state}/archive/*/*/*.parquet', hive_partitioning = false) order by all"
        )
        return found.fetchall()


def in_child(work) -> int:
    """Run in a child process, which knows the kernels already; its exit code, or less than 0 for a signal."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
