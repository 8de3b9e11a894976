"""Whether a ship, firm or person was listed then, and is now: by which list, of which date.

A list of one day tells of that day. "Then" is answered from the day of listing where the list gives one, else from the
lists that are kept of dates before and after; where neither tells, the answer is "not known". "Now" is the newest list
that is kept, and says its date. A hit by name alone is a candidate, never an identification.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cargo.addresses import address, address_alike
from cargo.near_names import NearNames
from cargo.party_names import PartyName, clean_text, likeness, party_name
from cargo.ship_match import ShipCandidate, ShipIndex, ShipQuery
from cargo.ships import Ship, flag_code, ship_name
from cargo.watchlists import Entry, Kept, Watchlist, ship_of

ALIKE = 0.85
"""Names of firms and people are told as alike from here on."""
_MOST_NEAR = 20
"""Names alike that are weighed, the likest."""
MOST_HITS = 50
"""Hits of one check that are told, the surest first; more are counted."""
YES, NO, UNKNOWN = "yes", "no", "not known"
_HOW_SURE = {"identifier": 0, "name, confirmed": 1, "name": 2, "number alone": 3, "name alike": 4, "tied": 5}


class Standing(NamedTuple):
    """Whether something was on a list: "yes", "no" or "not known", and why."""

    answer: str
    why: str


class Hit(NamedTuple):
    """An entry that may be the one that was asked for.

    `sure` is "identifier" (a number is the same), "name, confirmed", "name", "number alone" (an MMSI, a call sign or a
    mended IMO number, and another name) or "name alike", which are candidates; or "tied": the list names the
    subject as owner of, or linked to, the entry. `listed` is false for what a file only tells beside those listed.
    """

    list: str
    entry: Entry
    how: str
    sure: str
    against: str
    then: Standing
    now: Standing
    listed: bool


@dataclass(frozen=True, slots=True)
class Check:
    """What was asked, of which lists of which dates, which could not be read, and what was found."""

    subject: str
    on: str
    asked: tuple[tuple[str, str, int], ...]
    """Name, date and number of entries of each list."""
    unreadable: tuple[tuple[str, str], ...]
    hits: tuple[Hit, ...]
    more: int
    """Hits that are not told."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who is asked for; a ship by what a paper says of it, a party by its name and what confirms it."""

    name: str = ""
    imo: str = ""
    mmsi: str = ""
    callsign: str = ""
    flag: str = ""
    countries: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()
    kind: str = ""
    """"vessel", "party", or "" for either."""


def subject_of(text: str) -> Subject:
    """What a person typed: seven digits are an IMO number, nine an MMSI, all else a name.

    >>> subject_of("IMO 9999993").imo, subject_of("671999101").mmsi, subject_of("Sea Lark").name
    ('9999993', '671999101', 'Sea Lark')
    """
    text = clean_text(text)[:1000]
    digits = re.sub(r"(?i)^(?:imo|mmsi)[\s.:]*|\s", "", text)
    if digits.isascii() and digits.isdigit() and len(digits) in (7, 9):
        return Subject(imo=digits, kind="vessel") if len(digits) == 7 else Subject(mmsi=digits, kind="vessel")
    return Subject(name=text)


class Listed:
    """All lists that are kept, to be asked. `luxwake watchlists import` keeps them; `read_watchlists` reads them."""

    def __init__(self, kept: Kept) -> None:
        self.lists = kept.lists
        self.unreadable = kept.unreadable
        self._by_list: dict[str, list[Watchlist]] = {}
        for one in kept.lists:
            self._by_list.setdefault(one.name, []).append(one)
        self._names: dict[str, list[tuple[str, str]]] = {}
        self._alike: dict[tuple[tuple[str, ...], tuple[str, ...]], dict[str, set[tuple[str, str]]]] = {}
        self._near_names: dict[tuple[tuple[str, ...], tuple[str, ...]], NearNames] = {}
        self._numbers: dict[str, list[tuple[str, str]]] = {}
        self._addresses: dict[str, list[tuple[str, str]]] = {}
        self._tied: dict[str, list[tuple[str, str]]] = {}
        self._entries: dict[tuple[str, str], dict[str, Entry]] = {}
        self._key_of: dict[int, tuple[str, str]] = {}
        for one in kept.lists:
            for entry in one.entries:
                key = (one.name, _identity(entry))
                if one.date in self._entries.get(key, {}):  # a list that has two entries under one number
                    key = (one.name, f"{key[1]} line {entry.row}")
                self._entries.setdefault(key, {})[one.date] = entry
                self._key_of[id(entry)] = key
        for key, dated in self._entries.items():
            for entry in {id(entry): entry for entry in dated.values()}.values():
                self._add(key, entry)
        self._ids = {f"{key[0]}\n{key[1]}": key for key in self._entries}
        self._ships = ShipIndex(
            _ship_over_time(f"{key[0]}\n{key[1]}", dated, key[0])
            for key, dated in self._entries.items()
            if any(entry.kind == "vessel" for entry in dated.values())
        )

    def _add(self, key: tuple[str, str], entry: Entry) -> None:
        for text in {tied_name(text) for text in (entry.owner, *entry.linked)} - {""}:
            self._tied.setdefault(party_name(text).key, []).append(key)
        if entry.kind == "vessel":
            return
        for kind, value in entry.identifiers:
            self._numbers.setdefault(_number(kind, value), []).append(key)
        for text in entry.addresses:
            if where := address(text).key:
                self._addresses.setdefault(where, []).append(key)
        for text in entry.names:
            name = party_name(text)
            self._names.setdefault(name.key, []).append(key)
            self._alike.setdefault((name.trade, name.numerals), {}).setdefault(name.joined, set()).add(key)

    def check(self, subject: Subject | str, on: str = "", *, alike: bool = True) -> Check:
        """Who of the lists the subject may be, and whether it was listed on a day (ISO 8601, "" not asked).

        Without `alike`, firms and people of names that are only alike are not looked for, but at the same address.
        """
        asked_for = subject_of(subject) if isinstance(subject, str) else subject
        found: dict[tuple[str, str], tuple[str, str, str]] = {}
        notes: tuple[str, ...] = ()
        if asked_for.kind != "party":
            ships, notes = self._find_ships(asked_for)
            found |= ships
        if asked_for.kind != "vessel" and asked_for.name:
            found |= self._find_parties(asked_for, alike)
        hits = [self._hit(key, *told, on) for key, told in found.items()]
        hits.sort(key=lambda hit: (_HOW_SURE[hit.sure], bool(hit.against), hit.list, hit.entry.name, hit.entry.uid))
        asked = tuple((one.name, one.date, len(one.entries)) for one in self.lists)
        shown = asked_for.name or asked_for.imo or asked_for.mmsi
        return Check(shown, on, asked, self.unreadable, tuple(hits[:MOST_HITS]), max(len(hits) - MOST_HITS, 0), notes)

    def _hit(self, key: tuple[str, str], how: str, sure: str, against: str, on: str) -> Hit:
        dated = self._entries[key]
        newest = dated[max(dated)]
        dates = [one.date for one in self._by_list[key[0]]]
        then = standing_on(on, dates, dated) if on else Standing(UNKNOWN, "no day was asked for")
        return Hit(key[0], newest, how, sure, against, then, standing_now(dates, dated), newest.listed)

    def named(self, name: str, text: str) -> list[Entry]:
        """Entries of a list that have exactly a name, ships apart."""
        keys = self._names.get(party_name(text).key, ()) if text else ()
        return [self._newest(key) for key in dict.fromkeys(keys) if key[0] == name]

    def hit_of(self, entry: Entry, how: str, on: str = "") -> Hit:
        """An entry of the lists, as they hold it, as a hit with its standing on a day."""
        return self._hit(self._key_of[id(entry)], how, "identifier", "", on)

    def versions(self, entry: Entry) -> list[tuple[Watchlist, Entry | None]]:
        """Every date of which the list of an entry is kept, and the entry as it stands in that one, if it does."""
        key = self._key_of[id(entry)]
        return [(one, self._entries[key].get(one.date)) for one in self._by_list[key[0]]]

    def _find_ships(self, subject: Subject) -> tuple[dict[tuple[str, str], tuple[str, str, str]], tuple[str, ...]]:
        """Listed ships that a subject may be."""
        query = ShipQuery(
            name=subject.name, imo=subject.imo, mmsi=subject.mmsi, callsign=subject.callsign, flag=subject.flag
        )
        answer = self._ships.find(query)
        found = {}
        for one in answer.candidates:
            sure = _how_sure(one, bool(subject.name))
            against = f"another {', another '.join(one.against)}" if one.against else ""
            found[self._ids[one.ship.id]] = (_same(one.agree), sure, against)
        return found, answer.notes

    def _find_parties(self, subject: Subject, alike_too: bool) -> dict[tuple[str, str], tuple[str, str, str]]:
        """Listed firms and people that a subject may be."""
        name = party_name(subject.name[:1000])
        keys: dict[tuple[str, str], float] = {}
        for kind, value in subject.identifiers:
            keys |= dict.fromkeys(self._numbers.get(_number(kind, value), ()), 0.0)
        keys |= dict.fromkeys(self._names.get(name.key, ()), 1.0)
        near = {key for text in subject.addresses for key in self._addresses.get(address(text).key, ())}
        for joined in self._near(name) if alike_too else ():
            near |= self._alike[name.trade, name.numerals][joined]
        for key in near - keys.keys():
            alike = max(likeness(name, party_name(text)) for text in self._newest(key).names)
            if alike >= ALIKE:
                keys[key] = alike
        found = {key: self._weighed(subject, key, alike) for key, alike in keys.items()}
        tied = dict.fromkeys(self._tied.get(name.key, ()), ("the list ties this name to the entry", "tied", ""))
        return tied | found

    def _newest(self, key: tuple[str, str]) -> Entry:
        dated = self._entries[key]
        return dated[max(dated)]

    def _near(self, name: PartyName) -> list[str]:
        key = (name.trade, name.numerals)
        if not name.joined or key not in self._alike:
            return []
        if key not in self._near_names:
            self._near_names[key] = NearNames(list(self._alike[key]), ALIKE - 0.05)
        return self._near_names[key].near(name.joined, _MOST_NEAR)

    def _weighed(self, subject: Subject, key: tuple[str, str], alike: float) -> tuple[str, str, str]:
        """How an entry was found, how sure that is, and what speaks against it."""
        entry = self._newest(key)
        mine = {_number(kind, value) for kind, value in subject.identifiers}
        if any(_number(kind, value) in mine for kind, value in entry.identifiers):
            return "the same number or contact", "identifier", ""
        confirmed = [
            "address"
            for text in subject.addresses
            for other in entry.addresses
            if address_alike(address(text), address(other))
        ][:1]
        theirs = {flag_code(text) or text.upper() for text in entry.countries}
        if set(subject.countries) & theirs:
            confirmed.append("country")
        against = "another country" if subject.countries and theirs and "country" not in confirmed else ""
        how = "the same name" if alike == 1.0 else f"a name alike ({alike:.2f})"
        how += f" and the same {' and '.join(confirmed)}" if confirmed else ""
        if alike == 1.0:
            return how, "name, confirmed" if confirmed else "name", against
        return how, "name, confirmed" if "address" in confirmed else "name alike", against


def tied_name(text: str) -> str:
    """The name in what a list says of a tie: "owner: NAME (2016-01-01)"."""
    return re.sub(r" \([\d-]+(?: to [\d-]+)?\)$", "", text.rpartition(": ")[2]).strip()


def _ship_over_time(uid: str, dated: dict[str, Entry], name: str) -> Ship:
    """One ship of a list with the facts of all its dates."""
    ships = [ship_of(entry, f"{name} of {on}") for on, entry in sorted(dated.items())]
    imo = next((ship.imo for ship in reversed(ships) if ship.imo), 0)
    return Ship(uid, imo, tuple(fact for ship in ships for fact in ship.facts))


def _how_sure(one: ShipCandidate, by_name: bool) -> str:
    """How sure it is that a listed ship is meant: MMSI and call sign pass from ship to ship, so a name must agree."""
    agree = set(one.agree)
    numbers, named = agree & {"IMO number", "MMSI", "call sign"}, agree & {"name", "name alike"}
    if "IMO number" in one.against:
        return "name" if "name" in agree else "name alike"
    if "IMO number" in agree or (numbers and (named or not by_name)):
        return "identifier"
    if numbers:
        return "number alone"
    if "name" in agree:
        return "name, confirmed" if agree & {"flag", "type", "size", "owner", "IMO number mended"} else "name"
    return "name alike" if named else "number alone"


def _same(agree: Iterable[str]) -> str:
    words = {"IMO number mended": "IMO number with one digit mended", "name alike": "name (alike)"}
    return "the same " + ", ".join(words.get(kind, kind) for kind in agree)


def _number(kind: str, value: str) -> str:
    """A number or contact for comparison; the kinds of numbers are told apart by no list alike."""
    if kind == "email":
        return value.lower()
    if kind == "phone":
        return "tel " + re.sub(r"\D", "", value)[-9:]
    return re.sub(r"[^A-Z0-9]", "", value.upper())


def _identity(entry: Entry) -> str:
    """What tells an entry apart within one list, whatever its date."""
    if entry.uid:
        return entry.uid
    if entry.kind == "vessel":
        return next(iter(entry.imo), "") or ship_name(entry.name).key or entry.name
    return f"{entry.kind} {party_name(entry.name).key}"


def standing_on(on: str, dates: Sequence[str], dated: dict[str, Entry]) -> Standing:
    """Whether an entry was on a list on a day, from the list's own days and from the dates of which it is kept.

    Parameters
    ----------
    on
        The day asked for.
    dates
        All dates of which the list is kept, sorted.
    dated
        The entry by the dates of which it is in the list.

    >>> entry = Entry(uid="1", kind="vessel", name="SEA LARK", listed_on="2018-03-30")
    >>> standing_on("2018-10-01", ["2023-11-17"], {"2023-11-17": entry})
    Standing(answer='yes', why='listed on 2018-03-30, and on the list of 2023-11-17')
    >>> standing_on("2018-01-01", ["2023-11-17"], {"2023-11-17": entry})
    Standing(answer='no', why='listed on 2018-03-30')
    >>> standing_on("2018-10-01", ["2023-11-17"], {"2023-11-17": Entry(uid="1", kind="vessel", name="SEA LARK")}).answer
    'not known'
    """
    dated = {day: entry for day, entry in dated.items() if entry.listed}
    if not dated:
        return Standing(UNKNOWN, "the file tells of it, and does not say that it is listed")
    newest = dated[max(dated)]
    began = newest.listed_on
    if began and on < began:
        return Standing(NO, f"listed on {began}")
    if newest.delisted_on and on >= newest.delisted_on:
        return Standing(NO, f"taken off on {newest.delisted_on}")
    before = [one for one in dates if one <= on]
    after = [one for one in dates if one >= on]
    held_after = next((one for one in after if one in dated), "")
    began = began or min((one.seen_from for one in dated.values() if one.seen_from), default="")
    if began and on >= began and (held_after or newest.delisted_on):
        how = "listed on" if newest.listed_on else "seen on the list from"
        end = f"taken off on {newest.delisted_on}" if newest.delisted_on else f"on the list of {held_after}"
        return Standing(YES, f"{how} {began}, and {end}")
    if on in dates:
        return Standing(YES if on in dated else NO, f"{'on' if on in dated else 'not on'} the list of that day")
    if before and after and before[-1] in dated and after[0] in dated:
        return Standing(YES, f"on the lists of {before[-1]} and {after[0]}")
    if before and after and before[-1] not in dated and after[0] not in dated:
        return Standing(NO, f"on neither the list of {before[-1]} nor that of {after[0]}")
    near = [f"{'on' if one in dated else 'not on'} the list of {one}" for one in (*before[-1:], *after[:1])]
    return Standing(UNKNOWN, f"{' and '.join(near)}; no list of that day, and no day of listing is given")


def standing_now(dates: Sequence[str], dated: dict[str, Entry]) -> Standing:
    """Whether an entry is on the newest list that is kept."""
    newest, last = max(dates), dated[max(dated)]
    if newest not in dated:
        return Standing(NO, f"last on the list of {max(dated)}, not on that of {newest}")
    if not last.listed:
        return Standing(NO, f"the list of {newest} tells of it, and does not say that it is listed")
    if last.delisted_on and last.delisted_on <= newest:
        return Standing(NO, f"taken off on {last.delisted_on}, by the list of {newest}")
    return Standing(YES, f"on the list of {newest}, the newest that is kept")
