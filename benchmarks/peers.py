"""The peers' environments, and how a decoder is run in its own: pinned versions, one environment each, made once.

libais installs a package `ais` as we do, so that no environment can hold both. An environment lies beside the cache of
kernels and is made by `venv` and `pip`; what cannot be made is named, with the reason. gpsdecode is a program of gpsd:
it is measured where it is on the PATH, and never installed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.child import ROOT


class Peer(NamedTuple):
    """A decoder and where it runs."""

    name: str
    requirement: str = ""
    """What pip installs, the peer first; empty for ourselves and for programs."""
    program: str = ""
    """A program that must be on the PATH."""


PEERS = {
    "luxwake": Peer("Luxwake"),
    "pyais": Peer("pyais", "pyais==3.3.1"),
    "libais": Peer("libais", "libais==0.17"),
    "aiscat": Peer("aiscat", "aiscat==0.68.16"),
    "gpsdecode": Peer("gpsdecode", program="gpsdecode"),
}
"""The decoders."""
GEO_PEERS = {
    "geo": Peer("Luxwake"),
    "h3": Peer("h3"),
    "h3ronpy": Peer("h3ronpy", "h3ronpy==0.22.0"),
    "shapely": Peer("shapely"),
    "geopandas": Peer("geopandas"),
    "global_land_mask": Peer("global-land-mask"),
    "roaring_landmask": Peer("roaring-landmask", "roaring-landmask==0.11.0 numpy"),
    "sklearn": Peer("scikit-learn"),
}
"""What answers "where": those without a requirement are ours to install, or stand in the extra `dev`."""
EVENT_PEERS = {
    "movingpandas": Peer("MovingPandas", "movingpandas==0.23.0"),
    "skmob": Peer(
        "scikit-mobility",
        # its own limits leave pandas 1.5 beside a numpy that pandas 1.5 cannot load
        "scikit-mobility==1.3.1 numpy==1.26.4 scipy==1.11.4 scikit-learn==1.3.2 matplotlib==3.8.4 shapely==2.0.7",
    ),
}
"""What finds stops and gaps."""
OURS = ("luxwake", "geo")


def folder() -> Path:
    """Where the environments are kept."""
    if given := os.environ.get("LUXWAKE_CACHE"):
        return Path(given) / "peers"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "luxwake" / "peers"


@cache
def python_of(key: str) -> str:
    """The interpreter that runs a peer's program, in an environment made where it is missing; OSError says why not."""
    peer = (PEERS | GEO_PEERS | EVENT_PEERS)[key]
    if peer.program and not shutil.which(peer.program):
        raise OSError(f"`{peer.program}` is not on the PATH")
    if not peer.requirement:
        return sys.executable
    requirements = peer.requirement.split()
    of_python = f"py{sys.version_info.major}.{sys.version_info.minor}"
    place = folder() / f"{'-'.join(requirements).replace('==', '-')}-{of_python}"
    python, ready = place / "bin" / "python", place / "ready"
    if not ready.exists():
        print(f"making the environment of {peer.requirement} (once)", file=sys.stderr)
        venv.create(place, clear=True, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError(f"pip could not install {peer.requirement}: {(done.stderr.strip() or '?').splitlines()[-1]}")
        ready.touch()
    return str(python)


def ask(key: str, way: str, *arguments: str, given: str | None = None) -> dict[str, Any]:
    """The answer of one peer's program, run in a process of its own; `not_there` holds why there is none."""
    try:
        python = python_of(key)
    except (OSError, subprocess.SubprocessError) as error:
        return {"not_there": str(error)}
    if key in OURS:
        command = [python, "-m", f"benchmarks.peer_{key}"]
    else:
        command = [python, str(ROOT / "benchmarks" / f"peer_{key}.py")]
    apart = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" or key in OURS}
    done = subprocess.run(
        [*command, way, *arguments], cwd=ROOT, env=apart, input=given, capture_output=True, text=True, check=False
    )
    if done.returncode:
        words = (done.stderr.strip() or f"ended with {done.returncode}").splitlines()[-1]
        return {"not_there": words}
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
