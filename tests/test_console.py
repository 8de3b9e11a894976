"""The console: plain where it is not a terminal, closed to what strangers send, JSON lines for programs."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import report_case

from luxwake.console import Console, print_json_lines, printable, vessel_names

ROOT = Path(__file__).parents[1]
SHOW = """
import os, sys
import numpy as np
from geo.grid import open_grid
sys.path.insert(0, "tests")
import report_case
from luxwake.console import Console
console = Console()
with console.progress("decode", 10) as bar:
    bar.advance(4)
    bar.advance(6)
with console.grids():
    open_grid("reefs", [os.urandom(8)], lambda tell: tell(0.5) or {"depth": np.ones(1)})
console.stage("decode", 1.25, "12 lines")
console.events(report_case.events())
console.findings(report_case.findings())
"""


def on_terminal(**environment: str) -> str:
    """What the script prints on a terminal of its own."""
    master, slave = pty.openpty()
    env = (
        {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        | {"TERM": "xterm-256color"}
        | environment
    )
    process = subprocess.Popen([sys.executable, "-c", SHOW], stdout=slave, stderr=slave, cwd=ROOT, env=env)
    os.close(slave)
    seen = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # Linux says EIO when the other side is closed
            break
        if not part:
            break
        seen += part
    os.close(master)
    assert process.wait() == 0, seen.decode()
    return seen.decode()


def test_plain_where_it_is_not_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    with console.progress("decode", 3) as bar:
        bar.advance(3)
    console.stage("decode", 1.25, "12 lines")
    console.events(report_case.events())
    console.findings(report_case.findings())
    console.counts("Rejected", {"checksum differs": 12, "too long": 1_300})
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert err.split() == ["decode", "1.2", "s", "12", "lines"]
    for words in ("dark", "SEA LARK 5", "18.1 d", "0.62 to 0.88", "not proven", "1,300"):
        assert words in out


def test_colours_and_bars_on_a_terminal_and_none_under_no_color() -> None:
    coloured = on_terminal()
    assert "\x1b[1m" in coloured and "10/10" in coloured and "building grid: reefs (once)" in coloured
    plain = on_terminal(NO_COLOR="1")
    assert "\x1b[3" not in plain.replace("\x1b[3A", "") and "\x1b[38" not in plain


def test_json_lines_hold_everything(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(json=True)
    with console.progress("decode", 3) as bar:
        bar.advance(3)
    console.stage("decode", 1.23456, "12 lines")
    console.events(report_case.events())
    console.findings(report_case.findings())
    console.counts("Rejected", {"checksum differs": 12})
    console.note("done")
    out, err = capsys.readouterr()
    lines = [
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON")) for line in out.splitlines()
    ]
    types = [line["type"] for line in lines]
    assert types == ["stage", *["event"] * 6, "finding", "summary", "note"]
    assert lines[0]["seconds"] == 1.235 and lines[1]["t_start"].endswith("Z") and not err


def test_quiet_leaves_the_results(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(quiet=True)
    console.stage("decode", 1.0)
    console.note("a remark")
    console.findings({"findings": []})
    console.error("track.nmea: line 3: no such thing; give another")
    out, err = capsys.readouterr()
    assert out == "no findings\n"
    assert err == "luxwake: track.nmea: line 3: no such thing; give another\n"


@pytest.mark.parametrize(
    "sent", ["SEA\x1b[2JLARK", "[red]LARK[/red]", "[link=x]LARK", "LARK\r\n\x07", "\u202eLARK", "\x9b2JLARK"]
)
def test_names_by_radio_cannot_steer_the_terminal(sent: str, capsys: pytest.CaptureFixture[str]) -> None:
    events, findings = report_case.events(), report_case.findings()
    assert events.vessels is not None
    events.vessels.columns["name"] = events.vessels["name"].astype("S30")
    events.vessels["name"][:] = sent.encode()
    findings["findings"][0]["chain"][3]["vessel"]["name"] = sent
    findings["findings"][0]["conclusion"] = sent
    Console().events(events)
    Console().findings(findings)
    Console().counts("Rejected", {sent: 1})
    Console().error(sent)
    out, err = capsys.readouterr()
    assert not set(out + err) & {"\x1b", "\r", "\x07", "\u202e", "\x9b"}
    assert "LARK" in out
    if sent.startswith("[red]"):
        assert "[red]LARK[/red]" in out


def test_titles_and_heads_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Console().table("\x1b[2Jtitle", ("\x1b]0;head",), [("cell",)])
    out = capsys.readouterr().out
    assert "\x1b" not in out and "title" in out and "head" in out


def test_an_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Console(json=True).error("first\nsecond")
    assert capsys.readouterr() == ("", "luxwake: first second\n")


def test_json_never_holds_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_json_lines([{"score": float("nan")}], io.StringIO())


def test_no_events_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    Console().events(report_case.events_of([]))
    assert capsys.readouterr().out == "no events\n"


def test_vessels_without_a_name_keep_their_mmsi() -> None:
    events = report_case.events()
    assert events.vessels is not None
    events.vessels["name"][1] = b""
    assert vessel_names(events) == {report_case.LARK: "SEA LARK 5"}
    events.vessels = None
    assert vessel_names(events) == {}


def test_import_brings_in_nothing_heavy() -> None:
    script = "import sys, luxwake.console; print([m for m in ('rich', 'numpy', 'numba', 'duckdb') if m in sys.modules])"
    made: Any = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert made.stdout.strip() == "[]"


def test_printable_keeps_letters_of_all_scripts() -> None:
    assert printable("Находка 羅津 é") == "Находка 羅津 é"
