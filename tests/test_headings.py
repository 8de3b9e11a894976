"""Headings of real files against a table labelled by hand: what is mapped, what is left alone, what is never wrong.

`heading_labels.csv` gives for each distinct heading of 188 vendors' files our field, nothing, or "?" where it may mean
two things; it was written before the vocabulary was run on it.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from cargo.fields import FIELDS
from cargo.headings import direction_of, is_sea_file, meaning_of
from cargo.layouts import layout_of
from cargo.mapping import propose

LABELS = Path(__file__).with_name("heading_labels.csv")
PORT_BY_DIRECTION = {"home_port": {"load_port", "discharge_port"}, "foreign_port": {"load_port", "discharge_port"}}


def plain(heading: str) -> str:
    return "_".join(re.findall(r"\w+", heading.upper().replace("_", " ")))


@pytest.fixture(scope="module")
def labels() -> dict[str, str]:
    with LABELS.open(encoding="utf-8", newline="") as file:
        return {row["heading"]: row["field"] for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def files(shared_data) -> list[tuple[str, list[str]]]:
    path = shared_data / "trade" / "shipments" / "vendor_customs_columns.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["file"], row["columns"].split("|")) for row in csv.DictReader(file)]


def judged(headings: list[str], labels: dict[str, str]):
    direction, sea = direction_of(headings), is_sea_file(headings)
    for heading in headings:
        label, found = labels[plain(heading)], meaning_of(heading, direction, sea).field
        fits = found in PORT_BY_DIRECTION.get(label, {label})
        if label in ("", "?"):
            yield heading, "left alone" if not found else "wrong" if not label else "ambiguous taken"
        else:
            yield heading, "right" if fits else "wrong" if found else "missed"


def test_at_least_nine_in_ten_columns_that_mean_something_are_mapped_and_hardly_any_wrongly(files, labels):
    assert len(files) == 188
    counts = Counter(verdict for _, headings in files for _, verdict in judged(headings, labels))
    ambiguous = sum(labels[plain(h)] == "?" for _, headings in files for h in headings)
    mapped = counts["right"] + counts["wrong"] + counts["ambiguous taken"]
    recall = counts["right"] / (counts["right"] + counts["wrong"] + counts["missed"])
    strict = counts["right"] / (counts["right"] + counts["wrong"] + counts["missed"] + ambiguous)
    precision = counts["right"] / mapped
    print(f"recall {recall:.4f}, with ambiguous as missed {strict:.4f}, precision {precision:.4f}", dict(counts))
    assert recall >= 0.95 and strict >= 0.90 and precision >= 0.995


def test_distinct_headings_too(files, labels):
    verdicts: dict[str, Counter] = {}
    for _, headings in files:
        for heading, verdict in judged(headings, labels):
            verdicts.setdefault(plain(heading), Counter())[verdict] += 1
    counts = Counter(max(seen, key=seen.get) for seen in verdicts.values())
    assert len(verdicts) == len(labels) == 1024 and counts["wrong"] == 0
    assert counts["right"] / (counts["right"] + counts["missed"]) >= 0.95


@pytest.mark.parametrize(
    ("heading", "field", "unit"),
    [
        ("NORTIFY_PARTY_NAME", "notify_party", ""),
        ("CARRIER_SASC_CODE", "carrier", ""),
        ("LAST_VIST_FOREIGN_PORT", "last_port", ""),
        ("IMPORTER_NAME_EN", "consignee", ""),
        ("Port of Lading UN/LOCODE", "load_port", ""),
        ("portOfUnladingUNLOCODE", "discharge_port", ""),
        ("Value of Goods (USD)", "value", "USD"),
        ("volumeTEU", "teu", ""),
        ("Marks & Numbers", "marks", ""),
        ("Gross Weight (lbs)", "gross_weight_kg", "lb"),
        ("INVOICE_VALUE_RUB", "value", "RUB"),
        ("FOB_FC", "value", "*"),
        ("gross-weight.kg", "gross_weight_kg", "kg"),
        ("VAT_AMOUNT", "", ""),
        ("USD_EXCHANGE_RATE", "", ""),
        ("UNIT_PRICE_USD", "", ""),
        ("CONTAINER", "", ""),
        ("WEIGHT", "", ""),
        ("PRICE", "", ""),
        ("AMOUNT", "", ""),
        ("AMOUNT_USD", "value", "USD"),
        ("NET_KG", "net_weight_kg", "kg"),
    ],
)
def test_units_misspellings_and_marks_are_understood(heading, field, unit):
    assert meaning_of(heading)[:2] == (field, unit)


def test_our_own_names_mean_themselves():
    for name in FIELDS:
        assert meaning_of(name).field == name or name in ("container", "value"), name


def test_a_port_of_the_country_itself_is_at_one_end_or_the_other():
    for headings, at_home, abroad in (
        (["IMP_DATE", "INDIAN_PORT", "FOREIGN_PORT"], "discharge_port", "load_port"),
        (["EXP_DATE", "INDIAN_PORT", "FOREIGN_PORT"], "load_port", "discharge_port"),
    ):
        made = propose(headings, {})
        assert made.fields[at_home] == ["INDIAN_PORT"] and made.fields[abroad] == ["FOREIGN_PORT"]
    assert meaning_of("FOREIGN_PORT").field == ""


def test_twins_stand_in_and_rivals_stay_text():
    headings = ["RAW_SHIPPER_NAME", "SHIPPER_NAME", "EXPORTER_NAME", "CIF_USD", "CIF_VALUE", "WEIGHT_KG", "CONTAINER"]
    made = propose(headings, {})
    assert made.fields["shipper"] == ["SHIPPER_NAME", "RAW_SHIPPER_NAME"]
    assert made.fields["value"] == ["CIF_USD"] and made.units["value"] == "USD"
    why = {one.heading: (one.field, one.why) for one in made.proposals}
    assert why["EXPORTER_NAME"] == ("", "shipper is taken from 'SHIPPER_NAME'")
    assert why["WEIGHT_KG"] == ("", "may be a gross or a net weight") and why["CONTAINER"][0] == ""


def test_values_overrule_a_heading():
    made = propose(["HS_CODE", "CONTAINER", "IMP_DATE"], {
        "HS_CODE": ["furniture", "cars"], "CONTAINER": ["LXWU0000012"], "IMP_DATE": ["2018-10-01"],
    })  # fmt: skip
    assert "hs_code" not in made.fields and made.fields["container"] == ["CONTAINER"]
    assert "its values are none: 'furniture'" in made.proposals[0].why


@pytest.mark.parametrize(
    ("name", "layout", "fields"),
    [
        ("US Import 610990  (1)", "us-ams", {"carrier", "vessel_name", "master_bl", "load_port", "gross_weight_kg"}),
        ("Brazil BL Import F", "brazil-bl", {"vessel_name", "notify_party", "teu", "depart_date", "forwarder"}),
        (
            "Russia Import Full",
            "russia-import",
            {"declaration_number", "record_date", "net_weight_kg", "value", "brand"},
        ),
        ("Russia Export Full", "russia-export", {"declaration_number", "record_date", "consignee", "value"}),
    ],
)
def test_known_formats_are_told_by_their_real_headings(files, name, layout, fields):
    headings = dict(files)[name]
    assert layout_of(headings).name == layout
    assert fields <= set(propose(headings, {}).fields)
