"""Rows of a spreadsheet (xlsx, xlsm, xlsb, xls, ods), read in a process of its own that has a limit of memory.

A sheet of a few kilobytes may unpack to terabytes (one cell at XFD1048576, one text in a million cells). No look at
the file tells this for certain, so it is opened where it can do no harm.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cargo.delimited import Known, header_above, unique
from cargo.jsonrows import plain_text_of
from cargo.rowfile import Gatherer, How, RawRow, RowFile
from geo.errors import InputError

MEMORY_LIMIT = 2 << 30
"""Bytes of address space of the process that opens a sheet."""
TIME_LIMIT_S = 900
_HEAD_ROWS = 40
_MAX_CELL = 131_072


def read_sheet(path: Path, how: How, known: Known | None = None) -> RowFile:
    """Read the rows of a sheet: the one named, else the first whose header has most known headings.

    Empty rows are counted as blank lines. The row kept is the canonical JSON of its cells.

    Raises InputError for a file that cannot be opened, has no such sheet, or unpacks beyond `MEMORY_LIMIT`.
    """
    rows = _rows(path, how.sheet)
    sheet, head = "", []
    best = (-1, -1)
    heads: dict[str, list[list[Any]]] = json.loads(next(rows))
    for name, first in heads.items():
        texts = [[plain_text_of(cell) for cell in row] for row in first]
        above = how.header_row - 1 if how.header_row else header_above(texts, known)
        cells = texts[above] if above < len(texts) else []
        rank = (known(cells) if known else 0, int(any(cells)))
        if rank > best:
            best, sheet, head = rank, name, texts
    if not sheet or not any(any(row) for row in head):
        raise InputError(f"{path}: no sheet with rows; it has {', '.join(map(repr, heads)) or 'none'}")
    if len(heads) > 1:
        rows.close()
        rows = _rows(path, sheet)
        next(rows)
    above = how.header_row - 1 if how.header_row else header_above(head, known)
    if above >= len(head):
        raise InputError(f"{path}: sheet {sheet!r} has no row {above + 1}; give a header_row that it has")
    return _gather(path, rows, sheet, above, head[above], list(heads))


def _gather(path: Path, rows: Iterator[str], sheet: str, above: int, header: list[str], sheets: list[str]) -> RowFile:
    gatherer = Gatherer(path, unique(header))
    if above:
        gatherer.counts["line above the header"] = above
    number = 0
    for line, text in enumerate(rows, start=1):
        if line <= above + 1:
            continue
        cells = [plain_text_of(cell) for cell in json.loads(text)]
        if not any(map(str.strip, cells)):
            gatherer.counts["blank line"] += 1
            continue
        number += 1
        if max(map(len, cells)) > _MAX_CELL:
            gatherer.reject(number, line, f"a cell of over {_MAX_CELL:,} characters")
            continue
        gatherer.add(RawRow(number, line, -1, text.rstrip("\n").encode("utf-8", "replace"), cells))
    facts = {"format": "spreadsheet", "sheet": sheet, "header": f"row {above + 1}"}
    if others := [name for name in sheets if name != sheet]:
        facts["other sheets"] = ", ".join(others)
    with path.open("rb") as file:
        return gatherer.finish(facts, hashlib.file_digest(file, "sha256").hexdigest())


def _rows(path: Path, sheet: str) -> Any:
    """A line of JSON with the first rows of each sheet; then, where there is one sheet, each row of it."""
    command = [sys.executable, "-m", "cargo.spreadsheet", str(path), sheet, str(MEMORY_LIMIT)]
    house = str(Path(__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([house, os.environ.get("PYTHONPATH", "")])}
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=environment
    )
    assert child.stdout is not None and child.stderr is not None
    try:
        yield from child.stdout
        words = child.stderr.read()
        child.wait(TIME_LIMIT_S)
        if child.returncode:
            raise InputError(f"{path}: {_why(child.returncode, words)}")
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
        child.stderr.close()


def _why(code: int, words: str) -> str:
    last = words.strip().rsplit("\n", 1)[-1][:200]
    if code < 0 or "MemoryError" in words or "memory allocation" in words:
        return f"the sheet needs more than {MEMORY_LIMIT >> 30} GiB unpacked, or is made to; save it as CSV"
    return f"no spreadsheet that can be read ({last}); save it as CSV or xlsx"


def main(path: str, sheet: str, limit: str) -> int:
    """What the process of its own does: write the sheets as lines of JSON."""
    import resource

    import python_calamine

    resource.setrlimit(resource.RLIMIT_AS, (int(limit), int(limit)))
    try:
        book = python_calamine.load_workbook(path)
        names = book.sheet_names
        if sheet and sheet not in names:
            sys.stderr.write(f"no sheet {sheet!r}; there are {', '.join(map(repr, names))}")
            return 1
        wanted = [sheet] if sheet else names
        heads = {name: [row for row, _ in zip(_sheet(book, name), range(_HEAD_ROWS), strict=False)] for name in wanted}
        sys.stdout.write(json.dumps(heads) + "\n")
        if len(wanted) == 1:
            for row in _sheet(book, wanted[0]):
                sys.stdout.write(json.dumps(row, separators=(",", ":")) + "\n")
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}")
        return 1
    return 0


def _sheet(book: Any, name: str) -> Iterator[list[Any]]:
    """The rows of a sheet from its first row on, dates as ISO 8601."""
    found = book.get_sheet_by_name(name)
    for _ in range(found.start[0] if found.start else 0):
        yield []
    for row in found.iter_rows():
        yield [cell if isinstance(cell, str | int | float | bool) else plain_text_of(cell) for cell in row]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
