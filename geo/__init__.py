"""Where: distance and bearing, H3 cells, coast, ports, anchorages, zones, and what a silent ship could have reached.

The ground floor of the house: it imports no other package of the project.
"""

LUXWAKE_PACKAGE = "geo"
"""Marker by which `luxwake` knows at import that this package is its own."""
