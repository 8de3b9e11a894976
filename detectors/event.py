"""What a detector finds: one record for all kinds of event.

The id is a hash of kind, vessels, start and parameters, so that batch, stream and restart give the same id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ais.table import Table

KINDS = ("loitering", "dark", "rendezvous", "port_call", "gap", "waiting")
"""A gap is a silence; it is called dark only where reception does not explain it. Slow hours are loitering, unless a
known anchorage explains most of them; then they are waiting."""
LOITERING, DARK, RENDEZVOUS, PORT_CALL, GAP, WAITING = range(6)

EVENT = np.dtype(
    [
        ("kind", "u1"),
        ("open", "u1"),  # 1: still going on when the input ended; t_end of a gap is then the end of the input
        ("hull", "u1"),
        ("other_hull", "u1"),
        ("mmsi", "u4"),
        ("other", "u4"),  # MMSI of the partner of a rendezvous (the larger of the two), else 0
        ("t_start", "i8"),  # µs since 1970 UTC
        ("t_end", "i8"),
        ("lat", "f8"),  # degrees: mean position; of a dark period the position where it was last heard
        ("lon", "f8"),
        ("lat_end", "f8"),  # position at the end; of a dark period where it was heard again, NaN while open
        ("lon_end", "f8"),
        ("cell", "u8"),  # H3 cell of (lat, lon) at the index resolution
        ("n", "i4"),  # fixes (samples of a pair) that the event rests on
        ("anchorage", "i4"),  # row of the known anchorage of loitering and waiting; -1 none, or not looked up
        ("port", "i4"),  # row in `geo.ports` of the port called at or nearest within reach; -1 none
        ("score", "f4"),  # 0 to 1, by the kind's own definition; NaN unknown
        ("coverage", "f4"),  # 0 to 1: share of the event's time for which reception is known or observed
        ("distance_m", "f4"),  # least distance of a pair; last to first fix of a dark period; extent of loitering
        ("speed_kn", "f4"),  # mean speed; of a dark period the least speed that the two fixes imply
        ("anchorage_share", "f4"),  # 0 to 1: share of slow time heard in known anchorages; NaN unknown
        ("shore_m", "f4"),  # distance to the nearest shore; NaN unknown
        ("first_source", "u2"),
        ("last_source", "u2"),
        ("other_first_source", "u2"),
        ("other_last_source", "u2"),
        ("first_offset", "i8"),  # byte offsets of the first and last fix of the event, the evidence
        ("last_offset", "i8"),
        ("other_first_offset", "i8"),  # the same for the partner of a rendezvous, -1 none
        ("other_last_offset", "i8"),
    ],
    align=True,
)
"""One event of any kind; times in µs since 1970 UTC, degrees WGS84, metres, knots."""


def event_id(kind: int, mmsi: int, hull: int, other: int, other_hull: int, t_start: int, params_digest: str) -> str:
    """16 hex digits that name an event: the same in batch, in a stream and after a restart.

    >>> event_id(1, 671999101, 0, 0, 0, 1538352000000000, "defaults")
    '46d8d52ad6ba20ab'
    """
    text = f"{KINDS[kind]}|{mmsi}|{hull}|{other}|{other_hull}|{t_start}|{params_digest}"
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


class Events(Table):
    """Events, sorted by start, kind and vessel.

    `anchorage` and `anchorage_name` are those of the known anchorage in which it lay: of others than loitering and
    waiting the one that holds the position; of these the one in which the ship surely spent half of its time in
    anchorages or more (by a vote in one pass, which may miss one after a long wait elsewhere). Both are empty without.
    `vessels` holds one row per hull seen (see `detectors.vessels.vessels`), `identity` the static reports as
    intervals, `sources` the names of the inputs, `params` the parameters of each detector, `counts` what was not used.
    """

    times: ClassVar[tuple[str, ...]] = ("t_start", "t_end", "t_first", "t_last")
    words: ClassVar[Mapping[str, tuple[str, ...]]] = {"kind": KINDS}
    nulls: ClassVar[Mapping[str, int]] = {"other": 0, "cell": 0, "other_first_offset": -1, "other_last_offset": -1}

    def __init__(
        self,
        columns: Mapping[str, NDArray[Any]],
        vessels: Table | None = None,
        identity: Table | None = None,
        sources: tuple[str, ...] = (),
        params: Mapping[str, Any] | None = None,
        counts: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(columns)
        self.vessels = vessels
        self.identity = identity
        self.sources = tuple(sources)
        self.params = dict(params or {})
        self.counts = dict(counts or {})
