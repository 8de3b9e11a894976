"""Whom the status server answers: tokens, certificates, and the addresses that it listens on."""

import base64
import contextlib
import http.client
import socket
import ssl
import subprocess

import pytest

from geo.errors import UsageError
from luxwake.daemon import http as daemon_http
from luxwake.daemon.config import HttpConfig
from luxwake.daemon.http import StatusServer
from tests.http_case import TOKEN, ask, running, send, served


@pytest.fixture(scope="module")
def port():
    with served() as port:
        yield port


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


def test_with_a_token(token_file):
    basic = base64.b64encode(f"anyone:{TOKEN}".encode()).decode()
    with served(host="0.0.0.0", token_file=str(token_file), allowed_hosts=("127.0.0.1",)) as port:
        for path in ("/", "/status", "/metrics"):
            code, _, headers = ask(port, path)
            assert code == 401 and "Bearer" in headers["WWW-Authenticate"]
            assert ask(port, path, Authorization=f"Bearer {TOKEN}")[0] == 200
            assert ask(port, path, Authorization=f"bearer {TOKEN}")[0] == 200
            assert ask(port, path, Authorization=f"Basic {basic}")[0] == 200
            for wrong in (f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", "Bearer ", "Basic %%%", f"Digest {TOKEN}", "é"):
                assert ask(port, path, Authorization=wrong)[0] == 401
        assert ask(port, "/healthz")[:2] == (200, "ok\n")
    late = running(store_writable=False)
    with served(lambda: late, token_file=str(token_file)) as port:
        assert ask(port, "/readyz")[:2] == (503, "not ready\n")
        assert ask(port, "/readyz", Authorization=f"Bearer {TOKEN}")[1] == "the store cannot be written\n"


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (TOKEN, 0o640, "chmod 0600"),
        (TOKEN, 0o604, "chmod 0600"),
        (TOKEN[:62], 0o600, "31 bytes"),
        ("QUJD" * 10, 0o600, "30 bytes"),
        ("correct horse battery staple" * 3, 0o600, "neither hexadecimal nor base64"),
        ("", 0o600, "neither hexadecimal nor base64"),
        (None, 0o600, "cannot be read"),
    ],
)
def test_a_token_that_is_none_stops_the_start(tmp_path, text, mode, said):
    path = tmp_path / "token"
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    with pytest.raises(UsageError, match=said):
        StatusServer(HttpConfig(host="0.0.0.0", token_file=str(path)), running)


def test_a_credential_of_systemd_is_read_whatever_its_mode(tmp_path, monkeypatch):
    path = tmp_path / "token"
    path.write_text(TOKEN)
    path.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    StatusServer(HttpConfig(host="0.0.0.0", token_file=str(path)), running)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "ships.example", "", "127.0.0.1.example"])
def test_others_can_reach_it_only_with_a_token_or_certificates(host):
    with pytest.raises(UsageError, match=r"http\.host is .* others can reach"):
        StatusServer(HttpConfig(host=host), running)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost"])
def test_loopback_needs_none(host):
    StatusServer(HttpConfig(host=host), running)


def test_a_port_that_is_taken(port):
    with pytest.raises(UsageError, match=rf"127\.0\.0\.1:{port}.*choose another http\.port"):
        StatusServer(HttpConfig(port=port), running).start()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A certificate for localhost and one for a client, each its own authority."""
    folder = tmp_path_factory.mktemp("tls")
    for name in ("server", "client", "other"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", f"{name}.key",
             "-out", f"{name}.pem", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost"],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
    return folder


def test_mutual_tls(certificates):
    config = {
        "host": "0.0.0.0",
        "tls_certificate": str(certificates / "server.pem"),
        "tls_key": str(certificates / "server.key"),
        "tls_client_ca": str(certificates / "client.pem"),
    }

    def status_for(client):
        context = ssl.create_default_context(cafile=certificates / "server.pem")
        if client:
            context.load_cert_chain(certificates / f"{client}.pem", certificates / f"{client}.key")
        connection = http.client.HTTPSConnection("localhost", port, timeout=20, context=context)
        connection.request("GET", "/status")
        return connection.getresponse().status

    with served(**config) as port:
        assert status_for("client") == 200
        for stranger in ("other", None):
            with pytest.raises(OSError):
                status_for(stranger)
        assert send(port, b"GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")[:8] != b"HTTP/1.1"
        assert status_for("client") == 200
    with pytest.raises(UsageError, match="tls_key is missing"):
        StatusServer(HttpConfig(tls_certificate=config["tls_certificate"]), running)
    with pytest.raises(UsageError, match="cannot be used"):
        StatusServer(HttpConfig(tls_certificate=config["tls_key"], tls_key=config["tls_key"]), running)
    with pytest.raises(UsageError, match="cannot be read"):
        StatusServer(HttpConfig(**{**config, "tls_client_ca": "/nowhere.pem"}), running)


def test_a_handshake_that_does_not_come_is_cut_off(certificates, monkeypatch):
    monkeypatch.setattr(daemon_http, "HEADER_S", 0.5)
    config = {"tls_certificate": str(certificates / "server.pem"), "tls_key": str(certificates / "server.key")}
    with served(**config) as port, socket.create_connection(("127.0.0.1", port)) as silent:
        silent.settimeout(30.0)
        with contextlib.suppress(ConnectionResetError):
            assert silent.recv(100) == b""
