"""Names of columns: which field a column is, and which publisher a header belongs to.

Names are compared without case, spaces and signs, so `base_date_time`, `BaseDateTime` and `Base Date Time` are one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from geo.errors import UsageError

FIELDS = (
    "t", "mmsi", "lat", "lon", "sog", "cog", "heading", "nav_status", "msg_type", "ms", "class",
    "imo", "callsign", "name", "ship_type", "length", "width", "to_bow", "to_stern", "to_port", "to_starboard",
    "draught", "destination", "eta", "eta_month", "eta_day", "eta_hour", "eta_minute",
)  # fmt: skip
"""Fields of a row that are read: the time, the numbers (`ms` is added to the time), the class of the transmitter, and
from `imo` on the static ones."""

# From section 4 of the reference: NOAA, DMA, Spire, exactEarth, Statsat, Kystverket, AISHub, MarineTraffic,
# VesselFinder, Global Fishing Watch. In a field the first name that a header has wins.
_NAMES = {
    "t": "t basedatetime timestamp timestamputc datetime datetimeutc dateandtime time timeutc utc utctime "
    "aispostimestamp postimestamp positiontimestamp positiontime dtposutc dateutc eventtime msgtime send ts",
    "mmsi": "mmsi mmsinumber ssvid usermmsi sourcemmsi vesselmmsi shipmmsi userid vesselid shipid id",
    "lat": "lat latitude latdeg latitudedeg latitudedegrees latdd y",
    "lon": "lon long longitude lng londeg longitudedeg longitudedegrees londd x",
    "sog": "sog sogkn sogknots speedoverground speedoverground speed speedkn speedknots speedkts",
    "cog": "cog cogdeg courseoverground course coursedeg",
    "heading": "heading trueheading headingdeg trueheadingdeg hdg hdgdeg",
    "nav_status": "navstatus navigationalstatus navigationstatus navstat nav status",
    "msg_type": "msgtype messagetype messageid messagenr",
    "ms": "millisecond milliseconds",
    "class": "transceiverclass transcieverclass transceiver typeofmobile aisclass class",
    "imo": "imo imonumber imonr imono",
    "callsign": "callsign ircs",
    "name": "vesselname shipname name",
    "ship_type": "vesseltype shiptype shiptypecode shipandcargotype category type",
    "length": "length lengthm shiplength vessellength",
    "width": "width widthm beam beamm shipwidth vesselwidth",
    "to_bow": "tobow dimensiontobow a",
    "to_stern": "tostern dimensiontostern b",
    "to_port": "toport dimensiontoport c",
    "to_starboard": "tostarboard dimensiontostarboard d",
    "draught": "draught draft draughtm draftm",
    "destination": "destination dest",
    "eta": "etaais eta",
    "eta_month": "etamonth",
    "eta_day": "etaday",
    "eta_hour": "etahour",
    "eta_minute": "etaminute",
}
ALIASES = {field: tuple(_NAMES[field].split()) for field in FIELDS}
"""Names of a field in a header, lower case, without spaces and signs."""

NEEDED = {"t": "time", "mmsi": "MMSI", "lat": "latitude", "lon": "longitude"}

SIGNATURES = {
    "noaa": "mmsi basedatetime lat lon",
    "noaa-2025": "mmsi basedatetime latitude longitude",
    "dma": "timestamp typeofmobile mmsi latitude longitude",
    "exactearth": "mmsi messageid time millisecond longitude latitude basestation",
    "spire": "createdat timestamp mmsi latitude longitude collectiontype",
    "statsat": "mmsi lon lat datetimeutc messagenr",
    "kystverket": "mmsi imonr datetimeutc",
    "aishub": "mmsi time longitude latitude navstat pac",
    "marinetraffic": "mmsi lat lon speed timestamp dsrc",
    "vesselfinder": "mmsi timestamp latitude longitude navstat src",
    "gfw-training": "mmsi timestamp distancefromshore distancefromport lat lon isfishing",
    "gfw": "ssvid timestamp lat lon",
}
"""Names that the header of each publisher has; the first that fits wins."""
_SIGNATURES = {name: frozenset(names.split()) for name, names in SIGNATURES.items()}


def normal(name: str) -> str:
    """A column name without case, spaces and signs.

    >>> normal("# Time-Stamp"), normal("BaseDateTime")
    ('timestamp', 'basedatetime')
    """
    return re.sub(r"[^a-z0-9]", "", name.lower())


def columns_of_header(names: Sequence[str], given: Mapping[str, str] | None = None) -> dict[str, int]:
    """For each field that the header names, its column; `given` names the columns of some fields.

    A column of `given` that the header has not is left out; it is for the caller to say so.

    >>> columns_of_header(["MMSI", "BaseDateTime", "LAT", "LON"])
    {'t': 1, 'mmsi': 0, 'lat': 2, 'lon': 3}
    >>> columns_of_header(["when", "who", "lat", "lon"], {"t": "when", "mmsi": "Who"})
    {'t': 0, 'mmsi': 1, 'lat': 2, 'lon': 3}
    """
    given = given or {}
    exact = {name.strip(): place for place, name in reversed(list(enumerate(names)))}
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(normal(name), place)
    taken = {exact.get(name, places.get(normal(name))) for name in given.values()}
    found = {}
    for field, aliases in ALIASES.items():
        column: int | None
        if field in given:
            column = exact.get(given[field], places.get(normal(given[field])))
        else:
            column = next((places[alias] for alias in aliases if places.get(alias) not in (None, *taken)), None)
        if column is not None:
            found[field] = column
    return found


def publisher_of(names: Sequence[str]) -> str:
    """Whose layout the names of a header are, "csv" for nobody's.

    >>> publisher_of(["MMSI", "BaseDateTime", "LAT", "LON"])
    'noaa'
    """
    known = {normal(name) for name in names}
    return next((name for name, needed in _SIGNATURES.items() if needed <= known), "csv")


def parse_columns(text: str) -> dict[str, str]:
    """The text of `--columns`, `field=column,...`, as a mapping.

    Parameters
    ----------
    text : fields of `FIELDS`, each with the column that holds it; a comma in a name is written as two

    Raises
    ------
    UsageError
        For a part without `=`, an unknown field, or a field that is given twice.

    Examples
    --------
    >>> parse_columns("lat=Y,lon=X,t=Date (UTC)")
    {'lat': 'Y', 'lon': 'X', 't': 'Date (UTC)'}
    """
    columns: dict[str, str] = {}
    for part in text.replace(",,", "\0").split(","):
        field, equals, name = part.replace("\0", ",").partition("=")
        field, name = field.strip(), name.strip()
        if not equals or not name or not field:
            raise UsageError(f"columns: {part.strip()!r} is not field=column; write for example lat=Y,lon=X,t=when")
        if field in columns:
            raise UsageError(f"columns: {field} is given twice, as {columns[field]} and {name}; leave one out")
        columns[field] = name
    check_columns(columns)
    return columns


def check_columns(columns: Mapping[str, str] | None) -> None:
    """Refuse fields that there are not."""
    for field in columns or ():
        if field not in FIELDS:
            raise UsageError(f"columns: no field {field!r}; there are {', '.join(FIELDS)}")
