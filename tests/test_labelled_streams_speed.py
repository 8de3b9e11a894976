"""A real stream that others label "sudden speed change": what happens in it.

A ship at anchor off Bornholm reports 0.0 kn, once 102.2 kn (the largest that AIS can say), and 0.0 kn eleven seconds
later; it lies within a few metres all the while. It made no speed and changed none: one report is wrong.
"""

import luxwake as lw
from detectors.detect import detect
from detectors.event import LABELS

STREAM = "AisAbnormal_219165000_ssc_1.ais"


def test_a_sudden_speed_at_anchor_is_a_false_report_and_nothing_else(shared_data):
    fixes = lw.read(shared_data / "ais" / "labelled" / STREAM)
    events = detect(fixes)
    assert [LABELS[k] for k in events["label"][events["kind"] == 8]] == ["speed_change"]
    event = {key: events[key][events["kind"] == 8][0] for key in events}
    assert round(float(event["reported_speed_kn"]), 1) == 102.2 and event["implied_speed_kn"] < 0.1
    assert event["score"] > 0.999 and event["n"] == 2 and event["open"] == 0
    said = fixes["sog"] > 100
    assert event["last_offset"] == fixes["offset"][said][0] and event["t_end"] == fixes["t"][said][0]
    assert (fixes["nav_status"] == 1).all() and fixes["sog"][~said].max() <= 0.1


def test_the_streams_labelled_drift_hold_no_false_position(shared_data):
    for name in ("AisAbnormal_212123000_drift_1.ais", "AisAbnormal_538004030_drift_1.ais"):
        assert len(detect(lw.read(shared_data / "ais" / "labelled" / name), ["false_position"])) == 0
