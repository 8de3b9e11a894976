"""Rows that are kept: cut, put back, taken from the front, on a disk that is full, they are what a list has."""

import io
from contextlib import suppress

import numpy as np
import pytest

from ais.table import STATIC_DTYPES, Static, columns_of
from detectors.history import Arrived, Block
from detectors.late_rows import Queue
from detectors.reports import Reports
from detectors.spool import Memory, Spool
from detectors.watch import Watch
from geo.errors import OutputError
from tests.feeds import HOUR, MINUTE, SECOND, T0, fixes_of


@pytest.mark.parametrize("piece_rows", [1, 7, 64, 1 << 17])
def test_rows_are_cut_put_back_and_kept_as_a_list_is(tmp_path, piece_rows):
    rng = np.random.default_rng(0)
    for shelf in (None, Spool(tmp_path)):
        arrived, expected, t = Arrived({"t": np.zeros(0, np.int64)}, shelf, piece_rows=piece_rows), [], 0
        for _ in range(100):
            what = rng.integers(0, 5)
            if what < 3:
                n = int(rng.integers(0, 50))
                arrived.add({"t": np.arange(t, t + n)})
                expected += range(t, t + n)
                t += n
            elif what == 3:
                begin = int(rng.integers(0, len(expected) + 1))
                for piece in arrived.cut(begin):
                    arrived.put_back(piece)
            else:
                begin = int(rng.integers(0, 1 + len(expected) // 4))
                end = len(expected) - int(rng.integers(0, 1 + len(expected) // 4))
                arrived.keep(begin, end)
                expected = expected[begin:end]
            assert arrived.size == len(expected) and arrived.since(0)["t"].tolist() == expected
    names = {piece.kept for piece in arrived.shelved}
    assert {path.name for path in tmp_path.iterdir()} == names


class Full(Memory):
    """A shelf that takes nothing while its disk is full."""

    is_full = False

    def put(self, arrays):
        if self.is_full:
            raise OutputError("the disk is full; free space")
        return super().put(arrays)


def test_a_shelf_that_takes_nothing_loses_no_row():
    rng, shelf, expected = np.random.default_rng(0), Full(), []
    arrived = Queue({"t": np.zeros(0, np.int64)}, shelf, piece_rows=4)
    for k in range(200):
        shelf.is_full = k % 3 > 0
        rows = {"t": np.arange(1000 * k, 1000 * k + int(rng.integers(0, 9)))}
        with suppress(OutputError):
            arrived.add(rows)
        taken = arrived.size - len(expected)
        expected += rows["t"][:taken].tolist()
        assert taken == rows["t"].size or shelf.is_full
        with suppress(OutputError):
            arrived.shelve()
        assert arrived.size == len(expected) and arrived.since(0)["t"].tolist() == expected
    assert len(expected) > 500


def test_a_state_that_is_written_changes_nothing_of_what_is_told_later():
    """Each half a minute, which is less than a feed goes on before its rows are released; one row in nine is late."""
    rng = np.random.default_rng(5)
    n, ships = 12_000, 20
    t = T0 + np.arange(n) * (5 * HOUR // n)
    late = np.where(rng.random(n) < 1 / 9, rng.integers(20 * MINUTE, 90 * MINUTE, n), 0)
    order = np.argsort(t + late, kind="stable")
    rows = [(t[k], 211000001 + k % ships, k % ships * 0.1 + 1e-6 * k, -30.0, 0.5) for k in order]
    pieces = [fixes_of(rows[k : k + 25]) for k in range(0, n, 25)]
    for k, piece in enumerate(pieces):  # what a ship says, and a copy of it a moment later, but a second older
        said = columns_of(STATIC_DTYPES, 2)
        said["t"][:] = t[25 * k], t[25 * max(0, k - 1)] - SECOND
        said["mmsi"][:] = 211000001 + k % ships, 211000001 + (k - 1) % ships
        said["name"][:], said["msg_type"][:], said["source"][:] = b"LARK" if k % 90 < 45 else b"TERN", 5, (0, 1)
        piece.static = Static({name: column.astype(STATIC_DTYPES[name]) for name, column in said.items()})
    never, often = (Watch(["loitering", "dark"], step_s=60, history_s=2 * 3600) for _ in range(2))
    told = 0
    for piece in pieces:
        often.put(io.BytesIO())
        one, two = never.feed(piece), often.feed(piece)
        told += len(one)
        assert never.engine.released == often.engine.released
        for name in ("change", "id", "revision", "t_end"):
            assert one[name].tolist() == two[name].tolist()
    assert told > ships


def test_reports_that_were_saved_are_condensed_when_they_would_have_been():
    rng = np.random.default_rng(2)

    def some(n, begin_h, name):
        rows = columns_of(STATIC_DTYPES, n)
        rows["t"] = T0 + begin_h * HOUR + rng.integers(0, HOUR, n)
        rows["mmsi"] = 211000001 + rng.integers(0, 5, n)
        rows["name"][:], rows["msg_type"][:] = name, 5
        return rows

    shelf = Memory()
    one = Reports(shelf)
    one.add(some(1000, 0, b"LARK"))
    one.forget(T0 + HOUR)
    one.said()
    one.add(some(7, 1, b"LARK"))
    other = Reports(shelf, saved=one.saved())
    assert one.said().tolist() == other.said().tolist()
    for rows in (some(100, 1, b"LARK"), some(1, 0, b"TERN"), some(300, 2, b"LARK")):
        for each in (one, other):
            each.add(rows)
        assert one.recent == other.recent
        for name in one.identity():
            np.testing.assert_array_equal(one.identity()[name], other.identity()[name], err_msg=name)


def test_a_queue_is_a_list_from_whose_front_is_taken():
    rng, expected, t = np.random.default_rng(1), [], 0
    queue = Queue({"t": np.zeros(0, np.int64)}, piece_rows=16)
    for _ in range(300):
        what, n = rng.integers(0, 4), int(rng.integers(0, 30))
        if what < 2:
            queue.add({"t": np.arange(t, t + n)})
            expected += range(t, t + n)
            t += n
        elif what == 2:
            first = queue.first()["t"].tolist()
            assert first == expected[: len(first)] and (first or not expected)
            queue.put_first({"t": np.array(first[n:], np.int64)})
            expected = [*first[n:], *expected[len(first) :]]
        elif expected:
            until = queue.until(expected[min(n, len(expected) - 1)])["t"].tolist()
            assert until == expected[: len(until)] and len(until) == min(n, len(expected) - 1) + 1
            expected = expected[len(until) :]
        assert queue.size == len(expected)
        if rng.integers(0, 2):
            parts = [one for rows in queue.parts() for one in rows["t"].tolist()]
            assert parts == expected == queue.since(0)["t"].tolist()


@pytest.mark.parametrize("room", [1, 3, 8, 100])
def test_a_block_holds_columns_of_any_type_as_they_came(room):
    rng, dtypes = (
        np.random.default_rng(room),
        {"mmsi": "u4", "name": "S20", "t": "i8", "source": "u2", "size_m": ("u2", 4)},
    )
    rows = {name: np.zeros(60, dtype) for name, dtype in dtypes.items()}
    for column in rows.values():
        column[:] = rng.integers(0, 60, column.shape).astype(column.dtype)
    block, at, taken = Block(rows, room), 0, []
    while at < 60:
        if block.is_full:
            taken.append(block.rows)
            block = Block(rows, room)
        end = at + int(rng.integers(1, 9))
        at += block.add({name: column[:end] for name, column in rows.items()}, at)
    taken.append(block.rows)
    for name, column in rows.items():
        assert np.array_equal(np.concatenate([part[name] for part in taken]), column)
    assert all(column.ctypes.data % 8 == 0 and column.dtype == rows[name].dtype for name, column in block.rows.items())
