"""A made-up case for the tests of the report: one finding by hand, its events, and tracks around it.

Every name, number and position is invented; the shape is that of `Findings.to_json`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ais.table import Fixes, Table
from detectors.event import DARK, EVENT, LOITERING, PORT_CALL, RENDEZVOUS, Events

LARK, TENDER = 671000101, 671000202
DAY = 86_400_000_000
HOUR = DAY // 24
T_DARK = 1_538_370_600_000_000  # 2018-10-01T05:10Z
T_AGAIN = T_DARK + 18 * DAY + 3 * HOUR


def events_of(rows: list[dict[str, Any]], **attributes: Any) -> Events:
    """Events with the columns that users see; what a row does not name is not available."""
    raw = np.zeros(len(rows), EVENT)
    for name in ("lat", "lon", "lat_end", "lon_end", "score", "coverage", "distance_m", "speed_kn", "shore_m"):
        raw[name] = np.nan
    raw["other_first_offset"] = raw["other_last_offset"] = -1
    for n, row in enumerate(rows):
        for name in set(row) & set(raw.dtype.names or ()) - {"port"}:
            raw[name][n] = row[name]
    columns: dict[str, Any] = {"id": np.array([f"{n:016x}" for n in range(len(rows))], dtype="U16")}
    columns |= {name: raw[name] for name in raw.dtype.names or () if name != "facts"}
    columns["port"] = np.array([row.get("port", "") for row in rows], dtype="U5")
    return Events(columns, **attributes)


def events() -> Events:
    """One event of each kind and a dark period across 180 degrees."""
    vessels = Table({"mmsi": np.array([LARK, TENDER], "u4"), "name": np.array([b"SEA LARK 5", b"<B>TENDER"])})
    rows = [
        {
            "kind": PORT_CALL,
            "mmsi": LARK,
            "t_start": T_DARK - 2 * DAY,
            "t_end": T_DARK - 4 * HOUR,
            "lat": 35.1,
            "lon": 129.05,
            "port": "KRPUS",
            "n": 40,
            "score": 1.0,
        },
        {
            "kind": DARK,
            "mmsi": LARK,
            "t_start": T_DARK,
            "t_end": T_AGAIN,
            "lat": 35.32,
            "lon": 129.75,
            "lat_end": 35.9,
            "lon_end": 130.3,
            "score": 0.93,
            "coverage": 0.8,
            "n": 2,
            "last_offset": 812_345,
        },
        {
            "kind": LOITERING,
            "mmsi": LARK,
            "t_start": T_AGAIN + 2 * DAY,
            "t_end": T_AGAIN + 9 * DAY,
            "lat": 36.1,
            "lon": 129.9,
            "n": 300,
            "score": 0.7,
        },
        {
            "kind": RENDEZVOUS,
            "mmsi": LARK,
            "other": TENDER,
            "t_start": T_AGAIN + DAY,
            "t_end": T_AGAIN + DAY + 3 * HOUR,
            "lat": 36.6,
            "lon": 130.7,
            "n": 9,
            "score": 0.6,
        },
        {
            "kind": DARK,
            "mmsi": TENDER,
            "t_start": T_DARK,
            "t_end": T_DARK + 4 * DAY,
            "lat": 51.0,
            "lon": 178.0,
            "lat_end": 53.0,
            "lon_end": -176.0,
            "score": np.nan,
        },
        {
            "kind": DARK,
            "open": 1,
            "mmsi": TENDER,
            "t_start": T_DARK + 9 * DAY,
            "t_end": T_DARK + 20 * DAY,
            "lat": 53.0,
            "lon": -170.0,
        },
    ]
    return events_of(
        rows,
        vessels=vessels,
        sources=("track.nmea", "shipments.csv"),
        params={"dark": {"min_gap_s": 43200}},
        counts={"checksum differs": 12},
    )


def tracks() -> Fixes:
    """The ship before and after its silence, and thirty others that cross the sea meanwhile."""
    parts: list[tuple[np.ndarray, int, np.ndarray, np.ndarray]] = []

    def way(mmsi: int, start: int, hours: float, points: list[tuple[float, float]]) -> None:
        n = max(2, int(hours * 6))
        at, corners = np.linspace(0, len(points) - 1, n), np.arange(len(points))
        lat = np.interp(at, corners, [p[0] for p in points])
        lon = np.interp(at, corners, [p[1] for p in points])
        parts.append((start + (np.arange(n) * HOUR * hours / n).astype(np.int64), mmsi, lat, lon))

    way(LARK, T_DARK - 4 * DAY, 92, [(33.6, 130.9), (34.0, 130.0), (34.9, 129.2), (35.1, 129.05), (35.1, 129.06)])
    way(LARK, T_DARK - 4 * HOUR, 4, [(35.1, 129.06), (35.05, 129.3), (35.32, 129.75)])
    way(LARK, T_AGAIN, 30, [(35.9, 130.3), (36.6, 130.7), (36.2, 130.0)])
    way(LARK, T_AGAIN + 10 * DAY, 24, [(36.1, 129.9), (36.03, 129.45)])
    noise = np.random.default_rng(7)
    for n in range(30):
        start = T_DARK + int(noise.integers(0, 15)) * DAY
        a, b = noise.uniform((34.6, 129.6), (41.5, 133.5)), noise.uniform((36.0, 130.5), (41.5, 136.0))
        way(440_100_000 + n, start, 40, [tuple(a), tuple(0.5 * (a + b) + noise.normal(0, 0.3, 2)), tuple(b)])
    t, mmsi, lat, lon = (
        np.concatenate([np.full(p[0].size, p[1]) if k == 1 else p[k] for p in parts]) for k in range(4)
    )
    columns = {"t": t, "mmsi": mmsi, "lat": lat, "lon": lon}
    return Fixes(columns, sources=("track.nmea",)).sort()


PORTS = {
    "NLRTM": ("Rotterdam", 51.95, 4.05),
    "CNDLC": ("Dalian", 38.93, 121.75),
    "JPOSA": ("Osaka", 34.63, 135.4),
    "KRPUS": ("Busan", 35.1, 129.06),
    "RUNJK": ("Nakhodka", 42.8, 132.9),
    "RUVVO": ("Vladivostok", 43.1, 131.9),
    "KPCHO": ("Chongjin", 41.76, 129.82),
    "KPHGM": ("Hungnam", 39.82, 127.65),
    "KPWON": ("Wonsan", 39.17, 127.45),
    "KPNJN": ("Rajin", 42.23, 130.29),
    "RUSLV": ("Slavyanka", 42.86, 131.38),
    "JPTOY": ("Toyama", 36.76, 137.22),
    "KPKCH": ("Kimchaek", 40.66, 129.2),
}

REACHED = ("KPCHO", "KPHGM", "KPKCH", "KPNJN", "KPWON", "RUNJK", "RUSLV", "RUVVO", "JPTOY")


def leg(n: int, load: str, discharge: str, depart: str | None, arrive: str | None, **more: Any) -> dict[str, Any]:
    """One leg of a chain between two of `PORTS`."""
    (load_name, *load_at), (discharge_name, *discharge_at) = PORTS[load], PORTS[discharge]
    vessel = {"name": None, "imo": None, "mmsi": None, "method": "none", "candidates": []}
    made = {
        "leg": n,
        "rows": [2 * n, 2 * n + 1],
        "bl_number": f"SYNB{n:05d}",
        "load_port": load,
        "discharge_port": discharge,
        "load_name": load_name,
        "discharge_name": discharge_name,
        "load_lat": load_at[0],
        "load_lon": load_at[1],
        "discharge_lat": discharge_at[0],
        "discharge_lon": discharge_at[1],
        "t_depart": depart,
        "t_arrive": arrive,
        "vessel": vessel,
        "shipper": f"Shipper {n}",
        "consignee": f"Consignee {n}",
        "cleared": None,
        "description": "armoured limousine 6.0 l V12, class VR9",
        "link": {"method": "container", "gap_days": 3.0, "alternatives": [], "note": ""} if n > 1 else None,
        "arrived": None,
        "arrived_why": "no ship identified",
    }
    return made | more


def factor(
    name: str, lower: float, upper: float, known: float | None, *signals: tuple[str, Any, str]
) -> dict[str, Any]:
    """One factor of a score with its signals (name, value, why)."""
    listed = [{"name": n, "value": value, "why": why, "evidence": []} for n, value, why in signals]
    bounds = {"lower": lower, "upper": upper, "known": known, "coverage": 0.0 if known is None else 0.7}
    return {"name": name, "signals": listed} | bounds


def claim(subject: str, predicate: str, *values: tuple[str, str, int]) -> dict[str, Any]:
    """A claim on which sources differ, by (value, source, row)."""
    listed = [{"value": value, "source": source, "row": row} for value, source, row in values]
    return {"subject": subject, "predicate": predicate, "values": listed}


def rival(name: str, text: str, lower: float, upper: float, speaks_for: str, against: str) -> dict[str, Any]:
    """A hypothesis with what speaks for and against it."""
    return {
        "id": name,
        "text": text,
        "lower": lower,
        "upper": upper,
        "for": [speaks_for] if speaks_for else [],
        "against": [against],
    }


def car(vin: str, container: str, value_usd: float | None) -> dict[str, Any]:
    """One car as goods."""
    text = "armoured limousine 6.0 l V12, class VR9"
    return {"description": text, "hs_code": "870324", "quantity": 1, "value_usd": value_usd, "vin": vin} | {
        "container": container
    }


def finding() -> dict[str, Any]:
    """A finding in the shape of `Findings.to_json`."""
    loose = {"description": "vehicles"}
    lark = {"name": "SEA LARK 5", "imo": "9999993", "mmsi": LARK, "method": "imo", "candidates": []}
    ring = [
        [129.5, 35.3],
        [132.0, 35.6],
        [136.5, 37.6],
        [138.0, 40.2],
        [139.5, 43.0],
        [136.0, 44.0],
        [133.0, 42.8],
        [131.9, 43.0],
        [130.4, 42.2],
        [129.8, 41.6],
        [129.5, 40.8],
        [127.8, 39.8],
        [127.6, 39.2],
        [129.3, 37.5],
        [129.5, 35.3],
    ]
    when = ("2018-10-01T05:10:00Z", "2018-10-19T08:10:00Z")
    return {
        "id": "5b22bcd5f3b3a4ee",
        "rank": 1,
        "title": "Two armoured limousines on a ship that was not heard for 18 days",
        "conclusion": "Consistent with delivery in the Russian Far East or the DPRK; not proven.",
        "score": {
            "lower": 0.62,
            "upper": 0.88,
            "known": 0.84,
            "coverage": 0.74,
            "factors": [
                factor(
                    "value", 0.9, 1.0, 1.0, ("unit_value", 1.0, "USD 520,000 is 86 times the median of HS 8703 here")
                ),
                factor("end user", 0.5, 0.83, 0.75, ("cleared", None, "no customs entry for the last leg")),
                factor("route", 0.7, 0.9, 0.8, ("declared_port_without_record", 1.0, "no port call at Nakhodka")),
                factor("parties", 0.0, 1.0, None, ("other_prohibited_trade", None, "no register of owners was given")),
                factor("obfuscation", 0.38, 0.75, 0.5, ("identity_change", 0.0, "one name and IMO throughout")),
            ],
        },
        "goods": [
            car("ZZZ000000SYN00001", "LXWU0000015", 520_000.0),
            car("ZZZ000000SYN00002", "LXWU0000020", 515_000.0),
        ],
        "chain": [
            leg(1, "NLRTM", "CNDLC", "2018-06-20T00:00:00Z", "2018-07-31T00:00:00Z"),
            leg(2, "CNDLC", "JPOSA", "2018-08-26T00:00:00Z", "2018-09-18T00:00:00Z"),
            leg(3, "JPOSA", "KRPUS", "2018-09-27T00:00:00Z", "2018-09-30T00:00:00Z", cleared="no"),
            leg(4, "KRPUS", "RUNJK", "2018-10-01T00:00:00Z", "2018-10-05T00:00:00Z", vessel=lark, **loose),
        ],
        "events": [
            {
                "id": "0000000000000001",
                "kind": "dark",
                "relation": "carried during",
                "mmsi": LARK,
                "other": None,
                "t_start": when[0],
                "t_end": when[1],
                "lat": 35.32,
                "lon": 129.75,
                "lat_end": 35.9,
                "lon_end": 130.3,
                "score": 0.93,
                "coverage": 0.8,
                "port": None,
            },
            {
                "id": "0000000000000000",
                "kind": "port_call",
                "relation": "loaded at",
                "mmsi": LARK,
                "other": None,
                "t_start": "2018-09-29T05:10:00Z",
                "t_end": "2018-10-01T01:10:00Z",
                "lat": 35.1,
                "lon": 129.05,
                "lat_end": None,
                "lon_end": None,
                "score": 1.0,
                "coverage": 1.0,
                "port": "KRPUS",
            },
        ],
        "claims": [
            claim("B/L SYNB00002", "arrive_date", ("2018-09-18", "customs", 4), ("2018-08-31", "press", 6)),
            claim("B/L SYNB00003", "consignee", ("Consignee 3", "customs", 8), ("Master of SEA LARK 5", "press", 9)),
        ],
        "evidence": [
            {"what": "last position heard", "file": "track.nmea", "offset": 812_345, "row": None, "note": ""},
            {"what": "shipment row", "file": "shipments.csv", "offset": 1_024, "row": 8, "note": "leg 4"},
        ],
        "unknown": ["Where the ship was from 1 to 19 October.", "Whether the cars were landed, and where."],
        "innocent": ["The transponder failed and was mended.", "The port list of Nakhodka is incomplete."],
        "deciding_records": [
            {
                "record": "Port call list of Nakhodka",
                "holder": "the harbour master",
                "would_show": "Whether she came in.",
            },
            {
                "record": "Satellite image of Chongjin",
                "holder": "an archive",
                "would_show": "A ship of 84 m at the berth.",
            },
        ],
        "hypotheses": [
            rival(
                "H1", "Delivered at Nakhodka, onward by another means", 0.2, 0.8, "Declared.", "No port call was heard."
            ),
            rival(
                "H2", "Delivered in a DPRK port", 0.1, 0.8, "Five ports reachable.", "Reach does not tell ports apart."
            ),
            rival("H3", "Handed over at sea", 0.0, 0.5, "", "No partner was heard near her."),
            rival(
                "H4",
                "Innocent: a fault of AIS or of reception",
                0.0,
                0.3,
                "Long silences happen.",
                "30 others were heard.",
            ),
        ],
        "balance": [{"port": "CNDLC", "units_in": 2.0, "units_out": 2.0, "remainder": 0.0}],
        "reach": {
            "event": "0000000000000001",
            "speed_kn": 9.4,
            "hours": 435.0,
            "bands": [
                {"least_stay_h": stay, "area": {"type": "MultiPolygon", "coordinates": [[ring]]}, "area_nmi2": 1e5}
                for stay in (0.0, 72.0)
            ],
            "ports_total": 12,
            "assumptions": ["all straits and canals are open"],
            "meetings": [
                {
                    "event": "0000000000000009",
                    "mmsi": 352999204,
                    "lat": 40.1,
                    "lon": 130.2,
                    "t_from": "2018-10-03T00:00:00Z",
                    "t_to": "2018-10-05T00:00:00Z",
                    "together_h": 48.0,
                }
            ],
            "ports": [
                {
                    "locode": code,
                    "slack_h": 300.0 + n,
                    "risk": code[:2] == "KP",
                    "probability": 0.5 + 0.05 * n,
                    "earliest": "2018-10-02T12:00:00Z",
                    "latest": "2018-10-18T12:00:00Z",
                    "passages": ["Korea"] * (n % 2),
                }
                | dict(zip(("name", "lat", "lon"), PORTS[code], strict=True))
                for n, code in enumerate(REACHED)
            ],
        },
        "return_cargo": [
            {
                "description": "anthracite in bulk",
                "hs_code": "270111",
                "quantity": 2588.0,
                "rows": [11],
                "load_port": "RUNJK",
                "discharge_port": "KRKPO",
                "t_depart": None,
                "t_arrive": "2018-11-01T00:00:00Z",
            },
        ],
        "parameters": {"risk_countries": ["KP"], "weights": {"value": 0.2}},
    }


def assessed(rank: int, title: str, status: str, lower: float, upper: float) -> dict[str, Any]:
    """One chain that was looked at."""
    bounds = {"lower": lower, "upper": upper, "known": lower, "coverage": 0.8}
    named = {"id": f"{rank:016x}", "rank": rank, "title": title, "status": status}
    return named | {"is_finding": rank == 1, "rows": []} | bounds


def findings() -> dict[str, Any]:
    """All of a run: one finding, one chain that was assessed and gave none, and what was read."""
    return {
        "findings": [finding()],
        "assessed": [
            assessed(1, finding()["title"], "dark with the goods on board", 0.62, 0.88),
            assessed(2, "Embassy car, cleared", "all declared ports confirmed by calls", 0.28, 0.28),
        ],
        "cleared": {"all declared ports confirmed by calls": 1},
        "inputs": {"ais": ["track.nmea"], "shipments": [{"name": "shipments.csv", "sha256": "ab" * 32}]},
        "counts": {"shipment rows": 12, "chains": 2},
        "parameters": {"risk_countries": ["KP"]},
        "sensitivity": [{"factor": "value", "weight": 0.5, "first": "5b22bcd5f3b3a4ee", "moved": 0}],
    }
