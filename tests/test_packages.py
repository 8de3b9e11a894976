"""What is installed: the wheel is whole, and `luxwake` says in one line when a package was overwritten."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("geo", "ais", "detectors", "cargo", "luxwake")
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]


def run(command: Sequence[str | Path], **settings: object) -> subprocess.CompletedProcess[str]:
    """A process, with what it printed."""
    return subprocess.run(command, capture_output=True, text=True, check=False, **settings)  # type: ignore[call-overload,no-any-return]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built from a copy so that nothing is left in the checkout."""
    pytest.importorskip("hatchling", reason="hatchling builds the wheel: pip install 'luxwake[dev]'")
    pytest.importorskip("build", reason="build calls hatchling: pip install 'luxwake[dev]'")
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "fixtures", source / "fixtures")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    made = run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", target, source])
    assert made.returncode == 0, made.stdout + made.stderr
    (path,) = target.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def once_installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the wheel."""
    target = tmp_path_factory.mktemp("installed")
    made = run([*PIP, "install", "--no-deps", "--no-index", "--no-compile", "--target", target, wheel])
    assert made.returncode == 0, made.stderr
    return target


@pytest.fixture
def installed(once_installed: Path, tmp_path: Path) -> Path:
    """A copy of it, for a test to change."""
    return shutil.copytree(once_installed, tmp_path / "site")


def imported(site: Path, script: str = "import luxwake; print(luxwake.__file__)") -> subprocess.CompletedProcess[str]:
    """A script that sees the installed wheel before anything else, in a folder that holds nothing of ours."""
    return run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r}); {script}"], cwd=site.parent)


def complaint(made: subprocess.CompletedProcess[str]) -> str:
    """The one line with which the import was refused."""
    assert made.returncode == 1 and made.stdout == ""
    lines = [line for line in made.stderr.splitlines() if line.startswith("ImportError: ")]
    assert len(lines) == 1 and made.stderr.endswith(lines[0] + "\n") and "During handling" not in made.stderr
    return lines[0]


def test_wheel_holds_all_that_a_user_needs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and path.suffix in {".py", ".npz", ".csv", ".toml", ".css", ".js", ".typed"}:
                assert path.relative_to(ROOT).as_posix() in names
    assert {"luxwake/flagship/shipments.csv", "luxwake/flagship/scenario.toml"} <= names
    assert any(name.startswith("luxwake/flagship/") and name.endswith(".nmea.zst") for name in names)
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == set(PACKAGES)
    (licence,) = [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]
    (entry,) = [name for name in names if name.endswith(".dist-info/entry_points.txt")]
    assert zipfile.ZipFile(wheel).read(licence) == (ROOT / "LICENSE").read_bytes()
    assert b"luxwake = luxwake.cli:main" in zipfile.ZipFile(wheel).read(entry)


def test_installed_wheel_finds_its_tables_and_the_flagship(installed: Path) -> None:
    script = "from luxwake.cli import flagship_folder, main; print(flagship_folder()); sys.exit(main(['doctor']))"
    made = imported(installed, script)
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[0] == str(installed / "luxwake" / "flagship")
    assert "reinstall" not in made.stdout


def test_a_package_overwritten_by_a_stranger_is_named(installed: Path) -> None:
    assert imported(installed).stdout.strip() == str(installed / "luxwake" / "__init__.py")
    (installed / "ais" / "__init__.py").write_text("def decode(body, pad):\n    return {}\n")
    line = complaint(imported(installed))
    assert f"'ais' at {installed / 'ais' / '__init__.py'} is not Luxwake's" in line
    assert "libais" in line and "environment of its own" in line and "pip install --force-reinstall luxwake" in line


@pytest.mark.parametrize("package", ["geo", "ais", "detectors", "cargo"])
def test_a_stranger_that_cannot_even_be_imported_is_named(package: str, installed: Path) -> None:
    (installed / package / "__init__.py").write_text("from _compiled_half_that_is_missing import decode\n")
    line = complaint(imported(installed))
    assert repr(package) in line and "is not Luxwake's" in line and "_compiled_half" not in line


def test_a_module_in_the_way_is_named(installed: Path) -> None:
    (installed.parent / "detectors.py").write_text("smoke = True\n")
    made = imported(installed, "sys.path.insert(0, '.'); import luxwake")
    assert "'detectors' at " in complaint(made) and "detectors.py" in complaint(made)


def test_a_package_that_pip_puts_over_ours_is_named(installed: Path, tmp_path: Path) -> None:
    wheel = tmp_path / "strangers_ais-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as files:
        files.writestr("ais/__init__.py", "from ais.vdm import decode\n")
        files.writestr("ais/vdm.py", "def decode(body, pad):\n    return {}\n")
        about = "strangers_ais-1.0.dist-info"
        files.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: strangers-ais\nVersion: 1.0\n")
        files.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        files.writestr(f"{about}/RECORD", "")
    made = run([*PIP, "install", "--no-deps", "--no-index", "--no-compile", "--upgrade", "--target", installed, wheel])
    assert made.returncode == 0, made.stderr
    line = complaint(imported(installed))
    assert f"'ais' at {installed / 'ais' / '__init__.py'}" in line and "libais" in line


def test_every_public_module_of_geo_is_there_when_it_is_asked_for():
    names = "[getattr(getattr(lw.geo, name), '__name__', '') for name in dir(lw.geo) if name[0].islower()]"
    code = f"import luxwake as lw; print(*{names})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"geo.sphere", "geo.cells", "geo.coast", "geo.ports", "geo.anchorages", "geo.zones", "geo.reach"} <= set(
        found
    )
