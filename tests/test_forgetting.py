"""A watch that lets go of final events tells what one tells that keeps them all: for a year, too."""

from collections import Counter

import numpy as np
import pytest

from ais.table import STATIC_DTYPES, Fixes, Static, columns_of
from detectors.event import KINDS, LABELS
from detectors.watch import CHANGES, EARLY, Watch
from tests.feeds import HOUR, MINUTE, SECOND, T0, fixes_of
from tests.worlds import busy_world

DAY_H = 24
BUSAN, KITAKYUSHU = (35.10, 129.04), (33.95, 130.95)
BY_CHANCE = "dark_rendezvous"
"""Weighed against the events that are not final. With a hundred of these some are so within hours, before a ship says
its draught and before it is known across which stay that changed."""


def pieces(fixes, size):
    """Pieces of a feed, each with the reports of its time."""
    for begin in range(0, len(fixes), size):
        part = fixes.take(slice(begin, begin + size))
        first = fixes["t"][begin] if begin else 0
        last = fixes["t"][begin + size] if begin + size < len(fixes) else 1 << 62
        part.static = fixes.static.take((fixes.static["t"] >= first) & (fixes.static["t"] < last))
        yield part


def last_told(watch, fixes, size=400, until_final_h=None):
    """The newest of what is told of each event, by id; where a time is given, until so long after its end."""
    known, words = {}, Counter()

    def note(changes, now):
        names = ("change", "kind", "label", "open", "t_end", "score")
        for name, *said in zip(changes["id"].tolist(), *(changes[one].tolist() for one in names), strict=True):
            words[KINDS[said[1]], CHANGES[said[0]]] += 1
            was = known.get(name)
            if until_final_h and was and not was["open"] and was["t_end"] + until_final_h * HOUR < now:
                continue
            known[name] = dict(zip(names, said, strict=True)) | {"change": CHANGES[said[0]], "kind": KINDS[said[1]]}

    for part in pieces(fixes, size):
        changes = watch.feed(part)
        note(changes, watch.engine.released)
    note(watch.flush(), watch.engine.released)
    return {name: event for name, event in known.items() if event["change"] != "retracted"}, words


def sailing(days, lay_h=10, sail_h=14):
    """A ship that goes to and fro between two ports, and three others at sea."""
    rows, minute = [], 0
    while minute < days * 24 * 60:
        for here, there in ((BUSAN, KITAKYUSHU), (KITAKYUSHU, BUSAN)):
            for m in range(0, lay_h * 60, 30):
                rows.append((T0 + (minute + m) * MINUTE, 211000001, here[0] + 1e-6 * m, here[1], 0.0))
            minute += lay_h * 60
            for m in range(0, sail_h * 60, 30):
                share = m / (sail_h * 60)
                lat, lon = (a + share * (b - a) for a, b in zip(here, there, strict=True))
                silent = 0.2 < share < 0.7  # seven hours of each way
                rows += [] if silent else [(T0 + (minute + m) * MINUTE, 211000001, lat, lon, 10.0)]
            minute += sail_h * 60
    for k in range(3):
        for m in range(0, days * 24 * 60, 30):
            rows.append((T0 + m * MINUTE + k * SECOND, 211000100 + k, 1 + k * 0.1, -29.0 + 0.0003 * m, 7.0))
    return fixes_of(sorted(rows))


@pytest.mark.parametrize("bound", [{"forget_s": 12 * 3600}, {"max_events": 16}])
def test_a_voyage_whose_first_call_is_final_ends_and_is_not_taken_back(bound):
    fixes = sailing(days=6)
    every, _ = last_told(Watch(["voyage"], step_s=3600, history_s=3600), fixes)
    watch = Watch(["voyage"], step_s=3600, history_s=3600, **bound)
    told, words = last_told(watch, fixes)
    assert told.keys() == every.keys() and len(told) == 6
    assert words["voyage", "retracted"] == 0 and words["voyage", "closed"] == 5
    assert watch.events_held < 20


def test_how_long_a_ship_was_silent_on_a_voyage_is_known_when_its_silences_are_final():
    fixes = sailing(days=3, sail_h=60)
    whole = Watch(["voyage"], step_s=3600, history_s=3600)
    forgetful = Watch(["voyage"], step_s=3600, history_s=3600, forget_s=3600)
    silent = []
    for watch in (whole, forgetful):
        told = [watch.feed(part) for part in pieces(fixes, 100)]
        rows = [(part, k) for part in told for k in np.flatnonzero(part["change"] == CHANGES.index("closed"))]
        silent.append([float(part["silent_h"][k]) for part, k in rows if KINDS[part["kind"][k]] == "voyage"])
    assert silent[0] == silent[1] and len(silent[0]) == 1 and silent[0][0] == pytest.approx(30.0, abs=0.5)


def test_all_events_are_those_of_a_watch_that_forgets_nothing():
    fixes = busy_world(1, vessels=5, ports=[BUSAN, KITAKYUSHU])
    times = {"step_s": 7200, "history_s": 7200, "together_s": 7200}
    every, _ = last_told(Watch(**times), fixes)
    for bound in ({"forget_s": 24 * 3600}, {"max_events": 100}):
        watch = Watch(**times, **bound)
        told, _ = last_told(watch, fixes)
        names = [{name for name, event in one.items() if event["kind"] != BY_CHANCE} for one in (told, every)]
        apart = {(told if name in told else every)[name]["kind"] for name in names[0] ^ names[1]}
        assert apart <= ({"draught"} if "max_events" in bound else set()) and len(names[0] ^ names[1]) <= 2
        assert len(names[0]) > 300
        assert watch.events_held <= bound.get("max_events", 250) + 5  # until the next look
        assert (watch.counts.get(EARLY, 0) > 100) == ("max_events" in bound)
        labels = {LABELS[told[name]["label"]] for name in names[0]}
        assert {"on_land", "loaded", "discharged", "undeclared"} <= labels, labels


def test_a_silence_weighs_what_it_weighed_when_older_ones_were_not_final():
    """What a watch knew a day after the end of each: so long a forgetful one tells of it.

    Of the first days little was known of the reception when they became final, so that they differ by more.
    """
    fixes = busy_world(1, vessels=12)
    every, _ = last_told(Watch(["dark"], history_s=3600), fixes, until_final_h=DAY_H)
    told, _ = last_told(Watch(["dark"], history_s=3600, forget_s=DAY_H * 3600), fixes)
    assert told.keys() == every.keys() and len(told) > 60
    later = [name for name, event in every.items() if event["t_end"] > T0 + 3 * DAY_H * HOUR]
    apart = np.array([told[name]["score"] - every[name]["score"] for name in later])
    assert np.nanquantile(np.abs(apart), 0.9) < 0.06 and abs(np.nanmean(apart)) < 0.03 and len(later) > 50
    assert sum(told[name]["kind"] != every[name]["kind"] for name in later) <= 4


def test_what_is_kept_of_final_events_survives_a_restart(tmp_path):
    fixes = sailing(days=5)
    one = Watch(["voyage"], step_s=3600, history_s=3600, forget_s=12 * 3600)
    parts = list(pieces(fixes, 100))
    for part in parts[:20]:
        one.feed(part)
    one.save(tmp_path / "state")
    other = Watch(["voyage"], step_s=3600, history_s=3600, forget_s=12 * 3600)
    other.load(tmp_path / "state")
    for part in parts[20:]:
        mine, theirs = one.feed(part), other.feed(part)
        for name in mine:
            np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)
    assert one.counts == other.counts


def test_events_taken_back_do_not_stay_for_ever():
    """Silences that go on when late rows fill them: one each day, under another id each."""
    watch = Watch(["dark"], step_s=1800, history_s=12 * 3600, forget_s=24 * 3600, lateness_s=0)
    others = [(T0 + m * MINUTE, 211000100, 1.0, -29.0 + 0.0003 * m, 7.0) for m in range(0, 8 * 24 * 60, 20)]
    ship = [(T0 + m * MINUTE, 211000001, 0.002 * m, -30.0, 7.0) for m in range(0, 8 * 24 * 60, 20)]
    held, taken_back = [], 0
    for day in range(8):
        silent = [row for row in ship if 12 <= (row[0] - T0) / HOUR - 24 * day < 21]
        rows = [row for row in sorted(ship + others) if 0 <= (row[0] - T0) / HOUR - 24 * day < 21 and row not in silent]
        rest = [row for row in sorted(ship + others) if 21 <= (row[0] - T0) / HOUR - 24 * day < 24]
        told = [watch.feed(fixes_of(part)) for part in (rows, silent, rest)]
        taken_back += sum(int(np.count_nonzero(part["change"] == CHANGES.index("retracted"))) for part in told)
        held.append(watch.events_held)
    assert taken_back >= 8 and held[-1] <= held[2]


def test_what_has_no_end_is_not_told_anew_when_there_are_too_many_events():
    """Ships of no country, as they say again and again, and a ship that makes more events than a watch may hold."""
    fixes = busy_world(3, vessels=6)
    fixes.columns["mmsi"] = fixes["mmsi"] % 1000 + 200_000_000
    fixes.static.columns["mmsi"] = fixes.static["mmsi"] % 1000 + 200_000_000
    watch = Watch(step_s=3600, history_s=3600, update_s=3600, max_events=16)
    told, words = last_told(watch, fixes)
    flags = [event for event in told.values() if LABELS[event["label"]] == "flag"]
    firsts = Counter(name for part in [watch.events()] for name in part["id"].tolist())
    assert len(flags) == 8 and words["identity", "closed"] == sum(
        event["kind"] == "identity" for event in told.values()
    )
    assert max(firsts.values()) == 1 and watch.counts[EARLY] > 100


def test_nothing_to_forget_is_no_trouble():
    watch = Watch(["dark"], max_events=1)
    assert len(watch.feed(Fixes({"t": np.zeros(0, np.int64)}))) == 0 and watch.events_held == 0


def two_of_one_number():
    """Two ships that say one IMO number: side by side, then four days apart, with a silence there, and back again."""
    rows = []
    for k, way in ((0, 1.0), (1, -1.0)):
        for m in range(0, 8 * 24 * 60, 20):
            day = m / (24 * 60)
            out = min(max(day - 1, 0), 1) - min(max(day - 3, 0), 1)
            if not 2.2 < day < 2.6:
                rows.append((T0 + m * MINUTE + k * SECOND, 211000001 + k, 17 + 6 * way * out, -40.0, 15.0))
    fixes = fixes_of(sorted(rows))
    static = columns_of(STATIC_DTYPES, len(fixes))
    static["t"][:], static["mmsi"][:], static["imo"][:] = fixes["t"], fixes["mmsi"], 9_074_729
    static["msg_type"][:], static["offset"][:] = 5, 10**9 + np.arange(len(fixes))
    fixes.static = Static(static)
    return fixes


def test_ships_of_one_number_that_were_apart_are_two_ships_when_it_is_long_ago():
    scores = []
    for bound in ({}, {"forget_s": 12 * 3600}):
        watch = Watch(["identity"], step_s=3600, history_s=3600, update_s=3600, **bound)
        told, _ = last_told(watch, two_of_one_number())
        scores += [event["score"] for event in told.values() if LABELS[event["label"]] == "shared_identity"]
    assert len(scores) == 2 and scores[0] > 0.9 and scores[1] == pytest.approx(scores[0], abs=0.01)


def test_what_is_told_of_the_identity_of_a_ship_is_not_taken_back_when_the_ship_is_let_go():
    """Fleets of no country that come and go, where only one of them has room: nothing is held of those that went."""
    watch, words, told, n = Watch(["identity"], max_vessels=64), Counter(), set(), 48
    for fleet in range(8):
        begin = T0 + fleet * 26 * HOUR
        ships = 200_000_000 + fleet * n + np.arange(n)
        rows = [(begin + k * 6 * MINUTE, ship, 0.5 * (ship % n) - 10, -30.0, 7.0) for k in range(30) for ship in ships]
        changes = watch.feed(fixes_of([*rows, (begin + 25 * HOUR, 211_000_001, 10.0, -40.0, 7.0)]))
        words.update(CHANGES[change] for change in changes["change"].tolist())
        told |= set(changes["mmsi"].tolist())
    assert len(told) > 7 * n and words["retracted"] == 0
    assert len(watch.events()) < 3 * n and watch.counts[EARLY] > 4 * n
    watch.flush()
    assert len(watch.events()) < 3 * n
