"""Libraries of brokers, which are installed only where they are wanted."""

from __future__ import annotations

from importlib.util import find_spec

from geo.errors import UsageError


def needs(module: str, package: str, extra: str, place: str) -> None:
    """Raise UsageError where a library is not installed.

    >>> needs("no_such_module", "no-such-package", "mqtt", "sinks.broker")
    Traceback (most recent call last):
    geo.errors.UsageError: sinks.broker needs no-such-package; pip install 'luxwake[mqtt]'
    """
    try:
        found = find_spec(module) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        raise UsageError(f"{place} needs {package}; pip install 'luxwake[{extra}]'")
