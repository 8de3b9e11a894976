"""Reading shipments: nothing guessed, nothing dropped in silence, every byte offset right."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ais.imo import imo_valid
from ais.table import NAT
from cargo.identifiers import container_valid, ship_key, vin_doubt
from cargo.shipments import read_shipments
from cargo.texts import seen_text
from geo.errors import InputError

HEADER = (
    "bl_number,container,vin,hs_code,description,quantity,value,currency,gross_weight_kg,shipper,consignee,"
    "load_port,discharge_port,depart_date,arrive_date,vessel_name,imo,cleared,source"
)
GOOD = (
    "B1,LXWU0000012,,8703.24,car,1,5000,USD,1200,A,B,KRPUS,RUVVO,2018-10-01,2018-10-04,SEA LARK 5,9999993,yes,manifest"
)
SHARED = Path(__file__).parents[1].parent / "shared" / "data"


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "bl.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read_row(folder: Path, row: str, **options):
    return read_shipments(write(folder, f"{HEADER}\n{row}\n"), **options)


def test_a_good_row_is_parsed_and_kept_as_read(tmp_path):
    shipments = read_row(tmp_path, GOOD)
    row = shipments.rows()[0]
    assert (row.hs_code, shipments["hs_code_text"][0]) == ("870324", "8703.24")
    assert (row.load_port, row.discharge_port, row.imo, row.value_usd) == ("KRPUS", "RUVVO", 9999993, 5000.0)
    assert row.t_depart == 1538352000 * 10**6 and row.t_arrive - row.t_depart == 3 * 86400 * 10**6
    assert (row.cleared, row.container_valid, shipments.warnings) == ("yes", 1, [])
    assert row.sha == hashlib.blake2b(GOOD.encode(), digest_size=8).hexdigest()


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_offsets_are_right_with_any_separator_mark_and_quoted_newline(tmp_path, separator, bom, newline):
    records = [["description", "load_port", "discharge_port", "extra"]]
    records += [["héllo", "KRPUS", "RUVVO", "1"], ["two\nlines", "KRPUS", "RUVVO", "2"], ["x", "KRPUS", "RUVVO", "3"]]
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator=newline).writerows(records)
    data = bom + text.getvalue().encode()
    shipments = read_shipments(write(tmp_path, data))
    assert shipments["description"].tolist() == ["héllo", "two\nlines", "x"]
    starts = [data[offset:].decode()[:2] for offset in shipments["offset"].tolist()]
    assert starts == ["hé", '"t', "x" + separator]
    assert shipments["extra"].tolist() == ["1", "2", "3"] and shipments.warnings == []


@given(
    st.lists(st.tuples(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8), st.integers(0, 9)))
)
def test_any_text_in_a_cell_comes_back_with_the_offset_of_its_row(tmp_path_factory, cells):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["description", "load_port", "discharge_port", "n"])
    writer.writerows([d, "KRPUS", "RUVVO", n] for d, n in cells)
    data = text.getvalue().encode()
    shipments = read_shipments(write(tmp_path_factory.mktemp("any"), data))
    assert shipments["description"].tolist() == [seen_text(d) for d, _ in cells]
    ends = [*shipments["offset"].tolist()[1:], len(data)][: len(cells)]
    for start, end, digest in zip(shipments["offset"].tolist(), ends, shipments["sha"].tolist(), strict=True):
        assert hashlib.blake2b(data[start:end].rstrip(b"\r\n"), digest_size=8).hexdigest() == digest


@pytest.mark.parametrize(
    ("old", "new", "column", "says"),
    [
        ("KRPUS", "KRPSU", "load_port", "no such port"),
        ("KRPUS", "Newcastle", "load_port", "may be several ports; taken as unknown: AUNTL (Newcastle), CANCT"),
        ("KRPUS", "Nakodka", "load_port", "no such port; taken as unknown, did you mean RUNJK (Nakhodka)?"),
        ("KRPUS", "Vladivostock", "load_port", "did you mean RUVVO (Vladivostok)?"),
        ("LXWU0000012", "LXWU0000013", "container", "check digit"),
        ("9999993", "9999994", "imo", "check digit"),
        ("2018-10-04", "2018-09-04", "arrive_date", "before the departure"),
        ("2018-10-01", "01/10/2018", "depart_date", "YYYY-MM-DD"),
        (",5000,", ",five,", "value", "not a number"),
        (",5000,", ',"5,000",', "value", "not a number"),
        (",1,5000", ",-1,5000", "quantity", "not a number"),
        ("8703.24", "70324", "hs_code", "digits"),
        (",yes,", ",perhaps,", "cleared", "neither yes nor no"),
    ],
)
def test_a_doubtful_cell_is_one_warning_with_line_value_and_advice(tmp_path, old, new, column, says):
    row = GOOD.replace(old, new, 1)
    shipments = read_row(tmp_path, row)
    assert [(w.row, w.line, w.column) for w in shipments.warnings] == [(1, 2, column)]
    assert says in shipments.warnings[0].message and len(shipments) == 1
    assert shipments.counts == {"rows": 1, f"warning: {column}": 1}
    with pytest.raises(InputError, match=r"bl\.csv: line 2: ") as caught:
        read_row(tmp_path, row, strict=True)
    assert "\n" not in str(caught.value)


def test_what_is_doubtful_is_unknown_or_marked_never_guessed(tmp_path):
    row = GOOD.replace("KRPUS", "KRPSU").replace("9999993", "9999994").replace("LXWU0000012", "LXWU0000013")
    shipments = read_row(tmp_path, row.replace("2018-10-04", "2018-09-04").replace("5000", "five"))
    parsed = shipments.rows()[0]
    assert (parsed.load_port, parsed.imo, parsed.container_valid, parsed.dates_reversed) == ("", 0, 0, 1)
    assert np.isnan(parsed.value_usd) and parsed.container == "LXWU0000013"
    assert (shipments["load_port_text"][0], shipments["imo_text"][0]) == ("KRPSU", "9999994")
    near = next(w for w in shipments.warnings if w.column == "load_port").message
    assert "KRPSU" not in near


def test_ports_by_name_and_money_in_other_currencies(tmp_path):
    shipments = read_row(
        tmp_path, GOOD.replace("KRPUS", "Pusan").replace("RUVVO", "Vladivostock").replace("USD", "EUR")
    )
    row = shipments.rows()[0]
    assert (row.load_port, row.discharge_port) == ("KRPUS", "")
    assert "RUVVO (Vladivostok)" in shipments.warnings[0].message
    assert np.isnan(row.value_usd) and shipments["value"][0] == 5000.0


def test_placeholders_and_absent_columns_are_unknown_without_warning(tmp_path):
    row = "N/A,-,NOT AVAILABLE,,car,,,,,,TO ORDER,KRPUS,RUVVO,n/a,TBA,,-,,"
    shipments = read_row(tmp_path, row)
    parsed = shipments.rows()[0]
    assert (parsed.container, parsed.vin, parsed.imo, parsed.t_depart) == ("", "", 0, NAT)
    assert parsed.consignee == "TO ORDER" and shipments.warnings == []
    few = read_shipments(write(tmp_path, "hs_code,load_port,discharge_port\n8703,KRPUS,RUVVO\n"))
    assert few.rows()[0].description == "" and np.isnan(few.rows()[0].quantity)


def test_rows_of_wrong_length_are_counted(tmp_path):
    text = "description,load_port,discharge_port,vessel_name\na,KRPUS,RUVVO,x,y\nb,KRPUS,RUVVO\n\nc,KRPUS,RUVVO,z,\n"
    shipments = read_shipments(write(tmp_path, text))
    assert shipments["description"].tolist() == ["b", "c"]
    assert shipments.counts["rejected: more cells than headings"] == 1 and shipments.counts["blank line"] == 1
    assert [w.line for w in shipments.warnings] == [2, 3]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \n", "empty"),
        (b"a\0b,c\n", "not text"),
        (b"description,load_port\nx,KRPUS\n", "no column discharge_port"),
        (b"description,load_prt,discharge_port\nx,KRPUS,RUVVO\n", "rename 'load_prt'"),
        (b"load_port,discharge_port\nKRPUS,RUVVO\n", "description or hs_code"),
        (b"description,load_port,load_port,discharge_port\n", "stands twice"),
        (b"description,load_port,discharge_port\nx,KRPUS,RUVVO\n\xff,KRPUS,RUVVO\n", "line 3"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line_that_says_why(tmp_path, data, says):
    with pytest.raises(InputError) as caught:
        read_shipments(write(tmp_path, data))
    assert says in str(caught.value) and "bl.csv: line " in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'"x,KRPUS,RUVVO', "a quote that never closes"),
        (b'"x"y,KRPUS,RUVVO', "a stray quote"),
        (b"x" * 200_000 + b",KRPUS,RUVVO", "a cell of over 131,072 characters"),
        (b"x" * 2_000_000 + b",KRPUS,RUVVO", "a line of over 1,048,576 bytes"),
        (b"x\0,KRPUS,RUVVO", "a NUL byte"),
        (b"caf\xe9,KRPUS,RUVVO", "not UTF-8 (0xe9)"),
        (b"x,KRPUS,RUVVO,more,cells", "more cells than headings (5 under 3)"),
    ],
)
def test_a_row_that_cannot_be_one_is_left_out_with_its_number_and_the_others_are_kept(tmp_path, line, reason):
    good = "g\u00fct \u043c\u0438\u0440,KRPUS,RUVVO\n".encode()
    data = b"description,load_port,discharge_port\n" + good * 200 + line + b"\n" + good
    shipments = read_shipments(write(tmp_path, data))
    assert len(shipments) == 201 and [(r.row, r.line, r.reason) for r in shipments.rejects] == [(201, 202, reason)]
    assert shipments.counts[f"rejected: {reason.split(' (')[0]}"] == 1
    start = int(shipments["offset"][-1])
    assert data[start:] == good and shipments["row"][-1] == 202


def test_a_missing_or_damaged_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="gzip stream ends early"):
        read_shipments(write(tmp_path, b"\x1f\x8b\x08\x00abc"))
    with pytest.raises(InputError, match="no such file"):
        read_shipments(tmp_path / "none.csv")


def test_shipments_go_to_arrow_with_nulls_and_times(tmp_path):
    table = read_row(tmp_path, GOOD.replace("2018-10-04", "").replace("9999993", "")).to_polars()
    assert table["t_depart"][0].isoformat() == "2018-10-01T00:00:00+00:00"
    assert table["t_arrive"][0] is None and table["imo"][0] is None


def test_a_column_of_the_file_never_hides_one_of_ours(tmp_path):
    shipments = read_shipments(write(tmp_path, "row,description,load_port,discharge_port\nz9,x,KRPUS,RUVVO\n"))
    assert shipments["row"].tolist() == [1] and shipments["row_in_file"].tolist() == ["z9"]


@given(st.integers(1_000_000, 9_999_999), st.integers(0, 6), st.integers(1, 9))
def test_one_wrong_digit_of_an_imo_number_is_noticed_unless_its_weight_hides_it(number, place, step):
    """Weights 7..2 share factors with 10, so the check is weak: a change is hidden only where weight x step is 0."""
    digits = [int(d) for d in str(number)]
    digits[6] = sum(d * w for d, w in zip(digits, range(7, 1, -1), strict=False)) % 10
    right = int("".join(map(str, digits)))
    digits[place] = (digits[place] + step) % 10
    wrong = int("".join(map(str, digits)))
    weight = (7, 6, 5, 4, 3, 2, 1)[place]
    assert imo_valid(right)
    assert imo_valid(wrong) == (weight * step % 10 == 0 and wrong >= 1_000_000) or wrong < 1_000_000


def test_container_and_vin_against_the_published_examples():
    """CSQU3054383 is the example of ISO 6346; 1M8GDM9AXKP042788 that of 49 CFR 565's tables."""
    assert container_valid("CSQU3054383") and not container_valid("CSQU3054384")
    assert vin_doubt("1M8GDM9AXKP042788") == "" and vin_doubt("1M8GDM9A0KP042788") != ""
    assert vin_doubt("0LXZZZ0AXJB00000I") != ""


def test_real_imo_numbers_pass_and_ships_one_edit_apart_are_never_merged():
    """All listed ships with an IMO number: different ships whose names differ have different keys."""
    path = SHARED / "trade" / "entities" / "ofac_sdn_vessels_2023-11.csv"
    if not path.exists():
        pytest.skip("the shared list of vessels is not here")
    with path.open(encoding="utf-8", newline="") as file:
        ships = [(r["name"], int(r["imo"])) for r in csv.DictReader(file) if r["imo"].isdigit()]
    assert len(ships) > 600 and all(imo_valid(imo) for _, imo in ships)
    by_key: dict[str, set[str]] = {}
    for name, _ in ships:
        by_key.setdefault(ship_key(name), set()).add(" ".join(name.upper().split()))
    merged = {key: names for key, names in by_key.items() if len(names) > 1}
    assert all(len({"".join(c for c in n if c.isalnum()) for n in names}) == 1 for names in merged.values()), merged
