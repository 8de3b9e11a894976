"""aiscat, the decoder of AIS-catcher with a Python interface: dicts, and JSON as bytes."""

from __future__ import annotations

from importlib.metadata import version

import aiscat
from peer_run import main, rounded

CHUNK = 1 << 16


def run(path: str, shape: str) -> int:
    """Feed a file in pieces and take out every message, as its README shows."""
    decoder, made = aiscat.Decoder(format=shape), 0
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            decoder.feed(chunk)
            while decoder.next() is not None:
                made += 1
    return made


def dictionary(path: str) -> int:
    return run(path, "dictionary")


def json(path: str) -> int:
    return run(path, "json")


def single(path: str) -> int:
    """Line by line into one decoder."""
    decoder, made = aiscat.Decoder(), 0
    with open(path, "rb") as lines:
        for line in lines:
            decoder.feed(line)
            while decoder.next() is not None:
                made += 1
    return made


def case(lines: list[bytes]) -> list[dict[str, object]]:
    """The messages of a crafted case."""
    decoder, found = aiscat.Decoder(), []
    decoder.feed(b"\n".join(lines) + b"\n")
    while (one := decoder.next()) is not None:
        found.append(
            {
                "type": one["type"],
                "mmsi": one["mmsi"],
                "lat": rounded(one.get("lat")),
                "lon": rounded(one.get("lon")),
                "name": one.get("shipname"),
                "destination": one.get("destination"),
                "t": one.get("toa"),
            }
        )
    return found


if __name__ == "__main__":
    main(version("aiscat"), {"dictionary": dictionary, "json": json, "single": single}, case)
