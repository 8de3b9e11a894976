"""Webhooks: what is sent, what is tried again, and where they never go."""

import contextlib
import http.server
import json
import socket
import ssl
import subprocess
import threading

import pytest

from geo.errors import UsageError
from luxwake.daemon.config import (
    WebhookSink,
)
from luxwake.daemon.sink import NotNow, Refused
from luxwake.daemon.sinks import addresses, make_sink, webhook
from tests.sinks_case import changes, dispatched


class Hook(http.server.BaseHTTPRequestHandler):
    """Answers with what `server.answer` returns for what it was sent."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, dict(self.headers), json.loads(body)))
        status, headers, text = self.server.answer(json.loads(body)["changes"])
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(text)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def hook(answer=lambda sent: (204, {}, b""), tls=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.answer, server.seen = answer, []
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def hook_sink(server, host="127.0.0.1", scheme="http", **more):
    config = {"allow_private": ["127.0.0.0/8"], "name": "hook", **more}
    return make_sink(WebhookSink(url=f"{scheme}://{host}:{server.server_port}/in?x=1", **config))


def test_a_webhook_gets_changes_and_can_tell_copies():
    with hook() as server:
        sink = hook_sink(server, headers={"Authorization": "Bearer s"})
        sink.send(changes(7, 8))
        sink.send(changes(7, 8))
        sink.send(changes(9))
    (path, headers, body), second, third = server.seen
    assert path == "/in?x=1" and [one["seq"] for one in body["changes"]] == [7, 8]
    assert headers["Luxwake-First-Seq"] == "7" and headers["Luxwake-Last-Seq"] == "8"
    assert headers["Authorization"] == "Bearer s" and headers["Content-Type"] == "application/json"
    assert headers["Idempotency-Key"] == second[1]["Idempotency-Key"] != third[1]["Idempotency-Key"]
    assert headers["Host"] == f"127.0.0.1:{server.server_port}"
    with hook() as server:
        hook_sink(server, name="another").send(changes(7, 8))
    assert server.seen[0][1]["Idempotency-Key"] != headers["Idempotency-Key"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503, 301, 302, 307, 308])
def test_what_may_get_better_is_tried_again(status):
    with hook(lambda sent: (status, {"Retry-After": "7", "Location": "http://127.0.0.1/"}, b"")) as server:
        with pytest.raises(NotNow, match=str(status)) as failed:
            hook_sink(server).send(changes(1))
        assert failed.value.after_s == 7.0
        assert len(server.seen) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
def test_what_is_refused_is_refused_alone(status):
    """Sent as the outbox does: only the change that is to blame ends as a dead letter."""
    with hook(lambda sent: (status if any(one["seq"] == 3 for one in sent) else 200, {}, b"")) as server:
        sink, waiting, dead, later = hook_sink(server), changes(1, 2, 3, 4, 5), [], 0
        for _ in range(20):
            if not waiting:
                break
            batch = waiting[: sink.max_batch]
            try:
                sink.send(batch)
            except NotNow:
                later += 1
                continue
            except Refused as refused:
                dead.append((batch[0].seq, str(refused)))
                batch = batch[:1]
            waiting = waiting[len(batch) :]
    taken = [one["seq"] for _, _, body in server.seen for one in body["changes"] if len(body["changes"]) == 1]
    assert not waiting and [seq for seq, _ in dead] == [3] and str(status) in dead[0][1] and later == 1
    assert {1, 2, 4, 5} <= {*taken, *(one["seq"] for one in server.seen[-1][2]["changes"])}


@pytest.mark.parametrize(("begin", "drop"), [("HTTP/1.1 200 OK\r\n", "X: y\r\n"), ("HTTP/1.0 200 OK\r\n\r\n", "x")])
def test_an_answer_that_drips_or_does_not_end(monkeypatch, begin, drop):
    """In its head; in its body where the end of the connection is that of the answer."""
    monkeypatch.setattr(webhook, "DEADLINE_S", 1.0)
    done = threading.Event()

    def drip(connection):
        with contextlib.suppress(OSError), connection:
            connection.recv(65_536)
            connection.sendall(begin.encode())
            while not done.wait(0.2):
                connection.sendall(drop.encode())

    with socket.create_server(("127.0.0.1", 0)) as server:
        sink = make_sink(
            WebhookSink(name="h", url=f"http://127.0.0.1:{server.getsockname()[1]}/", allow_private=["127.0.0.1/32"])
        )
        thread = threading.Thread(target=lambda: drip(server.accept()[0]))
        thread.start()
        with pytest.raises(NotNow, match="no answer within 1 s"):
            sink.send(changes(1))
        done.set()
        thread.join()
    with hook(lambda sent: (200, {}, b"x" * 10_000_000)) as server:
        hook_sink(server).send(changes(1))  # 64 kB of it are read


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "0.0.0.0", "[::]",
        "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "168.63.129.16", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.2.1", "[fe80::1]", "[fd00:ec2::254]", "[ff02::1]",
        "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
        "[fec0::1]", "[64:ff9b:1::a00:1]",
    ],
)  # fmt: skip
def test_no_webhook_goes_to_a_private_address(host):
    sink = make_sink(WebhookSink(name="hook", url=f"http://{host}:9/"))
    with pytest.raises(NotNow, match="not public; name its network in allow_private"):
        sink.send(changes(1))


@pytest.mark.parametrize("address", ["9.9.9.9", "1.1.1.1", "2620:fe::fe", "::ffff:9.9.9.9", "64:ff9b::909:909"])
def test_public_addresses_are_public(address):
    assert addresses.is_public(addresses.ipaddress.ip_address(address))


def test_only_the_networks_that_are_allowed():
    with hook() as server:
        for networks in (["10.0.0.0/8"], ["127.0.0.2/32"]):
            with pytest.raises(NotNow, match="not public"):
                hook_sink(server, allow_private=networks).send(changes(1))
        with pytest.raises(UsageError, match=r"sinks\.hook\.allow_private"):
            hook_sink(server, allow_private=["ten"])
        assert not server.seen


def test_a_name_that_changes_between_the_check_and_the_connection(monkeypatch):
    """Whatever a second look-up would say, what was checked is what is connected to."""
    looked_up = []
    real = socket.getaddrinfo

    def rebinding(host, *args, **more):
        if host != "rebound.example":
            return real(host, *args, **more)
        looked_up.append(host)
        return real("127.0.0.1" if len(looked_up) == 1 else "127.0.0.2", *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    with hook() as server:
        hook_sink(server, "rebound.example", allow_private=["127.0.0.1/32"]).send(changes(1))
        assert len(looked_up) == 1 and server.seen[0][1]["Host"] == f"rebound.example:{server.server_port}"
        with pytest.raises(NotNow, match=r"127\.0\.0\.2, which is not public"):
            hook_sink(server, "rebound.example", allow_private=["127.0.0.1/32"]).send(changes(1))


def test_https_checks_the_name(tmp_path):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", "key.pem",
         "-out", "cert.pem", "-subj", "/CN=hook", "-addext", "subjectAltName=DNS:localhost"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    ca_file = str(tmp_path / "cert.pem")
    with hook(tls=tls) as server:
        both = ["127.0.0.0/8", "::1/128"]
        hook_sink(server, "localhost", "https", ca_file=ca_file, allow_private=both).send(changes(1))
        assert server.seen[0][1]["Host"] == f"localhost:{server.server_port}"
        for host, ca in (("127.0.0.1", ca_file), ("localhost", "")):
            with pytest.raises(NotNow, match="CERTIFICATE_VERIFY_FAILED"):
                hook_sink(server, host, "https", ca_file=ca, allow_private=both).send(changes(1))
        assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"url": "ftp://ships.example/"}, "no URL of http"),
        ({"url": "https:///in"}, "no URL of http"),
        ({"url": "https://ships.example:port/"}, "url"),
        ({"url": "https://user:word@ships.example/"}, "put an Authorization"),
        ({"url": "https://ships.example/\r\nX: y"}, "no URL of http"),
        ({"url": "https://ships.example/", "headers": {"X": "a\r\nY: b"}}, "headers"),
        ({"url": "https://ships.example/", "headers": {"Host": "b"}}, "headers"),
        ({"url": "https://ships.example/", "ca_file": "/nowhere.pem"}, "ca_file /nowhere.pem"),
    ],
)
def test_a_webhook_that_cannot_be_meant(more, said):
    with pytest.raises(UsageError, match=said) as failed:
        make_sink(WebhookSink(name="hook", **more))
    assert "sinks.hook" in str(failed.value) and "word" not in str(failed.value)


def test_nobody_is_there():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(NotNow, match="refused"):
        make_sink(WebhookSink(name="h", url=f"http://127.0.0.1:{port}/", allow_private=["127.0.0.1/32"])).send(
            changes(1)
        )


def test_a_webhook_that_goes_and_comes_back_gets_all(tmp_path, monkeypatch):
    monkeypatch.setattr(webhook.Webhook, "max_batch", 10)
    with hook() as server:
        port = server.server_port
        sink = hook_sink(server)
        server.answer = lambda sent: (200 if sent[0]["seq"] < 41 else 503, {"Retry-After": "1"}, b"")
        with dispatched(tmp_path, sink, 100) as (store, dispatcher, wait_until):
            wait_until(lambda: dispatcher.failures)
            assert store.waiting("sink") == 60 and "503" in dispatcher.last_error
            server.answer = lambda sent: (200, {}, b"")
            wait_until(lambda: not store.waiting("sink"))
            assert store.sent_by("sink") == 100 and not store.dead_letters("sink") and not dispatcher.last_error
        assert server.server_port == port
    taken = [one["seq"] for _, _, body in server.seen for one in body["changes"]]
    assert sorted(set(taken)) == list(range(1, 101)) and taken[:40] == list(range(1, 41))
