"""What stands beside a running daemon: systemd is told how it goes, and SIGHUP reads the configuration again."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from geo.errors import LuxwakeError
from luxwake.daemon.config import Config, SinkConfig, read_config
from luxwake.daemon.detection import settings_of, watch_of
from luxwake.daemon.logs import start_logging
from luxwake.daemon.matching import Filter
from luxwake.daemon.notify import Notify

if TYPE_CHECKING:
    from luxwake.daemon.serve import Daemon
    from luxwake.daemon.status import Status

LOOK_S = 1.0
STATUS_S = 5.0
_FILTERS = {field.name for field in msgspec.structs.fields(SinkConfig)} - {"name", "once"}
_log = logging.getLogger("luxwake.serve")


class Attendant(threading.Thread):
    """A thread beside the core.

    Parameters
    ----------
    daemon : what it attends to
    config : by which the daemon was made
    path : file to read again at SIGHUP; None: that is not done
    environment : where systemd says how it is to be told; default: that of this process
    """

    def __init__(
        self, daemon: Daemon, config: Config, path: str | None, environment: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(name="attendant", daemon=True)
        self._daemon, self._config, self._path = daemon, config, path
        self._notify = Notify(environment)
        self._asked, self._ending = threading.Event(), threading.Event()
        self._is_ready = False
        self._t_seen = self._shown = self._beat = -1.0

    def __enter__(self) -> Attendant:
        """Begin, in the main thread."""
        self.on_sighup()
        self.start()
        return self

    def __exit__(self, *failure: object) -> None:
        """End."""
        self.end()

    def on_sighup(self) -> None:
        """Read the configuration again whenever SIGHUP comes; to be called in the main thread."""
        if self._path is not None:
            signal.signal(signal.SIGHUP, lambda number, frame: self._asked.set())

    def end(self) -> None:
        """Tell systemd that the daemon stops, and end."""
        self._notify.stopping()
        self._ending.set()
        self._asked.set()
        self.join(5.0)

    def run(self) -> None:
        """Look once a second, until `end`."""
        while not self._ending.is_set():
            self._tell(self._daemon.reporter.latest)
            if self._asked.wait(LOOK_S) and not self._ending.is_set():
                self._asked.clear()
                self.read_again()

    def _tell(self, status: Status) -> None:
        now = time.monotonic()
        if status.phase == "running" and not self._is_ready:
            self._is_ready = self._notify.ready()
        elif status.phase == "draining":
            self._notify.stopping()
        if now - self._shown >= STATUS_S:
            self._shown = now
            self._notify.status(line_of(status))
        pause = self._notify.watchdog_s
        # The core says that it is alive by a new status; before it runs, the unit's time to start is the limit.
        is_alive = status.phase != "running" or status.t != self._t_seen
        if pause is not None and now - self._beat >= pause and is_alive:
            self._beat, self._t_seen = now, status.t
            self._notify.watchdog()

    def read_again(self) -> bool:
        """Take thresholds, filters, watch-lists and logging from the file; one that is wrong changes nothing.

        Files that sinks write to are opened anew, for they may have been rotated. Returns whether it was taken.
        """
        assert self._path is not None
        if self._is_ready:
            self._notify.reloading()
        try:
            config = read_config(self._path)
            once = {one.name: one.once for one in self._config.sinks}  # of the core, which a start alone changes
            known = [one for one in config.sinks if one.name in once]
            filters = {one.name: Filter(msgspec.structs.replace(one, once=once[one.name])) for one in known}
            settings = settings_of(config)
            watch_of(settings)
        except LuxwakeError as error:
            _log.error("not taken, what held before holds: %s", error)
            return False
        finally:
            if self._is_ready:
                self._notify.ready()
        start_logging(config.log)
        self._daemon.core.filters = {**self._daemon.core.filters, **filters}
        self._daemon.ask_for(settings)
        for dispatcher in self._daemon.dispatchers:
            dispatcher.reopen()
        later = needs_a_start(self._config, config)
        _log.info("%s was read again%s", self._path, f"; at the next start: {', '.join(later)}" if later else "")
        return True


def line_of(status: Status) -> str:
    """A status in a line.

    >>> from luxwake.daemon.status import Held, Status
    >>> line_of(Status(phase="running", messages_per_s=17_000.0, held={"vessels": Held(41_203, 262_144)}))
    'running: 17,000 messages/s, 41,203 vessels, lag 0.0 s, 0 changes queued'
    """
    vessels = status.held["vessels"].now if "vessels" in status.held else 0
    lag_s = max((source.lag_s for source in status.sources), default=0.0)
    queued = sum(sink.queued for sink in status.sinks)
    return (
        f"{status.phase}: {status.messages_per_s:,.0f} messages/s, {vessels:,} vessels, lag {lag_s:.1f} s, "
        f"{queued:,} changes queued"
    )


def needs_a_start(old: Config, new: Config) -> list[str]:
    """What differs, and is taken only by a daemon that starts: all but thresholds, filters and logging.

    >>> needs_a_start(Config(), Config(state="elsewhere"))
    ['state']
    """
    before, after = (msgspec.to_builtins(config) for config in (old, new))
    for values in (before, after):
        for key in ("log", "detect", "watch"):
            del values[key]
        values["sinks"] = [{key: value for key, value in one.items() if key not in _FILTERS} for one in values["sinks"]]
    return [key for key in before if before[key] != after[key]]
