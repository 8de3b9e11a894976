"""Lines from a response of HTTP that goes on."""

from __future__ import annotations

import http.client
import socket
import ssl

from luxwake.daemon.config import HttpSource
from luxwake.daemon.intake import Intake
from luxwake.daemon.sources.connection import CONNECT_S, Connecting, Lost, connect
from luxwake.daemon.sources.messages import url_of

READ_BYTES = 64 << 10


class HttpLines(Connecting):
    """Asks by GET, and again when the response has ended. Redirects are not followed: the status names where to."""

    def __init__(self, config: HttpSource, intake: Intake) -> None:
        super().__init__(config.name, intake, config.watchdog_s)
        url = url_of(config.url, config.name, ("http", "https"))
        self._is_tls = url.scheme == "https"
        self._host, self._port = url.hostname or "", url.port or (443 if self._is_tls else 80)
        self._target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        self._headers = dict(config.headers)

    def hear(self) -> None:
        """One response."""
        sock = connect(self._host, self._port, self.stop)
        sock.settimeout(CONNECT_S)
        with sock, self.guarded(sock):
            try:
                self._read(sock)
            except http.client.HTTPException as error:
                raise Lost(f"no whole response ({type(error).__name__})") from None

    def _read(self, sock: socket.socket) -> None:
        if self._is_tls:
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=self._host)
        with sock:
            connection = http.client.HTTPConnection(self._host, self._port)
            connection.sock = sock
            connection.request("GET", self._target, headers={"Accept-Encoding": "identity", **self._headers})
            with connection.getresponse() as response:
                if response.status != 200:
                    where = f", see {response.headers['Location']}" if 300 <= response.status < 400 else ""
                    raise Lost(f"the server answers {response.status} {response.reason}{where}")
                self.note_connected(f"connected to {self._host}:{self._port}")
                sock.settimeout(None)  # from here on the watchdog sees to it
                joint = b"\n"
                while data := response.read1(READ_BYTES):
                    if not self.intake.put(joint + data):
                        return
                    joint = b""
