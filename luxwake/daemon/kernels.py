"""The kernels of a daemon are there before it begins: where they are not, another process compiles them.

LLVM holds the lock of Python for half a second at a time, for which the status server would not answer. A file beside
the kernels says for which processor they are, so that a start need not try each of them.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
import threading
from pathlib import Path

from geo.kernel import CACHE_FOLDER

LOOK_S = 0.1
TRIES = 2
"""Processes that may end before all is compiled, as where memory is short for a moment."""


def have_kernels(stopping: threading.Event) -> str:
    """Have the kernels compiled where they are not; in words, what was done. Ends early when `stopping` is set."""
    if is_compiled():
        return "ready"
    why = "there is no folder to keep them in (set LUXWAKE_CACHE)"
    for _ in range(TRIES if CACHE_FOLDER is not None else 0):
        child = subprocess.Popen(
            [sys.executable, "-c", "from luxwake.daemon.kernels import compile_all; compile_all()"]
        )
        while child.poll() is None:
            if stopping.wait(LOOK_S):
                child.kill()
                child.wait()
                return "not compiled, for the daemon stops"
        if is_compiled():
            return "compiled"
        why = f"the process that does it ended with status {child.returncode}, {TRIES} times"
    compile_all()
    return f"compiled by the daemon itself; {why}"


def is_compiled() -> bool:
    """Are all kernels of the daemon on the disk?"""
    note = _note()
    return note is not None and note.is_file() and note.read_text(encoding="utf-8") == _processor()


def compile_all() -> None:
    """Compile them in this process, and note it."""
    from luxwake.warmup import warm_detectors, warm_reader

    warm_reader()
    warm_detectors()
    note_compiled()


def note_compiled() -> None:
    """All kernels of the daemon are on the disk from here on."""
    note = _note()
    if note is not None:
        note.write_text(_processor(), encoding="utf-8")


def _note() -> Path | None:
    """Numba keeps the kernels by the path of their source, so that each copy of the project has a note of its own."""
    if CACHE_FOLDER is None:
        return None
    source = hashlib.blake2b(__file__.encode(), digest_size=8).hexdigest()
    return CACHE_FOLDER / f"of-the-daemon-{source}"


def _processor() -> str:
    """The processor that machine code is for, as LLVM names it."""
    from llvmlite.binding import get_host_cpu_features, get_host_cpu_name

    return f"{platform.machine()} {get_host_cpu_name()} {get_host_cpu_features().flatten()}\n"
