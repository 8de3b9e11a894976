"""Deaths and failures at every kind of call that writes: the old state or the new one, never neither."""

import contextlib
import functools
import json
import os
import random
import sys
import tempfile
import time
import traceback
from pathlib import Path

import pytest

from geo.errors import LuxwakeError, OutputError
from luxwake.daemon.core import Core
from luxwake.daemon.intake import Chunk
from luxwake.daemon.matching import Filter
from luxwake.daemon.outbox import Dispatcher
from luxwake.daemon.sinks import make_sink
from luxwake.simulate import simulate
from tests.daemon_case import archived, config, in_child, pieces, stored
from tests.failing_disk import FailingDisk

WATCH = {"lateness_s": 600, "step_s": 3600, "history_s": 14_400, "max_vessels": 4096}
OTHER = {"detect": {"params": {"dark": {"min_gap_s": 43_200}}}}
"""Other thresholds, with which the second half is served: the record of the settings is a point too."""
KINDS = {
    "journal": ("open", "write", "sync", "unlink"),
    "journal folder": ("sync",),
    "store": ("begin", "insert", "update", "delete", "commit"),
    "checkpoint watch": ("open", "write", "sync", "replace"),
    "checkpoint parsers": ("open", "write", "sync", "replace"),
    "checkpoint archive": ("open", "write", "sync", "replace"),
    "checkpoint json": ("open", "write", "sync", "replace", "unlink"),
    "checkpoint folder": ("sync",),
    "spool": ("open", "write", "sync", "unlink"),
    "spool folder": ("sync",),
    "archive list": ("open", "write", "sync", "replace"),
    "archive file": ("open", "write", "sync", "replace"),
    "archive folder": ("sync",),
    "sink file": ("open", "write", "sync"),
}
POINTS = [f"{place} {kind}" for place, kinds in KINDS.items() for kind in kinds]
DEATHS, FAILURES = ("before", "middle", "after"), ("full", "broken")
ALL = "LUXWAKE_FAULTS" in os.environ


def cases():
    """A death or a failure at each point in turn; all deaths and failures with LUXWAKE_FAULTS=1."""
    for k, point in enumerate(POINTS):
        deaths = [how for how in DEATHS if how != "middle" or point.endswith("write")]
        failures = [how for how in FAILURES if not point.endswith("unlink")]  # to remove something needs no space
        hows = [*deaths, *failures]
        for how in hows if ALL else hows[k % len(hows) :][:1]:
            yield point, how


@functools.cache
def feed() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        simulate("world", Path(folder), vessels=8, days=0.6, seed=5)
        return (Path(folder) / "track.nmea").read_bytes()


def patiently(work):
    """As the daemon does: try again what the disk did not take."""
    for _ in range(3):
        try:
            return work()
        except OutputError as error:
            failure = error
    raise failure


def half(folder, chunks, more):
    """Serve some chunks, with a sink and an archive, and close."""
    made = config(
        folder / "state", watch=WATCH, archive=True,
        sinks=[{"type": "jsonl", "name": "log", "path": str(folder / "told.jsonl")}], **more,
    )  # fmt: skip
    core = Core(made, {one.name: Filter(one) for one in made.sinks})
    try:
        core.recover()
        serve(core, chunks)
        send(core, made)
    finally:  # as the daemon does
        core.close()


def serve(core, chunks):
    """Serve those of the chunks that are new, with checkpoints."""
    done = int(core.cursors.get("feed", "0"))
    for data, end in chunks:
        if end <= done:
            continue
        piece = [Chunk(0, 2_000_000_000_000_000 + end, data, str(end), 0)]
        followed = core.follow(patiently(lambda piece=piece: core.write(piece)))
        patiently(lambda followed=followed: core.commit(followed))
        with contextlib.suppress(OutputError):  # the journal goes on, and the next one is tried
            core.saving.go_on()
            if core.journal.last % 3 == 0:
                core.checkpoint()
            elif core.journal.last % 3 == 1:
                core.saving.begin(archive=False)  # the next record is followed meanwhile


def send(core, made):
    """Have the sink sent all that waits for it."""
    dispatcher = Dispatcher("log", make_sink(made.sinks[0]), core.store)
    dispatcher.start()
    while core.store.waiting("log"):
        time.sleep(0.01)
    dispatcher.end()
    dispatcher.join()


def both_halves(folder, chunks):
    """What is told of the feed when the thresholds change in the middle; goes on where it was left."""
    middle = folder / "middle"
    if not middle.exists():
        half(folder, chunks[: len(chunks) // 2], {})
        middle.touch()
    half(folder, chunks[len(chunks) // 2 :], OTHER)


def result(folder):
    """All that a user has of it: the changes, the rows of the archive, and what the sink was sent."""
    told = [json.loads(line) for line in (folder / "told.jsonl").read_text().splitlines()]
    return stored(folder / "state"), archived(folder / "state"), told


@pytest.fixture(scope="module")
def chunks():
    return pieces(feed(), n=16)


def served(folder, chunks, point="", n=0, how=""):
    """Serve in a process of its own, with a fault: its exit code, 9 for a death, 1 for an error that is told."""

    def work():
        disk = FailingDisk(folder, point, n, how)
        try:
            both_halves(folder, chunks)
        except LuxwakeError as error:
            print(error, file=sys.stderr)
            os._exit(1)
        except BaseException:
            traceback.print_exc()
            os._exit(3)
        (folder / "counts.json").write_text(json.dumps(disk.counts))

    return in_child(work)


@pytest.fixture(scope="module")
def whole(chunks, tmp_path_factory):
    """The result without a fault, and how often each point was passed."""
    folder = tmp_path_factory.mktemp("whole")
    assert served(folder, chunks) == 0
    return result(folder), json.loads((folder / "counts.json").read_text())


def test_the_points_are_all_that_there_are(whole):
    assert sorted(whole[1]) == sorted(POINTS) and len(POINTS) >= 20


@pytest.mark.parametrize(("point", "how"), list(cases()))
def test_the_old_state_or_the_new_one(tmp_path, chunks, whole, point, how):
    """A fault at one of the calls; then a start without one, and all is as if nothing had happened.

    What an archive could not write before it was closed is in the checkpoint, and is written by that start.
    """
    expected, counts = whole
    n = random.Random(f"{point} {how}").randint(1, max(1, counts[point] // 2))  # some are made by the clock
    ended = served(tmp_path, chunks, point, n, how)
    assert ended == 9 if how in DEATHS else ended in (0, 1)
    assert served(tmp_path, chunks) == 0
    for found, wanted in zip(result(tmp_path), expected, strict=True):
        assert found == wanted
    assert not list(tmp_path.rglob("*.partial*"))
