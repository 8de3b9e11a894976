"""Which changes a sink gets: watch-lists of ships, areas of interest, kinds, changes and scores as filters.

`once` is no matter of a filter, for it has to outlive a kill: the store keeps for each sink which events it was sent a
change of, and adds a change to what is to be sent only where there is none yet, in the transaction that keeps the
change itself (`Store.commit`).
"""

from __future__ import annotations

import re
from pathlib import Path

from detectors.registry import registered
from detectors.watch import CHANGES
from geo.errors import InputError, UsageError
from geo.zones import Zones, read_zones
from luxwake.daemon.config import SinkConfig
from luxwake.daemon.sink import Change

_MMSI = re.compile(r"[0-9]{1,9}", re.ASCII)


class Filter:
    """The filter of a sink. Its files are read now; to read them again, make another.

    Raises
    ------
    UsageError
        For a kind or a change that there is not.
    InputError
        For a file that cannot be read, or is none of ships or of areas.

    >>> from luxwake.daemon.config import SyslogSink
    >>> alarms = Filter(SyslogSink(name="alarms", kinds=["dark"], min_score=0.5))
    >>> dark = Change(1, "46d8d52ad6ba20ab", 1, "opened", "dark", 671999101, 0, 35.0, 129.0, 0.9, "{}")
    >>> alarms.wants(dark), alarms.wants(dark._replace(kind="gap")), alarms.wants(dark._replace(score=float("nan")))
    (True, False, False)
    """

    def __init__(self, config: SinkConfig) -> None:
        place = f"sinks.{config.name}"
        self.kinds = _chosen(
            config.kinds, [kind for one in registered().values() for kind in one.kinds], f"{place}.kinds"
        )
        self.changes = _chosen(config.changes, CHANGES, f"{place}.changes")
        self.vessels = read_vessels(config.vessels) if config.vessels else None
        self.areas: Zones | None = read_zones(config.areas) if config.areas else None
        self.min_score = config.min_score
        self.once = config.once

    def wants(self, change: Change) -> bool:
        """Whether the sink is to be sent this change.

        A score that is not known does not reach a least score. What is taken back passes whatever its score and place
        are now, for it may have been sent with others before; but not where of each event only the first change is
        sent: that one would be of an event of which the sink does not know.
        """
        if self.kinds and change.kind not in self.kinds:
            return False
        if self.changes and change.change not in self.changes:
            return False
        if self.vessels is not None and self.vessels.isdisjoint((change.mmsi, change.other or change.mmsi)):
            return False
        if change.change == "retracted" and self.once and "retracted" not in self.changes:
            return False
        if change.change == "retracted" and not self.once:
            return True
        if self.min_score > 0 and not change.score >= self.min_score:
            return False
        return self.areas is None or int(self.areas.of([change.lat], [change.lon])[0]) != 0


def _chosen(names: list[str], known: list[str] | tuple[str, ...], place: str) -> frozenset[str]:
    import difflib

    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"{place}: no {name!r}; {hint}")
    return frozenset(names)


def read_vessels(path: str | Path) -> frozenset[int]:
    """The MMSIs in a file: the column `mmsi` of a CSV, or one a line; empty lines and `#` comments count for nothing.

    Raises InputError with the line for what is no MMSI: a ship must not be missing from a watch-list in silence.
    """
    import csv

    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = [(n, line) for n, line in enumerate(file, 1) if line.strip() and not line.lstrip().startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); give a text file of MMSIs") from None
    if not lines:
        raise InputError(f"{path}: no MMSI in it; a watch-list of nobody lets nothing through")
    column = 0
    names = [name.strip().lower() for name in next(csv.reader([lines[0][1]]))]
    if not _MMSI.fullmatch(names[0]) or "mmsi" in names:
        if "mmsi" not in names:
            raise InputError(f"{path}:{lines[0][0]}: no column mmsi in {', '.join(names)[:80]}; name it so")
        column = names.index("mmsi")
        lines = lines[1:]
    found = set()
    for n, line in lines:
        cells = next(csv.reader([line]))
        text = cells[column].strip() if column < len(cells) else ""
        if not _MMSI.fullmatch(text) or not int(text):
            raise InputError(f"{path}:{n}: {text[:40]!r} is no MMSI; write up to nine digits")
        found.add(int(text))
    return frozenset(found)
