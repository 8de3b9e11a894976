"""gpsdecode of gpsd, a program: JSON on its standard output. Its CPU time is that of the child, start included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time

from peer_run import main, rounded

COMMAND = ["gpsdecode", "-j"]


def whole(path: str) -> int:
    """All of a file to JSON that nobody reads."""
    with open(path, "rb") as source:
        subprocess.run(COMMAND, stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return 0


def measured(path: str) -> dict[str, object]:
    """As `peer_run.measure` gives it, of the child; its peak memory is read while it runs."""
    wall, peak = time.perf_counter(), 0.0
    with open(path, "rb") as source, open(os.devnull, "wb") as sink:
        child = subprocess.Popen(COMMAND, stdin=source, stdout=sink, stderr=sink)
        while child.poll() is None:
            peak = max(peak, peak_of(child.pid))
            time.sleep(0.02)
    wall, used = time.perf_counter() - wall, os.times()
    cpu = used.children_user + used.children_system
    return {"cpu_s": cpu, "wall_s": wall, "ready_s": 0.0, "messages": count(path), "peak_mb": peak}


def peak_of(pid: int) -> float:
    """VmHWM of a running process in MB; 0 when it has just ended."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return next((float(line.split()[1]) * 1024 / 1e6 for line in status if line.startswith("VmHWM")), 0.0)
    except OSError:
        return 0.0


def count(path: str) -> int:
    """Messages that it prints, counted in a run of its own."""
    with open(path, "rb") as source:
        child = subprocess.Popen(COMMAND, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert child.stdout is not None
        return sum(1 for line in child.stdout if line.startswith(b'{"class":"AIS"'))


def case(lines: list[bytes]) -> list[dict[str, object]]:
    """The messages of a crafted case."""
    with tempfile.TemporaryFile() as file:
        file.write(b"\n".join(lines) + b"\n")
        file.seek(0)
        out = subprocess.run(COMMAND, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    found = []
    for line in out.splitlines():
        if line.startswith(b'{"class":"AIS"'):
            one = json.loads(line)
            found.append(
                {
                    "type": one["type"],
                    "mmsi": one["mmsi"],
                    "lat": rounded(one.get("lat")),
                    "lon": rounded(one.get("lon")),
                    "name": one.get("shipname"),
                    "destination": one.get("destination"),
                    "t": None,
                }
            )
    return found


def version() -> str:
    words = subprocess.run(["gpsdecode", "-V"], capture_output=True, text=True, check=False)
    return (words.stdout + words.stderr).split()[-1]


if __name__ == "__main__":
    if sys.argv[1] == "whole":
        print(json.dumps({**measured(sys.argv[2]), "version": version()}))
    else:
        main(version(), {}, case)
