"""Files of the archive become few, and what a feed makes up does not make them many."""

import shutil

import numpy as np
import pytest

from geo.errors import InputError
from luxwake.daemon import archive as module
from luxwake.daemon.archive import Archive
from luxwake.daemon.archive_files import NO_DAY, partitions, parts_of
from luxwake.daemon.archive_reading import day_rows, files_of, sources_of
from tests.archive_case import DAY, DAYS, as_rows, rows, rows_in


@pytest.fixture(autouse=True, scope="module")
def patient():
    """An end waits until all is written, so that all is to be seen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CLOSE_S", 300.0)
        yield


def test_files_of_a_day_that_is_over_become_one(tmp_path):
    archive = Archive(tmp_path, 10**6, ("feed",))
    for number in range(1, 9):
        archive.add(rows(number, 40))
        archive.flush(number)
        if number in (6, 8):
            archive.compact(DAYS[0] * DAY if number == 6 else (DAYS[1] + 2) * DAY)
            archive.settled()
            before = rows_in(files_of(tmp_path))
    for place in partitions(tmp_path):
        names = [part.path.name for part in parts_of(place)[0]]
        small = [name for name in names if "-" not in name]
        if place.parent.name == "date=2023-11-16":  # not over yet
            assert small == names and len(names) > 5
        else:
            assert len(names) - len(small) == 1 and set(small) <= {"7.parquet", "8.parquet"}
    assert rows_in(files_of(tmp_path)) == before
    archive.close()


def test_many_small_files_are_merged_while_their_day_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TIER", 4)
    archive = Archive(tmp_path, 10**6, ("feed",))
    for number in range(1, 11):
        archive.add(rows(number, 60, days=DAYS[:1]))
        archive.flush(number)
        archive.compact(DAYS[0] * DAY)
        archive.settled()
    for place in partitions(tmp_path):
        assert [part.path.name for part in parts_of(place)[0]] == [
            "1-4.parquet",
            "5-8.parquet",
            "9.parquet",
            "10.parquet",
        ]
    archive.close()


def test_a_merge_that_was_killed_before_the_old_files_were_gone(tmp_path):
    archive = Archive(tmp_path, 10**6, ("feed",))
    for number in (1, 2, 3):
        archive.add(rows(number, 40))
        archive.flush(number)
    shutil.copytree(tmp_path, tmp_path.parent / "old")
    before = rows_in(files_of(tmp_path))
    for _ in range(2):
        archive.compact((DAYS[2] + 2) * DAY)
        archive.settled()
    archive.close()
    for path in files_of(tmp_path.parent / "old"):
        shutil.copy(path, tmp_path / path.relative_to(tmp_path.parent / "old"))
    (tmp_path / ".unsettled").unlink()
    assert rows_in(files_of(tmp_path)) == before
    again = Archive(tmp_path, 10, ("feed",))
    again.recover(3, 3)
    assert rows_in(sorted(tmp_path.rglob("*.parquet"))) == before


def test_an_archive_of_another_journal_is_left_alone(tmp_path):
    archive = Archive(tmp_path, 10, ("feed",))
    archive.add(rows(1, 40))
    archive.flush(7)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match="belongs to another journal"):
        Archive(tmp_path, 10, ("feed",)).recover(0, 6)
    assert sorted(tmp_path.rglob("*")) == before


def test_times_that_a_feed_makes_up_do_not_become_a_folder_each(tmp_path):
    archive = Archive(tmp_path, 10, ("feed",))
    archive.add(rows(1, 5000, days=np.arange(10_000, 12_000)))
    archive.add(rows(2, 500))
    archive.flush(1)
    folders = [path.name for path in tmp_path.glob("date=*")]
    assert len(folders) == 65 and NO_DAY in folders and "date=2023-11-15" in folders
    assert len(rows_in(files_of(tmp_path))) == 5500
    archive.close()


def test_a_day_is_given_in_the_order_of_time(tmp_path):
    archive, table = Archive(tmp_path, 10**6, ("other", "feed")), rows(3, 400)
    table["source"][:] = 1
    archive.add(table)
    archive.flush(1)
    archive.close()
    assert sources_of(tmp_path) == ("feed",)
    got = [piece for day in ("2023-11-14", "2023-11-15", "2023-11-16") for piece in day_rows(tmp_path, day, ("feed",))]
    assert as_rows(table) == sorted(row for piece in got for row in as_rows(piece))
    t = np.concatenate([piece["t"] for piece in got])
    assert (np.diff(t) >= 0).all() and not any(piece["source"].any() for piece in got)
