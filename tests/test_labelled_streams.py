"""Three real Danish streams with the label that people gave them: two ships adrift, one sudden change of speed."""

import numpy as np

import luxwake as lw
from detectors.event import KINDS, LABELS


def slow(shared_data, name):
    """The slow episodes of a stream, each as (kind, label) with its row."""
    events = lw.detect(lw.read(shared_data / "ais" / "labelled" / f"AisAbnormal_{name}.ais"), ["loitering"])
    return events, [(KINDS[k], LABELS[n]) for k, n in zip(events["kind"], events["label"], strict=True)]


def test_a_ship_not_under_command_drifts_for_half_a_day_in_the_open_baltic(shared_data):
    """It stops off Bornholm, 48 km from shore, and drifts broadside at half a knot until it makes way again."""
    events, words = slow(shared_data, "212123000_drift_1")
    assert words == [("loitering", "drifting")]
    assert 12.4 < (events["t_end"][0] - events["t_start"][0]) / 3.6e9 < 12.8
    assert events["p_drifting"][0] > 0.95 and events["coverage"][0] > 0.999
    assert 90.0 < events["heading_against_course_deg"][0] < 140.0 and 0.4 < events["net_drift_kn"][0] < 0.7


def test_a_ship_adrift_for_twenty_minutes_near_the_swedish_coast_is_a_stop_that_drifts(shared_data):
    """7 nmi off shore no loitering, and at 1.9 kn no anchorage: it slips sideways until it has power again."""
    events, words = slow(shared_data, "538004030_drift_1")
    assert words == [("stop", "drifting")]
    start = np.datetime64(int(events["t_start"][0]), "us")
    assert np.datetime64("2014-09-28T16:25") < start < np.datetime64("2014-09-28T16:40")
    assert events["heading_against_course_deg"][0] > 45.0 and events["shore_m"][0] < 20 * 1852.0


def test_a_wrong_speed_for_a_few_seconds_is_no_movement_of_a_ship_at_anchor(shared_data):
    """102.2 kn in one report of a ship that lies still, in a stream of 22 minutes: no drift, and no end of a stop."""
    fixes = lw.read(shared_data / "ais" / "labelled" / "AisAbnormal_219165000_ssc_1.ais")
    assert np.nanmax(fixes["sog"]) > 100.0
    assert len(lw.detect(fixes, ["loitering"])) == 0
    params = {"loitering": lw.LoiteringParams(min_stop_s=600)}
    events = lw.detect(fixes, ["loitering"], params)
    assert [KINDS[k] for k in events["kind"]] == ["stop"]
    assert (events["t_end"][0] - events["t_start"][0]) / 6e7 > 22.0 and events["distance_m"][0] < 50.0
    assert events["score"][0] > 0.999
