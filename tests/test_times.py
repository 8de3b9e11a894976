"""Times that users give, exact to the microsecond."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import luxwake as lw
from luxwake.times import parse_time


@given(st.datetimes(timezones=st.timezones()))
def test_time_is_read_as_it_is_written(moment: Any) -> None:
    from datetime import UTC, datetime, timedelta

    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    offset = moment.utcoffset()
    if offset.microseconds == 0 and offset.seconds % 60 == 0:
        assert parse_time(moment.isoformat(), "--to") == (moment - epoch) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    "text",
    ["", "now", "2018", "01/10/2018", "2018-02-30", "2018-10-01x12:00", "20181001012", "٢٠١٨-10-01", "2018-10-01T"],
)
def test_text_that_is_no_time(text: str) -> None:
    with pytest.raises(lw.UsageError, match=r"--to .* is no time; write it like"):
        parse_time(text, "--to")
