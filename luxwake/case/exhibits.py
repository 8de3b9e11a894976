"""Numbered exhibits: each source line, event, claim on which sources differ, and list entry; and who cites them.

A statement of a finding cites by the rows and events that it names, by the signal whose reason it repeats, and by the
silence, draughts, ports or cargo that it speaks of. What none of this ties to the inputs cites nothing, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cargo.dossier_graph import listings_of, object_of, rows_of
from cargo.dossier_parts import file_name
from cargo.safe_text import safe_text
from luxwake.case.listed import listing_facts, listing_name
from luxwake.case.quotes import Quotes
from luxwake.report.tables import claimed
from luxwake.report.words import claim_word, day_time, kind_word, length_of_time, position, score, time_us

Json = Mapping[str, Any]

_DETECTORS = {"gap": "dark", "waiting": "loitering", "voyage": "port_call", "stop": "port_call"}
"""The detector of each kind of event that is not called as its detector is."""
_ROWS = re.compile(r"\brows? (\d+(?:(?:, | and | to )\d+)*)")
_EVENTS = re.compile(r"\bevent ([0-9a-f]{8,32})\b")
_SILENCE = re.compile(r"silen|recept|transponder|\bAIS\b|heard|within reach|reached", re.IGNORECASE)
_HEDGE = " (fits rival readings too)"


@dataclass
class Exhibit:
    """One exhibit: facts are (name, value), `quote` the line as it stands in the input."""

    number: int
    kind: str
    title: str
    facts: list[tuple[str, object]]
    quote: str = ""


@dataclass
class Exhibits:
    """The exhibits of a finding, and where to find them by row, event, claim, draught and list entry."""

    finding: Json
    items: list[Exhibit] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    lines: dict[str, list[int]] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    claims: list[int] = field(default_factory=list)
    draughts: list[int] = field(default_factory=list)
    listings: list[int] = field(default_factory=list)

    def add(self, kind: str, title: str, facts: list[tuple[str, object]], quote: str = "") -> int:
        """Add an exhibit; its number."""
        self.items.append(Exhibit(len(self.items) + 1, kind, title, facts, quote))
        return len(self.items)

    def of_rows(self, numbers: object) -> list[int]:
        """Exhibits of shipment rows by their numbers."""
        listed = numbers if isinstance(numbers, list | tuple) else ()
        return [self.rows[str(n)] for n in listed if str(n) in self.rows]

    def of_event(self, id_: object) -> list[int]:
        """The exhibit of an event and of the lines that bound it."""
        return [*([self.events[str(id_)]] if str(id_) in self.events else []), *self.lines.get(str(id_), [])]

    def of_ids(self, ids: object) -> list[int]:
        """Exhibits by evidence ids, as "row 3" and "event 7671e733aa1641a0"."""
        text = " ; ".join(map(str, ids)) if isinstance(ids, list | tuple) else ""
        return [*self.of_words(text), *self._of_listings(text)]

    def of_words(self, text: str) -> list[int]:
        """Exhibits of the rows and events that a text names."""
        found = []
        for listed in _ROWS.findall(text):
            numbers = re.findall(r"\d+|to", listed)
            for n, word in enumerate(numbers):
                if word == "to" and 0 < n < len(numbers) - 1:
                    first, last = int(numbers[n - 1]), int(numbers[n + 1])
                    found += self.of_rows(list(range(first, min(last, first + 10_000) + 1)))
            found += self.of_rows([word for word in numbers if word != "to"])
        for id_ in _EVENTS.findall(text):
            found += self.of_event(id_)
        return found

    def of_statement(self, statement: object) -> list[int]:
        """Exhibits that a statement rests on, sorted; empty where the inputs hold nothing that it speaks of."""
        text = safe_text(statement).removesuffix(_HEDGE)
        found = self.of_words(text)
        for factor in rows_of(object_of(self.finding, "score"), "factors"):
            for signal in rows_of(factor, "signals"):
                why = safe_text(signal.get("why"))
                if why and (why in text or (len(text) > 20 and text in why)):
                    found += self.of_ids(signal.get("evidence"))
        if _SILENCE.search(text):
            found += [n for id_ in self._silences() for n in self.of_event(id_)]
        if "draught" in text:
            found += self.draughts
        if "sources differ" in text:
            found += self.claims
        for cargo in rows_of(self.finding, "return_cargo"):
            if (said := safe_text(cargo.get("description"))) and said in text:
                found += self.of_rows(cargo.get("rows"))
        return sorted({*found, *self._of_names(text), *self._of_listings(text)})

    def _of_listings(self, text: str) -> list[int]:
        """List entries whose id, name or party a text names."""
        found = []
        for number, entry in zip(self.listings, listings_of(self.finding), strict=False):
            words = [safe_text(entry.get(key)) for key in ("id", "uid", "name", "entry", "party")]
            if any(len(word) > 2 and word in text for word in words):
                found.append(number)
        return found

    def _silences(self) -> list[object]:
        """The silence that the finding is about, else all of its silences."""
        main = object_of(self.finding, "reach").get("event")
        dark = [one.get("id") for one in rows_of(self.finding, "events") if one.get("kind") == "dark"]
        return [main] if main in dark else dark

    def _of_names(self, text: str) -> list[int]:
        """Rows of the legs whose port, number or car a text names."""
        found = []
        for leg in rows_of(self.finding, "chain"):
            words = [leg.get(f"{end}_{part}") for end in ("load", "discharge") for part in ("name", "port")]
            if any(
                word and re.search(rf"\b{re.escape(safe_text(word))}\b", text)
                for word in [*words, leg.get("bl_number")]
            ):
                found += self.of_rows(leg.get("rows"))
        for lot in rows_of(self.finding, "goods"):
            if any(lot.get(key) and safe_text(lot[key]) in text for key in ("vin", "container")):
                found += self.of_rows([n for leg in rows_of(self.finding, "chain") for n in leg.get("rows") or ()])
        return found


def exhibits_of(finding: Json, parameters: Json, quotes: Quotes | None = None) -> Exhibits:
    """Number the exhibits of a finding: source lines, events, claims, list entries, in this order.

    >>> line = {"what": "shipment row", "file": "a.csv", "offset": 10, "row": 1, "note": ""}
    >>> made = exhibits_of({"evidence": [line]}, {})
    >>> made.items[0].title, made.of_statement("papers name a cargo (row 1)")
    ('shipment row: a.csv, row 1', [1])
    """
    made = Exhibits(finding)
    for item in rows_of(finding, "evidence"):
        _add_line(made, item, quotes or {})
    for event in rows_of(finding, "events"):
        _add_event(made, event, parameters)
    for claim in rows_of(finding, "claims"):
        _add_claim(made, claim)
    for entry in listings_of(finding):
        made.listings.append(made.add("list entry", f"List entry: {listing_name(entry)}", listing_facts(entry)))
    return made


def _add_line(made: Exhibits, item: Json, quotes: Quotes) -> None:
    file, offset, row = file_name(item.get("file")), item.get("offset"), item.get("row")
    what, note = safe_text(item.get("what")).replace("_", " ") or "source line", safe_text(item.get("note"))
    where = f"row {row}" if row is not None else f"byte {offset:,}" if isinstance(offset, int) else "place unknown"
    facts: list[tuple[str, object]] = [
        ("File", file),
        ("Byte offset, unpacked", f"{offset:,}" if isinstance(offset, int) else None),
        *([("Row", row)] if row is not None else []),
        *([("Note", note)] if note else []),
    ]
    quote = quotes.get((file, offset)) if isinstance(offset, int) else None
    if quote is None and quotes:
        facts.append(("As read", "not attached; give its file with --source too"))
    elif quote is not None:
        of_file = (
            "by the SHA-256 of its file" if quote.same_file else "not: the run kept no digest of the line or its file"
        )
        said = {True: "agrees with the digest of the run", False: "DIFFERS from the digest of the run", None: of_file}
        facts.append(("Checked", said[quote.agrees]))
    number = made.add("source", f"{what}: {file}, {where}", facts, quote.text if quote else "")
    if row is not None:
        made.rows.setdefault(str(row), number)
    elif named := _EVENTS.search(note):
        made.lines.setdefault(named[1], []).append(number)
    elif "draught" in note:
        made.draughts.append(number)


def _add_event(made: Exhibits, event: Json, parameters: Json) -> None:
    kind, id_ = str(event.get("kind")), str(event.get("id"))
    start, end = time_us(event.get("t_start")), time_us(event.get("t_end"))
    detector = _DETECTORS.get(kind, kind)
    bounds = [f"{name} {value}" for name, value in sorted(object_of(parameters, detector).items())]
    again = position(event.get("lat_end"), event.get("lon_end"))
    lasted = length_of_time(end - start) if start is not None and end is not None else None
    facts: list[tuple[str, object]] = [
        ("Id", id_),
        ("Definition", definition_of(detector)),
        ("Thresholds", ", ".join(bounds) or None),
        ("Ships (MMSI)", ", ".join(str(event[key]) for key in ("mmsi", "other") if event.get(key)) or None),
        ("From, to (UTC)", f"{day_time(start)} to {day_time(end)}"),
        ("Lasted", lasted),
        ("Where", f"{position(event.get('lat'), event.get('lon'))}, then {again}"),
        ("Port", event.get("port") or "none"),
        ("How it touches the goods", safe_text(event.get("relation")).replace("_", " ") or None),
        ("Score; reception", f"{score(event.get('score'))}; {score(event.get('coverage'))}"),
        ("First and last input line", made.lines.get(id_, [])),
    ]
    made.events[id_] = made.add("event", f"{kind_word(kind)} of MMSI {event.get('mmsi') or 'unknown'}", facts)


def definition_of(detector: str) -> str | None:
    """The first paragraph of what a detector says it finds; None for one that is not installed here."""
    from detectors.registry import registered

    if detector not in registered():
        return None
    from luxwake.explain import definition_of as whole

    return " ".join(whole(detector).split("\n\n")[0].split())


def _add_claim(made: Exhibits, claim: Json) -> None:
    facts: list[tuple[str, object]] = [("About", claim.get("subject"))]
    for value in rows_of(claim, "values"):
        facts.append((f"Says {safe_text(value.get('source')) or 'a source'}", claimed(value.get("value"))))
        facts.append(("Stands in", made.of_rows([value.get("row")])))
    made.claims.append(made.add("claim", f"Sources differ: {claim_word(claim.get('predicate', 'claim'))}", facts))


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Sorted numbers as first and last of each unbroken run.

    >>> runs([3, 1, 2, 7])
    [(1, 3), (7, 7)]
    """
    made: list[tuple[int, int]] = []
    for n in sorted(set(numbers)):
        if made and made[-1][1] == n - 1:
            made[-1] = (made[-1][0], n)
        else:
            made.append((n, n))
    return made
