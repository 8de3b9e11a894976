"""What follows from a record as the store takes it, made anew each time it is gone through.

An event is 2.3 kB of JSON: of a hundred thousand that are told at once a part at a time is in memory.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from detectors.event import KINDS
from detectors.told import CHANGES, Changes
from luxwake.daemon.sink import Change
from luxwake.geojson import event_properties


class Made:
    """Changes of events, numbered from `seq` + 1 on.

    Parameters
    ----------
    tables : as a watch gives them; nobody else may change them
    seq : the number of the last change before
    """

    def __init__(self, tables: Sequence[Changes] = (), seq: int = 0) -> None:
        self._tables, self._seq = [table for table in tables if len(table)], seq

    def __len__(self) -> int:
        return sum(map(len, self._tables))

    def __iter__(self) -> Iterator[Change]:
        seq = self._seq
        for table in self._tables:
            places = zip(table["lat"].tolist(), table["lon"].tolist(), strict=True)
            for event, (lat, lon) in zip(event_properties(table), places, strict=True):
                seq += 1
                score = event.get("score")
                yield Change(
                    seq,
                    event["id"],
                    event["revision"],
                    event["change"],
                    event["kind"],
                    event["mmsi"],
                    event.get("other") or 0,
                    lat,
                    lon,
                    math.nan if score is None else score,
                    msgspec.json.encode(event).decode(),
                )

    def by_kind(self) -> Counter[tuple[str, str]]:
        """How many there are of each kind of event and change."""
        found = Counter[tuple[int, int]]()
        for table in self._tables:
            found.update(zip(table["kind"].tolist(), table["change"].tolist(), strict=True))
        return Counter({(KINDS[kind], CHANGES[change]): n for (kind, change), n in found.items()})
