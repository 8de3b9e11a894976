"""What descriptions and control lists say of the goods of many chains, each distinct question asked once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ais.table import NAT
from cargo.chain import Chain
from cargo.control import STATUSES, ControlLists, Verdict, overall
from cargo.control_screen import screen
from cargo.goods import Goods, classify
from cargo.leg import Leg
from cargo.lexicon import party_role
from cargo.shipments import Shipments


class Papers:
    """Columns of the shipments that the rows of a leg do not carry, by row number."""

    def __init__(self, shipments: Shipments) -> None:
        self.shipments = shipments
        rows = shipments["row"] if len(shipments) else np.zeros(0, np.int64)
        self._row = rows.astype(np.int64)  # of one dtype, or numpy would convert all of them at each call
        self._columns = frozenset(shipments.columns)  # asked of the mapping itself, each "in" would make the column
        self._held: dict[str, Any] = {}
        self._hidden: dict[str, frozenset[int]] = {}

    def of(self, column: str, numbers: Sequence[int]) -> list[Any]:
        """The values of some rows, [] where the file has no such column."""
        if column not in self._columns:
            return []
        if column not in self._held:
            self._held[column] = self.shipments[column]
        return list(self._held[column][self.places(numbers)].tolist())

    def placeholders(self, role: str) -> frozenset[int]:
        """Rows with a placeholder for a party, such as "same as consignee"; an order to somebody is none."""
        if role not in self._hidden:
            column = f"{role}_known"
            some = self._row[self.shipments[column] == 0].tolist() if column in self._columns else []
            texts = self.of(f"{role}_text", some) or [""] * len(some)
            told = zip(some, texts, strict=True)
            self._hidden[role] = frozenset(row for row, text in told if party_role(str(text or "")) != "to order")
        return self._hidden[role]

    def places(self, numbers: Sequence[int]) -> Any:
        """Where some rows stand among those that were kept: rows that were rejected have a number too."""
        return np.searchsorted(self._row, np.asarray(numbers, np.int64))


class Readings:
    """Descriptions with their declared codes, as `cargo.goods.classify` reads them."""

    def __init__(self, chains: Iterable[Chain] = ()) -> None:
        self._read: dict[tuple[str, str], Goods] = {}
        self._add(dict.fromkeys(pair for chain in chains for leg in chain.legs for pair in _pairs(leg)))

    def of(self, chain: Chain) -> list[Goods]:
        """The readings of all descriptions of a chain, each once."""
        return list({id(goods): goods for leg in chain.legs for goods in self.of_leg(leg)}.values())

    def of_leg(self, leg: Leg) -> list[Goods]:
        """The readings of the descriptions of a leg with their codes."""
        pairs = _pairs(leg)
        self._add([pair for pair in pairs if pair not in self._read])
        return [self._read[pair] for pair in pairs]

    def _add(self, pairs: Iterable[tuple[str, str]]) -> None:
        new = list(pairs)
        if new:
            texts, codes = zip(*new, strict=True)
            self._read |= dict(zip(new, classify(list(texts), list(codes)), strict=True))


def _pairs(leg: Leg) -> list[tuple[str, str]]:
    return list(dict.fromkeys((row.description, row.hs_code) for row in leg.rows if row.description or row.hs_code))


@dataclass(frozen=True, slots=True)
class Answer:
    """What lists say of goods: one status for all verdicts, how the goods were taken to go, and the verdicts."""

    status: str
    way: str
    verdicts: tuple[Verdict, ...]


_NO_ANSWER = Answer("", "", ())


class Controls:
    """What control lists say of the goods of some chains, were they to go to, or did they come from, a risk country.

    A chain that is loaded in a risk country is asked for as an import from there, every other as an export to it, on
    the day of its last leg. The code is the declared one, else the heading of the text.
    """

    def __init__(
        self,
        lists: ControlLists,
        countries: Sequence[str],
        chains: Sequence[Chain] = (),
        papers: Papers | None = None,
        readings: Readings | None = None,
    ) -> None:
        self.lists, self.countries = lists, tuple(countries)
        self._answers: dict[int, Answer] = {}
        asked = [_question(chain, papers, readings) for chain in chains]
        keys = [chain.row_numbers[0] for chain in chains]
        for country in self.countries:
            rules = lists.of(target=country) if any(rule.target == country for rule in lists.rules) else None
            ways = {True: "coming from", False: "if they go to"}
            for imported, way in ways.items() if rules is not None else ():
                some = [i for i, one in enumerate(asked) if (one.load == country) == imported]
                if some and rules is not None:
                    found = _screened(rules, [asked[i] for i in some], country, imported)
                    for i, verdicts in zip(some, found, strict=True):
                        self._keep(keys[i], Answer(overall(verdicts), f"{way} {country}", tuple(verdicts)))

    def of(self, chain: Chain) -> Answer:
        """The gravest answer over the risk countries; no verdict where there is no rule about any."""
        return self._answers.get(chain.row_numbers[0], _NO_ANSWER)

    def _keep(self, key: int, answer: Answer) -> None:
        before = self._answers.get(key)
        if before is None or STATUSES.index(answer.status) < STATUSES.index(before.status):
            self._answers[key] = answer


@dataclass(frozen=True, slots=True)
class _Question:
    code: str
    t: int
    text: str
    value: float
    quantity: float
    unit: str
    load: str


def _question(chain: Chain, papers: Papers | None, readings: Readings | None) -> _Question:
    legs = chain.strands[0].legs
    codes = [code for leg in legs for code in leg.texts("hs_code")]
    code = max(codes, key=len, default="")
    if not code and readings is not None:
        code = next((goods.heading for goods in readings.of(chain) if goods.heading), "")
    texts = dict.fromkeys(text for leg in legs for text in leg.texts("description"))
    priced = next((row for leg in legs for row in leg.rows if row.value_usd > 0.0), None)
    units = papers.of("quantity_unit", [priced.row]) if papers is not None and priced is not None else []
    t = next((leg.t_sort for leg in reversed(legs) if leg.t_sort != NAT), NAT)
    nan = float("nan")
    return _Question(
        code, t, "; ".join(texts), priced.value_usd if priced else nan, priced.quantity if priced else nan,
        str(units[0] or "") if units else "", chain.legs[0].load_port[:2],
    )  # fmt: skip


def _screened(rules: ControlLists, asked: Sequence[_Question], country: str, imported: bool) -> list[list[Verdict]]:
    found = screen(
        rules,
        [one.code for one in asked],
        np.array([one.t for one in asked], np.int64),
        description=[one.text for one in asked],
        value=[one.value for one in asked],
        currency=["USD" if one.value > 0.0 else "" for one in asked],
        quantity=[one.quantity for one in asked],
        unit=[one.unit for one in asked],
        origin=country if imported else "",
        destination="" if imported else country,
        direction="import" if imported else "export",
    )
    return [found.of_row(i) for i in range(len(asked))]
