"""The benchmarks' own parts: the matcher, the causes of errors, and the maker of tables."""

import json
import platform
from itertools import permutations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from ais.table import Fixes
from benchmarks import child, decode, geo, geo_input, peers, real
from benchmarks.matching import Span, match, time_iou
from benchmarks.quality import GAP_6H, GAP_12H, Found, added, found_for, measure, quantile
from benchmarks.speed import stage_row
from benchmarks.tables import number, table
from benchmarks.truth import HOUR_US, Heard, Scripted, read_truth, stretches, why_hidden

SHIP, MATE = 671999101, 671999102


def scripted(kind, start_h, end_h, *, mmsi=SHIP, other=0, note=""):
    return Scripted(kind, mmsi, other, int(start_h * HOUR_US), int(end_h * HOUR_US), 0.0, 0.0, note)


def found(kind, start_h, end_h, *, mmsi=SHIP, other=0, score=1.0, port=""):
    return Found(kind, mmsi, other, int(start_h * HOUR_US), int(end_h * HOUR_US), score, port)


def heard_at(hours, mmsi=SHIP):
    n = len(hours)
    return Fixes(
        {
            "t": (np.array(hours) * HOUR_US).astype(np.int64),
            "mmsi": np.full(n, mmsi),
            "lat": np.zeros(n),
            "lon": np.zeros(n),
        }
    )


def naive_match(truth, found, least):
    """The best pairing by trying all: most pairs, then the greatest sum of IoU."""
    best = (0, 0.0)
    slots = [*range(len(found)), *[None] * len(truth)]
    for chosen in set(permutations(slots, len(truth))):
        pairs = [(i, j) for i, j in enumerate(chosen) if j is not None and truth[i].who == found[j].who]
        shared = [time_iou(truth[i], found[j]) for i, j in pairs]
        good = [iou for iou in shared if iou >= least and iou > 0]
        best = max(best, (len(good), sum(good)))
    return best


spans = st.lists(
    st.builds(
        lambda who, start, hours: Span(who, start, start + hours),
        st.sampled_from("ab"),
        st.integers(0, 12),
        st.integers(1, 9),
    ),
    max_size=3,
)


@given(spans, spans, st.sampled_from((0.3, 0.5, 0.7)))
def test_the_pairing_is_the_best_of_all(truth, found, least):
    pairs = match(truth, found, least)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert all(truth[i].who == found[j].who and time_iou(truth[i], found[j]) >= least for i, j in pairs)
    n, total = naive_match(truth, found, least)
    assert len(pairs) == n
    assert sum(time_iou(truth[i], found[j]) for i, j in pairs) == pytest.approx(total)


def test_two_pairs_are_better_than_one_with_more_overlap():
    truth = [Span("a", 0, 10), Span("a", 6, 16)]
    events = [Span("a", 2, 13), Span("a", 0, 5)]
    assert match(truth, events, 0.5) == [(0, 1), (1, 0)]


def test_pieces_of_one_event_are_one_hit_and_false_ones():
    truth = [scripted("loitering", 0, 10)]
    r = measure("loitering", truth, [""], [found("loitering", 0, 7), found("loitering", 8, 10)])
    assert (r["truth"], r["found"], r["hits 0.5"], r["missed"]) == (1, 2, 1, {})
    assert r["false"] == {"second piece of an event found": 1}
    assert r["iou"] == [0.7] and r["start_min"] == [0.0] and r["end_min"] == [180.0]


def test_a_hidden_event_counts_among_all_and_not_among_the_identifiable():
    truth = [scripted("dark", 0, 20), scripted("dark", 40, 60)]
    r = measure(
        "dark", truth, ["heard fewer than 3 times before", ""], [found("dark", 0, 20), found("gap", 40, 60, score=0.4)]
    )
    assert (r["truth"], r["shown"], r["hits 0.5"], r["shown hits 0.5"]) == (2, 1, 1, 0)
    assert r["missed"] == {"called a gap: score too low": 1}


def test_a_gap_of_unknown_reception_is_no_dark_period_but_one_for_the_baseline():
    truth = [scripted("dark", 0, 8)]
    events = [found("gap", 0, 8, score=float("nan"))]
    assert measure("dark", truth, [""], events)["missed"] == {"called a gap: reception unknown": 1}
    assert measure(GAP_6H, truth, [""], events)["hits 0.5"] == 1
    assert found_for(GAP_12H, events) == []


def test_false_events_are_told_apart_by_what_the_ship_did():
    truth = [scripted("rendezvous", 0, 5, other=MATE), scripted("drift", 20, 25), scripted("loitering", 40, 60)]
    events = [
        found("loitering", 0, 6, mmsi=MATE),
        found("loitering", 20, 25),
        found("loitering", 41, 46),
        found("loitering", 90, 95),
    ]
    assert measure("loitering", truth, [""] * 3, events)["false"] == {
        "during a scripted rendezvous": 1,
        "during a scripted drift": 1,
        "scripted event, IoU under 0.5": 1,
        "nothing scripted": 1,
    }


def test_a_ship_that_takes_another_mmsi_is_no_silence_without_a_cause():
    truth = [scripted("identity", 10, 10, other=MATE)]
    late, later = found("dark", 10.1, 60), found("dark", 11, 60)
    assert measure("dark", truth, [""], [late])["false"] == {"the ship took another MMSI": 1}
    assert measure("dark", truth, [""], [later])["false"] == {"nothing scripted": 1}


def test_holes_of_class_b_ships_are_counted_apart():
    truth = [scripted("hole", 0, 8)]
    event = found("dark", 0, 8)._replace(ship="class B")
    assert measure("dark", truth, [""], [event])["false"] == {"during a scripted hole (class B)": 1}


def test_a_port_call_that_holds_a_wait_at_anchor_says_so():
    truth = [scripted("anchor", 0, 30), scripted("port_call", 31, 40)]
    r = measure("port_call", truth, ["", ""], [found("port_call", 0, 41)])
    assert r["false"] == {"scripted event, IoU under 0.5: it holds a longer anchor too": 1}


def test_a_meeting_belongs_to_its_pair():
    truth = [scripted("rendezvous", 0, 4, other=MATE)]
    assert measure("rendezvous", truth, [""], [found("rendezvous", 0, 4, other=MATE)])["hits 0.5"] == 1
    assert measure("rendezvous", truth, [""], [found("rendezvous", 0, 4, other=MATE + 1)])["hits 0.5"] == 0


def test_worlds_are_added_count_by_count():
    one = {"truth": 2, "iou": [0.5], "false": {"a": 1}}
    assert added([one, {"truth": 3, "iou": [0.7], "false": {"a": 2, "b": 1}}]) == {
        "truth": 5,
        "iou": [0.5, 0.7],
        "false": {"a": 3, "b": 1},
    }


@pytest.mark.parametrize(
    ("row", "shore_m", "would", "why"),
    [
        (scripted("loitering", 1, 9), 10_000.0, 0, "nearer to shore than 20 nmi"),
        (scripted("loitering", 1, 4), 90_000.0, 0, "shorter than 4 h"),
        (scripted("loitering", 1, 9), 90_000.0, 0, ""),
        (scripted("loitering", 17, 29), 90_000.0, 0, "not heard for 4 h in one stretch"),
        (scripted("dark", 10, 30), 0.0, 9, ""),
        (scripted("dark", 10, 30), 0.0, 8, "would have been heard fewer than 9 times while sending"),
        (scripted("dark", 1, 30), 0.0, 99, "heard fewer than 3 times before"),
        (scripted("dark", 10, 15), 0.0, 99, "not longer than 6 h within the world's time"),
        (scripted("port_call", 0, 0.5), 0.0, 0, "shorter than 1 h"),
        (scripted("port_call", 0, 5), 0.0, 0, ""),
        (scripted("port_call", 30, 40), 0.0, 0, "heard fewer than 2 times in port"),
        (scripted("rendezvous", 0, 8, other=MATE), 90_000.0, 0, "both not heard for 2 h in one stretch"),
        (scripted("rendezvous", 0, 8, other=MATE), 5_000.0, 0, "nearer to shore than 10 km"),
    ],
)
def test_what_the_input_cannot_show(row, shore_m, would, why):
    heard = Heard(heard_at([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 18]))
    assert why_hidden(row, heard, shore_m, {(SHIP, row.t_start // 1_000_000): would}) == why


def test_ships_are_heard_together_only_while_both_are():
    ships = heard_at([0, 1, 2, 3, 4]), heard_at([2, 3, 9, 10], MATE)
    both = Fixes({name: np.concatenate([ship[name] for ship in ships]) for name in ("t", "mmsi", "lat", "lon")})
    assert Heard(both).longest_h([SHIP, MATE], 0, 10 * HOUR_US, 3.0) == 1.0
    assert stretches(np.array([], np.int64), 3.0) == []


def test_truth_is_read_as_the_simulator_writes_it(tmp_path):
    from luxwake.simulate.voyage import Truth
    from luxwake.simulate.write import write_truth

    path = tmp_path / "truth.csv"
    write_truth(path, [Truth("rendezvous", SHIP, MATE, 3600.0, 7200.0, 1.5, -2.5, "40 m apart")])
    assert read_truth(path) == [Scripted("rendezvous", SHIP, MATE, HOUR_US, 2 * HOUR_US, 1.5, -2.5, "40 m apart")]


def test_tables_are_github_markdown():
    assert table(["file", "rows"], [["a|b", "1,000"], ["c", "n/a"]]).splitlines() == [
        "| file | rows |",
        "|---|---:|",
        "| a\\|b | 1,000 |",
        "| c | n/a |",
    ]
    assert number(float("nan")) == "n/a"
    with pytest.raises(ValueError, match="1 cells and the header 2"):
        table(["a", "b"], [["only one"]])


def test_a_row_of_speed_gives_rate_and_ns():
    r = {"rows": 2_000_000, "cpu_s": 0.5, "wall_s": 0.6, "before_mb": 100.0, "peak_mb": 150.0}
    assert stage_row("index", r) == ["index", "2,000,000", "0.500", "0.600", "4,000,000", "250", "100", "150", ""]


def test_quantiles_of_few_values():
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([], 0.5) != quantile([], 0.5)


def test_a_child_gives_its_result_and_its_own_peak_memory():
    result = child.run_child("benchmarks.__main__:machine")
    assert result["python"] == platform.python_version()
    assert 10.0 < result["peak_mb"] < 1_000.0 and result["process_s"] > 0.0


def test_timing_gives_the_median_and_runs_as_often_as_told():
    calls = []
    result = child.timed(lambda: calls.append(1), 5)
    assert len(calls) == 5 and 0.0 <= result["wall_s"] < 1.0 and result["before_mb"] > 0.0


def test_a_refused_file_is_a_row_of_the_table(tmp_path):
    empty = tmp_path / "empty.nmea"
    empty.write_bytes(b"")
    result = real.read_and_detect([str(empty)])
    assert "empty" in result["error"]
    assert len(real.row("empty.nmea", {**result, "peak_mb": 1.0})) == len(real.HEADER)


def test_tag_blocks_of_the_benchmark_are_sound_and_their_times_advance():
    from ais.decode import Decoder

    lines = [b"!AIVDM,1,1,,A,1:0oTO@P1J9@F:0D9401VQ@00000,0*08"] * 3
    decoder = Decoder()
    made = [
        decoder.feed(b"\n".join(decode.with_tag_blocks(lines, begin)) + b"\n") for begin in (1000000000, 1000000600)
    ]
    t = [one[0]["t"] if isinstance(one, tuple) else one.fixes()["t"] for one in made]
    assert decoder.counts == {} and np.unique(t).tolist() == [1000000000_000000, 1000000600_000000]
    assert decode.sentences_of(b"# a\r\n1 !AIVDM,x\r\n\n") == [b"!AIVDM,x"]


def test_rates_stand_beside_those_of_pyais_and_what_is_missing_is_left_out():
    same = {"version": "1", "cpu_s": 1.0, "wall_s": 1.0, "ready_s": 0.1, "peak_mb": 20.0, "messages": 5}
    lines = [
        {"key": ["luxwake", "columns"], "decoder": "Luxwake", "way": "w", "sentences": 900, "rate": 900.0, **same},
        {"key": ["pyais", "decode"], "decoder": "pyais", "way": "w", "sentences": 90, "rate": 90.0, **same},
        {"key": ["aiscat", "dictionary"], "decoder": "aiscat", "way": "w", "not_there": "no network"},
    ]
    made = [dict(zip(decode.HEADER, row, strict=True)) for row in decode.rows(lines)]
    assert [row["times pyais"] for row in made] == ["10.0", "1.00"]
    assert [row["times aiscat"] for row in made] == ["n/a", "n/a"]


def test_a_decoder_runs_in_a_process_of_its_own_and_a_missing_one_says_why(tmp_path, monkeypatch):
    feed = tmp_path / "feed.nmea"
    feed.write_bytes(b"!AIVDM,1,1,,A,1:0oTO@P1J9@F:0D9401VQ@00000,0*08\n" * 4)
    answer = peers.ask("luxwake", "columns", str(feed), str(feed))
    assert answer["messages"] == 4 and answer["cpu_s"] > 0.0 and 10.0 < answer["peak_mb"] < 1_000.0
    monkeypatch.setenv("PATH", str(tmp_path))
    assert peers.ask("gpsdecode", "whole", str(feed)) == {"not_there": "`gpsdecode` is not on the PATH"}
    monkeypatch.setenv("LUXWAKE_CACHE", str(tmp_path))
    assert peers.folder() == tmp_path / "peers"


def test_the_geo_input_is_on_the_globe_and_the_same_each_time():
    lat, lon = geo_input.positions(10_000, 1)
    assert lat.size == 10_000 and np.abs(lat).max() <= 90 and np.array_equal(geo_input.positions(10_000, 1)[1], lon)
    zones = [shapely.from_geojson(json.dumps(one["geometry"])) for one in geo_input.zones_geojson(4)["features"]]
    assert len(zones) == geo_input.ZONES and shapely.is_valid(zones).all()


def test_geo_ways_that_are_not_there_are_named_and_costs_stand_beside_ours():
    same = {"version": "1", "wall_s": 1.0, "ready_s": 0.1, "peak_mb": 20.0, "messages": 5}
    cells, loop, missing = (geo.Way(peer, "cells_7", "w") for peer in ("geo", "h3", "h3ronpy"))
    answers = {cells: [{"cpu_s": 0.1, **same}], loop: [{"cpu_s": 0.5, **same}], missing: [{"not_there": "no network"}]}
    lines = geo.summary(answers, {"points": 1_000_000, "gaps": 10})
    made = [dict(zip(geo.HEADER, row, strict=True)) for row in geo.rows(lines)]
    assert [row["CPU each"] for row in made] == ["100 ns", "500 ns"]
    assert [row["times ours"] for row in made] == ["1.00", "5.00"]
    assert list(geo.notes(lines)) == ["Not measured: h3ronpy, w: no network."]


def test_ours_and_the_loop_of_h3_give_the_same_answer(tmp_path):
    np.save(tmp_path / "points.npy", geo_input.positions(1_000, 1))
    arguments = ["cells_7", str(tmp_path / "points.npy"), str(tmp_path / "points.npy")]
    assert peers.ask("geo", *arguments)["messages"] == peers.ask("h3", *arguments)["messages"]


def test_scores_that_are_true_probabilities_have_no_calibration_error():
    from benchmarks.dark import bins, calibration_error

    true = [(0.9, True)] * 9 + [(0.9, False), (0.0, False), (1.0, True)]
    assert calibration_error(true) == pytest.approx(0.0)
    assert [n for n, _, _ in bins(true)] == [1, 0, 0, 0, 0, 10, 1]
    assert calibration_error([(0.9, False)] * 4) == pytest.approx(0.9)


def test_f1_of_dark_periods_counts_pieces_of_one_silence_once():
    from benchmarks.dark import by_ship, interval, rates

    counts = by_ship([scripted("dark", 0, 20)], [found("dark", 0, 12), found("dark", 13, 20)])
    assert list(counts.values()) == [[1, 2, 1]]
    assert rates(counts) == (0.5, 1.0, pytest.approx(2 / 3)) and interval(counts) == pytest.approx((2 / 3, 2 / 3))
