"""The one decorator of all compiled functions, and where their machine code is cached.

numba's own cache looks only at the file that holds a function: a change in a helper of another module goes
unnoticed (measured: 2.0 instead of 1010.0). So the cache folder carries a digest of every source file that kernels may
see in its name; an edit of one starts a new folder, and the oldest folders are removed.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np
from numba.core.caching import FunctionCache

from geo.cache import cache_root, keep_newest


def _import_numba_arrays() -> None:
    """Import numba's array functions without scipy.linalg, 0.2 s of each start.

    They import it only to see whether there is a BLAS; no kernel of ours calls one, and one that did would find it.
    """
    name = "scipy.linalg.cython_blas"
    if name not in sys.modules:
        sys.modules[name] = ModuleType(name)
        try:
            importlib.import_module("numba.np.arraymath")
        finally:
            del sys.modules[name]


_import_numba_arrays()


class _Cache(FunctionCache):  # type: ignore[misc]
    """numba's cache, without all that a compiler needs where machine code is only loaded: 0.2 s of each start.

    What numba makes ready before it looks for a function (its tables of types and of what can be compiled, its memory
    manager) is made ready again when it compiles, and no kernel of ours allocates.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        return self._load_overload(sig, target_context)


_HOUSE = ("geo", "ais", "detectors", "cargo", "luxwake")
_FEW_KERNELS = ("cargo", "luxwake")
_HOLDS_KERNELS = re.compile(rb"^@(?:kernel|inner|inlined)\b", re.MULTILINE)
_KEPT_FOLDERS = 4


def source_digest() -> str:
    """Digest of every source file and table that a kernel may see (about 3 ms).

    In `cargo` and `luxwake`, where kernels are few, only the modules that hold some: tests/test_house.py sees to it
    that those take nothing from the others, so that an edit of a command compiles nothing anew.
    """
    root = Path(__file__).resolve().parent.parent
    digest = hashlib.blake2b(digest_size=8)
    for package in _HOUSE:
        for path in sorted(p for p in (root / package).rglob("*.*") if p.suffix in {".py", ".npz"}):
            data = path.read_bytes()
            if package in _FEW_KERNELS and not _HOLDS_KERNELS.search(data):
                continue
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(data)
    return digest.hexdigest()


def _open_cache() -> Path | None:
    """Create the cache folder for these sources; None where nothing can be written."""
    if os.environ.get("LUXWAKE_NUMBA_CACHE") == "0":
        return None
    checked = "-checked" if numba.config.BOUNDSCHECK else ""
    python = f"{sys.implementation.cache_tag}-numba{numba.__version__}{checked}"
    try:
        root = cache_root()
        folder = root / f"kernels-{source_digest()}-{python}"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.utime(folder)
        keep_newest(root, "kernels-*", _KEPT_FOLDERS)
    except (OSError, RuntimeError):  # RuntimeError: no home folder can be determined
        return None
    return folder if os.access(folder, os.W_OK) else None


CACHE_FOLDER = _open_cache()
if CACHE_FOLDER is not None:
    numba.config.CACHE_DIR = str(CACHE_FOLDER)


_OPTIONS = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": False,
    "no_cfunc_wrapper": True,
    # No reference counts, and so no allocation in a kernel: buffers are given by the caller (12 to 18 M sentences/s).
    "_nrt": False,
}


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` on its first call: no GIL, IEEE division, no fast-math, cached on disk.

    `error_model="numpy"` gives inf for a division by zero instead of a branch per division; fast-math stays off
    because it makes `isnan(nan)` false, and NaN means "not available" here.
    """
    compiled = numba.njit(**_OPTIONS)(function)
    if CACHE_FOLDER is not None and not numba.config.DISABLE_JIT:
        compiled._cache = _Cache(function)
    return compiled


def inner(function: Callable[..., Any]) -> Any:
    """The same for a function that only kernels call: nothing for Python is made of it, a third of the compile time."""
    return numba.njit(**_OPTIONS, no_cpython_wrapper=True)(function)


def inlined(function: Callable[..., Any]) -> Any:
    """The same, made part of the kernels that call it.

    For what runs once a row: a call hands over seven numbers for each array (decoding: 110 against 70 ns a sentence).
    """
    return numba.njit(**_OPTIONS, no_cpython_wrapper=True, forceinline=True)(function)


def records(dtype: np.dtype[Any], n: int) -> Any:
    """`n` zeroed records for kernels.

    Uncompiled kernels need a recarray for `row.field`; numba takes ten times as long to look at one (2 µs a call).
    """
    return for_kernels(np.zeros(n, dtype))


def for_kernels(rows: Any) -> Any:
    """Records as kernels take them, compiled or not."""
    return rows.view(np.recarray) if numba.config.DISABLE_JIT else rows
