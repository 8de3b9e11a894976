"""A file without a name: what is too large for memory and need not outlive the process."""

from __future__ import annotations

import os
import tempfile
import weakref
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
        self._handle = file.fileno()
        self.close = weakref.finalize(self, file.close)
        """It is needed no more."""

    def write(self, array: NDArray[Any], at: int) -> int:
        """Write an array to a place in bytes; the place behind it. Raises OSError where the disk does not take it."""
        data = np.ascontiguousarray(array).data.cast("B") if array.size else memoryview(b"")
        while data:
            written = os.pwrite(self._handle, data, at)
            data, at = data[written:], at + written
        return at

    def read(self, dtype: np.dtype[Any], n: int, at: int) -> NDArray[Any]:
        """The `n` values that were written to a place. Raises OutputError where they cannot be read."""
        array = np.empty(n, dtype)
        data = array.data.cast("B") if n else memoryview(bytearray())
        try:
            while data:
                read = os.preadv(self._handle, [data], at)
                if read == 0:
                    raise OSError(0, "it ends early")
                data, at = data[read:], at + read
        except OSError as error:
            raise OutputError(f"{self.folder}: a file in it cannot be read ({error.strerror}); start again") from None
        return array
