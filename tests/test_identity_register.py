"""Identity: what a register of ships tells, and which flags MMSI and call sign have."""

import csv

import pytest

import luxwake as lw
from ais.flags import flag_of_callsign, flag_of_mmsi, flags
from ais.table import Fixes, Static
from detectors.identity import IdentityParams
from detectors.identity_registry import read_registry
from geo.errors import InputError, UsageError
from geo.place_words import countries_of, words
from tests.identity_scenes import labels, look, says

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
