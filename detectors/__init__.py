"""Fixes to events: one file per detector, and the engine that drives them all. May import `geo` and `ais`."""

LUXWAKE_PACKAGE = "detectors"
"""Marker by which `luxwake` knows at import that this package is its own."""
