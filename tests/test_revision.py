"""Versions of findings: what late positions, new lists and corrected rows do to them, and that nothing is left out."""

import json

import pytest

from cargo.join import join
from cargo.revision import read_findings, revise, run_id
from cargo.watchlists import Entry, Kept, Watchlist
from detectors.event import DARK, PORT_CALL, Events
from geo.errors import InputError
from luxwake.console import Console
from luxwake.earlier import compare_with_earlier
from tests.join_case import LARK, LARK_IMO, event, limousine_rows, shipments_of, world


def lists_of(*entries, on="2019-01-01"):
    return Kept((Watchlist("Test list", on, "x", "x", "x", f"sha {on}", entries, {}),))


SHIP = Entry(uid="v1", kind="vessel", name="SEA LARK 5", imo=(str(LARK_IMO),), listed_on="2018-03-30")


def arrived():
    """The same world when all has come in: the ship was heard all along, and called at Nakhodka."""
    events = world(more=[event(PORT_CALL, LARK, "2018-10-04", "2018-10-06", port="RUNJK")])
    return events.take(events["kind"] != DARK)


def run(folder, rows, events=None, *, previous=None, positions="a1", **options) -> dict:
    """A run as `luxwake run` has it: the inputs with their digests, and versions against an earlier one."""
    events = events if events is not None else world()
    shipments = shipments_of(folder, *rows)
    found = json.loads(join(events, shipments, reach=False, **{"watchlists": Kept(()), **options}).to_json())
    found["inputs"] = [
        {"file": "day.nmea", "sha256": positions, "what": "positions"},
        {"file": "bl.csv", "sha256": shipments.sha256, "what": "shipments"},
    ]
    lines = dict(zip(shipments["row"].tolist(), shipments["sha"].tolist(), strict=True))
    return revise(found, previous, lines=lines, events=set(events["id"].tolist()))


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    return run(tmp_path_factory.mktemp("first"), limousine_rows())


def test_the_first_run_opens_and_the_same_run_again_says_the_same(tmp_path, first):
    (finding,) = first["findings"]
    assert finding["revision"] == {"number": 1, "status": "opened", "changes": [], "why": []}
    assert len(finding["history"]) == 1 and finding["history"][0]["run"] == run_id(first) and first["retracted"] == []
    again = run(tmp_path, limousine_rows(), previous=first)
    assert json.dumps(again, sort_keys=True) == json.dumps(first, sort_keys=True)


def test_rows_of_others_leave_a_finding_unchanged_though_the_run_is_another(tmp_path, first):
    other = "Z1,,,940360,furniture,9,900,USD,90,A,B,SGSIN,PHMNL,2018-10-02,2018-10-08,,,yes,x"
    later = run(tmp_path, [*limousine_rows(), other], previous=first)
    (finding,) = later["findings"]
    assert run_id(later) != run_id(first)
    assert finding["revision"] == {"number": 1, "status": "unchanged", "changes": [], "why": []}
    assert finding["history"] == first["findings"][0]["history"]


def test_late_positions_retract_and_their_loss_reopens_with_the_whole_history(tmp_path, first):
    later = run(tmp_path, limousine_rows(), arrived(), previous=first, positions="b2")
    assert later["findings"] == []
    (gone,) = later["retracted"]
    assert gone["id"] == first["findings"][0]["id"] and gone["score"] == first["findings"][0]["score"]
    why = " | ".join(gone["revision"]["why"])
    assert "the event that carried it is gone: dark of MMSI 671999101" in why
    assert "late positions: positions day.nmea has other contents" in why and "told now as" in why
    still = run(tmp_path, limousine_rows(), arrived(), previous=later, positions="c3")
    assert still["retracted"] == later["retracted"]
    back = run(tmp_path, limousine_rows(), previous=still, positions="d4")
    (finding,) = back["findings"]
    assert back["retracted"] == [] and finding["revision"]["status"] == "reopened"
    assert [one["status"] for one in finding["history"]] == ["opened", "retracted", "reopened"]
    assert [one["number"] for one in finding["history"]] == [1, 2, 3]


def test_rows_that_are_gone_retract_with_that_reason(tmp_path, first):
    other = "Z1,,,940360,furniture,9,900,USD,90,A,B,SGSIN,PHMNL,2018-10-02,2018-10-08,,,yes,x"
    (gone,) = run(tmp_path, [other], previous=first)["retracted"]
    assert "the row is gone: none of its 12 source lines" in gone["revision"]["why"][0]
    assert "shipments bl.csv has other contents" in gone["revision"]["why"]


def test_a_new_list_and_a_delisting_revise_and_say_which(tmp_path, first):
    listed = run(tmp_path, limousine_rows(), previous=first, watchlists=lists_of(SHIP))
    (finding,) = listed["findings"]
    assert finding["revision"]["status"] == "revised" and finding["revision"]["number"] == 2
    assert "near a listed party: unknown, now 1" in finding["revision"]["changes"]
    assert finding["revision"]["why"] == ["watch-list Test list of 2019-01-01 is new"]
    off = lists_of(Entry(**{**_told(SHIP), "delisted_on": "2018-06-01"}), on="2019-02-01")
    (finding,) = run(tmp_path, limousine_rows(), previous=listed, watchlists=off)["findings"]
    assert "near a listed party: 1, now 0" in finding["revision"]["changes"] and len(finding["history"]) == 3
    assert "watch-list Test list of 2019-02-01 is new" in finding["revision"]["why"]


def _told(entry):
    return {name: getattr(entry, name) for name in ("uid", "kind", "name", "imo", "listed_on")}


def test_a_corrected_row_is_the_same_finding_under_its_new_lines(tmp_path, first):
    rows = [row.replace("Norda Shipping,KRPUS", "Norda Shipping Ltd,KRPUS") for row in limousine_rows()]
    later = run(tmp_path, rows, previous=first)
    (finding,) = later["findings"]
    assert finding["id"] != first["findings"][0]["id"] and later["retracted"] == []
    assert finding["revision"]["status"] == "revised"
    assert f"its source lines are others than those of {first['findings'][0]['id']}" in finding["revision"]["changes"]
    assert finding["revision"]["why"] == ["shipments bl.csv has other contents"]


def test_a_longer_silence_and_other_weights_are_told_as_what_they_are(tmp_path, first):
    events = world()
    at = int((events["kind"] == DARK).argmax())
    events["t_end"][at] += 3_600_000_000
    (finding,) = run(tmp_path, limousine_rows(), events, previous=first, positions="b2")["findings"]
    assert any(", now dark of MMSI" in words for words in finding["revision"]["changes"])
    assert any("late positions" in words for words in finding["revision"]["why"])
    weights = dict.fromkeys(("value", "end_user", "route", "parties"), 1.0)
    (finding,) = run(tmp_path, limousine_rows(), previous=first, weights=weights)["findings"]
    assert finding["revision"]["changes"][0].startswith("score ")
    assert finding["revision"]["why"] == ["parameter weights is another"]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"findings": 1}', '{"findings": [1]}', "[" * 10_000, "\udcff"])
def test_a_file_that_holds_no_findings_is_refused_in_one_line_and_one_beside_is_named(tmp_path, text, first, capsys):
    place = tmp_path / "findings.json"
    place.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError) as caught:
        read_findings(place)
    assert "\n" not in str(caught.value) and str(place) in str(caught.value)
    shipments = shipments_of(tmp_path, *limousine_rows())
    found = {**first, "findings": first["findings"]}
    made = compare_with_earlier(None, tmp_path, found, shipments, Events({"id": world()["id"]}), Console())
    assert made["findings"][0]["revision"]["status"] == "opened"
    with pytest.raises(InputError):
        compare_with_earlier(place, tmp_path, found, shipments, Events({"id": world()["id"]}), Console())


def test_findings_of_other_shipments_beside_are_left_alone(tmp_path, first):
    other = "Z1,,,940360,furniture,9,900,USD,90,A,B,SGSIN,PHMNL,2018-10-02,2018-10-08,,,yes,x"
    (tmp_path / "findings.json").write_text(json.dumps(first), encoding="utf-8")
    shipments = shipments_of(tmp_path, other)
    made = compare_with_earlier(None, tmp_path, {"findings": []}, shipments, Events({"id": world()["id"]}), Console())
    assert made["retracted"] == []
