"""Events of a trade world: port calls and silences as the detectors would tell of them, with the ships heard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ais.table import Table
from detectors.event import DARK, EVENT, PORT_CALL, Events, event_id
from luxwake.simulate.trade_params import DAY_US, TradeParams
from luxwake.simulate.trade_voyages import START_US, Frame
from luxwake.simulate.voyage import Identity

DIVERTED_SCORE = 0.97


class Silences(NamedTuple):
    """Silences: the call behind which the ship was silent, from and to, and the score of the dark period."""

    call: NDArray[np.int64]
    t_start: NDArray[np.int64]
    t_end: NDArray[np.int64]
    score: NDArray[np.float64]

    def take(self, rows: NDArray[np.int64]) -> Silences:
        """Some of them."""
        return Silences(self.call[rows], self.t_start[rows], self.t_end[rows], self.score[rows])


def diverting_silences(made: Frame, skipped: NDArray[np.bool_]) -> Silences:
    """Ships that skip a call fall silent six hours after they sailed for it, until they should be there."""
    v, call = made.voyages, np.flatnonzero(skipped) - 1
    return Silences(call, v.t_out[call] + DAY_US // 4, v.t_in[call + 1], np.full(call.size, DIVERTED_SCORE))


def innocent_silences(made: Frame, p: TradeParams, heard: NDArray[np.bool_], rng: Generator) -> Silences:
    """Silences that mean nothing, most of which reception explains."""
    v = made.voyages
    whole = np.flatnonzero(heard[v.ship[:-1]] & (v.ship[:-1] == v.ship[1:]))
    chosen = whole[rng.random(whole.size) < p.innocent_silences]
    chosen = chosen[v.t_in[chosen + 1] - v.t_out[chosen] > DAY_US]
    begin, end = v.t_out[chosen] + DAY_US // 8, v.t_in[chosen + 1] - DAY_US // 8
    return Silences(chosen, begin, end, rng.beta(1.0, 4.0, chosen.size))


def events(
    made: Frame, recorded: NDArray[np.bool_], heard: NDArray[np.bool_], silences: Sequence[Silences], p: TradeParams,
    seed: int,
) -> Events:  # fmt: skip
    """The calls on record and the silences of the ships heard, by start, kind and ship."""
    v = made.voyages
    silent = Silences(*map(np.concatenate, zip(*silences, strict=True)))
    silent = silent.take(np.unique(silent.call, return_index=True)[1])  # a ship is silent once behind a call
    silent = silent.take(np.flatnonzero(heard[v.ship[silent.call]]))
    calls = np.flatnonzero(recorded)
    call = np.concatenate([calls, silent.call])
    told: dict[str, NDArray[Any]] = {
        "kind": np.repeat(np.array([PORT_CALL, DARK], np.uint8), [calls.size, silent.call.size]),
        "mmsi": np.array([ship.mmsi for ship in made.ships], np.uint32)[v.ship[call]],
        "t_start": np.concatenate([v.t_in[calls], silent.t_start]),
        "t_end": np.concatenate([v.t_out[calls], silent.t_end]),
        "score": np.concatenate([np.full(calls.size, 0.95), silent.score]).astype(np.float32),
        "coverage": np.ones(call.size, np.float32),
    }
    order = np.lexsort((told["mmsi"], told["kind"], told["t_start"]))
    told = {name: column[order] for name, column in told.items()} | _where(made, v.port[call[order]])
    told["port"] = np.where(told["kind"] == PORT_CALL, told["port"], "")
    told["id"] = _ids(told, f"trade {seed}")
    columns = {name: np.zeros(call.size, EVENT[name]) for name in EVENT.names or () if name not in (*told, "facts")}
    ships = [ship for ship, is_heard in zip(made.ships, heard.tolist(), strict=True) if is_heard]
    tables = _vessels(ships, p.days), _identities(ships, p.days)
    return Events({**columns, **told}, *tables, params={"port_calls": {}, "dark": {}})


def _where(made: Frame, port: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Where events lie that are at ports."""
    lat, lon = (np.array([getattr(place, name) for place in made.places])[port] for name in ("lat", "lon"))
    codes = np.array([place.locode for place in made.places], "U5")
    return {"lat": lat, "lon": lon, "lat_end": lat, "lon_end": lon, "port": codes[port]}


def _ids(told: dict[str, NDArray[Any]], digest: str) -> NDArray[np.str_]:
    words = {PORT_CALL: "port_call", DARK: "gap"}
    keys = zip(told["kind"].tolist(), told["mmsi"].tolist(), told["t_start"].tolist(), strict=True)
    return np.array([event_id(words[kind], who, 0, 0, 0, t, digest) for kind, who, t in keys], "U16")


def _vessels(ships: Sequence[Identity], days: int) -> Table:
    """The ships heard, each all the time."""
    n = len(ships)
    return Table({
        "mmsi": np.array([ship.mmsi for ship in ships], np.uint32), "hull": np.zeros(n, np.uint8),
        "n": np.full(n, 1000, np.uint32), "t_first": np.full(n, START_US),
        "t_last": np.full(n, START_US + days * DAY_US),
        "sog_p95": np.full(n, 14.0, np.float32), "name": np.array([ship.name.encode() for ship in ships], "S20"),
        "imo": np.array([ship.imo for ship in ships], np.uint32),
        "ship_type": np.array([ship.ship_type for ship in ships], np.uint8),
        "length_m": np.array([ship.length_m for ship in ships], np.float32),
    })  # fmt: skip


def _identities(ships: Sequence[Identity], days: int) -> Table:
    """What the ships say of themselves."""
    n = len(ships)
    return Table({
        "t_from": np.full(n, START_US), "t_to": np.full(n, START_US + days * DAY_US),
        "mmsi": np.array([ship.mmsi for ship in ships], np.uint32),
        "imo": np.array([ship.imo for ship in ships], np.uint32),
        "name": np.array([ship.name.encode() for ship in ships], "S20"),
        "draught": np.array([ship.draught_m for ship in ships], np.float32), "source": np.zeros(n, np.uint16),
        "first_offset": np.full(n, -1), "last_offset": np.full(n, -1),
    })  # fmt: skip
