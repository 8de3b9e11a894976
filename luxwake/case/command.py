"""What `luxwake case` does: build, show, export."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cargo.safe_text import safe
from geo.errors import UsageError
from geo.whole_file import write_text
from luxwake.case.exhibits import exhibits_of
from luxwake.case.folder import FILES, read_run
from luxwake.case.page import case_page
from luxwake.case.quotes import quotes_of

if TYPE_CHECKING:
    from luxwake.console import Console


MAX_FINDINGS = 50
"""Findings in one dossier: each takes some 400 KB and 20 pages."""
_WIDE = 52
"""Characters of a cell of the table of exhibits."""


def build(args: argparse.Namespace, console: Console) -> None:
    """Write the dossier of the chosen findings."""
    begin = time.perf_counter()
    run = read_run(args.folder)
    findings = run.chosen(args.findings)
    if len(findings) > MAX_FINDINGS:
        raise UsageError(
            f"{len(findings):,} findings are too many for one dossier; name at most {MAX_FINDINGS} of them"
        )
    path = _target(args.out or run.folder / "case.html", [*args.source, *(run.folder / name for name in FILES)])
    quotes = quotes_of(findings, args.source, run.inputs) if args.source else {}
    page = case_page(run, findings, run.fixes(), quotes, args.title)
    write_text(path, [page])
    console.stage("case", time.perf_counter() - begin, str(path))
    differ = sum(quote.agrees is False for quote in quotes.values())
    if differ:
        console.note(f"{differ:,} quoted rows differ from the digest of the run; the dossier marks each")
    _told(console, {"type": "case", "file": str(path), "findings": [one.get("id") for one in findings]})


def show(args: argparse.Namespace, console: Console) -> None:
    """Print the findings; of named ones the exhibits too."""
    run = read_run(args.folder)
    findings = [safe(one) for one in run.chosen(args.findings)]
    console.findings({"findings": findings})
    if not args.findings:
        return
    for finding in findings:
        exhibits = exhibits_of(finding, safe(run.parameters))
        width = None if console.json else _WIDE  # --json and the dossier have all of it
        rows = [(f"E-{one.number}", one.title[:width], _facts(one.facts)[:width]) for one in exhibits.items]
        console.table(f"Exhibits of {finding.get('id')}", ("exhibit", "what", "facts"), rows)


def _facts(facts: list[tuple[str, object]]) -> str:
    """What fits on a line of the terminal; definitions and thresholds stand in the dossier."""
    left_out = (
        "Definition",
        "Thresholds",
        "As read",
        "File",
        "Id",
        "Ships (MMSI)",
        "About",
        "Byte offset, unpacked",
        "Row",
    )
    known = [(name, value) for name, value in facts if name not in left_out and value not in (None, "")]
    return "; ".join(
        f"{name}: {', '.join(f'E-{n}' for n in value) or 'none' if isinstance(value, list) else value}"
        for name, value in known
    )


def export(args: argparse.Namespace, console: Console) -> None:
    """Write the chosen findings in the format of another tool."""
    from luxwake.export import FORMATS, Material, export_findings

    begin = time.perf_counter()
    run = read_run(args.folder)
    findings = run.chosen(args.findings)
    on_map = args.to in ("geojson", "gpkg")
    material = Material(findings, run.tracks(findings, run.fixes()) if on_map else ())
    out = _target(args.out or run.folder / f"case.{FORMATS[args.to].suffix}", [run.folder / name for name in FILES])
    written = export_findings(material, args.to, out)
    console.stage(args.to, time.perf_counter() - begin, ", ".join(map(str, written)))
    if on_map and not material.tracks:
        console.note("the ways of ships are left out: the run kept no positions; run with --fixes")
    _told(console, {"type": "export", "to": args.to, "files": [str(path) for path in written]})


def _target(out: str | Path, kept: Iterable[str | Path]) -> Path:
    """Where to write, which may be no file that the case is made from."""
    path = Path(out)
    if path.resolve() in {Path(one).resolve() for one in kept}:
        raise UsageError(f"--out {path} is an input of the case; choose another name")
    return path


def _told(console: Console, made: Mapping[str, Any]) -> None:
    from luxwake.console import print_json_lines

    if console.json:
        print_json_lines([made])
