"""The dossier: one HTML file of findings, each statement with its exhibits; no script, nothing from outside.

The same inputs give the same bytes: no date of making stands in it, the digests of what it rests on do.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from cargo.dossier_graph import listings_of, object_of, rows_of
from cargo.safe_text import safe, safe_text
from luxwake.case.exhibits import Exhibit, Exhibits, exhibits_of, runs
from luxwake.case.folder import parameters_digest
from luxwake.case.listed import listing_name, standing, tie
from luxwake.case.quotes import Quotes
from luxwake.case.versions import retracted_part, version_line, version_part
from luxwake.report.dossier import key_facts
from luxwake.report.maps import chain_map, detail_map
from luxwake.report.markup import Markup, element, join
from luxwake.report.score import bounds_words, score_bar
from luxwake.report.tables import UNKNOWN, claimed, pair_list, table
from luxwake.report.timeline import timeline
from luxwake.report.words import claim_word, count, day_span, score, sentence, time_us

if TYPE_CHECKING:
    from ais.table import Fixes
    from luxwake.case.folder import RunFolder

Json = Mapping[str, Any]

TRAFFIC_POINTS = 4_000
"""Positions of other ships on the map of a finding: a dossier is printed."""
MAX_QUOTE = 4_000
"""Characters of a source line that are shown; its digest is that of the whole."""


def case_page(
    run: RunFolder, findings: Sequence[Json], fixes: Fixes | None = None, quotes: Quotes | None = None, title: str = ""
) -> str:
    """The dossier of some findings of a run, as the text of one HTML file."""
    numbered = len(findings) > 1
    parts = []
    for n, finding in enumerate(findings):
        shown = safe(finding)
        exhibits = exhibits_of(shown, safe(run.parameters), quotes)
        parts.append(_finding(shown, exhibits, fixes, f"F{n + 1}-" if numbered else ""))
    title = safe_text(title or "Case file", 300)
    said = f"{count(len(findings), 'finding')} · what the records are consistent with; none of it is proof"
    head = element("header", element("p", "Luxwake", class_="kicker"), element("h1", title), element("p", said))
    gone = retracted_part(run.retracted)
    body = element("main", head, _contents(findings, numbered), *parts, gone, _rests_on(run), _reading())
    return _document(title, body)


def _document(title: str, body: Markup) -> str:
    style = files("luxwake.report").joinpath("style.css").read_text(encoding="utf-8")
    style += files("luxwake.case").joinpath("case.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Markup(style)),
    ]
    return f"<!DOCTYPE html>\n{element('html', element('head', *head), element('body', body), lang='en')}\n"


def _contents(findings: Sequence[Json], numbered: bool) -> Markup:
    if not findings:
        return element("p", "The run has no findings. That is no proof that nothing took place.")
    if not numbered:
        return Markup("")
    rows = [
        (str(one.get("rank", n + 1)), element("a", safe_text(one.get("title")), href=f"#F{n + 1}-head"),
         bounds_words(object_of(one, "score")), sentence(safe_text(one.get("conclusion"))))
        for n, one in enumerate(findings)
    ]  # fmt: skip
    return element("section", table(("", "Finding", "Score", "Conclusion"), rows))


def cited(numbers: Iterable[int], prefix: str) -> Markup:
    """Exhibits as links: [E-1 to E-4, E-7]; a statement without any is told apart."""
    made = []
    for first, last in runs(numbers):
        links = [element("a", f"{prefix}E-{n}", href=f"#{prefix}E-{n}") for n in dict.fromkeys((first, last))]
        made.append(join(links, " to " if last > first + 1 else ", "))
    inside = join(made, ", ") if made else "no exhibit"
    return element("span", " [", inside, "]", class_="cite")


def _finding(finding: Json, exhibits: Exhibits, fixes: Fixes | None, prefix: str) -> Markup:
    about = [*exhibits.of_statement("the silence"), *exhibits.events.values()]
    rows = list(exhibits.rows.values())
    head = [
        element("p", f"Finding {finding.get('rank', '')} ", element("code", finding.get("id", "")),
                f" · {version}" if (version := version_line(finding)) else "", class_="kicker"),
        element("h2", finding.get("title") or "Untitled finding", cited([*rows, *about], prefix), id=f"{prefix}head"),
        element("p", sentence(finding.get("conclusion")), cited([*rows, *about], prefix), class_="conclusion"),
        element("div", score_bar(object_of(finding, "score"), f"{prefix}lead"),
                element("span", f"Score {bounds_words(object_of(finding, 'score'))} of 1"), class_="lead-score"),
        key_facts(finding),
        element("p", "Goods: papers", cited(rows, prefix), ". Ship: events", cited(about, prefix), class_="note"),
    ]  # fmt: skip
    parts = [
        _section("Since the last run", version_part(finding), exhibits, prefix),
        _section("Map", detail_map(finding, fixes, f"{prefix}map", TRAFFIC_POINTS), exhibits, prefix, about),
        _section("Time line", timeline(finding, f"{prefix}time"), exhibits, prefix, [*rows, *about, *exhibits.claims]),
        _section("The chain of shipments", _chain(finding, exhibits, fixes, prefix), exhibits, prefix),
        _section("What speaks for it, factor by factor", _signals(finding, exhibits, prefix), exhibits, prefix),
        _section("Entries of watch-lists", _listed(finding, exhibits, prefix), exhibits, prefix),
        _section("Rival explanations", _hypotheses(finding, exhibits, prefix), exhibits, prefix),
        *(
            _section(words, _statements(finding.get(key), exhibits, prefix), exhibits, prefix)
            for words, key in (("What is not known", "unknown"), ("The innocent explanation", "innocent"))
        ),
        _section("The records that would decide", _records(finding, exhibits, prefix), exhibits, prefix),
        _section("Cargo on the way back", _returns(finding, exhibits, prefix), exhibits, prefix),
        _section("Where sources differ", _claims(finding, exhibits, prefix), exhibits, prefix),
    ]
    shown = [_exhibit(one, prefix) for one in exhibits.items]
    bare = any(one.kind == "source" for one in exhibits.items) and not any(one.quote for one in exhibits.items)
    note = "Source lines are not attached; give the files of the run with --source to quote them here."
    said = element("p", note, class_="note") if bare else ""
    listed = element("section", element("h3", f"Exhibits: {len(shown):,}"), said, *shown, class_="exhibits")
    own = pair_list(object_of(finding, "parameters"))
    folded = element("section", element("h3", "Parameters of this finding"), own, class_="rests")
    return element("article", *head, *parts, listed, folded, class_="finding", aria_labelledby=f"{prefix}head")


def _section(
    title: str, content: Markup, exhibits: Exhibits, prefix: str, numbers: Sequence[int] | None = None
) -> Markup:
    if not content:
        return Markup("")
    heading = element("h3", title, cited(numbers, prefix) if numbers is not None else "")
    return element("section", heading, content)


def _words(statement: object) -> tuple[str, list[Any]]:
    """A statement as text, and the evidence ids that it names itself."""
    if isinstance(statement, Mapping):
        ids = statement.get("evidence")
        text = statement.get("text") or statement.get("why") or statement.get("what") or ""
        return safe_text(text), list(ids) if isinstance(ids, list | tuple) else []
    return safe_text(statement), []


def _statement(statement: object, exhibits: Exhibits, prefix: str) -> Markup:
    text, ids = _words(statement)
    return element("li", sentence(text), cited([*exhibits.of_ids(ids), *exhibits.of_statement(text)], prefix))


def _statements(items: object, exhibits: Exhibits, prefix: str) -> Markup:
    listed = items if isinstance(items, list | tuple) else ()
    made = [_statement(one, exhibits, prefix) for one in listed]
    return element("ul", *made, class_="statements") if made else Markup("")


def _chain(finding: Json, exhibits: Exhibits, fixes: Fixes | None, prefix: str) -> Markup:
    """The map, and for each leg what the papers say, who the ship was, and whether it was heard there."""
    made = []
    for n, leg in enumerate(rows_of(finding, "chain")):
        ship, rows = object_of(leg, "vessel"), exhibits.of_rows(leg.get("rows"))
        ports = [leg.get(f"{end}_name") or leg.get(f"{end}_port") or "unknown" for end in ("load", "discharge")]
        events = [e for one in rows_of(finding, "events") if one.get("leg") == leg.get("leg", n + 1)
                  for e in exhibits.of_event(one.get("id"))]  # fmt: skip
        papers = (
            f"{ports[0]} to {ports[1]}, {day_span(time_us(leg.get('t_depart')), time_us(leg.get('t_arrive')))}: "
            f"{leg.get('description') or 'goods without a description'}, from {leg.get('shipper') or 'unknown'} to "
            f"{leg.get('consignee') or 'unknown'}, B/L {leg.get('bl_number') or 'unknown'}"
        )
        carried = (
            f"Ship: {ship.get('name') or 'unknown'}, IMO {ship.get('imo') or 'unknown'}, MMSI "
            f"{ship.get('mmsi') or 'unknown'}; identified by {ship.get('method') or 'nothing'}, "
            f"probability {score(ship.get('probability'))}"
        )
        heard = f"Call at the declared port: {_three(leg.get('arrived'))}. {sentence(leg.get('arrived_why'))}"
        link = object_of(leg, "link")
        made.append(element("li", sentence(papers), cited(rows, prefix)))
        made.append(element("li", sentence(carried), cited([*rows, *events], prefix)))
        made.append(element("li", heard, cited(events or rows, prefix)))
        if link:
            words = f"Linked to the leg before by {link.get('method') or 'unknown'}"
            made.append(element("li", sentence(words), cited(rows, prefix)))
    if not made:
        return Markup("")
    return join([chain_map(finding, fixes, f"{prefix}chain"), element("ul", *made, class_="statements")])


def _three(value: object) -> str:
    return "unknown" if value is None else "on record" if value is True else "none" if value is False else str(value)


def _signals(finding: Json, exhibits: Exhibits, prefix: str) -> Markup:
    """Each factor with its bounds, and each of its signals: its value, unknown told from 0, and why."""
    rows: list[tuple[object, ...]] = []
    for factor in rows_of(object_of(finding, "score"), "factors"):
        name = safe_text(factor.get("name")).replace("_", " ").capitalize()
        rows.append((element("b", name), bounds_words(factor), "", ""))
        for signal in rows_of(factor, "signals"):
            why, value = safe_text(signal.get("why")), signal.get("value")
            numbers = exhibits.of_ids(signal.get("evidence")) or exhibits.of_words(why)
            rows.append(
                (signal.get("name"), UNKNOWN if value is None else score(value), sentence(why), cited(numbers, prefix))
            )
    return table(("Signal", "0 to 1", "Why", "Exhibits"), rows, style="signals") if rows else Markup("")


def _listed(finding: Json, exhibits: Exhibits, prefix: str) -> Markup:
    """Each list entry with its list and dates, whether it was listed then and is now, and what ties it to the goods."""
    rows = []
    for number, entry in zip(exhibits.listings, listings_of(finding), strict=False):
        kept = ", ".join(safe_text(one.get("date")) for one in rows_of(entry, "versions"))
        which = join([safe_text(entry.get("list")), f", dates kept: {kept}" if kept else ""])
        on = entry.get("on")
        then = f"{standing(entry, 'then')}{f' (on {on})' if on else ''}"
        exhibit = cited([number], prefix)
        rows.append((listing_name(entry), which, then, standing(entry, "now"), tie(entry), exhibit))
    return table(("Entry", "List", "Listed then", "Listed now", "Tie", "Exhibits"), rows) if rows else Markup("")


def _hypotheses(finding: Json, exhibits: Exhibits, prefix: str) -> Markup:
    made = []
    for rival in rows_of(finding, "hypotheses"):
        said = [element("h4", f"{rival.get('id') or ''} ", sentence(rival.get("text")))]
        said.append(element("p", f"Share of its tests that speak for it: {bounds_words(rival)}", class_="note"))
        for title, key in (("For", "for"), ("Against", "against")):
            reasons = _statements(rival.get(key), exhibits, prefix) or element("p", "nothing known", class_="note")
            said.append(join([element("h5", title), reasons]))
        made.append(element("div", *said, class_="rival"))
    return join(made)


def _records(finding: Json, exhibits: Exhibits, prefix: str) -> Markup:
    made = []
    for one in rows_of(finding, "deciding_records"):
        record, holder = safe_text(one.get("record")), safe_text(one.get("holder")) or "unknown"
        shows = f"Held by {holder}. Would show {safe_text(one.get('would_show')) or 'unknown'}."
        numbers = exhibits.of_statement(f"{record} {one.get('would_show') or ''}")
        made.append(element("li", element("b", sentence(record)), f" {shows}", cited(numbers, prefix)))
    return element("ul", *made, class_="statements") if made else Markup("")


def _returns(finding: Json, exhibits: Exhibits, prefix: str) -> Markup:
    made = []
    for cargo in rows_of(finding, "return_cargo"):
        ports = [cargo.get(f"{end}_name") or cargo.get(f"{end}_port") or "unknown" for end in ("load", "discharge")]
        words = f"{cargo.get('description') or 'goods'}, {ports[0]} to {ports[1]}, as declared"
        made.append(element("li", sentence(words), cited(exhibits.of_rows(cargo.get("rows")), prefix)))
    return element("ul", *made, class_="statements") if made else Markup("")


def _claims(finding: Json, exhibits: Exhibits, prefix: str) -> Markup:
    made = []
    for number, claim in zip(exhibits.claims, rows_of(finding, "claims"), strict=False):
        values = [
            f"{claimed(one.get('value'))} ({one.get('source') or 'a source'})" for one in rows_of(claim, "values")
        ]
        rows = exhibits.of_rows([one.get("row") for one in rows_of(claim, "values")])
        what = claim_word(claim.get("predicate") or "claim").lower()
        words = f"{claim.get('subject') or ''}, {what}: {' against '.join(values)}"
        made.append(element("li", sentence(words), cited([number, *rows], prefix)))
    return element("ul", *made, class_="statements") if made else Markup("")


def _exhibit(exhibit: Exhibit, prefix: str) -> Markup:
    pairs = []
    for name, value in exhibit.facts:
        shown: object = UNKNOWN if value in (None, "") else value
        if isinstance(value, list):
            shown = cited(value, prefix)
        pairs += [element("dt", name), element("dd", shown)]
    parts = [element("h4", f"{prefix}E-{exhibit.number} · ", exhibit.title), element("dl", *pairs, class_="pairs")]
    if exhibit.quote:
        parts.append(element("pre", safe_text(exhibit.quote.replace("\n", " ⏎ "), MAX_QUOTE)))
    return element("section", *parts, class_=f"exhibit {exhibit.kind.split()[0]}", id=f"{prefix}E-{exhibit.number}")


def _code(digest: object) -> Markup | None:
    return element("code", safe_text(digest)) if digest else None


def _rests_on(run: RunFolder) -> Markup:
    """What the dossier was made from: enough to make the same bytes again."""
    from luxwake import __version__

    rows: list[tuple[object, ...]] = [
        (name, "of the run", element("code", digest)) for name, digest in sorted(run.digests.items())
    ]
    rows += [
        (safe_text(one.get("file")), "input of the run", _code(one.get("sha256"))) for one in run.inputs
    ]  # fmt: skip
    rows.append(("parameters, as JSON", "of the run", element("code", parameters_digest(run.parameters))))
    made = table(("What", "Part", "SHA-256"), rows)
    words = f"Made by luxwake {__version__}. The same inputs and parameters give this file again, byte for byte."
    listed = element("section", element("h3", "All parameters"), pair_list(safe(run.parameters)))
    return element(
        "section", element("h2", "What this rests on"), made, element("p", words), listed, class_="rests hashes"
    )


def _reading() -> Markup:
    words = (
        "Exhibits are numbered E-1 and on: source lines, events, claims on which sources differ, list entries. A "
        "statement with no exhibit is a consideration, or says what the inputs do not hold. Consistent with: the facts "
        "fit, and other explanations fit too. Unknown: not observed and not in the papers; never counted as a no. "
        "Ship, shipper, consignee are roles that papers and radio give; knowledge and intent are not among the facts."
    )
    return element("footer", element("h2", "How to read this"), element("p", words))
