"""The command line before it does anything: help, names, doctor, small commands."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import luxwake as lw
from luxwake.cli import main
from luxwake.console import Console
from tests.cli_case import printed

HEAVY = ("numba", "numpy", "duckdb", "rich", "shapely", "arro3", "sklearn", "searoute")


@pytest.mark.parametrize("options", [["--help"], ["run", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(options: list[str], tmp_path: Path) -> None:
    script = (
        "import sys\nfrom luxwake.cli import main\ntry:\n    main(sys.argv[1:])\nfinally:\n"
        f"    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    made = subprocess.run(
        [sys.executable, "-c", script, *options], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert made.returncode == 0 and made.stderr == "[]\n" and "luxwake" in made.stdout


def test_every_public_name_is_there() -> None:
    for name in lw.__all__:
        assert getattr(lw, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = lw.nothing


@pytest.mark.parametrize("before", ["import luxwake.simulate.write", "lw.simulate"])
def test_simulate_is_the_function_whatever_was_imported_before(before: str, tmp_path: Path) -> None:
    script = f"import luxwake as lw\n{before}\nimport luxwake.simulate.script\nprint(lw.simulate.__name__)"
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert made.stdout == "simulate\n"


def test_doctor_says_what_is_there_and_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    (report,) = printed(capsys, "doctor")
    assert report["machine"]["luxwake"] == lw.__version__ and report["needed"]["numpy"] == np.__version__
    assert int(report["machine"]["cores"]) >= 1 and int(report["machine"]["numba threads"]) >= 1
    assert all(size.endswith(" bytes") for size in report["tables"].values())
    for extra, modules in (("frames", ("pandas", "polars", "pyarrow")), ("geo", ("geopandas", "pyarrow"))):
        missing = [name for name in modules if find_spec(name) is None]
        expected = "ready" if not missing else f"missing {', '.join(missing)}: pip install 'luxwake[{extra}]'"
        assert report["extras"][extra] == expected
    assert list(report["brokers"]) == ["mosquitto", "nats-server", "postgresql", "redis-server"]
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "kernel cache" in out and np.__version__ in out and report["extras"]["geo"].split(":")[0] in out


def test_doctor_works_where_the_compiler_does_not(tmp_path: Path) -> None:
    (tmp_path / "numba.py").write_text("raise ImportError('no such LLVM')\n")
    script = "import sys; sys.path.insert(0, '.'); from luxwake.cli import main; sys.exit(main(['doctor', '--json']))"
    made = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "no such LLVM" in json.loads(made.stdout)["machine"]["numba threads"]


def test_simulate_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["simulate", "world", "--seed", "5", "--vessels", "4", "--days", "1", "--out"]
    (line,) = printed(capsys, *argv, str(tmp_path / "a"))
    assert "positions" in line["detail"] and line["name"] == "simulate"
    assert main([*argv, str(tmp_path / "b"), "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    for name in ("track.nmea", "shipments.csv", "truth.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_console_table_closes_the_terminal_to_strangers(capsys: pytest.CaptureFixture[str]) -> None:
    Console().table("", ("name",), [("SEA\x1b[2JLARK",)])
    assert "SEA[2JLARK" in capsys.readouterr().out
