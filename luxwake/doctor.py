"""`luxwake doctor`: what is installed, where caches and tables are, and what is missing for each extra."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from pathlib import Path

NEEDED = (
    "numpy",
    "numba",
    "shapely",
    "pyais",
    "scikit-learn",
    "h3",
    "duckdb",
    "arro3-core",
    "rich",
    "zstandard",
    "searoute",
)
EXTRAS = {
    "frames": ("pandas", "polars", "pyarrow"),
    "geo": ("geopandas", "pyarrow"),
    "websocket": ("websockets",),
    "mqtt": ("paho-mqtt",),
    "nats": ("nats-py",),
    "redis": ("redis",),
    "kafka": ("confluent-kafka",),
    "pg": ("psycopg",),
}
BROKERS = ("mosquitto", "nats-server", "redis-server")
"""Which the tests of the daemon's sources start, where they are installed."""


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def _tables() -> dict[str, str]:
    import geo.tables

    folder = Path(geo.tables.__file__ or "").parent
    names = ("h3_faces.npz", "shore.npz", "coastline.npz", "ports.csv", "countries.csv")
    return {
        name: f"{(folder / name).stat().st_size:,} bytes" if (folder / name).is_file() else "missing: reinstall luxwake"
        for name in names
    }


def _ports() -> dict[str, str]:
    """Which ports there are, and where those are kept that were imported."""
    from geo.errors import LuxwakeError

    try:
        from geo.port_import import imported_tables
        from geo.port_table import ports_version

        return {"table": ports_version(), **{path.stem: str(path) for path in imported_tables()}}
    except (ImportError, LuxwakeError) as error:
        return {"table": f"unknown: {error}"}


def _brokers() -> dict[str, str]:
    """Brokers and a database for the tests; Debian puts some where only the administrator's path looks."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = {
        name: shutil.which(name, path=path) or f"missing, its tests are skipped: apt-get install {name}"
        for name in BROKERS
    }
    servers = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    missing = "missing, its tests are skipped: apt-get install postgresql postgresql-15-postgis-3"
    return {**found, "postgresql": str(servers[-1]) if servers else shutil.which("postgres") or missing}


def _compiler() -> dict[str, str]:
    """Threads and cache of the compiler; a checkup must not fail for what it is to report."""
    try:
        import numba

        from geo.kernel import CACHE_FOLDER
    except ImportError as error:
        return {"numba threads": f"unknown: numba cannot be imported ({error}); reinstall it"}
    if CACHE_FOLDER is None:
        cache = "off: LUXWAKE_NUMBA_CACHE is 0, or no folder can be written (set LUXWAKE_CACHE)"
    else:
        cache = f"{CACHE_FOLDER} ({len(list(CACHE_FOLDER.rglob('*.nbi')))} kernels)"
    return {"numba threads": str(numba.config.NUMBA_NUM_THREADS), "kernel cache": cache}


def checkup() -> dict[str, dict[str, str]]:
    """What `luxwake doctor` prints, by part.

    >>> sorted(checkup())
    ['brokers', 'extras', 'machine', 'needed', 'ports', 'tables']
    """
    from luxwake import __version__

    extras = {}
    for extra, names in EXTRAS.items():
        missing = [name for name in names if _version(name) == "missing"]
        extras[extra] = "ready" if not missing else f"missing {', '.join(missing)}: pip install 'luxwake[{extra}]'"
    return {
        "machine": {
            "luxwake": __version__,
            "python": platform.python_version(),
            "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
            **_compiler(),
        },
        "needed": {name: _version(name) for name in NEEDED},
        "tables": _tables(),
        "ports": _ports(),
        "extras": extras,
        "brokers": _brokers(),
    }
