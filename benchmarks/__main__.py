"""`python -m benchmarks [PART ...] [--quick]`: measure, and print the tables as markdown."""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
import time
from pathlib import Path

from benchmarks.child import run_child
from benchmarks.tables import table

PARTS = {
    "quality": "What the detectors find",
    "calls": "Port calls with the transponder off",
    "behaviour": "What slow ships did",
    "dark": "Dark periods: rules, calibration, while they last",
    "speed": "Speed, memory and compile time",
    "decode": "The decoder beside its peers",
    "crafted": "Crafted lines: what each decoder makes of them",
    "real": "Real files",
    "hulls": "Ships behind one MMSI",
    "geo": "Where: cells, coast, zones, ports, reach",
    "shipments": "Shipments read",
    "detect": "Injected events: recall, precision, robustness",
    "goods": "What is it: descriptions to headings",
    "cargo": "Goods on ships: links, chains, findings",
    "daemon": "The daemon on a live feed",
    "pictures": "Pictures of the documentation",
}
MODULES = {"detect": "detection"}
"""Parts that are not named as their module."""


def machine() -> dict[str, str]:
    """Versions and the machine (runs in a process of its own)."""
    import os
    import platform

    import numba
    import numpy

    import luxwake
    from geo.kernel import source_digest

    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        cpu = names[0] if names else cpu
    return {
        "luxwake": f"{luxwake.__version__}, sources {source_digest()}",
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "numba": numba.__version__,
        "processor": f"{cpu}, {os.cpu_count()} cores",
        "load when it began": " ".join(f"{load:.1f}" for load in os.getloadavg()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="small inputs, under a minute once kernels are compiled")
    parser.add_argument("--feed", type=Path, metavar="FILE", help="decode: this NMEA feed in place of the sample")
    parser.add_argument("--json", type=Path, metavar="FILE", help="decode, geo: all figures, as JSON too")
    parser.add_argument("--runs", type=int, default=0, metavar="N", help="decode, geo: runs of each way (default: 3)")
    parser.add_argument(
        "--fit", action="store_true", help="cargo: only fit the weights of carriage anew, beside those shipped"
    )
    parser.add_argument("--million", action="store_true", help="cargo: a million rows in the table of sizes too")
    args = parser.parse_args()
    for part in args.parts:
        if part not in PARTS:
            parser.error(f"no part {part!r}; there are {', '.join(PARTS)}")
    began = time.perf_counter()
    facts = {name: value for name, value in run_child("benchmarks.__main__:machine").items() if isinstance(value, str)}
    print(f"`{shlex.join(['python', '-m', 'benchmarks', *sys.argv[1:]])}`", end="\n\n")
    print(table(("what", "version"), facts.items()), flush=True)
    if set(args.parts or PARTS) - {
        "decode",
        "crafted",
        "geo",
        "goods",
        "pictures",
        "shipments",
        "detect",
        "cargo",
    }:  # these warm what they measure
        run_child("benchmarks.speed:warm_all")
        print(f"kernels ready: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    for part in args.parts or PARTS:
        print(f"\n## {PARTS[part]}", flush=True)
        start = time.perf_counter()
        options = {"json_file": args.json, "runs": args.runs} if part in ("decode", "geo") else {}
        options |= {"feed": args.feed} if part == "decode" else {}
        options |= {"fit": args.fit, "million": args.million} if part == "cargo" else {}
        for block in importlib.import_module(f"benchmarks.{MODULES.get(part, part)}").run(args.quick, **options):
            print(f"\n{block}", flush=True)
        print(f"{part}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    print(f"all: {time.perf_counter() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
