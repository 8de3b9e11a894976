"""What the files of the simulator say: rows of truth, lines of NMEA, and what was heard."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyais


class Fix(NamedTuple):
    t: int
    lat: float
    lon: float
    sog: float
    status: int | None
    kind: int
    station: str


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def lines_of(path: Path) -> list[str]:
    data = path.read_bytes()
    if path.suffix == ".zst":
        import zstandard

        data = zstandard.ZstdDecompressor().decompress(data, max_output_size=100_000_000)
    return data.decode("ascii").splitlines()


def sound(body: str, check: str) -> bool:
    return int(np.bitwise_xor.reduce(np.frombuffer(body.encode(), np.uint8))) == int(check, 16)


TAGGED = re.compile(r"\\(s:([\w.-]+),c:(\d+))\*([0-9A-F]{2})\\!(AIVDM,(\d),(\d),(\d?),[AB],(.+),\d)\*([0-9A-F]{2})")


class Heard(NamedTuple):
    fixes: dict[int, list[Fix]]
    names: dict[int, set[str]]
    imos: dict[int, set[int]]
    types: Counter[int]
    unusable: int
    epochs: list[int]


def hear(path: Path, only: set[int] | None = None) -> Heard:
    """A slow and obvious reader: one line at a time through pyais."""
    heard = Heard({}, {}, {}, Counter(), 0, [])
    unusable, first_part = 0, ""
    for line in lines_of(path):
        found = TAGGED.fullmatch(line)
        if not found or not sound(found[1], found[4]) or not sound(found[5], found[10]):
            unusable += 1
            continue
        heard.epochs.append(int(found[3]))
        sentence = line.split("\\")[-1]
        if found[6] == "2" and found[7] == "1":
            first_part = sentence
            continue
        parts = [first_part, sentence] if found[6] == "2" else [sentence]
        first_part = ""
        if not parts[0]:
            continue
        if only is not None and _mmsi(parts[0]) not in only:
            continue
        got: dict[str, Any] = dict(pyais.decode(*parts).asdict())
        mmsi = int(got["mmsi"])
        heard.types[int(got["msg_type"])] += 1
        if "shipname" in got:
            heard.names.setdefault(mmsi, set()).add(got["shipname"])
            heard.imos.setdefault(mmsi, set()).add(int(got.get("imo", 0)))
        elif "lat" in got:
            status = got.get("status")
            fix = Fix(int(found[3]), got["lat"], got["lon"], got["speed"], status, int(got["msg_type"]), found[2])
            heard.fixes.setdefault(mmsi, []).append(fix)
    return heard._replace(unusable=unusable)


def _mmsi(sentence: str) -> int:
    """The MMSI in the first seven payload characters."""
    bits = 0
    for c in sentence.split(",")[5][:7]:
        code = ord(c) - 48
        bits = bits << 6 | (code - 8 if code > 40 else code)
    return bits >> 4 & (1 << 30) - 1
