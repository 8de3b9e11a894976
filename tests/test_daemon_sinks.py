"""Sinks: files that are cut to their mark, webhooks that go nowhere private, and brokers that are really there."""

import contextlib
import csv
import http.server
import json
import math
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InputError, LuxwakeError, OutputError, UsageError
from luxwake.daemon.config import (
    CsvSink,
    JsonLinesSink,
    KafkaSink,
    MqttSink,
    NatsSink,
    SyslogSink,
    WebhookSink,
)
from luxwake.daemon.matching import Filter, read_vessels
from luxwake.daemon.outbox import Dispatcher
from luxwake.daemon.sink import Change, NotNow, Refused
from luxwake.daemon.sinks import addresses, make_sink, webhook
from luxwake.daemon.store import Store


def change(seq, kind="dark", told="opened", mmsi=671999101, name="SEA LARK 5", **more):
    values = {"other": 0, "lat": 35.0, "lon": 129.0, "score": 0.9, **more}
    body = json.dumps({"seq": seq, "kind": kind, "change": told, "mmsi": mmsi, "name": name}, ensure_ascii=False)
    return Change(seq, f"{seq:016x}", 1, told, kind, mmsi, body=body, **values)


def changes(*seqs):
    return [change(seq) for seq in seqs]


# Files


@pytest.fixture(params=[JsonLinesSink, CsvSink], ids=["jsonl", "csv"])
def growing(request, tmp_path):
    path = tmp_path / "events"

    def sink(mark=""):
        made = make_sink(request.param(name="file", path=str(path)))
        made.start(mark)
        return made

    def seqs():
        with open(path, encoding="utf-8", newline="") as file:
            if request.param is CsvSink:
                return [int(row["seq"]) for row in csv.DictReader(file)]
            return [json.loads(line)["seq"] for line in file]

    return path, sink, seqs


def test_a_file_grows(growing):
    _, new, seqs = growing
    sink = new()
    mark = sink.send(changes(1, 2))
    mark = sink.send(changes(3))
    sink.close()
    sink = new(mark)
    sink.send(changes(4))
    assert seqs() == [1, 2, 3, 4]


@given(cut=st.integers(0, 400))
def test_whatever_came_after_the_mark_is_written_once(cut, tmp_path_factory):
    path = tmp_path_factory.mktemp("once") / "events.jsonl"
    sink = make_sink(JsonLinesSink(name="file", path=str(path)))
    sink.start("")
    mark = sink.send(changes(1, 2))
    size = path.stat().st_size
    sink.send(changes(3, 4))  # killed before the mark was kept, and perhaps before all was on the disk
    os.truncate(path, max(size, path.stat().st_size - cut))
    again = make_sink(JsonLinesSink(name="file", path=str(path)))
    again.start(mark)
    again.send(changes(3, 4))
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == [1, 2, 3, 4]


def test_rotation(growing):
    path, new, seqs = growing
    sink = new()
    mark = sink.send(changes(1))
    path.rename(path.with_suffix(".1"))
    sink.send(changes(2))  # still the old one, which has been moved
    begun = sink.reopen(mark)
    assert path.stat().st_size == 0
    sink.send(changes(3))
    sink.close()
    sink = new(begun)  # killed before the mark of what was sent was kept
    newer = sink.send(changes(3))
    assert seqs() == [3]
    sink.close()
    path.write_bytes(path.read_bytes() + b'{"torn')
    sink = new(newer)
    sink.send(changes(4))
    assert seqs() == [3, 4]
    sink.close()
    sink = new(mark)  # of another file: nothing whole is cut from this one
    assert seqs() == [3, 4]
    sink.close()
    path.write_bytes(path.read_bytes() + b'{"torn')
    new(mark).send(changes(5))
    assert seqs() == [3, 4, 5]


def test_a_file_that_was_emptied_by_hand(growing):
    path, new, seqs = growing
    sink = new()
    mark = sink.send(changes(1, 2))
    os.truncate(path, 0)
    sink.close()
    new(mark).send(changes(3))
    assert seqs() == [3]


def test_a_folder_that_is_not_there(growing):
    path, new, _ = growing
    path.parent.rmdir()
    with pytest.raises(OutputError, match="events: cannot be written"):
        new()


def test_a_full_disk_leaves_no_half_line(growing):
    path, new, seqs = growing
    sink = new()
    sink.send(changes(1))
    size = path.stat().st_size
    import resource
    import signal

    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 30, old[1]))
    try:
        with pytest.raises(NotNow, match="File too large"):
            sink.send(changes(2, 3))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.stat().st_size == size
    sink.send(changes(2, 3))
    assert seqs() == [1, 2, 3]


@pytest.mark.parametrize("name", ["=1+1", '=HYPERLINK("A.BC")', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", " =1"])
def test_no_spreadsheet_takes_a_name_for_a_formula(tmp_path, name):
    path = tmp_path / "events.csv"
    sink = make_sink(CsvSink(name="file", path=str(path)))
    sink.start("")
    sink.send([change(1, name=name, lat=-35.5, lon=-129.0, score=math.nan)])
    with path.open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    assert row["name"].startswith("'") or row["name"].lstrip(" ")[:1] not in ("=", "+", "-", "@", "\t", "\r")
    assert row["lat"] == "-35.5" and row["score"] == "" and row["other"] == "" and row["t_start"] == ""


# Webhooks


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
        sink, waiting, dead = hook_sink(server), changes(1, 2, 3, 4, 5), []
        for _ in range(20):
            if not waiting:
                break
            batch = waiting[: sink.max_batch]
            try:
                sink.send(batch)
            except NotNow:
                continue
            except Refused as refused:
                dead.append((batch[0].seq, str(refused)))
                batch = batch[:1]
            waiting = waiting[len(batch) :]
    taken = [one["seq"] for _, _, body in server.seen for one in body["changes"] if len(body["changes"]) == 1]
    assert not waiting and [seq for seq, _ in dead] == [3] and str(status) in dead[0][1]
    assert {1, 2, 4, 5} <= {*taken, *(one["seq"] for one in server.seen[-1][2]["changes"])}


def test_an_answer_that_drips_or_does_not_end(monkeypatch):
    monkeypatch.setattr(webhook, "DEADLINE_S", 1.0)
    done = threading.Event()

    def drip(connection):
        with contextlib.suppress(OSError), connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not done.wait(0.2):
                connection.sendall(b"X: y\r\n")

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
        ({"url": "ftp://ships.example/"}, "not a URL of http"),
        ({"url": "https:///in"}, "not a URL of http"),
        ({"url": "https://ships.example:port/"}, "url"),
        ({"url": "https://user:word@ships.example/"}, "put an Authorization"),
        ({"url": "https://ships.example/\r\nX: y"}, "not a URL of http"),
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


# Syslog


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
            with pytest.raises(Refused, match="too many for a datagram"):
                sink.send([change(3, name="x" * 70_000)])
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


# Brokers


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@contextlib.contextmanager
def broker(command, *arguments, port):
    path = shutil.which(command) or shutil.which(command, path="/usr/sbin")
    if path is None:
        pytest.skip(f"{command} is not installed")
    process = subprocess.Popen([path, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def mosquitto(folder, port, more=""):
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n{more}")
    with broker("mosquitto", "-c", str(config), port=port):
        yield


def test_mqtt_gets_each_change_under_its_topic(tmp_path):
    client_of = pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
    port, got = free_port(), []
    with mosquitto(tmp_path, port):
        heard = client_of.Client(client_of.CallbackAPIVersion.VERSION2)
        heard.on_message = lambda client, data, message: got.append((message.topic, json.loads(message.payload)["seq"]))
        subscribed = threading.Event()
        heard.on_subscribe = lambda *args: subscribed.set()
        heard.connect("127.0.0.1", port)
        heard.loop_start()
        heard.subscribe("ships/#", qos=1)
        assert subscribed.wait(10)
        sink = make_sink(MqttSink(name="m", url=f"mqtt://127.0.0.1:{port}", topic="ships/{kind}/{mmsi}"))
        sink.send([change(1), change(2, "gap"), *changes(*range(3, 101))])
        for _ in range(200):
            if len(got) == 100:
                break
            time.sleep(0.05)
        heard.disconnect()
        heard.loop_stop()
    assert got[:2] == [("ships/dark/671999101", 1), ("ships/gap/671999101", 2)]
    assert [seq for _, seq in got] == list(range(1, 101))
    with pytest.raises(NotNow, match="refused"):
        sink.send(changes(1))
    with mosquitto(tmp_path, port):
        sink.send(changes(1))


def test_mqtt_that_refuses(tmp_path):
    pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed")
    port = free_port()
    (tmp_path / "acl").write_text("topic read $SYS/#\n")
    with mosquitto(tmp_path, port, f"acl_file {tmp_path / 'acl'}\n"), pytest.raises(NotNow, match="Not authorized"):
        make_sink(MqttSink(name="m", url=f"mqtt://127.0.0.1:{port}", topic="ships")).send(changes(1))
    (tmp_path / "users").touch()
    sink = make_sink(MqttSink(name="m", url=f"mqtt://me:wrong@127.0.0.1:{port}", topic="ships"))
    with mosquitto(tmp_path, port, f"password_file {tmp_path / 'users'}\n"), pytest.raises(NotNow, match="authorized"):
        sink.send(changes(1))


def nats_server(folder, port):
    return broker("nats-server", "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder), port=port)


def test_nats_with_and_without_a_stream(tmp_path):
    nats = pytest.importorskip("nats", reason="nats-py is not installed")
    import asyncio

    port = free_port()
    url = f"nats://127.0.0.1:{port}"

    async def stream():
        client = await nats.connect(url)
        await client.jetstream().add_stream(name="ships", subjects=["ships.>"])
        await client.close()

    async def kept(number):
        client = await nats.connect(url)
        messages = await (await client.jetstream().pull_subscribe("ships.>", "test")).fetch(number, timeout=5)
        found = [(one.subject, json.loads(one.data)["seq"]) for one in messages]
        for one in messages:
            await one.ack()
        await client.close()
        return found

    async def heard(send):
        client = await nats.connect(url)
        listening = await client.subscribe("free")
        await client.flush()
        await asyncio.to_thread(send)
        found = json.loads((await listening.next_msg(timeout=5)).data)["seq"]
        await client.close()
        return found

    sink = make_sink(NatsSink(name="n", url=url, subject="ships.{kind}"))
    with nats_server(tmp_path, port):
        asyncio.run(stream())
        sink.send([change(1), change(2, "gap")])
        sink.send([change(1), change(2, "gap")])  # copies, which the stream knows by their ids
        assert asyncio.run(kept(2)) == [("ships.dark", 1), ("ships.gap", 2)]
        free = make_sink(NatsSink(name="n", url=url, subject="free"))
        assert asyncio.run(heard(lambda: free.send(changes(7)))) == 7
        with pytest.raises(Refused, match="payload"):
            sink.send([change(3, name="x" * 2_000_000)])
    with pytest.raises(NotNow):
        sink.send(changes(4))
    with nats_server(tmp_path, port):
        sink.send(changes(4))
        assert asyncio.run(kept(1)) == [("ships.dark", 4)]


def test_kafka():
    kafka = pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")
    cluster = kafka.Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "unused"})
    at = next(iter(cluster.list_topics(timeout=30).brokers.values()))
    brokers = f"{at.host}:{at.port}"
    sink = make_sink(KafkaSink(name="k", brokers=brokers, topic="ships", options={"message.max.bytes": "100000"}))
    sink.start("")
    sink.send(changes(1, 2, 3))
    with pytest.raises(Refused, match=r"(?i:large)"):
        sink.send([change(4, name="x" * 200_000), change(5)])
    with pytest.raises(NotNow, match="change 5"):
        sink.send([change(4), change(5, name="x" * 200_000)])
    sink.send(changes(6))
    sink.close()
    reader = kafka.Consumer({"bootstrap.servers": brokers, "group.id": "test", "auto.offset.reset": "earliest"})
    reader.subscribe(["ships"])
    seen = []
    for _ in range(100):
        if {1, 2, 3, 6} <= set(seen):
            break
        message = reader.poll(0.5)
        if message is not None and message.error() is None:
            seen.append(json.loads(message.value())["seq"])
            assert message.key() == change(seen[-1]).event_id.encode()
    reader.close()
    assert set(seen) - {4} == {1, 2, 3, 6}  # in the order of each event; a topic has several partitions


def test_a_kafka_that_is_not_there_or_cannot_be_meant(monkeypatch):
    pytest.importorskip("confluent_kafka", reason="confluent-kafka is not installed")
    from luxwake.daemon.sinks import kafka

    monkeypatch.setattr(kafka, "DEADLINE_S", 1.0)
    sink = make_sink(KafkaSink(name="k", brokers=f"127.0.0.1:{free_port()}", topic="ships"))
    sink.start("")
    with pytest.raises(NotNow):
        sink.send(changes(1))
    with pytest.raises(UsageError, match=r"sinks\.k\.options: No such configuration property"):
        make_sink(KafkaSink(name="k", brokers="x", topic="ships", options={"no.such": "1"})).start("")


@pytest.mark.parametrize(
    "config",
    [
        MqttSink(name="m", url="http://host", topic="t"),
        MqttSink(name="m", url="mqtt://host:99999", topic="t"),
        MqttSink(name="m", url="mqtt://host", topic="ships/#"),
        MqttSink(name="m", url="mqtt://host", topic="ships/{name}"),
        MqttSink(name="m", url="mqtt://host", topic=""),
        NatsSink(name="m", url="mqtt://host", subject="t"),
        NatsSink(name="m", url="nats://host", subject="ships.>"),
        KafkaSink(name="m", brokers="host:9092", topic="ships {kind}"),
    ],
)
def test_brokers_that_cannot_be_meant(config):
    with pytest.raises(UsageError, match=r"sinks\.m\."):
        make_sink(config)


# Through the outbox


@contextlib.contextmanager
def dispatched(folder, sink, count):
    """A dispatcher that sends so many changes of a real store to a sink."""
    store = Store(folder / "store.sqlite")
    made = changes(*range(1, count + 1))
    store.commit(1, 0, made, {"sink": made}, [])
    dispatcher = Dispatcher("sink", sink, store)
    dispatcher.start()

    def wait_until(is_so):
        deadline = time.monotonic() + 60.0
        while not is_so():
            assert time.monotonic() < deadline, dispatcher.last_error
            time.sleep(0.02)

    try:
        yield store, dispatcher, wait_until
    finally:
        dispatcher.end()
        dispatcher.join(30.0)
        store.close()


def test_a_webhook_that_goes_and_comes_back_gets_all(tmp_path):
    with hook() as server:
        port = server.server_port
        sink = hook_sink(server)
        sink._most = sink.max_batch = 10
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


def test_a_broker_that_is_killed_and_comes_back_gets_all_once(tmp_path):
    nats = pytest.importorskip("nats", reason="nats-py is not installed")
    import asyncio

    port, count = free_port(), 2000
    url = f"nats://127.0.0.1:{port}"

    async def with_client(work):
        client = await nats.connect(url)
        try:
            return await work(client.jetstream())
        finally:
            await client.close()

    async def kept(stream):
        found = []
        subscription = await stream.pull_subscribe("ships.>", "test")
        while len(found) < (await stream.stream_info("ships")).state.messages:
            for one in await subscription.fetch(100, timeout=10):
                found.append(json.loads(one.data)["seq"])
                await one.ack()
        return found

    sink = make_sink(NatsSink(name="n", url=url, subject="ships.{kind}"))
    with nats_server(tmp_path / "js", port) as process:
        asyncio.run(with_client(lambda stream: stream.add_stream(name="ships", subjects=["ships.>"])))
        with dispatched(tmp_path, sink, count) as (store, dispatcher, wait_until):
            wait_until(lambda: store.sent_by("sink"))
            process.kill()
            process.wait()
            wait_until(lambda: dispatcher.failures or not store.waiting("sink"))
            with nats_server(tmp_path / "js", port):
                wait_until(lambda: not store.waiting("sink"))
                assert asyncio.run(with_client(kept)) == list(range(1, count + 1))


# Filters


def test_filters(tmp_path):
    ships, area = tmp_path / "ships.csv", tmp_path / "area.geojson"
    ships.write_text('name,MMSI\nSea Lark,671999101\n\n# gone\n"Gull, Great",671999102\n')
    corners = [[128, 34], [130, 34], [130, 36], [128, 36], [128, 34]]
    area.write_text(json.dumps({"type": "Polygon", "coordinates": [corners]}))
    plain = SyslogSink(name="s")
    assert Filter(plain).wants(change(1))
    watched = Filter(SyslogSink(name="s", vessels=str(ships)))
    assert watched.wants(change(1)) and watched.wants(change(1, mmsi=671999109, other=671999102))
    assert not watched.wants(change(1, mmsi=671999109)) and not watched.wants(change(1, mmsi=671999109, other=1))
    inside = Filter(SyslogSink(name="s", areas=str(area)))
    assert inside.wants(change(1)) and not inside.wants(change(1, lat=33.0))
    assert not inside.wants(change(1, lat=math.nan, lon=math.nan))
    some = Filter(SyslogSink(name="s", kinds=["dark", "gap"], changes=["opened", "retracted"], min_score=0.5))
    assert (
        some.wants(change(1, "gap"))
        and not some.wants(change(1, "voyage"))
        and not some.wants(change(1, told="closed"))
    )
    assert not some.wants(change(1, score=0.4)) and not some.wants(change(1, score=math.nan))
    assert some.wants(change(1, told="retracted", score=math.nan))
    assert not Filter(SyslogSink(name="s", vessels=str(ships))).wants(change(1, told="retracted", mmsi=671999109))


@pytest.mark.parametrize(
    ("text", "vessels"),
    [("671999101\n671999102\n", {671999101, 671999102}), ("mmsi\n671999101", {671999101}), ("﻿mmsi,a\r\n2,x\r\n", {2})],
)
def test_watch_lists(tmp_path, text, vessels):
    path = tmp_path / "ships"
    path.write_text(text, encoding="utf-8")
    assert read_vessels(path) == vessels


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no MMSI in it"),
        (b"name,imo\nx,1\n", ":1: no column mmsi"),
        (b"mmsi\n671999101\nSEA LARK\n", ":3: 'SEA LARK' is no MMSI"),
        (b"671999101\n0\n", ":2: '0' is no MMSI"),
        (b"\xff\xfe", "cannot be read"),
        ("٦٧١٩٩٩١٠١\n".encode(), "no column mmsi"),
    ],
)
def test_a_watch_list_that_is_none(tmp_path, data, said):
    path = tmp_path / "ships"
    path.write_bytes(data)
    with pytest.raises(InputError, match=said):
        read_vessels(path)


@given(st.binary(max_size=200))
def test_any_bytes_as_a_watch_list(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any-ships"
    path.write_bytes(data)
    with contextlib.suppress(LuxwakeError):
        assert all(0 < mmsi < 10**9 for mmsi in read_vessels(path))


def test_words_that_there_are_not():
    with pytest.raises(UsageError, match=r"sinks\.s\.kinds: no 'darkk'; did you mean 'dark'\?"):
        Filter(SyslogSink(name="s", kinds=["darkk"]))
    with pytest.raises(UsageError, match=r"sinks\.s\.changes: no 'x'; there are opened, updated"):
        Filter(SyslogSink(name="s", changes=["x"]))
    with pytest.raises(InputError, match=r"ships\.csv: cannot be read"):
        Filter(SyslogSink(name="s", vessels="/nowhere/ships.csv"))
