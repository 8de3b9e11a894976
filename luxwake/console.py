"""What a command prints: tables, progress bars and stage times for people, one JSON object a line for programs.

Results go to stdout; progress, stage times, notes and errors go to stderr. Colours and bars appear only on a terminal
and not under `NO_COLOR`. Names of ships come by radio and texts of shipments from strangers: control characters are
taken out, so that none can move the cursor, and nothing in them is read as markup.
"""

from __future__ import annotations

import json as json_text
import math
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console as RichConsole
    from rich.table import Table as RichTable

    from detectors.event import Events

Json = Mapping[str, Any]

MAX_EVENTS = 20
"""Events printed one by one; all are counted."""
MAX_FINDINGS = 20
PLAIN_WIDTH = 120
"""Columns of a table where the output is not a terminal."""
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ALARM_ORDER = (
    "dark", "dark_rendezvous", "false_position", "identity", "rendezvous", "draught", "loitering", "waiting",
    "port_call", "voyage", "stop", "gap",
)  # fmt: skip


def printable(value: object) -> str:
    """A value as text that cannot steer a terminal: control and direction-changing characters are taken out.

    >>> printable("SEA\\x1b[2J LARK\\n5")
    'SEA[2J LARK 5'
    """
    return _UNSEEN.sub("", str(value).replace("\n", " ").replace("\t", " "))


def print_json_lines(objects: Iterable[Json], stream: TextIO | None = None) -> None:
    """Write each object as one line of JSON, keys sorted, NaN as an error of ours and never as text.

    >>> print_json_lines([{"type": "summary", "events": 2}])
    {"events": 2, "type": "summary"}
    """
    stream = stream or sys.stdout
    for made in objects:
        stream.write(json_text.dumps(made, ensure_ascii=False, allow_nan=False, sort_keys=True) + "\n")
    stream.flush()


def plain(value: object) -> Any:
    """A value of a query as JSON can hold it: ISO 8601 in UTC for times, hex for bytes, null for NaN.

    >>> from datetime import UTC, datetime
    >>> plain([datetime(2018, 10, 1, tzinfo=UTC), Decimal("2"), float("nan"), b"\\x01"])
    ['2018-10-01T00:00:00Z', 2, None, '01']
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


class Progress:
    """A step that is under way; `advance` says how much more is done."""

    def advance(self, amount: float = 1.0) -> None:
        """Move the bar on; without a terminal this does nothing."""


class _Bar(Progress):
    def __init__(self, bar: Any, task: Any) -> None:
        self._bar, self._task = bar, task

    def advance(self, amount: float = 1.0) -> None:
        self._bar.advance(self._task, amount)


class Console:
    """Where a command prints to.

    `json` turns everything but errors into JSON lines on stdout; `quiet` leaves out progress, stage times and notes.
    """

    def __init__(self, json: bool = False, quiet: bool = False) -> None:
        self.json, self.quiet = json, quiet

    @contextmanager
    def progress(self, label: str, total: float | None, of_bytes: bool = False) -> Iterator[Progress]:
        """A bar on stderr while a step runs; only on a terminal. `total` None means that the end is not known.

        With `of_bytes` it shows MB and MB/s.
        """
        if self.quiet or self.json or not sys.stderr.isatty():
            yield Progress()
            return
        from rich import progress as parts
        from rich.progress import Progress as RichProgress

        words = parts.TextColumn("{task.description}", markup=False)
        done = (parts.DownloadColumn(), parts.TransferSpeedColumn()) if of_bytes else (parts.MofNCompleteColumn(),)
        columns = (words, parts.BarColumn(), *done, parts.TimeRemainingColumn())
        with RichProgress(*columns, console=_rich(sys.stderr), transient=True) as bar:
            yield _Bar(bar, bar.add_task(printable(label), total=total))

    @contextmanager
    def grids(self) -> Iterator[None]:
        """A bar for each grid that is built meanwhile: those are built once, and may take half a minute."""
        from geo.grid import watched

        done = 0.0
        with ExitStack() as bars:
            bar = Progress()

            def show(name: str, part: float) -> None:
                nonlocal bar, done
                if part == 0.0:
                    bars.close()
                    bar, done = bars.enter_context(self.progress(f"building grid: {name} (once)", 100.0)), 0.0
                bar.advance(100.0 * (part - done))
                done = part
                if part == 1.0:
                    bars.close()

            with watched(show):
                yield

    def stage(self, name: str, seconds: float, detail: str = "") -> None:
        """Say that a step is done and how long it took."""
        if self.json:
            print_json_lines([{"type": "stage", "name": name, "seconds": round(seconds, 3), "detail": detail}])
        elif not self.quiet:
            print(f"{printable(name):<12} {seconds:7.1f} s  {printable(detail)}".rstrip(), file=sys.stderr)

    def events(self, events: Events) -> None:
        """Events by kind, then the foremost of all: dark periods first, longest first."""
        if self.json:
            from luxwake.geojson import event_properties

            print_json_lines({"type": "event", **event} for event in event_properties(events))
            return
        table = _table("Events", ("kind", "events", "ships", "longest"), right=(1, 2, 3))
        lengths = events["t_end"] - events["t_start"] if len(events) else None
        for code, kind in enumerate(type(events).words["kind"]):
            of_kind = events["kind"] == code if len(events) else None
            if of_kind is not None and lengths is not None and of_kind.any():
                ships = len(set(events["mmsi"][of_kind].tolist()))
                _row(
                    table,
                    kind.replace("_", " "),
                    f"{of_kind.sum():,}",
                    f"{ships:,}",
                    _lasted(int(lengths[of_kind].max())),
                )
        if not table.row_count:
            print("no events")
            return
        _show(table)
        self._foremost(events)

    def _foremost(self, events: Events) -> None:
        from luxwake.geojson import event_properties

        kinds = type(events).words["kind"]
        order = {kind: n for n, kind in enumerate(_ALARM_ORDER)}
        start, end = events["t_start"].tolist(), events["t_end"].tolist()
        rows = sorted(
            range(len(events)),
            key=lambda row: (
                order.get(kinds[int(events["kind"][row])], len(order)),
                start[row] - end[row],
                str(events["id"][row]),
            ),
        )[:MAX_EVENTS]
        title = f"The foremost {len(rows)} of {len(events):,}" if len(rows) < len(events) else "One by one"
        table = _table(title, ("kind", "ship", "from (UTC)", "lasted", "where", "score"), right=(3, 5))
        names = vessel_names(events)
        for event in event_properties(events.take(rows)):  # type: ignore[arg-type]  # a list of rows is an index
            ship = names.get(event["mmsi"]) or str(event["mmsi"])
            if event.get("other"):
                ship += f" + {names.get(event['other']) or event['other']}"
            score = (
                "unknown" if event["score"] is None else f"{int(100 * event['score']) / 100:.2f}"
            )  # never rounded up
            lasted = _lasted(end[rows[table.row_count]] - start[rows[table.row_count]])
            what = f"{event['kind']}, {event['label']}" if event.get("label") else event["kind"]
            _row(table, what.replace("_", " "), ship, _minute(event["t_start"]), lasted, _where(event), score)
        _show(table)

    def findings(self, findings_json: Json) -> None:
        """The findings, best ranked first: goods, ship, when it was dark, bounds of the score, conclusion."""
        findings: Sequence[Json] = findings_json.get("findings", ())
        if self.json:
            print_json_lines({"type": "finding", **finding} for finding in findings)
            return
        if not findings:
            print("no findings")
            return
        from luxwake.report.dossier import finding_line

        table = _table("Findings", ("", "goods", "ship", "when dark", "score", "conclusion"), right=(0,))
        for n, finding in enumerate(findings[:MAX_FINDINGS]):
            line = finding_line(finding)
            _row(table, finding.get("rank", n + 1), line.goods, line.ship, line.dark, line.bounds, line.conclusion)
        _show(table)
        if len(findings) > MAX_FINDINGS:
            print(f"{len(findings) - MAX_FINDINGS:,} more stand in findings.json")

    def counts(self, title: str, mapping: Mapping[str, int]) -> None:
        """Numbers by reason, the largest first; nothing where there are none."""
        if self.json:
            print_json_lines([{"type": "summary", "title": title, **{"counts": dict(mapping)}}])
        elif mapping:
            table = _table(title, ("", "number"), right=(1,))
            for reason, number in sorted(mapping.items(), key=lambda item: (-item[1], item[0])):
                _row(table, reason, f"{number:,}")
            _show(table)

    def table(self, title: str, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Rows of any values under their names; with `json` one object a row.

        Where a row is too wide for the screen, each is printed as a list of its own: nothing is cut off.
        """
        made = [[plain(value) for value in row] for row in rows]
        if self.json:
            print_json_lines(dict(zip(names, row, strict=True)) for row in made)
            return
        cells = [["NULL" if value is None else printable(value) for value in row] for row in made]
        numbers = [n for n in range(len(names)) if made and all(isinstance(row[n], int | float | None) for row in made)]
        widest = [max(map(len, column)) for column in zip(names, *cells, strict=True)]
        if not made or sum(widest) + 2 * len(names) <= _rich(sys.stdout).width:
            table = _table(title, names, right=numbers)
            for row in cells:
                _row(table, *row)
            _show(table)
            return
        for n, row in enumerate(cells, start=1):
            table = _table(f"{title} row {n:,}".strip(), ("", "value"))
            for name, cell in zip(names, row, strict=True):
                _row(table, name, cell)
            _show(table)

    def note(self, text: str) -> None:
        """A remark for people, on stderr; a `note` line with `--json`."""
        if self.json:
            print_json_lines([{"type": "note", "text": text}])
        elif not self.quiet:
            print(printable(text), file=sys.stderr)

    def error(self, text: str) -> None:
        """What went wrong, as one line on stderr, always."""
        print(f"luxwake: {printable(text)}", file=sys.stderr)


def vessel_names(events: Events) -> dict[int, str]:
    """The names that ships sent, by MMSI; a ship that sent none is not in it."""
    vessels = events.vessels
    if vessels is None or "name" not in vessels.columns:
        return {}
    named = zip(vessels["mmsi"].tolist(), vessels["name"].tolist(), strict=True)
    texts = ((mmsi, name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name)) for mmsi, name in named)
    return {mmsi: name.strip() for mmsi, name in texts if name.strip()}


def _rich(stream: TextIO) -> RichConsole:
    """A console of rich: plain and of a fixed width where the stream is not a terminal."""
    from rich.console import Console as RichConsole

    tty = stream.isatty()
    plain = not tty or bool(os.environ.get("NO_COLOR"))
    return RichConsole(
        file=stream,
        width=None if tty else PLAIN_WIDTH,
        force_terminal=tty,
        no_color=plain,
        color_system=None if plain else "auto",
        highlight=False,
        markup=False,
        emoji=False,
    )


def _table(title: str, head: Sequence[str], right: Sequence[int] = ()) -> RichTable:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    table = RichTable(
        title=Text(printable(title), style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for n, word in enumerate(head):
        table.add_column(printable(word), justify="right" if n in right else "left", overflow="fold")
    return table


def _row(table: RichTable, *cells: object) -> None:
    from rich.text import Text

    table.add_row(*(Text(printable(cell)) for cell in cells))


def _show(table: RichTable) -> None:
    _rich(sys.stdout).print(table)


def _minute(iso: str | None) -> str:
    return "unknown" if iso is None else iso[:16].replace("T", " ")


def _where(event: Json) -> str:
    zones = f", {event['zones']}" if event.get("zones") else ""
    if event.get("port") and event.get("kind") == "port_call":
        return f"{event['port']}{zones}"
    if event.get("anchorage_name") and event.get("kind") in ("waiting", "rendezvous"):
        return f"{event['anchorage_name']}{zones}"
    if event.get("lat") is None or event.get("lon") is None:
        return f"unknown{zones}"
    return f"{event['lat']:.2f} {event['lon']:.2f}{zones}"


def _lasted(us: int) -> str:
    hours = us / 3.6e9
    return f"{hours:.1f} h" if hours < 100.0 else f"{hours / 24.0:.1f} d"
