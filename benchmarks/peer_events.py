"""How a peer that finds events is run: `python peer_NAME.py WAY FILE`, one way in one process, in its environment.

The file holds rows of MMSI, time (s), latitude and longitude by vessel and time; the answer is one line of JSON with
the events as [MMSI, start, end]. This imports numpy and the standard library.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

Event = tuple[int, float, float]
Way = Callable[[Any], Iterator[Event]]


def vessels(rows: Any) -> Iterator[tuple[int, Any]]:
    """Each MMSI with its rows of time, latitude and longitude; of two at one time the first."""
    for mmsi in np.unique(rows[0]).tolist():
        own = rows[1:, rows[0] == mmsi]
        yield int(mmsi), own[:, np.r_[True, np.diff(own[0]) > 0]]


def main(version: str, ways: Mapping[str, Way]) -> None:
    """Run what the arguments say and print the answer."""
    way, path = sys.argv[1:]
    rows = np.load(path)
    begin = time.process_time()
    events = list(ways[way](rows))
    print(json.dumps({"events": events, "version": version, "cpu_s": time.process_time() - begin}))
