"""Bytes to columns: sentences, fields, messages, tables, sources, tracks. May import `geo`."""

LUXWAKE_PACKAGE = "ais"
"""Marker by which `luxwake` knows at import that this package is its own (libais installs an `ais` too)."""
