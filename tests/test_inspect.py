"""`luxwake inspect`: what it says about feeds of which we know what is in them."""

from __future__ import annotations

import gzip
import io
import json
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from feeds import MINUTE, SECOND, T0, read_bytes, real_feeds
from hypothesis import given
from hypothesis import strategies as st

from ais.encode import encode
from luxwake.cli import main
from luxwake.inspect import inspect, together
from luxwake.survey import Heard, Senders, iso

SHIP, OTHER_SHIP, BASE, AID, SART = 671_999_101, 671_999_102, 6_719_991, 996_719_991, 970_999_901


def position(mmsi: int = SHIP, t: int | None = T0, lat: float = 35.2, **options: Any) -> str:
    """A sentence of a ship off Busan."""
    return encode(msg_type=1, mmsi=mmsi, lat=lat, lon=129.4, sog=9.0, t=t, **options)[0]


def write(folder: Path, lines: list[str], name: str = "feed.nmea") -> Path:
    path = folder / name
    path.write_bytes("".join(line + "\r\n" for line in lines).encode())
    return path


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """Ten minutes of a feed with a silence, copies, five classes of sender, and lines that are no use."""
    lines = [position(t=T0 + k * 5 * SECOND, lat=35.2 + k / 1000, station="pier") for k in range(60)]
    lines += [position(t=T0 + k * 5 * SECOND + SECOND, lat=35.2 + k / 1000, station="hill") for k in range(0, 60, 6)]
    later = T0 + 20 * MINUTE
    lines += [position(OTHER_SHIP, later + k * 5 * SECOND, lat=34.0 + k / 1000, channel="B") for k in range(60)]
    lines += encode(msg_type=4, mmsi=BASE, lat=35.1, lon=129.0, t=later, talker="BS", channel="")
    lines += encode(msg_type=21, mmsi=AID, name="BUOY", lat=35.0, lon=129.1, t=later)
    lines += [position(SART, later), encode(msg_type=1, mmsi=SHIP, t=later + SECOND)[0]]
    lines += ["$GPGGA,1,2,3*00", position(t=None).replace("!AIVDM", "!AIVDO")]
    return write(tmp_path, lines)


def lines_of(capsys: pytest.CaptureFixture[str], *argv: str | Path) -> list[dict[str, Any]]:
    """The JSON lines that it prints; it must end with 0."""
    capsys.readouterr()
    assert main(["inspect", *map(str, argv), "--json"]) == 0
    lines = [json.loads(line, parse_constant=pytest.fail) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if line["type"] != "note"]  # that something is being compiled


def test_a_feed_is_counted_by_type_talker_channel_station_and_class(feed: Path) -> None:
    (found,) = inspect(feed)
    assert (found.format, found.bytes) == ("nmea", feed.stat().st_size)
    assert found.messages == 134 and found.sentences == 135
    assert dict(found.types) == {1: 132, 4: 1, 21: 1}
    assert dict(found.talkers) == {"AI": 133, "BS": 1}
    assert dict(found.channels) == {"A": 73, "B": 60, "": 1}
    assert dict(found.stations) == {"pier": 60, "hill": 10}
    assert found.senders_by_class == {"ship": 2, "base station": 1, "SART": 1, "aid to navigation": 1}
    assert found.ships == 2 and found.by_class.total() == found.messages
    assert found.copies == 10
    assert found.density.positions == 121 and found.without_position == 1


def test_what_was_not_used_has_its_bytes_and_its_first_place(feed: Path) -> None:
    (found,) = inspect(feed)
    text = feed.read_bytes()
    other, broken = found.rejected["line without an AIS sentence"], found.rejected["checksum differs"]
    assert (other.times, other.offset) == (1, text.index(b"$GPGGA"))
    assert (broken.times, broken.offset) == (1, text.index(b"!AIVDO"))
    assert set(found.rejected) == {"line without an AIS sentence", "checksum differs"}


def test_a_silence_of_the_whole_feed_is_a_gap(feed: Path) -> None:
    (found,) = inspect(feed)
    assert found.heard.span == (T0, T0 + 20 * MINUTE + 295 * SECOND)
    assert found.heard.gaps() == [(T0 + 295 * SECOND, T0 + 20 * MINUTE)]


def test_without_times_nothing_is_said_about_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, [position(t=None)] * 3)
    (line,) = lines_of(capsys, path)
    assert line["copies"] is line["t_first"] is line["t_last"] is None and line["without_time"] == 3
    assert main(["inspect", str(path)]) == 0
    out = capsys.readouterr().out
    assert "unknown: no message has one" in out and "copies" in out and "Silences" not in out


def test_inputs_are_told_apart_and_summed(feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = tmp_path / "again.nmea.gz"
    packed.write_bytes(gzip.compress(feed.read_bytes()))
    lines = lines_of(capsys, feed, packed)
    assert [line["type"] for line in lines] == ["inspection", "inspection", "inspection_sum"]
    assert [line["format"] for line in lines] == ["nmea", "nmea, gzip", "nmea; nmea, gzip"]
    first, second, total = lines
    assert total["messages"] == 2 * first["messages"] and total["types"] == {"1": 264, "4": 2, "21": 2}
    assert total["senders"] == first["senders"] and total["longest_gaps"] == first["longest_gaps"]
    broken, twice = first["not_used"]["checksum differs"], total["not_used"]["checksum differs"]
    assert twice == {**broken, "times": 2, "bytes": 2 * broken["bytes"]}
    assert {name for name in first if first[name] != second[name]} == {"input", "format", "not_used"}


def test_standard_input_is_inspected(feed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(feed.read_bytes())))
    (found,) = inspect("-")
    assert (found.name, found.messages) == ("standard input", 134)


TABLE = """MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading
671999101,2018-10-01T00:00:00,35.2,129.4,9.0,41.0,40
671999101,2018-10-01T00:00:00,35.2,129.4,9.0,41.0,40
671999102,2018-10-01T00:01:00,35.3,129.4,9.0,41.0,40
671999102,2018-10-01T00:02:00,135.3,129.4,9.0,41.0,40
671999102,2018-10-01T02:02:00,35.4,129.4,9.0,41.0,40
"""


@pytest.mark.parametrize("piped", [False, True])
def test_a_table_is_inspected(piped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(TABLE)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(TABLE.encode())))
    (found,) = inspect("-" if piped else path)
    assert (found.format, found.messages, found.sentences, found.copies, found.ships) == ("noaa", 4, 5, 1, 2)
    assert [(one.times, one.bytes, one.offset) for one in found.rejected.values()] == [(1, None, None)]
    assert found.heard.span == (T0, T0 + 122 * MINUTE) and found.density.positions == 4


def test_columns_of_other_names_can_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("who,when,Y,X\n671999101,2018-10-01T00:00:00,35.2,129.4\n")
    assert main(["inspect", str(path)]) == 1
    (line,) = lines_of(capsys, path, "--columns", "mmsi=who,t=when,lat=Y,lon=X")
    assert (line["positions"], line["ships"], line["t_first"]) == (1, 1, "2018-10-01T00:00:00Z")
    assert main(["inspect", str(path), "--columns", "speed=Y"]) == 2


@given(
    st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([b"!AIVDM,1,1,,A,", b"\\s:x*1F\\", b"\n"])), max_size=20)
)
def test_no_bytes_make_it_fall(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("bytes") / "feed"
    path.write_bytes(position().encode() + b"\n" + b"".join(parts))
    (found,) = inspect(path)
    assert found.messages >= 1 and found.bytes == path.stat().st_size
    assert json.dumps(found.as_dict(), allow_nan=False)


def test_the_page_says_it_in_words(feed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(feed)]) == 0
    out = capsys.readouterr().out
    for words in ("134 in 135 sentences", "10 (7.5 %)", "AI 133, BS 1", "Aid to navigation", "pier", "15.1 min", "░"):
        assert words in out
    assert max(map(len, out.splitlines()[1:])) <= 82


def test_quiet_says_nothing(feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(feed), "--quiet", "--map", str(tmp_path / "map.png")]) == 0
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_a_map_is_named_with_its_extent(feed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(feed), "--map", str(tmp_path / "map.png")]) == 0
    out = capsys.readouterr().out
    assert "°N" in out.splitlines()[-1] and "░" not in out
    *_, line = lines_of(capsys, feed, "--map", tmp_path / "map.png")
    assert line["type"] == "map" and line["lat_min"] < 34.0 < 35.2 < line["lat_max"]


@pytest.mark.parametrize(
    ("argv", "status", "words"),
    [
        (["no-such-file"], 1, "no such file"),
        (["feed.nmea", "--map", "map.jpg"], 2, "ends with .png"),
        (["feed.nmea", "--map", "no/such/folder/map.png"], 1, "folder does not exist"),
        (["words.txt"], 1, "not AIS"),
        (["damaged.gz"], 1, "ends early"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    feed: Path,
    argv: list[str],
    status: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(feed.parent)
    Path("words.txt").write_text("nothing of ours\n")
    Path("damaged.gz").write_bytes(gzip.compress(feed.read_bytes())[:-40])
    assert main(["inspect", *argv]) == status
    notes = ("compiling the readers",)
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith(notes)]
    assert len(lines) == 1 and words in lines[0]


def test_names_from_the_air_cannot_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = "s:a\x1b[2Jb,c:1538352000"
    check = 0
    for one in body.encode():
        check ^= one
    path = write(tmp_path, [f"\\{body}*{check:02X}\\{position(t=None)}"])
    assert main(["inspect", str(path)]) == 0
    assert "\x1b" not in capsys.readouterr().out


@given(st.lists(st.integers(0, 500), min_size=1, max_size=40), st.randoms())
def test_silences_do_not_depend_on_order_or_pieces(minutes: list[int], random: Any) -> None:
    t = np.array(minutes, np.int64) * 30 * SECOND + T0
    whole, pieces, second = Heard(), Heard(), Heard()
    whole.add(t)
    random.shuffle(minutes)
    for k, minute in enumerate(minutes):
        (pieces if k % 2 else second).add(np.array([minute * 30 * SECOND + T0]))
    pieces.merge(second)
    assert (pieces.gaps(), pieces.span, pieces.usual_us) == (whole.gaps(), whole.span, whole.usual_us)
    times = sorted(t.tolist())
    silences = [(a, b) for a, b in pairwise(times) if b - a > 60 * SECOND]
    assert set(whole.gaps()) <= set(silences)


def test_a_table_of_rare_positions_is_not_all_gaps() -> None:
    heard = Heard()
    heard.add(T0 + np.array([*range(0, 100, 10), 1_000, *range(1_010, 1_100, 10)]) * MINUTE)
    assert heard.usual_us == 10 * MINUTE
    assert heard.gaps() == [(T0 + 90 * MINUTE, T0 + 1_000 * MINUTE)]


def test_senders_are_counted_once() -> None:
    senders = Senders()
    for begin in range(0, 5_000, 1_000):
        senders.add(np.arange(begin, begin + 2_000, dtype=np.uint32))
    assert senders.numbers().tolist() == list(range(6_000))


def test_real_feeds_add_up(shared_data: Path) -> None:
    paths = real_feeds(shared_data)
    surveys = inspect(paths)
    for path, found in zip(paths, surveys, strict=True):
        assert found.bytes == len(read_bytes(path))
        assert found.types.total() == found.talkers.total() == found.channels.total() == found.messages
        assert all(one.offset is None or 0 <= one.offset < found.bytes for one in found.rejected.values())
    total = together(surveys)
    assert total.messages == sum(found.messages for found in surveys)
    span = total.heard.span
    assert span is not None and iso(span[0]) == "2006-07-15T00:01:32Z"


def test_every_real_file_is_shown(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in real_feeds(shared_data):
        assert main(["inspect", str(path)]) == 0
        assert path.name in capsys.readouterr().out.splitlines()[0]
