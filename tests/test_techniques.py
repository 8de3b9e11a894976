"""Families of techniques count the events of the carrying ships; what was not looked for stays unknown."""

from types import SimpleNamespace

import numpy as np
import pytest

from cargo.carriage import Carriers
from cargo.case import open_case
from cargo.chain import build_chains
from cargo.fleet import Fleet
from cargo.techniques import techniques
from detectors.event import FALSE_POSITION, IDENTITY, KINDS, RENDEZVOUS, label_code
from detectors.families import FAMILIES, family_of
from tests.join_case import LARK, event, limousine_rows, shipments_of, world


def labelled(kind, label, start, end, *, mmsi=LARK, other=0, score=0.9):
    return event(kind, mmsi, start, end, other=other, score=score) | {"label": label_code(label)}


@pytest.fixture(scope="module")
def chains(tmp_path_factory):
    return build_chains(shipments_of(tmp_path_factory.mktemp("papers"), *limousine_rows()))


def values(chains, *more, looked_for=("dark", "identity")):
    events = world(more=more)
    events.params = {name: {} for name in looked_for}
    fleet = Fleet(events)
    carriages = Carriers(fleet).of(chains.table, chains.lead_legs()[0])
    found = techniques(fleet, open_case(fleet, chains[0], list(carriages)[: len(chains[0].legs)], 0.5), 0.5)
    assert [signal.name for signal in found] == list(FAMILIES)
    ids = {f"event {name}" for name in events["id"]}
    return {s.name: SimpleNamespace(value=s.value, why=s.why, ids=[e for e in s.evidence if e in ids]) for s in found}


@pytest.mark.parametrize(
    ("more", "family", "words"),
    [
        (labelled(IDENTITY, "name", "2018-10-10", "2018-10-12"), "identity changed", "1 x name"),
        (labelled(IDENTITY, "zombie_imo", "2018-08-20", "2018-11-01"), "identity changed", "zombie IMO"),
        (labelled(IDENTITY, "flag", "2018-10-10", "2018-10-12"), "flag changed", "1 x flag"),
        (labelled(IDENTITY, "mmsi_change", "2018-10-10", "2018-10-12", other=538999101), "flag changed", "MMSI change"),
        (labelled(IDENTITY, "mmsi_change", "2018-10-10", "2018-10-12", other=671999102), "identity changed", "MMSI"),
        (labelled(FALSE_POSITION, "on_land", "2018-10-01T13:00", "2018-10-02"), "positions falsified", "on land"),
    ],
)
def test_an_event_of_a_family_counts_with_its_id(chains, more, family, words):
    before, after = values(chains), values(chains, more)
    assert before[family].value != 1.0 and after[family].value == 1.0
    assert words in after[family].why and len(after[family].ids) == 1
    assert {name for name in FAMILIES if before[name].value != after[name].value} == {family}


@pytest.mark.parametrize(
    "more",
    [
        labelled(IDENTITY, "name", "2018-10-10", "2018-10-12", score=0.2),
        labelled(IDENTITY, "name", "2018-03-01", "2018-03-02"),
        labelled(IDENTITY, "name", "2018-10-10", "2018-10-12", mmsi=477999001 + 5),
        labelled(IDENTITY, "imo_check_digit", "2018-10-10", "2018-10-12"),
        labelled(FALSE_POSITION, "mass_displacement", "2018-10-01T13:00", "2018-10-02"),
        labelled(RENDEZVOUS, "tug", "2018-10-01T13:00", "2018-10-02", other=440999001),
    ],
    ids=["unlikely", "long before", "another ship", "a slip", "many ships at once", "a tug"],
)
def test_what_speaks_of_no_family_counts_for_none(chains, more):
    before, after = values(chains), values(chains, more)
    assert {name: before[name].value for name in FAMILIES} == {name: after[name].value for name in FAMILIES}


def test_what_was_not_looked_for_is_unknown(chains):
    assert values(chains)["positions falsified"].value is None
    assert values(chains, looked_for=())["positions falsified"].value is None


def test_every_kind_with_a_family_is_known():
    families = {family_of(KINDS.index(kind), 0, 671999101, 671999102) for kind in KINDS[:11]}
    assert families - {""} <= set(FAMILIES) and np.size(list(families)) == 5
