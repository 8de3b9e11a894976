"""Ports by name: one only where a text leaves no doubt, and never the wrong one."""

from __future__ import annotations

import csv
import gzip
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import UsageError
from geo.place_words import words
from geo.ports import port_by_code, ports, ports_matching
from geo.sphere import distance_m
from tests.test_ports import WPI


@pytest.mark.parametrize(
    ("text", "code", "how"),
    [
        ("Pusan", "KRPUS", "alias"),
        ("BUSAN, KOREA", "KRPUS", "name"),
        ("Busan KR", "KRPUS", "name"),
        ("KR BUSAN", "KRPUS", "name"),
        ("PORT OF PUSAN", "KRPUS", "alias"),
        ("BUSAN HARBOUR", "KRPUS", "name"),
        ("BUSAN ANCH 3", "KRPUS", "name"),
        ("BUSAN/OPL", "KRPUS", "name"),
        ("KR PUS", "KRPUS", "code"),
        ("kr-pus", "KRPUS", "code"),
        ("KRPUS BERTH 03", "KRPUS", "code"),
        ("KRPUS>CNDLC", "CNDLC", "code"),
        ("KRPUS >> CNDAL", "CNDLC", "code"),
        ("PUSAN TO DALIAN", "CNDLC", "name"),
        ("Busan New Port", "KRBNP", "name"),
        ("PUSAN NEW PORT, REP. OF KOREA", "KRBNP", "alias"),
        ("INCHEON NEW PORT", "KRINC", "name"),
        ("Inchon", "KRINC", "alias"),
        ("Nakhodka (declared)", "RUNJK", "name"),
        ("Находка", "RUNJK", "name"),
        ("ВЛАДИВОСТОК, РОССИЯ", "RUVVO", "name"),
        ("Ch'ongjin", "KPCHO", "name"),
        ("Chong Jin", "KPCHO", "name"),
        ("Seishin", "KPCHO", "alias"),
        ("清津", "KPCHO", "alias"),
        ("청진항", "KPCHO", "alias"),
        ("Najin", "KPNJN", "alias"),
        ("Unggi", "KP0SB", "alias"),
        ("Chinnampo", "KPNAM", "alias"),
        ("NAMPO, DPR OF KOREA", "KPNAM", "name"),
        ("Haeju Hang", "KPHAE", "name"),
        ("Kim Chaek", "KPSON", "name"),
        ("Pos’yet", "RUPSE", "name"),
        ("Dairen", "CNDLC", "alias"),
        ("Dalian, Liaoning, China", "CNDLC", "name"),
        ("大連港", "CNDLC", "alias"),
        ("KEELUNG, CHINA", "TWKEL", "name"),
        ("Osaka Ko", "JPOSA", "name"),
        ("port of Rotterdam", "NLRTM", "name"),
        ("Copenhagen", "DKCPH", "name"),
        ("KØBENHAVN", "DKCPH", "alias"),
        ("Newcastle, NSW, Australia", "AUNTL", "name"),
        ("VANCOUVER WA", "USVAN", "name"),
        ("Vancouver, Canada", "CAVAN", "name"),
        ("Port Said", "EGPSD", "name"),
        ("Vladivostock", "RUVVO", "alike"),
    ],
)
def test_a_text_that_leaves_no_doubt_is_that_port(text, code, how):
    match = ports_matching(text)
    assert match.port is not None and match.several == ()
    assert (match.port.locode, match.how) == (code, how)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Newcastle", {"AUNTL", "CANCT"}),
        ("NEWCASTLE UK", {"AUNTL", "CANCT"}),
        ("St. Petersburg", {"RULED", "USSPG"}),
        ("Vancouver", {"CAVAN", "USVAN"}),
        ("Naples", {"ITNAP", "USAPF"}),
        ("Port Arthur", {"CNLSH", "USPOA"}),
        ("Ningbo-Zhoushan", {"CNNGB", "CNZOS"}),
        ("Busan, Japan", {"KRPUS"}),
        ("Kingston, Ontario", {"JMKIN", "CAKIN"}),
        ("BUSAN/ULSAN", {"KRPUS", "KRUSN"}),
        ("RUNJK/KRPUS", {"RUNJK", "KRPUS"}),
        ("Nakodka", {"RUNJK"}),
        ("Yokahama", {"JPYOK"}),
        ("Chongjing", {"KPCHO", "CNCKG"}),
        ("Nanjin", {"CNNKG", "KPNJN"}),
        ("Zhanjiang", {"CNZHE"}),
        ("Onsan 1", {"KRONS"}),
        ("Ulsan II", {"KRUSN"}),
        ("Puerto Isabel", {"PHISL"}),
        ("Dalian Liaoning", {"CNDLC"}),
        ("Midia", {"ROMID"}),
    ],
)
def test_a_text_that_leaves_a_doubt_offers_them(text, codes):
    match = ports_matching(text, limit=50)
    assert match.port is None and match.how
    assert codes <= {one.port.locode for one in match.several}
    assert [one.score for one in match.several] == sorted((one.score for one in match.several), reverse=True)


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("Nanjing", "KPNJN"),
        ("Najin", "CNNKG"),
        ("Kimje", "KPSON"),
        ("Pohnpei", "KRKPO"),
        ("Jeju", "KPHAE"),
        ("Haeju", "KRCHA"),
        ("Donghae", "CNDDG"),
        ("Danang", "CNDDG"),
        ("Dandong", "KRTGH"),
        ("Dongying", "CNDDG"),
        ("Kushima", "JPKSM"),
        ("Changjin", "KPCHO"),
        ("Chongming", "KPCHO"),
        ("Slavyansk", "RUSKA"),
        ("Tongchon", "KP0TC"),
        ("Songjiang", "KPSON"),
    ],
)
def test_a_name_that_is_only_like_another_is_not_taken_for_it(text, never):
    match = ports_matching(text)
    assert match.port is None or match.port.locode != never


NO_PORT = [
    "",
    "  ",
    "qqqqqqq",
    "12",
    "PUS",
    "FOR ORDERS",
    "ORDERS",
    "TBA",
    "UNKNOWN",
    "N/A",
    "FISHING GROUND",
    "AT SEA",
]
NO_PORT += ["HIGH SEAS", "CHINA", "KOREA", "PORT", "Terminal 2", ">", "///", "x" * 5_000, "\x00", "🚢"]


@pytest.mark.parametrize("text", NO_PORT)
def test_what_names_no_port_is_none(text):
    assert ports_matching(text)[:2] == (None, ())


def test_a_limit_holds_and_one_under_1_is_refused():
    assert len(ports_matching("Newcastle", limit=1).several) == 1
    with pytest.raises(UsageError, match="limit must be 1 or more, not 0"):
        ports_matching("Busan", limit=0)


@given(st.text(max_size=40))
def test_any_text_has_an_answer_that_holds_together(text):
    match = ports_matching(text)
    assert match.port is None or match.several == ()
    assert bool(match.how) == bool(match.port or match.several)


def test_each_code_is_its_port_unless_it_is_also_a_name():
    doubtful = [port.locode for port in ports() if ports_matching(port.locode).port != port]
    assert all(ports_matching(code).port is None and ports_matching(code).several for code in doubtful)
    assert len(doubtful) <= 5


def test_each_name_is_its_port_or_one_of_several():
    for port in ports():
        match = ports_matching(port.name, limit=50)
        found = [match.port] if match.port else [one.port for one in match.several]
        assert any(distance_m(port.lat, port.lon, one.lat, one.lon) <= 10_000 for one in found), port


def test_names_of_the_world_port_index_find_the_right_port(shared_data):
    """Of the names whose code we have: four in five find it alone, and one in 200 at most finds a wrong one."""
    found: Counter[str] = Counter()
    with gzip.open(shared_data / WPI, "rt", encoding="utf-8-sig") as lines:
        for row in csv.DictReader(lines):
            port = port_by_code(row["UN/LOCODE"])
            lat, lon = float(row["Latitude"]), float(row["Longitude"])
            if port is None or distance_m(port.lat, port.lon, lat, lon) > 50_000:
                continue
            match = ports_matching(row["Main Port Name"], limit=50)
            if match.port is not None:
                right = match.port == port or distance_m(match.port.lat, match.port.lon, lat, lon) < 30_000
                found["right" if right else "wrong"] += 1
            else:
                found["several, the right one among them"] += any(one.port == port for one in match.several)
            found["all"] += 1
    assert found["all"] > 2_000
    assert found["right"] > 0.79 * found["all"]
    assert found["right"] + found["several, the right one among them"] > 0.92 * found["all"]
    assert found["wrong"] < 0.005 * found["all"]


def naive_slips(a: str, b: str) -> int:
    """Optimal string alignment, as the textbook has it."""
    rows = [[i + j if i * j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            same = a[i - 1] == b[j - 1]
            rows[i][j] = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (not same))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@pytest.mark.parametrize("text", ["Chonjgin", "Rottredam", "Vladivastok", "Singapoor", "Yokohmaa", "Kaohsuing"])
def test_alike_are_the_names_few_slips_away(text):
    name = text.lower()
    most = 2 if len(name) < 10 else 3
    expected = {}
    for port in ports():
        names = {"".join(words(alias)) for alias in (port.name, *port.aliases) if not alias.isupper()}
        near = [(naive_slips(name, one), len(one)) for one in names if abs(len(one) - len(name)) <= most]
        scores = [1 - slips / max(len(name), length) for slips, length in near if slips <= most]
        if scores:
            expected[port.locode] = round(max(scores), 3)
    match = ports_matching(text, limit=50)
    assert match.how == "alike"
    if match.port is not None:
        assert set(expected) == {match.port.locode}
    else:
        assert {one.port.locode: one.score for one in match.several} == expected
