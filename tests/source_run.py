"""A source that runs in its thread, and a core that takes what it puts: for tests, which wait by deadlines."""

import socket
import threading
import time

from luxwake.daemon.intake import Intake
from luxwake.daemon.sources import make_source

DEADLINE_S = 15.0


class Running:
    """Runs the source of a configuration; `kept` says whether the core tells that the journal has the chunks."""

    def __init__(self, config, cursor="", max_bytes=64 << 20, kept=True, decodes=False, source=None):
        self.intake = Intake(0, max_bytes)
        self.source = source(config, self.intake) if source else make_source(config, self.intake)
        self.chunks = []
        self.kept, self.decodes, self.taking = kept, decodes, True
        self.failure, self.dead = None, False
        self._thread = threading.Thread(target=self._run, args=(cursor,), daemon=True)

    def _run(self, cursor):
        try:
            self.source.run(cursor)
        except Exception as error:
            self.failure = error

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        """Stop, and take what is left; the seconds that it took."""
        began = time.monotonic()
        self.source.stop.set()
        self.taking = not self.dead
        while self._thread.is_alive() and time.monotonic() - began < DEADLINE_S:
            self._thread.join(0.005)
            self.take()
        assert not self._thread.is_alive(), self.source.state
        self.take()
        if self.failure is not None:
            raise self.failure
        return time.monotonic() - began

    def kill(self):
        """What has been put but not taken is gone, as after a kill."""
        self.taking, self.dead = False, True
        self.intake.close()
        self.source.stop.set()
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()

    def take(self):
        """What the core does."""
        if not self.taking:
            return
        for chunk in self.intake.take(4 << 20):
            self.chunks.append(chunk)
            if self.kept and chunk.cursor:
                self.source.on_kept(chunk.cursor)
            if self.decodes:
                self.source.on_decoded(1)

    @property
    def data(self):
        return b"".join(chunk.data for chunk in self.chunks)

    @property
    def lines(self):
        """What came, without the blank lines between connections."""
        return [line for line in self.data.split(b"\n") if line]

    @property
    def units(self):
        return sum(chunk.units for chunk in self.chunks)

    @property
    def cursor(self):
        """That of the last chunk that was kept."""
        return self.chunks[-1].cursor if self.chunks else ""

    def until(self, condition, what="the condition"):
        """Take until a condition holds."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            assert self.failure is None, self.failure
            assert time.monotonic() < deadline, f"{what} did not come: {self.source.state}, {len(self.data)} bytes"
            self.take()
            time.sleep(0.002)

    def until_lines(self, n):
        self.until(lambda: len(self.lines) >= n, f"{n} lines")


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def lines_of(n, first=0):
    return [b"!line %d" % k for k in range(first, first + n)]
