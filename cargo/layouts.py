"""The formats that are known by name: by which headings each is told, and what those headings mean in it alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cargo.headings import heading_words


class Layout(NamedTuple):
    """A format: `signs` are headings that all must be there; `meanings` overrule the vocabulary (field, unit)."""

    name: str
    title: str
    signs: frozenset[str]
    direction: str = ""
    meanings: Mapping[str, tuple[str, str]] = {}


def _signs(*headings: str) -> frozenset[str]:
    return frozenset(map(heading_words, headings))


LAYOUTS = (
    Layout("luxwake", "our own headings", _signs("load_port", "discharge_port")),
    Layout(
        "us-ams", "US AMS bills of lading", _signs("CARRIER_SASC_CODE", "ACTUAL_ARRIVAL_DATE", "BILL_OF_LADING"), "import"
    ),
    Layout("panjiva-xpressfeed", "Panjiva Xpressfeed", _signs("panjivaRecordId")),
    Layout(
        "panjiva", "Panjiva web export", _signs("Goods Shipped", "Port of Lading", "Port of Unlading"),
        meanings={"VOLUME TEU": ("teu", "")},
    ),
    Layout(
        "importgenius", "ImportGenius", _signs("Foreign Port", "US Port"), "import",
        {"WEIGHT": ("gross_weight_kg", "")},
    ),
    Layout("brazil-bl", "Brazilian bills of lading", _signs("NORTIFY_PARTY_NAME", "PORT_OF_MARITIME_ORIGIN")),
    Layout("russia-import", "Russian customs, import", _signs("USD_PER_KG", "DECLARATION_NUMBER", "IMP_DATE"), "import"),
    Layout("russia-export", "Russian customs, export", _signs("USD_PER_KG", "DECLARATION_NUMBER", "EXP_DATE"), "export"),
    Layout(
        "korea", "Korean import declarations", _signs("Declaration ID", "Office ID", "Courier ID", "Seller ID"), "import",
        {"DECLARANT ID": ("broker", ""), "ITEM PRICE": ("value", ""), "NET MASS": ("net_weight_kg", "kg")},
    ),
)  # fmt: skip
GENERIC = Layout("headings", "no known format: by its headings", frozenset())


def layout_of(header: Sequence[str]) -> Layout:
    """The first format all of whose signs are among the headings.

    >>> layout_of(["panjivaRecordId", "conName"]).name, layout_of(["A", "B"]).name
    ('panjiva-xpressfeed', 'headings')
    """
    words = set(map(heading_words, header))
    return next((layout for layout in LAYOUTS if layout.signs <= words), GENERIC)


def layout_named(name: str) -> Layout:
    """The format of that name, the generic one for any other."""
    return next((layout for layout in LAYOUTS if layout.name == name), GENERIC)
