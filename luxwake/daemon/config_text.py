"""Configurations as TOML: an example that explains every key, made from the types themselves, and what holds."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

from luxwake.daemon.config import AnySink, AnySource, Config, SinkConfig, SourceConfig, Told
from luxwake.daemon.config_problems import allowed, hidden

_EXAMPLES: dict[str, Any] = {
    "host": "192.0.2.10", "port": 10110, "baud": 38400, "topic": "ais", "subject": "ais", "stream": "ais",
    "brokers": "192.0.2.10:9092", "tcp-server.host": "127.0.0.1", "udp.host": "127.0.0.1",
    "serial.path": "/dev/ttyUSB0", "tail.path": "/var/log/ais.nmea", "websocket.url": "wss://stream.example.com/v0/stream",
    "http.url": "https://feed.example.com/ais", "mqtt.url": "mqtt://192.0.2.10:1883",
    "nats.url": "nats://192.0.2.10:4222", "redis.url": "redis://192.0.2.10:6379", "jsonl.path": "alerts.jsonl",
    "csv.path": "events.csv", "webhook.url": "https://alerts.example.com/in",
}  # fmt: skip
"""For keys without a default."""


def example_text() -> str:
    """A file to begin with: one source, one sink, and all else with its default behind `#`.

    >>> '#format = "nmea"  # What the bytes hold: "json" or "nmea"' in example_text().splitlines()
    True
    """
    parts = [
        "# Luxwake's daemon. Lines behind # are the defaults; `luxwake config check FILE` tells what is wrong.\n"
        "# ${NAME} in a text is taken from the environment, and LUXWAKE_HTTP__PORT=9000 sets http.port.",
        "\n".join(_keys(Config)),
        '[[sources]]\nname = "receiver"\ntype = "udp"\nport = 10110',
        '[[sinks]]\nname = "events"\ntype = "jsonl"\npath = "events.jsonl"',
    ]
    for field in msgspec.structs.fields(Config):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            parts.append("\n".join([*_words(inspect.getdoc(field.type)), f"[{field.name}]", *_keys(field.type)]))
    for table, base, kinds in (("sources", SourceConfig, AnySource), ("sinks", SinkConfig, AnySink)):
        parts.append("\n".join([*_words(f"{inspect.getdoc(base)} In each of [[{table}]]:"), *_keys(base)]))
        parts += ["\n".join(_one_of_many(table, base, kind)) for kind in typing.get_args(kinds)]
    return "\n\n".join(parts) + "\n"


def _one_of_many(table: str, base: Any, kind: Any) -> Iterator[str]:
    """One kind of source or sink, with what it has beside that which all have."""
    tag = str(kind.__struct_config__.tag)
    yield from _words(inspect.getdoc(kind))
    yield from (f"#[[{table}]]", f'#name = "my-{tag}-{table[:-1]}"', f'#type = "{tag}"')
    yield from _keys(kind, {field.name: field for field in msgspec.structs.fields(base)})


def _keys(struct: Any, known: Mapping[str, Any] | None = None) -> Iterator[str]:
    """The keys of a struct behind `#`, each with what is said of it and what it takes, but those that are known."""
    tag = str(struct.__struct_config__.tag or "")
    said = _sentences(struct)
    for field in msgspec.structs.fields(struct):
        value = _example(field, tag)
        is_known = known is not None and field.name in known and _example(known[field.name], "") == value
        if is_known or isinstance(value, msgspec.Struct) or (struct is Config and isinstance(value, list)):
            continue
        takes = allowed(field.type)
        words = said.get(field.name, "")
        if takes not in _PLAIN:
            words = f"{words.removesuffix('.')}: {takes}" if words else takes
        line = f"#{field.name} = " + ("[...]" if value is None else toml(value))
        if len(line) + len(words) > 110:
            yield from _words(words)
            words = ""
        yield f"{line}  # {words}" if words else line


_PLAIN = ("a text", "true or false", "a list, each a text", "a table of names, each with a text",
          "a table of names, each with a table of names, each with a value")  # fmt: skip
"""What can be seen from the value itself."""


def _example(field: Any, tag: str) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return _EXAMPLES.get(f"{tag}.{field.name}", _EXAMPLES.get(field.name, "my"))


def _words(text: str | None) -> list[str]:
    return textwrap.wrap(" ".join((text or "").split()), 110, initial_indent="# ", subsequent_indent="# ")


@cache
def _sentences(struct: Any) -> dict[str, str]:
    """The text below each field in the source of a struct and of those that it is made from."""
    said: dict[str, str] = {}
    for base in reversed(struct.__mro__):
        if not (isinstance(base, type) and base.__module__ == Config.__module__):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, after in zip(body.body, body.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                text = after.value if isinstance(after, ast.Expr) else None
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    said[field.target.id] = " ".join(text.value.split())
    return said


def shown_text(config: Config, told: Told) -> str:
    """What holds, as TOML: defaults too, and no secrets. A text from the environment is shown as the file has it."""
    values = shown(config, told)
    scalars = {key: value for key, value in values.items() if not isinstance(value, Mapping | list)}
    parts = ["\n".join(f"{key} = {toml(value)}" for key, value in scalars.items())]
    for key in ("sources", "sinks"):
        parts += ["\n".join([f"[[{key}]]", *_lines(part)]) for part in values[key]]
    parts += ["\n".join([f"[{key}]", *_lines(part)]) for key, part in values.items() if isinstance(part, Mapping)]
    return "\n\n".join(parts) + "\n"


def _lines(part: Mapping[str, Any]) -> Iterator[str]:
    return (f"{key} = {toml(value)}" for key, value in part.items() if value is not None)


def shown(config: Config, told: Told) -> dict[str, Any]:
    """What holds, as plain values without secrets."""
    made = hidden(msgspec.to_builtins(config), "", told.raw)
    assert isinstance(made, dict)
    return made


def toml(value: Any) -> str:
    """A value as TOML on one line.

    >>> toml({"a b": [1, 2.0, True], "c": "\\x7f\\n"})
    '{"a b" = [1, 2.0, true], "c" = "\\\\u007f\\\\n"}'
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{toml(str(key))} = {toml(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(part) for part in value) + "]"
    return str(value) if not isinstance(value, float | int) else repr(value)
