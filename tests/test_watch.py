"""Events as they happen: what a watch tells, and that it ends where batch does, whatever comes late."""

import itertools

import numpy as np
import pytest

from ais.table import Fixes
from detectors.detect import detect
from detectors.event import EVENT
from detectors.watch import CHANGES, CLOSED, OPENED, RETRACTED, SUPERSEDED, Watch
from geo.errors import InputError, UsageError
from tests.feeds import HOUR, MINUTE, SECOND, T0, fixes_of
from tests.worlds import busy_world


def pieces_of(fixes, places):
    return [fixes.take(slice(a, b)) for a, b in itertools.pairwise([0, *sorted(places), len(fixes)])]


def same_events(told, found):
    assert told["id"].tolist() == found["id"].tolist()
    for name in EVENT.names:
        if name in found.columns:
            np.testing.assert_array_equal(told[name], found[name], err_msg=name)


def told_of(changes, mmsi):
    return [
        (CHANGES[change], int(revision))
        for change, revision, ship in zip(changes["change"], changes["revision"], changes["mmsi"], strict=True)
        if ship == mmsi
    ]


def replayed(told):
    """The events that follow from what was told: id to the last row of it."""
    known = {}
    for changes in told:
        for row in range(len(changes)):
            name = str(changes["id"][row])
            assert changes["revision"][row] == known.get(name, (0, None))[0] + 1
            known[name] = (int(changes["revision"][row]), int(changes["change"][row]))
    return {name for name, (_, change) in known.items() if change != RETRACTED}


@pytest.mark.parametrize("seed", [0, 1, 2, 390])
def test_rows_hours_late_in_any_pieces_end_as_batch_does(seed):
    """Every tenth row comes up to three hours late; lateness is ten minutes."""
    fixes = busy_world(seed % 5, vessels=6)
    rng = np.random.default_rng(seed)
    delay = np.where(rng.random(len(fixes)) < 0.1, rng.integers(0, 3 * HOUR, len(fixes)), 0)
    arrived = fixes.take(np.argsort(fixes["t"] + delay, kind="stable"))
    watch = Watch(step_s=3600, history_s=5 * 3600)
    told = [watch.feed(piece) for piece in pieces_of(arrived, rng.integers(0, len(fixes), 12).tolist())]
    told.append(watch.flush())
    found = detect(fixes)
    assert watch.counts == {name: n for name, n in found.counts.items() if "nearer to shore" not in name}
    same_events(watch.events(), found)
    assert replayed(told) == set(found["id"].tolist())


def _silent(until_h, again_h):
    rows = [(T0 + m * MINUTE, 211000001, 0.002 * m, -30.0, 7.0) for m in range(0, until_h * 60, 10)]
    return rows + [(T0 + m * MINUTE, 211000001, 0.002 * m, -30.0, 7.0) for m in range(again_h * 60, 30 * 60, 10)]


def _others():
    return [
        (T0 + m * MINUTE + k * SECOND, 211000100 + k, 1 + k * 0.1, -29.0 + 0.001 * m, 7.0)
        for k in range(3)
        for m in range(0, 1800, 5)
    ]


def test_a_silence_is_told_while_it_lasts_within_a_step_of_the_threshold():
    fixes = fixes_of(sorted(_silent(6, 20) + _others()))
    watch, first = Watch(["dark"], lateness_s=0, step_s=600), None
    told = []
    for k in range(0, len(fixes), 3):
        piece = fixes.take(slice(k, k + 3))
        changes = watch.feed(piece)
        told += told_of(changes, 211000001)
        if first is None and len(changes):
            first = int(piece["t"][-1])
            assert changes["open"].tolist() == [1] and changes["change"].tolist() == [OPENED]
    assert first is not None
    heard_last = T0 + (6 * 60 - 10) * MINUTE
    assert 0 <= first - (heard_last + 6 * HOUR) <= 10 * MINUTE + 5 * MINUTE  # a step, and the time to the next row
    assert told[0] == ("opened", 1) and "closed" in {word for word, _ in told[-2:]}
    assert {word for word, _ in told[1:-1]} <= {"updated", "closed"} and [n for _, n in told] == list(
        range(1, len(told) + 1)
    )


def test_a_loitering_ship_is_told_within_a_step_of_four_hours():
    rows = [(T0 + m * MINUTE, 211000001, 0.0001 * m, -30.0, 0.4) for m in range(0, 600, 5)]
    fixes, watch = fixes_of(sorted(rows + _others())), Watch(["loitering"], lateness_s=0, step_s=600)
    for k in range(len(fixes)):
        changes = watch.feed(fixes.take(slice(k, k + 1)))
        if len(changes):
            assert fixes["t"][k] - T0 <= 4 * HOUR + 20 * MINUTE
            assert changes["open"][0] == 1 and changes["id"][0] in detect(fixes, ["loitering"])["id"]
            return
    pytest.fail("nothing was told")


def test_late_rows_that_fill_a_silence_retract_it():
    whole = _silent(6, 6)
    late = [row for row in whole if 8 * HOUR < row[0] - T0 < 18 * HOUR]
    rest = sorted([row for row in whole if row not in late] + _others())
    watch = Watch(["dark"], step_s=600, history_s=24 * 3600)
    before = watch.feed(fixes_of(rest))
    assert "closed" in {word for word, _ in told_of(before, 211000001)}
    after = watch.feed(fixes_of(late))
    assert told_of(after, 211000001)[-1][0] == "retracted"
    watch.flush()
    same_events(watch.events(), detect(fixes_of(sorted(whole + _others())), ["dark"]))


def test_a_late_row_that_shortens_a_silence_supersedes_or_replaces_it():
    fixes = sorted(_silent(6, 20) + _others())
    late = [(T0 + 18 * HOUR, 211000001, 0.002 * 18 * 60, -30.0, 7.0)]
    watch = Watch(["dark"], step_s=600, history_s=24 * 3600)
    first = watch.feed(fixes_of(fixes))
    name = first["id"][first["mmsi"] == 211000001][0]
    after = watch.feed(fixes_of(late))
    mine = after.take(after["id"] == name)
    assert mine["change"].tolist() == [SUPERSEDED]
    assert mine["t_end"].tolist() == [T0 + 18 * HOUR]


def test_rows_later_than_the_history_are_counted_and_change_nothing():
    fixes = fixes_of(sorted(_silent(6, 20) + _others()))
    watch = Watch(["dark"], history_s=3600, step_s=600)
    watch.feed(fixes)
    before = watch.events()
    assert len(watch.feed(fixes_of([(T0 + 8 * HOUR, 211000001, 0.96, -30.0, 7.0)]))) == 0
    assert watch.counts["later than the lateness window"] == 1
    same_events(watch.events(), before)


def test_saved_and_resumed_it_tells_what_it_would_have_told(tmp_path):
    fixes = busy_world(3, vessels=6)
    rng = np.random.default_rng(1)
    delay = np.where(rng.random(len(fixes)) < 0.05, rng.integers(0, 2 * HOUR, len(fixes)), 0)
    pieces = pieces_of(fixes.take(np.argsort(fixes["t"] + delay, kind="stable")), range(1000, len(fixes), 1000))
    stops = [int(share * len(pieces)) for share in (0.4, 0.8)]
    one = Watch(step_s=7200, history_s=4 * 3600)
    told = []
    for k, piece in enumerate(pieces):
        if k in stops:
            one.save(tmp_path / f"{k}.state")
        told.append(one.feed(piece))
    told.append(one.flush())
    for stop in stops:
        other = Watch(step_s=7200, history_s=4 * 3600)
        other.load(tmp_path / f"{stop}.state")
        again = [*(other.feed(piece) for piece in pieces[stop:]), other.flush()]
        for mine, theirs in zip(again, told[stop:], strict=True):
            for name in theirs:
                np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)


def test_what_ended_long_ago_is_final_and_takes_no_room():
    fixes = busy_world(2, vessels=6)
    watch = Watch(["loitering"], step_s=3600, history_s=3600, forget_s=12 * 3600)
    told = [watch.feed(piece) for piece in pieces_of(fixes, range(500, len(fixes), 500))]
    told.append(watch.flush())
    closed = sum(int(np.count_nonzero(changes["change"] == CLOSED)) for changes in told)
    assert closed == len(detect(fixes, ["loitering"])) > len(watch.events()) > 0


def test_two_inputs_keep_their_names():
    one, two = fixes_of(_silent(6, 20)), fixes_of(_others())
    one.sources, two.sources = ("ship.nmea",), ("others.nmea",)
    watch = Watch(["dark"], lateness_s=48 * 3600)
    watch.feed(two)
    watch.feed(one)
    watch.flush()
    events = watch.events()
    assert [events.sources[k] for k in events["first_source"]] == ["ship.nmea"]


def test_what_cannot_be_meant_is_refused(tmp_path):
    with pytest.raises(UsageError, match="must be positive, not 0"):
        Watch(step_s=0)
    (tmp_path / "state.npz").write_bytes(b"PK torn")
    with pytest.raises(InputError, match=r"state\.npz: cannot be read"):
        Watch(["dark"]).load(tmp_path / "state.npz")


def test_nothing_tells_nothing():
    watch = Watch()
    empty = Fixes({"t": np.zeros(0, np.int64)})
    assert len(watch.feed(empty)) == 0 and len(watch.flush()) == 0
