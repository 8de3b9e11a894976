"""Identity: each check finds what was put in, and noise raises no alarm."""

import csv
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import luxwake as lw
from ais.flags import flag_of_callsign, flag_of_mmsi, flags
from ais.hulls import FULL, HULL, SPEED_EDGES_KN, speed_quantile_kn
from ais.identity import identities
from ais.table import STATIC_DTYPES, Fixes, Static, columns_of
from ais.tracks import Tracks
from detectors.engine import detect
from detectors.event import IDENTITY, LABELS
from detectors.identity import IdentityParams
from detectors.identity_changes import Limits, changes
from detectors.identity_registry import read_registry
from detectors.said import said_of
from detectors.vessels import vessels
from geo.errors import InputError, UsageError
from geo.place_words import countries_of, words
from tests.feeds import HOUR, MINUTE, SECOND, T0
from tests.naive_identity import field_changes, intervals

DAY = 24 * HOUR
SHIP, OTHER = 671_999_101, 671_999_102
LARK = {"name": b"GREY LARK", "callsign": b"5VAB2", "imo": 9_999_993, "ship_type": 70,
        "to_bow": 60, "to_stern": 24, "to_port": 6, "to_starboard": 7}  # fmt: skip


def static_of(rows) -> Static:
    """Static reports from dicts."""
    columns = columns_of(STATIC_DTYPES, len(rows))
    columns["msg_type"][:], columns["offset"] = 5, np.arange(len(rows)) * 100
    for k, row in enumerate(rows):
        for name, value in row.items():
            columns[name][k] = value
    return Static(columns)


def says(hours, mmsi=SHIP, every_min=30, **fields):
    """Reports of a ship over (from, to) hours."""
    begin, end = (round(h * 60) for h in hours)
    return [{**LARK, "t": T0 + m * MINUTE, "mmsi": mmsi, **fields} for m in range(begin, end, every_min)]


def sails(hours, mmsi=SHIP, lat=35.0, lon=130.0, lat_step=0.0, every_min=30):
    """Fixes (t, mmsi, lat, lon, sog) of a ship over (from, to) hours, `lat_step` degrees an hour northward."""
    begin, end = (round(h * 60) for h in hours)
    steps = range(begin, end, every_min)
    return [(T0 + m * MINUTE + mmsi % 7, mmsi, lat + lat_step * (m - begin) / 60, lon, 6.0) for m in steps]


def look(told=(), heard=(), **params):
    """Events of identity, as (label, mmsi, other, row) with the row as a dict."""
    rows = sorted(heard)
    columns = {name: np.array([r[k] for r in rows]) for k, name in enumerate(("t", "mmsi", "lat", "lon", "sog"))}
    fixes = Fixes(columns | {"offset": np.arange(len(rows)) * 50}, static=static_of(list(told)))
    events = detect(fixes, ["identity"], {"identity": IdentityParams(**params)})
    found = []
    for k in range(len(events)):
        row = {name: events[name][k].item() for name in events}
        assert row["kind"] == IDENTITY and 0.0 < row["score"] <= 1.0
        found.append((LABELS[row["label"]], row["mmsi"], row["other"], row))
    assert len({row["id"] for *_, row in found}) == len(found)
    return found


def labels(found):
    return Counter(label for label, *_ in found)


def test_a_ship_that_says_the_same_throughout_raises_no_alarm():
    assert look(says((0, 96)), sails((0, 96))) == []


def test_a_wrong_check_digit_is_found_and_no_number_or_another_registers_number_is_not():
    (found,) = look(says((0, 5), imo=9_999_994))
    assert found[0] == "imo_check_digit" and found[3]["imo"] == 9_999_994 and found[3]["n"] == 10
    assert (found[3]["t_start"], found[3]["t_end"]) == (T0, T0 + 270 * MINUTE)
    for number in (0, 5, 999_999, 12_345_678):
        assert look(says((0, 5), imo=number)) == []
    assert look(says((0, 1), imo=9_999_994, every_min=40)) == []  # two reports are none


@pytest.mark.parametrize(
    ("label", "change", "before", "after"),
    [
        ("name", {"name": b"OCEAN TERN"}, None, None),
        ("callsign", {"callsign": b"5VXY9"}, None, None),
        ("dimensions", {"to_bow": 90}, 84.0, 114.0),
        ("ship_type", {"ship_type": 80}, 70.0, 80.0),
        ("imo_change", {"imo": 9_074_729}, 9_999_993.0, 9_074_729.0),
    ],
)
def test_a_lasting_change_is_one_event_from_the_last_old_to_the_first_new_report(label, change, before, after):
    found = look([*says((0, 10)), *says((14, 24), **change)])
    assert labels(found) == {label: 1}
    row = found[0][3]
    assert (row["t_start"], row["t_end"]) == (T0 + 570 * MINUTE, T0 + 14 * HOUR)
    assert (row["reports_before"], row["reports_after"], row["returns"]) == (20, 20, 0)
    assert (row["first_offset"], row["last_offset"]) == (1900, 2000)
    if before is not None:
        assert (row["value_before"], row["value_after"]) == (before, after)


NOISE = [
    {"name": b"GREY LA"},  # cut short
    {"name": b"GREY  LARK "},
    {"name": b""},
    {"name": b"@@@@"},
    {"callsign": b"5VAB 2"},
    {"callsign": b"0000000"},
    {"to_bow": 61, "to_port": 7},  # antenna moved, or typed anew
    {"to_bow": 0, "to_stern": 0},
    {"to_bow": 24, "to_stern": 60},
    {"ship_type": 79},  # cargo of another hazard
    {"ship_type": 0},
    {"imo": 0},
]


@pytest.mark.parametrize("noise", NOISE, ids=str)
def test_what_is_no_change_raises_no_alarm_however_long_it_lasts(noise):
    assert look([*says((0, 10)), *says((10, 40), **noise), *says((40, 60))]) == []


def test_single_wrong_reports_raise_no_alarm_and_halves_of_type_24_neither():
    wrong = [
        {**LARK, "t": T0 + (5 * k + 1) * HOUR + SECOND, "mmsi": SHIP, "name": f"X{k}YZ".encode()} for k in range(9)
    ]
    assert look([*says((0, 50)), *wrong]) == []
    a = {**dict.fromkeys(LARK, 0), "callsign": b"", "name": b"GREY LARK", "msg_type": 24}
    b = {**LARK, "name": b"", "imo": 0, "msg_type": 24}
    assert look([*says((0, 50), **a), *says((0.1, 50), **b)]) == []


def test_copies_of_one_report_are_one_report():
    copies = [{**LARK, "t": T0 + 5 * HOUR + k * SECOND, "mmsi": SHIP, "name": b"OCEAN TERN"} for k in range(9)]
    assert look([*says((0, 10)), *copies]) == []


def test_two_names_in_turn_are_one_event_with_the_number_of_returns():
    told = [row for k in range(40) for row in says((k, k + 0.4), name=(b"GREY LARK", b"OCEAN TERN")[k % 2])]
    found = look(told)
    assert labels(found) == {"name": 1}
    assert found[0][3]["returns"] == 20 and found[0][3]["t_end"] == T0 + HOUR
    back = look([*says((0, 30)), *says((30, 60), name=b"OCEAN TERN"), *says((60, 90))])
    assert labels(back) == {"name": 2}  # each lasts: away, and back


def test_names_that_differ_in_a_numeral_are_two():
    assert labels(look([*says((0, 10), name=b"BILLIONS"), *says((14, 24), name=b"BILLIONS 18")])) == {"name": 1}


def test_a_table_that_tells_only_of_changes_is_read_by_how_long_they_hold():
    """A source without any repetition: one row for each value."""
    told = [{**LARK, "t": T0 + h * HOUR, "mmsi": SHIP, "name": name, "source": 3}
            for h, name in ((0, b"GREY LARK"), (30, b"WRONG"), (30.1, b"GREY LARK"), (60, b"OCEAN TERN"))]  # fmt: skip
    told = [{**row, "t": int(row["t"])} for row in told]
    found = look(told, sails((0, 90)))
    assert labels(found) == {"name": 1}
    assert (found[0][3]["t_start"], found[0][3]["t_end"]) == (T0 + 60 * HOUR, T0 + 60 * HOUR)


def test_an_mmsi_of_no_country_and_one_beside_the_call_sign_are_found():
    found = look(heard=sails((0, 12), mmsi=299_999_101))
    assert [(label, mmsi, row["value_before"]) for label, mmsi, _, row in found] == [("flag", 299_999_101, 299.0)]
    found = look(says((0, 5), callsign=b"HP3456"))
    assert labels(found) == {"flag": 1} and found[0][3]["value_before"] == 671
    assert look(says((0, 5), callsign=b"X00012")) == []  # a series that is given to nobody says nothing


def _others(n=30):
    """Other ships about: some that sail through, some that appear far away."""
    heard, told = [], []
    for k in range(n):
        mmsi = 538_000_100 + k
        heard += sails((0, 240), mmsi=mmsi, lat=10.0 + k, lon=140.0)
        told += says(
            (0, 240), mmsi=mmsi, every_min=600, imo=0, callsign=b"", name=f"SHIP {k}".encode(), to_bow=40 + 4 * k
        )
    return heard, told


def test_a_hull_that_changes_its_mmsi_is_found():
    heard, told = _others()
    heard += sails((0, 100), lat_step=0.01) + sails((103, 240), mmsi=OTHER, lat=36.02)
    told += says((0, 100), imo=0) + says((103, 240), mmsi=OTHER, imo=0, name=b"OCEAN TERN", callsign=b"5VCD3")
    found = [one for one in look(told, heard) if one[0] == "mmsi_change"]
    ((_, mmsi, other, row),) = found
    assert (mmsi, other) == (SHIP, OTHER) and row["score"] > 0.9
    assert row["chance"] < 0.1 < 10 < row["likelihood_ratio"]
    assert row["t_start"] == T0 + 99.5 * HOUR + SHIP % 7 and row["t_end"] == T0 + 103 * HOUR + OTHER % 7
    assert 2_000 < row["distance_m"] < 4_000 and row["first_offset"] >= 0 and row["last_offset"] > row["first_offset"]


@pytest.mark.parametrize(
    ("why", "new", "then"),
    [
        ("another size", {"to_bow": 90}, sails((103, 240), mmsi=OTHER, lat=36.02)),
        ("too far for the time", {}, sails((103, 240), mmsi=OTHER, lat=40.0)),
        ("the old number goes on", {}, sails((90, 240), mmsi=OTHER, lat=36.0)),
        ("heard before", {}, [*sails((0, 20), mmsi=OTHER, lat=-30.0), *sails((103, 240), mmsi=OTHER, lat=36.02)]),
    ],
)
def test_what_is_no_hand_over_is_not_one(why, new, then):
    heard, told = _others()
    heard += sails((0, 100), lat_step=0.01) + then
    told += says((0, 100), imo=0) + says((103, 240), mmsi=OTHER, imo=0, callsign=b"5VCD3", **new)
    assert labels(look(told, heard))["mmsi_change"] == 0, why


def test_where_new_numbers_appear_all_the_time_one_more_says_little():
    heard, told = _others()
    heard += sails((0, 100)) + sails((103, 240), mmsi=OTHER)
    for k in range(60):  # a busy port: a number that was not heard before every few hours
        heard += sails((30 + 3 * k, 60 + 3 * k), mmsi=477_000_100 + k, lat=35.01)
    assert [(m, o) for label, m, o, _ in look(told, heard) if label == "mmsi_change" and m == SHIP] == []


def test_one_imo_number_is_a_new_flag_where_it_moves_on_and_a_shared_identity_where_it_is_in_two_places():
    heard, told = _others()
    moved = heard + sails((0, 100)) + sails((110, 240), mmsi=538_999_102, lat=35.4)
    said = [*told, *says((0, 100)), *says((110, 240), mmsi=538_999_102, callsign=b"V7AB2")]
    assert labels(look(said, moved)) == {"mmsi_change": 1}
    twice = heard + sails((0, 240)) + sails((0, 240), mmsi=OTHER, lat=-20.0)
    ((label, mmsi, other, row),) = look([*told, *says((0, 240)), *says((0, 240), mmsi=OTHER)], twice)
    assert (label, {mmsi, other}) == ("shared_identity", {SHIP, OTHER})
    assert row["distance_m"] > 5_000_000 and row["imo"] == 9_999_993 and row["other_first_offset"] >= 0
    near = heard + sails((0, 240)) + sails((0, 240), mmsi=OTHER, lat=35.01)
    ((_, _, _, beside),) = look([*told, *says((0, 240)), *says((0, 240), mmsi=OTHER)], near)
    assert beside["score"] == pytest.approx(row["score"] / 2)
    assert look([*told, *says((0, 240), imo=1_234_567), *says((0, 240), mmsi=OTHER, imo=1_234_567)], twice) == []


def test_two_hulls_behind_one_mmsi_are_found_and_falsified_positions_in_a_silence_are_not():
    ((label, mmsi, other, row),) = look(heard=sails((0, 48)) + sails((5, 30), lat=-20.0, every_min=20))
    assert (label, mmsi, other, row["other_hull"]) == ("shared_identity", SHIP, SHIP, 1)
    assert look(heard=[*sails((0, 20)), *sails((20.2, 34), lat=-20.0, every_min=20), *sails((34.5, 60))]) == []


REGISTER = """LR/IMO No,Ship's Name,AKA_FKA,Vessel Type,Flag,Status,Scrapped,LOA (m),Breadth
9999993,GREY LARK,OLD LARK,General Cargo,Togo,{status},{gone},{loa},13
9999994,NOBODY,,,,,,,
,NO NUMBER,,,,,,,
9074729,OCEAN TERN,,Tanker,Panama,In service,,180,30
"""


@pytest.mark.parametrize(
    ("row", "told", "expected"),
    [
        ({"status": "In service", "gone": "", "loa": 85}, {}, {}),
        ({"status": "Broken up", "gone": "", "loa": 85}, {}, {"zombie_imo": 1}),
        ({"status": "", "gone": "2015-06-01", "loa": 85}, {}, {"zombie_imo": 1}),
        ({"status": "Total loss", "gone": "2018", "loa": 85}, {}, {}),  # not yet
        ({"status": "In service", "gone": "", "loa": 143}, {}, {"cloned_imo": 1}),
        ({"status": "", "gone": "", "loa": 84}, {"name": b"NEW LARK"}, {}),  # renamed
        ({"status": "", "gone": "", "loa": ""}, {"name": b"WHITE HERON", "ship_type": 80}, {"cloned_imo": 1}),
        ({"status": "", "gone": "", "loa": 84}, {"mmsi": 538_999_101, "callsign": b"V7AB2"}, {"flag": 1}),
    ],
)
def test_a_register_tells_zombies_clones_and_flags(tmp_path, row, told, expected):
    path = tmp_path / "ships.csv"
    path.write_text(REGISTER.format(**row), encoding="utf-8")
    assert labels(look(says((0, 20), **told), registry=str(path))) == expected
    registry = read_registry(path)
    assert registry.counts == {"no IMO number": 1, "IMO number with a wrong check digit": 1}


def test_another_register_gives_other_ids_and_the_same_elsewhere_the_same(tmp_path):
    told = says((0, 20), imo=9_074_730)
    ids = []
    for name, text in (("a.csv", "imo\n9999993\n"), ("b.csv", "imo\n9999993\n"), ("c.csv", "imo\n9074729\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
        ids.append(look(told, registry=str(tmp_path / name))[0][3]["id"])
    assert ids[0] == ids[1] != ids[2]


def test_a_register_that_cannot_be_used_is_refused_in_one_line(tmp_path):
    path = tmp_path / "ships.csv"
    for data, words_ in (
        (b"", "no column"),
        (b"a,b\n1,2\n", "no column"),
        (b"imo\n1\n", "no row"),
        (b"\xff\xfe", "UTF-8"),
    ):
        path.write_bytes(data)
        with pytest.raises(InputError, match=words_) as error:
            lw.detect(Fixes({}), ["identity"], {"identity": IdentityParams(registry=str(path))})
        assert "\n" not in str(error.value) and "ships.csv" in str(error.value)
    with pytest.raises(InputError, match="cannot be read"):
        read_registry(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="min_reports"):
        IdentityParams(min_reports=0)


def test_a_real_list_of_vessels_is_read(shared_data):
    path = shared_data / "trade" / "entities" / "ofac_sdn_vessels_2023-11.csv"
    if not path.is_file():
        pytest.skip("needs the shared data")
    registry = read_registry(path)
    with path.open(encoding="utf-8", newline="") as lines:
        numbers = {int(row["imo"]) for row in csv.DictReader(lines) if row["imo"]}
    assert len(registry.entries) + registry.counts.get("IMO number with a wrong check digit", 0) >= len(numbers) > 600
    flagged = [entry for entry in registry.entries.values() if entry.flags]
    assert len(flagged) > 500 and sum(len(entry.names) > 1 for entry in flagged) > 5


def test_mids_agree_with_another_table(shared_data):
    path = shared_data / "trade" / "ports" / "mid_libais.csv"
    if not path.is_file():
        pytest.skip("needs the shared data")
    compared = 0
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            code = int(flag_of_mmsi([int(row["prefix"]) * 1_000_000])[0])
            assert code >= 0, row
            owner = row["country"].split(" - ")[-1].split("(")[0]
            named = countries_of(words(owner))
            if named and row["prefix"] not in ("518", "477", "453"):  # registers of their own
                assert flags()[code] in named, row
                compared += 1
    assert compared > 250


def test_call_signs_agree_with_the_mmsi_in_real_feeds(shared_data):
    """Two claims of one flag: of ships in the world, they agree in nearly all."""
    from tests.feeds import decode_all, read_bytes

    path = shared_data / "ais" / "nmea" / "gpsd-ais-nmea-sample.log.gz"
    if not path.is_file():
        pytest.skip("needs the shared data")
    _, static, _ = decode_all(read_bytes(path))
    static = Static(static)
    big = static.take((static["msg_type"] == 5) & (static["to_bow"] + static["to_stern"] >= 24))
    sign, mmsi = flag_of_callsign(big["callsign"]), flag_of_mmsi(big["mmsi"])
    known = (sign >= 0) & (mmsi >= 0)
    assert known.sum() > 1000 and (sign == mmsi)[known].mean() > 0.97


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


def test_speeds_of_a_hull_are_counted_for_years_in_a_small_record():
    """2 M fixes at 10 and 12 kn: the bins overflow, the percentile does not move."""
    n = 2_000_000
    lat = np.linspace(0.0, 1.0, n)
    columns = {"t": np.arange(n) * 360_000_000, "mmsi": np.full(n, 211000001), "lat": lat, "lon": np.zeros(n)}
    columns["sog"] = np.where(np.arange(n) % 10 == 0, 12.5, 10.5)
    tracks = Tracks()
    tracks.follow(Fixes(columns).columns)
    hull = tracks.hulls.rows[:1]
    assert HULL.itemsize <= 128 and hull["speeds"].max() <= FULL
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
