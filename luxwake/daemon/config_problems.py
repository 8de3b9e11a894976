"""What is wrong with a configuration: every error, with its place, its value and what is allowed, in plain words.

Values are shown without secrets: an error goes to a log, or to who is asked for help.
"""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Any, NamedTuple

import msgspec

HIDDEN = "***"
_SECRET_KEYS = re.compile(r"headers|login|subscribe", re.IGNORECASE)
_SECRET_WORDS = re.compile(
    r"pass(?:word|wd|phrase)|secret|token(?!_file)|credential|api_?key|jaas|\b(?:pass|pwd)\b"
    r"|\bkey\b(?!\.(?:location|file)\b)",
    re.IGNORECASE,
)
"""A key itself too, as in `ssl.key.pem`; neither the file of one, nor a certificate."""
_USER = re.compile(r"(?<=://).*@", re.DOTALL)
"""To the last @: a password may hold others, or a /, by mistake."""
_QUERY = re.compile(
    r"((?:^|[?&\s])[^=&\s]*(?:key|token|secret|pass|pwd|credential|sig)[^=&\s]*=)[^&\s]*", re.IGNORECASE
)


def hidden(value: Any, path: str, raw: Mapping[str, str] | None = None) -> Any:
    """The value at a path of the configuration without secrets; a text of `raw` is shown as that has it.

    >>> hidden({"sasl.password": 5, "acks": "all"}, "sinks.k.options")
    {'sasl.password': '***', 'acks': 'all'}
    >>> hidden("wss://me:a/b@host/?apikey=c&area=1", "sources.feed.url")
    'wss://***@host/?apikey=***&area=1'
    """
    raw = raw or {}
    if isinstance(value, Mapping):
        return {key: hidden(part, f"{path}.{key}".lstrip("."), raw) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [hidden(part, f"{path}[{n}]", raw) for n, part in enumerate(value)]
    if value != "" and _is_secret(path):
        return raw.get(path, HIDDEN)
    if not isinstance(value, str):
        return value
    return _QUERY.sub(rf"\1{HIDDEN}", _USER.sub(f"{HIDDEN}@", raw.get(path, value)))


def _is_secret(path: str) -> bool:
    parts = re.split(r"[.\[\]]+", path)
    return any(_SECRET_KEYS.fullmatch(part) for part in parts) or bool(_SECRET_WORDS.search(path))


class Problem(NamedTuple):
    """One error.

    >>> str(Problem("watch.step_s", -1, "it must be a number above 0"))
    'watch.step_s is -1; it must be a number above 0'
    """

    path: str
    value: Any
    """The value; `msgspec.UNSET` where it is not the value that is wrong."""
    said: str

    @property
    def shown(self) -> Any:
        """The value without secrets."""
        return hidden(self.value, self.path)

    def __str__(self) -> str:
        if self.value is msgspec.UNSET:
            return self.said if self.said.startswith(self.path) else f"{self.path}: {self.said}"
        text = repr(self.shown)
        return f"{self.path} is {text if len(text) <= 80 else text[:80] + '...'}; {self.said}"


def problems(value: Any, wanted: Any, path: str = "") -> Iterator[Problem]:
    """All errors of a value from TOML that is to be of a type: a struct, a list, one of structs, a table, a scalar.

    What stands where a table or a list of tables must be is not shown: whatever it is, secrets may be anywhere in it.

    >>> from luxwake.daemon.config import HttpConfig
    >>> for problem in problems({"prot": 1, "host": 5, "max_lag_s": 0}, HttpConfig, "http"):
    ...     print(problem)
    http.prot: no such key; did you mean port?
    http.host is 5; it must be a text
    http.max_lag_s is 0; it must be a number above 0 and at most 1e10
    """
    origin, parts = typing.get_origin(wanted), typing.get_args(wanted)
    structs = {_tag(part): part for part in parts if _is_struct(part)} if origin in (UnionType, typing.Union) else {}
    if _is_struct(wanted):
        yield from _of_struct(value, wanted, path)
    elif structs:
        yield from _of_one_of(value, structs, path)
    elif origin is list and any(_is_struct(part) or typing.get_args(part) for part in parts):
        if not isinstance(value, list):
            yield Problem(path, msgspec.UNSET, "it must be a list")
            return
        for n, item in enumerate(value):
            yield from problems(item, parts[0], _place(path, n, item))
    elif origin is dict:
        if not isinstance(value, Mapping):
            yield Problem(path, msgspec.UNSET, f"it must be {allowed(wanted)}")
            return
        for key, item in value.items():
            yield from problems(item, parts[1], f"{path}.{key}")
    else:
        try:
            msgspec.convert(value, wanted)
        except msgspec.ValidationError:
            yield Problem(path, value, f"it must be {allowed(wanted)}")


def _place(path: str, n: int, item: Any) -> str:
    """`sources[0]`, or the name of what stands there: `sources.feed`."""
    name = item.get("name") if isinstance(item, Mapping) else None
    return f"{path}.{name}" if isinstance(name, str) and name.isprintable() and 0 < len(name) <= 64 else f"{path}[{n}]"


def _of_struct(value: Any, wanted: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield Problem(path, msgspec.UNSET, "it must be a table")
        return
    fields = {field.name: field for field in msgspec.structs.fields(wanted)}
    before = f"{path}." if path else ""
    for key in value:
        if key not in fields and key != wanted.__struct_config__.tag_field:
            yield Problem(before + str(key), msgspec.UNSET, f"no such key; {nearest(str(key), list(fields))}")
    for name, field in fields.items():
        if name in value:
            yield from problems(value[name], field.type, before + name)
        elif field.required:
            yield Problem(before + name, msgspec.UNSET, f"it is missing; it must be {allowed(field.type)}")


def _of_one_of(value: Any, structs: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """A table whose `type` says which of the structs it is."""
    if not isinstance(value, Mapping):
        yield Problem(path, msgspec.UNSET, "it must be a table")
        return
    kind = value.get("type", msgspec.UNSET)
    if isinstance(kind, str) and kind in structs:
        yield from _of_struct(value, structs[kind], path)
    else:
        missing = "it is missing; " if kind is msgspec.UNSET else ""
        yield Problem(f"{path}.type", kind, missing + nearest(kind if isinstance(kind, str) else "", list(structs)))


def nearest(word: str, known: Sequence[str]) -> str:
    """What may have been meant, else all that there is.

    >>> nearest("prot", ["host", "port"]), nearest("x", ["host", "port"])
    ('did you mean port?', 'there are host, port')
    """
    near = difflib.get_close_matches(word, known, 1)
    return f"did you mean {near[0]}?" if near else "there are " + ", ".join(known)


def _is_struct(wanted: Any) -> bool:
    return isinstance(wanted, type) and issubclass(wanted, msgspec.Struct)


def _tag(struct: Any) -> str:
    return str(struct.__struct_config__.tag)


def allowed(wanted: Any) -> str:
    """In words what a type takes.

    >>> from typing import Literal
    >>> allowed(int), allowed(Literal["plain", "json"]), allowed(list[str])
    ('a whole number', '"json" or "plain"', 'a list, each a text')
    """
    return _words(msgspec.inspect.type_info(wanted))


def _words(info: Any) -> str:
    about = msgspec.inspect
    if isinstance(info, about.Metadata):
        return str((info.extra_json_schema or {}).get("description") or _words(info.type))
    if isinstance(info, about.IntType | about.FloatType):
        return _number(info, "a whole number" if isinstance(info, about.IntType) else "a number")
    if isinstance(info, about.LiteralType):
        return " or ".join(f'"{value}"' for value in info.values)
    if isinstance(info, about.ListType | about.VarTupleType):
        return f"a list, each {_words(info.item_type)}"
    if isinstance(info, about.DictType):
        return f"a table of names, each with {_words(info.value_type)}"
    if isinstance(info, about.UnionType):
        return " or ".join(_words(one) for one in info.types if not isinstance(one, about.NoneType))
    simple: dict[Any, str] = {about.StrType: "a text", about.BoolType: "true or false", about.AnyType: "a value"}
    return simple.get(type(info), "a table")


def _number(info: Any, kind: str) -> str:
    """A kind of number with its limits."""
    if info.gt is None and info.ge is None:
        return kind
    least = f"above {_digits(info.gt)}" if info.gt is not None else f"from {_digits(info.ge)}"
    most = f" and at most {_digits(info.le)}" if info.gt is not None else f" to {_digits(info.le)}"
    return f"{kind} {least}" + (most if info.le is not None else "")


def _digits(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.12g}".replace("10,000,000,000", "1e10")
