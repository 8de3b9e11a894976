"""Ships with dated identities: each name, flag, MMSI, call sign and owner holds from a day to a day, by a source.

An IMO number belongs to a hull for good; all else is an interval. Sources are what a ship said of itself
(`ais.identity`), tables of registers, and watch-lists. A time that a source does not give is unknown, and is never
filled in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from ais.imo import imo_valid
from ais.table import NAT, Table
from cargo.addresses import country_code
from cargo.identifiers import is_missing, ship_key
from cargo.party_names import MAX_NAME, clean_text, latin

KINDS = ("name", "flag", "mmsi", "callsign", "owner", "manager", "type", "gross", "deadweight", "length")
"""What is told of a ship; gross and deadweight in tons, length in metres, as texts."""
_WEEK_US = 7 * 86_400_000_000


class Fact(NamedTuple):
    """One thing told of a ship, from `t_from` to `t_to` (µs since 1970 UTC, `NAT` not known), and by whom."""

    kind: str
    value: str
    t_from: int
    t_to: int
    source: str


@dataclass(frozen=True, slots=True)
class Ship:
    """One hull as known: its IMO number (0 unknown) and all facts, by kind and time. `id` is "imo-" or "ship-"..."""

    id: str
    imo: int
    facts: tuple[Fact, ...]

    def values(self, kind: str) -> tuple[str, ...]:
        """All that is told of one kind, each once, in the order of the facts."""
        return tuple(dict.fromkeys(fact.value for fact in self.facts if fact.kind == kind))

    def during(self, kind: str, t_from: int, t_to: int) -> tuple[str, ...]:
        """What was told of one kind for some time between two; a fact without times may have held at any."""
        found = (fact for fact in self.facts if fact.kind == kind)
        return tuple(
            dict.fromkeys(
                fact.value
                for fact in found
                if (fact.t_from == NAT or fact.t_from <= t_to) and (fact.t_to == NAT or fact.t_to >= t_from)
            )
        )

    @property
    def name(self) -> str:
        """The latest name, "" if none is known."""
        names = [fact for fact in self.facts if fact.kind == "name"]
        return max(names, key=lambda fact: (fact.t_to, fact.t_from)).value if names else ""


class ShipName(NamedTuple):
    """A ship's name for comparison: `key` as `ship_key`, its letters, and its numerals with Roman ones as numbers."""

    key: str
    letters: str
    numerals: tuple[str, ...]


_ROMAN = {
    "I": 1,
    "II": 2,
    "III": 3,
    "IV": 4,
    "V": 5,
    "VI": 6,
    "VII": 7,
    "VIII": 8,
    "IX": 9,
    "X": 10,
    "XI": 11,
    "XII": 12,
}


@lru_cache(maxsize=1 << 16)
def ship_name(text: str) -> ShipName:
    """A name taken apart; empty for a placeholder and for a text that is too long to be one.

    A single letter at the end numbers a ship too: SEA LARK A is not SEA LARK B.

    >>> ship_name("M/V Chon Ma San No. 1"), ship_name("Sea Lark II").numerals, ship_name("SEA LARK B").numerals
    (ShipName(key='CHONMASAN|1', letters='CHONMASAN', numerals=('1',)), ('2',), ('B',))
    >>> ship_name("천마산 1").letters
    'CHEONMASAN'
    """
    if len(text) > MAX_NAME or is_missing(text):
        return ShipName("", "", ())
    plain = latin(clean_text(text))
    key = ship_key(plain)
    letters: list[str] = []
    numerals: list[str] = []
    parts = key.split("|")
    for i, part in enumerate(parts):
        if part.isdigit():
            numerals.append(part.lstrip("0") or "0")
        elif i > 0 and i == len(parts) - 1 and part in _ROMAN:
            numerals.append(str(_ROMAN[part]))
        else:
            letters.append(part)
    words = plain.split()
    if len(words) > 1 and len(words[-1]) == 1 and letters and letters[-1].endswith(words[-1]) and not numerals:
        letters[-1] = letters[-1][:-1]
        numerals.append(words[-1])
    return ShipName(key, "".join(letters), tuple(numerals))


def names_alike(a: ShipName, b: ShipName) -> float:
    """How alike two names are, 0 to 1: 1 the same key, 0 where the numerals differ.

    >>> names_alike(ship_name("CHON MA SAN 1"), ship_name("CHON MA SAN 2"))
    0.0
    >>> names_alike(ship_name("CHON MA SAN 1"), ship_name("CHONMA SAN I"))
    0.99
    """
    if not a.key or not b.key or a.numerals != b.numerals:
        return 0.0
    if a.key == b.key:
        return 1.0
    from rapidfuzz.distance import OSA

    from cargo.party_names import sounds

    if a.letters == b.letters:
        return 0.99
    sound = 0.95 if sounds(a.letters) == sounds(b.letters) else 0.0
    return float(max(sound, OSA.normalized_similarity(a.letters, b.letters)))


def flag_code(text: str) -> str:
    """A flag as ISO 3166 alpha-2; "" where the text names no state, or may name several.

    >>> flag_code("Togo"), flag_code("Korea"), flag_code("Democratic People's Republic of Korea")
    ('TG', '', 'KP')
    >>> flag_code("Korea, Republic of")  # as ISO 3166 has it
    'KR'
    """
    from geo.place_words import words

    if len(text) > MAX_NAME or is_missing(text):
        return ""
    name, _, more = text.partition(",")
    return country_code(words(text)) or (country_code(words(f"{more} {name}")) if more else "")


def facts_of(told: Mapping[str, str], t_from: int, t_to: int, source: str) -> Iterator[Fact]:
    """The facts of one row, by kind; what is missing or only a placeholder makes none."""
    for kind in KINDS:
        value = told.get(kind, "")
        if len(value) > MAX_NAME or is_missing(value):
            continue
        value = clean_text(value)
        if kind == "mmsi" and not (value.isascii() and value.isdigit() and len(value) == 9):
            continue
        if kind == "flag":
            value = flag_code(value) or value
        if value:
            yield Fact(kind, value, t_from, t_to, source)


def ships_of_identity(identity: Table, source: str = "AIS") -> list[Ship]:
    """What ships said of themselves (`Events.identity`), as ships.

    The flag is by the first digits of the MMSI. One ship for each IMO number, and one for each MMSI that told no valid
    number.

    >>> import numpy as np
    >>> rows = Table({"t_from": np.array([0, 9]), "t_to": np.array([5, 12]), "mmsi": np.array([671999101] * 2),
    ...     "imo": np.array([9999993] * 2), "name": np.array([b"LARK", b"TERN"]), "callsign": np.array([b""] * 2)})
    >>> [(fact.value, fact.t_from) for fact in ships_of_identity(rows)[0].facts if fact.kind == "name"]
    [('LARK', 0), ('TERN', 9)]
    """
    from ais.flags import flag_of_mmsi, flags

    names = ("t_from", "t_to", "mmsi", "imo", "name", "callsign")
    codes = flag_of_mmsi(identity["mmsi"]).tolist()
    found = []
    rows = zip(*(identity[column].tolist() for column in names), strict=True)
    for (t_from, t_to, mmsi, imo, name, sign), code in zip(rows, codes, strict=True):
        told = {
            "name": _text(name),
            "callsign": _text(sign),
            "mmsi": str(mmsi),
            "flag": flags()[code] if code > 0 else "",
        }
        found.append(Ship("", imo if imo_valid(imo) else 0, tuple(facts_of(told, t_from, t_to, source))))
    return gather(found)


def _text(value: Any) -> str:
    return value.decode("ascii", "replace").strip() if isinstance(value, bytes) else str(value or "").strip()


def gather(ships: Iterable[Ship]) -> list[Ship]:
    """Ships of several sources put together, sorted by id.

    By IMO number; a ship without one goes to the ship that used its MMSI and its name, where that is one ship; else to
    others without number that used the same MMSI.
    """
    by_imo: dict[int, list[Fact]] = {}
    without: list[Ship] = []
    for ship in ships:
        if ship.imo:
            by_imo.setdefault(ship.imo, []).extend(ship.facts)
        else:
            without.append(ship)
    used: dict[tuple[str, str], set[int]] = {}
    for imo, facts in by_imo.items():
        for mmsi in {fact.value for fact in facts if fact.kind == "mmsi"}:
            for name in {ship_name(fact.value).key for fact in facts if fact.kind == "name"}:
                used.setdefault((mmsi, name), set()).add(imo)
    lone: dict[str, list[Fact]] = {}
    for n, ship in enumerate(without):
        mmsi, name = (next(iter(ship.values(kind)), "") for kind in ("mmsi", "name"))
        owners = used.get((mmsi, ship_name(name).key), set())
        if len(owners) == 1:
            by_imo[next(iter(owners))].extend(ship.facts)
        else:
            lone.setdefault(f"mmsi-{mmsi}" if mmsi else ship.id or f"ship-{n}", []).extend(ship.facts)
    found = [Ship(f"imo-{imo}", imo, _joined(facts)) for imo, facts in by_imo.items()]
    found += [Ship(name, 0, _joined(facts)) for name, facts in lone.items()]
    return sorted(found, key=lambda ship: ship.id)


def _joined(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """Facts sorted by kind and time; one that goes on, by the same source and within a week, is one."""
    out: list[Fact] = []
    by_value = sorted(set(facts), key=lambda f: (KINDS.index(f.kind), f.source, f.value, f.t_from, f.t_to))
    for fact in by_value:
        last = out[-1] if out else None
        same = last is not None and (last.kind, last.value, last.source) == (fact.kind, fact.value, fact.source)
        if same and last is not None and NAT not in (last.t_to, fact.t_from) and fact.t_from <= last.t_to + _WEEK_US:
            out[-1] = last._replace(t_to=max(last.t_to, fact.t_to))
        else:
            out.append(fact)
    return tuple(sorted(out, key=lambda f: (KINDS.index(f.kind), f.t_from, f.t_to, f.value, f.source)))
