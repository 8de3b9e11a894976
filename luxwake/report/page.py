"""The whole report: head with the security policy, summary, dossiers, all events, inputs."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from ais.table import Fixes
from detectors.event import KINDS, Events
from geo.whole_file import write_text
from luxwake.report.dossier import dossier, finding_line
from luxwake.report.focus import foremost
from luxwake.report.maps import events_map
from luxwake.report.markup import Markup, element, join
from luxwake.report.score import bounds_words, score_bar
from luxwake.report.tables import pair_list, table
from luxwake.report.words import count, day_span, day_time, kind_word, length_of_time, position, score

Json = Mapping[str, Any]

MAX_DOSSIERS = 20
"""Findings shown in full, best ranked first; the others stand in the summary only."""
MAX_ASSESSED = 60
"""Chains without a finding listed one by one, best ranked first."""
MAX_EVENT_ROWS = 300
"""Events listed one by one; all are counted, and all are in the events file."""
_PLACE_COLUMNS = {"port_call": "port", "waiting": "anchorage_name", "rendezvous": "anchorage_name"}
"""Events of these kinds may lie in a place with a name."""
TRAFFIC_POINTS = 20_000
"""Positions of other ships drawn in the whole file, shared among its maps."""


def render(
    findings_json: Json,
    events: Events,
    tracks: Fixes | None = None,
    *,
    title: str = "Luxwake report",
    stages: Sequence[tuple[str, float]] | None = None,
) -> str:
    """The report as the text of one HTML file.

    Parameters
    ----------
    findings_json : what `Findings.to_dict` gives: `findings`, and where present `assessed`, `cleared`, `counts`,
        `inputs`, `parameters`, `sensitivity`; a caller may put `inputs` as a list of file, bytes and sha256, and
        add `warnings`
    events : all events of the run, for the map and the tables of events
    tracks : positions, for the ways of ships and the traffic around them; None leaves both out
    title : heading and title of the page
    stages : names and seconds of the steps of the run; the seconds are not written, so that the same inputs give
        the same file

    >>> import numpy as np
    >>> page = render({"findings": []}, Events({}), title="<b>")
    >>> page.startswith("<!DOCTYPE html>"), "<b>" in page, "&lt;b&gt;" in page
    (True, False, True)
    """
    findings: Sequence[Json] = findings_json.get("findings", ())
    shown = findings[:MAX_DOSSIERS]
    share = TRAFFIC_POINTS // (len(shown) + 1)
    body = [
        _masthead(title, findings, events),
        _summary(findings),
        *(dossier(finding, tracks, n + 1, share) for n, finding in enumerate(shown)),
        _retracted(findings_json),
        _assessed(findings_json),
        _all_events(events, tracks, share),
        _rests_on(findings_json, events, tracks, stages),
        _reading(),
    ]
    return _document(title, element("main", *body))


def write_report(
    path: str | os.PathLike[str],
    findings_json: Json,
    events: Events,
    tracks: Fixes | None = None,
    *,
    title: str = "Luxwake report",
    stages: Sequence[tuple[str, float]] | None = None,
) -> Path:
    """Write the report of `render` to `path`, whole or not at all; OutputError where that is not possible."""
    return write_text(path, [render(findings_json, events, tracks, title=title, stages=stages)])


def _document(title: str, body: Markup) -> str:
    style = files("luxwake.report").joinpath("style.css").read_text(encoding="utf-8")
    script = files("luxwake.report").joinpath("script.js").read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(style)),
    ]
    page = element("html", element("head", *head), element("body", body, element("script", Markup(script))), lang="en")
    return f"<!DOCTYPE html>\n{page}\n"


def _digest(content: str) -> str:
    """The hash source of an inline style or script, as Content Security Policy writes it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _masthead(title: str, findings: Sequence[Json], events: Events) -> Markup:
    said = [count(len(findings), "finding"), count(len(events), "event")]
    if events.vessels is not None:
        said.append(f"{count(len(np.unique(events.vessels['mmsi'])), 'ship')} heard")
    if len(events):
        said.append(day_span(int(events["t_start"].min()), int(events["t_end"].max())))
    return element(
        "header", element("p", "Luxwake", class_="kicker"), element("h1", title), element("p", " · ".join(said))
    )


def _summary(findings: Sequence[Json]) -> Markup:
    if not findings:
        looked = (
            "Looked for: shipments whose ship went dark, met another ship, loitered, or was not seen at the declared "
            "port while the goods were on board. None was found. That is no proof that none took place: "
            "see what was read, and where anyone was heard."
        )
        return element("section", element("h2", "No findings"), element("p", looked))
    rows = []
    for n, finding in enumerate(findings):
        line, title = finding_line(finding), finding.get("title") or "Untitled finding"
        rows.append(
            (
                str(finding.get("rank", n + 1)),
                element("a", title, href=f"#f{n + 1}") if n < MAX_DOSSIERS else title,
                line.goods,
                line.ship,
                line.dark,
                join([score_bar(finding.get("score") or {}, f"s{n + 1}"), element("small", line.bounds)]),
                line.conclusion,
            )
        )
    note = Markup("")
    if len(findings) > MAX_DOSSIERS:
        note = element(
            "p", f"The first {MAX_DOSSIERS} of {count(len(findings), 'finding')} follow in full.", class_="note"
        )
    head = ("", "Finding", "Goods", "Ship", "When dark", "Score", "Conclusion")
    made = table(head, rows, style="summary")
    return element("section", element("h2", "Findings"), made, note)


def _retracted(findings_json: Json) -> Markup:
    """Findings of earlier runs that no longer stand, each with the reason."""
    gone: Sequence[Json] = findings_json.get("retracted") or ()
    rows = [
        (
            element("code", one.get("id", "")),
            one.get("title"),
            str((one.get("revision") or {}).get("number", "")),
            "; ".join(map(str, (one.get("revision") or {}).get("why", ()))),
        )
        for one in gone
    ]
    made = table(("Id", "Finding", "Version", "Why it no longer stands"), rows, style="summary") if rows else None
    return element("section", element("h2", "Retracted"), made) if made else Markup("")


def _assessed(findings_json: Json) -> Markup:
    """Chains that were looked at and gave no finding, so that the ranking can be judged."""
    assessed = [item for item in findings_json.get("assessed", ()) if not item.get("is_finding")]
    if not assessed:
        return Markup("")
    rows = []
    for n, item in enumerate(assessed[:MAX_ASSESSED]):
        bar = join([score_bar(item, f"a{n}"), element("small", bounds_words(item))])
        rows.append((str(item.get("rank", "")), item.get("title"), item.get("status"), bar))
    said = f"{count(len(assessed), 'chain')} of shipments gave no finding. Rank is that among all chains"
    said += (
        "." if len(assessed) <= MAX_ASSESSED else f"; the first {MAX_ASSESSED} are listed, all stand in findings.json."
    )
    listed = table(("Rank", "Shipment", "Why it is none", "Score"), rows, style="summary")
    folded = element("details", element("summary", "One by one"), listed)
    reasons = _numbers("", findings_json.get("cleared") or {})
    return element("section", element("h2", "Also looked at"), element("p", said), reasons, folded)


def _numbers(title: str, counts: Mapping[str, object]) -> Markup:
    """Numbers by reason, under a heading."""
    if not counts:
        return Markup("")
    numbers = [
        (str(reason).replace("_", " "), f"{number:,}" if isinstance(number, int) else str(number))
        for reason, number in sorted(counts.items(), key=lambda item: str(item[0]))
    ]
    made = table(("", "Number"), numbers, numbers=(1,), style="narrow")
    return join([element("h3", title), made]) if title else made


def _all_events(events: Events, tracks: Fixes | None, share: int) -> Markup:
    """The map of all events, their number by kind, and the longest of them one by one."""
    parts = [element("h2", "All events"), events_map(events, tracks, "all", share)]
    if len(events):
        lengths = events["t_end"] - events["t_start"]
        by_kind = []
        for code, kind in enumerate(KINDS):
            of_kind = events["kind"] == code
            longest = length_of_time(int(lengths[of_kind].max())) if of_kind.any() else "–"
            ships = len(np.unique(events["mmsi"][of_kind]))
            going_on = int(np.count_nonzero(events["open"][of_kind]))
            by_kind.append((kind_word(kind), f"{of_kind.sum():,}", f"{ships:,}", longest, f"{going_on:,}"))
        head = ("Kind", "Events", "Ships", "Longest", "Still going on at the end")
        parts.append(table(head, by_kind, numbers=(1, 2, 3, 4), style="narrow"))
        parts.append(_event_list(events))
    return element("section", *parts, id="events")


def _event_list(events: Events) -> Markup:
    order = foremost(events)[:MAX_EVENT_ROWS]
    rows = []
    for row in order.tolist():
        start, end = int(events["t_start"][row]), int(events["t_end"][row])
        other = int(events["other"][row])
        kind = KINDS[int(events["kind"][row])]
        named = _PLACE_COLUMNS.get(kind)
        place = str(events[named][row]) if named in events.columns else ""
        where = place or position(float(events["lat"][row]), float(events["lon"][row]))
        if "zones" in events.columns and events["zones"][row]:
            where = f"{where}, in {events['zones'][row]}"
        rows.append(
            (
                kind_word(kind),
                f"{events['mmsi'][row]}" + (f", {other}" if other else ""),
                day_time(start),
                "still going on" if events["open"][row] else length_of_time(end - start),
                where,
                score(float(events["score"][row])),
                element("code", str(events["id"][row])),
            )
        )
    head = ("Kind", "MMSI", "From (UTC)", "Lasted", "Where", "Score", "Id")
    kept = f"Dark periods first: {len(rows):,} of {count(len(events), 'event')}; all are in the events file."
    content = join([element("p", kept, class_="note"), table(head, rows, numbers=(5,))])
    return element("details", element("summary", "Events one by one"), content)


def _rests_on(
    findings_json: Json, events: Events, tracks: Fixes | None, stages: Sequence[tuple[str, float]] | None
) -> Markup:
    """What was read and with which parameters: enough to make the same report again."""
    parts = [element("h2", "What this rests on"), _input_table(findings_json, events)]
    parts.append(_numbers("Shipments read", findings_json.get("counts") or {}))
    parts.append(_numbers("Input not used, by reason", tracks.counts if tracks is not None else {}))
    parts.append(_numbers("Positions and events left out by the detectors", events.counts))
    warnings: Sequence[object] = findings_json.get("warnings") or ()
    if warnings:
        said = [element("li", _warning(warning)) for warning in warnings[:MAX_EVENT_ROWS]]
        if len(warnings) > len(said):
            said.append(element("li", f"and {len(warnings) - len(said):,} more", class_="note"))
        parts.append(join([element("h3", f"Warnings on shipments: {len(warnings):,}"), element("ul", *said)]))
    parts.append(_sensitivity(findings_json))
    if stages:
        parts.append(element("p", "Steps: " + ", ".join(name for name, _ in stages) + ".", class_="note"))
    parameters = {**events.params, **(findings_json.get("parameters") or {})}
    if parameters:
        parts.append(element("details", element("summary", "All parameters"), pair_list(parameters)))
    return element("section", *parts, id="inputs")


def _input_table(findings_json: Json, events: Events) -> Markup:
    """The input files, with size and digest where they are known: a list, or lists by what the files are."""
    listed = findings_json.get("inputs") or events.sources
    files = [item for items in listed.values() for item in items] if isinstance(listed, Mapping) else listed
    inputs: list[Json] = [item if isinstance(item, Mapping) else {"file": item} for item in files]
    rows = [
        (
            item.get("file") or item.get("name"),
            f"{item['bytes']:,}" if isinstance(item.get("bytes"), int) else None,
            element("code", item["sha256"]) if item.get("sha256") else None,
        )
        for item in inputs
    ]
    return table(("File", "Bytes", "SHA-256"), rows, numbers=(1,)) if rows else Markup("")


def _sensitivity(findings_json: Json) -> Markup:
    """What a change of the weights would do to the order of the findings."""
    rows = [
        (row.get("factor"), score(row.get("weight")), str(row.get("moved")), element("code", row.get("first") or ""))
        for row in findings_json.get("sensitivity") or ()
    ]
    if not rows:
        return Markup("")
    head = ("Factor", "Weight changed to", "Findings that change place", "Then first")
    content = table(head, rows, numbers=(1, 2), style="narrow")
    return element("details", element("summary", "How the order depends on the weights"), content)


def _warning(warning: object) -> str:
    if isinstance(warning, Mapping):
        place = f"row {warning['row']}: " if warning.get("row") is not None else ""
        return f"{place}{warning.get('message') or dict(warning)}"
    return str(warning)


def _reading() -> Markup:
    words = [
        ("Consistent with", "the facts fit; other explanations fit too. Nothing here proves what happened."),
        ("Unknown", "not observed and not in the papers. It is never counted as a no."),
        (
            "Dark period",
            "a ship was not heard for longer than the limit. Its score is the probability that a lack of "
            "reception does not explain it.",
        ),
        ("Reachable", "there was time to go there and come back. It is necessary for a visit, not evidence of one."),
        ("Ship, shipper, consignee", "roles that papers and radio give. Knowledge and intent are not among the facts."),
    ]
    entries = join(join([element("dt", word), element("dd", meaning)]) for word, meaning in words)
    return element("footer", element("h2", "How to read this"), element("dl", entries, class_="pairs"))
