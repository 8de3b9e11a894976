"""Loitering, waiting and stops: a ship stays slow, and what it does meanwhile.

Loitering is after Global Fishing Watch's definition (mean speed under 2 kn, at least 20 nmi from shore; 4 h as in the
studies for regional fishery bodies), with two differences. There are no clock hours: a drift of four hours is four
hours long wherever it begins. And silence is never behaviour: a silence of more than `max_silence_s` ends the event,
and `coverage` is the share of its time in which the ship was heard at least every half hour. How slow a ship is, and
from which fix to which, is told in `detectors.episode`. `score` is the share of the event's time spent in slow steps;
`distance_m` the greatest distance from where it began.

Where anchorages are known, slow hours in one of them are called waiting: told apart by kind, and not left out, for
goods change ships at anchor too. A slow step counts as waiting when it begins and ends in known anchorages, for as much
of it as counts as observed; `anchorage_share` is that time over all observed slow time, and an event is waiting from
`min_waiting_share` on. Without known anchorages the share is not available, and no event is waiting.

All other slow time is a stop, at a berth, in the roads or near a coast: from `min_stop_s` on, or from `min_drift_s` on
while the ship is adrift. A passage of more than `max_excursion_s` parts the anchorage from the berth after it.

`label` says what the ship did: drifting, anchored, moored, fishing or slow steaming, by the probabilities `p_drifting`
to `p_slow_steaming` of `detectors.behaviour`; "unclear" where two are too close to call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from detectors.behaviour import FACTS, behaviour
from detectors.detector import Known
from detectors.episode import STEP, flush, run
from detectors.episode_sums import EPISODE, MOST_S, Limits
from detectors.event import STOP
from detectors.pool import PooledDetector
from geo.anchorages import Anchorages
from geo.errors import UsageError
from geo.sphere import NMI_M


@dataclass(frozen=True, slots=True, kw_only=True)
class LoiteringParams:
    """Thresholds of loitering, waiting and stops."""

    max_speed_kn: float = 2.0
    """Global Fishing Watch: mean speed under 2 kn."""
    min_duration_s: int = 4 * 3600
    """GFW's studies for regional fishery bodies: 4 h."""
    min_shore_m: float = 20.0 * NMI_M
    """GFW: 20 nmi from shore, so that anchorages and harbours do not count: slow hours nearer to it are a stop."""
    min_stop_s: int = 3600
    """An hour, as for the stop of a port call."""
    min_drift_s: int = 600
    """AIS-Abnormal (Danish Maritime Authority): a ship is adrift when it was so for 10 min."""
    max_silence_s: int = 4 * 3600
    """GFW bridges 24 h, and then counts silence as slowness; of satellite reports at a mean of 1 h, 2 % wait 4 h."""
    step_s: int = 600
    """Ten minutes: position noise of 10 m is then 0.03 kn. At most 3,600."""
    max_excursion_s: int = 1800
    """Half an hour above the speed does not end an event (a correction of the position), longer does. At most 3,600."""
    min_waiting_share: float = 0.5
    """Most of the time: the ship lay in the anchorage more than it drifted outside."""
    min_lead: float = 0.2
    """Where the likeliest leads by less, the label is "unclear"; of the others 93 % are right on unseen ships."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        times = self.min_duration_s, self.min_stop_s, self.min_drift_s, self.max_silence_s, self.step_s
        if not all(value > 0 for value in (self.max_speed_kn, *times)):
            raise UsageError(f"loitering: speed, duration, stop, drift, silence and step must be positive, not {self}")
        if not self.min_stop_s <= self.min_duration_s:
            raise UsageError(f"loitering: min_stop_s must be at most min_duration_s, not {self.min_stop_s}")
        if not (self.min_shore_m >= 0 and self.max_excursion_s >= 0):
            raise UsageError(f"loitering: min_shore_m and max_excursion_s must not be negative, not {self}")
        if max(self.step_s, self.max_excursion_s) > 3600:
            raise UsageError(f"loitering: step_s and max_excursion_s must be at most 3600, not {self}")
        if not 0.0 < self.min_waiting_share <= 1.0:
            raise UsageError(f"loitering: min_waiting_share must be over 0 and at most 1, not {self.min_waiting_share}")
        if not 0.0 <= self.min_lead <= 1.0:
            raise UsageError(f"loitering: min_lead must be from 0 to 1, not {self.min_lead}")

    @classmethod
    def preset(cls, name: str) -> LoiteringParams:
        """Thresholds that others use: `gfw`, those of Global Fishing Watch's published loitering events.

        The same as there: mean speed under 2 kn, 20 nmi from shore, one hour or more. Not the same: GFW adds up clock
        hours, so that an event begins and ends with one and loses up to two; it bridges silences of 24 h and counts
        them as slow, here 4 h end an event; it takes the mean distance from shore, here that of the mean position; and
        it keeps only tracks that it takes for good.

        Raises
        ------
        UsageError
            For another name.

        >>> LoiteringParams.preset("gfw").min_duration_s
        3600
        """
        if name != "gfw":
            raise UsageError(f"loitering: no preset {name!r}; there is gfw")
        return cls(min_duration_s=3600)


class Loitering(PooledDetector):
    """Loitering, waiting and stops of each hull."""

    name = "loitering"
    Params = LoiteringParams
    kinds = ("loitering", "waiting", "stop")
    facts = FACTS
    settles_place = True
    state, part, loop, end = STEP, EPISODE, run, flush
    numbered = "going", 2

    def __init__(self, params: LoiteringParams | None = None) -> None:
        super().__init__(params)
        self._anchorages = Anchorages()

    def know(self, anchorages: Anchorages) -> None:
        """Tell waiting from loitering by these anchorages."""
        self._anchorages = anchorages

    def params_dict(self) -> dict[str, Any]:
        """The parameters as plain values; `anchorages` is the digest of those that are known."""
        known = self._anchorages.digest if len(self._anchorages) else None
        return {**super().params_dict(), "anchorages": known}

    def limits(self) -> Limits:
        """The thresholds as numbers, for the kernels."""
        p = self.params
        return Limits(
            float(p.max_speed_kn),
            p.min_duration_s * 1_000_000,
            p.min_stop_s * 1_000_000,
            float(min(p.min_drift_s, MOST_S)),
            p.max_silence_s * 1_000_000,
            p.step_s * 1_000_000,
            p.max_excursion_s * 1_000_000,
            float(p.min_waiting_share),
            self._anchorages.table,
            self.ships,
        )

    def settle_each(self, records: NDArray[Any], known: Known) -> NDArray[Any]:
        """What is too near to the shore is a stop; and of each event what the ship did."""
        near = records["shore_m"] < self.params.min_shore_m
        if self.params.min_shore_m > 0:  # 0 looks everywhere, in harbours on the map's land too
            records["kind"][near] = STOP
        new = records["label"] == 0  # what a ship did does not change by what is known later
        records["label"][new], records["facts"][new] = behaviour(records[new], self.params.min_lead)
        return records
