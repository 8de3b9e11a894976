"""The report: complete, closed to injection, the same bytes for the same inputs, right across 180 degrees."""

from __future__ import annotations

import base64
import copy
import hashlib
import re
from typing import Any

import numpy as np
import pytest
import report_case
from hypothesis import given
from hypothesis import strategies as st

from ais.table import Fixes
from detectors.event import DARK, Events
from geo.errors import OutputError
from luxwake.report import render, write_report
from luxwake.report.dossier import dossier
from luxwake.report.markup import element
from luxwake.report.page import MAX_DOSSIERS, TRAFFIC_POINTS
from luxwake.report.words import day_span, position, time_us
from tests.report_page import PAYLOADS, Page


@pytest.fixture(scope="module")
def page() -> str:
    return render(report_case.findings(), report_case.events(), report_case.tracks(), title="A case")


def poisoned(value: Any, payload: str) -> Any:
    """The same JSON with the payload put into every text, also into keys that hold times, codes and ids."""
    if isinstance(value, dict):
        return {key: poisoned(part, payload) for key, part in value.items()}
    if isinstance(value, list):
        return [poisoned(part, payload) for part in value]
    return payload if isinstance(value, str) else value


def check_closed(page: str) -> Page:
    """Nothing that could run or load is in the page but the style and the script that its policy names."""
    parsed = Page(page)
    assert not parsed.unmatched and not parsed.open
    assert {tag for tag, _ in parsed.elements} <= ALLOWED
    assert [tag for tag, _ in parsed.elements].count("script") == 1
    for _, attributes in parsed.elements:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("src", "style", "action", "srcset")
        ]
        for name in ("href", "fill"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "url(#"))
    return parsed


ALLOWED = frozenset(
    {"html", "head", "meta", "title", "style", "body", "script", "main", "header", "footer", "section", "article"}
    | {"h1", "h2", "h3", "h4", "h5", "p", "a", "b", "br", "small", "span", "code", "ul", "li", "dl", "dt", "dd", "div"}
    | {"table", "thead", "tbody", "tr", "th", "td", "details", "summary", "figure", "figcaption", "svg", "path"}
    | {"circle", "rect", "line", "text", "tspan", "g", "defs", "pattern"}
)


def test_page_is_well_formed_and_closed(page: str) -> None:
    check_closed(page)


def test_page_names_no_place_outside_itself(page: str) -> None:
    assert not re.search(r"https?:|[\"'(]//|@import|url\((?!#)", page, re.IGNORECASE)


def test_policy_allows_exactly_the_inline_style_and_script(page: str) -> None:
    policy = next(a["content"] for _, a in Page(page).elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    for tag in ("style", "script"):
        content = re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert content is not None
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_script_never_writes_html(page: str) -> None:
    script = re.search("<script>(.*?)</script>", page, re.DOTALL)
    assert script is not None
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(|fetch|XMLHttp", script[1])


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_of_strangers_stays_text(payload: str) -> None:
    findings = poisoned(report_case.findings(), payload)
    events = report_case.events()
    events.counts[payload], events.params[payload] = 1, payload
    events.sources = (payload,)
    assert events.vessels is not None
    events.vessels.columns["name"] = np.array([payload.encode()] * 2)
    events.columns["id"] = np.array([payload] * len(events))
    events.columns["port"] = np.array([payload] * len(events))
    parsed = check_closed(render(findings, events, report_case.tracks(), title=payload, stages=[(payload, 1.0)]))
    assert not re.search("[\x00\x1b\u202e]", parsed.shown)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_comes_out_of_the_parser_as_it_went_in(value: str) -> None:
    parsed = Page(element("p", element("b", value, title=value)))
    assert [tag for tag, _ in parsed.elements] == ["p", "b"]
    expected = re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", "\ufffd", value)
    assert parsed.elements[1][1]["title"] == expected
    assert "".join(parsed.words) == expected


def test_same_inputs_give_the_same_bytes_whatever_the_stages_took(page: str) -> None:
    again = render(report_case.findings(), report_case.events(), report_case.tracks(), title="A case")
    assert page == again
    slow = [("decode", 1.5), ("join", 9.25)]
    fast = [("decode", 0.1), ("join", 0.2)]
    first, second = (render({"findings": []}, report_case.events(), stages=stages) for stages in (slow, fast))
    assert first == second and "9.25" not in first


def test_a_finding_is_told_whole(page: str) -> None:
    shown = Page(page).shown
    found = report_case.finding()
    said = [found["title"], found["conclusion"], *found["unknown"], *found["innocent"]]
    said += [rival["text"] for rival in found["hypotheses"]]
    said += [record["would_show"] for record in found["deciding_records"]]
    said += [value["value"] for claim in found["claims"] for value in claim["values"] if "-" not in value["value"]]
    said += [
        "812,345",
        "shipments.csv",
        "SEA LARK 5",
        "Embassy car, cleared",
        "ab" * 32,
        "checksum differs",
        "0.62 to 0.88",
    ]
    missing = [words for words in said if re.sub(r"\s+", " ", words) not in shown]
    assert not missing


def test_each_map_has_its_layers(page: str) -> None:
    silence = page[page.index('aria-label="Map of the silence"') :]
    silence = silence[: silence.index("</figure>")]
    for style in (
        "land",
        "graticule",
        "reach",
        "dark-line",
        "track ship",
        "arrow ship",
        "traffic",
        "scale",
        "port-risk",
    ):
        assert f'class="{style}"' in silence, style
    assert "last heard" in silence and "heard again" in silence and "declared destination" in silence
    chain = page[page.index('aria-label="Map of the chain"') :]
    assert chain[: chain.index("</figure>")].count('class="arc"') >= 4


def test_the_map_of_the_silence_leaves_out_what_is_far_away() -> None:
    """A port call at Rotterdam months before is in the table of events and not on the map of the silence."""
    found = report_case.finding()
    call = found["events"][1] | {"mmsi": 477_000_001, "lat": 51.95, "lon": 4.05, "id": "f" * 16}
    found["events"].append(call | {"t_start": "2018-06-20T00:00:00Z", "t_end": "2018-06-20T16:00:00Z"})
    page = render({"findings": [found]}, report_case.events())
    silence = page[page.index('aria-label="Map of the silence"') :]
    silence = silence[: silence.index("</figure>")]
    assert silence.count('class="event port_call"') == 2  # the call at Busan, and the legend
    assert "f" * 16 in page


def test_a_claimed_day_is_a_day_and_an_hour_is_kept() -> None:
    found = report_case.finding()
    found["claims"][0]["values"][0]["value"] = "2018-09-18T00:00:00Z"
    found["claims"][0]["values"][1]["value"] = "2018-08-31T06:30:00Z"
    shown = Page(render({"findings": [found]}, Events({}))).shown
    assert "18 Sep 2018 customs" in shown and "31 Aug 2018, 06:30 press" in shown


def test_every_reason_for_which_input_was_not_used_is_counted() -> None:
    tracks = report_case.tracks()
    tracks.counts["line without an AIS sentence"] = 1_234
    shown = Page(render({"findings": []}, report_case.events(), tracks)).shown
    assert "line without an AIS sentence 1,234" in shown and "checksum differs 12" in shown


def test_one_port_call_far_away_does_not_shrink_the_map_of_events() -> None:
    rows = [
        {
            "kind": DARK,
            "mmsi": 1,
            "lat": 35.0,
            "lon": 130.0,
            "lat_end": 36.0,
            "lon_end": 131.0,
            "t_end": report_case.DAY,
        }
    ]
    near = render({"findings": []}, report_case.events_of(rows))
    far = render({"findings": []}, report_case.events_of([*rows, {"kind": 3, "mmsi": 2, "lat": 51.9, "lon": 4.0}]))
    lands = [re.search('<path d="([^"]*)" class="land"', page) for page in (near, far)]
    assert lands[0] and lands[1] and lands[0][1] == lands[1][1]
    assert "1 event on this map, of 2 in all" in Page(far).shown


def test_traffic_is_only_that_of_the_silence() -> None:
    tracks = report_case.tracks()
    later = tracks.take(tracks["t"] > report_case.T_AGAIN + report_case.HOUR)
    page = render(report_case.findings(), report_case.events(), later)
    assert "0 other ships were heard" in Page(page).shown


def test_unknown_is_never_shown_as_no() -> None:
    found = report_case.finding()
    page = render({"findings": [found]}, report_case.events())
    row = page[page.index("other prohibited trade") - 200 : page.index("other prohibited trade")]
    assert 'class="state unknown"' in row and 'class="state no"' not in row
    row = page[page.index("identity change") - 200 : page.index("identity change")]
    assert 'class="state no"' in row and 'class="state unknown"' not in row


def test_no_findings_still_shows_events_and_what_was_looked_for() -> None:
    parsed = check_closed(render({"findings": []}, report_case.events(), report_case.tracks()))
    assert "No findings" in parsed.shown and "Looked for" in parsed.shown
    assert "Map of all events" in parsed.shown and "Rendezvous" in parsed.shown


@pytest.mark.parametrize(
    "findings", [{}, {"findings": []}, {"findings": [{}]}, {"findings": [{"events": [{}], "chain": [{}]}]}]
)
def test_nothing_known_is_no_error(findings: dict[str, Any]) -> None:
    check_closed(render(findings, Events({})))
    check_closed(render(findings, report_case.events_of([]), Fixes({})))


def test_null_anywhere_in_a_finding_is_no_error() -> None:
    """Each kind of value of a finding in turn is null, as a writer that does not know it leaves it."""
    found = report_case.finding()
    found["reach"]["bands"][0]["area"] = None
    alike = {tuple(key for key in way if isinstance(key, str)): way for way in leaves(found)}
    assert len(alike) > 80
    for *way, last in alike.values():
        broken = copy.deepcopy(found)
        inner: Any = broken
        for key in way:
            inner = inner[key]
        inner[last] = None
        Page(dossier(broken, None, 1, 100))


def leaves(value: Any, way: tuple[Any, ...] = ()) -> Any:
    """The way to every value of a JSON that is no list and no object."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        if isinstance(part, (dict, list)):
            yield from leaves(part, (*way, key))
        else:
            yield (*way, key)


def test_many_findings_and_much_traffic_stay_small() -> None:
    noise = np.random.default_rng(3)
    n = 300_000
    columns = {
        "t": np.sort(noise.integers(report_case.T_DARK, report_case.T_AGAIN, n)),
        "mmsi": noise.integers(400_000_000, 400_000_500, n),
        "lat": noise.uniform(34.0, 43.0, n),
        "lon": noise.uniform(125.0, 137.0, n),
    }
    found = [report_case.finding() | {"id": f"{k:016x}", "rank": k + 1} for k in range(4)]
    page = render({"findings": found}, report_case.events(), Fixes(columns))
    dots = sum(len(re.findall("h0", path)) for path in re.findall('<path d="([^"]*)" class="traffic"', page))
    assert 0 < dots <= TRAFFIC_POINTS
    assert len(page.encode()) < 3_000_000


def test_findings_beyond_the_limit_stand_in_the_summary() -> None:
    found = [{"title": f"Finding number {k}", "rank": k + 1} for k in range(MAX_DOSSIERS + 3)]
    page = render({"findings": found}, Events({}))
    assert page.count("<article") == MAX_DOSSIERS
    assert f"Finding number {MAX_DOSSIERS + 2}" in page and f"The first {MAX_DOSSIERS} of" in page


def test_report_is_written_whole_or_not_at_all(tmp_path: Any) -> None:
    target = write_report(tmp_path / "report.html", {"findings": []}, Events({}))
    before = target.read_bytes()
    assert before.endswith(b"</html>\n")
    with pytest.raises(OutputError, match=r"absent.*another place"):
        write_report(tmp_path / "absent" / "report.html", {"findings": []}, Events({}))
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize(("value", "words"), [((None, None), "unknown"), ((0, 0), "1 Jan 1970")])
def test_days_in_words(value: tuple[int | None, int | None], words: str) -> None:
    assert day_span(*value).replace("\N{NO-BREAK SPACE}", " ") == words


def test_times_that_are_none_are_none() -> None:
    assert [time_us(value) for value in ("", "2018-13-01", 3.5, -(2**63))] == [None] * 4


def test_position_rounds_up_to_the_next_degree() -> None:
    assert position(59.99999, -0.00001) == "60°00.0′N 000°00.0′W"
