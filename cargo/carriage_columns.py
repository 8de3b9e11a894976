"""What the loop of `cargo.carriage_kernel` reads and writes: legs, ships and candidates as columns, and its weights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class LegColumns(NamedTuple):
    """Legs as columns. Ports are indices of a list, -1 unknown; times µs or `NAT`, the earliest and latest claims."""

    load: np.ndarray
    discharge: np.ndarray
    depart0: np.ndarray
    depart1: np.ndarray
    arrive0: np.ndarray
    arrive1: np.ndarray
    weight_kg: np.ndarray
    named: np.ndarray  # index of what the leg says of its ship


class Said(NamedTuple):
    """What legs say of their ships, each once, with the ships that answer to it: `ship[first[k] : first[k + 1]]`."""

    imo: np.ndarray  # a valid number, 0 none
    mmsi: np.ndarray
    name: np.ndarray  # code of the name, -1 not said, -2 a name that was never heard
    first: np.ndarray
    ship: np.ndarray  # ascending
    bits: np.ndarray


class Ships(NamedTuple):
    """Ships by MMSI: type and length (NaN), when heard, and the names and numbers they broadcast, as intervals."""

    mmsi: np.ndarray
    ship_type: np.ndarray
    length_m: np.ndarray
    t_first: np.ndarray
    t_last: np.ndarray
    said_first: np.ndarray
    said_from: np.ndarray
    said_to: np.ndarray
    said_imo: np.ndarray
    said_name: np.ndarray  # code, -1 none


class Weights(NamedTuple):
    """How much each fact weighs: factors, and logarithms of odds for what a row says of its ship.

    `none` to `not_heard` and `undated` have the form that a fit of the greatest likelihood gives (Nelder-Mead, unnamed
    legs, trade worlds of seeds 101 and 102, which no figure uses), and doubt more than it (docs/evaluation-cargo.md).
    `stray` and the odds of names and numbers are set by hand, and generous to doubt.
    """

    none: float = 0.005
    """Weight of a ship that was not heard."""
    early_days: float = 1.0
    """Decay of a sailing before the declared departure, and after it; the same for arrivals."""
    late_days: float = 0.6
    not_loaded: float = 0.001
    """No call at the load port on record."""
    not_arrived: float = 0.0005
    """No call at the discharge port on record though the ship was heard later."""
    not_heard: float = 0.002
    """No call there, and the ship was not heard later."""
    stray: float = 0.001
    """Least factor of a date within the windows: clerks err."""
    undated: float = 0.8
    """A call at the discharge port where no arrival is declared."""
    imo: float = 14.0
    imo_slip: float = 8.0
    mmsi: float = 12.0
    other_mmsi: float = -5.0
    name: float = 7.0
    name_slip: float = 3.0
    other_name: float = -6.0
    name_days: float = 45.0
    """A name counts for a leg if it was broadcast within this time of it; else half as much."""


class Out(NamedTuple):
    """What the loop writes: for each leg the kept candidates, how many there were, and the weight of none."""

    ship: np.ndarray  # (legs, KEPT) int32, -1 none
    load_call: np.ndarray
    discharge_call: np.ndarray
    probability: np.ndarray
    bits: np.ndarray
    n: np.ndarray
    none: np.ndarray


class Scratch(NamedTuple):
    """The candidates of one leg; `place[s]` is where ship s stands if `stamp[s]` is the leg."""

    place: np.ndarray
    stamp: np.ndarray
    ship: np.ndarray
    load_call: np.ndarray
    discharge_call: np.ndarray
    weight: np.ndarray
    bits: np.ndarray
