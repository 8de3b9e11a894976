"""The case file of a run: a dossier with numbered exhibits, its table in the terminal, and its exports.

luxwake case build DIR [FINDING ...] --out CASE
"""

from luxwake.case.exhibits import Exhibits, exhibits_of
from luxwake.case.folder import RunFolder, read_run
from luxwake.case.page import case_page

__all__ = ["Exhibits", "RunFolder", "case_page", "exhibits_of", "read_run"]
