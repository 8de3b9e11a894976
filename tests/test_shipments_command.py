"""`luxwake shipments import`: what is printed, what is written, how it ends."""

from __future__ import annotations

import json

import pytest

from cargo.layouts import layout_of
from cargo.mapping import propose
from luxwake.cli import main
from luxwake.store import query

AMS = (
    "ACTUAL_ARRIVAL_DATE,BILL_OF_LADING,CARRIER_SASC_CODE,CONSIGNEE_NAME,CONTAINER_ID,HS_CODE,LAST_VIST_FOREIGN_PORT,"
    "LOADING_PORT,MANIFEST_NO,MARKS_AND_NUMBERS,MASTER_BILL_OF_LADING,NOTIFY_PARTY_NAME,PRODUCT_DESCRIPTION,QUANTITY,"
    "QUANTITY_UNIT,RAW_SHIPPER_NAME,SHIPPER_NAME,TEU,UNLOADING_PORT,VESSEL_NAME,VOYAGE,WEIGHT_IN_KG\n"
)
ROW = (
    "10/31/2018,LXWK01,LXAA,TO ORDER,LXWU0000012,870324,Busan,KRPUS,77,N/M,LXWM01,SAME AS CONSIGNEE,used cars,2,UNT,"
    "ADIGE MOTORI,N/A,2,USLGB,SEA LARK 5,012E,\"1,500.5\"\n"
)  # fmt: skip


@pytest.fixture
def ams(tmp_path):
    path = tmp_path / "ams.csv"
    path.write_text(AMS + ROW + ROW.replace("10/31", "10/01") + "x" * 2_000_000 + "\n" + "\u202e" + ROW)
    return path


def json_lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_the_summary_as_json_has_every_count(ams, capsys):
    assert main(["shipments", "import", str(ams), "--json"]) == 0
    told = json_lines(capsys.readouterr().out)
    summary = next(one for one in told if one.get("type") == "summary")
    assert summary["counts"]["rows"] == 3 and summary["counts"]["rejected: a line of over 1,048,576 bytes"] == 1
    assert summary["share_of_rows_with"]["both ports"] == 1.0
    assert next(one for one in told if one.get("type") == "file")["layout"] == "us-ams"
    fields = {one["heading"]: one["field"] for one in told if "heading" in one}
    assert fields["CARRIER_SASC_CODE"] == "carrier" and fields["MARKS_AND_NUMBERS"] == "marks"


def test_rows_are_written_with_what_was_read(ams, tmp_path, capsys):
    out = tmp_path / "out"
    out.mkdir()
    saved = tmp_path / "m.toml"
    command = ["shipments", "import", str(ams), "--out", str(out / "rows.parquet"), "--save-mapping", str(saved)]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "What its headings mean" in printed and "last_port" in printed and "Rows that say" in printed
    rows = query(
        str(out), "select shipper, shipper_text, consignee, t_arrive::date as day, raw, gross_weight_kg from rows"
    )
    assert rows["shipper"].to_pylist() == ["ADIGE MOTORI"] * 3 and rows["consignee"].to_pylist() == ["TO ORDER"] * 3
    assert str(rows["day"].to_pylist()[1]) == "2018-10-01" and rows["raw"].to_pylist()[0] + "\n" == ROW
    assert rows["gross_weight_kg"].to_pylist() == [1500.5] * 3
    assert main(["shipments", "import", str(ams), "--mapping", str(saved), "--quiet"]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["none.csv"], 1, "no such file"),
        (["ams.csv", "--mapping", "none.toml"], 2, "cannot be read"),
        (["ams.csv", "--strict"], 1, "line"),
        (["ams.csv", "--out", "no/such/folder/rows.parquet"], 1, "cannot be written"),
        (["ams.csv", "--out", "rows.doc"], 2, "suffix"),
        ([], 2, "required"),
    ],
)
def test_it_ends_in_one_line_that_says_why(ams, monkeypatch, capsys, arguments, code, says):
    monkeypatch.chdir(ams.parent)
    try:
        assert main(["shipments", "import", *arguments]) == code
    except SystemExit as end:
        assert end.code == code
    told = capsys.readouterr().err.strip().splitlines()
    assert says in told[-1] and "Traceback" not in "".join(told)


@pytest.mark.parametrize(
    ("name", "header", "fields"),
    [
        (
            "panjiva",
            "Bill of Lading Number|Consignee|Shipper|Arrival Date|Shipment Date|Port of Lading|"
            "Port of Lading UN/LOCODE|Port of Unlading|Port of Unlading UN/LOCODE|"
            "SCAC|Vessel|Vessel Voyage ID|Vessel IMO|Goods Shipped|HS Code|"
            "Volume (TEU)|Weight (kg)|Value of Goods (USD)|Shipment Origin|Shipment Destination|Data Source",
            {"bl_number": "Bill of Lading Number", "load_port": "Port of Lading UN/LOCODE", "carrier": "SCAC",
             "vessel_name": "Vessel", "imo": "Vessel IMO", "gross_weight_kg": "Weight (kg)", "teu": "Volume (TEU)",
             "value": "Value of Goods (USD)", "depart_date": "Shipment Date", "arrive_date": "Arrival Date"},
        ),
        (
            "panjiva-xpressfeed",
            "panjivaRecordId|billOfLadingNumber|arrivalDate|shpmtDate|conName|shpName|conPanjivaId|portOfLading|"
            "portOfLadingUNLOCODE|portOfUnlading|transportMethod|vessel|volumeTEU|weightKg|valueOfGoodsUSD",
            {"bl_number": "billOfLadingNumber", "consignee": "conName", "shipper": "shpName",
             "load_port": "portOfLadingUNLOCODE", "discharge_port": "portOfUnlading", "gross_weight_kg": "weightKg",
             "value": "valueOfGoodsUSD", "transport_mode": "transportMethod", "depart_date": "shpmtDate"},
        ),
        (
            "importgenius",
            "Bill of Lading|Master Bill of Lading|Arrival Date|Consignee Name|Consignee Address|Shipper Name|"
            "Notify Party|Foreign Port|US Port|"
            "Place of Receipt|Vessel Name|Voyage Number|Container Number|Product Description|"
            "Marks & Numbers|Weight in KG|Quantity|Quantity Unit|Carrier Code|Country of Origin",
            {"master_bl": "Master Bill of Lading", "load_port": "Foreign Port", "discharge_port": "US Port",
             "container": "Container Number", "gross_weight_kg": "Weight in KG", "carrier": "Carrier Code",
             "marks": "Marks & Numbers", "notify_party": "Notify Party"},
        ),
    ],
)  # fmt: skip
def test_formats_without_a_real_file_are_told_by_their_documented_headings(name, header, fields):
    headings = header.split("|")
    assert layout_of(headings).name == name
    found = propose(headings, {}).fields
    assert {field: found[field][0] for field in fields} == fields
