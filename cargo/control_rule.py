"""One rule of a control list: which goods, from when, in which direction, above which limit, and how sure we are.

Dates may be a day, a month or a year ("2018-06", "2018"), as the source gives them; a day that falls inside the month
or year in which a rule began is in doubt. A basis of `knowledge` means that nobody has compared the row with the law:
such a row is marked in every output, and can only make a verdict of "cannot tell".
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from cargo import hs
from cargo.control_words import PREDICATES
from geo.errors import UsageError

COLUMNS = (
    *("regime", "item", "text", "target", "subject", "direction", "valid_from", "valid_to", "hs_version", "hs"),
    *("codes_from", "is_ex", "qualifier", "threshold_amount", "threshold_currency", "threshold_per"),
    *("jurisdiction", "territory", "basis", "source", "verified_by", "verified_on"),
)
REQUIRED = ("regime", "item", "target")
DIRECTIONS = ("export", "import", "transit")
TESTS = ("any", "exporter", "transit", "flag", "person", "item")
"""What gives a regime its say: everybody, who exports or imports, whose land is crossed, the ship's flag, a person, or
where the thing was made."""
SUBJECTS = ("luxury", "sector", "other")
UNVERIFIED = "UNVERIFIED"
"""The mark of a row whose basis is knowledge."""
_TEXT_MOST = 2_000
_PARTIAL = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_PER = re.compile(r"(?:(\d+(?:\.\d+)?) )?(item|kg|litre)")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; texts are "" and numbers None where nothing is said."""

    regime: str
    item: str
    """Where it stands in the instrument."""
    text: str
    """What it says, in words."""
    target: str
    """ISO 3166 alpha-2 of the country that the rule is about."""
    subject: str
    """One of `SUBJECTS`: a list of luxury goods, or the ban of a whole branch of trade."""
    directions: tuple[str, ...]
    """Seen from the rest of the world: "export" goes to the target, "import" comes from it."""
    valid_from: str
    valid_to: str
    """The last day, month or year."""
    hs_version: int | None
    patterns: tuple[str, ...]
    """Codes and ranges of codes; none where the list's items are not in the data."""
    codes_from: str
    """"law": the instrument has the codes; "ours": we mapped its words."""
    is_ex: bool
    """The rule covers only a part of its codes."""
    qualifiers: tuple[str, ...]
    """Which part: all of these must hold."""
    limit: float | None
    """Only above this value."""
    currency: str
    per: tuple[float, str]
    """Of so much of what: (1.5, "kg"), (1.0, "item")."""
    tests: tuple[str, ...]
    territory: tuple[str, ...]
    basis: str
    source: str
    verified_by: str
    verified_on: str

    @property
    def label(self) -> str:
        """Regime and item, as an output names the rule."""
        return f"{self.regime}, {self.item}" if self.item not in ("", "-") else self.regime

    @property
    def verified(self) -> bool:
        """Whether the row rests on more than knowledge, or somebody has signed it."""
        return bool(self.verified_by) or not self.basis.startswith("knowledge")

    @property
    def basis_words(self) -> str:
        """The basis as every output shows it, with the mark where it belongs.

        >>> rule_of({"regime": "X", "item": "1", "target": "KP", "basis": "knowledge-high"}).basis_words
        'knowledge-high, UNVERIFIED'
        """
        words = self.basis or "not stated"
        if self.codes_from == "ours":
            words += "; heading mapped by us"
        if self.verified_by:
            return f"{words}; verified by {self.verified_by}{f' on {self.verified_on}' if self.verified_on else ''}"
        return words if self.verified else f"{words}, {UNVERIFIED}"

    def in_force(self, on: date | None) -> bool | None:
        """Whether the rule is in force on a day; None where its dates or the day are not known well enough."""
        begin, end = span_of(self.valid_from), span_of(self.valid_to)
        if on is None or (begin is None and end is None):
            return None
        if (begin and on < begin[0]) or (end and on > end[1]):
            return False
        sure = begin is not None and on >= begin[1] and (end is None or on <= end[0])
        return True if sure else None


@lru_cache(maxsize=4096)
def span_of(text: str) -> tuple[date, date] | None:
    """First and last day of a day, month or year; None for "".

    >>> span_of("2018-02")
    (datetime.date(2018, 2, 1), datetime.date(2018, 2, 28))
    """
    if not text:
        return None
    if not _PARTIAL.fullmatch(text):
        raise ValueError(f"date {text[:40]!r} is not YYYY, YYYY-MM or YYYY-MM-DD")
    year, month, day = (int(part) for part in f"{text}-0-0".split("-")[:3])
    last_month = month or 12
    last_day = day or calendar.monthrange(year, last_month)[1] if 1 <= last_month <= 12 else 0
    return date(year, month or 1, day or 1), date(year, last_month, last_day)


def rule_of(row: Mapping[str, str]) -> Rule:
    """A rule from the cells of a row, by the names of `COLUMNS`; any may be missing but `REQUIRED`.

    Raises ValueError, with the column and what to do, for a cell that cannot be meant.
    """
    cell = {name: " ".join(str(row.get(name) or "").split()) for name in COLUMNS}
    if missing := [name for name in REQUIRED if not cell[name]]:
        raise ValueError(f"no {', '.join(missing)}")
    if long := [name for name in COLUMNS if len(cell[name]) > _TEXT_MOST]:
        raise ValueError(f"{long[0]} has more than {_TEXT_MOST:,} characters")
    if not re.fullmatch(r"[A-Z]{2}", cell["target"]):
        raise ValueError(f"target {cell['target'][:40]!r} is not a country code such as KP")
    for name in ("valid_from", "valid_to", "verified_on"):
        span_of(cell[name])
    patterns = _list(cell["hs"])
    version = _version(cell["hs_version"], patterns)
    amount, currency, per = _threshold(cell)
    tests = _words(cell["jurisdiction"] or "any", TESTS, "jurisdiction")
    territory = _list(cell["territory"])
    if "any" not in tests and not territory:
        raise ValueError(f"jurisdiction {cell['jurisdiction']!r} needs a territory: country codes, or EU")
    for name in _list(cell["qualifier"]):
        if name not in PREDICATES:
            raise ValueError(f"qualifier {name[:40]!r} is not one of: {'; '.join(PREDICATES)}")
    return Rule(
        regime=cell["regime"],
        item=cell["item"],
        text=cell["text"],
        target=cell["target"],
        subject=_words(cell["subject"] or "luxury", SUBJECTS, "subject")[0],
        directions=_words(cell["direction"] or "export", DIRECTIONS, "direction"),
        valid_from=cell["valid_from"],
        valid_to=cell["valid_to"],
        hs_version=version,
        patterns=patterns,
        codes_from=_words(cell["codes_from"] or "law", ("law", "ours"), "codes_from")[0] if patterns else "",
        is_ex=_flag(cell["is_ex"]),
        qualifiers=_list(cell["qualifier"]),
        limit=amount,
        currency=currency,
        per=per,
        tests=tests,
        territory=territory,
        basis=cell["basis"],
        source=cell["source"],
        verified_by=cell["verified_by"],
        verified_on=cell["verified_on"],
    )


def _list(text: str) -> tuple[str, ...]:
    return tuple(part for part in (part.strip() for part in text.split(";")) if part)


def _words(text: str, known: tuple[str, ...], column: str) -> tuple[str, ...]:
    words = _list(text.lower())
    if strange := [word for word in words if word not in known]:
        raise ValueError(f"{column} {strange[0][:40]!r} is not one of: {'; '.join(known)}")
    return words


def _flag(text: str) -> bool:
    if text.lower() not in ("", "0", "1", "no", "yes", "false", "true"):
        raise ValueError(f"is_ex {text[:40]!r} is neither 0 nor 1")
    return text.lower() in ("1", "yes", "true")


def _version(text: str, patterns: tuple[str, ...]) -> int | None:
    """The version of the codes; each must be in it, for a code that is not would never be found."""
    if text and text not in map(str, hs.VERSIONS):
        raise ValueError(f"hs_version {text[:40]!r} is not one of: {'; '.join(map(str, hs.VERSIONS))}")
    if patterns and not text:
        raise ValueError("hs without hs_version: say whose codes they are, as 2017")
    for pattern in patterns:
        try:
            if not hs.expand(pattern, int(text)):
                raise UsageError(f"no code {pattern[:40]!r} in HS {text}")
        except UsageError as error:
            raise ValueError(f"hs: {error}") from None
    return int(text) if text else None


def _threshold(cell: Mapping[str, str]) -> tuple[float | None, str, tuple[float, str]]:
    amount, currency = cell["threshold_amount"], cell["threshold_currency"]
    if not amount:
        if currency or cell["threshold_per"]:
            raise ValueError("a threshold needs an amount")
        return None, "", (1.0, "item")
    if not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", amount, re.ASCII):
        raise ValueError(f"threshold_amount {amount[:40]!r} is not a number like 1234.5")
    if not re.fullmatch(r"[A-Z]{3}", currency):
        raise ValueError(f"threshold_currency {currency[:40]!r} is not three letters such as USD")
    per = _PER.fullmatch(cell["threshold_per"] or "item")
    if per is None or float(per[1] or 1.0) <= 0.0:
        raise ValueError(f"threshold_per {cell['threshold_per'][:40]!r} is not item, kg, litre, or as 1.5 kg")
    return float(amount), currency, (float(per[1] or 1.0), per[2])
