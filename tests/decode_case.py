"""x"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from luxwake.cli import main

SENTENCES = [
    "!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23",
    "\\s:st1,c:1538352000*01\\!AIVDM,1,1,,B,13HOI:0P0000VOHLCnHQKwvL05Ip,0*20",
    "!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*24",  # the checksum differs
]


def decode(capsys: pytest.CaptureFixture[str], *argv: object) -> dict[str, object]:
    """Run the command with `--json`; its summary."""
    capsys.readouterr()
    assert main(["decode", *map(str, argv), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return next(line for line in lines if line["type"] == "summary")


def rows_of(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
