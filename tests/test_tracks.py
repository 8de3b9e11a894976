"""Tracks: copies folded, hulls told apart, jumps marked; identity as intervals."""

import numpy as np
import pytest

from ais.identity import identities
from ais.status import DUPLICATE, JUMP, NO_POSITION, NOT_A_SHIP, OK
from ais.table import STATIC_DTYPES, Static, columns_of
from ais.tracks import MAX_HULLS, Tracks, tracks
from tests.feeds import HOUR, MINUTE, SECOND, T0, fixes_of

SHIP = 211000001


def _status(rows):
    done = tracks(fixes_of(sorted(rows)))
    return done["status"].tolist(), done["hull"].tolist()


def _steaming(n, lat0=0.0, lon=-30.0, knots=12.0, every=MINUTE, start=T0, mmsi=SHIP):
    return [(start + k * every, mmsi, lat0 + k * knots / 60 / 60 * every / MINUTE, lon, knots) for k in range(n)]


def test_copies_of_other_stations_are_folded_and_a_moored_ship_is_not():
    rows = _steaming(3)
    copies = [(t + 2 * SECOND, *rest) for t, *rest in rows]
    assert _status(rows + copies)[0] == [OK, DUPLICATE] * 3
    moored = [(T0 + k * 3 * MINUTE, SHIP, 0.0, -30.0, 0.0) for k in range(4)]
    assert _status(moored)[0] == [OK] * 4


def test_one_wild_position_is_a_jump_and_the_track_goes_on():
    rows = _steaming(5)
    rows[2] = (rows[2][0], SHIP, 45.0, 10.0, 12.0)
    assert _status(rows) == ([OK, OK, JUMP, OK, OK], [0, 0, 1, 0, 0])


def test_two_ships_on_one_mmsi_are_two_hulls_from_the_third_fix_of_the_second_on():
    here = _steaming(6)
    there = [(t + 7 * SECOND, m, lat - 40.0, 150.0, sog) for t, m, lat, _, sog in _steaming(6)]
    status, hull = _status(here + there)
    assert hull == [0, 1] * 6
    assert status == [OK, JUMP, OK, JUMP] + [OK] * 8


@pytest.mark.parametrize("ships", [3, MAX_HULLS])
def test_as_many_ships_on_one_mmsi_as_there_are_hulls_are_told_apart(ships):
    rows = [
        (t + k * SECOND, m, lat - 80.0 + 10.0 * k, lon, s) for k in range(ships) for t, m, lat, lon, s in _steaming(30)
    ]
    status, hull = _status(rows)
    assert [hull.count(k) for k in range(ships)] == [30] * ships and status.count(JUMP) == 2 * (ships - 1)


def test_copies_that_come_after_a_newer_fix_are_folded_too():
    rows = _steaming(200, every=2 * SECOND, knots=12.0)
    copies = [(t + 3 * SECOND, *rest) for t, *rest in rows]
    assert _status(rows + copies)[0].count(DUPLICATE) == 200


def test_a_fast_ferry_that_says_so_is_no_jump():
    rows = _steaming(8, knots=42.0, every=5 * MINUTE)
    assert _status(rows)[0] == [OK] * 8
    slow_words = [(t, m, lat, lon, 12.0) for t, m, lat, lon, _ in rows]
    assert JUMP in _status(slow_words)[0]


def test_a_long_silence_is_bridged_by_the_same_hull_but_not_across_the_world_in_an_hour():
    back = _steaming(3, lat0=8.0, start=T0 + 60 * HOUR)
    assert _status(_steaming(3) + back)[1] == [0] * 6
    soon = _steaming(3, lat0=8.0, start=T0 + HOUR)
    assert _status(_steaming(3) + soon)[1] == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("mmsi", [2110001, 992111234, 111211001, 970211001, 982110001, 0])
def test_stations_aids_aircraft_and_sarts_are_no_ships(mmsi):
    assert _status([(T0, mmsi, 0.0, 0.0, 0.0)])[0] == [NOT_A_SHIP]


def test_rows_without_a_position_are_marked():
    assert _status([(T0, SHIP, np.nan, 0.0, 1.0)])[0] == [NO_POSITION]


def test_more_hulls_than_first_fit_keep_their_slots():
    rows = [(T0 + k // 3000 * MINUTE + k, 211000000 + k % 3000, 0.0, (k % 3000) * 0.05, 1.0) for k in range(9000)]
    fixes = fixes_of(rows)
    slots, _, _ = Tracks().follow(fixes.columns)
    assert len(set(slots.tolist())) == 3000
    assert (slots[:3000] == slots[3000:6000]).all()


def _static(rows):
    columns = columns_of(STATIC_DTYPES, len(rows))
    columns["offset"][:] = np.arange(len(rows)) * 100
    for k, row in enumerate(rows):
        for name, value in row.items():
            columns[name][k] = value
    return Static(columns)


def test_identity_is_kept_as_intervals_and_changes_open_new_ones():
    rows = [{"t": T0 + k * HOUR, "mmsi": SHIP, "msg_type": 5, "imo": 9999993, "name": b"LARK", "draught": d}
            for k, d in enumerate([3.4, 3.4, 3.4, 5.8, 5.8])]  # fmt: skip
    found = identities(_static(rows))
    assert found["draught"].round(1).tolist() == [np.float32(3.4), np.float32(5.8)]
    assert ((found["t_from"] - T0) // HOUR).tolist() == [0, 3]
    assert ((found["t_to"] - T0) // HOUR).tolist() == [2, 4]
    assert found["first_offset"].tolist() == [0, 300] and found["last_offset"].tolist() == [200, 400]


def test_evidence_of_an_identity_names_the_file_of_each_end():
    five = {"mmsi": SHIP, "msg_type": 5, "imo": 9999993, "name": b"LARK"}
    part = {"mmsi": SHIP, "msg_type": 24, "name": b"LARK", "t": T0 + HOUR}
    found = identities(_static([{**five, "t": T0}, part, {**five, "t": T0 + 10 * HOUR, "source": 1}]))
    assert [found[name].tolist() for name in ("source", "first_offset", "last_source", "last_offset")] == [
        [0],
        [0],
        [1],
        [200],
    ]
    assert found["t_to"].tolist() == [T0 + 10 * HOUR]


def test_parts_of_type_24_complete_each_other():
    rows = []
    for k in range(3):
        rows.append({"t": T0 + k * HOUR, "mmsi": SHIP, "msg_type": 24, "name": b"TERN"})
        part_b = {"callsign": b"DA1", "ship_type": 36, "to_bow": 8}
        rows.append({"t": T0 + k * HOUR + SECOND, "mmsi": SHIP, "msg_type": 24, **part_b})
    found = identities(_static(rows))
    assert found["name"].tolist() == [b"TERN", b"TERN"]
    assert found["callsign"].tolist() == [b"", b"DA1"] and found["to_bow"].tolist() == [0, 8]


def test_no_static_reports_give_an_empty_table():
    assert len(identities(_static([]))) == 0
