"""A status server on a port of its own, and clients for it."""

import contextlib
import http.client
import socket
import time

from luxwake.daemon.config import HttpConfig
from luxwake.daemon.http import StatusServer
from luxwake.daemon.status import Held, SinkStatus, SourceStatus, Status, rss_bytes

TOKEN = "0123456789abcdef" * 4
EVIL = '<script src=//a.bc></script>"\n\\ & \x1b[2J'


def running(**more):
    now = time.time_ns() // 1000
    return Status(
        t=now,
        t_started=now - 90_000_000,
        phase="running",
        version="0.0",
        sources=[
            SourceStatus(
                "feed",
                "udp",
                state=f"hears {EVIL}",
                connected=True,
                received_bytes=5000,
                heard=11,
                decoded=7,
                joined=1,
                unused={"time out of range (not believed)": 6},
                rejected={EVIL: 3, "checksum": 2},
                dropped_bytes={"queue full": 11},
                lag_s=0.5,
                t_last=now,
            ),
            SourceStatus("aisstream", "websocket", lag_s=float("nan")),
        ],
        sinks=[SinkStatus("alerts", "webhook", queued=4, sent=9, dead_letters=1, last_error=EVIL)],
        held={"vessels": Held(5, 262_144)},
        left_out={"impossible jump": 2},
        changes={"dark": 3},
        rss_bytes=rss_bytes(),
        **more,
    )


@contextlib.contextmanager
def served(status=None, **config):
    server = StatusServer(HttpConfig(port=0, **config), status or running)
    port = server.start()
    try:
        yield port
    finally:
        server.close()


def ask(port, path="/", method="GET", host="127.0.0.1", **headers):
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.headers
    finally:
        connection.close()


def send(port, data, timeout=20.0):
    """What comes back for these bytes, until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        parts = []
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65_536):
                parts.append(part)
    return b"".join(parts)


def status_of(answer):
    return int(answer.split(b" ", 2)[1])
