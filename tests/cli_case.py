"""x"""

from __future__ import annotations

import json
from typing import Any

import pytest

from luxwake.cli import main


def printed(capsys: pytest.CaptureFixture[str], *argv: str) -> list[dict[str, Any]]:
    """The JSON lines that a command prints; it must end with 0."""
    capsys.readouterr()
    assert main([*argv, "--json"]) == 0
    return [json.loads(line, parse_constant=pytest.fail) for line in capsys.readouterr().out.splitlines()]
