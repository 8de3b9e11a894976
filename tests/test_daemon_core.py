"""The daemon's core: events equal batch's, and a death at any instant changes nothing."""

import math
import os
import shutil
import signal
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

import luxwake as lw
from detectors.spool import Spool
from geo.errors import InputError, OutputError, UsageError
from luxwake.daemon.core import Core
from luxwake.daemon.detection import settings_of
from luxwake.daemon.intake import Chunk
from tests.daemon_case import WATCH, config, feed, in_child, pieces, serve
from tests.test_waiting import _roads

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def chunks():
    return pieces(feed())


@pytest.fixture(scope="module")
def whole(chunks, tmp_path_factory):
    """What a core tells that nothing happens to."""
    return serve(tmp_path_factory.mktemp("whole") / "state", chunks)


def newest(changes):
    """The last that was told of each event, what was retracted left out, and what changes with every telling."""
    last = {change.event_id: msgspec.json.decode(change.body) for change in changes}
    told = [event for event in last.values() if event.pop("change") != "retracted"]
    for event in told:
        del event["revision"]
    return {event["id"]: event for event in told}


def test_events_are_those_of_batch(tmp_path, chunks):
    path = tmp_path / "feed.nmea"
    path.write_bytes(feed())
    batch = lw.detect(lw.read(path))
    told = newest(serve(tmp_path / "state", chunks, to_the_end=True))
    assert set(told) == set(batch["id"].tolist())
    kinds = {event["kind"] for event in told.values()}
    assert {"dark", "port_call", "stop", "rendezvous", "loitering"} <= kinds
    for mine, theirs in zip(batch["id"].tolist(), batch["t_end"].tolist(), strict=True):
        assert told[mine]["t_end"] == lw_iso(theirs)


def lw_iso(us):
    from luxwake.geojson import iso_utc

    return iso_utc(us)


def test_however_the_feed_is_cut_the_events_are_the_same(tmp_path, chunks):
    whole = newest(serve(tmp_path / "whole", chunks, to_the_end=True))
    for seed, n in ((2, 5), (3, 300)):
        assert newest(serve(tmp_path / str(seed), pieces(feed(), seed, n), to_the_end=True)) == whole


OTHER = {"detect": {"params": {"dark": {"min_gap_s": 43_200}}}}


def test_other_thresholds_take_back_what_goes_on_and_go_on_from_the_rows_that_are_kept(tmp_path, chunks):
    state = tmp_path / "state"
    before = serve(state, chunks[:30])
    going_on = {key for key, event in newest(before).items() if event["open"]}
    after = serve(state, chunks, to_the_end=True, **OTHER)[len(before) :]
    taken_back = {change.event_id for change in after if change.change == "retracted"}
    assert going_on and going_on <= taken_back
    whole = newest(serve(tmp_path / "whole", chunks, to_the_end=True, **OTHER))
    begun = {key for key, event in whole.items() if event["kind"] in ("port_call", "stop") and not event["open"]}
    late = {key for key in begun if whole[key]["t_start"] > "2024-03-01T20"}
    assert late and late <= set(newest(after))


@pytest.mark.parametrize("n", [10, 20, 26, 40])
def test_revisions_go_on_where_other_thresholds_leave_ids_as_they_were(tmp_path, chunks, n):
    """Ids are of a detector's own thresholds: a stop is the same event when those of dark periods change."""
    revisions: dict[str, list[int]] = {}
    serve(tmp_path / "state", chunks[:n])
    for change in serve(tmp_path / "state", chunks[n:], to_the_end=True, **OTHER):
        revisions.setdefault(change.event_id, []).append(change.revision)
    assert all(found == list(range(1, len(found) + 1)) for found in revisions.values())


ENOUGH = {"history_s": 3600, "forget_s": 500_000, "max_rows": 900_000, "max_reports": 90_000, "max_events": 9000}
LITTLE = {"history_s": 600, "forget_s": 7200, "max_rows": 40, "max_reports": 4, "max_events": 4}


def test_nothing_is_told_anew_where_only_more_or_less_is_to_be_kept(tmp_path, chunks, whole):
    serve(tmp_path / "state", chunks[:30])
    assert serve(tmp_path / "state", chunks, watch={**WATCH, **ENOUGH}) == whole


def test_from_then_on_so_much_is_kept_whatever_restarts_come(tmp_path, chunks):
    before = serve(tmp_path / "state", chunks[:30])
    assert any(msgspec.json.decode(change.body)["open"] for change in before)
    with closing(Core(config(tmp_path / "state"))) as core:
        core.recover()
        assert core.watch.rows > 100 and core.watch.reports > 50 and core.watch.events_held > 9
    shutil.copytree(tmp_path / "state", tmp_path / "often")
    after = serve(tmp_path / "state", chunks, watch={**WATCH, **LITTLE})
    for end in (31, 35, 36, 50, 60):
        often = serve(tmp_path / "often", chunks[:end], watch={**WATCH, **LITTLE}, checkpoint_every=3)
    assert often == after and after[: len(before)] == before
    with closing(Core(config(tmp_path / "often", watch={**WATCH, **LITTLE}))) as core:
        core.recover()
        assert core.watch.rows < 100 and core.watch.reports < 10 and core.watch.events_held < 5


def test_settings_that_are_equal_are_the_same_however_they_are_written(tmp_path, chunks):
    """In another order, and numbers in another form; and with another bound, too."""
    params = {"dark": {"min_gap_s": 21_600}, "loitering": {"min_stop_s": 3600}}
    other = {"loitering": {"min_stop_s": 3600.0}, "dark": {"min_gap_s": 21_600.0}}
    expected = serve(tmp_path / "whole", chunks, detect={"params": params})
    serve(tmp_path / "state", chunks[:30], detect={"params": params})
    serve(tmp_path / "state", chunks[:40], detect={"params": other})
    assert serve(tmp_path / "state", chunks, detect={"params": other}, watch={**WATCH, **ENOUGH}) == expected


def test_a_source_whose_format_is_mended_begins_anew(tmp_path, chunks):
    state, source = tmp_path / "state", {"type": "tail", "name": "feed", "path": "feed.nmea"}
    serve(state, chunks[:20], sources=[{**source, "format": "json"}])
    told = serve(state, chunks, sources=[source])
    assert len(told) > 20
    assert serve(state, chunks, sources=[{**source, "format": "json"}]) == told


@pytest.mark.parametrize("name", ["known.geojson", "other.geojson"])
def test_anchorages_that_are_found_anew_are_other_settings(tmp_path, chunks, name):
    """In the same file, or in another one while the old one is gone: what goes on is taken back and found anew."""
    state, path = tmp_path / "state", tmp_path / "known.geojson"
    _roads(35.0, 129.2).save(path)
    before = serve(state, chunks[:30], detect={"anchorages": str(path)})
    path.unlink()
    _roads(36.0, 129.2).save(tmp_path / name)
    after = serve(state, chunks, detect={"anchorages": str(tmp_path / name)})[len(before) :]
    going_on = {key for key, event in newest(before).items() if event["open"]}
    assert going_on and going_on <= {change.event_id for change in after if change.change == "retracted"}
    assert serve(state, chunks, detect={"anchorages": str(tmp_path / name)})[len(before) :] == after


def test_settings_that_cannot_be_followed_do_not_get_into_the_journal(tmp_path, chunks):
    """The file of anchorages is another one by the time at which it is the turn of the settings."""
    path = tmp_path / "known.geojson"
    _roads(35.0, 129.2).save(path)
    with closing(Core(config(tmp_path / "state"))) as core:
        core.recover()
        settings = settings_of(config(tmp_path / "state", detect={"anchorages": str(path)}))
        _roads(36.0, 129.2).save(path)
        before = core.journal.last
        with pytest.raises(InputError, match="has been changed meanwhile"):
            core.settings_record(settings)
        assert core.journal.last == before
        again = settings_of(config(tmp_path / "state", detect={"anchorages": str(path)}))
        core.take(core.settings_record(again))
    path.unlink()
    with closing(Core(config(tmp_path / "state"))) as core:
        core.recover()


def test_what_is_wrong_at_a_start_leaves_nothing_open(tmp_path, monkeypatch):
    """A disk that is full for a moment; thresholds that are no numbers."""
    with monkeypatch.context() as disk:
        disk.setattr(Spool, "put", lambda self, arrays: (_ for _ in ()).throw(OutputError("the disk is full")))
        with pytest.raises(OutputError, match="disk is full"):
            Core(config(tmp_path / "state"))
    for wrong in (math.inf, math.nan, 1e20):
        with pytest.raises(UsageError, match="min_gap_s"):
            Core(config(tmp_path / "state", detect={"params": {"dark": {"min_gap_s": wrong}}}))
    Core(config(tmp_path / "state")).close()


@pytest.fixture(scope="module")
def half(chunks, tmp_path_factory):
    """A state that half of the feed was served to, and what is told when the rest is with other thresholds."""
    folder = tmp_path_factory.mktemp("half")
    serve(folder / "half", chunks[:30])
    shutil.copytree(folder / "half", folder / "whole")
    return folder / "half", serve(folder / "whole", chunks, **OTHER)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_death_while_the_thresholds_change_changes_nothing(tmp_path, chunks, half, n):
    state, expected = half
    shutil.copytree(state, tmp_path / "other")
    real, calls = os.fdatasync, 0

    def work():
        def deadly(file):
            nonlocal calls
            calls += 1
            if calls == n:
                os._exit(9)
            real(file)

        os.fdatasync = deadly
        serve(tmp_path / "other", chunks, **OTHER)

    assert in_child(work) == 9
    assert serve(tmp_path / "other", chunks, **OTHER) == expected


@pytest.mark.parametrize("is_done", [False, True])
def test_the_core_goes_on_while_a_checkpoint_is_on_its_way_to_the_disk(tmp_path, chunks, whole, is_done):
    """A kill then takes it back to the one before, or, when that one is done, to it; no file of either is gone."""
    state = tmp_path / "state"

    def work():
        real, may_go_on = os.fsync, threading.Event()

        def slow(file):
            if threading.current_thread().name.startswith("checkpoint"):
                may_go_on.wait()
            real(file)

        core = Core(config(state))
        core.recover()
        for k, (data, end) in enumerate(chunks[:50]):
            core.take([Chunk(0, 2_000_000_000_000_000 + end, data, str(end), 0)])
            if k == 10:
                core.checkpoint()
                os.fsync, before = slow, core.followed
            elif k == 20:
                core.saving.begin(archive=True)
                begun = core.followed
            elif k > 20:
                assert core.saving.record == before and not core.saving.go_on()
        if is_done:
            may_go_on.set()
            core.saving.end()
            assert core.saving.record == begun
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(work) == -signal.SIGKILL
    assert serve(state, chunks) == whole


def test_when_no_checkpoint_is_whole_nothing_is_made_up(tmp_path, chunks):
    state = tmp_path / "state"
    serve(state, chunks)
    for path in (state / "checkpoints").glob("*.watch"):
        path.write_bytes(b"")
    core = Core(config(state))
    with pytest.raises(InputError, match="no checkpoint is whole"):
        core.recover()


def test_a_journal_that_ends_before_the_store_is_an_error(tmp_path, chunks):
    state = tmp_path / "state"
    serve(state, chunks)
    last = max((state / "journal").glob("*.journal"))
    last.unlink()
    for path in (state / "checkpoints").iterdir():
        path.unlink()
    core = Core(config(state))
    with pytest.raises(InputError, match="the store has all up to"):
        core.recover()


def test_a_state_folder_has_one_daemon(tmp_path):
    core = Core(config(tmp_path))
    with pytest.raises(UsageError, match="another daemon uses this state"):
        Core(config(tmp_path))
    core.close()
    Core(config(tmp_path)).close()


def test_the_journal_is_let_go_of(tmp_path, chunks):
    state = tmp_path / "state"
    serve(state, chunks, checkpoint_every=3)
    assert len(list((state / "checkpoints").glob("*.json"))) == 2
    kept = [int(path.stem) for path in (state / "journal").glob("*.journal")]
    assert min(kept) >= len(chunks) - 7
    assert Path(state / "events.sqlite").exists()


def test_what_follows_is_the_same_however_often_it_is_gone_through(tmp_path):
    with closing(Core(config(tmp_path / "state"))) as core:
        core.recover()
        seqs = []
        for data, end in pieces(feed(), n=20):
            followed = core.follow(core.write([Chunk(0, 2_000_000_000_000_000 + end, data, str(end), 0)]))
            once, again = list(followed.changes), list(followed.changes)
            assert list(map(repr, once)) == list(map(repr, again)) and len(followed.changes) == len(once)
            assert followed.changes.by_kind() == Counter((one.kind, one.change) for one in once)
            core.commit(followed)
            seqs += [one.seq for one in once]
        assert seqs == list(range(1, len(seqs) + 1)) == [one.seq for one in core.store.changes(limit=100_000)]
        assert len(seqs) > 20 and sum(core.told.values()) == len(seqs)
