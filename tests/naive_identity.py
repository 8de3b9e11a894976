"""The slow, obvious twins of what is done with static reports: plain Python over dicts and lists."""

from __future__ import annotations

import numpy as np

from ais.identity import FIELDS

COPY_US = 10_000_000


def says(value):
    return bool(value == value and value)


def report_rows(static):
    """Static reports as dicts, by ship, message type and part, and time."""
    names = list(static)
    rows = [dict(zip(names, values, strict=True)) for values in zip(*(static[n].tolist() for n in names), strict=True)]
    for row in rows:
        row["part"] = (row["msg_type"], row["name"] != b"")
    return sorted(rows, key=lambda r: (r["mmsi"], r["part"], r["t"], r["source"], r["offset"]))


def runs_of(rows):
    """Reports of one ship and part that say the same, one after the other: lists of them."""
    runs = []
    for row in rows:
        last = runs[-1][-1] if runs else None
        same = last is not None and last["mmsi"] == row["mmsi"] and last["part"] == row["part"]
        if same and all(last[f] == row[f] or (last[f] != last[f] and row[f] != row[f]) for f in FIELDS):
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def count(run):
    n, counted = 0, -np.inf
    for row in run:
        if row["t"] - counted >= COPY_US:
            n, counted = n + 1, row["t"]
    return n


def intervals(static):
    """What `ais.identity.identities` gives, as dicts without the fields that were never said."""
    runs = runs_of(report_rows(static))
    repeating = {a["source"] for run in runs for a, b in zip(run, run[1:], strict=False) if a["source"] == b["source"]}
    found = []
    for run in sorted(runs, key=lambda run: (run[0]["mmsi"], run[0]["t"], run[0]["part"])):
        first, last = run[0], run[-1]
        said = {f: first[f] for f in FIELDS if says(first[f])}
        reports = count(run) if first["source"] in repeating else 0
        before = found[-1] if found and found[-1]["mmsi"] == first["mmsi"] else {}
        if before and all(before.get(f) == value for f, value in said.items()):
            before["n"] += reports
            if last["t"] > before["t_to"]:
                before |= {"t_to": last["t"], "last_offset": last["offset"], "last_source": last["source"]}
            continue
        kept = {f: before[f] for f in FIELDS if f in before}
        ends = {"t_from": first["t"], "t_to": last["t"], "source": first["source"], "first_offset": first["offset"]}
        ends |= {"last_source": last["source"], "last_offset": last["offset"], "mmsi": first["mmsi"], "n": reports}
        found.append(kept | said | ends)
    return found
