"""What is told depends on it: the settings of detection, as the journal keeps them, and the watch that they make."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from detectors.past import Room
from detectors.settings import params_of
from detectors.watch import Watch
from geo.errors import InputError, OutputError
from geo.whole_file import replacing, sync
from luxwake.daemon.config import Config, DetectConfig

Settings = dict[str, Any]


def settings_of(config: Config) -> Settings:
    """The part of a configuration that says how events are found, as plain values; of the file of anchorages what it
    holds, too, as a digest. InputError where that cannot be read."""
    settings: Settings = msgspec.to_builtins({"detect": config.detect, "watch": config.watch})
    path = config.detect.anchorages
    return {**settings, "anchorages": _digest(_bytes_of(path)) if path else ""}


def watch_of(settings: Settings, spool: Path | None = None, kept: Path | None = None) -> Watch:
    """A watch with these settings; UsageError or InputError for what they may not say.

    Anchorages are those that the settings were made with: where `kept` is given a copy of their file lies in that
    folder, for the file itself may be another by now.
    """
    from geo.anchorages import Anchorages

    detect = msgspec.convert(settings["detect"], DetectConfig)
    path = detect.anchorages if kept is None else _copy_of(settings, kept)
    anchorages = Anchorages.load(path) if detect.anchorages else None
    return Watch(detect.detectors, params_of(detect.params), anchorages=anchorages, spool=spool, **settings["watch"])


def apart(settings: Settings) -> tuple[Settings, dict[str, Any]]:
    """Settings on which it depends what is told, and those that say how much is kept. Of a file it is what it holds,
    and not where it lies."""
    detect, told = {**settings["detect"], "anchorages": ""}, dict(settings["watch"])
    room = {name: told.pop(name) for name in Room._fields if name in told}
    return {**settings, "detect": detect, "watch": told}, room


def folder_name(settings: Settings) -> str:
    """A name for the files of a watch with these settings, however much it keeps: of settings that are equal, in
    whatever order and form they are written, it is the same.

    >>> one = {"detect": {"params": {"dark": {"min_gap_s": 43200}}}, "watch": {"max_rows": 1, "lateness_s": 600}}
    >>> two = {"watch": {"lateness_s": 600.0, "max_rows": 2}, "detect": {"params": {"dark": {"min_gap_s": 43200.0}}}}
    >>> folder_name(one) == folder_name(two)
    True
    """
    told = msgspec.json.encode(_plain(apart(settings)[0]), order="deterministic")
    return hashlib.blake2b(told, digest_size=8).hexdigest()


def _plain(value: Any) -> Any:
    """A value in which equal numbers are written alike."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    is_whole = isinstance(value, bool) or (isinstance(value, float) and abs(value) < 1 << 53 and value.is_integer())
    return int(value) if is_whole else value


def _copy_of(settings: Settings, folder: Path) -> Path:
    """The copy of a file of anchorages, on the disk for good; made where there is none."""
    from geo.anchorages import Anchorages

    copy, path = folder / str(settings["anchorages"]), settings["detect"]["anchorages"]
    if path and not copy.is_file():
        Anchorages.load(path)
        data = _bytes_of(path)
        if _digest(data) != settings["anchorages"]:
            raise InputError(f"{path}: has been changed meanwhile; try again, or begin anew with an empty folder")
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            with replacing(copy) as stream:
                stream.write(data)
            sync(folder, folder.parent)
        except OSError as error:
            raise OutputError(f"{copy}: cannot be written ({error.strerror}); free space") from None
    return copy


def _bytes_of(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); `luxwake anchorages` writes one") from None


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
