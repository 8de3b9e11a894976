"""Tables that `geo` ships, and the scripts that build them; where each comes from stands in SOURCES.md."""
