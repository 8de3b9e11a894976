"""`luxwake serve`: threads that hear, the core that follows, threads that tell, and how all of it begins and ends."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from geo.errors import LuxwakeError, OutputError
from geo.heap import set_aside, trim
from luxwake.daemon.config import Config
from luxwake.daemon.core import Core
from luxwake.daemon.intake import Bell, Chunk, Intake
from luxwake.daemon.outbox import Dispatcher
from luxwake.daemon.report import Reporter
from luxwake.daemon.retention import Retention
from luxwake.daemon.sink import Sink
from luxwake.daemon.source import Source

BATCH_BYTES, FIRST_BYTES, LEAST_BYTES = 1 << 20, 1 << 15, 1 << 13
"""What the core takes up at once, of all sources together."""
RECORD_S = 0.2
"""It takes up less where that would be more work than this: a record is gone through again as a whole."""
GATHER_S = 0.02
"""The core waits so long for more after the first bytes: calls cost less by the piece, and 20 ms is no delay."""
IDLE_S = 0.2
KEEP_S = 0.1
"""What has come is on the disk within this time, and brokers are told so: mosquitto has 20 messages on the way."""
LAGS, LAGS_S = 8192, 60.0
"""Lags of so many records, and of so many seconds, at most."""
DRAIN_S = 8.0
"""A stop is done within 10 s; what the sinks have not been sent by then waits in the store."""
_log = logging.getLogger("luxwake.serve")


class Daemon:
    """All parts of a running daemon.

    Parameters
    ----------
    config : what it is told
    make_source, make_sink : from a part of the configuration the thing itself
    filters : for each sink, what says with `wants` which changes it gets
    has_end : nothing comes when the sources have ended, so that what is open then is told as it stands
    """

    def __init__(
        self,
        config: Config,
        make_source: Callable[[Any, Intake], Source],
        make_sink: Callable[[Any], Sink],
        filters: Mapping[str, Any],
        *,
        has_end: bool = False,
    ) -> None:
        self.config = config
        self._has_end = has_end
        self.core = Core(config, filters)
        self.bell = Bell()
        self.sources: list[Source] = []
        self.intakes: list[Intake] = []
        for one in config.sources:
            number = self.core.names.index(one.name)
            intake = Intake(number, round(one.buffer_mib * (1 << 20)), self.bell)
            self.intakes.append(intake)
            self.sources.append(make_source(one, intake))
        self.dispatchers = [
            Dispatcher(one.name, make_sink(one), self.core.store, getattr(one, "max_attempts", 0))
            for one in config.sinks
        ]
        self._threads: list[threading.Thread] = []
        self._at_once = FIRST_BYTES
        self._kept: dict[int, str] = {}
        self._t_kept = 0.0
        self._asked: deque[dict[str, Any]] = deque(maxlen=1)
        self._stop = threading.Event()
        self._failed: LuxwakeError | None = None
        self._troubles = {"store": "", "checkpoint": ""}
        self._lags: deque[tuple[float, float]] = deque(maxlen=LAGS)
        """For how long the oldest chunk of each of the last records had been here when all was done, s; and when."""
        self.reporter = Reporter(self)

    @property
    def trouble(self) -> str:
        """Why the core does not get on, or writes no checkpoint, in words; "" while all is well."""
        return next((said for said in self._troubles.values() if said), "")

    @property
    def lag_p99_s(self) -> float:
        """Of the records of the last minute: in 99 % of them all had been done so long after it had come."""
        since = time.monotonic() - LAGS_S
        lags = [lag for t, lag in self._lags if t >= since]
        return float(np.quantile(lags, 0.99)) if lags else 0.0

    def stop(self) -> None:
        """Stop hearing, take up what has come, tell it, and end."""
        self._stop.set()
        self.bell.ring()

    def ask_for(self, settings: dict[str, Any]) -> None:
        """Go on with other settings of detection (`luxwake.daemon.detection.settings_of`) after the present record."""
        self._asked.append(settings)
        self.bell.ring()

    def run(self) -> None:
        """Recover, then serve until `stop`, or until all sources have ended."""
        again = self.core.recovering(self._until_written)
        next(again)
        for dispatcher in self.dispatchers:
            dispatcher.start()
        self._threads = [self._start(source) for source in self.sources]
        self.reporter.look("catching up", at_once=True)
        n = 0
        for _ in again:
            n += 1
            self._checkpoint()
            self.reporter.look("catching up")
        _log.info("%d records of the journal gone through again", n)
        self.reporter.look("running", at_once=True)
        try:
            with Retention(self.core, self.config.keep):
                self._serve()
        finally:
            self._end()

    def _serve(self) -> None:
        """Take up what comes, until `stop`, or until all sources have ended."""
        while not self._stop.is_set():
            alive = any(thread.is_alive() for thread in self._threads)
            if not self._step() and not alive:
                if self._has_end and self._failed is not None:  # a part must not pass for the whole
                    raise self._failed
                if self._has_end:
                    self._conclude()
                break

    def _start(self, source: Source) -> threading.Thread:
        cursor = self.core.cursors.get(source.name, "")

        def body() -> None:
            try:
                source.run(cursor)
                source.state = "ended"
            except LuxwakeError as error:
                source.state, self._failed = f"failed: {error}", error
                _log.error("source %s: %s", source.name, error)

        thread = threading.Thread(target=body, name=f"source {source.name}", daemon=True)
        thread.start()
        return thread

    def _step(self) -> bool:
        """Take up what has come; was there anything?"""
        chunks = self._gather()
        if chunks:
            self._take(chunks)
        if self._asked:
            self._renew(self._asked.pop())
        if self._kept and time.monotonic() - self._t_kept >= KEEP_S:
            self._tell_kept()
        self._checkpoint()
        self.reporter.look("running")
        return bool(chunks)

    def _renew(self, settings: dict[str, Any]) -> None:
        """Go on with other settings of detection; what that changes is told."""
        try:
            chunks = self.core.settings_record(settings)
        except LuxwakeError as error:
            _log.error("not taken, what held before holds: %s", error)
            return
        if chunks:
            followed = self.core.follow(self._until_written(lambda: self.core.write(chunks)))
            self._until_written(lambda: self.core.commit(followed))
            _log.info("other settings of [detect] or [watch] hold: %d events told anew", len(followed.changes))

    def _conclude(self) -> None:
        """Nothing comes any more: tell what is open as it stands."""
        last = self.core.conclude(self._until_written(lambda: self.core.write([])))
        self._until_written(lambda: self.core.commit(last))

    def _tell_kept(self) -> None:
        """Tell the sources what is on the disk for good: brokers need to keep it no more."""
        self._until_written(self.core.sync)
        for source in self.sources:
            cursor = self._kept.pop(source.intake.source, "")
            if cursor:
                source.on_kept(cursor)
        self._t_kept = time.monotonic()

    def _gather(self) -> list[Chunk]:
        """What has come of all sources, when something has."""
        if not self._any_waits():
            self.bell.wait(IDLE_S)
            if not self._any_waits():
                return []
        if sum(intake.waiting_bytes for intake in self.intakes) < self._at_once:
            time.sleep(GATHER_S)
        share = self._at_once // len(self.intakes)
        return [chunk for intake in self.intakes for chunk in intake.take(share)]

    def _any_waits(self) -> bool:
        return any(intake.has_some for intake in self.intakes)

    def _may_come(self) -> bool:
        return self._any_waits() or any(thread.is_alive() for thread in self._threads)

    def _take(self, chunks: list[Chunk]) -> None:
        """Have the core take up chunks, and tell the sources and sinks."""
        before = {number: parser.decoded for number, parser in self.core.parsers.items()}
        record = self._until_written(lambda: self.core.write(chunks))
        self._kept |= {chunk.source: chunk.cursor for chunk in chunks if chunk.cursor}
        begun = time.thread_time()
        followed = self.core.follow(record)
        per_s = sum(len(chunk.data) for chunk in chunks) / max(time.thread_time() - begun, 1e-6)
        self._at_once = min(BATCH_BYTES, 2 * self._at_once, max(LEAST_BYTES, round(RECORD_S * per_s)))
        self._until_written(lambda: self.core.commit(followed))
        oldest = min(chunk.t for chunk in chunks)
        self._lags.append((time.monotonic(), max(0.0, time.time() - oldest / 1e6)))  # a clock may have been set back
        if followed.changes:
            for dispatcher in self.dispatchers:
                dispatcher.wake()
        for source in self.sources:
            number = source.intake.source
            source.on_decoded(self.core.parsers[number].decoded - before[number])

    def _until_written(self, write: Callable[[], Any]) -> Any:
        """Try again where the disk is full: what has come waits, and nothing of it is lost."""
        while True:
            try:
                result = write()
                self._troubles["store"] = ""
                return result
            except OutputError as error:
                self._note("store", error)
                self.reporter.look(self.reporter.latest.phase)
                if self._stop.wait(1.0):
                    raise

    def _checkpoint(self) -> None:
        try:
            if self.core.saving.go_on():
                self._troubles["checkpoint"] = ""
                trim()
                set_aside("libllvmlite")
        except OutputError as error:  # the journal goes on, so that nothing is lost; it is tried again
            self._note("checkpoint", error)

    def _note(self, what: str, error: OutputError) -> None:
        """Something cannot be written: said once, until it can."""
        if not self._troubles[what]:
            _log.error("%s", error)
        self._troubles[what] = str(error)

    def _end(self) -> None:
        """Stop hearing, take up what waits, tell what can be told, write a checkpoint.

        What has a cursor is left: its source is asked for it again by the next start.
        """
        deadline = time.monotonic() + DRAIN_S
        self.reporter.look("draining", at_once=True)
        for source in self.sources:
            source.stop.set()
        try:
            while time.monotonic() < deadline and not self.core.is_behind and self._may_come():
                waited = [chunk for intake in self.intakes for chunk in intake.take(self._at_once)]
                chunks = [chunk for chunk in waited if not chunk.cursor]
                if chunks:
                    self._take(chunks)
                elif not waited:
                    time.sleep(GATHER_S)
        except OutputError as error:
            _log.error("%s; what waited is lost where its source cannot be asked again", error)
        for intake in self.intakes:
            intake.close()
        for dispatcher in self.dispatchers:
            dispatcher.end()
        for dispatcher in self.dispatchers:
            dispatcher.join(max(0.0, deadline - time.monotonic()))
        self.core.close()


def on_stop_signals(stop: Callable[[], None]) -> None:
    """SIGTERM and SIGINT call this; the second one ends the process at once."""

    def called(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, called)
