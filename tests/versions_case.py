"""A small sea of the simulator for two runs: one ship silent with a car on board, and the same days heard in full."""

from __future__ import annotations

from pathlib import Path

from luxwake.simulate import simulate

LARK, LARK_IMO = 671999101, 9999993
SEA = """
start = 2018-09-26T00:00:00Z
days = 20
compress = true
[reception]
thin_s = 600
static_thin_s = 7200
satellites = 8
satellite_best = 0.6
bad_lines = 0.0
[[station]]
name = "BUSAN"
lat = 35.08
lon = 129.08
[[station]]
name = "NAKHODKA"
lat = 42.75
lon = 132.95
"""
SHIP = """
[[vessel]]
name = "{name}"
mmsi = {mmsi}
imo = {imo}
ship_type = 70
length_m = 84
beam_m = 13
draught_m = 5.0
at = "{port}"
begin = {begin}
do = [ {actions} ]
"""
OUT = [
    '{ moor = "2018-10-01T06:30:00Z" }',
    '{ set = { draught_m = 5.4, destination = "NAKHODKA" } }',
    "{ go = [35.20, 129.40], via = [[35.085, 129.085], [35.06, 129.12], [35.06, 129.22]], knots = 8.2 }",
    "{ off = true }",
    '{ sail = "RUNJK", knots = 9.0 }',
    '{ moor = "2018-10-08T00:00:00Z", port = "RUNJK" }',
    "{ go = [35.50, 129.90], via = [[42.70, 132.93], [42.30, 132.00], [38.96, 130.73], [36.18, 129.95]], knots = 9.0 }",
    "{ on = true }",
    "{ go = [35.25, 129.62], knots = 7.5 }",
    '{ sail = "KRPUS", knots = 8.0 }',
    '{ moor = "2018-10-15T00:00:00Z" }',
]
RUN = ['{ moor = "hours", hours = 20 }', '{ sail = "RUNJK", knots = 10.0 }', '{ moor = "hours", hours = 24 }',
       '{ sail = "KRPUS", knots = 10.0 }', '{ moor = "hours", hours = 48 }', '{ sail = "RUNJK", knots = 10.0 }',
       '{ moor = "hours", hours = 90 }']  # fmt: skip
ROWS = """bl_number,container,hs_code,description,quantity,value,currency,shipper,consignee,load_port,discharge_port,\
depart_date,arrive_date,vessel_name,imo,cleared,source
LXVR001,LXWU1000017,870324,"armoured limousine 6.0 l V12",1,514000,USD,Hanamino Forwarding,Doyeon Marine,KRPUS,RUNJK,\
2018-10-01,2018-10-05,SEA LARK 5,9999993,,bill of lading
LXVR002,,940360,office furniture,40,9000,USD,Example Interiors,Testov Trade,KRPUS,RUNJK,\
2018-09-28,2018-10-01,GREY TERN 1,,yes,bill of lading
"""


def make_sea(folder: Path, *, silent: bool) -> Path:
    """The track of the sea, with the silence of one ship or without; else the same ships do the same."""
    actions = [one for one in OUT if silent or one not in ("{ off = true }", "{ on = true }")]
    begin = "2018-09-27T00:00:00Z"
    ships = [
        SHIP.format(name="SEA LARK 5", mmsi=LARK, imo=LARK_IMO, port="KRPUS", begin=begin, actions=", ".join(actions))
    ]
    for n in range(1, 9):
        start = f"2018-09-{26 + n % 3}T{2 * n:02d}:00:00Z"
        ships.append(SHIP.format(name=f"GREY TERN {n}", mmsi=441999200 + n, imo=0, port="KRPUS", begin=start,
                                 actions=", ".join(RUN)))  # fmt: skip
    folder.mkdir(parents=True)
    name = "day" if silent else "late"
    (folder / "scene.toml").write_text(f'name = "{name}"\nseed = 71\n' + SEA + "".join(ships), encoding="utf-8")
    simulate(folder / "scene.toml", folder)
    (track,) = folder.glob("track.nmea*")
    return track.rename(folder / f"{name}.nmea{track.suffix if track.suffix != '.nmea' else ''}")
