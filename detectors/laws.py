"""The laws that every detector keeps, as one call: for the tests of the house, and of whoever adds a detector.

Batch is the stream: however the input is cut, down to single rows, the table of events is the same, byte for byte. So
it is when rows come in another order within the lateness window, when rows are repeated, when the engine is saved and
resumed at any row, on any number of threads, and where the number of vessels is bounded. What was judged is judged
again as it was. Other times of day and other names of ships tell the same story. Nothing is found outside the time of
the input, and no two events have one id.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ais.identity import identities
from ais.table import NAT, Fixes, Static
from detectors.bound import FEWEST_VESSELS
from detectors.engine import Engine
from detectors.event import DARK, DARK_RENDEZVOUS, GAP, Events
from detectors.finish import well_placed
from detectors.registry import kind_code
from detectors.told import same_bytes

LATENESS_S = 600
SHIFT_US = 45 * 3_600_000_000 + 2_100_000_000
"""45 h 35 min: midnight, noon and the full hour come to lie elsewhere."""


class LawBroken(AssertionError):
    """A detector does not keep a law; the message says which, and where it differs."""


def check_laws(
    fixes: Fixes,
    detectors: Sequence[str] | None = None,
    params: Mapping[str, Any] | None = None,
    *,
    seed: int = 0,
) -> Events:
    """Raise `LawBroken` unless these detectors keep the laws on these fixes; the events that they find in them.

    Parameters
    ----------
    fixes : Fixes
        Rows in time order, with events of the kinds in question among them, or nothing is proven.
    detectors : names of detectors, default all
    params : mapping
        As for `detectors.detect.detect`.
    seed : int
        Chooses the cuts, the order, the copies and the row at which the engine is saved.

    >>> t = np.arange(0, 40) * 900_000_000
    >>> t[30:] += 40_000_000_000
    >>> fixes = Fixes({"t": t, "mmsi": np.full(40, 671999101), "lat": 1e-4 * np.arange(40), "lon": np.full(40, -30.0)})
    >>> len(check_laws(fixes, ["dark", "rendezvous"]))
    1
    """
    rng = np.random.default_rng(seed)
    n = len(fixes)

    def run(pieces: Sequence[Fixes], threads: int = 1, max_vessels: int | None = None) -> Events:
        engine = Engine(detectors, params, lateness_s=LATENESS_S, max_vessels=max_vessels, threads=threads)
        return _finished(engine, [engine.feed(piece) for piece in pieces], pieces[0].static)

    whole = run([fixes])
    _check_span(whole, fixes)
    _check_twice(fixes, detectors, params)
    _same("any cut of the input", whole, run(_cut(fixes, rng.integers(0, n + 1, 7).tolist())))
    _same("the number of threads", whole, run(_cut(fixes, [n // 3]), threads=int(rng.choice([2, 4]))))
    arrival = fixes["t"] + rng.integers(0, LATENESS_S * 1_000_000, n)
    shuffled = fixes.take(np.argsort(arrival, kind="stable"))
    _same("order within the lateness window", whole, run(_cut(shuffled, rng.integers(0, n + 1, 3).tolist())))
    twice = fixes.take(np.sort(np.concatenate([np.arange(n), rng.integers(0, n, n // 5)]))) if n else fixes
    _same("repetition", whole, run([twice]))
    bounded = run([fixes], max_vessels=FEWEST_VESSELS)
    cut = _cut(fixes, rng.integers(0, n + 1, 5).tolist())
    _same("any cut where the vessels are bounded", bounded, run(cut, max_vessels=FEWEST_VESSELS))
    _same("saving and resuming", whole, _resumed(fixes, detectors, params, int(rng.integers(0, n + 1))))
    few = fixes.take(slice(0, 60))
    _same("single rows", run([few]), run([few.take(slice(k, k + 1)) for k in range(len(few))]))
    _same_story("time of day", story(whole, shift_us=-SHIFT_US), story(run([_moved(fixes)])))
    ships = np.union1d(fixes["mmsi"], fixes.static["mmsi"])
    other = (218_000_001 + rng.permutation(ships.size)).astype(np.uint32)
    names = dict(zip(ships.tolist(), other.tolist(), strict=True))
    renamed = run_renamed(fixes, detectors, params, ships, other)
    _same_story("names of ships", story(whole, names=names), story(renamed))
    return whole


def _finished(engine: Engine, found: list[NDArray[Any]], static: Static) -> Events:
    return engine.finish(np.concatenate([*found, engine.flush()]), identities(static))


def _cut(fixes: Fixes, places: Sequence[int]) -> list[Fixes]:
    bounds = [0, *sorted(places), len(fixes)]
    return [fixes.take(slice(a, b)) for a, b in itertools.pairwise(bounds)]


def _resumed(fixes: Fixes, detectors: Sequence[str] | None, params: Mapping[str, Any] | None, row: int) -> Events:
    first = Engine(detectors, params, lateness_s=LATENESS_S)
    found = [first.feed(fixes.take(slice(0, row)))]
    second = Engine(detectors, params, lateness_s=LATENESS_S)
    second.resume(first.state())
    found.append(second.feed(fixes.take(slice(row, None))))
    return _finished(second, found, fixes.static)


def _moved(fixes: Fixes) -> Fixes:
    """The same rows at another time of day."""
    static = fixes.static.take(slice(None))
    static.columns["t"] = _later(static["t"])
    return Fixes({**fixes.columns, "t": _later(fixes["t"])}, static, fixes.sources)


def _later(t: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(t == NAT, NAT, t + SHIFT_US)


def run_renamed(
    fixes: Fixes,
    detectors: Sequence[str] | None,
    params: Mapping[str, Any] | None,
    ships: NDArray[np.uint32],
    other: NDArray[np.uint32],
) -> Events:
    """The events of the same ships under other MMSIs of one country."""
    static = fixes.static.take(slice(None))
    static.columns["mmsi"] = other[np.searchsorted(ships, static["mmsi"])]
    rows = Fixes({**fixes.columns, "mmsi": other[np.searchsorted(ships, fixes["mmsi"])]}, static, fixes.sources)
    engine = Engine(detectors, params, lateness_s=LATENESS_S)
    return _finished(engine, [engine.feed(rows.sort())], static)


def story(events: Events, shift_us: int = 0, names: Mapping[int, int] | None = None) -> list[tuple[Any, ...]]:
    """Who did what from when to when, on how many fixes, in an order that does not depend on names.

    A silence is a gap or a dark period by what was heard around it in the same two hours of the clock, and by all other
    silences: here both are silences, and what follows from dark ones is left out.
    """
    called = names or {}
    columns = (events[name].tolist() for name in ("kind", "mmsi", "other", "t_start", "t_end", "n"))
    rows = []
    for kind, mmsi, other, start, end, n in zip(*columns, strict=True):
        if kind == DARK_RENDEZVOUS:
            continue
        ships = sorted(called.get(ship, ship) for ship in (mmsi, other) if ship)
        rows.append((DARK if kind == GAP else kind, ships, start - shift_us, end - shift_us, n))
    return sorted(rows)


def _same(law: str, one: Events, other: Events) -> None:
    if len(one) != len(other):
        raise LawBroken(f"{law}: {len(one)} events, and {len(other)} the other way")
    for name in one:
        if one[name].tobytes() != other[name].tobytes():
            rows = np.flatnonzero([a.tobytes() != b.tobytes() for a, b in zip(one[name], other[name], strict=True)])
            row = int(rows[0])
            raise LawBroken(f"{law}: {name} of event {one['id'][row]} is {one[name][row]}, and {other[name][row]}")


def _same_story(law: str, one: list[tuple[Any, ...]], other: list[tuple[Any, ...]]) -> None:
    if one != other:
        mine, theirs = [row for row in one if row not in other], [row for row in other if row not in one]
        raise LawBroken(f"{law}: only the one way {mine[:3]}, only the other {theirs[:3]}")


def _check_twice(fixes: Fixes, detectors: Sequence[str] | None, params: Mapping[str, Any] | None) -> None:
    """A watch keeps events as they were judged, and has them judged again."""
    engine = Engine(detectors, params, lateness_s=LATENESS_S)
    records = np.concatenate([engine.feed(fixes), engine.flush()])
    known = engine.known(identities(fixes.static))
    for detector in engine.detectors:
        own, _ = well_placed(
            records[np.isin(records["kind"], [kind_code(kind) for kind in detector.kinds])], [detector]
        )
        once = detector.settle_each(own, known)
        twice = detector.settle_each(once.copy(), known)
        if not same_bytes(once, twice).all():
            raise LawBroken(f"judged again: {detector.name} makes other events of those that settle_each has returned")


def _check_span(events: Events, fixes: Fixes) -> None:
    """Events lie in the time of the input, end after they begin, and have an id each."""
    if len(np.unique(events["id"])) != len(events):
        raise LawBroken("ids: two events have one")
    heard = np.concatenate([fixes["t"], fixes.static["t"]])
    heard = heard[heard != NAT]
    if len(events) and not (
        (events["t_start"] <= events["t_end"]).all()
        and events["t_start"].min() >= heard.min()
        and events["t_end"].max() <= heard.max()
    ):
        raise LawBroken("time: an event begins before the input, or ends after it or before it begins")
