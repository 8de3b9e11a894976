"""Arrays to a file and back: how the state of an engine survives the end of its process.

A file is a line that says what it is, a line of JSON (a header, and the names of the arrays), the arrays as npy in that
order, and the CRC-32 of all this, little endian.
"""

from __future__ import annotations

import json
import math
import os
import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError, UsageError
from geo.nameless_file import read_values
from geo.whole_file import replacing

State = dict[str, NDArray[Any]]
"""Named arrays that say all that an engine knows; records stay record arrays."""


class Pieces(NamedTuple):
    """An array that lies in pieces of some rows, each of which is read when it is written."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    read: Callable[[], Iterable[NDArray[Any]]]

    @property
    def ndim(self) -> int:
        """As an array has it."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """As an array has it."""
        return math.prod(self.shape) * self.dtype.itemsize

    def array(self) -> NDArray[Any]:
        """All of it."""
        pieces = [piece.reshape(-1) for piece in self.read()]
        return np.concatenate([np.zeros(0, self.dtype), *pieces]).reshape(self.shape)


Column = NDArray[Any] | Pieces
MAGIC = b"luxwake state 1\n"
CRC_BYTES = 4
_PART_BYTES = 1 << 20


def copied(array: NDArray[Any]) -> NDArray[Any]:
    """A copy that later rows do not change, as kernels take it."""
    twin = array.copy()
    return twin.view(np.recarray) if array.dtype.names else twin


def like(saved: NDArray[Any], array: NDArray[Any]) -> NDArray[Any]:
    """A saved array with the dtype of the one whose place it takes: a file does not keep the padding of records."""
    return saved.view(array.dtype).view(np.recarray) if array.dtype.names else saved


class _Summed:
    """A stream that is written to, and the checksum of what it was given."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.crc = stream, 0

    def write(self, data: bytes | memoryview) -> int:
        self.crc = zlib.crc32(data, self.crc)
        return self._stream.write(data)


def write_state(path: str | Path, state: Mapping[str, Column], header: Mapping[str, Any]) -> None:
    """Write arrays and what was meant by them to a file; the old file stays until the new is whole.

    Raises OutputError where the file cannot be written.
    """
    with replacing(path) as file:
        put_state(file, state, header)


def put_state(stream: BinaryIO, state: Mapping[str, Column], header: Mapping[str, Any]) -> None:
    """The same to a stream. Raises OSError."""
    file = _Summed(stream)
    file.write(MAGIC + json.dumps([header, list(state)]).encode() + b"\n")
    for column in state.values():
        said = {"descr": np.lib.format.dtype_to_descr(column.dtype), "fortran_order": False, "shape": column.shape}
        np.lib.format.write_array_header_1_0(file, said)
        for array in column.read() if isinstance(column, Pieces) else [column]:
            file.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    stream.write(file.crc.to_bytes(CRC_BYTES, "little"))


def seal_of(path: str | Path) -> list[Any]:
    """Length and checksum of a file that `put_state` has written, as it says itself. Raises OSError."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - CRC_BYTES))
        return [size, file.read().hex()]


def is_whole(path: str | Path) -> bool:
    """Is a file as `put_state` has written it? Raises OSError."""
    with open(path, "rb", 0) as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            return False
        crc, left = zlib.crc32(MAGIC), os.fstat(stream.fileno()).st_size - len(MAGIC) - CRC_BYTES
        while left > 0 and (data := stream.read(min(left, _PART_BYTES))):
            crc, left = zlib.crc32(data, crc), left - len(data)
        return left == 0 and stream.read() == crc.to_bytes(CRC_BYTES, "little")


class Lying(NamedTuple):
    """An array in a file: where it begins, and what it is."""

    begin: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def ndim(self) -> int:
        """As an array has it."""
        return len(self.shape)


class Stored(Mapping[str, NDArray[Any]]):
    """The arrays of a file that stays open, each read when it is asked for: a large state is never in memory twice."""

    def __init__(self, file: FileIO, places: Mapping[str, Lying]) -> None:
        self._file, self.places = file, places
        weakref.finalize(self, file.close)

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, name: str) -> NDArray[Any]:
        place = self.places[name]
        return self.some(name, 0, math.prod(place.shape)).reshape(place.shape)

    def part(self, whose: str) -> State:
        """The arrays whose names begin with a word and a full stop, by what follows."""
        begin = f"{whose}."
        return {name.removeprefix(begin): self[name] for name in self.places if name.startswith(begin)}

    def some(self, name: str, begin: int, end: int) -> NDArray[Any]:
        """Some of the values of an array, by their places in it. Raises InputError where they cannot be read."""
        at, dtype, _ = self.places[name]
        try:
            return read_values(self._file.fileno(), dtype, end - begin, at + begin * dtype.itemsize)
        except OSError as error:
            raise InputError(f"{self._file.name}: cannot be read ({error.strerror}); start anew") from None


class Part:
    """The arrays of a state whose names begin with `below`; each that is asked for is a copy, or read for whoever asks.

    >>> part = Part({"a.n": np.arange(3)}, "a.")
    >>> part["n"].tolist(), part.some("n", 1, 3).tolist()
    ([0, 1, 2], [1, 2])
    """

    def __init__(self, state: Mapping[str, NDArray[Any]], below: str = "") -> None:
        self._state, self._below = state, below

    def __getitem__(self, name: str) -> NDArray[Any]:
        array = self._state[self._below + name]
        return array if isinstance(self._state, Stored) else copied(array)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an array."""
        state = self._state.places if isinstance(self._state, Stored) else self._state
        return state[self._below + name].shape

    def some(self, name: str, begin: int, end: int) -> NDArray[Any]:
        """Some of the values of an array, by their places in it."""
        name = self._below + name
        if isinstance(self._state, Stored):
            return self._state.some(name, begin, end)
        return self._state[name].reshape(-1)[begin:end].copy()

    def rows(self, name: str) -> Iterator[NDArray[Any]]:
        """An array of two dimensions, a row at a time."""
        n, size = self.shape(name)
        return (self.some(name, k * size, (k + 1) * size) for k in range(n))

    def part(self, name: str) -> Part:
        """What stands below a name."""
        return Part(self._state, f"{self._below}{name}.")


def open_state(path: str | Path, expected: Mapping[str, Any] | None = None) -> tuple[Stored, dict[str, Any]]:
    """The arrays and the header of a file that `write_state` wrote; each array is read when it is asked for.

    Parameters
    ----------
    expected : mapping
        What the header must say of `holds`, `params`, `kinds` and `labels`, where they are given.

    Raises
    ------
    InputError
        For a file that is not there, torn, or something else.
    UsageError
        For one whose header says something else than expected.
    """
    try:
        if not is_whole(path):
            raise ValueError
        file = FileIO(path)
        stored, header = Stored(file, {}), {}
        with open(path, "rb") as stream:
            stream.seek(len(MAGIC))
            header, names = json.loads(stream.readline())
            stored.places = {name: _next_lying(stream) for name in names}
            if stream.tell() != os.fstat(stream.fileno()).st_size - CRC_BYTES:
                raise ValueError
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else "it is no whole state of an engine"
        raise InputError(f"{path}: cannot be read ({what}); start anew, or from an older state") from None
    said = header if isinstance(header, dict) else {}
    for name, value in (expected or {}).items():
        if name == "params" and name in said and said[name] != value:
            raise UsageError(f"{path}: saved with other detectors or parameters; start anew or use the same")
        if said.get(name) != value:
            what = f"it holds {said.get(name, 'something else')}, not {value}" if name == "holds" else f"other {name}"
            raise InputError(f"{path}: cannot be used ({what}); start anew, or use the version that wrote it")
    return stored, said


def _next_lying(stream: BinaryIO) -> Lying:
    """The next array of a file; the stream is behind it then."""
    np.lib.format.read_magic(stream)
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(stream)
    if is_fortran or dtype.hasobject:
        raise ValueError
    place = Lying(stream.tell(), dtype, shape)
    stream.seek(math.prod(shape) * dtype.itemsize, os.SEEK_CUR)
    return place


def read_state(path: str | Path, expected: Mapping[str, Any] | None = None) -> tuple[State, dict[str, Any]]:
    """As `open_state`, all in memory.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "state"
    >>> write_state(path, {"n": np.arange(3)}, {"made": "by hand"})
    >>> read_state(path)
    ({'n': array([0, 1, 2])}, {'made': 'by hand'})
    """
    stored, header = open_state(path, expected)
    return dict(stored), header


def check_alike(path: str | Path, saved: Mapping[str, Lying | NDArray[Any]], mine: Mapping[str, Column]) -> None:
    """Raise InputError unless a file holds all these arrays with the same fields; they may be longer or shorter.

    >>> check_alike("s.npz", {"n": np.zeros(2, "i4")}, {"n": np.zeros(2, "i8")})
    Traceback (most recent call last):
    geo.errors.InputError: s.npz: 'n' is kept otherwise by this version; start anew, or use the version that wrote it
    """
    for name, array in mine.items():
        if name not in saved or not _alike(saved[name].dtype, array.dtype) or saved[name].ndim != array.ndim:
            raise InputError(
                f"{path}: {name!r} is kept otherwise by this version; start anew, or use the version that wrote it"
            )


def _alike(one: np.dtype[Any], other: np.dtype[Any]) -> bool:
    """Whether two types have the same fields in the same places; a file does not keep that they are aligned."""
    if one.fields is None or other.fields is None:
        return one == other
    return (
        one.names == other.names
        and one.itemsize == other.itemsize
        and all(
            one.fields[name][1] == other.fields[name][1] and _alike(one.fields[name][0], other.fields[name][0])
            for name in one.names or ()
        )
    )


T = TypeVar("T")


def parts_of(state: Mapping[str, T]) -> dict[str, dict[str, T]]:
    """Arrays by what stands before the first full stop of their names."""
    parts: dict[str, dict[str, T]] = {}
    for name, array in state.items():
        head, _, rest = name.partition(".")
        parts.setdefault(head, {})[rest] = array
    return parts
