"""Shipments read: seconds, CPU, memory and rows a second at growing sizes, of a file like US AMS (61 columns).

All names are made up. The number of distinct values is what such a file has: a bill of lading a row, a consignee for
every twelve rows, a description for every three, some four thousand HS codes and as many ships.
"""

from __future__ import annotations

import random
import re
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.child import peak_mb, run_child
from benchmarks.tables import number, table

SIZES = (100_000, 300_000, 1_000_000)
HEADER = (
    "ACTUAL_ARRIVAL_DATE,BILL_OF_LADING,BILL_TYPE_CODE,CARRIER_SASC_CODE,CIF,CONSIGNEE_ADDRESS,CONSIGNEE_NAME,"
    "CONTAINER_DESC_CODE,CONTAINER_ID,CONTAINER_LOAD_STATUS,CONTAINER_SIZE,CONTAINER_TYPE,CONTAINER_TYPE_OF_SERVICE,"
    "COUNTRY,COUNTRY_SURE_LEVEL,END,ESTIMATE_ARRIVAL_DATE,HS_CODE,HS_CODE_2,HS_CODE_4,HS_CODE_SURE_LEVEL,"
    "INDICATOR_OF_TRUE_BUYER,INDICATOR_OF_TRUE_SUPPLIER,LAST_VIST_FOREIGN_PORT,LOADING_PORT,MANIFEST_NO,"
    "MARKS_AND_NUMBERS,MASTER_BILL_OF_LADING,MEASURE,MEASURE_IN_CM,MEASURE_UNIT,MODE_OF_TRANSPORTATION,"
    "NOTIFY_PARTY_ADDRESS,NOTIFY_PARTY_NAME,PLACE_OF_RECEIPT,PRODUCT_DESCRIPTION,QUANTITY,QUANTITY_UNIT,"
    "RAW_CONSIGNEE_ADDRESS,RAW_CONSIGNEE_NAME,RAW_NOTIFY_PARTY_ADDRESS,RAW_NOTIFY_PARTY_NAME,RAW_SHIPPER_ADDRESS,"
    "RAW_SHIPPER_NAME,RECORDS_TAG,RECORD_ID,SHIPPER_ADDRESS,SHIPPER_NAME,TEU,UNLOADING_PORT,US_CLEARING_DISTRICT,"
    "VESSEL_CODE,VESSEL_COUNTRY_CODE,VESSEL_COUNTRY_NAME,VESSEL_NAME,VOYAGE,WEIGHT,WEIGHT_IN_KG,WEIGHT_UNIT,"
    "INBOND_TYPE,HS_CODE_DESCRIPTION"
)
_SYLLABLES = re.findall("..", "karomitesovanelubadotianelfugoristpe" + "mozexi")
_GOODS = "used passenger car|furniture of wood|machine parts|ceramic tiles|frozen shrimp|cotton garments|tyres|toys"
_FROM = (
    "Busan|Shanghai|Ningbo|Yantian|Kaohsiung|Nagoya|Rotterdam|Hamburg|Santos|Callao|Cartagena|Singapore|Laem Chabang"
)
_TO = "Los Angeles|Long Beach|New York|Savannah|Houston|Seattle|Oakland|Charleston"
_LETTERS = {chr(65 + i): value for i, value in enumerate(v for v in range(10, 39) if v % 11)}


def _container(rng: random.Random) -> str:
    body = f"LXWU{rng.randrange(1_000_000):06d}"
    total = sum((_LETTERS.get(c) or int(c)) << i for i, c in enumerate(body))
    return f"{body}{total % 11 % 10}"


def _name(number: int, kind: str) -> str:
    words = [_SYLLABLES[number // 20**i % 20] for i in range(4)]
    return f"{''.join(words[:2])} {''.join(words[2:])} {kind}".upper()


def make(path: str, rows: int) -> dict[str, Any]:
    """Write a file of made-up rows (run in a process of its own)."""
    rng = random.Random(rows)
    names = HEADER.split(",")
    goods, ports_from, ports_to = _GOODS.split("|"), _FROM.split("|"), _TO.split("|")
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(HEADER + "\n")
        for i in range(rows):
            shipper, consignee, ship = (
                rng.randrange(rows // 15 + 9),
                rng.randrange(rows // 12 + 9),
                rng.randrange(4_000),
            )
            arrive = date(2018, 1, 1) + timedelta(days=rng.randrange(700))
            sender, taker = _name(shipper, "Trading Co"), _name(consignee, "Imports Inc")
            told = rng.random()
            notify = "SAME AS CONSIGNEE" if told < 0.4 else taker
            taker_said = "TO ORDER" if told > 0.95 else taker
            weight = rng.randrange(200, 26_000)
            where = f'"{shipper % 900} Harbour Road, Building {shipper % 37}, Example City"'
            there = f'"{consignee % 900} Main Street, Suite {consignee % 51}, Sample Town"'
            hs = f"{rng.randrange(100, 9700, 7):04d}{rng.choice((10, 20, 90))}"
            text = f"{goods[i % 8]} {rng.randrange(rows // 20 + 9)} pieces in {rng.randrange(9)} cartons"
            cell = {
                "ACTUAL_ARRIVAL_DATE": f"{arrive:%m/%d/%Y}", "ESTIMATE_ARRIVAL_DATE": f"{arrive:%m/%d/%Y}",
                "BILL_OF_LADING": f"LXWK{i:010d}", "MASTER_BILL_OF_LADING": f"LXWM{i // 3:010d}",
                "CARRIER_SASC_CODE": f"LX{chr(65 + ship % 26)}{chr(65 + ship % 7)}", "CONTAINER_ID": _container(rng),
                "CONSIGNEE_NAME": taker_said, "RAW_CONSIGNEE_NAME": taker_said, "CONSIGNEE_ADDRESS": there,
                "RAW_CONSIGNEE_ADDRESS": there, "SHIPPER_NAME": sender, "RAW_SHIPPER_NAME": f"{sender}.",
                "SHIPPER_ADDRESS": where, "RAW_SHIPPER_ADDRESS": where, "NOTIFY_PARTY_NAME": notify,
                "RAW_NOTIFY_PARTY_NAME": notify, "NOTIFY_PARTY_ADDRESS": there, "RAW_NOTIFY_PARTY_ADDRESS": there,
                "HS_CODE": hs, "HS_CODE_2": hs[:2], "HS_CODE_4": hs[:4], "PRODUCT_DESCRIPTION": text,
                "LOADING_PORT": ports_from[i % 13], "LAST_VIST_FOREIGN_PORT": ports_from[i % 11],
                "UNLOADING_PORT": ports_to[i % 8], "PLACE_OF_RECEIPT": ports_from[i % 13], "MANIFEST_NO": str(i // 400),
                "MARKS_AND_NUMBERS": "N/M", "QUANTITY": str(rng.randrange(1, 900)), "QUANTITY_UNIT": "CTN",
                "RECORD_ID": str(10_000_000 + i), "RECORDS_TAG": "US", "TEU": "2", "WEIGHT": str(weight),
                "WEIGHT_IN_KG": str(weight), "WEIGHT_UNIT": "KG", "VESSEL_NAME": _name(ship, "Star"),
                "VESSEL_CODE": str(9_000_000 + ship), "VOYAGE": f"{ship % 90:03d}E", "COUNTRY": "KR", "CIF": "",
                "MODE_OF_TRANSPORTATION": "VESSEL, CONTAINERIZED", "CONTAINER_TYPE": "45G0", "CONTAINER_SIZE": "40",
            }  # fmt: skip
            cell["MODE_OF_TRANSPORTATION"] = '"VESSEL, CONTAINERIZED"'
            file.write(",".join([cell.get(name, "") for name in names]) + "\n")
    return {"rows": rows, "bytes": Path(path).stat().st_size}


def read(path: str, out: str = "") -> dict[str, Any]:
    """Read the file, and with `out` write the rows as Parquet (run in a process of its own)."""
    import luxwake as lw
    from geo.ports import ports_matching

    ports_matching("Busan")
    before = peak_mb()
    wall, cpu = time.perf_counter(), time.process_time()
    shipments = lw.read_shipments(path)
    read_s, read_cpu_s, read_mb = time.perf_counter() - wall, time.process_time() - cpu, peak_mb()
    found: dict[str, Any] = {"rows": len(shipments), "wall_s": read_s, "cpu_s": read_cpu_s, "read_mb": read_mb}
    found |= {"before_mb": before, "counts": shipments.counts}
    if out:
        from luxwake.shipments_import import write_rows

        wall = time.perf_counter()
        write_rows(shipments, Path(out))
        found |= {"write_s": time.perf_counter() - wall, "out_bytes": Path(out).stat().st_size}
    return found


def run(quick: bool) -> Iterator[str]:
    """The table of this part."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for n in (20_000, 50_000) if quick else SIZES:
            path = f"{folder}/ams-{n}.csv"
            made = run_child("benchmarks.shipments:make", {"path": path, "rows": n})
            got = run_child("benchmarks.shipments:read", {"path": path, "out": f"{folder}/rows.parquet"})
            speed = number(n / got["wall_s"], 0)
            cells = (number(made["bytes"] / 1e6, 0), number(got["wall_s"]), number(got["cpu_s"]), speed)
            rest = (number(got["read_mb"], 0), number(got["write_s"]), number(got["peak_mb"], 0))
            rows.append((f"{n:,}", *cells, *rest))
            Path(path).unlink()
    yield table(
        ("rows", "MB", "read, s", "read, CPU s", "rows/s", "peak MB after read", "Parquet written, s", "peak MB"), rows
    )
