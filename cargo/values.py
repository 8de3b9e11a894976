"""Texts of shipping papers as numbers, weights, money and dates; what can be read in two ways is decided by its column.

"1,234" may be one or a thousand, 01/10/2018 may be two days. Where other rows of the column can be read in one way only
and all agree, they decide; where they do not, it stays unknown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from ais.table import NAT

YEARS = range(1970, 2101)
WEIGHT_KG = {"kg": 1.0, "g": 0.001, "t": 1000.0, "lb": 0.45359237}
"""Kilograms of a unit; the pound is that of 1959."""
CURRENCIES = frozenset(
    (
        "AED AFN ALL AMD AOA ARS AUD AZN BAM BDT BGN BHD BIF BND BOB BRL BWP BYN CAD CDF CHF CLP CNH CNY COP CRC CZK DKK "
        "DOP DZD EGP ETB EUR FJD GBP GEL GHS GMD GNF GTQ HKD HNL HRK HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR "
        "KPW KRW KWD KZT LAK LBP LKR LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR "
        "NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SDG SEK SGD SLE SOS SRD SSP SYP SZL THB TJS TMT TND "
        "TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND XAF XOF YER ZAR ZMW ZWL"
    ).split()
)
_CURRENCY_SIGNS = {"US$": "USD", "U$S": "USD", "US DOLLAR": "USD", "US DOLLARS": "USD", "€": "EUR", "£": "GBP"}
_CURRENCY_SIGNS |= {"₽": "RUB", "₩": "KRW", "₹": "INR", "RMB": "CNY", "EURO": "EUR"}
_WEIGHTS = {
    **dict.fromkeys(("KG", "KGS", "KGM", "KILO", "KILOS", "KILOGRAM", "KILOGRAMS", "K", "КГ", "公斤", "千克"), "kg"),
    **dict.fromkeys(("G", "GR", "GRM", "GRAM", "GRAMS"), "g"),
    **dict.fromkeys(("T", "MT", "MTS", "TNE", "TONNE", "TONNES", "METRIC TON", "METRIC TONS", "Т"), "t"),
    **dict.fromkeys(("LB", "LBS", "LBR", "POUND", "POUNDS"), "lb"),
}
_UNITS = {
    **dict.fromkeys(
        ("PCS", "PC", "PCE", "PIECE", "PIECES", "NMB", "NO", "NOS", "NAR", "EA", "EACH", "ШТ", "个", "개"), "pcs"
    ),
    **dict.fromkeys(
        ("UNT", "UN", "UNIT", "UNITS", "UNIDAD", "UNIDADES", "U", "NUMBER", "NUMBER OF ITEMS", "台"), "pcs"
    ),
    **dict.fromkeys(("CTN", "CTNS", "CARTON", "CARTONS", "CT"), "ctn"),
    **dict.fromkeys(("PKG", "PKGS", "PK", "PACKAGE", "PACKAGES"), "pkg"),
    **dict.fromkeys(("SET", "SETS", "套"), "set"),
    **dict.fromkeys(("PLT", "PLTS", "PALLET", "PALLETS", "PX"), "plt"),
    **dict.fromkeys(("BAG", "BAGS", "BG"), "bag"),
    **dict.fromkeys(("CAS", "CASE", "CASES", "CS"), "case"),
    **dict.fromkeys(("ROL", "ROLL", "ROLLS"), "roll"),
    **dict.fromkeys(("LTR", "L", "LITER", "LITERS", "LITRE", "LITRES"), "l"),
    **dict.fromkeys(("MTR", "M", "METER", "METERS", "METRE", "METRES"), "m"),
    **dict.fromkeys(("M2", "MTK", "SQM"), "m2"),
    **dict.fromkeys(("M3", "MTQ", "CBM"), "m3"),
    **dict.fromkeys(("PAIR", "PAIRS", "PR", "PRS"), "pair"),
    **_WEIGHTS,
}
_MONTHS = {name: n for n, name in enumerate("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), start=1)}

_NUMBER = re.compile(r"([^\d().,+-]{0,12}?)\s*(\d[\d.,' \u00a0\u202f]*?)\s*([^\d().,+-]{0,20}?)\.?", re.DOTALL)
_DOT = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}|\d+\.(?:\d{1,2}|\d{4,})")
_COMMA = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}|\d+,(?:\d{1,2}|\d{4,})")
_TIME = re.compile(r"[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?\s*(AM|PM)?$", re.IGNORECASE)
_THREE = re.compile(r"(\d{1,2})([/.\-])(\d{1,2})\2(\d{4}|\d{2})", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})([/.\-])(\d{1,2})\2(\d{1,2})", re.ASCII)
_WORDS = re.compile(r"(\d{1,2})[\s/.\-]*([A-Z]{3,9})[\s/.,\-]*(\d{4}|\d{2})", re.ASCII | re.IGNORECASE)
_WORD_FIRST = re.compile(r"([A-Z]{3,9})[\s.]*(\d{1,2})[\s,]+(\d{4})", re.ASCII | re.IGNORECASE)


class Amount(NamedTuple):
    """A number as written: before it, its digits, after it."""

    before: str
    digits: str
    after: str


@lru_cache(maxsize=65_536)
def amount_of(text: str) -> Amount | None:
    """The parts of a text that holds one number, None for another text; a negative number is none.

    >>> amount_of("USD 1,234.50"), amount_of("12 KGS"), amount_of("-5"), amount_of("3x4")
    (Amount(before='USD', digits='1,234.50', after=''), Amount(before='', digits='12', after='KGS'), None, None)
    """
    found = _NUMBER.fullmatch(text.strip()) if len(text) < 100 else None
    if not found:
        return None
    digits = re.sub(r"['\s\u00a0\u202f]", "", found[2])
    return Amount(found[1].strip().upper(), digits, found[3].strip().upper())


def decimal_sign(texts: Iterable[str]) -> str:
    """The decimal sign of a column: "." or "," where its texts show it, "" where nothing does, "?" for both.

    >>> decimal_sign(["1,234", "5.25"]), decimal_sign(["1.234,5"]), decimal_sign(["1,234"]), decimal_sign(["1.5", "1,5"])
    ('.', ',', '', '?')
    """
    dot = comma = False
    for text in texts:
        if text.isdigit():
            continue
        amount = amount_of(text)
        if amount is not None:
            dot = dot or _DOT.fullmatch(amount.digits) is not None
            comma = comma or _COMMA.fullmatch(amount.digits) is not None
    return "?" if dot and comma else "." if dot else "," if comma else ""


def number_of(digits: str, sign: str = "") -> float:
    """A number in a column with that decimal sign, NaN where it could be two.

    >>> number_of("1234.5"), number_of("1,234", "."), number_of("1,234", ""), number_of("1.234", ",")
    (1234.5, 1234.0, nan, 1234.0)
    """
    if sign == ",":
        digits = digits.translate({44: ".", 46: ","})
    if "," in digits:
        grouped = (
            r"\d{1,3}(?:,\d{3})+(?:\.\d*)?" if sign in (".", ",") else r"\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}"
        )
        if not re.fullmatch(grouped, digits, re.ASCII):
            return math.nan
        digits = digits.replace(",", "")
    elif sign == "?" and re.fullmatch(r"\d{1,3}\.\d{3}", digits):
        return math.nan
    return float(digits) if re.fullmatch(r"\d{1,15}(?:\.\d*)?", digits, re.ASCII) else math.nan


def weight_unit(text: str) -> str:
    """kg, g, t or lb, "" for another text; a ton may be three things and is none of them.

    >>> weight_unit("Kgs."), weight_unit("MT"), weight_unit("TON")
    ('kg', 't', '')
    """
    return _WEIGHTS.get(text.strip(" .").upper(), "")


def unit_of(text: str) -> str:
    """A unit in one spelling, small letters where it is known.

    >>> unit_of("PIECES"), unit_of("UNT"), unit_of("Ctn."), unit_of("drum")
    ('pcs', 'pcs', 'ctn', 'DRUM')
    """
    plain = " ".join(text.strip(" .").upper().split())
    return _UNITS.get(plain, plain)


def currency_of(text: str) -> str:
    """The ISO 4217 code of a currency, "" where it is not told ("$" may be twenty).

    >>> currency_of("us$"), currency_of("EUR"), currency_of("$")
    ('USD', 'EUR', '')
    """
    plain = " ".join(text.strip(" .").upper().split())
    return plain if plain in CURRENCIES else _CURRENCY_SIGNS.get(plain, "")


class Moment(NamedTuple):
    """A date as written: year, month, day in the order "ymd", or two numbers that may be either ("?"); µs of the day."""

    order: str
    parts: tuple[int, int, int]
    day_us: int


@lru_cache(maxsize=65_536)
def moment_of(text: str) -> Moment | int | None:
    """A date as µs since 1970 UTC where it is ISO 8601, as its parts where it is another form, None for none."""
    iso = _iso(text)
    if iso != NAT:
        return iso
    text, day_us = text.strip(), 0
    if found := _TIME.search(text):
        hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
        if found[4]:
            hour = hour % 12 + (12 if found[4].upper() == "PM" else 0)
        if hour > 23 or minute > 59 or second > 59:
            return None
        text, day_us = text[: found.start()].strip(), ((hour * 60 + minute) * 60 + second) * 1_000_000
    if found := _YEAR_FIRST.fullmatch(text):
        return Moment("ymd", (int(found[1]), int(found[3]), int(found[4])), day_us)
    if found := _THREE.fullmatch(text):
        return Moment("?", (int(found[1]), int(found[3]), _year(found[4])), day_us)
    if (found := _WORDS.fullmatch(text)) and (month := _MONTHS.get(found[2][:3].upper())):
        return Moment("ymd", (_year(found[3]), month, int(found[1])), day_us)
    if (found := _WORD_FIRST.fullmatch(text)) and (month := _MONTHS.get(found[1][:3].upper())):
        return Moment("ymd", (int(found[3]), month, int(found[2])), day_us)
    return None


def _year(text: str) -> int:
    """A year; of two digits one from 1970 to 2069."""
    return int(text) if len(text) == 4 else int(text) + (1900 if int(text) >= 70 else 2000)


def _iso(text: str) -> int:
    """µs since 1970 UTC of an ISO 8601 date or time from 1970 to 2100, else `NAT`."""
    try:
        moment = datetime.fromisoformat(text) if re.match(r"\d{4}-?\d{2}-?\d{2}", text, re.ASCII) else None
        if moment is None or moment.year not in YEARS:
            return NAT
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return NAT
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


class DateOrder(NamedTuple):
    """Order of the dates of a column that have two small numbers: "dmy", "mdy" or "" (not told), and what shows it."""

    order: str
    evidence: str


def date_order(texts: Iterable[str]) -> DateOrder:
    """The order that the dates of a column show by those that can be read in one way only.

    Where some say one and some the other, the column says nothing, unless one in a hundred or fewer dissent.

    >>> date_order(["01/10/2018", "31/10/2018"])
    DateOrder(order='dmy', evidence='day first, as 31/10/2018 shows')
    >>> date_order(["01/10/2018"]).order, date_order(["13/10/2018", "10/13/2018"]).order
    ('', '')
    """
    votes: dict[str, list[str]] = {"dmy": [], "mdy": []}
    for text in texts:
        moment = moment_of(text)
        if isinstance(moment, Moment) and moment.order == "?":
            first, second, _ = moment.parts
            if first > 12 >= second:
                votes["dmy"].append(text)
            elif second > 12 >= first:
                votes["mdy"].append(text)
    n = {order: len(said) for order, said in votes.items()}
    order = max(n, key=lambda one: n[one])
    if not n[order]:
        return DateOrder("", "")
    other = n["mdy" if order == "dmy" else "dmy"]
    if other and other * 100 > n[order]:
        return DateOrder("", f"both {votes['dmy'][0]} and {votes['mdy'][0]} stand in it")
    words = "day" if order == "dmy" else "month"
    against = f"; {other:,} are the other way" if other else ""
    return DateOrder(order, f"{words} first, as {votes[order][0]} shows{against}")


def time_of(text: str, order: str = "") -> int:
    """µs since 1970 UTC of a date (its midnight) or time, in a column of that order; `NAT` where it is not told.

    >>> time_of("2018-10-01") == time_of("01/10/2018", "dmy") == time_of("1-Oct-2018") == time_of("2018/10/1")
    True
    >>> time_of("01/10/2018") == NAT, time_of("31/10/2018") == time_of("2018-10-31")
    (True, True)
    """
    moment = moment_of(text)
    if moment is None or isinstance(moment, int):
        return NAT if moment is None else moment
    year, month, day = moment.parts
    if moment.order == "?":
        first, second, year = moment.parts
        told = (
            order
            if order in ("dmy", "mdy")
            else "dmy"
            if first > 12 or first == second
            else "mdy"
            if second > 12
            else ""
        )
        if not told:
            return NAT
        day, month = (first, second) if told == "dmy" else (second, first)
    try:
        when = datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return NAT
    return int(when.timestamp()) * 1_000_000 + moment.day_us if year in YEARS else NAT
