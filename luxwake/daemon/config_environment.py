"""What the environment says of a configuration: `${NAME}` in its texts, and variables that stand for keys.

`LUXWAKE_HTTP__PORT=9000` is `port` in the table `http`; two underscores part the names, and a source or a sink is known
by its name or its number: `LUXWAKE_SINKS__HOOK__URL`. A value is read as TOML where it is some, else as a text. Of the
keys of the file itself, `LUXWAKE_STATE`, `LUXWAKE_STORE` and `LUXWAKE_ARCHIVE` are taken.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec

from luxwake.daemon.config_problems import Problem, nearest

PREFIX = "LUXWAKE_"
OF_THE_FILE = ("state", "store", "archive")
_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def overridden(values: Any, environment: Mapping[str, str]) -> tuple[Any, list[Problem]]:
    """Values with what the environment says put in place, and what it says of places that there are not.

    >>> overridden({"http": {"port": 1}}, {"LUXWAKE_HTTP__PORT": "9000", "LUXWAKE_CACHE": "/c"})
    ({'http': {'port': 9000}}, [])
    """
    found: list[Problem] = []
    for variable in sorted(environment):
        path = variable.removeprefix(PREFIX).lower().split("__")
        if variable.startswith(PREFIX) and (len(path) > 1 or path[0] in OF_THE_FILE):
            try:
                values = _put(values, path, _read(environment[variable]))
            except KeyError as error:
                found.append(Problem(variable, msgspec.UNSET, str(error.args[0])))
    return values, found


def _read(text: str) -> Any:
    try:
        read = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return text
    return read["value"] if len(read) == 1 else text


def _put(values: Any, path: list[str], value: Any) -> Any:
    """A copy of the values with this one at its path; KeyError with words for a place that there is not."""
    if not path:
        return value
    key, *rest = path
    if isinstance(values, list):
        names = [str(item.get("name", "")) if isinstance(item, Mapping) else "" for item in values]
        places = [n for n, name in enumerate(names) if key == str(n) or _is_called(name, key)]
        if not places:
            raise KeyError(f"none is called {key!r}; {nearest(key, [name for name in names if name])}")
        return [_put(item, rest, value) if n == places[0] else item for n, item in enumerate(values)]
    if not isinstance(values, Mapping):
        raise KeyError(f"{key!r} cannot be set in what is no table; unset it")
    same = next((name for name in values if _is_called(name, key)), key)
    return {**values, same: _put(values.get(same, {}), rest, value)}


def _is_called(name: str, key: str) -> bool:
    """Whether a part of a variable's name stands for a name in the file: `x_api_key` for `X-Api-Key`."""
    return key in (name.lower(), name.lower().replace("-", "_"))


def filled(
    value: Any, environment: Mapping[str, str], path: str = "", raw: dict[str, str] | None = None
) -> tuple[Any, list[Problem]]:
    """A copy of values with `${NAME}` taken from the environment, and which names are not there.

    `raw` is given each text that was changed, by its path, as it stood.

    >>> filled({"login": "user ${WORD}"}, {"WORD": "secret"})
    ({'login': 'user secret'}, [])
    """
    if isinstance(value, Mapping):
        parts = {key: filled(part, environment, f"{path}.{key}".lstrip("."), raw) for key, part in value.items()}
        return {key: made for key, (made, _) in parts.items()}, [one for _, wrong in parts.values() for one in wrong]
    if isinstance(value, list):
        items = [filled(part, environment, f"{path}[{n}]", raw) for n, part in enumerate(value)]
        return [made for made, _ in items], [one for _, wrong in items for one in wrong]
    names = _NAME.findall(value) if isinstance(value, str) else []
    if not names:
        return value, []
    if raw is not None:
        raw[path] = value
    missing = [name for name in names if name not in environment]
    said = [Problem(path, msgspec.UNSET, f"${{{name}}} is not set in the environment; set it") for name in missing]
    return _NAME.sub(lambda name: environment.get(name[1], name[0]), value), said
