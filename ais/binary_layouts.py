"""Payloads of the binary messages 6 and 8 that say something about a ship, her people or her weather.

After IMO SN.1/Circ.289 (1/16 to 1/31), SN/Circ.236 (1/11, still sent), ITU-R M.1371-5 Annex 5 (1/0; 1/40 in earlier
editions) and ECE-TRANS-SC3-2006-10r (inland, 200/..), where needed as read by gpsd's AIVDM document and libais. The
places are those in the whole message; the grammar stands in `ais.bitfield`.

An application id alone proves nothing (a bit error, or a payload of somebody's own, may carry 200/10; 1/16 is also
sent with radar targets in it), so a message is one of these only at its length, with the spare bits at its end or
without. Else, and with any other application id, its payload is handed out as bytes.

Positions are in 1/1000 minute (1/60000 degree). A `trend` is 0 steady, 1 falling, 2 rising, 3 not available.
"""

from __future__ import annotations

BROADCAST_HEAD = """
  38  2 -
  40 10 e dac           .       .      .        .              # who has defined the payload
  50  6 e fid           .       .      .        .              # what the payload is
"""

BROADCAST = """
telegram | 8 | 68..1008 | 40:10=1 50:6=0 bits=68..1008 | 1/0 Text
  56  1 b ack_required
  57 11 u text_sequence .       .      0        .
  68  * t text

weather_11 | 8 | 346..358 | 40:10=1 50:6=11 bits=346..358 | 1/11 Weather and water (Circ. 236)
  56 24 i lat           60000   deg    8388607  -5400000..5400000
  80 25 i lon           60000   deg    16777215 -10800000..10800000
 105  5 u day           .       .      .        1..31          # 31, with 31 h and 63 min, is also "not available"
 110  5 u hour          .       .      31       0..23
 115  6 u minute        .       .      63       0..59
 121  7 u wind_speed    .       kn     127      0..120         # mean of 10 minutes
 128  7 u gust_speed    .       kn     127      0..120
 135  9 u wind_dir      .       deg    511      0..359
 144  9 u gust_dir      .       deg    511      0..359
 153 11 u air_temp      10-600  °C     2047     0..1200
 164  7 u humidity      .       %      127      0..100
 171 10 u dew_point     10-200  °C     1023     0..700
 181  9 u pressure      1+800   hPa    511      0..400
 190  2 e pressure_trend
 192  8 u visibility    10      nmi    255      0..250
 200  9 u water_level   10-100  m      511      0..400         # against the chart datum, with the tide
 209  2 e level_trend
 211  8 u current_speed 10      kn     255      0..250         # at the surface
 219  9 u current_dir   .       deg    511      0..359
 228  8 u current_speed2 10     kn     255      0..250
 236  9 u current_dir2  .       deg    511      0..359
 245  5 u current_depth2 .      m      31       0..30
 250  8 u current_speed3 10     kn     255      0..250
 258  9 u current_dir3  .       deg    511      0..359
 267  5 u current_depth3 .      m      31       0..30
 272  8 u wave_height   10      m      255      0..250
 280  6 u wave_period   .       s      63       0..60
 286  9 u wave_dir      .       deg    511      0..359
 295  8 u swell_height  10      m      255      0..250
 303  6 u swell_period  .       s      63       0..60
 309  9 u swell_dir     .       deg    511      0..359
 318  4 e sea_state     .       .      .        .              # Beaufort; 13 and 15 not available
 322 10 u water_temp    10-100  °C     1023     0..600
 332  3 e precipitation
 335  9 u salinity      10      ‰      511      0..500
 344  2 e ice
 346  6 -

persons | 8 | 69..142 | 40:10=1 50:6=16 bits=69..142 | 1/16 Persons on board
  56 13 u persons       .       .      0        .              # 8191: 8191 or more
  69  3 -

persons_40 | 8 | 69..78 | 40:10=1 50:6=40 bits=69..78 | 1/40 Persons on board (M.1371-4)
  56 13 u persons       .       .      0        .              # 8191: 8191 or more
  69  3 -

ship_weather | 8 | 357..366 | 40:10=1 50:6=21 56:1=0 bits=357..366 | 1/21 Weather observed by a ship
  56  1 b wmo
  57 120 t location
 177 25 i lon           60000   deg    10860000 -10800000..10800000
 202 24 i lat           60000   deg    5460000  -5400000..5400000
 226  5 u day           .       .      0        1..31
 231  5 u hour          .       .      24       0..23
 236  6 u minute        .       .      60       0..59
 242  4 e weather       .       .      .        .              # 0 clear .. 7 thunderstorm, 8 not available
 246  1 b visibility_greater
 247  7 u visibility    10      nmi    127      0..126
 254  7 u humidity      .       %      127      0..100
 261  7 u wind_speed    .       kn     127      0..126
 268  9 u wind_dir      .       deg    360      0..359
 277  9 u pressure      1+799   hPa    403      0..402         # 0: 799 or less, 402: 1201 or more
 286  4 e pressure_trend .      .      .        .              # WMO FM 13
 290 11 i air_temp      10      °C     -1024    -600..600
 301 10 u water_temp    10-100  °C     601      0..600
 311  6 u wave_period   .       s      63       0..60
 317  8 u wave_height   10      m      255      0..251
 325  9 u wave_dir      .       deg    360      0..359
 334  8 u swell_height  10      m      255      0..251
 342  9 u swell_dir     .       deg    360      0..359
 351  6 u swell_period  .       s      63       0..60
 357  3 -

ship_weather_wmo | 8 | 360..366 | 40:10=1 50:6=21 56:1=1 bits=360..366 | 1/21 Weather observed by a ship for the WMO
  56  1 b wmo
  57 16 u lon           100-18000 deg  65535    0..36000       # this layout was never checked with a real message
  73 15 u lat           100-9000 deg   32767    0..18000       # the circular subtracts 9000: a slip
  88  4 u month         .       .      15       1..12
  92  6 u day           .       .      63       1..31
  98  5 u hour          .       .      31       0..23
 103  3 u minute        x10     .      7        0..5           # end of the ten minutes
 106  7 u cog           x5      deg    127      0..72
 113  5 u sog           2       m/s    31       0..30
 118  7 u heading       x5      deg    127      0..72
 125 11 u pressure      10+9000 hPa    2047     0..2000
 136 10 u pressure_change 10-500 hPa   1023     0..1000        # in 3 hours
 146  4 e pressure_trend
 150  7 u wind_dir      x5      deg    127      0..72
 157  8 u wind_speed    2       m/s    255      0..254
 165  7 u relative_wind_dir x5  deg    127      0..72
 172  8 u relative_wind_speed 2 m/s    255      0..254
 180  8 u gust_speed    2       m/s    255      0..254
 188  7 u gust_dir      x5      deg    127      0..72
 195 10 u air_temp      10+2230 K      1023     0..1000
 205  7 u humidity      .       %      127      0..100
 212  9 u water_temp    10+2680 K      511      0..500
 221  6 e visibility    .       .      .        .              # 13.073 m times the square; 63 not available
 227  9 e weather
 236  5 e past_weather1
 241  5 e past_weather2
 246  4 u cloud_cover   x10     %      15       0..10
 250  4 e low_cloud_amount
 254  6 e low_cloud_type
 260  6 e middle_cloud_type
 266  6 e high_cloud_type
 272  7 e cloud_base    .       .      .        .              # 0.16 m times the square; 127 not available
 279  5 u wave_period   .       s      31       0..30
 284  6 u wave_height   2       m      63       0..60
 290  6 u swell_dir     x10     deg    63       0..36
 296  5 u swell_period  .       s      31       0..30
 301  6 u swell_height  2       m      63       0..60
 307  6 u swell_dir2    x10     deg    63       0..36
 313  5 u swell_period2 .       s      31       0..30
 318  6 u swell_height2 2       m      63       0..60
 324  7 u ice_thickness .       cm     127      0..126
 331  3 e ice_accretion
 334  3 e ice_cause
 337  5 e sea_ice
 342  4 e ice_type
 346  5 e ice_situation
 351  5 e ice_development
 356  4 u ice_bearing   x45     deg    15       1..8

area_notice | 8 | 198..1008 | 40:10=1 50:6=22 bits=198..1008 | 1/22 Area notice
  56 10 u linkage       .       .      0        .              # names the text that goes with it
  66  7 e notice        .       .      .        .              # 32 no fishing, 36 military .. 127 undefined
  73  4 u month         .       .      0        1..12
  77  5 u day           .       .      0        1..31
  82  5 u hour          .       .      24       0..23
  87  6 u minute        .       .      60       0..59
  93 18 u duration      .       min    262143   .              # 0: the notice is withdrawn
 111  * a areas

extended_voyage | 8 | 350..366 | 40:10=1 50:6=24 bits=350..366 | 1/24 Extended static and voyage report
  56 10 u linkage       .       .      0        .
  66 13 u air_draught   100     m      0        .              # the circular says 0.1 m, its range says 0.01 m
  79 30 t last_port     .       .      .        .              # UN/LOCODE
 109 30 t next_port     .       .      .        .              # UN/LOCODE
 139 30 t second_port   .       .      .        .              # UN/LOCODE
 169  2 e ais_state     .       .      .        .              # 1 works, 2 does not, 3 no data, 0 not asked
 171  2 e ata_state
 173  2 e bnwas_state
 175  2 e ecdis_backup_state
 177  2 e chart_state
 179  2 e sounder_state
 181  2 e plotting_aid_state
 183  2 e emergency_steering_state
 185  2 e gnss_state
 187  2 e gyro_state
 189  2 e lrit_state
 191  2 e magnetic_compass_state
 193  2 e navtex_state
 195  2 e arpa_state
 197  2 e s_band_state
 199  2 e x_band_state
 201  2 e hf_state
 203  2 e inmarsat_state
 205  2 e mf_state
 207  2 e vhf_state
 209  2 e ground_log_state
 211  2 e water_log_state
 213  2 e thd_state
 215  2 e track_control_state
 217  2 e vdr_state
 219  2 -
 221  4 e ice_class
 225 18 u power         .       hp     262143   .              # 262142: as much or more
 243 12 e vhf_channel
 255 42 t lloyds_ship_type
 297 18 u gross_tonnage .       .      262143   .
 315  2 e lading        .       .      .        .              # 1 laden, 2 ballast
 317  2 e heavy_oil     .       .      .        .              # 1 no, 2 yes
 319  2 e light_oil
 321  2 e diesel_oil
 323 14 u bunker_oil    .       t      16383    .              # 16382: as much or more
 337 13 u persons       .       .      0        .
 350 10 -

text_broadcast | 8 | 66..1008 | 40:10=1 50:6=29 bits=66..1008 | 1/29 Text for another message
  56 10 u linkage       .       .      0        .
  66  * t text

weather_31 | 8 | 350..366 | 40:10=1 50:6=31 bits=350..366 | 1/31 Weather and water
  56 25 i lon           60000   deg    10860000 -10800000..10800000
  81 24 i lat           60000   deg    5460000  -5400000..5400000
 105  1 b accuracy
 106  5 u day           .       .      0        1..31
 111  5 u hour          .       .      24       0..23
 116  6 u minute        .       .      60       0..59
 122  7 u wind_speed    .       kn     127      0..126         # mean of 10 minutes; 126: 126 kn or more
 129  7 u gust_speed    .       kn     127      0..126
 136  9 u wind_dir      .       deg    360      0..359
 145  9 u gust_dir      .       deg    360      0..359
 154 11 i air_temp      10      °C     -1024    -600..600
 165  7 u humidity      .       %      101      0..100
 172 10 i dew_point     10      °C     501      -200..500
 182  9 u pressure      1+799   hPa    511      0..402         # 0: 799 or less, 402: 1201 or more
 191  2 e pressure_trend
 193  1 b visibility_greater
 194  7 u visibility    10      nmi    127      0..126
 201 12 u water_level   100-1000 m     4001     0..4000
 213  2 e level_trend
 215  8 u current_speed 10      kn     255      0..251
 223  9 u current_dir   .       deg    360      0..359
 232  8 u current_speed2 10     kn     255      0..251
 240  9 u current_dir2  .       deg    360      0..359
 249  5 u current_depth2 .      m      31       0..30
 254  8 u current_speed3 10     kn     255      0..251
 262  9 u current_dir3  .       deg    360      0..359
 271  5 u current_depth3 .      m      31       0..30
 276  8 u wave_height   10      m      255      0..251
 284  6 u wave_period   .       s      63       0..60
 290  9 u wave_dir      .       deg    360      0..359
 299  8 u swell_height  10      m      255      0..251
 307  6 u swell_period  .       s      63       0..60
 313  9 u swell_dir     .       deg    360      0..359
 322  4 e sea_state
 326 10 i water_temp    10      °C     501      -100..500
 336  3 e precipitation
 339  9 u salinity      10      ‰      510      0..501
 348  2 e ice
 350 10 -

inland_voyage | 8 | 160..174 | 40:10=200 50:6=10 bits=160..174 | 200/10 Inland static and voyage report
  56 48 t vessel_id     .       .      .        .              # European number of the vessel
 104 13 u length        10      m      0        .
 117 10 u beam          10      m      0        .
 127 14 e ship_type     .       .      .        .              # ERI code
 141  3 e hazard        .       .      .        .              # blue cones 0..3, 4 B flag, 5 unknown
 144 11 u draught       100     m      0        .
 155  2 e loaded        .       .      .        .              # 1 unloaded, 2 loaded
 157  1 b speed_quality
 158  1 b course_quality
 159  1 b heading_quality
 160  8 -

inland_persons | 8 | 85..174 | 40:10=200 50:6=55 bits=85..174 | 200/55 Persons on board an inland ship
  56  8 u crew          .       .      255      .
  64 13 u passengers    .       .      8191     .
  77  8 u personnel     .       .      255      .
  85 51 -
"""

ADDRESSED_HEAD = """
  38  2 u sequence
  40 30 u dest_mmsi
  70  1 b retransmit
  71  1 -
  72 10 e dac           .       .      .        .              # who has defined the payload
  82  6 e fid           .       .      .        .              # what the payload is
"""

ADDRESSED = """
telegram_addressed | 6 | 100..1008 | 72:10=1 82:6=0 bits=100..1008 | 1/0 Text
  88  1 b ack_required
  89 11 u text_sequence .       .      0        .
 100  * t text

persons_addressed | 6 | 101..142 | 72:10=1 82:6=16 bits=101..142 | 1/16 Persons on board
  88 13 u persons       .       .      0        .              # 8191: 8191 or more
 101 35 -

persons_40_addressed | 6 | 101..138 | 72:10=1 82:6=40 bits=101..138 | 1/40 Persons on board (M.1371-4)
  88 13 u persons       .       .      0        .              # 8191: 8191 or more
 101  3 -

area_notice_addressed | 6 | 230..1008 | 72:10=1 82:6=23 bits=230..1008 | 1/23 Area notice
  88 10 u linkage       .       .      0        .
  98  7 e notice
 105  4 u month         .       .      0        1..12
 109  5 u day           .       .      0        1..31
 114  5 u hour          .       .      24       0..23
 119  6 u minute        .       .      60       0..59
 125 18 u duration      .       min    262143   .
 143  * a areas

text_addressed | 6 | 98..1008 | 72:10=1 82:6=30 bits=98..1008 | 1/30 Text for another message
  88 10 u linkage       .       .      0        .
  98  * t text

inland_eta | 6 | 243..254 | 72:10=200 82:6=21 bits=243..254 | 200/21 ETA at a lock, bridge or terminal
  88 12 t country
 100 18 t locode
 118 30 t section       .       .      .        .              # of the fairway
 148 30 t terminal
 178 30 t hectometre
 208  4 u eta_month     .       .      0        1..12
 212  5 u eta_day       .       .      0        1..31
 217  5 u eta_hour      .       .      24       0..23
 222  6 u eta_minute    .       .      60       0..59
 228  3 u tugs          .       .      7        0..6
 231 12 u air_draught   100     m      0        1..4000
 243  5 -

inland_persons_addressed | 6 | 117..174 | 72:10=200 82:6=55 bits=117..174 | 200/55 Persons on board an inland ship
  88  8 u crew          .       .      255      .
  96 13 u passengers    .       .      8191     .
 109  8 u personnel     .       .      255      .
 117 51 -
"""

AREA_BITS = 87

AREAS = """
circle | . | 87..87 | 0:3=0 | Circle, or point of radius 0
   0  3 e shape
   3  2 u scale         .       .      .        .              # power of ten of the metres
   5 25 i lon           60000   deg    10860000 -10800000..10800000
  30 24 i lat           60000   deg    5460000  -5400000..5400000
  54  3 u precision     .       .      .        .              # decimals that were meant
  57 12 u radius        .       10^scale_m
  69 18 -

rectangle | . | 87..87 | 0:3=1 | Rectangle from its south-western corner
   0  3 e shape
   3  2 u scale
   5 25 i lon           60000   deg    10860000 -10800000..10800000
  30 24 i lat           60000   deg    5460000  -5400000..5400000
  54  3 u precision
  57  8 u east          .       10^scale_m
  65  8 u north         .       10^scale_m
  73  9 u orientation   .       deg    .        0..359
  82  5 -

sector | . | 87..87 | 0:3=2 | Sector
   0  3 e shape
   3  2 u scale
   5 25 i lon           60000   deg    10860000 -10800000..10800000
  30 24 i lat           60000   deg    5460000  -5400000..5400000
  54  3 u precision
  57 12 u radius        .       10^scale_m
  69  9 u left          .       deg    .        0..359
  78  9 u right         .       deg    .        0..359

polyline | . | 87..87 | 0:3=3..4 | Polyline (3) or polygon (4) from the point before
   0  3 e shape
   3  2 u scale
   5 10 u bearing1      2       deg    720      0..719
  15 10 u distance1     .       10^scale_m
  25 10 u bearing2      2       deg    720      0..719
  35 10 u distance2     .       10^scale_m
  45 10 u bearing3      2       deg    720      0..719
  55 10 u distance3     .       10^scale_m
  65 10 u bearing4      2       deg    720      0..719
  75 10 u distance4     .       10^scale_m
  85  2 -

text | . | 87..87 | 0:3=5 | Text for the notice
   0  3 e shape
   3 84 t text

reserved | . | 87..87 | 0:3=6..7 | Reserved shape
   0  3 e shape
   3 84 x data
"""
"""The parts of an area notice: records of 87 bits."""
