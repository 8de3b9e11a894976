"""List entries in a dossier: which list, which of its dates, listed then and now, and what ties them to the goods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cargo.dossier_graph import object_of, rows_of
from cargo.safe_text import safe_text

Json = Mapping[str, Any]

_TOLD = ("then", "now", "on", "versions", "list", "uid", "name", "line", "certain", "hops", "way", "party", "listed")


def listing_name(entry: Json) -> str:
    """What an entry is called.

    >>> listing_name({"name": "SEA LARK 5", "list": "Test list"})
    'SEA LARK 5'
    """
    return safe_text(entry.get("name") or entry.get("entry")) or "entry without a name"


def standing(entry: Json, when: str) -> str:
    """Whether an entry stood on its list "then" or "now", and why; a bare answer is never shown.

    >>> standing({"now": {"answer": "yes", "why": "on the list of 2019-01-01"}}, "now")
    'yes: on the list of 2019-01-01'
    >>> standing({}, "then")
    'unknown'
    """
    told = object_of(entry, when)
    answer, why = safe_text(told.get("answer")), safe_text(told.get("why"))
    return f"{answer}{': ' if why else ''}{why}" if answer else "unknown"


def tie(entry: Json) -> str:
    """What ties an entry to the goods, with its hops; a candidate says that it is none yet.

    >>> tie({"hops": 1.0, "way": "row 1 - [carried by] imo-9999993 - [on the list as] Test list: v1", "certain": True})
    '1 hop: row 1 - [carried by] imo-9999993 - [on the list as] Test list: v1'
    >>> tie({"party": "Doyeon Marine", "certain": False})
    'candidate, to be confirmed: Doyeon Marine has the same name or a number alone'
    """
    hops, way = entry.get("hops"), safe_text(entry.get("way"))
    doubt = "candidate, to be confirmed: " if entry.get("certain") is False else ""
    if way and isinstance(hops, int | float):
        return f"{doubt}{hops:g} {'hop' if hops == 1 else 'hops'}: {way}"
    party = safe_text(entry.get("party"))
    return f"{doubt}{party} has the same name or a number alone" if doubt else party or "unknown"


def version_words(version: Json) -> str:
    """One date of which a list is kept, and where the entry stands in it.

    >>> version_words({"date": "2019-01-01", "file": "sdn.csv", "sha256": "ab", "line": None})
    '2019-01-01: not on it (sdn.csv, SHA-256 ab)'
    """
    line = version.get("line")
    where = f"line {line}" if line is not None else "not on it"
    return (
        f"{safe_text(version.get('date'))}: {where} ({safe_text(version.get('file'))}, SHA-256 {version.get('sha256')})"
    )


def listing_facts(entry: Json) -> list[tuple[str, object]]:
    """Everything that a finding tells of a list entry, the standing first; keys that are not known here come last."""
    facts: list[tuple[str, object]] = [
        ("List", entry.get("list")),
        ("Entry", ", ".join(str(part) for part in (entry.get("uid"), listing_name(entry)) if part)),
        *((f"Dates kept, {n + 1}", version_words(one)) for n, one in enumerate(rows_of(entry, "versions"))),
        (f"Listed then ({entry.get('on') or 'day unknown'})", standing(entry, "then")),
        ("Listed now", standing(entry, "now")),
        ("Tie to the goods", tie(entry)),
    ]
    for key, value in entry.items():
        if key not in _TOLD and value not in (None, "", []):
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            facts.append((key.replace("_", " ").capitalize(), shown if not isinstance(value, Mapping) else str(value)))
    return facts
