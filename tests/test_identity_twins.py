"""Identity: intervals and changes equal their naive twins."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ais.hulls import HULL
from ais.identity import identities
from ais.table import STATIC_DTYPES, Static, columns_of
from detectors.identity_changes import Limits, changes
from detectors.said import said_of
from detectors.vessels import vessels
from tests.feeds import HOUR, MINUTE, SECOND, T0
from tests.identity_scenes import SHIP
from tests.naive_identity import field_changes, intervals


def _random_static(seed, n):
    rng = np.random.default_rng(seed)
    columns = columns_of(STATIC_DTYPES, n)
    columns["t"][:] = T0 + np.sort(rng.integers(0, 60, n)) * int(rng.choice([5 * SECOND, 20 * MINUTE, HOUR]))
    columns["mmsi"][:] = SHIP + rng.integers(0, 3, n)
    columns["msg_type"][:] = rng.choice([5, 24], n, p=[0.8, 0.2])
    columns["source"][:], columns["offset"] = rng.integers(0, 2, n), np.arange(n) * 90
    late = rng.random() < 0.5
    which = np.where(late & (np.arange(n) > n // 2), rng.integers(0, 4, n), rng.integers(0, 2, n))
    for name, values in (
        ("name", [b"GREY LARK", b"GREY LARK 2", b"", b"GREY LARKS"]),
        ("callsign", [b"5VAB2", b"", b"5VAB3", b"000"]),
        ("destination", [b"", b"KRPUS", b"JPOSA", b""]),
        ("imo", [9_999_993, 0, 9_074_729, 12]),
        ("ship_type", [70, 79, 80, 0]),
        ("to_bow", [60, 61, 80, 0]),
        ("to_port", [6, 6, 9, 0]),
        ("draught", [4.5, np.nan, 5.5, 0.0]),
    ):
        columns[name][:] = np.array(values, STATIC_DTYPES[name])[which if rng.random() < 0.7 else rng.integers(0, 4, n)]
    return Static(columns)


@settings(max_examples=40)
@given(seed=st.integers(0, 100_000), n=st.integers(0, 90))
def test_intervals_and_changes_equal_their_naive_twins(seed, n):
    static = _random_static(seed, n)
    found, naive = identities(static), intervals(static)
    assert len(found) == len(naive)
    for name in found:
        missing = np.nan if name == "draught" else b"" if found[name].dtype.kind == "S" else 0
        expected = np.array([row.get(name, missing) for row in naive], found[name].dtype)
        assert np.array_equal(found[name], expected, equal_nan=found[name].dtype.kind == "f"), name
    shuffled = identities(static.take(np.random.default_rng(seed).permutation(n)))
    assert all(np.array_equal(found[name], shuffled[name], equal_nan=name == "draught") for name in found)
    twice = identities(static.take(np.repeat(np.arange(n), 2)))
    assert all(np.array_equal(found[name], twice[name], equal_nan=name == "draught") for name in found)
    if (found["n"] == 0).any():
        return
    none = vessels(np.zeros(0, HULL), found)
    mine = changes(said_of(found, none), Limits(3, HOUR, 2.0))
    theirs = []
    for mmsi in np.unique(found["mmsi"]).tolist():
        rows = [row for row in naive if row["mmsi"] == mmsi]
        for k, field in enumerate(("name", "callsign", "dimensions", "ship_type", "imo")):
            theirs += [(k, mmsi, *change) for change in field_changes(field, rows)]
    names = ("t_start", "t_end", "n_old", "n_new", "returns")
    got = [(int(c["field"]), int(found["mmsi"][c["new"]]), *(int(c[x]) for x in names)) for c in mine]
    assert sorted(got) == sorted(theirs)
