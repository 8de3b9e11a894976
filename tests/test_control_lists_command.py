"""Control lists of the user's own, and the command `luxwake lists`."""

import csv
import json
import re

import pytest

import luxwake as lw
from cargo.control_coverage import codes_in, coverage
from cargo.control_import import cells_of, import_lists, remove_imported
from cargo.control_rule import COLUMNS
from luxwake.cli import main
from tests.control_case import LISTS, OCTOBER_2018


@pytest.fixture
def own_data(tmp_path, monkeypatch):
    monkeypatch.setenv("LUXWAKE_DATA", str(tmp_path / "data"))
    return tmp_path


GOOD = "regime,item,target,hs,hs_version,basis,verified_by,verified_on,threshold_amount,threshold_currency\n"


def test_own_lists_are_kept_with_who_verified_them(own_data):
    path = own_data / "mine.csv"
    rows = "UN,2397 OP7,KP,86-89,2017,read in the Gazette,A. Reader,2026-01-02,,\nMy list,1,KP,8703,2017,,,,1000,USD\n"
    bad = "X,1,PRK,,,,,,,\nX,2,KP,8799,2017,,,,,\nX,3,KP,8703,,,,,,\n,4,KP,,,,,,,\nX,5,KP,87,2017,,,someday,,\n"
    path.write_text(GOOD + rows + bad + "X,6,KP,,,,,,ten,USD\n")
    done = import_lists(path)
    assert (done.rows, len(done.rules), len(done.rejected)) == (8, 2, 6)
    assert [one.row for one in done.rejected] == [3, 4, 5, 6, 7, 8] and done.rejected[0].line == 4
    known = lw.ControlLists.known()
    assert {rule.basis for rule in known.rules if rule.regime == "UN"} == {"read in the Gazette"}
    verdict = known.check(hs_code="870324", date=OCTOBER_2018, destination="KP", regimes=["UN"])[0]
    assert verdict.basis == "read in the Gazette; verified by A. Reader on 2026-01-02"
    assert len(remove_imported()) == 1 and lw.ControlLists.known() is LISTS


def test_a_toml_list_and_a_signature_under_a_row_by_knowledge(own_data):
    path = own_data / "mine.toml"
    path.write_text(
        '[[rule]]\nregime = "Mine"\nitem = "1"\ntarget = "KP"\nhs = ["8703", "8711"]\nhs_version = 2017\n'
        'valid_from = "2010"\nbasis = "knowledge-high"\nverified_by = "B. Reader"\n'
    )
    assert len(import_lists(path).rules) == 1
    known = lw.ControlLists.known()
    assert (
        known.check(hs_code="871120", date=OCTOBER_2018, destination="KP", regimes=["Mine"])[0].status == "controlled"
    )


def test_shipped_rules_go_through_a_file_unchanged(own_data):
    path = own_data / "all.csv"
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        writer.writerows(cells_of(rule) for rule in LISTS.rules)
    done = import_lists(path)
    assert done.rules == list(dict.fromkeys(LISTS.rules))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"a,b\n1,2\n", b"\xff\xfe\x00", b"PK\x03\x04", b"\x1f\x8b\x00", b"regime,item,target\n",
        b'regime,item,target\n"x',
        b"regime,item,target\n" + b"x" * 200_000 + b",1,KP\n",
    ],
)  # fmt: skip
def test_what_is_no_list_ends_in_one_line(own_data, data, capsys):
    path = own_data / "bad.csv"
    path.write_bytes(data)
    assert main(["lists", "import", str(path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert lw.ControlLists.known() is LISTS


def test_hostile_text_in_a_list_cannot_steer_the_terminal(own_data, capsys):
    path = own_data / "evil.csv"
    path.write_text('regime,item,target,text\n"\x1b[2JEvil\u202e",=1+1,KP,"<script>"\n', encoding="utf-8")
    assert main(["lists", "import", str(path)]) == 0
    assert main(["lists", "show", "Evil"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_coverage_and_agreement():
    made = coverage(LISTS.of(target="KP"), 2017)
    rows = {row.regime: row for row in made.regimes}
    assert rows["EU (2007)"].mapped == rows["EU (2007)"].items == 22 and rows["UK"].without == 1
    assert rows["US"].unverified == 25 and rows["Switzerland"].whole_codes == rows["Switzerland"].part_codes == 0
    n = len(made.names)
    for i in range(n):
        assert made.agreement[i][i] == 1.0
        assert all(made.agreement[i][j] == made.agreement[j][i] <= 1.0 for j in range(n))
    a, b = (codes_in(LISTS.of([name]).rules, 2017) for name in made.names[:2])
    assert made.agreement[0][1] == pytest.approx(len(a & b) / len(a | b))
    assert made.agreement_without_ex[made.names.index("Japan")][made.names.index("UN")] is None


RELEASE = [
    ["lists", "show"], *(["lists", "show", regime] for regime in LISTS.regimes()),
    ["lists", "check", "--hs", "910111", "--date", "2018-10-01", "--to", "KP", "--all"],
    ["lists", "check", "--hs", "847130", "--date", "2018-10-01", "--to", "KP", "--all"],
    ["lists", "check", "--hs", "270111", "--date", "2018-10-01", "--from", "KP", "--all"],
]  # fmt: skip


@pytest.mark.parametrize("command", RELEASE, ids=" ".join)
def test_release_nothing_by_knowledge_is_shown_without_the_mark(command, capsys, own_data):
    assert main([*command, "--json"]) == 0
    for line in capsys.readouterr().out.splitlines():
        row = json.loads(line)
        if "verified" in row:
            assert row["verified"] or "UNVERIFIED" in row["basis"]
            assert row["verified"] or row["status"] != "controlled" if "status" in row else True
    assert main(command) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert len(re.findall(r"knowledge-\w+", out)) == len(re.findall(r"knowledge-\w+[^():]{0,40}, UNVERIFIED", out))


@pytest.mark.parametrize(
    "command",
    [
        ["check"], ["check", "--hs", "car"], ["check", "--hs", "8703", "--date", "1.10.2018"],
        ["check", "x.csv", "--hs", "87"],
        ["check", "--hs", "8703", "--to", "PRK"], ["check", "--hs", "8703", "--regime", "Mars"], ["show", "Mars"],
        ["show", "u"], ["diff", "UN", "2017-01-01"], ["coverage", "--hs-version", "2018"], ["import"],
        ["check", "--hs", "8703", "--value", "-1"], ["check", "--hs", "8703", "--hs-version", "2018"],
        ["check", "--hs", "8703", "--direction", "up"],
    ],
)  # fmt: skip
def test_wrong_use_is_one_line_and_two(command, capsys):
    assert main(["lists", *command]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_check_a_file(tmp_path, capsys):
    path = tmp_path / "bl.csv"
    path.write_text(
        "hs_code,description,load_port,discharge_port,depart_date\n870324,limousine,KRPUS,RUNJK,2018-10-02\n"
        "100199,wheat,KRPUS,RUNJK,2018-10-02\n,\x1b[2Jgoods,KRPUS,RUNJK,2018-10-02\n"
    )
    assert main(["lists", "check", str(path), "--to", "KP", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row.get("status") for row in rows[:3]] == ["controlled", "no rule known", "cannot tell"]
    assert rows[3]["counts"]["controlled"] == 1 and rows[3]["lists"] == LISTS.version
    assert main(["lists", "check", str(path), "--declared"]) == 0
    out = capsys.readouterr().out
    assert "controlled" in out and "\x1b" not in out


def test_diff_and_plot(tmp_path, capsys):
    assert main(["lists", "diff", "2017-06-01", "2018-10-01", "--regime", "UN", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert "720110" in made["only_second"] and not made["only_first"]
    assert made["regimes_with_unverified_rows"] == ["UN"]
    assert main(["lists", "diff", "US", "Japan", "--quiet"]) == 0
    assert "UNVERIFIED rows, which rest on knowledge only, are among the rules of: US" in capsys.readouterr().out
    assert main(["lists", "coverage", "--plot", str(tmp_path / "map.svg"), "--quiet"]) == 0
    from xml.etree import ElementTree

    assert ElementTree.parse(tmp_path / "map.svg").getroot().tag.endswith("svg")
