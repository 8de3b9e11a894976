"""The status as Prometheus reads it (text format 0.0.4)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from luxwake.daemon.status import SinkStatus, SourceStatus, Status, why_not_ready

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_Samples = Iterable[tuple[Mapping[str, str], float | None]]


class Metric(NamedTuple):
    """One metric: its name, "counter" or "gauge", what it means, and its samples; None is not known."""

    name: str
    type: str
    help: str
    samples: Callable[[Status], _Samples]


def _one(value: Callable[[Status], float | None]) -> Callable[[Status], _Samples]:
    return lambda status: [({}, value(status))]


def _by(label: str, values: Callable[[Status], Mapping[str, float]]) -> Callable[[Status], _Samples]:
    return lambda status: [({label: key}, value) for key, value in values(status).items()]


def _source(value: Callable[[SourceStatus], float | None]) -> Callable[[Status], _Samples]:
    return lambda status: [({"source": one.name, "type": one.type}, value(one)) for one in status.sources]


def _reasons(values: Callable[[SourceStatus], Mapping[str, int]]) -> Callable[[Status], _Samples]:
    return lambda status: [
        ({"source": one.name, "type": one.type, "reason": reason}, number)
        for one in status.sources
        for reason, number in values(one).items()
    ]


def _sink(value: Callable[[SinkStatus], float | None]) -> Callable[[Status], _Samples]:
    return lambda status: [({"sink": one.name, "type": one.type}, value(one)) for one in status.sinks]


METRICS = (
    Metric(
        "luxwake_build_info", "gauge", "The version that runs.", lambda status: [({"version": status.version}, 1.0)]
    ),
    Metric("luxwake_uptime_seconds", "gauge", "Since the start.", _one(lambda s: s.uptime_s)),
    Metric("luxwake_start_time_seconds", "gauge", "When the daemon was started, since 1970 UTC.",
           _one(lambda s: s.t_started / 1e6)),
    Metric("luxwake_resident_memory_bytes", "gauge", "Memory in use.", _one(lambda s: s.rss_bytes)),
    Metric("luxwake_messages_per_second", "gauge", "Decoded, mean of 10 s.", _one(lambda s: s.messages_per_s)),
    Metric("luxwake_lag_p99_seconds", "gauge", "From arrival until all is done, 99 % of the last records.",
           _one(lambda s: s.lag_p99_s)),
    Metric(
        "luxwake_core_silence_seconds", "gauge", "Since the core last told of itself.",
        _one(lambda s: max(0.0, time.time() - s.t / 1e6) if s.t else None),
    ),
    Metric("luxwake_store_writable", "gauge", "1 while the store takes what is written.",
           _one(lambda s: s.store_writable)),
    Metric("luxwake_checkpoint_age_seconds", "gauge", "Since the state was written.",
           _one(lambda s: s.checkpoint_age_s)),
    Metric("luxwake_journal_bytes", "gauge", "What a start would have to go through again.",
           _one(lambda s: s.journal_bytes)),
    Metric("luxwake_held", "gauge", "Vessels, rows, static reports and events that are held.",
           _by("what", lambda s: {what: held.now for what, held in s.held.items()})),
    Metric("luxwake_held_limit", "gauge", "How many of them there may be.",
           _by("what", lambda s: {what: held.limit for what, held in s.held.items()})),
    Metric("luxwake_left_out", "gauge", "Positions that no detector used, and what found no room, by reason.",
           _by("reason", lambda s: s.left_out)),
    Metric("luxwake_changes_total", "counter", "Changes of events told, by kind.", _by("kind", lambda s: s.changes)),
    Metric("luxwake_source_connected", "gauge", "1 while a source hears.", _source(lambda s: s.connected)),
    Metric("luxwake_source_connections_total", "counter", "How often it has connected.",
           _source(lambda s: s.connections)),
    Metric("luxwake_source_received_bytes_total", "counter", "Bytes that came.", _source(lambda s: s.received_bytes)),
    Metric("luxwake_source_received_units_total", "counter", "Datagrams or messages that came.",
           _source(lambda s: s.received_units)),
    Metric("luxwake_source_waiting_bytes", "gauge", "What waits for the core.", _source(lambda s: s.waiting_bytes)),
    Metric("luxwake_source_buffer_bytes", "gauge", "How much may wait.", _source(lambda s: s.buffer_bytes)),
    Metric("luxwake_source_dropped_bytes_total", "counter", "Bytes dropped, by reason.",
           _reasons(lambda s: s.dropped_bytes)),
    Metric("luxwake_source_dropped_units_total", "counter", "Datagrams or messages dropped, by reason.",
           _reasons(lambda s: s.dropped_units)),
    Metric("luxwake_source_heard_total", "counter", "Sentences or objects taken up, sound or not.",
           _source(lambda s: s.heard)),
    Metric("luxwake_source_decoded_messages_total", "counter", "Messages decoded.", _source(lambda s: s.decoded)),
    Metric("luxwake_source_joined_total", "counter", "Sentences behind the first of a message of several.",
           _source(lambda s: s.joined)),
    Metric("luxwake_source_rejected_total", "counter", "Lines or sentences of which no message came, by reason.",
           _reasons(lambda s: s.rejected)),
    Metric("luxwake_source_unused_total", "counter", "What of messages was not used or believed, by reason.",
           _reasons(lambda s: s.unused)),
    Metric("luxwake_source_messages_per_second", "gauge", "Decoded, mean of 10 s.",
           _source(lambda s: s.messages_per_s)),
    Metric("luxwake_source_lag_seconds", "gauge", "How long what is next has waited.", _source(lambda s: s.lag_s)),
    Metric("luxwake_source_last_arrival_timestamp_seconds", "gauge", "When something last came.",
           _source(lambda s: s.t_last / 1e6 if s.t_last else None)),
    Metric("luxwake_sink_queued", "gauge", "Changes still to be sent.", _sink(lambda s: s.queued)),
    Metric("luxwake_sink_sent_total", "counter", "Changes sent.", _sink(lambda s: s.sent)),
    Metric("luxwake_sink_dead_letters", "gauge", "Changes that it will not take.", _sink(lambda s: s.dead_letters)),
    Metric("luxwake_sink_failures_total", "counter", "Attempts that failed.", _sink(lambda s: s.failures)),
    Metric("luxwake_sink_failing", "gauge", "1 while the last attempt failed.", _sink(lambda s: bool(s.last_error))),
)  # fmt: skip


def metrics_text(status: Status, max_lag_s: float) -> str:
    """All metrics of a status; a sample that is not known is left out.

    >>> print(metrics_text(Status(changes={"dark": 2}), 60.0).splitlines()[-1])
    luxwake_ready 0
    """
    ready = Metric(
        "luxwake_ready", "gauge", "1 while /readyz says yes.", _one(lambda s: not why_not_ready(s, max_lag_s))
    )
    return "".join(line + "\n" for metric in (*METRICS, ready) for line in _lines(metric, status))


def _lines(metric: Metric, status: Status) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help}"
    yield f"# TYPE {metric.name} {metric.type}"
    for labels, value in metric.samples(status):
        if value is not None and math.isfinite(value):
            words = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
            yield f"{metric.name}{{{words}}} {_number(value)}" if words else f"{metric.name} {_number(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
