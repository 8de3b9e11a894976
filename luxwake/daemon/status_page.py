"""The status as a page for people: one HTML document without scripts, that asks for nothing and renews itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape

from cargo.safe_text import safe_text
from luxwake.daemon.status import SinkStatus, SourceStatus, Status

REFRESH_S = 5
_STYLE = """
:root{color-scheme:light dark;font:15px/1.4 system-ui,sans-serif}
body{margin:1.5rem auto;max-width:80rem;padding:0 1rem}
table{border-collapse:collapse;margin:.3rem 0 1.2rem;width:100%}
th,td{border-bottom:1px solid #8886;padding:.25rem .6rem;text-align:left;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.bad{color:#c22;font-weight:600}.good{color:#183;font-weight:600}
@media(prefers-color-scheme:dark){.bad{color:#f77}.good{color:#7d8}}
"""
POLICY = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: nothing but the style of this page."""


def page(status: Status, not_ready: Sequence[str]) -> str:
    """The page.

    >>> "&lt;b&gt;" in page(Status(sources=[SourceStatus("feed", state="<b>")]), [])
    True
    """
    word = (
        '<span class="good">ready</span>'
        if not not_ready
        else f'<span class="bad">{_text("; ".join(not_ready))}</span>'
    )
    sources = [_source_row(source) for source in status.sources]
    sinks = [_sink_row(sink) for sink in status.sinks]
    held = [(what, f"{held.now:,}", f"{held.limit:,}") for what, held in status.held.items()]
    changes = [(kind.replace("_", " "), f"{number:,}") for kind, number in status.changes.items()]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="refresh" content="{REFRESH_S}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Luxwake: {_text(status.phase)}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>Luxwake {_text(status.version)}</h1><p>{word}; {_text(status.phase)}, up {_span(status.uptime_s)}; "
        f"as of {_time(status.t)}.</p>\n"
        + _table("Core", ("", "value"), _core_rows(status), "1")
        + _table("Sources", _SOURCE_COLUMNS, sources, "23456789")
        + _table("Sinks", ("sink", "queued", "sent", "dead letters", "last error"), sinks, "123")
        + _table("In memory", ("", "now", "at most"), held, "12")
        + _table("Changes told", ("kind", "number"), changes, "1")
        + "</body></html>\n"
    )


_SOURCE_COLUMNS = (
    "source", "state", "messages/s", "decoded", "received", "waiting", "dropped", "rejected", "unused", "lag",
    "last heard",
)  # fmt: skip


def _core_rows(status: Status) -> list[tuple[str, str]]:
    age = "none yet" if status.checkpoint_age_s is None else f"{_span(status.checkpoint_age_s)} ago"
    return [
        ("messages/s", f"{status.messages_per_s:,.0f}"),
        ("lag, 99 %", f"{status.lag_p99_s:,.2f} s"),
        ("checkpoint", age),
        ("journal", _size(status.journal_bytes)),
        ("store", "can be written" if status.store_writable else "cannot be written"),
        ("memory", _size(status.rss_bytes)),
    ]


def _source_row(source: SourceStatus) -> tuple[str, ...]:
    return (
        f"{source.name} ({source.type})",
        source.state,
        f"{source.messages_per_s:,.0f}",
        f"{source.decoded:,}",
        _size(source.received_bytes),
        _size(source.waiting_bytes),
        _counted({**source.dropped_bytes}, " B"),
        _counted(source.rejected),
        _counted(source.unused),
        f"{source.lag_s:,.1f} s",
        _time(source.t_last),
    )


def _sink_row(sink: SinkStatus) -> tuple[str, ...]:
    return f"{sink.name} ({sink.type})", f"{sink.queued:,}", f"{sink.sent:,}", f"{sink.dead_letters:,}", sink.last_error


def _counted(numbers: Mapping[str, int], unit: str = "") -> str:
    return ", ".join(f"{reason}: {number:,}{unit}" for reason, number in numbers.items() if number) or "0"


def _table(title: str, names: Sequence[str], rows: Iterable[Sequence[str]], right: str) -> str:
    """A table; `right` are the digits of the columns of numbers."""
    side = ['class="n"' if str(n) in right else "" for n in range(len(names))]
    head = "".join(f"<th {at}>{_text(name)}</th>" for at, name in zip(side, names, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td {at}>{_text(cell)}</td>" for at, cell in zip(side, row, strict=True)) + "</tr>\n"
        for row in rows
    )
    return (
        f"<h2>{_text(title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>\n" if body else ""
    )


def _text(value: str) -> str:
    return escape(safe_text(value, 500))


def _time(t: int) -> str:
    return f"{datetime.fromtimestamp(t / 1e6, UTC):%Y-%m-%d %H:%M:%S} UTC" if t else "never"


def _span(seconds: float) -> str:
    """A span of time in the two largest units.

    >>> _span(93_784.0), _span(75.0)
    ('1 d 2 h', '1 min 15 s')
    """
    parts = []
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        number, seconds = divmod(seconds, length)
        parts.append((int(number), unit))
    first = next((n for n, (number, _) in enumerate(parts) if number), 3)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2])


def _size(number: int) -> str:
    """Bytes in the largest unit that fits.

    >>> _size(999), _size(3 << 20)
    ('999 B', '3.0 MiB')
    """
    if number < 1024:
        return f"{number} B"
    power = min(4, (number.bit_length() - 1) // 10)
    return f"{number / 1024**power:.1f} {'KMGT'[power - 1]}iB"
