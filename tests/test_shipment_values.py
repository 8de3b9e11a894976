"""Dates, numbers, weights and money of shipments: what may be two things is decided by its column or unknown."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import luxwake as lw
from ais.table import NAT
from cargo.values import date_order, decimal_sign, number_of, time_of
from geo.errors import UsageError
from tests.shipment_files_case import DAY, ROWS, csv_text


def days(*texts, order=""):
    return [None if (t := time_of(text, order)) == NAT else t // DAY for text in texts]


def test_a_date_that_may_be_two_is_decided_by_its_column_or_unknown(tmp_path):
    rows = [
        [*ROWS[0][:7], day, *ROWS[0][8:]] for day in ("01/10/2018", "31/10/2018", "2018-10-01", "1-Oct-2018", "10/18")
    ]
    path = tmp_path / "bl.csv"
    path.write_text(csv_text(rows=rows))
    shipments = lw.read_shipments(path)
    t = (shipments["t_arrive"] // DAY).tolist()
    assert t[0] == t[2] == t[3] and t[1] == t[0] + 30 and shipments["t_arrive"][4] == NAT
    assert shipments.facts["arrive_date"] == "day first, as 31/10/2018 shows"
    path.write_text(csv_text(rows=[rows[0], rows[0]]))
    assert lw.read_shipments(path)["t_arrive"].tolist() == [NAT, NAT]
    assert lw.read_shipments(path).counts["warning: arrive_date"] == 2


@given(st.dates(min_value=dt.date(1970, 1, 1), max_value=dt.date(2100, 12, 31)))
def test_every_form_of_a_date_is_the_same_day_or_unknown(day):
    want = days(day.isoformat())[0]
    assert want is not None
    assert days(f"{day:%d/%m/%Y}", f"{day:%d.%m.%Y}", f"{day:%d-%m-%Y}", order="dmy") == [want] * 3
    assert days(f"{day:%m/%d/%Y}", f"{day:%m/%d/%Y} 10:30 PM", order="mdy") == [want] * 2
    assert days(f"{day:%Y%m%d}", f"{day:%Y/%m/%d}", f"{day:%d-%b-%Y}", f"{day:%B} {day.day}, {day.year}") == [want] * 4
    assert days(f"{day:%d/%m/%Y}")[0] in (want, None) and days(f"{day:%m/%d/%Y}")[0] in (want, None)


@given(st.lists(st.dates(min_value=dt.date(1990, 1, 1)), min_size=1, max_size=20))
def test_the_order_of_a_column_is_never_told_against_its_own_dates(dates):
    for form, wrong in (("%d/%m/%Y", "mdy"), ("%m/%d/%Y", "dmy")):
        assert date_order([f"{day:{form}}" for day in dates if day.year < 2101]).order != wrong


@pytest.mark.parametrize(
    ("column", "read"),
    [
        (["1,234", "5"], [None, 5.0]),
        (["1,234", "5.25"], [1234.0, 5.25]),
        (["1.234,5", "1.234"], [1234.5, 1234.0]),
        (["1,5", "1.5", "1.234"], [None, 1.5, None]),
        (["1 234,5"], [1234.5]),
    ],
)
def test_a_number_that_may_be_two_is_decided_by_its_column_or_unknown(column, read):
    sign = decimal_sign(column)
    found = [number_of(text.replace(" ", ""), sign) for text in column]
    assert [None if math.isnan(x) else x for x in found] == read


@given(st.decimals(min_value=0, max_value=10**9, places=2))
def test_a_number_in_either_style_is_itself_once_the_style_is_known(number):
    english = f"{number:,}"
    other = english.translate({44: ".", 46: ","})
    assert number_of(english, ".") == number_of(other, ",") == pytest.approx(float(number))


@pytest.mark.parametrize(
    ("cell", "heading", "unit", "kg"),
    [
        ("1200", "GROSS_WEIGHT_KG", "", 1200.0),
        ("1200 KGS", "GROSS_WEIGHT", "", 1200.0),
        ("2.5 MT", "GROSS_WEIGHT", "", 2500.0),
        ("1000", "GROSS_WEIGHT_LB", "", 453.59237),
        ("1000", "GROSS_WEIGHT", "LB", 453.59237),
        ("3", "METRIC_TONS", "", 3000.0),
        ("5 TON", "GROSS_WEIGHT", "", None),
        ("5 stone", "GROSS_WEIGHT", "", None),
        ("-5", "GROSS_WEIGHT", "", None),
    ],
)
def test_weights_by_the_unit_in_the_cell_the_column_or_the_heading(tmp_path, cell, heading, unit, kg):
    header = ["BL_NO", "SHIPPER_NAME", "HS_CODE", heading, "GROSS_WEIGHT_UNIT"]
    path = tmp_path / "bl.csv"
    path.write_text(csv_text(header, [["LX1", "A", "8703", cell, unit], ["LX1", "A", "8703", "1", unit]]))
    found = lw.read_shipments(path)["gross_weight_kg"][0]
    assert math.isnan(found) if kg is None else found == pytest.approx(kg)


@pytest.mark.parametrize(
    ("cell", "currency", "usd"),
    [
        ("5000", "USD", 5000.0), ("5000", "EUR", None), ("USD 5,000.50", "", 5000.5), ("EUR 5000", "USD", None),
        ("$5000", "", None), ("$5000", "USD", 5000.0), ("5000", "", None), ("five", "USD", None),
    ],
)  # fmt: skip
def test_money_is_in_usd_only_where_that_is_said(tmp_path, cell, currency, usd):
    path = tmp_path / "bl.csv"
    header = ["BL_NO", "SHIPPER_NAME", "HS_CODE", "INVOICE_VALUE", "INVOICE_CURRENCY"]
    path.write_text(csv_text(header, [["LX1", "A", "8703", cell, currency], ["LX1", "A", "8703", "1.5", currency]]))
    found = lw.read_shipments(path)["value_usd"][0]
    assert math.isnan(found) if usd is None else found == usd


def test_a_table_of_rates_gives_values_in_usd_on_its_days_only(tmp_path):
    path, rates = tmp_path / "bl.csv", tmp_path / "rates.csv"
    header = ["BL_NO", "DECLARATION_DATE", "HS_CODE", "INVOICE_VALUE", "INVOICE_CURRENCY"]
    days = ("2018-10-05", "2018-12-05", "2018-09-01", "")
    path.write_text(csv_text(header, [["LX1", day, "8703", "100", "EUR"] for day in days]))
    rates.write_text("date,currency,usd\n2018-10-01,EUR,1.15\n")
    found = lw.read_shipments(path, rates=rates)["value_usd"]
    assert found[0] == pytest.approx(115.0) and np.isnan(found[1:]).all()
    rates.write_text("date,currency,usd\n2018-10-01,EUR,nought\n")
    with pytest.raises(UsageError, match="line 2"):
        lw.read_shipments(path, rates=rates)
