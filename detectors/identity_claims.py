"""What a ship says of itself beside what numbers, flags and a register allow: one check after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.flags import flag_of_callsign, flag_of_mmsi
from ais.imo import imos_valid, imos_wrong
from ais.table import NAT, Table
from detectors.event import IDENTITY, blank, joined_events, label_code
from detectors.identity_changes import alike_texts, group_of
from detectors.identity_events import FACTS, Spans, of_spans, put, spans, told
from detectors.identity_registry import Entry, Registry
from detectors.said import Said
from geo.kernel import kernel

NOBODYS = (1_234_567, 5_555_555)
"""Numbers with a right check digit that are typed in where none is known."""
LAST_VOYAGE_US = 90 * 86_400_000_000
"""A ship sold for scrap still sails to the beach, and registers close late."""
SIZE_M, SIZE_SHARE = 3.0, 0.05
"""Lengths overall and as broadcast differ by this much without reason: typed from memory, or another length taken."""


@kernel
def same_name(texts, i, j):
    """Are two texts one name? For a comparison from Python."""
    return alike_texts(texts, i, j, True)


@kernel
def same_group(a, b):
    """Are two ship types of one group? For a comparison from Python."""
    return group_of(a) == group_of(b)


def wrong_check_digits(said: Said, identity: Table, least: tuple[int, int]) -> NDArray[Any]:
    """IMO numbers whose last digit does not check the others."""
    rows = np.flatnonzero(imos_wrong(said.imo))
    found = spans(said, said.imo.astype(np.int64), rows, least)
    events = of_spans("imo_check_digit", found, identity)
    events["facts"][:, FACTS.index("imo")] = found.value
    return events


def unknown_flags(ships: NDArray[Any], min_fixes: int, least_us: int) -> NDArray[Any]:
    """MMSIs whose first three digits are given to no country."""
    long = (ships["n"] >= min_fixes) & (ships["t_last"] - ships["t_first"] >= least_us)
    ships = ships[long & (flag_of_mmsi(ships["mmsi"]) < 0)]
    events = blank(ships.size, IDENTITY)
    events["label"], events["mmsi"], events["n"] = label_code("flag"), ships["mmsi"], ships["n"]
    events["t_start"], events["t_end"], events["score"] = ships["t_first"], ships["t_last"], told(ships["n"])
    events["lat"], events["lon"] = ships["lat_first"], ships["lon_first"]
    events["lat_end"], events["lon_end"] = ships["lat_last"], ships["lon_last"]
    events["facts"][:, FACTS.index("value_before")] = ships["mmsi"] // 1_000_000
    return events


def flags_apart(said: Said, identity: Table, least: tuple[int, int]) -> NDArray[Any]:
    """MMSIs of one country with call signs of another.

    Ships alone: their call signs are given out with the flag. Boats under 24 m and craft without dimensions keep the
    call sign of a club, a builder or a former owner too often to say anything.
    """
    signs: NDArray[Any] = identity["callsign"]
    if signs.size:
        signs = np.asarray(np.char.upper(np.char.strip(signs)), signs.dtype)
    claimed, mine = flag_of_callsign(signs), flag_of_mmsi(said.mmsi)
    rows = np.flatnonzero((claimed >= 0) & (mine >= 0) & (claimed != mine) & (said.length >= 24))
    found = spans(said, claimed.astype(np.int64), rows, least)
    events = of_spans("flag", found, identity)
    events["facts"][:, FACTS.index("value_before")] = found.mmsi // 1_000_000
    return events


def against_registry(said: Said, identity: Table, registry: Registry, least: tuple[int, int]) -> NDArray[Any]:
    """IMO numbers of ships that are no more, that other hulls bear, or that fly another flag than the register says."""
    listed = np.isin(said.imo, np.fromiter(registry.entries, np.uint32, len(registry.entries)))
    found = spans(said, said.imo.astype(np.int64), np.flatnonzero(listed), least)
    pieces = [blank(0, IDENTITY)]
    for k in range(found.mmsi.size):
        one = found.take(slice(k, k + 1))
        entry = registry.entries[int(one.value[0])]
        row, flag = int(one.last[0]), int(flag_of_mmsi(one.mmsi)[0])
        words = []
        if entry.gone and (entry.t_gone == NAT or one.t_last[0] > entry.t_gone + LAST_VOYAGE_US):
            words.append("zombie_imo")
        compared, differ, another_hull = _compared(said, row, entry)
        if another_hull:
            words.append("cloned_imo")
        if entry.flags and flag >= 0 and flag not in entry.flags:
            words.append("flag")
        for word in words:
            event = of_spans(word, one, identity)
            put(event[0], imo=entry.imo, fields_compared=compared, fields_differ=differ)
            if word == "cloned_imo":
                event["score"] *= differ / compared
                put(event[0], value_before=entry.length_m or np.nan, value_after=said.length[row] or np.nan)
                put(event[0], beam_before_m=entry.beam_m or np.nan, beam_after_m=said.beam[row] or np.nan)
            pieces.append(event)
    return joined_events(*pieces)


def _differs(a: float, b: float) -> bool:
    return abs(a - b) > max(SIZE_M, SIZE_SHARE * max(a, b))


def _compared(said: Said, row: int, entry: Entry) -> tuple[int, int, bool]:
    """Fields known on both sides, those that differ, and whether that takes another hull: other dimensions, or another
    type of ship with another name. A ship may be renamed and reflagged after a register was printed."""
    tests: dict[str, bool] = {}
    if said.length[row] > 0 and entry.length_m > 0:
        tests["length"] = _differs(float(said.length[row]), entry.length_m)
    if said.beam[row] > 0 and entry.beam_m > 0:
        tests["beam"] = _differs(float(said.beam[row]), entry.beam_m)
    if said.ship_type[row] > 0 and entry.ship_type > 0:
        tests["type"] = not same_group(int(said.ship_type[row]), entry.ship_type)
    if said.name[row, 0] and entry.names:
        tests["name"] = not any(_same_name(said, row, name) for name in entry.names)
    if said.callsign[row, 0] and entry.callsign:
        tests["callsign"] = said.callsign[row].tobytes().rstrip(b"\0 ") != entry.callsign.encode()
    hull = tests.get("length", False) or tests.get("beam", False)
    return len(tests), sum(tests.values()), hull or (tests.get("type", False) and tests.get("name", False))


def _same_name(said: Said, row: int, name: str) -> bool:
    """Is the name that the ship says the one given? Registers write more letters than a message has room for."""
    width = said.name.shape[1]
    given = name.upper().encode("ascii", "replace")[:width].ljust(width, b"\0")
    return bool(same_name(np.stack([said.name[row], np.frombuffer(given, np.uint8)]), 0, 1))


def one_number_two_ships(said: Said, least: tuple[int, int]) -> list[tuple[Spans, int, int]]:
    """Pairs of ships that said one valid IMO number in the same time: the spans, and two rows of them.

    Where more than two share a number, each is paired with the one that said it most often.
    """
    good = imos_valid(said.imo) & ~np.isin(said.imo, NOBODYS)
    found = spans(said, said.imo.astype(np.int64), np.flatnonzero(good), least)
    order = np.lexsort((found.mmsi, -found.n, found.value))
    pairs, first = [], -1
    for k in order.tolist():
        if first < 0 or found.value[first] != found.value[k]:
            first = k
        elif min(found.t_last[first], found.t_last[k]) - max(found.t_first[first], found.t_first[k]) >= least[1]:
            pairs.append((found, first, k))
    return pairs
