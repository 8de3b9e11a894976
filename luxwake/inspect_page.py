"""The page that `luxwake inspect` prints: what an investigator wants to see in the first minute with a file."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ais.mmsi import MMSI_CLASSES
from ais.sources import expand, open_bytes
from geo.errors import OutputError, UsageError
from luxwake.console import print_json_lines, printable
from luxwake.density import Box
from luxwake.inspect import TYPE_TITLES, inspect_one, together
from luxwake.survey import MAX_GAPS, Survey, iso
from luxwake.world_map import extent, terminal_map, write_map

if TYPE_CHECKING:
    from luxwake.console import Console

MAX_INPUTS = 40
MAX_STATIONS = 15
MAX_WORDS = 8
_MAP_LINES = 22


def run_inspect(
    inputs: Sequence[str | Path],
    map_file: str | None,
    console: Console,
    columns: Mapping[str, str] | None = None,
) -> None:
    """Survey the inputs and print what they hold; `map_file` is where a PNG goes."""
    if map_file is not None:
        _check_map(Path(map_file))
    left_out: list[tuple[Path, str]] = []
    paths = expand(inputs, left_out, columns)
    _note_compiling(console)
    surveys = []
    with console.progress("reading", _text_bytes(paths), of_bytes=True) as progress:
        for path in paths:
            surveys.append(inspect_one(path, progress.advance, columns))
    for path, why in left_out:
        console.note(f"left out: {why if why.startswith(str(path)) else f'{path}: {why}'}")
    total = together(surveys) if len(surveys) > 1 else surveys[0]
    box = write_map(total.density, map_file) if map_file is not None else None
    if console.json:
        print_json_lines(_json_lines(surveys, total, box))
    elif not console.quiet:
        _print(surveys, total)
        _print_map(total, map_file, box)


def _note_compiling(console: Console) -> None:
    """Say what is about to be compiled, where no earlier run left it in the cache."""
    from geo.kernel import CACHE_FOLDER

    if CACHE_FOLDER is None:
        console.note("compiling the readers (every time, since no folder can be written)")
    elif not any(CACHE_FOLDER.glob("*/mmsi.*.nbi")):
        console.note("compiling the readers (once; `luxwake warmup` too)")


def _text_bytes(paths: Sequence[Path]) -> int | None:
    """How many bytes the inputs hold; None where a packed one, or a pipe, leaves that open."""
    total = 0
    for path in paths:
        if str(path) == "-" or not path.is_file():
            return None
        with open_bytes(path) as reader:
            if reader.packing != "plain":
                return None
        total += path.stat().st_size
    return total


def _check_map(path: Path) -> None:
    """A wrong name is said before hours of reading."""
    if path.suffix.lower() != ".png":
        raise UsageError(f"--map {path}: maps are PNG; give a name that ends with .png")
    if not path.parent.is_dir():
        raise OutputError(f"--map {path}: the folder does not exist; make it, or give another place")


def _json_lines(surveys: list[Survey], total: Survey, box: Box | None) -> list[dict[str, object]]:
    lines: list[dict[str, object]] = [{"type": "inspection", **one.as_dict()} for one in surveys]
    if len(surveys) > 1:
        lines.append({"type": "inspection_sum", "inputs": len(surveys), **total.as_dict()})
    if box is not None:
        lines.append({"type": "map", **box._asdict()})
    return lines


def _print(surveys: list[Survey], total: Survey) -> None:
    several = len(surveys) > 1
    if several:
        _print_inputs(surveys)
    _print_table(f"{len(surveys):,} inputs together" if several else total.name, None, _facts(total))
    types = [(str(code), n, TYPE_TITLES.get(code, "unknown")) for code, n in sorted(total.types.items())]
    _print_shares("Messages", ("type", "messages", "share", "what it is"), types)
    senders = total.senders_by_class
    classes = [(f"{senders[MMSI_CLASSES[code]]:,}", n, MMSI_CLASSES[code]) for code, n in total.by_class.most_common()]
    _print_shares("Senders, told by their numbers", ("senders", "messages", "share", "class"), classes)
    heard = total.stations.most_common()
    more = f" (the {MAX_STATIONS} busiest of {len(heard):,})" if heard[MAX_STATIONS:] else ""
    _print_shares(
        "Stations" + more, ("", "heard", "share", "station"), [("", n, name) for name, n in heard[:MAX_STATIONS]]
    )
    _print_gaps(total)
    _print_rejected(total, several)


def _print_inputs(surveys: list[Survey]) -> None:
    shown = surveys[:MAX_INPUTS]
    title = f"Inputs (the first {MAX_INPUTS} of {len(surveys):,})" if len(shown) < len(surveys) else "Inputs"
    folder = os.path.commonpath([os.path.dirname(one.name) for one in shown]) if _in_folders(shown) else ""
    rows = []
    for one in shown:
        first = iso(one.heard.span[0])[:16].replace("T", " ") if one.heard.span else "unknown"
        name = os.path.relpath(one.name, folder) if folder else one.name
        counts = (_bytes(one.bytes), f"{one.messages:,}", f"{one.ships:,}")
        rows.append((*counts, first, _lasted(one), one.format, name))
    names = ("size", "messages", "ships", "from (UTC)", "lasts", "format", "input")
    _print_table(title, names, rows, right=(0, 1, 2, 4))


def _in_folders(surveys: list[Survey]) -> bool:
    """Have all of them a name that begins with a folder, in the same way?"""
    return all(os.path.dirname(one.name) for one in surveys) and len({os.path.isabs(one.name) for one in surveys}) == 1


def _facts(one: Survey) -> list[tuple[str, str]]:
    """The most important in a few lines."""
    nmea = bool(one.talkers) or one.format.startswith("nmea")
    timed, span = one.heard.messages, one.heard.span
    facts = [("format", one.format), ("size", f"{one.bytes:,} bytes" if one.bytes else "unknown")]
    facts.append(
        (
            "messages",
            f"{one.messages:,}" + (f" in {one.sentences:,} sentences" if nmea else f" of {one.sentences:,} rows"),
        )
    )
    if span is None:
        facts.append(("time", "unknown: no message has one"))
    else:
        facts.append(("time", f"{iso(span[0])} to {iso(span[1])} ({_lasted(one)})"))
        if timed < one.messages:
            facts.append(("without a time", _of(one.messages - timed, one.messages)))
        if timed > 1:
            facts.append(("usual interval", _interval(one.heard.usual_us)))
    facts.append(("ships", f"{one.ships:,} of {len(one.senders.numbers()):,} senders"))
    without = f"; {one.without_position:,} reports say that they know none" if one.without_position else ""
    facts.append(("positions", f"{one.density.positions:,}{without}"))
    again = "were heard within 10 s before" if nmea else "repeat time, number and position of another"
    facts.append(
        (
            "copies",
            "unknown: without times none is told" if span is None else f"{_of(one.copies, one.messages)} {again}",
        )
    )
    if one.talkers:
        facts.append(("talkers", _listed(one.talkers)))
    if set(one.channels) - {""}:
        facts.append(("channels", _listed(one.channels)))
    if nmea:
        lost = sum(rejected.bytes or 0 for rejected in one.rejected.values())
        facts.append(("not used", f"{lost:,} bytes ({100.0 * lost / max(1, one.bytes):.1f} %)" if lost else "nothing"))
    return facts


def _print_shares(title: str, names: Sequence[str], rows: Sequence[tuple[str, int, str]]) -> None:
    """A table of counts with the share of each; nothing where there are none."""
    whole = sum(n for _, n, _ in rows)
    cells = [(first, f"{n:,}", f"{100.0 * n / whole:.1f} %", last) for first, n, last in rows]
    if cells:
        keep = slice(None) if names[0] else slice(1, None)
        _print_table(title, names[keep], [row[keep] for row in cells], right=range(len(names[keep]) - 1))


def _print_gaps(one: Survey) -> None:
    gaps = one.heard.gaps()
    if gaps:
        title = "Silences of the whole feed" + (
            f" (the longest {MAX_GAPS} of {len(gaps):,})" if gaps[MAX_GAPS:] else ""
        )
        rows = [(iso(begin), iso(end), _duration(end - begin)) for begin, end in gaps[:MAX_GAPS]]
        _print_table(title, ("from", "to", "lasted"), rows, right=(2,))


def _print_rejected(one: Survey, several: bool) -> None:
    rows = []
    for reason, part in sorted(one.rejected.items(), key=lambda item: (-(item[1].bytes or 0), -item[1].times)):
        known = [f"{number:,}" if number is not None else "unknown" for number in (part.bytes, part.offset)]
        source = f", first in {Path(part.source).name}" if several and part.offset is not None else ""
        rows.append((f"{part.times:,}", *known, reason + source))
    if rows:
        _print_table("Not used, or not believed", ("times", "bytes", "first at byte", "why"), rows, right=range(3))


def _print_table(
    title: str, names: Sequence[str] | None, rows: Sequence[Sequence[str]], right: Collection[int] = ()
) -> None:
    """A table in which the last column may be as wide as it likes: it is the terminal that breaks its lines."""
    cells = [[printable(cell) for cell in row] for row in ([names] if names else []) + list(rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "   ".join(cell.rjust(width) if n in right else cell.ljust(width) for n, (cell, width) in enumerate(both))
        for both in (list(zip(row, widths, strict=True)) for row in cells)
    ]
    if names:
        lines.insert(1, "─" * min(80, max(len(line.rstrip()) for line in lines)))
    print("\n".join([printable(title), "", *(f" {line.rstrip()}" for line in lines), ""]))


def _print_map(one: Survey, map_file: str | None, box: Box | None) -> None:
    if box is not None:
        print(f"map: {printable(map_file)}: {extent(one.density, box)}")
        return
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 80
    lines = terminal_map(one.density, min(width, 120) - 1, _MAP_LINES, colour)
    try:
        "".join(lines).encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:  # a terminal without Unicode
        lines = [_ascii(line) for line in lines]
    for line in lines:
        print(line)


def _ascii(line: str) -> str:
    """The same with `.` for land and `#` where something was heard."""
    return "".join({"░": ".", "°": " "}.get(one, "#" if "\u2800" <= one <= "\u28ff" else one) for one in line)


def _listed(counts: Counter[str]) -> str:
    """Words with their numbers, the most frequent first."""
    parts = [f"{printable(word) or 'none'} {n:,}" for word, n in counts.most_common(MAX_WORDS)]
    more = len(counts) - len(parts)
    return ", ".join(parts) + (f" and {more:,} more" if more > 0 else "")


def _of(part: int, whole: int) -> str:
    return f"{part:,} ({100.0 * part / max(1, whole):.1f} %)"


def _bytes(n: int) -> str:
    return f"{n / 1e6:,.1f} MB" if n >= 100_000 else f"{n / 1e3:,.1f} kB"


def _lasted(one: Survey) -> str:
    span = one.heard.span
    return "unknown" if span is None else _duration(span[1] - span[0])


def _duration(us: float) -> str:
    """A duration in the unit in which a person thinks of it.

    >>> [_duration(seconds * 1e6) for seconds in (0.5, 90, 7200, 400_000)]
    ['0.5 s', '90.0 s', '2.0 h', '4.6 d']
    """
    seconds = us / 1e6
    for unit, length, end in (("s", 1.0, 120.0), ("min", 60.0, 7_200.0), ("h", 3_600.0, 360_000.0)):
        if seconds < end:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds / 86_400.0:.1f} d"


def _interval(us: float) -> str:
    return f"{us / 1e3:.1f} ms" if us < 1e6 else _duration(us)
