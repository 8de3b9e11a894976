"""What a running daemon says of itself: its parts to a `Status`, once a second."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from detectors.late_rows import MOST
from geo.errors import OutputError
from luxwake import __version__
from luxwake.daemon.status import Held, Rate, SinkStatus, SourceStatus, Status, rss_bytes

if TYPE_CHECKING:
    from luxwake.daemon.serve import Daemon

EVERY_S = 1.0


class Reporter:
    """Makes the status of a daemon again and again; `latest` may be read by any thread."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._rates = {source.name: Rate() for source in daemon.sources}
        self._decoded = dict.fromkeys(self._rates, 0)
        self._due = 0.0
        self.latest = Status(t_started=time.time_ns() // 1000, version=__version__)

    def look(self, phase: str, at_once: bool = False) -> None:
        """Make a new status when the last is a second old."""
        now = time.monotonic()
        if now < self._due and not at_once:
            return
        self._due = now + EVERY_S
        daemon, core = self._daemon, self._daemon.core
        sources = [self._source(k) for k in range(len(daemon.sources))]
        written, most = core.checkpoints.t_written, core.settings["watch"]
        self.latest = Status(
            t=time.time_ns() // 1000,
            t_started=self.latest.t_started,
            phase=phase,
            version=__version__,
            sources=sources,
            sinks=[self._sink(k) for k in range(len(daemon.dispatchers))],
            held={
                "vessels": Held(int(core.watch.engine.hulls.size), most["max_vessels"]),
                "rows": Held(core.watch.rows, most["max_rows"]),
                "static reports": Held(core.watch.reports, most["max_reports"]),
                "late rows": Held(core.watch.waiting, MOST),
                "events": Held(core.watch.events_held, most["max_events"]),
            },
            left_out={**core.watch.counts, **core.watch.engine.beyond_bounds},
            changes=by_kind(core.told),
            checkpoint_age_s=max(0.0, time.time() - written) if written else None,
            journal_bytes=core.journal.n_bytes,
            store_writable=not (daemon.trouble or (core.archive is not None and core.archive.trouble())),
            messages_per_s=sum(source.messages_per_s for source in sources),
            lag_p99_s=daemon.lag_p99_s,
            rss_bytes=rss_bytes(),
        )

    def _source(self, k: int) -> SourceStatus:
        source, intake = self._daemon.sources[k], self._daemon.intakes[k]
        parser = self._daemon.core.parsers[intake.source]
        rate = self._rates[source.name]
        rate.add(parser.decoded - self._decoded[source.name])
        self._decoded[source.name] = parser.decoded
        return SourceStatus(
            name=source.name,
            type=str(type(self._daemon.config.sources[k]).__struct_config__.tag),
            state=source.state,
            connected=source.connected,
            connections=source.connections,
            received_bytes=intake.received_bytes,
            received_units=intake.received_units,
            waiting_bytes=intake.waiting_bytes,
            buffer_bytes=intake.max_bytes,
            dropped_bytes={reason: n for reason, (_, n) in intake.dropped.items() if n},
            dropped_units={reason: n for reason, (n, _) in intake.dropped.items() if n},
            heard=parser.heard,
            decoded=parser.decoded,
            joined=parser.joined,
            rejected=parser.rejected,
            unused=parser.unused,
            messages_per_s=rate.per_s(),
            lag_s=intake.lag_s,
            t_last=intake.t_last,
        )

    def _sink(self, k: int) -> SinkStatus:
        """What a sink waits for; as last known while the store does not answer."""
        dispatcher, store = self._daemon.dispatchers[k], self._daemon.core.store
        name, tag = dispatcher.sink_name, str(type(self._daemon.config.sinks[k]).__struct_config__.tag)
        try:
            queued, sent, dead_letters = store.waiting(name), store.sent_by(name), store.dead_letters(name)
        except OutputError as error:
            known = self.latest.sinks[k] if self.latest.sinks else SinkStatus(name, tag)
            return replace(known, last_error=str(error))
        return SinkStatus(
            name=name,
            type=tag,
            queued=queued,
            sent=sent,
            dead_letters=dead_letters,
            failures=dispatcher.failures,
            last_error=dispatcher.last_error,
        )


def by_kind(told: Counter[tuple[str, str]]) -> dict[str, int]:
    """Changes by kind of event, whatever they were."""
    total: Counter[str] = Counter()
    for (kind, _), n in told.items():
        total[kind] += n
    return dict(total)
