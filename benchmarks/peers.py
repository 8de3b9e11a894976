"""The decoder beside pyais, on the same sentences in the same process, as a ratio.

Both read the same file and make the same messages of it; pyais gives one Python object a message, we give columns. The
runs alternate, so that a busy machine slows both. Other peers (libais, AISdb, the Global Fishing Watch pipelines) need
environments of their own and are not measured here.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.child import run_child
from benchmarks.tables import number, table

TYPES = (1, 2, 3, 5, 9, 18, 19, 24, 27)
"""Message types that both turn into rows."""


def ours(path: Path) -> Counter[int]:
    """Messages by type, decoded into columns."""
    from ais.decode import Decoder
    from ais.sources import chunks

    decoder = Decoder()
    for chunk in chunks(path):
        decoder.decode(chunk.data, chunk.n, chunk.offset)
    return Counter({kind: n for kind, n in decoder.types.items() if kind in TYPES})


def theirs(path: Path) -> Counter[int]:
    """Messages by type, decoded by pyais; what it cannot decode it leaves out."""
    import pyais

    found: Counter[int] = Counter()
    with pyais.FileReaderStream(str(path)) as stream:
        for sentence in stream:
            try:
                found[int(sentence.decode().msg_type)] += 1
            except pyais.exceptions.AISBaseException:
                continue
    return Counter({kind: n for kind, n in found.items() if kind in TYPES})


def compare(path: str, repeats: int) -> dict[str, Any]:
    """Median CPU seconds of both, and the messages of each (runs in a process of its own)."""
    import gzip

    data = Path(path).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "input.nmea"
        plain.write_bytes(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)
        ours(plain)  # compiled before the clock starts
        seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
        for _ in range(repeats):
            for name, work in (("ours", ours), ("theirs", theirs)):
                begin = time.process_time()
                messages = work(plain)
                seconds[name].append(time.process_time() - begin)
                if name == "ours":
                    mine = messages
        lines = plain.read_bytes().count(b"\n")
    cpu = {name: median(values) for name, values in seconds.items()}
    return {
        "lines": lines,
        **cpu,
        "messages": [sum(mine.values()), sum(messages.values())],
        "only_ours": {str(kind): n for kind, n in (mine - messages).items()},
        "only_theirs": {str(kind): n for kind, n in (messages - mine).items()},
    }


def run(quick: bool) -> Iterator[str]:
    """The tables of this part, as text."""
    from benchmarks.real import DATA

    with tempfile.TemporaryDirectory() as folder:
        size: dict[str, object] = {"vessels": 12, "days": 2.0} if quick else {"vessels": 120, "days": 5.0}
        run_child("benchmarks.speed:simulate_world", {"out": folder, "seed": 1, **size})
        inputs = {"simulated world, with tag blocks": Path(folder) / "track.nmea"}
        if not quick:
            names = ("gpsd-ais-nmea-sample.log.gz", "dma-stream_example-PGHP.txt")
            inputs |= {name: DATA / "nmea" / name for name in names if (DATA / "nmea" / name).is_file()}
        results = {
            name: run_child("benchmarks.peers:compare", {"path": str(path), "repeats": 1 if quick else 3})
            for name, path in inputs.items()
        }
    header = ("input", "lines", "Luxwake, lines/CPU s", "pyais, lines/CPU s", "ratio", "messages, Luxwake", "pyais")
    rows = []
    for name, r in results.items():
        speed = [number(r["lines"] / r[who], 0) for who in ("ours", "theirs")]
        rows.append(
            [name, f"{r['lines']:,}", *speed, number(r["theirs"] / r["ours"], 1), *(f"{n:,}" for n in r["messages"])]
        )
    yield table(header, rows)
    yield f"Messages are those of types {', '.join(map(str, TYPES))}. Differences by type:"
    differences = ([name, _words(r["only_ours"]), _words(r["only_theirs"])] for name, r in results.items())
    yield table(("input", "only Luxwake", "only pyais"), differences)


def _words(differences: dict[str, int]) -> str:
    return ", ".join(f"type {kind}: {n:,}" for kind, n in differences.items()) or "none"
