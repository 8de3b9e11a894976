"""What a disk may do to the daemon: be full, fail, lose what it had, tear files; and what then is kept."""

import errno
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest

from detectors.snapshot import is_whole, put_state, write_state
from detectors.spool import Spool
from geo.errors import InputError, OutputError
from luxwake.daemon import core as core_module
from luxwake.daemon import journal as journal_module
from luxwake.daemon.checkpoint import Checkpoints
from luxwake.daemon.core import Core
from luxwake.daemon.intake import Chunk
from luxwake.daemon.journal import Journal
from tests import test_daemon_core
from tests.daemon_case import config, in_child, serve, stored

ROOT = Path(__file__).parents[1]


chunks, whole = test_daemon_core.chunks, test_daemon_core.whole


def test_a_full_disk_loses_nothing(tmp_path, chunks, whole):
    real, fail = os.write, False

    def full(file, data):
        if fail:
            real(file, data[: len(data) // 3])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, data)

    core = Core(config(tmp_path / "state"))
    core.recover()
    os.write = full
    try:
        for k, (data, end) in enumerate(chunks):
            piece = [Chunk(0, 2_000_000_000_000_000 + end, data, str(end), 0)]
            if k % 5 == 0:
                fail = True
                with pytest.raises(OutputError, match="No space left on device"):
                    core.write(piece)
                fail = False
            core.take(piece)
    finally:
        os.write = real
    core.close()
    assert stored(tmp_path / "state") == whole


@pytest.mark.parametrize("n", [1, 10, 30])
def test_a_record_that_was_followed_in_part_gets_into_no_checkpoint(tmp_path, chunks, whole, monkeypatch, n):
    """The disk is full for one state of the engine, and has room again when the daemon ends for it."""
    core, put, puts = Core(config(tmp_path / "state")), Spool.put, []
    core.recover()

    def put_or_not(self, arrays):
        puts.append(1)
        if len(puts) == n:
            raise OutputError("the disk is full; free space")
        return put(self, arrays)

    with monkeypatch.context() as disk:
        disk.setattr(Spool, "put", put_or_not)
        with pytest.raises(OutputError, match="disk is full"):
            for data, end in chunks:
                core.take([Chunk(0, 2_000_000_000_000_000 + end, data, str(end), 0)])
        core.close()
    assert serve(tmp_path / "state", chunks) == whole


def noting(path):
    """`os.fdatasync` that also writes down, by inode, what size is on the disk for good."""
    synced, fdatasync = {}, os.fdatasync

    def noted(file):
        fdatasync(file)
        synced[os.fstat(file).st_ino] = os.fstat(file).st_size
        path.write_bytes(msgspec.json.encode(synced))

    return noted


def test_a_loss_of_power_leaves_no_store_that_is_ahead_of_its_journal(tmp_path, chunks, whole):
    """What a sync has not brought to the disk is gone, as is the process."""
    state = tmp_path / "state"

    def work():
        os.fdatasync, core_module.COMMIT_S = noting(tmp_path / "synced"), 0.0
        core = Core(config(state))
        core.recover()
        for k, (data, end) in enumerate(chunks):
            followed = core.follow(core.write([Chunk(0, 2_000_000_000_000_000 + end, data, str(end), 0)]))
            core.commit(followed)
            if k > 10 and not followed.changes:  # a record from which none follows is the store's last
                break
        core.write([Chunk(0, 2_000_000_000_000_000, b"not followed", "0", 0)])

    assert in_child(work) == 0
    synced = msgspec.json.decode((tmp_path / "synced").read_bytes())
    (segment,) = (state / "journal").glob("*.journal")
    assert synced[str(segment.stat().st_ino)] < segment.stat().st_size
    os.truncate(segment, synced[str(segment.stat().st_ino)])
    assert serve(state, chunks) == whole


def test_a_torn_checkpoint_is_not_used_and_the_one_before_it_is(tmp_path, chunks, whole):
    serve(tmp_path / "sound", chunks[:40])
    for suffix in ("watch", "parsers", "json"):
        state = shutil.copytree(tmp_path / "sound", tmp_path / suffix)
        newest_file = max((state / "checkpoints").glob(f"*.{suffix}"), key=lambda path: int(path.stem))
        newest_file.write_bytes(newest_file.read_bytes()[:-20])
        assert serve(state, chunks) == whole


def test_a_torn_record_at_the_end_is_cut_off(tmp_path):
    journal = Journal(tmp_path)
    for k in range(3):
        journal.append([Chunk(0, k, b"data %d" % k, str(k), 1)])
    journal.close()
    (segment,) = tmp_path.glob("*.journal")
    sound = segment.read_bytes()
    for cut in range(1, 40):
        segment.write_bytes(sound[:-cut])
        torn = Journal(tmp_path)
        assert torn.last == (2 if cut < len(sound) // 3 else 1)
        assert torn.append([Chunk(0, 9, b"more", "", 0)]) == torn.last
        assert [record.chunks[0].data for record in torn.after(torn.last - 1)] == [b"more"]
        torn.close()


def test_a_damaged_record_inside_says_where(tmp_path):
    journal = Journal(tmp_path)
    for k in range(4):
        journal.append([Chunk(0, k, b"data", "", 0)])
        if k == 1:
            journal.rotate()
    journal.close()
    first = min(tmp_path.glob("*.journal"))
    data = bytearray(first.read_bytes())
    data[30] ^= 1
    first.write_bytes(bytes(data))
    with pytest.raises(InputError, match="damaged at byte 0"):
        list(Journal(tmp_path).after(0))


@pytest.fixture
def failing_sync(monkeypatch):
    """Have the next sync of a file fail, as where the disk has an error; the system says so once."""

    def arm(name):
        real = getattr(os, name)

        def fail(handle):
            monkeypatch.setattr(os, name, real)
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(os, name, fail)

    return arm


@pytest.mark.parametrize("rotate", [False, True])
def test_after_a_sync_that_failed_the_journal_is_written_anew(tmp_path, failing_sync, rotate):
    journal = Journal(tmp_path)
    for k in range(3):
        journal.append([Chunk(0, k, b"data %d" % k, "", 1)])
    (segment,) = tmp_path.iterdir()
    file = segment.stat().st_ino
    failing_sync("fdatasync")
    if rotate:
        journal.rotate()
    with pytest.raises(OSError, match="Input/output error"):
        journal.append([Chunk(0, 3, b"data 3", "", 1)]) if rotate else journal.sync()
    assert journal.last == 3 and segment.stat().st_ino == file
    if not rotate:
        journal.sync()
        assert segment.stat().st_ino != file
    journal.append([Chunk(0, 3, b"data 3", "", 1)])
    assert segment.stat().st_ino != file and len([*tmp_path.iterdir()]) == 1 + rotate
    journal.close()
    assert [record.chunks[0].data for record in Journal(tmp_path).after(0)] == [b"data %d" % k for k in range(4)]


def test_records_that_the_disk_has_lost_are_not_said_to_be_kept(tmp_path, failing_sync):
    journal = Journal(tmp_path)
    for k in range(3):
        journal.append([Chunk(0, k, b"data", "", 1)])
    failing_sync("fdatasync")
    with pytest.raises(OSError, match="Input/output error"):
        journal.sync()
    (segment,) = tmp_path.iterdir()
    data = bytearray(segment.read_bytes())
    data[-2:] = b"\0\0"
    with segment.open("r+b") as file:  # the same file, without what the system let go of
        file.write(data)
    for _ in range(2):
        with pytest.raises(OSError, match="have been lost by the disk"):
            journal.sync()


def test_after_a_sync_that_failed_files_beside_a_checkpoint_are_written_anew(tmp_path, failing_sync):
    checkpoints, beside = Checkpoints(tmp_path / "checkpoints"), tmp_path / "part"
    write_state(beside, {"n": np.arange(3)}, {})
    file = beside.stat().st_ino

    def write(stream):
        put_state(stream, {}, {})
        return [beside]

    failing_sync("fsync")
    with pytest.raises(OSError, match="Input/output error"):
        checkpoints.begin(1, {"watch": write}).result()
    assert beside.stat().st_ino == file and checkpoints.numbers() == []
    checkpoints.begin(2, {"watch": write}).result()
    assert beside.stat().st_ino != file and checkpoints.numbers() == [2] and is_whole(beside)
    file = beside.stat().st_ino
    checkpoints.begin(3, {"watch": write}).result()
    assert beside.stat().st_ino == file
    failing_sync("fsync")
    with pytest.raises(OSError, match="Input/output error"):
        checkpoints.begin(4, {"watch": write}).result()
    beside.write_bytes(beside.read_bytes()[:-1])
    with pytest.raises(OSError, match="has been lost by the disk"):
        checkpoints.begin(5, {"watch": write}).result()
    checkpoints.close()


@pytest.mark.parametrize("opened", [Journal, Spool])
def test_what_a_killed_process_was_writing_anew_is_removed(tmp_path, opened):
    path = tmp_path / "part-00000001"
    path.write_bytes(b"data")
    killed = "import os, sys\nfrom pathlib import Path\nfrom geo.whole_file import rewrite\n"
    killed += "os.fsync = lambda handle: os._exit(9)\nrewrite(Path(sys.argv[1]), 4)"
    assert subprocess.run([sys.executable, "-c", killed, path], cwd=ROOT, check=False).returncode == 9
    assert len([*tmp_path.iterdir()]) == 2
    opened(tmp_path)
    assert [*tmp_path.iterdir()] == [path] and path.read_bytes() == b"data"


@pytest.mark.parametrize("n", [2, 5])
def test_a_damaged_record_that_the_store_has_is_not_taken_for_torn(tmp_path, n):
    """In the last segment, too: all that follows it stays where it is, and the place is said."""
    journal = Journal(tmp_path)
    for k in range(5):
        journal.append([Chunk(0, k, b"data %d" % k, "", 0)])
    journal.close()
    (segment,) = tmp_path.iterdir()
    sound = segment.read_bytes()
    size = len(sound) // 5
    damaged = bytearray(sound)
    damaged[(n - 1) * size + 25] ^= 1
    segment.write_bytes(damaged)
    with pytest.raises(InputError, match=f"damaged at byte {(n - 1) * size}"):
        Journal(tmp_path, n)
    assert segment.read_bytes() == damaged
    assert Journal(tmp_path, n - 1).last == n - 1  # after a loss of power what was not synced may be anything


def test_a_segment_that_may_not_be_in_its_folder_for_good_is_listed_by_the_next_sync(tmp_path, monkeypatch):
    journal, listed = Journal(tmp_path), []
    real = journal_module.sync

    def fail(*paths):
        monkeypatch.setattr(journal_module, "sync", lambda *paths: listed.append(paths) or real(*paths))
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(journal_module, "sync", fail)
    with pytest.raises(OSError, match="Input/output error"):
        journal.append([Chunk(0, 0, b"data", "", 0)])
    journal.append([Chunk(0, 0, b"data", "", 0)])
    journal.sync()
    assert listed == [(tmp_path,)]


def test_the_archive_gets_no_row_of_which_the_journal_may_know_nothing_after_a_loss_of_power(tmp_path, chunks):
    state = tmp_path / "state"

    def work():
        core_module.COMMIT_S = 1e9
        core = Core(config(state, archive=True))
        core.recover()
        os.fdatasync = noting(tmp_path / "synced")
        for data, end in chunks[:8]:
            core.take([Chunk(0, 2_000_000_000_000_000 + end, data, str(end), 0)])
        core.saving._hand_over()
        while not core.archive.is_idle:
            time.sleep(0.01)
        assert list((state / "archive").rglob("*.parquet"))

    assert in_child(work) == 0
    synced = msgspec.json.decode((tmp_path / "synced").read_bytes())
    (segment,) = (state / "journal").glob("*.journal")
    os.truncate(segment, synced[str(segment.stat().st_ino)])
    core = Core(config(state, archive=True))
    core.recover()
    assert core.followed > 8
    core.close()


def test_after_a_start_one_may_still_go_back_to_the_checkpoint_before(tmp_path, chunks, whole):
    """With late rows, for which parts of the state are dropped between the two."""
    late = chunks[:20] + [(data, end + 10_000_000) for data, end in chunks[2:4]] + chunks[20:24]

    def core_of(state):
        core = Core(config(state))
        core.recover()
        return core

    def some(core, begin, end):
        for data, at in late[begin:end]:
            core.take([Chunk(0, 2_000_000_000_000_000 + at, data, "", 0)])
            if core.journal.last in (14, 23):
                core.checkpoint()

    core = core_of(tmp_path / "whole")
    some(core, 0, len(late))
    core.close()
    state = tmp_path / "state"

    def work():
        some(core_of(state), 0, 24)
        os._exit(9)

    assert in_child(work) == 9
    assert in_child(lambda: (core_of(state), os._exit(9))) == 9  # a start, and a death before any checkpoint
    newest = max((state / "checkpoints").glob("*.watch"), key=lambda path: int(path.stem))
    assert newest.stem == "23"
    newest.write_bytes(newest.read_bytes()[:-20])
    core = core_of(state)
    assert core.checkpoints.numbers() == [14]  # the damaged one does not count as one of two
    some(core, 24, len(late))
    core.close()
    assert stored(state) == stored(tmp_path / "whole")
