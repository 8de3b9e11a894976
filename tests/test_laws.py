"""The laws that every detector keeps, over a world dense with events of every kind.

A new detector inherits the battery by being registered (`detectors.registry`).
"""

import functools
import itertools
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ais.identity import identities
from ais.table import Fixes, Static
from detectors.detect import detect
from detectors.engine import Engine
from detectors.registry import registered
from geo.ports import port_by_code
from tests.feeds import HOUR, MINUTE, SECOND, T0, fixes_of
from tests.worlds import busy_world, deceived

LATENESS_S = 600
NEED_PLACE = {"port_call", "voyage", "dark_rendezvous"}
"""Detectors with tests of their own across 180 degrees: a silence is dark by the cells that its way crosses."""
DETECTORS = list(registered())
BERTH = port_by_code("KRPUS")
assert BERTH is not None


@functools.cache
def world(seed: int = 11) -> Fixes:
    """Hundreds of closed events of each kind, two ships behind one MMSI, false positions, one that jumps."""
    fixes = busy_world(seed, vessels=24, ports=[(BERTH.lat, BERTH.lon)])
    n = len(fixes)
    shared = {
        "t": T0 + np.arange(800) * 10 * MINUTE + 11 * SECOND,
        "mmsi": np.full(800, fixes["mmsi"][0]),
        "lat": np.full(800, -40.0),
        "lon": 100.0 + np.arange(800) * 0.01,
        "sog": np.full(800, 3.6),
        "offset": 10_000_000 + np.arange(800) * 48,
    }
    columns = {
        name: np.concatenate([fixes[name], np.asarray(shared.get(name, np.zeros(800)), fixes[name].dtype)])
        for name in fixes
    }
    columns["lat"][n // 2] += 20.0
    false = deceived(seed)
    both = {name: np.concatenate([columns[name], false[name]]) for name in columns}
    return Fixes(both, static=fixes.static).sort()


class Found(NamedTuple):
    """The events of a feed: how many, and all that the table says of them, as bytes."""

    n: int
    data: bytes


def run(name, pieces, *, threads=1, detectors=None, static=None) -> Found:
    """The events of a feed in pieces."""
    engine = Engine(detectors or [name], lateness_s=LATENESS_S, threads=threads)
    found = [engine.feed(piece) for piece in pieces]
    return finished(engine, [*found, engine.flush()], static)


def finished(engine, records, static=None) -> Found:
    events = engine.finish(np.concatenate(records), identities(static or world().static))
    return Found(len(events), b"".join(events[key].tobytes() for key in events))


def cut(fixes, places):
    bounds = [0, *sorted(places), len(fixes)]
    return [fixes.take(slice(a, b)) for a, b in itertools.pairwise(bounds)]


@functools.cache
def batch(name: str) -> Found:
    return run(name, [world()])


@pytest.fixture(params=DETECTORS)
def name(request):
    return request.param


def test_the_world_is_dense_enough_to_prove_anything():
    found = {name: batch(name).n for name in DETECTORS}
    assert found["loitering"] > 100 and found["dark"] > 100 and found["rendezvous"] > 30 and found["port_call"] > 8, (
        found
    )
    assert found["identity"] > 30 and found["draught"] > 100, found


@settings(max_examples=12)
@given(places=st.lists(st.integers(0, 10_000), max_size=12), name=st.sampled_from(list(DETECTORS)))
def test_any_cut_of_the_input_gives_the_same_events(places, name):
    fixes = world()
    assert run(name, cut(fixes, [p * len(fixes) // 10_000 for p in places])) == batch(name)


PORTS = (
    "KRPUS", "KRKPO", "JPOSA", "RUVVO", "CNDLC", "JPKIJ", "NLRTM", "SGSIN", "PHMNL", "CNTAO", "JPUKB", "KRINC", "CNSHG",
    "DEHAM", "BEANR", "GBFXT", "USNYC", "USLAX", "BRSSZ", "ZADUR",
)  # fmt: skip


def test_hundreds_of_events_of_each_kind_cut_shuffled_repeated_and_resumed(tmp_path):
    fixes = busy_world(21, vessels=72, ports=[(p.lat, p.lon) for p in map(port_by_code, PORTS) if p])
    rng = np.random.default_rng(5)
    twice = np.sort(np.concatenate([np.arange(len(fixes)), rng.integers(0, len(fixes), 5000)]))
    arrival = fixes["t"][twice] + rng.integers(0, LATENESS_S * SECOND, twice.size)
    messy = fixes.take(twice[np.argsort(arrival, kind="stable")])
    for name in DETECTORS:
        whole = run(name, [fixes], static=fixes.static)
        assert whole.n > (10 if name == "dark_rendezvous" else 140), name
        engine, found = Engine([name], lateness_s=LATENESS_S), []
        for k, piece in enumerate(cut(messy, rng.integers(0, len(messy), 6).tolist())):
            engine.save(tmp_path / f"{name}{k}.npz")
            engine = Engine([name], lateness_s=LATENESS_S)
            engine.load(tmp_path / f"{name}{k}.npz")
            found.append(engine.feed(piece))
        assert finished(engine, [*found, engine.flush()], fixes.static) == whole, name


def test_single_rows_give_the_same_events(name):
    fixes = world()
    some = fixes.take(np.isin(fixes["mmsi"], np.unique(fixes["mmsi"])[[0, 1, -1]]))
    rows = [some.take(slice(k, k + 1)) for k in range(len(some))]
    assert run(name, rows) == run(name, [some])


@settings(max_examples=8)
@given(seed=st.integers(0, 1000), name=st.sampled_from(list(DETECTORS)))
def test_order_within_the_lateness_window_does_not_matter(seed, name):
    fixes = world()
    rng = np.random.default_rng(seed)
    arrival = fixes["t"] + rng.integers(0, LATENESS_S * SECOND, len(fixes))
    shuffled = fixes.take(np.argsort(arrival, kind="stable"))
    assert run(name, cut(shuffled, rng.integers(0, len(fixes), 5).tolist())) == batch(name)


def test_what_comes_later_than_the_window_is_counted_and_changes_nothing_else(name):
    fixes = world()
    late = fixes.take(slice(0, 3))
    engine = Engine([name], lateness_s=LATENESS_S)
    found = [engine.feed(fixes), engine.feed(late), engine.flush()]
    assert finished(engine, found) == batch(name)
    assert engine.counts["later than the lateness window"] == 3


@settings(max_examples=6)
@given(seed=st.integers(0, 1000), name=st.sampled_from(list(DETECTORS)))
def test_repeated_rows_change_no_event(seed, name):
    fixes = world()
    twice = np.sort(np.concatenate([np.arange(len(fixes)), np.random.default_rng(seed).integers(0, len(fixes), 2000)]))
    assert run(name, [fixes.take(twice)]) == batch(name)


@pytest.mark.parametrize("threads", [2, 4])
def test_the_number_of_threads_does_not_matter(threads):
    every = list(DETECTORS)
    assert run("", cut(world(), [5000, 9000]), threads=threads, detectors=every) == run("", [world()], detectors=every)


@settings(max_examples=8)
@given(share=st.floats(0, 1), name=st.sampled_from(list(DETECTORS)))
def test_saved_and_resumed_at_any_row(tmp_path_factory, share, name):
    fixes = world()
    row = int(share * len(fixes))
    path = tmp_path_factory.mktemp("state") / "engine.npz"
    first = Engine([name], lateness_s=LATENESS_S)
    before = first.feed(fixes.take(slice(0, row)))
    first.save(path)
    second = Engine([name], lateness_s=LATENESS_S)
    second.load(path)
    after = [second.feed(fixes.take(slice(row, None))), second.flush()]
    assert finished(second, [before, *after]) == batch(name)
    assert second.counts == _counts(name)


@functools.cache
def _counts(name):
    engine = Engine([name], lateness_s=LATENESS_S)
    engine.feed(world())
    engine.flush()
    return engine.counts


def test_a_state_of_other_parameters_is_refused(tmp_path):
    from detectors.dark import DarkParams
    from geo.errors import UsageError

    Engine(["dark"]).save(tmp_path / "state.npz")
    with pytest.raises(UsageError, match="saved with other detectors or parameters"):
        Engine(["dark"], {"dark": DarkParams(min_gap_s=3600)}).load(tmp_path / "state.npz")


def test_a_clock_that_is_wrong_does_not_carry_the_feed_away(name):
    """One row fifty years ahead, early on: every later row is still used, and no ship is silent for fifty years."""
    fixes = world()
    wrong = fixes.take(slice(40, 41))
    wrong.columns["t"] = wrong["t"] + 50 * 365 * 24 * HOUR
    engine = Engine([name], lateness_s=LATENESS_S)
    found = [engine.feed(piece) for piece in (fixes.take(slice(0, 60)), wrong, fixes.take(slice(60, None)))]
    found = np.concatenate([*found, engine.flush()])
    assert engine.counts == _counts(name)
    honest = found[found["mmsi"] != wrong["mmsi"][0]]
    assert honest.size and (honest["t_end"] <= fixes["t"][-1]).all()


def _story(events, shift_us=0, names=lambda mmsi: mmsi):
    """Who did what when, without the columns that a mirrored or renamed world must change."""
    rows = zip(*(events[key].tolist() for key in ("kind", "mmsi", "other", "t_start", "t_end", "n")), strict=True)
    found = []
    for kind, mmsi, other, start, end, n in rows:
        ships = sorted(names(ship) for ship in (mmsi, other) if ship)
        kind = 1 if kind == 4 else kind  # dark or gap depends on the cells that the way crosses
        found.append((kind, ships, start - shift_us, end - shift_us, n))
    return sorted(found)


def _open_sea(lon0=-30.0, seed=4):
    return busy_world(seed, vessels=12, lon0=lon0)


def _same(story, other, tolerance_us):
    assert [row[:2] + row[4:] for row in story] == [row[:2] + row[4:] for row in other]
    for mine, theirs in zip(story, other, strict=True):
        assert abs(mine[2] - theirs[2]) <= tolerance_us and abs(mine[3] - theirs[3]) <= tolerance_us


def test_a_world_across_the_antimeridian_tells_the_same_story(name):
    if name in NEED_PLACE:
        pytest.skip(f"what {name} finds depends on the ports, the cells or the coast of the place")
    here, there = detect(_open_sea(-30.0), [name]), detect(_open_sea(180.0), [name])
    assert len(here) > 10
    _same(_story(here), _story(there), 2 * SECOND)


def test_a_shift_in_time_shifts_the_events(name):
    if name == "dark_rendezvous":
        pytest.skip("a silence is dark by what was heard in the same two hours of the clock")
    fixes = _open_sea()
    shift = 45 * HOUR + 35 * MINUTE
    static = Static({**fixes.static.columns, "t": fixes.static["t"] + shift})
    moved = Fixes({**fixes.columns, "t": fixes["t"] + shift}, static=static)
    assert _story(detect(moved, [name]), shift) == _story(detect(fixes, [name]))


def test_other_names_for_the_ships_tell_the_same_story(name):
    fixes = _open_sea()
    ships = np.unique(fixes["mmsi"])
    # Numbers of the same country: what an MMSI says of its flag is a part of the story.
    new = np.random.default_rng(1).permutation(np.arange(ships.size) + 218_000_000).astype(np.uint32)
    told = {**fixes.static.columns, "mmsi": new[np.searchsorted(ships, fixes.static["mmsi"])]}
    renamed = Fixes({**fixes.columns, "mmsi": new[np.searchsorted(ships, fixes["mmsi"])]}, static=Static(told))
    back = dict(zip(new.tolist(), ships.tolist(), strict=True))
    _same(_story(detect(renamed, [name]), names=back.__getitem__), _story(detect(fixes, [name])), 0)


def test_nothing_and_one_row(name):
    assert len(detect(fixes_of([]), [name])) == 0
    assert len(detect(fixes_of([(T0, 211000001, 0.0, 0.0, 1.0)]), [name])) == 0


def test_rows_without_time_place_or_ship_give_no_event_and_are_counted(name):
    rows = [
        (np.iinfo(np.int64).min, 211000001, 0.0, 0.0, 1.0),
        (T0, 2110001, 0.0, 0.0, 1.0),
        (T0, 211000001, np.nan, 0, 1.0),
    ]
    engine = Engine([name])
    engine.feed(fixes_of(rows))
    assert engine.flush().size == 0
    assert engine.counts == {
        "no time (cannot be used by detectors)": 1,
        "not a ship (base station, aid to navigation, aircraft, SART)": 1,
        "no position in the message": 1,
    }
