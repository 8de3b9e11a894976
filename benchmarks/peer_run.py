"""How every decoder is run, ours and the peers': `python peer_NAME.py WAY [FILE]`, one way of decoding in one process.

A program of a peer runs in that peer's environment, so it imports this file, the standard library and the peer alone.
Its answer is one line of JSON. With `crafted` as the way it reads cases from standard input instead, and gives what it
made of each.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

Way = Callable[[str], int]
"""Decodes a file; the number of messages or rows it made."""
Case = Callable[[list[bytes]], list[dict[str, object]]]
"""Decodes a few lines; each message as a dict of type, mmsi, lat, lon, name, destination and t (s), None unknown."""


class NotThereError(Exception):
    """The decoder has no such way; the text says why."""


def peak_mb() -> float:
    """Greatest resident memory of this program in MB (10^6 bytes); of the program alone where Linux tells it."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return float(lines["VmHWM"].split()[0]) * 1024 / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e6 / 1024)


def measure(work: Way, path: str, warm: str) -> dict[str, object]:
    """CPU and wall seconds of a call, after one on two lines that loads and compiles what is needed.

    The median of five where a call takes under a second, and then not the first: the machine has to find the memory
    for that one (150 ms for 100 MB on a virtual machine).
    """
    work(warm)
    ready = time.process_time()
    cpu, wall, made = [], [], 0
    while len(cpu) < 6 and (not cpu or cpu[0] < 1.0):
        c, w = time.process_time(), time.perf_counter()
        made = work(path)
        cpu.append(time.process_time() - c)
        wall.append(time.perf_counter() - w)
    cpu_s, wall_s = (median(seconds[1:] or seconds) for seconds in (cpu, wall))
    return {
        "cpu_s": cpu_s,
        "wall_s": wall_s,
        "first_s": cpu[0],
        "ready_s": ready,
        "messages": made,
        "peak_mb": peak_mb(),
    }


def main(version: str, ways: Mapping[str, Way], case: Case) -> None:
    """Run what the arguments say and print the answer."""
    name, *rest = sys.argv[1:]
    answer: dict[str, object]
    if name == "crafted":
        cases = json.load(sys.stdin)
        found = {key: case([line.encode("latin-1") for line in lines]) for key, lines in cases.items()}
        answer = {"cases": found}
    else:
        try:
            answer = measure(ways[name], *rest)
        except NotThereError as why:
            answer = {"not_there": str(why)}
    print(json.dumps({**answer, "version": version}))


def rounded(value: object, digits: int = 6) -> float | None:
    """A number for comparing, None for what is no number."""
    return round(float(value), digits) if isinstance(value, int | float) else None
