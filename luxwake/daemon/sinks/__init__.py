"""Where changes go: a file for each kind of sink, and `make_sink`, which makes one from its configuration."""

from __future__ import annotations

from luxwake.daemon.config import (
    AnySink,
    CsvSink,
    JsonLinesSink,
    KafkaSink,
    MqttSink,
    NatsSink,
    SyslogSink,
    WebhookSink,
)
from luxwake.daemon.sink import Sink


def make_sink(config: AnySink) -> Sink:
    """The sink of a configuration; nothing is opened or connected before `start` and `send`.

    Raises UsageError for an address, a topic or an option that cannot be meant, and for a library that is not there.

    >>> type(make_sink(JsonLinesSink(name="log", path="events.jsonl"))).__name__
    'JsonLines'
    """
    match config:
        case JsonLinesSink():
            from luxwake.daemon.sinks.files import JsonLines

            return JsonLines(config.path)
        case CsvSink():
            from luxwake.daemon.sinks.files import Csv

            return Csv(config.path)
        case WebhookSink():
            from luxwake.daemon.sinks.webhook import Webhook

            return Webhook(config)
        case MqttSink():
            from luxwake.daemon.sinks.mqtt import Mqtt

            return Mqtt(config)
        case NatsSink():
            from luxwake.daemon.sinks.nats import Nats

            return Nats(config)
        case KafkaSink():
            from luxwake.daemon.sinks.kafka import Kafka

            return Kafka(config)
        case SyslogSink():
            from luxwake.daemon.sinks.syslog import Syslog

            return Syslog(config)
