"""Ports from a file of the user's: what is taken, what is refused, and what the rest of the house sees of it."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from geo.errors import InputError, OutputError
from geo.port_import import import_ports, imported_tables, remove_imported
from geo.port_table import Port, merged, read_table, shipped_ports
from geo.sphere import distance_m
from luxwake.cli import main
from tests.test_ports import WPI

HEAD = (
    "World Port Index Number,Main Port Name,Alternate Port Name,UN/LOCODE,Country Code,Latitude,Longitude\n"
    "60010,Busan,Busan; Fusan,KR PUS,South Korea,35.1,129.033333\n"
    "60020,Ch'aho,Shako, ,North Korea,40.2,128.65\n"
    "60030,Najin,Rashin,KP RJN,North Korea,42.233333,130.3\n"
    "60040,Onsan Hang,,KR XON,South Korea,35.45,129.35\n"
    "60050,Qingdao Gang,Tsingtao,CN QIN,China,36.033333,120.266667\n"
    "60060,Greenwich,,US GRH,United States,41.02,-73.62\n"
    "60070,Second Busan,,KR PUS,South Korea,35.3,129.3\n"
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A data folder of this test alone."""
    monkeypatch.setenv("LUXWAKE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def index(tmp_path):
    path = tmp_path / "UpdatedPub150.csv"
    path.write_text(HEAD, encoding="utf-8-sig")
    return path


def luxwake(*args: str, data: Path) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, since a process goes on with the ports that it has."""
    environ = {**os.environ, "LUXWAKE_DATA": str(data)}
    command = [sys.executable, "-m", "luxwake.cli", *args]
    return subprocess.run(command, capture_output=True, text=True, env=environ, check=False)


def test_a_hand_checked_port_keeps_its_place_and_gains_names(home, index):
    done = import_ports(index)
    table = {port.locode: port for port in done.merged.ports}
    shipped = {port.locode: port for port in shipped_ports()}
    assert table["KRPUS"][:6] == shipped["KRPUS"][:6]
    assert {port.locode for port, _ in done.merged.confirmed} == {"KRPUS", "KPNJN", "CNTAO"}
    assert "Qingdao Gang" in table["CNTAO"].aliases  # by name: its code in the index is Qingxi's
    assert table["CNQIN"] == shipped["CNQIN"]


def test_a_port_of_the_table_takes_the_imported_place(home, index):
    done = import_ports(index)
    ((port, metres),) = done.merged.updated
    assert (port.locode, port.lat, port.lon) == ("KRONS", 35.45, 129.35)
    assert port.quality == done.source == "imported: World Port Index"
    assert {"KRXON", "Onsan Hang"} <= set(port.aliases)
    assert 0 < metres < 10_000


@pytest.mark.parametrize("number", ["²", "9" * 5000])
def test_a_number_in_the_index_that_is_none_is_a_reason(home, tmp_path, number):
    path = tmp_path / "index.csv"
    path.write_text(f"{HEAD}{number},Nowhere,,,Japan,34.0,134.0\n", encoding="utf-8")
    assert import_ports(path).rejected == {"neither a code of its own nor a number": 1}


def test_a_code_at_two_places_is_said_and_ours_stays(home, index):
    done = import_ports(index)
    ((ours, theirs, metres),) = done.merged.contradicted
    assert (ours.locode, ours.name, theirs.name) == ("USGRH", "Grays Harbor", "Greenwich")
    assert metres > 3_000_000
    assert ours in done.merged.ports


def test_a_port_without_a_code_of_its_own_gets_one_that_no_list_has(home, index):
    done = import_ports(index)
    assert {port.locode: port.name for port in done.merged.added} == {"KP060020": "Ch'aho", "KR060070": "Second Busan"}


def test_the_same_file_gives_the_same_table_and_importing_twice_changes_nothing(home, index):
    first = import_ports(index)
    kept = first.path.read_bytes()
    assert import_ports(index).merged == first.merged
    assert first.path.read_bytes() == kept
    assert [path.name for path in first.path.parent.iterdir()] == ["world-port-index.csv"]


def test_ones_own_table_weighs_more_than_the_index(home, index, tmp_path):
    import_ports(index)
    own = tmp_path / "mine.csv"
    own.write_text("LOCODE,Name,Lat,Lon,Aliases\nKRONS,Onsan,35.44,129.36,Onsan Oil;\nKP0CH,Chaho,40.2,128.66,\n")
    done = import_ports(own)
    table = {port.locode: port for port in done.merged.ports}
    assert (table["KRONS"].lat, table["KRONS"].quality) == (35.44, "imported: mine.csv")
    assert "KP060020" in table and "KP0CH" not in table  # one place, as the names say
    assert table["KP060020"].lon == 128.66
    assert [path.name for path in imported_tables()] == ["own.csv", "world-port-index.csv"]
    assert {path.name for path in remove_imported()} == {"own.csv", "world-port-index.csv"}
    assert imported_tables() == remove_imported() == []


def test_rows_that_cannot_be_taken_are_counted_by_reason(home, tmp_path):
    path = tmp_path / "own.csv.gz"
    rows = ["locode,name,lat,lon", "KP0CH,Chaho,40.2,128.66", "KP0CH,Again,40,128", "KP,Short,40,128", "KP0XX,,40,128"]
    rows += [
        "KP0XA,A,91,128",
        "KP0XB,B,40,181",
        "KP0XC,C,x,128",
        "KP0XD,D,,128",
        "KP0XE,E,0,0",
        "KP0XF,F,nan,1",
        "KP0XG",
    ]
    path.write_bytes(gzip.compress("\n".join(rows).encode()))
    done = import_ports(path)
    assert len(done.merged.added) == 1 and done.rows == 11
    assert done.rejected == {
        "code that an earlier row has": 1,
        "no code of two letters and three letters or digits": 1,
        "no name": 2,
        "position not on the globe": 3,
        "position missing or not a number": 2,
        "position 0, 0": 1,
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no port in it (no rows)"),
        (b"a,b\n1,2\n", "no column locode, name, lat, lon"),
        (b"locode,name,lat\nKP0CH,Chaho,40\n", "no column lon"),
        (b"locode,name,lat,lon\nKP,x,1,1\n", "no port in it (no code"),
        (b"\x1f\x8b\x08broken", "cannot be read"),
        (b'locode,name,lat,lon\n"' + b"x" * 200_000, "field larger than field limit"),
    ],
)
def test_a_file_that_is_no_table_of_ports_is_refused_in_one_line(home, tmp_path, content, said):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        import_ports(path)
    assert said in str(error.value) and str(path) in str(error.value) and "\n" not in str(error.value)
    assert imported_tables() == []


def test_a_file_that_is_not_there_and_a_folder_that_cannot_be_are_said(home, index):
    with pytest.raises(InputError, match="cannot be read"):
        import_ports(index.with_name("none.csv"))
    home.write_text("a file where the folder should be")
    with pytest.raises(OutputError, match="set LUXWAKE_DATA"):
        import_ports(index)


def test_a_damaged_table_is_named_with_what_to_do(home, index):
    path = import_ports(index).path
    path.write_text("locode,name\n")
    done = luxwake("ports", "find", "Busan", data=home)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert str(path) in done.stderr and "ports import --remove" in done.stderr
    assert luxwake("ports", "import", "--remove", data=home).returncode == 0
    with pytest.raises(InputError):
        read_table(Path(__file__))


@pytest.mark.parametrize("lat", ["nan", "95"])
def test_a_kept_table_with_a_place_off_the_globe_is_damaged(tmp_path, lat):
    path = tmp_path / "own.csv"
    path.write_text(f"locode,name,country,lat,lon,quality,aliases\nKP0XA,Nowhere,KP,{lat},128.0,imported: x,\n")
    with pytest.raises(InputError, match=r"KP0XA at .* is not on the globe"):
        read_table(path)


def test_merging_nothing_changes_nothing():
    assert merged(shipped_ports(), ()).ports == shipped_ports()
    assert merged((), shipped_ports()[:3]).added == list(shipped_ports()[:3])


def test_two_rows_of_one_port_move_it_once():
    here = Port("XX0AA", "Here", "XX", 10.0, 20.0, "table", ())
    a, b = (
        here._replace(lat=10.01, quality="imported: a"),
        here._replace(lat=10.02, name="There", quality="imported: a"),
    )
    done = merged([here], [a, b])
    assert [(port.lat, port.aliases) for port in done.ports] == [(10.01, ("There",))]


def test_what_was_imported_is_found_and_named_by_every_process(home, index):
    assert main(["ports", "import", str(index), "--quiet"]) == 0
    found = luxwake("ports", "find", "Chaho", "--json", data=home)
    (port,) = json.loads(found.stdout)["ports"]
    assert (port["code"], port["position"]) == ("KP060020", "imported: World Port Index")
    code = "from detectors.port_call import PortCalls; print(PortCalls().params_dict()['ports'])"
    environ = {**os.environ, "LUXWAKE_DATA": str(home)}
    version = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=True
    ).stdout
    assert "imported: World Port Index" in version
    doctor = json.loads(luxwake("doctor", "--json", data=home).stdout)
    assert doctor["ports"]["table"] == version.strip()
    assert doctor["ports"]["world-port-index"] == str(imported_tables()[0])


def test_the_world_port_index_as_published_is_taken(home, shared_data):
    done = import_ports(shared_data / WPI)
    assert done.rows == 3_768 and not done.rejected
    assert len(done.merged.ports) > 5_400 and len(done.merged.contradicted) < 25
    codes = [port.locode for port in done.merged.ports]
    assert codes == sorted(set(codes))
    checked = {port.locode: port for port in shipped_ports() if port.quality == "hand-checked"}
    for port in done.merged.ports:
        if port.locode in checked:
            assert port[:6] == checked[port.locode][:6]
    assert max(metres for _, metres in done.merged.confirmed) < 40_000
    known = {port.locode: port for port in shipped_ports()}
    for port, metres in done.merged.updated:
        was = known[port.locode]
        assert distance_m(was.lat, was.lon, port.lat, port.lon) == metres


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("near", "91", "0"), 2, "latitude 91.0 is not on the globe"),
        (("near", "0", "181"), 2, "longitude 181.0 is not on the globe"),
        (("near", "0", "0", "--within", "-1"), 2, "--within must be 0 or more"),
        (("near", "0", "0", "--limit", "0"), 2, "limit must be 1 or more"),
        (("near", "x", "0"), 2, "invalid float value"),
        (("import",), 2, "takes a FILE or --remove"),
        (("import", "x.csv", "--remove"), 2, "takes a FILE or --remove"),
        (("import", "/none/x.csv"), 1, "cannot be read"),
    ],
)
def test_wrong_use_is_said_in_one_line(home, capsys, args, code, said):
    try:
        status = main(["ports", *args])
    except SystemExit as stop:
        status = stop.code
    err = capsys.readouterr().err
    assert status == code and said in err and err.count("\n") == 1


def test_ports_near_and_found_are_printed(home, capsys):
    assert main(["ports", "near", "-33.9", "151.2", "--within", "20"]) == 0
    out = capsys.readouterr().out
    assert "AUSYD" in out and "bearing" in out
    assert main(["ports", "near", "35.0", "129.5", "--limit", "2", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["nmi"] for line in lines] == sorted(line["nmi"] for line in lines) and len(lines) == 2
    assert main(["ports", "near", "0", "-30", "--within", "5"]) == 0
    assert "none within 5 nmi" in " ".join(capsys.readouterr().out.split())
    assert main(["ports", "find", "Pusan", "Newcastle", "qqqq", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["answer"] for line in lines] == ["one", "several", "none"]
    assert main(["ports", "find", "Pusan", "Newcastle", "qqqq"]) == 0
    out = capsys.readouterr().out
    assert "not sure which" in out and "no such port" in out


def test_an_import_is_told_with_what_it_changes(home, index, capsys):
    assert main(["ports", "import", str(index)]) == 0
    out, err = capsys.readouterr()
    assert "hand-checked ports that kept theirs" in out and "contradicts, kept ours" in out and "--remove" in err
    assert main(["ports", "import", str(index), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["added"], len(told["updated"]), len(told["contradicted"])) == (2, 1, 1)
    assert main(["ports", "import", "--remove"]) == 0
    assert "world-port-index.csv" in capsys.readouterr().err
