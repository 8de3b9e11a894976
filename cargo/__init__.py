"""Goods: shipments, chains, claims, findings. May import `geo`, `ais` and the events of `detectors`."""

LUXWAKE_PACKAGE = "cargo"
"""Marker by which `luxwake` knows at import that this package is its own."""
