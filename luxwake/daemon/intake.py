"""What a source has heard and the core has not taken yet: a bounded queue, whose every loss is counted."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import NamedTuple

QUEUE_FULL = "queue full"


class Chunk(NamedTuple):
    """Bytes of one source."""

    source: int
    """Its number in the order of the configuration."""
    t: int
    """When they came, µs since 1970 UTC."""
    data: bytes
    """A stream's as they came, in pieces of any size; of datagrams and messages each ends with a newline."""
    cursor: str
    """From where to go on after these, for a source that can be asked again; "" for others."""
    units: int
    """Datagrams or messages among them; 0 for a stream."""


class Bell:
    """Tells the core that something has come."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def ring(self) -> None:
        """Something has come."""
        self._event.set()

    def wait(self, seconds: float) -> None:
        """Sleep until something comes, at most so long."""
        if self._event.wait(seconds):
            self._event.clear()


class Intake:
    """The queue of one source: its thread puts, the core takes.

    Parameters
    ----------
    source : number of the source
    max_bytes : what may wait

    >>> intake = Intake(0, max_bytes=10)
    >>> intake.offer(b"12345\\n", units=1), intake.offer(b"67890\\n", units=1), intake.dropped_bytes
    (None, None, 6)
    >>> [chunk.data for chunk in intake.take(100)]
    [b'67890\\n']
    """

    def __init__(self, source: int, max_bytes: int, bell: Bell | None = None) -> None:
        self.source = source
        self.max_bytes = max_bytes
        self.received_bytes = self.received_units = 0
        self.dropped: dict[str, tuple[int, int]] = {}
        """Units and bytes that were dropped, by reason."""
        self.t_last = 0
        self.waiting_bytes = 0
        self._bell = bell or Bell()
        self._chunks: deque[Chunk] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, data: bytes, cursor: str = "", units: int = 0) -> bool:
        """Add what came from a source that can wait: blocks while the queue is full. False once it is closed."""
        with self._changed:
            while self.waiting_bytes and self.waiting_bytes + len(data) > self.max_bytes and not self._closed:
                self._changed.wait(0.5)
            if self._closed:
                return False
            self._add(data, cursor, units)
        self._bell.ring()
        return True

    def offer(self, data: bytes, units: int = 0) -> None:
        """Add what came from a source that does not wait: what is oldest is dropped while the queue is full."""
        with self._changed:
            while self._chunks and self.waiting_bytes + len(data) > self.max_bytes:
                old = self._chunks.popleft()
                self.waiting_bytes -= len(old.data)
                self._count(QUEUE_FULL, old.units, len(old.data))
            self._add(data, "", units)
        self._bell.ring()

    def count_lost(self, units: int, n_bytes: int = 0, reason: str = "lost before it came here") -> None:
        """Count what was lost before it came here, such as datagrams that the kernel dropped."""
        with self._changed:
            self.received_units += units
            self.received_bytes += n_bytes
            self._count(reason, units, n_bytes)

    def _count(self, reason: str, units: int, n_bytes: int) -> None:
        before = self.dropped.get(reason, (0, 0))
        self.dropped = self.dropped | {reason: (before[0] + units, before[1] + n_bytes)}

    @property
    def dropped_units(self) -> int:
        """Datagrams and messages that were dropped, for whatever reason."""
        return sum(units for units, _ in self.dropped.values())

    @property
    def dropped_bytes(self) -> int:
        """Bytes that were dropped, for whatever reason."""
        return sum(n_bytes for _, n_bytes in self.dropped.values())

    def _add(self, data: bytes, cursor: str, units: int) -> None:
        self.t_last = time.time_ns() // 1000
        self._chunks.append(Chunk(self.source, self.t_last, data, cursor, units))
        self.waiting_bytes += len(data)
        self.received_bytes += len(data)
        self.received_units += units

    def take(self, max_bytes: int) -> list[Chunk]:
        """What waits, in order of arrival, up to about so many bytes."""
        taken: list[Chunk] = []
        size = 0
        with self._changed:
            while self._chunks and size < max_bytes:
                chunk = self._chunks.popleft()
                size += len(chunk.data)
                taken.append(chunk)
            self.waiting_bytes -= size
            if taken:
                self._changed.notify_all()
        return taken

    @property
    def has_some(self) -> bool:
        """Does something wait? A chunk without bytes says from where to go on."""
        return bool(self._chunks)

    @property
    def lag_s(self) -> float:
        """For how long what the core takes next has waited, s; 0 where nothing waits."""
        with self._changed:
            t = self._chunks[0].t if self._chunks else 0
        return max(0.0, time.time() - t / 1e6) if t else 0.0

    def close(self) -> None:
        """Nothing is taken any more: a source that waits to put goes on and ends."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
