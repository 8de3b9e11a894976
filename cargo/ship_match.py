"""Which known ship a paper means: by number, MMSI, call sign and name, each of which may hold an error.

Another valid IMO number is a veto. A name that is alike is a candidate that something else must confirm, and numerals
must be the same. A number that fails its check digit is mended only where just one known ship has a number with one
other digit, and that is said. What is not sure comes as candidates, with what agrees and what speaks against each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ais.imo import imo_valid
from cargo.identifiers import is_missing
from cargo.party_names import party_name
from cargo.ships import Ship, ShipName, flag_code, names_alike, ship_name

ALIKE = 0.75
"""A name is a candidate from this likeness on: one letter in four."""
SIZE_RATIO = 1.02
"""Tonnages and lengths agree within so much: registers round."""
MOST_NAMES = 20
"""Names alike that are looked at; the most alike first."""
MOST_SISTERS = 200
"""Ships of a numbered fleet that are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipQuery:
    """What a paper says of a ship; texts "" and sizes 0 where it says nothing. Tons and metres."""

    name: str = ""
    imo: str = ""
    mmsi: str = ""
    callsign: str = ""
    flag: str = ""
    type: str = ""
    owner: str = ""
    gross: float = 0.0
    deadweight: float = 0.0
    length: float = 0.0


class ShipCandidate(NamedTuple):
    """A known ship that may be meant: what agrees, what speaks against it, and how alike the name is, 0 to 1."""

    ship: Ship
    agree: tuple[str, ...]
    against: tuple[str, ...]
    alike: float


@dataclass(frozen=True, slots=True)
class ShipAnswer:
    """`ship` where one is identified, else None; the candidates, the best first; and what a reader must know."""

    ship: Ship | None
    why: str
    candidates: tuple[ShipCandidate, ...]
    notes: tuple[str, ...] = ()


class ShipIndex:
    """Known ships, to be asked which of them a paper means.

    >>> from ais.table import NAT
    >>> from cargo.ships import Fact
    >>> told = [("imo-9999993", 9999993, "SEA LARK 1"), ("imo-9999981", 9999981, "SEA LARK 2")]
    >>> index = ShipIndex(Ship(i, n, (Fact("name", name, NAT, NAT, "register"),)) for i, n, name in told)
    >>> index.find(ShipQuery(name="Sea Lrak 1", imo="9999993")).why
    'the IMO number and a name alike (SEA LARK 1)'
    >>> index.find(ShipQuery(name="SEA LARK 2", imo="9999993")).ship is None
    True
    >>> index.find(ShipQuery(name="SEA LARK 1", imo="9999992")).notes
    ('IMO 9999992 fails its check digit; 9999993 is the only known number with one other digit',)
    """

    def __init__(self, ships: Iterable[Ship]) -> None:
        self.ships = tuple(ships)
        self._imo: dict[int, list[Ship]] = {}
        self._mmsi: dict[str, list[Ship]] = {}
        self._callsign: dict[str, list[Ship]] = {}
        self._key: dict[str, list[Ship]] = {}
        self._names: dict[tuple[str, ...], dict[str, list[Ship]]] = {}
        self._letters: dict[str, list[Ship]] = {}
        for ship in self.ships:
            if ship.imo:
                self._imo.setdefault(ship.imo, []).append(ship)
            for mmsi in ship.values("mmsi"):
                self._mmsi.setdefault(mmsi, []).append(ship)
            for sign in ship.values("callsign"):
                self._callsign.setdefault(_sign(sign), []).append(ship)
            for name in {ship_name(text) for text in ship.values("name")}:
                if name.key:
                    self._key.setdefault(name.key, []).append(ship)
                    self._names.setdefault(name.numerals, {}).setdefault(name.letters, []).append(ship)
                    self._letters.setdefault(name.letters, []).append(ship)

    def find(self, query: ShipQuery) -> ShipAnswer:
        """Which ship is meant: one, or candidates, or none."""
        imo, notes, mended = self._number(query.imo)
        name = ship_name(query.name)
        found = {id(ship): ship for ship in self._imo.get(imo, [])}
        found |= {id(ship): ship for ship in self._mmsi.get(query.mmsi.strip(), [])}
        if sign := _sign(query.callsign):
            found |= {id(ship): ship for ship in self._callsign.get(sign, [])}
        found |= {id(ship): ship for ship in self._key.get(name.key, [])}
        found |= {id(ship): ship for ship in self._alike(name)}
        told = [_weigh(ship, query, name, imo, mended) for ship in found.values()]
        told = [one for one in told if one.agree]
        told.sort(key=_order)
        sure = [(one, why) for one in told if (why := _identified(one, query, told, self._shared(one, query, name)))]
        if len(sure) == 1:
            return ShipAnswer(sure[0][0].ship, sure[0][1], tuple(told), notes)
        why = f"{len(sure)} ships fit" if sure else "no candidate" if not told else "nothing confirms the candidates"
        return ShipAnswer(None, why, tuple(told), notes)

    def _shared(self, one: ShipCandidate, query: ShipQuery, name: ShipName) -> set[str]:
        """What agrees with a sister too, a ship of the same name with another numeral: that tells none apart."""
        shared: set[str] = set()
        for letters in {ship_name(text).letters for text in one.ship.values("name")}:
            for sister in self._letters.get(letters, [])[:MOST_SISTERS]:
                if sister is not one.ship:
                    shared.update(_weigh(sister, query, name, 0, False).agree)
        return shared

    def _number(self, text: str) -> tuple[int, tuple[str, ...], bool]:
        """An IMO number that can be used (0 none), what to say of it, and whether it was mended."""
        digits = re.sub(r"(?i)^\s*imo|[\s.:-]", "", text)
        if is_missing(text) or not digits:
            return 0, (), False
        if not (len(digits) == 7 and digits.isascii() and digits.isdigit()):
            return 0, (f"IMO {text[:20]!r} is not seven digits; not used",), False
        if imo_valid(int(digits)):
            return int(digits), (), False
        near = sorted(
            {
                number
                for at in range(7)
                for digit in "0123456789"
                if (number := int(digits[:at] + digit + digits[at + 1 :])) in self._imo
            }
        )
        if len(near) == 1:
            note = f"IMO {digits} fails its check digit; {near[0]} is the only known number with one other digit"
            return near[0], (note,), True
        other = f"{len(near)} known numbers have one other digit" if near else "no known number has one other digit"
        return 0, (f"IMO {digits} fails its check digit, and {other}; not used",), False

    def _alike(self, name: ShipName) -> list[Ship]:
        """Ships of names alike, with the same numerals."""
        bucket = self._names.get(name.numerals)
        if not bucket or not name.letters:
            return []
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        found = process.extract(
            name.letters, list(bucket), scorer=OSA.normalized_similarity, score_cutoff=ALIKE, limit=MOST_NAMES
        )
        return [ship for letters, _, _ in found for ship in bucket[letters]]


def _sign(text: str) -> str:
    return "" if is_missing(text) else re.sub(r"[^A-Z0-9]", "", text.upper())


def _weigh(ship: Ship, query: ShipQuery, name: ShipName, imo: int, mended: bool) -> ShipCandidate:
    """What agrees and what speaks against a ship."""
    agree: list[str] = []
    against: list[str] = []
    if imo and ship.imo == imo:
        agree.append("IMO number mended" if mended else "IMO number")
    elif imo and ship.imo:
        against.append("IMO number")
    for kind, mine, theirs in (
        ("MMSI", query.mmsi.strip(), set(ship.values("mmsi"))),
        ("call sign", _sign(query.callsign), {_sign(text) for text in ship.values("callsign")}),
        ("flag", flag_code(query.flag), {flag_code(text) for text in ship.values("flag")} - {""}),
        ("type", _type(query.type), {_type(text) for text in ship.values("type")} - {""}),
        ("owner", party_name(query.owner).key.strip(), {party_name(text).key for text in ship.values("owner")}),
    ):
        if mine and theirs:
            (agree if mine in theirs else against).append(kind)
    sizes = [("gross", query.gross), ("deadweight", query.deadweight), ("length", query.length)]
    fits = [_size_fits(size, ship.values(kind)) for kind, size in sizes]
    if any(fit is not None for fit in fits):
        (against if False in fits else agree).append("size")
    alike = max((names_alike(name, ship_name(text)) for text in ship.values("name")), default=0.0)
    if alike >= ALIKE:
        agree.append("name" if alike == 1.0 else "name alike")
    elif name.key and ship.values("name"):
        against.append("name")
    return ShipCandidate(ship, tuple(agree), tuple(against), alike)


_TYPES = ("tanker", "container", "bulk", "fishing", "tug", "yacht", "passenger", "ro", "dredger", "barge", "cargo")


def _type(text: str) -> str:
    """The kind of ship, by the first word of the list that is in the text."""
    words = re.findall("[a-z]+", text[:100].lower())
    return next((kind for kind in _TYPES if kind in words), "")


def _size_fits(size: float, told: tuple[str, ...]) -> bool | None:
    """Whether a size is that of a ship; None where either is not known."""
    known = [float(digits) for text in told if (digits := text.replace(",", "")).replace(".", "", 1).isdigit()]
    known = [value for value in known if value > 0.0]
    if not (size > 0.0 and known):
        return None
    return any(max(size, value) <= SIZE_RATIO * min(size, value) for value in known)


_WEAK = frozenset(("flag", "type", "size", "owner"))


def _identified(one: ShipCandidate, query: ShipQuery, told: list[ShipCandidate], shared: set[str]) -> str:
    """Why a candidate is the ship that is meant, "" where it may be another."""
    agree, against = set(one.agree), set(one.against)
    if "IMO number" in against:
        return ""
    named = "the name" if "name" in agree else f"a name alike ({one.ship.name})" if "name alike" in agree else ""
    signs = [kind for kind in ("MMSI", "call sign") if kind in agree]
    rival = any(other is not one and other.alike >= max(one.alike, ALIKE) for other in told)
    if one.alike < 1.0 and any(other.alike == 1.0 for other in told):
        named = ""
    weak, weak_against = (agree & _WEAK) - shared, against & _WEAK
    if "IMO number" in agree:
        confirmed = [*([named] if named else []), *(f"the {kind}" for kind in signs)]
        if confirmed or not query.name.strip():
            return " and ".join(["the IMO number", *confirmed])
        return ""
    if "IMO number mended" in agree:
        if signs or "name" in agree or (named and weak and not weak_against and not rival):
            return " and ".join(["the IMO number with one digit mended", *([named] if named else []), *signs])
        return ""
    if signs and named:
        return " and ".join([named, *(f"the {kind}" for kind in signs)])
    if len(signs) == 2 and not query.name.strip():
        return "the MMSI and the call sign"
    exact_enough = "name" in agree and len(weak) > 1
    alike_enough = "name alike" in agree and len(weak) > 2 and "size" in weak
    if (exact_enough or alike_enough) and not weak_against and not rival and not {"MMSI", "call sign"} & against:
        return " and ".join([named, *(f"the {kind}" for kind in sorted(weak))])
    return ""


def _order(one: ShipCandidate) -> tuple[float, ...] | tuple[object, ...]:
    """The best candidate first: vetoes last, then what agrees, then the name."""
    weights = {
        "IMO number": 4.0,
        "IMO number mended": 3.0,
        "MMSI": 3.0,
        "call sign": 3.0,
        "name": 3.0,
        "name alike": 2.0,
    }
    total = sum(weights.get(kind, 1.0) for kind in one.agree) - sum(0.5 for _ in one.against)
    return ("IMO number" in one.against, -total, -one.alike, one.ship.id)
