"""The one table of fields of each message: decoding, encoding, schemas and documentation all come from it.

Bit layouts, units, "not available" numbers and meaningful ranges after ITU-R M.1371-5, Annex 8; the grammar of the
tables stands in `ais.bitfield`. Here are the reports of ships, aircraft, base stations and aids, and texts;
`ais.network_layouts` has what stations say to each other, `ais.binary_layouts` payloads of types 6 and 8.

Lengths are those of real messages and not only of the standard: base stations pad 168 bits to 204 or cut them to 163,
and type 5 comes with 420 to 426 bits (counted in a world feed; ranges after gpsd's decoder). Positions are in 1/10000
minute (1/600000 degree), in types 17, 22, 23 and 27 in 1/10 minute.
"""

from __future__ import annotations

from ais.binary_layouts import ADDRESSED, ADDRESSED_HEAD, AREAS, BROADCAST, BROADCAST_HEAD
from ais.bitfield import Layout, parse_tables
from ais.network_layouts import COMMUNICATION_STATES
from ais.network_layouts import TABLES as NETWORK

HEAD = """
   0  6 e msg_type
   6  2 u repeat        .      .       .         .              # times repeated; 3: repeat no more
   8 30 u mmsi          .      .       .         .              # of the station that sent the message
"""
"""With these rows every message begins."""

TABLES = """
position_a | 1 2 3 | 163..204 | . | Position report of a class A ship
  38  4 e nav_status    .      .       .         .              # 0 under way with engine, 1 at anchor .. 15 undefined
  42  8 r rot           .      deg/min -128      -126..126      # ±127: more than 5 deg in 30 s, without a sensor
  50 10 u sog           10     kn      1023      0..1022        # 1022: 102.2 kn or more
  60  1 b accuracy      .      .       .         .              # better than 10 m
  61 28 i lon           600000 deg     108600000 -108000000..108000000
  89 27 i lat           600000 deg     54600000  -54000000..54000000
 116 12 u cog           10     deg     3600      0..3599
 128  9 u heading       .      deg     511       0..359
 137  6 u second        .      s       60        0..59          # of UTC; 61 manual, 62 dead reckoning, 63 no sensor
 143  2 e maneuver      .      .       .         .              # 0 not available, 1 none, 2 special manoeuvre
 145  3 -
 148  1 b raim
 149 19 e radio         .      .       .         .              # communication state: SOTDMA, in type 3 ITDMA

base_station | 4 11 | 168..204 | . | Time and position of a base station; answer to a question for the time
  38 14 u year          .      .       0         1..9999
  52  4 u month         .      .       0         1..12
  56  5 u day           .      .       0         1..31
  61  5 u hour          .      .       24        0..23
  66  6 u minute        .      .       60        0..59
  72  6 u second        .      s       60        0..59
  78  1 b accuracy
  79 28 i lon           600000 deg     108600000 -108000000..108000000
 107 27 i lat           600000 deg     54600000  -54000000..54000000
 134  4 e epfd          .      .       .         .              # position-fixing device: 1 GPS .. 15 internal
 138  1 b long_range    .      .       .         .              # asks class A ships for type 27
 139  9 -
 148  1 b raim
 149 19 e radio         .      .       .         .              # communication state: SOTDMA

voyage | 5 | 420..426 | . | Static and voyage report of a class A ship
  38  2 e ais_version
  40 30 u imo           .      .       0         .
  70 42 t callsign
 112 120 t name
 232  8 e ship_type     .      .       .         .              # 0 not available; 70..79 cargo, 80..89 tanker
 240  9 u to_bow        .      m       0         .              # from the antenna; 511: 511 m or more
 249  9 u to_stern      .      m       0         .
 258  6 u to_port       .      m       0         .              # 63: 63 m or more
 264  6 u to_starboard  .      m       0         .
 270  4 e epfd
 274  4 u eta_month     .      .       0         1..12
 278  5 u eta_day       .      .       0         1..31
 283  5 u eta_hour      .      .       24        0..23
 288  6 u eta_minute    .      .       60        0..59
 294  8 u draught       10     m       0         1..255         # 255: 25.5 m or more
 302 120 t destination
 422  1 b dte           .      .       .         .              # data terminal not ready
 423  1 -

addressed_binary | 6 | 88..1008 | . | Addressed binary message
  38  2 u sequence
  40 30 u dest_mmsi
  70  1 b retransmit
  71  1 -
  72 10 e dac           .      .       .         .              # who has defined the payload
  82  6 e fid           .      .       .         .              # what the payload is
  88  * x data

broadcast_binary | 8 | 56..1008 | . | Broadcast binary message
  38  2 -
  40 10 e dac           .      .       .         .              # who has defined the payload
  50  6 e fid           .      .       .         .              # what the payload is
  56  * x data

aircraft | 9 | 168..204 | . | Position report of a search and rescue aircraft
  38 12 u altitude      .      m       4095      0..4094        # 4094: 4094 m or more
  50 10 u sog           .      kn      1023      0..1022        # whole knots; 1022: 1022 kn or more
  60  1 b accuracy
  61 28 i lon           600000 deg     108600000 -108000000..108000000
  89 27 i lat           600000 deg     54600000  -54000000..54000000
 116 12 u cog           10     deg     3600      0..3599
 128  6 u second        .      s       60        0..59
 134  1 b barometric    .      .       .         .              # the altitude; else by satellite
 135  7 -
 142  1 b dte
 143  3 -
 146  1 b assigned
 147  1 b raim
 148  1 e radio_kind    .      .       .         .              # 0 SOTDMA, 1 ITDMA
 149 19 e radio

addressed_text | 12 | 72..1008 | . | Addressed safety message
  38  2 u sequence
  40 30 u dest_mmsi
  70  1 b retransmit
  71  1 -
  72  * t text

broadcast_text | 14 | 40..1008 | . | Broadcast safety message
  38  2 -
  40  * t text

position_b | 18 | 168..204 | . | Position report of a class B ship
  38  8 -
  46 10 u sog           10     kn      1023      0..1022
  56  1 b accuracy
  57 28 i lon           600000 deg     108600000 -108000000..108000000
  85 27 i lat           600000 deg     54600000  -54000000..54000000
 112 12 u cog           10     deg     3600      0..3599
 124  9 u heading       .      deg     511       0..359
 133  6 u second        .      s       60        0..59
 139  2 -
 141  1 b carrier_sense .      .       .         .              # else a SOTDMA unit
 142  1 b display
 143  1 b dsc           .      .       .         .              # has digital selective calling
 144  1 b whole_band
 145  1 b message_22    .      .       .         .              # obeys channel management
 146  1 b assigned
 147  1 b raim
 148  1 e radio_kind    .      .       .         .              # 0 SOTDMA, 1 ITDMA
 149 19 e radio         .      .       .         .              # a carrier-sense unit sends 393222 (ITDMA)

extended_b | 19 | 306..318 | . | Extended position report of a class B ship
  38  8 -
  46 10 u sog           10     kn      1023      0..1022
  56  1 b accuracy
  57 28 i lon           600000 deg     108600000 -108000000..108000000
  85 27 i lat           600000 deg     54600000  -54000000..54000000
 112 12 u cog           10     deg     3600      0..3599
 124  9 u heading       .      deg     511       0..359
 133  6 u second        .      s       60        0..59
 139  4 -
 143 120 t name
 263  8 e ship_type
 271  9 u to_bow        .      m       0         .
 280  9 u to_stern      .      m       0         .
 289  6 u to_port       .      m       0         .
 295  6 u to_starboard  .      m       0         .
 301  4 e epfd
 305  1 b raim
 306  1 b dte
 307  1 b assigned
 308  4 -

aid | 21 | 272..368 | . | Aid to navigation
  38  5 e aid_type      .      .       .         .              # 0 not given, 1..15 fixed, 16..31 floating
  43 120 t name         .      .       .         .              # joined with its extension at bit 272
 163  1 b accuracy
 164 28 i lon           600000 deg     108600000 -108000000..108000000
 192 27 i lat           600000 deg     54600000  -54000000..54000000
 219  9 u to_bow        .      m       0         .
 228  9 u to_stern      .      m       0         .
 237  6 u to_port       .      m       0         .
 243  6 u to_starboard  .      m       0         .
 249  4 e epfd
 253  6 u second        .      s       60        0..59
 259  1 b off_position
 260  8 e aid_status
 268  1 b raim
 269  1 b virtual_aid
 270  1 b assigned
 271  1 -
 272  * + name

static_b_name | 24 | 160..168 | 38:2=0 | Static report of a class B ship, part A
  38  2 e part
  40 120 t name
  ---
 160  8 -

static_b_auxiliary | 24 | 162..168 | 8:30=980000000..989999999 38:2=1 | Static report, part B, of an auxiliary craft
  38  2 e part
  40  8 e ship_type
  48 18 t vendor
  66  4 u model
  70 20 u serial
  90 42 t callsign
 132 30 u mothership    .      .       0         .              # MMSI, in place of the dimensions
 162  4 e epfd
 166  2 -

static_b | 24 | 162..168 | 38:2=1 | Static report of a class B ship, part B
  38  2 e part
  40  8 e ship_type
  48 18 t vendor        .      .       .         .              # of the transponder
  66  4 u model
  70 20 u serial
  90 42 t callsign
 132  9 u to_bow        .      m       0         .
 141  9 u to_stern      .      m       0         .
 150  6 u to_port       .      m       0         .
 156  6 u to_starboard  .      m       0         .
 162  4 e epfd
 166  2 -

long_range | 27 | 94..204 | . | Long-range position report
  38  1 b accuracy
  39  1 b raim
  40  4 e nav_status
  44 18 i lon           600    deg     108600    -108000..108000
  62 17 i lat           600    deg     54600     -54000..54000
  79  6 u sog           .      kn      63        0..62
  85  9 u cog           .      deg     511       0..359
  94  1 b late          .      .       .         .              # the position is older than 5 s
  95  1 -

other | . | 0..1064 | . | Message that has no layout
  38  * x data
"""

AREA_SHAPES = parse_tables(AREAS, "")
"""Layouts of the parts of an area notice."""

STATES = {layout.name: layout for layout in parse_tables(COMMUNICATION_STATES, "")}

OF_TYPE: dict[int, tuple[Layout, ...]] = {}
"""The layouts of each message type; the first whose conditions hold is a message's own."""

_plain = parse_tables(TABLES, HEAD) + parse_tables(NETWORK, HEAD)
_payloads = parse_tables(ADDRESSED, HEAD + ADDRESSED_HEAD) + parse_tables(BROADCAST, HEAD + BROADCAST_HEAD)
for _layout in (*_payloads, *_plain):
    for _type in _layout.types:
        OF_TYPE[_type] = (*OF_TYPE.get(_type, ()), _layout)

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in sorted((*_plain, *_payloads), key=lambda one: one.types or (99,))  # a stable sort
}
"""Every layout by its name, in the order of the message types."""

OTHER = LAYOUTS["other"]

LENGTHS: dict[int, tuple[int, int]] = {
    number: (min(one.shortest for one in OF_TYPE[number]), max(one.longest for one in OF_TYPE[number]))
    for number in sorted(OF_TYPE)
}
"""Least and most bits of a sound message of each type."""
