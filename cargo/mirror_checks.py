"""What speaks against a report of exports: the other Korea meant, a reporter of one year, prices that cannot be.

The literature names these errors (PIIE, KOTRA, northkoreaintheworld): above all reporters in Africa, the Middle East
and South America that write 408 (DPRK) for 410 (Republic of Korea). A check says yes, no, or that it does not know;
what is found is consistent with an error and does not prove one.
"""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cargo.comtrade import Comtrade
    from cargo.mirror import Key, Report

KOREA, ONE_OFF, PRICES = "the other Korea", "one-off reporter", "unit values"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckParams:
    """Thresholds of the checks."""

    least_likeness: float = 0.5
    """Of the goods sent to one Korea to those sent to the other, from 0 (nothing in common) to 1 (the same shares), by
    the Bhattacharyya coefficient. No source gives a number; half is where more is shared than not."""
    price_factor: float = 20.0
    """A price per kilogram so many times the median of other reporters, or so many times less, is far off. Prices of
    one subheading commonly differ by 3 to 10 (bands of the unit-value signal of `cargo.signals`)."""
    least_peers: int = 4
    """Other reporters of a code, below which its median says nothing."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a check says of one reporter and year: `speaks_against` None where it does not know."""

    name: str
    speaks_against: bool | None
    why: str


class Profiles:
    """The shares of goods in what reporters sent, by reporter and year."""

    def __init__(self, reports: Sequence[Report]) -> None:
        self.of: dict[Key, dict[str, float]] = defaultdict(dict)
        for report in reports:
            if report.value_usd > 0.0:
                mine = self.of[report.reporter, report.year]
                mine[report.code] = mine.get(report.code, 0.0) + report.value_usd
        for mine in self.of.values():
            total = sum(mine.values())
            for code in mine:
                mine[code] /= total

    @staticmethod
    def years_in(tables: Sequence[Comtrade]) -> set[int]:
        """The years of which the tables hold anything."""
        return {int(year) for table in tables for year in set(table["year"].tolist())}

    def of_others(self, key: Key) -> dict[str, float]:
        """The mean shares of the other reporters of a year."""
        others = [shares for (reporter, year), shares in self.of.items() if year == key[1] and reporter != key[0]]
        mean: dict[str, float] = defaultdict(float)
        for shares in others:
            for code, share in shares.items():
                mean[code] += share / len(others)
        return mean


def likeness(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    """How much two profiles share: the Bhattacharyya coefficient, 0 to 1.

    >>> likeness({"870324": 0.5, "220421": 0.5}, {"870324": 0.5, "220421": 0.5}), likeness({"870324": 1.0}, {})
    (1.0, 0.0)
    """
    return math.fsum(math.sqrt(share * b[code]) for code, share in a.items() if code in b)


def check_all(
    reports: Sequence[Report],
    to_the_other: Sequence[Report] | None,
    keys: Collection[Key],
    years: Collection[int],
    params: CheckParams | None = None,
) -> dict[Key, list[Check]]:
    """All checks on all reporters and years in `keys`; `years` are those of which the file holds anything.

    `to_the_other` is None where reporters take no other partner for this one: then there is no such check.
    """
    chosen = params or CheckParams()
    ours, others = Profiles(reports), Profiles(to_the_other or ())
    active: dict[int, set[int]] = defaultdict(set)
    for reporter, year in ours.of:
        active[reporter].add(year)
    prices = _Prices([*reports, *(to_the_other or ())], chosen)
    by_key: dict[Key, list[Report]] = defaultdict(list)
    for report in reports:
        by_key[report.reporter, report.year].append(report)
    return {
        key: [
            *([] if to_the_other is None else [_other_korea(key, ours, others, bool(to_the_other), chosen)]),
            _one_off(key, active[key[0]], years),
            prices.check(by_key[key]),
        ]
        for key in sorted(keys)
    }


def _other_korea(key: Key, ours: Profiles, others: Profiles, held: bool, params: CheckParams) -> Check:
    """Goods as this reporter sends them to the other Korea, and not as other reporters send them here."""
    if not held:
        return Check(KOREA, None, "the file has no exports to the other Korea (410)")
    mine = ours.of.get(key, {})
    if key not in others.of:
        return Check(KOREA, None, "this reporter has no exports to the other Korea (410) in that year in the file")
    there, here = likeness(mine, others.of[key]), likeness(mine, ours.of_others(key))
    why = f"goods are {there:.2f} like its exports to the other Korea, {here:.2f} like what others send here"
    return Check(KOREA, there >= params.least_likeness and there > here, why)


def _one_off(key: Key, active: Collection[int], years: Collection[int]) -> Check:
    """Exports in one year, and nothing in the years before and after."""
    year = key[1]
    near = [other for other in (year - 1, year + 1) if other in years]
    if any(other in active for other in near):
        return Check(ONE_OFF, False, f"reports in {', '.join(str(other) for other in near if other in active)} too")
    if len(near) == 2:
        return Check(ONE_OFF, True, f"reports nothing in {year - 1} and {year + 1}")
    if not near:
        return Check(ONE_OFF, None, f"the file has neither {year - 1} nor {year + 1}")
    lacking = year + 1 if near == [year - 1] else year - 1
    return Check(ONE_OFF, None, f"reports nothing in {near[0]}, and the file has no {lacking}")


class _Prices:
    """US$ per kilogram of all reporters, by code."""

    def __init__(self, reports: Sequence[Report], params: CheckParams) -> None:
        self._params = params
        self._by_code: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        for report in reports:
            if (price := price_of(report)) is not None:
                self._by_code[report.code][report.reporter].append(price)

    def check(self, reports: Sequence[Report]) -> Check:
        """Whether most of the value that can be compared has prices far from those of others."""
        far, near, worst = 0.0, 0.0, ""
        for report in reports:
            price, median = price_of(report), self._median(report)
            if price is None or median is None:
                continue
            ratio = price / median
            if max(ratio, 1.0 / ratio) > self._params.price_factor:
                far += report.value_usd
                worst = worst or f"HS {report.code} at US$ {price:,.2f} a kg, the median of others is {median:,.2f}"
            else:
                near += report.value_usd
        if not far + near:
            return Check(PRICES, None, f"no weight, or fewer than {self._params.least_peers} other reporters of a code")
        why = f"{far / (far + near):.0%} of the value that can be compared has prices far off"
        return Check(PRICES, far > near, f"{why}: {worst}" if worst else why)

    def _median(self, report: Report) -> float | None:
        """The median over other reporters of their median price."""
        peers = [statistics.median(of) for who, of in self._by_code[report.code].items() if who != report.reporter]
        return statistics.median(peers) if len(peers) >= self._params.least_peers else None


def price_of(report: Report) -> float | None:
    """US$ per kilogram, None where either is missing."""
    priced = report.value_usd > 0.0 and report.net_weight_kg > 0.0  # false for NaN
    return report.value_usd / report.net_weight_kg if priced else None
