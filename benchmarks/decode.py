"""The decoder beside its peers: the same file, one run, every decoder in a process and an environment of its own.

The input is a real feed (`--feed FILE`), else the classic sample of 85,182 sentences from beside the checkout, else
simulator output: twelve times over for the fast ways, once for the slow ones (rates are per sentence), plain and with a
tag block in front of every line. The runs alternate, so that a busy machine slows all alike; CPU time is user and
system of all threads, without start-up, imports and compiling, which stand in a column of their own.
"""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import reduce
from operator import xor
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.child import ROOT, run_child
from benchmarks.peers import PEERS, ask
from benchmarks.stages import STAGES, shown
from benchmarks.tables import number, table

SAMPLE = ROOT.parent / "shared" / "data" / "ais" / "nmea" / "gpsd-ais-nmea-sample.log.gz"
TIMES = 12
"""The sample is 4 MB: too short for a decoder of 10 M sentences a second."""
SENTENCES_PER_S = 450
"""Of the sample, which is three minutes long: how the made-up times of the tag blocks advance."""
NAN = float("nan")
T0 = 1_538_352_000
WARM = b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\n!AIVDM,1,1,,B,13HOI:0P0000VOHLCnHQKwvL05Ip,0*20\n"


class Way(NamedTuple):
    """One row of the table."""

    peer: str
    way: str
    words: str
    slow: bool = False
    """Runs on the input once, not twelve times over."""


WAYS = (
    Way("luxwake", "columns", "file to columns"),
    Way("luxwake", "folded", "file to columns, copies folded"),
    Way("luxwake", "two_threads", "file to columns, two threads"),
    Way("luxwake", "messages", "file to messages of all types"),
    Way("luxwake", "parquet", "file to Parquet (`luxwake decode`)"),
    Way("luxwake", "feed", "`Decoder.feed` of single lines", slow=True),
    Way("luxwake", "decode_one", "`decode_one` of single lines", slow=True),
    Way("pyais", "iterate", "split, check and join only", slow=True),
    Way("pyais", "decode", "to objects", slow=True),
    Way("pyais", "single", "`decode` of single lines", slow=True),
    Way("libais", "payloads", "to dicts, lines split for it", slow=True),
    Way("libais", "stream", "its stream reader to dicts", slow=True),
    Way("aiscat", "dictionary", "to dicts"),
    Way("aiscat", "json", "to JSON"),
    Way("gpsdecode", "whole", "to JSON"),
)
BASES = {"times pyais": ["pyais", "decode"], "times aiscat": ["aiscat", "dictionary"]}
"""The ways that the others are measured against."""


NUMPY_LIMITS = {"`np.copyto`": "copy", "`np.bitwise_xor.reduce`": "xor"}


class Feed(NamedTuple):
    """An input in its two lengths."""

    name: str
    once: Path
    often: Path
    sentences: int
    """Of `once`."""


def with_tag_blocks(lines: list[bytes], begin: int) -> list[bytes]:
    """The lines, each with `\\s:..,c:..*hh\\` in front; times advance from `begin` (s since 1970 UTC).

    A station keeps for a hundred lines, so that the parts of a message have one.
    """
    tagged = []
    for k, line in enumerate(lines):
        fields = b"s:BENCH%d,c:%d" % (k // 100 % 7, begin + k // SENTENCES_PER_S)
        tagged.append(b"\\%s*%02X\\%s" % (fields, reduce(xor, fields), line))
    return tagged


def sentences_of(data: bytes) -> list[bytes]:
    """The lines that hold a sentence, from its `!` on."""
    return [line[line.index(b"!") :] for line in data.splitlines() if b"!" in line]


def source(given: Path | None, quick: bool, folder: Path) -> tuple[str, bytes]:
    """The name and bytes of the input."""
    path = given or SAMPLE
    if not path.is_file():
        if given:
            raise SystemExit(f"benchmarks: {given}: no such file; check the path")
        size: dict[str, object] = {"vessels": 12, "days": 2.0} if quick else {"vessels": 120, "days": 5.0}
        run_child("benchmarks.speed:simulate_world", {"out": str(folder), "seed": 1, **size})
        path = folder / "track.nmea"
    data = path.read_bytes()
    return path.name, gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def feeds(given: Path | None, quick: bool, folder: Path) -> list[Feed]:
    """The input plain and with tag blocks, once and many times over, in `folder`."""
    name, data = source(given, quick, folder)
    lines = sentences_of(data)[: 8_000 if quick else None]
    if not lines:
        raise SystemExit(f"benchmarks: {name} holds no NMEA sentence; give a feed of !AIVDM lines")
    seconds = len(lines) // SENTENCES_PER_S + 60
    made = []
    for kind in ("plain", "with tag blocks"):
        once, often = (folder / f"{kind.replace(' ', '-')}-{n}.nmea" for n in (1, TIMES))
        with often.open("wb") as file:
            for k in range(TIMES):
                block = lines if kind == "plain" else with_tag_blocks(lines, T0 + k * seconds)
                text = b"\n".join(block) + b"\n"
                file.write(text)
                if k == 0:
                    once.write_bytes(text)
        made.append(Feed(f"{name}, {kind}", once, often, len(lines)))
    return made


def run_ways(feed: Feed, runs: int, warm: Path) -> dict[Way, list[dict[str, Any]]]:
    """Every way `runs` times, in turns."""
    answers: dict[Way, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for _ in range(runs):
        for way, done in answers.items():
            if done and "not_there" in done[-1]:
                continue
            path = feed.once if way.slow else feed.often
            done.append(ask(way.peer, way.way, str(path), str(warm)))
    return answers


def limits(feed: Feed, runs: int) -> dict[str, float]:
    """Sentences a CPU second of `wc -l` (its start included), a copy in memory and an XOR of all bytes."""
    seconds = []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(["wc", "-l", str(feed.often)], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    n = TIMES * feed.sentences
    passes = {words: ask("luxwake", way, str(feed.often)) for words, way in NUMPY_LIMITS.items()}
    return {
        "`wc -l`": n / max(median(seconds), 1e-4),
        **{words: n / max(answer["cpu_s"], 1e-6) for words, answer in passes.items()},
    }


def summary(feed: Feed, answers: dict[Way, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Medians of each way, with its rate."""
    made = []
    for way, done in answers.items():
        line: dict[str, Any] = {"decoder": PEERS[way.peer].name, "way": way.words, "key": [way.peer, way.way]}
        if "not_there" in done[-1]:
            made.append({**line, "not_there": done[-1]["not_there"]})
            continue
        line |= {name: median(one[name] for one in done) for name in ("cpu_s", "wall_s", "ready_s", "peak_mb")}
        n = feed.sentences * (1 if way.slow else TIMES)
        line |= {"version": done[-1]["version"], "messages": done[-1]["messages"], "sentences": n}
        line |= {"rate": n / line["cpu_s"], "runs_cpu_s": [one["cpu_s"] for one in done]}
        made.append(line)
    return made


HEADER = (
    "decoder", "way", "sentences", "CPU s", "wall s", "sentences/CPU s", *BASES, "start-up, CPU s", "peak MB",
    "messages or rows",
)  # fmt: skip


def rows(lines: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Rows of the table of one input."""
    rates = [next((line.get("rate", NAN) for line in lines if line["key"] == base), NAN) for base in BASES.values()]
    for line in lines:
        if "not_there" in line:
            continue
        yield [
            f"{line['decoder']} {line['version']}",
            line["way"],
            f"{line['sentences']:,}",
            number(line["cpu_s"], 3),
            number(line["wall_s"], 3),
            number(line["rate"], 0),
            *(number(line["rate"] / rate, 1 if line["rate"] > rate else 2) for rate in rates),
            number(line["ready_s"]),
            number(line["peak_mb"], 0),
            f"{line['messages']:,}" if line["messages"] else "n/a",
        ]


def speed_up(lines: list[dict[str, Any]]) -> Iterator[str]:
    """What the second thread is worth, by wall time."""
    wall = {line["key"][1]: line["wall_s"] for line in lines if line["key"][0] == "luxwake" and "wall_s" in line}
    if "two_threads" in wall:
        yield f"Two threads are {wall['columns'] / wall['two_threads']:.2f} times as fast as one, by wall time."


def run(quick: bool, feed: Path | None = None, json_file: Path | None = None, runs: int = 0) -> Iterator[str]:
    """The tables of this part, as text; all figures also go to `json_file`."""
    runs = runs or (1 if quick else 3)
    kept: dict[str, Any] = {"began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "runs": runs}
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder) / "warm.nmea"
        warm.write_bytes(WARM)
        for one in feeds(feed, quick, Path(folder)):
            lines = summary(one, run_ways(one, runs, warm))
            bounds = limits(one, runs)
            kept[one.name] = {"ways": lines, "limits": bounds}
            megabytes = one.often.stat().st_size / 1e6
            head = (
                f"**{one.name}**: {one.sentences:,} sentences; {TIMES} times over {megabytes:.1f} MB; median of {runs}:"
            )
            yield head
            yield table(HEADER, rows(lines))
            words = ", ".join(f"{name} {rate / 1e6:,.0f} M sentences/CPU s" for name, rate in bounds.items())
            yield f"The machine's limits on the same bytes: {words}."
            yield from speed_up(lines)
            spent = run_child("benchmarks.stages:measure", {"path": str(one.often), "runs": 2 * runs + 1})
            yield "Where the time goes:"
            yield shown({name: spent[name] for name in STAGES}, one.sentences * TIMES)
            if missing := [line for line in lines if "not_there" in line]:
                yield (
                    "Not measured: " + "; ".join(f"{m['decoder']}, {m['way']}: {m['not_there']}" for m in missing) + "."
                )
    if json_file:
        json_file.write_text(json.dumps(kept, indent=1) + "\n")
