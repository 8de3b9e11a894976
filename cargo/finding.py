"""Findings: what `join` returns, as dataclasses and as JSON that is the same for the same inputs.

Texts from inputs stay as they are (they may hold HTML or formulas): whoever shows them escapes them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, overload

from cargo.narrative import DecidingRecord, Hypothesis
from cargo.score import Factor, Score, Signal

_MOST_KEPT = 1_000
_DIGITS = 6  # of a number in JSON: more than any of the inputs carries


@dataclass(frozen=True)
class Finding:
    """One chain of goods about which there is something to ask. Plain values; the keys of `to_dict` are the fields."""

    id: str
    rank: int
    title: str
    conclusion: str
    score: Score
    goods: tuple[dict[str, Any], ...]
    chain: tuple[dict[str, Any], ...]
    balance: tuple[dict[str, Any], ...]
    events: tuple[dict[str, Any], ...]
    claims: tuple[dict[str, Any], ...]
    evidence: tuple[dict[str, Any], ...]
    unknown: tuple[str, ...]
    innocent: tuple[str, ...]
    deciding_records: tuple[DecidingRecord, ...]
    hypotheses: tuple[Hypothesis, ...]
    reach: dict[str, Any] | None
    return_cargo: tuple[dict[str, Any], ...]
    listed: tuple[dict[str, Any], ...]
    parameters: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """This finding as values that JSON has: None for what is not known, numbers of six digits."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        fields["score"] = _score(self.score)
        fields["deciding_records"] = [asdict(record) for record in self.deciding_records]
        fields["hypotheses"] = [
            {
                "id": h.id,
                "text": h.text,
                "for": h.speaks_for,
                "against": h.speaks_against,
                "lower": h.lower,
                "upper": h.upper,
            }
            for h in self.hypotheses
        ]
        return dict(plain(fields))


@dataclass(frozen=True)
class Assessed:
    """The score of one chain, finding or not: `status` says why it is one, or why not."""

    id: str
    rank: int
    title: str
    status: str
    is_finding: bool
    rows: tuple[int, ...]
    lower: float
    upper: float
    known: float | None
    coverage: float


class WrittenOut(Sequence[Finding]):
    """Findings that are written out when they are asked for; the first thousand are kept.

    Ten thousand findings as text are ten times as large as the cases that they are written from.
    """

    def __init__(self, n: int, write: Callable[[int], Finding]) -> None:
        self._n, self._write = n, write
        self._kept: dict[int, Finding] = {}

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> list[Finding]: ...
    def __getitem__(self, index: int | slice) -> Finding | list[Finding]:
        places = range(self._n)[index]
        if isinstance(places, range):
            return [self[k] for k in places]
        found = self._kept.get(places) or self._write(places)
        if places < _MOST_KEPT:
            self._kept[places] = found
        return found


class Findings:
    """Findings, ranked by the lower bound of their score, with `assessed`: every chain and its score, ranked too.

    `cleared` counts the chains that are no finding by reason, `counts` what was read, `sensitivity` says how the order
    changes with the weights, `inputs` names the inputs.
    """

    def __init__(
        self,
        items: Sequence[Finding],
        assessed: Sequence[Assessed],
        counts: Mapping[str, int],
        parameters: Mapping[str, Any],
        inputs: Mapping[str, Any],
        sensitivity: Sequence[Mapping[str, Any]] = (),
        cleared: Mapping[str, int] | None = None,
    ) -> None:
        self.items = items
        self.assessed = list(assessed)
        self.counts = dict(counts)
        self.parameters = dict(parameters)
        self.inputs = dict(inputs)
        self.sensitivity = [dict(row) for row in sensitivity]
        self.cleared = dict(cleared or {})
        for row in self.assessed:
            if not row.is_finding:
                self.cleared[row.status] = self.cleared.get(row.status, 0) + 1

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    def __getitem__(self, index: int) -> Finding:
        return self.items[index]

    def __repr__(self) -> str:
        return f"<Findings: {len(self.items)} of {len(self.assessed)} chains>"

    def to_dict(self) -> dict[str, Any]:
        """All of it as values that JSON has."""
        whole = {
            "findings": [finding.to_dict() for finding in self.items],
            "assessed": [asdict(row) for row in self.assessed],
            "cleared": self.cleared,
            "counts": self.counts,
            "parameters": self.parameters,
            "inputs": self.inputs,
            "sensitivity": self.sensitivity,
        }
        return dict(plain(whole))

    def to_json(self) -> str:
        """JSON with sorted keys and a newline at the end; the same inputs give the same bytes."""
        return json.dumps(self.to_dict(), sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _score(score: Score) -> dict[str, Any]:
    return {**_bounds(score), "factors": [_factor(factor) for factor in score.factors]}


def _factor(factor: Factor) -> dict[str, Any]:
    return {"name": factor.name, **_bounds(factor), "signals": [_signal(signal) for signal in factor.signals]}


def _bounds(of: Score | Factor) -> dict[str, Any]:
    return {"lower": of.lower, "upper": of.upper, "known": of.known, "coverage": of.coverage}


def _signal(signal: Signal) -> dict[str, Any]:
    return asdict(signal)


def plain(value: Any) -> Any:
    """A value as JSON has it: tuples as lists, numbers rounded, NaN and infinities None, lone surrogates replaced.

    >>> plain({"a": (1.00000049, float("nan")), 2: "x"})
    {'a': [1.0, None], '2': 'x'}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if hasattr(value, "item"):  # a numpy scalar
        return plain(value.item())
    if isinstance(value, float):
        return round(value, _DIGITS) if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return value
