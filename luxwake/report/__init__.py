"""The report: one HTML file that opens offline, with maps, timeline, evidence, and what is not known.

Nothing in it points outside: no font, no tile, no script of others. A strict content security policy forbids what
the escaping should already have prevented. The same inputs give the same file, byte for byte.
"""

from luxwake.report.page import render, write_report

__all__ = ["render", "write_report"]
