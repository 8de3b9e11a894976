"""Sources that need no broker: sockets, for real and on loopback, and what all sources share."""

import random
import re
import socket
import threading
import time
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from source_run import Running, free_port, lines_of

from geo.errors import UsageError
from luxwake.daemon.config import (
    AnySource,
    MqttSource,
    SerialSource,
    SourceConfig,
    TcpServerSource,
    TcpSource,
    UdpSource,
    WebSocketSource,
    config_of,
)
from luxwake.daemon.intake import Intake
from luxwake.daemon.sources import lines as lines_module
from luxwake.daemon.sources import make_source
from luxwake.daemon.sources.datagrams import one_by_one
from luxwake.daemon.sources.lines import Lines


def naive_lines(data, longest):
    """Each line of a stream, cut."""
    *whole, rest = data.split(b"\n")
    lines = [*whole, rest] if rest else whole
    return b"".join(line[:longest] + b"\n" for line in lines), sum(max(0, len(line) - longest) for line in lines)


@given(st.data())
def test_lines_do_not_depend_on_the_pieces(data):
    text = data.draw(st.lists(st.sampled_from([b"\n", b"a", b"bc", b"d" * 9, b"e" * 40, b"\r"]), max_size=40))
    text = b"".join(text)
    longest, lines_module.LONGEST_LINE = lines_module.LONGEST_LINE, 12
    try:
        lines, out, place = Lines(), b"", 0
        while place < len(text):
            size = data.draw(st.integers(1, 30))
            out += lines.feed(text[place : place + size])
            place += size
        out += lines.end()
    finally:
        lines_module.LONGEST_LINE = longest
    assert (out, lines.cut_bytes) == naive_lines(text, 12)


class Listener:
    """A TCP server of a test, for one caller at a time."""

    def __init__(self):
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.sock.settimeout(30)
        self.port = self.sock.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def caller(self):
        return self.sock.accept()[0]


def test_tcp_client_takes_all_and_connects_again_without_gluing():
    with Listener() as server, Running(TcpSource(name="a", host="localhost", port=server.port)) as run:
        with server.caller() as caller:
            caller.sendall(b"one\ntwo\nhalf a li")
            run.until_lines(3)
        with server.caller() as caller:
            caller.sendall(b"ne of another\nthree\n")
            run.until_lines(5)
            assert run.source.connections == 2 and f":{server.port}" in run.source.state
        assert run.lines == [b"one", b"two", b"half a li", b"ne of another", b"three"]
        assert run.intake.received_bytes == len(run.data) and run.intake.dropped_bytes == 0


def test_tcp_client_sends_its_login():
    with Listener() as server:
        config = TcpSource(name="a", host="127.0.0.1", port=server.port, login="A|T|abc")
        with Running(config) as run, server.caller() as caller:
            caller.settimeout(30)
            assert caller.recv(100) == b"A|T|abc\r\n"
            caller.sendall(b"welcome\n")
            run.until_lines(1)


def test_tcp_client_calls_again_where_nothing_is_decoded():
    """The connection stays open, and brings what nobody can decode."""
    with Listener() as server:
        config = TcpSource(name="a", host="127.0.0.1", port=server.port, watchdog_s=0.3)
        with Running(config) as run:
            with server.caller() as first:
                first.sendall(b"garbage\n")
                run.until(lambda: "nothing decoded" in run.source.state, "the watchdog")
            with server.caller() as second:
                run.decodes = True
                second.sendall(b"good\n" * 3)
                run.until(lambda: run.lines.count(b"good") == 3)
                assert run.source.connections == 2


def test_tcp_client_waits_while_the_queue_is_full():
    text = b"".join(b"%07d\n" % k for k in range(2_500_000))
    with (
        Listener() as server,
        Running(TcpSource(name="a", host="127.0.0.1", port=server.port), max_bytes=1 << 20) as run,
        server.caller() as caller,
    ):
        run.taking = False
        sender = threading.Thread(target=caller.sendall, args=(text,), daemon=True)
        sender.start()
        run.until(lambda: run.intake.waiting_bytes > 700_000, "a full queue")
        assert sender.is_alive()  # more than all buffers hold
        run.taking = True
        run.until(lambda: run.intake.received_bytes == len(text) + 1)
        sender.join()
        run.take()
        assert run.data == b"\n" + text and run.intake.dropped_bytes == 0


def test_pauses_grow_until_something_is_decoded(monkeypatch):
    monkeypatch.setattr("luxwake.daemon.source.FIRST_WAIT_S", 0.1)
    with Listener() as server, Running(TcpSource(name="a", host="127.0.0.1", port=server.port), decodes=True) as run:
        for _ in range(3):
            server.caller().close()
        fourth = server.caller()
        closed_at = time.monotonic()
        fourth.close()
        with server.caller() as caller:
            assert time.monotonic() - closed_at >= 0.4  # 0.1 s, doubled three times, less the jitter
            caller.sendall(b"good\n")
            run.until_lines(1)
        closed_at = time.monotonic()
        server.caller().close()
        assert time.monotonic() - closed_at < 0.8


@pytest.mark.parametrize("where", ["nobody listens", "unknown host", "connected", "no answer"])
def test_a_stop_is_honoured_at_once(where):
    with Listener() as server:
        host = {"unknown host": "no-such-host.invalid", "no answer": "192.0.2.1"}.get(where, "127.0.0.1")
        port = free_port() if where == "nobody listens" else server.port
        with Running(TcpSource(name="a", host=host, port=port)) as run:
            if where == "connected":
                run.until(lambda: run.source.connections == 1)
            elif where != "no answer":
                run.until(lambda: run.source.state.startswith("waits"))
            assert run.source.connected == (where == "connected")
            assert run.end() < 0.5


def test_tcp_server_never_mixes_the_lines_of_a_thousand_senders():
    n, each = 1000, 20
    with Running(TcpServerSource(name="a", port=0, max_connections=n)) as run:
        run.until(lambda: run.source.port)
        socks = [socket.create_connection(("127.0.0.1", run.source.port)) for _ in range(n)]
        texts = [b"".join(b"!sender %d line %d%s\n" % (k, i, b"x" * (k % 90)) for i in range(each)) for k in range(n)]
        chance = random.Random(7)
        places = [0] * n
        while open_ones := [k for k in range(n) if places[k] < len(texts[k])]:
            for k in open_ones:
                size = chance.randrange(1, 900)
                socks[k].sendall(texts[k][places[k] : places[k] + size])
                places[k] += size
            run.take()
        run.until(lambda: run.intake.received_bytes == sum(map(len, texts)))
        assert run.source.callers.open == n
        for sock in socks:
            sock.close()
        run.until(lambda: run.source.callers.open == 0)
        assert run.source.callers == (0, n, 0, 0)
        by_sender = {}
        for line in run.lines:
            by_sender.setdefault(int(line.split()[1]), []).append(line)
        assert all(b"\n".join([*by_sender[k], b""]) == texts[k] for k in range(n))
        assert all(chunk.data.endswith(b"\n") for chunk in run.chunks)


def test_tcp_server_cuts_an_endless_line_and_counts_the_rest():
    with Running(TcpServerSource(name="a", port=0)) as run:
        run.until(lambda: run.source.port)
        sent = 0
        with (
            socket.create_connection(("127.0.0.1", run.source.port)) as endless,
            socket.create_connection(("127.0.0.1", run.source.port)) as honest,
        ):
            for k in range(100):
                endless.sendall(b"z" * 100_000)
                sent += 100_000
                honest.sendall(b"honest %d\n" % k)
            endless.sendall(b"\nafter\nrest")
        run.until(lambda: len(run.lines) == 103 and run.source.callers.open == 0)
        assert sorted(run.lines)[:2] == [b"after", b"honest 0"]
        assert [line for line in run.lines if line.startswith(b"zz")] == [b"z" * 4096]
        assert run.intake.dropped == {"line longer than the limit": (0, sent - 4096)}
        assert run.intake.received_bytes == len(run.data) + run.intake.dropped_bytes


def test_tcp_server_refuses_who_is_too_many_and_drops_who_is_silent():
    with Running(TcpServerSource(name="a", port=0, max_connections=2, idle_s=1.0)) as run:
        run.until(lambda: run.source.port)
        socks = [socket.create_connection(("127.0.0.1", run.source.port), timeout=30) for _ in range(3)]
        run.until(lambda: run.source.callers.refused == 1)
        assert socks[2].recv(1) == b""
        socks[0].sendall(b"half")
        run.until(lambda: run.source.callers.idle == 2)
        assert socks[0].recv(1) == b"" == socks[1].recv(1)
        run.until(lambda: run.lines == [b"half"])
        for sock in socks:
            sock.close()


def test_tcp_server_keeps_who_has_waited_for_a_full_queue():
    n, text = 24, b"".join(b"%07d\n" % k for k in range(40_000))
    with Running(TcpServerSource(name="a", port=0, idle_s=1.0), max_bytes=1000) as run:
        run.until(lambda: run.source.port)
        run.taking = False

        def send(sock):
            with sock:
                sock.sendall(text)

        socks = [socket.create_connection(("127.0.0.1", run.source.port)) for _ in range(n)]
        run.until(lambda: run.source.callers.open == n)
        senders = [threading.Thread(target=send, args=(sock,), daemon=True) for sock in socks]
        for sender in senders:
            sender.start()
        time.sleep(1.2)  # more than idle_s
        run.taking = True
        run.until(lambda: run.intake.received_bytes == n * len(text) or run.source.callers.idle)
        assert run.source.callers.idle == 0
        for sender in senders:
            sender.join()


def test_tcp_server_listens_again_once_the_port_is_free():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with Running(TcpServerSource(name="a", port=port)) as run:
            run.until(lambda: "in use" in run.source.state)
            other.close()
            run.until(lambda: run.source.state.startswith("listens"))


@pytest.mark.parametrize("ways", ["recvmmsg", "one by one"])
def test_udp_counts_each_datagram_and_never_glues(ways, monkeypatch):
    if ways == "one by one":
        monkeypatch.setattr("luxwake.daemon.sources.udp.gatherer", one_by_one)
    with Running(UdpSource(name="a", port=0)) as run:
        run.until(lambda: run.source.port)
        texts = [b"with\n", b"without", b"", b"two\nlines", b"z" * 65_507, b"\n", *lines_of(2000)]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for k, text in enumerate(texts):
                sender.sendto(text, ("127.0.0.1", run.source.port))
                if k % 100 == 0:
                    run.until(lambda sent=k + 1: run.units == sent)
        run.until(lambda: run.units == len(texts))
        assert run.data == b"".join(text if text.endswith(b"\n") else text + b"\n" for text in texts)
        assert run.intake.received_units == len(texts) and run.intake.dropped_units == 0


def test_udp_counts_what_the_system_and_the_queue_drop():
    """The source stands still while ten thousand come into a buffer for a few."""
    config = UdpSource(name="a", port=0, receive_buffer_mib=0.01)
    with Running(config, max_bytes=1000) as run:
        run.until(lambda: run.source.port)
        assert "of" not in run.source.state or "asked" in run.source.state
        run.taking = False
        n = 20_000
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for k in range(n):
                sender.sendto(b"%09d" % k, ("127.0.0.1", run.source.port))
        run.until(lambda: run.intake.received_units == n, "all counted")
        run.taking = True
        run.until(lambda: not run.intake.waiting_bytes)
        assert 0 < run.units < n
        assert run.units + run.intake.dropped_units == n
        assert set(run.intake.dropped) <= {"queue full", "dropped by the system at the socket"}


def test_udp_takes_a_group():
    with Running(
        UdpSource(name="a", host="239.192.0.4", port=free_port(socket.SOCK_DGRAM), interface="127.0.0.1")
    ) as run:
        run.until(lambda: run.source.state.startswith("listens"))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            sender.sendto(b"to all", ("239.192.0.4", run.source.port))
        run.until_lines(1)


def test_what_cannot_be_meant_is_said_in_one_line(tmp_path):
    intake = Intake(0, 1 << 20)
    with pytest.raises(UsageError, match=r"baud is 12345; a device knows .*38400"):
        make_source(SerialSource(name="a", path="x", baud=12345), intake)
    with pytest.raises(UsageError, match="interface is 'eth0'; it must be the IPv4 address"):
        make_source(UdpSource(name="a", host="239.192.0.4", port=1, interface="eth0"), intake)
    with pytest.raises(UsageError, match="groups of IPv6 are not joined"):
        make_source(UdpSource(name="a", host="ff02::1", port=1), intake)
    with Running(SerialSource(name="a", path=str(tmp_path))) as run:
        run.until(lambda: "no device and no pipe" in run.source.state)


def test_the_page_of_sources_tells_all_options_and_its_example_is_valid():
    page = (Path(__file__).resolve().parents[1] / "docs" / "daemon-sources.md").read_text(encoding="utf-8")
    example = tomllib.loads(page.split("```toml")[1].split("```")[0])
    assert len(config_of(example).sources) == 3
    shared = set(SourceConfig.__struct_fields__)
    for kind in get_args(AnySource):
        row = next(line for line in page.splitlines() if line.startswith(f"| `{kind.__struct_config__.tag}` |"))
        told = set(re.findall(r"`([a-z_]+)`", row.split("|")[2]))
        assert set(kind.__struct_fields__) - shared == told - {"begin", "end", "data"}, kind


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr("luxwake.daemon.sources.NEEDS", {"websocket": ("no_such_package", "websockets")})
    with pytest.raises(UsageError, match=r"'a' needs websockets, .*pip install 'luxwake\[websocket\]'"):
        make_source(WebSocketSource(name="a", url="ws://localhost"), Intake(0, 1 << 20))


def test_a_password_in_an_address_may_have_any_sign():
    pytest.importorskip("paho.mqtt", reason="paho-mqtt is not installed")
    from luxwake.daemon.sources.mqtt import MqttMessages

    config = MqttSource(name="feed", url="mqtt://me%40home:a%2Fb%23c@localhost", topic="ais")
    client = MqttMessages(config, Intake(0, 1 << 20))._client()
    assert (client.username, client.password) == ("me@home", "a/b#c")
