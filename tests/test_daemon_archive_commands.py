"""The archive by its commands: verify, export, prune, backfill."""

import shutil

import duckdb
import numpy as np
import pytest

import luxwake as lw
from luxwake.cli import main
from luxwake.daemon.archive_reading import files_of
from luxwake.daemon.core import Core
from tests import archive_case
from tests.archive_case import DAY, rows_in
from tests.daemon_case import config

patient, chunks = archive_case.patient, archive_case.chunks
decoded, whole = archive_case.decoded, archive_case.whole


@pytest.fixture
def state(whole, tmp_path):
    """A copy of the state, with a configuration beside it."""
    shutil.copytree(whole, tmp_path / "state")
    return tmp_path / "state"


def luxwake(capsys, *arguments):
    code = main([*map(str, arguments)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_verify_reads_every_file_and_names_what_is_wrong(state, capsys, decoded):
    code, out, _ = luxwake(capsys, "store", "verify", "--state", state, "--json")
    assert code == 0 and str(len(decoded)) in out.replace(",", "")
    path = files_of(state / "archive")[3]
    sound = path.read_bytes()
    path.write_bytes(sound[:-200])
    code, _, err = luxwake(capsys, "store", "verify", "--state", state)
    assert code == 1 and str(path) in err and "cannot be read" in err
    path.write_bytes(sound)
    number = int(path.stem)
    others = [path.with_name(f"{number + first}-{number + last}.parquet") for first, last in ((0, 3), (2, 9))]
    for other in others:
        shutil.copy(path, other)
    code, _, err = luxwake(capsys, "store", "verify", "--state", state)
    assert code == 1 and f"{others[1]}: holds records that {others[0].name} has too" in err
    for other in others:
        other.unlink()
    (day, *_), cell = [place.name for place in sorted((state / "archive").glob("date=*"))], path.parent.name
    wrong = state / "archive" / "date=2001-01-01" / cell
    wrong.mkdir(parents=True)
    shutil.copy(path, wrong / path.name)
    code, _, err = luxwake(capsys, "store", "verify", "--state", state)
    assert code == 1 and "rows of another day" in err and day


def test_positions_are_exported_and_pruned(state, capsys, decoded, tmp_path):
    out = tmp_path / "all.parquet"
    assert luxwake(capsys, "store", "export", "--fixes", "--state", state, "-o", out)[0] == 0
    assert rows_in([out]) == decoded
    t = duckdb.sql(f"select epoch_us(t) from '{out}'").fetchnumpy()["epoch_us(t)"]
    assert (np.diff(t) >= 0).all()
    there = sorted(path.name.removeprefix("date=") for path in (state / "archive").glob("date=*"))
    code, *_ = luxwake(capsys, "store", "prune", "--state", state, "--positions-before", f"{there[1]}T12:00:00Z")
    assert code == 0
    assert sorted(path.name for path in (state / "archive").iterdir() if path.name[0] != ".") == [
        f"date={day}" for day in there[1:]
    ]
    left = [row for row in decoded if int(row[1:].split(",")[0]) >= int(t.min()) // DAY * DAY + DAY]
    assert rows_in(files_of(state / "archive")) == left
    assert luxwake(capsys, "store", "prune", "--state", state)[0] == 2
    shutil.rmtree(state / "archive")
    code, _, err = luxwake(capsys, "store", "export", "--fixes", "--state", state)
    assert code == 1 and "no archive" in err


def stored(state):
    from luxwake.daemon.store import Store

    store = Store(state / "events.sqlite")
    assert store.check() == []
    changes = store.changes(limit=1_000_000)
    store.close()
    return changes


def test_backfill_tells_what_was_never_told_and_nothing_twice(state, capsys, tmp_path):
    before = stored(state)
    there = sorted(path.name.removeprefix("date=") for path in (state / "archive").glob("date=*"))
    written = tmp_path / "luxwake.toml"
    written.write_text(f'state = "{state}"\n[detect]\ndetectors = ["loitering", "dark"]\n', encoding="utf-8")
    batch = lw.detect(lw.read(state / "archive"), ["loitering", "dark"])
    assert luxwake(capsys, "backfill", *there, "--config", written, "--quiet")[0] == 0
    after = stored(state)
    assert after[: len(before)] == before and len(after) > len(before)
    new = after[len(before) :]
    assert {change.kind for change in new} == {"dark", "gap"} and {change.revision for change in new} == {0}
    assert len({change.event_id for change in new}) == len(new)
    old = {change.event_id for change in before if change.change != "retracted"}
    assert old | {change.event_id for change in new} >= set(batch["id"].tolist())
    assert luxwake(capsys, "backfill", *reversed(there), "--config", written, "--quiet")[0] == 0
    assert stored(state) == after


def test_backfill_of_one_day_does_not_cut_at_midnight(state, capsys, tmp_path):
    before = stored(state)
    there = sorted(path.name.removeprefix("date=") for path in (state / "archive").glob("date=*"))
    written = tmp_path / "luxwake.toml"
    written.write_text(f'state = "{state}"\n[detect]\ndetectors = ["loitering"]\n', encoding="utf-8")
    assert luxwake(capsys, "backfill", there[1], "--config", written, "--quiet")[0] == 0
    assert stored(state) == before
    code, _, err = luxwake(capsys, "backfill", "2001-01-01", "--config", written)
    assert code == 2 and "no positions of 2001-01-01; it has" in err
    assert luxwake(capsys, "backfill", "2001-01-01T10:00", "--config", written)[0] == 2
    core = Core(config(state))
    code, _, err = luxwake(capsys, "backfill", there[0], "--config", written)
    core.close()
    assert code == 2 and "another daemon uses this state" in err
