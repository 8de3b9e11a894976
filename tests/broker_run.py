"""Real brokers from Debian, each on a free port and in a folder of its own, for tests."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from source_run import DEADLINE_S, free_port

PACKAGES = {"mosquitto": "mosquitto", "nats-server": "nats-server", "redis-server": "redis-server"}


def binary_of(name):
    found = shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/sbin:/bin")
    if found is None:
        pytest.skip(f"{name} is not installed (apt-get install {PACKAGES[name]})")
    return found


class Broker:
    """A process that listens on `port`, and keeps what it has in `folder`."""

    def __init__(self, name, folder):
        self.binary, self.folder, self.port = binary_of(name), Path(folder), free_port()
        self._process = None
        arguments = getattr(self, "_" + name.partition("-")[0])()
        self._command = [self.binary, *map(str, arguments)]

    def _mosquitto(self):
        settings = self.folder / "mosquitto.conf"
        settings.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\nuser root\n"
            f"persistence_location {self.folder}/\nmax_queued_messages 0\nmax_inflight_messages 100\n"
            "autosave_on_changes true\nautosave_interval 1\n"
        )
        return "-c", settings

    def _nats(self):
        return "-a", "127.0.0.1", "-p", self.port, "-js", "-sd", self.folder

    def _redis(self):
        return "--port", self.port, "--dir", self.folder, "--appendonly", "yes", "--appendfsync", "always"

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.02)

    def stop(self, how=signal.SIGTERM):
        self._process.send_signal(how)
        self._process.wait(DEADLINE_S)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self._process.poll() is None:
            self.stop(signal.SIGKILL)
