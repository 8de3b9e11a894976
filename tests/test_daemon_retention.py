"""What is older than it is kept is removed from the store and the archive of a daemon, and nothing else."""

import time
from contextlib import closing

import pytest

from geo.errors import UsageError
from luxwake.daemon.config import KeepConfig, config_of
from luxwake.daemon.core import Core
from luxwake.daemon.intake import Chunk
from luxwake.daemon.retention import DAY_US, Retention, remove_old
from tests.daemon_case import config, feed, pieces

NOW = time.time_ns() // 1000


@pytest.fixture
def core(tmp_path):
    """A day and a half of a feed, half of whose events were told ten days ago, with an archive of two days."""
    with closing(Core(config(tmp_path / "state", archive_rows=2000))) as made:
        made.recover()
        parts = pieces(feed())
        for k, (data, end) in enumerate(parts):
            made.take([Chunk(0, NOW - (10 * DAY_US if 2 * k < len(parts) else 0) + end, data, str(end), 0)])
        made.archive.drain(made.journal.last)
        yield made


def days_of(core):
    return sorted(path.name for path in core.archive.folder.glob("date=*-*-*"))


def test_old_events_and_days_go_and_the_others_stay(core):
    told, days = core.store.changes(limit=100_000), days_of(core)
    assert remove_old(core, KeepConfig()) == remove_old(core, KeepConfig(positions_days=2)) == (0, 0)
    assert days_of(core) == days and len(days) == 2
    events, gone = remove_old(core, KeepConfig(events_days=3, positions_days=0.2))
    left = core.store.changes(limit=100_000)
    assert 0 < events < len({one.event_id for one in told}) and 0 < len(left) < len(told)
    assert {one.event_id for one in left} == {one.event_id for one in left if core.store.has(one.event_id)}
    assert gone == 1 and days_of(core) == days[1:]
    assert core.store.check() == []
    assert remove_old(core, KeepConfig(events_days=3, positions_days=0.2)) == (0, 0)


def test_it_is_done_beside_a_daemon_again_and_again(core, monkeypatch):
    monkeypatch.setattr("luxwake.daemon.retention.EVERY_S", 0.02)
    with Retention(core, KeepConfig(events_days=3, positions_days=0.2)):
        until = time.monotonic() + 20
        while len(days_of(core)) > 1 and time.monotonic() < until:
            time.sleep(0.02)
    assert len(days_of(core)) == 1


def test_where_nothing_is_to_go_there_is_no_thread():
    with Retention(None, KeepConfig()) as retention:
        assert not retention.is_alive()


def test_it_is_said_in_the_configuration():
    assert config_of({"keep": {"events_days": 30}, "watch": {"forget_s": 30 * 86_400}}).keep.events_days == 30
    with pytest.raises(UsageError, match=r"keep\.events_days is 30.*at least 90 \(watch\.forget_s\)"):
        config_of({"keep": {"events_days": 30}})
    with pytest.raises(Exception, match=r"keep\.events_days is -1; it must be"):
        config_of({"keep": {"events_days": -1}})
