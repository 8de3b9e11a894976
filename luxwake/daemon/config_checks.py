"""What can be seen to be wrong with a configuration before the daemon starts, beside the form of its values."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from detectors.registry import registered
from detectors.settings import params_of
from geo.errors import LuxwakeError
from luxwake.daemon.access import Access
from luxwake.daemon.config import Config, CsvSink, JsonLinesSink
from luxwake.daemon.config_problems import Problem, nearest
from luxwake.daemon.intake import Intake
from luxwake.daemon.matching import Filter
from luxwake.daemon.sinks import make_sink
from luxwake.daemon.sources import make_source


def checks(config: Config) -> Iterator[Problem]:
    """All that is wrong: detectors and thresholds, files that are not there, addresses, certificates, folders."""
    yield from _of_folder(config.state, "state")
    if config.store and not config.store.startswith(("postgresql://", "postgres://")):
        yield Problem("store", msgspec.UNSET, 'it must be "" for SQLite in `state`, or postgresql://user@host/database')
    elif config.store:
        yield from _tried("store", _place_of, config.store)
    if not config.sources:
        yield Problem("sources", msgspec.UNSET, "there is none; `luxwake config example` shows some")
    for source in config.sources:
        yield from _tried(f"sources.{source.name}", make_source, source, Intake(0, 1))
    yield from _of_detectors(config)
    if config.http.enabled:
        yield from _tried("http", Access, config.http)
    for sink in config.sinks:
        yield from _tried(f"sinks.{sink.name}", Filter, sink)
        yield from _tried(f"sinks.{sink.name}", make_sink, sink)
        if isinstance(sink, JsonLinesSink | CsvSink):
            yield from _of_folder(str(Path(sink.path).parent), f"sinks.{sink.name}.path", is_made=False)


def _place_of(url: str) -> str:
    from luxwake.daemon.store_postgres import place_of

    return place_of(url)


def _of_detectors(config: Config) -> Iterator[Problem]:
    detect = config.detect
    for name in detect.detectors or []:
        if name not in registered():
            yield Problem("detect.detectors", name, nearest(name, list(registered())))
    for detector, values in detect.params.items():
        wrong = [one for key in values for one in _tried("detect.params", params_of, {detector: {key: values[key]}})]
        yield from wrong or _tried("detect.params", params_of, {detector: values})
    if detect.anchorages and not os.access(detect.anchorages, os.R_OK):
        yield Problem("detect.anchorages", detect.anchorages, "it cannot be read; `luxwake anchorages` writes one")


def _of_folder(folder: str, path: str, is_made: bool = True) -> Iterator[Problem]:
    """A folder that is to be written; with `is_made` it is made where it is not there."""
    at = Path(folder)
    while is_made and not at.exists() and at != at.parent:
        at = at.parent
    if not at.is_dir() or not os.access(at, os.W_OK | os.X_OK):
        yield Problem(path, folder, f"{at} is no folder that can be written; make it, or name another")


def _tried(path: str, make: Callable[..., Any], *given: Any) -> Iterator[Problem]:
    """What is wrong with something that is made from a part of the configuration."""
    try:
        make(*given)
    except LuxwakeError as error:
        yield Problem(path, msgspec.UNSET, str(error))
