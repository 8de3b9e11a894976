"""The speeds that are kept of a hull: few bytes, and the 95 % quantile."""

from itertools import pairwise

import numpy as np

from ais.hulls import FULL, HULL, SPEED_EDGES_KN, speed_quantile_kn
from ais.identity import identities
from ais.table import STATIC_DTYPES, Fixes, Static, columns_of
from ais.tracks import Tracks
from detectors.vessels import vessels


def test_speeds_of_a_hull_are_counted_for_years_in_a_small_record():
    """2 M fixes at 10 and 12 kn: the bins overflow, the percentile does not move."""
    n = 2_000_000
    lat = np.linspace(0.0, 1.0, n)
    columns = {"t": np.arange(n) * 360_000_000, "mmsi": np.full(n, 211000001), "lat": lat, "lon": np.zeros(n)}
    columns["sog"] = np.where(np.arange(n) % 10 == 0, 12.5, 10.5)
    tracks = Tracks()
    tracks.follow(Fixes(columns).columns)
    hull = tracks.hulls.rows[:1]
    assert HULL.itemsize <= 120 and hull["speeds"].max() <= FULL
    assert speed_quantile_kn(hull["speeds"], 0.95).tolist() == [13.0]
    assert speed_quantile_kn(hull["speeds"], 0.85).tolist() == [11.0]
    table = vessels(hull, identities(Static(columns_of(STATIC_DTYPES, 0))))
    assert [table[name].tolist() for name in ("n", "lat_first", "lat_last")] == [[n], [0.0], [1.0]]


def test_the_95_percent_speed_is_told_to_a_knot_where_merchant_ships_sail():
    """Against the quantile of all reports, for ships of each mean speed and any scatter."""
    rng = np.random.default_rng(4)
    for mean in np.arange(2.0, 24.0, 0.7):
        sog = np.abs(rng.normal(mean, rng.uniform(0.2, 2.0), 5000)).astype(np.float32)
        own = {"t": np.arange(sog.size) * 600_000_000, "mmsi": np.full(sog.size, 211000001), "sog": sog}
        tracks = Tracks()
        tracks.follow(Fixes({**own, "lat": np.zeros(sog.size), "lon": np.arange(sog.size) * 1e-4}).columns)
        told = speed_quantile_kn(tracks.hulls.rows[:1]["speeds"], 0.95)[0]
        true = np.quantile(sog[sog > 0.5], 0.95)
        width = min(high - low for low, high in pairwise((0, *SPEED_EDGES_KN)) if high >= true)
        assert -0.25 <= told - true <= max(width, told - max(e for e in (0, *SPEED_EDGES_KN) if e < told)) + 0.25
