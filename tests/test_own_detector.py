"""The detector that docs/own_detector.md builds, installed as a package would bring it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "own_detector.md"


def blocks():
    return re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder of installed packages with the detector of the page in it."""
    folder = tmp_path_factory.mktemp("site")
    install(folder, "sprint", blocks()[0], "sprint:Sprint")
    return folder


def install(folder, name, code, place):
    (folder / f"{name}.py").write_text(code, encoding="utf-8")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[luxwake.detectors]\n{name} = {place}\n")


def run(site, *arguments):
    paths = os.pathsep.join([str(ROOT), str(site)])
    env = {**os.environ, "PYTHONPATH": paths}
    return subprocess.run([sys.executable, *arguments], env=env, cwd=ROOT, capture_output=True, text=True, check=False)


def test_it_is_one_file_of_under_150_lines():
    assert len(blocks()[0].splitlines()) < 150


def test_it_is_found_by_the_command_line_with_its_thresholds_and_facts(site, tmp_path):
    out = tmp_path / "out"
    track = "fixtures/flagship/track.nmea.zst"
    done = run(site, "-m", "luxwake.cli", "detect", track, "--detectors", "sprint", "--set", "sprint.min_speed_kn=14",
               "--out", str(out), "--quiet")  # fmt: skip
    assert done.returncode == 0, done.stderr
    asked = (
        "select count(*) as n, min(speed_kn) as least, bool_and(fastest_kn >= speed_kn) as ok, min(kind) as kind "
        "from events"
    )
    found = json.loads(run(site, "-m", "luxwake.cli", "query", str(out), asked, "--json").stdout)
    assert found["n"] > 20 and found["least"] >= 14.0 and found["ok"] is True and found["kind"] == "sprint"
    listed = run(site, "-m", "luxwake.cli", "detect", "--list").stdout
    assert "[sprint]" in listed and "min_speed_kn = 20.0" in listed


def test_it_keeps_the_laws(site):
    done = run(site, "-c", blocks()[1])
    assert done.returncode == 0, done.stderr


def test_it_runs_beside_all_others_and_without_it_nothing_of_it_is_left(site):
    code = "import luxwake as lw; from detectors.registry import registered; print(list(registered()))"
    assert "sprint" in run(site, "-c", code).stdout
    assert "sprint" not in run("", "-c", code).stdout


@pytest.mark.parametrize(
    "code, place, words",
    [
        ("import nowhere", "broken:Broken", "cannot be loaded (ModuleNotFoundError: No module named 'nowhere')"),
        ("Broken = 3", "broken:Broken", "is no Detector or DerivedDetector but 3"),
        ("from detectors.dark import Dark as Broken", "broken:Broken", "is named 'dark'"),
        (
            "from detectors.dark import Dark\nclass Broken(Dark): name, kinds, facts = 'broken', ('broken',), ('lat',)",
            "broken:Broken",
            "has a fact 'lat', which is a column of every event",
        ),
    ],
)
def test_a_detector_that_cannot_be_one_is_said_in_a_line(tmp_path, code, place, words):
    install(tmp_path, "broken", code, place)
    done = run(tmp_path, "-m", "luxwake.cli", "detect", "--list")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and words in done.stderr and "broken" in done.stderr
