"""The pictures of the documentation, drawn anew: what `docs/pictures` holds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from ais.read import read
from benchmarks.chart import INK, Chart, Colour
from cargo.fleet import Fleet
from detectors.detect import detect
from detectors.event import DARK
from geo.coast import is_sea, shore_distance_m
from geo.meet import meet
from geo.ports import port_by_code
from geo.reach import US_PER_H, Reach, reach
from geo.reach_map import ways_to
from geo.speed import speed_of
from luxwake.cli import flagship_folder
from luxwake.density import Box

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
NMI_M = 1852.0
SEA_LARK = 671999101
DAY_H = 24.0
SEA, WAY = (232, 240, 244), (24, 48, 150)
STAYS: tuple[Colour, ...] = ((255, 236, 196), (254, 204, 134), (250, 160, 90), (228, 108, 74), (176, 62, 84))
PORTS = (
    *("KRPUS", "KRINC", "KPNAM", "KPCHO", "KPRJN", "RUVVO", "RUNJK", "CNDLC", "CNTAO", "CNSHA"),
    *("JPTYO", "JPOSA", "JPKIJ", "JPHKD", "JPNGS", "JPSDJ", "JPOTR"),
)


def run(quick: bool) -> Iterator[str]:
    """Draw each picture; the same bytes each time."""
    silent = flagship_reach()
    for path in (draw_shore(), draw_reach(silent), draw_meeting(silent)):
        yield f"{path.relative_to(PICTURES.parents[1])}: {path.stat().st_size:,} bytes"


def draw_ports(chart: Chart, codes: tuple[str, ...]) -> None:
    """Those ports that the table has, with their names."""
    for code in codes:
        port = port_by_code(code)
        if port is not None:
            chart.place(port.name, port.lat, port.lon)


def draw_shore() -> Path:
    """How far it is to the shore around Korea and Japan."""
    chart = Chart(Box(30.0, 46.5, 119.5, 148.0), "How far is it to the shore? The seas around Korea and Japan")
    sea = is_sea(chart.lat, chart.lon)
    nmi = np.where(sea, shore_distance_m(chart.lat, chart.lon) / NMI_M, np.nan)
    edges = (12, 24, 50, 100, 200)
    colours = ((236, 246, 238), (196, 228, 226), (146, 200, 216), (98, 162, 200), (58, 118, 172), (28, 72, 126))
    chart.paint_bands(nmi, edges, colours)
    chart.draw_coast()
    chart.draw_degrees(5)
    draw_ports(chart, PORTS)
    chart.scale(200, 31.2, 141.6)
    words = [f"under {edges[0]} nmi", *(f"{a}-{b}" for a, b in pairwise(edges)), "over 200 nmi"]
    chart.legend(colours, words)
    chart.note(
        "Looked up for each pixel. Sea and land: GLOBE, 30 arc-seconds; thin line: Natural Earth. "
        "Measured from the shore, not from the baselines of territorial seas."
    )
    path = PICTURES / "shore.png"
    chart.save(path)
    return path


def flagship_reach() -> Reach:
    """What the ship of the flagship could have reached in its 18 days of silence, at the speed of its own fixes."""
    fixes = read(sorted(flagship_folder().glob("*.nmea.zst")))
    fleet = Fleet(detect(fixes), fixes)
    one = max(fleet.events_of([SEA_LARK], [DARK]), key=lambda event: event.t_end - event.t_start)
    return reach(one.lat, one.lon, one.t_start, one.lat_end, one.lon_end, one.t_end, fleet.speed_of(one))


def draw_ends(chart: Chart, silent: Reach, name: str) -> None:
    """Where a ship was last heard and where again."""
    ends = silent.silence
    chart.line((ends.lat0, ends.lon0), (ends.lat1, ends.lon1), INK)
    chart.place(f"{name}: last heard", ends.lat0, ends.lon0, WAY)
    chart.place("and again", ends.lat1, ends.lon1, WAY)


def draw_reach(silent: Reach) -> Path:
    """What the flagship's ship could have reached, by the longest possible stay."""
    chart = Chart(Box(2.0, 62.0, 98.0, 190.0), "Where could it have been? A cargo ship silent for 18 days off Busan")
    chart.paint(np.ones(chart.lat.shape, np.bool_), SEA)
    days = (3.0, 7.0, 11.0, 14.0)
    chart.paint_bands(chart.of_cells(silent.cells, silent.slack_h / DAY_H), days, STAYS)
    chart.paint_land()
    chart.draw_coast()
    chart.draw_degrees(10)
    far = ("KPCHO", "KPNAM", "RUPKC")
    places = [(port.lat, port.lon) for port in map(port_by_code, far) if port is not None]
    for there, _ in ways_to(silent, places):
        for begin, end in pairwise(zip(there.lat.tolist(), there.lon.tolist(), strict=True)):
            chart.line(begin, end, WAY)
    chart.place("silent here", silent.silence.lat0, silent.silence.lon0, WAY)
    draw_ports(chart, (*far, "RUVVO", "JPTYO", "CNSHA", "HKHKG", "PHMNL", "GUGUM", "RUGDX", "VNSGN"))
    chart.scale(1000, 6.0, 160.0)
    chart.legend(STAYS, ("under 3 days", "3 to 7", "7 to 11", "11 to 14", "longest possible stay over 14 days"))
    speed = silent.silence.speed
    chart.note(
        f"At {speed.fast_kn:.1f} kn, which the ship exceeds with a chance of 5 % ({speed.source}); "
        f"{silent.cells.size:,} cells. Blue: shortest ways to three ports. It could have been anywhere here; that "
        "proves no visit."
    )
    path = PICTURES / "reach.png"
    chart.save(path)
    return path


def draw_meeting(silent: Reach) -> Path:
    """Where the flagship's ship and an invented tanker, silent off the coast of the DPRK, could have met."""
    t0_us = silent.silence.t0_us + round(4 * DAY_H * US_PER_H)
    tanker = speed_of([], [], ship_type=80, length_m=95.0)
    other = reach(39.5, 129.0, t0_us, 40.6, 130.4, t0_us + round(2.5 * DAY_H * US_PER_H), tanker)
    chart = Chart(
        Box(33.5, 45.5, 125.5, 142.5),
        "Where could two silent ships have met? A cargo ship off Busan, a tanker off Korea",
    )
    chart.paint(np.ones(chart.lat.shape, np.bool_), SEA)
    chart.paint_bands(
        np.where(np.isfinite(chart.of_cells(silent.cells, silent.slack_h)), 0.0, np.nan), (), ((222, 228, 222),)
    )
    met = meet(silent, other)
    chart.paint_bands(chart.of_cells(met.cells, met.together_h), (12.0, 24.0, 36.0, 48.0), STAYS)
    chart.paint_land()
    chart.draw_coast()
    chart.draw_degrees(2)
    draw_ends(chart, silent, "cargo ship")
    draw_ends(chart, other, "tanker")
    draw_ports(
        chart, ("KRPUS", "KPCHO", "KPWON", "KPHGM", "KPSON", "RUVVO", "RUNJK", "JPNII", "JPKNZ", "KRTGH", "KPNJN")
    )
    chart.scale(100, 34.2, 137.5)
    words = ("under 12 h", "12 to 24 h", "24 to 36 h", "36 to 48 h", "over 48 h")
    chart.legend(STAYS, words)
    chart.note(
        "Colours: longest possible time together. Grey-green: within reach of the cargo ship alone, silent for 18 "
        "days; the tanker was silent for two and a half of them. That they could have met proves no meeting."
    )
    path = PICTURES / "meeting.png"
    chart.save(path)
    return path
