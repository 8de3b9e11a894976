"""What every sink is: it takes changes of events in their order, and says when it has them for good."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple


class Change(NamedTuple):
    """One change of an event, as the store keeps it."""

    seq: int
    """Its number; they are sent in this order."""
    event_id: str
    revision: int
    change: str
    """One of `detectors.watch.CHANGES`."""
    kind: str
    mmsi: int
    other: int
    """0 for events of one ship."""
    lat: float
    lon: float
    score: float
    """NaN where the detector gives none."""
    body: str
    """The event and the change as one JSON object, without a newline."""


class NotNow(Exception):
    """The sink cannot take changes now; they are sent again later, not before `after_s` seconds where it says so.

    The first `taken` of them it has for good.
    """

    def __init__(self, why: str, after_s: float = 0.0, *, taken: int = 0) -> None:
        super().__init__(why)
        self.after_s, self.taken = after_s, taken


class Refused(Exception):
    """The sink does not want one of these changes, now or later: it goes to the dead letters. The `taken` before it the
    sink has for good."""

    def __init__(self, why: str, *, taken: int = 0) -> None:
        super().__init__(why)
        self.taken = taken


class Sink(ABC):
    """Where changes go. A thread of its own calls it; it may block.

    At least once: after a kill, changes are sent again whose `send` had not come back. A sink that writes files
    makes it exactly once: `mark` is what it last returned, kept in the store with what was sent.
    """

    max_batch = 100
    """Changes that it takes at once; it may change from call to call."""
    _alone = 0

    def part(self, n: int) -> None:
        """The next `n` are to be sent one by one, for only one of them may be to blame."""
        self.max_batch, self._alone = 1, n

    def done(self, n: int) -> None:
        """So many more are dealt with."""
        self._alone = max(0, self._alone - n)
        if not self._alone:
            self.max_batch = type(self).max_batch

    def start(self, mark: str) -> str:
        """Begin, or go on after this mark ("" at first): a file is cut to the size that the mark says. The mark to keep
        before anything is sent."""
        return mark

    def reopen(self, mark: str) -> str:
        """Write to a new file of the same name from now on, for the old one has been moved away; its mark."""
        return mark

    @abstractmethod
    def send(self, changes: Sequence[Change]) -> str:
        """Hand over changes for good; the mark to keep. Raises NotNow or Refused."""

    def close(self) -> None:  # noqa: B027 - most sinks hold nothing open
        """Let go of connections and files."""
