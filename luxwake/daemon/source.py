"""What every source is: a thread that hears something and puts it into its intake, until it is told to stop."""

from __future__ import annotations

import random
import threading
from abc import ABC, abstractmethod
from typing import ClassVar

from luxwake.daemon.intake import Intake

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0


class Source(ABC):
    """One source of the configuration.

    `run` is the body of its thread: it connects, puts what it hears into `intake` (`put` where the other side can
    wait, `offer` where it cannot), and comes back when `stop` is set or the source has ended for good. What can be
    tried again is tried again in `run`, after `Pauses`; only what no repetition mends raises a `LuxwakeError`.
    """

    can_resume: ClassVar[bool] = False
    """Whether it takes up where a cursor says, so that nothing is lost while the daemon is down."""

    def __init__(self, name: str, intake: Intake) -> None:
        self.name, self.intake = name, intake
        self.stop = threading.Event()
        self.state = "starting"
        """In words for `luxwake status`: "connected to ...", "waits 8 s: connection refused"."""
        self.connected = False
        """Whether it hears now."""
        self.connections = 0
        """How often it has connected."""

    @abstractmethod
    def run(self, cursor: str) -> None:
        """Hear until `stop`; `cursor` is what came with the last chunk that was kept, "" at first."""

    def on_decoded(self, messages: int) -> None:  # noqa: B027 - only sources with a watchdog look
        """The core has decoded so many messages more: what a watchdog goes by. Called by the core's thread."""

    def on_kept(self, cursor: str) -> None:  # noqa: B027 - only sources that acknowledge look
        """The journal has all chunks up to the one with this cursor. Called by the core's thread: must not block."""


class Pauses:
    """How long to wait before the next attempt: doubled each time, with jitter, at most a minute.

    >>> pauses = Pauses(random.Random(1))
    >>> [0.5 * 2**k <= pauses.next_s() <= 2.0**k for k in range(6)]
    [True, True, True, True, True, True]
    """

    def __init__(self, chance: random.Random | None = None) -> None:
        self._chance = chance or random.Random()
        self._next = FIRST_WAIT_S

    def next_s(self) -> float:
        """Seconds until the next attempt."""
        wait = self._next
        self._next = min(LONGEST_WAIT_S, 2.0 * wait)
        return self._chance.uniform(0.5 * wait, wait)

    def reset(self) -> None:
        """The last attempt went well."""
        self._next = FIRST_WAIT_S
