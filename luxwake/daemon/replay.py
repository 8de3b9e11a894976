"""`luxwake replay`: recorded feeds through the daemon's own path, as fast as can be or by the clock of their times."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from ais.decode import Decoder
from ais.sources import expand, format_of, open_bytes
from ais.table import NAT
from geo.errors import UsageError
from luxwake.console import Console, Progress, print_json_lines
from luxwake.daemon.config import Config, HttpConfig, StdinSource, read_config
from luxwake.daemon.intake import Intake
from luxwake.daemon.source import Source

PIECE_BYTES = 1 << 18
PLAIN = (".nmea", ".txt", ".log", ".ais")
"""Files that are not packed, by their names: how far one has come is known of these."""
TICK_S = 0.05
"""By the clock, bytes are handed on this often."""


class Recording(Source):
    """Files whose messages have times, handed on as they were heard, `speed` times as fast; None: as fast as can be."""

    def __init__(
        self, name: str, intake: Intake, paths: Sequence[Path], speed: float | None, progress: Progress | None = None
    ) -> None:
        super().__init__(name, intake)
        self._paths, self._speed = paths, speed
        self._progress, self._kept = progress or Progress(), 0
        self._decoder, self._fed = Decoder(), 0
        self._t_first = NAT
        self._begun = 0.0

    def run(self, cursor: str) -> None:
        """Hand on all files; what was kept of them before, as the cursor says, is left out."""
        done = int(cursor) if cursor.isdigit() else 0
        at = 0
        for path in self._paths:
            self.state = f"replays {path}"
            buffer = bytearray(PIECE_BYTES)
            with open_bytes(path) as reader:
                while (n := reader.readinto(memoryview(buffer))) > 0:
                    at, begin = at + n, max(0, done - at)
                    if begin < n and not (self._put(bytes(buffer[begin:n]), at) and not self.stop.is_set()):
                        return

    def on_kept(self, cursor: str) -> None:
        """So many bytes are done with."""
        self._progress.advance(int(cursor) - self._kept)
        self._kept = int(cursor)

    def _put(self, piece: bytes, at: int) -> bool:
        """Hand on a piece when its time has come; by the clock in parts."""
        if self._speed is None:
            return self.intake.put(piece, str(at))
        messages, fed = self._decoder.feed(piece), self._fed
        self._fed += len(piece)
        records = messages.records[messages.records["t"] != NAT]
        if records.size == 0:
            return self.intake.put(piece, str(at))
        if self._t_first == NAT:
            self._t_first, self._begun = int(records["t"][0]), time.monotonic()
        place, behind = 0, at - len(piece)
        due = (np.maximum.accumulate(records["t"]) - self._t_first) / 1e6 / self._speed
        ends = np.minimum(np.maximum(records["offset"] - fed + records["n_bytes"] + 2, 0), len(piece))
        while place < len(piece):
            now = time.monotonic() - self._begun
            k = int(np.searchsorted(due, now, side="right"))
            end = len(piece) if k == records.size else int(ends[k - 1]) if k else 0
            if end > place:
                if not self.intake.put(piece[place:end], str(behind + end)):
                    return False
                place = end
            elif self.stop.wait(TICK_S):
                return False
        return True


def replay(
    inputs: Sequence[str], console: Console, *, config: str | None, state: str | None, speed: float | None
) -> None:
    """Recorded feeds through sources, core, store and sinks; what was told, by kind and change."""
    from luxwake.daemon.serve_command import run

    check_speed(speed)
    paths = expand(list(inputs))
    for path in paths:
        with open_bytes(path) as reader:
            if (found := format_of(reader, None)) != "nmea":
                raise UsageError(f"{path}: is {found}, and only NMEA is replayed; use `luxwake detect` for it")
    base = read_config(config) if config else Config(http=HttpConfig(enabled=False))
    with ExitStack() as stack:
        folder = state or (base.state if config else stack.enter_context(tempfile.TemporaryDirectory()))
        is_kept = base.archive and (state or config) is not None
        made = msgspec.structs.replace(base, state=folder, archive=is_kept, sources=[StdinSource(name="replay")])
        begun = time.perf_counter()
        is_plain = all(path.suffix.lower() in PLAIN for path in paths)
        total = sum(path.stat().st_size for path in paths) if is_plain else None
        progress = stack.enter_context(console.progress("replay", total, of_bytes=True))
        daemon = run(
            made, console, lambda one, intake: Recording(one.name, intake, paths, speed, progress), has_end=True
        )
        _print(daemon, time.perf_counter() - begun, console)


def check_speed(speed: float | None) -> None:
    """Raise UsageError for a speed that none can be."""
    if speed is not None and not 0 < speed <= 1e9:
        raise UsageError(f"--speed {speed:g} is out of range; give a number from 0 to 1e9, such as 100")


def _print(daemon: Any, seconds: float, console: Console) -> None:
    """What was told, and what was not used."""
    told: Counter[tuple[str, str]] = daemon.core.told
    counts: Counter[str] = Counter()
    for parser in daemon.core.parsers.values():
        counts.update(parser.rejected)
        counts.update(parser.unused)
    messages = sum(parser.decoded for parser in daemon.core.parsers.values())
    if console.json:
        for (kind, change), n in sorted(told.items()):
            print_json_lines([{"type": "told", "kind": kind, "change": change, "n": n}])
        summary = {"messages": messages, "seconds": round(seconds, 3), "not_used": dict(counts)}
        print_json_lines([{"type": "summary", **summary}])
        return
    console.table("Told", ("kind", "change", "times"), [(*key, f"{n:,}") for key, n in sorted(told.items())])
    console.counts("Not used of the input", dict(counts))
    console.note(f"{messages:,} messages in {seconds:.1f} s: {messages / max(seconds, 1e-9):,.0f}/s")
