"""A small world of one silent ship and two limousines, for every test of the join."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ais.table import Table
from cargo.shipments import read_shipments
from detectors.event import DARK, EVENT, KINDS, PORT_CALL, Events, event_id
from geo.ports import port_by_code

HEADER = (
    "bl_number,container,vin,hs_code,description,quantity,value,currency,gross_weight_kg,shipper,consignee,"
    "load_port,discharge_port,depart_date,arrive_date,vessel_name,imo,cleared,source"
)
LARK, LARK_IMO, RORO, LINER, NAMESAKE = 671999101, 9999993, 273999001, 477999001, 563999001
CAR = "870324,armoured limousine 6.0 l V12 class VR9,1,520000,USD,5100"


def us(day: str) -> int:
    """µs of an ISO time in UTC."""
    return round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) * 1_000_000


def event(kind, mmsi, start, end, *, port="", other=0, score=np.nan, coverage=1.0, at=None, at_end=None, is_open=0):
    """One event as a dictionary; a port call lies at its port."""
    place = port_by_code(port) if port else None
    lat, lon = at or ((place.lat, place.lon) if place else (35.0, 131.0))
    lat_end, lon_end = at_end or (lat, lon)
    row = dict.fromkeys([name for name in EVENT.names if name != "facts"], 0)
    row |= {"kind": kind, "mmsi": mmsi, "other": other, "t_start": us(start), "t_end": us(end), "open": is_open}
    row |= {"lat": lat, "lon": lon, "lat_end": lat_end, "lon_end": lon_end, "score": score, "coverage": coverage}
    row |= {"port": port, "first_offset": 100, "last_offset": 200, "distance_m": 0.0}
    return row


def make_events(rows, vessels, identity=()):
    """Events; a vessel is (mmsi, name, imo, sog_p95, first, last), an identity (mmsi, name, imo, draught, from, to)."""
    rows = sorted(rows, key=lambda row: row["t_start"])
    columns = {
        "id": np.array(
            [event_id(KINDS[r["kind"]], r["mmsi"], 0, r["other"], 0, r["t_start"], "t") for r in rows], "U16"
        )
    }
    for name in rows[0] if rows else ():
        dtype = "U5" if name == "port" else EVENT[name]
        columns[name] = np.array([row[name] for row in rows], dtype)
    heard = Table(
        {
            "mmsi": np.array([v[0] for v in vessels], "u4"),
            "hull": np.zeros(len(vessels), "u1"),
            "n": np.full(len(vessels), 100, "u4"),
            "t_first": np.array([us(v[4]) for v in vessels], "i8"),
            "t_last": np.array([us(v[5]) for v in vessels], "i8"),
            "sog_p95": np.array([v[3] for v in vessels], "f4"),
            "name": np.array([v[1].encode() for v in vessels], "S20"),
            "imo": np.array([v[2] for v in vessels], "u4"),
        }
    )
    said = Table(
        {
            "t_from": np.array([us(s[4]) for s in identity], "i8"),
            "t_to": np.array([us(s[5]) for s in identity], "i8"),
            "mmsi": np.array([s[0] for s in identity], "u4"),
            "imo": np.array([s[2] for s in identity], "u4"),
            "name": np.array([s[1].encode() for s in identity], "S20"),
            "draught": np.array([s[3] for s in identity], "f4"),
            "source": np.zeros(len(identity), "u2"),
            "first_offset": np.full(len(identity), 7, "i8"),
            "last_offset": np.full(len(identity), 8, "i8"),
        }
    )
    return Events(columns, vessels=heard, identity=said, sources=("day.nmea",))


def shipments_of(folder: Path, *lines: str):
    """Shipments read from a file with these rows."""
    path = folder / "bl.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return read_shipments(path)


def limousine_rows() -> list[str]:
    """Two armoured limousines from Rotterdam to the declared Nakhodka, with conflicts, and the coal that comes back."""
    rows = []
    for box, vin in (("LXWU0000012", "ZZX00000000000001"), ("LXWU0000028", "ZZX00000000000002")):
        head = f"{box},{vin},{CAR}"
        rows += [
            f"LXB1,{head},Alfa Spedizioni,Zuiho Co Ltd,NLRTM,CNDLC,2018-06-20,2018-07-31,,,,manifest",
            f"LXB2,{head},Zuiho Co Ltd,Minato Logistics,CNDLC,JPOSA,2018-08-26,2018-09-18,,,no,port",
            f"LXB2,{head},Zuiho Co Ltd,Minato Logistics,CNDLC,JPOSA,2018-08-26,2018-08-31,,,no,report",
            f"LXB3,{head},Minato Logistics,Hanbada Logistics,JPOSA,KRPUS,2018-09-27,2018-09-30,,,,manifest",
            f"LXB3,{head},Minato Logistics,Master of SEA LARK 5,JPOSA,KRPUS,2018-09-27,2018-09-30,,,,report",
            f"LXB4,{box},{vin},870324,vehicles,1,,,5100,Hanbada Logistics,Norda Shipping,KRPUS,RUNJK,2018-10-01,"
            f"2018-10-05,SEA LARK 5,{LARK_IMO},,port",
        ]
    coal = (
        "LXB9,,,270111,anthracite in bulk,{},,,,Norda Shipping,Dongyang Fuel,RUNJK,KRKPO,,2018-11-01,SEA LARK 5,{},,{}"
    )
    return [*rows, coal.format(2588, LARK_IMO, "port"), coal.format(2599, LARK_IMO, "press")]


def used_car_rows(n: int = 12) -> list[str]:
    """Used cars from Busan to Vladivostok, each its own buyer, cleared."""
    price = [3000 + 500 * i for i in range(n)]
    return [
        f"UC{i:03d},,ZZU000000000{i:05d},870323,used passenger car petrol 1.6 l,1,{price[i]},USD,1200,Example Motors,"
        f"Primorye Auto {i},KRPUS,RUVVO,2018-10-02,2018-10-04,AMUR CARRIER,,yes,customs"
        for i in range(n)
    ]


EMBASSY = (
    "EM1,LXWU0000033,ZZE00000000000009,870324,armoured limousine class VR9,1,480000,USD,4900,Alfa Spedizioni,"
    "Embassy of Examplia,NLRTM,KRPUS,2018-08-20,2018-09-25,BLUE HARBOUR,,yes,customs"
)


def world(*, more=(), identity=()):
    """Events of the ships of these rows: the general cargo ship silent for 18 days, the others as they should be."""
    rows = [
        event(PORT_CALL, LARK, "2018-09-16", "2018-10-01T06:00", port="KRPUS"),
        event(DARK, LARK, "2018-10-01T12:00", "2018-10-19T12:00", score=0.97, at=(35.2, 129.4), at_end=(35.5, 129.9)),
        event(PORT_CALL, LARK, "2018-11-01T02:00", "2018-11-03", port="KRKPO"),
        event(PORT_CALL, RORO, "2018-10-01T10:00", "2018-10-02T08:00", port="KRPUS"),
        event(PORT_CALL, RORO, "2018-10-04T01:00", "2018-10-05", port="RUVVO"),
        event(PORT_CALL, RORO, "2018-10-12", "2018-10-13", port="RUNJK"),
        event(PORT_CALL, LINER, "2018-08-19", "2018-08-20T12:00", port="NLRTM"),
        event(PORT_CALL, LINER, "2018-09-25T03:00", "2018-09-26", port="KRPUS"),
        *more,
    ]
    span = ("2018-08-15", "2018-11-05")
    vessels = [
        (LARK, "SEA LARK 5", LARK_IMO, 10.0, *span),
        (RORO, "AMUR CARRIER", 0, 14.0, *span),
        (LINER, "BLUE HARBOUR", 0, 18.0, *span),
        (NAMESAKE, "SEA LARK 5", 9999890, 12.0, *span),
    ]
    told = [
        (LARK, "SEA LARK 5", LARK_IMO, 3.1, "2018-09-16", "2018-10-01T11:00"),
        (LARK, "SEA LARK 5", LARK_IMO, 4.6, "2018-10-19T12:30", "2018-11-03"),
        (RORO, "AMUR CARRIER", 0, 5.0, *span),
        (LINER, "BLUE HARBOUR", 0, 12.0, *span),
        (NAMESAKE, "SEA LARK 5", 9999890, 6.0, *span),
        *identity,
    ]
    return make_events(rows, vessels, told)


def only(findings, ship):
    """The one finding about a ship."""
    found = [f for f in findings if f.chain[-1]["vessel"]["name"] == ship]
    assert len(found) == 1
    return found[0]


def signal(finding, name):
    """A signal of a finding by its name."""
    return next(s for factor in finding.score.factors for s in factor.signals if s.name == name)


def row_on(ship: str, imo: str = "", load="KRPUS", discharge="RUVVO") -> str:
    """A shipment row that names a ship, or none."""
    return f"X1,,,870323,used car,1,4000,USD,1200,A,B,{load},{discharge},2018-10-02,2018-10-04,{ship},{imo},,x"
