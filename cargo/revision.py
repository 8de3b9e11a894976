"""Versions of findings: what a later run opened, left as it was, revised or retracted, and why.

The id of a finding comes from its source lines, so it stays while they do; a finding whose rows were corrected is
found again by the lines, the vehicle, the container or the bill of lading that it shares. Late positions may close the
silence that carried a finding, a list may name or drop a party, a row may be corrected: what changed is told with its
cause, and a finding that no longer stands is listed as retracted, never left out. There is no clock in it: a run is
named by a digest of its inputs and parameters, and the same run twice says the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from cargo.revision_causes import causes_of, event_words, events_of, inputs_of
from geo.errors import InputError

Json = Mapping[str, Any]
OPENED, UNCHANGED, REVISED, RETRACTED, REOPENED = "opened", "unchanged", "revised", "retracted", "reopened"
_PROGRAM = "another version of Luxwake: inputs and parameters are the same"
_There = tuple[Mapping[int, str] | None, Collection[str] | None]
"""The source lines and the events that there are now."""
_LINE = "BLAKE2b-64 of the line "


def read_findings(path: str | Path) -> dict[str, Any]:
    """The findings of an earlier run; InputError for a file that holds none."""
    try:
        told = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no JSON"
        raise InputError(f"{path}: cannot be read as findings ({why}); give the findings.json of a run") from None
    if not isinstance(told, dict) or not _is_findings(told.get("findings")) or not _is_findings(told.get("retracted")):
        raise InputError(f"{path}: no findings in it; give the findings.json of a run")
    return told


def _is_findings(told: Any) -> bool:
    """Whether a part of a file is a list of findings, or is not there."""
    return told is None or (isinstance(told, list) and all(isinstance(f, dict) and "id" in f for f in told))


def run_id(found: Json) -> str:
    """Which inputs and parameters made some findings, as 12 hex digits.

    >>> run_id({"inputs": [], "parameters": {}}) == run_id({"inputs": [], "parameters": {}, "findings": [1]})
    True
    """
    told = json.dumps([found.get("inputs"), found.get("parameters")], sort_keys=True, default=str)
    return hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=6).hexdigest()


def revise(
    found: Json,
    previous: Json | None = None,
    *,
    lines: Mapping[int, str] | None = None,
    events: Collection[str] | None = None,
) -> dict[str, Any]:
    """Findings as plain data, each with its `revision` and `history`, and those `retracted` since an earlier run.

    Parameters
    ----------
    found
        What `Findings.to_dict` gives, or the `findings.json` of a run.
    previous
        The same of an earlier run; None for the first.
    lines
        Digest of the source line by row number, for all rows that there are now (`Shipments["sha"]`).
    events
        Ids of all events that there are now (`Events["id"]`).

    >>> first = revise({"findings": [{"id": "a", "score": {"lower": 0.5, "upper": 0.7}}]})
    >>> first["findings"][0]["revision"]["status"], first["retracted"]
    ('opened', [])
    >>> later = revise({"findings": [], "parameters": {"reach": False}}, first)
    >>> later["retracted"][0]["id"], later["retracted"][0]["revision"]["number"]
    ('a', 2)
    """
    out = {**found, "findings": [dict(finding) for finding in found.get("findings", ())], "retracted": []}
    run, before = run_id(found), previous or {}
    old = {finding["id"]: finding for finding in before.get("findings", ())}
    gone = {finding["id"]: finding for finding in before.get("retracted") or ()}
    again = bool(previous) and run_id(before) == run
    matched = _matches(out["findings"], old)
    for finding in out["findings"]:
        earlier = old.get(matched.get(finding["id"], ""))
        if again and earlier is not None and "revision" in earlier and not changes_of(finding, earlier)[0]:
            finding |= {"revision": earlier["revision"], "history": earlier["history"]}
        elif earlier is not None:
            _compare(finding, earlier, causes_of(found, before), run)
        else:
            _open(finding, gone.pop(finding["id"], None), run, previous is not None)
    carried = [finding for name, finding in old.items() if name not in set(matched.values())]
    retracted = [_retract(finding, found, before, (lines, events), run) for finding in carried]
    out["retracted"] = sorted([*retracted, *map(dict, gone.values())], key=lambda finding: str(finding["id"]))
    return out


def belongs(previous: Json, lines: Mapping[int, str]) -> bool:
    """Whether the findings of an earlier run have to do with shipments that hold these lines."""
    there = set(lines.values())
    earlier = [*previous.get("findings", ()), *(previous.get("retracted") or ())]
    return any(not there.isdisjoint(_lines(finding)) for finding in earlier)


def _matches(findings: Sequence[Json], old: Mapping[str, Json]) -> dict[str, str]:
    """The earlier finding of each: the same id, else the one that shares most lines, else goods or papers."""
    matched = {finding["id"]: finding["id"] for finding in findings if finding["id"] in old}
    free = {name: finding for name, finding in old.items() if name not in matched}
    for finding in findings:
        if finding["id"] in matched or not free:
            continue
        shares = {name: (_shared(finding, one, _lines), _shared(finding, one, _marks)) for name, one in free.items()}
        best = max(sorted(shares), key=lambda name: shares[name])
        if max(shares[best]) > 0:
            matched[finding["id"]] = best
            del free[best]
    return matched


def _shared(one: Json, other: Json, of: Any) -> int:
    return len(of(one) & of(other))


def _lines(finding: Json) -> set[str]:
    """Digests of the source lines of a finding, those of a return cargo apart."""
    rows = (one for one in finding.get("evidence", ()) if one.get("what") == "shipment row")
    return {str(one.get("note")).removeprefix(_LINE) for one in rows} | set(finding.get("lines", ()))


def _marks(finding: Json) -> set[tuple[str, str]]:
    """Vehicles, containers and bills of lading that a finding names."""
    told = {
        (key, str(goods[key])) for goods in finding.get("goods", ()) for key in ("vin", "container") if goods.get(key)
    }
    return told | {("bl", str(leg["bl_number"])) for leg in finding.get("chain", ()) if leg.get("bl_number")}


def _bounds(finding: Json) -> tuple[float, float]:
    score = finding.get("score") or {}
    return round(float(score.get("lower") or 0.0), 6), round(float(score.get("upper") or 0.0), 6)


def _entry(finding: Json, revision: Json, run: str) -> dict[str, Any]:
    lower, upper = _bounds(finding)
    return {**revision, "lower": lower, "upper": upper, "run": run}


def _open(finding: dict[str, Any], earlier: Json | None, run: str, later: bool) -> None:
    """A finding that the earlier run did not have; one that was retracted before goes on with its history."""
    history = list((earlier or {}).get("history", ()))
    why = ["it was retracted, and what carries it is there again"] if earlier else []
    why += ["the earlier run had no such finding"] if later and not earlier else []
    status, number = (REOPENED if earlier else OPENED), len(history) + 1
    finding["revision"] = {"number": number, "status": status, "changes": [], "why": why}
    finding["history"] = [*history, _entry(finding, finding["revision"], run)]


def _compare(finding: dict[str, Any], earlier: Json, causes: Mapping[str, list[str]], run: str) -> None:
    """Set the revision of a finding that the earlier run had too."""
    changes, kinds = changes_of(finding, earlier)
    history = list(earlier.get("history") or [_entry(earlier, {"number": 1, "status": OPENED}, run_id({}))])
    number = int((earlier.get("revision") or {}).get("number", len(history)))
    if not changes:
        finding["revision"] = {"number": number, "status": UNCHANGED, "changes": [], "why": []}
        finding["history"] = history
        return
    why = list(dict.fromkeys(cause for kind in kinds for cause in causes.get(kind, ())))
    revision = {
        "number": number + 1,
        "status": REVISED,
        "changes": changes,
        "why": why or causes["other"] or [_PROGRAM],
    }
    finding["revision"] = revision
    finding["history"] = [*history, _entry(finding, revision, run)]


def changes_of(finding: Json, earlier: Json) -> tuple[list[str], list[str]]:
    """What changed between two versions of a finding, in words, and of which kinds of cause it is."""
    changes: list[str] = []
    kinds: dict[str, None] = {}

    def tell(kind: str, *words: str) -> None:
        changes.extend(words)
        kinds.update({kind: None} if words else {})

    if finding["id"] != earlier["id"]:
        tell("rows", f"its source lines are others than those of {earlier['id']}")
    gone, new = (_lines(a) - _lines(b) for a, b in ((earlier, finding), (finding, earlier)))
    tell("rows", *([f"{len(gone)} source lines are gone"] if gone else []))
    tell("rows", *([f"{len(new)} source lines are new"] if new else []))
    before, after = events_of(earlier), events_of(finding)
    tell("events", *(f"no longer found: {event_words(before[name])}" for name in before if name not in after))
    tell("events", *(f"new: {event_words(after[name])}" for name in after if name not in before))
    same = [name for name in after if name in before and event_words(before[name]) != event_words(after[name])]
    tell("events", *(f"{event_words(before[name])}, now {event_words(after[name])}" for name in same))
    was, told = _claims(earlier), _claims(finding)
    tell("rows", *(f"no longer in conflict: {claim}" for claim in was if claim not in told))
    tell("rows", *(f"in conflict: {claim}" for claim in told if claim not in was))
    for name, (one, other) in _signals(earlier, finding).items():
        tell("lists" if name in _OF_LISTS else "other", f"{name}: {_shown(one)}, now {_shown(other)}")
    if _bounds(finding) != _bounds(earlier):
        spans = ["{:.3f} to {:.3f}".format(*_bounds(one)) for one in (earlier, finding)]
        tell("other", f"score {spans[0]}, now {spans[1]}")
    if finding.get("conclusion") != earlier.get("conclusion"):
        tell("other", f"conclusion: {earlier.get('conclusion')}, now {finding.get('conclusion')}")
    return changes, list(kinds)


_OF_LISTS = ("near a listed party", "controlled goods", "above a control list's threshold", "signs of a shell")


def _shown(value: Any) -> str:
    return "unknown" if value is None else f"{value:.3g}" if isinstance(value, int | float) else "not asked"


def _signals(earlier: Json, finding: Json) -> dict[str, tuple[Any, Any]]:
    """Signals that have another value, before and after."""
    was, told = (
        {
            signal["name"]: signal["value"]
            for factor in (one.get("score") or {}).get("factors", ())
            for signal in factor["signals"]
        }
        for one in (earlier, finding)
    )
    return {
        name: (was.get(name, ""), told.get(name, ""))
        for name in {**was, **told}
        if was.get(name, "") != told.get(name, "")
    }


def _claims(finding: Json) -> list[str]:
    found = []
    for claim in finding.get("claims", ()):
        values = sorted(f"{one['value']} ({one['source']})" for one in claim["values"])
        found.append(f"{claim['predicate']} of {claim['subject']}: {'; '.join(values)}")
    return found


def _retract(earlier: Json, found: Json, before: Json, there: _There, run: str) -> dict[str, Any]:
    """A finding that no longer stands, as it was, with the reason."""
    kept = {key: earlier[key] for key in ("id", "title", "conclusion", "score") if key in earlier}
    history = list(earlier.get("history") or [_entry(earlier, {"number": 1, "status": OPENED}, run_id({}))])
    number = int((earlier.get("revision") or {}).get("number", len(history))) + 1
    why = _why_gone(earlier, found, before, *there)
    revision = {"number": number, "status": RETRACTED, "changes": [], "why": why}
    entry = _entry(earlier, revision, run)
    return {**kept, "lines": sorted(_lines(earlier)), "revision": revision, "history": [*history, entry]}


def _why_gone(
    earlier: Json, found: Json, before: Json, lines: Mapping[int, str] | None, events: Collection[str] | None
) -> list[str]:
    """Why a finding no longer stands: its rows are gone, or the event that carried it."""
    causes, mine = causes_of(found, before), _lines(earlier)
    left = mine & set(lines.values()) if lines is not None else mine
    assessed = {one["id"]: one for one in found.get("assessed", ())}
    status = assessed.get(earlier["id"])
    if status is None and lines is not None and left:
        rows = [one for one in assessed.values() if left & {lines.get(row, "") for row in one["rows"]}]
        status = max(rows, key=lambda one: len(left & {lines.get(row, "") for row in one["rows"]}), default=None)
    if not left and mine:
        return [f"the row is gone: none of its {len(mine)} source lines is in the shipments", *causes["rows"]]
    why = [f"{len(mine) - len(left)} of its {len(mine)} source lines are gone"] if len(left) < len(mine) else []
    happened = [event for event in events_of(earlier).values() if event.get("kind") != "port_call"]
    there = events if events is not None else _all_events(found)
    missing = [event_words(event) for event in happened if event["id"] not in there]
    carried = [f"the event that carried it is gone: {words}" for words in missing]
    why += carried or ["nothing that its ship did makes a case any more"]
    why += causes["events"] if inputs_of(found) != inputs_of(before) or carried else []
    return [*why, *([f"it is told now as: {status['status']}"] if status else [])]


def _all_events(found: Json) -> set[str]:
    return {str(event["id"]) for finding in found.get("findings", ()) for event in finding.get("events", ())}
