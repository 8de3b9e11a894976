"""What is it: the lexicon and what negates it, headings, the plausibility of codes, and when nothing is said."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luxwake as lw
from benchmarks import goods as measured
from cargo.goods import MIN_MARGIN, MIN_SCORE, known_headings
from cargo.heading_vectors import heading_vectors
from cargo.lexicon import armour_word, find_terms, luxury_word, party_role
from cargo.retrieval import likeness, pair_scores, spoken_ngrams
from cargo.terms import lexicon, places
from cargo.wording import fold, tokens
from tests.naive_goods import naive_places, naive_scores

ROOT = Path(__file__).parents[1]
RULES = {"luxury", "company"}
BINDING = {"both", "before", "after", "part", "strict", "shade", "self"}


def luxwake(*arguments, stdin=None):
    command = [sys.executable, "-m", "luxwake.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, input=stdin)


def test_the_lexicon_is_a_table_that_can_be_trusted():
    terms = lexicon()
    assert len({(term.term, term.language) for term in terms}) == len(terms) > 3000
    assert {term.language for term in terms} == {"mul", "en", "zh", "zh-Hant", "ko", "ja", "ru"}
    for term in terms:
        assert set(term.headings) <= known_headings(), term
        assert all(len(heading) == 4 for heading in term.headings), term
        if term.kind == "negative":
            assert len(term.rules) == 1 and term.rules <= BINDING, term
        else:
            assert term.kind in {"make", "model", "armour", "item", "context"} and term.rules <= RULES, term
            assert bool(term.headings) == (term.kind != "context"), term
        assert len(tokens(fold(term.term))) > 1 or len(term.term) > 1 or term.kind in ("negative", "context", "item"), (
            term
        )


def test_the_lexicon_holds_no_item_of_a_control_list(shared_data):
    texts = {fold(item.text) for regime in ("EU (2007)", "") for item in measured.items(regime)}
    assert not {fold(term.term) for term in lexicon() if len(term.term.split()) > 4} & texts
    assert max(len(term.term.split()) for term in lexicon()) <= 7


@pytest.mark.parametrize(
    "spelling", ["LX570", "LX 570", "LX-570", "lx570", "ＬＸ５７０", "L\u200bX570", "\u202eLX570", "LХ570"]
)
def test_a_model_is_one_however_it_is_spelled(spelling):
    assert lw.classify(f"used Lexus {spelling}").luxury[-1] == fold(spelling)
    assert [hit.term.term for hit in find_terms(f"used Lexus {spelling}")][-1] == "LX570"


@pytest.mark.parametrize("text", ["LX570D", "ALX570", "LX5701"])
def test_a_part_of_a_word_is_no_model(text):
    assert "LX570" not in {hit.term.term for hit in find_terms(f"used Lexus {text}")}


STILL = """limousine with spare parts
limousine, 2 sets spare parts
limousine 2 sets spare parts
used cars and spare parts
spare parts for tractor, limousine 1 unit
Lexus LX570 model 2017
Lexus model: LX570
limousine model S600
limousine black colour
pearl white sedan
豪华轿车，带备件
奔驰轿车及配件
벤츠 승용차 및 부품
예비 부품 포함 리무진
予備部品付きリムジン
ベンツ S600 (部品付き)
лимузин с запчастями
автомобиль Лексус, модель LX 570"""


@pytest.mark.parametrize("text", STILL.splitlines())
def test_what_comes_with_a_car_does_not_take_the_car_away(text):
    goods = lw.classify(text)
    assert goods.categories == ("vehicle",) and goods.headings[0].heading == "8703"


NOT_THE_THING = {
    "9503": "toy car|toy armoured car|limousine (toy)|model yacht|yacht models|玩具汽车|豪华轿车模型|遊艇模型|"
    "장난감 자동차|요트 모형|おもちゃの自動車|ヨットの模型|игрушечная яхта|автомобили игрушечные|модель яхты",
    "8708": "spare parts for limousine|parts for Mercedes, BMW and Lexus|Mercedes S600 front bumper|"
    "Lexus LX570 floor mats|汽车零件|奔驰汽车配件|雷克萨斯 脚垫|자동차 부품|벤츠 승용차 부품|"
    "リムジン用部品|ベンツの部品|запчасти для лимузина",
    "8704": "Mercedes-Benz Actros truck 2640|Toyota Hilux pickup truck|грузовой автомобиль|中古トラック",
    "4911": 'poster of Ferrari cars|poster "Lexus LX570"',
    "9209": "parts of pianos",
    "9114": "parts for watches",
    "4011": "tyres for passenger cars|шины для легковых автомобилей",
    "6404": "Jaguar shoes",
    "9401": "cognac colour sofa",
    "3208": "yacht paint|paint for yachts",
    "1806": "chocolate truffles",
    "8544": "steel wire armoured cable",
    "8207": "diamond drill bits",
}


@pytest.mark.parametrize(("heading", "text"), [(h, t) for h, texts in NOT_THE_THING.items() for t in texts.split("|")])
def test_what_only_names_luxury_is_none(heading, text):
    goods = lw.classify(text)
    assert goods.categories == () and goods.luxury == ()
    assert goods.headings[0].heading == heading


@pytest.mark.parametrize(
    ("text", "category", "heading"),
    [
        ("Lexus LX 570", "vehicle", "8703"),
        ("diamond watch", "watch", "9102"),
        ("Ferrari brand perfume", "cosmetic", "3303"),
        ("wrist watches, 18k gold case", "watch", "9101"),
        ("beluga caviar", "caviar", "1604"),
        ("防弹轿车", "vehicle", "8703"),
        ("方弹轿车 賓士 S600", "vehicle", "8703"),
        ("방탄 승용차", "vehicle", "8703"),
        ("モーターボート", "vessel", "8903"),
        ("норковые шубы", "fur", "4303"),
        ("snowmobile", "vehicle", "8703"),
        ("grand piano", "instrument", "9201"),
    ],
)
def test_what_is_on_a_list_is_named(text, category, heading):
    goods = lw.classify(text)
    assert goods.categories == (category,) and goods.headings[0].heading == heading


def test_everyday_words_need_company():
    assert lw.classify("Jaguar XJ 2016 sedan").luxury == ("JAGUAR", "XJ")
    for text in ("jaguar skin pattern carpet tiles", "century eggs", "crown corks", "Lincoln Electric welding machine"):
        assert "vehicle" not in lw.classify(text).categories
    assert lw.classify("bulletproof vests").luxury == ()


def test_the_words_of_the_callers_speak_all_languages():
    assert armour_word("방탄 승용차") and armour_word("防弾リムジン") and armour_word("Бронированный лимузин")
    assert armour_word("armoured cable") == luxury_word("toy limousine") == ""
    assert party_role("은행 예시") == "bank" and party_role("Пример Логистика") == "forwarder"


def test_the_declared_code_comes_first():
    car = "armoured Mercedes-Benz S600 Guard, VR9"
    assert lw.classify(car, "8703.24").plausibility == "supported"
    assert lw.classify(car, "8710").plausibility == "contradicted"  # for fighting vehicles
    assert lw.classify(car, "72").plausibility == "contradicted"
    assert lw.classify("toy cars", "870323").plausibility == "contradicted"
    assert lw.classify("parts for limousine", "8708").plausibility == "supported"
    assert lw.classify("hot rolled steel coils", "720839").plausibility == "supported"
    assert lw.classify("frozen fillets of pollock", "0304").plausibility == "supported"


@pytest.mark.parametrize("code", ["", None, "n/a", "70324", "8799", "car", "=1+1", "٨٧٠٣"])
def test_without_a_code_nothing_is_plausible_or_not(code):
    goods = lw.classify("used Lexus", code)
    assert goods.plausibility == "cannot tell" and goods.why


@pytest.mark.parametrize(
    "text", ["vehicles", "general cargo", "", "N/A", "1 x 20 container said to contain goods", "차량"]
)
def test_a_text_that_says_nothing_contradicts_no_code_and_gives_no_heading(text):
    goods = lw.classify(text, "870324")
    assert goods.plausibility == "cannot tell" and goods.heading == "" and goods.abstained


def test_two_kinds_of_goods_give_no_single_heading():
    goods = lw.classify("whisky, grand piano")
    assert goods.heading == "" and {"2208", "9201"} <= {each.heading for each in goods.headings[:2]}
    assert "several kinds" in goods.abstained


def test_lang_leaves_out_terms_of_other_languages():
    assert lw.classify("시가", lang="ko").categories == ("tobacco",)
    assert lw.classify("시가", lang="ru").categories == ()
    assert lw.classify("Lexus", lang="ru").categories == ("vehicle",)
    with pytest.raises(lw.UsageError, match="'de' is not known"):
        lw.classify("Auto", lang="de")


def test_a_column_is_its_rows_one_by_one():
    halves = measured.lines("tune") + measured.lines("test")
    texts = [line.text for line in halves] * 2
    codes = ["8703", "", None, "9503"] * (len(texts) // 4)
    column = lw.classify(np.array(texts, object), codes)
    alone = [lw.classify(text, code) for text, code in zip(texts, codes, strict=True)]
    assert [goods.why for goods in column] == [goods.why for goods in alone]
    for one, other in zip(column, alone, strict=True):
        assert one.hits == other.hits and one.abstained == other.abstained
        assert [e.heading for e in one.headings if e.terms] == [e.heading for e in other.headings if e.terms]
    assert lw.classify([None, float("nan"), "car"])[0].abstained == "no description"
    with pytest.raises(lw.UsageError, match="as long as text"):
        lw.classify(["car"], [])


PARTS = (
    "TOY CAR CARS LEXUS LX 570 LX570 PARTS FOR OF WITH AND MODEL YACHT WATCH GOLD CASE , ( ) 2 防弹 轿车 玩具 자동차 "
    "부품 リムジン 用 部品 АВТОМОБИЛЬ ДЛЯ ЗАПЧАСТИ БРОНИРОВАННЫЙ ИГРУШЕЧНЫЙ S600 GUARD SILK SCARF"
)
words = st.sampled_from(PARTS.split())


@settings(max_examples=40)
@given(st.lists(words, max_size=12), st.sampled_from([" ", ""]))
def test_terms_are_found_as_by_trying_all(parts, between):
    text = between.join(parts)
    assert [(place.first, place.last) for place in places(fold(text), tokens(fold(text)))] == naive_places(text)


def test_scores_are_those_of_whole_documents():
    texts = ["sailing yachts", "used cars, petrol", "hot rolled steel coils", "wine glasses of lead crystal", "xyzzy"]
    chapters = {"22", "87", "89"}
    for text, expected in zip(texts, naive_scores(texts, chapters), strict=True):
        found = {each.heading: each.score for each in likeness([text], 2000)[0] if each.heading[:2] in chapters}
        assert found == pytest.approx({h: s for h, s in expected.items() if s > 0}, abs=1e-5)
        assert pair_scores([text], ["8903"])[0] == pytest.approx(expected["8903"], abs=1e-5)
        assert sum(part for _, part in spoken_ngrams(text, "8903", 999)) in (0, pytest.approx(1.0))


@given(st.text(max_size=200), st.text(max_size=12))
def test_any_text_is_classified(text, code):
    goods = lw.classify(text, code)
    assert goods.text == text and (goods.heading == "") == bool(goods.abstained)
    assert [each.score for each in goods.headings] == sorted((each.score for each in goods.headings), reverse=True)
    assert set(goods.categories) <= {hit.term.category for hit in goods.hits}


@pytest.mark.parametrize(
    "text", ["LEXUS " * 200_000, "\0" * 1_000_000, "防" * 1_000_000, "ﷺ" * 1_000_000, "a" * 1_000_000]
)
def test_a_million_characters_take_no_time(text):
    begin = time.process_time()
    lw.classify(text, "8703")
    assert time.process_time() - begin < 10.0


def test_codes_may_be_numbers_and_wrong_columns_are_told():
    assert lw.classify(["car"] * 3, np.array([870324, 72, 10121])) != []
    kinds = [goods.plausibility for goods in lw.classify(["car"] * 4, [870324, 10121, float("nan"), None])]
    assert kinds == ["supported", "cannot tell", "cannot tell", "cannot tell"]
    for wrong in (7, None, b"car"):
        with pytest.raises(lw.UsageError, match="column"):
            lw.classify(wrong)


def test_a_broken_cache_is_made_again(tmp_path, monkeypatch):
    good = heading_vectors()
    monkeypatch.setenv("LUXWAKE_CACHE", str(tmp_path))
    for content in (None, b"", b"PK\x03\x04 no archive"):
        for path in tmp_path.glob("*.npz"):
            path.write_bytes(content)
        heading_vectors.cache_clear()
        made = heading_vectors()
        assert np.array_equal(made.headings, good.headings) and abs(made.matrix - good.matrix).max() < 1e-6
    heading_vectors.cache_clear()
    assert len(list(tmp_path.iterdir())) == 1  # nothing half written is left


def test_the_lines_of_bills_of_lading():
    for half in ("tune", "test"):
        figures = measured.line_figures(measured.lines(half))
        precision, recall, category, first, given_right = map(float, figures[1:6])
        assert min(precision, recall, category, first, given_right) >= 0.95


def test_wrong_codes_are_contradicted_and_right_ones_are_not():
    right, other = measured.code_figures(measured.lines("test"))
    assert float(right[1]) >= 0.9 and float(right[2]) <= 0.06
    assert float(other[2]) >= 0.9 and float(other[1]) <= 0.04


def test_items_of_control_lists_find_their_headings(shared_data):
    named = measured.item_figures(measured.items("EU (2007)"), measured.by_both)
    alone = measured.item_figures(measured.items("EU (2007)"), measured.by_nomenclature)
    assert min(named["first"], alone["first"]) >= 0.95 and named["five"] == alone["five"] == 1.0
    assert named["items of 10 at most"] >= 0.85 and named["of what 10 can hold"] >= 0.82 and named["all"] >= 0.73
    assert alone["items of 10 at most"] >= 0.84 and alone["all"] >= 0.70
    others = measured.item_figures(measured.items(""), measured.by_both)
    assert others["all"] >= 0.85 and others["of what 10 can hold"] >= 0.93


def test_recall_is_counted_by_each_definition():
    items = [
        measured.Item("a", frozenset(map(str, range(8501, 8521)))),
        measured.Item("b", frozenset({"0101", "0201"})),
    ]
    ranks = {"a": [str(code) for code in range(8501, 8506)], "b": ["8703", "0101", "0201"]}
    figures = measured.item_figures(items, ranks.__getitem__)
    assert figures == pytest.approx(
        {
            "first": 0.5,
            "five": 1.0,
            "most": 0.75,
            "all": (5 / 20 + 1) / 2,
            "of what 10 can hold": (5 / 10 + 1) / 2,
            "items of 10 at most": 1.0,
            "all, pooled": 7 / 22,
            "first R of R": (5 / 10 + 1 / 2) / 2,
            "chapters": 1.0,
        }
    )


def test_a_heading_given_by_the_nomenclature_is_mostly_right(shared_data):
    given = {(row[0], row[1]): tuple(map(float, row[2:])) for row in measured.abstention_figures()}
    share, right, chapter = given[f"{MIN_SCORE:.2f}", f"{MIN_MARGIN:.2f}"]
    assert share >= 0.4 and right >= 0.8 and chapter >= 0.95


def test_a_kind_of_goods_brings_the_headings_of_its_category_and_a_maker_does_not():
    several = [each.heading for each in lw.classify("consumer electronics").headings]
    assert several[0] == "8528" and {"8471", "8516", "8418", "8450"} <= set(several)
    makers = [each.heading for each in lw.classify("Rolex").headings]
    assert makers[:2] == ["9102", "9101"] and not {"9103", "9104", "9105"} <= set(makers[:5])
    exact = lw.classify("television 55 inch").headings
    assert exact[0].heading == "8528" and [each.heading for each in exact if each.terms] == ["8528"]


def test_the_same_goods_named_twice_are_not_parted():
    goods = lw.classify("lead crystal glassware")
    assert goods.categories == ("crystal",) and goods.heading == "7013"


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("golf cars", "8703"),
        ("vehicles for travelling on snow", "8703"),
        ("microwave ovens", "8516"),
        ("lobsters frozen", "0306"),
        ("hand-woven rugs", "5702"),
    ],
)
def test_one_subheading_that_fits_is_enough(text, heading):
    assert likeness([text], 1)[0][0].heading == heading


def test_the_command_shows_a_text():
    shown = luxwake("goods", "Pearl white Lexus LX-570 with toy cars", "--hs", "9503")
    assert shown.returncode == 0 and "LX-570" in shown.stdout and "negated by" in shown.stdout
    said = json.loads(luxwake("goods", "toy cars \x1b[2J<b>", "--json").stdout)
    assert said["heading"] == "9503" and said["categories"] == [] and said["terms"][1]["negated_by"] == "TOY"


def test_the_command_shows_a_file(tmp_path):
    header = "description,hs_code,load_port,discharge_port\n"
    rows = "Lexus LX570,732690,KRPUS,RUVVO\nsteel coils,720839,KRPUS,RUVVO\n=cmd()<b>,,KRPUS,RUVVO\n"
    (tmp_path / "bl.csv").write_text(header + rows)
    shown = luxwake("goods", str(tmp_path / "bl.csv"))
    assert shown.returncode == 0 and "contradicted" in shown.stdout and "Traceback" not in shown.stderr
    lines = [json.loads(line) for line in luxwake("goods", str(tmp_path / "bl.csv"), "--json").stdout.splitlines()]
    assert [line["row"] for line in lines if line["type"] == "goods"] == [1]
    assert lines[-2]["counts"] == {"cannot tell": 1, "contradicted": 1, "supported": 1}


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["nothing_there.csv"], 1, "no such file"),
        (["car", "--lang", "de"], 2, "'de' is not known"),
        (["fixtures/flagship/shipments.csv", "--hs", "8703"], 2, "--hs"),
        (["car", "--limit", "-1"], 2, "--limit"),
    ],
)
def test_wrong_use_is_told_in_one_line(arguments, status, words):
    done = luxwake("goods", *arguments)
    assert done.returncode == status and words in done.stderr and len(done.stderr.splitlines()) == 1
