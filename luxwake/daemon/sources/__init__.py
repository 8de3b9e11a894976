"""Sources: from what the configuration says to threads that hear.

The library of a broker is imported by its source only, and belongs to an extra of its own.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from geo.errors import UsageError
from luxwake.daemon import config as settings
from luxwake.daemon.config import AnySource
from luxwake.daemon.intake import Intake
from luxwake.daemon.source import Source

_CLASSES: dict[type[Any], tuple[str, str]] = {
    settings.TcpSource: ("tcp", "TcpClient"),
    settings.TcpServerSource: ("tcp_server", "TcpServer"),
    settings.UdpSource: ("udp", "UdpReceiver"),
    settings.SerialSource: ("serial", "SerialLine"),
    settings.TailSource: ("tail", "FileTail"),
    settings.StdinSource: ("stdin", "StandardInput"),
    settings.HttpSource: ("http", "HttpLines"),
    settings.WebSocketSource: ("websocket", "WebSocketMessages"),
    settings.MqttSource: ("mqtt", "MqttMessages"),
    settings.NatsSource: ("nats", "NatsMessages"),
    settings.RedisSource: ("redis", "RedisMessages"),
    settings.KafkaSource: ("kafka", "KafkaMessages"),
}
NEEDS = {
    "websocket": ("websockets", "websockets"),
    "mqtt": ("paho", "paho-mqtt"),
    "nats": ("nats", "nats-py"),
    "redis": ("redis", "redis"),
    "kafka": ("confluent_kafka", "confluent-kafka"),
}
"""For each extra: (what is imported, the package that has it)."""


def make_source(config: AnySource, intake: Intake) -> Source:
    """The source that a part of the configuration means, ready to `run`.

    Raises
    ------
    UsageError
        For a package that is not installed, a URL or another value that cannot be meant, a secret that is not in the
        environment.

    >>> make_source(settings.StdinSource(name="pipe"), Intake(0, 1 << 20)).state
    'starting'
    """
    module, name = _CLASSES[type(config)]
    if module in NEEDS and importlib.util.find_spec(NEEDS[module][0]) is None:
        raise UsageError(
            f"source {config.name!r} needs {NEEDS[module][1]}, which is not installed; pip install 'luxwake[{module}]'"
        )
    made = getattr(importlib.import_module(f"luxwake.daemon.sources.{module}"), name)(config, intake)
    assert isinstance(made, Source)
    return made
