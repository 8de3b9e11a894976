"""Control lists on a column of shipments: each distinct question is asked once.

Two rows are one question when they have the same code and countries, fall between the same two days on which anything
changes (a rule begins or ends, a version of the nomenclature comes into force), and, where a rule for their code asks
for it, have a text that says the same and the same price. A million rows cost about what their questions do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT
from cargo import hs
from cargo.control import STATUSES, ControlLists, Verdict, overall
from cargo.control_facts import Facts
from cargo.control_rule import span_of
from cargo.control_words import sayings
from cargo.identifiers import hs_digits
from geo.errors import UsageError

_DAY_US = 86_400_000_000
_EPOCH = date(1970, 1, 1)
_NO_DAY = -1
Column = Sequence[Any] | NDArray[Any]


@dataclass(frozen=True, slots=True)
class Screening:
    """What the lists say of each row."""

    case: NDArray[np.int64]
    """Which of `cases` a row is."""
    cases: list[list[Verdict]]
    status: NDArray[np.uint8]
    """Index into `control.STATUSES`, as `control.overall` has it."""

    def of_row(self, row: int) -> list[Verdict]:
        """The verdicts on a row."""
        return self.cases[int(self.case[row])]

    def counts(self) -> dict[str, int]:
        """How many rows have each status."""
        numbers = np.bincount(self.status, minlength=len(STATUSES)).tolist()
        return dict(zip(STATUSES, numbers, strict=True))


def screen(
    lists: ControlLists,
    hs_code: Column,
    t: NDArray[np.int64],
    *,
    description: Column | None = None,
    value: Column | None = None,
    currency: Column | None = None,
    quantity: Column | None = None,
    unit: Column | None = None,
    origin: Column | str = "",
    destination: Column | str = "",
    direction: str = "",
) -> Screening:
    """What the lists say of rows of shipments; as `ControlLists.check` on each, much sooner.

    Parameters
    ----------
    hs_code : (n,) of str
        "" or what is no code is unknown.
    t : (n,) int64
        Times in µs since 1970 UTC; `NAT` unknown.
    description, value, currency, quantity, unit : (n,), optional
        NaN and "" are unknown.
    origin, destination : (n,) of str, or one for all rows

    Returns
    -------
    Screening

    Examples
    --------
    >>> when = np.array([1_538_352_000_000_000, 1_538_352_000_000_000])
    >>> screen(ControlLists.shipped().of(["UN"]), ["870324", "220421"], when, destination="KP").counts()
    {'controlled': 1, 'cannot tell': 0, 'no rule known': 1, 'not controlled': 0}
    """
    n = len(hs_code)
    days, asked = _days_of_change(lists), _qualifiers(lists)
    codes, code_of_row = _distinct(hs_code, n, lambda text: hs_digits(text)[:6])
    texts, text_of_row = _distinct(description, n, lambda text: sayings(asked, text))
    froms, from_of_row = _distinct(origin, n, _country)
    tos, to_of_row = _distinct(destination, n, _country)
    prices, price_of_row = _prices(n, value, currency, quantity, unit)
    asks = [_asks(lists, code) for code in codes]
    text_of_row = np.where(np.array([text for text, _ in asks], bool)[code_of_row], text_of_row, -1)
    price_of_row = np.where(np.array([price for _, price in asks], bool)[code_of_row], price_of_row, -1)
    columns = (code_of_row, _spans(days, t), text_of_row, price_of_row, from_of_row, to_of_row)
    first, case = _cases(columns)
    cases = []
    for row in first.tolist():
        code, span, text, price, start, end = (int(column[row]) for column in columns)
        says = texts[text] if text >= 0 else ()
        facts = Facts.of(
            "", *(prices[price] if price >= 0 else (None, "", None, "")), froms[start], tos[end], direction
        ).saying(dict(says))
        on = None if span == _NO_DAY else days[span]
        cases.append(lists.judge_code(codes[code], None, on, facts))
    status = np.array([STATUSES.index(overall(verdicts)) for verdicts in cases], np.uint8)
    return Screening(case, cases, status[case] if n else np.empty(0, np.uint8))


def _country(text: str) -> str:
    """A country's code in capitals, "" for what is none."""
    return text.upper() if len(text) == 2 and text.isascii() and text.isalpha() else ""


def _days_of_change(lists: ControlLists) -> list[date]:
    """Every day on which a rule or a version may begin to be, or no longer be, in force; sorted, from the first day."""
    found = {date.min, *(date(version, 1, 1) for version in (*hs.VERSIONS, 2028))}
    found |= {date(year, month, 1) for year, month in ((2007, 1), (2013, 7), (2021, 1))}  # who is in the Union
    for rule in lists.rules:
        for text in (rule.valid_from, rule.valid_to):
            for day in span_of(text) or ():
                found |= {day, day + timedelta(days=1)}
    return sorted(found)


def _spans(days: Sequence[date], t: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which of the spans that begin on these days a time falls in; `_NO_DAY` for none."""
    numbers = np.array([(day - _EPOCH).days for day in days], np.int64)
    known = t != NAT
    found = np.searchsorted(numbers, np.where(known, t, 0) // _DAY_US, side="right") - 1
    return np.where(known, found, _NO_DAY)


def _distinct(column: Column | str | None, n: int, kind: Callable[[str], Any]) -> tuple[list[Any], NDArray[np.int64]]:
    """The distinct kinds of a column's texts, and which of them each row is."""
    if column is None or isinstance(column, str):
        return [kind(column or "")], np.zeros(n, np.int64)
    if len(column) != n:
        raise UsageError(f"columns have {len(column):,} and {n:,} rows; give as many of each")
    by_text: dict[Any, int] = {}
    by_kind: dict[Any, int] = {}
    rows = np.empty(n, np.int64)
    for row, text in enumerate(column.tolist() if isinstance(column, np.ndarray) else column):
        at = by_text.get(text)
        if at is None:
            at = by_text[text] = by_kind.setdefault(kind(text or ""), len(by_kind))
        rows[row] = at
    return list(by_kind), rows


Price = tuple[float | None, str, float | None, str]


def _prices(n: int, *columns: Column | None) -> tuple[list[Price], NDArray[np.int64]]:
    """The distinct (value, currency, quantity, unit), and which of them each row has."""
    if all(column is None for column in columns):
        return [(None, "", None, "")], np.zeros(n, np.int64)
    parts = [
        [None] * n if column is None else column.tolist() if isinstance(column, np.ndarray) else list(column)
        for column in columns
    ]
    found: dict[Price, int] = {}
    rows = np.empty(n, np.int64)
    for row, (value, currency, quantity, unit) in enumerate(zip(*parts, strict=True)):
        known = (_known(value), currency or "", _known(quantity), unit or "")
        rows[row] = found.setdefault(known, len(found))
    return list(found), rows


def _known(number: float | None) -> float | None:
    """None for NaN, which is not equal to itself and would make every row a question of its own."""
    return None if number is None or number != number or number < 0.0 or number == np.inf else float(number)


def _cases(columns: Sequence[NDArray[np.int64]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The first row of each distinct combination, and which combination each row is."""
    combined = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        width = int(column.max(initial=0)) + 2
        combined = np.unique(combined * width + column + 1, return_inverse=True)[1]  # stays under n, so never overflows
    _, first, case = np.unique(combined, return_index=True, return_inverse=True)
    return first, case


def _asks(lists: ControlLists, code: str) -> tuple[bool, bool]:
    """Whether any rule for a code asks for the text, and for the price."""
    if not code:
        return False, False
    rules = [cover.rule for version in hs.versions_of(code) for cover in lists.covers.of_code(code, (version,))]
    return any(rule.qualifiers for rule in rules), any(rule.limit is not None for rule in rules)


def _qualifiers(lists: ControlLists) -> list[str]:
    """Each qualifier that any rule has, once."""
    return list(dict.fromkeys(chain.from_iterable(rule.qualifiers for rule in lists.rules)))
