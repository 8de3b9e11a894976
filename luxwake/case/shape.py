"""The shape of a finding in findings.json, as far as a case reads it: what another shape would make of a dossier is a
page of nonsense, so it is refused with its place. Keys that are not named here may hold anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

_SHAPES = {
    "finding": "id:text title:text conclusion:text rank:whole score:{score} goods:[goods] chain:[leg] "
    "balance:[balance] events:[event] claims:[claim] evidence:[line] unknown:list innocent:list "
    "deciding_records:[record] hypotheses:[rival] reach:{reach} return_cargo:[leg] parameters:{any} listed:any "
    "revision:{revision} history:[revision]",
    "revision": "number:whole status:text changes:list why:list lower:number upper:number run:text",
    "score": "lower:number upper:number known:number coverage:number factors:[factor]",
    "factor": "name:text lower:number upper:number known:number coverage:number signals:[signal]",
    "signal": "name:text value:number why:text evidence:list",
    "goods": "description:text hs_code:text quantity:number value_usd:number vin:text container:text",
    "leg": "leg:plain rows:list bl_number:text load_port:text load_name:text load_lat:number load_lon:number "
    "discharge_port:text discharge_name:text discharge_lat:number discharge_lon:number t_depart:text t_arrive:text "
    "vessel:{vessel} arrived:plain arrived_why:text shipper:text consignee:text description:text cleared:plain "
    "link:{link} hs_code:text quantity:number gross_weight_kg:number",
    "vessel": "name:text imo:plain mmsi:whole method:text probability:number margin:number candidates:[candidate]",
    "candidate": "name:text imo:plain mmsi:whole probability:number why:text",
    "link": "method:text gap_days:number note:text alternatives:list",
    "balance": "port:text units_in:number units_out:number remainder:number",
    "event": "id:text kind:text relation:text leg:plain lat:number lon:number lat_end:number lon_end:number "
    "score:number coverage:number port:text distance_m:number open:plain mmsi:whole other:whole anchorage:text "
    "t_start:text t_end:text zones:plain",
    "claim": "subject:text predicate:text values:[value]",
    "value": "value:plain source:text row:plain",
    "line": "what:text file:text offset:whole row:plain note:text",
    "record": "record:text holder:text would_show:text",
    "rival": "id:text text:text lower:number upper:number for:list against:list",
    "reach": "event:text speed_kn:number hours:number bands:[band] ports:[port] ports_total:whole meetings:[meeting] "
    "assumptions:list",
    "band": "area:{any} least_stay_h:number area_nmi2:number",
    "port": "country:text locode:text name:text lat:number lon:number earliest:text latest:text slack_h:number "
    "probability:number passages:list risk:plain distance_nmi:number",
    "meeting": "mmsi:whole lat:number lon:number t_from:text t_to:text",
    "any": "",
}  # fmt: skip
_MAX = 2**62
_KEYS = {name: dict(part.split(":") for part in keys.split()) for name, keys in _SHAPES.items()}


def misshapen(value: Mapping[str, Any], shape: str = "finding", place: str = "") -> Iterator[str]:
    """What is of another shape, one text each: its place, and what it should be. Null is always allowed.

    >>> list(misshapen({"chain": [{"vessel": 1}], "title": "A"}))
    ['chain[0].vessel is no object']
    """
    for key, kind in _KEYS[shape].items():
        part, here = value.get(key), f"{place}{key}"
        if part is None:
            continue
        if kind[0] == "{":
            if isinstance(part, Mapping):
                yield from misshapen(part, kind[1:-1], f"{here}.")
            else:
                yield f"{here} is no object"
        elif kind[0] == "[":
            listed = part if isinstance(part, list) else [part]
            for n, one in enumerate(listed):
                if isinstance(one, Mapping):
                    yield from misshapen(one, kind[1:-1], f"{here}[{n}].")
                else:
                    yield f"{here}[{n}] is no object"
        elif not _FITS[kind](part):
            yield f"{here} is no {kind}"


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MAX


def _number(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (not math.isfinite(value) or abs(value) < _MAX)
    )


_FITS = {
    "text": lambda value: isinstance(value, str),
    "whole": _whole,
    "number": _number,
    "list": lambda value: isinstance(value, list),
    "plain": lambda value: isinstance(value, str | bool) or _number(value),
    "any": lambda value: True,
}
