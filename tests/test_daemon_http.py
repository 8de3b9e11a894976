"""The status server, over real sockets: what it says and what it does not put up with."""

import contextlib
import json
import os
import socket
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luxwake.cli import main
from luxwake.console import Console
from luxwake.daemon import http as daemon_http
from luxwake.daemon import kernels
from luxwake.daemon.config import HttpConfig
from luxwake.daemon.http import StatusServer
from luxwake.daemon.serve_command import run
from luxwake.daemon.source import Source
from luxwake.daemon.status import Rate, Status, rss_bytes, why_not_ready
from tests.daemon_case import config, in_child
from tests.http_case import EVIL, ask, running, send, served, status_of


@pytest.fixture(scope="module")
def port():
    with served() as port:
        yield port


def test_the_terminal_shows_drops_and_rejects_by_reason_and_caps(port, capsys):
    assert main(["status", "--url", f"http://127.0.0.1:{port}"]) == 0
    shown = capsys.readouterr().out
    for words in (
        "queue full",
        "checksum",
        "rejected",
        "dropped",
        "262,144",
        "impossible jump",
        "dead letters",
        "phase",
    ):
        assert words in shown, words
    assert "\x1b[2J" not in shown


def test_the_terminal_asks_no_proxy(port, capsys, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        assert main(["status", "--url", f"http://127.0.0.1:{port}"]) == 0
        proxy.setblocking(False)
        with pytest.raises(BlockingIOError):
            proxy.accept()


@pytest.mark.parametrize("url", ["foo", "ftp://a", "http://:1", "http://[::1", "http://a:x", "http://127.0.0.1:99999"])
def test_what_is_no_url_of_a_status_server_is_said_in_one_line(url, capsys):
    assert main(["status", "--url", url]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"luxwake: {url}/status: not http; give --url http://HOST:PORT") and said.count("\n") == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-x\r\n",
        b"",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
    ],
)
def test_a_server_that_is_none_of_ours_is_said_in_one_line(answer, capsys):
    def serve(listening):
        connection, _ = listening.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        assert main(["status", "--url", url]) == 1
        thread.join()
    said = capsys.readouterr().err
    assert said.startswith(f"luxwake: {url}/status: no answer (") and said.count("\n") == 1


def test_a_token_that_cannot_be_sent_is_not_told(port, tmp_path, capsys):
    path = tmp_path / "token"
    path.write_text("s3cr3t\ns3cr3t\n")
    assert main(["status", "--url", f"http://127.0.0.1:{port}", "--token-file", str(path)]) == 1
    said = capsys.readouterr().err
    assert "s3cr3t" not in said and f"{path}: not one token" in said


def metric(port, name):
    return next(line.split()[1] for line in ask(port, "/metrics")[1].splitlines() if line.startswith(f"{name} "))


@pytest.mark.parametrize("t", [0, 1])
def test_it_grows_older_while_the_core_tells_nothing(t):
    begun = time.time_ns() // 1000 - 90_000_000
    with served(lambda: Status(t=t, t_started=begun)) as port:
        assert 90 <= json.loads(ask(port, "/status")[1])["uptime_s"] < 100
        assert 90 <= float(metric(port, "luxwake_uptime_seconds")) < 100
        assert float(metric(port, "luxwake_start_time_seconds")) == begun / 1e6


def test_one_start_has_one_time(tmp_path, monkeypatch):
    """From before there is a core until it runs: the alert counts how often the time changes."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setattr(kernels, "is_compiled", lambda: True)
    seen = []

    class Looking(Source):
        def run(self, cursor):
            seen.append(metric(port, "luxwake_start_time_seconds"))

    def make_source(one, intake):
        seen.append(metric(port, "luxwake_start_time_seconds"))
        return Looking(one.name, intake)

    def serve():
        run(config(tmp_path / "state", http={"port": port}), Console(), make_source)
        assert len(seen) == 2 and seen[0] == seen[1]

    assert in_child(serve) == 0


def test_what_it_says(port):
    assert ask(port, "/healthz")[:2] == (200, "ok\n")
    assert ask(port, "/readyz")[:2] == (200, "ready\n")
    code, body, headers = ask(port, "/status")
    told = json.loads(body)
    assert code == 200 and headers["Content-Type"] == "application/json"
    assert told["ready"] and told["not_ready"] == [] and 90 <= told["uptime_s"] < 100
    assert told["sources"][0]["rejected"] == {EVIL: 3, "checksum": 2}
    assert told["sources"][1]["lag_s"] is None and told["held"] == {"vessels": [5, 262_144]}
    assert told["sinks"][0]["queued"] == 4


def test_not_ready_says_why():
    late = running(store_writable=False)
    late.sources[0].lag_s = 61.0
    with served(lambda: late) as port:
        code, body, _ = ask(port, "/readyz")
        assert (code, body) == (503, "the store cannot be written\nsource feed lags 61 s, over 60\n")
        assert ask(port, "/healthz")[0] == 200
        assert "the store cannot be written" in ask(port, "/")[1]
    assert why_not_ready(Status(t=1, phase="running"), 60, now_us=30_000_001) == []
    assert why_not_ready(Status(t=1, phase="running"), 60, now_us=33_000_001) == ["the core has been silent for 33 s"]


def test_metrics_are_what_prometheus_reads(port):
    parser = pytest.importorskip("prometheus_client.parser", reason="prometheus-client is not installed")
    code, body, headers = ask(port, "/metrics")
    assert code == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in parser.text_string_to_metric_families(body)
        for sample in family.samples
    }
    feed = (("source", "feed"), ("type", "udp"))
    assert samples["luxwake_source_decoded_messages_total", *feed] == 7
    assert samples["luxwake_left_out", ("reason", "impossible jump")] == 2
    assert samples["luxwake_source_rejected_total", ("reason", EVIL), *feed] == 3
    assert samples["luxwake_source_lag_seconds", *feed] == 0.5
    assert samples["luxwake_sink_failing", ("sink", "alerts"), ("type", "webhook")] == 1
    assert samples["luxwake_held_limit", ("what", "vessels")] == 262_144
    assert samples["luxwake_changes_total", ("kind", "dark")] == 3
    assert ("luxwake_ready",) in samples and samples["luxwake_resident_memory_bytes",] == pytest.approx(
        rss_bytes(), rel=0.5
    )
    assert not any(
        name[0] == "luxwake_source_last_arrival_timestamp_seconds" and "aisstream" in str(name) for name in samples
    )
    assert not any(name[0] == "luxwake_checkpoint_age_seconds" for name in samples)


def test_the_page_runs_nothing_and_asks_for_nothing(port):
    code, body, headers = ask(port)
    assert code == 200
    assert "<script" not in body and "&lt;script src=//a.bc&gt;" in body and "\x1b" not in body
    assert not [word for word in ("href=", 'src="', "url(", "@import", "http:", "https:") if word in body]
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics", "/status"])
def test_head_is_get_without_its_body(port, path):
    got, head = ask(port, path), ask(port, path, "HEAD")
    assert head[0] == got[0] and head[1] == "" and int(head[2]["Content-Length"]) > 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW"])
def test_nothing_can_be_changed(port, method):
    code, _, headers = ask(port, "/status", method)
    assert code == 405 and headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    [
        "/../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/%00",
        "/status/",
        "//status",
        "/static/x.js",
        "/Status",
        "/status%20",
    ],
)
def test_there_are_no_files(port, path):
    assert ask(port, path)[0] == 404


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("localhost", 200), ("LOCALHOST:1", 200), ("[::1]:8787", 200), ("127.0.0.1", 200),
        ("rebound.example", 421), ("localhost.rebound.example", 421), ("127.0.0.1@rebound.example", 421), ("", 421),
        ("localhost:port", 421), ("local host", 421),
    ],
)  # fmt: skip
def test_only_by_its_own_names(port, host, code):
    assert ask(port, "/status", Host=host)[0] == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GET /status HTTP/1.1\r\n\r\n", 400),
        (b"GET /status HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /status HTTP/2.0\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n folded: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: \x00\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 101 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * 10_000_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"y" * 1_000_000, 431),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n" + b"y" * 5000, 413),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 413),
    ],
    ids=range(14),
)  # fmt: skip
def test_what_is_no_request_is_refused_without_an_error_of_ours(port, data, code):
    answer = send(port, data)
    assert (status_of(answer) if answer else 431) == code  # of 10 MB, what is on its way may undo the answer
    assert ask(port, "/healthz")[0] == 200


@settings(max_examples=300)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=100).map(str.encode)), st.booleans(), st.booleans())
def test_garbage_never_makes_a_server_error(data, as_field, ends):
    head = (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " if as_field else b"") + data + (b"\r\n\r\n" if ends else b"")
    try:
        request = daemon_http.request_of(head.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    except daemon_http._Refuse as refused:
        assert 400 <= refused.answer.status < 500
        return
    answer = StatusServer(HttpConfig(), running).answer(request)
    assert answer.status < 500 and answer.encoded().startswith(b"HTTP/1.1 ")


def test_a_slow_client_is_cut_off_and_keeps_nobody_out(port, monkeypatch):
    monkeypatch.setattr(daemon_http, "HEADER_S", 1.0)
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.settimeout(30.0)
        slow.sendall(b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(300):  # a byte now and then: each wait is short, all together are too long
                slow.sendall(b"X")
                slow.settimeout(0.1)
                with contextlib.suppress(TimeoutError):
                    assert slow.recv(100) == b""
                    return
            raise AssertionError("it was not cut off")


def test_a_thousand_clients_that_hang(port):
    with contextlib.ExitStack() as hanging:
        for _ in range(1000):
            slow = hanging.enter_context(socket.create_connection(("127.0.0.1", port)))
            slow.sendall(b"GET / HTTP/1.1\r\n")
        assert ask(port, "/healthz")[0] == 200
        for _ in range(200):
            if len(os.listdir("/proc/self/fd")) < 1000 + daemon_http.MAX_CONNECTIONS + 100:
                break
            time.sleep(0.05)
        assert len(os.listdir("/proc/self/fd")) < 1000 + daemon_http.MAX_CONNECTIONS + 100
        assert ask(port, "/metrics")[0] == 200


def test_a_client_that_does_not_read_is_cut_off(monkeypatch):
    monkeypatch.setattr(daemon_http, "ANSWER_S", 0.5)
    large = running()
    large.changes = {f"kind {n}": n for n in range(400_000)}
    with served(lambda: large) as port, socket.create_connection(("127.0.0.1", port)) as lazy:
        lazy.sendall(b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(2.0)
        size = 0
        with contextlib.suppress(ConnectionResetError):
            while part := lazy.recv(1 << 20):
                size += len(part)
        assert size < len(json.dumps(large.changes))
        assert ask(port, "/healthz")[0] == 200


def test_answers_come_soon_while_the_core_computes(port):
    """What is counted on: kernels hold no lock, and Python hands its own over every 5 ms."""
    import numpy as np

    stop = threading.Event()
    numbers = np.random.default_rng(1).random(2_000_000)

    def compute():
        while not stop.is_set():
            np.sort(numbers)
            sum(range(300_000))

    workers = [threading.Thread(target=compute) for _ in range(2)]
    for worker in workers:
        worker.start()
    try:
        waits = []
        for _ in range(40):
            begin = time.perf_counter()
            assert ask(port, "/healthz")[0] == 200
            waits.append(time.perf_counter() - begin)
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert sorted(waits)[20] < 5.0  # the figure is in docs/daemon-operating.md; here only that it answers at all


def test_the_loopback_of_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 on this machine")
    with served(host="::1") as port:
        assert ask(port, "/status", host="::1")[0] == 200


def test_it_leaves_nothing_behind():
    with served():
        pass
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with served() as port:
            ask(port)
    assert threading.active_count() == threads and len(os.listdir("/proc/self/fd")) <= files + 1


def test_rate_forgets():
    rate = Rate()
    for second in range(100):
        rate.add(50, now_s=float(second))
    assert rate.per_s(now_s=99.0) == 50.0 and rate.per_s(now_s=200.0) == 0.0
