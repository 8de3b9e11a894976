"""`luxwake ports`: ports by name, by place, and from a file of the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from geo.errors import UsageError
from geo.sphere import NMI_M
from luxwake.console import print_json_lines

if TYPE_CHECKING:
    from geo.port_import import Imported
    from geo.port_table import Port
    from luxwake.console import Console

_FAR_M = 10_000.0
"""Farther apart than this, two sources do not mean the same harbour."""
_MOST_SHOWN = 20
_HOW = {
    "code": "by its code",
    "name": "by its name",
    "alias": "by another name",
    "alike": "by a name one letter away",
    "": "nothing is near",
}


def _place(port: Port) -> dict[str, Any]:
    return {
        "name": port.name,
        "code": port.locode,
        "country": port.country,
        "lat": round(port.lat, 4),
        "lon": round(port.lon, 4),
        "position": port.quality,
    }


def find(texts: Sequence[str], console: Console) -> None:
    """Print which port each text means: one, several, or none."""
    from geo.ports import ports_matching

    for text in texts:
        match = ports_matching(text)
        may_be = [one._asdict() for one in match.several] or [{"port": match.port, "score": 1.0}]
        rows = [{**_place(one["port"]), "alike": round(one["score"], 2)} for one in may_be if one["port"] is not None]
        if console.json:
            answer = "one" if match.port is not None else "several" if match.several else "none"
            print_json_lines([{"type": "match", "text": text, "answer": answer, "how": match.how, "ports": rows}])
        elif match.port is not None:
            _show(f"{text}: one port, {_HOW[match.how]}", rows, console)
        elif rows:
            _show(f"{text}: not sure which, it may be one of these or none", rows, console)
        else:
            console.table("", ("text", "answer"), [(text, "no such port")])


def near(lat_deg: float, lon_deg: float, within_nmi: float | None, limit: int, console: Console) -> None:
    """Print the nearest ports of a position."""
    from geo.ports import ports_near

    if within_nmi is not None and not within_nmi >= 0.0:
        raise UsageError(f"--within must be 0 or more nautical miles, not {within_nmi}")
    found = ports_near(lat_deg, lon_deg, limit, None if within_nmi is None else within_nmi * NMI_M)
    rows = [
        {**_place(one.port), "nmi": round(one.distance_m / NMI_M, 1), "bearing": round(one.bearing_deg) % 360}
        for one in found
    ]
    if console.json:
        print_json_lines({"type": "near", **row} for row in rows)
    else:
        within = "" if within_nmi is None else f" within {within_nmi:g} nmi"
        _show(f"Ports near {lat_deg:g} {lon_deg:g}" + (within if rows else f": none{within}"), rows, console)


def import_file(path: str, console: Console) -> None:
    """Take ports from a file, and print what they change."""
    from geo.port_import import import_ports

    done = import_ports(path)
    if console.json:
        print_json_lines([_summary(done)])
        return
    found = done.merged
    moved = sum(metres > _FAR_M for _, metres in found.updated)
    counts = {
        "rows read": done.rows,
        "ports added": len(found.added),
        "ports with the imported position": len(found.updated),
        "of them moved by more than 10 km": moved,
        "hand-checked ports that kept theirs": len(found.confirmed),
        "rows that contradict ours, not taken": len(found.contradicted),
    }
    console.counts(done.source, counts)
    console.counts("Rows left out", done.rejected)
    apart = [(a, a.name, "hand-checked, kept", metres) for a, metres in found.confirmed if metres > _FAR_M]
    apart += [(a, f"{b.name} {b.lat:.2f} {b.lon:.2f}", "contradicts, kept ours", m) for a, b, m in found.contradicted]
    apart.sort(key=lambda row: (row[2], -row[3]))
    rows = [(a.locode, a.name, theirs, what, round(metres / 1000)) for a, theirs, what, metres in apart[:_MOST_SHOWN]]
    if rows:
        console.table("More than 10 km apart", ("code", "ours", "theirs", "", "km"), rows)
    if len(apart) > _MOST_SHOWN:
        console.note(f"{len(apart) - _MOST_SHOWN:,} more with --json")
    console.note(f"kept in {done.path}; `luxwake ports import --remove` takes it away")


def remove(console: Console) -> None:
    """Take imported ports away."""
    from geo.port_import import remove_imported

    gone = remove_imported()
    if console.json:
        print_json_lines([{"type": "removed", "files": [str(path) for path in gone]}])
    else:
        console.note(f"removed {', '.join(map(str, gone))}" if gone else "nothing was imported")


def _summary(done: Imported) -> dict[str, Any]:
    found = done.merged
    return {
        "type": "import",
        "source": done.source,
        "file": str(done.path),
        "rows": done.rows,
        "rejected": dict(done.rejected),
        "added": len(found.added),
        "updated": [{"code": port.locode, "name": port.name, "moved_m": round(m)} for port, m in found.updated],
        "hand_checked": [{"code": port.locode, "name": port.name, "apart_m": round(m)} for port, m in found.confirmed],
        "contradicted": [
            {"code": ours.locode, "ours": _place(ours), "theirs": _place(theirs), "apart_m": round(m)}
            for ours, theirs, m in found.contradicted
        ],
    }


def _show(title: str, rows: Sequence[dict[str, Any]], console: Console) -> None:
    names = list(rows[0]) if rows else ["name", "code"]
    console.table(title, names, [list(row.values()) for row in rows])
