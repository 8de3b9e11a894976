"""`luxwake case`: every statement cites, source lines stand as they were read, nothing runs or loads, same bytes."""

from __future__ import annotations

import hashlib
import json
import re

import export_case
import pytest
import report_case
from hypothesis import given, settings
from hypothesis import strategies as st
from report_page import PAYLOADS, Page

from geo.errors import InputError
from luxwake.case import case_page, exhibits_of, read_run
from luxwake.case.exhibits import runs
from luxwake.case.quotes import quotes_of
from luxwake.cli import main

ROWS = ['LXWK01,"two\nlines, a name",1', "LXWK02,=1+1 <b>,2", "LXWK03,\u540d\u524d,3"]
ALLOWED = frozenset(
    {"html", "head", "meta", "title", "style", "body", "main", "header", "footer", "section", "article", "pre"}
    | {"h1", "h2", "h3", "h4", "h5", "p", "a", "b", "br", "small", "span", "code", "ul", "li", "dl", "dt", "dd", "div"}
    | {"table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "svg", "path"}
    | {"circle", "rect", "line", "text", "tspan", "g", "defs", "pattern"}
)


def sourced(folder, line_end: str = "\n"):
    """A run whose rows stand in a file beside it, each with its offset and digest."""
    content, evidence = b"bl,name,n\n", []
    for n, row in enumerate(ROWS, start=1):
        raw = row.encode()
        note = f"BLAKE2b-64 of the line {hashlib.blake2b(raw, digest_size=8).hexdigest()}"
        evidence.append({"what": "shipment row", "file": "/x/in.csv", "offset": len(content), "row": n, "note": note})
        content += raw + line_end.encode()
    folder.mkdir()
    (folder / "in.csv").write_bytes(content)
    run = export_case.run_folder(folder, export_case.finding(evidence=evidence))
    told = json.loads((run / "findings.json").read_text())
    told["inputs"] = [{"file": "in.csv", "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}]
    (run / "findings.json").write_text(json.dumps(told))
    return run


@pytest.fixture
def run(tmp_path):
    return export_case.run_folder(tmp_path / "run", export_case.finding())


def page_of(folder, *ids: str, **options) -> str:
    told = read_run(folder)
    return case_page(told, told.chosen(ids), **options)


def check_closed(page: str) -> Page:
    parsed = Page(page)
    assert not parsed.unmatched and not parsed.open
    assert {tag for tag, _ in parsed.elements} <= ALLOWED
    ids = [a["id"] for _, a in parsed.elements if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in parsed.elements:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("src", "style", "srcset", "action")
        ]
        href = attributes.get("href")
        assert href is None or (href.startswith("#") and href[1:] in ids), href
    return parsed


def test_dossier_needs_no_script_and_names_no_place_outside(run):
    page = page_of(run)
    check_closed(page)
    assert not re.search(r"https?:|[\"'(]//|@import|url\((?!#)|<script", page, re.IGNORECASE)
    policy = next(a["content"] for _, a in Page(page).elements if a.get("http-equiv") == "Content-Security-Policy")
    style = re.search("<style>(.*?)</style>", page, re.DOTALL)
    assert policy.startswith("default-src 'none'; style-src 'sha256-") and "script" not in policy and style
    assert "@page { size: A4" in style[1]


def test_every_row_event_claim_and_list_entry_is_an_exhibit_in_order(run):
    found = export_case.finding()
    exhibits = exhibits_of(found, {})
    kinds = [one.kind for one in exhibits.items]
    assert [one.number for one in exhibits.items] == list(range(1, len(kinds) + 1))
    assert kinds.count("source") == len(found["evidence"]) and kinds.count("event") == len(found["events"])
    assert kinds.count("claim") == len(found["claims"]) and kinds.count("list entry") == 1
    assert kinds == sorted(kinds, key=["source", "event", "claim", "list entry"].index)
    dark = next(one for one in exhibits.items if one.title.startswith("Dark period"))
    assert dict(dark.facts)["Definition"] and dict(dark.facts)["From, to (UTC)"] != "unknown"
    told = dict(exhibits_of(found, {"dark": {"min_gap_s": 21600}}).items[dark.number - 1].facts)
    assert told["Thresholds"] == "min_gap_s 21600"


def test_every_statement_says_what_it_rests_on(run):
    page = page_of(run)
    for listed in re.findall(r'<ul class="statements">(.*?)</ul>', page, re.DOTALL):
        for statement in re.findall("<li>(.*?)</li>", listed, re.DOTALL):
            assert re.search(r'<span class="cite"> \[(<a href="#|no exhibit)', statement), statement
    found = export_case.finding()
    shown = Page(page).shown
    said = [*found["unknown"], *found["innocent"], *(one["text"] for one in found["hypotheses"])]
    said += [one["would_show"] for one in found["deciding_records"]]
    assert not [text for text in said if re.sub(r"\s+", " ", text).rstrip(".")[1:] not in shown]


def test_a_statement_cites_the_rows_events_and_signals_that_it_names():
    signal = {"name": "unit value", "value": 1.0, "why": "92 times the median of its heading", "evidence": ["row 2"]}
    found = export_case.finding(score={"factors": [{"name": "value", "signals": [signal]}]})
    exhibits = exhibits_of(found, {})
    assert exhibits.of_statement("papers name a cargo (row 3)") == [exhibits.rows["3"]]
    assert exhibits.of_statement("rows 1 to 3 agree") == [exhibits.rows[n] for n in "123"]
    assert exhibits.rows["2"] in exhibits.of_statement("92 times the median of its heading (fits rival readings too)")
    assert exhibits.events["00ff00ff00ff00ff"] in exhibits.of_statement("see event 00ff00ff00ff00ff")
    assert exhibits.of_statement("who owned it") == []
    assert (
        exhibits.of_statement("NOWHERE SHIPPING stands on a list") == exhibits.of_ids(["list L-1"]) == exhibits.listings
    )
    assert runs([5, 1, 2, 9, 8]) == [(1, 2), (5, 5), (8, 9)]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_source_rows_stand_as_they_were_read(tmp_path, line_end):
    run = sourced(tmp_path / "run", line_end)
    told = read_run(run)
    quotes = quotes_of(told.findings, [run / "in.csv"], told.inputs)
    assert sorted(quote.text for quote in quotes.values()) == sorted(ROWS)
    assert all(quote.agrees for quote in quotes.values())
    page = page_of(run, quotes=quotes)
    shown = check_closed(page).shown
    assert "LXWK02,=1+1 <b>,2" in shown and "名前" in shown and "agrees with the digest" in shown
    assert "not attached" in Page(page_of(run)).shown


def test_a_file_that_is_not_the_one_of_the_run_is_refused(tmp_path, capsys):
    run = sourced(tmp_path / "run")
    other = tmp_path / "in.csv"
    other.write_bytes((run / "in.csv").read_bytes().replace(b"LXWK02", b"LXWK99"))
    assert main(["case", "build", str(run), "--source", str(other)]) == 1
    assert "SHA-256 differs" in capsys.readouterr().err and not (run / "case.html").exists()


def test_a_row_that_differs_from_its_digest_is_marked(tmp_path):
    run = sourced(tmp_path / "run")
    changed = tmp_path / "in.csv"
    changed.write_bytes((run / "in.csv").read_bytes().replace(b"LXWK02", b"LXWK99"))
    told = read_run(run)
    quotes = quotes_of(told.findings, [changed], [])
    assert sorted(quote.agrees for quote in quotes.values()) == [False, True, True]
    assert "DIFFERS from the digest" in Page(page_of(run, quotes=quotes)).shown


def test_same_inputs_give_the_same_bytes_wherever_they_lie(run, tmp_path):
    first, second = tmp_path / "a.html", tmp_path / "b.html"
    assert main(["case", "build", str(run), "--out", str(first)]) == 0
    moved = run.rename(tmp_path / "moved")
    assert main(["case", "build", str(moved), "--out", str(second)]) == 0
    assert first.read_bytes() == second.read_bytes()
    page = first.read_text(encoding="utf-8")
    digest = hashlib.sha256((moved / "findings.json").read_bytes()).hexdigest()
    assert digest in page and "ab" * 32 in page and "/data/x" not in page and str(tmp_path) not in page


def test_maps_and_time_line_are_drawn_with_tracks(run):
    page = page_of(run, fixes=report_case.tracks())
    parsed = check_closed(page)
    assert [tag for tag, _ in parsed.elements].count("svg") >= 4
    assert 'aria-label="Map of the silence"' in page and "Timeline of the finding" in page


def test_positions_that_the_run_kept_become_ways_on_the_map(run):
    from luxwake.store import write_parquet

    bare = page_of(run)
    write_parquet(report_case.tracks(), run / "fixes.parquet")
    told = read_run(run)
    fixes = told.fixes()
    tracks = told.tracks(told.findings, fixes)
    assert fixes is not None and {track.mmsi for track in tracks} <= set(fixes["mmsi"].tolist())
    assert any(track.t for track in tracks) and all(list(track.t) == sorted(track.t) for track in tracks)
    assert main(["case", "export", str(run), "--to", "geojson", "--quiet"]) == 0
    features = json.loads((run / "case.geojson").read_text(encoding="utf-8"))["features"]
    ways = [one for one in features if one["properties"]["layer"] == "tracks"]
    assert ways and all(one["properties"]["fixes"] >= 2 for one in ways)
    assert 'class="track ship"' in page_of(run, fixes=fixes) and 'class="track ship"' not in bare


def test_one_file_for_several_findings_keeps_their_exhibits_apart(tmp_path):
    run = export_case.run_folder(tmp_path / "run", export_case.finding(), export_case.finding(id="b" * 16, rank=2))
    parsed = check_closed(page_of(run))
    ids = {a["id"] for _, a in parsed.elements if "id" in a}
    assert {"F1-E-1", "F2-E-1"} <= ids
    assert "F2-E-1" not in page_of(run, "b" * 16)
    assert "no findings" in page_of(export_case.run_folder(tmp_path / "none"))


@pytest.mark.parametrize("payload", [*PAYLOADS, "\ud800", "\ufffe", "x" * 1_000_000], ids=lambda text: repr(text[:12]))
def test_text_of_strangers_stays_text(tmp_path, payload):
    run = export_case.run_folder(tmp_path / "run", export_case.poisoned(export_case.finding(), payload))
    page = page_of(run, title=payload)
    assert not set(check_closed(page).shown) & set("\x00\x1b\u202e\ufffe")
    assert len(page.encode()) < 5_000_000


objects = st.dictionaries(
    st.sampled_from("leg rows vessel kind id lat lon t_start text evidence for against why name value signals".split()),  # noqa: SIM905
    st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=2),
    max_size=3,
)


@settings(max_examples=40)
@given(st.fixed_dictionaries({}, optional={key: st.lists(objects, max_size=2) for key in (
    "chain", "events", "goods", "claims", "evidence", "hypotheses", "deciding_records", "return_cargo", "listed",
)}))  # fmt: skip
def test_a_finding_of_any_shape_ends_in_a_closed_page_or_in_a_refusal(tmp_path_factory, found):
    folder = export_case.run_folder(tmp_path_factory.mktemp("case") / "run", {"id": "f", **found})
    try:
        page = page_of(folder)
    except InputError as error:
        assert re.search(r"finding 1: [a-z_]+[\[.]?.* is no ", str(error))
    else:
        check_closed(page)


def test_show_prints_findings_and_exhibits(run, capsys):
    assert main(["case", "show", str(run)]) == 0
    assert "Findings" in capsys.readouterr().out
    assert main(["case", "show", str(run), "1", "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told[0]["type"] == "finding" and told[1]["exhibit"] == "E-1"


def test_export_names_its_file_after_the_format(run, capsys):
    for to, name in {"gexf": "case.gexf", "excel": "case.xlsx", "i2": "case.i2", "ftm": "case.ftm.json"}.items():
        assert main(["case", "export", str(run), "--to", to, "--json"]) == 0
        assert (run / name).exists()
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["to"] for one in told if one["type"] == "export"] == ["gexf", "excel", "i2", "ftm"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["build", "nowhere"], 1, "no such file; give the folder"),
        (["build", "run", "zzz"], 2, "is no finding"),
        (["build", "run", "--source", "none.csv"], 1, "no exhibit stands in a file of this name"),
        (["build", "broken"], 1, "cannot be read as JSON"),
        (["build", "strange"], 1, "has no list of findings"),
        (["export", "run", "--to", "gexf", "--out", "no/such/x.gexf"], 1, "cannot be written"),
        (["export", "run", "--to", "anx"], 2, "invalid choice"),
        (["build"], 2, "required"),
        (["build", "run", "--out", "run/findings.json"], 2, "is an input of the case"),
        (["build", "many"], 2, "too many for one dossier; name at most 50"),
    ],
)
def test_it_ends_in_one_line_that_says_why(run, monkeypatch, capsys, arguments, code, says):
    monkeypatch.chdir(run.parent)
    many = json.dumps({"findings": [{"id": f"{n:016x}"} for n in range(51)]})
    for name, text in {"broken": "[" * 100_000, "strange": '{"findings": 3}', "many": many}.items():
        (run.parent / name).mkdir()
        (run.parent / name / "findings.json").write_text(text)
    try:
        assert main(["case", *arguments]) == code
    except SystemExit as end:
        assert end.code == code
    told = capsys.readouterr().err.strip().splitlines()
    assert says in told[-1] and len(told) == 1
