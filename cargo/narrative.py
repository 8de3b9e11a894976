"""What a case allows to say: the conclusion, rival hypotheses, what is unknown, what is innocent, what would decide.

Every sentence is made from facts of the case. The words are "consistent with"; nothing here proves anything, and
nothing says what anybody knew. A hypothesis' bounds are the share of its tests that speak for it alone (lower) and
that do not speak against it (upper); they are not probabilities. Reach is necessary for a delivery, no evidence of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cargo.case import SLACK_H, Case, Related, draughts
from cargo.control import ban_of
from cargo.fleet import Event, Fleet
from cargo.leg import DAY_US, iso_time
from cargo.regions import port_name, port_region, region
from cargo.score import Signal, factor
from cargo.voyage import Voyage
from detectors.event import LOITERING, PORT_CALL, RENDEZVOUS, WAITING

_DRAUGHT_CHANGE_M = 0.3  # broadcast in steps of 0.1 m and typed by hand: less is trim, water density or a slip


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One reading of the case, with what speaks for and against it, and the share of tests for it, as bounds."""

    id: str
    text: str
    speaks_for: tuple[str, ...]
    speaks_against: tuple[str, ...]
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class DecidingRecord:
    """A record that would decide between the hypotheses, who holds it, and what it would show."""

    record: str
    holder: str
    would_show: str


def focus(case: Case, dark: Related | None) -> Voyage:
    """The voyage that the finding is about: that of the silence, else of a meeting, else of a port not called at."""
    if dark is not None:
        return case.voyages[dark.leg]
    met = [r.leg for r in case.related if r.event.kind in (RENDEZVOUS, LOITERING)]
    missed = [i for i, voyage in enumerate(case.voyages) if voyage.arrived is False]
    return case.voyages[max([*met, *missed], default=len(case.voyages) - 1)]


def _either(words: Sequence[str]) -> str:
    """Words as "a", "a or b", "a, b or c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _declared_reachable(case: Case, port: str) -> bool | None:
    if case.reached is None:
        return None
    return any(p.locode == port and p.slack_h >= SLACK_H for p in case.reached.found.ports)


def _risk_regions(case: Case, risk_countries: Sequence[str]) -> list[str]:
    ports = case.reached.in_countries(risk_countries) if case.reached else []
    return list(dict.fromkeys(region(port.country, port.lon) for port in ports))


def conclusion(case: Case, dark: Related | None, risk_countries: Sequence[str]) -> str:
    """One sentence on where the goods may have gone, from the declared port, port calls, reach and meetings."""
    voyage, met = focus(case, dark), bool(case.events(RENDEZVOUS))
    port, risk = voyage.leg.discharge_port, _risk_regions(case, risk_countries)
    if voyage is not case.last:
        first = case.last.leg.row_numbers[0]
        return (
            f"consistent with carriage to {port_name(port)} as declared, since the goods appear in later records "
            f"(row {first}); what the ship did on that leg is not explained"
        )
    if voyage.arrived:
        open_ends = [f"a visit to {_either(risk)}"] if risk else []
        open_ends += ["a hand-over at sea"] if met else []
        left = f"; {_either(open_ends)} on the way is not excluded" if open_ends else ""
        return f"consistent with delivery at {port_name(port)} as declared{left}; not proven"
    declared = port_region(port)
    may_be = [declared] if declared and not (dark and _declared_reachable(case, port) is False) else []
    if may_be and voyage.leg.texts("cleared") == ["yes"]:
        may_be = [f"{declared}, where papers say that the goods were cleared,"]
        risk = [word for word in risk if word != declared]
    regions = list(dict.fromkeys([*may_be, *risk]))
    ways = [f"delivery in {_either(regions)}"] if regions else []
    ways += ["a hand-over at sea"] if met else []
    if not ways:
        return "where the goods went cannot be said from these records"
    return f"consistent with {_either(ways).rstrip(',')}; not proven"


def hypotheses(fleet: Fleet, case: Case, dark: Related | None, risk_countries: Sequence[str]) -> list[Hypothesis]:
    """The four rival readings with their tests; `_shared` marks facts that fit more than one of them."""
    voyage = focus(case, dark)
    name = port_name(voyage.leg.discharge_port)
    arrived = None if voyage.arrived is None else float(voyage.arrived)
    call, silence = Signal("call", arrived, voyage.why), _silence(dark)
    draught = _shared(_draught(fleet, dark))
    risk = _either(_risk_regions(case, risk_countries) or ["a risk country"])
    at_declared = [call, _shared(_reachable(case, voyage)), _returned(case), _cleared(voyage), draught]
    at_risk = [
        _risk_call(case, risk_countries),
        _shared(_risk_reachable(case, risk_countries, dark)),
        _shared(silence),
        _shared(_banned_return(case)),
        draught,
        _shared(_inverse(call)),
    ]
    at_sea = [_meeting(case), _shared(_long_enough(dark)), draught, _shared(_inverse(call))]
    innocent = [_inverse(silence), call, _shared(_inverse(_draught(fleet, dark))), _cleared(voyage)]
    return [
        _weigh("H1", f"delivered at {name} or near it, perhaps sent on by other means", at_declared),
        _weigh("H2", f"delivered in {risk}", at_risk),
        _weigh("H3", "handed over at sea", at_sea),
        _weigh("H4", "innocent: a fault of the AIS, a gap in reception, or a change of plan", innocent),
    ]


_SHARED = "fits rival readings too"


def _shared(test: Signal) -> Signal:
    """A test whose yes fits other readings as well: it may rule this one out, but does not raise its lower bound."""
    return Signal(_SHARED, test.value, test.why, test.evidence)


def _weigh(name: str, text: str, tests: Sequence[Signal]) -> Hypothesis:
    pro, contra, counted = [], [], []
    for test in tests:
        fits = test.value is not None and test.value >= 0.5
        shared = test.name == _SHARED
        if fits:
            pro.append(f"{test.why} ({_SHARED})" if shared else test.why)
        elif test.value is not None:
            contra.append(test.why)
        counted.append(Signal(test.name, None if fits and shared else test.value, test.why))
    whole = factor(name, counted)
    return Hypothesis(name, text, tuple(pro), tuple(contra), whole.lower, whole.upper)


def _inverse(test: Signal) -> Signal:
    """The same fact as a test of the opposite."""
    return Signal(test.name, None if test.value is None else 1.0 - test.value, test.why, test.evidence)


def _risk_call(case: Case, risk_countries: Sequence[str]) -> Signal:
    """Direct evidence: a call of the ship in a risk country with the goods on board."""
    calls = [event for event in case.events(PORT_CALL) if event.port[:2] in risk_countries]
    if calls:
        return Signal("risk call", 1.0, f"call at {port_name(calls[0].port)} on record")
    return Signal("risk call", None, "no call there was received")


def _reachable(case: Case, voyage: Voyage) -> Signal:
    port = voyage.leg.discharge_port
    within = _declared_reachable(case, port)
    if within is None:
        return Signal("reach", None, "the reach of the silence was not computed")
    return Signal(
        "reach", float(within), f"{port_name(port)} {'lay' if within else 'did not lie'} within reach of the silence"
    )


def _risk_reachable(case: Case, risk_countries: Sequence[str], dark: Related | None) -> Signal:
    if case.reached is None:
        value = 0.0 if dark is None and not case.silences() else None
        return Signal("reach", value, "the ship was not silent" if value == 0.0 else "the reach was not computed")
    ports = case.reached.in_countries(risk_countries)
    if not ports:
        return Signal("reach", 0.0, "no such port within reach")
    from geo.reach_map import chance_words

    least = chance_words(min(port.probability for port in ports))
    names = ", ".join(port.name for port in ports)
    chance = f"fast enough for {'each' if len(ports) > 1 else 'it'} with a chance of {least}"
    return Signal("reach", 1.0, f"could have been reached with a stay of {SLACK_H:.0f} h: {names}; {chance}")


def _silence(dark: Related | None) -> Signal:
    if dark is None:
        return Signal("silence", 0.0, "no silence that reception does not explain")
    score = dark.event.score
    if math.isnan(score):
        return Signal("silence", None, "whether reception explains the silence is not known")
    shown = f"{score:.2f}" if score < 0.995 else "over 0.99"  # no silence is explained with certainty
    return Signal("silence", float(score), f"reception does not explain the silence, probability {shown}")


def _draught(fleet: Fleet, dark: Related | None) -> Signal:
    """Whether the ship's broadcast draught changed over the silence: cargo was worked somewhere."""
    if dark is None:
        return Signal("draught", None, "no silence over which to compare draughts")
    before, after = draughts(fleet, dark.event)
    if before is None or after is None:
        return Signal("draught", None, "the draught before or after the silence was not broadcast")
    changed = abs(after.draught - before.draught) >= _DRAUGHT_CHANGE_M
    why = f"draught {before.draught:.1f} m before the silence and {after.draught:.1f} m after it"
    return Signal("draught", float(changed), f"{why}: {'cargo was worked' if changed else 'no sign of cargo worked'}")


def _returned(case: Case) -> Signal:
    if not case.returns:
        return Signal("return", None, "no return cargo on record")
    leg = case.returns[0]
    return Signal("return", 1.0, f"papers name a cargo out of {port_name(leg.load_port)} (row {leg.row_numbers[0]})")


def _banned_return(case: Case) -> Signal:
    for leg in case.returns:
        if ban := ban_of("KP", leg.hs6, leg.first("t_depart")):
            goods = leg.first("description") or f"HS {leg.hs6}"
            return Signal("return", 1.0, f"the ship came back with {goods}, whose export by the DPRK is banned ({ban})")
    return Signal("return", None, "no return cargo that speaks for it")


def _cleared(voyage: Voyage) -> Signal:
    said = voyage.leg.texts("cleared")
    if len(said) != 1:
        return Signal("cleared", None, "whether customs cleared the goods is not known")
    return Signal("cleared", float(said[0] == "yes"), f"cleared by customs at the declared port: {said[0]}")


def _meeting(case: Case) -> Signal:
    met = case.events(RENDEZVOUS)
    if met:
        return Signal("meeting", 1.0, f"{len(met)} rendezvous with the goods on board")
    for both in case.met:
        ship, hours = f"MMSI {both.other.mmsi}", both.meeting.longest_h
        why = f"{ship}, of the same chain, was silent too: the two could have been together for {hours:.0f} h at most"
        return Signal("meeting", None, why)
    if case.silences():
        return Signal("meeting", None, "a meeting during the silence would not have been seen")
    return Signal("meeting", 0.0, "no rendezvous with the goods on board")


def _long_enough(dark: Related | None) -> Signal:
    if dark is None:
        return Signal("time", 0.0, "no silence in which to meet unseen")
    hours = (dark.event.t_end - dark.event.t_start) / 3.6e9
    return Signal(
        "time", float(hours >= SLACK_H), f"the silence of {hours:.0f} h leaves {'' if hours >= SLACK_H else 'no '}time"
    )


def unknowns(fleet: Fleet, case: Case, dark: Related | None, signals: Sequence[Signal]) -> list[str]:
    """What is not known, each once: signals without a value, ships, draughts, hand-overs and units."""
    found = [f"{signal.name}: {signal.why}" for signal in signals if signal.value is None]
    for i, voyage in enumerate(case.voyages, start=1):
        if not voyage.ship.mmsis or voyage.ship.method.startswith("candidate"):
            found.append(f"ship of leg {i}: {voyage.ship.method}")
    if dark is not None and _draught(fleet, dark).value is None:
        found.append(f"draught: {_draught(fleet, dark).why}")
    for balance in case.chain.balances():
        if balance.remainder is None:
            found.append(f"units through {port_name(balance.port)}: unknown remainder")
        elif balance.remainder != 0.0:
            found.append(
                f"units through {port_name(balance.port)}: {balance.remainder:g} of {balance.units_in:g} unaccounted"
            )
    for strand in case.chain.strands:
        if strand.open_ends:
            rows = ", ".join(map(str, strand.open_ends))
            found.append(f"what follows the last leg: several legs of such goods fit (rows {rows})")
    if case.reached is not None:
        called, speed = case.reached.found.ports, case.reached.found.silence.speed
        found.append(f"which of the {len(called)} ports within reach the silent ship called at, if any")
        found.append(
            f"how fast the silent ship was: usually {speed.usual_kn:.1f} kn, over {speed.fast_kn:.1f} kn with a chance "
            f"of 5 % ({speed.source})"
        )
    for both in case.met:
        when = f"{iso_time(both.other.t_start)} to {iso_time(both.other.t_end)}"
        found.append(f"whether the ship met MMSI {both.other.mmsi}, silent {when}: {_meeting(case).why}")
    found.append("who owned and directed the ship, and what carrier, forwarder and broker knew")
    return list(dict.fromkeys(found))


def innocent_explanations(case: Case, dark: Related | None) -> list[str]:
    """What an honest ship and honest papers would look like with the same records."""
    found = []
    if dark is not None:
        found.append("the AIS transponder failed, or was switched off for a reason of safety, and the papers are right")
        coverage = dark.event.coverage
        if not coverage >= 0.9:
            share = "unknown" if math.isnan(coverage) else f"known for {coverage:.0%} of it"
            found.append(f"reception of the silence is {share}: it may be a gap of the receivers")
    if any(voyage.arrived is False for voyage in case.voyages):
        found.append("the ship changed its destination or waited for orders, and no later paper is in this file")
    if case.events(RENDEZVOUS):
        found.append("the meeting was for bunkers, stores, crew or a pilot")
    for place in dict.fromkeys(event.anchorage_name for event in case.events(RENDEZVOUS) if event.anchorage_name):
        found.append(f"the ships lay at anchor near each other at {place}, where many different ships lie still")
    if case.events(LOITERING):
        found.append("the ship waited for a berth, orders, weather or repairs")
    for place in dict.fromkeys(event.anchorage_name or "several anchorages" for event in case.events(WAITING)):
        found.append(f"the ship waited at {place}, where many different ships lie still")
    if any(leg.claims for leg in case.chain.legs):
        found.append("the sources differ by a slip of the pen or by the day on which each was written")
    found.append("the goods are lawful in themselves, and the buyer may be")
    return found


def deciding_records(case: Case, dark: Related | None) -> list[DecidingRecord]:
    """The records that would tell the hypotheses apart, and who holds them."""
    voyage = focus(case, dark)
    port, leg = port_name(voyage.leg.discharge_port), voyage.leg
    found = []
    if not voyage.ship.mmsis:
        papers = f"booking and bill of lading with ship and voyage for {port_name(leg.load_port)} to {port}"
        found.append(DecidingRecord(papers, "the carrier and its agents", "which ship carried the goods"))
    until = f" to {iso_time(voyage.t_end)}" if voyage.ship.mmsis else ""
    calls = f"port call list of {port}, {iso_time(voyage.t_sail) or 'date unknown'}{until}"
    found.append(
        DecidingRecord(calls, f"the port authority of {port}", "whether the ship called there, and what it landed")
    )
    event: Event | None = dark.event if dark else None
    met = case.events(RENDEZVOUS)
    if event is not None:
        between = f"{iso_time(event.t_start)} to {iso_time(event.t_end)}"
        image = f"satellite images, radar and optical, of the reachable ports, {between}"
        found.append(
            DecidingRecord(image, "open and commercial image archives", "where the ship lay while it was silent")
        )
        log = f"GPS plotter, chart system and log book, {between}"
        found.append(DecidingRecord(log, "the ship; its flag and port states", "the track of the silent days"))
    elif met:
        between = f"{iso_time(met[0].t_start)} to {iso_time(met[0].t_end + DAY_US)}"
        image = f"satellite images of the place of the meeting, {between}"
        found.append(DecidingRecord(image, "open and commercial image archives", "what the two ships did alongside"))
    vins = [vin for strand in case.chain.strands for vin in strand.legs[0].texts("vin")]
    what = f"VIN {', '.join(vins[:4])}" if vins else "container and description"
    entry = f"customs import entry by {what}"
    country = region(leg.discharge_port[:2], 0.0) if leg.discharge_port else "the declared country"
    customs = f"the customs of {country}"
    found.append(DecidingRecord(entry, customs, "whether the goods were cleared, for whom, and what became of them"))
    return found
