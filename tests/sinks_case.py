"""Changes for sinks, brokers to send them to, and the outbox that sends them."""

import contextlib
import json
import shutil
import socket
import subprocess
import time

import pytest

from luxwake.daemon.outbox import Dispatcher
from luxwake.daemon.sink import Change
from luxwake.daemon.store import Store


def change(seq, kind="dark", told="opened", mmsi=671999101, name="SEA LARK 5", **more):
    values = {"other": 0, "lat": 35.0, "lon": 129.0, "score": 0.9, **more}
    body = json.dumps({"seq": seq, "kind": kind, "change": told, "mmsi": mmsi, "name": name}, ensure_ascii=False)
    return Change(seq, f"{seq:016x}", 1, told, kind, mmsi, body=body, **values)


def changes(*seqs):
    return [change(seq) for seq in seqs]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@contextlib.contextmanager
def broker(command, *arguments, port):
    path = shutil.which(command) or shutil.which(command, path="/usr/sbin")
    if path is None:
        pytest.skip(f"{command} is not installed")
    process = subprocess.Popen([path, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def dispatched(folder, sink, count):
    """A dispatcher that sends so many changes of a real store to a sink."""
    store = Store(folder / "store.sqlite")
    made = changes(*range(1, count + 1))
    store.commit(1, 0, made, {"sink": made.__contains__}, [])
    dispatcher = Dispatcher("sink", sink, store)
    dispatcher.start()

    def wait_until(is_so):
        deadline = time.monotonic() + 60.0
        while not is_so():
            assert time.monotonic() < deadline, dispatcher.last_error
            time.sleep(0.02)

    try:
        yield store, dispatcher, wait_until
    finally:
        dispatcher.end()
        dispatcher.join(30.0)
        store.close()
