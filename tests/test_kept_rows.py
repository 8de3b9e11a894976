"""Rows that are kept: cut, put back, taken from the front, on a disk that is full, they are what a list has."""

from contextlib import suppress

import numpy as np
import pytest

from detectors.history import Arrived, Block
from detectors.late_rows import Queue
from detectors.spool import Memory, Spool
from detectors.watch import Watch
from geo.errors import OutputError
from tests.worlds import busy_world


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


def test_a_checkpoint_that_fails_leaves_a_watch_as_it_was(monkeypatch, tmp_path):
    fixes = busy_world(3, vessels=5)
    watch = Watch(["dark"], step_s=3600, history_s=48 * 3600, spool=tmp_path / "spool")
    watch.feed(fixes.take(slice(0, 3000)))
    before = [rows["t"].tolist() for rows in watch.kept()]
    with monkeypatch.context() as disk:
        disk.setattr(Spool, "put", Full.put)
        disk.setattr(Spool, "is_full", True, raising=False)
        with pytest.raises(OutputError, match="disk is full"):
            watch.save(tmp_path / "state")
    assert [rows["t"].tolist() for rows in watch.kept()] == before and sum(map(len, before)) == watch.rows > 1000


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
