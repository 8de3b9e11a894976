"""A made-up finding with everything that an export may meet, across 180 degrees; every party and number is invented."""

from __future__ import annotations

import copy
import json
from typing import Any

from report_case import finding as report_finding

SHA = ("a94212f94ae843eb", "e4cec41e1271dc57", "863a7dcbca897f95")


def finding(**other: Any) -> dict[str, Any]:
    """The case of the report's tests, with rows behind its legs, a list entry, and a silence across 180 degrees."""
    made = copy.deepcopy(report_finding())
    rows = [
        {"what": "shipment row", "file": "/data/x/shipments.csv", "offset": 200 * n, "row": n + 1,
         "note": f"BLAKE2b-64 of the line {sha}"}
        for n, sha in enumerate(SHA)
    ]  # fmt: skip
    made["evidence"] = [*rows, *made.get("evidence", [])]
    made["events"] = [
        *made.get("events", []),
        {"id": "00ff00ff00ff00ff", "kind": "dark", "mmsi": 671000101, "lat": 50.0, "lon": 179.5, "lat_end": 51.0,
         "lon_end": -179.0, "t_start": "2018-10-01T05:10:00Z", "t_end": "2018-10-03T05:10:00Z", "score": 0.9,
         "coverage": None, "relation": "carried during", "leg": 1, "port": "", "open": False, "other": None},
    ]  # fmt: skip
    made["listed"] = [
        {
            "id": "L-1",
            "name": "NOWHERE SHIPPING",
            "list": "A list",
            "listed_on": "2018-01-01",
            "party": "NOWHERE SHIPPING",
        }
    ]
    return made | other


def run_folder(folder: Any, *findings: dict[str, Any]) -> Any:
    """A folder as `luxwake run` leaves it, as far as a case needs it."""
    told = {
        "findings": list(findings),
        "inputs": [{"file": "day.nmea", "sha256": "ab" * 32, "bytes": 12}, {"file": "shipments.csv", "sha256": None}],
        "parameters": {"dark": {"min_gap_s": 21600}, "weights": {"value": 1.0}},
    }
    folder.mkdir(exist_ok=True)
    (folder / "findings.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


def poisoned(value: Any, payload: str) -> Any:
    """The same JSON with the payload in every text and key of a list, but for what tells an event's kind."""
    if isinstance(value, dict):
        return {key: part if key == "kind" else poisoned(part, payload) for key, part in value.items()}
    if isinstance(value, list):
        return [poisoned(part, payload) for part in value]
    return payload if isinstance(value, str) else value
