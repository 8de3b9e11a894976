"""What sources of messages share: a message as lines, URLs, and which messages the journal does not have yet."""

from __future__ import annotations

import re
import secrets
from collections import deque
from typing import Generic, TypeVar
from urllib.parse import SplitResult, urlsplit

from geo.errors import UsageError
from luxwake.daemon.config_problems import hidden

T = TypeVar("T")
GATHERED_BYTES = 256 << 10
"""How much of messages is put as one chunk."""
_INNER_END = re.compile(rb"\r?\n(?!\{)")


def as_lines(message: bytes, is_json: bool) -> bytes:
    r"""A message with a line end; an object of JSON that goes over several lines as one line.

    >>> as_lines(b'{\n "a": 1\n}', is_json=True), as_lines(b'{"a":1}\n{"a":2}\n', is_json=True)
    (b'{  "a": 1 }\n', b'{"a":1}\n{"a":2}\n')
    >>> as_lines(b"!AIVDM\r\n!AIVDM", is_json=False)
    b'!AIVDM\r\n!AIVDM\n'
    """
    if is_json and b"\n" in message:
        message = _INNER_END.sub(b" ", message.strip())
    return message if message.endswith(b"\n") else message + b"\n"


def url_of(url: str, name: str, schemes: tuple[str, ...]) -> SplitResult:
    """A URL, with what it takes from the environment.

    Raises
    ------
    UsageError
        Where it has no host, or another scheme, or an @ behind its host: then a part of a password stands there.

    >>> url_of("mqtt://localhost", "feed", ("mqtt", "mqtts")).hostname
    'localhost'
    >>> url_of("localhost:1883", "feed", ("mqtt", "mqtts"))
    Traceback (most recent call last):
    geo.errors.UsageError: source 'feed': url is 'localhost:1883'; it must be mqtt://host or mqtts://host
    """
    try:
        parts = urlsplit(url)
        valid = parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
        valid = valid and "@" not in parts.path + parts.query + parts.fragment
    except ValueError:
        valid = False
    if not valid:
        wanted = " or ".join(f"{scheme}://host" for scheme in schemes)
        if "@" in url:
            raise UsageError(
                f"source {name!r}: url must be {wanted}; write the signs @ : / ? # of a user or a password, and an @ "
                "behind the host, as %40 %3A %2F %3F %23"
            )
        raise UsageError(f"source {name!r}: url is {hidden(url, 'url')!r}; it must be {wanted}")
    return parts


class Unkept(Generic[T]):
    """What was put and is not in the journal yet, so that it is acknowledged once it is.

    `kept` may be called by any thread, the others by one.

    >>> unkept = Unkept[str]()
    >>> first, second = unkept.add(["a", "b"]), unkept.add(["c"])
    >>> unkept.kept(first)
    >>> unkept.ready(), unkept.ready()
    (['a', 'b'], [])
    """

    def __init__(self) -> None:
        self._run = secrets.token_hex(6)
        self._number = self._kept = 0
        self._waiting: deque[tuple[int, list[T]]] = deque()

    def add(self, tokens: list[T]) -> str:
        """The cursor of a chunk of these."""
        self._number += 1
        self._waiting.append((self._number, tokens))
        return f"{self._run}:{self._number}"

    def kept(self, cursor: str) -> None:
        """The journal has all up to this chunk; cursors of earlier runs say nothing."""
        run, _, number = cursor.partition(":")
        if run == self._run:
            self._kept = max(self._kept, int(number))

    @property
    def waits(self) -> bool:
        """Whether something is not acknowledged yet."""
        return bool(self._waiting)

    def ready(self) -> list[T]:
        """What can be acknowledged now."""
        tokens: list[T] = []
        while self._waiting and self._waiting[0][0] <= self._kept:
            tokens += self._waiting.popleft()[1]
        return tokens

    def forget(self) -> None:
        """The connection is gone, and with it what could have been acknowledged."""
        self._waiting.clear()
