"""Identity: each lasting change of what a ship says is found, and noise raises no alarm."""

import pytest

from tests.feeds import HOUR, MINUTE, SECOND, T0
from tests.identity_scenes import LARK, SHIP, labels, look, sails, says


def test_a_ship_that_says_the_same_throughout_raises_no_alarm():
    assert look(says((0, 96)), sails((0, 96))) == []


def test_a_wrong_check_digit_is_found_and_no_number_or_another_registers_number_is_not():
    (found,) = look(says((0, 5), imo=9_999_994))
    assert found[0] == "imo_check_digit" and found[3]["imo"] == 9_999_994 and found[3]["n"] == 10
    assert (found[3]["t_start"], found[3]["t_end"]) == (T0, T0 + 270 * MINUTE)
    for number in (0, 5, 999_999, 12_345_678):
        assert look(says((0, 5), imo=number)) == []
    assert look(says((0, 1), imo=9_999_994, every_min=40)) == []  # two reports are none


@pytest.mark.parametrize(
    ("label", "change", "before", "after"),
    [
        ("name", {"name": b"OCEAN TERN"}, None, None),
        ("callsign", {"callsign": b"5VXY9"}, None, None),
        ("dimensions", {"to_bow": 90}, 84.0, 114.0),
        ("ship_type", {"ship_type": 80}, 70.0, 80.0),
        ("imo_change", {"imo": 9_074_729}, 9_999_993.0, 9_074_729.0),
    ],
)
def test_a_lasting_change_is_one_event_from_the_last_old_to_the_first_new_report(label, change, before, after):
    found = look([*says((0, 10)), *says((14, 24), **change)])
    assert labels(found) == {label: 1}
    row = found[0][3]
    assert (row["t_start"], row["t_end"]) == (T0 + 570 * MINUTE, T0 + 14 * HOUR)
    assert (row["reports_before"], row["reports_after"], row["returns"]) == (20, 20, 0)
    assert (row["first_offset"], row["last_offset"]) == (1900, 2000)
    if before is not None:
        assert (row["value_before"], row["value_after"]) == (before, after)


NOISE = [
    {"name": b"GREY LA"},  # cut short
    {"name": b"GREY  LARK "},
    {"name": b""},
    {"name": b"@@@@"},
    {"callsign": b"5VAB 2"},
    {"callsign": b"0000000"},
    {"to_bow": 61, "to_port": 7},  # antenna moved, or typed anew
    {"to_bow": 0, "to_stern": 0},
    {"to_bow": 24, "to_stern": 60},
    {"ship_type": 79},  # cargo of another hazard
    {"ship_type": 0},
    {"imo": 0},
]


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_what_is_no_change_raises_no_alarm_however_long_it_lasts(noise):
    assert look([*says((0, 10)), *says((10, 40), **noise), *says((40, 60))]) == []


def test_single_wrong_reports_raise_no_alarm_and_halves_of_type_24_neither():
    wrong = [
        {**LARK, "t": T0 + (5 * k + 1) * HOUR + SECOND, "mmsi": SHIP, "name": f"X{k}YZ".encode()} for k in range(9)
    ]
    assert look([*says((0, 50)), *wrong]) == []
    a = {**dict.fromkeys(LARK, 0), "callsign": b"", "name": b"GREY LARK", "msg_type": 24}
    b = {**LARK, "name": b"", "imo": 0, "msg_type": 24}
    assert look([*says((0, 50), **a), *says((0.1, 50), **b)]) == []


def test_copies_of_one_report_are_one_report():
    copies = [{**LARK, "t": T0 + 5 * HOUR + k * SECOND, "mmsi": SHIP, "name": b"OCEAN TERN"} for k in range(9)]
    assert look([*says((0, 10)), *copies]) == []


def test_two_names_in_turn_are_one_event_with_the_number_of_returns():
    told = [row for k in range(40) for row in says((k, k + 0.4), name=(b"GREY LARK", b"OCEAN TERN")[k % 2])]
    found = look(told)
    assert labels(found) == {"name": 1}
    assert found[0][3]["returns"] == 20 and found[0][3]["t_end"] == T0 + HOUR
    back = look([*says((0, 30)), *says((30, 60), name=b"OCEAN TERN"), *says((60, 90))])
    assert labels(back) == {"name": 2}  # each lasts: away, and back


def test_names_that_differ_in_a_numeral_are_two():
    assert labels(look([*says((0, 10), name=b"BILLIONS"), *says((14, 24), name=b"BILLIONS 18")])) == {"name": 1}


def test_a_table_that_tells_only_of_changes_is_read_by_how_long_they_hold():
    """A source without any repetition: one row for each value."""
    told = [{**LARK, "t": T0 + h * HOUR, "mmsi": SHIP, "name": name, "source": 3}
            for h, name in ((0, b"GREY LARK"), (30, b"WRONG"), (30.1, b"GREY LARK"), (60, b"OCEAN TERN"))]  # fmt: skip
    told = [{**row, "t": int(row["t"])} for row in told]
    found = look(told, sails((0, 90)))
    assert labels(found) == {"name": 1}
    assert (found[0][3]["t_start"], found[0][3]["t_end"]) == (T0 + 60 * HOUR, T0 + 60 * HOUR)


def test_an_mmsi_of_no_country_and_one_beside_the_call_sign_are_found():
    found = look(heard=sails((0, 12), mmsi=299_999_101))
    assert [(label, mmsi, row["value_before"]) for label, mmsi, _, row in found] == [("flag", 299_999_101, 299.0)]
    found = look(says((0, 5), callsign=b"HP3456"))
    assert labels(found) == {"flag": 1} and found[0][3]["value_before"] == 671
    assert look(says((0, 5), callsign=b"X00012")) == []  # a series that is given to nobody says nothing
