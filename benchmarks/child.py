"""One measurement in a process of its own, so that peak memory and first calls are those of that measurement alone."""

from __future__ import annotations

import importlib
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def run_child(
    function: str, arguments: Mapping[str, object] | None = None, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The result of `module:function(**arguments)` in a fresh process, with its `peak_mb` and `process_s`."""
    command = [sys.executable, "-m", "benchmarks.child", function, json.dumps(dict(arguments or {}))]
    begin = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"benchmarks: {function} ended with {done.returncode}; its words are above")
    result: dict[str, Any] = json.loads(done.stdout)
    return {**result, "process_s": time.perf_counter() - begin}


def peak_mb() -> float:
    """Greatest resident memory of this process so far, in MB (10^6 bytes)."""
    status = Path("/proc/self/status")
    if status.is_file():  # rusage begins with the peak of the process that started this one; this does not
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        if found:
            return int(found[1]) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def timed(work: Callable[[], object], repeats: int) -> dict[str, float]:
    """Median CPU and wall seconds of `work`, and the peak memory before and after."""
    before = peak_mb()
    cpu, wall = [], []
    for _ in range(repeats):
        c, w = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - c)
        wall.append(time.perf_counter() - w)
    return {"cpu_s": statistics.median(cpu), "wall_s": statistics.median(wall), "before_mb": before}


def main(function: str, arguments: str) -> None:
    """Call the function and print its result as JSON; anything else that is printed goes to stderr."""
    out, sys.stdout = sys.stdout, sys.stderr
    module, name = function.split(":")
    result = getattr(importlib.import_module(module), name)(**json.loads(arguments))
    print(json.dumps({**result, "peak_mb": peak_mb()}), file=out)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
