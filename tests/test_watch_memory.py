"""What a watch keeps, for how long, and that it is not fooled: late static reports, wrong clocks, files of others."""

import numpy as np
import pytest

from ais.identity import condensed, identities, no_repeats, plain
from ais.table import NAT, STATIC_DTYPES, Static, columns_of
from detectors import engine as engine_module
from detectors.engine import Engine
from detectors.event import KINDS
from detectors.history import MOST_INPUTS, OTHERS, Inputs
from detectors.reports import LEAST_CONDENSED
from detectors.snapshot import read_state
from detectors.watch import CHANGES, OPENED, RETRACTED, Watch
from geo.errors import InputError, OutputError, UsageError
from tests.feeds import HOUR, MINUTE, SECOND, T0, fixes_of


def others(hours, every=10):
    """Three ships that sail for some hours."""
    return [
        (T0 + m * MINUTE + k * SECOND, 211000100 + k, 1 + k * 0.1, -29.0 + 0.001 * m, 7.0)
        for k in range(3)
        for m in range(0, hours * 60, every)
    ]


def sailing(mmsi, begin_h, end_h):
    return [(T0 + m * MINUTE, mmsi, 0.002 * m, -30.0 + mmsi % 10, 7.0) for m in range(begin_h * 60, end_h * 60, 10)]


def pieces_of(fixes, size):
    return [fixes.take(slice(k, k + size)) for k in range(0, len(fixes), size)]


def static_of(rows):
    """Static reports (t, mmsi, name, source); the offset is the number of the row."""
    static = columns_of(STATIC_DTYPES, len(rows))
    static["t"], static["mmsi"], static["name"], static["source"] = (
        np.array(column).astype(static[name].dtype)
        for name, column in zip(("t", "mmsi", "name", "source"), zip(*rows, strict=True), strict=True)
    )
    static["msg_type"][:], static["offset"] = 5, np.arange(len(rows))
    return static


def test_the_inputs_of_static_reports_keep_their_names_too():
    one, two = fixes_of(sailing(211000001, 0, 2)), fixes_of(others(2))
    one.sources, two.sources = ("ship.nmea",), ("others.nmea",)
    one.static = Static(static_of([(T0, 211000001, "SHIP", 0)]))
    two.static = Static(static_of([(T0, 211000100, "OTHER", 0)]))
    watch = Watch(["dark"])
    watch.feed(two)
    watch.feed(one)
    watch.flush()
    events = watch.events()
    assert [events.sources[code] for code in events.identity["source"]] == ["ship.nmea", "others.nmea"]


@pytest.mark.parametrize("seed", range(8))
def test_condensed_reports_tell_what_all_tell(seed):
    """Reports of ships that change often, in pieces that come late, condensed after each piece."""
    rng = np.random.default_rng(seed)
    n = 4000
    static = columns_of(STATIC_DTYPES, n)
    static["t"] = T0 + rng.integers(0, 48 * 3600, n) * SECOND
    static["mmsi"], static["source"] = 211000001 + rng.integers(0, 4, n), rng.integers(0, 3, n)
    static["name"], static["draught"] = (
        rng.choice([b"", b"LARK", b"TERN"], n, p=[0.3, 0.69, 0.01]),
        rng.integers(5, 7, n),
    )
    static["draught"][static["t"] < T0 + 40 * HOUR] = 5.0
    static["msg_type"], static["offset"] = rng.choice([5, 24], n), np.arange(n)
    static = {name: column.astype(STATIC_DTYPES[name]) for name, column in static.items()}
    expected = identities(Static(static))
    order = np.argsort(static["t"] + rng.integers(0, 2 * 3600, n) * SECOND, kind="stable")
    few, repeats = Static({**static, **plain(n)}).take(slice(0, 0)), no_repeats()
    for part in np.array_split(order, 9):
        new = Static({name: column[part] for name, column in {**static, **plain(n)}.items()})
        few = Static({name: np.concatenate([few[name], new[name]]) for name in few})
        few = condensed(few, repeats, int(new["t"].max()) - 2 * HOUR - 10 * MINUTE)
        repeated = Static({name: np.concatenate([few[name], new[name]]) for name in few})  # and those, once more
        few = condensed(repeated, repeats, int(new["t"].max()) - 2 * HOUR - 10 * MINUTE)
    found = identities(few, repeats)
    assert len(few) < n / 2
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


def test_static_reports_take_room_by_changes_and_not_by_their_number(tmp_path):
    watch, told = Watch(["dark"], history_s=3600), []
    for k, piece in enumerate(pieces_of(fixes_of(sorted(others(400))), 60)):
        t = int(piece["t"][0])
        piece.static = Static(
            static_of([(t + j * SECOND, 211000100 + j % 3, f"SHIP {k // 20}", 0) for j in range(999)])
        )
        told.append(piece.static)
        watch.feed(piece)
    watch.save(tmp_path / "state.npz")
    expected = identities(Static({name: np.concatenate([part[name] for part in told]) for name in told[0]}))
    state, _ = read_state(tmp_path / "state.npz")
    kept = sum(column.size for name, column in state.items() if name == "static.t" or name.endswith(".weight"))
    assert len(told) * 999 > 100_000 and kept <= 2 * (2 * len(expected) + 2 * 999) + LEAST_CONDENSED
    assert watch.events().identity["n"].tolist() == expected["n"].tolist()
    resumed = Watch(["dark"], history_s=3600)
    resumed.load(tmp_path / "state.npz")
    assert resumed.events().identity["n"].tolist() == expected["n"].tolist()


def test_ships_that_only_say_something_do_not_take_all_room(tmp_path, monkeypatch):
    """A million names of made-up ships beside honest ones: those keep what they said, the others are counted."""
    monkeypatch.setattr("detectors.watch.FEWEST_CONDENSED", 1 << 12)
    monkeypatch.setattr("detectors.reports.SPAN_ROWS", 1 << 11)
    fixes = fixes_of(sorted(others(40)))
    watch = Watch(["dark"], history_s=3600, max_vessels=256, max_reports=1 << 12, spool=tmp_path)
    honest, last = np.unique(fixes["mmsi"])[:4], int(fixes["t"].max())
    fixes.static = Static(static_of([(last, int(ship), f"SHIP {ship}", 0) for ship in honest]))
    watch.feed(fixes)
    for k in range(30):
        made_up = static_of([(last + j * SECOND, 300_000_000 + 1000 * k + j, "X", 0) for j in range(1000)])
        names = static_of([(last + (1000 * k + j) * SECOND, int(honest[0]), f"SHIP {j}", 0) for j in range(1000)])
        for rows in (made_up, names):
            nothing = fixes.take(slice(0, 0))
            nothing.static = Static(rows)
            watch.feed(nothing)
    identity = watch.events().identity
    assert len(identity) < 20_000 and set(honest.tolist()) <= set(identity["mmsi"].tolist())
    assert watch.counts["static reports let go (as many are kept as may be)"] > 40_000
    watch.save(tmp_path.parent / "state")
    again = Watch(["dark"], history_s=3600, max_vessels=256, max_reports=1 << 12, spool=tmp_path)
    again.load(tmp_path.parent / "state")
    assert again.counts == watch.counts and len(again.events().identity) == len(identity)


def test_an_input_without_a_name_is_not_taken_for_one_with_a_name():
    named, bare = fixes_of(others(30)), fixes_of(sailing(211000001, 0, 6) + sailing(211000001, 20, 30))
    named.sources = ("others.nmea",)
    watch = Watch(["dark"], lateness_s=48 * 3600)
    watch.feed(named)
    watch.feed(bare)
    watch.flush()
    events = watch.events()
    assert [events.sources[code] for code in events["first_source"]] == ["input 1"]


def test_more_inputs_than_codes_are_one_input_and_no_other_is_mistaken():
    fixes = fixes_of(others(1))
    fixes.sources = tuple(f"{k}.nmea" for k in range(MOST_INPUTS + 500))
    watch = Watch(["dark"])
    watch.feed(fixes)
    assert watch.events().sources[-2:] == (f"{MOST_INPUTS - 1}.nmea", OTHERS)
    inputs = Inputs(f"{k}" for k in range(MOST_INPUTS))
    codes = inputs.codes(("7", "new", "newer"), [np.array([0, 1, 2], np.uint16)])[0]
    assert codes.tolist() == [7, MOST_INPUTS, MOST_INPUTS]


def test_rows_without_a_time_are_counted_and_take_no_room(tmp_path):
    fixes = fixes_of(others(3))
    watch = Watch(["dark"])
    watch.feed(fixes)
    watch.save(tmp_path / "before.npz")
    useless = fixes.take(np.zeros(50_000, np.int64))
    useless.columns["t"] = np.full(50_000, NAT)
    watch.feed(useless)
    watch.save(tmp_path / "after.npz")
    assert (tmp_path / "after.npz").stat().st_size == (tmp_path / "before.npz").stat().st_size
    assert watch.counts == {"no time (cannot be used by detectors)": 50_000}
    watch.feed(fixes_of([(T0 + HOUR, 211000001, 0.1, -30.0, 7.0)]))  # late: from an earlier state again
    assert watch.counts == {"no time (cannot be used by detectors)": 50_000}


def test_a_ship_that_is_never_heard_again_is_not_told_again_when_its_last_event_is_final():
    slow = [(T0 + m * MINUTE, 211000001, 1e-5 * m, -30.0, 0.2) for m in range(0, 300, 10)]
    brief = [(T0 + m * MINUTE, 211000002, 5 + 1e-5 * m, -30.0, 0.2) for m in range(0, 300, 10)]
    brief += [(T0 + m * MINUTE, 211000002, 5 + 0.002 * (m - 300), -30.0, 7.0) for m in range(300, 60 * 60, 10)]
    watch = Watch(["loitering"], step_s=3600, history_s=3600, forget_s=24 * 3600)
    told = [watch.feed(piece) for piece in pieces_of(fixes_of(sorted(slow + brief + others(60))), 50)]
    told.append(watch.flush())
    first = [str(name) for part in told for name in part["id"][part["revision"] == 1]]
    assert len(first) == len(set(first)) == 2


def test_a_clock_that_is_wrong_does_not_hide_what_began_and_ended_in_one_piece():
    rows = sorted(sailing(211000001, 0, 3) + sailing(211000001, 20, 24) + others(24))
    wrong = (T0 + 9000 * HOUR, 211000009, 9.0, -30.0, 7.0)
    plain = Watch(["dark"], lateness_s=0).feed(fixes_of(rows))
    changes = Watch(["dark"], lateness_s=0).feed(fixes_of([rows[0], wrong, *rows[1:]]))
    assert changes["change"].tolist() == plain["change"].tolist() and OPENED in changes["change"]


def test_a_late_row_goes_back_no_farther_than_it_must(monkeypatch):
    fed = []
    whole = Engine.feed
    monkeypatch.setattr(Engine, "feed", lambda self, rows: fed.append(len(rows["t"])) or whole(self, rows))
    watch = Watch(["loitering"], history_s=8 * 3600, lateness_s=0)
    watch.feed(fixes_of(sorted(others(24, every=2))))
    late = [(T0 + 24 * HOUR - hours * HOUR, 211000100, 1.0, -29.0 + 0.06 * (24 - hours), 7.0) for hours in (7.5, 0.5)]
    fed.clear()
    watch.feed(fixes_of(late[:1]))
    back = sum(fed)
    fed.clear()
    watch.feed(fixes_of(late[1:]))
    assert 7 * 90 < back < 11 * 90 and sum(fed) < 3 * 90  # three ships, thirty rows an hour


def test_late_rows_are_told_in_one_order():
    gone = [sailing(211000001 + k, 0, 6) + sailing(211000001 + k, 20, 24) for k in range(7)]
    watch = Watch(["dark"], history_s=24 * 3600)
    watch.feed(fixes_of(sorted([row for rows in gone for row in rows] + others(24))))
    told = watch.events()["id"].tolist()
    late = sorted(row for k in range(7) for row in sailing(211000001 + k, 6, 20))
    changes = watch.feed(fixes_of(late))
    retracted = changes["id"][changes["change"] == RETRACTED].tolist()
    assert CHANGES[RETRACTED] == "retracted" and len(retracted) == len(changes) == 7
    assert [told.index(name) for name in retracted] == sorted(told.index(name) for name in retracted)


def test_pieces_that_change_nothing_cost_no_look_at_all_ships(monkeypatch):
    looks = []
    whole = engine_module.vessels
    monkeypatch.setattr(engine_module, "vessels", lambda *given: looks.append(1) or whole(*given))
    watch = Watch(["dark"], step_s=3600)
    for piece in pieces_of(fixes_of(sorted(others(4, every=2))), 1):
        changes = watch.feed(piece)
    assert len(changes) == 0 and changes["id"].dtype.kind == "U" and len(looks) <= 6


def test_a_state_of_something_else_is_refused_in_a_line(tmp_path, monkeypatch):
    path = tmp_path / "state.npz"
    engine, watch = Engine(["dark"]), Watch(["dark"])
    engine.save(path)
    with pytest.raises(InputError, match=r"state\.npz: cannot be used \(it holds an engine, not a watch\)"):
        watch.load(path)
    watch.save(path)
    with pytest.raises(InputError, match="it holds a watch, not an engine"):
        engine.load(path)
    with pytest.raises(UsageError, match="saved with other detectors or parameters"):
        Watch(["dark"], {"dark": {"min_gap_s": 7200}}).load(path)
    with open(tmp_path / "plain.npz", "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(InputError, match=r"plain\.npz: cannot be read"):
        engine.load(tmp_path / "plain.npz")
    with pytest.raises(OutputError, match="cannot be written"):
        engine.save(tmp_path / "nowhere" / "state.npz")
    monkeypatch.setattr(engine_module, "KINDS", [*KINDS, "another"])
    with pytest.raises(InputError, match="other kinds"):
        watch.load(path)


def test_a_state_whose_records_have_other_fields_is_refused(tmp_path):
    path = tmp_path / "state.npz"
    engine = Engine(["dark"])
    state = engine.state()
    state["hulls.rows"] = np.zeros(256, [("t_first", "i8"), ("n", "u4")])
    engine.columns = lambda: state
    engine.save(path)
    with pytest.raises(InputError, match=r"'hulls\.rows' is kept otherwise by this version"):
        Engine(["dark"]).load(path)


@pytest.mark.parametrize("name", ["step_s", "history_s", "forget_s", "max_rows", "lateness_s"])
@pytest.mark.parametrize("value", [-1, float("nan")])
def test_a_time_that_is_none_is_refused(name, value):
    with pytest.raises(UsageError, match=rf"{name}.* not.*{value}"):
        Watch(["dark"], **{name: value})
