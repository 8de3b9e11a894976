"""A labelled world: ships, what was heard of them, and the truth about what they did."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

from geo.errors import OutputError, UsageError
from luxwake.simulate.broadcast import Air
from luxwake.simulate.scenario import networks, read, ships
from luxwake.simulate.shipments import shipment_rows
from luxwake.simulate.write import write_nmea, write_rows, write_shipments, write_truth

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
        Ships are added to the last `[[traffic]]` block until so many positions are heard (the last group may exceed
        it); `vessels` must not be given then.

    Returns
    -------
    Written
        Paths and counts.

    Raises
    ------
    UsageError
        A parameter out of range, an action or a port that is not known.
    InputError
        No such scenario, or not TOML.
    OutputError
        The folder cannot be written.
    """
    started = time.perf_counter()
    if fixes is not None and vessels is not None:
        raise UsageError("give either vessels or fixes: one follows from the other")
    for name, value in (("vessels", vessels), ("fixes", fixes)):
        if value is not None and value < 1:
            raise UsageError(f"{name} = {value}: must be at least 1")
    if vessels is not None and vessels > _MOST_VESSELS:
        raise UsageError(f"vessels = {vessels}: at most {_MOST_VESSELS:,} have an MMSI each")
    case = read(scenario, seed=seed, days=days)
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); choose another folder") from error
    ashore, aloft, stations = networks(case)
    air = Air(ashore, aloft, case.seed)
    voyages = []
    for group in ships(case, vessels=_MOST_VESSELS if fixes is not None else vessels):
        air.add(group, case.t_end)
        voyages += [(ship.identity, ship.calls) for ship in group if ship.calls]
        if fixes is not None and air.fixes >= fixes:
            break
    chunks, reports = air.finish()
    compress = bool(case.table.get("compress", False))
    track = folder / ("track.nmea.zst" if compress else "track.nmea")
    bad_lines = float(case.reception.get("bad_lines", 0.0))
    whole, damaged = write_nmea(
        track, chunks, reports, stations, bad_lines=bad_lines, seed=case.seed, compress=compress
    )
    paths = (track, *(folder / name for name in ("shipments.csv", "truth.csv", "lines.csv", "scenario.toml")))
    write_shipments(paths[1], shipment_rows(case, voyages))
    write_truth(paths[2], air.truth)
    write_rows(paths[3], ("damage", "lines"), damaged.items())
    if not (paths[4].exists() and paths[4].samefile(case.path)):
        paths[4].write_text(case.text, encoding="utf-8")
    events: dict[str, int] = {}
    for row in air.truth:
        events[row.kind] = events.get(row.kind, 0) + 1
    return Written(paths, whole, air.ships, events, damaged, time.perf_counter() - started)


__all__ = ["Written", "simulate"]
