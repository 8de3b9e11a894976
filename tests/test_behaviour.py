"""What a slow ship did: the shipped weights on ships that the training did not see, and a status that lies."""

import csv
import subprocess
import sys

import numpy as np
import pytest

from detectors import behaviour as model
from detectors.behaviour import BEHAVIOURS, FACTS, TABLE
from detectors.detector import Known
from detectors.event import LABELS
from detectors.loitering import Loitering
from detectors.tables import slow_ships
from detectors.tables.train_behaviour import SHIPS, columns_of, labelled


@pytest.fixture(scope="module")
def unseen():
    """Events of ships beyond those of the training, and what each ship did."""
    events, did, _ = labelled(160, first=SHIPS)
    return events, did


def test_ships_that_it_never_saw_are_told_apart_and_the_probabilities_are_kept(unseen):
    events, did = unseen
    p = model.probabilities(events)
    assert len(events) > 280
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    right, surest = p.argmax(axis=1) == did, p.max(axis=1)
    assert right.mean() > 0.86
    for k, name in enumerate(BEHAVIOURS):
        assert right[did == k].mean() > 0.75, name
    for low, high in ((0.0, 0.7), (0.7, 0.9), (0.9, 1.0)):
        here = (surest > low) & (surest <= high)
        sure = surest[here].mean()
        assert abs(right[here].mean() - sure) < 0.02 + 3.0 * (sure * (1.0 - sure) / here.sum()) ** 0.5, (low, high)


def test_the_label_is_the_likeliest_or_unclear_and_mostly_right(unseen):
    events, did = unseen
    labels, facts = model.behaviour(events, 0.2)
    words = np.array(LABELS)[labels]
    called = words != "unclear"
    assert 0.8 < called.mean() < 1.0
    assert (words[called] == np.array(BEHAVIOURS)[facts[called, :5].argmax(axis=1)]).all()
    assert (words[called] == np.array(BEHAVIOURS)[did[called]]).mean() > 0.9
    strict, _ = model.behaviour(events, 0.8)
    assert (np.array(LABELS)[strict] != "unclear").mean() < called.mean()


@pytest.mark.parametrize("status", ["said_anchored", "said_moored", "said_fishing"])
def test_a_status_that_lies_makes_no_label(unseen, status):
    """Every drifting ship says the same: none that the motion alone calls otherwise is called what it says."""
    events, did = unseen
    drifters = events[did == BEHAVIOURS.index("drifting")].copy()
    for k, name in enumerate(model.SAID):
        drifters["facts"][:, 1 + k] = 1.0 if name == status else 0.0
    labels, facts = model.behaviour(drifters, 0.2)
    claimed = status.removeprefix("said_")
    words = np.array(LABELS)[labels]
    unsaid = model.probabilities(drifters, "unsaid")[:, BEHAVIOURS.index(claimed)]
    assert (unsaid[words == claimed] >= model.LEAST_UNSAID).all()
    assert (words == claimed).mean() < 0.25
    drifting = words == "drifting"
    assert drifting.mean() > 0.3 and (facts[drifting, FACTS.index("said_otherwise")] == 1.0).all()


def settled(name, seed, hours=14):
    """The event of a ship that does one thing and sends everything once a minute."""
    rng = np.random.default_rng(seed)
    n = hours * 60
    motion = slow_ships.MAKERS[name](rng, n, 150.0)
    t = np.arange(n) * 60.0
    y, x = (np.cumsum(v) * 60.0 / 111_195.0 for v in (motion.north, motion.east))
    columns = {
        "t": t, "lat": y, "lon": x - 30.0, "sog": np.hypot(motion.east, motion.north) / 0.514,
        "cog": np.degrees(np.arctan2(motion.east, motion.north)) % 360.0, "heading": motion.heading % 360.0,
        "nav_status": np.full(n, 15.0), "class_b": np.zeros(n),
    }  # fmt: skip
    detector = Loitering()
    rows = columns_of(slow_ships.Ship(columns, []), 7)
    found = np.concatenate([detector.feed(rows), detector.finish(int(rows.t[-1]), 0)]).view(np.ndarray).copy()
    found["shore_m"] = 200.0 if name == "moored" else 9_000.0
    return detector.settle_each(found, Known(None, None, 0))


def test_the_facts_are_what_the_motion_was():
    anchored, moored = settled("anchored", 2), settled("moored", 3)
    facts = {name: (anchored["facts"][0, k], moored["facts"][0, k]) for k, name in enumerate(FACTS)}
    assert all(abs(hours - 14.0) < 0.1 for hours in facts["observed_h"])
    assert facts["swing_m"][0] > 40.0 and facts["swing_m"][1] < 20.0
    assert facts["heading_spread_deg"][0] > 10.0 and facts["heading_spread_deg"][1] < 2.0
    assert max(facts["net_drift_kn"]) < 0.1
    assert [LABELS[event["label"][0]] for event in (anchored, moored)] == ["anchored", "moored"]
    assert np.isnan(moored["facts"][0, FACTS.index("heading_against_course_deg")])


def test_the_weights_are_plain_numbers_and_nothing_heavy_is_loaded_to_use_them():
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["model"] for row in rows} == {"said", "unsaid"}
    assert not [row for row in rows if row["model"] == "unsaid" and row["feature"] in model.SAID]
    assert all(np.isfinite(float(row[name])) for row in rows for name in ("mean", "scale", *BEHAVIOURS))
    code = "import sys, detectors.behaviour as b; b._weights(); print('sklearn' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
