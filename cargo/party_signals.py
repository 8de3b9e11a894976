"""Signals of the factor "parties", and the network that they are read from: rows, parties and ships of the cases.

The network holds the rows of the chains that were opened and of what their ships brought back, the parties of those
rows, the ships that carried them with the names that they told, those of a register with their owners, and the
watch-lists. A chain without any way to a listed entry or to other prohibited trade is told from the few that have one
by one search from those ends, so that twenty thousand chains cost no twenty thousand searches.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.imo import imo_valid
from ais.table import NAT
from cargo.case import Case, suspicious_dark
from cargo.control import ControlLists
from cargo.fleet import Fleet
from cargo.listed import Listed
from cargo.listings import listings
from cargo.mentions import ROLES, mentions_of
from cargo.network import MAX_HOPS, SHIPMENTS, Edge, Network
from cargo.network_signals import NEARBY, NEIGHBOUR_HOPS, near_listed, nearby_trade, shell_signs
from cargo.parties import resolve_parties
from cargo.readings import Papers
from cargo.route_signals import ban_on
from cargo.score import Signal
from cargo.ships import Fact, Ship, facts_of, gather
from cargo.voyage import Voyage
from detectors.event import DARK, RENDEZVOUS


class Surroundings:
    """The parties and ships around some cases, and what is known of them."""

    def __init__(
        self,
        fleet: Fleet,
        cases: Sequence[Case],
        papers: Papers,
        *,
        listed: Listed,
        registry: Sequence[Ship] = (),
        lists: ControlLists,
        risk_countries: Sequence[str] = ("KP",),
        min_score: float = 0.5,
    ) -> None:
        self._fleet, self._cases, self._papers, self._listed = fleet, cases, papers, listed
        self._registry, self._lists, self._countries = registry, lists, tuple(risk_countries)
        self._min_score = min_score
        self._ship_of: dict[int, str] = {}
        self._told: dict[int, list[Signal]] = {}

    def signals(self, case: Case) -> list[Signal]:
        """The signals of this factor; those of the network are kept, for nothing else of a case changes them."""
        key = case.chain.row_numbers[0]
        if key not in self._told:
            nodes = [_node(number) for number in case.chain.row_numbers]
            self._told[key] = [
                self._near_listed(case, nodes),
                self._fleet_trade(case, nodes),
                self._nearby_trade(case, nodes),
                self._shell(case, nodes),
            ]
        return [*self._told[key], _other_events(self._fleet, case, self._min_score)]

    def listings(self, case: Case) -> tuple[dict[str, Any], ...]:
        """The entries of watch-lists behind a case; see `cargo.listings`."""
        nodes = [_node(number) for number in case.chain.row_numbers]
        if not self._listed.lists or (self._near_entries.isdisjoint(nodes) and self._near_names.isdisjoint(nodes)):
            return ()
        return listings(self.network, self._listed, nodes, max((leg.t_sort for leg in case.chain.legs), default=NAT))

    @cached_property
    def network(self) -> Network:
        """The graph, built when it is first asked for."""
        network = Network(listed=self._listed if self._listed.lists else None)
        legs = [leg for case in self._cases for leg in (*case.chain.legs, *case.returns)]
        rows = {row.row: row for leg in legs for row in leg.rows}
        numbers = sorted(rows)
        mentions = mentions_of(self._papers.shipments.take(self._papers.places(numbers)))
        network.add_rows([rows[number] for number in numbers], resolve_parties(mentions))
        self._add_ships(network)
        return network

    def _add_ships(self, network: Network) -> None:
        """The ships that carried the rows, that those met, and those of the register; each row to its ship."""
        voyages = [voyage for case in self._cases for voyage in case.voyages]
        met = [event for case in self._cases for event in case.events(RENDEZVOUS)]
        imo = {mmsi: voyage.ship.imo for voyage in voyages for mmsi in voyage.ship.mmsis}
        imo |= {mmsi: imo.get(mmsi, 0) for event in met for mmsi in (event.mmsi, event.other) if mmsi}
        heard = [ship for mmsi in imo for ship in _ships_heard(self._fleet, mmsi, imo[mmsi])]
        named = [ship for voyage in voyages if not voyage.ship.mmsis for ship in _ship_named(voyage)]
        network.add_ships(gather([*heard, *named, *self._registry]))
        self._ship_of = {int(mmsi): ship.id for ship in network.ships.values() for mmsi in ship.values("mmsi")}
        by_name = {ship.name: ship.id for ship in network.ships.values() if not ship.imo and not ship.values("mmsi")}
        for voyage in voyages:
            found = self._carrier(voyage, by_name)
            for row in voyage.leg.rows if found in network.ships else ():
                t_to = row.t_arrive if row.t_arrive >= row.t_depart else row.t_depart
                edge = Edge(_node(row.row), found, "carried by", row.t_depart, t_to, SHIPMENTS, voyage.ship.method)
                network.add(edge, 0.5, ("row", "ship"))
        for case in self._cases:
            ship = self._carrier(case.last, by_name)
            for row in (row for leg in case.returns for row in leg.rows) if ship in network.ships else ():
                edge = Edge(_node(row.row), ship, "carried by", row.t_depart, row.t_arrive, SHIPMENTS, "return cargo")
                network.add(edge, 0.5, ("row", "ship"))
        pairs = [(self._ship_of.get(e.mmsi), self._ship_of.get(e.other), e) for e in met]
        network.add_meetings((a, b, e.t_start, e.t_end, e.id) for a, b, e in pairs if a and b and a != b)

    def _carrier(self, voyage: Voyage, by_name: Mapping[str, str]) -> str:
        """The node of the ship of a leg: as it was heard, else by the number or the name that the paper gives."""
        if voyage.ship.mmsis:
            return self._ship_of.get(voyage.ship.mmsis[-1], "")
        return f"imo-{voyage.ship.imo}" if imo_valid(voyage.ship.imo) else by_name.get(voyage.ship.name, "")

    def _near_listed(self, case: Case, nodes: Sequence[str]) -> Signal:
        if not self._listed.lists and not self._listed.unreadable:
            return Signal("near a listed party", None, "no watch-list was imported")
        at = max((leg.t_sort for leg in case.chain.legs), default=NAT)
        if self._near_entries.isdisjoint(nodes) and self._clear(nodes):
            asked = ", ".join(map(str, self._listed.lists))
            return Signal("near a listed party", 0.0, f"none within {MAX_HOPS:g} hops on {asked}")
        return near_listed(self.network, nodes, at)

    def _clear(self, nodes: Sequence[str]) -> bool:
        """Whether no name within reach is that of an entry, all lists were read, and somebody is known to be asked."""
        if self._listed.unreadable or not self._near_names.isdisjoint(nodes):
            return False
        return self._somebody(nodes)

    def _somebody(self, nodes: Sequence[str]) -> bool:
        """Whether any party or ship of some rows is known."""
        return any(self.network.others(node, *ROLES, "carried by") for node in nodes)

    @cached_property
    def _near_entries(self) -> frozenset[str]:
        entries = [node for node, told in self.network.graph.nodes(data=True) if told["kind"] == "entry"]
        return self.network.around(entries, MAX_HOPS)

    @cached_property
    def _near_names(self) -> frozenset[str]:
        return self.network.around([node for node, hits in self.network.hits.items() if hits], MAX_HOPS)

    def _fleet_trade(self, case: Case, nodes: Sequence[str]) -> Signal:
        """Rows of prohibited trade of the ships of the chain, of their owners, and of those owners' other ships."""
        name = "other prohibited trade of the ship or its owner"
        ships = sorted({ship for node in nodes for ship in self.network.others(node, "carried by")})
        owners = self._owners(ships)
        sisters = sorted({ship for owner in owners for ship in self.network.others(owner, "owner")})
        for node in (*ships, *owners, *sisters):
            if texts := self._not_own(case, self._trade.get(node, {})):
                who = f"{self.network.graph.nodes[node]['label']}: "
                return Signal(name, 1.0, f"{who}{texts[0]}; its origin is not known", _rows_in(texts))
        if ships and owners:
            return Signal(name, 0.0, f"none in this input of {len({*ships, *sisters})} ships of one owner", ())
        who = "the owner of the ship" if ships else "the ship"
        return Signal(name, None, f"no such cargo of the ship in this file, and {who} is not known")

    def _owners(self, ships: Sequence[str]) -> list[str]:
        return sorted({owner for ship in ships for owner in self.network.others(ship, "owner")})

    def _not_own(self, case: Case, rows: Mapping[int, str]) -> list[str]:
        """What rows that are not of a case tell, as evidence."""
        if not rows:
            return []
        own = frozenset(case.chain.row_numbers)
        return [text for number, text in rows.items() if number not in own]

    def _nearby_trade(self, case: Case, nodes: Sequence[str]) -> Signal:
        if not self._near_prohibited.isdisjoint(nodes):
            own = frozenset(case.chain.row_numbers)
            ships = {self._ship_of.get(mmsi, "") for mmsi in case.ships()}

            def did(node: str) -> Sequence[str]:
                rows = self._trade.get(node, {})
                told = self._trade_rows.get(node, ())
                if not own.isdisjoint(rows):
                    told = [row for number, row in zip(rows, told, strict=True) if number not in own]
                return [*told, *self._silences[node]] if node in self._silences and node not in ships else told

            of_own = {node for number in own & self._banned.keys() for node in self._traders(number)}
            apart = {node for node in of_own | ships if not did(node)}
            near = self.network.near(nodes, NEIGHBOUR_HOPS)
            return nearby_trade(self.network, near, self._prohibited, did, apart)
        if not self._somebody(nodes):
            return Signal(NEARBY, None, "no party and no ship of these rows is known")
        return Signal(NEARBY, 0.0, "none of the parties and ships within two hops of those of the rows, in this input")

    @cached_property
    def _prohibited(self) -> NDArray[np.bool_]:
        return self.network.marked(self._trade.keys() | self._silences.keys())

    @cached_property
    def _near_prohibited(self) -> frozenset[str]:
        return self.network.around([*self._trade, *self._silences], NEIGHBOUR_HOPS)

    @cached_property
    def _banned(self) -> dict[int, str]:
        """The rows of prohibited trade: goods that a risk country may not sell, loaded there or brought back from where
        a silent ship did not call."""
        found: dict[int, str] = {}
        for case in self._cases:
            for leg in case.returns:
                if ban := ban_on(leg, self._countries, self._lists)[1]:
                    found |= dict.fromkeys(leg.row_numbers, ban)
            for leg in case.chain.legs:
                origin = leg.load_port[:2]
                if origin in self._countries and (ban := ban_on(leg, (origin,), self._lists)[1]):
                    found |= dict.fromkeys(leg.row_numbers, ban)
        return found

    def _traders(self, number: int) -> list[str]:
        """The parties and ships of a row."""
        return self.network.others(_node(number), *ROLES, "carried by")

    @cached_property
    def _trade(self) -> dict[str, dict[int, str]]:
        """For each party and ship the rows of prohibited trade that name it."""
        told: dict[str, dict[int, str]] = {}
        for number, ban in sorted(self._banned.items()):
            for node in self._traders(number):
                told.setdefault(node, {})[number] = f"row {number} ({ban})"
        return told

    @cached_property
    def _trade_rows(self) -> dict[str, list[str]]:
        """The rows of `_trade` as evidence."""
        rows = {number: f"row {number}" for told in self._trade.values() for number in told}
        return {node: [rows[number] for number in told] for node, told in self._trade.items()}

    @cached_property
    def _silences(self) -> dict[str, list[str]]:
        """Silences and meetings of ships of an owner of more than one ship: those of sister ships count."""
        owned: dict[str, set[str]] = {}
        for ship in self.network.ships:
            for owner in self.network.others(ship, "owner"):
                owned.setdefault(owner, set()).add(ship)
        sisters = {ship for ships in owned.values() if len(ships) > 1 for ship in ships}
        told: dict[str, list[str]] = {}
        for ship in sorted(sisters):
            mmsis = [int(mmsi) for mmsi in self.network.ships[ship].values("mmsi")]
            for event in self._fleet.events_of(mmsis, (DARK, RENDEZVOUS)):
                if event.kind == RENDEZVOUS or suspicious_dark(event, self._min_score):
                    told.setdefault(ship, []).append(f"event {event.id}")
        return told

    def _shell(self, case: Case, nodes: Sequence[str]) -> Signal:
        """Any sign of a shell: the strongest where it is 1 or all are known, else unknown."""
        name, at = "signs of a shell", max((leg.t_sort for leg in case.chain.legs), default=NAT)
        signs = shell_signs(self.network, nodes, at)
        known = [sign for sign in signs if sign.value is not None]
        most = max(known, key=lambda sign: sign.value or 0.0, default=None)
        if most is not None and (most.value == 1.0 or len(known) == len(signs)):
            return Signal(name, most.value, f"{most.name}: {most.why}", most.evidence)
        return Signal(name, None, "; ".join(f"{sign.name}: {sign.why}" for sign in signs))


def _rows_in(texts: Sequence[str]) -> tuple[str, ...]:
    """The rows and events that some texts name, without their words."""
    return tuple(dict.fromkeys(sys.intern(text.partition(" (")[0]) for text in texts))


def _node(number: int) -> str:
    return f"{SHIPMENTS} row {number}"


def _ships_heard(fleet: Fleet, mmsi: int, imo: int) -> Iterable[Ship]:
    """What an MMSI told of itself, as ships; the number of the papers where it told none."""
    told = fleet.said(mmsi)
    for said in told:
        facts = facts_of({"name": said.name, "mmsi": str(mmsi)}, said.t_from, said.t_to, "AIS")
        yield Ship("", said.imo if imo_valid(said.imo) else imo if imo_valid(imo) else 0, tuple(facts))
    if not told:
        yield Ship("", imo if imo_valid(imo) else 0, (Fact("mmsi", str(mmsi), NAT, NAT, "AIS"),))


def _ship_named(voyage: Voyage) -> Iterable[Ship]:
    """A ship that a paper names and nobody heard."""
    name, imo = voyage.ship.name, voyage.ship.imo
    if name or imo_valid(imo):
        facts = tuple(facts_of({"name": name}, voyage.leg.t_depart, voyage.leg.t_arrive, SHIPMENTS))
        yield Ship(f"named {name}", imo if imo_valid(imo) else 0, facts)


def _other_events(fleet: Fleet, case: Case, min_score: float) -> Signal:
    name = "other silences and meetings of the ship"
    ships = case.last.ship.mmsis
    if not ships:
        return Signal(name, None, case.last.why)
    aboard = {related.event.id for related in case.related}
    others = [
        event
        for event in fleet.events_of(ships, (DARK, RENDEZVOUS))
        if event.id not in aboard and (event.kind == RENDEZVOUS or suspicious_dark(event, min_score))
    ]
    ids = tuple(f"event {event.id}" for event in others[:5])
    return Signal(name, min(len(others) / 2.0, 1.0), f"{len(others)} in this input, without these goods", ids)
