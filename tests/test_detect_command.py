"""`luxwake detect`, `tune` and `explain`, and parameters from files and words."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

import luxwake as lw
from detectors.dark import DarkParams
from detectors.handbook import page
from detectors.registry import registered
from detectors.settings import params_of, params_text, read_params
from detectors.verdict import UP, _nearest
from geo.errors import InputError, UsageError
from luxwake.cli import main
from luxwake.detect import settings
from luxwake.explain import row_of
from tests.feeds import HOUR, MINUTE, T0, fixes_of

LOITERER = 211000001


@pytest.fixture(scope="module")
def track(tmp_path_factory):
    """A ship that sails, drifts for 5.2 h, sails, is silent for 9 h, and sails, beside three that only sail."""
    rows = []
    for m in range(0, 30 * 60, 5):
        drift = min(max(m - 300, 0), 310)
        if not 900 <= m < 900 + 9 * 60:
            rows.append(
                (T0 + m * MINUTE, LOITERER, 0.002 * (m - drift) + 0.00005 * drift, -30.0, 0.3 if 300 < m < 610 else 7.2)
            )
        rows += [(T0 + m * MINUTE + k, 211000010 + k, 3.0 + k + 0.002 * m, -30.0, 7.2) for k in range(3)]
    path = tmp_path_factory.mktemp("track") / "track.parquet"
    lw.write_parquet(fixes_of(sorted(rows)), path)
    return path


def run(capsys, *arguments):
    status = main([str(one) for one in arguments])
    out = capsys.readouterr()
    return status, out.out, out.err


def lines(out):
    return [json.loads(line) for line in out.splitlines()]


def test_detect_writes_events_with_their_parameters_and_explain_finds_them_again(track, tmp_path, capsys):
    out = tmp_path / "case"
    status, told, _ = run(capsys, "detect", track, "--detectors", "loitering,dark", "--fixes", "--out", out, "--json")
    assert status == 0
    summary = lines(told)[-1]
    assert summary["events"] == 2
    names = ["detect.json", "events.geojson", "events.parquet", "fixes.parquet", "identity.parquet"]
    assert sorted(p.name for p in out.iterdir()) == names
    record = json.loads((out / "detect.json").read_text())
    assert record["parameters"]["loitering"]["min_duration_s"] == 4 * 3600
    assert record["inputs"][0]["file"] == "track.parquet" and len(record["inputs"][0]["sha256"]) == 64
    name = lw.query(out, "select id from events where kind = 'loitering'")["id"].to_pylist()[0]
    status, told, _ = run(capsys, "explain", name[:6], out, "--plot", tmp_path / "plot.svg", "--json")
    assert status == 0
    explained = lines(told)[-1]
    assert explained["verdict"].startswith("loitering") and explained["event"]["id"] == name
    assert explained["definition"].startswith("Loitering")
    duration = next(one for one in explained["thresholds"] if one["name"] == "min_duration_s")
    assert duration["value"] == duration["default"] == 14400 and "4 h" in duration["source"]
    flip = next(one for one in explained["flips"] if one["threshold"] == "min_duration_s")
    hours = (explained_span(explained)) / HOUR
    assert flip["verdict"] == "stop (drifting)" and 0 <= flip["at"] / 3600 - hours < 0.15
    assert {one["mmsi"] for one in explained["fixes"]} == {LOITERER}
    plot = (tmp_path / "plot.svg").read_text()
    assert plot.startswith("<svg") and "211000001" in plot and plot.count("<circle") > 60


def explained_span(explained):
    event = explained["event"]
    start, end = (np.datetime64(event[key].rstrip("Z"), "us").astype(int) for key in ("t_start", "t_end"))
    return int(end - start)


def test_explain_shows_people_the_definition_the_thresholds_and_what_would_change(track, tmp_path, capsys):
    out = tmp_path / "case"
    run(capsys, "detect", track, "--detectors", "dark", "--out", out, "--quiet")
    name = lw.query(out, "select id from events")["id"].to_pylist()[0]
    status, told, _ = run(capsys, "explain", name, out, track)
    assert status == 0
    for words in ("stops being heard", "min_gap_s = 21600: pipe-gaps", "What would have changed the verdict", "= "):
        assert words in told
    assert "·" in told and "=====" in told  # the silence in the line of speeds, and the event below it


def test_thresholds_come_from_a_file_and_from_words(track, tmp_path, capsys):
    params = tmp_path / "params.toml"
    params.write_text("[loitering]\nmin_duration_s = 36000\n[dark]\nmin_gap_s = 18000\n")
    out = tmp_path / "case"
    run(capsys, "detect", track, "--detectors", "loitering,dark", "--params", params, "--set",
        "dark.min_gap_s=40000", "--out", out, "--quiet")  # fmt: skip
    assert lw.query(out, "select kind from events")["kind"].to_pylist() == ["stop"]
    said = json.loads((out / "detect.json").read_text())["parameters"]
    assert said["loitering"]["min_duration_s"] == 36000 and said["dark"]["min_gap_s"] == 40000


def test_list_prints_a_file_that_can_be_read_and_changes_nothing(capsys):
    status, told, _ = run(capsys, "detect", "--list")
    assert status == 0 and told == params_text()
    assert set(tomllib.loads(told)) == set(registered())
    for name, params in params_of(tomllib.loads(told)).items():
        assert params == registered()[name].Params()
    assert all(line.startswith("#") or line == "" or "=" in line or line.startswith("[") for line in told.splitlines())


def test_the_page_of_all_detectors_is_as_made():
    assert Path("docs/detectors.md").read_text(encoding="utf-8") == page(), (
        "python -m detectors.handbook > docs/detectors.md"
    )


def test_tune_shows_how_the_number_of_events_moves(track, capsys):
    status, told, _ = run(capsys, "tune", "dark.min_gap_s", track, "--values", "3600,18000,36000", "--json")
    rows = [one for one in lines(told) if "min_gap_s" in one]
    assert status == 0 and [one["min_gap_s"] for one in rows] == [3600, 18000, 36000]
    assert (
        [one["events"] for one in rows] == [1, 1, 0]
        and rows[0]["ships"] == 1
        and rows[0]["hours"] == pytest.approx(9.1, abs=0.1)
    )
    _, told, _ = run(capsys, "tune", "loitering.min_duration_s", track)
    assert "<- now" in told and "####" in told


def test_tune_notes_the_values_out_of_range_and_goes_on_with_the_others(track, capsys):
    status, told, err = run(capsys, "tune", "dark.min_gap_s", track, "--values=-1,18000")
    assert status == 0 and "18000" in told and "left out min_gap_s = -1: dark: " in err


def test_a_file_of_parameters_may_have_those_of_detectors_that_do_not_run(track, tmp_path, capsys):
    params = tmp_path / "params.toml"
    params.write_text(params_text())
    words = ("detect", track, "--detectors", "dark", "--params", params, "--out", tmp_path / "case")
    status, _, err = run(capsys, *words)
    assert status == 0 and "not used" not in err
    params.write_text("[loitering]\nmin_duration_s = 36000\n")
    status, _, err = run(capsys, *words)
    assert status == 0 and "parameters of loitering are not used: only dark run" in err


def test_an_event_of_other_columns_and_of_a_part_of_the_time_is_explained_with_the_same_options(
    track, tmp_path, capsys
):
    fixes, own = lw.read(track), tmp_path / "own.csv"
    rows = zip(*(fixes[name].tolist() for name in ("t", "mmsi", "lat", "lon", "sog")), strict=True)
    own.write_text("wann,wer,breite,laenge,fahrt\n" + "".join(
        f"{np.datetime64(t, 'us')}Z,{mmsi},{lat},{lon},{sog}\n" for t, mmsi, lat, lon, sog in rows))  # fmt: skip
    options = ("--columns", "t=wann,mmsi=wer,lat=breite,lon=laenge,sog=fahrt",
               "--from", f"{np.datetime64(T0 + 2 * HOUR, 'us')}Z")  # fmt: skip
    out = tmp_path / "case"
    assert run(capsys, "detect", own, *options, "--detectors", "dark", "--out", out, "--quiet")[0] == 0
    name = lw.query(out, "select id from events")["id"].to_pylist()[0]
    status, told, _ = run(capsys, "explain", name, out, own, *options, "--json")
    assert status == 0 and lines(told)[-1]["event"]["id"] == name


def test_explain_takes_the_files_of_the_run_and_no_others(track, tmp_path, capsys):
    ships, more, stations, out = (tmp_path / name for name in ("ships.csv", "more.csv", "stations.csv", "case"))
    ships.write_text("imo\n9999993\n")
    more.write_text("imo\n9074729\n")
    stations.write_text("source,lat,lon,range_nmi\n0,0.0,-30.0,1000\n")
    files = ("--registry", ships, "--stations", stations)
    chosen = ("--detectors", "dark,identity,false_position", "--out", out, "--quiet")
    assert run(capsys, "detect", track, *files, *chosen)[0] == 0
    name = lw.query(out, "select id from events where kind = 'dark'")["id"].to_pylist()[0]
    status, told, _ = run(capsys, "explain", name, out, track, *files, "--json")
    assert status == 0 and lines(told)[-1]["event"]["id"] == name
    for given, words in (
        ((), "the run had a file of registry; give it as --registry FILE"),
        (files[:2], "the run had a file of stations; give it as --stations FILE"),
        (("--registry", more, *files[2:]), "more.csv is not the file of the run"),
    ):
        status, _, err = run(capsys, "explain", name, out, track, *given)
        assert status == 2 and words in err.splitlines()[-1]
    run(capsys, "detect", track, *chosen)
    status, _, err = run(capsys, "explain", name, out, track, *files[:2])
    assert status == 2 and "the run had no file of registry; leave out --registry" in err


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["detect", "TRACK", "--detectors", "drak"], "no detector 'drak'"),
        (["detect"], "detect needs an INPUT"),
        (["detect", "TRACK", "--set", "dark.min_gap=1"], "did you mean min_gap_s?"),
        (["detect", "TRACK", "--set", "dark.min_gap_s=six"], "min_gap_s = 'six' is no int"),
        (["detect", "TRACK", "--set", "min_gap_s=6"], "write DETECTOR.PARAMETER=VALUE"),
        (["detect", "TRACK", "--set", "dark.preset=gfw"], "dark: no preset 'gfw'; there are none"),
        (["detect", "TRACK", "--params", "/nowhere.toml"], "/nowhere.toml: cannot be read"),
        (["tune", "dark.min_gap", "TRACK"], "is no threshold; dark has min_gap_s"),
        (["tune", "dark.min_gap_s", "TRACK", "--values", "one"], "are no numbers"),
        (
            ["tune", "dark.min_gap_s", "TRACK", "--values=-1,-2"],
            "no value of --values can be dark.min_gap_s; min_gap_s = -2",
        ),
        (["tune", "dark.min_gap_s", "TRACK", "--set", "loitering.min_duration_s=9"], "loitering.min_duration_s is set"),
        (["detect", "TRACK", "--detectors", "dark", "--set", "loitering.min_duration_s=9"], "but only dark run"),
        (["detect", "TRACK", "--detectors", "dark", "--registry", "ships.csv"], "identity.registry is set, but only"),
        (["detect", "TRACK", "--detectors", "identity", "--registry", "/nowhere.csv"], "/nowhere.csv: register cannot"),
        (["explain", "ff", "/nowhere"], "no detect.json and no findings.json"),
        (["detect", "TRACK", "--set", "dark.min_gap_s=99999999999999999999"], "is no number from -1e9 to 1e9"),
        (["detect", "TRACK", "--set", "loitering.max_speed_kn=inf"], "max_speed_kn = inf is no number from"),
        (["detect", "TRACK", "--set", "loitering.max_speed_kn=" + "9" * 5000], "max_speed_kn = '999"),
        (["tune", "dark.min_gap_s", "TRACK", "--values", "nan"], "--values nan: dark.min_gap_s is no number from"),
        (["tune", "dark.min_gap_s", "TRACK", "--values", "1e30"], "--values 1e+30"),
        (["tune", "dark.min_gap_s", "TRACK", "--values=-inf"], "--values -inf"),
    ],
)
def test_a_wrong_word_is_answered_in_a_line(track, tmp_path, capsys, arguments, words):
    arguments = [track if one == "TRACK" else one for one in arguments]
    extra = ["--out", tmp_path / "out"] if arguments[0] == "detect" else []
    status, _, err = run(capsys, *arguments, *extra, "--quiet")
    assert status in (1, 2) and words in err.splitlines()[-1] and "Traceback" not in err


def test_a_file_that_is_no_toml_and_one_with_a_strange_table_are_named(tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text("[dark\n")
    with pytest.raises(InputError, match=r"bad\.toml: not TOML"):
        read_params(bad)
    bad.write_text("[drak]\nmin_gap_s = 1\n")
    with pytest.raises(UsageError, match=r"bad\.toml: no detector 'drak'"):
        read_params(bad)


@pytest.mark.parametrize("text", ["[dark]\nmin_gap_s = " + "9" * 5000, "x = " + "[" * 5000 + "]" * 5000])
def test_a_file_that_no_reader_of_toml_takes_is_named(tmp_path, text):
    (tmp_path / "bad.toml").write_text(text)
    with pytest.raises(InputError, match=r"bad\.toml: not TOML"):
        read_params(tmp_path / "bad.toml")


def test_a_preset_and_what_changes_it_may_come_in_any_order(monkeypatch):
    params = registered()["rendezvous"].Params
    monkeypatch.setattr(params, "PRESETS", ("near",), raising=False)
    monkeypatch.setattr(params, "preset", lambda name: params(max_distance_m=100.0), raising=False)
    words = ["rendezvous.min_duration_s=60", "rendezvous.preset=near"]
    one, two = (settings(None, order)["rendezvous"] for order in (words, words[::-1]))
    assert one == two and one.min_duration_s == 60 and one.max_distance_m == 100.0


@pytest.mark.parametrize(
    "parameters, words",
    [
        ({"dark": 3}, "holds no parameters"),
        ([], "holds no parameters"),
        ({"dark": {"min_gap_s": 3}}, "dark: min_fixes is missing, as in a record of another version"),
        ({"dark": "SAID", "min_gap_s": "six"}, "min_gap_s = 'six' is no int"),
    ],
)
def test_a_record_that_is_not_ours_is_named(track, tmp_path, capsys, parameters, words):
    out = tmp_path / "case"
    run(capsys, "detect", track, "--detectors", "dark", "--out", out, "--quiet")
    record = json.loads((out / "detect.json").read_text())
    if isinstance(parameters, dict) and parameters["dark"] == "SAID":
        parameters = {"dark": record["parameters"]["dark"] | {"min_gap_s": "six"}}
    (out / "detect.json").write_text(json.dumps({**record, "parameters": parameters}))
    name = lw.query(out, "select id from events")["id"].to_pylist()[0]
    status, _, err = run(capsys, "explain", name, out, track, "--quiet")
    assert status == 1 and "detect.json" in err and words in err and "run `luxwake detect` again" in err


def test_events_without_ids_are_named(track, tmp_path, capsys):
    out = tmp_path / "case"
    run(capsys, "detect", track, "--detectors", "dark", "--out", out, "--quiet")
    lw.write_parquet(lw.read(track), out / "events.parquet")
    status, _, err = run(capsys, "explain", "ff", out, track, "--quiet")
    assert status == 1 and "events.parquet: no column id" in err


def test_a_threshold_is_moved_up_to_the_edge_of_its_range():
    """0.5 becomes 0.525, 0.625, 0.8, and then 1.25, which is none: what changes at 0.9 lies between."""
    own = DarkParams(min_score=0.5)
    at, verdict = _nearest(lambda moved: "dark" if moved.min_score < 0.9 else "gap", own, "min_score", UP, "dark")
    assert 0.9 <= at < 0.91 and verdict == "gap"
    assert _nearest(lambda moved: "dark", own, "min_score", UP, "dark") is None


def test_an_id_is_known_by_its_first_digits_only_where_one_begins_so():
    assert row_of(["00ff", "01ff", "0100"], "00") == 0
    with pytest.raises(UsageError, match="2 events begin with '01'"):
        row_of(["00ff", "01ff", "0100"], "01")
    with pytest.raises(UsageError, match="no event has the id 'ee'"):
        row_of(["00ff"], "ee")


def test_parameters_may_be_words_in_python_too(track):
    fixes = lw.read(track)
    assert len(lw.detect(fixes, ["dark"], {"dark": {"min_gap_s": 10 * 3600}})) == 0
    with pytest.raises(UsageError, match="parameters are a DarkParams or a table of names, not 3"):
        lw.detect(fixes, ["dark"], {"dark": 3})
