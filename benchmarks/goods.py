"""What is it: control-list items and bill-of-lading lines to headings, the plausibility of codes, and the speed.

The lists are read from `../shared/data`, the lines from `tests/goods_lines.csv`. Recall in the first ten places is
given by six definitions, as ten places cannot hold the headings of the larger items: see `RECALLS`.
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
REGIMES = {"EU (2007)": "EU 2007", "US": "US", "Republic of Korea": "ROK", "UN": "UN", "": "all but EU and UK"}
"""Regimes that are measured; "" stands for all but those of the EU and the UK, whose items are the EU's."""
TOP = 10
RECALLS = ("all", "of what 10 can hold", "items of 10 at most", "all, pooled", "first R of R", "chapters")
"""Recall in ten, a mean over items but for the pooled: what is found of all headings of an item; of as many as ten
places can hold (capped recall); of all, for the items with ten headings at most; of all, summed over items; of as many
as ten places can hold, in no more places than there are headings; and of chapters."""

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
    """The items of a regime (see `REGIMES`) that have headings; ranges and chapters as all their headings.

    Items whose text itself says the codes ("HS codes 72 through 83") are left out.
    """
    from cargo.goods import known_headings

    known = {heading for heading in known_headings() if len(heading) == 4}
    found = []
    for row in csv.DictReader(ITEMS.read_text(encoding="utf-8").splitlines()):
        asked = row["regime"] == regime or (not regime and not row["regime"].startswith(("EU", "UK")))
        parts = (part.strip() for part in (row["hs_mapped_by_us"] or row["hs_legal"]).split(";"))
        codes = [part for part in parts if re.fullmatch(r"\d+(-\d+)?", part)]
        if asked and codes and not re.search(r"\bHS\b", row["item_text"]):
            mapped = {heading for part in codes for heading in _expand(part, known)}
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


def item_figures(found: Sequence[Item], rank: Rank) -> dict[str, float]:
    """First right, any of five right, `most` (all that ten places can hold) and recall by each of `RECALLS`."""
    pairs = [(item.headings, rank(item.text)[:TOP]) for item in found]
    holds = [(len(right), min(TOP, len(right)), len(right.intersection(ranked))) for right, ranked in pairs]
    recalls = (
        fmean(hits / size for size, _, hits in holds),
        fmean(hits / most for _, most, hits in holds),
        fmean(hits / size for size, most, hits in holds if size == most),
        sum(hits for *_, hits in holds) / sum(size for size, *_ in holds),
        fmean(len(right.intersection(ranked[: len(right)])) / min(TOP, len(right)) for right, ranked in pairs),
        fmean(len(_chapters(ranked) & _chapters(right)) / len(_chapters(right)) for right, ranked in pairs),
    )
    return {
        "first": fmean(bool(right.intersection(ranked[:1])) for right, ranked in pairs),
        "five": fmean(bool(right.intersection(ranked[:5])) for right, ranked in pairs),
        "most": fmean(most / size for size, most, _ in holds),
        **dict(zip(RECALLS, recalls, strict=True)),
    }


def _chapters(headings: Iterable[str]) -> set[str]:
    return {heading[:2] for heading in headings}


def abstention_figures() -> list[list[object]]:
    """How many texts get a heading by the nomenclature alone, and how many rightly, by score and margin.

    The texts are the items of lists other than the EU's and the English lines of the tuning half.
    """
    from cargo.retrieval import likeness

    known = [(i.text, i.headings) for i in items("")]
    known += [(line.text, line.headings) for line in lines("tune") if line.language == "en"]
    best = []
    for (_, right), alike in zip(known, likeness([text for text, _ in known], 2 * TOP), strict=True):
        if alike:
            other = next((each.score for each in alike if each.heading[:2] != alike[0].heading[:2]), 0.0)
            first = alike[0].heading
            best.append((alike[0].score, alike[0].score - other, first in right, first[:2] in _chapters(right)))
    rows: list[list[object]] = []
    for least, margin in ((0.0, 0.0), (0.30, 0.10), (0.30, 0.15), (0.45, 0.05), (0.45, 0.10), (0.45, 0.15)):
        given = [each for each in best if each[0] >= least and each[1] >= margin]
        shares = (len(given) / len(known), fmean(each[2] for each in given), fmean(each[3] for each in given))
        rows.append([number(least), number(margin), *map(number, shares)])
    return rows


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
            for by, rank in (("nomenclature", by_nomenclature), ("lexicon and nomenclature", by_both)):
                rows.append([name, len(found), by, *map(number, item_figures(found, rank).values())])
        head = ["control list", "items", "by", "first right", "any of 5", "10 can hold", *RECALLS]
        yield "Control-list items to headings, recall in ten:\n\n" + table(head, rows)
        yield "Headings by the nomenclature alone:\n\n" + table(
            ["score", "margin", "given", "right", "right chapter"], abstention_figures()
        )
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
