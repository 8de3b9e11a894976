"""Why two runs differ: which inputs, lists and parameters are others, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
_LISTS = ("control_lists", "watch_lists", "watch_lists_unreadable", "registry")


def inputs_of(found: Json) -> dict[str, tuple[str, str]]:
    """What each input was and its digest, by name; those of `join` and those of a run.

    >>> inputs_of({"inputs": [{"file": "a.nmea", "sha256": "12", "what": "positions"}]})
    {'a.nmea': ('positions', '12')}
    """
    told = found.get("inputs") or ()
    if isinstance(told, Mapping):
        names = {str(name): ("positions", "") for name in told.get("ais", ())}
        return names | {str(one["name"]): ("shipments", str(one["sha256"])) for one in told.get("shipments", ())}
    return {str(one.get("file")): (str(one.get("what", "input")), str(one.get("sha256"))) for one in told}


def events_of(finding: Json) -> dict[str, Json]:
    """The events of a finding by id."""
    return {str(event["id"]): event for event in finding.get("events", ())}


def event_words(event: Json) -> str:
    """An event in words, such that another end or score reads otherwise."""
    score = event.get("score")
    sure = f", score {score:.2f}" if isinstance(score, int | float) else ""
    kind = str(event.get("kind", "event")).replace("_", " ")
    return f"{kind} of MMSI {event.get('mmsi')}, {event.get('t_start')} to {event.get('t_end')}{sure}"


def causes_of(found: Json, before: Json) -> dict[str, list[str]]:
    """What differs between two runs, by what it may change: "events", "rows", "lists", and "other" for all of it."""
    causes: dict[str, list[str]] = {"events": [], "rows": [], "lists": []}
    old, new = inputs_of(before), inputs_of(found)
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            what = new.get(name, old.get(name, ("input", "")))[0]
            how = "is new" if name not in old else "was left out" if name not in new else "has other contents"
            late = "late positions: " if what == "positions" and name in new else ""
            kinds = {"positions": ("events",), "shipments": ("rows",)}.get(what, ("events", "rows"))
            for kind in kinds:
                causes[kind].append(f"{late}{what} {name} {how}")
    one, two = before.get("parameters") or {}, found.get("parameters") or {}
    causes["lists"] += _lists(one, two)
    for name in dict.fromkeys([*one, *two]):
        if name not in _LISTS and one.get(name) != two.get(name):
            causes["events"].append(f"parameter {name} is another")
    causes["other"] = list(dict.fromkeys(cause for told in causes.values() for cause in told))
    return causes


def _lists(one: Json, two: Json) -> list[str]:
    """Control lists, watch-lists and a register that are others."""
    found = []
    for name, words in (("control_lists", "control lists"), ("registry", "register of ships")):
        if one.get(name) != two.get(name):
            found.append(f"{words}: {one.get(name) or 'none'}, now {two.get(name) or 'none'}")
    old, new = (
        {(str(each["list"]), str(each["date"])): str(each["sha256"]) for each in told.get("watch_lists") or ()}
        for told in (one, two)
    )
    for key in dict.fromkeys([*old, *new]):
        if old.get(key) != new.get(key):
            how = "is new" if key not in old else "is gone" if key not in new else "has other contents"
            found.append(f"watch-list {key[0]} of {key[1]} {how}")
    unread = [
        file
        for file in two.get("watch_lists_unreadable") or ()
        if file not in (one.get("watch_lists_unreadable") or ())
    ]
    return [*found, *(f"watch-list {file} can no longer be read" for file in unread)]
