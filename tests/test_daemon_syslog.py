"""Syslog: RFC 5424 over UDP, TCP and the local socket."""

import json
import os
import socket

import pytest

from geo.errors import UsageError
from luxwake.daemon.config import (
    SyslogSink,
)
from luxwake.daemon.sink import NotNow, Refused
from luxwake.daemon.sinks import make_sink
from tests.sinks_case import change, changes, free_port


def octets(data):
    """Messages with their length in front (RFC 6587)."""
    while data:
        size, _, data = data.partition(b" ")
        yield data[: int(size)]
        data = data[int(size) :]


def check_messages(messages, count):
    assert len(messages) == count
    for seq, message in enumerate(messages, 1):
        head, _, text = message.partition(b" - {")
        priority, time_, host, app, pid, word = head.split(b" ")
        assert priority == b"<29>1" and time_.endswith(b"Z") and host and app == b"luxwake" and word == b"dark.opened"
        assert int(pid) == os.getpid()
        assert json.loads(b"{" + text)["seq"] == seq and message.isascii() and message.decode().isprintable()


def test_syslog_by_udp_and_by_a_local_socket(tmp_path):
    sent = [change(seq, name="SEA\x85\u2028\x1b\nLÄRK") for seq in (1, 2)]
    for kind, family, address in (
        ("udp", socket.AF_INET, ("127.0.0.1", 0)),
        ("unix", socket.AF_UNIX, str(tmp_path / "log")),
    ):
        with socket.socket(family, socket.SOCK_DGRAM) as daemon:
            daemon.bind(address)
            daemon.settimeout(10.0)
            where = address if kind == "unix" else f"udp://127.0.0.1:{daemon.getsockname()[1]}"
            sink = make_sink(SyslogSink(name="log", address=where))
            sink.send(sent)
            check_messages([daemon.recv(65_536) for _ in sent], 2)
            with pytest.raises(Refused, match="too many for a datagram") as refused:
                sink.send([*sent, change(3, name="x" * 70_000)])
            assert refused.value.taken == 2
            check_messages([daemon.recv(65_536) for _ in sent], 2)
            sink.close()


def test_syslog_by_tcp_comes_back_after_the_other_side_has_closed():
    with socket.create_server(("127.0.0.1", 0)) as daemon:
        sink = make_sink(SyslogSink(name="log", address=f"tcp://127.0.0.1:{daemon.getsockname()[1]}"))
        sink.send(changes(1, 2))
        connection, _ = daemon.accept()
        check_messages(list(octets(connection.recv(65_536))), 2)
        connection.close()
        with pytest.raises(NotNow, match="closed"):
            sink.send(changes(1))
        sink.send(changes(1))
        connection, _ = daemon.accept()
        check_messages(list(octets(connection.recv(65_536))), 1)
        connection.close()
        sink.close()
    with pytest.raises(NotNow, match="refused"):
        sink.send(changes(1))


@pytest.mark.parametrize("address", ["", "log", "udp://", "udp://host:port", "http://host:1", "tcp://host:1/path"])
def test_a_syslog_that_cannot_be_meant(address):
    with pytest.raises(UsageError, match=r"sinks\.log\.address"):
        make_sink(SyslogSink(name="log", address=address))


def test_nothing_is_taken_for_sent_that_nobody_has_heard():
    """Of UDP the answer to one message is seen at the next."""
    with pytest.raises(NotNow, match="refused") as failed:
        sink = make_sink(SyslogSink(name="log", address=f"udp://127.0.0.1:{free_port()}"))
        sink.send([change(1)])
        sink.send([change(2), change(3)])
    assert failed.value.taken == 0
