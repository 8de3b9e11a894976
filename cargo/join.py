"""Join vessel events to shipments: which goods were on which ship when it went dark, met another or did not arrive."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ais.table import Fixes
from cargo import dossier, narrative
from cargo.carriage import Carriers
from cargo.carriage_columns import Weights
from cargo.carriage_kernel import AFTER_DAYS, BEFORE_DAYS, EARLY_DAYS, FASTEST_KN, SEARCH_DAYS
from cargo.case import (
    BEFORE_DEPARTURE_DAYS,
    RETURN_DAYS,
    SLACK_H,
    Case,
    Reached,
    ShipLegs,
    main_dark,
    meetings_of,
    open_case,
    reach_of,
)
from cargo.chain import build_chains
from cargo.control import ControlLists
from cargo.counter_evidence import deciding_records, innocent_readings
from cargo.finding import Assessed, Finding, Findings, WrittenOut
from cargo.fleet import PORT_RADIUS_M, Fleet
from cargo.linking import CONTAINER_DAYS, HANDOVER_DAYS
from cargo.listed import Listed
from cargo.score import Score, check_weights, read_weights, score, sensitivity
from cargo.shipments import Shipments
from cargo.ships import Ship
from cargo.sieve import CONFIRMED, NOT_CONFIRMED, NOT_IDENTIFIED, PARTLY_IDENTIFIED, sieve
from cargo.signals import Signals, Sources
from cargo.value_signals import Peers
from cargo.voyage import ARRIVAL_DAYS, LATE_DAYS, LOADING_DAYS, VOYAGE_DAYS
from cargo.watchlists import Kept, read_watchlists
from detectors.event import WAITING, Events
from geo.collector import collector_off
from geo.errors import UsageError
from geo.ports import ports_version

_WINDOWS: dict[str, float] = {
    "arrival_days": ARRIVAL_DAYS,
    "arrival_early_days": EARLY_DAYS,
    "before_departure_days": BEFORE_DEPARTURE_DAYS,
    "departure_after_days": AFTER_DAYS,
    "departure_before_days": BEFORE_DAYS,
    "container_days": CONTAINER_DAYS,
    "fastest_kn": FASTEST_KN,
    "handover_days": HANDOVER_DAYS,
    "identity_days": Weights().name_days,
    "late_days": LATE_DAYS,
    "loading_days": LOADING_DAYS,
    "port_radius_m": PORT_RADIUS_M,
    "return_days": RETURN_DAYS,
    "search_days": SEARCH_DAYS,
    "slack_h": SLACK_H,
    "voyage_days": VOYAGE_DAYS,
}


def join(
    events: Events,
    shipments: Shipments,
    *,
    fixes: Fixes | None = None,
    risk_countries: Sequence[str] = ("KP",),
    reach: bool = True,
    min_dark_score: float = 0.5,
    weights: Mapping[str, float] | str | Path | None = None,
    reach_limit: int = 25,
    assess_limit: int = 20_000,
    lists: ControlLists | None = None,
    watchlists: Kept | None = None,
    registry: Iterable[Ship] | str | Path | None = None,
) -> Findings:
    """Tie vessel events to the goods on board, and rank what there is to ask.

    Parameters
    ----------
    events
        Events of the ships, with `vessels` and `identity`.
    shipments
        Rows of bills of lading or customs records, from `read_shipments`.
    fixes
        The positions behind the events: they tell how fast a silent ship sails. Without them it is taken as a ship of
        its type and length.
    risk_countries
        ISO 3166 alpha-2 codes.
    reach
        Compute what a silent ship could have reached (some 0.3 s per silence; the graph of the sea is built once, in
        about a minute).
    min_dark_score
        A dark period counts from this probability (0 to 1) on that reception does not explain it; one of unknown
        probability counts too.
    weights
        Weight of each factor, or a TOML file of them; by default all are equal.
    reach_limit
        Most silences for which the reach is computed, the highest lower bound first; the others are counted.
    assess_limit
        Up to so many chains each is scored, finding or not; of more only those that can be findings.
    lists
        Control lists; by default the shipped ones.
    watchlists
        Lists of sanctioned ships and firms, each with its date; by default those that were imported
        (`import_watchlist`).
    registry
        Ships with their owners, from `read_registry`, or the file. Without it owners are not known.

    Returns
    -------
    Findings
        One finding per chain of goods whose ship had such an event with the goods on board, or did not call where
        declared; ranked by the lower bound of the score. Every other chain is in `assessed` with its score, or
        counted by its status in `cleared`. There, chains that are settled stand behind the others: every declared
        port called at, cleared by customs, and a consignee who can be asked, so that value alone alarms nobody.

    Raises UsageError for a parameter that cannot be meant.
    """
    countries = _check(risk_countries, min_dark_score, reach_limit)
    weighed = check_weights(weights) if isinstance(weights, Mapping) else read_weights(weights)
    kept, ships = watchlists if watchlists is not None else read_watchlists(), _registry(registry)
    lists = lists if lists is not None else ControlLists.shipped()
    parameters: dict[str, Any] = {
        "risk_countries": countries,
        "min_dark_score": min_dark_score,
        "reach": reach,
        "reach_limit": reach_limit,
        "assess_limit": assess_limit,
        "weights": weighed,
        "carriage": Weights()._asdict(),
        "windows": _WINDOWS,
        "ports": ports_version(),
        "control_lists": lists.version,
        "watch_lists": [{"list": one.name, "date": one.date, "sha256": one.sha256} for one in kept.lists],
        "watch_lists_unreadable": [file for file, _ in kept.unreadable],
        "registry": registry_version(ships),
    }
    sources = Sources(lists, Listed(kept), ships, countries, min_dark_score)
    with collector_off():
        return _join(Fleet(events, fixes), events, shipments, parameters, sources)


def _join(fleet: Fleet, events: Events, shipments: Shipments, parameters: dict[str, Any], sources: Sources) -> Findings:
    """Open a case for every chain, score it, and score it again where the reach of a silence is known."""
    min_score, weighed = sources.min_score, parameters["weights"]
    opened = _opened(fleet, events, shipments, parameters["assess_limit"], min_score)
    cases = opened.cases
    signals = Signals(fleet, cases, shipments, opened.peers, sources)

    def scored(case: Case) -> Score:
        return score(signals.of(case), weighed)

    scores = []
    for case in cases:
        total = scored(case)
        case.settled = _settled(case, total)
        case.listings = signals.listings(case) if case.triggers else ()
        scores.append(total.bounds())
    silent = [i for i, case in enumerate(cases) if main_dark(case, min_score) is not None]
    silent.sort(key=lambda i: (-round(scores[i].lower, 9), cases[i].chain.row_numbers))
    counts = Counter({"shipment rows": len(shipments), "chains": opened.chains, "silences with goods": len(silent)})
    _add_reach(fleet, [cases[i] for i in silent], parameters, counts)
    for i in silent:
        if cases[i].reached is not None:  # nothing else has changed that a signal is a number of
            scores[i] = scored(cases[i]).bounds()
    inputs = {"ais": events.sources, "shipments": [{"name": shipments.name, "sha256": shipments.sha256}]}
    return _findings(fleet, shipments, cases, scores, scored, parameters, inputs, counts, opened.cleared)


class _Opened(NamedTuple):
    """The cases to be scored, how many chains there are, how many are told by their status, and the goods' values."""

    cases: list[Case]
    chains: int
    cleared: Counter[str]
    peers: Peers


def _opened(fleet: Fleet, events: Events, shipments: Shipments, limit: int, min_score: float) -> _Opened:
    """Open the cases: of all chains, or of more than `limit` of those alone that are findings."""
    chains = build_chains(shipments)
    legs, first = chains.lead_legs()
    carriages = Carriers(fleet).of(chains.table, legs)
    wanted, cleared, every = np.arange(len(chains)), Counter[str](), len(chains) <= limit
    if not every:
        wanted, cleared = sieve(events, chains, legs, first, carriages, min_score)
    spans = [np.arange(first[k], first[k + 1]) for k in wanted.tolist()]
    carriages = carriages.take(np.concatenate([np.zeros(0, np.int64), *spans]))
    carried, peers = iter(carriages), Peers.of(chains)
    ship_legs, cases = ShipLegs(chains.table), []
    for span, chain in zip(spans, chains.take(wanted.tolist()), strict=True):
        case = open_case(fleet, chain, [next(carried) for _ in span], min_score)
        if case.triggers:
            case.returns = ship_legs.returns(case)
        if case.triggers or every:
            cases.append(case)
        else:
            cleared[_nothing_against(case)] += 1
    return _Opened(cases, len(chains), cleared, peers)


def _check(risk_countries: Sequence[str], min_dark_score: float, reach_limit: int) -> tuple[str, ...]:
    """The risk countries in capitals; UsageError for a parameter that cannot be meant."""
    if isinstance(risk_countries, str):
        raise UsageError(
            f"risk_countries must be a list of codes, not the text {risk_countries!r}; give ({risk_countries!r},)"
        )
    countries = tuple(dict.fromkeys(str(code).upper() for code in risk_countries))
    wrong = [code for code in countries if not (len(code) == 2 and code.isascii() and code.isalpha())]
    if wrong:
        raise UsageError(f"risk country {wrong[0]!r} is not an ISO 3166 code of two letters, such as KP")
    if not 0.0 <= min_dark_score <= 1.0:
        raise UsageError(f"min_dark_score must be 0 to 1, not {min_dark_score}")
    if reach_limit < 0:
        raise UsageError(f"reach_limit must be 0 or more, not {reach_limit}; use reach=False for none")
    return countries


def _registry(registry: Iterable[Ship] | str | Path | None) -> list[Ship]:
    """The ships of a register; none where none is given."""
    if registry is None:
        return []
    if isinstance(registry, str | Path):
        from cargo.registry import read_registry

        return read_registry(registry)[0]
    return list(registry)


def registry_version(ships: Sequence[Ship]) -> str | None:
    """Which register was given: a digest of all that it tells, and how many ships; None for none."""
    if not ships:
        return None
    digest = hashlib.blake2b(repr(ships).encode("utf-8", "replace"), digest_size=6).hexdigest()
    return f"{digest}: {len(ships)} ships"


def _add_reach(fleet: Fleet, cases: Sequence[Case], parameters: dict[str, Any], counts: Counter[str]) -> None:
    """Compute the reach of the main silence of each case, once per event, up to the limit; count the others."""
    limit = parameters["reach_limit"] if parameters["reach"] else 0
    why_not = f"over the limit of {limit}" if parameters["reach"] else "not asked for"
    known: dict[str, Reached | str] = {}
    for case in cases:
        dark = main_dark(case, parameters["min_dark_score"])
        if dark is None:
            continue
        if dark.event.id not in known and len(known) < limit:
            known[dark.event.id] = reach_of(fleet, dark.event)
        found = known.get(dark.event.id, why_not)
        if isinstance(found, Reached):
            case.reached = found
            case.met = meetings_of(fleet, case, parameters["min_dark_score"])
            counts["silences with reach"] += 1
        else:
            case.reach_note = f"the reach of the silence is not known: {found}"
            counts[f"silences without reach: {found}"] += 1


def _findings(
    fleet: Fleet,
    shipments: Shipments,
    cases: Sequence[Case],
    scores: Sequence[Score],
    scored: Callable[[Case], Score],
    parameters: dict[str, Any],
    inputs: dict[str, Any],
    counts: Counter[str],
    cleared: Counter[str],
) -> Findings:
    """Ranked findings, and a row for every chain that was opened; `cleared` counts the others by status. `scores` hold
    no signals: those of a finding are read again (`scored`) when it is written out."""
    min_score, countries = parameters["min_dark_score"], parameters["risk_countries"]
    ids = dossier.case_ids([case.chain for case in cases])
    order = sorted(
        range(len(cases)),
        key=lambda i: (
            cases[i].settled,
            -round(scores[i].lower, 9),
            -round(scores[i].upper, 9),
            ids[i],
            cases[i].chain.row_numbers,
        ),
    )
    found: list[int] = []
    assessed: list[Assessed] = []
    for rank, i in enumerate(order, start=1):
        case, total = cases[i], scores[i]
        dark = main_dark(case, min_score)
        name, rows = dossier.title(case, dark), case.chain.row_numbers
        bounds = (total.lower, total.upper, total.known, total.coverage)
        assessed.append(Assessed(ids[i], rank, name, _status(case), bool(case.triggers), rows, *bounds))
        if case.triggers:
            found.append(i)
    counts["findings"] = len(found)
    by_id = {ids[i]: scores[i] for i in order if cases[i].triggers}
    table = sensitivity(by_id, parameters["weights"]) if by_id else []

    def write(n: int) -> Finding:
        i = found[n]
        return _finding(fleet, shipments, cases[i], scored(cases[i]), ids[i], n + 1, countries, parameters)

    items = WrittenOut(len(found), write)
    return Findings(items, assessed, counts, parameters, inputs, table, cleared)


def _settled(case: Case, total: Score) -> bool:
    """Whether papers and calls leave nothing to ask: every declared port called at by a ship that raises no question,
    cleared by customs at the last one, and a consignee who can be asked."""
    if case.triggers or not all(voyage.arrived for voyage in case.voyages):
        return False
    told = {signal.name: signal.value for factor in total.factors for signal in factor.signals}
    return told["not cleared by customs"] == 0.0 and told["consignee"] == 0.0


def _status(case: Case) -> str:
    """Why a chain is a finding, or why it is none; waiting at a known anchorage alone makes none, and is said."""
    if case.triggers:
        return ", ".join(case.triggers)
    waited = "".join(f"; waited at {event.anchorage_name or 'several anchorages'}" for event in case.events(WAITING))
    return f"{_nothing_against(case)}{waited}"


def _nothing_against(case: Case) -> str:
    if all(voyage.arrived for voyage in case.voyages):
        return CONFIRMED
    if not any(voyage.ship.mmsis for voyage in case.voyages):
        return NOT_IDENTIFIED
    return NOT_CONFIRMED if all(voyage.ship.mmsis for voyage in case.voyages) else PARTLY_IDENTIFIED


def _finding(
    fleet: Fleet,
    shipments: Shipments,
    case: Case,
    total: Score,
    name: str,
    rank: int,
    countries: tuple[str, ...],
    parameters: dict[str, Any],
) -> Finding:
    """Write a case out."""
    dark = main_dark(case, parameters["min_dark_score"])
    signals = [signal for factor in total.factors for signal in factor.signals]
    return Finding(
        id=name,
        rank=rank,
        title=dossier.title(case, dark),
        conclusion=narrative.conclusion(case, dark, countries),
        score=total,
        goods=dossier.goods(case.chain),
        chain=dossier.legs(case),
        balance=tuple(balance._asdict() for balance in case.chain.balances()),
        events=dossier.events(case),
        claims=dossier.claims(case),
        evidence=dossier.evidence(fleet, case, dark, shipments),
        unknown=tuple(narrative.unknowns(fleet, case, dark, signals)),
        innocent=tuple([*narrative.innocent_explanations(case, dark), *innocent_readings(signals)]),
        deciding_records=tuple([*narrative.deciding_records(case, dark), *deciding_records(case, signals)]),
        hypotheses=tuple(narrative.hypotheses(fleet, case, dark, countries)),
        reach=dossier.reach(case, countries),
        return_cargo=dossier.return_cargo(case),
        listed=case.listings,
        parameters=parameters,
    )
