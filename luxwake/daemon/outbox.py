"""The outbox: for each sink a thread that sends what is due, in order, until the sink has it for good or refuses it.

A change that was committed is sent at least once, whatever is killed and when; a sink that writes files makes it
exactly once by its mark (see `luxwake.daemon.sink`). A sink that is slow or gone delays nobody: its changes wait in the
store.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from geo.errors import OutputError
from luxwake.daemon.event_store import EventStore
from luxwake.daemon.sink import Change, NotNow, Refused, Sink
from luxwake.daemon.source import Pauses

LOOK_S = 0.5
"""A sink that has nothing to send looks this often, and whenever it is told of changes."""
_log = logging.getLogger("luxwake.outbox")


class Dispatcher(threading.Thread):
    """Sends the changes of one sink.

    Parameters
    ----------
    name : the sink's name in the configuration
    max_attempts : after so many a change goes to the dead letters; 0: never
    """

    def __init__(self, name: str, sink: Sink, store: EventStore, max_attempts: int = 0) -> None:
        super().__init__(name=f"sink {name}", daemon=True)
        self.sink_name, self._sink, self._store, self._max_attempts = name, sink, store, max_attempts
        self._ending, self._due, self._rotated = threading.Event(), threading.Event(), threading.Event()
        self.last_error = ""
        self.failures = 0
        self._pauses = Pauses()
        self._unkept: tuple[Sequence[Change], str] | None = None
        """What the sink has, with its mark, and the store does not know of yet."""

    def wake(self) -> None:
        """There may be something to send."""
        self._due.set()

    def reopen(self) -> None:
        """The file that the sink writes to may have been moved away."""
        self._rotated.set()
        self._due.set()

    def end(self) -> None:
        """Send no more after what is being sent now."""
        self._ending.set()
        self._due.set()

    def run(self) -> None:
        """Send what is due until `end`."""
        is_started = False
        while not self._ending.is_set():
            try:
                if not is_started:
                    self._begin(self._sink.start)
                    is_started = True
                if self._rotated.is_set() and self._unkept is None:
                    self._rotated.clear()
                    self._begin(self._sink.reopen)
                if not self._send():
                    self._due.wait(LOOK_S)
                    self._due.clear()
            except NotNow as error:
                if error.taken:  # it gets on
                    self._pauses.reset()
                self._wait(str(error), error.after_s)
            except OutputError as error:
                self._wait(str(error))
            except Exception as error:  # a thread that dies would keep its changes for ever; what is wrong is said
                _log.exception("sink %s failed", self.sink_name)
                self._wait(f"{type(error).__name__}: {error}")
        self._sink.close()

    def _begin(self, open_at: Callable[[str], str]) -> None:
        """Have the sink go on from its mark, and keep the one from which it does."""
        mark = self._store.mark(self.sink_name)
        begun = open_at(mark)
        if begun != mark:
            self._store.sent(self.sink_name, (), begun)

    def _wait(self, reason: str, after_s: float = 0.0) -> None:
        self.last_error = reason
        self.failures += 1
        seconds = max(self._pauses.next_s(), after_s)
        _log.warning("sink %s cannot be sent to: %s; again in %.0f s", self.sink_name, reason, seconds)
        self._ending.wait(seconds)

    def _send(self) -> bool:
        """Send one batch; was there any?"""
        if self._unkept is None and not self._hand_over():
            return False
        if self._unkept is not None:
            self._store.sent(self.sink_name, *self._unkept)
            self._unkept = None
            self.last_error = ""
            self._pauses.reset()
        return True

    def _hand_over(self) -> bool:
        """What is due to the sink; was there any?"""
        changes = self._store.due(self.sink_name, self._sink.max_batch)
        if not changes:
            return False
        try:
            self._unkept = changes, self._sink.send(changes)
        except (Refused, NotNow) as error:
            if error.taken:
                self._store.sent(self.sink_name, changes[: error.taken], self._store.mark(self.sink_name))
            if error.taken == len(changes):  # all were acknowledged while the connection failed
                return True
            first, self.last_error = changes[error.taken], str(error)
            if isinstance(error, Refused):
                self._store.refused(self.sink_name, first, str(error))
                return True
            attempts = self._store.tried(self.sink_name, first)
            if self._max_attempts and attempts >= self._max_attempts:
                self._store.refused(self.sink_name, first, f"{attempts} attempts failed, the last: {error}")
            raise
        return True
