"""The page of all detectors, made from their own words: `python -m detectors.handbook > docs/detectors.md`."""

from __future__ import annotations

import inspect

from detectors.registry import detector_class, registered
from detectors.settings import presets, thresholds

_HEAD = """# What is found, and by which thresholds

Made by `python -m detectors.handbook`; the words are those of the sources. `luxwake detect --list` prints all
thresholds as a TOML file, `luxwake explain EVENT` shows those of one event, `luxwake tune DETECTOR.PARAMETER` how the
number of events moves with one. [own_detector.md](own_detector.md) tells how to add a detector.
"""


def page() -> str:
    """The page as text: for each detector its definition, its kinds of event, its own columns and its thresholds.

    >>> page().splitlines()[0]
    '# What is found, and by which thresholds'
    """
    return "\n".join([_HEAD, *(_part(name) for name in registered())])


def _part(name: str) -> str:
    """What is to be said of one detector."""
    detector = detector_class(name)
    module = inspect.getmodule(detector)
    lines = [f"## {name}", "", inspect.cleandoc((module.__doc__ if module else "") or ""), ""]
    lines.append(f"Kinds: {', '.join(f'`{kind}`' for kind in detector.kinds)}.")
    if detector.facts:
        lines.append(f"Columns of its own: {', '.join(f'`{fact}`' for fact in detector.facts)}.")
    if presets(name):
        lines.append(f"Presets: {', '.join(f'`{preset}`' for preset in presets(name))}.")
    lines += ["", "| threshold | default | unit and source |", "|---|---:|---|"]
    for one in thresholds(name):
        lines.append(f"| `{one.name}` | {one.default} | {one.source.replace('|', '/')} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    print(page(), end="")
