"""Luxwake itself, run as the peers are: the ways of the decoder, and the limits that the machine sets."""

from __future__ import annotations

import contextlib
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import luxwake as lw
from ais.decode import Decoder
from ais.table import NAT
from benchmarks.peer_run import NotThereError, Way, main, rounded


def columns(path: str) -> int:
    """A file in chunks to columns of fixes and of static reports."""
    fixes = lw.decode(path, fold=False)
    return len(fixes) + len(fixes.static)


def folded(path: str) -> int:
    """The same with copies folded."""
    return len(lw.decode(path))


def two_threads(path: str) -> int:
    """The same as the first on two threads."""
    return len(lw.decode(path, fold=False, threads=2))


def messages(path: str) -> int:
    """Every message of every type as records and bits."""
    return len(lw.decode(path, messages=True))


def parquet(path: str) -> int:
    """`luxwake decode FILE -o out.parquet`."""
    from luxwake.cli import main as command

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()) as words:
        out = Path(folder) / "out.parquet"
        try:
            code = command(["decode", path, "-o", str(out)])
        except SystemExit as end:
            code = int(end.code or 0)
        if code:
            raise NotThereError(f"`luxwake decode` ended with {code}: {words.getvalue().strip()[:60]}")
        made = list(Path(folder).glob("*"))
        return sum(file.stat().st_size for file in made)


def decode_one(path: str) -> int:
    """`lw.decode_one(line)` of each line; its fields are read when they are asked for."""
    made = 0
    with open(path, "rb") as lines:
        for line in lines:
            try:
                made += lw.decode_one(line) is not None
            except lw.LuxwakeError:
                continue
    return made


def feed(path: str) -> int:
    """`Decoder.feed(line)` of each line."""
    decoder, made = Decoder(), 0
    with open(path, "rb") as lines:
        for line in lines:
            made += len(decoder.feed(line))
    return made + len(decoder.flush())


LIMITS: dict[str, Callable[[NDArray[np.uint8], NDArray[np.uint8]], object]] = {
    "copy": lambda source, target: np.copyto(target, source),
    "xor": lambda source, target: np.bitwise_xor.reduce(source),
}
"""What no decoder can be faster than: moving the bytes once, and looking at each once as a checksum must."""


def limit(way: str, path: str) -> dict[str, object]:
    """CPU seconds of one pass over the file's bytes, median of five; reading the file is not counted."""
    source = np.fromfile(path, np.uint8)
    target = np.ones_like(source)  # its pages are there before the clock starts
    seconds = []
    for _ in range(5):
        begin = time.process_time()
        LIMITS[way](source, target)
        seconds.append(time.process_time() - begin)
    return {"cpu_s": statistics.median(seconds)}


def case(lines: list[bytes]) -> list[dict[str, object]]:
    """The messages of a crafted case, and under `counts` in the last place what was not used."""
    decoder = Decoder()
    found: list[dict[str, object]] = []
    for made in (decoder.feed(b"\n".join(lines) + b"\n"), decoder.flush()):
        fixes, static = made.fixes(), made.static()
        for table in (fixes, static):
            rows = [
                dict(zip(table, row, strict=True)) for row in zip(*(c.tolist() for c in table.values()), strict=True)
            ]
            found += [_message(row) for row in rows]
    return [*found, {"counts": decoder.counts}]


def _message(row: dict[str, Any]) -> dict[str, object]:
    """What is compared."""
    return {
        "type": row["msg_type"],
        "mmsi": row["mmsi"],
        "lat": rounded(row.get("lat")),
        "lon": rounded(row.get("lon")),
        "name": row["name"].decode() if "name" in row else None,
        "destination": row["destination"].decode() if "destination" in row else None,
        "t": row["t"] / 1e6 if row["t"] != NAT else None,
    }


WAYS: dict[str, Way] = {
    "columns": columns,
    "folded": folded,
    "two_threads": two_threads,
    "messages": messages,
    "parquet": parquet,
    "decode_one": decode_one,
    "feed": feed,
}

if __name__ == "__main__":
    if sys.argv[1] in LIMITS:
        print(json.dumps({**limit(*sys.argv[1:]), "version": lw.__version__}))
    else:
        main(lw.__version__, WAYS, case)
