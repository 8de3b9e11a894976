"""Luxwake follows luxury goods through ships that do not want to be followed.

    import luxwake as lw

    fixes = lw.read("day.nmea.gz")
    events = lw.detect(fixes)
    findings = lw.join(events, lw.read_shipments("bills_of_lading.csv"))

Everything public is here; it is imported when it is first used.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ais.decode import Decoder as Decoder
    from ais.decoded import decode as decode
    from ais.decoded import decode_one as decode_one
    from ais.encode import encode as encode
    from ais.message import Message as Message
    from ais.messages import Messages as Messages
    from ais.read import read as read
    from ais.table import Fixes as Fixes
    from ais.table import Static as Static
    from ais.table import Table as Table
    from cargo.comtrade import Comtrade as Comtrade
    from cargo.comtrade import read_comtrade as read_comtrade
    from cargo.control import ControlLists as ControlLists
    from cargo.goods import Goods as Goods
    from cargo.goods import classify as classify
    from cargo.join import join as join
    from cargo.listed import Listed as Listed
    from cargo.mentions import mentions_of as mentions_of
    from cargo.mirror import mirror as mirror
    from cargo.network import Network as Network
    from cargo.parties import resolve_parties as resolve_parties
    from cargo.party_clusters import Mention as Mention
    from cargo.registry import read_registry as read_registry
    from cargo.revision import read_findings as read_findings
    from cargo.revision import revise as revise
    from cargo.ship_match import ShipIndex as ShipIndex
    from cargo.ship_match import ShipQuery as ShipQuery
    from cargo.shipments import read_shipments as read_shipments
    from cargo.ships import ships_of_identity as ships_of_identity
    from cargo.watchlists import import_watchlist as import_watchlist
    from cargo.watchlists import read_watchlists as read_watchlists
    from detectors.dark import DarkParams as DarkParams
    from detectors.detect import detect as detect
    from detectors.draught import DraughtParams as DraughtParams
    from detectors.engine import Engine as Engine
    from detectors.event import Events as Events
    from detectors.false_position import FalsePositionParams as FalsePositionParams
    from detectors.identity import IdentityParams as IdentityParams
    from detectors.laws import check_laws as check_laws
    from detectors.loitering import LoiteringParams as LoiteringParams
    from detectors.port_call import PortCallParams as PortCallParams
    from detectors.rendezvous import RendezvousParams as RendezvousParams
    from detectors.settings import read_params as read_params
    from detectors.stationary import StationaryParams as StationaryParams
    from detectors.stationary import stationary_periods as stationary_periods
    from detectors.watch import Watch as Watch
    from geo.anchorages import Anchorages as Anchorages
    from geo.anchoring import AnchorageParams as AnchorageParams
    from geo.errors import InputError as InputError
    from geo.errors import LuxwakeError as LuxwakeError
    from geo.errors import OutputError as OutputError
    from geo.errors import UsageError as UsageError
    from geo.meet import meet as meet
    from geo.reach import reach as reach
    from geo.speed import Speed as Speed
    from geo.speed import speed_of as speed_of
    from geo.zones import Zones as Zones
    from geo.zones import read_zones as read_zones
    from luxwake.anchorages import find_anchorages as find_anchorages
    from luxwake.case.page import case_page as case_page
    from luxwake.explain import explain as explain
    from luxwake.export.formats import Material as Material
    from luxwake.export.formats import export_findings as export_findings
    from luxwake.inspect import inspect as inspect
    from luxwake.simulate import simulate as simulate
    from luxwake.store import query as query
    from luxwake.store import write_parquet as write_parquet
    from luxwake.where import where as where

__version__ = "0.1.0"

_HOME = {
    "Listed": "cargo.listed",
    "Mention": "cargo.party_clusters",
    "Network": "cargo.network",
    "ShipIndex": "cargo.ship_match",
    "ShipQuery": "cargo.ship_match",
    "import_watchlist": "cargo.watchlists",
    "mentions_of": "cargo.mentions",
    "read_registry": "cargo.registry",
    "read_findings": "cargo.revision",
    "revise": "cargo.revision",
    "read_watchlists": "cargo.watchlists",
    "resolve_parties": "cargo.parties",
    "ships_of_identity": "cargo.ships",
    "Material": "luxwake.export.formats",
    "case_page": "luxwake.case.page",
    "explain": "luxwake.explain",
    "export_findings": "luxwake.export.formats",
    "read_params": "detectors.settings",
    "check_laws": "detectors.laws",
    "Watch": "detectors.watch",
    "AnchorageParams": "geo.anchoring",
    "Anchorages": "geo.anchorages",
    "ControlLists": "cargo.control",
    "Comtrade": "cargo.comtrade",
    "Decoder": "ais.decode",
    "Engine": "detectors.engine",
    "Events": "detectors.event",
    "Fixes": "ais.table",
    "Static": "ais.table",
    "Table": "ais.table",
    "DarkParams": "detectors.dark",
    "FalsePositionParams": "detectors.false_position",
    "DraughtParams": "detectors.draught",
    "IdentityParams": "detectors.identity",
    "LoiteringParams": "detectors.loitering",
    "PortCallParams": "detectors.port_call",
    "RendezvousParams": "detectors.rendezvous",
    "StationaryParams": "detectors.stationary",
    "InputError": "geo.errors",
    "LuxwakeError": "geo.errors",
    "Message": "ais.message",
    "Messages": "ais.messages",
    "OutputError": "geo.errors",
    "UsageError": "geo.errors",
    "Zones": "geo.zones",
    "Goods": "cargo.goods",
    "classify": "cargo.goods",
    "decode": "ais.decoded",
    "decode_one": "ais.decoded",
    "detect": "detectors.detect",
    "encode": "ais.encode",
    "find_anchorages": "luxwake.anchorages",
    "inspect": "luxwake.inspect",
    "join": "cargo.join",
    "mirror": "cargo.mirror",
    "query": "luxwake.store",
    "read": "ais.read",
    "read_comtrade": "cargo.comtrade",
    "read_shipments": "cargo.shipments",
    "read_zones": "geo.zones",
    "reach": "geo.reach",
    "meet": "geo.meet",
    "Speed": "geo.speed",
    "speed_of": "geo.speed",
    "simulate": "luxwake.simulate",
    "where": "luxwake.where",
    "stationary_periods": "detectors.stationary",
    "write_parquet": "luxwake.store",
}
__all__ = list(_HOME)


def _check_house() -> None:
    """Say in one line when another distribution has put itself in the place of one of our packages.

    libais installs a package named `ais` as well, and pip lets either overwrite the other in silence.
    """
    for name in ("geo", "ais", "detectors", "cargo"):
        spec = importlib.util.find_spec(name)
        try:
            package = importlib.import_module(name)
        except Exception:  # a stranger's package may lack what it needs itself, such as its compiled half
            package = None
        if getattr(package, "LUXWAKE_PACKAGE", None) != name:
            where = (spec.origin or next(iter(spec.submodule_search_locations or ()), "?")) if spec else "no place"
            raise ImportError(
                f"package {name!r} at {where} is not Luxwake's: another distribution has overwritten it (libais "
                f"installs an 'ais' too); give Luxwake an environment of its own, or reinstall it there: "
                f"pip install --force-reinstall luxwake"
            ) from None


_check_house()


class _Facade(ModuleType):
    """This module, on which a public name stays what it is when a submodule of the same name is imported.

    Importing `luxwake.simulate.write` makes Python set the attribute `simulate` to the subpackage, and
    `lw.simulate(...)` would then call a module.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Facade


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    if name in {"geo", "ais", "detectors", "cargo"}:
        return importlib.import_module(name)
    raise AttributeError(f"module 'luxwake' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
