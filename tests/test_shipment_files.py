"""Shipments in every format and encoding: the same rows give the same columns, and nothing is guessed or lost."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import hashlib
import json
import zipfile

import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

import luxwake as lw
from cargo.encodings import legacy_encoding
from cargo.mapping import read_mapping
from cargo.texts import seen_text
from geo.errors import InputError, UsageError
from tests.shipment_files_case import DAY, HEADER, ROWS, csv_text

SAME = ("bl_number", "shipper", "consignee", "consignee_known", "hs_code", "description", "load_port", "t_arrive",
        "gross_weight_kg", "vessel_name", "value_usd", "quantity", "quantity_unit")  # fmt: skip


def write_csv(path):
    path.write_text(csv_text())


def write_tab_utf16(path):
    path.write_bytes(csv_text(separator="\t").encode("utf-16"))


def write_gz(path):
    path.write_bytes(gzip.compress(csv_text().encode()))


def write_zst(path):
    path.write_bytes(zstandard.compress(csv_text().encode()))


def write_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bl.csv", csv_text(separator=";"))


def write_jsonl(path):
    path.write_text("\n".join(json.dumps(dict(zip(HEADER, row, strict=True))) for row in ROWS))


def write_json(path):
    path.write_text(json.dumps([dict(zip(HEADER, row, strict=True)) for row in ROWS], indent=1))


def write_xlsx(path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "notes"
    book.active.append(["made for a test"])
    sheet = book.create_sheet("data")
    for row in [["Report of October"], [], HEADER, *ROWS]:
        sheet.append(row)
    book.save(path)


def write_parquet(path):
    duckdb = pytest.importorskip("duckdb")
    source = path.with_suffix(".csv")
    source.write_text(csv_text())
    duckdb.sql(f"copy (from read_csv('{source}', all_varchar = true)) to '{path}' (format parquet)")


FORMS = [write_csv, write_tab_utf16, write_gz, write_zst, write_zip, write_jsonl, write_json, write_xlsx, write_parquet]


def columns(shipments):
    return {name: [None if x != x else x for x in shipments[name].tolist()] for name in SAME}


@pytest.mark.parametrize("write", FORMS)
def test_the_same_rows_in_every_format_give_the_same_columns(tmp_path, write):
    path = tmp_path / "rows.bin"
    write(path)
    shipments = lw.read_shipments(path)
    found = columns(shipments)
    write_csv(tmp_path / "bl.csv")
    assert found == columns(lw.read_shipments(tmp_path / "bl.csv")) and not shipments.warnings
    assert found["consignee"] == ["TO ORDER", ""] and found["consignee_known"] == [0, 0]
    assert found["value_usd"] == [5000.5, None] and found["quantity_unit"] == ["pcs", "pcs"]
    for raw, sha in zip(shipments.raw, shipments["sha"].tolist(), strict=True):
        assert hashlib.blake2b(raw, digest_size=8).hexdigest() == sha


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Автомобиль легковой бывший в употреблении"),
        ("koi8_r", "Автомобиль легковой бывший в употреблении"),
        ("cp949", "중고 승용자동차 현대 쏘나타"),
        ("gb18030", "中国大连国际贸易有限公司进口轿车"),
        ("cp1252", "véhicule usagé, première année, à réparer, modèle élégant"),
    ],
)
def test_encodings_are_told_by_evidence_and_said(tmp_path, encoding, text):
    path = tmp_path / "bl.csv"
    rows = [[*row[:4], text, *row[5:]] for row in ROWS] * 3
    path.write_bytes(csv_text(rows=rows).encode(encoding))
    shipments = lw.read_shipments(path)
    assert shipments["description"].tolist() == [text] * 6 and shipments.facts["encoding"] == encoding
    assert len(shipments.facts["evidence"]) > 20


def test_too_little_to_tell_an_encoding_is_one_line_of_error_and_a_mapping_tells_it(tmp_path):
    path, told = tmp_path / "bl.csv", tmp_path / "m.toml"
    path.write_bytes(csv_text().replace("used cars", "caf\xe9").encode("latin-1"))
    with pytest.raises(InputError, match=r"line 2: byte \d+: not UTF-8 \(0xe9\)") as caught:
        lw.read_shipments(path)
    assert "\n" not in str(caught.value)
    told.write_text('[file]\nencoding = "latin-1"\n[fields]\ndescription = "PRODUCT_DESCRIPTION"\n')
    assert lw.read_shipments(path, told)["description"][0] == "caf\xe9"


@given(st.text(max_size=40))
def test_no_text_of_one_line_is_taken_for_an_encoding_that_cannot_decode_it(text):
    for encoding in ("cp1251", "cp949", "gb18030", "cp1252"):
        data = text.encode(encoding, "ignore")
        found = legacy_encoding(data)
        if found:
            data.decode(found[0], "strict" if found[0] == encoding else "replace")


def test_a_mapping_is_saved_edited_and_read_back(tmp_path):
    path, told = tmp_path / "bl.csv", tmp_path / "m.toml"
    write_csv(path)
    first = lw.read_shipments(path)
    told.write_text(first.mapping.to_toml())
    assert columns(lw.read_shipments(path, told)) == columns(first)
    assert read_mapping(told).fields == first.mapping.fields
    told.write_text(first.mapping.to_toml().replace('"GROSS_WEIGHT"', '"gross weight"').replace('= "kg"', '= "lb"'))
    assert lw.read_shipments(path, told)["gross_weight_kg"][0] == pytest.approx(1200 * 0.45359237)


@pytest.mark.parametrize(
    ("toml", "error", "says"),
    [
        ("[fields]\nshiper = 'A'\n", UsageError, "did you mean shipper"),
        ("[fields]\nshipper = 'SHIPER_NAME'\n", InputError, "did you mean 'SHIPPER_NAME'"),
        ("[fields]\nshipper = 3\n", UsageError, "must be a heading"),
        ("date_order = 'ddmm'\n", UsageError, "none of dmy"),
        ("[units]\ngross_weight_kg = 'stone'\n", UsageError, "none of kg"),
        ("[file]\nencoding = 'rot13'\n", UsageError, "none of utf-8"),
        ("[file\n", UsageError, "no TOML"),
        ("fields = 3\n", UsageError, "must be a table"),
    ],
)
def test_a_wrong_mapping_is_one_line_of_error(tmp_path, toml, error, says):
    write_csv(tmp_path / "bl.csv")
    (tmp_path / "m.toml").write_text(toml)
    with pytest.raises(error) as caught:
        lw.read_shipments(tmp_path / "bl.csv", tmp_path / "m.toml")
    assert says in str(caught.value) and "\n" not in str(caught.value)


NASTY = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["=cmd|' /C calc'!A0", "<script>", "\u202eKRAL", "\x00", "\x1b[2J", '"', "a\nb", "9" * 400, "1e999", "-", "\ufeff"]
)


@given(st.lists(st.lists(NASTY, min_size=1, max_size=6), max_size=8))
def test_whatever_stands_in_a_file_of_json_each_row_is_kept_or_counted(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("any") / "x.jsonl"
    names = ["BL_NO", "SHIPPER_NAME", "HS_CODE", "GROSS_WEIGHT", "ARRIVAL_DATE", "LOADING_PORT"]
    made = [dict(zip(names, row, strict=False)) for row in rows]
    path.write_text("\n".join(json.dumps(row) for row in [dict.fromkeys(names, "1"), *made]))
    shipments = lw.read_shipments(path)
    assert len(shipments) + len(shipments.rejects) == len(rows) + 1
    for name in ("shipper", "description", "load_port", "bl_number"):
        assert all(text == seen_text(text) for text in shipments[name].tolist())


@given(st.binary(max_size=300))
def test_any_bytes_after_a_header_are_read_counted_or_one_line_of_error(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("any") / "x.csv"
    path.write_bytes(b"BL_NO,SHIPPER_NAME,HS_CODE,LOADING_PORT\n" + data)
    try:
        shipments = lw.read_shipments(path)
    except InputError as error:
        assert "\n" not in str(error)
        return
    lines = [line for line in data.split(b"\n") if line.strip(b" ,\r\t\x0b\x0c")]
    assert len(shipments) + len(shipments.rejects) <= len(lines) + 1
    for start, raw in zip(shipments["offset"].tolist(), shipments.raw, strict=True):
        assert path.read_bytes()[start : start + len(raw)] == raw


def test_a_stray_quote_loses_one_row_and_says_which(tmp_path):
    path = tmp_path / "bl.csv"
    lines = csv_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1], lines[1].replace("Adige", '"Adige', 1), *lines[1:] * 100]))
    text = path.read_text().replace(',"Adige', ',"Adige', 1)
    path.write_text(text)
    shipments = lw.read_shipments(path)
    assert len(shipments) + len(shipments.rejects) == 202 and len(shipments.rejects) <= 1


def test_mixed_encodings_lose_only_the_rows_that_are_not_in_the_file_s_own(tmp_path):
    path = tmp_path / "bl.csv"
    russian = csv_text(rows=[[*ROWS[0][:4], "автомобиль", *ROWS[0][5:]]]).splitlines()[1]
    head = csv_text().splitlines()[0]
    path.write_bytes("\n".join([head, *[russian] * 30]).encode() + b"\n" + russian.encode("cp1251") + b"\n")
    shipments = lw.read_shipments(path)
    assert len(shipments) == 30 and [one.row for one in shipments.rejects] == [31]
    path.write_bytes("\n".join([head, *[russian] * 30]).encode("cp1251") + b"\n" + russian.encode() + b"\n")
    shipments = lw.read_shipments(path)
    assert len(shipments) == 30 and shipments.rejects[0].reason == "UTF-8 in a file of cp1251"


def test_rows_of_a_sheet_have_the_numbers_that_a_spreadsheet_shows(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for i, row in enumerate([["BL_NO", "LOADING_PORT", "ARRIVAL_DATE"], ["LX1", "KRPUS", dt.date(2018, 10, 1)],
                             ["LX2", "nowhere at all", dt.datetime(2018, 10, 2, 6, 30)]]):  # fmt: skip  # noqa: DTZ001 (a sheet has no zones)
        for j, cell in enumerate(row):
            book.active.cell(4 + i, 2 + j, cell)
    book.save(tmp_path / "x.xlsx")
    shipments = lw.read_shipments(tmp_path / "x.xlsx")
    assert [(one.row, one.line, one.column) for one in shipments.warnings] == [(2, 6, "load_port")]
    assert shipments.facts["header"] == "row 4" and shipments["bl_number"].tolist() == ["LX1", "LX2"]
    assert np.diff(shipments["t_arrive"]).tolist() == [DAY + 6 * 3_600_000_000 + 1_800_000_000]


def test_a_sheet_that_unpacks_beyond_the_limit_is_refused_in_one_line(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active["A1"], book.active["XFD1048576"] = "BL_NO", 1
    book.save(tmp_path / "bomb.xlsx")
    with pytest.raises(InputError, match="GiB unpacked") as caught:
        lw.read_shipments(tmp_path / "bomb.xlsx")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [b"PK\x03\x04rubbish", b"PAR1rubbish", b"\xd0\xcf\x11\xe0rubbish", b"[{]", b"{}"])
def test_rubbish_that_looks_like_a_format_is_one_line_of_error(tmp_path, data):
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(InputError) as caught:
        lw.read_shipments(tmp_path / "x")
    assert "\n" not in str(caught.value)


def test_comtrade_is_told_from_shipments(tmp_path):
    (tmp_path / "x.csv").write_text("reporterCode,partnerCode,cmdCode,flowCode,period,primaryValue\n1,2,3,X,2016,5\n")
    with pytest.raises(InputError, match="sums and no shipments"):
        lw.read_shipments(tmp_path / "x.csv")


def test_korean_declarations(shared_data):
    path = shared_data / "trade" / "shipments" / "df_syn_test_eng.csv"
    shipments = lw.read_shipments(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(shipments) == len(rows) and shipments.mapping.format == "korea" and not shipments.warnings
    assert shipments["hs_code"].tolist() == [row["HS6 Code"] for row in rows]
    assert shipments["net_weight_kg"].tolist() == [float(row["Net Mass"]) for row in rows]
    assert [str(np.datetime64(t, "us"))[:10] for t in shipments["t_record"].tolist()] == [row["Date"] for row in rows]
    assert np.isnan(shipments["value_usd"]).all()  # the file does not say in which currency


def test_a_million_rows_need_not_be_expanded_to_be_cut(tmp_path):
    write_csv(tmp_path / "bl.csv")
    shipments = lw.read_shipments(tmp_path / "bl.csv")
    pieces = list(shipments.pieces(1))
    assert [piece["bl_number"].tolist() for piece in pieces] == [["LX1"], ["LX2"]]
    assert pieces[1]["raw"][0] == csv_text().splitlines()[2]
    assert shipments.take(np.array([1]))["shipper"].tolist() == ["Suisho Boeki KK"]
