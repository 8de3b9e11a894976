"""From ships to messages: what the networks hear of each, and the holes that reception alone leaves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ais.transmit import MESSAGE
from luxwake.simulate.motion import MOTION
from luxwake.simulate.reception import SHIP, Aloft, Ashore, hear_aloft, hear_ashore
from luxwake.simulate.voyage import HOUR_S, Identity, Truth, Voyage, as_reports

_BUFFER_ROWS = 65_536
_HOLE_S = 6.0 * HOUR_S
"""A silence from which on it is listed as a hole: the shortest gap that the usual detectors look at."""
_NEVER = -1e18


@dataclass
class Air:
    """Everything that was heard, ship by ship."""

    ashore: Ashore
    aloft: Aloft
    seed: int
    chunks: list[NDArray[np.void]] = field(default_factory=list)
    identities: list[Identity] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)
    fixes: int = 0
    ships: int = 0

    def __post_init__(self) -> None:
        self._out = np.zeros(_BUFFER_ROWS, MESSAGE)
        self._filled = 0

    def add(self, ships: Iterable[Voyage], t_end: float) -> None:
        """Let ships live and be heard until a time."""
        for ship in ships:
            heard = self._hear(ship, t_end)
            self.truth += _clipped(ship.truth, ship.t_begin, t_end)
            self.truth += _holes(ship, heard, min(t_end, ship.t))
            self.ships += 1

    def _add_report(self, identity: Identity) -> int:
        self.identities.append(identity)
        return len(self.identities) - 1

    def _hear(self, ship: Voyage, t_end: float) -> NDArray[np.int64]:
        """Messages of one ship in both networks; returns the times of its positions."""
        nodes = ship.nodes().view(np.recarray)
        darks = ship.dark_records(t_end).view(np.recarray)
        versions = ship.versions(self._add_report).view(np.recarray)
        last = min(t_end, float(nodes["t"][-1]))
        heard = []
        for network, (kernel, network_params) in enumerate(((hear_ashore, self.ashore), (hear_aloft, self.aloft))):
            p = network_params._replace(thin_s=network_params.thin_s * ship.thin_factor)  # type: ignore[attr-defined]
            state = np.zeros(1, SHIP).view(np.recarray)
            state[0].rng = np.random.SeedSequence([self.seed, self.ships, network]).generate_state(1, np.uint64)[0]
            state[0].t, state[0].t_end = ship.t_begin, last
            state[0].phase = float(state[0].rng % np.uint64(3600)) / 10.0
            state[0].static_t, state[0].heard_version = _NEVER, -1
            state[0].class_b, state[0].long_range = ship.class_b, ship.long_range and not ship.class_b
            now = np.zeros(1, MOTION).view(np.recarray)
            while state[0].t < state[0].t_end:
                first = self._filled
                n = kernel(nodes, darks, versions, p, state[0], now[0], self._out[first:].view(np.recarray))
                rows = self._out[first : first + n]
                positions = (rows["msg_type"] != 5) & (rows["msg_type"] != 24)
                self.fixes += int(np.count_nonzero(positions))
                heard.append(rows["epoch"][positions].copy())
                self._filled += n
                if state[0].t < state[0].t_end:
                    self._drain()
        return np.sort(np.concatenate(heard)) if heard else np.zeros(0, np.int64)

    def _drain(self) -> None:
        """Set the full part of the buffer aside."""
        if self._filled:
            self.chunks.append(self._out[: self._filled].copy())
            self._filled = 0

    def finish(self) -> tuple[list[NDArray[np.void]], NDArray[np.void]]:
        """All messages in chunks, and the static reports that they name."""
        self._drain()
        return self.chunks, as_reports(self.identities)


def _clipped(truth: Sequence[Truth], t_begin: float, t_end: float) -> list[Truth]:
    """Truth within the time of the scenario; what goes on at its end says so."""
    kept = []
    for row in truth:
        if row.t_start >= t_end:
            continue
        if row.t_end > t_end:
            row = row._replace(t_end=t_end, note=f"{row.note} open at end".strip())
        kept.append(row)
    return kept


def _holes(ship: Voyage, heard: NDArray[np.int64], t_end: float) -> list[Truth]:
    """Silences of a ship that was sending: nobody was in range, or the messages collided."""
    edges = np.concatenate(([ship.t_begin], heard, [t_end]))
    rows = []
    darks = ship.dark_records(t_end)
    nodes = None
    for i in np.flatnonzero(np.diff(edges) > _HOLE_S):
        start, end = float(edges[i]), float(edges[i + 1])
        if any(dark["t_off"] < end and dark["t_on"] > start for dark in darks):
            continue
        nodes = ship.nodes() if nodes is None else nodes
        lat, lon = np.interp(start, nodes["t"], nodes["lat"]), np.interp(start, nodes["t"], nodes["lon"])
        mmsi = ship.identity.mmsi
        rows.append(Truth("hole", mmsi, 0, start, end, float(lat), float(lon), "not heard while sending"))
    return rows
