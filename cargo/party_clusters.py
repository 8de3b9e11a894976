"""Mentions of one name, put together where nothing speaks against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from cargo.addresses import address, addresses_apart
from cargo.party_names import PartyName, party_name

NUMBERS = ("tax", "registration")
"""Identifiers that belong to one firm."""
CONTACTS = ("email", "phone")
"""Identifiers that an agent may share with the firms that it serves."""
_TELLS_NOTHING = frozenset(("", "CORP"))
"""Forms in contradiction to none: 株式会社 and 주식회사 are Co., Ltd. in English."""


class Mention(NamedTuple):
    """A party as one row gives it; country ISO 3166 alpha-2 or "", identifiers as (kind, value).

    Kinds are `tax`, `registration`, `email` and `phone`; others are kept and decide nothing.
    """

    row: int
    role: str
    name: str
    address: str = ""
    country: str = ""
    identifiers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Cluster:
    """Mentions with one name and nothing against each other."""

    name: PartyName
    mentions: list[Mention] = field(default_factory=list)
    countries: set[str] = field(default_factory=set)
    forms: set[str] = field(default_factory=set)
    numbers: dict[str, set[str]] = field(default_factory=dict)
    contacts: set[tuple[str, str]] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)

    def add(self, mention: Mention) -> None:
        """Put one more mention to it."""
        self.mentions.append(mention)
        if mention.country:
            self.countries.add(mention.country)
        if form := _form_of(mention):
            self.forms.add(form)
        if mention.address and address(mention.address).exact:
            self.addresses.add(mention.address)
        for kind, value in mention.identifiers:
            if kind in NUMBERS:
                self.numbers.setdefault(kind, set()).add(value)
            elif kind in CONTACTS:
                self.contacts.add((kind, value))

    @property
    def shown(self) -> str:
        """One of its names, always the same."""
        return min(mention.name for mention in self.mentions)


def clusters_of(mentions: list[Mention]) -> list[Cluster]:
    """The mentions of one name, apart where country, number or legal form differ; a mention that does not say which
    goes where its address or contact stands, and stays alone where it may belong to several."""
    parts = _by_marks(mentions) if party_name(mentions[0].name).generic else [mentions]
    for value_of in (_tax_of, _country_of, _form_of):
        parts = [part for whole in parts for part in _split(whole, value_of)]
    parts = [part for whole in parts for part in _split_by_place(whole)]
    found = []
    for part in parts:
        cluster = Cluster(party_name(part[0].name))
        for mention in part:
            cluster.add(mention)
        found.append(cluster)
    return found


def _tax_of(mention: Mention) -> str:
    return next((value for kind, value in mention.identifiers if kind == "tax"), "")


def _country_of(mention: Mention) -> str:
    return mention.country


def _form_of(mention: Mention) -> str:
    form = party_name(mention.name).form
    return "" if form in _TELLS_NOTHING else form


def _split(mentions: list[Mention], value_of: Callable[[Mention], str]) -> list[list[Mention]]:
    """One list for each value that is said; those that say none go where they fit, if that is one place."""
    by_value: dict[str, list[Mention]] = {}
    for mention in mentions:
        by_value.setdefault(value_of(mention), []).append(mention)
    silent = by_value.pop("", [])
    if len(by_value) <= 1:
        return [mentions]
    marks = {value: _marks(part) for value, part in by_value.items()}
    alone = []
    for mention in silent:
        mine = _marks([mention])
        fitting = [value for value, others in marks.items() if mine & others]
        if len(fitting) == 1:
            by_value[fitting[0]].append(mention)
        else:
            alone.append(mention)
    return [*(by_value[value] for value in sorted(by_value)), *([alone] if alone else [])]


def _split_by_place(mentions: list[Mention]) -> list[list[Mention]]:
    """Apart where no country is told and the addresses have no word in common."""
    if len({mention.country for mention in mentions} - {""}) == 1 and all(m.country or not m.address for m in mentions):
        return [mentions]
    groups: list[list[Mention]] = [[mention for mention in mentions if mention.country]]
    silent = []
    for mention in mentions:
        if mention.country:
            continue
        here = address(mention.address)
        if not here.exact:
            silent.append(mention)
            continue
        near = (group for group in groups if group and not _all_apart(group, mention))
        next(near, groups[0] if not _placed(groups[0]) else _new(groups)).append(mention)
    full = [group for group in groups if group]
    if len(full) > 1 and silent:
        return [*full, silent]
    return [[*(full[0] if full else []), *silent]] if silent else full


def _all_apart(group: list[Mention], mention: Mention) -> bool:
    places = {other.address for other in group if other.address}
    return not places or all(addresses_apart(address(text), address(mention.address)) for text in places)


def _placed(group: list[Mention]) -> bool:
    return any(address(mention.address).exact for mention in group)


def _new(groups: list[list[Mention]]) -> list[Mention]:
    groups.append([])
    return groups[-1]


def _by_marks(mentions: list[Mention]) -> list[list[Mention]]:
    """Apart unless address, numbers and contacts are the same; where there are none, each alone."""
    parts: dict[object, list[Mention]] = {}
    for n, mention in enumerate(mentions):
        parts.setdefault(frozenset(_marks([mention])) or n, []).append(mention)
    return list(parts.values())


def _marks(mentions: list[Mention]) -> set[str]:
    """Addresses, numbers and contacts of some mentions."""
    marks = {f"{kind} {value}" for mention in mentions for kind, value in mention.identifiers}
    return marks | {key for mention in mentions if (key := address(mention.address).key)}
