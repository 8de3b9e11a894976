"""What a storm makes of a bounded engine: no table outgrows its formula, and what finds no room is counted."""

import errno
import tracemalloc

import numpy as np
import pytest

from ais.decode import Decoder
from ais.encode import checksum, encode
from ais.table import Fixes
from detectors.bound import FEWEST_WAITING, RELEASED_SHARE
from detectors.engine import Engine
from detectors.rendezvous import FEWEST_PAIRS
from detectors.told import same_bytes
from geo.errors import UsageError
from tests.feeds import HOUR, MINUTE, SECOND, T0
from tests.test_vessel_cap import run, same, storm

HELD = 1 << 20
"""Bytes beyond which a test of a growing table says something."""


def held(engine):
    """Bytes of all arrays of an engine, by holder."""
    tracks = engine._tracks
    own = sum(array.nbytes for array in (*tracks.hulls, tracks.gate.candidates, tracks.gate.clocks, tracks.gone))
    found = {"hulls": own, "rows that wait": sum(column.nbytes for column in engine._pending.rows().values())}
    return found | {d.name: sum(array.nbytes for array in d.arrays.values()) for d in engine.detectors}


def assert_bounded(engine):
    most = engine.most_bytes()
    assert held(engine).keys() == most.keys()
    assert {name: (n, most[name]) for name, n in held(engine).items() if n > most[name]} == {}


def fixes_from(t, mmsi, lat, lon, sog):
    order = np.argsort(t, kind="stable")
    columns = {"t": t, "mmsi": mmsi, "lat": lat, "lon": lon, "sog": sog}
    return Fixes({name: np.asarray(column)[order] for name, column in columns.items()} | {"offset": np.arange(t.size)})


def roaming(n=64, steps=40):
    """Ships that are silent for half a day at a time, on ways across the oceans."""
    rng = np.random.default_rng(5)
    k, i = np.repeat(np.arange(n), steps), np.tile(np.arange(steps), n)
    t = T0 + i * 12 * HOUR + k * SECOND
    lat = -55.0 + 110.0 * k / n + rng.uniform(-0.5, 0.5, k.size)
    lon = (7.0 * i + 40.0 * k + 180.0) % 360.0 - 180.0
    return fixes_from(t, 211_000_000 + k, lat, lon, np.full(k.size, 18.0))


def raft(n=300, steps=30):
    """Ships that lie side by side, far from shore."""
    rng = np.random.default_rng(6)
    k, i = np.repeat(np.arange(n), steps), np.tile(np.arange(steps), n)
    lat, lon = (np.repeat(rng.uniform(-0.001, 0.001, n), steps) for _ in range(2))
    return fixes_from(T0 + i * 6 * MINUTE + k * 10_000, 211_000_000 + k, lat, lon - 30.0, np.zeros(k.size))


def inland(n=700, steps=20):
    """Ships in the middle of the Sahara."""
    k, i = np.repeat(np.arange(n), steps), np.tile(np.arange(steps), n)
    lat, lon = 23.0 + 0.001 * (k % 30) + 0.003 * i, 8.0 + 0.001 * (k // 30)
    return fixes_from(T0 + i * 3 * MINUTE + k * 10_000, 211_000_000 + k, lat, lon, np.full(k.size, 5.0))


def doubles(n=400, steps=8):
    """MMSIs under which two ships speak, half the globe apart."""
    k, i = np.repeat(np.arange(n), steps), np.tile(np.arange(steps), n)
    side = i % 2
    return fixes_from(
        T0 + i * 5 * MINUTE + k * 10_000, 211_000_000 + k, 0.01 * (k % 50) + side * 30.0, -30.0 + side * 150.0,
        np.zeros(k.size),
    )  # fmt: skip


def fakes(n, each):
    return Fixes({**storm(n, T0, T0 + 4 * 24 * HOUR, each=each), "offset": np.arange(n * each)}).sort()


STORMS = {
    "roaming": (roaming, "dark", 64, "cells of reception that found no room"),
    "raft": (raft, "rendezvous", 1024, "ways and pairs of slow ships that found no room"),
    "inland": (inland, "false_position", 1024, "suspicions of false positions that found no room"),
    "doubles": (doubles, "false_position", 1024, "suspicions of false positions that found no room"),
}


@pytest.mark.parametrize("name", STORMS)
def test_what_finds_no_room_in_a_table_is_counted_and_the_cut_does_not_matter(name):
    made, detector, bound, words = STORMS[name]
    fixes = made()
    events, engine = run(fixes, detectors=[detector], max_vessels=bound)
    cuts = np.random.default_rng(1).integers(0, len(fixes), 40).tolist()
    again, other = run(fixes, cuts, detectors=[detector], max_vessels=bound)
    free, _ = run(fixes, detectors=[detector])
    assert engine.beyond_bounds[words] > 100 and "vessels let go" not in engine.beyond_bounds
    assert same(events, again) and engine.beyond_bounds == other.beyond_bounds and len(free) >= len(events)
    assert_bounded(engine)
    assert_bounded(other)


def test_rafts_have_no_more_meetings_than_pairs_have_room():
    events, _ = run(raft(), detectors=["rendezvous"], max_vessels=1024)
    assert 0 < len(events) <= FEWEST_PAIRS


@pytest.mark.parametrize("is_full", [False, True])
def test_ways_lie_in_a_file_where_there_is_a_folder(tmp_path, monkeypatch, is_full):
    """From memory to a file and back, and where the disk has no room: all is as it is in memory."""

    def in_parts(engine, then):
        found = [engine.feed(fixes.take(slice(0, 5000)))]
        engine.save(tmp_path / "state")
        then.load(tmp_path / "state")
        return np.concatenate([*found, then.feed(fixes.take(slice(5000, None))), then.flush()])

    def refuse(file, at, n):
        raise OSError(errno.ENOSPC, "no space")

    if is_full:
        monkeypatch.setattr("os.posix_fallocate", refuse)
    fixes, options = raft(), {"max_vessels": 8192, "detectors": ["rendezvous"]}
    expected = in_parts(Engine(**options), Engine(**options))
    for folders in [(tmp_path, tmp_path), (None, tmp_path), (tmp_path, None)]:
        found = in_parts(*(Engine(**options, folder=folder) for folder in folders))
        assert same_bytes(found, expected).all() and found.size > 1000
    with_file, without = (Engine(**options, folder=folder).most_bytes()["rendezvous"] for folder in (tmp_path, None))
    assert with_file < without / 4 and list(tmp_path.iterdir()) == [tmp_path / "state"]


@pytest.mark.parametrize(("n", "each"), [(500_000, 1), (60_000, 3)])
def test_invented_ships_take_no_more_than_the_formula(n, each):
    engine, fixes, looks = Engine(max_vessels=4096), fakes(n, each), []
    for begin in range(0, len(fixes), len(fixes) // 8):
        engine.feed(fixes.take(slice(begin, begin + len(fixes) // 8)))
        looks.append(held(engine))
        assert_bounded(engine)
    assert engine.hulls.size <= 4096 and sum(looks[-1].values()) > HELD
    for name in ("hulls", "loitering", "port_call", "false_position", "rendezvous"):
        assert looks[-1][name] == looks[2][name], name


@pytest.mark.parametrize("made", [roaming, raft, inland, doubles], ids=lambda made: made.__name__)
@pytest.mark.parametrize("bound", [16, 100])
def test_no_storm_outgrows_the_formula(made, bound):
    engine, fixes = Engine(max_vessels=bound), made()
    for begin in range(0, len(fixes), 4000):
        engine.feed(fixes.take(slice(begin, begin + 4000)))
        assert_bounded(engine)
    engine.flush()
    assert_bounded(engine)


def test_rows_that_wait_are_bounded_and_late_ones_counted():
    n, over = FEWEST_WAITING + 20_000, 20_000 + FEWEST_WAITING // RELEASED_SHARE
    t = T0 + np.arange(n) * 5_000  # 5.5 minutes: all within the lateness window
    fixes = fixes_from(t, np.full(n, 211_000_001), np.zeros(n), -30.0 + np.arange(n) * 1e-7, np.zeros(n))
    engine = Engine(["loitering"], max_vessels=16)
    engine.feed(fixes)
    assert engine.released == t[over - 1] + 1 and held(engine)["rows that wait"] > HELD
    assert_bounded(engine)
    engine.feed(fixes.take(slice(0, 100)))
    assert engine.counts["later than the lateness window"] == 100
    engine.flush()
    assert int(engine.tally.sum()) == n + 100


def test_a_state_that_is_taken_from_a_file_is_in_memory_once(tmp_path):
    """Into an engine that holds as much: each array takes the place of the one before."""
    engine = Engine(max_vessels=65_536, folder=tmp_path)
    engine.feed(fakes(60_000, 3))
    engine.save(tmp_path / "state")
    size = (tmp_path / "state").stat().st_size
    tracemalloc.start()
    engine.load(tmp_path / "state")
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    engine.load(tmp_path / "state")
    most = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert before > 20 * HELD and most < size / 2


def first_parts(begin, end):
    """First parts of messages whose second part never comes: by sequence number and by growing groups of tag blocks."""
    payload = "55?MbV02>H97ac<H4eEK6wPu8h4pTp@000000000000"
    for k in range(begin, end):
        group, part = f"g:1-2-{k}", f"AIVDM,2,1,{k % 10},A,{payload}{k % 8},0"
        yield f"\\{group}*{checksum(group)}\\!{part}*{checksum(part)}"


def halves(begin, end):
    """Parts A of type 24 of ever other ships; the part B never comes."""
    for k in range(begin, end):
        yield encode({"msg_type": 24, "mmsi": 200_000_000 + 613 * k, "part": 0, "name": f"FAKE {k}"})[0]


@pytest.mark.parametrize("made", [first_parts, halves], ids=lambda made: made.__name__)
def test_parts_that_never_come_whole_take_no_room_in_the_decoder(made):
    decoder, n, sizes = Decoder(), 4_000, []
    pieces = ["\n".join([*made(begin, begin + n), ""]).encode() for begin in range(0, 5 * n, n)]
    tracemalloc.start()
    for piece in pieces:
        decoder.feed(piece)
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    decoder.flush()
    assert sizes[-1] - sizes[1] < 100_000
    if made is first_parts:
        assert decoder.counts["message with a part that never came"] == 5 * n


def test_without_a_bound_there_is_no_formula():
    with pytest.raises(UsageError, match="without max_vessels there is no bound"):
        Engine(["dark"]).most_bytes()


def test_a_detector_that_cannot_let_go_is_refused(monkeypatch):
    from detectors.loitering import Loitering

    monkeypatch.setattr(Loitering, "by_slot", ())
    with pytest.raises(UsageError, match="'loitering' cannot let go of vessels"):
        Engine(["loitering"], max_vessels=16)
