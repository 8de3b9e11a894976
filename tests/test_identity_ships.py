"""Identity: a hull that changes its MMSI, one identity of two hulls, and what is neither."""

import pytest

from tests.feeds import HOUR, T0
from tests.identity_scenes import OTHER, SHIP, labels, look, sails, says


def _others(n=30):
    """Other ships about: some that sail through, some that appear far away."""
    heard, told = [], []
    for k in range(n):
        mmsi = 538_000_100 + k
        heard += sails((0, 240), mmsi=mmsi, lat=10.0 + k, lon=140.0)
        told += says(
            (0, 240), mmsi=mmsi, every_min=600, imo=0, callsign=b"", name=f"SHIP {k}".encode(), to_bow=40 + 4 * k
        )
    return heard, told


def test_a_hull_that_changes_its_mmsi_is_found():
    heard, told = _others()
    heard += sails((0, 100), lat_step=0.01) + sails((103, 240), mmsi=OTHER, lat=36.02)
    told += says((0, 100), imo=0) + says((103, 240), mmsi=OTHER, imo=0, name=b"OCEAN TERN", callsign=b"5VCD3")
    found = [one for one in look(told, heard) if one[0] == "mmsi_change"]
    ((_, mmsi, other, row),) = found
    assert (mmsi, other) == (SHIP, OTHER) and row["score"] > 0.9
    assert row["chance"] < 0.1 < 10 < row["likelihood_ratio"]
    assert row["t_start"] == T0 + 99.5 * HOUR + SHIP % 7 and row["t_end"] == T0 + 103 * HOUR + OTHER % 7
    assert 2_000 < row["distance_m"] < 4_000 and row["first_offset"] >= 0 and row["last_offset"] > row["first_offset"]


@pytest.mark.parametrize(
    ("why", "new", "then"),
    [
        ("another size", {"to_bow": 90}, sails((103, 240), mmsi=OTHER, lat=36.02)),
        ("too far for the time", {}, sails((103, 240), mmsi=OTHER, lat=40.0)),
        ("the old number goes on", {}, sails((90, 240), mmsi=OTHER, lat=36.0)),
        ("heard before", {}, [*sails((0, 20), mmsi=OTHER, lat=-30.0), *sails((103, 240), mmsi=OTHER, lat=36.02)]),
    ],
)
def test_what_is_no_hand_over_is_not_one(why, new, then):
    heard, told = _others()
    heard += sails((0, 100), lat_step=0.01) + then
    told += says((0, 100), imo=0) + says((103, 240), mmsi=OTHER, imo=0, callsign=b"5VCD3", **new)
    assert labels(look(told, heard))["mmsi_change"] == 0, why


def test_where_new_numbers_appear_all_the_time_one_more_says_little():
    heard, told = _others()
    heard += sails((0, 100)) + sails((103, 240), mmsi=OTHER)
    for k in range(60):  # a busy port: a number that was not heard before every few hours
        heard += sails((30 + 3 * k, 60 + 3 * k), mmsi=477_000_100 + k, lat=35.01)
    assert [(m, o) for label, m, o, _ in look(told, heard) if label == "mmsi_change" and m == SHIP] == []


def test_one_imo_number_is_a_new_flag_where_it_moves_on_and_a_shared_identity_where_it_is_in_two_places():
    heard, told = _others()
    moved = heard + sails((0, 100)) + sails((110, 240), mmsi=538_999_102, lat=35.4)
    said = [*told, *says((0, 100)), *says((110, 240), mmsi=538_999_102, callsign=b"V7AB2")]
    assert labels(look(said, moved)) == {"mmsi_change": 1}
    twice = heard + sails((0, 240)) + sails((0, 240), mmsi=OTHER, lat=-20.0)
    ((label, mmsi, other, row),) = look([*told, *says((0, 240)), *says((0, 240), mmsi=OTHER)], twice)
    assert (label, {mmsi, other}) == ("shared_identity", {SHIP, OTHER})
    assert row["distance_m"] > 5_000_000 and row["imo"] == 9_999_993 and row["other_first_offset"] >= 0
    near = heard + sails((0, 240)) + sails((0, 240), mmsi=OTHER, lat=35.01)
    ((_, _, _, beside),) = look([*told, *says((0, 240)), *says((0, 240), mmsi=OTHER)], near)
    assert beside["score"] == pytest.approx(row["score"] / 2)
    assert look([*told, *says((0, 240), imo=1_234_567), *says((0, 240), mmsi=OTHER, imo=1_234_567)], twice) == []


def test_two_hulls_behind_one_mmsi_are_found_and_falsified_positions_in_a_silence_are_not():
    ((label, mmsi, other, row),) = look(heard=sails((0, 48)) + sails((5, 30), lat=-20.0, every_min=20))
    assert (label, mmsi, other, row["other_hull"]) == ("shared_identity", SHIP, SHIP, 1)
    assert look(heard=[*sails((0, 20)), *sails((20.2, 34), lat=-20.0, every_min=20), *sails((34.5, 60))]) == []
