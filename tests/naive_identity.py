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
    """Reports of a run, copies once, and the sources that said it again."""
    n, counted, again, before = 0, -np.inf, set(), None
    for row in run:
        if row["t"] - counted >= COPY_US:
            n, counted = n + 1, row["t"]
            again |= {row["source"]} if before == row["source"] else set()
        before = row["source"]
    return n, again


def intervals(static):
    """What `ais.identity.identities` gives, as dicts without the fields that were never said."""
    runs = runs_of(report_rows(static))
    repeating = set().union(*(count(run)[1] for run in runs))
    found = []
    for run in sorted(runs, key=lambda run: (run[0]["mmsi"], run[0]["t"], run[0]["part"])):
        first, last = run[0], run[-1]
        said = {f: first[f] for f in FIELDS if says(first[f])}
        reports = count(run)[0] if first["source"] in repeating else 0
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


def plain(text):
    return "".join(c for c in text.decode().upper() if c.isascii() and c.isalnum())


def cut_short(a, b):
    short, long = sorted((a, b), key=len)
    rest = long[len(short) :]
    return len(short) >= 6 and long.startswith(short) and not any(c.isdigit() for c in rest)


def value(field, row):
    """What an interval says of a field, None for nothing."""
    if field == "name":
        text = plain(row.get("name", b""))
        return text if sum(c.isalpha() for c in text) >= 2 else None
    if field == "callsign":
        text = plain(row.get("callsign", b""))
        return text if any(c.isalpha() for c in text) and len(text) >= 3 else None
    if field == "dimensions":
        size = [row.get(a, 0) + row.get(b, 0) for a, b in (("to_bow", "to_stern"), ("to_port", "to_starboard"))]
        return tuple(size) if min(size) > 0 else None
    if field == "ship_type":
        code = row.get("ship_type", 0)
        return (code if code // 10 in (3, 5) else code // 10) if 20 <= code <= 89 else None
    return row["imo"] if 1_000_000 <= row.get("imo", 0) <= 9_999_999 else None


def equal(field, a, b):
    if field == "name":
        return a == b or cut_short(a, b)
    if field == "dimensions":
        return abs(a[0] - b[0]) <= 2 and abs(a[1] - b[1]) <= 2
    return a == b


def field_changes(field, rows, min_reports=3, min_lasting_us=3_600_000_000):
    """Changes of one ship's field from its intervals (dicts by time): (t_start, t_end, reports old, new, returns)."""
    kinds = []  # [value, intervals]
    said = []
    for row in rows:
        v = value(field, row)
        kind = next((k for k in kinds if v is not None and equal(field, k[0], v)), None)
        if v is not None and kind is None:
            kind = [v, []]
            kinds.append(kind)
        if kind is not None:
            kind[1].append(row)
            said.append((kind, row))

    def counts(intervals):
        n = sum(r["n"] for r in intervals)
        return n >= min_reports and max(r["t_to"] for r in intervals) - intervals[0]["t_from"] >= min_lasting_us

    good = [kind for kind in kinds if counts(kind[1])]
    said = [(kind, row) for kind, row in said if any(kind is g for g in good)]
    stretches = []
    for kind, row in said:
        if stretches and stretches[-1][0] is kind:
            stretches[-1][1].append(row)
        else:
            stretches.append((kind, [row]))
    total = {id(kind): sum(r["n"] for r in kind[1]) for kind in good}
    found, sure, before, last, flips = [], [], None, None, 0
    for kind, intervals in stretches:
        until = max(r["t_to"] for r in intervals)
        if counts(intervals):
            sure.append(kind)
            if before is not None and before is not kind:
                start = min(last, intervals[0]["t_from"])
                found.append((start, intervals[0]["t_from"], total[id(before)], total[id(kind)], flips))
            last = until if before is not kind else max(last, until)
            before, flips = kind, 0
        elif before is not None:
            flips += 1
            last = max(last, until) if before is kind else last
    for kind in good:
        if any(kind is s for s in sure) or (not sure and kind is good[0]):
            continue
        first = kind[1][0]["t_from"]
        others = [(k, r) for k, r in said if k is not kind]
        at = next(n for n, (k, r) in enumerate(said) if r is kind[1][0])
        earlier = [(k, r) for k, r in said[:at] if k is not kind]
        if others:
            other, row = earlier[-1] if earlier else others[0]
            returns = sum(k is kind for k, _ in stretches)
            found.append((min(row["t_to"], first), first, total[id(other)], total[id(kind)], returns))
    return found
