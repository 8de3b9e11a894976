"""The user's folder of what can be computed again: machine code of kernels, and grids."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path


def cache_root() -> Path:
    """The folder: `LUXWAKE_CACHE`, else `luxwake` in the user's cache folder. It may not exist yet."""
    if override := os.environ.get("LUXWAKE_CACHE"):
        return Path(override)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "luxwake"


def keep_newest(root: Path, pattern: str, kept: int) -> None:
    """Remove all but the newest folders of a pattern; who has a file of one mapped keeps its pages."""
    folders = sorted(root.glob(pattern), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in folders[kept:]:
        gone = old.with_name(f".gone-{old.name}")  # at once: nobody finds half a folder
        with suppress(OSError):
            old.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)
