"""The tail of a real file: growth, rotation, truncation, restarts; nothing lost and nothing twice."""

import os
import random
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from source_run import Running, lines_of

from luxwake.daemon.config import TailSource
from luxwake.daemon.sources.tail import Place, rotated


def settings_of(path, linger_s=0.05, **more):
    return TailSource(name="a", path=str(path), poll_s=0.01, linger_s=linger_s, **more)


def write(path, lines):
    with open(path, "ab", buffering=0) as file:
        file.write(b"".join(line + b"\n" for line in lines))


def test_a_file_is_awaited_and_followed(tmp_path):
    path = tmp_path / "feed.nmea"
    with Running(settings_of(path)) as run:
        run.until(lambda: "waits for" in run.source.state)
        write(path, lines_of(10))
        run.until_lines(10)
        with open(path, "ab", buffering=0) as file:
            file.write(b"!ha")
            run.until(lambda: run.data.endswith(b"!ha"))
            file.write(b"lf\n")
        run.until(lambda: run.data.endswith(b"!half\n"))
        assert run.data == path.read_bytes()
        assert run.cursor.split(":")[:2] == [str(path.stat().st_ino), str(path.stat().st_size)]
        assert run.end() < 0.5


def test_a_large_file_comes_in_pieces_whose_cursors_each_resume(tmp_path):
    path = tmp_path / "feed.nmea"
    write(path, lines_of(60_000))
    with Running(settings_of(path), max_bytes=1 << 20) as run:
        run.until(lambda: run.intake.received_bytes == path.stat().st_size)
    assert len(run.chunks) > 2 and run.data == path.read_bytes()
    for k in (0, len(run.chunks) // 2):
        with Running(settings_of(path), cursor=run.chunks[k].cursor) as again:
            rest = b"".join(chunk.data for chunk in run.chunks[k + 1 :])
            again.until(lambda run=again, rest=rest: run.data == rest)


def test_it_begins_at_the_end_where_that_is_asked(tmp_path):
    path = tmp_path / "feed.nmea"
    write(path, lines_of(10))
    with Running(settings_of(path, start="end")) as run:
        run.until(lambda: run.source.connections == 1)
        write(path, lines_of(3, first=10))
        run.until_lines(3)
        assert run.lines == lines_of(3, first=10)
    write(path, lines_of(3, first=13))
    with Running(settings_of(path, start="end"), cursor=run.cursor) as again:
        again.until_lines(3)
        assert again.lines == lines_of(3, first=13)


def test_a_rotated_file_is_finished_first(tmp_path):
    """As logrotate does it: renamed, made anew, and the writer is told a moment later."""
    path, old = tmp_path / "feed.nmea", tmp_path / "feed.nmea.1"
    write(path, lines_of(5))
    with Running(settings_of(path)) as run:
        run.until_lines(5)
        path.rename(old)
        write(old, lines_of(5, first=5))
        write(path, lines_of(5, first=20))
        write(old, lines_of(2, first=10))
        run.until_lines(17)
        assert run.lines == [*lines_of(12), *lines_of(5, first=20)]
        write(path, lines_of(1, first=30))
        run.until_lines(18)


def test_an_unfinished_line_is_not_glued_to_the_next_file(tmp_path):
    path = tmp_path / "feed.nmea"
    path.write_bytes(b"one\n!torn")
    with Running(settings_of(path)) as run:
        run.until(lambda: run.data == b"one\n!torn")
        path.rename(tmp_path / "feed.nmea.1")
        path.write_bytes(b"two\n")
        run.until_lines(3)
        assert run.lines == [b"one", b"!torn", b"two"]


@pytest.mark.parametrize("names", [["feed.nmea.2", "feed.nmea.1"], ["feed-20260101.nmea", "feed-20260102.nmea"]])
def test_what_was_rotated_twice_while_nobody_read_is_read(tmp_path, names):
    path = tmp_path / "feed.nmea"
    write(tmp_path / names[0].replace("2", "3", 1), lines_of(1, first=900))  # read long ago
    os.utime(tmp_path / names[0].replace("2", "3", 1), (1, 1))
    write(path, lines_of(5))
    with Running(settings_of(path)) as run:
        run.until_lines(5)
    write(path, lines_of(5, first=5))
    path.rename(tmp_path / names[0])
    write(path, lines_of(5, first=10))
    path.rename(tmp_path / names[1])
    write(path, lines_of(5, first=15))
    write(tmp_path / "feed.nmea.index", [b"none of ours"])
    with Running(settings_of(path), cursor=run.cursor) as again:
        again.until_lines(15)
        assert again.lines == lines_of(15, first=5)


def test_a_file_that_was_rotated_while_nobody_read_is_not_left_at_once(tmp_path):
    """Its writer is told a moment later."""
    path, old = tmp_path / "feed.nmea", tmp_path / "feed.nmea.1"
    write(path, lines_of(5))
    with Running(settings_of(path)) as run:
        run.until_lines(5)
    path.rename(old)
    write(path, lines_of(5, first=20))
    with Running(settings_of(path, linger_s=1.0), cursor=run.cursor) as again:
        again.until(lambda: again.source.connections == 1)
        write(old, lines_of(2, first=5))
        again.until_lines(7)
        assert again.lines == [*lines_of(2, first=5), *lines_of(5, first=20)]


def test_what_is_left_of_a_file_that_is_gone_is_not_glued_to_another(tmp_path):
    path = tmp_path / "feed.nmea"
    path.write_bytes(b"one\n!torn")
    with Running(settings_of(path)) as run:
        run.until(lambda: run.data == b"one\n!torn")
    path.unlink()
    path.write_bytes(b"two\nthree\n")
    with Running(settings_of(path), cursor=run.cursor) as again:
        again.until_lines(2)
        assert (run.data + again.data).split() == [b"one", b"!torn", b"two", b"three"]


def test_a_file_that_is_cut_is_read_from_its_beginning(tmp_path):
    path = tmp_path / "feed.nmea"
    write(path, lines_of(100))
    with Running(settings_of(path)) as run:
        run.until_lines(100)
        path.write_bytes(b"")
        write(path, lines_of(3, first=200))
        run.until_lines(103)
        path.write_bytes(b"".join(b"another %d\n" % k for k in range(500)))  # longer than before at once
        run.until_lines(603)
        assert run.lines[100:103] == lines_of(3, first=200) and run.lines[-1] == b"another 499"


def test_a_copy_that_was_taken_before_the_cut_is_finished(tmp_path):
    path, copy = tmp_path / "feed.nmea", tmp_path / "feed.nmea.1"
    write(path, lines_of(5))
    with Running(settings_of(path)) as run:
        run.until_lines(5)
    write(path, lines_of(5, first=5))
    shutil.copyfile(path, copy)
    os.truncate(path, 0)
    write(path, lines_of(2, first=10))
    with Running(settings_of(path), cursor=run.cursor) as again:
        again.until_lines(7)
        assert again.lines == lines_of(7, first=5)


def test_an_inode_that_is_used_again_is_another_file(tmp_path):
    path = tmp_path / "feed.nmea"
    write(path, lines_of(5))
    with Running(settings_of(path)) as run:
        run.until_lines(5)
    place = Place.of(run.cursor)
    with open(path, "r+b") as file:  # the same inode, other bytes
        file.write(b"".join(b"&line %d\n" % k for k in range(9)))
    with Running(settings_of(path), cursor=str(place)) as again:
        again.until_lines(9)
        assert again.lines[0] == b"&line 0"


def test_what_cannot_be_read_is_tried_again(tmp_path):
    path = tmp_path / "feed.nmea"
    path.mkdir()
    with Running(settings_of(path)) as run:
        run.until(lambda: "Is a directory" in run.source.state)
        path.rmdir()
        write(path, lines_of(5))
        run.until_lines(5)


def test_all_is_new_of_a_file_that_comes_later(tmp_path):
    path = tmp_path / "feed.nmea"
    with Running(settings_of(path, start="end")) as run:
        run.until(lambda: "waits for" in run.source.state)
        (tmp_path / "made").write_bytes(b"!one\n!two\n")
        (tmp_path / "made").rename(path)
        run.until_lines(2)


@pytest.mark.parametrize("cursor", ["nonsense", "1:2:3", "0:0:00000000", "99999:5:deadbeef", ""])
def test_any_cursor_is_survived(tmp_path, cursor):
    path = tmp_path / "feed.nmea"
    write(path, lines_of(5))
    with Running(settings_of(path), cursor=cursor) as run:
        run.until_lines(5)


def test_names_of_rotated_files(tmp_path):
    ours = ["a.log.1", "a.log.2026-11-27", "a.log-20261127", "a-20261127.log", "a.1.log", "a.log.old", "a.log~"]
    for name in [*ours, "a.log", "a.log.gz", "a.log.1.gz", "ab.log", "b.log.1", "a.log.index", "a.logs"]:
        (tmp_path / name).touch()
    assert sorted(path.name for path in rotated(tmp_path / "a.log")) == sorted(ours)
    assert rotated(tmp_path / "none" / "a.log") == []


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_any_mix_of_writes_rotations_and_kills_loses_nothing(seed):
    """A kill takes with it what was put and not kept; the next start goes on after what was kept."""
    import tempfile
    from pathlib import Path

    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "feed.nmea")
        path.touch()
        written, got, cursor, rotations = 0, b"", "", 0
        for _ in range(4):
            with Running(settings_of(path), cursor=cursor) as run:
                run.until(lambda run=run, cursor=cursor: cursor or run.chunks)
                for _ in range(chance.randrange(6)):
                    what = chance.random()
                    if what < 0.7:
                        n = chance.randrange(1, 200)
                        write(path, lines_of(n, first=written))
                        written += n
                    elif rotations < 20:
                        rotations += 1
                        path.rename(Path(folder, f"feed.nmea.{1000 - rotations}"))
                        path.touch()
                    if chance.random() < 0.5:
                        run.take()
                if chance.random() < 0.5:
                    run.kill()
            got += b"".join(chunk.data for chunk in run.chunks)
            cursor = run.cursor or cursor
        with Running(settings_of(path), cursor=cursor) as run:
            run.until(lambda: len((got + run.data).split()) >= 2 * written)
        got += run.data
        assert [line for line in got.split(b"\n") if line] == lines_of(written)
