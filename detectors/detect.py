"""Fixes to events, all at once: the engine fed with everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ais.identity import identities
from ais.table import Fixes
from detectors.engine import Engine
from detectors.event import Events
from geo.anchorages import Anchorages


def detect(
    fixes: Fixes,
    detectors: Sequence[str] | None = None,
    params: Mapping[str, Any] | None = None,
    *,
    anchorages: Anchorages | None = None,
    threads: int = 2,
) -> Events:
    """Find loitering and waiting, gaps and dark periods, rendezvous and port calls in fixes of any order.

    Parameters
    ----------
    fixes : Fixes
        As `luxwake.read` gives them.
    detectors : names of detectors (`detectors.registry.registered`), default all
    params : mapping from a detector's name to its parameters, e.g. ``{"dark": DarkParams(min_gap_s=43200)}`` or
        ``{"dark": {"min_gap_s": 43200}}`` (`detectors.settings.read_params` reads them from TOML)
    anchorages : Anchorages
        Where ships are known to wait (`Anchorages.load`, `luxwake.find_anchorages`): loitering there is called waiting.
    threads : int
        The detectors run side by side; the events do not depend on the number.

    Raises
    ------
    UsageError
        For an unknown detector or a parameter out of its range.

    >>> from ais.table import Fixes
    >>> import numpy as np
    >>> hours = np.arange(0, 30)
    >>> t = np.where(hours < 6, hours, hours + 12) * 3_600_000_000
    >>> fixes = Fixes({"t": t, "mmsi": np.full(30, 671999101), "lat": np.full(30, 35.2), "lon": 129.4 + hours / 100})
    >>> events = detect(fixes, ["dark"])
    >>> events["kind"].tolist() == [4], events["t_end"] - events["t_start"] == 13 * 3_600_000_000
    (True, array([ True]))
    """
    engine = Engine(detectors, params, anchorages=anchorages, lateness_s=0, threads=threads)
    found = [engine.feed(fixes), engine.flush()]
    return engine.finish(np.concatenate(found), identities(fixes.static), fixes.sources)
