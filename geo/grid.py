"""Grids: arrays that are computed once, kept in the user's cache, and mapped into memory by whoever asks.

Coast, ports, zones and the graph of the sea are all of this kind: a few read-only arrays, made from sources (tables of
ours, a user's file) by a builder. The folder of a grid carries a digest of its sources and of the builder's own code,
so that a change of either makes another grid and never a wrong answer. Threads and processes share the pages of one
file; a second process that wants a grid while it is built waits for it. Where a grid cannot be kept (a cache that
cannot be written, a full disk) it is built in memory and lives as long as the process; one that is damaged is built
anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.cache import cache_root, keep_newest

Arrays = Mapping[str, NDArray[Any]]
Tell = Callable[[float], None]
"""Told by a builder which part of its work is done, 0 to 1."""

_KEPT_GRIDS = 8
"""Of one name; those that were not used for the longest time are removed."""

_watchers: list[Callable[[str, float], None]] = []


@contextmanager
def watched(watcher: Callable[[str, float], None]) -> Iterator[None]:
    """Tell `watcher` the name and the done part (0 to 1) of each grid that is built meanwhile.

    >>> seen = []
    >>> with watched(lambda name, part: seen.append((name, part))):
    ...     open_grid("doctest", [os.urandom(8)], lambda tell: {"ones": np.ones(3)})["ones"].tolist()
    [1.0, 1.0, 1.0]
    >>> seen
    [('doctest', 0.0), ('doctest', 1.0)]
    """
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


def open_grid(name: str, sources: Sequence[Path | bytes], build: Callable[[Tell], Arrays]) -> dict[str, NDArray[Any]]:
    """The arrays of a grid, built if need be; they cannot be written.

    `sources` are files (their bytes count, not their names) or bytes; give the builder's own `Path(__file__)` too.

    >>> first = open_grid("doctest", [b"source"], lambda tell: {"squares": np.arange(4) ** 2})
    >>> first["squares"].tolist(), first["squares"].flags.writeable
    ([0, 1, 4, 9], False)
    """
    folder = _folder(name, sources)
    if folder is None:
        return _read_only(_build(name, build))
    held = _mapped(folder)
    if held is None:
        with _locked(folder.with_name(f"{name}.lock")):
            held = _mapped(folder)
            if held is None:
                arrays = _build(name, build)
                with suppress(OSError):
                    _store(folder, arrays)
                    keep_newest(folder.parent, f"{name}-{20 * '[0-9a-f]'}", _KEPT_GRIDS)
                held = _mapped(folder) or _read_only(arrays)
    with suppress(OSError):
        os.utime(folder)  # so that what is used stays the longest
    return held


def _folder(name: str, sources: Sequence[Path | bytes]) -> Path | None:
    """Where a grid of these sources is kept; None for a user without a home folder."""
    digest = hashlib.blake2b(digest_size=10)
    for source in sources:
        part = hashlib.blake2b(source, digest_size=32) if isinstance(source, bytes) else _digest_of(source)
        digest.update(part.digest())
    try:
        root = cache_root() / "grids"
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except RuntimeError:  # no home folder can be determined
        return None
    except OSError:
        pass
    return root / f"{name}-{digest.hexdigest()}"


def _digest_of(path: Path) -> hashlib.blake2b:
    digest = hashlib.blake2b(digest_size=32)
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Alone among all processes, where a lock can be had; it ends with the process that holds it."""
    with ExitStack() as held:
        with suppress(OSError):
            fcntl.flock(held.enter_context(path.open("w")), fcntl.LOCK_EX)
        yield


def _build(name: str, build: Callable[[Tell], Arrays]) -> Arrays:
    def tell(part: float) -> None:
        for watcher in _watchers:
            watcher(name, part)

    tell(0.0)
    arrays = build(tell)
    tell(1.0)
    return arrays


def _store(folder: Path, arrays: Arrays) -> None:
    """All arrays or none: written beside, and moved into place when whole and on the disk."""
    for left in (folder, *folder.parent.glob(f".{folder.name}-*")):  # damaged, or of a builder that was killed
        shutil.rmtree(left, ignore_errors=True)
    staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        for key, array in arrays.items():
            with (staging / f"{key}.npy").open("wb") as stream:
                np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
                stream.flush()
                os.fsync(stream.fileno())
        staging.rename(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _mapped(folder: Path) -> dict[str, NDArray[Any]] | None:
    """The arrays of a stored grid; None where there is none, or one that is damaged."""
    try:
        # plain arrays over the map: numba looks at a subclass for ten times as long
        held = {path.stem: np.asarray(np.load(path, mmap_mode="r")) for path in sorted(folder.glob("*.npy"))}
    except (OSError, ValueError, EOFError):
        return None
    return held or None


def _read_only(arrays: Arrays) -> dict[str, NDArray[Any]]:
    found = {key: np.ascontiguousarray(array) for key, array in sorted(arrays.items())}
    for array in found.values():
        array.setflags(write=False)
    return found
