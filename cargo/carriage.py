"""Which ship carried a leg: candidates with probabilities, or none, or many.

Every ship that sailed from the load port about the declared departure is a candidate, and every ship that answers to
the name or number on the paper. What is weighed: sailing and arrival against the declared dates, the calls at both
ports in order, the ship's type and size against the cargo, and names and numbers (`cargo.carriage_kernel.Weights`).
Another IMO number, a port call from which the ship could not have come in time, and a ship too small are vetoes. The
probabilities of all candidates and of *none of the ships heard* add up to one. Names are compared with their numerals
exact; a slip of one letter, or of one digit of an IMO number whose check digit shows it, makes a candidate that ports
and dates must confirm, never a match by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ais.imo import imo_valid
from cargo.calls import Calls, calls_at, calls_of
from cargo.carriage_columns import LegColumns, Out, Said, Scratch, Ships, Weights
from cargo.carriage_kernel import (
    DISCHARGED,
    IMO,
    IMO_SLIP,
    KEPT,
    LOADED,
    MMSI,
    NAME,
    NAME_SLIP,
    OTHER_MMSI,
    OTHER_NAME,
    VETO_ELSEWHERE,
    VETO_IMO,
    VETO_SIZE,
    VETOES,
    weigh,
)
from cargo.fleet import Fleet, Identity
from cargo.identifiers import ship_key
from cargo.legtable import LegTable
from geo.sphere import unit_vectors

_SCRATCH = 16_384
"""Candidates of one leg at most; more sail from no port within two weeks."""
_CHUNK = 50_000
_LEAST_LETTERS = 5
"""A slip in a shorter name may be another name."""
_WORDS = (
    (IMO, "IMO number"), (IMO_SLIP, "IMO number but for one digit"), (MMSI, "MMSI"), (NAME, "name"),
    (NAME_SLIP, "name but for one letter"), (LOADED, "sailed from the load port in time"),
    (DISCHARGED, "called at the discharge port"), (OTHER_NAME, "against it: another name"),
    (OTHER_MMSI, "against it: another MMSI"), (VETO_IMO, "veto: another IMO number"),
    (VETO_ELSEWHERE, "veto: could not have been at the load port"), (VETO_SIZE, "veto: too small for the cargo"),
)  # fmt: skip


class Candidate(NamedTuple):
    """A ship that may have carried a leg: its calls (rows of the events, -1 none), how likely, and why."""

    mmsi: int
    name: str
    imo: int
    probability: float
    load_row: int
    discharge_row: int
    bits: int

    @property
    def why(self) -> str:
        """What speaks for it and against it, in words."""
        return ", ".join(text for bit, text in _WORDS if self.bits & bit)

    @property
    def vetoed(self) -> bool:
        """Whether something excludes it."""
        return bool(self.bits & VETOES)


class Carriage(NamedTuple):
    """The candidates of one leg, likeliest first (vetoed ones last), how many there are in all, and P(none of them)."""

    candidates: tuple[Candidate, ...]
    n: int
    none: float


class _Names:
    """Codes of the ship names that were heard, and those one letter away from a name."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.code = {key: code for code, key in enumerate(dict.fromkeys(keys))}
        self._short: dict[tuple[str, str], list[str]] = {}
        for key in self.code:
            for short in _shortened(key):
                self._short.setdefault(short, []).append(key)

    def near(self, key: str) -> list[int]:
        """Codes of the names that differ by one letter: another, one more, one less, or two swapped."""
        letters = key.partition("|")[0]
        if len(letters) < _LEAST_LETTERS:
            return []
        found = {other for short in _shortened(key) for other in self._short.get(short, [])}
        return sorted(self.code[o] for o in found if o != key and _one_slip(letters, o.partition("|")[0]))


def _shortened(key: str) -> set[tuple[str, str]]:
    """The letters of a name, whole and less any one of them, with its numerals."""
    letters, _, numerals = key.partition("|")
    return {(letters, numerals), *((letters[:k] + letters[k + 1 :], numerals) for k in range(len(letters)))}


def _one_slip(a: str, b: str) -> bool:
    """Whether two texts are one insertion, deletion, replacement or swap of neighbours apart.

    >>> _one_slip("CHONMASAN", "CHONNASAN"), _one_slip("ABCD", "ACBD"), _one_slip("ABCD", "ACDB")
    (True, True, False)
    """
    if len(a) > len(b):
        a, b = b, a
    k = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if len(a) < len(b):
        return len(b) == len(a) + 1 and a[k:] == b[k + 1 :]
    return a[k + 1 :] == b[k + 1 :] or (a[k : k + 2] == b[k : k + 2][::-1] and a[k + 2 :] == b[k + 2 :])


def imo_slips(text: str) -> list[int]:
    """The valid IMO numbers one slip away from digits that are none: one replaced, two swapped, one lost or too many.

    >>> imo_slips("947115")[:3], 9417115 in imo_slips("947115"), imo_slips("9999993"), imo_slips("12")
    ([4947115, 9417115, 9437115], True, [], [])
    """
    digits = "".join(c for c in text if c.isascii() and c.isdigit())
    if not 6 <= len(digits) <= 8 or (len(digits) == 7 and imo_valid(int(digits))):
        return []
    found: set[str] = set()
    if len(digits) == 7:
        found |= {digits[:k] + d + digits[k + 1 :] for k in range(7) for d in "0123456789"}
        found |= {digits[:k] + digits[k + 1] + digits[k] + digits[k + 2 :] for k in range(6)}
    elif len(digits) == 6:
        found |= {digits[:k] + d + digits[k:] for k in range(7) for d in "0123456789"}
    else:
        found |= {digits[:k] + digits[k + 1 :] for k in range(8)}
    return sorted(number for number in map(int, found) if imo_valid(number))


class Carriers:
    """All ships and port calls of the events, ready to be asked which ship carried a leg."""

    def __init__(self, fleet: Fleet, weights: Weights | None = None) -> None:
        self._fleet, self._weights = fleet, weights or Weights()
        calling = np.unique(fleet.events["mmsi"]).tolist() if len(fleet.events) else []
        heard = sorted({v.mmsi for v in fleet.vessels} | {s.mmsi for s in fleet.identities} | set(calling))
        self._mmsi = np.array(heard, np.uint32)
        self._names = _Names(key for mmsi in heard for s in fleet.said(mmsi) if (key := ship_key(s.name)))
        self._told = [_last_told(fleet.said(mmsi)) for mmsi in heard]
        self._ships = self._tell_ships(heard)
        self._calls: Calls = calls_of(fleet.events, self._mmsi)

    def _tell_ships(self, heard: Sequence[int]) -> Ships:
        last = {v.mmsi: v for v in sorted(self._fleet.vessels, key=lambda v: (v.mmsi, v.t_last))}
        first = {v.mmsi: v.t_first for v in sorted(self._fleet.vessels, key=lambda v: (v.mmsi, -v.t_first))}
        said = [self._fleet.said(mmsi) for mmsi in heard]
        flat = [one for some in said for one in some]
        vessels = [last.get(mmsi) for mmsi in heard]
        nat = np.iinfo(np.int64).min
        return Ships(
            self._mmsi,
            np.array([v.ship_type if v else 0 for v in vessels], np.uint8),
            np.array([v.length_m if v else np.nan for v in vessels], np.float64),
            np.array([first.get(mmsi, nat) for mmsi in heard], np.int64),
            np.array([v.t_last if v else nat for v in vessels], np.int64),
            np.cumsum([0, *map(len, said)]),
            np.array([one.t_from for one in flat], np.int64),
            np.array([one.t_to for one in flat], np.int64),
            np.array([one.imo if imo_valid(one.imo) else 0 for one in flat], np.uint32),
            np.array([self._names.code.get(ship_key(one.name), -1) for one in flat], np.int32),
        )

    def of(self, table: LegTable, legs: NDArray[np.int64], threads: int = 2) -> Carriages:
        """The candidates of some legs of a table; the number of threads changes nothing."""
        columns, said, ports = self._columns(table, legs)
        unit = _unit_vectors(ports)
        at = calls_at(self._fleet.events, self._calls, ports)
        shape = (legs.size, KEPT)
        out = Out(
            np.full(shape, -1, np.int32), np.full(shape, -1, np.int32), np.full(shape, -1, np.int32),
            np.zeros(shape, np.float32), np.zeros(shape, np.int16), np.zeros(legs.size, np.int32), np.zeros(legs.size),
        )  # fmt: skip

        order = np.lexsort((columns.depart0, columns.load))

        def work(begin: int) -> None:
            some = order[begin : begin + _CHUNK]
            weigh(columns, some, said, self._ships, self._calls, at, unit, self._weights, self._scratch(), out)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, range(0, legs.size, _CHUNK)))
        return Carriages(self._mmsi, self._told, np.append(self._calls.row, -1), out)

    def _scratch(self) -> Scratch:
        ships = self._mmsi.size
        return Scratch(
            np.zeros(ships, np.int32), np.full(ships, -1, np.int32), np.zeros(_SCRATCH, np.int32),
            np.zeros(_SCRATCH, np.int64), np.zeros(_SCRATCH, np.int64), np.zeros(_SCRATCH),
            np.zeros(_SCRATCH, np.int64),
        )  # fmt: skip

    def _columns(self, table: LegTable, legs: NDArray[np.int64]) -> tuple[LegColumns, Said, list[str]]:
        """The legs as columns, what they say of their ships, and their ports."""
        slip = np.where(table.imo > 0, 0, table.imo_text)
        rows = np.stack([table.imo, slip, table.mmsi, table.name], axis=1)[legs]
        who, index = np.unique(rows, axis=0, return_inverse=True)
        named = [(imo, table.imo_texts[text], mmsi, table.names[name]) for imo, text, mmsi, name in who.tolist()]
        columns = LegColumns(
            table.load[legs].astype(np.int64) - 1,
            table.discharge[legs].astype(np.int64) - 1,
            table.depart0[legs],
            table.depart1[legs],
            table.arrive0[legs],
            table.arrive1[legs],
            table.weight_kg[legs],
            index.reshape(-1),
        )
        return columns, self._answering(named), table.ports[1:]

    def _answering(self, named: Sequence[tuple[int, str, int, str]]) -> Said:
        """For each way in which rows name their ship the ships that answer to it."""
        index = {mmsi: k for k, mmsi in enumerate(self._mmsi.tolist())}
        by_name: dict[int, set[int]] = {}
        ship_of = np.repeat(np.arange(self._mmsi.size), np.diff(self._ships.said_first))
        for ship, code in zip(ship_of.tolist(), self._ships.said_name.tolist(), strict=True):
            by_name.setdefault(code, set()).add(ship)
        first, ships, all_bits = [0], [], []
        for imo, imo_text, mmsi, key in named:
            bits: Counter[int] = Counter()
            numbers = [(imo, IMO)] if imo else [(slip, IMO_SLIP) for slip in imo_slips(imo_text)]
            for number, bit in numbers:
                for ship in {index[one.mmsi] for one in self._fleet.by_imo(number)}:
                    bits[ship] |= bit
            if mmsi in index:
                bits[index[mmsi]] |= MMSI
            codes = [(self._names.code[key], NAME)] if key in self._names.code else []
            for code, bit in [*codes, *((code, NAME_SLIP) for code in self._names.near(key))]:
                for ship in by_name.get(code, ()):
                    bits[ship] |= bit
            ships += sorted(bits)
            all_bits += [bits[ship] for ship in sorted(bits)]
            first.append(len(ships))
        return Said(
            np.array([one[0] for one in named], np.uint32),
            np.array([one[2] for one in named], np.uint32),
            np.array([self._names.code.get(one[3], -2) if one[3] else -1 for one in named], np.int32),
            np.array(first, np.int64),
            np.array(ships, np.int32),
            np.array(all_bits, np.int64),
        )


class Carriages(Sequence[Carriage]):
    """Who may have carried each of some legs, written out when asked for.

    `out` has all of them as arrays; its ships are places in `mmsi` and `told`, the name and IMO number that each told
    last, its calls places in `rows`, the rows of the events.
    """

    def __init__(
        self, mmsi: NDArray[np.uint32], told: Sequence[tuple[str, int]], rows: NDArray[np.int64], out: Out
    ) -> None:
        self.out, self.mmsi, self.told, self.rows = out, mmsi, told, rows

    def __len__(self) -> int:
        return int(self.out.n.size)

    def __getitem__(self, k: int) -> Carriage:  # type: ignore[override]
        out, found = self.out, np.flatnonzero(self.out.ship[k] >= 0).tolist()
        candidates = tuple(self._candidate(out.ship.item(k, at), k, at) for at in found)
        return Carriage(candidates, int(self.out.n[k]), float(self.out.none[k]))

    def _candidate(self, ship: int, k: int, at: int) -> Candidate:
        name, imo = self.told[ship]
        load, discharge = self.rows.item(self.out.load_call[k, at]), self.rows.item(self.out.discharge_call[k, at])
        probability, bits = self.out.probability.item(k, at), self.out.bits.item(k, at)
        return Candidate(self.mmsi.item(ship), name, imo, probability, load, discharge, bits)

    def take(self, legs: NDArray[np.int64]) -> Carriages:
        """Those of some of the legs, by place."""
        return Carriages(self.mmsi, self.told, self.rows, Out(*(column[legs] for column in self.out)))


def _last_told(said: Sequence[Identity]) -> tuple[str, int]:
    """The name and IMO number that a ship told last."""
    told = [one for one in said if one.name or one.imo]
    return (told[-1].name, told[-1].imo) if told else ("", 0)


def _unit_vectors(ports: Sequence[str]) -> NDArray[np.float64]:
    """Where ports lie, as (n, 3) unit vectors; NaN where that is not known."""
    from geo.ports import port_by_code

    places = [port_by_code(port) for port in ports]
    lat, lon = ([getattr(place, name, np.nan) for place in places] for name in ("lat", "lon"))
    return unit_vectors(lat, lon)
