"""Rows that wait, in memory and in the file, against all of them in one sorted array."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import pending
from detectors.pending import Pending


@pytest.fixture(scope="module", autouse=True)
def small_pieces():
    with pytest.MonkeyPatch.context() as patch:
        for name, rows in {"MOST_ROWS": 32, "LEAST_ROWS": 4, "MOST_LEFT": 64, "RELEASED_ROWS": 40}.items():
            patch.setattr(pending, name, rows)
        yield


@pytest.mark.parametrize("in_file", [False, True])
@settings(max_examples=60, deadline=None)
@given(
    pieces=st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=70), min_size=1, max_size=8),
    until=st.integers(0, 51),
)
def test_the_earliest_are_those_of_the_sorted_rows(in_file, pieces, until, tmp_path_factory):
    none = {"t": np.zeros(0, np.int64), "n": np.zeros(0, np.int32)}
    rows = Pending(none, tmp_path_factory.getbasetemp() if in_file else None)
    count = 0
    for piece in pieces:
        rows.add({"t": np.array(piece), "n": np.arange(count, count + len(piece), dtype=np.int32)})
        count += len(piece)
    t = np.concatenate([np.array(piece) for piece in pieces])
    for n in {1, 1 + count // 3, count}:
        assert rows.earliest(n) == np.sort(t)[n - 1]
    released = list(rows.releases(until))
    for earlier, later in itertools.pairwise(released):
        assert not earlier["t"].size or earlier["t"].max() < later["t"].min(initial=until)
    taken = np.concatenate([one["n"] for one in released])
    assert sorted(taken.tolist()) == np.flatnonzero(t < until).tolist()
    assert sorted(rows.column("n").tolist()) == np.flatnonzero(t >= until).tolist()
    assert rows.size == np.count_nonzero(t >= until)
