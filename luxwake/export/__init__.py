"""Findings written for other tools: one graph (`cargo.dossier_graph`), and a small writer for each format.

Every text is made safe first (`cargo.safe_text`), tables are guarded against formulas, and the same findings give the
same bytes. A format of several files is a folder.
"""

from luxwake.export.formats import FORMATS, Material, export_findings

__all__ = ["FORMATS", "Material", "export_findings"]
