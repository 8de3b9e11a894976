"""What a detector finds: one record for all kinds of event.

The id is a hash of kind, vessels, start and parameters, so that batch, stream and restart give the same id.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ais.table import Table
from geo.kernel import inner

KINDS = [
    "loitering", "dark", "rendezvous", "port_call", "gap", "waiting", "dark_rendezvous", "identity", "false_position",
    "draught", "voyage", "stop",
]  # fmt: skip
"""Words of the kinds by code; those of detectors that users add stand behind them (`detectors.registry`).

A gap is a silence; it is called dark only where reception does not explain it. Slow hours far from shore are loitering,
unless a known anchorage explains most of them; then they are waiting. Other slow hours, anywhere, are a stop."""
(
    LOITERING, DARK, RENDEZVOUS, PORT_CALL, GAP, WAITING, DARK_RENDEZVOUS, IDENTITY, FALSE_POSITION, DRAUGHT, VOYAGE,
    STOP,
) = range(12)  # fmt: skip

LABELS = [
    "",
    "tug", "pilot", "tender", "bunkering", "fishing", "convoy", "ferry", "anchorage", "other_meeting",
    "drifting", "anchored", "moored", "slow_steaming", "unclear",
    "observed", "inferred",
    "one_silent", "both_silent", "paired_silence",
    "imo_check_digit", "flag", "name", "callsign", "dimensions", "ship_type", "mmsi_change", "shared_identity",
    "zombie_imo", "cloned_imo",
    "on_land", "impossible_speed", "course", "circle", "mass_displacement", "simulated", "beyond_horizon",
    "loaded", "discharged",
    "as_declared", "elsewhere", "undeclared",
    "speed_change", "imo_change",
]  # fmt: skip
"""Words that tell events of one kind apart (`label`), by code; 0 says nothing.

The codes are compiled into kernels, so that the order is fixed; words of detectors that users add stand behind
these."""


def label_code(word: str) -> int:
    """The code of a word in `LABELS`.

    >>> LABELS[label_code("tug")]
    'tug'
    """
    return LABELS.index(word)


FACTS = 12
"""Numbers of its own that a detector can write into an event; it names them in `Detector.facts`."""

EVENT = np.dtype(
    [
        ("kind", "u1"),
        ("label", "u1"),  # which of its kind, by `LABELS`; 0 not said
        ("open", "u1"),  # 1: still going on when the input ended (a gap's t_end is then that); 2: see `LET_GO`
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
        ("start_error_s", "f4"),  # half width of the 90 % interval of t_start and t_end; NaN unknown
        ("end_error_s", "f4"),
        ("facts", "f4", (FACTS,)),  # what only its detector says, by `Detector.facts`; NaN unknown
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
_BYTES = np.dtype((np.void, EVENT.itemsize))


LET_GO = 2
"""Of `open`: still going on when the engine let go of the ship (`ais.admission`), which is then the end of a gap; what
became of it is not known."""


@inner
def begin_event(event, kind, mmsi, hull):
    """A place of the output for an event of this hull, of which nothing more is known yet."""
    event.kind, event.label, event.open = kind, 0, 0
    event.mmsi, event.hull, event.other, event.other_hull = mmsi, hull, 0, 0
    event.anchorage, event.port, event.n, event.cell = -1, -1, 0, 0
    event.lat, event.lon, event.lat_end, event.lon_end = np.nan, np.nan, np.nan, np.nan
    event.score, event.coverage, event.distance_m, event.speed_kn = np.nan, np.nan, np.nan, np.nan
    event.anchorage_share, event.shore_m = np.nan, np.nan
    event.start_error_s, event.end_error_s = np.nan, np.nan
    for k in range(FACTS):
        event.facts[k] = np.nan
    event.first_source, event.last_source, event.other_first_source, event.other_last_source = 0, 0, 0, 0
    event.first_offset, event.last_offset, event.other_first_offset, event.other_last_offset = -1, -1, -1, -1


def blank(n: int, kind: int) -> NDArray[Any]:
    """Records of `EVENT` of which nothing is known yet."""
    events = np.zeros(n, EVENT)
    for name in EVENT.names or ():
        if EVENT[name].base.kind == "f":
            events[name] = np.nan
    for name in ("anchorage", "port", "first_offset", "last_offset", "other_first_offset", "other_last_offset"):
        events[name] = -1
    events["kind"] = kind
    return events


def joined_events(*parts: NDArray[Any]) -> NDArray[Any]:
    """Records of `EVENT`, one part after the other; none without parts.

    `np.concatenate` looks for a type that suits all of them, field by field: 0.17 ms for three parts, which take 0.01
    as bytes.
    """
    raw = [part.astype(EVENT, copy=False).view(_BYTES) for part in parts]
    return np.concatenate([np.zeros(0, _BYTES), *raw]).view(EVENT)


def with_fields(records: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    """Records with the fields of others, of another type, that both have; the same records."""
    for name in {*(records.dtype.names or ())} & {*(other.dtype.names or ())}:
        records[name] = other[name]
    return records


def event_id(kind: str, mmsi: int, hull: int, other: int, other_hull: int, t_start: int, params_digest: str) -> str:
    """16 hex digits that name an event: the same in batch, in a stream and after a restart.

    `kind` is the first of the kinds of its detector, for what a silence is called may change as more becomes known;
    with the label behind a colon where the detector says so (`label_in_id`).

    >>> event_id("dark", 671999101, 0, 0, 0, 1538352000000000, "defaults")
    '46d8d52ad6ba20ab'
    """
    text = f"{kind}|{mmsi}|{hull}|{other}|{other_hull}|{t_start}|{params_digest}"
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
    words: ClassVar[Mapping[str, Sequence[str]]] = {"kind": KINDS, "label": LABELS}
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
