"""What is said of one shipment, as far as the rules of control lists ask for it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from cargo.control_rule import DIRECTIONS
from cargo.control_words import NOTHING, Said, said
from geo.errors import UsageError

_ITEMS = frozenset({
    "U", "UN", "UNIT", "UNITS", "PC", "PCS", "PCE", "PIECE", "PIECES", "ITEM", "ITEMS", "NMB", "NO", "NOS", "NAR", "EA",
    "EACH", "C62", "ШТ", "台", "辆", "个", "대",
})  # fmt: skip
_KG = {"KG": 1.0, "KGS": 1.0, "KGM": 1.0, "KILOGRAM": 1.0, "KILOGRAMS": 1.0, "G": 1e-3, "GRM": 1e-3, "T": 1e3}
_KG |= {"TNE": 1e3, "MT": 1e3, "TON": 1e3, "TONS": 1e3, "TONNES": 1e3}
_LITRES = {"L": 1.0, "LTR": 1.0, "LITRE": 1.0, "LITRES": 1.0, "LITER": 1.0, "LITERS": 1.0, "HL": 100.0, "HLT": 100.0}


@dataclass(frozen=True, slots=True)
class Facts:
    """Texts are "", numbers None and countries () where nothing is said."""

    says: Callable[[str], Said]
    """What the description says of a qualifier."""
    value: float | None
    currency: str
    quantity: float | None
    unit: str
    origin: str
    destination: str
    direction: str
    transit: tuple[str, ...]
    flag: str
    persons: tuple[str, ...]

    @classmethod
    def of(
        cls,
        description: str = "",
        value: float | None = None,
        currency: str = "",
        quantity: float | None = None,
        unit: str = "",
        origin: str = "",
        destination: str = "",
        direction: str = "",
        transit: Sequence[str] = (),
        flag: str = "",
        persons: Sequence[str] = (),
    ) -> Facts:
        """The facts of a shipment; UsageError for a country or a direction that cannot be meant."""
        if direction not in ("", *DIRECTIONS):
            raise UsageError(f"direction {direction[:40]!r} is not one of {', '.join(DIRECTIONS)}")
        if isinstance(transit, str) or isinstance(persons, str):
            raise UsageError("transit and persons are lists of countries, as ['CN', 'RU']")
        return cls(
            lambda qualifier: said(qualifier, description),
            number_of("value", value),
            currency.strip().upper().replace("US$", "USD"),
            number_of("quantity", quantity),
            unit.strip().upper().rstrip("."),
            country_of("origin", origin),
            country_of("destination", destination),
            direction,
            tuple(country_of("transit", country) for country in transit),
            country_of("flag", flag),
            tuple(country_of("persons", country) for country in persons),
        )

    @property
    def way(self) -> tuple[object, ...]:
        """All that does not depend on the goods."""
        return self.origin, self.destination, self.direction, self.transit, self.flag, self.persons

    def saying(self, told: Mapping[str, Said]) -> Facts:
        """These facts with what a description says, looked at already; what is not in it is not said."""
        return replace(self, says=lambda qualifier: told.get(qualifier, NOTHING))

    def amount(self, what: str) -> float | None:
        """How many items, kilograms or litres there are; None where the quantity or its unit does not say.

        >>> Facts.of(quantity=2.0, unit="T").amount("kg"), Facts.of(quantity=2.0).amount("item")
        (2000.0, None)
        """
        if self.quantity is None or self.quantity <= 0.0:
            return None
        if what == "item":
            return self.quantity if self.unit in _ITEMS else None
        factor = (_KG if what == "kg" else _LITRES).get(self.unit)
        return None if factor is None else self.quantity * factor


def country_of(name: str, text: str) -> str:
    """A country as two capitals, "" for unknown."""
    code = text.strip().upper()
    if code and not re.fullmatch("[A-Z]{2}", code):
        raise UsageError(f"{name} {text[:40]!r} is not a country code of two letters, as KP")
    return code


def number_of(name: str, number: float | None) -> float | None:
    """A number that can be meant; NaN is unknown."""
    if number is None or math.isnan(number):
        return None
    if not math.isfinite(number) or number < 0.0:
        raise UsageError(f"{name} must be 0 or more, not {number}")
    return float(number)
