"""Times, numbers and places as a reader sees them. Nothing here is HTML: the markup escapes what these return."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from ais.table import NAT

NO_BREAK = "\N{NO-BREAK SPACE}"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000

KIND_WORDS = {
    "loitering": "Loitering",
    "dark": "Dark period",
    "rendezvous": "Rendezvous",
    "port_call": "Port call",
    "gap": "Gap in reception",
    "waiting": "Waiting at a known anchorage",
    "dark_rendezvous": "Possible meeting in silence",
    "identity": "Identity in doubt",
    "false_position": "False position",
    "draught": "Change of draught",
    "voyage": "Voyage",
    "stop": "Stop",
}


def time_us(value: object) -> int | None:
    """A time as µs since 1970 UTC, from µs or an ISO text; None where it is neither.

    >>> time_us("2018-10-01T04:10:00Z"), time_us("2018-10-01"), time_us("soon"), time_us(None)
    (1538367000000000, 1538352000000000, None, None)
    """
    if isinstance(value, int):
        return None if value == NAT else value
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _moment(us: int) -> datetime | None:
    try:
        return _EPOCH + timedelta(microseconds=us)
    except OverflowError:
        return None


def day(us: int | None) -> str:
    """A day: 1 Oct 2018.

    >>> day(1538352000000000).replace(NO_BREAK, " "), day(None)
    ('1 Oct 2018', 'unknown')
    """
    moment = None if us is None else _moment(us)
    if moment is None:
        return "unknown"
    return f"{moment.day}{NO_BREAK}{_MONTHS[moment.month - 1]}{NO_BREAK}{moment.year}"


def day_time(us: int | None) -> str:
    """A day and the time in UTC: 1 Oct 2018, 04:10.

    >>> day_time(1538367000000000).replace(NO_BREAK, " ")
    '1 Oct 2018, 04:10'
    """
    moment = None if us is None else _moment(us)
    return "unknown" if moment is None else f"{day(us)}, {moment:%H:%M}"


def day_span(start: int | None, end: int | None) -> str:
    """From one day to another, the year once: 1 Oct to 19 Oct 2018.

    >>> day_span(1538352000000000, 1539907200000000).replace(NO_BREAK, " ")
    '1 Oct to 19 Oct 2018'
    """
    first, last = day(start), day(end)
    if first == last or (start is None and end is None):
        return first
    if start is not None and end is not None and first[-4:] == last[-4:]:
        first = first[:-5]
    return f"{first} to {last}"


def length_of_time(us: int) -> str:
    """A duration in the unit that a reader would use.

    >>> [length_of_time(h * HOUR_US).replace(NO_BREAK, " ") for h in (0.5, 7, 30, 432)]
    ['30 min', '7 h', '30 h', '18 days']
    """
    hours = us / HOUR_US
    if hours < 1.0:
        return f"{hours * 60.0:.0f}{NO_BREAK}min"
    return f"{hours:.0f}{NO_BREAK}h" if hours < 48.0 else f"{hours / 24.0:.0f}{NO_BREAK}days"


def position(lat: object, lon: object) -> str:
    """A position in degrees and minutes, as on a chart.

    >>> position(35.1, -129.04)
    '35°06.0′N 129°02.4′W'
    """
    if not isinstance(lat, (int, float)) or not isinstance(lon, (int, float)):
        return "unknown"
    if not (math.isfinite(lat) and math.isfinite(lon)):
        return "unknown"
    return f"{_minutes(lat, 'NS', 2)}{NO_BREAK}{_minutes(lon, 'EW', 3)}".replace(NO_BREAK, " ")


def _minutes(degrees: float, signs: str, width: int) -> str:
    tenths = round(abs(degrees) * 600.0)
    return f"{tenths // 600:0{width}d}°{tenths % 600 / 10:04.1f}′{signs[degrees < 0]}"


def score(value: object) -> str:
    """A score with two decimals; `unknown` is a word, not a number.

    >>> score(0.5), score(None), score(float("nan"))
    ('0.50', 'unknown', 'unknown')
    """
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return "unknown"
    return f"{value:.2f}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number and its noun.

    >>> count(1, "finding"), count(1200, "port call"), count(2, "inquiry", "inquiries")
    ('1 finding', '1,200 port calls', '2 inquiries')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def sentence(words: object) -> str:
    """A text with a capital at its beginning and a full stop at its end.

    >>> sentence("consistent with delivery in Nakhodka; not proven"), sentence("Whether?"), sentence(None)
    ('Consistent with delivery in Nakhodka; not proven.', 'Whether?', '')
    """
    said = str(words or "").strip()
    return said[:1].upper() + said[1:] + ("" if not said or said[-1] in ".!?…" else ".")


def claim_word(predicate: object) -> str:
    """What a claim is about, as a reader says it.

    >>> claim_word("t_arrive"), claim_word("gross_weight_kg")
    ('Arrival', 'Gross weight kg')
    """
    known = {"t_arrive": "Arrival", "arrive_date": "Arrival", "t_depart": "Departure", "depart_date": "Departure"}
    return known.get(str(predicate), str(predicate).replace("_", " ").capitalize())


def kind_word(kind: object) -> str:
    """The name of a kind of event, as a reader sees it."""
    return KIND_WORDS.get(str(kind), str(kind).replace("_", " ").capitalize())
