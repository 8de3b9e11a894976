"""OFAC's alt.csv beside sdn.csv: its names are names of the entries; what fits nothing is counted."""

import pytest

import luxwake as lw
from luxwake.cli import main

SDN = """36,"AEROTEST LINES",-0- ,"CUBA",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0-
97,"TESTOV, Ivan",individual,"DPRK",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0-
15036,"SEA LARK",vessel,"DPRK",-0- ,-0- ,General Cargo,-0- ,1999,Togo,-0- ,"Vessel IMO 9999993; a.k.a. 'LARK'."
"""
ALT = """36,12,"aka","AERO-TEST SA",-0-
97,13,"aka","TESTOFF, Vanya",-0-
15036,14,"fka","MORNING TERN",-0-
15036,15,"nka","SEA LARK 9",-0-
99999,16,"aka","NOBODY",-0-
36,17,"weird","AEROTEST",-0-
36
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LUXWAKE_DATA", str(tmp_path / "data"))
    (tmp_path / "sdn.csv").write_text(SDN, encoding="utf-8")
    return tmp_path


def test_aliases_are_names_and_found_as_such(folder):
    (folder / "alt.csv").write_text(ALT, encoding="utf-8")
    made = lw.import_watchlist(folder / "sdn.csv", "OFAC SDN", "2023-11-17")
    firm, person, ship = made.entries
    assert firm.others == ("AERO-TEST SA",) and firm.name == "AEROTEST LINES"
    assert person.others == ("Ivan TESTOV", "Vanya TESTOFF", "TESTOFF, Vanya")
    assert ship.others == ("LARK", "SEA LARK 9") and ship.former == ("MORNING TERN",)
    assert made.rejected == {"alt.csv: alias of a number that is not in the list": 1, "alt.csv: no alias": 2}
    assert made.source == "sdn.csv and alt.csv"
    listed = lw.Listed(lw.read_watchlists())
    for name, uid in (("Aero-Test S.A.", "36"), ("Vanya Testoff", "97"), ("MORNING TERN", "15036")):
        assert [hit.entry.uid for hit in listed.check(name).hits] == [uid], name


def test_without_the_file_nothing_changes_and_another_one_makes_another_digest(folder, capsys):
    plain = lw.import_watchlist(folder / "sdn.csv", "OFAC SDN", "2023-11-17")
    assert plain.source == "sdn.csv" and plain.entries[0].others == ()
    digests = {plain.sha256}
    for text in (ALT, ALT.replace("AERO-TEST", "AERO TEST")):
        (folder / "alt.csv").write_text(text, encoding="utf-8")
        digests.add(lw.import_watchlist(folder / "sdn.csv", "OFAC SDN", "2023-11-17").sha256)
    assert len(digests) == 3
    words = ["watchlists", "import", str(folder / "sdn.csv"), "--name", "OFAC SDN", "--date", "2023-11-18"]
    assert main(words) == 0 and "alt.csv: no alias" in capsys.readouterr().out
