"""A sink that takes nothing for a long time, and clocks that jump."""

import itertools
import random
import re
import threading
import time

import pytest

from luxwake.daemon.core import Core
from luxwake.daemon.intake import Chunk
from luxwake.daemon.matching import Filter
from luxwake.daemon.outbox import Dispatcher
from luxwake.daemon.sink import Sink
from tests.daemon_case import config, feed, pieces, serve, stored

DEADLINE_S = 240.0
DAY_US = 86_400_000_000


class Blocked(Sink):
    """Another side that does not answer until `opened` is set, and then takes all."""

    max_batch = 5

    def __init__(self):
        self.opened, self.asked, self.got, self.largest = threading.Event(), threading.Event(), [], 0

    def send(self, changes):
        self.largest = max(self.largest, len(changes))
        self.asked.set()
        self.opened.wait()
        self.got += [change.seq for change in changes]
        return ""


class Open(Sink):
    def __init__(self):
        self.got = []

    def send(self, changes):
        self.got += [change.seq for change in changes]
        return ""


@pytest.fixture(scope="module")
def chunks():
    return pieces(feed())


def until(is_so):
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_sink_that_blocks_for_a_day_of_the_feed_holds_up_nobody_and_gets_all_at_last(tmp_path, chunks):
    """Ten minutes and more of the feed's time: what it is not sent waits in the store, not in memory."""
    sinks = [{"type": "jsonl", "name": name, "path": str(tmp_path / name)} for name in ("blocked", "open")]
    made = config(tmp_path / "state", sinks=sinks)
    core = Core(made, {one.name: Filter(one) for one in made.sinks})
    core.recover()
    blocked, other = Blocked(), Open()
    threads = [Dispatcher("blocked", blocked, core.store), Dispatcher("open", other, core.store)]
    for thread in threads:
        thread.start()
    told = []
    for k, (data, end) in enumerate(chunks):
        told += [one.seq for one in core.take([Chunk(0, 2_000_000_000_000_000 + end, data, str(end), 0)])]
        if k % 10 == 0:
            core.checkpoint()
    for thread in threads:
        thread.wake()
    until(lambda: core.store.waiting("open") == 0 and blocked.asked.is_set())
    assert other.got == told and len(told) > 50
    assert core.store.waiting("blocked") == len(told) and blocked.got == []
    blocked.opened.set()
    until(lambda: core.store.waiting("blocked") == 0)
    assert blocked.got == told and blocked.largest <= Blocked.max_batch
    for thread in threads:
        thread.end()
        thread.join()
    core.close()


def jumps(seed, *set_to):
    """Times of arrival by a clock that is now right, some months after the feed, and now set to something else."""
    rng, t = random.Random(seed), 1_720_000_000_000_000
    for _ in itertools.count():
        t += 60_000_000
        yield rng.choice([t, t, t, *(t + off if off else 0 for off in set_to)])


def fed(core, chunks, clock):
    for (data, end), t in zip(chunks, clock, strict=False):
        core.take([Chunk(0, t, data, str(end), 0)])


def test_a_clock_that_goes_ahead_and_back_changes_nothing_of_messages_that_have_times(tmp_path, chunks):
    """One behind the messages does: times that are still to come are not believed."""
    whole = serve(tmp_path / "whole", chunks)
    core = Core(config(tmp_path / "state"))
    core.recover()
    fed(core, chunks, jumps(1, DAY_US, 3652 * DAY_US, 36_525 * DAY_US))
    core.close()
    assert stored(tmp_path / "state") == whole


def test_a_clock_that_jumps_is_followed_again_as_it_was(tmp_path):
    """Messages without times have those of their arrival: wrong, but the same after a kill."""
    bare = pieces(re.sub(rb"\\[^\\]*\\", b"", feed()), n=40)
    told = []
    for name, cut in (("whole", len(bare)), ("cut", 17)):
        for begin, end in ((0, cut), (cut, len(bare))):
            core = Core(config(tmp_path / name))
            core.recover()
            fed(core, bare[begin:end], itertools.islice(jumps(2, -DAY_US, 3652 * DAY_US, 0), begin, None))
            core.close()
        told.append(stored(tmp_path / name))
    assert told[0] == told[1]
