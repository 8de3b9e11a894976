"""Datagrams: many with each call of the system, and those counted that the system had to drop."""

from __future__ import annotations

import contextlib
import ipaddress
import select
import socket
import struct
import time

from geo.errors import UsageError
from luxwake.daemon.config import UdpSource
from luxwake.daemon.intake import Intake
from luxwake.daemon.sources.connection import GATHER_S, Connecting, readable
from luxwake.daemon.sources.datagrams import Gatherer, gatherer

SO_RCVBUFFORCE = 33
SO_MEMINFO, MEMINFO_DROPS, MEMINFO_WORDS = 55, 8, 9  # include/uapi/linux/sock_diag.h
SYSTEM_DROPPED = "dropped by the system at the socket"
LAST_S = 0.2
"""How long it goes on receiving after a stop."""


class UdpReceiver(Connecting):
    """Receives datagrams; each is put with a line end, so that lines are never glued across two of them.

    Nobody can be made to wait: while the queue is full the oldest are dropped, and while this thread is too slow the
    system drops. Both are counted.
    """

    def __init__(self, config: UdpSource, intake: Intake) -> None:
        super().__init__(config.name, intake, config.watchdog_s)
        self._config = config
        check_group(config)
        self.port = config.port
        """Where it listens: the port that the system chose, where the configuration says 0."""

    def hear(self) -> None:
        """Receive until `stop`."""
        with bound_socket(self._config) as sock:
            self.port = sock.getsockname()[1]
            granted = receive_buffer(sock, round(self._config.receive_buffer_mib * (1 << 20)))
            self.note_connected(f"listens on {self._config.host}:{self.port}{granted}")
            sock.setblocking(False)
            poll = select.poll()
            poll.register(sock, select.POLLIN)
            self._receive(sock, poll, gatherer(sock))

    def _receive(self, sock: socket.socket, poll: select.poll, gather: Gatherer) -> None:
        lost = 0
        multicast = _is_multicast(self._config.host)
        while not self.stop.is_set():
            if readable(poll):
                data, n, full = gather()
                if n:
                    self.intake.offer(data, n)
                if not full:
                    time.sleep(GATHER_S)
            elif multicast:
                self.watch()  # a membership may be lost with the network, and is taken up by a new socket
            lost = self._count_dropped(sock, lost)
        deadline = time.monotonic() + LAST_S
        while (got := gather())[1] and time.monotonic() < deadline:  # what had come before the stop
            self.intake.offer(got[0], got[1])
        self._count_dropped(sock, lost)

    def _count_dropped(self, sock: socket.socket, before: int) -> int:
        """Count the datagrams that the system has dropped since `before`, and give its count."""
        now = dropped(sock)
        if now != before:
            self.intake.count_lost((now - before) & 0xFFFFFFFF, reason=SYSTEM_DROPPED)
        return now


def bound_socket(config: UdpSource) -> socket.socket:
    """A socket at the address of a source; for one of a group, that has joined it."""
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if _is_multicast(config.host):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((config.host, config.port))
        if _is_multicast(config.host):
            group = socket.inet_aton(config.host) + socket.inet_aton(config.interface or "0.0.0.0")
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
    except BaseException:
        sock.close()
        raise
    return sock


def check_group(config: UdpSource) -> None:
    """Raise UsageError where a group cannot be joined."""
    if _is_multicast(config.host) and ":" in config.host:
        raise UsageError(
            f"source {config.name!r}: host is {config.host}; groups of IPv6 are not joined, take one of IPv4"
        )
    try:
        ipaddress.IPv4Address(config.interface or "0.0.0.0")
    except ValueError:
        raise UsageError(
            f"source {config.name!r}: interface is {config.interface!r}; it must be the IPv4 address of an interface"
        ) from None


def _is_multicast(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_multicast
    except ValueError:
        return False


def receive_buffer(sock: socket.socket, asked: int) -> str:
    """Ask for a receive buffer, as the administrator where that is allowed; in words, what was granted of it."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, asked)
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, asked)
    granted = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2  # Linux doubles it for its own needs
    words = f", receive buffer {granted / (1 << 20):.2g} MiB"
    return words + (f" of {asked / (1 << 20):.2g} asked (net.core.rmem_max)" if granted < asked else "")


def dropped(sock: socket.socket) -> int:
    """Datagrams that the system has dropped at this socket, modulo 2**32; 0 where it does not say."""
    try:
        words = sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 4 * MEMINFO_WORDS)
        return int(struct.unpack_from("=I", words, 4 * MEMINFO_DROPS)[0])
    except (OSError, struct.error):
        return 0
