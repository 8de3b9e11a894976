"""Times as users write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from geo.errors import UsageError

_FORM = re.compile(r"\d{4}-?\d{2}-?\d{2}(?:[T ].+)?", re.ASCII)
"""A date, and a time after `T` or a space; `datetime` alone would take any sign between the two, digits too."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time(text: str, option: str) -> int:
    """A time in ISO 8601, UTC where no zone is given, as µs since 1970.

    Raises UsageError, which names the option, for any other text.

    >>> parse_time("2018-10-01", "--from")
    1538352000000000
    >>> parse_time("2018-10-01T09:00+09:00", "--from")
    1538352000000000
    """
    try:
        if not _FORM.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is no time; write it like 2018-10-01 or 2018-10-01T12:00:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)
