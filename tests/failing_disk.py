"""Calls of the system that write: counted by what they do to what, and one of them dies or fails."""

from __future__ import annotations

import builtins
import errno
import io
import os
import re
import sqlite3
import threading
from collections import Counter
from pathlib import Path

PLACES = (
    (r"journal/.*\.journal", "journal"),
    (r"journal", "journal folder"),
    (r"checkpoints/(?:\.?\d+\.|spare-)(watch|parsers|archive|json).*", r"checkpoint \1"),
    (r"checkpoints", "checkpoint folder"),
    (r"spool/.*part.*", "spool"),
    (r"spool/[0-9a-f]+", "spool folder"),
    (r"archive/\.?\.unsettled.*", "archive list"),
    (r"archive/.*/\.?\d+-\d+\.parquet.*", "archive merged"),
    (r"archive/.*\.parquet.*", "archive file"),
    (r"archive.*", "archive folder"),
    (r"told\.jsonl.*", "sink file"),
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
FAILURES = {"full": errno.ENOSPC, "broken": errno.EIO}
SAID = {"full": "database or disk is full", "broken": "disk I/O error"}


def place_of(path, folder):
    """What a path under the folder is; "" for what is not watched."""
    try:
        name = str(Path(os.fsdecode(path)).relative_to(folder))
    except ValueError:
        return ""
    for pattern, place in PLACES:
        if found := re.fullmatch(pattern, name.removeprefix("state/")):
            return found.expand(place)
    return ""


class FailingDisk:
    """Takes the place of what Python calls to write below a folder, for the rest of the process.

    The `n`-th call of `point`, such as "journal write", does what `how` says: the process ends "before", in the
    "middle" of or "after" it, or it fails because the disk is "full" or "broken" (then half has been written).
    """

    def __init__(self, folder, point="", n=0, how=""):
        self.counts = Counter()
        self._lock = threading.Lock()
        self._folder, self._point, self._n, self._how = Path(folder).resolve(), point, n, how
        self._real = {name: getattr(os, name) for name in ("open", "write", "fsync", "fdatasync", "replace", "unlink")}
        os.open, os.write, os.replace, os.unlink = self._open, self._write, self._replace, self._unlink
        os.fsync, os.fdatasync = self._sync("fsync"), self._sync("fdatasync")
        self._io_open, self._connect = io.open, sqlite3.connect
        io.open = builtins.open = self._stream
        sqlite3.connect = self._database

    def _call(self, place, kind, work, half=lambda: None):
        point = f"{place} {kind}"
        with self._lock:  # checkpoints and the archive are written by threads of their own
            self.counts.update([point] if place else [])
            is_due = place and point == self._point and self.counts[point] == self._n
        if not is_due:
            return work()
        if self._how in FAILURES:
            half()
            number = FAILURES[self._how]
            raise (
                sqlite3.OperationalError(SAID[self._how]) if place == "store" else OSError(number, os.strerror(number))
            )
        if self._how == "middle":
            half()
        if self._how == "after":
            work()
        os._exit(9)

    def _of(self, file):
        return place_of(os.readlink(f"/proc/self/fd/{file}"), self._folder)

    def _open(self, path, flags, *more, **named):
        place = place_of(path, self._folder) if flags & WRITING and isinstance(path, (str, os.PathLike)) else ""
        place = "" if place.endswith("folder") else place  # of a file without a name
        return self._call(place, "open", lambda: self._real["open"](path, flags, *more, **named))

    def _write(self, file, data):
        real = self._real["write"]
        return self._call(self._of(file), "write", lambda: real(file, data), lambda: real(file, data[: len(data) // 2]))

    def _sync(self, name):
        return lambda file: self._call(self._of(file), "sync", lambda: self._real[name](file))

    def _replace(self, source, target):
        return self._call(place_of(target, self._folder), "replace", lambda: self._real["replace"](source, target))

    def _unlink(self, path, *more, **named):
        is_there = os.path.exists(path)
        place = place_of(path, self._folder) if is_there else ""
        return self._call(place, "unlink", lambda: self._real["unlink"](path, *more, **named))

    def _stream(self, file, mode="r", *more, **named):
        place = place_of(file, self._folder) if "b" in mode and isinstance(file, (str, os.PathLike)) else ""
        if not place or place.endswith("folder") or not set(mode) & set("wax+"):
            return self._io_open(file, mode, *more, **named)
        outer = self

        class Raw(io.FileIO):
            def write(self, data):
                whole = bytes(data)
                return outer._call(
                    place, "write", lambda: super(Raw, self).write(whole),
                    lambda: super(Raw, self).write(whole[: len(whole) // 2]),
                )  # fmt: skip

        raw = self._call(place, "open", lambda: Raw(file, mode.replace("b", "")))
        return io.BufferedWriter(raw) if more != (0,) and named.get("buffering") != 0 else raw

    def _database(self, *values, **named):
        outer = self

        class Connection(sqlite3.Connection):
            def execute(self, sql, *more):
                word = sql.split(None, 1)[0].lower()
                place = "store" if word in ("begin", "commit", "insert", "update", "delete") else ""
                return outer._call(place, word, lambda: super(Connection, self).execute(sql, *more))

            def executemany(self, sql, rows):
                return outer._call(
                    "store", sql.split(None, 1)[0].lower(), lambda: super(Connection, self).executemany(sql, rows)
                )

        return self._connect(*values, factory=Connection, **named)
