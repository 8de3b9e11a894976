"""What `luxwake run` wrote, read back: findings by id, what they rest on, the ways of their ships if they were kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cargo.dossier_graph import rows_of
from geo.errors import InputError, UsageError
from luxwake.case.shape import misshapen

if TYPE_CHECKING:
    from ais.table import Fixes
    from luxwake.export.features import Track

Json = Mapping[str, Any]

FILES = ("findings.json", "events.parquet", "identity.parquet", "fixes.parquet")
"""Files of a run that a case rests on; those that are there are named with their digest."""


@dataclass(frozen=True)
class RunFolder:
    """A run: its folder, findings in the order of rank, inputs and parameters, the digest of each of its files,
    and the findings of earlier runs that no longer stand."""

    folder: Path
    findings: tuple[Json, ...]
    inputs: tuple[Json, ...]
    parameters: Json
    digests: Mapping[str, str]
    retracted: tuple[Json, ...] = ()

    def chosen(self, ids: Sequence[str]) -> list[Json]:
        """The findings of some ids, their first characters, or their ranks; all where none is named.

        Raises UsageError for an id that is none, or that several begin with.
        """
        if not ids:
            return list(self.findings)
        found = []
        for wanted in ids:
            of_id = [one for one in self.findings if str(one.get("id", "")).startswith(wanted)]
            exact = [one for one in of_id if one.get("id") == wanted]
            fits = exact or of_id or [one for one in self.findings if str(one.get("rank")) == wanted]
            if len(fits) != 1:
                how = "is no finding" if not fits else f"begins {len(fits)} ids"
                known = ", ".join(str(one.get("id")) for one in self.findings[:5]) or "none"
                raise UsageError(f"{wanted!r} {how} of {self.folder}; there are {known}; see `luxwake case show`")
            if fits[0] not in found:
                found.append(fits[0])
        return found

    def fixes(self) -> Fixes | None:
        """The positions of the run, None where it did not keep them."""
        path = self.folder / "fixes.parquet"
        if not path.is_file():
            return None
        from ais.read import read

        return read([path])

    def tracks(self, findings: Sequence[Json], fixes: Fixes | None) -> list[Track]:
        """The ways of the ships of some findings, around their events; empty where no positions were kept."""
        if fixes is None:
            return []
        import numpy as np

        from luxwake.export.features import Track
        from luxwake.report.focus import ships_of, window_of

        spans: dict[int, list[tuple[int, int]]] = {}
        for finding in findings:
            for mmsi in ships_of(finding):
                spans.setdefault(mmsi, []).append(window_of(finding))
        made = []
        for mmsi, windows in sorted(spans.items()):
            near = np.logical_or.reduce([(fixes["t"] >= start) & (fixes["t"] <= end) for start, end in windows])
            rows = np.flatnonzero((fixes["mmsi"] == mmsi) & near & (fixes["status"] == 0))
            rows = rows[np.argsort(fixes["t"][rows], kind="stable")]
            made.append(Track(mmsi, *(fixes[name][rows].tolist() for name in ("t", "lat", "lon"))))
        return made


def read_run(folder: str | Path) -> RunFolder:
    """Read the folder of a run.

    Raises InputError where there is no findings.json, or one that no run wrote.
    """
    place = Path(folder)
    path = place / "findings.json"
    if not path.is_file():
        raise InputError(f"{path}: no such file; give the folder that `luxwake run --shipments FILE` wrote")
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); run `luxwake run` again") from None
    listed = told.get("findings") if isinstance(told, Mapping) else None
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise InputError(f"{path}: has no list of findings; give the folder that `luxwake run` wrote")
    for n, one in enumerate(listed):
        if wrong := next(misshapen(one), ""):
            raise InputError(f"{path}: finding {n + 1}: {wrong}; run `luxwake run` again")
    for one in rows_of(told, "retracted"):
        if wrong := next(misshapen(one), ""):
            raise InputError(f"{path}: retracted finding: {wrong}; run `luxwake run` again")
    parameters = told.get("parameters")
    return RunFolder(
        place,
        tuple(listed),
        tuple(rows_of(told, "inputs")),
        parameters if isinstance(parameters, Mapping) else {},
        {name: sha256_of(place / name) for name in FILES if (place / name).is_file()},
        tuple(rows_of(told, "retracted")),
    )


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file in hex; InputError where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None


def parameters_digest(parameters: Json) -> str:
    """The SHA-256 of parameters as JSON with sorted keys.

    >>> parameters_digest({"b": 1, "a": 2}) == parameters_digest({"a": 2, "b": 1})
    True
    """
    return hashlib.sha256(json.dumps(parameters, sort_keys=True).encode()).hexdigest()
