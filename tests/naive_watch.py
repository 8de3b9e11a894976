"""What a watch knows after a piece of its feed, the slow way: all rows so far from the beginning, all events anew."""

import numpy as np

from ais.identity import identities
from ais.table import Fixes, Static
from detectors.engine import Engine


def events_so_far(pieces, lateness_s=600):
    """The events in pieces of a feed that goes on: those that ended, and those that have begun."""
    rows = Fixes(
        {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]},
        static=Static({name: np.concatenate([p.static[name] for p in pieces]) for name in pieces[0].static}),
    )
    engine = Engine(lateness_s=lateness_s)
    records = np.concatenate([engine.feed(rows), engine.standing()])
    return engine.finish(records, identities(rows.static))
