"""What a daemon is told: a TOML file, every field typed, each error with its place, its value and what is allowed."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from geo.errors import InputError, UsageError
from luxwake.daemon.config_environment import filled, overridden
from luxwake.daemon.config_problems import Problem, problems
from luxwake.daemon.config_together import disagreements

Positive = Annotated[float, msgspec.Meta(gt=0, le=1e10)]
NotNegative = Annotated[float, msgspec.Meta(ge=0, le=1e10)]
Lasting = Annotated[float, msgspec.Meta(ge=1e-3, le=1e10)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1 << 40)]
Vessels = Annotated[int, msgspec.Meta(ge=16, le=1 << 24)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Name = Annotated[
    str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="1 to 64 letters, digits, points, - and _")
]


class _Part(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, frozen=True):
    """A table of the file; a key that it does not have is an error."""


class SourceConfig(_Part, tag_field="type", kw_only=True, frozen=True):
    """What all sources have."""

    name: Name
    format: Literal["nmea", "json"] = "nmea"
    """What the bytes hold."""
    buffer_mib: Positive = 32.0
    """What may wait for the core."""
    watchdog_s: Positive = 120.0
    """After so long without a decoded message a connection is made anew."""


class TcpSource(SourceConfig, tag="tcp", kw_only=True, frozen=True):
    """A server that is called."""

    host: str
    port: Port
    login: str = ""
    """A line that is sent first; `${NAME}` is taken from the environment."""


class TcpServerSource(SourceConfig, tag="tcp-server", kw_only=True, frozen=True):
    """Senders that call us."""

    host: str = "127.0.0.1"
    port: Port
    max_connections: Count = 64
    idle_s: Positive = 600.0


class UdpSource(SourceConfig, tag="udp", kw_only=True, frozen=True):
    """Datagrams."""

    host: str = "127.0.0.1"
    port: Port
    receive_buffer_mib: Annotated[float, msgspec.Meta(gt=0, le=1024)] = 16.0
    interface: str = ""
    """Where `host` is a multicast group: the address of the interface by which it is joined."""


class SerialSource(SourceConfig, tag="serial", kw_only=True, frozen=True):
    """A serial device or a named pipe."""

    path: str
    baud: Count = 38400


class TailSource(SourceConfig, tag="tail", kw_only=True, frozen=True):
    """A file that grows."""

    path: str
    poll_s: Positive = 0.2
    linger_s: NotNegative = 1.0
    """How long a file that was rotated away must have been quiet before it is left."""
    start: Literal["begin", "end"] = "begin"
    """Where a file is begun of which nothing has been read yet."""


class StdinSource(SourceConfig, tag="stdin", kw_only=True, frozen=True):
    """Standard input."""


class WebSocketSource(SourceConfig, tag="websocket", kw_only=True, frozen=True):
    """JSON by WebSocket, as aisstream.io sends it."""

    url: str
    subscribe: str = ""
    """What is sent first; `${NAME}` is taken from the environment."""
    format: Literal["nmea", "json"] = "json"


class HttpSource(SourceConfig, tag="http", kw_only=True, frozen=True):
    """Lines of JSON or NMEA from a response that goes on."""

    url: str
    headers: dict[str, str] = {}
    format: Literal["nmea", "json"] = "json"


class MqttSource(SourceConfig, tag="mqtt", kw_only=True, frozen=True):
    """An MQTT broker: `mqtt://user:${SECRET}@host:1883`, or `mqtts://`."""

    url: str
    topic: str
    client_id: str = ""
    """By which the broker knows its session again; `luxwake-` and the name where it is empty."""


class NatsSource(SourceConfig, tag="nats", kw_only=True, frozen=True):
    """A stream of NATS JetStream: `nats://user:${SECRET}@host:4222`, or `tls://`."""

    url: str
    stream: str
    subject: str
    durable: str = ""
    """The durable consumer; `luxwake-` and the name where it is empty."""


class RedisSource(SourceConfig, tag="redis", kw_only=True, frozen=True):
    """A stream of Redis: `redis://:${SECRET}@host:6379/0`, or `rediss://`."""

    url: str
    stream: str
    field: str = "data"
    """The field of an entry that holds the lines."""


class KafkaSource(SourceConfig, tag="kafka", kw_only=True, frozen=True):
    """A topic of Kafka."""

    brokers: str
    topic: str
    options: dict[str, str] = {}


AnySource = (
    TcpSource | TcpServerSource | UdpSource | SerialSource | TailSource | StdinSource | WebSocketSource | HttpSource
    | MqttSource | NatsSource | RedisSource | KafkaSource
)  # fmt: skip


class SinkConfig(_Part, tag_field="type", kw_only=True, frozen=True):
    """What all sinks have: which changes they get."""

    name: Name
    kinds: list[str] = []
    """Kinds of event; none: all."""
    changes: list[str] = []
    """Of "opened", "updated", "closed", "superseded", "retracted"; none: all."""
    vessels: str = ""
    """A file of MMSIs (a column `mmsi`, or one a line): only events of these."""
    areas: str = ""
    """A file of polygons: only events that begin or are in them."""
    min_score: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    """A score that is not known does not reach it."""
    once: bool = False
    """Only the first that matches of each event."""


class JsonLinesSink(SinkConfig, tag="jsonl", kw_only=True, frozen=True):
    """A file of JSON lines."""

    path: str


class CsvSink(SinkConfig, tag="csv", kw_only=True, frozen=True):
    """A CSV file that a spreadsheet may open."""

    path: str


class WebhookSink(SinkConfig, tag="webhook", kw_only=True, frozen=True):
    """A POST for each batch of changes."""

    url: str
    headers: dict[str, str] = {}
    allow_private: list[str] = []
    """Networks beside the public ones to which it may go, such as "10.1.0.0/16"."""
    ca_file: str = ""
    """Authorities of its certificate beside those of the system."""
    max_attempts: Count = 1440
    """After so many failed attempts, at most one a minute, a change goes to the dead letters: 1440 are a day."""


class MqttSink(SinkConfig, tag="mqtt", kw_only=True, frozen=True):
    """An MQTT broker."""

    url: str
    """"mqtt://user:password@host:1883", or "mqtts://..."."""
    topic: str
    """{kind}, {change} and {mmsi} stand for those of the change."""


class NatsSink(SinkConfig, tag="nats", kw_only=True, frozen=True):
    """A subject of NATS; where a stream of JetStream takes it, that must say that it has."""

    url: str
    """"nats://user:password@host:4222", or "tls://..."."""
    subject: str
    """{kind}, {change} and {mmsi} stand for those of the change."""


class KafkaSink(SinkConfig, tag="kafka", kw_only=True, frozen=True):
    """A topic of Kafka."""

    brokers: str
    topic: str
    options: dict[str, str] = {}


class SyslogSink(SinkConfig, tag="syslog", kw_only=True, frozen=True):
    """RFC 5424 over UDP, TCP or the local socket."""

    address: str = "/dev/log"
    """A socket's path, "udp://host:514" or "tcp://host:601"."""


AnySink = JsonLinesSink | CsvSink | WebhookSink | MqttSink | NatsSink | KafkaSink | SyslogSink


class DetectConfig(_Part, kw_only=True, frozen=True):
    """Which detectors run, and with what."""

    detectors: list[str] | None = None
    """Only these; all where none is named."""
    params: dict[str, dict[str, Any]] = {}
    """Thresholds by detector, as tables: [detect.params.dark]; `luxwake detect --list` prints them all."""
    anchorages: str = ""
    """A file that `luxwake anchorages` wrote."""


class WatchConfig(_Part, kw_only=True, frozen=True):
    """How long is waited, and how much is kept."""

    lateness_s: NotNegative = 600.0
    """For so long are messages put in order."""
    step_s: Lasting = 600.0
    """Of event time between two looks: the delay of an announcement, beside the lateness."""
    history_s: Lasting = 6 * 3600.0
    """So late may a message come, and events are still revised."""
    forget_s: Lasting = 90 * 86_400.0
    """After so long an event that has ended is final."""
    max_rows: Count = 50_000_000
    """Positions kept for late ones, 52 B each, in files."""
    max_reports: Count = 524_288
    """Static reports kept for late ones, 129 B each, in files; of older ones only what changed is kept."""
    max_events: Count = 65_536
    """Events that have ended and are not final, 450 B each; beyond, the oldest are final before `forget_s`."""
    max_vessels: Vessels = 262_144
    """Ships that are followed."""


class CheckpointConfig(_Part, kw_only=True, frozen=True):
    """When the state is written."""

    every_s: Positive = 60.0
    """Between two checkpoints."""
    journal_mib: Positive = 512.0
    """So much journal at most between two checkpoints."""


class KeepConfig(_Part, kw_only=True, frozen=True):
    """How long what is on the disk is kept; looked at once an hour."""

    events_days: NotNegative = 0.0
    """Events that were told last so many days ago are removed from the store, `watch.forget_s` at least; 0: none is."""
    positions_days: NotNegative = 0.0
    """Days of the archive that ended so long before the newest position are removed; 0: none ever is."""


class HttpConfig(_Part, kw_only=True, frozen=True):
    """Where `/healthz`, `/readyz`, `/metrics` and the status are served."""

    host: str = "127.0.0.1"
    port: Port = 8787
    """0: the system chooses one."""
    enabled: bool = True
    token_file: str = ""
    """A file of mode 0600 with 32 random bytes in hexadecimal or base64; needed for other addresses than loopback."""
    tls_certificate: str = ""
    """PEM; with `tls_key` it is served by HTTPS."""
    tls_key: str = ""
    tls_client_ca: str = ""
    """PEM: only clients with a certificate of this authority; instead of a token, or with one."""
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    """By what names it is called; others are refused, so that no web page can read it through a name of its own."""
    max_lag_s: Positive = 60.0
    """A source that lags more makes `/readyz` say no."""


class LogConfig(_Part, kw_only=True, frozen=True):
    """What is logged, and how."""

    format: Literal["plain", "json"] = "plain"
    level: Literal["debug", "info", "warning", "error"] = "info"
    repeats_s: NotNegative = 60.0
    """A message that comes again within so long is counted, and said once with its number."""


class Config(_Part, kw_only=True, frozen=True):
    """The whole file."""

    state: str = "state"
    """The folder of the store, the journal and the checkpoints."""
    store: str = ""
    """"" for SQLite in `state`, or "postgresql://..."."""
    archive: bool = True
    """Positions to Parquet, in `state`/archive."""
    archive_rows: Count = 2_000_000
    """Positions held, in a file of 61 B each, before they are written, and as many while they are."""
    sources: list[AnySource] = []
    sinks: list[AnySink] = []
    detect: DetectConfig = DetectConfig()
    watch: WatchConfig = WatchConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    keep: KeepConfig = KeepConfig()
    http: HttpConfig = HttpConfig()
    log: LogConfig = LogConfig()


class Told(NamedTuple):
    """What a file and the environment say together."""

    values: Any
    problems: tuple[Problem, ...]
    raw: Mapping[str, str]
    """Texts with `${NAME}` in them, by their paths, as they stand in the file."""

    def config(self, place: str) -> Config:
        """The configuration; UsageError with the first problem, where there is one."""
        if self.problems:
            first, *more = self.problems
            rest = f" (and {len(more)} more: luxwake config check {place})" if more else ""
            raise UsageError(f"{place}: {first}{rest}")
        return msgspec.convert(self.values, Config)


def told(path: str | Path, environment: Mapping[str, str] | None = None) -> Told:
    """What a TOML file and the environment (default: that of this process) say, and all that is wrong with it.

    Raises InputError for a file that cannot be read, UsageError for one that is not TOML.
    """
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); `luxwake config example` prints one") from None
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, or nested too deep
        raise UsageError(f"{path}: not TOML ({error}); `luxwake config example` prints one") from None
    environment = os.environ if environment is None else environment
    raw: dict[str, str] = {}
    values, wrong = overridden(values, environment)
    values, unset = filled(values, environment, "", raw)
    return Told(values, (*wrong, *unset, *all_problems(values)), raw)


def all_problems(values: Any) -> Iterator[Problem]:
    """All that is wrong with the values of a whole configuration."""
    found = list(problems(values, Config))
    parts = [part for key in ("sources", "sinks") for part in _list(values, key) if isinstance(part, Mapping)]
    names = [part["name"] for part in parts if isinstance(part.get("name"), str)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        found.append(Problem("name", name, "two sources or sinks are called so; give each a name of its own"))
    yield from found or disagreements(msgspec.convert(values, Config))


def _list(values: Any, key: str) -> list[Any]:
    found = values.get(key) if isinstance(values, Mapping) else None
    return found if isinstance(found, list) else []


def config_of(values: Mapping[str, Any], place: str = "configuration") -> Config:
    """A configuration from plain values.

    Raises
    ------
    UsageError
        With the path of the first value that is wrong, the value, and what is allowed.

    >>> config_of({"watch": {"step_s": -1}}, "luxwake.toml")
    Traceback (most recent call last):
    geo.errors.UsageError: luxwake.toml: watch.step_s is -1; it must be a number from 0.001 to 1e10
    """
    return Told(values, tuple(all_problems(values)), {}).config(place)


def read_config(path: str | Path, environment: Mapping[str, str] | None = None) -> Config:
    """A configuration from a TOML file and the environment; InputError where it cannot be read, else UsageError."""
    return told(path, environment).config(str(path))
