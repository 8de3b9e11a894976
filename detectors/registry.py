"""All detectors by name: those of the house, and those that other packages bring by an entry point.

A package adds a detector by an entry point of the group `luxwake.detectors`, whose name is the detector's and whose
value is its class (`docs/own_detector.md` builds one). It then runs with all others: in the engine, under the laws, on
the command line, in the tables and in the benchmark.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from detectors.dark import Dark
from detectors.dark_rendezvous import DarkRendezvous
from detectors.detector import DerivedDetector, Detector
from detectors.draught import Draught
from detectors.event import EVENT, FACTS, KINDS
from detectors.false_position import FalsePosition
from detectors.identity import Identity
from detectors.loitering import Loitering
from detectors.port_call import PortCalls
from detectors.rendezvous import Rendezvous
from detectors.voyage import Voyages
from geo.errors import UsageError

GROUP = "luxwake.detectors"

_HOUSE: tuple[type[Detector] | type[DerivedDetector], ...] = (
    Loitering,
    Dark,
    Rendezvous,
    PortCalls,
    FalsePosition,
    Identity,
    Draught,
    Voyages,
    DarkRendezvous,
)


@cache
def registered() -> dict[str, type[Detector] | type[DerivedDetector]]:
    """Every detector by name, the house's first.

    >>> list(registered())[:2]
    ['loitering', 'dark']
    """
    found = {detector.name: detector for detector in _HOUSE}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        found[point.name] = _loaded(point, found)
    return found


def _loaded(
    point: EntryPoint, taken: dict[str, type[Detector] | type[DerivedDetector]]
) -> type[Detector] | type[DerivedDetector]:
    """The class of an entry point, its kinds entered in `KINDS`; UsageError for what cannot be one of ours."""
    package = point.dist.name if point.dist is not None else "a package"
    wrong = f"detector {point.name!r} of {package}"
    try:
        detector = point.load()
    except Exception as error:
        raise UsageError(f"{wrong} cannot be loaded ({type(error).__name__}: {error}); mend or uninstall it") from None
    if not (isinstance(detector, type) and issubclass(detector, Detector | DerivedDetector)):
        raise UsageError(f"{wrong} is no Detector or DerivedDetector but {detector!r}")
    if detector.name != point.name or point.name in taken:
        raise UsageError(f"{wrong} is named {detector.name!r}; the name must be the entry point's, and be free")
    kinds = {kind for other in taken.values() for kind in other.kinds}
    if clash := kinds.intersection(detector.kinds):
        raise UsageError(f"{wrong} finds kind {sorted(clash)[0]!r}, which another detector finds; choose another word")
    if len(detector.facts) > FACTS:
        raise UsageError(f"{wrong} has {len(detector.facts)} facts; an event has room for {FACTS}")
    columns = {*(EVENT.names or ()), "id", "anchorage_name"}
    if clash := columns.intersection(detector.facts):
        raise UsageError(
            f"{wrong} has a fact {sorted(clash)[0]!r}, which is a column of every event; choose another word"
        )
    KINDS.extend(kind for kind in detector.kinds if kind not in KINDS)
    return detector


def detector_class(name: str) -> type[Detector] | type[DerivedDetector]:
    """The detector of a name.

    Raises
    ------
    UsageError
        When there is none of that name.

    >>> detector_class("dark").kinds
    ('gap', 'dark')
    """
    if name not in registered():
        raise UsageError(f"no detector {name!r}; there are {', '.join(registered())}")
    return registered()[name]


def detector_of_kind() -> dict[int, type[Detector] | type[DerivedDetector]]:
    """The detector that finds each kind of event, by the kind's code."""
    return {KINDS.index(kind): detector for detector in registered().values() for kind in detector.kinds}


def with_needs(names: list[str]) -> list[str]:
    """These detectors and all that they need, each after what it needs.

    >>> with_needs(["dark", "loitering"])
    ['dark', 'loitering']
    """
    order: list[str] = []
    for name in names:
        for needed in with_needs(list(getattr(detector_class(name), "needs", ()))):
            order += [needed] * (needed not in order)
        order += [name] * (name not in order)
    return order


def kind_code(word: str) -> int:
    """The code of a kind of event, for kernels.

    >>> kind_code("dark")
    1
    """
    return KINDS.index(word)
