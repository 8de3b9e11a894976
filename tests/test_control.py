"""Control lists: what rules say of goods, and that nothing unknown is ever shown as a no, or unverified as verified."""

import csv
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import luxwake as lw
from cargo import hs
from cargo.control import STATUSES, banned_from, overall
from cargo.control_coverage import codes_in
from cargo.control_rule import rule_of
from cargo.control_screen import screen
from cargo.control_words import PREDICATES, said, sayings
from tests.control_case import JUNE_2017, LISTS, OCTOBER_2018, one


def check(code, on, **more):
    return LISTS.check(hs_code=code, date=on, **({"destination": "KP"} | more))


def lists_of(**cells):
    row = {"regime": "Test", "item": "1", "target": "KP", "valid_from": "2010", "hs_version": "2017", "basis": "read"}
    return lw.ControlLists([rule_of(row | cells)])


def test_in_october_2018_a_big_car_is_controlled_whatever_its_value():
    for value in (None, 0.0, 1.0, 1e9):
        verdicts = check("870324", OCTOBER_2018, value=value, currency="USD", regimes=["UN"])
        assert (verdicts[0].status, verdicts[0].instrument) == ("controlled", "UNSCR 2397 (2017) OP7")
        assert verdicts[0].rule.codes_from == "law"


def test_in_june_2017_only_luxury_automobiles_are_and_the_text_must_say_so():
    verdicts = check("870324", JUNE_2017, regimes=["UN"])
    assert overall(verdicts) == "cannot tell"
    sector = [v for v in verdicts if "2397" in v.instrument]
    assert [v.status for v in sector] == ["not controlled"] and "2017-12-22" in sector[0].reason
    with_text = check("870324", JUNE_2017, regimes=["UN"], description="armoured limousine, class VR9")
    assert with_text[0].status == "controlled" and "2094" in with_text[0].instrument
    assert "mapped by us" in with_text[0].basis
    toy = check("870324", JUNE_2017, regimes=["UN"], description="parts for limousine")
    assert overall(toy) == "cannot tell"


def test_the_day_before_and_the_day_itself():
    assert overall(check("870324", date(2017, 12, 21), regimes=["UN"])) == "cannot tell"
    assert overall(check("870324", date(2017, 12, 22), regimes=["UN"])) == "controlled"


def test_a_guard_is_no_tank():
    tank = check("871000", JUNE_2017, regimes=["UN"])
    assert overall(tank) == "no rule known"
    assert not any("2094" in v.instrument for v in tank)


def test_no_rule_known_is_not_not_controlled():
    (verdict,) = check("100199", OCTOBER_2018, regimes=["UN"])
    assert verdict.status == "no rule known" and verdict.rule is None and "UN" in verdict.reason
    assert overall(check("100199", OCTOBER_2018)) == "no rule known"


def test_a_list_that_nobody_typed_cannot_tell():
    (verdict, none) = check("100199", OCTOBER_2018, regimes=["Switzerland"])
    assert verdict.status == "cannot tell" and "items are not in the data" in verdict.reason
    assert none.status == "no rule known"


def test_a_row_by_knowledge_never_makes_a_sure_verdict():
    for verdict in check("910111", OCTOBER_2018) + check("691110", OCTOBER_2018, value=1.0, currency="USD"):
        if verdict.rule and not verdict.rule.verified:
            assert verdict.status == "cannot tell" or "in force" in verdict.reason or "goods go to" in verdict.reason
            assert "UNVERIFIED" in verdict.basis


@pytest.mark.parametrize(
    ("said_more", "status", "word"),
    [
        ({}, "cannot tell", "price is missing"),
        ({"value": 900.0, "currency": "EUR", "quantity": 1.0, "unit": "PCS"}, "cannot tell", "EUR"),
        ({"value": 900.0, "currency": "USD"}, "cannot tell", "quantity in item is missing"),
        ({"value": 900.0, "currency": "USD", "quantity": 10.0, "unit": "KG"}, "cannot tell", "quantity in item"),
        ({"value": 900.0, "currency": "USD", "quantity": 1.0, "unit": "pcs"}, "controlled", "900.00 is above"),
        ({"value": 900.0, "currency": "USD", "quantity": 2.0, "unit": "pcs"}, "not controlled", "450.00"),
        ({"value": 1000.0, "currency": "US$", "quantity": 2.0, "unit": "pcs"}, "not controlled", "500.00"),
        ({"value": 400.0, "currency": "USD"}, "not controlled", "for all is not above"),
        ({"value": float("nan"), "currency": "USD"}, "cannot tell", "price is missing"),
    ],
)
def test_a_limit_per_item(said_more, status, word):
    lists = lists_of(hs="5701", threshold_amount="500", threshold_currency="USD", threshold_per="item")
    verdict = one(lists, hs_code="570110", **said_more)
    assert verdict.status == status and word in verdict.reason


def test_a_limit_per_kilogram_and_litre():
    lists = lists_of(hs="160431", threshold_amount="250", threshold_currency="GBP", threshold_per="1.5 kg")
    rest = {"hs_code": "160431", "currency": "GBP", "quantity": 3.0, "unit": "KG"}
    assert one(lists, value=501.0, **rest).status == "controlled"
    assert one(lists, value=500.0, **rest).status == "not controlled"
    assert one(lists, value=100.0, **rest | {"unit": "BOX"}).status == "cannot tell"
    wine = lists_of(hs="2204", threshold_amount="70", threshold_currency="EUR", threshold_per="litre")
    rest = {"hs_code": "220421", "currency": "EUR", "quantity": 1.0, "unit": "HL"}
    assert one(wine, value=7001.0, **rest).status == "controlled"


def test_an_ex_code_is_told_by_the_text_or_not_at_all():
    unsaid = lists_of(hs="9101", is_ex="1")
    assert "only a part of the code" in one(unsaid, hs_code="910111").reason
    golden = lists_of(hs="9102", is_ex="1", qualifier="precious metal")
    assert one(golden, hs_code="910211", description="watch, 18K gold case").status == "controlled"
    assert one(golden, hs_code="910211", description="watch, stainless steel").status == "not controlled"
    assert one(golden, hs_code="910211", description="watch").status == "cannot tell"
    screens = lists_of(hs="8528", is_ex="1", qualifier="> 29 inch")
    sizes = {'LED TV 32"': "controlled", "TV 24 inch": "not controlled", 'TVs 24" and 32"': "cannot tell"}
    assert {text: one(screens, hs_code="852872", description=text).status for text in sizes} == sizes


def test_a_code_of_another_version_is_found_through_the_tables():
    lists = lists_of(hs="870322", hs_version="2012")
    hybrid = one(lists, hs_code="870340", date=date(2018, 1, 1))
    assert hybrid.status == "cannot tell" and "holds goods of other codes" in hybrid.reason
    assert one(lists, hs_code="870322", date=date(2018, 1, 1)).status == "controlled"
    assert lists.check(hs_code="870390", date=date(2018, 1, 1), destination="KP")[0].status == "no rule known"


def test_a_short_code_and_a_long_code():
    lists = lists_of(hs="870324")
    assert "only 4 digits" in one(lists, hs_code="8703").reason
    assert one(lists_of(hs="8703"), hs_code="8703").status == "controlled"
    assert one(lists, hs_code="8703 24 10").status == "controlled"
    part = lists_of(hs="20019097")
    assert one(part, hs_code="200190").status == one(part, hs_code="20019097").status == "cannot tell"
    assert one(lists_of(hs="16043100"), hs_code="160431").status == "controlled"


def test_what_is_missing_is_said():
    lists = lists_of(hs="870324")
    assert "date is missing" in one(lists, hs_code="870324", date=None).reason
    (verdict,) = lists.check(hs_code="", date=OCTOBER_2018)
    assert verdict.status == "cannot tell" and "no HS code" in verdict.reason
    (verdict,) = lists.check(hs_code="770000", date=OCTOBER_2018)
    assert verdict.status == "cannot tell" and "no version" in verdict.reason
    (verdict,) = lists.check(hs_code="999999", date=OCTOBER_2018)
    assert verdict.status == "cannot tell" and "not classified" in verdict.reason
    unsaid = one(lists, hs_code="870324", destination="")
    assert unsaid.status == "controlled" and unsaid.assumes == ("the goods go to KP",)
    hybrids = lists_of(hs="870340")
    assert "HS version unknown" in one(hybrids, hs_code="870322", date=None).reason


def test_partial_dates_leave_doubt_only_inside_them():
    lists = lists_of(hs="870324", valid_from="2017-03", valid_to="2018")
    days = {date(2017, 2, 28): "not controlled", date(2017, 3, 15): "cannot tell", date(2017, 3, 31): "controlled"}
    days |= {date(2018, 1, 1): "controlled", date(2018, 6, 1): "cannot tell", date(2019, 1, 1): "not controlled"}
    assert {day: one(lists, hs_code="870324", date=day).status for day in days} == days


def test_direction_and_destination():
    lists = lists_of(hs="2701", direction="import")
    assert one(lists, hs_code="270111", destination="", origin="KP").status == "controlled"
    assert one(lists, hs_code="270111", destination="KR", origin="RU").status == "not controlled"
    assert one(lists, hs_code="270111", destination="KP", origin="RU", direction="export").status == "not controlled"
    cars = lists_of(hs="8703")
    assert one(cars, hs_code="870324", destination="RU").status == "not controlled"
    assert one(cars, hs_code="870324", direction="transit").status == "controlled"


def test_jurisdiction_by_exporter_flag_and_person():
    lists = lists_of(hs="8703", jurisdiction="exporter;flag;person", territory="EU")
    code = {"hs_code": "870324"}
    assert one(lists, **code, origin="DE").status == "controlled"
    assert one(lists, **code).assumes == ("EU has jurisdiction",)
    far = one(lists, **code, origin="CN")
    assert far.status == "cannot tell" and "flag, person is not known" in far.reason
    assert one(lists, **code, origin="CN", flag="TG", persons=["CN"]).status == "not controlled"
    assert one(lists, **code, origin="CN", flag="MT").status == "controlled"
    assert one(lists, **code, origin="GB", date=date(2020, 12, 31)).status == "controlled"
    assert one(lists, **code, origin="GB", date=date(2021, 1, 1)).status == "cannot tell"


def test_every_row_of_the_source_is_shipped(shared_data):
    with (shared_data / "trade/regimes/regime_items.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["regime"] not in ("Model list", "Overview (not a regime)")]
    ours = {(rule.regime, rule.item, rule.text): rule for rule in LISTS.rules}
    assert len(rows) == 138
    for row in rows:
        rule = ours[row["regime"], " ".join(row["instrument_item"].split()), " ".join(row["item_text"].split())]
        assert rule.basis == row["basis"]
        assert rule.verified == (not row["basis"].startswith("knowledge"))


def test_every_code_of_the_source_is_covered(shared_data):
    from cargo.tables.build_regimes import patterns_of

    with (shared_data / "trade/regimes/regime_items.csv").open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            rules = [
                rule for rule in LISTS.rules if (rule.regime, rule.item) == (row["regime"], row["instrument_item"])
            ]
            for pattern in patterns_of(row["hs_legal"]) or patterns_of(row["hs_mapped_by_us"]):
                version = rules[0].hs_version
                assert set(hs.expand(pattern, version)) <= codes_in(rules, version), (row["instrument_item"], pattern)


@given(st.sampled_from(hs.codes(2017)), st.dates(date(2006, 1, 1), date(2030, 1, 1)), st.sampled_from(["KP", "RU", ""]))
def test_laws_of_verdicts(code, on, where):
    verdicts = LISTS.check(hs_code=code, date=on, destination=where)
    statuses = [STATUSES.index(v.status) for v in verdicts]
    assert statuses == sorted(statuses) and all(v.reason and "\n" not in v.reason for v in verdicts)
    for verdict in verdicts:
        if verdict.rule and not verdict.rule.verified:
            assert verdict.status != "controlled" and "UNVERIFIED" in verdict.basis
    if overall(verdicts) == "not controlled":
        assert all(v.status == "not controlled" for v in verdicts)


@given(st.integers(0, 2**32 - 1))
def test_a_column_is_as_row_by_row(seed):
    rng = np.random.default_rng(seed)
    n = 40
    pick = lambda words: np.array(words, object)[rng.integers(0, len(words), n)]  # noqa: E731
    codes = pick(["870324", "8703", "570110", "910111", "270111", "", "999999", "220421", "car", "871000"])
    t = rng.integers(1_420_070_400, 1_577_836_800, n) * 1_000_000
    t[rng.random(n) < 0.1] = np.iinfo(np.int64).min
    said_of = {"description": pick(["", "limousine", "used car", "18K gold watch"]), "currency": pick(["USD", ""])}
    said_of |= {"value": rng.choice([np.nan, 10.0, 5e4], n), "quantity": rng.choice([np.nan, 1.0, 9.0], n)}
    said_of |= {
        "unit": pick(["PCS", "KG", ""]),
        "origin": pick(["DE", "KP", ""]),
        "destination": pick(["KP", "RU", ""]),
    }
    found = screen(LISTS, codes, t, **said_of)
    for row in range(n):
        on = None if t[row] < 0 else date.fromordinal(719_163 + int(t[row] // 86_400_000_000))
        code = codes[row] if codes[row] != "car" else ""
        plain = {name: column[row] for name, column in said_of.items()}
        verdicts = LISTS.check(hs_code=code, date=on, **plain)
        assert found.of_row(row) == verdicts
        assert STATUSES[found.status[row]] == overall(verdicts)


def test_a_column_of_nothing():
    found = screen(LISTS, [], np.empty(0, np.int64))
    assert found.counts() == dict.fromkeys(STATUSES, 0) and not found.cases


def test_coal_from_the_dprk_is_found_in_the_lists():
    (verdict,) = banned_from("KP", "270111", date(2018, 11, 1))
    assert "Coal" in verdict.rule.text and "UNVERIFIED" in verdict.basis
    assert banned_from("KP", "270111", date(2017, 8, 4)) == [] == banned_from("KP", "", date(2018, 1, 1))
    assert banned_from("KP", "100199", date(2018, 11, 1)) == []


@pytest.mark.parametrize("qualifier", list(PREDICATES))
def test_a_text_that_says_nothing_is_no_answer(qualifier):
    for text in ("", "goods", "\x00\ud800\u202e", "=1+1", "あ" * 10_000):
        assert said(qualifier, text).holds is None


WORDS = [
    "pearls", "imitation", "gold", "silver", "stainless", "steel", "lead", "crystal", "free", "glass", "hand",
    "machine", "made", "tufted", "silk", "artificial", "leather", "PU", "nylon", "plastic", "yacht", "rowing", "boat",
    "canoe", "jet", "ski", "racing", "car", "snowmobile", "golf", "cars", "truffle", "laptop", "tablet", "notebook",
    "PDA", "MP3", "player", "DVD", "new", "used", "brand", '32"', "24", "inch", "LCD", "LED", "TV", "limousine",
    "toy", "parts", "of", "18K",
]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join))
def test_all_qualifiers_at_once_are_each_by_itself(text):
    each = {name: told for name in PREDICATES if (told := said(name, text)).holds is not None}
    assert dict(sayings(PREDICATES, text)) == each


def test_words_that_deny_are_not_taken_for_those_that_affirm():
    assert said("pearl", "imitation pearls").holds is False
    assert said("hand-made", "hand tufted carpet").holds is True
    assert said("hand-made", "tufted carpet").holds is False
    assert said("leather", "PU leather bag").holds is False
    assert said("pearl", "진주 목걸이").holds is True
    assert said("new", "used car, new tyres").holds is None
