"""The findings of an earlier run beside those of this one: what was opened, revised or retracted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.errors import InputError

if TYPE_CHECKING:
    from cargo.shipments import Shipments
    from detectors.event import Events
    from luxwake.console import Console


def compare_with_earlier(
    given: str | Path | None,
    out: str | Path,
    found: Mapping[str, Any],
    shipments: Shipments,
    events: Events,
    console: Console,
) -> dict[str, Any]:
    """The findings with their versions, against the file that was given, else against that of the last run in `out`.

    A file in `out` that has to do with other shipments is left alone, and one that cannot be read is named; a file that
    was given must be readable. Raises InputError for one that is not.
    """
    from cargo.revision import belongs, read_findings, revise

    lines = dict(zip(shipments["row"].tolist(), shipments["sha"].tolist(), strict=True))
    place = Path(given) if given is not None else Path(out) / "findings.json"
    previous = None
    try:
        if given is not None or place.is_file():
            previous = read_findings(place)
            if given is None and not belongs(previous, lines):
                previous = None
        made = revise(found, previous, lines=lines, events=set(events["id"].tolist()))
    except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
        why = error if isinstance(error, InputError) else f"{place}: its findings are not of this form; run again"
        if given is not None:
            raise InputError(str(why)) from None
        console.note(f"{why}; the findings are taken as new")
        made = revise(found)
    _tell(made, previous is not None, place, console)
    return made


def _tell(made: Mapping[str, Any], compared: bool, place: Path, console: Console) -> None:
    if compared:
        status = [finding["revision"]["status"] for finding in made["findings"]]
        new = [one for one in made["retracted"] if one["revision"]["why"]]
        counts = [f"{status.count(word)} {word}" for word in dict.fromkeys(status)]
        said = ", ".join([*counts, *([f"{len(new)} retracted"] if new else [])])
        console.note(f"compared with {place}: {said or 'no findings'}")
