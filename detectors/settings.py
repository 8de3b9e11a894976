"""Thresholds by name: from TOML and from words, and what each of them means.

A file of parameters has a table for each detector; what it does not name stays at its default:

    [dark]
    min_gap_s = 43200

    [rendezvous]
    preset = "gfw"
    max_distance_m = 300

`preset` takes the published definition of another system; what stands beside it changes that.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import textwrap
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from detectors.registry import detector_class, registered
from geo.errors import InputError, UsageError

MOST = 1e9
"""No threshold is meant above this, in any unit: 32 years in seconds; in hours it still fits a clock of µs."""


class Threshold(NamedTuple):
    """One parameter of a detector: its name with the unit as suffix, its default, and where that is from."""

    name: str
    default: Any
    source: str


@cache
def thresholds(detector: str) -> tuple[Threshold, ...]:
    """The parameters of a detector in their order.

    >>> thresholds("dark")[0]
    Threshold(name='min_gap_s', default=21600, source='pipe-gaps 0.9 and Skylight: 6 h of silence.')
    """
    params = detector_class(detector).Params
    said = _sentences(params)
    return tuple(Threshold(field.name, field.default, said.get(field.name, "")) for field in fields(params))


def _sentences(params: type[Any]) -> dict[str, str]:
    """The text below each field in the source of a class."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(params))).body[0]
    except (OSError, SyntaxError):  # a class made at run time has no source
        return {}
    assert isinstance(body, ast.ClassDef)
    said = {}
    for field, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            text = after.value if isinstance(after, ast.Expr) else None
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                said[field.target.id] = " ".join(text.value.split())
    return said


def presets(detector: str) -> tuple[str, ...]:
    """The published definitions that a detector knows by name (`Params.PRESETS`), none for most.

    >>> presets("dark")
    ()
    """
    return tuple(getattr(detector_class(detector).Params, "PRESETS", ()))


def params_of(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The parameters of each detector that is named, from its own class or from words.

    Raises
    ------
    UsageError
        For a detector, a parameter or a preset that there is not, or a value out of its range, as what is no number.

    >>> params_of({"dark": {"min_gap_s": 43200}})["dark"].min_gap_s
    43200
    """
    made = {}
    for detector, values in (given or {}).items():
        kind = detector_class(detector).Params
        if isinstance(values, kind):
            made[detector] = _finite(detector, values)
        elif isinstance(values, Mapping):
            made[detector] = _finite(detector, _made(detector, dict(values)))
        else:
            raise UsageError(f"{detector}: parameters are a {kind.__name__} or a table of names, not {values!r}")
    return made


def _finite(detector: str, params: Any) -> Any:
    """These parameters; UsageError where one is infinite, no number, or too large for any clock."""
    for field in fields(params):
        value = getattr(params, field.name)
        if isinstance(value, int | float) and not -MOST <= value <= MOST:
            raise UsageError(f"{detector}: {field.name} = {_short(value)} is no number from -1e9 to 1e9; give one")
    return params


def _short(value: Any) -> str:
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**40 else "a whole number of over 40 digits"
    return text if len(text) <= 100 else f"{text[:100]}..."


def _made(detector: str, values: dict[str, Any]) -> Any:
    kind = detector_class(detector).Params
    base: dict[str, Any] = {}
    if (preset := values.pop("preset", None)) is not None:
        if preset not in presets(detector):
            known = ", ".join(presets(detector)) or "none"
            raise UsageError(f"{detector}: no preset {preset!r}; there are {known}")
        chosen = kind.preset(preset)
        base = {field.name: getattr(chosen, field.name) for field in fields(kind)}
    known_fields = {field.name: str(field.type) for field in fields(kind)}
    for name, value in values.items():
        if name not in known_fields:
            near = difflib.get_close_matches(name, known_fields, 1)
            hint = f"did you mean {near[0]}?" if near else "there are " + ", ".join(known_fields)
            raise UsageError(f"{detector}: no parameter {name!r}; {hint}")
        base[name] = _as(detector, name, value, known_fields[name])
    return kind(**base)


def _as(detector: str, name: str, value: Any, wanted: str) -> Any:
    """A value as its field takes it: a whole number stands for a float, nothing else is changed."""
    allowed = [part.strip() for part in wanted.split("|")]
    if "float" in allowed and isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MOST:
        return float(value)
    if type(value).__name__ in allowed or (value is None and "None" in allowed):
        return value
    if "int" in allowed and isinstance(value, float) and value.is_integer():
        return int(value)
    raise UsageError(f"{detector}: {name} = {_short(value)} is no {' or '.join(allowed)}")


def read_params(path: str | Path) -> dict[str, Any]:
    """The parameters in a TOML file, by detector.

    Raises
    ------
    InputError
        When the file cannot be read or is not TOML.
    UsageError
        For what `params_of` refuses; the message names the file.
    """
    try:
        given = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the name") from None
    except (ValueError, RecursionError) as error:  # not TOML, not UTF-8, or a number of thousands of digits
        raise InputError(f"{path}: not TOML ({error}); `luxwake detect --list` prints a file to begin with") from None
    try:
        return params_of(given)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def parse_setting(text: str) -> tuple[str, str, Any]:
    """`dark.min_gap_s=43200` as detector, parameter and value.

    >>> parse_setting("rendezvous.preset=gfw")
    ('rendezvous', 'preset', 'gfw')
    """
    place, equals, value = text.partition("=")
    detector, dot, name = place.strip().partition(".")
    if not (equals and dot and name):
        raise UsageError(f"{text!r} is no setting; write DETECTOR.PARAMETER=VALUE, as dark.min_gap_s=43200")
    try:
        return detector, name, tomllib.loads(f"value = {value}")["value"]
    except (ValueError, RecursionError):
        return detector, name, value.strip()


def params_text(params: Mapping[str, Any] | None = None) -> str:
    """A TOML file of all parameters of all detectors, each with its source as a comment; defaults where not given.

    >>> "min_gap_s = 43200" in params_text({"dark": {"min_gap_s": 43200}})
    True
    """
    given = params_of(params)
    parts = []
    for detector in registered():
        own = given.get(detector) or detector_class(detector).Params()
        lines = [f"[{detector}]"]
        if known := presets(detector):
            lines.append(f"# preset = {' or '.join(repr(name) for name in known)}")
        for threshold in thresholds(detector):
            lines += textwrap.wrap(threshold.source, 100, initial_indent="# ", subsequent_indent="# ")
            value = getattr(own, threshold.name)
            lines.append(f"# {threshold.name} = ..." if value is None else f"{threshold.name} = {_toml(value)}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' if isinstance(value, str) else repr(value)
