"""The status as tables, for the page and for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from luxwake.daemon.status import SinkStatus, SourceStatus, Status


class Shown(NamedTuple):
    """A table; `right` are the digits of the columns of numbers."""

    title: str
    names: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    right: str


_SOURCE_COLUMNS = ("source", "state", "messages/s", "decoded", "received", "waiting", "lag", "last heard")
_SINK_COLUMNS = ("sink", "queued", "sent", "dead letters", "last error")


def tables_of(status: Status) -> list[Shown]:
    """All that a daemon says of itself; tables without rows are left out.

    >>> feed = SourceStatus("feed", "udp", dropped_units={"queue full": 3}, rejected={"checksum differs": 2})
    >>> tables_of(Status(sources=[feed]))[2].rows
    [('feed', 'dropped', 'queue full', '3'), ('feed', 'rejected', 'checksum differs', '2')]
    """
    held = [(what, f"{one.now:,}", f"{one.limit:,}") for what, one in status.held.items()]
    left_out = [(reason, f"{n:,}") for reason, n in status.left_out.items() if n]
    changes = [(kind.replace("_", " "), f"{n:,}") for kind, n in status.changes.items()]
    shown = [
        Shown("Core", ("", "value"), _core_rows(status), "1"),
        Shown("Sources", _SOURCE_COLUMNS, [_source_row(one) for one in status.sources], "23456"),
        Shown("Not used of what came", ("source", "", "reason", "number"), list(_unused(status.sources)), "3"),
        Shown("Sinks", _SINK_COLUMNS, [_sink_row(one) for one in status.sinks], "123"),
        Shown("In memory", ("", "now", "at most"), held, "12"),
        Shown("Left out by the detectors", ("reason", "number"), left_out, "1"),
        Shown("Changes told", ("kind", "number"), changes, "1"),
    ]
    return [one for one in shown if one.rows]


def _unused(sources: Sequence[SourceStatus]) -> Iterator[tuple[str, str, str, str]]:
    """What was dropped, rejected, or not used of messages, by source and reason."""
    for one in sources:
        bytes_only = {reason: n for reason, n in one.dropped_bytes.items() if reason not in one.dropped_units}
        yield from ((one.name, "dropped", reason, f"{n:,}") for reason, n in one.dropped_units.items() if n)
        yield from ((one.name, "dropped", reason, size_of(n)) for reason, n in bytes_only.items() if n)
        for what, counts in (("rejected", one.rejected), ("not used", one.unused)):
            yield from ((one.name, what, reason, f"{n:,}") for reason, n in counts.items() if n)


def _core_rows(status: Status) -> list[tuple[str, str]]:
    age = "none yet" if status.checkpoint_age_s is None else f"{span_of(status.checkpoint_age_s)} ago"
    return [
        ("phase", status.phase),
        ("messages/s", f"{status.messages_per_s:,.0f}"),
        ("lag, 99 %", f"{status.lag_p99_s:,.2f} s"),
        ("checkpoint", age),
        ("journal", size_of(status.journal_bytes)),
        ("store", "can be written" if status.store_writable else "cannot be written"),
        ("memory", size_of(status.rss_bytes)),
    ]


def _source_row(source: SourceStatus) -> tuple[str, ...]:
    return (
        f"{source.name} ({source.type})",
        source.state,
        f"{source.messages_per_s:,.0f}",
        f"{source.decoded:,}",
        size_of(source.received_bytes),
        size_of(source.waiting_bytes),
        f"{source.lag_s:,.1f} s",
        time_of(source.t_last),
    )


def _sink_row(sink: SinkStatus) -> tuple[str, ...]:
    return f"{sink.name} ({sink.type})", f"{sink.queued:,}", f"{sink.sent:,}", f"{sink.dead_letters:,}", sink.last_error


def time_of(t: int) -> str:
    """A time in µs, to the second."""
    return f"{datetime.fromtimestamp(t / 1e6, UTC):%Y-%m-%d %H:%M:%S} UTC" if t else "never"


def span_of(seconds: float) -> str:
    """A span of time in the two largest units.

    >>> span_of(93_784.0), span_of(75.0)
    ('1 d 2 h', '1 min 15 s')
    """
    parts = []
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        number, seconds = divmod(seconds, length)
        parts.append((int(number), unit))
    first = next((n for n, (number, _) in enumerate(parts) if number), 3)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2])


def size_of(number: int) -> str:
    """Bytes in the largest unit that fits.

    >>> size_of(999), size_of(3 << 20)
    ('999 B', '3.0 MiB')
    """
    if number < 1024:
        return f"{number} B"
    power = min(4, (number.bit_length() - 1) // 10)
    return f"{number / 1024**power:.1f} {'KMGT'[power - 1]}iB"
