"""Synthetic ships: identities that no real ship has, sizes and speeds by kind of ship.

MMSIs end in 900000 or more behind a real country code (MID), IMO numbers begin with 3 (never issued) and carry a
valid check digit, names are two plain words and a number.
"""

from __future__ import annotations

from typing import NamedTuple

from numpy.random import Generator

from luxwake.simulate.voyage import Identity


class Kind(NamedTuple):
    """A kind of ship; lengths in m, speeds in kn, draughts in m."""

    name: str
    ship_type: int
    """ITU-R M.1371 table 53."""
    length_m: tuple[int, int]
    slenderness: float
    """Length over beam."""
    speed_kn: tuple[float, float]
    draught_m: tuple[float, float]
    class_b: bool = False


# Service speeds and sizes: usual ranges of these trades, after the classes of UNCTAD's Review of Maritime Transport.
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("general", 70, (75, 140), 6.3, (9.0, 12.5), (4.5, 8.0)),
        Kind("bulk", 70, (150, 230), 6.4, (11.0, 14.0), (6.5, 13.0)),
        Kind("container", 71, (120, 300), 6.9, (14.0, 19.5), (7.0, 13.5)),
        Kind("roro", 79, (110, 200), 6.2, (13.0, 18.0), (5.5, 8.5)),
        Kind("tanker", 80, (90, 240), 6.1, (10.0, 14.0), (5.5, 13.0)),
        Kind("ferry", 60, (90, 200), 6.5, (16.0, 22.0), (5.0, 6.5)),
        Kind("fishing", 30, (18, 60), 4.2, (7.0, 11.0), (2.5, 5.0)),
        Kind("small", 37, (10, 24), 3.6, (6.0, 14.0), (1.2, 2.5), True),
        Kind("tug", 52, (26, 40), 2.9, (8.0, 11.0), (3.5, 5.0)),
    )
}

_MIDS = (205, 212, 219, 229, 235, 240, 244, 255, 257, 304, 311, 341, 351, 352, 355, 370, 412, 413, 431, 440, 441, 477,
         511, 518, 525, 533, 538, 548, 563, 565, 567, 574, 620, 636, 671)  # fmt: skip
_FIRST = ("AMBER", "BRIGHT", "CALM", "CEDAR", "CLEAR", "CORAL", "CRANE", "DAWN", "EASTERN", "FAIR", "GOLDEN", "GRAND",
          "GREEN", "HARBOUR", "HIGH", "IVORY", "JADE", "LONG", "LUCKY", "MAPLE", "MORNING", "NOBLE", "NORTH", "OCEAN",
          "OPAL", "PEARL", "PINE", "QUIET", "RED", "RIVER", "SILVER", "SOUTH", "STAR", "SUMMER", "SUN", "TALL", "TIDE",
          "TRUE", "WEST", "WHITE", "WILLOW", "WIND", "WINTER")  # fmt: skip
_SECOND = ("ARROW", "BAY", "BEACON", "BIRCH", "BRIDGE", "CLIFF", "CLOUD", "COAST", "CURRENT",
           "FALCON", "FIELD", "FINCH",
           "FLOWER", "FOREST", "GATE", "GULL", "HERON", "HILL", "HORIZON", "ISLAND", "LAKE", "LANTERN", "MEADOW",
           "MIST",
           "MOON", "PATH", "PETREL", "REEF", "RIDGE", "SAIL", "SHORE", "SPRING", "STONE", "SWAN", "TERN", "VALLEY",
           "WAVE")  # fmt: skip


def imo_number(first_six: int) -> int:
    """The IMO number with these first six digits: the last digit of the sum of digit times 7, 6, ... 2 is added.

    >>> imo_number(907472)
    9074729
    """
    digits = [int(d) for d in f"{first_six:06d}"]
    return first_six * 10 + sum(d * w for d, w in zip(digits, range(7, 1, -1), strict=True)) % 10


def invent(kind: Kind, index: int, rng: Generator) -> Identity:
    """The identity of the `index`-th ship of a scenario."""
    length = int(rng.integers(kind.length_m[0], kind.length_m[1] + 1))
    mid = int(rng.choice(_MIDS))
    low, high = kind.draught_m
    return Identity(
        mmsi=mid * 1_000_000 + 900_000 + index % 100_000,
        imo=0 if kind.class_b or length < 24 else imo_number(300_000 + index),
        name=f"{_FIRST[index * 7 % len(_FIRST)]} {_SECOND[index * 11 % len(_SECOND)]} {1 + index // 10}"[:20],
        callsign=f"X{index % 100_000:05d}",
        ship_type=kind.ship_type,
        length_m=length,
        beam_m=max(3, round(length / kind.slenderness)),
        draught_m=round(float(rng.uniform(low, high)), 1),
    )
