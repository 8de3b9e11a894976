"""A stream of Redis, from the entry after the last one that is kept."""

from __future__ import annotations

import re
from typing import Any

from luxwake.daemon.config import RedisSource
from luxwake.daemon.intake import Intake
from luxwake.daemon.sources.connection import CONNECT_S, LOOK_S, Connecting, Lost, reach
from luxwake.daemon.sources.messages import as_lines, url_of

BATCH = 1000
BEGINNING = "0-0"


class RedisMessages(Connecting):
    """Reads by XREAD; nothing has to be acknowledged, as the cursor says where to go on.

    It is the id of an entry, and the how manieth it is that was ever added: so what was trimmed before it was read is
    counted as dropped (from Redis 7.0 on), as is an entry without the field that holds the lines.
    """

    can_resume = True

    def __init__(self, config: RedisSource, intake: Intake) -> None:
        super().__init__(config.name, intake, config.watchdog_s)
        self._url = url_of(config.url, config.name, ("redis", "rediss"))
        self._stream, self._field = config.stream, config.field.encode()
        self._is_json = config.format == "json"
        self._last, self._read = BEGINNING, -1

    def begin(self, cursor: str) -> None:
        """Go on after this entry."""
        if found := re.fullmatch(r"(\d{1,20}-\d{1,20})/(-?\d{1,20})", cursor):
            self._last, self._read = found[1], int(found[2])

    def hear(self) -> None:
        """One connection."""
        from redis import Redis, RedisError
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        reach(self._url.hostname or "", self._url.port or 6379, self.stop)
        client = Redis.from_url(self._url.geturl(), socket_timeout=CONNECT_S, retry=Retry(NoBackoff(), 0))
        try:
            self._check(client)
            self.note_connected(f"connected to {self._url.hostname}, stream {self._stream}")
            while not self.stop.is_set():
                entries = _entries(client.xread({self._stream: self._last}, count=BATCH, block=round(1000 * LOOK_S)))
                self._put(entries)
                if len(entries) == BATCH:  # it is behind, and more may have been trimmed
                    self._check(client)
                self.watch()
        except RedisError as error:
            raise Lost(str(error)) from None
        finally:
            client.close()

    def _check(self, client: Any) -> None:
        """Begin anew where the stream was made anew, and count what was trimmed unread."""
        from redis import ResponseError

        try:
            about = client.xinfo_stream(self._stream)
        except ResponseError:  # there is no such stream yet
            if self._last == BEGINNING:
                self._read = 0
            return
        if _key(about["last-generated-id"]) < _key(self._last):
            self._last, self._read = BEGINNING, -1
        is_known = self._read >= 0 or self._last == BEGINNING  # how many were added up to the last one
        if "entries-added" not in about or not is_known:
            return
        trimmed = about["entries-added"] - about["length"]
        if 0 <= self._read < trimmed:
            self.intake.count_lost(trimmed - self._read, reason="trimmed before it was read")
        self._read = max(self._read, trimmed)

    def _put(self, entries: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
        """Put entries as one chunk."""
        if not entries:
            return
        bodies = [fields[self._field] for _, fields in entries if fields and self._field in fields]
        if lost := len(entries) - len(bodies):
            self.intake.count_lost(lost, reason="entry without the field of the lines")
        last, read = entries[-1][0].decode(), self._read + len(entries) if self._read >= 0 else -1
        data = b"".join(as_lines(body, self._is_json) for body in bodies) or b"\n"
        if self.intake.put(data, f"{last}/{read}", len(bodies)):
            self._last, self._read = last, read


def _entries(answer: Any) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """The entries in an answer to XREAD: a list of streams in RESP2, a mapping in RESP3."""
    if not answer:
        return []
    streams = answer.values() if isinstance(answer, dict) else [entries for _, entries in answer]
    found = []
    for entries in streams:
        while entries and isinstance(entries[0], list):
            entries = entries[0]
        found += entries
    return found


def _key(entry: bytes | str) -> tuple[int, int]:
    """An id in the order of the stream."""
    text = entry.decode() if isinstance(entry, bytes) else entry
    time, _, number = text.partition("-")
    return int(time), int(number or 0)
