"""Forms of AIS in JSON: which object is whose, and where each keeps the fields of a row.

Objects come with all numbers as the texts that they were (see `json_rows`). Each form is turned into the values of one
row, in the order of `COLUMNS`, and is then read as a row of a CSV is, so that sentinels, units, words and reasons are
the same in both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from ais.csv_layout import divisors_of
from ais.csv_names import FIELDS, columns_of_header, publisher_of

COLUMNS = tuple(field for field in FIELDS if field != "ms")
_AT = {field: k for k, field in enumerate(COLUMNS)}
_BLANK: list[Any] = [""] * len(COLUMNS)

JSON_FORMATS = ("aisstream", "ais-catcher", "aishub-json", "marinetraffic-json", "vesselfinder-json", "json")
"""Names of the forms, as `sniff` gives them; a form of a publisher of CSV too has its name with "-json"."""

Object = dict[str, Any]
Row = list[Any]

# aisstream.io names the fields as the Go package that it decodes with. Messages not listed here hold neither a position
# nor a vessel's identity.
_POSITION = {"lat": "Latitude", "lon": "Longitude", "sog": "Sog", "cog": "Cog", "heading": "TrueHeading"}
_IDENTITY = {"name": "Name", "ship_type": "Type"}
_AISSTREAM: dict[str, dict[str, str]] = {
    "PositionReport": {**_POSITION, "nav_status": "NavigationalStatus"},
    "LongRangeAisBroadcastMessage": {**_POSITION, "nav_status": "NavigationalStatus"},
    "StandardClassBPositionReport": _POSITION,
    "ExtendedClassBPositionReport": {**_POSITION, **_IDENTITY},
    "StandardSearchAndRescueAircraftReport": _POSITION,
    "ShipStaticData": {
        **_IDENTITY, "imo": "ImoNumber", "callsign": "CallSign", "draught": "MaximumStaticDraught",
        "destination": "Destination",
    },
    "BaseStationReport": _POSITION,
    "AidsToNavigationReport": _POSITION,
}  # fmt: skip
_REPORT_B = {"callsign": "CallSign", "ship_type": "ShipType"}
_SIZES = {"to_bow": "A", "to_stern": "B", "to_port": "C", "to_starboard": "D"}
_ETA = {"eta_month": "Month", "eta_day": "Day", "eta_hour": "Hour", "eta_minute": "Minute"}

_CATCHER = {
    "mmsi": "mmsi", "lat": "lat", "lon": "lon", "sog": "speed", "cog": "course", "heading": "heading",
    "nav_status": "status", "msg_type": "type", "imo": "imo", "callsign": "callsign", "name": "shipname",
    "ship_type": "shiptype", "to_bow": "to_bow", "to_stern": "to_stern", "to_port": "to_port",
    "to_starboard": "to_starboard", "draught": "draught", "destination": "destination", "eta_month": "month",
    "eta_day": "day", "eta_hour": "hour", "eta_minute": "minute",
}  # fmt: skip


def form_of(made: Object) -> str:
    """The form of an object, one of `JSON_FORMATS`, empty where it is none of them.

    >>> form_of({"MessageType": "PositionReport", "MetaData": {}, "Message": {}})
    'aisstream'
    >>> form_of({"AIS": {"MMSI": "1", "TIMESTAMP": "", "LATITUDE": "1", "LONGITUDE": "1", "NAVSTAT": "0", "SRC": ""}})
    'vesselfinder-json'
    """
    if "MessageType" in made and "Message" in made:
        return "aisstream"
    if made.get("class") == "AIS" or made.get("protocol") == "jsonaiscatcher":
        return "ais-catcher"
    if "FORMAT" in made and ("USERNAME" in made or "ERROR" in made):
        return "aishub-json"
    flat = made.get("AIS")
    names = list(flat if isinstance(flat, dict) else made)
    found = columns_of_header(names)
    if "mmsi" not in found or "t" not in found or not {"lat", "lon"} & found.keys():
        return ""
    name = publisher_of(names)
    return f"{name}-json" if f"{name}-json" in JSON_FORMATS else "json"


def units_of(form: str, made: Object) -> str:
    """The publisher whose units a form has, for `divisors_of`: "" for degrees, knots and metres."""
    name = form.removesuffix("-json")
    if name != "aishub":
        return name if divisors_of(name, "").size else ""
    return name if made.get("FORMAT") == "AIS" or str(made.get("TIME", "")).isdecimal() else ""


def aisstream_row(made: Object) -> Row | None:
    """A message of aisstream.io as a row; None for a type without a position or an identity, or a damaged one.

    What `MetaData` says of a ship is what the service knows, not what the message holds; only its time is used.
    """
    kind = made["MessageType"]
    message, meta = made["Message"], made.get("MetaData") or made.get("Metadata")
    if not isinstance(message, dict) or not isinstance(meta, dict):
        return None
    body = message.get(kind)
    if not isinstance(body, dict):
        return None
    row = _BLANK.copy()
    row[0], row[1], row[_AT["msg_type"]] = meta.get("time_utc"), body.get("UserID"), body.get("MessageID")
    if kind == "StaticDataReport":
        for part, fields in (("ReportA", {"name": "Name"}), ("ReportB", _REPORT_B)):
            report = body.get(part)
            if isinstance(report, dict) and report.get("Valid") is not False:
                _fill(row, fields, report)
                _fill(row, _SIZES, report.get("Dimension"))
        return row
    if kind not in _AISSTREAM:
        return None
    _fill(row, _AISSTREAM[kind], body)
    if "Dimension" in body:
        _fill(row, _SIZES, body["Dimension"])
        _fill(row, _ETA, body.get("Eta"))
    return row


def _fill(row: Row, keys: Mapping[str, str], made: Any) -> None:
    """Copy the values of some keys to their columns."""
    if isinstance(made, dict):
        for field, key in keys.items():
            row[_AT[field]] = made.get(key, "")


def catcher_row(made: Object) -> Row:
    """The decoded fields of an AIS-catcher message as a row."""
    row = _BLANK.copy()
    _fill(row, _CATCHER, made)
    t = catcher_time(made)
    row[0] = "" if t is None else str(t)
    return row


def catcher_time(made: Object) -> int | None:
    """When AIS-catcher received a message, µs since 1970; None where it does not say.

    >>> catcher_time({"toa_ns": "1790467197359632123"}), catcher_time({"rxuxtime": "1790467197.5"})
    (1790467197359632, 1790467197500000)
    """
    ns = made.get("toa_ns")
    if isinstance(ns, str) and ns.isdecimal():
        return int(ns[:22]) // 1000
    for key in ("toa", "rxuxtime"):
        whole, _, fraction = str(made.get(key, "")).partition(".")
        if whole.isdecimal() and len(whole) <= 12 and (not fraction or fraction.isdecimal()):
            return int(whole) * 1_000_000 + int(fraction[:6].ljust(6, "0"))
    try:
        moment = datetime.strptime(str(made.get("rxtime")), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return round(moment.timestamp()) * 1_000_000


class FlatRows:
    """Turns flat objects, all of one publisher, into rows; the columns of each set of keys are worked out once."""

    def __init__(self, columns: Mapping[str, str] | None = None) -> None:
        self._columns = columns
        self._getters: dict[tuple[str, ...], tuple[list[int], Callable[[Object], tuple[Any, ...]]]] = {}

    def __call__(self, made: Object) -> Row | None:
        """The row of an object; None where it names no MMSI, or neither time nor position."""
        inner = made.get("AIS")
        if isinstance(inner, dict):
            made = inner
        keys = tuple(made)
        if keys not in self._getters:
            if len(self._getters) > 1000:  # keys that change with each object
                self._getters.clear()
            found = columns_of_header(keys, self._columns)
            found.pop("ms", None)
            names = [keys[place] for place in found.values()] or [""]
            getter: Callable[[Object], tuple[Any, ...]] = itemgetter(
                *names, *names[:1]
            )  # of one name alone it would not give a tuple
            self._getters[keys] = [_AT[field] for field in found], getter
        places, values_of = self._getters[keys]
        if _AT["mmsi"] not in places:
            return None
        row = _BLANK.copy()
        for place, value in zip(places, values_of(made), strict=False):
            row[place] = value
        return row
