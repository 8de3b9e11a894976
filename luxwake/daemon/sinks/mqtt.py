"""Changes to an MQTT broker, QoS 1: each batch by a connection of its own, which ends when all are acknowledged."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from geo.errors import UsageError
from luxwake.daemon.config import MqttSink
from luxwake.daemon.sink import Change, NotNow, Refused, Sink
from luxwake.daemon.sinks.libraries import needs
from luxwake.daemon.sinks.topics import check_topic, topic_of

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessageInfo

DEADLINE_S = 10.0
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_NEVER = (0x90, 0x95, 0x99)
"""Reason codes of MQTT 5 for what no repetition mends: topic name, size, form of the payload."""


class Mqtt(Sink):
    """Topics of a broker that speaks MQTT 5: of the older protocol a broker can refuse a message without saying so."""

    def __init__(self, config: MqttSink) -> None:
        place = f"sinks.{config.name}"
        needs("paho.mqtt", "paho-mqtt", "mqtt", place)
        try:
            self._url = urlsplit(config.url)
            port = self._url.port
        except ValueError:
            self._url, port = urlsplit(""), 0
        if self._url.scheme not in _PORTS or not self._url.hostname or port == 0 or self._url.path.strip("/"):
            raise UsageError(f"{place}.url is not one of MQTT; write mqtt://host:1883 or mqtts://host:8883")
        self._host, self._port = self._url.hostname, port or _PORTS[self._url.scheme]
        self._topic = config.topic
        check_topic(config.topic, "+#", f"{place}.topic")

    def send(self, changes: Sequence[Change]) -> str:
        """Publish a message for each, its `body`."""
        talk = _Talk(time.monotonic() + DEADLINE_S)
        sent: list[MQTTMessageInfo] = []
        client = self._client(talk)
        try:
            client.connect(self._host, self._port, keepalive=30)
            client.loop_start()
            talk.wait(lambda: talk.is_connected)
            sent += [client.publish(topic_of(self._topic, change), change.body.encode(), qos=1) for change in changes]
            talk.wait(lambda: all(one.mid in talk.answers for one in sent))
        except (OSError, ValueError) as error:
            taken = talk.taken([one.mid for one in sent])
            raise NotNow(f"{self._host}: {getattr(error, 'strerror', None) or error}", taken=taken) from None
        finally:
            client.disconnect()
            client.loop_stop()
        taken = talk.taken([one.mid for one in sent])
        if taken < len(sent):
            code, why = talk.answers[sent[taken].mid]
            failed = Refused if code in _NEVER else NotNow
            raise failed(f"{self._host}: {why}, of change {changes[taken].seq}", taken=taken)
        return ""

    def _client(self, talk: _Talk) -> Client:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.connect_timeout = DEADLINE_S / 2
        client.max_inflight_messages_set(self.max_batch)
        if self._url.username is not None:
            client.username_pw_set(unquote(self._url.username), unquote(self._url.password or ""))
        if self._url.scheme == "mqtts":
            client.tls_set()
        client.on_connect, client.on_publish, client.on_disconnect = talk.connected, talk.published, talk.disconnected
        return client


class _Talk:
    """What the broker has said, from the thread of the library to that of the sink."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._changed = threading.Condition()
        self.is_connected = False
        self.failed = ""
        self.answers: dict[int, tuple[int, str]] = {}

    def connected(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        with self._changed:
            self.is_connected = not reason.is_failure
            self.failed = str(reason) if reason.is_failure else ""
            self._changed.notify_all()

    def published(self, client: Any, data: Any, mid: int, reason: Any, properties: Any) -> None:
        with self._changed:
            self.answers[mid] = (int(reason.value), str(reason))
            self._changed.notify_all()

    def disconnected(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        with self._changed:
            self.failed = self.failed or f"disconnected: {reason}"
            self._changed.notify_all()

    def taken(self, sent: Sequence[int]) -> int:
        """How many of these, from the first on, the broker has said that it has."""
        with self._changed:
            lacking = (n for n, mid in enumerate(sent) if self.answers.get(mid, (0x80, ""))[0] >= 0x80)
            return next(lacking, len(sent))

    def wait(self, until: Any) -> None:
        """Wait for something; OSError where the connection failed, or the deadline has come."""
        with self._changed:
            done = self._changed.wait_for(lambda: until() or self.failed, max(0.0, self._deadline - time.monotonic()))
            if self.failed and not until():
                raise ConnectionError(self.failed)
            if not done:
                raise TimeoutError(f"no answer within {DEADLINE_S:g} s")
