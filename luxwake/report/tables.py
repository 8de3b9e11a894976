"""Tables of a report: events, legs, claims, evidence, inputs. Wide ones scroll on a narrow screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from geo.reach_map import chance_words
from luxwake.report.markup import Markup, element, join
from luxwake.report.words import (
    DAY_US,
    HOUR_US,
    claim_word,
    day,
    day_span,
    day_time,
    kind_word,
    length_of_time,
    position,
    score,
    time_us,
)

Json = Mapping[str, Any]

UNKNOWN = Markup('<span class="state unknown">unknown</span>')
"""What is not known, so that it cannot be taken for a no or for a zero."""


def table(
    head: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[int] = (), style: str = ""
) -> Markup:
    """A table; None in a cell is shown as unknown; `numbers` are the columns set to the right."""
    body = []
    for row in rows:
        cells = [
            element("td", UNKNOWN if cell is None else cell, class_="number" if n in numbers else None)
            for n, cell in enumerate(row)
        ]
        body.append(element("tr", *cells))
    heads = [element("th", word, scope="col", class_="number" if n in numbers else None) for n, word in enumerate(head)]
    made = element("table", element("thead", element("tr", *heads)), element("tbody", *body), class_=style or None)
    return element("div", made, class_="scroll", tabindex="0", role="group", aria_label=head[0])


def event_table(events: Sequence[Json]) -> Markup:
    """Events of a finding, with how each touches the goods."""
    rows = []
    for event in events:
        start, end = time_us(event.get("t_start")), time_us(event.get("t_end"))
        lasted = length_of_time(end - start) if start is not None and end is not None else None
        again = position(event.get("lat_end"), event.get("lon_end"))
        where = position(event.get("lat"), event.get("lon"))
        if event.get("kind") == "dark":
            where = f"{where}, heard again {again}" if again != "unknown" else where
        elif event.get("anchorage"):
            where = f"{event['anchorage']}, {where}"
        where = (event.get("port") if event.get("kind") == "port_call" else None) or where
        if event.get("zones"):
            where = f"{where}, in {event['zones']}"
        ships = ", ".join(str(event[key]) for key in ("mmsi", "other") if event.get(key))
        rows.append(
            (
                kind_word(event.get("kind")),
                str(event.get("relation") or "").replace("_", " ") or None,
                ships or None,
                day_time(start),
                lasted,
                where,
                _known(event.get("score")),
                element("code", event.get("id", "")),
            )
        )
    head = ("Event", "How it touches the goods", "MMSI", "From (UTC)", "Lasted", "Where", "Score", "Id")
    return table(head, rows, numbers=(6,))


def reach_table(ports: Sequence[Json]) -> Markup:
    """Ports that a silent ship could have reached, those of watched countries first, the longest stay first."""
    rows = []
    for port in sorted(ports, key=lambda port: not port.get("risk")):
        stay, chance = port.get("slack_h"), port.get("probability")
        name = port.get("name") or port.get("locode")
        rows.append(
            (
                element("b", name) if port.get("risk") else name,
                port.get("locode"),
                day_time(time_us(port.get("earliest"))),
                day_time(time_us(port.get("latest"))),
                length_of_time(round(stay * HOUR_US)) if isinstance(stay, (int, float)) else None,
                chance_words(chance) if isinstance(chance, (int, float)) else None,
                ", ".join(map(str, port.get("passages", ()))) or "none with a name",
            )
        )
    head = (
        "Port",
        "Code",
        "Earliest arrival (UTC)",
        "Latest departure",
        "Longest stay",
        "Fast enough",
        "Straits passed",
    )
    return table(head, rows)


def _known(value: object) -> str | None:
    written = score(value)
    return None if written == "unknown" else written


def leg_table(legs: Sequence[Json]) -> Markup:
    """The chain, leg by leg: ports, ship, parties, customs, and what links a leg to the one before."""
    rows = []
    for n, leg in enumerate(legs):
        rows.append(
            (
                str(leg.get("leg", n + 1)),
                join([_port(leg, "load") or UNKNOWN, " → ", _port(leg, "discharge") or UNKNOWN]),
                day_span(time_us(leg.get("t_depart")), time_us(leg.get("t_arrive"))),
                _arrived(leg),
                _vessel(leg.get("vessel") or {}),
                f"{leg.get('shipper') or 'unknown'} → {leg.get('consignee') or 'unknown'}",
                leg.get("description") or None,
                {True: "yes", False: "no", "": None, "unknown": None}.get(leg.get("cleared"), leg.get("cleared")),
                _link(leg.get("link")),
                ", ".join(str(row) for row in leg.get("rows", ())),
            )
        )
    head = (
        *("Leg", "From → to", "Papers say", "Call heard", "Ship"),
        *("Shipper → consignee", "Declared as", "Cleared", "Linked by", "Rows"),
    )
    return table(head, rows, style="legs")


def _port(leg: Json, end: str) -> str | None:
    name, code = leg.get(f"{end}_name"), leg.get(f"{end}_port")
    return f"{name} ({code})" if name and code else str(name or code or "") or None


def _vessel(vessel: Json) -> str | None:
    """The ship of a leg, and how it was found; candidates are named as such."""
    candidates = vessel.get("candidates") or ()
    if not vessel.get("name") and not vessel.get("mmsi"):
        return f"not named; {len(candidates)} could be it" if candidates else None
    said = [str(vessel.get("name") or "name unknown")]
    said += [f"IMO {vessel['imo']}"] if vessel.get("imo") else []
    said += [f"MMSI {vessel['mmsi']}" if vessel.get("mmsi") else "not found among the ships heard"]
    said += [f"by {str(vessel['method']).replace('_', ' ')}"] if vessel.get("method") else []
    return ", ".join(said)


def _arrived(leg: Json) -> Markup | str | None:
    """Whether the ship was heard at the declared port: yes, no or unknown, and why."""
    arrived = leg.get("arrived")
    why = str(leg.get("arrived_why") or "")
    said = UNKNOWN if arrived is None else "yes" if arrived else "no"
    return join([said, element("br"), element("span", why, class_="why")]) if why else said


def _link(link: Json | None) -> str | None:
    """How a leg hangs on the one before it, and how many others would fit as well; the first leg hangs on none."""
    if not link:
        return "first leg"
    said = [str(link.get("method") or "unknown")]
    days, others = link.get("gap_days"), link.get("alternatives") or ()
    said += [f"{days:g} days apart"] if isinstance(days, (int, float)) else []
    said += [f"{len(others)} more would fit"] if others else []
    said += [str(link["note"])] if link.get("note") else []
    return ", ".join(said)


def balance_list(balances: Sequence[Json], names: Mapping[str, str]) -> Markup:
    """Units in and out at each port where the goods change ship; a remainder that is not known is said so."""
    entries = []
    for balance in balances:
        units = [_units(balance.get(key)) for key in ("units_in", "units_out", "remainder")]
        port = names.get(str(balance.get("port")), str(balance.get("port")))
        entries.append(element("li", port, ": ", units[0], " in, ", units[1], " out, ", units[2], " unaccounted for"))
    return element("ul", *entries, class_="plain") if entries else Markup("")


def _units(value: object) -> Markup | str:
    return f"{value:g}" if isinstance(value, (int, float)) else UNKNOWN


def claim_table(claims: Sequence[Json]) -> Markup:
    """Claims on which sources differ: every value, with who says it and in which row."""
    rows = []
    for claim in claims:
        for n, value in enumerate(claim.get("values", ())):
            rows.append(
                (
                    str(claim.get("subject", "")) if n == 0 else "",
                    claim_word(claim.get("predicate", "")) if n == 0 else "",
                    claimed(value.get("value")),
                    value.get("source"),
                    value.get("row"),
                )
            )
    return table(("About", "What", "Value", "Source", "Row"), rows, numbers=(4,))


def claimed(value: object) -> object:
    """The value of a claim; a time as a day, and with its hour where it has one.

    >>> claimed("2018-09-18T00:00:00Z").split(), claimed("master of SEA LARK 5"), claimed(2588)
    (['18', 'Sep', '2018'], 'master of SEA LARK 5', 2588)
    """
    t = time_us(value)
    if t is None or not isinstance(value, str):
        return value
    return day_time(t) if t % DAY_US else day(t)


def evidence_table(evidence: Sequence[Json]) -> Markup:
    """Where in the inputs every part of the finding stands."""
    rows = [
        (
            str(item.get("what", "")).replace("_", " "),
            item.get("file"),
            f"{item['offset']:,}" if isinstance(item.get("offset"), int) else None,
            item["row"] if item.get("row") is not None else "",
            item.get("note") or "",
        )
        for item in evidence
    ]
    return table(("What", "File", "Byte offset", "Row", "Note"), rows, numbers=(2, 3))


def pair_list(pairs: Mapping[str, object]) -> Markup:
    """Names and values of parameters, one under the other, nested ones flat; what was not given is "none"."""
    entries = []
    for key, value in sorted(_flat(pairs)):
        entries.append(element("dt", key))
        entries.append(element("dd", "none" if value in (None, "") else value))
    return element("dl", *entries, class_="pairs")


def _flat(value: object, prefix: str = "") -> list[tuple[str, object]]:
    if isinstance(value, Mapping):
        return [pair for key, part in value.items() for pair in _flat(part, f"{prefix}.{key}" if prefix else str(key))]
    if isinstance(value, (list, tuple)):
        plain = [
            ", ".join(f"{k} {v}" for k, v in part.items()) if isinstance(part, Mapping) else part for part in value
        ]
        return [(prefix, "; ".join(map(str, plain)))]
    return [(prefix, value)]
