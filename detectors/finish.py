"""Records to the table of events: distance to shore, nearest port, place filters, ids and order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.detector import Detector
from detectors.event import DARK, EVENT, GAP, LOITERING, PORT_CALL, RENDEZVOUS, WAITING, event_id
from geo.anchorages import Anchorages
from geo.coast import shore_distance_m
from geo.ports import nearest_port, ports

NEAR_PORT_M = 10_000.0
"""An event this close to a port names it."""

_DETECTOR_OF = {
    LOITERING: "loitering", WAITING: "loitering", DARK: "dark", GAP: "dark", RENDEZVOUS: "rendezvous",
    PORT_CALL: "port_call",
}  # fmt: skip
_ONE_ID = {DARK: GAP, WAITING: LOITERING}
"""What a silence or slow hours are called depends on what else is known; the id does not."""


def params_digest(params: dict[str, Any]) -> str:
    """A short digest of a detector's parameters: events found with others have other ids."""
    return hashlib.blake2b(json.dumps(params, sort_keys=True).encode(), digest_size=4).hexdigest()


def _too_near(records: NDArray[Any], name: str, min_shore_m: float) -> NDArray[np.bool_]:
    kinds = [kind for kind, detector in _DETECTOR_OF.items() if detector == name]
    return np.asarray(np.isin(records["kind"], kinds) & (records["shore_m"] < min_shore_m), np.bool_)


def _anchorage_rows(records: NDArray[Any], anchorages: Anchorages) -> NDArray[Any]:
    """The anchorage of each event, -1 none: as the detector says, else the one that holds the position."""
    slow = np.isin(records["kind"], (LOITERING, WAITING))
    return np.where(slow, records["anchorage"], anchorages.at(records["lat"], records["lon"]))


def finish_events(
    records: NDArray[Any], detectors: Sequence[Detector], anchorages: Anchorages | None = None
) -> tuple[dict[str, NDArray[Any]], dict[str, int]]:
    """Columns of `Events`, sorted, and the number of events left out by their place."""
    params = {detector.name: detector.params_dict() for detector in detectors}
    records = records.view(np.ndarray).copy()
    records["shore_m"] = shore_distance_m(records["lat"], records["lon"])
    left_out = np.zeros(records.size, np.bool_)
    counts = {}
    for name in ("loitering", "rendezvous"):
        if name in params and params[name]["min_shore_m"] > 0:  # 0 looks everywhere, in harbours on the map's land too
            too_near = _too_near(records, name, params[name]["min_shore_m"])
            left_out |= too_near
            if too_near.any():
                distance = f"{params[name]['min_shore_m'] / 1000:.0f} km"
                counts[f"{name} nearer to shore than {distance}"] = int(np.count_nonzero(too_near))
    records = records[~left_out]
    order = np.lexsort([records[name] for name in ("t_end", "other_hull", "other", "hull", "mmsi", "kind", "t_start")])
    records = records[order]
    near, _ = nearest_port(records["lat"], records["lon"], NEAR_PORT_M)
    row = np.where(records["kind"] == PORT_CALL, records["port"], near)
    codes = np.array([*(port.locode for port in ports()), ""])
    digests = {kind: params_digest(params.get(name, {})) for kind, name in _DETECTOR_OF.items()}
    names = ("kind", "mmsi", "hull", "other", "other_hull", "t_start")
    ids = [
        event_id(_ONE_ID.get(kind, kind), mmsi, hull, other, other_hull, t_start, digests[kind])
        for kind, mmsi, hull, other, other_hull, t_start in zip(
            *(records[name].tolist() for name in names), strict=True
        )
    ]
    places = anchorages if anchorages is not None else Anchorages()
    in_place = _anchorage_rows(records, places)
    texts = {
        "port": codes[row],
        "anchorage": np.array([*(place.id for place in places), ""])[in_place],
        "anchorage_name": np.array([*(place.name for place in places), ""])[in_place],
    }
    columns: dict[str, NDArray[Any]] = {"id": np.array(ids, "U16")}
    for name in EVENT.names or ():
        columns[name] = texts.pop(name) if name in texts else np.ascontiguousarray(records[name])
    columns.update(texts)
    return columns, counts
