"""Ships behind one MMSI: each kind of trouble by itself, the laws, and the slow twin on tracks full of it."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luxwake as lw
from ais.hulls import HULL
from ais.status import CLOCK_OFF, DUPLICATE, JUMP, OK
from ais.table import FIX_DTYPES, Fixes
from ais.tracks import MAX_HULLS, Tracks
from tests import naive_tracks
from tests.feeds import HOUR, MINUTE, SECOND, T0
from tests.troubled import troubled

SHIP = 211000001
NAMES = ("t", "mmsi", "lat", "lon", "sog", "cog", "msg_type")
seeds = st.integers(0, 2**32 - 1)


def columns_of(rows):
    return {
        name: np.array(values, FIX_DTYPES[name]) for name, values in zip(NAMES, zip(*rows, strict=True), strict=True)
    }


def follow(rows):
    """Hull and status of rows in time order."""
    _, hull, status = Tracks().follow(columns_of(rows))
    return hull.tolist(), status.tolist()


def sailing(n, *, start=T0, lat=0.0, lon=-30.0, knots=12.0, every=MINUTE, cog=0.0, msg_type=1, mmsi=SHIP):
    """A ship that steams north, or south for a course of 180."""
    step = knots / 60 * every / HOUR * (1 if cog < 90 else -1)
    return [(start + k * every, mmsi, lat + k * step, lon, knots, cog, msg_type) for k in range(n)]


def moved(row, **changes):
    return tuple(changes.get(name, value) for name, value in zip(NAMES, row, strict=True))


def merged(*tracks):
    return sorted(row for track in tracks for row in track)


def of(rows, found, track):
    """Hulls and statuses of the rows of one track among all."""
    at = {row: k for k, row in enumerate(rows)}
    hull, status = found
    return [hull[at[row]] for row in track], [status[at[row]] for row in track]


def gaps(rows, hull):
    """Silences of a hull over six hours that ended, in hours, as the detector finds them."""
    events = lw.detect(Fixes(columns_of(rows)), ["dark"], threads=1)
    chosen = (events["hull"] == hull) & (events["t_end"] - events["t_start"] > 6 * HOUR)
    chosen &= events["t_end"] < rows[-1][0]
    return ((events["t_end"] - events["t_start"])[chosen] / HOUR).round(1).tolist()


def test_two_ships_in_two_oceans_are_two_hulls_for_as_long_as_both_speak():
    here, there = sailing(200, every=10 * MINUTE), sailing(200, every=10 * MINUTE, start=T0 + 7, lat=20.0, lon=150.0)
    rows = merged(here, there)
    found = follow(rows)
    assert of(rows, found, here) == ([0] * 200, [OK] * 200)
    assert of(rows, found, there) == ([1] * 200, [JUMP] * 2 + [OK] * 198)


def test_a_clone_that_speaks_while_the_first_is_silent_never_fills_its_silence():
    first = sailing(60, every=10 * MINUTE) + sailing(60, every=10 * MINUTE, start=T0 + 80 * HOUR, lat=3.0)
    clone = sailing(600, every=10 * MINUTE, start=T0 + 3 * HOUR, lat=-40.0, lon=110.0)
    rows = merged(first, clone)
    assert of(rows, follow(rows), first)[0] == [0] * 120
    assert set(of(rows, follow(rows), clone)[0]) == {1}
    assert gaps(rows, 0) == gaps(first, 0) == [70.2]


def test_a_clone_that_falls_silent_itself_is_not_filled_by_the_first():
    first = sailing(900, every=10 * MINUTE)
    clone = sailing(60, every=10 * MINUTE, lat=-40.0, lon=110.0, start=T0 + 7)
    clone += sailing(60, every=10 * MINUTE, lat=-37.0, lon=110.0, start=T0 + 90 * HOUR)
    rows = merged(first, clone)
    assert set(of(rows, follow(rows), clone)[0]) == {1}
    assert gaps(rows, 0) == []
    assert gaps(rows, 1) == [80.2]


@settings(max_examples=40)
@given(st.lists(st.integers(1, 71 * 60), max_size=8), st.lists(st.integers(1, 71 * 60), max_size=8), st.integers(0, 99))
def test_no_schedule_of_a_ship_in_another_ocean_fills_a_silence(pauses, others, minutes):
    """Each ship reports every 10 min but for its pauses, of up to three days: too short to sail to the other."""

    def ship(start, pauses, lat, lon):
        steps = np.full(300, 10)
        steps[20 : 20 + 30 * len(pauses) : 30] = pauses
        times = T0 + np.cumsum(steps) * MINUTE + start
        return [(int(t), SHIP, lat + (t - T0) / HOUR * 0.05, lon, 3.0, 0.0, 1) for t in times]

    first, second = ship(0, pauses, -20.0, -30.0), ship(minutes * MINUTE + 1, others, -25.0, 100.0)
    rows = merged(first, second)
    found = follow(rows)
    hulls = [set(of(rows, found, track)[0]) for track in (first, second)]
    assert hulls in ([{0}, {1}], [{1}, {0}])


def test_a_ship_of_the_other_class_does_not_fill_a_silence_though_it_could_be_reached():
    first = sailing(60, every=10 * MINUTE) + sailing(60, every=10 * MINUTE, start=T0 + 80 * HOUR, lat=3.0)
    boat = sailing(300, every=10 * MINUTE, start=T0 + 20 * HOUR, lat=4.0, lon=-31.0, knots=5.0, msg_type=18)
    rows = merged(first, boat)
    assert set(of(rows, follow(rows), boat)[0]) == {1}
    assert gaps(rows, 0) == [70.2]


def test_a_ship_that_carries_both_classes_of_transponder_is_one_hull():
    a = sailing(60, every=MINUTE)
    b = [moved(row, t=row[0] + 20 * SECOND, lat=row[2] + 0.001, msg_type=18) for row in a]
    hull, status = follow(merged(a, b))
    assert set(hull) == {0} and set(status) == {OK}


@pytest.mark.parametrize("place", [(60.0, 120.0), (0.05, -29.0), (-0.0001, -30.4)])
def test_one_stray_fix_is_a_jump_and_opens_nothing(place):
    rows = sailing(2000, every=10 * SECOND)
    rows[1000] = moved(rows[1000], lat=rows[1000][2] + place[0], lon=place[1])
    hull, status = follow(rows)
    assert status[1000] == JUMP and [k for k, s in enumerate(status) if s != OK] == [1000]
    assert set(hull[:1000] + hull[1001:]) == {0}


def test_strays_in_many_places_are_jumps_however_many_there_are_and_a_second_ship_is_still_seen():
    rng = np.random.default_rng(5)
    here, there = sailing(400), sailing(400, start=T0 + 7, lat=-50.0, lon=100.0)
    places = zip(rng.uniform(10, 70, 100), rng.uniform(-180, 180, 100), strict=True)
    strays = [(T0 + (3 * k + 1) * MINUTE + 3, SHIP, lat, lon, 9.0, 0.0, 1) for k, (lat, lon) in enumerate(places)]
    rows = merged(here, there, strays)
    found = follow(rows)
    assert of(rows, found, here) == ([0] * 400, [OK] * 400)
    assert of(rows, found, there)[1].count(OK) == 398 and len(set(of(rows, found, there)[0])) == 1
    assert set(of(rows, found, strays)[1]) == {JUMP} and len(strays) > MAX_HULLS


@pytest.mark.parametrize("cog", [0.0, np.nan])
@pytest.mark.parametrize("late", [90, 240])
def test_copies_that_come_late_from_a_satellite_are_marked_and_move_nothing(cog, late):
    track = [moved(row, cog=cog) for row in sailing(600, every=10 * SECOND, knots=14.0)]
    copies = [moved(row, t=row[0] + late * SECOND + 1) for row in track[::7]]
    rows = merged(track, copies)
    found = follow(rows)
    assert of(rows, found, track) == ([0] * 600, [OK] * 600)
    hull, status = of(rows, found, copies)
    assert set(hull) == {0}
    late_after_the_end = late // 70 + 1
    assert set(status[1:-late_after_the_end]) == {CLOCK_OFF}


def test_a_clock_that_is_ahead_by_two_minutes_is_marked_too():
    track = sailing(300, every=10 * SECOND, knots=14.0)
    early = [moved(row, t=row[0] - 120 * SECOND + 1) for row in track[20::7]]
    rows = merged(track, early)
    found = follow(rows)
    assert of(rows, found, track) == ([0] * 300, [OK] * 300)
    assert of(rows, found, early)[1] == [CLOCK_OFF] * len(early)


def test_a_stray_from_a_wrong_clock_does_not_take_the_ship_over_after_a_pause():
    """As MMSI 477293900 of the reference set: one position late by 5 min, and after a pause another."""
    north = 18.0 / 60 / 3600  # degrees a second
    before = sailing(200, knots=18.0)
    t, lat = before[-1][0], before[-1][2]
    late = moved(before[-1], t=t + 20 * SECOND, lat=lat - 280 * north)
    again = moved(before[-1], t=t + 768 * SECOND, lat=lat + 468 * north)
    after = sailing(200, knots=18.0, start=t + 861 * SECOND, lat=lat + 861 * north)
    hull, status = follow([*before, late, again, *after])
    assert set(hull) == {0} and status[200] == CLOCK_OFF
    assert status[:200] == [OK] * 200 and status[207:] == [OK] * 195


def test_a_ship_that_turns_back_is_no_wrong_clock():
    there = sailing(60, every=10 * SECOND)
    back = sailing(60, every=10 * SECOND, start=there[-1][0] + 30 * SECOND, lat=there[-1][2], lon=-29.999, cog=180.0)
    assert follow(there + back)[1] == [OK] * 120


def test_two_ships_side_by_side_on_one_number_are_told_apart():
    here = sailing(60)
    there = [moved(row, t=row[0] + 7 * SECOND, lon=-29.97) for row in here]  # 3.3 km to the east
    rows = merged(here, there)
    found = follow(rows)
    assert of(rows, found, here)[0] == [0] * 60 and of(rows, found, there) == ([1] * 60, [JUMP] * 2 + [OK] * 58)


def test_coarse_positions_between_fine_ones_add_nothing_and_alone_they_are_the_track():
    fine = sailing(120)
    coarse = [
        moved(row, t=row[0] + 31 * SECOND, lat=np.floor(row[2] * 600) / 600, cog=np.nan, msg_type=27)
        for row in fine[::3]
    ]
    rows = merged(fine, coarse)
    assert of(rows, follow(rows), fine) == ([0] * 120, [OK] * 120)
    assert set(of(rows, follow(rows), coarse)[1]) == {DUPLICATE}
    assert follow(coarse) == ([0] * 40, [OK] * 40)


def test_a_fine_position_right_after_a_coarse_one_is_within_its_rounding():
    coarse = (T0, SHIP, 60.0, 10.0, 0.0, np.nan, 27)
    north_east = (T0 + SECOND, SHIP, 60.0 + 700 / 111_195, 10.0, 0.0, np.nan, 1)
    assert follow([coarse, north_east])[0] == [0, 0]
    assert follow([moved(coarse, msg_type=1), north_east])[0] == [0, 1]


def test_a_jump_and_return_of_the_receiver_does_not_split_the_ship():
    rows = sailing(400)
    glitch = [moved(row, lat=row[2] + 3.0) for row in rows[100:130]]
    hull, status = follow(rows[:100] + glitch + rows[130:])
    assert hull == [0] * 100 + [1] * 30 + [0] * 270
    assert status == [OK] * 100 + [JUMP] * 2 + [OK] * 298


@pytest.mark.parametrize("knots", [45.0, 60.0])
def test_a_ferry_that_is_as_fast_as_it_says_is_one_hull(knots):
    assert follow(sailing(60, knots=knots, every=5 * MINUTE)) == ([0] * 60, [OK] * 60)


@pytest.mark.parametrize("sog", [51.2, 63.0, 102.3, np.nan])
def test_a_speed_that_is_none_does_not_make_a_ship_fast(sog):
    rows = [moved(row, sog=sog) for row in sailing(8, knots=42.0, every=5 * MINUTE)]
    assert JUMP in follow(rows)[1]


def test_copies_of_one_payload_that_wander_in_for_minutes_are_folded_under_way_and_not_at_rest():
    row = (T0, SHIP, 10.0, 10.0, 11.0, 0.0, 1)
    again = [moved(row, t=T0 + s * SECOND) for s in (0, 4, 30, 200)]
    assert follow([row, *again])[1] == [OK] + [DUPLICATE] * 4
    at_rest = [moved(r, sog=0.1) for r in (row, *again)]
    assert follow(at_rest)[1] == [OK, DUPLICATE, DUPLICATE, OK, OK]


@pytest.mark.parametrize("turns", [1, 2, 5, 6554])
def test_no_silence_makes_a_ship_at_rest_its_own_copy(turns):
    """Times in the ring are kept in hundredths of a second modulo 2^16."""
    still = [(T0 + k * SECOND, SHIP, 10.0, 10.0 + k / 60_000, 0.0, np.nan, 1) for k in range(5)]
    later = [moved(row, t=row[0] + turns * 2**16 * 10_000 + SECOND) for row in still[1:]]
    assert follow(still + later)[1] == [OK] * 9


@pytest.mark.parametrize("pause", [290, 299, 301, 340])
def test_no_pause_makes_a_ship_under_way_its_own_copy(pause):
    """At 3 kn and more a copy is looked for in the last five minutes, and the ring holds the fixes of an hour."""
    track = [(T0 + k * pause * SECOND, SHIP, 10.0 + k % 2 / 60_000, 10.0, 4.0, np.nan, 1) for k in range(40)]
    assert set(follow(track)[1]) == {OK}
    assert follow(track) == tuple(map(list, zip(*naive_tracks.tracks(track), strict=True)))


def test_the_state_of_a_hull_is_small_and_the_state_of_a_number_is_bounded():
    assert HULL.itemsize <= 120
    rng = np.random.default_rng(1)
    rows = [(T0 + k * SECOND, SHIP, lat, lon, 5.0, 0.0, 1)
            for k, (lat, lon) in enumerate(rng.uniform([-80, -180], [80, 180], (2000, 2)))]  # fmt: skip
    tracks = Tracks()
    tracks.follow(columns_of(rows))
    assert tracks.hulls.used[0] == MAX_HULLS


@settings(max_examples=40)
@given(seeds)
def test_the_slow_twin_finds_the_same(seed):
    rows = troubled(seed)
    assert list(zip(*follow(rows), strict=True)) == naive_tracks.tracks(rows)


@settings(max_examples=25)
@given(seeds, st.lists(st.floats(0, 1), max_size=12))
def test_any_cut_gives_the_same(seed, cuts):
    rows = troubled(seed)
    whole, pieces = Tracks(), Tracks()
    expected = whole.follow(columns_of(rows))
    places = [0, *sorted(int(cut * len(rows)) for cut in cuts), len(rows)]
    found = [pieces.follow({name: c[a:b] for name, c in columns_of(rows).items()}) for a, b in pairwise(places)]
    for part, column in enumerate(expected):
        assert np.concatenate([piece[part] for piece in found]).tolist() == column.tolist()
    assert whole.hulls.rows.tobytes() == pieces.hulls.rows.tobytes()


@settings(max_examples=25)
@given(seeds)
def test_rows_that_come_twice_change_only_their_copies(seed):
    rows = troubled(seed)
    expected = list(zip(*follow(rows), strict=True))
    found = list(zip(*follow([row for row in rows for _ in range(2)]), strict=True))
    assert found[::2] == expected
    assert all(b[1] == DUPLICATE or (b == a and a[1] == CLOCK_OFF) for a, b in zip(expected, found[1::2], strict=True))


@settings(max_examples=25)
@given(seeds)
def test_numbers_and_the_antimeridian_and_the_date_are_names(seed):
    rows = troubled(seed)
    expected = follow(rows)
    renamed = [moved(row, mmsi=775_999_999 - 37 * (row[1] - 211_000_000)) for row in rows]
    assert follow(renamed) == expected
    turned = [moved(row, lon=(row[3] + 180 + 137.5) % 360 - 180) for row in rows]
    assert follow(turned) == expected
    later = [moved(row, t=row[0] + 400 * 24 * HOUR + 1000) for row in rows]
    assert follow(later) == expected
