"""Ships by what papers say of them: the listed ships of the real fixture are never taken for each other."""

import random

import numpy as np
import pytest
from listed_ships import LIST, pairs_one_edit_apart, query_of, rows, ship_of

from ais.imo import imo_valid
from ais.table import NAT, Table
from cargo.registry import read_registry
from cargo.ship_match import ShipIndex, ShipQuery
from cargo.ships import Fact, Ship, gather, ship_name, ships_of_identity
from geo.errors import InputError

GIVEN = ("number", "all", "no number")
DAY = 86_400_000_000


def ship(imo, name, **facts):
    told = {"name": name, **facts}
    return Ship(f"imo-{imo}", imo, tuple(Fact(kind, value, NAT, NAT, "register") for kind, value in told.items()))


@pytest.fixture(scope="module")
def listed(shared_data):
    return rows(shared_data / LIST)


def test_no_pair_of_different_listed_ships_one_edit_apart_is_merged(listed):
    pairs = pairs_one_edit_apart(listed)
    assert len(pairs) >= 744
    rng = random.Random(0)
    for one, other in pairs:
        for said, known in ((one, other), (other, one)):
            index = ShipIndex([ship_of(known)])
            for given in GIVEN:
                assert index.find(query_of(said, rate=0.0, rng=rng, given=given)).ship is None, (one, other, given)


@pytest.mark.parametrize(("rate", "least"), [(0.0, 1.0), (0.01, 0.96), (0.05, 0.76)])
def test_typing_errors_are_survived_and_never_lead_to_another_ship(listed, rate, least):
    index = ShipIndex(map(ship_of, listed))
    numbered = [row for row in listed if row["imo"]]
    rng = random.Random(77)
    for given in GIVEN:
        found = candidates = 0
        for row in numbered:
            answer = index.find(query_of(row, rate=rate, rng=rng, given=given))
            assert answer.ship is None or answer.ship.id == f"sdn-{row['ent_num']}", (row, answer.why)
            found += answer.ship is not None
            candidates += any(one.ship.id == f"sdn-{row['ent_num']}" for one in answer.candidates)
        if given != "no number":
            assert found >= least * len(numbered), (given, found)
        assert candidates >= 0.9 * len(numbered)


def test_a_number_of_another_ship_vetoes_whatever_else_agrees():
    index = ShipIndex([ship(9999993, "SEA LARK", mmsi="671999101", callsign="5VAA1", flag="TG")])
    query = ShipQuery(name="SEA LARK", imo="9999981", mmsi="671999101", callsign="5VAA1", flag="Togo")
    answer = index.find(query)
    assert answer.ship is None
    assert "IMO number" in answer.candidates[0].against


def test_a_number_with_one_wrong_digit_is_mended_only_to_a_unique_neighbour():
    numbers = [n for n in range(9_999_000, 9_999_999) if imo_valid(n)]
    wrong = next(
        n for n in range(9_999_000, 9_999_999)
        if not imo_valid(n) and sum(_digits_apart(n, m) == 1 for m in numbers) > 1
    )  # fmt: skip
    near = [n for n in numbers if _digits_apart(n, wrong) == 1]
    alone = ShipIndex([ship(near[0], "SEA LARK")]).find(ShipQuery(name="SEA LARK", imo=str(wrong)))
    assert alone.ship is not None and alone.ship.imo == near[0]
    assert f"{near[0]} is the only known number" in alone.notes[0]
    both = ShipIndex([ship(near[0], "SEA LARK"), ship(near[1], "SEA TERN")])
    assert both.find(ShipQuery(name="SEA LARK", imo=str(wrong))).ship is None
    unlike = ShipIndex([ship(near[0], "QUITE OTHER")]).find(ShipQuery(name="SEA LARK", imo=str(wrong)))
    assert unlike.ship is None and unlike.candidates


def _digits_apart(a, b):
    return sum(x != y for x, y in zip(str(a), str(b), strict=True))


@pytest.mark.parametrize("name", ["M/V Chon Ma San", "CHONMASAN", "천마산", "chon-ma san", "MV CHON  MA SAN"])
def test_spaces_prefixes_and_scripts_do_not_matter(name):
    index = ShipIndex([ship(9999993, "CHON MA SAN"), ship(9999981, "CHON MA SAN 2")])
    assert index.find(ShipQuery(name=name, imo="9999993")).ship.imo == 9999993


@pytest.mark.parametrize(
    ("one", "other"), [("LARK 1", "LARK 2"), ("LARK", "LARK 2"), ("LARK II", "LARK III"), ("LARK A", "LARK B")]
)
def test_numerals_of_any_kind_keep_ships_apart(one, other):
    index = ShipIndex([ship(0, one, mmsi="671999101", flag="TG", type="Cargo")])
    assert index.find(ShipQuery(name=other, mmsi="671999101", flag="Togo", type="Cargo")).ship is None
    assert ship_name(one).numerals != ship_name(other).numerals


def test_two_ships_of_one_name_are_candidates():
    index = ShipIndex([ship(9999993, "SEA LARK", flag="TG"), ship(9999981, "SEA LARK", flag="TG")])
    answer = index.find(ShipQuery(name="SEA LARK", flag="Togo"))
    assert answer.ship is None and len(answer.candidates) == 2


@pytest.mark.parametrize("text", ["A" * 1_000_000, "\ud800", "\u202eABC", "=1+1", "", "\x00", "N/A"])
def test_hostile_texts_find_nothing_and_raise_nothing(text):
    index = ShipIndex([ship(9999993, "SEA LARK")])
    assert (
        index.find(ShipQuery(name=text, imo=text[:50], mmsi=text, callsign=text, flag=text, type=text, owner=text)).ship
        is None
    )


def identity(*told):
    names = ("t_from", "t_to", "mmsi", "imo", "name", "callsign")
    return Table({n: np.array(column) for n, column in zip(names, zip(*told, strict=True), strict=True)})


def test_identities_are_intervals_and_a_silent_time_is_not_filled():
    ships = ships_of_identity(
        identity(
            (0, 5 * DAY, 671999101, 9999993, b"LARK", b"5VAA1"),
            (6 * DAY, 9 * DAY, 671999101, 9999993, b"LARK", b"5VAA1"),
            (100 * DAY, 101 * DAY, 371999101, 9999993, b"TERN", b"3FAA1"),
        )
    )
    assert len(ships) == 1
    names = [(f.value, f.t_from // DAY, f.t_to // DAY) for f in ships[0].facts if f.kind == "name"]
    assert names == [("LARK", 0, 9), ("TERN", 100, 101)]
    assert ships[0].during("flag", 50 * DAY, 60 * DAY) == ()
    assert ships[0].during("flag", 100 * DAY, 100 * DAY) == ("PA",)
    assert ships[0].name == "TERN"


def test_an_mmsi_without_number_joins_the_ship_of_its_name_and_no_other():
    told = ships_of_identity(
        identity(
            (0, DAY, 671999101, 9999993, b"LARK", b""),
            (2 * DAY, 3 * DAY, 671999101, 0, b"LARK", b""),
            (4 * DAY, 5 * DAY, 671999101, 0, b"TERN", b""),
        )
    )
    assert sorted((s.imo, s.name) for s in told) == [(0, "TERN"), (9999993, "LARK")]
    assert gather(told) == told


def test_a_register_tells_of_owners_by_time(tmp_path):
    place = tmp_path / "register.csv"
    place.write_text(
        "IMO Number,Vessel Name,Flag,Registered Owner,From,To\n"
        "9999993,LARK,Togo,Belvederon Shipping,2016-01-01,2017-12-31\n"
        "9999993,TERN,Panama,Other Shipping,2018-01-01,\n"
        "9999994,BAD,Togo,X,,\n"
        "9999981,RAIL,,,01/02/2018,\n",
        encoding="utf-8",
    )
    ships, warnings = read_registry(place)
    assert [(s.imo, s.values("owner")) for s in ships] == [
        (9999981, ()),
        (9999993, ("Belvederon Shipping", "Other Shipping")),
    ]
    assert [w.line for w in warnings] == [4, 4, 5]
    at = 1_500_000_000 * 1_000_000  # July 2017
    assert ships[1].during("owner", at, at) == ("Belvederon Shipping",)
    place.write_text("ship,owner\nLARK,X\n", encoding="utf-8")
    with pytest.raises(InputError, match="no column imo or mmsi"):
        read_registry(place)
