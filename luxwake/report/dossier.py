"""One finding as a dossier: what is said, how strong it is, what speaks against it, where in the inputs it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ais.table import Fixes
from luxwake.report.focus import dark_event, leg_on_board, ship_name
from luxwake.report.maps import chain_map, detail_map
from luxwake.report.markup import Markup, element, join
from luxwake.report.score import bounds_words, score_bar, scorecard
from luxwake.report.tables import (
    UNKNOWN,
    balance_list,
    claim_table,
    event_table,
    evidence_table,
    leg_table,
    pair_list,
    reach_table,
    table,
)
from luxwake.report.timeline import timeline
from luxwake.report.words import NO_BREAK, count, day_span, day_time, length_of_time, position, sentence, time_us

Json = Mapping[str, Any]

_PIECES = 100
"""Quantities from here on are kilograms or tonnes more often than pieces."""
_OPEN_ROWS = 24
"""Evidence lists longer than this start closed on the screen; in print they are open."""


def dossier(finding: Json, tracks: Fixes | None, number: int, traffic_points: int) -> Markup:
    """The whole finding as one article."""
    name = f"f{number}"
    head = [
        element(
            "p", f"Finding {finding.get('rank', number)} ", element("code", finding.get("id", "")), class_="kicker"
        ),
        element("h2", finding.get("title") or "Untitled finding", id=f"{name}-head"),
        element("p", sentence(finding.get("conclusion")), class_="conclusion"),
        _version(finding),
        element(
            "div", score_bar(finding.get("score") or {}, f"{name}-lead"), _score_words(finding), class_="lead-score"
        ),
        key_facts(finding),
    ]
    parts = [
        _section("The silence", detail_map(finding, tracks, f"{name}-map", traffic_points)),
        _section("What it could have reached", _reach(finding)),
        _section("What happened when", timeline(finding, f"{name}-time")),
        _section("What could explain it", _hypotheses(finding)),
        _open_questions(finding),
        _section("How strong it is", scorecard(finding, f"{name}-score")),
        _section("The chain of shipments", _chain(finding, tracks, f"{name}-chain")),
        _listed("Where sources differ", finding.get("claims", ()), claim_table),
        _listed("What the ships did", finding.get("events", ()), event_table),
        _listed("Cargo on the way back", finding.get("return_cargo", ()), _return_cargo),
        _evidence(finding),
        _folded("Parameters of this finding", pair_list(finding.get("parameters") or {}), opened=False),
    ]
    return element("article", *head, *parts, id=name, class_="finding", aria_labelledby=f"{name}-head")


def _version(finding: Json) -> Markup:
    """What became of the finding since the last run, in a line; nothing where there was none."""
    revision: Json = finding.get("revision") or {}
    number, status = revision.get("number"), revision.get("status")
    if not status or (number == 1 and status == "opened" and not revision.get("why")):
        return Markup("")
    changes = "; ".join(map(str, revision.get("changes", ())))
    why = "; ".join(map(str, revision.get("why", ())))
    said = f"Version {number}, {status}{': ' if changes else ''}{changes}{'. Why: ' if why else ''}{why}."
    return element("p", said, class_="note")


def _section(title: str, content: Markup) -> Markup:
    return element("section", element("h3", title), content) if content else Markup("")


def _chain(finding: Json, tracks: Fixes | None, name: str) -> Markup:
    """Maps and table of the legs, and what became of the units at each port between them."""
    legs: Sequence[Json] = finding.get("chain", ())
    names = {str(leg.get(f"{end}_port")): str(leg.get(f"{end}_name")) for leg in legs for end in ("load", "discharge")}
    balance = balance_list(finding.get("balance") or (), names)
    counted = join([element("h4", "Units at each change of ship"), balance]) if balance else Markup("")
    return join([chain_map(finding, tracks, name), leg_table(legs), counted])


def _listed(title: str, items: Sequence[Json], draw: Any) -> Markup:
    return _section(title, draw(items)) if items else Markup("")


def _folded(title: str, content: Markup, *, opened: bool) -> Markup:
    return element("details", element("summary", title), content, open=opened)


def _score_words(finding: Json) -> Markup:
    score: Json = finding.get("score") or {}
    words = bounds_words(score)
    said = "The score is unknown." if words == "unknown" else f"Score {words} of 1"
    return element("span", said)


def goods_words(finding: Json) -> str:
    """The goods of a finding in one line: pieces counted, larger quantities behind, equal lots put together."""
    said = []
    for goods in finding.get("goods", ()):
        words, quantity = str(goods.get("description") or "goods without a description"), goods.get("quantity")
        if isinstance(quantity, (int, float)) and quantity != 1:
            words = f"{quantity:g} × {words}" if quantity < _PIECES else f"{words} ({quantity:,.10g})"
        said.append(words)
    counted = {words: said.count(words) for words in said}
    return "; ".join(f"{n} × {words}" if n > 1 else words for words, n in counted.items()) or "unknown"


def ship_words(finding: Json) -> str:
    """The ship that the finding is about: the one that went dark, else that of the leg on board."""
    dark, vessel = dark_event(finding), (leg_on_board(finding) or {}).get("vessel") or {}
    if dark is not None and dark.get("mmsi"):
        return ship_name(finding, int(dark["mmsi"]))
    return str(vessel.get("name") or "unknown")


class FindingLine(NamedTuple):
    """A finding in one line, as plain text, for the summary and the terminal."""

    goods: str
    ship: str
    dark: str
    bounds: str
    conclusion: str


def finding_line(finding: Json) -> FindingLine:
    """The line of a finding: its goods, ship, days of silence, bounds of the score, and conclusion."""
    dark = dark_event(finding)
    days = day_span(time_us(dark.get("t_start")), time_us(dark.get("t_end"))) if dark else "not dark"
    return FindingLine(
        goods_words(finding),
        ship_words(finding),
        days.replace(NO_BREAK, " "),
        bounds_words(finding.get("score") or {}),
        sentence(finding.get("conclusion")),
    )


def key_facts(finding: Json) -> Markup:
    """The five things a reader wants first: goods, worth, ship, silence, declared port."""
    dark, leg = dark_event(finding), leg_on_board(finding)
    vessel: Json = (leg or {}).get("vessel") or {}
    worth = [goods.get("value_usd") for goods in finding.get("goods", ())]
    known = [value for value in worth if isinstance(value, (int, float))]
    value: object = UNKNOWN
    if known:
        partly = f", {count(len(worth) - len(known), 'value')} unknown" if len(known) < len(worth) else ""
        value = f"USD {sum(known):,.0f}{partly}"
    codes = dict.fromkeys(str(goods["hs_code"]) for goods in finding.get("goods", ()) if goods.get("hs_code"))
    ship = [ship_words(finding)] + [f"{key.upper()} {vessel[key]}" for key in ("imo", "mmsi") if vessel.get(key)]
    facts: list[tuple[str, object]] = [
        ("Goods", goods_words(finding)),
        ("HS code, declared value", join([", ".join(codes) or UNKNOWN, ", ", value])),
        ("Ship", ", ".join(ship)),
    ]
    if dark is not None:
        start, end = time_us(dark.get("t_start")), time_us(dark.get("t_end"))
        lasted = f" ({length_of_time(end - start)})" if start is not None and end is not None else ""
        facts.append(("Not heard", f"{day_time(start)} to {day_time(end)} UTC{lasted}"))
    if leg is not None:
        facts.append(("Declared destination", leg.get("discharge_name") or leg.get("discharge_port") or UNKNOWN))
    return element("dl", *(element("div", element("dt", k), element("dd", v)) for k, v in facts), class_="facts")


def _reach(finding: Json) -> Markup:
    """Ports that the silent ship could have called at, and what that rests on."""
    reach: Json = finding.get("reach") or {}
    ports: Sequence[Json] = reach.get("ports", ())
    if not ports:
        return Markup("")
    total = reach.get("ports_total") or len(ports)
    note = (
        f"Ports of the watched and the declared countries that the ship could have reached and left again in time, "
        f"{len(ports):,} of {total:,} within reach. Fast enough: the chance that the ship sustained the speed that a "
        "call there asks for. Times and stays are those at its fast speed. Necessary for a visit, never proof of one."
    )
    met = [
        f"MMSI {meeting.get('mmsi')}, a ship of the same chain, was silent too: both could have been at "
        f"{position(meeting.get('lat'), meeting.get('lon'))} from {day_time(time_us(meeting.get('t_from')))} to "
        f"{day_time(time_us(meeting.get('t_to')))} UTC, the longest possible time together. That proves no meeting."
        for meeting in reach.get("meetings", ())
    ]
    assumed = element("ul", *(element("li", sentence(words)) for words in reach.get("assumptions", ())))
    folded = _folded("What this assumes", assumed, opened=False)
    notes = [element("p", words, class_="note") for words in (note, *met)]
    return join([notes[0], reach_table(ports), *notes[1:], folded])


def _hypotheses(finding: Json) -> Markup:
    """Rival explanations side by side, each with its bounds and what speaks for and against it."""
    columns = []
    for n, rival in enumerate(finding.get("hypotheses", ())):
        parts = [
            element(
                "h4",
                element("span", rival.get("id", f"H{n + 1}"), class_="tag"),
                " ",
                sentence(rival.get("text")).rstrip("."),
            ),
            element("p", f"Share of its tests that speak for it: {bounds_words(rival)}", class_="note"),
        ]
        for title, key in (("For", "for"), ("Against", "against")):
            items = [element("li", sentence(reason)) for reason in rival.get(key, ())] or [
                element("li", "nothing known", class_="none")
            ]
            parts.append(join([element("h5", title), element("ul", *items)]))
        columns.append(element("div", *parts))
    return element("div", *columns, class_="rivals") if columns else Markup("")


def _open_questions(finding: Json) -> Markup:
    """What is unknown, what would be innocent, and the records that would decide."""
    unknown = element("ul", *(element("li", sentence(item)) for item in finding.get("unknown", ())))
    innocent = element("ul", *(element("li", sentence(item)) for item in finding.get("innocent", ())))
    records = []
    for item in finding.get("deciding_records", ()):
        holder = element("span", f" Held by {item['holder']}.", class_="note") if item.get("holder") else ""
        shows = (
            element("span", f" Would show: {sentence(item['would_show'])}", class_="note")
            if item.get("would_show")
            else ""
        )
        records.append(element("li", element("b", sentence(item.get("record"))), holder, shows))
    columns = [
        element("section", element("h3", "What is not known"), unknown),
        element("section", element("h3", "Innocent explanations"), innocent),
        element("section", element("h3", "Records that would decide"), element("ul", *records)),
    ]
    return element("div", *columns, class_="questions")


def _return_cargo(items: Sequence[Json]) -> Markup:
    """Goods that the same ship brought away from the declared port: linked to the finding, not part of the chain."""
    rows = []
    for item in items:
        ports = [item.get(f"{end}_name") or item.get(f"{end}_port") for end in ("load", "discharge")]
        quantity = item.get("quantity")
        rows.append(
            (
                item.get("description"),
                item.get("hs_code"),
                f"{quantity:,g}" if isinstance(quantity, (int, float)) else quantity,
                *ports,
                day_span(time_us(item.get("t_depart")), time_us(item.get("t_arrive"))),
                ", ".join(str(row) for row in item.get("rows", ())),
            )
        )
    return table(("Goods", "HS code", "Quantity", "From", "To", "Papers say", "Rows"), rows, numbers=(2,))


def _evidence(finding: Json) -> Markup:
    evidence: Sequence[Json] = finding.get("evidence", ())
    title = f"Evidence: {count(len(evidence), 'place')} in the inputs"
    return _folded(title, evidence_table(evidence), opened=len(evidence) <= _OPEN_ROWS)
