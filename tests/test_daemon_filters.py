"""Which changes a sink gets."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InputError, LuxwakeError, UsageError
from luxwake.daemon.config import (
    SyslogSink,
)
from luxwake.daemon.matching import Filter, read_vessels
from luxwake.daemon.store import Store
from tests.sinks_case import change


def test_filters(tmp_path):
    ships, area = tmp_path / "ships.csv", tmp_path / "area.geojson"
    ships.write_text('name,MMSI\nSea Lark,671999101\n\n# gone\n"Gull, Great",671999102\n')
    corners = [[128, 34], [130, 34], [130, 36], [128, 36], [128, 34]]
    area.write_text(json.dumps({"type": "Polygon", "coordinates": [corners]}))
    plain = SyslogSink(name="s")
    assert Filter(plain).wants(change(1))
    watched = Filter(SyslogSink(name="s", vessels=str(ships)))
    assert watched.wants(change(1)) and watched.wants(change(1, mmsi=671999109, other=671999102))
    assert not watched.wants(change(1, mmsi=671999109)) and not watched.wants(change(1, mmsi=671999109, other=1))
    inside = Filter(SyslogSink(name="s", areas=str(area)))
    assert inside.wants(change(1)) and not inside.wants(change(1, lat=33.0))
    assert not inside.wants(change(1, lat=math.nan, lon=math.nan))
    some = Filter(SyslogSink(name="s", kinds=["dark", "gap"], changes=["opened", "retracted"], min_score=0.5))
    assert (
        some.wants(change(1, "gap"))
        and not some.wants(change(1, "voyage"))
        and not some.wants(change(1, told="closed"))
    )
    assert not some.wants(change(1, score=0.4)) and not some.wants(change(1, score=math.nan))
    assert some.wants(change(1, told="retracted", score=math.nan))
    assert not Filter(SyslogSink(name="s", vessels=str(ships))).wants(change(1, told="retracted", mmsi=671999109))


@pytest.mark.parametrize(
    ("text", "vessels"),
    [("671999101\n671999102\n", {671999101, 671999102}), ("mmsi\n671999101", {671999101}), ("﻿mmsi,a\r\n2,x\r\n", {2})],
)
def test_watch_lists(tmp_path, text, vessels):
    path = tmp_path / "ships"
    path.write_text(text, encoding="utf-8")
    assert read_vessels(path) == vessels


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no MMSI in it"),
        (b"name,imo\nx,1\n", ":1: no column mmsi"),
        (b"mmsi\n671999101\nSEA LARK\n", ":3: 'SEA LARK' is no MMSI"),
        (b"671999101\n0\n", ":2: '0' is no MMSI"),
        (b"\xff\xfe", "cannot be read"),
        ("٦٧١٩٩٩١٠١\n".encode(), "no column mmsi"),
    ],
)
def test_a_watch_list_that_is_none(tmp_path, data, said):
    path = tmp_path / "ships"
    path.write_bytes(data)
    with pytest.raises(InputError, match=said):
        read_vessels(path)


@given(st.binary(max_size=200))
def test_any_bytes_as_a_watch_list(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any-ships"
    path.write_bytes(data)
    with contextlib.suppress(LuxwakeError):
        assert all(0 < mmsi < 10**9 for mmsi in read_vessels(path))


def test_words_that_there_are_not():
    with pytest.raises(UsageError, match=r"sinks\.s\.kinds: no 'darkk'; did you mean 'dark'\?"):
        Filter(SyslogSink(name="s", kinds=["darkk"]))
    with pytest.raises(UsageError, match=r"sinks\.s\.changes: no 'x'; there are opened, updated"):
        Filter(SyslogSink(name="s", changes=["x"]))
    with pytest.raises(InputError, match=r"ships\.csv: cannot be read"):
        Filter(SyslogSink(name="s", vessels="/nowhere/ships.csv"))


def test_an_alarm_is_not_used_up_by_what_takes_back_an_event_of_which_the_sink_was_not_told(tmp_path):
    """Told below the least score, taken back, and told again above it."""
    wants = Filter(SyslogSink(name="alarms", once=True, min_score=0.5)).wants
    told = [change(1, score=0.3), change(2, told="retracted", score=0.3), change(3, score=0.9)]
    told = [one._replace(event_id="0" * 16, revision=n) for n, one in enumerate(told)]
    with contextlib.closing(Store(tmp_path / "events.sqlite")) as store:
        store.commit(1, 0, told, {"alarms": wants}, ["alarms"])
        assert [one.seq for one in store.due("alarms", 10)] == [3]
    both = Filter(SyslogSink(name="s", once=True, changes=["opened", "retracted"], min_score=0.5)).wants
    assert both(told[1]._replace(score=0.9)) and not both(told[1])
    assert Filter(SyslogSink(name="s", min_score=0.5)).wants(told[1])
