"""Hours of a live feed, and floods: memory, threads and file descriptors of a daemon, and every datagram counted.

    python -m benchmarks.soak --minutes 120 --rate 20000     # make soak
    python -m benchmarks.soak --minutes 1 --rate 100000      # make flood
    python -m benchmarks.soak --minutes 15 --pace 10         # a fault: all clocks go ten times too fast, beyond belief
    python -m benchmarks.soak --looks soak.csv               # what was seen each second, while it goes on

A second process sends datagrams on loopback: the feed of many ships, without end, a hundredth of it garbage. It ends
with 1 where a bound is broken: a datagram that is not accounted for, memory that grows, threads or files that are not
closed, `/healthz` later than 100 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.child import ROOT
from benchmarks.tables import table

SHIPS = 50_000
MAX_SLOPE_MIB_H = 1.0
MAX_HEALTH_S = 0.1
SHORTEST_SOAK_S = 600.0
"""In less time buffers and files are still being filled and opened: growth says nothing."""
WARM_UP = 0.5
"""The first half of a soak fills what is filled once: for an hour the ships come to cells where they have not been."""
LEG_S = 1200
"""Ships turn every twenty minutes. Where they turn first in the second half, what is told of that (19,000 false
positions of ships on land) has never been told before."""
KEPT = (
    "[watch]\nhistory_s = 900\nmax_events = 2048\nmax_vessels = 65536\n"
    "[detect.params.identity]\nmin_lasting_s = 600\n[detect.params.loitering]\nmin_stop_s = 1200\n"
)
"""So much is held within the first half as ever will be: 65,536 events, and the cells of 262,144 ships, take a day.
The ships of the feed have numbers of no country, which is told of all when they have said so for `min_lasting_s`, and
a third of them lie still, which is told after `min_stop_s`."""


def send(port: int, rate: float, seconds: float, pace: float) -> None:
    """The sender's process: datagrams of one sentence each; prints how many it sent."""
    from benchmarks.daemon import datagrams

    target, sent, begun = ("127.0.0.1", port), 0, time.perf_counter()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(target)
        for block in datagrams(SHIPS, rate, pace, LEG_S):
            for datagram in block:
                try:
                    one.send(datagram)
                except ConnectionRefusedError:
                    continue
                sent += 1
                if sent % 256 == 0:
                    ahead = sent / rate - (time.perf_counter() - begun)
                    if ahead > 0.002:
                        time.sleep(ahead)
                    if time.perf_counter() - begun > seconds:
                        print(sent, flush=True)
                        return


class Looked:
    """What was seen of the daemon, once a second."""

    def __init__(self, port: int, pid: int, looks: Path | None) -> None:
        import psutil

        self._url, self._ps, self._looks = f"http://127.0.0.1:{port}", psutil.Process(pid), looks
        self.rows: list[tuple[float, float, int, int, float, float]] = []
        """Time, RSS in MiB, threads, file descriptors, lag, seconds until /healthz answered."""

    def status(self) -> dict[str, Any]:
        """What it says of itself; {} while it does not answer."""
        try:
            with urllib.request.urlopen(self._url + "/status", timeout=5) as answer:
                said: dict[str, Any] = json.loads(answer.read())
                return said
        except (OSError, ValueError):
            return {}

    def look(self) -> dict[str, Any]:
        """One look."""
        begun = time.perf_counter()
        try:
            with urllib.request.urlopen(self._url + "/healthz", timeout=5) as answer:
                answer.read()
            health = time.perf_counter() - begun
        except OSError:
            health = float("inf")
        said = self.status()
        rss = self._ps.memory_info().rss / 2**20
        self.rows.append(
            (time.monotonic(), rss, self._ps.num_threads(), self._ps.num_fds(), said.get("lag_p99_s", 0.0), health)
        )
        if self._looks is not None:
            with self._looks.open("a") as lines:
                lines.write(",".join(f"{value:.4f}" for value in self.rows[-1]) + "\n")
        return said


def run(minutes: float, rate: float, looks: Path | None, pace: float) -> int:
    """Serve, send, look; print what was seen, and give the exit status."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as a, socket.socket(type=socket.SOCK_DGRAM) as b:
        a.bind(("127.0.0.1", 0))
        b.bind(("127.0.0.1", 0))
        port, udp = a.getsockname()[1], b.getsockname()[1]
        a.close()
        b.close()
        path = Path(folder) / "luxwake.toml"
        path.write_text(
            f'state = "{folder}/state"\n[[sources]]\ntype = "udp"\nname = "feed"\nport = {udp}\n[http]\nport = {port}\n'
            + KEPT
        )
        command = [sys.executable, "-m", "luxwake.cli", "serve", "--config", str(path)]
        daemon = subprocess.Popen(command, cwd=ROOT, stderr=(Path(folder) / "log").open("wb"))
        looked = Looked(port, daemon.pid, looks)
        try:
            while looked.status().get("phase") != "running":
                if daemon.poll() is not None:
                    raise SystemExit((Path(folder) / "log").read_text())
                time.sleep(0.5)
            words = ["send", *map(str, (udp, rate, 60 * minutes, pace))]
            sender = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.soak", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
            )
            while sender.poll() is None:
                looked.look()
                time.sleep(1.0)
            assert sender.stdout is not None
            sent = int(sender.stdout.read())
            return _judged(looked, sent)
        finally:
            daemon.terminate()
            daemon.wait(60)


def _judged(looked: Looked, sent: int) -> int:
    """Wait until all has been taken up, print, judge."""
    before = -1
    while True:
        source = looked.status()["sources"][0]
        done = source["heard"] + sum(source["dropped_units"].values())
        if not source["waiting_bytes"] and done == before:
            break
        before = done
        time.sleep(2.0)
    seen = np.array(looked.rows)
    late = seen[int(WARM_UP * len(seen)) :]
    earlier, later = (half[:, 2:4].max(0, initial=0) for half in np.array_split(late, 2))
    slope = float(np.polyfit((late[:, 0] - late[0, 0]) / 3600.0, late[:, 1], 1)[0]) if len(late) > 2 else 0.0
    dropped = sum(source["dropped_units"].values())
    lost = sent - source["received_units"]
    rows = [
        ("datagrams sent", f"{sent:,}"),
        ("received and counted", f"{source['received_units']:,}"),
        ("of these dropped, counted", f"{dropped:,}"),
        ("lost without being counted", f"{lost:,}"),
        ("decoded", f"{source['decoded']:,}"),
        ("joined to the sentence before", f"{source['joined']:,}"),
        ("rejected", f"{sum(source['rejected'].values()):,}"),
        ("RSS at the end, MiB", f"{seen[-1, 1]:.0f}"),
        ("slope of RSS after warm-up, MiB/h", f"{slope:.2f}"),
        ("threads at most, in the third and the last quarter", f"{earlier[0]:.0f}, {later[0]:.0f}"),
        ("file descriptors at most, in the same", f"{earlier[1]:.0f}, {later[1]:.0f}"),
        ("lag p99, s", f"{np.median(late[:, 4]):.3f}"),
        ("/healthz answered within, s", f"{seen[:, 5].max():.3f}"),
    ]
    print(table(("soak", "seen"), rows))
    unequal = sent - dropped - source["decoded"] - source["joined"] - sum(source["rejected"].values())
    grown = bool((later > earlier).any()) or slope > MAX_SLOPE_MIB_H
    is_soak = seen[-1, 0] - seen[0, 0] >= SHORTEST_SOAK_S
    return int(lost != 0 or unequal != 0 or (is_soak and grown) or seen[:, 5].max() > MAX_HEALTH_S)


def main() -> None:
    """The command line."""
    if sys.argv[1:2] == ["send"]:
        send(int(sys.argv[2]), *map(float, sys.argv[3:]))
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--rate", type=float, default=20_000.0, help="datagrams a second")
    parser.add_argument("--pace", type=float, default=1.0, help="times go so many times as fast as the clock")
    parser.add_argument("--looks", type=Path, help="a CSV file that gets a line a second")
    args = parser.parse_args()
    sys.exit(run(args.minutes, args.rate, args.looks, args.pace))


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
