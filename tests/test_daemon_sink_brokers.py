"""Sinks that are brokers, which are really there."""

import contextlib
import json
import threading
import time

import pytest

from geo.errors import UsageError
from luxwake.daemon.config import (
    KafkaSink,
    MqttSink,
    NatsSink,
)
from luxwake.daemon.sink import NotNow, Refused
from luxwake.daemon.sinks import make_sink
from tests.sinks_case import broker, change, changes, dispatched, free_port


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
        make_sink(NatsSink(name="alarms", url=url, subject="ships.alarms")).send(
            [change(1)]
        )  # of another sink, no copy
        assert asyncio.run(kept(1)) == [("ships.alarms", 1)]
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
    with pytest.raises(Refused, match="change 5") as refused:
        sink.send([change(4), change(5, name="x" * 200_000)])
    assert refused.value.taken == 1
    sink.send(changes(6))
    sink.close()
    reader = kafka.Consumer({"bootstrap.servers": brokers, "group.id": "test", "auto.offset.reset": "earliest"})
    reader.subscribe(["ships"])
    seen = []
    for _ in range(100):
        if {1, 2, 3, 4, 6} <= set(seen):
            break
        message = reader.poll(0.5)
        if message is not None and message.error() is None:
            seen.append(json.loads(message.value())["seq"])
            assert message.key() == change(seen[-1]).event_id.encode()
    reader.close()
    assert set(seen) == {1, 2, 3, 4, 6}  # in the order of each event; a topic has several partitions


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


def test_an_mqtt_broker_that_is_not_there_is_waited_for():
    pytest.importorskip("paho.mqtt", reason="paho-mqtt is not installed")
    sink = make_sink(MqttSink(name="m", url=f"mqtt://127.0.0.1:{free_port()}", topic="ships"))
    with pytest.raises(NotNow, match="refused") as failed:
        sink.send(changes(1, 2))
    assert failed.value.taken == 0
