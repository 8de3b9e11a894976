"""Draught: a change across a stay, a meeting or a silence, as a likelihood ratio that never proves anything."""

import numpy as np
import pytest

from ais.hulls import HULL
from ais.identity import identities
from ais.table import NAT, Fixes
from detectors.detector import Known
from detectors.draught import Draught, DraughtParams, likelihood_ratio
from detectors.event import DARK, EVENT, KINDS, LABELS, LOITERING, PORT_CALL, RENDEZVOUS, blank
from detectors.vessels import vessels
from geo.errors import UsageError
from tests.feeds import HOUR, T0
from tests.identity_scenes import LARK, OTHER, SHIP, static_of


def told(draughts, mmsi=SHIP):
    """Static reports from (hour, draught)."""
    return [{**LARK, "mmsi": mmsi, "t": T0 + int(hour * HOUR), "draught": draught} for hour, draught in draughts]


def every(hours, draught):
    return [(h, draught) for h in np.arange(*hours, 0.5)]


def stay(kind, begin, end, mmsi=SHIP, other=0):
    event = blank(1, kind)
    event["mmsi"], event["other"], event["lat"], event["lon"] = mmsi, other, 35.0, 130.0
    event["t_start"], event["t_end"] = T0 + begin * HOUR, T0 + end * HOUR
    return event


def changes(stays, reports, **params):
    detector = Draught(DraughtParams(**params))
    known = identities(static_of(reports))
    none = vessels(np.zeros(0, HULL), known)
    records = np.concatenate(stays) if stays else np.zeros(0, EVENT)
    found = detector.derive_each(records[np.argsort(records["t_start"], kind="stable")], Known(known, none, NAT))
    return [
        {name: row[name].item() for name in ("mmsi", "other", "t_start", "t_end", "score", "lat")}
        | {"label": LABELS[row["label"]]}
        | dict(zip(detector.facts, row["facts"].tolist(), strict=False))
        for row in np.sort(found, order=["t_start", "mmsi"])
    ]


@pytest.mark.parametrize("kind", [PORT_CALL, DARK, LOITERING], ids=lambda k: KINDS[k])
def test_a_change_across_a_stay_or_a_silence_is_found_with_its_tonnes(kind):
    reports = told([*every((0, 20), 4.5), *every((32, 60), 5.5)])
    (row,) = changes([stay(kind, 20, 30), stay(PORT_CALL, 50, 55)], reports)
    assert (row["label"], row["across"], row["lat"]) == ("loaded", kind, 35.0)
    assert (row["t_start"], row["t_end"]) == (T0 + 20 * HOUR, T0 + 30 * HOUR)
    assert row["delta_m"] == pytest.approx(1.0) and row["told_after_h"] == pytest.approx(2.0)
    # Box of 84 x 13 m, waterplane 0.833, sea water: 933 t for a metre.
    assert row["tonnes"] == pytest.approx(933, abs=2) and 100 < row["tonnes_error"] < 250
    assert 10 < row["likelihood_ratio"] < 60 and row["score"] == pytest.approx(1 - 1 / (1 + row["likelihood_ratio"]))
    down = changes([stay(kind, 20, 30)], told([*every((0, 20), 5.5), *every((32, 60), 4.5)]))
    assert down[0]["label"] == "discharged" and down[0]["tonnes"] == pytest.approx(-row["tonnes"])


@pytest.mark.parametrize(
    ("why", "reports"),
    [
        ("too small", [*every((0, 20), 4.5), *every((32, 60), 4.7)]),
        ("a share of a deep draught", [*every((0, 20), 15.0), *every((32, 60), 15.4)]),
        ("a slip of the hand", [*every((0, 32), 4.5), (32.2, 12.0), *every((33, 60), 4.5)]),
        ("long after", [*every((0, 60), 4.5), *every((60, 80), 6.0)]),
        ("before", [*every((0, 10), 4.5), *every((10, 60), 6.0)]),
        ("not told before", every((32, 60), 6.0)),
    ],
)
def test_what_is_no_change_across_the_stay_is_none(why, reports):
    assert changes([stay(PORT_CALL, 20, 30)], told(reports)) == [], why
    assert changes([], told(reports)) == []


def test_two_steps_in_one_stay_are_one_change_and_the_latest_event_takes_it():
    reports = told([*every((0, 22), 4.5), *every((22, 28), 5.0), *every((28, 60), 6.0)])
    assert [row["delta_m"] for row in changes([stay(PORT_CALL, 20, 30)], reports)] == [pytest.approx(1.5)]
    found = changes([stay(DARK, 5, 40), stay(LOITERING, 20, 30)], reports)
    assert [(row["across"], row["before_m"]) for row in found] == [(LOITERING, pytest.approx(4.5))]
    outer = changes([stay(DARK, 20, 40), stay(LOITERING, 21, 22)], told([*every((0, 20), 4.5), *every((60, 80), 6.0)]))
    assert [row["across"] for row in outer] == [DARK]


def test_partners_of_a_meeting_with_opposite_signs_raise_the_ratio_and_with_equal_signs_lower_it():
    meeting = stay(RENDEZVOUS, 20, 30, other=OTHER)
    mine = told([*every((0, 20), 4.5), *every((32, 60), 5.5)])
    theirs = told([*every((0, 20), 8.0), *every((32, 60), 7.2)], OTHER)
    alone = changes([meeting], mine)
    both = changes([meeting], mine + theirs)
    assert len(alone) == 1 and len(both) == 2
    assert [row["mmsi"] for row in both] == [SHIP, OTHER] and [row["other"] for row in both] == [OTHER, SHIP]
    assert both[0]["likelihood_ratio"] == pytest.approx(both[1]["likelihood_ratio"])
    assert both[0]["likelihood_ratio"] > 5 * alone[0]["likelihood_ratio"]
    assert both[0]["partner_delta_m"] == pytest.approx(-0.8)
    same = changes([meeting], mine + told([*every((0, 20), 7.2), *every((32, 60), 8.0)], OTHER))
    assert same[0]["likelihood_ratio"] < alone[0]["likelihood_ratio"] / 2


def test_the_ratio_grows_with_the_change_and_is_bounded_whatever_was_typed():
    ratios = likelihood_ratio(np.array([0.1, 0.3, 0.6, 1.2, 20.0]), 8.0)
    assert (np.diff(ratios) > 0).all() and ratios[0] < 1.0 and ratios[-1] <= 60.0


def test_the_table_of_events_is_right_whole_and_parameters_that_cannot_be_meant_are_refused():
    from detectors.detect import detect

    assert len(detect(Fixes({}), ["draught"])) == 0
    with pytest.raises(UsageError, match="min_change_m"):
        DraughtParams(min_change_m=0.0)
