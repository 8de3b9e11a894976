"""Versions in a dossier: what became of a finding since the last run and why, and the findings that no longer stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cargo.dossier_graph import object_of, rows_of
from cargo.safe_text import safe, safe_text
from luxwake.report.markup import Markup, element, join
from luxwake.report.score import bounds_words
from luxwake.report.tables import table
from luxwake.report.words import count, sentence

Json = Mapping[str, Any]


def _reasons(told: Json, key: str) -> list[str]:
    listed = told.get(key)
    return [safe_text(one) for one in listed] if isinstance(listed, list | tuple) else []


def version_line(finding: Json) -> str:
    """The version of a finding in a few words, "" where the run kept none.

    >>> version_line({"revision": {"number": 2, "status": "revised", "changes": ["score 0.1, now 0.2"], "why": []}})
    'Version 2, revised: 1 change'
    """
    revision = object_of(finding, "revision")
    if not revision.get("status"):
        return ""
    changes = len(_reasons(revision, "changes"))
    said = f"Version {revision.get('number', 'unknown')}, {safe_text(revision['status'])}"
    return f"{said}: {count(changes, 'change')}" if changes else said


def version_part(finding: Json) -> Markup:
    """What changed with the last version and what caused it, then every version; nothing for a first one alone."""
    revision, history = object_of(finding, "revision"), rows_of(finding, "history")
    changes, why = _reasons(revision, "changes"), _reasons(revision, "why")
    if not changes and not why and len(history) < 2:
        return Markup("")
    parts = [element("p", sentence(version_line(finding)))]
    for title, told in (("What changed", changes), ("What caused it", why)):
        if told:
            parts.append(join([element("h4", title), element("ul", *(element("li", sentence(one)) for one in told))]))
    rows = [
        (one.get("number"), one.get("status"), bounds_words(one), "; ".join(_reasons(one, "why")) or "first run",
         element("code", safe_text(one.get("run"))))
        for one in history
    ]  # fmt: skip
    return join([*parts, table(("Version", "What became of it", "Score", "Cause", "Run"), rows)])


def retracted_part(retracted: Sequence[Json]) -> Markup:
    """Findings of earlier runs that no longer stand, each with its last score and the causes."""
    rows = [
        (element("code", safe_text(one.get("id"))), one.get("title"), object_of(one, "revision").get("number"),
         bounds_words(object_of(one, "score")), sentence("; ".join(_reasons(object_of(one, "revision"), "why"))))
        for one in map(safe, retracted)
    ]  # fmt: skip
    if not rows:
        return Markup("")
    words = "Earlier runs had these; they no longer stand. The score is the last that each had."
    made = table(("Id", "Finding", "Version", "Score", "Why it no longer stands"), rows)
    return element("section", element("h2", "Retracted"), element("p", words), made)
