"""What a heading of a bill of lading or customs record means: a reviewed vocabulary, with units and direction.

A heading is taken apart first: case, separators and camel case do not matter, known misspellings are mended, a unit at
its end (KG, USD, "in foreign currency") is understood, and marks are noted (RAW_ as filed, STD_ as a vendor tidied it,
_EN translated). What is left is looked up. A heading that may mean two things is mapped to none, and says so: a wrong
field is worse than a missing one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from cargo.fields import FIELDS

_SPELLINGS = {
    **{"NORTIFY": "NOTIFY", "SASC": "SCAC", "VIST": "VISIT", "MANUFACTUER": "MANUFACTURER", "CURENCY": "CURRENCY"},
    **{"COMERCIAL": "COMMERCIAL", "MENIFEST": "MANIFEST", "MANIFESTO": "MANIFEST", "MANIFESTE": "MANIFEST"},
    **{"SHPMT": "SHIPMENT", "SHP": "SHIPPER", "CON": "CONSIGNEE", "CNEE": "CONSIGNEE", "EMBARQ": "LOADING"},
    **{"KGS": "KG", "KILO": "KG", "KILOS": "KG", "KILOGRAM": "KG", "KILOGRAMS": "KG", "LBS": "LB", "POUNDS": "LB"},
    **{"TONS": "TON", "TONNES": "TON", "MT": "TON", "WT": "WEIGHT", "WGT": "WEIGHT", "QTY": "QUANTITY"},
    **{"NUMBER": "NO", "NUM": "NO", "NBR": "NO", "NUMBERS": "NO", "NOS": "NO", "DESC": "DESCRIPTION"},
    **{"HSCODE": "HS CODE", "HTS": "HS CODE", "HTSUS": "HS CODE", "HS6": "HS CODE", "LADING": "LOADING"},
    **{"UNLADING": "UNLOADING", "UNLOCODE": "LOCODE", "IMPORTERNAME": "IMPORTER NAME", "MONTHYEAR": "MONTH YEAR"},
    **{"TOTALVALUEUSD": "TOTAL VALUE USD", "TOTALVALUE": "TOTAL VALUE", "TOTALUSD": "TOTAL VALUE USD"},
    **{"TOTALQUANTITY": "TOTAL QUANTITY", "TOTALGROSS": "TOTAL GROSS", "TOTALWEIGHT": "TOTAL WEIGHT"},
    **{"TOTALWEIGHTS": "TOTAL WEIGHT", "INCOTERMS": "INCOTERM", "VOY": "VOYAGE"},
    **{"CUSTOM": "CUSTOMS", "TRANSPORTATION": "TRANSPORT", "REG": "REGISTRATION", "REGISTRY": "REGISTRATION"},
    **{"EXP": "EXPORT", "IMP": "IMPORT", "TRANS": "TRANSPORT", "HRYVNIAS": "UAH", "TK": "BDT", "ETA": "ARRIVAL DATE"},
    **{"NIGERIA": "NGN", "EXPORTING": "EXPORT", "DEC": "DECLARATION", "POL": "PORT OF LOADING"},
    **{"POD": "PORT OF UNLOADING", "LANDING": "UNLOADING", "DISCHARGE": "UNLOADING", "ETD": "DEPARTURE DATE"},
}
_PHRASES = (
    (r"\bB L\b", "BL"),
    (r"\bBILL OF (?:LOADING|LANDING)\b", "BL"),
    (r"\bUN LOCODE\b", "LOCODE"),
    (r"\bUS D\b|\bUS DOLLARS?\b", "USD"),
    (r"\bPAK RS\b", "PKR"),
    (r"\bBOTSWANAN PULA\b", "BWP"),
    (r"\bFOREIGN CURRENCY$|\bFCY$", "FC"),
    (r"\bMARKS (?:AND )?NO\b", "MARKS"),
    (r"^LOCAL PORT (PORT OF)", r"\1"),
)
_CURRENCIES = frozenset("USD EUR INR PKR RUB UAH KZT BDT LSL MYR ETB UGX NGN BWP CNY JPY KRW GBP".split())
_HOME_CURRENCY = frozenset({"LC", "LEI", "NCY", "RD", "LOCAL"})
_WEIGHT_UNITS = {"KG": "kg", "LB": "lb", "TON": "t", "TONNE": "t", "T": "t"}

_SHIPPERS = ("SHIPPER", "CONSIGNOR", "EXPORTER", "SUPPLIER", "SELLER")
_CONSIGNEES = ("CONSIGNEE", "IMPORTER", "BUYER")
_NOTIFIED = ("NOTIFY PARTY", "NOTIFY")
_PARTY_PARTS = {
    "": ("NAME", "", "FULL NAME", "COMPANY NAME", "NAME AND ADDRESS"),
    "_address": ("ADDRESS", "FULL ADDRESS"),
    "_country": ("COUNTRY", "COUNTRY NAME"),
    "_id": ("ID", "TIN", "TAX ID", "TAX NO", "PIN", "NTN", "CODE", "UUID", "PI"),
}
_MONEY = (
    *("", "TOTAL", "ITEM", "CUSTOMS", "INVOICE", "ASSESSED", "STATISTICAL", "DECLARED", "DECLARED CUSTOMS"),
    *("ASSESSED CUSTOMS", "ITEM STATISTICAL", "ITEM CUSTOMS", "TOTAL INVOICE", "TOTAL CUSTOMS", "TOTAL ASSESS"),
    *("TOTAL DCL", "CUSTOMS COST", "CALCULATED ITEM", "CARGO"),
)
_VALUES = (
    *("ITEM FOB", "FOB ITEM", "ITEM FOB VAL", "CIF ITEM", "FOB", "FOB VALUE", "CIF", "CIF VALUE", "CNF CIF"),
    *("DECLARED FOB VALUE", "DECLARED CIF VALUE", "FREE ON BOARD", "COST INSURANCE FREIGHT", "INVOICE VALUE FOB"),
    *(f"{kind} VALUE".strip() for kind in _MONEY),
    *("VALUE OF GOODS", "INVOICE AMOUNT", "ITEM INVOICE AMOUNT", "AMOUNT", "PRICE"),
    *("TOTAL PRICE", "TOTAL PRICE INV", "VAL FACT ART", "VAL STAT ART", "VADUANA", "FOB SUB ITEM"),
)
"""Money of the goods of a row; what may be of the whole declaration comes late."""
_NAMES: dict[str, str] = {
    "bl_number": "HOUSE BL NO|HOUSE BL|BL NO|BL|TRANSPORT DOCUMENT NO|TRANSPORT DOCUMENT|CONOCIMIENTO EMB",
    "master_bl": "MASTER BL|MASTER BL NO|MBL|MBL NO",
    "container": "CONTAINER NO|CONTAINER ID",
    "vin": "VIN|VIN NO|CHASSIS NO|CHASSIS|VEHICLE IDENTIFICATION NO",
    "hs_code": "HS CODE|HS CODE NO|HS CODE CODE|COMMODITY CODE|TARIFF CODE|HS",
    "description": "PRODUCT DESCRIPTION|GOODS DESCRIPTION|DESCRIPTION OF GOODS|GOODS SHIPPED|COMMERCIAL DESCRIPTION|"
    "CARGO DESCRIPTION|COMMODITY DESCRIPTION|DESCRIPTION|HS PRODUCT DESCRIPTION",
    "hs_description": "HS CODE DESCRIPTION|HS DESCRIPTION|HS CODE ITEM DESCRIPTION",
    "marks": "MARKS|MARKS AND NO|SHIPPING MARKS",
    "brand": "BRAND|BRAND MODEL|MAKE",
    "model": "MODEL|MODEL NO",
    "manufacturer": "MANUFACTURER|MANUFACTURER NAME",
    "quantity": "QUANTITY|ITEM QUANTITY|COMMERCIAL QUANTITY|TOTAL QUANTITY|UNIT QUANTITY|STAT QUANTITY|STD QUANTITY",
    "quantity_unit": "QUANTITY UNIT|UNIT OF QUANTITY|UNIT OF MEASURE|UNIT OF MEASUREMENT|MEASURE UNIT|UNIT MEASURE|UNIT|"
    "COMMERCIAL UNIT|COMMERCIAL MEASURE UNIT|ITEM QUANTITY TYPE|QUANTITY TYPE|STAT UNIT|STD UNIT|UOM",
    "packages": "NO OF PACKAGES|NO OF PACKAGE|PACKAGES|PACKAGES QUANTITY|QUANTITY OF PACKAGES|QUANTITY OF PACKAGE|"
    "PACKAGE COUNT",
    "teu": "TEU|VOLUME TEU|TEUS",
    "currency": "CURRENCY|CURRENCY CODE|CURRENCY UNIT|INVOICE CURRENCY|CONTRACT CURRENCY|FOREIGN CURRENCY|FC|"
    "CURRENCY OF CONTRACT PRICE",
    "gross_weight_kg": "GROSS WEIGHT|TOTAL GROSS WEIGHT|G WEIGHT|GROSS|METRIC TON",
    "net_weight_kg": "NET WEIGHT|NET MASS|N WEIGHT|NET|TOTAL NET WEIGHT",
    "gross_weight_unit": "GROSS WEIGHT UNIT",
    "net_weight_unit": "NET WEIGHT UNIT",
    "incoterm": "INCOTERM|DELIVERY TERM CODE|TERMS OF DELIVERY CODE|DELIVERY BASIS",
    "forwarder": "FORWARDER|FREIGHT FORWARDER|FORWARDER NAME",
    "broker": "CUSTOMS BROKER|CUSTOMS BROKER NAME|BROKER NAME|BROKER|CUSTOMS AGENT|CUSTOMS AGENCY|CUSTOMS AGENCY NAME|"
    "CLEARING AGENT NAME|CLEARING AGENCY NAME|AGENT NAME|CHA NAME|NAME OF CF AGENT|DECLARANT NAME|DECLARANT|"
    "CUSTOMS DECLARANT NAME|CUSTOMS APPLICANT NAME",
    "carrier": "CARRIER|CARRIER NAME|SHIPPING LINE NAME|SHIPPING LINE|TRANSPORT COMPANY|CARRIER SCAC CODE|CARRIER CODE|"
    "SCAC|CARRIER SCAC|SCAC CODE|SHIPPING LINE CODE",
    "load_port": "LOAD PORT|PORT OF LOADING|LOADING PORT|PORT OF SHIPMENT|SHIPPING PORT|ORIGIN PORT|PORT OF ORIGIN|"
    "PORT OF DEPARTURE|DEPARTURE PORT|PORT OF MARITIME ORIGIN",
    "discharge_port": "UNLOADING PORT|PORT OF UNLOADING|PLACE OF UNLOADING|PORT OF ARRIVAL|ARRIVAL PORT|DESTINATION PORT|"
    "PORT OF DESTINATION|PORT OF ENTRY|PORT OF MARITIME DESTINATION|US PORT",
    "last_port": "LAST VISIT FOREIGN PORT|LAST FOREIGN PORT|LAST PORT",
    "place_of_receipt": "PLACE OF RECEIPT",
    "origin_country": "ORIGIN COUNTRY|COUNTRY OF ORIGIN|ORIGIN COUNTRY NAME|COUNTRY OF ORIGIN CODE|ORIGIN COUNTRY CODE|"
    "GEN CTY ORG",
    "departure_country": "DEPARTURE COUNTRY|COUNTRY OF DEPARTURE|DISPATCH COUNTRY|COUNTRY OF DISPATCH|COUNTRY OF EXPORT|"
    "EXPORT COUNTRY|LOADING COUNTRY|FROM COUNTRY NAME|COUNTRY OF SHIPMENT|COUNTRY OF CONSIGNMENT|CONSIGNMENT COUNTRY|"
    "COUNTRY OF LAST CONSIGNMENT|PROVENANCE COUNTRY|PROCEDENCE COUNTRY|DISPATCH COUNTRY CODE|SHIPMENT ORIGIN",
    "destination_country": "DESTINATION COUNTRY|COUNTRY OF DESTINATION|COUNTRY DESTINATION|TO COUNTRY NAME|"
    "DESTINATION COUNTRY CODE|COUNTRY DESTINATION CODE|GEN CTY DES COD|SHIPMENT DESTINATION",
    "depart_date": "DEPARTURE DATE|DATE OF DEPARTURE|SHIPMENT DATE|SAILING DATE|ON BOARD DATE|BL DATE|DEPART DATE",
    "arrive_date": "ACTUAL ARRIVAL DATE|ARRIVAL DATE|DATE OF ARRIVAL|ESTIMATE ARRIVAL DATE|ESTIMATED ARRIVAL DATE",
    "record_date": "DECLARATION DATE|REGISTRATION DATE|BE REGISTRATION DATE|BILL OF ENTRY DATE|IMPORT DATE|EXPORT DATE|"
    "ASSESSMENT DATE|DATE|RELEASE DATE",
    "period": "MONTH YEAR|YEAR",
    "vessel_name": "VESSEL NAME|VESSEL|SHIP NAME|SHIP",
    "imo": "IMO|IMO NO|VESSEL IMO|VESSEL IMO NO|SHIP IMO",
    "mmsi": "MMSI|MMSI NO|VESSEL MMSI",
    "voyage_number": "VOYAGE NO|VOYAGE|VESSEL VOYAGE ID|VOYAGE ID",
    "declaration_number": "DECLARATION NO|DECLARATION ID|DECLARATION NO DAU|BILL OF ENTRY NO|BILL OF ENTRY|BE NO|BOE NO|"
    "SB NO|GTD NO|NO SAD|DUA NO|TANSAD NO|ENTRY NO",
    "manifest_number": "MANIFEST NO|MANIFEST|IGMNO|IGM NO",
    "transport_mode": "MODE OF TRANSPORT|TRANSPORT MODE|TRANSPORT MODE CODE|TRANSPORT TYPE|TYPE OF TRANSPORT|"
    "TRANSPORT METHOD|TRANSPORT TYPE NAME|TRANSPORT TYPE CODE|MOT",
    "value": "|".join(_VALUES),
}
_AMBIGUOUS = {
    "CONTAINER": "a container number, or whether there is one",
    "CONTAINER NO 20": "a container number, or how many of 20 feet",
    "CONTAINER NO 40": "a container number, or how many of 40 feet",
    **dict.fromkeys(("WEIGHT", "TOTAL WEIGHT", "VOLUME"), "a gross or a net weight"),
    **dict.fromkeys(
        ("PORT", "PORT CODE", "CODE PORT", "PORTSTR", "PORT OR OFFICE"), "a port at either end, or an office"
    ),
    **dict.fromkeys(("COUNTRY", "COUNTRY CODE", "COUNTRY OF SHIPMENT OR DESTINATION"), "a country at either end"),
    **dict.fromkeys(("SUPPLY COUNTRY", "TRADE COUNTRY", "TRADING COUNTRY"), "the country of the seller or of dispatch"),
    **dict.fromkeys(("PROVENANCE", "PROCEDENCE"), "a country or a place"),
    **dict.fromkeys(("REGISTRATION NO", "IMPORT ID", "EXPORT ID"), "a number of the declaration, a car or a party"),
    **dict.fromkeys(
        ("TOTAL FOB", "TOTAL CIF", "TOTAL AMOUNT", "TOTAL"), "money of the row or of the whole declaration"
    ),
    **dict.fromkeys(("ITEM PRICE", "ITEM PRICE INV"), "the price of one piece or of the item"),
    "TRANSPORT": "a mode, a means or a company of transport",
    "SHIPPING AGENCY": "a carrier or its agent",
    "TRANSPORT MEANS ID": "a ship's number, a flight or a number plate",
    "QUANTITY 2": "a second quantity",
    "UNIT 2": "the unit of a second quantity",
    "ADDRESS": "an address of either party",
}
_WORD = re.compile(r"[^\W_]+")
_MARKS_BEFORE = {"RAW": "as filed", "STD": "as tidied by the vendor"}
_MARKS_AFTER = {"EN": "in English", "ENG": "in English", "ENGLISH": "in English", "VN": "in Vietnamese"}
_SEA_WORDS = frozenset({"bl_number", "vessel_name", "notify_party", "teu"})


class Meaning(NamedTuple):
    """What a heading means.

    `field` "" is none; `unit` a weight unit, a currency, "*" (that of the currency column) or ""; `rank` orders
    headings for one field, smaller first; `base` and `marks` tell twins (the same `base`); `why` says it in words.
    """

    field: str
    unit: str
    rank: float
    base: str
    marks: tuple[str, ...]
    why: str


@lru_cache(maxsize=65_536)
def heading_words(heading: str) -> str:
    """A heading as words in capitals, spelt in one way.

    >>> heading_words("LAST_VIST_FOREIGN_PORT"), heading_words("portOfLadingUNLOCODE"), heading_words("Value (US$)")
    ('LAST VISIT FOREIGN PORT', 'PORT OF LOADING LOCODE', 'VALUE USD')
    """
    text = heading[:200].replace("US$", "USD").replace("#", " NO ").replace("&", " AND ")
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", text)
    words = " ".join(_SPELLINGS.get(word, word) for word in _WORD.findall(text.upper()))
    for pattern, instead in _PHRASES:
        words = re.sub(pattern, instead, words)
    return words


@cache
def _lexicon() -> dict[str, tuple[str, int]]:
    """Field and rank of each phrase."""
    found: dict[str, tuple[str, int]] = {}
    for field in FIELDS:
        found[heading_words(field)] = (field, -1)
    for field, names in _NAMES.items():
        for rank, name in enumerate(names.split("|")):
            found.setdefault(heading_words(name), (field, rank))
    for party, roles in (("shipper", _SHIPPERS), ("consignee", _CONSIGNEES), ("notify", _NOTIFIED)):
        for rank, role in enumerate(roles):
            for part, suffixes in _PARTY_PARTS.items():
                field = "notify_party" if party == "notify" and not part else f"{party}{part}"
                for more, suffix in enumerate(suffixes):
                    if field in FIELDS:
                        found.setdefault(f"{role} {suffix}".strip(), (field, 10 * rank + more))
        for more, place in enumerate(("EXPORT ADDRESS",) if party == "shipper" else ()):
            found.setdefault(place, ("shipper_address", 90 + more))
    found["COUNTRY OF EXPORTER"] = ("shipper_country", 50)
    found |= {"RUC EXPORTER ID": ("shipper_id", 60), "RUC IMPORTER ID": ("consignee_id", 60)}
    return found


def direction_of(headings: Sequence[str]) -> str:
    """Whether a file holds imports or exports, "" where its headings do not tell.

    >>> direction_of(["IMP_DATE", "SUPPLIER_NAME"]), direction_of(["EXP_DATE", "BUYER_NAME"]), direction_of(["DATE"])
    ('import', 'export', '')
    """
    words = {heading_words(heading) for heading in headings}
    signs = {
        "import": {"IMPORT DATE", "SUPPLIER NAME", "IMPORT ID", "US PORT", "SUPPLIER ADDRESS"},
        "export": {"EXPORT DATE", "BUYER NAME", "EXPORT ID", "BUYER ADDRESS"},
    }
    told = [direction for direction, marks in signs.items() if words & marks]
    return told[0] if len(told) == 1 else ""


def is_sea_file(headings: Sequence[str]) -> bool:
    """Whether the headings are those of bills of lading: their weights are gross."""
    fields = {meaning_of(heading).field for heading in headings}
    return len(fields & _SEA_WORDS) >= 2


def meaning_of(heading: str, direction: str = "", sea: bool = False) -> Meaning:
    """What a heading means, in a file of that direction ("import", "export" or ""), of bills of lading or not.

    >>> meaning_of("GROSS_WEIGHT_IN_KG")[:2], meaning_of("RAW_SHIPPER_NAME").field, meaning_of("CIF_VALUE_USD")[:2]
    (('gross_weight_kg', 'kg'), 'shipper', ('value', 'USD'))
    >>> meaning_of("CONTAINER"), meaning_of("VAT_RATE").field
    (Meaning(field='', unit='', rank=0, base='CONTAINER', marks=(), why='may be a container number, or whether there is one'), '')
    """
    words, marks = _marks(heading_words(heading))
    ported = _by_direction(words, direction)
    for base, unit in ([(ported, "")] if ported else []) + _readings(words):
        if base in _AMBIGUOUS and not (sea and base == "WEIGHT" and unit == "kg"):
            return Meaning("", "", 0, base, marks, f"may be {_AMBIGUOUS[base]}")
        field, rank = ("gross_weight_kg", 5) if base == "WEIGHT" else _lexicon().get(base, ("", 0))
        if not field or not _unit_fits(field, unit):
            continue
        if field == "value":
            unit, rank = unit or _currency_of(base), rank + _money_rank(unit)
        if base == "METRIC TON":
            unit, rank = "t", 50
        return Meaning(field, unit, rank + _mark_rank(field, marks), base, marks, _why(base, unit, marks))
    return Meaning("", "", 0, words, marks, "not in the vocabulary")


def _marks(words: str) -> tuple[str, tuple[str, ...]]:
    """Words without the marks before and after them."""
    marks: list[str] = []
    parts = words.split()
    while len(parts) > 1 and parts[0] in _MARKS_BEFORE and " ".join(parts) not in _lexicon():
        marks.append(_MARKS_BEFORE[parts.pop(0)])
    while len(parts) > 1 and parts[-1] in _MARKS_AFTER:
        marks.append(_MARKS_AFTER[parts.pop()])
    if len(parts) > 1 and parts[-1] == "LOCODE":
        marks.append("as UN/LOCODE")
        parts.pop()
    if len(parts) > 1 and (parts[-1] == "1" or (parts[-1].isdigit() and "DESCRIPTION" in parts)):
        marks.append(f"number {parts.pop()}")
    return " ".join(parts), tuple(marks)


def _by_direction(words: str, direction: str) -> str:
    """A port named after the country that keeps the record, or the port abroad, as a port at one end."""
    ends = {"import": ("UNLOADING PORT", "LOADING PORT"), "export": ("LOADING PORT", "UNLOADING PORT")}
    if direction not in ends:
        return ""
    if re.fullmatch(r"(?:INDIAN|MALAYSIA) PORT", words) or (words, direction) == ("IMPORT PORT", "import"):
        return ends[direction][0]
    return ends[direction][1] if words == "FOREIGN PORT" else ""


def _readings(words: str) -> list[tuple[str, str]]:
    """A heading as it stands, and without the unit that it ends or begins with."""
    readings = [(words, "")]
    if found := re.fullmatch(r"(.+?) (?:IN )?(1000 )?([A-Z]+)", words):
        base, unit = found[1], found[3]
        if unit in _CURRENCIES or unit in _HOME_CURRENCY or unit == "FC":
            readings.append(
                (base, f"{found[2] or ''}{'*' if unit == 'FC' else 'home' if unit in _HOME_CURRENCY else unit}")
            )
        elif unit in _WEIGHT_UNITS:
            readings.append((base, _WEIGHT_UNITS[unit]))
    if found := re.fullmatch(r"([A-Z]{3}|PRICE) (.+)", words):
        if found[1] in _CURRENCIES:
            readings.append((found[2], found[1]))
        elif found[1] == "PRICE" and found[2] in _HOME_CURRENCY:
            readings.append(("PRICE", "home"))
    return readings


def _unit_fits(field: str, unit: str) -> bool:
    """Whether a unit can be one of a field: money has currencies, weights have units, others none."""
    if field == "value":
        return unit not in _WEIGHT_UNITS.values()
    if field in ("gross_weight_kg", "net_weight_kg", "quantity"):
        return not unit or unit in _WEIGHT_UNITS.values()
    return not unit


def _currency_of(base: str) -> str:
    """Whether money without a currency in its heading is in that of the currency column."""
    return "*" if base == "VALUE" or base.startswith(("INVOICE", "ITEM INVOICE", "TOTAL INVOICE")) else ""


def _money_rank(unit: str) -> int:
    return 0 if unit == "USD" else 50 if unit == "1000 USD" else 100 if unit == "*" else 200 if unit else 150


def _mark_rank(field: str, marks: Sequence[str]) -> float:
    """The heading without marks comes first; for ports and countries the code or the English name."""
    english = "in English" in marks and ("port" in field or "country" in field)
    cost = sum(0.3 if mark.startswith("number") else 0.1 for mark in marks)
    return -0.5 if "as UN/LOCODE" in marks or english else cost


def _why(base: str, unit: str, marks: Sequence[str]) -> str:
    said = {"*": "in the currency column", "home": "in the currency of the country", "": ""}.get(unit, f"in {unit}")
    return ", ".join(filter(None, (f"is called {base.lower()}", said, *marks)))
