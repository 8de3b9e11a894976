"""Ports by name: one only when the text leaves no doubt, else those that it may mean.

A text comes from a bill of lading, or was typed on a bridge: "Pusan (declared)", "KR PUS", "CNDLC>KRPUS", "PORT OF
BUSAN, KOREA", "Владивосток". It is read in several ways, the most literal first: as a code; as a name or alias (case,
accents and signs aside); without the country at its end; without words like "port" and "anchorage". Only then names
that are alike are looked for. A name that several ports bear is never settled by guessing, a country that does not fit
raises doubt, and numerals must agree to the letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.errors import UsageError
from geo.kernel import kernel
from geo.place_words import GENERIC, NOWHERE, OF, core, countries_of, is_number, words
from geo.port_table import HAND_CHECKED, Port, is_code, port_by_code, ports
from geo.sphere import distance_m

_WIDTH = 32
"""Letters of a name that are compared; the rest of a longer name is not looked at."""
_SURE_LETTERS = 9
"""A misspelt name this long, one slip away from one port and from no other, is taken for that port."""
_SAME_PLACE_M = 30_000.0
"""Ports of one name this close are parts of one place ("Busan", "Busan New Port")."""
_PORT = frozenset(("port", "porto", "puerto", "havre", "pelabuhan"))
"""Before a name they may be part of it: Port Isabel is not Isabel."""
_ONE_HARBOUR_M = 10_000.0
"""Ports of one name this close are one harbour under two codes."""
_MOST = 50
"""Candidates that are kept."""
_TEXT_LETTERS = 200
"""More of a text is not read: AIS has 20, a bill of lading some dozens."""


class Candidate(NamedTuple):
    """A port that a text may mean."""

    port: Port
    score: float
    """How alike the names are: 1 for the same name, 0.9 for one that goes on where the text ends, 0.8 for one that the
    text begins with, 1 - slips / letters for one that is misspelt."""


class PortMatch(NamedTuple):
    """What a text means."""

    port: Port | None
    """The port, when the text leaves no doubt."""
    several: tuple[Candidate, ...]
    """What it may mean when it does, the likeliest first; empty beside a port, and where nothing is near."""
    how: str
    """"code", "name", "alias" or "alike": by what; "" where nothing was found."""


class _Names(NamedTuple):
    """Every name of every port."""

    exact: dict[str, dict[int, str]]
    """Row in `ports()` and "name" or "alias", by a name as one word."""
    part: dict[str, dict[int, str]]
    """The same by a part of a name: without generic words at its end, or what stands before or in a bracket."""
    bare: dict[str, dict[int, str]]
    """The same for names that begin with a generic word, without it: only one more candidate for "Victoria"."""
    longer: dict[str, list[int]]
    """Ports whose name goes on after these first words, and not with a generic word."""
    key: list[str]
    row: NDArray[np.int64]
    """Names of Latin letters, and whose they are."""
    letters: NDArray[np.uint8]
    length: NDArray[np.int64]
    kinds: NDArray[np.int64]
    """Bit k: the letter a + k is in the name."""


class _Reading(NamedTuple):
    """One way to read a text."""

    name: tuple[str, ...]
    countries: tuple[str, ...]
    sure: bool
    """Nothing in the text is left over that we could not read."""


@kernel
def _slips(text, kinds, most, letters, length, kinds_of, rows, out):
    """Letters left out, added, changed or swapped with their neighbour between a text and each name; 99: over `most`.

    Optimal string alignment after Damerau and Levenshtein; `rows` (3, width) is scratch.
    """
    n = text.size
    for k in range(length.size):
        out[k] = 99
        m = length[k]
        if m - n > most or n - m > most:
            continue
        strange, missing = kinds & ~kinds_of[k], kinds_of[k] & ~kinds
        count = 0
        while strange and count <= most:
            strange &= strange - 1
            count += 1
        other = 0
        while missing and other <= most:
            missing &= missing - 1
            other += 1
        if count > most or other > most:
            continue
        for j in range(m + 1):
            rows[0, j] = j
        for i in range(1, n + 1):
            here, above, second = i % 3, (i - 1) % 3, (i - 2) % 3
            rows[here, 0] = i
            least = i
            for j in range(1, m + 1):
                same = text[i - 1] == letters[k, j - 1]
                cost = min(rows[above, j] + 1, rows[here, j - 1] + 1, rows[above, j - 1] + (0 if same else 1))
                if i > 1 and j > 1 and text[i - 1] == letters[k, j - 2] and text[i - 2] == letters[k, j - 1]:
                    cost = min(cost, rows[second, j - 2] + 1)
                rows[here, j] = cost
                least = min(least, cost)
            if least > most:
                break
        if least <= most and rows[n % 3, m] <= most:
            out[k] = rows[n % 3, m]


def _spellings(name: str) -> Iterator[tuple[tuple[str, ...], bool]]:
    """A name of the table in words, and then parts of it: (words, whole)."""
    whole = words(name)
    yield whole, True
    head, _, rest = name.partition("(") if "(" in name else name.partition(",")
    yield words(head), False
    if "(" in name and len("".join(words(rest))) > 3:
        yield words(rest), False
    if whole and whole[0] not in GENERIC:
        yield core(whole), False


def _enter(table: dict[str, dict[int, str]], spelt: tuple[str, ...], row: int, how: str) -> None:
    if spelt:
        table.setdefault("".join(spelt), {}).setdefault(row, how)


@cache
def _names() -> _Names:
    exact: dict[str, dict[int, str]] = {}
    part: dict[str, dict[int, str]] = {}
    bare: dict[str, dict[int, str]] = {}
    longer: dict[str, list[int]] = {}
    for row, port in enumerate(ports()):
        for name in (port.name, *port.aliases):
            if is_code(name):
                continue
            how = "name" if name is port.name else "alias"
            for spelt, whole in _spellings(name):
                _enter(exact if whole else part, spelt, row, how)
            spelt = words(name)
            _enter(bare, core(spelt), row, how)
            for n in range(1, len(spelt)):
                if spelt[n] not in GENERIC and spelt[n] != "new" and not is_number(spelt[n]):
                    longer.setdefault("".join(spelt[:n]), []).append(row)
    latin = [(name, row) for name, rows in exact.items() if name.isascii() and len(name) <= _WIDTH for row in rows]
    letters = np.zeros((len(latin), _WIDTH), np.uint8)
    for k, (name, _) in enumerate(latin):
        letters[k, : len(name)] = np.frombuffer(name.encode(), np.uint8)
    key, row_of = [name for name, _ in latin], np.array([row for _, row in latin], np.int64)
    length, kinds = np.array([len(name) for name in key], np.int64), np.array([_kinds(name) for name in key], np.int64)
    return _Names(exact, part, bare, longer, key, row_of, letters, length, kinds)


def _kinds(name: str) -> int:
    """Which letters are in a name, as bits; digits share theirs."""
    bits = 0
    for sign in name:
        bits |= 1 << (ord(sign) - 97 if sign >= "a" else 26)
    return bits


def ports_matching(text: str, limit: int = 5) -> PortMatch:
    """The port that a text means, or at most `limit` that it may mean, or none.

    Raises UsageError for a limit under 1.

    >>> ports_matching("PORT OF PUSAN, KOREA").port.locode, ports_matching("kr pus").how
    ('KRPUS', 'code')
    >>> found = ports_matching("Newcastle")
    >>> found.port, [candidate.port.locode for candidate in found.several][:2]
    (None, ['AUNTL', 'CANCT'])
    >>> ports_matching("FOR ORDERS")
    PortMatch(port=None, several=(), how='')
    """
    if limit < 1:
        raise UsageError(f"limit must be 1 or more, not {limit}")
    found = _match(text[:_TEXT_LETTERS])
    return found._replace(several=found.several[:limit])


@lru_cache(maxsize=65_536)
def _match(text: str) -> PortMatch:
    if "".join(words(text)) in _names().exact:
        return _match_one(text)
    text = re.split(r"[>→]|(?i:\bto\b)", text.rstrip(" >-"))[-1]  # "KRPUS>CNDLC": where the ship is bound
    parts = [part for part in re.split(r"[/;|+]|(?i:\bvia\b|\bor\b)", text) if core(words(part))]
    found = [_match_one(part.strip()) for part in parts or [text]]
    if len(found) == 1:
        return found[0]
    named = list(dict.fromkeys(match.port for match in found if match.port is not None))
    if len(named) == 1 and all(match.port is not None for match in found):
        return found[0]
    maybe = [Candidate(port, 1.0) for port in named] + [one for match in found for one in match.several]
    return PortMatch(None, _once(sorted(maybe, key=_rank)), (found[0].how or "alike") if maybe else "")


def _once(ordered: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Each port once, where it stands first."""
    found: dict[Port, Candidate] = {}
    for one in ordered:
        found.setdefault(one.port, one)
    return tuple(found.values())[:_MOST]


def _match_one(text: str) -> PortMatch:
    names, spelt = _names(), words(text)
    coded = _by_code(text)
    if coded is not None:
        others = [row for row in names.exact.get("".join(spelt), ()) if ports()[row] != coded]
        if not others:
            return PortMatch(coded, (), "code")
        return PortMatch(None, (Candidate(coded, 1.0), *(Candidate(ports()[row], 1.0) for row in others)), "code")
    readings = list(dict.fromkeys(_readings(text)))
    for table in (names.exact, names.part):
        for reading in readings:
            if rows := table.get("".join(reading.name)):
                return _decide(reading, rows)
    if all(word in NOWHERE or word in GENERIC for word in spelt):
        return PortMatch(None, (), "")
    begun = sorted({one for reading in readings for one in _begun(reading)}, key=_rank)
    if not begun:
        return _alike(readings[-1])
    return PortMatch(None, _once(begun), "alike")


def _begun(reading: _Reading) -> Iterator[Candidate]:
    """Ports whose names go on where the text ends, or end where the text goes on."""
    names, spelt = _names(), reading.name
    rows = {row: 0.9 for row in (*names.longer.get("".join(spelt), ()), *names.bare.get("".join(spelt), ()))}
    for n in range(len(spelt) - 1, 0, -1):
        if len("".join(spelt[:n])) > 3 and (found := names.exact.get("".join(spelt[:n]))) and not rows:
            rows = dict.fromkeys(found, 0.8)
    for row, score in rows.items():
        if not reading.countries or ports()[row].country in reading.countries:
            yield Candidate(ports()[row], score)


def _by_code(text: str) -> Port | None:
    """The port of a code, with or without a sign inside, and a berth or the like behind it."""
    found = re.match(r"([A-Za-z]{2})[\s_.-]?([A-Za-z0-9]{3})(?![A-Za-z0-9])(.*)", text)
    if found is None or any(word not in GENERIC and not word.isdigit() for word in words(found[3])):
        return None
    return port_by_code(found[1] + found[2])


def _readings(text: str) -> Iterator[_Reading]:
    """Ways to read a text, the most literal first."""
    yield _Reading(words(text), (), True)
    head, rest = [*re.split(r"[,(\[]", text, maxsplit=1), ""][:2]
    name, sure = words(head), True
    countries: tuple[str, ...] = ()
    extra = core(words(rest))
    if extra:
        endings = [countries_of(extra[n:]) for n in range(len(extra))]
        countries = next(filter(None, endings), ())
        sure = bool(countries)
    readings = [_Reading(name, countries, sure)]
    if not countries:
        readings += _with_country(name, sure)
        readings += _with_country(core(name), sure)
    for reading in readings:
        yield reading
    for reading in readings:
        if bare := core(reading.name):
            proper = reading.name[0] in _PORT and reading.name[1] not in OF and not reading.countries
            yield _Reading(bare, reading.countries, reading.sure and not proper)


def _with_country(name: tuple[str, ...], sure: bool) -> list[_Reading]:
    """The same name, if it ends with a country, or begins with the code of one."""
    found = [_Reading(name[:-n], countries_of(name[-n:]), sure) for n in (4, 3, 2, 1) if n < len(name)]
    if len(name) > 1 and len(name[0]) == 2 and name[0] not in GENERIC:
        found.append(_Reading(name[1:], countries_of(name[:1]), sure))
    return [reading for reading in found if reading.countries and not set(reading.name) <= GENERIC]


def _decide(reading: _Reading, rows: dict[int, str]) -> PortMatch:
    """One port or several, of those that bear a name."""
    within = {row: how for row, how in rows.items() if ports()[row].country in reading.countries}
    sure = reading.sure and bool(within or not reading.countries)
    rows = within or rows
    first = min(rows, key=lambda row: (ports()[row].quality != HAND_CHECKED, row))
    if sure and _one_harbour(list(rows)) and not _namesakes("".join(reading.name), first, reading.countries):
        return PortMatch(ports()[first], (), rows[first])
    name = "".join(reading.name)
    others = [row for row in (*_names().longer.get(name, ()), *_names().bare.get(name, ())) if row not in rows]
    named = [Candidate(ports()[row], 1.0) for row in rows]
    named += [Candidate(ports()[row], 0.9) for row in dict.fromkeys(others)]
    return PortMatch(None, tuple(sorted(named, key=_rank))[:_MOST], rows[first])


def _one_harbour(rows: list[int]) -> bool:
    """Whether ports of one name are so close that it is the same place."""
    here, *others = (ports()[row] for row in rows)
    return all(distance_m(here.lat, here.lon, port.lat, port.lon) <= _ONE_HARBOUR_M for port in others)


def _namesakes(name: str, row: int, countries: tuple[str, ...]) -> list[int]:
    """Ports elsewhere whose names begin with this one."""
    here = ports()[row]
    return [
        other
        for other in _names().longer.get(name, ())
        if (not countries or ports()[other].country in countries)
        and distance_m(here.lat, here.lon, ports()[other].lat, ports()[other].lon) > _SAME_PLACE_M
    ]


def _rank(one: Candidate) -> tuple[float, bool, str]:
    return -one.score, one.port.quality != HAND_CHECKED, one.port.locode


def _alike(reading: _Reading) -> PortMatch:
    """Ports whose names are a few slips away."""
    best: dict[int, tuple[float, str]] = {}
    name = "".join(reading.name)
    if not (name.isascii() and 4 <= len(name) <= _WIDTH) or countries_of(reading.name):
        return PortMatch(None, (), "")
    most = 1 if len(name) < 6 else 2 if len(name) < 10 else 3
    names = _names()
    out = np.empty(len(names.key), np.int64)
    text = np.frombuffer(bytearray(name.encode()), np.uint8)
    _slips(text, _kinds(name), most, names.letters, names.length, names.kinds, np.empty((3, _WIDTH + 1), np.int64), out)
    for k in np.flatnonzero(out <= most).tolist():
        row, key = int(names.row[k]), names.key[k]
        score = 1.0 - int(out[k]) / max(len(name), len(key))
        if _digits(name) == _digits(key) and score > best.get(row, (0.0, ""))[0]:
            best[row] = score, key
    within = {row: found for row, found in best.items() if ports()[row].country in reading.countries}
    sure = reading.sure and bool(within or not reading.countries)
    best = within or best
    found = sorted((Candidate(ports()[row], round(score, 3)) for row, (score, _) in best.items()), key=_rank)
    if sure and len(found) == 1 and _one_slip(name, *best.values()):
        return PortMatch(found[0].port, (), "alike")
    return PortMatch(None, tuple(found[:_MOST]), "alike" if found else "")


def _one_slip(name: str, found: tuple[float, str]) -> bool:
    """Whether a name is long, and one slip away from another that begins with the same letter."""
    score, key = found
    return len(name) >= _SURE_LETTERS and name[0] == key[0] and score >= 1.0 - 1.0 / max(len(name), len(key))


def _digits(name: str) -> str:
    return "".join(sign for sign in name if sign.isdigit())
