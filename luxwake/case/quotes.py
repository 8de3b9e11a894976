"""The lines behind a finding, as they stand in the inputs: read at their byte offset, checked against their digest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ais.unpack import file_of, open_bytes
from cargo.dossier_graph import rows_of
from cargo.dossier_parts import file_name
from geo.errors import InputError
from luxwake.case.folder import sha256_of

Json = Mapping[str, Any]

MAX_LINE = 64 << 10
"""Bytes of a row that are read; of a longer one the beginning is shown."""
MAX_BREAKS = 50
"""Line breaks within one row of CSV that are tried until its digest is met."""


_DIGEST = re.compile(r"\b[0-9a-f]{16}\b")


class Quote(NamedTuple):
    """A line as it was read, and whether it is the one: None where no digest of it was kept.

    `same_file` says whether its file has the SHA-256 of the run's.
    """

    text: str
    agrees: bool | None
    same_file: bool = False


Quotes = dict[tuple[str, int], Quote]


def quotes_of(findings: Iterable[Json], paths: Sequence[str | Path], inputs: Sequence[Json]) -> Quotes:
    """The lines that the evidence of findings names, by file name and byte offset.

    Raises InputError for a file that no evidence names, or that is not the one of the run (by its SHA-256).
    """
    wanted: dict[str, dict[int, str]] = {}
    for finding in findings:
        for item in rows_of(finding, "evidence"):
            if isinstance(item.get("offset"), int) and item["offset"] >= 0:
                digest = _DIGEST.search(str(item.get("note"))) if item.get("row") is not None else None
                wanted.setdefault(file_name(item.get("file")), {})[item["offset"]] = digest[0] if digest else ""
    found: Quotes = {}
    for path in map(Path, paths):
        same_file = _check(path, wanted, inputs)
        for offset, quote in _lines(path, wanted[path.name]):
            found[path.name, offset] = quote._replace(same_file=same_file)
    return found


def _check(path: Path, wanted: Mapping[str, object], inputs: Sequence[Json]) -> bool:
    """Refuse a file that cannot be the one of the run; whether its digest says that it is."""
    if path.name not in wanted:
        names = ", ".join(sorted(wanted)) or "none"
        raise InputError(f"{path}: no exhibit stands in a file of this name; those named are {names}")
    digests = {str(one.get("file")): one.get("sha256") for one in inputs}
    on_disk = file_of(path)
    expected = digests.get(on_disk.name)
    if not on_disk.is_file():
        raise InputError(f"{path}: no such file; give a source with --source as the run read it")
    if expected and sha256_of(on_disk) != expected:
        raise InputError(f"{path}: is not the file that the run read (its SHA-256 differs); give that one")
    return bool(expected)


def _lines(path: Path, wanted: Mapping[int, str]) -> Iterator[tuple[int, Quote]]:
    """The line at each offset of the unpacked bytes, in one pass; memory holds a block and a line."""
    offsets = sorted(wanted)
    held, begin, buffer = b"", 0, bytearray(1 << 20)
    with open_bytes(path) as reader:
        for offset in offsets:
            while begin + len(held) < offset + MAX_LINE:
                n = reader.readinto(memoryview(buffer))
                if not n:
                    break
                drop = max(0, min(offset - begin, len(held)))
                held, begin = held[drop:] + bytes(buffer[:n]), begin + drop
            at = offset - begin
            if 0 <= at < len(held):
                yield offset, _quote(held[at : at + MAX_LINE], wanted[offset])


def _quote(block: bytes, digest: str) -> Quote:
    """The row that has the digest; without one the first line."""
    parts = block.split(b"\n", MAX_BREAKS)
    if digest:
        for n in range(1, len(parts) + 1):
            row = b"\n".join(parts[:n])
            for form in (row, row.removesuffix(b"\r")):
                if hashlib.blake2b(form, digest_size=8).hexdigest() == digest:
                    return Quote(form.decode("utf-8", "replace"), True)
        return Quote(parts[0].decode("utf-8", "replace"), False)
    return Quote(parts[0].removesuffix(b"\r").decode("utf-8", "replace"), None)
