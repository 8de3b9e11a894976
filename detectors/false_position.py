"""False positions: what a ship reports cannot be so.

One kind, told apart by label; each is a fact about the reports, and a receiver that fails, a station that stamps wrong
times or interference with GNSS explain it as well as a will to deceive. Steps of a minute or more are looked at, and
windows of half an hour; a silence of more than half an hour ends everything but a stay elsewhere.

| label | the reports say | score: one minus |
|---|---|---|
| on_land | farther inland than the map errs, no port or waterway near (`detectors.inland`) | error of it / depth |
| impossible_speed | faster than any ship, step after step | limit / speed |
| | elsewhere and back (`detectors.shared_mmsi`) | the chance that two ships take turns so closely |
| course | speed and course that do not lead to the next positions | 1 / chi-square |
| circle | round and round at the speed of a ship under way (`detectors.circle`) | residual / radius |
| simulated | a way without the jitter of any receiver and helm, for hours | jitter / least jitter of real ships |
| beyond_horizon | where no station of the source can hear it (`detectors.stations`) | reach / distance |
| speed_change | a speed that the ship, as its positions show, did not make | way made / way claimed |

`detectors.mass_displacement` takes what several ships suffer at once from the ships' account. `lat` and `lon` are those
of the first fix, `lat_end` and `lon_end` of the last; of a circle the first are its centre, of a stay elsewhere the
first are where the ship was last heard before, the second where it was heard meanwhile.

Not seen: an offset that does not change, on water (speed and course are right, and so is the way); a false way with
jitter and matching speed and course; anything of ships heard less than every half hour, but stays elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.detector import FEWEST_HULLS, Columns, Detector, Final, Known, grown, rounded_up
from detectors.event import EVENT, joined_events
from detectors.inland import waterways
from detectors.mass_displacement import displaced_together
from detectors.scrutiny import WATCH, Limits, Places, flush, run
from detectors.shared_mmsi import STAY, rebuild_stays
from detectors.stations import read_stations
from detectors.suspicion import CASE, CASES_OF_HULL, FACTS, LEFT, LOST, USED
from geo.coast import shore_table
from geo.errors import UsageError
from geo.ports import port_index, ports_version
from geo.sphere import KN_M_S

FEWEST_CASES = 64
"""Rows of the tables of cases and stays at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FalsePositionParams:
    """Thresholds of false positions."""

    step_s: int = 60
    """Under a minute the noise of a receiver is correlated and hides: real ships then jitter by 0.3 m (measured)."""
    window_s: int = 1800
    """Half an hour holds a turn of a circle of 1.5 km at 10 kn, and 30 steps. At most 3,600, and 200 steps."""
    max_silence_s: int = 1800
    """As for loitering: what was not heard for half an hour is not known."""
    min_fixes: int = 5
    """A window of fewer steps says nothing; a stay elsewhere of fewer fixes may be bit errors."""
    min_duration_s: int = 1800
    """On land or beyond the horizon for as long: a receiver that starts up is wrong for minutes."""
    min_inland_m: float = 5_000.0
    """Twice the largest error of the mask's shore, and the mouth of a river."""
    port_m: float = 30_000.0
    """Ports of the table stand on rivers and canals; barges go on from them, and between them it is some 60 km."""
    max_speed_kn: float = 60.0
    """The fastest ferry makes 58 kn; AISdb takes two positions 60 kn apart for two ships."""
    speed_tolerance_m: float = 500.0
    """As in `ais.tracks`: noise of positions, rounding and clocks."""
    min_steps: int = 2
    """One step too fast may be a station's clock; two in a row are the ship's reports."""
    leap_kn: float = 40.0
    """Reported speeds from here on are held against the positions; few ships go faster, and none for a moment."""
    leap_share: float = 0.25
    """A ship that speeds up evenly has made half of the way that its last speed claims."""
    max_step_s: int = 600
    """A step longer than ten minutes hides turns, and says nothing of course, speed or jitter. At most 3,600."""
    noise_m: float = 10.0
    """Standard error of a position: GNSS without correction, 10 m or worse where AIS says low accuracy (M.1371)."""
    speed_noise_kn: float = 0.4
    """Of the mean velocity of half an hour: real ships miss by 0.11 kn (median), 0.54 (95 %), 1.21 (largest of 267)."""
    min_chi2: float = 50.0
    """A miss of 2.8 kn over half an hour: more than twice the largest seen of real ships."""
    max_jitter_m: float = 0.6
    """Rounding to 1/10000 minute alone gives 0.2 m; the steadiest of real ships 2.3 m."""
    min_smooth_s: int = 2 * 3600
    """No ship keeps so straight for two hours; four windows in a row leave no room for luck."""
    min_radius_m: float = 50.0
    """Below, a circle is the noise of a ship at rest."""
    max_radius_m: float = 5_000.0
    """Circles off Point Reyes and Shanghai had some hundred metres to a few kilometres (Bergman 2019, 2020)."""
    max_residual: float = 0.05
    """Root mean square distance from the circle, share of the radius: a few percent."""
    max_residual_m: float = 15.0
    """The same in metres, for small circles: noise of positions."""
    min_circle_kn: float = 3.0
    """A ship at anchor swings at 0.2 to 0.4 kn, and drifts below 3."""
    max_spread: float = 0.25
    """Standard deviation of the speed, share of its mean: a ship that turns hard loses a third of its speed."""
    min_turns: float = 3.0
    """A turning circle for a trial or a net is gone round once or twice."""
    min_round: float = 1.8
    """Way made over distance reached in a window from which on a circle is looked for: 0.6 of a turn."""
    max_arc_s: int = 6 * 3600
    """After that a circle not gone round three times is not waited for."""
    max_switch_s: int = 3600
    """Between being heard here and elsewhere: three passes of satellites at the equator."""
    min_away_s: int = 300
    """A silence below is no stay: a ship at anchor reports every three minutes."""
    min_stay_score: float = 0.9
    """One stay in ten by chance, if every ship shared its MMSI."""
    mass_ships: int = 3
    """SeaSpoofFinder keeps clusters of several ships; two may be one company's transponders."""
    mass_within_s: int = 1800
    """Half an hour from the beginning of one to that of another: what jams one receiver jams all in sight at once."""
    mass_place_m: float = 10_000.0
    """One airport with its circles; GNSS errors of neighbours differ by less."""
    mass_same_way: float = 0.05
    """Share of a displacement: ships go on between the fixes around it, and a degree east is not as long for each."""
    stations: str = ""
    """Path of a file of stations (`detectors.stations`); without it no position is known to be beyond a horizon."""
    horizon_nmi: float = 200.0
    """Reach of a station whose file says none: ducts carry VHF so far for days (ITU-R M.2123)."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        numbers = {name: getattr(self, name) for name in self.__slots__ if name != "stations"}
        for name, value in numbers.items():
            if not 0.0 < value < math.inf:
                raise UsageError(f"false position: {name} must be positive, not {value}")
        if not (
            self.step_s <= self.max_step_s and self.step_s < self.window_s <= min(200 * self.step_s, self.min_smooth_s)
        ):
            raise UsageError(
                f"false position: step_s <= max_step_s, step_s < window_s <= 200 step_s and min_smooth_s, not {self}"
            )
        if max(self.window_s, self.max_step_s) > 3600:
            raise UsageError(f"false position: window_s and max_step_s of an hour at most, not {self}")
        if not (self.min_radius_m < self.max_radius_m and self.leap_share < 1.0 and self.min_stay_score < 1.0):
            raise UsageError(f"false position: min_radius_m < max_radius_m, and shares below 1, not {self}")
        if self.mass_ships < 2 or self.mass_same_way >= 1.0:
            raise UsageError(f"false position: mass_ships >= 2 and mass_same_way below 1, not {self}")


class FalsePosition(Detector):
    """False positions of each hull."""

    name = "false_position"
    Params = FalsePositionParams
    kinds = ("false_position",)
    facts = FACTS
    label_in_id = True
    keeps = EVENT
    by_slot = ("states",)
    flush_changes = ("states", "cases", "pool")

    def __init__(self, params: FalsePositionParams | None = None) -> None:
        super().__init__(params)
        stations, self._stations = read_stations(self.params.stations, self.params.horizon_nmi)
        self._places = Places(shore_table(), port_index(), waterways(), stations)
        self._limits = _limits(self.params, 1 << 62, 1 << 62)
        self.arrays = {
            "states": np.zeros(FEWEST_HULLS, WATCH).view(np.recarray),
            "cases": np.zeros(FEWEST_CASES, CASE).view(np.recarray),
            "pool": np.zeros(4, np.int64),
            "stays": np.zeros(FEWEST_CASES, STAY).view(np.recarray),
            "used": np.zeros(1, np.int64),
        }

    def params_dict(self) -> dict[str, Any]:
        """The parameters, the table of ports and the file of stations: with others, events have other ids."""
        return {**super().params_dict(), "ports": ports_version(), "stations": self._stations}

    def settle(self, records: NDArray[Any], known: Known) -> NDArray[Any]:
        """What several ships suffer at once is told of none of them."""
        p, kept = self.params, self.kept(known)
        both = joined_events(kept, records)
        found = displaced_together(both, p.mass_ships, p.mass_within_s * 1_000_000, p.mass_place_m, p.mass_same_way)
        return found[kept.size :]

    def keep(self, kept: NDArray[Any], final: Final) -> NDArray[Any]:
        """Those that began when one of the others did: what one ship suffered with others is not told of it alone."""
        both, began = joined_events(kept, final.gone), np.sort(final.left["t_start"])
        within_us = self.params.mass_within_s * 1_000_000
        first = np.searchsorted(began, both["t_start"] - within_us)
        last = np.searchsorted(began, both["t_start"] + within_us, side="right")
        return np.asarray(both[last > first])

    def reserve(self, ships: NDArray[Any]) -> None:
        """Make room for these hulls."""
        super().reserve(ships)
        self.arrays["states"] = grown(self.arrays["states"], ships.size)

    def make_room(self) -> None:
        """Double the pool of cases, or the table of shared MMSIs, when it is nearly full."""
        cases, pool, stays = (self.arrays[name] for name in ("cases", "pool", "stays"))
        if cases.size - int(pool[USED]) + int(pool[LEFT]) < CASES_OF_HULL:
            self.arrays["cases"] = grown(cases, 2 * cases.size)
        if 2 * (int(self.arrays["used"][0]) + 1) > stays.size:
            self.arrays["stays"] = np.zeros(2 * stays.size, STAY).view(np.recarray)
            rebuild_stays(stays, self.arrays["stays"])

    def bound(self, max_vessels: int) -> None:
        """Hold no more cases than one for eight hulls, and as many shared MMSIs."""
        super().bound(max_vessels)
        most = _most_rows(max_vessels)
        self._limits = _limits(self.params, most - CASES_OF_HULL, most - 1)

    def let_go(self, kept: NDArray[np.intp], now: int, alive: int) -> NDArray[Any]:
        """Let go of all hulls but those in these slots; their cases are told."""
        gone = np.setdiff1d(self.ships["mmsi"], self.ships["mmsi"][kept])
        found = super().let_go(kept, now, alive)
        stays = self.arrays["stays"]
        stays["mmsi"][np.isin(stays["mmsi"], gone)] = 0
        self.arrays["used"][0] = np.count_nonzero(stays["mmsi"])
        self.arrays["stays"] = np.zeros_like(stays)
        rebuild_stays(stays, self.arrays["stays"])
        return found

    def most_bytes(self, max_vessels: int) -> int:
        """Bytes of all arrays at most: of cases one for eight hulls, of places for stays twice as many."""
        own = _most_rows(max_vessels) * (CASE.itemsize + 2 * STAY.itemsize)
        return super().most_bytes(max_vessels) + own + sum(self.arrays[name].nbytes for name in ("pool", "used"))

    def left_out(self) -> dict[str, int]:
        """Suspicions, and stays elsewhere, that found no room."""
        return {"suspicions of false positions that found no room": int(self.arrays["pool"][LOST])}

    def run(self, columns: Columns, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Rows from `begin` on: (the row where it stopped, events written to `out`)."""
        a = self.arrays
        stopped, events = run(
            a["states"], a["cases"], a["pool"], a["stays"], a["used"], columns, begin, self._limits, self._places, out
        )
        return int(stopped), int(events)

    def flush(self, now: int, alive: int, begin: int, out: NDArray[Any]) -> tuple[int, int]:
        """Cases that go on at `now`, and ships that are elsewhere."""
        a = self.arrays
        stopped, events = flush(
            a["states"], a["cases"], a["pool"], a["stays"], a["used"], now, begin, self._limits, out
        )
        return int(stopped), int(events)


def _most_rows(max_vessels: int) -> int:
    """Rows for cases at most."""
    return rounded_up(max(FEWEST_CASES, max_vessels // 8))


def _limits(p: FalsePositionParams, most_cases: int, most_stays: int) -> Limits:
    """The thresholds in the units of the kernels."""
    values: dict[str, Any] = {"most_cases": most_cases, "most_stays": most_stays}
    for name in Limits._fields[:-2]:
        if name.endswith("_us"):
            values[name] = getattr(p, f"{name[:-3]}_s") * 1_000_000
        elif name.endswith("_m_s"):
            values[name] = getattr(p, f"{name[:-4]}_kn") * KN_M_S
        else:
            values[name] = getattr(p, name)
    return Limits(**values)
