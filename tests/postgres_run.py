"""A real PostgreSQL from Debian in a folder and on a port of its own, for tests."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from source_run import free_port

PASSWORD = "s3cr3t-pw"


def binaries():
    """The folder of initdb and pg_ctl; the test is skipped where there is none."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install 'luxwake[pg]'")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql postgresql-15-postgis-3)")
    return found[-1].parent


class Postgres:
    """A server that can be stopped and started again; databases are made by `database`."""

    def __init__(self):
        self._binaries = binaries()
        self.folder = Path(tempfile.mkdtemp(prefix="luxwake-pg-"))
        self._user = {}
        if os.geteuid() == 0:  # it refuses to run as the administrator
            names = {one.pw_name for one in pwd.getpwall()}
            name = "postgres" if "postgres" in names else "nobody"
            self._user = {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}
            os.chown(self.folder, pwd.getpwnam(name).pw_uid, pwd.getpwnam(name).pw_gid)
        self.port, self._made = free_port(), 0
        word = self.folder / "word"
        word.write_text(PASSWORD)
        word.chmod(0o644)
        self._run("initdb", "-U", "me", "-A", "scram-sha-256", f"--pwfile={word}", "-E", "UTF8", "--locale=C", "-N")
        with (self.folder / "data" / "postgresql.conf").open("a") as file:
            file.write(
                f"\nlisten_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = ''\nfsync = off\n"
                "shared_buffers = 16MB\nmax_wal_size = 64MB\n"
            )

    def _run(self, name, *arguments):
        done = subprocess.run(
            [self._binaries / name, "-D", self.folder / "data", *arguments],
            cwd=self.folder,
            stdout=subprocess.PIPE if name == "initdb" else subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            **self._user,
        )
        assert done.returncode == 0, done.stdout or (self.folder / "log").read_text()

    def start(self):
        self._run("pg_ctl", "-w", "-t", "120", "-l", str(self.folder / "log"), "start")
        return self

    def stop(self, how="immediate"):
        """`immediate` is as a kill: what was not committed is lost, and clients are not told."""
        self._run("pg_ctl", "-w", "-t", "120", "-m", how, "stop")

    def url(self, database, port=None):
        return f"postgresql://me:{PASSWORD}@127.0.0.1:{port or self.port}/{database}"

    def asked(self, sql, database="postgres"):
        """What the server answers to somebody else."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as db:
            found = db.execute(sql)
            return found.fetchall() if found.description else []

    def database(self, *, has_points=False):
        """The URL of a new database."""
        self._made += 1
        name = f"ships{self._made}"
        self.asked(f"create database {name}")
        if has_points:
            if not self.asked("select 1 from pg_available_extensions where name = 'postgis'"):
                pytest.skip("PostGIS is not installed (apt-get install postgresql-15-postgis-3)")
            self.asked("create extension postgis", name)
        return self.url(name)

    def remove(self):
        with contextlib.suppress(AssertionError):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
