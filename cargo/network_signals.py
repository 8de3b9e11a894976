"""Signals of the factor "parties" from a network: each 0 to 1, or unknown with the reason.

Near a listed party; how many of the neighbours have to do with other prohibited trade; signs of a shell: one ship, a
young firm, an address that very many give. None of them proves anything: most ships are owned by a firm of one ship.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT
from cargo.control import ban_of
from cargo.leg import iso_time
from cargo.listed import NO, Hit
from cargo.mentions import ROLES
from cargo.network import MAX_HOPS, SHIPMENTS, SURE, Network, Path
from cargo.parties import MASS_ADDRESS
from cargo.score import Signal
from cargo.shipments import Row

NEAR = ((1.0, 1.0), (2.0, 0.75), (3.0, 0.5))
"""Value of "near a listed party" by hops: the party or ship of the row itself is one hop away."""
MOST_NAMED = 100
"""Parties and ships that are named as evidence; all are counted."""
NEIGHBOUR_HOPS = 2.5
"""Two hops from the ships and parties of a row, so that the owner's other ships count."""
SOME_ADDRESS = 5
"""From so many parties on an address is a sign, half of one of `MASS_ADDRESS`."""
LEAST_OWNED = 100
"""Ships with an owner that must be known before "one ship only" says something."""
NEARBY = "other prohibited trade nearby"
YOUNG_DAYS, GROWN_DAYS = 365, 3 * 365
"""A firm younger than the first is young, one older than the second is not."""


def day(t_us: int) -> str:
    """A time in µs since 1970 UTC as an ISO 8601 day, "" for `NAT`.

    >>> day(1538352000000000), day(NAT)
    ('2018-10-01', '')
    """
    return (iso_time(t_us) or "")[:10]


def listed_paths(network: Network, rows: Sequence[str], at: int = NAT, *, max_hops: float = MAX_HOPS) -> list[Path]:
    """The shortest way from any of some rows to each listed entry, with the standing on the day of `at`."""
    best: dict[str, Path] = {}
    for row in rows:
        for path in network.paths_to_listed(row, max_hops=max_hops, at=at, limit=50):
            node = path.edges[-1].other
            if node not in best or path.hops < best[node].hops:
                best[node] = path._replace(hit=network.at(path.hit, day(at)))
    return sorted(best.values(), key=lambda path: (path.hops, len(path.edges), path.edges[-1].other))


def near_listed(network: Network, rows: Sequence[str], at: int = NAT) -> Signal:
    """How near the nearest entry is that was, or may have been, listed on the day of `at`."""
    name = "near a listed party"
    if network.listed is None or not network.listed.lists:
        return Signal(name, None, "no watch-list was given")
    asked = ", ".join(map(str, network.listed.lists))
    paths = listed_paths(network, rows, at)
    standing = [path for path in paths if path.hit.then.answer != NO]
    if standing:
        path = next((path for path in standing if path.sure), standing[0])
        steps = tuple(f"{edge.one} {edge.kind} {edge.other} ({edge.source})" for edge in path.edges)
        value = next(value for hops, value in NEAR if path.hops <= hops)
        then = path.hit.then
        was = f"listed then: {then.answer}, {then.why}; now: {path.hit.now.why}" if at != NAT else path.hit.now.why
        why = f"{path.hit.entry.name} ({path.hit.list}) {path.hops:g} hops away; {was}"
        return Signal(
            name, value if path.sure else None, why if path.sure else f"by a name or a number alone: {why}", steps
        )
    later = f"; {len(paths)} were listed at other times only" if paths else ""
    if network.listed.unreadable:
        missing = ", ".join(file for file, _ in network.listed.unreadable)
        return Signal(name, None, f"none found, but not all lists could be read: {missing}{later}")
    if names := _candidates(network, rows):
        return Signal(name, None, f"candidates by name alone, to be confirmed: {', '.join(names[:5])}{later}")
    if not network.near(rows, 1.0).size:
        return Signal(name, None, "no party and no ship of these rows is known")
    return Signal(name, 0.0, f"none within {MAX_HOPS:g} hops on {asked}{later}")


def _candidates(network: Network, rows: Sequence[str]) -> list[str]:
    """Entries that parties and ships within reach may be, or be tied to, by their name alone."""
    near = network.among(network.near(rows, MAX_HOPS), network.marked(network.hits))
    hits = [hit for node in near for hit in network.hits.get(node, ()) if hit.listed and not hit.against]
    return list(dict.fromkeys(f"{hit.entry.name} ({hit.list})" for hit in hits if hit.sure not in SURE))


def prohibited_rows(rows: Iterable[Row]) -> dict[int, str]:
    """Rows whose goods are of a kind whose export by the DPRK is banned, with the word for them."""
    return {row.row: goods for row in rows if (goods := ban_of("KP", row.hs_code, row.t_depart))}


def other_prohibited(
    network: Network, rows: Sequence[str], prohibited: Mapping[str, Sequence[str]], *, looked_for: bool = True
) -> Signal:
    """The share of the parties and ships within two hops of those of the rows that did other prohibited trade.

    Parameters
    ----------
    network, rows
        The graph, and the nodes of the rows that are asked about.
    prohibited
        For a party or ship what else it did, as evidence: rows of banned goods, events, lists.
    looked_for
        False where neither events nor other rows were at hand.
    """
    if not looked_for and network.near(rows, NEIGHBOUR_HOPS).size:
        return Signal(NEARBY, None, "no events and no other rows to look into")
    marks = network.marked(node for node, told in prohibited.items() if told)
    return nearby_trade(network, network.near(rows, NEIGHBOUR_HOPS), marks, prohibited.__getitem__)


def nearby_trade(
    network: Network,
    near: NDArray[np.int32],
    marks: NDArray[np.bool_],
    did: Callable[[str], Sequence[str]],
    apart: Collection[str] = (),
) -> Signal:
    """The share of some parties and ships (`Network.near`) that did other prohibited trade.

    Those that did are marked (`Network.marked`), but for some `apart`; `did` tells what, as evidence. Of very many the
    first by name are named, and all are counted.
    """
    if not near.size:
        return Signal(NEARBY, None, "no party and no ship of these rows is known")
    n = int(np.count_nonzero(marks[near])) - len(network.among(near, marks & network.marked(apart)) if apart else ())
    named = network.among(near, marks, MOST_NAMED + len(apart))
    told = [did(node) for node in named if node not in apart][:MOST_NAMED]
    why = f"{n} of {near.size} parties and ships within two hops of those of the rows"
    return Signal(NEARBY, n / near.size, why, tuple(dict.fromkeys(text for texts in told for text in texts)))


def prohibited_of(
    network: Network, rows: Iterable[Row], own: Iterable[int], source: str = SHIPMENTS
) -> dict[str, list[str]]:
    """For each party and ship the rows of banned goods that name it, some own rows apart."""
    found: dict[str, list[str]] = {}
    mine = set(own)
    for number, goods in prohibited_rows(rows).items():
        if number not in mine:
            for edge in network.edges_of(f"{source} row {number}"):
                if edge.other in network.graph and network.graph.nodes[edge.other]["kind"] in ("party", "ship"):
                    found.setdefault(edge.other, []).append(f"row {number} ({goods})")
    return found


def shell_signs(network: Network, rows: Sequence[str], at: int = NAT) -> list[Signal]:
    """Signs of a shell among the owners and parties of some rows."""
    return [_one_ship(network, rows), _young(network, rows, at), _mass_address(network, rows)]


def _of_kind(network: Network, rows: Sequence[str], kind: str) -> list[str]:
    """Parties or ships that the rows themselves name."""
    kinds = ("carried by",) if kind == "ship" else tuple(ROLES)
    return sorted({node for row in rows for node in network.others(row, *kinds)})


def _owners(network: Network, rows: Sequence[str]) -> list[str]:
    ships = _of_kind(network, rows, "ship")
    return sorted({owner for ship in ships for owner in network.others(ship, "owner")})


def _one_ship(network: Network, rows: Sequence[str]) -> Signal:
    name = "owner of one ship"
    owners = _owners(network, rows)
    if not owners:
        return Signal(name, None, "the owner of the ship is not known")
    owned = {owner: set(network.others(owner, "owner")) for owner in owners}
    most = max(owned, key=lambda owner: (len(owned[owner]), owner))
    if len(owned[most]) > 1:
        return Signal(name, 0.0, f"the owner has {len(owned[most])} known ships", tuple(sorted(owned[most])))
    known = sum("owner" in {fact.kind for fact in ship.facts} for ship in network.ships.values())
    if known < LEAST_OWNED:
        return Signal(name, None, f"the owners of only {known} ships are known")
    return Signal(name, 1.0, f"one ship, of {known} ships whose owners are known", tuple(owners))


def _founded(hits: Iterable[Hit]) -> str:
    return min((hit.entry.founded_on for hit in hits if hit.entry.founded_on and hit.sure != "name alike"), default="")


def _young(network: Network, rows: Sequence[str], at: int) -> Signal:
    name = "young firm"
    firms = [*_owners(network, rows), *_of_kind(network, rows, "party")]
    founded = {firm: began for firm in firms if (began := _founded(network.hits.get(firm, ())))}
    if not founded or at == NAT:
        return Signal(name, None, "no founding day is known" if not founded else "the day of the rows is not known")
    firm, began = max(founded.items(), key=lambda pair: pair[1])
    age = (date.fromisoformat(day(at)) - date.fromisoformat(began)).days
    value = 1.0 if age < YOUNG_DAYS else 0.5 if age < GROWN_DAYS else 0.0
    return Signal(name, value, f"{network.graph.nodes[firm]['label']} was founded on {began}", (firm,))


def _mass_address(network: Network, rows: Sequence[str]) -> Signal:
    name = "address of very many"
    firms = _of_kind(network, rows, "party")
    where = {place for firm in firms for place in network.others(firm, "gives the address")}
    if not where:
        return Signal(name, None, "no exact address is known")
    place = max(sorted(where), key=network.graph.degree)
    n = network.graph.degree(place)
    value = 1.0 if n >= MASS_ADDRESS else 0.5 if n >= SOME_ADDRESS else 0.0
    return Signal(name, value, f"{n} of the known parties give {network.graph.nodes[place]['label']}", (place,))
