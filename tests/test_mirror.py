"""Mirror statistics on made-up worlds with truth: every sum once, wrong reporters found, right ones left alone."""

import json
import re
from datetime import date
from xml.etree import ElementTree

import comtrade_world as worlds
import pytest

import luxwake as lw
from cargo.control_coverage import codes_in
from cargo.mirror import UNION
from cargo.mirror_checks import KOREA, ONE_OFF, PRICES
from luxwake.cli import main

LISTS = lw.ControlLists.shipped()
ASKED = (2015, 2016, 2017)


def read(path, text):
    path.write_text(text)
    return lw.read_comtrade(path)


@pytest.fixture(scope="module")
def world():
    return worlds.make(7)


@pytest.fixture(scope="module")
def table(world, tmp_path_factory):
    return read(tmp_path_factory.mktemp("mirror") / "v1.csv", worlds.as_csv(world.rows))


@pytest.fixture(scope="module")
def made(table):
    return lw.mirror(table, lists=LISTS)


def listed_sums(world, regimes=None, with_ex=True):
    """The truth: what each reporter wrote of listed goods, by reporter and year."""
    rules = [r for r in LISTS.of(regimes, "KP").rules if r.subject == "luxury" and "export" in r.directions]
    sums = {}
    for year in ASKED:
        version = 2012 if year < 2017 else 2017
        codes = set().union(*(codes_in(rules, version, date(year, *day), with_ex) for day in ((1, 1), (12, 31))))
        for (reporter, when, code), value in world.sums.items():
            if when == year and code in codes:
                sums[reporter, year] = sums.get((reporter, year), 0.0) + value
    return sums


@pytest.mark.parametrize("regimes", [None, ["UN"], ["EU (2007)"], ["Republic of Korea"]])
@pytest.mark.parametrize("with_ex", [True, False])
def test_every_sum_is_counted_once(world, made, regimes, with_ex):
    truth = listed_sums(world, regimes, with_ex)
    tally = made.tally(regimes[0] if regimes else UNION, 0, with_ex)
    assert tally.value_usd == pytest.approx(sum(truth.values()), rel=1e-9)
    assert tally.as_reported == len({reporter for reporter, _ in truth})
    for year in ASKED:
        assert made.tally(tally.regime, year, with_ex).as_reported == sum(key[1] == year for key in truth)


def test_what_was_left_out_is_counted_by_reason(made, tmp_path):
    assert len(made.dropped) == 7 and all(made.dropped.values())
    plain = worlds.make(7, double=False)
    again = lw.mirror(read(tmp_path / "plain.csv", worlds.as_csv(plain.rows)), lists=LISTS)
    assert not again.dropped and again.tally().as_reported == made.tally().as_reported


@pytest.mark.parametrize("seed", [101, 102, 103, 104])
def test_wrong_reporters_are_found_and_right_ones_left_alone(seed, tmp_path):
    world = worlds.make(seed)
    made = lw.mirror(read(tmp_path / "w.csv", worlds.as_csv(world.rows)), lists=LISTS)
    name_of = {"miscoded": KOREA, "one-off": ONE_OFF, "mispriced": PRICES}
    found = dict.fromkeys(name_of, 0)
    wrong = dict.fromkeys(name_of, 0)
    alarms = calm = 0
    for (reporter, year), checks in made.checks.items():
        kind = world.kind[reporter]
        if year in world.wrong_years[reporter]:
            wrong[kind] += 1
            found[kind] += any(check.name == name_of[kind] and check.speaks_against for check in checks)
        else:
            calm += 1
            alarms += any(check.speaks_against for check in checks)
    assert all(found[kind] >= 0.9 * wrong[kind] > 0 for kind in name_of), (found, wrong)
    assert alarms <= 0.05 * calm, (alarms, calm)
    tally = made.tally()
    truth = len({who for who, year in listed_sums(world) if year not in world.wrong_years[who]})
    assert tally.passed <= truth <= tally.as_reported
    assert abs(tally.not_contradicted - truth) <= 2


def test_goods_that_go_to_both_koreas_do_not_accuse(tmp_path):
    world = worlds.make(105, overlap=0.4)
    made = lw.mirror(read(tmp_path / "w.csv", worlds.as_csv(world.rows)), lists=LISTS)
    for (reporter, year), checks in made.checks.items():
        against = any(check.name == KOREA and check.speaks_against for check in checks)
        assert against == (world.kind[reporter] == "miscoded" and year in world.wrong_years[reporter])


def test_both_forms_say_the_same(world, made, tmp_path):
    legacy = lw.mirror(read(tmp_path / "old.csv", worlds.as_legacy_csv(world.rows)), lists=LISTS)
    assert [t for t in legacy.tallies if t.regime == UNION] == [t for t in made.tallies if t.regime == UNION]
    rows = [row | {"partner2Code": 0} for row in world.rows]
    path = tmp_path / "v1.json"
    path.write_text(json.dumps({"data": world.rows}))
    assert lw.mirror(lw.read_comtrade(path), lists=LISTS).tally() == made.tally()
    assert rows


def test_two_files_are_one(world, made, tmp_path):
    halves = [[r for r in world.rows if (r["partnerCode"] == 408) == north] for north in (True, False)]
    tables = [read(tmp_path / f"{n}.csv", worlds.as_csv(rows)) for n, rows in enumerate(halves)]
    assert lw.mirror(tables, lists=LISTS).tally() == made.tally()


def test_a_check_that_cannot_look_says_so(world, tmp_path):
    rows = [r for r in world.rows if r["partnerCode"] == 408 and r["refYear"] == 2016]
    made = lw.mirror(read(tmp_path / "w.csv", worlds.as_csv(rows)), years=[2016], lists=LISTS)
    tally = made.tally()
    assert tally.passed == 0 < tally.not_contradicted <= tally.as_reported
    answers = {check.name: check for check in next(iter(made.checks.values()))}
    assert answers[KOREA].speaks_against is None and "410" in answers[KOREA].why
    assert answers[ONE_OFF].speaks_against is None and "2015" in answers[ONE_OFF].why


def test_the_band_is_ordered_and_lists_are_within_their_union(made):
    for tally in made.tallies:
        assert tally.passed <= tally.not_contradicted <= tally.as_reported
        every = made.tally(UNION, tally.year, tally.with_ex)
        assert tally.as_reported <= every.as_reported and tally.value_usd <= every.value_usd * (1 + 1e-12)
        assert made.tally(tally.regime, tally.year, False).value_usd <= made.tally(tally.regime, tally.year).value_usd


def test_sums_that_only_stand_in_months_are_added(tmp_path):
    rows = [worlds._row(1001, 2016, 408, "910111", 10.0, 1.0) | {"period": f"2016{m:02d}"} for m in (1, 2, 5)]
    made = lw.mirror(read(tmp_path / "m.csv", worlds.as_csv(rows)), lists=LISTS)
    assert made.tally("UN", 2016).value_usd == 30.0


def test_nobody_takes_another_country_for_russia(tmp_path, capsys):
    path = tmp_path / "ru.csv"
    path.write_text(worlds.as_csv([worlds._row(1001, 2023, 643, "240210", 10.0, 1.0) | {"classificationCode": "H6"}]))
    assert main(["trade", "mirror", str(path), "--partner", "RUS", "--years", "2023", "--reporters"]) == 0
    out = capsys.readouterr().out
    assert KOREA not in out and "Reporters of listed luxuries to RUS, 2023: 0 to 1" in out


def test_another_nomenclature_is_not_asked_and_counted(tmp_path):
    rows = [worlds._row(1001, 2016, 408, "910111", 10.0, 1.0)]
    rows.append(worlds._row(1002, 2016, 408, "910111", 10.0, 1.0) | {"classificationCode": "H1"})
    rows.append(worlds._row(1003, 2016, 408, "910199", 10.0, 1.0))
    rows.append(worlds._row(1004, 2016, 408, "870340", 10.0, 1.0))
    made = lw.mirror(read(tmp_path / "m.csv", worlds.as_csv(rows)), lists=LISTS)
    assert made.tally().as_reported == 2
    assert any("its HS does not have" in reason for reason in made.dropped)
    assert any("no HS of 2007 to 2022" in reason for reason in made.dropped)


def test_the_command(world, tmp_path, capsys):
    path, chart = tmp_path / "w.csv", tmp_path / "band.svg"
    evil = world.rows[0] | {"reporterDesc": "\x1b[2J<script>", "reporterCode": 1999, "partnerCode": 408}
    path.write_text(worlds.as_csv([*world.rows, evil | {"cmdCode": "870324", "aggrLevel": 6, "refYear": 2016}]))
    assert main(["trade", "mirror", str(path), "--plot", str(chart), "--reporters"]) == 0
    out = capsys.readouterr()
    assert re.search(r"Reporters of listed luxuries to PRK, 2015-2017: \d+ to \d+", out.out)
    assert "\x1b" not in out.out and "UNVERIFIED" in out.out
    assert ElementTree.parse(chart).getroot().tag.endswith("svg")
    assert main(["trade", "mirror", str(path), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kinds = {row["type"] for row in rows}
    assert kinds == {"tally", "reporter", "summary"} and rows[-1]["regimes_with_unverified_rows"]


@pytest.mark.parametrize(
    ("more", "code"),
    [(["--years", "2017-2015"], 2), (["--years", "x"], 2), (["--partner", "DEU"], 2), (["--years", "1990"], 1)],
)
def test_wrong_use_is_one_line(table, more, code, capsys, tmp_path):
    path = tmp_path / "w.csv"
    path.write_text(worlds.as_csv([worlds._row(1001, 2016, 408, "910111", 10.0, 1.0)]))
    assert main(["trade", "mirror", str(path), *more]) == code
    assert capsys.readouterr().err.count("\n") == 1
