"""The command `goods`: what a description, or each row of a shipments file, says the goods are."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from geo.errors import InputError, UsageError

if TYPE_CHECKING:
    from cargo.goods import Goods
    from cargo.shipments import Shipments
    from luxwake.console import Console

_ROWS = 20
_FILE_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".parquet", ".json", ".jsonl", ".gz", ".zst", ".zip")


def add_commands(commands: Any, output_options: Callable[[argparse.ArgumentParser], None]) -> None:
    """Add the parser of this command."""
    goods = commands.add_parser(
        "goods", help="what goods are, by their description: headings, luxury terms, whether the declared code fits"
    )
    goods.add_argument("what", metavar="TEXT|FILE", help="a description, or a file of shipments")
    goods.add_argument("--hs", metavar="CODE", help="the declared code of TEXT")
    goods.add_argument("--lang", metavar="L", help="read only terms of en, zh, ko, ja or ru, besides makers' names")
    goods.add_argument(
        "--limit", type=int, default=_ROWS, metavar="N", help=f"FILE: rows that are shown (default: {_ROWS})"
    )
    output_options(goods)


def run_goods(args: argparse.Namespace, console: Console) -> None:
    """The command `goods`."""
    if args.limit < 0:
        raise UsageError(f"--limit {args.limit} must be 0 or more")
    if _is_file(args.what):
        if args.hs is not None:
            raise UsageError("--hs goes with a TEXT; the rows of a file have codes of their own")
        from cargo.shipments import read_shipments

        _print_rows(read_shipments(args.what), args.lang, args.limit, console)
        return
    from cargo.goods import classify

    _print_one(classify(args.what, args.hs, args.lang), console)


def _is_file(what: str) -> bool:
    """Whether TEXT|FILE is a file; what ends like one and is none is a mistake, and no description."""
    try:
        if os.path.isfile(what):
            return True
    except ValueError:  # a NUL
        return False
    if what.lower().endswith(_FILE_ENDINGS) and " " not in what:
        raise InputError(f"{what[:200]}: there is no such file; check the path, or give a description")
    return False


def _as_json(goods: Goods) -> dict[str, Any]:
    return {
        "text": goods.text,
        "hs_code": goods.hs_code or None,
        "plausibility": goods.plausibility,
        "why": goods.why,
        "words": list(goods.words),
        "categories": list(goods.categories),
        "luxury": list(goods.luxury),
        "heading": goods.heading or None,
        "abstained": goods.abstained or None,
        "terms": [
            {
                "text": hit.text,
                "term": hit.term.term,
                "language": hit.term.language,
                "category": hit.term.category or None,
                "kind": hit.term.kind,
                "negated_by": hit.negated_by or None,
            }
            for hit in goods.hits
        ],
        "headings": [
            {"heading": each.heading, "score": each.score, "words": list(goods.spoken(each.heading))}
            for each in goods.headings
        ],
    }


def _print_one(goods: Goods, console: Console) -> None:
    from luxwake.console import print_json_lines

    if console.json:
        print_json_lines([{"type": "goods", **_without_surrogates(_as_json(goods))}])
        return
    from cargo.hs import VERSIONS, description
    from cargo.retrieval import spoken_ngrams

    facts = [
        ("declared code", goods.hs_code or "none"),
        ("the text", f"{goods.plausibility}: {goods.why}"),
        ("categories of luxury lists", ", ".join(goods.categories) or "none named"),
        ("words of luxury", ", ".join(goods.luxury) or "none"),
        ("heading by the text alone", goods.heading or f"none: {goods.abstained}"),
    ]
    console.table("Goods", ("", "found"), facts)
    terms = [(hit.text, hit.term.category or "ordinary", hit.term.kind, hit.negated_by or "-") for hit in goods.hits]
    if terms:
        console.table("Terms of the lexicon", ("in the text", "category", "kind", "negated by"), terms)
    rows = []
    for each in goods.headings:
        text = next((found for v in reversed(VERSIONS) if (found := description(each.heading, v))), "")
        grams = ", ".join(repr(gram) for gram, _ in spoken_ngrams(goods.text, each.heading, 2))
        words = ", ".join(goods.spoken(each.heading))
        by = "lexicon" if each.terms else "texts"
        rows.append((each.heading, f"{each.score:.2f}", by, _cut(words, 28), grams, _cut(text, 40)))
    if rows:
        head = ("heading", "score", "by", "words that spoke", "n-grams", "nomenclature")
        console.table("Likeliest headings", head, rows)


def _cut(text: str, width: int) -> str:
    """A text that fits into a column; `--json` gives all."""
    from luxwake.console import printable

    seen = printable(text[: 10 * width])
    return seen if len(seen) <= width else seen[: width - 1] + "…"


def _without_surrogates(value: Any) -> Any:
    """A value that UTF-8 can write: a lone surrogate, which a command line may hold, becomes a question mark."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_without_surrogates(inner) for inner in value]
    return {name: _without_surrogates(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def _print_rows(shipments: Shipments, lang: str | None, limit: int, console: Console) -> None:
    from cargo.goods import classify
    from luxwake.console import print_json_lines

    found = classify(shipments["description"].tolist(), shipments["hs_code"].tolist(), lang)
    numbers = shipments["row"].tolist()
    if console.json:
        telling = (n for n, goods in enumerate(found) if _tells(goods))
        print_json_lines(
            {"type": "goods", "row": numbers[n], **_without_surrogates(_as_json(found[n]))} for n in telling
        )
    console.counts("Declared code and text", Counter(goods.plausibility for goods in found))
    named = Counter(name for goods in found for name in goods.categories or ("none named",))
    console.counts("Categories of luxury lists", named)
    if not console.json:
        _print_foremost(found, numbers, limit, console)


def _print_foremost(found: Sequence[Goods], numbers: Sequence[int], limit: int, console: Console) -> None:
    """Rows that are alike as one, those under a doubtful code first."""
    alike: dict[int, list[int]] = {}
    for n, goods in enumerate(found):
        if _tells(goods):
            alike.setdefault(id(goods), []).append(n)
    groups = sorted(alike.values(), key=lambda rows: (_order(found[rows[0]]), rows[0]))
    if groups and limit:
        head = ("rows", "first", "code", "the text", "categories", "words of luxury", "description")
        title = f"The foremost {min(limit, len(groups)):,} of {len(groups):,} descriptions"
        cells = [(f"{len(rows):,}", numbers[rows[0]], *_cells(found[rows[0]])) for rows in groups[:limit]]
        console.table(title, head, cells)


def _cells(goods: Goods) -> tuple[str, ...]:
    named, luxury = ", ".join(goods.categories), ", ".join(goods.luxury)
    return goods.hs_code, goods.plausibility, _cut(named, 16), _cut(luxury, 20), _cut(goods.text, 36)


def _tells(goods: Goods) -> bool:
    return bool(goods.categories) or goods.plausibility == "contradicted"


def _order(goods: Goods) -> tuple[bool, bool, int]:
    """Luxury under a code that the text contradicts first, then luxury, then other contradictions."""
    contradicted = goods.plausibility == "contradicted"
    return not (goods.luxury and contradicted), not goods.luxury, -contradicted


COMMANDS = {"goods": run_goods}
