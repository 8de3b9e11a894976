"""`luxwake serve` and `luxwake status`."""

from __future__ import annotations

import gc
import logging
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from geo.errors import InputError, OutputError, UsageError
from luxwake import __version__
from luxwake.console import Console, print_json_lines
from luxwake.daemon.config import Config, StdinSource, read_config
from luxwake.daemon.intake import Intake
from luxwake.daemon.serve import Daemon, on_stop_signals
from luxwake.daemon.source import Pauses, Source
from luxwake.daemon.status import Status

_log = logging.getLogger("luxwake.serve")
ANSWER_S = 5.0
SWITCH_S = 0.001
"""Threads of Python wait so long for another; the status server answers twice as soon as with 5 ms."""
DEMO_SHIPS, DEMO_DAYS = 300, 2.0


def serve(path: str | None, console: Console) -> None:
    """Serve by a configuration until a signal comes, or all sources have ended."""
    from luxwake.daemon.sources import make_source

    if path is None:
        raise UsageError(
            "serve needs --config FILE; `luxwake config example` prints one, `luxwake replay FILE` needs none"
        )
    config = read_config(path)
    if not config.sources:
        raise UsageError(f"{path}: no [[sources]]; `luxwake config example` shows them")
    run(config, console, make_source, path=path)


def demo(path: str | None, speed: float, console: Console) -> None:
    """Serve a simulated world, `speed` times as fast as it was, with a store that is gone at the end."""
    from luxwake.daemon.replay import Recording, check_speed
    from luxwake.simulate import simulate

    check_speed(speed)
    config = read_config(path) if path else Config()
    with tempfile.TemporaryDirectory() as folder:
        written = simulate("world", Path(folder), vessels=DEMO_SHIPS, days=DEMO_DAYS)
        feed = [one for one in written.paths if one.name.startswith("track.nmea")]
        console.note(f"{written.fixes:,} positions of {written.vessels:,} simulated ships, {speed:g} times as fast")
        state, sources = f"{folder}/state", [StdinSource(name="demo")]
        made = msgspec.structs.replace(config, state=state, store="", archive=False, sources=sources)
        run(made, console, lambda one, intake: Recording(one.name, intake, feed, speed), has_end=True)


def run(
    config: Config,
    console: Console,
    make_source: Callable[[Any, Intake], Source],
    *,
    has_end: bool = False,
    path: str | None = None,
) -> Daemon:
    """Run a daemon to its end.

    `has_end`: nothing comes after the sources, so that what is open is told at last. `path`: the file of the
    configuration, to be read again at SIGHUP.
    """
    from geo.heap import give_back
    from luxwake.daemon.attendant import Attendant
    from luxwake.daemon.http import StatusServer
    from luxwake.daemon.kernels import have_kernels, is_compiled
    from luxwake.daemon.logs import start_logging
    from luxwake.daemon.matching import Filter
    from luxwake.daemon.sinks import make_sink

    give_back()
    start_logging(config.log)
    sys.setswitchinterval(SWITCH_S)
    filters = {one.name: Filter(one) for one in config.sinks}
    begun = Status(t_started=time.time_ns() // 1000, version=__version__)
    daemon: Daemon | None = None
    stopping = threading.Event()
    on_stop_signals(stopping.set)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is what reads the configuration again
    with ExitStack() as stack:
        if config.http.enabled:
            server = StatusServer(config.http, lambda: daemon.reporter.latest if daemon else begun)
            _log.info("status at http://%s:%d/", config.http.host, server.start())
            stack.callback(server.close)
        begun.phase = "starting" if is_compiled() else "compiling kernels"
        _log.info("kernels: %s", have_kernels(stopping))
        if stopping.is_set():  # nothing has been heard, and what the journal has is for the next start
            sys.exit(0)
        made = _when_there_is_a_store(
            lambda: Daemon(config, make_source, make_sink, filters, has_end=has_end),
            begun if config.store and not has_end else None,
            stopping,
        )
        made.reporter.latest.t_started = begun.t_started  # one start, however long kernels and the store took
        daemon = made
        on_stop_signals(daemon.stop)
        if stopping.is_set():
            daemon.stop()
        stack.enter_context(Attendant(daemon, config, path))
        gc.freeze()  # what has been imported stays
        daemon.run()
    return daemon


def _when_there_is_a_store(make: Callable[[], Daemon], begun: Status | None, stopping: threading.Event) -> Daemon:
    """A daemon, made when its store, a database, lets it in; `begun` says meanwhile why it is not. None: at once."""
    pauses = Pauses()
    while True:
        try:
            return make()
        except OutputError as error:
            if begun is None:
                raise
            seconds, begun.phase = pauses.next_s(), "waiting for the store"
            _log.warning("%s; again in %.0f s", error, seconds)
            if stopping.wait(seconds):
                sys.exit(0)


def print_status(url: str, token_file: str | None, console: Console) -> None:
    """What a daemon says of itself, as tables."""
    from luxwake.daemon.status_tables import tables_of

    said = _asked(url.rstrip("/") + "/status", token_file)
    if console.json:
        print_json_lines([said])
        return
    for shown in tables_of(_status(said, url)):
        console.table(shown.title, shown.names, shown.rows)


def _status(said: dict[str, Any], url: str) -> Status:
    try:
        return msgspec.convert(_known(said), Status)
    except msgspec.ValidationError as error:
        raise InputError(f"{url}: the status is not of this version ({error}); use --json, or its `luxwake`") from None


def _known(said: Any) -> Any:
    """Without what is null: JSON has no other word for a number that is none."""
    if isinstance(said, list):
        return [_known(one) for one in said]
    return {key: _known(one) for key, one in said.items() if one is not None} if isinstance(said, dict) else said


def _asked(url: str, token_file: str | None) -> dict[str, Any]:
    """The answer of a status server."""
    import urllib.request
    from http.client import HTTPException

    if not _is_http(url):
        raise UsageError(f"{url}: not http; give --url http://HOST:PORT")
    request = urllib.request.Request(url)
    if token_file is not None:
        try:
            words = Path(token_file).read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{token_file}: cannot be read ({error})") from None
        if len(words) != 1:  # what refuses such a header prints it
            raise InputError(f"{token_file}: not one token; give the file that http.token_file names")
        request.add_header("Authorization", f"Bearer {words[0]}")
    # the proxy of the environment is for the web: it would ask itself for its 127.0.0.1, and be told the token
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=ANSWER_S) as answer:
            said = msgspec.json.decode(answer.read(4 << 20))
    except (OSError, ValueError, HTTPException, msgspec.DecodeError) as error:
        why = getattr(error, "reason", error)
        raise InputError(f"{url}: no answer ({why}); is the daemon running, and is http.enabled true?") from None
    if not isinstance(said, dict):
        raise InputError(f"{url}: no status of a daemon; give --url as the log of the daemon says")
    return said


def _is_http(url: str) -> bool:
    """Whether a URL is of HTTP, and has a host, and a port that can be."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
