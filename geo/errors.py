"""What the API raises.

    LuxwakeError(ValueError)
    ├── UsageError    a parameter or an option that cannot be meant; a command ends with 2
    ├── InputError    a file or a row that cannot be read; a command ends with 1
    └── OutputError   a place that cannot be written; a command ends with 1

Each message is one line: the value, the place, the limit, and what to do.
"""

from __future__ import annotations


class LuxwakeError(ValueError):
    """Base of all errors that Luxwake raises on purpose."""

    exit_code = 1


class UsageError(LuxwakeError):
    """Wrong use: a parameter or an option out of its range, or two that contradict."""

    exit_code = 2


class InputError(LuxwakeError):
    """An input that cannot be read: unknown format, missing column, damaged file."""


class OutputError(LuxwakeError):
    """An output that cannot be written."""
