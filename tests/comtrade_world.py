"""A made-up world of reporters, written as UN Comtrade would: with truth, and with every way of counting twice.

Countries are numbered 1001 and up, which are no M49 codes. To one Korea (408) go cars, spirits, watches; to the other
(410) ores, wood, copper, parts. A miscoded reporter wrote a part of its exports to 410 under 408.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field

import numpy as np

YEARS = range(2014, 2019)
NORTH = ("870323", "870324", "220830", "330300", "910111", "420221", "852872", "100630", "271019", "300490", "610910")
SOUTH = ("260111", "270900", "470321", "740311", "080390", "090111", "710812", "220421", "710239", "854231", "970110")
PRICES = dict(zip((*NORTH, *SOUTH), np.geomspace(0.3, 900.0, 22), strict=True))
"""US$ a kilogram."""
KINDS = {"genuine": 30, "miscoded": 14, "one-off": 8, "mispriced": 4}


@dataclass
class World:
    """`rows` as Comtrade's API v1 has them; the sums that are true to what was written, and who is of which kind."""

    rows: list[dict] = field(default_factory=list)
    kind: dict[int, str] = field(default_factory=dict)
    wrong_years: dict[int, set[int]] = field(default_factory=dict)
    """Of the reporters that are not genuine."""
    sums: dict[tuple[int, int, str], float] = field(default_factory=dict)
    """To 408, by reporter, year and code, counted once."""


def make(seed: int, double: bool = True, overlap: float = 0.0) -> World:
    """A world; without `double` each sum stands there once. `overlap`: how much of what the right reporters send to 408
    is the same as what they send to 410, which makes the miscoded hard to tell."""
    rng = np.random.default_rng(seed)
    world = World()
    common = {408: rng.dirichlet(np.full(len(NORTH), 2.0)), 410: rng.dirichlet(np.full(len(SOUTH), 2.0))}
    reporter = 1000
    for kind, number in KINDS.items():
        for _ in range(number):
            reporter += 1
            world.kind[reporter] = kind
            wrong = {int(rng.choice([2015, 2016, 2017]))} if kind != "genuine" else set()
            world.wrong_years[reporter] = wrong
            own = {partner: rng.dirichlet(6.0 * shares + 0.05) for partner, shares in common.items()}
            for year in YEARS:
                _year(world, rng, reporter, kind, year, year in wrong, own, overlap)
    if double:
        world.rows += _doubles(rng, world.rows)
    order = rng.permutation(len(world.rows))
    world.rows = [world.rows[n] for n in order]
    return world


def _year(world, rng, reporter, kind, year, wrong, own, overlap):
    """What a reporter wrote in a year, to both Koreas."""
    south = _basket(rng, SOUTH, own[410], 10.0 ** rng.uniform(6, 8))
    north = {}
    if kind in ("genuine", "mispriced") or (kind == "one-off" and wrong):
        north = _basket(rng, NORTH, own[408], 10.0 ** rng.uniform(4, 7))
        if overlap and kind != "one-off":
            scale = overlap / (1.0 - overlap) * sum(north.values()) / sum(south.values())
            north |= {code: scale * value for code, value in south.items()}
        if kind == "one-off":
            north = dict([max(north.items(), key=lambda item: item[1])])
    if kind == "miscoded" and wrong:
        part = rng.uniform(0.05, 0.6)
        north = {code: part * value for code, value in south.items()}
        south = {code: (1.0 - part) * value for code, value in south.items()}
    for partner, basket in ((408, north), (410, south)):
        for code, value in basket.items():
            factor = 1_000.0 if kind == "mispriced" and wrong and partner == 408 else 1.0
            weight = value / PRICES[code] / rng.lognormal(0.0, 0.4)
            written = round(value * factor, 2)
            world.rows.append(_row(reporter, year, partner, code, written, round(weight, 3)))
            if partner == 408:
                world.sums[reporter, year, code] = written


def _basket(rng, codes, shares, total):
    return {code: total * share for code, share in zip(codes, shares, strict=True) if share > 0.01 * rng.random()}


def _row(reporter, year, partner, code, value, weight, **more):
    return {
        "refYear": year,
        "period": str(year),
        "flowCode": "X",
        "reporterCode": reporter,
        "reporterDesc": f"Land {reporter}",
        "partnerCode": partner,
        "partner2Code": 0,
        "classificationCode": "H4" if year < 2017 else "H5",
        "cmdCode": code,
        "aggrLevel": len(code),
        "customsCode": "C00",
        "motCode": 0,
        "netWgt": weight,
        "primaryValue": value,
        **more,
    }


def _doubles(rng, rows):
    """The same trade again, in every way that Comtrade has it."""
    more = []
    for row in rows:
        way = rng.integers(0, 8)
        value = row["primaryValue"]
        if way == 0:
            more += [row | {"customsCode": code, "primaryValue": value / 2} for code in ("C01", "C06")]
        elif way == 1:
            more += [row | {"motCode": mode, "primaryValue": value / 2} for mode in (1000, 2100)]
        elif way == 2:
            more += [row | {"partner2Code": second, "primaryValue": value / 2} for second in (156, 643)]
        elif way == 3:
            more += [row | {"cmdCode": row["cmdCode"][:digits], "aggrLevel": digits} for digits in (2, 4)]
        elif way == 4:
            more.append(row | {"flowCode": "RX", "primaryValue": value / 3})
        elif way == 5:
            more.append(dict(row))
        elif way == 6:
            more += [
                row | {"period": f"{row['period']}{month:02d}", "primaryValue": value / 12} for month in range(1, 13)
            ]
        else:
            more.append(row | {"classificationCode": "H3"})
    groups = [row | {"reporterCode": 97, "reporterDesc": "European Union"} for row in rows[:20]]
    return more + groups


def as_csv(rows):
    """The rows as a file of the API v1."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


_LEGACY = {
    "refYear": "Year", "period": "Period", "reporterCode": "Reporter Code", "reporterDesc": "Reporter",
    "partnerCode": "Partner Code", "partner2Code": "2nd Partner Code", "classificationCode": "Classification",
    "cmdCode": "Commodity Code", "aggrLevel": "Aggregate Level", "customsCode": "Customs Proc. Code",
    "motCode": "Mode of Transport Code", "netWgt": "Netweight (kg)", "primaryValue": "Trade Value (US$)",
}  # fmt: skip


def as_legacy_csv(rows):
    """The rows as a file of the old site."""
    flows = {"X": ("2", "Export"), "RX": ("3", "Re-Export")}
    return as_csv(
        [
            {_LEGACY[name]: value for name, value in row.items() if name in _LEGACY}
            | {"Trade Flow Code": flows[row["flowCode"]][0], "Trade Flow": flows[row["flowCode"]][1]}
            for row in rows
        ]
    )
