"""UN Comtrade in its two forms: the same trade gives the same columns, and parts are told from totals."""

from __future__ import annotations

import csv
import io
import json
import math

import pytest

import luxwake as lw
from geo.errors import InputError

LEGACY = (
    "Classification,Year,Period,Period Desc.,Aggregate Level,Is Leaf Code,Trade Flow Code,Trade Flow,Reporter Code,"
    "Reporter,Reporter ISO,Partner Code,Partner,Partner ISO,2nd Partner Code,2nd Partner,2nd Partner ISO,"
    "Customs Proc. Code,Customs,Mode of Transport Code,Mode of Transport,Commodity Code,Commodity,Qty Unit Code,"
    "Qty Unit,Qty,Alt Qty Unit Code,Alt Qty Unit,Alt Qty,Netweight (kg),Gross weight (kg),Trade Value (US$),"
    "CIF Trade Value (US$),FOB Trade Value (US$),Flag"
)
V1 = (
    "typeCode,freqCode,refPeriodId,refYear,refMonth,period,reporterCode,reporterISO,reporterDesc,flowCode,flowDesc,"
    "partnerCode,partnerISO,partnerDesc,partner2Code,partner2ISO,partner2Desc,classificationCode,"
    "classificationSearchCode,isOriginalClassification,cmdCode,cmdDesc,aggrLevel,isLeaf,customsCode,customsDesc,"
    "mosCode,motCode,motDesc,qtyUnitCode,qtyUnitAbbr,qty,isQtyEstimated,altQtyUnitCode,altQtyUnitAbbr,altQty,"
    "isAltQtyEstimated,netWgt,isNetWgtEstimated,grossWgt,isGrossWgtEstimated,cifvalue,fobvalue,primaryValue,"
    "legacyEstimationFlag,isReported,isAggregate"
)
OLD = {
    "Classification": "H4", "Year": "2016", "Period": "2016", "Aggregate Level": "6", "Is Leaf Code": "1",
    "Trade Flow Code": "2", "Trade Flow": "Export", "Reporter Code": "156", "Reporter": "China",
    "Reporter ISO": "CHN", "Partner Code": "408", "Partner": "Dem. People's Rep. of Korea", "Partner ISO": "PRK",
    "Commodity Code": "870323", "Commodity": "cars, spark ignition", "Qty Unit": "Number of items", "Qty": "12",
    "Netweight (kg)": "15000", "Trade Value (US$)": "250000",
}  # fmt: skip
NEW = {
    "typeCode": "C", "freqCode": "A", "refYear": 2016, "period": "2016", "reporterCode": 156, "reporterISO": "CHN",
    "reporterDesc": "China", "flowCode": "X", "flowDesc": "Export", "partnerCode": 408, "partnerISO": "PRK",
    "partnerDesc": "Dem. People's Rep. of Korea", "partner2Code": 0, "classificationCode": "H4", "cmdCode": "870323",
    "cmdDesc": "cars, spark ignition", "aggrLevel": 6, "isLeaf": True, "customsCode": "C00", "motCode": 0,
    "qtyUnitAbbr": "Number of items", "qty": 12.0, "netWgt": 15000.0, "primaryValue": 250000.0, "isReported": True,
    "isAggregate": False, "isNetWgtEstimated": False,
}  # fmt: skip


def table_of(path, header, rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, header.split(","), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue())
    return lw.read_comtrade(path)


def of_json(path, value):
    path.write_text(json.dumps(value))
    return lw.read_comtrade(path)


SAME = (
    *("year", "month", "hs_version", "flow", "reporter_code", "reporter_iso3", "partner_code", "partner", "hs_code"),
    *("level", "description", "quantity", "quantity_unit", "net_weight_kg", "value_usd", "is_leaf", "is_total"),
)


def test_the_same_trade_in_all_forms_gives_the_same_columns(tmp_path):
    tables = [
        table_of(tmp_path / "old.csv", LEGACY, [OLD]),
        table_of(tmp_path / "new.csv", V1, [NEW]),
        of_json(tmp_path / "new.json", {"elapsedTime": "0.1 secs", "count": 1, "data": [NEW], "error": ""}),
        of_json(tmp_path / "bare.json", [NEW]),
        of_json(tmp_path / "lines.jsonl", NEW),
    ]
    assert [table.form for table in tables] == ["legacy", "v1", "v1", "v1", "v1"]
    rows = [{name: table[name].tolist() for name in SAME} for table in tables]
    assert all(row == rows[0] for row in rows) and rows[0]["flow"] == ["export"] and rows[0]["partner_code"] == [408]
    assert rows[0]["value_usd"] == [250000.0] and all(len(table["sha"][0]) == 16 for table in tables)
    assert tables[0]["is_reported"].tolist() == [-1] and tables[1]["is_reported"].tolist() == [1]


@pytest.mark.parametrize(
    ("change", "total"),
    [({}, 1), ({"customsCode": "C01"}, 0), ({"motCode": 2100}, 0), ({"partner2Code": 156}, 0), ({"motCode": 0}, 1)],
)
def test_parts_are_told_from_totals(tmp_path, change, total):
    assert table_of(tmp_path / "x.csv", V1, [NEW | change])["is_total"].tolist() == [total]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"period": "16"}, "no period"),
        ({"flowCode": "Q", "flowDesc": ""}, "no trade flow"),
        ({"partnerCode": ""}, "no partner"),
        ({"reporterCode": "x"}, "no reporter"),
        ({"cmdCode": "8703231", "aggrLevel": ""}, "no commodity"),
        ({"primaryValue": "-5"}, "no value"),
        ({"primaryValue": "nan"}, "no value"),
    ],
)
def test_what_cannot_be_summed_is_left_out_with_its_row_and_counted(tmp_path, change, reason):
    table = table_of(tmp_path / "x.csv", V1, [NEW, NEW | change, NEW])
    assert len(table) == 2 and [(one.row, one.line) for one in table.rejects] == [(2, 3)]
    assert table.rejects[0].reason.startswith(reason)
    assert [n for name, n in table.counts.items() if name.startswith("rejected")] == [1]


def test_a_leading_zero_that_a_spreadsheet_ate_is_known_by_the_level_only(tmp_path):
    rows = [OLD | {"Commodity Code": "30214"}, OLD | {"Commodity Code": "30214", "Aggregate Level": ""}]
    table = table_of(tmp_path / "x.csv", LEGACY, [*rows, OLD | {"Commodity Code": "TOTAL", "Aggregate Level": "0"}])
    assert table["hs_code"].tolist() == ["030214", "TOTAL"] and table["level"].tolist() == [6, 0]
    assert table.counts["rejected: no commodity code"] == 1


def test_months_and_absent_values(tmp_path):
    table = table_of(tmp_path / "x.csv", LEGACY, [OLD | {"Period": "201603", "Qty": "", "Netweight (kg)": "N/A"}])
    assert (table["year"][0], table["month"][0]) == (2016, 3)
    assert math.isnan(table["quantity"][0]) and math.isnan(table["net_weight_kg"][0])
    assert table.to_polars()["net_weight_kg"][0] is None


def test_another_table_is_refused_with_what_is_missing(tmp_path):
    path = tmp_path / "bl.csv"
    path.write_text("reporterCode,partnerCode,cmdCode,period,flowCode\n1,2,3,4,5\n")
    with pytest.raises(InputError, match=r"no column primaryvalue \(v1 form") as caught:
        lw.read_comtrade(path)
    assert "\n" not in str(caught.value)
