"""Identity: what a ship says of itself is wrong, changes, or is said by another ship too.

One kind with a label for each check:

| label | what is found | what may explain it |
|---|---|---|
| `imo_check_digit` | a number in the range of IMO numbers whose last digit does not fit | a slip of the hand |
| `flag` | an MMSI of no country, or of another than the call sign's or the register's | old call sign, old register |
| `name`, `callsign`, `dimensions`, `ship_type`, `imo_change` | a lasting change under one MMSI | sale, a correction |
| `mmsi_change` | one number ends where and when another begins (`other`) | a new flag |
| `shared_identity` | one IMO number from two MMSIs at once (`other`) | a transponder set up with another ship's data |
| `shared_identity` | two hulls behind one MMSI at once (`other_hull`) | the same |
| `zombie_imo` | the number of a ship that a register calls scrapped or lost | the register errs |
| `cloned_imo` | the number of a ship of other dimensions, or of another type and name | the register errs |

A change runs from the last report of the old value to the first of the new one, any other event from the first report
to the last. `score` is n / (n + 3) for n reports (of the value said less often), for dimensions times the change as a
share of a tenth of the length, for clones times the share of fields that differ, halved for a shared number where the
two ships may have been in one place, and for `mmsi_change` see `detectors.identity_handover`. Checks of values follow
`detectors.identity_changes`: what was not said again and again is noise. What the reports do not tell has no position.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.detector import DerivedDetector, Final, Known
from detectors.event import EVENT, IDENTITY, blank, joined_events, label_code
from detectors.identity_changes import DIMENSIONS, IMO, SHIP_TYPE, Limits, changes
from detectors.identity_claims import against_registry, flags_apart, unknown_flags, wrong_check_digits
from detectors.identity_events import FACTS, told, unique_events
from detectors.identity_handover import HandoverLimits, handovers, lives
from detectors.identity_registry import Registry, read_registry
from detectors.identity_shared import far_apart, lasting, shared_mmsis, shared_numbers
from detectors.said import Said, said_of
from geo.errors import UsageError

CHANGE_LABELS = ("name", "callsign", "dimensions", "ship_type", "imo_change")
TENTH = 0.1
"""Of the length: a hull that was not rebuilt does not change by so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityParams:
    """Thresholds of the checks of identity."""

    min_reports: int = 3
    """Reports in which a value is said before it counts: of two equal ones one may be a copy by a far station."""
    min_lasting_s: int = 3600
    """Ten reports of a class A ship (one in 6 min, ITU-R M.1371-5); hands correct a slip sooner."""
    dimension_tolerance_m: float = 2.0
    """Ten reports of a class A ship (one in 6 min, ITU-R M.1371-5); hands correct a slip sooner."""
    min_fixes: int = 10
    """Fixes of an MMSI or hull before it counts: bit errors make numbers that are heard once or twice."""
    quiet_h: float = 24.0
    """A number has ended, or begun, when it was not heard for a day: longer than most silences in coverage."""
    max_gap_h: float = 168.0
    """A new number is set within the week: a stay in a yard or port (no source; longer gaps drown in chance)."""
    max_distance_m: float = 50_000.0
    """Two ends farther apart are weighed only where both say one IMO number; chance has won long before."""
    max_speed_kn: float = 20.0
    """Between the two ends; merchant ships sail 10 to 20 kn."""
    min_score: float = 0.5
    """Of a change of MMSI: more likely than not, by odds that are an assumption (`detectors.identity_handover`)."""
    registry: str | None = None
    """Path of a register of ships as CSV (`detectors.identity_registry`); without it there are no zombies or clones."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        positive = ("min_reports", "min_fixes", "min_lasting_s", "max_gap_h", "max_distance_m", "max_speed_kn")
        for name in positive:
            if not getattr(self, name) > 0:
                raise UsageError(f"identity: {name} must be above 0, not {getattr(self, name)}")
        if self.dimension_tolerance_m < 0.0 or self.quiet_h < 0.0:
            raise UsageError(f"identity: dimension_tolerance_m and quiet_h must not be negative, not {self}")
        if not 0.0 <= self.min_score <= 1.0:
            raise UsageError(f"identity: min_score must be 0 to 1, not {self.min_score}")


class Identity(DerivedDetector):
    """Checks of identity over static reports, hulls, silences and port calls."""

    name = "identity"
    Params = IdentityParams
    kinds = ("identity",)
    facts = FACTS
    label_in_id = True
    needs = ("dark", "port_call")
    keeps = EVENT
    goes_on = True

    def __init__(self, params: Any = None) -> None:
        super().__init__(params)
        self.registry = read_registry(self.params.registry) if self.params.registry is not None else Registry()

    def params_dict(self) -> dict[str, Any]:
        """The parameters as plain values; the register by a digest of its content, wherever it lies."""
        return asdict(self.params) | {"registry": self.registry.digest or None}

    def keep(self, kept: NDArray[Any], final: Final) -> NDArray[Any]:
        """Silences that explain another hull under an MMSI, and ships of one number that were far apart; of those that
        are still followed."""
        gone, vessels = joined_events(kept, final.gone), final.known.vessels
        apart = far_apart(joined_events(gone, final.left))
        followed = [np.isin(apart[who], vessels["mmsi"]) for who in ("mmsi", "other")]
        return joined_events(lasting(gone, vessels), apart[followed[0] & followed[1]])

    def derive_each(self, events: NDArray[Any], known: Known) -> NDArray[Any]:
        """What each ship says that changes, or cannot be."""
        identity, least = known.identity, self._least
        said = said_of(identity, known.vessels)
        found = [
            self._changes(said, identity, least),
            wrong_check_digits(said, identity, least),
            flags_apart(said, identity, least),
            unknown_flags(lives(known.vessels), self.params.min_fixes, least[1]),
            against_registry(said, identity, self.registry, least),
        ]
        return unique_events(joined_events(*found))

    def derive(self, events: NDArray[Any], known: Known) -> NDArray[Any]:
        """Ships that take another number, and ships that share one."""
        p, identity, vessels = self.params, known.identity, known.vessels
        events = joined_events(events, self.kept(known))
        found = [
            self._handovers(lives(vessels), identity),
            shared_numbers(said_of(identity, vessels), identity, vessels, events, self._least),
            shared_mmsis(vessels, events, p.min_fixes, self._least[1]),
        ]
        return unique_events(joined_events(*found))

    @property
    def _least(self) -> tuple[int, int]:
        """Reports in which, and time in µs for which, a value was said before it counts."""
        return self.params.min_reports, self.params.min_lasting_s * 1_000_000

    def _changes(self, said: Said, identity: Any, least: tuple[int, int]) -> NDArray[Any]:
        found = changes(said, Limits(*least, self.params.dimension_tolerance_m))
        old, new, events = found["old"], found["new"], blank(found.size, IDENTITY)
        events["label"] = np.array([label_code(word) for word in CHANGE_LABELS])[found["field"]]
        events["mmsi"], events["t_start"], events["t_end"] = said.mmsi[new], found["t_start"], found["t_end"]
        events["n"] = np.minimum(found["n_old"] + found["n_new"], 2**31 - 1)
        events["first_source"], events["first_offset"] = identity["last_source"][old], identity["last_offset"][old]
        events["last_source"], events["last_offset"] = identity["source"][new], identity["first_offset"][new]
        events["score"] = told(np.minimum(found["n_old"], found["n_new"]))
        facts = events["facts"]
        for name in ("n_old", "n_new", "returns"):
            facts[:, ("n_old", "n_new", "returns").index(name)] = found[name]
        values: dict[int, NDArray[Any]] = {DIMENSIONS: said.length, SHIP_TYPE: said.ship_type, IMO: said.imo}
        for field, column in values.items():
            own = found["field"] == field
            facts[own, FACTS.index("value_before")] = column[old[own]]
            facts[own, FACTS.index("value_after")] = column[new[own]]
        own = found["field"] == DIMENSIONS
        facts[own, FACTS.index("beam_before_m")], facts[own, FACTS.index("beam_after_m")] = (
            said.beam[old[own]],
            said.beam[new[own]],
        )
        change = np.abs(said.length[new[own]] - said.length[old[own]]) / np.maximum(said.length[old[own]], 1)
        beam = np.abs(said.beam[new[own]] - said.beam[old[own]]) / np.maximum(said.beam[old[own]], 1)
        events["score"][own] *= np.minimum(np.maximum(change, beam) / TENTH, 1.0)
        return events

    def _handovers(self, ships: NDArray[Any], identity: Any) -> NDArray[Any]:
        p = self.params
        hour_us = 3_600_000_000
        found = handovers(
            ships,
            HandoverLimits(
                round(p.quiet_h * hour_us),
                round(p.max_gap_h * hour_us),
                p.max_distance_m,
                p.max_speed_kn,
                p.dimension_tolerance_m,
                p.min_fixes,
                p.min_score,
            ),
        )
        old, new, events = ships[found["old"]], ships[found["new"]], blank(found.size, IDENTITY)
        events["label"], events["mmsi"], events["other"] = label_code("mmsi_change"), old["mmsi"], new["mmsi"]
        events["t_start"], events["t_end"] = old["t_last"], new["t_first"]
        events["lat"], events["lon"] = old["lat_last"], old["lon_last"]
        events["lat_end"], events["lon_end"] = new["lat_first"], new["lon_first"]
        events["n"] = np.minimum(old["n"] + new["n"], 2**31 - 1)
        events["distance_m"], events["score"] = found["distance_m"], found["score"]
        seconds = (events["t_end"] - events["t_start"]) / 1e6
        events["speed_kn"] = found["distance_m"] / np.maximum(seconds, 1.0) / (1852.0 / 3600.0)
        facts = events["facts"]
        facts[:, FACTS.index("likelihood_ratio")], facts[:, FACTS.index("chance")] = found["ratio"], found["chance"]
        facts[:, FACTS.index("reports_before")], facts[:, FACTS.index("reports_after")] = old["n"], new["n"]
        facts[:, FACTS.index("imo")] = np.where(new["imo"] > 0, new["imo"], np.nan)
        for mmsi, side, row in ((events["mmsi"], "first", "last"), (events["other"], "last", "first")):
            _evidence(events, identity, mmsi, side, row)
        return events


def _evidence(events: NDArray[Any], identity: Any, mmsi: NDArray[np.uint32], side: str, end: str) -> None:
    """The last static report of the old number, or the first of the new one, where there is any."""
    known = identity["mmsi"]
    at = np.searchsorted(known, mmsi, side="right") - 1 if end == "last" else np.searchsorted(known, mmsi, side="left")
    inside = np.clip(at, 0, max(known.size - 1, 0))
    said = (known[inside] == mmsi) if known.size else np.zeros(mmsi.size, np.bool_)
    source = "last_source" if end == "last" else "source"
    events[f"{side}_offset"][said] = identity[f"{end}_offset"][inside[said]]
    events[f"{side}_source"][said] = identity[source][inside[said]]
