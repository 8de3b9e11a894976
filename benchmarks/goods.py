"""What is it: control-list items and bill-of-lading lines to headings, the plausibility of codes, and the speed.

The lists are read from `../shared/data`, the lines from `tests/goods_lines.csv`. Recall in the first ten of an item is
given over all its mapped headings, of which ten places cannot hold those of the larger items; over as many as ten
places can hold; and over chapters.
"""

from __future__ import annotations

import csv
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import fmean
from typing import NamedTuple

from benchmarks.child import ROOT, run_child
from benchmarks.tables import number, table

ITEMS = ROOT.parent / "shared" / "data" / "trade" / "regimes" / "regime_items.csv"
LINES = ROOT / "tests" / "goods_lines.csv"
REGIMES = {"EU (2007)": "EU 2007, 22 items", "US": "US, 25 items", "Republic of Korea": "ROK, 13 items"}
TOP = 10

Rank = Callable[[str], list[str]]


class Item(NamedTuple):
    """A control-list item and the headings that were mapped to it by hand."""

    text: str
    headings: frozenset[str]


class Line(NamedTuple):
    """A made-up line of a bill of lading, and what it is."""

    half: str
    language: str
    text: str
    controlled: bool
    category: str
    headings: frozenset[str]


def items(regime: str) -> list[Item]:
    """The items of a regime that have a mapping; ranges and chapters as all their headings."""
    from cargo.goods import known_headings

    known = {heading for heading in known_headings() if len(heading) == 4}
    found = []
    for row in csv.DictReader(ITEMS.read_text(encoding="utf-8").splitlines()):
        if row["regime"] == regime and row["hs_mapped_by_us"]:
            mapped = {h for part in row["hs_mapped_by_us"].split(";") for h in _expand(part.strip(), known)}
            found.append(Item(row["item_text"], frozenset(mapped)))
    return found


def _expand(part: str, known: set[str]) -> set[str]:
    ends = re.fullmatch(r"(\d+)-(\d+)", part)
    codes = range(int(ends[1]), int(ends[2]) + 1) if ends else ()
    prefixes = [str(code).zfill(len(ends[1])) for code in codes] if ends else [part[:4]]
    return {heading for heading in known if heading.startswith(tuple(prefixes))}


def lines(half: str) -> list[Line]:
    """The lines of one half: `tune` or `test`."""
    rows = csv.DictReader(LINES.read_text(encoding="utf-8").splitlines())
    return [
        Line(
            r["half"],
            r["language"],
            r["text"],
            r["controlled"] == "yes",
            r["category"],
            frozenset(r["headings"].split(";")),
        )
        for r in rows
        if r["half"] == half
    ]


def by_nomenclature(text: str) -> list[str]:
    """Headings by the words of the nomenclature alone."""
    from cargo.retrieval import likeness

    return [found.heading for found in likeness([text], TOP)[0]]


def by_both(text: str) -> list[str]:
    """Headings by the lexicon and the nomenclature."""
    from cargo.goods import classify

    return [found.heading for found in classify(text).headings]


def item_figures(found: Sequence[Item], rank: Rank) -> list[str]:
    """First right, any of five right, recall in ten, and recall of what ten places can hold."""
    ranked = [rank(item.text) for item in found]
    pairs = list(zip(found, ranked, strict=True))
    first = fmean(bool(set(r[:1]) & item.headings) for item, r in pairs)
    five = fmean(bool(set(r[:5]) & item.headings) for item, r in pairs)
    recall = fmean(len(set(r[:TOP]) & item.headings) / len(item.headings) for item, r in pairs)
    held = fmean(len(set(r[:TOP]) & item.headings) / min(TOP, len(item.headings)) for item, r in pairs)
    chapters = fmean(len(_chapters(r[:TOP]) & _chapters(i.headings)) / len(_chapters(i.headings)) for i, r in pairs)
    most = fmean(min(TOP, len(item.headings)) / len(item.headings) for item in found)
    return [number(first), number(five), f"{number(recall)} of {number(most)}", number(held), number(chapters)]


def _chapters(headings: Iterable[str]) -> set[str]:
    return {heading[:2] for heading in headings}


def line_figures(half: Sequence[Line]) -> list[object]:
    """Precision and recall of "in a category of the lists", of the category, and of headings."""
    from cargo.goods import classify

    goods = classify([line.text for line in half])
    pairs = list(zip(half, goods, strict=True))
    said = [(line, one) for line, one in pairs if one.categories]
    right = sum(line.controlled for line, _ in said)
    given = [(line, one) for line, one in pairs if one.heading]
    return [
        len(half),
        number(right / max(1, len(said))),
        number(right / sum(line.controlled for line in half)),
        number(fmean(line.category in one.categories for line, one in pairs if line.controlled)),
        number(fmean(bool(one.headings) and one.headings[0].heading in line.headings for line, one in pairs)),
        number(fmean(one.heading in line.headings for line, one in given)),
        number(len(given) / len(half)),
    ]


def code_figures(half: Sequence[Line], seed: int = 6) -> list[list[object]]:
    """Verdicts on the right code of each line, and on the code of a line of another chapter."""
    from cargo.goods import classify

    pick = random.Random(seed)
    codes = sorted({heading for line in half for heading in line.headings})
    others = [pick.choice([c for c in codes if c[:2] not in {h[:2] for h in line.headings}]) for line in half]
    rows: list[list[object]] = []
    for name, declared in (("right", [min(line.headings) for line in half]), ("of other goods", others)):
        verdicts = [one.plausibility for one in classify([line.text for line in half], declared)]
        rows.append(
            [name, *(number(verdicts.count(v) / len(half)) for v in ("supported", "contradicted", "cannot tell"))]
        )  # type: ignore[arg-type]
    return rows


def speed(rows: int, distinct: int) -> dict[str, float]:
    """CPU seconds for a column of `rows` descriptions, of which `distinct` differ (runs in a process of its own)."""
    from cargo.goods import classify

    pick = random.Random(7)
    texts = [line.text for half in ("tune", "test") for line in lines(half)]
    made = [f"{pick.choice(texts)} / {pick.choice(texts)} lot {n:x}" for n in range(distinct)]
    codes = [pick.choice(("870324", "220820", "720839", "950300", "")) for _ in made]
    order = [n if n < distinct else pick.randrange(distinct) for n in range(rows)]
    begin = time.process_time()
    classify("warm")
    ready = time.process_time()
    classify([made[n] for n in order], [codes[n] for n in order])
    return {"ready_s": ready - begin, "cpu_s": time.process_time() - ready}


def run(quick: bool) -> Iterator[str]:
    """The tables, as text."""
    if ITEMS.is_file():
        rows = []
        for regime, name in REGIMES.items():
            found = items(regime)
            rows.append([name, "nomenclature", *item_figures(found, by_nomenclature)])
            rows.append([name, "lexicon and nomenclature", *item_figures(found, by_both)])
        head = ["control list", "by", "first right", "any of 5", "recall in 10", "of what 10 can hold", "of chapters"]
        yield "Control-list items to headings:\n\n" + table(head, rows)
    else:
        yield f"The lists are not beside this checkout (`../{ITEMS.relative_to(ROOT.parent)}`); they were not measured."
    head = [
        "lines",
        "n",
        "controlled: precision",
        "recall",
        "category found",
        "first heading",
        "given heading",
        "given",
    ]
    rows = [[half, *line_figures(lines(half))] for half in ("tune", "test")]
    tests = lines("test")
    for language in ("en", "zh", "ko", "ja", "ru"):
        rows.append([f"test, {language}", *line_figures([line for line in tests if line.language == language])])
    yield "Bill-of-lading lines:\n\n" + table(head, rows)
    head = ["declared code (test half)", "supported", "contradicted", "cannot tell"]
    yield "Plausibility of the declared code:\n\n" + table(head, code_figures(tests))
    n, distinct = (100_000, 5_000) if quick else (1_000_000, 50_000)
    took = run_child("benchmarks.goods:speed", {"rows": n, "distinct": distinct})
    yield "Speed:\n\n" + table(
        ["rows", "distinct", "ready, s", "CPU, s", "peak, MB"],
        [[f"{n:,}", f"{distinct:,}", number(took["ready_s"]), number(took["cpu_s"]), number(took["peak_mb"], 0)]],
    )
