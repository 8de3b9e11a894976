"""CSV of shipments is safe to open in a spreadsheet; the other formats keep every text as it is."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cargo.safe_text import guarded, safe_text
from luxwake.cli import main

FORMULAS = ('=HYPERLINK("http://x.invalid")', "+1", "-2+3", "@SUM(A1)", "  =1", "\t=1", "＝1", "|calc", "%0A")


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_of_the_csv_begins_as_a_formula(formula, tmp_path):
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    made = io.StringIO()
    rows = [["bl_number", "shipper", "description", "=cmd"], ["LXWK01", formula, formula, formula], [formula] * 4]
    csv.writer(made).writerows(rows)
    source.write_text(made.getvalue(), encoding="utf-8")
    assert main(["shipments", "import", str(source), "--out", str(out), "--quiet"]) == 0
    table = list(csv.reader(io.StringIO(out.read_text(encoding="utf-8"))))
    assert len(table) == 3
    numbers = {name for name in table[0] if name in ("row", "offset")}
    for row in table:
        for name, cell in zip(table[0], row, strict=True):
            assert name in numbers or guarded(cell) == cell, (name, cell)
    assert f"'{formula.strip()}" in [
        cell.replace(formula, formula.strip()).strip() for row in table[1:] for cell in row
    ]


def test_parquet_keeps_what_was_read(tmp_path):
    from luxwake.store import query

    (tmp_path / "in.csv").write_text("bl_number,shipper\nLXWK01,=1+1\n", encoding="utf-8")
    assert (
        main(["shipments", "import", str(tmp_path / "in.csv"), "--out", str(tmp_path / "rows.parquet"), "--quiet"]) == 0
    )
    assert query(tmp_path, "select shipper from rows")["shipper"].to_pylist() == ["=1+1"]


@given(st.text(max_size=40))
def test_a_guarded_text_never_begins_as_a_formula_and_is_guarded_once(text):
    once = guarded(text)
    assert guarded(once) == once and once.endswith(text)
    assert not once.lstrip(" \xa0\ufeff").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@given(st.text(st.characters(), max_size=40), st.integers(1, 30))
def test_a_safe_text_is_one_line_that_every_writer_takes(text, limit):
    made = safe_text(text, limit)
    made.encode("utf-8")
    assert not set(made) & set("\x00\n\r\t\u202e\u200f\u2066\ufffe\uffff\x85")
    assert len(text) <= limit or made.endswith(f"({len(text):,} characters)")
    assert safe_text(made, 10_000) == made
