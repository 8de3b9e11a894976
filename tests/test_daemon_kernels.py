"""A daemon that begins knows whether its kernels are compiled, for this processor."""

import os
import shutil
import subprocess
import sys
import time

import psutil
import pytest

from geo.kernel import CACHE_FOLDER
from luxwake.daemon import kernels


def test_kernels_for_another_processor_are_not_taken_for_compiled(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "CACHE_FOLDER", tmp_path)
    assert not kernels.is_compiled()
    kernels.note_compiled()
    assert kernels.is_compiled()
    (note,) = tmp_path.iterdir()
    note.write_text("another processor\n")
    assert not kernels.is_compiled()


def test_the_kernels_of_this_daemon_are_told_from_those_of_another_copy(tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "CACHE_FOLDER", tmp_path)
    kernels.note_compiled()
    assert kernels.is_compiled()
    monkeypatch.setattr(kernels, "__file__", str(tmp_path / "kernels.py"))
    assert not kernels.is_compiled()


def test_without_a_folder_nothing_is_known_to_be_compiled(monkeypatch):
    monkeypatch.setattr(kernels, "CACHE_FOLDER", None)
    kernels.note_compiled()
    assert not kernels.is_compiled()


@pytest.mark.skipif(CACHE_FOLDER is None, reason="there is no folder for kernels (set LUXWAKE_CACHE)")
def test_where_the_process_that_compiles_is_killed_another_one_does_it(tmp_path):
    shutil.copytree(CACHE_FOLDER, tmp_path / CACHE_FOLDER.name)
    for note in (tmp_path / CACHE_FOLDER.name).glob("of-the-daemon-*"):
        note.unlink()
    words = "import threading; from luxwake.daemon.kernels import have_kernels; print(have_kernels(threading.Event()))"
    environment, deadline = {**os.environ, "LUXWAKE_CACHE": str(tmp_path)}, time.monotonic() + 600.0
    with subprocess.Popen([sys.executable, "-c", words], env=environment, stdout=subprocess.PIPE, text=True) as process:
        while not (children := psutil.Process(process.pid).children()):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        children[0].kill()
        assert process.communicate()[0] == "compiled\n"
