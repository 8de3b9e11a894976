"""Where the decoder's time goes: CPU ns a sentence, stage after stage, each with all that come before it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.tables import table

STAGES = {
    "read": "file into chunks of whole lines",
    "messages": "lines, tag blocks, checksums, payloads; parts joined",
    "fixes": "positions to columns",
    "static": "static reports to columns",
    "fold": "copies marked and counted",
}


def read(path: str) -> int:
    """Chunks of the file, and nothing done with them."""
    from ais.sources import chunks

    return sum(chunk.n for chunk in chunks(path))


def messages(path: str) -> int:
    """Messages as they lie in the decoder's buffers."""
    from ais.decode import Decoder
    from ais.sources import chunks

    decoder = Decoder()
    return sum(block.n for chunk in chunks(path) for block in decoder._read(chunk.data, chunk.n, chunk.offset))


def fixes(path: str) -> int:
    """Messages, and their positions as columns."""
    from ais.decode import Decoder
    from ais.reports import FixColumns
    from ais.sources import chunks

    decoder, found = Decoder(), FixColumns(Path(path).stat().st_size // 44)
    for chunk in chunks(path):
        for block in decoder._read(chunk.data, chunk.n, chunk.offset):
            found.append(block.rows, block.n, block.words, block.tally)
    return len(found)


def static(path: str) -> int:
    """All that `lw.decode(path, fold=False)` gives."""
    from ais.decoded import decode

    return len(decode(path, fold=False))


def fold(path: str) -> int:
    """All that `lw.decode(path)` gives."""
    from ais.decoded import decode

    return len(decode(path))


def measure(path: str, runs: int) -> dict[str, Any]:
    """CPU seconds up to each stage, median of `runs` in turns (runs in a process of its own)."""
    ways: dict[str, Callable[[str], int]] = {
        "read": read, "messages": messages, "fixes": fixes, "static": static, "fold": fold
    }  # fmt: skip
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs + 1):  # the first round compiles, or loads what is compiled
        for name, work in ways.items():
            begin = time.process_time()
            work(path)
            spent[name].append(time.process_time() - begin)
    return {name: statistics.median(seconds[1:]) for name, seconds in spent.items()}


def shown(seconds: dict[str, float], sentences: int) -> str:
    """The stages of one input as a table."""
    before, lines = 0.0, []
    for name, words in STAGES.items():
        so_far = seconds[name] / sentences * 1e9
        lines.append((words, f"{so_far - before:.1f}", f"{so_far:.1f}"))
        before = so_far
    return table(("stage", "CPU ns a sentence", "with all before it"), lines)
