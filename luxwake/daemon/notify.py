"""What a service tells systemd (sd_notify(3)): that it is ready, what it does, that it is alive, that it stops."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping


class Notify:
    """The socket in `NOTIFY_SOCKET`; nothing is done where there is none.

    Attributes
    ----------
    watchdog_s : how often `watchdog` is to be called: half of what the unit allows; None where it does not ask

    >>> Notify({}).ready(), Notify({"WATCHDOG_USEC": "30000000"}).watchdog_s
    (False, 15.0)
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        self._path = environment.get("NOTIFY_SOCKET", "")
        microseconds, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
        is_meant = microseconds.isdecimal() and int(microseconds) > 0 and process in ("", str(os.getpid()))
        self.watchdog_s = int(microseconds) / 2e6 if is_meant else None

    def ready(self) -> bool:
        """The service is up, or has reloaded."""
        return self._send("READY=1")

    def status(self, text: str) -> bool:
        """One line for `systemctl status`."""
        return self._send(
            "STATUS=" + "".join(character if character.isprintable() else " " for character in text)[:500]
        )

    def watchdog(self) -> bool:
        """The service is alive; the core says so, so that a core that hangs is noticed."""
        return self._send("WATCHDOG=1")

    def reloading(self) -> bool:
        """The configuration is read again; `ready` ends it."""
        return self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> bool:
        """The service stops."""
        return self._send("STOPPING=1")

    def _send(self, text: str) -> bool:
        """Whether it was sent."""
        if not self._path.startswith(("/", "@")):
            return False
        address = "\0" + self._path[1:] if self._path.startswith("@") else self._path
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as told:
                told.setblocking(False)
                told.sendto(text.encode(), address)
        except OSError:
            return False
        return True
