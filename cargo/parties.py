"""Parties: who is who across rows, with the evidence of every merge and the rivals that were not merged.

Two mentions are one party where their names are the same (script, spacing, word order and legal form apart) and nothing
speaks against it, or where their names are alike and a number, an address, a telephone or an e-mail confirms it. A name
that is alike is never enough, numerals and trades must be the same, and another country or another number of the same
kind is a veto. What is not merged but near is kept as a rival, so that a reader can decide.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cargo.addresses import MAX_ADDRESS, address, address_alike, country_of_address
from cargo.identifiers import is_missing
from cargo.party_blocks import candidate_pairs
from cargo.party_clusters import NUMBERS, Cluster, Mention, clusters_of
from cargo.party_names import MAX_NAME, clean_text, likeness, party_name

NUMBER_LIKE = 0.6
"""Two names with one tax or registration number are one party from this likeness on; below, it is a rival."""
CONTACT_LIKE = 0.8
"""The same for an e-mail, a telephone or an address, which an agent may share with others."""
RIVAL_LIKE = 0.85
"""Names alike from here on are told as rivals where nothing confirms them."""
MASS_ADDRESS = 10
"""An address of so many parties confirms only names that are almost the same."""
_MASS_LIKE = 0.92
_SAME_NAME = "the same name but for script, spacing and legal form, and nothing against it"


class Merge(NamedTuple):
    """Why two of the names of a party are one: `likeness` of the names, 0 to 1, and what confirmed it."""

    one: str
    other: str
    likeness: float
    why: str


class Rival(NamedTuple):
    """Two parties that are near each other and were not merged, and why not."""

    party: str
    other: str
    likeness: float
    why: str


@dataclass(frozen=True, slots=True)
class Party:
    """One party: every way in which it was written and every row that speaks of it (row number, role)."""

    id: str
    name: str
    names: tuple[str, ...]
    addresses: tuple[str, ...]
    countries: tuple[str, ...]
    identifiers: tuple[tuple[str, str], ...]
    rows: tuple[tuple[int, str], ...]
    merges: tuple[Merge, ...]


@dataclass(frozen=True, slots=True)
class Parties:
    """The parties of some rows; `of` finds one by row number and role, `counts` says what was compared or left out."""

    parties: tuple[Party, ...]
    rivals: tuple[Rival, ...]
    of: Mapping[tuple[int, str], Party]
    counts: Mapping[str, int]


def resolve_parties(mentions: Iterable[Mention]) -> Parties:
    """Who is who among some mentions.

    The order of the mentions plays no part. Placeholders, and names of more than 300 characters, are left out and
    counted. 100,000 distinct names take some 10 s of CPU; the cost grows nearly with their number.

    >>> found = resolve_parties([
    ...     Mention(1, "shipper", "Alfaro Trading Co., Ltd.", "12 Harbour Road, Testville", "PA"),
    ...     Mention(2, "consignee", "ALVARO TRADNIG", "No. 12, Harbour Rd, Testville", "PA"),
    ...     Mention(3, "consignee", "ALFARO TRADING", "", "TG"),
    ... ])
    >>> [(party.name, len(party.rows)) for party in found.parties]
    [('ALFARO TRADING', 1), ('ALVARO TRADNIG', 2)]
    >>> found.parties[1].merges[0].why, found.rivals[0].why
    ('the same address', 'another country: PA, TG')
    """
    counts: Counter[str] = Counter()
    groups: dict[str, list[Mention]] = {}
    for mention in sorted(set(map(_cleaned, mentions))):
        if reason := _left_out(mention):
            counts[f"left out: {reason}"] += 1
            continue
        groups.setdefault(party_name(mention.name).key, []).append(mention)
    clusters = [cluster for key in sorted(groups) for cluster in clusters_of(groups[key])]
    counts["distinct names"] = len(groups)
    merges, rivals = _confirmed(clusters, counts)
    return _assembled(clusters, merges, rivals, counts)


def _cleaned(mention: Mention) -> Mention:
    """A mention without what cannot be printed; identifiers in one form, those that say nothing left out."""
    row, role, name, where, country, identifiers = mention
    if len(name) <= MAX_NAME:
        name = clean_text(name)
    told = (
        (kind, _identifier(kind, value))
        for kind, value in identifiers
        if len(value) <= MAX_NAME and not is_missing(value)
    )
    kept = tuple(sorted({(kind, value) for kind, value in told if value}))
    where = "" if len(where) > MAX_ADDRESS or is_missing(where) else clean_text(where)
    return Mention(row, role, name, where, country.upper() or country_of_address(where), kept)


def _identifier(kind: str, value: str) -> str:
    """A number in capitals and digits only, a telephone as its last nine digits, a firm's e-mail in small letters."""
    if kind == "email":
        mail = clean_text(value).lower()
        return mail if "@" in mail else ""
    if kind == "phone":
        digits = re.sub(r"\D", "", value)
        return digits[-9:] if len(digits) > 6 else ""
    plain = re.sub(r"[^A-Z0-9]", "", value.upper())
    return plain if len(plain) > 4 and len(set(plain)) > 1 else ""


def _left_out(mention: Mention) -> str:
    if len(mention.name) > MAX_NAME:
        return f"name of more than {MAX_NAME} characters"
    if is_missing(mention.name) or not party_name(mention.name).key.strip():
        return "no name"
    if mention.name.upper().startswith(("TO ORDER", "TO THE ORDER", "ORDER OF")):
        return "to order"
    return ""


class _Step(NamedTuple):
    """A merge that may be made; the strongest come first."""

    strength: int
    unlike: float
    a: int
    b: int
    why: str


def _confirmed(
    clusters: Sequence[Cluster], counts: Counter[str]
) -> tuple[list[_Step], list[tuple[int, int, float, str]]]:
    """The pairs that may be merged, strongest first, and those that are near but have nothing to confirm them."""
    crowd = Counter(key for cluster in clusters for key in {address(text).key for text in cluster.addresses})
    more = [_blocks(cluster) for cluster in clusters]
    steps: list[_Step] = []
    near: list[tuple[int, int, float, str]] = []
    for a, b in candidate_pairs([cluster.name for cluster in clusters], more, counts):
        one, two = clusters[a], clusters[b]
        alike = likeness(one.name, two.name)
        strength, why = _confirmation(one, two, alike, crowd)
        against = _veto(one, two) if strength or alike >= RIVAL_LIKE or why else ""
        if strength and not against:
            steps.append(_Step(strength, 1.0 - alike, a, b, why))
        elif alike >= RIVAL_LIKE or why:
            near.append((a, b, alike, against or why or "nothing but the name"))
    return sorted(steps), near


def _blocks(cluster: Cluster) -> list[str]:
    keys = [f"{kind} {value}" for kind, values in cluster.numbers.items() for value in values]
    keys += [f"{kind} {value}" for kind, value in cluster.contacts]
    return keys + [key for text in cluster.addresses if (key := address(text).key)]


def _confirmation(one: Cluster, two: Cluster, alike: float, crowd: Mapping[str, int]) -> tuple[int, str]:
    """How strongly two clusters are one (1 strongest, 0 not), and by what; a reason without strength is a rival's."""
    for kind in NUMBERS:
        if shared := one.numbers.get(kind, set()) & two.numbers.get(kind, set()):
            why = f"the same {kind} number {min(shared)}"
            return (1, why) if alike >= NUMBER_LIKE else (0, f"{why} under another name")
    if alike < CONTACT_LIKE:
        return 0, ""
    for kind, value in sorted(one.contacts & two.contacts):
        return 2, f"the same {'e-mail' if kind == 'email' else 'telephone'} {value}"
    places = [(a, b) for a in sorted(one.addresses)[:8] for b in sorted(two.addresses)[:8]]
    for a, b in places:
        if address_alike(address(a), address(b)):
            parties = max(crowd[address(a).key], crowd[address(b).key])
            if parties < MASS_ADDRESS or alike >= _MASS_LIKE:
                return 3, "the same address"
            return 0, f"the same address, but {parties} parties give it"
    same_country = bool(one.countries & two.countries) and not one.name.generic
    if alike == 1.0 and same_country and len(one.forms | two.forms) < 2 and not (one.addresses and two.addresses):
        return 4, "the same country, and the names differ in spacing, word order or script only"
    return 0, ""


def _veto(one: Cluster, two: Cluster) -> str:
    """What speaks against two clusters being one, "" if nothing does."""
    for kind in NUMBERS:
        mine, theirs = one.numbers.get(kind), two.numbers.get(kind)
        if mine and theirs and not mine & theirs:
            return f"another {kind} number: {min(mine)}, {min(theirs)}"
    if one.countries and two.countries and not one.countries & two.countries:
        return f"another country: {', '.join(sorted(one.countries | two.countries))}"
    return ""


def _assembled(
    clusters: Sequence[Cluster],
    steps: Sequence[_Step],
    near: list[tuple[int, int, float, str]],
    counts: Counter[str],
) -> Parties:
    """Merge step by step, unless what was merged before speaks against it."""
    root = list(range(len(clusters)))
    whole: dict[int, Cluster] = {}
    merges = {i: same for i, cluster in enumerate(clusters) if (same := _same_names(cluster))}

    def find(i: int) -> int:
        while root[i] != i:
            root[i] = root[root[i]]
            i = root[i]
        return i

    for step in steps:
        a, b = sorted((find(step.a), find(step.b)))
        if a == b:
            continue
        one, two = whole.get(a, clusters[a]), whole.get(b, clusters[b])
        if against := _veto(one, two):
            near.append((step.a, step.b, 1.0 - step.unlike, against))
            continue
        names = sorted((clusters[step.a].shown, clusters[step.b].shown))
        made = Merge(names[0], names[1], round(1.0 - step.unlike, 3), step.why)
        whole[a] = _joined(one, two)
        root[b] = a
        merges[a] = [*merges.pop(a, []), *merges.pop(b, []), made]
    counts["merges"] = sum(map(len, merges.values()))
    tops = sorted({find(i) for i in range(len(clusters))})
    parties = {top: _party(whole.get(top, clusters[top]), merges.get(top, [])) for top in tops}
    rivals = {
        Rival(min(pair), max(pair), round(alike, 3), why)
        for a, b, alike, why in near
        if (pair := (parties[find(a)].id, parties[find(b)].id))[0] != pair[1]
    }
    counts["parties"], counts["rivals"] = len(parties), len(rivals)
    found = tuple(sorted(parties.values(), key=lambda party: (party.name, party.id)))
    of = {row: party for party in found for row in party.rows}
    return Parties(found, tuple(sorted(rivals, key=lambda r: (-r.likeness, r))), of, dict(counts))


def _same_names(cluster: Cluster) -> list[Merge]:
    """The other ways in which the name of a cluster is written."""
    first, *others = sorted({mention.name for mention in cluster.mentions})
    return [Merge(first, other, 1.0, _SAME_NAME) for other in others]


def _joined(one: Cluster, two: Cluster) -> Cluster:
    both = Cluster(one.name)
    for mention in (*one.mentions, *two.mentions):
        both.add(mention)
    return both


def _party(cluster: Cluster, merges: list[Merge]) -> Party:
    """A party; its name is the one given most often, its id a digest of what it was called and where."""
    often = Counter(mention.name for mention in cluster.mentions)
    name = min(often, key=lambda text: (-often[text], text))
    names = tuple(sorted(often))
    addresses = tuple(sorted({mention.address for mention in cluster.mentions} - {""}))
    numbers = tuple(sorted({identifier for mention in cluster.mentions for identifier in mention.identifiers}))
    countries = tuple(sorted(cluster.countries))
    text = "\n".join((*names, "", *addresses, "", *countries, "", *(f"{k} {v}" for k, v in numbers)))
    digest = hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
    rows = tuple(sorted({(mention.row, mention.role) for mention in cluster.mentions}))
    return Party(f"party-{digest}", name, names, addresses, countries, numbers, rows, tuple(merges))
