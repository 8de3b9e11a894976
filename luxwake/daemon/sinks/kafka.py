"""Changes to Kafka: keyed by the event, so that those of one event stay in order, acknowledged by all replicas."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from geo.errors import UsageError
from luxwake.daemon.config import KafkaSink
from luxwake.daemon.sink import Change, NotNow, Refused, Sink
from luxwake.daemon.sinks.libraries import needs
from luxwake.daemon.sinks.topics import check_topic

if TYPE_CHECKING:
    from confluent_kafka import Producer

DEADLINE_S = 10.0
_LOG = logging.getLogger(__name__)


class Kafka(Sink):
    """A topic of Kafka, by librdkafka; `options` are its own names and win over ours, such as `security.protocol`."""

    def __init__(self, config: KafkaSink) -> None:
        self._place = f"sinks.{config.name}"
        needs("confluent_kafka", "confluent-kafka", "kafka", self._place)
        check_topic(config.topic, "{}/ ", f"{self._place}.topic")
        self._topic = config.topic
        self._options = {
            "bootstrap.servers": config.brokers,
            "client.id": "luxwake",
            "enable.idempotence": "true",
            "delivery.timeout.ms": str(int(1000 * DEADLINE_S)),
            **config.options,
        }
        self._producer: Producer | None = None

    def start(self, mark: str) -> str:
        """Make the producer; UsageError for options that librdkafka does not take."""
        self._producer = self._new()
        return mark

    def _new(self) -> Producer:
        from confluent_kafka import KafkaException, Producer

        try:
            return Producer(self._options, logger=_LOG)
        except KafkaException as error:
            raise UsageError(
                f"{self._place}.options: {error.args[0].str()}; see librdkafka's CONFIGURATION.md"
            ) from None

    def send(self, changes: Sequence[Change]) -> str:
        """Produce a message for each, its `body`."""
        from confluent_kafka import KafkaException

        if self._producer is None:
            self._producer = self._new()
        said: dict[int, Any] = {}
        """Of each that was answered what went wrong, or None."""
        own = False

        def told(seq: int, error: Any) -> None:
            said[seq] = error

        for change in changes:
            try:
                self._producer.produce(
                    self._topic,
                    change.body.encode(),
                    change.event_id.encode(),
                    on_delivery=lambda error, message, seq=change.seq: told(seq, error),
                )
            except KafkaException as error:
                told(change.seq, error.args[0])
                own = True
                break
            except BufferError:  # what is on its way goes first
                break
        self._producer.flush(DEADLINE_S + 2.0)
        taken = next((n for n, one in enumerate(changes) if said.get(one.seq, "no answer") is not None), len(changes))
        self.done(taken)
        if taken == len(changes):
            return ""
        wrong = said.get(changes[taken].seq)
        why = f"{wrong.str() if wrong else 'no answer'}, of change {changes[taken].seq}"
        if wrong and _is_final(wrong):
            if len(changes) == 1 or (own and changes[taken].seq == max(said)):  # the library refused this one itself
                self.done(1)
                raise Refused(f"Kafka: {why}", taken=taken)
            self.part(len(changes) - taken)  # a broker refuses all that came in one batch
        self.close()  # what is on its way is forgotten
        raise NotNow(f"Kafka: {why}", taken=taken)

    def close(self) -> None:
        """Let go of the producer and of what it has not delivered."""
        if self._producer is not None:
            self._producer.purge()
            self._producer = None


def _is_final(error: Any) -> bool:
    """Whether no repetition mends it."""
    from confluent_kafka import KafkaError

    return error.code() in (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.INVALID_RECORD)
