"""`luxwake run --previous` through the real command: late positions and new dates of a list open, revise and retract
findings, each with its cause, and the dossier shows the version and the list entries behind it."""

import json

import pytest
import versions_case as sea
from report_page import Page

from luxwake.cli import main

LIST = "Test list"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Five runs, each against the one before: no list, a list, a later date of it, late positions, without them."""
    folder = tmp_path_factory.mktemp("versions")
    day, late = (sea.make_sea(folder / name, silent=name == "day") for name in ("day", "late"))
    (folder / "rows.csv").write_text(sea.ROWS, encoding="utf-8")
    kept = pytest.MonkeyPatch()
    kept.setenv("LUXWAKE_DATA", str(folder / "data"))
    made, before = {}, None
    for name, inputs, listed in (
        ("first", [day], None),
        ("listed", [day], ("2019-01-01", f"v1,SEA LARK 5,{sea.LARK_IMO},2018-03-30,")),
        ("delisted", [day], ("2019-02-01", f"v1,SEA LARK 5,{sea.LARK_IMO},2018-03-30,2018-06-01")),
        ("late", [day, late], None),
        ("again", [day], None),
    ):
        if listed is not None:
            (folder / "list.csv").write_text(f"uid,name,imo,on,off\n{listed[1]}\n", encoding="utf-8")
            mapped = "uid=uid,name=name,imo=imo,listed_on=on,delisted_on=off"
            words = ["watchlists", "import", str(folder / "list.csv"), "--name", LIST, "--date", listed[0]]
            assert main([*words, "--map", mapped, "--quiet"]) == 0
        out = folder / name
        words = ["run", *map(str, inputs), "--shipments", str(folder / "rows.csv"), "--out", str(out), "--quiet"]
        assert main([*words, *(["--previous", str(before / "findings.json")] if before else [])]) == 0
        made[name], before = out, out
    kept.undo()
    return made


def found_in(folder):
    return json.loads((folder / "findings.json").read_text(encoding="utf-8"))


def dossier_of(folder, *words: str) -> str:
    assert main(["case", "build", str(folder), *words, "--quiet"]) == 0
    return Page((folder / "case.html").read_text(encoding="utf-8")).shown


def test_the_first_run_opens_the_silence_with_goods_on_board(runs):
    (finding,) = found_in(runs["first"])["findings"]
    assert finding["revision"] == {"number": 1, "status": "opened", "changes": [], "why": []}
    assert [one["kind"] for one in finding["events"] if one["kind"] == "dark"] == ["dark"]
    assert finding["listed"] == [] and "Version 1, opened" in dossier_of(runs["first"])


def test_a_list_revises_and_the_dossier_names_its_entry_date_and_standing(runs):
    (finding,) = found_in(runs["listed"])["findings"]
    assert finding["revision"]["status"] == "revised" and finding["revision"]["number"] == 2
    assert "near a listed party: unknown, now 1" in finding["revision"]["changes"]
    assert f"watch-list {LIST} of 2019-01-01 is new" in finding["revision"]["why"]
    (entry,) = finding["listed"]
    assert (entry["list"], entry["uid"], entry["on"], entry["hops"]) == (LIST, "v1", "2018-10-01", 0.5)
    assert entry["then"]["answer"] == entry["now"]["answer"] == "yes" and "2018-03-30" in entry["then"]["why"]
    assert [(one["date"], one["line"], len(one["sha256"])) for one in entry["versions"]] == [("2019-01-01", 2, 64)]
    shown = dossier_of(runs["listed"])
    for words in (
        "Since the last run", "Version 2, revised", "near a listed party: unknown, now 1".capitalize(),
        f"Watch-list {LIST} of 2019-01-01 is new.", "Entries of watch-lists", "List entry: SEA LARK 5",
        "yes: listed on 2018-03-30, and on the list of 2019-01-01", "yes: on the list of 2019-01-01, the newest",
        "2019-01-01: line 2 (list.csv, SHA-256 ", "0.5 hops: ",
    ):  # fmt: skip
        assert words in shown, words


def test_a_later_date_of_the_list_revises_again_and_tells_then_from_now(runs):
    (finding,) = found_in(runs["delisted"])["findings"]
    assert finding["revision"]["number"] == 3 and len(finding["history"]) == 3
    assert "near a listed party: 1, now 0" in finding["revision"]["changes"]
    assert f"watch-list {LIST} of 2019-02-01 is new" in finding["revision"]["why"]
    (entry,) = finding["listed"]
    assert entry["then"] == {"answer": "no", "why": "taken off on 2018-06-01"} and entry["now"]["answer"] == "no"
    assert [one["date"] for one in entry["versions"]] == ["2019-01-01", "2019-02-01"]
    shown = dossier_of(runs["delisted"])
    assert "no: taken off on 2018-06-01 (on 2018-10-01)" in shown
    assert "no: taken off on 2018-06-01, by the list of 2019-02-01" in shown


def test_late_positions_retract_and_what_is_retracted_stays_in_the_dossier(runs):
    later = found_in(runs["late"])
    (gone,) = later["retracted"]
    assert later["findings"] == [] and gone["id"] == found_in(runs["first"])["findings"][0]["id"]
    why = " | ".join(gone["revision"]["why"])
    assert f"the event that carried it is gone: dark of MMSI {sea.LARK}" in why
    assert "late positions: positions late.nmea.zst is new" in why
    shown = dossier_of(runs["late"])
    assert "Retracted" in shown and gone["id"] in shown and "the event that carried it is gone" in shown.lower()
    assert "late positions: positions late.nmea.zst is new" in shown


def test_without_the_late_file_the_finding_is_reopened_with_its_whole_history(runs):
    again = found_in(runs["again"])
    (finding,) = again["findings"]
    assert again["retracted"] == [] and finding["revision"]["status"] == "reopened"
    status = [one["status"] for one in finding["history"]]
    assert status == ["opened", "revised", "revised", "retracted", "reopened"]
    shown = dossier_of(runs["again"], finding["id"][:6])
    assert "Version 5, reopened" in shown and all(word in shown for word in status)
