"""What is wrong with values of a configuration that are right by themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from luxwake.daemon.config_problems import Problem

if TYPE_CHECKING:
    from luxwake.daemon.config import Config

DAY_S = 86_400.0


def disagreements(config: Config) -> Iterator[Problem]:
    """Sinks that write to one file, of which each would cut off what the other wrote; events that are removed before
    they are final: what is told of them after that would begin anew, alarms too."""
    files: dict[str, str] = {}
    for sink in config.sinks:
        path = getattr(sink, "path", "")
        other = files.setdefault(os.path.abspath(path), sink.name) if path else sink.name
        if other != sink.name:
            said = f"the sink {other} writes to it; give each a file of its own"
            yield Problem(f"sinks.{sink.name}.path", path, said)
    days, least = config.keep.events_days, config.watch.forget_s / DAY_S
    if 0 < days < least:
        said = f"it must be 0, or at least {least:g} (watch.forget_s): so long may an event be told again"
        yield Problem("keep.events_days", days, said)
