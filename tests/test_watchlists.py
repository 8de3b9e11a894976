"""Watch-lists: forms read, dates kept, then told from now and from not known."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from listed_ships import LIST

from cargo.listed import Listed, Subject, standing_now, standing_on
from cargo.watchlist_files import Rejects, read_watchlist
from cargo.watchlist_ftm import read_ftm
from cargo.watchlists import Entry, Kept, import_watchlist, read_watchlists, remove_watchlist, watchlists_folder
from geo.errors import InputError, UsageError
from luxwake.cli import main

SDN = (
    '4243,"SEA LARK","vessel","TESTPROG] [OTHER",-0- ,"5VAA1","General Cargo","2,595","1865","Togo",-0- ,'
    "\"f.k.a. 'OLD LARK'; Vessel Registration Identification IMO 9999993; MMSI 671999101; Former Vessel Flag Panama; "
    'Linked To: BELVEDERON SHIPPING CO LTD."\n'
    '4244,"BELVEDERON SHIPPING CO LTD",-0- ,"TESTPROG",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
    "\"a.k.a. 'BELVEDERON'; Tax ID No. 7701234567 (Russia).\"\n"
    '4245,"MUSTERMANN, Max","individual","TESTPROG",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \n'
)
UN = (
    "#,vessel name,IMO number,paragraph 12 (d) of resolution 2321 (2016),flag,MMSI,date of designation,type\n"
    "1,1: SEA LARK 2: OLD LARK,9999993,x,1: Togo 2: Panama,671999101,4 Jun 2018,General cargo\n"
)
MARITIME = (
    "type,caption,imo,risk,countries,flag,mmsi,id,url,datasets,aliases\n"
    "VESSEL,SEA LARK,IMO9999993,sanction;mare.shadow,tg,tg,671999101,os-1,https://e.example/1,test_list,OLD LARK\n"
    "ORGANIZATION,Belvederon Shipping,,mare.detained,tg,,,os-2,,test_list,\n"
)
TARGETS = (
    "id,schema,name,aliases,birth_date,countries,addresses,identifiers,sanctions,phones,emails,program_ids,dataset,"
    "first_seen,last_seen,last_change\n"
    "os-1,Vessel,SEA LARK,OLD LARK,,tg,,IMO9999993;671999101,Test list,,,TESTPROG,x,2018-03-01T00:00:00,,\n"
    'os-2,Company,Belvederon Shipping,,,tg,"12 Harbour Road, Testville",7701234567,,,a@b.example,,x,2018-03-01,,\n'
)


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("LUXWAKE_DATA", str(tmp_path / "data"))
    return tmp_path


def take(folder, text, name="Test list", on="2019-01-01", **more):
    place = folder / "list.txt"
    place.write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_watchlist(place, name, on, **more)


def ftm(*entities):
    return "".join(json.dumps({"id": i, "schema": schema, "properties": told}) + "\n" for i, schema, told in entities)


FTM = ftm(
    ("v1", "Vessel", {"name": ["SEA LARK"], "previousName": ["OLD LARK"], "imoNumber": ["IMO9999993"], "flag": ["tg"]}),
    ("c1", "Company", {"name": ["Belvederon Shipping"], "country": ["tg"], "incorporationDate": ["2018-05-01"]}),
    ("s1", "Sanction", {"entity": ["v1"], "listingDate": ["2018-06-04"], "endDate": ["2020-01-01"], "program": ["P"]}),
    ("o1", "Ownership", {"owner": ["c1"], "asset": ["v1"], "startDate": ["2016-01-01"]}),
)


@pytest.mark.parametrize(
    ("text", "form", "entries"),
    [
        (SDN, "OFAC sdn.csv", 3),
        (UN, "UN 1718 vessels", 1),
        (MARITIME, "OpenSanctions maritime", 2),
        (TARGETS, "OpenSanctions targets", 2),
        (FTM, "FollowTheMoney", 2),
    ],
)
def test_every_form_is_read_and_read_back(data, text, form, entries):
    made = take(data, text)
    assert (made.form, len(made.entries), dict(made.rejected)) == (form, entries, {})
    ship = made.entries[0]
    assert (ship.kind, ship.name, ship.imo) == ("vessel", "SEA LARK", ("9999993",))
    assert "OLD LARK" in ship.names
    kept = read_watchlists()
    assert kept.unreadable == () and kept.lists == (made,)
    for asked in ("9999993", "M/V Sea-Lark", "old lark"):
        assert Listed(kept).check(asked).hits[0].entry == ship
    assert Listed(kept).check("SEA LARK 2").hits == ()


def test_what_a_form_says_is_kept(data):
    ship, firm, person = take(data, SDN).entries
    assert (ship.program, ship.former, ship.past_flags) == (("TESTPROG", "OTHER"), ("OLD LARK",), ("Panama",))
    assert (ship.mmsi, ship.deadweight, ship.linked) == (("671999101",), "2595", ("BELVEDERON SHIPPING CO LTD",))
    assert firm.identifiers == (("tax", "7701234567"),)
    assert "Max MUSTERMANN" in person.names
    un = take(data, UN).entries[0]
    assert (un.listed_on, un.flag, un.past_flags) == ("2018-06-04", "Togo", ("Panama",))
    assert un.program == ("paragraph 12 (d) of resolution 2321 (2016)",)
    ship, firm = take(data, FTM).entries
    assert (ship.listed_on, ship.delisted_on, ship.owner) == ("2018-06-04", "2020-01-01", "Belvederon Shipping")
    assert ship.listed and not firm.listed and firm.founded_on == "2018-05-01"
    assert "CC BY-NC" in take(data, MARITIME).licence
    assert [entry.listed for entry in take(data, MARITIME).entries] == [True, False]
    assert take(data, TARGETS).entries[0].seen_from == "2018-03-01"


def test_the_real_list_is_read_whole(data, shared_data):
    made = import_watchlist(shared_data / LIST, "OFAC SDN", "2023-11-17")
    assert len(made.entries) == 685 and not made.rejected
    listed = Listed(read_watchlists())
    hit = listed.check("8660313", "2023-11-17").hits[0]
    assert (hit.entry.name, hit.sure, hit.then.answer, hit.now.answer) == ("CHON MA SAN", "identifier", "yes", "yes")
    assert listed.check("8660313", "2018-02-24").hits[0].then.answer == "not known"
    assert listed.check("CHON MA SAN 2").hits == ()
    assert {hit.sure for hit in listed.check("KOREA ACHIM SHIPPING CO").hits} == {"tied"}


def test_then_is_told_from_now_and_from_not_known(data):
    """On the lists of 2018 and 2020, no longer on that of 2022, in a list that gives no day of listing."""
    head = "imo,name\n"
    here, gone = head + "9999993,SEA LARK\n9999981,TERN\n", head + "9999981,TERN\n"
    for on, text in (("2016-06-01", gone), ("2018-06-01", here), ("2020-06-01", here), ("2022-06-01", gone)):
        take(data, text, on=on, mapping={"imo": "imo", "name": "name"})
    listed = Listed(read_watchlists())
    answers = {
        "2016-06-01": "no", "2015-01-01": "not known", "2017-01-01": "not known", "2018-06-01": "yes",
        "2019-01-01": "yes", "2021-01-01": "not known", "2022-06-01": "no", "2023-01-01": "not known",
    }  # fmt: skip
    for on, answer in answers.items():
        hit = listed.check("9999993", on).hits[0]
        assert hit.then.answer == answer, (on, hit.then)
        assert hit.now == ("no", "last on the list of 2020-06-01, not on that of 2022-06-01")
    assert [on for _, on, _ in listed.check("x").asked] == sorted(
        ("2016-06-01", "2018-06-01", "2020-06-01", "2022-06-01")
    )


def test_days_of_the_list_itself_come_first():
    def entry(**told):
        return {"2022-01-01": Entry(uid="1", kind="vessel", name="X", **told)}

    dates = ["2022-01-01"]
    held = entry(listed_on="2018-06-04", delisted_on="2020-01-01")
    assert [standing_on(on, dates, held).answer for on in ("2018-06-03", "2018-06-04", "2019-12-31", "2020-01-01")] == [
        "no", "yes", "yes", "no",
    ]  # fmt: skip
    assert standing_now(dates, held).answer == "no"
    seen = entry(seen_from="2019-01-01")
    assert [standing_on(on, dates, seen).answer for on in ("2018-06-03", "2019-06-03")] == ["not known", "yes"]
    assert standing_on("2023-01-01", dates, entry(listed_on="2018-06-04")).answer == "not known"
    assert standing_on("2020-01-01", dates, entry(listed=False)).answer == "not known"


def test_a_firm_is_a_candidate_by_name_and_confirmed_by_more(data):
    take(data, TARGETS)
    listed = Listed(read_watchlists())

    def sure(**told):
        return [(hit.sure, hit.against) for hit in listed.check(Subject(kind="party", **told)).hits]

    assert sure(name="Belvederon Shipping Co Ltd") == [("name", "")]
    assert sure(name="Belvederon Shipping", countries=("TG",)) == [("name, confirmed", "")]
    assert sure(name="Belvederon Shipping", countries=("PA",)) == [("name", "another country")]
    assert sure(name="Belvedaron Shipping") == [("name alike", "")]
    assert sure(name="Belvedaron Shipping", addresses=("No 12 Harbour Rd Testville",)) == [("name, confirmed", "")]
    assert sure(name="Quite Other", identifiers=(("tax", "770-123-4567"),)) == [("identifier", "")]
    assert sure(name="Belvederon 2 Shipping") == []


def test_a_number_that_passes_from_ship_to_ship_is_no_identification(data):
    take(data, SDN)
    listed = Listed(read_watchlists())
    assert listed.check(Subject(name="QUITE OTHER", mmsi="671999101", kind="vessel")).hits[0].sure == "number alone"
    assert listed.check(Subject(name="SEA LARK", imo="9999981", kind="vessel")).hits[0].against == "another IMO number"
    renamed = listed.check(Subject(name="QUITE OTHER", imo="9999993", kind="vessel")).hits[0]
    assert (renamed.sure, renamed.against) == ("identifier", "another name")


@pytest.mark.parametrize(
    "name", ["=HYPERLINK(1)", "<script>x</script>", "\u202eKRAL", "A\ud800B".encode("utf-8", "replace").decode()]
)
def test_hostile_text_is_carried_as_text(data, name):
    made = take(data, f"imo,name\n9999993,{name}\n", mapping={"imo": "imo", "name": "name"})
    assert made.entries[0].imo == ("9999993",)
    assert "\u202e" not in made.entries[0].name


def test_what_cannot_be_an_entry_is_counted_with_its_line(data):
    text = "imo,name\n9999993,LARK\n,\n,-0-\n," + "A" * 1_000_000 + "\n," + "B" * 400 + "\n9999981,TERN\n"
    made = take(data, text, mapping={"imo": "imo", "name": "name"})
    assert [entry.name for entry in made.entries] == ["LARK", "TERN"]
    assert sorted(line for line, _ in made.rejected_rows) == [4, 5, 6]
    made = take(data, b"imo,name\n9999993,Caf\xe9\x00\n", mapping={"imo": "imo", "name": "name"})
    assert made.entries[0].name == "Café"
    assert made.rejected == {"line that is not UTF-8, read as Windows-1252": 1}
    made = take(data, FTM + "[1,2]\n{bad\n" + '{"id":1,"schema":"Vessel","properties":{}}\n' + "[" * 100_000 + "\n")
    assert sum(made.rejected.values()) == 4 and len(made.entries) == 2


@pytest.mark.parametrize("text", [SDN, UN, MARITIME, TARGETS])
def test_a_row_that_is_cut_short_is_read_as_far_as_it_goes_or_counted(data, text):
    whole = len(take(data, text).entries)
    made = take(data, text + "5000\n5001,X\n\x1a\n")
    assert len(made.entries) + sum(made.rejected.values()) == whole + 3


@given(st.binary(max_size=300), st.sampled_from([SDN, UN, MARITIME, TARGETS, FTM]), st.integers(0, 900))
def test_no_bytes_make_a_traceback(junk, text, at):
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "list"
        place.write_bytes(text.encode()[:at] + junk + text.encode()[at:])
        try:
            made = read_watchlist(place, "Test list", "2019-01-01", None, "")
        except InputError as error:
            assert "\n" not in str(error)
        else:
            Listed(Kept((made,))).check("SEA LARK", "2019-01-01")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "schema", "properties", "entity", "name", "owner", "asset"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    ),
    st.sampled_from(["Vessel", "Sanction", "Ownership", "Company"]),
)
def test_no_json_makes_a_traceback(value, schema):
    rejects = Rejects()
    lines = [
        json.dumps({"id": value, "schema": schema, "properties": {"name": value, "entity": value, "owner": [value]}})
    ]
    list(read_ftm([*lines, json.dumps(value), FTM], rejects))


@pytest.mark.parametrize(
    "text", [b"", b"\x1f\x8b123", b"PK\x03\x04", b"\xff\xfea\x00", b"colour,size\nred,2\n", b"imo,name\n,\n"]
)
def test_a_file_that_is_no_list_is_an_error_of_one_line(data, text):
    with pytest.raises(InputError) as error:
        take(data, text, mapping={"name": "name"} if text.startswith(b"imo") else None)
    assert "\n" not in str(error.value)
    assert not list(watchlists_folder().glob("*")) if watchlists_folder().is_dir() else True


def test_a_wrong_mapping_date_or_name_is_wrong_use(data):
    for more in ({"mapping": {"colour": "imo"}}, {"mapping": {"flag": "imo"}}, {"on": "2019-1-1"}, {"name": "!!"}):
        with pytest.raises(UsageError):
            take(data, "imo,name\n9999993,LARK\n", **{"mapping": {"imo": "imo"}, **more})
    with pytest.raises(InputError, match="no column 'Ship'"):
        take(data, "imo,name\n9999993,LARK\n", mapping={"name": "Ship"})


def test_two_entries_under_one_number_are_both_found(data):
    take(data, "id,imo,name\n7,9999993,SEA LARK\n7,9999981,TERN\n", mapping={"uid": "id", "imo": "imo", "name": "name"})
    listed = Listed(read_watchlists())
    assert [listed.check(n).hits[0].entry.name for n in ("9999993", "9999981")] == ["SEA LARK", "TERN"]


def test_no_list_is_written_over_by_one_of_another_name(data):
    take(data, SDN, name="OFAC SDN")
    with pytest.raises(UsageError, match="another name"):
        take(data, SDN, name="ofac-sdn")
    take(data, SDN, name="OFAC SDN", on="2019-01-02")
    take(data, SDN, name="제재 선박")
    assert len(read_watchlists().lists) == 3


def test_a_damaged_list_is_named_in_every_check(data, capsys):
    take(data, SDN)
    (watchlists_folder() / "other@2019-01-01.jsonl").write_text("{}\n")
    found = Listed(read_watchlists()).check("nobody")
    assert found.unreadable[0][0] == "other@2019-01-01.jsonl"
    assert main(["watchlists", "check", "nobody"]) == 0
    assert "could not be read: other@2019-01-01.jsonl" in capsys.readouterr().err


def test_the_commands(data, capsys):
    place = data / "sdn.csv"
    place.write_text(SDN)
    assert main(["watchlists", "import", str(place), "--name", "OFAC SDN", "--date", "2019-01-01", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["entries"] == 3
    assert main(["watchlists", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["licence"] == "US public domain"
    assert main(["watchlists", "check", "sea lark", "9999993", "--date", "2019-01-01", "--json"]) == 0
    checks = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [check["hits"][0]["sure"] for check in checks] == ["name", "identifier"]
    assert all(check["asked"] == [{"list": "OFAC SDN", "date": "2019-01-01", "entries": 3}] for check in checks)
    assert main(["watchlists", "remove", "--name", "OFAC SDN"]) == 0
    assert read_watchlists().lists == ()
    assert main(["watchlists", "check", "x", "--date", "soon"]) == 2
    assert main(["watchlists", "import", str(place), "--name", "x", "--date", "2019-02-30"]) == 2
    assert main(["watchlists", "import", str(data / "none"), "--name", "x", "--date", "2019-02-03"]) == 1
    assert remove_watchlist("never") == []
