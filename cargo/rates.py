"""A user's own table of exchange rates: none are shipped, and none are guessed."""

from __future__ import annotations

import bisect
import csv
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ais.table import NAT
from cargo.texts import Texts
from cargo.values import currency_of, time_of
from geo.errors import UsageError

STALE_DAYS = 31
"""Days after which a rate is no longer taken for a date."""
_DAY_US = 86_400_000_000


class Rates:
    """US$ for one unit of a currency, by date; a rate holds until the next, at most `STALE_DAYS`."""

    def __init__(self, rates: dict[str, list[tuple[int, float]]]) -> None:
        self._rates = {currency: sorted(known) for currency, known in rates.items()}

    def usd(self, currency: str, t_us: int) -> float:
        """US$ for one unit on a day, NaN where the table has no rate for it."""
        known = self._rates.get(currency, [])
        at = bisect.bisect_right(known, (t_us, math.inf)) - 1
        if t_us == NAT or at < 0 or t_us - known[at][0] > STALE_DAYS * _DAY_US:
            return math.nan
        return known[at][1]

    def in_usd(self, values: NDArray[np.float64], currency: Texts, t_us: NDArray[np.int64]) -> NDArray[np.float64]:
        """Values in US$, NaN where currency or date is not known or has no rate."""
        codes = [currency_of(text) for text in currency.values]
        out = np.full(len(values), math.nan)
        for row in np.flatnonzero(np.isfinite(values) & currency.where(code in self._rates for code in codes)).tolist():
            out[row] = values[row] * self.usd(codes[currency.codes[row]], int(t_us[row]))
        return out


def read_rates(path: str | Path) -> Rates:
    """Read a CSV with columns date (YYYY-MM-DD), currency (ISO 4217) and usd (US$ for one unit).

    Raises UsageError with the line for a file that cannot be read, lacks a column, or has a cell that is none of these.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "rates.csv"
    >>> _ = path.write_text("date,currency,usd\\n2018-10-01,EUR,1.16\\n")
    >>> read_rates(path).usd("EUR", 1538438400000000), read_rates(path).usd("JPY", 1538438400000000)
    (1.16, nan)
    """
    rates: dict[str, list[tuple[int, float]]] = {}
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"date", "currency", "usd"} - set(reader.fieldnames or ())
            if missing:
                raise UsageError(f"{path}: line 1: no column {', '.join(sorted(missing))}; give date, currency, usd")
            for row in reader:
                t, code = time_of(row["date"] or ""), currency_of(row["currency"] or "")
                try:
                    rate = float(row["usd"] or "")
                except ValueError:
                    rate = math.nan
                if t == NAT or not code or not 0 < rate < math.inf:
                    shown = ",".join(str(row[name]) for name in ("date", "currency", "usd"))[:80]
                    raise UsageError(f"{path}: line {reader.line_num}: {shown!r} is no date, currency and rate")
                rates.setdefault(code, []).append((t, rate))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read as CSV in UTF-8: {error}") from None
    return Rates(rates)
