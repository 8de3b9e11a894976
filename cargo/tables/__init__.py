"""Tables that `cargo` reads: nomenclature and control lists, each made by a script beside it. See SOURCES.md."""
