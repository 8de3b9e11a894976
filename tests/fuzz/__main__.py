"""`make fuzz`: atheris against the decoder, on bytes and on damaged feeds, for a given time.

`compiled` runs the kernels as users do, with `NUMBA_BOUNDSCHECK=1`. Coverage cannot be seen in machine code, so what a
feed gave steers in its place: which types and how many, which reasons were counted, and which two together. `guided`
runs the kernels as plain Python with coverage of every branch, some thousand times slower per byte. Whatever breaks a
law is written to the folder of findings.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

MODES = ("compiled", "guided")
ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "tests" / "corpus"
REAL = ROOT.parent / "shared" / "data" / "ais"
EVERY_BYTE, EVERY_BYTE_OF_SOME = 48, 600
"""Inputs up to this length are also fed byte by byte: all, and one in eight."""
MAX_BYTES = 4096
ONE_INPUT_S = 20
"""More is an endless loop: the slowest input of this length takes under a second."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--mode", choices=MODES, default="compiled")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "fuzz")
    parser.add_argument("--merge", action="store_true", help="only reduce the corpus of the mode to what reaches more")
    parser.add_argument("inputs", nargs="*", type=Path, help="run these inputs and nothing else")
    return parser.parse_args()


def seed(folder: Path) -> None:
    """First inputs: made-up feeds, and pieces of real ones (where they are) with other MMSIs."""
    from tests.fuzz.damage import feed, with_our_mmsi

    for k in range(60):
        (folder / f"made-{k}").write_bytes(feed(k, 1 + k % 5))
    for path in sorted(REAL.glob("n*/*")):
        if path.suffix not in {".gz", ".json"} and "LICENSE" not in path.name:
            lines = path.read_bytes()[:200_000].splitlines(keepends=True)
            for k in range(0, min(len(lines), 400), 40):
                (folder / f"{path.stem}-{k}").write_bytes(with_our_mmsi(b"".join(lines[k : k + 8]))[:MAX_BYTES])


def steps() -> list[str]:
    """What the outcome of a feed can show, by name."""
    from itertools import combinations

    from ais.status import STATUS

    names = [f"{kind} {n}" for kind in (*STATUS[1:], *range(64)) for n in (1, 2, 4)]
    return names + [f"{one} and {other}" for one, other in combinations(STATUS[1:], 2)]


def shown(whole: dict[str, Any]) -> set[str]:
    """What the outcome of one feed shows, in the words of `steps`."""
    from itertools import combinations

    from ais.status import STATUS

    seen = {**whole["counts"], **whole["types"]}
    names = {f"{kind} {n}" for kind, times in seen.items() for n in (1, 2, 4) if times >= n}
    reasons = sorted(whole["counts"], key=STATUS.index)
    return names | {f"{one} and {other}" for one, other in combinations(reasons, 2)}


def steering() -> Callable[[set[str]], int]:
    """A function with one branch for each step: its coverage is what the fuzzer is steered by."""
    import atheris

    lines = [f"    if {name!r} in seen: n += 1" for name in steps()]
    scope: dict[str, Any] = {}
    exec("\n".join(["def branches(seen):", "    n = 0", *lines, "    return n"]), scope)
    made: Callable[[set[str]], int] = atheris.instrument_func(scope["branches"])
    return made


def main() -> None:
    args = arguments()
    guided = args.mode == "guided"
    # before numba is imported, and with a cache of its own: numba does not see that these change the machine code
    os.environ["NUMBA_DISABLE_JIT" if guided else "NUMBA_BOUNDSCHECK"] = "1"
    os.environ["LUXWAKE_CACHE"] = str(args.out / "cache")
    import atheris
    import numba  # noqa: F401 - before the instrumentation, which is for ours alone
    import numpy  # noqa: F401

    with atheris.instrument_imports(include=["ais"] if guided else ["nothing"]):
        import ais.decode  # noqa: F401
    from tests.fuzz.damage import damaged
    from tests.same_feed import Guarded, check, options

    guarded, branches, ways = Guarded(2 * MAX_BYTES), steering(), options()

    def one_input(data: bytes) -> None:
        length, chance = len(data), crc32(data)  # of the bytes alone, so that what was found is found again
        every_byte = length <= EVERY_BYTE or (length <= EVERY_BYTE_OF_SOME and chance % 8 == 0)
        option = ways[chance // 8 % len(ways)]
        branches(shown(check(data[:MAX_BYTES], guarded, every_byte=every_byte, **option)))

    def mutator(data: bytes, max_size: int, seed: int) -> bytes:
        if seed % 4 == 0:
            return atheris.Mutate(data, max_size)
        return damaged(data, seed, max_size)

    corpus = args.out / f"corpus-{args.mode}"
    corpus.mkdir(parents=True, exist_ok=True)
    flags = [
        f"-max_len={MAX_BYTES}",
        f"-timeout={ONE_INPUT_S}",
        f"-artifact_prefix={args.out}/found-",
        "-rss_limit_mb=4096",
    ]
    if args.inputs:
        given = [str(path) for path in args.inputs]
    elif args.merge:
        smaller = args.out / f"merged-{args.mode}"
        smaller.mkdir(exist_ok=True)
        given = ["-merge=1", str(smaller), str(corpus), str(KEPT)]
    else:
        seed(corpus)
        given = [f"-max_total_time={args.seconds}", "-print_final_stats=1", str(corpus), str(KEPT)]
    one_input(b"")  # what is compiled at the first call is not the input's time
    one_input(b"!AIVDM,2,1,1,A,1,0*4B\n!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\n")
    atheris.Setup([sys.argv[0], *flags, *given], one_input, custom_mutator=mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
