"""What a daemon writes about itself, by stdlib logging: plain lines or JSON lines on standard error.

    2026-11-27T15:45:29.123Z warning luxwake.daemon.sources.tcp: feed: connection refused [source=feed]

What is said comes in part from feeds and from the other ends of connections: control and direction-changing characters
are escaped, and it is cut at 2,000 characters. A message that comes again within `repeats_s` is counted, and said once
more with its number; of one place in the code, at most 30 different ones are said in that time.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO

from luxwake.daemon.config import LogConfig

MAX_CHARACTERS = 2_000
MAX_REMEMBERED = 1_000
MAX_OF_ONE_PLACE = 30
_ESCAPED = re.compile(
    "[\x00-\x1f\x7f-\x9f\\\\\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff\ufff9-\ufffb]"
)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "repeated"}
_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


def start_logging(config: LogConfig, stream: TextIO | None = None) -> logging.Handler:
    """Send the logs of this process to a stream (default: standard error), in place of where they went before."""
    handler = Handler(config, stream or sys.stderr)
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, Handler)]:
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)  # of libraries
    logging.getLogger("luxwake").setLevel(config.level.upper())
    return handler


def escaped(text: str) -> str:
    r"""A text on one line, in which nothing steers a terminal or hides.

    >>> escaped("SEA\x1b[2J LARK\n\u202e5\\n")
    'SEA\\x1b[2J LARK\\n\\u202e5\\\\n'
    """
    kept = text[:MAX_CHARACTERS]
    more = f"... ({len(text):,} characters)" if len(text) > MAX_CHARACTERS else ""
    return _ESCAPED.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), kept) + more


class Handler(logging.StreamHandler[TextIO]):
    """Writes records, and counts those that say the same again."""

    def __init__(self, config: LogConfig, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._repeats_s, self._clock = config.repeats_s, clock
        self._seen: OrderedDict[tuple[str, int, str], _Seen] = OrderedDict()
        self._of_place: dict[tuple[str, int], int] = {}
        in_journal = "JOURNAL_STREAM" in os.environ
        self.setFormatter(_JsonLines() if config.format == "json" else _Plain(in_journal))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, unless it says again what was said a while ago."""
        now = self._clock()
        self._tell_repeats(now - self._repeats_s)
        if self._repeats_s > 0 and record.levelno < logging.CRITICAL and self._is_repeat(record, now):
            return
        super().emit(record)

    def _is_repeat(self, record: logging.LogRecord, now: float) -> bool:
        place = (record.name, record.lineno)
        key = (*place, record.getMessage()[:MAX_CHARACTERS])
        if (seen := self._seen.get(key)) is None and self._of_place.get(place, 0) >= MAX_OF_ONE_PLACE:
            key = (*place, "")  # those beyond are counted together
            seen = self._seen.get(key)
            if seen is None:
                self._remember(key, _Seen(now, record), 1)
                return True
        if seen is not None:
            seen.count += 1
            return True
        self._of_place[place] = self._of_place.get(place, 0) + 1
        self._remember(key, _Seen(now, record), 0)
        return False

    def _remember(self, key: tuple[str, int, str], seen: _Seen, count: int) -> None:
        seen.count = count
        self._seen[key] = seen
        if len(self._seen) > MAX_REMEMBERED:
            self._forget(next(iter(self._seen)))

    def _forget(self, key: tuple[str, int, str]) -> None:
        """Let go of a message, and say how often it came again."""
        seen = self._seen.pop(key)
        if key[2]:
            self._of_place[key[:2]] -= 1
            if not self._of_place[key[:2]]:
                del self._of_place[key[:2]]
        if seen.count:
            seen.record.__dict__["repeated"] = seen.count
            super().emit(seen.record)

    def _tell_repeats(self, until: float) -> None:
        while self._seen and next(iter(self._seen.values())).t <= until:
            self._forget(next(iter(self._seen)))

    def close(self) -> None:
        """Say what came again, and end."""
        self.acquire()
        try:
            while self._seen:
                self._forget(next(iter(self._seen)))
        finally:
            self.release()
        super().close()


class _Seen:
    """A message that was said, and how often it came again."""

    __slots__ = ("count", "record", "t")

    def __init__(self, t: float, record: logging.LogRecord) -> None:
        self.t, self.record, self.count = t, record, 0


class _Plain(logging.Formatter):
    def __init__(self, in_journal: bool) -> None:
        super().__init__()
        self._in_journal = in_journal

    def format(self, record: logging.LogRecord) -> str:
        text = f"{_time(record)} {record.levelname.lower()} {record.name}: {escaped(record.getMessage())}"
        if fields := _fields(record):
            text += f" [{' '.join(f'{name}={escaped(str(value))}' for name, value in fields.items())}]"
        if repeated := record.__dict__.get("repeated"):
            text += f" (and {repeated:,} more like it)"
        if record.exc_info:
            text += "\n" + "\n".join(
                f"    {escaped(line)}" for line in self.formatException(record.exc_info).split("\n")
            )
        return f"<{_PRIORITIES.get(record.levelno, 6)}>{text}" if self._in_journal else text


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        made = {
            "t": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:MAX_CHARACTERS],
            **{name: _plain(value) for name, value in _fields(record).items()},
        }
        if repeated := record.__dict__.get("repeated"):
            made["repeated"] = repeated
        if record.exc_info:
            made["exception"] = self.formatException(record.exc_info)
        return json.dumps(made)  # in ASCII: all else is escaped


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    """What was given as `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _plain(value: Any) -> Any:
    is_number = isinstance(value, bool | int) or (isinstance(value, float) and value - value == 0)
    return value if value is None or is_number else str(value)[:MAX_CHARACTERS]


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
