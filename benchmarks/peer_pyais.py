"""pyais: iterate (split, check, assemble), decode to its objects, and decode line by line."""

from __future__ import annotations

import pyais
from peer_run import main, rounded
from pyais.exceptions import AISBaseException


def iterate(path: str) -> int:
    """Sentences and assembled messages, not decoded."""
    with pyais.FileReaderStream(path) as stream:
        return sum(1 for _ in stream)


def decode(path: str) -> int:
    """Every message as an object."""
    made = 0
    with pyais.FileReaderStream(path) as stream:
        for sentence in stream:
            try:
                sentence.decode()
                made += 1
            except AISBaseException:
                continue
    return made


def single(path: str) -> int:
    """`pyais.decode(line)` of each line, as a user of single lines calls it."""
    made = 0
    with open(path, "rb") as lines:
        for line in lines:
            try:
                pyais.decode(line)
                made += 1
            except (AISBaseException, ValueError):
                continue
    return made


def case(lines: list[bytes]) -> list[dict[str, object]]:
    """The messages of a crafted case: the lines as a file."""
    import tempfile

    found: list[dict[str, object]] = []
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\n".join(lines) + b"\n")
        file.flush()
        with pyais.FileReaderStream(file.name) as stream:
            for sentence in stream:
                try:
                    found.append(message(sentence))
                except AISBaseException:
                    continue
    return found


def message(sentence: pyais.messages.NMEASentence) -> dict[str, object]:
    """What is compared."""
    one = sentence.decode().asdict()
    block = getattr(sentence, "tag_block", None)
    if block is not None:
        block.init()
    stamp = getattr(block, "receiver_timestamp", None)
    return {
        "type": int(one["msg_type"]),
        "mmsi": int(one["mmsi"]),
        "lat": rounded(one.get("lat")),
        "lon": rounded(one.get("lon")),
        "name": one.get("shipname"),
        "destination": one.get("destination"),
        "t": float(stamp) if stamp else None,
        "note": "" if sentence.is_valid else "marked invalid",
    }


if __name__ == "__main__":
    main(pyais.__version__, {"iterate": iterate, "decode": decode, "single": single}, case)
