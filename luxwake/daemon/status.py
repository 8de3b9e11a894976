"""What a daemon is doing: the core fills in a `Status` again and again; `/status`, `/metrics` and the page show it."""

from __future__ import annotations

import os
import time
from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(slots=True)
class SourceStatus:
    """One source.

    Attributes
    ----------
    state : in words, as `Source.state`
    connected : whether it hears now, as far as it can tell; None where it cannot
    connections : how often it has connected
    waiting_bytes, buffer_bytes : what waits for the core, and how much may
    dropped_bytes, dropped_units : by reason
    heard : sentences or objects that the core has taken up
    decoded : messages that came of them
    joined : sentences that stand in a message behind its first one; what comes, line by line, is `decoded`, `joined`,
        rejected, dropped, or waits
    rejected : lines, sentences and objects of which none came, by reason
    unused : what of messages was not used or not believed, by reason
    lag_s : since when what is next for the core has been waiting; 0.0 where nothing waits
    t_last : when something last came, µs since 1970 UTC; 0 never
    """

    name: str
    type: str = ""
    state: str = "starting"
    connected: bool | None = None
    connections: int = 0
    received_bytes: int = 0
    received_units: int = 0
    waiting_bytes: int = 0
    buffer_bytes: int = 0
    dropped_bytes: dict[str, int] = field(default_factory=dict)
    dropped_units: dict[str, int] = field(default_factory=dict)
    heard: int = 0
    decoded: int = 0
    joined: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    unused: dict[str, int] = field(default_factory=dict)
    messages_per_s: float = 0.0
    lag_s: float = 0.0
    t_last: int = 0


@dataclass(slots=True)
class SinkStatus:
    """One sink: `queued` changes are still to be sent, `dead_letters` it will not take."""

    name: str
    type: str = ""
    queued: int = 0
    sent: int = 0
    dead_letters: int = 0
    failures: int = 0
    """Attempts that failed."""
    last_error: str = ""
    """"" where the last attempt went well."""


class Held(NamedTuple):
    """So many of something in memory, and how many there may be."""

    now: int
    limit: int


@dataclass(slots=True)
class Status:
    """The whole daemon at one moment.

    The core makes a new one about once a second and publishes it whole, so that no reader sees half of one.

    Attributes
    ----------
    t : when it was made, µs since 1970 UTC
    t_started : when the daemon was started
    phase : "starting", "compiling kernels", "waiting for the store", "catching up" (with its
        journal, while the sources listen), "running", "draining"
    held : "vessels", "rows", "late rows" that are not in their place yet, "static reports", and "events" that are not
        final: against their caps
    left_out : positions that no detector used, and what found no room, by reason
    changes : told since the start, by kind
    checkpoint_age_s : None before the first
    """

    t: int = 0
    t_started: int = 0
    phase: str = "starting"
    version: str = ""
    sources: list[SourceStatus] = field(default_factory=list)
    sinks: list[SinkStatus] = field(default_factory=list)
    held: dict[str, Held] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    checkpoint_age_s: float | None = None
    journal_bytes: int = 0
    store_writable: bool = True
    messages_per_s: float = 0.0
    """Decoded, over the last 10 s."""
    lag_p99_s: float = 0.0
    """From when something came until all had been done with it, for 99 % of the last records."""
    rss_bytes: int = 0

    @property
    def uptime_s(self) -> float:
        """Seconds since the start, by the clock: a core that hangs, or is not there yet, makes no new `t`."""
        return max(0.0, time.time() - self.t_started / 1e6)


READY = ("catching up", "running")
"""Phases in which the sources listen."""
STALE_S = 30.0
"""So long may a core be silent; a checkpoint of the largest state takes some seconds."""


def why_not_ready(status: Status, max_lag_s: float, now_us: int | None = None) -> list[str]:
    """Why what comes in is not heard, or not dealt with in time; empty where it is.

    A source that is not connected is no reason: to start the daemon anew would not mend it. Nor is a journal that is
    gone through again after a kill: the sources listen, and what they hear waits its turn, `max_lag_s` at most.

    >>> why_not_ready(Status(t=0, phase="compiling kernels", store_writable=False), 60.0, now_us=0)
    ['compiling kernels', 'the store cannot be written']
    >>> why_not_ready(Status(phase="catching up", sources=[SourceStatus("feed", lag_s=61.0)]), 60.0)
    ['source feed lags 61 s, over 60']
    """
    silent_s = ((time.time_ns() // 1000 if now_us is None else now_us) - status.t) / 1e6
    reasons = [] if status.phase in READY else [status.phase]
    if status.t and silent_s > STALE_S:
        reasons.append(f"the core has been silent for {silent_s:.0f} s")
    if not status.store_writable:
        reasons.append("the store cannot be written")
    reasons += [
        f"source {source.name} lags {source.lag_s:.0f} s, over {max_lag_s:g}"
        for source in status.sources
        if source.lag_s > max_lag_s
    ]
    return reasons


class Rate:
    """How many a second, over the last 10 s.

    >>> rate = Rate()
    >>> rate.add(500, now_s=100.0)
    >>> rate.add(500, now_s=105.0)
    >>> rate.per_s(now_s=105.0), rate.per_s(now_s=112.0)
    (100.0, 50.0)
    """

    SECONDS = 10

    def __init__(self) -> None:
        self._by_second: deque[tuple[int, int]] = deque()

    def add(self, number: int, now_s: float | None = None) -> None:
        """So many more."""
        second = int(time.monotonic() if now_s is None else now_s)
        if self._by_second and self._by_second[-1][0] == second:
            number += self._by_second.pop()[1]
        self._by_second.append((second, number))
        self._forget(second)

    def per_s(self, now_s: float | None = None) -> float:
        """The mean of the last 10 s."""
        self._forget(int(time.monotonic() if now_s is None else now_s))
        return sum(number for _, number in self._by_second) / self.SECONDS

    def _forget(self, second: int) -> None:
        while self._by_second and self._by_second[0][0] <= second - self.SECONDS:
            self._by_second.popleft()


def rss_bytes() -> int:
    """Memory of this process that is in use; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
