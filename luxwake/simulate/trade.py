"""A trade world with truth: thousands of ships, their port calls and silences, and the papers of what they carried.

Positions are left out, so that a year of 30,000 ships with a million papers is made in seconds: the events are those
that detectors would find, lost calls and unheard ships included. Goods travel in one to three legs; papers are dated by
their clerks, spelt by their typists, and half of them do not name the ship. A few calls are never made: the ship falls
silent on its way there, and the goods for that port are diverted. All of it is made in columns, from ships to papers.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.random import default_rng
from numpy.typing import NDArray

from detectors.event import Events
from luxwake.simulate.trade_events import diverting_silences, events, innocent_silences
from luxwake.simulate.trade_goods import Legs, carried
from luxwake.simulate.trade_papers import papers
from luxwake.simulate.trade_params import TradeParams
from luxwake.simulate.trade_voyages import Frame, frame, skipped_calls

TRUE_ROW = np.dtype(
    [
        ("consignment", "i8"),
        ("leg", "i8"),  # from 0
        ("mmsi", "i8"),  # the ship that carried it, 0 one that was not heard
        ("t_sail", "i8"),  # µs since 1970 UTC: the end of the call at which it was loaded
        ("t_end", "i8"),  # the begin of the call at which it was to be discharged
        ("diverted", "i8"),  # 1: the ship never made that call, and the goods did not come there
    ]
)
"""What stands behind a row: its goods, the leg, the ship that carried it, and when."""


class TradeWorld(NamedTuple):
    """The events, the papers as columns of text, and the truth of each row (`TRUE_ROW`)."""

    events: Events
    papers: dict[str, NDArray[np.object_]]
    truth: np.recarray[tuple[int], np.dtype[np.void]]

    @property
    def rows(self) -> list[dict[str, str]]:
        """The papers row by row, for small worlds."""
        return [dict(zip(self.papers, cells, strict=True)) for cells in zip(*self.papers.values(), strict=True)]

    def write_papers(self, path: str | Path) -> None:
        """The papers as CSV."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(self.papers)
            writer.writerows(zip(*self.papers.values(), strict=True))


def trade_world(params: TradeParams | None = None, seed: int = 1) -> TradeWorld:
    """Make a world; the same arguments give the same.

    Raises UsageError where no cargo ship goes from one port to another, so that there are no goods.

    >>> world = trade_world(TradeParams(ships=50, rows=100, days=90, ports=12), seed=3)
    >>> len(world.rows) == len(world.truth) >= 100, world.events["kind"].size > 100
    (True, True)
    """
    p = params or TradeParams()
    made = frame(p, default_rng([seed, 1]))
    rng = default_rng([seed, 2])
    heard = rng.random(len(made.ships)) >= p.unheard_ships
    recorded = (rng.random(made.voyages.ship.size) >= p.lost_calls) & heard[made.voyages.ship]
    skipped = skipped_calls(made, p, default_rng([seed, 6]))
    legs = carried(made, skipped, p, default_rng([seed, 3]))
    silences = diverting_silences(made, skipped), innocent_silences(made, p, heard, default_rng([seed, 5]))
    told = papers(made, legs, p, default_rng([seed, 4]))
    found = events(made, recorded & ~skipped, heard, silences, p, seed)
    return TradeWorld(found, told, _truth(made, legs, skipped, heard))


def _truth(
    made: Frame, legs: Legs, skipped: NDArray[np.bool_], heard: NDArray[np.bool_]
) -> np.recarray[tuple[int], np.dtype[np.void]]:
    """The truth of each row: as many of a leg as it has papers."""
    v = made.voyages
    ship = v.ship[legs.sail]
    mmsi = np.array([one.mmsi for one in made.ships])
    truth = np.zeros(legs.goods.size, TRUE_ROW)
    truth["consignment"], truth["leg"], truth["diverted"] = legs.goods, legs.leg, skipped[legs.land]
    truth["mmsi"] = np.where(heard[ship], mmsi[ship], 0)
    truth["t_sail"], truth["t_end"] = v.t_out[legs.sail], v.t_in[legs.land]
    return np.repeat(truth, legs.papers).view(np.recarray)


__all__ = ["TradeParams", "TradeWorld", "trade_world"]
