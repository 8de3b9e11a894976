"""Records to the table of events: distance to shore, nearest port, place filters, ids and order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.detector import DerivedDetector, Detector
from detectors.event import EVENT, LABELS, LOITERING, PORT_CALL, VOYAGE, WAITING, event_id
from detectors.registry import kind_code, registered
from geo.anchorages import Anchorages
from geo.coast import shore_distance_m
from geo.ports import nearest_port, ports

NEAR_PORT_M = 10_000.0
"""An event this close to a port names it."""


def params_digest(params: dict[str, Any]) -> str:
    """A short digest of a detector's parameters: events found with others have other ids."""
    return hashlib.blake2b(json.dumps(params, sort_keys=True).encode(), digest_size=4).hexdigest()


AnyDetector = Detector | DerivedDetector


def _kinds(detector: AnyDetector) -> list[int]:
    return [kind_code(kind) for kind in detector.kinds]


def event_order(records: NDArray[Any]) -> NDArray[np.int64]:
    """Rows in the order of the table: by start, kind, vessels, label and end."""
    keys = ("t_end", "label", "other_hull", "other", "hull", "mmsi", "kind", "t_start")
    return np.lexsort([records[name] for name in keys])


def sorted_events(records: NDArray[Any]) -> NDArray[Any]:
    """Records in the order of the table."""
    return records[event_order(records)]


def well_placed(records: NDArray[Any], detectors: Sequence[AnyDetector]) -> tuple[NDArray[Any], dict[str, int]]:
    """The records with their distance to shore, less those nearer to it than their detector allows; these counted."""
    records, left_out, counts = placed(records, detectors)
    return records[~left_out], counts


def placed(
    records: NDArray[Any], detectors: Sequence[AnyDetector]
) -> tuple[NDArray[Any], NDArray[np.bool_], dict[str, int]]:
    """The records with their distance to shore, which of them to leave out, and how many for each detector."""
    records = records.view(np.ndarray).copy()
    records["shore_m"] = shore_distance_m(records["lat"], records["lon"])
    left_out = np.zeros(records.size, np.bool_)
    counts = {}
    for detector in detectors:
        least = getattr(detector.params, "min_shore_m", 0.0)
        if least > 0 and not detector.settles_place:  # 0 looks everywhere, in harbours on the map's land too
            too_near = np.isin(records["kind"], _kinds(detector)) & (records["shore_m"] < least)
            left_out |= too_near
            if too_near.any():
                counts[f"{detector.name} nearer to shore than {least / 1000:.0f} km"] = int(np.count_nonzero(too_near))
    return records, left_out, counts


def _anchorage_rows(records: NDArray[Any], anchorages: Anchorages) -> NDArray[Any]:
    """The anchorage of each event, -1 none: as the detector says, else the one that holds the position."""
    slow = np.isin(records["kind"], (LOITERING, WAITING))
    return np.where(slow, records["anchorage"], anchorages.at(records["lat"], records["lon"]))


def _ids(records: NDArray[Any], detectors: Sequence[AnyDetector]) -> NDArray[np.str_]:
    """The name of each event."""
    naming = {}
    for detector in detectors:
        digest = params_digest(detector.params_dict())
        naming.update(dict.fromkeys(_kinds(detector), (detector.kinds[0], detector.label_in_id, digest)))
    ids = []
    names = ("kind", "label", "mmsi", "hull", "other", "other_hull", "t_start")
    for kind, label, *who, t_start in zip(*(records[name].tolist() for name in names), strict=True):
        word, labelled, digest = naming[kind]
        mmsi, hull, other, other_hull = who
        word = f"{word}:{LABELS[label]}" if labelled else word
        ids.append(event_id(word, mmsi, hull, other, other_hull, t_start, digest))
    return np.array(ids, "U16")


@cache
def _port_codes() -> NDArray[np.str_]:
    """The code of each port by its row; row -1 has none."""
    return np.array([*(port.locode for port in ports()), ""])


def _fact_columns(records: NDArray[Any], codes: NDArray[np.str_]) -> dict[str, NDArray[Any]]:
    """A column for each fact of any detector, NaN for the events of others; of ports their `codes`."""
    columns: dict[str, NDArray[Any]] = {}
    for detector in registered().values():
        own = np.isin(records["kind"], [kind_code(kind) for kind in detector.kinds])
        for k, name in enumerate(detector.facts):
            column = columns.setdefault(name, np.full(records.size, np.nan, np.float32))
            column[own] = records["facts"][own, k]
    for name in columns:
        if name.endswith("_port"):
            columns[name] = codes[np.nan_to_num(columns[name], nan=-1.0).astype(np.int64)]
    return columns


def event_columns(
    records: NDArray[Any], detectors: Sequence[AnyDetector], anchorages: Anchorages | None = None
) -> dict[str, NDArray[Any]]:
    """Columns of `Events` from sorted records: names of ports and anchorages, ids, facts by their names."""
    near, _ = nearest_port(records["lat"], records["lon"], NEAR_PORT_M)
    row = np.where(np.isin(records["kind"], (PORT_CALL, VOYAGE)), records["port"], near)
    codes = _port_codes()
    places = anchorages if anchorages is not None else Anchorages()
    in_place = _anchorage_rows(records, places)
    texts = {
        "port": codes[row],
        "anchorage": np.array([*(place.id for place in places), ""])[in_place],
        "anchorage_name": np.array([*(place.name for place in places), ""])[in_place],
    }
    columns: dict[str, NDArray[Any]] = {"id": _ids(records, detectors)}
    for name in EVENT.names or ():
        if name != "facts":
            columns[name] = texts.pop(name) if name in texts else np.ascontiguousarray(records[name])
    return columns | texts | _fact_columns(records, codes)
