"""Which names are worth comparing: those that share a beginning, an end, a rare word, an address or a number.

The cost is near linear: a block of many names is compared along two orders only, each name with its neighbours, and how
many names stood in such blocks is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from cargo.party_names import PartyName, sounds

MAX_BLOCK = 24
"""Names of a block that are all compared with each other."""
WINDOW = 6
"""Neighbours, in either order, with which a name of a larger block is compared."""
_ENDS = 5
"""Letters of the beginnings and the ends."""
_RARE = 100
"""A word that at most so many names have is rare."""


def name_keys(name: PartyName, rare: Iterable[str]) -> set[str]:
    """The blocks of a name. Names whose numerals or trades differ never meet.

    >>> from cargo.party_names import party_name
    >>> sorted(name_keys(party_name("Sun Rise Trading 2"), ("RISE",)))[:3]
    ['NRISE>>TRADING>2>', 'RISE=>TRADING>2>', 'RISES<>TRADING>2>']
    """
    tail = ">".join(("", *name.trade, *name.numerals, ""))
    joined = name.joined
    turned = "".join(sorted(name.core))
    sound = sounds(joined)
    keys = {f"{text[:_ENDS]}<{tail}" for text in (joined, turned, sound)}
    keys |= {f"{text[-_ENDS:]}>{tail}" for text in (joined, turned, sound)}
    keys |= {f"{word}={tail}" for word in rare}
    return keys


def candidate_pairs(
    names: Sequence[PartyName], more: Sequence[Sequence[str]], counts: Counter[str]
) -> Iterator[tuple[int, int]]:
    """Pairs of indices, the lower first, each once; `more` holds further blocks of each name: addresses, numbers."""
    often = Counter(word for name in names for word in set(name.core))
    blocks: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        rare = {word for word in name.core if len(word) > 3 and often[word] <= _RARE}
        for key in name_keys(name, rare) | {f"@{key}" for key in more[i]}:
            blocks.setdefault(key, []).append(i)
    seen: set[int] = set()
    crowded: set[int] = set()
    n = len(names)
    for block in blocks.values():
        if len(block) < 2:
            continue
        if len(block) > MAX_BLOCK:
            crowded.update(block)
        for a, b in _pairs(block, names):
            low, high = (a, b) if a < b else (b, a)
            if (pair := low * n + high) not in seen:
                seen.add(pair)
                yield low, high
    counts["names in large blocks, compared with their neighbours only"] = len(crowded)
    counts["pairs of names compared"] = len(seen)


def _pairs(block: list[int], names: Sequence[PartyName]) -> Iterator[tuple[int, int]]:
    if len(block) <= MAX_BLOCK:
        yield from combinations(block, 2)
        return
    for order in (lambda i: (names[i].joined, i), lambda i: (names[i].joined[::-1], i)):
        ordered = sorted(block, key=order)
        for at, i in enumerate(ordered):
            for j in ordered[at + 1 : at + 1 + WINDOW]:
                yield i, j
