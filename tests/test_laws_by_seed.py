"""The laws on 100 small worlds, each another: poles and the antimeridian, midnight and leap days, shared MMSIs."""

import numpy as np
import pytest

from ais.table import NAT, Fixes
from detectors.laws import LawBroken, check_laws
from detectors.loitering import Loitering
from tests.feeds import HOUR, MINUTE
from tests.worlds import busy_world

PLACES = ((0.0, -30.0), (0.0, 180.0), (84.0, 10.0), (-87.5, 120.0), (45.0, -179.9), (-30.0, 90.0))
LEAP_DAY, NEW_YEAR = 1_709_164_800_000_000, 1_704_067_200_000_000  # 2024-02-29 and 2024-01-01, 00:00 UTC


def world(seed: int) -> Fixes:
    """Three to five ships for five days, somewhere and somewhen; in one of three worlds two of them share an MMSI."""
    rng = np.random.default_rng(seed)
    lat0, lon0 = PLACES[seed % len(PLACES)]
    fixes = busy_world(seed, vessels=int(rng.integers(2, 4)), lat0=lat0, lon0=lon0, every=int(rng.choice([10, 15])))
    begin = (LEAP_DAY, NEW_YEAR)[seed % 2] - int(rng.integers(0, 60)) * HOUR - int(rng.integers(0, 60)) * MINUTE
    columns = {**fixes.columns, "t": fixes["t"] - fixes["t"].min() + begin}
    columns["sog"] = np.where(rng.random(len(fixes)) < 0.02, np.nan, fixes["sog"]).astype(np.float32)
    if seed % 3 == 0:
        ships = np.unique(fixes["mmsi"])
        columns["mmsi"] = np.where(fixes["mmsi"] == ships[-1], ships[0], fixes["mmsi"])
    static = fixes.static.take(slice(None))
    static.columns["t"] = static["t"] - fixes["t"].min() + begin
    return Fixes(columns, static).sort()


@pytest.mark.parametrize("first", range(0, 200, 40))
def test_the_laws_hold_in_twenty_worlds(first):
    found = {kind: 0 for kind in ("loitering", "silence", "rendezvous")}
    for seed in range(first, first + 20):
        kinds = check_laws(world(seed), seed=seed)["kind"]
        found["loitering"] += int(np.count_nonzero(np.isin(kinds, (0, 5))))
        found["silence"] += int(np.count_nonzero(np.isin(kinds, (1, 4))))
        found["rendezvous"] += int(np.count_nonzero(kinds == 2))
    assert found["loitering"] > 100 and found["silence"] > 100 and found["rendezvous"] > 5, found


def test_rows_without_a_time_break_no_law():
    fixes = world(1)
    t = fixes["t"].copy()
    t[::50] = NAT
    few = Fixes({**fixes.columns, "t": t}).sort()
    assert len(check_laws(few, ["loitering"])) > 3


def test_a_detector_that_cuts_at_the_end_of_a_piece_is_caught(monkeypatch):
    whole = Loitering.feed

    def forgets(self, columns):
        self.arrays["states"]["going"] = 0
        return whole(self, columns)

    monkeypatch.setattr(Loitering, "feed", forgets)
    with pytest.raises(LawBroken, match="any cut of the input"):
        check_laws(world(1), ["loitering"])


def test_a_detector_that_looks_at_the_clock_is_caught(monkeypatch):
    whole = Loitering.feed

    def by_day(self, columns):
        return whole(
            self, columns._replace(sog=columns.sog, lat=np.where(columns.t % (24 * HOUR) < HOUR, 0.0, columns.lat))
        )

    monkeypatch.setattr(Loitering, "feed", by_day)
    with pytest.raises(LawBroken, match="time of day"):
        check_laws(world(1), ["loitering"])
