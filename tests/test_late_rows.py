"""Feeds with wrong clocks and late batches: the same events, and work in proportion to the rows that come."""

import re

import numpy as np
import pytest

from ais.encode import encode
from ais.status import STATUS, TIME_OUT_OF_RANGE
from detectors import late_rows
from detectors.detect import detect
from detectors.engine import Engine
from detectors.event import EVENT
from detectors.late_rows import AT_ONCE, HULL_ROWS, ROWS_S, SHARE, SPARE
from detectors.watch import Watch
from luxwake.daemon.core import Core
from luxwake.daemon.intake import Chunk
from luxwake.daemon.parsing import AHEAD_US, NmeaParser
from tests.daemon_case import config, feed
from tests.feeds import HOUR, MINUTE, SECOND, T0, fixes_of
from tests.test_watch import pieces_of, replayed, same_events
from tests.worlds import busy_world

STINGY = {"SPARE": 0, "ROWS_S": 0, "AT_ONCE": 300, "SHARE": 1, "SORTED_ROWS": 50}
"""As few rows at once as a small world has."""


@pytest.fixture
def stingy(monkeypatch):
    for name, value in STINGY.items():
        monkeypatch.setattr(late_rows, name, value)


@pytest.fixture
def fed(monkeypatch):
    """The sizes of all pieces that engines were fed with."""
    sizes, whole = [], Engine.feed
    monkeypatch.setattr(Engine, "feed", lambda self, rows: sizes.append(len(rows["t"])) or whole(self, rows))
    return sizes


def delayed(seed, share=0.3, hours=3):
    """A world of which some rows come up to some hours late."""
    fixes, rng = busy_world(seed % 5, vessels=6), np.random.default_rng(seed)
    delay = np.where(rng.random(len(fixes)) < share, rng.integers(0, hours * HOUR, len(fixes)), 0)
    return fixes, fixes.take(np.argsort(fixes["t"] + delay, kind="stable"))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_late_rows_that_wait_for_their_turn_end_as_batch_does_in_any_pieces(stingy, seed, tmp_path):
    fixes, arrived = delayed(seed)
    rng = np.random.default_rng(seed)
    watch = Watch(step_s=3600, history_s=5 * 3600, spool=tmp_path if seed else None)
    pieces, waited, told = pieces_of(arrived, rng.integers(0, len(fixes), 40).tolist()), 0, []
    for piece in pieces:
        told.append(watch.feed(piece))
        waited += watch.waiting > 0
    told.append(watch.flush())
    same_events(watch.events(), detect(fixes))
    assert replayed(told) == set(detect(fixes)["id"].tolist())
    assert waited > 3 and watch.counts.get("later than the lateness window", 0) == 0


@pytest.mark.parametrize("in_files", [False, True])
def test_saved_while_late_rows_wait_it_tells_what_it_would_have_told(stingy, in_files, tmp_path):
    _, arrived = delayed(1)
    pieces = pieces_of(arrived, range(1500, len(arrived), 1500))

    def watch():
        return Watch(step_s=7200, history_s=5 * 3600, spool=tmp_path / "spool" if in_files else None)

    one = Watch(step_s=7200, history_s=5 * 3600)
    expected = [one.feed(piece) for piece in pieces] + [one.flush()]
    other, told = watch(), []
    for piece in pieces:
        told.append(other.feed(piece))
        other.save(tmp_path / "state.npz")
        other = watch()
        other.load(tmp_path / "state.npz")
    told.append(other.flush())
    for mine, theirs in zip(told, expected, strict=True):
        for name in ("change", "id", "revision", "t_end"):
            assert mine[name].tolist() == theirs[name].tolist()


def test_many_late_batches_cost_in_proportion_to_the_rows_that_come(fed):
    """Late rows by the second, for which all would have to be gone through again each time."""
    n, seconds, ships = 120_000, 40, 300
    rows = [(T0 + k * seconds * SECOND // n, 211000001 + k % ships, k % ships * 0.1, -30.0, 0.0) for k in range(n)]
    fixes = fixes_of(rows)
    late = np.arange(n) % 600 == 7
    order = np.argsort(fixes["t"] + np.where(late, 20 * SECOND, 0), kind="stable")
    watch = Watch(["loitering"], lateness_s=1, history_s=3600)
    for piece in pieces_of(fixes.take(order), range(600, n, 600)):
        watch.feed(piece)
    watch.flush()
    paid = n + SPARE + SHARE * n + ROWS_S * seconds
    assert sum(fed) <= paid + 2 * n + HULL_ROWS * ships  # the last time, and what waited at the end
    assert watch.counts == detect(fixes, ["loitering"]).counts


def test_rows_that_were_on_time_are_not_lost_where_late_ones_take_their_room():
    """65,536 rows may wait: of a thousand a second for a minute, and for less where late ones come among them."""
    second = [
        *np.arange(300_000) / 1000,
        *np.full(100, 250.0) + np.arange(100) / 100,
        *np.arange(300_000, 600_000) / 1000,
    ]
    late = 255 + np.arange(60_000) / 10_000
    ship = [*np.arange(300_000) % 3, *np.full(100, 4), *np.arange(300_000) % 3, *5 + np.arange(60_000) % 3]
    t = T0 + np.round(np.append(second, late) * SECOND).astype(np.int64)
    fixes = fixes_of([(*row, 0.0) for row in zip(t, 211000001 + np.array(ship), ship, [-30.0] * t.size, strict=True)])
    watch = Watch(["loitering"], max_vessels=16)
    for piece in pieces_of(fixes, range(10_000, 610_000, 10_000)):
        watch.feed(piece)
    watch.flush()
    assert watch.counts == detect(fixes, ["loitering"]).counts


def test_going_back_holds_up_no_piece_for_long(fed):
    """What comes while rows are gone through again waits, and is told of when its turn has come."""
    n = 6 * AT_ONCE
    rows = {"t": T0 + np.arange(n) * 10_000, "mmsi": 211000001 + np.arange(n) % 3}
    rows |= {"lat": 1.0 + np.arange(n) % 3, "lon": np.full(n, -30.0), "sog": np.zeros(n, np.float32)}
    fixes = fixes_of([]).__class__(rows)
    held = np.arange(n) == 20
    arrived = fixes.take(np.append(np.flatnonzero(~held), 20))
    watch, most = Watch(["loitering"], lateness_s=60), 0
    for begin in range(0, n, AT_ONCE // 4):
        watch.feed(arrived.take(slice(begin, begin + AT_ONCE // 4)))
    fed.clear()
    calls = 0
    while watch.rows > n or calls == 0:
        later = arrived.take(slice(n - 1, n))
        later["t"][:] = arrived["t"].max() + (calls + 1) * SECOND
        watch.feed(later)
        most, calls = max(most, sum(fed)), calls + 1
        fed.clear()
    assert calls >= 3 and most <= 3 * AT_ONCE
    assert watch.engine.hulls["n"].sum() > 0


def test_a_time_too_far_ahead_of_its_arrival_is_that_of_the_arrival_and_counted():
    parser, now = NmeaParser(), T0
    for ahead, t in ((AHEAD_US - SECOND, T0 + AHEAD_US - SECOND), (AHEAD_US, T0), (HOUR, T0), (-HOUR, T0 - HOUR)):
        lines = encode(msg_type=1, mmsi=671999101, lat=35.2, lon=129.4, sog=9.0, t=now + ahead)
        assert parser.feed("".join(f"{line}\n" for line in lines).encode(), now)["t"].tolist() == [t]
    assert parser.unused == {STATUS[TIME_OUT_OF_RANGE]: 2}


def by_hours():
    """The first 18 hours of a small world in pieces of twenty minutes: the time of arrival, and the sentences."""
    pieces: dict[int, list[bytes]] = {}
    newest = 0
    for line in feed().splitlines(keepends=True):
        if said := re.search(rb"c:(\d+)", line):
            newest = max(newest, int(said[1]) * SECOND)
        pieces.setdefault(newest // (20 * MINUTE), []).append(line)
    return [((k + 1) * 20 * MINUTE, b"".join(lines)) for k, lines in list(pieces.items())[: 3 * 18]]


CLOCKS = {
    "ten times as fast": lambda since, k: 9 * since,
    "ten times as slow": lambda since, k: -9 * since // 10,
    "to and fro by an hour": lambda since, k: (k % 2) * HOUR - HOUR // 2,
    "a day ahead": lambda since, k: 24 * HOUR,
    "two hours late": lambda since, k: -2 * HOUR * (k % 2),
}


def wrong_source(t, begun, off):
    """Ships far from all others, on straight ways; times are off by what the clock says."""
    lines = []
    for k in range(12):
        at = t - 20 * MINUTE + k * 100 * SECOND
        way = (at - begun) / HOUR * 0.1
        fields = {"mmsi": 671999101 + k % 2, "lat": -50.0 + k % 2 + way, "lon": -120.0, "sog": 6.0, "cog": 0.0}
        lines += encode(msg_type=1, **fields, t=max(0, at + off(at - begun, k)))
    return "".join(f"{line}\n" for line in lines).encode()


def events_of_honest_ships(folder, hours, off=None):
    """Their events in the end, and what was counted of the source whose clock is wrong."""
    tails = [{"type": "tail", "name": name, "path": f"{name}.nmea"} for name in ("feed", "wrong")]
    core = Core(config(folder, sources=tails))
    core.recover()
    for k, (t, data) in enumerate(hours):
        core.take([Chunk(0, t, data, "", 0)])
        if off is not None and k < len(hours) - 3:
            core.take([Chunk(1, t, wrong_source(t, hours[0][0], off), "", 0)])
    core.finish()
    events, counts = core.watch.events(), core.parsers[1].unused
    core.close()
    return events.take(~np.isin(events["mmsi"], [671999101, 671999102])), counts


@pytest.fixture(scope="module")
def hours():
    return by_hours()


@pytest.fixture(scope="module")
def alone(hours, tmp_path_factory):
    return events_of_honest_ships(tmp_path_factory.mktemp("alone"), hours)[0]


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_source_with_a_wrong_clock_changes_no_event_of_other_ships(clock, hours, alone, tmp_path):
    """But for the score of a silence, which says how well all ships were heard then."""
    events, counts = events_of_honest_ships(tmp_path, hours, CLOCKS[clock])
    for name in EVENT.names:
        if name in alone.columns and name != "score":
            np.testing.assert_array_equal(events[name], alone[name], err_msg=name)
    assert len(alone) > 20
    assert (STATUS[TIME_OUT_OF_RANGE] in counts) == (clock not in ("ten times as slow", "two hours late"))
