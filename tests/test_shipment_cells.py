"""What stands in single cells of shipments: serial dates, several containers, national HS codes, countries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ais.table import NAT
from cargo.identifiers import container_valid, containers_of
from cargo.shipments import read_shipments
from cargo.values import time_of

HEADER = "BILL_OF_LADING,HS_CODE,CONTAINER_ID,LOADING_PORT,UNLOADING_PORT,ARRIVAL_DATE,ORIGIN_COUNTRY,SHIPPER_COUNTRY"


def read(folder, *rows, header=HEADER, name="bl.csv"):
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return read_shipments(path)


def row(hs="870324", box="", day="2018-10-31", origin="", country=""):
    return f'LXBL1,{hs},"{box}",KRPUS,RUVVO,{day},{origin},{country}'


def test_a_column_of_serial_numbers_is_days_and_the_proposal_says_so(tmp_path):
    shipments = read(tmp_path, row(day="43404"), row(day="43405.5"), row(day="N/A"))
    assert shipments["t_arrive"].tolist() == [time_of("2018-10-31"), time_of("2018-11-01T12:00:00"), NAT]
    assert "serial numbers of a spreadsheet" in shipments.facts["arrive_date"]
    (said,) = [one.why for one in shipments.mapping.proposals if one.field == "arrive_date"]
    assert "serial numbers of a spreadsheet" in said and "serial numbers" in shipments.mapping.to_toml()
    assert shipments["arrive_date"].tolist() == ["43404", "43405.5", "N/A"]


@pytest.mark.parametrize("other", ["2018-10-31", "31018", "99999", "43404x", "434045"])
def test_one_other_cell_and_no_number_of_the_column_is_a_serial_date(tmp_path, other):
    shipments = read(tmp_path, row(day="43404"), row(day=other))
    assert shipments["t_arrive"][0] == NAT and "arrive_date" not in shipments.facts
    assert any("'43404': not a date" in str(warning) for warning in shipments.warnings)


@pytest.mark.parametrize("apart", [",", ", ", ";", "; ", "/", " ", " / ", "|"])
def test_several_containers_of_a_cell_are_each_checked_and_kept_sorted(tmp_path, apart):
    shipments = read(tmp_path, row(box=apart.join(["LXWU0000028", "LXWU 000001-2"])), row(box="LXWU0000012"))
    assert shipments["container"].tolist() == ["LXWU0000012 LXWU0000028", "LXWU0000012"]
    assert shipments["container_valid"].tolist() == [1, 1] and shipments.warnings == []
    assert shipments.facts["container"].startswith("1 cells hold several containers")


@pytest.mark.parametrize(
    ("cell", "says"),
    [("LXWU0000012, LXWU0000011", "the check digit of LXWU0000011 is wrong"),
     ("LXWU0000012 LXWU0000028 loose", "there is other text"), ("LXWU0000012 and LXWU0000028", "other text")],
)  # fmt: skip
def test_several_of_which_one_is_wrong_are_said_and_not_linked(tmp_path, cell, says):
    shipments = read(tmp_path, row(box=cell))
    assert shipments["container"].tolist() == [""] and shipments["container_valid"].tolist() == [-1]
    assert shipments["container_text"].tolist() == [cell] and says in str(shipments.warnings[0])


@given(st.text(max_size=60))
def test_what_is_made_of_any_cell_is_right_numbers_or_a_reason(text):
    numbers, why = containers_of(text)
    assert bool(why) != all(map(container_valid, numbers.split())) or not numbers


def test_national_codes_of_nine_and_eleven_digits_are_kept_whole(tmp_path):
    shipments = read(tmp_path, row("8703.24.119"), row("870324 10 000"), row("87032410001"), row("870324"))
    assert shipments["hs_code"].tolist() == ["870324119", "87032410000", "87032410001", "870324"]
    assert shipments.rows()[0].hs_code[:6] == "870324"
    assert "9 and 11 digits are national ones" in shipments.facts["hs_code"] and shipments.warnings == []


def test_nine_digits_beside_ten_may_have_lost_a_zero_and_are_unknown(tmp_path):
    shipments = read(tmp_path, row("901210010"), row("8703241190"), row("87032411901"))
    assert shipments["hs_code"].tolist() == ["", "8703241190", "87032411901"]
    assert "'901210010'" in str(shipments.warnings[0]) and "first zero" in str(shipments.warnings[0])


@pytest.mark.parametrize(
    ("cell", "code"),
    [("Germany", "DE"), ("DE", "DE"), ("pt", "PT"),
     ("Korea, Republic of", "KR"), ("South Korea", "KR"),
     ("Russian Federation", "RU"), ("China", "CN"), ("DPRK", "KP"),
     ("Türkiye", "TR"), ("Korea", ""), ("nowhere", ""), ("N/A", ""), ("", "")],
)  # fmt: skip
def test_countries_are_codes_beside_their_text_and_two_states_are_none(tmp_path, cell, code):
    shipments = read(tmp_path, row(origin=f'"{cell}"', country=f'"{cell}"'))
    assert shipments["origin_country"].tolist() == shipments["shipper_country"].tolist() == [code]
    assert shipments["origin_country_text"].tolist() == [cell]
    assert bool(shipments.warnings) == (cell in ("Korea", "nowhere"))
