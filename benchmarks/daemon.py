"""The daemon on a live feed: 50,000 ships by TCP from a second process, as fast as it takes them, and at set rates.

    python -m benchmarks daemon

The feed is made here: ships on straight ways, a third of them in port, reports every ten seconds of the feed's time and
a static report every six minutes. It is sent without end of time in between, so that at 250,000 sentences a second the
feed runs 50 times as fast as the world's. Beside it pyais reads the same feed by TCP, and decodes only.
"""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.child import ROOT
from benchmarks.tables import table

SHIPS, QUICK_SHIPS = 50_000, 2_000
REPORTS = 120
INTERVAL_S, STATIC_S, LEG_S = 10, 360, 3600
T0_S = 1_709_251_200
RATES = (150_000, 20_000)
"""Sentences a second, beside half of the most that it takes."""
RATE_S = 30.0
WORLDS = 20_000
"""Messages a second of the whole world's AIS, at most (10,000 to 20,000)."""


def feed(
    ships: int, t0_s: int = T0_S, interval_s: float = INTERVAL_S, leg_s: int = LEG_S
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
    """Reports of all ships, which go to and fro, interval after interval without end: the bytes, and where each message
    begins."""
    from ais.transmit import MESSAGE, REPORT, encode

    rng = np.random.default_rng(1)
    mmsi = 200_000_000 + np.arange(ships, dtype=np.uint32) * 7
    lat, lon = rng.uniform(-55, 60, ships), rng.uniform(-179, 179, ships)
    speed = np.where(rng.random(ships) < 1 / 3, 0.0, rng.uniform(5, 20, ships))
    course = np.radians(rng.uniform(0, 360, ships))
    phase = rng.uniform(0.0, interval_s, ships)
    static = np.zeros(ships, REPORT)
    static["ship_type"], static["to_bow"], static["to_stern"] = 70, 100, 50
    static["name"] = [f"SYNTHETIC {k}" for k in range(ships)]
    every = round(STATIC_S / interval_s)
    for k in itertools.count():
        t = (k * interval_s + phase).astype(np.int64)
        rows = np.zeros(ships, MESSAGE)
        rows["msg_type"], rows["channel"], rows["station"], rows["second"] = 1, ord("A"), -1, t % 60
        rows["epoch"], rows["mmsi"] = t0_s + t, mmsi
        turned = t % (2 * leg_s)
        way = np.minimum(turned, 2 * leg_s - turned) * speed / 216_000.0
        rows["lat"] = lat + way * np.cos(course) + rng.normal(0, 2e-5, ships)
        rows["lon"] = lon + way * np.sin(course) + rng.normal(0, 2e-5, ships)
        heading = (np.degrees(course) + np.where(turned < leg_s, 0.0, 180.0)) % 360.0
        rows["sog"], rows["cog"], rows["heading"] = speed, heading, heading // 1
        said = np.flatnonzero(np.arange(ships) % every == k % every)
        static_rows = rows[said]
        static_rows["msg_type"], static_rows["report"] = 5, said
        made = encode(np.concatenate([rows[np.argsort(t, kind="stable")], static_rows]), static)
        yield made.data, made.starts


def write_feed(path: Path, ships: int, reports: int) -> int:
    """Write the feed of so many intervals; the number of sentences."""
    sentences = 0
    with path.open("wb") as file:
        for data, _ in itertools.islice(feed(ships), reports):
            file.write(data.tobytes())
            sentences += int(np.count_nonzero(data == ord("\n")))
    return sentences


def datagrams(ships: int, rate: float, pace: float = 1.0, leg_s: int = LEG_S) -> Iterator[list[bytes]]:
    """The feed as datagrams of a line each, so many a second; one of a hundred is garbage.

    Times are from now on, and go `pace` times as fast as the clock.
    """
    for data, _ in feed(ships, int(time.time()), pace * ships / rate, leg_s):
        lines = data.tobytes().splitlines(keepends=True)
        lines[::100] = [b"garbage " + line[10:40] + b"\n" for line in lines[::100]]
        yield lines


class Sender:
    """Sends a file to whoever calls, in a process of its own; a rate is in bytes a second."""

    def __init__(self, path: Path, bytes_per_s: float = 0.0, seconds: float = 0.0) -> None:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        command = [sys.executable, "-m", "benchmarks.daemon", str(path), str(self.port), str(bytes_per_s), str(seconds)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def wait(self) -> float:
        """The seconds that it took to send all."""
        assert self.process.stdout is not None
        seconds = float(self.process.stdout.readline())
        self.process.wait()
        return seconds


def send(path: str, port: str, bytes_per_s: str, seconds: str) -> None:
    """The sender's process."""
    rate, limit, sent = float(bytes_per_s), float(seconds), 0
    with socket.create_server(("127.0.0.1", int(port))) as server:
        print("listening", flush=True)
        connection, _ = server.accept()
        begun = time.perf_counter()
        with connection, open(path, "rb") as file:
            step = 1 << 18 if not rate else max(1024, round(rate / 100))
            while data := file.read(step):
                connection.sendall(data)
                sent += len(data)
                now = time.perf_counter() - begun
                if limit and now > limit:
                    break
                if rate and sent / rate > now:
                    time.sleep(sent / rate - now)
        print(time.perf_counter() - begun, flush=True)


class Daemon:
    """`luxwake serve` in a process of its own, and what it takes."""

    def __init__(self, folder: Path, port: int) -> None:
        import psutil

        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            self.port = one.getsockname()[1]
        text = f"""
            state = "{folder}/state"
            [[sources]]
            type = "tcp"
            name = "feed"
            host = "127.0.0.1"
            port = {port}
            [http]
            port = {self.port}
        """
        (folder / "luxwake.toml").write_text(text)
        command = [sys.executable, "-m", "luxwake.cli", "serve", "--config", str(folder / "luxwake.toml")]
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=(folder / "log").open("wb"))
        self.ps = psutil.Process(self.process.pid)
        self.peak_mib = 0.0
        self.lags: list[float] = []

    def status(self) -> dict[str, Any]:
        """What it says of itself; {} while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/status", timeout=5) as answer:
                said: dict[str, Any] = json.loads(answer.read())
        except (OSError, ValueError):
            return {}
        self.peak_mib = max(self.peak_mib, said["rss_bytes"] / 2**20)
        self.lags.append(said.get("lag_p99_s") or 0.0)
        return said

    def wait_for(self, messages: int) -> dict[str, Any]:
        """Wait until it has decoded so many."""
        while True:
            said = self.status()
            if said and said["sources"] and said["sources"][0]["heard"] >= messages:
                return said
            if self.process.poll() is not None:
                raise RuntimeError("the daemon has ended; its log says why")
            time.sleep(0.1)

    def stop(self) -> float:
        """Stop it; the CPU seconds that it took in all."""
        cpu = self.ps.cpu_times()
        self.process.terminate()
        self.process.wait(60)
        return float(cpu.user + cpu.system)


def measure(path: Path, sentences: int, rate: float) -> tuple[object, ...]:
    """One run at a rate in sentences a second, 0 for as fast as it goes."""
    size = path.stat().st_size
    with tempfile.TemporaryDirectory() as folder:
        sender = Sender(path, rate * size / sentences, RATE_S if rate else 0.0)
        daemon = Daemon(Path(folder), sender.port)
        daemon.wait_for(1)
        cpu0, begun = daemon.ps.cpu_times(), time.perf_counter()
        looker = threading.Event()

        def look() -> None:
            while not looker.wait(1.0):
                daemon.status()

        thread = threading.Thread(target=look)
        thread.start()
        sent_s = sender.wait()
        expected = sentences if not rate else round(rate * min(sent_s, RATE_S) * 0.98)
        said = daemon.wait_for(min(expected, sentences))
        wall = time.perf_counter() - begun
        looker.set()
        thread.join()
        cpu1 = daemon.ps.cpu_times()
        used = cpu1.user + cpu1.system - cpu0.user - cpu0.system
        heard = said["sources"][0]["heard"]
        daemon.stop()
    lag = f"{max(daemon.lags[1:] or [0.0]):.3f}"
    vessels = (
        said["held"]["vessels"][0] if isinstance(said["held"]["vessels"], list) else said["held"]["vessels"]["now"]
    )
    return (
        f"{rate:,.0f}" if rate else "as fast as it goes",
        f"{heard:,}",
        f"{heard / wall:,.0f}",
        f"{heard / used:,.0f}",
        f"{heard / used / WORLDS:.1f}",
        lag,
        f"{vessels:,}",
        f"{daemon.peak_mib:.0f}",
    )


def pyais_rate(path: Path, seconds: float = 10.0) -> tuple[float, float]:
    """Sentences a second, wall and CPU, that pyais reads by TCP and decodes, for some seconds."""
    from pyais.exceptions import AISBaseException
    from pyais.stream import TCPConnection

    sender = Sender(path)
    n, begun, cpu = 0, time.perf_counter(), time.process_time()
    with TCPConnection("127.0.0.1", sender.port) as stream:
        for message in stream:
            try:
                message.decode()
            except AISBaseException:
                continue
            n += 1
            if time.perf_counter() - begun > seconds:
                break
    wall, used = time.perf_counter() - begun, time.process_time() - cpu
    sender.process.kill()
    return n / wall, n / used


def run(quick: bool = False) -> Iterator[str]:
    """The tables."""
    ships = QUICK_SHIPS if quick else SHIPS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feed.nmea"
        sentences = write_feed(path, ships, REPORTS)
        yield f"{sentences:,} sentences of {ships:,} ships, {path.stat().st_size / 1e6:,.0f} MB"
        names = ("sent, sentences/s", "heard", "per s", "per CPU s", "worlds", "lag p99, s", "ships", "peak MiB")
        most = measure(path, sentences, 0.0)
        half = round(float(most[2].replace(",", "")) / 2, -3)
        yield table(names, [most, *(measure(path, sentences, rate) for rate in (half, *RATES))])
        wall, cpu = pyais_rate(path)
        yield table(
            ("pyais by TCP, decoding only", "sentences"), [("a second", f"{wall:,.0f}"), ("a CPU s", f"{cpu:,.0f}")]
        )


if __name__ == "__main__":
    os.chdir(ROOT)
    send(*sys.argv[1:])
