"""Records to payloads, by the tables of `ais.layouts`: what `ais.transmit` puts into sentences."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ais.layouts import LAYOUTS
from geo.kernel import inner, kernel

_TURN_UNKNOWN, _FIX_GPS = 128, 1
_ETA_UNKNOWN = (24 << 6) | 60  # month 0, day 0, hour 24, minute 60


def _widths(layout: str) -> NDArray[np.int64]:
    """Bits of each number of a message, by its table; a text is as many numbers of 6 bits."""
    widths: list[int] = []
    for field in LAYOUTS[layout].fields:
        widths += [6] * (field.width // 6) if field.kind == "t" else [field.width]
    return np.array(widths)


def _place(layout: str, name: str) -> int:
    """The first number of a field in such a message."""
    place = 0
    for field in LAYOUTS[layout].fields:
        if field.name == name:
            return place
        place += field.width // 6 if field.kind == "t" else 1
    raise KeyError(name)


_TYPE_1, _TYPE_5 = _widths("position_a"), _widths("voyage")
_TYPE_24A, _TYPE_24B, _TYPE_27 = _widths("static_b_name"), _widths("static_b"), _widths("long_range")
_A_STATUS, _A_TURN, _A_POSITION = (_place("position_a", name) for name in ("nav_status", "rot", "sog"))
_B_POSITION = _place("position_b", "sog")
_B_FLAGS, _B_RADIO = (_place("position_b", name) for name in ("carrier_sense", "radio_kind"))
_TYPE_18 = _widths("position_b")
_V_IMO, _V_CALLSIGN, _V_NAME, _V_TYPE, _V_SIZE, _V_ETA, _V_DRAUGHT, _V_DESTINATION = (
    _place("voyage", name)
    for name in ("imo", "callsign", "name", "ship_type", "to_bow", "eta_month", "draught", "destination")
)
_S_PART, _S_NAME = _place("static_b_name", "part"), _place("static_b_name", "name")
_S_TYPE, _S_CALLSIGN, _S_SIZE = (_place("static_b", name) for name in ("ship_type", "callsign", "to_bow"))
_L_STATUS, _L_POSITION = _place("long_range", "nav_status"), _place("long_range", "lon")
MOST_NUMBERS = max(widths.size for widths in (_TYPE_1, _TYPE_5, _TYPE_18, _TYPE_24A, _TYPE_24B, _TYPE_27))
"""How many numbers a payload has at most: the size of the buffer that `pack_message` wants."""


@inner
def _pack(widths, values, symbols):
    """Write each value with its width in bits into 6-bit symbols, high bits first; return the bits."""
    at = 0
    for i in range(widths.size):
        width = widths[i]
        while width > 0:
            room = 6 - at % 6
            take = min(width, room)
            piece = (values[i] >> (width - take)) & ((1 << take) - 1)
            symbols[at // 6] |= piece << (room - take)
            at += take
            width -= take
    return at


@inner
def _set_text(values, first, text):
    """6-bit codes of a text; a zero byte becomes `@` (0), what 6 bits cannot hold becomes `?`."""
    for i in range(text.size):
        c = np.int64(text[i])
        if 97 <= c <= 122:
            c = c - 32
        if c == 0 or 64 <= c <= 95:
            values[first + i] = c & 63
        else:
            values[first + i] = c if 32 <= c <= 63 else 63


@kernel
def _scaled(value, factor, not_available):
    """`value` * `factor`, rounded half up; `not_available` for NaN."""
    return np.int64(not_available if math.isnan(value) else math.floor(value * factor + 0.5))


@inner
def _course(value_deg, factor, not_available):
    """A direction rounded into 0 <= x < 360 degrees, in steps of 1 / `factor`."""
    if math.isnan(value_deg):
        return np.int64(not_available)
    return np.int64(math.floor(value_deg * factor + 0.5)) % (360 * factor)


@kernel
def _speed(sog_kn, factor, highest, not_available):
    """A speed rounded in steps of 1 / `factor` kn; `highest` stands for itself and for all above."""
    if math.isnan(sog_kn):
        return np.int64(not_available)
    return min(np.int64(highest), max(np.int64(0), _scaled(np.float64(sog_kn), factor, not_available)))


@inner
def _set_position(m, values):
    """Numbers of types 1, 3 and 18 from speed to second."""
    unknown = math.isnan(m.lat) or math.isnan(m.lon)
    values[0] = _speed(m.sog, 10, 1022, 1023)
    values[2] = 181 * 600_000 if unknown else _scaled(m.lon, 600_000, 0)
    values[3] = 91 * 600_000 if unknown else _scaled(m.lat, 600_000, 0)
    values[4], values[5] = _course(m.cog, 10, 3600), _course(m.heading, 1, 511)
    values[6] = np.int64(m.second)


@inner
def _set_size(report, values):
    """Numbers from bow to the type of position-fixing device."""
    values[0] = min(511, np.int64(report.to_bow))
    values[1] = min(511, np.int64(report.to_stern))
    values[2] = min(63, np.int64(report.to_port))
    values[3] = min(63, np.int64(report.to_starboard))
    values[4] = _FIX_GPS


@inner
def _pack_position(m, values, symbols):
    """Payload of types 1, 3 and 18; returns its bits."""
    if m.msg_type == 18:
        _set_position(m, values[_B_POSITION:])
        flags = values[_B_FLAGS:]
        for k in range(5):
            flags[k] = 1  # carrier-sense unit with a display and DSC, of the whole band, obeys channel management
        values[_B_RADIO], values[_B_RADIO + 1] = 1, 0b1100000000000000110  # fixed by M.1371 for such a unit
        return _pack(_TYPE_18, values, symbols)
    values[_A_STATUS], values[_A_TURN] = np.int64(m.nav_status), _TURN_UNKNOWN
    _set_position(m, values[_A_POSITION:])
    return _pack(_TYPE_1, values, symbols)


@inner
def _pack_long_range(m, values, symbols):
    """Payload of type 27; returns its bits."""
    unknown = math.isnan(m.lat) or math.isnan(m.lon)
    values[1] = 3  # M.1371: a long-range report is never repeated, its indicator is 3
    values[_L_STATUS] = np.int64(m.nav_status)
    position = values[_L_POSITION:]
    position[0] = 181 * 600 if unknown else _scaled(m.lon, 600, 0)
    position[1] = 91 * 600 if unknown else _scaled(m.lat, 600, 0)
    position[2], position[3] = _speed(m.sog, 1, 62, 63), _course(m.cog, 1, 511)
    return _pack(_TYPE_27, values, symbols)


@inner
def _pack_voyage(report, values, symbols):
    """Payload of type 5; returns its bits."""
    values[_V_IMO] = np.int64(report.imo)
    _set_text(values, _V_CALLSIGN, report.callsign)
    _set_text(values, _V_NAME, report.name)
    values[_V_TYPE] = np.int64(report.ship_type)
    _set_size(report, values[_V_SIZE:])
    eta = np.int64(report.eta) if report.eta != 0 else _ETA_UNKNOWN
    values[_V_ETA], values[_V_ETA + 1] = eta >> 16, eta >> 11
    values[_V_ETA + 2], values[_V_ETA + 3] = eta >> 6, eta
    values[_V_DRAUGHT] = min(np.int64(255), _scaled(np.float64(report.draught), 10, 0))
    _set_text(values, _V_DESTINATION, report.destination)
    return _pack(_TYPE_5, values, symbols)


@inner
def _pack_class_b(m, report, values, symbols):
    """Payload of type 24, part A or B; returns its bits."""
    values[_S_PART] = np.int64(m.part)
    if m.part == 0:
        _set_text(values, _S_NAME, report.name)
        return _pack(_TYPE_24A, values, symbols)
    values[_S_TYPE] = np.int64(report.ship_type)
    _set_text(values, _S_CALLSIGN, report.callsign)
    _set_size(report, values[_S_SIZE:])
    return _pack(_TYPE_24B, values, symbols)


@inner
def pack_message(m, reports, values, symbols):
    """Payload of one message of any type; returns its bits."""
    values[:] = 0
    values[0], values[2] = np.int64(m.msg_type), np.int64(m.mmsi)
    if m.msg_type == 5:
        return _pack_voyage(reports[m.report], values, symbols)
    if m.msg_type == 24:
        return _pack_class_b(m, reports[m.report], values, symbols)
    if m.msg_type == 27:
        return _pack_long_range(m, values, symbols)
    return _pack_position(m, values, symbols)
