"""The status as a page for people: one HTML document without scripts, that asks for nothing and renews itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape

from cargo.safe_text import safe_text
from luxwake.daemon.status import Status
from luxwake.daemon.status_tables import Shown, span_of, tables_of, time_of

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

    >>> from luxwake.daemon.status import SourceStatus
    >>> "&lt;b&gt;" in page(Status(sources=[SourceStatus("feed", state="<b>")]), [])
    True
    """
    word = (
        '<span class="good">ready</span>'
        if not not_ready
        else f'<span class="bad">{_text("; ".join(not_ready))}</span>'
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="refresh" content="{REFRESH_S}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Luxwake: {_text(status.phase)}</title><style>{_STYLE}</style></head><body>\n"
        f"<h1>Luxwake {_text(status.version)}</h1><p>{word}; {_text(status.phase)}, up {span_of(status.uptime_s)}; "
        f"as of {time_of(status.t)}.</p>\n" + "".join(map(_table, tables_of(status))) + "</body></html>\n"
    )


def _table(shown: Shown) -> str:
    title, names, rows, right = shown
    side = ['class="n"' if str(n) in right else "" for n in range(len(names))]
    head = "".join(f"<th {at}>{_text(name)}</th>" for at, name in zip(side, names, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td {at}>{_text(cell)}</td>" for at, cell in zip(side, row, strict=True)) + "</tr>\n"
        for row in rows
    )
    return f"<h2>{_text(title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>\n"


def _text(value: str) -> str:
    return escape(safe_text(value, 500))
