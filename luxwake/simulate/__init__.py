"""A labelled world: ships, what was heard of them, and the truth about what they did."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from geo.errors import OutputError, UsageError
from luxwake.simulate.broadcast import Air
from luxwake.simulate.scenario import Scenario, networks, read, ships
from luxwake.simulate.shipments import Voyages, shipment_rows
from luxwake.simulate.write import replaced, write_nmea, write_rows, write_shipments, write_truth

_MOST_VESSELS = 40_000  # MMSIs of one scenario stay apart


class Written(NamedTuple):
    """What a simulation wrote."""

    paths: tuple[Path, ...]
    """track.nmea (or track.nmea.zst), shipments.csv, truth.csv, lines.csv, scenario.toml."""
    fixes: int
    """Undamaged sentences that carry a position."""
    vessels: int
    events: dict[str, int]
    """Rows of truth by kind."""
    damaged: dict[str, int]
    """Lines that were damaged, by kind."""
    seconds: float


def simulate(
    scenario: str | Path,
    out: Path,
    *,
    seed: int | None = None,
    vessels: int | None = None,
    days: float | None = None,
    fixes: int | None = None,
) -> Written:
    """Simulate a scenario and write its files; the same arguments give the same bytes.

    Parameters
    ----------
    scenario
        `world` (random ships, labelled), `flagship` (the case), or the path of a TOML file.
    out
        Folder for the files; made if it is not there.
    seed, days
        Take the place of those in the scenario.
    vessels
        Ships of each `[[traffic]]` block, in place of the number there.
    fixes
        Ships are added until so many positions come through, the last group may exceed it; not with `vessels`.

    Raises UsageError (a parameter out of range, an action or port that is not known), InputError (no such scenario, or
    not TOML) and OutputError (the folder cannot be written).
    """
    started = time.perf_counter()
    _check(vessels, fixes)
    case = read(scenario, seed=seed, days=days)
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error
    ashore, aloft, stations = networks(case)
    air = Air(ashore, aloft, case.seed)
    bad_lines = float(case.reception.get("bad_lines", 0.0))
    voyages = []
    for group in ships(case, vessels=_MOST_VESSELS if fixes is not None else vessels):
        air.add(group, case.t_end)
        voyages += [(ship.identity, ship.calls) for ship in group if ship.calls]
        if fixes is not None and air.fixes * (1.0 - bad_lines) >= fixes:
            break
    paths, whole, damaged = _write(case, folder, air, stations, voyages)
    events = dict(sorted(Counter(row.kind for row in air.truth).items()))
    return Written(paths, whole, air.ships, events, damaged, time.perf_counter() - started)


def _check(vessels: int | None, fixes: int | None) -> None:
    """Refuse numbers that cannot be meant."""
    if fixes is not None and vessels is not None:
        raise UsageError("give either vessels or fixes: one follows from the other")
    for name, value in (("vessels", vessels), ("fixes", fixes)):
        if value is not None and value < 1:
            raise UsageError(f"{name} = {value}: must be at least 1")
    if vessels is not None and vessels > _MOST_VESSELS:
        raise UsageError(f"vessels = {vessels}: at most {_MOST_VESSELS:,} have an MMSI each")


def _write(
    case: Scenario, folder: Path, air: Air, stations: list[str], voyages: Voyages
) -> tuple[tuple[Path, ...], int, dict[str, int]]:
    """Write all files; returns their paths, the whole positions and the damaged lines."""
    chunks, reports = air.finish()
    compress = bool(case.table.get("compress", False))
    share = float(case.reception.get("bad_lines", 0.0))
    track = folder / ("track.nmea.zst" if compress else "track.nmea")
    whole, damaged = write_nmea(track, chunks, reports, stations, bad_lines=share, seed=case.seed, compress=compress)
    shipments, truth, lines, copy = (folder / n for n in ("shipments.csv", "truth.csv", "lines.csv", "scenario.toml"))
    write_shipments(shipments, shipment_rows(case, voyages))
    write_truth(truth, air.truth)
    write_rows(lines, ("damage", "lines"), damaged.items())
    if not (copy.exists() and copy.samefile(case.path)):
        with replaced(copy) as part:
            part.write_text(case.text, encoding="utf-8")
    return (track, shipments, truth, lines, copy), whole, damaged


__all__ = ["Written", "simulate"]
