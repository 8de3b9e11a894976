"""Where: distance and bearing, H3 cells, coast, ports, anchorages, zones, and what a silent ship could have reached.

The ground floor of the house: it imports no other package of the project. Its public modules are imported when they
are first asked for, so that `luxwake.geo.sphere` is all that a user need write.

>>> import luxwake as lw
>>> lw.geo.sphere.distances_m(35.10, 129.04, 42.80, 132.87).round(-3).tolist()
918000.0
"""

from __future__ import annotations

import importlib
from types import ModuleType

LUXWAKE_PACKAGE = "geo"
"""Marker by which `luxwake` knows at import that this package is its own."""

_PUBLIC = frozenset(
    {
        "anchorages",
        "anchoring",
        "approach",
        "cells",
        "coast",
        "coastline",
        "ellipsoid",
        "errors",
        "grid",
        "meet",
        "ports",
    }
    | {"reach", "sea_way", "speed", "sphere", "straits", "zones"}
)


def __getattr__(name: str) -> ModuleType:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'geo' has no attribute {name!r}")
    return importlib.import_module(f"geo.{name}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
