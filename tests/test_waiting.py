"""Waiting at a known anchorage is told from loitering, by the share of slow time that was spent there."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luxwake as lw
from detectors.detect import detect
from detectors.engine import Engine
from detectors.event import LOITERING, PORT_CALL, WAITING
from geo.anchorages import Anchorages
from geo.anchoring import discover
from geo.errors import UsageError
from geo.sphere import destination
from tests.anchorages_case import _lie, _rows, _table
from tests.feeds import HOUR, T0, fixes_of
from tests.join_case import LARK, LARK_IMO, event, limousine_rows, make_events, shipments_of

OFF_HOSOJIMA = (31.9, 132.2)


def _roads(lat=OFF_HOSOJIMA[0], lon=OFF_HOSOJIMA[1]) -> Anchorages:
    """One anchorage of 30 ships in the open sea."""
    rng = np.random.default_rng(1)
    rows = []
    for n in range(30):
        y, x = destination(lat, lon, rng.uniform(0, 360), 1500.0 * math.sqrt(rng.random()))
        rows.append((211_000_000 + n, y, x, n, 20.0, 150.0))
    return discover(_table(rows))


def _slow(hours_inside, hours_outside, silent=()):
    """A ship that lies in the anchorage and then 30 km away, with a fast hour between; heard every ten minutes."""
    lat, lon = OFF_HOSOJIMA
    rows = _lie(0, hours_inside, lat=lat, lon=lon, swing_m=200.0)
    rows += [r for r in _lie(hours_inside + 0.3, hours_outside, lat=lat + 0.05, lon=lon, swing_m=200.0)]
    return fixes_of([r for r in rows if not any(a <= (r[0] - T0) / HOUR < b for a, b in silent)])


def test_slow_hours_in_a_known_anchorage_are_waiting_and_say_where():
    known = _roads()
    (event_,) = _as_dicts(detect(_slow(20, 0), ["loitering"], anchorages=known))
    assert event_["kind"] == WAITING and event_["anchorage"] == known[0].id
    assert event_["anchorage_name"] == "open sea off Hosojima 1" and event_["anchorage_share"] == 1.0
    (event_,) = _as_dicts(detect(_slow(0, 20), ["loitering"], anchorages=known))
    assert event_["kind"] == LOITERING and event_["anchorage"] == "" and event_["anchorage_share"] == 0.0


def _as_dicts(events):
    return [{name: events[name][row] for name in events} for row in range(len(events))]


@pytest.mark.parametrize("inside, outside, kind", [(12, 8, WAITING), (8, 12, LOITERING)])
def test_most_of_the_slow_time_decides_and_the_share_is_told(inside, outside, kind):
    (event_,) = _as_dicts(detect(_slow(inside, outside), ["loitering"], anchorages=_roads()))
    assert event_["kind"] == kind and abs(event_["anchorage_share"] - inside / (inside + outside)) < 0.02
    assert event_["anchorage_name"] == "open sea off Hosojima 1"


def test_waiting_in_several_anchorages_names_one_only_where_it_spent_half_of_the_time():
    lat, lon = OFF_HOSOJIMA
    known = Anchorages([_roads(lat + n * 0.12)[0] for n in range(3)])

    def waits(*hours):
        rows, start = [], 0.0
        for n, spent in enumerate(hours):
            rows += _lie(start, spent, lat=lat + n * 0.12, lon=lon, swing_m=200.0)
            start += spent + 0.5
        (event_,) = _as_dicts(detect(fixes_of(rows), ["loitering"], anchorages=known))
        assert event_["kind"] == WAITING
        return event_["anchorage"]

    assert waits(4, 3.5, 2.5) == ""
    assert waits(1, 0.5, 8) == known[2].id
    assert waits(8, 3.5, 2.5) == known[0].id


def test_silence_at_anchor_is_not_counted_as_waiting():
    """12 h inside of which 9 h are silent in stretches of 3 h: heard for 4.5 h there, and for 8 h outside."""
    silent = [(0.1, 3.1), (3.6, 6.6), (7.1, 10.1)]
    (event_,) = _as_dicts(detect(_slow(12, 8, silent), ["loitering"], anchorages=_roads()))
    assert event_["kind"] == LOITERING and 0.3 < event_["anchorage_share"] < 0.45


def test_without_known_anchorages_the_share_is_unknown_and_not_zero():
    events = detect(_slow(20, 0), ["loitering"])
    assert events["kind"].tolist() == [LOITERING] and np.isnan(events["anchorage_share"]).all()
    assert events.to_arrow()["anchorage_share"].to_pylist() == events.to_arrow()["anchorage"].to_pylist() == [None]
    assert events.params["loitering"]["anchorages"] is None


def test_the_anchorages_are_among_the_parameters_that_make_the_id(tmp_path):
    known, other = _roads(), _roads(lat=10.0)
    fixes = _slow(20, 0)
    ids = [detect(fixes, ["loitering"], anchorages=one)["id"][0] for one in (None, known, other)]
    assert len(set(ids)) == 3
    assert detect(fixes, ["loitering"], anchorages=_roads())["id"][0] == ids[1]
    Engine(["loitering"], anchorages=known).save(tmp_path / "state.npz")
    with pytest.raises(UsageError, match="saved with other detectors or parameters"):
        Engine(["loitering"], anchorages=other).load(tmp_path / "state.npz")


def test_a_meeting_at_anchor_names_the_anchorage_and_stays_a_rendezvous():
    lat, lon = OFF_HOSOJIMA
    rows = _lie(0, 6, lat=lat, lon=lon) + _lie(0, 6, mmsi=211_000_002, lat=lat + 0.001, lon=lon)
    events = detect(fixes_of(sorted(rows)), ["rendezvous"], anchorages=_roads())
    assert events["anchorage_name"].tolist() == ["open sea off Hosojima 1"] and np.isnan(events["anchorage_share"][0])


@settings(max_examples=8)
@given(cuts=st.lists(st.integers(0, 1000), max_size=8), share=st.floats(0, 1))
def test_cut_and_resumed_at_any_row_waiting_is_the_same(tmp_path_factory, cuts, share):
    known = _roads()
    rows = [r for k in range(6) for r in _rows(_slow(4 + k, 14 - 2 * k))]
    ships = [211_000_001 + n // (len(rows) // 6) for n in range(len(rows))]
    fixes = fixes_of(
        sorted((t + 1_000_000 * ship % 7, ship, *rest) for (t, _, *rest), ship in zip(rows, ships, strict=True))
    )

    def run(bounds, resumed):
        engine = Engine(["loitering"], anchorages=known)
        found, edges = [], [0, *sorted(bounds), len(fixes)]
        for n, (a, b) in enumerate(itertools.pairwise(edges)):
            if resumed and n:
                path = tmp_path_factory.mktemp("state") / "engine.npz"
                engine.save(path)
                engine = Engine(["loitering"], anchorages=known)
                engine.load(path)
            found.append(engine.feed(fixes.take(slice(a, b))))
        found = np.concatenate([*found, engine.flush()])
        found = found[np.lexsort((found["mmsi"], found["t_start"]))]
        return b"".join(found[name].tobytes() for name in found.dtype.names), np.bincount(found["kind"], minlength=6)

    whole, kinds = run([], False)
    assert kinds[WAITING] > 0 and kinds[LOITERING] > 0
    assert run([c * len(fixes) // 1000 for c in cuts], False)[0] == whole
    assert run([round(share * len(fixes))], True)[0] == whole


def test_waiting_alone_accuses_nobody_and_is_said(tmp_path):
    """A car from Busan to Nakhodka on a ship that calls at both, and lies still for a day between."""

    def outcome(kind):
        made = make_events(
            [
                event(PORT_CALL, LARK, "2018-09-30", "2018-10-01", port="KRPUS"),
                event(kind, LARK, "2018-10-02", "2018-10-03", score=1.0),
                event(PORT_CALL, LARK, "2018-10-04", "2018-10-06", port="RUNJK"),
            ],
            [(LARK, "SEA LARK 5", LARK_IMO, 12.0, "2018-09-01", "2018-12-01")],
        )
        made.columns["anchorage_name"] = np.where(made["kind"] == kind, "Busan anchorage 2", "")
        found = lw.join(made, shipments_of(tmp_path, limousine_rows()[5]))
        return [one.status for one in found.assessed], len(found)

    assert outcome(LOITERING) == (["loitered"], 1)
    assert outcome(WAITING) == (["all declared ports confirmed by calls; waited at Busan anchorage 2"], 0)


def test_a_finding_that_has_waiting_in_it_shows_where_and_calls_it_innocent(tmp_path):
    """The same ship waits, and loiters before that: the loitering makes the finding."""
    made = make_events(
        [
            event(PORT_CALL, LARK, "2018-09-30", "2018-10-01", port="KRPUS"),
            event(LOITERING, LARK, "2018-10-01T12:00", "2018-10-02", score=1.0),
            event(WAITING, LARK, "2018-10-02", "2018-10-03", score=1.0),
            event(PORT_CALL, LARK, "2018-10-04", "2018-10-06", port="RUNJK"),
        ],
        [(LARK, "SEA LARK 5", LARK_IMO, 12.0, "2018-09-01", "2018-12-01")],
    )
    made.columns["anchorage_name"] = np.where(made["kind"] == WAITING, "Busan anchorage 2", "")
    (finding,) = lw.join(made, shipments_of(tmp_path, limousine_rows()[5]))
    assert any("waited at Busan anchorage 2" in words for words in finding.innocent)
    (waited,) = [one for one in finding.events if one["kind"] == "waiting"]
    assert (waited["anchorage"], waited["relation"]) == ("Busan anchorage 2", "waited at a known anchorage")
