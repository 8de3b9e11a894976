"""Where and when two silent ships could have met: what `luxwake meet` prints and draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cargo.finding import plain
from cargo.leg import iso_time
from geo.ports import nearest_port, ports
from geo.reach_map import assumptions, chance_words, least_stays
from geo.sphere import NMI_M
from luxwake.console import print_json_lines
from luxwake.reach import end_features, feature, hours, write_geojson
from luxwake.report.words import position

if TYPE_CHECKING:
    from geo.meet import Meeting
    from geo.reach import Reach
    from luxwake.console import Console

MOST_PLACES = 20
"""Places printed, one for each nearest port; all cells are in the areas of the map."""
_HEAD = ("place", "nearest port", "both from", "both to", "longest together", "fast enough")


def places_of(meeting: Meeting) -> list[dict[str, Any]]:
    """For each port that is the nearest of some of the cells the one with the longest time together, that first."""
    port, metres = nearest_port(meeting.lat, meeting.lon)
    order = np.lexsort((meeting.cells, -meeting.together_h))
    _, first = np.unique(port[order], return_index=True)
    rows = []
    for k in order[np.sort(first)].tolist():
        near = ports()[port[k]]
        rows.append(
            {
                "cell": f"{int(meeting.cells[k]):x}",
                "lat": float(meeting.lat[k]),
                "lon": float(meeting.lon[k]),
                "port": near.name,
                "code": near.locode,
                "port_nmi": float(metres[k]) / NMI_M,
                "t_from": iso_time(int(meeting.t_from_us[k])),
                "t_to": iso_time(int(meeting.t_to_us[k])),
                "together_h": float(meeting.together_h[k]),
                "probability": float(meeting.probability[k]),
            }
        )
    return rows


def print_meeting(meeting: Meeting, ships: Sequence[Reach], out: str | None, console: Console) -> None:
    """Print places, times and assumptions; write the map if asked."""
    places = places_of(meeting)
    notes = [(f"ship {n}", words) for n, ship in enumerate(ships, start=1) for words in assumptions(ship)]
    said = dict.fromkeys(words if _of_both(words, notes) else f"{ship}: {words}" for ship, words in notes)
    if out is not None:
        write_geojson(out, _features(meeting, ships, places[:MOST_PLACES]))
    if console.json:
        summary = {"cells": meeting.cells.size, "longest_h": meeting.longest_h, **meeting.parameters}
        print_json_lines([{"type": "meeting", **plain(summary), "assumptions": list(said)}])
        print_json_lines(plain({"type": "place", **place}) for place in places)
        return
    if not console.quiet:
        title = "The two ships could have met" if places else "The two ships cannot have met"
        rows = [("longest time together", hours(meeting.longest_h))] if places else []
        console.table(title, ("", "found"), [*rows, ("sea where they could", f"{meeting.cells.size:,} cells")])
        console.table("Where they could have been together the longest, by nearest port", _HEAD, map(_row, places[:20]))
    for words in said:
        console.note(f"assumed: {words}")


def _of_both(words: str, notes: Sequence[tuple[str, str]]) -> bool:
    return sum(other == words for _, other in notes) > 1


def _row(place: dict[str, Any]) -> tuple[str, ...]:
    where = f"{place['port']} ({place['code']}), {place['port_nmi']:.0f} nmi"
    times = (place[key][:16].replace("T", " ") for key in ("t_from", "t_to"))
    chance = chance_words(place["probability"])
    return position(place["lat"], place["lon"]), where, *times, hours(place["together_h"]), chance


def _features(meeting: Meeting, ships: Sequence[Reach], places: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Areas by the longest time together, the ends of both silences, and places."""
    made = []
    for least_h in least_stays(meeting.longest_h):
        area = meeting.to_geojson(least_h)
        made.append({"type": "Feature", "geometry": area, "properties": {"what": "area", "least_together_h": least_h}})
    for n, ship in enumerate(ships, start=1):
        made += end_features(ship.silence, {"ship": n})
    return made + [feature("Point", [p["lon"], p["lat"]], {"what": "place", **plain(p)}) for p in places]
