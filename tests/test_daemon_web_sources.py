"""Sources by HTTP and WebSocket, against servers of the test on loopback."""

import contextlib
import functools
import http.server
import json
import shutil
import ssl
import subprocess
import threading
import time

import pytest
from source_run import Running, free_port, lines_of

from geo.errors import UsageError
from luxwake.daemon.config import HttpSource, WebSocketSource
from luxwake.daemon.intake import Intake
from luxwake.daemon.sources import make_source


class Pages(http.server.BaseHTTPRequestHandler):
    """`/stream` goes on until the test says so; `/chunked` the same in chunks; `/short` ends at once."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", "/stream")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        if self.path == "/short":
            self.send_header("Content-Length", "8")
            self.end_headers()
            self.wfile.write(b"one\ntwo\n")
            return
        chunked = self.path == "/chunked"
        self.send_header(*("Transfer-Encoding", "chunked") if chunked else ("Connection", "close"))
        self.end_headers()
        for line in lines_of(500):
            self.wfile.write(b"%x\r\n%s\n\r\n" % (len(line) + 1, line) if chunked else line + b"\n")
        self.server.ends.wait(30)
        self.close_connection = True


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that signs itself, and its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", path, "-out", path.with_suffix(".crt"), "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*map(str, command)], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@pytest.fixture
def pages():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        server.daemon_threads = True
        server.seen, server.ends = [], threading.Event()
        server.handle_error = lambda *_: None
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        yield server
        server.ends.set()
        server.shutdown()
        serving.join()


def source_of(pages, path, **more):
    return HttpSource(name="a", url=f"http://127.0.0.1:{pages.server_port}{path}", **more)


@pytest.mark.parametrize("path", ["/stream", "/chunked"])
def test_a_response_that_goes_on_is_read_as_it_comes(pages, path):
    with Running(source_of(pages, path, headers={"Authorization": "Bearer abc"})) as run:
        run.until_lines(500)
        assert run.lines == lines_of(500)
        assert pages.seen[0][1]["Authorization"] == "Bearer abc"
        assert run.end() < 0.5


def test_a_response_that_has_ended_is_asked_for_again(pages):
    with Running(source_of(pages, "/short")) as run:
        run.until_lines(4)
        assert run.lines[:4] == [b"one", b"two"] * 2 and run.source.connections == 2


def test_a_redirect_is_not_followed(pages):
    with Running(source_of(pages, "/moved?a=b")) as run:
        run.until(lambda: "answers 302 Found, see /stream" in run.source.state)
        assert pages.seen[0][0] == "/moved?a=b"


def test_a_response_that_brings_nothing_is_asked_for_again(pages):
    with Running(source_of(pages, "/stream", watchdog_s=0.3)) as run:
        run.until(lambda: "nothing decoded" in run.source.state)
        run.until(lambda: run.source.connections == 2)


def tls_of(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_must_be_trusted(pages, certificate, trusted, monkeypatch):
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    pages.socket = tls_of(certificate).wrap_socket(pages.socket, server_side=True)
    with Running(HttpSource(name="a", url=f"https://127.0.0.1:{pages.server_port}/chunked")) as run:
        if trusted:
            run.until_lines(500)
            assert run.lines == lines_of(500) and run.end() < 0.5
        else:
            run.until(lambda: "certificate verify failed" in run.source.state)


def test_messages_of_a_websocket_over_tls(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Messages(["one", "two"], tls_of(certificate)) as server:
        source = WebSocketSource(name="a", url=f"wss://127.0.0.1:{server.port}", subscribe="x")
        with Running(source) as run:
            run.until_lines(2)
            assert run.end() < 0.5


class Messages:
    """A WebSocket server that sends a list of messages to each caller, and keeps the connection or closes it."""

    def __init__(self, messages, tls=None, closes=False):
        pytest.importorskip("websockets")
        from websockets.sync.server import serve

        self.messages, self.heard, self.port = messages, [], free_port()
        self.closes, self.closed = closes, threading.Event()
        self._ends = threading.Event()
        self._server = serve(self._send, "127.0.0.1", self.port, ssl=tls)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def _send(self, connection):
        with contextlib.suppress(Exception):
            self.heard.append(connection.recv(timeout=5))
            for message in self.messages:
                connection.send(message)
            if self.closes:
                connection.close()
                self.closed.set()
            else:
                self._ends.wait(30)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._server.shutdown()
        self._thread.join()


def test_messages_of_a_websocket_come_as_lines():
    objects = [{"n": k, "text": "line\nend"} for k in range(1000)]
    texts = [json.dumps(made, indent=2 if made["n"] % 3 == 0 else None) for made in objects]
    with Messages([text if k % 2 else text.encode() for k, text in enumerate(texts)]) as server:
        source = WebSocketSource(name="a", url=f"ws://127.0.0.1:{server.port}/v0", subscribe='{"APIKey":"abc"}')
        with Running(source) as run:
            run.until_lines(1000)
            assert [json.loads(line) for line in run.lines] == objects
            assert run.units == run.intake.received_units == 1000
            assert server.heard == ['{"APIKey":"abc"}']
            assert run.end() < 0.5


def test_what_came_before_a_websocket_was_closed_is_not_lost():
    """The first two messages are chunks of their own, so that the others are received after the end."""
    texts = [b"1" * 300_000, b"2" * 300_000, b"3", b"4"]
    with Messages(texts, closes=True) as server:
        source = WebSocketSource(name="a", url=f"ws://127.0.0.1:{server.port}", subscribe="x")
        with Running(source, max_bytes=1) as run:
            run.taking = False
            run.until(server.closed.is_set)
            run.taking = True
            run.until_lines(4)
            assert run.lines[:4] == texts


def test_a_websocket_is_kept_while_the_queue_is_full(monkeypatch):
    """The answers of the server to our pings stand behind its messages, which wait."""
    client = pytest.importorskip("websockets.sync.client")
    monkeypatch.setattr(client, "connect", functools.partial(client.connect, ping_interval=0.05, ping_timeout=0.05))
    with Messages([b"%d" % k for k in range(2000)]) as server:
        source = WebSocketSource(name="a", url=f"ws://127.0.0.1:{server.port}", subscribe="x")
        with Running(source, max_bytes=1) as run:
            run.taking = False
            run.until(lambda: run.intake.waiting_bytes)
            time.sleep(0.5)
            run.taking = True
            run.until_lines(2000)
            assert run.source.connected and run.source.connections == 1


def test_a_websocket_that_brings_nothing_is_connected_anew():
    with Messages([]) as server:
        source = WebSocketSource(name="a", url=f"ws://127.0.0.1:{server.port}", subscribe="x", watchdog_s=0.3)
        with Running(source) as run:
            run.until(lambda: "nothing decoded" in run.source.state)
            run.until(lambda: run.source.connections == 2)


def test_a_server_that_speaks_no_websocket_is_said(pages):
    with Running(WebSocketSource(name="a", url=f"ws://127.0.0.1:{pages.server_port}/short")) as run:
        run.until(lambda: run.source.state.startswith("waits"))
        assert "200" in run.source.state


@pytest.mark.parametrize(
    ("config", "what"),
    [
        (HttpSource(name="a", url="ftp://host/x"), "url is 'ftp://host/x'; it must be http://host or https://host"),
        (HttpSource(name="a", url="http://"), "must be http"),
        (WebSocketSource(name="a", url="ws://host:99999"), "must be ws"),
    ],
)
def test_a_url_that_cannot_be_meant_is_refused(config, what):
    with pytest.raises(UsageError, match=what):
        make_source(config, Intake(0, 1 << 20))
