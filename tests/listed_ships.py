"""The listed ships of the real fixture, as ships and as what papers would say of them, with typing errors."""

from __future__ import annotations

import csv
import random
import string
from itertools import combinations
from pathlib import Path

from ais.table import NAT
from cargo.ship_match import ShipQuery
from cargo.ships import Fact, Ship, facts_of

LIST = "trade/entities/ofac_sdn_vessels_2023-11.csv"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def told(row: dict[str, str]) -> dict[str, str]:
    names = {"callsign": "call_sign", "type": "vessel_type", "gross": "grt", "deadweight": "dwt_tonnage"}
    return {kind: row[names.get(kind, kind)] for kind in ("name", "flag", "mmsi", *names)} | {"owner": row["linked_to"]}


def ship_of(row: dict[str, str]) -> Ship:
    facts = list(facts_of(told(row), NAT, NAT, "OFAC SDN"))
    others = [name.strip() for name in row["aka_fka"].split(";") if name.strip()]
    facts += [Fact("name", name, NAT, NAT, "OFAC SDN, other name") for name in others]
    return Ship(f"sdn-{row['ent_num']}", int(row["imo"] or 0), tuple(facts))


def query_of(row: dict[str, str], *, rate: float, rng: random.Random, given: str) -> ShipQuery:
    """What a paper says: "number" name and IMO number, "all" all fields, "no number" all but the IMO number."""
    said = told(row)
    name = _mistyped(said["name"], rate, rng)
    imo = _mistyped(row["imo"], rate, rng) if given != "no number" else ""
    if given == "number":
        return ShipQuery(name=name, imo=imo)
    sizes = {kind: float(said[kind] or 0) for kind in ("gross", "deadweight")}
    return ShipQuery(
        name=name, imo=imo, mmsi=said["mmsi"], callsign=said["callsign"], flag=said["flag"], type=said["type"],
        owner=said["owner"], **sizes,
    )  # fmt: skip


def _mistyped(text: str, rate: float, rng: random.Random) -> str:
    """Letters are changed, left out or swapped, digits changed, each with probability `rate`."""
    out = list(text)
    for i, sign in enumerate(out):
        if sign.isspace() or rng.random() >= rate:
            continue
        if sign.isdigit():
            out[i] = rng.choice([digit for digit in string.digits if digit != sign])
        else:
            kind = rng.choice("cds")
            if kind == "s" and i + 1 < len(out):
                out[i], out[i + 1] = out[i + 1], out[i]
            else:
                out[i] = "" if kind == "d" else rng.choice(string.ascii_uppercase)
    return "".join(out)


def pairs_one_edit_apart(listed: list[dict[str, str]]) -> list[tuple[dict[str, str], dict[str, str]]]:
    """Different ships (by IMO number) whose names without spaces are one edit apart: a letter, or two swapped."""
    from rapidfuzz.distance import OSA

    numbered = [(row["name"].replace(" ", ""), row) for row in listed if row["imo"]]
    return [
        (one, two)
        for (a, one), (b, two) in combinations(numbered, 2)
        if one["imo"] != two["imo"] and OSA.distance(a, b, score_cutoff=1) <= 1
    ]
