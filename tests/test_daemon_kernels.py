"""A daemon that begins knows whether its kernels are compiled, for this processor."""

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
