"""Arrays to a file and back: how the state of an engine survives the end of its process."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError

State = dict[str, NDArray[Any]]
"""Named arrays that say all that an engine knows; records stay record arrays."""


def copied(array: NDArray[Any]) -> NDArray[Any]:
    """A copy that later rows do not change, as kernels take it."""
    twin = array.copy()
    return twin.view(np.recarray) if array.dtype.names else twin


def write_state(path: str | Path, state: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> None:
    """Write arrays and what was meant by them to a file (npz, no pickle); the old file stays until the new is whole."""
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    plain: dict[str, Any] = {name: array.view(np.ndarray) for name, array in state.items()}
    part = Path(f"{path}.part")
    with open(part, "wb") as file:
        np.savez(file, header=text, **plain)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)


def read_state(path: str | Path) -> tuple[State, dict[str, Any]]:
    """The arrays and the header of a file that `write_state` wrote.

    Raises
    ------
    InputError
        For a file that is not there, torn, or something else.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "state.npz"
    >>> write_state(path, {"n": np.arange(3)}, {"made": "by hand"})
    >>> read_state(path)
    ({'n': array([0, 1, 2])}, {'made': 'by hand'})
    """
    try:
        with np.load(path, allow_pickle=False) as saved:
            header = json.loads(saved["header"].tobytes())
            return {name: saved[name] for name in saved.files if name != "header"}, header
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else "it is no whole state of an engine"
        raise InputError(f"{path}: cannot be read ({what}); start anew, or from an older state") from None
