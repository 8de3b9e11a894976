"""What sources share that connect to something: attempts with pauses, a watchdog, and calls that a stop ends."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import threading
import time
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from geo.errors import LuxwakeError
from luxwake.daemon.intake import Intake
from luxwake.daemon.source import Pauses, Source

LOOK_S = 0.2
"""How long a call waits at most before it looks whether it is to stop."""
CONNECT_S = 10.0
BUFFER_BYTES = 256 << 10
GATHER_S = 0.001
"""What comes within so long is put as one chunk: the cost of a chunk is shared by its lines."""


class Lost(Exception):
    """A connection could not be made or has ended, in words for the status."""


class Connecting(Source):
    """A source that connects, and connects again after pauses.

    The watchdog goes by decoded messages, as a connection may stay open for hours and bring nothing. It waits as long
    as the core has not taken what came.
    """

    def __init__(self, name: str, intake: Intake, watchdog_s: float) -> None:
        super().__init__(name, intake)
        self._watchdog_s = watchdog_s
        self._decoded_at = self._watched_from = time.monotonic()
        self._log = logging.getLogger(type(self).__module__)

    @abstractmethod
    def hear(self) -> None:
        """Connect once, and put what comes until `stop`; raises Lost or OSError."""

    def begin(self, cursor: str) -> None:
        """The cursor from which the first connection goes on."""

    def run(self, cursor: str) -> None:
        """Hear until `stop`."""
        self.begin(cursor)
        pauses = Pauses()
        while not self.stop.is_set():
            began = self._watched_from = time.monotonic()
            self.state = "connects"
            try:
                self.hear()
                why = "the other side has ended"
            except (Lost, OSError) as error:
                why = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
            except LuxwakeError:
                raise
            except Exception as error:  # a library's own, by which a source must not end
                why = f"{type(error).__name__}: {error}"
                self._log.debug("%s: %s", self.name, why, exc_info=True, extra={"source": self.name})
            self.connected = False
            if self.stop.is_set():
                break
            if self._decoded_at > began or time.monotonic() - began >= self._watchdog_s:
                pauses.reset()
            self._log.warning("%s: %s", self.name, why, extra={"source": self.name})
            wait_s = pauses.next_s()
            self.state = f"waits {wait_s:.1f} s: {why}"
            self.stop.wait(wait_s)
            if self._decoded_at > began:  # what came last is decoded meanwhile
                pauses.reset()
        self.state = "stopped"

    def on_decoded(self, messages: int) -> None:
        """Feed the watchdog."""
        if messages:
            self._decoded_at = time.monotonic()

    def note_connected(self, how: str) -> None:
        """Note that a connection has been made, in words for the status."""
        self.connected = True
        self.connections += 1
        self.state = how
        self._log.info("%s: %s", self.name, how, extra={"source": self.name})
        self._watched_from = time.monotonic()

    def watch(self) -> None:
        """Raise Lost where nothing has been decoded for too long."""
        if self.intake.waiting_bytes:
            return
        if time.monotonic() - max(self._decoded_at, self._watched_from) > self._watchdog_s:
            raise Lost(f"nothing decoded for {self._watchdog_s:g} s (watchdog_s)")

    @contextlib.contextmanager
    def guarded(self, sock: socket.socket) -> Iterator[None]:
        """While a library may block in a socket: a thread of its own ends that at a stop, and by the watchdog."""
        over = threading.Event()
        why: list[Lost] = []
        same = sock.dup()  # a library may take the descriptor over

        def guard() -> None:
            while not over.wait(LOOK_S / 2):
                try:
                    self.watch()
                except Lost as error:
                    why.append(error)
                if why or self.stop.is_set():
                    with contextlib.suppress(OSError):
                        same.shutdown(socket.SHUT_RDWR)
                    return

        thread = threading.Thread(target=guard, daemon=True, name=f"guard of {self.name}")
        thread.start()
        try:
            yield
        except Exception:
            if not why:
                raise
        finally:
            over.set()
            thread.join()
            same.close()
        if why:
            raise why[0]


def addresses_of(host: str, port: int, stop: threading.Event) -> list[tuple[Any, ...]]:
    """What `getaddrinfo` knows of a host, asked by a thread of its own, as a resolver may take half a minute.

    Raises
    ------
    OSError
        Where it knows nothing, or `stop` is set before it has answered.
    """
    found: list[Any] = []

    def ask() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    asking = threading.Thread(target=ask, daemon=True, name=f"resolve {host}")
    asking.start()
    while asking.is_alive() and not stop.is_set():
        asking.join(LOOK_S / 4)
    answer = found[0] if found else OSError(f"{host}: not resolved before the stop")
    if isinstance(answer, UnicodeError):
        raise OSError(f"{host!r} is no name of a host")
    if isinstance(answer, BaseException):
        raise answer
    return list(answer)


def connect(host: str, port: int, stop: threading.Event) -> socket.socket:
    """A TCP connection with keep-alive, not blocking; each address of the host is tried for 10 s at most.

    Raises
    ------
    OSError
        What the last address answered.
    """
    error = OSError(f"{host} has no address")
    for family, kind, protocol, _, address in addresses_of(host, port, stop):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            _wait_for_connection(sock, address, stop)
        except OSError as refused:
            sock.close()
            error = refused
            continue
        keep_alive(sock)
        return sock
    raise error


def reach(host: str, port: int, stop: threading.Event) -> None:
    """Find out that a host answers, before a library connects and blocks; raises OSError where it does not."""
    connect(host, port, stop).close()


def _wait_for_connection(sock: socket.socket, address: Any, stop: threading.Event) -> None:
    """Connect to an address, or raise what came of it."""
    code = sock.connect_ex(address)
    if code in (0, 115, 36):  # EINPROGRESS of Linux and of BSD
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        deadline = time.monotonic() + CONNECT_S
        while not poll.poll(1000 * LOOK_S / 2):
            if stop.is_set() or time.monotonic() > deadline:
                raise TimeoutError(f"no answer within {CONNECT_S:g} s")
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


def keep_alive(sock: socket.socket) -> None:
    """Find out within a minute that the other side is gone."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def readable(poll: select.poll) -> bool:
    """Whether something has come, waiting for it until it is time to look for a stop."""
    return bool(poll.poll(1000 * LOOK_S))
