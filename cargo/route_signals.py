"""Signals of the factor "route": how the goods went, and what of their way does not show.

After the legs: changes of ship, detour, days ashore, units that are not accounted for, the declared port. After the
ship: what a silence could have reached, meetings, and cargo that comes back in the place of what went out.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from ais.table import NAT
from cargo.case import RETURN_DAYS, SLACK_H, Case, suspicious_dark
from cargo.chain import Chain
from cargo.control import ControlLists, ban_of
from cargo.leg import DAY_US, Leg, handed_over, rows_of
from cargo.regions import port_name
from cargo.score import Signal
from cargo.techniques import handed_at_sea, no_event
from detectors.event import DARK, GAP
from geo.sphere import distance_m

SHORT_STAY_DAYS, LONG_STAY_DAYS = 7.0, 21.0
"""Days ashore between two legs: up to the first a box waits for its ship, from the second on the signal is 1. Set by
the known case (26 days at Dalian) and by free time at terminals, which is a week in most tariffs."""


def route_signals(case: Case, risk_countries: Sequence[str], lists: ControlLists, min_score: float) -> list[Signal]:
    """The signals of this factor."""
    return [
        _transhipments(case.chain),
        _detour(case.chain),
        _stay(case.chain),
        _unaccounted(case.chain),
        _last_port(case),
        _risk_port(case, risk_countries, min_score),
        handed_at_sea(case),
        _flip(case, risk_countries, lists),
    ]


def _transhipments(chain: Chain) -> Signal:
    n = len(chain.legs) - 1
    why = f"{n} change{'s' * (n != 1)} of ship on record"
    return Signal("transhipments", min(n / 3.0, 1.0), why, rows_of(chain.legs) if n else ())


def _detour(chain: Chain) -> Signal:
    """Great-circle length of the legs over that from the first to the last port: 1 is 0, twice and more is 1."""
    from geo.ports import port_by_code

    name = "detour"
    codes = [code for leg in chain.legs for code in (leg.load_port, leg.discharge_port)]
    places = [port_by_code(code) if code else None for code in codes]
    if any(place is None for place in places):
        return Signal(name, None, "a port of the chain is not known")
    known = [place for place in places if place is not None]
    lengths = [float(distance_m(a.lat, a.lon, b.lat, b.lon)) for a, b in itertools.pairwise(known)]
    direct = float(distance_m(known[0].lat, known[0].lon, known[-1].lat, known[-1].lon))
    if direct < 1.0:
        return Signal(name, None, "the chain ends where it began")
    ratio = sum(lengths) / direct
    why = f"{ratio:.2f} times the great circle from {codes[0]} to {codes[-1]}"
    return Signal(name, min(max(ratio - 1.0, 0.0), 1.0), why, rows_of(chain.legs) if ratio > 1.0 else ())


def stays(chain: Chain) -> list[tuple[Leg, Leg, float | None, float | None]]:
    """Two legs with a hand-over between them, and the days ashore, least and most by their claims; None unknown."""
    found = []
    for a, b in itertools.pairwise(chain.legs):
        if handed_over(a, b):
            (early, late), (first, last) = a.times("t_arrive"), b.times("t_depart")
            told = NAT not in (early, first)
            most = (last - early) / DAY_US if told else None
            found.append((a, b, max((first - late) / DAY_US, 0.0) if told else None, most))
    return found


def _stay(chain: Chain) -> Signal:
    """The longest stay ashore, each by the shortest that its claims allow."""
    name = "long stay ashore"
    if len(chain.legs) == 1:
        return Signal(name, 0.0, "no change of ship on record")
    told = [(least, most, a, b) for a, b, least, most in stays(chain) if least is not None and most is not None]
    if not told:
        return Signal(name, None, "no arrival and departure of one hand-over is stated")
    least, most, a, b = max(told, key=lambda stay: stay[0])
    value = min(max((least - SHORT_STAY_DAYS) / (LONG_STAY_DAYS - SHORT_STAY_DAYS), 0.0), 1.0)
    if value < 1.0 and len(told) < len(chain.legs) - 1:
        return Signal(name, None, f"{len(told)} of {len(chain.legs) - 1} stays are known, the longest {least:.0f} days")
    days = f"{least:.0f} days" if round(most) == round(least) else f"{least:.0f} to {most:.0f} days, by other sources,"
    return Signal(name, value, f"{days} at {port_name(a.discharge_port)}", rows_of([a, b]))


def _unaccounted(chain: Chain) -> Signal:
    """The largest share of the units into a port that do not leave it with the goods."""
    name, balances = "units unaccounted for", chain.balances()
    if not balances:
        return Signal(name, 0.0, "no change of ship on record")
    known = [b for b in balances if b.remainder is not None and b.units_in]
    off = [b for b in known if b.remainder]
    if off:
        worst = max(off, key=lambda b: abs((b.remainder or 0.0) / (b.units_in or 1.0)))
        share = abs((worst.remainder or 0.0) / (worst.units_in or 1.0))
        why = f"{worst.units_in:g} units into {port_name(worst.port)}, {worst.units_out:g} out of it"
        return Signal(name, min(share, 1.0), why, rows_of(chain.legs))
    if len(known) < len(balances):
        return Signal(name, None, f"the units of {len(balances) - len(known)} of {len(balances)} changes are not known")
    return Signal(name, 0.0, "as many units leave each port as came into it", rows_of(chain.legs))


def _last_port(case: Case) -> Signal:
    value = None if case.last.arrived is None else float(not case.last.arrived)
    calls = [f"event {case.last.discharge_call.id}"] if case.last.discharge_call else []
    return Signal("last declared port without record", value, case.last.why, tuple([*rows_of([case.last.leg]), *calls]))


def _risk_port(case: Case, risk_countries: Sequence[str], min_score: float) -> Signal:
    name = "port of a risk country within reach"
    dark = [event for event in case.events(DARK) if suspicious_dark(event, min_score)]
    if not dark and case.events(GAP):
        return Signal(name, None, "the reach of gaps that reception may explain is not computed")
    if not dark:
        return no_event(name, case, "no silence with the goods on board that reception does not explain")
    if case.reached is None:
        return Signal(name, None, case.reach_note or "the reach of the silence was not computed")
    ports = case.reached.in_countries(risk_countries)
    evidence = (f"event {case.reached.event.id}",)
    if not ports:
        return Signal(name, 0.0, f"none of {', '.join(risk_countries)} with a stay of {SLACK_H:.0f} h", evidence)
    names = ", ".join(port.name for port in ports)
    return Signal(name, 1.0, f"{names}: necessary for a call there, not evidence of one", evidence)


def ban_on(leg: Leg, risk_countries: Sequence[str], lists: ControlLists) -> tuple[str, str]:
    """The first risk country that may not sell goods like those of a leg, and the rule; "" where none is known."""
    for country in risk_countries:
        known = any(rule.target == country for rule in lists.rules)
        if known and (ban := ban_of(country, leg.hs6, leg.t_sort, lists)):
            return country, ban
    return "", ""


def _flip(case: Case, risk_countries: Sequence[str], lists: ControlLists) -> Signal:
    """Other goods come back on the ship out of the declared port, of a kind that a risk country may not sell."""
    name, out = "cargo flip", case.chain.legs[-1]
    for leg in case.returns:
        country, ban = ban_on(leg, risk_countries, lists)
        if ban:
            sent, back = (one.first("description") or f"HS {one.hs6}" for one in (out, leg))
            why = (
                f"{sent} out, {back} back on the same ship out of {port_name(leg.load_port)} as declared; {country} "
                f"may not sell goods of that kind ({ban}), and where these came from is not known"
            )
            return Signal(name, 1.0, why, rows_of([out, leg]))
    if case.returns:
        return Signal(name, 0.0, "what the ship brought back is under no such ban that is known", rows_of(case.returns))
    if not case.triggers:
        return Signal(name, None, "not looked for: nothing that the ship did raises the question")
    return Signal(name, None, f"no cargo out of the declared port within {RETURN_DAYS} days is in this file")
