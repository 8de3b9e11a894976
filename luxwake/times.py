"""Times as users write them."""

from __future__ import annotations

from datetime import UTC, datetime

from geo.errors import UsageError


def parse_time(text: str, option: str) -> int:
    """A time in ISO 8601, UTC where no zone is given, as µs since 1970.

    >>> parse_time("2018-10-01", "--from")
    1538352000000000
    >>> parse_time("2018-10-01T09:00+09:00", "--from")
    1538352000000000
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is no time; write it like 2018-10-01 or 2018-10-01T12:00:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1e6)
