"""Names of topics and subjects that follow from a change."""

from __future__ import annotations

import re

from geo.errors import UsageError
from luxwake.daemon.sink import Change

FIELDS = ("kind", "change", "mmsi")
_FIELD = re.compile(r"\{([^{}]*)\}")


def check_topic(topic: str, forbidden: str, place: str) -> None:
    """Raise UsageError for a topic with a field that there is not, or a character that has a meaning of its own.

    >>> check_topic("events/{kind}/#", "+#", "sinks.broker.topic")
    Traceback (most recent call last):
    geo.errors.UsageError: sinks.broker.topic is 'events/{kind}/#': there must be no '#' in it
    """
    unknown = [name for name in _FIELD.findall(topic) if name not in FIELDS]
    if unknown or _FIELD.sub("", topic).count("{"):
        raise UsageError(f"{place} is {topic!r}: in braces stand {', '.join(FIELDS)} and nothing else")
    for character in (*forbidden, "\0", "\n", "\r"):
        if character in topic:
            raise UsageError(f"{place} is {topic!r}: there must be no {character!r} in it")
    if not topic:
        raise UsageError(f"{place} is empty; name one")


def topic_of(topic: str, change: Change) -> str:
    """The topic of a change.

    >>> topic_of("events/{kind}/{mmsi}", Change(1, "", 1, "opened", "dark", 671999101, 0, 0.0, 0.0, 0.0, "{}"))
    'events/dark/671999101'
    """
    return _FIELD.sub(lambda found: str(getattr(change, found[1])), topic)
