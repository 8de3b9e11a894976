"""CSV of `luxwake decode` is safe to open in a spreadsheet; `--raw` and the other formats keep every text as it is."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ais.encode import encode
from cargo.safe_text import guarded, guarded_in_sql
from luxwake.cli import main

FORMULAS = ("=1+1", "+1-2", "-", "%0A", "=SUM(A1)")


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """One ship for each formula, which is its name and its destination."""
    lines = []
    for n, formula in enumerate(FORMULAS):
        said = {"msg_type": 5, "mmsi": 671999101 + n, "name": formula, "destination": formula, "imo": 9999993}
        lines += encode(said)
    path = tmp_path / "feed.nmea"
    path.write_text("\n".join(lines) + "\n")
    return path


def names_of(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return sorted(row["name"] for row in csv.DictReader(file))


def test_no_name_of_the_csv_begins_as_a_formula_unless_asked_raw(feed, tmp_path):
    assert main(["decode", str(feed), "-o", str(tmp_path / "a.csv"), "--quiet"]) == 0
    assert main(["decode", str(feed), "-o", str(tmp_path / "b.csv"), "--raw", "--quiet"]) == 0
    raw = names_of(tmp_path / "b.static.csv")
    assert {one.strip() for one in raw} == {one.strip() for one in FORMULAS}
    assert names_of(tmp_path / "a.static.csv") == sorted(map(guarded, raw)) and not set(map(guarded, raw)) & set(raw)


def test_messages_as_csv_are_guarded_and_json_lines_are_not(feed, tmp_path):
    for name in ("m.csv", "m.jsonl"):
        assert main(["decode", str(feed), "-o", str(tmp_path / name), "--messages", "--quiet"]) == 0
    with (tmp_path / "m.csv").open(newline="", encoding="utf-8") as file:
        texts = [cell for row in csv.DictReader(file) for name, cell in row.items() if name in ("name", "destination")]
    assert len(texts) == 2 * len(FORMULAS) and all(text.startswith("'") for text in texts)
    lines = [json.loads(line) for line in (tmp_path / "m.jsonl").read_text().splitlines()]
    assert {line["name"].strip() for line in lines} == {one.strip() for one in FORMULAS}


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12))
@example("\ufeff=1")
@example("\xa0\t")
@example("]|")
@example("\\=")
def test_the_sql_guards_what_the_function_guards(text):
    import duckdb

    with duckdb.connect() as connection:
        query = f"select {guarded_in_sql('t')} from (select ?::varchar as t)"
        ((made,),) = connection.execute(query, [text]).fetchall()
    assert made == guarded(text)
