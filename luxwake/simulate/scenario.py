"""A scenario: a TOML file that says which ports, stations, ships and shipments there are."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import default_rng

from geo.errors import InputError, UsageError
from geo.sphere import NMI_M
from luxwake.simulate.fleet import KINDS
from luxwake.simulate.lanes import Berth, Lanes
from luxwake.simulate.reception import (
    STATION,
    Aloft,
    Ashore,
    crowd_grid,
    footprint_cosine,
    satellite_directions,
    station_cells,
)
from luxwake.simulate.roles import ROLES, Group, groups
from luxwake.simulate.script import Script, seconds
from luxwake.simulate.traffic import Roads, Traffic, Yard

_HERE = Path(__file__).resolve().parent
BUILT_IN = {
    "world": (_HERE / "world.toml",),
    "flagship": (
        _HERE.parent / "flagship" / "scenario.toml",
        _HERE.parent.parent / "fixtures" / "flagship" / "scenario.toml",
    ),
}
"""Where the built-in scenarios stand: in the installed package, or in the checkout."""


@dataclass(frozen=True)
class Scenario:
    """A scenario as read; `text` is the file itself."""

    path: Path
    text: str
    table: Mapping[str, Any]
    t_start: float
    t_end: float
    seed: int
    lanes: Lanes

    @property
    def reception(self) -> Mapping[str, Any]:
        """The table `[reception]`."""
        table: Mapping[str, Any] = self.table.get("reception", {})
        return table


def find(name: str | Path) -> Path:
    """The file of a scenario: a built-in name, or a path."""
    for path in BUILT_IN.get(str(name), ()):
        if path.is_file():
            return path
    if Path(name).is_file():
        return Path(name)
    raise InputError(f"no scenario {str(name)!r}; give a TOML file or one of {', '.join(sorted(BUILT_IN))}")


def read(name: str | Path, *, seed: int | None, days: float | None) -> Scenario:
    """Read and check a scenario."""
    path = find(name)
    text = path.read_text(encoding="utf-8")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not TOML: {error}") from None
    if "start" not in table:
        raise InputError(f"{path}: `start` is missing; write start = 2018-10-01T00:00:00Z")
    t_start = seconds(table["start"], f"{path}: start")
    length = float(days if days is not None else table.get("days", 10.0))
    if not 0.0 < length <= 3660.0:
        raise UsageError(f"days = {length}: must be above 0 and at most 3660")
    berths = {}
    for code, port in table.get("ports", {}).items():
        approach = tuple((float(lat), float(lon)) for lat, lon in port.get("approach", ()))
        berths[code] = Berth(code, str(port.get("name", code)), float(port["lat"]), float(port["lon"]), approach)
    return Scenario(
        path, text, table, t_start, t_start + length * 86400.0, int(table.get("seed", 1) if seed is None else seed),
        Lanes(berths),
    )  # fmt: skip


def networks(scenario: Scenario) -> tuple[Ashore, Aloft, list[str]]:
    """Coast stations and satellites, and the names of both in the order of their numbers."""
    p = scenario.reception
    names, rows = [], []
    for station in scenario.table.get("station", ()):
        names.append(str(station["name"]))
        reliability, late = float(station.get("reliability", 0.9)), float(station.get("delay_s", 0.0))
        rows.append((station["lat"], station["lon"], station.get("range_nmi", 30.0) * NMI_M, reliability, late))
    if p.get("station_at_each_port", False):
        rng = default_rng([scenario.seed, 1])
        for code in sorted({port for block in scenario.table.get("traffic", ()) for port in block["ports"]}):
            berth = scenario.lanes.berth(code)
            names.append(code)
            rows.append(
                (berth.lat, berth.lon, rng.uniform(20.0, 40.0) * NMI_M, rng.uniform(0.6, 0.95), rng.uniform(0, 1))
            )
    stations = np.array(rows, STATION).view(np.recarray)
    start, of_cell = station_cells(stations)
    thin_s, static_s, noise_m = (float(p.get(k, v)) for k, v in (("thin_s", 0), ("static_thin_s", 360), ("noise_m", 5)))
    ashore = Ashore(
        stations, start, of_cell, thin_s, static_s, float(p.get("copies", 1.0)), noise_m, np.zeros(len(stations))
    )
    satellites = int(p.get("satellites", 6))
    sky = satellite_directions(satellites, scenario.t_start, scenario.t_end)
    satellite_thin_s = float(p.get("satellite_thin_s", 600.0))
    crowd = _crowd(float(p.get("satellite_best", 0.35)))
    aloft = Aloft(
        sky, scenario.t_start, footprint_cosine(), crowd, len(names), satellite_thin_s, max(static_s, satellite_thin_s),
        noise_m,
    )  # fmt: skip
    return ashore, aloft, names + [f"SAT{k + 1}" for k in range(satellites)]


def _crowd(best: float) -> np.ndarray:
    from geo.ports import shipped_ports  # a world is the same for everybody, whatever ports they imported

    return crowd_grid([p.lat for p in shipped_ports()], [p.lon for p in shipped_ports()], best)


def _traffic(scenario: Scenario, block: Mapping[str, Any], ships: int | None) -> Traffic:
    """One `[[traffic]]` table."""
    for key, known in (("kinds", KINDS), ("roles", ROLES)):
        wrong = set(block[key]) - set(known)
        if wrong:
            raise UsageError(
                f"{scenario.path}: traffic {key} {sorted(wrong)} are not known; known are {', '.join(known)}"
            )
    begin = seconds(block["begin"], "traffic begin") if "begin" in block else scenario.t_start
    end = seconds(block["end"], "traffic end") if "end" in block else scenario.t_end
    days_each, call_h = block.get("days_each"), block.get("call_h", (6.0, 48.0))
    return Traffic(
        ships=int(block["ships"]) if ships is None else ships,
        ports=tuple(block["ports"]),
        kinds=block["kinds"],
        roles=block["roles"],
        t_start=begin,
        t_end=min(end, scenario.t_end),
        days_each=(float(days_each[0]), float(days_each[1])) if days_each else None,
        call_h=(float(call_h[0]), float(call_h[1])),
        thin_factor=float(block.get("thin_factor", 1.0)),
        anchorages=tuple(
            Roads(str(a["name"]), float(a["lat"]), float(a["lon"]), float(a.get("radius_m", 3_000.0)))
            for a in block.get("anchorages", ())
        ),
    )


def ships(scenario: Scenario, *, vessels: int | None) -> Iterator[Group]:
    """All ships, in groups that belong together: scripted ones first, then block by block."""
    script = Script(scenario.lanes, scenario.seed)
    scripted = [script.play(table) for table in scenario.table.get("vessel", ())]
    if scripted:
        yield scripted
    first = 0
    for block in scenario.table.get("traffic", ()):
        traffic = _traffic(scenario, block, vessels)
        yield from groups(Yard(traffic, scenario.lanes, scenario.seed, first))
        first += traffic.ships
