"""Files without a name: what is too large for memory and need not outlive the process."""

from __future__ import annotations

import math
import mmap
import os
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geo.errors import OutputError


class NamelessFile:
    """Arrays at places of a file that is gone when it is closed, or the process ends.

    Parameters
    ----------
    folder : where there is space for it; made if it is not there

    >>> file = NamelessFile(tempfile.gettempdir())
    >>> file.write(np.array([1, 2, 3]), 16)
    40
    >>> file.read(np.dtype(np.int64), 2, 24).tolist()
    [2, 3]
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        self.handle = file.fileno()
        self.close = weakref.finalize(self, file.close)
        """It is needed no more."""

    def write(self, array: NDArray[Any], at: int) -> int:
        """Write an array to a place in bytes; the place behind it. Raises OSError where the disk does not take it."""
        data = np.ascontiguousarray(array).data.cast("B") if array.size else memoryview(b"")
        while data:
            written = os.pwrite(self.handle, data, at)
            data, at = data[written:], at + written
        return at

    def read(self, dtype: np.dtype[Any], n: int, at: int) -> NDArray[Any]:
        """The `n` values that were written to a place. Raises OutputError where they cannot be read."""
        try:
            return read_values(self.handle, dtype, n, at)
        except OSError as error:
            raise OutputError(f"{self.folder}: a file in it cannot be read ({error.strerror}); start again") from None


def read_values(handle: int, dtype: np.dtype[Any], n: int, at: int) -> NDArray[Any]:
    """The `n` values at a place of an open file. Raises OSError."""
    array = np.empty(n, dtype)
    data = array.view(np.uint8).data if array.nbytes else memoryview(bytearray())
    while data:
        read = os.preadv(handle, [data], at)
        if read == 0:
            raise OSError(0, "it ends early")
        data, at = data[read:], at + read
    return array


class FileArray:
    """A zeroed array that lies in such a file, so that what nobody looks at need not be in memory.

    All of the file is taken at once: no write to the array can find the disk full. Raises OSError where there is no
    room for it, or the system has no such files.

    >>> rows = FileArray(tempfile.gettempdir(), (2, 3), np.dtype("i4"))
    >>> rows.array[1] = 7
    >>> rows.leave()
    >>> rows.array.tolist(), [row.tolist() for row in rows.read()]
    ([[0, 0, 0], [7, 7, 7]], [[0, 0, 0], [7, 7, 7]])
    """

    def __init__(self, folder: str | Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._file, n = NamelessFile(folder), math.prod(shape)
        if not hasattr(os, "posix_fallocate") or not hasattr(mmap, "MADV_DONTNEED"):
            raise OSError("no arrays in files on this system")
        os.posix_fallocate(self._file.handle, 0, max(1, n * dtype.itemsize))
        self._pages = mmap.mmap(self._file.handle, n * dtype.itemsize)
        self.array = np.frombuffer(self._pages, dtype, n).reshape(shape)

    def leave(self) -> None:
        """Its pages leave memory until they are looked at; what was written to them is the file's."""
        self._pages.madvise(mmap.MADV_DONTNEED)

    def read(self) -> Iterator[NDArray[Any]]:
        """Its rows, none of which comes to memory for longer than it is asked for."""
        size = self.array[0].size
        for k in range(self.array.shape[0]):
            yield self._file.read(self.array.dtype, size, k * size * self.array.itemsize).reshape(self.array.shape[1:])
