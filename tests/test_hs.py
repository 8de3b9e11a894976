"""The Harmonized System: against the source tables where they are, and by its own laws."""

import csv
import gzip
import itertools
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

import luxwake as lw
from cargo import hs

STEPS = tuple(itertools.pairwise(hs.VERSIONS))
six = {version: hs.codes(version) for version in hs.VERSIONS}


@pytest.fixture(scope="module")
def tables(shared_data):
    """(before, after) to the list of (code after, code before, relationship) of the source."""
    found = {}
    with gzip.open(shared_data / "trade/hs/HS_consolidated_concordances_harvard.csv.gz", "rt") as lines:
        for row in csv.DictReader(lines):
            after, _, before = row["adjustment"].partition(" to ")
            pair = (row["code.after"].zfill(6), row["code.before"].zfill(6), row["Relationship"])
            found.setdefault((int(before), int(after)), []).append(pair)
    return {step: found[step] for step in STEPS}


@pytest.mark.parametrize(("version", "count"), [(2007, 5053), (2012, 5206), (2017, 5388), (2022, 5613)])
def test_texts_and_codes_are_those_of_the_source(shared_data, version, count):
    with (shared_data / f"trade/hs/hs{version}_desc.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = {row["code"]: " ".join(row["desc"].split()) for row in csv.DictReader(lines)}
    assert len(six[version]) == count
    for digits in (2, 4, 6):
        assert set(hs.codes(version, digits)) == {code for code in rows if len(code) == digits}
    assert all(hs.description(code, version) == text for code, text in rows.items())


@pytest.mark.parametrize("step", STEPS)
def test_one_step_is_the_source_table_both_ways(tables, step):
    before, after = step
    pairs = {(a, b) for a, b, _ in tables[step]} | {("999999", "999999")}
    assert {(a, b) for b in six[before] for a in hs.correlate(b, before, after).codes} == pairs
    assert {(a, b) for a in six[after] for b in hs.correlate(a, after, before).codes} == pairs


@pytest.mark.parametrize("step", STEPS)
def test_split_and_merged_are_what_the_source_calls_the_pair(tables, step):
    before, after = step
    for code, other, relationship in tables[step]:
        # the source reads from the new version back: "n:1" is many new codes of one old one
        found = hs.correlate(code, after, before)
        if relationship == "1:1":
            assert found == ((other,), False, False)
        elif relationship == "n:1":
            assert (found.is_split, found.is_merged) == (False, True)
        elif relationship == "1:n":
            assert found.is_split
        assert other in found.codes


def test_two_steps_are_one_after_the_other(tables):
    for code in six[2007][::50]:
        naive = {code}
        for step in STEPS:
            naive = {a for a, b, _ in tables[step] if b in naive}
        if code != "999999":
            assert set(hs.correlate(code, 2007, 2022).codes) == naive


@given(st.sampled_from(hs.VERSIONS), st.sampled_from(hs.VERSIONS), st.data())
def test_what_goes_there_comes_back(start, end, data):
    code = data.draw(st.sampled_from(six[start]))
    found = hs.correlate(code, start, end)
    assert set(found.codes) <= set(six[end])
    assert all(code in hs.correlate(other, end, start).codes for other in found.codes)
    assert found.is_split == (len(found.codes) > 1)
    if start == end:
        assert found == ((code,), False, False)


def test_cars_gained_hybrids_in_2017_and_the_guard_is_no_tank():
    assert hs.correlate("870324", 2012, 2017).codes == ("870324", "870340", "870360")
    assert hs.correlate("870340", 2017, 2012).is_split
    assert "870324" not in hs.expand("8710", 2017)
    assert "spark-ignition" in hs.description("870324", 2017) and "fighting" in hs.description("871000", 2017)


def test_headings_and_chapters_are_correlated_by_what_is_under_them():
    assert hs.correlate("87", 2012, 2017).codes == ("87",)
    assert "8524" in hs.correlate("8529", 2017, 2022).codes


@pytest.mark.parametrize("bad", ["", "1", "123", "870", "car", "87 03 2x", "x" * 1_000_000, "８７０３", "8703\x00"])
def test_what_is_no_code_is_said_in_one_line(bad):
    with pytest.raises(lw.UsageError) as caught:
        hs.description(bad)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250


def test_a_code_of_another_version_is_named_with_its_versions():
    with pytest.raises(lw.UsageError, match="not in HS 2012; it is in HS 2017, 2022"):
        hs.correlate("870340", 2012, 2017)
    with pytest.raises(lw.UsageError, match="HS version 2018"):
        hs.description("8703", 2018)
    with pytest.raises(lw.UsageError, match="must go up"):
        hs.expand("6117-6101")


def test_versions_in_force():
    days = [date(2006, 12, 31), date(2007, 1, 1), date(2016, 12, 31), date(2017, 1, 1), date(2027, 12, 31)]
    assert [hs.version_in_force(day) for day in days] == [None, 2007, 2012, 2017, 2022]
    assert hs.version_in_force(date(2028, 1, 1)) is None


def test_the_tables_are_small():
    folder = hs._TABLES
    assert sum((folder / name).stat().st_size for name in ("hs_texts.csv.gz", "hs_steps.csv.gz")) < 700_000
