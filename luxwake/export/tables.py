"""CSV that is safe to open: guarded against formulas, one row a line, UTF-8."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cargo.safe_text import guarded, safe_text


def cell(value: object) -> str:
    """A value as the text of a cell; a number stays one, also below 0, and a text never becomes a formula.

    >>> cell(-1.5), cell("-1.5"), cell(None), cell(True)
    ('-1.5', "'-1.5", '', 'yes')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return repr(value)
    return guarded(safe_text(value))


def csv_bytes(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A table as CSV; headings are ours and stay as they are."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([cell(value) for value in row] for row in rows)
    return made.getvalue().encode()


def flat(properties: Mapping[str, Any]) -> str:
    """Properties as JSON in one cell, keys sorted."""
    return json.dumps(properties, ensure_ascii=False, sort_keys=True) if properties else ""
