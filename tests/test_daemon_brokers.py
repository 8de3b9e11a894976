"""Sources of brokers against real ones: killed and started again, the daemon too; nothing of what they hold is lost."""

import asyncio
import contextlib
import random
import signal

import pytest
from broker_run import Broker
from source_run import Running, free_port, lines_of

from luxwake.daemon.config import KafkaSource, MqttSource, NatsSource, RedisSource

BATCH = 20
"""Lines of a message."""


def messages_of(n, first=0):
    lines = lines_of(n * BATCH, first * BATCH)
    return [b"\n".join(lines[k : k + BATCH]) for k in range(0, len(lines), BATCH)]


class Mqtt:
    name = "mosquitto"
    kill = signal.SIGTERM  # it writes what it holds when it stops, and only from time to time before

    def __init__(self, port):
        self.port = port
        self.source = MqttSource(name="a", url=f"mqtt://127.0.0.1:{port}", topic="ais/#")

    def prepare(self):
        """The session is there once the source has subscribed."""
        with Running(self.source) as run:
            run.until(lambda: run.source.connections)

    def send(self, messages):
        paho = pytest.importorskip("paho.mqtt.client")
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, "sender")
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        for sent in [client.publish("ais/x", message, qos=1) for message in messages]:
            sent.wait_for_publish(30)
        client.disconnect()
        client.loop_stop()


class Nats:
    name = "nats-server"
    kill = signal.SIGKILL

    def __init__(self, port):
        self.url = f"nats://127.0.0.1:{port}"
        self.source = NatsSource(name="a", url=self.url, stream="AIS", subject="ais.>")

    def _with_stream(self, work):
        nats = pytest.importorskip("nats")

        async def run():
            client = await nats.connect(self.url)
            await work(client.jetstream())
            await client.close()

        asyncio.run(run())

    def prepare(self):
        async def make(stream):
            await stream.add_stream(name="AIS", subjects=["ais.>"])

        self._with_stream(make)

    def send(self, messages):
        async def publish(stream):
            for message in messages:
                await stream.publish("ais.x", message)

        self._with_stream(publish)


class Redis:
    name = "redis-server"
    kill = signal.SIGKILL

    def __init__(self, port):
        self.port = port
        self.source = RedisSource(name="a", url=f"redis://127.0.0.1:{port}", stream="ais")

    def prepare(self):
        pass

    def client(self):
        return pytest.importorskip("redis").Redis(port=self.port)

    def send(self, messages):
        with contextlib.closing(self.client()) as client:
            together = client.pipeline(transaction=False)
            for message in messages:
                together.xadd("ais", {"data": message})
            together.execute()


class Kafka:
    """librdkafka's mock cluster, which lives in a producer; it cannot be killed."""

    def __init__(self):
        kafka = pytest.importorskip("confluent_kafka")
        self.producer = kafka.Producer({"bootstrap.servers": "x", "test.mock.num.brokers": 1, "log_level": 0})
        brokers = self.producer.list_topics("ais", timeout=30).brokers
        address = ",".join(f"{broker.host}:{broker.port}" for broker in brokers.values())
        self.source = KafkaSource(name="a", brokers=address, topic="ais", options={"log_level": "0"})

    def send(self, messages):
        for message in messages:
            self.producer.produce("ais", message)
        assert self.producer.flush(30) == 0


BROKERS = [Mqtt, Nats, Redis]


@pytest.fixture(params=BROKERS, ids=lambda kind: kind.name)
def broker(request, tmp_path):
    with Broker(request.param.name, tmp_path) as process:
        made = request.param(process.port)
        made.process = process
        made.prepare()
        yield made


def test_messages_come_as_lines_in_their_order(broker):
    with Running(broker.source) as run:
        broker.send(messages_of(300))
        run.until_lines(300 * BATCH)
        assert run.lines == lines_of(300 * BATCH)
        assert run.units == run.intake.received_units == 300 and run.intake.dropped_units == 0
        assert all(chunk.data.endswith(b"\n") for chunk in run.chunks)
        run.until(lambda: run.source.state.startswith("connected"))
        assert run.end() < 0.5


def test_a_broker_that_is_killed_and_started_again_loses_nothing(broker):
    with Running(broker.source) as run:
        broker.send(messages_of(50))
        run.until_lines(25 * BATCH)
        broker.process.stop(broker.kill)
        run.until(lambda: run.source.state.startswith("waits"))
        broker.process.start()
        broker.send(messages_of(50, first=50))
        run.until(lambda: len(set(run.lines)) == 100 * BATCH)
        run.until(lambda: run.source.connections >= 2)
        if broker.name != "mosquitto":
            assert run.lines == lines_of(100 * BATCH)  # known by their numbers, so none came twice


def test_what_was_not_kept_when_the_daemon_died_comes_again(broker):
    with Running(broker.source) as run:
        broker.send(messages_of(30))
        run.until_lines(30 * BATCH)
        kept, cursor = run.lines, run.cursor
        run.taking = False
        broker.send(messages_of(30, first=30))
        run.until(lambda: run.intake.waiting_bytes > 0)
        run.kill()
    broker.send(messages_of(30, first=60))
    with Running(broker.source, cursor=cursor) as again:
        again.until(lambda: len(set(again.lines) | set(kept)) == 90 * BATCH, "all")
        assert set(again.lines) >= set(lines_of(60 * BATCH, first=30 * BATCH))


@pytest.mark.parametrize("seed", range(3))
def test_any_mix_of_kills_of_both_sides_loses_nothing(broker, seed):
    chance = random.Random(seed)
    sent, kept, cursor = 0, [], ""
    for _ in range(6):
        with Running(broker.source, cursor=cursor) as run:
            for _ in range(chance.randrange(1, 4)):
                n = chance.randrange(1, 30)
                broker.send(messages_of(n, first=sent))
                sent += n
                if chance.random() < 0.5:
                    run.until(lambda run=run: run.intake.received_units > 0 or run.source.state.startswith("waits"))
                    run.take()
                if chance.random() < 0.3:
                    broker.process.stop(broker.kill)
                    run.take()
                    broker.process.start()
            if chance.random() < 0.7:
                run.kill()
        kept += run.lines
        cursor = run.cursor or cursor
    with Running(broker.source, cursor=cursor) as run:
        run.until(lambda: len(set(kept) | set(run.lines)) == sent * BATCH)
        assert run.intake.dropped_units == 0
    if broker.name == "mosquitto":
        assert set(kept) | set(run.lines) == set(lines_of(sent * BATCH))
    else:
        assert kept + run.lines == lines_of(sent * BATCH)


@pytest.mark.parametrize("kind", BROKERS, ids=lambda kind: kind.name)
def test_a_broker_that_is_not_there_yet_is_awaited(kind, tmp_path):
    made = kind(free_port())
    with Running(made.source) as run:
        run.until(lambda: run.source.state.startswith("waits"))
        assert run.source.connections == 0
        assert run.end() < 0.5


def test_a_stream_of_nats_that_is_not_there_is_said(tmp_path):
    with Broker("nats-server", tmp_path) as process, Running(Nats(process.port).source) as run:
        run.until(lambda: "stream not found" in run.source.state)


def test_a_stream_of_nats_that_was_made_anew_is_read_from_its_beginning(tmp_path):
    with Broker("nats-server", tmp_path) as process:
        broker = Nats(process.port)
        broker.prepare()
        broker.send(messages_of(5))
        with Running(broker.source) as run:
            run.until_lines(5 * BATCH)

        async def remove(stream):
            await stream.delete_stream("AIS")

        broker._with_stream(remove)
        broker.prepare()
        broker.send(messages_of(2, first=10))
        with Running(broker.source, cursor=run.cursor) as again:
            again.until_lines(2 * BATCH)
            assert again.lines == lines_of(2 * BATCH, first=10 * BATCH)


@pytest.mark.parametrize(("retention", "durable"), [("workqueue", ""), ("interest", "mine"), ("limits", "mine")])
def test_streams_of_nats_that_let_go_of_what_is_acknowledged(tmp_path, retention, durable):
    with Broker("nats-server", tmp_path) as process:
        broker = Nats(process.port)
        source = NatsSource(name="a", url=broker.url, stream="AIS", subject="ais.>", durable=durable)
        held = []

        async def make(stream):
            await stream.add_stream(name="AIS", subjects=["ais.>"], retention=retention)
            if durable:
                await stream.add_consumer("AIS", durable_name=durable, ack_policy="explicit", ack_wait=1)

        async def look(stream):
            held.append((await stream.stream_info("AIS")).state.messages)

        broker._with_stream(make)
        with Running(source) as run:
            broker.send(messages_of(30))
            run.until_lines(30 * BATCH)
            kept, cursor = run.lines, run.cursor
            run.taking = False
            broker.send(messages_of(30, first=30))
            run.until(lambda: run.intake.waiting_bytes > 0)
            run.kill()
        with Running(source, cursor=cursor) as again:
            again.until(lambda: set(kept) | set(again.lines) == set(lines_of(60 * BATCH)))
            if not durable:
                assert again.lines == lines_of(30 * BATCH, first=30 * BATCH)
            if retention != "limits":  # the server lets go of what was acknowledged, so all was
                again.until(lambda: broker._with_stream(look) or held[-1] == 0)


def test_entries_of_redis_that_hold_no_lines_are_counted_and_trimming_is_said(tmp_path):
    with Broker("redis-server", tmp_path) as process:
        broker = Redis(process.port)
        with contextlib.closing(broker.client()) as client:
            broker.send(messages_of(3))
            client.xadd("ais", {"other": "x"})
            with Running(broker.source) as run:
                run.until(lambda: run.intake.received_units == 4 and run.units == 3)
                assert run.intake.dropped_units == 1 and run.lines == lines_of(3 * BATCH)
            broker.send(messages_of(5, first=3))
            client.xtrim("ais", maxlen=2, approximate=False)
            with Running(broker.source, cursor=run.cursor) as again:
                again.until_lines(2 * BATCH)
                assert again.intake.dropped_units == 3 and again.units == 2
            client.delete("ais")
            client.xadd("ais", {"data": "new"}, id="1-1")
            with Running(broker.source, cursor=again.cursor) as anew:
                anew.until(lambda: anew.lines == [b"new"])
                assert anew.intake.dropped_units == 0


def test_a_stream_of_redis_that_comes_later_is_counted_from_its_beginning(tmp_path):
    with Broker("redis-server", tmp_path) as process:
        broker = Redis(process.port)
        cursor = ""
        for first, n in ((0, 30), (30, 5)):
            with Running(broker.source, cursor=cursor) as run:
                run.until(lambda run=run: run.source.connections)
                broker.send(messages_of(n, first=first))
                run.until_lines(n * BATCH)
            cursor = run.cursor
        with contextlib.closing(broker.client()) as client:
            client.xtrim("ais", maxlen=1, approximate=False)
        with Running(broker.source, cursor=cursor) as run:
            broker.send(messages_of(1, first=35))
            run.until_lines(BATCH)
            assert run.intake.dropped_units == 0


def test_kafka_resumes_at_its_own_offsets():
    broker = Kafka()
    broker.send(messages_of(300))
    with Running(broker.source) as run:
        run.until_lines(300 * BATCH)
        assert sorted(run.lines) == sorted(lines_of(300 * BATCH)) and run.units == 300
        run.taking = False
        broker.send(messages_of(50, first=300))
        run.until(lambda: run.intake.waiting_bytes > 0)
        run.kill()
    broker.send(messages_of(50, first=350))
    with Running(broker.source, cursor=run.cursor) as again:
        again.until_lines(100 * BATCH)
        assert sorted(again.lines) == sorted(lines_of(100 * BATCH, first=300 * BATCH))
        assert again.end() < 1.0


def test_what_kafka_deletes_while_the_queue_is_full_is_counted():
    """A partition of the mock cluster holds 5 MiB."""
    broker = Kafka()
    options = {"log_level": "0", "queued.max.messages.kbytes": "1", "fetch.queue.backoff.ms": "10"}
    source = KafkaSource(name="a", brokers=broker.source.brokers, topic="ais", options=options)
    n = 150
    with Running(source, max_bytes=1) as run:
        run.until(lambda: run.source.connections)
        run.taking = False
        for k in range(n):
            broker.producer.produce("ais", b"%d %s" % (k, b"x" * 100_000), partition=0)
            if k == 0:
                broker.producer.flush(30)
                run.until(lambda: run.intake.waiting_bytes > 0)
        assert broker.producer.flush(30) == 0
        run.taking = True
        run.until(lambda: run.units + run.intake.dropped_units == n)
        assert list(run.intake.dropped) == ["deleted before it was read"] and run.source.connections == 1
        numbers = [int(line.split()[0]) for line in run.lines]
        assert numbers == sorted(numbers) and numbers[-1] == n - 1


def test_a_topic_of_kafka_that_was_made_anew_is_read_from_its_beginning():
    broker = Kafka()
    broker.send(messages_of(10))
    with Running(broker.source, cursor="0=999,1=999,2=999,3=999") as run:
        run.until_lines(10 * BATCH)
        assert sorted(run.lines) == sorted(lines_of(10 * BATCH)) and run.intake.dropped_units == 0


def test_kafka_waits_for_its_brokers():
    pytest.importorskip("confluent_kafka")
    source = KafkaSource(name="a", brokers=f"127.0.0.1:{free_port()}", topic="ais", options={"log_level": "0"})
    with Running(source) as run:
        run.until(lambda: run.source.state.startswith("asks"))
        assert run.end() < 1.0


@pytest.mark.parametrize("kind", [Nats, Redis], ids=lambda kind: kind.name)
def test_a_queue_that_is_full_makes_a_broker_wait(kind, tmp_path):
    with Broker(kind.name, tmp_path) as process:
        broker = kind(process.port)
        broker.prepare()
        with Running(broker.source, max_bytes=20_000) as run:
            run.taking = False
            broker.send(messages_of(3000))
            run.until(lambda: run.intake.waiting_bytes > 0)
            run.taking = True
            run.until_lines(3000 * BATCH)
            assert run.lines == lines_of(3000 * BATCH) and run.intake.dropped_units == 0
