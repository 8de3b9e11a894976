"""Secrets stand in the environment, and the configuration names them."""

from __future__ import annotations

import os
import re

from geo.errors import UsageError

_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def filled(text: str, source: str) -> str:
    """A text with `${NAME}` taken from the environment.

    Raises
    ------
    UsageError
        Where the environment does not have that name.

    >>> os.environ["LUXWAKE_EXAMPLE"] = "secret"
    >>> filled("key=${LUXWAKE_EXAMPLE}", "feed")
    'key=secret'
    """

    def value(found: re.Match[str]) -> str:
        try:
            return os.environ[found[1]]
        except KeyError:
            raise UsageError(f"source {source!r}: ${{{found[1]}}} is not set in the environment; set it") from None

    return _NAME.sub(value, text)
