"""Many datagrams with one call: `recvmmsg` of Linux by ctypes, else one after the other.

A thread of Python that receives one datagram a call must take the interpreter again after each of them, for which a
busy core lets it wait up to 5 ms; so the number of calls is what counts.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
from collections.abc import Callable

import numpy as np

SLOTS = 512
"""Datagrams a call."""
SLOT_BYTES = 1 << 16
"""More than the largest has, 65,507; only pages that are written to take memory."""
GATHERED_BYTES = 1 << 16
NEWLINE = 10

Gatherer = Callable[[], tuple[bytes, int, bool]]
"""() -> what has come, each datagram ended by a newline; how many; whether more may be there. Never waits."""


class Vector(ctypes.Structure):
    """`struct iovec`."""

    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


class Header(ctypes.Structure):
    """`struct msghdr`."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint32),
        ("vectors", ctypes.c_void_p),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class Message(ctypes.Structure):
    """`struct mmsghdr`."""

    _fields_ = (("header", Header), ("size", ctypes.c_uint32))


def gatherer(sock: socket.socket) -> Gatherer:
    """The best way to gather the datagrams of a socket that does not block."""
    receive = getattr(ctypes.CDLL(None, use_errno=True), "recvmmsg", None)
    return ManyAtOnce(sock, receive) if receive is not None else one_by_one(sock)


class ManyAtOnce:
    """Gathers by `recvmmsg`."""

    def __init__(self, sock: socket.socket, receive: Callable[..., int]) -> None:
        self._fd, self._receive = sock.fileno(), receive
        self._alone = one_by_one(sock)
        pages = mmap.mmap(-1, SLOTS * SLOT_BYTES)
        self._bytes = memoryview(pages)
        self._slots = np.frombuffer(pages, np.uint8).reshape(SLOTS, SLOT_BYTES)
        self._rows = np.arange(SLOTS)
        self._vectors = (Vector * SLOTS)()
        self._messages = (Message * SLOTS)()
        for k, (vector, message) in enumerate(zip(self._vectors, self._messages, strict=True)):
            vector.base, vector.size = self._slots.ctypes.data + k * SLOT_BYTES, SLOT_BYTES - 1
            message.header.vectors, message.header.vector_count = ctypes.addressof(vector), 1
        words = np.frombuffer(memoryview(self._messages).cast("B"), np.uint32).reshape(SLOTS, -1)
        self._sizes = words[:, Message.size.offset // 4]

    def __call__(self) -> tuple[bytes, int, bool]:
        """What has come."""
        n = self._receive(self._fd, self._messages, SLOTS, socket.MSG_DONTWAIT, None)
        if n < 0:
            code = ctypes.get_errno()
            if code in (errno.EAGAIN, errno.EINTR):
                return b"", 0, False
            if code in (errno.ENOSYS, errno.EPERM):  # a filter of system calls that does not know it
                return self._alone()
            raise OSError(code, os.strerror(code))
        sizes, rows = self._sizes[:n].astype(np.int64), self._rows[:n]
        bare = self._slots[rows, sizes - 1] != NEWLINE  # of an empty one the last byte of its slot: 0
        self._slots[rows[bare], sizes[bare]] = NEWLINE
        starts = rows * SLOT_BYTES
        spans = zip(starts.tolist(), (starts + sizes + bare).tolist(), strict=True)
        return b"".join([self._bytes[start:end] for start, end in spans]), n, n == SLOTS


def one_by_one(sock: socket.socket) -> Gatherer:
    """Gathers by `recv_into`."""
    buffer = bytearray(GATHERED_BYTES + SLOT_BYTES)
    view = memoryview(buffer)

    def gather() -> tuple[bytes, int, bool]:
        filled = n = 0
        try:
            while filled < GATHERED_BYTES:
                got = sock.recv_into(view[filled:], SLOT_BYTES - 1)
                if not got or buffer[filled + got - 1] != NEWLINE:
                    buffer[filled + got] = NEWLINE
                    got += 1
                filled += got
                n += 1
        except BlockingIOError:
            return bytes(view[:filled]), n, False
        return bytes(view[:filled]), n, True

    return gather
