"""A bounded engine: a feed that invents ships fills no memory, and drives no honest ship out."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ais.admission import GONE
from ais.identity import identities
from ais.status import NOT_ADMITTED, OK
from ais.table import Fixes
from ais.tracks import Tracks
from detectors.engine import Engine
from detectors.event import KINDS, LET_GO, PORT_CALL, RENDEZVOUS
from detectors.watch import Watch
from geo.errors import UsageError
from tests.feeds import HOUR, MINUTE, SECOND, T0, fixes_of
from tests.naive_admission import NaiveAdmission
from tests.worlds import busy_world

DAY = 24 * HOUR
WORDS = "vessel not admitted (the table of vessels is full)"


def run(fixes, cuts=(), *, detectors=None, watched=(), resume_at=None, folder=None, **options):
    """The events of fixes in pieces, saved to a file and resumed before one of them; and the engine."""
    engine = Engine(detectors, **options)
    engine.watched = watched
    found = []
    for k, (begin, end) in enumerate(itertools.pairwise([0, *sorted(cuts), len(fixes)])):
        if k == resume_at:
            engine.save(folder / "state.npz")
            engine = Engine(detectors, **options)
            engine.watched = watched
            engine.load(folder / "state.npz")
        found.append(engine.feed(fixes.take(slice(begin, end))))
    found.append(engine.flush())
    return engine.finish(np.concatenate(found), identities(fixes.static), fixes.sources), engine


def same(one, other, mmsis=None, left_out=()):
    """Whether two tables have the same events, byte for byte; those of some ships where these are given."""
    for name in one:
        if name in left_out:
            continue
        a, b = (
            events[name] if mmsis is None else events[name][np.isin(events["mmsi"], mmsis)] for events in (one, other)
        )
        assert a.tobytes() == b.tobytes(), name
    return True


def lying(mmsi, times, lat=0.0, lon=-30.0):
    return [(t, mmsi, lat, lon, 0.0) for t in times]


def storm(n, begin, end, *, each=1, seed=0, first=500_000_000):
    """Ships that nobody built, heard `each` times a minute apart, in a sea of their own."""
    rng = np.random.default_rng(seed)
    t = np.repeat(np.linspace(begin, end - each * MINUTE, n).astype(np.int64), each) + np.tile(
        np.arange(each) * MINUTE, n
    )
    lat, lon = np.repeat(rng.uniform(-60, -50, n), each), np.repeat(rng.uniform(-140, -110, n), each)
    return {"t": t, "mmsi": np.repeat(first + np.arange(n), each), "lat": lat, "lon": lon, "sog": np.zeros(n * each)}


def mixed(honest, *storms):
    """Honest rows and storms in one feed; each row keeps its place in its own file."""
    parts = [honest]
    for k, rows in enumerate(storms):
        n = rows["t"].size
        parts.append(Fixes({**rows, "offset": np.arange(n) * 50, "source": np.full(n, k + 1)}))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in honest}
    order = np.argsort(columns["t"], kind="stable")
    sources = ("honest", *(f"storm {k}" for k in range(len(storms))))
    return Fixes({name: column[order] for name, column in columns.items()}, honest.static, sources)


def honest_world(**options):
    """A small busy world in which one ship at least is always heard: the feed itself is never silent."""
    busy = busy_world(3, vessels=8, **options)
    t = np.arange(int(busy["t"].min()), int(busy["t"].max()), 10 * MINUTE)
    steady = {"t": t, "mmsi": np.full(t.size, 231_000_009), "lat": np.linspace(-40, -20, t.size)}
    return mixed(busy, {**steady, "lon": np.full(t.size, 5.0), "sog": np.full(t.size, 7.0)})


def test_below_the_bound_events_are_those_without_one():
    fixes = busy_world(3, vessels=8)
    plain, bounded = run(fixes)[0], run(fixes, max_vessels=16)[0]
    assert len(plain) > 50 and same(plain, bounded) and bounded.counts == plain.counts


def test_a_storm_of_single_positions_admits_none_and_honest_ships_keep_their_events():
    honest = honest_world()
    begin, end = int(honest["t"].min()), int(honest["t"].max())
    fixes = mixed(honest, storm(500_000, begin, end))
    ships = np.unique(honest["mmsi"])
    expected, _ = run(honest)
    found, engine = run(fixes, max_vessels=4096)
    assert len(expected) > 50 and same(expected, found, ships)
    assert engine.hulls.size == 4096 and np.isin(ships, engine.hulls["mmsi"]).all()
    assert engine.counts[WORDS] == 500_000 - (4096 - ships.size)
    assert "vessels let go" not in engine.beyond_bounds


@pytest.mark.parametrize("detectors", [["loitering"], ["rendezvous"], ["port_call"], ["false_position"]])
def test_honest_ships_keep_their_events_while_others_come_and_go(detectors):
    honest = honest_world(ports=[(35.1, 129.0)])
    begin, end = int(honest["t"].min()), int(honest["t"].max())
    fixes = mixed(honest, storm(12_000, begin, end, each=3), storm(12_000, begin, end, first=600_000_000))
    ships = np.unique(honest["mmsi"])
    least = {"rendezvous": {"rendezvous": {"min_duration_s": 1800}}}.get(detectors[0])
    expected, _ = run(honest, detectors=detectors, params=least)
    found, engine = run(fixes, detectors=detectors, params=least, max_vessels=256, watched=ships)
    if detectors != ["false_position"]:
        assert len(expected) > 3
    assert same(expected, found, ships)
    assert engine.beyond_bounds["vessels let go"] > 500 and np.isin(ships, engine.hulls["mmsi"]).all()


def test_honest_silences_are_told_while_others_come_and_go():
    """Whether they are dark, and how surely, rests on the silences of all ships, the invented ones too."""
    honest = honest_world()
    begin, end = int(honest["t"].min()), int(honest["t"].max())
    ships = np.unique(honest["mmsi"])
    expected, _ = run(honest, detectors=["dark"])
    fixes = mixed(honest, storm(12_000, begin, end, each=3), storm(12_000, begin, end, first=600_000_000))
    found, _ = run(fixes, detectors=["dark"], max_vessels=256, watched=ships)
    judged = set(expected) - {"id", "mmsi", "t_start", "t_end", "open", "n", "lat", "lon", "lat_end", "first_offset"}
    assert len(expected) > 30 and same(expected, found, ships, left_out=judged)


def test_a_late_ship_is_followed_from_its_third_position_on():
    crowd = [row for k in range(16) for row in lying(211_000_000 + k, T0 + np.arange(0, 90) * HOUR, lon=-60.0 - k)]
    late = [(T0 + 30 * HOUR + m * MINUTE, 219_000_001, 0.0, -40.0, 0.1) for m in range(0, 600, 10)]
    gone = [row for row in crowd if row[1] != 211_000_003 or row[0] < T0 + 3 * HOUR]
    fixes = fixes_of(sorted(gone + late)).sort()
    found, engine = run(fixes, max_vessels=16)
    third = int(np.flatnonzero(fixes["mmsi"] == 219_000_001)[2])
    stop = found["t_start"][(found["mmsi"] == 219_000_001) & (found["kind"] == KINDS.index("loitering"))]
    assert engine.counts[WORDS] == 2 and stop.tolist() == [fixes["t"][third]]


def test_what_a_ship_leaves_open_is_told_with_the_moment_at_which_it_went():
    silent = lying(211_000_003, T0 + np.arange(0, 4) * HOUR)
    crowd = [row for k in range(15) for row in lying(212_000_000 + k, T0 + np.arange(0, 90) * HOUR, lon=-60.0 - k)]
    late = lying(219_000_001, T0 + 40 * HOUR + np.arange(5) * MINUTE, lon=-40.0)
    found, engine = run(fixes_of(sorted(silent + crowd + late)), detectors=["dark"], max_vessels=16)
    gap = np.flatnonzero(found["mmsi"] == 211_000_003)
    assert found["open"][gap].tolist() == [LET_GO] and found["t_start"][gap].tolist() == [T0 + 3 * HOUR]
    assert found["t_end"][gap].tolist() == [T0 + 40 * HOUR + 2 * MINUTE] and np.isnan(found["lat_end"][gap]).all()
    assert engine.beyond_bounds == {"vessels let go": 1, "events left open by vessels let go": 1}
    assert found.counts["vessels let go"] == 1 and 211_000_003 in found.vessels["mmsi"]


def test_a_call_that_goes_on_is_told_when_its_ship_is_let_go():
    port = lying(211_000_003, T0 + np.arange(0, 60) * 10 * MINUTE, 35.1, 129.04)
    crowd = [row for k in range(15) for row in lying(212_000_000 + k, T0 + np.arange(0, 90) * HOUR, lon=-60.0 - k)]
    late = lying(219_000_001, T0 + 60 * HOUR + np.arange(5) * MINUTE, lon=-40.0)
    found, _ = run(fixes_of(sorted(port + crowd + late)), detectors=["port_call"], max_vessels=16)
    assert [(int(found[n][0])) for n in ("kind", "mmsi", "open")] == [PORT_CALL, 211_000_003, LET_GO]


def test_a_meeting_is_told_when_one_of_both_is_let_go():
    pair = [(T0 + m * MINUTE, 211_000_003 + k, 0.0, -30.0 + 0.001 * k, 0.1) for m in range(0, 240, 6) for k in (0, 1)]
    on = [(T0 + m * MINUTE, 211_000_004, 0.0, -29.999, 0.1) for m in range(240, 40 * 60, 6)]
    crowd = [row for k in range(14) for row in lying(212_000_000 + k, T0 + np.arange(0, 90) * HOUR, lon=-60.0 - k)]
    late = lying(219_000_001, T0 + 39 * HOUR + np.arange(5) * MINUTE, lon=-40.0)
    fixes = fixes_of(sorted(pair + on + crowd + late))
    found, engine = run(fixes, detectors=["rendezvous"], max_vessels=16)
    expected, _ = run(fixes, detectors=["rendezvous"])
    assert found["kind"].tolist() == [RENDEZVOUS] and same(expected, found) and engine.beyond_bounds["vessels let go"]


def test_watched_ships_need_not_wait_and_never_go():
    watched = [231_000_001, 232_000_001]
    early = lying(watched[0], [T0])
    crowd = [row for k in range(14) for row in lying(212_000_000 + k, T0 + np.arange(1, 300, 20) * HOUR, lon=-60.0 - k)]
    knocking = [
        row
        for k in range(40)
        for row in lying(240_000_000 + k, T0 + (30 + 6 * k) * HOUR + np.arange(4) * MINUTE, lon=10.0 + k)
    ]
    late = lying(watched[1], [T0 + 290 * HOUR])
    fixes = fixes_of(sorted(early + crowd + knocking + late))
    _, engine = run(fixes, detectors=["dark"], max_vessels=16, watched=watched)
    assert np.isin(watched, engine.hulls["mmsi"]).all() and engine.hulls.size <= 16
    assert engine.watched.tolist() == watched


def test_copies_of_one_position_are_one_position():
    crowd = [row for k in range(16) for row in lying(212_000_000 + k, T0 + np.arange(0, 90) * HOUR, lon=-60.0 - k)]
    copies = lying(219_000_001, T0 + 40 * HOUR + np.arange(9) * SECOND)
    _, engine = run(fixes_of(sorted(crowd[:-80] + copies)), detectors=["dark"], max_vessels=16)
    assert engine.counts[WORDS] == 9


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 4, 20, 300, 4000, 40_000]), st.integers(0, 30)), max_size=300),
    st.sampled_from([16, 18, 23]),
    st.integers(0, 3),
)
def test_who_gets_a_place_is_what_the_obvious_twin_says(steps, bound, listed):
    watched = [200_000_000 + 7919 * k for k in range(listed)]
    tracks, naive, t, expected = Tracks(bound), NaiveAdmission(bound, watched), T0, []
    engine = Engine(["dark"], max_vessels=bound)
    engine.watched = watched
    tracks.gate = tracks.gate._replace(watched=engine.watched, most=bound - listed)
    rows = []
    for seconds, k in steps:
        t += seconds * SECOND
        rows.append((t, 200_000_000 + 7919 * k, 0.0, float(k), 0.0))
        expected.append(naive.row(t, rows[-1][1]))
    columns, found = {name: fixes_of(rows)[name] for name in ("t", "mmsi", "lat", "lon", "sog")}, []
    while True:
        found += (status := tracks.follow(columns)[2]).tolist()
        columns = {name: column[status.size :] for name, column in columns.items()}
        if columns["t"].size == 0:
            break
        kept = tracks.to_keep(int(columns["t"][0]))
        tracks.keep(kept)
    assert found == expected and int(tracks.gate.clocks[GONE]) == naive.gone
    assert sorted(naive.vessels) == sorted(tracks.hulls.rows["mmsi"][: int(tracks.hulls.used[0])].tolist())


def test_ships_that_come_together_are_followed_though_they_wait_for_the_same_places():
    """Fleets that come and go: each is let in once the one before was silent for a day, as far as there is room."""
    engine, n, followed = Engine(["loitering"], max_vessels=64), 48, []
    for fleet in range(12):
        begin = T0 + fleet * 26 * HOUR
        ships = 211_000_000 + fleet * n + np.arange(n)
        rows = [(begin + k * 6 * MINUTE, ship, 0.5 * (ship % n), -30.0, 7.0) for k in range(60) for ship in ships]
        engine.feed(fixes_of([*rows, (begin + 25 * HOUR, 219_000_001, 10.0, -40.0, 7.0)]))
        followed.append(int(np.isin(ships, engine.hulls["mmsi"]).sum()))
    assert min(followed) >= n - 1


def crowded(seed):
    """A small busy world, fakes that knock once, three times and often, and one MMSI that jumps about."""
    rng = np.random.default_rng(seed)
    honest = busy_world(seed % 5, vessels=5)
    begin, end = int(honest["t"].min()), int(honest["t"].max())
    near = storm(150, begin, end, each=4, seed=seed)
    near["lat"], near["lon"] = near["lat"] + 55.0, near["lon"] + 95.0  # among the honest ones
    jumps = {
        "t": np.linspace(begin, end, 200).astype(np.int64),
        "mmsi": rng.choice([211_000_000, 700_000_001], 200),
        "lat": rng.uniform(-40, 40, 200),
        "lon": rng.uniform(-60, 0, 200),
        "sog": np.zeros(200),
    }
    return mixed(honest, near, storm(200, begin, end, seed=seed + 1, first=600_000_000), jumps)


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_any_cut_and_any_restart_give_the_same(tmp_path_factory, data):
    fixes = crowded(data.draw(st.integers(0, 1000)))
    cuts = data.draw(st.lists(st.integers(0, len(fixes)), min_size=1, max_size=9))
    options = {"max_vessels": data.draw(st.sampled_from([16, 24, 40])), "watched": [211_000_000 + 7919]}
    whole, engine = run(fixes, **options)
    resume_at = data.draw(st.integers(0, len(cuts)))
    found, other = run(fixes, cuts, resume_at=resume_at, folder=tmp_path_factory.mktemp("state"), **options)
    assert same(whole, found) and whole.counts == found.counts and engine.beyond_bounds["vessels let go"] > 30
    for name, array in engine.state().items():
        if name.startswith(("hulls.table", "hulls.used", "gate", "clocks")):
            assert array.tobytes() == other.state()[name].tobytes(), name


def test_single_rows_give_what_all_at_once_give():
    fixes = crowded(4)
    fixes = fixes.take(slice(0, 2500))
    whole, engine = run(fixes, max_vessels=16)
    found, _ = run(fixes, range(1, len(fixes)), max_vessels=16)
    assert same(whole, found) and engine.beyond_bounds["vessels let go"] > 10


def test_every_row_is_used_or_counted():
    fixes = crowded(7)
    _, engine = run(fixes, max_vessels=16)
    assert int(engine.tally.sum()) == len(fixes) and engine.tally[NOT_ADMITTED] > 100 and engine.tally[OK] > 100


def test_a_watch_passes_the_bound_on():
    watch = Watch(["dark"], max_vessels=16)
    crowd = [row for k in range(20) for row in lying(212_000_000 + k, [T0 + k * SECOND], lon=-60.0 - k)]
    watch.feed(fixes_of(crowd))
    watch.flush()
    assert watch.engine.hulls.size == 16 and watch.counts == {WORDS: 4}


def test_a_watch_that_late_rows_take_back_ends_with_the_same_events():
    fixes = crowded(2)
    fixes = fixes.take(slice(0, 4000))
    rng = np.random.default_rng(8)
    late = rng.random(len(fixes)) < 0.03
    arrival = fixes["t"] + np.where(late, rng.integers(0, 3 * HOUR, len(fixes)), 0)
    shuffled = fixes.take(np.argsort(arrival, kind="stable"))
    expected, engine = run(fixes, detectors=["dark", "loitering"], max_vessels=16)
    watch = Watch(["dark", "loitering"], step_s=3600, max_vessels=16)
    for begin in range(0, len(fixes), 700):
        watch.feed(shuffled.take(slice(begin, begin + 700)))
    watch.flush()
    found = watch.events()
    assert engine.beyond_bounds == watch.engine.beyond_bounds and LET_GO in found["open"]
    for name in ("id", "t_start", "t_end", "open", "n"):
        assert found[name].tobytes() == expected[name].tobytes(), name


def test_a_state_may_be_resumed_with_another_bound(tmp_path):
    fixes = crowded(3)
    small = Engine(["dark"], max_vessels=40)
    small.feed(fixes.take(slice(0, 3000)))
    small.save(tmp_path / "state.npz")
    for bound in (20, 400, None):
        other = Engine(["dark"], max_vessels=bound)
        other.load(tmp_path / "state.npz")
        other.feed(fixes.take(slice(3000, None)))
        assert bound is None or other.hulls.size <= max(bound, 40)
        assert int(other.tally.sum()) + other._pending.size == len(fixes)


@pytest.mark.parametrize("wrong", [0, -1, 15, 10**12, float("nan")])
def test_a_bound_that_is_none_is_refused(wrong):
    with pytest.raises(
        UsageError, match=f"max_vessels must be from 16 to 16,777,216, or None for no bound, not {wrong}"
    ):
        Engine(["dark"], max_vessels=wrong)


def test_a_watch_list_that_leaves_no_room_is_refused():
    engine = Engine(["dark"], max_vessels=16)
    with pytest.raises(UsageError, match="9 MMSIs are more than half of max_vessels"):
        engine.watched = range(211_000_000, 211_000_009)
    with pytest.raises(UsageError, match="watched: -1 is no MMSI"):
        engine.watched = [-1]
