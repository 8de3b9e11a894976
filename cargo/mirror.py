"""Mirror statistics: who reported exports of listed goods to a country that reports nothing itself.

After the first finding of "Lux & Loaded" (C4ADS, 2019): as many as 90 countries, 2015 to 2017. The number hangs on the
list, on codes of which a rule covers only a part (`ex`), and on errors of the reporters, so it is given as a band:

- *as reported*: every reporter with a value;
- *not contradicted*: without those that a check speaks against (`cargo.mirror_checks`);
- *passed*: only those that every check could look at, and none speaks against.

Each sum is taken once: rows that are parts of others (customs procedures, modes of transport, second partners), months
beside their year, chapters beside their subheadings, re-exports beside the exports that hold them, and a second
classification of the same trade are left out and counted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from cargo import hs
from cargo.comtrade import Comtrade
from cargo.control import ControlLists
from cargo.control_cover import Covers
from cargo.control_rule import Rule
from cargo.mirror_checks import Check, Profiles, check_all
from geo.errors import InputError, UsageError

PARTNERS = {"PRK": (408, "KP"), "RUS": (643, "RU"), "SYR": (760, "SY")}
"""ISO alpha-3 of the countries that lists are about, to UN M49 and alpha-2."""
MISTAKEN_FOR = {408: 410}
"""The partner that reporters take for it: the Republic of Korea for the DPRK."""
GROUPS = frozenset({0, 97, 899})
"""Reporters that are no country: the world, the European Union, areas not elsewhere specified."""
UNION = "any of the lists"
_FLOWS = ("export", "re-export", "domestic export")
"""Exports hold re-exports and domestic exports, so one of them counts, in this order."""

_COLUMNS = (
    *("reporter_code", "reporter", "year", "month", "flow", "partner_code", "is_total", "hs_version", "hs_code"),
    *("level", "value_usd", "net_weight_kg"),
)
Key = tuple[int, int]
"""Reporter and year."""
Sum = tuple[int, int, str, int, str]
"""Reporter, year, flow, version and code."""


class Report(NamedTuple):
    """One sum: what a reporter says that it exported of one code in one year; NaN unknown."""

    reporter: int
    year: int
    hs_version: int
    code: str
    value_usd: float
    net_weight_kg: float


@dataclass(frozen=True, slots=True)
class Tally:
    """Reporters and value of one list in one year, or in all (`year` 0)."""

    regime: str
    year: int
    with_ex: bool
    """Whether codes of which the list covers only a part are counted."""
    as_reported: int
    not_contradicted: int
    passed: int
    value_usd: float
    value_not_contradicted_usd: float


@dataclass(frozen=True)
class Mirror:
    """What the reporters said, list by list and year by year, and what speaks against each."""

    partner: str
    years: tuple[int, ...]
    tallies: list[Tally]
    reporters: dict[int, str]
    values: dict[str, dict[Key, tuple[float, float]]]
    """By list, reporter and year: value under codes that it covers whole, and with those in part."""
    checks: dict[Key, list[Check]]
    dropped: Counter[str] = field(default_factory=Counter)
    """Rows that are not summed, by reason."""
    lists_version: str = ""

    def tally(self, regime: str = UNION, year: int = 0, with_ex: bool = True) -> Tally:
        """One of the tallies."""
        return next(t for t in self.tallies if (t.regime, t.year, t.with_ex) == (regime, year, with_ex))


def mirror(
    tables: Comtrade | Sequence[Comtrade],
    partner: str = "PRK",
    years: Iterable[int] = (2015, 2016, 2017),
    lists: ControlLists | None = None,
) -> Mirror:
    """Who reported exports of goods on lists of luxuries to a partner.

    Parameters
    ----------
    tables
        What `read_comtrade` gives. For the checks they should hold the years before and after, and the partner that
        reporters take for this one (410 beside 408); without them a check says that it does not know.
    partner
        ISO alpha-3, one of `PARTNERS`.
    years
        Those that are counted.
    lists
        Default: all that are known.

    Raises
    ------
    InputError
        No row of this partner in these years.
    """
    if partner not in PARTNERS:
        raise UsageError(f"partner {partner[:40]!r} is not one of {', '.join(PARTNERS)}, which the lists are about")
    code, target = PARTNERS[partner]
    asked = tuple(sorted(set(years)))
    many = [tables] if isinstance(tables, Comtrade) else list(tables)
    dropped: Counter[str] = Counter()
    reports, names = select(many, code, dropped)
    counted = [report for report in reports if report.year in asked]
    if not counted:
        held = ", ".join(map(str, sorted({report.year for report in reports}))) or "none"
        raise InputError(
            f"no exports to {partner} ({code}) in {asked[0]} to {asked[-1]} (the file has years: {held}); "
            f"download partner {code}, flows X and RX, these years"
        )
    known = (lists or ControlLists.known()).of(target=target)
    luxuries = ControlLists(r for r in known.rules if r.subject == "luxury" and r.patterns and "export" in r.directions)
    values = _values(counted, luxuries, dropped)
    other = select(many, MISTAKEN_FOR[code], Counter())[0] if code in MISTAKEN_FOR else None
    checks = check_all(reports, other, {key for of in values.values() for key in of}, Profiles.years_in(many))
    dropped = +dropped
    return Mirror(partner, asked, _tallies(values, checks, asked), names, values, checks, dropped, known.version)


def select(tables: Sequence[Comtrade], partner: int, dropped: Counter[str]) -> tuple[list[Report], dict[int, str]]:
    """Each sum of exports to a partner once, and the names of the reporters; what is left out is counted."""
    kept: dict[Sum, dict[int, Report]] = {}
    names: dict[int, str] = {}
    for table in tables:
        for cells in zip(*(table[name].tolist() for name in _COLUMNS), strict=True):
            reporter, name, year, month, flow, whom, total, version, code, level, *numbers = cells
            if whom != partner or flow not in _FLOWS or reporter == partner:
                continue
            if reporter in GROUPS:
                dropped["reporter that is a group of countries"] += 1
            elif not total:
                dropped["part of a total (customs procedure, transport, second partner)"] += 1
            elif level not in (2, 4, 6):
                dropped["total of all goods, or no code of HS"] += 1
            else:
                names.setdefault(reporter, name or str(reporter))
                months = kept.setdefault((reporter, year, flow, version, code), {})
                if month in months:
                    dropped["row that is there twice"] += 1
                else:
                    months[month] = Report(reporter, year, version, code, *numbers)
    return _once(kept, dropped), names


def _once(kept: Mapping[Sum, Mapping[int, Report]], dropped: Counter[str]) -> list[Report]:
    """Sums by reporter and year, of one classification, one flow for each code, and the finest codes."""
    by_key: dict[Key, dict[tuple[int, str, str], Report]] = defaultdict(dict)
    for (reporter, year, flow, version, code), months in kept.items():
        if 0 in months:
            dropped["month beside its year"] += len(months) - 1
            report = months[0]
        else:
            parts = list(months.values())
            report = parts[0]._replace(
                value_usd=sum(part.value_usd for part in parts),
                net_weight_kg=sum(part.net_weight_kg for part in parts),
            )
        by_key[reporter, year][version, flow, code] = report
    made = []
    for (_, year), rows in by_key.items():
        version = _own_version({version for version, _, _ in rows}, year)
        dropped["second classification of the same trade"] += sum(v != version for v, _, _ in rows)
        mine = {(flow, code): report for (v, flow, code), report in rows.items() if v == version}
        finer = {code[:digits] for _, code in mine for digits in (2, 4) if digits < len(code)}
        for (flow, code), report in sorted(mine.items()):
            ranks = _FLOWS.index(flow)
            if any((other, code) in mine for other in _FLOWS[:ranks]):
                dropped["re-exports or domestic exports beside the exports that hold them"] += 1
            elif code in finer:
                dropped["chapter or heading beside its subheadings"] += 1
            else:
                made.append(report)
    return made


def _own_version(versions: set[int], year: int) -> int:
    """The classification in which a reporter most likely reported: the newest that was in force, else the newest."""
    fitting = [version for version in versions if version <= year]
    return max(fitting or versions)


def _values(
    reports: Sequence[Report], luxuries: ControlLists, dropped: Counter[str]
) -> dict[str, dict[Key, tuple[float, float]]]:
    """By list, reporter and year: value under codes covered whole, and with those in part."""
    covers = {regime: Covers(luxuries.of([regime]).rules) for regime in luxuries.regimes()}
    values: dict[str, dict[Key, tuple[float, float]]] = {regime: {} for regime in (UNION, *covers)}
    for report in reports:
        if report.hs_version not in hs.VERSIONS:
            dropped["classification that is no HS of 2007 to 2022, so no list can be asked"] += 1
            continue
        if report.hs_version not in hs.versions_of(report.code):
            dropped["code that its HS does not have, so no list can be asked"] += 1
            continue
        found: dict[str, bool] = {}
        for regime, cover in covers.items():
            touched = [c for c in cover.of_code(report.code, (report.hs_version,)) if _in_year(c.rule, report.year)]
            if touched:
                found[regime] = any(not c.doubt and not c.rule.is_ex for c in touched)
        for regime, whole in {**found, **({UNION: any(found.values())} if found else {})}.items():
            sure, every = values[regime].get((report.reporter, report.year), (0.0, 0.0))
            more = report.value_usd
            values[regime][report.reporter, report.year] = (sure + more * whole, every + more)
    return values


def _in_year(rule: Rule, year: int) -> bool:
    """Whether a rule is, or may be, in force at the beginning or the end of a year: a sum does not say when in it."""
    return any(rule.in_force(day) is not False for day in (date(year, 1, 1), date(year, 12, 31)))


def _tallies(
    values: Mapping[str, Mapping[Key, tuple[float, float]]], checks: Mapping[Key, Sequence[Check]], years: Sequence[int]
) -> list[Tally]:
    """Every list, every year and all together, with and without codes in part."""
    made = []
    for regime, of in values.items():
        for year in (*years, 0):
            for with_ex in (True, False):
                held = {
                    key: value[with_ex] for key, value in of.items() if year in (0, key[1]) and value[with_ex] > 0.0
                }
                against = {key for key in held if any(check.speaks_against for check in checks[key])}
                unsure = {key for key in held if any(check.speaks_against is None for check in checks[key])}
                good = held.keys() - against
                reported, left, passed = (len({who for who, _ in keys}) for keys in (held, good, good - unsure))
                sums = sum(held.values()), sum(held[key] for key in good)
                made.append(Tally(regime, year, with_ex, reported, left, passed, *sums))
    return made
