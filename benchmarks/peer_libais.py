"""libais: its C++ decoder behind a plain splitter, and its stream reader."""

from __future__ import annotations

import logging
import warnings

warnings.simplefilter("ignore")  # libais says at import that its own stream reader is deprecated
import ais.stream  # noqa: E402
from ais.nmea_queue import NmeaQueue  # noqa: E402
from peer_run import main, rounded  # noqa: E402

import ais  # noqa: E402 - libais installs itself under this name

logging.disable(logging.CRITICAL)


def payloads(path: str) -> int:
    """The decoder alone: lines split here, parts joined in order by sequence id, checksums not looked at."""
    made, waiting = 0, {}
    with open(path, encoding="latin-1") as lines:
        for line in lines:
            fields = line[line.find("!") :].split(",")
            if len(fields) < 7:
                continue
            payload, total, part = fields[5], fields[1], fields[2]
            if total != "1":
                if part != "1":
                    payload = waiting.pop(fields[3], "") + payload
                if part != total:
                    waiting[fields[3]] = payload
                    continue
            try:
                ais.decode(payload, int(fields[6][0]))
                made += 1
            except (ais.DecodeError, ValueError):
                continue
    return made


def stream(path: str) -> int:
    """`ais.stream.decode`."""
    with open(path, encoding="latin-1") as lines:
        return sum(1 for _ in ais.stream.decode(lines, allow_unknown=True, allow_missing_timestamps=True))


def case(lines: list[bytes]) -> list[dict[str, object]]:
    """The messages of a crafted case, by the API that libais recommends: its queue."""
    queue, found = NmeaQueue(), []
    for line in b"\n".join(lines).decode("latin-1").split("\n"):
        queue.put(line)
    while (item := queue.GetOrNone()) is not None:
        one = item.get("decoded")
        if one is None:
            continue
        found.append(
            {
                "type": one["id"],
                "mmsi": one["mmsi"],
                "lat": rounded(one.get("y")),
                "lon": rounded(one.get("x")),
                "name": one.get("name"),
                "destination": one.get("destination"),
                "t": times(item),
            }
        )
    return found


def times(item: dict[str, object]) -> float | None:
    """The time that the queue found: of the tag block, or of the suffix."""
    for line in (item, *item.get("matches", ())):  # type: ignore[misc]
        for key in ("tag_time", "time"):
            if isinstance(line.get(key), int | float):
                return float(line[key])
    return None


if __name__ == "__main__":
    main(ais.__version__, {"payloads": payloads, "stream": stream}, case)
