"""UN Comtrade: what countries report of their trade, one row per reporter, partner, flow, period and commodity.

These are sums and no shipments. Two forms are read: the CSV of the old site ("Trade Flow Code", "Reporter Code") and
CSV or JSON of the API comtradeapi v1 ("flowCode", "reporterCode"). A file may hold a total beside its parts (by
customs procedure, mode of transport, second partner): only rows with `is_total` 1 may be summed.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.table import Table
from cargo.rowfile import Reject, RowFile, read_row_file
from geo.errors import InputError

FLOWS = {
    **{"1": "import", "2": "export", "3": "re-export", "4": "re-import"},
    **{"m": "import", "x": "export", "rx": "re-export", "rm": "re-import", "dx": "domestic export"},
    **{"fm": "foreign import", "mip": "import for inward processing", "mop": "import after outward processing"},
    **{"xip": "export after inward processing", "xop": "export for outward processing"},
    **{"import": "import", "export": "export", "re-export": "re-export", "re-import": "re-import"},
    **{"imports": "import", "exports": "export", "re-exports": "re-export", "re-imports": "re-import"},
}
"""Codes of the old site (1 to 4), of v1, and words, to ours."""
HS_VERSIONS = {"H0": 1992, "H1": 1996, "H2": 2002, "H3": 2007, "H4": 2012, "H5": 2017, "H6": 2022}
"""Year of the HS of a classification code."""
_LEVELS = (2, 4, 6)


class _Names(NamedTuple):
    """Headings of one of our columns in the two forms, normalised."""

    legacy: str
    v1: str


_TEXTS = {
    "reporter": _Names("reporter", "reporterdesc"),
    "reporter_iso3": _Names("reporteriso", "reporteriso"),
    "partner": _Names("partner", "partnerdesc"),
    "partner_iso3": _Names("partneriso", "partneriso"),
    "description": _Names("commodity", "cmddesc"),
    "quantity_unit": _Names("qtyunit", "qtyunitabbr"),
    "alt_quantity_unit": _Names("altqtyunit", "altqtyunitabbr"),
}
_NUMBERS = {
    "quantity": _Names("qty", "qty"),
    "alt_quantity": _Names("altqty", "altqty"),
    "net_weight_kg": _Names("netweightkg", "netwgt"),
    "gross_weight_kg": _Names("grossweightkg", "grosswgt"),
    "cif_value_usd": _Names("ciftradevalueus", "cifvalue"),
    "fob_value_usd": _Names("fobtradevalueus", "fobvalue"),
    "value_usd": _Names("tradevalueus", "primaryvalue"),
}
_YES_NO = {
    "is_leaf": _Names("isleafcode", "isleaf"),
    "quantity_estimated": _Names("", "isqtyestimated"),
    "net_weight_estimated": _Names("", "isnetwgtestimated"),
    "is_reported": _Names("", "isreported"),
    "is_aggregate": _Names("", "isaggregate"),
}
_NEEDED = {
    "legacy": ("year", "tradeflow", "reportercode", "partnercode", "commoditycode", "tradevalueus"),
    "v1": ("period", "flowcode", "reportercode", "partnercode", "cmdcode", "primaryvalue"),
}
_DTYPES = {
    **dict.fromkeys(("row", "offset"), "i8"),
    **dict.fromkeys(("year", "month", "hs_version", "reporter_code", "partner_code", "partner2_code"), "i4"),
    **dict.fromkeys(("mot_code", "level"), "i4"),
    **dict.fromkeys(_NUMBERS, "f8"),
    **dict.fromkeys((*_YES_NO, "is_total"), "i1"),
}


class Comtrade(Table):
    """Reported trade, one row each, in the order of the file, with `form` ("legacy" or "v1"), `counts` and `name`.

    Columns: `row` (1-based), `offset` (bytes, -1 none), `sha` (BLAKE2b-64 of the row as read); `year`, `month` (0 for
    a year); `classification` (H0 to H6, S1 to S4 ...) and `hs_version` (a year; 0 unknown); `flow` (words of `FLOWS`);
    `reporter_code`, `partner_code`, `partner2_code` (UN M49: 408 is the DPRK, 410 the Republic of Korea; -1 unknown, 0
    the world); `reporter`, `reporter_iso3`, `partner`, `partner_iso3`; `hs_code` (digits, or a word such as TOTAL);
    `level` (digits of the code; 0 TOTAL, -1 unknown); `description`; `quantity`, `quantity_unit`, `alt_quantity`,
    `alt_quantity_unit`; weights in kg, values in US$ (float64, NaN unknown); `customs_code`, `mot_code`; `is_leaf`,
    `quantity_estimated`, `net_weight_estimated`, `is_reported`, `is_aggregate` (1, 0, -1 not said); `is_total` (1: no
    part of another row).
    """

    times: ClassVar[tuple[str, ...]] = ()
    nulls: ClassVar[Mapping[str, int]] = {
        **dict.fromkeys(("reporter_code", "partner_code", "partner2_code", "mot_code", "level", "offset"), -1),
        **dict.fromkeys(_YES_NO, -1),
        "hs_version": 0,
        "month": 0,
    }

    def __init__(
        self,
        columns: Mapping[str, NDArray[Any]],
        name: str = "",
        form: str = "",
        counts: Mapping[str, int] | None = None,
        rejects: Sequence[Reject] = (),
        sha256: str = "",
    ) -> None:
        super().__init__(columns)
        self.name, self.form, self.sha256 = name, form, sha256
        self.counts = dict(counts or {})
        self.rejects = list(rejects)


def read_comtrade(path: str | Path) -> Comtrade:
    """Read a table of UN Comtrade, packed or not: the old CSV, or CSV, JSON or JSON lines of the API v1.

    Returns
    -------
    Comtrade
        `rejects` holds (row, line, reason) of each row left out: no period, no flow, no reporter or partner, no
        commodity, or no value; `counts` their number by reason.

    Raises
    ------
    InputError
        The file cannot be read, or is no Comtrade table; the message names what is missing.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "x.csv"
    >>> head = "refYear,period,flowCode,reporterCode,partnerCode,classificationCode,cmdCode,primaryValue"
    >>> _ = path.write_text(head + "\\n2016,2016,X,156,408,H4,870323,1000.5\\n")
    >>> table = read_comtrade(path)
    >>> table["flow"].tolist(), table["partner_code"].tolist(), table["value_usd"].tolist()
    (['export'], [408], [1000.5])
    """
    file = read_row_file(path, known=_known)
    header = [_plain(name) for name in file.header]
    form = next((form for form, needed in _NEEDED.items() if set(needed) <= set(header)), None)
    if form is None:
        missing = {name: sorted(set(needed) - set(header)) for name, needed in _NEEDED.items()}
        nearest = min(missing, key=lambda name: len(missing[name]))
        raise InputError(
            f"{path}: no UN Comtrade table: no column {', '.join(missing[nearest])} ({nearest} form; the file has "
            f"{', '.join(file.header)[:200]}); download it again from Comtrade as CSV or JSON"
        )
    rows, rejects = _rows(file, header, form)
    counts = {**file.counts, "rows": len(rows)}
    counts |= {f"rejected: {reason}": n for reason, n in sorted(Counter(one.reason for one in rejects).items())}
    columns = {name: np.array([row[name] for row in rows], _DTYPES.get(name, "O")) for name in _column_names()}
    return Comtrade(columns, Path(path).name, form, counts, rejects, file.sha256)


def _known(cells: Sequence[str]) -> int:
    """How many of some texts are headings of Comtrade."""
    return len(set(map(_plain, cells)) & {name for needed in _NEEDED.values() for name in needed})


def _column_names() -> list[str]:
    return [
        *("row", "offset", "sha", "year", "month", "classification", "hs_version", "flow"),
        *("reporter_code", "reporter", "reporter_iso3", "partner_code", "partner", "partner_iso3", "partner2_code"),
        *("hs_code", "level", "description", "quantity", "quantity_unit", "alt_quantity", "alt_quantity_unit"),
        *("net_weight_kg", "gross_weight_kg", "cif_value_usd", "fob_value_usd", "value_usd"),
        *("customs_code", "mot_code", *_YES_NO, "is_total"),
    ]


def _rows(file: RowFile, header: list[str], form: str) -> tuple[list[dict[str, Any]], list[Reject]]:
    """The parsed rows, and those that are none; a row that only says "No data matches your query" is dropped."""
    rows, rejects = [], list(file.rejects)
    places = zip(file.row.tolist(), file.line.tolist(), file.offset.tolist(), file.hashes().tolist(), strict=True)
    for (number, line, offset, sha), cells in zip(places, file.cells(), strict=True):
        if any(text.startswith("No data matches your query") for text in cells):
            continue
        row, reason = _row(dict(zip(header, map(str.strip, cells), strict=True)), form)
        if reason:
            rejects.append(Reject(number, line, reason))
        else:
            rows.append(row | {"row": number, "offset": offset, "sha": sha})
    return rows, sorted(rejects)


def _row(cell: Mapping[str, str], form: str) -> tuple[dict[str, Any], str]:
    """One row of ours, and why it is none ("" if it is one)."""
    legacy = form == "legacy"
    year, month = _period(cell.get("period") or cell.get("year", ""))
    said = (
        cell.get(name, "").lower() for name in (("tradeflowcode", "tradeflow") if legacy else ("flowcode", "flowdesc"))
    )
    flow = next((FLOWS[word] for word in said if word in FLOWS), "")
    row: dict[str, Any] = {"year": year, "month": month, "flow": flow}
    row["classification"] = cell.get("classification" if legacy else "classificationcode", "").upper()
    row["hs_version"] = HS_VERSIONS.get(row["classification"], 0)
    row["reporter_code"], row["partner_code"] = _code(cell["reportercode"]), _code(cell["partnercode"])
    second = cell.get("2ndpartnercode" if legacy else "partner2code", "")
    row["partner2_code"], row["mot_code"] = (
        _code(second),
        _code(cell.get("modeoftransportcode" if legacy else "motcode", "")),
    )
    row["customs_code"] = cell.get("customsproccode" if legacy else "customscode", "")
    level = _code(cell.get("aggregatelevel" if legacy else "aggrlevel", ""))
    row["hs_code"], row["level"] = _commodity(cell["commoditycode" if legacy else "cmdcode"], level)
    row |= {name: cell.get(names[not legacy], "") for name, names in _TEXTS.items()}
    row |= {name: _number(cell.get(names[not legacy], "")) for name, names in _NUMBERS.items()}
    row |= {name: _yes_no(cell.get(names[not legacy], "")) for name, names in _YES_NO.items()}
    part = row["partner2_code"] > 0 or row["mot_code"] > 0 or row["customs_code"] not in ("", "C00", "0")
    row["is_total"] = int(not part)
    return row, _reason(row)


def _reason(row: Mapping[str, Any]) -> str:
    """Why a row says nothing that may be summed."""
    checks = (
        ("no period from 1962 to 2100", row["year"] == 0),
        ("no trade flow that is known", not row["flow"]),
        ("no reporter code", row["reporter_code"] < 0),
        ("no partner code", row["partner_code"] < 0),
        ("no commodity code", not row["hs_code"]),
        ("no value that is a number", math.isnan(row["value_usd"])),
    )
    return next((reason for reason, wrong in checks if wrong), "")


def _plain(heading: str) -> str:
    """A heading in small letters and digits.

    >>> _plain("Trade Value (US$)"), _plain("primaryValue")
    ('tradevalueus', 'primaryvalue')
    """
    return re.sub(r"[^a-z0-9]", "", heading.lower())


def _period(text: str) -> tuple[int, int]:
    """Year and month (0: the whole year) of a period, (0, 0) for none.

    >>> _period("2016"), _period("201603"), _period("201613")
    ((2016, 0), (2016, 3), (0, 0))
    """
    found = re.fullmatch(r"(\d{4})(\d{2})?", text, re.ASCII)
    year, month = (int(found[1]), int(found[2] or 0)) if found else (0, 0)
    return (year, month) if 1962 <= year <= 2100 and month <= 12 else (0, 0)


def _code(text: str) -> int:
    """A code of a country or mode, -1 where there is none."""
    found = re.fullmatch(r"(\d{1,6})(?:\.0)?", text, re.ASCII)
    return int(found[1]) if found else -1


def _commodity(text: str, level: int) -> tuple[str, int]:
    """A commodity code and the number of its digits; a leading zero that a spreadsheet ate is known by the level.

    >>> _commodity("10121", 6), _commodity("8703", -1), _commodity("TOTAL", 0), _commodity("70324", -1)
    (('010121', 6), ('8703', 4), ('TOTAL', 0), ('', -1))
    """
    digits = re.sub(r"\.0$", "", text)
    if digits.isascii() and digits.isdigit():
        if level in _LEVELS and len(digits) == level - 1:
            digits = f"0{digits}"
        return (digits, len(digits)) if len(digits) in _LEVELS else ("", -1)
    word = text.upper()
    return (word, 0 if word == "TOTAL" else -1) if re.fullmatch(r"[A-Z]{2}[A-Z0-9_]{0,12}|ALL", word) else ("", -1)


def _number(text: str) -> float:
    """A number that is not negative, NaN where there is none."""
    return float(text) if re.fullmatch(r"\d{1,18}(?:\.\d*)?(?:[eE][+-]?\d{1,2})?", text, re.ASCII) else math.nan


def _yes_no(text: str) -> int:
    return {"1": 1, "true": 1, "yes": 1, "0": 0, "false": 0, "no": 0}.get(text.lower(), -1)
