"""Messages by which the stations of the network talk to each other: acknowledgements, questions, slots, raw data.

After ITU-R M.1371-5, Annex 8; the grammar of the tables stands in `ais.bitfield`.
"""

from __future__ import annotations

TABLES = """
time_question | 10 | 72..72 | . | Question for the time
  38  2 -
  40 30 u dest_mmsi
  70  2 -

acknowledgement | 7 13 | 72..168 | . | Acknowledgement of addressed messages
  38  2 -
  40 30 u mmsi1
  70  2 u sequence1
  ---
  72 30 u mmsi2
 102  2 u sequence2
  ---
 104 30 u mmsi3
 134  2 u sequence3
  ---
 136 30 u mmsi4
 166  2 u sequence4

interrogation | 15 | 88..168 | . | Question for messages of one or two stations
  38  2 -
  40 30 u mmsi1
  70  6 e type1_1       .      .       .         .              # the message asked for
  76 12 u offset1_1     .      slots   0         .              # where it shall be sent
  ---
  88  2 -
  90  6 e type1_2
  96 12 u offset1_2     .      slots   0         .
  ---
 108  2 -
 110 30 u mmsi2
 140  6 e type2_1
 146 12 u offset2_1     .      slots   0         .
 158  2 -

assignment | 16 | 92..168 | . | Assignment of slots or a rate to one or two stations
  38  2 -
  40 30 u mmsi1
  70 12 u offset1       .      .       .         .              # slots; with increment 0: reports in 10 minutes
  82 10 u increment1    .      slots   .         .
  ---
  92 30 u mmsi2
 122 12 u offset2
 134 10 u increment2    .      slots   .         .

dgnss | 17 | 80..816 | . | Corrections for satellite positions
  38  2 -
  40 18 i lon           600    deg     108600    -108000..108000
  58 17 i lat           600    deg     54600     -54000..54000
  75  5 -
  ---
  80  6 e correction_type .    .       .         .              # ITU-R M.823
  86 10 u station_id
  96 13 u z_count       .      .       .         .              # 0.6 s
 109  3 u sequence
 112  5 u n_words
 117  3 e health
 120  * x corrections

reservation | 20 | 72..186 | . | Slots that base stations keep for themselves
  38  2 -
  40 12 u offset1       .      slots   0         .
  52  4 u slots1
  56  3 u timeout1      .      min     .         .
  59 11 u increment1    .      slots   .         .
  ---
  70 12 u offset2       .      slots   0         .
  82  4 u slots2
  86  3 u timeout2      .      min     .         .
  89 11 u increment2    .      slots   .         .
  ---
 100 12 u offset3       .      slots   0         .
 112  4 u slots3
 116  3 u timeout3      .      min     .         .
 119 11 u increment3    .      slots   .         .
  ---
 130 12 u offset4       .      slots   0         .
 142  4 u slots4
 146  3 u timeout4      .      min     .         .
 149 11 u increment4    .      slots   .         .

channels_area | 22 | 168..204 | 139:1=0 | Radio channels for an area
  38  2 -
  40 12 e channel_a
  52 12 e channel_b
  64  4 e tx_rx
  68  1 b low_power
  69 18 i ne_lon        600    deg     108600    -108000..108000
  87 17 i ne_lat        600    deg     54600     -54000..54000
 104 18 i sw_lon        600    deg     108600    -108000..108000
 122 17 i sw_lat        600    deg     54600     -54000..54000
 139  1 b addressed
 140  1 e band_a
 141  1 e band_b
 142  3 u zone          1+1    nmi     .         .              # width of the transitional zone
 145 23 -

channels_addressed | 22 | 168..204 | 139:1=1 | Radio channels for one or two stations
  38  2 -
  40 12 e channel_a
  52 12 e channel_b
  64  4 e tx_rx
  68  1 b low_power
  69 30 u dest_mmsi1
  99  5 -
 104 30 u dest_mmsi2    .      .       0         .
 134  5 -
 139  1 b addressed
 140  1 e band_a
 141  1 e band_b
 142  3 u zone          1+1    nmi     .         .              # width of the transitional zone
 145 23 -

group | 23 | 160..168 | . | Reporting rate for the ships of an area
  38  2 -
  40 18 i ne_lon        600    deg     108600    -108000..108000
  58 17 i ne_lat        600    deg     54600     -54000..54000
  75 18 i sw_lon        600    deg     108600    -108000..108000
  93 17 i sw_lat        600    deg     54600     -54000..54000
 110  4 e station_type
 114  8 e ship_type
 122 22 -
 144  2 e tx_rx
 146  4 e interval
 150  4 u quiet         .      min     .         .
 154  6 -

slot_data | 25 | 40..168 | 38:2=0 | One slot of broadcast binary data
  38  1 b addressed
  39  1 b structured
  40  * x data

slot_application | 25 | 56..168 | 38:2=1 | One slot of broadcast binary data with an application
  38  1 b addressed
  39  1 b structured
  40 10 e dac
  50  6 e fid
  56  * x data

slot_addressed | 25 | 72..168 | 38:2=2 | One slot of addressed binary data
  38  1 b addressed
  39  1 b structured
  40 30 u dest_mmsi
  70  2 -
  72  * x data

slot_addressed_application | 25 | 88..168 | 38:2=3 | One slot of addressed binary data with an application
  38  1 b addressed
  39  1 b structured
  40 30 u dest_mmsi
  70  2 -               .      .       .         .              # not in editions before M.1371-5
  72 10 e dac
  82  6 e fid
  88  * x data

slots_data | 26 | 60..1064 | 38:2=0 | Slots of broadcast binary data
  38  1 b addressed
  39  1 b structured
  40  * x data
 -20  1 e radio_kind
 -19 19 e radio

slots_application | 26 | 76..1064 | 38:2=1 | Slots of broadcast binary data with an application
  38  1 b addressed
  39  1 b structured
  40 10 e dac
  50  6 e fid
  56  * x data
 -20  1 e radio_kind
 -19 19 e radio

slots_addressed | 26 | 92..1064 | 38:2=2 | Slots of addressed binary data
  38  1 b addressed
  39  1 b structured
  40 30 u dest_mmsi
  70  2 -
  72  * x data
 -20  1 e radio_kind
 -19 19 e radio

slots_addressed_application | 26 | 108..1064 | 38:2=3 | Slots of addressed binary data with an application
  38  1 b addressed
  39  1 b structured
  40 30 u dest_mmsi
  70  2 -               .      .       .         .              # not in editions before M.1371-5
  72 10 e dac
  82  6 e fid
  88  * x data          .      .       .         .              # ends with the spare bits that align the state
 -20  1 e radio_kind    .      .       .         .              # 0 SOTDMA, 1 ITDMA
 -19 19 e radio
"""

COMMUNICATION_STATES = """
sotdma | . | 19..19 | . | Communication state of a self-organised station
   0  2 e sync          .      .       .         .              # 0 UTC direct .. 3 other station
   2  3 u slot_timeout  .      frames  .         .              # until another slot is chosen
   5 14 u sub_message   .      .       .         .              # 0 offset, 1 time, 2 4 6 slot, 3 5 7 stations

itdma | . | 19..19 | . | Communication state of a station that announces its next slot
   0  2 e sync
   2 13 u slot_increment .     slots   .         .
  15  3 e slots
  18  1 b keep          .      .       .         .              # the slot is kept for one more frame
"""
"""What the 19 bits of `radio` hold."""
