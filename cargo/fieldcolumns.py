"""The columns of a file read into our fields, column by column: each distinct text is looked at once."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.imo import imo_valid
from ais.table import NAT
from cargo.fields import FIELDS
from cargo.identifiers import (
    containers_of,
    containers_valid,
    hs_digits,
    is_missing,
    is_to_order,
    lost_zeros,
    vin_doubt,
)
from cargo.serial_dates import SERIALS, are_serials, serial_time
from cargo.texts import Texts, constant, seen_text, spread
from cargo.values import (
    amount_of,
    currency_of,
    date_order,
    decimal_sign,
    number_of,
    time_of,
    unit_of,
    weight_unit,
)

TIME_COLUMNS = {"depart_date": "t_depart", "arrive_date": "t_arrive", "record_date": "t_record"}
CLEARED = {"yes": "yes", "y": "yes", "true": "yes", "1": "yes", "no": "no", "n": "no", "false": "no", "0": "no"}
INCOTERMS = frozenset(
    ("EXW", "FCA", "CPT", "CIP", "DAP", "DPU", "DDP", "FAS", "FOB", "CFR", "CIF", "DAT", "DAF", "DES", "DEQ", "DDU")
)
_MODES = (
    ("sea", r"\b(?:SEA|OCEAN|MARITIM\w*|VESSEL|SHIP|BOAT|PORT)\b|МОРСК\w*|海运|水路|해상"),
    ("air", r"\b(?:AIR\w*|AEREO|AÉREO|AEREA|PLANE)\b|ВОЗДУШ\w*|航空|항공"),
    ("rail", r"\b(?:RAIL\w*|TRAIN|FERROVIARI\w*)\b|ЖЕЛЕЗНОДОРОЖ\w*|铁路|철도"),
    ("road", r"\b(?:ROAD|TRUCK\w*|CARRETERO|CARRETERA|TERRESTRE|RODOVIARI\w*|LAND)\b|АВТОМОБИЛЬН\w*|公路|도로"),
    ("post", r"\b(?:POST\w*|MAIL|COURIER)\b|ПОЧТ\w*|邮"),
    ("pipeline", r"\bPIPELINE\b"),
)
_SEVERAL = re.compile(r"[A-Z]{4}\d{7}")


class Doubt(NamedTuple):
    """Doubts about a column: for each row its text, and what is doubtful about each distinct text ("" nothing)."""

    column: str
    texts: Texts
    messages: list[str]
    rows: NDArray[np.intp]


class FieldReader:
    """Reads fields from texts; `columns` are lazy (`Texts`) or arrays, `doubts` in the order of reading."""

    def __init__(self, n: int, sources: Mapping[str, Texts], units: Mapping[str, str], order: str) -> None:
        self.n = n
        self.columns: dict[str, Texts | NDArray[Any]] = {}
        self.doubts: list[Doubt] = []
        self.facts: dict[str, str] = {}
        self._given = {name: texts.map(seen_text) for name, texts in sources.items()}
        self._empty = constant("", n)
        self._units, self._order = units, order
        self._marked(sources)

    def read(self) -> None:
        """Read all fields: identifiers, places and times, then numbers, then what is kept as text."""
        readers: dict[str, Callable[[str], None]] = {
            **{"container": self._container, "vin": self._vin, "hs": self._hs, "imo": self._number_of_ship},
            **{"mmsi": self._number_of_ship, "cleared": self._cleared, "port": self._port, "date": self._date},
            **{"number": self._number, "weight": self._weight, "unit": self._unit, "party": self._party},
            **{"currency": self._currency, "mode": self._mode, "incoterm": self._incoterm, "country": self._country},
        }
        for kind, reader in readers.items():
            for name, field in FIELDS.items():
                if field.kind == kind:
                    reader(name)
        self._money()
        for name, field in FIELDS.items():
            if field.kind not in readers and field.kind != "money":
                self.columns[name] = self.given(name)

    def given(self, name: str) -> Texts:
        """The texts of a field, empty where the file has it not."""
        return self._given.get(name, self._empty)

    def doubt(self, column: str, texts: Texts, messages: list[str]) -> None:
        """Note what is doubtful about the texts of a column."""
        if any(messages):
            rows = np.flatnonzero(texts.where(map(bool, messages)))
            if rows.size:
                self.doubts.append(Doubt(column, texts, messages, rows))

    def _marked(self, sources: Mapping[str, Texts]) -> None:
        """Characters that nobody sees are taken out, and said: they can make two names look the same."""
        for name, texts in sources.items():
            clean = self._given[name]
            if clean is not texts:
                hidden = [
                    "characters that are not seen were taken out" if len(new) < len(old.strip()) else ""
                    for old, new in zip(texts.values, clean.values, strict=True)
                ]
                self.doubt(name, texts, hidden)

    def _keep(self, name: str, values: Sequence[Any], dtype: str = "") -> None:
        """Parsed values beside the text as read."""
        texts = self.given(name)
        self.columns[name] = spread(values, texts.codes, dtype) if dtype else Texts(texts.codes, values)
        self.columns[f"{name}_text"] = texts

    def _container(self, name: str) -> None:
        """A container number; several of one cell stay together, sorted, where each has a right check digit."""
        texts = self.given(name)
        valid = containers_valid(texts.values).tolist()
        plain = [
            text if good else "" if is_missing(text) else re.sub(r"[\s./-]", "", text.upper())
            for text, good in zip(texts.values, valid, strict=True)
        ]
        valid = containers_valid(plain).tolist()
        messages = []
        for i, number in enumerate(plain):
            if valid[i] or not number:
                messages.append("")
            elif len(_SEVERAL.findall(number)) > 1:
                plain[i], why = containers_of(texts.values[i])
                valid[i] = not why
                messages.append(why and f"several containers in one cell: {why}; not linked, compare the document")
            else:
                messages.append("wrong check digit or form (ISO 6346); compare the document")
        several = sum(" " in number for number in plain)
        if several:
            self.facts[name] = f"{several:,} cells hold several containers; rows with the same ones are linked"
        self._keep(name, plain)
        marks = [int(good) if number else -1 for number, good in zip(plain, valid, strict=True)]
        self.columns["container_valid"] = spread(marks, texts.codes, "i1")
        self.doubt(name, texts, messages)

    def _vin(self, name: str) -> None:
        texts = self.given(name)
        plain = ["" if is_missing(t) else re.sub(r"[\s-]", "", t.upper()) for t in texts.values]
        self._keep(name, plain)
        doubts = [vin_doubt(vin) if vin else "" for vin in plain]
        self.doubt(name, texts, [f"{doubt}; kept, compare the document" if doubt else "" for doubt in doubts])

    def _hs(self, name: str) -> None:
        texts = self.given(name)
        codes = ["" if is_missing(t) else hs_digits(t) for t in texts.values]
        lost = lost_zeros(codes)
        codes = ["" if len(code) in lost else code for code in codes]
        if national := sorted({len(code) for code in codes} & {9, 11}):
            words = " and ".join(map(str, national))
            self.facts[name] = f"codes of {words} digits are national ones; their first six are used"
        self._keep(name, codes)
        why = "not 2, 4, 6 or 8 to 12 digits; taken as unknown"
        if lost:
            digits = " or ".join(map(str, sorted(lost)))
            why = f"no HS code, or its first zero is lost ({digits} digits beside longer codes); taken as unknown"
        self._unread(name, why, [bool(code) for code in codes])

    def _unread(self, name: str, message: str, good: Sequence[bool]) -> None:
        """A doubt for each text that says something and could not be read."""
        texts = self.given(name)
        self.doubt(
            name, texts, ["" if ok or is_missing(t) else message for ok, t in zip(good, texts.values, strict=True)]
        )

    def _number_of_ship(self, name: str) -> None:
        """IMO numbers with their check digit, MMSIs of nine digits; anything else is 0."""
        texts, numbers = self.given(name), []
        for text in texts.values:
            bare = re.sub(r"(?i)^(imo|mmsi)[\s:.]*", "", text)
            number = int(bare) if bare.isascii() and bare.isdigit() and len(bare) < 12 else 0
            numbers.append(number if (imo_valid(number) if name == "imo" else 1e8 <= number < 1e9) else 0)
        self._keep(name, numbers, "u4")
        if name == "imo":
            marks = [-1 if is_missing(t) else int(n > 0) for n, t in zip(numbers, texts.values, strict=True)]
            self.columns["imo_valid"] = spread(marks, texts.codes, "i1")
        wrong = "wrong check digit or form; not used to find the ship, compare the document"
        self._unread(name, wrong if name == "imo" else "not nine digits; taken as unknown", [n > 0 for n in numbers])

    def _cleared(self, name: str) -> None:
        said = [CLEARED.get(text.lower(), "") for text in self.given(name).values]
        self._keep(name, said)
        self._unread(name, "neither yes nor no; taken as unknown", [bool(word) for word in said])

    def _port(self, name: str) -> None:
        texts = self.given(name)
        if name not in self._given:
            self._keep(name, [""])
            return
        found = [_port_of(text) for text in texts.values]
        self._keep(name, [locode for locode, _ in found])
        optional = name == "last_port"
        self.doubt(
            name,
            texts,
            ["" if optional and is_missing(t) else why for (_, why), t in zip(found, texts.values, strict=True)],
        )

    def _date(self, name: str) -> None:
        texts = self.given(name)
        self.columns[name] = texts
        told = date_order(texts.values)
        order = self._order or told.order
        if told.evidence and not self._order:
            self.facts[name] = told.evidence
        serial = are_serials(t for t in texts.values if not is_missing(t))
        if serial:
            self.facts[name] = SERIALS
        times = [serial_time(text) if serial else time_of(text, order) for text in texts.values]
        self.columns[TIME_COLUMNS[name]] = spread(times, texts.codes, "i8")
        why = "not a date as YYYY-MM-DD, 1970 to 2100, or one that may be two; taken as unknown"
        self._unread(name, why, [t != NAT for t in times])

    def _numbers(self, name: str) -> tuple[list[float], list[str], list[str]]:
        """Numbers of the distinct texts, and what stands before and after each."""
        texts = self.given(name)
        sign = decimal_sign(texts.values)
        if sign in (",", "?"):
            self.facts[name] = (
                "the comma is the decimal sign" if sign == "," else "comma and dot are both decimal signs"
            )
        numbers, before, after = [], [], []
        for text in texts.values:
            amount = amount_of(text)
            numbers.append(math.nan if amount is None else number_of(amount.digits, sign))
            before.append("" if amount is None else amount.before)
            after.append("" if amount is None else amount.after)
        return numbers, before, after

    def _number(self, name: str) -> None:
        numbers, before, after = self._numbers(name)
        units = [unit_of(unit) for unit in after]
        odd = [bool(b) or bool(a and not u.islower()) for b, a, u in zip(before, after, units, strict=True)]
        numbers = [math.nan if wrong else number for number, wrong in zip(numbers, odd, strict=True)]
        self._keep(name, numbers, "f8")
        self._unread(name, "not a number like 1234.5; taken as unknown", [n == n for n in numbers])
        if name == "quantity":
            self._unit_in_cell = Texts(self.given(name).codes, [unit if unit.islower() else "" for unit in units])

    def _unit(self, name: str) -> None:
        texts = self.given(name)
        named = Texts(texts.codes, ["" if is_missing(t) else unit_of(t) for t in texts.values])
        self.columns[name] = first_said([self._unit_in_cell, named])
        self.columns[f"{name}_text"] = texts

    def _weight(self, name: str) -> None:
        """A weight in kg: by the unit in the cell, else that of the unit column, else that of the heading."""
        from cargo.values import WEIGHT_KG

        texts, column = self.given(name), self.given(name.replace("_kg", "_unit"))
        numbers, before, after = self._numbers(name)
        own = [weight_unit(a or b) for a, b in zip(after, before, strict=True)]
        unsaid = [not (a or b) for a, b in zip(after, before, strict=True)]
        values = spread([n * WEIGHT_KG.get(u, math.nan) for n, u in zip(numbers, own, strict=True)], texts.codes, "f8")
        heading = WEIGHT_KG[self._units.get(name) or "kg"]
        factors = [heading if is_missing(t) else WEIGHT_KG.get(weight_unit(t), math.nan) for t in column.values]
        bare = spread(numbers, texts.codes, "f8") * spread(factors, column.codes, "f8")
        self._keep(name, numbers, "f8")
        self.columns[name] = np.where(texts.where(unsaid), bare, values)
        read = [n == n and (bool(u) or quiet) for n, u, quiet in zip(numbers, own, unsaid, strict=True)]
        self._unread(name, "not a number like 1234.5 in kg, g, t or lb; taken as unknown", read)
        message = "no unit of weight; the weights of these rows are taken as unknown"
        self.doubt(name.replace("_kg", "_unit"), column, [message if f != f else "" for f in factors])

    def _party(self, name: str) -> None:
        """A name; a placeholder is none. That it says "to order" stays: it is something to know."""
        texts = self.given(name)
        missing = [is_missing(text) for text in texts.values]
        order = [is_to_order(text) for text in texts.values]
        self.columns[name] = Texts(texts.codes, ["" if m else t for m, t in zip(missing, texts.values, strict=True)])
        known = [-1 if not t else 0 if m or o else 1 for t, m, o in zip(texts.values, missing, order, strict=True)]
        self.columns[f"{name}_known"] = spread(known, texts.codes, "i1")
        self.columns[f"{name}_text"] = texts

    def _country(self, name: str) -> None:
        """A country as its ISO 3166 code: two letters are one, a name of several states ("Korea") is none."""
        from cargo.ships import flag_code

        texts = self.given(name)
        codes = [t.upper() if re.fullmatch("[A-Za-z]{2}", t) else flag_code(t) for t in texts.values]
        self._keep(name, codes)
        self._unread(name, "names no country, or may name several; taken as unknown", [bool(code) for code in codes])

    def _currency(self, name: str) -> None:
        texts = self.given(name)
        codes = ["" if is_missing(t) else currency_of(t) for t in texts.values]
        self.columns[name] = Texts(texts.codes, [c or t for c, t in zip(codes, texts.values, strict=True)])
        self._unread(name, "no ISO 4217 code of a currency; its values are not in US$", [bool(c) for c in codes])

    def _money(self) -> None:
        """The value, its currency by the cell, the heading or the column, and the value in USD where that is it."""
        texts, column = self.given("value"), self.columns["currency"]
        assert isinstance(column, Texts)
        numbers, before, after = self._numbers("value")
        signs = [b or a for b, a in zip(before, after, strict=True)]
        in_cell = Texts(texts.codes, [currency_of(sign) if sign else "" for sign in signs])
        unit = self._units.get("value", "*")
        thousands = unit.startswith("1000 ")
        heading = unit.removeprefix("1000 ")
        scale = 1000.0 if thousands else 1.0
        told = column if heading == "*" else constant(heading, self.n)
        odd = [bool(sign) and sign not in ("$",) and not currency_of(sign) for sign in signs]
        numbers = [math.nan if wrong else number * scale for number, wrong in zip(numbers, odd, strict=True)]
        self._keep("value", numbers, "f8")
        values = self.columns["value"]
        assert isinstance(values, np.ndarray)
        currency = first_said([in_cell, told])
        self.columns["currency"] = column if heading == "*" and not any(in_cell.values) else currency
        in_usd = currency.where(currency_of(one) == "USD" for one in currency.values)
        self.columns["value_usd"] = np.where(in_usd, values, math.nan)
        self._unread("value", "not a number like 1234.5; taken as unknown", [n == n for n in numbers])

    def _mode(self, name: str) -> None:
        words = [
            next((mode for mode, pattern in _MODES if re.search(pattern, text[:100].upper())), "")
            for text in self.given(name).values
        ]
        self._keep(name, words)

    def _incoterm(self, name: str) -> None:
        codes = [code if (code := text[:3].upper()) in INCOTERMS else "" for text in self.given(name).values]
        self._keep(name, codes)


def first_said(columns: Sequence[Texts]) -> Texts:
    """Row by row the first of some columns that says anything."""
    found = columns[0]
    for other in columns[1:]:
        silent = found.where(map(is_missing, found.values))
        if silent.any():
            values = [*found.values, *other.values]
            shifted = other.codes.astype(np.int32) + len(found.values)
            found = Texts(np.where(silent, shifted, found.codes.astype(np.int32)), values)
    return found


def _port_of(text: str) -> tuple[str, str]:
    """UN/LOCODE of a port as written, and what is wrong with it: one port without doubt, else unknown."""
    from geo.ports import ports_matching

    if is_missing(text):
        return "", "no port given; taken as unknown"
    match = ports_matching(text)
    if match.port is not None and match.how != "alike":
        return match.port.locode, ""
    near = [match.port] if match.port is not None else [one.port for one in match.several]
    listed = ", ".join(f"{port.locode} ({port.name})" for port in near)
    if len(near) > 1 and match.how != "alike":
        return "", f"may be several ports; taken as unknown: {listed}; use its UN/LOCODE"
    return "", f"no such port; taken as unknown{f', did you mean {listed}?' if listed else ', use its UN/LOCODE'}"
