"""Sinks that write files: each change once, by the mark."""

import csv
import json
import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import OutputError, UsageError
from luxwake.daemon.config import CsvSink, JsonLinesSink, config_of
from luxwake.daemon.sink import NotNow
from luxwake.daemon.sinks import make_sink
from tests.sinks_case import change, changes


@pytest.fixture(params=[JsonLinesSink, CsvSink], ids=["jsonl", "csv"])
def growing(request, tmp_path):
    path = tmp_path / "events"

    def sink(mark=""):
        made = make_sink(request.param(name="file", path=str(path)))
        made.start(mark)
        return made

    def seqs():
        with open(path, encoding="utf-8", newline="") as file:
            if request.param is CsvSink:
                return [int(row["seq"]) for row in csv.DictReader(file)]
            return [json.loads(line)["seq"] for line in file]

    return path, sink, seqs


def test_a_file_grows(growing):
    _, new, seqs = growing
    sink = new()
    mark = sink.send(changes(1, 2))
    mark = sink.send(changes(3))
    sink.close()
    sink = new(mark)
    sink.send(changes(4))
    assert seqs() == [1, 2, 3, 4]


@given(cut=st.integers(0, 400))
def test_whatever_came_after_the_mark_is_written_once(cut, tmp_path_factory):
    path = tmp_path_factory.mktemp("once") / "events.jsonl"
    sink = make_sink(JsonLinesSink(name="file", path=str(path)))
    sink.start("")
    mark = sink.send(changes(1, 2))
    size = path.stat().st_size
    sink.send(changes(3, 4))  # killed before the mark was kept, and perhaps before all was on the disk
    sink.close()
    os.truncate(path, max(size, path.stat().st_size - cut))
    again = make_sink(JsonLinesSink(name="file", path=str(path)))
    again.start(mark)
    again.send(changes(3, 4))
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == [1, 2, 3, 4]


def test_rotation(growing):
    path, new, seqs = growing
    sink = new()
    mark = sink.send(changes(1))
    path.rename(path.with_suffix(".1"))
    sink.send(changes(2))  # still the old one, which has been moved
    begun = sink.reopen(mark)
    assert path.stat().st_size == 0
    sink.send(changes(3))
    sink.close()
    sink = new(begun)  # killed before the mark of what was sent was kept
    newer = sink.send(changes(3))
    assert seqs() == [3]
    sink.close()
    path.write_bytes(path.read_bytes() + b'{"torn')
    sink = new(newer)
    sink.send(changes(4))
    assert seqs() == [3, 4]
    sink.close()
    sink = new(mark)  # of another file: nothing whole is cut from this one
    assert seqs() == [3, 4]
    sink.close()
    path.write_bytes(path.read_bytes() + b'{"torn')
    new(mark).send(changes(5))
    assert seqs() == [3, 4, 5]


def test_a_file_that_was_emptied_by_hand(growing):
    path, new, seqs = growing
    sink = new()
    mark = sink.send(changes(1, 2))
    os.truncate(path, 0)
    sink.close()
    new(mark).send(changes(3))
    assert seqs() == [3]


def test_a_folder_that_is_not_there(growing):
    path, new, _ = growing
    path.parent.rmdir()
    with pytest.raises(OutputError, match="events: cannot be written"):
        new()


def test_a_full_disk_leaves_no_half_line(growing):
    path, new, seqs = growing
    sink = new()
    sink.send(changes(1))
    size = path.stat().st_size
    import resource
    import signal

    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 30, old[1]))
    try:
        with pytest.raises(NotNow, match="File too large"):
            sink.send(changes(2, 3))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.stat().st_size == size
    sink.send(changes(2, 3))
    assert seqs() == [1, 2, 3]


@pytest.mark.parametrize("name", ["=1+1", '=HYPERLINK("A.BC")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", " =1"])
def test_no_spreadsheet_takes_a_name_for_a_formula(tmp_path, name):
    path = tmp_path / "events.csv"
    sink = make_sink(CsvSink(name="file", path=str(path)))
    sink.start("")
    sink.send([change(1, name=name, lat=-35.5, lon=-129.0, score=math.nan)])
    with path.open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    assert row["name"].startswith("'") or row["name"].lstrip(" ")[:1] not in ("=", "+", "-", "@", "\t", "\r")
    assert row["lat"] == "-35.5" and row["score"] == "" and row["other"] == "" and row["t_start"] == ""


def test_nobody_else_writes_to_the_file(growing):
    """Another one would cut off what came after its own mark."""
    _, new, seqs = growing
    one = new()
    mark = one.send(changes(1))
    with pytest.raises(OutputError, match="another sink or process writes to it"):
        new()
    one.send(changes(2))
    one.close()
    new(mark).close()
    assert seqs() == [1]
    sinks = [{"type": "jsonl", "name": name, "path": path} for name, path in (("a", "told"), ("b", "./told"))]
    with pytest.raises(UsageError, match=r"sinks\.b\.path is '\./told'; the sink a writes to it"):
        config_of({"sinks": sinks})
