"""Distances between 500 pairs of ports against searoute, whose lanes are drawn by hand.

searoute knows no Kiel canal, goes round Ceylon, and has the Northwest Passage closed, so ours are closed here too, and
Bering with them (the Northern Sea Route). Ends are searoute's own nodes, so that nothing but the way is compared.
"""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pytest

from geo.ports import port_by_code, ports
from geo.reach_cells import port_access
from geo.sea_graph import sea_graph
from geo.sea_way import sea_way, sea_ways
from geo.sphere import NMI_M, distance_m, distances_m

CLOSED = ("Bering", "Kiel", "Adam's Bridge")


@pytest.fixture(scope="module")
def compared():
    """(pairs, 6): searoute's nautical miles, ours, and the two ends."""
    searoute = pytest.importorskip("searoute")
    rng = np.random.default_rng(4)
    access = port_access()
    graph, known = sea_graph(), np.flatnonzero(access.home >= 0)
    home = access.home[known]
    near = distances_m(access.lat[known], access.lon[known], graph.lat[home], graph.lon[home]) <= 20_000.0
    known = rng.permutation(known[near])  # without those up a river
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for start in known[:25].tolist():
            for end in rng.choice(known[25:], 20, replace=False).tolist():
                ends = [[ports()[k].lon, ports()[k].lat] for k in (start, end)]
                path = [(lat, lon) for lon, lat in searoute.searoute(*ends, units="naut")["geometry"]["coordinates"]]
                if len(path) < 2:  # one node of searoute for both
                    continue
                rows.append((sum(distance_m(*p, *q) for p, q in pairwise(path)) / NMI_M, *path[0], *path[-1]))
    theirs = np.array(rows)
    ways = sea_ways(*theirs[:, 1:].T, closed=CLOSED)
    return np.column_stack([theirs[:, 0], [way.length_nmi for way in ways], theirs[:, 1:]])


def test_the_median_of_500_pairs_agrees_within_3_per_cent(compared):
    long = compared[compared[:, 0] > 100.0]
    ratio = long[:, 1] / long[:, 0]
    assert len(long) > 480
    assert np.median(np.abs(ratio - 1.0)) < 0.03
    low, high = np.quantile(ratio, [0.05, 0.95])
    assert low > 0.88 and high < 1.005


def test_ours_are_hardly_ever_longer(compared):
    """searoute cuts corners of land here and there; a way of ours is at sea by the mask."""
    ratio = compared[:, 1] / compared[:, 0]
    assert (ratio > 1.02).mean() < 0.02
    straight = np.array([distance_m(*row) for row in compared[:, 2:]]) / NMI_M
    assert (compared[:, 1] >= 0.999_999 * straight).all()


def test_searoute_takes_chongjin_and_rajin_for_one_place_and_ours_does_not():
    searoute = pytest.importorskip("searoute")
    nakhodka, *two = (port_by_code(code) for code in ("RUNJK", "KPCHO", "KPNJN"))
    theirs = [searoute.searoute([p.lon, p.lat], [nakhodka.lon, nakhodka.lat], units="naut") for p in two]
    assert len({str(path["geometry"]["coordinates"][0]) for path in theirs}) == 1
    ours = [sea_way(p.lat, p.lon, nakhodka.lat, nakhodka.lon).length_nmi for p in two]
    assert ours[0] - ours[1] > 15.0
