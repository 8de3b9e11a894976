"""The signals of the five factors, computed from a case: each 0 to 1, or unknown with the reason.

Definitions after "Lux & Loaded" (C4ADS, 2019) as made computable in the reference of the project; they stand in
docs/cargo-findings.md. What the data at hand cannot say is unknown, never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cargo.case import Case
from cargo.control import ControlLists
from cargo.end_user_signals import end_user_signals
from cargo.fleet import Fleet
from cargo.listed import Listed
from cargo.party_signals import Surroundings
from cargo.readings import Controls, Papers, Readings
from cargo.route_signals import route_signals
from cargo.score import Signal
from cargo.shipments import Shipments
from cargo.ships import Ship
from cargo.techniques import techniques
from cargo.value_signals import Peers, value_signals


@dataclass(frozen=True, slots=True)
class Sources:
    """What cases are read against: control lists, watch-lists, ships of a register, and the user's parameters."""

    lists: ControlLists
    listed: Listed
    registry: Sequence[Ship]
    risk_countries: tuple[str, ...]
    min_score: float


class Signals:
    """The signals of some cases; what many of them ask is asked once."""

    def __init__(
        self, fleet: Fleet, cases: Sequence[Case], shipments: Shipments, peers: Peers, sources: Sources
    ) -> None:
        chains = [case.chain for case in cases]
        self._fleet, self._peers, self._from = fleet, peers, sources
        self._papers = Papers(shipments)
        self._readings = Readings(chains)
        self._controls = Controls(sources.lists, sources.risk_countries, chains, self._papers, self._readings)
        self._surroundings = Surroundings(
            fleet, cases, self._papers, listed=sources.listed, registry=sources.registry, lists=sources.lists,
            risk_countries=sources.risk_countries, min_score=sources.min_score,
        )  # fmt: skip

    def of(self, case: Case) -> dict[str, list[Signal]]:
        """All signals of a case, by factor."""
        told, min_score = self._from, self._from.min_score
        return {
            "value": value_signals(case.chain, self._peers, self._controls, self._readings),
            "end_user": end_user_signals(case.chain, self._papers),
            "route": route_signals(case, told.risk_countries, told.lists, min_score),
            "parties": self._surroundings.signals(case),
            "obfuscation": techniques(self._fleet, case, min_score, self._readings),
        }

    def listings(self, case: Case) -> tuple[dict[str, Any], ...]:
        """The entries of watch-lists behind a case."""
        return self._surroundings.listings(case)
