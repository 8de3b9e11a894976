"""How many datagrams a second the UDP source takes, and what each costs: `python -m benchmarks.udp --rate 100000`.

A second process sends real sentences by `sendmmsg`, so that it is never the slower one. The core is a thread that only
takes; with `--busy` it holds the interpreter as much as it can, which is the worst that a core can do. Prints one line
of JSON; sent = taken + dropped is checked.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import socket
import subprocess
import sys
import threading
import time

LINE = b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\r\n"
BURST = 50
"""Datagrams a call of the sender: half a millisecond of 100,000 a second."""


def send(port: int, rate: int, seconds: float) -> None:
    """Send, and print how many and in how many seconds."""
    from luxwake.daemon.sources.datagrams import Message, Vector

    text = ctypes.create_string_buffer(LINE)
    vector = Vector(ctypes.addressof(text), len(LINE))
    messages = (Message * BURST)()
    for message in messages:
        message.header.vectors, message.header.vector_count = ctypes.addressof(vector), 1
    library = ctypes.CDLL(None, use_errno=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", port))
        began, n = time.perf_counter(), 0
        while (passed := time.perf_counter() - began) < seconds:
            while n < passed * rate:
                n += library.sendmmsg(sock.fileno(), messages, BURST, 0)
            time.sleep(0.0002)
        print(n, time.perf_counter() - began)


def measure(rate: int, seconds: float, busy: bool, buffer_mib: float) -> dict[str, object]:
    """Send to a source, and count."""
    from luxwake.daemon.config import UdpSource
    from luxwake.daemon.intake import Intake
    from luxwake.daemon.sources import make_source

    intake = Intake(0, 64 << 20)
    source = make_source(UdpSource(name="flood", port=0, receive_buffer_mib=buffer_mib), intake)
    cpu_s: list[float] = []
    over = threading.Event()
    taken = [0, 0]

    def hear() -> None:
        source.run("")
        cpu_s.append(time.thread_time())

    def take() -> None:
        while not over.is_set() or intake.waiting_bytes:
            for chunk in intake.take(4 << 20):
                taken[0] += chunk.units
                taken[1] += 1
            if busy:
                sum(k * k for k in range(20_000))
            else:
                over.wait(0.005)

    threads = [threading.Thread(target=hear), threading.Thread(target=take)]
    for thread in threads:
        thread.start()
    while not source.state.startswith("listens"):
        time.sleep(0.01)
    state = source.state
    command = [sys.executable, "-m", "benchmarks.udp", "--send-to", str(source.port)]
    command += ["--rate", str(rate), "--seconds", str(seconds)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    sent, wall_s = int(said[0]), float(said[1])
    source.stop.set()
    threads[0].join()
    over.set()
    threads[1].join()
    assert sent == taken[0] + intake.dropped_units, (sent, taken, intake.dropped_units)
    return {
        "state": state, "sent": sent, "per_s": round(sent / wall_s), "taken": taken[0], "dropped": intake.dropped_units,
        "chunks": taken[1], "source_cpu_s": round(cpu_s[0], 3), "cpu_us_each": round(1e6 * cpu_s[0] / sent, 2),
        "busy": busy,
    }  # fmt: skip


def main() -> None:
    """What it is told on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=100_000, help="datagrams a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--busy", action="store_true", help="a core that holds the interpreter")
    parser.add_argument("--buffer-mib", type=float, default=16.0)
    parser.add_argument("--send-to", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.send_to:
        send(given.send_to, given.rate, given.seconds)
    else:
        print(json.dumps(measure(given.rate, given.seconds, given.busy, given.buffer_mib)))


if __name__ == "__main__":
    main()
