"""Dates as the serial numbers of a spreadsheet: days since 30 December 1899.

A workbook says which of its cells are dates; a CSV that was made of one may hold the bare numbers. One number alone may
be anything, so a column is read so only where every cell of it is such a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from ais.table import NAT

SERIALS = (
    "serial numbers of a spreadsheet: days since 1899-12-30 (the 1904 system of old Macs would be 1,462 days later)"
)
"""What is said of a column that is read so."""
_EPOCH = date(1899, 12, 30)
_FROM, _TO = (date(1990, 1, 1) - _EPOCH).days, (date(2050, 1, 1) - _EPOCH).days
_FORM = re.compile(r"\d{5}(?:\.\d{1,11})?", re.ASCII)


def are_serials(texts: Iterable[str]) -> bool:
    """Whether some texts are all serial numbers of days from 1990 to 2049; False for none at all.

    >>> are_serials(["43374", "43378.5"]), are_serials(["43374", "2018-10-01"]), are_serials(["31018"]), are_serials([])
    (True, False, False, False)
    """
    some = False
    for text in texts:
        some = True
        if not _FORM.fullmatch(text.strip()) or not _FROM <= float(text) < _TO:
            return False
    return some


def serial_time(text: str) -> int:
    """µs since 1970 UTC of a serial number, to the second; `NAT` for another text.

    >>> from datetime import UTC, datetime
    >>> serial_time("43374.25") == int(datetime(2018, 10, 1, 6, tzinfo=UTC).timestamp()) * 1_000_000
    True
    """
    if not _FORM.fullmatch(text.strip()):
        return NAT
    seconds = round(float(text) * 86_400) - (date(1970, 1, 1) - _EPOCH).days * 86_400
    return seconds * 1_000_000
