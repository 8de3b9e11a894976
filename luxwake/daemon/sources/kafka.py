"""A topic of Kafka, all partitions, from offsets of our own."""

from __future__ import annotations

import re
import time
from typing import Any

from luxwake.daemon.config import KafkaSource
from luxwake.daemon.intake import Intake
from luxwake.daemon.sources.connection import CONNECT_S, LOOK_S, Connecting, Lost
from luxwake.daemon.sources.messages import as_lines

BATCH = 1000
NEW_PARTITIONS_S = 60.0
"""How often is looked whether the topic has more partitions."""


class KafkaMessages(Connecting):
    """Assigns all partitions to itself; offsets are in the cursor and never committed to the broker.

    The cursor is the next offset of each partition: `0=17,1=42`. What the broker has thrown away before it was read is
    counted as dropped.
    """

    can_resume = True

    def __init__(self, config: KafkaSource, intake: Intake) -> None:
        super().__init__(config.name, intake, config.watchdog_s)
        self._config = config
        self._options = dict(config.options)
        self._is_json = config.format == "json"
        self._next: dict[int, int] = {}
        self._error = ""
        self._is_busy = False

    def begin(self, cursor: str) -> None:
        """Go on at these offsets."""
        if re.fullmatch(r"\d+=\d+(,\d+=\d+)*", cursor):
            self._next = {int(k): int(v) for k, _, v in (part.partition("=") for part in cursor.split(","))}

    def hear(self) -> None:
        """One consumer, which connects again by itself while brokers come and go."""
        from confluent_kafka import Consumer, KafkaException

        try:
            consumer = Consumer(
                {
                    "group.id": f"luxwake-{self._config.name}", "reconnect.backoff.max.ms": 30_000, **self._options,
                    "bootstrap.servers": self._config.brokers, "enable.auto.commit": False,
                    "enable.auto.offset.store": False, "auto.offset.reset": "error", "error_cb": self._on_error,
                    "log_level": 0,
                }
            )  # fmt: skip
        except KafkaException as error:
            raise Lost(str(error.args[0])) from None
        try:
            self._consume(consumer)
        except KafkaException as error:
            raise Lost(self._error or error.args[0].str()) from None
        finally:
            consumer.close()

    def _on_error(self, error: Any) -> None:
        """What librdkafka says of its brokers; it goes on by itself."""
        self._error = error.str()
        self.state = f"no broker answers: {self._error}"

    def _consume(self, consumer: Any) -> None:
        looked, partitions = time.monotonic(), self._assign(consumer, 0)
        self.note_connected(f"connected to {self._config.brokers}, topic {self._config.topic}, {partitions} partitions")
        while not self.stop.is_set():
            if time.monotonic() - looked > NEW_PARTITIONS_S:
                looked, partitions = time.monotonic(), self._assign(consumer, partitions)
            messages = consumer.consume(BATCH, LOOK_S if not self._is_busy else 0.02)
            self._is_busy = bool(messages)
            self._put(messages)
            if gone := [message.partition() for message in messages if _is_gone(message.error())]:
                for partition in dict.fromkeys(gone):
                    self._next[partition] = self._oldest(consumer, partition)
                self._go_on(consumer, [place.partition for place in consumer.assignment()])
            self.watch()

    def _assign(self, consumer: Any, before: int) -> int:
        """Assign the partitions of the topic where they are more than before; how many there are."""
        found = self._topic(consumer)
        if len(found) <= before:
            return before
        for partition in found:
            oldest = self._oldest(consumer, partition)
            self._next[partition] = max(oldest, self._next.get(partition, 0))
        self._go_on(consumer, found)
        return len(found)

    def _go_on(self, consumer: Any, partitions: list[int]) -> None:
        """Read these partitions from our offsets."""
        from confluent_kafka import TopicPartition

        topic = self._config.topic
        consumer.assign([TopicPartition(topic, partition, self._next[partition]) for partition in partitions])

    def _oldest(self, consumer: Any, partition: int) -> int:
        """The oldest offset that a partition still has; what was deleted before it was read is counted."""
        from confluent_kafka import TopicPartition

        low, _ = consumer.get_watermark_offsets(TopicPartition(self._config.topic, partition), timeout=CONNECT_S)
        if (deleted := low - self._next.get(partition, low)) > 0:
            self.intake.count_lost(deleted, reason="deleted before it was read")
        return int(low)

    def _topic(self, consumer: Any) -> list[int]:
        """The partitions of the topic; waits until a broker knows it."""
        from confluent_kafka import KafkaException

        deadline = time.monotonic() + CONNECT_S
        while not self.stop.is_set():
            try:
                about = consumer.list_topics(self._config.topic, timeout=LOOK_S).topics[self._config.topic]
            except KafkaException as error:
                self.state = f"asks {self._config.brokers}: {error.args[0].str()}"
                if time.monotonic() > deadline:
                    raise
                continue
            if about.error is None and about.partitions:
                return sorted(about.partitions)
            raise Lost(f"topic {self._config.topic!r}: {about.error}")
        return []

    def _put(self, messages: list[Any]) -> None:
        """Put messages as one chunk."""
        bodies = []
        for message in messages:
            if message.error() is not None:
                self._error = message.error().str()
                continue
            self._next[message.partition()] = message.offset() + 1
            if message.value() is not None:  # a tombstone
                bodies.append(as_lines(message.value(), self._is_json))
        if bodies:
            cursor = ",".join(f"{partition}={offset}" for partition, offset in sorted(self._next.items()))
            self.intake.put(b"".join(bodies), cursor, len(bodies))


def _is_gone(error: Any) -> bool:
    """Whether it says that what comes next is not there: it was deleted meanwhile, or the topic was made anew."""
    from confluent_kafka import KafkaError

    return error is not None and error.code() == KafkaError._AUTO_OFFSET_RESET
