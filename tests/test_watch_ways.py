"""The quick ways of a watch against the slow ones: kept conclusions, identities as they come, rows in files."""

import numpy as np
import pytest

from ais.identity import identities
from ais.table import STATIC_DTYPES, Static, columns_of
from detectors.event import KINDS
from detectors.reports import Reports
from detectors.spool import Spool
from detectors.watch import CHANGES, SUPERSEDED, UPDATED, Watch
from geo.errors import InputError, UsageError
from tests.feeds import HOUR, MINUTE, SECOND, T0
from tests.naive_watch import events_so_far
from tests.worlds import busy_world

OF_ALL_SHIPS = ("dark_rendezvous", "identity")
"""Kinds that rest on all ships together: a watch looks for them once in `together_s`."""


def pieces_that_end_late(fixes, size):
    """Pieces of a feed, each with its reports, whose last row belongs to the piece before: so each ends with a look."""
    pieces = []
    for begin in range(0, len(fixes) - size, size):
        rows = np.append(np.arange(begin + 1, begin + size), max(0, begin - size))
        part = fixes.take(rows)
        first = fixes["t"][begin] if begin else 0
        last = fixes["t"][begin + size] if begin + 2 * size <= len(fixes) else fixes["t"].max() + 1
        part.static = fixes.static.take((fixes.static["t"] >= first) & (fixes.static["t"] < last))
        pieces.append(part)
    return pieces


@pytest.mark.parametrize("seed", range(2))
def test_after_each_piece_a_watch_knows_what_all_rows_from_the_beginning_tell(seed, tmp_path):
    """Ids of all events that follow from single ships and pairs."""
    fixes = busy_world(seed, vessels=5, ports=[(35.1, 129.04)])
    pieces = pieces_that_end_late(fixes, len(fixes) // 12)
    watch = Watch(step_s=1800, history_s=96 * 3600, spool=tmp_path if seed % 2 else None)
    seen = set()
    for k, piece in enumerate(pieces):
        watch.feed(piece)
        expected, told = events_so_far(pieces[: k + 1]), watch.events()
        kinds = [KINDS.index(kind) for kind in KINDS[:12] if kind not in OF_ALL_SHIPS]
        names = [set(table["id"][np.isin(table["kind"], kinds)].tolist()) for table in (told, expected)]
        assert names[0] == names[1], k
        seen |= set(told["kind"].tolist())
    assert {KINDS.index(kind) for kind in ("loitering", "port_call", "voyage", "draught")} <= seen


def reports(seed, n=2000):
    """Static reports of six ships that change now and then, in two parts, from three sources."""
    rng = np.random.default_rng(seed)
    static = columns_of(STATIC_DTYPES, n)
    static["t"] = T0 + rng.integers(0, 48 * 360, n) * 10 * SECOND
    static["mmsi"], static["source"] = 211000001 + rng.integers(0, 6, n), rng.integers(0, 3, n)
    static["name"] = rng.choice([b"", b"LARK", b"TERN"], n, p=[0.3, 0.69, 0.01])
    static["draught"] = np.where(static["t"] > T0 + 40 * HOUR, 6.0, 5.0)
    static["msg_type"], static["offset"] = rng.choice([5, 24], n), np.arange(n)
    return {name: column.astype(STATIC_DTYPES[name]) for name, column in static.items()}


@pytest.mark.parametrize("seed", range(6))
def test_identities_as_reports_come_are_those_of_all_reports(seed):
    """In time order, and with one in ten and one in five up to two hours late; condensed on the way."""
    static = reports(seed)
    rng, n = np.random.default_rng(seed), static["t"].size
    late = (rng.random(n) < 0.1 * (seed % 3)) * rng.integers(0, 7200, n) * SECOND
    kept, so_far = Reports(), []
    for part in np.array_split(np.argsort(static["t"] + late, kind="stable"), 30):
        kept.add({name: column[part] for name, column in static.items()})
        so_far.append(part)
        rows = np.concatenate(so_far)
        expected = identities(Static({name: column[rows] for name, column in static.items()}))
        found = kept.identity()
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
        kept.forget(int(static["t"][part].max()) - 3 * HOUR)


@pytest.mark.parametrize("seed", range(3))
def test_of_reports_in_files_with_few_kept_as_they_came_the_same_follows(seed, tmp_path, monkeypatch):
    """Of many ships, in time order, saved and taken up again on the way; the files are of the reports that are kept."""
    monkeypatch.setattr("detectors.reports.SPAN_ROWS", 64)
    static, spool = reports(seed, 800), Spool(tmp_path)
    static["mmsi"] += np.random.default_rng(seed).integers(0, 50, 800).astype("u4")
    kept = Reports(spool, most=300)
    order = np.argsort(static["t"], kind="stable")
    for k, part in enumerate(np.array_split(order, 8)):
        kept.add({name: column[part] for name, column in static.items()})
        if k % 3 == seed:
            saved = kept.saved()
            spool.begin([one.kept for one in [*saved.pieces, *saved.spans]])
            spool.saved()
            kept = Reports(spool, 300, saved)
        assert kept.recent <= 300
        expected = identities(Static({name: column[order[: part.size * (k + 1)]] for name, column in static.items()}))
        found, anew = kept.identity(), kept.identity_anew()
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
            np.testing.assert_array_equal(anew[name], expected[name], err_msg=name)
    files = {path.name for path in tmp_path.iterdir()}
    saved = kept.saved()
    for _ in range(2):
        spool.begin([one.kept for one in [*saved.pieces, *saved.spans]])
        spool.saved()
    assert len(list(tmp_path.iterdir())) == len(saved.pieces) + len(saved.spans) > 6, files


def test_a_ship_is_news_when_it_says_something_else_and_not_when_it_repeats_itself():
    static = columns_of(STATIC_DTYPES, 400)
    static["t"][:], static["mmsi"][:], static["name"][:] = T0 + np.arange(400) * 6 * MINUTE, 211000001, b"LARK"
    static["name"][350:] = b"TERN"
    kept, news = Reports(), []
    for k in range(400):
        kept.add({name: column[k : k + 1] for name, column in static.items()})
        if kept.said().size:
            news.append(k)
    assert 0 in news and 350 in news and len(news) < 40


def delayed(seed, share=0.05):
    fixes = busy_world(seed, vessels=5)
    rng = np.random.default_rng(seed)
    delay = np.where(rng.random(len(fixes)) < share, rng.integers(0, 2 * HOUR, len(fixes)), 0)
    fixes = fixes.take(np.argsort(fixes["t"] + delay, kind="stable"))
    return [fixes.take(slice(k, k + 400)) for k in range(0, len(fixes), 1000)]


def columns_equal(mine, theirs):
    for name in theirs:
        np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)


def test_with_its_rows_in_files_a_watch_tells_the_same_and_goes_on_after_its_death(tmp_path):
    pieces, stop = delayed(3), 4
    plain, spooled = (Watch(step_s=7200, history_s=4 * 3600, spool=spool) for spool in (None, tmp_path / "spool"))
    for k, piece in enumerate(pieces):
        if k == stop:
            spooled.save(tmp_path / "state")
        columns_equal(spooled.feed(piece), plain.feed(piece))
    columns_equal(spooled.flush(), plain.flush())
    again, other = (Watch(step_s=7200, history_s=4 * 3600, spool=spool) for spool in (tmp_path / "spool", None))
    again.load(tmp_path / "state")
    for piece in pieces[:stop]:
        other.feed(piece)
    for piece in pieces[stop:]:
        columns_equal(again.feed(piece), other.feed(piece))
    columns_equal(again.flush(), other.flush())


def test_what_no_header_names_is_removed_and_what_one_names_stays(tmp_path):
    watch, pieces = Watch(["dark"], history_s=3600, step_s=600, spool=tmp_path / "spool"), delayed(1, 0.0)
    for piece in pieces[:4]:
        watch.feed(piece)
    watch.save(tmp_path / "state")
    named = {path.name for path in (tmp_path / "spool").iterdir()}
    for piece in pieces[4:]:
        watch.feed(piece)
    assert named <= {path.name for path in (tmp_path / "spool").iterdir()}
    Watch(["dark"], history_s=3600, step_s=600, spool=tmp_path / "spool").load(tmp_path / "state")
    assert {path.name for path in (tmp_path / "spool").iterdir()} == named
    with pytest.raises(UsageError, match="lies in a spool"):
        Watch(["dark"], history_s=3600, step_s=600).load(tmp_path / "state")
    (tmp_path / "spool" / sorted(named)[0]).unlink()
    with pytest.raises(InputError, match="is missing"):
        Watch(["dark"], history_s=3600, step_s=600, spool=tmp_path / "spool").load(tmp_path / "state")


def test_what_goes_on_is_told_a_few_times_a_day_and_a_voyage_that_ended_once():
    watch = Watch(update_s=6 * 3600, step_s=3600)
    fixes = busy_world(5, vessels=6, ports=[(35.1, 129.04)])
    told = [watch.feed(fixes.take(slice(k, k + 500))) for k in range(0, len(fixes), 500)]
    days = (fixes["t"].max() - fixes["t"].min()) / (24 * HOUR)
    n = {word: sum(int(np.count_nonzero(part["change"] == k)) for part in told) for k, word in enumerate(CHANGES)}
    assert n["opened"] > 50 and n["updated"] < n["opened"] * 4 * days and SUPERSEDED != UPDATED
    voyages = [part.take((part["kind"] == KINDS.index("voyage")) & (part["change"] == SUPERSEDED)) for part in told]
    ended = sum(int(np.count_nonzero((part["kind"] == 10) & (part["open"] == 0))) for part in told)
    assert ended > 5 and sum(map(len, voyages)) <= ended // 4


def test_ships_derived_for_in_parts_tell_the_same(monkeypatch):
    fixes = busy_world(2, vessels=6, ports=[(35.1, 129.04)])

    def told():
        watch = Watch(step_s=7200, history_s=7200)
        parts = [watch.feed(part) for part in pieces_that_end_late(fixes, len(fixes) // 6)]
        return [*parts, watch.flush()]

    whole = told()
    monkeypatch.setattr("detectors.conclusions.SHIPS_AT_ONCE", 2)
    for mine, theirs in zip(told(), whole, strict=True):
        for name in theirs:
            np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)
    assert sum(map(len, whole)) > 100
