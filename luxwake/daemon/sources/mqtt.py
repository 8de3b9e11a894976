"""An MQTT broker: QoS 1, in a session that the broker keeps while nobody is connected."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import unquote

from luxwake.daemon.config import MqttSource
from luxwake.daemon.intake import Intake
from luxwake.daemon.sources.connection import CONNECT_S, LOOK_S, Connecting, Lost, reach
from luxwake.daemon.sources.messages import GATHERED_BYTES, Unkept, as_lines, url_of


class MqttMessages(Connecting):
    """Subscribes; a message is acknowledged once the journal has it, and is sent again by the broker until then.

    So a message may come twice, and none is lost that the broker has queued.
    """

    can_resume = True

    def __init__(self, config: MqttSource, intake: Intake) -> None:
        super().__init__(config.name, intake, config.watchdog_s)
        self._url = url_of(config.url, config.name, ("mqtt", "mqtts"))
        self._host, self._port = self._url.hostname or "", self._url.port or (8883 if self._is_tls else 1883)
        self._topic = config.topic
        self._client_id = config.client_id or f"luxwake-{config.name}"
        self._is_json = config.format == "json"
        self._unkept = Unkept[int]()
        self._messages: list[Any] = []
        self._refusal = ""

    @property
    def _is_tls(self) -> bool:
        return self._url.scheme == "mqtts"

    def on_kept(self, cursor: str) -> None:
        """What the journal has is acknowledged by the thread of the source."""
        self._unkept.kept(cursor)

    def hear(self) -> None:
        """One connection."""
        reach(self._host, self._port, self.stop)
        client = self._client()
        self._messages, self._refusal = [], ""
        self._unkept.forget()
        try:
            client.connect(self._host, self._port)
            deadline = time.monotonic() + CONNECT_S
            while not self.stop.is_set():
                self._round(client)
                if not client.is_connected() and time.monotonic() > deadline:
                    raise Lost(f"no answer to CONNECT within {CONNECT_S:g} s")
                self.watch()
            client.disconnect()
        finally:
            if (sock := client.socket()) is not None:
                sock.close()

    def _client(self) -> Any:
        """A client with a session that is kept."""
        import paho.mqtt.client as paho
        from paho.mqtt.enums import CallbackAPIVersion

        client = paho.Client(
            CallbackAPIVersion.VERSION2, self._client_id, clean_session=False, manual_ack=True,
            protocol=paho.MQTTv311,
        )  # fmt: skip
        if self._url.username:
            client.username_pw_set(unquote(self._url.username), unquote(self._url.password or ""))
        if self._is_tls:
            client.tls_set()
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = lambda _client, _data, message: self._messages.append(message)
        return client

    def _on_connect(self, client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._refusal = f"the broker refuses: {reason}"
        else:
            client.subscribe(self._topic, qos=1)

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        if reasons and reasons[0].is_failure:
            self._refusal = f"the broker refuses the topic {self._topic!r}: {reasons[0]}"
        else:
            self.note_connected(f"connected to {self._host}:{self._port}")

    def _round(self, client: Any) -> None:
        """Take the messages that have come, put them as one chunk, and acknowledge what is kept."""
        code = client.loop(0.01 if self._unkept.waits else LOOK_S)
        size = seen = 0
        while code == 0 and len(self._messages) > seen and size < GATHERED_BYTES:
            size += sum(len(message.payload) for message in self._messages[seen:])
            seen = len(self._messages)
            code = client.loop_read()
        if self._messages:
            messages, self._messages = self._messages, []
            cursor = self._unkept.add([message.mid for message in messages if message.qos])
            data = b"".join(as_lines(message.payload, self._is_json) for message in messages)
            self.intake.put(data, cursor, len(messages))
        for mid in self._unkept.ready():
            client.ack(mid, 1)
        if self._refusal:
            raise Lost(self._refusal)
        if code:
            import paho.mqtt.client as paho

            raise Lost(paho.error_string(code).rstrip("."))
