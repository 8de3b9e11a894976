"""Logs that no feed can forge, and what systemd is told."""

import io
import json
import logging
import re
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luxwake.daemon.config import LogConfig
from luxwake.daemon.logs import MAX_OF_ONE_PLACE, MAX_REMEMBERED, Handler, escaped, start_logging
from luxwake.daemon.notify import Notify

EVIL = "SEA\x1b[2J\nLARK\r\u202e\x85\u2028"


class Clock:
    def __init__(self):
        self.t = 0.0

    def __call__(self):
        return self.t


@pytest.fixture
def logging_to(monkeypatch):
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    log = logging.getLogger("luxwake.test")
    made = []

    def start(**config):
        stream, clock = io.StringIO(), Clock()
        handler = Handler(LogConfig(**config), stream, clock)
        log.handlers, log.propagate = [handler], False
        log.setLevel("DEBUG")
        made.append(handler)
        return log, stream, clock, handler

    yield start
    log.handlers, log.propagate = [], True


def test_a_plain_line(logging_to):
    log, stream, _, _ = logging_to()
    log.warning("%s: connection refused", "feed", extra={"source": "feed", "wait_s": 8})
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning luxwake\.test: feed: connection refused "
        r"\[source=feed wait_s=8\]\n",
        stream.getvalue(),
    )


def test_a_line_of_json(logging_to):
    log, stream, _, _ = logging_to(format="json")
    log.info("ship %s", EVIL, extra={"mmsi": 671999101, "lag_s": float("nan"), "ship": EVIL})
    told = json.loads(stream.getvalue())
    assert told["level"] == "info" and told["logger"] == "luxwake.test" and told["message"] == f"ship {EVIL}"
    assert told["mmsi"] == 671999101 and told["lag_s"] == "nan" and told["ship"] == EVIL
    assert stream.getvalue().isascii() and len(stream.getvalue().splitlines()) == 1


@given(st.text())
def test_no_text_of_a_feed_forges_a_line_or_steers_a_terminal(text):
    said = escaped(text)
    assert len(f"x{said}x".splitlines()) == 1 and not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", said)
    if len(text) < 2000:
        import ast

        assert ast.literal_eval('"' + said.replace('"', '\\"') + '"') == text  # nothing is lost


def test_a_long_text_says_how_long_it_was():
    assert escaped("x" * 1_000_000).endswith("x... (1,000,000 characters)")


def test_a_traceback_is_ours_and_what_it_quotes_is_not(logging_to):
    for form in ("plain", "json"):
        log, stream, _, _ = logging_to(format=form)
        try:
            raise ValueError(EVIL)
        except ValueError:
            log.exception("it failed")
        assert (
            "ValueError" in stream.getvalue() and "\x1b" not in stream.getvalue() and "\u202e" not in stream.getvalue()
        )


def test_what_is_said_again_is_counted(logging_to):
    log, stream, clock, handler = logging_to(repeats_s=60.0)
    for second in range(150):
        clock.t = float(second)
        log.warning("feed: connection refused")
    log.error("another")
    handler.close()
    lines = stream.getvalue().splitlines()
    said = [line for line in lines if "refused" in line]
    assert sum(1 for line in said if "more like it" not in line) == 3
    assert sum(int(found[1]) for line in said if (found := re.search(r"and (\d+) more", line))) == 150 - 3
    assert sum("another" in line for line in lines) == 1


def test_a_feed_that_makes_every_message_different_does_not_fill_the_disk(logging_to):
    log, stream, clock, handler = logging_to(repeats_s=60.0, format="json")
    for n in range(10_000):
        log.warning("odd line %s", n)
    assert len(stream.getvalue().splitlines()) == MAX_OF_ONE_PLACE
    log.warning("from another place")
    assert len(stream.getvalue().splitlines()) == MAX_OF_ONE_PLACE + 1
    clock.t = 61.0
    log.warning("later")
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert sum(one.get("repeated", 0) for one in told) == 10_000 - MAX_OF_ONE_PLACE
    assert len(handler._seen) < MAX_REMEMBERED


def test_repeats_may_be_wanted(logging_to):
    log, stream, _, _ = logging_to(repeats_s=0.0)
    for _ in range(5):
        log.info("again")
    assert len(stream.getvalue().splitlines()) == 5


def test_levels_and_the_journal(monkeypatch):
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    root, ours = logging.getLogger(), logging.getLogger("luxwake")
    before = root.level, ours.level
    stream = io.StringIO()
    try:
        start_logging(LogConfig(level="error"), stream)
        handler = start_logging(LogConfig(level="info"), stream)
        logging.getLogger("luxwake.daemon").info("ours")
        logging.getLogger("luxwake.daemon").debug("not wanted")
        logging.getLogger("library").info("not wanted")
        logging.getLogger("library").warning("theirs")
    finally:
        root.removeHandler(handler)
        root.setLevel(before[0])
        ours.setLevel(before[1])
    lines = stream.getvalue().splitlines()
    assert [line[:3] for line in lines] == ["<6>", "<4>"] and "ours" in lines[0] and "theirs" in lines[1]


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told(tmp_path, abstract):
    name = f"@luxwake-test-{tmp_path.name}-{id(tmp_path)}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind("\0" + name[1:] if abstract else name)
        systemd.settimeout(5.0)
        notify = Notify({"NOTIFY_SOCKET": name})
        assert notify.watchdog_s is None
        for told, said in (
            (notify.ready, "READY=1"),
            (notify.watchdog, "WATCHDOG=1"),
            (notify.stopping, "STOPPING=1"),
            (lambda: notify.status("17,000 messages/s\nREADY=1"), "STATUS=17,000 messages/s READY=1"),
        ):
            assert told() is True and systemd.recv(4096).decode() == said
        assert notify.reloading() and re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", systemd.recv(4096).decode())
    assert notify.ready() is False


def test_nobody_asks(tmp_path):
    assert not Notify({}).ready() and not Notify({"NOTIFY_SOCKET": "host:1"}).ready()
    assert not Notify({"NOTIFY_SOCKET": str(tmp_path / "gone")}).watchdog()
    assert Notify({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}).watchdog_s is None
    assert Notify({"WATCHDOG_USEC": "soon"}).watchdog_s is None
